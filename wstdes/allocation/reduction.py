"""Solve an assignment with conflicts exactly, where it falls apart into small pieces.

Each fibre takes one of its states or none; some states of different fibres exclude each other;
the sum of values is to be greatest. Three steps, each of which keeps at least one optimum:

1. **Elimination.** State b of a fibre makes state a of the same fibre superfluous if exchanging a
   for b never loses: the value that b gains is at least what the fibres lose that b, but not a,
   is in the way of, each falling back on its best state without conflicts. This is dead-end
   elimination (Desmet et al. 1992, Nature 356, 539; Goldstein 1994, Biophys. J. 66, 1335).
2. **Components.** What is left and still in conflict forms components of neighbouring fibres.
3. **Search.** Each component is solved by branch and bound. One that is too large keeps its best
   solution found, and a bound.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from wstdes.jit import njit

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int32]
    Longs = npt.NDArray[np.int64]
    Bools = npt.NDArray[np.bool_]

__all__ = ["KERNELS", "components", "eliminate", "search"]


@njit
def eliminate(
    start: Longs, fibre: Ints, conflict: Longs, other: Ints, value: Floats, usable: Bools
) -> Bools:
    """Find states that an optimum can do without.

    Parameters
    ----------
    start : int64[n + 1]
        The states of fibre f are ``start[f]`` to ``start[f + 1]``.
    fibre : int32[s]
        Fibre of each state.
    conflict : int64[s + 1]
        What excludes state i is ``other[conflict[i]:conflict[i + 1]]``.
    other : int32[c]
        States, those of a fibre one after another.
    value : float64[s]
        Worth of each state.
    usable : bool[s]
        States that may be taken at all.

    Returns
    -------
    bool[s]
        States that are left.
    """
    n = len(start) - 1
    alive = usable.copy()
    degree = np.zeros(len(value), dtype=np.int32)
    for s in range(len(value)):
        for j in range(conflict[s], conflict[s + 1]):
            degree[s] += alive[other[j]]
    fallback = np.zeros(n)
    safe = np.full(n, -1, dtype=np.int32)
    for f in range(n):
        for s in range(start[f], start[f + 1]):
            if alive[s] and degree[s] == 0 and (safe[f] < 0 or value[s] > fallback[f]):
                fallback[f], safe[f] = max(value[s], 0.0), s
    waiting = np.ones(n, dtype=np.bool_)
    queue = np.arange(n)
    coming = np.empty(n, dtype=np.int64)
    n_queue = n
    mark = np.full(len(value), -1, dtype=np.int32)
    gone = np.empty(len(value), dtype=np.int32)
    while n_queue > 0:
        n_coming = 0
        for i in range(n_queue):
            f = queue[i]
            waiting[f] = False
            n_gone = _eliminate_of(
                start[f],
                start[f + 1],
                safe[f],
                fibre,
                conflict,
                other,
                value,
                fallback,
                alive,
                mark,
                gone,
            )
            for k in range(n_gone):
                a = gone[k]
                for j in range(conflict[a], conflict[a + 1]):
                    c = other[j]
                    if not alive[c]:
                        continue
                    g = fibre[c]
                    degree[c] -= 1
                    if degree[c] == 0 and (safe[g] < 0 or value[c] > fallback[g]):
                        fallback[g], safe[g] = max(value[c], 0.0), c
                    if not waiting[g]:
                        waiting[g] = True
                        coming[n_coming] = g
                        n_coming += 1
            if n_gone and not waiting[f]:
                waiting[f] = True
                coming[n_coming] = f
                n_coming += 1
        queue, coming = coming, queue
        n_queue = n_coming
    return alive


@njit
def _eliminate_of(
    low: int,
    high: int,
    safe: int,
    fibre: Ints,
    conflict: Longs,
    other: Ints,
    value: Floats,
    fallback: Floats,
    alive: Bools,
    mark: Ints,
    gone: Ints,
) -> int:
    """Eliminate states of one fibre; return how many are gone."""
    n_gone = 0
    if safe >= 0:
        for a in range(low, high):
            if alive[a] and a != safe and value[a] <= value[safe]:
                alive[a] = False
                gone[n_gone] = a
                n_gone += 1
    for a in range(low, high):
        if not alive[a] or a == safe:  # others count on the safe state
            continue
        for j in range(conflict[a], conflict[a + 1]):
            mark[other[j]] = a
        for b in range(low, high):
            if b == a or not alive[b] or value[b] < value[a]:
                continue
            slack = value[b] - value[a]
            lost, most, current = 0.0, 0.0, -1
            for j in range(conflict[b], conflict[b + 1]):
                c = other[j]
                if not alive[c] or mark[c] == a:
                    continue
                if fibre[c] != current:
                    lost += most
                    most, current = 0.0, fibre[c]
                    if lost > slack:
                        break
                most = max(most, value[c] - fallback[fibre[c]])
            if lost + most <= slack:
                alive[a] = False
                gone[n_gone] = a
                n_gone += 1
                break
    return n_gone


@njit
def components(
    start: Longs, fibre: Ints, conflict: Longs, other: Ints, alive: Bools
) -> tuple[Longs, Ints]:
    """Group the fibres that are still in each other's way.

    Parameters
    ----------
    start, fibre, conflict, other
        As in :func:`eliminate`.
    alive : bool[s]
        States that are left.

    Returns
    -------
    first : int64[k + 1]
        Component i has the fibres ``member[first[i]:first[i + 1]]``.
    member : int32[f]
        Fibres, of each component in the order of a walk through it.
    """
    n = len(start) - 1
    seen = np.zeros(n, dtype=np.bool_)
    member = np.empty(n, dtype=np.int32)
    first = np.zeros(n + 1, dtype=np.int64)
    n_found, n_components = 0, 0
    for root in range(n):
        if seen[root] or not _in_conflict(root, start, conflict, other, alive):
            continue
        seen[root] = True
        member[n_found] = root
        place = n_found
        n_found += 1
        while place < n_found:
            f = member[place]
            place += 1
            for s in range(start[f], start[f + 1]):
                if not alive[s]:
                    continue
                for j in range(conflict[s], conflict[s + 1]):
                    c = other[j]
                    if alive[c] and not seen[fibre[c]]:
                        seen[fibre[c]] = True
                        member[n_found] = fibre[c]
                        n_found += 1
        n_components += 1
        first[n_components] = n_found
    return first[: n_components + 1], member[:n_found]


@njit
def _in_conflict(f: int, start: Longs, conflict: Longs, other: Ints, alive: Bools) -> bool:
    """Whether any state left of a fibre excludes any other state left."""
    for s in range(start[f], start[f + 1]):
        if alive[s]:
            for j in range(conflict[s], conflict[s + 1]):
                if alive[other[j]]:
                    return True
    return False


@njit
def search(
    start: Longs,
    conflict: Longs,
    other: Ints,
    value: Floats,
    alive: Bools,
    first: Longs,
    member: Ints,
    most_nodes: int,
) -> tuple[Ints, Floats, Floats]:
    """Solve all components; outside them, each fibre takes its best state.

    Parameters
    ----------
    start, conflict, other, value, alive
        As in :func:`eliminate`.
    first, member
        From :func:`components`.
    most_nodes : int
        Of the search, for each component.

    Returns
    -------
    chosen : int32[n]
        State of each fibre, or -1.
    reached, bound : float64[k]
        Of each component, the value found and one that cannot be exceeded: equal if proven.
    """
    n = len(start) - 1
    chosen = np.full(n, -1, dtype=np.int32)
    for f in range(n):
        for s in range(start[f], start[f + 1]):
            if alive[s] and value[s] >= 0.0 and (chosen[f] < 0 or value[s] > value[chosen[f]]):
                chosen[f] = s
    for f in member:
        chosen[f] = -1
    k = len(first) - 1
    reached, bound = np.zeros(k), np.zeros(k)
    blocked = np.zeros(len(value), dtype=np.int32)
    for i in range(k):
        reached[i], bound[i] = _branch(
            member[first[i] : first[i + 1]],
            start,
            conflict,
            other,
            value,
            alive,
            blocked,
            chosen,
            most_nodes,
        )
    return chosen, reached, bound


@njit
def _best(f: int, start: Longs, value: Floats, alive: Bools, blocked: Ints) -> float:
    """Greatest value that a fibre can still have."""
    best = 0.0
    for s in range(start[f], start[f + 1]):
        if alive[s] and blocked[s] == 0 and value[s] > best:
            best = value[s]
    return best


@njit
def _next(f: int, after: int, start: Longs, value: Floats, alive: Bools, blocked: Ints) -> int:
    """The fibre's free state next in value after one (any, after -1), or -1.

    Equal values follow each other by number.
    """
    found = -1
    for s in range(start[f], start[f + 1]):
        if not alive[s] or blocked[s] > 0 or value[s] < 0.0:
            continue
        if after >= 0 and (value[s] > value[after] or (value[s] == value[after] and s <= after)):
            continue
        if found < 0 or value[s] > value[found]:
            found = s
    return found


@njit
def _branch(
    fibres: Ints,
    start: Longs,
    conflict: Longs,
    other: Ints,
    value: Floats,
    alive: Bools,
    blocked: Ints,
    chosen: Ints,
    most_nodes: int,
) -> tuple[float, float]:
    """Depth first over the fibres of a component; the bound is the sum of what each could have."""
    k = len(fibres)
    now = np.full(k, -1, dtype=np.int32)
    tried = np.full(k, -2, dtype=np.int32)  # -2: nothing yet, -1: also none
    worth = np.zeros(k + 1)
    best, top, nodes, depth = -1.0, 0.0, 0, 0
    for f in fibres:
        top += _best(f, start, value, alive, blocked)
    while depth >= 0:
        if now[depth] >= 0:  # take back what was tried last
            s = now[depth]
            for j in range(conflict[s], conflict[s + 1]):
                blocked[other[j]] -= 1
            now[depth] = -1
        f = fibres[depth]
        if tried[depth] == -1 or (nodes >= most_nodes and best >= 0.0):
            tried[depth] = -2
            depth -= 1
            continue
        after = -1 if tried[depth] == -2 else tried[depth]
        s = _next(f, after, start, value, alive, blocked)
        tried[depth] = s
        nodes += 1
        worth[depth + 1] = worth[depth]
        if s >= 0:
            now[depth] = s
            worth[depth + 1] += value[s]
            for j in range(conflict[s], conflict[s + 1]):
                blocked[other[j]] += 1
        hope = worth[depth + 1]
        for i in range(depth + 1, k):
            hope += _best(fibres[i], start, value, alive, blocked)
        if best >= 0.0 and hope <= best:
            continue
        if depth + 1 < k:
            depth += 1
        else:
            best = worth[k]
            for i in range(k):
                chosen[fibres[i]] = now[i]
    return best, best if nodes < most_nodes else top


KERNELS = (eliminate, components, search)
