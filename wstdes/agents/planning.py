"""Planning a visit: what the sky offers now, put before the policies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wstdes.agents.conditions import Sensitivity
from wstdes.agents.ledger import SurveyLedger
from wstdes.agents.parts import Parts
from wstdes.agents.records import Alert
from wstdes.agents.telescope import Telescope
from wstdes.agents.weather import Weather
from wstdes.kernel import Day
from wstdes.models.instrument import effective_rate
from wstdes.models.sky import Background, DaySky, airmass
from wstdes.policies.views import AlertView, Decision, SkyView

__all__ = ["Planner", "Visit"]

Array = NDArray[np.float64]
SHORTEST_SHARE = 0.5
"""A visit that the night's end cuts keeps at least this share of one exposure."""
ALERT_OFFSET_RAD = np.radians(0.3)
"""An alert's field is centred this far from it, so that it does not fall on the IFS field."""
ALERT_SHIFT_RAD = np.radians(30.0 / 3600.0)
"""Where no fibre reaches the alert, the field is moved by this, less than a pitch."""


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
    exposures, exposure_s : int, float
        How many, of what length [s].
    sky, signal : float
        Sky over dark, and light in a fibre over that in reference conditions, to be expected.
    decision : Decision
        The policy's.
    alert : int or None
        The alert that it is for.
    """

    tile: int | None
    ra_rad: float
    dec_rad: float
    cirs_rad: tuple[float, float]
    reason: str
    exposures: int
    exposure_s: float
    sky: float
    signal: float
    decision: Decision
    alert: int | None = None


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
        self.sky = DaySky(parts.clock, parts.horizon, day.start_s)
        self.sensitivity = Sensitivity(parts.scenario)
        self.until_s = day.end_s
        exposure_s = parts.scenario.observing.exposure_s
        self._floors = {m: self.sensitivity.noise_floor(m, exposure_s) for m in parts.modes}
        self._tiles = self.sky.fields(parts.tiling.ra_rad, parts.tiling.dec_rad)
        self._background = Background(
            parts.scenario.site.extinction_mag, parts.scenario.site.dark_sky_mag
        )

    # Times of a visit ------------------------------------------------------------------------

    def overhead_s(self) -> float:
        """Time of a visit besides slew and exposures [s]."""
        plan = self.parts.scenario.calibration
        read = self._readout_s()
        return (
            self.parts.scenario.telescope.acquisition_s
            + plan.standard_frames * (plan.standard_frame_s + read)
            + plan.attached_frames * (plan.attached_frame_s + read)
        )

    def _readout_s(self) -> float:
        return max(self.parts.spectrograph(m).readout_s for m in self.parts.modes)

    def _fit(self, exposures: int, slew_s: float) -> tuple[int, float]:
        """Exposures that fit before the night's science ends, and their length [s]."""
        wanted_s = self.parts.scenario.observing.exposure_s
        left = self.until_s - self.day.now - slew_s - self.overhead_s()
        fit = min(exposures, int((left + 1e-9) // (wanted_s + self._readout_s())))
        if fit >= 1:
            return fit, wanted_s
        short = left - self._readout_s()
        return (1, short) if short >= SHORTEST_SHARE * wanted_s else (0, 0.0)

    # Visits ----------------------------------------------------------------------------------

    def for_surveys(self) -> Visit | None:
        """What the scheduling policy wants now."""
        least_slew = self.parts.scenario.focal_plane.reconfiguration_s
        count, length = self._fit(self.parts.scenario.observing.exposures, least_slew)
        if not count:
            return None
        visit_s = self.overhead_s() + count * (length + self._readout_s())
        view = self._view(visit_s, count * length)
        decision = self.parts.policies.scheduling.choose(view)
        if decision.tile is None:
            return None
        tile = int(decision.tile)
        place = int(np.searchsorted(view.tiles, tile))
        tiling = self.parts.tiling
        return Visit(
            tile,
            float(tiling.ra_rad[tile]),
            float(tiling.dec_rad[tile]),
            (float(self._tiles.ra_rad[tile]), float(np.arcsin(self._tiles.cirs[tile, 2]))),
            "survey",
            count,
            length,
            float(view.sky[place]),
            float(view.signal[place]),
            decision,
        )

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
        count, length = self._fit(alert_class.exposures, 60.0)
        if not count:
            return None
        # Away from the pole, so that the centre is not beyond it.
        offset = ALERT_OFFSET_RAD + shifts * ALERT_SHIFT_RAD
        dec = alert.dec_rad + (offset if alert.dec_rad < 0 else -offset)
        ra, dec_now = self.sky.to_cirs(np.array([alert.ra_rad]), np.array([dec]))
        visit_s = self.overhead_s() + count * (length + self._readout_s())
        if not self._observable(ra, dec_now, visit_s)[0]:
            return None
        middle = self.day.now + 0.5 * visit_s
        sky, signal = self._quality(ra, dec_now, middle)
        response = self.parts.policies.alerts.respond(
            AlertView(
                alert_class.response,
                self.day.now - alert.arrival_s,
                alert_class.lifetime_s,
                exposing,
                float(effective_rate(signal, sky, "sky", self._floors["lr"])[0]),
            )
        )
        if response == "insert" or (exposing and response != "abort"):
            return None
        return Visit(
            None,
            alert.ra_rad,
            dec,
            (float(ra[0]), float(dec_now[0])),
            response,
            count,
            length,
            float(sky[0]),
            float(signal[0]),
            Decision(None),
            alert.number,
        )

    def direction(self, visit: Visit, t_s: float) -> tuple[float, float]:
        """Altitude and azimuth of a visit's centre at a moment [rad]."""
        altitude, azimuth = self.sky.altaz(
            np.array([visit.cirs_rad[0]]), np.array([visit.cirs_rad[1]]), t_s
        )
        return float(altitude[0]), float(azimuth[0])

    def ifs_survey(self, visit: Visit) -> int | None:
        """The survey of fixed fields that a visit serves: the first by priority with time left."""
        if visit.tile is None:
            return None
        names, surveys = self.parts.survey_names, self.parts.scenario.surveys
        order = sorted(self.parts.ifs_surveys, key=lambda s: -surveys[names[s]].priority)
        for number in order:
            wanted = self.parts.tiling.inside[visit.tile, number]
            dark_enough = visit.sky <= surveys[names[number]].sky_brightness_max
            if wanted and dark_enough and self.ledger.field_left(number, visit.tile) > 0:
                return number
        return None

    # The sky ---------------------------------------------------------------------------------

    def airmass(self, visit: Visit, t_s: float) -> float:
        """Airmass of a visit's centre at a moment."""
        return float(airmass(np.array([self.direction(visit, t_s)[0]]))[0])

    def brightness(self, visit: Visit, t_s: float) -> float:
        """Sky brightness at a visit's centre, over dark, at a moment."""
        ra, dec = np.array([visit.cirs_rad[0]]), np.array([visit.cirs_rad[1]])
        return float(self._quality(ra, dec, t_s)[0][0])

    def _quality(self, ra: Array, dec: Array, t_s: float) -> tuple[Array, Array]:
        """Sky brightness over dark, and relative signal at low resolution, at CIRS positions."""
        site, current = self.parts.scenario.site, self.weather.current
        state = self.sky.at(t_s)
        sky = self.sky.brightness(state, ra, dec, site.extinction_mag, site.dark_sky_mag)
        altitude, _ = self.sky.altaz(ra, dec, t_s)
        mass = airmass(np.maximum(altitude, 0.1))
        return sky, self.sensitivity.signal("lr", current.seeing_rad, current.transparency, mass)

    def _observable(self, ra: Array, dec: Array, visit_s: float) -> NDArray[np.bool_]:
        """Whether CIRS positions stay within the limits from now to the end of a visit."""
        model = self.parts.scenario.telescope
        low, high = np.pi / 2 - model.zenith_distance_max_rad, model.altitude_max_rad
        good = np.ones(len(ra), dtype=np.bool_)
        for share in (0.0, 0.5, 1.0):
            altitude, _ = self.sky.altaz(ra, dec, self.day.now + share * visit_s)
            good &= (altitude >= low) & (altitude <= high)
        return good

    def _view(self, visit_s: float, open_s: float) -> SkyView:
        """The moment, over the tiles that stay within the limits to the end of a visit."""
        now, ledger, tiling = self.day.now, self.ledger.state, self.parts.tiling
        middle = now + 0.5 * visit_s
        model, current = self.parts.scenario.telescope, self.weather.current
        sines = self._tiles.sin_altitude(now + visit_s * np.array([0.0, 0.5, 1.0]))
        low, high = np.cos(model.zenith_distance_max_rad), np.sin(model.altitude_max_rad)
        up = np.flatnonzero(((sines >= low) & (sines <= high)).all(axis=0))
        state, here, then = (
            self.sky.at(middle),
            self._tiles.at(now, up),
            self._tiles.at(middle, up),
        )
        slew = np.maximum(
            self.telescope.slew_times(here.altitude_rad, here.azimuth_rad),
            self.parts.scenario.focal_plane.reconfiguration_s,
        )
        return SkyView(
            now,
            self.until_s,
            self.day.index,
            state.sun_altitude_rad,
            self.parts.views,
            up,
            tiling.ra_rad[up],
            tiling.dec_rad[up],
            ledger.remaining[up],
            self.parts.expected[up],
            np.ones((len(up), len(self.parts.views))),
            then.altitude_rad,
            then.airmass,
            then.hour_angle_rad,
            self._tiles.moon_separation(state, up),
            self.sensitivity.signal("lr", current.seeing_rad, current.transparency, then.airmass),
            self._tiles.brightness(state, self._background, up),
            np.full(len(up), visit_s),
            np.full(len(up), open_s),
            slew,
            ledger.tile_visits[up],
            self._fibres(),
            self._floors,
        )

    def _fibres(self) -> dict[str, int]:
        model = self.parts.scenario.focal_plane
        usable = 1.0 - model.broken_fraction
        lr = usable * (1.0 - model.sky_fraction - model.standard_fraction_lr)
        hr = usable * (1.0 - model.sky_fraction - model.standard_fraction_hr)
        return {"lr": round(model.lr_fibres * lr), "hr": round(model.hr_fibres * hr), "ifs": 1}
