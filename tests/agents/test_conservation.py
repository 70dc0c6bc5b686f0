"""Nothing is lost without a name: bytes, joules, fibres, hours, alerts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow.compute as pc
import pytest

if TYPE_CHECKING:
    from wstdes.study.run import Run


@pytest.fixture(params=["small_run", "stormy_run"])
def run(request: pytest.FixtureRequest) -> Run:
    return request.getfixturevalue(request.param)


def seconds(table):
    return table["end_s"].to_numpy() - table["start_s"].to_numpy()


def test_raw_bytes_are_archived_on_their_way_or_named_as_lost(run: Run) -> None:
    written = {}
    for table, name in (("exposures", "product"), ("calibrations", "product")):
        rows = run[table]
        for product, mode in zip(rows[name].to_pylist(), rows["mode"].to_pylist(), strict=True):
            assert product not in written
            spectrograph = getattr(run.scenario.spectrographs, mode)
            written[product] = spectrograph.frame_bytes
    products = run["products"].filter(pc.equal(run["products"]["kind"], "raw"))
    ended = dict.fromkeys(("archived", "lost", "deleted"), 0.0)
    for outcome, size in zip(
        products["outcome"].to_pylist(), products["bytes"].to_pylist(), strict=True
    ):
        ended[outcome] += size
    assert ended["deleted"] == 0
    stocks = run["stocks"].to_pandas()
    last = (
        stocks[(stocks.night == run.nights - 1) & (stocks.kind == "raw")]
        .groupby("state")
        .bytes.sum()
    )
    on_the_way = sum(last.get(s, 0.0) for s in ("queued", "in transit", "ingesting"))
    assert sum(written.values()) == pytest.approx(
        last.get("archived", 0.0) + on_the_way + ended["lost"], rel=1e-12
    )
    assert last.get("archived", 0.0) == pytest.approx(ended["archived"], rel=1e-12)
    lost = products.filter(pc.equal(products["outcome"], "lost"))
    assert all(lost["lost_because"].to_pylist())


def test_the_storm_really_loses_and_delays_data(stormy_run: Run) -> None:
    assert stormy_run.summary["raw_lost"]["value"] > 0
    assert stormy_run.summary["raw_latency_95"]["value"] > 1
    intact = stormy_run["transfers"]["intact"].to_pylist()
    assert not all(intact)


def test_every_product_has_one_end(run: Run) -> None:
    products = run["products"]["product"].to_pylist()
    assert len(products) == len(set(products))


def test_joules_drawn_are_joules_supplied(run: Run) -> None:
    power, supply = run["power"], run["supply"]
    for site in set(supply["site"].to_pylist()):
        mine = power.filter(pc.equal(power["site"], site))
        drawn = float(np.sum(seconds(mine) * mine["value"].to_numpy()))
        rows = supply.filter(pc.equal(supply["site"], site))
        t = seconds(rows)
        load = float(np.sum(t * rows["load_w"].to_numpy()))
        given = float(
            np.sum(
                t
                * (
                    rows["solar_used_w"].to_numpy()
                    + rows["grid_w"].to_numpy()
                    - rows["battery_w"].to_numpy()
                )
            )
        )
        assert load == pytest.approx(drawn, rel=1e-9)
        assert given == pytest.approx(drawn, rel=1e-9)
        assert float(t.sum()) == pytest.approx(run.nights * 86400.0, abs=1e-3)
    assert set(power["site"].to_pylist()) <= set(supply["site"].to_pylist())


def test_the_battery_keeps_what_it_is_given(run: Run) -> None:
    supply = run["supply"].to_pandas()
    rows = supply[supply.site == "mountain"]
    battery = run.scenario.power.battery
    way = battery.efficiency**0.5
    t = (rows.end_s - rows.start_s).to_numpy()
    flow = rows.battery_w.to_numpy()
    change = np.sum(t * np.where(flow > 0, flow * way, flow / way))
    assert rows.stored_j.iloc[-1] == pytest.approx(battery.capacity_j + change, rel=1e-9, abs=10.0)
    assert rows.stored_j.min() >= 0
    assert rows.stored_j.max() <= battery.capacity_j
    assert (rows.grid_w >= -1e-6).all()
    assert (rows.solar_used_w <= rows.solar_w + 1e-6).all()


def test_every_fibre_of_every_visit_is_accounted_for(run: Run) -> None:
    model = run.scenario.focal_plane
    total = {"lr": model.lr_fibres, "hr": model.hr_fibres}
    rows = run["fibres"].to_pylist()
    assert len(rows) == 2 * run["visits"].num_rows
    for row in rows:
        uses = [row[u] for u in ("science", "standard", "sky", "unassigned", "broken")]
        assert sum(uses) == total[row["mode"]]
        assert min(uses) >= 0
    assigned = run["assignments"].to_pandas().groupby(["visit", "mode"]).assigned.sum()
    for row in rows:
        assert assigned.get((row["visit"], row["mode"]), 0) == row["science"]


def test_the_budget_of_the_night_adds_up_to_the_night(run: Run) -> None:
    use = run["time_use"].to_pandas()
    for night in run["nights"].to_pylist():
        mine = use[use.night == night["night"]].sort_values("start_s")
        assert mine.start_s.iloc[0] == pytest.approx(night["sunset_s"])
        assert mine.end_s.iloc[-1] == pytest.approx(night["sunrise_s"])
        assert np.allclose(mine.end_s.to_numpy()[:-1], mine.start_s.to_numpy()[1:], atol=1e-6)
        dark = mine[mine.state != "twilight"]
        length = (dark.end_s - dark.start_s).sum()
        assert length >= night["science_end_s"] - night["science_start_s"] - 1e-6


def test_science_time_is_open_shutter_time(run: Run) -> None:
    use = run["time_use"].to_pandas()
    science = use[use.state == "science"]
    visits = run["visits"].to_pandas()
    assert (science.end_s - science.start_s).sum() == pytest.approx(
        visits.open_shutter_s.sum(), abs=1.0 * len(science)
    )


def test_alerts_are_settled_once_and_in_order(run: Run) -> None:
    alerts = run["alerts"].to_pylist()
    numbers = [a["alert"] for a in alerts]
    assert len(numbers) == len(set(numbers))
    for a in alerts:
        if a["outcome"] == "observed":
            times = [
                a[k]
                for k in (
                    "arrival_s",
                    "possible_s",
                    "shutter_open_s",
                    "shutter_close_s",
                    "quicklook_s",
                )
            ]
            assert times == sorted(times)
            assert a["decided_s"] <= a["shutter_open_s"]
            assert a["shutter_open_s"] <= a["expiry_s"] + 7200


def test_credit_is_what_the_verdicts_left(run: Run) -> None:
    """Progress equals assigned fibres times the exposures that passed."""
    verdicts = run["verdicts"].to_pandas()
    exposures = run["exposures"].to_pandas().merge(verdicts, on=["exposure", "visit", "mode"])
    good = exposures[exposures.passed].groupby(["visit", "mode"]).size()
    pending = run["exposures"].num_rows - len(verdicts)
    assigned = run["assignments"].to_pandas()
    progress = run["progress"].to_pandas()
    last = progress[progress.night == run.nights - 1].set_index("survey").observed
    assert pending == 0 or run.scenario.quality.defect_fraction > 0.1
    if pending:
        return
    for survey, rows in assigned.groupby("survey"):
        expected = sum(r.assigned * good.get((r.visit, r.mode), 0) for r in rows.itertuples())
        assert last[survey] == expected


def test_numbers_are_given_once(run: Run) -> None:
    for table, columns in (
        ("visits", ["visit"]),
        ("exposures", ["exposure", "mode"]),
        ("verdicts", ["exposure", "mode"]),
        ("jobs", ["job"]),
        ("nights", ["night"]),
    ):
        rows = list(zip(*(run[table][c].to_pylist() for c in columns), strict=True))
        assert len(rows) == len(set(rows)), table
