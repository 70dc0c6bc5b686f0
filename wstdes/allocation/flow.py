"""``flow``: OR-Tools' minimum-cost flow, where pairs have weights or quotas couple fibres.

A unit of flow goes from the source through a target and a fibre to the sink, and earns the weight
of the edge; units that earn nothing go past. A flow has whole amounts on its arcs (Ahuja,
Magnanti & Orlin 1993, Network Flows, theorem 9.10), so its optimum is the assignment's.

A quota is a node that all the flow it counts must pass, with an arc as wide as the quota that is
worth more than all the weights together. Such a node stands before its targets, if none of them
reaches another group of fibres, or behind its fibres, if none of them reaches a target with
another purpose. Where neither holds, the quota is no flow.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from wstdes.allocation.outcome import solution_of
from wstdes.allocation.problem import Purpose
from wstdes.allocation.scaling import scaled
from wstdes.errors import WstdesError

if TYPE_CHECKING:
    import numpy.typing as npt

    from wstdes.allocation.problem import AssignmentProblem, Solution

__all__ = ["solve_flow", "why_no_flow"]

_SOURCE, _SINK, _NODES = 0, 1, 2
_MOST_WHOLE = 2**40


def solve_flow(problem: AssignmentProblem) -> Solution:
    """Find the assignment of the greatest weight, of targets and of pairs, by a flow.

    Parameters
    ----------
    problem : AssignmentProblem
        Without conflicts; quotas only where they are a flow.

    Returns
    -------
    Solution
        Its upper bound is that of the whole numbers of :func:`~wstdes.allocation.scaling.scaled`,
        which are rounded up: equal to the objective for weights of few decimals, and above it by
        about one part in 1e9 for others.

    Raises
    ------
    WstdesError
        If the problem has conflicts, or quotas that no flow counts.
    """
    begin = time.perf_counter()
    reason = why_no_flow(problem)
    if reason:
        raise WstdesError(reason)
    fibre_of_target = np.full(problem.n_targets, -1, dtype=np.int32)
    number = min(problem.n_fibres, problem.n_targets)
    if problem.n_edges == 0:
        return solution_of(problem, "flow", fibre_of_target, 0.0, time.perf_counter() - begin)
    target = problem.edge_target()
    weight = problem.weight[target]
    if problem.pair_weight is not None:
        weight = weight + problem.pair_weight
    places, _ = _place_quotas(problem)
    # The solver multiplies costs by the number of nodes, and a quota outweighs all weights.
    nodes = _NODES + problem.n_targets + problem.n_fibres + len(places)
    room = 2**60 // (nodes * (number + 1 if places else 1))
    worth = scaled(weight, max(min(room, _MOST_WHOLE), 1))
    taken, best = _optimum(problem, target, worth.whole, places)
    fibre_of_target[target[taken]] = problem.fibre[taken]
    seconds = time.perf_counter() - begin
    bound = worth.bound(best, number)
    details = {"nodes": float(nodes), "edges": float(problem.n_edges)}
    return solution_of(problem, "flow", fibre_of_target, bound, seconds, details)


@dataclass(frozen=True, eq=False)
class _Place:
    """Where a quota's node stands: before these targets, or behind these fibres."""

    targets: npt.NDArray[np.int64]
    fibres: npt.NDArray[np.int64]
    at_least: int


def why_no_flow(problem: AssignmentProblem) -> str:
    """Why a problem is no flow: words for the user, or nothing if it is one.

    Parameters
    ----------
    problem : AssignmentProblem
        Any problem.

    Returns
    -------
    str
    """
    others = "'cpsat'" if problem.pair_weight is not None else "'lagrangian' or 'cpsat'"
    if problem.has_conflicts:
        return f"flow cannot respect conflicts between edges: use method {others}"
    _, mixed = _place_quotas(problem)
    if mixed is None:
        return ""
    group, purpose = mixed
    return (
        f"flow cannot count the {purpose.name.lower()} quota of group {group}: its fibres also "
        f"reach other targets and its targets also reach other groups; use method {others}"
    )


def _place_quotas(
    problem: AssignmentProblem,
) -> tuple[list[_Place], tuple[int, Purpose] | None]:
    """Where the quotas' nodes stand, and the first quota that has no place."""
    quotas, places = problem.quotas, list[_Place]()
    if quotas is None or problem.n_edges == 0:
        return places, None
    target = problem.edge_target()
    purpose = (
        np.full(problem.n_targets, Purpose.SCIENCE, dtype=np.int8)
        if problem.purpose is None
        else problem.purpose
    )
    edge_group, edge_purpose = quotas.group[problem.fibre], purpose[target]
    one_group = _all_equal(target, edge_group, problem.n_targets)
    one_purpose = _all_equal(problem.fibre, edge_purpose, problem.n_fibres)
    nothing = np.empty(0, dtype=np.int64)
    for group, what in np.argwhere(quotas.at_least > 0):
        counted = (edge_group == group) & (edge_purpose == what)
        targets, fibres = np.unique(target[counted]), np.unique(problem.fibre[counted])
        at_least = int(quotas.at_least[group, what])
        if one_group[targets].all():
            places.append(_Place(targets, nothing, at_least))
        elif one_purpose[fibres].all():
            places.append(_Place(nothing, fibres, at_least))
        else:
            return [], (int(group), Purpose(what))
    return places, None


def _all_equal(
    index: npt.NDArray[np.int32], value: npt.NDArray[np.integer], size: int
) -> npt.NDArray[np.bool_]:
    """For each index, whether all its values are the same."""
    low, high = np.full(size, 2**31 - 1), np.full(size, -1)
    np.minimum.at(low, index, value)
    np.maximum.at(high, index, value)
    return low >= high


def _optimum(
    problem: AssignmentProblem,
    target: npt.NDArray[np.int32],
    whole: npt.NDArray[np.int64],
    places: list[_Place],
) -> tuple[npt.NDArray[np.int64], int]:
    """Edges of the best flow and the sum of their whole numbers."""
    from ortools.graph.python import min_cost_flow

    n_targets, n_fibres = problem.n_targets, problem.n_fibres
    number = min(n_targets, n_fibres)
    first_fibre = _NODES + n_targets
    first_place = first_fibre + n_fibres
    before = np.full(n_targets, _SOURCE, dtype=np.int32)
    behind = np.full(n_fibres, _SINK, dtype=np.int32)
    for i, place in enumerate(places):
        before[place.targets] = behind[place.fibres] = first_place + i

    flow = min_cost_flow.SimpleMinCostFlow()

    def add(tail: npt.ArrayLike, head: npt.ArrayLike, capacity: int, cost: npt.ArrayLike) -> None:
        tails, heads, costs = np.broadcast_arrays(tail, head, cost)
        flow.add_arcs_with_capacity_and_unit_cost(
            tails.astype(np.int32),
            heads.astype(np.int32),
            np.full(len(tails), capacity, dtype=np.int64),
            costs.astype(np.int64),
        )

    add(_NODES + target, first_fibre + problem.fibre, 1, -whole)
    add(before, _NODES + np.arange(n_targets), 1, 0)
    add(first_fibre + np.arange(n_fibres), behind, 1, 0)
    add([_SOURCE], [_SINK], number, 0)
    best_of = np.zeros(n_targets, dtype=np.int64)
    np.maximum.at(best_of, target, whole)
    outweigh = 1 + int(np.sort(best_of)[n_targets - number :].sum())
    for i, place in enumerate(places):
        tail, head = (_SOURCE, first_place + i) if len(place.targets) else (first_place + i, _SINK)
        add([tail], [head], number, 0)
        add([tail], [head], min(place.at_least, number), -outweigh)
    flow.set_node_supply(_SOURCE, number)
    flow.set_node_supply(_SINK, -number)
    status = flow.solve()
    if status != flow.OPTIMAL:
        raise WstdesError(f"OR-Tools' minimum-cost flow failed: {status}")
    taken = np.flatnonzero(flow.flows(np.arange(len(whole))) > 0)
    return taken, int(whole[taken].sum())
