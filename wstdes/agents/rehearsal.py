"""Full allocations of a field, visit after visit: what the statistical account is calibrated on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from wstdes.agents.configuration import assign_field
from wstdes.agents.parts import Parts
from wstdes.allocation import FibreUse
from wstdes.models.focalplane import HR, LR
from wstdes.survey.calibrate import Rehearsal, Trial
from wstdes.survey.fields import STANDARD, STARTED_BONUS, FieldTargets
from wstdes.survey.pieces import Reach

__all__ = ["rehearse", "sky_limits"]

_SKIES = (1.0, 1.0, 1.8, 4.0)
_EFFICIENCIES = (0.35, 0.7, 1.0)
"""Skies over dark, and effective over open-shutter time, that visits are drawn from (assumed)."""


def sky_limits(parts: Parts) -> list[tuple[float, float]]:
    """Darkest and brightest sky that each survey with targets by cells wants."""
    views = {parts.tile_surveys[i]: v for i, v in enumerate(parts.views)}
    return [(views[s.number].sky_min, views[s.number].sky_max) for s in parts.fibre_surveys]


def rehearse(
    parts: Parts,
    reach: Reach,
    tile: int,
    drawn: FieldTargets,
    visits: int,
    rng: np.random.Generator,
) -> Rehearsal:
    """Visit a field again and again, with every fibre assigned.

    Parameters
    ----------
    parts : Parts
        The facility.
    reach : Reach
        Where its fibres can go.
    tile : int
        Which one.
    drawn : FieldTargets
        All its targets.
    visits : int
        How many; the sky and the time they give are drawn.
    rng : numpy.random.Generator
        For that, and for the broken positioners.

    Returns
    -------
    Rehearsal
    """
    model, plane = parts.scenario.focal_plane, parts.focal_plane
    usable = rng.random(plane.n_fibres) >= model.broken_fraction
    field = _Field(parts, drawn, reach.of(drawn.x_m, drawn.y_m, drawn.kind))
    observing = parts.scenario.observing
    trials = []
    for _ in range(visits):
        sky = float(rng.choice(_SKIES))
        open_s = observing.exposures * observing.exposure_s
        seconds = 2.0 * round(0.5 * open_s * float(rng.choice(_EFFICIENCIES)))
        trials.append(field.visit(usable, sky, seconds))
    return Rehearsal(tile, tuple(trials))


class _Field:
    """The targets of a field and how far they have come."""

    def __init__(self, parts: Parts, drawn: FieldTargets, near: NDArray[np.bool_]) -> None:
        self.parts, self.drawn, self.near = parts, drawn, near
        self.given_s = np.zeros(len(drawn))
        self.numbers = [s.number for s in parts.fibre_surveys]
        self.limits = sky_limits(parts)

    def visit(self, usable: NDArray[np.bool_], sky: float, seconds: float) -> Trial:
        """Assign all fibres, and give the targets time."""
        drawn, near = self.drawn, self.near
        wants = np.array([low <= sky <= high for low, high in self.limits])
        standard = drawn.survey == STANDARD
        wanting = np.isin(drawn.survey, np.array(self.numbers)[wants])
        open_ = wanting & (self.given_s < drawn.required_s)
        here = np.flatnonzero(open_ | standard)
        some = self.given_s > 0.0
        priority = drawn.priority + STARTED_BONUS * some
        columns = {
            name: getattr(drawn, name)[here]
            for name in ("survey", "pixel", "index", "required_s", "x_m", "y_m", "kind")
        }
        assignment, _, _ = assign_field(
            self.parts, FieldTargets(**columns, priority=priority[here], sizes={}), usable
        )
        got = np.zeros(len(drawn), dtype=np.bool_)
        got[here[assignment.fibre_of_target >= 0]] = True
        got &= ~standard
        plane = self.parts.focal_plane
        fibres, capacity = [], []
        for kind in (LR, HR):
            mine = assignment.use[usable & (plane.kind == kind)]
            other = (mine == FibreUse.STANDARD) | (mine == FibreUse.SKY)
            fibres.append(len(mine))
            capacity.append(len(mine) - int(other.sum()))
        near_open = open_ & near
        before = (near_open & some, near_open & ~some, near, got & some, got & ~some)
        self.given_s[got] += seconds
        done = self.given_s >= drawn.required_s
        begun, untouched, total, got_begun, got_untouched = (self._count(w) for w in before)
        return Trial(
            wants,
            (fibres[0], fibres[1]),
            (capacity[0], capacity[1]),
            self._count(open_),
            begun,
            untouched,
            total,
            got_begun,
            got_untouched,
            seconds,
            self._count(done),
        )

    def _count(self, which: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Targets by survey, in the order of the account."""
        return np.array([float((which & (self.drawn.survey == n)).sum()) for n in self.numbers])
