"""Reasons are right: take the obstacles away, and the target gets its fibre."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_allocation_insert import SEED, assignments, small_field

from wstdes.allocation import AssignmentProblem, Purpose, Quotas, solve
from wstdes.allocation.explain import Why, explain, explain_all
from wstdes.allocation.outcome import solution_of
from wstdes.allocation.prepared import prepare_field
from wstdes.errors import WstdesError


@settings(max_examples=60, derandomize=True)
@given(seed=SEED, conflicts=st.booleans(), levels=st.sampled_from([0, 3]))
def test_without_its_obstacles_the_target_has_a_place_in_a_better_assignment(
    seed, conflicts, levels
):
    problem = small_field(seed, conflicts=conflicts, levels=levels, t=7)
    ready = prepare_field(problem)
    solution, every = solve(problem), assignments(ready)
    worth = np.where(every >= 0, problem.weight, 0.0).sum(axis=1)
    codes = explain_all(ready, solution)
    assert ((codes == Why.ASSIGNED) == (solution.fibre_of_target >= 0)).all()
    for target in np.flatnonzero(solution.fibre_of_target < 0):
        reason = explain(ready, solution, int(target))
        assert reason.why == codes[target]
        if reason.why == Why.OUT_OF_REACH:
            assert not len(ready.edges_of(target))
            continue
        # the solution is the best, so something is in the way of each fibre, worth as much
        assert reason.why in (Why.OUTBID, Why.COLLISION, Why.SEPARATION)
        assert len(reason.ways) == len(ready.edges_of(target))
        for way in reason.ways:
            gone = [obstacle.target for obstacle in way.obstacles]
            assert way.cost >= problem.weight[target] - 1e-12
            keeps = solution.fibre_of_target.copy()
            keeps[gone], keeps[target] = -1, way.fibre
            assert (every == keeps).all(axis=1).any()
            left = (every[:, gone] < 0).all(axis=1)
            with_target = worth[left & (every[:, target] >= 0)].max()
            assert with_target >= solution.objective - way.cost + problem.weight[target] - 1e-9
            for k in range(len(gone) - 1):  # and not one obstacle fewer would do
                keeps[gone[k]] = solution.fibre_of_target[gone[k]]
                assert not (every == keeps).all(axis=1).any()
                keeps[gone[k]] = -1
        assert reason.insertion.lost_weight >= problem.weight[target] - 1e-12


def by_hand(n, targets, has, **others):
    """Targets as (weight, fibres)."""
    start = np.concatenate([[0], np.cumsum([len(f) for _, f in targets])]).astype(np.int64)
    fibre = np.array([f for _, fibres in targets for f in fibres], np.int32)
    weight = np.array([w for w, _ in targets], float)
    problem = AssignmentProblem(n, weight, start, fibre, np.zeros(len(weight), int), **others)
    return problem, solution_of(problem, "by hand", np.array(has, np.int32), None, 0.0)


def test_who_outbid_it_even_after_all_have_moved():
    targets = [(3.0, [0, 1]), (2.0, [1]), (1.5, [0])]
    problem, solution = by_hand(2, targets, [0, 1, -1])
    reason = explain(problem, solution, 2, name="star {}".format)
    assert reason.why == Why.OUTBID
    assert [o.target for o in reason.ways[0].obstacles] == [0]
    assert reason.insertion.lost == (1,)
    assert reason.text == (
        "star 2 (worth 1.5): outbid. Fibre 0 serves star 0 (worth 3). However the others are "
        "re-routed, that loses at least 2: the best is putting it on fibre 0 and moving 1 other, "
        "for star 1 (worth 2)."
    )


def test_a_better_assignment_is_not_hidden():
    targets = [(3.0, [0, 1]), (2.0, [1]), (2.5, [0])]
    problem, solution = by_hand(2, targets, [0, 1, -1])
    reason = explain(problem, solution, 2)
    assert reason.why == Why.MISSED
    assert "Putting it on fibre 0 and moving 1 other would do it at the loss of" in reason.text
    free = by_hand(2, targets, [0, -1, -1])
    assert explain(*free, 1).why == explain_all(*free)[1] == Why.MISSED
    assert "Fibre 1 is free." in explain(*free, 1).text


def test_fibres_held_for_a_quota():
    targets = [(3.0, [0]), (0.0, [0]), (0.0, [1])]
    purpose = np.array([Purpose.SCIENCE, Purpose.SKY, Purpose.SKY], np.int8)
    for at_least, why in ((2, Why.QUOTA), (1, Why.MISSED)):
        quotas = Quotas(np.zeros(2, np.int32), np.array([[0, 0, at_least]], np.int32))
        problem, solution = by_hand(2, targets, [-1, 0, 1], purpose=purpose, quotas=quotas)
        reason = explain(problem, solution, 0)
        assert reason.why == explain_all(problem, solution)[0] == why
        assert ("held for sky: its group 0 needs 2 and has 2" in reason.text) == (at_least == 2)


def test_rules_of_distance_and_of_contrast_are_named():
    base = small_field(0, conflicts=False, t=2, n=2)
    xy = base.geometry.fibre_xy_m + np.array([0.0, 1.5])
    geometry = replace(base.geometry, target_xy_m=xy)
    targets = [(2.0, [0]), (1.0, [1])]
    near = replace(geometry, separation_m=9.0)
    problem, solution = by_hand(2, targets, [0, -1], geometry=near)
    assert explain_all(problem, solution)[1] == Why.SEPARATION
    assert "too near to target 0 (worth 2) on fibre 0" in explain(problem, solution, 1).text
    for following in ([1, -1], [-1, 0]):
        slit = replace(
            geometry, slit_next=np.array(following, np.int32), contrast_mag=3.0,
            magnitude=np.array([15.0, 19.0]),
        )  # fmt: skip
        problem, solution = by_hand(2, targets, [0, -1], geometry=slit)
        assert explain_all(problem, solution)[1] == Why.CONTRAST
        assert "on the slit beside fibre 0 on target 0" in explain(problem, solution, 1).text


def test_out_of_reach_broken_or_not_needed():
    base = small_field(0, n=3, t=3)
    places = np.array([[0.0, 100.0], base.geometry.fibre_xy_m[1] + [0.0, 1.0], [0.0, 0.0]])
    geometry = replace(base.geometry, target_xy_m=places)
    problem, solution = by_hand(3, [(1.0, []), (1.0, []), (1.0, [0])], [-1, -1, -1],
                                geometry=geometry)  # fmt: skip
    far = explain(problem, solution, 0)
    assert far.why == Why.OUT_OF_REACH
    assert "reaches 0.000 to 2000.000 mm from its axis" in far.text
    broken = np.ones(3, bool)
    out = explain(problem, solution, 1, broken=broken)
    assert out.why == Why.BROKEN
    assert "broken or stuck" in out.text
    across = explain(problem, solution, 1, broken=np.array([True, False, True]))
    assert across.why == Why.BROKEN
    assert across.text.startswith("Fibre 1 would get to target 1, but only with an arm across")
    assert explain(problem, solution, 1).why == Why.OUT_OF_REACH
    none = explain(problem, solution, 1, broken=broken, candidates=np.zeros(3, bool))
    assert none.why == Why.OUT_OF_REACH
    assert "no fibre of the kind" in none.text
    assert explain(problem, solution, 2, needed=False).why == Why.COMPLETE
    reach, needed = np.array([0, 1, 2]), np.array([True, True, False])
    codes = explain_all(problem, solution, reach=reach, needed=needed)
    assert codes.tolist() == [Why.OUT_OF_REACH, Why.BROKEN, Why.COMPLETE]
    with pytest.raises(WstdesError, match="no target 3"):
        explain(problem, solution, 3)
