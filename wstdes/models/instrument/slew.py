"""How long the telescope takes to move."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["slew_time", "telescope_slew"]

Array = NDArray[np.float64]


def slew_time(distance_rad: Array, rate_rad_per_s: float, acceleration_rad_per_s2: float) -> Array:
    """Time [s] of an axis from rest to rest, with constant acceleration up to a top speed.

    Parameters
    ----------
    distance_rad : ndarray of float64
        At least 0 [rad].
    rate_rad_per_s, acceleration_rad_per_s2 : float
        Top speed and acceleration.

    Returns
    -------
    ndarray of float64
        2 sqrt(d/a) where the top speed is not reached, else d/v + v/a.
    """
    short = 2.0 * np.sqrt(distance_rad / acceleration_rad_per_s2)
    long = distance_rad / rate_rad_per_s + rate_rad_per_s / acceleration_rad_per_s2
    reached = distance_rad > rate_rad_per_s**2 / acceleration_rad_per_s2
    return np.asarray(np.where(reached, long, short))


def telescope_slew(
    from_altaz: tuple[float, float],
    altitude_rad: Array,
    azimuth_rad: Array,
    rates: tuple[float, float],
    acceleration_rad_per_s2: float,
    settle_s: float,
) -> Array:
    """Time [s] from one direction to others: the slower axis, and settling.

    Parameters
    ----------
    from_altaz : tuple of float
        Altitude and azimuth now [rad].
    altitude_rad, azimuth_rad : ndarray of float64
        Where to [rad]; azimuth goes the shorter way.
    rates : tuple of float
        Top speeds in altitude and azimuth [rad/s].
    acceleration_rad_per_s2, settle_s : float
        Of both axes, and time to settle [s].

    Returns
    -------
    ndarray of float64
        [s].
    """
    turn = np.abs(np.mod(azimuth_rad - from_altaz[1] + np.pi, 2 * np.pi) - np.pi)
    in_altitude = slew_time(np.abs(altitude_rad - from_altaz[0]), rates[0], acceleration_rad_per_s2)
    in_azimuth = slew_time(turn, rates[1], acceleration_rad_per_s2)
    return np.asarray(np.maximum(in_altitude, in_azimuth) + settle_s)
