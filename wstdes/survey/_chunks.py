"""Reading a table in parts, so that its size does not matter."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wstdes.errors import CatalogueError
from wstdes.survey._tables import Column, format_of, read_columns, unreadable

__all__ = ["CHUNK_ROWS", "PartedTable", "open_table"]

CHUNK_ROWS = 1 << 20
"""Rows of a part."""

_WHOLE_BYTES = 4 * 10**8
"""Largest file of a format that can only be read as a whole."""

_CSV_BLOCK = 1 << 25


@dataclass(frozen=True)
class PartedTable:
    """A table that is not in memory.

    Parameters
    ----------
    path : Path
        The file.
    kind : str
        As in :data:`wstdes.survey._tables.FORMATS`.
    columns : dict of str to Column
        Names and units; no values.
    rows : int or None
        How many, where the file says so.
    """

    path: Path
    kind: str
    columns: dict[str, Column]
    rows: int | None

    def parts(self, names: Collection[str], text: str) -> Iterator[dict[str, Column]]:
        """Give some columns part by part; of CSV, only `text` may hold words.

        Raises
        ------
        CatalogueError
            If the file cannot be read to its end.
        """
        readers = {"parquet": _parquet, "ascii.csv": _csv, "fits": _fits}
        reader = readers.get(self.kind, _whole)
        first = 1
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                for found in reader(self.path, list(dict.fromkeys(names)), text):
                    size = len(next(iter(found.values())).values)
                    units = {name: self.columns[name].unit for name in found}
                    yield {n: replace(c, unit=units[n], first=first) for n, c in found.items()}
                    first += size
        except (MemoryError, CatalogueError, GeneratorExit):
            raise
        except Exception as error:  # each reader fails in its own way
            raise unreadable(self.path, error) from error


def open_table(path: Path) -> PartedTable:
    """Look at a table's columns.

    Raises
    ------
    CatalogueError
        If the file is missing, of an unknown suffix, unreadable, or too large for its format.
    """
    kind = format_of(path)
    if kind == "fits" and path.suffix == ".gz":
        kind = "fits, compressed"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if kind == "parquet":
                return PartedTable(path, kind, *_parquet_head(path))
            if kind == "ascii.csv":
                return PartedTable(path, kind, *_csv_head(path))
            if kind == "fits":
                return PartedTable(path, kind, *_fits_head(path))
    except (MemoryError, CatalogueError):
        raise
    except Exception as error:
        raise unreadable(path, error) from error
    if path.stat().st_size > _WHOLE_BYTES:
        raise CatalogueError(
            f"{path}: {path.stat().st_size / 1e9:.1f} GB of a format that is read as a whole; "
            "store it as Parquet, CSV or uncompressed FITS"
        )
    found = read_columns(path)
    rows = len(next(iter(found.values())).values) if found else 0
    return PartedTable(path, kind, found, rows)


def _head(name: str, unit: str) -> Column:
    return Column(name, np.zeros(0), np.zeros(0, dtype=np.bool_), unit)


def _whole(path: Path, names: list[str], text: str) -> Iterator[dict[str, Column]]:
    found = read_columns(path)
    size = len(found[names[0]].values)
    for begin in range(0, size, CHUNK_ROWS):
        span = slice(begin, begin + CHUNK_ROWS)
        yield {
            n: replace(found[n], values=found[n].values[span], missing=found[n].missing[span])
            for n in names
        }


def _parquet_head(path: Path) -> tuple[dict[str, Column], int]:
    from astropy.table.meta import get_header_from_yaml
    from pyarrow import parquet

    with parquet.ParquetFile(path) as file:
        schema, rows = file.schema_arrow, file.metadata.num_rows
    units = {}
    stored = (schema.metadata or {}).get(b"table_meta_yaml")  # astropy's own writer
    if stored:
        header = get_header_from_yaml(stored.decode().split("\n"))
        units = {c["name"]: str(c.get("unit") or "") for c in header["datatype"]}
    for field in schema:
        unit = (field.metadata or {}).get(b"unit")
        if unit:
            units[field.name] = unit.decode()
    return {name: _head(name, units.get(name, "")) for name in schema.names}, rows


def _parquet(path: Path, names: list[str], text: str) -> Iterator[dict[str, Column]]:
    from pyarrow import parquet

    # Else all that was read is held to the end.
    with parquet.ParquetFile(path, buffer_size=1 << 22, pre_buffer=False) as file:
        for batch in file.iter_batches(CHUNK_ROWS, columns=names, use_threads=False):
            if batch.num_rows:
                yield {name: _of_arrow(name, batch.column(name)) for name in names}


def _of_arrow(name: str, array: Any) -> Column:
    import pyarrow as pa

    kind = array.type
    if pa.types.is_dictionary(kind):
        array, kind = array.cast(kind.value_type), kind.value_type
    missing = array.is_null().to_numpy(zero_copy_only=False)
    values: NDArray[Any]
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        values = np.array(array.fill_null("").to_pylist(), dtype=np.str_)
    elif pa.types.is_integer(kind) or pa.types.is_floating(kind):
        values = array.fill_null(0).to_numpy(zero_copy_only=False)
    else:
        values = np.array(array.to_pylist(), dtype=object)
    if values.dtype.kind == "f":
        missing = missing | np.isnan(values)
    return Column(name, values, missing, "")


def _csv_head(path: Path) -> tuple[dict[str, Column], None]:
    from pyarrow import csv

    with csv.open_csv(path, read_options=csv.ReadOptions(block_size=1 << 20)) as file:
        names = file.schema.names
    return {name: _head(name, "") for name in names}, None


def _csv(path: Path, names: list[str], text: str) -> Iterator[dict[str, Column]]:
    """Everything comes as words and is turned here, so that what is no number has a row."""
    import pyarrow as pa
    from pyarrow import csv

    convert = csv.ConvertOptions(
        include_columns=names,
        column_types=dict.fromkeys(names, pa.string()),
        strings_can_be_null=True,
        null_values=["", "nan", "NaN", "NAN", "null", "NULL", "--", "N/A"],
    )
    options = csv.ReadOptions(block_size=_CSV_BLOCK, use_threads=False)
    as_integers = True
    with csv.open_csv(path, read_options=options, convert_options=convert) as file:
        for first, batch in enumerate(file):
            if not batch.num_rows:
                continue
            part = {n: _number(n, batch.column(n), pa.float64()) for n in names if n != text}
            if text in names:
                ids = _number(text, batch.column(text), pa.int64())
                if ids.values.dtype.kind == "U" and first == 0:
                    as_integers = False
                if not as_integers and ids.values.dtype.kind != "U":
                    ids = _of_arrow(text, batch.column(text))
                part[text] = ids
            yield part


def _number(name: str, words: Any, kind: Any) -> Column:
    """Words as numbers; as they are if any of them is none."""
    import pyarrow as pa
    from pyarrow import compute

    try:
        trimmed = compute.utf8_trim_whitespace(words)
        return _of_arrow(name, compute.cast(trimmed, kind))
    except pa.ArrowInvalid:
        return _of_arrow(name, words)


def _fits_head(path: Path) -> tuple[dict[str, Column], int]:
    with _fits_table(path) as (_, table):
        columns = {c.name: _head(c.name, str(c.unit or "")) for c in table.columns}
        return columns, int(table.header["NAXIS2"])


def _fits(path: Path, names: list[str], text: str) -> Iterator[dict[str, Column]]:
    begin, size = 0, 1
    while begin < size:
        with _fits_table(path) as (_, table):  # anew, as what was mapped stays mapped
            size = table.header["NAXIS2"]
            part = table.data[begin : begin + CHUNK_ROWS]
            found = {name: _of_fits(name, part, table.columns[name].null) for name in names}
        if size:
            yield found
        begin += CHUNK_ROWS


class _fits_table:  # noqa: N801
    """The first table of a FITS file, mapped."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> tuple[Any, Any]:
        from astropy.io import fits

        self.file = fits.open(self.path, memmap=True)
        try:
            tables = [hdu for hdu in self.file if isinstance(hdu, fits.BinTableHDU)]
            if not tables:
                raise CatalogueError(f"{self.path}: no binary table in it")
            wanted = tables[0].header["NAXIS1"] * tables[0].header["NAXIS2"]
            if tables[0].fileinfo()["datLoc"] + wanted > self.path.stat().st_size:
                raise CatalogueError(f"{self.path}: cannot be read as FITS: cut short")
        except BaseException:
            self.file.close()
            raise
        return self.file, tables[0]

    def __exit__(self, *_: object) -> None:
        self.file.close()


def _of_fits(name: str, part: Any, null: Any) -> Column:
    values = np.array(part.field(name))
    missing = np.zeros(len(values), dtype=np.bool_)
    if values.dtype.kind == "S":
        values = np.char.decode(values, "utf-8", "replace")
    elif values.dtype.kind == "f" and values.ndim == 1:
        values = values.astype(np.float64)
        missing = np.isnan(values)
    elif values.dtype.kind in "iu" and values.ndim == 1:
        missing = values == null if null is not None else missing
        values = values.astype(values.dtype.newbyteorder("="))
    return Column(name, values, missing, "")
