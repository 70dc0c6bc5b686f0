"""What the ledger of the surveys remembers: data."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from wstdes.survey.progress import SurveyProgress
from wstdes.survey.statistical import Claim, StatisticalState

__all__ = ["NEVER_S", "Pending", "SurveyLedgerState"]

NEVER_S = -1e30
"""When something was that never was [s]."""


@dataclass
class Pending:
    """A visit whose verdicts are not all in.

    Parameters
    ----------
    tile, ifs_survey : int or None
        Where it was, and the survey of fixed fields that it served.
    claim : Claim or None
        Who has a fibre, in expected numbers, at statistical fidelity.
    steps : dict of str to dict of str to int
        Credit given, by ``exposure/mode`` and by what limits the spectra.
    waiting : list of str
        ``exposure/mode`` without a verdict.
    wanted, assigned : dict of int to int
        Unfinished targets in the field, and those with a fibre, by survey number.
    alerts : list of int
        Alerts with a fibre.
    spans : dict of str to tuple of float
        Shutter opening and closing, by ``exposure/mode`` [s].
    good : list of str
        ``exposure/mode`` that passed.
    answered : list of int
        Alerts whose first good spectrum this visit took.
    given : dict of str to int
        Steps that each survey with a cadence got in this visit, by its number.
    streams : list of str
        What still takes exposures for it: fibres, ifs.
    last_s : dict of int to float
        When each survey that takes part was at the tile before, by its column [s].
    begun_s : float
        When it was decided [s].
    """

    tile: int | None
    ifs_survey: int | None
    survey: NDArray[np.int16]
    pixel: NDArray[np.int64]
    index: NDArray[np.int64]
    required_s: NDArray[np.float32]
    kind: NDArray[np.int8]
    sizes: dict[tuple[int, int], int]
    wanted: dict[int, int]
    assigned: dict[int, int]
    alerts: list[int]
    claim: Claim | None = None
    steps: dict[str, dict[str, int]] = field(default_factory=dict)
    waiting: list[str] = field(default_factory=list)
    spans: dict[str, tuple[float, float]] = field(default_factory=dict)
    good: list[str] = field(default_factory=list)
    answered: list[int] = field(default_factory=list)
    given: dict[int, int] = field(default_factory=dict)
    streams: list[str] = field(default_factory=list)
    last_s: dict[int, float] = field(default_factory=dict)
    begun_s: float = NEVER_S

    @property
    def closed(self) -> bool:
        """Whether no exposure will follow."""
        return not self.streams


@dataclass
class SurveyLedgerState:
    """Progress of each survey, what is left in each tile, visits that wait for verdicts.

    Parameters
    ----------
    progress : list of SurveyProgress
        By survey number.
    remaining : ndarray of float64, shape (tiles, tile surveys)
        Targets (fields) not finished.
    tile_visits : ndarray of int64, shape (tiles,)
        Visits so far that took, or may yet take, a good exposure.
    served : ndarray of int64, shape (tiles, tile surveys)
        Visits in which the survey took part.
    last_s : ndarray of float64, shape (tiles, tile surveys)
        When that was last [s].
    given_s : ndarray of float64, shape (tiles, tile surveys)
        Effective time of the visits in which the survey took part [s].
    barren : ndarray of bool, shape (tiles, tile surveys)
        Where no fibre reaches any of the survey's targets.
    statistical : StatisticalState
        What the surveys have got, at statistical fidelity.
    pending : dict of int to Pending
        By visit.
    """

    progress: list[SurveyProgress] = field(default_factory=list)
    remaining: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 0)))
    tile_visits: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    served: NDArray[np.int64] = field(default_factory=lambda: np.zeros((0, 0), dtype=np.int64))
    last_s: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 0)))
    given_s: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 0)))
    barren: NDArray[np.bool_] = field(default_factory=lambda: np.zeros((0, 0), dtype=np.bool_))
    statistical: StatisticalState = field(default_factory=StatisticalState)
    pending: dict[int, Pending] = field(default_factory=dict)
