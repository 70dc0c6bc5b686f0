"""Columns as the tables of a run write them: kinds, and those that many tables share."""

from __future__ import annotations

from wstdes.kernel import Column

__all__ = [
    "END",
    "MODE",
    "NIGHT",
    "START",
    "VISIT",
    "integer",
    "moment",
    "number",
    "seconds",
    "text",
]


def moment(name: str, description: str) -> Column:
    """A moment of the run."""
    return Column(f"{name}_s", "float", description, "s")


def seconds(name: str, description: str) -> Column:
    """A length of time."""
    return Column(f"{name}_s", "float", description, "s")


def text(name: str, description: str) -> Column:
    """Words."""
    return Column(name, "text", description)


def integer(name: str, description: str, unit: str = "") -> Column:
    """A whole number."""
    return Column(name, "int", description, unit)


def number(name: str, description: str, unit: str = "") -> Column:
    """Any number."""
    return Column(name, "float", description, unit)


NIGHT = integer("night", "number of the night, from 0")
VISIT = integer("visit", "number of the visit, from 0 in the whole run")
MODE = text("mode", "lr, hr or ifs")
START = moment("start", "start of the interval")
END = moment("end", "end of the interval")
