"""A signal that many processes can wait for, again and again."""

from __future__ import annotations

import simpy

__all__ = ["Signal"]


class Signal:
    """Wakes all who wait for it when it fires, and is new at once.

    Parameters
    ----------
    env : simpy.Environment
        The day's environment.
    """

    def __init__(self, env: simpy.Environment) -> None:
        self._env = env
        self._event = env.event()

    def wait(self) -> simpy.Event:
        """Return the event of the next firing."""
        return self._event

    def fire(self) -> None:
        """Wake all who wait."""
        event, self._event = self._event, self._env.event()
        event.succeed()
