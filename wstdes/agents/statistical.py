"""The statistical fidelity of a scenario: its account, calibrated on its own full allocations."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from wstdes.agents.configuration import assign_field
from wstdes.agents.parts import Parts
from wstdes.allocation import FibreUse
from wstdes.kernel import Streams
from wstdes.models.focalplane import HR, LR
from wstdes.survey.calibrate import Calibration, Rehearsal, Trial, calibrate, classes
from wstdes.survey.fields import STANDARD, STARTED_BONUS, FieldTargets, field_targets
from wstdes.survey.law import Law
from wstdes.survey.pieces import Reach, find_pieces, find_reach
from wstdes.survey.progress import SurveyProgress
from wstdes.survey.statistical import Row, StatisticalModel

__all__ = ["FIELDS", "VISITS", "Statistical", "make_statistical", "rehearse"]

FIELDS = 20
"""Fields that are rehearsed: half of them to fit, half to measure the error."""
VISITS = 12
"""Visits of each."""
_SKIES = (1.0, 1.0, 1.8, 4.0)
_EFFICIENCIES = (0.35, 0.7, 1.0)


@dataclass(frozen=True, eq=False)
class Statistical:
    """What the statistical account of a scenario is made of.

    Parameters
    ----------
    model : StatisticalModel
        Pieces of sky, what was in them, the law.
    surveys : tuple of int
        Survey numbers, in the order of the account.
    columns : tuple of int
        Their columns of the tiles' tables.
    standards_per_sr : ndarray of float64, shape (tiles, 2)
        Density of flux standards, by kind of fibre [1/sr].
    reach : Reach
        Where fibres can go.
    calibration : Calibration
        The law, and its error.
    """

    model: StatisticalModel
    surveys: tuple[int, ...]
    columns: tuple[int, ...]
    standards_per_sr: NDArray[np.float64]
    reach: Reach
    calibration: Calibration


def make_statistical(parts: Parts, fields: int = FIELDS, visits: int = VISITS) -> Statistical:
    """Make and calibrate the statistical account of a scenario.

    Parameters
    ----------
    parts : Parts
        The facility.
    fields, visits : int
        How many fields are rehearsed, and visits of each.

    Returns
    -------
    Statistical
        The same for the same scenario and seed.
    """
    tiling = parts.tiling
    reach = find_reach(parts.focal_plane, parts.scenario.telescope.plate_scale_m_per_rad)
    pieces = find_pieces(tiling.ra_rad, tiling.dec_rad, reach)
    numbers = [pieces.integrate(s.source.density_per_sr) for s in parts.fibre_surveys]
    count = np.stack([n.count for n in numbers], axis=1)
    area = np.stack([n.area_sr for n in numbers], axis=1)
    weight = np.stack([np.bincount(pieces.tile, c[pieces.piece], len(tiling)) for c in count.T], 1)
    tiles = _choose(weight, fields)
    fields_of = [_draw(parts, int(tile)) for tile in tiles]
    rows = _rows(parts, fields_of)
    priority = np.array([s.priority for s in parts.fibre_surveys])
    model = StatisticalModel(pieces, rows, priority, count, area, reach.share, Law())
    streams = Streams(parts.scenario.seed)
    rehearsals = [
        rehearse(parts, reach, int(tile), drawn, visits, streams("statistical", "visits", i))
        for i, (tile, drawn) in enumerate(zip(tiles, fields_of, strict=True))
    ]
    names = [parts.survey_names[s.number] for s in parts.fibre_surveys]
    found = calibrate(rehearsals, model, names, parts.scenario.allocation.collisions)
    standards = np.zeros((len(tiling), 2))
    for s in parts.standards:
        standards[:, s.kind] += s.source.density_per_sr(tiling.ra_rad, tiling.dec_rad)
    numbered = tuple(s.number for s in parts.fibre_surveys)
    return Statistical(
        replace(model, law=found.law),
        numbered,
        tuple(parts.tile_surveys.index(n) for n in numbered),
        standards,
        reach,
        found,
    )


def _choose(weight: NDArray[np.float64], fields: int) -> NDArray[np.int64]:
    """Tiles spread over what they hold: by turns the quantiles of each survey's numbers."""
    found: list[int] = []
    turns = -(-fields // max(weight.shape[1], 1))
    for column in weight.T:
        some = np.flatnonzero(column > 0.0)
        order = some[np.argsort(column[some], kind="stable")]
        places = (np.arange(turns) + 0.5) / turns * len(order)
        found += [int(order[int(p)]) for p in places if len(order)]
    chosen = np.array(sorted(set(found)), dtype=np.int64)
    return chosen[np.argsort(weight[chosen].sum(axis=1), kind="stable")][:fields]


def _draw(parts: Parts, tile: int) -> FieldTargets:
    """All targets of a tile's field, and its standards."""
    return field_targets(
        [*parts.standards, *parts.fibre_surveys],
        [SurveyProgress() for _ in parts.survey_names],
        float(parts.tiling.ra_rad[tile]),
        float(parts.tiling.dec_rad[tile]),
        radius_m=parts.focal_plane.reach_m,
        scale_m_per_rad=parts.scenario.telescope.plate_scale_m_per_rad,
        year=parts.clock.decimal_year(0.0),
    )


def _rows(parts: Parts, fields: list[FieldTargets]) -> tuple[Row, ...]:
    rows = []
    for place, survey in enumerate(parts.fibre_surveys):
        rules = parts.scenario.surveys[parts.survey_names[survey.number]]
        seen = [f.required_s[f.survey == survey.number] for f in fields]
        required = np.concatenate(seen) if seen else np.zeros(0)
        if not len(required):
            required = np.array([parts.views[parts.tile_surveys.index(survey.number)].required_s])
        for mean_s, share in zip(*classes(required), strict=True):
            rows.append(Row(place, survey.kind, float(mean_s), rules.noise, float(share)))
    return tuple(rows)


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
        views = {parts.tile_surveys[i]: v for i, v in enumerate(parts.views)}
        self.limits = [(views[n].sky_min, views[n].sky_max) for n in self.numbers]

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
        before = [open_ & near & some, open_ & near & ~some, near, got & some, got & ~some]
        self.given_s[got] += seconds
        done = self.given_s >= drawn.required_s
        counts = [self._count(what) for what in (open_, *before, done)]
        counts[3] = np.where(wants, counts[3], 0.0)
        return Trial(
            wants, (fibres[0], fibres[1]), (capacity[0], capacity[1]), *counts[:6], seconds, counts[6]
        )

    def _count(self, which: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Targets by survey, in the order of the account."""
        return np.array([float((which & (self.drawn.survey == n)).sum()) for n in self.numbers])


