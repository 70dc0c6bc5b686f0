"""Merit by hand, on small tables."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from wstdes.agents.tables import TABLES
from wstdes.config import load_scenario
from wstdes.study.coverage import coverage, distinct, tiles, uniformity
from wstdes.study.limits import limits
from wstdes.study.merit import Curve, cadence_kept, completeness, date_done, joint
from wstdes.study.merit_metrics import efficiency, merit
from wstdes.study.run import Run, load_run
from wstdes.study.tradeoff import contested, fibre_hours

if TYPE_CHECKING:
    from pathlib import Path

SCHEMAS = {t.name: t.schema() for t in TABLES}
DAY_S = 86400.0
WIDE, DEEP, STARS, FIELDS = "cosmo-wide", "cosmo-deep", "bright-stars-hr", "ifs-fields"
Rows = dict[str, list[dict[str, Any]]]


def make(folder: Path, rows: Rows, nights: int = 1, **changes: Any) -> Run:
    """A run with these rows; all other tables are empty."""
    (folder / "tables").mkdir(parents=True)
    for name, schema in SCHEMAS.items():
        arrays = [pa.array([r.get(f.name) for r in rows.get(name, [])], f.type) for f in schema]
        table = pa.Table.from_arrays(arrays, schema=schema)
        pq.write_table(table, folder / "tables" / f"{name}.parquet")
    scenario = load_scenario("baseline").resolved()
    for path, value in changes.items():
        scenario["surveys"][path.replace("_", "-")] |= value
    (folder / "scenario.json").write_text(json.dumps(scenario))
    (folder / "manifest.json").write_text(json.dumps({"nights": nights, "status": "complete"}))
    return load_run(folder)


def sky(places: list[tuple[float, float]]) -> list[dict[str, Any]]:
    return [{"tile": i, "ra_deg": a, "dec_deg": d} for i, (a, d) in enumerate(places)]


def covered(survey: str, left: list[float], total: float = 100.0) -> list[dict[str, Any]]:
    return [
        {"night": 0, "tile": i, "survey": survey, "remaining": r, "total": total}
        for i, r in enumerate(left)
    ]


def progress(survey: str, completed: list[int], effective_s: float = 0.0) -> list[dict[str, Any]]:
    return [
        {"night": n, "t_s": (n + 1) * DAY_S, "survey": survey, "completed": c,
         "effective_s": effective_s * (n + 1)}
        for n, c in enumerate(completed)
    ]  # fmt: skip


def visit(number: int, tile: int = 0, open_s: float = 3600.0, **more: Any) -> dict[str, Any]:
    return {"visit": number, "night": 0, "tile": tile, "exposures": 1, "open_shutter_s": open_s,
            "start_s": 40000.0, "decided_s": 40000.0, "sky": 1.0, **more}  # fmt: skip


def given(number: int, survey: str, wanted: int, assigned: int, mode: str = "lr") -> dict[str, Any]:
    return {"visit": number, "survey": survey, "mode": mode, "wanted": wanted, "assigned": assigned}


# Completeness ---------------------------------------------------------------------------------


def test_a_date_lies_between_noons_and_is_none_when_not_reached() -> None:
    share = np.array([0.0, 0.4, 0.9, 0.8, 0.95])
    curve = Curve(10.0, np.arange(5) * DAY_S, 10.0 * share, share)
    assert date_done(curve, 0.5) == pytest.approx(1.2 * DAY_S)
    assert date_done(curve, 0.4) == pytest.approx(DAY_S)
    assert date_done(curve, 0.9) == pytest.approx(2.0 * DAY_S)  # taken back later, still reached
    assert date_done(curve, 0.95) == pytest.approx(4.0 * DAY_S)
    assert date_done(curve, 0.99) is None


def test_completeness_is_finished_over_distinct_targets(tmp_path: Path) -> None:
    """Two fields on each other hold the same targets; fields far apart hold others."""
    rows = {
        "tiles": sky([(10.0, 0.0), (10.0, 0.0), (50.0, -20.0)]),
        "coverage": [*covered(WIDE, [0.0, 0.0, 0.0]), *covered(FIELDS, [0.0, 0.5, 1.0], 1.0)],
        "progress": [*progress(WIDE, [50, 150]), *progress(FIELDS, [1, 1]),
                     *progress("time-domain", [3, 4])],
    }  # fmt: skip
    run = make(tmp_path / "run", rows, nights=2)
    curves = completeness(run)
    assert curves[WIDE].targets == pytest.approx(200.0)
    assert curves[WIDE].share == pytest.approx([0.0, 0.25, 0.75])
    assert curves[FIELDS].targets == pytest.approx(3.0)  # a field a tile, wherever the tiles are
    assert np.isnan(curves["time-domain"].share).all()
    whole = joint(run, curves)
    assert whole is not None
    wide, fields = (run.scenario.surveys[n].weight for n in (WIDE, FIELDS))
    expected = (wide * 150.0 + fields * 1.0) / (wide * 200.0 + fields * 3.0)
    assert whole.share[-1] == pytest.approx(expected)
    found = {m.name: m.value for m in merit(run)}
    assert found["completeness"] == pytest.approx(expected)
    assert found[f"done_50_{WIDE}"] == pytest.approx(1.5)
    assert found[f"done_90_{WIDE}"] is None
    assert found["done_50"] is None  # the fields are not half done


@pytest.mark.parametrize("radius", [None, 1.25])
def test_overlapping_fields_count_the_sky_they_share_once(
    tmp_path: Path, radius: float | None
) -> None:
    """Pairs at one distance: two circles' union over their sum, in closed form (plane)."""
    scale, apart = 40.0, 1.3
    places = [(x * scale, y * 8.0) for x in range(8) for y in range(-3, 4)]
    both = [(a + s * 0.5 * apart / np.cos(np.radians(d)), d) for a, d in places for s in (-1, 1)]
    fields = [{**tile, "radius_deg": radius} for tile in sky(both)]
    run = make(tmp_path / "run", {"tiles": fields, "coverage": covered(WIDE, [100.0] * len(both))})
    radius = radius or 0.5 * np.degrees(run.scenario.telescope.field_diameter_rad)
    lens = 2 * radius**2 * np.arccos(apart / (2 * radius))
    lens -= 0.5 * apart * np.sqrt(4 * radius**2 - apart**2)
    expected = (2 * np.pi * radius**2 - lens) / (2 * np.pi * radius**2)
    found = distinct(run, tiles(run), coverage(run))[WIDE] / (100.0 * len(both))
    assert found == pytest.approx(expected, abs=0.01)


def test_only_the_last_that_was_written_counts(tmp_path: Path) -> None:
    old = [{**r, "night": 29} for r in covered(WIDE, [100.0])]
    new = [{**r, "night": 40} for r in covered(WIDE, [30.0])]
    run = make(tmp_path / "run", {"tiles": sky([(0.0, 0.0)]), "coverage": old + new}, nights=41)
    assert coverage(run)[WIDE].share == pytest.approx([0.7])
    assert coverage(run)[WIDE].night == 40


# Uniformity -----------------------------------------------------------------------------------


def test_uniformity_of_two_patches_by_hand(tmp_path: Path) -> None:
    """Half of the tiles, far from the others, all done: spread 1/2, Gini 1/2, worst patch 0."""
    places = [(10.0 + 0.2 * i, -20.0) for i in range(7)] + [
        (190.0 + 0.2 * i, -20.0) for i in range(7)
    ]
    rows = {"tiles": sky(places), "coverage": covered(WIDE, [0.0] * 7 + [100.0] * 7)}
    found = uniformity(make(tmp_path / "run", rows))[WIDE]
    assert (found.small, found.large, found.gini, found.worst) == pytest.approx((0, 0.5, 0.5, 0))
    assert found.patches == 2


def test_small_scale_uniformity_sees_what_patches_average_out(tmp_path: Path) -> None:
    """One tile of a cluster of seven is not begun: it differs from its neighbours by 1."""
    rows = {
        "tiles": sky([(10.0 + 0.2 * i, -20.0) for i in range(7)]),
        "coverage": covered(WIDE, [100.0] + [0.0] * 6),
    }
    found = uniformity(make(tmp_path / "run", rows))[WIDE]
    assert found.small == pytest.approx(np.sqrt((1.0 + 6.0 / 36.0) / 7.0))
    assert found.large == pytest.approx(0.0)
    assert found.worst == pytest.approx(6.0 / 7.0)


# Cadence and price ----------------------------------------------------------------------------


def test_returns_in_their_window_keep_the_cadence(tmp_path: Path) -> None:
    days = [0.0, 10.0, 22.0, 40.0, 45.0]  # after 10 (in time), 12 (the edge), 18, 5
    rows = {
        "visits": [visit(i, 3, decided_s=d * DAY_S) for i, d in enumerate(days)]
        + [visit(5, 5, decided_s=46.0 * DAY_S)]
        + [visit(6, 3, decided_s=4.0 * DAY_S, exposures=0)],  # clouds came before the first
        "assignments": [given(i, WIDE, 9, 5) for i in range(7)] + [given(2, DEEP, 5, 5)],
    }
    rules = {"visits": 4, "interval": "10 d", "tolerance": "2 d"}
    run = make(tmp_path / "run", rows, cosmo_wide={"cadence": rules})
    assert cadence_kept(run) == {WIDE: (2, 4)}


def test_the_price_is_what_was_wanted_and_others_had(tmp_path: Path) -> None:
    rows = {
        "visits": [visit(0), visit(1, open_s=1800.0), visit(2)],
        "assignments": [
            given(0, WIDE, 120, 60), given(0, DEEP, 40, 30), given(0, "milky-way", 10, 10),
            given(0, STARS, 500, 5, "hr"),  # alone in its mode: nobody's fault
            given(1, WIDE, 100, 90), given(2, DEEP, 7, 7),
        ],
    }  # fmt: skip
    run = make(tmp_path / "run", rows)
    hours = fibre_hours(run)
    assert hours[WIDE] == pytest.approx(60.0 + 45.0)
    assert hours[DEEP] == pytest.approx(37.0)
    assert hours[STARS] == pytest.approx(5.0)
    price = contested(run)
    assert price[WIDE, DEEP] == pytest.approx(30.0)  # 60 short, but others had 30 + 10 alone
    assert price[WIDE, "milky-way"] == pytest.approx(10.0)
    assert price[DEEP, WIDE] == pytest.approx(10.0 * 60.0 / 70.0)
    assert not any(STARS in pair for pair in price)


def test_efficiency_is_effective_over_open(tmp_path: Path) -> None:
    rows = {
        "exposures": [
            {"mode": "lr", "open_shutter_s": 1000.0, "effective_s": 700.0},
            {"mode": "lr", "open_shutter_s": 1000.0, "effective_s": 900.0},
        ],
        "time_use": [
            {"night": 0, "start_s": 0.0, "end_s": 3600.0, "state": "twilight"},
            {"night": 0, "start_s": 3600.0, "end_s": 10800.0, "state": "science"},
        ],
        "progress": progress(WIDE, [50]) + progress(FIELDS, [7]),
    }
    found = {m.name: m.value for m in efficiency(make(tmp_path / "run", rows))}
    assert found["effective_over_open_lr"] == pytest.approx(0.8)
    assert found["effective_lr"] == pytest.approx(1600.0 / 3600.0)
    assert found["effective_over_open_hr"] is None
    assert found["targets_per_hour"] == pytest.approx(25.0)


# What holds a survey back ---------------------------------------------------------------------


def limited(folder: Path, *visits: dict[str, Any], survey: str = WIDE, **more: Any) -> Any:
    """The limit of a survey that begins all its targets in one tile overhead."""
    rows: Rows = {
        "tiles": sky([(150.0, -25.0)]),
        "coverage": covered(survey, [more.pop("left", 90.0)]),
        "progress": progress(survey, [more.pop("completed", 10)], more.pop("effective_s", 2e6)),
        "time_use": [
            {"night": 0, "start_s": 30000.0, "end_s": 60000.0 - more.get("lost_s", 0.0),
             "state": "science"},
            {"night": 0, "start_s": 60000.0 - more.pop("lost_s", 0.0), "end_s": 60000.0,
             "state": "weather"},
        ],
        "visits": list(visits),
        "assignments": more.pop("given", []),
    }  # fmt: skip
    return limits(make(folder, rows))[survey]


def test_fibres_bind_where_many_targets_want_each(tmp_path: Path) -> None:
    found = limited(tmp_path / "run", visit(0), given=[given(0, WIDE, 3000, 1000)])
    assert found.binding == "fibres"
    assert found.factors["fibres"] == pytest.approx(3.0)
    assert found.needed_s == pytest.approx(2400.0)
    assert found.given_s == pytest.approx(2000.0)
    assert found.left == pytest.approx(90.0)
    assert found.rate_per_yr == pytest.approx(10 * 365.25)
    assert found.end_s == pytest.approx(DAY_S + 9 * DAY_S)


def test_depth_binds_where_a_target_needs_many_visits(tmp_path: Path) -> None:
    found = limited(tmp_path / "run", visit(0), survey=DEEP, given=[given(0, DEEP, 1200, 1000)])
    assert found.binding == "depth"
    assert found.factors["depth"] == pytest.approx(3.2 * 3600.0 / 2000.0)


def test_dark_time_binds_where_most_of_the_sky_is_too_bright(tmp_path: Path) -> None:
    bright = [visit(i, sky=9.0) for i in range(1, 6)]
    found = limited(tmp_path / "run", visit(0), *bright, given=[given(0, WIDE, 1100, 1000)])
    assert found.binding == "sky"
    assert (found.open_h, found.sky_h, found.used_h) == pytest.approx((6.0, 1.0, 1.0))


def test_visibility_binds_where_its_tiles_are_not_up(tmp_path: Path) -> None:
    """At noon plus 40,000 s its only tile is up; 50,000 s earlier it is not."""
    away = [visit(i, start_s=40000.0 - 43000.0) for i in range(1, 5)]
    found = limited(tmp_path / "run", visit(0), *away, given=[given(0, WIDE, 1100, 1000)])
    assert found.binding == "visibility"
    assert (found.sky_h, found.up_h) == pytest.approx((5.0, 1.0))


def test_others_bind_where_its_hours_went_to_them(tmp_path: Path) -> None:
    others = [visit(i) for i in range(1, 6)]
    found = limited(tmp_path / "run", visit(0), *others, given=[given(0, WIDE, 1100, 1000)])
    assert found.binding == "others"
    assert (found.up_h, found.used_h) == pytest.approx((6.0, 1.0))


def test_weather_binds_where_it_took_the_nights(tmp_path: Path) -> None:
    found = limited(tmp_path / "run", visit(0), given=[given(0, WIDE, 1100, 1000)], lost_s=24000.0)
    assert found.binding == "weather"
    assert found.factors["weather"] == pytest.approx(5.0)


def test_reach_binds_where_tiles_wait_for_nothing_more(tmp_path: Path) -> None:
    found = limited(tmp_path / "run", visit(0), given=[given(0, WIDE, 3000, 1000)], left=0.1)
    assert found.binding == "reach"


def test_a_survey_that_got_nothing_has_no_end(tmp_path: Path) -> None:
    found = limited(tmp_path / "run", visit(0), completed=0, effective_s=0.0)
    assert found.end_s is None
    assert found.binding == "others"
    assert found.factors["others"] == float("inf")


def test_a_finished_survey_is_not_asked(tmp_path: Path) -> None:
    rows = {
        "tiles": sky([(150.0, -25.0)]), "coverage": covered(WIDE, [0.0]),
        "progress": progress(WIDE, [100]), "visits": [visit(0)],
    }  # fmt: skip
    assert limits(make(tmp_path / "run", rows)) == {}


def test_empty_tables_have_nothing_to_say(tmp_path: Path) -> None:
    run = make(tmp_path / "run", {})
    assert completeness(run) == uniformity(run) == limits(run) == contested(run) == {}
    assert set(fibre_hours(run).values()) == {0.0}
    assert {m.value for m in merit(run)} == {None}
