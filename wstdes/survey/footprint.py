"""The part of the sky that a survey may take its targets from."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Footprint", "galactic_latitude"]

FloatArray = NDArray[np.float64]

# Third row of the matrix from ICRS to Galactic: the north Galactic pole, ICRS right ascension
# 192.85948 deg and declination +27.12825 deg (ESA 1997, The Hipparcos and Tycho Catalogues,
# ESA SP-1200, vol. 1, section 1.5.3).
_POLE = np.array([-0.8676661490190047, -0.1980763734312015, 0.4559837761750669])


def galactic_latitude(ra_rad: ArrayLike, dec_rad: ArrayLike) -> FloatArray:
    """Return the Galactic latitude of ICRS positions.

    Parameters
    ----------
    ra_rad, dec_rad : float64[...]
        ICRS position [rad].

    Returns
    -------
    float64[...]
        Latitude [rad] by the Hipparcos matrix (ESA SP-1200, vol. 1, eq. 1.5.11).
    """
    cos_dec = np.cos(dec_rad)
    sine = (
        _POLE[0] * cos_dec * np.cos(ra_rad)
        + _POLE[1] * cos_dec * np.sin(ra_rad)
        + _POLE[2] * np.sin(dec_rad)
    )
    return np.asarray(np.arcsin(np.clip(sine, -1.0, 1.0)), dtype=np.float64)


@dataclass(frozen=True)
class Footprint:
    """A band of declination, and one of Galactic latitude on both sides of the plane.

    Parameters
    ----------
    dec_min_rad, dec_max_rad : float
        Declination [rad]; both ends belong to it.
    galactic_latitude_min_rad, galactic_latitude_max_rad : float
        Limits of abs(b) [rad]: (30 deg, 90 deg) keeps away from the Milky Way, (0, 20 deg) stays
        in it.

    Raises
    ------
    ValueError
        If a lower limit is above its upper limit, or a limit is no such angle.
    """

    dec_min_rad: float = -0.5 * math.pi
    dec_max_rad: float = 0.5 * math.pi
    galactic_latitude_min_rad: float = 0.0
    galactic_latitude_max_rad: float = 0.5 * math.pi

    def __post_init__(self) -> None:
        quarter = 0.5 * math.pi + 1e-12
        if not -quarter <= self.dec_min_rad <= self.dec_max_rad <= quarter:
            raise ValueError(
                f"declinations [{self.dec_min_rad}, {self.dec_max_rad}] rad: "
                "need -pi/2 <= minimum <= maximum <= pi/2"
            )
        low, high = self.galactic_latitude_min_rad, self.galactic_latitude_max_rad
        if not 0.0 <= low <= high <= quarter:
            raise ValueError(
                f"Galactic latitudes [{low}, {high}] rad: these limit |b|, "
                "need 0 <= minimum <= maximum <= pi/2"
            )

    def holds_cone(self, ra_rad: float, dec_rad: float, radius_rad: float) -> bool:
        """Whether a whole cone is inside: a quick test that may say no for one that just is."""
        latitude = abs(float(galactic_latitude(ra_rad, dec_rad)))
        low, high = self.galactic_latitude_min_rad, self.galactic_latitude_max_rad
        return (
            dec_rad - radius_rad >= self.dec_min_rad
            and dec_rad + radius_rad <= self.dec_max_rad
            and (low <= 0.0 or latitude - radius_rad >= low)
            and (high >= 0.5 * math.pi or latitude + radius_rad <= high)
        )

    def contains(self, ra_rad: ArrayLike, dec_rad: ArrayLike) -> NDArray[np.bool_]:
        """Say which ICRS positions [rad] are inside, bool of the shape of `ra_rad`."""
        ra_rad, dec_rad = np.broadcast_arrays(ra_rad, dec_rad)
        inside = (dec_rad >= self.dec_min_rad) & (dec_rad <= self.dec_max_rad)
        if self.galactic_latitude_min_rad > 0.0 or self.galactic_latitude_max_rad < 0.5 * math.pi:
            latitude = np.abs(galactic_latitude(ra_rad, dec_rad))
            inside &= latitude >= self.galactic_latitude_min_rad
            inside &= latitude <= self.galactic_latitude_max_rad
        return np.asarray(inside, dtype=np.bool_)
