"""Numbers and words as people read them, safe inside HTML."""

from __future__ import annotations

import html
import math
import re
from typing import Any

__all__ = [
    "amount",
    "clean",
    "count",
    "duration",
    "escape",
    "figures",
    "label",
    "percent",
    "share",
    "sum_up",
]

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_DIGITS = 3
_LARGE = ((1e9, "billion"), (1e6, "million"))
THIN = "\u202f"


def clean(text: object) -> str:
    """Text without control characters."""
    return _CONTROL.sub("", str(text))


def escape(text: object) -> str:
    """Text that is safe in HTML, inside quotes as well."""
    return html.escape(clean(text), quote=True)


def label(text: object) -> str:
    """Text that a figure shows as it is: matplotlib takes dollars for mathematics."""
    return clean(text).replace("$", r"\$")


def figures(value: float, digits: int = _DIGITS) -> str:
    """A number with so many significant figures, thousands apart."""
    if not math.isfinite(value):
        return "—"
    if value == 0:
        return "0"
    places = digits - 1 - math.floor(math.log10(abs(value)))
    rounded = round(value, places)
    text = f"{rounded:,.{max(0, places)}f}" if abs(rounded) < 1e15 else f"{rounded:.{digits - 1}e}"
    return text.replace(",", THIN)


def count(value: float) -> str:
    """A number of things: exact up to a million, rounded above."""
    for size, word in _LARGE:
        if abs(value) >= size:
            return f"{figures(value / size)} {word}"
    return f"{round(value):,}".replace(",", THIN)


def duration(seconds: float) -> str:
    """A time in the unit that suits it."""
    for size, unit in ((2 * 86400.0, "d"), (2 * 3600.0, "h"), (60.0, "min")):
        if abs(seconds) >= size:
            return f"{figures(seconds / {'d': 86400.0, 'h': 3600.0, 'min': 60.0}[unit])} {unit}"
    return f"{figures(seconds, 2)} s"


def percent(part: float) -> str:
    """A share of 1 in per cent."""
    if not math.isfinite(part):
        return "—"
    value = 100.0 * part
    if value and abs(value) < 0.1:
        return "less than 0.1 %" if value > 0 else "above -0.1 %"
    if abs(value) < 10.0 and round(value) != round(value, 1):
        return f"{value:.1f} %"
    return f"{value:.0f} %"


def share(part: float, whole: float) -> str:
    """A part of a whole in per cent."""
    return percent(part / whole) if whole else "—"


def amount(value: Any, unit: str) -> tuple[str, str]:
    """A metric's value as people read it, and its unit.

    Parameters
    ----------
    value : float or int or None
        A share of 1 if it has no unit and is no whole number.
    unit : str
        Unit, or nothing.

    Returns
    -------
    tuple of str
        The number and the unit, which is % for shares.
    """
    if value is None:
        return "—", ""
    if unit:
        return figures(float(value)), unit
    if isinstance(value, int):
        return count(value), ""
    if 0.0 <= value <= 1.0:
        number, _, sign = percent(value).rpartition(" ")
        return number, sign
    return figures(float(value)), ""


def sum_up(parts: list[str]) -> str:
    """Parts as a list in words."""
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} and {parts[-1]}"
