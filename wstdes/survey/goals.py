"""From the signal to noise that a survey wants to the exposure time that each target needs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from wstdes.errors import ConfigError, Problem
from wstdes.models.instrument import (
    Background,
    Calculator,
    Conditions,
    SourceShape,
    exposure_time,
    limiting_rate,
)

if TYPE_CHECKING:
    from wstdes.config.scenario import Scenario

__all__ = ["LONGEST_S", "GoalLaw", "Tally", "goal_law", "mean_time", "time_of_goal"]

Array = NDArray[np.float64]
LONGEST_S = 65000.0
"""No target can have more effective time than this: credit is counted in 16 bits of 2 s [s]."""


@dataclass(frozen=True)
class GoalLaw:
    """Effective time by magnitude: at the zenith, dark, clear, in the site's median seeing.

    Parameters
    ----------
    zero_e_per_s : float
        Charge in a pixel from a source of magnitude 0 [electron/s].
    background : Background
        Of the same pixel.
    snr, pixels : float
        Signal to noise wanted in so many pixels along the wavelength.
    """

    zero_e_per_s: float
    background: Background
    snr: float
    pixels: float

    def __call__(self, magnitude: Array) -> Array:
        """Time that each magnitude needs [s], whatever it is; NaN where there is no magnitude."""
        source = self.zero_e_per_s * 10.0 ** (-0.4 * np.asarray(magnitude, dtype=np.float64))
        times = exposure_time(source, self.background, self.snr, self.pixels)
        return np.where(np.isnan(source), np.nan, times)

    @property
    def faintest(self) -> float:
        """Magnitude that needs the longest time."""
        rate = limiting_rate(self.background, self.snr, LONGEST_S, self.pixels)
        return 2.5 * math.log10(self.zero_e_per_s / float(rate))


def goal_law(scenario: Scenario, name: str) -> GoalLaw:
    """Return the law of a survey that has a goal.

    Parameters
    ----------
    scenario : Scenario
        Hardware and site; exposures are split at ``observing.exposure``.
    name : str
        The survey's; it must have a goal.

    Returns
    -------
    GoalLaw

    Raises
    ------
    ConfigError
        The survey's spectrographs have no such channel.
    """
    survey = scenario.surveys[name]
    goal = survey.goal
    assert goal is not None
    known = getattr(scenario.spectrographs, survey.mode).channels
    if goal.channel is not None and goal.channel not in known:
        message = f"the mode {survey.mode} has no channel '{goal.channel}'"
        where = f"surveys.{name}.goal.channel"
        raise ConfigError([Problem(message, where, hint="known here: " + ", ".join(known))])
    calculator = Calculator(scenario, survey.mode, goal.channel)
    reference = Conditions(scenario.site.seeing_median_rad)
    shape = SourceShape(goal.source, goal.half_light_radius_rad)
    zero = float(calculator.source_rate(goal.magnitude_offset, shape, reference))
    return GoalLaw(
        zero, calculator.background(shape, reference), goal.snr, calculator.pixels(goal.per)
    )


class Tally:
    """A law for targets that are all known, which counts those that it cannot serve.

    Parameters
    ----------
    law : GoalLaw
        For each of them.
    """

    def __init__(self, law: GoalLaw) -> None:
        self.law = law
        self.targets = self.too_faint = self.unknown = 0
        self.mean_s = 0.0

    def __call__(self, magnitude: Array) -> Array:
        """Times of the targets [s], the longest for those that cannot be served."""
        times = self.law(magnitude)
        self.targets = times.size
        self.unknown = int(np.isnan(times).sum())
        self.too_faint = int((times > LONGEST_S).sum())
        times = np.minimum(np.nan_to_num(times, nan=LONGEST_S), LONGEST_S)
        self.mean_s = float(times.mean()) if times.size else LONGEST_S
        return times

    def check(self, name: str) -> None:
        """Refuse a survey that has targets it cannot serve; raise ConfigError."""
        if self.unknown:
            raise _refused(
                name, f"{self.unknown:,} of its {self.targets:,} targets have no magnitude"
            )
        if self.too_faint:
            share = f"{self.too_faint:,} of its {self.targets:,} targets"
            raise _too_faint(name, share, self.law.faintest)


def mean_time(law: GoalLaw, name: str, slope: float, limits: tuple[float, float]) -> float:
    """Mean time of targets whose counts rise as 10^(slope x magnitude) [s].

    Parameters
    ----------
    law : GoalLaw
        Of the survey.
    name : str
        The survey's.
    slope : float
        Of the logarithm of the counts, by magnitude.
    limits : tuple of float
        Brightest and faintest magnitude.

    Raises
    ------
    ConfigError
        The faintest would need more than :data:`LONGEST_S`; says what share of the targets that
        is.
    """
    bright, faint = limits
    whole = 10.0 ** (slope * (faint - bright)) - 1.0
    if faint > law.faintest + 1e-9:
        within = 10.0 ** (slope * max(0.0, law.faintest - bright)) - 1.0
        share = f"{100.0 * (1.0 - within / whole):.2g} % of its targets"
        raise _too_faint(name, share, law.faintest)
    middle = (np.arange(400) + 0.5) / 400
    return float(law(bright + np.log10(1.0 + middle * whole) / slope).mean())


def time_of_goal(scenario: Scenario, name: str) -> float:
    """Time of a survey whose goal names the magnitude [s].

    Raises
    ------
    ConfigError
        It would need more than :data:`LONGEST_S`, or the channel is unknown.
    """
    goal = scenario.surveys[name].goal
    assert goal is not None
    assert goal.magnitude is not None
    law = goal_law(scenario, name)
    time = float(law(np.array(goal.magnitude)))
    if time > LONGEST_S:
        raise _refused(
            name,
            f"magnitude {goal.magnitude:g} would need more than 18 h",
            f"{law.faintest:.2f} mag is the faintest that reaches this snr",
        )
    return time


def _too_faint(name: str, which: str, faintest: float) -> ConfigError:
    return _refused(
        name,
        f"{which} are fainter than {faintest:.2f} mag and would need more than 18 h each",
        f"leave them out (magnitude_max: {math.floor(100 * faintest) / 100:g}), or want less snr",
    )


def _refused(name: str, message: str, hint: str = "") -> ConfigError:
    return ConfigError([Problem(message, f"surveys.{name}.goal", hint=hint)])
