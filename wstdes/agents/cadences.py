"""Cadences: when a survey wants to come back to a tile, and its share of time in each visit."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from wstdes.agents.parts import Parts
from wstdes.survey.progress import CREDIT_S

if TYPE_CHECKING:
    from wstdes.agents.pending import SurveyLedgerState

__all__ = ["Cadences"]


class Cadences:
    """What the surveys' cadences ask.

    Parameters
    ----------
    parts : Parts
        The facility.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._any = any(s.cadence is not None for s in parts.scenario.surveys.values())

    def urgency(
        self, state: SurveyLedgerState, tiles: NDArray[np.int64], now_s: float
    ) -> NDArray[np.float64]:
        """How much each survey wants to come back, shape (k, tile surveys).

        0 where its cadence forbids it, 1 where it is due or has no cadence, rising to 2 at the end
        of its window and staying there.
        """
        urgency = np.ones((len(tiles), len(self._parts.tile_surveys)))
        if not self._any:
            return urgency
        for column, number in enumerate(self._parts.tile_surveys):
            cadence = self._parts.survey(number).cadence
            if cadence is None:
                continue
            since = now_s - state.last_s[tiles, column]
            served = state.served[tiles, column]
            early = since < cadence.interval_s - cadence.tolerance_s
            width = max(2.0 * cadence.tolerance_s, 1.0)
            late = np.clip((since - cadence.interval_s + cadence.tolerance_s) / width, 0.0, 1.0)
            begun = np.where(early, 0.0, 1.0 + late)
            urgency[:, column] = np.where(served == 0, 1.0, begun)
            urgency[served >= cadence.visits, column] = 0.0
        return urgency

    def most(self, survey: int, tile: int | None) -> int | None:
        """Steps of effective time that a visit gives a survey at most; None: no cadence."""
        rules = self._parts.survey(survey)
        if rules.cadence is None:
            return None
        required_s = float(rules.required_s)
        if rules.mode == "ifs" and tile is not None:
            required_s = self._parts.field_required_s(survey, tile)
        return math.ceil(required_s / CREDIT_S / rules.cadence.visits)
