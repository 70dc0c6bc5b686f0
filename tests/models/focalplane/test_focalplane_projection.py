"""The tangent plane against astropy: WCS (TAN), offset frames, and space motion."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.time import Time
from astropy.wcs import WCS

from wstdes.models.focalplane import apply_proper_motion, deproject, project

ARCSEC = np.pi / 648_000
SCALE = 180.4e-6 / ARCSEC
CENTRES = [
    (0.0, 0.0),
    (359.99, -30.0),
    (0.001, 20.0),
    (123.4, 89.5),
    (200.0, 90.0),
    (77.0, -90.0),
    (310.0, -89.9),
    (180.0, 45.0),
]


def disc(ra0, dec0, radius_deg, n=400, seed=5):
    """Directions scattered over a disc about a centre, itself included [deg]."""
    rng = np.random.default_rng(seed)
    centre = SkyCoord(ra0, dec0, unit="deg")
    near = centre.directional_offset_by(
        rng.uniform(0, 360, n) * u.deg, radius_deg * np.sqrt(rng.random(n)) * u.deg
    )
    return np.append(near.ra.deg, ra0), np.append(near.dec.deg, dec0)


def tan(ra0, dec0):
    """A TAN WCS whose pixels are degrees, x to the east."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval, wcs.wcs.crpix, wcs.wcs.cdelt = [ra0, dec0], [0.0, 0.0], [1.0, 1.0]
    wcs.wcs.lonpole = 180.0
    return wcs


@pytest.mark.parametrize(("ra0", "dec0"), CENTRES)
@pytest.mark.parametrize("radius_deg", [1.0, 60.0])
def test_projection_is_that_of_wcs(ra0, dec0, radius_deg):
    ra, dec = disc(ra0, dec0, radius_deg)
    centre = np.radians([ra0, dec0])
    x, y, visible = project(np.radians(ra), np.radians(dec), *centre, SCALE)
    east, north = tan(ra0, dec0).wcs_world2pix(ra, dec, 0)
    assert visible.all()
    # WCS counts pixels from 1 at crpix, from 0 here
    scale = np.radians(1.0) * SCALE
    np.testing.assert_allclose(x, (east + 1) * scale, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(y, (north + 1) * scale, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(("ra0", "dec0"), [c for c in CENTRES if abs(c[1]) < 89.95])
def test_projection_is_that_of_an_offset_frame(ra0, dec0):
    ra, dec = disc(ra0, dec0, 1.6)
    centre = SkyCoord(ra0, dec0, unit="deg")
    offset = SkyCoord(ra, dec, unit="deg").transform_to(centre.skyoffset_frame())
    towards, east, north = offset.cartesian.xyz.value
    x, y, _ = project(np.radians(ra), np.radians(dec), np.radians(ra0), np.radians(dec0), SCALE)
    np.testing.assert_allclose(x, SCALE * east / towards, atol=1e-9)
    np.testing.assert_allclose(y, SCALE * north / towards, atol=1e-9)


@pytest.mark.parametrize(("ra0", "dec0"), CENTRES)
def test_there_and_back(ra0, dec0):
    ra, dec = (np.radians(v) for v in disc(ra0, dec0, 80.0))
    ra0, dec0 = np.radians([ra0, dec0])
    x, y, visible = project(ra, dec, ra0, dec0, SCALE)
    back_ra, back_dec = deproject(x, y, ra0, dec0, SCALE)
    assert visible.all()
    assert (back_ra >= 0).all()
    assert (back_ra < 2 * np.pi).all()
    apart = np.abs(np.exp(1j * back_ra) - np.exp(1j * ra)) * np.cos(dec)
    assert np.hypot(apart, back_dec - dec).max() < 1e-13


def test_a_quarter_turn_away_is_not_visible():
    ra = np.array([0.0, 89.9, 90.0, 91.0, 180.0, 270.0, np.nan])
    x, y, visible = project(np.radians(ra), np.zeros(7), 0.0, 0.0, SCALE)
    assert visible.tolist() == [True, True, False, False, False, False, False]
    assert (np.isnan(x) == ~visible).all()
    assert (np.isnan(y) == ~visible).all()
    _, _, over_the_pole = project(0.0, np.radians([-1.0, 0.0, 1.0]), 0.0, np.pi / 2, SCALE)
    assert over_the_pole.tolist() == [False, False, True]


def test_one_point_and_broadcasting():
    x, y, visible = project(0.01, 0.0, 0.0, 0.0, 1.0)
    assert (x.shape, y.shape, visible.shape) == ((), (), ())
    assert float(x) == pytest.approx(np.tan(0.01))
    x, y, _ = project(np.zeros((3, 1)), np.zeros(4), 0.0, 0.0, 1.0)
    assert x.shape == y.shape == (3, 4)


def test_east_is_positive_across_the_origin_of_right_ascension():
    x, _, _ = project(np.radians([359.9, 0.1]), np.zeros(2), 0.0, 0.0, SCALE)
    assert x[0] == pytest.approx(-x[1])
    assert x[1] > 0
    ra, _ = deproject(x, np.zeros(2), 0.0, 0.0, SCALE)
    np.testing.assert_allclose(np.degrees(ra), [359.9, 0.1])


def test_plate_scale():
    _, y, _ = project(0.0, np.radians(1 / 3600), 0.0, 0.0, SCALE)
    assert float(y) == pytest.approx(180.4e-6)


@pytest.mark.parametrize("years", [-20.0, 5.0, 15.5])
def test_proper_motion_is_that_of_astropy(years):
    rng = np.random.default_rng(8)
    n = 200
    ra, dec = rng.uniform(0, 2 * np.pi, n), np.arcsin(rng.uniform(-1, 1, n))
    ra[0], dec[0] = 0.0, 1.0
    dec[1], dec[2] = np.radians([89.9999, -89.9999])
    pmra, pmdec = rng.normal(0, 0.3 * ARCSEC, (2, n))
    star = SkyCoord(
        ra * u.rad,
        dec * u.rad,
        pm_ra_cosdec=pmra * u.rad / u.yr,
        pm_dec=pmdec * u.rad / u.yr,
        distance=100 * u.pc,
        radial_velocity=0 * u.km / u.s,
        obstime=Time(2000.0, format="jyear"),
    )
    moved = star.apply_space_motion(dt=years * u.yr)
    got_ra, got_dec = apply_proper_motion(ra, dec, pmra, pmdec, years)
    got = SkyCoord(got_ra * u.rad, got_dec * u.rad)
    # astropy adds light-travel time: second order in the motion
    travelled = np.hypot(pmra, pmdec) * abs(years)
    apart = got.separation(SkyCoord(moved.ra, moved.dec)).rad
    assert (apart < 1e-9 + 1e-3 * travelled).all()


@pytest.mark.parametrize("sign", [1, -1])
def test_proper_motion_at_and_over_a_pole(sign):
    """From the pole away along the star's own meridian, and from near it over to the far side."""
    pole = sign * np.pi / 2
    ra, dec = apply_proper_motion(1.0, pole, 0.0, -sign * 1e-3, 2.0)
    assert float(dec) == pytest.approx(pole - sign * np.arctan(2e-3))
    assert float(ra) == pytest.approx(1.0)
    ra, dec = apply_proper_motion(1.0, pole, 1e-3, 0.0, 2.0)
    assert float(dec) == pytest.approx(pole - sign * np.arctan(2e-3))
    assert float(ra) == pytest.approx(1.0 + np.pi / 2)
    ra, dec = apply_proper_motion(1.0, pole - sign * 1e-3, 0.0, sign * 1e-3, 3.0)
    assert float(dec) == pytest.approx(pole - sign * 2e-3, abs=1e-8)
    assert float(ra) == pytest.approx(1.0 + np.pi)


def test_proper_motion_by_hand():
    ra, dec = apply_proper_motion([0.0], [0.0], [-2 * ARCSEC], [1 * ARCSEC], [10.0])
    assert ra[0] == pytest.approx(2 * np.pi - 20 * ARCSEC, abs=1e-12)
    assert dec[0] == pytest.approx(10 * ARCSEC, rel=1e-6)
    still = apply_proper_motion([0.3], [0.4], [0.0], [0.0], [1e3])
    np.testing.assert_allclose(np.ravel(still), [0.3, 0.4], rtol=1e-14)
