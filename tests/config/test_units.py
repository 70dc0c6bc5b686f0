"""Quantities: read with their unit, written so that they are read back exactly, else refused."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from pydantic_core import PydanticCustomError

import wstdes.units as units
from wstdes.config.base import Model
from wstdes.config.data_systems import Battery, Link
from wstdes.config.hardware import Spectrograph
from wstdes.units import SUFFIXES, Unit, format_quantity, parse_quantity, strip_suffix

TYPES = {
    name: getattr(units, name).__metadata__[0]
    for name in units.__all__
    if hasattr(getattr(units, name), "__metadata__")
}


def test_every_type_is_here() -> None:
    assert len(TYPES) == len(units.__all__) - 5  # all but SUFFIXES, Unit and three functions
    assert {u.suffix for u in TYPES.values()} == set(SUFFIXES)


@pytest.mark.parametrize("name", TYPES)
@given(value=st.floats(allow_nan=False, allow_infinity=False))
@settings(max_examples=40)
def test_what_is_written_is_read_back_exactly(name: str, value: float) -> None:
    unit = TYPES[name]
    back = parse_quantity(format_quantity(value, unit), unit)
    assert back == value
    assert math.copysign(1.0, back) == math.copysign(1.0, value)


@pytest.mark.parametrize("name", TYPES)
def test_the_example_of_every_type_can_be_read(name: str) -> None:
    assert parse_quantity(TYPES[name].example, TYPES[name]) > 0


KNOWN = [
    ("5 min", "Seconds", 300.0),
    ("2 days", "Seconds", 172800.0),
    ("1 yr", "Seconds", 31557600.0),
    ("3.2 h", "Seconds", 11520.0),
    ("9 ms", "Seconds", 0.009),
    ("10 Gbit/s", "BytesPerSecond", 1.25e9),
    ("10 GB/d", "BytesPerSecond", 1e10 / 86400),
    ("2 PB", "Bytes", 2e15),
    ("1 GiB", "Bytes", 2.0**30),
    ("8 bit", "Bytes", 1.0),
    ("291 gCO2e/(kW h)", "KilogramsPerJoule", 0.291 / 3.6e6),
    ("1.3 kgCO2e/TB", "KilogramsPerByte", 1.3e-12),
    ("1 tCO2e", "Kilograms", 1000.0),
    ("2 t", "Kilograms", 2000.0),
    ("180.4 um/arcsec", "MetresPerRadian", 180.4e-6 * 648000 / math.pi),
    ("6.85 mm", "Metres", 0.00685),
    ("500 nm", "Metres", 5e-7),
    ("1 e-/h", "ElectronsPerSecond", 1 / 3600),
    ("1.5 e-", "Electrons", 1.5),
    ("2.5 node h", "NodeSeconds", 9000.0),
    ("8000/deg2", "PerSteradian", 8000 * (180 / math.pi) ** 2),
    ("8000 / deg2", "PerSteradian", 8000 * (180 / math.pi) ** 2),
    ("2.6 deg2", "Steradians", 2.6 * (math.pi / 180) ** 2),
    ("55 deg", "Radians", math.radians(55)),
    ("-24.589 deg", "Radians", math.radians(-24.589)),
    ("13 arcmin", "Radians", math.radians(13 / 60)),
    ("0.25 deg/s2", "RadiansPerSecond2", math.radians(0.25)),
    ("2 deg/s", "RadiansPerSecond", math.radians(2)),
    ("1.2 MW", "Watts", 1.2e6),
    ("0.65 W/TB", "WattsPerByte", 0.65e-12),
    ("4 MW h", "Joules", 1.44e10),
    ("0.11 EUR/(kW h)", "EurosPerJoule", 0.11 / 3.6e6),
    ("15 kEUR", "Euros", 15000.0),
    ("12 €", "Euros", 12.0),
    ("50 EUR/TB", "EurosPerByte", 50e-12),
    ("0.2 MEUR/yr", "EurosPerYear", 2e5),
    ("2 / d", "PerSecond", 2 / 86400),
    ("18 m/s", "MetresPerSecond", 18.0),
    ("64.8 km/h", "MetresPerSecond", 18.0),
    ("93.57 m2", "SquareMetres", 93.57),
    ("1_000 s", "Seconds", 1000.0),
    ("1e3 s", "Seconds", 1000.0),
    ("+.5 s", "Seconds", 0.5),
    ("  5min ", "Seconds", 300.0),
]


@pytest.mark.parametrize(("text", "name", "value"), KNOWN, ids=[k[0] for k in KNOWN])
def test_known_conversions(text: str, name: str, value: float) -> None:
    assert parse_quantity(text, TYPES[name]) == pytest.approx(value, rel=1e-14)


@pytest.mark.parametrize("shift", range(-12, 13, 3))
@given(value=st.floats(min_value=1e-3, max_value=1e3))
@settings(max_examples=20)
def test_prefixes_scale_by_powers_of_ten(shift: int, value: float) -> None:
    prefix = {-12: "p", -9: "n", -6: "u", -3: "m", 0: "", 3: "k", 6: "M", 9: "G", 12: "T"}[shift]
    read = parse_quantity(f"{value!r} {prefix}W", TYPES["Watts"])
    assert read == pytest.approx(value * 10.0**shift, rel=1e-14)


REFUSED: list[tuple[object, str]] = [
    (5, "5 has no unit"),
    (5.0, "5.0 has no unit"),
    ("5", "'5' has no unit"),
    ("5e3", "'5e3' has no unit"),
    (math.nan, "nan has no unit"),
    (True, "True is not a quantity"),
    (None, "None is not a quantity"),
    ([5], "[5] is not a quantity"),
    ("", "'' is not a number with a unit"),
    ("   ", "is not a number with a unit"),
    ("min 5", "'min 5' is not a number with a unit"),
    ("s", "'s' is not a number with a unit"),
    ("five min", "'five min' is not a number with a unit"),
    ("5,5 min", "is not a number with a unit"),
    ("1.2.3 s", "is not a number with a unit"),
    ("nan s", "'nan s' is not a finite number"),
    ("inf s", "'inf s' is not a finite number"),
    ("-inf s", "'-inf s' is not a finite number"),
    ("1e999 s", "'1e999 s' is not a finite number"),
    ("5 fortnits", "'fortnits' is not a unit known here"),
    ("5 m/", "is not a unit known here"),
    ("5 m", "'5 m' is not a time"),
    ("5 min/s", "'5 min/s' is not a time"),
    ("5 Hz", "'5 Hz' is not a time"),
]


@pytest.mark.parametrize(("value", "words"), REFUSED, ids=[repr(r[0]) for r in REFUSED])
def test_what_is_no_time_is_refused_in_words_with_an_example(value: object, words: str) -> None:
    with pytest.raises(PydanticCustomError) as caught:
        parse_quantity(value, TYPES["Seconds"])
    assert words in caught.value.message()
    assert "expected a time, for example '20 min'" in caught.value.message()


@pytest.mark.parametrize("name", TYPES)
def test_a_unit_of_another_kind_is_refused_by_every_type(name: str) -> None:
    with pytest.raises(PydanticCustomError, match="is not"):
        parse_quantity("3 K", TYPES[name])


class OneTime(Model):
    time_s: units.Seconds


def test_a_conversion_that_overflows_is_refused() -> None:
    assert OneTime.model_validate({"time": "1e290 Gyr"}).time_s == pytest.approx(3.15576e306)
    with pytest.raises(ValidationError, match="finite"):
        OneTime.model_validate({"time": "1e292 Gyr"})


def test_keys_are_names_without_the_suffix_of_their_unit() -> None:
    assert strip_suffix("readout_s") == "readout"
    assert strip_suffix("rate_bytes_per_s") == "rate"
    assert strip_suffix("carbon_kg_per_j") == "carbon"
    assert strip_suffix("dark_e_per_s") == "dark"
    assert strip_suffix("azimuth_rate_rad_per_s") == "azimuth_rate"
    assert strip_suffix("acceleration_rad_per_s2") == "acceleration"
    assert strip_suffix("price_eur_per_yr") == "price"
    assert strip_suffix("pixels_across") == "pixels_across"
    assert strip_suffix("_s") == "_s"


@pytest.mark.parametrize("model", [Spectrograph, Link, Battery])
def test_fields_are_named_by_the_unit_they_hold(model: type) -> None:
    for name, field in model.model_fields.items():  # type: ignore[attr-defined]
        for meta in field.metadata:
            if isinstance(meta, Unit):
                assert name.endswith(meta.suffix)
