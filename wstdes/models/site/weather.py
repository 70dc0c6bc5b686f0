"""Weather as latent Gaussian processes.

Each quantity follows a standard normal process z(t) with correlation exp(-t/tau) (Ornstein and
Uhlenbeck's, exact at the steps) and is a monotonic function of it, so that its distribution and
the share of time beyond a limit are exactly those asked for.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

__all__ = [
    "closing_threshold",
    "latent_path",
    "lognormal",
    "share_above",
    "transparency",
]

Array = NDArray[np.float64]


def latent_path(before: float, innovations: Array, step_s: float, correlation_s: float) -> Array:
    """Continue a latent process.

    Parameters
    ----------
    before : float
        Its value one step before the first.
    innovations : ndarray of float64, shape (n,)
        Independent standard normal numbers.
    step_s, correlation_s : float
        Time between steps, and time over which the process forgets itself [s].

    Returns
    -------
    ndarray of float64, shape (n,)
        z at the steps; standard normal if ``before`` is.
    """
    keep = np.exp(-step_s / correlation_s)
    spread = np.sqrt(1.0 - keep**2)
    path = np.empty(len(innovations))
    value = before
    for i, innovation in enumerate(innovations):
        value = keep * value + spread * innovation
        path[i] = value
    return path


def lognormal(z: Array, median: float, sigma_ln: float) -> Array:
    """A log-normal quantity from its latent value."""
    return np.asarray(median * np.exp(sigma_ln * z))


def share_above(limit: float, median: float, sigma_ln: float) -> float:
    """Share of time in which a log-normal quantity is above a limit."""
    return float(1.0 - ndtr(np.log(limit / median) / sigma_ln))


def closing_threshold(open_share: float, *other_losses: float) -> float:
    """Latent cloud above which the dome is closed.

    Parameters
    ----------
    open_share : float
        Share of time the dome may be open, all causes together.
    *other_losses : float
        Shares of time that other, independent causes close it.

    Returns
    -------
    float
        z; with independent causes the dome is open for exactly ``open_share`` of the time.
    """
    clear = open_share / np.prod([1.0 - loss for loss in other_losses])
    return float(ndtri(min(float(clear), 1.0 - 1e-9)))


def transparency(z: Array, photometric_below: float, closed_above: float, least: float) -> Array:
    """Transparency of the sky from latent cloud.

    Parameters
    ----------
    z : ndarray of float64
        Latent cloud.
    photometric_below, closed_above : float
        Below the first the sky is clear; at the second transparency has fallen to ``least``.
    least : float
        Transparency at closing.

    Returns
    -------
    ndarray of float64
        1 when clear; falls in proportion to the share of cloudy time that is clearer; never below
        a tenth of ``least``, which thick cloud has.
    """
    lo, hi = ndtr(photometric_below), ndtr(closed_above)
    depth = np.clip((ndtr(z) - lo) / max(hi - lo, 1e-12), 0.0, 1.0)
    value = 1.0 - depth * (1.0 - least)
    return np.asarray(np.where(z > closed_above, 0.1 * least, value))
