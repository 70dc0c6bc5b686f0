"""``greedy``: the first target takes the nearest fibre that is left. The baseline.

It is what DESI's fiberassign does in its science pass: targets in the order of their priority,
and of the free positioners that reach a target without colliding with what is placed already,
the nearest. Nothing that is placed moves again. Quotas are not sought, only counted.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from wstdes.allocation.matching import solve_exact
from wstdes.allocation.order import falling_order
from wstdes.allocation.outcome import solution_of
from wstdes.errors import WstdesError
from wstdes.jit import njit, plain

if TYPE_CHECKING:
    import numpy.typing as npt

    from wstdes.allocation.problem import AssignmentProblem, Solution

__all__ = ["KERNELS", "greedy_assignment", "solve_greedy"]


def solve_greedy(problem: AssignmentProblem) -> Solution:
    """Take the targets by class, weight and number, and give each the nearest fibre left.

    Parameters
    ----------
    problem : AssignmentProblem
        Conflicts are respected; quotas are counted, not sought.

    Returns
    -------
    Solution
        Its bound is the optimum without conflicts and quotas, proven by ``exact``; its seconds
        are those of the assignment with the conflicts, ``details["bound_seconds"]`` those of
        the bound.

    Raises
    ------
    WstdesError
        If pairs have weights.
    """
    if problem.pair_weight is not None:
        raise WstdesError(
            "greedy takes the nearest fibre and cannot weigh pairs: use method 'flow' or 'cpsat'"
        )
    begin = time.perf_counter()
    fibre_of_target = greedy_assignment(problem)
    seconds = time.perf_counter() - begin
    relaxed = solve_exact(replace(problem, geometry=None, quotas=None))
    details = {"bound_seconds": relaxed.seconds}
    return solution_of(problem, "greedy", fibre_of_target, relaxed.objective, seconds, details)


def greedy_assignment(problem: AssignmentProblem) -> npt.NDArray[np.int32]:
    """Fibre of each target, or -1, without a bound.

    Parameters
    ----------
    problem : AssignmentProblem
        Conflicts are respected.

    Returns
    -------
    int32[t]
    """
    order = falling_order(problem.weight)
    rank = problem.target_class[order]
    if len(rank) and rank.min() != rank.max():
        order = order[np.argsort(rank, kind="stable")]
    start, fibre = plain(problem.start, np.int64), plain(problem.fibre, np.int32)
    if not problem.has_conflicts:
        return _first_free(order, start, fibre, problem.n_fibres)
    from wstdes.allocation.conflicts import build_conflicts

    conflicts = build_conflicts(problem)
    return _first_clear(
        order,
        start,
        fibre,
        problem.n_fibres,
        plain(conflicts.start, np.int64),
        plain(conflicts.other, np.int32),
    )


@njit
def _first_free(
    order: npt.NDArray[np.int32],
    start: npt.NDArray[np.int64],
    fibre: npt.NDArray[np.int32],
    n_fibres: int,
) -> npt.NDArray[np.int32]:
    """Give each target the first of its fibres that is free."""
    has = np.full(len(order), -1, dtype=np.int32)
    free = np.ones(n_fibres, dtype=np.bool_)
    for target in order:
        for j in range(start[target], start[target + 1]):
            if free[fibre[j]]:
                free[fibre[j]] = False
                has[target] = fibre[j]
                break
    return has


@njit
def _first_clear(
    order: npt.NDArray[np.int32],
    start: npt.NDArray[np.int64],
    fibre: npt.NDArray[np.int32],
    n_fibres: int,
    conflict_start: npt.NDArray[np.int64],
    conflict_edge: npt.NDArray[np.int32],
) -> npt.NDArray[np.int32]:
    """Give each target the first of its fibres that is free and that no placed edge excludes."""
    has = np.full(len(order), -1, dtype=np.int32)
    free = np.ones(n_fibres, dtype=np.bool_)
    excluded = np.zeros(len(fibre), dtype=np.bool_)
    for target in order:
        for j in range(start[target], start[target + 1]):
            if free[fibre[j]] and not excluded[j]:
                free[fibre[j]] = False
                has[target] = fibre[j]
                for c in range(conflict_start[j], conflict_start[j + 1]):
                    excluded[conflict_edge[c]] = True
                break
    return has


KERNELS = (_first_free, _first_clear)
