"""The observer: asks what to do next, and has it done."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import simpy

from wstdes.agents.configuration import Configuration
from wstdes.agents.dome import Dome
from wstdes.agents.exposures import Shutter
from wstdes.agents.integral import IntegralRun
from wstdes.agents.ledger import SurveyLedger
from wstdes.agents.logbook import record_coverage, record_fidelity, record_night, record_visit
from wstdes.agents.parts import Parts
from wstdes.agents.pending import Pending, SurveyLedgerState
from wstdes.agents.planning import Planner
from wstdes.agents.records import Alert, work_key
from wstdes.agents.visit import Goal, Visit
from wstdes.agents.visits import VisitRun
from wstdes.kernel import Agent, Day
from wstdes.policies.views import SeasonPlan

__all__ = ["Observer", "ObserverState"]

MOST_EMPTY_TILES = 10
"""How many tiles in which no fibre reaches anything are tried before waiting for the sky."""
MOST_SHIFTS = 6
"""How often a field is moved until a fibre reaches its alert."""
Process = Generator[simpy.Event, Any, None]


@dataclass
class ObserverState:
    """Counters, the account with the surveys, what was planned.

    Parameters
    ----------
    visits, exposures : int
        So far.
    science_s : float
        On science since the last focus run [s].
    ledger : SurveyLedgerState
        The account.
    plan : SeasonPlan or None
        The scheduling policy's last plan.
    """

    visits: int = 0
    exposures: int = 0
    science_s: float = 0.0
    ledger: SurveyLedgerState = field(default_factory=SurveyLedgerState)
    plan: SeasonPlan | None = None


class Observer(Agent[ObserverState]):
    """Runs the night."""

    State = ObserverState

    def __init__(self, day: Day, name: str, state: ObserverState, parts: Parts, dome: Dome) -> None:
        super().__init__(day, name, state)
        self.parts = parts
        self.dome = dome
        self.ledger = SurveyLedger(parts, state.ledger)
        self.planner = Planner(parts, day, dome.weather, dome.telescope, self.ledger)
        self._reach_rad = 1.001 * parts.reach_rad
        self._integral: IntegralRun | None = None
        self._stay = 0
        self._use_since: tuple[float, str, int | None, str] | None = None

    def start(self) -> None:
        """Plan, if the policy wants to; wait for the evening."""
        policy = self.parts.policies.scheduling
        if hasattr(policy, "plan") and policy.due(self.day.index, self.state.plan):
            left, needed_s = self.ledger.remaining, self.ledger.needed()
            view = self.parts.outlook.view(self.day.index, left, needed_s)
            self.state.plan = policy.plan(view)
        self.planner.plan = self.state.plan
        if self.day.index == 0 and self.parts.statistical is not None:
            record_fidelity(self)
        self.env.process(self._night())

    def close(self) -> None:
        """Report where each survey stands."""
        for number, survey in enumerate(self.parts.survey_names):
            totals = self.ledger.totals(number)
            self.record(
                "progress",
                night=self.day.index,
                t_s=self.day.end_s,
                survey=survey,
                observed=totals.observed,
                completed=round(totals.completed),
                started=round(totals.started),
                effective_s=totals.effective_s,
            )
        record_coverage(self)

    def verdict(self, exposure: int, mode: str, passed: bool) -> None:
        """Quality control has judged: credit, and alerts, follow."""
        visit = next(
            v for v, p in self.state.ledger.pending.items() if f"{exposure}/{mode}" in p.waiting
        )
        pending = self.state.ledger.pending[visit]
        if passed and mode == "lr" and pending.alerts:
            self._answer(visit, pending, f"{exposure}/{mode}")
        self.ledger.verdict(visit, exposure, mode, passed)
        if "fibres" not in pending.streams and not any(k.endswith("/lr") for k in pending.waiting):
            for alert in pending.alerts:
                self.dome.broker.failed(alert, visit)

    def _answer(self, visit: int, pending: Pending, key: str) -> None:
        """An exposure of these alerts is good: they are settled."""
        assert self.parts.alert_survey is not None
        progress = self.state.ledger.progress[self.parts.alert_survey]
        for alert in pending.alerts:
            if self.dome.broker.answered(alert, visit, pending.spans[key]):
                pending.answered.append(alert)
                progress.started += 1

    # The night -------------------------------------------------------------------------------

    def _night(self) -> Process:
        observing, sky = self.parts.scenario.observing, self.planner.sky
        dark = sky.below(observing.twilight_sun_altitude_rad)
        science = sky.below(max(v.sun_altitude_max_rad for v in self.parts.views))
        closed = self.parts.closures[self.day.index]
        visits = self.state.visits
        if dark is not None:
            yield self.env.timeout(dark[0] - self.now)
            self._use("twilight")
            if not closed:
                yield from self._twilight(science[0] if science else dark[1])
            if science is not None:
                yield from self._until(science[0])
                end = min(science[1], self.day.end_s - 600.0)
                if closed:
                    self._use("closed", cause=closed)
                    yield from self._until(end)
                else:
                    yield from self._science(end)
            self._use("twilight")
            yield from self._until(min(dark[1], self.day.end_s - 1.0))
            self._use(None)
        record_night(self, dark, science, closed, self.state.visits - visits)
        if not closed:
            self.dome.calibration.after_sunrise(self.day.index)

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
                self._leave()
                dome.telescope.rest()
                self._use("weather", cause=dome.weather.current.closed_by)
                yield from self._until(until_s, dome.weather.changed.wait())
            elif not dome.telescope.working:
                self._leave()
                self._use("fault", cause="telescope")
                yield from self._until(until_s, dome.telescope.repaired.wait())
            else:
                dome.telescope.operate()
                yield from self._observe(until_s)
        self._leave()
        dome.telescope.rest()

    def _observe(self, until_s: float) -> Process:
        """Focus, make the next visit, or wait for the sky to change."""
        operations = self.parts.scenario.operations
        if 0.0 < operations.focus_interval_s <= self.state.science_s:
            self._leave()
            self.state.science_s = 0.0
            self._use("focus")
            yield from self._until(min(until_s, self.now + operations.focus_s))
            return
        found = self._next_visit()
        if found is None:
            self._use("idle", cause="no tile")
            dome = self.dome
            events = [dome.weather.changed.wait(), dome.broker.interrupting.wait()]
            rise_s = self.planner.alerts.next_rise_s(dome.broker.waiting(("abort", "switch")))
            yield from self._until(
                min(until_s, rise_s), self.env.any_of([*events, dome.telescope.failed.wait()])
            )
        else:
            yield from self._visit(*found)

    def _next_visit(self) -> tuple[Visit, Configuration] | None:
        """What to observe, with the fibres assigned: alerts first, then the surveys."""
        broker = self.dome.broker
        for alert in [*broker.waiting(("abort",)), *broker.waiting(("switch",))]:
            found = self._alert_visit(alert)
            if found is not None:
                return found
        for _ in range(MOST_EMPTY_TILES):
            visit = self.planner.for_surveys()
            if visit is None:
                return None
            config = self._configure(visit)
            if config.modes or self.planner.ifs_survey(visit) is not None:
                return visit, config
            assert visit.tile is not None
            self.ledger.nothing_in(visit.tile, visit.surveys)
        return None

    def _alert_visit(
        self, alert: Alert, exposing: bool = False
    ) -> tuple[Visit, Configuration] | None:
        """A field in which a fibre reaches the alert; without one it interrupts no more."""
        for shifts in range(MOST_SHIFTS):
            visit = self.planner.alerts.visit(alert, exposing=exposing, shifts=shifts)
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
                if was == "science":
                    self.state.science_s += self.now - since
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
        if not plan.stays:
            self._leave()
            self._stay = number
        going = self._integral if self._integral is not None and self._integral.going else None
        ifs = self.planner.ifs_survey(plan) if going is None else None
        if ifs is not None:  # a run that had enough, or was stopped, makes room for another
            self._stop_integral()
        reconfiguration_s = self.dome.positioners.prepare(config)
        if plan.alert is not None and plan.alert not in config.alerts:  # its arm cannot get there
            self.dome.broker.wait_for_field(plan.alert)
        self.ledger.begin(number, plan.tile, ifs, config, decided_s)
        works = {m: work_key(m, number, self.day.index) for m in config.modes}
        if ifs is not None:
            works["ifs"] = work_key("ifs", number, self.day.index)
        for mode, key in works.items():
            self.dome.pipeline.expect(key, mode, number, self.day.index)
        for alert in config.alerts:
            self.dome.broker.take(alert, number, decided_s)
        shutter = Shutter(
            self.day, self.dome, self.planner, self.ledger, plan, number, works,
            self._next_exposure,
        )  # fmt: skip

        def integral() -> IntegralRun | None:
            if ifs is not None and plan.tile is not None and self._integral is None:
                self._integral = self._begin_integral(shutter, number, plan.tile, ifs)
            return self._integral

        run = VisitRun(
            self.day, self.parts, self.dome, self.planner, plan, number, config,
            reconfiguration_s, shutter, integral, self._answers, self._use,
        )  # fmt: skip
        self.planner.here = plan.tile
        yield from run.run()
        for mode in run.modes:
            self.dome.pipeline.complete(works[mode])
        if ifs is not None and self._integral is None:  # the sky did not let it begin
            self._end_integral(number, works["ifs"])
        record_visit(self, run, decided_s, self._stay)
        self._close_visit(number)

    def _answers(self, alert: Alert, exposing: bool) -> bool:
        """Whether there is a field for an alert now, with a fibre that reaches it."""
        return self._alert_visit(alert, exposing) is not None

    def _begin_integral(self, shutter: Shutter, visit: int, tile: int, ifs: int) -> IntegralRun:
        """Let the integral field expose on its own clock."""
        rules = self.parts.survey(ifs)
        latest_s = self.planner.latest_s(tile, np.array(self.parts.tile_surveys) == ifs)

        def wanted_s() -> float:
            goal = Goal(self.ledger.field_wants_s(visit, ifs, tile), "ifs", rules.noise)
            return self.planner.open_for(shutter.plan, goal, goal.effective_s)

        def suits(t_s: float) -> bool:
            return rules.wants_sky(self.planner.sight(shutter.plan, t_s).sky)

        return IntegralRun(
            self.env,
            self.dome,
            shutter,
            self.parts.scenario.observing.exposure_s,
            self.parts.shortest_exposure_s,
            wanted_s,
            suits,
            latest_s,
            shutter.works["ifs"],
            visit,
            tile,
        )

    def _leave(self) -> None:
        """Stop what is bound to the pointing, before the telescope leaves it."""
        self.planner.here = None
        self._stop_integral()

    def _stop_integral(self) -> None:
        run, self._integral = self._integral, None
        if run is not None:
            run.stop()
            self.env.process(self._after(run))

    def _after(self, run: IntegralRun) -> Process:
        """When the integral field's last exposure is read, its visit is complete."""
        if run.process.is_alive:
            yield run.process
        self._end_integral(run.visit, run.key)

    def _end_integral(self, visit: int, key: str) -> None:
        self.dome.pipeline.complete(key)
        self.ledger.close(visit, "ifs")

    def _configure(self, plan: Visit) -> Configuration:
        alerts: list[Alert] = []
        if self.planner.alerts.join(plan):
            responses = ("insert", "switch", "abort")
            broker, where = self.dome.broker, (plan.ra_rad, plan.dec_rad)
            alerts = broker.near(responses, *where, self._reach_rad)
        year = self.parts.clock.decimal_year(self.now)
        return self.ledger.configure(plan, self.dome.positioners.usable, year, alerts)

    def _next_exposure(self) -> int:
        self.state.exposures += 1
        return self.state.exposures - 1

    def _close_visit(self, number: int) -> None:
        """The fibres take no more: alerts that nothing can answer any more wait again."""
        pending = self.state.ledger.pending[number]
        self.ledger.close(number, "fibres")
        if not any(key.endswith("/lr") for key in pending.waiting):
            for alert in pending.alerts:
                self.dome.broker.failed(alert, number)
