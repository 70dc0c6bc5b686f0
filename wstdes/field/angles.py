"""Right ascensions, declinations and other angles as people write them."""

from __future__ import annotations

import math
import re
from typing import Any

from wstdes.errors import WstdesError

__all__ = ["parse_angle", "parse_dec", "parse_ra"]

_COLONS = re.compile(
    r"^([+-]?)\s*(\d{1,3})\s*:\s*(\d{1,2}(?:\.\d*)?)(?:\s*:\s*(\d{1,2}(?:\.\d*)?))?$"
)
_LETTERS = re.compile(
    r"^([+-]?)\s*(\d+(?:\.\d*)?)\s*([hd°])\s*(?:(\d+(?:\.\d*)?)\s*[m'′]?\s*)?"
    r"(?:(\d+(?:\.\d*)?)\s*(?:s|\"|″|'')?)?$"
)


def parse_ra(value: object) -> float:
    """Read a right ascension [rad]: ``10h0m``, ``10:00:00`` (hours), ``150d``, ``150 deg``.

    Parameters
    ----------
    value : str or astropy Quantity
        Text with its unit, or a quantity that has one.

    Returns
    -------
    float
        In [0, 2 pi) [rad].

    Raises
    ------
    WstdesError
        If it is no angle, or not in [0, 360) deg.
    """
    degrees = _degrees(value, "right ascension", "10h0m, 10:00:00 or 150deg", 15.0)
    if not 0.0 <= degrees < 360.0:
        raise WstdesError(f"right ascension '{value}' is not in [0, 360) deg, that is [0, 24) h")
    return math.radians(degrees)


def parse_dec(value: object) -> float:
    """Read a declination [rad]: ``-30d``, ``-30:15:00``, ``-30d15m``, ``-30.25 deg``.

    Parameters
    ----------
    value : str or astropy Quantity
        As for :func:`parse_ra`; colons separate degrees here.

    Returns
    -------
    float
        In [-pi/2, pi/2] [rad].

    Raises
    ------
    WstdesError
        If it is no angle, or not in [-90, 90] deg.
    """
    degrees = _degrees(value, "declination", "-30d, -30:15:00 or -30.25deg", 1.0)
    if not -90.0 <= degrees <= 90.0:
        raise WstdesError(f"declination '{value}' is not in [-90, 90] deg")
    return math.radians(degrees)


def parse_angle(value: object, what: str, example: str, colon_deg: float = 1.0) -> float:
    """Read any other angle [rad], such as a rotator's; colons separate units of `colon_deg`."""
    return math.radians(_degrees(value, what, example, colon_deg))


def _degrees(value: Any, what: str, example: str, colon_deg: float) -> float:
    if not isinstance(value, str):
        return _of_quantity(value, what, example)
    text = value.strip()
    match = _COLONS.match(text)
    if match:
        sign, whole, minutes, seconds = match.groups()
        scale = colon_deg
    else:
        match = _LETTERS.match(text)
        if match is None:
            return _of_unit(text, what, example)
        sign, whole, letter, minutes, seconds = match.groups()
        scale = 15.0 if letter == "h" else 1.0
    parts = [float(part or 0.0) for part in (whole, minutes, seconds)]
    if parts[1] >= 60.0 or parts[2] >= 60.0:
        raise WstdesError(f"{what} '{value}' has 60 minutes or seconds, or more")
    size = scale * (parts[0] + parts[1] / 60.0 + parts[2] / 3600.0)
    return -size if sign == "-" else size


def _of_unit(text: str, what: str, example: str) -> float:
    from pydantic_core import PydanticCustomError

    from wstdes.units import Unit, parse_quantity

    try:
        unit = Unit("deg", "_deg", "an angle", example)
        return parse_quantity(text.replace("hours", "hourangle"), unit)
    except PydanticCustomError as error:
        reason = error.message().partition(";")[0]
        raise WstdesError(f"{what}: {reason}; write for example {example}") from None


def _of_quantity(value: Any, what: str, example: str) -> float:
    try:
        degrees = float(value.to_value("deg"))
    except (AttributeError, TypeError, ValueError) as error:
        reason = "has no unit" if isinstance(value, int | float) else f"is no angle ({error})"
        raise WstdesError(f"{what}: {value!r} {reason}; write for example '{example}'") from None
    if not math.isfinite(degrees):
        raise WstdesError(f"{what}: {value} is not finite")
    return degrees
