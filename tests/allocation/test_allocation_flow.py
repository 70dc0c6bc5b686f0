"""Weights of pairs and quotas as a flow; what is no flow is refused in words."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from wstdes.allocation import AssignmentProblem, Geometry, Purpose, Quotas, solve
from wstdes.allocation.scaling import scaled
from wstdes.errors import WstdesError


def random_problem(rng, n, t, degree, **others):
    edge = rng.random((t, n)) < degree / n
    lists = [rng.permutation(np.flatnonzero(row)) for row in edge]
    start = np.concatenate([[0], np.cumsum([len(row) for row in lists])]).astype(np.int64)
    fibre = np.concatenate([*lists, []]).astype(np.int32)
    return AssignmentProblem(n, rng.random(t), start, fibre, np.zeros(t, np.int16), **others)


@settings(max_examples=100, derandomize=True)
@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(1, 20),
    t=st.integers(1, 40),
    degree=st.sampled_from([0.5, 2.0, 6.0]),
    decimals=st.sampled_from([0, 2, 16]),
)
def test_weights_of_pairs_reach_scipys_optimum(seed, n, t, degree, decimals):
    rng = np.random.default_rng(seed)
    problem = random_problem(rng, n, t, degree)
    pair = np.round(rng.random(problem.n_edges) * 3.0, decimals)
    problem = replace(problem, weight=np.round(problem.weight, decimals), pair_weight=pair)
    worth = np.zeros((t, n))
    target = problem.edge_target()
    worth[target, problem.fibre] = problem.weight[target] + pair
    best = worth[linear_sum_assignment(worth, maximize=True)].sum()
    solution = solve(problem, "flow")
    assert solution.objective == pytest.approx(best, rel=1e-9, abs=1e-9)
    assert best <= solution.upper_bound * (1 + 1e-12)
    assert solution.gap < 1e-9


@settings(max_examples=100, derandomize=True)
@given(
    seed=st.integers(0, 2**32 - 1),
    levels=st.sampled_from([None, 0, 3, 7]),
    size=st.sampled_from([1e-6, 1.0, 1e6]),
    limit=st.sampled_from([1000, 2**20, 2**40]),
)
def test_whole_numbers_bound_the_weights(seed, levels, size, limit):
    weight = np.random.default_rng(seed).random(50)
    weight = (weight if levels is None else np.round(weight, levels)) * size
    worth = scaled(weight, limit)
    assert worth.whole.max() <= limit
    assert (weight <= np.array([worth.bound(whole, 1) for whole in worth.whole])).all()
    assert worth.bound(worth.whole.sum(), 50) >= weight.sum() * (1 - 1e-15)


@pytest.mark.parametrize("seed", range(20))
def test_quotas_of_targets_in_one_group_equal_cpsat(seed):
    """Sky and standards reach one group alone; science reaches all."""
    rng = np.random.default_rng(seed)
    group = np.repeat([0, 1], 6).astype(np.int32)
    purpose = rng.integers(0, 3, 30).astype(np.int8)
    lists = []
    for what in purpose:
        reach = np.arange(12) if what == 0 else np.flatnonzero(group == rng.integers(2))
        lists.append(rng.permutation(reach)[: rng.integers(1, 4)])
    start = np.concatenate([[0], np.cumsum([len(row) for row in lists])]).astype(np.int64)
    problem = AssignmentProblem(
        12,
        rng.integers(1, 9, 30).astype(float),
        start,
        np.concatenate(lists).astype(np.int32),
        np.zeros(30, np.int16),
        purpose=purpose,
        quotas=Quotas(group, np.array([[0, 3, 2], [0, 1, 6]], np.int32)),
    )
    flow, cpsat = solve(problem, "flow"), solve(problem, "cpsat")
    assert flow.missing.sum() == cpsat.missing.sum()
    assert flow.objective == cpsat.objective == flow.upper_bound == cpsat.upper_bound


def test_a_quota_of_fibres_with_one_purpose_is_a_flow():
    """Fibres 0 and 1 see sky alone, in two groups; the better target gets fibre 2 anyway."""
    problem = AssignmentProblem(
        3,
        np.array([0.0, 0.0, 5.0]),
        np.array([0, 2, 4, 5]),
        np.array([0, 1, 0, 1, 2], np.int32),
        np.zeros(3, np.int16),
        purpose=np.array([Purpose.SKY, Purpose.SKY, Purpose.SCIENCE], np.int8),
        quotas=Quotas(np.array([0, 1, 1], np.int32), np.array([[0, 0, 1], [0, 0, 1]], np.int32)),
    )
    solution = solve(problem, "flow")
    assert sorted(solution.fibre_of_target[:2].tolist()) == [0, 1]
    assert solution.missing.tolist() == [[0, 0, 0], [0, 0, 0]]


def test_what_is_no_flow_is_refused_in_words():
    rng = np.random.default_rng(0)
    problem = random_problem(rng, 8, 40, 4.0)
    quotas = Quotas(np.repeat([0, 1], 4).astype(np.int32), np.array([[0, 2, 0], [0, 0, 0]]))
    mixed = replace(problem, purpose=rng.integers(0, 3, 40).astype(np.int8), quotas=quotas)
    with pytest.raises(WstdesError, match=r"standard quota of group 0.*'lagrangian' or 'cpsat'"):
        solve(mixed, "flow")
    close = Geometry(np.zeros((8, 2)), rng.random((40, 2)), separation_m=0.1)
    with pytest.raises(WstdesError, match="flow cannot respect conflicts"):
        solve(replace(problem, geometry=close), "flow")
