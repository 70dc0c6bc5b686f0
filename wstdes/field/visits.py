"""Several visits of one field, surveys with a share of it, and reasons for people."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from wstdes.allocation.problem import AssignmentProblem, Purpose, Solution
from wstdes.errors import WstdesError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from wstdes.allocation.share import SurveyShare
    from wstdes.field.allocation import Allocation
    from wstdes.field.catalogue import TargetList
    from wstdes.field.problem import FieldProblem

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int32]
    Bools = npt.NDArray[np.bool_]

__all__ = ["Agenda", "lost_to_others", "solve_visit", "survey_quotas", "visit_worth", "why"]

MOST_EDGES = 600_000
"""Reasons are counted for fields of no more edges than this: a second."""


@dataclass(frozen=True, eq=False)
class Agenda:
    """What is to be done in several visits of a field.

    Parameters
    ----------
    targets : TargetList
        The targets in the field.
    problem : AssignmentProblem
        Of these targets alone, without any rules.
    n_visits : int
        How many visits.
    """

    targets: TargetList
    problem: AssignmentProblem
    n_visits: int

    def at(self, visit: int, got: Ints) -> tuple[Floats, Bools]:
        """What each target is worth in a visit, and which ones take part: float64[t], bool[t]."""
        from wstdes.allocation.visits import lift_of, visit_weights

        left, had = self.n_visits - visit, self.targets.done + got
        required = self.targets.required
        lift = lift_of([self.problem], left, required, had)
        return visit_weights(self.problem, required, had, left, lift=lift, start_unfinishable=True)

    def result(self, got: Ints) -> tuple[float, float]:
        """Worth of the targets that all the visits complete, and a bound of every plan."""
        from wstdes.allocation.visits import visits_bound

        targets = self.targets
        new = (targets.done < targets.required) & (targets.done + got >= targets.required)
        science = targets.purpose == Purpose.SCIENCE
        bound, _ = visits_bound(self.problem, targets.required, targets.done, self.n_visits)
        worth = float(self.problem.weight[new & science].sum())
        return worth, max(bound, worth)


def survey_quotas(quotas: Mapping[str, float] | None, targets: TargetList) -> list[float] | None:
    """The share of each survey of a list of targets, in the order of their numbers.

    Raises
    ------
    WstdesError
        If there is no such survey, or the shares are none.
    """
    if not quotas:
        return None
    for name, share in quotas.items():
        if name not in targets.surveys:
            hint = did_you_mean(name, targets.surveys) or f"there are {', '.join(targets.surveys)}"
            raise WstdesError(f"quota: there is no survey '{name}' in the field; {hint}")
        if not 0.0 <= share <= 1.0:
            raise WstdesError(f"quota: the share {share} of survey '{name}' is not in 0 to 1")
    if sum(quotas.values()) > 1.0 + 1e-9:
        raise WstdesError(f"quota: the shares add up to {sum(quotas.values()):g}, more than 1")
    return [float(quotas.get(name, 0.0)) for name in targets.surveys]


def solve_visit(
    field: FieldProblem,
    targets: TargetList,
    worth: Floats | None,
    quotas: list[float] | None,
    method: str,
    time_limit_s: float | None,
) -> tuple[Solution, list[SurveyShare]]:
    """Solve a visit in the weights of the agenda; say what it reached in the catalogue's.

    Parameters
    ----------
    field : FieldProblem
        The problem of the visit.
    targets : TargetList
        Its targets.
    worth : float64[t] or None
        What each target of the list is worth in this visit; None for its own weight.
    quotas : list of float or None
        Share of each survey.
    method, time_limit_s
        As of :func:`wstdes.allocate`.

    Returns
    -------
    solution : Solution
        With an agenda, its bound is that of the visit alone, collisions apart.
    shares : list of SurveyShare
        With quotas.
    """
    from wstdes.allocation.methods import solve
    from wstdes.allocation.outcome import objective_of

    problem = field.problem
    shares: list[SurveyShare] = []
    if worth is not None:
        problem = replace(problem, weight=visit_worth(field, worth))
    if quotas is None:
        solution = solve(problem, method=method, time_limit_s=time_limit_s)
    else:
        from wstdes.allocation.share import share_fibres

        survey = np.zeros(problem.n_targets, dtype=np.int32)
        survey[: len(field.row)] = targets.survey[field.row]
        present = int(survey[: len(field.row)].max(initial=-1)) + 1
        solution, shares = share_fibres(
            problem, survey, "quota", quotas[:present], method=method, time_limit_s=time_limit_s
        )
    if worth is None:
        return solution, shares
    bare = replace(field.problem, geometry=None, quotas=None, purpose=None)
    value = objective_of(field.problem, solution.fibre_of_target)
    bound = max(solve(bare, "exact").objective, value)
    return replace(solution, objective=value, upper_bound=bound), shares


def visit_worth(field: FieldProblem, worth: Floats) -> Floats:
    """What each target of a visit's problem is worth, blank sky included."""
    blank = np.zeros(field.problem.n_targets - len(field.row))
    return np.concatenate([worth[field.row], blank])


def lost_to_others(done: Allocation, lost: Bools) -> dict[str, int]:
    """Count by reason the targets that working fibres reach and that got none.

    Fields of very many edges, and several visits, are not told apart.
    """
    from wstdes.allocation.explain import Why, explain_all

    made = done.visits[0]
    if len(done.visits) > 1 or made.field.problem.n_edges > MOST_EDGES or not lost.any():
        return {"targets lost to others: fibres, collisions or quotas": int(lost.sum())}
    codes = np.full(len(lost), -1)
    codes[made.field.row] = explain_all(made.field.problem, made.solution)[: len(made.field.row)]
    number = np.bincount(codes[lost] + 1, minlength=len(Why) + 1)[1:]
    better = "targets would fit at a gain: a better assignment exists"
    if done.shared:
        better = "targets gave way to the shares of surveys"
    return {
        "targets were outbid: their fibres serve others": int(number[Why.OUTBID]),
        "targets lost to collisions: arms would touch": int(number[Why.COLLISION]),
        "targets are too near to others with a fibre": int(number[Why.SEPARATION]),
        "targets would lie beside spectra too unlike": int(number[Why.CONTRAST]),
        "targets lost to quotas: fibres held for sky or standards": int(number[Why.QUOTA]),
        better: int(number[Why.MISSED]),
    }


def why(done: Allocation, identifier: str | int, visit: int = -1) -> list[str]:
    """Say why the targets of an identifier got no fibre in a visit, in words.

    Parameters
    ----------
    done : Allocation
        The allocation.
    identifier : str or int
        As in the catalogue; each target that has it is explained.
    visit : int
        Which visit, from 0; the last by default.

    Returns
    -------
    list of str
        One text a target.

    Raises
    ------
    WstdesError
        If no target of the field has that identifier.
    """
    from wstdes.allocation.explain import Why, explain
    from wstdes.allocation.prepared import prepare_field

    targets, made = done.targets, done.visits[visit]
    rows = np.flatnonzero(targets.id.astype(str) == str(identifier))
    if not len(rows):
        raise WstdesError(
            f"no target of the field has the identifier '{identifier}': it is not in the "
            f"catalogue or outside the field (targets here are such as {targets.id[0]})"
        )
    problem = made.field.problem
    if made.worth is not None:
        problem = replace(problem, weight=made.worth)
    ready = prepare_field(problem)
    place = np.full(len(targets), -1)
    place[made.field.row] = np.arange(len(made.field.row))

    def name(number: int) -> str:
        if number >= len(made.field.row):
            return "blank sky"
        return f"target {targets.id[made.field.row[number]]}"

    plane, texts = done.hardware.plane, []
    for row in rows:
        if place[row] < 0:
            texts.append(f"target {identifier} has all the visits it needs, or cannot have them.")
            continue
        reason = explain(
            ready, made.solution, int(place[row]), name=name, broken=done.broken | done.stuck,
            candidates=plane.kind == targets.kind[row], patrol_m=plane.patrol_m,
        )  # fmt: skip
        if reason.why == Why.MISSED and done.shared:
            texts.append(
                f"target {identifier} would fit at a gain by its own weight, but gave way to the "
                "shares of the surveys (quota)."
            )
            continue
        texts.append(reason.text)
    return texts
