"""Matching in order against the answers of other programs: SciPy and OR-Tools."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ortools.graph.python import min_cost_flow
from scipy.optimize import linear_sum_assignment
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching

from wstdes.allocation import match_in_order

SETTINGS = settings(max_examples=300, derandomize=True)
INSTANCE = {
    "seed": st.integers(0, 2**32 - 1),
    "n": st.integers(1, 25),
    "t": st.integers(0, 40),
    "degree": st.sampled_from([0.5, 1.5, 3.0, 8.0]),
    "levels": st.sampled_from([1, 3, 1000]),
}


def instance(seed, n, t, degree, levels):
    """Random lists of fibres of the target's kind, targets by falling weight."""
    rng = np.random.default_rng(seed)
    kind_of_fibre, kind = rng.integers(0, 2, n), rng.integers(0, 2, t)
    edge = rng.random((t, n)) < degree / n
    edge &= kind[:, None] == kind_of_fibre[None, :]
    weight = np.sort(rng.integers(1, levels + 1, t))[::-1]
    lists = [rng.permutation(np.flatnonzero(row)) for row in edge]
    start = np.concatenate([[0], np.cumsum([len(row) for row in lists])]).astype(np.int64)
    fibre = np.concatenate([*lists, []]).astype(np.int32)
    return start, fibre, kind, edge, weight


def check_valid(got, edge, kind, capacity):
    matched = np.flatnonzero(got >= 0)
    assert len(set(got[matched].tolist())) == len(matched)
    assert edge[matched, got[matched]].all()
    for which in (0, 1):
        assert np.sum(kind[matched] == which) <= capacity[which]


def flow_optimum(edge, kind, weight, capacity):
    """Greatest total weight by minimum-cost flow through a node for the capacity of each kind."""
    t, n = edge.shape
    source, sink, first_target, first_fibre = 0, 1, 4, 4 + t
    total = int(sum(capacity))
    flow = min_cost_flow.SimpleMinCostFlow()
    add = flow.add_arc_with_capacity_and_unit_cost
    for which in (0, 1):
        add(source, 2 + which, int(capacity[which]), 0)
    for i in range(t):
        add(2 + int(kind[i]), first_target + i, 1, -int(weight[i]))
    for i, f in np.argwhere(edge):
        add(first_target + int(i), first_fibre + int(f), 1, 0)
    for f in range(n):
        add(first_fibre + f, sink, 1, 0)
    add(source, sink, total, 0)
    flow.set_node_supply(source, total)
    flow.set_node_supply(sink, -total)
    assert flow.solve() == flow.OPTIMAL
    return -flow.optimal_cost()


@SETTINGS
@given(**INSTANCE)
def test_unlimited_weight_equals_linear_sum_assignment(seed, n, t, degree, levels):
    start, fibre, kind, edge, weight = instance(seed, n, t, degree, levels)
    got = match_in_order(start, fibre, n, kind, [n, n])
    check_valid(got, edge, kind, (n, n))
    rows, columns = linear_sum_assignment(edge * weight[:, None], maximize=True)
    assert weight[got >= 0].sum() == (edge * weight[:, None])[rows, columns].sum()


@SETTINGS
@given(**INSTANCE, capacity=st.tuples(st.integers(0, 12), st.integers(0, 12)))
def test_limited_weight_equals_minimum_cost_flow(seed, n, t, degree, levels, capacity):
    start, fibre, kind, edge, weight = instance(seed, n, t, degree, levels)
    got = match_in_order(start, fibre, n, kind, capacity)
    check_valid(got, edge, kind, capacity)
    assert weight[got >= 0].sum() == flow_optimum(edge, kind, weight, capacity)


def test_a_long_chain_is_pushed_along_without_recursion():
    """Target i wants fibre i, else i + 1; the last target wants fibre 0 alone: all must move."""
    n = 50_000
    start = np.append(np.arange(n) * 2, 2 * n - 1)
    fibre = np.append(np.repeat(np.arange(n - 1), 2) + np.tile([0, 1], n - 1), 0)
    got = match_in_order(start, fibre, n, np.zeros(n, dtype=np.int8), [n, 0])
    assert got.tolist() == [*range(1, n), 0]


def test_many_failures_cost_one_pass():
    """A closed knot of 20,000 fibres refuses 400,000 targets; a pass each would take minutes."""
    n, losers = 20_000, 400_000
    lists = np.concatenate([np.arange(n)[:, None] + [0, 1]] * (1 + losers // n)) % n
    start = np.arange(len(lists) + 1) * 2
    kind = np.zeros(len(lists), dtype=np.int8)
    before = time.perf_counter()
    got = match_in_order(start, lists.ravel(), n, kind, [10**9, 0])
    assert time.perf_counter() - before < 10.0
    assert (got[:n] >= 0).all()
    assert (got[n:] < 0).all()


@pytest.mark.parametrize("degree", [1.5, 2.0, 2.5, 3.0, 4.0, 8.0])
def test_number_matched_equals_maximum_bipartite_matching(degree):
    """Sparse graphs of nearly equal sides, where paths are long and areas close late."""
    rng = np.random.default_rng(int(degree * 2))
    for n in [*[30] * 100, *[300] * 30]:
        t = int(n * rng.uniform(0.8, 1.3))
        edge = np.unique(rng.integers(0, (t, n), (int(degree * t), 2)), axis=0)
        graph = csr_array((np.ones(len(edge)), edge.T), shape=(t, n))
        got = match_in_order(graph.indptr, graph.indices, n, np.zeros(t), [t, 0])
        best = maximum_bipartite_matching(graph, perm_type="column")
        assert np.sum(got >= 0) == np.sum(best >= 0)


def test_a_fibre_that_changed_hands_can_change_hands_again():
    """Targets A to D, of which B pushes A off fibre 0 and must later leave it for D."""
    lists = {"C": [3, 4], "X": [5, 3], "A": [0, 1], "B": [0, 3], "D": [0]}
    start = np.cumsum([0, *map(len, lists.values())])
    got = match_in_order(start, np.concatenate([*lists.values()]), 6, np.zeros(5), [9, 0])
    assert (got >= 0).all()


@pytest.mark.parametrize("capacity", [(0, 0), (1, 0), (0, 1)])
def test_capacity_is_of_each_kind(capacity):
    got = match_in_order([0, 1, 2, 3, 4], [0, 1, 2, 3], 4, [0, 0, 1, 1], capacity)
    assert got.tolist() == [0 if capacity[0] else -1, -1, 2 if capacity[1] else -1, -1]


def test_no_targets():
    assert match_in_order([0], [], 3, [], [1, 1]).tolist() == []
