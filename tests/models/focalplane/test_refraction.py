"""Differential refraction against closed forms and ERFA."""

from __future__ import annotations

import erfa
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wstdes.models.focalplane.projection import project
from wstdes.models.focalplane.refraction import Refraction, pressure_at, zenith_of

ARCSEC = np.radians(1.0 / 3600.0)


def test_at_the_zenith_the_field_shrinks_evenly() -> None:
    air = Refraction(0.0)
    a, _ = air.constants(air.wavelength_m)
    angle = np.linspace(0.0, 6.0, 7)
    x, y = air.apply(0.01 * np.cos(angle), 0.01 * np.sin(angle))
    np.testing.assert_allclose(np.hypot(x, y), 0.01 * (1.0 - a), rtol=1e-7)
    np.testing.assert_allclose(np.arctan2(y, x), np.arctan2(np.sin(angle), np.cos(angle)))


def test_at_45_deg_it_is_squeezed_twice_as_much_along_the_vertical() -> None:
    """R = A tan z: the derivative is A / cos^2 z along, A across (to first order)."""
    air = Refraction(np.pi / 4, pressure_pa=100500.0, temperature_k=280.15, humidity=0.8,
                     wavelength_m=574e-9)  # fmt: skip
    a, _ = air.constants(air.wavelength_m)
    assert 57.0 < a / ARCSEC < 60.0
    along = air.apply(0.0, 1e-4)[1]
    across = air.apply(1e-4, 0.0)[0]
    assert (1.0 - along / 1e-4) == pytest.approx(2.0 * a, rel=5e-3)
    assert (1.0 - across / 1e-4) == pytest.approx(a, rel=5e-3)


def test_whole_refraction_is_that_of_erfas_table() -> None:
    """Notes of refco: 58.18 arcsec at an observed zenith distance of 45 deg, 100.54 at 60."""
    a, b = Refraction(0.5, pressure_pa=100500.0, temperature_k=280.15, humidity=0.8).constants(
        574e-9
    )
    tan = np.tan(np.radians([45.0, 60.0]))
    np.testing.assert_allclose((a * tan + b * tan**3) / ARCSEC, [58.18, 100.54], atol=0.01)


@pytest.mark.parametrize("hour_angle", [-0.8, 0.0, 0.6])
def test_the_positions_are_those_of_erfas_atioq(hour_angle: float) -> None:
    """Observed places by ERFA, projected about the centre's, turned by the parallactic angle."""
    latitude, dec = np.radians(-24.6), np.radians(-31.0)
    z, q = zenith_of(hour_angle, dec, latitude)
    air = Refraction(z, q, 74400.0, 285.0, 0.15, 550e-9)
    rng = np.random.default_rng(4)
    ha = hour_angle + np.append(rng.uniform(-0.02, 0.02, 20), 0.0)
    decs = dec + np.append(rng.uniform(-0.015, 0.015, 20), 0.0)
    a, b = air.constants(550e-9)
    astrom = erfa.apio(0.0, 0.0, 0.0, latitude, 0.0, 0.0, 0.0, a, b)
    astrom["diurab"] = 0.0
    az, zd, *_ = erfa.atioq(-ha, decs, astrom)  # right ascension counts against the hour angle
    az0, zd0 = float(az[-1]), float(zd[-1])
    side, up, _ = project(az, np.pi / 2 - zd, az0, np.pi / 2 - zd0, 1.0)
    side = -side  # azimuth counts from north to east, seen from inside
    true = project(-ha, decs, -hour_angle, dec, 1.0)[:2]
    x, y = air.apply(*true)
    towards, across = x * np.sin(q) + y * np.cos(q), x * np.cos(q) - y * np.sin(q)
    np.testing.assert_allclose(towards, up, atol=0.002 * ARCSEC)
    np.testing.assert_allclose(across, side, atol=0.002 * ARCSEC)
    shift = np.hypot(x - true[0], y - true[1])
    assert shift.max() > 0.3 * ARCSEC


@given(st.floats(0.0, 1.2), st.floats(-3.2, 3.2), st.floats(-0.02, 0.02), st.floats(-0.02, 0.02))
def test_there_and_back(z: float, q: float, x: float, y: float) -> None:
    air = Refraction(z, q, wavelength_m=400e-9, guide_wavelength_m=700e-9)
    back = air.undo(*air.apply(x, y))
    assert np.hypot(back[0] - x, back[1] - y) < 1e-13


def test_blue_targets_stand_higher_than_a_red_guide_star() -> None:
    air = Refraction(np.radians(50.0), 0.3, wavelength_m=400e-9, guide_wavelength_m=700e-9)
    x, y = air.apply(0.0, 0.0)
    blue, red = air.constants(400e-9)[0], air.constants(700e-9)[0]
    expected = (blue - red) * np.tan(np.radians(50.0))
    assert np.hypot(x, y) == pytest.approx(expected, rel=0.01)
    assert np.arctan2(x, y) == pytest.approx(0.3)


def test_no_air_does_nothing() -> None:
    x, y = Refraction(1.0, 1.0, pressure_pa=0.0).apply([0.01, -0.002], [0.0, 0.01])
    np.testing.assert_allclose([x, y], [[0.01, -0.002], [0.0, 0.01]], atol=1e-16)


def test_pressure_of_the_standard_atmosphere() -> None:
    assert pressure_at(0.0) == 101325.0
    assert pressure_at(2000.0) == pytest.approx(79495.0, rel=1e-4)


@pytest.mark.parametrize("change", [
    {"zenith_distance_rad": 1.5}, {"zenith_distance_rad": np.nan}, {"humidity": 2.0},
    {"wavelength_m": 550.0}, {"pressure_pa": -1.0}, {"temperature_k": np.nan},
])  # fmt: skip
def test_what_is_no_air_is_refused(change: dict[str, float]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        Refraction(**{"zenith_distance_rad": 0.5, **change})
