"""Numbers that could look right and be wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow.compute as pc
import pytest

import wstdes
from wstdes.agents.ledger import SurveyLedger, SurveyLedgerState
from wstdes.agents.statistical import make_statistical
from wstdes.assembly import make_parts
from wstdes.errors import ConfigError
from wstdes.facility import build, load
from wstdes.models.focalplane import project

if TYPE_CHECKING:
    from pathlib import Path

    from wstdes.study.run import Run

CLEAR = f"site.open_fraction={[1.0] * 12}"


def scenario(folder: Path, rows: list[str], *lines: str) -> Path:
    """A scenario whose only survey is a catalogue of these rows."""
    (folder / "cat.csv").write_text("\n".join(["id,ra,dec,mag", *rows]))
    path = folder / "mine.yaml"
    path.write_text(
        "\n".join(
            [
                "extends: small",
                "name: mine",
                "nights: 1",
                "alerts: null",
                "surveys:",
                "  cosmo-wide: null",
                "  cosmo-deep: null",
                "  milky-way: null",
                "  bright-stars-hr: null",
                "  ifs-fields: null",
                "  mine:",
                "    title: Mine",
                "    mode: lr",
                "    priority: 1",
                "    weight: 1",
                "    required: 10 min",
                "    source: {kind: catalogue, path: cat.csv}",
                *lines,
            ]
        )
    )
    return path


def test_targets_are_expected_as_far_as_fibres_reach(tmp_path: Path) -> None:
    """What a tile is said to hold is what a visit finds there: one number."""
    rng = np.random.default_rng(1)
    ra, dec = rng.uniform(100, 140, 6000), rng.uniform(-50, -20, 6000)
    rows = [f"{i},{a},{d},18" for i, (a, d) in enumerate(zip(ra, dec, strict=True))]
    parts = make_parts(load(scenario(tmp_path, rows)))
    column = parts.tile_surveys.index(parts.survey_names.index("mine"))
    plane, tiling = parts.focal_plane, parts.tiling
    scale = parts.scenario.telescope.plate_scale_m_per_rad
    checked = np.flatnonzero(parts.expected[:, column] > 0)[::7]
    found = []
    for tile in checked:
        x, y, visible = project(
            np.radians(ra), np.radians(dec), tiling.ra_rad[tile], tiling.dec_rad[tile], scale
        )
        found.append(np.sum(visible & (np.hypot(x, y) <= plane.reach_m)))
    assert len(found) > 20
    assert parts.expected[checked, column].tolist() == found
    assert parts.reach_rad != 0.5 * parts.scenario.telescope.field_diameter_rad


def test_expected_numbers_begin_with_what_the_tiles_hold() -> None:
    """Left and total are one number before the first visit; the counts by density agree."""
    parts = make_parts(load("small", overrides=["fidelity=statistical"]))
    vars(parts)["statistical"] = make_statistical(parts, fields=2, visits=1)  # quick, and coarse
    ledger = SurveyLedger(parts, SurveyLedgerState())
    inside = parts.tiling.inside[:, list(parts.tile_surveys)]
    assert ledger.remaining[inside].tolist() == parts.total[inside].tolist()
    assert (parts.total[~inside] == 0.0).all()
    for column, name in enumerate(v.name for v in parts.views):
        held = parts.total[:, column].sum()
        assert held == pytest.approx(parts.expected[:, column].sum(), rel=0.005), name


def test_a_tile_with_nothing_in_reach_is_not_observed(tmp_path: Path) -> None:
    """A target in the hole of the IFS field can have no fibre: nothing is exposed for it."""
    some = build(load(scenario(tmp_path, ["1,150,-25,18"]))).parts.tiling
    distance = np.hypot(some.ra_rad - np.radians(150), some.dec_rad + np.radians(25))
    tile = int(np.argmin(distance))
    centre = np.degrees([some.ra_rad[tile], some.dec_rad[tile]])
    path = scenario(tmp_path, [f"1,{centre[0]},{centre[1]},18"])
    run = wstdes.run(path, out=tmp_path / "run", overrides=[CLEAR])
    visits = run["visits"].to_pylist()
    assert all(v["tile"] != tile for v in visits)
    exposures = run["exposures"].to_pandas()
    for visit in visits:
        assert bool(visit["exposures"]) == bool((exposures.visit == visit["visit"]).any())


def test_open_shutter_time_belongs_to_exposures_that_are_there(small_run: Run) -> None:
    exposures = small_run["exposures"].to_pandas()
    exposures = exposures[exposures["mode"] != "ifs"]  # on its own clock
    once = exposures.drop_duplicates("exposure").open_shutter_s.sum()
    assert once == pytest.approx(pc.sum(small_run["visits"]["open_shutter_s"]).as_py())


def test_without_attached_frames_data_are_still_reduced(tmp_path: Path) -> None:
    run = wstdes.run(
        "small", nights=1, out=tmp_path / "run", overrides=["calibration.attached_frames=0", CLEAR]
    )
    assert run.summary["reduced_latency_median"]["value"] is not None


def test_day_frames_are_taken_by_day_and_one_at_a_time(tmp_path: Path) -> None:
    run = wstdes.run(
        "small",
        nights=2,
        out=tmp_path / "run",
        overrides=["calibration.day_frames=900", "computing.sites.mountain.capacity=1 PB"],
    )
    frames = run["calibrations"].to_pandas()
    frames = frames[(frames.kind == "day") & (frames["mode"] == "lr")].sort_values("start_s")
    assert len(frames) > 500
    assert (frames.end_s.to_numpy()[:-1] <= frames.start_s.to_numpy()[1:] + 1e-6).all()
    for night in run["nights"].to_pylist():
        inside = (frames.end_s > night["sunset_s"]) & (frames.start_s < night["sunrise_s"])
        assert not inside.any()


def test_drives_do_not_track_under_a_closed_dome(tmp_path: Path) -> None:
    run = wstdes.run(
        "small",
        nights=1,
        out=tmp_path / "run",
        overrides=[f"site.open_fraction={[0.0] * 12}"],
    )
    drives = run["power"].filter(pc.equal(run["power"]["load"], "drives"))
    assert set(drives["value"].to_pylist()) == {0.0}


def test_an_alert_has_the_times_of_the_exposure_that_answered_it(tmp_path: Path) -> None:
    run = wstdes.run(
        "small",
        nights=2,
        out=tmp_path / "run",
        overrides=[
            CLEAR,
            "alerts.passive.rate=20000 / d",
            "alerts.prompt.rate=20 / d",
            "observing.exposure=150 s",
            "quality.defect_fraction=0.3",
        ],
    )
    exposures = (
        run["exposures"]
        .to_pandas()
        .merge(
            run["verdicts"].to_pandas()[["exposure", "mode", "passed", "judged_s"]],
            on=["exposure", "mode"],
        )
    )
    lr = exposures[exposures["mode"] == "lr"]
    seen = [a for a in run["alerts"].to_pylist() if a["outcome"] == "observed"]
    assert len(seen) > 20
    for alert in seen:
        good = lr[(lr.visit == alert["visit"]) & lr.passed].sort_values("judged_s").iloc[0]
        assert alert["shutter_open_s"] == good.shutter_open_s
        assert alert["shutter_close_s"] == good.shutter_close_s
        assert alert["quicklook_s"] == good.judged_s
    last = run["progress"].to_pylist()[-1]
    assert last["survey"] == "time-domain"
    assert last["completed"] <= last["started"] <= len(seen)


def test_alerts_of_another_mode_are_refused() -> None:
    with pytest.raises(ConfigError, match="alerts are observed in the mode lr"):
        load("small", overrides=["surveys.time-domain.mode=hr"])
