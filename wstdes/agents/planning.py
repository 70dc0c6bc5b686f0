"""Planning a visit: what the sky offers now, put before the policies."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from wstdes.agents.alert_fields import AlertFields
from wstdes.agents.ledger import SurveyLedger
from wstdes.agents.parts import Parts
from wstdes.agents.rising import TURN_RAD_PER_S, hour_angle_at, until_set_s
from wstdes.agents.skies import day_sky
from wstdes.agents.telescope import Telescope
from wstdes.agents.visit import Goal, Visit
from wstdes.agents.weather import Weather
from wstdes.kernel import Day
from wstdes.models.instrument import effective_rate
from wstdes.models.sky import Background, FieldsSky
from wstdes.policies.views import SeasonPlan, SkyView
from wstdes.survey.lengths import Demands, candidates, observable, visit_lengths

__all__ = ["Planner", "Sight"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Sight:
    """A field at a moment: its airmass, and its sky over dark."""

    airmass: float
    sky: float


class Planner:
    """What can be observed now, and what the policies make of it.

    Parameters
    ----------
    parts : Parts
        The facility.
    day : Day
        The day.
    weather : Weather
        The conditions.
    telescope : Telescope
        Where it points.
    ledger : SurveyLedger
        What is left to do.
    """

    def __init__(
        self, parts: Parts, day: Day, weather: Weather, telescope: Telescope, ledger: SurveyLedger
    ) -> None:
        self.parts = parts
        self.day = day
        self.weather = weather
        self.telescope = telescope
        self.ledger = ledger
        self.sky = day_sky(parts.clock, parts.horizon, day.index)
        self.sensitivity = parts.sensitivity
        self.until_s = day.end_s
        self.here: int | None = None
        """The tile that the telescope points at."""
        self.plan: SeasonPlan | None = None
        """What the scheduling policy planned."""
        site, exposure_s = parts.scenario.site, parts.scenario.observing.exposure_s
        self._sights: dict[tuple[float, float, float], Sight] = {}
        self.alerts = AlertFields(self)
        """Visits for alerts."""
        self.background = Background(site.extinction_mag, site.dark_sky_mag)
        most, longest_s, _ = self.times
        self._usual_s = most * longest_s
        """Open time of a visit, as far as is known: that of the last."""
        self.floors = {m: self.sensitivity.noise_floor(m, exposure_s) for m in parts.modes}
        """Variance of the detector over that of the dark sky, in an exposure of usual length."""

    @cached_property
    def _tiles(self) -> FieldsSky:
        return self.parts.tile_sky.on(self.sky)

    @cached_property
    def _limits(self) -> tuple[Array, Array]:
        """Hour angles of the tiles at the lowest altitude allowed, and at the highest [rad]."""
        return self.limits_of(np.arcsin(self._tiles.cirs[:, 2]))

    def limits_of(self, dec_rad: Array) -> tuple[Array, Array]:
        """Hour angles at the lowest altitude allowed, and at the highest, by declination [rad]."""
        model, latitude = self.parts.scenario.telescope, self.parts.horizon.latitude_rad
        lowest = np.pi / 2 - model.zenith_distance_max_rad
        return (
            hour_angle_at(lowest, dec_rad, latitude),
            hour_angle_at(model.altitude_max_rad, dec_rad, latitude),
        )

    # Times of a visit ------------------------------------------------------------------------

    def overhead_s(self, stays: bool = False) -> float:
        """Time of a visit besides slew and exposures [s]; less where the telescope stays."""
        plan = self.parts.scenario.calibration
        read = self._readout_s
        return (
            (0.0 if stays else self.parts.scenario.telescope.acquisition_s)
            + plan.standard_frames * (plan.standard_frame_s + read)
            + plan.attached_frames * (plan.attached_frame_s + read)
        )

    @cached_property
    def _readout_s(self) -> float:
        return self.parts.scenario.spectrographs.readout_s

    # Visits ----------------------------------------------------------------------------------

    def for_surveys(self) -> Visit | None:
        """What the scheduling policy wants now."""
        view, exposures = self._view()
        decision = self.parts.policies.scheduling.choose(view)
        if decision.tile is None:
            return None
        tile = int(decision.tile)
        place = int(np.searchsorted(view.tiles, tile))
        wanted = (view.remaining[place] > 0.0) & (view.urgency[place] > 0.0)
        self._usual_s = float(view.open_s[place])
        tiling = self.parts.tiling
        vector = self._tiles.cirs[tile]
        return Visit(
            tile,
            float(tiling.ra_rad[tile]),
            float(tiling.dec_rad[tile]),
            (float(np.arctan2(vector[1], vector[0])), float(np.arcsin(vector[2]))),
            "survey",
            int(exposures[place]),
            float(view.open_s[place]),
            float(view.sky[place]),
            float(view.signal[place]),
            decision,
            frozenset(self.parts.tile_surveys[i] for i in np.flatnonzero(wanted)),
            self.here == tile,
            float(self.parts.dimming[tile]),
            self._goal(wanted, view, place),
            latest_s=self.latest_s(tile, wanted),
        )

    def latest_s(self, tile: int, wanted: NDArray[np.bool_]) -> float:
        """When the shutter has to be closed on a tile, for the surveys that take part [s]."""
        hour_angle = self._tiles.directions(self.day.now, np.array([tile]))[2].item()
        low, high = (limit[tile].item() for limit in self._limits)
        down_s = self.day.now + until_set_s(hour_angle, low, high)
        dawn_s = float(self.demands.dawn_s[wanted].min(initial=math.inf))
        return min(self.until_s, down_s, dawn_s)

    def _goal(self, wanted: NDArray[np.bool_], view: SkyView, place: int) -> Goal | None:
        """What ends a visit: the survey that takes longest, if all that want it say."""
        goals = []
        effective = self.ledger.visit_effective(view.tiles[place : place + 1])[0]
        for i in np.flatnonzero(wanted):
            survey = self.parts.survey(self.parts.tile_surveys[i])
            if np.isnan(effective[i]):
                return None
            light, sky = view.signal[place], view.sky[place]
            rate = float(effective_rate(light, sky, survey.noise, self.floors[survey.mode]))
            goal = Goal(float(effective[i]), survey.mode, survey.noise)
            goals.append((goal.effective_s / max(rate, 1e-6), i, goal))
        return max(goals)[2] if goals else None

    def sight(self, visit: Visit, t_s: float) -> Sight:
        """Where a visit's centre stands at a moment, and its sky."""
        key = (visit.ra_rad, visit.dec_rad, t_s)
        if key not in self._sights:
            if len(self._sights) > 64:
                self._sights.clear()
            fields, number = self._tiles, visit.tile
            if number is None:
                fields, number = self.alerts.field(visit.ra_rad, visit.dec_rad), 0
            self._sights[key] = Sight(*fields.one(number, t_s, self.background))
        return self._sights[key]

    def direction(self, visit: Visit, t_s: float) -> tuple[float, float]:
        """Altitude and azimuth of a visit's centre at a moment [rad]."""
        return self.direction_of(visit.cirs_rad, t_s)

    def direction_of(self, cirs_rad: tuple[float, float], t_s: float) -> tuple[float, float]:
        """Altitude and azimuth of a CIRS position at a moment [rad]."""
        angle = float(self.sky.lst_rad(t_s)) - cirs_rad[0]
        latitude, dec = self.parts.horizon.latitude_rad, cirs_rad[1]
        east = -math.cos(dec) * math.sin(angle)
        south = math.sin(latitude) * math.cos(dec) * math.cos(angle)
        north = math.cos(latitude) * math.sin(dec) - south
        sine = math.sin(latitude) * math.sin(dec)
        sine += math.cos(latitude) * math.cos(dec) * math.cos(angle)
        azimuth = math.atan2(east, north) % (2.0 * math.pi)
        return math.asin(min(1.0, max(-1.0, sine))), azimuth

    def ifs_survey(self, visit: Visit) -> int | None:
        """The survey of fixed fields that a visit serves: the first by priority with time left."""
        if visit.tile is None:
            return None
        for number in sorted(self.parts.ifs_surveys, key=lambda s: -self.parts.survey(s).priority):
            if number in visit.surveys and self.ledger.field_left(number, visit.tile) > 0:
                return number
        return None

    # The sky ---------------------------------------------------------------------------------

    def open_for(
        self, visit: Visit, goal: Goal, effective_s: float, frame_s: float | None = None
    ) -> float:
        """Open-shutter time to be expected for an effective time, from now [s].

        Parameters
        ----------
        visit, goal : Visit, Goal
            Where, and what for.
        effective_s : float
            What is wanted [s].
        frame_s : float, optional
            Length of an exposure, for its read noise; by default that time, at most the longest.
        """
        open_s, longest_s = effective_s, self.parts.scenario.observing.exposure_s
        for _ in range(3):  # the sky in the middle of that time counts
            before_s = open_s
            middle = self.day.now + 0.5 * min(max(open_s, 0.0), 3600.0)
            frame = min(max(open_s, 1.0), longest_s) if frame_s is None else frame_s
            open_s = effective_s / max(self._rate(visit, goal, middle, frame), 1e-6)
            if abs(open_s - before_s) < 1.0:  # the next step is a fraction of it
                break
        return open_s

    def _rate(self, visit: Visit, goal: Goal, t_s: float, frame_s: float) -> float:
        """Effective over open-shutter time, in the weather of now, with the sky of a moment."""
        current, sight = self.weather.current, self.sight(visit, t_s)
        _, clear = self.sensitivity.star(goal.mode, current.seeing_rad, sight.airmass)
        signal = current.transparency * clear * visit.dimming
        floor = self.sensitivity.noise_floor(goal.mode, frame_s)
        reference = self.floors[goal.mode]
        return float(effective_rate(signal, sight.sky, goal.noise, floor, reference))

    def signal(self, mass: Array | float) -> Array:
        """Light in a fibre over that in reference conditions, now, by airmass."""
        current = self.weather.current
        return self.sensitivity.signal("lr", current.seeing_rad, current.transparency, mass)

    @cached_property
    def demands(self) -> Demands:
        """What the surveys of tiles ask of a visit."""
        views = self.parts.views
        spans = [self.sky.below(v.sun_altitude_max_rad) or (math.inf, -math.inf) for v in views]
        return Demands(
            np.array([v.sky_min for v in views]),
            np.array([v.sky_max for v in views]),
            np.array([dusk for dusk, _ in spans]),
            np.array([dawn for _, dawn in spans]),
            np.array([v.noise == "source" for v in views]),
            np.array([0.0 if v.noise == "sky-alone" else self.floors[v.mode] for v in views]),
        )

    @property
    def times(self) -> tuple[int, float, float]:
        """Most exposures of a visit, the longest exposure, and its read-out [s]."""
        observing = self.parts.scenario.observing
        return observing.exposures, observing.exposure_s, self._readout_s

    def _view(self) -> tuple[SkyView, NDArray[np.int64]]:
        """The moment, over the tiles that can be observed, and the exposures of their visits."""
        now, parts, ledger = self.day.now, self.parts, self.ledger
        slew_least = parts.scenario.focal_plane.reconfiguration_s
        left, model = ledger.remaining, parts.scenario.telescope
        sine = self._tiles.sin_altitude(now)
        low, high = math.cos(model.zenith_distance_max_rad), math.sin(model.altitude_max_rad)
        up = candidates(sine, low, high, left)
        altitude, azimuth, hour_angle = self._tiles.directions(now, up)
        slew = np.maximum(self.telescope.slew_times(altitude, azimuth), slew_least)
        overhead = np.full(len(up), self.overhead_s())
        if self.here is not None:
            stays = up == self.here
            slew[stays], overhead[stays] = slew_least, self.overhead_s(stays=True)
        opens_s = now + slew + overhead
        soonest_s = now + slew_least + self.overhead_s(stays=self.here is not None)
        middle = soonest_s + 0.5 * min(self._usual_s, max(self.until_s - soonest_s, 0.0))
        state, (altitude, mass, then) = self.sky.at(middle), self._tiles.heights(middle, up)
        sky = self._tiles.brightness(state, self.background, up)
        signal = self.signal(mass) * parts.dimming[up]
        remaining, urgency = left.take(up, axis=0), ledger.urgency(up, now)
        fit = visit_lengths(
            self.demands,
            ledger.visit_effective(up),
            sky,
            signal,
            remaining,
            urgency,
            opens_s,
            self.until_s,
            overhead,
            self.times,
        )
        k = observable(
            up, fit.exposures, hour_angle, TURN_RAD_PER_S * (fit.visit_s + slew), *self._limits
        )
        up = up[k]
        view = SkyView(
            now,
            self.until_s,
            self.day.index,
            state.sun_altitude_rad,
            parts.views,
            up,
            parts.tiling.ra_rad[up],
            parts.tiling.dec_rad[up],
            remaining.take(k, axis=0),
            parts.total.take(up, axis=0),
            (urgency * fit.wanted).take(k, axis=0),
            altitude[k],
            mass[k],
            then[k],
            self._tiles.moon_separation(state, up),
            signal[k],
            sky[k],
            fit.visit_s[k],
            fit.open_s[k],
            slew[k],
            ledger.state.tile_visits[up],
            parts.science_fibres,
            self.floors,
            self.plan,
            parts.tiling.ifs_required_s[up],
        )
        return view, fit.exposures[k]
