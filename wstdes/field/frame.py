"""From the sky to the focal plane of one visit, and back."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from wstdes.models.focalplane import apply_proper_motion, deproject, project
from wstdes.models.focalplane.distortion import Distortion

if TYPE_CHECKING:
    import numpy.typing as npt

    from wstdes.models.focalplane.refraction import Refraction

__all__ = ["CATALOGUE_EPOCH_YR", "Frame"]

CATALOGUE_EPOCH_YR = 2016.0
"""Epoch of positions where nobody says another: that of Gaia DR3 (Gaia Collaboration 2023)."""


@dataclass(frozen=True)
class Frame:
    """How the sky lies on the focal plane during one visit.

    Aberration is left out: the telescope's pointing takes it up but for a change of scale by at
    most 1e-4.

    Parameters
    ----------
    ra_rad, dec_rad : float
        Centre of the field (ICRS) [rad]. At a pole, `ra_rad` says which way north is.
    scale_m_per_rad : float
        Plate scale at the centre [m/rad].
    rotator_rad : float
        Position angle of the focal plane's +y, from north through east [rad].
    epoch_yr : float or None
        Julian year of the visit; None leaves targets where the catalogue has them.
    catalogue_epoch_yr : float
        Julian year of the catalogue's positions.
    distortion : Distortion
        Of the optics; none by default.
    refraction : Refraction or None
        Of the air; None for none.
    """

    ra_rad: float
    dec_rad: float
    scale_m_per_rad: float
    rotator_rad: float = 0.0
    epoch_yr: float | None = None
    catalogue_epoch_yr: float = CATALOGUE_EPOCH_YR
    distortion: Distortion = field(default_factory=Distortion)
    refraction: Refraction | None = None

    def to_plane(
        self,
        ra_rad: npt.ArrayLike,
        dec_rad: npt.ArrayLike,
        pmra_rad_per_yr: npt.ArrayLike | None = None,
        pmdec_rad_per_yr: npt.ArrayLike | None = None,
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
        """Where targets fall on the focal plane.

        Parameters
        ----------
        ra_rad, dec_rad : float64[...]
            Directions at the catalogue's epoch [rad].
        pmra_rad_per_yr, pmdec_rad_per_yr : float64[...], optional
            Proper motion [rad/yr]; the first with cos(dec) in it.

        Returns
        -------
        x_m, y_m : float64[...]
            Position on the focal plane [m]; with the rotator at zero x is east and y north. NaN
            where not visible.
        visible : bool[...]
            False beyond 90 degrees from the centre, the end of the distortion or of the air.
        """
        if self.epoch_yr is not None and pmra_rad_per_yr is not None:
            north = np.zeros(()) if pmdec_rad_per_yr is None else pmdec_rad_per_yr
            years = self.epoch_yr - self.catalogue_epoch_yr
            ra_rad, dec_rad = apply_proper_motion(ra_rad, dec_rad, pmra_rad_per_yr, north, years)
        x, y, _ = project(ra_rad, dec_rad, self.ra_rad, self.dec_rad, 1.0)
        if self.refraction is not None:
            x, y = self.refraction.apply(x, y)
        x, y = self._turn(x, y, self.rotator_rad)
        x, y = self.distortion.apply(x * self.scale_m_per_rad, y * self.scale_m_per_rad)
        return x, y, np.isfinite(x + y)

    def to_sky(
        self, x_m: npt.ArrayLike, y_m: npt.ArrayLike
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """The direction, at the epoch of the visit, that falls on a point of the focal plane.

        Parameters
        ----------
        x_m, y_m : float64[...]
            Position on the focal plane [m].

        Returns
        -------
        ra_rad, dec_rad : float64[...]
            Right ascension in [0, 2 pi) and declination [rad].
        """
        x, y = self.distortion.undo(x_m, y_m)
        x, y = self._turn(x / self.scale_m_per_rad, y / self.scale_m_per_rad, -self.rotator_rad)
        if self.refraction is not None:
            x, y = self.refraction.undo(x, y)
        return deproject(x, y, self.ra_rad, self.dec_rad, 1.0)

    def near(
        self, ra_rad: npt.NDArray[np.float64], dec_rad: npt.NDArray[np.float64], radius_m: float
    ) -> npt.NDArray[np.int64]:
        """Rows that may fall within a radius of the focal plane's centre, cheaply.

        Parameters
        ----------
        ra_rad, dec_rad : float64[t]
            Directions [rad].
        radius_m : float
            Radius on the focal plane [m].

        Returns
        -------
        int64[k]
            Rows in order. The margin, 3 % and 2 arcmin, takes in refraction and proper motion.
        """
        plane_m = float(self.distortion.undo(radius_m, 0.0)[0])
        if not math.isfinite(plane_m):
            plane_m = 1.1 * self.distortion.radius_m
        radius = math.atan(1.03 * plane_m / self.scale_m_per_rad) + math.radians(2.0 / 60.0)
        rows = np.flatnonzero(np.abs(dec_rad - self.dec_rad) <= radius)
        half = 0.5 * (ra_rad[rows] - self.ra_rad)
        cosines = math.cos(self.dec_rad) * np.cos(dec_rad[rows])
        haversine = np.sin(0.5 * (dec_rad[rows] - self.dec_rad)) ** 2 + cosines * np.sin(half) ** 2
        return np.asarray(rows[haversine <= math.sin(0.5 * radius) ** 2], dtype=np.int64)

    @staticmethod
    def _turn(
        x: npt.NDArray[np.float64], y: npt.NDArray[np.float64], angle_rad: float
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Coordinates along axes of which y stands at a position angle, from east and north."""
        sin, cos = math.sin(angle_rad), math.cos(angle_rad)
        return x * cos - y * sin, x * sin + y * cos
