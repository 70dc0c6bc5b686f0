"""Turning while folded, where short arms are within reach of long ones.

Folded arms of one length that stay within half a pitch turn as they like. A folded long arm
(*tall*) sweeps over the cells of its neighbours, and short ones (*low*) are in its way where they
point at it. So those first turn away, the tall ones turn, and the low ones turn where they are
wanted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from wstdes.allocation.motion_kernels import Body, reach, relax, route

if TYPE_CHECKING:
    import numpy.typing as npt

    from wstdes.models.focalplane.arms import Arms

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int32]
    Longs = npt.NDArray[np.int64]
    Flags = npt.NDArray[np.bool_]

__all__ = ["Moves", "Turning", "go_around"]

_DIRECTIONS = 24
"""Directions that a low arm looks at."""
_FINE = 120
"""Directions that a tall arm looks at: between two low ones it has a few degrees."""
_ASIDE = 12
"""How many of the nearest directions between its neighbours a tall arm tries."""
_CLEAR_M = 1e-5
"""Clearance of arms that are out of the way [m]."""


@dataclass(frozen=True, eq=False)
class Moves:
    """Moves one after the other: each is free if those before it are over, and no other began."""

    fibre: Ints
    angles: Floats
    """[m, 4]: theta and phi from, theta and phi to [rad]."""

    @classmethod
    def none(cls) -> Moves:
        """No moves."""
        return cls(np.empty(0, np.int32), np.empty((0, 4)))

    @classmethod
    def join(cls, parts: list[Moves]) -> Moves:
        """One list after the other."""
        return cls(
            np.concatenate([part.fibre for part in parts]),
            np.concatenate([part.angles for part in parts]),
        )

    def backwards(self) -> Moves:
        """With time running backwards."""
        return Moves(self.fibre[::-1].copy(), self.angles[::-1][:, [2, 3, 0, 1]].copy())


def go_around(
    body: Body, theta: Floats, phi: Floats, who: Longs, stops: Floats, goal: Floats
) -> Moves:
    """Search a way around all others for some, one after the other, to where they are folded.

    Parameters
    ----------
    body : Body
        The positioners.
    theta, phi : float64[n]
        Where they are; changed to what is reached [rad].
    who : int64[k]
        Who goes.
    stops : float64[n, 4]
        Least theta and phi, greatest theta and phi, the last being folded [rad].
    goal : float64[n]
        theta [rad]; NaN where any will do.

    Returns
    -------
    Moves
    """
    there = np.ones(len(theta), np.bool_)
    parts = [Moves.none()]
    for i in who:
        a, b, c, d = (float(v) for v in stops[i])
        way = route(body, int(i), theta, phi, there, (a, b), (c, d), (float(goal[i]), d))
        if len(way):
            theta[i], phi[i] = way[-1, 2:]
            parts.append(Moves(np.full(len(way), i, np.int32), way))
    return Moves.join(parts)


class Turning:
    """Turns folded positioners from one theta to another.

    Parameters
    ----------
    body : Body
        The positioners.
    arms : Arms
        Their hard stops.
    """

    def __init__(self, body: Body, arms: Arms) -> None:
        self.body, self.arms = body, arms
        kinds = np.column_stack((body.shape, body.first, arms.home()[1]))
        _, first, kind = np.unique(kinds, axis=0, return_index=True, return_inverse=True)
        some = np.array([reach(body, int(i), kinds[i, 2]) for i in first])
        self.radius = some[kind.reshape(-1)]
        i = np.repeat(np.arange(len(self.radius)), np.diff(body.start))
        j = body.other.astype(np.int64)
        ri, rj = self.radius[i], self.radius[j]
        pair = np.hypot(body.x[i] - body.x[j], body.y[i] - body.y[j]) < ri + rj
        pair &= ri < rj * (1.0 - 1e-6)
        self.pairs = i[pair], j[pair]
        """Low ones, and the tall ones whose folded discs overlap theirs."""
        self.tall = np.zeros(len(self.radius), np.bool_)
        self.tall[self.pairs[1]] = True
        self.low = np.zeros(len(self.radius), np.bool_)
        self.low[self.pairs[0]] = True
        self.low &= ~self.tall

    def __call__(
        self, present: Floats, wanted: Floats, phi: Floats, todo: Flags, stops: Floats
    ) -> tuple[Moves, Ints]:
        """Find an order of turns.

        Parameters
        ----------
        present, wanted : float64[n]
            theta [rad]: nothing touches anything in either.
        phi : float64[n]
            Folded, for those that turn [rad].
        todo : bool[n]
            Who may turn; the others stand where they are.
        stops : float64[n, 4]
            As for :func:`go_around`.

        Returns
        -------
        moves : Moves
        blocker : int32[n]
            As :func:`~wstdes.allocation.motion_kernels.relax`.
        """
        low = self.low & todo
        aside = self._away(low, present, wanted)
        there = present.copy()
        ways = self._aside(there, phi, todo, np.where(low, aside, wanted), low, todo & ~self.tall)
        back = wanted.copy()
        ways_back = self._aside(back, phi, todo, aside, low, low)
        blocker = self._go(there, phi, todo, back[:, None], ways)
        while (waits := todo & (blocker >= 0)).any():
            who = np.flatnonzero(waits)
            around = go_around(self.body, there, phi.copy(), who, stops, back)
            if not len(around.fibre):
                break
            waits[around.fibre] = False
            blocker[around.fibre] = -2
            ways.append(around)
            again = self._go(there, phi, waits, back[:, None], ways)
            blocker = np.where(waits, again, blocker)
        return Moves.join([*ways, *(way.backwards() for way in reversed(ways_back))]), blocker

    def _aside(
        self, theta: Floats, phi: Floats, todo: Flags, aside: Floats, low: Flags, who: Flags
    ) -> list[Moves]:
        """Turn low ones out of the way; tall ones aside first where they are in theirs."""
        ways: list[Moves] = []
        blocker = self._go(theta, phi, who, aside[:, None], ways)
        for _ in range(2):
            waits = low & (blocker >= 0)
            if not waits.any():
                break
            near = np.zeros(len(theta), np.bool_)
            near[self.pairs[1][waits[self.pairs[0]]]] = True
            near &= self.tall & todo
            self._go(theta, phi, near, self._between(near, theta), ways)
            blocker = self._go(theta, phi, waits, aside[:, None], ways)
        return ways

    def _go(self, theta: Floats, phi: Floats, who: Flags, goals: Floats, ways: list[Moves]) -> Ints:
        """Turn those that can; `theta` and `ways` are changed."""
        height = np.repeat(phi[:, None], goals.shape[1], 1)
        all_ = np.ones(len(phi), np.bool_)
        none = Moves.none()
        fibre, angles, blocker = relax(
            self.body, theta, phi.copy(), who, goals.copy(), height, all_,
            none.fibre, none.angles, ~all_,
        )  # fmt: skip
        ways.append(Moves(fibre, angles))
        return blocker

    def _clear(self, turning: Longs, still: Longs, theta: Floats) -> Floats:
        """How far a folded arm in some directions is outside another's folded disc: [m, k]."""
        body = self.body
        width = body.capsule[body.shape[turning], :, 2].max(axis=1)
        length = (self.radius[turning] - width)[:, None]
        dx = (body.x[still] - body.x[turning])[:, None]
        dy = (body.y[still] - body.y[turning])[:, None]
        c, s = np.cos(theta), np.sin(theta)
        along = np.clip(c * dx + s * dy, 0.0, length)
        apart = np.hypot(dx - along * c, dy - along * s)
        return np.asarray(apart - (self.radius[still] + width)[:, None])

    def _grid(self, who: Flags, near: Floats, directions: int) -> Floats:
        """Directions within the hard stops, the nearest first: [k, directions]."""
        stops = self.arms.theta_zero_rad[who, None] + self.arms.theta_range_rad[who]
        number = np.arange(-directions, directions + 1)
        steps = number[np.argsort(np.abs(number), kind="stable")] * (2.0 * np.pi / directions)
        return np.asarray(np.clip(near[who, None] + steps, stops[:, :1], stops[:, 1:]))

    def _worst(self, who: Flags, end: int, theta: Floats) -> Floats:
        """The least clearance of some from all at the other end of their pairs."""
        number = np.cumsum(who) - 1
        mine, others = self.pairs[end], self.pairs[1 - end]
        chosen = who[mine]
        rows = number[mine[chosen]]
        least = np.full(theta.shape, np.inf)
        clear = self._clear(mine[chosen], others[chosen], theta[rows])
        np.minimum.at(least, rows, clear)
        return least

    def _away(self, low: Flags, present: Floats, wanted: Floats) -> Floats:
        """Where low arms are out of the way of tall ones: as they are, as wanted, or turned."""
        result = present.copy()
        clear = self._worst(low, 0, np.column_stack((present[low], wanted[low]))) >= _CLEAR_M
        result[low] = np.where(clear[:, 0], present[low], wanted[low])
        turns = low.copy()
        turns[low] = ~clear.any(axis=1)
        theta = self._grid(turns, present, _DIRECTIONS)
        best = np.argmax(np.minimum(self._worst(turns, 0, theta), _CLEAR_M), axis=1)
        result[turns] = theta[np.arange(len(theta)), best]
        return result

    def _between(self, who: Flags, near: Floats) -> Floats:
        """Where tall arms point between low ones: the nearest few directions, [n, k]."""
        theta = self._grid(who, near, _FINE)
        order = np.argsort(self._worst(who, 1, theta) < _CLEAR_M, axis=1, kind="stable")
        result = np.repeat(near[:, None], _ASIDE, 1)
        result[who] = np.take_along_axis(theta, order[:, :_ASIDE], axis=1)
        return result
