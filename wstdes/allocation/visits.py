"""The same field visited several times: who begins, who continues, who makes room.

A target counts when it has all its exposures. Before each visit
a plan of all that are left says which targets can be completed: by worth an exposure, each as a
whole or not at all, as if nothing collided. Then the visit is solved with all its rules. The worth
of a target in it is its worth by the exposures that it still needs; planned targets are lifted
above others, those that need most visits first; targets that have begun are lifted above all, so
that they keep a fibre; and what needs more visits than are left is not begun.

The bound: without conflicts, N visits of one field are a flow in which each fibre carries N
exposures. Bipartite multigraphs have an edge colouring with as many colours as the greatest degree
(Koenig 1916, Math. Ann. 77, 453), so exposures that respect the fibres' N spread over N visits.
If parts of targets counted, the best flow would serve the targets by worth an exposure, each as
far as it fits (a polymatroid; Edmonds 1970). Its value bounds every plan. Where arms collide, N
times the bound of one visit may be lower.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from wstdes.allocation.matching import match_in_order
from wstdes.allocation.methods import solve
from wstdes.allocation.order import falling_order
from wstdes.allocation.problem import AssignmentProblem, Purpose, Solution
from wstdes.errors import WstdesError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int32]
    Longs = npt.NDArray[np.int64]
    Bools = npt.NDArray[np.bool_]
    Problems = AssignmentProblem | Callable[[int], AssignmentProblem]

__all__ = [
    "VisitPlan",
    "lift_of",
    "only_targets",
    "plan_visits",
    "visit_weights",
    "visits_bound",
]

LIFT = 3.0
"""What has begun is lifted by so many times the greatest lift of what has not: one arm is rarely
in the way of more than two others."""

ROUNDS = 8
"""Of planning: each leaves out the targets that fitted in part alone."""


@dataclass(frozen=True, eq=False)
class VisitPlan:
    """Visits of one field.

    Parameters
    ----------
    solutions : tuple of Solution
        Of each visit; objectives and bounds are in the weights of :func:`visit_weights`.
    exposures : int32[n_visits, t]
        How many exposures each target has had in all after each visit.
    required : int32[t]
        How many it needs.
    done : int32[t]
        How many it had before.
    weight : float64[t]
        Worth of completing it.
    upper_bound : float
        No plan completes more worth in these visits; from `bound_method`.
    bound_method : str
        ``flow`` (no collisions, parts of targets count) or ``visit`` (N times the best visit).
    seconds : float
        Wall-clock time, the bound included.
    """

    solutions: tuple[Solution, ...]
    exposures: Ints
    required: Ints
    done: Ints
    weight: Floats
    upper_bound: float
    bound_method: str
    seconds: float

    @property
    def n_visits(self) -> int:
        """Number of visits."""
        return len(self.solutions)

    @property
    def finished(self) -> Bools:
        """Targets that these visits complete, bool[t]."""
        return np.asarray((self.exposures[-1] >= self.required) & (self.done < self.required))

    @property
    def objective(self) -> float:
        """Worth of the targets that these visits complete."""
        return float(self.weight[self.finished].sum())

    @property
    def gap(self) -> float:
        """Relative distance of the objective from the bound; 0 is proven optimal."""
        bound = self.upper_bound
        return max(bound - self.objective, 0.0) / bound if bound > 0.0 else 0.0

    @property
    def wasted(self) -> int:
        """Exposures of targets that are not complete after the last visit."""
        had = np.minimum(self.exposures[-1], self.required)
        open_ = (had < self.required) & (self.weight > 0.0)
        return int((had - self.done)[open_].clip(min=0).sum())

    def completeness(self, group: npt.NDArray[np.integer], n_groups: int) -> Floats:
        """How far each group is after each visit.

        Parameters
        ----------
        group : int[t]
            Group of each target (its survey, class or priority), or -1 for none.
        n_groups : int
            Number of groups.

        Returns
        -------
        float64[n_visits + 1, n_groups]
            Share of the group's targets that are complete: before the first visit, and after
            each. NaN for groups without targets.
        """
        counted = group >= 0
        size = np.bincount(group[counted], minlength=n_groups).astype(np.float64)
        share = np.full((self.n_visits + 1, n_groups), np.nan)
        for k, had in enumerate([self.done, *self.exposures]):
            whole = np.bincount(group[counted & (had >= self.required)], minlength=n_groups)
            np.divide(whole, size, out=share[k], where=size > 0)
        return share


def plan_visits(
    problem: Problems,
    required: npt.NDArray[np.integer],
    done: npt.NDArray[np.integer] | None = None,
    n_visits: int = 1,
    *,
    method: str = "auto",
    time_limit_s: float | None = None,
    start_unfinishable: bool = False,
    bound: bool = True,
) -> VisitPlan:
    """Plan several visits of a field.

    Parameters
    ----------
    problem : AssignmentProblem or callable
        Of a visit; the callable is given the number of the visit, from 0, and returns problems
        of the same targets (another rotator angle, a dither, other broken fibres).
    required : int[t]
        Exposures that each target needs; sky and standards are there in each visit anyway.
    done : int[t], optional
        Exposures that it has had before.
    n_visits : int
        How many visits.
    method : str
        As of :func:`~wstdes.allocation.methods.solve`.
    time_limit_s : float, optional
        For each visit [s].
    start_unfinishable : bool
        Begin targets that these visits cannot complete, on fibres that nobody else needs
        (later visits of the field may complete them).
    bound : bool
        Compute the upper bound; without it, it is the worth of all targets in reach.

    Returns
    -------
    VisitPlan

    Raises
    ------
    WstdesError
        If the numbers make no sense.
    """
    begin = time.perf_counter()
    at = problem if callable(problem) else (lambda _: problem)
    first = at(0)
    need, had = _check(first, required, done, n_visits)
    solutions: list[Solution] = []
    exposures: list[Ints] = []
    before = had.copy()
    for k in range(n_visits):
        rest = [at(i) for i in range(k, n_visits)] if callable(problem) else [first]
        now = rest[0]
        for i, other in enumerate(rest, k + 1):
            if other.n_targets != first.n_targets:
                raise WstdesError(
                    f"visit {i} has {other.n_targets} targets and the first {first.n_targets}"
                )
        lift = lift_of(rest, n_visits - k, need, had)
        weight, wanted = visit_weights(
            now, need, had, n_visits - k, lift=lift, start_unfinishable=start_unfinishable
        )
        solution = solve(only_targets(now, weight, wanted), method, time_limit_s=time_limit_s)
        had = had + (solution.fibre_of_target >= 0).astype(np.int32)
        solutions.append(solution)
        exposures.append(had)
    limit, kind = visits_bound(problem, need, before, n_visits) if bound else (np.inf, "none")
    worth = _worth(first)
    if not bound:
        limit = float(worth[(before < need) & (np.diff(first.start) > 0)].sum())
    return VisitPlan(
        tuple(solutions), np.array(exposures), need, before, worth, limit, kind,
        time.perf_counter() - begin,
    )  # fmt: skip


def _check(
    problem: AssignmentProblem,
    required: npt.NDArray[np.integer],
    done: npt.NDArray[np.integer] | None,
    n_visits: int,
) -> tuple[Ints, Ints]:
    t = problem.n_targets
    had = np.zeros(t, np.int32) if done is None else np.asarray(done)
    for name, values, least in (("required", np.asarray(required), 1), ("done", had, 0)):
        if values.shape != (t,) or values.dtype.kind not in "iu":
            raise WstdesError(f"{name} must be whole numbers, one for each of the {t} targets")
        if t and values.min() < least:
            bad = int(np.argmin(values))
            raise WstdesError(f"{name} of target {bad} is {values[bad]}: at least {least}")
    if n_visits < 1:
        raise WstdesError(f"there must be at least one visit, not {n_visits}")
    if problem.pair_weight is not None:
        raise WstdesError("several visits know no weights of pairs: leave them out")
    return np.asarray(required).astype(np.int32), had.astype(np.int32)


def _worth(problem: AssignmentProblem) -> Floats:
    """Worth of completing each target: nothing for sky and standards."""
    if problem.purpose is None:
        return problem.weight
    return np.where(problem.purpose == Purpose.SCIENCE, problem.weight, 0.0)


def visit_weights(
    problem: AssignmentProblem,
    required: Ints,
    done: Ints,
    visits_left: int,
    *,
    lift: npt.NDArray[np.integer] | None = None,
    start_unfinishable: bool = False,
) -> tuple[Floats, Bools]:
    """What each target is worth in the next visit.

    Parameters
    ----------
    problem : AssignmentProblem
        With the worth of completing each target.
    required, done : int32[t]
        Exposures needed and had.
    visits_left : int
        The next one included.
    lift : int[t], optional
        Raise targets that have not begun by so many times the greatest worth of one.
    start_unfinishable : bool
        Let targets that need more visits than are left have fibres that nobody else wants.

    Returns
    -------
    weight : float64[t]
        Worth by exposures still needed; what has begun is lifted above what has not. Sky and
        standards keep their weight.
    wanted : bool[t]
        Targets that take part.
    """
    science = np.ones(len(required), np.bool_)
    if problem.purpose is not None:
        science = problem.purpose == Purpose.SCIENCE
    left = required - done
    in_time = left <= visits_left
    open_ = science & (left > 0) & (in_time | start_unfinishable)
    value = np.where(open_, problem.weight / np.maximum(left, 1), 0.0)
    begun = open_ & in_time & (done > 0)
    fresh = open_ & ~begun
    top = float(value[fresh].max(initial=0.0))
    weight = value
    if lift is not None:
        weight = np.where(fresh & in_time, value + top * lift, value)
    top = float(weight[fresh].max(initial=0.0))
    weight = np.where(begun, value + LIFT * top, weight)
    if start_unfinishable:  # worth next to nothing, in their order
        late = open_ & ~in_time
        least = float(weight[open_ & in_time & (weight > 0.0)].min(initial=1.0))
        most = float(value[late].max(initial=0.0))
        if most > 0.0:
            weight = np.where(late, value * (1e-3 * least / most), weight)
    return np.where(science, weight, problem.weight), open_ | ~science


def only_targets(problem: AssignmentProblem, weight: Floats, wanted: Bools) -> AssignmentProblem:
    """The problem of some targets, the others without edges."""
    if wanted.all():
        return replace(problem, weight=weight)
    count = np.diff(problem.start)
    start = np.concatenate([[0], np.cumsum(np.where(wanted, count, 0))]).astype(np.int64)
    fibre = problem.fibre[np.repeat(wanted, count)]
    return replace(problem, weight=weight, start=start, fibre=fibre)


def visits_bound(
    problem: Problems,
    required: npt.NDArray[np.integer],
    done: npt.NDArray[np.integer],
    n_visits: int,
) -> tuple[float, str]:
    """A worth that no plan of several visits exceeds.

    Parameters
    ----------
    problem : AssignmentProblem or callable
        As in :func:`plan_visits`.
    required, done : int[t]
        Exposures needed and had.
    n_visits : int
        How many visits.

    Returns
    -------
    bound : float
        The lower one of two bounds: parts of targets count in both. In ``flow`` nothing
        collides; in ``visit`` each visit is the best for itself.
    method : str
        Which it is.
    """
    at = problem if callable(problem) else (lambda _: problem)
    first = at(0)
    left = np.maximum(required - done, 0)
    possible = (left > 0) & (left <= n_visits)
    value = np.where(possible, _worth(first) / np.maximum(left, 1), 0.0)
    flow = _flow_bound([at(k) for k in range(n_visits)] if callable(problem) else [first],
                       n_visits, value, left)  # fmt: skip
    if not (first.has_conflicts or first.quotas is not None):
        return flow, "flow"
    wanted = value > 0.0
    if first.purpose is not None:
        wanted |= first.purpose != Purpose.SCIENCE
    if callable(problem):
        each = sum(
            solve(only_targets(now, np.where(wanted, value, 0.0), wanted)).upper_bound
            for now in (at(k) for k in range(n_visits))
        )
    else:
        each = (
            n_visits * solve(only_targets(first, np.where(wanted, value, 0.0), wanted)).upper_bound
        )
    return (flow, "flow") if flow <= each else (each, "visit")


def _flow_bound(
    problems: Sequence[AssignmentProblem], n_visits: int, value: Floats, left: Ints
) -> float:
    """The best flow."""
    units, _ = _flow(problems, n_visits, value, left)
    return float((value * units).sum())


def _flow(
    problems: Sequence[AssignmentProblem], n_visits: int, rank: Floats, left: Ints
) -> tuple[Ints, Bools]:
    """Serve exposures by rank: a fibre in a visit is a fibre, an exposure of a target a target.

    Parameters
    ----------
    problems : sequence of AssignmentProblem
        Of each visit, or one for all.
    n_visits : int
        How many visits.
    rank : float64[t]
        Who goes first; zero for those who do not take part.
    left : int32[t]
        Exposures that each target wants.

    Returns
    -------
    units : int32[t]
        Exposures that each target gets.
    now : bool[t]
        Whether one of them is in the first visit.
    """
    units = np.zeros(len(rank), dtype=np.int32)
    now = np.zeros(len(rank), dtype=np.bool_)
    order = falling_order(rank)
    order = order[rank[order] > 0.0]
    if not len(order):
        return units, now
    n = problems[0].n_fibres
    each = [problems[k % len(problems)] for k in range(n_visits)]
    counts = [np.diff(problem.start)[order] for problem in each]
    total = np.sum(counts, axis=0)
    start = np.concatenate([[0], np.cumsum(total)]).astype(np.int64)
    fibre = np.empty(start[-1], dtype=np.int32)
    place = start[:-1].copy()
    for k, (problem, count) in enumerate(zip(each, counts, strict=True)):
        fibre[_ranges(place, count)] = k * n + problem.fibre[_ranges(problem.start[order], count)]
        place += count
    rows = np.repeat(np.arange(len(order)), left[order])
    starts = np.concatenate([[0], np.cumsum(total[rows])]).astype(np.int64)
    edges = fibre[_ranges(start[rows], total[rows])]
    room = np.array([n * n_visits, 0], dtype=np.int64)
    got = match_in_order(starts, edges, n * n_visits, np.zeros(len(rows), np.int8), room)
    np.add.at(units, order[rows[got >= 0]], 1)
    now[order[rows[(got >= 0) & (got < n)]]] = True
    return units, now


def lift_of(
    problems: Sequence[AssignmentProblem], n_visits: int, required: Ints, done: Ints
) -> Ints:
    """How far to lift each target: 0 if it is not in the plan, else more for long ones, int32[t].

    If all need one exposure, those whose turn is now are lifted instead: without conflicts that
    plan is the best there is.
    """
    left = np.maximum(required - done, 0)
    value = np.where(left <= n_visits, _worth(problems[0]) / np.maximum(left, 1), 0.0)
    value = np.where(left > 0, value, 0.0)
    rank = np.where((done > 0) & (value > 0.0), value + 2.0 * value.max(initial=0.0), value)
    for _ in range(ROUNDS):
        units, now = _flow(problems, n_visits, rank, left)
        parts = (units > 0) & (units < left)
        if not parts.any():
            break
        rank[parts] = 0.0
    whole = (units > 0) & (units == left)
    longest = int(left[whole].max(initial=1))
    return np.where(whole, 1 + (now if longest == 1 else left), 0).astype(np.int32)


def _ranges(first: npt.NDArray[np.integer], count: npt.NDArray[np.integer]) -> Longs:
    """Numbers from each first one on, so many of each."""
    end = np.cumsum(count, dtype=np.int64)
    total = int(end[-1]) if len(end) else 0
    return np.asarray(np.arange(total) + np.repeat(first - (end - count), count), np.int64)
