"""What to observe next."""

from __future__ import annotations

from typing import Annotated, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from wstdes.config.base import Model
from wstdes.policies.base import NoOptions, Policy
from wstdes.policies.views import Decision, SkyView

__all__ = ["Highest", "Merit", "SchedulingPolicy", "tile_gain"]


class SchedulingPolicy(Protocol):
    """Chooses a tile."""

    def choose(self, view: SkyView) -> Decision:
        """Return the tile to observe next, or none."""


def tile_gain(view: SkyView, minimum_rate: float = 0.0) -> NDArray[np.float64]:
    """Weighted targets that a visit to each tile would finish, in expectation.

    Parameters
    ----------
    view : SkyView
        The moment.
    minimum_rate : float
        Effective over open-shutter time below which a survey is not worth observing.

    Returns
    -------
    ndarray of float64, shape (tiles,)
        Fibres go to surveys by priority; a visit advances a target (or field) by its effective
        time over the time it needs, at most by what is left.
    """
    gain = np.zeros(len(view.tiles))
    free = {mode: np.full(len(gain), float(n)) for mode, n in view.fibres.items()}
    order = sorted(range(len(view.surveys)), key=lambda i: -view.surveys[i].priority)
    for i in order:
        survey = view.surveys[i]
        rate = view.rate(survey)
        advance = np.minimum(1.0, rate * view.open_s / survey.required_s)
        wanted = (view.sky >= survey.sky_min) & (view.sky <= survey.sky_max)
        wanted &= (rate >= minimum_rate) & (view.urgency[:, i] > 0.0)
        wanted &= view.sun_altitude_rad <= survey.sun_altitude_max_rad
        if survey.mode == "ifs":
            gain += survey.weight * np.where(wanted, np.minimum(advance, view.remaining[:, i]), 0.0)
            continue
        given = np.where(wanted, np.minimum(view.remaining[:, i], free[survey.mode]), 0.0)
        free[survey.mode] = free[survey.mode] - given
        gain += survey.weight * given * advance
    return gain


def _best(view: SkyView, score: NDArray[np.float64]) -> Decision:
    """The best tile and the next; ties go to the lower number."""
    if not len(score):
        return Decision(None)
    best = int(np.argmax(score))
    if not score[best] > 0:
        return Decision(None)
    others = score.copy()
    others[best] = -np.inf
    second = int(np.argmax(others))
    if not others[second] > 0:
        return Decision(int(view.tiles[best]), float(score[best]))
    return Decision(
        int(view.tiles[best]), float(score[best]), int(view.tiles[second]), float(score[second])
    )


class MeritOptions(Model):
    """Options of :class:`Merit`."""

    minimum_rate: Annotated[
        float, Field(ge=0, description="effective over open time below which it is not worth it")
    ] = 0.25
    return_bonus: Annotated[
        float, Field(ge=0, description="added to the gain of a tile that was begun, as a share")
    ] = 1.0


class Merit(Policy[MeritOptions]):
    """The greatest gain in a second: weighted targets finished over the visit with its slew.

    Tiles that were begun are worth more, so that what was started is finished.
    """

    Options = MeritOptions

    def choose(self, view: SkyView) -> Decision:
        """Return the tile of the greatest gain in time."""
        gain = tile_gain(view, self.options.minimum_rate)
        begun = 1.0 + self.options.return_bonus * (view.visits > 0)
        return _best(view, gain * begun / (view.visit_s + view.slew_s))


class Highest(Policy[NoOptions]):
    """The highest tile on which anything is left: the plainest yardstick."""

    def choose(self, view: SkyView) -> Decision:
        """Return the highest tile with a gain."""
        useful = tile_gain(view) > 0
        return _best(view, np.where(useful, view.altitude_rad, 0.0))
