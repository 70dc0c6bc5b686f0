"""What to observe next: the greedy choice, and what every scheduling policy is made of.

A score is the product of named terms, so that ``wstdes why`` can show what decided.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from wstdes.config.base import Model
from wstdes.jit import njit, plain
from wstdes.policies.base import NoOptions, Policy
from wstdes.policies.views import Decision, SeasonPlan, SeasonView, SkyView
from wstdes.units import Radians

__all__ = [
    "GreedyOptions",
    "Highest",
    "Merit",
    "MeritOptions",
    "SchedulingPolicy",
    "decide",
    "merit_terms",
    "tile_gain",
]

Array = NDArray[np.float64]
_MODES = {"lr": 0, "hr": 1, "ifs": 2}
_RIGHT_ANGLE = 0.5 * np.pi


class SchedulingPolicy(Protocol):
    """Chooses a tile.

    A policy that looks ahead has two methods more, which the observer calls at noon::

        def due(self, night: int, plan: SeasonPlan | None) -> bool
        def plan(self, view: SeasonView) -> SeasonPlan
    """

    def choose(self, view: SkyView) -> Decision:
        """Return the tile to observe next, or none."""


# Gain -----------------------------------------------------------------------------------------


@njit
def _gains(
    left: tuple[Array, Array, Array],
    light: tuple[Array, Array, Array, Array],
    rules: Array,
    fibres: Array,
    limits: tuple[float, float, float],
    out: Array,
) -> None:
    """Fill the four rows of out: gain, priced gain, that times urgency, gain times depth."""
    remaining, urgency, price = left
    signal, sky, open_s, field_s = light
    sun, minimum_rate, exponent = limits
    for t in range(len(signal)):
        lr, hr = fibres[0], fibres[1]
        gained, priced, pressed, deep = 0.0, 0.0, 0.0, 0.0
        for row in range(len(rules)):
            j = int(rules[row, 0])
            wanted, pressing = remaining[t, j], urgency[t, j]
            if not (pressing > 0.0 and wanted > 0.0 and sun <= rules[row, 5]):
                continue
            if sky[t] < rules[row, 3] or sky[t] > rules[row, 4]:
                continue
            rate = signal[t]
            if rules[row, 6] >= 0.0:  # the sky's noise, with this floor; else the target's own
                rate *= signal[t] * (1.0 + rules[row, 6]) / (sky[t] + rules[row, 6])
            if rate < minimum_rate:
                continue
            mode, each = int(rules[row, 7]), rules[row, 2]
            if mode == 2 and field_s[t] > 0.0:  # a field with a time of its own
                each = 1.0 / field_s[t]
            advance = min(1.0, rate * open_s[t] * each)
            if mode == 2:
                gain = rules[row, 1] * min(advance, wanted)
            elif mode == 1:
                given = min(wanted, hr)
                hr -= given
                gain = rules[row, 1] * given * advance
            else:
                given = min(wanted, lr)
                lr -= given
                gain = rules[row, 1] * given * advance
            worth = gain * price[t, j]
            gained += gain
            priced += worth
            pressed += worth if pressing == 1.0 else worth * pressing**exponent
            deep += gain * rules[row, 8]
        out[0, t], out[1, t], out[2, t], out[3, t] = gained, priced, pressed, deep


def _rules(view: SkyView) -> Array:
    """Surveys by priority: number, weight, 1 / required, sky (2), sun, floor, mode, depth."""
    surveys = view.surveys
    depth = [math.log2(s.required_s) for s in surveys]
    middle = math.fsum(depth) / max(len(depth), 1)
    order = sorted(range(len(surveys)), key=lambda i: -surveys[i].priority)
    rows = [
        (
            i,
            s.weight,
            1.0 / s.required_s,
            s.sky_min,
            s.sky_max,
            s.sun_altitude_max_rad,
            {"sky": view.floors[s.mode], "sky-alone": 0.0, "source": -1.0}[s.noise],
            _MODES[s.mode],
            depth[i] - middle,
        )
        for i, s in ((i, surveys[i]) for i in order)
    ]
    return np.array(rows, dtype=np.float64).reshape(-1, 9)


def _weigh(
    view: SkyView, minimum_rate: float, urgency_exponent: float, price: Array | None
) -> Array:
    """The four rows of :func:`_gains`, shape (4, k)."""
    out = np.zeros((4, len(view.tiles)))
    if not view.surveys:
        return out
    remaining = plain(view.remaining, np.float64)
    prices = np.ones_like(remaining) if price is None else plain(price, np.float64)
    field_s = np.full(len(view.tiles), np.nan) if view.field_s is None else view.field_s
    _gains(
        (remaining, plain(view.urgency, np.float64), prices),
        (
            plain(view.signal, np.float64),
            plain(view.sky, np.float64),
            plain(view.open_s, np.float64),
            plain(field_s, np.float64),
        ),
        _rules(view),
        np.array([float(view.fibres.get(mode, 0)) for mode in _MODES]),
        (float(view.sun_altitude_rad), float(minimum_rate), float(urgency_exponent)),
        out,
    )
    return out


def tile_gain(view: SkyView, minimum_rate: float = 0.0) -> Array:
    """Weighted targets that a visit to each tile would finish, in expectation.

    Parameters
    ----------
    view : SkyView
        The moment.
    minimum_rate : float
        Effective over open-shutter time below which a survey is not worth observing.

    Returns
    -------
    ndarray of float64, shape (k,)
        Fibres go to surveys by priority; a visit advances a target (or field) by its effective
        time over the time it needs, at most by what is left.
    """
    return np.asarray(_weigh(view, minimum_rate, 1.0, None)[0])


# Decision -------------------------------------------------------------------------------------


def decide(view: SkyView, terms: Mapping[str, Array]) -> Decision:
    """Choose the tile with the greatest product of terms; ties go to the lower number.

    Parameters
    ----------
    view : SkyView
        The moment.
    terms : mapping of str to ndarray of float64, shape (k,)
        Factors of the score, none negative, in the order in which people shall read them.

    Returns
    -------
    Decision
        No tile where no product is above zero.
    """
    score = np.ones(len(view.tiles))
    for term in terms.values():
        score = score * term
    if not len(score):
        return Decision(None)
    best = int(np.argmax(score))
    if not score[best] > 0:
        return Decision(None)

    def of(place: int) -> dict[str, float]:
        return {name: float(term[place]) for name, term in terms.items()}

    first, top = int(view.tiles[best]), float(score[best])
    score[best] = -np.inf
    second = int(np.argmax(score))
    if not score[second] > 0:
        return Decision(first, top, terms=of(best))
    return Decision(first, top, int(view.tiles[second]), float(score[second]), of(best), of(second))


class GreedyOptions(Model):
    """Weights of :func:`merit_terms`, which several policies share."""

    minimum_rate: Annotated[
        float, Field(ge=0, description="effective over open time below which it is not worth it")
    ] = 0.25
    return_bonus: Annotated[
        float, Field(ge=0, description="added to the gain of a tile that was begun, as a share")
    ] = 1.0
    slew: Annotated[
        float, Field(ge=0, description="weight of a second of slew against one of the visit")
    ] = 1.0
    urgency: Annotated[
        float, Field(ge=0, description="exponent of the urgency (1 to 2) of surveys with a cadence")
    ] = 2.0
    airmass: Annotated[
        float, Field(ge=0, description="exponent of 1/airmass, besides what it costs in light")
    ] = 0.0
    hour_angle_width_rad: Annotated[
        Radians | None,
        Field(gt=0, description="width of a Gaussian about the meridian; left out: none"),
    ] = None
    moon: Annotated[
        float,
        Field(ge=0, description="exponent of the distance from the Moon, in right angles"),
    ] = 0.0
    seeing: Annotated[
        float,
        Field(ge=0, description="how much long exposures are kept for good air, short for bad"),
    ] = 0.0


def merit_terms(
    view: SkyView, options: GreedyOptions, price: Array | None = None
) -> dict[str, Array]:
    """Factors of the greedy score.

    Parameters
    ----------
    view : SkyView
        The moment.
    options : GreedyOptions
        Weights; a term that has none is left out.
    price : ndarray of float64, shape (k, surveys), optional
        Worth of a weighted target by survey, over that of the mean.

    Returns
    -------
    dict of str to ndarray of float64, shape (k,)
        ``gain`` in weighted targets, ``per second`` in 1/s, all others without unit.
    """
    gain, priced, pressed, deep = _weigh(view, options.minimum_rate, options.urgency, price)
    some = gain > 0.0
    terms = {"gain": gain, "per second": 1.0 / (view.visit_s + options.slew * view.slew_s)}
    if price is not None:
        terms["price"] = np.divide(priced, gain, out=np.zeros_like(gain), where=some)
    if options.urgency:
        terms["urgency"] = np.divide(
            pressed, priced, out=np.ones_like(gain), where=some & (priced > 0.0)
        )
    if options.return_bonus:
        terms["begun"] = 1.0 + options.return_bonus * (view.visits > 0)
    if options.airmass:
        terms["airmass"] = view.airmass**-options.airmass
    if options.hour_angle_width_rad is not None:
        terms["hour angle"] = np.exp(
            -0.5 * (view.hour_angle_rad / options.hour_angle_width_rad) ** 2
        )
    if options.moon:
        away = np.minimum(1.0, view.moon_separation_rad / _RIGHT_ANGLE)
        terms["moon"] = away**options.moon
    if options.seeing and len(gain):
        depth = np.divide(deep, gain, out=np.zeros_like(gain), where=some)
        terms["seeing"] = float(np.max(view.signal)) ** (options.seeing * depth)
    return terms


class MeritOptions(GreedyOptions):
    """Options of :class:`Merit`."""

    balance: Annotated[
        float,
        Field(ge=0, description="exponent of the work left per hour at a right ascension"),
    ] = 0.0
    replan_nights: Annotated[
        int, Field(ge=1, description="nights from one look at the work left to the next")
    ] = 30


class Merit(Policy[MeritOptions]):
    """The greatest gain in a second: weighted targets finished over the visit with its slew.

    Tiles that were begun are worth more, so that what was started is finished.
    """

    Options = MeritOptions

    def choose(self, view: SkyView) -> Decision:
        """Return the tile of the greatest gain in time."""
        terms = merit_terms(view, self.options)
        if self.options.balance and view.plan is not None:
            pressure = view.plan.arrays["pressure"][view.tiles]
            terms["balance"] = pressure**self.options.balance
        return decide(view, terms)

    def due(self, night: int, plan: SeasonPlan | None) -> bool:
        """Whether the work left has to be counted anew: only for the balance."""
        if not self.options.balance:
            return False
        return plan is None or night - plan.night >= self.options.replan_nights

    def plan(self, view: SeasonView) -> SeasonPlan:
        """Count the work left per hour at each tile's right ascension."""
        from wstdes.policies.slots import pressure

        return SeasonPlan(view.night, {"pressure": pressure(view)})


class Highest(Policy[NoOptions]):
    """The highest tile on which anything is left: the plainest yardstick."""

    def choose(self, view: SkyView) -> Decision:
        """Return the highest tile with a gain."""
        useful = tile_gain(view) > 0
        return decide(view, {"altitude": np.where(useful, view.altitude_rad, 0.0)})
