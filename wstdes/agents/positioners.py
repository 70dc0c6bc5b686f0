"""The fibre positioners: they move, and some break."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import simpy
from numpy.typing import NDArray

from wstdes.agents.parts import Parts
from wstdes.clock import DAY_S, YEAR_S
from wstdes.kernel import Agent, Day

__all__ = ["Positioners", "PositionersState"]

SITE = "mountain"


@dataclass
class PositionersState:
    """Which positioners are broken."""

    broken: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, dtype=np.bool_))


class Positioners(Agent[PositionersState]):
    """Reconfigures the focal plane; a broken positioner stays broken."""

    State = PositionersState

    def __init__(self, day: Day, name: str, state: PositionersState, parts: Parts) -> None:
        super().__init__(day, name, state)
        self.model = parts.scenario.focal_plane
        self.count = parts.focal_plane.n_fibres

    @property
    def usable(self) -> NDArray[np.bool_]:
        """Which positioners can be used, by number."""
        return ~self.state.broken

    def start(self) -> None:
        """Break what breaks today."""
        self._break()
        self.draw_power(SITE, "holding", self.model.holding_power_w * self.count)

    def move(self) -> simpy.Process:
        """Go to a new configuration; the process ends when the metrology agrees."""
        return self.env.process(self._move())

    def _move(self) -> Generator[simpy.Event, Any, None]:
        moving = int(self.usable.sum())
        watts = self.model.moving_power_w * moving + self.model.holding_power_w * (
            self.count - moving
        )
        self.draw_power(SITE, "moving", watts)
        yield self.env.timeout(self.model.reconfiguration_s)
        self.draw_power(SITE, "holding", self.model.holding_power_w * self.count)

    def _break(self) -> None:
        first = not len(self.state.broken)
        if first:
            self.state.broken = np.zeros(self.count, dtype=np.bool_)
        share = (
            self.model.broken_fraction
            if first
            else (1.0 - (1.0 - self.model.broken_per_year) ** (DAY_S / YEAR_S))
        )
        draws = self.day.streams(self.name, "break", self.day.index).random(self.count)
        new = (draws < share) & ~self.state.broken
        self.state.broken |= new
        if new.any():
            self.record(
                "faults",
                agent=self.name,
                kind="broken at first light" if first else "broken",
                start_s=self.now,
                end_s=None,
                count=int(new.sum()),
            )
