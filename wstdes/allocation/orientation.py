"""How the focal plane lies on the sky: the rotator and small dithers, chosen for each visit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from wstdes.allocation.methods import solve
from wstdes.allocation.problem import AssignmentProblem, Purpose
from wstdes.allocation.visits import VisitPlan, only_targets, plan_visits, visit_weights
from wstdes.errors import WstdesError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int32]
    Longs = npt.NDArray[np.int64]
    Bools = npt.NDArray[np.bool_]
    Problems = AssignmentProblem | Callable[[int], AssignmentProblem]

__all__ = ["Orientation", "best_orientation", "choose_orientations"]


@dataclass(frozen=True)
class Orientation:
    """How the focal plane lies on the sky in one visit, and what that is good for.

    Parameters
    ----------
    rotator_rad : float
        Position angle [rad].
    dx_m, dy_m : float
        Dither: how far the field is moved on the focal plane [m].
    objective : float
        Worth of the visit, in the weights it was tried with.
    served : int
        Fibres on science targets.
    reached : int
        Science targets that a fibre reaches.
    """

    rotator_rad: float
    dx_m: float
    dy_m: float
    objective: float = 0.0
    served: int = 0
    reached: int = 0


def best_orientation(
    problem_at: Callable[[float, float, float], AssignmentProblem],
    candidates: Sequence[tuple[float, float, float]],
    *,
    method: str = "auto",
    weights: Callable[[AssignmentProblem], tuple[Floats, Bools]] | None = None,
) -> list[Orientation]:
    """Try orientations of the focal plane; the best one comes first.

    Parameters
    ----------
    problem_at : callable
        Given the rotator's angle [rad] and a dither (dx, dy) [m], the problem of the visit.
    candidates : sequence of (float, float, float)
        What to try.
    method : str
        As of :func:`~wstdes.allocation.methods.solve`.
    weights : callable, optional
        Weights of a problem's targets and which of them take part; by default its own and all.

    Returns
    -------
    list of Orientation
        All of them; equal ones in the order of the candidates.
    """
    if not len(candidates):
        raise WstdesError("there must be an orientation to try")
    tried = [_try(problem_at(*where), where, method, weights) for where in candidates]
    return sorted(tried, key=lambda orientation: -orientation.objective)


def _try(
    problem: AssignmentProblem,
    where: tuple[float, float, float],
    method: str,
    weights: Callable[[AssignmentProblem], tuple[Floats, Bools]] | None,
) -> Orientation:
    if weights is not None:
        problem = only_targets(problem, *weights(problem))
    solution = solve(problem, method)
    science = np.ones(problem.n_targets, np.bool_)
    if problem.purpose is not None:
        science = problem.purpose == Purpose.SCIENCE
    served = int((science & (solution.fibre_of_target >= 0)).sum())
    reached = int((science & (np.diff(problem.start) > 0)).sum())
    return Orientation(*where, solution.objective, served, reached)


def choose_orientations(
    problem_at: Callable[[float, float, float], AssignmentProblem],
    candidates: Sequence[tuple[float, float, float]],
    required: npt.NDArray[np.integer],
    done: npt.NDArray[np.integer] | None = None,
    n_visits: int = 1,
    *,
    method: str = "auto",
) -> tuple[list[Orientation], VisitPlan]:
    """Choose an orientation for each visit, each for what is left to do, and plan the visits.

    What one orientation leaves uncovered another one reaches: once the targets that the first
    reaches are served, it is the gaps that are worth most.

    Parameters
    ----------
    problem_at, candidates, method
        As in :func:`best_orientation`; all problems have the same targets.
    required, done, n_visits
        As in :func:`plan_visits`.

    Returns
    -------
    orientations : list of Orientation
        One for each visit.
    plan : VisitPlan
        With its bound for these orientations: others might allow more.
    """
    chosen: list[Orientation] = []
    had = np.zeros(len(required), np.int32) if done is None else np.asarray(done, np.int32)
    need = np.asarray(required, np.int32)
    for k in range(n_visits):
        state, left = had.copy(), n_visits - k

        def weights(
            problem: AssignmentProblem, state: Ints = state, left: int = left
        ) -> tuple[Floats, Bools]:
            return visit_weights(problem, need, state, left)

        best = best_orientation(problem_at, candidates, method=method, weights=weights)[0]
        chosen.append(best)
        problem = problem_at(best.rotator_rad, best.dx_m, best.dy_m)
        solution = solve(only_targets(problem, *weights(problem)), method)
        had = had + (solution.fibre_of_target >= 0).astype(np.int32)
    problems = [problem_at(o.rotator_rad, o.dx_m, o.dy_m) for o in chosen]
    plan = plan_visits(problems.__getitem__, need, done, n_visits, method=method)
    return chosen, plan
