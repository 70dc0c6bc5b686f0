"""Planning a visit: what the sky offers now, put before the policies."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from wstdes.agents.ledger import SurveyLedger
from wstdes.agents.parts import Parts
from wstdes.agents.records import Alert
from wstdes.agents.rising import TURN_RAD_PER_S, hour_angle_at, until_up_s
from wstdes.agents.skies import day_sky
from wstdes.agents.telescope import Telescope
from wstdes.agents.weather import Weather
from wstdes.config.surveys import Survey
from wstdes.kernel import Day
from wstdes.models.instrument import effective_rate
from wstdes.models.sky import Background, FieldsSky
from wstdes.policies.views import AlertView, Decision, SeasonPlan, SkyView
from wstdes.survey.lengths import (
    Demands,
    Lengths,
    candidates,
    observable,
    visit_lengths,
    wanted_now,
)

__all__ = ["Goal", "Planner", "Visit"]

Array = NDArray[np.float64]
ALERT_OFFSET_RAD = np.radians(0.3)
"""An alert's field is centred this far from it, so that it does not fall on the IFS field."""
ALERT_SHIFT_RAD = np.radians(30.0 / 3600.0)
"""Where no fibre reaches the alert, the field is moved by this, less than a pitch."""
ALERT_SLEW_S = 60.0
"""To an alert's field, when a visit is planned."""


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
        self._places: dict[tuple[float, float], tuple[float, float]] = {}
        self._own: tuple[tuple[float, float], FieldsSky] | None = None
        self._background = Background(site.extinction_mag, site.dark_sky_mag)
        self.floors = {m: self.sensitivity.noise_floor(m, exposure_s) for m in parts.modes}
        """Variance of the detector over that of the dark sky, in an exposure of usual length."""

    @cached_property
    def _tiles(self) -> FieldsSky:
        return self.parts.tile_sky.on(self.sky)

    @cached_property
    def _limits(self) -> tuple[Array, Array]:
        """Hour angles of the tiles at the lowest altitude allowed, and at the highest [rad]."""
        return self._limits_of(np.arcsin(self._tiles.cirs[:, 2]))

    def _limits_of(self, dec_rad: Array) -> tuple[Array, Array]:
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
        return max(self.parts.spectrograph(m).readout_s for m in self.parts.modes)

    # Visits ----------------------------------------------------------------------------------

    def for_surveys(self) -> Visit | None:
        """What the scheduling policy wants now."""
        view, counts = self._view()
        decision = self.parts.policies.scheduling.choose(view)
        if decision.tile is None:
            return None
        tile = int(decision.tile)
        place = int(np.searchsorted(view.tiles, tile))
        wanted = wanted_now(
            self._demands,
            float(view.sky[place]),
            view.remaining[place],
            view.urgency[place],
            view.sun_altitude_rad,
        )
        tiling = self.parts.tiling
        vector = self._tiles.cirs[tile]
        return Visit(
            tile,
            float(tiling.ra_rad[tile]),
            float(tiling.dec_rad[tile]),
            (float(np.arctan2(vector[1], vector[0])), float(np.arcsin(vector[2]))),
            "survey",
            int(counts[place]),
            float(view.open_s[place]),
            float(view.sky[place]),
            float(view.signal[place]),
            decision,
            frozenset(self.parts.tile_surveys[i] for i in np.flatnonzero(wanted)),
            self.here == tile,
            float(self.parts.dimming[tile]),
            self._goal(wanted, view, place),
        )

    def _goal(self, wanted: NDArray[np.bool_], view: SkyView, place: int) -> Goal | None:
        """What ends a visit: the survey that takes longest, if all that want it say."""
        goals = []
        effective = self.ledger.visit_effective(view.tiles[place : place + 1])[0]
        for i in np.flatnonzero(wanted):
            survey = self._survey(self.parts.tile_surveys[i])
            if np.isnan(effective[i]):
                return None
            rate = float(view.rate(view.surveys[i])[place])
            goal = Goal(float(effective[i]), survey.mode, survey.noise)
            goals.append((goal.effective_s / max(rate, 1e-6), i, goal))
        return max(goals)[2] if goals else None

    def for_alert(self, alert: Alert, *, exposing: bool, shifts: int = 0) -> Visit | None:
        """A field for an alert, if the policy wants one and the sky allows it now.

        Parameters
        ----------
        alert : Alert
            The target.
        exposing : bool
            Whether an exposure would have to be stopped for it.
        shifts : int
            How often the field was moved because no fibre reached the alert.
        """
        alert_class = self.parts.scenario.alerts[alert.alert_class]
        dec = _beside(alert, shifts)
        cirs = self._cirs(alert.ra_rad, dec)
        if not self._stays_up(cirs, 0.0):
            return None
        fit = self._fit_alert(alert_class.exposures)
        visit_s = float(fit.visit_s[0])
        if not fit.exposures[0] or not self._stays_up(cirs, visit_s):
            return None
        field = self.sky.fields(np.array([alert.ra_rad]), np.array([dec]))
        middle = self.day.now + 0.5 * visit_s
        sky = field.brightness(self.sky.at(middle), self._background)
        signal = self._signal(field.at(middle).airmass)
        response = self.parts.policies.alerts.respond(
            AlertView(
                alert_class.response_of(alert.follow_up),
                self.day.now - alert.asked_s,
                alert.expiry_s - alert.asked_s,
                exposing,
                float(effective_rate(signal, sky, "sky", self.floors["lr"])[0]),
            )
        )
        if response == "insert" or (exposing and response != "abort"):
            return None
        return Visit(
            None,
            alert.ra_rad,
            dec,
            cirs,
            response,
            int(fit.exposures[0]),
            float(fit.open_s[0]),
            float(sky[0]),
            float(signal[0]),
            Decision(None),
            frozenset(range(len(self.parts.survey_names))),
            alert=alert.number,
        )

    def _cirs(self, ra_rad: float, dec_rad: float) -> tuple[float, float]:
        """An ICRS position in CIRS of the day [rad]."""
        place = ra_rad, dec_rad
        if place not in self._places:
            ra, dec = self.sky.to_cirs(np.array([ra_rad]), np.array([dec_rad]))
            self._places[place] = float(ra[0]), float(dec[0])
        return self._places[place]

    def next_rise_s(self, alerts: list[Alert]) -> float:
        """When the field of one of these next comes within the limits; infinite: never [s]."""
        if not alerts:
            return math.inf
        ra = np.array([a.ra_rad for a in alerts])
        fields = self.sky.fields(ra, np.array([_beside(a, 0) for a in alerts]))
        limits = self._limits_of(np.arcsin(fields.cirs[:, 2]))
        wait = until_up_s(fields.at(self.day.now).hour_angle_rad, *limits)
        return self.day.now + float(wait.min())

    def sight(self, visit: Visit, t_s: float) -> Sight:
        """Where a visit's centre stands at a moment, and its sky."""
        key = (visit.ra_rad, visit.dec_rad, t_s)
        if key not in self._sights:
            if len(self._sights) > 64:
                self._sights.clear()
            fields, which = self._tiles, np.array([visit.tile])
            if visit.tile is None:
                fields = self._own_field(visit)
                which = np.array([0])
            stand = fields.at(t_s, which)
            sky = fields.brightness(self.sky.at(t_s), self._background, which)
            self._sights[key] = Sight(
                float(stand.airmass[0]),
                float(sky[0]),
            )
        return self._sights[key]

    def _own_field(self, visit: Visit) -> FieldsSky:
        """The field of a visit that is no tile's."""
        if self._own is None or self._own[0] != (visit.ra_rad, visit.dec_rad):
            made = self.sky.fields(np.array([visit.ra_rad]), np.array([visit.dec_rad]))
            self._own = ((visit.ra_rad, visit.dec_rad), made)
        return self._own[1]

    def _fit_alert(self, exposures: int) -> Lengths:
        """Length of a visit for an alert."""
        nothing, one = np.zeros((1, len(self.parts.views))), np.ones(1)
        return visit_lengths(
            self._demands,
            nothing,
            one,
            one,
            nothing,
            nothing,
            -np.pi,
            one * (self.until_s - self.day.now - ALERT_SLEW_S),
            one * self.overhead_s(),
            (exposures, *self._times[1:]),
        )

    def direction(self, visit: Visit, t_s: float) -> tuple[float, float]:
        """Altitude and azimuth of a visit's centre at a moment [rad]."""
        return self._direction(visit.cirs_rad, t_s)

    def _direction(self, cirs_rad: tuple[float, float], t_s: float) -> tuple[float, float]:
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
        for number in sorted(self.parts.ifs_surveys, key=lambda s: -self._survey(s).priority):
            if number in visit.surveys and self.ledger.field_left(number, visit.tile) > 0:
                return number
        return None

    # The sky ---------------------------------------------------------------------------------

    def airmass(self, visit: Visit, t_s: float) -> float:
        """Airmass of a visit's centre at a moment."""
        return self.sight(visit, t_s).airmass

    def brightness(self, visit: Visit, t_s: float) -> float:
        """Sky brightness at a visit's centre, over dark, at a moment."""
        return self.sight(visit, t_s).sky

    def rate(self, visit: Visit, goal: Goal) -> float:
        """Effective over open-shutter time to be expected now."""
        current, now = self.weather.current, self.day.now
        signal = self.sensitivity.signal(
            goal.mode, current.seeing_rad, current.transparency, self.airmass(visit, now)
        )
        signal = signal * visit.dimming
        sky = self.brightness(visit, now)
        return float(effective_rate(float(signal), sky, goal.noise, self.floors[goal.mode]))

    def _signal(self, mass: Array) -> Array:
        """Light in a fibre over that in reference conditions, now, by airmass."""
        current = self.weather.current
        return self.sensitivity.signal("lr", current.seeing_rad, current.transparency, mass)

    def _stays_up(self, cirs_rad: tuple[float, float], visit_s: float) -> bool:
        """Whether a CIRS position stays within the limits from now to the end of a visit."""
        model, now = self.parts.scenario.telescope, self.day.now
        low, high = math.pi / 2 - model.zenith_distance_max_rad, model.altitude_max_rad
        times = (now, now + 0.5 * visit_s, now + visit_s)
        return all(low <= self._direction(cirs_rad, t)[0] <= high for t in times)

    @cached_property
    def _demands(self) -> Demands:
        """What the surveys of tiles ask of a visit."""
        views = self.parts.views
        return Demands(
            np.array([v.sky_min for v in views]),
            np.array([v.sky_max for v in views]),
            np.array([v.sun_altitude_max_rad for v in views]),
            np.array([v.noise == "source" for v in views]),
            np.array([self.floors[v.mode] for v in views]),
        )

    @property
    def _times(self) -> tuple[int, float, float]:
        observing = self.parts.scenario.observing
        return observing.exposures, observing.exposure_s, self._readout_s

    def _view(self) -> tuple[SkyView, NDArray[np.int64]]:
        """The moment, over the tiles that can be observed; and the exposures of a visit to each."""
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
        most, longest_s, _ = self._times
        middle = now + 0.5 * (self.overhead_s() + 0.5 * most * longest_s)
        state, (altitude, mass, then) = self.sky.at(middle), self._tiles.heights(middle, up)
        sky = self._tiles.brightness(state, self._background, up)
        signal = self._signal(mass) * parts.dimming[up]
        remaining, urgency = left.take(up, axis=0), ledger.urgency(up, now)
        fit = visit_lengths(
            self._demands,
            ledger.visit_effective(up),
            sky,
            signal,
            remaining,
            urgency,
            state.sun_altitude_rad,
            self.until_s - now - slew,
            overhead,
            self._times,
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
            parts.expected.take(up, axis=0),
            urgency.take(k, axis=0),
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
        )
        return view, fit.exposures[k]

    def _survey(self, number: int) -> Survey:
        return self.parts.scenario.surveys[self.parts.survey_names[number]]


def _beside(alert: Alert, shifts: int) -> float:
    """Declination of an alert's field: away from the pole, so that it is not beyond it [rad]."""
    offset = ALERT_OFFSET_RAD + shifts * ALERT_SHIFT_RAD
    return float(alert.dec_rad + (offset if alert.dec_rad < 0 else -offset))
