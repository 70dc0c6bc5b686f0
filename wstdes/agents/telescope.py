"""The telescope: slews, faults, and the power of all that stands around it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import simpy
from numpy.typing import NDArray

from wstdes.agents.parts import Parts
from wstdes.kernel import Agent, Day, Signal, Timer
from wstdes.models.instrument import telescope_slew

__all__ = ["Telescope", "TelescopeState"]

SITE = "mountain"
PARK = (np.pi / 3, 0.0)


@dataclass
class TelescopeState:
    """Where it points, and its faults.

    Parameters
    ----------
    altitude_rad, azimuth_rad : float
        Where it was left.
    faults : int
        Faults so far.
    until_fault_s : float
        Operating time left to the next fault; negative before the first was drawn.
    repaired_s : float
        When the last fault is repaired.
    """

    altitude_rad: float = PARK[0]
    azimuth_rad: float = PARK[1]
    faults: int = 0
    until_fault_s: float = -1.0
    repaired_s: float = -1e30


class Telescope(Agent[TelescopeState]):
    """Moves, fails, is repaired."""

    State = TelescopeState

    def __init__(self, day: Day, name: str, state: TelescopeState, parts: Parts) -> None:
        super().__init__(day, name, state)
        self.model = parts.scenario.telescope
        self.failed = Signal(day.env)
        """Fires when a fault begins."""
        self.repaired = Signal(day.env)
        """Fires when a fault ends."""
        self._fault = Timer(day.env, self._fail)
        self._repair = Timer(day.env, self._mend)
        self._operating_since: float | None = None

    def start(self) -> None:
        """Draw the constant loads; take up a repair that is under way."""
        if self.state.until_fault_s < 0:
            self._draw_fault()
        model = self.model
        self.draw_power(SITE, "on", model.infrastructure_power_w, "infrastructure")
        self.draw_power(SITE, "on", model.instrument_hvac_power_w, "instrument-hvac")
        self.draw_power(SITE, "on", model.enclosure_power_w, "enclosure")
        self.draw_power(SITE, "off", 0.0, "drives")
        if not self.working:
            self._repair.set(self.state.repaired_s)

    def close(self) -> None:
        """Count the operating time if noon comes while it operates."""
        self.rest()

    @property
    def working(self) -> bool:
        """Whether no fault holds it."""
        return self.now >= self.state.repaired_s

    def operate(self) -> None:
        """Track from now on: the clock of faults runs."""
        if self._operating_since is not None:
            return
        self._operating_since = max(self.now, self.state.repaired_s)
        self.draw_power(SITE, "tracking", self.model.drives_power_w, "drives")
        self._fault.set(self._operating_since + self.state.until_fault_s)

    def rest(self) -> None:
        """Stop tracking."""
        if self._operating_since is None:
            return
        elapsed = max(0.0, self.now - self._operating_since)
        self.state.until_fault_s = max(0.0, self.state.until_fault_s - elapsed)
        self._operating_since = None
        self._fault.cancel()
        self.draw_power(SITE, "off", 0.0, "drives")

    def slew_times(
        self, altitude_rad: NDArray[np.float64], azimuth_rad: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Time [s] to each of several directions, settling included."""
        model = self.model
        return telescope_slew(
            (self.state.altitude_rad, self.state.azimuth_rad),
            altitude_rad,
            azimuth_rad,
            (model.altitude_rate_rad_per_s, model.azimuth_rate_rad_per_s),
            model.acceleration_rad_per_s2,
            model.settle_s,
        )

    def slew(self, altitude_rad: float, azimuth_rad: float) -> simpy.Process:
        """Move; the process ends when it has settled."""
        seconds = float(self.slew_times(np.array([altitude_rad]), np.array([azimuth_rad]))[0])

        def move() -> object:
            self.draw_power(SITE, "slewing", self.model.slewing_power_w, "drives")
            yield self.env.timeout(seconds)
            self.draw_power(SITE, "tracking", self.model.drives_power_w, "drives")

        self.follow(altitude_rad, azimuth_rad)
        return self.env.process(move())  # type: ignore[arg-type]

    def follow(self, altitude_rad: float, azimuth_rad: float) -> None:
        """Take note of where tracking has brought it."""
        self.state.altitude_rad = altitude_rad
        self.state.azimuth_rad = azimuth_rad

    def _draw_fault(self) -> None:
        rng = self.day.streams(self.name, "fault", self.state.faults)
        self.state.until_fault_s = float(rng.exponential(self.model.fault_interval_s))

    def _fail(self) -> None:
        rng = self.day.streams(self.name, "repair", self.state.faults)
        repair = float(rng.exponential(self.model.fault_repair_s))
        self.state.repaired_s = self.now + repair
        self.record(
            "faults",
            agent=self.name,
            kind="telescope",
            start_s=self.now,
            end_s=self.state.repaired_s,
            count=1,
        )
        self.state.faults += 1
        self._draw_fault()
        self._operating_since = self.state.repaired_s
        self._fault.set(self.state.repaired_s + self.state.until_fault_s)
        self._repair.set(self.state.repaired_s)
        self.failed.fire()

    def _mend(self) -> None:
        self.repaired.fire()
