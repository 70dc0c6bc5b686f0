"""The summary against the same numbers worked out from the Parquet files with SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pytest

import wstdes
from wstdes.errors import RunError
from wstdes.kernel.trace import digest_table
from wstdes.study.accounts import accounts, energy_by_agent, supply_by_site
from wstdes.study.metrics import summarise

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from wstdes.study.run import Run

    Sql = Callable[[str], list[tuple[Any, ...]]]


@pytest.fixture(params=["small_run", "stormy_run"])
def run(request: pytest.FixtureRequest) -> Run:
    return request.getfixturevalue(request.param)


@pytest.fixture
def sql(run: Run) -> Sql:
    connection = duckdb.connect()
    for name in run.tables:
        path = run.folder / "tables" / f"{name}.parquet"
        connection.execute(f"create view {name} as select * from read_parquet('{path}')")

    def ask(query: str) -> list[tuple[Any, ...]]:
        return connection.execute(query).fetchall()

    return ask


def value(run: Run, name: str) -> Any:
    return run.summary[name]["value"]


def test_what_limited_the_nights_is_the_share_of_dark_time(run: Run, sql: Sql) -> None:
    rows = sql(
        "select state, sum(end_s - start_s) from time_use where state != 'twilight' group by state"
    )
    hours = {state: seconds / 3600 for state, seconds in rows}
    assert value(run, "night_hours") == pytest.approx(sum(hours.values()), rel=1e-9)
    shares = {
        k.removeprefix("share_"): m["value"]
        for k, m in run.summary.items()
        if k.startswith("share_")
    }
    for state, h in hours.items():
        assert shares.pop(state) == pytest.approx(h / sum(hours.values()), rel=1e-9)
    assert set(shares.values()) <= {0.0}  # named states that did not come up
    usable = sum(h for s, h in hours.items() if s not in {"weather", "fault"})
    assert value(run, "open_shutter_fraction") == pytest.approx(hours["science"] / usable)


def test_the_shares_of_the_night_add_up_to_one(run: Run) -> None:
    total = sum(m["value"] for k, m in run.summary.items() if k.startswith("share_"))
    assert total == pytest.approx(1.0, rel=1e-9)


@pytest.mark.parametrize("kind", ["raw", "reduced", "products"])
def test_latencies_are_shutter_close_to_archive(run: Run, sql: Sql, kind: str) -> None:
    only = "and stage = 'exposure'" if kind == "raw" else ""
    [(count, median, slow)] = sql(
        "select count(*), quantile_cont(h, 0.5), quantile_cont(h, 0.95) from "
        "(select (end_s - shutter_close_s) / 3600 as h from products "
        f"where kind = '{kind}' and outcome = 'archived' {only})"
    )
    assert count > 0
    assert value(run, f"{kind}_latency_median") == pytest.approx(median, rel=1e-9)
    assert value(run, f"{kind}_latency_95") == pytest.approx(slow, rel=1e-9)
    assert 0 < median <= slow


def test_latency_of_raw_data_is_also_that_of_the_exposures_table(run: Run, sql: Sql) -> None:
    """Joined by product: the time from the exposure's own shutter."""
    [(median,)] = sql(
        "select median((p.end_s - e.shutter_close_s) / 3600) from exposures e "
        "join products p using (product) where p.outcome = 'archived'"
    )
    assert value(run, "raw_latency_median") == pytest.approx(median, rel=1e-9)


def test_visits_targets_and_failures_are_counted(run: Run, sql: Sql) -> None:
    [(visits,)] = sql("select count(distinct visit) from exposures")
    assert value(run, "visits") == visits > 0
    [(failed, judged)] = sql("select count(*) filter (not passed), count(*) from verdicts")
    assert value(run, "exposures_failed") == pytest.approx(failed / judged)
    fibre = [n for n, s in run.scenario.surveys.items() if s.mode != "ifs"]
    last = dict(
        sql(
            "select survey, completed from progress where night = (select max(night) from progress)"
        )
    )
    assert value(run, "targets_completed") == sum(last[s] for s in fibre)
    for survey, completed in last.items():
        assert value(run, f"completed_{survey}") == completed
    [(passed,)] = sql("select count(*) from verdicts where mode = 'ifs' and passed")
    spaxels = 720**2  # 3 minutes of arc in steps of 0.25 seconds of arc
    assert value(run, "ifs_spectra") == spaxels * last["ifs-fields"]
    assert last["ifs-fields"] < passed  # several exposures of a field are one field


@pytest.mark.parametrize("mode", ["lr", "hr"])
def test_fibres_on_targets_are_a_share_of_the_usable_ones(run: Run, sql: Sql, mode: str) -> None:
    [(science, usable)] = sql(
        "select sum(science), sum(science + standard + sky + unassigned) from fibres "
        f"where mode = '{mode}'"
    )
    assert value(run, f"fibres_{mode}_science") == pytest.approx(float(science) / float(usable))


def test_raw_data_written_are_the_frames_of_exposures_and_calibrations(run: Run, sql: Sql) -> None:
    frames = dict(
        sql(
            "select mode, count(*) from (select mode from exposures union all "
            "select mode from calibrations) group by mode"
        )
    )
    size = sum(n * getattr(run.scenario.spectrographs, m).frame_bytes for m, n in frames.items())
    assert value(run, "raw_written") == pytest.approx(size / 1e12, rel=1e-9)
    assert value(run, "raw_written_per_year") == pytest.approx(
        size / 1e15 * 365.25 / run.nights, rel=1e-9
    )
    [(lost,)] = sql(
        "select coalesce(sum(bytes), 0) from products where kind = 'raw' and outcome = 'lost'"
    )
    assert value(run, "raw_lost") == pytest.approx(lost / 1e12)


def test_alerts_are_answered_as_the_table_says(run: Run, sql: Sql) -> None:
    """Of those whose time was over before the run ended."""
    for name, alert_class in run.scenario.alerts.items():
        [(settled, observed, median, possible, in_time)] = sql(
            "select count(*), count(*) filter (outcome = 'observed'), "
            "median((shutter_open_s - possible_s) / 60) filter (outcome = 'observed'), "
            "count(possible_s), count(*) filter (outcome = 'observed' and "
            "shutter_open_s - possible_s <= target_response_s) "
            f"from alerts where alert_class = '{name}' and expiry_s <= {run.nights * 86400.0}"
        )
        assert value(run, f"alerts_{name}_over") == settled
        if settled:
            assert value(run, f"alerts_{name}_observed") == pytest.approx(observed / settled)
        found = value(run, f"alerts_{name}_response_median")
        assert found == (None if median is None else pytest.approx(median))
        if alert_class.response != "insert" and possible:
            assert value(run, f"alerts_{name}_in_time") == pytest.approx(in_time / possible)


def test_energy_by_agent_adds_up_to_what_each_site_drew(run: Run, sql: Sql) -> None:
    rows = sql(
        "select site, agent || case when load = '' then '' else '/' || load end, "
        "sum((end_s - start_s) * value) from power group by all"
    )
    found = energy_by_agent(run)
    assert set(found) == {(site, agent) for site, agent, _ in rows}
    for site, agent, joules in rows:
        assert found[site, agent] == pytest.approx(joules, rel=1e-9)
    for site, sums in supply_by_site(run).items():
        drawn = sum(j for s, _, j in rows if s == site)
        assert sums["load"] == pytest.approx(drawn, rel=1e-9)
        assert value(run, f"energy_{site}") == pytest.approx(drawn / 3.6e9, rel=1e-9)
    total = sum(j for _, _, j in rows) / 3.6e9
    assert value(run, "energy") == pytest.approx(total, rel=1e-9)
    nodes = sum(j for _, agent, j in rows if agent.startswith("computing@"))
    assert value(run, "energy_computing") == pytest.approx(nodes / 3.6e9, rel=1e-9)


def test_sun_battery_and_grid_cover_the_load_of_every_site(run: Run) -> None:
    for sums in supply_by_site(run).values():
        given = sums["solar_used"] + sums["grid"] + sums["discharged"] - sums["charged"]
        assert given == pytest.approx(sums["load"], rel=1e-9)
    mountain = supply_by_site(run)["mountain"]
    assert value(run, "solar_share_mountain") == pytest.approx(
        1 - mountain["grid"] / mountain["load"], rel=1e-9
    )


def test_electricity_is_paid_and_emits_what_the_grid_gave(run: Run, sql: Sql) -> None:
    scenario = run.scenario
    price = {n: s.grid.price_eur_per_j for n, s in scenario.computing.sites.items()}
    price["network"] = scenario.network.grid.price_eur_per_j
    bought = dict(sql("select site, sum((end_s - start_s) * grid_w) from supply group by site"))
    carbon = dict(
        sql("select site, sum((end_s - start_s) * grid_w * carbon_kg_per_j) from supply group by 1")
    )
    euros = sum(price[s] * j for s, j in bought.items())
    assert value(run, "money_electricity") == pytest.approx(euros / 1e3, rel=1e-9)
    assert value(run, "carbon_electricity") == pytest.approx(sum(carbon.values()) / 1e3, rel=1e-9)
    assert set(bought) == set(price)


def by_item(run: Run) -> dict[tuple[str, str, str], float]:
    """Sums by account, site and item (the nodes of both pools are one item)."""
    sums: dict[tuple[str, str, str], float] = {}
    for e in accounts(run):
        sums[e.account, e.site, e.item] = sums.get((e.account, e.site, e.item), 0.0) + e.value
    return sums


def test_the_accounts_add_up_and_lasting_things_count_by_time(run: Run) -> None:
    entries = accounts(run)
    assert all(e.value >= 0 for e in entries)
    assert {e.basis for e in entries} == {"operation", "share"}
    for account, metric in (("carbon", "carbon"), ("money", "money_data_and_power")):
        total = sum(e.value for e in entries if e.account == account and e.site != "observatory")
        assert value(run, metric) == pytest.approx(total / 1e3, rel=1e-9)
    found = by_item(run)
    scenario, years = run.scenario, run.nights / 365.25
    centre = scenario.computing.sites["centre"]
    nodes = sum(
        count * node.price_eur / (node.lifetime_s / 31557600.0)
        for count, node in ((centre.cpu_nodes, centre.cpu), (centre.gpu_nodes, centre.gpu))
    )
    assert found["money", "centre", "nodes"] == pytest.approx(nodes * years, rel=1e-9)
    links = sum(link.price_eur_per_yr for link in scenario.network.links.values())
    assert found["money", "network", "links"] == pytest.approx(links * years, rel=1e-9)
    costs = scenario.costs
    yearly = costs.construction_eur * (
        31557600.0 / costs.facility_lifetime_s + costs.operations_per_year
    )
    assert value(run, "money_observatory") * 1e3 == pytest.approx(yearly * years, rel=1e-9)


def test_the_archive_pays_for_what_it_holds(run: Run, sql: Sql) -> None:
    [(byte_seconds,)] = sql(
        "select sum((end_s - start_s) * value) from levels "
        "where level = 'stored_bytes' and site = 'archive'"
    )
    storage = run.scenario.computing.sites["archive"].storage
    found = by_item(run)
    expected = byte_seconds * storage.price_eur_per_byte / storage.lifetime_s
    assert found["money", "archive", "storage"] == pytest.approx(expected, rel=1e-9)


def test_every_metric_has_unit_and_meaning_and_five_to_eleven_open_the_report(run: Run) -> None:
    for name, metric in run.summary.items():
        assert set(metric) == {"value", "unit", "meaning", "headline"}
        assert metric["meaning"], name
        assert metric["value"] is None or np.isfinite(metric["value"]), name
    assert 5 <= sum(m["headline"] for m in run.summary.values()) <= 11
    assert summarise(run) == run.summary


# The run itself -------------------------------------------------------------------------------


def test_an_unknown_table_is_refused_with_the_one_meant(small_run: Run) -> None:
    with pytest.raises(RunError, match="no table 'visit'; did you mean 'visits'"):
        small_run["visit"]
    with pytest.raises(RunError, match="no table 'xyz'"):
        small_run.table("xyz")


def test_a_table_comes_whole_or_in_the_columns_asked_for_with_units(small_run: Run) -> None:
    table = small_run.table("exposures", ["shutter_open_s", "mode"])
    assert table.column_names == ["shutter_open_s", "mode"]
    assert table.schema.field("shutter_open_s").metadata[b"unit"] == b"s"
    assert table["mode"].to_pylist() == small_run["exposures"]["mode"].to_pylist()
    for name in small_run.tables:
        for field in small_run[name].schema:
            assert field.metadata[b"description"], (name, field.name)


def test_a_run_is_opened_again_as_it_was(small_run: Run) -> None:
    again = wstdes.load(str(small_run.folder))
    assert again.complete
    assert again.tables == small_run.tables
    assert again.summary == small_run.summary
    assert again.scenario == small_run.scenario
    assert again.digest() == small_run.digest()
    assert {p["confidence"] for p in again.provenance} >= {"published", "assumed", "set"}


def test_the_digest_of_a_run_is_that_of_its_tables(small_run: Run, stormy_run: Run) -> None:
    assert small_run.digest() != stormy_run.digest()
    names = [n for n in small_run.tables if n in stormy_run.tables]
    assert any(digest_table(small_run[n]) != digest_table(stormy_run[n]) for n in names)


def test_what_is_no_run_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="there is no folder"):
        wstdes.load(tmp_path / "nowhere")
    with pytest.raises(RunError, match="no run directory"):
        wstdes.load(tmp_path)
    (tmp_path / "manifest.json").write_text("{", encoding="utf-8")
    with pytest.raises(RunError, match="cannot be read"):
        wstdes.load(tmp_path)


def test_a_folder_that_holds_a_run_is_not_written_over(small_run: Run) -> None:
    before = small_run.digest()
    with pytest.raises(RunError, match="holds a run already"):
        wstdes.run("small", nights=1, out=small_run.folder)
    assert wstdes.load(small_run.folder).digest() == before
