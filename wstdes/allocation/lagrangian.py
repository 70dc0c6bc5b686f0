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
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from wstdes.allocation.conflicts import (
    Conflicts,
    Pairs,
    States,
    all_states,
    same_target,
    state_conflicts,
)
from wstdes.allocation.jit import plain
from wstdes.allocation.matching import Matching
from wstdes.allocation.order import falling_order
from wstdes.allocation.problem import AssignmentProblem, Purpose, Solution
from wstdes.allocation.reduction import components, eliminate, search
from wstdes.allocation.repair import Prices, fill_quotas
from wstdes.allocation.untangle import untangle

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int32]
    Longs = npt.NDArray[np.int64]

__all__ = ["prepare", "solve_lagrangian"]

MOST_NODES = 20_000
MOST_ROUNDS = 12
FEW_ROUNDS = 3
"""Of prices, where a component's search is not exact."""

CLOSE = 1e-6
"""Relative gap at which prices are not improved any more."""


@dataclass(frozen=True, eq=False)
class Ready:
    """A problem as the solver sees it; good for any prices."""

    problem: AssignmentProblem
    states: States
    conflicts: Conflicts
    purpose: npt.NDArray[np.int8]
    """Of each state."""


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
    states = all_states(problem)
    if problem.has_conflicts:
        states, found = state_conflicts(problem, states, Pairs.of(problem))
    else:
        of_edge = np.empty(problem.n_edges, dtype=np.int32)
        of_edge[states.edge] = np.arange(problem.n_edges, dtype=np.int32)
        found = Conflicts(*same_target(plain(problem.start, np.int64), of_edge))
    if problem.purpose is None:
        purpose = np.zeros(len(states.edge), np.int8)
    else:
        purpose = plain(problem.purpose[states.target], np.int8)
    return Ready(problem, states, found, purpose)


def solve_lagrangian(
    problem: AssignmentProblem,
    *,
    time_limit_s: float | None = None,
    rounds: int = MOST_ROUNDS,
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
        if bound - best[1] <= CLOSE * bound or late or not prices.update(wanted):
            break
    assert best is not None
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


def _oracle(ready: Ready, price: Floats, time_limit_s: float | None) -> tuple[Ints, float, dict[str, float]]:
    """The best states for given prices: the chosen ones, a bound of their value, and details."""
    if not ready.problem.has_conflicts:
        return _match(ready, price)
    states, conflicts = ready.states, ready.conflicts
    value, usable = states.weight, np.ones(len(states.edge), np.bool_)
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




def _match(ready: Ready, price: Floats) -> tuple[Ints, float, dict[str, float]]:
    """The same where nothing but fibres and targets excludes states: by augmenting paths.

    A target whose fibres are in groups of different prices counts with the highest of them,
    which keeps the bound a bound.
    """
    problem, states = ready.problem, ready.states
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
    chosen = np.full(problem.n_fibres, -1, dtype=np.int32)
    has_it = np.flatnonzero(matching.owner[states.fibre] == states.target)
    chosen[states.fibre[has_it]] = has_it
    total = float(value[matching.owner[matching.owner >= 0]].sum())
    return chosen, total, {"states": len(states.edge), "unproven_components": 0}
