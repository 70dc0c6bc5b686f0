"""Making a visit: move, calibrate, acquire, expose, read."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

import numpy as np
import simpy

from wstdes.agents.configuration import Configuration
from wstdes.agents.dome import Dome
from wstdes.agents.ledger import SurveyLedger
from wstdes.agents.parts import Parts
from wstdes.agents.planning import Planner, Visit
from wstdes.agents.quality import Sample
from wstdes.agents.records import Frames
from wstdes.kernel import Day
from wstdes.models.instrument import effective_rate

__all__ = ["VisitRun"]

Process = Generator[simpy.Event, Any, None]
_ARCSEC = np.pi / 648000.0


class VisitRun:
    """One visit, from the decision to the last read-out.

    Parameters
    ----------
    day : Day
        The day.
    parts : Parts
        The facility.
    dome : Dome
        The agents it works with.
    planner : Planner
        Where things stand in the sky.
    ledger : SurveyLedger
        The account with the surveys.
    plan : Visit
        What to do.
    number : int
        Of the visit.
    config : Configuration
        Of the fibres.
    reconfiguration_s : float
        How long the positioners take to get there [s].
    works : dict of str to str
        The pipeline's work for each mode that takes data.
    use : callable
        Called with a state of the night's time.
    next_exposure : callable
        Returns a new exposure's number.
    """

    def __init__(
        self,
        day: Day,
        parts: Parts,
        dome: Dome,
        planner: Planner,
        ledger: SurveyLedger,
        plan: Visit,
        number: int,
        config: Configuration,
        reconfiguration_s: float,
        works: dict[str, str],
        use: Callable[[str, int], None],
        next_exposure: Callable[[], int],
    ) -> None:
        self.day, self.env, self.parts, self.dome = day, day.env, parts, dome
        self.planner, self.ledger, self.plan, self.number = planner, ledger, plan, number
        self.config, self.works = config, works
        self._use, self._next_exposure = use, next_exposure
        self.reconfiguration_s = reconfiguration_s
        self.slew_s = 0.0
        self.open_s = 0.0
        self.times: list[tuple[float, float]] = []
        self.cause = ""

    def run(self) -> Process:
        """Make the visit."""
        calibration = self.parts.scenario.calibration
        survey = self.plan.reason == "survey"
        yield from self._move()
        if survey:
            yield from self._calibrate(
                "attached", calibration.attached_frames, calibration.attached_frame_s
            )
        self._use("acquisition", self.number)
        yield self.env.timeout(self.parts.scenario.telescope.acquisition_s)
        self.cause = self._obstacle()
        if not self.cause:
            yield from self._calibrate(
                "standard", calibration.standard_frames, calibration.standard_frame_s
            )
            yield from self._expose_all()
        if not survey:
            yield from self._calibrate(
                "attached", calibration.attached_frames, calibration.attached_frame_s
            )

    def _move(self) -> Process:
        self._use("slew", self.number)
        begin = self.day.now
        altitude, azimuth = self.planner.direction(self.plan, begin)
        slew = self.dome.telescope.slew(altitude, azimuth)
        move = self.dome.positioners.move(self.reconfiguration_s)
        yield slew | move
        if slew.processed or not slew.is_alive:
            self.slew_s = self.day.now - begin
        if slew.is_alive:
            yield slew
            self.slew_s = self.day.now - begin
        elif move.is_alive:
            self._use("reconfiguration", self.number)
            yield move

    def _calibrate(self, kind: str, count: int, frame_s: float) -> Process:
        works = self._modes_with_standards() if kind == "standard" else self.works
        if not works:
            return
        self._use("standard" if kind == "standard" else "calibration", self.number)
        yield from self.dome.calibration.take(
            kind, count, frame_s, self.day.index, self.number, works
        )

    def _modes_with_standards(self) -> dict[str, str]:
        """Modes whose configuration has standards; the pipeline makes nothing of short frames."""
        uses = self.config.uses
        return {m: "" for m in self.works if m in uses and uses[m]["standard"] > 0}

    def _obstacle(self) -> str:
        """What keeps the shutter closed; nothing if nothing does."""
        if not self.dome.weather.current.open:
            return "weather"
        return "" if self.dome.telescope.working else "fault"

    def _expose_all(self) -> Process:
        for taken in range(self.plan.exposures):
            self.cause = self.cause or self._obstacle()
            if taken and not self.cause and self._alert_waits("abort", "switch"):
                self.cause = "alert"
            if self.cause:
                return
            yield from self._expose()

    def _alert_waits(self, *responses: str) -> bool:
        """Whether an alert of these responses should be observed now instead."""
        exposing = "switch" not in responses
        return any(
            self.planner.for_alert(alert, exposing=exposing) is not None
            for alert in self.dome.broker.waiting(responses)
        )

    def _expose(self) -> Process:
        self._use("science", self.number)
        begin = self.day.now
        self.cause = yield from self._hold(begin + self.plan.exposure_s)
        end = self.day.now
        if end - begin < 1.0:
            return
        exposure = self._next_exposure()
        self.times.append((begin, end))
        self.open_s += end - begin
        self._use("readout", self.number)
        reads = {m: self._close_shutter(exposure, m, begin, end) for m in self.works}
        self.dome.telescope.follow(*self.planner.direction(self.plan, end))
        done = yield self.env.all_of([process for process, _ in reads.values()])
        for mode, (process, row) in reads.items():
            model = self.parts.spectrograph(mode)
            self.day.trace.add(
                "exposures",
                **row,
                mode=mode,
                readout_end_s=end + model.readout_s,
                product=done[process],
            )

    def _hold(self, until_s: float) -> Generator[simpy.Event, Any, str]:
        """Keep the shutter open; return what closed it early."""
        dome = self.dome
        while self.day.now < until_s:
            closing, failed = dome.weather.closing.wait(), dome.telescope.failed.wait()
            timeout = self.env.timeout(until_s - self.day.now)
            yield self.env.any_of([timeout, closing, failed, dome.broker.urgent.wait()])
            if timeout.processed:
                return ""
            if not dome.telescope.working:
                return "fault"
            if not dome.weather.current.open:
                return "weather"
            if self._alert_waits("abort"):
                return "alert"
        return ""

    def _close_shutter(
        self, exposure: int, mode: str, begin: float, end: float
    ) -> tuple[simpy.Process, dict[str, Any]]:
        """Measure an exposure of a mode, credit it, begin to read it; return its row."""
        middle, sensitivity = 0.5 * (begin + end), self.planner.sensitivity
        mean = self.dome.weather.mean(begin, end)
        mass = self.planner.airmass(self.plan, middle)
        sky = self.planner.brightness(self.plan, middle)
        signal = float(sensitivity.signal(mode, mean.seeing_rad, mean.transparency, mass))
        floor = sensitivity.noise_floor(mode, end - begin)
        effective = {
            noise: float(effective_rate(signal, sky, noise, floor)) * (end - begin)
            for noise in ("sky", "source")
        }
        self.dome.quality.expect(exposure, mode, Sample(self.number, signal, end - begin))
        self.ledger.credit(self.number, exposure, mode, (begin, end), effective)
        process = self.dome.spectrographs[mode].read(
            Frames("exposure", mode, self.number, exposure, self.day.index, end, self.works[mode])
        )
        quality = float(sensitivity.image_quality(mode, mean.seeing_rad, mass))
        row = {
            "exposure": exposure,
            "visit": self.number,
            "night": self.day.index,
            "shutter_open_s": begin,
            "shutter_close_s": end,
            "open_shutter_s": end - begin,
            "effective_s": effective["sky"],
            "signal": signal,
            "airmass": mass,
            "seeing_arcsec": mean.seeing_rad / _ARCSEC,
            "image_quality_arcsec": quality / _ARCSEC,
            "transparency": mean.transparency,
            "sky": sky,
            "truncated": bool(self.cause),
            "saturation_mag": sensitivity.saturation_mag(mode, mean.seeing_rad, mass, end - begin),
        }
        return process, row
