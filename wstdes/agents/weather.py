"""The weather: a step every quarter of an hour."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import simpy
from numpy.typing import NDArray

from wstdes.agents.parts import Parts
from wstdes.kernel import Agent, Day, Signal
from wstdes.models.site import COMPONENTS

__all__ = ["STEP_S", "Conditions", "Weather", "WeatherState"]

STEP_S = 900.0
_ARCSEC = np.pi / 648000.0
_CAUSES = ("", "cloud", "wind", "humidity", "reopening", "measured")
_REOPENING, _MEASURED = 4, 5

Array = NDArray[np.float64]


@dataclass
class WeatherState:
    """Latent processes at noon, and when the wait after the last closing ends."""

    cloud: float = 0.0
    seeing: float = 0.0
    seeing_slow: float = 0.0
    wind: float = 0.0
    humidity: float = 0.0
    shut_until_s: float = -1e30
    begun: bool = False


@dataclass(frozen=True)
class Conditions:
    """The weather of a step."""

    seeing_rad: float
    transparency: float
    wind_m_per_s: float
    humidity: float
    open: bool
    closed_by: str


class Weather(Agent[WeatherState]):
    """Makes the day's weather at noon and reveals it step by step."""

    State = WeatherState

    def __init__(self, day: Day, name: str, state: WeatherState, parts: Parts) -> None:
        super().__init__(day, name, state)
        self.parts = parts
        self.changed = Signal(day.env)
        """Fires at each step."""
        self.closing = Signal(day.env)
        """Fires when the dome has to close."""
        self._steps: dict[str, list[float]] = {}
        self._sums: dict[str, list[float]] = {}
        self._closed_by: list[str] = []
        self._known: tuple[int, Conditions] | None = None

    def start(self) -> None:
        """Draw the day's innovations and reveal the first step."""
        replay = self.parts.replay
        measured = {} if replay is None else replay.day(self.day.index)
        made = self._draw(measured)
        self._keep(made, self._closures(made, measured))
        self._record(made, measured)
        self.env.process(self._reveal())

    @property
    def current(self) -> Conditions:
        """The conditions now."""
        i = self._index(self.now)
        known = self._known
        if known is None or known[0] != i:
            seeing, clear = self._steps["seeing"][i], self._steps["transparency"][i]
            known = self._known = i, self._conditions(i, seeing, clear)
        return known[1]

    def mean(self, start_s: float, end_s: float) -> Conditions:
        """Time-weighted mean of seeing and transparency over a past interval of this day."""
        last = self._index(max(start_s, end_s - 1e-6))
        if end_s <= start_s:
            return self._conditions(
                last, self._steps["seeing"][last], self._steps["transparency"][last]
            )
        seeing, clear = (
            (self._integral(what, end_s) - self._integral(what, start_s)) / (end_s - start_s)
            for what in ("seeing", "transparency")
        )
        return self._conditions(last, seeing, clear)

    def _conditions(self, i: int, seeing_rad: float, clear: float) -> Conditions:
        wind, humidity, cause = (
            self._steps["wind"][i],
            self._steps["humidity"][i],
            self._closed_by[i],
        )
        return Conditions(seeing_rad, clear, wind, humidity, not cause, cause)

    def _integral(self, what: str, t_s: float) -> float:
        """Integral of a quantity from noon."""
        i = self._index(t_s)
        return self._sums[what][i] + self._steps[what][i] * (t_s - self.day.start_s - i * STEP_S)

    def _index(self, t_s: float) -> int:
        return min(len(self._closed_by) - 1, int((t_s - self.day.start_s) // STEP_S))

    def _draw(self, measured: Mapping[str, Array]) -> dict[str, Array]:
        """Draw what was not measured of the day."""
        n = round((self.day.end_s - self.day.start_s) / STEP_S)
        state, streams, index = self.state, self.day.streams, self.day.index
        if not state.begun:
            for what in COMPONENTS:
                setattr(state, what, float(streams(self.name, what, -1).normal()))
            state.begun = True
        latent = np.array([getattr(state, what) for what in COMPONENTS])
        draws = np.array([streams(self.name, w, index).standard_normal(n) for w in COMPONENTS])
        made = self.parts.climate.day(self.parts.clock.month(index), latent, draws, measured)
        for what, value in zip(COMPONENTS, latent.tolist(), strict=True):
            setattr(state, what, value)
        return made

    def _closures(
        self, made: Mapping[str, Array], measured: Mapping[str, Array]
    ) -> NDArray[np.int64]:
        """What keeps the dome closed at each step: a limit, the wait after it, or the record."""
        climate, state = self.parts.climate, self.state
        causes = climate.causes(made)
        begin = self.day.start_s + STEP_S * np.arange(len(causes))
        until = np.where(causes > 0, begin + STEP_S + climate.delay_s, state.shut_until_s)
        until = np.maximum.accumulate(np.maximum(until, state.shut_until_s))
        state.shut_until_s = float(until[-1])
        closed = np.where((causes == 0) & (begin < until), _REOPENING, causes)
        if "open" in measured:
            closed = np.where(measured["open"] == 1.0, 0, closed)
            closed = np.where((measured["open"] == 0.0) & (causes == 0), _MEASURED, closed)
        return closed

    def _keep(self, made: Mapping[str, Array], causes: NDArray[np.int64]) -> None:
        self._closed_by = [_CAUSES[cause] for cause in causes.tolist()]
        self._steps = {what: values.tolist() for what, values in made.items()}
        self._sums = {
            what: [0.0, *(np.cumsum(made[what]) * STEP_S).tolist()]
            for what in ("seeing", "transparency")
        }

    def _record(self, made: Mapping[str, Array], measured: Mapping[str, Array]) -> None:
        begin = self.day.start_s + STEP_S * np.arange(len(self._closed_by))
        columns = {
            "start_s": begin,
            "end_s": begin + STEP_S,
            "seeing_arcsec": made["seeing"] / _ARCSEC,
            "transparency": made["transparency"],
            "wind_m_per_s": made["wind"],
            "humidity": made["humidity"],
            "open": [not cause for cause in self._closed_by],
            "closed_by": self._closed_by,
            "measured": _names(measured, len(begin)) if measured else "",
        }
        self.day.trace.extend("conditions", columns)

    def _reveal(self) -> Generator[simpy.Event, Any, None]:
        before = True
        for i, cause in enumerate(self._closed_by):
            if i:
                yield self.env.timeout(self.day.start_s + i * STEP_S - self.now)
            self.changed.fire()
            if cause and i and before:
                self.closing.fire()
            before = not cause


def _names(measured: Mapping[str, Array], n: int) -> list[str]:
    """What was measured at each step, by name."""
    known = [(what, np.isfinite(values).tolist()) for what, values in measured.items()]
    return [", ".join(what for what, there in known if there[i]) for i in range(n)]
