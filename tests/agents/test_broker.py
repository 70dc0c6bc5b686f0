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
        alert_sun_rad=scenario.observing.science_sun_altitude_rad,
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


# Later visits ---------------------------------------------------------------------------------

SERIES = (
    *CLASSES,
    "alerts.prompt.rate=30 / d",
    "alerts.prompt.drop_out=0.05 / d",
    "alerts.prompt.follow_up={visits: 4, interval: 3 d, tolerance: 1 d, response: insert}",
)


def test_later_visits_keep_their_windows_and_each_is_settled_once(parts: Any) -> None:
    scenario = load("small", overrides=SERIES).scenario
    series: Any = SimpleNamespace(**(vars(parts) | {"scenario": scenario}))
    state = BrokerState()
    settled: list[dict[str, Any]] = []
    asked: set[tuple[int, int]] = set()
    for index in range(20):
        broker = a_day(series, state, index, 0.6)
        for alert in broker.waiting(("switch",)) + broker.near(("insert",), 0.0, 0.0, 3.2):
            if alert.alert_class == "prompt" and alert.number % 5:
                visit = 1000 * index + alert.number
                broker.take(alert.number, visit, broker.now)
                first = broker.answered(alert.number, visit, (broker.now, broker.now + 900.0))
                assert first == (alert.follow_up == 0)
                assert not broker.answered(alert.number, visit, (broker.now, broker.now + 999.0))
        broker.close()
        settled += [r for r in rows(broker) if r["alert_class"] == "prompt"]
        asked |= {(a.number, a.follow_up) for a in state.alerts.values()}
    by = {(r["alert"], r["follow_up"]): r for r in settled}
    assert len(by) == len(settled)
    waiting = {(a.number, a.follow_up) for a in state.alerts.values()}
    assert waiting.isdisjoint(by)
    later = [r for r in settled if r["follow_up"]]
    assert {r["outcome"] for r in later} == {"observed", "dropped"}
    assert {r["response"] for r in later} == {"insert"}
    assert max(r["follow_up"] for r in later) == 3
    for row in later:
        before = by[row["alert"], row["follow_up"] - 1]
        assert row["expiry_s"] - row["asked_s"] == pytest.approx(2 * DAY_S)
        if before["outcome"] == "observed":
            assert row["asked_s"] == pytest.approx(before["shutter_open_s"] + 2 * DAY_S)
        if row["outcome"] == "observed":
            assert row["asked_s"] <= row["shutter_open_s"] < row["expiry_s"]
            assert row["dropped_s"] is None
        if row["outcome"] == "dropped":
            assert row["dropped_s"] <= row["expiry_s"]
    gone = {r["alert"] for r in settled if r["outcome"] == "dropped"}
    last = {n: max(f for m, f in by if m == n) for n in gone}
    assert all(by[n, last[n]]["outcome"] == "dropped" for n in gone)
    assert not gone & {n for n, _ in waiting}


def test_a_later_visit_that_is_missed_is_followed_by_the_next(parts: Any) -> None:
    changes = [c for c in SERIES if "drop_out" not in c]
    scenario = load("small", overrides=changes).scenario
    series: Any = SimpleNamespace(**(vars(parts) | {"scenario": scenario}))
    state = BrokerState()
    settled: list[dict[str, Any]] = []
    for index in range(14):
        broker = a_day(series, state, index, 0.6)
        if index == 0:
            number = broker.waiting(("switch",))[0].number
            broker.take(number, 5, broker.now)
            broker.answered(number, 5, (broker.now, broker.now + 900.0))
            opened = broker.now
        broker.close()
        settled += [r for r in rows(broker) if r["alert"] == number]
    found = [(r["follow_up"], r["outcome"], (r["asked_s"] - opened) / DAY_S) for r in settled]
    assert found[0][:2] == (0, "observed")
    assert found[1:] == [(k, "expired", pytest.approx(3.0 * k - 1.0)) for k in (1, 2, 3)]
    assert number not in state.alerts


def test_an_urgent_alert_wakes_when_it_comes_and_when_it_waits_again(parts: Any) -> None:
    overrides = ["alerts.urgent.rate=2 / d", "alerts.urgent.lifetime=2 d"]
    scenario = load("small", overrides=overrides).scenario
    urgent: Any = SimpleNamespace(**(vars(parts) | {"scenario": scenario}))
    state = BrokerState()
    index, broker = 0, a_day(urgent, state, 0, 1e-9)
    while not any(a.alert_class == "urgent" for a in state.alerts.values()):
        index, broker = index + 1, a_day(urgent, state, index + 1, 1e-9)
    alert = next(a for a in state.alerts.values() if a.alert_class == "urgent")
    woken: list[float] = []
    broker.urgent.wait().callbacks.append(lambda _: woken.append(broker.now))
    broker.env.run(until=(index + 1) * DAY_S - 1.0)
    assert woken == [alert.arrival_s]
    broker.take(alert.number, 3, broker.now)
    again = broker.urgent.wait()
    broker.failed(alert.number, 3)
    broker.env.run(until=(index + 1) * DAY_S)
    assert again.processed
