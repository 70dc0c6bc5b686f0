"""Every method against the others, against all assignments there are, and against bad input."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wstdes.allocation import METHODS, AssignmentProblem, Purpose, Quotas, build_candidates, solve
from wstdes.errors import WstdesError

SHAPES = ("uniform", "clustered", "one spot", "duplicates", "far away")


def random_field(seed, n, load, shape, levels):
    """Fibres on a patch, two classes of them, and targets of one shape; edges by distance."""
    rng = np.random.default_rng(seed)
    t = int(n * load)
    fx, fy = rng.random((2, n)) * np.sqrt(n)
    if shape == "clustered":
        middle = rng.random((2, 3)) * np.sqrt(n)
        x, y = middle[:, rng.integers(0, 3, t)] + rng.normal(0.0, 0.7, (2, t))
    elif shape == "one spot":
        x, y = np.full((2, t), fx[0])
        y = np.full(t, fy[0])
    elif shape == "duplicates":
        x, y = (rng.random((2, 1 + t // 5)) * np.sqrt(n))[:, rng.integers(0, 1 + t // 5, t)]
    else:
        x, y = rng.random((2, t)) * np.sqrt(n) + (1e6 if shape == "far away" else 0.0)
    two = seed % 2
    fk, tk = rng.integers(0, 1 + two, n), rng.integers(0, 1 + two, t)
    patrol = np.where(fk == 1, 2.0, 1.2)
    weight = rng.random(t) if levels == 0 else rng.integers(0, levels + 1, t).astype(float)
    start, fibre = build_candidates(fx, fy, fk, patrol, np.ones(n, bool), x, y, tk)
    problem = AssignmentProblem(n, weight, start, fibre, rng.integers(0, 3, t).astype(np.int16))
    return problem, (fx, fy, fk, patrol, np.ones(n, dtype=bool), x, y, tk)


FIELD = {
    "seed": st.integers(0, 2**32 - 1),
    "n": st.integers(1, 60),
    "load": st.sampled_from([0.3, 1.0, 2.0, 6.0]),
    "shape": st.sampled_from(SHAPES),
    "levels": st.sampled_from([0, 1, 10]),
}


def check_valid(problem, solution):
    """Each fibre once, along edges that exist; sums as they should be."""
    has = solution.fibre_of_target
    got = np.flatnonzero(has >= 0)
    assert len(np.unique(has[got])) == len(got)
    for target in got:
        edges = problem.fibre[problem.start[target] : problem.start[target + 1]]
        assert has[target] in edges
    if problem.pair_weight is None:
        assert solution.objective == pytest.approx(problem.weight[got].sum(), rel=1e-12)
    assert solution.objective <= solution.upper_bound
    assert solution.seconds >= 0.0


@settings(max_examples=300, derandomize=True)
@given(**FIELD)
def test_exact_reaches_the_optimum_that_ortools_proves(seed, n, load, shape, levels):
    problem, _ = random_field(seed, n, load, shape, levels)
    exact, flow, greedy = (solve(problem, method) for method in ("exact", "flow", "greedy"))
    for solution in (exact, flow, greedy):
        check_valid(problem, solution)
    assert exact.gap == 0.0
    assert exact.objective == pytest.approx(flow.objective, rel=1e-9, abs=1e-9)
    assert flow.gap < 1e-9
    # bounds bound each other's objectives
    assert max(flow.objective, greedy.objective) <= exact.upper_bound * (1 + 1e-12)
    assert exact.objective <= min(flow.upper_bound, greedy.upper_bound) * (1 + 1e-12)


@pytest.mark.parametrize("levels", [0, 3])
@pytest.mark.parametrize("pairs", [False, True])
def test_every_method_against_all_assignments(levels, pairs):
    """Up to five targets with up to three fibres: each assignment is tried."""
    for seed in range(25):
        rng = np.random.default_rng(seed)
        problem = tiny(rng, levels, pairs)
        best = max(worth for worth, _ in assignments(problem))
        for method in METHODS:
            if method == "lagrangian" or (pairs and method in ("exact", "greedy")):
                continue
            solution = solve(problem, method)
            assert solution.upper_bound >= best - 1e-12
            if method != "greedy":
                assert solution.objective == pytest.approx(best, abs=3e-5)


def tiny(rng, levels, pairs, **others):
    n, t = 3, int(rng.integers(1, 6))
    lists = [rng.permutation(n)[: rng.integers(0, n + 1)] for _ in range(t)]
    start = np.concatenate([[0], np.cumsum([len(row) for row in lists])]).astype(np.int64)
    fibre = np.concatenate(lists).astype(np.int32)
    weight = rng.random(t) if levels == 0 else rng.integers(0, levels, t).astype(float)
    pair = rng.random(len(fibre)) if pairs else None
    return AssignmentProblem(
        n, weight, start, fibre, np.zeros(t, np.int16), pair_weight=pair, **others
    )


def assignments(problem):
    """Worth and edges of all assignments."""
    rows = [range(-1, int(k)) for k in np.diff(problem.start)]
    for choice in product(*rows):
        edges = [int(problem.start[i]) + k for i, k in enumerate(choice) if k >= 0]
        used = problem.fibre[edges].tolist()
        if len(set(used)) == len(used):
            worth = sum(problem.weight[i] for i, k in enumerate(choice) if k >= 0)
            if problem.pair_weight is not None:
                worth += problem.pair_weight[edges].sum()
            yield float(worth), edges


@pytest.mark.parametrize("seed", range(30))
def test_quotas_come_first_and_then_the_weight(seed):
    rng = np.random.default_rng(seed)
    problem = tiny(rng, 0, False)
    purpose = rng.integers(0, 3, problem.n_targets).astype(np.int8)
    quotas = Quotas(np.array([0, 0, 1], np.int32), rng.integers(0, 3, (2, 3)).astype(np.int32))
    problem = replace(problem, purpose=purpose, quotas=quotas)
    target = problem.edge_target()

    def missing(edges):
        have = np.zeros((2, 3), int)
        np.add.at(have, (quotas.group[problem.fibre[edges]], purpose[target[edges]]), 1)
        return int(np.maximum(quotas.at_least - have, 0).sum())

    lacking, worth = min((missing(edges), -worth) for worth, edges in assignments(problem))
    solution = solve(problem, "cpsat")
    assert solution.details["proven"] == solution.details["quotas_proven"] == 1.0
    assert solution.missing.sum() == lacking
    assert solution.objective == pytest.approx(-worth, abs=1e-5)
    assert solution.upper_bound >= -worth - 1e-12


def test_auto_takes_what_suits():
    rng = np.random.default_rng(1)
    problem = tiny(rng, 3, False)
    assert solve(problem).method == "exact"
    assert solve(replace(problem, pair_weight=np.ones(problem.n_edges))).method == "flow"


def test_nothing_to_assign():
    nothing = AssignmentProblem(
        0, np.zeros(0), np.zeros(1, np.int64), np.zeros(0, np.int32), np.zeros(0, np.int16)
    )
    unreached = replace(
        nothing,
        n_fibres=2,
        weight=np.ones(3),
        start=np.zeros(4, int),
        target_class=np.zeros(3, int),
    )
    for method in ("auto", "exact", "flow", "cpsat", "greedy"):
        assert solve(nothing, method).fibre_of_target.tolist() == []
        solution = solve(unreached, method)
        assert solution.fibre_of_target.tolist() == [-1, -1, -1]
        assert solution.upper_bound == solution.gap == 0.0


BAD = [
    ({"weight": np.array([1.0, np.nan])}, r"weight of target 1 is nan"),
    ({"weight": np.array([np.inf, 1.0])}, r"weight of target 0 is inf"),
    ({"weight": np.array([1.0, -2.0])}, r"weight of target 1 is -2\.0"),
    ({"weight": np.array([1, 2])}, r"weight must be float"),
    ({"start": np.array([0, 1])}, r"start must be int\[3\]"),
    ({"start": np.array([1, 1, 2])}, r"start must run from 0 to the 2 edges"),
    ({"start": np.array([0, 3, 2])}, r"start falls after target 1"),
    ({"fibre": np.array([0, 2])}, r"fibre of edge 1 is 2: it must be 0 to 1"),
    ({"fibre": np.array([-1, 0])}, r"fibre of edge 0 is -1"),
    ({"target_class": np.zeros(3, int)}, r"target_class must be int\[2\]"),
    ({"pair_weight": np.array([0.0, np.nan])}, r"pair_weight of edge 1 is nan"),
    ({"purpose": np.array([0, 7])}, r"purpose of target 1 is 7"),
    ({"quotas": Quotas(np.zeros(3, int), np.zeros((1, 3), int))}, r"quotas.group must be int\[2\]"),
    ({"quotas": Quotas(np.array([0, 1]), np.zeros((1, 3), int))}, r"quotas.group of fibre 1 is 1"),
    ({"quotas": Quotas(np.zeros(2, int), np.full((1, 3), -1))}, r"at_least has negative"),
]


@pytest.mark.parametrize(("change", "words"), BAD)
def test_bad_input_is_named(change, words):
    good = AssignmentProblem(
        2, np.ones(2), np.array([0, 1, 2]), np.array([0, 1]), np.zeros(2, np.int16)
    )
    assert solve(good, "exact").objective == 2.0
    with pytest.raises(ValueError, match=words):
        solve(replace(good, **change), "exact")


def test_unknown_methods_and_limits_are_refused():
    problem = tiny(np.random.default_rng(0), 3, False)
    with pytest.raises(WstdesError, match="did you mean 'greedy'"):
        solve(problem, "greddy")
    with pytest.raises(ValueError, match="time_limit_s must be positive"):
        solve(problem, time_limit_s=0.0)


@pytest.mark.parametrize("method", ["exact", "greedy"])
def test_pair_weights_are_refused_where_they_mean_nothing(method):
    problem = tiny(np.random.default_rng(0), 3, True)
    with pytest.raises(WstdesError, match="'flow' or 'cpsat'"):
        solve(problem, method)


def test_exact_refuses_quotas():
    quotas = Quotas(np.zeros(3, np.int32), np.zeros((1, len(Purpose)), np.int32))
    problem = replace(tiny(np.random.default_rng(0), 3, False), quotas=quotas)
    with pytest.raises(WstdesError, match="exact cannot respect quotas"):
        solve(problem, "exact")
