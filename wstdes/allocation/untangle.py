"""Solve components too large for branch and bound, as well as can be: with a bound, always.

The linear programme "at most one state of each clique" bounds the value from above: any prices of
the cliques that are not negative do, with what they leave uncovered added (weak duality). It is
nearly tight, as arms that overlap at one place form cliques. What its prices leave uncovered
orders the exchanges that find a choice; small components that still have a gap go to CP-SAT.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from wstdes.allocation.scaling import scaled
from wstdes.allocation.tangle import cliques, exchange, part

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int32]
    Longs = npt.NDArray[np.int64]
    Bools = npt.NDArray[np.bool_]

__all__ = ["untangle"]

MOST_STATES = 60_000
"""For a linear programme; beyond that each fibre's best state is the bound."""

KICKS, MOST_KICKS = 60, 1_000_000
"""Forced exchanges for each state, and for all of them together."""

PROVE_STATES, PROVE_EFFORT = 2_000, 4.0
"""Largest component for CP-SAT, and its deterministic time for all of them together."""


@dataclass(frozen=True, eq=False)
class Untangled:
    """What was found: a state for each fibre, and value and bound of each component."""

    chosen: Ints
    value: Floats
    bound: Floats


def untangle(
    start: Longs,
    conflict: Longs,
    other: Ints,
    value: Floats,
    alive: Bools,
    members: list[Ints],
    time_limit_s: float | None,
) -> Untangled:
    """Choose states for the fibres of some components.

    Parameters
    ----------
    start, conflict, other, value, alive
        As in :func:`wstdes.allocation.reduction.eliminate`.
    members : list of int32[k]
        Fibres of each component.
    time_limit_s : float or None
        For the linear programme [s]; without it the answer is always the same.

    Returns
    -------
    Untangled
        Its ``chosen`` is for all the members, one after another.
    """
    fibres = np.concatenate(members)
    component = np.repeat(np.arange(len(members)), [len(m) for m in members])
    begin, fibre, links, linked, state = part(start, conflict, other, alive, fibres)
    worth = value[state]
    graph = begin, fibre, links, linked
    of_state = component[fibre]
    if len(state) <= MOST_STATES:
        first, member = cliques(*graph)
        price, share = _prices(first, member, worth, time_limit_s)
        lacking = worth - np.bincount(member, np.repeat(price, np.diff(first)), len(worth))
        bound = _sums(of_state[member[first[:-1]]], price, len(members))
        bound = bound + _most_of_fibre(begin, lacking, component, len(members))
        order = np.lexsort((-lacking, -share))
    else:
        bound = _most_of_fibre(begin, worth, component, len(members))
        order = np.argsort(-worth, kind="stable")
    nothing = np.full(len(fibres), -1, dtype=np.int32)
    chosen = exchange(*graph, worth, order, nothing, min(KICKS * len(state), MOST_KICKS))
    found = _value(chosen, worth, component, len(members))
    sizes = np.bincount(of_state, minlength=len(members))
    effort = PROVE_EFFORT if time_limit_s is None else min(PROVE_EFFORT, time_limit_s)
    for i in np.argsort(sizes, kind="stable"):
        open_ = bound[i] > found[i] * (1.0 + 1e-9)
        if not open_ or sizes[i] > PROVE_STATES or effort <= 0.0:
            continue
        effort -= _prove(i, graph, worth, component, chosen, bound, effort)
    found = _value(chosen, worth, component, len(members))
    whole = np.where(chosen >= 0, state[chosen], -1).astype(np.int32)
    return Untangled(whole, found, np.maximum(bound, found))


def _value(chosen: Ints, worth: Floats, component: Longs, count: int) -> Floats:
    """Value of the choice in each component."""
    has = np.flatnonzero(chosen >= 0)
    return _sums(component[has], worth[chosen[has]], count)


def _most_of_fibre(begin: Longs, worth: Floats, component: Longs, count: int) -> Floats:
    """Of each component, the sum over its fibres of the greatest of some values of states."""
    has = np.flatnonzero(np.diff(begin) > 0)
    most = np.maximum(np.maximum.reduceat(worth, begin[has]), 0.0)
    return _sums(component[has], most, count)


def _sums(which: npt.NDArray[Any], values: Floats, count: int) -> Floats:
    """Sum of the values of each component."""
    return np.bincount(which, values, count).astype(np.float64)


def _prices(
    first: Longs, member: Ints, worth: Floats, time_limit_s: float | None
) -> tuple[Floats, Floats]:
    """Prices of the cliques from the linear programme, and how much of each state it takes."""
    from scipy.optimize import linprog
    from scipy.sparse import csr_array

    rows = csr_array((np.ones(len(member)), member, first), shape=(len(first) - 1, len(worth)))
    limit = {} if time_limit_s is None else {"time_limit": time_limit_s}
    unit = worth.max(initial=0.0) or 1.0  # HiGHS has tolerances of its own, of 1e-7
    done = linprog(  # type: ignore[call-overload]
        -worth / unit, A_ub=rows, b_ub=np.ones(len(first) - 1), method="highs-ds", options=limit
    )
    if done.ineqlin is None or done.x is None or len(done.ineqlin.marginals) != len(first) - 1:
        return np.zeros(len(first) - 1), np.zeros(len(worth))
    return unit * np.maximum(-done.ineqlin.marginals, 0.0), np.asarray(done.x)


def _prove(
    which: int,
    graph: tuple[Longs, Ints, Longs, Ints],
    worth: Floats,
    component: Longs,
    chosen: Ints,
    bound: Floats,
    effort: float,
) -> float:
    """Ask CP-SAT about one component; return what that cost."""
    from ortools.sat.python import cp_model

    begin, _, links, linked = graph
    fibres = np.flatnonzero(component == which).astype(np.int32)
    alive = np.ones(len(worth), dtype=np.bool_)
    own, fibre, own_links, own_linked, state = part(begin, links, linked, alive, fibres)
    values = np.maximum(worth[state], 0.0)
    whole = scaled(values, 2**20)
    model = cp_model.CpModel()
    takes = [model.new_bool_var("") for _ in state]
    first, member = cliques(own, fibre, own_links, own_linked)
    for i in range(len(first) - 1):
        if first[i + 1] - first[i] > 1:
            model.add_at_most_one(takes[s] for s in member[first[i] : first[i + 1]].tolist())
    model.maximize(cp_model.LinearExpr.weighted_sum(takes, whole.whole.tolist()))
    hint = set(chosen[fibres].tolist())
    for s, take in zip(state.tolist(), takes, strict=True):
        model.add_hint(take, s in hint)
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.linearization_level = 2
    solver.parameters.random_seed = 0
    solver.parameters.max_deterministic_time = effort
    status = solver.solve(model)
    if status in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        taken = [s for s, take in enumerate(takes) if solver.boolean_value(take)]
        now = chosen[fibres]
        if worth[state[taken]].sum() > worth[now[now >= 0]].sum():
            chosen[fibres] = -1
            chosen[fibres[fibre[taken]]] = state[taken]
        best = whole.bound(solver.best_objective_bound, len(fibres))
        bound[which] = min(bound[which], best)
    return float(solver.response_proto.deterministic_time)
