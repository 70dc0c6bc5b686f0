"""Measured weather, played again: which measured night serves a night, and what it was like."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["MEASURED", "Match", "Replay", "Series"]

Array = NDArray[np.float64]
Match = Literal["date-of-year", "date", "order"]

MEASURED = ("seeing", "cloud", "transparency", "wind", "humidity", "open")
"""What may be measured: seeing [rad], cover, transparency, wind [m/s], humidity, the dome open."""
_DAY_S = 86400.0
_EPOCH = dt.date(1970, 1, 1)


@dataclass(frozen=True, eq=False)
class Series:
    """Measurements, by quantity: when, in seconds since 1970 UTC, and what."""

    values: Mapping[str, tuple[Array, Array]]

    @property
    def span(self) -> tuple[float, float]:
        """First and last measurement of anything."""
        times = [t for t, _ in self.values.values() if len(t)]
        return min(float(t[0]) for t in times), max(float(t[-1]) for t in times)


@dataclass(frozen=True, eq=False)
class Replay:
    """A series laid over the nights of a run.

    Parameters
    ----------
    series : Series
        What was measured.
    start : datetime.date
        Evening of the run's first night.
    noon_s : float
        Seconds from midnight UTC of a date to the site's noon of that date [s].
    step_s : float
        Length of the weather's steps [s].
    gap_s : float
        Longest time between two measurements that is interpolated [s].
    match : {'date-of-year', 'date', 'order'}
        Which measured night serves a night.
    repeat : bool
        Whether the series begins again when it is at its end.
    """

    series: Series
    start: dt.date
    noon_s: float
    step_s: float
    gap_s: float
    match: Match = "date-of-year"
    repeat: bool = True

    @property
    def evenings(self) -> tuple[dt.date, dt.date]:
        """Evenings of the first and the last measured night."""
        first, last = (
            _EPOCH + dt.timedelta(days=int((t - self.noon_s) // _DAY_S)) for t in self.series.span
        )
        return first, last

    def evening(self, day: int) -> dt.date | None:
        """Evening that serves a day of the run; None if no measured night does."""
        wanted = self.start + dt.timedelta(days=day)
        first, last = self.evenings
        if self.match == "order":
            nights = (last - first).days + 1
            return first + dt.timedelta(days=day % nights if self.repeat else day)
        if self.match == "date":
            return wanted
        return self._same_date(wanted, first, last)

    def _same_date(self, wanted: dt.date, first: dt.date, last: dt.date) -> dt.date | None:
        """The same date in a year of the series; years follow each other as in the run."""
        begin = next((y for y in _years(self.start, first, last)), first.year)
        year = begin + wanted.year - self.start.year
        if self.repeat:
            years = _years(wanted, first, last)
            if not years:
                return None
            year = years[(year - years[0]) % len(years)]
        return _in_year(wanted, year)

    def ends_before(self, nights: int) -> bool:
        """Whether the run goes on after the last measured night, and nothing is repeated."""
        if self.match != "date" and self.repeat:
            return False
        last = self.evening(nights - 1)
        return last is None or last > self.evenings[1]

    def never_serves(self, nights: int) -> bool:
        """Whether no night of a run is a measured one."""
        first, last = self.evenings
        found = map(self.evening, range(min(nights, 3660)))
        return not any(night is not None and first <= night <= last for night in found)

    def day(self, day: int) -> dict[str, Array]:
        """What was measured, step by step from noon to noon; NaN where nothing was.

        Parameters
        ----------
        day : int
            Of the run, from 0.

        Returns
        -------
        dict of str to ndarray of float64, shape (steps,)
            Mean of the measurements of a step; where there is none, a straight line between the
            next ones if they are no longer than ``gap_s`` apart. Open is 1 or 0.
        """
        n = round(_DAY_S / self.step_s)
        evening = self.evening(day)
        if evening is None:
            return {what: np.full(n, np.nan) for what in self.series.values}
        noon = (evening - _EPOCH).days * _DAY_S + self.noon_s
        found = {
            what: self._steps(times, values, noon, n)
            for what, (times, values) in self.series.values.items()
        }
        if "open" in found:
            known = np.isfinite(found["open"])
            found["open"] = np.where(known, found["open"] >= 0.5, np.nan)
        return found

    def _steps(self, times: Array, values: Array, noon: float, n: int) -> Array:
        a, b = np.searchsorted(times, [noon, noon + n * self.step_s])
        which = ((times[a:b] - noon) // self.step_s).astype(np.int64)
        count = np.bincount(which, minlength=n)
        total = np.bincount(which, values[a:b], minlength=n)
        middle = noon + (np.arange(n) + 0.5) * self.step_s
        after = np.searchsorted(times, middle)
        left, right = np.maximum(after - 1, 0), np.minimum(after, len(times) - 1)
        near = (after > 0) & (after < len(times)) & (times[right] - times[left] <= self.gap_s)
        between = np.where(near, np.interp(middle, times, values), np.nan)
        return np.where(count > 0, total / np.maximum(count, 1), between)


def _in_year(date: dt.date, year: int) -> dt.date:
    """The same month and day; 28 February for the 29th of other years."""
    try:
        return date.replace(year=year)
    except ValueError:
        return date.replace(year=year, day=28)


def _years(date: dt.date, first: dt.date, last: dt.date) -> list[int]:
    """Years in which a date is within the series."""
    return [
        year for year in range(first.year, last.year + 1) if first <= _in_year(date, year) <= last
    ]
