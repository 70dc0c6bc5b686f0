"""However coarse the flow of data: the same bytes, the same work, the same verdicts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from wstdes.facility import build, load

NIGHTS = 2
QUIET = tuple(f"alerts.{name}.rate=0 / d" for name in ("passive", "prompt", "urgent"))
CALM = (
    *QUIET,
    "quality={signal_min: 0, shortest: 0 s, defect_fraction: 0}",
    "network.checksum_failure_fraction=0",
    "policies.retention={use: after-processing, options: {keep: 1 h}}",
)
STRICT = ("quality={signal_min: 0.4, shortest: 2 min, defect_fraction: 0.2}",)
GRAINS = ("exposure", "visit", "night")


def a_run(grain: str, *overrides: str, noon: Path | None = None) -> dict[str, pd.DataFrame]:
    """Tables of two nights, by name; written down and read back at the noon between, if asked."""
    facility = build(load("small", overrides=[f"dataflow.grain={grain}", *overrides]))
    states, tables = facility.new_states(), []
    for index in range(NIGHTS):
        tables.append(facility.simulate_day(states, index))
        if noon is not None:
            facility.save(noon, states, index + 1)
            states, _ = facility.restore(noon)
    names = tables[0]
    return {n: pa.concat_tables([t[n] for t in tables]).to_pandas() for n in names}


@pytest.fixture(scope="module")
def calm() -> dict[str, dict[str, pd.DataFrame]]:
    return {grain: a_run(grain, *CALM) for grain in GRAINS}


@pytest.mark.parametrize("grain", ["visit", "night"])
def test_bytes_and_node_seconds_of_a_night_are_those_of_the_fine_grain(
    calm: dict[str, Any], grain: str
) -> None:
    fine, coarse = calm["exposure"], calm[grain]
    assert len(fine["exposures"]) == len(coarse["exposures"]) > 10

    def first(run: dict[str, pd.DataFrame], table: str) -> pd.DataFrame:
        rows = run[table][run[table].kind != "telemetry"] if table != "jobs" else run[table]
        return rows[rows.night == 0] if "night" in rows else rows

    for table, by, what in (
        ("jobs", ["stage", "site", "role", "mode"], "node_s"),
        ("products", ["kind", "mode", "outcome"], "bytes"),
    ):
        a, b = (first(run, table).groupby(by)[what].sum() for run in (fine, coarse))
        pd.testing.assert_series_equal(a, b, rtol=1e-9)
        assert 3 * len(first(coarse, table)) < 2 * len(first(fine, table))
    sums = []
    for run in (fine, coarse):
        numbers = first(run, "products")["product"]
        rows = run["transfers"][run["transfers"]["product"].isin(numbers)]
        sums.append(rows.groupby(["kind", "source", "destination"]).bytes.sum())
    pd.testing.assert_series_equal(*sums, rtol=1e-9)


@pytest.mark.parametrize("grain", ["visit", "night"])
def test_the_joules_of_the_nodes_are_those_of_the_fine_grain(
    calm: dict[str, Any], grain: str
) -> None:
    """Of jobs that have ended: those of the first night."""
    busy = {}
    for name in ("exposure", grain):
        jobs = calm[name]["jobs"]
        busy[name] = jobs[jobs.night == 0].groupby(["site", "pool"]).node_s.sum()
        assert ((jobs.end_s - jobs.start_s) * jobs.nodes).sum() == pytest.approx(jobs.node_s.sum())
    pd.testing.assert_series_equal(busy["exposure"], busy[grain], rtol=1e-9)


def test_every_exposure_gets_the_same_verdict() -> None:
    """The first ones: what is observed later depends on when verdicts come."""
    verdicts = []
    for grain in GRAINS:
        rows = a_run(grain, *QUIET, *STRICT)["verdicts"].query("exposure < 8")
        rows = rows.set_index(["exposure", "mode"]).sort_index()
        verdicts.append(rows[["visit", "passed", "reason", "signal"]])
    assert not verdicts[0].passed.all()
    for other in verdicts[1:]:
        pd.testing.assert_frame_equal(verdicts[0], other)


@pytest.mark.parametrize("grain", ["visit", "night"])
def test_raw_bytes_are_archived_on_their_way_or_kept(calm: dict[str, Any], grain: str) -> None:
    run = calm[grain]
    scenario = load("small").scenario
    frame = {m: getattr(scenario.spectrographs, m).frame_bytes for m in ("lr", "hr", "ifs")}
    written = run["exposures"]["mode"].map(frame).sum()
    written += (run["calibrations"]["mode"].map(frame) * run["calibrations"].frames).sum()
    stocks = run["stocks"].query(f"night == {NIGHTS - 1} and kind == 'raw'")
    assert stocks.bytes.sum() == pytest.approx(written, rel=1e-12)


def test_a_bundled_run_taken_up_at_a_noon_is_the_same_run(
    calm: dict[str, Any], tmp_path: Path
) -> None:
    again = a_run("visit", *CALM, noon=tmp_path)
    for name, table in calm["visit"].items():
        pd.testing.assert_frame_equal(again[name], table)


def test_no_day_frames_and_no_room_are_no_trouble() -> None:
    run = a_run(
        "night",
        *CALM,
        "calibration.day_frames=0",
        "computing.sites.mountain.capacity=1 GB",
    )
    raw = run["products"].query("kind == 'raw'")
    assert set(raw.outcome) == {"lost"}
    assert len(run["verdicts"]) == len(run["exposures"]) > 0
    assert set(run["verdicts"].reason) == {"lost"}
