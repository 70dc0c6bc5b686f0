"""Calibration frames: attached to visits, at twilight, by day."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import simpy

from wstdes.agents.parts import Parts
from wstdes.agents.records import Frames, work_key
from wstdes.agents.skies import day_sky
from wstdes.agents.spectrographs import Spectrographs
from wstdes.kernel import Agent, Day

__all__ = ["Calibration", "CalibrationState"]


@dataclass
class CalibrationState:
    """Day frames that are still to be taken, and when they may begin."""

    frames_left: int = 0
    begin_s: float = -1e30
    night: int = -1


class Calibration(Agent[CalibrationState]):
    """Lights the lamps and has the spectrographs read."""

    State = CalibrationState

    def __init__(
        self,
        day: Day,
        name: str,
        state: CalibrationState,
        parts: Parts,
        spectrographs: dict[str, Spectrographs],
        complete: Callable[[str], None],
        expect: Callable[[str, str, int | None, int], Any],
    ) -> None:
        super().__init__(day, name, state)
        self.plan = parts.scenario.calibration
        self.bundled = parts.scenario.dataflow.bundled
        self.spectrographs = spectrographs
        self._complete = complete
        self._expect = expect
        sky = day_sky(parts.clock, parts.horizon, day.index)
        dark = sky.below(parts.scenario.observing.twilight_sun_altitude_rad)
        self._dusk_s = day.end_s if dark is None else dark[0]
        self._busy = False

    def start(self) -> None:
        """Take what is left of the day frames."""
        if self.state.frames_left:
            self.env.process(self._by_day())

    def after_sunrise(self, night: int) -> None:
        """Plan the day frames of a night that has ended."""
        if self._busy:
            return
        self.state.frames_left = self.plan.day_frames
        self.state.begin_s = self.now + self.plan.day_start_after_sunrise_s
        self.state.night = night
        if self.plan.day_frames:
            self.env.process(self._by_day())
        else:
            for mode in self.spectrographs:
                self._complete(work_key(mode, None, night))

    def frame_s(self, exposure_s: float) -> float:
        """Length of a frame with its read-out, by the slowest mode [s]."""
        return exposure_s + max(s.model.readout_s for s in self.spectrographs.values())

    def take(
        self,
        kind: str,
        count: int,
        exposure_s: float,
        night: int,
        visit: int | None,
        works: Mapping[str, str],
    ) -> Generator[simpy.Event, Any, None]:
        """Take frames in several modes at once, one after the other.

        Where frames travel in bundles, all of them are one event.

        Parameters
        ----------
        kind : str
            standard, attached, twilight or day.
        count : int
            How many.
        exposure_s : float
            Of each [s].
        night : int
            The night they belong to.
        visit : int or None
            The visit they are attached to.
        works : mapping of str to str
            The modes that are read, each with the work of the pipeline that its frames belong to
            (nothing if none is made of them).
        """
        step = max(1, count) if self.bundled else 1
        for _ in range(0, count, step):
            start = self.now
            frames = {
                mode: Frames(kind, mode, visit, None, night, None, work, step)
                for mode, work in works.items()
            }
            done: dict[str, int] = {}
            if self.bundled:
                read_s = max(self.spectrographs[mode].model.readout_s for mode in works)
                yield self.env.timeout(step * (exposure_s + read_s))
                done = {mode: self.spectrographs[mode].write(f) for mode, f in frames.items()}
            else:
                yield self.env.timeout(exposure_s)
                reads = [
                    self.spectrographs[mode].read(f, partial(done.__setitem__, mode))
                    for mode, f in frames.items()
                ]
                yield self.env.all_of(reads)
            for mode, product in done.items():
                read_s = self.spectrographs[mode].model.readout_s
                self.record(
                    "calibrations",
                    night=night,
                    visit=visit,
                    mode=mode,
                    kind=kind,
                    frames=step,
                    start_s=start,
                    end_s=start + exposure_s + read_s if step == 1 else self.now,
                    product=product,
                )

    def _by_day(self) -> Generator[simpy.Event, Any, None]:
        """Take day frames until dusk; none is begun that noon would cut.

        Frames that did not fit before dusk are given up: the night's are more.
        """
        state, plan = self.state, self.plan
        self._busy = True
        if self.now < state.begin_s:
            yield self.env.timeout(min(state.begin_s, self.day.end_s) - self.now)
        works = {mode: work_key(mode, None, state.night) for mode in self.spectrographs}
        for mode, key in works.items():
            self._expect(key, mode, None, state.night)
        dusk = self._dusk_s if self.now < self._dusk_s else self.day.end_s
        frame_s = self.frame_s(plan.day_frame_s)
        while state.frames_left and self.now + frame_s < dusk:
            room = math.ceil((dusk - self.now) / frame_s) - 1
            fit = min(state.frames_left, room) if self.bundled else 1
            yield from self.take("day", fit, plan.day_frame_s, state.night, None, works)
            state.frames_left -= fit
        if dusk < self.day.end_s:
            state.frames_left = 0
        if not state.frames_left:
            for key in works.values():
                self._complete(key)
        self._busy = False
