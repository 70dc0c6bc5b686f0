"""The spectrographs of a mode: they read out, and what they read becomes raw data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import simpy

from wstdes.agents.parts import Parts
from wstdes.agents.records import Frames
from wstdes.kernel import Agent, Day

__all__ = ["Spectrographs", "SpectrographsState"]

SITE = "mountain"


@dataclass
class SpectrographsState:
    """Frames read so far."""

    frames: int = 0


class Spectrographs(Agent[SpectrographsState]):
    """All spectrographs of one mode, which are read together."""

    State = SpectrographsState

    def __init__(
        self,
        day: Day,
        name: str,
        state: SpectrographsState,
        parts: Parts,
        mode: str,
        write: Callable[[Frames], int],
    ) -> None:
        super().__init__(day, name, state)
        self.mode = mode
        self.model = parts.spectrograph(mode)
        self._write = write

    def start(self) -> None:
        """Keep the detectors cold."""
        self.draw_power(SITE, "on", self.model.detector_power_w * self.model.detectors)

    def read(self, frames: Frames, written: Callable[[int], None]) -> simpy.Event:
        """Read the detectors out and write what they held.

        Parameters
        ----------
        frames : Frames
            What was exposed.
        written : callable
            Called with the number of the raw product, when it is written.

        Returns
        -------
        simpy.Event
            Of the last pixel.
        """
        over = self.env.timeout(self.model.readout_s)
        assert over.callbacks is not None
        over.callbacks.append(lambda _: written(self.write(frames)))
        return over

    def write(self, frames: Frames) -> int:
        """Write frames that have been read out; return the number of their raw product."""
        self.state.frames += frames.count
        return self._write(frames)
