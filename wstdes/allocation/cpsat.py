"""``cpsat``: OR-Tools' CP-SAT, for proofs: everything a problem can have, as constraints.

One Boolean an edge. Of the edges of a fibre, of a target, and of each clique of conflicts at most
one is true. Quotas come first: the least number of missing fibres is found, then the greatest
weight that misses no more. One worker and the full linear relaxation decide the speed, and make
the answer the same every time unless the time limit ends the search.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from wstdes.allocation.matching import solve_exact
from wstdes.allocation.outcome import missing_of, solution_of
from wstdes.allocation.scaling import scaled
from wstdes.errors import WstdesError

if TYPE_CHECKING:
    import numpy.typing as npt

    from wstdes.allocation.problem import AssignmentProblem, Solution

__all__ = ["conflict_cliques", "solve_cpsat"]

_MOST_WHOLE = 2**20


def solve_cpsat(problem: AssignmentProblem, *, time_limit_s: float | None = None) -> Solution:
    """Search for the best assignment until it is proven or the time is over.

    Parameters
    ----------
    problem : AssignmentProblem
        Any problem.
    time_limit_s : float, optional
        When to stop [s]; building the model counts.

    Returns
    -------
    Solution
        Its bound is CP-SAT's, on whole numbers rounded up, so that it holds for the weights as
        they are; ``details["proven"]`` is 1.0 if those whole numbers' optimum is proven, and
        ``details["quotas_proven"]`` if no assignment misses fewer fibres of the quotas.
    """
    begin = time.perf_counter()
    end = np.inf if time_limit_s is None else begin + time_limit_s
    model = _Model(problem)
    found = _greedy_edges(problem)
    quotas_proven = True
    if model.shortages:
        model.minimise_shortage()
        first = _search(model, found, end)
        found, quotas_proven = first.edges, first.proven
        model.allow_shortage(_shortage(problem, _assigned(problem, found)))
    model.maximise_weight()
    last = _search(model, found, end)
    fibre_of_target = _assigned(problem, last.edges)
    seconds = time.perf_counter() - begin
    bound = model.worth.bound(last.bound, min(problem.n_fibres, problem.n_targets))
    if not last.proven and problem.pair_weight is None:
        # Without conflicts and quotas there is at least as much to gain.
        relaxed = solve_exact(replace(problem, geometry=None, quotas=None))
        bound = min(bound, relaxed.upper_bound)
    details = {
        "proven": float(last.proven),
        "quotas_proven": float(quotas_proven),
        "branches": float(last.branches),
        "cliques": float(model.n_cliques),
    }
    return solution_of(problem, "cpsat", fibre_of_target, bound, seconds, details)


class _Model:
    """CP-SAT's model of a problem; the objective is set before each search."""

    def __init__(self, problem: AssignmentProblem) -> None:
        from ortools.sat.python import cp_model

        self.model = cp_model.CpModel()
        self.edges = [self.model.new_bool_var("") for _ in range(problem.n_edges)]
        target = problem.edge_target()
        weight = problem.weight[target]
        if problem.pair_weight is not None:
            weight = weight + problem.pair_weight
        self.worth = scaled(weight, _MOST_WHOLE)
        for edge_of in (target, problem.fibre):
            for group in _groups(edge_of):
                self._at_most_one(group)
        self.n_cliques = 0
        if problem.has_conflicts:
            from wstdes.allocation.conflicts import build_conflicts

            conflicts = build_conflicts(problem)
            for clique in conflict_cliques(problem.fibre, conflicts.start, conflicts.other):
                self._at_most_one(clique)
                self.n_cliques += 1
        self.shortages: list[Any] = []
        if problem.quotas is not None:
            self._add_quotas(problem, target)

    def _at_most_one(self, edges: npt.NDArray[np.integer]) -> None:
        self.model.add_at_most_one(self.edges[i] for i in edges.tolist())

    def _add_quotas(self, problem: AssignmentProblem, target: npt.NDArray[np.int32]) -> None:
        quotas = problem.quotas
        assert quotas is not None
        purpose = (
            np.zeros(problem.n_targets, np.int8) if problem.purpose is None else problem.purpose
        )
        group, what = quotas.group[problem.fibre], purpose[target]
        for g, p in np.argwhere(quotas.at_least > 0).tolist():
            at_least = int(quotas.at_least[g, p])
            lacking = self.model.new_int_var(0, at_least, "")
            counted = np.flatnonzero((group == g) & (what == p)).tolist()
            self.model.add(sum(self.edges[i] for i in counted) + lacking >= at_least)
            self.shortages.append(lacking)

    def minimise_shortage(self) -> None:
        """Look for the fewest missing fibres."""
        self.model.minimize(sum(self.shortages))

    def allow_shortage(self, most: int) -> None:
        """Miss no more fibres than this from now on."""
        self.model.add(sum(self.shortages) <= most)

    def maximise_weight(self) -> None:
        """Look for the greatest weight."""
        from ortools.sat.python import cp_model

        self.model.clear_objective()  # type: ignore[no-untyped-call]
        self.model.maximize(cp_model.LinearExpr.weighted_sum(self.edges, self.worth.whole.tolist()))


@dataclass(frozen=True, eq=False)
class _Found:
    """What a search found: edges, CP-SAT's bound, whether it is reached."""

    edges: npt.NDArray[np.int64]
    bound: float
    proven: bool
    branches: int


def _search(model: _Model, hint: npt.NDArray[np.int64], end: float) -> _Found:
    """Search from a hint until proven or until the time is over."""
    from ortools.sat.python import cp_model

    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.linearization_level = 2
    solver.parameters.random_seed = 0
    if np.isfinite(end):
        solver.parameters.max_time_in_seconds = max(end - time.perf_counter(), 0.01)
    model.model.clear_hints()  # type: ignore[no-untyped-call]
    hinted = np.zeros(len(model.edges), dtype=np.bool_)
    hinted[hint] = True
    for variable, value in zip(model.edges, hinted.tolist(), strict=True):
        model.model.add_hint(variable, value)
    status = solver.solve(model.model)
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE, cp_model.UNKNOWN):
        raise WstdesError(f"CP-SAT failed: {solver.status_name(status)}")
    if status == cp_model.UNKNOWN:
        # Nothing was found in the time: the hint itself is an assignment.
        return _Found(hint, float(model.worth.whole.sum()), False, solver.num_branches)
    chosen = np.flatnonzero([solver.boolean_value(edge) for edge in model.edges])
    proven = status == cp_model.OPTIMAL
    return _Found(chosen, solver.best_objective_bound, proven, solver.num_branches)


def conflict_cliques(
    fibre: npt.NDArray[np.int32],
    conflict_start: npt.NDArray[np.int64],
    conflict_edge: npt.NDArray[np.int32],
) -> list[npt.NDArray[np.int64]]:
    """Sets of edges of which at most one can be taken; together they say all the conflicts.

    An edge of one fibre with all those edges of another that it excludes is a clique, since the
    edges of a fibre exclude each other; the first fibre's other edges that exclude as much join it.

    Parameters
    ----------
    fibre : int32[m]
        Fibre of each edge.
    conflict_start : int64[m + 1]
        The edges that edge i excludes are from here on in `conflict_edge`.
    conflict_edge : int32[c]
        Excluded edges, each pair in both directions.

    Returns
    -------
    list of int64[k]
        Edges of each clique.
    """
    one = np.repeat(np.arange(len(fibre)), np.diff(conflict_start))
    other = np.asarray(conflict_edge, dtype=np.int64)
    rising = fibre[one] < fibre[other]
    one, other = one[rising], other[rising]
    order = np.lexsort((other, one, fibre[other], fibre[one]))
    one, other = one[order], other[order]
    cliques: list[npt.NDArray[np.int64]] = []
    for pair in _runs(fibre[one], fibre[other]):
        edges, excluded = one[pair], other[pair]
        sets = {int(edges[run][0]): frozenset(excluded[run].tolist()) for run in _runs(edges)}
        for out in dict.fromkeys(sets.values()):
            same = [edge for edge, theirs in sets.items() if out <= theirs]
            cliques.append(np.array([*same, *sorted(out)], dtype=np.int64))
    return cliques


def _runs(*keys: npt.NDArray[np.integer]) -> list[slice]:
    """Where the keys stay the same, in arrays that are sorted by them."""
    size = len(keys[0])
    if size == 0:
        return []
    change = np.zeros(size - 1, dtype=np.bool_)
    for key in keys:
        change |= key[1:] != key[:-1]
    edge = [0, *(np.flatnonzero(change) + 1).tolist(), size]
    return [slice(low, high) for low, high in pairwise(edge)]


def _groups(key: npt.NDArray[np.integer]) -> list[npt.NDArray[np.int64]]:
    """Indices with the same key, where there are two or more of them."""
    order = np.argsort(key, kind="stable")
    return [order[run] for run in _runs(key[order]) if run.stop - run.start > 1]


def _greedy_edges(problem: AssignmentProblem) -> npt.NDArray[np.int64]:
    """Edges of an assignment to begin with."""
    from wstdes.allocation.greedy import greedy_assignment

    has = greedy_assignment(replace(problem, pair_weight=None))
    target = problem.edge_target()
    taken = np.flatnonzero(problem.fibre == has[target])
    _, first = np.unique(target[taken], return_index=True)
    edges: npt.NDArray[np.int64] = taken[first]
    return edges


def _assigned(problem: AssignmentProblem, edges: npt.NDArray[np.int64]) -> npt.NDArray[np.int32]:
    """Fibre of each target, or -1, of these edges."""
    has = np.full(problem.n_targets, -1, dtype=np.int32)
    has[problem.edge_target()[edges]] = problem.fibre[edges]
    return has


def _shortage(problem: AssignmentProblem, has: npt.NDArray[np.int32]) -> int:
    """How many fibres the groups lack together."""
    return int(missing_of(problem, has).sum())
