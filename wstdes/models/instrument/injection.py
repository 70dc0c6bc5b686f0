"""How much of a source's light enters a fibre or a spaxel."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "disc_injection",
    "injection",
    "offset_injection",
    "refraction_drift",
    "square_injection",
]

Array = NDArray[np.float64]
_HALF_LIGHT = 1.67835  # half-light radius of an exponential disc over its scale length
_REFRACTIVITY = 2.0e-4  # of air at 2,600 m and 550 nm: 2.8e-4 at sea level x 744/1013 hPa


def _alpha(fwhm_rad: Array | float, beta: float) -> Array:
    """Moffat's scale length."""
    return np.asarray(fwhm_rad / (2.0 * math.sqrt(2.0 ** (1.0 / beta) - 1.0)))


def injection(fwhm_rad: Array | float, aperture_rad: float, beta: float) -> Array:
    """Share of a centred star's light that enters a round fibre.

    Parameters
    ----------
    fwhm_rad, aperture_rad : float or ndarray of float64, float
        Of a Moffat profile, and diameter of the fibre on the sky [rad].
    beta : float
        Moffat's exponent, above 1.

    Returns
    -------
    ndarray of float64
        1 - (1 + (r/alpha)^2)^(1 - beta), the profile's integral in closed form (Moffat 1969).
    """
    return np.asarray(
        1.0 - (1.0 + (aperture_rad / 2.0 / _alpha(fwhm_rad, beta)) ** 2) ** (1.0 - beta)
    )


def offset_injection(fwhm_rad: float, aperture_rad: float, beta: float, offset_rad: float) -> float:
    """Share of a star's light that enters a round fibre beside its centre.

    Parameters
    ----------
    fwhm_rad, aperture_rad, beta : float
        See :func:`injection`.
    offset_rad : float
        Distance of the fibre's centre from the star's [rad].

    Returns
    -------
    float
        By Gauss-Legendre quadrature over the fibre; better than 1e-6 for images at least a third
        as wide as the fibre.
    """
    if offset_rad == 0.0:
        return float(injection(fwhm_rad, aperture_rad, beta))
    alpha, radius = float(_alpha(fwhm_rad, beta)), 0.5 * aperture_rad
    nodes, weights = np.polynomial.legendre.leggauss(48)
    r = 0.5 * radius * (nodes + 1.0)
    phi = 0.5 * np.pi * (nodes + 1.0)
    square = r[:, None] ** 2 + offset_rad**2 - 2.0 * offset_rad * r[:, None] * np.cos(phi)
    profile = (beta - 1.0) / (np.pi * alpha**2) * (1.0 + square / alpha**2) ** -beta
    ring = 2.0 * (0.5 * np.pi) * (profile @ weights)
    return float(0.5 * radius * np.sum(weights * r * ring))


def square_injection(fwhm_rad: float, side_rad: float, beta: float) -> float:
    """Share of a centred star's light that enters a square: a spaxel, or a few of them.

    Parameters
    ----------
    fwhm_rad, side_rad, beta : float
        Of a Moffat profile, and side of the square [rad]; Moffat's exponent.

    Returns
    -------
    float
        By Gauss-Legendre quadrature over a quarter of the square.
    """
    alpha, half = float(_alpha(fwhm_rad, beta)), 0.5 * side_rad
    nodes, weights = np.polynomial.legendre.leggauss(64)
    x = 0.5 * half * (nodes + 1.0)
    square = (x[:, None] ** 2 + x**2) / alpha**2
    profile = (beta - 1.0) / (np.pi * alpha**2) * (1.0 + square) ** -beta
    return float(half**2 * (weights @ profile @ weights))


def disc_injection(
    fwhm_rad: float,
    aperture_rad: float,
    beta: float,
    half_light_radius_rad: float,
    offset_rad: float = 0.0,
) -> float:
    """Share of a galaxy's light that enters a round fibre.

    Parameters
    ----------
    fwhm_rad, aperture_rad, beta, offset_rad : float
        See :func:`offset_injection`; the image is that of a star.
    half_light_radius_rad : float
        Radius that holds half of the light of an exponential disc, seen face on, above the
        atmosphere [rad].

    Returns
    -------
    float
        The mean of :func:`offset_injection` over the disc's light, which is the convolution; by
        Gauss-Laguerre quadrature, better than 1e-3.
    """
    if half_light_radius_rad == 0.0:
        return offset_injection(fwhm_rad, aperture_rad, beta, offset_rad)
    r, weights = np.polynomial.laguerre.laggauss(24)
    weights = weights * r  # the light of a ring; it sums to one
    r = r * half_light_radius_rad / _HALF_LIGHT
    angles = np.linspace(0.0, np.pi, 16, endpoint=False) + np.pi / 32 if offset_rad else [0.0]
    share = 0.0
    for phi in angles:
        distance = np.sqrt(r**2 + offset_rad**2 + 2.0 * r * offset_rad * np.cos(phi))
        shares = [offset_injection(fwhm_rad, aperture_rad, beta, float(d)) for d in distance]
        share += float(weights @ shares) / len(angles)
    return share


def refraction_drift(
    field_radius_rad: float,
    zenith_rad: float,
    change_rad: float,
    refractivity: float = _REFRACTIVITY,
) -> float:
    """How far a target at the field's edge drifts off its fibre while the telescope tracks.

    Parameters
    ----------
    field_radius_rad : float
        Distance from the field's centre, where the guiding holds, along the vertical [rad].
    zenith_rad, change_rad : float
        Zenith distance of the centre, and its change since the fibres were placed [rad].
    refractivity : float
        Refractive index of the air less one.

    Returns
    -------
    float
        [rad]: refraction is (n - 1) tan z (Green 1985, Spherical Astronomy, 4.4), so that fields
        are squeezed by (n - 1) sec^2 z, and this changes with z.
    """
    squeeze = 1.0 / math.cos(zenith_rad + change_rad) ** 2 - 1.0 / math.cos(zenith_rad) ** 2
    return abs(refractivity * field_radius_rad * squeeze)
