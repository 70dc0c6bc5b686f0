"""Random numbers by name: independent of order, of other agents, and the same on every machine."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wstdes.kernel import Streams

GOLDEN = (0.449320523864541, 0.4970285063997625, 0.45919205289965714)


def test_a_path_gives_the_same_numbers_again_from_the_beginning() -> None:
    streams = Streams(1)
    first = streams("weather", "seeing", 3).random(50)
    streams("weather", "wind", 3).random(1000)
    assert np.array_equal(first, streams("weather", "seeing", 3).random(50))
    assert np.array_equal(first, Streams(1)("weather", "seeing", 3).random(50))


def test_the_numbers_of_some_paths_are_these_for_ever() -> None:
    golden = {
        (0, "a", "b", 0): GOLDEN[0],
        (20410301, "weather", "innovations", 17): GOLDEN[1],
        (2**63 - 1, "Ångström", "", -1): GOLDEN[2],
    }
    for (seed, agent, purpose, index), value in golden.items():
        assert Streams(seed)(agent, purpose, index).random() == value


TEXT = st.text(max_size=8)
PATH = st.tuples(st.integers(0, 2**63 - 1), TEXT, TEXT, st.integers(0, 10**6))


@given(a=PATH, b=PATH)
@settings(max_examples=40)
def test_different_paths_give_different_numbers(
    a: tuple[int, str, str, int], b: tuple[int, str, str, int]
) -> None:
    same = Streams(a[0])(*a[1:]).random(2).tolist() == Streams(b[0])(*b[1:]).random(2).tolist()
    assert same == (a == b)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (("weather", "a", 1), ("weather", "a1", 0)),
        (("ab", "c", 0), ("a", "bc", 0)),
        (("a/1:b", "c", 0), ("a", "b/1:c", 0)),
        (("a", "b", 11), ("a", "b1", 1)),
    ],
)
def test_paths_that_look_alike_are_different(
    a: tuple[str, str, int], b: tuple[str, str, int]
) -> None:
    assert Streams(1)(*a).random() != Streams(1)(*b).random()


def test_streams_of_neighbouring_nights_and_seeds_are_uncorrelated() -> None:
    n = 20000
    draws = [Streams(5)("weather", "x", i).standard_normal(n) for i in range(4)]
    draws += [Streams(6)("weather", "x", 0).standard_normal(n)]
    correlation = np.corrcoef(draws) - np.eye(5)
    assert np.abs(correlation).max() < 5 / np.sqrt(n)


def test_draws_are_uniform() -> None:
    x = np.array([Streams(3)("a", "b", i).random() for i in range(4000)])
    assert abs(x.mean() - 0.5) < 5 / np.sqrt(12 * 4000)
    assert np.histogram(x, 10, (0, 1))[0].min() > 300
