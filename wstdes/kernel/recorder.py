"""Quantities that stay until they change: recorded as intervals, integrated exactly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import simpy

from wstdes.kernel.trace import Trace

__all__ = ["Recorder"]


@dataclass
class _Open:
    since_s: float
    value: float
    labels: dict[str, str]


class Recorder:
    """Writes a row for each interval in which a quantity kept its value.

    The table has the columns ``start_s``, ``end_s``, ``value`` and one for each label. Intervals
    end at noon, so that each day's sum is the day's.

    Parameters
    ----------
    env : simpy.Environment
        The day's environment.
    trace : Trace
        Where rows go.
    table : str
        Their table.
    """

    def __init__(self, env: simpy.Environment, trace: Trace, table: str) -> None:
        self._env = env
        self._trace = trace
        self._table = table
        self._open: dict[str, _Open] = {}
        self._by_site: dict[str, dict[str, _Open]] = {}
        self.listeners: list[Callable[[str], None]] = []
        """Called after a change with the interval's site."""

    def set(self, key: str, value: float, **labels: str) -> None:
        """Give a quantity a value from now on.

        Parameters
        ----------
        key : str
            Which quantity.
        value : float
            In the table's unit.
        **labels : str
            The row's other columns.
        """
        now = float(self._env.now)
        known = self._open.get(key)
        if known is not None:
            if known.value == value and known.labels == labels:
                return
            self._write(known, now)
            self._by_site[known.labels.get("site", "")].pop(key)
        site = labels.get("site", "")
        self._open[key] = self._by_site.setdefault(site, {})[key] = _Open(now, value, labels)
        for listener in self.listeners:
            listener(site)

    def value(self, key: str) -> float:
        """The present value of a quantity; 0 before it was set."""
        return self._open[key].value if key in self._open else 0.0

    def total(self, site: str, agents: frozenset[str] | None = None) -> float:
        """Sum of the present values at a site, of all agents or of some.

        Parameters
        ----------
        site : str
            The label ``site``.
        agents : frozenset of str, optional
            Only quantities with one of these as their label ``agent``.

        Returns
        -------
        float
            In the table's unit.
        """
        items = self._by_site.get(site, {}).values()
        if agents is None:
            return sum(item.value for item in items)
        return sum(item.value for item in items if item.labels["agent"] in agents)

    def close(self) -> None:
        """End all intervals now."""
        now = float(self._env.now)
        for item in self._open.values():
            self._write(item, now)
        self._open.clear()
        self._by_site.clear()

    def _write(self, item: _Open, now: float) -> None:
        if now > item.since_s:
            self._trace.add(
                self._table, start_s=item.since_s, end_s=now, value=item.value, **item.labels
            )
