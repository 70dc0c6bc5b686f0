"""Which positioners can reach a target: all of them, for all targets at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from wstdes.jit import njit, plain

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["KERNELS", "Grid", "build_candidates"]

KINDS = 2
_FEW = 24


def build_candidates(
    fibre_x_m: npt.ArrayLike,
    fibre_y_m: npt.ArrayLike,
    fibre_kind: npt.ArrayLike,
    patrol_m: npt.ArrayLike,
    usable: npt.ArrayLike,
    target_x_m: npt.ArrayLike,
    target_y_m: npt.ArrayLike,
    target_kind: npt.ArrayLike,
    inner_m: npt.ArrayLike | None = None,
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
        Positions of the targets [m]; one that is not finite is reached by none.
    target_kind : int8[t]
        Kind of fibre that each target needs, 0 or 1.
    inner_m : float64[n], optional
        Smallest distance that a fibre reaches, itself included [m]; zero if not given.

    Returns
    -------
    start : int64[t + 1]
        The candidates of target i are ``fibre[start[i]:start[i + 1]]``.
    fibre : int32[m]
        Fibres, for each target by distance and then by number.
    """
    grid = Grid(fibre_x_m, fibre_y_m, fibre_kind, patrol_m, usable, inner_m)
    return grid.candidates(
        plain(target_x_m, np.float64), plain(target_y_m, np.float64), plain(target_kind, np.int8)
    )


class Grid:
    """The usable fibres in square cells, for each kind, to find those that reach a target.

    Parameters
    ----------
    fibre_x_m, fibre_y_m, fibre_kind, patrol_m, usable, inner_m
        As :func:`build_candidates` takes them.
    """

    def __init__(
        self,
        fibre_x_m: npt.ArrayLike,
        fibre_y_m: npt.ArrayLike,
        fibre_kind: npt.ArrayLike,
        patrol_m: npt.ArrayLike,
        usable: npt.ArrayLike,
        inner_m: npt.ArrayLike | None = None,
    ) -> None:
        self._x_m, self._y_m = plain(fibre_x_m, np.float64), plain(fibre_y_m, np.float64)
        self._kind = plain(fibre_kind, np.int8)
        patrol = plain(patrol_m, np.float64)
        inner = np.zeros(len(patrol)) if inner_m is None else plain(inner_m, np.float64)
        self._square = np.column_stack([patrol * patrol, inner * inner])
        kind = np.where(plain(usable, np.bool_), self._kind, np.int8(-1))
        self._lattice = _grids(self._x_m, self._y_m, kind, patrol)
        self._range = _ranges(kind, self._square)
        self._fill(kind)

    def keep(self, usable: npt.NDArray[np.bool_]) -> None:
        """Leave all the other fibres out, in the same cells.

        Parameters
        ----------
        usable : bool[n]
            Some of the fibres that were usable at first.
        """
        self._fill(np.where(usable, self._kind, np.int8(-1)))

    def _fill(self, kind: npt.NDArray[np.int8]) -> None:
        cells = _fill_cells(self._x_m, self._y_m, kind, self._square, *self._lattice)
        self._start, self._fibre, self._xy_m, self._reach = cells

    def candidates(
        self,
        x_m: npt.NDArray[np.float64],
        y_m: npt.NDArray[np.float64],
        kind: npt.NDArray[np.int8],
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]:
        """What :func:`build_candidates` returns, for targets at these places."""
        cells = (*self._lattice, self._start, self._fibre)
        return _list(x_m, y_m, kind, *cells, self._xy_m, self._reach, *self._range)

    def by_place(
        self,
        x_m: npt.NDArray[np.float64],
        y_m: npt.NDArray[np.float64],
        kind: npt.NDArray[np.int8],
    ) -> npt.NDArray[np.int32]:
        """Targets cell by cell: listing candidates in this order takes two thirds of the time."""
        return _by_place(x_m, y_m, kind, *self._lattice)

    def near(
        self,
        x_m: npt.NDArray[np.float64],
        y_m: npt.NDArray[np.float64],
        kind: npt.NDArray[np.int8],
    ) -> npt.NDArray[np.int32]:
        """Targets that have a fibre in their cell or in the eight around it.

        All targets that a fibre reaches are among them.
        """
        occupied = _occupied(*self._lattice[2:], self._start)
        return _near(x_m, y_m, kind, *self._lattice, occupied)


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


def _ranges(
    kind: npt.NDArray[np.int8], square: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Of each kind, the greatest and the least square that any fibre reaches; whether all do."""
    most, least, alike = np.zeros(KINDS), np.zeros(KINDS), np.ones(KINDS, dtype=np.bool_)
    for which in range(KINDS):
        of_kind = kind == which
        if of_kind.any():
            outer, inner = square[of_kind].T.copy()
            most[which], least[which] = outer.max(), inner.min()
            alike[which] = outer.min() == outer.max() and inner.min() == inner.max()
    return most, least, alike


@njit
def _fill_cells(
    x_m: npt.NDArray[np.float64],
    y_m: npt.NDArray[np.float64],
    kind: npt.NDArray[np.int8],
    square: npt.NDArray[np.float64],
    origin_m: npt.NDArray[np.float64],
    side_m: npt.NDArray[np.float64],
    shape: npt.NDArray[np.int64],
) -> tuple[
    npt.NDArray[np.int64], npt.NDArray[np.int32], npt.NDArray[np.float64], npt.NDArray[np.float64]
]:
    """Sort the fibres into the cells of their kind, by number within a cell.

    Places and squares follow them, so that a search reads them one after the other.
    """
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
    xy_m, reach = np.empty((len(fibre), 2)), np.empty((len(fibre), 2))
    filled = start.copy()
    for i in range(len(x_m)):
        if cell[i] >= 0:
            j = filled[cell[i]]
            fibre[j] = i
            xy_m[j, 0], xy_m[j, 1] = x_m[i], y_m[i]
            reach[j, 0], reach[j, 1] = square[i, 0], square[i, 1]
            filled[cell[i]] += 1
    return start, fibre, xy_m, reach


@njit
def _list(
    target_x_m: npt.NDArray[np.float64],
    target_y_m: npt.NDArray[np.float64],
    target_kind: npt.NDArray[np.int8],
    origin_m: npt.NDArray[np.float64],
    side_m: npt.NDArray[np.float64],
    shape: npt.NDArray[np.int64],
    cell_start: npt.NDArray[np.int64],
    cell_fibre: npt.NDArray[np.int32],
    xy_m: npt.NDArray[np.float64],
    reach: npt.NDArray[np.float64],
    most: npt.NDArray[np.float64],
    least: npt.NDArray[np.float64],
    alike: npt.NDArray[np.bool_],
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]:
    """List the candidates of each target, by distance and then by number."""
    n_targets = len(target_x_m)
    start = np.empty(n_targets + 1, dtype=np.int64)
    fibre = np.empty(6 * n_targets + 64, dtype=np.int32)
    number = np.empty(len(cell_fibre) + 1, dtype=np.int32)
    square = np.empty(len(cell_fibre) + 1, dtype=np.float64)
    slot = np.empty(len(cell_fibre) + 1, dtype=np.int32)
    rank = np.empty(_FEW, dtype=np.int32)
    used = 0
    for t in range(n_targets):
        start[t] = used
        k, x, y = target_kind[t], target_x_m[t], target_y_m[t]
        column = np.floor((x - origin_m[k, 0]) / side_m[k])
        row = np.floor((y - origin_m[k, 1]) / side_m[k])
        columns, rows = shape[k, 0], shape[k, 1]
        if not (-1 <= column <= columns and -1 <= row <= rows):
            continue
        from_column = min(max(int(column) - 1, 0), columns)
        to_column = max(min(int(column) + 2, columns), 0)
        farthest, nearest = most[k], least[k]
        found = 0
        for r in range(max(int(row) - 1, 0), min(int(row) + 2, rows)):
            left = shape[k, 2] + r * columns
            for j in range(cell_start[left + from_column], cell_start[left + to_column]):
                dx, dy = x - xy_m[j, 0], y - xy_m[j, 1]
                d = dx * dx + dy * dy
                # Written before it is known whether it counts: a branch would cost more.
                number[found], slot[found], square[found] = cell_fibre[j], j, d
                found += (d <= farthest) & (d >= nearest)
        if not alike[k]:
            tried, found = found, 0
            for i in range(tried):
                j, d = slot[i], square[i]
                number[found], square[found] = number[i], d
                found += (d <= reach[j, 0]) & (d >= reach[j, 1])
        if used + found > len(fibre):
            longer = np.empty(2 * len(fibre) + found, dtype=np.int32)
            longer[:used] = fibre[:used]
            fibre = longer
        if found <= _FEW:
            for i in range(found):
                above = 0
                for j in range(i):
                    after = (square[j] > square[i]) | (
                        (square[j] == square[i]) & (number[j] > number[i])
                    )
                    rank[j] += after
                    above += after
                rank[i] = i - above
            for i in range(found):
                fibre[used + rank[i]] = number[i]
        else:
            by_number = np.argsort(number[:found])
            by_both = np.argsort(square[:found][by_number], kind="mergesort")
            fibre[used : used + found] = number[:found][by_number][by_both]
        used += found
    start[n_targets] = used
    return start, fibre[:used]


@njit
def _occupied(
    shape: npt.NDArray[np.int64], cell_start: npt.NDArray[np.int64]
) -> npt.NDArray[np.bool_]:
    """Whether there is a fibre in a cell or in the eight around it."""
    occupied = np.zeros(len(cell_start) - 1, dtype=np.bool_)
    for k in range(KINDS):
        columns, rows, first = shape[k]
        for row in range(rows):
            for column in range(columns):
                cell = first + row * columns + column
                if cell_start[cell + 1] == cell_start[cell]:
                    continue
                for r in range(max(row - 1, 0), min(row + 2, rows)):
                    for c in range(max(column - 1, 0), min(column + 2, columns)):
                        occupied[first + r * columns + c] = True
    return occupied


@njit
def _near(
    target_x_m: npt.NDArray[np.float64],
    target_y_m: npt.NDArray[np.float64],
    target_kind: npt.NDArray[np.int8],
    origin_m: npt.NDArray[np.float64],
    side_m: npt.NDArray[np.float64],
    shape: npt.NDArray[np.int64],
    occupied: npt.NDArray[np.bool_],
) -> npt.NDArray[np.int32]:
    """List the targets that have a fibre in the cells around them.

    A target just outside the grid counts as one in the cell next to it.
    """
    n_targets = len(target_x_m)
    kept = np.empty(n_targets, dtype=np.int32)
    n_kept = 0
    per_m = 1.0 / side_m
    for t in range(n_targets):
        k = target_kind[t]
        # Counted from one cell outside, so that what reaches the grid is never negative.
        column = (target_x_m[t] - origin_m[k, 0]) * per_m[k] + 1.0
        row = (target_y_m[t] - origin_m[k, 1]) * per_m[k] + 1.0
        columns, rows = shape[k, 0], shape[k, 1]
        if columns > 0 and 0.0 <= column < columns + 2.0 and 0.0 <= row < rows + 2.0:
            c, r = min(max(int(column) - 1, 0), columns - 1), min(max(int(row) - 1, 0), rows - 1)
            kept[n_kept] = t
            n_kept += occupied[shape[k, 2] + r * columns + c]
    return kept[:n_kept]


@njit
def _by_place(
    target_x_m: npt.NDArray[np.float64],
    target_y_m: npt.NDArray[np.float64],
    target_kind: npt.NDArray[np.int8],
    origin_m: npt.NDArray[np.float64],
    side_m: npt.NDArray[np.float64],
    shape: npt.NDArray[np.int64],
) -> npt.NDArray[np.int32]:
    """Sort targets by cell; those far from the grid come last."""
    n_targets, n_cells = len(target_x_m), 0
    for k in range(KINDS):
        n_cells += shape[k, 0] * shape[k, 1]
    cell = np.empty(n_targets, dtype=np.int32)
    count = np.zeros(n_cells + 2, dtype=np.int32)
    per_m = 1.0 / side_m
    for t in range(n_targets):
        k = target_kind[t]
        column = (target_x_m[t] - origin_m[k, 0]) * per_m[k]
        row = (target_y_m[t] - origin_m[k, 1]) * per_m[k]
        cell[t] = n_cells
        if 0.0 <= column < shape[k, 0] and 0.0 <= row < shape[k, 1]:
            cell[t] = shape[k, 2] + int(row) * shape[k, 0] + int(column)
        count[cell[t] + 1] += 1
    for c in range(n_cells + 1):
        count[c + 1] += count[c]
    order = np.empty(n_targets, dtype=np.int32)
    for t in range(n_targets):
        order[count[cell[t]]] = t
        count[cell[t]] += 1
    return order


KERNELS = (_fill_cells, _list)
"""What :func:`build_candidates` compiles."""
