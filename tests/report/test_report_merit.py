"""Nights, maps and the year as pictures: of a real run, and of hardly anything."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pytest

from wstdes.report.done import completeness_charts, sentence, spread, tradeoff_chart
from wstdes.report.maps import completeness_maps, visits_map
from wstdes.report.night import hours_by_state
from wstdes.report.onenight import chosen_nights, night_pictures
from wstdes.report.section import Chart, Words
from wstdes.report.sky import Sky, project
from wstdes.report.view import View
from wstdes.report.year import hours_by_month, year_chart
from wstdes.study.limits import Limit, limits

if TYPE_CHECKING:
    from wstdes.study.run import Run


@pytest.fixture(scope="module")
def view(small_run: Run) -> View:
    return View(small_run)


def texts(chart: Chart) -> list[str]:
    return re.findall(r"<text[^>]*>([^<]*)</text>", chart.svg)


def test_the_year_adds_up_to_the_nights(view: View) -> None:
    rows = view.rows("time_use")
    rows = rows.keep(rows.text("state") != "twilight")
    states = hours_by_state(rows, view.nights)
    months = hours_by_month(view, states)
    assert sum(h.sum() for h in months.values()) == pytest.approx(rows.seconds().sum() / 3600.0)
    overheads = sum(h.sum() for n, h in states.items() if n not in months)
    assert months["overheads"].sum() == pytest.approx(overheads)
    chart = year_chart(view, states)
    assert chart.rows[0][-1] == pytest.approx(sum(float(str(v)) for v in chart.rows[0][2:-1]))
    assert any("[h a night]" in t for t in texts(chart))


def test_pictures_of_nights_say_what_they_show(view: View) -> None:
    pictures = night_pictures(view)
    assert len(pictures) == len(chosen_nights(view)) >= 1
    for picture in pictures:
        assert isinstance(picture, Chart)
        found = texts(picture)
        assert "altitude [deg]" in found
        assert {"fibres", "integral field", "time", "sky"} <= set(found)
        assert any(t.startswith("Moon (") for t in found)
    hours = np.bincount(*_science(view))
    assert chosen_nights(view)[0][2] == int(np.argmax(hours))


def _science(view: View) -> tuple[np.ndarray, np.ndarray]:
    rows = view.rows("time_use").where(state="science")
    return rows.num("night").astype(np.int64), rows.seconds()


def test_a_night_lists_its_visits_where_they_were(view: View) -> None:
    key, _, night = chosen_nights(view)[0]
    picture = night_pictures(view)[0]
    visits = view.rows("visits").where(night=night)
    visits = visits.keep(visits.num("exposures") > 0)
    assert isinstance(picture, Chart)
    assert picture.key == key
    assert [r[0] for r in picture.rows] == visits.num("visit").astype(int).tolist()
    opens = np.array([float(str(r[4])) for r in picture.rows])
    utc = [view.run.scenario.site.longitude_rad, visits.num("start_s")]
    noon_utc_h = 12.0 - np.degrees(utc[0]) / 15.0
    hours = noon_utc_h + (utc[1] - night * 86400.0) / 3600.0
    assert np.mod(opens, 24.0) == pytest.approx(np.mod(hours, 24.0))


def test_maps_have_a_panel_a_survey_and_count_every_visit(view: View) -> None:
    maps = completeness_maps(view)
    assert isinstance(maps, Chart)
    for row in maps.rows:
        assert any(t.startswith(f"{row[0]}: ") for t in texts(maps))
    assert any("[%]" in t for t in texts(maps))
    visits = visits_map(view)
    assert isinstance(visits, Chart)
    rows = view.rows("visits")
    mine = rows.keep((rows.num("exposures") > 0) & (rows.text("reason") == "survey"))
    assert sum(int(str(n)) * int(str(k)) for n, k in visits.rows) == len(mine)


def test_a_map_keeps_areas_and_finds_the_field_of_a_pixel() -> None:
    """Every pixel has the same area: the mean of sin(dec)^2 over the sky is 1/3."""
    sky = Sky(np.array([2.0]))
    inside = sky.inside
    assert np.mean(np.sin(sky.dec_rad[inside]) ** 2) == pytest.approx(1.0 / 3.0, abs=2e-3)
    x, y = project(sky.ra_rad[inside], sky.dec_rad[inside], sky.centre)
    row, column = np.nonzero(inside)
    assert np.abs(y - (row / 150.0 - 1.0)).max() < 1e-4
    assert np.quantile(np.abs(x - (column / 150.0 - 2.0)), 0.99) < 1e-3
    ra, dec = np.radians([100.0, 120.0]), np.radians([-30.0, 10.0])
    vectors = np.stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)], axis=1)
    near = sky.nearest(vectors, np.radians(5.0))
    share = 0.5 * (1.0 - np.cos(np.radians(5.0)))
    for i in range(2):
        assert np.mean(near[inside] == i) == pytest.approx(share, rel=0.1)
        assert np.degrees(sky.dec_rad[near == i]).mean() == pytest.approx([-30.0, 10.0][i], abs=0.3)


def test_unfinished_surveys_each_have_a_sentence(view: View) -> None:
    items = completeness_charts(view)
    words = [i for i in items if isinstance(i, Words)]
    assert len(words) == 1
    found = limits(view.run)
    assert [s.partition(":")[0] for s in words[0].sentences] == list(found)
    assert all(isinstance(f, Limit) for f in found.values())
    some = next(iter(found.values()))
    assert "nothing was finished" in sentence(view, Limit(**{**vars(some), "end_s": None}))
    for binding in ("reach", *some.factors):
        text = sentence(view, Limit(**{**vars(some), "binding": binding}))
        assert text.endswith(".")
        assert len(text) > 60


def test_the_price_of_sharing_is_drawn_in_hours(view: View) -> None:
    chart = tradeoff_chart(view)
    assert isinstance(chart, Chart)
    assert any("[1000 h]" in t for t in texts(chart))
    assert all(float(str(r[1])) > 0 for r in chart.rows)


@pytest.mark.parametrize("n", [0, 1, 5, 119, 120, 121, 1826])
def test_few_rows_stand_for_many_the_last_among_them(n: int) -> None:
    rows = spread(list(range(n)), 120)
    assert len(rows) <= 121
    assert rows[-1:] == list(range(n))[-1:]
    assert rows == sorted(set(rows))
