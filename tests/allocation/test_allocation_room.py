"""Short cuts in the geometry of arms: the answers are those of the long way."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from wstdes.allocation.conflicts import blocked_edges, build_conflicts
from wstdes.allocation.lagrangian import solve_lagrangian
from wstdes.allocation.motion import leaves_room
from wstdes.allocation.motion_kernels import CLEARANCE_M, body_of, gap
from wstdes.allocation.motion_search import directions
from wstdes.allocation.problem import AssignmentProblem, Geometry
from wstdes.field.problem import build_problem, edges
from wstdes.models.focalplane import FocalPlane, forward, load_focal_plane, solve_pose


@pytest.fixture(scope="module")
def plane() -> FocalPlane:
    return load_focal_plane("wst-7mm", ("lr_fibres=260", "hr_fibres=20"))[0]


def test_room_beside_a_pose_is_that_of_all_directions_tried(plane: FocalPlane) -> None:
    rng = np.random.default_rng(2)
    fibre = np.repeat(np.flatnonzero(plane.kind == 1), 40)
    radius = plane.patrol_m[fibre] * np.sqrt(rng.random(len(fibre)))
    angle = 2.0 * np.pi * rng.random(len(fibre))
    pose = solve_pose(plane.arms, fibre, radius * np.cos(angle), radius * np.sin(angle))
    found = leaves_room(plane, fibre, pose.theta_rad, pose.phi_rad)
    body = body_of(plane)
    home, folded = plane.arms.home()
    turns = directions(plane.arms, home)
    for i, theta, phi, room in zip(fibre, pose.theta_rad, pose.phi_rad, found, strict=True):
        expected = all(
            any(gap(body, i, (theta, phi), j, (t, folded[j])) >= CLEARANCE_M for t in turns[j])
            for j in body.other[body.start[i] : body.start[i + 1]]
        )
        assert room == expected
    assert 0.02 < 1.0 - found.mean() < 0.8


def _field(plane: FocalPlane, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    n = 6 * plane.n_fibres
    radius, angle = plane.reach_m * np.sqrt(rng.random(n)), 2.0 * np.pi * rng.random(n)
    return radius * np.cos(angle), radius * np.sin(angle), (rng.random(n) < 0.1).astype(np.int8)


def test_edges_blocked_by_those_that_stand_are_their_conflicts(plane: FocalPlane) -> None:
    x, y, kind = _field(plane, 3)
    rng = np.random.default_rng(4)
    still = rng.permutation(plane.n_fibres)[:30]
    usable = np.ones(plane.n_fibres, dtype=bool)
    usable[still] = False
    start, fibre = edges(plane, usable, x, y, kind)
    axis = np.column_stack([plane.x_m, plane.y_m])
    theta, phi = rng.uniform(-3.0, 3.0, 30), rng.uniform(0.1, 2.0, 30)
    tip = axis[still] + forward(plane.arms, still, theta, phi)[1]
    problem = AssignmentProblem(
        plane.n_fibres, np.zeros(len(x)), start, fibre, np.zeros(len(x), np.int16),
        geometry=Geometry(axis, np.column_stack([x, y]), plane.arms),
    )  # fmt: skip
    whole = replace(
        problem,
        weight=np.zeros(len(x) + 30),
        start=np.concatenate([start, start[-1] + np.arange(1, 31)]),
        fibre=np.concatenate([fibre, still]).astype(np.int32),
        target_class=np.zeros(len(x) + 30, np.int16),
        geometry=Geometry(axis, np.concatenate([np.column_stack([x, y]), tip]), plane.arms),
    )
    conflicts = build_conflicts(whole)
    expected = np.zeros(len(fibre), dtype=bool)
    hit = conflicts.other[conflicts.start[len(fibre)] :]
    expected[hit[hit < len(fibre)]] = True
    found = blocked_edges(problem, still, tip)
    assert expected.sum() > 5
    np.testing.assert_array_equal(found, expected)


def test_neighbours_are_those_of_the_places_and_not_of_the_arms_alone(plane: FocalPlane) -> None:
    """The list of who can meet whom is kept for arms and places together."""
    x, y, kind = _field(plane, 5)
    usable = np.ones(plane.n_fibres, dtype=bool)
    start, fibre = edges(plane, usable, x, y, kind)
    counts = []
    for scale, arms in ((1.0, plane.arms), (0.5, plane.arms), (0.5, replace(plane.arms))):
        axis = scale * np.column_stack([plane.x_m, plane.y_m])
        target = np.repeat(np.arange(len(x)), np.diff(start))
        xy = np.column_stack([x, y])[target]
        xy = xy - np.column_stack([plane.x_m, plane.y_m])[fibre] + axis[fibre]
        problem = AssignmentProblem(
            plane.n_fibres, np.zeros(len(fibre)), np.arange(len(fibre) + 1), fibre,
            np.zeros(len(fibre), np.int16), geometry=Geometry(axis, xy, arms),
        )  # fmt: skip
        counts.append(len(build_conflicts(problem).other))
    assert counts[1] == counts[2] > 3 * counts[0] > 0


def test_good_enough_ends_the_rounds_and_the_gap_says_so(plane: FocalPlane) -> None:
    x, y, kind = _field(plane, 6)
    rng = np.random.default_rng(7)
    n = len(x)
    columns = type("Columns", (), {})()
    columns.purpose = np.where(rng.random(n) < 0.05, 1, 0).astype(np.int8)
    columns.kind, columns.target_class = kind, np.zeros(n, np.int16)
    problem = build_problem(
        plane, np.ones(plane.n_fibres, dtype=bool), columns, np.arange(n), x, y,
        rng.integers(1, 9, n).astype(float), sky=(0.08, 0.08), standards=(0.02, 0.02),
    ).problem  # fmt: skip
    fine, coarse = solve_lagrangian(problem), solve_lagrangian(problem, close=0.2)
    assert coarse.details["rounds"] < fine.details["rounds"]
    assert coarse.gap <= 0.2
    assert fine.gap <= coarse.gap
    assert fine.objective <= coarse.upper_bound
