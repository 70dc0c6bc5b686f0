"""Looking ahead over the season, greedy in the night."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from wstdes.policies.base import Policy
from wstdes.policies.scheduling import MeritOptions, decide, merit_terms
from wstdes.policies.views import Decision, SeasonPlan, SeasonView, SkyView
from wstdes.units import Radians

__all__ = ["LookAhead", "LookAheadOptions"]

Array = NDArray[np.float64]
_TURN = 2.0 * np.pi


class LookAheadOptions(MeritOptions):
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
    ra_bins: Annotated[
        int, Field(ge=8, le=96, description="of right ascension and sidereal time")
    ] = 24
    dec_step_rad: Annotated[Radians, Field(gt=0.01, description="of declination")] = 0.2618
    period_nights: Annotated[
        int, Field(ge=1, description="length of the plan's first period; later ones are longer")
    ] = 30
    period_growth: Annotated[
        float, Field(ge=1, description="of each period over the one before, up to half a year")
    ] = 1.5
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
        price = view.plan.arrays["price"][view.tiles]
        terms = merit_terms(view, self.options, price)
        if len(view.tiles):
            terms["hour"] = np.full(len(view.tiles), 1.0 / self._hour(view, view.plan))
        return decide(view, terms)

    def _hour(self, view: SkyView, plan: SeasonPlan) -> float:
        """What a second is worth now: weighted targets, at the plan's prices."""
        hour = plan.arrays["hour"]
        lst = float(view.ra_rad[0] + view.hour_angle_rad[0]) % _TURN
        now = hour[int(lst / _TURN * len(hour)) % len(hour)]
        return float(now) if now > 0.0 else float(plan.numbers["mean hour"])

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
        if not len(season.pairs):
            return SeasonPlan(
                view.night,
                {"price": np.ones_like(view.remaining), "hour": np.zeros(options.ra_bins)},
                {"mean hour": 1.0},
            )
        found = prices(view, season, options.haste, options.fine, options.solver)
        first = season.slots.after_nights < options.period_nights
        lst = (season.slots.lst_rad / _TURN * options.ra_bins).astype(np.int64)
        time_s = np.where(first, season.slots.time_s, 0.0)
        total = np.bincount(lst, time_s, options.ra_bins)
        hour = np.bincount(lst, time_s * found.hour, options.ra_bins)
        hour = np.divide(hour, total, out=np.zeros(len(hour)), where=total > 0.0)
        mean = float(found.hour @ season.slots.time_s / season.slots.time_s.sum())
        return SeasonPlan(
            view.night,
            {"price": found.of_tile, "hour": np.asarray(hour * found.unit, np.float64)},
            {"mean hour": mean * found.unit, "undone": found.undone},
        )
