"""Making the fixed parts of a facility from its scenario."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np

from wstdes.agents.conditions import Sensitivity
from wstdes.agents.configuration import MODE_KIND
from wstdes.agents.parts import Parts, Policies
from wstdes.agents.weather import STEP_S
from wstdes.clock import DAY_S, Clock
from wstdes.config import Loaded
from wstdes.config.scenario import Scenario
from wstdes.errors import CatalogueError, ConfigError, MissingExtraError, Problem
from wstdes.models.energy import clear_sky_share, solar_scale
from wstdes.models.focalplane import FocalPlane, focal_plane
from wstdes.models.site import climate
from wstdes.models.sky import Horizon, SeasonSky, sun
from wstdes.pointing import make_footprint, make_pointings
from wstdes.policies import make_policy
from wstdes.policies.views import SurveyView
from wstdes.survey import (
    Footprint,
    MockGalaxies,
    MockStars,
    TargetSource,
)
from wstdes.survey.alerts import AlertList, AlertSky, read_alerts
from wstdes.survey.calendar import closed_nights
from wstdes.survey.counts import expected_targets, science_fibres
from wstdes.survey.feasibility import feasibility
from wstdes.survey.fields import STANDARD, SurveyTargets
from wstdes.survey.goals import GoalLaw, Tally, goal_law, mean_time, time_of_goal
from wstdes.survey.sources import make_source
from wstdes.survey.targets import ExposureLaw
from wstdes.survey.weather_series import measured_weather

__all__ = ["make_parts"]


def make_parts(loaded: Loaded) -> Parts:
    """Make everything that does not change during a run.

    Parameters
    ----------
    loaded : Loaded
        The scenario, and the folder that its paths start from.

    Returns
    -------
    Parts
    """
    scenario = loaded.scenario
    names = tuple(scenario.surveys)
    surveys = list(scenario.surveys.values())
    trouble = _Trouble(loaded)
    horizon = Horizon(
        scenario.site.latitude_rad, scenario.site.longitude_rad, scenario.site.height_m
    )
    clock = Clock(scenario.start, scenario.site.longitude_rad)
    footprints = [
        trouble.attempt(
            partial(make_footprint, survey.footprint, loaded.folder), f"surveys.{name}.footprint"
        )
        or Footprint()
        for name, survey in scenario.surveys.items()
    ]
    needs: dict[str, float] = {}
    sources = {
        number: trouble.attempt(
            partial(_survey_source, scenario, name, footprints[number], loaded.folder, needs),
            f"surveys.{name}.source",
        )
        for number, (name, survey) in enumerate(scenario.surveys.items())
        if survey.mode != "ifs" and survey.source.kind != "alerts"
    }
    for name, survey in scenario.surveys.items():
        if survey.goal is not None and survey.goal.magnitude is not None:
            needs[name] = trouble.attempt(partial(time_of_goal, scenario, name))
    known = {i: source for i, source in sources.items() if source is not None}
    pointings = trouble.attempt(
        partial(make_pointings, _with_times(scenario, needs), loaded.folder, footprints, known),
        "tiles",
    )
    plane = trouble.attempt(partial(_focal_plane, scenario))
    scale = trouble.attempt(partial(_solar_scale, scenario, clock, horizon))
    routes = trouble.attempt(partial(_routes, scenario))
    policies = trouble.attempt(partial(_policies, scenario))
    standards = trouble.attempt(partial(_standards, scenario), "standards")
    replay = trouble.attempt(
        partial(measured_weather, scenario, clock, loaded.folder, STEP_S), "weather.path"
    )
    alert_lists = {
        name: trouble.attempt(
            partial(_alert_list, scenario, name, clock, loaded.folder), f"alerts.{name}.path"
        )
        for name, alert_class in scenario.alerts.items()
        if alert_class.path is not None
    }
    trouble.end()
    scenario = _with_times(scenario, needs)
    surveys = list(scenario.surveys.values())
    tile_surveys = tuple(i for i, s in enumerate(surveys) if s.source.kind != "alerts")
    ifs = tuple(i for i, s in enumerate(surveys) if s.mode == "ifs")
    alerts = [i for i, s in enumerate(surveys) if s.source.kind == "alerts"]
    fibre_surveys = tuple(
        SurveyTargets(i, source, MODE_KIND[surveys[i].mode], surveys[i].priority)
        for i, source in sources.items()
    )
    reach_rad = plane.reach_rad(scenario.telescope.plate_scale_m_per_rad)
    expected = expected_targets(sources, pointings.tiling, tile_surveys, reach_rad)
    fibres = science_fibres(scenario)
    closures = tuple(_closures(scenario, clock, horizon))
    verdict = feasibility(
        scenario,
        clock,
        horizon,
        pointings.tiling,
        expected,
        tile_surveys,
        fibres,
        reach_rad,
        closures,
    )
    for problem in verdict.errors:
        trouble.add(problem)
    trouble.end()
    thanks = {s.source.credit for s in (*fibre_surveys, *standards)}
    return Parts(
        scenario=scenario,
        clock=clock,
        horizon=horizon,
        climate=climate(scenario.site, STEP_S),
        replay=replay,
        focal_plane=plane,
        survey_names=names,
        fibre_surveys=fibre_surveys,
        standards=standards,
        views=tuple(_view(scenario, names[i]) for i in tile_surveys),
        tile_surveys=tile_surveys,
        alert_survey=alerts[0] if alerts else None,
        alert_sky=AlertSky.make(footprints[alerts[0]]) if alerts else None,
        alert_lists=alert_lists,
        ifs_surveys=ifs,
        tiling=pointings.tiling,
        expected=expected,
        policies=policies,
        solar_scale=scale,
        routes=routes,
        credits=tuple(sorted(thanks)),
        notes=tuple(trouble.placed(note) for note in (*pointings.notes, *verdict.notes)),
        closures=closures,
    )


class _Trouble:
    """Gathers what is wrong while parts are made, so that all of it is said at once."""

    def __init__(self, loaded: Loaded) -> None:
        self._document = loaded.document
        self._problems: list[Problem] = []

    def attempt(self, make: Callable[[], Any], path: str = "") -> Any:
        """Make a part; None if that fails."""
        try:
            return make()
        except ConfigError as error:
            self._problems += [self.placed(problem) for problem in error.problems]
        except (CatalogueError, MissingExtraError) as error:
            self._problems.append(self.placed(Problem(str(error), path)))
        return None

    def add(self, problem: Problem) -> None:
        """Keep one more problem."""
        self._problems.append(self.placed(problem))

    def placed(self, problem: Problem) -> Problem:
        """The problem, with the place of its key."""
        where = self._document.place(tuple(problem.path.split(".")))
        return replace(problem, where=problem.where or where)

    def end(self) -> None:
        """Refuse the scenario if anything was wrong."""
        if self._problems:
            raise ConfigError(self._problems)


def _survey_source(
    scenario: Scenario, name: str, footprint: Footprint, folder: Path, needs: dict[str, float]
) -> TargetSource:
    """A survey's targets; writes the mean time that a goal comes to."""
    survey = scenario.surveys[name]
    law: ExposureLaw = survey.required_s
    if survey.goal is not None and survey.goal.magnitude is not None:
        law = time_of_goal(scenario, name)
    elif survey.goal is not None:
        law = goal_law(scenario, name)
        law = Tally(law) if survey.source.kind in {"gaia", "catalogue"} else law
    source = make_source(name, survey.source, law, footprint, scenario.seed, folder)
    if isinstance(law, Tally):
        law.check(name)
        needs[name] = law.mean_s
    elif isinstance(law, GoalLaw) and isinstance(source, MockGalaxies | MockStars):
        needs[name] = mean_time(law, name, source.slope_per_mag, source.magnitude_limits)
    return source


def _with_times(scenario: Scenario, needs: dict[str, float]) -> Scenario:
    """The scenario, with the mean time of surveys that have a goal."""
    surveys = {
        name: survey.model_copy(update={"required_s": needs.get(name) or 0.0})
        if survey.goal
        else survey
        for name, survey in scenario.surveys.items()
    }
    return scenario.model_copy(update={"surveys": surveys})


def _standards(scenario: Scenario) -> tuple[SurveyTargets, ...]:
    """Flux standards for each kind of fibre: those that do not saturate in their short frame."""
    found = []
    for mode, kind in MODE_KIND.items():
        if mode not in scenario.spectrographs.modes:
            continue
        limit = Sensitivity(scenario).saturation_mag(
            mode, scenario.site.seeing_median_rad, 1.0, scenario.calibration.standard_frame_s
        )
        config = scenario.standards.model_copy(
            update={"magnitude_min": max(scenario.standards.magnitude_min, limit)}
        )
        if config.magnitude_min >= config.magnitude_max:
            raise ConfigError(
                [
                    Problem(
                        f"every standard star saturates at {mode} in "
                        f"{scenario.calibration.standard_frame_s:g} s: fainter than {limit:.1f} "
                        f"mag is needed, magnitude_max is {config.magnitude_max:g}",
                        "standards",
                        hint="shorten calibration.standard_frame, or take fainter standards",
                    )
                ]
            )
        source = make_source(f"standards-{mode}", config, 1.0, Footprint(), scenario.seed, Path())
        found.append(SurveyTargets(STANDARD, source, kind, 0.0))
    return tuple(found)


def _alert_list(scenario: Scenario, name: str, clock: Clock, folder: Path) -> AlertList:
    """A user's own alerts of a class; some must come in during the run."""
    rules = scenario.alerts[name]
    assert rules.path is not None
    path = folder / Path(rules.path).expanduser()
    found = read_alerts(path, name, clock, rules.columns)
    if not len(found.between(0.0, scenario.end_s).time_s):
        first, last = (clock.utc(float(t)).date() for t in found.time_s[[0, -1]])
        message = (
            f"{path}: none of {len(found.time_s)} alerts, {first} to {last}, comes in during the "
            f"run, {scenario.start} to {clock.evening(scenario.nights)}"
        )
        hint = "set the scenario's start and nights to the dates of the file"
        raise ConfigError([Problem(message, f"alerts.{name}.path", hint=hint)])
    return found


def _view(scenario: Scenario, name: str) -> SurveyView:
    survey = scenario.surveys[name]
    return SurveyView(
        name,
        survey.mode,
        survey.priority,
        survey.weight,
        survey.required_s,
        survey.noise,
        survey.sky_brightness_min,
        survey.sky_brightness_max,
        scenario.sun_altitude_of(survey),
    )


def _focal_plane(scenario: Scenario) -> FocalPlane:
    model, telescope, hr = scenario.focal_plane, scenario.telescope, scenario.spectrographs.hr
    if hr is not None and not model.hr_fibres:
        raise ConfigError(
            [
                Problem(
                    "this facility has high-resolution spectrographs: they need fibres",
                    "focal_plane.hr_fibres",
                    hint="focal planes of other facilities are for `wstdes allocate`",
                )
            ]
        )
    hole = 0.5 * telescope.ifs_patrol_diameter_rad * telescope.plate_scale_m_per_rad
    plane = focal_plane(
        model,
        hole_radius_m=hole,
        spectrographs_lr=scenario.spectrographs.lr.spectrographs,
        spectrographs_hr=0 if hr is None else hr.spectrographs,
    )
    field_m = 0.5 * telescope.field_diameter_rad * telescope.plate_scale_m_per_rad
    if plane.radius_m > 1.02 * field_m:
        raise ConfigError(
            [
                Problem(
                    f"{plane.n_fibres} positioners of {model.pitch_m * 1e3:g} mm pitch need a "
                    f"radius of {plane.radius_m * 1e3:.0f} mm; "
                    f"the field has {field_m * 1e3:.0f} mm",
                    "focal_plane.pitch",
                    hint="a smaller pitch, fewer fibres, or a larger field",
                )
            ]
        )
    return plane


def _policies(scenario: Scenario) -> Policies:
    refs = scenario.policies
    return Policies(
        **{kind: make_policy(kind, getattr(refs, kind)) for kind in type(refs).model_fields}
    )


def _closures(scenario: Scenario, clock: Clock, horizon: Horizon) -> list[str]:
    """The closure that takes each night."""
    closures = scenario.operations.closures
    if not closures:
        return [""] * scenario.nights
    middles = (np.arange(scenario.nights, dtype=np.float64) + 0.5) * DAY_S
    phase = SeasonSky.make(clock, horizon, 0, scenario.nights).at(middles).phase_rad
    return closed_nights(closures, scenario.start, phase)


def _solar_scale(scenario: Scenario, clock: Clock, horizon: Horizon) -> float:
    factor = scenario.power.photovoltaics.capacity_factor
    if not factor or not scenario.power.photovoltaics.capacity_w:
        return 0.0
    shares = []
    for day in range(0, 365, 5):  # the Sun's path changes little in five days
        times = day * DAY_S + np.arange(0.0, DAY_S, 1800.0)
        ut1, tt = clock.ut1_jd(times), clock.tt_jd(times)
        altitude, _ = horizon.altaz_of(sun(tt[0], np.asarray(tt[1])), (ut1[0], np.asarray(ut1[1])))
        shares.append(clear_sky_share(altitude))
    try:
        return solar_scale(factor, np.concatenate(shares))
    except ValueError as error:
        raise ConfigError([Problem(str(error), "power.photovoltaics.capacity_factor")]) from None


def _routes(scenario: Scenario) -> dict[tuple[str, str], tuple[str, ...]]:
    """Links of the route of least latency between the places of all sites."""
    graph: nx.Graph[str] = nx.Graph()
    for name, link in scenario.network.links.items():
        graph.add_edge(*link.ends, link=name, weight=link.latency_s)
    places = {site.place for site in scenario.computing.sites.values()}
    routes: dict[tuple[str, str], tuple[str, ...]] = {}
    for a in sorted(places):
        for b in sorted(places):
            try:
                path = nx.shortest_path(graph, a, b, weight="weight")
            except nx.NetworkXNoPath:
                raise ConfigError(
                    [Problem(f"no links lead from '{a}' to '{b}'", "network.links")]
                ) from None
            routes[a, b] = tuple(graph.edges[e]["link"] for e in pairwise(path))
    return routes
