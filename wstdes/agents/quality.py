"""Quality control: a verdict on each exposure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from wstdes.agents.parts import Parts
from wstdes.kernel import Agent, Day

__all__ = ["QualityControl", "QualityState", "Sample"]


@dataclass
class Sample:
    """What quality control measures on an exposure of a mode."""

    visit: int
    signal: float
    open_shutter_s: float


@dataclass
class QualityState:
    """Exposures whose verdict is not in, by ``exposure/mode``."""

    pending: dict[str, Sample] = field(default_factory=dict)


class QualityControl(Agent[QualityState]):
    """Judges an exposure when its quick look is done: conditions, and spoilt by the instrument."""

    State = QualityState

    def __init__(self, day: Day, name: str, state: QualityState, parts: Parts) -> None:
        super().__init__(day, name, state)
        self.rules = parts.scenario.quality
        self.on_verdict: list[Callable[[int, str, bool], None]] = []
        """Called with exposure, mode and whether it passed."""

    def expect(self, exposure: int, mode: str, sample: Sample) -> None:
        """Take note of an exposure that will be judged."""
        self.state.pending[f"{exposure}/{mode}"] = sample

    def judge(self, exposure: int, mode: str, lost: bool = False) -> None:
        """Give the verdict.

        Parameters
        ----------
        exposure : int
            Number of the exposure.
        mode : str
            lr, hr or ifs.
        lost : bool
            Whether its raw data were lost.
        """
        sample = self.state.pending.pop(f"{exposure}/{mode}")
        draw = self.day.streams.uniform(self.name, f"defect/{mode}", exposure)
        reason = ""
        if lost:
            reason = "lost"
        elif sample.open_shutter_s < self.rules.shortest_s:
            reason = "short"
        elif sample.signal < self.rules.signal_min:
            reason = "conditions"
        elif draw < self.rules.defect_fraction:
            reason = "defect"
        self.record(
            "verdicts",
            exposure=exposure,
            visit=sample.visit,
            mode=mode,
            judged_s=self.now,
            passed=not reason,
            reason=reason,
            signal=sample.signal,
        )
        for listener in self.on_verdict:
            listener(exposure, mode, not reason)
