"""How bright the sky is: dark sky, moonlight, the end of twilight."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["moonlight_nl", "sky_brightness", "twilight_excess"]

Array = NDArray[np.float64]


def _nanolambert(mag: float) -> float:
    """Surface brightness [nL] of V mag/arcsec2 (Krisciunas & Schaefer 1991, eq. 1)."""
    return float(34.08 * np.exp(20.7233 - 0.92104 * mag))


def _scattering_path(zenith_rad: Array) -> Array:
    """Path length of scattered light (Krisciunas & Schaefer 1991, eq. 3)."""
    return np.asarray((1.0 - 0.96 * np.sin(zenith_rad) ** 2) ** -0.5)


def moonlight_nl(
    separation_rad: Array,
    moon_altitude_rad: float,
    phase_rad: float,
    altitude_rad: Array,
    extinction_mag: float,
) -> Array:
    """Scattered moonlight by Krisciunas & Schaefer (1991, PASP 103, 1033, eqs. 15 to 21).

    Parameters
    ----------
    separation_rad : ndarray of float64
        Angle between field and Moon [rad].
    moon_altitude_rad : float
        Of the Moon; no light from below the horizon [rad].
    phase_rad : float
        Phase angle, 0 at full Moon [rad].
    altitude_rad : ndarray of float64
        Of the field [rad].
    extinction_mag : float
        Per airmass in V.

    Returns
    -------
    ndarray of float64
        Surface brightness [nL]; good to about 20 %.
    """
    if moon_altitude_rad <= 0:
        return np.zeros_like(separation_rad)
    alpha = abs(np.degrees(phase_rad))
    illuminance = 10 ** (-0.4 * (3.84 + 0.026 * alpha + 4e-9 * alpha**4))
    rho = np.degrees(separation_rad)
    rayleigh = 10**5.36 * (1.06 + np.cos(separation_rad) ** 2)
    mie = np.where(rho < 10.0, 6.2e7 / np.maximum(rho, 0.5) ** 2, 10 ** (6.15 - rho / 40.0))
    to_moon = _scattering_path(np.asarray(np.pi / 2 - moon_altitude_rad))
    to_field = _scattering_path(np.pi / 2 - altitude_rad)
    absorbed = 10 ** (-0.4 * extinction_mag * to_moon)
    scattered = 1.0 - 10 ** (-0.4 * extinction_mag * to_field)
    return np.asarray((rayleigh + mie) * illuminance * absorbed * scattered)


def twilight_excess(sun_altitude_rad: float) -> float:
    """Twilight over dark sky; assumed to fall by a magnitude a degree to 5 % at -18 deg."""
    degrees = np.degrees(sun_altitude_rad)
    return float(0.05 * 10 ** (0.4 * (degrees + 18.0))) if degrees > -22.0 else 0.0


def sky_brightness(
    altitude_rad: Array,
    separation_rad: Array,
    moon_altitude_rad: float,
    phase_rad: float,
    sun_altitude_rad: float,
    extinction_mag: float,
    dark_mag: float,
) -> Array:
    """Sky brightness over that of the dark zenith.

    Parameters
    ----------
    altitude_rad, separation_rad : ndarray of float64
        Of the fields, and from them to the Moon [rad].
    moon_altitude_rad, phase_rad, sun_altitude_rad : float
        Of Moon and Sun [rad].
    extinction_mag : float
        Per airmass in V.
    dark_mag : float
        V mag/arcsec2 at the zenith without Moon.

    Returns
    -------
    ndarray of float64
        1 is a dark zenith; larger is brighter.
    """
    zenith = np.pi / 2 - np.maximum(altitude_rad, 0.02)
    path = _scattering_path(zenith)
    dark = path * 10 ** (-0.4 * extinction_mag * (path - 1.0))
    moon = moonlight_nl(
        separation_rad,
        moon_altitude_rad,
        phase_rad,
        np.maximum(altitude_rad, 0.02),
        extinction_mag,
    )
    return np.asarray(
        dark * (1.0 + twilight_excess(sun_altitude_rad)) + moon / _nanolambert(dark_mag)
    )
