"""All that wants a fibre in a field: the targets of every survey, on the focal plane."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wstdes.models.focalplane import apply_proper_motion, project
from wstdes.survey.catalogue import CatalogueSource
from wstdes.survey.progress import CREDIT_S, SurveyProgress
from wstdes.survey.targets import Targets, TargetSource, cells_in_cone

__all__ = ["FieldTargets", "SurveyTargets", "field_targets"]

STANDARD = -1
"""Survey number of flux standards."""
RANK_SHARE = 0.4
"""Added to the priority of a catalogue's most important target, in proportion to the others'."""
THREADS = 2
"""Cells are drawn side by side; they are the same in any order."""
STARTED_BONUS = 0.5
"""Added to a target's priority once it has some of its time, so that it is finished."""


@dataclass(frozen=True)
class SurveyTargets:
    """A survey's share in a field: its source and rules.

    Parameters
    ----------
    number : int
        Of the survey; :data:`STANDARD` for flux standards.
    source : TargetSource
        Where its targets come from.
    kind : int
        Kind of fibre (LR or HR).
    priority : float
        Larger goes first.
    """

    number: int
    source: TargetSource
    kind: int
    priority: float


@dataclass(frozen=True, eq=False)
class FieldTargets:
    """Targets in a field, one array a column.

    Parameters
    ----------
    survey : ndarray of int16
        Number of the survey; :data:`STANDARD` for standards.
    pixel, index : ndarray of int64
        Cell, and place in it.
    required_s : ndarray of float32
        Effective time needed [s].
    x_m, y_m : ndarray of float64
        On the focal plane [m].
    kind : ndarray of int8
        Kind of fibre.
    priority : ndarray of float64
        Larger goes first.
    sizes : dict
        Targets in the cell, by (survey, cell).
    """

    survey: NDArray[np.int16]
    pixel: NDArray[np.int64]
    index: NDArray[np.int64]
    required_s: NDArray[np.float32]
    x_m: NDArray[np.float64]
    y_m: NDArray[np.float64]
    kind: NDArray[np.int8]
    priority: NDArray[np.float64]
    sizes: dict[tuple[int, int], int]

    def __len__(self) -> int:
        return len(self.survey)


def field_targets(
    surveys: Sequence[SurveyTargets],
    progress: Sequence[SurveyProgress],
    ra_rad: float,
    dec_rad: float,
    *,
    radius_m: float,
    scale_m_per_rad: float,
    year: float,
) -> FieldTargets:
    """Gather the unfinished targets of a field.

    Parameters
    ----------
    surveys : sequence of SurveyTargets
        Those that want fibres.
    progress : sequence of SurveyProgress
        By survey number.
    ra_rad, dec_rad : float
        Centre of the field, ICRS [rad].
    radius_m, scale_m_per_rad : float
        Reach of the focal plane [m] and plate scale [m/rad].
    year : float
        Julian year, for proper motions.

    Returns
    -------
    FieldTargets
    """
    radius_rad = float(np.arctan(radius_m / scale_m_per_rad))
    parts: list[_Part] = []
    sizes: dict[tuple[int, int], int] = {}
    pixels = cells_in_cone(ra_rad, dec_rad, radius_rad).tolist()
    wanted = [(survey, pixel) for pixel in pixels for survey in surveys]
    with ThreadPoolExecutor(THREADS) as pool:
        cells = pool.map(lambda job: job[0].source.cell(job[1]), wanted)
        for (survey, pixel), cell in zip(wanted, cells, strict=True):
            if len(cell):
                sizes[survey.number, pixel] = len(cell)
                parts.append(_unfinished(survey, progress, cell, pixel))
    joined = _join(parts)
    moved = _move(joined.targets, joined.epoch_yr, year)
    x, y, visible = project(*moved, ra_rad, dec_rad, scale_m_per_rad)
    keep = visible & (np.hypot(x, y) <= radius_m)
    return FieldTargets(
        joined.survey[keep],
        joined.pixel[keep],
        joined.index[keep],
        joined.targets.required_s[keep],
        x[keep],
        y[keep],
        joined.kind[keep],
        joined.priority[keep],
        sizes,
    )


@dataclass(frozen=True, eq=False)
class _Part:
    targets: Targets
    survey: NDArray[np.int16]
    pixel: NDArray[np.int64]
    index: NDArray[np.int64]
    kind: NDArray[np.int8]
    priority: NDArray[np.float64]
    epoch_yr: NDArray[np.float64]


def _unfinished(
    survey: SurveyTargets, progress: Sequence[SurveyProgress], cell: Targets, pixel: int
) -> _Part:
    index = np.arange(len(cell), dtype=np.int64)
    priority = np.full(len(cell), survey.priority)
    if isinstance(survey.source, CatalogueSource):
        rank = survey.source.rank(pixel)
        priority += 0.0 if rank is None else RANK_SHARE * rank
    if survey.number != STANDARD:
        credit = progress[survey.number].of(pixel, len(cell))
        open_ = credit * CREDIT_S < cell.required_s
        priority += STARTED_BONUS * (credit > 0)
        if not open_.all():
            index, priority, cell = index[open_], priority[open_], cell.take(open_)
    n = len(index)
    return _Part(
        cell,
        np.full(n, survey.number, dtype=np.int16),
        np.full(n, pixel, dtype=np.int64),
        index,
        np.full(n, survey.kind, dtype=np.int8),
        priority,
        np.full(n, survey.source.epoch_yr),
    )


def _join(parts: list[_Part]) -> _Part:
    def column(name: str, kind: type) -> Any:
        arrays = [getattr(p, name) for p in parts]
        return np.concatenate(arrays) if arrays else np.zeros(0, dtype=kind)

    return _Part(
        Targets.concatenate([p.targets for p in parts]),
        column("survey", np.int16),
        column("pixel", np.int64),
        column("index", np.int64),
        column("kind", np.int8),
        column("priority", np.float64),
        column("epoch_yr", np.float64),
    )


def _move(
    targets: Targets, epoch_yr: NDArray[np.float64], year: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Positions at a year; only those that move are computed."""
    ra, dec = targets.ra_rad.copy(), targets.dec_rad.copy()
    moving = (targets.pm_ra_rad_per_yr != 0) | (targets.pm_dec_rad_per_yr != 0)
    for epoch in np.unique(epoch_yr[moving]):
        mine = moving & (epoch_yr == epoch)
        ra[mine], dec[mine] = apply_proper_motion(
            ra[mine],
            dec[mine],
            targets.pm_ra_rad_per_yr[mine].astype(np.float64),
            targets.pm_dec_rad_per_yr[mine].astype(np.float64),
            year - float(epoch),
        )
    return ra, dec
