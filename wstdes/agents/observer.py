"""The observer: asks what to do next, and has it done."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import simpy

from wstdes.agents.configuration import Configuration, configure
from wstdes.agents.dome import Dome
from wstdes.agents.ledger import Pending, SurveyLedger, SurveyLedgerState
from wstdes.agents.parts import MODES, Parts
from wstdes.agents.planning import Planner, Visit
from wstdes.agents.records import Alert, work_key
from wstdes.agents.visits import VisitRun
from wstdes.kernel import Agent, Day
from wstdes.survey.progress import CREDIT_S

__all__ = ["Observer", "ObserverState"]

MOST_EMPTY_TILES = 10
"""How many tiles in which no fibre reaches anything are tried before waiting for the sky."""
MOST_SHIFTS = 6
"""How often a field is moved until a fibre reaches its alert."""
Process = Generator[simpy.Event, Any, None]


@dataclass
class ObserverState:
    """Counters, and the account with the surveys."""

    visits: int = 0
    exposures: int = 0
    ledger: SurveyLedgerState = field(default_factory=SurveyLedgerState)


class Observer(Agent[ObserverState]):
    """Runs the night."""

    State = ObserverState

    def __init__(self, day: Day, name: str, state: ObserverState, parts: Parts, dome: Dome) -> None:
        super().__init__(day, name, state)
        self.parts = parts
        self.dome = dome
        self.ledger = SurveyLedger(parts, state.ledger)
        self.planner = Planner(parts, day, dome.weather, dome.telescope, self.ledger)
        self._use_since: tuple[float, str, int | None, str] | None = None

    def start(self) -> None:
        """Wait for the evening."""
        self.env.process(self._night())

    def close(self) -> None:
        """Report where each survey stands."""
        for number, survey in enumerate(self.parts.survey_names):
            progress = self.state.ledger.progress[number]
            self.record(
                "progress",
                night=self.day.index,
                t_s=self.day.end_s,
                survey=survey,
                observed=float(progress.observed),
                completed=progress.completed,
                started=progress.started,
                effective_s=progress.steps * CREDIT_S,
            )

    def verdict(self, exposure: int, mode: str, passed: bool) -> None:
        """Quality control has judged: credit, and alerts, follow."""
        visit = next(
            v for v, p in self.state.ledger.pending.items() if f"{exposure}/{mode}" in p.waiting
        )
        pending = self.state.ledger.pending[visit]
        if passed and mode == "lr" and pending.alerts:
            self._answer(pending, f"{exposure}/{mode}")
        self.ledger.verdict(visit, exposure, mode, passed)
        if pending.closed and not any(k.endswith("/lr") for k in pending.waiting):
            for alert in pending.alerts:
                self.dome.broker.failed(alert)

    def _answer(self, pending: Pending, key: str) -> None:
        """An exposure of these alerts is good: they are settled."""
        assert self.parts.alert_survey is not None
        progress = self.state.ledger.progress[self.parts.alert_survey]
        for alert in pending.alerts:
            if self.dome.broker.answered(alert, pending.spans[key]):
                pending.answered.append(alert)
                progress.started += 1

    # The night -------------------------------------------------------------------------------

    def _night(self) -> Process:
        observing, sky = self.parts.scenario.observing, self.planner.sky
        dark = sky.below(observing.twilight_sun_altitude_rad)
        science = sky.below(observing.science_sun_altitude_rad)
        visits = self.state.visits
        if dark is not None:
            yield self.env.timeout(dark[0] - self.now)
            self._use("twilight")
            yield from self._twilight(science[0] if science else dark[1])
            if science is not None:
                yield from self._until(science[0])
                yield from self._science(min(science[1], self.day.end_s - 600.0))
            self._use("twilight")
            yield from self._until(min(dark[1], self.day.end_s - 1.0))
            self._use(None)
        self._record_night(dark, science, self.state.visits - visits)
        self.dome.calibration.after_sunrise(self.day.index)

    def _record_night(
        self, dark: tuple[float, float] | None, science: tuple[float, float] | None, visits: int
    ) -> None:
        middle = self.planner.sky.at(self.day.start_s + 43200.0)
        self.record(
            "nights",
            night=self.day.index,
            date=self.parts.clock.evening(self.day.index).isoformat(),
            sunset_s=dark[0] if dark else None,
            science_start_s=science[0] if science else None,
            science_end_s=science[1] if science else None,
            sunrise_s=dark[1] if dark else None,
            moon_illumination=middle.moon_illumination,
            visits=visits,
        )

    def _twilight(self, until_s: float) -> Process:
        plan = self.parts.scenario.calibration
        calibration = self.dome.calibration
        length = calibration.frame_s(plan.twilight_frame_s)
        fit = int((until_s - self.now) // length)
        if self.dome.weather.current.open and self.dome.telescope.working and fit > 0:
            count = min(plan.twilight_frames, fit)
            yield from calibration.take(
                "twilight",
                count,
                plan.twilight_frame_s,
                self.day.index,
                None,
                dict.fromkeys(self.parts.modes, ""),
            )

    def _science(self, until_s: float) -> Process:
        dome = self.dome
        self.planner.until_s = until_s
        while self.now < until_s:
            if not dome.weather.current.open:
                dome.telescope.rest()
                self._use("weather", cause=dome.weather.current.closed_by)
                yield from self._until(until_s, dome.weather.changed.wait())
            elif not dome.telescope.working:
                self._use("fault", cause="telescope")
                yield from self._until(until_s, dome.telescope.repaired.wait())
            else:
                dome.telescope.operate()
                yield from self._observe(until_s)
        dome.telescope.rest()

    def _observe(self, until_s: float) -> Process:
        """Make the next visit, or wait for the sky to change."""
        found = self._next_visit()
        if found is None:
            self._use("idle", cause="no tile")
            dome = self.dome
            events = [dome.weather.changed.wait(), dome.broker.interrupting.wait()]
            yield from self._until(
                until_s, self.env.any_of([*events, dome.telescope.failed.wait()])
            )
        else:
            yield from self._visit(*found)

    def _next_visit(self) -> tuple[Visit, Configuration] | None:
        """What to observe, with the fibres assigned: alerts first, then the surveys."""
        for alert in self.dome.broker.waiting(("abort", "switch")):
            found = self._alert_visit(alert)
            if found is not None:
                return found
        for _ in range(MOST_EMPTY_TILES):
            visit = self.planner.for_surveys()
            if visit is None:
                return None
            config = self._configure(visit)
            if _modes(config, self.planner.ifs_survey(visit)):
                return visit, config
            assert visit.tile is not None
            self.ledger.nothing_in(visit.tile)
        return None

    def _alert_visit(self, alert: Alert) -> tuple[Visit, Configuration] | None:
        """A field in which a fibre reaches the alert; without one it interrupts no more."""
        for shifts in range(MOST_SHIFTS):
            visit = self.planner.for_alert(alert, exposing=False, shifts=shifts)
            if visit is None:
                return None
            config = self._configure(visit)
            if alert.number in config.alerts:
                return visit, config
        alert.interrupts = False
        return None

    def _until(self, t_s: float, event: simpy.Event | None = None) -> Process:
        """Wait for a time, or an event before it."""
        if t_s <= self.now:
            return
        timeout = self.env.timeout(t_s - self.now)
        yield timeout if event is None else timeout | event

    def _use(self, state: str | None, visit: int | None = None, cause: str = "") -> None:
        """Do something else from now on; what was done until now becomes a row."""
        if self._use_since is not None:
            since, was, of_visit, why = self._use_since
            if self.now > since:
                self.record(
                    "time_use",
                    night=self.day.index,
                    start_s=since,
                    end_s=self.now,
                    state=was,
                    visit=of_visit,
                    cause=why,
                )
        self._use_since = None if state is None else (self.now, state, visit, cause)

    # A visit ---------------------------------------------------------------------------------

    def _visit(self, plan: Visit, config: Configuration) -> Process:
        number, decided_s = self.state.visits, self.now
        self.state.visits += 1
        reconfiguration_s = self.dome.positioners.prepare(config)
        ifs = self.planner.ifs_survey(plan)
        self.ledger.begin(number, plan.tile, ifs, config)
        works = {m: work_key(m, number, self.day.index) for m in _modes(config, ifs)}
        for mode, key in works.items():
            self.dome.pipeline.expect(key, mode, number, self.day.index)
        for alert in config.alerts:
            self.dome.broker.take(alert, number, decided_s)
        run = VisitRun(
            self.day,
            self.parts,
            self.dome,
            self.planner,
            self.ledger,
            plan,
            number,
            config,
            reconfiguration_s,
            works,
            self._use,
            self._next_exposure,
        )
        yield from run.run()
        for key in works.values():
            self.dome.pipeline.complete(key)
        self._record_visit(run, decided_s)
        self._record_fibres(run)
        self._close_visit(number)

    def _configure(self, plan: Visit) -> Configuration:
        return configure(
            self.parts,
            self.state.ledger.progress,
            self.dome.positioners.usable,
            plan.ra_rad,
            plan.dec_rad,
            plan.sky,
            self.parts.clock.decimal_year(self.now),
            self.dome.broker.waiting(("insert", "switch", "abort")),
        )

    def _next_exposure(self) -> int:
        self.state.exposures += 1
        return self.state.exposures - 1

    def _close_visit(self, number: int) -> None:
        """No exposure will follow: alerts that nothing can answer any more wait again."""
        pending = self.state.ledger.pending[number]
        self.ledger.close(number)
        if not any(key.endswith("/lr") for key in pending.waiting):
            for alert in pending.alerts:
                self.dome.broker.failed(alert)

    def _record_visit(self, run: VisitRun, decided_s: float) -> None:
        plan, times, night_ended = run.plan, run.times, self.now >= self.planner.until_s
        start = times[0][0] if times else None
        self.record(
            "visits",
            visit=run.number,
            night=self.day.index,
            tile=plan.tile,
            reason=plan.reason,
            ra_deg=float(np.degrees(plan.ra_rad)),
            dec_deg=float(np.degrees(plan.dec_rad)),
            decided_s=decided_s,
            start_s=start,
            end_s=times[-1][1] if times else None,
            airmass=None if start is None else self.planner.airmass(plan, start),
            sky=None if start is None else self.planner.brightness(plan, start),
            signal_expected=plan.signal,
            slew_s=run.slew_s,
            reconfiguration_s=run.reconfiguration_s,
            exposures=len(times),
            open_shutter_s=run.open_s,
            allocation_gap=run.config.gap,
            score=plan.decision.score,
            runner_up=plan.decision.runner_up,
            runner_up_score=plan.decision.runner_up_score,
            interrupted_by=run.cause or ("night" if night_ended and not times else ""),
        )

    def _record_fibres(self, run: VisitRun) -> None:
        config = run.config
        for mode, uses in config.uses.items():
            self.record(
                "fibres",
                visit=run.number,
                mode=mode,
                **uses,
                candidates=config.candidates[mode],
                unused_time_s=uses["unassigned"] * run.open_s,
            )
        for number, survey in enumerate(self.parts.survey_names):
            if config.wanted[number]:
                self.record(
                    "assignments",
                    visit=run.number,
                    survey=survey,
                    mode=self.parts.scenario.surveys[survey].mode,
                    wanted=config.wanted[number],
                    assigned=config.assigned[number],
                )


def _modes(config: Configuration, ifs: int | None) -> list[str]:
    """Modes that take data in a visit: fibres with a target, or a field."""
    taking = {mode: uses["science"] > 0 for mode, uses in config.uses.items()}
    taking["ifs"] = ifs is not None
    return [m for m in MODES if taking[m]]
