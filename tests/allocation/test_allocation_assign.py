"""Whole configurations: the rules, the optimum, and what is refused."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ortools.graph.python import min_cost_flow

from wstdes.allocation import FibreUse, assign, kernels_cached, warm_up
from wstdes.models.focalplane import HR, LR, FocalPlane, hexagonal_layout


def plane_of(n_lr=40, n_hr=8, patrol_lr_m=0.62, patrol_hr_m=2.4, spectrographs_lr=4):
    return hexagonal_layout(
        n_lr=n_lr,
        n_hr=n_hr,
        pitch_m=1.0,
        patrol_lr_m=patrol_lr_m,
        patrol_hr_m=patrol_hr_m,
        hole_radius_m=0.5,
        spectrographs_lr=spectrographs_lr,
        spectrographs_hr=2,
    )


def check_rules(plane, usable, x, y, kind, standard, sky, standards, done):
    """What holds for every assignment, whatever its worth."""
    got = np.flatnonzero(done.fibre_of_target >= 0)
    fibre = done.fibre_of_target[got]
    assert len(np.unique(fibre)) == len(fibre)
    assert (done.target_of_fibre[fibre] == got).all()
    assert np.sum(done.target_of_fibre >= 0) == len(got)
    assert usable[fibre].all()
    assert (plane.kind[fibre] == kind[got]).all()
    distance = np.hypot(plane.x_m[fibre] - x[got], plane.y_m[fibre] - y[got])
    assert (distance <= plane.patrol_m[fibre] * (1 + 1e-12)).all()

    assert np.isin(done.use, [use.value for use in FibreUse]).all()
    assert ((done.use == FibreUse.BROKEN) == ~usable).all()
    wanted = np.where(standard[got], FibreUse.STANDARD, FibreUse.SCIENCE)
    assert (done.use[fibre] == wanted).all()
    on_target = np.isin(done.use, [FibreUse.SCIENCE, FibreUse.STANDARD])
    assert (on_target == (done.target_of_fibre >= 0)).all()
    for which in (LR, HR):
        counts = done.counts(which)
        ready = int(np.sum(usable & (plane.kind == which)))
        assert set(counts) == set(FibreUse)
        assert sum(counts.values()) == np.sum(plane.kind == which)
        assert counts[FibreUse.SKY] == min(sky[which], ready)
        assert counts[FibreUse.STANDARD] <= standards[which]


def flow_optimum(plane, usable, x, y, kind, worth, standard, sky, standards):
    """Greatest worth by minimum-cost flow: a node for the limit, and one for the standards."""
    t, n = len(x), plane.n_fibres
    limit = [max(int(np.sum(usable & (plane.kind == k))) - sky[k], 0) for k in (LR, HR)]
    flow = min_cost_flow.SimpleMinCostFlow()
    add = flow.add_arc_with_capacity_and_unit_cost
    for k in (LR, HR):
        add(0, 2 + k, limit[k], 0)
        add(2 + k, 4 + k, standards[k], 0)
    for i in range(t):
        add((4 if standard[i] else 2) + int(kind[i]), 6 + i, 1, -int(worth[i]))
        square = (plane.x_m - x[i]) ** 2 + (plane.y_m - y[i]) ** 2
        for f in np.flatnonzero(usable & (plane.kind == kind[i]) & (square <= plane.patrol_m**2)):
            add(6 + i, 6 + t + int(f), 1, 0)
    for f in range(n):
        add(6 + t + f, 1, 1, 0)
    add(0, 1, sum(limit), 0)
    flow.set_node_supply(0, sum(limit))
    flow.set_node_supply(1, -sum(limit))
    assert flow.solve() == flow.OPTIMAL
    return -flow.optimal_cost()


@settings(max_examples=150, derandomize=True)
@given(
    seed=st.integers(0, 2**32 - 1),
    t=st.integers(0, 90),
    spread=st.sampled_from([0.0, 1.0, 4.5]),
    broken=st.sampled_from([0.0, 0.2, 0.9]),
    sky=st.tuples(st.integers(0, 45), st.integers(0, 9)),
    standards=st.tuples(st.integers(0, 6), st.integers(0, 4)),
)
def test_no_assignment_is_better(seed, t, spread, broken, sky, standards):
    """Standards worth falling powers of two, each above all science together: first in order."""
    rng = np.random.default_rng(seed)
    plane = plane_of()
    usable = rng.random(plane.n_fibres) >= broken
    x, y = rng.normal(0.0, 1.0, (2, t)) * spread + 1.0
    kind = (rng.random(t) < 0.4).astype(np.int8)
    priority = rng.integers(0, 7, t).astype(np.float64)
    standard = np.zeros(t, dtype=np.bool_)
    standard[rng.permutation(t)[: min(t, 12)]] = True
    done = assign(plane, usable, x, y, kind, priority, standard, sky=sky, standards=standards)
    check_rules(plane, usable, x, y, kind, standard, sky, standards, done)

    worth = priority.astype(np.int64)
    rank = np.cumsum(standard[::-1])[::-1]
    worth[standard] = 1024 * 2 ** rank[standard]
    assert worth[~standard].sum() < 1024
    best = flow_optimum(plane, usable, x, y, kind, worth, standard, sky, standards)
    assert worth[done.fibre_of_target >= 0].sum() == best


def test_wst_size():
    plane = hexagonal_layout(
        n_lr=30_000,
        n_hr=2_000,
        pitch_m=6.85e-3,
        patrol_lr_m=4.2e-3,
        patrol_hr_m=16.8e-3,
        hole_radius_m=20e-3,
        spectrographs_lr=60,
        spectrographs_hr=8,
    )
    rng = np.random.default_rng(12)
    t = 64_000
    radius, angle = plane.radius_m * np.sqrt(rng.random(t)), 2 * np.pi * rng.random(t)
    x, y = radius * np.cos(angle), radius * np.sin(angle)
    kind = (rng.random(t) < 1 / 16).astype(np.int8)
    priority, standard = rng.integers(1, 6, t).astype(float), rng.random(t) < 0.03
    usable = rng.random(plane.n_fibres) < 0.98
    sky, standards = (1_500, 100), (300, 20)
    everything = (plane, usable, x, y, kind, priority, standard)
    done = assign(*everything, sky=sky, standards=standards)
    check_rules(plane, usable, x, y, kind, standard, sky, standards, done)
    assert done.counts(LR)[FibreUse.STANDARD] == 300
    assert done.counts(LR)[FibreUse.SCIENCE] > 25_000
    again = assign(*everything, sky=sky, standards=standards)
    assert (again.use == done.use).all()
    assert (again.fibre_of_target == done.fibre_of_target).all()


def none():
    return np.empty(0)


def test_no_targets():
    plane = plane_of()
    usable = np.ones(48, dtype=np.bool_)
    done = assign(plane, usable, none(), none(), [], none(), [], sky=(5, 1), standards=(3, 1))
    assert done.fibre_of_target.shape == (0,)
    assert done.counts(LR)[FibreUse.SKY] == 5
    assert done.counts(LR)[FibreUse.UNASSIGNED] == 35
    assert done.counts(HR)[FibreUse.UNASSIGNED] == 7


def test_all_fibres_broken():
    plane = plane_of()
    done = assign(
        plane, np.zeros(48, bool), [0.0], [0.9], [LR], [1.0], [True], sky=(5, 1), standards=(3, 1)
    )
    assert done.fibre_of_target.tolist() == [-1]
    assert done.counts(LR)[FibreUse.BROKEN] == 40
    assert done.counts(HR)[FibreUse.BROKEN] == 8


def test_all_targets_on_one_spot():
    """Three fibres reach the spot; the two most important targets and the standard get them."""
    x = np.array([0.0, 1.0, 0.5])
    y = np.array([0.0, 0.0, 0.8])
    plane = FocalPlane(x, y, np.zeros(3, np.int8), np.ones(3), np.zeros(3, np.int16))
    t = 1000
    priority = np.arange(t, dtype=float) % 500
    standard = np.arange(t) == 7
    spot = np.full(t, 0.5), np.full(t, 0.3), np.zeros(t, np.int8)
    done = assign(plane, [True] * 3, *spot, priority, standard, sky=(0, 0), standards=(1, 0))
    assert np.flatnonzero(done.fibre_of_target >= 0).tolist() == [7, 499, 999]


def test_equal_priorities_are_served_in_the_order_given():
    plane = FocalPlane(*np.zeros((2, 1)), np.zeros(1, np.int8), np.ones(1), np.zeros(1, np.int16))
    t = 50
    done = assign(
        plane,
        [True],
        np.linspace(0.9, 0, t),
        np.zeros(t),
        np.zeros(t, np.int8),
        np.ones(t),
        np.zeros(t, bool),
        sky=(0, 0),
        standards=(0, 0),
    )
    assert np.flatnonzero(done.fibre_of_target >= 0).tolist() == [0]


def test_standards_beyond_the_quota_are_not_observed_as_science():
    plane = plane_of()
    at = plane.x_m[plane.kind == LR][:10], plane.y_m[plane.kind == LR][:10]
    done = assign(
        plane,
        np.ones(48, bool),
        *at,
        np.zeros(10, np.int8),
        np.ones(10),
        np.ones(10, bool),
        sky=(0, 0),
        standards=(4, 0),
    )
    assert np.flatnonzero(done.fibre_of_target >= 0).tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("quota", [4, 7, 20, 39, 40, 100])
def test_sky_is_spread_over_spectrographs(quota):
    plane = plane_of()
    done = assign(plane, np.ones(48, bool), [], [], [], [], [], sky=(quota, 0), standards=(0, 0))
    sky = (done.use == FibreUse.SKY) & (plane.kind == LR)
    share = np.bincount(plane.spectrograph[sky], minlength=4)
    assert share.sum() == min(quota, 40)
    assert np.ptp(share) <= 1


def test_sky_is_spread_over_the_patch_of_a_spectrograph():
    """Not the innermost fibres: their mean distance is that of the whole patch."""
    plane = plane_of(n_lr=4000, n_hr=100, spectrographs_lr=5)
    done = assign(plane, np.ones(4100, bool), [], [], [], [], [], sky=(400, 0), standards=(0, 0))
    distance = np.hypot(plane.x_m, plane.y_m)
    for number in range(5):
        patch = (plane.kind == LR) & (plane.spectrograph == number)
        sky = patch & (done.use == FibreUse.SKY)
        assert np.sum(sky) == 80
        assert distance[sky].mean() == pytest.approx(distance[patch].mean(), rel=0.03)


GOOD = {
    "usable": [True] * 48,
    "x_m": [0.0, 1.0],
    "y_m": [0.0, 1.0],
    "kind": [LR, HR],
    "priority": [1.0, 2.0],
    "is_standard": [False, True],
    "sky": (1, 1),
    "standards": (1, 1),
}


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("x_m", [0.0, np.nan], "x_m of target 1 is nan"),
        ("y_m", [np.inf, 0.0], "y_m of target 0 is inf"),
        ("priority", [np.nan, 1.0], "priority of target 0 is nan"),
        ("priority", [1.0, -2.0], "priority of target 1 is negative: -2.0"),
        ("kind", [0, 2], "kind of target 1 is 2"),
        ("kind", [0.5, 1], "kind of target 0 is 0.5"),
        ("x_m", [0.0], "vectors of one length"),
        ("is_standard", [[True, False]], "vectors of one length"),
        ("is_standard", [0.0, 1.0], "is_standard must be boolean"),
        ("usable", [True] * 47, r"usable must be bool\[48\]"),
        ("usable", [1] * 48, r"usable must be bool\[48\], not int64"),
        ("sky", (1, -1), "sky must be two whole numbers"),
        ("sky", (1.5, 1), "sky must be two whole numbers"),
        ("standards", (1, 2, 3), "standards must be two whole numbers"),
    ],
)
def test_nonsense_is_refused(name, value, says):
    assign(plane_of(), **GOOD)
    with pytest.raises(ValueError, match=says):
        assign(plane_of(), **{**GOOD, name: value})


def test_read_only_and_strided_input_gives_the_same():
    plane = plane_of()
    rng = np.random.default_rng(3)
    xy = rng.normal(0, 3, (60, 2))
    kind = (np.arange(60) % 5 == 0).astype(np.int8)
    rest = (kind, np.ones(60), np.zeros(60, bool))
    quotas = {"sky": (2, 1), "standards": (0, 0)}
    xy.flags.writeable = False
    a = assign(plane, np.ones(48, bool), xy[:, 0], xy[:, 1], *rest, **quotas)
    b = assign(plane, np.ones(48, bool), *xy.T.copy(), *rest, **quotas)
    assert (a.use == b.use).all()
    assert (a.fibre_of_target == b.fibre_of_target).all()


def test_kernels_are_found_on_disk_after_a_warm_up(tmp_path):
    """Two processes with an empty cache: the first compiles, the second does not."""
    code = "from wstdes.allocation import *; print(kernels_cached()); warm_up()"
    said = [
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for _ in range(2)
    ]
    assert said == ["False", "True"]
    warm_up()
    assert kernels_cached()
