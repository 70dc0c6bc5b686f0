"""How alerts come in: rates by hour and month, bursts, drop-out, a list, the sky they fill."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import simpy

from wstdes.agents.arrivals import Crowd, arrivals
from wstdes.agents.tables import TABLES
from wstdes.clock import DAY_S, Clock
from wstdes.config.alerts import AlertClass
from wstdes.kernel import Day, Streams, Trace
from wstdes.survey import Footprint
from wstdes.survey.alerts import AlertList, AlertSky
from wstdes.survey.shapes import Circles

BASE = {
    "title": "Any",
    "response": "insert",
    "rate": "500 / d",
    "lifetime": "1 d",
    "target_response": "1 d",
    "exposures": 1,
}
SKY = Footprint(dec_min_rad=-1.2, dec_max_rad=0.3)
Draw = Callable[..., Crowd]


@pytest.fixture
def draw() -> Draw:
    def drawn(index: int = 0, sky: Footprint = SKY, seed: int = 3, **changes: Any) -> Crowd:
        data = {k: v for k, v in (BASE | changes).items() if v is not None}
        parts: Any = SimpleNamespace(
            scenario=SimpleNamespace(alerts={"any": AlertClass.model_validate(data)}),
            clock=Clock(dt.date(2041, 3, 1), 0.0),
            alert_sky=AlertSky.make(sky),
            alert_lists={"any": AlertList(np.array([10.0, 5e4, 9e4]), np.arange(3.0), np.zeros(3))},
        )
        env = simpy.Environment(initial_time=index * DAY_S)
        day = Day(index, index * DAY_S, (index + 1) * DAY_S, env, Trace(TABLES), Streams(seed))
        return arrivals(day, "broker", parts, 0, 7)

    return drawn


def test_a_poisson_process_is_even_over_day_and_sky(draw: Draw) -> None:
    days = [draw(index) for index in range(40)]
    counts = np.array([len(d) for d in days])
    assert counts.mean() == pytest.approx(500.0, abs=4 * np.sqrt(500 / 40))
    assert counts.var(ddof=1) == pytest.approx(500.0, rel=0.7)
    assert days[0].number.tolist() == list(range(7, 7 + len(days[0])))
    for index, crowd in enumerate(days):
        assert np.all(np.diff(crowd.arrival_s) >= 0)
        assert ((crowd.arrival_s >= index * DAY_S) & (crowd.arrival_s < (index + 1) * DAY_S)).all()
        assert np.isinf(crowd.dropped_s).all()
    z = np.concatenate([np.sin(d.dec_rad) for d in days])
    low, high = np.sin([-1.2, 0.3])
    assert (z.min(), z.max()) == pytest.approx((low, high), abs=1e-3)
    assert z.mean() == pytest.approx(0.5 * (low + high), abs=4 * (high - low) / np.sqrt(12 * 2e4))


def test_the_hours_of_the_day_have_their_weights(draw: Draw) -> None:
    weights = np.zeros(24)
    weights[[20, 21, 23, 2]] = 1.0, 3.0, 0.5, 1.5
    days = [draw(index, by_hour=weights.tolist()) for index in range(40)]
    hours = np.concatenate([((d.arrival_s + 43200.0) % DAY_S) // 3600.0 for d in days])
    found = np.bincount(hours.astype(int), minlength=24)
    assert found.sum() == pytest.approx(20000, abs=600)
    assert (found[weights == 0] == 0).all()
    expected = 20000 * weights / weights.sum()
    assert np.all(np.abs(found - expected) <= 5 * np.sqrt(expected + 1))


def test_the_months_have_their_weights_and_the_year_its_mean(draw: Draw) -> None:
    season = [0.0, 0.0, 3.0, 1.0, *[0.0] * 7, 2.0]
    march, april, may = (np.mean([len(draw(i, by_month=season)) for i in range(a, a + 20)])
                         for a in (0, 31, 61))  # fmt: skip
    assert march == pytest.approx(500 * 3.0 / 0.5, rel=0.06)
    assert april == pytest.approx(500 * 1.0 / 0.5, rel=0.08)
    assert may == 0


def test_candidates_of_an_event_come_at_once_and_fill_its_circle(draw: Draw) -> None:
    crowd = draw(burst={"count": 40, "radius": "6 deg"}, rate="60 / d")
    events = crowd.arrival_s.reshape(-1, 40)
    assert (events == events[:, :1]).all()
    assert len(events) == pytest.approx(60, abs=31)
    plain = draw(rate="60 / d")
    assert events[:, 0].tolist() == plain.arrival_s.tolist()
    centre = plain.ra_rad[:, None], plain.dec_rad[:, None]
    ra, dec = crowd.ra_rad.reshape(-1, 40), crowd.dec_rad.reshape(-1, 40)
    cosine = np.sin(dec) * np.sin(centre[1]) + np.cos(dec) * np.cos(centre[1]) * np.cos(
        ra - centre[0]
    )
    least = np.cos(np.radians(6.0))
    assert cosine.min() >= least - 1e-12
    assert cosine.mean() == pytest.approx(0.5 * (1 + least), abs=3e-4)


def test_drop_out_is_exponential_and_shifts_no_other_draw(draw: Draw) -> None:
    plain = draw()
    crowd = draw(drop_out="0.5 / d", rate="500 / d")
    assert crowd.arrival_s.tolist() == plain.arrival_s.tolist()
    assert crowd.ra_rad.tolist() == plain.ra_rad.tolist()
    waits = np.concatenate([(d.dropped_s - d.arrival_s) for d in
                            (draw(i, drop_out="0.5 / d") for i in range(20))])  # fmt: skip
    assert waits.mean() == pytest.approx(2.0 * DAY_S, rel=0.05)
    assert (waits < DAY_S).mean() == pytest.approx(1.0 - np.exp(-0.5), abs=0.02)


def test_alerts_of_a_list_come_on_their_day(draw: Draw) -> None:
    listed = {"rate": None, "path": "alerts.csv"}
    assert draw(0, **listed).arrival_s.tolist() == [10.0, 5e4]
    assert draw(1, **listed).arrival_s.tolist() == [9e4]
    assert len(draw(2, **listed)) == 0
    assert draw(1, **listed).expiry_s.tolist() == [9e4 + DAY_S]


@pytest.mark.parametrize("ra", [0.02, 3.0])
def test_alerts_fill_a_small_footprint_evenly(draw: Draw, ra: float) -> None:
    circle = Footprint(include=(Circles(np.array([ra]), np.array([-1.1]), 0.05),))
    days = [draw(i, circle) for i in range(10)]
    all_ra, all_dec = (np.concatenate([getattr(d, k) for d in days]) for k in ("ra_rad", "dec_rad"))
    assert circle.contains(all_ra, all_dec).all()
    cosine = np.sin(all_dec) * np.sin(-1.1) + np.cos(all_dec) * np.cos(1.1) * np.cos(all_ra - ra)
    share = (1.0 - cosine) / (1.0 - np.cos(0.05))  # of the circle's area that is nearer
    assert np.histogram(share, 4, (0, 1))[0] / len(share) == pytest.approx([0.25] * 4, abs=0.03)
