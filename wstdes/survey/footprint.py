"""The part of the sky that a survey may take its targets from."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Footprint", "Region", "ecliptic_latitude", "galactic_latitude"]

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

_QUARTER = 0.5 * math.pi
_TURN = 2.0 * math.pi

# Third row of the matrix from ICRS to Galactic: the north Galactic pole, ICRS right ascension
# 192.85948 deg and declination +27.12825 deg (ESA 1997, The Hipparcos and Tycho Catalogues,
# ESA SP-1200, vol. 1, section 1.5.3).
_POLE = np.array([-0.8676661490190047, -0.1980763734312015, 0.4559837761750669])

# Mean obliquity of the ecliptic at J2000.0 (IAU 2006; Capitaine et al. 2003, A&A 412, 567). The
# frame bias of ICRS, 23 mas, is left out.
_OBLIQUITY = math.radians(84381.406 / 3600.0)


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


def ecliptic_latitude(ra_rad: ArrayLike, dec_rad: ArrayLike) -> FloatArray:
    """Return the ecliptic latitude (mean ecliptic of J2000.0) of ICRS positions [rad]."""
    sine = math.cos(_OBLIQUITY) * np.sin(dec_rad) - math.sin(_OBLIQUITY) * np.cos(dec_rad) * np.sin(
        ra_rad
    )
    return np.asarray(np.arcsin(np.clip(sine, -1.0, 1.0)), dtype=np.float64)


class Region(Protocol):
    """A part of the sky."""

    def contains(self, ra_rad: ArrayLike, dec_rad: ArrayLike) -> BoolArray:
        """Say which ICRS positions [rad] are inside, bool of the shape of `ra_rad`."""

    def holds_cone(self, ra_rad: float, dec_rad: float, radius_rad: float) -> bool:
        """Whether a whole cone is inside: a quick test that may say no for one that just is."""

    def misses_cone(self, ra_rad: float, dec_rad: float, radius_rad: float) -> bool:
        """Whether a whole cone is outside: a quick test that may say no for one that just is."""

    def anchors(self) -> FloatArray:
        """Positions (ra, dec) [rad], shape (n, 2), without which a small part may be missed."""


@dataclass(frozen=True)
class Footprint:
    """Bands of declination, right ascension, Galactic and ecliptic latitude, and other shapes.

    A position is inside if it keeps all limits, lies in one of `include` (if there are any) and
    in none of `exclude`.

    Parameters
    ----------
    dec_min_rad, dec_max_rad : float
        Declination [rad]; both ends belong to it.
    galactic_latitude_min_rad, galactic_latitude_max_rad : float
        Limits of abs(b) [rad]: (30 deg, 90 deg) keeps away from the Milky Way, (0, 20 deg) stays
        in it.
    ra_min_rad, ra_max_rad : float
        Right ascension from the first eastward to the second, through 0 if need be [rad].
    ecliptic_latitude_min_rad, ecliptic_latitude_max_rad : float
        Ecliptic latitude [rad], negative in the south.
    include, exclude : tuple of Region
        Parts of the sky that belong to it, and that do not.

    Raises
    ------
    ValueError
        If a lower limit is above its upper limit, or a limit is no such angle.
    """

    dec_min_rad: float = -_QUARTER
    dec_max_rad: float = _QUARTER
    galactic_latitude_min_rad: float = 0.0
    galactic_latitude_max_rad: float = _QUARTER
    ra_min_rad: float = 0.0
    ra_max_rad: float = _TURN
    ecliptic_latitude_min_rad: float = -_QUARTER
    ecliptic_latitude_max_rad: float = _QUARTER
    include: tuple[Region, ...] = ()
    exclude: tuple[Region, ...] = ()

    def __post_init__(self) -> None:
        quarter = _QUARTER + 1e-12
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
        low, high = self.ecliptic_latitude_min_rad, self.ecliptic_latitude_max_rad
        if not -quarter <= low <= high <= quarter:
            raise ValueError(
                f"ecliptic latitudes [{low}, {high}] rad: need -pi/2 <= minimum <= maximum <= pi/2"
            )
        if not all(-_TURN <= x <= _TURN for x in (self.ra_min_rad, self.ra_max_rad)):
            raise ValueError("right ascensions: need values within one turn")

    @property
    def _ra_width(self) -> float:
        """Extent in right ascension [rad]; two pi: no limit."""
        width = self.ra_max_rad - self.ra_min_rad
        return _TURN if abs(width) >= _TURN - 1e-12 else width % _TURN

    def contains(self, ra_rad: ArrayLike, dec_rad: ArrayLike) -> BoolArray:
        """Say which ICRS positions [rad] are inside, bool of the shape of `ra_rad`."""
        ra_rad, dec_rad = np.broadcast_arrays(ra_rad, dec_rad)
        inside = (dec_rad >= self.dec_min_rad) & (dec_rad <= self.dec_max_rad)
        if self.galactic_latitude_min_rad > 0.0 or self.galactic_latitude_max_rad < _QUARTER:
            latitude = np.abs(galactic_latitude(ra_rad, dec_rad))
            inside &= latitude >= self.galactic_latitude_min_rad
            inside &= latitude <= self.galactic_latitude_max_rad
        if self._ra_width < _TURN:
            inside &= np.mod(ra_rad - self.ra_min_rad, _TURN) <= self._ra_width
        low, high = self.ecliptic_latitude_min_rad, self.ecliptic_latitude_max_rad
        if low > -_QUARTER or high < _QUARTER:
            latitude = ecliptic_latitude(ra_rad, dec_rad)
            inside &= (latitude >= low) & (latitude <= high)
        if self.include:
            inside &= np.any([part.contains(ra_rad, dec_rad) for part in self.include], axis=0)
        for part in self.exclude:
            inside &= ~part.contains(ra_rad, dec_rad)
        return np.asarray(inside, dtype=np.bool_)

    def holds_cone(self, ra_rad: float, dec_rad: float, radius_rad: float) -> bool:
        """Whether a whole cone is inside: a quick test that may say no for one that just is."""
        return (
            all(low is None or low >= radius_rad for low in self._margins(ra_rad, dec_rad))
            and (
                not self.include
                or any(part.holds_cone(ra_rad, dec_rad, radius_rad) for part in self.include)
            )
            and all(part.misses_cone(ra_rad, dec_rad, radius_rad) for part in self.exclude)
        )

    def misses_cone(self, ra_rad: float, dec_rad: float, radius_rad: float) -> bool:
        """Whether a whole cone is outside: a quick test that may say no for one that just is."""
        if any(low is not None and -low > radius_rad for low in self._margins(ra_rad, dec_rad)):
            return True
        if self.include and all(
            part.misses_cone(ra_rad, dec_rad, radius_rad) for part in self.include
        ):
            return True
        return any(part.holds_cone(ra_rad, dec_rad, radius_rad) for part in self.exclude)

    def anchors(self) -> FloatArray:
        """Positions (ra, dec) [rad], shape (n, 2), without which a small part may be missed."""
        found = [part.anchors() for part in (*self.include, *self.exclude)]
        width = self._ra_width
        ra = self.ra_min_rad + width * np.array([0.25, 0.5, 0.75])
        dec = np.linspace(self.dec_min_rad, self.dec_max_rad, 5)[1:-1]
        own = np.stack(np.meshgrid(ra, dec), axis=-1).reshape(-1, 2)
        return np.concatenate([*found, own])

    def _margins(self, ra_rad: float, dec_rad: float) -> list[float | None]:
        """Distance of a position inside each limit, negative outside; None where there is none."""
        margins: list[float | None] = [
            dec_rad - self.dec_min_rad if self.dec_min_rad > -_QUARTER + 1e-9 else None,
            self.dec_max_rad - dec_rad if self.dec_max_rad < _QUARTER - 1e-9 else None,
        ]
        low, high = self.galactic_latitude_min_rad, self.galactic_latitude_max_rad
        if low > 0.0 or high < _QUARTER:
            latitude = abs(float(galactic_latitude(ra_rad, dec_rad)))
            margins.append(latitude - low if low > 0.0 else None)
            margins.append(high - latitude if high < _QUARTER else None)
        low, high = self.ecliptic_latitude_min_rad, self.ecliptic_latitude_max_rad
        if low > -_QUARTER or high < _QUARTER:
            latitude = float(ecliptic_latitude(ra_rad, dec_rad))
            margins.append(latitude - low if low > -_QUARTER else None)
            margins.append(high - latitude if high < _QUARTER else None)
        if self._ra_width < _TURN:
            margins.append(self._ra_margin(ra_rad, dec_rad))
        return margins

    def _ra_margin(self, ra_rad: float, dec_rad: float) -> float:
        """Distance to the nearer meridian that bounds it, negative outside [rad]."""
        east = (ra_rad - self.ra_min_rad) % _TURN
        inside = east <= self._ra_width
        steps = (ra_rad - self.ra_min_rad, ra_rad - self.ra_max_rad)
        nearest = min(
            math.asin(min(1.0, math.cos(dec_rad) * abs(math.sin(step))))
            if math.cos(step) > 0.0
            else _QUARTER - abs(dec_rad)
            for step in steps
        )
        return nearest if inside else -nearest
