"""A survey's need as a signal to noise: times by magnitude, and words where it cannot be met."""

from __future__ import annotations

import math

import numpy as np
import pytest

import wstdes
from wstdes.config.scenario import Scenario
from wstdes.errors import ConfigError
from wstdes.facility import build, load
from wstdes.models.instrument import Calculator, Conditions, SourceShape
from wstdes.survey.goals import LONGEST_S, Tally, goal_law, mean_time, time_of_goal

GALAXIES = "surveys.cosmo-wide"


def loaded(*overrides: str, name: str = "small") -> Scenario:
    return wstdes.scenario(name, overrides=overrides).scenario


def goal(survey: str, text: str) -> tuple[str, str]:
    return (f"surveys.{survey}.required=0 s", f"surveys.{survey}.goal={text}")


@pytest.fixture(scope="module")
def galaxies() -> Scenario:
    text = "{snr: 2, per: angstrom, source: extended, half_light_radius: 0.4 arcsec}"
    return loaded(*goal("cosmo-wide", text))


def test_a_target_gets_the_calculators_time(galaxies: Scenario) -> None:
    calculator = Calculator(galaxies, "lr")
    reference = Conditions(galaxies.site.seeing_median_rad)
    shape = SourceShape("extended", 0.4 * math.pi / 648000)
    magnitudes = np.array([18.0, 21.0, 22.5])
    expected = calculator.exposure_time(magnitudes, 2.0, reference, shape, "angstrom")
    found = goal_law(galaxies, "cosmo-wide")(magnitudes)
    assert found == pytest.approx(expected)
    assert found[0] < found[1] < found[2] < LONGEST_S


def test_an_offset_moves_the_magnitudes(galaxies: Scenario) -> None:
    text = "{snr: 2, source: extended, half_light_radius: 0.4 arcsec, magnitude_offset: 0.5}"
    moved = goal_law(loaded(*goal("cosmo-wide", text)), "cosmo-wide")
    plain = goal_law(galaxies, "cosmo-wide")
    assert float(moved(np.array(21.0))) == pytest.approx(float(plain(np.array(21.5))))


def test_the_faintest_needs_the_longest_time(galaxies: Scenario) -> None:
    law = goal_law(galaxies, "cosmo-wide")
    assert float(law(np.array(law.faintest))) == pytest.approx(LONGEST_S, rel=1e-6)


def test_the_mean_is_that_of_drawn_targets(galaxies: Scenario) -> None:
    law = goal_law(galaxies, "cosmo-wide")
    rng = np.random.default_rng(5)
    low, high = 1.0, 10 ** (0.31 * 5.5)
    drawn = 17.0 + np.log10(low + rng.random(200_000) * (high - low)) / 0.31
    found = mean_time(law, "cosmo-wide", 0.31, (17.0, 22.5))
    assert found == pytest.approx(float(law(drawn).mean()), rel=0.01)


def test_targets_that_cannot_be_served_are_counted(galaxies: Scenario) -> None:
    law = goal_law(galaxies, "cosmo-wide")
    tally = Tally(law)
    times = tally(np.array([20.0, law.faintest + 0.1, np.nan, 28.0]))
    assert np.all(times <= LONGEST_S)
    assert (tally.targets, tally.too_faint, tally.unknown) == (4, 2, 1)
    with pytest.raises(ConfigError, match="1 of its 4 targets have no magnitude"):
        tally.check("mine")


def test_a_mock_that_is_too_faint_is_refused_with_its_share_and_the_limit() -> None:
    overrides = goal("cosmo-deep", "{snr: 12, per: pixel}")
    with pytest.raises(ConfigError) as refused:
        build(load("small", overrides=overrides))
    (problem,) = refused.value.problems
    assert problem.path == "surveys.cosmo-deep.goal"
    assert "% of its targets are fainter than" in problem.message
    assert "magnitude_max: 2" in problem.hint


def test_fields_need_a_magnitude_and_get_one_time() -> None:
    text = "{snr: 3, per: resolution, source: surface, magnitude: 22.0, channel: blue}"
    scenario = loaded(*goal("ifs-fields", text))
    time = time_of_goal(scenario, "ifs-fields")
    blue = Calculator(scenario, "ifs", "blue")
    reference = Conditions(scenario.site.seeing_median_rad)
    shape = SourceShape("surface")
    found = float(blue.signal_to_noise(22.0, time, reference, shape, "resolution"))
    assert found == pytest.approx(3.0)
    faint = loaded(*goal("ifs-fields", "{snr: 30, source: surface, magnitude: 27}"))
    with pytest.raises(ConfigError, match="more than 18 h"):
        time_of_goal(faint, "ifs-fields")


def test_a_facility_is_built_with_goals_and_bright_targets_need_less() -> None:
    text = "{snr: 1, per: angstrom}"
    facility = build(load("small", overrides=goal("cosmo-wide", text)))
    number = facility.parts.survey_names.index("cosmo-wide")
    (source,) = (s.source for s in facility.parts.fibre_surveys if s.number == number)
    targets = next(t for t in map(source.cell, range(40000, 49000)) if len(t) > 50)
    order = np.argsort(targets.magnitude)
    assert np.all(np.diff(targets.required_s[order]) >= -1e-3)
    (view,) = (v for v in facility.parts.views if v.name == "cosmo-wide")
    assert 0.0 < view.required_s < float(targets.required_s.max())


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        ((f"{GALAXIES}.goal={{snr: 5}}",), "either required"),
        ((f"{GALAXIES}.required=0 s",), "either required"),
        (goal("cosmo-wide", "{snr: 5, magnitude: 22}"), "goal.magnitude is for the mode ifs"),
        (goal("cosmo-wide", "{snr: 5, source: extended}"), "half_light_radius"),
        (goal("cosmo-wide", "{snr: -5}"), "greater than 0"),
    ],
)
def test_goals_that_make_no_sense_are_refused(overrides: tuple[str, ...], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        loaded(*overrides)


def test_an_unknown_channel_is_named_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="no channel 'violet'") as refused:
        goal_law(loaded(*goal("cosmo-wide", "{snr: 1, channel: violet}")), "cosmo-wide")
    assert "yellow" in str(refused.value)
