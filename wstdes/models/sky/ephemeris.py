"""Directions on the sky: the Sun by ERFA, the horizon, airmass and angles.

Polar motion, refraction and diurnal aberration (together below an arcsecond but for refraction)
are left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import erfa
import numpy as np
from numpy.typing import NDArray

__all__ = ["Horizon", "airmass", "parallactic_angle", "separation", "sun", "unit_vectors"]

Array = NDArray[np.float64]
_AU_M = 149597870700.0


def _to_intermediate(tt1: float, tt2: Array) -> Array:
    """Matrix from GCRS to CIRS at the middle of the times: within a day it moves 0.1 arcsec."""
    return np.asarray(erfa.c2i06a(tt1, float(np.mean(tt2))))


def sun(tt1: float, tt2: Array) -> Array:
    """Direction of the Sun's centre as seen from the Earth's, in CIRS.

    Parameters
    ----------
    tt1, tt2 : float, ndarray of float64, shape (n,)
        Terrestrial Time, Julian date in two parts [d].

    Returns
    -------
    ndarray of float64, shape (n, 3)
        Vectors [m]; aberration is in (20 arcsec), light time is not. Times that span no more than
        a day are interpolated between three by a parabola, which costs 0.1 arcsec.
    """
    first, last = float(tt2.min()), float(tt2.max())
    if len(tt2) > 3 and last - first <= 1.01:
        middle = 0.5 * (first + last)
        nodes = _sun(tt1, np.array([first, middle, last]))
        x = ((tt2 - middle) / (0.5 * (last - first)))[:, None]
        return np.asarray(
            0.5 * x * (x - 1.0) * nodes[0]
            + (1.0 - x * x) * nodes[1]
            + 0.5 * x * (x + 1.0) * nodes[2]
        )
    return _sun(tt1, tt2)


def _sun(tt1: float, tt2: Array) -> Array:
    """Direction of the Sun at each of the times; see :func:`sun`."""
    heliocentric, barycentric = erfa.epv00(tt1, tt2)
    direction = -heliocentric["p"]
    distance = np.linalg.norm(direction, axis=-1, keepdims=True)
    # Annual aberration: the direction tips by v/c.
    apparent = direction / distance + barycentric["v"] * (_AU_M / 86400.0 / 299792458.0)
    return np.asarray((apparent * distance * _AU_M) @ _to_intermediate(tt1, tt2).T)


@dataclass(frozen=True)
class Horizon:
    """An observer on the ellipsoid.

    Parameters
    ----------
    latitude_rad, longitude_rad : float
        Geodetic, longitude to the east [rad].
    height_m : float
        Above the ellipsoid [m].
    """

    latitude_rad: float
    longitude_rad: float
    height_m: float

    def hour_angle(self, ra_rad: Array, ut1: tuple[float, float | Array]) -> Array:
        """Hour angle of CIRS right ascensions [rad], in (-pi, pi]."""
        angle = erfa.era00(*ut1) + self.longitude_rad - ra_rad
        return np.asarray(np.mod(angle + np.pi, 2 * np.pi) - np.pi)

    def altaz(
        self, ra_rad: Array, dec_rad: Array, ut1: tuple[float, float | Array]
    ) -> tuple[Array, Array]:
        """Altitude and azimuth (from north through east) of CIRS positions.

        Parameters
        ----------
        ra_rad, dec_rad : ndarray of float64
            CIRS [rad].
        ut1 : tuple
            UT1, Julian date in two parts [d]; shapes broadcast.

        Returns
        -------
        altitude_rad, azimuth_rad : ndarray of float64
            Without refraction [rad].
        """
        azimuth, altitude = erfa.hd2ae(self.hour_angle(ra_rad, ut1), dec_rad, self.latitude_rad)
        return np.asarray(altitude), np.asarray(azimuth)

    def place_m(self) -> tuple[float, float, float]:
        """Where the observer stands from the Earth's centre, turning with it (WGS84) [m]."""
        x, y, z = erfa.gd2gc(1, self.longitude_rad, self.latitude_rad, self.height_m)
        return float(x), float(y), float(z)

    def topocentric(self, position_m: Array, ut1: tuple[float, Array]) -> Array:
        """Subtract the observer's own place from geocentric CIRS vectors [m]."""
        site = self.place_m()
        era = erfa.era00(*ut1)
        cos, sin = np.cos(era), np.sin(era)
        place = np.stack(
            [cos * site[0] - sin * site[1], sin * site[0] + cos * site[1], 0 * era + site[2]],
            axis=-1,
        )
        return np.asarray(position_m - place)

    def altaz_of(self, position_m: Array, ut1: tuple[float, Array]) -> tuple[Array, Array]:
        """Altitude and azimuth of geocentric CIRS vectors, parallax included."""
        ra, dec = erfa.c2s(self.topocentric(position_m, ut1))
        return self.altaz(ra, dec, ut1)


def airmass(altitude_rad: Array) -> Array:
    """Airmass by Kasten & Young (1989, Appl. Opt. 28, 4735); infinite below the horizon.

    Parameters
    ----------
    altitude_rad : ndarray of float64
        Without refraction [rad].

    Returns
    -------
    ndarray of float64
        At least 1 (the formula's 0.9997 at the zenith is taken as 1).
    """
    degrees = np.degrees(altitude_rad)
    up = degrees > 0
    safe = np.where(up, degrees, 1.0)
    value = 1.0 / (np.sin(np.radians(safe)) + 0.50572 * (safe + 6.07995) ** -1.6364)
    return np.asarray(np.where(up, np.maximum(value, 1.0), np.inf))


def separation(lon1: Array, lat1: Array, lon2: Array, lat2: Array) -> Array:
    """Angle between directions [rad], by Vincenty's formula (any distance)."""
    return np.asarray(erfa.seps(lon1, lat1, lon2, lat2))


def unit_vectors(lon_rad: Array, lat_rad: Array) -> Array:
    """Unit vectors (n, 3) of directions, in the system of their angles."""
    cos = np.cos(lat_rad)
    return np.stack([cos * np.cos(lon_rad), cos * np.sin(lon_rad), np.sin(lat_rad)], axis=-1)


def parallactic_angle(hour_angle_rad: Array, dec_rad: Array, latitude_rad: float) -> Array:
    """Angle at a field from north to the zenith, through east [rad], in (-pi, pi].

    Parameters
    ----------
    hour_angle_rad, dec_rad : ndarray of float64
        Of the field, CIRS [rad].
    latitude_rad : float
        Of the observer [rad].
    """
    return np.asarray(
        np.arctan2(
            np.sin(hour_angle_rad),
            np.tan(latitude_rad) * np.cos(dec_rad) - np.sin(dec_rad) * np.cos(hour_angle_rad),
        )
    )
