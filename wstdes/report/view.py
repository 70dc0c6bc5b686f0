"""A run as figures need it: columns as arrays, in which nothing is missing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from wstdes.errors import RunError
from wstdes.report import palette
from wstdes.study.columns import codes
from wstdes.study.metrics import summarise
from wstdes.study.run import Run

__all__ = ["DAY_S", "Rows", "View"]

DAY_S = 86400.0
INTERRUPTING = ["response", "outcome", "arrival_s", "expiry_s", "shutter_open_s", "visit"]
Floats = NDArray[np.float64]


class Rows:
    """Rows of a table.

    Parameters
    ----------
    table : pyarrow.Table
        Any table of a run.
    """

    def __init__(self, table: pa.Table) -> None:
        self.table = table

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def has(self, name: str) -> bool:
        """Whether there is such a column."""
        return name in self.table.column_names

    def num(self, name: str) -> Floats:
        """A column of numbers; null is NaN, and so is a column that is not there."""
        if not self.has(name):
            return np.full(len(self), np.nan)
        column = self.table.column(name).cast(pa.float64())
        return np.asarray(column.fill_null(float("nan")).to_numpy(), dtype=np.float64)

    def text(self, name: str) -> NDArray[np.str_]:
        """A column of text; null is nothing."""
        if not self.has(name):
            return np.full(len(self), "", dtype=np.str_)
        places, names = self.coded(name)
        return np.asarray(names[places], dtype=np.str_)

    def coded(self, name: str) -> tuple[NDArray[np.int64], NDArray[np.str_]]:
        """A column of text as places in its texts, and these: the quick way to group rows."""
        if not self.has(name) or not len(self):
            return np.zeros(len(self), dtype=np.int64), np.array([""], dtype=np.str_)
        return codes(self.table, name)

    def true(self, name: str) -> NDArray[np.bool_]:
        """A column of truths; null is false."""
        if not self.has(name):
            return np.zeros(len(self), dtype=np.bool_)
        return np.array(self.table.column(name).fill_null(False).to_pylist(), dtype=np.bool_)

    def seconds(self) -> Floats:
        """Length of each interval [s]."""
        return self.num("end_s") - self.num("start_s")

    def where(self, **equal: object) -> Rows:
        """Rows with these values."""
        table = self.table
        for name, value in equal.items():
            table = table.filter(pc.equal(table.column(name), pa.scalar(value)))
        return Rows(table)

    def keep(self, mask: NDArray[np.bool_]) -> Rows:
        """Rows where a mask is true."""
        return Rows(self.table.filter(pa.array(np.asarray(mask, dtype=np.bool_))))

    def values(self, name: str) -> list[str]:
        """The texts in a column, each once, sorted."""
        return sorted(str(v) for v in self.table.column(name).unique().to_pylist() if v is not None)


@dataclass(frozen=True)
class View:
    """A run whose tables are all there, be they empty.

    Parameters
    ----------
    run : Run
        Complete or partial.
    """

    run: Run

    @cached_property
    def _names(self) -> frozenset[str]:
        return frozenset(self.run.tables)

    def rows(
        self,
        name: str,
        columns: Sequence[str] | None = None,
        where: pc.Expression | None = None,
    ) -> Rows:
        """Rows of a table, as :meth:`Run.table` gives them; none if the run does not have it."""
        if name in self._names:
            return self._in_run(Rows(self.run.table(name, columns, where)))
        from wstdes.agents.tables import TABLES

        schema = next(t.schema() for t in TABLES if t.name == name)
        return Rows(schema.empty_table())

    def _in_run(self, rows: Rows) -> Rows:
        """Rows of the nights that count: a run that was killed can have written one more."""
        if self.run.complete or not len(rows):
            return rows
        if rows.has("night"):
            return rows.keep(rows.num("night") < self.nights)
        time = "start_s" if rows.has("start_s") else "end_s"
        return rows.keep(rows.num(time) <= self.nights * DAY_S) if rows.has(time) else rows

    @cached_property
    def nights(self) -> int:
        """Nights in the run."""
        return self.run.nights

    @cached_property
    def summary(self) -> dict[str, Any]:
        """The metrics; computed anew if the run was killed before it wrote them."""
        try:
            return self.run.summary
        except RunError:
            return summarise(self.run) if self.nights else {}

    @cached_property
    def interrupting(self) -> Rows:
        """Alerts that may interrupt: a few, of the millions that may come in."""
        return self.rows("alerts", INTERRUPTING, pc.field("response") != "insert")

    @cached_property
    def start(self) -> dt.date:
        """Date of the first evening."""
        return dt.date.fromisoformat(self.run.manifest["start"])

    def evening(self, night: int) -> dt.date:
        """Date of the evening of a night."""
        return self.start + dt.timedelta(days=night)

    @cached_property
    def surveys(self) -> dict[str, str]:
        """Colour of each survey."""
        return palette.assign(self.run.scenario.surveys, {})

    @cached_property
    def sites(self) -> dict[str, str]:
        """Colour of each site."""
        names = ["mountain", "archive", *sorted(self.run.scenario.computing.sites), "network"]
        return palette.assign([*names, "observatory"], palette.SITES)
