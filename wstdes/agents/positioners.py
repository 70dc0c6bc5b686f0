"""The fibre positioners: they move, and some break."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import simpy
from numpy.typing import NDArray

from wstdes.agents.configuration import Configuration
from wstdes.agents.parts import Parts
from wstdes.clock import DAY_S, YEAR_S
from wstdes.kernel import Agent, Day

if TYPE_CHECKING:
    from wstdes.allocation.motion import Configuration as AnglesOfArms

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
        self.plane = parts.focal_plane
        self.count = parts.focal_plane.n_fibres
        self.alert_survey = -2 if parts.alert_survey is None else parts.alert_survey
        self._present: AnglesOfArms | None = None
        self.planned = parts.scenario.allocation.motion

    @property
    def usable(self) -> NDArray[np.bool_]:
        """Which positioners can be used, by number."""
        return ~self.state.broken

    def start(self) -> None:
        """Break what breaks today."""
        self._break()
        self.draw_power(SITE, "holding", self.model.holding_power_w * self.count)

    def prepare(self, config: Configuration) -> float:
        """Plan the move to a configuration; who cannot get there loses its target.

        Parameters
        ----------
        config : Configuration
            The next one.

        Returns
        -------
        float
            How long it takes, metrology included [s].
        """
        if not self.planned or config.wanted_angles is None:
            return float(self.model.reconfiguration_s)
        from wstdes.allocation.motion import Configuration as Angles
        from wstdes.allocation.motion import plan_motion

        assert self.plane.arms is not None
        if self._present is None:  # by day all are folded at home
            self._present = Angles(*self.plane.arms.home())
        plan = plan_motion(
            self.plane,
            present=self._present,
            wanted=config.wanted_angles,
            speed_rad_per_s=(self.model.theta_speed_rad_per_s, self.model.phi_speed_rad_per_s),
            movable=self.usable,
            priority=config.worth,
        )
        wanted = np.isfinite(config.wanted_angles.theta_rad)
        config.drop(wanted & ~plan.arrived, self.plane.kind, self.alert_survey)
        self._present = plan.final
        return float(plan.duration_s + self.model.metrology_s)

    def move(self, lasts_s: float) -> simpy.Process:
        """Go to the new configuration; the process ends when the metrology agrees."""
        return self.env.process(self._move(lasts_s))

    def _move(self, lasts_s: float) -> Generator[simpy.Event, Any, None]:
        moving = int(self.usable.sum())
        watts = self.model.moving_power_w * moving + self.model.holding_power_w * (
            self.count - moving
        )
        self.draw_power(SITE, "moving", watts)
        yield self.env.timeout(lasts_s)
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
