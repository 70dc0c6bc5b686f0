"""What policies see: frozen extracts of the state. They change nothing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wstdes.models.instrument import effective_rate

__all__ = [
    "AlertView",
    "Decision",
    "JobView",
    "PowerView",
    "ProductView",
    "SiteLoad",
    "SkyView",
    "SurveyView",
]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class SurveyView:
    """A survey as the scheduler sees it.

    Parameters
    ----------
    name, mode : str
        Mode is lr, hr or ifs.
    priority, weight : float
        For the fibres, and for the merit of a target.
    required_s : float
        Effective time a target needs [s].
    noise : str
        sky or source: what limits its spectra.
    sky_max : float
        Brightest sky it wants, over dark.
    """

    name: str
    mode: str
    priority: float
    weight: float
    required_s: float
    noise: str
    sky_max: float


@dataclass(frozen=True)
class SkyView:
    """The moment of a scheduling decision.

    Parameters
    ----------
    now_s, until_s : float
        Now, and when the night's science ends [s].
    visit_s, open_s : float
        Length of a visit, and open-shutter time in it [s].
    surveys : tuple of SurveyView
        Those that tiles serve.
    remaining : ndarray of float64, shape (tiles, surveys)
        Targets (for ifs: share of a field) not finished.
    observable : ndarray of bool, shape (tiles,)
        Within the altitude limits from now to the visit's end.
    altitude_rad : ndarray of float64, shape (tiles,)
        In the middle of the visit [rad].
    signal : ndarray of float64, shape (tiles,)
        Light in a fibre over that in reference conditions, to be expected.
    sky : ndarray of float64, shape (tiles,)
        Sky brightness over dark.
    slew_s : ndarray of float64, shape (tiles,)
        Time from the last shutter to the next [s].
    fibres : dict of str to int
        Fibres for science, by mode (ifs: 1).
    floors : dict of str to float
        Variance of the detector over that of the dark sky, by mode.
    visits : ndarray of int64, shape (tiles,)
        Visits that each tile has had.
    """

    now_s: float
    until_s: float
    visit_s: float
    open_s: float
    surveys: tuple[SurveyView, ...]
    remaining: Array
    observable: NDArray[np.bool_]
    altitude_rad: Array
    signal: Array
    sky: Array
    slew_s: Array
    fibres: dict[str, int]
    floors: dict[str, float]
    visits: NDArray[np.int64]

    def rate(self, survey: SurveyView) -> Array:
        """Effective over open-shutter time to be expected for a survey, shape (tiles,)."""
        return effective_rate(self.signal, self.sky, survey.noise, self.floors[survey.mode])


@dataclass(frozen=True)
class Decision:
    """What to observe next.

    Parameters
    ----------
    tile : int or None
        None when nothing is worth observing.
    score : float
        The policy's own measure.
    runner_up : int or None
        The next best tile.
    runner_up_score : float
        Its score.
    """

    tile: int | None
    score: float = 0.0
    runner_up: int | None = None
    runner_up_score: float = 0.0


@dataclass(frozen=True)
class AlertView:
    """An alert that could interrupt.

    Parameters
    ----------
    response : str
        What its class is owed: insert, switch or abort.
    waiting_s, lifetime_s : float
        How long it has waited, and how long it can be observed at all [s].
    exposing : bool
        Whether an exposure would have to be stopped.
    rate : float
        Effective over open-shutter time, under the sky's noise, that it would get now.
    """

    response: str
    waiting_s: float
    lifetime_s: float
    exposing: bool
    rate: float


@dataclass(frozen=True)
class SiteLoad:
    """How busy a compute site is: nodes of a pool and the work [node s] that waits for them."""

    nodes: int
    waiting_node_s: float
    speed: float


@dataclass(frozen=True)
class JobView:
    """A job in a queue."""

    role: str
    submitted_s: float
    number: int
    nodes: int


@dataclass(frozen=True)
class ProductView:
    """A copy of a product that could be deleted."""

    created_s: float
    archived: bool
    wants_archive: bool
    needed: bool
    work_done_s: float | None


@dataclass(frozen=True)
class PowerView:
    """The mountain's power: load, solar output, and what the battery can take and give [W]."""

    load_w: float
    solar_w: float
    charge_limit_w: float
    discharge_limit_w: float
