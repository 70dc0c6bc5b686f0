"""A catalogue on disk: columns sorted by cell, mapped, and read where they are needed."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from wstdes.errors import CatalogueError
from wstdes.survey.stored import PART_COUNT, SortedColumns

__all__ = [
    "BROKEN_OFF",
    "COLUMNS",
    "STEP_RAD",
    "Manifest",
    "Store",
    "begin_column",
    "open_store",
    "write_start",
]

STEP_RAD = 2.0 * np.pi / 2**32
"""Positions are kept in units of this [rad]: 0.3 mas, 0.15 mas at most from what was given."""

BROKEN_OFF = ".part"
"""What is added to a folder's name until all that belongs in it is there."""

_FORMAT, _VERSION = "wstdes targets", 1
_MANIFEST, _START = "manifest.json", "start.npy"

COLUMNS: dict[str, str] = {
    "id": "<i8",
    "ra": "<u4",
    "dec": "<i4",
    "magnitude": "<f4",
    "pm_ra": "<f4",
    "pm_dec": "<f4",
    "required_s": "<f4",
    "priority": "<f4",
}
"""Types of the columns; those after the magnitude need not be there."""


@dataclass(frozen=True)
class Manifest:
    """What a store holds, and where it is from.

    Parameters
    ----------
    source, source_bytes, source_sha256
        The file that was ingested.
    rows, dropped : int
        Targets; rows of the file that were left out as they could not be right.
    columns : tuple of str
        Those of :data:`COLUMNS` that are there.
    epoch_yr : float
        Julian year of the positions.
    text_ids : bool
        Whether identifiers are rows of the file (from 1), which had text for them.
    magnitude_min, magnitude_max, required_max_s, pm_max_rad_per_yr, priority_max : float
        Extremes of the columns; 0 for one that is not there.
    """

    source: str
    source_bytes: int
    source_sha256: str
    rows: int
    dropped: int
    columns: tuple[str, ...]
    epoch_yr: float
    text_ids: bool
    magnitude_min: float
    magnitude_max: float
    required_max_s: float
    pm_max_rad_per_yr: float
    priority_max: float

    def write(self, folder: Path) -> None:
        """Write it down: the last thing that makes a folder a store."""
        data = {"format": _FORMAT, "version": _VERSION} | asdict(self)
        (folder / _MANIFEST).write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")


@dataclass(frozen=True, eq=False)
class Store:
    """A catalogue on disk.

    Parameters
    ----------
    path : str
        The folder.
    manifest : Manifest
        What it holds.
    columns : SortedColumns
        Mapped.
    """

    path: str
    manifest: Manifest
    columns: SortedColumns


def open_store(folder: str | Path) -> Store:
    """Map what `wstdes ingest` wrote; nothing is read but the index of cells.

    Raises
    ------
    CatalogueError
        If the folder is no store, of another version, or damaged.
    """
    folder = Path(folder)
    manifest = _manifest(folder)
    start = _column(folder, "start", "<i8", PART_COUNT + 1)
    if start[0] != 0 or start[-1] != manifest.rows or (np.diff(start) < 0).any():
        raise CatalogueError(f"{folder / _START}: the index of cells is damaged; ingest again")
    found = {name: _column(folder, name, COLUMNS[name], manifest.rows) for name in manifest.columns}
    columns = SortedColumns(
        np.array(start),
        found["id"],
        found["ra"],
        found["dec"],
        found["magnitude"],
        found.get("pm_ra"),
        found.get("pm_dec"),
        found.get("required_s"),
        found.get("priority"),
        STEP_RAD,
        manifest.pm_max_rad_per_yr,
        manifest.priority_max,
    )
    return Store(str(folder), manifest, columns)


def _manifest(folder: Path) -> Manifest:
    path = folder / _MANIFEST
    if not path.is_file():
        if folder.name.endswith(BROKEN_OFF) or Path(f"{folder}{BROKEN_OFF}").is_dir():
            raise CatalogueError(f"{folder}: an ingest was broken off here; ingest again")
        what = "no catalogue that `wstdes ingest` wrote" if folder.is_dir() else "no such folder"
        raise CatalogueError(f"{folder}: {what}")
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        kind, version = data.pop("format"), data.pop("version")
        if (kind, version) != (_FORMAT, _VERSION):
            raise CatalogueError(
                f"{path}: '{kind}' of version {version}; "
                f"only '{_FORMAT}' of version {_VERSION} is understood; ingest again"
            )
        manifest = Manifest(**data | {"columns": tuple(data["columns"])})
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CatalogueError(f"{path}: damaged ({error}); ingest again") from None
    needed = ("id", "ra", "dec", "magnitude")
    if not set(needed) <= set(manifest.columns) <= set(COLUMNS):
        raise CatalogueError(f"{path}: names columns that cannot be: {manifest.columns}")
    return manifest


def _column(folder: Path, name: str, kind: str, rows: int) -> NDArray[Any]:
    path = folder / f"{name}.npy"
    try:
        found = np.load(path, mmap_mode="r")
    except (OSError, ValueError) as error:
        raise CatalogueError(f"{path}: cannot be mapped ({error}); ingest again") from None
    if found.shape != (rows,) or found.dtype != np.dtype(kind):
        raise CatalogueError(
            f"{path}: holds {found.dtype}{list(found.shape)}, not {np.dtype(kind)}[{rows}]; "
            "ingest again"
        )
    return np.asarray(found)


def begin_column(folder: Path, name: str, rows: int) -> IO[bytes]:
    """Open the file of a column to write `rows` values to, one array after another."""
    file = (folder / f"{name}.npy").open("wb")
    header = {"descr": COLUMNS[name], "fortran_order": False, "shape": (rows,)}
    np.lib.format.write_array_header_1_0(file, header)
    return file


def write_start(folder: Path, counts: NDArray[np.int64]) -> None:
    """Write the index of cells, of the number of targets in each part."""
    start = np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(counts)))
    np.save(folder / _START, start.astype("<i8"))
