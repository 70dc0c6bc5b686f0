"""The facility's fixed parts: made once, used every day, never changed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from wstdes.agents.conditions import Sensitivity
from wstdes.agents.outlook import Outlook
from wstdes.clock import Clock
from wstdes.config.hardware import Spectrograph
from wstdes.config.scenario import MODES, Scenario
from wstdes.config.surveys import Survey
from wstdes.errors import Problem
from wstdes.models.focalplane import FocalPlane
from wstdes.models.site import Climate, Replay
from wstdes.models.sky import FieldsSky, Horizon
from wstdes.policies.views import SurveyView
from wstdes.survey.alerts import AlertList, AlertSky
from wstdes.survey.fields import SurveyTargets
from wstdes.survey.tiling import Tiling

if TYPE_CHECKING:
    from scipy.spatial import cKDTree

    from wstdes.agents.statistical import Statistical

__all__ = ["MODES", "Parts", "Policies"]


@dataclass(frozen=True)
class Policies:
    """The policies of a run; types as in :mod:`wstdes.policies`."""

    scheduling: Any
    alerts: Any
    placement: Any
    queue: Any
    retention: Any
    dispatch: Any


@dataclass(frozen=True, eq=False)
class Parts:
    """Fixed parts.

    Parameters
    ----------
    scenario : Scenario
        What the user asked for.
    clock : Clock
        Seconds of the run and the calendar.
    horizon : Horizon
        The observer's place.
    climate : Climate
        What the weather is drawn from.
    replay : Replay or None
        Weather that was measured.
    focal_plane : FocalPlane
        Positions and reach of the fibres.
    survey_names : tuple of str
        All surveys, in order; survey numbers are places in it.
    fibre_surveys : tuple of SurveyTargets
        Those whose targets come from a source by cells.
    standards : SurveyTargets
        Flux standards for each kind of fibre.
    views : tuple of SurveyView
        Surveys that tiles serve, in the order of ``tile_surveys``.
    tile_surveys : tuple of int
        Survey numbers of the columns of the tiles' tables.
    alert_survey : int or None
        Number of the survey that alerts feed.
    alert_sky : AlertSky or None
        Where alerts that are drawn come from: that survey's footprint.
    alert_lists : dict of str to AlertList
        Alerts that are played again, by class.
    ifs_surveys : tuple of int
        Numbers of the surveys of fixed fields.
    tiling : Tiling
        The pointings.
    expected : ndarray of float64, shape (tiles, tile surveys)
        Targets (fields) expected as far as fibres reach from each tile, to plan with.
    policies : Policies
        What decides.
    solar_scale : float
        See :func:`wstdes.models.energy.solar_scale`.
    routes : dict
        Links from place to place.
    credits : tuple of str
        Whom to thank for catalogues.
    closures : tuple of str
        The closure that takes each night; nothing for nights with science.
    notes : tuple of Problem
        What a reader should know of this plan before it runs.
    """

    scenario: Scenario
    clock: Clock
    horizon: Horizon
    climate: Climate
    replay: Replay | None
    focal_plane: FocalPlane
    survey_names: tuple[str, ...]
    fibre_surveys: tuple[SurveyTargets, ...]
    standards: tuple[SurveyTargets, ...]
    views: tuple[SurveyView, ...]
    tile_surveys: tuple[int, ...]
    alert_survey: int | None
    alert_sky: AlertSky | None
    alert_lists: dict[str, AlertList]
    ifs_surveys: tuple[int, ...]
    tiling: Tiling
    expected: NDArray[np.float64]
    policies: Policies
    solar_scale: float
    routes: dict[tuple[str, str], tuple[str, ...]]
    credits: tuple[str, ...]
    closures: tuple[str, ...]
    notes: tuple[Problem, ...] = ()

    @cached_property
    def sensitivity(self) -> Sensitivity:
        """Effective time of the modes, from conditions."""
        return Sensitivity(self.scenario)

    @cached_property
    def reach_rad(self) -> float:
        """From a tile's centre to the outermost place that a fibre reaches [rad]."""
        return self.focal_plane.reach_rad(self.scenario.telescope.plate_scale_m_per_rad)

    @cached_property
    def total(self) -> NDArray[np.float64]:
        """Targets (fields) in each tile at the start, shape (tiles, tile surveys).

        Those expected; at statistical fidelity as its account counts them.
        """
        found = self.expected.copy()
        if self.statistical is not None:
            columns = list(self.statistical.columns)
            inside = self.tiling.inside[:, list(self.statistical.surveys)]
            found[:, columns] = np.where(inside, self.statistical.model.in_tiles(), 0.0)
        return found

    @cached_property
    def statistical(self) -> Statistical | None:
        """The account of expected numbers, calibrated; None at full fidelity."""
        if self.scenario.fidelity == "full":
            return None
        from wstdes.agents.statistical import make_statistical

        return make_statistical(self)

    @cached_property
    def dimming(self) -> NDArray[np.float64]:
        """Light that the Galaxy's dust leaves of targets in each tile, shape (tiles,).

        1 where the user's list of tiles gives no extinction.
        """
        return np.asarray(10.0 ** (-0.4 * np.nan_to_num(self.tiling.extinction_mag)))

    def survey(self, number: int) -> Survey:
        """What a survey asks, by its number."""
        return self.scenario.surveys[self.survey_names[number]]

    def field_required_s(self, survey: int, tile: int) -> float:
        """Effective time that an integral field needs: its own, or its survey's [s]."""
        own = float(self.tiling.ifs_required_s[tile])
        rules = self.survey(survey)
        return float(rules.required_s) if math.isnan(own) else own

    @property
    def alert_sun_rad(self) -> float:
        """Sun's altitude below which alerts are observed: their survey's, or science's [rad]."""
        if self.alert_survey is None:
            return self.scenario.observing.science_sun_altitude_rad
        return self.scenario.sun_altitude_of(self.survey(self.alert_survey))

    @property
    def shortest_exposure_s(self) -> float:
        """Open-shutter time below which quality control fails an exposure [s]."""
        return max(1.0, self.scenario.quality.shortest_s)

    @cached_property
    def fibre_tree(self) -> cKDTree:
        """Homes of the fibres on the focal plane, to be searched."""
        from scipy.spatial import cKDTree

        return cKDTree(np.stack([self.focal_plane.x_m, self.focal_plane.y_m], axis=1))

    @cached_property
    def tile_sky(self) -> FieldsSky:
        """The tiles in the sky of the first day; other days' are made from it."""
        from wstdes.agents.skies import day_sky

        return day_sky(self.clock, self.horizon, 0).fields(self.tiling.ra_rad, self.tiling.dec_rad)

    @cached_property
    def outlook(self) -> Outlook:
        """What lies ahead, for policies that plan."""
        return Outlook(self)

    @property
    def modes(self) -> tuple[str, ...]:
        """Modes that this facility has."""
        return self.scenario.spectrographs.modes

    @cached_property
    def science_fibres(self) -> dict[str, int]:
        """Fibres for targets, by mode; one for the integral field."""
        model = self.scenario.focal_plane
        usable = 1.0 - model.broken_fraction
        lr = usable * (1.0 - model.sky_fraction - model.standard_fraction_lr)
        hr = usable * (1.0 - model.sky_fraction - model.standard_fraction_hr)
        return {"lr": round(model.lr_fibres * lr), "hr": round(model.hr_fibres * hr), "ifs": 1}

    def spectrograph(self, mode: str) -> Spectrograph:
        """The spectrographs of a mode."""
        found = getattr(self.scenario.spectrographs, mode)
        assert isinstance(found, Spectrograph)
        return found
