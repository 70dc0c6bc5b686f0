"""Scores: terms that multiply up, urgency, balance, seeing; and what the terms mean."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wstdes.config.base import PolicyRef
from wstdes.policies import make_policy
from wstdes.policies.scheduling import tile_gain
from wstdes.policies.views import SeasonPlan, SkyView, SurveyView

WIDE = SurveyView("wide", "lr", 3.0, 1.0, 1000.0, "sky", 0.0, 1e3, -0.26)
DEEP = SurveyView("deep", "lr", 5.0, 8.0, 8000.0, "sky", 0.0, 2.0, -0.26)
STARS = SurveyView("stars", "hr", 1.0, 2.0, 2000.0, "source", 1.5, 1e3, -0.2)
ALL = {
    "return_bonus": 0.5,
    "urgency": 2.0,
    "airmass": 1.0,
    "hour_angle_width": "30 deg",
    "moon": 0.5,
}
MERIT = {**ALL, "balance": 1.0}


def policy(use: str, **options: Any) -> Any:
    return make_policy("scheduling", PolicyRef.model_validate({"use": use, "options": options}))


def sky(seed: int, tiles: int = 30) -> SkyView:
    rng = np.random.default_rng(seed)
    surveys = (WIDE, DEEP, STARS)
    left = rng.integers(0, 60, (tiles, 3)).astype(np.float64)
    return SkyView(
        now_s=0.0,
        until_s=3e4,
        night=5,
        sun_altitude_rad=-0.5,
        surveys=surveys,
        tiles=np.sort(rng.choice(100, tiles, replace=False)),
        ra_rad=rng.uniform(0, 6.2, tiles),
        dec_rad=rng.uniform(-1, 0.2, tiles),
        remaining=left,
        total=left + 5.0,
        urgency=rng.choice([0.0, 1.0, 1.7], (tiles, 3)),
        altitude_rad=rng.uniform(0.6, 1.5, tiles),
        airmass=rng.uniform(1, 1.8, tiles),
        hour_angle_rad=rng.uniform(-1, 1, tiles),
        moon_separation_rad=rng.uniform(0.2, 3, tiles),
        signal=rng.uniform(0.5, 1.2, tiles),
        sky=rng.uniform(1, 3, tiles),
        visit_s=rng.uniform(900, 2000, tiles),
        open_s=rng.uniform(600, 900, tiles),
        slew_s=rng.uniform(10, 60, tiles),
        visits=rng.integers(0, 2, tiles),
        fibres={"lr": 50, "hr": 10, "ifs": 1},
        floors={"lr": 0.06, "hr": 0.5, "ifs": 0.1},
    )


def plan(view: SkyView, seed: int) -> SeasonPlan:
    rng = np.random.default_rng(seed)
    return SeasonPlan(
        0,
        {
            "pressure": rng.uniform(0.5, 2, 100),
            "price": rng.uniform(0, 3, (100, 3)),
            "hour": rng.uniform(0.1, 1, 24),
            "class": rng.integers(-1, 7, 100).astype(np.float64),
            "planned": rng.choice([0.0, 50.0], (7, 24)),
            "design_ha_rad": rng.uniform(-0.5, 0.5, 100),
        },
        {"mean hour": 0.4},
    )


@given(
    seed=st.integers(0, 10**6), use=st.sampled_from(["merit", "design-hour-angle", "look-ahead"])
)
@settings(max_examples=40)
def test_scores_are_the_products_of_their_terms_and_the_best_is_chosen(seed: int, use: str) -> None:
    view = sky(seed)
    view = replace(view, plan=plan(view, seed))
    options = MERIT if use == "merit" else ALL
    decision = policy(use, **options).choose(view)
    assert decision.score == pytest.approx(math.prod(decision.terms.values()))
    assert decision.runner_up_score == pytest.approx(math.prod(decision.runner_up_terms.values()))
    assert decision.score >= decision.runner_up_score > 0
    assert list(decision.terms) == list(decision.runner_up_terms)
    for left_out in (decision.tile, decision.runner_up):  # what is chosen without it is the next
        keep = view.tiles != left_out
        rest = _only(view, keep)
        again = policy(use, **options).choose(rest)
        assert again.tile == (decision.runner_up if left_out == decision.tile else decision.tile)


def _only(view: SkyView, keep: np.ndarray) -> SkyView:
    arrays = {name: v for name, v in vars(view).items() if isinstance(v, np.ndarray)}
    return replace(view, **{name: value[keep] for name, value in arrays.items()})


def one(**changes: Any) -> SkyView:
    base = sky(3, 2)
    same = {
        name: np.array([value[0], value[0]])
        for name, value in vars(base).items()
        if isinstance(value, np.ndarray)
    }
    same |= {"tiles": np.array([4, 9]), "urgency": np.ones((2, 3)), "visits": np.zeros(2, np.int64)}
    same |= {"remaining": np.full((2, 3), 20.0), "sky": np.full(2, 1.6), "signal": np.ones(2)}
    return replace(base, **(same | changes))


@pytest.mark.parametrize(
    ("term", "options", "changes", "factor"),
    [
        ("urgency", {"urgency": 2.0}, {"urgency": np.array([[1.0] * 3, [1.5] * 3])}, 2.25),
        ("begun", {"return_bonus": 0.5}, {"visits": np.array([0, 3])}, 1.5),
        ("airmass", {"airmass": 2.0}, {"airmass": np.array([2.0, 1.0])}, 4.0),
        ("moon", {"moon": 1.0}, {"moon_separation_rad": np.array([np.pi / 4, 2.0])}, 2.0),
        (
            "hour angle",
            {"hour_angle_width": "30 deg"},
            {"hour_angle_rad": np.array([np.pi / 6, 0.0])},
            math.exp(0.5),
        ),
    ],
)
def test_each_term_does_what_its_option_says(
    term: str, options: dict[str, Any], changes: dict[str, Any], factor: float
) -> None:
    decision = policy("merit", **options).choose(one(**changes))
    assert (decision.tile, decision.runner_up) == (9, 4)
    assert decision.terms[term] / decision.runner_up_terms[term] == pytest.approx(factor)
    assert decision.score / decision.runner_up_score == pytest.approx(factor)


def test_urgency_counts_for_the_surveys_that_have_it_and_zero_is_not_now() -> None:
    """Wide gets 20 of 50 fibres after deep's 20: gains g_wide and g_deep; only deep presses."""
    urgency = np.array([[1.0, 2.0, 0.0], [1.0, 1.0, 0.0]])
    view = one(urgency=urgency)
    alone = [
        tile_gain(replace(view, urgency=np.array([row] * 2, dtype=np.float64)))[0]
        for row in ([1.0, 0.0, 0.0], [0.0, 1.0, 0.0])
    ]
    decision = policy("merit", urgency=1.0).choose(view)
    assert tile_gain(view)[0] == pytest.approx(sum(alone))
    expected = (alone[0] + 2.0 * alone[1]) / sum(alone)
    assert decision.tile == 4
    assert decision.terms["urgency"] == pytest.approx(expected)


def test_long_exposures_are_kept_for_good_air() -> None:
    remaining = np.array([[40.0, 0.0, 0.0], [0.0, 40.0, 0.0]])  # a shallow tile and a deep one

    def ratio(signal: float) -> float:
        view = one(remaining=remaining, signal=np.full(2, signal))
        decision = policy("merit", seeing=0.5, minimum_rate=0.0).choose(view)
        of = {decision.tile: decision.terms, decision.runner_up: decision.runner_up_terms}
        return float(of[9]["seeing"] / of[4]["seeing"])

    assert ratio(1.2) > 1.0 > ratio(0.7)
    assert ratio(1.0) == pytest.approx(1.0)


def test_balance_prefers_right_ascensions_with_more_work_left() -> None:
    pressure = np.ones(100)
    pressure[9] = 3.0
    view = one(plan=SeasonPlan(0, {"pressure": pressure}))
    decision = policy("merit", balance=2.0).choose(view)
    assert decision.tile == 9
    assert decision.score / decision.runner_up_score == pytest.approx(9.0)
    assert not policy("merit").due(0, None)
    due = policy("merit", balance=1.0, replan_nights=10).due
    assert due(0, None)
    assert not due(9, SeasonPlan(0))
    assert due(10, SeasonPlan(0))


def test_a_price_makes_a_survey_worth_more_and_next_to_nothing_at_price_zero() -> None:
    remaining = np.array([[40.0, 0.0, 0.0], [0.0, 0.0, 9.0]])
    prices = np.zeros((100, 3))
    prices[9, 2] = 2.0
    numbers = {"mean hour": 0.5}
    arrays = {"price": prices, "hour": np.zeros(24), "class": np.full(100, -1.0)}
    plan = SeasonPlan(0, arrays | {"planned": np.zeros((0, 24))}, numbers)
    decision = policy("look-ahead").choose(one(remaining=remaining, plan=plan))
    assert decision.tile == 9
    assert 0.0 < decision.runner_up_score < 0.01 * decision.score
    assert decision.terms["price"] == pytest.approx(2.0)
    assert decision.terms["hour"] == pytest.approx(2.0)


def test_a_field_with_a_time_of_its_own_advances_by_that() -> None:
    """Not by the time of its survey's other fields."""
    fields = SurveyView("fields", "ifs", 1.0, 3.0, 1000.0, "source", 0.0, 1e3, -0.26)
    view = replace(
        one(open_s=np.full(2, 500.0)), surveys=(fields,), remaining=np.ones((2, 1)),
        urgency=np.ones((2, 1)),
    )  # fmt: skip
    assert tile_gain(view).tolist() == pytest.approx([1.5, 1.5])
    own = replace(view, field_s=np.array([10_000.0, np.nan]))
    assert tile_gain(own).tolist() == pytest.approx([0.15, 1.5])
