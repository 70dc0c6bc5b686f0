"""The statistical account: expected numbers of targets by pieces of sky and by progress.

Interface; the laws are calibrated on full allocations (:mod:`wstdes.survey.calibrate`).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

__all__ = ["Claim", "StatisticalState"]


@dataclass
class StatisticalState:
    """All that the account remembers: data.

    Parameters
    ----------
    numbers : ndarray of int32, shape (pieces, rows, levels)
        Targets by how far they have come, in units of 1/1024.
    reached : ndarray of float64, shape (tile pieces, rows, 2)
        Those that fibres of a tile reach: untouched, and begun.
    observed, effective_s : ndarray of float64, shape (rows,)
        Exposures of targets that count, and the effective time they gave [s].
    """

    numbers: NDArray[np.int32] = field(default_factory=lambda: np.zeros((0, 0, 0), dtype=np.int32))
    reached: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 0, 2)))
    observed: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    effective_s: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))


@dataclass
class Claim:
    """Who has a fibre in a visit.

    Parameters
    ----------
    tile : int or None
        Where; None for a field of its own.
    piece, row, level : ndarray of int32, shape (n,)
        Where they were when they got it.
    amount : ndarray of int32, shape (n,)
        How many, in units of 1/1024.
    given_s : ndarray of float64, shape (rows,)
        Effective time that the visit has given so far [s].
    """

    tile: int | None
    piece: NDArray[np.int32]
    row: NDArray[np.int32]
    level: NDArray[np.int32]
    amount: NDArray[np.int32]
    given_s: NDArray[np.float64]
