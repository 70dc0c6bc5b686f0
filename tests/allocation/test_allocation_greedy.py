"""The baseline: by class, weight and number, the nearest fibre that is free and clear."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from wstdes.allocation import AssignmentProblem, Geometry, solve


def problem(lists, weight, target_class, **others):
    start = np.concatenate([[0], np.cumsum([len(row) for row in lists])]).astype(np.int64)
    fibre = np.concatenate(lists).astype(np.int32)
    return AssignmentProblem(
        3, np.array(weight), start, fibre, np.array(target_class, np.int16), **others
    )


def test_class_goes_before_weight_and_weight_before_number():
    everyone = problem([[0]] * 4, [5.0, 1.0, 2.0, 2.0], [1, 0, 0, 0])
    assert solve(everyone, "greedy").fibre_of_target.tolist() == [-1, -1, 0, -1]


def test_the_first_free_of_the_list_is_taken_and_kept():
    blocked = problem([[2, 0], [2]], [2.0, 1.0], [0, 0])
    solution = solve(blocked, "greedy")
    assert solution.fibre_of_target.tolist() == [2, -1]
    assert (solution.objective, solution.upper_bound) == (2.0, 3.0)
    assert solution.gap == pytest.approx(1 / 3)


def test_targets_too_close_to_a_placed_one_get_nothing():
    """Targets 0.1 m apart with fibres of their own, where half a metre is needed."""
    xy = np.array([[0.0, 0.0], [0.1, 0.0], [5.0, 0.0]])
    near = problem([[0], [1], [2]], [1.0, 2.0, 3.0], [0, 0, 0])
    rules = Geometry(fibre_xy_m=xy, target_xy_m=xy, separation_m=0.5)
    solution = solve(replace(near, geometry=rules), "greedy")
    assert solution.fibre_of_target.tolist() == [-1, 1, 2]
    assert (solution.objective, solution.upper_bound) == (5.0, 6.0)


def test_no_two_placed_edges_exclude_each_other():
    rng = np.random.default_rng(2)
    n, t = 30, 120
    fibre_xy, target_xy = rng.random((n, 2)) * 5.0, rng.random((t, 2)) * 5.0
    reach = np.hypot(*(target_xy[:, None] - fibre_xy[None]).transpose(2, 0, 1)) < 1.2
    lists = [np.flatnonzero(row) for row in reach]
    start = np.concatenate([[0], np.cumsum([len(row) for row in lists])]).astype(np.int64)
    rules = Geometry(fibre_xy_m=fibre_xy, target_xy_m=target_xy, separation_m=0.4)
    crowd = AssignmentProblem(
        n,
        rng.random(t),
        start,
        np.concatenate(lists).astype(np.int32),
        np.zeros(t, np.int16),
        geometry=rules,
    )
    placed = target_xy[solve(crowd, "greedy").fibre_of_target >= 0]
    apart = np.hypot(*(placed[:, None] - placed[None]).transpose(2, 0, 1))
    assert len(placed) > 5
    assert apart[np.triu_indices(len(placed), 1)].min() >= 0.4
