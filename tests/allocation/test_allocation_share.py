"""Surveys that share a focal plane: shares hold, and no assignment that keeps them is better."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_allocation_insert import SEED, assignments, small_field

from wstdes.allocation import AssignmentProblem, Purpose, Quotas, solve
from wstdes.allocation.prepared import prepare_field
from wstdes.allocation.share import share_fibres
from wstdes.errors import WstdesError


@settings(max_examples=60, derandomize=True)
@given(seed=SEED, conflicts=st.booleans(), levels=st.sampled_from([0, 3]))
def test_no_assignment_that_keeps_the_shares_is_worth_more_than_the_bound(seed, conflicts, levels):
    problem = small_field(seed, conflicts=conflicts, levels=levels, n=5, t=7)
    rng = np.random.default_rng(seed)
    survey = rng.integers(0, 2, 7)
    survey[-1] = 1
    quotas = rng.dirichlet([1.0, 1.0])
    solution, table = share_fibres(problem, survey, "quota", quotas)
    every = assignments(prepare_field(problem))
    assert (every == solution.fibre_of_target).all(axis=1).any()
    got = np.array([row.fibres for row in table])
    have = np.stack([((every >= 0) & (survey == v)).sum(axis=1) for v in range(2)], axis=1)
    worth = np.where(every >= 0, problem.weight, 0.0).sum(axis=1)
    asked = np.array([row.quota for row in table])
    as_well = (have >= np.minimum(asked, got)).all(axis=1)
    assert solution.objective == pytest.approx(problem.weight[solution.fibre_of_target >= 0].sum())
    assert solution.objective <= worth[as_well].max() + 1e-9
    assert solution.upper_bound >= worth[as_well].max() - 1e-9
    assert solution.details["shares_missing"] == np.maximum(asked - got, 0).sum()
    for row in table:
        alone = have[:, row.survey].max()
        assert row.usable >= alone
        assert row.quota <= row.usable
        assert 0.0 <= row.completeness <= 1.0
    if not conflicts and (have >= asked).all(axis=1).any():
        assert (got >= asked).all()


def row_of_fibres(n, surveys, weights):
    """Each fibre reaches one target of each survey."""
    target = np.arange(n * len(surveys))
    fibre = (target % n).astype(np.int32)
    weight = np.concatenate([np.full(n, w) + np.arange(n) / (10.0 * n) for w in weights])
    problem = AssignmentProblem(
        n, weight, np.arange(len(target) + 1), fibre, np.zeros(len(target), int)
    )
    return problem, np.repeat(surveys, n)


def test_a_quota_is_kept_at_the_least_loss():
    problem, survey = row_of_fibres(100, [0, 1, 2], [5.0, 3.0, 1.0])
    solution, table = share_fibres(problem, survey, "quota", [0.2, 0.3, 0.1])
    assert [row.fibres for row in table] == [60, 30, 10]
    assert [row.kept for row in table] == [True] * 3
    assert solution.gap < 1e-4
    assert table[0].price == 0.0
    assert table[1].price == pytest.approx(2.0, abs=0.01)
    assert table[2].price == pytest.approx(4.0, abs=0.01)
    assert sum(row.share for row in table) == pytest.approx(1.0)


def test_priority_takes_all_and_merit_shares():
    problem, survey = row_of_fibres(100, [0, 1], [5.0, 3.0])
    assert [row.fibres for row in share_fibres(problem, survey)[1]] == [100, 0]
    solution, table = share_fibres(problem, survey, "merit")
    # a survey's worth counts as a whole: 100 of 100 targets either way, by their own differences
    assert solution.objective == pytest.approx(sum(row.completeness for row in table))
    assert 0 < table[0].fibres < 100
    heavier = share_fibres(problem, survey, "merit", [1.0, 2.0])[1]
    assert heavier[1].fibres == 100


def test_a_survey_gets_no_more_than_it_can_use_and_counts_from_its_own_fibres():
    """Survey 0 on fibres 0 to 3, survey 1 has one target on fibre 4 of 4 to 9."""
    fibre = np.array([0, 1, 2, 3, 4], np.int32)
    problem = AssignmentProblem(10, np.ones(5), np.arange(6), fibre, np.zeros(5, int))
    _, table = share_fibres(problem, np.array([0, 0, 0, 0, 1]), "quota", [0.5, 0.5])
    assert [(row.quota, row.fibres) for row in table] == [(2, 4), (0, 1)]
    problem = replace(problem, fibre=np.array([0, 1, 2, 3, 3], np.int32))
    _, table = share_fibres(problem, np.array([0, 0, 0, 0, 1]), "quota", [0.25, 0.75])
    assert [(row.quota, row.fibres) for row in table] == [(1, 3), (1, 1)]


def test_sky_is_no_survey():
    base = small_field(3, conflicts=False, n=4, t=4)
    problem = AssignmentProblem(
        4, np.array([5.0, 4.0, 1.0, 1.0, 0.0]), np.arange(6), np.array([0, 1, 1, 2, 0], np.int32),
        np.zeros(5, int), purpose=np.array([0, 0, 0, 0, Purpose.SKY], np.int8),
        quotas=Quotas(np.zeros(4, np.int32), np.array([[0, 0, 1]], np.int32)),
        geometry=replace(base.geometry, target_xy_m=np.zeros((5, 2))),
    )  # fmt: skip
    solution, table = share_fibres(problem, np.array([0, 0, 1, 1, -1]), "quota", [0.0, 0.7])
    assert solution.missing.sum() == 0
    assert solution.fibre_of_target[4] == 0
    assert [row.fibres for row in table] == [0, 2]
    assert solution.objective == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("survey", "rule", "quotas", "words"),
    [
        ([0, 1], "quotas", None, "did you mean 'quota'"),
        ([0, 1], "quota", None, "needs the share of each survey"),
        ([0, 1], "quota", [0.7, 0.7], "add up to 1.4"),
        ([0, 1], "quota", [0.7, -0.1], "must be 0 or more"),
        ([0, 1], "quota", [0.1, 0.1, 0.1], "3 quotas and 2 surveys"),
        ([0, -1], "priority", None, "survey of target 1 is -1"),
        ([0], "priority", None, "one for each of the 2 targets"),
    ],
)
def test_bad_input_is_named(survey, rule, quotas, words):
    problem, _ = row_of_fibres(1, [0, 1], [1.0, 2.0])
    with pytest.raises(WstdesError, match=words):
        share_fibres(problem, np.array(survey), rule, quotas)


def test_by_priority_it_is_the_plain_problem():
    problem = small_field(5, t=9)
    assert share_fibres(problem, np.zeros(9, int))[0].objective == solve(problem).objective
