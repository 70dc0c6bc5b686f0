"""The exposure calculator on WST's hardware: hand calculations and the official calculator."""

from __future__ import annotations

import math
from typing import get_args

import numpy as np
import pytest

import wstdes
from wstdes.agents.conditions import Sensitivity
from wstdes.config.scenario import Scenario
from wstdes.models.instrument import Calculator, Conditions, SourceShape
from wstdes.models.instrument.calculator import POINT, Per

ARCSEC = math.pi / 648000
DESIGN = Conditions(0.8 * ARCSEC)


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return wstdes.scenario("baseline").scenario


def test_charge_of_a_star_worked_out_by_hand(scenario: Scenario) -> None:
    """5.4798e10 photons/s/m2 of AB 0 by unit of ln(wavelength), 93.57 m2, 0.28, 0.0344 nm."""
    yellow = Calculator(scenario, "lr", "yellow")
    share = yellow.share(SourceShape(), DESIGN)
    expected = 5.4798e10 * 0.0344 / 681.5 * 93.57 * 0.28 * 10**-8.8 * share
    air = 10 ** (-0.4 * yellow.extinction_mag)
    found = float(yellow.source_rate(22.0, SourceShape(), DESIGN))
    assert found == pytest.approx(expected * air, rel=2e-3)
    assert 0.45 < share < 0.65


def test_sky_of_a_fibre_worked_out_by_hand(scenario: Scenario) -> None:
    yellow = Calculator(scenario, "lr", "yellow")
    area = math.pi / 4 * 1.03**2
    expected = 5.4798e10 * 0.0344 / 681.5 * 93.57 * 0.28 * area * 10 ** (-0.4 * yellow.sky_mag)
    found = yellow.background(SourceShape(), Conditions(0.8 * ARCSEC, sky=2.0))
    assert found.sky_e_per_s == pytest.approx(2 * expected, rel=2e-3)
    assert found.read_e2 == pytest.approx(6.8)
    assert found.dark_e_per_s == pytest.approx(6.8 / 3600)


def test_the_official_calculators_example(scenario: Scenario) -> None:
    """pyetc_wst v1.6, quick-look notebook: an A0V star of r = 22 (AB), red IFS, 3 x 600 s.

    Seeing 0.8 arcsec, airmass 1.2, dark: 4 x 4 spaxels are best, the median S/N a pixel is 3.71.
    The star is about 0.2 mag fainter at 800 nm; the sky there is a mean that has OH lines in it.
    """
    red = Calculator(scenario, "ifs", "red", read_interval_s=600.0)
    conditions = Conditions(0.8 * ARCSEC, airmass=1.2)
    assert red.spaxels(SourceShape(), conditions) == 4
    found = float(red.signal_to_noise(22.2, 1800.0, conditions))
    assert found == pytest.approx(3.71, rel=0.15)


@pytest.mark.parametrize("mode", ["lr", "hr", "ifs"])
@pytest.mark.parametrize("per", get_args(Per))
@pytest.mark.parametrize(
    "shape",
    [SourceShape(), SourceShape("extended", 0.4 * ARCSEC), SourceShape("surface")],
    ids=lambda shape: shape.kind,
)
def test_time_and_limit_are_inverses(
    scenario: Scenario, mode: str, per: Per, shape: SourceShape
) -> None:
    calculator = Calculator(scenario, mode)
    faint = calculator.limiting_magnitude(5.0, 3300.0, DESIGN, shape, per)
    found = calculator.signal_to_noise(faint, 3300.0, DESIGN, shape, per)
    assert found == pytest.approx(5.0)
    assert calculator.exposure_time(faint, 5.0, DESIGN, shape, per) == pytest.approx(3300.0)


def test_what_helps_and_what_hurts(scenario: Scenario) -> None:
    lr = Calculator(scenario, "lr")

    def limit(shape: SourceShape = POINT, **changes: float) -> float:
        conditions = Conditions(**{"seeing_rad": 0.8 * ARCSEC, **changes})
        return lr.limiting_magnitude(5.0, 3600.0, conditions, shape)

    best = limit()
    assert limit(seeing_rad=0.6 * ARCSEC) > best
    for change in (
        {"airmass": 1.8},
        {"sky": 3.0},
        {"transparency": 0.5},
        {"offset_rad": 0.3 * ARCSEC},
        {"field_loss": 0.2},
        {"seeing_rad": 1.2 * ARCSEC},
    ):
        assert limit(**change) < best - 0.1
    assert limit(SourceShape("extended", 0.5 * ARCSEC)) < best - 0.3
    # A surface fills the fibre of 0.83 arcsec2, under its own centring.
    assert limit(SourceShape("surface")) == pytest.approx(
        best + 2.5 * math.log10(0.833 / 0.53), abs=0.1
    )


def test_a_shorter_split_costs_read_noise(scenario: Scenario) -> None:
    once = Calculator(scenario, "lr", read_interval_s=1200.0)
    often = Calculator(scenario, "lr", read_interval_s=60.0)
    assert often.limiting_magnitude(5, 3600, DESIGN) < once.limiting_magnitude(5, 3600, DESIGN)


def test_effective_time_is_the_calculators_time(scenario: Scenario) -> None:
    """A faint galaxy in bad conditions: open time x rate is its time in reference conditions."""
    from wstdes.models.instrument import effective_rate

    sensitivity, lr = Sensitivity(scenario), Calculator(scenario, "lr")
    reference = Conditions(scenario.site.seeing_median_rad)
    now = Conditions(1.0 * ARCSEC, airmass=1.5, sky=2.0, transparency=0.8)
    wanted = float(lr.exposure_time(24.5, 2.0, reference))
    needed = float(lr.exposure_time(24.5, 2.0, now))
    signal = sensitivity.signal("lr", now.seeing_rad, now.transparency, now.airmass)
    floor = sensitivity.noise_floor("lr", scenario.observing.exposure_s)
    rate = float(effective_rate(signal, now.sky, "sky", floor))
    assert rate * needed == pytest.approx(wanted, rel=0.03)


def test_signals_from_the_table_are_the_exact_ones(scenario: Scenario) -> None:
    sensitivity = Sensitivity(scenario)
    airmass = np.linspace(1.0, 3.0, 777)
    for mode in ("lr", "hr", "ifs"):
        for seeing in (0.5 * ARCSEC, 1.3 * ARCSEC):
            table = sensitivity.signal(mode, seeing, 0.7, airmass)
            exact = [float(sensitivity.signal(mode, seeing, 0.7, float(x))) for x in airmass]
            assert table == pytest.approx(exact, rel=1e-5)
    one = sensitivity.signal("lr", scenario.site.seeing_median_rad, 1.0, 1.0)
    assert float(one) == pytest.approx(1.0)
