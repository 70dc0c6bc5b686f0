"""Quantities that stay until they change: recorded as intervals, integrated exactly."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import simpy

from wstdes.kernel.trace import Trace

__all__ = ["Recorder"]


@dataclass(slots=True)
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
        Where rows go, when the day is closed.
    table : str
        Their table.
    """

    def __init__(self, env: simpy.Environment, trace: Trace, table: str) -> None:
        self._env = env
        self._trace = trace
        self._table = table
        self._open: dict[str, _Open] = {}
        self._by_site: dict[str, dict[str, _Open]] = {}
        self._listeners: dict[str, list[Callable[[], None]]] = {}
        self._rows: list[tuple[float, float, float, dict[str, str]]] = []

    def listen(self, site: str, listener: Callable[[], None]) -> None:
        """Have a function called after each change at a site (the label ``site``)."""
        self._listeners.setdefault(site, []).append(listener)

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
        now = self._env.now
        known = self._open.get(key)
        site = labels.get("site", "")
        if known is None:
            known = self._open[key] = _Open(now, value, labels)
            self._by_site.setdefault(site, {})[key] = known
        elif known.value == value and known.labels == labels:
            return
        else:
            self._end(known, now)
            before = known.labels.get("site", "")
            if before != site:
                self._by_site.setdefault(site, {})[key] = self._by_site[before].pop(key)
            known.since_s, known.value, known.labels = now, value, labels
        for listener in self._listeners.get(site, ()):
            listener()

    def value(self, key: str) -> float:
        """The present value of a quantity; 0 before it was set."""
        known = self._open.get(key)
        return 0.0 if known is None else known.value

    def total(self, site: str) -> float:
        """Sum of the present values at a site, rounded once: whatever the order of changes.

        Parameters
        ----------
        site : str
            The label ``site``.

        Returns
        -------
        float
            In the table's unit.
        """
        return math.fsum([item.value for item in self._by_site.get(site, {}).values()])

    def close(self) -> None:
        """End all intervals now, and write their rows."""
        for item in self._open.values():
            self._end(item, self._env.now)
        self._open.clear()
        self._by_site.clear()
        if self._rows:
            start, end, value, labels = zip(*self._rows, strict=True)
            names = {name: None for row in labels for name in row}
            named = {name: [row.get(name) for row in labels] for name in names}
            self._trace.extend(
                self._table, {"start_s": start, "end_s": end, "value": value, **named}
            )
            self._rows.clear()

    def _end(self, item: _Open, now: float) -> None:
        if now > item.since_s:
            self._rows.append((item.since_s, now, item.value, item.labels))
