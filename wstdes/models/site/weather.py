"""Distributions of the weather: from latent normal processes to what is measured, and back."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

__all__ = [
    "cloud_cover",
    "latent_cloud",
    "latent_lognormal",
    "lognormal",
    "share_above",
    "thinnest_cloud",
    "transparency",
]

Array = NDArray[np.float64]


def lognormal(z: Array, median: float, sigma_ln: float) -> Array:
    """A log-normal quantity from its latent value."""
    return np.asarray(median * np.exp(sigma_ln * z))


def latent_lognormal(value: Array, median: float, sigma_ln: float) -> Array:
    """The latent value of a log-normal quantity."""
    return np.asarray(np.log(value / median) / sigma_ln)


def share_above(limit: float, median: float, sigma_ln: float) -> float:
    """Share of time in which a log-normal quantity is above a limit."""
    return float(1.0 - ndtr(np.log(limit / median) / sigma_ln))


def cloud_cover(z: Array, clear_below: float, closed_above: float, close: float) -> Array:
    """Share of the sky under cloud from latent cloud.

    Parameters
    ----------
    z : ndarray of float64
        Latent cloud.
    clear_below, closed_above : float
        Below the first there is no cloud; at the second cover is ``close``.
    close : float
        Cover at which the dome closes.

    Returns
    -------
    ndarray of float64
        A straight line through both, between 0 and 1: cover is a censored normal variable, which
        fits ten years at Cerro Tololo month by month (tests/reference/test_measured_weather.py).
    """
    return np.clip(close * (z - clear_below) / _width(clear_below, closed_above), 0.0, 1.0)


def latent_cloud(
    cover: Array, clear_below: float, closed_above: float, close: float
) -> tuple[Array, Array]:
    """Limits of latent cloud where cover was measured: equal, but for clear and overcast skies."""
    z = clear_below + cover / close * _width(clear_below, closed_above)
    return np.where(cover <= 0.0, -np.inf, z), np.where(cover >= 1.0, np.inf, z)


def transparency(cover: Array, close: float, least: float) -> Array:
    """Transparency of the sky from its cover.

    Parameters
    ----------
    cover : ndarray of float64
        Share of the sky under cloud.
    close : float
        Cover at which the dome closes.
    least : float
        Transparency then.

    Returns
    -------
    ndarray of float64
        1 when clear, falling in proportion to ``least`` at closing and to a tenth of it when
        overcast.
    """
    return np.interp(cover, [0.0, close, max(1.0, close + 1e-9)], [1.0, least, 0.1 * least])


def thinnest_cloud(clear: Array, close: float, least: float) -> Array:
    """Cover that has a transparency: the inverse of :func:`transparency`."""
    knots = [0.1 * least, least, max(1.0, least + 1e-9)]
    return np.interp(clear, knots, [1.0, close, 0.0])


def _width(clear_below: float, closed_above: float) -> float:
    return max(closed_above - clear_below, 1e-9)
