"""Looking ahead over the season, greedy in the night."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from wstdes.policies.base import Policy
from wstdes.policies.scheduling import GreedyOptions, decide, merit_terms
from wstdes.policies.views import Decision, SeasonPlan, SeasonView, SkyView
from wstdes.units import Radians

__all__ = ["LookAhead", "LookAheadOptions"]

Array = NDArray[np.float64]
_TURN = 2.0 * np.pi


LEAST_PRICE = 1e-3
"""Work that the plan gets done for nothing is still better than an idle telescope."""


class LookAheadOptions(GreedyOptions):
    """Options of :class:`LookAhead`."""

    return_bonus: Annotated[
        float, Field(ge=0, description="added to the gain of a tile that was begun, as a share")
    ] = 0.0
    haste: Annotated[
        float,
        Field(
            ge=0,
            le=12,
            description="e-folds by which a second is dearer when the work could be over",
        ),
    ] = 6.0
    fine: Annotated[
        float,
        Field(gt=0, description="for work of mean worth left undone, over a second at the end"),
    ] = 10.0
    pace: Annotated[
        float,
        Field(
            ge=0,
            description="added to the worth of tiles that the plan has at this sidereal time, "
            "as a share",
        ),
    ] = 0.1
    ra_bins: Annotated[
        int, Field(ge=8, le=96, description="of right ascension and sidereal time")
    ] = 18
    dec_step_rad: Annotated[Radians, Field(gt=0.01, description="of declination")] = 0.3491
    period_nights: Annotated[
        int, Field(ge=1, description="length of the plan's first period; later ones are longer")
    ] = 30
    period_growth: Annotated[
        float, Field(ge=1, description="of each period over the one before, up to half a year")
    ] = 1.5
    replan_nights: Annotated[int, Field(ge=1, description="nights from one plan to the next")] = 30
    solver: Annotated[
        Literal["glop", "pdlp"], Field(description="of OR-Tools: simplex, or first-order")
    ] = "glop"


class LookAhead(Policy[LookAheadOptions]):
    """The greatest gain in a second, at the prices of a season-long linear programme."""

    Options = LookAheadOptions

    def choose(self, view: SkyView) -> Decision:
        """Return the tile whose gain is worth most in time, at the plan's prices."""
        if view.plan is None:
            return decide(view, merit_terms(view, self.options))
        if not len(view.tiles):
            return Decision(None)
        plan = view.plan.arrays
        price = np.maximum(plan["price"][view.tiles], LEAST_PRICE)
        terms = merit_terms(view, self.options, price)
        bins = len(plan["hour"])
        lst = float(view.ra_rad[0] + view.hour_angle_rad[0]) % _TURN
        now = int(lst / _TURN * bins) % bins
        if self.options.pace:
            # A class of -1 takes the last row, which is for tiles that are in no class.
            planned = np.append(plan["planned"][:, now] > 0.0, False)
            terms["planned"] = (
                1.0 + self.options.pace * planned[plan["class"][view.tiles].astype(int)]
            )
        hour = float(plan["hour"][now]) or view.plan.numbers["mean hour"]
        terms["hour"] = np.full(len(view.tiles), 1.0 / hour)
        return decide(view, terms)

    def due(self, night: int, plan: SeasonPlan | None) -> bool:
        """Whether the season has to be planned anew."""
        return plan is None or night - plan.night >= self.options.replan_nights

    def plan(self, view: SeasonView) -> SeasonPlan:
        """Solve the season."""
        from wstdes.policies.season import Grid, Season, prices

        options = self.options
        grid = Grid(
            options.ra_bins,
            options.dec_step_rad,
            options.period_nights,
            options.period_growth,
            options.minimum_rate,
        )
        season = Season.of(view, grid)
        bins = options.ra_bins
        if not len(season.pairs):
            nothing = {
                "price": np.ones_like(view.remaining),
                "class": np.full(len(view.ra_rad), -1.0),
                "planned": np.zeros((0, bins)),
                "hour": np.zeros(bins),
            }
            return SeasonPlan(view.night, nothing, {"mean hour": 1.0, "undone": 1.0})
        found = prices(view, season, options.haste, options.fine, options.solver)
        slots = season.slots
        lst = (slots.lst_rad / _TURN * bins).astype(np.int64)
        soon = slots.after_nights < options.period_nights
        time_s = np.where(soon, slots.time_s, 0.0)
        total = np.bincount(lst, time_s, bins)
        hour = np.bincount(lst, time_s * found.hour, bins)
        hour = np.divide(hour, total, out=np.zeros(bins), where=total > 0.0)
        planned = np.zeros((len(season.classes.ra_rad), bins))
        which, slot = season.pairs.T
        np.add.at(planned, (which, lst[slot]), np.where(soon[slot], found.spent_s, 0.0))
        mean = float(found.hour @ slots.time_s / slots.time_s.sum())
        return SeasonPlan(
            view.night,
            {
                "price": found.of_tile,
                "class": season.classes.of_tile.astype(np.float64),
                "planned": planned,
                "hour": np.asarray(hour * found.unit, np.float64),
            },
            {"mean hour": mean * found.unit, "undone": found.undone},
        )
