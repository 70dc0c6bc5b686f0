"""A run that has been made: its tables, its summary, its scenario."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from wstdes.config.scenario import Scenario
from wstdes.errors import RunError, did_you_mean
from wstdes.kernel.trace import digest_table, read_table, table_names

__all__ = ["Run", "load_run"]


@dataclass(frozen=True)
class Run:
    """A run directory.

    Parameters
    ----------
    folder : pathlib.Path
        Where it is.
    manifest : dict
        How it was made.
    """

    folder: Path
    manifest: dict[str, Any]

    @property
    def complete(self) -> bool:
        """Whether all nights that were asked for are in it."""
        return bool(self.manifest["status"] == "complete")

    @property
    def nights(self) -> int:
        """Nights in it."""
        return int(self.manifest["nights"])

    @property
    def tables(self) -> list[str]:
        """Names of its tables."""
        return table_names(self.folder / "tables")

    def table(
        self,
        name: str,
        columns: Sequence[str] | None = None,
        where: pc.Expression | None = None,
    ) -> pa.Table:
        """Return a table.

        Parameters
        ----------
        name : str
            One of :attr:`tables`.
        columns : sequence of str, optional
            Only these.
        where : pyarrow.compute.Expression, optional
            Only rows for which it is true, as in ``pc.field("mode") == "lr"``.

        Returns
        -------
        pyarrow.Table
            Units and descriptions stand in the metadata of its fields.

        Raises
        ------
        RunError
            There is no such table.
        """
        try:
            return read_table(self.folder / "tables", name, columns, self.nights, where)
        except FileNotFoundError:
            hint = did_you_mean(name, self.tables)
            raise RunError(f"{self.folder} has no table '{name}'; {hint}") from None

    def __getitem__(self, name: str) -> pa.Table:
        return self.table(name)

    @cached_property
    def summary(self) -> dict[str, Any]:
        """Metrics: name to value, unit and meaning."""
        return dict(_read_json(self.folder / "summary.json"))

    @cached_property
    def scenario(self) -> Scenario:
        """The scenario that was run."""
        return Scenario.model_validate(_read_json(self.folder / "scenario.json"))

    @cached_property
    def provenance(self) -> list[dict[str, str]]:
        """Source and confidence of each hardware value."""
        return list(_read_json(self.folder / "provenance.json"))

    @cached_property
    def last_coverage(self) -> pa.Table | None:
        """Rows of the table ``coverage`` that were written last; None if none were."""
        if "coverage" not in self.tables:
            return None
        nights = self.table("coverage", ["night"]).column("night")
        if not len(nights):
            return None
        return self.table("coverage", where=pc.field("night") == pc.max(nights))

    def digest(self) -> str:
        """Return one SHA-256 over all tables, in the order of their names."""
        digest = hashlib.sha256()
        for name in self.tables:
            digest.update(f"{name}={digest_table(self.table(name))};".encode())
        return digest.hexdigest()


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RunError(f"{path} is not there: this is no run directory, or it broke off") from None
    except (OSError, ValueError) as error:
        raise RunError(f"{path} cannot be read: {error}") from None


def load_run(folder: str | Path) -> Run:
    """Open a run directory.

    Parameters
    ----------
    folder : str or pathlib.Path
        As made by ``wstdes run``; partial runs can be opened too.

    Returns
    -------
    Run

    Raises
    ------
    RunError
        This is no run directory.
    """
    path = Path(folder)
    if not path.is_dir():
        raise RunError(f"there is no folder {path}")
    return Run(path, dict(_read_json(path / "manifest.json")))
