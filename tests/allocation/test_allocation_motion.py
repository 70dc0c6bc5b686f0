"""From one configuration to the next: nothing touches, nothing is too fast, nobody is forgotten."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from wstdes.allocation import AssignmentProblem, Geometry, build_candidates, solve
from wstdes.allocation.motion import (
    Configuration,
    MotionPlan,
    Reason,
    leaves_room,
    parked,
    plan_motion,
)
from wstdes.allocation.motion_check import verify_plan
from wstdes.errors import WstdesError
from wstdes.models.focalplane import FocalPlane
from wstdes.models.focalplane.arms import Arms, ArmShape, capsule, solve_pose
from wstdes.models.focalplane.presets import load_focal_plane

SPEEDS = 3.0, 2.0


def wst(lr: int = 280, hr: int = 20) -> FocalPlane:
    return load_focal_plane("wst-2026", [f"lr_fibres={lr}", f"hr_fibres={hr}"])[0]


def row(*x_mm: float, turn: tuple[float, float] = (-3.3, 3.3)) -> FocalPlane:
    """LR positioners of WST in a row."""
    n = len(x_mm)
    arms = Arms(
        np.full(n, 1.8e-3),
        np.full(n, 1.8e-3),
        np.zeros(n, np.int16),
        (ArmShape(capsule(1.8e-3, 0.75e-3), capsule(1.8e-3, 0.6e-3)),),
        False,
        np.zeros(n),
        np.tile(turn, (n, 1)).astype(float),
        np.tile((0.0, np.pi), (n, 1)),
    )
    zero = np.zeros(n)
    return FocalPlane(
        np.array(x_mm) * 1e-3,
        zero,
        zero.astype(np.int8),
        np.full(n, 3.6e-3),
        zero.astype(np.int16),
        arms=arms,
    )


def home(plane: FocalPlane) -> Configuration:
    assert plane.arms is not None
    return Configuration(*plane.arms.home())


def anywhere(plane: FocalPlane, seed: int, share: float = 0.9) -> Configuration:
    """A point within reach for most positioners; many exclude each other."""
    rng = np.random.default_rng(seed)
    n = plane.n_fibres
    assert plane.arms is not None
    r, angle = plane.patrol_m * np.sqrt(rng.random(n)), 2.0 * np.pi * rng.random(n)
    pose = solve_pose(plane.arms, np.arange(n), r * np.cos(angle), r * np.sin(angle))
    busy = pose.reached & (rng.random(n) < share)
    return Configuration(
        np.where(busy, pose.theta_rad, np.nan), np.where(busy, pose.phi_rad, np.nan)
    )


def move(
    plane: FocalPlane, present: Configuration, wanted: Configuration, **more: object
) -> MotionPlan:
    return plan_motion(plane, present=present, wanted=wanted, speed_rad_per_s=SPEEDS, **more)  # type: ignore[arg-type]


def straight(present: Configuration, wanted: Configuration, seconds: float) -> MotionPlan:
    """A plan that asks nobody: all move at once."""
    n = len(present.theta_rad)
    time_s = np.tile((0.0, seconds), n)
    theta = np.column_stack((present.theta_rad, wanted.theta_rad)).ravel()
    phi = np.column_stack((present.phi_rad, wanted.phi_rad)).ravel()
    all_ = np.ones(n, np.bool_)
    reason, blocker = np.zeros(n, np.int8), np.full(n, -1, np.int32)
    return MotionPlan(2 * np.arange(n + 1), time_s, theta, phi, seconds, all_, reason, blocker, 0.0)


def same(a: Configuration, b: Configuration, who: np.ndarray) -> bool:
    turn = np.cos(a.theta_rad[who] - b.theta_rad[who])
    return bool((turn > 1.0 - 1e-12).all() and np.allclose(a.phi_rad[who], b.phi_rad[who]))


@pytest.fixture(scope="module")
def there_and_on() -> tuple[FocalPlane, Configuration, MotionPlan, Configuration, MotionPlan]:
    plane = wst()
    first, second = anywhere(plane, 1), anywhere(plane, 2)
    one = move(plane, home(plane), first)
    return plane, first, one, second, move(plane, one.final, second)


def test_plans_have_no_collision(there_and_on):
    plane, _, one, _, two = there_and_on
    assert verify_plan(plane, one) == []
    assert verify_plan(plane, two) == []
    assert one.arrived.sum() > 100
    assert two.arrived.sum() > 100


def test_who_arrived_is_where_it_was_wanted_and_the_others_are_folded(there_and_on):
    plane, first, one, second, two = there_and_on
    for wanted, plan in ((first, one), (second, two)):
        assert same(plan.final, wanted, plan.arrived)
        assert np.allclose(plan.final.phi_rad[~plan.arrived], np.pi)
        assert ((plan.reason == Reason.ARRIVED) == plan.arrived).all()
        asked = np.isfinite(wanted.theta_rad)
        assert (plan.reason[~asked] == Reason.FREE).all()
        blocked = asked & ~plan.arrived
        assert (plan.reason[blocked] == Reason.BLOCKED_BY_NEIGHBOUR).all()
        apart = np.hypot(
            plane.x_m[blocked] - plane.x_m[plan.blocker[blocked]],
            plane.y_m[blocked] - plane.y_m[plan.blocker[blocked]],
        )
        assert (apart < 16e-3).all()
        assert (plan.blocker[~blocked] == -1).all()


def test_knots_keep_speeds_and_hard_stops(there_and_on):
    plane, _, one, _, plan = there_and_on
    arms = plane.arms
    number = np.repeat(np.arange(plane.n_fibres), np.diff(plan.start))
    inside = np.diff(number) == 0
    span = np.diff(plan.time_s)[inside]
    assert (span >= -1e-12).all()
    for angle, speed in ((plan.theta_rad, SPEEDS[0]), (plan.phi_rad, SPEEDS[1])):
        assert (np.abs(np.diff(angle))[inside] <= speed * span + 1e-9).all()
    turn = plan.theta_rad - arms.theta_zero_rad[number]
    assert (turn >= arms.theta_range_rad[number, 0] - 1e-9).all()
    assert (turn <= arms.theta_range_rad[number, 1] + 1e-9).all()
    assert (plan.phi_rad >= -1e-9).all()
    assert (plan.phi_rad <= np.pi + 1e-9).all()
    assert plan.duration_s == plan.time_s.max()
    assert (plan.time_s[plan.start[:-1]] == 0.0).all()
    assert np.array_equal(plan.theta_rad[plan.start[:-1]], one.final.theta_rad)


def test_at_runs_through_the_knots(there_and_on):
    _, _, one, _, plan = there_and_on
    assert same(plan.at(0.0), one.final, np.ones(len(plan.arrived), np.bool_))
    for t in (plan.duration_s, plan.duration_s + 1.0):
        assert np.array_equal(plan.at(t).theta_rad, plan.final.theta_rad)
    for k in np.random.default_rng(3).integers(0, len(plan.time_s), 50):
        i = int(np.searchsorted(plan.start, k, side="right")) - 1
        assert plan.at(float(plan.time_s[k])).phi_rad[i] == pytest.approx(plan.phi_rad[k])


def test_the_same_plan_again(there_and_on):
    plane, _, one, second, plan = there_and_on
    again = move(plane, one.final, second)
    for name in ("start", "time_s", "theta_rad", "phi_rad", "reason", "blocker"):
        assert np.array_equal(getattr(plan, name), getattr(again, name)), name


def test_what_arrived_gets_home_again(there_and_on):
    plane, _, _, _, plan = there_and_on
    back = move(plane, plan.final, home(plane))
    assert back.arrived.all()
    assert verify_plan(plane, back) == []
    assert same(back.final, home(plane), np.ones(plane.n_fibres, np.bool_))


def test_a_plan_run_backwards_has_no_collision(there_and_on):
    plane, _, _, _, plan = there_and_on
    knots = []
    for a, b in zip(plan.start[:-1], plan.start[1:], strict=True):
        time_s = plan.duration_s - plan.time_s[a:b][::-1]
        path = np.column_stack((time_s, plan.theta_rad[a:b][::-1], plan.phi_rad[a:b][::-1]))
        knots.append(np.vstack((path[:1] * (0.0, 1.0, 1.0), path)))
    start = np.concatenate(([0], np.cumsum([len(path) for path in knots])))
    time_s, theta, phi = np.vstack(knots).T
    back = replace(plan, start=start, time_s=time_s, theta_rad=theta, phi_rad=phi)
    assert verify_plan(plane, back) == []


def test_staying_takes_no_time(there_and_on):
    plane, first, one, _, _ = there_and_on
    wanted = Configuration(
        np.where(one.arrived, first.theta_rad, np.nan), np.where(one.arrived, first.phi_rad, np.nan)
    )
    stays = move(plane, one.final, wanted)
    assert stays.duration_s == 0.0
    assert np.array_equal(stays.arrived, one.arrived)
    assert np.array_equal(stays.final.theta_rad, one.final.theta_rad)


def test_only_what_must_moves_with_one_target_more(there_and_on):
    plane, first, one, _, _ = there_and_on
    kept = one.arrived.copy()
    moved = int(np.flatnonzero(kept)[17])
    wanted = Configuration(
        np.where(kept, first.theta_rad, np.nan), np.where(kept, first.phi_rad, np.nan)
    )
    wanted.theta_rad[moved], wanted.phi_rad[moved] = one.final.theta_rad[moved] + 0.02, 2.5
    plan = move(plane, one.final, wanted)
    assert verify_plan(plane, plan) == []
    assert plan.arrived[moved]
    assert (np.diff(plan.start) > 1).sum() <= 13


def test_priority_says_who_stays_folded():
    plane = row(0.0, 6.2)
    pose = solve_pose(plane.arms, np.array([0, 1]), np.array([3.1e-3, -3.1e-3]), np.zeros(2))
    wanted = Configuration(pose.theta_rad, pose.phi_rad)  # both fibres at the same point
    for winner in (0, 1):
        plan = move(plane, home(plane), wanted, priority=np.eye(2)[winner])
        assert plan.arrived.tolist() == [winner == 0, winner == 1]
        assert plan.blocker[1 - winner] == winner
        assert verify_plan(plane, plan) == []


def test_one_positioner_takes_what_its_speeds_say():
    plane = row(0.0)
    wanted = Configuration(np.array([1.0]), np.array([1.5]))
    plan = move(plane, home(plane), wanted)
    turn = 0.5 * (np.pi - 1.5)  # while it extends, the fibre runs straight out
    expected = abs(1.0 - turn) / SPEEDS[0] + max(turn / SPEEDS[0], (np.pi - 1.5) / SPEEDS[1])
    assert plan.duration_s == pytest.approx(expected)
    slow = plan_motion(
        plane, present=home(plane), wanted=wanted, speed_rad_per_s=(np.array([0.3]), 0.2)
    )
    assert slow.duration_s == pytest.approx(10.0 * expected)


def test_stuck_positioners_stand_still_and_are_avoided(there_and_on):
    plane, _, one, second, _ = there_and_on
    movable = np.random.default_rng(4).random(plane.n_fibres) > 0.05
    plan = move(plane, one.final, second, movable=movable)
    assert verify_plan(plane, plan) == []
    assert (np.diff(plan.start)[~movable] == 1).all()
    asked = np.isfinite(second.theta_rad)
    assert (plan.reason[~movable & asked] == Reason.STUCK).all()
    by_stuck = plan.reason == Reason.STUCK_NEIGHBOUR
    assert by_stuck.any()
    assert not movable[plan.blocker[by_stuck]].any()


def test_what_the_stops_forbid_is_out_of_range():
    plane = row(0.0, 6.2, turn=(-1.0, 1.0))
    wanted = Configuration(np.array([2.0, 0.5]), np.array([2.0, 2.0]))
    plan = move(plane, home(plane), wanted)
    assert plan.reason.tolist() == [Reason.OUT_OF_RANGE, Reason.ARRIVED]
    with pytest.raises(ValueError, match="positioner 0 cannot be at theta 2"):
        move(plane, wanted, home(plane))


def test_the_range_of_theta_may_exceed_a_turn():
    plane = row(0.0)
    present = Configuration(np.array([3.2]), np.array([np.pi]))  # a turn less: -3.08
    wanted = Configuration(np.array([-3.1]), np.array([np.pi]))  # or 3.18
    plan = move(plane, present, wanted)
    assert plan.final.theta_rad[0] == pytest.approx(-3.1 + 2.0 * np.pi)
    assert plan.duration_s == pytest.approx((3.2 + 3.1 - 2.0 * np.pi) / SPEEDS[0])


def test_verification_finds_planted_collisions(there_and_on):
    plane, _, one, second, plan = there_and_on
    wanted = Configuration(
        np.where(plan.arrived, second.theta_rad, plan.final.theta_rad),
        np.where(plan.arrived, second.phi_rad, plan.final.phi_rad),
    )
    rash = verify_plan(plane, straight(one.final, wanted, 1.0))
    assert len(rash) > 5
    assert all(0.0 <= c.time_s <= 1.0 and c.first < c.second for c in rash)
    theta = plan.theta_rad.copy()
    theta[plan.start[1:] - 1] += 0.4  # all end a little further than planned
    assert verify_plan(plane, replace(plan, theta_rad=theta))
    assert verify_plan(plane, plan) == []


def test_verification_finds_when_two_touch_first():
    # a bar turns from -1 to 1 rad past a small square: free at both ends, not in between
    bar, half, apart = 1e-4, 2e-4, 2e-3
    x, y = np.array([0.0, 3.6e-3, 3.6e-3, 0.0]), np.array([-bar, -bar, bar, bar])
    square = half * np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
    shapes = (
        ArmShape(np.column_stack((x, y)), 0.1 * square),
        ArmShape(square, 0.1 * square),
    )
    plane = row(0.0, 1e3 * apart)
    plane = replace(plane, arms=replace(plane.arms, shapes=shapes, shape=np.array([0, 1], "i2")))
    present = Configuration(np.array([-1.0, 0.0]), np.full(2, np.pi))
    wanted = Configuration(np.array([1.0, 0.0]), np.full(2, np.pi))
    (hit,) = verify_plan(plane, straight(present, wanted, 2.0))
    corner = np.array([apart - half, apart + half])
    touch = np.arctan2(-half, corner) - np.arcsin(bar / np.hypot(corner, half))
    assert (hit.first, hit.second) == (0, 1)
    assert hit.time_s == pytest.approx(1.0 + touch.min(), abs=1e-5)
    around = (
        Configuration(np.array([-1.0, 0.0]), np.full(2, np.pi)),
        Configuration(np.array([float(touch.min()) - 1e-4, 0.0]), np.full(2, np.pi)),
    )
    assert verify_plan(plane, straight(*around, 1.0)) == []


def test_arrivals_at_scale_for_short_and_long_arms():
    plane = wst(3750, 250)
    plans = []
    present = home(plane)
    for seed in (1, 2):
        wanted = _solved(plane, seed)
        plan = move(plane, present, wanted)
        present = plan.final
        plans.append((np.isfinite(wanted.theta_rad), plan))
    for asked, plan in plans:
        assert plan.arrived[asked].mean() >= 0.995
        assert plan.arrived[asked & (plane.kind == 1)].mean() >= 0.95
        assert plan.duration_s < 6.0
    assert verify_plan(plane, plans[-1][1]) == []


def _solved(plane: FocalPlane, seed: int) -> Configuration:
    """A field of twice as many targets, allocated without collisions."""
    rng = np.random.default_rng(seed)
    t, n = 2 * plane.n_fibres, plane.n_fibres
    r, angle = plane.reach_m * np.sqrt(rng.random(t)), 2.0 * np.pi * rng.random(t)
    x, y = r * np.cos(angle), r * np.sin(angle)
    kind = (rng.random(t) < (plane.kind == 1).mean()).astype(np.int8)
    start, fibre = build_candidates(
        plane.x_m, plane.y_m, plane.kind, plane.patrol_m, np.ones(n, np.bool_), x, y, kind
    )
    target = np.repeat(np.arange(t), np.diff(start))
    pose = solve_pose(plane.arms, fibre, x[target] - plane.x_m[fibre], y[target] - plane.y_m[fibre])
    keep = pose.reached & leaves_room(plane, fibre, pose.theta_rad, pose.phi_rad)
    start = np.concatenate(([0], np.cumsum(np.bincount(target[keep], minlength=t))))
    xy = np.column_stack((plane.x_m, plane.y_m)), np.column_stack((x, y))
    problem = AssignmentProblem(
        n,
        rng.integers(1, 11, t).astype(np.float64),
        start,
        fibre[keep],
        np.zeros(t, np.int16),
        geometry=Geometry(*xy, plane.arms),
    )
    of_fibre = solve(problem, "lagrangian").target_of_fibre(n)
    got = np.flatnonzero(of_fibre >= 0)
    dx, dy = x[of_fibre[got]] - plane.x_m[got], y[of_fibre[got]] - plane.y_m[got]
    pose = solve_pose(plane.arms, got, dx, dy)
    theta, phi = np.full((2, n), np.nan)
    theta[got], phi[got] = pose.theta_rad, pose.phi_rad
    return Configuration(theta, phi)


@pytest.mark.parametrize("name", ["desi", "pfs"])
def test_other_facilities(name):
    overrides = ["lr_fibres=400"] if name == "desi" else []
    plane, _ = load_focal_plane(name, overrides)
    first = move(plane, home(plane), anywhere(plane, 5))
    second = move(plane, first.final, anywhere(plane, 6))
    assert verify_plan(plane, second) == []
    assert second.arrived.mean() > 0.5


def test_parked_positioners_touch_nothing_and_keep_home_where_they_can():
    plane = wst()
    plan = move(plane, home(plane), anywhere(plane, 7, 0.5))
    busy = plan.arrived
    given = Configuration(
        np.where(busy, plan.final.theta_rad, np.nan), np.where(busy, plan.final.phi_rad, np.nan)
    )
    full, found = parked(plane, given)
    assert found.all()
    assert np.array_equal(full.theta_rad[busy], plan.final.theta_rad[busy])
    assert verify_plan(plane, straight(full, full, 0.0)) == []
    assert (full.theta_rad[~busy] == home(plane).theta_rad[~busy]).mean() > 0.5
    alone, _ = parked(plane, Configuration(*np.full((2, plane.n_fibres), np.nan)))
    assert np.array_equal(alone.theta_rad, home(plane).theta_rad)


def test_a_long_arm_over_a_neighbours_body_leaves_it_no_room():
    plane = wst()
    i = int(np.flatnonzero(plane.kind == 1)[0])
    near = np.argsort(np.hypot(plane.x_m - plane.x_m[i], plane.y_m - plane.y_m[i]))[1]
    dx, dy = plane.x_m[near] - plane.x_m[i], plane.y_m[near] - plane.y_m[i]
    pose = solve_pose(plane.arms, np.array([i, i]), np.array([dx, 0.1e-3]), np.array([dy, 0.1e-3]))
    room = leaves_room(plane, np.array([i, i]), pose.theta_rad, pose.phi_rad)
    assert room.tolist() == [False, True]
    wanted = Configuration(*np.full((2, plane.n_fibres), np.nan))
    wanted.theta_rad[i], wanted.phi_rad[i] = pose.theta_rad[0], pose.phi_rad[0]
    plan = move(plane, home(plane), wanted)
    assert plan.reason[i] == Reason.BLOCKED_BY_NEIGHBOUR
    assert verify_plan(plane, plan) == []


def test_errors_are_for_people():
    plane = row(0.0, 6.2)
    spines, _ = load_focal_plane("4most")
    nothing = Configuration(*np.full((2, spines.n_fibres), np.nan))
    with pytest.raises(WstdesError, match="spines"):
        move(spines, nothing, nothing)
    with pytest.raises(WstdesError, match="no outlines"):
        move(replace(plane, arms=None), home(plane), home(plane))
    with pytest.raises(ValueError, match="speed_rad_per_s"):
        plan_motion(plane, present=home(plane), wanted=home(plane), speed_rad_per_s=(0.0, 1.0))
    with pytest.raises(ValueError, match="time_step_s"):
        move(plane, home(plane), home(plane), time_step_s=0.0)
    with pytest.raises(ValueError, match="priority must have 2"):
        move(plane, home(plane), home(plane), priority=np.zeros(3))
    with pytest.raises(ValueError, match="theta_rad must have 2"):
        move(plane, Configuration(np.zeros(3), np.zeros(3)), home(plane))
