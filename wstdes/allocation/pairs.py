"""Which fibres can be in each other's way."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from wstdes.allocation.outlines import Outlines
from wstdes.jit import njit, plain

if TYPE_CHECKING:
    import numpy.typing as npt

    from wstdes.allocation.problem import AssignmentProblem
    from wstdes.models.focalplane import Arms

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int32]
    Longs = npt.NDArray[np.int64]

__all__ = ["KERNELS", "Pairs"]


@dataclass(frozen=True, eq=False)
class Pairs:
    """Which fibres can be in each other's way, and where the arms of each edge are."""

    start: Longs
    other: Ints
    """The fibres that can meet fibre f: ``other[start[f]:start[f + 1]]``, by number."""
    outlines: Outlines
    shape: npt.NDArray[np.int16]
    slit_next: Ints
    slit_before: Ints

    @classmethod
    def of(cls, problem: AssignmentProblem) -> Pairs:
        """Prepare what does not depend on the targets."""
        rules, n = problem.geometry, problem.n_fibres
        assert rules is not None
        arms = rules.arms
        if arms is None:
            outlines = Outlines(
                np.zeros((1, 2, 1, 2)),
                np.zeros((1, 2), np.int64),
                np.ones((1, 2), np.bool_),
                np.zeros((1, 2, 3)),
                np.full((1, 2), -np.inf),
            )
            shape, extent = np.zeros(n, np.int16), np.zeros(n)
        else:
            outlines, extent = _extents(arms)
            shape = arms.shape
        reach = _reach(
            problem.start,
            problem.fibre,
            n,
            plain(rules.fibre_xy_m, np.float64),
            plain(rules.target_xy_m, np.float64),
        )
        reach *= 1.0 + 1e-12  # the square of a root may be less than what it was of
        # targets of fibres that share one, or that keep apart, are as near as these
        extent = np.maximum(extent, reach + 0.5 * rules.separation_m) * (1.0 + 1e-12)
        following = np.full(n, -1, np.int32)
        if rules.slit_next is not None and np.isfinite(rules.contrast_mag):
            following = plain(rules.slit_next, np.int32)
        before = np.full(n, -1, np.int32)
        has = np.flatnonzero(following >= 0)
        before[following[has]] = has
        xy = plain(rules.fibre_xy_m, np.float64)
        if arms is not None and (following < 0).all() and (extent <= _most(arms)).all():
            start, other = _in_reach(arms, xy.tobytes())
        else:
            start, other = _near(xy, extent, following, before)
        return cls(start, other, outlines, plain(shape, np.int16), following, before)


@lru_cache(maxsize=4)
def _extents(arms: Arms) -> tuple[Outlines, Floats]:
    """Outlines of arms, and how far each extends [m]."""
    outlines = Outlines.of(arms)
    return outlines, outlines.extent_m(arms)


def _most(arms: Arms) -> Floats:
    """Distance from its axis that neither an arm nor a target in its reach exceeds [m]."""
    return _extents(arms)[1] * (1.0 + 1e-9)


@lru_cache(maxsize=4)
def _in_reach(arms: Arms, xy: bytes) -> tuple[Longs, Ints]:
    """Positioners that can meet each other whatever their targets; these do not change."""
    nobody = np.full(arms.n_fibres, -1, np.int32)
    return _near(np.frombuffer(xy).reshape(-1, 2).copy(), _most(arms), nobody, nobody)


@njit
def _reach(start: Longs, fibre: Ints, n: int, fibre_xy: Floats, target_xy: Floats) -> Floats:
    """Distance of the farthest target from each fibre that has it, float64[n] [m]."""
    reach = np.zeros(n)
    for t in range(len(start) - 1):
        for e in range(start[t], start[t + 1]):
            f = fibre[e]
            dx, dy = target_xy[t, 0] - fibre_xy[f, 0], target_xy[t, 1] - fibre_xy[f, 1]
            reach[f] = max(reach[f], dx * dx + dy * dy)
    return np.sqrt(reach)


@njit
def _near(xy: Floats, extent: Floats, following: Ints, before: Ints) -> tuple[Longs, Ints]:
    """Fibres whose discs of `extent` overlap, and neighbours on a slit, in the order of number."""
    n = len(xy)
    side = max(2.0 * np.median(extent), 1e-9)
    low_x, low_y = xy[:, 0].min(), xy[:, 1].min()
    side = max(side, (xy[:, 0].max() - low_x) / 1000.0, (xy[:, 1].max() - low_y) / 1000.0)
    columns = int((xy[:, 0].max() - low_x) / side) + 1
    rows = int((xy[:, 1].max() - low_y) / side) + 1
    first = np.zeros(columns * rows + 1, dtype=np.int64)
    cell = np.empty(n, dtype=np.int64)
    for f in range(n):
        cell[f] = int((xy[f, 1] - low_y) / side) * columns + int((xy[f, 0] - low_x) / side)
        first[cell[f] + 1] += 1
    for c in range(columns * rows):
        first[c + 1] += first[c]
    member = np.empty(n, dtype=np.int32)
    place = first[:-1].copy()
    for f in range(n):
        member[place[cell[f]]] = f
        place[cell[f]] += 1
    # each looks for those that are no longer than itself: the longest need not be looked for far
    first_of = np.empty(16 * n, dtype=np.int32)
    second_of = np.empty(16 * n, dtype=np.int32)
    found = 0
    start = np.zeros(n + 1, dtype=np.int64)
    for f in range(n):
        row, column = cell[f] // columns, cell[f] % columns
        wide = int(np.ceil(2.0 * extent[f] / side))
        for r in range(max(row - wide, 0), min(row + wide + 1, rows)):
            left = r * columns
            for j in range(
                first[left + max(column - wide, 0)], first[left + min(column + wide + 1, columns)]
            ):
                g = member[j]
                if extent[g] > extent[f] or (extent[g] == extent[f] and g >= f):
                    continue
                dx, dy = xy[f, 0] - xy[g, 0], xy[f, 1] - xy[g, 1]
                reach = extent[f] + extent[g]
                if dx * dx + dy * dy > reach * reach or _on_slit(f, g, following, before):
                    continue
                if found == len(first_of):
                    first_of = np.concatenate((first_of, np.empty_like(first_of)))
                    second_of = np.concatenate((second_of, np.empty_like(second_of)))
                first_of[found], second_of[found] = f, g
                found += 1
                start[f + 1] += 1
                start[g + 1] += 1
    for f in range(n):
        start[f + 1] += start[f] + (following[f] >= 0) + (before[f] >= 0)
    other = np.empty(start[n], dtype=np.int32)
    place = start[:-1].copy()
    for i in range(found):
        f, g = first_of[i], second_of[i]
        _sort_in(other, start[f], place[f], g)
        _sort_in(other, start[g], place[g], f)
        place[f] += 1
        place[g] += 1
    for f in range(n):
        for g in (following[f], before[f]):
            if g >= 0:
                _sort_in(other, start[f], place[f], g)
                place[f] += 1
    return start, other


@njit
def _on_slit(f: int, g: int, following: Ints, before: Ints) -> bool:
    """Whether two fibres are neighbours on a slit."""
    return bool(g == following[f] or g == before[f])


@njit
def _sort_in(numbers: Ints, low: int, place: int, new: int) -> None:
    """Put a number into its place among those sorted from `low` to `place`."""
    while place > low and numbers[place - 1] > new:
        numbers[place] = numbers[place - 1]
        place -= 1
    numbers[place] = new


KERNELS = (_reach, _near)
