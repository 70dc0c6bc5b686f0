"""The order in which positioners retract, turn and extend; who has to be given up."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np

from wstdes.allocation.motion_folded import Moves, Turning, go_around
from wstdes.allocation.motion_kernels import Body, park, relax

if TYPE_CHECKING:
    import numpy.typing as npt

    from wstdes.models.focalplane.arms import Arms

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int32]
    Longs = npt.NDArray[np.int64]
    Flags = npt.NDArray[np.bool_]

__all__ = ["SAME_RAD", "Configuration", "Moves", "Reason", "Search", "directions"]

SAME_RAD = 1e-9
"""Angles that differ by less are the same [rad]."""

_SWAY = (1.0, 0.5, 0.0, 1.5, 2.0, -0.5)
"""How theta turns while phi folds, tried in this order: 1 draws the fibre straight to the axis
where both arms are equally long, 0 leaves the theta arm where it is."""
_ROUNDS = 200
_DIRECTIONS = 48


class Reason(IntEnum):
    """What became of a positioner."""

    ARRIVED = 0
    """It is where it was wanted."""
    FREE = 1
    """It was wanted nowhere."""
    BLOCKED_BY_NEIGHBOUR = 2
    """A neighbour that goes where it is wanted leaves no way."""
    STUCK_NEIGHBOUR = 3
    """A neighbour that does not move leaves no way."""
    OUT_OF_RANGE = 4
    """The hard stops of its motors do not let it."""
    STUCK = 5
    """It cannot move."""


@dataclass(frozen=True, eq=False)
class Configuration:
    """Where all the arms are.

    Parameters
    ----------
    theta_rad : float64[n]
        Direction of the theta arm from +x [rad]. Where the range of theta exceeds a turn, turns
        count: of the angles that mean the same direction, one beyond the range is taken for that
        within it.
    phi_rad : float64[n]
        The phi arm's angle from the theta arm [rad].
    """

    theta_rad: Floats
    phi_rad: Floats


class Search:
    """The search for an order of moves: what it knows so far.

    Parameters
    ----------
    body : Body
        The positioners.
    arms : Arms
        Their arms.
    now, goal : Configuration
        Within the hard stops; NaN for no goal.
    movable : bool[n]
        Who can move.
    worth : float64[n]
        Who is given up last.
    """

    def __init__(
        self,
        body: Body,
        arms: Arms,
        now: Configuration,
        goal: Configuration,
        movable: Flags,
        worth: Floats,
    ) -> None:
        n = len(movable)
        self.body, self.arms, self.now, self.goal = body, arms, now, goal
        self.movable, self.worth = movable, worth
        low, high = (arms.theta_zero_rad[:, None] + arms.theta_range_rad).T
        self.folded = arms.home()[1]
        least = np.minimum(np.clip(arms.phi_range_rad[:, 0], 0.0, None), self.folded)
        self.stops = np.column_stack((low, least, high, self.folded))
        self.wants = movable & np.isfinite(goal.theta_rad)
        self.reason = np.full(n, Reason.FREE, np.int8)
        self.blocker = np.full(n, -1, np.int32)
        self.number = np.repeat(np.arange(n), np.diff(body.start))
        same = np.abs(goal.theta_rad - now.theta_rad) + np.abs(goal.phi_rad - now.phi_rad)
        away = np.where(self.wants, ~(same <= SAME_RAD), now.phi_rad < self.folded - SAME_RAD)
        self.involved = movable & away
        """Who moves at all; a bystander is drawn in when it turns out to be in the way."""
        self.pinned = np.zeros(n, np.bool_)
        """Who stays as it is once it has retracted, or tried to."""
        self.turn = Turning(body, arms)
        self.retracting, self.asked = Moves.none(), np.zeros(n, np.bool_)
        """How they retract, and who was involved when that was found."""
        self.last: tuple[Floats, Floats, Flags, Moves] | None = None
        """Where the last search for an order of extending began, and what it found."""

    def run(self) -> Moves:
        """Find an order of moves; give up as few positioners as need be."""
        self._retract()
        for _ in range(_ROUNDS):
            rest = self._round()
            if rest is not None:
                return Moves.join([self.retracting, *rest])
        raise AssertionError("the search for an order of moves does not end")

    def _retract(self) -> None:
        """From the present configuration to a folded one."""
        theta, phi = self.now.theta_rad.copy(), self.now.phi_rad.copy()
        drawn = self.involved & ~self.asked
        self.asked = self.involved.copy()
        self.retracting, blocker = self._fold(theta, phi, self.involved, self.retracting, drawn)
        self.after = Configuration(theta, phi)
        failed = self.involved & (blocker >= 0)
        self.pinned |= failed
        self._give_up(failed & self.wants, blocker)

    def _extend(self, theta: Floats, phi: Floats, wanted: Flags) -> tuple[Moves, Ints]:
        """From where they are wanted to folded, with time running backwards."""
        known, changed = Moves.none(), np.zeros(len(theta), np.bool_)
        first = theta.copy(), phi.copy()
        if self.last is not None:
            known = self.last[3]
            changed = (theta != self.last[0]) | (phi != self.last[1]) | (wanted != self.last[2])
        moves, blocker = self._fold(theta, phi, wanted, known, changed)
        self.last = *first, wanted, moves
        return moves, blocker

    def _fold(
        self, theta: Floats, phi: Floats, todo: Flags, known: Moves, changed: Flags
    ) -> tuple[Moves, Ints]:
        """Retract those that can; the angles are changed to what is reached."""
        turn = 0.5 * (self.folded - phi)
        low, high = self.stops[:, :1], self.stops[:, 2:3]
        goals = np.clip(theta[:, None] - turn[:, None] * np.array(_SWAY), low, high)
        folded = np.repeat(self.folded[:, None], len(_SWAY), 1)
        there = np.ones(len(theta), np.bool_)
        search = self.body, theta, phi
        found = relax(
            *search, todo, goals, folded, there, known.fibre, known.angles, changed.copy()
        )
        parts, blocker = [Moves(*found[:2])], found[2]
        while (waits := todo & (blocker >= 0)).any():
            who = np.flatnonzero(waits)
            around = go_around(*search, who, self.stops, np.full(len(theta), np.nan))
            if not len(around.fibre):
                break
            went = np.zeros(len(theta), np.bool_)
            went[around.fibre] = True
            blocker[went] = -2
            none = Moves.none()
            found = relax(
                *search, waits & ~went, goals, folded, there, none.fibre, none.angles, ~there
            )
            parts += [around, Moves(*found[:2])]
            blocker = np.where(waits & ~went, found[2], blocker)
        return Moves.join(parts), blocker

    def _round(self) -> list[Moves] | None:
        """Plan for those that are not given up; None if some more have to be."""
        fixed = ~self.involved | self.pinned
        wanted = self.wants & ~fixed
        theta, phi = self.after.theta_rad.copy(), self.after.phi_rad.copy()
        if not self._place(theta, phi, wanted, fixed):
            return None
        extending, blocker = self._extend(theta, phi, wanted)
        given_up = self._least(wanted & (blocker >= 0), blocker)
        if given_up.any():
            self._give_up(given_up, blocker)
            return None
        turning, blocker = self.turn(
            self.after.theta_rad, theta, self.after.phi_rad, ~fixed, self.stops
        )
        given_up = ~fixed & (blocker >= 0)
        if given_up.any():
            self.pinned |= given_up
            self._give_up(given_up & self.wants, blocker)
            return None
        self.reason[wanted | (self.wants & ~self.involved)] = Reason.ARRIVED
        return [turning, extending.backwards()]

    def _place(self, theta: Floats, phi: Floats, wanted: Flags, fixed: Flags) -> bool:
        """Put everybody where the move ends; False if there is no place for somebody."""
        there = fixed.copy()
        order = np.flatnonzero(wanted)
        order = order[np.argsort(-self.worth[order], kind="stable")]
        goal = self.goal.theta_rad[:, None].copy(), self.goal.phi_rad[:, None].copy()
        blocker = park(self.body, theta, phi, order, *goal, there)
        given_up = blocker >= 0
        if given_up.any():
            self._give_up(given_up, blocker)
            return False
        idle = np.flatnonzero(~fixed & ~wanted)
        goals = directions(self.arms, self.after.theta_rad)
        folded = np.repeat(self.folded[:, None], goals.shape[1], 1)
        blocker = park(self.body, theta, phi, idle, goals, folded, there)
        homeless = np.flatnonzero(blocker >= 0)
        for i in homeless:
            j = int(blocker[i])
            if wanted[j]:
                if self.wants[j]:
                    self._give_up_one(j, int(i))
            else:
                self.pinned[i] |= self.involved[i]
                self.pinned[j] |= self.involved[j]
        return not len(homeless)

    def _least(self, blocked: Flags, blocker: Ints) -> Flags:
        """Of those that wait for each other, the one worth least; and all that wait for others."""
        gives = blocked & ~blocked[np.maximum(blocker, 0)]
        i, j = self.number, self.body.other
        both = blocked[i] & blocked[j]
        i, j = i[both], j[both]
        better = (self.worth[i] > self.worth[j]) | ((self.worth[i] == self.worth[j]) & (i < j))
        least = blocked.copy()
        least[i[better]] = False
        return np.asarray(gives | least)

    def _give_up(self, who: Flags, blocker: Ints) -> None:
        """Leave some folded; draw bystanders in first, where it is they who are in the way."""
        drawn = np.zeros(len(who), np.bool_)
        for i in np.flatnonzero(who):
            j = int(blocker[i])
            if self.movable[j] and not self.involved[j]:
                drawn[j] = True
            else:
                self._give_up_one(int(i), j)
        if drawn.any():
            self.involved |= drawn
            self.pinned[:] = False
            self._retract()

    def _give_up_one(self, i: int, j: int) -> None:
        moves = self.movable[j]
        self.wants[i] = False
        self.reason[i] = Reason.BLOCKED_BY_NEIGHBOUR if moves else Reason.STUCK_NEIGHBOUR
        self.blocker[i] = j


def directions(arms: Arms, prefer_rad: Floats) -> Floats:
    """Angles of theta within the hard stops, the nearest to a preferred one first.

    Parameters
    ----------
    arms : Arms
        Of all positioners.
    prefer_rad : float64[n]
        The first one of each [rad].

    Returns
    -------
    float64[n, k]
    """
    low, high = (arms.theta_zero_rad[:, None] + arms.theta_range_rad).T
    number = np.arange(-_DIRECTIONS, _DIRECTIONS + 1)
    steps = number[np.argsort(np.abs(number), kind="stable")] * (2.0 * np.pi / _DIRECTIONS)
    return np.asarray(np.clip(prefer_rad[:, None] + steps, low[:, None], high[:, None]))
