"""Which tiles can be observed now: compiled passes against the sentences they compile."""

from __future__ import annotations

import numpy as np
import pytest

from wstdes.survey.lengths import candidates, observable


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(5)


def test_a_visit_stays_above_the_lowest_altitude_and_off_the_zenith(
    rng: np.random.Generator,
) -> None:
    tiles = np.sort(rng.choice(500, 300, replace=False))
    low, high = rng.uniform(-1.0, 2.0, 500), rng.uniform(-1.0, 0.3, 500)
    begin, turn = rng.uniform(-2.0, 2.0, 300), rng.uniform(0.0, 0.5, 300)
    exposures = rng.integers(0, 3, 300)
    end = begin + turn
    above = (begin >= -low[tiles]) & (end <= low[tiles])
    crosses = (high[tiles] > 0.0) & (begin < high[tiles]) & (end > -high[tiles])
    expected = np.flatnonzero((exposures > 0) & above & ~crosses)
    assert 0 < len(expected) < 300
    assert observable(tiles, exposures, begin, turn, low, high).tolist() == expected.tolist()


def test_candidates_are_up_and_have_something_left(rng: np.random.Generator) -> None:
    sine = rng.uniform(-1.0, 1.0, 200)
    left = np.where(rng.random((200, 3)) < 0.3, rng.random((200, 3)), 0.0)
    expected = np.flatnonzero((sine >= 0.5) & (sine <= 0.9) & (left > 0.0).any(axis=1))
    assert candidates(sine, 0.5, 0.9, left).tolist() == expected.tolist()


def test_what_never_sets_may_pass_below_the_pole() -> None:
    one = np.ones(1, dtype=np.int64)
    turn, never = np.array([0.4]), np.array([-1.0])
    for low, up in ((np.pi, [0]), (2.9, [])):
        found = observable(0 * one, one, np.array([2.8]), turn, np.array([low]), never)
        assert found.tolist() == up
