"""The optics' distortion: where a direction of the tangent plane falls on the focal plane.

A corrector's plate scale changes with the distance from the axis. The model is an odd polynomial
of the radius, so it is smooth at the centre and turns nothing:

    r = s (1 + k3 (s/R)^2 + k5 (s/R)^4 + ...),

where s is the radius of the gnomonic projection [m] and R the radius at which the coefficients are
the relative displacement. No coefficients mean no distortion: the gnomonic projection itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["DESI", "Distortion"]

_STEPS = 50
_EXACT_M = 1e-13


@dataclass(frozen=True)
class Distortion:
    """A radial distortion.

    Parameters
    ----------
    radius_m : float
        Radius R of the formula above, on the undistorted plane [m]; the model holds to there.
    coefficients : tuple of float
        k3, k5, ...: relative displacement at R by each odd power.

    Raises
    ------
    ValueError
        If a number is not finite, R is not positive, or two radii up to 1.1 R meet.
    """

    radius_m: float = 1.0
    coefficients: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if not (np.isfinite(self.radius_m) and self.radius_m > 0.0):
            raise ValueError(f"the radius of a distortion must be positive, not {self.radius_m}")
        if not np.isfinite(self.coefficients).all():
            raise ValueError(f"coefficients of a distortion must be finite: {self.coefficients}")
        if (self._slope(np.linspace(0.0, 1.1, 111) ** 2) <= 0.0).any():
            raise ValueError(f"this distortion folds the field: {self.coefficients}")

    def apply(
        self, x_m: npt.ArrayLike, y_m: npt.ArrayLike
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """From the tangent plane to the focal plane.

        Parameters
        ----------
        x_m, y_m : float64[...]
            Position on the gnomonic plane [m].

        Returns
        -------
        x_m, y_m : float64[...]
            Position on the focal plane [m]; NaN beyond the radius where the model ends, 1.1 R,
            if there are coefficients.
        """
        x, y = np.asarray(x_m, dtype=np.float64), np.asarray(y_m, dtype=np.float64)
        if not self.coefficients:
            return x, y
        square = (x * x + y * y) / self.radius_m**2
        factor = np.where(square <= 1.1**2, self._factor(square), np.nan)
        return x * factor, y * factor

    def undo(
        self, x_m: npt.ArrayLike, y_m: npt.ArrayLike
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """From the focal plane to the tangent plane, by Newton's method to well below 1 nm.

        Parameters
        ----------
        x_m, y_m : float64[...]
            Position on the focal plane [m].

        Returns
        -------
        x_m, y_m : float64[...]
            Position on the gnomonic plane [m]; NaN beyond the end of the model.
        """
        x, y = np.asarray(x_m, dtype=np.float64), np.asarray(y_m, dtype=np.float64)
        if not self.coefficients:
            return x, y
        wanted = np.hypot(x, y) / self.radius_m
        end = 1.1 * float(self._factor(np.array(1.1**2)))
        u = np.minimum(wanted * (1.1 / end), 1.1)
        for _ in range(_STEPS):
            step = (u * self._factor(u * u) - wanted) / self._slope(u * u)
            u = np.clip(u - step, 0.0, 1.1)
            if not np.any(np.abs(step[wanted <= end]) * self.radius_m > _EXACT_M):
                break
        far = wanted > end * (1.0 + 1e-12)
        factor = np.divide(u, wanted, out=np.ones_like(u), where=wanted > 0.0)
        factor = np.where(far, np.nan, factor)
        return x * factor, y * factor

    def _factor(self, square: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Distorted over undistorted radius, of (s/R)^2."""
        value = np.polynomial.polynomial.polyval(square, (1.0, *self.coefficients))
        return np.asarray(value, dtype=np.float64)

    def _slope(self, square: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Derivative of the distorted by the undistorted radius, of (s/R)^2."""
        terms = [(2 * i + 1) * k for i, k in enumerate((1.0, *self.coefficients))]
        return np.asarray(np.polynomial.polynomial.polyval(square, terms), dtype=np.float64)


DESI = Distortion(radius_m=0.38909, coefficients=(0.041980, 0.001457))
"""DESI's, to go with 13.9298 m/rad: fitted within 22 um, to 1.63 deg, to the radius in mm of
fiberassign (github.com/desihub/fiberassign, `Hardware::radial_ang2dist`), which is
8.297e5 t^3 - 1750 t^2 + 13940 t for an angle t in radians from the axis."""
