"""Numbers and notes for people."""

from __future__ import annotations

import sys
from collections.abc import Iterable

__all__ = ["format_metric", "format_value", "tell"]


def tell(notes: Iterable[object]) -> None:
    """Say on the error stream what works, but perhaps not as somebody hoped."""
    for note in notes:
        sys.stderr.write(f"note: {note}\n")


def format_metric(value: float | int | None, unit: str) -> tuple[str, str]:
    """A metric's number and unit as they are shown; shares of one are shown in percent."""
    if isinstance(value, float) and not unit:
        return format_value(100.0 * value), "%"
    return format_value(value), unit


def format_value(value: float | int | None) -> str:
    """Write a number with three or four significant digits; nothing measured is a dash."""
    if value is None:
        return "-"
    if isinstance(value, int) or float(value).is_integer():
        return f"{int(value):,}"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"
