"""Angles as people write them."""

from __future__ import annotations

import math

import pytest
from astropy import units as u

from wstdes.errors import WstdesError
from wstdes.field.angles import parse_angle, parse_dec, parse_ra


@pytest.mark.parametrize(
    "text", ["10h0m", "10h", "10:00:00", "10:00", "150d", "150 deg", "150deg", "10h0m0.0s",
             "10 hourangle", 150 * u.deg, 10 * u.hourangle],
)  # fmt: skip
def test_ten_hours_in_all_spellings(text: object) -> None:
    assert math.degrees(parse_ra(text)) == pytest.approx(150.0)


@pytest.mark.parametrize(("text", "degrees"), [
    ("-30d", -30.0), ("-30:15:00", -30.25), ("-0:30:00", -0.5), ("-30d15m36s", -30.26),
    ("+45°30'", 45.5), ("-30.25deg", -30.25), ("90d", 90.0), ("-5400 arcmin", -90.0),
])  # fmt: skip
def test_declinations(text: str, degrees: float) -> None:
    assert math.degrees(parse_dec(text)) == pytest.approx(degrees)


@pytest.mark.parametrize(
    "text", ["150", 150.0, "10h61m", "ten", "", "400d", "-10d", "24h", "5 km", float("nan") * u.deg]
)
def test_what_is_no_right_ascension_is_refused_with_an_example(text: object) -> None:
    with pytest.raises(WstdesError, match=r"10h0m|0, 360|60 minutes|not finite"):
        parse_ra(text)


def test_what_is_no_declination_is_refused() -> None:
    with pytest.raises(WstdesError, match=r"-90, 90"):
        parse_dec("-95d")


def test_hour_angles_have_their_sign() -> None:
    assert parse_angle("-2h", "hour angle", "-2h", 15.0) == pytest.approx(-math.pi / 6)
    assert parse_angle("-2:00", "hour angle", "-2h", 15.0) == pytest.approx(-math.pi / 6)
