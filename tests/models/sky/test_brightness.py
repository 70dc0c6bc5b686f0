"""Moonlight by Krisciunas & Schaefer (1991), worked out by hand from their formulae."""

from __future__ import annotations

import numpy as np
import pytest

from wstdes.models.sky import sky_brightness
from wstdes.models.sky.brightness import moonlight_nl, twilight_excess

K = 0.172
ZENITH = np.array([np.pi / 2])


def field(separation: float, moon: float, phase: float, altitude: float) -> float:
    """All in degrees; brightness in nanolambert."""
    return float(
        moonlight_nl(
            np.radians([separation]), np.radians(moon), np.radians(phase), np.radians([altitude]), K
        )[0]
    )


def test_one_case_worked_out_by_hand() -> None:
    """Full Moon, 60 deg away, zenith distances 40 (Moon) and 30 deg (field), k = 0.172.

    f = 10^5.36 (1.06 + 0.25) + 10^(6.15 - 1.5) = 300103.7 + 44668.4 = 344772.0;
    I = 10^(-0.4 x 3.84) = 0.0291072; X(40) = 1.287410, X(30) = 1.147079;
    B = f I 10^(-0.0885738) (1 - 10^(-0.0789190)) = 10035.35 x 0.815504 x 0.166163 = 1359.86.
    """
    assert field(60.0, 50.0, 0.0, 60.0) == pytest.approx(1359.86, rel=1e-4)


def test_close_to_the_moon_and_at_half_moon() -> None:
    """At 5 deg: f = 10^5.36 (1.06 + 0.992404) + 6.2e7 / 25; at 90 deg of phase I = 10^-2.57698."""
    f = 229086.77 * 2.052404 + 2.48e6
    path = (1 - 0.96 * 0.25) ** -0.5
    expected = f * 0.0291072 * 10 ** (-0.4 * K * path) * (1 - 10 ** (-0.4 * K * path))
    assert field(5.0, 60.0, 0.0, 60.0) == pytest.approx(expected, rel=1e-5)
    full, half = field(60.0, 50.0, 0.0, 60.0), field(60.0, 50.0, 90.0, 60.0)
    assert half / full == pytest.approx(10 ** (-0.4 * (0.026 * 90 + 4e-9 * 90**4)), rel=1e-12)
    assert field(60.0, 50.0, -90.0, 60.0) == half


def test_no_moonlight_from_below_the_horizon() -> None:
    assert field(60.0, 0.0, 0.0, 60.0) == 0.0
    assert field(60.0, -30.0, 0.0, 60.0) == 0.0


def bright(altitude: float, moon: float = -1.0, sun: float = -30.0, away: float = 90.0) -> float:
    return float(
        sky_brightness(
            np.radians([altitude]),
            np.radians([away]),
            np.radians(moon),
            0.0,
            np.radians(sun),
            K,
            21.587,
        )[0]
    )


def test_the_dark_zenith_is_one_and_79_nanolambert() -> None:
    assert bright(90.0) == 1.0
    # A full Moon at zenith distance 40 deg, field at the zenith: B/79.0 nL (their V = 21.587).
    added = bright(90.0, 50.0, away=40.0) - 1.0
    assert added == pytest.approx(field(40.0, 50.0, 0.0, 90.0) / 79.0, rel=2e-3)


def test_the_dark_sky_brightens_with_zenith_distance_by_their_equation_2() -> None:
    for zenith in (30.0, 60.0, 75.0):
        x = (1 - 0.96 * np.sin(np.radians(zenith)) ** 2) ** -0.5
        assert bright(90.0 - zenith) == pytest.approx(x * 10 ** (-0.4 * K * (x - 1)), rel=1e-12)


def test_twilight_is_five_percent_at_18_degrees_and_falls_a_magnitude_a_degree() -> None:
    assert twilight_excess(np.radians(-18.0)) == pytest.approx(0.05)
    ratio = twilight_excess(np.radians(-12.0)) / twilight_excess(np.radians(-13.0))
    assert ratio == pytest.approx(10**0.4)
    assert twilight_excess(np.radians(-23.0)) == 0.0
    assert bright(90.0, sun=-18.0) == pytest.approx(1.05)
