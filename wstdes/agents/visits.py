"""Making a visit: move, calibrate, acquire, expose, read."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

import simpy

from wstdes.agents.configuration import Configuration
from wstdes.agents.dome import Dome
from wstdes.agents.exposures import Shutter
from wstdes.agents.integral import IntegralRun
from wstdes.agents.parts import Parts
from wstdes.agents.planning import Planner
from wstdes.agents.records import Alert
from wstdes.agents.visit import Visit
from wstdes.kernel import Day

__all__ = ["VisitRun"]

HEEDS = {"survey": ("abort", "switch"), "switch": ("abort",), "abort": ()}
"""Responses of alerts that a visit makes way for, by its reason: never to its equals."""

MARGIN = 1.01
"""Visits with a goal aim so much higher: short of it by a second, nobody's target is done."""

FIELD_MARGIN = 1.05
"""How much longer than planned a visit waits for an integral field that exposes alone."""

Process = Generator[simpy.Event, Any, None]


class VisitRun:
    """One visit of the fibres, from the decision to the last read-out.

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
    plan : Visit
        What to do.
    number : int
        Of the visit.
    config : Configuration
        Of the fibres.
    reconfiguration_s : float
        How long the positioners take to get there [s].
    shutter : Shutter
        Takes the exposures; its works are those of all modes that take data.
    integral : callable
        The integral-field run of the pointing, if there is one now; begins one where the visit
        has one of its own.
    answers : callable
        Called with an alert and whether the shutter is open: whether to leave for it now.
    use : callable
        Called with a state of the night's time.
    """

    def __init__(
        self,
        day: Day,
        parts: Parts,
        dome: Dome,
        planner: Planner,
        plan: Visit,
        number: int,
        config: Configuration,
        reconfiguration_s: float,
        shutter: Shutter,
        integral: Callable[[], IntegralRun | None],
        answers: Callable[[Alert, bool], bool],
        use: Callable[[str, int], None],
    ) -> None:
        self.day, self.env, self.parts, self.dome = day, day.env, parts, dome
        self.planner, self.plan, self.number = planner, plan, number
        self.config, self.shutter, self._integral = config, shutter, integral
        self.modes = [mode for mode in shutter.works if mode != "ifs"]
        self._answers = answers
        self._use = use
        self.reconfiguration_s = reconfiguration_s
        self.slew_s = 0.0
        self.open_s = 0.0
        self.effective_s = 0.0
        self.times: list[tuple[float, float]] = []
        self.cause = ""

    def run(self) -> Process:
        """Make the visit."""
        calibration = self.parts.scenario.calibration
        survey = self.plan.reason == "survey"
        attached = ("attached", calibration.attached_frames, calibration.attached_frame_s)
        yield from self._move()
        if survey:
            yield from self._lamps(*attached)
        if not self.plan.stays:
            self._use("acquisition", self.number)
            yield self.env.timeout(self.parts.scenario.telescope.acquisition_s)
        self.cause = self._obstacle()
        if not self.cause:
            self._integral()
            yield from self._calibrate(
                "standard",
                calibration.standard_frames,
                calibration.standard_frame_s,
                self._modes_with_standards(),
            )
            yield from self._expose_all()
        if not survey:
            yield from self._lamps(*attached)

    def _move(self) -> Process:
        begin = self.day.now
        move = self.dome.positioners.move(self.reconfiguration_s)
        if self.plan.stays:
            self._use("reconfiguration", self.number)
            yield move
            return
        self._use("slew", self.number)
        slew = self.dome.telescope.slew(*self.planner.direction(self.plan, begin))
        yield slew | move
        if slew.is_alive:
            yield slew
        self.slew_s = self.day.now - begin
        if move.is_alive:
            self._use("reconfiguration", self.number)
            yield move

    def _lamps(self, kind: str, count: int, frame_s: float) -> Process:
        """Frames of lamps: an integral field that goes on closes its shutter meanwhile."""
        modes = list(self.shutter.works)
        running = self._running()
        if running is not None:
            running.lamps(on=True)
        yield from self._calibrate(kind, count, frame_s, {m: self.shutter.works[m] for m in modes})
        if running is not None:
            running.lamps(on=False)

    def _running(self) -> IntegralRun | None:
        """The integral field that an earlier visit began here, if this one stays."""
        return self._integral() if self.plan.stays else None

    def _calibrate(self, kind: str, count: int, frame_s: float, works: dict[str, str]) -> Process:
        if not works or not count:
            return
        self._use("standard" if kind == "standard" else "calibration", self.number)
        yield from self.dome.calibration.take(
            kind, count, frame_s, self.day.index, self.number, works
        )

    def _modes_with_standards(self) -> dict[str, str]:
        """Modes whose configuration has standards; the pipeline makes nothing of short frames."""
        uses = self.config.uses
        return {m: "" for m in self.modes if m in uses and uses[m]["standard"] > 0}

    def _obstacle(self) -> str:
        """What keeps the shutter closed; nothing if nothing does."""
        if not self.dome.weather.current.open:
            return "weather"
        return "" if self.dome.telescope.working else "fault"

    # Exposures -------------------------------------------------------------------------------

    def _expose_all(self) -> Process:
        """Exposures until the goal is reached, or all are taken."""
        most = self.plan.exposures
        if self.plan.goal and self.modes:
            most = self.parts.scenario.observing.exposures
        for taken in range(most):
            self.cause = self.cause or self._obstacle()
            if taken and not self.cause and self._alert_waits("abort", "switch"):
                self.cause = "alert"
            length = 0.0 if self.cause else self._length()
            if not length:
                return
            yield from self._expose(length)

    def _length(self) -> float:
        """Open-shutter time of the next exposure; none if the goal is reached [s]."""
        goal, room = self.plan.goal, self.plan.latest_s - self.day.now
        if not self.modes:
            return self._field_length(room)
        if goal is None:
            whole = self.plan.open_s / self.plan.exposures
            length = whole if whole <= room + 1e-6 else room  # the way here took longer
            return length if length >= min(self.parts.shortest_exposure_s, whole) else 0.0
        if self.effective_s >= goal.effective_s:
            return 0.0
        longest = self.parts.scenario.observing.exposure_s
        open_s = self.planner.open_for(
            self.plan, goal, MARGIN * goal.effective_s - self.effective_s
        )
        count = max(1, -int(-open_s // longest))
        length = min(max(min(open_s / count, longest), self.parts.shortest_exposure_s), room)
        return length if length >= self.parts.shortest_exposure_s else 0.0

    def _field_length(self, room_s: float) -> float:
        """Time until an integral field that exposes alone is looked at again; none if it ended [s].

        It has its own clock and ends the visit; its read-outs are in this time.
        """
        field, readout_s = self._integral(), self.parts.scenario.spectrographs.readout_s
        if field is None or not field.going or room_s < 1.0:
            return 0.0
        return min(FIELD_MARGIN * self.plan.open_s / self.plan.exposures + readout_s, room_s)

    def _alert_waits(self, *responses: str) -> bool:
        """Whether an alert of these responses should be observed now instead."""
        exposing = "switch" not in responses
        return any(self._answers(alert, exposing) for alert in self._waiting(*responses))

    def _waiting(self, *responses: str) -> list[Alert]:
        """Alerts that this visit makes way for."""
        heeded = tuple(r for r in responses if r in HEEDS[self.plan.reason])
        return self.dome.broker.waiting(heeded) if heeded else []

    def _expose(self, length_s: float) -> Process:
        self._use("science", self.number)
        begin = self.day.now
        self.cause = yield from self._hold(begin, begin + length_s)
        end = self.day.now
        if end - begin < 1.0:
            return
        self.times.append((begin, end))
        self.open_s += end - begin
        self._use("readout", self.number)
        goal = self.plan.goal
        if goal is not None:
            gained = self.shutter.effective(goal.mode, begin, end, end - begin)
            self.effective_s += gained[goal.noise]
        self.dome.telescope.follow(*self.planner.direction(self.plan, end))
        if not self.modes:
            return
        exposure = self.shutter.next_exposure()
        stopped = bool(self.cause)
        yield self.env.all_of(
            [self.shutter.close(m, begin, end, end - begin, stopped, exposure) for m in self.modes]
        )

    def _hold(self, begin_s: float, until_s: float) -> Generator[simpy.Event, Any, str]:
        """Keep the shutter open; return what closed it early.

        Where the visit has a goal, the end is set anew whenever the weather changes. An urgent
        alert that waits may become observable when it rises, or when the weather changes.
        """
        dome, env = self.dome, self.env
        goal, field = self.plan.goal, None
        if not self.modes:
            goal, field = None, self._integral()
        while self.day.now < until_s - 1e-6:
            urgent = self._waiting("abort")
            events = [dome.weather.closing.wait(), dome.telescope.failed.wait()]
            events.append(dome.broker.urgent.wait())
            if field is not None:
                events.append(field.process)
            if goal is not None or urgent:
                events.append(dome.weather.changed.wait())
            rise_s = self.planner.alerts.next_rise_s(urgent)
            if rise_s < until_s:
                events.append(env.timeout(rise_s - self.day.now))
            timeout = env.timeout(until_s - self.day.now)
            yield env.any_of([timeout, *events])
            if timeout.processed:
                return ""
            if not dome.telescope.working:
                return "fault"
            if not dome.weather.current.open:
                return "weather"
            if self._alert_waits("abort"):
                return "alert"
            if field is not None and not field.going:
                return ""
            if goal is not None:
                until_s = self._end(begin_s, until_s)
        return ""

    def _end(self, begin_s: float, until_s: float) -> float:
        """When an exposure that was to end at a moment should end, as the sky is now [s]."""
        goal, now, frame_s = self.plan.goal, self.day.now, until_s - begin_s
        assert goal is not None
        so_far = self.effective_s
        if now - begin_s > 1.0:
            gained = self.shutter.effective(goal.mode, begin_s, now, now - begin_s, frame_s)
            so_far += gained[goal.noise]
        left_s = MARGIN * goal.effective_s - so_far
        more = self.planner.open_for(self.plan, goal, left_s, frame_s)
        longest = begin_s + self.parts.scenario.observing.exposure_s
        enough = max(now + more, begin_s + self.parts.shortest_exposure_s)
        return max(now, min(enough, longest, self.plan.latest_s))
