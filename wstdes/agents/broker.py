"""The alert broker: targets of opportunity come in, wait, are observed, expire or drop out."""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import simpy
from numpy.typing import NDArray

from wstdes.agents.arrivals import Crowd, arrivals
from wstdes.agents.parts import Parts
from wstdes.agents.records import Alert
from wstdes.agents.skies import day_sky
from wstdes.clock import DAY_S
from wstdes.jit import njit
from wstdes.kernel import Agent, Day, Signal

__all__ = ["AlertBroker", "BrokerState"]

Floats = NDArray[np.float64]


@dataclass
class BrokerState:
    """Alerts that are not settled, and how many there were.

    Parameters
    ----------
    alerts : dict of int to Alert
        By number: those that may interrupt, and all that were ever on a fibre. One that wants
        more visits after an answer stays, and waits for the next.
    crowd : Crowd
        All others.
    """

    count: int = 0
    alerts: dict[int, Alert] = field(default_factory=dict)
    crowd: Crowd = field(default_factory=Crowd)


class AlertBroker(Agent[BrokerState]):
    """Lets alerts come in, keeps those that wait, and asks again for their follow-up."""

    State = BrokerState

    def __init__(self, day: Day, name: str, state: BrokerState, parts: Parts) -> None:
        super().__init__(day, name, state)
        self.parts = parts
        self.classes = parts.scenario.alerts
        self._names = list(self.classes)
        self._free = np.ones(len(state.crowd), dtype=np.bool_)  # not on a fibre today
        self.urgent = Signal(day.env)
        """Fires when an alert of a class that may abort an exposure comes in."""
        self.interrupting = Signal(day.env)
        """Fires when an alert of a class that may abort an exposure or switch fields comes in."""

    def start(self) -> None:
        """Let the day's alerts come in."""
        new = [self._arrive(kind) for kind in range(len(self._names))]
        self.state.crowd = self.state.crowd.merged(*new)
        self._free = np.ones(len(self.state.crowd), dtype=np.bool_)
        for alert in list(self.state.alerts.values()):
            self._announce(alert)

    def close(self) -> None:
        """Settle those that are over."""
        crowd, end = self.state.crowd, self.day.end_s
        over = crowd.over_s <= end
        self.state.crowd = crowd.select(self._free & ~over)
        self._record_crowd(crowd.select(self._free & over))
        named = [a for a in self.state.alerts.values() if a.state == "waiting" and a.over_s <= end]
        for alert in named:
            del self.state.alerts[alert.number]
            self._record(alert, "dropped" if alert.dropped_s <= alert.expiry_s else "expired")
            if alert.follow_up:
                self._ask_again(alert, 0.5 * (alert.asked_s + alert.expiry_s))

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
        centre = _unit(ra_rad, dec_rad)
        least = math.cos(radius_rad) if radius_rad < math.pi else -2.0
        found = self._named(responses)
        if found:
            directions = _unit(
                np.array([a.ra_rad for a in found]), np.array([a.dec_rad for a in found])
            )
            found = [a for a, c in zip(found, directions @ centre, strict=True) if c >= least]
        if "insert" in responses:
            crowd = self.state.crowd
            times = crowd.arrival_s, crowd.over_s
            out = np.empty(len(crowd), dtype=np.int64)
            where = crowd.dec_rad, dec_rad, radius_rad
            band = out[: _in_band(where, *times, self._free, self.now, out)]
            directions = _unit(crowd.ra_rad[band], crowd.dec_rad[band])
            found += self._objects(band[directions @ centre >= least])
        return sorted(found, key=lambda a: a.number)

    def take(self, number: int, visit: int, decided_s: float) -> None:
        """A visit has the alert on a fibre."""
        if number not in self.state.alerts:
            crowd = self.state.crowd
            place = int(np.searchsorted(crowd.number, number))
            self.state.alerts[number] = self._objects(np.array([place]))[0]
            self._free[place] = False
        alert = self.state.alerts[number]
        alert.state, alert.visit, alert.decided_s = "taken", visit, decided_s

    def wait_for_field(self, number: int) -> None:
        """No field of its own can serve the alert: it interrupts no more."""
        self.state.alerts[number].interrupts = False

    def answered(self, number: int, visit: int, span_s: tuple[float, float]) -> bool:
        """A spectrum of the alert has passed quality control on site.

        Parameters
        ----------
        number : int
            The alert.
        visit : int
            The visit that took the spectrum.
        span_s : tuple of float
            Shutter opening and closing of the exposure that passed [s].

        Returns
        -------
        bool
            Whether it was the first spectrum of this alert.
        """
        alert = self.state.alerts.get(number)
        if alert is None or alert.state != "taken" or alert.visit != visit:
            return False
        del self.state.alerts[number]
        alert.shutter_open_s, alert.shutter_close_s = span_s
        self._record(alert, "observed")
        self._ask_again(alert, span_s[0])
        return alert.follow_up == 0

    def failed(self, number: int, visit: int) -> None:
        """No exposure of a visit's alert was good: it waits again, unless another visit has it."""
        alert = self.state.alerts.get(number)
        if alert is not None and alert.state == "taken" and alert.visit == visit:
            alert.state, alert.visit, alert.decided_s = "waiting", None, None
            self._announce(alert)

    def _ask_again(self, alert: Alert, since_s: float) -> None:
        """Want the next visit of a series, an interval after the last was made or was due."""
        rules = self.classes[alert.alert_class].follow_up
        if rules is None or alert.follow_up + 1 >= rules.visits or alert.dropped_s <= self.now:
            return
        due_s = since_s + rules.interval_s
        again = replace(
            alert,
            follow_up=alert.follow_up + 1,
            asked_s=due_s - rules.tolerance_s,
            expiry_s=due_s + rules.tolerance_s,
            state="waiting",
            visit=None,
            decided_s=None,
            shutter_open_s=None,
            shutter_close_s=None,
            interrupts=True,
        )
        self.state.alerts[alert.number] = again
        self._announce(again)

    def _response(self, alert: Alert) -> str:
        return self.classes[alert.alert_class].response_of(alert.follow_up)

    def _named(self, responses: tuple[str, ...]) -> list[Alert]:
        return [
            a
            for a in self.state.alerts.values()
            if a.waits(self.now)
            and self._response(a) in responses
            and (a.interrupts or "insert" in responses)
        ]

    @property
    def _present(self) -> NDArray[np.bool_]:
        """Which of the crowd have come in and can still be observed."""
        crowd, now = self.state.crowd, self.now
        return (crowd.arrival_s <= now) & (now < crowd.over_s) & self._free

    def _objects(self, chosen: NDArray[Any]) -> list[Alert]:
        return self._objects_of(self.state.crowd.select(chosen))

    def _objects_of(self, some: Crowd) -> list[Alert]:
        columns = [c.tolist() for c in vars(some).values()]
        return [
            Alert(number, self._names[kind], ra, dec, arrival, expiry, dropped, arrival)
            for number, kind, ra, dec, arrival, expiry, dropped in zip(*columns, strict=True)
        ]

    # How they come in ------------------------------------------------------------------------

    def _arrive(self, kind: int) -> Crowd:
        """The day's alerts of a class; those that may interrupt get a name at once."""
        new = arrivals(self.day, self.name, self.parts, kind, self.state.count)
        self.state.count += len(new)
        if self.classes[self._names[kind]].response == "insert":
            return new
        self.state.alerts |= {alert.number: alert for alert in self._objects_of(new)}
        return Crowd()

    def _announce(self, alert: Alert) -> None:
        """Wake those who wait for alerts that may interrupt, when this one can be observed."""
        response = self._response(alert)
        if response == "insert" or not alert.interrupts or alert.state != "waiting":
            return
        if self.now <= alert.asked_s < self.day.end_s or alert.waits(self.now):
            self.env.process(self._wake(max(0.0, alert.asked_s - self.now), response == "abort"))

    def _wake(self, after_s: float, urgent: bool) -> Generator[simpy.Event, Any, None]:
        yield self.env.timeout(after_s)
        self.interrupting.fire()
        if urgent:
            self.urgent.fire()

    # What becomes of them --------------------------------------------------------------------

    def _record(self, alert: Alert, outcome: str) -> None:
        """A row of an alert with a name; when it was up where somebody waited for that."""
        alert_class, response = self.classes[alert.alert_class], self._response(alert)
        seen = outcome == "observed"
        owed = alert_class.target_response_s
        self.record(
            "alerts",
            alert=alert.number,
            alert_class=alert.alert_class,
            follow_up=alert.follow_up,
            response=response,
            ra_deg=np.degrees(alert.ra_rad).item(),
            dec_deg=np.degrees(alert.dec_rad).item(),
            arrival_s=alert.arrival_s,
            asked_s=alert.asked_s,
            expiry_s=alert.expiry_s,
            dropped_s=alert.dropped_s if outcome == "dropped" else None,
            outcome=outcome,
            visit=alert.visit,
            decided_s=alert.decided_s,
            shutter_open_s=alert.shutter_open_s,
            shutter_close_s=alert.shutter_close_s,
            quicklook_s=self.now if seen else None,
            possible_s=self._possible(alert) if seen or response != "insert" else None,
            target_response_s=alert.expiry_s - alert.asked_s if alert.follow_up else owed,
        )

    def _record_crowd(self, crowd: Crowd) -> None:
        """Rows of alerts that only waited for a field, and that none observed."""
        if not len(crowd):
            return
        classes, kind = list(self.classes.values()), crowd.kind
        dropped = crowd.dropped_s <= crowd.expiry_s
        self.day.trace.extend(
            "alerts",
            {
                "alert": crowd.number,
                "alert_class": np.array(self._names, dtype=object)[kind],
                "follow_up": 0,
                "response": np.array([c.response for c in classes], dtype=object)[kind],
                "ra_deg": np.degrees(crowd.ra_rad),
                "dec_deg": np.degrees(crowd.dec_rad),
                "arrival_s": crowd.arrival_s,
                "asked_s": crowd.arrival_s,
                "expiry_s": crowd.expiry_s,
                "dropped_s": self._when(crowd.dropped_s, dropped),
                "outcome": np.where(dropped, "dropped", "expired"),
                "target_response_s": np.array([c.target_response_s for c in classes])[kind],
            },
        )

    @staticmethod
    def _when(times_s: Floats, known: NDArray[np.bool_]) -> list[float | None] | None:
        """Times that are known, nothing for others."""
        if not known.any():
            return None
        pairs = zip(times_s.tolist(), known.tolist(), strict=True)
        return [t if there else None for t, there in pairs]

    def _possible(self, alert: Alert) -> float | None:
        """When an alert was first up at night; to two minutes."""
        model = self.parts.scenario.telescope
        low, high = np.pi / 2 - model.zenith_distance_max_rad, model.altitude_max_rad
        for index in range(int(alert.asked_s // DAY_S), self.day.index + 1):
            sky = day_sky(self.parts.clock, self.parts.horizon, index)
            dark = sky.below(self.parts.alert_sun_rad)
            begin, end = (0.0, 0.0) if dark is None else (max(dark[0], alert.asked_s), dark[1])
            times = np.arange(begin, min(end, alert.over_s), 120.0)
            if not len(times):
                continue
            field = sky.fields(np.array([alert.ra_rad]), np.array([alert.dec_rad]))
            sine = field.sin_altitude(times)[:, 0]
            up = np.flatnonzero((sine >= np.sin(low)) & (sine <= np.sin(high)))
            if len(up):
                return float(times[up[0]])
        return None


@njit
def _in_band(
    where: tuple[Floats, float, float],
    arrival_s: Floats,
    over_s: Floats,
    free: NDArray[np.bool_],
    now_s: float,
    out: NDArray[np.int64],
) -> int:
    """Number alerts that can be observed now, within a width of a declination; how many."""
    dec_rad, middle_rad, width_rad = where
    count = 0
    for i in range(len(dec_rad)):
        there = free[i] and arrival_s[i] <= now_s < over_s[i]
        if there and abs(dec_rad[i] - middle_rad) <= width_rad:
            out[count] = i
            count += 1
    return count


def _unit(ra_rad: Any, dec_rad: Any) -> Floats:
    """Unit vectors of directions, shape (..., 3)."""
    return np.stack(
        [np.cos(dec_rad) * np.cos(ra_rad), np.cos(dec_rad) * np.sin(ra_rad), np.sin(dec_rad)],
        axis=-1,
    )
