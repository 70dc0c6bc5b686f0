"""Alerts that stop exposures: only where a fibre reaches them, and as soon as they rise."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from wstdes.agents import observer
from wstdes.clock import Clock
from wstdes.facility import build, load
from wstdes.models.sky import DaySky, Horizon

QUIET = (
    f"site.open_fraction={[1.0] * 12}",
    "telescope.fault_interval=1000000 h",
    "quality.defect_fraction=0",
    "quality.signal_min=0",
    *(f"alerts.{name}.rate=0 / d" for name in ("passive", "prompt", "urgent")),
)
SITE = load("small", overrides=QUIET).scenario
CLOCK = Clock(SITE.start, SITE.site.longitude_rad)
SKY = DaySky(
    CLOCK, Horizon(SITE.site.latitude_rad, SITE.site.longitude_rad, SITE.site.height_m), 0.0
)


def a_night(
    folder: Path, name: str, response_alerts: list[tuple[float, float, float]], *changes: str
) -> Any:
    """Tables of a night with alerts of a class at these times [s] and places [rad]."""
    lines = ["time,ra,dec"]
    for t_s, ra, dec in response_alerts:
        place = f"{float(np.degrees(ra) % 360.0)!r},{float(np.degrees(dec))!r}"
        lines.append(f"{CLOCK.utc(t_s).isoformat()[:19]},{place}")
    path = folder / "alerts.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    facility = build(load("small", overrides=[*QUIET, f"alerts.{name}.path={path}", *changes]))
    tables = facility.simulate_day(facility.new_states(), 0)
    return {k: v.to_pylist() for k, v in tables.items()}


def middle_of_the_night() -> float:
    dark = SKY.below(SITE.observing.science_sun_altitude_rad)
    assert dark is not None
    return 0.5 * (dark[0] + dark[1])


def west_of_meridian(t_s: float, hours: float, dec: float) -> tuple[float, float]:
    """ICRS place, nearly, at an hour angle."""
    return float(SKY.lst_rad(t_s)) - hours * np.pi / 12.0, dec


def exposure_at(night: Any, t_s: float) -> Any:
    [found] = [e for e in night["exposures"] if e["mode"] == "lr" and
               e["shutter_open_s"] < t_s < e["shutter_close_s"] + 1e-6]  # fmt: skip
    return found


@pytest.fixture(scope="module")
def under_way(tmp_path_factory: pytest.TempPathFactory) -> float:
    """A moment in the middle of an exposure of a night on which nothing interrupts."""
    folder = tmp_path_factory.mktemp("quiet")
    night = a_night(folder, "prompt", [(10.0, 0.0, 1.4)])  # never up
    middle = middle_of_the_night()
    lr = [e for e in night["exposures"] if e["mode"] == "lr" and e["shutter_open_s"] > middle]
    return 0.5 * (lr[0]["shutter_open_s"] + lr[0]["shutter_close_s"])


def test_waits_are_those_of_the_exposure_and_its_read_out(tmp_path: Path, under_way: float) -> None:
    """A field that is up all the time waits for the rest of the exposure, or not at all."""
    place = west_of_meridian(under_way, -0.5, -0.9)
    switched = a_night(tmp_path, "prompt", [(under_way, *place)])
    before = exposure_at(switched, under_way)
    visit = next(v for v in switched["visits"] if v["reason"] == "switch")
    lamps = SITE.calibration.attached_frames * 600.0
    end = before["readout_end_s"]
    assert end - 1e-6 <= visit["decided_s"] <= end + lamps
    assert not before["truncated"]
    stopped = a_night(tmp_path, "urgent", [(under_way, *place)])
    exposure = exposure_at(stopped, under_way - 1.5)
    assert exposure["truncated"]
    assert exposure["shutter_close_s"] == pytest.approx(under_way, abs=1.5)
    visit = next(v for v in stopped["visits"] if v["reason"] == "abort")
    assert visit["decided_s"] <= exposure["readout_end_s"] + lamps
    [row] = stopped["alerts"]
    assert row["outcome"] == "observed"
    assert row["shutter_open_s"] - row["asked_s"] < SITE.alerts["urgent"].target_response_s


def test_no_exposure_is_stopped_for_an_alert_that_no_fibre_reaches(
    tmp_path: Path, under_way: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = west_of_meridian(under_way, -0.5, -0.9)
    monkeypatch.setattr(observer, "MOST_SHIFTS", 0)  # no field of its own is ever found
    night = a_night(tmp_path, "urgent", [(under_way, *place)])
    assert not exposure_at(night, under_way)["truncated"]
    assert {v["reason"] for v in night["visits"]} == {"survey"}
    assert "alert" not in {v["interrupted_by"] for v in night["visits"]}


def test_an_alert_that_rises_stops_the_exposure_when_it_is_up(
    tmp_path: Path, under_way: float
) -> None:
    dec, low = -0.6, np.pi / 2 - SITE.telescope.zenith_distance_max_rad
    latitude = SITE.site.latitude_rad
    field = dec + np.radians(0.3)  # its field is centred beside it
    cosine = (np.sin(low) - np.sin(latitude) * np.sin(field)) / (np.cos(latitude) * np.cos(field))
    place = west_of_meridian(under_way, -np.arccos(cosine) * 12.0 / np.pi, dec)
    night = a_night(tmp_path, "urgent", [(under_way - 7200.0, *place)])
    visit = next(v for v in night["visits"] if v["reason"] == "abort")
    cut = next(v for v in night["visits"] if v["interrupted_by"] == "alert")
    # Precession to the year of the run moves it by minutes of time.
    assert abs(cut["end_s"] - under_way) < 400.0
    [row] = night["alerts"]
    truncated = [e for e in night["exposures"] if e["truncated"] and e["mode"] == "lr"]
    assert [e["visit"] for e in truncated] == [cut["visit"]]
    altitude = SKY.altaz(*SKY.to_cirs(np.array([place[0]]), np.array([field])), cut["end_s"])[0]
    assert float(altitude[0]) == pytest.approx(low, abs=np.radians(0.02))
    assert row["outcome"] == "observed"
    assert visit["decided_s"] > cut["end_s"]


def test_alerts_keep_the_sun_of_their_survey_though_others_observe_in_twilight(
    tmp_path: Path,
) -> None:
    """Nothing is observed before it was possible."""
    dusk = SKY.below(np.radians(-18.0))
    assert dusk is not None
    place = west_of_meridian(dusk[0], -1.0, -0.6)
    night = a_night(
        tmp_path,
        "urgent",
        [(dusk[0] - 2400.0, *place)],
        "surveys.milky-way.sun_altitude_max=-9 deg",
        "surveys.time-domain.sun_altitude_max=-18 deg",
    )
    assert min(e["shutter_open_s"] for e in night["exposures"]) < dusk[0] - 600.0
    [row] = night["alerts"]
    assert row["outcome"] == "observed"
    assert row["possible_s"] >= dusk[0] - 1e-6
    assert row["shutter_open_s"] >= row["possible_s"]
