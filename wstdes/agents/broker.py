"""The alert broker: targets of opportunity come in, wait, are observed or expire."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import simpy
from numpy.typing import NDArray

from wstdes.agents.parts import Parts
from wstdes.agents.records import Alert
from wstdes.clock import DAY_S
from wstdes.config.surveys import AlertClass
from wstdes.kernel import Agent, Day, Signal
from wstdes.models.sky import DaySky

__all__ = ["AlertBroker", "BrokerState"]


@dataclass
class BrokerState:
    """Alerts that are not settled, by number, and how many there were."""

    count: int = 0
    alerts: dict[int, Alert] = field(default_factory=dict)


class AlertBroker(Agent[BrokerState]):
    """Injects alerts evenly over the sky of the survey they feed, as a Poisson process."""

    State = BrokerState

    def __init__(self, day: Day, name: str, state: BrokerState, parts: Parts) -> None:
        super().__init__(day, name, state)
        self.parts = parts
        self.classes = parts.scenario.alerts
        self.urgent = Signal(day.env)
        """Fires when an alert of a class that may abort an exposure comes in."""
        self.interrupting = Signal(day.env)
        """Fires when an alert of a class that may abort an exposure or switch fields comes in."""

    def start(self) -> None:
        """Draw the day's alerts."""
        for name, alert_class in self.classes.items():
            self._draw(name, alert_class)
        self.env.process(self._announce())

    def close(self) -> None:
        """Settle what has expired."""
        for alert in list(self.state.alerts.values()):
            if alert.state == "waiting" and alert.expiry_s <= self.day.end_s:
                self._settle(alert, "expired", None)

    def waiting(self, responses: tuple[str, ...]) -> list[Alert]:
        """Alerts of these responses that have come in and can still be observed, oldest first."""
        now = self.now
        wanted = {name for name, c in self.classes.items() if c.response in responses}
        return [
            a
            for a in self.state.alerts.values()
            if a.alert_class in wanted
            and a.state == "waiting"
            and a.arrival_s <= now < a.expiry_s
            and (a.interrupts or "insert" in responses)
        ]

    def take(self, number: int, visit: int, decided_s: float) -> None:
        """A visit has the alert on a fibre."""
        alert = self.state.alerts[number]
        alert.state, alert.visit, alert.decided_s = "taken", visit, decided_s

    def answered(self, number: int, span_s: tuple[float, float]) -> bool:
        """A spectrum of the alert has passed quality control on site; whether it was the first.

        Parameters
        ----------
        number : int
            The alert.
        span_s : tuple of float
            Shutter opening and closing of the exposure that passed [s].
        """
        alert = self.state.alerts.get(number)
        if alert is None:
            return False
        alert.shutter_open_s, alert.shutter_close_s = span_s
        self._settle(alert, "observed", self.now)
        return True

    def failed(self, number: int) -> None:
        """No exposure of the alert was good: it waits again."""
        alert = self.state.alerts.get(number)
        if alert is not None and alert.state == "taken":
            alert.state, alert.visit, alert.decided_s = "waiting", None, None

    def _draw(self, name: str, alert_class: AlertClass) -> None:
        rng = self.day.streams(self.name, name, self.day.index)
        seconds = self.day.end_s - self.day.start_s
        times = np.sort(rng.random(rng.poisson(alert_class.rate_per_s * seconds))) * seconds
        ra, dec = self._positions(rng, len(times))
        for i in range(len(times)):
            arrival = self.day.start_s + float(times[i])
            self.state.alerts[self.state.count] = Alert(
                self.state.count,
                name,
                float(ra[i]),
                float(dec[i]),
                arrival,
                arrival + alert_class.lifetime_s,
            )
            self.state.count += 1

    def _positions(
        self, rng: np.random.Generator, n: int
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Positions, even over the declinations of the survey that alerts feed."""
        number = self.parts.alert_survey
        assert number is not None
        survey = self.parts.scenario.surveys[self.parts.survey_names[number]]
        low, high = survey.footprint.declination_min_rad, survey.footprint.declination_max_rad
        ra = rng.random(n) * 2.0 * np.pi
        dec = np.arcsin(np.sin(low) + rng.random(n) * (np.sin(high) - np.sin(low)))
        return ra, dec

    def _announce(self) -> Generator[simpy.Event, Any, None]:
        arrivals = sorted(
            (a.arrival_s, self.classes[a.alert_class].response)
            for a in self.state.alerts.values()
            if a.arrival_s >= self.now and self.classes[a.alert_class].response != "insert"
        )
        for t, response in arrivals:
            yield self.env.timeout(max(0.0, t - self.now))
            self.interrupting.fire()
            if response == "abort":
                self.urgent.fire()

    def _settle(self, alert: Alert, outcome: str, quicklook_s: float | None) -> None:
        alert_class = self.classes[alert.alert_class]
        seen = outcome == "observed"
        self.record(
            "alerts",
            alert=alert.number,
            alert_class=alert.alert_class,
            response=alert_class.response,
            ra_deg=np.degrees(alert.ra_rad).item(),
            dec_deg=np.degrees(alert.dec_rad).item(),
            arrival_s=alert.arrival_s,
            expiry_s=alert.expiry_s,
            outcome=outcome,
            visit=alert.visit if seen else None,
            decided_s=alert.decided_s if seen else None,
            shutter_open_s=alert.shutter_open_s if seen else None,
            shutter_close_s=alert.shutter_close_s if seen else None,
            quicklook_s=quicklook_s,
            possible_s=self._possible(alert, seen),
            target_response_s=alert_class.target_response_s,
        )
        del self.state.alerts[alert.number]

    def _possible(self, alert: Alert, seen: bool) -> float | None:
        """When an alert was first up at night; to two minutes."""
        if not seen and self.classes[alert.alert_class].response == "insert":
            return None
        observing, model = self.parts.scenario.observing, self.parts.scenario.telescope
        low, high = np.pi / 2 - model.zenith_distance_max_rad, model.altitude_max_rad
        for index in range(int(alert.arrival_s // DAY_S), self.day.index + 1):
            sky = DaySky(self.parts.clock, self.parts.horizon, index * DAY_S)
            dark = sky.below(observing.science_sun_altitude_rad)
            begin, end = (0.0, 0.0) if dark is None else (max(dark[0], alert.arrival_s), dark[1])
            times = np.arange(begin, min(end, alert.expiry_s), 120.0)
            ra, dec = sky.to_cirs(np.array([alert.ra_rad]), np.array([alert.dec_rad]))
            altitude, _ = sky.altaz(ra, dec, times)
            up = np.flatnonzero((altitude >= low) & (altitude <= high))
            if len(up):
                return float(times[up[0]])
        return None
