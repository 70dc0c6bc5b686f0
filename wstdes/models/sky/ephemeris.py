"""Where the Sun, the Moon and the fields of a night stand.

ERFA computes everything. Fields are brought from ICRS to CIRS once a night; within the night only
the Earth rotation angle changes, which costs less than an arcsecond. Polar motion, refraction and
diurnal aberration (together below an arcsecond but for refraction) are left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import erfa
import numpy as np
from numpy.typing import NDArray

__all__ = ["Horizon", "airmass", "moon", "separation", "sun", "sun_crossings", "to_cirs"]

Array = NDArray[np.float64]
_AU_M = 149597870700.0


def to_cirs(ra_rad: Array, dec_rad: Array, tt_jd: tuple[float, float]) -> tuple[Array, Array]:
    """Bring catalogue positions to the celestial intermediate system of date.

    Light deflection, annual aberration, precession and nutation (IAU 2006/2000A) are in.

    Parameters
    ----------
    ra_rad, dec_rad : ndarray of float64, shape (n,)
        ICRS [rad].
    tt_jd : tuple of float
        Terrestrial Time, Julian date in two parts [d].

    Returns
    -------
    ra_rad, dec_rad : ndarray of float64, shape (n,)
        CIRS [rad].
    """
    astrom, _ = erfa.apci13(*tt_jd)
    ra, dec = erfa.atciqz(ra_rad, dec_rad, astrom)
    return np.asarray(ra), np.asarray(dec)


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


def moon(tt1: float, tt2: Array) -> Array:
    """Position of the Moon's centre from the Earth's, in CIRS.

    Parameters
    ----------
    tt1, tt2 : float, ndarray of float64, shape (n,)
        Terrestrial Time, Julian date in two parts [d].

    Returns
    -------
    ndarray of float64, shape (n, 3)
        Vectors [m], by Meeus' series as ERFA has it (10 arcsec).
    """
    position = erfa.moon98(tt1, tt2)["p"] * _AU_M
    return np.asarray(position @ _to_intermediate(tt1, tt2).T)


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

    def topocentric(self, position_m: Array, ut1: tuple[float, Array]) -> Array:
        """Subtract the observer's own place from geocentric CIRS vectors [m]."""
        site = erfa.gd2gc(1, self.longitude_rad, self.latitude_rad, self.height_m)
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


def sun_crossings(
    horizon: Horizon, altitude_rad: float, noon: tuple[float, float, float]
) -> tuple[float, float] | None:
    """When the Sun sinks below an altitude after a noon, and rises above it again.

    Parameters
    ----------
    horizon : Horizon
        The observer.
    altitude_rad : float
        Of the Sun's centre [rad].
    noon : tuple of float
        UT1 in two parts, and TT minus UT1, at the noon [d].

    Returns
    -------
    tuple of float or None
        Seconds after the noon; the whole day where the Sun stays below the altitude, None where
        it stays above.
    """
    jd1, jd2, offset = noon
    t_s = np.arange(0.0, 86401.0, 120.0)
    ut2 = jd2 + t_s / 86400.0
    altitude, _ = horizon.altaz_of(sun(jd1, ut2 + offset), (jd1, ut2))
    below = altitude < altitude_rad
    if below.all():
        return 0.0, 86400.0
    change = np.flatnonzero(below[1:] != below[:-1])
    if not below.any():
        return None

    def cross(i: int) -> float:
        share = (altitude_rad - altitude[i]) / (altitude[i + 1] - altitude[i])
        return float(t_s[i] + share * 120.0)

    begin = 0.0 if below[0] else cross(int(change[0]))
    end = 86400.0 if below[-1] else cross(int(change[-1]))
    return begin, end


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
