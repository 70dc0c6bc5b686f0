"""The trace: typed tables, one row a fact.

Agents append rows; at noons the rows of a night, or of several, are written as one Parquet part a
table. When the run ends the parts become one file a table. Units stand in the metadata of the
fields.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

__all__ = ["Column", "Table", "Trace", "digest_table", "merge_parts", "read_table", "table_names"]

GROUP_ROWS = 1 << 17
"""Rows of a row group in a table's file."""
MERGED = ".merged"
"""Ending of a folder of parts that a table's file holds already."""
MANY = 256
"""Rows given at once that are worth a piece of Arrow of their own."""
_SEQUENCES = (list, tuple, np.ndarray)
_TYPES = {
    "int": pa.int64(),
    "float": pa.float64(),
    "text": pa.string(),
    "bool": pa.bool_(),
}


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Parameters
    ----------
    name : str
        With the unit's suffix where it has one.
    type : {'int', 'float', 'text', 'bool'}
        What it holds; every column may hold nulls.
    description : str
        What it means.
    unit : str
        Unit, or nothing.
    """

    name: str
    type: str
    description: str
    unit: str = ""

    def field(self) -> pa.Field:
        """The Arrow field, with unit and description in its metadata."""
        metadata = {"unit": self.unit, "description": self.description}
        return pa.field(self.name, _TYPES[self.type], metadata=metadata)


@dataclass(frozen=True)
class Table:
    """A table: what one of its rows is, and its columns."""

    name: str
    row: str
    columns: tuple[Column, ...]

    def schema(self) -> pa.Schema:
        """The Arrow schema."""
        return _schema(self)


@cache
def _schema(table: Table) -> pa.Schema:
    return pa.schema([c.field() for c in table.columns], metadata={"row": table.row})


class Trace:
    """Rows of the running day, by table.

    Parameters
    ----------
    tables : iterable of Table
        All tables that may be written.
    """

    def __init__(self, tables: Iterable[Table]) -> None:
        self.tables = {table.name: table for table in tables}
        self._columns: dict[str, dict[str, list[Any]]] = {
            name: {c.name: [] for c in table.columns} for name, table in self.tables.items()
        }
        self._rows: dict[str, tuple[tuple[str, ...], list[tuple[Any, ...]]]] = {
            name: ((), []) for name in self.tables
        }  # the last rows, as long as they name the same columns
        self._sealed: dict[str, list[pa.Table]] = {name: [] for name in self.tables}

    def add(self, table: str, **row: object) -> None:
        """Append a row; columns that are not named are null.

        Raises
        ------
        KeyError
            There is no such table or column.
        """
        names, rows = self._rows[table]
        given = tuple(row)
        if given != names:
            if not row.keys() <= self._columns[table].keys():
                self._refuse(table, row)
            self._settle(table)
            names, rows = self._rows[table] = given, []
        rows.append(tuple(row.values()))

    def _settle(self, table: str) -> None:
        """Rows become columns."""
        names, rows = self._rows[table]
        if rows:
            given = dict(zip(names, zip(*rows, strict=True), strict=False))
            for name, values in self._columns[table].items():
                values += given[name] if name in given else [None] * len(rows)
            rows.clear()

    def extend(self, table: str, columns: Mapping[str, Any]) -> None:
        """Append many rows; columns that are not named are null.

        Parameters
        ----------
        table : str
            Which.
        columns : mapping of str to sequence or scalar
            By column: a value for each row (a list, a tuple or a NumPy array of one dimension), or
            one number, text or truth for all of them. At least one must be a sequence.

        Raises
        ------
        KeyError
            There is no such table or column.
        ValueError
            The columns are not of one length, or none has a length.
        """
        known = self._columns[table]
        if not columns.keys() <= known.keys():
            self._refuse(table, columns)
        lengths = {len(v) for v in columns.values() if isinstance(v, _SEQUENCES)}
        if len(lengths) != 1:
            raise ValueError(f"columns of {table} have lengths {sorted(lengths)}; one is needed")
        count = lengths.pop()
        if count >= MANY:
            self._seal(table)
            schema = self.tables[table].schema()
            arrays = [_array(columns.get(f.name), f.type, count) for f in schema]
            self._sealed[table].append(pa.Table.from_arrays(arrays, schema=schema))
            return
        self._settle(table)
        for name, values in known.items():
            value = columns.get(name)
            if isinstance(value, np.ndarray):
                value = value.tolist()
            values += value if isinstance(value, _SEQUENCES) else [value] * count

    def absorb(self, later: Trace) -> None:
        """Append all rows of another trace of the same tables."""
        for name, columns in self._columns.items():
            if later._sealed[name]:
                self._seal(name)
                self._sealed[name] += later._sealed[name]
            self._settle(name)
            later._settle(name)
            for column, values in columns.items():
                values += later._columns[name][column]

    def __len__(self) -> int:
        """Rows of all tables."""
        loose = sum(len(next(iter(c.values()))) for c in self._columns.values())
        loose += sum(len(rows) for _, rows in self._rows.values())
        return loose + sum(int(t.num_rows) for sealed in self._sealed.values() for t in sealed)

    def _seal(self, name: str) -> None:
        """Make an Arrow table of the loose rows."""
        self._settle(name)
        columns = self._columns[name]
        if next(iter(columns.values())):
            schema = self.tables[name].schema()
            arrays = [
                pa.array(values, type=kind)
                for values, kind in zip(columns.values(), schema.types, strict=True)
            ]
            self._sealed[name].append(pa.Table.from_arrays(arrays, schema=schema))
            for values in columns.values():
                values.clear()

    def _refuse(self, table: str, row: Mapping[str, Any]) -> None:
        unknown = row.keys() - self._columns[table].keys()
        raise KeyError(f"table {table} has no column {', '.join(sorted(unknown))}")

    def flush(self) -> dict[str, pa.Table]:
        """Return the rows as Arrow tables and forget them."""
        done: dict[str, pa.Table] = {}
        for name, table in self.tables.items():
            self._seal(name)
            sealed, self._sealed[name] = self._sealed[name], []
            done[name] = pa.concat_tables(sealed) if sealed else table.schema().empty_table()
        return done


def _array(value: Any, kind: pa.DataType, count: int) -> pa.Array:
    """A column of an Arrow table: values, one value for all rows, or none."""
    if value is None:
        return pa.nulls(count, kind)
    if isinstance(value, _SEQUENCES):
        return pa.array(value, type=kind)
    return pa.repeat(pa.scalar(value, type=kind), count)


def write_part(
    folder: Path, first: int, tables: Mapping[str, pa.Table], last: int | None = None
) -> None:
    """Write rows of a night, or of several, each file atomically: whole or not at all.

    Parameters
    ----------
    folder : pathlib.Path
        A run's table folder.
    first : int
        The night, or the first of them.
    tables : mapping of str to pyarrow.Table
        By name.
    last : int, optional
        The last of them.
    """
    last = first if last is None else last
    for name, table in tables.items():
        part = folder / "parts" / name / f"nights-{first:05d}-{last:05d}.parquet"
        part.parent.mkdir(parents=True, exist_ok=True)
        temporary = part.with_suffix(".tmp")
        texts = _texts(table.schema)  # it is not kept: quick beats small
        pq.write_table(table, temporary, compression="lz4", use_dictionary=texts)
        os.replace(temporary, part)


def _parts(folder: Path, name: str, nights: int | None) -> list[Path]:
    """Parts of a table; those of nights that were not finished do not count."""
    parts = sorted((folder / "parts" / name).glob("nights-*.parquet"))
    return parts if nights is None else [p for p in parts if int(p.stem.split("-")[2]) < nights]


def table_names(folder: Path) -> list[str]:
    """Names of the tables in a run's table folder."""
    names = {path.stem for path in folder.glob("*.parquet")}
    names |= {path.name for path in _part_folders(folder)}
    return sorted(names)


def _part_folders(folder: Path) -> list[Path]:
    found = sorted((folder / "parts").glob("*"))
    return [path for path in found if path.is_dir() and path.suffix != MERGED]


def read_table(
    folder: Path,
    name: str,
    columns: Sequence[str] | None = None,
    nights: int | None = None,
    where: pc.Expression | None = None,
) -> pa.Table:
    """Read a table, from its file or from its parts if the run did not end.

    Parameters
    ----------
    folder : pathlib.Path
        A run's table folder.
    name : str
        The table.
    columns : sequence of str, optional
        Only these.
    nights : int, optional
        How many nights were finished; parts of others are left out.
    where : pyarrow.compute.Expression, optional
        Only rows for which it is true; others are skipped while reading.
    """
    parts = _parts(folder, name, nights)
    if parts:
        return pa.concat_tables([_read(part, columns, where) for part in parts])
    whole = folder / f"{name}.parquet"
    if whole.is_file():
        return _read(whole, columns, where)
    raise FileNotFoundError(name)


def _read(path: Path, columns: Sequence[str] | None, where: pc.Expression | None) -> pa.Table:
    names = None if columns is None else list(columns)
    return pq.read_table(path, columns=names, filters=where)


def merge_parts(folder: Path, nights: int | None = None) -> None:
    """Make one file of each table's parts, and remove the parts.

    It may break off anywhere and be called again: a table's parts are set aside, in one step, only
    when its file is whole.
    """
    for source in _part_folders(folder):
        parts = _parts(folder, source.name, nights)
        if parts:
            _merge(folder / f"{source.name}.parquet", parts)
        os.replace(source, source.with_suffix(MERGED))
    shutil.rmtree(folder / "parts", ignore_errors=True)


def _merge(whole: Path, parts: Sequence[Path]) -> None:
    temporary = whole.with_suffix(".tmp")
    schema = pq.read_schema(parts[0])
    with pq.ParquetWriter(
        temporary, schema, compression="zstd", use_dictionary=_texts(schema)
    ) as writer:
        held = writer.schema.empty_table()
        for part in parts:  # row groups are the same whatever the parts were
            held = pa.concat_tables([held, pq.read_table(part)])
            while held.num_rows >= GROUP_ROWS:
                writer.write_table(held[:GROUP_ROWS].combine_chunks())
                held = held[GROUP_ROWS:]
        if held.num_rows:
            writer.write_table(held.combine_chunks())
    os.replace(temporary, whole)


def _texts(schema: pa.Schema) -> list[str]:
    """Columns of text: dictionaries of numbers cost more time and room than they save."""
    return [field.name for field in schema if pa.types.is_string(field.type)]


def digest_table(table: pa.Table) -> str:
    """SHA-256 of a table's values, whatever its parts, chunks and compression.

    Parameters
    ----------
    table : pyarrow.Table
        Any table of integers, floats, booleans and text.

    Returns
    -------
    str
        Hexadecimal. Names, types, order of rows, nulls and every bit of the floats count.
    """
    digest = hashlib.sha256()
    for field in table.schema:
        column = table.column(field.name).combine_chunks()
        if isinstance(column, pa.ChunkedArray):
            column = (
                pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], field.type)
            )
        digest.update(f"{field.name}:{field.type}:{len(column)};".encode())
        valid = np.asarray(column.is_valid())
        digest.update(np.packbits(valid).tobytes())
        if pa.types.is_string(field.type):
            for text in column.to_pylist():
                raw = (text or "").encode()
                digest.update(len(raw).to_bytes(8, "little") + raw)
        else:
            filled = column.fill_null(False if pa.types.is_boolean(field.type) else 0)
            digest.update(filled.to_numpy(zero_copy_only=False).tobytes())
    return digest.hexdigest()
