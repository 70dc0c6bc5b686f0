"""When a field comes within the telescope's limits, and leaves them."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

__all__ = ["TURN_RAD_PER_S", "hour_angle_at", "until_set_s", "until_up_s"]

Array = NDArray[np.float64]

TURN_RAD_PER_S = 2.0 * np.pi / 86164.0905
"""Of the sky, seen from the Earth."""
MARGIN_S = 1.0
"""Later than the limit by this: rounding must not leave a field just outside."""


def hour_angle_at(altitude_rad: float, dec_rad: Array, latitude_rad: float) -> Array:
    """Hour angle at which declinations reach an altitude in the west.

    Parameters
    ----------
    altitude_rad, latitude_rad : float
        [rad].
    dec_rad : ndarray of float64, shape (n,)
        [rad].

    Returns
    -------
    ndarray of float64, shape (n,)
        Pi for what is always higher, -1 for what never gets so high [rad].
    """
    cosine = (np.sin(altitude_rad) - np.sin(latitude_rad) * np.sin(dec_rad)) / (
        np.cos(latitude_rad) * np.cos(dec_rad)
    )
    return np.asarray(np.where(cosine > 1.0, -1.0, np.arccos(np.clip(cosine, -1.0, 1.0))))


def until_up_s(hour_angle_rad: Array, low_rad: Array, high_rad: Array) -> Array:
    """Time until fields next come within the limits: from below, or from too near the zenith.

    Parameters
    ----------
    hour_angle_rad : ndarray of float64, shape (n,)
        Now [rad].
    low_rad, high_rad : ndarray of float64, shape (n,)
        :func:`hour_angle_at` the lowest altitude allowed, and at the highest [rad].

    Returns
    -------
    ndarray of float64, shape (n,)
        Infinite for what never crosses a limit [s].
    """
    turn = 2.0 * np.pi
    rises = (low_rad >= 0.0) & (low_rad < np.pi)
    rising = np.where(rises, np.mod(-low_rad - hour_angle_rad, turn), np.inf)
    leaving = np.where(high_rad >= 0.0, np.mod(high_rad - hour_angle_rad, turn), np.inf)
    soonest = np.minimum(rising, np.where(low_rad >= 0.0, leaving, np.inf))
    return np.asarray(soonest / TURN_RAD_PER_S + MARGIN_S)


def until_set_s(hour_angle_rad: float, low_rad: float, high_rad: float) -> float:
    """Time until a field that is within the limits leaves them: below, or too near the zenith.

    Parameters
    ----------
    hour_angle_rad, low_rad, high_rad : float
        As for :func:`until_up_s` [rad].

    Returns
    -------
    float
        Infinite for what never crosses a limit [s].
    """
    angle = (hour_angle_rad + math.pi) % (2.0 * math.pi) - math.pi
    setting = low_rad - angle if low_rad < math.pi else math.inf
    entering = -high_rad - angle if high_rad >= 0.0 and angle < 0.0 else math.inf
    return max(min(setting, entering), 0.0) / TURN_RAD_PER_S
