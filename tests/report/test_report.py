"""The report: self-contained, safe, the same twice, and never at a loss on odd runs."""

import base64
import json
import re
import sys
from html.parser import HTMLParser

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from wstdes.agents.tables import TABLES
from wstdes.config import load_scenario
from wstdes.report import write_report
from wstdes.report.alerts import judged, outcomes
from wstdes.report.dataflow import hourly
from wstdes.report.energy import by_hour, sources
from wstdes.report.figure import MOST_BARS, grouped
from wstdes.report.page import SECTIONS
from wstdes.report.palette import OUTCOMES
from wstdes.report.paths import paths
from wstdes.report.text import amount, count, duration, figures, percent
from wstdes.report.view import Rows, View
from wstdes.study.run import load_run

SCHEMAS = {table.name: table.schema() for table in TABLES}
HOSTILE = "<script>alert('title')</script> & \"quotes\" $x^2$ \x07"
NIGHTS = 3
DAY_S = 86400.0
DUSK_S, DAWN_S = 28000.0, 60000.0
METRICS = {
    "visits": [6, "", "visits with at least one exposure", True],
    "share_science": [0.5539140170276353, "", "share of the night on science", True],
    "archived": [52.818, "TB", "in the archive at the end", True],
    "nothing": [None, "h", "nothing to measure", True],
    "raw_lost": [0.0, "TB", "raw data lost", False],
}


def table(name, rows):
    schema = SCHEMAS[name]
    arrays = [pa.array([r.get(f.name) for r in rows], f.type) for f in schema]
    return pa.Table.from_arrays(arrays, schema=schema)


def a_night(n):
    """Rows of a night: two visits, one exposure each, all the way to the archive."""
    t = n * DAY_S
    rows = {name: [] for name in SCHEMAS}
    dusk, dawn = t + DUSK_S, t + DAWN_S
    rows["nights"].append(
        {
            "night": n,
            "science_start_s": dusk,
            "science_end_s": dawn,
            "visits": 2,
            "moon_illumination": 0.5,
        }
    )
    uses = [("science", 10000.0), ("readout", 12000.0), ("weather", 20000.0), ("idle", 32000.0)]
    since = dusk
    for state, until in uses:
        rows["time_use"].append(
            {"night": n, "start_s": since, "end_s": dusk + until, "state": state, "cause": ""}
        )
        since = dusk + until
    for i in range(96):
        closed = 40 <= i < 45
        rows["conditions"].append(
            {
                "start_s": t + 900.0 * i,
                "end_s": t + 900.0 * (i + 1),
                "seeing_arcsec": 0.6 + 0.01 * i,
                "transparency": 1.0,
                "open": not closed,
                "closed_by": "cloud" if closed else "",
            }
        )
    for k in range(2):
        add_visit(rows, n, 2 * n + k, dusk + 3000.0 * k)
    rows["progress"] += [
        {
            "night": n,
            "t_s": t + DAY_S,
            "survey": s,
            "observed": 10.0 * n,
            "completed": 5 * n,
            "started": 8 * n,
            "effective_s": 1e4,
        }
        for s in load_scenario("baseline").scenario.surveys
    ]
    rows["supply"].append(
        {
            "start_s": t,
            "end_s": t + DAY_S,
            "site": "mountain",
            "load_w": 1e6,
            "solar_w": 5e5,
            "solar_used_w": 5e5,
            "battery_w": -2e5,
            "grid_w": 3e5,
            "carbon_kg_per_j": 1e-7,
        }
    )
    rows["power"].append(
        {
            "start_s": t,
            "end_s": t + DAY_S,
            "value": 1e6,
            "agent": "telescope",
            "load": "enclosure",
            "site": "mountain",
        }
    )
    rows["levels"] += [
        {
            "start_s": t,
            "end_s": t + DAY_S,
            "value": 1e12,
            "site": "mountain",
            "level": "stored_bytes",
        },
        {
            "start_s": t,
            "end_s": t + DAY_S,
            "value": 1e8,
            "site": "mountain-santiago",
            "level": "link_bytes_per_s",
        },
    ]
    return rows


def add_visit(rows, n, visit, t):
    """A visit whose products take: 20 s read-out, 60 s transfer, 10 wait, 100 compute, 5, 60."""
    rows["visits"].append(
        {
            "visit": visit,
            "night": n,
            "reason": "survey",
            "ra_deg": 150.0 + visit,
            "dec_deg": -30.0,
            "start_s": t,
            "end_s": t + 900.0,
            "exposures": 1,
            "open_shutter_s": 900.0,
        }
    )
    for mode in ("lr", "hr"):
        rows["fibres"].append(
            {
                "visit": visit,
                "mode": mode,
                "science": 50,
                "standard": 5,
                "sky": 20,
                "unassigned": 20,
                "broken": 5,
                "candidates": 90,
            }
        )
    rows["assignments"].append(
        {"visit": visit, "survey": "cosmo-wide", "mode": "lr", "wanted": 90, "assigned": 50}
    )
    close = t + 900.0
    rows["exposures"].append(
        {
            "exposure": visit,
            "visit": visit,
            "night": n,
            "mode": "lr",
            "shutter_open_s": t,
            "shutter_close_s": close,
            "effective_s": 800.0,
            "readout_end_s": close + 20.0,
        }
    )
    common = {
        "mode": "lr",
        "visit": visit,
        "night": n,
        "shutter_close_s": close,
        "outcome": "archived",
    }
    raw, product = 2 * visit, 2 * visit + 1
    rows["products"] += [
        {
            **common,
            "product": raw,
            "kind": "raw",
            "stage": "exposure",
            "exposure": visit,
            "bytes": 8e9,
            "created_s": close + 20.0,
            "end_s": close + 140.0,
        },
        {
            **common,
            "product": product,
            "kind": "products",
            "stage": "lr-redshift",
            "bytes": 1e9,
            "created_s": close + 190.0,
            "end_s": close + 255.0,
            "parents": str(raw),
        },
    ]
    rows["jobs"].append(
        {
            "job": visit,
            "stage": "lr-redshift",
            "role": "products",
            "mode": "lr",
            "visit": visit,
            "night": n,
            "ready_s": close + 20.0,
            "queued_s": close + 80.0,
            "start_s": close + 90.0,
            "end_s": close + 190.0,
            "output_product": product,
        }
    )
    rows["transfers"].append(
        {
            "product": product,
            "kind": "products",
            "source": "centre",
            "destination": "archive",
            "bytes": 1e9,
            "queued_s": close + 190.0,
            "end_s": close + 195.0,
            "intact": True,
        }
    )
    rows["alerts"] += [
        {
            "alert": 2 * visit,
            "alert_class": "prompt",
            "response": "switch",
            "follow_up": 0,
            "arrival_s": t - 5000.0,
            "asked_s": t - 5000.0,
            "expiry_s": t + 9e4,
            "outcome": "observed",
            "visit": visit,
            "decided_s": t - 100.0,
            "shutter_open_s": t,
            "shutter_close_s": close,
            "quicklook_s": close + 170.0,
            "target_response_s": 1800.0,
            "possible_s": t - 600.0,
        },
        {
            "alert": 2 * visit + 1,
            "alert_class": "passive",
            "response": "insert",
            "follow_up": 0,
            "arrival_s": t,
            "asked_s": t,
            "expiry_s": t + 4e5,
            "outcome": "expired",
            "target_response_s": 432000.0,
        },
    ]
    rows["faults"].append(
        {"agent": "telescope", "kind": "telescope", "start_s": t, "end_s": t + 3600.0, "count": 1}
    )


def full(nights):
    rows = {name: [] for name in SCHEMAS}
    for n in range(nights):
        for name, new in a_night(n).items():
            rows[name] += new
    return rows


def make_run(
    folder, rows, nights=NIGHTS, title="A run", status="complete", metrics=METRICS, rules=None
):
    (folder / "tables").mkdir(parents=True)
    for name, mine in rows.items():
        pq.write_table(table(name, mine), folder / "tables" / f"{name}.parquet")
    scenario = load_scenario("baseline").resolved() | {"title": title}
    scenario["allocation"] = rules or scenario["allocation"]
    manifest = {
        "wstdes": "0",
        "status": status,
        "scenario": "baseline",
        "title": title,
        "seed": 1,
        "scenario_digest": "abc",
        "start": "2041-03-01",
        "start_utc": "2041-03-01T16:40:46+00:00",
        "nights": nights,
        "nights_asked": NIGHTS,
        "seconds": 1.0,
        "files": [],
        "packages": {},
        "mock_surveys": ["cosmo-wide"],
        "credits": ["Gaia & others, https://example.org/"],
        "git_revision": None,
    }
    sources = [
        {
            "path": "a.b",
            "value": "1 m",
            "source": "<b>guess</b>",
            "confidence": "assumed",
            "range": "",
            "note": "",
        },
        {
            "path": "c.d",
            "value": "2 m",
            "source": "mine.yaml:3",
            "confidence": "set",
            "range": "",
            "note": "",
        },
    ]
    names = ("value", "unit", "meaning", "headline")
    summary = {k: dict(zip(names, v, strict=True)) for k, v in metrics.items()}
    for name, data in (
        ("manifest", manifest),
        ("scenario", scenario),
        ("provenance", sources),
        ("summary", summary),
    ):
        (folder / f"{name}.json").write_text(json.dumps(data))
    return load_run(folder)


@pytest.fixture
def undrawn(monkeypatch):
    """All but the drawing itself, which takes most of the time."""
    for section in SECTIONS:
        module = sys.modules[section.__module__]
        monkeypatch.setattr(module, "draw", lambda *args: "<svg></svg>")


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    run = make_run(tmp_path_factory.mktemp("report") / "run", full(NIGHTS), title=HOSTILE)
    return write_report(run).read_text()


class Links(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.links, self.ids = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [
            v for k, v in attrs if k in {"src", "href", "xlink:href", "srcset", "action"}
        ]
        self.ids += [v for k, v in attrs if k == "id"]


def test_needs_nothing_else(page):
    found = Links(page)
    assert {"script", "link", "iframe", "img", "object"}.isdisjoint(found.tags)
    assert all(link.startswith(("#", "data:")) for link in found.links)
    assert not re.search(r"@import|url\((?!#)", page)
    assert {link[1:] for link in found.links if link.startswith("#")} <= set(found.ids)


def test_ids_are_unique(page):
    ids = Links(page).ids
    assert len(ids) == len(set(ids))


def test_escapes_what_the_user_wrote(page):
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "<b>guess" not in page
    assert "\x07" not in page


def test_headline_is_the_summary(page):
    cards = dict(re.findall(r'data-metric="(\w+)" title="([^"]*)"', page))
    wanted = {k: v for k, v in METRICS.items() if v[3] and v[0] is not None}
    assert cards == {k: f"{v[0]} {v[1]}" for k, v in wanted.items()}
    assert re.search(r'class="number">55 <span class="unit">%', page)
    assert re.search(r'class="number">52.8 <span class="unit">TB', page)


def test_each_figure_is_whole(page):
    figures_ = re.findall(r"<figure.*?</figure>", page, re.DOTALL)
    assert len(figures_) >= 20
    for figure in figures_:
        assert len(re.search(r"<h3>(.*?)</h3>", figure, re.DOTALL)[1]) > 10
        assert len(re.search(r"<figcaption>(.*?)</figcaption>", figure, re.DOTALL)[1]) > 40
        assert figure.count("<svg") == 1
        data = re.search(
            r'download="[\w-]+\.csv" href="data:text/csv;charset=utf-8;base64,([^"]+)"', figure
        )
        lines = base64.b64decode(data[1]).decode().splitlines()
        assert len(lines) >= 2


def test_axes_have_units(page):
    svgs = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    dimensionless = ("figure-progress", "figure-faults")
    for svg in svgs:
        texts = re.findall(r"<text[^>]*>([^<]*)</text>", svg)
        key = "figure-" + re.search(r'id="(\w+)-', svg)[1]
        has_unit = any(re.search(r"\[.+\]|\btime\b", t) for t in texts)
        assert has_unit or key in dimensionless, (key, texts)


def test_same_run_same_bytes(tmp_path, page):
    run = make_run(tmp_path / "run", full(NIGHTS), title=HOSTILE)
    assert write_report(run, tmp_path / "again.html").read_text() == page


def test_report_stands_in_the_run_by_default(tmp_path):
    run = make_run(tmp_path / "run", {}, nights=0)
    assert write_report(run) == run.folder / "report.html"


def test_empty_tables(tmp_path):
    run = make_run(tmp_path / "run", {name: [] for name in SCHEMAS}, metrics={})
    text = write_report(run).read_text()
    assert text.count("nothing to show because") >= 15
    assert "in 0 " not in text


def test_no_tables_and_no_night(tmp_path):
    run = make_run(tmp_path / "run", {}, nights=0, status="partial", metrics={})
    (run.folder / "summary.json").unlink()
    text = write_report(load_run(run.folder)).read_text()
    assert "it holds 0 of 3 nights" in text
    assert "no night was simulated" in text


@pytest.mark.usefixtures("undrawn")
def test_partial_run_says_so(tmp_path):
    run = make_run(tmp_path / "run", full(2), nights=1, status="partial")
    text = write_report(run).read_text()
    assert 'class="banner"' in text
    assert "it holds 1 of 3 nights" in text


@pytest.mark.parametrize("missing", sorted(SCHEMAS))
@pytest.mark.usefixtures("undrawn")
def test_any_table_may_be_empty(tmp_path, missing):
    run = make_run(tmp_path / "run", full(1) | {missing: []}, nights=1)
    assert "How the run was made" in write_report(run).read_text()


@pytest.mark.parametrize("part", [0, 1])
def test_half_of_the_tables_may_be_empty(tmp_path, part):
    rows = full(1) | {name: [] for name in sorted(SCHEMAS)[part::2]}
    run = make_run(tmp_path / "run", rows, nights=1)
    assert "How the run was made" in write_report(run).read_text()


@pytest.mark.usefixtures("undrawn")
def test_visits_without_exposures(tmp_path):
    rows = full(1)
    for visit in rows["visits"]:
        visit["exposures"] = 0
    rows |= {"exposures": [], "products": [], "jobs": [], "alerts": []}
    text = write_report(make_run(tmp_path / "run", rows, nights=1)).read_text()
    assert "no visit took an exposure" in text


@pytest.mark.usefixtures("undrawn")
def test_arms_are_said_to_be_ignored_or_kept_apart(tmp_path):
    rows = full(NIGHTS)
    ignored = write_report(make_run(tmp_path / "ignored", rows)).read_text()
    assert "Arms were ignored" in ignored
    assert "arms are ignored (the scenario key allocation.collisions" in ignored
    for visit, gap in zip(rows["visits"], (0.0, 1e-12, 3e-4, 6e-4, 0.0, 0.0), strict=True):
        visit |= {"allocation_gap": gap, "reconfiguration_s": 7.5 + 4e3 * gap}
    both = {"collisions": True, "motion": True}
    apart = write_report(make_run(tmp_path / "apart", rows, rules=both)).read_text()
    assert "Arms were kept apart. In 4 of 6 visits no choice of targets has a greater sum" in apart
    assert "at most 0.015 % below the greatest, in the worst 0.060 %." in apart
    assert "took 8.1 s in the mean (7.5 to 9.9 s)" in apart
    assert "arms are ignored" not in apart
    fixed = make_run(tmp_path / "fixed", full(NIGHTS), rules={"collisions": True, "motion": False})
    text = write_report(fixed).read_text()
    assert "Arms were kept apart.</p>" in text


def test_many_nights_are_grouped(tmp_path):
    rows = {name: [] for name in SCHEMAS}
    rows["time_use"] = [
        {"night": n, "start_s": n * DAY_S, "end_s": n * DAY_S + 3600.0 * (1 + n % 2),
         "state": "science"} for n in range(300)
    ]  # fmt: skip
    text = write_report(make_run(tmp_path / "run", rows, nights=300, metrics={})).read_text()
    assert "mean of 3 nights" in text
    assert "for 450 of 450 h" in text


def test_path_adds_up(tmp_path):
    view = View(make_run(tmp_path / "run", full(1), nights=1))
    found = paths(view)
    assert len(found) == 2
    wanted = {"read-out": 20.0, "transfer of inputs": 60.0, "wait for a node": 10.0,
              "analyse": 100.0, "transfer to the archive": 5.0, "ingest": 60.0}  # fmt: skip
    for path in found:
        assert {k: v for k, v in path.parts.items() if v} == pytest.approx(wanted)
        assert sum(path.parts.values()) == pytest.approx(path.total_s)
        ends = [0.0, *(end for _, _, end in path.segments)]
        assert [begin for _, begin, _ in path.segments] == pytest.approx(ends[:-1])


def test_raw_data_of_nights_are_no_calibration_and_their_products_wait_for_the_morning(tmp_path):
    """Where a night is one product: stages say the grain, and nothing has a visit."""
    rows = full(1)
    for row in rows["products"] + rows["jobs"]:
        row["visit"] = None
        if row.get("kind") == "raw":
            row["stage"] = "night"
    view = View(make_run(tmp_path / "run", rows, nights=1))
    for path in paths(view):
        assert (
            path.parts["rest of the night"] > 0.0 == path.parts["other"] == path.parts["read-out"]
        )
        assert sum(path.parts.values()) == pytest.approx(path.total_s)
    text = write_report(view.run).read_text()
    assert "raw, calibration frames" not in text
    assert "raw exposures" in text
    assert "of night 0" in text
    assert "visit None" not in text


def test_bars_of_many_nights_are_about_as_wide_as_each_other():
    for nights in (1, 99, 100, 101, 149, 1826, 3653):
        size, bar = grouped(nights)
        each = np.bincount(bar)
        assert len(each) <= MOST_BARS
        assert (each[:-1] == size).all()
        assert 0.5 * size <= each[-1] <= 1.5 * size


def test_outcomes_count_from_when_an_alert_was_up_if_that_is_known():
    rows = Rows(table("alerts", full(1)["alerts"])).where(outcome="observed")
    words = np.array(list(OUTCOMES))
    assert set(words[outcomes(rows)]) == {"observed in time"}
    rows = Rows(rows.table.drop_columns(["possible_s"]))
    assert set(words[outcomes(rows)]) == {"observed late"}
    dropped = [a | {"outcome": "dropped"} for a in full(1)["alerts"]]
    assert set(words[outcomes(Rows(table("alerts", dropped)))]) == {"dropped out"}
    lost = [a | {"outcome": "expired", "response": r, "possible_s": p}
            for r, p in (("insert", 5.0), ("switch", 5.0), ("switch", None))
            for a in full(1)["alerts"][:1]]  # fmt: skip
    assert words[outcomes(Rows(table("alerts", lost)))].tolist() == [
        "expired", "expired, though it was up at night", "expired, never up at night"
    ]  # fmt: skip


def test_alerts_that_are_not_over_do_not_flatter(tmp_path):
    view = View(make_run(tmp_path / "run", full(2), nights=2))
    expiry_s = view.rows("alerts").num("expiry_s")
    assert expiry_s.max() > 2 * DAY_S
    assert 0 < len(judged(view)) == (expiry_s <= 2 * DAY_S).sum()
    assert set(judged(view).text("outcome")) <= {"observed"}


def test_integrals():
    rows = Rows(pa.table({"start_s": [0.0, 1800.0, 9000.0], "end_s": [1800.0, 5400.0, 10800.0],
                          "value": [2.0, 1.0, 3.0]}))  # fmt: skip
    per_hour = [3600.0 + 1800.0, 1800.0, 5400.0]
    assert hourly(rows, 3) == pytest.approx(per_hour)
    columns = [rows.num(n) for n in ("start_s", "end_s", "value")]
    assert by_hour(*columns)[:3] == pytest.approx(per_hour)
    assert by_hour(*columns).sum() == pytest.approx(sum(per_hour))


def test_sources_cover_the_load():
    rows = Rows(table("supply", [
        {"load_w": 10.0, "solar_used_w": 25.0, "battery_w": 15.0, "grid_w": 0.0},
        {"load_w": 10.0, "solar_used_w": 4.0, "battery_w": -5.0, "grid_w": 1.0},
    ]))  # fmt: skip
    found = sources(rows)
    assert found["sun"].tolist() == [10.0, 4.0]
    assert found["battery"].tolist() == [0.0, 5.0]
    assert found["grid"].tolist() == [0.0, 1.0]


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (0.78046, "0.780"), (52.818, "52.8"), (722.2, "722"), (3240.3, "3\u202f240"),
     (999.96, "1\u202f000"), (float("nan"), "—"), (-1.2345, "-1.23")],
)  # fmt: skip
def test_figures(value, text):
    assert figures(value) == text


def test_words():
    assert count(2074632) == "2.07 million"
    assert count(144295) == "144\u202f295"
    assert percent(0.0004) == "less than 0.1 %"
    assert percent(0.016) == "1.6 %"
    assert duration(46.8 * 60.0) == "46.8 min"
    assert duration(0.13) == "0.13 s"
    assert amount(0.0, "") == ("0", "%")
    assert amount(3, "") == ("3", "")
    assert amount(None, "h") == ("—", "")
    assert np.isfinite(float(amount(12.3456, "TB")[0]))
