"""Proofs: conflicts as cliques, limits of time, the same answer twice."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from wstdes.allocation import AssignmentProblem, Geometry, solve
from wstdes.allocation.cpsat import conflict_cliques


def crowd(seed, n=7, t=9, side=2.0, reach=1.3):
    rng = np.random.default_rng(seed)
    fibre_xy, target_xy = rng.random((n, 2)) * side, rng.random((t, 2)) * side
    near = np.hypot(*(target_xy[:, None] - fibre_xy[None]).transpose(2, 0, 1)) < reach
    lists = [np.flatnonzero(row)[:3] for row in near]
    start = np.concatenate([[0], np.cumsum([len(row) for row in lists])]).astype(np.int64)
    return AssignmentProblem(
        n,
        rng.integers(1, 9, t).astype(float),
        start,
        np.concatenate(lists).astype(np.int32),
        np.zeros(t, np.int16),
        geometry=Geometry(fibre_xy, target_xy, separation_m=0.5),
    )


def best_separated(problem):
    """The optimum by trying all sets of targets that are far enough apart."""
    xy, best = problem.geometry.target_xy_m, 0.0
    free = replace(problem, geometry=None)
    t = problem.n_targets
    close = np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1)) < 0.5
    for mask in range(2**t):
        chosen = [i for i in range(t) if mask >> i & 1]
        if any(close[i, j] for i, j in combinations(chosen, 2)):
            continue
        worth = np.where(np.isin(np.arange(t), chosen), problem.weight, 0.0)
        if worth.sum() > best:
            best = max(best, solve(replace(free, weight=worth), "exact").objective)
    return best


@pytest.mark.parametrize("seed", range(8))
def test_separation_is_kept_at_the_optimum(seed):
    problem = crowd(seed)
    solution = solve(problem, "cpsat")
    assert solution.objective == solution.upper_bound == best_separated(problem)
    assert solution.details["proven"] == 1.0
    greedy = solve(problem, "greedy")
    assert greedy.objective <= solution.objective <= greedy.upper_bound


def test_cliques_say_all_the_conflicts_and_no_more():
    rng = np.random.default_rng(5)
    for _ in range(50):
        m = 25
        fibre = rng.integers(0, 6, m).astype(np.int32)
        excludes = np.triu(rng.random((m, m)) < 0.4, 1)
        excludes |= excludes.T
        excludes &= fibre[:, None] != fibre[None]
        start = np.concatenate([[0], np.cumsum(excludes.sum(axis=1))])
        said = np.zeros_like(excludes)
        for clique in conflict_cliques(fibre, start, np.nonzero(excludes)[1]):
            said[np.ix_(clique, clique)] = True
        said &= fibre[:, None] != fibre[None]  # a fibre's edges exclude each other anyway
        assert (said == excludes).all()


def test_a_time_limit_leaves_a_bound_that_holds():
    problem = crowd(1, n=150, t=600, side=8.0)
    short = solve(problem, "cpsat", time_limit_s=0.02)
    proven = solve(problem, "cpsat", time_limit_s=20.0)
    assert proven.details["proven"] == 1.0
    assert short.objective <= proven.objective <= short.upper_bound
    assert short.objective >= solve(problem, "greedy").objective


def test_the_same_answer_twice():
    problem = crowd(4, n=60, t=200, side=5.0)
    one, two = solve(problem, "cpsat"), solve(problem, "cpsat")
    assert one.fibre_of_target.tolist() == two.fibre_of_target.tolist()
