"""The law of fibres against what it stands for: places with X targets, served one a visit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from wstdes.survey.law import Law

ONE = np.array([[0, 1, 0], [0, 0, 1]])


def _serve(law: Law, left: float, total: float, capacity: float = 1e9) -> float:
    got = law.serve(ONE, np.zeros(1), np.array([left]), np.array([total]), 1000.0, capacity, 0)
    return float(got.sum())


@pytest.mark.parametrize(("mean", "chance", "clumping"), [(1.8, 0.5, 0.3), (0.3, 0.4, 0.6)])
def test_visits_are_those_of_gamma_places(mean: float, chance: float, clumping: float) -> None:
    """Visit after visit, as many are served as with drawn X, each served min(X, 1)."""
    law = Law(np.full(2, chance), np.ones(2), np.array([clumping]))
    variance = chance * mean + (clumping * mean) ** 2
    rng = np.random.default_rng(4)
    x = rng.gamma(mean**2 / variance, variance / mean, 400_000)
    left = 1000.0 * mean
    for _ in range(5):
        got = _serve(law, left, 1000.0 * mean)
        assert got / 1000.0 == pytest.approx(np.minimum(x, 1.0).mean(), abs=4e-3)
        x = np.maximum(x - 1.0, 0.0)
        left -= got


def test_without_spread_all_are_served_that_fit() -> None:
    law = Law(np.full(2, 1e-3), np.ones(2), np.zeros(1))
    assert _serve(law, 500.0, 500.0) == pytest.approx(500.0, rel=1e-3)
    assert _serve(law, 3000.0, 3000.0) == pytest.approx(1000.0, rel=1e-3)


def test_higher_priorities_take_what_they_would_alone() -> None:
    law = Law(np.full(2, 0.5), np.ones(2), np.array([0.5, 0.5]))
    zero, number = np.zeros(2), np.array([600.0, 900.0])
    groups = np.array([[0, 0, 0], [1, 0, 1]])
    both = law.serve(groups, zero, number, number, 1000.0, 800.0, 0)
    alone = law.serve(groups[:1], zero, number, number, 1000.0, 800.0, 0)
    assert both[0] == alone[0]
    assert both.sum() <= 800.0
    equal = law.serve(np.array([[0, 0, 0], [1, 0, 0]]), zero, number, number, 1000.0, 800.0, 0)
    assert equal[0] / equal[1] == pytest.approx(600.0 / 900.0)
    assert equal.sum() == pytest.approx(both.sum())


def test_a_fibre_that_hardly_is_serves_nobody() -> None:
    got = Law(clumping=np.zeros(1)).serve(ONE, np.ones(1), np.ones(1), np.ones(1), 2e-311, 1.0, 0)
    assert got.tolist() == [0.0, 0.0]


def test_the_begun_go_first() -> None:
    law = Law(np.full(2, 0.5), np.ones(2), np.zeros(1))
    got = law.serve(ONE, np.array([700.0]), np.array([800.0]), np.array([1500.0]), 1000.0, 720.0, 0)
    assert got.tolist() == pytest.approx([700.0, 20.0])


numbers: st.SearchStrategy[float] = st.floats(0.0, 2e4)


@settings(max_examples=200)
@given(
    st.lists(st.tuples(numbers, numbers, numbers), min_size=3, max_size=3),
    st.floats(0.0, 3000.0),
    st.floats(0.0, 3000.0),
    st.lists(st.floats(0.0, 2.0), min_size=4, max_size=4),
)
def test_never_more_than_there_is(
    surveys: list[tuple[float, float, float]], fibres: float, capacity: float, spread: list[float]
) -> None:
    begun, untouched, done = (np.array(column) for column in zip(*surveys, strict=True))
    law = Law(np.full(2, 1e-3 + spread[3]), np.ones(2), np.array(spread[:3]))
    order = np.array([[0, 1, 0], [1, 1, 1], [0, 0, 1], [1, 0, 2], [2, 1, 3], [2, 0, 4]])
    total: NDArray[np.float64] = begun + untouched + done
    got = law.serve(order, begun, untouched, total, fibres, capacity, 0)
    there = np.where(order[:, 1] == 1, begun[order[:, 0]], untouched[order[:, 0]])
    assert (got >= 0.0).all()
    assert (got <= there + 1e-9).all()
    assert got.sum() <= min(fibres, capacity) + 1e-6
