"""SimPy lives here: agents, days, random streams, trace, timers. It knows no telescope."""

from wstdes.kernel.agent import Agent, Day
from wstdes.kernel.recorder import Recorder
from wstdes.kernel.signal import Signal
from wstdes.kernel.state import load_state, save_state
from wstdes.kernel.streams import Streams
from wstdes.kernel.timers import Afterwards, Timer
from wstdes.kernel.trace import Column, Table, Trace

__all__ = [
    "Afterwards",
    "Agent",
    "Column",
    "Day",
    "Recorder",
    "Signal",
    "Streams",
    "Table",
    "Timer",
    "Trace",
    "load_state",
    "save_state",
]
