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
_ASIDE_RAD = np.array([1.2, 0.6, 0.0])
"""How far from straight away a folded arm turns, at most, to make room for another [rad]."""
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
        self.retracting, blocker = self._fold(
            theta, phi, self.involved, self.involved, self.retracting, drawn
        )
        self.after = Configuration(theta, phi)
        failed = self.involved & (blocker >= 0)
        self.pinned |= failed
        self._give_up(failed & self.wants, blocker)

    def _extend(self, theta: Floats, phi: Floats, wanted: Flags, may: Flags) -> tuple[Moves, Ints]:
        """From where they are wanted to folded, with time running backwards."""
        known, changed = Moves.none(), np.zeros(len(theta), np.bool_)
        first = theta.copy(), phi.copy()
        if self.last is not None:
            known = self.last[3]
            changed = (theta != self.last[0]) | (phi != self.last[1]) | (wanted != self.last[2])
        moves, blocker = self._fold(theta, phi, wanted, may, known, changed)
        self.last = *first, wanted, moves
        return moves, blocker

    def _fold(
        self, theta: Floats, phi: Floats, todo: Flags, may: Flags, known: Moves, changed: Flags
    ) -> tuple[Moves, Ints]:
        """Retract those that can; the angles are changed to what is reached.

        Where some cannot, folded neighbours that `may` move turn away from them.
        """
        turn = 0.5 * (self.folded - phi)
        moves: list[Moves] = []

        def go(who: Flags, goals: Floats, known: Moves, changed: Flags) -> Ints:
            low, high = self.stops[:, :1], self.stops[:, 2:3]
            fibre, angles, blocker = relax(
                self.body, theta, phi, who, np.clip(goals, low, high),
                np.repeat(self.folded[:, None], goals.shape[1], 1), ~nobody,
                known.fibre, known.angles, changed.copy(),
            )  # fmt: skip
            moves.append(Moves(fibre, angles))
            return blocker

        nobody, none = np.zeros(len(theta), np.bool_), Moves.none()
        goals = theta[:, None] - turn[:, None] * np.array(_SWAY)
        blocker = go(todo, goals, known, changed)
        asked = nobody.copy()
        while (waits := todo & (blocker >= 0)).any():
            near = waits[self.number] & (may & ~waits & ~asked)[self.body.other]
            near &= (np.abs(phi - self.folded) <= SAME_RAD)[self.body.other]
            if near.any():
                turns = nobody.copy()
                turns[self.body.other[near]] = True
                asked |= turns
                go(turns, self._away(theta, self.number[near], self.body.other[near]), none, nobody)
            else:
                who, anywhere = np.flatnonzero(waits), np.full(len(theta), np.nan)
                around = go_around(self.body, theta, phi, who, self.stops, anywhere)
                if not len(around.fibre):
                    break
                moves.append(around)
                blocker[around.fibre] = -2
                waits[around.fibre] = False
            blocker = np.where(waits, go(waits, goals, none, nobody), blocker)
        return Moves.join(moves), blocker

    def _away(self, theta: Floats, stays: Longs, turns: Ints) -> Floats:
        """Directions of theta away from a neighbour, more or less, the least turn first: [n, k]."""
        x, y = self.body.x, self.body.y
        away = theta.copy()
        away[turns] = np.arctan2(y[turns] - y[stays], x[turns] - x[stays])
        low, high = self.stops[:, 0], self.stops[:, 2]
        away += 2.0 * np.pi * np.round((0.5 * (low + high) - away) / (2.0 * np.pi))
        aside = np.clip(theta[:, None], away[:, None] - _ASIDE_RAD, away[:, None] + _ASIDE_RAD)
        return np.column_stack((aside, away[:, None] - _ASIDE_RAD, away[:, None] + _ASIDE_RAD))

    def _round(self) -> list[Moves] | None:
        """Plan for those that are not given up; None if some more have to be."""
        fixed = ~self.involved | self.pinned
        wanted = self.wants & ~fixed
        theta, phi = self.after.theta_rad.copy(), self.after.phi_rad.copy()
        if not self._place(theta, phi, wanted, fixed):
            return None
        extending, blocker = self._extend(theta, phi, wanted, ~fixed)
        given_up = self._least(wanted & (blocker >= 0), blocker)
        if given_up.any():
            self._give_up(given_up, blocker)
            return None
        assert (np.abs(phi - self.folded)[wanted] <= SAME_RAD).all()
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
