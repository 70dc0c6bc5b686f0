"""Footprints: Galactic latitude against two other programs, and limits that mean what they say."""

import math

import numpy as np
import pytest

from wstdes.survey import Footprint, galactic_latitude

RNG = np.random.default_rng(20260101)
RA = RNG.uniform(0.0, 2.0 * math.pi, 5000)
DEC = np.arcsin(RNG.uniform(-1.0, 1.0, 5000))


def test_latitude_is_that_of_the_hipparcos_matrix_as_erfa_has_it():
    import erfa

    _, expected = erfa.icrs2g(RA, DEC)
    # arcsin is steep near the poles: compare where it is not
    assert np.degrees(np.abs(galactic_latitude(RA, DEC) - expected)).max() < 1e-9


def test_latitude_agrees_with_astropy_to_its_own_frame_bias():
    """astropy goes by FK5, whose axes differ from ICRS by 23 mas = 6.4e-6 deg."""
    from astropy import units
    from astropy.coordinates import SkyCoord

    expected = SkyCoord(RA * units.rad, DEC * units.rad, frame="icrs").galactic.b.rad
    assert np.degrees(np.abs(galactic_latitude(RA, DEC) - expected)).max() < 8e-6


def test_latitude_agrees_with_astropy_from_fk5():
    """Without the frame bias what is left is the rounding of the pole's position to 5e-6 deg."""
    from astropy import units
    from astropy.coordinates import FK5, SkyCoord

    position = SkyCoord(RA * units.rad, DEC * units.rad, frame=FK5(equinox="J2000"))
    expected = position.galactic.b.rad
    assert np.degrees(np.abs(galactic_latitude(RA, DEC) - expected)).max() < 2e-6


def test_contains_is_the_conjunction_of_its_limits():
    footprint = Footprint(math.radians(-70), math.radians(20), math.radians(25), math.radians(80))
    latitude = np.degrees(np.abs(galactic_latitude(RA, DEC)))
    dec = np.degrees(DEC)
    expected = (dec >= -70) & (dec <= 20) & (latitude >= 25) & (latitude <= 80)
    inside = footprint.contains(RA, DEC)
    assert inside.dtype == bool
    assert np.array_equal(inside, expected)
    assert 0.3 < inside.mean() < 0.6


def test_the_default_is_all_sky():
    assert Footprint().contains(RA, DEC).all()
    assert Footprint().contains(np.array([0.0]), np.array([math.pi / 2])).all()


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ((0.3, 0.1, 0.0, 1.0), "declinations"),
        ((-30.0, 0.1, 0.0, 1.0), "declinations"),
        ((-0.3, 0.1, -0.5, 1.0), "limit"),
        ((-0.3, 0.1, 0.5, 0.2), "limit"),
    ],
)
def test_limits_out_of_order_are_refused(limits, message):
    with pytest.raises(ValueError, match=message):
        Footprint(*limits)
