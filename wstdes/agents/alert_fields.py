"""Fields for alerts: whether, and how, the telescope should go to one now."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from wstdes.agents.records import Alert
from wstdes.agents.rising import until_set_s, until_up_s
from wstdes.agents.visit import Visit
from wstdes.models.instrument import effective_rate
from wstdes.models.sky import FieldsSky
from wstdes.policies.views import AlertView, Decision
from wstdes.survey.lengths import Lengths, visit_lengths

if TYPE_CHECKING:
    from wstdes.agents.planning import Planner

__all__ = ["AlertFields"]

OFFSET_RAD = np.radians(0.3)
"""An alert's field is centred this far from it, so that it does not fall on the IFS field."""
SHIFT_RAD = np.radians(30.0 / 3600.0)
"""Where no fibre reaches the alert, the field is moved by this, less than a pitch."""


class AlertFields:
    """Visits of their own for alerts.

    Parameters
    ----------
    planner : Planner
        The sky, the limits, the policies.
    """

    def __init__(self, planner: Planner) -> None:
        self._planner = planner
        self._fields: dict[tuple[float, float], FieldsSky] = {}

    def visit(self, alert: Alert, *, exposing: bool, shifts: int = 0) -> Visit | None:
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
        planner = self._planner
        parts, now = planner.parts, planner.day.now
        alert_class = parts.scenario.alerts[alert.alert_class]
        dec = _beside(alert, shifts)
        field = self.field(alert.ra_rad, dec)
        cirs = field.ra_rad.item() % (2.0 * math.pi), field.dec_rad.item()
        opens_s = now + self._slew_s(cirs) + planner.overhead_s()
        until_s = self._until_s(opens_s)
        down_s = self._down_s(cirs)
        if opens_s >= min(until_s, down_s):
            return None
        fit = self._fit(alert_class.exposures, opens_s, until_s)
        end_s = opens_s - planner.overhead_s() + float(fit.visit_s[0])
        if not fit.exposures[0] or end_s > down_s:
            return None
        mass, sky = field.one(0, 0.5 * (opens_s + end_s), planner.background)
        if not self._suits(sky):
            return None
        signal = float(planner.signal(mass))
        response = parts.policies.alerts.respond(
            AlertView(
                alert_class.response_of(alert.follow_up),
                now - alert.asked_s,
                alert.expiry_s - alert.asked_s,
                exposing,
                float(effective_rate(signal, sky, self._noise, planner.floors["lr"])),
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
            sky,
            signal,
            Decision(None),
            self._guests(sky, opens_s, end_s),
            alert=alert.number,
            latest_s=min(until_s, down_s),
        )

    def next_rise_s(self, alerts: list[Alert]) -> float:
        """When the field of one of these next comes within the limits; infinite: never [s]."""
        if not alerts:
            return math.inf
        planner, now = self._planner, self._planner.day.now
        fields = [self.field(a.ra_rad, _beside(a, 0)) for a in alerts]
        limits = planner.limits_of(np.concatenate([f.dec_rad for f in fields]))
        hour_angle = np.concatenate([f.directions(now)[2] for f in fields])
        return now + float(until_up_s(hour_angle, *limits).min())

    def field(self, ra_rad: float, dec_rad: float) -> FieldsSky:
        """A field at an ICRS position [rad], tonight."""
        place = ra_rad, dec_rad
        if place not in self._fields:
            sky = self._planner.sky
            self._fields[place] = sky.fields(np.array([ra_rad]), np.array([dec_rad]))
        return self._fields[place]

    def join(self, visit: Visit) -> bool:
        """Whether alerts may have fibres in a visit: the Sun and the sky are as they want them."""
        if visit.alert is not None:
            return True
        planner = self._planner
        slew_s, readout_s = self._slew_s(visit.cirs_rad), planner.times[2]
        opens_s = planner.day.now + slew_s + planner.overhead_s(visit.stays)
        end_s = opens_s + visit.open_s + visit.exposures * readout_s
        return end_s <= self._until_s(opens_s) and self._suits(visit.sky)

    def _guests(self, sky: float, opens_s: float, end_s: float) -> frozenset[int]:
        """Surveys that may have fibres left over, by sky and Sun; none whose cadence says when."""
        parts, demands = self._planner.parts, self._planner.demands
        fits = (demands.sky_min <= sky) & (sky <= demands.sky_max)
        fits &= (demands.dusk_s <= opens_s) & (end_s <= demands.dawn_s)
        some = (number for number, fit in zip(parts.tile_surveys, fits, strict=True) if fit)
        return frozenset(number for number in some if parts.survey(number).cadence is None)

    def _slew_s(self, cirs_rad: tuple[float, float]) -> float:
        """Time to a CIRS position, and to get the fibres there [s]."""
        planner = self._planner
        altitude, azimuth = planner.direction_of(cirs_rad, planner.day.now)
        slew = planner.telescope.slew_times(np.array([altitude]), np.array([azimuth]))
        return max(float(slew[0]), planner.parts.scenario.focal_plane.reconfiguration_s)

    def _until_s(self, opens_s: float) -> float:
        """When the Sun is too high for alerts, or science ends; before their dusk: never [s]."""
        planner = self._planner
        span = planner.sky.below(planner.parts.alert_sun_rad)
        if span is None or opens_s < span[0]:
            return -math.inf
        return min(planner.until_s, span[1])

    @property
    def _noise(self) -> str:
        """What limits the spectra of alerts."""
        parts = self._planner.parts
        return "sky" if parts.alert_survey is None else parts.survey(parts.alert_survey).noise

    def _suits(self, sky: float) -> bool:
        """Whether alerts may be observed under a sky."""
        parts = self._planner.parts
        if parts.alert_survey is None:
            return True
        return parts.survey(parts.alert_survey).wants_sky(sky)

    def _fit(self, exposures: int, opens_s: float, until_s: float) -> Lengths:
        """Length of a visit for an alert: no survey has a say."""
        planner = self._planner
        nothing, one = np.zeros((1, len(planner.parts.views))), np.ones(1)
        return visit_lengths(
            planner.demands,
            nothing,
            one,
            one,
            nothing,
            nothing,
            one * opens_s,
            until_s,
            one * planner.overhead_s(),
            (exposures, *planner.times[1:]),
        )

    def _down_s(self, cirs_rad: tuple[float, float]) -> float:
        """When a CIRS position leaves the telescope's limits; now if it is beyond them [s]."""
        planner, (ra, dec) = self._planner, cirs_rad
        model, now = planner.parts.scenario.telescope, planner.day.now
        altitude = planner.direction_of(cirs_rad, now)[0]
        if not math.pi / 2 - model.zenith_distance_max_rad <= altitude <= model.altitude_max_rad:
            return now
        low, high = (limit.item() for limit in planner.limits_of(np.array([dec])))
        return now + until_set_s(float(planner.sky.lst_rad(now)) - ra, low, high)


def _beside(alert: Alert, shifts: int) -> float:
    """Declination of an alert's field: away from the pole, so that it is not beyond it [rad]."""
    offset = OFFSET_RAD + shifts * SHIFT_RAD
    return float(alert.dec_rad + (offset if alert.dec_rad < 0 else -offset))
