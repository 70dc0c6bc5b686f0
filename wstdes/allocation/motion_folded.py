"""Turning while folded, where short arms are within reach of long ones.

Folded arms of one length that stay within half a pitch turn as they like. A folded long arm
(*tall*) sweeps over the cells of its neighbours, and short ones (*low*) are in its way where they
point at it. So those first turn away, the tall ones turn, and the low ones turn where they are
wanted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from wstdes.allocation.motion_kernels import Body, reach, relax

if TYPE_CHECKING:
    import numpy.typing as npt

    from wstdes.models.focalplane.arms import Arms

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int32]
    Flags = npt.NDArray[np.bool_]

__all__ = ["turn_folded"]

_DIRECTIONS = 36
_ASIDE = 6
"""How many of the nearest directions between its neighbours a tall arm tries."""


def turn_folded(
    body: Body, arms: Arms, present: Floats, wanted: Floats, phi: Floats, todo: Flags
) -> tuple[Ints, Floats, Ints]:
    """Turn folded positioners from one theta to another.

    Parameters
    ----------
    body : Body
        The positioners.
    arms : Arms
        Their hard stops.
    present, wanted : float64[n]
        theta [rad]: nothing touches anything in either.
    phi : float64[n]
        Folded, for those that turn [rad].
    todo : bool[n]
        Who may turn; the others stand where they are.

    Returns
    -------
    fibre, angles, blocker : int32[m], float64[m, 4], int32[n]
        As :func:`~wstdes.allocation.motion_kernels.relax`.
    """
    n = len(phi)
    folded = arms.home()[1]
    radius = np.array([reach(body, i, folded[i]) for i in range(n)])
    low, tall, pairs = _contested(body, radius, todo)
    aside = _away(body, arms, radius, pairs, low, present, wanted)
    between = (
        _between(body, arms, radius, pairs, present),
        _between(body, arms, radius, pairs, wanted),
    )
    there = np.ones(n, np.bool_)
    p = phi[:, None].copy()
    fibres: list[Ints] = []
    angles: list[Floats] = []

    def go(theta: Floats, who: Flags, goals: Floats, into: tuple[list[Ints], list[Floats]]) -> Ints:
        height = np.repeat(p, goals.shape[1], 1)
        f, a, blocker = relax(body, theta, phi.copy(), who, goals.copy(), height, there)
        into[0].append(f)
        into[1].append(a)
        return blocker

    ends: list[Floats] = []
    for side, (first, last) in enumerate(((present, wanted), (wanted, present))):
        theta = first.copy()
        into: tuple[list[Ints], list[Floats]] = ([], [])
        who = low if side else todo & ~tall
        blocker = go(theta, who, np.where(low, aside, last if not side else first)[:, None], into)
        for _ in range(2):
            waits = low & (blocker >= 0)
            if not waits.any():
                break
            near = np.zeros(n, np.bool_)
            near[pairs[1][waits[pairs[0]]]] = True
            go(theta, near & tall & todo, between[side], into)
            blocker = go(theta, waits, aside[:, None], into)
        ends.append(theta)
        if side == 0:
            fibres, angles = into
        else:
            back = into
    theta = ends[0].copy()
    blocker = go(theta, todo, ends[1][:, None], (fibres, angles))
    f, a = np.concatenate(back[0])[::-1], np.concatenate(back[1])[::-1][:, [2, 3, 0, 1]]
    return np.concatenate([*fibres, f]), np.concatenate([*angles, a]), blocker


Pairs = tuple["npt.NDArray[np.int64]", "npt.NDArray[np.int64]"]


def _contested(body: Body, radius: Floats, todo: Flags) -> tuple[Flags, Flags, Pairs]:
    """Who is low and who is tall, and the pairs (low, tall) whose folded discs overlap."""
    i = np.repeat(np.arange(len(radius)), np.diff(body.start))
    j = body.other.astype(np.int64)
    apart = np.hypot(body.x[i] - body.x[j], body.y[i] - body.y[j])
    pair = (apart < radius[i] + radius[j]) & (radius[i] < radius[j] * (1.0 - 1e-6))
    i, j = i[pair], j[pair]
    low, tall = np.zeros((2, len(radius)), np.bool_)
    low[i] = True
    tall[j] = True
    return low & ~tall & todo, tall, (i, j)


def _clear(
    body: Body,
    radius: Floats,
    turning: npt.NDArray[np.int64],
    still: npt.NDArray[np.int64],
    theta: Floats,
) -> Floats:
    """How far a folded arm in some directions is outside the folded disc of another: [m, k]."""
    width = body.capsule[body.shape[turning], :, 2].max(axis=1)
    length = (radius[turning] - width)[:, None]
    dx = (body.x[still] - body.x[turning])[:, None]
    dy = (body.y[still] - body.y[turning])[:, None]
    c, s = np.cos(theta), np.sin(theta)
    along = np.clip(c * dx + s * dy, 0.0, length)
    apart = np.hypot(dx - along * c, dy - along * s)
    return np.asarray(apart - (radius[still] + width)[:, None])


def _grid(arms: Arms, near: Floats) -> Floats:
    """Directions within the hard stops, the nearest first: [n, k]."""
    low, high = (arms.theta_zero_rad[:, None] + arms.theta_range_rad).T
    number = np.arange(-_DIRECTIONS, _DIRECTIONS + 1)
    steps = number[np.argsort(np.abs(number), kind="stable")] * (2.0 * np.pi / _DIRECTIONS)
    return np.asarray(np.clip(near[:, None] + steps, low[:, None], high[:, None]))


def _away(
    body: Body,
    arms: Arms,
    radius: Floats,
    pairs: Pairs,
    low: Flags,
    present: Floats,
    wanted: Floats,
) -> Floats:
    """Where low arms are out of the way of tall ones: as they are, as wanted, or turned away."""
    theta = np.column_stack((present, wanted, _grid(arms, present)))
    least = np.full(theta.shape, np.inf)
    np.minimum.at(least, pairs[0], _clear(body, radius, *pairs, theta[pairs[0]]))
    best = np.argmax(np.minimum(least, 1e-5), axis=1)
    return np.asarray(np.where(low, theta[np.arange(len(theta)), best], present))


def _between(body: Body, arms: Arms, radius: Floats, pairs: Pairs, near: Floats) -> Floats:
    """Where tall arms point between low ones: the nearest few directions, [n, k]."""
    theta = _grid(arms, near)
    least = np.full(theta.shape, np.inf)
    np.minimum.at(least, pairs[1], _clear(body, radius, pairs[1], pairs[0], theta[pairs[1]]))
    order = np.argsort(least < 1e-5, axis=1, kind="stable")[:, :_ASIDE]
    return np.take_along_axis(theta, order, axis=1)
