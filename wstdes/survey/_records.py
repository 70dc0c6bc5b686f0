"""Rows of a catalogue that is ingested: checked, and packed as they are sorted."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from wstdes.survey._columns import Problems, check_ranges, identifiers, more, numbers, row
from wstdes.survey._tables import Column
from wstdes.survey.catalogue import LONGEST_S
from wstdes.survey.store import COLUMNS, STEP_RAD
from wstdes.survey.stored import part_of

__all__ = ["Sums", "make_records", "record_type"]

FloatArray = NDArray[np.float64]

_SAMPLE = 2000
"""Positions of each part that are kept to judge the whole by."""

_NAMES = {
    "magnitude": "magnitude",
    "pmra": "pm_ra",
    "pmdec": "pm_dec",
    "required": "required_s",
    "priority": "priority",
}
"""The store's name of a catalogue's column."""


@dataclass
class Sums:
    """What is learnt on the way.

    Parameters
    ----------
    rows, dropped : int
        Rows that are kept, and that are not.
    text_ids : bool
        Whether identifiers are words; None before the first is seen.
    problems : list of str
        What is wrong.
    low, high : dict of str to float
        Extremes by column; ``pm`` is the fastest proper motion.
    sample : list of ndarray, shape (2, n)
        Right ascensions and declinations [deg], where the file does not say their unit.
    """

    rows: int = 0
    dropped: int = 0
    text_ids: bool | None = None
    problems: list[str] = field(default_factory=list)
    low: dict[str, float] = field(default_factory=dict)
    high: dict[str, float] = field(default_factory=dict)
    sample: list[FloatArray] = field(default_factory=list)

    def extremes(self, records: NDArray[np.void]) -> None:
        """Take note of the least and greatest of each column."""
        for name in records.dtype.names or ():
            least, most = float(records[name].min()), float(records[name].max())
            self.low[name] = min(self.low.get(name, least), least)
            self.high[name] = max(self.high.get(name, most), most)
        if "pm_ra" in (records.dtype.names or ()):
            speed = float(np.hypot(records["pm_ra"], records["pm_dec"]).max())
            self.high["pm"] = max(self.high.get("pm", 0.0), speed)


def record_type(roles: Collection[str]) -> np.dtype[np.void]:
    """Type of a packed row: its number in the file, its part of a cell, its columns."""
    names = {"id", "ra", "dec"} | {_NAMES[role] for role in roles if role in _NAMES}
    if names & {"pm_ra", "pm_dec"}:
        names |= {"pm_ra", "pm_dec"}
    ordered = [(name, kind) for name, kind in COLUMNS.items() if name in names]
    return np.dtype([("row", "<i8"), ("part", "<i4"), *ordered])


def make_records(
    columns: dict[str, Column], dtype: np.dtype[np.void], sums: Sums, skip_bad: bool
) -> NDArray[np.void]:
    """Check a part of the table; what is wrong goes to `sums`, and so does what is left out."""
    rows = np.arange(len(columns["id"].values), dtype=np.int64) + columns["id"].first
    while True:
        problems = Problems(len(rows))
        values, ids, text = _check(columns, problems, sums.text_ids)
        if not problems:
            break
        if problems.whole or not skip_bad:
            sums.problems += problems
            return np.empty(0, dtype=dtype)
        sums.dropped += int(problems.rows.sum())
        good = ~problems.rows
        rows = rows[good]
        columns = {
            role: _take(role, column, good, sums.text_ids) for role, column in columns.items()
        }
    if not columns["ra"].unit:
        some = slice(None, None, max(1, len(rows) // _SAMPLE))
        sums.sample.append(np.stack((values["ra"][some], values["dec"][some])))
    sums.text_ids = text
    records = np.zeros(len(rows), dtype=dtype)
    records["row"], records["id"] = rows, rows if text else ids
    ra = np.rint(np.radians(values["ra"]) / STEP_RAD) % 2**32  # the last step is the first
    dec = np.rint(np.radians(values["dec"]) / STEP_RAD)
    records["ra"], records["dec"] = ra, dec
    records["part"] = part_of(ra * STEP_RAD, dec * STEP_RAD)
    for role, name in _NAMES.items():
        if role in values:
            records[name] = values[role]
    return records


def _check(
    columns: dict[str, Column], problems: Problems, text_ids: bool | None
) -> tuple[dict[str, FloatArray], NDArray[np.int64], bool]:
    """Values, identifiers, and whether these are words; what is wrong goes to `problems`."""
    ids, labels = identifiers(columns["id"], problems, unique=False)
    if labels is not None and text_ids is False:
        words = ~np.array([_is_whole(label) for label in labels], dtype=np.bool_)
        column = columns["id"]
        problems.append(
            f"{row(words, column.first)}, column '{column.name}': identifier "
            f"'{labels[np.argmax(words)]}' is no whole number, as those before it{more(words)}"
        )
        problems.rows |= words
    still = {"pmra": 0.0, "pmdec": 0.0}
    values = {
        role: numbers(role, column, problems, missing=still.get(role))
        for role, column in columns.items()
        if role != "id"
    }
    check_ranges(columns, values, problems, hours=False)
    if "required" in values:
        long = values["required"] > LONGEST_S
        if long.any():
            first = int(np.argmax(long))
            problems.append(
                f"row {first + columns['required'].first}, column '{columns['required'].name}': "
                f"{values['required'][first]:g} s is longer than {LONGEST_S:g} s (18 h)"
            )
            problems.rows |= long
    return values, ids, labels is not None


def _take(role: str, column: Column, good: NDArray[np.bool_], text_ids: bool | None) -> Column:
    """Rows of a column; words that are numbers, now that the others have gone, as numbers."""
    values, missing = column.values[good], column.missing[good]
    if role != "id" and values.dtype.kind == "U":
        values = np.where(missing, "nan", values).astype(np.float64)
    if role == "id" and values.dtype.kind == "U" and text_ids is False:
        values = values.astype(np.int64)
    return replace(column, values=values, missing=missing)


def _is_whole(text: str) -> bool:
    try:
        return abs(int(text)) < 2**63
    except ValueError:
        return False
