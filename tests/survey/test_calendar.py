"""Nights without science."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from pydantic import ValidationError

from wstdes.config.operations import Closure, Operations
from wstdes.survey.calendar import closed_nights, full_moons

START = dt.date(2041, 3, 1)
YEAR = np.full(365, 2.0)


def closure(**keys: object) -> Closure:
    return Closure.model_validate({"title": "t", "nights": 3, **keys})


def test_a_shutdown_every_year_takes_its_nights_in_each() -> None:
    closed = closed_nights({"summer": closure(yearly="07-10")}, START, np.full(800, 2.0))
    days = [START + dt.timedelta(days=i) for i, name in enumerate(closed) if name == "summer"]
    assert days == [dt.date(y, 7, d) for y in (2041, 2042) for d in (10, 11, 12)]


def test_one_that_began_before_the_run_reaches_into_it() -> None:
    closed = closed_nights({"winter": closure(yearly="02-28")}, START, YEAR)
    assert closed[:3] == ["winter", "winter", ""]
    assert closed[364] == "winter"  # 28 February of the next year


def test_once_and_every_so_often() -> None:
    coating = closure(first="2041-03-11", every="100 d")
    closed = closed_nights({"coating": coating}, START, YEAR)
    assert np.flatnonzero(np.array(closed) != "").tolist() == [
        k + d for k in (10, 110, 210, 310) for d in range(3)
    ]
    once = closed_nights({"coating": closure(first="2041-03-11")}, START, YEAR)
    assert [i for i, name in enumerate(once) if name] == [10, 11, 12]


def test_the_first_that_claims_a_night_has_it() -> None:
    both = {"a": closure(first="2041-03-02"), "b": closure(first="2041-03-03")}
    assert closed_nights(both, START, YEAR)[:6] == ["", "a", "a", "a", "b", ""]


def test_engineering_lies_about_full_moon() -> None:
    night = np.arange(120)
    phase = np.abs(np.mod(night - 20.3 + 14.765, 29.53) - 14.765) * 2.0 * np.pi / 29.53
    moons = full_moons(phase)
    assert moons.tolist() == [20, 50, 79, 109]
    closed = closed_nights({"engineering": closure(full_moon=True)}, START, phase)
    assert [i for i, name in enumerate(closed) if name][:6] == [19, 20, 21, 49, 50, 51]


@pytest.mark.parametrize(
    "keys",
    [
        {},
        {"yearly": "07-10", "full_moon": True},
        {"yearly": "7-10"},
        {"yearly": "13-01"},
        {"full_moon": True, "every": "30 d"},
        {"first": "2041-03-11", "every": "2 d"},
    ],
)
def test_a_closure_without_a_clear_rule_is_refused(keys: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        closure(**keys)


def test_focus_longer_than_its_interval_is_refused() -> None:
    with pytest.raises(ValidationError):
        Operations.model_validate({"focus_interval": "2 min", "focus": "3 min"})
