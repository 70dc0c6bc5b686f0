"""Tables of Sun and Moon against ERFA asked directly, and seasons against their nights."""

from __future__ import annotations

import datetime as dt
import math

import erfa
import numpy as np
import pytest

from wstdes.clock import DAY_S, Clock
from wstdes.models.sky import DaySky, Horizon, SeasonSky, sun, unit_vectors

LONGITUDE = math.radians(-70.192)
HORIZON = Horizon(math.radians(-24.589), LONGITUDE, 3046.0)
CLOCK = Clock(dt.date(2037, 6, 1), LONGITUDE)
ARCSEC = math.pi / 648000
AU_M = 149597870700.0


@pytest.mark.parametrize("day", [0, 100, 2000, 4500])
def test_the_table_is_erfas_within_a_fifth_of_an_arcsecond(day: int) -> None:
    sky = DaySky(CLOCK, HORIZON, day * DAY_S)
    for share in np.linspace(0.0, 1.0, 11):
        t_s = (day + float(share)) * DAY_S
        jd1, jd2 = CLOCK.tt_jd(t_s)
        now = (jd1, np.array([jd2]))
        ut1 = (sky.at(t_s).ut1[0], np.array([sky.at(t_s).ut1[1]]))
        # The matrix of the middle of the day, as in the table.
        middle = erfa.c2i06a(jd1, CLOCK.tt_jd((day + 0.5) * DAY_S)[1])
        moon_m = AU_M * (erfa.moon98(*now)["p"] @ middle.T)
        found = unit_vectors(
            np.array([sky.at(t_s).moon_ra_rad]), np.array([sky.at(t_s).moon_dec_rad])
        )
        seen = HORIZON.topocentric(moon_m, ut1)
        away = np.linalg.norm(found - seen / np.linalg.norm(seen))
        assert away < 0.2 * ARCSEC
        altitude, _ = HORIZON.altaz_of(sun(*now), ut1)
        assert sky.at(t_s).sun_altitude_rad == pytest.approx(float(altitude[0]), abs=0.3 * ARCSEC)


def test_to_cirs_is_erfas_within_a_hundredth_of_an_arcsecond_away_from_the_sun() -> None:
    sky = DaySky(CLOCK, HORIZON, 50 * DAY_S)
    rng = np.random.default_rng(3)
    ra, dec = rng.uniform(0, 2 * np.pi, 500), np.arcsin(rng.uniform(-1, 1, 500))
    away = np.arccos(unit_vectors(ra, dec) @ sky.sun_icrs) > math.radians(45)
    jd1, jd2 = CLOCK.tt_jd(50.5 * DAY_S)
    expected = erfa.atciqz(ra, dec, erfa.apci13(jd1, jd2)[0])
    found = unit_vectors(*sky.to_cirs(ra, dec))
    apart = np.linalg.norm(found - unit_vectors(*expected), axis=-1)
    assert apart[away].max() < 0.015 * ARCSEC


def test_moments_outside_the_day_are_refused() -> None:
    sky = DaySky(CLOCK, HORIZON, 3 * DAY_S)
    with pytest.raises(ValueError, match="outside"):
        sky.at(1 * DAY_S)
    with pytest.raises(ValueError, match="outside"):
        SeasonSky.make(CLOCK, HORIZON, 0, 2).at(np.array([0.0, 3 * DAY_S]))


def test_a_season_is_its_nights() -> None:
    season = SeasonSky.make(CLOCK, HORIZON, 200, 40)
    found = season.below(math.radians(-18.0))
    grid = season.grid(3600.0)
    assert grid.shape == (40, 24)
    seen = season.at(grid)
    for night in (0, 17, 39):
        sky = DaySky(CLOCK, HORIZON, (200 + night) * DAY_S)
        assert tuple(found[night]) == pytest.approx(sky.below(math.radians(-18.0)), abs=1e-3)
        for hour in (0, 9, 23):
            state = sky.at(float(grid[night, hour]))
            place = (night, hour)
            assert seen.sun_altitude_rad[place] == pytest.approx(state.sun_altitude_rad, abs=1e-9)
            assert seen.moon_altitude_rad[place] == pytest.approx(state.moon_altitude_rad, abs=1e-9)
            assert seen.moon_illumination[place] == pytest.approx(state.moon_illumination, abs=1e-9)


def test_the_moon_is_full_twelve_or_thirteen_times_a_year() -> None:
    season = SeasonSky.make(CLOCK, HORIZON, 0, 365)
    lit = season.at(DAY_S * (0.5 + np.arange(365.0))).moon_illumination
    full = (lit[1:-1] > lit[:-2]) & (lit[1:-1] > lit[2:]) & (lit[1:-1] > 0.97)
    assert full.sum() in (12, 13)
    assert lit.mean() == pytest.approx(0.5, abs=0.02)


def test_nights_that_do_not_fall_are_not_numbers_in_a_season() -> None:
    north = Horizon(math.radians(80.0), LONGITUDE, 0.0)
    found = SeasonSky.make(CLOCK, north, 0, 250).below(0.0)
    assert np.isnan(found[:60]).all()  # June and July
    dark = found[-30:]  # January
    assert (dark[:, 1] - dark[:, 0] == DAY_S).all()
