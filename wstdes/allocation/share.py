"""Many surveys on one focal plane: by priority, by quota or by merit.

By quota, each survey has at least its share of the fibres, as far as it can use them. The shares
are priced: a target of survey v is worth ``price[v]`` more than it is, and the prices are raised
until the shares hold. As with the quotas of sky, prices give an upper bound of every assignment
that keeps the shares (Geoffrion 1974, Math. Prog. Study 2, 82): the value at these prices, less
what they cost.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from wstdes.allocation.matching import match_in_order
from wstdes.allocation.methods import solve
from wstdes.allocation.order import falling_order
from wstdes.allocation.outcome import missing_of, objective_of
from wstdes.allocation.problem import AssignmentProblem, Purpose, Solution
from wstdes.errors import WstdesError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int32]
    Longs = npt.NDArray[np.int64]
    Bools = npt.NDArray[np.bool_]

__all__ = ["RULES", "SurveyShare", "share_fibres"]

RULES = ("priority", "quota", "merit")
"""How surveys share a focal plane."""

STEPS = 30
"""Of the search for a price without collisions."""

SLACK = 4000
"""One fibre in so many may be more than a quota asks for: a price is not searched any finer."""

SPREAD = 1e-6
"""Targets of equal weight are told apart by so much of the greatest one."""

ROUNDS = 6
"""Of the search for prices with collisions and quotas of sky."""


@dataclass(frozen=True)
class SurveyShare:
    """What a survey got.

    Parameters
    ----------
    survey : int
        Its number.
    wanted : int
        Its science targets.
    usable : int
        Fibres that it could use if it were alone (collisions apart).
    quota : int
        Fibres that it should have at least; never more than it can use.
    fibres : int
        Fibres that it has.
    share : float
        Of all fibres on science.
    worth, of_worth : float
        Worth of its targets with a fibre, and of all of them, in the weights as given.
    price : float
        What a target of this survey is worth on top of its weight, for the shares to hold.
    """

    survey: int
    wanted: int
    usable: int
    quota: int
    fibres: int
    share: float
    worth: float
    of_worth: float
    price: float

    @property
    def completeness(self) -> float:
        """Share of the survey's worth that has a fibre; 1 where there was none."""
        return self.worth / self.of_worth if self.of_worth > 0.0 else 1.0

    @property
    def kept(self) -> bool:
        """Whether the survey has its quota."""
        return self.fibres >= self.quota


def share_fibres(
    problem: AssignmentProblem,
    survey: npt.NDArray[np.integer],
    rule: str = "priority",
    quotas: Sequence[float] | None = None,
    *,
    method: str = "auto",
    time_limit_s: float | None = None,
    usable: Bools | None = None,
) -> tuple[Solution, list[SurveyShare]]:
    """Solve a field for several surveys.

    Parameters
    ----------
    problem : AssignmentProblem
        The field; weights of different surveys need a common scale for ``priority`` alone.
    survey : int[t]
        Survey of each target, from 0; those of sky and standards do not matter.
    rule : {"priority", "quota", "merit"}
        ``priority``: weights as they are. ``quota``: each survey has at least its share of the
        fibres that any of its targets reaches, and beyond that weights decide. ``merit``: weights
        are scaled so that a per cent of a survey's worth counts the same for all (or as `quotas`
        says).
    quotas : sequence of float, optional
        By ``quota``, the share of each survey, 0 to 1, together at most 1. By ``merit``, how much
        each survey's completeness counts. A survey left out has 0, and counts 1.
    method, time_limit_s
        As of :func:`~wstdes.allocation.methods.solve`.
    usable : bool[n], optional
        Fibres that shares count from; by default those that any science target reaches.

    Returns
    -------
    solution : Solution
        Objective and bound are in the weights as given (by ``merit``, in the sum of completeness).
        By ``quota``, no assignment that keeps the shares as well as this one exceeds the bound.
        Its details have ``shares_missing``: fibres that surveys lack of their quotas.
    shares : list of SurveyShare
        By number of the survey.

    Raises
    ------
    WstdesError
        If the rule or the quotas mean nothing.
    """
    begin = time.perf_counter()
    if rule not in RULES:
        hint = did_you_mean(str(rule), RULES)
        raise WstdesError(f"there is no rule '{rule}'; {hint}".rstrip("; "))
    of, n_surveys = _surveys(problem, survey)
    wish = _shares(quotas, n_surveys, rule)
    usable_by = _alone(problem, of, n_surveys)
    at_least = np.zeros(n_surveys, dtype=np.int64)
    price = np.zeros(n_surveys)
    if rule == "quota":
        at_least = np.minimum(
            np.floor(wish * _available(problem, of, usable) + 1e-9).astype(np.int64), usable_by
        )
        solution, price = _by_quota(problem, of, at_least, method, time_limit_s)
    elif rule == "merit":
        total = _sum(of, problem.weight, n_surveys)
        scale = np.divide(wish, total, out=np.zeros(n_surveys), where=total > 0.0)
        weight = np.where(of >= 0, problem.weight * scale[of], problem.weight)
        solution = solve(replace(problem, weight=weight), method, time_limit_s=time_limit_s)
    else:
        solution = solve(problem, method, time_limit_s=time_limit_s)
    table = _table(problem, of, solution, usable_by, at_least, price)
    lacking = sum(max(row.quota - row.fibres, 0) for row in table)
    details = {**solution.details, "shares_missing": float(lacking)}
    seconds = time.perf_counter() - begin
    return replace(solution, details=details, seconds=seconds), table


def _surveys(problem: AssignmentProblem, survey: npt.NDArray[np.integer]) -> tuple[Ints, int]:
    """Survey of each science target, -1 for sky and standards; number of surveys."""
    of = np.asarray(survey)
    if of.shape != (problem.n_targets,) or of.dtype.kind not in "iu":
        raise WstdesError(
            f"survey must be whole numbers, one for each of the {problem.n_targets} targets"
        )
    science = np.ones(len(of), np.bool_)
    if problem.purpose is not None:
        science = problem.purpose == Purpose.SCIENCE
    if science.any() and of[science].min() < 0:
        bad = int(np.argmin(np.where(science, of, 0)))
        raise WstdesError(f"survey of target {bad} is {of[bad]}: it must be 0 or more")
    n_surveys = int(of[science].max(initial=-1)) + 1
    return np.where(science, of, -1).astype(np.int32), n_surveys


def _shares(quotas: Sequence[float] | None, n_surveys: int, rule: str) -> Floats:
    """What is wanted of each survey."""
    fill = 1.0 if rule == "merit" else 0.0
    wish = np.full(n_surveys, fill)
    if quotas is None:
        if rule == "quota":
            raise WstdesError("sharing by quota needs the share of each survey")
        return wish
    given = np.asarray(quotas, dtype=np.float64)
    if len(given) > n_surveys and given[n_surveys:].any():
        raise WstdesError(f"there are {len(given)} quotas and {n_surveys} surveys with targets")
    given = given[:n_surveys]
    if not (np.isfinite(given) & (given >= 0.0)).all():
        raise WstdesError(f"a quota must be 0 or more, not {given.tolist()}")
    if rule == "quota" and given.sum() > 1.0 + 1e-9:
        raise WstdesError(f"the quotas add up to {given.sum():g}: they are shares, at most 1")
    wish[: len(given)] = given
    return wish


def _sum(of: Ints, values: Floats, n_surveys: int) -> Floats:
    total = np.bincount(of[of >= 0], values[of >= 0], minlength=n_surveys)
    return total.astype(np.float64)


def _available(problem: AssignmentProblem, of: Ints, usable: Bools | None) -> Longs:
    """Fibres that a share counts from: of each survey, those its targets reach any of by kind.

    Fibres of one kind share targets with each other: two surveys that never meet on a fibre
    count from their own fibres alone.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    owner = of[problem.edge_target()]
    science = owner >= 0
    n_surveys = int(of.max(initial=-1)) + 1
    owner, fibre = owner[science], problem.fibre[science]
    meets = coo_array(
        (np.ones(len(owner), np.int8), (owner, n_surveys + fibre)),
        shape=(n_surveys + problem.n_fibres,) * 2,
    )
    _, part = connected_components(meets, directed=False)
    counted = np.bincount(fibre, minlength=problem.n_fibres) > 0
    if usable is not None:
        counted = np.asarray(usable)
    size = np.bincount(part[n_surveys:][counted], minlength=part.max(initial=0) + 1)
    return size[part[:n_surveys]].astype(np.int64)


def _alone(problem: AssignmentProblem, of: Ints, n_surveys: int) -> Longs:
    """How many fibres each survey could use if it were alone and nothing collided."""
    most = np.zeros(n_surveys, dtype=np.int64)
    room = np.array([problem.n_fibres, 0])
    for v in range(n_surveys):
        start, fibre = _edges(problem, np.flatnonzero(of == v))
        kind = np.zeros(len(start) - 1, dtype=np.int8)
        most[v] = int((match_in_order(start, fibre, problem.n_fibres, kind, room) >= 0).sum())
    return most


def _priced(problem: AssignmentProblem, of: Ints, price: Floats) -> AssignmentProblem:
    """The problem with prices on top of weights."""
    return replace(problem, weight=np.where(of >= 0, problem.weight + price[of], problem.weight))


def _counts(of: Ints, solution: Solution, n_surveys: int) -> Longs:
    got = (solution.fibre_of_target >= 0) & (of >= 0)
    return np.bincount(of[got], minlength=n_surveys)


def _by_quota(
    problem: AssignmentProblem,
    of: Ints,
    at_least: Longs,
    method: str,
    time_limit_s: float | None,
) -> tuple[Solution, Floats]:
    """Find prices at which the shares hold: first without collisions, then with all rules."""
    n_surveys = len(at_least)
    # equal weights would change sides together: the targets of a survey are told apart a little
    spread = SPREAD * float(problem.weight.max(initial=0.0))
    order = np.random.default_rng(0).permutation(problem.n_targets) / max(problem.n_targets, 1)
    split = replace(problem, weight=problem.weight + np.where(of >= 0, spread * order, 0.0))
    oracle = _Oracle(split, of, n_surveys)
    wanted, price = at_least.copy(), np.zeros(n_surveys)
    best: tuple[tuple[int, int, float], Solution, Floats, Longs] | None = None
    for _ in range(ROUNDS):
        price = oracle.prices(wanted, price)
        solution = solve(_priced(split, of, price), method, time_limit_s=time_limit_s)
        got = _counts(of, solution, n_surveys)
        lacking = np.maximum(at_least - got, 0)
        missing = int(missing_of(problem, solution.fibre_of_target).sum())
        key = missing, int(lacking.sum()), -objective_of(problem, solution.fibre_of_target)
        if best is None or key < best[0]:
            best = key, solution, price, np.minimum(at_least, got)
        if not lacking.any():
            break
        wanted = wanted + lacking  # what collisions and sky took away
    assert best is not None
    _, solution, price, kept = best
    has = solution.fibre_of_target
    worth = objective_of(problem, has)
    bound = max(solution.upper_bound - float(price @ kept), worth)
    missing_now = missing_of(problem, has)
    return replace(solution, objective=worth, upper_bound=bound, missing=missing_now), price


class _Oracle:
    """How many fibres each survey gets for given prices, if nothing collides.

    A target that has no place beside the better ones of its own survey has none beside those of
    all surveys either, whatever the prices: only each survey's own optimum takes part.
    """

    def __init__(self, problem: AssignmentProblem, of: Ints, n_surveys: int) -> None:
        self.most = 2.0 * float(problem.weight.max(initial=0.0)) + 1.0
        self.n_fibres = problem.n_fibres
        alone = np.zeros(problem.n_targets, np.bool_)
        for v in range(n_surveys):
            rows = np.flatnonzero(of == v)
            rows = rows[falling_order(problem.weight[rows])]
            start, fibre = _edges(problem, rows)
            alone[rows[self._match(start, fibre) >= 0]] = True
        self.rows = np.flatnonzero(alone)
        self.of, self.weight = of[self.rows], problem.weight[self.rows]
        self.start, self.fibre = _edges(problem, self.rows)

    def _match(self, start: Longs, fibre: Ints) -> Ints:
        room = np.array([self.n_fibres, 0])
        return match_in_order(start, fibre, self.n_fibres, np.zeros(len(start) - 1, np.int8), room)

    def count(self, price: Floats) -> Longs:
        """Fibres of each survey."""
        order = falling_order(self.weight + price[self.of])
        count = np.diff(self.start)[order]
        start = np.concatenate([[0], np.cumsum(count)])
        place = np.arange(start[-1]) + np.repeat(self.start[order] - start[:-1], count)
        got = self._match(start, self.fibre[place]) >= 0
        return np.bincount(self.of[order][got], minlength=len(price))

    def prices(self, wanted: Longs, begin: Floats) -> Floats:
        """Raise the price of one survey after the other until each has what is wanted.

        A higher price of one survey never gives another one more, so prices only rise, towards
        the lowest ones that do (the lattice of prices of gross substitutes; Gul & Stacchetti
        1999, J. Econ. Theory 87, 95).
        """
        price = begin.copy()
        for _ in range(4 * len(wanted)):
            short = np.flatnonzero(self.count(price) < wanted)
            if not len(short):
                break
            for v in short:
                price[v] = self._raise(price, int(v), int(wanted[v]))
        return price

    def _raise(self, price: Floats, v: int, wanted: int) -> float:
        """The lowest price, nearly, at which one survey has what is wanted."""
        trial, low, step = price.copy(), float(price[v]), 1e-3 * self.most
        enough = wanted + wanted // SLACK
        top = self.most + float(price.max(initial=0.0))
        high = top
        while low + step < top:
            trial[v] = low + step
            got = int(self.count(trial)[v])
            if got >= wanted:
                high = float(trial[v])
                break
            low, step = float(trial[v]), 4.0 * step
        for _ in range(STEPS):
            trial[v] = 0.5 * (low + high)
            got = int(self.count(trial)[v])
            if wanted <= got <= enough:
                return float(trial[v])
            low, high = (float(trial[v]), high) if got < wanted else (low, float(trial[v]))
        return high


def _edges(problem: AssignmentProblem, rows: npt.NDArray[np.integer]) -> tuple[Longs, Ints]:
    """Edges of some targets, in their order."""
    count = np.diff(problem.start)[rows]
    start = np.concatenate([[0], np.cumsum(count)]).astype(np.int64)
    place = np.arange(start[-1]) + np.repeat(problem.start[rows] - start[:-1], count)
    return start, problem.fibre[place]


def _table(
    problem: AssignmentProblem,
    of: Ints,
    solution: Solution,
    usable: Longs,
    at_least: Longs,
    price: Floats,
) -> list[SurveyShare]:
    n_surveys = len(at_least)
    got = _counts(of, solution, n_surveys)
    has = solution.fibre_of_target >= 0
    wanted = np.bincount(of[of >= 0], minlength=n_surveys)
    worth = _sum(np.where(has, of, -1), problem.weight, n_surveys)
    whole = _sum(of, problem.weight, n_surveys)
    return [
        SurveyShare(
            v, int(wanted[v]), int(usable[v]), int(at_least[v]), int(got[v]),
            float(got[v] / max(got.sum(), 1)), float(worth[v]), float(whole[v]), float(price[v]),
        )
        for v in range(n_surveys)
    ]  # fmt: skip
