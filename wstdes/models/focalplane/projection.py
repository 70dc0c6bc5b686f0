"""From the sky to the tangent plane and back, and the sky's own motion.

All angles are in radians, right ascension to the east, in one frame and at one epoch: the
caller applies aberration and refraction, or leaves them out.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["apply_proper_motion", "deproject", "project"]

_HORIZON = 1e-12
"""Cosine below which a point counts as 90 degrees away: rounding leaves 6e-17 there."""


def project(
    ra_rad: npt.ArrayLike,
    dec_rad: npt.ArrayLike,
    ra0_rad: float,
    dec0_rad: float,
    scale_m_per_rad: float,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Gnomonic projection of the sky onto the plane that touches it at (ra0, dec0).

    Parameters
    ----------
    ra_rad, dec_rad : float64[...]
        Directions [rad]; broadcast against each other.
    ra0_rad, dec0_rad : float
        Tangent point [rad]. At a pole, `ra0_rad` says which way north is: the limit of the
        meridian `ra0_rad` towards that pole.
    scale_m_per_rad : float
        Plate scale at the centre [m/rad].

    Returns
    -------
    x_m, y_m : float64[...]
        Position on the plane [m], x to the east and y to the north; NaN where not visible.
    visible : bool[...]
        Whether the direction is less than 90 degrees from the tangent point.

    Notes
    -----
    Calabretta & Greisen 2002, A&A 395, 1077, section 5.1.3 (TAN).
    """
    ra, dec = np.asarray(ra_rad, dtype=np.float64), np.asarray(dec_rad, dtype=np.float64)
    sin_dec, cos_dec = np.sin(dec), np.cos(dec)
    sin_0, cos_0 = math.sin(dec0_rad), math.cos(dec0_rad)
    east = cos_dec * np.sin(ra - ra0_rad)
    meridian = cos_dec * np.cos(ra - ra0_rad)
    north = cos_0 * sin_dec - sin_0 * meridian
    towards = sin_0 * sin_dec + cos_0 * meridian
    visible = np.asarray(towards > _HORIZON)
    scale = np.divide(scale_m_per_rad, towards, out=np.full(towards.shape, np.nan), where=visible)
    return np.asarray(east * scale), np.asarray(north * scale), visible


def deproject(
    x_m: npt.ArrayLike,
    y_m: npt.ArrayLike,
    ra0_rad: float,
    dec0_rad: float,
    scale_m_per_rad: float,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """The direction that :func:`project` puts at a point of the plane.

    Parameters
    ----------
    x_m, y_m : float64[...]
        Position on the plane [m], x to the east and y to the north.
    ra0_rad, dec0_rad : float
        Tangent point [rad], as for :func:`project`.
    scale_m_per_rad : float
        Plate scale at the centre [m/rad].

    Returns
    -------
    ra_rad : float64[...]
        Right ascension [rad], in [0, 2 pi).
    dec_rad : float64[...]
        Declination [rad].
    """
    east = np.asarray(x_m, dtype=np.float64) / scale_m_per_rad
    north = np.asarray(y_m, dtype=np.float64) / scale_m_per_rad
    sin_0, cos_0 = math.sin(dec0_rad), math.cos(dec0_rad)
    meridian = cos_0 - north * sin_0
    up = sin_0 + north * cos_0
    dec = np.arctan2(up, np.hypot(meridian, east))
    return _turn(ra0_rad + np.arctan2(east, meridian)), dec


def apply_proper_motion(
    ra_rad: npt.ArrayLike,
    dec_rad: npt.ArrayLike,
    pmra_rad_per_yr: npt.ArrayLike,
    pmdec_rad_per_yr: npt.ArrayLike,
    years: npt.ArrayLike,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Where a star of a given proper motion is after some years.

    The unit vector moves along its tangent at a constant speed and is scaled back to the sphere:
    straight motion through space without a radial velocity. It works at the poles, where east
    and north are those of the star's right ascension.

    Parameters
    ----------
    ra_rad, dec_rad : float64[...]
        Direction at the catalogue's epoch [rad].
    pmra_rad_per_yr : float64[...]
        Proper motion to the east, with the factor cos(dec) in it [rad/yr].
    pmdec_rad_per_yr : float64[...]
        Proper motion to the north [rad/yr].
    years : float64[...]
        Julian years since that epoch; may be negative.

    Returns
    -------
    ra_rad : float64[...]
        Right ascension [rad], in [0, 2 pi).
    dec_rad : float64[...]
        Declination [rad].

    Notes
    -----
    ESA 1997, The Hipparcos and Tycho Catalogues, vol. 1, section 1.5.5, without parallax.
    """
    ra, dec = np.asarray(ra_rad, dtype=np.float64), np.asarray(dec_rad, dtype=np.float64)
    span = np.asarray(years, dtype=np.float64)
    east = np.asarray(pmra_rad_per_yr, dtype=np.float64) * span
    north = np.asarray(pmdec_rad_per_yr, dtype=np.float64) * span
    meridian = np.cos(dec) - north * np.sin(dec)
    up = np.sin(dec) + north * np.cos(dec)
    moved = np.arctan2(up, np.hypot(meridian, east))
    return _turn(ra + np.arctan2(east, meridian)), np.asarray(moved)


def _turn(angle_rad: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The same angle in [0, 2 pi)."""
    turned = np.mod(angle_rad, 2.0 * np.pi)
    return np.where(turned < 2.0 * np.pi, turned, 0.0)
