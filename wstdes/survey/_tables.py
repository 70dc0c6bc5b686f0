"""Reading a table from one of five formats: columns of numbers or text, with their units."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from wstdes.errors import CatalogueError, did_you_mean

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["FORMATS", "Column", "columns_of", "format_of", "read_columns", "unreadable"]

FORMATS = {
    ".fits": "fits",
    ".fit": "fits",
    ".fits.gz": "fits",
    ".ecsv": "ascii.ecsv",
    ".vot": "votable",
    ".votable": "votable",
    ".xml": "votable",
    ".parquet": "parquet",
    ".csv": "ascii.csv",
}
"""astropy's name of the format that each suffix stands for."""


@dataclass(frozen=True, eq=False)
class Column:
    """One column, or a part of it that begins at row `first`.

    Its values, which of them are missing, and its unit as the file has it.
    """

    name: str
    values: NDArray[Any]
    missing: NDArray[np.bool_]
    unit: str
    first: int = 1


def read_columns(path: Path) -> dict[str, Column]:
    """Read every column of a table, in the file's order.

    Parameters
    ----------
    path : Path
        A FITS, ECSV, VOTable, Parquet or CSV file, told apart by its suffix. A Parquet column has
        its unit in its field's metadata under ``unit``, or where astropy's writer puts it.

    Raises
    ------
    CatalogueError
        If the file is missing, of an unknown suffix, or cannot be read as what it says it is.
    """
    from astropy.utils.exceptions import AstropyWarning

    kind = format_of(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AstropyWarning)
            table = _read(path, kind)
            return columns_of(table)
    except MemoryError:
        raise
    except Exception as error:  # each reader fails in its own way
        raise unreadable(path, error) from error


def unreadable(path: Path, error: Exception) -> CatalogueError:
    """What to say where a reader failed."""
    reason = str(error).strip().split("\n", maxsplit=1)[0] or type(error).__name__
    name = FORMATS[_suffix(path)].removeprefix("ascii.").upper()
    return CatalogueError(f"{path}: cannot be read as {name}: {reason}")


def columns_of(table: Table) -> dict[str, Column]:
    """Return the columns of a table in memory, in its order.

    Quantities become plain columns with their units; what is no column of numbers or text, such
    as astropy's SkyCoord, is left out.
    """
    from astropy.table import Column as AstropyColumn
    from astropy.table import Table

    plain = Table(table, copy=False)  # of a QTable's quantities this makes columns
    names = [name for name in plain.colnames if isinstance(plain[name], AstropyColumn)]
    return {str(name): _column(plain, name) for name in names}


def _suffix(path: Path) -> str:
    return "".join(path.suffixes[-2:]).lower() if path.suffix == ".gz" else path.suffix.lower()


def format_of(path: Path) -> str:
    """Say which of :data:`FORMATS` a file is by its suffix.

    Raises
    ------
    CatalogueError
        If the suffix is unknown or the file is not there.
    """
    suffix = _suffix(path)
    if suffix not in FORMATS:
        hint = did_you_mean(suffix, FORMATS)
        raise CatalogueError(f"{path}: unknown kind of catalogue '{suffix}'; {hint}")
    if not path.is_file():
        near = path.parent.iterdir() if path.parent.is_dir() else ()
        hint = did_you_mean(path.name, (p.name for p in near if _suffix(p) in FORMATS))
        raise CatalogueError(f"{path}: no such file" + (f"; {hint}" if hint else ""))
    return FORMATS[suffix]


def _read(path: Path, kind: str) -> Table:
    from astropy.table import Table

    if kind != "parquet":
        options = {"memmap": False} if kind == "fits" else {}
        return Table.read(path, format=kind, **options)

    from pyarrow import parquet

    table = Table.read(path, format="parquet")
    for field in parquet.read_schema(path):
        unit = (field.metadata or {}).get(b"unit")
        if unit and field.name in table.colnames:
            table[field.name].unit = unit.decode()
    return table


def _column(table: Table, name: str) -> Column:
    column = table[name]
    values = np.ma.asarray(column)
    missing = np.ma.getmaskarray(values)
    data = values.data
    if data.dtype.kind == "S":
        try:
            data = data.astype(str)  # ten times as fast, for ASCII alone
        except UnicodeDecodeError:
            data = np.char.decode(data, "utf-8", "replace")
    elif data.dtype.kind == "O":
        missing = missing | np.array([value is None for value in data.ravel()]).reshape(data.shape)
        if all(isinstance(value, str) for value in data[~missing]):
            data = np.where(missing, "", data).astype(str)
    elif data.dtype.kind == "f":
        missing = missing | np.isnan(data)
    return Column(str(name), data, missing, str(getattr(column, "unit", None) or ""))
