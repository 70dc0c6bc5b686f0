"""Timers that can be set anew: a generation number makes the old event harmless."""

from __future__ import annotations

from collections.abc import Callable

import simpy

__all__ = ["Timer"]


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

    def set(self, at_s: float) -> None:
        """Call the action at a time [s], not before now."""
        self._generation += 1
        generation = self._generation
        event = self._env.timeout(max(0.0, at_s - self._env.now))
        assert event.callbacks is not None
        event.callbacks.append(lambda _: self._fire(generation))

    def cancel(self) -> None:
        """Forget the time that was set."""
        self._generation += 1

    def _fire(self, generation: int) -> None:
        if generation == self._generation:
            self._generation += 1
            self._action()
