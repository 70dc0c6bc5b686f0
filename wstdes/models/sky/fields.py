"""All fields of a night at once: where they stand, how far from the Moon, how bright their sky.

Fields are brought from ICRS to CIRS once a night; then only the Earth turns. Compiled loops over
unit vectors do the rest.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from wstdes.jit import njit, plain
from wstdes.models.sky.background import Background, starlight_s10, zodiacal_s10
from wstdes.models.sky.brightness import (
    astronomical_extinctions,
    field_brightness,
    sky_brightness,
)
from wstdes.models.sky.ephemeris import parallactic_angle, unit_vectors

if TYPE_CHECKING:
    from wstdes.models.sky.night import DaySky, SkyState

__all__ = ["FieldsAt", "FieldsSky"]

Array = NDArray[np.float64]
Longs = NDArray[np.int64]
Vector = tuple[float, float, float]
Vector4 = tuple[float, float, float, float]
Which = NDArray[np.intp] | NDArray[np.bool_] | slice | None
"""A choice of fields: numbers, a mask, a slice, or all."""

_OBLIQUITY = math.radians(84381.406 / 3600.0)
_TO_ECLIPTIC = np.array(
    [
        [1.0, 0.0, 0.0],
        [0.0, math.cos(_OBLIQUITY), math.sin(_OBLIQUITY)],
        [0.0, -math.sin(_OBLIQUITY), math.cos(_OBLIQUITY)],
    ]
)
"""From ICRS to the ecliptic of J2000 (IAU 2006)."""
_GALACTIC_POLE = unit_vectors(np.radians(192.85948), np.radians(27.12825))
"""ICRS (ESA 1997, The Hipparcos and Tycho Catalogues, vol. 1, section 1.5.3)."""


@dataclass(frozen=True)
class FieldsAt:
    """Fields at a moment.

    Parameters
    ----------
    altitude_rad, azimuth_rad : ndarray of float64, shape (k,)
        Without refraction; azimuth from north through east, in [0, 2 pi) [rad].
    airmass : ndarray of float64, shape (k,)
        By Kasten & Young (1989); infinite below the horizon.
    hour_angle_rad : ndarray of float64, shape (k,)
        In [-pi, pi), positive after the meridian [rad].
    """

    altitude_rad: Array
    azimuth_rad: Array
    airmass: Array
    hour_angle_rad: Array


@dataclass(frozen=True)
class FieldsSky:
    """Fields of a night; :meth:`wstdes.models.sky.DaySky.fields` makes them.

    Parameters
    ----------
    day : DaySky
        The night.
    icrs, cirs : ndarray of float64, shape (n, 3)
        Unit vectors.
    lights : ndarray of float64, shape (3, n)
        What no night changes: ecliptic longitude and latitude [rad], starlight [S10].
    """

    day: DaySky
    icrs: Array
    cirs: Array
    lights: Array

    @classmethod
    def make(cls, day: DaySky, ra_rad: Array, dec_rad: Array) -> FieldsSky:
        """Fields at ICRS positions, shape (n,) [rad]."""
        icrs = unit_vectors(ra_rad, dec_rad)
        ecliptic = icrs @ _TO_ECLIPTIC.T
        galactic = np.arcsin(np.clip(icrs @ _GALACTIC_POLE, -1.0, 1.0))
        lights = np.stack(
            [
                np.arctan2(ecliptic[:, 1], ecliptic[:, 0]),
                np.arcsin(np.clip(ecliptic[:, 2], -1.0, 1.0)),
                starlight_s10(galactic),
            ]
        )
        return cls(day, icrs, day.almanac.to_cirs(icrs), lights)

    def on(self, day: DaySky) -> FieldsSky:
        """The same fields on another night: cheaper than to make them anew."""
        return FieldsSky(day, self.icrs, day.almanac.to_cirs(self.icrs), self.lights)

    @cached_property
    def ra_rad(self) -> Array:
        """CIRS right ascensions, shape (n,) [rad]."""
        return np.arctan2(self.cirs[:, 1], self.cirs[:, 0])

    @cached_property
    def dec_rad(self) -> Array:
        """CIRS declinations, shape (n,) [rad]."""
        return np.arctan2(self.cirs[:, 2], np.hypot(self.cirs[:, 0], self.cirs[:, 1]))

    @cached_property
    def beyond(self) -> Array:
        """Zodiacal light and starlight of the night, and their extinction, shape (n, 2).

        See :func:`wstdes.models.sky.brightness.sky_brightness`. The Sun is taken at midnight.
        """
        sun = _TO_ECLIPTIC @ self.day.sun_icrs
        away = self.lights[0] - math.atan2(sun[1], sun[0])
        light = zodiacal_s10(away, self.lights[1]) + self.lights[2]
        return np.stack([light, astronomical_extinctions(light)], axis=-1)

    @cached_property
    def _all(self) -> Longs:
        return np.arange(len(self.cirs))

    def _numbers(self, which: Which) -> Longs:
        if which is None:
            return self._all
        if isinstance(which, np.ndarray) and which.dtype == np.int64:
            return plain(which, np.int64)
        return plain(self._all[which], np.int64)

    def sin_altitude(self, t_s: float | Array, which: Which = None) -> Array:
        """Sine of the altitudes.

        Parameters
        ----------
        t_s : float or ndarray of float64, shape (times,)
            Seconds of the run, in this day.
        which : ndarray of int or bool, or slice, optional
            Of the fields; all.

        Returns
        -------
        ndarray of float64, shape (k,) or (times, k)
            Without refraction.
        """
        lst, numbers = np.asarray(self.day.lst_rad(t_s)), self._numbers(which)
        out = np.empty((lst.size, len(numbers)))
        _sines(self.cirs, numbers, lst.ravel(), self.day.horizon.latitude_rad, out)
        return out if lst.ndim else out[0]

    def at(self, t_s: float, which: Which = None) -> FieldsAt:
        """Altitude, azimuth, airmass and hour angle at a moment (seconds of the run)."""
        numbers = self._numbers(which)
        out = np.empty((4, len(numbers)))
        lst = float(self.day.lst_rad(t_s))
        _stand(self.cirs, self.ra_rad, numbers, lst, self.day.horizon.latitude_rad, out)
        return FieldsAt(out[0], out[1], out[2], out[3])

    def directions(self, t_s: float, which: Which = None) -> tuple[Array, Array, Array]:
        """Altitude, azimuth and hour angle of :meth:`at`, for less."""
        numbers = self._numbers(which)
        out = np.empty((3, len(numbers)))
        lst = float(self.day.lst_rad(t_s))
        _directions(self.cirs, self.ra_rad, numbers, lst, self.day.horizon.latitude_rad, out)
        return out[0], out[1], out[2]

    def heights(self, t_s: float, which: Which = None) -> tuple[Array, Array, Array]:
        """Altitude, airmass and hour angle of :meth:`at`, for less."""
        numbers = self._numbers(which)
        out = np.empty((3, len(numbers)))
        lst = float(self.day.lst_rad(t_s))
        _heights(self.cirs, self.ra_rad, numbers, lst, self.day.horizon.latitude_rad, out)
        return out[0], out[1], out[2]

    def parallactic_angle(self, t_s: float, which: Which = None) -> Array:
        """Angle from north to the zenith through east, shape (k,) [rad]."""
        numbers = self._numbers(which)
        hour_angle = float(self.day.lst_rad(t_s)) - self.ra_rad[numbers]
        dec = np.arcsin(self.cirs[numbers, 2])
        return parallactic_angle(hour_angle, dec, self.day.horizon.latitude_rad)

    def moon_separation(self, state: SkyState, which: Which = None) -> Array:
        """Angle to the Moon, as seen from the site, shape (k,) [rad]."""
        numbers = self._numbers(which)
        out = np.empty(len(numbers))
        moon = _vector(state.moon_ra_rad, state.moon_dec_rad)
        _separations(self.cirs, numbers, moon, out)
        return out

    def brightness(self, state: SkyState, background: Background, which: Which = None) -> Array:
        """Sky brightness over that of a dark zenith.

        Parameters
        ----------
        state : SkyState
            Sun and Moon at the moment.
        background : Background
            The site.
        which : ndarray of int or bool, or slice, optional
            Of the fields; all.

        Returns
        -------
        ndarray of float64, shape (k,)
            1 is a zenith without Moon, far from ecliptic and Milky Way, at mean solar flux.
        """
        numbers = self._numbers(which)
        out = np.empty(len(numbers))
        zenith = _vector(state.lst_rad, self.day.horizon.latitude_rad)
        moon = _vector(state.moon_ra_rad, state.moon_dec_rad)
        sky_brightness(
            (self.cirs, self.beyond, numbers),
            (zenith, moon, _vector(state.sun_ra_rad, state.sun_dec_rad)),
            (state.sun_altitude_rad, state.phase_rad),
            background.site(),
            out,
        )
        return out

    def one(self, number: int, t_s: float, background: Background) -> tuple[float, float]:
        """Airmass and sky brightness of a single field, for half of what arrays of one cost.

        Parameters
        ----------
        number : int
            Of the field.
        t_s : float
            Seconds of the run, in this day.
        background : Background
            The site.

        Returns
        -------
        airmass, brightness : float
            As :meth:`at` and :meth:`brightness` give them.
        """
        latitude = self.day.horizon.latitude_rad
        lst, sun, sun_ra, sun_dec, _, moon_ra, moon_dec, phase = self.day.almanac.moment(t_s)
        vector, beyond = tuple(self.cirs[number].tolist()), tuple(self.beyond[number].tolist())
        directions = _vector(lst, latitude), _vector(moon_ra, moon_dec), _vector(sun_ra, sun_dec)
        sky = field_brightness(vector, beyond, directions, (sun, phase), background.site())
        return _airmass_at(vector, lst, latitude), sky


def _vector(lon: float, lat: float) -> tuple[float, float, float]:
    return math.cos(lat) * math.cos(lon), math.cos(lat) * math.sin(lon), math.sin(lat)


@njit
def _sines(cirs: Array, numbers: Longs, lst: Array, latitude: float, out: Array) -> None:
    c = math.sin(latitude)
    for j in range(len(lst)):
        a, b = math.cos(latitude) * math.cos(lst[j]), math.cos(latitude) * math.sin(lst[j])
        for k in range(len(numbers)):
            i = numbers[k]
            out[j, k] = a * cirs[i, 0] + b * cirs[i, 1] + c * cirs[i, 2]


@njit
def _turned(vector: Vector, turn: Vector4) -> Vector:
    """Up, north and east parts of a direction; cosine and sine of sidereal time and latitude."""
    cos_lst, sin_lst, cos, sin = turn
    meridian = vector[0] * cos_lst + vector[1] * sin_lst
    east = vector[1] * cos_lst - vector[0] * sin_lst
    return cos * meridian + sin * vector[2], cos * vector[2] - sin * meridian, east


@njit
def _azimuth(north: float, east: float) -> float:
    azimuth = math.atan2(east, north)
    return azimuth if azimuth >= 0.0 else azimuth + 2.0 * math.pi


@njit
def _airmass(altitude: float, sine: float) -> float:
    if altitude <= 0.0:
        return math.inf
    low = altitude * 180.0 / math.pi + 6.07995
    return max(1.0, 1.0 / (sine + 0.50572 * math.exp(-1.6364 * math.log(low))))


@njit
def _hour_angle(lst: float, ra: float) -> float:
    angle = (lst - ra) / (2.0 * math.pi)
    return 2.0 * math.pi * (angle - math.floor(angle + 0.5))


@njit
def _turn(lst: float, latitude: float) -> Vector4:
    return math.cos(lst), math.sin(lst), math.cos(latitude), math.sin(latitude)


@njit
def _stand(cirs: Array, ra: Array, numbers: Longs, lst: float, latitude: float, out: Array) -> None:
    """Altitude, azimuth, airmass and hour angle, a row each."""
    turn = _turn(lst, latitude)
    for k in range(len(numbers)):
        i = numbers[k]
        up, north, east = _turned((cirs[i, 0], cirs[i, 1], cirs[i, 2]), turn)
        altitude = math.asin(min(1.0, max(-1.0, up)))
        out[0, k], out[1, k] = altitude, _azimuth(north, east)
        out[2, k], out[3, k] = _airmass(altitude, up), _hour_angle(lst, ra[i])


@njit
def _directions(
    cirs: Array, ra: Array, numbers: Longs, lst: float, latitude: float, out: Array
) -> None:
    """Altitude, azimuth and hour angle, a row each."""
    turn = _turn(lst, latitude)
    for k in range(len(numbers)):
        i = numbers[k]
        up, north, east = _turned((cirs[i, 0], cirs[i, 1], cirs[i, 2]), turn)
        out[0, k], out[1, k] = math.asin(min(1.0, max(-1.0, up))), _azimuth(north, east)
        out[2, k] = _hour_angle(lst, ra[i])


@njit
def _heights(
    cirs: Array, ra: Array, numbers: Longs, lst: float, latitude: float, out: Array
) -> None:
    """Altitude, airmass and hour angle, a row each."""
    turn = _turn(lst, latitude)
    for k in range(len(numbers)):
        i = numbers[k]
        up, _, _ = _turned((cirs[i, 0], cirs[i, 1], cirs[i, 2]), turn)
        altitude = math.asin(min(1.0, max(-1.0, up)))
        out[0, k], out[1, k] = altitude, _airmass(altitude, up)
        out[2, k] = _hour_angle(lst, ra[i])


@njit
def _airmass_at(vector: Vector, lst: float, latitude: float) -> float:
    up = _turned(vector, _turn(lst, latitude))[0]
    return _airmass(math.asin(min(1.0, max(-1.0, up))), up)


@njit
def _separations(cirs: Array, numbers: Longs, moon: Vector, out: Array) -> None:
    for k in range(len(numbers)):
        i = numbers[k]
        a, b, c = cirs[i, 0] - moon[0], cirs[i, 1] - moon[1], cirs[i, 2] - moon[2]
        out[k] = 2.0 * math.asin(min(1.0, 0.5 * math.sqrt(a * a + b * b + c * c)))
