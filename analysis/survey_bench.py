"""A bare survey to try schedulers on: real Sun and Moon, weather with persistence, nothing else.

Used by schedulers.py. Visits last until their effective time is there; a visit that has begun is
not stopped by the weather.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from survey_cases import Case

from wstdes.clock import DAY_S
from wstdes.models.instrument import effective_rate, telescope_slew
from wstdes.models.sky import DaySky, SeasonSky
from wstdes.policies.slots import typical_sky
from wstdes.policies.views import SeasonPlan, SeasonView, SkyView

Array = NDArray[np.float64]
STEP_S = 900.0
"""Of the weather, and of the nights that are planned with."""
CLOUD_H, SEEING_H = 36.0, 8.0
"""Correlation times of cloud and seeing; assumed."""
SLEW = (math.radians(1.0), math.radians(2.0)), math.radians(0.25), 7.0
"""Rates, acceleration, settling: assumed, as in the hardware models."""


# Nights ---------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Nights:
    """Weather and tables of Sun and Moon: made once a seed, shared by the policies.

    Parameters
    ----------
    open : ndarray of bool, shape (nights, steps)
        Whether the dome is open, from noon on.
    seeing : ndarray of float64, shape (nights, steps)
        Over its median.
    season : SeasonView
        All nights, with the climate's open share.
    """

    open: NDArray[np.bool_]
    seeing: Array
    season: SeasonView


def series(rng: np.random.Generator, count: int, hours: float) -> Array:
    """A normal process with exponential correlation (Ornstein & Uhlenbeck), every STEP_S."""
    from scipy.signal import lfilter

    keep = math.exp(-STEP_S / 3600.0 / hours)
    noise = rng.standard_normal(count)
    noise[1:] *= math.sqrt(1.0 - keep * keep)
    return np.asarray(lfilter([1.0], [1.0, -keep], noise))


def weather(case: Case, seed: int) -> tuple[NDArray[np.bool_], Array]:
    """Draw dome and seeing of all nights."""
    from scipy.special import ndtri

    rng = np.random.default_rng(seed)
    steps = round(DAY_S / STEP_S)
    cloud = series(rng, case.nights * steps, CLOUD_H).reshape(case.nights, steps)
    seeing = series(rng, case.nights * steps, SEEING_H).reshape(case.nights, steps)
    month = [case.clock.month(night) for night in range(case.nights)]
    limit = ndtri(np.array(case.open_fraction)[month])[:, None]
    return cloud < limit, np.exp(case.seeing_sigma * seeing)


def season_of(case: Case) -> SeasonView:
    """All nights of a case, for those who plan."""
    table = SeasonSky.make(case.clock, case.horizon, 0, case.nights)
    dusk = table.below(case.sun_rad)
    steps = 24
    edge = np.linspace(0.0, 1.0, steps + 1)
    middle = 0.5 * (edge[1:] + edge[:-1])
    time_s = dusk[:, :1] + (dusk[:, 1:] - dusk[:, :1]) * middle
    seen = table.at(time_s)
    month = [case.clock.month(night) for night in range(case.nights)]
    sky = typical_sky(
        seen.moon_altitude_rad,
        seen.phase_rad,
        seen.sun_altitude_rad,
        case.background.extinction_mag,
        case.background.dark_mag,
    )
    surveys = case.surveys
    typical_s = float(np.mean([s.required_s for s in surveys]) * 1.3)
    mean_square = math.exp(case.seeing_sigma**2)
    return SeasonView(
        night=0,
        nights=case.nights,
        latitude_rad=case.horizon.latitude_rad,
        altitude_min_rad=case.altitude_rad[0],
        altitude_max_rad=case.altitude_rad[1],
        surveys=surveys,
        ra_rad=case.ra_rad,
        dec_rad=case.dec_rad,
        remaining=case.visits,
        total=case.visits,
        time_s=time_s,
        step_s=(dusk[:, 1] - dusk[:, 0]) / steps,
        lst_rad=np.mod(seen.lst_rad, 2.0 * np.pi),
        sky=sky,
        sun_altitude_rad=seen.sun_altitude_rad,
        open_share=np.array(case.open_fraction)[month],
        visit_s=typical_s + case.overhead_s + 30.0,
        open_s=typical_s,
        fibres={"lr": 1},
        floors={"lr": 0.06},
        signal_of_airmass=lambda x: case.signal(x, mean_square**0.25),
        design_ha_rad=case.design_ha_rad,
    )


# One survey -----------------------------------------------------------------------------------


@dataclass
class State:
    """Where a survey stands."""

    left: Array
    given_s: Array
    done: Array
    visits: NDArray[np.int64]
    pointing: tuple[float, float] = (math.pi / 2, 0.0)
    plan: SeasonPlan | None = None
    seconds: dict[str, float] = field(default_factory=lambda: {"plan": 0.0, "choose": 0.0})
    plans: int = 0
    decisions: int = 0
    idle_s: float = 0.0
    open_s: float = 0.0


@dataclass(frozen=True)
class Outcome:
    """How a survey went.

    Parameters
    ----------
    done : ndarray of float64, shape (nights,)
        Share of the work done, by night.
    by_survey : ndarray of float64, shape (nights, surveys)
        The same of each.
    state : State
        At the end.
    seconds : float
        It took.
    """

    done: Array
    by_survey: Array
    state: State
    seconds: float

    def night(self, share: float) -> float:
        """First night after which a share of the work is done; infinite if never."""
        enough = np.flatnonzero(self.done >= share - 1e-12)
        return float(enough[0] + 1) if len(enough) else math.inf


class Bench:
    """A case, observed night after night under a policy."""

    def __init__(self, case: Case, nights: Nights, policy: Any) -> None:
        self.case = case
        self.nights = nights
        self.policy = policy
        shape = case.visits.shape
        self.state = State(
            case.visits.copy(), np.zeros(shape), np.zeros(shape), np.zeros(shape[0], np.int64)
        )
        self.required = np.array([s.required_s for s in case.surveys])
        self.survey = case.visits.argmax(axis=1)
        self.source = np.array([s.noise == "source" for s in case.surveys])

    def run(self) -> Outcome:
        """Observe until all is done or the nights are over."""
        begun = time.perf_counter()
        total = self.case.visits.sum(axis=0)
        curve = np.ones((self.case.nights, len(total)))
        for night in range(self.case.nights):
            self._plan(night)
            self._night(night)
            curve[night] = 1.0 - self.state.left.sum(axis=0) / total
            if not self.state.left.any():
                break
        worth = total * [s.required_s for s in self.case.surveys]
        done = curve @ worth / worth.sum()
        return Outcome(done, curve, self.state, time.perf_counter() - begun)

    def _plan(self, night: int) -> None:
        state = self.state
        if not (hasattr(self.policy, "due") and self.policy.due(night, state.plan)):
            return
        begun = time.perf_counter()
        view = self.nights.season
        rest = slice(night, None)
        view = replace(
            view,
            night=night,
            nights=view.nights - night,
            remaining=state.left,
            needed_s=np.maximum(self.required - state.given_s, 1.0),
            time_s=view.time_s[rest],
            step_s=view.step_s[rest],
            lst_rad=view.lst_rad[rest],
            sky=view.sky[rest],
            sun_altitude_rad=view.sun_altitude_rad[rest],
            open_share=view.open_share[rest],
        )
        state.plan = self.policy.plan(view)
        state.seconds["plan"] += time.perf_counter() - begun
        state.plans += 1

    def _night(self, night: int) -> None:
        case, state = self.case, self.state
        day = DaySky(case.clock, case.horizon, night * DAY_S)
        span = day.below(case.sun_rad)
        live = np.flatnonzero(state.left.any(axis=1))
        if span is None or not len(live):
            return
        fields = day.fields(case.ra_rad[live], case.dec_rad[live])
        now, end = span
        while now < end - case.overhead_s:
            step = int((now - night * DAY_S) / STEP_S)
            if not self.nights.open[night, step]:
                now = night * DAY_S + (step + 1) * STEP_S
                continue
            view = self._view(fields, live, (now, end, night), self.nights.seeing[night, step])
            begun = time.perf_counter()
            decision = self.policy.choose(view)
            state.seconds["choose"] += time.perf_counter() - begun
            state.decisions += 1
            if decision.tile is None:
                state.idle_s += STEP_S
                now = night * DAY_S + (step + 1) * STEP_S
                continue
            now += self._visit(view, int(decision.tile), end - now)

    def _view(
        self, fields: Any, live: NDArray[np.int64], when: tuple[float, float, int], seeing: float
    ) -> SkyView:
        case, state = self.case, self.state
        now, end, night = when
        middle = now + 0.5 * (self.nights.season.visit_s)
        low, high = np.sin(case.altitude_rad)
        sines = fields.sin_altitude(middle)
        left = state.left[live, self.survey[live]] > 0.0
        up = np.flatnonzero((sines >= low) & (sines <= high) & left)
        tiles = live[up]
        at = fields.at(middle, up)
        moment = fields.day.at(middle)
        sky = fields.brightness(moment, case.background, up)
        signal = case.signal(at.airmass, seeing)
        mine = self.survey[tiles]
        rate = np.where(
            self.source[mine],
            signal,
            effective_rate(signal, sky, "sky", 0.06),
        )
        need = np.maximum(self.required[mine] - state.given_s[tiles, mine], 1.0)
        open_s = np.clip(need / np.maximum(rate, 1e-3), 60.0, case.longest_s)
        open_s = np.minimum(open_s, max(end - now - case.overhead_s, 1.0))
        rates, acceleration, settle = SLEW
        slew = telescope_slew(
            state.pointing, at.altitude_rad, at.azimuth_rad, rates, acceleration, settle
        )
        self._at = at, slew, rate, up
        return SkyView(
            now_s=now,
            until_s=end,
            night=night,
            sun_altitude_rad=moment.sun_altitude_rad,
            surveys=case.surveys,
            tiles=tiles,
            ra_rad=case.ra_rad[tiles],
            dec_rad=case.dec_rad[tiles],
            remaining=state.left[tiles],
            total=case.visits[tiles],
            urgency=np.ones((len(tiles), len(case.surveys))),
            altitude_rad=at.altitude_rad,
            airmass=at.airmass,
            hour_angle_rad=at.hour_angle_rad,
            moon_separation_rad=fields.moon_separation(moment, up),
            signal=signal,
            sky=sky,
            visit_s=open_s + case.overhead_s,
            open_s=open_s,
            slew_s=slew,
            visits=state.visits[tiles],
            fibres={"lr": 1},
            floors={"lr": 0.06},
            plan=state.plan,
        )

    def _visit(self, view: SkyView, tile: int, most_s: float) -> float:
        state = self.state
        at, slew, rate, _ = self._at
        place = int(np.searchsorted(view.tiles, tile))
        survey = int(self.survey[tile])
        state.given_s[tile, survey] += rate[place] * view.open_s[place]
        state.open_s += float(view.open_s[place])
        if state.given_s[tile, survey] >= 0.99 * self.required[survey]:
            state.left[tile, survey] -= 1.0
            state.given_s[tile, survey] = 0.0
        state.visits[tile] += 1
        state.pointing = float(at.altitude_rad[place]), float(at.azimuth_rad[place])
        return min(float(view.visit_s[place] + slew[place]), most_s)


def known(nights: Nights) -> SeasonView:
    """The season with the weather that came, for the bound."""
    season = nights.season
    step = ((season.time_s % DAY_S) / STEP_S).astype(np.int64)
    was_open = np.take_along_axis(nights.open, np.minimum(step, nights.open.shape[1] - 1), axis=1)
    return replace(season, open_share=was_open.mean(axis=1))
