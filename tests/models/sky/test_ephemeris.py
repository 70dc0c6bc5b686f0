"""Sun, Moon and stars against astropy; nights against spherical astronomy."""

from __future__ import annotations

import datetime as dt
import math
import warnings

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import AltAz, EarthLocation, SkyCoord, get_body
from astropy.time import Time
from astropy.utils import iers

from wstdes.clock import DAY_S, Clock
from wstdes.models.sky import DaySky, Horizon, airmass, separation

LATITUDE, LONGITUDE, HEIGHT = math.radians(-24.589), math.radians(-70.192), 3046.0
HORIZON = Horizon(LATITUDE, LONGITUDE, HEIGHT)
DATES = [
    dt.date(2020, 1, 15),
    dt.date(2021, 6, 21),
    dt.date(2023, 4, 2),
    dt.date(2024, 9, 30),
    dt.date(2026, 11, 8),
    dt.date(2041, 3, 1),
]
ARCSEC = math.pi / 648000
HOURS = (4.5, 9.0, 14.25, 20.0)


def astropy_altaz(date: dt.date, hours: float, what: str | SkyCoord) -> tuple[float, float]:
    """Altitude and azimuth by astropy, with UT1 = UTC as the clock has it."""
    location = EarthLocation.from_geodetic(LONGITUDE * u.rad, LATITUDE * u.rad, HEIGHT * u.m)
    with (
        warnings.catch_warnings(),
        iers.conf.set_temp("auto_download", False),
        iers.conf.set_temp("auto_max_age", None),
        iers.conf.set_temp("iers_degraded_accuracy", "ignore"),
    ):
        warnings.simplefilter("ignore")
        clock = Clock(date, LONGITUDE)
        time = Time(clock.utc(hours * 3600.0).replace(tzinfo=None), scale="utc")
        time.delta_ut1_utc = 0.0
        frame = AltAz(obstime=time, location=location, pressure=0 * u.hPa)
        where = get_body(what, time, location) if isinstance(what, str) else what
        seen = where.transform_to(frame)
        return float(seen.alt.rad), float(seen.az.rad)


def distance(a: tuple[float, float], b: tuple[float, float]) -> float:
    return float(separation(*(np.asarray(x) for x in (a[1], a[0], b[1], b[0])))) / ARCSEC


@pytest.mark.parametrize("date", DATES, ids=str)
def test_stars_stand_where_astropy_sees_them_within_an_arcsecond(date: dt.date) -> None:
    ra, dec = np.radians([[10.0, 130.0, 250.0, 355.0], [-70.0, -24.0, 5.0, -5.0]])
    sky = DaySky(Clock(date, LONGITUDE), HORIZON, 0.0)
    cirs = sky.to_cirs(ra, dec)
    stars = SkyCoord(ra * u.rad, dec * u.rad)
    for hours in (9.0, 14.25):
        altitude, azimuth = sky.altaz(*cirs, hours * 3600.0)
        for i in range(4):
            expected = astropy_altaz(date, hours, stars[i])
            assert distance((altitude[i], azimuth[i]), expected) < 1.0


@pytest.mark.parametrize("date", DATES, ids=str)
def test_the_moon_stands_where_astropy_sees_it_within_15_arcseconds(date: dt.date) -> None:
    sky = DaySky(Clock(date, LONGITUDE), HORIZON, 0.0)
    for hours in HOURS:
        state = sky.at(hours * 3600.0)
        altitude, azimuth = HORIZON.altaz(
            np.array(state.moon_ra_rad), np.array(state.moon_dec_rad), state.ut1
        )
        assert float(altitude) == pytest.approx(state.moon_altitude_rad, abs=1e-12)
        assert distance((altitude, azimuth), astropy_altaz(date, hours, "moon")) < 15.0


@pytest.mark.parametrize("date", DATES, ids=str)
def test_the_sun_stands_as_high_as_astropy_says_within_20_arcseconds(date: dt.date) -> None:
    sky = DaySky(Clock(date, LONGITUDE), HORIZON, 0.0)
    for hours in HOURS:
        expected = astropy_altaz(date, hours, "sun")[0]
        assert abs(sky.at(hours * 3600.0).sun_altitude_rad - expected) / ARCSEC < 20.0


def test_known_phases_of_the_moon() -> None:
    """Full Moon 2026-11-24 14:53 UT, new Moon 2026-11-09 07:02 UT, first quarter 11-17 11:48."""
    clock = Clock(dt.date(2026, 11, 1), LONGITUDE)

    def lit(day: int, hour: int, minute: int) -> float:
        moment = dt.datetime(2026, 11, day, hour, minute, tzinfo=dt.UTC)
        t_s = (moment - clock.utc(0.0)).total_seconds()
        return DaySky(clock, HORIZON, t_s // DAY_S * DAY_S).at(t_s).moon_illumination

    assert lit(24, 14, 53) > 0.997
    assert lit(9, 7, 2) < 0.003
    assert lit(17, 11, 48) == pytest.approx(0.5, abs=0.02)


# Nights ---------------------------------------------------------------------------------------

NIGHT_HOURS = [7.63, 8.37, 9.22, 9.96, 10.46, 10.68, 10.56, 10.15, 9.47, 8.64, 7.81, 7.38]


def night_hours(latitude_deg: float, date: dt.date, altitude_deg: float) -> float | None:
    horizon = Horizon(math.radians(latitude_deg), LONGITUDE, 2600.0)
    found = DaySky(Clock(date, LONGITUDE), horizon, 0.0).below(math.radians(altitude_deg))
    return None if found is None else (found[1] - found[0]) / 3600.0


@pytest.mark.parametrize("month", range(12))
def test_astronomical_nights_at_paranal_are_as_long_as_the_table_says(month: int) -> None:
    """The table is plain spherical astronomy, good to 5 minutes: the Sun moves in a night."""
    days = (2, 9, 16, 23) if month == 1 else (2, 9, 16, 23, 30)
    hours = [night_hours(-24.63, dt.date(2041, month + 1, day), -18.0) for day in days]
    assert np.mean(hours) == pytest.approx(NIGHT_HOURS[month], abs=0.08)


def test_sunset_and_sunrise_are_where_the_sun_crosses() -> None:
    sky = DaySky(Clock(dt.date(2041, 3, 1), LONGITUDE), HORIZON, 5 * DAY_S)
    for degrees in (-0.833, -6.0, -15.0, -18.0):
        found = sky.below(math.radians(degrees))
        assert found is not None
        assert 5 * DAY_S < found[0] < found[1] < 6 * DAY_S
        for t_s in found:
            assert math.degrees(sky.at(t_s).sun_altitude_rad) == pytest.approx(degrees, abs=2e-3)


def test_the_equator_has_nights_of_twelve_hours() -> None:
    for month in (3, 6, 9, 12):
        assert night_hours(0.0, dt.date(2041, month, 20), 0.0) == pytest.approx(12.0, abs=0.02)


def test_polar_day_has_no_night_and_polar_night_no_day() -> None:
    assert night_hours(80.0, dt.date(2041, 6, 20), 0.0) is None
    assert night_hours(80.0, dt.date(2041, 12, 20), 0.0) == 24.0
    assert night_hours(-80.0, dt.date(2041, 12, 20), 0.0) is None
    assert night_hours(50.0, dt.date(2041, 6, 20), -18.0) is None  # white nights


# Airmass and angles ---------------------------------------------------------------------------


def test_airmass_is_kasten_and_youngs() -> None:
    altitude = np.radians([90.0, 60.0, 30.0, 10.0, 1e-9])
    assert airmass(altitude) == pytest.approx([1.0, 1.1539, 1.9939, 5.5841, 37.92], rel=1e-3)
    assert np.isinf(airmass(np.radians([0.0, -5.0]))).all()


def test_airmass_is_the_secant_near_the_zenith_and_falls_with_altitude() -> None:
    altitude = np.radians(np.linspace(35, 90, 200))
    assert airmass(altitude) == pytest.approx(1 / np.sin(altitude), rel=3e-3)
    assert (np.diff(airmass(np.radians(np.linspace(0.1, 85, 500)))) < 0).all()
    assert airmass(altitude).min() >= 1.0


def test_separation_is_right_for_tiny_and_opposite_directions() -> None:
    zero = np.asarray(0.0)
    assert float(separation(zero, zero, np.asarray(1e-9), zero)) == pytest.approx(1e-9)
    assert float(separation(zero, zero, np.asarray(math.pi), zero)) == pytest.approx(math.pi)
    assert float(separation(zero, np.asarray(1.0), np.asarray(2.0), np.asarray(1.0))) == (
        pytest.approx(2 * math.asin(math.cos(1.0) * math.sin(1.0)))
    )


def test_the_clock_begins_at_local_mean_noon() -> None:
    clock = Clock(dt.date(2041, 3, 1), math.radians(-70.0))
    assert clock.utc(0.0) == dt.datetime(2041, 3, 1, 16, 40, tzinfo=dt.UTC)
    assert clock.evening(31) == dt.date(2041, 4, 1)
    assert (clock.month(30), clock.month(31)) == (2, 3)
    assert clock.decimal_year(0.0) == pytest.approx(2041 + 59.7 / 365.25, abs=2e-3)
    tt, ut = clock.tt_jd(0.0), clock.ut1_jd(0.0)
    assert (tt[1] - ut[1]) * DAY_S == pytest.approx(37 + 32.184, abs=1e-4)
