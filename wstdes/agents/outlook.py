"""What lies ahead: the nights of the run, for policies that plan a season."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from wstdes.clock import DAY_S
from wstdes.models.sky import Ephemeris, SeasonSky
from wstdes.policies.slots import typical_sky
from wstdes.policies.views import SeasonView
from wstdes.survey.lengths import visit_times

if TYPE_CHECKING:
    from wstdes.agents.parts import Parts

__all__ = ["Outlook"]

Array = NDArray[np.float64]
STEPS = 24
"""Steps of a night's science."""


class Outlook:
    """The nights of a run, computed once when a policy first plans.

    Parameters
    ----------
    parts : Parts
        The facility.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    @cached_property
    def _season(self) -> SeasonSky:
        parts = self._parts
        return SeasonSky.make(parts.clock, parts.horizon, 0, parts.scenario.nights)

    @cached_property
    def _grid(self) -> tuple[Array, Array]:
        """Middles of the steps (nights, steps), and their length (nights,) [s]."""
        limit = max(v.sun_altitude_max_rad for v in self._parts.views)
        span = self._season.below(limit)
        noon = DAY_S * np.arange(len(span))
        span = np.where(np.isnan(span), noon[:, None] + 0.5 * DAY_S, span)
        step = (span[:, 1] - span[:, 0]) / STEPS
        closed = np.array([bool(c) for c in self._parts.closures])
        times = span[:, :1] + step[:, None] * (np.arange(STEPS) + 0.5)
        return times, np.where(closed, 0.0, step)

    @cached_property
    def _sky(self) -> Ephemeris:
        return self._season.at(self._grid[0])

    @cached_property
    def _brightness(self) -> Array:
        """Of the sky of a typical field, over dark."""
        sky, site = self._sky, self._parts.scenario.site
        return typical_sky(
            sky.moon_altitude_rad,
            sky.phase_rad,
            sky.sun_altitude_rad,
            site.extinction_mag,
            site.dark_sky_mag,
        )

    @cached_property
    def _open_share(self) -> Array:
        scenario = self._parts.scenario
        month = [self._parts.clock.month(n) for n in range(scenario.nights)]
        return np.asarray(scenario.site.open_fraction)[month] * scenario.telescope.working_share

    def view(self, night: int, remaining: Array, needed_s: Array) -> SeasonView:
        """What lies ahead of a noon.

        Parameters
        ----------
        night : int
            The first night ahead.
        remaining, needed_s : ndarray of float64, shape (tiles, tile surveys)
            Targets (fields) not finished, and the effective time that each still needs [s].
        """
        parts, sky, site = self._parts, self._sky, self._parts.scenario.site
        observing, telescope = parts.scenario.observing, parts.scenario.telescope
        times, step = self._grid
        return SeasonView(
            night,
            parts.scenario.nights - night,
            site.latitude_rad,
            np.pi / 2 - telescope.zenith_distance_max_rad,
            telescope.altitude_max_rad,
            parts.views,
            parts.tiling.ra_rad,
            parts.tiling.dec_rad,
            remaining,
            parts.total,
            times[night:],
            step[night:],
            sky.lst_rad[night:],
            self._brightness[night:],
            sky.sun_altitude_rad[night:],
            self._open_share[night:],
            *visit_times(parts.scenario),
            parts.science_fibres,
            {m: parts.sensitivity.noise_floor(m, observing.exposure_s) for m in parts.modes},
            self._signal,
            needed_s,
            parts.dimming,
            design_ha_rad=parts.tiling.design_ha_rad if len(parts.tiling.design_ha_rad) else None,
        )

    def _signal(self, mass: Array) -> Array:
        """Light in a fibre over reference, in clear sky and median seeing, by airmass."""
        seeing = self._parts.scenario.site.seeing_median_rad
        return self._parts.sensitivity.signal("lr", seeing, 1.0, mass)
