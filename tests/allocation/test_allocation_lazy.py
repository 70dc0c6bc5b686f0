"""Straight from positions: the same worth as on a ready graph, in whatever rounds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wstdes.allocation import build_candidates, lazy, match_in_order
from wstdes.allocation.lazy import match_positions
from wstdes.allocation.order import falling_order


def positions(seed, n, load, clustered, two):
    rng = np.random.default_rng(seed)
    t = int(n * load)
    fx, fy = rng.random((2, n)) * np.sqrt(n)
    x, y = rng.random((2, t)) * (np.sqrt(n) + 4.0) - 2.0
    if clustered:
        x, y = rng.normal(0.5 * np.sqrt(n), 0.2 * np.sqrt(n) + 0.1, (2, t))
    fk, tk = rng.integers(0, 1 + two, n), rng.integers(0, 1 + two, t)
    patrol = np.where(fk == 1, 2.0, 1.2) * rng.choice([1.0, 0.7], n)
    inner = np.where(rng.random(n) < 0.3, 0.4, 0.0)
    return (fx, fy, fk, patrol, rng.random(n) < 0.9, x, y, tk), inner


def ready_graph(fibres_and_targets, inner, weight, capacity):
    """The same by a list of all edges."""
    start, fibre = build_candidates(*fibres_and_targets, inner)
    kind = fibres_and_targets[-1]
    order = np.argsort(-weight, kind="stable")
    lists = [fibre[start[i] : start[i + 1]] for i in order]
    start = np.concatenate([[0], np.cumsum([len(row) for row in lists])]).astype(np.int64)
    flat = np.concatenate([*lists, np.empty(0)]).astype(np.int32)
    got = match_in_order(start, flat, len(inner), kind[order], capacity)
    return weight[order][got >= 0].sum()


@settings(max_examples=200, derandomize=True)
@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(1, 120),
    load=st.sampled_from([0.5, 2.0, 10.0]),
    clustered=st.booleans(),
    two=st.booleans(),
    levels=st.sampled_from([0, 1, 9]),
    round_size=st.sampled_from([1, 7, 60]),
    limit=st.sampled_from([3, 10**6]),
)
def test_worth_equals_that_of_the_ready_graph(
    seed, n, load, clustered, two, levels, round_size, limit
):
    everything, inner = positions(seed, n, load, clustered, two)
    rng = np.random.default_rng(seed)
    t = len(everything[5])
    weight = rng.random(t) if levels == 0 else rng.integers(0, levels + 1, t).astype(float)
    with pytest.MonkeyPatch.context() as patch:  # small fields need small rounds
        patch.setattr(lazy, "_SAMPLE", 10)
        patch.setattr(lazy._Search, "_size", lambda self: round_size)
        got = match_positions(*everything, weight, capacity=[limit, limit], inner_m=inner)
    has = np.flatnonzero(got >= 0)
    assert len(np.unique(got[has])) == len(has)
    assert everything[4][got[has]].all()
    start, fibre = build_candidates(*everything, inner)
    for target in has:
        assert got[target] in fibre[start[target] : start[target + 1]]
    expected = ready_graph(everything, inner, weight, [limit, limit])
    assert weight[has].sum() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("weights", ["float", "same", "few"])
def test_many_targets_in_several_rounds(weights):
    everything, inner = positions(3, 3000, 60.0, True, True)
    rng = np.random.default_rng(0)
    t = len(everything[5])
    weight = {"float": rng.random(t), "same": np.ones(t), "few": rng.integers(0, 5, t) * 1.0}
    got = match_positions(*everything, weight[weights], inner_m=inner)
    expected = ready_graph(everything, inner, weight[weights], [10**6, 10**6])
    assert weight[weights][got >= 0].sum() == pytest.approx(expected, rel=1e-12)


def test_a_million_duplicates_on_one_spot():
    n = 1000
    x, y = np.divmod(np.arange(n), 32.0)
    t = 1_000_000
    spot = (np.full(t, 16.2), np.full(t, 16.2), np.zeros(t, np.int8))
    weight = np.arange(t) % 7 * 1.0
    got = match_positions(x, y, np.zeros(n), np.full(n, 1.2), np.ones(n, bool), *spot, weight)
    assert weight[got >= 0].tolist() == [6.0, 6.0, 6.0, 6.0]


def test_what_is_nowhere_or_worth_nonsense():
    fibre = ([0.0], [0.0], [0], [1.0], [True])
    far = np.array([np.nan, np.inf, 1e300, 0.5])
    got = match_positions(*fibre, far, np.zeros(4), np.zeros(4), np.array([9.0, 8.0, 7.0, 1.0]))
    assert got.tolist() == [-1, -1, -1, 0]
    assert match_positions(*fibre, [], [], [], []).tolist() == []
    for bad in (np.nan, -1.0, np.inf):
        with pytest.raises(ValueError, match="weight of target 1 is"):
            match_positions(*fibre, [0.0, 0.0], [0.0, 0.0], [0, 0], [1.0, bad])
    with pytest.raises(ValueError, match="one length"):
        match_positions(*fibre, [0.0], [0.0], [0], [1.0, 1.0])


@settings(max_examples=100, derandomize=True)
@given(
    seed=st.integers(0, 2**32 - 1), t=st.integers(0, 300), scale=st.sampled_from([1, 1e-300, 1e9])
)
def test_falling_order_is_a_stable_sort(seed, t, scale):
    rng = np.random.default_rng(seed)
    weight = rng.choice([0.0, -0.0, 1.0, 2.5, rng.random(), rng.random()], t) * scale
    assert falling_order(weight).tolist() == np.argsort(-weight, kind="stable").tolist()
