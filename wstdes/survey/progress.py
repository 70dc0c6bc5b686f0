"""How far each target has come."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from wstdes.jit import njit, plain
from wstdes.survey.cells import CELL_COUNT

__all__ = ["CREDIT_S", "SurveyProgress", "give"]

CREDIT_S = 2.0
"""Effective time is kept in steps of this length [s]: two bytes a target."""

IntArray = NDArray[np.int64]

_MOST = 65535
_GROWTH = 1.25
"""Room is made for this many times what is needed, so that it is seldom made."""


def _nowhere() -> IntArray:
    return np.full(CELL_COUNT, -1, dtype=np.int64)


@dataclass
class SurveyProgress:
    """Effective time that each target of a survey has, and the sums of it.

    Parameters
    ----------
    credit : ndarray of uint16
        Of the targets of all cells that anybody observed, cell after cell, and room for more.
    start : ndarray of int64, shape (CELL_COUNT,)
        Where a cell begins in `credit`; -1 for one that nobody observed. For fixed fields, cell 0
        holds a field a tile.
    used : int
        Length of `credit` that is taken.
    observed, completed, started : int
        Exposures that count; targets with all, and with some, of the time they need.
    steps : int
        Effective time given, in steps of :data:`CREDIT_S`.
    """

    credit: NDArray[np.uint16] = field(default_factory=lambda: np.zeros(0, dtype=np.uint16))
    start: IntArray = field(default_factory=_nowhere)
    used: int = 0
    observed: int = 0
    completed: int = 0
    started: int = 0
    steps: int = 0

    def of(self, pixel: int, size: int) -> NDArray[np.uint16]:
        """Credit of the targets of a cell (zeros if nobody observed it; do not write to it)."""
        first = int(self.start[pixel])
        if first < 0:
            return np.zeros(size, dtype=np.uint16)
        return self.credit[first : first + size]

    def at(self, pixels: IntArray, indices: IntArray) -> NDArray[np.uint16]:
        """Credit of targets by cell and number, shape of `pixels`."""
        return _look_up(self.credit, self.start, plain(pixels, np.int64), plain(indices, np.int64))

    def finished(
        self, pixels: IntArray, indices: IntArray, required: NDArray[np.float32]
    ) -> NDArray[np.bool_]:
        """Whether targets have all the time they need [s], shape of `pixels`."""
        return np.asarray(self.at(pixels, indices) * CREDIT_S >= required)

    def add(
        self,
        pixel: int,
        size: int,
        index: IntArray,
        steps: int,
        required: NDArray[np.float32],
        undo: bool = False,
    ) -> None:
        """Give targets of one cell effective time, or take it back; see :func:`give`."""
        give(self, np.full(len(index), pixel), index, {pixel: size}, steps, required, undo)

    def _reserve(self, sizes: dict[int, int]) -> None:
        """Make room for cells that nobody observed yet."""
        wanted = {pixel: n for pixel, n in sizes.items() if self.start[pixel] < 0}
        total = self.used + sum(wanted.values())
        if total > len(self.credit):
            grown = np.zeros(int(total * _GROWTH), dtype=np.uint16)
            grown[: self.used] = self.credit[: self.used]
            self.credit = grown
        for pixel, size in wanted.items():
            self.start[pixel] = self.used
            self.used += size


def give(
    progress: SurveyProgress,
    pixels: IntArray,
    indices: IntArray,
    sizes: dict[int, int],
    steps: int,
    required: NDArray[np.float32],
    undo: bool = False,
) -> None:
    """Give targets effective time, or take it back.

    Parameters
    ----------
    progress : SurveyProgress
        Changed in place.
    pixels, indices : ndarray of int64, shape (n,)
        Targets by cell and number, each once.
    sizes : dict of int to int
        How many targets the cells have; others than those of `pixels` may be there.
    steps : int
        In units of :data:`CREDIT_S`; negative to take back what was given.
    required : ndarray of float32, shape (n,)
        Effective time that these targets need [s].
    undo : bool
        Whether this takes back an exposure that was counted.

    Raises
    ------
    ValueError
        If a target would have less than nothing, or more than can be kept: none has changed then.
    """
    if not len(indices):
        return
    new = pixels[progress.start[pixels] < 0]
    if len(new):
        progress._reserve({pixel: sizes[pixel] for pixel in np.unique(new).tolist()})
    kept, completed, started = _give(
        progress.credit,
        progress.start,
        plain(pixels, np.int64),
        plain(indices, np.int64),
        steps,
        plain(required, np.float32),
        CREDIT_S,
    )
    if not kept:
        raise ValueError("effective time of a target left its range")
    progress.completed += completed
    progress.started += started
    progress.observed += -len(indices) if undo else len(indices)
    progress.steps += steps * len(indices)


@njit
def _look_up(
    credit: NDArray[np.uint16], start: IntArray, pixels: IntArray, indices: IntArray
) -> NDArray[np.uint16]:
    found = np.zeros(len(pixels), dtype=np.uint16)
    for i in range(len(pixels)):
        first = start[pixels[i]]
        if first >= 0:
            found[i] = credit[first + indices[i]]
    return found


@njit
def _give(
    credit: NDArray[np.uint16],
    start: IntArray,
    pixels: IntArray,
    indices: IntArray,
    steps: int,
    required: NDArray[np.float32],
    step_s: float,
) -> tuple[bool, int, int]:
    """Add steps to targets; says whether it could, and how many more are completed and started."""
    completed = started = 0
    for i in range(len(pixels)):
        after = np.int64(credit[start[pixels[i]] + indices[i]]) + steps
        if after < 0 or after > _MOST:
            return False, 0, 0
    for i in range(len(pixels)):
        place = start[pixels[i]] + indices[i]
        before = np.int64(credit[place])
        after = before + steps
        credit[place] = after
        need = np.ceil(required[i] / step_s)
        completed += int(after >= need) - int(before >= need)
        started += int(after > 0) - int(before > 0)
    return True, completed, started
