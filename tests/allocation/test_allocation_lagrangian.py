"""Conflicts and quotas: the certificate against the optimum that CP-SAT proves."""

from __future__ import annotations

import numpy as np
import pytest
from fields import REGIMES, arm_field

from wstdes.allocation import conflicts
from wstdes.allocation.conflicts import build_conflicts
from wstdes.allocation.methods import solve
from wstdes.allocation.problem import AssignmentProblem, Quotas, Solution

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
    found, taken = build_conflicts(problem), set(edges)
    for e in edges:
        other = found.other[found.start[e] : found.start[e + 1]]
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
        seed,
        rings=5,
        quotas=True,
        weights=("classes", "continuous")[seed % 2],
        density=1.0 + seed % 5,
        long_every=(0, 9)[seed // 6],
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


def test_conflicts_do_not_depend_on_the_number_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = arm_field(3, rings=6, long_every=9, quotas=True)
    alone = build_conflicts(problem)
    best = solve(problem, "lagrangian")
    monkeypatch.setattr(conflicts, "FEW_FIBRES", 10)
    monkeypatch.setattr(conflicts.os, "cpu_count", lambda: 3)
    together = build_conflicts(problem)
    np.testing.assert_array_equal(alone.start, together.start)
    np.testing.assert_array_equal(alone.other, together.other)
    again = solve(problem, "lagrangian")
    np.testing.assert_array_equal(best.fibre_of_target, again.fibre_of_target)


def test_a_group_gives_up_sky_that_it_does_not_need() -> None:
    """Two fibres of different groups reach one place of blank sky; only the second needs it."""
    quotas = Quotas(np.array([0, 1], np.int32), np.array([[0, 0, 0], [0, 0, 1]], np.int32))
    problem = AssignmentProblem(
        2,
        np.zeros(1),
        np.array([0, 2]),
        np.array([0, 1], np.int32),
        np.zeros(1, np.int16),
        purpose=np.array([2], np.int8),
        quotas=quotas,
    )
    solution = solve(problem, "lagrangian")
    assert solution.fibre_of_target.tolist() == [1]
    assert solution.missing.sum() == 0
