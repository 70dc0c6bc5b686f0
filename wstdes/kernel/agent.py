"""Agents: who acts. And the day they act in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar, Generic, TypeVar

import simpy

from wstdes.kernel.recorder import Recorder
from wstdes.kernel.streams import Streams
from wstdes.kernel.trace import Trace

__all__ = ["Agent", "Day"]

S = TypeVar("S")


@dataclass
class Day:
    """From local noon to local noon: everything an agent needs besides its own parts.

    Parameters
    ----------
    index : int
        Number of the day in the run, from 0.
    start_s, end_s : float
        Its noons [s].
    env : simpy.Environment
        Fresh for this day.
    trace : Trace
        Where facts go.
    streams : Streams
        Where random numbers come from.
    """

    index: int
    start_s: float
    end_s: float
    env: simpy.Environment
    trace: Trace
    streams: Streams
    power: Recorder = field(init=False)
    levels: Recorder = field(init=False)

    def __post_init__(self) -> None:
        self.power = Recorder(self.env, self.trace, "power")
        self.levels = Recorder(self.env, self.trace, "levels")

    @property
    def now(self) -> float:
        """Seconds of the run."""
        return float(self.env.now)


class Agent(Generic[S]):
    """Something that acts: a name, its whole state in one dataclass, a few processes.

    An agent records; it decides nothing itself (it asks a policy) and computes nothing long (it
    calls a model). All that is under way at noon is written into the state by :meth:`close`, as
    data, and taken up again by :meth:`start` of the next day's agent.

    Parameters
    ----------
    day : Day
        The day it acts in.
    name : str
        Unique among the agents.
    state : dataclass
        Its state at the noon that begins the day; changed in place.
    """

    State: ClassVar[type]

    def __init__(self, day: Day, name: str, state: S) -> None:
        self.day = day
        self.env = day.env
        self.name = name
        self.state = state
        self.record: Callable[..., None] = day.trace.add
        """Add a row to the trace: the table, and its columns by name."""

    @property
    def now(self) -> float:
        """Seconds of the run."""
        return self.env.now

    def start(self) -> None:
        """Begin the day: start processes, take up what was under way."""

    def close(self) -> None:
        """End the day: write down what is under way."""

    def draw_power(self, site: str, state: str, watts: float, load: str = "") -> None:
        """Be in a power state from now on.

        Parameters
        ----------
        site : str
            Where the power is drawn.
        state : str
            Name of the power state.
        watts : float
            Power [W].
        load : str, optional
            Which of the agent's loads, if it has several.
        """
        key = f"{self.name}/{load}" if load else self.name
        self.day.power.set(key, watts, agent=self.name, load=load, site=site, state=state)
