"""Blank sky: reachable, clear of every target, found wherever a place of those tried is."""

from __future__ import annotations

import numpy as np
import pytest

from wstdes.field.blank import CLEAR_M, blank_sky
from wstdes.models.focalplane import load_focal_plane, solve_pose


@pytest.mark.parametrize("per_fibre", [0.0, 2.0, 30.0, 300.0])
def test_blank_sky_is_reached_and_clear_of_all_targets(per_fibre: float) -> None:
    plane, _ = load_focal_plane("wst-7mm", ("lr_fibres=300", "hr_fibres=30"))
    rng = np.random.default_rng(11)
    n = int(per_fibre * plane.n_fibres)
    x, y = rng.uniform(-1.1, 1.1, (2, n)) * plane.reach_m
    usable = rng.random(plane.n_fibres) > 0.1
    fibre, bx, by = blank_sky(plane, usable, x, y)
    assert usable[fibre].all()
    assert (np.diff(fibre) > 0).all()
    dx, dy = bx - plane.x_m[fibre], by - plane.y_m[fibre]
    assert solve_pose(plane.arms, fibre, dx, dy).reached.all()
    if n:
        apart = np.hypot(bx[:, None] - x, by[:, None] - y).min(axis=1)
        assert (apart >= CLEAR_M).all()
    share = len(fibre) / usable.sum()
    assert share == 1.0 if per_fibre <= 2.0 else share > 0.2
    assert share < 1.0 or per_fibre < 300.0
    # those that have none have a target near all of the places they could have had
    without = np.setdiff1d(np.flatnonzero(usable), fibre)
    for f in without:
        near = np.hypot(x - plane.x_m[f], y - plane.y_m[f])
        assert near.min() < 2.0 * np.sqrt(2.0) * CLEAR_M


def test_a_place_is_at_home_where_that_is_free() -> None:
    plane, _ = load_focal_plane("wst-7mm", ("lr_fibres=300", "hr_fibres=30"))
    usable = np.ones(plane.n_fibres, dtype=bool)
    f = 17
    fibre, bx, by = blank_sky(plane, usable, plane.x_m[[f]], plane.y_m[[f]])
    moved = np.hypot(bx - plane.x_m[fibre], by - plane.y_m[fibre]) > 1e-6 + plane.inner_m[fibre]
    assert np.flatnonzero(moved).tolist() == [f]
