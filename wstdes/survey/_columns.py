"""Columns of a user's table: which is which, in which unit, and what is wrong with them.

Every function that checks appends what it finds to ``problems``, so that a user hears of all of
it at once.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wstdes.errors import CatalogueError, did_you_mean
from wstdes.survey._tables import Column

__all__ = [
    "Problems",
    "check_ranges",
    "choose",
    "hours_problem",
    "identifiers",
    "more",
    "numbers",
    "refusal",
    "row",
]

FloatArray = NDArray[np.float64]

_DEFAULT_UNIT = {"ra": "deg", "dec": "deg", "pmra": "mas/yr", "pmdec": "mas/yr", "required": "s"}
_INNER_UNIT = {"ra": "deg", "dec": "deg", "pmra": "rad/yr", "pmdec": "rad/yr", "required": "s"}
_SEXAGESIMAL = re.compile(r"^\s*[+-]?\d{1,3}\s*[:hd°\s]\s*\d{1,2}\s*([:m'\s]|$)")
_WITH_UNIT = re.compile(r"^(?P<name>.*?)\s*\[(?P<unit>[^\]]*)\]$")


class Problems(list[str]):
    """What is wrong with a part of a table: in words, and in which rows.

    Parameters
    ----------
    size : int
        Rows of the part.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self.rows: NDArray[np.bool_] = np.zeros(size, dtype=np.bool_)
        self.whole = False
        """Whether something is wrong that leaving out rows cannot mend."""


def _say(problems: list[str], text: str, bad: NDArray[np.bool_] | None = None) -> None:
    """Note a problem of some rows, or of a column as a whole."""
    problems.append(text)
    if isinstance(problems, Problems):
        if bad is None:
            problems.whole = True
        else:
            problems.rows |= bad


def refusal(path: str | Path, problems: list[str]) -> CatalogueError:
    if len(problems) == 1:
        return CatalogueError(f"{path}: {problems[0]}")
    lines = "".join(f"\n  - {problem}" for problem in problems)
    return CatalogueError(f"{path}: {len(problems)} problems:{lines}")


def choose(
    found: dict[str, Column],
    mapping: Mapping[str, str],
    problems: list[str],
    aliases: Mapping[str, tuple[str, ...]],
    needed: Collection[str],
) -> dict[str, Column]:
    """Say which column plays which part: the mapping first, then the aliases."""
    chosen: dict[str, Column] = {}
    for role, wanted in mapping.items():
        if role not in aliases:
            hint = did_you_mean(role, aliases)
            problems.append(f"columns: '{role}' is not a part that a column can play; {hint}")
            continue
        bracket = None if wanted in found else _WITH_UNIT.match(wanted)
        name = bracket["name"] if bracket else wanted
        if name not in found:
            problems.append(f"columns: {role}: no column '{name}'; {did_you_mean(name, found)}")
            continue
        column = found[name]
        if bracket:
            column = replace(column, unit=bracket["unit"].strip())
        chosen[role] = column
    folded = {name.lower(): column for name, column in reversed(found.items())}
    for role, names in aliases.items():
        if role in mapping:
            continue
        column_or_none = next((folded[name] for name in names if name in folded), None)
        if column_or_none is not None:
            chosen[role] = column_or_none
        elif role in needed:
            hint = did_you_mean(role, found) or "it has: " + ", ".join(list(found)[:20])
            problems.append(f"no column for '{role}' (known names: {', '.join(names)}); {hint}")
    return chosen


def identifiers(
    column: Column, problems: list[str], *, unique: bool = True
) -> tuple[NDArray[np.int64], NDArray[np.str_] | None]:
    """Return the identifiers: whole numbers as they are, text as row numbers with labels."""
    values, size = column.values, len(column.values)
    rows = np.arange(column.first, column.first + size, dtype=np.int64)
    where = f"column '{column.name}'"
    if values.ndim != 1 or values.dtype.kind not in "iufU":
        _say(problems, f"{where}: identifiers are {values.dtype}, not whole numbers or text")
        return rows, None
    blank = column.missing.copy()
    if values.dtype.kind == "U":
        values = np.char.strip(values)
        blank |= values == ""
    if blank.any():
        text = f"{row(blank, column.first)}, {where}: no identifier{more(blank)}"
        _say(problems, text, blank)
        return rows, None
    if values.dtype.kind != "U":
        limit = 2.0**53 if values.dtype.kind == "f" else np.iinfo(np.int64).max
        unfit = (np.abs(values) > limit) if values.dtype.kind != "i" else np.zeros(size, dtype=bool)
        if values.dtype.kind == "f":
            unfit |= values != np.floor(values)
        if unfit.any():
            _say(
                problems,
                f"{row(unfit, column.first)}, {where}: identifier {values[unfit][0]} is not a "
                f"64-bit whole number{more(unfit)}; store identifiers as 64-bit integers or as "
                "text",
                unfit,
            )
            return rows, None
        values = values.astype(np.int64)
    if unique:
        _check_unique(values, where, problems)
    return (rows, values) if values.dtype.kind == "U" else (values, None)


def _check_unique(values: NDArray[Any], where: str, problems: list[str]) -> None:
    _, first, inverse = np.unique(values, return_index=True, return_inverse=True)
    repeat = first[inverse] != np.arange(len(values))
    if repeat.any():
        again = int(np.argmax(repeat))
        before = int(first[inverse[again]])
        problems.append(
            f"rows {before + 1} and {again + 1}, {where}: the same identifier "
            f"'{values[again]}' twice{more(repeat)}"
        )


def numbers(
    role: str, column: Column, problems: list[str], *, missing: float | None = None
) -> FloatArray:
    """Return a column as numbers in the inner unit; NaN where they are not to be had.

    Empty cells are a problem, unless `missing` says what stands for them.
    """
    where, values = f"column '{column.name}'", column.values
    nothing = np.full(len(values), np.nan)
    if values.ndim != 1 or values.dtype.kind not in "iuf":
        _say(problems, *_not_numeric(role, column))
        return nothing
    numbers = np.where(column.missing, np.nan, values.astype(np.float64))
    if role in _INNER_UNIT:
        from astropy import units

        try:
            unit = units.Unit(column.unit or _DEFAULT_UNIT[role])
            factor = unit.to(_INNER_UNIT[role])
        except (ValueError, TypeError, units.UnitsError):
            _say(
                problems,
                f"{where}: unit '{column.unit}' cannot be turned into {_INNER_UNIT[role]}"
                f"; did you mean '{_DEFAULT_UNIT[role]}'?",
            )
            return nothing
        numbers = numbers * factor
    bad = ~np.isfinite(numbers)
    if missing is not None:
        return np.where(bad, missing, numbers)
    if bad.any():
        what = "no value" if column.missing[np.argmax(bad)] else f"value {numbers[bad][0]}"
        where = f"{row(bad, column.first)}, {where}"
        _say(problems, f"{where}: {what}{more(bad)}; drop these rows or fill them", bad)
    return numbers


def _not_numeric(role: str, column: Column) -> tuple[str, NDArray[np.bool_] | None]:
    """What is wrong with a column that holds no numbers, and in which rows if not in all."""
    where, values = f"column '{column.name}'", column.values
    if values.ndim != 1:
        return f"{where}: {values.ndim - 1} extra dimensions; needs one number a row", None
    if values.dtype.kind != "U":
        return f"{where}: holds {values.dtype}, not numbers", None
    bad = ~column.missing & np.array([not _is_number(text) for text in values], dtype=np.bool_)
    if not bad.any():
        return f"{where}: numbers stored as text; store them as numbers", None
    text, place = values[np.argmax(bad)], f"{row(bad, column.first)}, {where}"
    if role in ("ra", "dec") and _SEXAGESIMAL.match(text):
        return (
            f"{place}: '{text}' is sexagesimal text; store degrees, for example with "
            "astropy.coordinates.SkyCoord(ra, dec, unit=('hourangle', 'deg'))"
        ), bad
    return f"{place}: '{text}' is not a number{more(bad)}", bad


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return not text.strip()
    return True


def check_ranges(
    chosen: dict[str, Column],
    numbers: dict[str, FloatArray],
    problems: list[str],
    *,
    hours: bool = True,
) -> None:
    """Refuse values that no target can have; `hours` says whether to look at the whole, too."""

    def refuse(role: str, bad: NDArray[np.bool_], text: str) -> bool:
        if bad.any():
            column = chosen[role]
            where = f"{row(bad, column.first)}, column '{column.name}'"
            _say(problems, f"{where}: {column.values[np.argmax(bad)]} {text}{more(bad)}", bad)
        return bool(bad.any())

    ra, dec = numbers["ra"], numbers["dec"]
    lowest = float(np.fmin.reduce(ra, initial=0.0))
    hint = "; add 360 to what is negative" if -180.0 <= lowest < 0.0 else ""
    bad_ra = refuse("ra", (ra < 0.0) | (ra >= 360.0), "is not in [0, 360) deg" + hint)
    swapped = float(np.fmax.reduce(np.abs(ra), initial=0.0)) <= 90.0
    hint = "; are right ascension and declination exchanged?" if swapped else ""
    bad_dec = refuse("dec", np.abs(dec) > 90.0, "is not in [-90, 90] deg" + hint)
    if "required" in numbers:
        refuse("required", numbers["required"] <= 0.0, "is not a positive exposure time")
    if hours and not (bad_ra or bad_dec):
        problems += hours_problem(chosen["ra"], ra, dec)


def hours_problem(column: Column, ra: FloatArray, dec: FloatArray) -> list[str]:
    """Say so if right ascensions [deg] of a column without a unit look like hours."""
    if column.unit or not _looks_like_hours(ra, dec):
        return []
    return [
        f"column '{column.name}': no unit, and all values in "
        f"[{np.nanmin(ra):.4g}, {np.nanmax(ra):.4g}]: these look like hours, not degrees; "
        "multiply by 15, or say which in the file or by "
        f"columns={{'ra': '{column.name} [hourangle]'}} (or [deg])"
    ]


def _looks_like_hours(ra: FloatArray, dec: FloatArray) -> bool:
    """Say whether right ascensions without a unit are hours rather than degrees.

    At least 20 rows, all below 24, and either (a) they fill the 24 hours evenly, end to end, over
    60 degrees of declination: in degrees, a meridian strip that ends just at 24; or (b) in degrees
    the field is 7.5 to 30 times as high as wide, which in hours is between half and twice.
    """
    ra, dec = ra[np.isfinite(ra + dec)], dec[np.isfinite(ra + dec)]
    if len(ra) < 20 or ra.max() >= 24.0 or ra.min() < 0.0:
        return False
    south, north = np.percentile(dec, (2.0, 98.0))
    west, east = np.percentile(ra, (2.0, 98.0))
    if west < 2.0 and east > 22.0 and north - south >= 60.0:
        return True
    width_deg = (east - west) * math.cos(math.radians(0.5 * (south + north)))
    height_deg = north - south
    return bool(height_deg > 0.0 and 0.5 <= 15.0 * width_deg / height_deg <= 2.0)


def row(bad: NDArray[np.bool_], first: int = 1) -> str:
    return f"row {int(np.argmax(bad)) + first}"


def more(bad: NDArray[np.bool_]) -> str:
    count = int(bad.sum())
    return f" ({count} such rows)" if count > 1 else ""
