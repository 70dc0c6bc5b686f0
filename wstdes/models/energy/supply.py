"""Solar power and the carbon of the grid."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["carbon_shape", "clear_sky_share", "cloud_share", "solar_scale"]

Array = NDArray[np.float64]


def clear_sky_share(sun_altitude_rad: Array) -> Array:
    """Output of modules on trackers under a clear sky, relative to the sun at the zenith.

    Parameters
    ----------
    sun_altitude_rad : ndarray of float64
        [rad].

    Returns
    -------
    ndarray of float64
        Beam irradiance 0.7^(airmass^0.678) (Meinel & Meinel 1976) over its value at the zenith;
        0 below the horizon.
    """
    sine = np.sin(sun_altitude_rad)
    mass = 1.0 / np.maximum(sine, 0.02)
    return np.asarray(np.where(sine > 0.02, 0.7 ** (mass**0.678) / 0.7, 0.0))


def cloud_share(cloud_transparency: Array) -> Array:
    """Solar output under cloud over that under a clear sky; assumed 0.3 + 0.7 transparency."""
    return np.asarray(0.3 + 0.7 * cloud_transparency)


def solar_scale(capacity_factor: float, clear_shares: Array) -> float:
    """Factor on :func:`clear_sky_share` that gives a plant its yearly capacity factor.

    Parameters
    ----------
    capacity_factor : float
        Mean output over capacity.
    clear_shares : ndarray of float64
        Clear-sky shares, evenly spread over a year.

    Returns
    -------
    float
        Output is capacity x min(1, scale x share); found by bisection, so that clipping at the
        capacity is in.

    Raises
    ------
    ValueError
        The capacity factor is more than the hours of sun allow.
    """
    if capacity_factor == 0:
        return 0.0
    low, high = 0.0, 100.0
    if np.minimum(1.0, high * clear_shares).mean() < capacity_factor:
        raise ValueError(f"a capacity factor of {capacity_factor} is more than the sun gives here")
    for _ in range(60):
        middle = 0.5 * (low + high)
        if np.minimum(1.0, middle * clear_shares).mean() < capacity_factor:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)


def carbon_shape(shape: Sequence[float]) -> tuple[float, ...]:
    """Hourly shape of the grid's carbon, scaled to a mean of 1."""
    mean = sum(shape) / len(shape)
    return tuple(s / mean for s in shape)
