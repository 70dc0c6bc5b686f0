"""All fields of a night against astropy and against closed forms."""

from __future__ import annotations

import datetime as dt
import math
import warnings
from collections.abc import Iterator

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import AltAz, EarthLocation, SkyCoord, get_body
from astropy.time import Time
from astropy.utils import iers
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from wstdes.clock import DAY_S, Clock
from wstdes.models.sky import (
    Background,
    DaySky,
    FieldsSky,
    Horizon,
    airmass,
    parallactic_angle,
    separation,
    unit_vectors,
)

LATITUDE, LONGITUDE, HEIGHT = math.radians(-24.589), math.radians(-70.192), 3046.0
HORIZON = Horizon(LATITUDE, LONGITUDE, HEIGHT)
ARCSEC = math.pi / 648000
YEARS = (2025, 2031, 2038, 2044, 2050)
SITE = Background(0.12, 21.6)


@pytest.fixture(autouse=True)
def _offline() -> Iterator[None]:
    with (
        warnings.catch_warnings(),
        iers.conf.set_temp("auto_download", False),
        iers.conf.set_temp("auto_max_age", None),
        iers.conf.set_temp("iers_degraded_accuracy", "ignore"),
    ):
        warnings.simplefilter("ignore")
        yield


def random_fields(seed: int, n: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    rng = np.random.default_rng(seed)
    return rng.uniform(0.0, 2.0 * np.pi, n), np.arcsin(rng.uniform(-1.0, 1.0, n))


def a_night(year: int, n: int = 200) -> tuple[DaySky, FieldsSky, SkyCoord]:
    day = 1 + 37 * (year % 10)
    sky = DaySky(Clock(dt.date(year, 1, 15), LONGITUDE), HORIZON, day * DAY_S)
    ra, dec = random_fields(year, n)
    return sky, sky.fields(ra, dec), SkyCoord(ra * u.rad, dec * u.rad)


def astropy_frame(sky: DaySky, t_s: float) -> AltAz:
    """With UT1 = UTC as the clock has it, and no air."""
    location = EarthLocation.from_geodetic(LONGITUDE * u.rad, LATITUDE * u.rad, HEIGHT * u.m)
    time = Time(sky.clock.utc(t_s).replace(tzinfo=None), scale="utc", location=location)
    time.delta_ut1_utc = 0.0
    return AltAz(obstime=time, location=location, pressure=0 * u.hPa)


@pytest.mark.parametrize("year", YEARS)
def test_fields_stand_where_astropy_sees_them_within_an_arcsecond(year: int) -> None:
    sky, fields, stars = a_night(year)
    for hours in (7.0, 12.0, 17.0):
        t_s = sky.noon_s + hours * 3600.0
        expected = stars.transform_to(astropy_frame(sky, t_s))
        found = fields.at(t_s)
        away = separation(found.azimuth_rad, found.altitude_rad, expected.az.rad, expected.alt.rad)
        assert away.max() / ARCSEC < 1.0
        assert np.arcsin(fields.sin_altitude(t_s)) == pytest.approx(found.altitude_rad, abs=1e-7)
        assert (found.azimuth_rad >= 0).all()
        assert (found.azimuth_rad < 2 * np.pi).all()


@pytest.mark.parametrize("year", YEARS)
def test_the_moon_is_as_far_as_astropy_says_within_15_arcseconds(year: int) -> None:
    sky, fields, stars = a_night(year)
    for hours in (6.0, 13.0, 18.0):
        t_s = sky.noon_s + hours * 3600.0
        frame = astropy_frame(sky, t_s)
        moon = get_body("moon", frame.obstime, frame.location).transform_to(frame)
        expected = stars.transform_to(frame).separation(moon).rad
        found = fields.moon_separation(sky.at(t_s))
        assert np.abs(found - expected).max() / ARCSEC < 15.0


@pytest.mark.parametrize("year", YEARS)
def test_the_sun_of_the_table_is_astropys_within_two_arcseconds(year: int) -> None:
    sky = a_night(year, 1)[0]
    for hours in (0.0, 5.0, 12.0, 24.0):
        t_s = sky.noon_s + hours * 3600.0
        frame = astropy_frame(sky, t_s)
        expected = get_body("sun", frame.obstime, frame.location).transform_to(frame)
        assert sky.at(t_s).sun_altitude_rad == pytest.approx(expected.alt.rad, abs=2 * ARCSEC)


# Closed forms ---------------------------------------------------------------------------------


def test_hour_angle_is_sidereal_time_less_right_ascension() -> None:
    sky, fields, _ = a_night(2038)
    t_s = sky.noon_s + 40000.0
    expected = HORIZON.hour_angle(fields.ra_rad, sky.at(t_s).ut1)
    angle = fields.at(t_s).hour_angle_rad
    assert np.cos(angle - expected) == pytest.approx(np.ones(len(angle)), abs=1e-12)
    assert (np.abs(angle) <= np.pi).all()


def test_the_old_way_by_angles_gives_the_same() -> None:
    sky, fields, stars = a_night(2031)
    t_s = sky.noon_s + 40000.0
    cirs = sky.to_cirs(stars.ra.rad, stars.dec.rad)
    altitude, azimuth = sky.altaz(*cirs, t_s)
    found = fields.at(t_s)
    assert found.altitude_rad == pytest.approx(altitude, abs=1e-9)
    assert np.cos(found.azimuth_rad - azimuth) == pytest.approx(1.0, abs=1e-12)
    up = altitude > 0.01
    assert found.airmass[up] == pytest.approx(airmass(altitude[up]), rel=1e-8)
    assert np.isinf(found.airmass[altitude < 0]).all()


def test_directions_and_heights_are_where_fields_stand() -> None:
    sky, fields, _ = a_night(2038)
    t_s, some = sky.noon_s + 43200.0, np.arange(20, 120)
    stand = fields.at(t_s, some)
    altitude, azimuth, hour_angle = fields.directions(t_s, some)
    np.testing.assert_array_equal(
        [altitude, azimuth, hour_angle],
        [stand.altitude_rad, stand.azimuth_rad, stand.hour_angle_rad],
    )
    np.testing.assert_array_equal(
        fields.heights(t_s, some), [stand.altitude_rad, stand.airmass, stand.hour_angle_rad]
    )


def test_a_choice_of_fields_is_a_part_of_all() -> None:
    sky, fields, _ = a_night(2044)
    times = sky.noon_s + np.array([30000.0, 40000.0])
    numbers = np.array([7, 3, 150])
    mask = np.zeros(200, dtype=np.bool_)
    mask[[3, 7, 150]] = True
    every = fields.sin_altitude(times)
    assert every.shape == (2, 200)
    assert (fields.sin_altitude(times, numbers) == every[:, numbers]).all()
    assert (fields.sin_altitude(times, mask) == every[:, [3, 7, 150]]).all()
    assert (fields.sin_altitude(times[0], slice(10)) == every[0, :10]).all()
    state = sky.at(times[0])
    for values in (
        lambda which: fields.brightness(state, SITE, which),
        lambda which: fields.moon_separation(state, which),
        lambda which: fields.parallactic_angle(times[0], which),
        lambda which: fields.at(times[0], which).azimuth_rad,
        lambda which: fields.at(times[0], which).hour_angle_rad,
    ):
        assert (values(numbers) == values(None)[numbers]).all()


@settings(max_examples=200)
@given(
    hour_angle=st.floats(-math.pi, math.pi),
    dec=st.floats(-1.5, 1.5),
    latitude=st.floats(-1.5, 1.5),
)
def test_the_parallactic_angle_closes_the_triangle(
    hour_angle: float, dec: float, latitude: float
) -> None:
    """Walking along the angle from the field by its zenith distance arrives at the zenith."""
    q = float(parallactic_angle(np.asarray(hour_angle), np.asarray(dec), latitude))
    field = unit_vectors(np.asarray(-hour_angle), np.asarray(dec))
    zenith = unit_vectors(np.asarray(0.0), np.asarray(latitude))
    east = np.array([math.sin(hour_angle), math.cos(hour_angle), 0.0])
    north = np.cross(field, east)
    z = math.acos(min(1.0, max(-1.0, float(field @ zenith))))
    if not 1e-3 < z < math.pi - 1e-3:
        return
    there = math.cos(z) * field + math.sin(z) * (math.cos(q) * north + math.sin(q) * east)
    assert there == pytest.approx(zenith, abs=1e-6)


def test_parallactic_angles_of_a_known_kind() -> None:
    """Zero towards the zenith in the north; 90 deg in the west on the equator of an equator."""
    zero = np.asarray(0.0)
    assert float(parallactic_angle(zero, zero, 0.5)) == 0.0
    assert abs(float(parallactic_angle(zero, zero, -0.5))) == pytest.approx(math.pi)
    assert float(parallactic_angle(np.asarray(1.0), zero, 0.0)) == pytest.approx(math.pi / 2)


# Brightness -----------------------------------------------------------------------------------


def dark_moment(fields: FieldsSky) -> float:
    """A moment of the night without Moon or twilight."""
    sky = fields.day
    for hours in np.arange(7.0, 17.0, 0.5):
        t_s = sky.noon_s + hours * 3600.0
        state = sky.at(t_s)
        if state.moon_altitude_rad < -0.05 and state.sun_altitude_rad < math.radians(-24.5):
            return t_s
    raise AssertionError("the night has no dark moment")


def test_the_ecliptic_and_the_milky_way_are_bright() -> None:
    """The antisolar point, 60 deg north of it, and the galactic plane."""
    sky = DaySky(Clock(dt.date(2038, 3, 1), LONGITUDE), HORIZON, 5 * DAY_S)
    sun = SkyCoord(*(sky.sun_icrs), representation_type="cartesian")
    ecliptic = sun.transform_to("barycentrictrueecliptic")
    anti = SkyCoord(
        [ecliptic.lon.rad + np.pi, ecliptic.lon.rad + np.pi] * u.rad,
        np.radians([0.0, 60.0]) * u.rad,
        frame="barycentrictrueecliptic",
    ).icrs
    plane = SkyCoord([280.0] * u.deg, [0.0] * u.deg, frame="galactic").icrs
    ra = np.concatenate([anti.ra.rad, plane.ra.rad])
    dec = np.concatenate([anti.dec.rad, plane.dec.rad])
    light = sky.fields(ra, dec).beyond[:, 0]
    assert light[0] == pytest.approx(180.0, rel=0.03)
    assert light[1] == pytest.approx(65.0, rel=0.15)
    assert light[2] > 150.0


def test_no_field_is_darker_than_the_dark_zenith_by_more_than_its_parts_allow() -> None:
    fields = a_night(2025, 2000)[1]
    t_s = dark_moment(fields)
    up = np.flatnonzero(fields.sin_altitude(t_s) > 0.5)
    sky = fields.brightness(fields.day.at(t_s), SITE, up)
    assert 0.95 < sky.min() < 1.3
    assert sky.max() < 3.0


def test_the_brightness_of_fields_is_that_of_their_positions() -> None:
    sky, fields, stars = a_night(2050)
    state = sky.at(sky.noon_s + 35000.0)
    cirs = sky.to_cirs(stars.ra.rad, stars.dec.rad)
    assert sky.brightness(state, *cirs, 0.12, 21.6) == pytest.approx(
        fields.brightness(state, SITE), rel=1e-3
    )


def test_one_field_is_as_many() -> None:
    """Dark, twilight and moonlight; fields below the horizon have no airmass but a sky."""
    sky, fields, _ = a_night(2038)
    dusk, dawn = sky.below(math.radians(-6.0)) or (0.0, 0.0)
    for t_s in np.linspace(dusk, dawn, 7).tolist():
        mass, light = fields.at(t_s).airmass, fields.brightness(sky.at(t_s), SITE)
        for number in range(0, 200, 13):
            found = fields.one(number, t_s, SITE)
            assert found == pytest.approx((mass[number], light[number]), rel=1e-10)
