"""Differential refraction: how the air shifts the targets of a field against its centre.

The telescope points where the field's centre appears, so the centre stays where it is; away from
it the field is squeezed towards the horizon. Refraction follows A tan z + B tan^3 z of the
observed zenith distance z, with A and B by ERFA's ``refco`` (Green 1987, Spherical Astronomy,
section 4.3; IAG 1999 refractivity): within 62 mas of ray tracing to z = 75 deg.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

__all__ = ["LOWEST_RAD", "Refraction", "pressure_at", "zenith_of"]

LOWEST_RAD = math.radians(80.0)
"""Zenith distance beyond which nothing is refracted here: the formula ends there."""

_STEPS = 6


@dataclass(frozen=True)
class Refraction:
    """The air over a field.

    Parameters
    ----------
    zenith_distance_rad : float
        Of the field's centre, without refraction [rad].
    zenith_angle_rad : float
        Position angle of the zenith at the field's centre, from north through east: the
        parallactic angle, positive west of the meridian [rad].
    pressure_pa : float
        Pressure at the telescope [Pa]; zero for no air.
    temperature_k : float
        Temperature there [K].
    humidity : float
        Relative humidity, 0 to 1.
    wavelength_m : float
        Wavelength for which the targets are to be in place [m].
    guide_wavelength_m : float or None
        Wavelength that holds the centre in place [m]; the same as the other by default.

    Raises
    ------
    ValueError
        If a number is out of its range.
    """

    zenith_distance_rad: float
    zenith_angle_rad: float = 0.0
    pressure_pa: float = 74400.0
    temperature_k: float = 285.0
    humidity: float = 0.15
    wavelength_m: float = 550e-9
    guide_wavelength_m: float | None = None

    def __post_init__(self) -> None:
        if not 0.0 <= self.zenith_distance_rad <= LOWEST_RAD - math.radians(2.0):
            angle = math.degrees(self.zenith_distance_rad)
            raise ValueError(f"a field at {angle:.1f} deg from the zenith is not in 0 to 78 deg")
        guide = self.wavelength_m if self.guide_wavelength_m is None else self.guide_wavelength_m
        if not (1e-7 <= self.wavelength_m <= 1e-4 and 1e-7 <= guide <= 1e-4):
            raise ValueError(f"wavelengths must be in 0.1 to 100 um: {self.wavelength_m}, {guide}")
        if not (0.0 <= self.humidity <= 1.0 and 0.0 <= self.pressure_pa < 2e5):
            raise ValueError(f"no such air: {self.pressure_pa} Pa, humidity {self.humidity}")
        if not math.isfinite(self.zenith_angle_rad + self.temperature_k):
            raise ValueError("the zenith's angle and the temperature must be finite")

    def constants(self, wavelength_m: float) -> tuple[float, float]:
        """A and B of the refraction A tan z + B tan^3 z [rad] at a wavelength [m]."""
        from erfa import refco

        celsius = self.temperature_k - 273.15
        a, b = refco(0.01 * self.pressure_pa, celsius, self.humidity, 1e6 * wavelength_m)
        return float(a), float(b)

    def apply(
        self, x: npt.ArrayLike, y: npt.ArrayLike
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Where directions of the tangent plane appear, with the centre held in place.

        Parameters
        ----------
        x, y : float64[...]
            Gnomonic coordinates about the centre, to the east and to the north [rad].

        Returns
        -------
        x, y : float64[...]
            The same of the observed directions; NaN lower than `LOWEST_RAD` from the zenith.
        """
        return self._shift(x, y, forward=True)

    def undo(
        self, x: npt.ArrayLike, y: npt.ArrayLike
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Take :meth:`apply` back; the same parameters and returns, the other way."""
        return self._shift(x, y, forward=False)

    def _shift(
        self, x: npt.ArrayLike, y: npt.ArrayLike, *, forward: bool
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        east, north = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
        sin_q, cos_q = math.sin(self.zenith_angle_rad), math.cos(self.zenith_angle_rad)
        # in the plane of the vertical circle: along it towards the zenith, and across
        up, across = east * sin_q + north * cos_q, east * cos_q - north * sin_q
        a, b = self.constants(self.wavelength_m)
        guide = self.wavelength_m if self.guide_wavelength_m is None else self.guide_wavelength_m
        seen = _observed(np.array(self.zenith_distance_rad), *self.constants(guide))
        true, seen_0 = self.zenith_distance_rad, float(seen)
        if forward:
            up, across = _tilt(up, across, true, seen_0, a, b, _observed)
        else:
            up, across = _tilt(up, across, seen_0, true, a, b, _true)
        return up * sin_q + across * cos_q, up * cos_q - across * sin_q


def _tilt(
    up: npt.NDArray[np.float64],
    across: npt.NDArray[np.float64],
    from_rad: float,
    to_rad: float,
    a: float,
    b: float,
    change: Callable[[npt.NDArray[np.float64], float, float], npt.NDArray[np.float64]],
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Change zenith distances about a centre at `from_rad`, and see them from one at `to_rad`."""
    sin, cos = math.sin(from_rad), math.cos(from_rad)
    # horizontal towards and across the centre, and vertical, up to a common length
    h, v = sin - up * cos, cos + up * sin
    flat = np.hypot(h, across)
    new = change(np.arctan2(flat, v), a, b)
    scale = np.divide(np.sin(new), flat, out=np.zeros_like(flat), where=flat > 0.0)
    h, side, v = h * scale, across * scale, np.cos(new)
    sin, cos = math.sin(to_rad), math.cos(to_rad)
    along = h * sin + v * cos
    return (v * sin - h * cos) / along, side / along


def _true(z: npt.NDArray[np.float64], a: float, b: float) -> npt.NDArray[np.float64]:
    """Zenith distance without air of an observed one; NaN where it is too low."""
    tan = np.tan(np.where(z <= LOWEST_RAD, z, np.nan))
    return np.asarray(z + a * tan + b * tan**3)


def _observed(z: npt.NDArray[np.float64], a: float, b: float) -> npt.NDArray[np.float64]:
    """Observed zenith distance of one without air, by Newton's method; NaN where it is too low."""
    true = np.where(z <= LOWEST_RAD, z, np.nan)
    seen = true
    for _ in range(_STEPS):
        tan = np.tan(seen)
        slope = 1.0 + (a + 3.0 * b * tan * tan) * (1.0 + tan * tan)
        step = (seen + a * tan + b * tan**3 - true) / slope
        seen = seen - step
        if not np.any(np.abs(step) > 1e-15):
            break
    return seen


def zenith_of(hour_angle_rad: float, dec_rad: float, latitude_rad: float) -> tuple[float, float]:
    """Zenith distance and position angle of the zenith of a direction.

    Parameters
    ----------
    hour_angle_rad, dec_rad : float
        The direction [rad]; hour angles are positive in the west.
    latitude_rad : float
        Of the telescope [rad].

    Returns
    -------
    zenith_distance_rad, zenith_angle_rad : float
        As in :class:`Refraction` [rad].
    """
    from erfa import hd2ae, hd2pa

    altitude = float(hd2ae(hour_angle_rad, dec_rad, latitude_rad)[1])
    return 0.5 * math.pi - altitude, float(hd2pa(hour_angle_rad, dec_rad, latitude_rad))


def pressure_at(height_m: float) -> float:
    """Mean pressure at a height above the sea [Pa]: the standard atmosphere (ICAO Doc 7488)."""
    return 101325.0 * float((1.0 - 2.25577e-5 * height_m) ** 5.25588)
