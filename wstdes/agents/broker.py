"""The alert broker: targets of opportunity come in, wait, are observed or expire."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import simpy
from numpy.typing import NDArray

from wstdes.agents.parts import Parts
from wstdes.agents.records import Alert
from wstdes.agents.skies import dark_hours, day_sky
from wstdes.clock import DAY_S
from wstdes.config.surveys import AlertClass
from wstdes.kernel import Agent, Day, Signal

__all__ = ["AlertBroker", "BrokerState", "Crowd"]

Floats = NDArray[np.float64]


@dataclass
class Crowd:
    """Alerts that only wait for a field that covers them: thousands, so columns and no objects.

    Parameters
    ----------
    number : ndarray of int64, shape (alerts,)
        Ascending.
    kind : ndarray of int16, shape (alerts,)
        Place of the class among the scenario's.
    ra_rad, dec_rad : ndarray of float64, shape (alerts,)
        ICRS [rad].
    arrival_s, expiry_s : ndarray of float64, shape (alerts,)
        When it came, or comes, in; when it can no longer be observed [s].
    """

    number: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    kind: NDArray[np.int16] = field(default_factory=lambda: np.zeros(0, dtype=np.int16))
    ra_rad: Floats = field(default_factory=lambda: np.zeros(0))
    dec_rad: Floats = field(default_factory=lambda: np.zeros(0))
    arrival_s: Floats = field(default_factory=lambda: np.zeros(0))
    expiry_s: Floats = field(default_factory=lambda: np.zeros(0))

    def __len__(self) -> int:
        return len(self.number)

    def select(self, chosen: NDArray[Any]) -> Crowd:
        """Those of a mask, or at these places."""
        return Crowd(*(column[chosen] for column in vars(self).values()))

    def merged(self, *others: Crowd) -> Crowd:
        """These and others, in the order of their numbers."""
        tables = [list(vars(crowd).values()) for crowd in (self, *others)]
        columns = [np.concatenate(column) for column in zip(*tables, strict=True)]
        return Crowd(*columns).select(np.argsort(columns[0], kind="stable"))


@dataclass
class BrokerState:
    """Alerts that are not settled, and how many there were.

    Parameters
    ----------
    alerts : dict of int to Alert
        By number: those that may interrupt, and all that were ever on a fibre.
    crowd : Crowd
        All others.
    """

    count: int = 0
    alerts: dict[int, Alert] = field(default_factory=dict)
    crowd: Crowd = field(default_factory=Crowd)


class AlertBroker(Agent[BrokerState]):
    """Injects alerts evenly over the sky of the survey they feed, as a Poisson process."""

    State = BrokerState

    def __init__(self, day: Day, name: str, state: BrokerState, parts: Parts) -> None:
        super().__init__(day, name, state)
        self.parts = parts
        self.classes = parts.scenario.alerts
        self._names = list(self.classes)
        self.urgent = Signal(day.env)
        """Fires when an alert of a class that may abort an exposure comes in."""
        self.interrupting = Signal(day.env)
        """Fires when an alert of a class that may abort an exposure or switch fields comes in."""

    def start(self) -> None:
        """Draw the day's alerts."""
        new = [self._draw(kind, c) for kind, c in enumerate(self.classes.values())]
        self.state.crowd = self.state.crowd.merged(*new)
        self.env.process(self._announce())

    def close(self) -> None:
        """Settle what has expired."""
        crowd = self.state.crowd
        over = crowd.expiry_s <= self.day.end_s
        self.state.crowd = crowd.select(~over)
        named = [
            a
            for a in self.state.alerts.values()
            if a.state == "waiting" and a.expiry_s <= self.day.end_s
        ]
        for alert in named:
            del self.state.alerts[alert.number]
        self._record_expired(crowd.select(over), named)

    # What the observer asks ------------------------------------------------------------------

    def waiting(self, responses: tuple[str, ...]) -> list[Alert]:
        """Alerts of these responses that have come in and can still be observed, by number.

        Where ``insert`` is among them that can be ten thousand: :meth:`near` is for fields.
        """
        named = self._named(responses)
        if "insert" not in responses:
            return named
        return sorted([*named, *self._objects(self._present)], key=lambda a: a.number)

    def near(
        self, responses: tuple[str, ...], ra_rad: float, dec_rad: float, radius_rad: float
    ) -> list[Alert]:
        """Alerts as by :meth:`waiting`, within a radius of a direction.

        Parameters
        ----------
        responses : tuple of str
            Of insert, switch and abort.
        ra_rad, dec_rad : float
            ICRS [rad].
        radius_rad : float
            Those farther away than this are left out [rad].
        """
        centre, most = _unit(ra_rad, dec_rad), 2.0 * np.sin(0.5 * radius_rad)
        found = [
            alert
            for alert in self._named(responses)
            if np.linalg.norm(_unit(alert.ra_rad, alert.dec_rad) - centre) <= most
        ]
        if "insert" in responses:
            away = np.linalg.norm(self._directions - centre, axis=1)
            found += self._objects(np.flatnonzero((away <= most) & self._present))
        return sorted(found, key=lambda a: a.number)

    def take(self, number: int, visit: int, decided_s: float) -> None:
        """A visit has the alert on a fibre."""
        if number not in self.state.alerts:
            crowd = self.state.crowd
            place = int(np.searchsorted(crowd.number, number))
            self.state.alerts[number] = self._objects(np.array([place]))[0]
            self._forget(np.arange(len(crowd)) != place)
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
        alert = self.state.alerts.pop(number, None)
        if alert is None:
            return False
        alert.shutter_open_s, alert.shutter_close_s = span_s
        self._record_observed(alert)
        return True

    def failed(self, number: int, visit: int) -> None:
        """No exposure of a visit's alert was good: it waits again, unless another visit has it."""
        alert = self.state.alerts.get(number)
        if alert is not None and alert.state == "taken" and alert.visit == visit:
            alert.state, alert.visit, alert.decided_s = "waiting", None, None

    def _named(self, responses: tuple[str, ...]) -> list[Alert]:
        wanted = {name for name, c in self.classes.items() if c.response in responses}
        return [
            a
            for a in self.state.alerts.values()
            if a.alert_class in wanted
            and a.state == "waiting"
            and a.arrival_s <= self.now < a.expiry_s
            and (a.interrupts or "insert" in responses)
        ]

    @property
    def _present(self) -> NDArray[np.bool_]:
        """Which of the crowd have come in and can still be observed."""
        crowd = self.state.crowd
        return (crowd.arrival_s <= self.now) & (self.now < crowd.expiry_s)

    @cached_property
    def _directions(self) -> Floats:
        """Unit vectors of the crowd, shape (alerts, 3)."""
        return _unit(self.state.crowd.ra_rad, self.state.crowd.dec_rad)

    def _forget(self, keep: NDArray[np.bool_]) -> None:
        """Let go of some of the crowd."""
        directions = self._directions[keep]
        self.state.crowd = self.state.crowd.select(keep)
        self._directions = directions

    def _objects(self, chosen: NDArray[Any]) -> list[Alert]:
        some = self.state.crowd.select(chosen)
        columns = [c.tolist() for c in vars(some).values()]
        return [
            Alert(number, self._names[kind], *rest)
            for number, kind, *rest in zip(*columns, strict=True)
        ]

    # How they come in ------------------------------------------------------------------------

    def _draw(self, kind: int, alert_class: AlertClass) -> Crowd:
        """Draw the day's alerts of a class; those that may interrupt get a name at once."""
        rng = self.day.streams(self.name, self._names[kind], self.day.index)
        seconds = self.day.end_s - self.day.start_s
        times = np.sort(rng.random(rng.poisson(alert_class.rate_per_s * seconds))) * seconds
        ra, dec = self._positions(rng, len(times))
        arrival = self.day.start_s + times
        first = self.state.count
        self.state.count += len(times)
        number = np.arange(first, self.state.count, dtype=np.int64)
        kinds = np.full(len(times), kind, dtype=np.int16)
        drawn = Crowd(number, kinds, ra, dec, arrival, arrival + alert_class.lifetime_s)
        if alert_class.response == "insert":
            return drawn
        for alert in zip(*(c.tolist() for c in vars(drawn).values()), strict=True):
            self.state.alerts[alert[0]] = Alert(alert[0], self._names[kind], *alert[2:])
        return Crowd()

    def _positions(self, rng: np.random.Generator, n: int) -> tuple[Floats, Floats]:
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

    # What becomes of them --------------------------------------------------------------------

    def _record_observed(self, alert: Alert) -> None:
        alert_class = self.classes[alert.alert_class]
        self.record(
            "alerts",
            alert=alert.number,
            alert_class=alert.alert_class,
            response=alert_class.response,
            ra_deg=np.degrees(alert.ra_rad).item(),
            dec_deg=np.degrees(alert.dec_rad).item(),
            arrival_s=alert.arrival_s,
            expiry_s=alert.expiry_s,
            outcome="observed",
            visit=alert.visit,
            decided_s=alert.decided_s,
            shutter_open_s=alert.shutter_open_s,
            shutter_close_s=alert.shutter_close_s,
            quicklook_s=self.now,
            possible_s=self._possible(alert),
            target_response_s=alert_class.target_response_s,
        )

    def _record_expired(self, crowd: Crowd, named: list[Alert]) -> None:
        """Rows of alerts that expired; possible times of those alone that may interrupt."""
        crowd = crowd.merged(*(self._as_crowd(alert) for alert in named))
        possible = {
            alert.number: self._possible(alert)
            for alert in named
            if self.classes[alert.alert_class].response != "insert"
        }
        kinds = crowd.kind.tolist()
        classes = list(self.classes.values())
        self.day.trace.extend(
            "alerts",
            {
                "alert": crowd.number,
                "alert_class": [self._names[k] for k in kinds],
                "response": [classes[k].response for k in kinds],
                "ra_deg": np.degrees(crowd.ra_rad),
                "dec_deg": np.degrees(crowd.dec_rad),
                "arrival_s": crowd.arrival_s,
                "expiry_s": crowd.expiry_s,
                "outcome": "expired",
                "possible_s": [possible.get(n) for n in crowd.number.tolist()],
                "target_response_s": [classes[k].target_response_s for k in kinds],
            },
        )

    def _as_crowd(self, alert: Alert) -> Crowd:
        return Crowd(
            np.array([alert.number]),
            np.array([self._names.index(alert.alert_class)], dtype=np.int16),
            np.array([alert.ra_rad]),
            np.array([alert.dec_rad]),
            np.array([alert.arrival_s]),
            np.array([alert.expiry_s]),
        )

    def _possible(self, alert: Alert) -> float | None:
        """When an alert was first up at night; to two minutes."""
        observing, model = self.parts.scenario.observing, self.parts.scenario.telescope
        low, high = np.pi / 2 - model.zenith_distance_max_rad, model.altitude_max_rad
        for index in range(int(alert.arrival_s // DAY_S), self.day.index + 1):
            sky = day_sky(self.parts.clock, self.parts.horizon, index)
            dark = dark_hours(sky, observing.science_sun_altitude_rad)
            begin, end = (0.0, 0.0) if dark is None else (max(dark[0], alert.arrival_s), dark[1])
            times = np.arange(begin, min(end, alert.expiry_s), 120.0)
            ra, dec = sky.to_cirs(np.array([alert.ra_rad]), np.array([alert.dec_rad]))
            altitude, _ = sky.altaz(ra, dec, times)
            up = np.flatnonzero((altitude >= low) & (altitude <= high))
            if len(up):
                return float(times[up[0]])
        return None


def _unit(ra_rad: Any, dec_rad: Any) -> Floats:
    """Unit vectors of directions, shape (..., 3)."""
    return np.stack(
        [np.cos(dec_rad) * np.cos(ra_rad), np.cos(dec_rad) * np.sin(ra_rad), np.sin(dec_rad)],
        axis=-1,
    )
