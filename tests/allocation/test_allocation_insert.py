"""Inserting one target: against every assignment there is, and what it must not touch."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wstdes.allocation import AssignmentProblem, Geometry, Purpose, Quotas, solve
from wstdes.allocation.insert import insert_target
from wstdes.allocation.outcome import solution_of
from wstdes.allocation.prepared import prepare_field
from wstdes.allocation.reserve import release_reserved, reserve, spread_reserve
from wstdes.errors import WstdesError
from wstdes.models.focalplane import Arms
from wstdes.models.focalplane.arms import ArmShape, capsule

SEED = st.integers(0, 2**32 - 1)


def small_field(seed, *, conflicts=True, n=5, t=6, levels=4):
    """A few fibres with arms that reach over each other, and a few targets."""
    rng = np.random.default_rng(seed)
    fibre_xy = np.column_stack([np.arange(n) * 1.6, rng.uniform(0.0, 1.2, n)])
    target_xy = rng.uniform([-1.0, -1.0], [1.6 * n, 2.0], (t, 2))
    shape = ArmShape(capsule(1.0, 0.12), capsule(1.0, 0.12))
    zero, whole = np.zeros(n), np.tile([0.0, 2.0 * np.pi], (n, 1))
    arms = Arms(
        np.ones(n), np.ones(n), np.zeros(n, np.int16), (shape,), False, zero, whole,
        np.tile([0.0, np.pi], (n, 1)),
    )  # fmt: skip
    away = np.hypot(*(target_xy[:, None] - fibre_xy[None]).transpose(2, 0, 1))
    lists = [np.argsort(row)[: np.count_nonzero(row <= 2.0)] for row in away]
    start = np.concatenate([[0], np.cumsum([len(row) for row in lists])]).astype(np.int64)
    weight = rng.integers(1, levels + 1, t).astype(float) if levels else rng.random(t)
    geometry = Geometry(
        fibre_xy, target_xy, arms if conflicts else None, 0.25 if conflicts and seed % 2 else 0.0
    )
    return AssignmentProblem(
        n, weight, start, np.concatenate(lists).astype(np.int32), np.zeros(t, np.int16),
        geometry=geometry,
    )  # fmt: skip


def assignments(ready):
    """Fibre of each target in every assignment without conflicts: int[k, t]."""
    problem, found = ready.problem, []
    for edges in product(*([-1, *ready.edges_of(t)] for t in range(problem.n_targets))):
        taken = [e for e in edges if e >= 0]
        fibres = problem.fibre[taken].tolist()
        if len(set(fibres)) < len(fibres):
            continue
        if not any(set(ready.excluded_by(e).tolist()) & set(taken) for e in taken):
            found.append([problem.fibre[e] if e >= 0 else -1 for e in edges])
    return np.array(found)


def a_solution(problem, rng, every):
    """Some assignment, better or worse."""
    row = every[rng.integers(len(every))]
    return solution_of(problem, "some", row.astype(np.int32), float(problem.weight.sum()), 0.0)


@settings(max_examples=60, derandomize=True)
@given(seed=SEED, conflicts=st.booleans(), best=st.booleans())
def test_nothing_can_lose_less_nor_touch_fewer(seed, conflicts, best):
    problem = small_field(seed, conflicts=conflicts)
    ready, rng = prepare_field(problem), np.random.default_rng(seed)
    every = assignments(ready)
    solution = solve(problem) if best else a_solution(problem, rng, every)
    had = solution.fibre_of_target
    for target in np.flatnonzero(had < 0):
        done = insert_target(ready, solution, int(target), refill=False)
        # every assignment with the target and nobody else who is new
        ways = every[(every[:, target] >= 0)]
        ways = ways[((ways >= 0) <= (had >= 0) | (np.arange(len(had)) == target)).all(axis=1)]
        assert done.possible == (len(ways) > 0) == (len(ready.edges_of(target)) > 0)
        if not done.possible:
            continue
        lost = ((ways < 0) & (had >= 0)) @ problem.weight
        touched = (ways != had).sum(axis=1)
        least = lost.min()
        assert done.proven
        assert done.lost_weight == pytest.approx(least)
        assert done.lower_bound == pytest.approx(least)
        mine = done.solution.fibre_of_target
        assert (every == mine).all(axis=1).any()
        assert 1 + len(done.moved) + len(done.lost) == touched[np.isclose(lost, least)].min()
        assert sorted(done.lost) == np.flatnonzero((mine < 0) & (had >= 0)).tolist()
        assert {f for _, *both in done.moved for f in both} <= set(done.fibres_changed)
        assert done.solution.objective == pytest.approx(problem.weight[mine >= 0].sum())


@settings(max_examples=40, derandomize=True)
@given(seed=SEED)
def test_fibres_that_come_free_are_used(seed):
    problem = small_field(seed)
    ready = prepare_field(problem)
    every, solution = assignments(ready), solve(problem)
    for target in np.flatnonzero(solution.fibre_of_target < 0):
        done = insert_target(ready, solution, int(target))
        if done.possible:
            assert (every == done.solution.fibre_of_target).all(axis=1).any()
            assert done.solution.objective == pytest.approx(
                solution.objective + problem.weight[target] - done.lost_weight + done.gained_weight
            )
            # an optimum stays an upper bound
            assert done.solution.objective <= solution.objective + 1e-9


@settings(max_examples=40, derandomize=True)
@given(seed=SEED, separation=st.sampled_from([0.0, 0.3]))
def test_a_target_at_a_place_is_as_good_as_one_that_was_there(seed, separation):
    """Leave the last target out, and bring it back by its place."""
    whole = small_field(seed, levels=0)
    whole = replace(whole, geometry=replace(whole.geometry, separation_m=separation))
    last = whole.n_targets - 1
    fewer = replace(
        whole, weight=whole.weight[:-1], start=whole.start[:-1],
        fibre=whole.fibre[: whole.start[last]], target_class=whole.target_class[:-1],
        geometry=replace(whole.geometry, target_xy_m=whole.geometry.target_xy_m[:-1]),
    )  # fmt: skip
    solution = solve(fewer)
    x, y = whole.geometry.target_xy_m[last]
    ready, target = prepare_field(fewer).with_target(x, y, whole.weight[last])
    full = prepare_field(whole)
    assert target == last
    assert ready.problem.fibre.tolist() == whole.fibre.tolist()
    for e in full.edges_of(last):
        assert set(ready.excluded_by(e).tolist()) == set(full.excluded_by(e).tolist())
    a = insert_target(ready, solution, target)
    b = insert_target(full, solution, target)
    assert (a.fibre, a.lost, a.moved, a.gained) == (b.fibre, b.lost, b.moved, b.gained)
    assert (assignments(full) == a.solution.fibre_of_target).all(axis=1).any()


def chain():
    """Targets 0, 1, 2 on fibres 0, 1, 2; target i also reaches fibre i + 1; fibre 3 is free."""
    start, fibre = np.array([0, 2, 4, 6, 7]), np.array([0, 1, 1, 2, 2, 3, 0], np.int32)
    problem = AssignmentProblem(4, np.array([3.0, 2.0, 5.0, 9.0]), start, fibre, np.zeros(4, int))
    has = np.array([0, 1, 2, -1], np.int32)
    return problem, solution_of(problem, "by hand", has, None, 0.0)


def test_a_chain_of_moves_costs_nothing():
    done = insert_target(*chain(), 3)
    assert done.lost == ()
    assert done.moved == ((0, 0, 1), (1, 1, 2), (2, 2, 3))
    assert done.fibres_changed == (0, 1, 2, 3)
    assert done.solution.objective == 19.0


def test_a_reserved_fibre_is_for_the_new_target_alone():
    problem, solution = chain()
    done = insert_target(problem, solution, 3, reserved=np.array([False, False, False, True]))
    assert done.lost == (1,)
    assert done.lost_weight == done.lower_bound == 2.0
    direct = insert_target(problem, solution, 3, reserved=np.array([True] * 4))
    assert (direct.fibre, direct.lost) == (0, (0,))


def test_protected_targets_stay():
    problem, solution = chain()
    held = np.array([False, True, False, False])
    assert insert_target(problem, solution, 3, protected=held).lost == (0,)
    held[0] = True
    assert not insert_target(problem, solution, 3, protected=held).possible


def test_sky_that_is_needed_stays_and_sky_to_spare_goes():
    problem, solution = chain()
    purpose = np.array([Purpose.SKY, Purpose.SCIENCE, Purpose.SKY, Purpose.SCIENCE], np.int8)
    reserved = np.array([False, False, False, True])
    for at_least, lost in ((2, (1,)), (1, (0,)), (0, (0,))):
        quotas = Quotas(np.zeros(4, np.int32), np.array([[0, 0, at_least]], np.int32))
        weight = np.where(purpose == Purpose.SKY, 0.0, problem.weight)
        wanted = replace(problem, weight=weight, purpose=purpose, quotas=quotas)
        done = insert_target(wanted, solution, 3, reserved=reserved)
        assert done.solution.missing.sum() == 0
        assert done.lost == lost


def test_needed_sky_that_goes_is_made_good_by_the_cheapest_of_its_group():
    """Fibre 0 has the only place for target 0; fibres 1 and 2 could look at the sky instead."""
    problem = AssignmentProblem(
        3, np.array([9.0, 5.0, 3.0, 0.0, 0.0, 0.0]), np.arange(7),
        np.array([0, 1, 2, 0, 1, 2], np.int32), np.zeros(6, int),
        purpose=np.array([0, 0, 0, 2, 2, 2], np.int8),
        quotas=Quotas(np.zeros(3, np.int32), np.array([[0, 0, 1]], np.int32)),
    )  # fmt: skip
    solution = solution_of(problem, "by hand", np.array([-1, 1, 2, 0, -1, -1], np.int32), 8, 0.0)
    done = insert_target(problem, solution, 0)
    assert done.solution.missing.sum() == 0
    assert done.solution.fibre_of_target.tolist() == [0, 1, -1, -1, -1, 2]
    assert (sorted(done.lost), done.lost_weight, done.gained) == ([2, 3], 3.0, ((5, 2),))
    kept = np.array([False, True, True, False, False, False])
    assert insert_target(problem, solution, 0, protected=kept).solution.missing.sum() == 1


def test_out_of_reach_is_no_error():
    problem, solution = chain()
    start = problem.start.copy()
    start[-1] = start[-2]
    alone = replace(problem, start=start, fibre=problem.fibre[:-1])
    done = insert_target(alone, solution, 3)
    assert not done.possible
    assert done.solution.fibre_of_target.tolist() == solution.fibre_of_target.tolist()


def test_who_has_a_fibre_keeps_it():
    done = insert_target(*chain(), 1)
    assert (done.fibre, done.moved, done.lost) == (1, (), ())


def test_bad_input_is_named():
    problem, solution = chain()
    with pytest.raises(WstdesError, match="no target 4: they are 0 to 3"):
        insert_target(problem, solution, 4)
    with pytest.raises(WstdesError, match="solution has 2 targets"):
        insert_target(problem, replace(solution, fibre_of_target=np.array([0, 1])), 3)
    wrong = replace(solution, fibre_of_target=np.array([-1, -1, -1, 2]))
    with pytest.raises(ValueError, match="does not serve target 3"):
        insert_target(problem, wrong, 0)
    with pytest.raises(WstdesError, match="no weights of pairs"):
        insert_target(replace(problem, pair_weight=np.ones(7)), solution, 3)
    with pytest.raises(WstdesError, match="needs a problem with geometry"):
        prepare_field(problem).with_target(0.0, 0.0, 1.0)
    with pytest.raises(WstdesError, match="reserved must have 4 elements"):
        reserve(problem, np.zeros(3, bool))


def test_reserved_fibres_stay_free_until_they_are_released():
    problem = small_field(7, t=12)
    held = np.arange(problem.n_fibres) % 2 == 0
    solution = solve(reserve(problem, held))
    used = solution.fibre_of_target[solution.fibre_of_target >= 0]
    assert len(used)
    assert not held[used].any()
    after = release_reserved(problem, solution, held)
    before = solution.fibre_of_target >= 0
    assert (after.fibre_of_target[before] == solution.fibre_of_target[before]).all()
    assert after.objective > solution.objective
    assert after.upper_bound >= solve(problem).objective
    again = insert_target(problem, after, 0)  # edges and conflicts are respected
    assert again.possible


def test_reserved_fibres_are_spread():
    x, y = np.meshgrid(np.arange(20.0), np.arange(20.0))
    xy, usable = np.column_stack([x.ravel(), y.ravel()]), np.ones(400, bool)
    usable[::7] = False
    chosen = spread_reserve(xy, usable, 16)
    assert chosen.sum() == 16
    assert not chosen[~usable].any()
    away = np.hypot(*(xy[:, None] - xy[None, chosen]).transpose(2, 0, 1)).min(axis=1)
    assert away.max() < 6.0  # 16 squares of 5 x 5 at best: 3.5
    assert not spread_reserve(xy, usable, 0).any()
    with pytest.raises(WstdesError, match="cannot reserve 401"):
        spread_reserve(xy, usable, 401)
