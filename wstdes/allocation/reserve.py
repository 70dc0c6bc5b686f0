"""Fibres kept free for targets of opportunity: taken out of a problem, and given back."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from wstdes.allocation.outcome import missing_of, objective_of
from wstdes.allocation.prepared import Prepared, prepare_field
from wstdes.allocation.problem import AssignmentProblem, Solution
from wstdes.errors import WstdesError

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int32]
    Longs = npt.NDArray[np.int64]
    Bools = npt.NDArray[np.bool_]

__all__ = ["release_reserved", "reserve", "spread_reserve"]


def reserve(problem: AssignmentProblem, reserved: Bools) -> AssignmentProblem:
    """The problem without some fibres, which are kept for targets of opportunity.

    Parameters
    ----------
    problem : AssignmentProblem
        The whole problem.
    reserved : bool[n]
        Fibres that are kept free.

    Returns
    -------
    AssignmentProblem
        With the same fibres and targets, and without the edges of those fibres. A solution of it
        is one of the whole problem too.

    Raises
    ------
    WstdesError
        If the mask does not fit.
    """
    if np.shape(reserved) != (problem.n_fibres,):
        raise WstdesError(f"reserved must have {problem.n_fibres} elements, one for each fibre")
    kept = ~reserved[problem.fibre]
    number = np.concatenate([[0], np.cumsum(kept)])
    pairs = problem.pair_weight
    return replace(
        problem,
        start=number[problem.start].astype(np.int64),
        fibre=problem.fibre[kept],
        pair_weight=None if pairs is None else pairs[kept],
    )


def release_reserved(
    problem: AssignmentProblem | Prepared, solution: Solution, reserved: Bools
) -> Solution:
    """Give reserved fibres that nobody came for to targets without one, the heaviest first.

    Parameters
    ----------
    problem : AssignmentProblem or Prepared
        The whole problem.
    solution : Solution
        Of the problem without those fibres.
    reserved : bool[n]
        The fibres.

    Returns
    -------
    Solution
        With the same targets on the same fibres, and some more.
    """
    ready = problem if isinstance(problem, Prepared) else prepare_field(problem)
    whole = ready.problem
    has = solution.fibre_of_target.copy()
    edge_of = ready.edge_of_fibre(has)
    for t in np.argsort(-whole.weight, kind="stable")[: np.count_nonzero(whole.weight)]:
        for e in ready.edges_of(t) if has[t] < 0 else ():
            f, others = whole.fibre[e], ready.excluded_by(e)
            free = reserved[f] and edge_of[f] < 0
            if free and not (edge_of[whole.fibre[others]] == others).any():
                has[t], edge_of[f] = f, e
                break
    heaviest = float(whole.weight.max(initial=0.0))
    bound = solution.upper_bound + heaviest * int(np.count_nonzero(reserved))
    return replace(
        solution,
        fibre_of_target=has,
        objective=objective_of(whole, has),
        upper_bound=bound,
        missing=missing_of(whole, has),
    )


def spread_reserve(fibre_xy_m: Floats, usable: Bools, number: int) -> Bools:
    """Choose fibres to keep free, evenly over the field: any place has one near.

    Each next one is the farthest from those chosen (Gonzalez 1985, Theor. Comput. Sci. 38, 293:
    no choice of as many has half the greatest distance to the nearest).

    Parameters
    ----------
    fibre_xy_m : float64[n, 2]
        Axes of the positioners [m].
    usable : bool[n]
        Those to choose from.
    number : int
        How many.

    Returns
    -------
    bool[n]
    """
    chosen = np.zeros(len(usable), dtype=np.bool_)
    at = np.flatnonzero(usable)
    if number > len(at) or number < 0:
        raise WstdesError(f"cannot reserve {number} of {len(at)} usable fibres")
    if number == 0:
        return chosen
    xy = fibre_xy_m[at]
    away = np.full(len(at), np.inf)
    new = int(np.argmin(np.hypot(*(xy - xy.mean(axis=0)).T)))
    for _ in range(number):
        chosen[at[new]] = True
        away = np.minimum(away, np.hypot(*(xy - xy[new]).T))
        away[new] = -1.0
        new = int(np.argmax(away))
    return chosen
