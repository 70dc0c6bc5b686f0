"""How far each target has come."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

__all__ = ["CREDIT_S", "SurveyProgress", "give"]

CREDIT_S = 2.0
"""Effective time is kept in steps of this length [s]: two bytes a target."""


@dataclass
class SurveyProgress:
    """Effective time that each target of a survey has, and the sums of it.

    Parameters
    ----------
    credit : dict of int to ndarray of uint16
        By cell; cells that nobody observed are not there. For fixed fields, cell 0 holds a field
        a tile.
    observed, completed, started : int
        Exposures that count; targets with all, and with some, of the time they need.
    steps : int
        Effective time given, in steps of :data:`CREDIT_S`.
    """

    credit: dict[int, NDArray[np.uint16]] = field(default_factory=dict)
    observed: int = 0
    completed: int = 0
    started: int = 0
    steps: int = 0

    def of(self, pixel: int, size: int) -> NDArray[np.uint16]:
        """Credit of the targets of a cell (zeros if nobody observed it; do not write to it)."""
        found = self.credit.get(pixel)
        return np.zeros(size, dtype=np.uint16) if found is None else found

    def add(
        self,
        pixel: int,
        size: int,
        index: NDArray[np.int64],
        steps: int,
        required: NDArray[np.float32],
        undo: bool = False,
    ) -> None:
        """Give targets of a cell effective time, or take it back.

        Parameters
        ----------
        pixel, size : int
            The cell, and how many targets it has.
        index : ndarray of int64, shape (n,)
            Targets, each once.
        steps : int
            In units of :data:`CREDIT_S`; negative to take back what was given.
        required : ndarray of float32, shape (n,)
            Effective time that these targets need [s].
        undo : bool
            Whether this takes back an exposure that was counted.
        """
        if not len(index):
            return
        credit = self.credit.setdefault(pixel, np.zeros(size, dtype=np.uint16))
        before = credit[index].astype(np.int64)
        after = before + steps
        if after.min() < 0 or after.max() > np.iinfo(np.uint16).max:
            raise ValueError("effective time of a target left its range")
        credit[index] = after
        need = np.ceil(required / CREDIT_S)
        self.completed += int((after >= need).sum()) - int((before >= need).sum())
        self.started += int((after > 0).sum()) - int((before > 0).sum())
        self.observed += -len(index) if undo else len(index)
        self.steps += steps * len(index)


def give(
    progress: SurveyProgress,
    pixels: NDArray[np.int64],
    indices: NDArray[np.int64],
    sizes: dict[int, int],
    steps: int,
    required: NDArray[np.float32],
    undo: bool = False,
) -> None:
    """Give targets of several cells effective time; see :meth:`SurveyProgress.add`."""
    for pixel in np.unique(pixels):
        mine = pixels == pixel
        progress.add(int(pixel), sizes[int(pixel)], indices[mine], steps, required[mine], undo)
