"""Brightness of the sky by its parts, against what was published and worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from wstdes.models.sky import Background, dark_sky_ab, moonlight_factor, solar_flux_sfu
from wstdes.models.sky.background import airglow_s10, starlight_s10, zodiacal_s10
from wstdes.models.sky.brightness import (
    airglow_rise,
    astronomical_extinction,
    astronomical_extinctions,
    moonlight_nl,
    nanolambert,
    sky_brightness,
    twilight_excess,
    twilight_shape,
)

K = 0.172
PLACE = Background(0.12, 21.6)


def sine(degrees: float) -> float:
    return float(np.sin(np.radians(degrees)))


# Moonlight by Krisciunas & Schaefer (1991) ------------------------------------------------------


def moonlight(separation: float, moon: float, phase: float, altitude: float) -> float:
    """All in degrees; brightness in nanolambert."""
    cosine = float(np.cos(np.radians(separation)))
    return moonlight_nl(cosine, sine(moon), float(np.radians(phase)), sine(altitude), K)


def test_one_case_worked_out_by_hand() -> None:
    """Full Moon, 60 deg away, zenith distances 40 (Moon) and 30 deg (field), k = 0.172.

    f = 10^5.36 (1.06 + 0.25) + 10^(6.15 - 1.5) = 300103.7 + 44668.4 = 344772.0;
    I = 10^(-0.4 x 3.84) = 0.0291072; X(40) = 1.287410, X(30) = 1.147079;
    B = f I 10^(-0.0885738) (1 - 10^(-0.0789190)) = 10035.35 x 0.815504 x 0.166163 = 1359.86.
    """
    assert moonlight(60.0, 50.0, 0.0, 60.0) == pytest.approx(1359.86, rel=1e-4)


def test_close_to_the_moon_and_at_half_moon() -> None:
    """At 5 deg: f = 10^5.36 (1.06 + 0.992404) + 6.2e7 / 25; at 90 deg of phase I = 10^-2.57698."""
    f = 229086.77 * 2.052404 + 2.48e6
    path = (1 - 0.96 * 0.25) ** -0.5
    expected = f * 0.0291072 * 10 ** (-0.4 * K * path) * (1 - 10 ** (-0.4 * K * path))
    assert moonlight(5.0, 60.0, 0.0, 60.0) == pytest.approx(expected, rel=1e-5)
    full, half = moonlight(60.0, 50.0, 0.0, 60.0), moonlight(60.0, 50.0, 90.0, 60.0)
    assert half / full == pytest.approx(10 ** (-0.4 * (0.026 * 90 + 4e-9 * 90**4)), rel=1e-12)
    assert moonlight(60.0, 50.0, -90.0, 60.0) == half


def test_no_moonlight_from_below_the_horizon() -> None:
    assert moonlight(60.0, 0.0, 0.0, 60.0) == 0.0
    assert moonlight(60.0, -30.0, 0.0, 60.0) == 0.0


def test_their_dark_sky_is_79_nanolambert() -> None:
    """Krisciunas & Schaefer's V = 21.587 at Mauna Kea."""
    assert nanolambert(21.587) == pytest.approx(79.0, rel=1e-3)


# All parts ------------------------------------------------------------------------------------


def bright(
    altitude: float,
    *,
    beyond: float = 60.0,
    moon: float = -30.0,
    sun: float = -40.0,
    flux: float = 130.0,
) -> float:
    """At azimuth 0, Moon and Sun at azimuth 0 too (full Moon); in degrees and S10."""

    def up(degrees: float) -> tuple[float, float, float]:
        return float(np.cos(np.radians(degrees))), 0.0, sine(degrees)

    out = np.empty(1)
    field = np.array([up(altitude)])
    light = np.array([[beyond, astronomical_extinction(beyond)]])
    directions = (0.0, 0.0, 1.0), up(moon), up(sun)
    site = Background(0.12, 21.6, flux).site()
    angles = (float(np.radians(sun)), 0.0)
    sky_brightness((field, light, np.zeros(1, np.int64)), directions, angles, site, out)
    return float(out[0])


def magnitudes(ratio: float) -> float:
    return float(2.5 * np.log10(ratio))


def test_the_dark_zenith_at_the_poles_is_one() -> None:
    assert bright(90.0) == pytest.approx(1.0, abs=1e-8)


def test_la_palma_at_solar_minimum_and_its_changes() -> None:
    """Benn & Ellison (1998): V 21.9 at minimum; 0.4 mag at maximum and at the ecliptic."""
    minimum = airglow_s10(80.0) + 60.0 + 15.0
    assert 27.78 - magnitudes(minimum) == pytest.approx(21.9, abs=0.05)
    cycle = bright(90.0, flux=200.0) / bright(90.0, flux=80.0)
    assert magnitudes(cycle) == pytest.approx(0.4, abs=0.15)
    ecliptic = bright(90.0, beyond=150.0, flux=80.0) / bright(90.0, flux=80.0)
    assert magnitudes(ecliptic) == pytest.approx(0.4, abs=0.1)
    airmass = bright(np.degrees(np.arcsin(1 / 1.5)), flux=80.0) / bright(90.0, flux=80.0)
    assert magnitudes(airmass) == pytest.approx(0.25, abs=0.1)


def test_airglow_to_zodiacal_light_is_two_and_a_half_at_the_pole() -> None:
    """Benn & Ellison (1998), at solar minimum."""
    pole = float(zodiacal_s10(np.asarray(2.0), np.asarray(np.pi / 2)))
    assert airglow_s10(80.0) / pole == pytest.approx(2.5, abs=0.1)


def test_paranal_at_130_sfu_is_as_dark_as_eso_says() -> None:
    """SkyCalc 1.4: V = 21.83 at the zenith and the ecliptic pole; models agree to 20 %."""
    assert 27.78 - magnitudes(sum(PLACE.site()[2:4]) + 60.0) == pytest.approx(21.83, abs=0.2)


def test_moonlight_is_added_in_units_of_the_dark_sky() -> None:
    added = bright(60.0, moon=40.0) - bright(60.0)
    alone = moonlight_nl(float(np.cos(np.radians(20.0))), sine(40.0), 0.0, sine(60.0), 0.12)
    assert added == pytest.approx(alone / nanolambert(21.6), rel=1e-12)


def test_zodiacal_light_at_the_figures_of_its_table_and_between() -> None:
    """Leinert et al. (1998), table 16."""
    lon, lat = np.radians([90.0, 180.0, -90.0, 270.0, 60.0]), np.radians([0, 0, -30, 30, 60.0])
    assert zodiacal_s10(lon, lat) == pytest.approx([202, 180, 103, 103, 81])
    middle = zodiacal_s10(np.radians([97.5]), np.radians([2.5]))
    assert middle == pytest.approx([(202 + 196 + 166 + 164) / 4])
    assert zodiacal_s10(np.radians([0.0, 77.0]), np.radians([90.0, -90.0])) == pytest.approx(60.0)


def test_the_zodiacal_table_is_that_of_another_unit() -> None:
    """Table 17 is table 16 x 1.28 (1e-8 W m-2 sr-1 um-1 an S10): a few of its figures."""
    lon, lat = np.radians([90.0, 120.0, 150.0, 180.0]), np.radians([0.0, 15.0, 45.0, 60.0])
    assert 1.28 * zodiacal_s10(lon, lat) == pytest.approx([259, 154, 96, 83], abs=1.0)


def test_starlight_matters_in_the_plane_alone() -> None:
    assert starlight_s10(np.radians([0.0, 10.0, -40.0])) == pytest.approx([100, 36.8, 1.8], abs=0.1)


def test_diffuse_light_loses_less_than_a_star() -> None:
    """Noll et al. (2012), eqs. 19 and 20, worked out by hand at 100 and 300 units."""
    assert astronomical_extinction(100 / 1.28) == pytest.approx(
        0.7 * (1.407 * 2 - 2.692) + 0.3 * (1.309 * 2 - 2.598), abs=1e-12
    )
    x = np.log10(300)
    assert astronomical_extinction(300 / 1.28) == pytest.approx(
        0.7 * (0.527 * x - 0.715) + 0.3 * (0.468 * x - 0.702), abs=1e-12
    )
    assert astronomical_extinctions(np.array([60.0]))[0] == astronomical_extinction(60.0) < 0


def test_airglow_rises_as_a_shell_at_90_km() -> None:
    """Noll et al. (2012, eq. 23): without extinction van Rhijn's law with R / (R + h) of 0.972."""
    for altitude in (90.0, 60.0, 30.0):
        z = np.radians(90.0 - altitude)
        assert airglow_rise(sine(altitude), 0.0) == pytest.approx(
            (1 - 0.972 * np.sin(z) ** 2) ** -0.5, rel=1e-12
        )
    assert 0.9 < airglow_rise(sine(30.0), 0.12) / airglow_rise(sine(30.0), 0.0) < 1.0


# Twilight -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("down", "mag"), [(5.0, 11.84), (10.0, 18.005), (15.0, 21.32)])
def test_twilight_has_the_brightness_measured_at_paranal(down: float, mag: float) -> None:
    """Patat et al. (2006), table 4: 11.84 + 1.518 d - 0.057 d^2, in V, with the dark sky."""
    over = 1.0 + twilight_excess(float(np.radians(-down)))
    assert 21.6 - magnitudes(over) == pytest.approx(mag, abs=1e-9)


def test_twilight_is_near_what_was_measured_for_lsst() -> None:
    """Yoachim et al. (2016): 4.14 times the dark sky in V with the Sun 12 deg down."""
    assert twilight_excess(float(np.radians(-12.0))) == pytest.approx(4.14, rel=0.25)


def test_twilight_fades_without_a_step_and_ends() -> None:
    down = np.radians(np.linspace(0.0, 23.9, 2000))
    over = [twilight_excess(-float(x)) for x in down]
    assert (np.diff(over) < 0).all()
    assert np.max(-np.diff(np.log10(over))) < 0.012  # under 2.5 mag a degree
    assert twilight_excess(float(np.radians(-24.1))) == 0.0
    assert twilight_excess(float(np.radians(-18.0))) < 0.03


def test_twilight_is_brighter_low_and_towards_the_sun() -> None:
    assert twilight_shape(1.0, 1.0) == pytest.approx(1.0, abs=1e-4)
    low = sine(30.0)
    assert twilight_shape(low, -1.0) == pytest.approx(10**0.3, rel=1e-2)
    assert twilight_shape(low, 1.0) == pytest.approx(10**0.62, rel=1e-2)
    assert bright(90.0, sun=-14.0) - 1.0 == pytest.approx(twilight_excess(float(np.radians(-14.0))))
    assert bright(40.0, sun=-14.0) - bright(40.0) == pytest.approx(
        twilight_excess(float(np.radians(-14.0))) * twilight_shape(sine(40.0), 1.0)
    )


# Colour ---------------------------------------------------------------------------------------


def test_the_dark_sky_has_its_colour() -> None:
    """Patat (2003): V = 21.6, R = 20.9, I = 19.7 (Vega), here in AB."""
    assert dark_sky_ab(550e-9) == pytest.approx(21.62)
    assert dark_sky_ab(np.array([650e-9, 800e-9])) == pytest.approx([21.11, 20.15])
    assert dark_sky_ab(300e-9) == dark_sky_ab(365e-9)
    assert (np.diff(dark_sky_ab(np.linspace(365e-9, 1020e-9, 50))) < 0).all()


def test_moonlight_is_blue() -> None:
    assert moonlight_factor(550e-9) == pytest.approx(1.0)
    assert (np.diff(moonlight_factor(np.linspace(365e-9, 1020e-9, 50))) < 0).all()
    assert moonlight_factor(365e-9) > 2.0
    assert moonlight_factor(880e-9) < 0.1


def test_solar_cycle() -> None:
    assert solar_flux_sfu(2019.96) == pytest.approx(80.0)
    assert solar_flux_sfu(2025.46) == pytest.approx(200.0)
    assert solar_flux_sfu(2041.96) == pytest.approx(80.0)
