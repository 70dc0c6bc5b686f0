"""From one configuration of the focal plane to the next without a collision.

Every positioner retracts, turns while it is folded, and extends. Extending is retracting with time
running backwards, so one search serves both: positioners retract one after the other, whoever is
free first, until all are folded. What one is in the way of waits for it; those that wait for each
other cannot all go, and the one worth least stays folded. Then the moves are given times, each as
early as it can start beside those before it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np

from wstdes.allocation.motion_folded import turn_folded
from wstdes.allocation.motion_kernels import Body, body_of, park, relax, schedule
from wstdes.errors import WstdesError

if TYPE_CHECKING:
    import numpy.typing as npt

    from wstdes.models.focalplane import FocalPlane
    from wstdes.models.focalplane.arms import Arms

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int32]
    Longs = npt.NDArray[np.int64]
    Flags = npt.NDArray[np.bool_]

__all__ = ["Configuration", "MotionPlan", "Reason", "parked", "plan_motion"]

TIME_STEP_S = 0.1
"""By how much a start is put off where it would collide [s]."""

_SWAY = (1.0, 0.5, 0.0, 1.5, 2.0, -0.5)
"""How theta turns while phi folds, tried in this order: 1 draws the fibre straight to the axis
where both arms are equally long, 0 leaves the theta arm where it is."""
_ROUNDS = 40
_SAME_RAD = 1e-9
_DIRECTIONS = 24


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


@dataclass(frozen=True, eq=False)
class MotionPlan:
    """When which motor turns, and who gets where.

    Parameters
    ----------
    start : int64[n + 1]
        The knots of positioner i are ``start[i]`` to ``start[i + 1]``, the last not included.
    time_s, theta_rad, phi_rad : float64[k]
        Knots: between two of them both angles change evenly [s], [rad]; after the last nothing
        moves. The first is at zero, in the present configuration.
    duration_s : float
        When the last one has arrived [s]; metrology is not in it.
    arrived : bool[n]
        Who is where it was wanted.
    reason : int8[n]
        A :class:`Reason` each.
    blocker : int32[n]
        Who is in the way of those that are blocked; -1 for all others.
    seconds : float
        Wall-clock time of the planning.
    """

    start: Longs
    time_s: Floats
    theta_rad: Floats
    phi_rad: Floats
    duration_s: float
    arrived: Flags
    reason: npt.NDArray[np.int8]
    blocker: Ints
    seconds: float

    @property
    def final(self) -> Configuration:
        """Where the arms are when all is over."""
        last = self.start[1:] - 1
        return Configuration(self.theta_rad[last], self.phi_rad[last])

    def at(self, t_s: float) -> Configuration:
        """Where the arms are at a time.

        Parameters
        ----------
        t_s : float
            Since the beginning [s].

        Returns
        -------
        Configuration
        """
        number = np.repeat(np.arange(len(self.start) - 1), np.diff(self.start))
        passed = np.bincount(number[self.time_s <= t_s], minlength=len(self.start) - 1)
        low = self.start[:-1] + np.maximum(passed - 1, 0)
        high = np.minimum(low + 1, self.start[1:] - 1)
        span = self.time_s[high] - self.time_s[low]
        share = np.clip((t_s - self.time_s[low]) / np.where(span > 0.0, span, 1.0), 0.0, 1.0)
        return Configuration(
            self.theta_rad[low] + share * (self.theta_rad[high] - self.theta_rad[low]),
            self.phi_rad[low] + share * (self.phi_rad[high] - self.phi_rad[low]),
        )


@dataclass(frozen=True, eq=False)
class Moves:
    """Moves one after the other: each is free if those before it are over, and no other began."""

    fibre: Ints
    angles: Floats
    """[m, 4]: theta and phi from, theta and phi to [rad]."""

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


def plan_motion(
    plane: FocalPlane,
    *,
    present: Configuration,
    wanted: Configuration,
    speed_rad_per_s: tuple[npt.ArrayLike, npt.ArrayLike],
    movable: Flags | None = None,
    priority: Floats | None = None,
    time_step_s: float = TIME_STEP_S,
) -> MotionPlan:
    """Plan how all positioners get where they are wanted, without touching each other.

    Motors turn at full speed or not at all: ramps are left out (assumed), as they last 0.1 s of
    a second's turn and the plan leaves its neighbours no more than their order.

    Parameters
    ----------
    plane : FocalPlane
        With arms; tilting spines are refused.
    present : Configuration
        Where the arms are.
    wanted : Configuration
        Where they should go; NaN where any place will do.
    speed_rad_per_s : (float or float64[n], float or float64[n])
        Of the theta and the phi motors [rad/s].
    movable : bool[n], optional
        Who can move; the others stand where they are, and are in the way. By default all.
    priority : float64[n], optional
        What each is worth: of those that exclude each other, the one worth least stays folded.
    time_step_s : float, optional
        By how much a start is put off where it would collide [s].

    Returns
    -------
    MotionPlan
        The same for the same arguments.

    Raises
    ------
    WstdesError
        If the focal plane has no arms, or spines.
    ValueError
        If arrays do not fit, speeds are not positive, or a present angle is beyond a hard stop.
    """
    began = time.perf_counter()
    arms = _arms_of(plane)
    n = plane.n_fibres
    moves = np.ones(n, np.bool_) if movable is None else np.asarray(movable, np.bool_)
    worth = np.zeros(n) if priority is None else np.asarray(priority, np.float64)
    speeds = (
        np.broadcast_to(np.asarray(speed_rad_per_s[0], np.float64), n),
        np.broadcast_to(np.asarray(speed_rad_per_s[1], np.float64), n),
    )
    for name, values in (("movable", moves), ("priority", worth)):
        if values.shape != (n,):
            raise ValueError(f"{name} must have {n} elements, one for each positioner")
    if not all((v > 0.0).all() and np.isfinite(v).all() for v in speeds):
        raise ValueError("speed_rad_per_s must be positive: this model's motors have no speed")
    if not time_step_s > 0.0:
        raise ValueError(f"time_step_s must be positive, not {time_step_s}")
    now = _within(arms, present, n, None)
    bad = moves & ~np.isfinite(now.theta_rad + now.phi_rad)
    if bad.any():
        i = int(np.argmax(bad))
        raise ValueError(
            f"positioner {i} cannot be at theta {present.theta_rad[i]}, phi {present.phi_rad[i]} "
            "rad: that is beyond its hard stops"
        )
    now = Configuration(
        np.where(moves, now.theta_rad, present.theta_rad),
        np.where(moves, now.phi_rad, present.phi_rad),
    )
    goal = _within(arms, wanted, n, now.theta_rad)
    search = _Search(body_of(plane), arms, now, goal, moves, worth)
    search.reason[np.isfinite(wanted.theta_rad) & ~search.wants & moves] = Reason.OUT_OF_RANGE
    search.run()
    todo = search.moves()
    change = np.abs(todo.angles[:, 2:] - todo.angles[:, :2])
    lasts = np.maximum(*(change[:, k] / speeds[k][todo.fibre] for k in (0, 1)))
    theta, phi = now.theta_rad.copy(), now.phi_rad.copy()
    begin = schedule(search.body, theta, phi, todo.fibre, todo.angles, lasts, time_step_s)
    start, knots = _knots(now, todo, begin, begin + lasts)
    stands = np.isfinite(goal.theta_rad) & ~moves
    there = np.abs(goal.theta_rad - now.theta_rad) + np.abs(goal.phi_rad - now.phi_rad)
    search.reason[np.isfinite(wanted.theta_rad) & ~moves] = Reason.STUCK
    search.reason[stands & (there <= _SAME_RAD)] = Reason.ARRIVED
    return MotionPlan(
        start,
        *knots,
        float((begin + lasts).max(initial=0.0)),
        search.reason == Reason.ARRIVED,
        search.reason,
        search.blocker,
        time.perf_counter() - began,
    )


def parked(
    plane: FocalPlane, configuration: Configuration, *, prefer_rad: Floats | None = None
) -> tuple[Configuration, Flags]:
    """Find each idle positioner a folded pose in which it touches nothing.

    Parameters
    ----------
    plane : FocalPlane
        With arms.
    configuration : Configuration
        Where the arms are of those that have something to do; NaN for the idle.
    prefer_rad : float64[n], optional
        The theta that each would like best [rad]; by default that of its home. The direction
        nearest to it that is free is taken, in the order of number.

    Returns
    -------
    configuration : Configuration
        Completed; NaN where there is no such pose.
    found : bool[n]
        False for the idle without one.
    """
    arms = _arms_of(plane)
    body = body_of(plane)
    busy = np.isfinite(configuration.theta_rad) & np.isfinite(configuration.phi_rad)
    theta, phi = configuration.theta_rad.copy(), configuration.phi_rad.copy()
    home, folded = arms.home()
    goals = _directions(arms, home if prefer_rad is None else prefer_rad)
    idle = np.flatnonzero(~busy)
    there = busy.copy()
    park(body, theta, phi, idle, goals, np.repeat(folded[:, None], goals.shape[1], 1), there)
    theta[~there], phi[~there] = np.nan, np.nan
    return Configuration(theta, phi), there


class _Search:
    """The search for an order of moves: what it knows so far."""

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
        self.low = arms.theta_zero_rad + arms.theta_range_rad[:, 0]
        self.high = arms.theta_zero_rad + arms.theta_range_rad[:, 1]
        self.folded = arms.home()[1]
        self.wants = movable & np.isfinite(goal.theta_rad)
        self.reason = np.full(n, Reason.FREE, np.int8)
        self.blocker = np.full(n, -1, np.int32)
        self.number = np.repeat(np.arange(n), np.diff(body.start))
        same = np.abs(goal.theta_rad - now.theta_rad) + np.abs(goal.phi_rad - now.phi_rad)
        away = np.where(self.wants, ~(same <= _SAME_RAD), now.phi_rad < self.folded - _SAME_RAD)
        self.involved = movable & away
        """Who moves at all; a bystander is drawn in when it turns out to be in the way."""
        self.pinned = np.zeros(n, np.bool_)
        """Who stays as it is once it has retracted, or tried to."""

    def run(self) -> None:
        """Find an order of moves; give up as few positioners as need be."""
        self._retract()
        for _ in range(_ROUNDS):
            if self._round():
                return
        raise AssertionError("the search for an order of moves does not end")

    def moves(self) -> Moves:
        """The moves of the last round, in order."""
        return Moves.join([self.retracting, self.turning, self.extending])

    def _retract(self) -> None:
        """From the present configuration to a folded one."""
        theta, phi = self.now.theta_rad.copy(), self.now.phi_rad.copy()
        there = np.ones(len(theta), np.bool_)
        self.retracting, blocker = self._fold(theta, phi, self.involved, there)
        self.after = Configuration(theta, phi)
        failed = self.involved & (blocker >= 0)
        self.pinned = failed
        self._give_up(failed & self.wants, blocker)

    def _fold(self, theta: Floats, phi: Floats, todo: Flags, there: Flags) -> tuple[Moves, Ints]:
        """Retract those that can; the angles are changed to what is reached."""
        turn = 0.5 * (self.folded - phi)
        goals = np.clip(
            theta[:, None] - turn[:, None] * np.array(_SWAY), self.low[:, None], self.high[:, None]
        )
        folded = np.repeat(self.folded[:, None], len(_SWAY), 1)
        fibre, angles, blocker = relax(self.body, theta, phi, todo, goals, folded, there)
        return Moves(fibre, angles), blocker

    def _round(self) -> bool:
        """Plan for those that are not given up; False if some more have to be."""
        n = len(self.wants)
        fixed = ~self.involved | self.pinned
        wanted = self.wants & self.involved & ~self.pinned
        theta, phi = self.after.theta_rad.copy(), self.after.phi_rad.copy()
        there = fixed.copy()
        order = np.flatnonzero(wanted)
        order = order[np.argsort(-self.worth[order], kind="stable")]
        goal = self.goal.theta_rad[:, None].copy(), self.goal.phi_rad[:, None].copy()
        blocker = park(self.body, theta, phi, order, *goal, there)
        given_up = blocker >= 0
        if given_up.any():
            self._give_up(given_up, blocker)
            return False
        idle = np.flatnonzero(self.involved & ~self.pinned & ~wanted)
        goals = _directions(self.arms, self.after.theta_rad)
        folded = np.repeat(self.folded[:, None], goals.shape[1], 1)
        blocker = park(self.body, theta, phi, idle, goals, folded, there)
        homeless = np.flatnonzero(blocker >= 0)
        if len(homeless):
            self._make_room(homeless, blocker)
            return False
        self.extending, blocker = self._fold(theta, phi, wanted, np.ones(n, np.bool_))
        self.extending = self.extending.backwards()
        given_up = self._least(wanted & (blocker >= 0), blocker)
        if given_up.any():
            self._give_up(given_up, blocker)
            return False
        self.turning, blocker = self._turn(theta, ~fixed)
        given_up = blocker >= 0
        if given_up.any():
            self.pinned |= given_up
            self._give_up(given_up & self.wants, blocker)
            return False
        unchanged = self.wants & ~self.involved
        self.reason[wanted | unchanged] = Reason.ARRIVED
        return True

    def _turn(self, goal: Floats, todo: Flags) -> tuple[Moves, Ints]:
        fibre, angles, blocker = turn_folded(
            self.body, self.arms, self.after.theta_rad, goal, self.after.phi_rad, todo
        )
        return Moves(fibre, angles), blocker

    def _make_room(self, homeless: Longs, blocker: Ints) -> None:
        """Give up what leaves an idle positioner no place."""
        for i in homeless:
            j = int(blocker[i])
            if self.wants[j] and self.involved[j] and not self.pinned[j]:
                if self.reason[j] == Reason.FREE:
                    self._give_up_one(j, int(i))
            else:
                self.pinned[[i, j]] |= self.involved[[i, j]]

    def _least(self, blocked: Flags, blocker: Ints) -> Flags:
        """Of those that wait for each other, the one worth least; and all that wait for others."""
        gives = blocked & ~blocked[blocker]
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
            self._retract()

    def _give_up_one(self, i: int, j: int) -> None:
        moves = self.movable[j]
        self.wants[i] = False
        self.reason[i] = Reason.BLOCKED_BY_NEIGHBOUR if moves else Reason.STUCK_NEIGHBOUR
        self.blocker[i] = j


def _arms_of(plane: FocalPlane) -> Arms:
    """The arms of a focal plane, or words."""
    if plane.arms is None:
        raise WstdesError("this focal plane has no outlines of arms: their motion is not known")
    if plane.arms.spine:
        raise WstdesError(
            "tilting spines have no elbow and their angles do not say where the tip is: "
            "only the motion of theta-phi arms is planned"
        )
    return plane.arms


def _within(arms: Arms, wanted: Configuration, n: int, near: Floats | None) -> Configuration:
    """The same directions within the hard stops, NaN for those beyond."""
    for name in ("theta_rad", "phi_rad"):
        if np.shape(getattr(wanted, name)) != (n,):
            raise ValueError(f"{name} must have {n} elements, one for each positioner")
    low, high = (arms.theta_zero_rad[:, None] + arms.theta_range_rad).T
    turns = wanted.theta_rad[:, None] + 2.0 * np.pi * np.arange(-2, 3)
    good = (turns >= low[:, None] - _SAME_RAD) & (turns <= high[:, None] + _SAME_RAD)
    apart = np.abs(turns - (wanted.theta_rad if near is None else near)[:, None])
    best = np.argmin(np.where(good, apart, np.inf), axis=1)
    theta = np.clip(turns[np.arange(n), best], low, high)
    from_, to = arms.phi_range_rad.T
    inside = (wanted.phi_rad >= from_ - _SAME_RAD) & (wanted.phi_rad <= to + _SAME_RAD)
    inside &= good.any(axis=1)
    phi = np.clip(wanted.phi_rad, from_, to)
    return Configuration(np.where(inside, theta, np.nan), np.where(inside, phi, np.nan))


def _directions(arms: Arms, prefer_rad: Floats) -> Floats:
    """Angles of theta within the hard stops, the nearest to a preferred one first: [n, k]."""
    low, high = (arms.theta_zero_rad[:, None] + arms.theta_range_rad).T
    number = np.arange(-_DIRECTIONS, _DIRECTIONS + 1)
    steps = number[np.argsort(np.abs(number), kind="stable")] * (2.0 * np.pi / _DIRECTIONS)
    return np.asarray(np.clip(prefer_rad[:, None] + steps, low[:, None], high[:, None]))


def _knots(
    now: Configuration, moves: Moves, begin: Floats, end: Floats
) -> tuple[Longs, tuple[Floats, Floats, Floats]]:
    """Times and angles of each positioner, one after the other."""
    n = len(now.theta_rad)
    count = 1 + 2 * np.bincount(moves.fibre, minlength=n)
    start = np.concatenate(([0], np.cumsum(count)))
    knots = np.empty((start[-1], 3))
    knots[start[:-1]] = np.column_stack((np.zeros(n), now.theta_rad, now.phi_rad))
    order = np.argsort(moves.fibre, kind="stable")
    fibre = moves.fibre[order]
    nth = np.arange(len(order)) - np.searchsorted(fibre, fibre)
    place = start[fibre] + 1 + 2 * nth
    knots[place] = np.column_stack((begin[order], moves.angles[order, :2]))
    knots[place + 1] = np.column_stack((end[order], moves.angles[order, 2:]))
    time_s, theta, phi = (knots[:, k].copy() for k in range(3))
    return start, (time_s, theta, phi)
