"""The integral field of a pointing: it exposes on its own clock, across visits of the fibres."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from typing import Any

import simpy

from wstdes.agents.dome import Dome
from wstdes.agents.exposures import Shutter
from wstdes.kernel import Signal

__all__ = ["IntegralRun"]

MARGIN = 1.02
"""Exposures are longer than needed by this: a little worse air must not ask for one more."""

Process = Generator[simpy.Event, Any, None]


class IntegralRun:
    """Exposures of one integral field while the telescope stays where it is.

    The shutter closes for lamps and opens again; an exposure ends after its open-shutter time,
    when the dome closes or the telescope fails, and when it is told to stop.

    Parameters
    ----------
    env : simpy.Environment
        The day's.
    dome : Dome
        The agents it works with.
    shutter : Shutter
        Measures and reads an exposure.
    exposure_s : float
        Longest open-shutter time of an exposure [s].
    shortest_s : float
        Open-shutter time below which an exposure that is stopped is not worth its read-out [s].
    wanted_s : callable
        Open-shutter time that the field still needs, as the sky is now [s].
    suits : callable
        Whether the sky of a moment [s] is as its survey wants it: what was begun in such a sky
        does not go on in another.
    latest_s : float
        When its shutter has to be closed: the night, the telescope's limits, or its Sun [s].
    key : str
        The pipeline's work.
    visit, tile : int
        The visit that began it, and where it is.
    """

    mode = "ifs"

    def __init__(
        self,
        env: simpy.Environment,
        dome: Dome,
        shutter: Shutter,
        exposure_s: float,
        shortest_s: float,
        wanted_s: Callable[[], float],
        suits: Callable[[float], bool],
        latest_s: float,
        key: str,
        visit: int,
        tile: int,
    ) -> None:
        self.env, self.dome, self.shutter = env, dome, shutter
        self.exposure_s, self.shortest_s, self.wanted_s = exposure_s, shortest_s, wanted_s
        self.suits, self.latest_s = suits, latest_s
        self.key, self.visit, self.tile = key, visit, tile
        self._order = Signal(env)
        self._stopped = False
        self._dark = False
        self.process = env.process(self._run())

    @property
    def going(self) -> bool:
        """Whether it still takes exposures."""
        return bool(self.process.is_alive) and not self._stopped

    def lamps(self, on: bool) -> None:
        """Lamps are lit, or put out: the shutter is closed while they are on."""
        self._dark = on
        self._order.fire()

    def stop(self) -> None:
        """Take no more; what is exposed is read out."""
        self._stopped = True
        self._order.fire()

    def _run(self) -> Process:
        begun = False
        while not self._stopped and (wanted_s := self.wanted_s()) > 0.0:
            if self._dark:
                yield self._order.wait()
                continue
            if self.latest_s - self.env.now < self.shortest_s:
                return
            count = max(1, math.ceil(MARGIN * wanted_s / self.exposure_s))
            length_s = min(MARGIN * wanted_s / count, self.exposure_s)
            length_s = max(length_s, self.shortest_s)
            if begun and not self.suits(self.env.now + 0.5 * length_s):
                return
            begun = True
            yield from self._expose(length_s)

    def _expose(self, length_s: float) -> Process:
        """One exposure, with the pauses that lamps make."""
        begin, last, open_s, cause = float(self.env.now), float(self.env.now), 0.0, ""
        while open_s < length_s - 1e-6 and not cause:
            since = float(self.env.now)
            shut = self._dark
            events = [self._order.wait(), self.dome.weather.closing.wait()]
            events.append(self.dome.telescope.failed.wait())
            if not shut:
                room_s = self.latest_s - since
                events.append(self.env.timeout(max(0.0, min(length_s - open_s, room_s))))
            yield self.env.any_of(events)
            if not shut:
                last = float(self.env.now)
                open_s += last - since
            cause = self._obstacle()
        self._stopped = self._stopped or bool(cause)
        if open_s >= self.shortest_s:
            yield self.shutter.close("ifs", begin, last, open_s, bool(cause))

    def _obstacle(self) -> str:
        if self._stopped or self.env.now >= self.latest_s - 1e-6:
            return "end"
        if not self.dome.weather.current.open:
            return "weather"
        return "" if self.dome.telescope.working else "fault"
