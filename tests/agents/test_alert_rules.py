"""Alerts, and what is observed beside them, keep the limits of telescope and surveys."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_interruptions import SITE, SKY, a_night

from wstdes.policies.alerts import ByClass
from wstdes.policies.views import AlertView

SLOW = ("focal_plane.reconfiguration=15 min", "calibration.attached_frames=0")


def dark() -> tuple[float, float]:
    span = SKY.below(SITE.observing.science_sun_altitude_rad)
    assert span is not None
    return span


def beside(t_s: float, hours: float, dec: float) -> tuple[float, float]:
    """ICRS place, nearly, of an alert whose field is at an hour angle and a declination."""
    return float(SKY.lst_rad(t_s)) - hours * np.pi / 12.0, dec - np.radians(0.3)


def exposures(night: Any, reason: str) -> list[tuple[Any, Any]]:
    visits = {v["visit"]: v for v in night["visits"] if v["reason"] == reason}
    return [(e, visits[e["visit"]]) for e in night["exposures"] if e["visit"] in visits]


@pytest.mark.parametrize(
    ("what", "changes"),
    [("zenith", ()), ("sets", SLOW), ("dawn", SLOW)],
)
def test_an_exposure_for_an_alert_keeps_the_limits_to_its_end(
    tmp_path: Path, what: str, changes: tuple[str, ...]
) -> None:
    """Its way there is counted, and so is a passage through the zenith."""
    begin, end = dark()
    latitude, low = SITE.site.latitude_rad, np.pi / 2 - SITE.telescope.zenith_distance_max_rad
    at_s = {"zenith": 0.5 * (begin + end), "sets": 0.5 * (begin + end), "dawn": end - 3000.0}[what]
    dec = latitude if what == "zenith" else -0.6
    cosine = (np.sin(low) - np.sin(latitude) * np.sin(dec)) / (np.cos(latitude) * np.cos(dec))
    setting = np.degrees(np.arccos(cosine)) / 15.0
    hours = {"zenith": -0.27, "sets": setting - 1.08, "dawn": -1.0}[what]
    night = a_night(tmp_path, "urgent", [(at_s, *beside(at_s, hours, dec))], *changes)
    high = SITE.telescope.altitude_max_rad
    for row, visit in exposures(night, "abort"):
        field = SKY.fields(*np.radians([[visit["ra_deg"]], [visit["dec_deg"]]]))
        times = np.linspace(row["shutter_open_s"], row["shutter_close_s"], 9)
        altitude = np.array([field.at(float(t)).altitude_rad[0] for t in times])
        assert (altitude >= low - 1e-5).all()
        assert (altitude <= high + 1e-5).all()
        assert row["shutter_close_s"] <= end + 1e-6
    assert bool(exposures(night, "abort")) == (what != "sets")  # none that would be cut short


@pytest.mark.parametrize(
    ("rule", "seen"),
    [
        ("sky_brightness_max=1.0", False),
        ("sun_altitude_max=-60 deg", False),
        ("sky_brightness_max=100", True),
    ],
)
def test_an_alert_that_waits_for_a_field_keeps_the_sky_of_its_survey(
    tmp_path: Path, rule: str, seen: bool
) -> None:
    """A visit of a survey that may observe now takes no alert along that may not."""
    quiet = a_night(tmp_path, "passive", [(10.0, 0.0, 1.4)])  # never up
    rows = [(5000.0, *np.radians([v["ra_deg"], v["dec_deg"] + 0.5])) for v in quiet["visits"]]
    night = a_night(tmp_path, "passive", rows, f"surveys.time-domain.{rule}")
    outcomes = {row["outcome"] for row in night["alerts"]}
    assert ("observed" in outcomes) == seen
    assert ("time-domain" in {row["survey"] for row in night["assignments"]}) == seen


def test_the_fibres_that_an_alert_leaves_go_to_surveys_that_may_observe_now(tmp_path: Path) -> None:
    """Neither to one that waits for another sky, nor to one whose cadence says when."""
    middle = 0.5 * sum(dark())
    night = a_night(
        tmp_path,
        "urgent",
        [(middle, *beside(middle, -0.5, -0.5))],
        "surveys.cosmo-deep={sky_brightness_min: 20, sky_brightness_max: 900}",
        "surveys.milky-way.cadence={visits: 2, interval: 5 d, tolerance: 1 d}",
    )
    [visit] = {visit["visit"] for _, visit in exposures(night, "abort")}
    served = {r["survey"] for r in night["assignments"] if r["visit"] == visit and r["assigned"]}
    assert served >= {"time-domain", "cosmo-wide"}
    assert not served & {"cosmo-deep", "milky-way"}


@pytest.mark.parametrize("noise", ["sky", "source"])
def test_what_an_alert_would_get_goes_by_the_noise_of_its_survey(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, noise: str
) -> None:
    """A bright star is worth an interruption under a Moon that drowns a galaxy."""
    rates: list[float] = []

    def respond(_: Any, alert: AlertView) -> str:
        rates.append(alert.rate)
        return "abort"

    monkeypatch.setattr(ByClass, "respond", respond)
    middle = 0.5 * sum(dark())
    rows = [(middle, *beside(middle, -0.5, -0.5))]
    night = a_night(tmp_path, "urgent", rows, f"surveys.time-domain.noise={noise}")
    visit = next(v for v in night["visits"] if v["reason"] == "abort")
    assert visit["signal_expected"] > 0.0
    assert (rates[-1] == pytest.approx(visit["signal_expected"])) == (noise == "source")
