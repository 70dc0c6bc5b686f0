"""Give fibres to targets, the first target first: exactly the best there is.

The worth of a pair is the worth of its target, whichever fibre it gets. The sets of targets that
can all have a fibre at once are then the independent sets of a transversal matroid, and taking
the targets in the order of their worth, each one that still fits, gives the greatest total worth
(Edmonds & Fulkerson 1965, J. Res. NBS 69B, 147; Lawler 1976, Combinatorial Optimization,
chapter 7). A limit on the number of targets truncates the matroid, and a truncated matroid is a
matroid. Whether a target fits is asked of augmenting paths.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from wstdes.allocation.jit import njit, plain

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["KERNELS", "match_in_order"]

_DEAD = -2


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
    return _match(
        plain(start, np.int64),
        plain(fibre, np.int32),
        int(n_fibres),
        plain(kind_of_target, np.int8),
        plain(capacity, np.int64),
    )


@njit
def _match(
    start: npt.NDArray[np.int64],
    fibre: npt.NDArray[np.int32],
    n_fibres: int,
    kind_of_target: npt.NDArray[np.int8],
    capacity: npt.NDArray[np.int64],
) -> npt.NDArray[np.int32]:
    """Match the targets one after the other."""
    n_targets = len(kind_of_target)
    has = np.full(n_targets, -1, dtype=np.int32)
    owner = np.full(n_fibres, -1, dtype=np.int32)
    seen = np.full(n_fibres, -1, dtype=np.int32)
    asker = np.empty(n_fibres, dtype=np.int32)
    queue = np.empty(n_fibres + 1, dtype=np.int32)
    spare = start[:-1].copy()
    left = capacity.copy()
    for target in range(n_targets):
        kind = kind_of_target[target]
        if left[kind] > 0:
            end = _search(target, start, fibre, has, owner, seen, asker, queue, spare)
            if end >= 0:
                _move(target, end, fibre[spare[end]], has, owner, asker)
                left[kind] -= 1
    return has


@njit
def _search(
    root: int,
    start: npt.NDArray[np.int64],
    fibre: npt.NDArray[np.int32],
    has: npt.NDArray[np.int32],
    owner: npt.NDArray[np.int32],
    seen: npt.NDArray[np.int32],
    asker: npt.NDArray[np.int32],
    queue: npt.NDArray[np.int32],
    spare: npt.NDArray[np.int64],
) -> int:
    """Find the nearest target that can take a free fibre so that the others can move up.

    The search is breadth first: the root asks the owners of its candidates, they ask the owners
    of theirs. ``asker[f]`` is the target that asked the owner of f to leave it. A search that
    fails has seen all that can be reached from where it went, and no free fibre: no later path
    through there can end in one. Those fibres are dead, and all the failures together look at
    each fibre once.

    Returns
    -------
    int
        The target, whose free fibre is ``fibre[spare[target]]``, or -1.
    """
    if _has_free(root, start, fibre, owner, spare):
        return root
    queue[0] = root
    n_queued, place = 1, 0
    while place < n_queued:
        target = queue[place]
        place += 1
        for j in range(start[target], start[target + 1]):
            f = fibre[j]
            if seen[f] == root or seen[f] == _DEAD:
                continue
            seen[f] = root
            asker[f] = target
            if _has_free(owner[f], start, fibre, owner, spare):
                return int(owner[f])
            queue[n_queued] = owner[f]
            n_queued += 1
    for i in range(1, n_queued):
        seen[has[queue[i]]] = _DEAD
    return -1


@njit
def _move(
    root: int,
    end: int,
    free: int,
    has: npt.NDArray[np.int32],
    owner: npt.NDArray[np.int32],
    asker: npt.NDArray[np.int32],
) -> None:
    """Give the free fibre to the target at the end of the path, and its old one to its asker."""
    target, f = end, free
    while True:
        left = has[target]
        has[target], owner[f] = f, target
        if target == root:
            return
        target, f = asker[left], left


@njit
def _has_free(
    target: int,
    start: npt.NDArray[np.int64],
    fibre: npt.NDArray[np.int32],
    owner: npt.NDArray[np.int32],
    spare: npt.NDArray[np.int64],
) -> bool:
    """Move on to the next free candidate, if there is one; a taken fibre is never free again."""
    while spare[target] < start[target + 1]:
        if owner[fibre[spare[target]]] < 0:
            return True
        spare[target] += 1
    return False


KERNELS = (_match,)
