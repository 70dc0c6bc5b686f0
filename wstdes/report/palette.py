"""Colours: the same for the same thing everywhere, told apart by colour-blind people.

The eight colours are those of Okabe and Ito (2008), Color Universal Design; greys stand for what
is not there: idle time, weather, spares.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

__all__ = [
    "AGENTS", "CAUSES", "FAINT", "FIBRES", "INK", "KINDS", "MODES", "OTHERS", "OUTCOMES", "PARTS",
    "SITES", "SOURCES", "STATES", "assign",
]  # fmt: skip

BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
YELLOW, BLUE, RED, PINK = "#F0E442", "#0072B2", "#D55E00", "#CC79A7"
GREY, LIGHT, BROWN, DARK = "#8C8C8C", "#D9D9D9", "#7A5230", "#4A4F57"
INK, FAINT = "#1F2933", "#6B7785"

OTHERS = (BLUE, ORANGE, GREEN, PINK, SKY, RED, BROWN, YELLOW, BLACK, GREY)
"""In turn, for what has no colour of its own."""

STATES = {
    "science": BLUE, "standard": YELLOW, "acquisition": ORANGE, "slew": PINK,
    "reconfiguration": BROWN, "readout": SKY, "calibration": GREEN, "focus": BLACK, "fault": RED,
    "weather": GREY, "closed": DARK, "idle": LIGHT,
}  # fmt: skip
CAUSES = {"cloud": GREY, "wind": SKY, "humidity": BLUE, "reopening": LIGHT}
MODES = {"lr": BLUE, "hr": RED, "ifs": GREEN}
FIBRES = {"science": BLUE, "standard": YELLOW, "sky": SKY, "unassigned": LIGHT, "broken": RED}
KINDS = {
    "raw": BLUE, "raw, calibration frames": SKY, "reduced": GREEN, "products": ORANGE,
    "calibration": PINK, "telemetry": BLACK, "intermediate": GREY, "quicklook": LIGHT,
}  # fmt: skip
SITES = {"mountain": BLUE, "archive": GREEN, "centre": ORANGE, "network": PINK, "observatory": GREY}
SOURCES = {"sun": ORANGE, "battery": GREEN, "grid": GREY}
AGENTS = {
    "telescope/enclosure": BLUE, "telescope/infrastructure": SKY,
    "telescope/instrument-hvac": GREEN, "telescope/drives": ORANGE, "spectrographs": RED,
    "positioners": BROWN, "computing and storage": PINK, "telemetry": BLACK,
}  # fmt: skip
OUTCOMES = {
    "observed in time": BLUE, "observed late": SKY, "expired, though it was up at night": ORANGE,
    "expired, never up at night": LIGHT, "expired": YELLOW, "dropped out": PINK,
}  # fmt: skip
PARTS = {
    "until up at night": LIGHT, "weather and faults": GREY, "exposures under way": SKY,
    "other work, and days": YELLOW, "slew and reconfiguration": PINK,
    "acquisition and calibration": ORANGE, "exposures that failed": RED, "exposure": BLUE,
    "read-out and quick look": GREEN,
}  # fmt: skip


def assign(names: Iterable[str], known: Mapping[str, str]) -> dict[str, str]:
    """Give each name a colour.

    Parameters
    ----------
    names : iterable of str
        In an order that is the same in every figure.
    known : mapping of str to str
        Names that have a colour already.

    Returns
    -------
    dict of str to str
        Colours in use are not given again until all are used.
    """
    found: dict[str, str] = {}
    free: list[str] = []
    for name in dict.fromkeys(names):
        if name in known:
            found[name] = known[name]
            continue
        if not free:
            taken = set(found.values()) | {known[n] for n in known if n in names}
            free = [c for c in OTHERS if c not in taken] or list(OTHERS)
        found[name] = free.pop(0)
    return found
