"""A user's own catalogue: read, checked in full, and served by cells."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wstdes.errors import CatalogueError, did_you_mean
from wstdes.survey._tables import Column, read_columns
from wstdes.survey.footprint import Footprint
from wstdes.survey.targets import ExposureLaw, StoredSource, Targets, required_times

__all__ = ["COLUMN_ALIASES", "CatalogueSource", "CatalogueTable", "read_catalogue"]

FloatArray = NDArray[np.float64]

COLUMN_ALIASES: dict[str, tuple[str, ...]] = {
    "id": ("id", "source_id", "target_id", "targetid", "objid", "object_id", "obj_id", "name"),
    "ra": ("ra", "raj2000", "ra_icrs", "ra_deg", "radeg", "alpha_j2000", "target_ra", "ra_mean"),
    "dec": ("dec", "dej2000", "decj2000", "de_icrs", "dec_deg", "dedeg", "delta_j2000", "decl"),
    "magnitude": ("magnitude", "mag", "phot_g_mean_mag", "gmag", "imag", "rmag", "mag_i", "mag_r"),
    "pmra": ("pmra", "pm_ra", "pm_ra_cosdec", "pmra_cosdec"),
    "pmdec": ("pmdec", "pm_dec", "pmde"),
    "priority": ("priority", "weight"),
    "required": ("required", "required_s", "exposure", "exposure_s", "exptime", "texp"),
}
"""Names understood for each column, in any case; the first of them that a file has is taken."""

_NEEDED = ("id", "ra", "dec", "magnitude")
_DEFAULT_UNIT = {"ra": "deg", "dec": "deg", "pmra": "mas/yr", "pmdec": "mas/yr", "required": "s"}
_INNER_UNIT = {"ra": "deg", "dec": "deg", "pmra": "rad/yr", "pmdec": "rad/yr", "required": "s"}
_SEXAGESIMAL = re.compile(r"^\s*[+-]?\d{1,3}\s*[:hd°\s]\s*\d{1,2}\s*([:m'\s]|$)")
_WITH_UNIT = re.compile(r"^(?P<name>.*?)\s*\[(?P<unit>[^\]]*)\]$")


LONGEST_S = 65000.0
"""Longest exposure time of a target [s]: what two bytes of progress hold."""


@dataclass(frozen=True, eq=False)
class CatalogueTable:
    """A catalogue that passed every check, in the order of its file.

    Attributes
    ----------
    path : str
        The file.
    id : int64[n]
        Identifiers; for a catalogue with text for identifiers, the data row (from 1).
    labels : str array [n] or None
        Identifiers that are text.
    ra_rad, dec_rad : float64[n]
        Position [rad].
    magnitude : float32[n]
        As in the file.
    pm_ra_rad_per_yr, pm_dec_rad_per_yr : float32[n]
        Proper motion [rad/yr], zero where the file has none; the first is mu_alpha*.
    priority : float32[n] or None
        As in the file; None if it has none.
    required_s : float32[n] or None
        Exposure time [s]; None if the file has none.
    """

    path: str
    id: NDArray[np.int64]
    labels: NDArray[np.str_] | None
    ra_rad: FloatArray
    dec_rad: FloatArray
    magnitude: NDArray[np.float32]
    pm_ra_rad_per_yr: NDArray[np.float32]
    pm_dec_rad_per_yr: NDArray[np.float32]
    priority: NDArray[np.float32] | None
    required_s: NDArray[np.float32] | None

    def __len__(self) -> int:
        return len(self.id)


class CatalogueSource(StoredSource):
    """A checked catalogue as a source of targets.

    ``rows(pixel)`` gives the rows of the table behind a cell, for its priorities and labels.

    Parameters
    ----------
    table : CatalogueTable
        From :func:`read_catalogue`.
    name : str, optional
        What the user calls this source; the file's name by default.
    required_s : float or callable, optional
        Exposure time [s], or a function of magnitude, for a catalogue without such a column.
    footprint : Footprint, optional
        Only targets inside it are given; all sky by default.
    epoch_yr : float
        Julian year of the positions.
    credit : str, optional
        Who made the catalogue.

    Raises
    ------
    CatalogueError
        If exposure times are neither in the catalogue nor given.
    """

    is_mock = False

    def __init__(
        self,
        table: CatalogueTable,
        *,
        name: str | None = None,
        required_s: ExposureLaw | None = None,
        footprint: Footprint | None = None,
        epoch_yr: float = 2016.0,
        credit: str | None = None,
    ) -> None:
        self.table = table
        self.name = Path(table.path).stem if name is None else name
        self.credit = f"User catalogue {Path(table.path).name}" if credit is None else credit
        self.epoch_yr = epoch_yr
        self.footprint = Footprint() if footprint is None else footprint
        times = table.required_s
        if times is None:
            if required_s is None:
                raise CatalogueError(
                    f"{table.path}: no exposure times: give the catalogue a column 'required' "
                    "(seconds, or with a unit), or give required_s"
                )
            times = required_times(required_s, table.magnitude.astype(np.float64))
        targets = Targets(
            table.id,
            table.ra_rad,
            table.dec_rad,
            table.magnitude,
            times,
            table.pm_ra_rad_per_yr,
            table.pm_dec_rad_per_yr,
        )
        if not np.all(targets.required_s <= LONGEST_S):
            raise CatalogueError(
                f"{table.path}: an exposure time is longer than {LONGEST_S:g} s (18 h)"
            )
        inside = np.flatnonzero(self.footprint.contains(table.ra_rad, table.dec_rad))
        super().__init__(targets.take(inside))
        self.order = inside[self.order].astype(np.int64)
        self.order.flags.writeable = False
        highest = 0.0 if table.priority is None else float(table.priority.max(initial=0.0))
        self._rank = None if not highest else np.asarray(table.priority) / highest

    def rank(self, pixel: int) -> NDArray[np.float64] | None:
        """Rank of each target of a cell within the survey, 0 to 1; None: all alike."""
        if self._rank is None:
            return None
        return np.asarray(self._rank[self.rows(pixel)], dtype=np.float64)


def read_catalogue(path: str | Path, *, columns: Mapping[str, str] | None = None) -> CatalogueTable:
    """Read a catalogue and refuse it, with reasons, if it cannot be right.

    Parameters
    ----------
    path : str or Path
        A FITS (.fits, .fit), ECSV (.ecsv), VOTable (.vot, .votable, .xml), Parquet (.parquet) or
        CSV (.csv) file.
    columns : mapping, optional
        Which column is what, for names not in :data:`COLUMN_ALIASES`: ``{"ra": "alpha"}``. A unit
        in brackets overrides the file's: ``{"ra": "alpha [hourangle]"}``.

    Returns
    -------
    CatalogueTable
        Units of the file are honoured; without one, angles are degrees, proper motions mas/yr
        and times seconds.

    Raises
    ------
    CatalogueError
        Everything that is wrong with the file, at once, by data row (from 1), column and value.
    """
    path = Path(path)
    found = read_columns(path)
    problems: list[str] = []
    chosen = _choose(found, dict(columns or {}), problems)
    if not problems and len(chosen["id"].values) == 0:
        problems.append("no rows")
    if problems:
        raise _refusal(path, problems)
    identifiers, labels = _identifiers(chosen["id"], problems)
    numbers = {role: _numbers(role, chosen[role], problems) for role in chosen if role != "id"}
    _check_ranges(chosen, numbers, problems)
    if problems:
        raise _refusal(path, problems)
    return _table(path, identifiers, labels, numbers)


def _table(
    path: Path,
    identifiers: NDArray[np.int64],
    labels: NDArray[np.str_] | None,
    numbers: dict[str, FloatArray],
) -> CatalogueTable:
    def single(role: str) -> NDArray[np.float32] | None:
        return numbers[role].astype(np.float32) if role in numbers else None

    still = np.zeros(len(identifiers), dtype=np.float32)
    pm_ra, pm_dec = single("pmra"), single("pmdec")
    return CatalogueTable(
        path=str(path),
        id=identifiers,
        labels=labels,
        ra_rad=np.radians(numbers["ra"]),
        dec_rad=np.radians(numbers["dec"]),
        magnitude=numbers["magnitude"].astype(np.float32),
        pm_ra_rad_per_yr=still if pm_ra is None else pm_ra,
        pm_dec_rad_per_yr=still if pm_dec is None else pm_dec,
        priority=single("priority"),
        required_s=single("required"),
    )


def _refusal(path: Path, problems: list[str]) -> CatalogueError:
    if len(problems) == 1:
        return CatalogueError(f"{path}: {problems[0]}")
    lines = "".join(f"\n  - {problem}" for problem in problems)
    return CatalogueError(f"{path}: {len(problems)} problems:{lines}")


def _choose(
    found: dict[str, Column], mapping: dict[str, str], problems: list[str]
) -> dict[str, Column]:
    """Say which column plays which part: the mapping first, then the aliases."""
    chosen: dict[str, Column] = {}
    for role, wanted in mapping.items():
        if role not in COLUMN_ALIASES:
            hint = did_you_mean(role, COLUMN_ALIASES)
            problems.append(f"columns: '{role}' is not a part that a column can play; {hint}")
            continue
        bracket = None if wanted in found else _WITH_UNIT.match(wanted)
        name = bracket["name"] if bracket else wanted
        if name not in found:
            problems.append(f"columns: {role}: no column '{name}'; {did_you_mean(name, found)}")
            continue
        column = found[name]
        if bracket:
            column = Column(name, column.values, column.missing, bracket["unit"].strip())
        chosen[role] = column
    folded = {name.lower(): column for name, column in reversed(found.items())}
    for role, aliases in COLUMN_ALIASES.items():
        if role in mapping:
            continue
        column_or_none = next((folded[alias] for alias in aliases if alias in folded), None)
        if column_or_none is not None:
            chosen[role] = column_or_none
        elif role in _NEEDED:
            hint = did_you_mean(role, found) or "it has: " + ", ".join(list(found)[:20])
            problems.append(f"no column for '{role}' (known names: {', '.join(aliases)}); {hint}")
    return chosen


def _identifiers(
    column: Column, problems: list[str]
) -> tuple[NDArray[np.int64], NDArray[np.str_] | None]:
    """Return the identifiers: whole numbers as they are, text as row numbers with labels."""
    values, size = column.values, len(column.values)
    rows = np.arange(1, size + 1, dtype=np.int64)
    where = f"column '{column.name}'"
    if values.ndim != 1 or values.dtype.kind not in "iufU":
        problems.append(f"{where}: identifiers are {values.dtype}, not whole numbers or text")
        return rows, None
    blank = column.missing.copy()
    if values.dtype.kind == "U":
        values = np.char.strip(values)
        blank |= values == ""
    if blank.any():
        problems.append(f"{_row(blank)}, {where}: no identifier{_more(blank)}")
        return rows, None
    if values.dtype.kind != "U":
        limit = 2.0**53 if values.dtype.kind == "f" else np.iinfo(np.int64).max
        unfit = (np.abs(values) > limit) if values.dtype.kind != "i" else np.zeros(size, dtype=bool)
        if values.dtype.kind == "f":
            unfit |= values != np.floor(values)
        if unfit.any():
            problems.append(
                f"{_row(unfit)}, {where}: identifier {values[unfit][0]} is not a 64-bit whole "
                f"number{_more(unfit)}; store identifiers as 64-bit integers or as text"
            )
            return rows, None
        values = values.astype(np.int64)
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
            f"'{values[again]}' twice{_more(repeat)}"
        )


def _numbers(role: str, column: Column, problems: list[str]) -> FloatArray:
    """Return a column as numbers in the inner unit; NaN where they are not to be had."""
    where, values = f"column '{column.name}'", column.values
    nothing = np.full(len(values), np.nan)
    if values.ndim != 1 or values.dtype.kind not in "iuf":
        problems.append(_not_numeric(role, column))
        return nothing
    numbers = np.where(column.missing, np.nan, values.astype(np.float64))
    if role in _INNER_UNIT:
        from astropy import units

        try:
            unit = units.Unit(column.unit or _DEFAULT_UNIT[role])
            factor = unit.to(_INNER_UNIT[role])
        except (ValueError, TypeError, units.UnitsError):
            problems.append(
                f"{where}: unit '{column.unit}' cannot be turned into {_INNER_UNIT[role]}"
                + (f"; did you mean '{_DEFAULT_UNIT[role]}'?")
            )
            return nothing
        numbers = numbers * factor
    bad = ~np.isfinite(numbers)
    if role in ("pmra", "pmdec"):
        return np.where(bad, 0.0, numbers)
    if bad.any():
        what = "no value" if column.missing[np.argmax(bad)] else f"value {numbers[bad][0]}"
        problems.append(f"{_row(bad)}, {where}: {what}{_more(bad)}; drop these rows or fill them")
    return numbers


def _not_numeric(role: str, column: Column) -> str:
    where, values = f"column '{column.name}'", column.values
    if values.ndim != 1:
        return f"{where}: {values.ndim - 1} extra dimensions; needs one number a row"
    if values.dtype.kind != "U":
        return f"{where}: holds {values.dtype}, not numbers"
    for row, text in enumerate(values, start=1):
        if role in ("ra", "dec") and _SEXAGESIMAL.match(text):
            return (
                f"row {row}, {where}: '{text}' is sexagesimal text; store degrees, for example "
                "with astropy.coordinates.SkyCoord(ra, dec, unit=('hourangle', 'deg'))"
            )
        try:
            float(text)
        except ValueError:
            if text.strip():
                return f"row {row}, {where}: '{text}' is not a number"
    return f"{where}: numbers stored as text; store them as numbers"


def _check_ranges(
    chosen: dict[str, Column], numbers: dict[str, FloatArray], problems: list[str]
) -> None:
    def refuse(role: str, bad: NDArray[np.bool_], text: str) -> bool:
        if bad.any():
            value = chosen[role].values[np.argmax(bad)]
            problems.append(
                f"{_row(bad)}, column '{chosen[role].name}': {value} {text}{_more(bad)}"
            )
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
    if not (bad_ra or bad_dec) and not chosen["ra"].unit and _looks_like_hours(ra, dec):
        problems.append(
            f"column '{chosen['ra'].name}': no unit, and all values in "
            f"[{np.nanmin(ra):.4g}, {np.nanmax(ra):.4g}]: these look like hours, not degrees; "
            "multiply by 15, or say which in the file or by "
            f"columns={{'ra': '{chosen['ra'].name} [hourangle]'}} (or [deg])"
        )


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


def _row(bad: NDArray[np.bool_]) -> str:
    return f"row {int(np.argmax(bad)) + 1}"


def _more(bad: NDArray[np.bool_]) -> str:
    count = int(bad.sum())
    return f" ({count} such rows)" if count > 1 else ""
