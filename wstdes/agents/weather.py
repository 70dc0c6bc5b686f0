"""The weather: a step every quarter of an hour."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import numpy as np
import simpy
from numpy.typing import NDArray

from wstdes.agents.parts import Parts
from wstdes.kernel import Agent, Day, Signal
from wstdes.models.site import (
    closing_threshold,
    latent_path,
    lognormal,
    share_above,
    transparency,
)

__all__ = ["Conditions", "Weather", "WeatherState"]

STEP_S = 900.0
_ARCSEC = np.pi / 648000.0


@dataclass
class WeatherState:
    """Latent processes at noon, and when the last closing ended."""

    cloud: float = 0.0
    seeing: float = 0.0
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
        self._steps: list[Conditions] = []

    def start(self) -> None:
        """Draw the day's innovations and reveal the first step."""
        self._make()
        self.env.process(self._reveal())

    @property
    def current(self) -> Conditions:
        """The conditions now."""
        return self._steps[self._index(self.now)]

    def mean(self, start_s: float, end_s: float) -> Conditions:
        """Time-weighted mean of seeing and transparency over a past interval of this day."""
        first, last = self._index(start_s), self._index(max(start_s, end_s - 1e-6))
        weights, chosen = [], self._steps[first : last + 1]
        for i in range(first, last + 1):
            begin = self.day.start_s + i * STEP_S
            weights.append(min(end_s, begin + STEP_S) - max(start_s, begin))
        total = sum(weights)
        if total <= 0:
            return chosen[0]
        seeing = sum(w * c.seeing_rad for w, c in zip(weights, chosen, strict=True)) / total
        clear = sum(w * c.transparency for w, c in zip(weights, chosen, strict=True)) / total
        end = chosen[-1]
        return Conditions(seeing, clear, end.wind_m_per_s, end.humidity, end.open, end.closed_by)

    def _index(self, t_s: float) -> int:
        return min(len(self._steps) - 1, int((t_s - self.day.start_s) // STEP_S))

    def _make(self) -> None:
        site = self.parts.scenario.site
        n = round((self.day.end_s - self.day.start_s) / STEP_S)
        state = self.state
        paths: dict[str, NDArray[np.float64]] = {}
        for what, tau in (
            ("cloud", site.cloud_correlation_s),
            ("seeing", site.seeing_correlation_s),
            ("wind", site.wind_correlation_s),
            ("humidity", site.humidity_correlation_s),
        ):
            rng = self.day.streams(self.name, what, self.day.index)
            if not state.begun:
                setattr(state, what, float(self.day.streams(self.name, what, -1).normal()))
            paths[what] = latent_path(getattr(state, what), rng.standard_normal(n), STEP_S, tau)
            setattr(state, what, float(paths[what][-1]))
        state.begun = True
        self._steps = self._conditions(paths)

    def _conditions(self, paths: dict[str, NDArray[np.float64]]) -> list[Conditions]:
        site = self.parts.scenario.site
        wind = lognormal(paths["wind"], site.wind_median_m_per_s, site.wind_sigma_ln)
        humidity = np.minimum(
            1.0, lognormal(paths["humidity"], site.humidity_median, site.humidity_sigma_ln)
        )
        seeing = lognormal(paths["seeing"], site.seeing_median_rad, site.seeing_sigma_ln)
        open_share = site.open_fraction[self.parts.clock.month(self.day.index)]
        limit = closing_threshold(
            open_share,
            share_above(site.wind_close_m_per_s, site.wind_median_m_per_s, site.wind_sigma_ln),
            share_above(site.humidity_close, site.humidity_median, site.humidity_sigma_ln),
        )
        photometric = closing_threshold(site.photometric_fraction * open_share)
        clear = transparency(paths["cloud"], photometric, limit, site.thin_cloud_transparency)
        steps = []
        for i in range(len(wind)):
            t = self.day.start_s + i * STEP_S
            cause = ""
            if paths["cloud"][i] > limit:
                cause = "cloud"
            elif wind[i] > site.wind_close_m_per_s:
                cause = "wind"
            elif humidity[i] > site.humidity_close:
                cause = "humidity"
            if cause:
                self.state.shut_until_s = t + STEP_S + site.reopening_delay_s
            elif t < self.state.shut_until_s:
                cause = "reopening"
            steps.append(
                Conditions(
                    float(seeing[i]),
                    float(clear[i]),
                    float(wind[i]),
                    float(humidity[i]),
                    not cause,
                    cause,
                )
            )
        return steps

    def _reveal(self) -> Generator[simpy.Event, Any, None]:
        for i, step in enumerate(self._steps):
            begin = self.day.start_s + i * STEP_S
            if self.now < begin:
                yield self.env.timeout(begin - self.now)
            self.record(
                "conditions",
                start_s=begin,
                end_s=begin + STEP_S,
                seeing_arcsec=step.seeing_rad / _ARCSEC,
                transparency=step.transparency,
                wind_m_per_s=step.wind_m_per_s,
                humidity=step.humidity,
                open=step.open,
                closed_by=step.closed_by,
            )
            self.changed.fire()
            if not step.open and i and self._steps[i - 1].open:
                self.closing.fire()
