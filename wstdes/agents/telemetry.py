"""Telemetry: what the facility writes about itself."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import simpy

from wstdes.agents.network import Links
from wstdes.agents.parts import Parts
from wstdes.agents.store import DataStore
from wstdes.agents.weather import Weather
from wstdes.clock import DAY_S
from wstdes.config.scenario import MOUNTAIN
from wstdes.kernel import Agent, Day

__all__ = ["Telemetry", "TelemetryState"]


@dataclass
class TelemetryState:
    """When the next file is due."""

    next_s: float = -1.0


class Telemetry(Agent[TelemetryState]):
    """Writes a file every interval, with the readings of its channels at that time.

    Where frames travel in bundles an interval is a day, or more.
    """

    State = TelemetryState

    def __init__(
        self,
        day: Day,
        name: str,
        state: TelemetryState,
        parts: Parts,
        store: DataStore,
        weather: Weather,
        links: Links,
    ) -> None:
        super().__init__(day, name, state)
        self.plan = parts.scenario.telemetry
        bundled = parts.scenario.dataflow.bundled
        self.interval_s = max(self.plan.file_interval_s, DAY_S if bundled else 0.0)
        self.store = store
        self.weather = weather
        self.links = links

    def start(self) -> None:
        """Draw power and go on writing."""
        self.draw_power(MOUNTAIN, "on", self.plan.power_w)
        if self.state.next_s < 0:
            self.state.next_s = self.day.start_s + self.interval_s
        if self.plan.rate_bytes_per_s > 0:
            self.env.process(self._write())

    def _write(self) -> Generator[simpy.Event, Any, None]:
        while self.state.next_s < self.day.end_s:
            yield self.env.timeout(self.state.next_s - self.now)
            product = self.store.create(
                "telemetry",
                "telemetry",
                MOUNTAIN,
                self.plan.rate_bytes_per_s * self.interval_s,
                mode="",
                visit=None,
                exposure=None,
                night=self.day.index,
                shutter_close_s=None,
                parents=[],
                work="",
                archive=True,
            )
            for channel, value, unit in self._read():
                self.record(
                    "telemetry",
                    t_s=self.now,
                    channel=channel,
                    value=value,
                    unit=unit,
                    product=product.number,
                )
            self.state.next_s += self.interval_s

    def _read(self) -> list[tuple[str, float, str]]:
        current = self.weather.current
        return [
            ("weather.seeing", current.seeing_rad, "rad"),
            ("weather.wind", current.wind_m_per_s, "m/s"),
            ("weather.humidity", current.humidity, ""),
            ("power.mountain", self.day.power.total(MOUNTAIN), "W"),
            ("buffer.mountain", self.store.used_bytes(MOUNTAIN), "byte"),
            ("network.flows", float(len(self.links.state.active)), ""),
        ]
