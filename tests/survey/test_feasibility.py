"""What is said of a plan before it runs, and footprints and tiles as they are written in YAML."""

import re
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from wstdes.assembly import make_parts
from wstdes.cli.main import app
from wstdes.errors import ConfigError
from wstdes.facility import load
from wstdes.models.sky import SeasonSky
from wstdes.survey.lengths import visit_times

SHORT = ["nights=3"]


def parts(*overrides, name="small"):
    return make_parts(load(name, overrides=[*SHORT, *overrides]))


def problems(*overrides):
    with pytest.raises(ConfigError) as caught:
        parts(*overrides)
    return str(caught.value)


def notes(*overrides):
    return "\n".join(map(str, parts(*overrides).notes))


def test_the_shipped_plan_has_nothing_wrong():
    assert notes() == ""


@pytest.mark.parametrize(
    ("override", "path", "words"),
    [
        (
            "surveys.cosmo-deep.sky_brightness_max=0.5",
            "surveys.cosmo-deep.sky_brightness_max",
            "darker than the sky",
        ),
        (
            "surveys.time-domain.sky_brightness_max=0.5",
            "surveys.time-domain.sky_brightness_max",
            "0.5 is darker than the sky over its fields ever is",
        ),
        ("calibration.day_frames=2000", "calibration.day_frames", "which has 24 h"),
        (
            "surveys.cosmo-deep.cadence={visits: 3, interval: 30 min, tolerance: 5 min}",
            "surveys.cosmo-deep.cadence.interval",
            "shorter than a visit",
        ),
        (
            "surveys.cosmo-deep.cadence={visits: 3, interval: 10 d, tolerance: 1 d}",
            "surveys.cosmo-deep.cadence.visits",
            "3 visits of 55.0 min, the longest there are, come to 2.75 h; targets that need 3.20 h",
        ),
        (
            "surveys.cosmo-deep.footprint={declination_min: 60 deg, declination_max: 70 deg}",
            "surveys.cosmo-deep.footprint",
            "nothing of its footprint rises high enough: declinations from -80 to 30",
        ),
        (
            "surveys.cosmo-deep.footprint={declination_max: -60 deg, circle: {right_ascension: "
            "10 deg, declination: 0 deg, radius: 5 deg}}",
            "surveys.cosmo-deep.footprint",
            "the footprint is empty",
        ),
        (
            "surveys.cosmo-deep.footprint={polygon: [[0 deg, 0 deg], [10 deg, 10 deg], "
            "[0 deg, 10 deg], [10 deg, 0 deg]]}",
            "surveys.cosmo-deep.footprint",
            "sides cross",
        ),
    ],
)
def test_what_can_never_work_is_refused_with_its_key(override, path, words):
    text = problems(override)
    assert path in text
    assert words in text


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (("start=2041-03-16", "nights=1"), "it will get no time"),
        (
            ("surveys.cosmo-deep.cadence={visits: 20, interval: 10 d, tolerance: 1 d}",),
            "no tile will finish",
        ),
        (("nights=200",), "the surveys ask for about"),
        (
            (
                "start=2041-06-20",
                "surveys.cosmo-deep.footprint={right_ascension_min: 85 deg, right_ascension_max: "
                "95 deg, declination_min: -5 deg, declination_max: 5 deg, "
                "galactic_latitude_min: 0 deg}",
            ),
            "not up at night",
        ),
    ],
)
def test_what_will_not_finish_is_noted(overrides, words):
    assert words in notes(*overrides)


def test_a_catalogue_may_have_targets_that_a_short_cadence_finishes(tmp_path):
    rows = ["id,ra,dec,mag,required", "1,180,-30,20,1800", "2,180.1,-30,21,14400"]
    (tmp_path / "own.csv").write_text("\n".join(rows))
    said = notes(
        "surveys.cosmo-deep.cadence={visits: 2, interval: 20 h, tolerance: 1 h}",
        f"surveys.cosmo-deep.source={{kind: catalogue, path: '{tmp_path / 'own.csv'}'}}",
    )
    assert "targets that need 3.20 h of effective time will not finish" in said


def test_visits_that_end_when_they_have_enough_are_no_longer_than_that():
    """Where every survey says when a visit ends, none goes on to the last exposure."""
    cadence = "surveys.cosmo-deep.cadence={visits: 4, interval: 20 h, tolerance: 1 h}"
    names = ("cosmo-wide", "milky-way", "bright-stars-hr", "ifs-fields")
    ends = [f"surveys.{name}.visit_effective=20 min" for name in names]
    ends.append("surveys.cosmo-deep.visit_effective=40 min")
    assert "4 visits of 40.0 min" in problems(cadence, *ends)
    assert notes(cadence, *ends[1:]) == ""


def test_hours_there_are_those_that_closed_nights_faults_and_weather_leave():
    """Against the calendar's own count, with the Sun of every night."""
    loaded = load("small", overrides=["nights=365", *CALENDAR])
    made = make_parts(loaded)
    scenario = made.scenario
    said = re.search(r"365 nights have about ([\d,]+) h", "\n".join(map(str, made.notes)))
    assert said is not None
    found = float(said[1].replace(",", ""))
    span = SeasonSky.make(made.clock, made.horizon, 0, 365).below(
        scenario.observing.science_sun_altitude_rad
    )
    hours = (span[:, 1] - span[:, 0]) / 3600.0
    opened = np.array([scenario.site.open_fraction[made.clock.month(n)] for n in range(365)])
    assert sum(map(bool, made.closures)) == 5 + 30 + 13
    left = np.array([not closure for closure in made.closures])
    assert found == pytest.approx(0.75 * float((hours * opened)[left].sum()), rel=0.005)


@pytest.mark.parametrize("sun_deg", [-9, -20])
def test_hours_there_are_those_of_the_surveys_own_sun(sun_deg):
    """Who uses twilight has more of them, and a limit that no survey has counts for nothing."""
    names = ("cosmo-deep", "cosmo-wide", "milky-way", "bright-stars-hr", "ifs-fields")
    own = [f"surveys.{name}.sun_altitude_max={min(sun_deg, -12)} deg" for name in names]
    own.append(f"surveys.milky-way.sun_altitude_max={sun_deg} deg")
    made = make_parts(load("small", overrides=["nights=200", *own]))
    said = re.search(r"200 nights have about ([\d,]+) h", "\n".join(map(str, made.notes)))
    assert said is not None
    span = SeasonSky.make(made.clock, made.horizon, 0, 200).below(np.radians(sun_deg))
    opened = [made.scenario.site.open_fraction[made.clock.month(n)] for n in range(200)]
    hours = (span[:, 1] - span[:, 0]) @ np.array(opened) / 3600.0
    share = made.scenario.telescope.working_share
    assert float(said[1].replace(",", "")) == pytest.approx(share * hours, rel=0.005)


def test_surveys_with_a_sun_of_their_own_have_nights_without_that_of_others():
    """The observer goes by the surveys' limits: what nobody uses refuses nothing."""
    names = ("cosmo-deep", "cosmo-wide", "milky-way", "bright-stars-hr", "ifs-fields")
    own = [f"surveys.{name}.sun_altitude_max=-15 deg" for name in names]
    summer = ("start=2041-12-10", "observing.science_sun_altitude=-60 deg")
    assert "there is no night to observe in" in problems(*summer)
    assert "no night" not in notes(*summer, *own)


def test_tiles_that_are_done_by_their_time_are_asked_for_once_for_all_surveys():
    """However many targets there are: whoever has the fibres shares the tile's time."""
    names = ("cosmo-deep", "cosmo-wide", "milky-way", "bright-stars-hr")
    ends = [f"surveys.{name}.tile_effective=30 min" for name in names]
    made = parts("nights=200", "surveys.ifs-fields.required=1 min", *ends)
    said = re.search(r"ask for about ([\d,]+) h", "\n".join(map(str, made.notes)))
    assert said is not None
    visit_s, open_s = visit_times(made.scenario)
    fields = made.tiling.inside[:, [list(made.survey_names).index(name) for name in names]]
    expected = fields.any(axis=1).sum() * (1800.0 + visit_s - open_s) / 3600.0
    assert float(said[1].replace(",", "")) == pytest.approx(expected, rel=1e-3)


CALENDAR = [
    "telescope.fault_interval=30 h",
    "telescope.fault_repair=10 h",
    "operations.closures={week: {title: A, nights: 5, first: 2041-04-01}, "
    "month: {title: B, nights: 30, first: 2041-06-01}, "
    "days: {title: C, nights: 1, first: 2041-07-03, every: 20 d}}",
]


SHAPES = """
extends: small
name: shapes
title: Shapes
tiles: {kind: even, overlap: 40 %, passes: 2}
surveys:
  cosmo-deep:
    footprint:
      - circle: {right_ascension: 150 deg, declination: 2 deg, radius: 3 deg}
      - {right_ascension_min: 350 deg, right_ascension_max: 10 deg, declination_min: -45 deg,
         declination_max: -40 deg}
      - map: part.txt
  cosmo-wide:
    footprint:
      declination_max: 0 deg
      fields: {path: fields.csv, radius: 2 deg}
      exclude:
        - {galactic_latitude_max: 30 deg}
  milky-way: null
  bright-stars-hr: null
  ifs-fields:
    source: {kind: catalogue, path: fields.csv}
    pointing: fields
  time-domain: null
alerts: {passive: null, prompt: null, urgent: null}
"""


@pytest.fixture
def written(tmp_path: Path) -> Path:
    (tmp_path / "shapes.yaml").write_text(SHAPES)
    (tmp_path / "part.txt").write_text("3/300-301")
    rows = ["id,ra,dec,required", "a,180.0,-30.0,1800", "b,181.0,-31.0,3600", "c,10.0,-20.0,900"]
    (tmp_path / "fields.csv").write_text("\n".join(rows))
    return tmp_path / "shapes.yaml"


def test_shapes_of_all_kinds_are_read_from_yaml(written):
    made = make_parts(load(written))
    tiling, names = made.tiling, list(made.survey_names)
    deep = tiling.inside[:, names.index("cosmo-deep")]
    ra, dec = np.degrees(tiling.ra_rad[deep]), np.degrees(tiling.dec_rad[deep])
    assert ((np.abs(ra - 150.0) < 4.2) & (np.abs(dec - 2.0) < 4.2)).any()
    assert ((ra > 348.0) & (dec < -38.0)).any()
    assert ((ra < 12.0) & (dec < -38.0)).any()
    assert set(np.unique(tiling.pass_)) >= {0, 1}
    column = names.index("ifs-fields")
    mine = tiling.inside[:, column]
    assert mine.sum() == 3
    assert sorted(np.degrees(tiling.ifs_ra_rad[mine]).round(6)) == [10.0, 180.0, 181.0]
    assert sorted(tiling.ifs_required_s[mine]) == [900.0, 1800.0, 3600.0]
    assert made.expected[mine, made.tile_surveys.index(column)].tolist() == [1.0, 1.0, 1.0]


def test_tiles_that_were_written_are_read_again(written, tmp_path):
    out, figure = tmp_path / "tiles.ecsv", tmp_path / "tiles.png"
    runner = CliRunner()
    found = runner.invoke(app, ["tiles", str(written), "--out", str(out), "--figure", str(figure)])
    assert found.exit_code == 0, found.output
    assert "cosmo-deep" in found.output
    assert figure.read_bytes()[:4] == b"\x89PNG"
    first = make_parts(load(written)).tiling
    rules = [
        "tiles=null",
        f"tiles={{kind: file, path: '{out}', clip: false}}",
        "surveys.ifs-fields.pointing=tiles",
    ]
    again = make_parts(load(written, overrides=rules)).tiling
    assert np.allclose(again.ra_rad, first.ra_rad, atol=1e-12)
    assert np.array_equal(again.inside, first.inside)
    assert np.array_equal(again.pass_, first.pass_)


def test_a_shape_has_one_form_and_lists_of_tiles_name_surveys(written):
    with pytest.raises(ConfigError, match="one form"):
        load(
            written,
            overrides=[
                "surveys.cosmo-deep.footprint={map: a.txt, circle: {right_ascension: 1 deg, "
                "declination: 2 deg, radius: 3 deg}}"
            ],
        )
    with pytest.raises(ConfigError, match="no survey 'dark'"):
        load(written, overrides=["tiles={kind: file, path: a.fits, programmes: {DARK: [dark]}}"])
    with pytest.raises(ConfigError, match="no percentage"):
        load(written, overrides=["tiles.overlap=lots %"])


def test_a_sun_that_never_sinks_so_low_is_said():
    for name in ("cosmo-deep", "time-domain"):
        said = notes(f"surveys.{name}.sun_altitude_max=-80 deg")
        assert f"surveys.{name}.sun_altitude_max: the Sun is never below -80 deg" in said
