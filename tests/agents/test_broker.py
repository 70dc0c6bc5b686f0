"""Alerts by the thousand: each has one life, whether it is an object or a place in a column."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import simpy

from wstdes.agents.broker import AlertBroker, BrokerState
from wstdes.agents.tables import TABLES
from wstdes.clock import DAY_S, Clock
from wstdes.facility import load
from wstdes.kernel import Day, Streams, Trace
from wstdes.models.sky import Horizon
from wstdes.survey import Footprint
from wstdes.survey.alerts import AlertSky

CLASSES = ("alerts.passive.lifetime=2 d", "alerts.prompt.rate=20 / d", "alerts.prompt.lifetime=1 d")


@pytest.fixture(scope="module")
def parts() -> Any:
    scenario = load("small", overrides=CLASSES).scenario
    site = scenario.site
    names = tuple(scenario.surveys)
    return SimpleNamespace(
        scenario=scenario,
        survey_names=names,
        alert_survey=names.index("time-domain"),
        alert_sky=AlertSky.make(Footprint(dec_min_rad=-1.4, dec_max_rad=0.5)),
        alert_lists={},
        clock=Clock(scenario.start, site.longitude_rad),
        horizon=Horizon(site.latitude_rad, site.longitude_rad, site.height_m),
    )


def a_day(parts: Any, state: BrokerState, index: int, until: float = 1.0) -> AlertBroker:
    """The broker some way into a day."""
    env = simpy.Environment(initial_time=index * DAY_S)
    day = Day(index, index * DAY_S, (index + 1) * DAY_S, env, Trace(TABLES), Streams(7))
    broker = AlertBroker(day, "broker", state, parts)
    broker.start()
    env.run(until=(index + until) * DAY_S)
    return broker


def rows(broker: AlertBroker) -> list[dict[str, Any]]:
    return broker.day.trace.flush()["alerts"].to_pylist()


def test_those_near_a_field_are_those_that_wait_within_its_radius(parts: Any) -> None:
    broker = a_day(parts, BrokerState(), 0, 0.7)
    broker.take(broker.waiting(("insert",))[3].number, 0, 0.0)
    everything = broker.waiting(("insert", "switch", "abort"))
    assert [a.number for a in everything] == sorted(a.number for a in everything)
    for ra, dec, radius in ((0.3, -1.2, 0.4), (3.0, 0.4, 1.0), (6.28, -0.5, 0.2), (1.0, 0.0, 3.2)):
        cosine = [
            np.sin(dec) * np.sin(a.dec_rad)
            + np.cos(dec) * np.cos(a.dec_rad) * np.cos(ra - a.ra_rad)
            for a in everything
        ]
        inside = [a for a, c in zip(everything, cosine, strict=True) if np.arccos(c) <= radius]
        assert broker.near(("insert", "switch", "abort"), ra, dec, radius) == inside
        named = [a for a in inside if a.alert_class == "prompt"]
        assert broker.near(("switch",), ra, dec, radius) == named
    assert len(broker.near(("insert", "switch", "abort"), 1.0, 0.0, 3.2)) == len(everything) > 100


def test_each_alert_is_settled_once_and_its_row_says_how(parts: Any) -> None:
    state = BrokerState()
    settled: list[dict[str, Any]] = []
    answered, failed = [], []
    for index in range(4):
        broker = a_day(parts, state, index, 0.9)
        free = [a.number for a in broker.waiting(("insert", "switch"))]
        for number in free[:4]:
            broker.take(number, 10 * index, broker.now)
            assert number not in [a.number for a in broker.waiting(("insert", "switch"))]
        for number in free[:2]:
            assert not broker.answered(number, 10 * index + 1, (0.0, 1.0))
            assert broker.answered(number, 10 * index, (broker.now - 9.0, broker.now))
            assert not broker.answered(number, 10 * index, (0.0, 1.0))
        for number in free[2:4]:
            broker.failed(number, 10 * index + 1)
            assert number not in [a.number for a in broker.waiting(("insert", "switch"))]
            broker.failed(number, 10 * index)
            assert number in [a.number for a in broker.waiting(("insert", "switch"))]
        answered += free[:2]
        failed += free[2:4]
        broker.close()
        settled += rows(broker)
    left = [*state.alerts, *state.crowd.number.tolist()]
    assert sorted([r["alert"] for r in settled] + left) == list(range(state.count))
    outcome = {r["alert"]: r["outcome"] for r in settled}
    assert {outcome[n] for n in answered} == {"observed"}
    assert {outcome.get(n, "expired") for n in failed if n not in answered} <= {"expired"}
    for row in settled:
        seen = row["outcome"] == "observed"
        assert (row["visit"] is not None) == (row["shutter_open_s"] is not None) == seen
        assert seen or row["expiry_s"] <= 4 * DAY_S
        if row["response"] == "insert" and not seen:
            assert row["possible_s"] is None
    by_day = [r["alert"] for r in settled if r["outcome"] == "expired"]
    assert len(by_day) > 100


def test_alerts_are_there_from_their_arrival_to_their_expiry(parts: Any) -> None:
    state = BrokerState()
    a_day(parts, state, 0, 1.0)
    noon = a_day(parts, state, 1, 0.5)
    for alert in noon.waiting(("insert", "switch", "abort")):
        assert alert.arrival_s <= noon.now < alert.expiry_s
    there = {a.number for a in noon.waiting(("insert", "switch", "abort"))}
    crowd = state.crowd
    absent = ~np.isin(crowd.number, list(there))
    assert ((crowd.arrival_s > noon.now) | (crowd.expiry_s <= noon.now))[absent].all()
