"""Candidate lists against every pair of fibre and target, tried one by one."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wstdes.allocation import build_candidates
from wstdes.jit import plain


def brute_force(fx, fy, fk, patrol, usable, tx, ty, tk):
    lists = []
    for x, y, k in zip(tx, ty, tk, strict=True):
        square = (x - fx) ** 2 + (y - fy) ** 2
        reach = np.flatnonzero(usable & (fk == k) & (square <= patrol * patrol))
        lists.append(reach[np.lexsort((reach, square[reach]))].tolist())
    return lists


def as_lists(start, fibre):
    return [fibre[a:b].tolist() for a, b in pairwise(start)]


@settings(max_examples=200, derandomize=True)
@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(1, 60),
    t=st.integers(0, 60),
    patrol=st.sampled_from([0.0, 1e-9, 0.05, 0.3, 1.0, 5.0]),
    ratio=st.sampled_from([1.0, 4.0, 0.1]),
    lattice=st.booleans(),
)
def test_lists_equal_brute_force(seed, n, t, patrol, ratio, lattice):
    rng = np.random.default_rng(seed)
    fx, fy = rng.uniform(-1, 1, (2, n))
    tx, ty = rng.uniform(-1.5, 1.5, (2, t))
    if lattice:  # points on a coarse lattice meet patrol edges, cell edges and equal distances
        fx, fy, tx, ty = (np.round(v * 4) / 4 for v in (fx, fy, tx, ty))
    fk, tk = rng.integers(0, 2, n), rng.integers(0, 2, t)
    radius = patrol * np.where(fk == 1, ratio, 1.0) * rng.choice([1.0, 0.5], n)
    usable = rng.random(n) < 0.8
    everything = (fx, fy, fk, radius, usable, tx, ty, tk)
    start, fibre = build_candidates(*everything)
    assert start.dtype == np.int64
    assert fibre.dtype == np.int32
    assert start[0] == 0
    assert start[-1] == len(fibre)
    assert as_lists(start, fibre) == brute_force(*everything)


def test_far_away_targets_have_no_candidates():
    far = [1e300, -1e300, 1e18, -5.0, 7.0]
    start, fibre = build_candidates([0.0], [0.0], [0], [1.0], [True], far, [0.0] * 5, [0] * 5)
    assert start.tolist() == [0] * 6
    assert len(fibre) == 0


def test_a_target_at_the_patrol_radius_is_reached():
    start, fibre = build_candidates(
        [0.0, 2.0], [0.0, 0.0], [0, 0], [1.0, 1.0], [True, True], [1.0], [0.0], [0]
    )
    assert as_lists(start, fibre) == [[0, 1]]


def test_no_usable_fibres():
    start, fibre = build_candidates([0.0], [0.0], [0], [1.0], [False], [0.0], [0.0], [0])
    assert as_lists(start, fibre) == [[]]


def test_tiny_patrol_areas_do_not_make_a_huge_grid():
    x = np.linspace(-1.0, 1.0, 1000)
    start, fibre = build_candidates(
        x, 0 * x, np.zeros(1000), np.full(1000, 1e-12), x < 9, x, 0 * x, np.zeros(1000)
    )
    assert fibre.tolist() == list(range(1000))
    assert start.tolist() == list(range(1001))


@pytest.mark.parametrize("spoil", ["strided", "read-only", "narrow"])
def test_plain_makes_one_type_for_the_compiler(spoil):
    values = np.arange(10.0)
    given_values = {
        "strided": np.repeat(values, 2)[::2],
        "read-only": np.frombuffer(values.tobytes()),
        "narrow": values.astype(np.float32),
    }[spoil]
    made = plain(given_values, np.float64)
    assert made.flags.c_contiguous
    assert made.flags.writeable
    assert made.dtype == np.float64
    assert made.tolist() == values.tolist()
