"""Timers that can be set anew: a generation number makes the old event harmless."""

from __future__ import annotations

from collections.abc import Callable

import simpy
from simpy.events import EventPriority

__all__ = ["Afterwards", "Timer"]

LAST = EventPriority(2)
"""After all other events of the same moment: SimPy's own are 0 (urgent) and 1 (normal)."""


class Timer:
    """Calls a function at a time; setting it again or cancelling it forgets the former time.

    SimPy keeps an interrupted timeout in its heap until its time comes. A timer lets it come and
    ignores it, which costs nothing and cannot go wrong.

    Parameters
    ----------
    env : simpy.Environment
        The day's environment.
    action : callable
        Called without arguments when the time comes.
    """

    def __init__(self, env: simpy.Environment, action: Callable[[], None]) -> None:
        self._env = env
        self._action = action
        self._generation = 0
        self._at_s = -1.0

    def set(self, at_s: float) -> None:
        """Call the action at a time [s], not before now."""
        if at_s == self._at_s and at_s > self._env.now:
            return
        self._at_s = at_s
        self._generation += 1
        generation = self._generation
        event = self._env.timeout(max(0.0, at_s - self._env.now))
        assert event.callbacks is not None
        event.callbacks.append(lambda _: self._fire(generation))

    def cancel(self) -> None:
        """Forget the time that was set."""
        self._generation += 1
        self._at_s = -1.0

    def _fire(self, generation: int) -> None:
        if generation == self._generation:
            self.cancel()
            self._action()


class Afterwards:
    """Calls a function once, after all else that happens at this moment, however often asked.

    Parameters
    ----------
    env : simpy.Environment
        The day's environment.
    action : callable
        Called without arguments.
    """

    def __init__(self, env: simpy.Environment, action: Callable[[], None]) -> None:
        self._env = env
        self._action = action
        self._asked = False

    def ask(self) -> None:
        """Have the action called before time goes on."""
        if self._asked:
            return
        self._asked = True
        event = self._env.event()
        event._ok, event._value = True, None
        assert event.callbacks is not None
        event.callbacks.append(self._fire)
        self._env.schedule(event, priority=LAST)

    def _fire(self, _: simpy.Event) -> None:
        self._asked = False
        self._action()
