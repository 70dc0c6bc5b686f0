"""Conflicts and quotas: the certificate against the optimum that CP-SAT proves."""

from __future__ import annotations

import numpy as np
import pytest
from fields import REGIMES, arm_field

from wstdes.allocation.conflicts import build_conflicts
from wstdes.allocation.methods import solve
from wstdes.allocation.problem import AssignmentProblem, Solution

CPSAT = 3e-6
"""What the rounding of weights to whole numbers costs CP-SAT's proofs."""


def assert_sound(problem: AssignmentProblem, solution: Solution) -> None:
    """No fibre twice, only edges, no conflicts, quotas as said, worth as said."""
    got = np.flatnonzero(solution.fibre_of_target >= 0)
    fibre = solution.fibre_of_target[got]
    assert len(np.unique(fibre)) == len(fibre)
    edges = []
    for target, f in zip(got, fibre, strict=True):
        of = np.arange(problem.start[target], problem.start[target + 1])
        edges.append(of[problem.fibre[of] == f][0])
    conflicts, taken = build_conflicts(problem), set(edges)
    for e in edges:
        other = conflicts.other[conflicts.start[e] : conflicts.start[e + 1]]
        assert not taken & set(other.tolist())
    assert solution.objective == pytest.approx(problem.weight[got].sum())
    assert solution.upper_bound >= solution.objective
    if problem.quotas is not None:
        has = np.zeros_like(problem.quotas.at_least)
        group = problem.quotas.group[fibre]
        np.add.at(has, (group, problem.purpose[got]), 1)
        missing = np.maximum(problem.quotas.at_least - has, 0)
        np.testing.assert_array_equal(solution.missing, missing)


@pytest.mark.parametrize("regime", REGIMES)
@pytest.mark.parametrize("weights", ["classes", "continuous"])
def test_collisions_are_solved_to_the_optimum(regime: str, weights: str) -> None:
    crowded = regime in ("long arms", "spines")
    for seed in range(4):
        problem = arm_field(
            seed, regime=regime, rings=2 if crowded else 4, weights=weights, density=2.0 + seed
        )
        ours, proven = solve(problem, "lagrangian"), solve(problem, "cpsat")
        assert_sound(problem, ours)
        assert proven.gap < CPSAT
        assert ours.upper_bound >= proven.objective * (1.0 - 1e-9)
        assert ours.objective == pytest.approx(proven.objective, rel=CPSAT)
        assert ours.gap < CPSAT


@pytest.mark.parametrize("seed", range(12))
def test_long_arms_among_short_ones(seed: int) -> None:
    problem = arm_field(seed, rings=5, long_every=7, density=1.0 + seed % 4)
    ours, proven = solve(problem, "lagrangian"), solve(problem, "cpsat")
    assert_sound(problem, ours)
    assert ours.objective == pytest.approx(proven.objective, rel=1e-9)
    assert ours.gap == 0.0


@pytest.mark.parametrize("seed", range(12))
def test_quotas_with_collisions(seed: int) -> None:
    problem = arm_field(
        seed, rings=5, quotas=True, weights=("classes", "continuous")[seed % 2],
        density=1.0 + seed % 5, long_every=(0, 9)[seed // 6],
    )
    ours, proven = solve(problem, "lagrangian"), solve(problem, "cpsat")
    assert_sound(problem, ours)
    assert ours.missing.sum() <= proven.missing.sum()
    if (proven.missing <= ours.missing).all():
        assert ours.upper_bound >= proven.objective * (1.0 - 1e-9)
        assert ours.objective <= proven.upper_bound * (1.0 + 1e-9)
        assert ours.objective >= 0.98 * proven.objective


@pytest.mark.parametrize("seed", range(6))
def test_separation_and_contrast(seed: int) -> None:
    plain = arm_field(seed, rings=4, density=4.0)
    n = plain.n_fibres
    rng = np.random.default_rng(seed)
    problem = arm_field(
        seed,
        rings=4,
        density=4.0,
        separation_m=2.5e-3,
        slit_next=np.append(np.arange(1, n), -1).astype(np.int32),
        magnitude=rng.uniform(15.0, 20.0, plain.n_targets),
        contrast_mag=3.0,
    )
    ours, proven = solve(problem, "lagrangian"), solve(problem, "cpsat")
    assert_sound(problem, ours)
    assert ours.objective == pytest.approx(proven.objective, rel=1e-9)
    free = solve(plain, "lagrangian")
    assert ours.objective < free.objective
