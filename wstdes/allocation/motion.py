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
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from wstdes.allocation.motion_kernels import body_of, park, schedule
from wstdes.allocation.motion_kernels import leaves_room as _leaves_room
from wstdes.allocation.motion_search import (
    SAME_RAD,
    Configuration,
    Moves,
    Reason,
    Search,
    directions,
)
from wstdes.errors import WstdesError
from wstdes.jit import plain

if TYPE_CHECKING:
    import numpy.typing as npt

    from wstdes.models.focalplane import FocalPlane
    from wstdes.models.focalplane.arms import Arms

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int32]
    Longs = npt.NDArray[np.int64]
    Flags = npt.NDArray[np.bool_]

__all__ = ["Configuration", "MotionPlan", "Reason", "leaves_room", "parked", "plan_motion"]

TIME_STEP_S = 0.1
"""By how much a start is put off where it would collide [s]."""


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

    Motors turn at full speed or not at all, exactly as told: ramps and errors are left out
    (assumed). While both angles change, the one that needs longer sets the pace.

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
    search = Search(body_of(plane), arms, now, goal, moves, worth)
    search.reason[np.isfinite(wanted.theta_rad) & ~search.wants & moves] = Reason.OUT_OF_RANGE
    todo = search.run()
    change = np.abs(todo.angles[:, 2:] - todo.angles[:, :2])
    lasts = np.maximum(*(change[:, k] / speeds[k][todo.fibre] for k in (0, 1)))
    theta, phi = now.theta_rad.copy(), now.phi_rad.copy()
    begin = schedule(search.body, theta, phi, todo.fibre, todo.angles, lasts, time_step_s)
    start, knots = _knots(now, todo, begin, begin + lasts)
    stands = np.isfinite(goal.theta_rad) & ~moves
    there = np.abs(goal.theta_rad - now.theta_rad) + np.abs(goal.phi_rad - now.phi_rad)
    search.reason[np.isfinite(wanted.theta_rad) & ~moves] = Reason.STUCK
    search.reason[stands & (there <= SAME_RAD)] = Reason.ARRIVED
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
    goals = directions(arms, home if prefer_rad is None else prefer_rad)
    idle = np.flatnonzero(~busy)
    there = busy.copy()
    park(body, theta, phi, idle, goals, np.repeat(folded[:, None], goals.shape[1], 1), there)
    theta[~there], phi[~there] = np.nan, np.nan
    return Configuration(theta, phi), there


def leaves_room(
    plane: FocalPlane,
    fibre: npt.NDArray[np.integer],
    theta_rad: Floats,
    phi_rad: Floats,
) -> Flags:
    """Whether poses leave each neighbour, taken alone, a direction in which it can stand folded.

    A long arm over the body of a short one leaves none: such a pose is of no use, even if the
    neighbour has nothing to do.

    Parameters
    ----------
    plane : FocalPlane
        With arms.
    fibre : int[m]
        Positioner of each pose.
    theta_rad, phi_rad : float64[m]
        Its angles [rad].

    Returns
    -------
    bool[m]
    """
    return _leaves_room(
        body_of(plane),
        plain(fibre, np.int64),
        plain(theta_rad, np.float64),
        plain(phi_rad, np.float64),
        _folded(plane),
    )


@lru_cache(maxsize=4)
def _folded(plane: FocalPlane) -> Floats:
    """Of each positioner, phi when it is folded and the thetas it can then have, [n, k]."""
    arms = _arms_of(plane)
    home, folded = arms.home()
    return np.column_stack((folded, directions(arms, home)))


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
    good = (turns >= low[:, None] - SAME_RAD) & (turns <= high[:, None] + SAME_RAD)
    apart = np.abs(turns - (wanted.theta_rad if near is None else near)[:, None])
    best = np.argmin(np.where(good, apart, np.inf), axis=1)
    theta = np.clip(turns[np.arange(n), best], low, high)
    from_, to = arms.phi_range_rad.T
    inside = (wanted.phi_rad >= from_ - SAME_RAD) & (wanted.phi_rad <= to + SAME_RAD)
    inside &= good.any(axis=1)
    phi = np.clip(wanted.phi_rad, from_, to)
    return Configuration(np.where(inside, theta, np.nan), np.where(inside, phi, np.nan))


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
