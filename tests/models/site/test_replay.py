"""Measured weather over the nights of a run: the right night, its values, its gaps."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from wstdes.config.hardware import Site
from wstdes.config.part import load_hardware
from wstdes.models.site import Replay, Series, climate

NOON = 17 * 3600.0
STEP = 900.0
EPOCH = dt.date(1970, 1, 1)
Array = NDArray[np.float64]


def noon(date: dt.date) -> float:
    return (date - EPOCH).days * 86400.0 + NOON


def nightly(first: dt.date, nights: int) -> Replay:
    """A series whose seeing says which night it was."""
    days = np.arange(nights)
    times = noon(first) + 86400.0 * days + 40000.0
    seeing = np.array([(first + dt.timedelta(days=int(d))).toordinal() for d in days], dtype=float)
    series = Series({"seeing": (times, seeing)})
    return Replay(series, dt.date(2041, 3, 1), NOON, STEP, 3600.0)


def served(replay: Replay, day: int) -> dt.date | None:
    values = replay.day(day)["seeing"]
    found = values[np.isfinite(values)]
    return dt.date.fromordinal(int(found[0])) if len(found) else None


def test_years_follow_each_other_and_begin_again() -> None:
    replay = nightly(dt.date(1996, 1, 1), 3653)  # to 2005
    assert served(replay, 0) == dt.date(1996, 3, 1)
    assert served(replay, 305) == dt.date(1996, 12, 31)
    assert served(replay, 306) == dt.date(1997, 1, 1)
    assert served(replay, 365 * 5 + 1) == dt.date(2001, 3, 1)
    ten_years = (dt.date(2051, 3, 1) - dt.date(2041, 3, 1)).days
    assert served(replay, ten_years) == dt.date(1996, 3, 1)


@given(first=st.dates(dt.date(1990, 1, 1), dt.date(2020, 1, 1)), nights=st.integers(1, 1500),
       day=st.integers(0, 4000))  # fmt: skip
def test_a_measured_night_serves_its_own_date_of_the_year(
    first: dt.date, nights: int, day: int
) -> None:
    replay = nightly(first, nights)
    wanted = replay.start + dt.timedelta(days=day)
    night = served(replay, day)
    if night is not None:
        assert (night.month, min(night.day, 28)) == (wanted.month, min(wanted.day, 28))
    elif (wanted.month, wanted.day) != (2, 29):
        last = first + dt.timedelta(days=nights - 1)
        same = [wanted.replace(year=y) for y in range(first.year, last.year + 1)]
        assert not any(first <= d <= last for d in same)


def test_in_order_and_by_the_very_date() -> None:
    replay = replace(nightly(dt.date(2019, 6, 1), 10), match="order")
    assert [served(replay, d) for d in (0, 9, 10)] == [
        dt.date(2019, 6, 1),
        dt.date(2019, 6, 10),
        dt.date(2019, 6, 1),
    ]
    once = replace(replay, repeat=False)
    assert not once.ends_before(10)
    assert once.ends_before(11)
    dated = replace(nightly(dt.date(2041, 2, 20), 30), match="date")
    assert served(dated, 3) == dt.date(2041, 3, 4)
    assert not dated.ends_before(21)
    assert dated.ends_before(22)
    assert replace(nightly(dt.date(2019, 6, 1), 10), match="date").never_serves(100)


def test_steps_are_means_gaps_are_bridged_only_when_short() -> None:
    first = noon(dt.date(2041, 3, 1))
    times = first + np.array([0.0, 300.0, 600.0, 3000.0, 20000.0])
    values = np.array([1.0, 2.0, 6.0, 9.0, 5.0])
    replay = Replay(Series({"wind": (times, values)}), dt.date(2041, 3, 1), NOON, STEP, 3600.0)
    wind = replay.day(0)["wind"]
    assert wind[0] == pytest.approx(3.0)
    assert wind[1] == pytest.approx(np.interp(1350.0, [600.0, 3000.0], [6.0, 9.0]))
    assert wind[3] == 9.0
    assert np.isnan(wind[4:22]).all()
    assert wind[22] == 5.0
    assert np.isnan(wind[23:]).all()
    assert np.isnan(replay.day(1)["wind"]).all()


@pytest.fixture(scope="module")
def where() -> Site:
    return load_hardware(Site, "paranal-armazones")


def test_what_was_measured_comes_back_and_the_rest_is_drawn(where: Site) -> None:
    model = climate(where, STEP)
    rng = np.random.default_rng(5)
    draws, state = rng.standard_normal((5, 96)), rng.standard_normal(5)
    measured = {
        "seeing": np.where(np.arange(96) < 50, 4e-6 * (1 + rng.random(96)), np.nan),
        "transparency": np.full(96, np.nan),
        "cloud": np.full(96, np.nan),
    }
    measured["transparency"][10:20] = rng.uniform(0.1, 1.0, 10)
    measured["cloud"][30:40] = np.repeat([0.0, 1.0], 5)
    after, plain_state = state.copy(), state.copy()
    made = model.day(2, after, draws, measured)
    plain = model.day(2, plain_state, draws)
    assert np.array_equal(made["seeing"][:50], measured["seeing"][:50])
    assert np.array_equal(made["transparency"][10:20], measured["transparency"][10:20])
    assert np.array_equal(made["cloud"][30:40], measured["cloud"][30:40])
    assert np.array_equal(made["wind"], plain["wind"])
    assert np.array_equal(made["cloud"][:10], plain["cloud"][:10])
    assert abs(np.log(made["seeing"][50] / made["seeing"][49])) < 1.0  # goes on from there


def test_cloud_of_a_transparency_closes_the_dome_as_it_should(where: Site) -> None:
    model = climate(where, STEP)
    light = np.array([1.0, model.thin + 0.01, model.thin - 0.01, 0.0])
    made = model.day(0, np.zeros(5), np.zeros((5, 4)), {"transparency": light})
    assert model.causes(made).tolist() == [0, 0, 1, 1]
