"""Where alerts come from: a part of the sky, or a user's own list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wstdes.clock import DAY_S, Clock
from wstdes.survey._columns import check_ranges, choose, more, numbers, refusal, row
from wstdes.survey._tables import Column, read_columns
from wstdes.survey.area import sample
from wstdes.survey.catalogue import COLUMN_ALIASES
from wstdes.survey.footprint import Footprint

__all__ = ["AlertList", "AlertSky", "read_alerts", "within"]

Floats = NDArray[np.float64]

_TURN = 2.0 * np.pi
_SPACING_RAD = np.radians(0.5)
_ALIASES = {
    "time": ("time", "mjd", "jd", "date", "datetime", "utc", "timestamp", "alert_time"),
    "ra": COLUMN_ALIASES["ra"],
    "dec": COLUMN_ALIASES["dec"],
    "class": ("class", "alert_class", "classification", "type"),
}
_JD_OF_MJD_0 = 2400000.5
_MJD_1970 = 40587.0


@dataclass(frozen=True, eq=False)
class AlertList:
    """Alerts of a file, in the order of their times.

    Parameters
    ----------
    time_s : ndarray of float64, shape (alerts,)
        When each comes in, in seconds of the run [s].
    ra_rad, dec_rad : ndarray of float64, shape (alerts,)
        ICRS [rad].
    """

    time_s: Floats
    ra_rad: Floats
    dec_rad: Floats

    def between(self, start_s: float, end_s: float) -> AlertList:
        """Those that come in from a moment on, and before another."""
        span = slice(*np.searchsorted(self.time_s, (start_s, end_s)).tolist())
        return AlertList(self.time_s[span], self.ra_rad[span], self.dec_rad[span])


@dataclass(frozen=True, eq=False)
class AlertSky:
    """A part of the sky that alerts fill evenly.

    Parameters
    ----------
    footprint : Footprint
        The part.
    ra_rad, dec_rad : tuple of float
        A box around it: from the first right ascension eastward to the second, and declinations
        [rad].
    """

    footprint: Footprint
    ra_rad: tuple[float, float]
    dec_rad: tuple[float, float]

    @classmethod
    def make(cls, footprint: Footprint) -> AlertSky:
        """Find the box."""
        dec = (footprint.dec_min_rad, footprint.dec_max_rad)
        if not footprint.include:
            width = footprint.ra_max_rad - footprint.ra_min_rad
            width = _TURN if abs(width) >= _TURN - 1e-12 else width % _TURN
            return cls(footprint, (footprint.ra_min_rad, footprint.ra_min_rad + width), dec)
        points = sample(footprint, _SPACING_RAD)
        south, north = float(points[:, 1].min()), float(points[:, 1].max())
        pad = 2.0 * _SPACING_RAD
        dec = (max(dec[0], south - pad), min(dec[1], north + pad))
        return cls(footprint, _around(points, pad), dec)

    def draw(self, rng: np.random.Generator, n: int) -> tuple[Floats, Floats]:
        """Positions, shape (n,) [rad]."""
        ra, dec = self._in_box(rng, n)
        out = np.flatnonzero(~self.footprint.contains(ra, dec))
        while len(out):
            ra[out], dec[out] = self._in_box(rng, len(out))
            out = out[~self.footprint.contains(ra[out], dec[out])]
        return ra, dec

    def _in_box(self, rng: np.random.Generator, n: int) -> tuple[Floats, Floats]:
        west, east = self.ra_rad
        ra = (west + rng.random(n) * (east - west)) % _TURN
        south, north = np.sin(self.dec_rad)
        return ra, np.arcsin(south + rng.random(n) * (north - south))


def _around(points: Floats, pad: float) -> tuple[float, float]:
    """The shortest span of right ascension that holds all points, a little more [rad]."""
    ra = np.sort(points[:, 0] % _TURN)
    gaps = np.diff(ra, append=ra[0] + _TURN)
    last = int(np.argmax(gaps))
    pad /= max(float(np.cos(np.abs(points[:, 1]).max())), 1e-3)
    if gaps[last] <= 2.0 * pad:
        return 0.0, _TURN
    first = float(ra[(last + 1) % len(ra)])
    return first - pad, first + _TURN - float(gaps[last]) + pad


def within(
    rng: np.random.Generator, ra_rad: Floats, dec_rad: Floats, radius_rad: float
) -> tuple[Floats, Floats]:
    """Positions that fill circles evenly, one around each centre.

    Parameters
    ----------
    rng : numpy.random.Generator
        Draws two numbers a position.
    ra_rad, dec_rad : ndarray of float64, shape (n,)
        Centres [rad].
    radius_rad : float
        Along the sphere [rad].

    Returns
    -------
    ra_rad, dec_rad : ndarray of float64, shape (n,)
        [rad].
    """
    n = len(ra_rad)
    cosine = 1.0 - rng.random(n) * (1.0 - np.cos(radius_rad))
    away, angle = np.arccos(cosine), rng.random(n) * _TURN
    sine = np.sin(dec_rad) * cosine + np.cos(dec_rad) * np.sin(away) * np.cos(angle)
    dec = np.arcsin(np.clip(sine, -1.0, 1.0))
    step = np.arctan2(
        np.sin(angle) * np.sin(away) * np.cos(dec_rad), cosine - np.sin(dec_rad) * sine
    )
    return (ra_rad + step) % _TURN, dec


def read_alerts(
    path: Path, name: str, clock: Clock, columns: Mapping[str, str] | None = None
) -> AlertList:
    """Read a list of alerts.

    Parameters
    ----------
    path : Path
        CSV, Parquet, ECSV, FITS or VOTable, with columns for the time (UTC as
        ``2041-03-01T04:05:06``, or a modified Julian or Julian date) and ICRS positions [deg]. Of
        a file with classes, rows of the class `name` alone are taken.
    name : str
        Of the class.
    clock : Clock
        The run's calendar.
    columns : mapping of str to str, optional
        The file's column for time, ra, dec and class.

    Returns
    -------
    AlertList

    Raises
    ------
    CatalogueError
        All that is wrong with the file, at once.
    """
    problems: list[str] = []
    chosen = choose(read_columns(path), columns or {}, problems, _ALIASES, {"time", "ra", "dec"})
    if problems:
        raise refusal(path, problems)
    place = {k: numbers(k, chosen[k], problems) for k in ("ra", "dec")}
    check_ranges(chosen, place, problems)
    unix_s = _moments(chosen["time"], problems)
    mine = np.ones(len(unix_s), dtype=np.bool_)
    if "class" in chosen and not problems:
        text = np.char.strip(chosen["class"].values.astype(str))
        mine = text == name
        if not mine.any():
            known = ", ".join(f"'{t}'" for t in np.unique(text)[:10])
            problems.append(f"column '{chosen['class'].name}': none is '{name}'; it has {known}")
    if not len(unix_s):
        problems.append("it has no rows")
    if problems:
        raise refusal(path, problems)
    t_s, ra, dec = unix_s[mine] - clock.start_unix_s, place["ra"][mine], place["dec"][mine]
    order = np.argsort(t_s, kind="stable")
    return AlertList(t_s[order], np.radians(ra[order]), np.radians(dec[order]))


def _moments(column: Column, problems: list[str]) -> Floats:
    """Seconds since 1970 UTC."""
    where, values = f"column '{column.name}'", column.values
    nothing = np.zeros(len(values))
    if column.missing.any():
        bad = column.missing
        problems.append(f"{row(bad)}, {where}: no time{more(bad)}")
        return nothing
    if values.dtype.kind == "U":
        text = np.char.rstrip(np.char.strip(values), "Z")
        moments = np.array([_moment(t) for t in text.tolist()], dtype=np.float64)
        bad = ~np.isfinite(moments)
        if bad.any():
            problems.append(
                f"{row(bad)}, {where}: '{values[bad][0]}' is no time{more(bad)}; write UTC as "
                "2041-03-01T03:15:00, or a modified Julian date"
            )
            return nothing
        return moments
    kind = (column.unit or column.name).upper()
    if values.dtype.kind not in "iuf" or kind not in ("MJD", "JD"):
        problems.append(
            f"{where}: numbers of unknown meaning; name the column mjd or jd, say so by columns: "
            f"{{time: '{column.name} [MJD]'}}, or write UTC as 2041-03-01T03:15:00"
        )
        return nothing
    days = values.astype(np.float64) - (_JD_OF_MJD_0 if kind == "JD" else 0.0) - _MJD_1970
    bad = ~np.isfinite(days)
    if bad.any():
        problems.append(f"{row(bad)}, {where}: {values[bad][0]} is no date{more(bad)}")
        return nothing
    return np.asarray(days * DAY_S)


def _moment(text: str) -> float:
    try:
        moment = np.datetime64(text, "us")
    except ValueError:
        return float("nan")
    return float("nan") if np.isnat(moment) else float(moment.astype(np.int64)) / 1e6
