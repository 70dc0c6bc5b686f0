"""What each fibre can do, and what excludes what.

A *state* of a fibre is one of its edges. :mod:`wstdes.allocation.conflicts` finds which states
exclude each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from wstdes.allocation.order import falling_order
from wstdes.jit import njit

if TYPE_CHECKING:
    import numpy.typing as npt

    from wstdes.allocation.problem import AssignmentProblem

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int32]
    Longs = npt.NDArray[np.int64]

__all__ = ["KERNELS", "Conflicts", "States", "all_states", "same_target", "some_states"]


@dataclass(frozen=True, eq=False)
class States:
    """What each fibre can do: some edges of a problem, in the order of their fibres.

    Parameters
    ----------
    start : int64[n + 1]
        The states of fibre f are ``start[f]`` to ``start[f + 1]``, the last not included.
    edge, fibre, target : int32[s]
        Edge of the problem, fibre and target of each state.
    weight : float64[s]
        Worth of its target.
    """

    start: Longs
    edge: Ints
    fibre: Ints
    target: Ints
    weight: Floats


@dataclass(frozen=True, eq=False)
class Conflicts:
    """Edges, or states, that exclude each other.

    Parameters
    ----------
    start : int64[m + 1]
        What excludes number i is ``other[start[i]:start[i + 1]]``.
    other : int32[c]
        Grouped by fibre; symmetric.
    """

    start: Longs
    other: Ints


def all_states(problem: AssignmentProblem) -> States:
    """Every edge as a state, of each fibre by weight, the greatest first.

    Parameters
    ----------
    problem : AssignmentProblem
        The problem.

    Returns
    -------
    States
    """
    order = falling_order(problem.weight)
    return States(*_states(order, problem.start, problem.fibre, problem.n_fibres, problem.weight))


def some_states(states: States, kept: npt.NDArray[np.bool_]) -> States:
    """Some of the states, in the same order.

    Parameters
    ----------
    states : States
        All of them.
    kept : bool[s]
        Which ones.

    Returns
    -------
    States
    """
    if kept.all():
        return states
    number = np.concatenate([[0], np.cumsum(kept)])
    return States(
        number[states.start],
        states.edge[kept],
        states.fibre[kept],
        states.target[kept],
        states.weight[kept],
    )


@njit
def same_target(start: Longs, state_of_edge: Ints) -> tuple[Longs, Ints]:
    """Conflicts of states of different fibres by their target alone.

    Parameters
    ----------
    start : int64[t + 1]
        Edges of each target.
    state_of_edge : int32[m]
        State of each edge.

    Returns
    -------
    int64[s + 1], int32[c]
        As in :class:`Conflicts`.
    """
    n = len(state_of_edge)
    begin = np.zeros(n + 1, dtype=np.int64)
    for t in range(len(start) - 1):
        for e in range(start[t], start[t + 1]):
            begin[state_of_edge[e] + 1] = start[t + 1] - start[t] - 1
    for s in range(n):
        begin[s + 1] += begin[s]
    other = np.empty(begin[n], dtype=np.int32)
    for t in range(len(start) - 1):
        for e in range(start[t], start[t + 1]):
            place = begin[state_of_edge[e]]
            for d in range(start[t], start[t + 1]):
                if d != e:
                    other[place] = state_of_edge[d]
                    place += 1
    return begin, other


@njit
def _states(
    order: Ints, start: Longs, fibre: Ints, n_fibres: int, weight: Floats
) -> tuple[Longs, Ints, Ints, Ints, Floats]:
    """Sort edges by fibre, those of a fibre in the order of their targets."""
    begin = np.zeros(n_fibres + 1, dtype=np.int64)
    for e in range(len(fibre)):
        begin[fibre[e] + 1] += 1
    for f in range(n_fibres):
        begin[f + 1] += begin[f]
    place = begin[:-1].copy()
    edge = np.empty(len(fibre), dtype=np.int32)
    owner = np.empty(len(fibre), dtype=np.int32)
    target = np.empty(len(fibre), dtype=np.int32)
    worth = np.empty(len(fibre), dtype=np.float64)
    for t in order:
        for e in range(start[t], start[t + 1]):
            s = place[fibre[e]]
            place[fibre[e]] += 1
            edge[s], owner[s], target[s], worth[s] = e, fibre[e], t, weight[t]
    return begin, edge, owner, target, worth


KERNELS = (_states, same_target)
