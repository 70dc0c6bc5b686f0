"""Where the integral field looks: in the patrol circle at the centre of each tile."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from wstdes.jit import njit, plain
from wstdes.survey.cells import unit_vectors

__all__ = ["IfsOptics", "best_fields", "offset"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class IfsOptics:
    """The integral field and the circle that it is chosen from.

    Parameters
    ----------
    side_rad : float
        Of the square field, sides along right ascension and declination [rad].
    patrol_rad : float
        Radius of the patrol circle [rad].
    """

    side_rad: float
    patrol_rad: float

    @property
    def reach_rad(self) -> float:
        """How far the field's centre may be from the tile's, so that all of it is inside."""
        return max(0.0, self.patrol_rad - self.side_rad / math.sqrt(2.0))


def best_fields(
    ra_rad: FloatArray,
    dec_rad: FloatArray,
    target_ra_rad: FloatArray,
    target_dec_rad: FloatArray,
    optics: IfsOptics,
) -> tuple[FloatArray, FloatArray, IntArray]:
    """Choose for each tile the integral field with the most targets.

    Parameters
    ----------
    ra_rad, dec_rad : float64[tiles]
        Centres of the tiles [rad].
    target_ra_rad, target_dec_rad : float64[n]
        Targets of the integral field [rad].
    optics : IfsOptics
        The field and its patrol circle.

    Returns
    -------
    ra_rad, dec_rad : float64[tiles]
        Centres of the fields [rad]: that of the tile where there are no targets; of several with
        as many, the one nearest to it.
    count : int64[tiles]
        Targets in each field.
    """
    from scipy.spatial import cKDTree

    ra, dec = ra_rad.copy(), dec_rad.copy()
    count = np.zeros(len(ra), dtype=np.int64)
    if not len(target_ra_rad) or not len(ra):
        return ra, dec, count
    tree = cKDTree(unit_vectors(target_ra_rad, target_dec_rad))
    radius = optics.reach_rad + optics.side_rad / math.sqrt(2.0)
    near = tree.query_ball_point(
        unit_vectors(ra_rad, dec_rad), 2.0 * math.sin(0.5 * radius), return_sorted=True
    )
    for tile in range(len(ra)):
        if near[tile]:
            x, y = _plane(
                target_ra_rad[near[tile]],
                target_dec_rad[near[tile]],
                float(ra_rad[tile]),
                float(dec_rad[tile]),
            )
            best_x, best_y, most = _best_square(
                plain(x, np.float64), plain(y, np.float64), 0.5 * optics.side_rad, optics.reach_rad
            )
            ra[tile], dec[tile] = offset(ra[tile], dec[tile], best_x, best_y)
            count[tile] = most
    return ra, dec, count


def _plane(
    ra_rad: FloatArray, dec_rad: FloatArray, ra0: float, dec0: float
) -> tuple[FloatArray, FloatArray]:
    """Gnomonic coordinates about a centre: east, north [rad]."""
    step = ra_rad - ra0
    height = math.sin(dec0) * np.sin(dec_rad) + math.cos(dec0) * np.cos(dec_rad) * np.cos(step)
    north = math.cos(dec0) * np.sin(dec_rad) - math.sin(dec0) * np.cos(dec_rad) * np.cos(step)
    return np.cos(dec_rad) * np.sin(step) / height, north / height


def offset(
    ra_rad: ArrayLike, dec_rad: ArrayLike, x_rad: ArrayLike, y_rad: ArrayLike
) -> tuple[FloatArray, FloatArray]:
    """Return the positions at gnomonic coordinates (east, north) about centres [rad]."""
    height = np.cos(dec_rad) - y_rad * np.sin(dec_rad)
    ra = np.mod(ra_rad + np.arctan2(x_rad, height), 2.0 * math.pi)
    north = np.sin(dec_rad) + y_rad * np.cos(dec_rad)
    return ra, np.asarray(np.arctan2(north, np.hypot(height, x_rad)))


@njit
def _inside(x: FloatArray, y: FloatArray, centre_x: float, centre_y: float, half: float) -> int:
    slack = half * (1.0 + 1e-9)
    found = 0
    for i in range(len(x)):
        if abs(x[i] - centre_x) <= slack and abs(y[i] - centre_y) <= slack:
            found += 1
    return found


@njit
def _best_square(
    x: FloatArray, y: FloatArray, half: float, reach: float
) -> tuple[float, float, int]:
    """The centre, within `reach` of the origin, of the square with the most points.

    Centres from which a set of points is seen make a rectangle, cut by the circle of reach: if
    there are any, a corner of the rectangle is among them, or a crossing of its side with the
    circle, or the origin; the nearest to the origin is a corner, the foot of a side, or the
    origin. So these are all that need be tried.
    """
    n = len(x)
    best_x, best_y, best = 0.0, 0.0, _inside(x, y, 0.0, 0.0, half)
    best_r = 0.0
    for i in range(2 * n):
        side_x = x[i // 2] + (half if i % 2 else -half)
        side_y = y[i // 2] + (half if i % 2 else -half)
        for j in range(2 * n + 6):
            cx, cy = side_x, 0.0
            if j < 2 * n:
                cy = y[j // 2] + (half if j % 2 else -half)
            elif j == 2 * n + 5:
                cx, cy = 0.0, side_y
            elif j < 2 * n + 4:
                line = side_x if j < 2 * n + 2 else side_y
                if abs(line) > reach:
                    continue
                other = math.sqrt(reach * reach - line * line) * (1.0 if j % 2 else -1.0)
                cx, cy = (line, other) if j < 2 * n + 2 else (other, line)
            r = math.hypot(cx, cy)
            if r > reach * (1.0 + 1e-9):
                continue
            found = _inside(x, y, cx, cy, half)
            if found > best or (found == best and r < best_r):
                best, best_x, best_y, best_r = found, cx, cy, r
    return best_x, best_y, best
