"""Several visits: what is begun continues, what is finished makes room, no plan beats the bound."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_allocation_insert import SEED, assignments, small_field

from wstdes.allocation import AssignmentProblem, Purpose, Quotas
from wstdes.allocation.orientation import best_orientation, choose_orientations
from wstdes.allocation.prepared import prepare_field
from wstdes.allocation.visits import plan_visits, visits_bound
from wstdes.errors import WstdesError


def best_plan(problem, required, done, n_visits):
    """The worth of the best plan: every state of exposures that visits can lead to."""
    sets = {tuple(row >= 0) for row in assignments(prepare_field(problem))}
    states = {tuple(done)}
    for _ in range(n_visits):
        states = {
            tuple(min(h + s, r) for h, s, r in zip(had, some, required, strict=True))
            for had in states
            for some in sets
        }
    new = np.asarray(done) < required
    return max(float(problem.weight[(np.array(had) >= required) & new].sum()) for had in states)


@settings(max_examples=50, derandomize=True)
@given(seed=SEED, conflicts=st.booleans(), n_visits=st.integers(1, 3), longest=st.integers(1, 3))
def test_no_plan_beats_the_bound_and_ours_is_near_the_best(seed, conflicts, n_visits, longest):
    problem = small_field(seed, conflicts=conflicts, n=3, t=5)
    rng = np.random.default_rng(seed)
    required = rng.integers(1, longest + 1, 5)
    done = np.minimum(rng.integers(0, 2, 5), required)
    plan = plan_visits(problem, required, done, n_visits)
    best = best_plan(problem, required, done, n_visits)
    assert plan.objective <= best + 1e-9 <= plan.upper_bound + 2e-9
    if longest == 1 and not conflicts:
        assert plan.objective == pytest.approx(best)
        assert plan.gap == pytest.approx(0.0)
    assert plan.objective >= 0.5 * best
    feasible = {tuple(row >= 0) for row in assignments(prepare_field(problem))}
    before = done
    for k, solution in enumerate(plan.solutions):
        served = solution.fibre_of_target >= 0
        assert tuple(served) in feasible
        assert (plan.exposures[k] == before + served).all()
        left = required - before
        assert not (served & ((left <= 0) | (left > n_visits - k))).any()
        before = plan.exposures[k]


def test_plans_come_near_the_best_on_the_whole():
    """Not a property of each field: of a hundred together."""
    got = most = bound = 0.0
    for seed in range(100):
        problem = small_field(seed, conflicts=bool(seed % 2), n=3, t=6)
        required = np.random.default_rng(seed).integers(1, 4, 6)
        plan = plan_visits(problem, required, None, 3)
        got += plan.objective
        bound += plan.upper_bound
        most += best_plan(problem, required, [0] * 6, 3)
    assert got >= 0.97 * most
    assert bound <= 1.1 * most


@settings(max_examples=30, derandomize=True)
@given(seed=SEED)
def test_whoever_has_begun_keeps_a_fibre(seed):
    """Without collisions, always: what was served together can be served together again."""
    problem = small_field(seed, conflicts=False, n=5, t=20, levels=9)
    required = np.random.default_rng(seed).integers(1, 4, 20)
    plan = plan_visits(problem, required, None, 4)
    assert plan.wasted == 0
    for before, after in zip(plan.exposures, plan.exposures[1:], strict=False):
        begun = (before > 0) & (before < required)
        assert (after[begun] == before[begun] + 1).all()
    assert (plan.exposures[-1][plan.finished] == required[plan.finished]).all()


def two_targets(weights, fibres=1):
    start = np.arange(len(weights) + 1, dtype=np.int64)
    fibre = np.zeros(len(weights), np.int32)
    return AssignmentProblem(
        fibres, np.array(weights, float), start, fibre, np.zeros(len(weights), int)
    )


def test_what_cannot_be_finished_is_not_begun():
    problem = two_targets([9.0, 1.0])
    plan = plan_visits(problem, np.array([3, 1]), None, 2)
    assert plan.exposures[-1].tolist() == [0, 1]
    assert plan.objective == plan.upper_bound == 1.0
    late = plan_visits(problem, np.array([3, 1]), None, 2, start_unfinishable=True)
    assert late.exposures.tolist() == [[0, 1], [1, 1]]
    assert late.objective == 1.0
    assert late.wasted == 1


def test_earlier_exposures_count():
    plan = plan_visits(two_targets([9.0, 1.0]), np.array([3, 1]), np.array([2, 1]), 2)
    assert plan.finished.tolist() == [True, False]
    assert plan.exposures.tolist() == [[3, 1], [3, 1]]
    group = np.array([0, 1])
    expected = [[0.0, 1.0, np.nan], [1.0, 1.0, np.nan], [1.0, 1.0, np.nan]]
    np.testing.assert_array_equal(plan.completeness(group, 3), expected)


def test_sky_is_there_in_every_visit():
    problem = replace(
        two_targets([1.0, 0.0, 2.0]), n_fibres=2, fibre=np.array([0, 1, 0], np.int32),
        purpose=np.array([Purpose.SCIENCE, Purpose.SKY, Purpose.SCIENCE], np.int8),
        quotas=Quotas(np.zeros(2, np.int32), np.array([[0, 0, 1]], np.int32)),
        geometry=small_field(1, conflicts=False, n=2, t=3).geometry,
    )  # fmt: skip
    plan = plan_visits(problem, np.ones(3, int), None, 2)
    assert plan.objective == pytest.approx(3.0)
    assert [s.fibre_of_target[1] for s in plan.solutions] == [1, 1]
    assert all(s.missing.sum() == 0 for s in plan.solutions)


def test_the_bound_of_visits_that_differ():
    """Each target is reached in one of the visits alone."""
    whole = two_targets([3.0, 2.0])
    views = [
        replace(whole, start=np.array([0, 1, 1]), fibre=whole.fibre[:1]),
        replace(whole, start=np.array([0, 0, 1]), fibre=whole.fibre[:1]),
    ]
    plan = plan_visits(views.__getitem__, np.ones(2, int), None, 2)
    assert plan.objective == plan.upper_bound == 5.0
    assert visits_bound(views[0], np.ones(2, int), np.zeros(2, int), 2) == (3.0, "flow")
    wrong = [views[0], two_targets([1.0])]
    with pytest.raises(WstdesError, match="visit 2 has 1 targets and the first 2"):
        plan_visits(wrong.__getitem__, np.ones(2, int), None, 2)


def turned(rotator_rad, dx_m, dy_m):
    """Four fibres in a row that turn about the origin, and targets on a circle."""
    along = np.array([-2.0, -1.0, 1.0, 2.0])
    xy = np.column_stack([along * np.cos(rotator_rad) + dx_m, along * np.sin(rotator_rad) + dy_m])
    angle = np.arange(8) * np.pi / 4
    places = 2.0 * np.column_stack([np.cos(angle), np.sin(angle)])
    away = np.hypot(*(places[:, None] - xy[None]).transpose(2, 0, 1))
    target, fibre = np.nonzero(away < 0.5)
    start = np.searchsorted(target, np.arange(9)).astype(np.int64)
    weight = np.array([1.0, 1, 5, 1, 1, 1, 1, 1])
    return AssignmentProblem(4, weight, start, fibre.astype(np.int32), np.zeros(8, int))


def test_orientations_cover_what_others_leave():
    candidates = [(k * np.pi / 4, 0.0, 0.0) for k in range(4)] + [(0.0, 0.4, 0.0)]
    table = best_orientation(turned, candidates)
    assert len(table) == 5
    assert table[0].rotator_rad == pytest.approx(np.pi / 2)
    assert (table[0].objective, table[0].served, table[0].reached) == (6.0, 2, 2)
    assert table[1].rotator_rad == 0.0  # of equal ones, the first
    chosen, plan = choose_orientations(turned, candidates, np.ones(8, int), None, 4)
    assert sorted(o.rotator_rad for o in chosen) == [k * np.pi / 4 for k in range(4)]
    assert plan.finished.all()
    assert plan.gap == 0.0
    with pytest.raises(WstdesError, match="an orientation to try"):
        best_orientation(turned, [])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((np.array([1, 0]), None, 1), "required of target 1 is 0: at least 1"),
        ((np.array([1, 1]), np.array([0, -1]), 1), "done of target 1 is -1"),
        ((np.array([1.0, 1.0]), None, 1), "required must be whole numbers"),
        ((np.array([1]), None, 1), "one for each of the 2 targets"),
        ((np.array([1, 1]), None, 0), "at least one visit"),
    ],
)
def test_bad_numbers_are_named(arguments, words):
    with pytest.raises(WstdesError, match=words):
        plan_visits(two_targets([1.0, 2.0]), *arguments)
