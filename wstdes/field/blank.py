"""Blank sky: for each fibre a place of its own without targets."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from wstdes.jit import njit, plain
from wstdes.models.focalplane import FocalPlane, solve_pose

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Longs = npt.NDArray[np.int64]
    Flags = npt.NDArray[np.bool_]

__all__ = ["CLEAR_M", "KERNELS", "blank_sky"]

CLEAR_M = 0.36e-3
"""Blank sky is this far from every target [m]: 2 arcsec for WST, two fibres' widths (assumed)."""


class _Places(NamedTuple):
    """Where each fibre looks for blank sky: at home, then around it."""

    x: Floats
    """[n, 13]: places of each, in the order in which they are tried [m]."""
    y: Floats
    reached: Flags
    low: tuple[float, float]
    """Corner of a grid over all of them [m]."""
    shape: tuple[int, int]
    """Cells of the grid, `CLEAR_M` wide."""


def blank_sky(
    plane: FocalPlane,
    usable: npt.NDArray[np.bool_],
    x_m: npt.NDArray[np.float64],
    y_m: npt.NDArray[np.float64],
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """A place without targets for each fibre that has one: at home, or around it.

    Parameters
    ----------
    plane : FocalPlane
        The positioners.
    usable : bool[n]
        Those that look for a place.
    x_m, y_m : float64[t]
        The targets [m].

    Returns
    -------
    fibre : int64[k]
        Those that found one.
    x_m, y_m : float64[k]
        It [m].
    """
    places = _places(plane)
    x, y = plain(x_m, np.float64), plain(y_m, np.float64)
    taken = _taken(x, y, places.low, places.shape)
    turn = _first_free(places.x, places.y, places.reached, plain(usable, np.bool_), taken,
                       places.low)  # fmt: skip
    fibre = np.flatnonzero(turn >= 0)
    return fibre, places.x[fibre, turn[fibre]], places.y[fibre, turn[fibre]]


@lru_cache(maxsize=4)
def _places(plane: FocalPlane) -> _Places:
    """Home and twelve places around it, for each fibre."""
    fibre = np.arange(plane.n_fibres)
    nearest = np.where(plane.inner_m > 0.0, plane.inner_m * 1.001, 0.0)
    x, y = np.zeros((2, plane.n_fibres, 13))
    reached = np.ones((plane.n_fibres, 13), dtype=np.bool_)
    for turn in range(13):
        share, angle = (0.0, 0.0) if turn == 0 else (0.25 + 0.25 * (turn > 6), turn * np.pi / 3.0)
        radius = nearest + share * (plane.patrol_m - nearest)
        x[:, turn] = plane.x_m + radius * np.cos(angle)
        y[:, turn] = plane.y_m + radius * np.sin(angle)
        if plane.arms is not None:
            dx, dy = x[:, turn] - plane.x_m, y[:, turn] - plane.y_m
            reached[:, turn] = solve_pose(plane.arms, fibre, dx, dy).reached
    beyond = plane.patrol_m.max() + 2.0 * CLEAR_M
    low = np.array([plane.x_m.min(), plane.y_m.min()]) - beyond
    high = np.array([plane.x_m.max(), plane.y_m.max()]) + beyond
    columns, rows = (np.ceil((high - low) / CLEAR_M).astype(int) + 1).tolist()
    return _Places(x, y, reached, (float(low[0]), float(low[1])), (columns, rows))


@njit
def _taken(x_m: Floats, y_m: Floats, low: tuple[float, float], shape: tuple[int, int]) -> Flags:
    """Mark the cells of the targets that are on the grid."""
    taken = np.zeros(shape, dtype=np.bool_)
    for t in range(len(x_m)):
        i, j = (x_m[t] - low[0]) / CLEAR_M, (y_m[t] - low[1]) / CLEAR_M
        if 0.0 <= i < shape[0] and 0.0 <= j < shape[1]:
            taken[int(i), int(j)] = True
    return taken


@njit
def _first_free(
    x: Floats, y: Floats, reached: Flags, usable: Flags, taken: Flags, low: tuple[float, float]
) -> Longs:
    """Which place of each fibre is the first without a target in its cell or beside it, or -1."""
    first = np.full(len(x), -1, dtype=np.int64)
    for f in range(len(x)):
        k = 0 if usable[f] else x.shape[1]
        while k < x.shape[1]:
            i, j = int((x[f, k] - low[0]) / CLEAR_M), int((y[f, k] - low[1]) / CLEAR_M)
            if reached[f, k] and not _any_beside(taken, i, j):
                first[f] = k
                break
            k += 1
    return first


@njit
def _any_beside(taken: Flags, i: int, j: int) -> bool:
    """Whether a cell or one of the eight around it is taken."""
    found = False
    for m in range(i - 1, i + 2):
        found |= taken[m, j - 1] | taken[m, j] | taken[m, j + 1]
    return found


KERNELS = (_taken, _first_free)
