"""The tables of a run: what a row is, and what each column means.

Times are seconds of the run (TAI, since local mean solar noon of the first evening). The same
descriptions stand in the metadata of the Parquet fields.
"""

from __future__ import annotations

from wstdes.agents.tables_data import DATA_TABLES
from wstdes.agents.tables_night import NIGHT_TABLES
from wstdes.kernel import Table

__all__ = ["TABLES"]

TABLES: tuple[Table, ...] = (*NIGHT_TABLES, *DATA_TABLES)
