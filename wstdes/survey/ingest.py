"""A user's catalogue of any size into a store, in one pass over it and little memory.

Rows are checked as they come and go to files by coarse cell; each file is then sorted by fine
cell and written to the columns, in the order of the cells. A file that is too large for memory
is first divided into those of the cells one level finer.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wstdes.errors import CatalogueError
from wstdes.survey._chunks import PartedTable, open_table
from wstdes.survey._columns import choose, hours_problem, refusal
from wstdes.survey._records import Sums, make_records, record_type
from wstdes.survey._tables import Column
from wstdes.survey.catalogue import COLUMN_ALIASES, NEEDED
from wstdes.survey.store import BROKEN_OFF, COLUMNS, Manifest, begin_column, open_store, write_start
from wstdes.survey.stored import PART_COUNT

__all__ = ["ingest"]

Report = Callable[[str, int, int | None], None]

_FILE_BITS = 12
"""Parts of a cell have 20 bits; rows are filed by the first eight of them: 192 files."""

_IDS = 256
"""Files that identifiers are divided among."""

_SORTED_ROWS = 2_000_000
"""Rows sorted at once."""

_MOST_PROBLEMS = 20


def ingest(
    path: str | Path,
    folder: str | Path,
    *,
    columns: Mapping[str, str] | None = None,
    epoch_yr: float = 2016.0,
    skip_bad: bool = False,
    overwrite: bool = False,
    report: Report | None = None,
) -> Manifest:
    """Turn a catalogue into a store that a scenario can name instead of the file.

    Parameters
    ----------
    path : str or Path
        As for :func:`read_catalogue`. Parquet, CSV and FITS are read in parts; ECSV, VOTable and
        compressed FITS as a whole, up to 0.4 GB.
    folder : str or Path
        Made; appears only when all of it is there.
    columns : mapping, optional
        As for :func:`read_catalogue`.
    epoch_yr : float
        Julian year of the positions.
    skip_bad : bool
        Leave out rows that cannot be right, rather than refuse the file. Of rows with the same
        identifier the first is kept.
    overwrite : bool
        Replace a store that is there.
    report : callable, optional
        Told what is being done, how many rows of it are done, and of how many (or None).

    Returns
    -------
    Manifest

    Raises
    ------
    CatalogueError
        If the file cannot be right: up to twenty problems, by row (from 1), column and value. If
        the folder is there, or a disk is full. Nothing is left behind then.
    """
    path, folder = Path(path), Path(folder)
    table = open_table(path)
    problems: list[str] = []
    chosen = choose(table.columns, columns or {}, problems, COLUMN_ALIASES, NEEDED)
    if problems:
        raise refusal(path, problems)
    tell = report or (lambda what, done, of: None)
    with _workplace(folder, overwrite) as work:
        return _ingest(table, chosen, work, epoch_yr, skip_bad, tell)


def _ingest(
    table: PartedTable,
    chosen: dict[str, Column],
    work: Path,
    epoch_yr: float,
    skip_bad: bool,
    tell: Report,
) -> Manifest:
    sums = Sums()
    dtype = record_type(chosen)
    _file_rows(table, chosen, dtype, work, sums, skip_bad, tell)
    again = _repeated(work, chosen["id"].name, sums, skip_bad, tell)
    if not sums.problems and not sums.rows:
        sums.problems.append("no rows")
    if not sums.problems and sums.sample:
        sums.problems += hours_problem(chosen["ra"], *np.concatenate(sums.sample, axis=1))
    if sums.problems:
        raise refusal(table.path, sums.problems)
    rows = sums.rows - len(again)
    _sort(work, dtype, rows, again, tell)
    manifest = Manifest(
        source=table.path.name,
        source_bytes=table.path.stat().st_size,
        source_sha256=_sha256(table.path),
        rows=rows,
        dropped=sums.dropped + len(again),
        columns=tuple(name for name in COLUMNS if name in (dtype.names or ())),
        epoch_yr=epoch_yr,
        text_ids=bool(sums.text_ids),
        magnitude_min=sums.low["magnitude"],
        magnitude_max=sums.high["magnitude"],
        required_max_s=sums.high.get("required_s", 0.0),
        pm_max_rad_per_yr=sums.high.get("pm", 0.0),
        priority_max=sums.high.get("priority", 0.0),
    )
    manifest.write(work)
    return manifest


@contextmanager
def _workplace(folder: Path, overwrite: bool) -> Iterator[Path]:
    """A folder beside the wanted one, that takes its name at the end."""
    work = Path(f"{folder}{BROKEN_OFF}")
    if folder.exists():
        if not overwrite:
            raise CatalogueError(f"{folder}: is there already; --overwrite replaces it")
        open_store(folder)  # nothing else is ever replaced
    try:
        if work.exists():
            _claim(work).close()  # that of an ingest which was broken off
            shutil.rmtree(work)
        work.mkdir(parents=True)
    except OSError as error:
        raise CatalogueError(f"{work}: cannot be made: {error.strerror}") from error
    with _claim(work):
        try:
            yield work
            (work / _LOCK).unlink()
            if folder.exists():
                shutil.rmtree(folder)
            work.rename(folder)
        except BaseException as error:
            shutil.rmtree(work, ignore_errors=True)
            if isinstance(error, OSError):
                raise CatalogueError(f"{work}: cannot be written: {error.strerror}") from error
            raise


_LOCK = "lock"


def _claim(work: Path) -> ExitStack:
    """Hold a folder for as long as this process lives, or refuse as another one does."""
    stack = ExitStack()
    file = stack.enter_context((work / _LOCK).open("w"))
    try:
        import fcntl
    except ImportError:  # Windows, where nothing holds it
        return stack
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        stack.close()
        raise CatalogueError(f"{work}: another ingest is writing here") from None
    return stack


def _file_rows(
    table: PartedTable,
    chosen: dict[str, Column],
    dtype: np.dtype[np.void],
    work: Path,
    sums: Sums,
    skip_bad: bool,
    tell: Report,
) -> None:
    """Check all rows, and put them into files by coarse cell; identifiers into others."""
    (work / "rows").mkdir()
    (work / "ids").mkdir()
    files: dict[Path, int] = {}
    names = [column.name for column in chosen.values()]
    done = 0
    with ExitStack() as stack:

        def append(name: Path, values: NDArray[np.void]) -> None:
            if name not in files:
                files[name] = os.open(name, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o666)
                stack.callback(os.close, files[name])
            _write_all(files[name], values)

        for part in table.parts(names, chosen["id"].name):
            columns = {role: replace(part[c.name], unit=c.unit) for role, c in chosen.items()}
            size = len(columns["id"].values)
            records = make_records(columns, dtype, sums, skip_bad)
            done += size
            tell("reading", done, table.rows)
            if sums.problems:
                if len(sums.problems) >= _MOST_PROBLEMS:
                    del sums.problems[_MOST_PROBLEMS:]
                    sums.problems.append(f"and perhaps more after row {done}: no further was read")
                    return
                continue
            if not len(records):
                continue
            sums.rows += len(records)
            sums.extremes(records)
            for number, some in _divide(records, records["part"] >> _FILE_BITS):
                append(work / "rows" / f"{number}", some)
            if not sums.text_ids:
                pairs = records[["id", "row"]].astype([("id", "<i8"), ("row", "<i8")])
                mixed = records["id"].astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
                for number, some in _divide(pairs, (mixed >> np.uint64(56)).astype(np.int64)):
                    append(work / "ids" / f"{number}", some)


def _write_all(file: int, values: NDArray[np.void]) -> None:
    data = values.tobytes()
    written = os.write(file, data)
    while written < len(data):
        written += os.write(file, data[written:])


def _divide(
    records: NDArray[np.void], number: NDArray[np.int64]
) -> Iterator[tuple[int, NDArray[np.void]]]:
    """Records by number, in their order."""
    order = np.argsort(number.astype(np.uint8), kind="stable")
    records, number = records[order], number[order]
    begin = np.flatnonzero(np.diff(number, prepend=-1))
    for first, last in zip(begin, [*begin[1:], len(number)], strict=True):
        yield int(number[first]), records[first:last]


def _repeated(work: Path, name: str, sums: Sums, skip_bad: bool, tell: Report) -> NDArray[np.int64]:
    """Rows whose identifier an earlier one has; a problem, unless bad rows are left out."""
    found = [np.zeros(0, dtype=np.int64)]
    done = 0
    for path in sorted((work / "ids").iterdir()):
        pairs = np.fromfile(path, dtype=[("id", "<i8"), ("row", "<i8")])
        path.unlink()
        done += len(pairs)
        tell("comparing identifiers", done, sums.rows)
        if sums.problems:
            continue
        pairs = pairs[np.argsort(pairs["id"], kind="stable")]
        same = np.flatnonzero(pairs["id"][1:] == pairs["id"][:-1])
        found.append(pairs["row"][same + 1])
        if len(same) and not skip_bad:
            one, two = pairs[same[0]], pairs[same[0] + 1]
            sums.problems.append(
                f"rows {one['row']} and {two['row']}, column '{name}': "
                f"the same identifier '{one['id']}' twice"
            )
    return np.sort(np.concatenate(found))


def _sort(
    work: Path, dtype: np.dtype[np.void], rows: int, again: NDArray[np.int64], tell: Report
) -> None:
    """Write the columns in the order of the cells."""
    counts = np.zeros(PART_COUNT, dtype=np.int64)
    names = [name for name in dtype.names or () if name in COLUMNS]
    done = 0
    with ExitStack() as stack:
        files = {name: stack.enter_context(begin_column(work, name, rows)) for name in names}
        for path in sorted((work / "rows").iterdir(), key=lambda p: int(p.name)):
            for records in _in_order(path, dtype, _FILE_BITS):
                records = records[~np.isin(records["row"], again)] if len(again) else records
                np.add.at(counts, records["part"], 1)
                for name in names:
                    np.ascontiguousarray(records[name]).tofile(files[name])
                done += len(records)
                tell("sorting", done, rows)
        for file in files.values():
            file.flush()
            os.fsync(file.fileno())
    write_start(work, counts)
    shutil.rmtree(work / "rows")
    shutil.rmtree(work / "ids")


def _in_order(path: Path, dtype: np.dtype[np.void], bits: int) -> Iterator[NDArray[np.void]]:
    """Records of a file sorted by part, divided first if they are too many; the file is removed."""
    size = path.stat().st_size // dtype.itemsize
    if size <= _SORTED_ROWS or bits == 0:
        records = np.fromfile(path, dtype=dtype)
        path.unlink()
        yield records[np.argsort(records["part"], kind="stable")]
        return
    bits -= 4
    names = [path.with_name(f"{path.name}.{number}") for number in range(16)]
    with path.open("rb") as file, ExitStack() as stack:
        files = [stack.enter_context(name.open("wb")) for name in names]
        for _ in range(0, size, _SORTED_ROWS):
            records = np.fromfile(file, dtype=dtype, count=_SORTED_ROWS)
            for number, some in _divide(records, (records["part"] >> bits) & 15):
                some.tofile(files[number])
    path.unlink()
    for name in names:
        yield from _in_order(name, dtype, bits)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
