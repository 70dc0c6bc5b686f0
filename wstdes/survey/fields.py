"""All that wants a fibre in a field: the targets of every survey, on the focal plane."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wstdes.survey.progress import CREDIT_S, SurveyProgress
from wstdes.survey.targets import InField, TargetSource

__all__ = ["FieldTargets", "SurveyTargets", "field_targets"]

STANDARD = -1
"""Survey number of flux standards."""
RANK_SHARE = 0.4
"""Added to the priority of a catalogue's most important target, in proportion to the others'."""
THREADS = 2
"""Surveys are gathered side by side; they are the same in any order."""
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
        Targets at home in the cell, by (survey, cell).
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
    tangent = radius_m / scale_m_per_rad

    def part(survey: SurveyTargets) -> _Part:
        found = survey.source.field(ra_rad, dec_rad, tangent, year)
        return _unfinished(survey, progress, found)

    with ThreadPoolExecutor(THREADS) as pool:
        parts = list(pool.map(part, surveys))
    sizes = {
        (survey.number, pixel): size
        for survey, found in zip(surveys, parts, strict=True)
        for pixel, size in found.targets.sizes.items()
    }
    counts = [len(p.targets) for p in parts]
    targets = [p.targets for p in parts]
    return FieldTargets(
        np.repeat(np.array([s.number for s in surveys], dtype=np.int16), counts),
        _join([t.pixel for t in targets], np.int64),
        _join([t.index for t in targets], np.int64),
        _join([t.required_s for t in targets], np.float32),
        _join([t.xi for t in targets], np.float64) * scale_m_per_rad,
        _join([t.eta for t in targets], np.float64) * scale_m_per_rad,
        np.repeat(np.array([s.kind for s in surveys], dtype=np.int8), counts),
        _join([p.priority for p in parts], np.float64),
        sizes,
    )


@dataclass(frozen=True, eq=False)
class _Part:
    targets: InField
    priority: NDArray[np.float64]


def _join(columns: list[NDArray[Any]], kind: type) -> NDArray[Any]:
    return np.concatenate(columns) if columns else np.zeros(0, dtype=kind)


def _unfinished(survey: SurveyTargets, progress: Sequence[SurveyProgress], found: InField) -> _Part:
    priority = np.full(len(found), survey.priority)
    if found.rank is not None:
        priority += RANK_SHARE * found.rank
    if survey.number == STANDARD:
        return _Part(found, priority)
    credit = progress[survey.number].at(found.pixel, found.index)
    priority += STARTED_BONUS * (credit > 0)
    open_ = credit * CREDIT_S < found.required_s
    if open_.all():
        return _Part(found, priority)
    return _Part(found.take(open_), priority[open_])
