"""What can be said of a plan before it runs: what can never work, and what cannot finish."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from wstdes.clock import DAY_S, Clock
from wstdes.config.scenario import Scenario
from wstdes.config.surveys import Survey
from wstdes.errors import Problem
from wstdes.models.sky import DaySky, Horizon
from wstdes.survey.counts import alone_share
from wstdes.survey.lengths import visit_times
from wstdes.survey.tiling import Tiling

__all__ = ["Verdict", "feasibility"]

FloatArray = NDArray[np.float64]

SEASON_NIGHTS = 180
"""Runs shorter than this are taken for samples of a longer plan: their hours are not compared."""
_NIGHTS, _MOMENTS, _TILES, _DIRECTIONS = 24, 5, 40, 100
_LUNATION = range(0, 30, 2)


@dataclass
class Verdict:
    """What is wrong with a plan.

    Parameters
    ----------
    errors : list of Problem
        What can never work.
    notes : list of Problem
        What works, but will not finish or not give anything.
    """

    errors: list[Problem] = field(default_factory=list)
    notes: list[Problem] = field(default_factory=list)


def feasibility(
    scenario: Scenario,
    clock: Clock,
    horizon: Horizon,
    tiling: Tiling,
    expected: FloatArray,
    tile_surveys: Sequence[int],
    fibres: dict[str, float],
    reach_rad: float,
    closures: Sequence[str],
) -> Verdict:
    """Ask of a plan what can be known without running it.

    Parameters
    ----------
    scenario : Scenario
        What the user asked for.
    clock, horizon : Clock, Horizon
        Of the site.
    tiling : Tiling
        The tiles.
    expected : float64[tiles, tile surveys]
        Targets in each.
    tile_surveys : sequence of int
        Survey numbers of its columns.
    fibres : dict of str to float
        For targets in a visit, by mode.
    reach_rad : float
        From a tile's centre to the outermost place that a fibre reaches [rad].
    closures : sequence of str
        The closure that takes each night of the run; nothing: none does.

    Returns
    -------
    Verdict
    """
    verdict = Verdict()
    skies = _Skies(scenario, clock, horizon)
    _days(scenario, skies, verdict)
    names = list(scenario.surveys)
    for number in tile_surveys:
        survey = scenario.surveys[names[number]]
        mine = np.flatnonzero(tiling.inside[:, number])
        mine = mine[:: max(1, len(mine) // _TILES)]
        _cadence(scenario, names[number], survey, verdict)
        _conditions(
            scenario, names[number], (tiling.ra_rad[mine], tiling.dec_rad[mine]), skies, verdict
        )
    for name, survey in scenario.surveys.items():
        if survey.source.kind == "alerts":
            _conditions(scenario, name, _anywhere(), skies, verdict)
    if scenario.nights >= SEASON_NIGHTS:
        asked = _asked_hours(scenario, tiling, expected, tile_surveys, fibres, reach_rad)
        _hours(scenario, asked, _hours_there(scenario, clock, skies, closures), verdict)
    return verdict


def _during(scenario: Scenario) -> str:
    return f"in these {scenario.nights:,} nights" if scenario.nights > 1 else "in this night"


def _sun_max(scenario: Scenario) -> float:
    """Altitude of the Sun below which a survey observes: that of the one that bears most [rad]."""
    tiled = [s for s in scenario.surveys.values() if s.source.kind != "alerts"]
    usual = scenario.observing.science_sun_altitude_rad
    return max((scenario.sun_altitude_of(s) for s in tiled), default=usual)


class _Skies:
    """Samples of the nights of the run, and of a month from its start."""

    def __init__(self, scenario: Scenario, clock: Clock, horizon: Horizon) -> None:
        every = np.linspace(0, scenario.nights - 1, min(_NIGHTS, scenario.nights))
        self.run = [int(i) for i in np.unique(np.round(every))]
        month = [i for i in _LUNATION if i not in self.run]
        self.days = {i: DaySky(clock, horizon, i * DAY_S) for i in [*self.run, *month]}
        self.scenario = scenario

    def hours(self, sun_altitude_rad: float) -> FloatArray:
        """Hours below an altitude of the Sun, in each sampled night of the run."""
        spans = [self.days[i].below(sun_altitude_rad) for i in self.run]
        return np.array([0.0 if s is None else (s[1] - s[0]) / 3600.0 for s in spans])

    def seen(self, ra: FloatArray, dec: FloatArray, sun: float, day: int) -> FloatArray:
        """Brightness of the sky at fields through a night [moments, n]; nan: not up."""
        sky, site = self.days[day], self.scenario.site
        telescope = self.scenario.telescope
        span = sky.below(sun)
        if span is None:
            return np.full((0, len(ra)), np.nan)
        at = sky.to_cirs(ra, dec)
        found = []
        for moment in np.linspace(*span, 2 * _MOMENTS + 1)[1::2]:
            altitude, _ = sky.altaz(*at, float(moment))
            up = altitude >= np.pi / 2 - telescope.zenith_distance_max_rad
            up &= altitude <= telescope.altitude_max_rad
            bright = np.full(len(ra), np.nan)
            if up.any():
                state = sky.at(float(moment))
                here = (at[0][up], at[1][up])
                bright[up] = sky.brightness(state, *here, site.extinction_mag, site.dark_sky_mag)
            found.append(bright)
        return np.array(found)


def _days(scenario: Scenario, skies: _Skies, verdict: Verdict) -> None:
    """A day has 24 h, and a visit should fit in a night."""
    plan = scenario.calibration
    day_s = plan.day_start_after_sunrise_s
    day_s += plan.day_frames * (plan.day_frame_s + scenario.spectrographs.readout_s)
    if day_s > DAY_S:
        verdict.errors.append(
            Problem(
                f"calibration frames take {day_s / 3600.0:.1f} h of each day, which has 24 h",
                "calibration.day_frames",
                hint="take fewer, or shorter ones",
            )
        )
    visit_s, _ = visit_times(scenario)
    longest = float(skies.hours(_sun_max(scenario)).max())
    if longest == 0.0:
        verdict.errors.append(
            Problem(
                "the Sun is never below it in these nights: there is no night to observe in",
                "observing.science_sun_altitude",
                hint="choose another season, or a higher limit",
            )
        )
    elif visit_s > longest * 3600.0:
        verdict.errors.append(
            Problem(
                f"a visit takes {visit_s / 3600.0:.1f} h with its overheads, longer than the "
                f"longest night, {longest:.1f} h",
                "observing.exposures",
                hint="fewer or shorter exposures",
            )
        )


def _cadence(scenario: Scenario, name: str, survey: Survey, verdict: Verdict) -> None:
    if survey.cadence is None:
        return
    visit_s, _ = visit_times(scenario)
    path = f"surveys.{name}.cadence"
    interval, visits = survey.cadence.interval_s, survey.cadence.visits
    if interval < visit_s:
        verdict.errors.append(
            Problem(
                f"visits {interval / 60.0:.1f} min apart are shorter than a visit, which takes "
                f"{visit_s / 60.0:.1f} min with its overheads",
                f"{path}.interval",
                hint="a longer interval, or shorter observing.exposures",
            )
        )
    span = (visits - 1) * (interval - survey.cadence.tolerance_s)
    if span > scenario.nights * DAY_S:
        verdict.notes.append(
            Problem(
                f"{visits} visits at this interval take {span / DAY_S:,.0f} days; the run has "
                f"{scenario.nights:,} nights: no tile will finish",
                f"{path}.visits",
                hint="fewer visits, a shorter interval, or more nights",
            )
        )
    _enough(scenario, name, survey, visits, verdict)


def _enough(scenario: Scenario, name: str, survey: Survey, visits: int, verdict: Verdict) -> None:
    """Whether all visits of a cadence together give a target the time that it needs.

    An integral field is exposed through all visits of a stay: they do not limit it.
    """
    longest_s = _longest_s(scenario)
    if survey.mode == "ifs" or visits * longest_s >= survey.required_s:
        return
    own = survey.source.kind == "catalogue"  # whose rows may say how long each of them takes
    (verdict.notes if own else verdict.errors).append(
        Problem(
            f"{visits} visits of {longest_s / 60.0:.1f} min, the longest there are, come to "
            f"{visits * longest_s / 3600.0:.2f} h; targets that need "
            f"{survey.required_s / 3600.0:.2f} h of effective time will not finish",
            f"surveys.{name}.cadence.visits",
            hint="more visits, a shorter required time, or longer visits (observing.exposures, "
            "visit_effective)",
        )
    )


def _longest_s(scenario: Scenario) -> float:
    """Effective time that a visit gives in reference conditions, at most [s]."""
    _, open_s = visit_times(scenario)
    goals = [s.visit_effective_s for s in scenario.surveys.values() if s.source.kind != "alerts"]
    known = [goal for goal in goals if goal is not None]
    return min(open_s, max(known)) if len(known) == len(goals) else open_s


def _conditions(
    scenario: Scenario,
    name: str,
    fields: tuple[FloatArray, FloatArray],
    skies: _Skies,
    verdict: Verdict,
) -> None:
    """Whether the survey's sky is ever there while its fields (ICRS [rad]) are up."""
    survey, (ra, dec) = scenario.surveys[name], fields
    sun = scenario.sun_altitude_of(survey)
    seen = {day: skies.seen(ra, dec, sun, day) for day in skies.days}
    run = np.concatenate([seen[day].ravel() for day in skies.run])
    every = np.concatenate([values.ravel() for values in seen.values()])
    run, every = run[np.isfinite(run)], every[np.isfinite(every)]
    low, high = survey.sky_brightness_min, survey.sky_brightness_max
    if len(every) and high < 0.9 * every.min():
        verdict.errors.append(
            Problem(
                f"{high:g} is darker than the sky over its fields ever is: {every.min():.2f} times "
                "dark at best, in a month",
                f"surveys.{name}.sky_brightness_max",
                hint="the dark sky at zenith is 1: a limit above it leaves time to observe",
            )
        )
    elif not skies.hours(sun).any():
        verdict.notes.append(
            Problem(
                f"the Sun is never below {np.degrees(sun):.0f} deg {_during(scenario)}: it will "
                "get no time",
                f"surveys.{name}.sun_altitude_max",
                hint="a higher limit, or another season",
            )
        )
    elif not len(run):
        verdict.notes.append(
            Problem(
                f"its fields are not up at night {_during(scenario)}",
                f"surveys.{name}.footprint",
                hint="start in another season, or run for longer",
            )
        )
    elif not ((run >= low) & (run <= high)).any():
        verdict.notes.append(
            Problem(
                f"the sky over its fields is {run.min():.1f} to {run.max():.1f} times dark "
                f"{_during(scenario)}, and it observes from {low:g} to {high:g}: it will "
                "get no time",
                f"surveys.{name}.sky_brightness_{'max' if run.min() > high else 'min'}",
                hint="start at another phase of the Moon, run for longer, or widen the limits",
            )
        )


def _anywhere() -> tuple[FloatArray, FloatArray]:
    """Positions spread evenly over the whole sky (a spiral) [rad]."""
    place = np.arange(_DIRECTIONS)
    golden = np.pi * (3.0 - np.sqrt(5.0))
    return golden * place % (2.0 * np.pi), np.arcsin(1.0 - (2.0 * place + 1.0) / _DIRECTIONS)


def _hours(scenario: Scenario, asked: float, there: float, verdict: Verdict) -> None:
    """Hours that the surveys ask for, and those there are."""
    if asked <= there:
        return
    note = Problem(
        f"the surveys ask for about {asked:,.0f} h of visits; {scenario.nights:,} nights have "
        f"about {there:,.0f} h with the dome open and nothing broken: at most "
        f"{100.0 * there / asked:.0f} % can be done",
        "surveys",
        hint="shorter required times, smaller footprints, fewer targets, or more nights",
    )
    verdict.notes.append(note)


def _hours_there(scenario: Scenario, clock: Clock, skies: _Skies, closures: Sequence[str]) -> float:
    """Expected hours in which surveys can observe.

    Of nights that no closure takes, with the share of each month that the dome is open, less what
    faults take. The length of a night is interpolated between those sampled.
    """
    nights = np.arange(scenario.nights)
    hours = np.interp(nights, skies.run, skies.hours(_sun_max(scenario)))
    share = np.asarray(scenario.site.open_fraction)[[clock.month(int(night)) for night in nights]]
    closed = np.array([bool(closure) for closure in closures])
    return float((hours * share)[~closed].sum()) * scenario.telescope.working_share


def _asked_hours(
    scenario: Scenario,
    tiling: Tiling,
    expected: FloatArray,
    tile_surveys: Sequence[int],
    fibres: dict[str, float],
    reach_rad: float,
) -> float:
    """Hours of visits that fill the fibres of every tile until all is done, in the best sky."""
    visit_s, open_s = visit_times(scenario)
    needs: dict[str, FloatArray] = {}  # seconds in each tile, of what is observed side by side
    names = list(scenario.surveys)
    for column, number in enumerate(tile_surveys):
        survey = scenario.surveys[names[number]]
        key: str = survey.mode
        if survey.tile_effective_s is not None:  # whoever has the fibres
            key, rest_s = names[number], visit_s - open_s
            visits = tiling.inside[:, number] * np.ceil(survey.tile_effective_s / open_s)
            need = tiling.inside[:, number] * survey.tile_effective_s + visits * rest_s
        elif survey.mode == "ifs":
            own = tiling.ifs_required_s
            each_s = np.where(np.isnan(own), survey.required_s, own)
            need = expected[:, column] * each_s / open_s * visit_s
        else:
            shown_s = min(open_s, survey.visit_effective_s or open_s)
            length_s = visit_s - open_s + shown_s
            alone = alone_share(tiling, number, reach_rad)
            each = max(1.0, survey.required_s / shown_s)
            need = expected[:, column] * alone * each / max(1.0, fibres[survey.mode]) * length_s
        needs[key] = needs.get(key, np.zeros(len(tiling))) + need
    if not needs:
        return 0.0
    return float(np.max(list(needs.values()), axis=0).sum()) / 3600.0
