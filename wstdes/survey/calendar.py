"""Nights that the calendar closes: shutdowns, engineering, mirror coating."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from wstdes.config.operations import Closure

__all__ = ["closed_nights", "full_moons"]


def full_moons(phase_rad: NDArray[np.float64]) -> NDArray[np.int64]:
    """Nights nearest to full Moon.

    Parameters
    ----------
    phase_rad : ndarray of float64, shape (nights,)
        Phase angle of the Moon in the middle of consecutive nights, 0 at full Moon [rad].

    Returns
    -------
    ndarray of int64
        Numbers of the nights at which it is least; the first and the last night count if the
        Moon is within half a day's motion (0.11 rad) of full in them.
    """
    if not len(phase_rad):
        return np.zeros(0, dtype=np.int64)
    before = np.concatenate([[np.inf], phase_rad[:-1]])
    after = np.concatenate([phase_rad[1:], [np.inf]])
    least = (phase_rad <= before) & (phase_rad < after)
    edge = np.zeros(len(phase_rad), dtype=np.bool_)
    edge[[0, -1]] = True
    return np.flatnonzero(least & (~edge | (phase_rad < 0.11)) & (phase_rad < 1.0))


def closed_nights(
    closures: Mapping[str, Closure],
    start: dt.date,
    phase_rad: NDArray[np.float64],
) -> list[str]:
    """Say for each night which closure takes it.

    Parameters
    ----------
    closures : mapping of str to Closure
        By name; the first that claims a night has it.
    start : datetime.date
        Evening of night 0.
    phase_rad : ndarray of float64, shape (nights,)
        See :func:`full_moons`.

    Returns
    -------
    list of str
        Name of the closure of each night; nothing for nights with science.
    """
    nights = len(phase_rad)
    closed = [""] * nights
    moons = full_moons(phase_rad)
    for name, closure in closures.items():
        for first in _firsts(closure, start, nights, moons):
            for night in range(max(0, first), min(nights, first + closure.nights)):
                closed[night] = closed[night] or name
    return closed


def _firsts(closure: Closure, start: dt.date, nights: int, moons: NDArray[np.int64]) -> list[int]:
    """First nights of a closure; those before the run that reach into it are there too."""
    if closure.full_moon:
        return [int(moon) - (closure.nights - 1) // 2 for moon in moons]
    if closure.yearly is not None:
        month, day = (int(part) for part in closure.yearly.split("-"))
        years = range(start.year - 2, (start + dt.timedelta(days=nights)).year + 1)
        return [(_evening(year, month, day) - start).days for year in years]
    assert closure.first is not None
    first = (closure.first - start).days
    if closure.every_s is None:
        return [first]
    step = closure.every_s / 86400.0
    count = max(0, int((nights - first) / step) + 1)
    return [round(first + k * step) for k in range(count)]


def _evening(year: int, month: int, day: int) -> dt.date:
    """The date; the last of February for the 29th of other years."""
    try:
        return dt.date(year, month, day)
    except ValueError:
        return dt.date(year, month + 1, 1) - dt.timedelta(days=1)
