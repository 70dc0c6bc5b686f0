"""How alerts come in: drawn day by day, alone or in bursts, or played again from a list."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wstdes.agents.parts import Parts
from wstdes.config.alerts import AlertClass
from wstdes.kernel import Day
from wstdes.survey.alerts import within

__all__ = ["Crowd", "arrivals"]

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
    dropped_s : ndarray of float64, shape (alerts,)
        When it fades, or turns out to be something else; infinite: never [s].
    """

    number: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    kind: NDArray[np.int16] = field(default_factory=lambda: np.zeros(0, dtype=np.int16))
    ra_rad: Floats = field(default_factory=lambda: np.zeros(0))
    dec_rad: Floats = field(default_factory=lambda: np.zeros(0))
    arrival_s: Floats = field(default_factory=lambda: np.zeros(0))
    expiry_s: Floats = field(default_factory=lambda: np.zeros(0))
    dropped_s: Floats = field(default_factory=lambda: np.zeros(0))

    def __len__(self) -> int:
        return len(self.number)

    @property
    def over_s(self) -> Floats:
        """When nothing can be done for it any more, shape (alerts,) [s]."""
        return np.minimum(self.expiry_s, self.dropped_s)

    def select(self, chosen: NDArray[Any]) -> Crowd:
        """Those of a mask, or at these places."""
        return Crowd(*(column[chosen] for column in vars(self).values()))

    def merged(self, *others: Crowd) -> Crowd:
        """These and others, whose numbers follow theirs."""
        tables = [list(vars(crowd).values()) for crowd in (self, *others)]
        return Crowd(*(np.concatenate(column) for column in zip(*tables, strict=True)))


def arrivals(day: Day, agent: str, parts: Parts, kind: int, first: int) -> Crowd:
    """Alerts of a class that come in on a day.

    Parameters
    ----------
    day : Day
        The day.
    agent : str
        Who draws.
    parts : Parts
        The facility.
    kind : int
        Place of the class among the scenario's.
    first : int
        Number of the first.

    Returns
    -------
    Crowd
        In the order of their arrival; what is drawn depends on seed, class and day alone.
    """
    name, alert_class = list(parts.scenario.alerts.items())[kind]
    if alert_class.path is None:
        arrival, ra, dec = _drawn(day, agent, parts, name, alert_class)
    else:
        listed = parts.alert_lists[name].between(day.start_s, day.end_s)
        arrival, ra, dec = listed.time_s, listed.ra_rad, listed.dec_rad
    number = np.arange(first, first + len(arrival), dtype=np.int64)
    kinds = np.full(len(arrival), kind, dtype=np.int16)
    dropped = np.full(len(arrival), np.inf)
    if alert_class.drop_out_per_s > 0:
        rng = day.streams(agent, f"{name}/drop-out", day.index)
        dropped = arrival + rng.exponential(1.0 / alert_class.drop_out_per_s, len(arrival))
    return Crowd(number, kinds, ra, dec, arrival, arrival + alert_class.lifetime_s, dropped)


def _drawn(
    day: Day, agent: str, parts: Parts, name: str, alert_class: AlertClass
) -> tuple[Floats, Floats, Floats]:
    """Times [s] and positions [rad] of a Poisson process, even over the sky of the alerts."""
    if not alert_class.rate_per_s:
        return np.zeros(0), np.zeros(0), np.zeros(0)
    assert parts.alert_sky is not None
    rng = day.streams(agent, name, day.index)
    seconds = day.end_s - day.start_s
    mean = alert_class.rate_per_s * seconds * _season(alert_class, parts.clock.month(day.index))
    shares = _by_hour(alert_class, np.sort(rng.random(rng.poisson(mean))))
    arrival = day.start_s + shares * seconds
    ra, dec = parts.alert_sky.draw(rng, len(arrival))
    burst = alert_class.burst
    if burst is not None:
        arrival, ra, dec = (np.repeat(x, burst.count) for x in (arrival, ra, dec))
        rng = day.streams(agent, f"{name}/burst", day.index)
        ra, dec = within(rng, ra, dec, burst.radius_rad)
    return arrival, ra, dec


def _season(alert_class: AlertClass, month: int) -> float:
    """Rate of a month over the mean of the twelve."""
    weights = alert_class.by_month
    return 1.0 if weights is None else 12.0 * weights[month] / sum(weights)


def _by_hour(alert_class: AlertClass, shares: Floats) -> Floats:
    """Shares of a day from noon to noon, moved to where the hours of the day have them."""
    if alert_class.by_hour is None:
        return shares
    weights = np.roll(np.array(alert_class.by_hour), -12)
    edges = np.arange(25) / 24.0
    some = np.flatnonzero(weights > 0)
    upper = np.cumsum(weights[some]) / weights.sum()
    hour = np.minimum(np.searchsorted(upper, shares, side="right"), len(some) - 1)
    lower = upper[hour] - weights[some][hour] / weights.sum()
    part = np.clip((shares - lower) / (upper[hour] - lower), 0.0, 1.0)
    return np.asarray(edges[some][hour] + part / 24.0)
