"""Straight from two million positions to the best assignment, without two million lists.

Targets come in rounds, the most important first; only those of a round are sorted and get their
candidates. After a round, fibres that can never help again (dead ones, and all of a kind that has
no capacity left) leave the grid, and with them goes every target that has none but such fibres
around it: one look at its cell. Which targets a round takes decides how long it all takes, not
what comes out: the order is that of the weights, and the matching goes on where it stood.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from wstdes.allocation.candidates import Grid
from wstdes.allocation.matching import DEAD, Matching
from wstdes.allocation.order import falling_order
from wstdes.jit import njit, plain

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["KERNELS", "match_positions"]

_SAMPLE = 20_000
_SMALL = 20_000


def match_positions(
    fibre_x_m: npt.ArrayLike,
    fibre_y_m: npt.ArrayLike,
    fibre_kind: npt.ArrayLike,
    patrol_m: npt.ArrayLike,
    usable: npt.ArrayLike,
    target_x_m: npt.ArrayLike,
    target_y_m: npt.ArrayLike,
    target_kind: npt.ArrayLike,
    weight: npt.ArrayLike,
    *,
    capacity: npt.ArrayLike | None = None,
    inner_m: npt.ArrayLike | None = None,
) -> npt.NDArray[np.int32]:
    """Find an assignment of the greatest weight, where only targets have a weight.

    Parameters
    ----------
    fibre_x_m, fibre_y_m : float64[n]
        Home positions [m]; finite.
    fibre_kind : int8[n]
        Kind of each fibre, 0 or 1.
    patrol_m : float64[n]
        Patrol radii [m].
    usable : bool[n]
        Fibres that can be used at all.
    target_x_m, target_y_m : float64[t]
        Positions of the targets [m]; one that is not finite gets no fibre.
    target_kind : int8[t]
        Kind of fibre that each target needs, 0 or 1.
    weight : float64[t]
        Worth of each target: finite, zero or more. Equal ones go by number.
    capacity : int64[2], optional
        Of each kind, how many targets to match at most; no limit if not given.
    inner_m : float64[n], optional
        Smallest distance that a fibre reaches [m]; zero if not given.

    Returns
    -------
    int32[t]
        Fibre of each target, or -1.

    Raises
    ------
    ValueError
        If lengths do not match, or a weight is negative or not finite.
    """
    x, y = plain(target_x_m, np.float64), plain(target_y_m, np.float64)
    kind, worth = plain(target_kind, np.int8), plain(weight, np.float64)
    if not len(x) == len(y) == len(kind) == len(worth):
        raise ValueError(
            f"targets need vectors of one length, not x_m {len(x)}, y_m {len(y)}, "
            f"kind {len(kind)}, weight {len(worth)}"
        )
    if len(worth) and not (worth.min() >= 0.0 and worth.max() < np.inf):
        bad = int(np.argmin((worth >= 0.0) & (worth < np.inf)))
        raise ValueError(f"weight of target {bad} is {worth[bad]}: it must be finite, 0 or more")
    ready, fibre_of_kind = plain(usable, np.bool_), plain(fibre_kind, np.int8)
    grid = Grid(fibre_x_m, fibre_y_m, fibre_of_kind, patrol_m, ready, inner_m)
    matching = Matching(len(ready), capacity)
    search = _Search(grid, matching, ready, fibre_of_kind, x, y, kind)
    search.rounds(worth)
    return search.fibre_of_target(len(worth))


class _Search:
    """The matching so far, the grid of the fibres that can still help, and who was asked."""

    def __init__(
        self,
        grid: Grid,
        matching: Matching,
        usable: npt.NDArray[np.bool_],
        fibre_kind: npt.NDArray[np.int8],
        x_m: npt.NDArray[np.float64],
        y_m: npt.NDArray[np.float64],
        kind: npt.NDArray[np.int8],
    ) -> None:
        self._grid, self._matching = grid, matching
        self._usable, self._fibre_kind = usable, fibre_kind
        self._x_m, self._y_m, self._kind = x_m, y_m, kind
        self._asked: list[npt.NDArray[np.int32]] = []
        self._number = 0
        self._edges = np.empty(0, dtype=np.int32)
        self._helping = int(np.count_nonzero(self._helps()))

    def _helps(self) -> npt.NDArray[np.bool_]:
        """Fibres that may help yet."""
        room: npt.NDArray[np.bool_] = self._matching.left > 0
        alive: npt.NDArray[np.bool_] = self._matching.state != DEAD
        return self._usable & alive & room[self._fibre_kind]

    def rounds(self, weight: npt.NDArray[np.float64]) -> None:
        """Ask all the targets, a band of weights after the other, each four times as wide."""
        # Some of the weights tell where the bands should end; the answer is the same anywhere.
        some = np.sort(weight[:: max(len(weight) // _SAMPLE, 1)])[::-1]
        number, below = self._size(), np.inf
        while self._helping and below > 0.0:
            rank = len(some) * number // max(len(weight), 1)
            level = float(some[rank]) if rank < len(some) else 0.0
            band = _band(weight, level, below)
            if self._number:
                band = self._near(band)
            ahead = band[falling_order(weight[band])]
            while len(ahead) and self._helping:
                size = self._size()
                self._ask(ahead[:size])
                ahead = self._near(ahead[size:])
            number, below = 4 * number, level

    def _near(self, which: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
        """Of these targets, those that may be reached by a fibre that helps."""
        if not (len(which) and self._helping):
            return which[:0]
        return which[self._grid.near(self._x_m[which], self._y_m[which], self._kind[which])]

    def _size(self) -> int:
        """How many targets a round should take: some more than there are fibres for them."""
        return max(3 * self._helping // 2, _SMALL)

    def _ask(self, which: npt.NDArray[np.int32]) -> None:
        """Match these targets, in this order, beside those of the rounds before."""
        x, y, kind = self._x_m[which], self._y_m[which], self._kind[which]
        place = self._grid.by_place(x, y, kind)
        rows = np.empty(len(which), dtype=np.int32)
        rows[place] = np.arange(len(which), dtype=np.int32)
        kind = kind[place]
        start, fibre = self._grid.candidates(x[place], y[place], kind)
        start += len(self._edges)
        self._edges = np.concatenate([self._edges, fibre]) if self._number else fibre
        self._matching.extend(rows, start, self._edges, kind, self._number)
        self._asked.append(which[place])
        self._number += len(which)
        helps = self._helps()
        self._helping = int(np.count_nonzero(helps))
        if self._helping:
            self._grid.keep(helps)

    def fibre_of_target(self, n_targets: int) -> npt.NDArray[np.int32]:
        """Fibre of each target, or -1."""
        has = np.full(n_targets, -1, dtype=np.int32)
        if self._asked:
            has[np.concatenate(self._asked)] = self._matching.fibre_of_target(self._number)
        return has


@njit
def _band(weight: npt.NDArray[np.float64], level: float, below: float) -> npt.NDArray[np.int32]:
    """Indices of the weights of at least the level and below the other."""
    found = np.empty(len(weight) + 1, dtype=np.int32)
    number = 0
    for i in range(len(weight)):
        found[number] = i
        number += (weight[i] >= level) & (weight[i] < below)
    return found[:number]


KERNELS = (_band,)
