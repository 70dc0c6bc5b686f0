"""Limits of Sun and altitude hold for every exposure to its end."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from wstdes.agents.skies import day_sky
from wstdes.agents.visits import VisitRun
from wstdes.facility import build, load

SURVEYS = ("cosmo-wide", "cosmo-deep", "milky-way", "bright-stars-hr", "ifs-fields")
SUN = {"cosmo-wide": -18.0, "cosmo-deep": -18.0}


@pytest.mark.parametrize("start", ["2040-06-10", "2040-12-10"])
def test_nobody_exposes_under_a_sun_too_high_or_a_field_too_low(start: str) -> None:
    """Visits with goals, which go on as long as the sky makes them, among them."""
    facility = build(
        load(
            "small",
            overrides=[
                f"start={start}",
                "nights=2",
                f"site.open_fraction={[1.0] * 12}",
                "telescope.fault_interval=1000000 h",
                "telescope.zenith_distance_max=35 deg",
                *(f"surveys.{name}.visit_effective=20 min" for name in SURVEYS),
                *(f"surveys.{name}.sun_altitude_max={sun} deg" for name, sun in SUN.items()),
            ],
        )
    )
    states, parts = facility.new_states(), facility.parts
    checked, last = 0, -90.0
    for day in range(2):
        tables = {k: v.to_pylist() for k, v in facility.simulate_day(states, day).items()}
        sky = day_sky(parts.clock, parts.horizon, day)
        who: dict[int, set[str]] = {}
        for row in tables["assignments"]:
            who.setdefault(row["visit"], set()).add(row["survey"])
        for row in tables["exposures"]:
            visit = tables["visits"][row["visit"] - tables["visits"][0]["visit"]]
            field = sky.fields(*np.radians([[visit["ra_deg"]], [visit["dec_deg"]]]))
            for t_s in (row["shutter_open_s"], row["shutter_close_s"]):
                sun = np.degrees(sky.at(t_s).sun_altitude_rad)
                taking = () if row["mode"] == "ifs" else who.get(row["visit"], ())
                limits = [SUN.get(name, -15.0) for name in taking]
                assert sun <= min(limits, default=-15.0) + 0.01
                altitude = np.degrees(field.at(t_s).altitude_rad[0])
                assert altitude >= 55.0 - 1e-3 or visit["reason"] != "survey"
                checked, last = checked + 1, max(last, sun)
    assert checked > 20
    assert last > -19.0  # the night is used to its end


def test_a_visit_with_a_goal_reaches_it() -> None:
    """Or its targets, which need just that, would all want one visit more."""
    goal_s = 1500.0
    others = ("cosmo-deep", "milky-way", "bright-stars-hr", "ifs-fields", "time-domain")
    facility = build(
        load(
            "small",
            overrides=[
                "nights=2",
                f"site.open_fraction={[1.0] * 12}",
                "telescope.fault_interval=1000000 h",
                "quality.defect_fraction=0",
                f"surveys.cosmo-wide.required={goal_s} s",
                f"surveys.cosmo-wide.visit_effective={goal_s} s",
                *(f"surveys.{name}=null" for name in others),
                "alerts=null",
            ],
        )
    )
    states = facility.new_states()
    reached = []
    for day in range(2):
        tables = {k: v.to_pylist() for k, v in facility.simulate_day(states, day).items()}
        got: dict[int, float] = {}
        for row in tables["exposures"]:
            assert row["open_shutter_s"] >= 120.0 or row["truncated"]  # or it would not pass
            got[row["visit"]] = got.get(row["visit"], 0.0) + row["effective_s"]
        for visit in tables["visits"]:
            usual = visit["planned_open_s"] < 3000.0 and not visit["interrupted_by"]
            if usual and visit["end_s"] < tables["time_use"][-2]["end_s"] - 60.0:
                reached.append(got[visit["visit"]])
    assert len(reached) > 8
    assert min(reached) >= goal_s
    assert np.mean(reached) < 1.02 * goal_s
    observed, finished = (sum(r[k] for r in tables["progress"]) for k in ("started", "completed"))
    assert finished > 0.9 * observed


@pytest.mark.parametrize(
    ("room_s", "length_s"), [(900.0, 600.0), (600.0, 600.0), (300.0, 300.0), (90.0, 0.0), (-5, 0.0)]
)
def test_an_exposure_of_a_fixed_length_ends_in_time_where_the_way_there_took_longer(
    room_s: float, length_s: float
) -> None:
    """Arms that take longer than usual must not move exposures into the morning."""
    run: Any = object.__new__(VisitRun)
    run.modes = ["lr"]
    run.plan = SimpleNamespace(goal=None, open_s=1200.0, exposures=2, latest_s=5000.0 + room_s)
    run.day = SimpleNamespace(now=5000.0)
    run.parts = SimpleNamespace(shortest_exposure_s=120.0)
    assert run._length() == length_s
