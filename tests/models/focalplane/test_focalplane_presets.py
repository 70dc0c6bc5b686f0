"""Focal planes of the shipped models: published numbers, modules, slits, contradictions."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial import cKDTree

from wstdes.config.hardware import Telescope
from wstdes.config.part import load_hardware
from wstdes.errors import ConfigError
from wstdes.library import shipped
from wstdes.models.focalplane import (
    HR,
    LR,
    Arms,
    ArmShape,
    FocalPlane,
    capsule,
    cobras_layout,
    echidna_layout,
    forward,
    load_focal_plane,
    petals_layout,
    place,
    solve_pose,
)
from wstdes.models.focalplane.modules import slit_positions, triangular_modules

PRESETS = sorted(shipped("hardware_models", "focal_plane"))
PUBLISHED = {  # fibres, pitch [mm], patrol of LR and HR [mm], spectrographs, radius [mm]
    "wst-2026": (30_000, 2_000, 6.2, 3.6, 7.2, 54, 8, 586),
    "wst-7mm": (30_000, 2_000, 6.85, 4.2, 7.2, 54, 8, 647),
    "desi": (5_000, 0, 10.4, 6.0, None, 10, 0, 406),
    "4most": (1_624, 812, 9.542, 11.8, 11.8, 2, 1, 267),
    "pfs": (2_394, 0, 8.0, 4.75, None, 4, 0, 225),
}


def test_every_preset_is_looked_at():
    assert set(PRESETS) == set(PUBLISHED)


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_has_the_published_numbers(name):
    plane, model = load_focal_plane(name)
    n_lr, n_hr, pitch, lr, hr, slits_lr, slits_hr, radius = PUBLISHED[name]
    assert (np.sum(plane.kind == LR), np.sum(plane.kind == HR)) == (n_lr, n_hr)
    np.testing.assert_allclose(plane.patrol_m[plane.kind == LR], lr * 1e-3)
    if n_hr:
        np.testing.assert_allclose(plane.patrol_m[plane.kind == HR], hr * 1e-3)
    xy = np.c_[plane.x_m, plane.y_m]
    nearest = cKDTree(xy).query(xy, k=2)[0][:, 1]
    assert nearest.min() >= pitch * 1e-3 * (1 - 1e-9)
    assert np.median(nearest) == pytest.approx(pitch * 1e-3)
    assert plane.radius_m == pytest.approx(radius * 1e-3, rel=0.012)
    assert model.plate_scale_m_per_rad > 0
    for kind, slits in ((LR, slits_lr), (HR, slits_hr)):
        size = np.bincount(plane.spectrograph[plane.kind == kind], minlength=slits)
        assert len(size) == slits
        assert slits == 0 or np.ptp(size) <= 1
    assert plane.arms is not None
    inner, outer = plane.arms.reach_m()
    np.testing.assert_allclose(outer, plane.patrol_m, rtol=1e-9)
    assert (plane.inner_m == inner).all()


@pytest.mark.parametrize("name", PRESETS)
def test_slits_are_complete_and_follow_modules(name):
    plane, _ = load_focal_plane(name)
    by_slit = np.lexsort((plane.slit, plane.spectrograph, plane.kind))
    step = np.diff(plane.slit[by_slit])
    start = np.flatnonzero(np.r_[True, step != 1])
    assert len(start) == len({*zip(plane.kind.tolist(), plane.spectrograph.tolist(), strict=True)})
    assert (plane.slit[by_slit][start] == 0).all()
    modules = plane.module[by_slit]
    changes = np.sum(np.diff(modules) != 0)
    pairs = {
        *zip(plane.kind.tolist(), plane.spectrograph.tolist(), plane.module.tolist(), strict=True)
    }
    assert changes < len(pairs)  # a slit enters each of its modules once


def test_most_slit_neighbours_of_wst_are_neighbours_on_the_plane():
    plane, model = load_focal_plane("wst-2026")
    by_slit = np.lexsort((plane.slit, plane.spectrograph, plane.kind))
    lr = by_slit[: model.lr_fibres]
    step = np.hypot(np.diff(plane.x_m[lr]), np.diff(plane.y_m[lr])) / model.pitch_m
    assert np.mean(step < 2.01) > 0.95
    size = np.bincount(plane.module)
    assert size.max() == model.module_size == 63
    assert size.min() > 0
    assert np.sum(size == 63) > 0.8 * len(size)


@pytest.mark.parametrize("size", [1, 3, 16, 21, 57, 63, 75])
def test_modules_tile_the_lattice_without_a_gap(size):
    b, a = (v.ravel() for v in np.meshgrid(np.arange(-90, 90), np.arange(-90, 90), indexing="ij"))
    module, order = triangular_modules(a, b, size)
    assert sorted(order) == list(range(len(a)))
    count = np.bincount(module)
    assert count.max() == size
    inside = (np.abs(a) < 45) & (np.abs(b) < 45)  # far from the edge: whole modules
    assert size > 30 or (count[np.unique(module[inside])] == size).all()
    if size == 63:
        assert (count[np.unique(module[inside])] == size).all()
        x, y = a + b / 2, b * np.sqrt(0.75)
        of = module == module[(a == 0) & (b == 0)][0]
        assert np.hypot(x[of] - x[of].mean(), y[of] - y[of].mean()).max() < 7.0
    with pytest.raises(ValueError, match="at least one"):
        triangular_modules(a, b, 0)


def test_the_default_slit_goes_by_module_then_by_position():
    kind, spectrograph = np.array([0, 0, 0, 1], np.int8), np.array([0, 0, 1, 0], np.int16)
    slit = slit_positions(kind, spectrograph, np.array([5, 2, 0, 0], np.int32))
    assert slit.tolist() == [1, 0, 0, 0]
    plane = FocalPlane(np.arange(4.0), np.zeros(4), kind, np.ones(4), spectrograph)
    assert plane.slit.tolist() == [0, 1, 0, 0]
    assert plane.module.tolist() == [0] * 4
    assert plane.inner_m.tolist() == [0.0] * 4


def test_desi_petals_keep_a_pitch_apart():
    plane = petals_layout(petals=10, n_petal=500, pitch_m=10.4e-3, patrol_m=6e-3)
    angle = np.arctan2(plane.y_m, plane.x_m) % (2 * np.pi)
    assert (plane.module == (angle / (np.pi / 5)).astype(int)).all()
    assert (plane.spectrograph == plane.module).all()
    r = np.hypot(plane.x_m, plane.y_m).reshape(10, 500)
    np.testing.assert_allclose(r, np.broadcast_to(r[0], r.shape))


def test_cobras_and_spines_are_one_lattice_without_its_centre():
    cobras = cobras_layout(pitch_m=1.0, patrol_m=0.6, spectrographs=4)
    spines = echidna_layout(
        n_lr=1624, n_hr=812, pitch_m=1.0, patrol_lr_m=1.2, patrol_hr_m=1.2,
        spectrographs_lr=2, spectrographs_hr=1, module_size=87,
    )  # fmt: skip
    for plane in (cobras, spines):
        b = plane.y_m / np.sqrt(0.75)
        a = plane.x_m - b / 2
        np.testing.assert_allclose([a, b], np.round([a, b]), atol=1e-9)
        assert np.hypot(plane.x_m, plane.y_m).min() == pytest.approx(1.0)
    # neighbours of a spine feed the two other spectrographs, but for one or two spines
    slit = spines.kind * 2 + spines.spectrograph
    xy = np.c_[spines.x_m, spines.y_m]
    pairs = cKDTree(xy).query_pairs(1.01, output_type="ndarray")
    assert np.sum(slit[pairs[:, 0]] == slit[pairs[:, 1]]) < 0.005 * len(pairs)


def test_the_presets_of_wst_go_with_its_telescope():
    telescope = load_hardware(Telescope, "wst-12m4")
    hole = 0.5 * telescope.ifs_patrol_diameter_rad * telescope.plate_scale_m_per_rad
    for name in ("wst-2026", "wst-7mm"):
        plane, model = load_focal_plane(name)
        assert model.plate_scale_m_per_rad == pytest.approx(telescope.plate_scale_m_per_rad)
        assert model.hole_radius_m == pytest.approx(hole, rel=1e-4)
        assert np.hypot(plane.x_m, plane.y_m).min() >= hole * (1 - 1e-4)


def test_an_arm_of_wst_reaches_its_patrol_area():
    plane, _ = load_focal_plane("wst-2026")
    angle = np.linspace(-np.pi, np.pi, plane.n_fibres)
    pose = solve_pose(
        plane.arms,
        np.arange(plane.n_fibres),
        plane.patrol_m * np.cos(angle),
        plane.patrol_m * np.sin(angle),
    )
    assert pose.reached.all()


@pytest.mark.parametrize(
    ("name", "overrides", "says"),
    [
        ("wst-2026", ["patrol_lr=4 mm"], "arms of 1.8 \\+ 1.8 mm reach from 0 to 3.6 mm"),
        ("wst-2026", ["phi_hr=0 mm"], "phi_hr is missing"),
        ("wst-2026", ["theta_half_width=0 mm"], "theta arm has no outline"),
        ("wst-2026", ["phi_range=[200 deg, 210 deg]"], "between 0 and 180"),
        ("wst-2026", ["theta_range=[20 deg, 10 deg]"], "lower one comes first"),
        ("wst-2026", ["layout=petal"], "petals"),
        ("wst-2026", ["layout=petals"], "LR fibres alone"),
        ("wst-2026", ["spectrographs_lr=0"], "cannot feed 0"),
        ("wst-2026", ["ptch=6 mm"], "pitch"),
        ("desi", ["phi_outline_y=[1 mm, 2 mm]"], "each with x and y"),
        ("desi", ["spectrographs_lr=3"], "alike"),
        ("4most", ["theta_lr=1 mm"], "no theta arm"),
        ("pfs", ["module_size=58"], "odd number"),
        ("wst-2027", [], "wst-2026"),
        ("nowhere.yaml", [], "no file"),
    ],
)
def test_contradictions_are_named(name, overrides, says):
    with pytest.raises(ConfigError, match=says):
        load_focal_plane(name, overrides)


def test_a_patrol_radius_may_follow_from_the_arms():
    plane, model = load_focal_plane("wst-2026", ["patrol_lr=0 mm", "theta_lr=2 mm"])
    assert model.reach_lr_m == pytest.approx(3.8e-3)
    assert plane.patrol_m[plane.kind == LR] == pytest.approx(3.8e-3)
    assert plane.inner_m[plane.kind == LR] == pytest.approx(0.2e-3)


def test_a_model_without_arms_makes_discs(tmp_path):
    text = shipped("hardware_models", "focal_plane")["wst-7mm"].read_text()
    arms = ("theta_", "phi_")
    lines = [line for line in text.splitlines() if not line.startswith(arms)]
    file = tmp_path / "discs.yaml"
    file.write_text("\n".join(lines))
    plane, _ = load_focal_plane(file)
    assert plane.arms is None
    assert plane.patrol_m.min() == pytest.approx(4.2e-3)


def test_a_plane_and_its_arms_must_fit():
    good = {
        "x_m": np.array([0.0, 1.0]),
        "y_m": np.zeros(2),
        "kind": np.zeros(2, np.int8),
        "patrol_m": np.full(2, 2.0),
        "spectrograph": np.zeros(2, np.int16),
    }

    def arms(n):
        shape = ArmShape(capsule(1.0, 0.1), capsule(1.0, 0.1))
        stops = np.tile([0.0, np.pi], (n, 1))
        one = np.ones(n)
        return Arms(one, one, np.zeros(n, np.int16), (shape,), False, one, 2 * stops, stops)

    assert FocalPlane(**good, arms=arms(2)).inner_m == pytest.approx([0.0, 0.0], abs=1e-7)
    with pytest.raises(ValueError, match="2 fibres cannot have 3 arms"):
        FocalPlane(**good, arms=arms(3))
    with pytest.raises(ValueError, match="longer than the arms"):
        FocalPlane(**{**good, "patrol_m": np.full(2, 2.1)}, arms=arms(2))
    with pytest.raises(ValueError, match="one length"):
        FocalPlane(**good, module=np.zeros(3, np.int32))
    with pytest.raises(ValueError, match="count from 0"):
        FocalPlane(**good, slit=np.array([0, -1], np.int32))


def overlap(one, other):
    """Whether two convex polygons overlap: no side of either separates them."""
    for polygon in (one, other):
        side = np.roll(polygon, -1, axis=0) - polygon
        normal = np.c_[side[:, 1], -side[:, 0]]
        a, b = one @ normal.T, other @ normal.T
        if ((a.max(axis=0) < b.min(axis=0)) | (b.max(axis=0) < a.min(axis=0))).any():
            return False
    return True


@pytest.mark.parametrize(
    ("name", "fewer"),
    [
        ("wst-2026", ["lr_fibres=600", "hr_fibres=40"]),
        ("wst-7mm", ["lr_fibres=600", "hr_fibres=40"]),
        ("desi", ["lr_fibres=500"]),
        ("pfs", ["lr_fibres=342"]),
    ],
)
def test_arms_at_home_do_not_touch(name, fewer):
    plane, _ = load_focal_plane(name, fewer)
    everyone = np.arange(plane.n_fibres)
    theta, phi = plane.arms.home()
    axes = np.c_[plane.x_m, plane.y_m]
    elbow, tip = forward(plane.arms, everyone, theta, phi)
    assert solve_pose(plane.arms, everyone, *tip.T).reached.all()
    placed = place(plane.arms, everyone, theta, phi, axes + elbow)
    pairs = cKDTree(axes).query_pairs(2.0 * plane.patrol_m.max())
    assert len(pairs) > plane.n_fibres
    for i, j in pairs:
        assert not any(overlap(p, q) for p in placed[i] for q in placed[j]), (i, j)


@pytest.mark.parametrize("name", ["wst-2026", "wst-7mm", "desi", "pfs"])
def test_folded_lr_arms_stay_within_half_a_pitch(name):
    """Whatever their theta: so an LR positioner can always be got out of the others' way."""
    plane, model = load_focal_plane(name)
    lr = np.flatnonzero(plane.kind == LR)[:1]
    ((body, arm),) = place(plane.arms, lr, np.zeros(1), np.array([np.pi]))
    assert np.hypot(*np.r_[body, arm].T).max() < 0.5 * model.pitch_m
