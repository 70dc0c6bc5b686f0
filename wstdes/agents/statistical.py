"""The statistical fidelity of a scenario: its account, calibrated on its own full allocations."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wstdes.agents.configuration import MODE_KIND, Configuration
from wstdes.agents.parts import Parts
from wstdes.agents.records import Alert
from wstdes.agents.rehearsal import rehearse
from wstdes.kernel import Streams
from wstdes.models.focalplane import HR, LR, project
from wstdes.survey.calibrate import Calibration, calibrate, classes
from wstdes.survey.fields import FieldTargets, field_targets
from wstdes.survey.law import Law
from wstdes.survey.pieces import Reach, find_pieces, find_reach
from wstdes.survey.progress import SurveyProgress
from wstdes.survey.statistical import Row, StatisticalAccount, StatisticalModel, StatisticalState

__all__ = [
    "FIELDS",
    "VISITS",
    "Statistical",
    "configure_statistical",
    "make_statistical",
]

FIELDS = 14
"""Fields that are rehearsed: half of them to fit, half to measure the error."""
VISITS = 10
"""Visits of each."""


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

    def standards(
        self, parts: Parts, tile: int | None, ra_rad: float, dec_rad: float
    ) -> NDArray[np.float64]:
        """Flux standards that fibres of each kind reach in a field, shape (2,)."""
        if tile is None:
            density = np.zeros(2)
            for s in parts.standards:
                here = s.source.density_per_sr(np.array([ra_rad]), np.array([dec_rad]))
                density[s.kind] += float(here[0])
        else:
            density = self.standards_per_sr[tile]
        area_sr = 2.0 * np.pi * (1.0 - np.cos(np.arctan(self.reach.tangent)))
        return np.asarray(density * area_sr * self.model.reach)

    def account(
        self, state: StatisticalState, remaining: NDArray[np.float64]
    ) -> StatisticalAccount:
        """Open the account; `remaining` [tiles, tile surveys] is kept up to date in place."""
        return StatisticalAccount(self.model, state, remaining, self.columns)


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
    numbers = pieces.integrate([s.source.density_per_sr for s in parts.fibre_surveys])
    count = np.stack([n.count for n in numbers], axis=1)
    area = np.stack([n.area_sr for n in numbers], axis=1)
    held = [np.bincount(pieces.tile, c[pieces.piece], len(tiling)) for c in count.T]
    weight = np.stack(held, axis=1).astype(np.float64)
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


def configure_statistical(
    parts: Parts,
    statistical: Statistical,
    account: StatisticalAccount,
    usable: NDArray[np.bool_],
    where: int | tuple[float, float],
    surveys: frozenset[int],
    alerts: list[Alert],
) -> Configuration:
    """Assign the fibres of a field in expected numbers; alerts one by one.

    Parameters
    ----------
    parts : Parts
        The facility.
    statistical : Statistical
        What its account is made of.
    account : StatisticalAccount
        What the surveys have got.
    usable : ndarray of bool, shape (fibres,)
        Fibres that can be used.
    where : int or tuple of float
        Tile, or centre of a field of its own, ICRS [rad].
    surveys : frozenset of int
        Numbers of the surveys that get fibres.
    alerts : list of Alert
        Those that wait in or near the field.

    Returns
    -------
    Configuration
        With a claim.
    """
    tiling, plane, model = parts.tiling, parts.focal_plane, parts.scenario.focal_plane
    tile = where if isinstance(where, int) else None
    ra, dec = (
        (float(tiling.ra_rad[where]), float(tiling.dec_rad[where]))
        if isinstance(where, int)
        else where
    )
    got, fibre = _serve_alerts(parts, usable, ra, dec, alerts)
    standards = statistical.standards(parts, tile, ra, dec)
    uses: dict[str, dict[str, int]] = {}
    fibres, capacity = [0, 0], [0, 0]
    shares = {LR: model.standard_fraction_lr, HR: model.standard_fraction_hr}
    for mode, kind in MODE_KIND.items():
        mine = plane.kind == kind
        ready = int(np.count_nonzero(usable & mine))
        n_sky = round(model.sky_fraction * ready)
        n_standard = min(round(shares[kind] * ready), round(standards[kind]), ready - n_sky)
        n_alerts = len(got) if kind == LR else 0
        fibres[kind], capacity[kind] = ready, max(0, ready - n_sky - n_standard - n_alerts)
        broken = int(np.count_nonzero(mine)) - ready
        uses[mode] = {
            "science": n_alerts,
            "standard": n_standard,
            "sky": n_sky,
            "broken": broken,
        }
    wants = np.array([number in surveys for number in statistical.surveys], dtype=np.bool_)
    claim, left, assigned = account.configure(
        where, wants, (fibres[LR], fibres[HR]), (capacity[LR], capacity[HR])
    )
    zero = np.zeros(0)
    result = Configuration(
        zero.astype(np.int16),
        zero.astype(np.int64),
        zero.astype(np.int64),
        zero.astype(np.float32),
        zero.astype(np.int8),
        {},
        [alerts[i].number for i in got],
        dict.fromkeys(sorted(surveys & set(statistical.surveys)), 0),
        dict.fromkeys(sorted(surveys & set(statistical.surveys)), 0),
        uses=uses,
        alert_fibre=np.array(fibre, dtype=np.int32),
        claim=claim,
    )
    for place, number in enumerate(statistical.surveys):
        if wants[place]:
            result.wanted[number] = round(float(left[place]))
            result.assigned[number] = round(float(assigned[place]))
    for mode, kind in MODE_KIND.items():
        mine = [s.number for s in parts.fibre_surveys if s.kind == kind and s.number in surveys]
        science = sum(result.assigned[number] for number in mine)
        uses[mode]["science"] += min(science, capacity[kind])
        taken = uses[mode]["science"] + uses[mode]["standard"] + uses[mode]["sky"]
        uses[mode]["unassigned"] = fibres[kind] - taken
        result.candidates[mode] = sum(result.wanted[number] for number in mine)
    if parts.alert_survey is not None and got:
        result.wanted[parts.alert_survey] = result.assigned[parts.alert_survey] = len(got)
        result.candidates["lr"] += len(got)
    return result


def _serve_alerts(
    parts: Parts, usable: NDArray[np.bool_], ra: float, dec: float, alerts: list[Alert]
) -> tuple[list[int], list[int]]:
    """Places in the list of alerts that a fibre reaches, and the nearest free fibres."""
    if parts.alert_survey is None or not alerts:
        return [], []
    plane = parts.focal_plane
    x, y, visible = project(
        np.array([a.ra_rad for a in alerts]),
        np.array([a.dec_rad for a in alerts]),
        ra,
        dec,
        parts.scenario.telescope.plate_scale_m_per_rad,
    )
    inside = visible & (np.hypot(np.nan_to_num(x), np.nan_to_num(y)) <= plane.reach_m)
    got: list[int] = []
    fibre: list[int] = []
    taken: set[int] = set()
    places = np.flatnonzero(inside)
    near: Any = parts.fibre_tree.query_ball_point(
        np.stack([x[places], y[places]], axis=1), float(plane.patrol_m.max())
    )
    for i, found in zip(places.tolist(), near, strict=True):
        some = np.array(found, dtype=np.int64)
        away = np.hypot(plane.x_m[some] - x[i], plane.y_m[some] - y[i])
        reach = (away <= plane.patrol_m[some]) & (away >= plane.inner_m[some])
        reach &= usable[some] & (plane.kind[some] == LR)
        free = zip(away[reach].tolist(), some[reach].tolist(), strict=True)
        best = min((item for item in free if item[1] not in taken), default=None)
        if best is not None:
            got.append(i)
            fibre.append(best[1])
            taken.add(best[1])
    return got, fibre


def _choose(weight: NDArray[np.float64], fields: int) -> NDArray[np.int64]:
    """Tiles spread over what they hold: for each survey from few to the most, by equal factors."""
    found: list[int] = []
    turns = -(-fields // max(weight.shape[1], 1))
    for column in weight.T:
        some = np.flatnonzero(column > 0.0)
        if not len(some):
            continue
        order = some[np.argsort(column[some], kind="stable")]
        wanted = np.geomspace(np.quantile(column[some], 0.1), column[order[-1]], turns + 1)[1:]
        places = np.minimum(np.searchsorted(column[order], wanted * (1 - 1e-9)), len(order) - 1)
        found += [int(order[p]) for p in places]
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
        seen = [f.required_s[f.survey == survey.number] for f in fields]
        required = np.concatenate(seen) if seen else np.zeros(0)
        if not len(required):
            required = np.array([parts.views[parts.tile_surveys.index(survey.number)].required_s])
        for mean_s, share in zip(*classes(required), strict=True):
            rows.append(Row(place, survey.kind, float(mean_s), float(share)))
    return tuple(rows)
