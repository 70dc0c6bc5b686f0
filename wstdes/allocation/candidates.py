"""Which positioners can reach a target: all of them, for all targets at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from wstdes.allocation.jit import njit, plain

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["KERNELS", "build_candidates"]

KINDS = 2


def build_candidates(
    fibre_x_m: npt.ArrayLike,
    fibre_y_m: npt.ArrayLike,
    fibre_kind: npt.ArrayLike,
    patrol_m: npt.ArrayLike,
    usable: npt.ArrayLike,
    target_x_m: npt.ArrayLike,
    target_y_m: npt.ArrayLike,
    target_kind: npt.ArrayLike,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]:
    """List, for each target, the usable fibres of its kind that reach it.

    Parameters
    ----------
    fibre_x_m, fibre_y_m : float64[n]
        Home positions [m]; finite.
    fibre_kind : int8[n]
        Kind of each fibre, 0 or 1.
    patrol_m : float64[n]
        Patrol radii [m]; a target at exactly this distance is reached.
    usable : bool[n]
        Fibres that can be used at all.
    target_x_m, target_y_m : float64[t]
        Positions of the targets [m]; finite.
    target_kind : int8[t]
        Kind of fibre that each target needs, 0 or 1.

    Returns
    -------
    start : int64[t + 1]
        The candidates of target i are ``fibre[start[i]:start[i + 1]]``.
    fibre : int32[m]
        Fibres, for each target by distance and then by number.
    """
    x, y = plain(fibre_x_m, np.float64), plain(fibre_y_m, np.float64)
    patrol = plain(patrol_m, np.float64)
    kind = np.where(plain(usable, np.bool_), plain(fibre_kind, np.int8), -1).astype(np.int8)
    tx, ty = plain(target_x_m, np.float64), plain(target_y_m, np.float64)
    t_kind = plain(target_kind, np.int8)

    origin_m, side_m, shape = _grids(x, y, kind, patrol)
    cell_start, cell_fibre = _fill_cells(x, y, kind, origin_m, side_m, shape)
    start = np.zeros(len(tx) + 1, dtype=np.int64)
    grid = (origin_m, side_m, shape, cell_start, cell_fibre)
    nothing = np.empty(0, dtype=np.int32), np.empty(0, dtype=np.float64)
    _scan(tx, ty, t_kind, x, y, patrol, *grid, start, *nothing, False)
    np.cumsum(start, out=start)
    fibre = np.empty(start[-1], dtype=np.int32)
    square = np.empty(start[-1], dtype=np.float64)
    _scan(tx, ty, t_kind, x, y, patrol, *grid, start, fibre, square, True)
    return start, fibre


def _grids(
    x_m: npt.NDArray[np.float64],
    y_m: npt.NDArray[np.float64],
    kind: npt.NDArray[np.int8],
    patrol_m: npt.NDArray[np.float64],
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Lay a square grid over the fibres of each kind.

    A cell is as wide as the kind's largest patrol radius, so that all the fibres that reach a
    target are in the 3 x 3 cells around it; or wider, so that cells stay about as few as fibres.

    Returns
    -------
    origin_m : float64[2, 2]
        For each kind, x and y of the corner [m].
    side_m : float64[2]
        For each kind, the width of a cell [m].
    shape : int64[2, 3]
        For each kind, columns, rows, and the number of its first cell; zero columns if it has
        no fibres.
    """
    origin_m, side_m = np.zeros((KINDS, 2)), np.ones(KINDS)
    shape = np.zeros((KINDS, 3), dtype=np.int64)
    first = 0
    for which in range(KINDS):
        of_kind = kind == which
        shape[which, 2] = first
        if not of_kind.any():
            continue
        x, y = x_m[of_kind], y_m[of_kind]
        extent = max(float(np.ptp(x)), float(np.ptp(y)))
        side = max(float(patrol_m[of_kind].max()), extent / np.sqrt(len(x))) * (1.0 + 1e-9)
        side = side if side > 0.0 else 1.0
        origin_m[which] = x.min(), y.min()
        side_m[which] = side
        shape[which, :2] = int(np.ptp(x) / side) + 1, int(np.ptp(y) / side) + 1
        first += int(shape[which, 0] * shape[which, 1])
    return origin_m, side_m, shape


@njit
def _fill_cells(
    x_m: npt.NDArray[np.float64],
    y_m: npt.NDArray[np.float64],
    kind: npt.NDArray[np.int8],
    origin_m: npt.NDArray[np.float64],
    side_m: npt.NDArray[np.float64],
    shape: npt.NDArray[np.int64],
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]:
    """Sort the fibres into the cells of their kind, by number within a cell."""
    n_cells = 0
    for which in range(KINDS):
        n_cells += shape[which, 0] * shape[which, 1]
    cell = np.full(len(x_m), -1, dtype=np.int64)
    start = np.zeros(n_cells + 1, dtype=np.int64)
    for i in range(len(x_m)):
        k = kind[i]
        if k >= 0:
            column = int((x_m[i] - origin_m[k, 0]) / side_m[k])
            row = int((y_m[i] - origin_m[k, 1]) / side_m[k])
            cell[i] = shape[k, 2] + row * shape[k, 0] + column
            start[cell[i] + 1] += 1
    for c in range(n_cells):
        start[c + 1] += start[c]
    fibre = np.empty(start[n_cells], dtype=np.int32)
    filled = start.copy()
    for i in range(len(x_m)):
        if cell[i] >= 0:
            fibre[filled[cell[i]]] = i
            filled[cell[i]] += 1
    return start, fibre


@njit
def _scan(
    target_x_m: npt.NDArray[np.float64],
    target_y_m: npt.NDArray[np.float64],
    target_kind: npt.NDArray[np.int8],
    x_m: npt.NDArray[np.float64],
    y_m: npt.NDArray[np.float64],
    patrol_m: npt.NDArray[np.float64],
    origin_m: npt.NDArray[np.float64],
    side_m: npt.NDArray[np.float64],
    shape: npt.NDArray[np.int64],
    cell_start: npt.NDArray[np.int64],
    cell_fibre: npt.NDArray[np.int32],
    start: npt.NDArray[np.int64],
    fibre: npt.NDArray[np.int32],
    square: npt.NDArray[np.float64],
    fill: bool,
) -> None:
    """Count the candidates of target i into start[i + 1], or list them from start[i] on."""
    for t in range(len(target_x_m)):
        k = target_kind[t]
        column = np.floor((target_x_m[t] - origin_m[k, 0]) / side_m[k])
        row = np.floor((target_y_m[t] - origin_m[k, 1]) / side_m[k])
        columns, rows = shape[k, 0], shape[k, 1]
        if not (-1 <= column <= columns and -1 <= row <= rows):
            continue
        found = 0
        for r in range(max(int(row) - 1, 0), min(int(row) + 2, rows)):
            left = shape[k, 2] + r * columns
            low = cell_start[left + min(max(int(column) - 1, 0), columns)]
            high = cell_start[left + max(min(int(column) + 2, columns), 0)]
            for j in range(low, high):
                f = cell_fibre[j]
                dx, dy = target_x_m[t] - x_m[f], target_y_m[t] - y_m[f]
                d = dx * dx + dy * dy
                if d > patrol_m[f] * patrol_m[f]:
                    continue
                if fill:
                    _insert(fibre, square, start[t], start[t] + found, f, d)
                found += 1
        if not fill:
            start[t + 1] = found


@njit
def _insert(
    fibre: npt.NDArray[np.int32],
    square: npt.NDArray[np.float64],
    low: int,
    high: int,
    f: int,
    d: float,
) -> None:
    """Put a fibre into its place in the sorted list from `low` to `high`."""
    place = high
    while place > low and (
        square[place - 1] > d or (square[place - 1] == d and fibre[place - 1] > f)
    ):
        fibre[place], square[place] = fibre[place - 1], square[place - 1]
        place -= 1
    fibre[place], square[place] = f, d


KERNELS = (_fill_cells, _scan)
