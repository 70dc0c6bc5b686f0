"""The spectrographs of a mode: they read out, and what they read becomes raw data."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

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

    def read(self, frames: Frames) -> simpy.Process:
        """Read the detectors out and write what they held.

        Parameters
        ----------
        frames : Frames
            What was exposed.

        Returns
        -------
        simpy.Process
            Ends when the last pixel is read; its value is the number of the raw product.
        """
        return self.env.process(self._read(frames))

    def _read(self, frames: Frames) -> Generator[simpy.Event, Any, int]:
        yield self.env.timeout(self.model.readout_s)
        return self.write(frames)

    def write(self, frames: Frames) -> int:
        """Write frames that have been read out; return the number of their raw product."""
        self.state.frames += frames.count
        return self._write(frames)
