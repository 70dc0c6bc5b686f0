"""The nights of a season, for those who plan ahead."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wstdes.clock import DAY_S, Clock
from wstdes.models.sky.almanac import Almanac, Ephemeris
from wstdes.models.sky.ephemeris import Horizon

__all__ = ["SeasonSky"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class SeasonSky:
    """Sun and Moon of consecutive nights.

    Parameters
    ----------
    almanac : Almanac
        Their tables.
    first, nights : int
        Number of the first, and how many.
    """

    almanac: Almanac
    first: int
    nights: int

    @classmethod
    def make(cls, clock: Clock, horizon: Horizon, first: int, nights: int) -> SeasonSky:
        """Compute the tables: about 0.3 ms a night.

        Parameters
        ----------
        clock : Clock
            Calendar of the run.
        horizon : Horizon
            The observer.
        first, nights : int
            Number of the first day of the run, and how many.
        """
        return cls(Almanac.make(clock, horizon, first * DAY_S, nights), first, nights)

    def below(self, altitude_rad: float) -> Array:
        """When the Sun is below an altitude, shape (nights, 2), in seconds of the run.

        NaN for a night when it never is.
        """
        return self.almanac.below(altitude_rad)

    def grid(self, step_s: float) -> Array:
        """Moments of each night from noon on, shape (nights, day / step) [s of the run]."""
        noons = DAY_S * (self.first + np.arange(self.nights))
        return noons[:, None] + np.arange(0.0, DAY_S, step_s)

    def at(self, t_s: Array) -> Ephemeris:
        """Sun and Moon at moments of any of the nights, in the moments' shape."""
        return self.almanac.at(t_s)
