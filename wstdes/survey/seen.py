"""Which of the targets that are kept a field sees: compiled."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from wstdes.jit import njit

__all__ = ["see"]

FloatArray = NDArray[np.float64]


@njit
def see(
    ra_rad: FloatArray,
    dec_rad: FloatArray,
    motion: NDArray[np.float32],
    years: float,
    frame: FloatArray,
    tangent: float,
) -> tuple[NDArray[np.int64], FloatArray, FloatArray]:
    """Which of some positions a field sees, and where: gnomonic, after their proper motion.

    Parameters
    ----------
    ra_rad, dec_rad : ndarray of float64, shape (n,)
        At the epoch [rad].
    motion : ndarray of float32, shape (2, n or 0)
        Proper motion to the east and north [rad/yr].
    years : float
        How long they have moved [yr].
    frame : ndarray of float64, shape (3, 3)
        East, north and axis of the field, a row each.
    tangent : float
        Of the field's radius.

    Returns
    -------
    kept : ndarray of int64, shape (k,)
        Places in the arrays given, ascending.
    xi, eta : ndarray of float64, shape (k,)
        On the tangent plane.
    """
    kept = np.empty(len(ra_rad), dtype=np.int64)
    xi, eta = np.empty(len(ra_rad)), np.empty(len(ra_rad))
    moves, n = motion.shape[1] > 0 and years != 0.0, 0
    for i in range(len(ra_rad)):
        cos_ra, sin_ra = math.cos(ra_rad[i]), math.sin(ra_rad[i])
        cos_dec, sin_dec = math.cos(dec_rad[i]), math.sin(dec_rad[i])
        out, up, east = cos_dec, sin_dec, 0.0
        if moves:
            north = motion[1, i] * years
            out, up, east = (
                cos_dec - north * sin_dec,
                sin_dec + north * cos_dec,
                motion[0, i] * years,
            )
        x, y = out * cos_ra - east * sin_ra, out * sin_ra + east * cos_ra
        towards = x * frame[2, 0] + y * frame[2, 1] + up * frame[2, 2]
        if towards <= 0.0:
            continue
        xi[n] = (x * frame[0, 0] + y * frame[0, 1] + up * frame[0, 2]) / towards
        eta[n] = (x * frame[1, 0] + y * frame[1, 1] + up * frame[1, 2]) / towards
        if xi[n] * xi[n] + eta[n] * eta[n] <= tangent * tangent:
            kept[n] = i
            n += 1
    return kept[:n], xi[:n], eta[:n]
