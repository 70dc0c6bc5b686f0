"""Weighted max-min fairness, by what defines it."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wstdes.models.dataflow import max_min_rates

LINKS = "abcdef"


@st.composite
def networks(draw: st.DrawFn) -> tuple[dict[str, float], list[list[str]], list[float]]:
    capacities = {k: draw(st.floats(0.1, 1e4)) for k in LINKS}
    routes = draw(
        st.lists(st.lists(st.sampled_from(LINKS), min_size=1, unique=True), min_size=1, max_size=12)
    )
    weights = [draw(st.floats(0.1, 10)) for _ in routes]
    return capacities, routes, weights


@given(network=networks())
@settings(max_examples=200)
def test_every_flow_has_a_full_link_on_which_nobody_has_more_for_his_weight(
    network: tuple[dict[str, float], list[list[str]], list[float]],
) -> None:
    """Feasible, and each flow has a bottleneck: these two are max-min fairness."""
    capacities, routes, weights = network
    rates = max_min_rates(capacities, routes, weights)
    used = {k: sum(r for r, route in zip(rates, routes, strict=True) if k in route) for k in LINKS}
    for link in LINKS:
        assert used[link] <= capacities[link] * (1 + 1e-9)
    level = [r / w for r, w in zip(rates, weights, strict=True)]
    for i, route in enumerate(routes):
        assert rates[i] > 0
        bottlenecks = [
            link
            for link in route
            if used[link] >= capacities[link] * (1 - 1e-9)
            and all(level[j] <= level[i] * (1 + 1e-9) for j, r in enumerate(routes) if link in r)
        ]
        assert bottlenecks


def test_textbook_cases() -> None:
    assert max_min_rates({"a": 10.0}, [["a"], ["a"]], [1, 1]) == [5.0, 5.0]
    assert max_min_rates({"a": 10.0}, [["a"], ["a"]], [3, 1]) == [7.5, 2.5]
    parking = max_min_rates(
        {"a": 10.0, "b": 4.0, "c": 6.0}, [["a", "b", "c"], ["a"], ["b"], ["c"]], [1, 1, 1, 1]
    )
    assert parking == pytest.approx([2.0, 8.0, 2.0, 4.0])


def test_a_flow_over_no_link_has_no_limit_and_a_dead_link_gives_nothing() -> None:
    assert max_min_rates({"a": 10.0}, [[], ["a"]], [1, 1]) == [math.inf, 10.0]
    assert max_min_rates({"a": 0.0, "b": 4.0}, [["a", "b"], ["b"]], [1, 1]) == [0.0, 4.0]
    assert max_min_rates({"a": 1.0}, [], []) == []


def test_the_capacities_that_were_given_stay_as_they_are() -> None:
    capacities = {"a": 10.0}
    max_min_rates(capacities, [["a"]], [1])
    assert capacities == {"a": 10.0}
