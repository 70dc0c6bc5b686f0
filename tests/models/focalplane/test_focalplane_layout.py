"""The hexagonal layout: exact numbers, even pitch, empty hole, evenly spread HR fibres."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial import cKDTree

from wstdes.models.focalplane import HR, LR, FocalPlane, hexagonal_layout

WST = {
    "n_lr": 30_000,
    "n_hr": 2_000,
    "pitch_m": 6.85e-3,
    "patrol_lr_m": 4.2e-3,
    "patrol_hr_m": 16.8e-3,
    "hole_radius_m": 20e-3,
    "spectrographs_lr": 60,
    "spectrographs_hr": 8,
}


def layout(**changes):
    return hexagonal_layout(**{**WST, **changes})


SHAPES = [
    {},
    {"n_lr": 1, "n_hr": 0, "spectrographs_lr": 1},
    {"n_lr": 0, "n_hr": 7, "hole_radius_m": 0.0, "spectrographs_hr": 3},
    {"n_lr": 500, "n_hr": 500, "hole_radius_m": 0.0},
    {"n_lr": 300, "n_hr": 700},
    {"n_lr": 3_001, "n_hr": 113, "hole_radius_m": 0.1},
    {"n_lr": 3_000, "n_hr": 1, "spectrographs_hr": 1},
    {"n_lr": 3_000, "n_hr": 170, "spectrographs_lr": 7},
]


@pytest.mark.parametrize("changes", SHAPES)
def test_numbers_pitch_and_hole(changes):
    plane, want = layout(**changes), {**WST, **changes}
    assert plane.n_fibres == want["n_lr"] + want["n_hr"]
    assert np.sum(plane.kind == LR) == want["n_lr"]
    assert np.sum(plane.kind == HR) == want["n_hr"]
    distance = np.hypot(plane.x_m, plane.y_m)
    assert distance.min() >= want["hole_radius_m"] * (1 - 1e-9)
    assert plane.radius_m == distance.max()
    assert plane.reach_m > plane.radius_m
    if plane.n_fibres > 1:
        nearest = cKDTree(np.c_[plane.x_m, plane.y_m]).query(np.c_[plane.x_m, plane.y_m], k=2)[0]
        assert nearest[:, 1] == pytest.approx(want["pitch_m"], rel=1e-9)
    of_kind = np.where(plane.kind == HR, want["patrol_hr_m"], want["patrol_lr_m"])
    assert (plane.patrol_m == of_kind).all()
    assert (plane.kind.dtype, plane.spectrograph.dtype) == (np.int8, np.int16)


@pytest.mark.parametrize("changes", SHAPES)
def test_no_lattice_point_is_skipped(changes):
    """Every lattice point nearer than the outermost and outside the hole is there."""
    plane, want = layout(**changes), {**WST, **changes}
    pitch = want["pitch_m"]
    axis = np.arange(-300, 301)
    a, b = np.meshgrid(axis, axis)
    square = a * a + a * b + b * b
    outermost = round((plane.radius_m / pitch) ** 2)
    inside = square >= (want["hole_radius_m"] / pitch) ** 2
    assert np.sum(inside & (square < outermost)) < plane.n_fibres
    assert np.sum(inside & (square <= outermost)) >= plane.n_fibres
    assert (np.diff(np.round((plane.x_m**2 + plane.y_m**2) / pitch**2)) >= 0).all()


def test_hr_fibres_of_wst_are_a_sublattice():
    plane = layout()
    hr = plane.kind == HR
    points = np.c_[plane.x_m, plane.y_m]
    nearest = cKDTree(points[hr]).query(points[hr], k=2)[0][:, 1]
    assert np.median(nearest) == pytest.approx(4 * WST["pitch_m"])
    assert np.mean(nearest > 3.99 * WST["pitch_m"]) > 0.97


@pytest.mark.parametrize("n_hr", [40, 170, 300, 500, 731, 1_000, 1_500, 2_200, 3_000, 4_000, 5_000])
def test_hr_coverage_is_even(n_hr):
    """In each sector and ring, the HR share of the whole; and no point far from an HR fibre."""
    plane = layout(n_lr=10_000 - n_hr, n_hr=n_hr, hole_radius_m=0.0)
    hr = plane.kind == HR
    points = np.c_[plane.x_m, plane.y_m]
    sector = ((np.arctan2(plane.y_m, plane.x_m) / (2 * np.pi) + 0.51) * 6).astype(int) % 6
    ring = np.argsort(np.argsort(np.hypot(*points.T), kind="stable")) * 4 // plane.n_fibres
    for zone in (sector, ring):
        expected = np.bincount(zone) * n_hr / plane.n_fibres
        assert np.abs(np.bincount(zone, hr) - expected).max() < 3 * np.sqrt(expected.max()) * 0.7
    # a perfect hexagonal lattice leaves holes of radius 0.62 / sqrt(density)
    spacing = WST["pitch_m"] * np.sqrt(0.75**0.5 * plane.n_fibres / n_hr)
    well_inside = np.hypot(*points.T) < plane.radius_m - spacing
    gap = cKDTree(points[hr]).query(points[well_inside])[0].max()
    assert gap < 1.3 * spacing


@pytest.mark.parametrize("changes", [{}, {"n_lr": 1_000, "n_hr": 63}])
def test_spectrographs_take_compact_patches_of_equal_size(changes):
    plane, want = layout(**changes), {**WST, **changes}
    for kind, number in ((LR, want["spectrographs_lr"]), (HR, want["spectrographs_hr"])):
        of_kind = plane.kind == kind
        size = np.bincount(plane.spectrograph[of_kind], minlength=number)
        assert len(size) == number
        assert np.ptp(size) <= 1
        area = np.pi * plane.radius_m**2 / number
        for each in range(number):
            x, y = (v[of_kind & (plane.spectrograph == each)] for v in (plane.x_m, plane.y_m))
            spread = np.hypot(x - x.mean(), y - y.mean())
            assert np.sqrt(np.mean(spread**2)) < 0.62 * np.sqrt(area)  # a square: 0.41


def test_the_same_again():
    a, b = layout(), layout()
    for name in ("x_m", "y_m", "kind", "patrol_m", "spectrograph"):
        assert getattr(a, name).tobytes() == getattr(b, name).tobytes()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"n_lr": 0, "n_hr": 0}, "at least one fibre"),
        ({"n_lr": -1}, "LR fibres must not be negative"),
        ({"n_hr": -1}, "HR fibres must not be negative"),
        ({"pitch_m": 0.0}, "pitch_m must be positive"),
        ({"pitch_m": -1.0}, "pitch_m must be positive"),
        ({"pitch_m": float("nan")}, "pitch_m must be positive"),
        ({"patrol_lr_m": -1.0}, "patrol_lr_m"),
        ({"patrol_hr_m": float("inf")}, "patrol_hr_m"),
        ({"hole_radius_m": -1.0}, "hole_radius_m"),
        ({"spectrographs_lr": 0}, "30000 LR fibres cannot feed 0"),
        ({"n_hr": 3, "spectrographs_hr": 4}, "3 HR fibres cannot feed 4"),
    ],
)
def test_nonsense_is_refused(changes, says):
    with pytest.raises(ValueError, match=says):
        layout(**changes)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("x_m", np.zeros(3), "one length"),
        ("x_m", np.array([0.0, np.nan]), "finite"),
        ("kind", np.array([0, 2], np.int8), "kind"),
        ("patrol_m", np.array([1.0, -1.0]), "patrol"),
    ],
)
def test_a_focal_plane_refuses_nonsense(name, value, says):
    good = {
        "x_m": np.array([0.0, 1.0]),
        "y_m": np.zeros(2),
        "kind": np.zeros(2, np.int8),
        "patrol_m": np.ones(2),
        "spectrograph": np.zeros(2, np.int16),
    }
    assert FocalPlane(**good).n_fibres == 2
    with pytest.raises(ValueError, match=says):
        FocalPlane(**{**good, name: value})
    with pytest.raises(ValueError, match="at least one fibre"):
        FocalPlane(**{key: array[:0] for key, array in good.items()})
