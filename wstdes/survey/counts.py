"""Targets that tiles hold and fibres that they have for them, to plan with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from wstdes.config.scenario import Scenario
from wstdes.survey.density import Demand, demand_points
from wstdes.survey.ifs import offset
from wstdes.survey.stored import StoredSource
from wstdes.survey.targets import TargetSource
from wstdes.survey.tiling import Tiling, counts_within

__all__ = ["alone_share", "demand", "expected_targets", "mean_count", "science_fibres"]

FloatArray = NDArray[np.float64]
Sources = Mapping[int, TargetSource]

_POLAR = np.sqrt((np.arange(19) + 0.5) / 19), np.arange(19) * np.pi * (3.0 - np.sqrt(5.0))
_SUNFLOWER: FloatArray = np.stack(
    [_POLAR[0] * np.cos(_POLAR[1]), _POLAR[0] * np.sin(_POLAR[1])], axis=1
)
"""Nineteen points that fill the unit disc evenly (Vogel 1979, Math. Biosci. 44, 179)."""


def science_fibres(scenario: Scenario) -> dict[str, float]:
    """Return the fibres for targets in a visit, by mode."""
    plane = scenario.focal_plane
    usable = 1.0 - plane.broken_fraction
    lr = usable * (1.0 - plane.sky_fraction - plane.standard_fraction_lr)
    hr = usable * (1.0 - plane.sky_fraction - plane.standard_fraction_hr)
    return {"lr": plane.lr_fibres * lr, "hr": plane.hr_fibres * hr}


def demand(scenario: Scenario, sources: Sources, visit_s: float) -> Demand:
    """Return what the surveys want of the fibres, by cells of sky.

    Parameters
    ----------
    scenario : Scenario
        What the user asked for.
    sources : mapping of int to TargetSource
        Of the surveys that fibres observe, by number.
    visit_s : float
        Effective time that a visit gives [s].
    """
    surveys = list(scenario.surveys.values())
    points = demand_points()
    cell_sr = 4.0 * np.pi / len(points)
    fibres = {mode: n for mode, n in science_fibres(scenario).items() if n > 0.0}
    wanted = np.zeros((len(fibres), len(points)))
    for number, source in sources.items():
        survey = surveys[number]
        if survey.mode in fibres:
            visits = max(1.0, survey.required_s / visit_s)
            wanted[list(fibres).index(survey.mode)] += visits * _number(source, points, cell_sr)
    return Demand(points, wanted, np.array(list(fibres.values())), np.ones(len(fibres)))


def _number(source: TargetSource, points: FloatArray, area_sr: float) -> FloatArray:
    """Targets expected in an area around each point."""
    if isinstance(source, StoredSource):
        radius = float(np.arccos(1.0 - area_sr / (2.0 * np.pi)))
        return source.count_within(points[:, 0], points[:, 1], radius)
    return source.density_per_sr(points[:, 0], points[:, 1]) * area_sr


def expected_targets(
    sources: Sources, tiling: Tiling, tile_surveys: Sequence[int], reach_rad: float
) -> FloatArray:
    """Return the targets expected in each tile; one field for surveys of the mode ifs.

    Parameters
    ----------
    sources : mapping of int to TargetSource
        Of the surveys that fibres observe, by number.
    tiling : Tiling
        The tiles.
    tile_surveys : sequence of int
        Survey numbers of the columns.
    reach_rad : float
        From a tile's centre to the outermost place that a fibre reaches [rad].

    Returns
    -------
    float64[tiles, tile surveys]
    """
    table = np.zeros((len(tiling), len(tile_surveys)))
    for column, number in enumerate(tile_surveys):
        inside = tiling.inside[:, number]
        if number in sources:
            ra, dec = tiling.ra_rad[inside], tiling.dec_rad[inside]
            table[inside, column] = mean_count(sources[number], ra, dec, reach_rad)
        else:
            table[inside, column] = 1.0
    return table


def mean_count(source: TargetSource, ra: FloatArray, dec: FloatArray, radius: float) -> FloatArray:
    """Return the targets in fields: counted, or by the density at points that fill the field."""
    if isinstance(source, StoredSource):
        return source.count_within(ra, dec, radius)
    area_sr = 2.0 * np.pi * (1.0 - np.cos(radius))
    total = np.zeros(len(ra))
    for x, y in _SUNFLOWER * radius:
        total += source.density_per_sr(*offset(ra, dec, x, y))
    return np.asarray(total * (area_sr / len(_SUNFLOWER)))


def alone_share(tiling: Tiling, survey: int, reach_rad: float) -> FloatArray:
    """Return what each tile adds to a survey, as a share of its field.

    Parameters
    ----------
    tiling : Tiling
        The tiles.
    survey : int
        Its number.
    reach_rad : float
        From a tile's centre to the outermost place that a fibre reaches [rad].

    Returns
    -------
    float64[tiles]
        1 where no other tile of the survey sees the field; sky that m of them see counts an m-th
        in each. 0 in tiles that are not the survey's.
    """
    mine = tiling.inside[:, survey]
    ra, dec = tiling.ra_rad[mine], tiling.dec_rad[mine]
    share = np.zeros(len(tiling))
    for x, y in _SUNFLOWER * reach_rad:
        points = np.stack(offset(ra, dec, x, y), axis=-1)
        share[mine] += 1.0 / np.maximum(1, counts_within(ra, dec, points, reach_rad))
    return share / len(_SUNFLOWER)
