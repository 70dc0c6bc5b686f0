"""Prices of quotas: what a fibre earns on each purpose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from wstdes.jit import plain

if TYPE_CHECKING:
    import numpy.typing as npt

    from wstdes.allocation.problem import AssignmentProblem

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int32]
    Longs = npt.NDArray[np.int64]

__all__ = ["Prices"]

BELOW = 1.0 - 1e-9
"""A price that is a trifle low leaves targets where they are, to be exchanged at no loss."""


SAME = 1e-7
"""Prices that differ by less, of the highest one, are the same."""


MOST_DISPLACED = 4.0
"""No fibre of a quota is worth more than this many of the best targets."""


@dataclass(eq=False)
class Prices:
    """What a fibre earns on each purpose, by group, and between which limits that is looked for.

    Parameters
    ----------
    group : int32[n]
        Group of each fibre, or -1.
    fibre_start, fibre : int64[g + 1], int32[n]
        Fibres of each group.
    at_least : int32[g, 3]
        The quotas.
    price, low, high : float64[g, 3]
        Now; too low, as far as is known; too high.
    most : float64
        No price needs to be higher.
    """

    group: Ints
    fibre_start: Longs
    fibre: Ints
    at_least: Ints
    price: Floats
    low: Floats
    high: Floats
    most: float

    @classmethod
    def of(cls, problem: AssignmentProblem) -> Prices:
        """Begin with prices of zero."""
        quotas = problem.quotas
        group = np.full(problem.n_fibres, -1, np.int32)
        at_least = np.zeros((0, 3), np.int32)
        if quotas is not None:
            group, at_least = plain(quotas.group, np.int32), plain(quotas.at_least, np.int32)
        order = np.argsort(group, kind="stable")
        member = order[group[order] >= 0].astype(np.int32)
        start = np.searchsorted(group[member], np.arange(len(at_least) + 1)).astype(np.int64)
        zero = np.zeros(at_least.shape)
        most = MOST_DISPLACED * float(problem.weight.max(initial=0.0)) or 1.0
        return cls(
            group, start, member, at_least, zero, zero.copy(), np.full(zero.shape, np.inf), most
        )

    def update(self, wanted: Floats) -> bool:
        """Move to the prices that are wanted (NaN: as it is), or half-way within the limits.

        Returns
        -------
        bool
            Whether any price has changed.
        """
        near = SAME * self.most
        rise, fall = wanted > self.price + near, wanted < self.price - near
        self.low[rise] = np.maximum(self.low[rise], self.price[rise])
        self.high[fall] = np.minimum(self.high[fall], self.price[fall])
        outside = (rise & (wanted >= self.high)) | (fall & (wanted <= self.low) & (self.low > 0.0))
        middle = 0.5 * (self.low + np.minimum(self.high, self.most))
        new = np.where(rise | fall, wanted * BELOW, self.price)
        new = np.clip(np.where(outside, middle, new), 0.0, self.most)
        changed = bool((np.abs(new - self.price) > near).any())
        self.price = new
        return changed
