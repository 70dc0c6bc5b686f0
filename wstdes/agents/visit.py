"""A visit that is planned: what is decided before the telescope moves."""

from __future__ import annotations

import math
from dataclasses import dataclass

from wstdes.policies.views import Decision

__all__ = ["Goal", "Visit"]


@dataclass(frozen=True)
class Goal:
    """Effective time after which a visit ends, for spectra of a mode under a kind of noise."""

    effective_s: float
    mode: str
    noise: str


@dataclass(frozen=True)
class Visit:
    """A visit to be made.

    Parameters
    ----------
    tile : int or None
        Of the tiling; None for an alert's own field.
    ra_rad, dec_rad : float
        Centre, ICRS [rad].
    cirs_rad : tuple of float
        The same in CIRS of the day [rad].
    reason : str
        survey, switch or abort.
    exposures, open_s : int, float
        How many, and their open-shutter time in all [s].
    sky, signal : float
        Sky over dark, and light in a fibre over that in reference conditions, to be expected.
    decision : Decision
        The policy's.
    surveys : frozenset of int
        Numbers of the surveys that want it now.
    stays : bool
        The telescope points there already.
    dimming : float
        Light that the Galaxy's dust leaves of the targets.
    goal : Goal or None
        After which it ends; None: after its exposures.
    alert : int or None
        The alert that it is for.
    latest_s : float
        When its shutter has to be closed: the night, the telescope's limits, or the Sun of a
        survey that takes part [s].
    """

    tile: int | None
    ra_rad: float
    dec_rad: float
    cirs_rad: tuple[float, float]
    reason: str
    exposures: int
    open_s: float
    sky: float
    signal: float
    decision: Decision
    surveys: frozenset[int] = frozenset()
    stays: bool = False
    dimming: float = 1.0
    goal: Goal | None = None
    alert: int | None = None
    latest_s: float = math.inf
