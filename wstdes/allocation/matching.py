"""``exact``: give fibres to targets, the first target first; there is no better assignment.

The worth of a pair is the worth of its target, whichever fibre it gets. The sets of targets that
can all have a fibre at once are then the independent sets of a transversal matroid, and taking
the targets in the order of their worth, each one that still fits, gives the greatest total worth
(Edmonds & Fulkerson 1965, J. Res. NBS 69B, 147; Lawler 1976, Combinatorial Optimization,
chapter 7). A limit on the number of targets truncates the matroid, and a truncated matroid is a
matroid. Whether a target fits is asked of augmenting paths.

That makes the answer its own proof: the objective is the upper bound.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from wstdes.allocation.order import falling_order
from wstdes.allocation.outcome import solution_of
from wstdes.errors import WstdesError
from wstdes.jit import njit, plain

if TYPE_CHECKING:
    import numpy.typing as npt

    from wstdes.allocation.problem import AssignmentProblem, Solution

__all__ = ["DEAD", "KERNELS", "Matching", "match_in_order", "solve_exact"]

TAKEN, FREE, DEAD = 0, 1, 2
_LOW, _HIGH, _SPARE, _SEEN = 0, 1, 2, 3
_NEVER = np.int32(2**31 - 1)


def solve_exact(problem: AssignmentProblem) -> Solution:
    """Find the assignment of the greatest weight, where only targets have a weight.

    Parameters
    ----------
    problem : AssignmentProblem
        Without conflicts, quotas and weights of pairs; fastest where the targets are stored by
        falling weight.

    Returns
    -------
    Solution
        Its upper bound is its objective.

    Raises
    ------
    WstdesError
        If the problem has what this method cannot respect.
    """
    for has, what, others in (
        (problem.pair_weight is not None, "weights of pairs", "'flow' or 'cpsat'"),
        (problem.has_conflicts, "conflicts between edges", "'lagrangian', 'cpsat' or 'greedy'"),
        (problem.quotas is not None, "quotas", "'lagrangian', 'cpsat' or 'flow'"),
    ):
        if has:
            raise WstdesError(f"exact cannot respect {what}: use method {others}")
    begin = time.perf_counter()
    order = falling_order(problem.weight)
    matching = Matching(problem.n_fibres)
    start, fibre = plain(problem.start, np.int64), plain(problem.fibre, np.int32)
    kind = np.zeros(problem.n_targets, dtype=np.int8)
    matching.extend(order, start, fibre, kind)
    fibre_of_target = matching.fibre_of_target(problem.n_targets)
    seconds = time.perf_counter() - begin
    return solution_of(problem, "exact", fibre_of_target, None, seconds)


def match_in_order(
    start: npt.ArrayLike,
    fibre: npt.ArrayLike,
    n_fibres: int,
    kind_of_target: npt.ArrayLike,
    capacity: npt.ArrayLike,
) -> npt.NDArray[np.int32]:
    """Match targets with fibres in the given order, moving earlier targets where that helps.

    A target that has got a fibre keeps one, though not always the same.

    Parameters
    ----------
    start : int64[t + 1]
        The candidates of target i are ``fibre[start[i]:start[i + 1]]``.
    fibre : int32[m]
        Candidates, the preferred one first, of the kind of the target alone.
    n_fibres : int
        Number of fibres.
    kind_of_target : int8[t]
        Kind of each target, 0 or 1.
    capacity : int64[2]
        Of each kind, how many targets to match at most.

    Returns
    -------
    int32[t]
        Fibre of each target, or -1.
    """
    kind = plain(kind_of_target, np.int8)
    matching = Matching(n_fibres, capacity)
    order = np.arange(len(kind), dtype=np.int32)
    matching.extend(order, plain(start, np.int64), plain(fibre, np.int32), kind)
    return matching.fibre_of_target(len(kind))


class Matching:
    """A matching that grows by one list of targets after the other.

    Parameters
    ----------
    n_fibres : int
        Number of fibres.
    capacity : int64[2], optional
        Of each kind, how many targets to match at most; no limit if not given.
    """

    def __init__(self, n_fibres: int, capacity: npt.ArrayLike | None = None) -> None:
        limit = [n_fibres, n_fibres] if capacity is None else capacity
        self.left: npt.NDArray[np.int64] = plain(limit, np.int64).copy()
        self.state = np.full(n_fibres, FREE, dtype=np.uint8)
        self.owner = np.full(n_fibres, -1, dtype=np.int32)
        # Of each taken fibre: the edges of its owner, from and to, the next of them that may
        # lead to a free fibre, and the number of the search that saw the fibre last.
        self._of = np.zeros((n_fibres, 4), dtype=np.int32)
        self._of[:, _SEEN] = -1
        self._searches = 0

    def extend(
        self,
        rows: npt.NDArray[np.int32],
        start: npt.NDArray[np.int64],
        fibre: npt.NDArray[np.int32],
        kind: npt.NDArray[np.int8],
        first: int = 0,
    ) -> None:
        """Match more targets, each one that fits beside those that have a fibre already.

        Parameters
        ----------
        rows : int32[r]
            Rows of `start` and `kind`, in the order in which their targets are taken.
        start : int64[k + 1]
            The edges of row i are ``fibre[start[i]:start[i + 1]]``.
        fibre : int32[m]
            Fibre of each edge; what earlier calls were given must still be in its place.
        kind : int8[k]
            Kind of the target of each row.
        first : int
            The target of row i is number ``first + i``.
        """
        if len(fibre) > _NEVER or self._searches + len(rows) > _NEVER:
            raise ValueError(f"{len(fibre)} edges are more than a matching can count")
        _extend(
            rows,
            start,
            fibre,
            kind,
            first,
            self._searches,
            self.left,
            self.state,
            self.owner,
            self._of,
        )
        self._searches += len(rows)

    def fibre_of_target(self, n_targets: int) -> npt.NDArray[np.int32]:
        """Fibre of each target, or -1: int32[t]."""
        has = np.full(n_targets, -1, dtype=np.int32)
        taken = np.flatnonzero(self.owner >= 0)
        has[self.owner[taken]] = taken
        return has


@njit
def _extend(
    rows: npt.NDArray[np.int32],
    start: npt.NDArray[np.int64],
    fibre: npt.NDArray[np.int32],
    kind: npt.NDArray[np.int8],
    first: int,
    searches: int,
    left: npt.NDArray[np.int64],
    state: npt.NDArray[np.uint8],
    owner: npt.NDArray[np.int32],
    of: npt.NDArray[np.int32],
) -> None:
    """Match the targets one after the other."""
    asker = np.empty(len(state), dtype=np.int32)
    queue = np.empty(len(state), dtype=np.int32)
    for i in range(len(rows)):
        row = rows[i]
        if left[kind[row]] <= 0:
            continue
        low, high = int(start[row]), int(start[row + 1])
        all_dead, free = np.uint8(DEAD), -1
        for j in range(low, high):
            of_fibre = state[fibre[j]]
            if of_fibre == FREE:
                free = j
                break
            all_dead &= of_fibre
        if free >= 0:
            f = fibre[free]
        elif all_dead == DEAD:
            continue
        else:
            free = high - 1
            f = _push_along(low, high, searches + i, fibre, state, owner, of, asker, queue)
            if f < 0:
                continue
        state[f], owner[f] = TAKEN, first + row
        of[f, _LOW], of[f, _HIGH], of[f, _SPARE] = low, high, free + 1
        left[kind[row]] -= 1


@njit
def _push_along(
    low: int,
    high: int,
    search: int,
    fibre: npt.NDArray[np.int32],
    state: npt.NDArray[np.uint8],
    owner: npt.NDArray[np.int32],
    of: npt.NDArray[np.int32],
    asker: npt.NDArray[np.int32],
    queue: npt.NDArray[np.int32],
) -> int:
    """Make one of the edges' fibres free by moving owners, each to another of its fibres.

    The search is breadth first: the owners of the edges' fibres are asked for a free fibre of
    theirs, then the owners of their fibres. ``asker[g]`` is the fibre whose owner wants g. A
    search that fails has seen all that can be reached from where it went, and no free fibre: no
    later path through there can end in one. Those fibres are dead, and all the failures together
    look at each fibre once.

    Returns
    -------
    int
        A fibre of the edges, which nobody owns now, or -1.
    """
    asking, n_queued, place = -1, 0, 0
    while True:
        for j in range(low, high):
            g = fibre[j]
            if of[g, _SEEN] >= search:
                continue
            of[g, _SEEN] = search
            asker[g] = asking
            spare, end = of[g, _SPARE], of[g, _HIGH]
            # A fibre once taken is never free again.
            while spare < end and state[fibre[spare]] != FREE:
                spare += 1
            of[g, _SPARE] = spare
            if spare < end:
                return _move(g, fibre[spare], state, owner, of, asker)
            queue[n_queued] = g
            n_queued += 1
        if place == n_queued:
            break
        asking = queue[place]
        low, high = of[asking, _LOW], of[asking, _HIGH]
        place += 1
    for i in range(n_queued):
        state[queue[i]] = DEAD
        of[queue[i], _SEEN] = _NEVER
    return -1


@njit
def _move(
    last: int,
    free: int,
    state: npt.NDArray[np.uint8],
    owner: npt.NDArray[np.int32],
    of: npt.NDArray[np.int32],
    asker: npt.NDArray[np.int32],
) -> int:
    """Give the free fibre to the owner of the path's last, that one to its asker's, and so on."""
    state[free] = TAKEN
    to, f = free, last
    while f >= 0:
        owner[to] = owner[f]
        of[to, _LOW], of[to, _HIGH], of[to, _SPARE] = of[f, _LOW], of[f, _HIGH], of[f, _SPARE]
        to, f = f, asker[f]
    return to


KERNELS = (_extend,)
