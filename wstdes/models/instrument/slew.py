"""How long the telescope takes to move."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from wstdes.jit import njit

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
    out = np.empty(len(altitude_rad))
    _slews(from_altaz, altitude_rad, azimuth_rad, rates, acceleration_rad_per_s2, settle_s, out)
    return out


@njit
def _slews(
    from_altaz: tuple[float, float],
    altitude: Array,
    azimuth: Array,
    rates: tuple[float, float],
    acceleration: float,
    settle: float,
    out: Array,
) -> None:
    for i in range(len(out)):
        turn = abs(azimuth[i] - from_altaz[1]) % (2.0 * math.pi)
        in_altitude = _axis(abs(altitude[i] - from_altaz[0]), rates[0], acceleration)
        in_azimuth = _axis(min(turn, 2.0 * math.pi - turn), rates[1], acceleration)
        out[i] = max(in_altitude, in_azimuth) + settle


@njit
def _axis(distance: float, rate: float, acceleration: float) -> float:
    if distance > rate * rate / acceleration:
        return distance / rate + rate / acceleration
    return 2.0 * math.sqrt(distance / acceleration)
