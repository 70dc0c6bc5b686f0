"""Sun and Moon of many days: one table a day, cheap to ask at any moment.

ERFA gives positions at a few moments of each day; between them runs a polynomial, within 0.2
arcsec of ERFA. Within a day the celestial intermediate system stands still and the Earth turns.
"""

from __future__ import annotations

from dataclasses import dataclass

import erfa
import numpy as np
from numpy.typing import NDArray

from wstdes.clock import DAY_S, Clock
from wstdes.jit import njit
from wstdes.models.sky.ephemeris import Horizon

__all__ = ["Almanac", "Ephemeris"]

Array = NDArray[np.float64]
Vector = tuple[float, float, float]
Moment = tuple[float, float, float, float, float, float, float, float]
Tables = tuple[Array, Array, Array]
"""Earth rotation angles at noon (days,), polynomials of Sun and Moon (days, terms, 3)."""
Place = tuple[float, float, float, float, float]
"""Longitude and latitude [rad], and the observer's place from the Earth's centre [m]."""

_AU_M = 149597870700.0
_AU_PER_DAY_OVER_C = _AU_M / 86400.0 / 299792458.0
_TURN = 2.0 * np.pi * 1.00273781191135448 / DAY_S
"""The Earth's turning [rad/s] (Capitaine et al. 2000, A&A 355, 398)."""
_SUN_DEGREE, _MOON_DEGREE = 2, 6
_STEP_S = 300.0
"""Between two looks at the Sun's altitude."""


def _nodes(degree: int) -> Array:
    """Where polynomials of a degree meet the truth, in -1 (noon) to 1 (next noon)."""
    return -np.cos(np.pi * (np.arange(degree + 1) + 0.5) / (degree + 1))


def _coefficients(values: Array) -> Array:
    """Polynomials (days, degree + 1, 3), lowest power first, through values at the nodes."""
    degree = values.shape[1] - 1
    inverse = np.linalg.inv(np.vander(_nodes(degree), increasing=True))
    return np.ascontiguousarray(np.einsum("ij,djk->dik", inverse, values))


@dataclass(frozen=True)
class Ephemeris:
    """Sun and Moon at moments; arrays of the moments' shape, angles [rad].

    Parameters
    ----------
    lst_rad : ndarray of float64
        Earth rotation angle plus longitude: the CIRS right ascension on the meridian.
    sun_altitude_rad, sun_ra_rad, sun_dec_rad : ndarray of float64
        CIRS, as seen from the site.
    moon_altitude_rad, moon_ra_rad, moon_dec_rad : ndarray of float64
        CIRS, as seen from the site.
    phase_rad : ndarray of float64
        Phase angle of the Moon, 0 when full.
    """

    lst_rad: Array
    sun_altitude_rad: Array
    sun_ra_rad: Array
    sun_dec_rad: Array
    moon_altitude_rad: Array
    moon_ra_rad: Array
    moon_dec_rad: Array
    phase_rad: Array

    @property
    def moon_illumination(self) -> Array:
        """Lit share of the Moon's disc."""
        return np.asarray(0.5 * (1.0 + np.cos(self.phase_rad)))


@dataclass(frozen=True)
class Almanac:
    """Sun and Moon of consecutive days, from noon to noon.

    Parameters
    ----------
    noon_s : float
        Beginning of the first day [s].
    place : tuple of float
        Of the observer: longitude and latitude [rad], terrestrial position [m].
    era_rad : ndarray of float64, shape (days,)
        Earth rotation angle at each noon [rad].
    sun, moon : ndarray of float64, shape (days, terms, 3)
        Polynomials of the CIRS position from the Earth's centre [m].
    matrix : ndarray of float64, shape (days, 3, 3)
        From GCRS to CIRS, at the middle of each day.
    velocity : ndarray of float64, shape (days, 3)
        Of the Earth about the barycentre, over that of light, at the middle of each day.
    """

    noon_s: float
    place: Place
    era_rad: Array
    sun: Array
    moon: Array
    matrix: Array
    velocity: Array

    @classmethod
    def make(cls, clock: Clock, horizon: Horizon, noon_s: float, days: int = 1) -> Almanac:
        """Compute the tables: about 0.5 ms a day.

        Parameters
        ----------
        clock : Clock
            Calendar of the run.
        horizon : Horizon
            The observer.
        noon_s : float
            Beginning of the first day, in seconds of the run.
        days : int
            How many.
        """
        noons_s = np.asarray(noon_s + DAY_S * np.arange(days), dtype=np.float64)
        ut1, tt1 = clock.ut1_jd(noons_s), clock.tt_jd(noons_s)
        noon, noon_tt = np.asarray(ut1[1]), np.asarray(tt1[1])
        matrix = np.asarray(erfa.c2i06a(tt1[0], noon_tt + 0.5))

        def moments(degree: int) -> Array:
            return np.asarray(noon_tt[:, None] + 0.5 * (1.0 + _nodes(degree)))

        heliocentric, barycentric = erfa.epv00(tt1[0], moments(_SUN_DEGREE))
        velocity = np.asarray(barycentric["v"]) * _AU_PER_DAY_OVER_C
        towards = -np.asarray(heliocentric["p"])
        distance = np.linalg.norm(towards, axis=-1, keepdims=True)
        sun_m = _AU_M * (towards + velocity * distance)  # annual aberration tips it by v/c
        moon_m = _AU_M * np.asarray(erfa.moon98(tt1[0], moments(_MOON_DEGREE))["p"])
        return cls(
            noon_s,
            (horizon.longitude_rad, horizon.latitude_rad, *horizon.place_m()),
            np.asarray(erfa.era00(ut1[0], noon)),
            _coefficients(np.einsum("dij,dnj->dni", matrix, sun_m)),
            _coefficients(np.einsum("dij,dnj->dni", matrix, moon_m)),
            matrix,
            np.ascontiguousarray(velocity[:, _SUN_DEGREE // 2]),
        )

    def at(self, t_s: Array) -> Ephemeris:
        """Sun and Moon at moments of these days, in seconds of the run (any shape).

        Raises
        ------
        ValueError
            For moments more than an hour outside: the polynomials end there.
        """
        after_s = np.ravel(t_s) - self.noon_s
        self._within(float(after_s.min()), float(after_s.max()))
        out = np.empty((8, after_s.size))
        _look(after_s, self._tables, self.place, out)
        return Ephemeris(*out.reshape(8, *np.shape(t_s)))

    def moment(self, t_s: float) -> Moment:
        """The values of :class:`Ephemeris`, in its order, at a moment of the first day."""
        self._within(t_s - self.noon_s, t_s - self.noon_s)
        return _moment(t_s - self.noon_s, 0, self._tables, self.place)

    def _within(self, first_s: float, last_s: float) -> None:
        if not (first_s >= -3600.0 and last_s <= DAY_S * len(self.era_rad) + 3600.0):
            raise ValueError("moments outside the days of the almanac")

    def lst_rad(self, t_s: float | Array) -> float | Array:
        """Earth rotation angle plus longitude at moments of the first day [rad]."""
        return float(self.era_rad[0]) + self.place[0] + _TURN * (t_s - self.noon_s)

    def below(self, altitude_rad: float) -> Array:
        """When the Sun sinks below an altitude each day, and rises above it again.

        Parameters
        ----------
        altitude_rad : float
            Of the Sun's centre [rad].

        Returns
        -------
        ndarray of float64, shape (days, 2)
            Seconds of the run: the noons where it is below already (or still), NaN where it
            stays above.
        """
        out = np.empty((len(self.era_rad), 2))
        _cross(np.sin(altitude_rad), self._tables, self.place, out)
        return out + self.noon_s

    def to_cirs(self, icrs: Array, day: int = 0) -> Array:
        """Bring ICRS unit vectors (n, 3) to CIRS at the middle of a day, with aberration."""
        tipped = icrs + self.velocity[day]
        tipped /= np.sqrt(np.einsum("ij,ij->i", tipped, tipped))[:, None]
        return np.asarray(tipped @ self.matrix[day].T)

    @property
    def _tables(self) -> Tables:
        return self.era_rad, self.sun, self.moon


@njit
def _position(terms: Array, x: float) -> Vector:
    a, b, c = 0.0, 0.0, 0.0
    for i in range(len(terms) - 1, -1, -1):
        a = a * x + terms[i, 0]
        b = b * x + terms[i, 1]
        c = c * x + terms[i, 2]
    return a, b, c


@njit
def _seen(terms: Array, x: float, era: float, place: Place) -> Vector:
    """From the observer to a body [m]."""
    a, b, c = _position(terms, x)
    cos, sin = np.cos(era), np.sin(era)
    return (
        a - (cos * place[2] - sin * place[3]),
        b - (sin * place[2] + cos * place[3]),
        c - place[4],
    )


@njit
def _sine(body: Vector, lst: float, latitude: float) -> float:
    """Sine of a body's altitude."""
    up = np.cos(latitude) * (body[0] * np.cos(lst) + body[1] * np.sin(lst))
    up += np.sin(latitude) * body[2]
    return float(up / np.sqrt(body[0] ** 2 + body[1] ** 2 + body[2] ** 2))


@njit
def _moment(time_s: float, day: int, tables: Tables, place: Place) -> Moment:
    """What an :class:`Ephemeris` holds, at a time of a day [s after its noon]."""
    era = tables[0][day] + _TURN * time_s
    lst = era + place[0]
    x = time_s / 43200.0 - 1.0
    sun = _seen(tables[1][day], x, era, place)
    moon = _seen(tables[2][day], x, era, place)
    # Phase angle: at the Moon, between Sun and observer.
    a, b, c = sun[0] - moon[0], sun[1] - moon[1], sun[2] - moon[2]
    cosine = -(a * moon[0] + b * moon[1] + c * moon[2])
    cosine /= np.sqrt(a * a + b * b + c * c)
    cosine /= np.sqrt(moon[0] ** 2 + moon[1] ** 2 + moon[2] ** 2)
    return (
        lst,
        np.arcsin(_sine(sun, lst, place[1])),
        np.arctan2(sun[1], sun[0]),
        np.arctan2(sun[2], np.hypot(sun[0], sun[1])),
        np.arcsin(_sine(moon, lst, place[1])),
        np.arctan2(moon[1], moon[0]),
        np.arctan2(moon[2], np.hypot(moon[0], moon[1])),
        np.arccos(min(1.0, max(-1.0, cosine))),
    )


@njit
def _look(after_s: Array, tables: Tables, place: Place, out: Array) -> None:
    for i in range(len(after_s)):
        day = min(max(int(after_s[i] // 86400.0), 0), len(tables[0]) - 1)
        found = _moment(after_s[i] - day * 86400.0, day, tables, place)
        for j in range(8):
            out[j, i] = found[j]


@njit
def _sun_sine(time_s: float, day: int, tables: Tables, place: Place) -> float:
    era = tables[0][day] + _TURN * time_s
    sun = _seen(tables[1][day], time_s / 43200.0 - 1.0, era, place)
    return _sine(sun, era + place[0], place[1])


@njit
def _cross(target: float, tables: Tables, place: Place, out: Array) -> None:
    """First sinking and last rising of each day [s after the first noon]; see Almanac.below."""
    for day in range(len(out)):
        first, last = np.nan, np.nan
        before = _sun_sine(0.0, day, tables, place) < target
        if before:
            first = 0.0
        for step in range(1, int(86400.0 / _STEP_S) + 1):
            now = _sun_sine(step * _STEP_S, day, tables, place) < target
            if now != before:
                low, high = (step - 1) * _STEP_S, step * _STEP_S
                while high - low > 1e-4:
                    middle = 0.5 * (low + high)
                    if (_sun_sine(middle, day, tables, place) < target) == now:
                        high = middle
                    else:
                        low = middle
                if now and np.isnan(first):
                    first = high
                if not now:
                    last = high
            before = now
        if before:
            last = 86400.0
        out[day, 0] = first + 86400.0 * day
        out[day, 1] = last + 86400.0 * day
