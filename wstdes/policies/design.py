"""Design hour angles: each tile where it best fits the whole survey, not where it is best."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from wstdes.policies.base import Policy
from wstdes.policies.scheduling import GreedyOptions, decide, merit_terms
from wstdes.policies.views import Decision, SeasonPlan, SeasonView, SkyView
from wstdes.units import Radians

__all__ = ["DesignHourAngle", "DesignHourAngleOptions", "design_hour_angles"]

Array = NDArray[np.float64]
_TURN = 2.0 * np.pi


class DesignHourAngleOptions(GreedyOptions):
    """Options of :class:`DesignHourAngle`."""

    width_rad: Annotated[
        Radians, Field(gt=0, description="standard deviation about the design hour angle")
    ] = 0.2618
    ra_bins: Annotated[
        int, Field(ge=8, le=96, description="of right ascension and sidereal time, for the design")
    ] = 24
    dec_step_rad: Annotated[
        Radians, Field(gt=0.01, description="of declination, for the design")
    ] = 0.2618


class DesignHourAngle(Policy[DesignHourAngleOptions]):
    """The greatest gain in a second, near the hour angle for which each tile was designed."""

    Options = DesignHourAngleOptions

    def choose(self, view: SkyView) -> Decision:
        """Return the tile of the greatest gain that is near its design."""
        terms = merit_terms(view, self.options)
        if view.plan is not None:
            away = view.hour_angle_rad - view.plan.arrays["design_ha_rad"][view.tiles]
            terms["design"] = np.exp(-0.5 * (away / self.options.width_rad) ** 2)
        return decide(view, terms)

    def due(self, night: int, plan: SeasonPlan | None) -> bool:
        """Only at the start of a run: a design is made once."""
        return plan is None

    def plan(self, view: SeasonView) -> SeasonPlan:
        """Take the hour angles of the user's tiles; make those that are not given."""
        given = np.full(len(view.ra_rad), np.nan)
        if view.design_ha_rad is not None:
            given = view.design_ha_rad
        if np.isnan(given).any():
            made = design_hour_angles(view, self.options.ra_bins, self.options.dec_step_rad)
            given = np.where(np.isnan(given), made, given)
        return SeasonPlan(view.night, {"design_ha_rad": given})


def design_hour_angles(view: SeasonView, ra_bins: int = 24, dec_step_rad: float = 0.2618) -> Array:
    """Spread tiles over sidereal time, so that the time wanted at each is there.

    Parameters
    ----------
    view : SeasonView
        The whole survey.
    ra_bins : int
        Of right ascension and sidereal time.
    dec_step_rad : float
        Of declination [rad].

    Returns
    -------
    ndarray of float64, shape (tiles,)
        Hour angles [rad] with the least time in all: a transport problem (Hitchcock 1941,
        J. Math. Phys. 20, 224) from classes of tiles to sidereal times and skies. Within a class
        tiles take their places in the order of right ascension. Tiles that no time is found for
        are designed for the meridian.
    """
    from wstdes.policies.season import Grid, Season, prices

    season = Season.of(view, Grid(ra_bins, dec_step_rad, max(view.nights, 1), 1.0))
    design = np.zeros(len(view.ra_rad))
    if not len(season.pairs):
        return design
    spent_s = prices(view, season, 0.0, 100.0).spent_s
    classes = len(season.classes.ra_rad)
    # Sidereal time of a slot, from the meridian of its class, is at most half a turn away.
    away = season.slots.lst_rad[season.pairs[:, 1]] - season.classes.ra_rad[season.pairs[:, 0]]
    away = np.mod(away + np.pi, _TURN) - np.pi
    for number in range(classes):
        mine = np.flatnonzero((season.pairs[:, 0] == number) & (spent_s > 0.0))
        if not len(mine):
            continue
        tiles = np.flatnonzero(season.classes.of_tile == number)
        off = np.mod(view.ra_rad[tiles] - season.classes.ra_rad[number] + np.pi, _TURN) - np.pi
        tiles, off = tiles[np.argsort(off, kind="stable")], np.sort(off, kind="stable")
        design[tiles] = _places(away[mine], spent_s[mine], _TURN / ra_bins, len(tiles)) - off
    return design


def _places(hour_angle: Array, spent_s: Array, width: float, count: int) -> Array:
    """Spread tiles evenly over the time spent, bins of a width about hour angles."""
    centres, which = np.unique(np.round(hour_angle, 9), return_inverse=True)
    time_s = np.bincount(which, spent_s)
    done = np.concatenate([[0.0], np.cumsum(time_s)]) / time_s.sum()
    share = (np.arange(count) + 0.5) / count
    bin_of = np.minimum(np.searchsorted(done, share, side="right") - 1, len(centres) - 1)
    inside = (share - done[bin_of]) / np.maximum(done[bin_of + 1] - done[bin_of], 1e-12)
    return np.asarray(centres[bin_of] + (np.clip(inside, 0.0, 1.0) - 0.5) * width)
