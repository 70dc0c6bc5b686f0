"""What an assignment is worth, and what it lacks: the same sums for every method."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from wstdes.allocation.problem import AssignmentProblem, Purpose, Solution

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["missing_of", "objective_of", "solution_of"]


def objective_of(problem: AssignmentProblem, fibre_of_target: npt.NDArray[np.int32]) -> float:
    """Sum of the weights of the targets with a fibre, and of the pairs where those have any.

    Parameters
    ----------
    problem : AssignmentProblem
        The problem.
    fibre_of_target : int32[t]
        Fibre of each target, or -1.

    Returns
    -------
    float
        Of an edge that is listed twice, the greater weight counts.
    """
    got = fibre_of_target >= 0
    total = float(np.sum(problem.weight[got]))
    if problem.pair_weight is not None:
        owner = problem.edge_target()
        taken = np.flatnonzero(problem.fibre == fibre_of_target[owner])
        best = np.zeros(problem.n_targets)
        np.maximum.at(best, owner[taken], problem.pair_weight[taken])
        total += float(np.sum(best[got]))
    return total


def missing_of(
    problem: AssignmentProblem, fibre_of_target: npt.NDArray[np.int32]
) -> npt.NDArray[np.int32]:
    """How many fibres each group lacks of each of its quotas.

    Parameters
    ----------
    problem : AssignmentProblem
        The problem.
    fibre_of_target : int32[t]
        Fibre of each target, or -1.

    Returns
    -------
    int32[g, 3]
        Zero where a quota is met; no rows without quotas.
    """
    quotas = problem.quotas
    if quotas is None:
        return np.zeros((0, len(Purpose)), dtype=np.int32)
    have = np.zeros((quotas.n_groups, len(Purpose)), dtype=np.int32)
    got = np.flatnonzero(fibre_of_target >= 0)
    group = quotas.group[fibre_of_target[got]]
    if problem.purpose is None:
        purpose = np.full(len(got), Purpose.SCIENCE, dtype=np.int8)
    else:
        purpose = problem.purpose[got]
    counted = group >= 0
    np.add.at(have, (group[counted], purpose[counted]), 1)
    lacking: npt.NDArray[np.int32] = np.maximum(quotas.at_least - have, 0).astype(np.int32)
    return lacking


def solution_of(
    problem: AssignmentProblem,
    method: str,
    fibre_of_target: npt.NDArray[np.int32],
    upper_bound: float | None,
    seconds: float,
    details: dict[str, float] | None = None,
) -> Solution:
    """The solution with its sums.

    Parameters
    ----------
    problem : AssignmentProblem
        The problem.
    method : str
        The method that found it.
    fibre_of_target : int32[t]
        Fibre of each target, or -1.
    upper_bound : float or None
        None where the objective is its own bound. A bound that rounding has put below the
        objective is lifted to it.
    seconds : float
        Time of the search.
    details : dict, optional
        What the method has to say.

    Returns
    -------
    Solution
    """
    objective = objective_of(problem, fibre_of_target)
    return Solution(
        method=method,
        fibre_of_target=fibre_of_target,
        objective=objective,
        upper_bound=objective if upper_bound is None else max(upper_bound, objective),
        seconds=seconds,
        missing=missing_of(problem, fibre_of_target),
        details=details or {},
    )
