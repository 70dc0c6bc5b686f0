"""Arms: forward and backward, hard stops, the folded and the stretched arm, spines, outlines."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wstdes.models.focalplane import Arms, ArmShape, capsule, forward, place, solve_pose

PI = np.pi
SHAPE = ArmShape(capsule(1.8e-3, 0.75e-3), capsule(1.8e-3, 0.6e-3))


def arms(theta=1.8e-3, phi=1.8e-3, *, zero=0.0, stops=(-PI, PI), folds=(0.0, PI), spine=False):
    theta, phi = (np.atleast_1d(np.asarray(v, float)) for v in (theta, phi))
    n = len(theta)
    return Arms(
        theta,
        phi,
        np.zeros(n, np.int16),
        (SHAPE,),
        spine,
        np.full(n, zero),
        np.tile(stops, (n, 1)),
        np.tile(folds, (n, 1)),
    )


def reach(one, x, y):
    x, y = np.atleast_1d(x).astype(float), np.atleast_1d(y).astype(float)
    return solve_pose(one, np.zeros(len(x), np.int32), x, y)


@given(
    l1=st.floats(0.5e-3, 6e-3),
    l2=st.floats(0.5e-3, 6e-3),
    theta=st.floats(-3.1, 3.1),
    phi=st.floats(0.01, 3.13),
)
def test_solving_inverts_the_forward_kinematics(l1, l2, theta, phi):
    one, zero = arms(l1, l2), np.zeros(1, np.int32)
    elbow, tip = forward(one, zero, np.array([theta]), np.array([phi]))
    np.testing.assert_allclose(
        tip - elbow, [l2 * np.array([np.cos(theta + phi), np.sin(theta + phi)])]
    )
    pose = solve_pose(one, zero, tip[:, 0], tip[:, 1])
    assert pose.reached.all()
    np.testing.assert_allclose(pose.elbow_m, elbow, atol=1e-9)
    again = forward(one, zero, pose.theta_rad, pose.phi_rad)[1]
    np.testing.assert_allclose(again, tip, atol=2e-9)


@given(st.floats(-PI, PI), st.floats(0.0, 1.0))
def test_the_elbow_is_on_the_right_of_the_line_to_the_fibre(direction, share):
    one = arms(2e-3, 1.5e-3)
    inner, outer = (float(v[0]) for v in one.reach_m())
    r = inner + (outer - inner) * share
    pose = reach(one, r * np.cos(direction), r * np.sin(direction))
    assert pose.reached.all()
    assert 0.0 <= pose.phi_rad[0] <= PI
    assert -PI < pose.theta_rad[0] <= PI
    ex, ey = pose.elbow_m[0]
    assert np.cos(direction) * ey - np.sin(direction) * ex <= 1e-12


def test_annulus_and_its_rounding():
    one = arms(3e-3, 2e-3)
    np.testing.assert_allclose(one.reach_m(), [[1e-3], [5e-3]], rtol=1e-12)
    pose = reach(one, [5e-3 + 5e-10, 5e-3 + 5e-9, 1e-3 - 5e-10, 1e-3 - 5e-9, np.nan], np.zeros(5))
    assert pose.reached.tolist() == [True, False, True, False, False]
    assert pose.phi_rad[0] == pytest.approx(0.0, abs=1e-6)
    assert pose.phi_rad[2] == pytest.approx(PI, abs=1e-6)


def test_phi_hard_stops_narrow_the_annulus():
    one = arms(2e-3, 2e-3, folds=(-0.1, PI / 2))
    inner, outer = one.reach_m()
    np.testing.assert_allclose([inner[0], outer[0]], [2e-3 * np.sqrt(2), 4e-3])
    pose = reach(one, [2.8e-3, 2.9e-3], [0.0, 0.0])
    assert pose.reached.tolist() == [False, True]
    assert reach(arms(folds=(0.5, PI)), [3.6e-3], [0.0]).reached.tolist() == [False]


@pytest.mark.parametrize("zero", [0.0, 2.0, -3.0])
def test_theta_hard_stops_cut_a_sector_out(zero):
    """Stops from -90 to +60 degrees of theta; theta itself is known of a stretched arm."""
    one = arms(zero=zero, stops=np.radians([-90.0, 60.0]))
    angle = np.radians(np.arange(-179.0, 180.0))
    pose = reach(one, 3.6e-3 * np.cos(angle + zero), 3.6e-3 * np.sin(angle + zero))
    allowed = (angle >= np.radians(-90.0) - 1e-12) & (angle <= np.radians(60.0) + 1e-12)
    # at full stretch acos loses half the digits: the stops themselves may fall on either side
    edge = np.isin(np.round(np.degrees(angle)), (-90, 60))
    assert (pose.reached == allowed)[~edge].all()
    full = arms(zero=zero, stops=np.radians([-190.0, 190.0]))
    assert reach(full, 2e-3 * np.cos(angle), 2e-3 * np.sin(angle)).reached.all()


def test_on_its_own_axis_a_fibre_takes_the_middle_of_theta():
    pose = reach(arms(zero=1.0, stops=(0.0, 1.0)), [0.0, 1e-10], [0.0, 0.0])
    assert pose.reached.all()
    np.testing.assert_allclose(pose.theta_rad, 1.5)
    np.testing.assert_allclose(pose.phi_rad, PI, atol=1e-6)
    assert not reach(arms(2e-3, 1e-3), [0.0], [0.0]).reached.any()


def test_spines_reach_a_disc():
    one = arms(0.0, 11.8e-3, spine=True)
    assert [float(v[0]) for v in one.reach_m()] == [0.0, 11.8e-3]
    pose = reach(one, [0.0, 3e-3, 11.8e-3 + 5e-10, 12e-3], [0.0, -4e-3, 0.0, 0.0])
    assert pose.reached.tolist() == [True, True, True, False]
    np.testing.assert_allclose(pose.elbow_m[1], [3e-3, -4e-3])
    assert pose.phi_rad.tolist() == [0.0] * 4
    with pytest.raises(ValueError, match="spine"):
        forward(one, np.zeros(1, int), np.zeros(1), np.zeros(1))
    tip = ArmShape(np.zeros((0, 2)), capsule(0.0, 5e-4))
    one = Arms(
        one.theta_m, one.phi_m, one.shape, (tip,), True, *[np.zeros(1)], *[np.zeros((1, 2))] * 2
    )
    ((body, disc),) = place(one, np.zeros(1, int), np.zeros(1), np.zeros(1), np.array([[1.0, 2.0]]))
    assert body.shape == (0, 2)
    np.testing.assert_allclose(disc.mean(axis=0), [1.0, 2.0])


def test_many_positioners_at_once_are_those_one_by_one():
    rng = np.random.default_rng(3)
    many = arms([1.8e-3, 3.6e-3, 2e-3], [1.8e-3, 3.6e-3, 1e-3])
    fibre = rng.integers(0, 3, 200)
    x, y = rng.uniform(-4e-3, 4e-3, (2, 200))
    pose = solve_pose(many, fibre, x, y)
    for i in range(0, 200, 17):
        one = arms(many.theta_m[fibre[i]], many.phi_m[fibre[i]])
        single = reach(one, x[i], y[i])
        assert single.reached[0] == pose.reached[i]
        assert single.theta_rad[0] == pose.theta_rad[i]
        assert single.phi_rad[0] == pose.phi_rad[i]


@pytest.mark.parametrize("corners", [4, 6, 12])
@pytest.mark.parametrize("length", [0.0, 3e-3])
def test_a_capsule_is_convex_and_contains_the_round_arm(corners, length):
    polygon = capsule(length, 0.5e-3, corners)
    assert polygon.shape == (corners, 2)
    side = np.roll(polygon, -1, axis=0) - polygon
    turn = (
        side[:, 0] * np.roll(side, -1, axis=0)[:, 1] - side[:, 1] * np.roll(side, -1, axis=0)[:, 0]
    )
    assert (turn > 0).all()
    angle = np.linspace(0, 2 * PI, 361)
    round_arm = np.c_[0.5e-3 * np.cos(angle), 0.5e-3 * np.sin(angle)]
    round_arm[np.cos(angle) > 0, 0] += length
    outside = side[:, 1] / np.hypot(*side.T), -side[:, 0] / np.hypot(*side.T)
    normal = np.c_[outside]
    distance = np.einsum("kc,nkc->nk", normal.T.reshape(2, -1).T, round_arm[:, None] - polygon)
    assert distance.max() < 1e-12
    np.testing.assert_allclose(distance.max(axis=0), 0.0, atol=1e-12)


def test_placed_outlines_are_where_the_arms_are():
    one = arms()
    theta, phi = np.array([0.5]), np.array([2.0])
    elbow, tip = forward(one, np.zeros(1, int), theta, phi)
    ((body, arm),) = place(one, np.zeros(1, int), theta, phi)
    np.testing.assert_allclose(body.mean(axis=0), elbow[0] / 2, atol=1e-12)
    np.testing.assert_allclose(arm.mean(axis=0), (elbow + tip)[0] / 2, atol=1e-12)
    moved = place(one, np.zeros(1, int), theta, phi, elbow + np.array([1.0, 2.0]))[0]
    np.testing.assert_allclose(moved[0] - body, np.tile([1.0, 2.0], (len(body), 1)))
    np.testing.assert_allclose(moved[1] - arm, np.tile([1.0, 2.0], (len(arm), 1)))


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: arms([1.0, 2.0], [1.0]), "phi_m must have 2"),
        (lambda: arms(-1.0), "theta_m must be finite"),
        (lambda: arms(np.nan), "theta_m must be finite"),
        (lambda: arms(stops=(1.0, 0.0)), "lower limit first"),
        (lambda: arms(folds=(-2.0, -1.0)), "between 0 and pi"),
        (lambda: arms(1.0, 1.0, spine=True), "no theta arm"),
        (lambda: arms(zero=np.inf), "theta_zero_rad"),
        (lambda: ArmShape(np.zeros((2, 2)), np.ones((3, 2))), "theta_m needs three"),
        (lambda: ArmShape(np.zeros((0, 2)), np.zeros((0, 2))), "phi_m needs three"),
        (lambda: ArmShape(np.zeros((0, 2)), np.zeros(6)), "array"),
        (lambda: ArmShape(np.zeros((0, 2)), np.full((3, 2), np.nan)), "finite"),
        (lambda: capsule(-1.0, 1.0), "length_m"),
        (lambda: capsule(1.0, 0.0), "radius_m"),
        (lambda: capsule(1.0, 1.0, 5), "corners"),
    ],
)
def test_nonsense_is_refused(make, says):
    with pytest.raises(ValueError, match=says):
        make()
