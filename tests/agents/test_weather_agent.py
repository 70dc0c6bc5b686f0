"""The weather of a day: drawn or measured, revealed step by step, taken up at noon."""

from __future__ import annotations

import dataclasses
import datetime as dt
import time
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import simpy

from wstdes.agents.tables import TABLES
from wstdes.agents.weather import STEP_S, Weather, WeatherState
from wstdes.clock import DAY_S, Clock
from wstdes.config.hardware import Site
from wstdes.config.part import load_hardware
from wstdes.kernel import Day, Streams, Trace
from wstdes.models.site import Replay, Series, climate

ARCSEC = np.pi / 648000.0
START = dt.date(2041, 6, 1)


def parts(replay: Replay | None = None, name: str = "cerro-tololo", **changes: Any) -> Any:
    site = load_hardware(Site, name).model_copy(update=changes)
    clock = Clock(START, site.longitude_rad)
    return SimpleNamespace(
        scenario=SimpleNamespace(site=site),
        clock=clock,
        climate=climate(site, STEP_S),
        replay=replay,
    )


def simulate(of: Any, state: WeatherState, index: int, seed: int = 7) -> tuple[Weather, Any]:
    """A day of nothing but weather: the agent and its table."""
    start = index * DAY_S
    env = simpy.Environment(initial_time=start)
    day = Day(index, start, start + DAY_S, env, Trace(TABLES), Streams(seed))
    weather = Weather(day, "weather", state, of)
    weather.start()
    env.run(until=day.end_s)
    return weather, day.trace.flush()["conditions"]


@pytest.fixture(scope="module")
def tololo() -> Any:
    return parts()


def test_states_at_noon_are_all_that_is_needed(tololo: Any) -> None:
    state = WeatherState()
    days = [simulate(tololo, state, 0)[1]]
    kept = dataclasses.asdict(state)
    days.append(simulate(tololo, state, 1)[1])
    again = simulate(tololo, WeatherState(**kept), 1)[1]
    assert again.equals(days[1])
    assert not again.equals(days[0])


def test_other_quantities_do_not_shift_each_others_draws(tololo: Any) -> None:
    """A measured seeing leaves cloud, wind and humidity as they were drawn."""
    noon = tololo.clock.start_unix_s - (START - dt.date(1970, 1, 1)).days * DAY_S
    times = tololo.clock.start_unix_s + np.arange(0.0, 40000.0, 300.0)
    series = Series({"seeing": (times, np.full(len(times), 2.0 * ARCSEC))})
    played = parts(Replay(series, START, noon, STEP_S, 3600.0))
    drawn = simulate(tololo, WeatherState(), 0)[1].to_pydict()
    measured = simulate(played, WeatherState(), 0)[1].to_pydict()
    for column in ("transparency", "wind_m_per_s", "humidity", "open"):
        assert measured[column] == drawn[column]
    known = [m == "seeing" for m in measured["measured"]]
    assert known == [i * STEP_S < 40000.0 for i in range(96)]
    assert np.array(measured["seeing_arcsec"])[known] == pytest.approx(2.0)
    assert set(drawn["measured"]) == {""}


def test_a_measured_dome_is_open_and_closed_as_it_was() -> None:
    where = parts(open_fraction=(0.9,) * 12)
    noon = where.clock.start_unix_s - (START - dt.date(1970, 1, 1)).days * DAY_S
    times = where.clock.start_unix_s + STEP_S * (np.arange(96) + 0.5)
    was_open = np.random.default_rng(1).integers(0, 2, 96).astype(float)
    series = Series({"open": (times, was_open)})
    _, table = simulate(parts(Replay(series, START, noon, STEP_S, 3600.0)), WeatherState(), 0)
    assert table["open"].to_pylist() == (was_open == 1.0).tolist()
    causes = set(table["closed_by"].to_pylist())
    assert "measured" in causes


@pytest.mark.parametrize("index", [0, 3])
def test_means_over_any_interval_are_those_of_the_steps(tololo: Any, index: int) -> None:
    state = WeatherState()
    weather, table = simulate(tololo, state, index)
    seeing = table["seeing_arcsec"].to_numpy() * ARCSEC
    clear = table["transparency"].to_numpy()
    begin = table["start_s"].to_numpy()
    rng = np.random.default_rng(4)
    for a, b in np.sort(rng.uniform(index * DAY_S, (index + 1) * DAY_S, (50, 2)), axis=1):
        weight = np.clip(np.minimum(b, begin + STEP_S) - np.maximum(a, begin), 0.0, None)
        mean = weather.mean(a, b)
        assert mean.seeing_rad == pytest.approx(np.average(seeing, weights=weight), rel=1e-9)
        assert mean.transparency == pytest.approx(np.average(clear, weights=weight), rel=1e-9)
    edge = (index + 1) * DAY_S
    assert weather.mean(edge - 10.0, edge).seeing_rad == pytest.approx(seeing[-1])
    assert weather.mean(edge - 10.0, edge - 10.0).seeing_rad == pytest.approx(seeing[-1])


def test_the_dome_waits_after_each_closing_over_noon_too() -> None:
    where = parts(reopening_delay_s=5 * 3600.0, cloud_correlation_s=6 * 3600.0)
    state, rows = WeatherState(), []
    for index in range(20):
        rows += simulate(where, state, index)[1].to_pylist()
    wait = round((5 * 3600.0 + STEP_S) / STEP_S)
    caused = [r["closed_by"] in ("cloud", "wind", "humidity") for r in rows]
    for i in range(wait, len(rows)):
        assert rows[i]["open"] == (not any(caused[i - wait + 1 : i + 1]))
    assert any(r["closed_by"] == "reopening" for r in rows)


def test_closings_are_told_when_they_happen(tololo: Any) -> None:
    where = parts(cloud_correlation_s=3 * 3600.0)
    env = simpy.Environment()
    day = Day(0, 0.0, DAY_S, env, Trace(TABLES), Streams(1))
    weather = Weather(day, "weather", WeatherState(), where)
    told = []

    def listen() -> Any:
        while True:
            yield weather.closing.wait()
            told.append(env.now)
            assert not weather.current.open

    weather.start()
    env.process(listen())
    env.run(until=DAY_S)
    table = day.trace.flush()["conditions"].to_pylist()
    asked = [b["start_s"] for a, b in pairwise(table) if a["open"] and not b["open"]]
    assert told == asked
    assert asked


def test_a_day_of_weather_costs_a_millisecond(tololo: Any) -> None:
    """Of processor time, without SimPy and the writing of tables."""
    state, times = WeatherState(), []
    for index in range(20):
        start = index * DAY_S
        env = simpy.Environment(initial_time=start)
        day = Day(index, start, start + DAY_S, env, Trace(TABLES), Streams(1))
        weather = Weather(day, "weather", state, tololo)
        begin = time.process_time()
        weather.start()
        times.append(time.process_time() - begin)
    assert min(times) < 1.5e-3
