"""Components too large for branch and bound: sets of states that exclude each other, exchanges.

:mod:`wstdes.allocation.untangle` makes a linear programme of the sets. A choice of states is
improved by exchanges: a state comes in where it is worth more than all it drives out, and now and
then where it is not (Andrade, Resende & Werneck 2012, J. Heuristics 18, 525).
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

__all__ = ["KERNELS", "cliques", "exchange", "part"]


@njit
def part(
    start: Longs, conflict: Longs, other: Ints, alive: Bools, fibres: Ints
) -> tuple[Longs, Ints, Longs, Ints, Ints]:
    """Take some fibres, with the states that are left, out of a graph.

    Parameters
    ----------
    start, conflict, other, alive
        As in :func:`wstdes.allocation.reduction.eliminate`.
    fibres : int32[k]
        Whole components.

    Returns
    -------
    start, fibre, conflict, other
        The same arrays of the part, numbered anew.
    state : int32[s]
        State of the whole for each of the part.
    """
    k = len(fibres)
    begin = np.zeros(k + 1, dtype=np.int64)
    size, links = 0, 0
    for i in range(k):
        for s in range(start[fibres[i]], start[fibres[i] + 1]):
            if alive[s]:
                size += 1
                links += conflict[s + 1] - conflict[s]
        begin[i + 1] = size
    state, fibre = np.empty(size, dtype=np.int32), np.empty(size, dtype=np.int32)
    number = np.full(len(alive), -1, dtype=np.int32)
    size = 0
    for i in range(k):
        for s in range(start[fibres[i]], start[fibres[i] + 1]):
            if alive[s]:
                state[size], fibre[size], number[s] = s, i, size
                size += 1
    first = np.zeros(size + 1, dtype=np.int64)
    found = np.empty(links, dtype=np.int32)
    links = 0
    for i in range(size):
        for j in range(conflict[state[i]], conflict[state[i] + 1]):
            if number[other[j]] >= 0:
                found[links] = number[other[j]]
                links += 1
        first[i + 1] = links
    return begin, fibre, first, found[:links].copy(), state


@njit
def cliques(start: Longs, fibre: Ints, conflict: Longs, other: Ints) -> tuple[Longs, Ints]:
    """Sets of states that all exclude each other, which together say all that is excluded.

    Parameters
    ----------
    start, fibre, conflict, other
        As in :func:`wstdes.allocation.reduction.eliminate`.

    Returns
    -------
    first : int64[k + 1]
        Clique i has the states ``member[first[i]:first[i + 1]]``.
    member : int32[c]
        States.
    """
    n = len(fibre)
    capacity = 64 + 4 * n
    member = np.empty(capacity, dtype=np.int32)
    first = np.zeros(n + 1, dtype=np.int64)
    of_state = np.full(capacity, -1, dtype=np.int64)  # chain of the memberships of a state
    head = np.full(n, -1, dtype=np.int64)
    clique_of = np.empty(capacity, dtype=np.int64)
    covered = np.full(n, -1, dtype=np.int32)
    count = np.zeros(n, dtype=np.int32)
    n_cliques, n_members = 0, 0
    for a in range(n):
        chain = head[a]
        while chain >= 0:
            k = clique_of[chain]
            for i in range(first[k], first[k + 1]):
                covered[member[i]] = a
            chain = of_state[chain]
        mates = start[fibre[a] + 1] - start[fibre[a]]
        own = conflict[a + 1] - conflict[a]
        for turn in range(mates + own):
            b = start[fibre[a]] + turn if turn < mates else other[conflict[a] + turn - mates]
            if b <= a or covered[b] == a:
                continue
            begin = n_members
            need = n_members + mates + own + 2
            if need > len(member):
                grow = max(need, 2 * len(member)) - len(member)
                member = np.concatenate((member, np.empty(grow, dtype=np.int32)))
                of_state = np.concatenate((of_state, np.full(grow, -1, dtype=np.int64)))
                clique_of = np.concatenate((clique_of, np.empty(grow, dtype=np.int64)))
            n_members = _join(a, begin, n_members, member, start, fibre, conflict, other, count)
            n_members = _join(b, begin, n_members, member, start, fibre, conflict, other, count)
            for again in range(mates + own):
                c = start[fibre[a]] + again if again < mates else other[conflict[a] + again - mates]
                if count[c] == n_members - begin and c != a and c != b:
                    n_members = _join(
                        c, begin, n_members, member, start, fibre, conflict, other, count
                    )
            for i in range(begin, n_members):
                s = member[i]
                covered[s] = a
                clique_of[i] = n_cliques
                of_state[i] = head[s]
                head[s] = i
                _count(s, -1, start, fibre, conflict, other, count)
            n_cliques += 1
            if n_cliques + 1 >= len(first):
                first = np.concatenate((first, np.zeros(len(first), dtype=np.int64)))
            first[n_cliques] = n_members
        if head[a] < 0:  # alone in the world
            if n_members == len(member):
                member = np.concatenate((member, np.empty_like(member)))
                of_state = np.concatenate((of_state, np.full_like(of_state, -1)))
                clique_of = np.concatenate((clique_of, np.empty_like(clique_of)))
            member[n_members] = a
            clique_of[n_members] = n_cliques
            head[a] = n_members
            n_members += 1
            n_cliques += 1
            if n_cliques + 1 >= len(first):
                first = np.concatenate((first, np.zeros(len(first), dtype=np.int64)))
            first[n_cliques] = n_members
    return first[: n_cliques + 1].copy(), member[:n_members].copy()


@njit
def _count(
    s: int, step: int, start: Longs, fibre: Ints, conflict: Longs, other: Ints, count: Ints
) -> None:
    """Note at all that a state excludes that it joined or left."""
    for m in range(start[fibre[s]], start[fibre[s] + 1]):
        if m != s:
            count[m] += step
    for j in range(conflict[s], conflict[s + 1]):
        count[other[j]] += step


@njit
def _join(
    s: int,
    begin: int,
    end: int,
    member: Ints,
    start: Longs,
    fibre: Ints,
    conflict: Longs,
    other: Ints,
    count: Ints,
) -> int:
    """Put a state into the clique that is being made."""
    member[end] = s
    _count(s, 1, start, fibre, conflict, other, count)
    return end + 1


@njit
def exchange(
    start: Longs,
    fibre: Ints,
    conflict: Longs,
    other: Ints,
    value: Floats,
    order: Longs,
    given: Ints,
    kicks: int,
) -> Ints:
    """Improve a choice of states by exchanges.

    Parameters
    ----------
    start, fibre, conflict, other, value
        As in :func:`wstdes.allocation.reduction.eliminate`.
    order : int64[s]
        States in the order in which they are tried first.
    given : int32[n]
        State of each fibre to begin with, or -1.
    kicks : int
        How many times a state is forced in.

    Returns
    -------
    int32[n]
        A choice that is worth at least as much.
    """
    n, n_states = len(given), len(value)
    value = _summable(start, conflict, value)
    chosen = np.full(n, -1, dtype=np.int32)
    weight = np.zeros(n_states)  # of the chosen states that each state excludes
    for f in range(n):
        if given[f] >= 0:
            _change(given[f], True, start, fibre, conflict, other, value, chosen, weight)
    queue = order.copy()
    waiting = np.ones(n_states, dtype=np.bool_)
    _settle(queue, waiting, start, fibre, conflict, other, value, chosen, weight)
    waiting[:] = False
    touched = np.empty(n_states, dtype=np.int64)
    undo = np.empty(4096, dtype=np.int32)
    state = np.uint64(88172645463325252)
    for _ in range(kicks):
        state ^= state << np.uint64(13)
        state ^= state >> np.uint64(7)
        state ^= state << np.uint64(17)
        s = int(state % np.uint64(n_states))
        if chosen[fibre[s]] == s or value[s] <= 0.0:
            continue
        # remember what is changed here, and go back if it does not pay
        n_undo = 0
        gain = value[s] - weight[s]
        n_undo = _swap(s, start, fibre, conflict, other, value, chosen, weight, undo, n_undo)
        for _round in range(3):
            n_touched = 0
            for u in range(n_undo):
                c = undo[u] if undo[u] >= 0 else -1 - undo[u]
                f = fibre[c]
                for m in range(start[f], start[f + 1]):
                    if not waiting[m]:
                        waiting[m] = True
                        touched[n_touched] = m
                        n_touched += 1
                for j in range(conflict[c], conflict[c + 1]):
                    if not waiting[other[j]]:
                        waiting[other[j]] = True
                        touched[n_touched] = other[j]
                        n_touched += 1
            moved = False
            for i in range(n_touched):
                m = touched[i]
                waiting[m] = False
                if chosen[fibre[m]] == m or value[m] <= weight[m] or n_undo > 4000:
                    continue
                gain += value[m] - weight[m]
                n_undo = _swap(
                    m, start, fibre, conflict, other, value, chosen, weight, undo, n_undo
                )
                moved = True
            if not moved:
                break
        if gain < 0.0:
            for u in range(n_undo - 1, -1, -1):
                if undo[u] >= 0:  # it had come in
                    _change(undo[u], False, start, fibre, conflict, other, value, chosen, weight)
                else:
                    _change(
                        -1 - undo[u], True, start, fibre, conflict, other, value, chosen, weight
                    )
    return chosen


@njit
def _summable(start: Longs, conflict: Longs, value: Floats) -> Floats:
    """The values, rounded so that the sums of those that a state excludes have no error.

    Otherwise two states could drive each other out for ever, each a trifle better than the other.
    """
    most = 1
    for f in range(len(start) - 1):
        for s in range(start[f], start[f + 1]):
            most = max(most, conflict[s + 1] - conflict[s] + start[f + 1] - start[f])
    largest = most * value.max() if len(value) else 0.0
    if not largest > 0.0:
        return value
    unit = 2.0 ** (np.ceil(np.log2(largest)) - 52.0)
    return np.asarray(np.rint(value / unit) * unit)


@njit
def _settle(
    queue: Longs,
    waiting: Bools,
    start: Longs,
    fibre: Ints,
    conflict: Longs,
    other: Ints,
    value: Floats,
    chosen: Ints,
    weight: Floats,
) -> None:
    """Let states in as long as any is worth more than what it drives out."""
    undo = np.empty(4096, dtype=np.int32)
    moved = True
    while moved:
        moved = False
        for s in queue:
            if chosen[fibre[s]] != s and value[s] > weight[s]:
                _swap(s, start, fibre, conflict, other, value, chosen, weight, undo, 0)
                moved = True


@njit
def _swap(
    s: int,
    start: Longs,
    fibre: Ints,
    conflict: Longs,
    other: Ints,
    value: Floats,
    chosen: Ints,
    weight: Floats,
    undo: Ints,
    n_undo: int,
) -> int:
    """Let a state in, and all out that it excludes; write it down."""
    has = chosen[fibre[s]]
    if has >= 0:
        _change(has, False, start, fibre, conflict, other, value, chosen, weight)
        undo[n_undo] = -1 - has
        n_undo += 1
    for j in range(conflict[s], conflict[s + 1]):
        c = other[j]
        if chosen[fibre[c]] == c:
            _change(c, False, start, fibre, conflict, other, value, chosen, weight)
            undo[n_undo] = -1 - c
            n_undo += 1
    _change(s, True, start, fibre, conflict, other, value, chosen, weight)
    undo[n_undo] = s
    return n_undo + 1


@njit
def _change(
    s: int,
    enters: bool,
    start: Longs,
    fibre: Ints,
    conflict: Longs,
    other: Ints,
    value: Floats,
    chosen: Ints,
    weight: Floats,
) -> None:
    """Choose a state, or give it up."""
    chosen[fibre[s]] = s if enters else -1
    change = value[s] if enters else -value[s]
    for m in range(start[fibre[s]], start[fibre[s] + 1]):
        weight[m] += change
    for j in range(conflict[s], conflict[s + 1]):
        weight[other[j]] += change


KERNELS = (cliques, exchange, part)
