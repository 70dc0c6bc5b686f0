"""What policies see: frozen extracts of the state. They change nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from wstdes.models.instrument import effective_rate

__all__ = [
    "AlertView",
    "Decision",
    "JobView",
    "PowerView",
    "ProductView",
    "SeasonPlan",
    "SeasonView",
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
        Effective time a target needs, in the mean [s].
    noise : str
        sky, sky-alone or source: what limits its spectra.
    sky_min, sky_max : float
        Sky it wants, over dark: the darkest and the brightest.
    sun_altitude_max_rad : float
        Sun's altitude below which it can use the sky [rad].
    """

    name: str
    mode: str
    priority: float
    weight: float
    required_s: float
    noise: str
    sky_min: float
    sky_max: float
    sun_altitude_max_rad: float


@dataclass(frozen=True, eq=False)
class SkyView:
    """The moment of a scheduling decision: the tiles that can be observed now, and no others.

    Parameters
    ----------
    now_s, until_s : float
        Now, and when the night's science ends [s].
    night : int
        Number of the night.
    sun_altitude_rad : float
        In the middle of a visit [rad].
    surveys : tuple of SurveyView
        Those that tiles serve.
    tiles : ndarray of int64, shape (k,)
        Numbers of the tiles; every array below is in their order.
    ra_rad, dec_rad : ndarray of float64, shape (k,)
        Centres, ICRS [rad].
    remaining, total : ndarray of float64, shape (k, surveys)
        Targets (for ifs: share of a field) not finished, and at the start of the run.
    urgency : ndarray of float64, shape (k, surveys)
        By cadence: 0 not yet, 1 due or without a cadence, up to 2 as its window closes.
    altitude_rad, airmass, hour_angle_rad, moon_separation_rad : ndarray of float64, shape (k,)
        In the middle of the visit.
    signal : ndarray of float64, shape (k,)
        Light in a fibre over that in reference conditions, to be expected.
    sky : ndarray of float64, shape (k,)
        Sky brightness over dark.
    visit_s, open_s : ndarray of float64, shape (k,)
        Length of a visit without its slew, and open-shutter time in it, to be expected [s].
    slew_s : ndarray of float64, shape (k,)
        Time from the last shutter to the next [s].
    visits : ndarray of int64, shape (k,)
        Visits that each tile has had; those without a good exposure do not count.
    fibres : dict of str to int
        Fibres for science, by mode (ifs: 1).
    floors : dict of str to float
        Variance of the detector over that of the dark sky, by mode.
    plan : SeasonPlan or None
        What the policy planned at an earlier noon.
    field_s : ndarray of float64, shape (k,), optional
        Effective time that the integral field of each tile needs; nan (or none at all): what its
        survey says [s].
    """

    now_s: float
    until_s: float
    night: int
    sun_altitude_rad: float
    surveys: tuple[SurveyView, ...]
    tiles: NDArray[np.int64]
    ra_rad: Array
    dec_rad: Array
    remaining: Array
    total: Array
    urgency: Array
    altitude_rad: Array
    airmass: Array
    hour_angle_rad: Array
    moon_separation_rad: Array
    signal: Array
    sky: Array
    visit_s: Array
    open_s: Array
    slew_s: Array
    visits: NDArray[np.int64]
    fibres: dict[str, int]
    floors: dict[str, float]
    plan: SeasonPlan | None = None
    field_s: Array | None = None

    def rate(self, survey: SurveyView) -> Array:
        """Effective over open-shutter time to be expected for a survey, shape (k,)."""
        return effective_rate(self.signal, self.sky, survey.noise, self.floors[survey.mode])


@dataclass(frozen=True)
class Decision:
    """What to observe next.

    Parameters
    ----------
    tile : int or None
        Number of the tile; None when nothing is worth observing.
    score : float
        The policy's own measure.
    runner_up : int or None
        The next best tile.
    runner_up_score : float
        Its score.
    terms, runner_up_terms : dict of str to float
        What each score is made of, in order: shown by ``wstdes why``.
    """

    tile: int | None
    score: float = 0.0
    runner_up: int | None = None
    runner_up_score: float = 0.0
    terms: dict[str, float] = field(default_factory=dict)
    runner_up_terms: dict[str, float] = field(default_factory=dict)


@dataclass
class SeasonPlan:
    """What a policy planned for the nights to come: data, kept in the observer's state.

    Parameters
    ----------
    night : int
        The night it was made before.
    arrays : dict of str to ndarray
        The policy's own.
    numbers : dict of str to float
        The policy's own.
    """

    night: int
    arrays: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    numbers: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class SeasonView:
    """What lies ahead, at a noon: for policies that plan.

    Parameters
    ----------
    night, nights : int
        The first night ahead, and how many there are until the run (or the plan) ends.
    latitude_rad : float
        Of the site [rad].
    altitude_min_rad, altitude_max_rad : float
        Limits of the telescope [rad].
    surveys : tuple of SurveyView
        Those that tiles serve.
    ra_rad, dec_rad : ndarray of float64, shape (tiles,)
        Centres of all tiles, ICRS [rad]: precession, 0.3 deg by 2050, is too little for a plan.
    remaining, total : ndarray of float64, shape (tiles, surveys)
        Targets (for ifs: share of a field) not finished, and at the start of the run.
    time_s : ndarray of float64, shape (nights, steps)
        Middles of the steps of each night's science [s of the run].
    step_s : ndarray of float64, shape (nights,)
        Length of a step; 0 for nights that the calendar closes [s].
    lst_rad : ndarray of float64, shape (nights, steps)
        Right ascension (CIRS) on the meridian [rad].
    sky : ndarray of float64, shape (nights, steps)
        Brightness over dark of a typical field: :func:`wstdes.policies.slots.typical_sky`.
    sun_altitude_rad : ndarray of float64, shape (nights, steps)
        [rad].
    open_share : ndarray of float64, shape (nights,)
        Share of the night that weather and faults are expected to leave.
    visit_s, open_s : float
        Length of a typical visit with its slew, and open-shutter time in it [s].
    fibres : dict of str to int
        Fibres for science, by mode (ifs: 1).
    floors : dict of str to float
        Variance of the detector over that of the dark sky, by mode.
    signal_of_airmass : callable
        Light in a fibre over that in reference conditions, by airmass (array to array), in
        typical open time.
    needed_s : ndarray of float64, shape (tiles, surveys), optional
        Effective time that an unfinished target still needs, in the mean [s]; left out: what a
        new one needs.
    dimming : ndarray of float64, shape (tiles,), optional
        Light that the Galaxy's dust leaves of the targets; left out: all.
    design_ha_rad : ndarray of float64, shape (tiles,), optional
        Hour angles that the user's list of tiles gives, NaN where it gives none [rad].
    """

    night: int
    nights: int
    latitude_rad: float
    altitude_min_rad: float
    altitude_max_rad: float
    surveys: tuple[SurveyView, ...]
    ra_rad: Array
    dec_rad: Array
    remaining: Array
    total: Array
    time_s: Array
    step_s: Array
    lst_rad: Array
    sky: Array
    sun_altitude_rad: Array
    open_share: Array
    visit_s: float
    open_s: float
    fibres: dict[str, int]
    floors: dict[str, float]
    signal_of_airmass: Callable[[Array], Array]
    needed_s: Array | None = None
    dimming: Array | None = None
    design_ha_rad: Array | None = None


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
        Effective over open-shutter time, under what limits its survey's spectra, that it would get
        now.
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
