"""Numbers for people."""

from __future__ import annotations

__all__ = ["format_metric", "format_value"]


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
