"""`lagrangian`: conflicts and quotas together, with a certificate.

Quotas are priced: a fibre of group g on purpose p earns ``price[g, p]``, and each unit of a quota
costs as much. For any prices that are not negative, the greatest value less that cost is an upper
bound of every assignment that fills the quotas (Geoffrion 1974, Math. Prog. Study 2, 82). For
given prices the problem falls apart into small components that are solved exactly
(:mod:`wstdes.allocation.reduction`). The prices follow from what it costs to fill the quotas
by hand, which gives the solution too.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from wstdes.allocation.conflicts import state_conflicts
from wstdes.allocation.matching import Matching
from wstdes.allocation.order import falling_order
from wstdes.allocation.pairs import Pairs
from wstdes.allocation.prices import Prices
from wstdes.allocation.problem import AssignmentProblem, Purpose, Solution
from wstdes.allocation.reduction import components, eliminate, search
from wstdes.allocation.repair import fill_quotas
from wstdes.allocation.states import Conflicts, States, all_states, same_target, some_states
from wstdes.allocation.tangle import exchange
from wstdes.allocation.untangle import untangle
from wstdes.jit import plain

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int32]
    Longs = npt.NDArray[np.int64]

__all__ = ["prepare", "solve_lagrangian"]

MOST_NODES = 20_000
"""Of the search in a component, before it counts as too large for it."""

MOST_ROUNDS = 12
"""Of prices."""

MOST_STATES = 24
"""Of a fibre's targets of science, so many are looked at in earnest; the next one stands for the
others, and counts as if nothing were in its way: the bound stays a bound."""

POLISH = 100_000
"""Exchanges that are tried at the end, where the gap is not closed."""

FEW_ROUNDS = 3
"""Of prices, where a component's search is not exact."""

CLOSE = 1e-5
"""Relative gap at which prices are not improved any more, if nothing else is asked for."""


@dataclass(frozen=True, eq=False)
class Ready:
    """A problem as the solver sees it; good for any prices."""

    problem: AssignmentProblem
    states: States
    conflicts: Conflicts
    purpose: npt.NDArray[np.int8]
    """Of each state."""
    stands_for: npt.NDArray[np.bool_]
    """Which states stand for those that are not looked at."""


def prepare(problem: AssignmentProblem) -> Ready:
    """Find the states that matter and their conflicts.

    Parameters
    ----------
    problem : AssignmentProblem
        Without pair weights.

    Returns
    -------
    Ready
    """
    if problem.quotas is not None and problem.quotas.n_groups == 0:
        problem = replace(problem, quotas=None)
    states = all_states(problem)
    purpose = np.zeros(problem.n_targets, np.int8) if problem.purpose is None else problem.purpose
    purpose = plain(purpose, np.int8)
    if problem.has_conflicts:
        states, begin, next_ = _foremost(states, purpose)
        states, found = state_conflicts(problem, states, Pairs.of(problem))
        if len(begin):
            return _with_others(problem, states, found, purpose, begin, next_)
    else:
        of_edge = np.empty(problem.n_edges, dtype=np.int32)
        of_edge[states.edge] = np.arange(problem.n_edges, dtype=np.int32)
        found = Conflicts(*same_target(plain(problem.start, np.int64), of_edge))
    nothing = np.zeros(len(states.edge), dtype=np.bool_)
    return Ready(problem, states, found, purpose[states.target], nothing)


def _foremost(
    states: States, purpose: npt.NDArray[np.int8]
) -> tuple[States, npt.NDArray[np.int64], Floats]:
    """Leave out what follows a fibre's best targets of science.

    Returns
    -------
    states : States
        Those that are left.
    fibre : int64[k]
        Fibres of which some are left out.
    weight : float64[k]
        Of the best one left out of each.
    """
    science = purpose[states.target] == Purpose.SCIENCE
    passed = np.concatenate([[0], np.cumsum(science)])
    turn = passed[:-1] - passed[states.start[states.fibre]]
    kept = ~science | (turn < MOST_STATES)
    first_out = np.flatnonzero(science & (turn == MOST_STATES))
    fibre, weight = states.fibre[first_out].astype(np.int64), states.weight[first_out]
    return some_states(states, kept), fibre, weight


def _with_others(
    problem: AssignmentProblem,
    states: States,
    found: Conflicts,
    purpose: npt.NDArray[np.int8],
    fibre: npt.NDArray[np.int64],
    weight: Floats,
) -> Ready:
    """Give each of these fibres one state more, which excludes nothing."""
    at = states.start[fibre + 1]  # behind the fibre's own
    shift = np.zeros(len(states.edge) + 1, dtype=np.int64)
    np.add.at(shift, at, 1)
    shift = np.cumsum(shift)
    number = np.arange(len(states.edge)) + shift[:-1]
    size = len(states.edge) + len(fibre)
    own = np.ones(size, dtype=np.bool_)
    own[number] = False
    others = np.flatnonzero(own)
    links = np.zeros(size + 1, dtype=np.int64)
    links[number + 1] = np.diff(found.start)

    def spread(values: npt.NDArray[Any], of_others: object) -> npt.NDArray[Any]:
        out = np.empty(size, dtype=values.dtype)
        out[number], out[others] = values, of_others
        return out

    more = np.zeros(problem.n_fibres + 1, dtype=np.int64)
    np.add.at(more, fibre + 1, 1)
    whole = States(
        states.start + np.cumsum(more),
        spread(states.edge, -1),
        spread(states.fibre, fibre),
        spread(states.target, -1),
        spread(states.weight, weight),
    )
    conflicts = Conflicts(np.cumsum(links), number[found.other].astype(np.int32))
    return Ready(problem, whole, conflicts, spread(purpose[states.target], Purpose.SCIENCE), own)


def solve_lagrangian(
    problem: AssignmentProblem,
    *,
    time_limit_s: float | None = None,
    rounds: int = MOST_ROUNDS,
    close: float = CLOSE,
) -> Solution:
    """Solve a problem with conflicts and quotas; say how far the answer may be from the best.

    Parameters
    ----------
    problem : AssignmentProblem
        Without pair weights.
    time_limit_s : float, optional
        No new round of prices begins after it [s].
    rounds : int
        Of prices, at most.
    close : float
        Relative distance from the bound that is good enough.

    Returns
    -------
    Solution
        Its details: ``rounds``, ``states``, ``conflicts``, ``fibres_in_components``,
        ``largest_component``, ``unproven_components``.
    """
    begin = time.perf_counter()
    end = None if time_limit_s is None else begin + time_limit_s
    ready = prepare(problem)
    prices = Prices.of(ready.problem)
    best: tuple[int, float, Ints, Ints] | None = None
    bounds: list[tuple[float, Floats]] = []
    details: dict[str, float] = {}
    bound = np.inf
    for number in range(1, rounds + 1):
        left = None if end is None else max(end - time.perf_counter(), 0.05)
        chosen, value, details = _oracle(ready, prices.price, left)
        bounds.append((value, prices.price.copy()))
        chosen, missing, wanted = fill_quotas(
            ready.states.start,
            ready.states.fibre,
            ready.conflicts.start,
            ready.conflicts.other,
            ready.states.weight,
            ready.purpose,
            ready.stands_for,
            chosen,
            prices,
        )
        worth = float(ready.states.weight[chosen[chosen >= 0]].sum())
        if best is None or (-int(missing.sum()), worth) > (-best[0], best[1]):
            best = int(missing.sum()), worth, chosen, missing
        needed = prices.at_least - best[3]
        bound = min(v - float((p * needed).sum()) for v, p in bounds)
        details["rounds"] = number
        late = end is not None and time.perf_counter() > end
        late = late or (details["unproven_components"] > 0 and number >= FEW_ROUNDS)
        if bound - best[1] <= close * bound or late or not prices.update(wanted):
            break
    assert best is not None
    if rounds > 1 and bound - best[1] > close * bound:
        chosen = _polish(ready, best[2])
        best = best[0], float(ready.states.weight[chosen[chosen >= 0]].sum()), chosen, best[3]
    fibre_of_target = np.full(problem.n_targets, -1, dtype=np.int32)
    taken = best[2][best[2] >= 0]
    fibre_of_target[ready.states.target[taken]] = ready.states.fibre[taken]
    return Solution(
        "lagrangian",
        fibre_of_target,
        best[1],
        max(bound, best[1]),
        time.perf_counter() - begin,
        best[3],
        details,
    )


def _oracle(
    ready: Ready, price: Floats, time_limit_s: float | None
) -> tuple[Ints, float, dict[str, float]]:
    """The best states for given prices: the chosen ones, a bound of their value, and details."""
    if not ready.problem.has_conflicts:
        owner, total = _match(ready.problem, price)
        states = ready.states
        chosen = np.full(len(owner), -1, dtype=np.int32)
        has = np.flatnonzero(owner[states.fibre] == states.target)
        chosen[states.fibre[has]] = has
        return chosen, total, {"states": len(states.edge), "unproven_components": 0}
    states, conflicts = ready.states, ready.conflicts
    value = states.weight
    quotas = ready.problem.quotas
    if quotas is not None:
        group = quotas.group[states.fibre]
        value = value + np.where(group >= 0, price[group, ready.purpose], 0.0)
    usable = (ready.purpose == Purpose.SCIENCE) | (value > 0.0)
    graph = states.start, states.fibre, conflicts.start, conflicts.other
    alive = eliminate(*graph, value, usable)
    first, member = components(*graph, alive)
    chosen, reached, bound = search(
        states.start, conflicts.start, conflicts.other, value, alive, first, member, MOST_NODES
    )
    open_ = np.flatnonzero(bound > reached)
    sizes = np.diff(first)
    if len(open_):
        members = [member[first[i] : first[i + 1]] for i in open_]
        found = untangle(
            states.start, conflicts.start, conflicts.other, value, alive, members, time_limit_s
        )
        better = np.repeat(found.value >= reached[open_], sizes[open_])
        chosen[np.concatenate(members)[better]] = found.chosen[better]
        reached[open_] = np.maximum(reached[open_], found.value)
        bound[open_] = np.maximum(np.minimum(bound[open_], found.bound), reached[open_])
    total = float(value[chosen[chosen >= 0]].sum() + (bound - reached).sum())
    if (bound > reached * (1.0 + 1e-9)).any():
        total = min(total, _match(ready.problem, price)[1])  # as if there were no conflicts
    return (
        chosen,
        total,
        {
            "states": len(states.edge),
            "conflicts": len(conflicts.other) // 2,
            "fibres_in_components": len(member),
            "largest_component": int(sizes.max()) if len(sizes) else 0,
            "unproven_components": int((bound > reached * (1.0 + 1e-9)).sum()),
        },
    )


def _match(problem: AssignmentProblem, price: Floats) -> tuple[Ints, float]:
    """Target of each fibre and total value where only fibres and targets exclude each other.

    A target whose fibres are in groups of different prices counts with the highest of them,
    which keeps the total a bound.
    """
    value = problem.weight.copy()
    purpose = np.zeros(problem.n_targets, np.int8) if problem.purpose is None else problem.purpose
    if problem.quotas is not None:
        group = problem.quotas.group[problem.fibre]
        extra = np.where(group >= 0, price[group, purpose[problem.edge_target()]], 0.0)
        has = np.flatnonzero(np.diff(problem.start) > 0)
        if len(has):
            value[has] += np.maximum.reduceat(extra, problem.start[has])
    order = falling_order(value)
    order = order[(value[order] > 0.0) | (purpose[order] == Purpose.SCIENCE)]
    matching = Matching(problem.n_fibres)
    matching.extend(
        order,
        plain(problem.start, np.int64),
        plain(problem.fibre, np.int32),
        np.zeros(problem.n_targets, dtype=np.int8),
    )
    return matching.owner, float(value[matching.owner[matching.owner >= 0]].sum())


def _polish(ready: Ready, chosen: Ints) -> Ints:
    """Exchange targets of science for better ones; what fills the quotas stays as it is."""
    weight = np.where(ready.purpose == Purpose.SCIENCE, ready.states.weight, -1.0)
    weight[ready.stands_for] = -1.0
    taken = chosen[chosen >= 0]
    held = taken[ready.purpose[taken] != Purpose.SCIENCE]
    weight[held] = 1e3 * (ready.states.weight.max(initial=0.0) or 1.0)
    return exchange(
        ready.states.start,
        ready.states.fibre,
        ready.conflicts.start,
        ready.conflicts.other,
        weight,
        np.argsort(-weight, kind="stable"),
        chosen,
        POLISH,
    )
