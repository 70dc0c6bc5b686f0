"""Seconds of a run and the calendar.

Time inside a run is a float of TAI seconds since the scenario's start: local mean solar noon at
the site on the first evening's date. A day runs from noon to noon and holds one night. Nothing
here downloads: the Earth-orientation table is the one that ships with astropy, and where it ends
UT1 is taken as UTC (it stays within 0.9 s by definition, 13 arcsec on the sky) with the leap
seconds known today.
"""

from __future__ import annotations

import datetime as dt
import math
import warnings
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

__all__ = ["DAY_S", "EPHEMERIS_END", "EPHEMERIS_START", "YEAR_S", "Clock", "iers_table"]

DAY_S = 86400.0
YEAR_S = 365.25 * DAY_S

EPHEMERIS_START = dt.date(1973, 1, 1)
"""First evening that can be simulated: integral leap seconds began in 1972."""
EPHEMERIS_END = dt.date(2099, 12, 31)
"""Last noon that can be simulated: ERFA's epv00 and moon98 are good to 2100."""

_TT_MINUS_TAI_S = 32.184
_JD_1970 = 2440587.5


def iers_table() -> str:
    """Name the Earth-orientation table in use, for a run's manifest."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return f"bundled with astropy-iers-data {version('astropy-iers-data')}; UT1 = UTC after it"
    except PackageNotFoundError:
        return "none: UT1 = UTC"


@dataclass(frozen=True)
class Clock:
    """The calendar of a run.

    Parameters
    ----------
    start : datetime.date
        The date of the first evening, at the site.
    longitude_rad : float
        East longitude of the site [rad].
    """

    start: dt.date
    longitude_rad: float

    @cached_property
    def _leap_s(self) -> float:
        """TAI - UTC [s] at the start; the last known value for dates to come."""
        import erfa

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", erfa.ErfaWarning)
            return float(erfa.dat(self.start.year, self.start.month, self.start.day, 0.0))

    @cached_property
    def start_unix_s(self) -> float:
        """Seconds since 1970 UTC (without leap seconds) of the first noon."""
        days = (self.start - dt.date(1970, 1, 1)).days
        return days * DAY_S + 43200.0 - self.longitude_rad / (2 * math.pi) * DAY_S

    def ut1_jd(self, t_s: float | NDArray[np.float64]) -> tuple[float, float | NDArray[np.float64]]:
        """Julian date in UT1 (taken as UTC) as two parts, for ERFA [d]."""
        day = math.floor(self.start_unix_s / DAY_S)
        return _JD_1970 + day, (self.start_unix_s - day * DAY_S + t_s) / DAY_S

    def tt_jd(self, t_s: float | NDArray[np.float64]) -> tuple[float, float | NDArray[np.float64]]:
        """Julian date in Terrestrial Time as two parts, for ERFA [d]."""
        jd1, jd2 = self.ut1_jd(t_s)
        return jd1, jd2 + (self._leap_s + _TT_MINUS_TAI_S) / DAY_S

    def utc(self, t_s: float) -> dt.datetime:
        """UTC of a moment of the run."""
        return dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(
            seconds=self.start_unix_s + t_s
        )

    def evening(self, day: int) -> dt.date:
        """Date, at the site, of the evening of a day of the run."""
        return self.start + dt.timedelta(days=day)

    def decimal_year(self, t_s: float) -> float:
        """The year with its fraction, for epochs of proper motions [yr]."""
        return 2000.0 + (self.ut1_jd(t_s)[0] - 2451545.0 + float(self.ut1_jd(t_s)[1])) / 365.25

    def month(self, day: int) -> int:
        """Month (0 for January) of the evening of a day of the run."""
        return self.evening(day).month - 1
