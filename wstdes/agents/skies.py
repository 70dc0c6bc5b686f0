"""Days of the sky that several agents ask for: each is worked out once.

What is kept here are values of pure functions; forgetting them changes nothing.
"""

from __future__ import annotations

from functools import lru_cache

from wstdes.clock import DAY_S, Clock
from wstdes.models.sky import DaySky, Horizon

__all__ = ["day_sky"]


@lru_cache(maxsize=16)
def day_sky(clock: Clock, horizon: Horizon, index: int) -> DaySky:
    """The sky of a day of the run, by its number."""
    return DaySky(clock, horizon, index * DAY_S)
