"""Arms on the move: whether they meet, who can go first, and when each may start.

All tests are continuous and on the safe side. Two positioners that are d apart, whose points move
by at most v, cannot touch before d/v has passed, so time advances by that and the distance is
taken again (conservative advancement: Mirtich 1996, PhD thesis, Berkeley). What comes nearer than
`CLEARANCE_M` counts as touching. All of it is in one file because compiled functions that call
each other are kept together.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from wstdes.jit import njit, plain

if TYPE_CHECKING:
    import numpy.typing as npt

    from wstdes.models.focalplane import FocalPlane

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int32]
    Longs = npt.NDArray[np.int64]
    Flags = npt.NDArray[np.bool_]
    Angles = tuple[float, float]
    """theta and phi [rad]."""
    Place = tuple[float, float, float, float]
    """Where an arm's axis is [m], and cosine and sine of its direction."""
    Timed = tuple[float, float, Angles, Angles]
    """A move: since when and until when [s], from where and to where."""

CLEARANCE_M = 1e-6
"""Arms nearer than this touch [m]."""
_CLOSE_M = 2e-4
"""Below this distance of the capsules around two arms, their polygons are looked at [m]."""
_STEPS = 1000
"""A motion that needs more advances than this counts as a collision."""
_STILL_RAD = 1e-12
_GRID_RAD = np.pi / 24.0
"""Step of the search for a way around others."""


class Body(NamedTuple):
    """What kernels know of the positioners."""

    x: Floats
    y: Floats
    first: Floats
    """Length of the theta arm [m]."""
    shape: npt.NDArray[np.int16]
    corners: Floats
    """[shapes, 2, corners, 2]: convex, counter-clockwise [m]."""
    normal: Floats
    """[shapes, 2, corners, 3]: of each side, outwards, and how far out the side is [m]."""
    sides: Longs
    capsule: Floats
    """[shapes, 2, 3]: from and to where along x, and how far around, a polygon extends [m]."""
    core: Floats
    """[shapes, 2]: how far around that part of the x axis all is inside [m]."""
    far: Floats
    """[shapes, 2]: farthest corner from the arm's own axis [m]."""
    start: Longs
    other: Ints
    """Who can meet positioner i at all: ``other[start[i]:start[i + 1]]``, by number."""


@lru_cache(maxsize=4)
def body_of(plane: FocalPlane) -> Body:
    """Gather what the kernels need of a focal plane with arms, once. Do not write to it.

    Outlines that are not convex are replaced by their convex hulls.
    """
    from scipy.spatial import ConvexHull, cKDTree

    from wstdes.allocation.outlines import Outlines
    from wstdes.models.focalplane.arms import ArmShape

    arms = plane.arms
    assert arms is not None
    hulls = [
        [p[ConvexHull(p).vertices] if len(p) else p for p in (shape.theta_m, shape.phi_m)]
        for shape in arms.shapes
    ]
    outlines = Outlines.of(_WithShapes(tuple(ArmShape(*pair) for pair in hulls)))  # type: ignore[arg-type]
    corners, count = outlines.corners, outlines.count
    normal = np.zeros((*corners.shape[:3], 3))
    far = np.zeros(count.shape)
    for u, v in np.ndindex(count.shape):
        points = corners[u, v, : count[u, v]]
        side = np.roll(points, -1, axis=0) - points
        out = np.column_stack((side[:, 1], -side[:, 0])) / np.hypot(*side.T)[:, None]
        normal[u, v, : len(points), :2] = out
        normal[u, v, : len(points), 2] = (out * points).sum(axis=1)
        far[u, v] = np.hypot(*points.T).max()
    xy = np.column_stack((plane.x_m, plane.y_m))
    extent = outlines.extent_m(arms) + CLEARANCE_M
    pairs = cKDTree(xy).query_pairs(2.0 * extent.max(), output_type="ndarray")
    i, j = pairs.T
    near = np.hypot(*(xy[i] - xy[j]).T) <= extent[i] + extent[j]
    i, j = np.concatenate((i[near], j[near])), np.concatenate((j[near], i[near]))
    order = np.lexsort((j, i))
    start = np.concatenate(([0], np.cumsum(np.bincount(i, minlength=len(xy)))))
    return Body(
        plain(plane.x_m, np.float64),
        plain(plane.y_m, np.float64),
        plain(arms.theta_m, np.float64),
        plain(arms.shape, np.int16),
        plain(corners, np.float64),
        plain(normal, np.float64),
        plain(count, np.int64),
        plain(outlines.spine, np.float64),
        plain(outlines.core, np.float64),
        plain(far, np.float64),
        plain(start, np.int64),
        plain(j[order], np.int32),
    )


class _WithShapes(NamedTuple):
    """As much of :class:`Arms` as :class:`Outlines` asks for."""

    shapes: tuple[object, ...]


@njit
def reach(body: Body, i: int, phi: float) -> float:
    """How far from its axis a positioner extends, at most [m]."""
    u, a, c = body.shape[i], body.first[i], np.cos(min(max(phi, 0.0), np.pi))
    farthest = 0.0
    for k in range(2):
        x = body.capsule[u, 1, k]
        farthest = max(farthest, a * a + x * x + 2.0 * a * x * c)
    return float(max(body.far[u, 0], np.sqrt(farthest) + body.capsule[u, 1, 2]))


@njit
def _speed(body: Body, i: int, theta: float, phi: float) -> float:
    """How far any point moves, at most, while the angles change by so much [m]."""
    u = body.shape[i]
    outer = body.first[i] * abs(theta) + body.far[u, 1] * abs(theta + phi)
    return float(max(body.far[u, 0] * abs(theta), outer))


@njit
def _axes_apart(body: Body, u: int, p: int, one: Place, v: int, q: int, other: Place) -> float:
    """Widest gap across a side of the first polygon: no more than their distance [m]."""
    x, y, c, s = one
    a, b, d, e = other
    # the second polygon, seen from the first
    dx, dy = a - x, b - y
    ox, oy = c * dx + s * dy, c * dy - s * dx
    co, si = c * d + s * e, c * e - s * d
    widest = -1.0
    for k in range(body.sides[u, p]):
        nx, ny, far = body.normal[u, p, k]
        mx, my = co * nx + si * ny, co * ny - si * nx
        least = np.inf
        for m in range(body.sides[v, q]):
            least = min(least, mx * body.corners[v, q, m, 0] + my * body.corners[v, q, m, 1])
        widest = max(widest, least + ox * nx + oy * ny - far)
    return widest


@njit
def gap(body: Body, i: int, mine: Angles, j: int, theirs: Angles) -> float:
    """No more than the distance between two positioners; not above zero if they touch [m]."""
    ti, pi = mine
    tj, pj = theirs
    u, v = body.shape[i], body.shape[j]
    x, y, c, s = body.x[i], body.y[i], np.cos(ti), np.sin(ti)
    a1, b1, d1, e1 = body.x[j], body.y[j], np.cos(tj), np.sin(tj)
    a2, b2 = a1 + body.first[j] * d1, b1 + body.first[j] * e1
    d2, e2 = np.cos(tj + pj), np.sin(tj + pj)
    least = np.inf
    for p in range(2):
        if p == 1:
            x, y = x + body.first[i] * c, y + body.first[i] * s
            c, s = np.cos(ti + pi), np.sin(ti + pi)
        x0, m = body.capsule[u, p, 0], body.capsule[u, p, 1] - body.capsule[u, p, 0]
        for q in range(2):
            a, b, d, e = (a1, b1, d1, e1) if q == 0 else (a2, b2, d2, e2)
            a0, n = body.capsule[v, q, 0], body.capsule[v, q, 1] - body.capsule[v, q, 0]
            # closest points of two segments: Ericson 2005, Real-Time Collision Detection, 5.1.9
            rx, ry = x + c * x0 - a - d * a0, y + s * x0 - b - e * a0
            dot, along, back = c * d + s * e, c * rx + s * ry, d * rx + e * ry
            flat = 1.0 - dot * dot
            f = min(max((dot * back - along) / flat, 0.0), m) if flat > 1e-12 else 0.0
            g = dot * f + back
            if g < 0.0:
                g, f = 0.0, min(max(-along, 0.0), m)
            elif g > n:
                g, f = n, min(max(dot * n - along, 0.0), m)
            dx, dy = rx + f * c - g * d, ry + f * s - g * e
            apart = np.sqrt(dx * dx + dy * dy) - body.capsule[u, p, 2] - body.capsule[v, q, 2]
            if apart < min(_CLOSE_M, least):
                one, other = (x, y, c, s), (a, b, d, e)
                apart = max(apart, _axes_apart(body, u, p, one, v, q, other))
                if apart < min(_CLOSE_M, least):
                    apart = max(apart, _axes_apart(body, v, q, other, u, p, one))
            least = min(least, apart)
            if least < CLEARANCE_M:
                return float(least)
    return float(least)


@njit
def meets(body: Body, i: int, a: Angles, b: Angles, j: int, c: Angles, d: Angles) -> bool:
    """Whether two positioners may touch while both turn evenly, i from a to b, j from c to d."""
    dt, dp, du, dq = b[0] - a[0], b[1] - a[1], d[0] - c[0], d[1] - c[1]
    fastest = (_speed(body, i, dt, dp) + _speed(body, j, du, dq)) * (1.0 + 1e-9)
    s = 0.0
    for _ in range(_STEPS):
        free = gap(body, i, (a[0] + s * dt, a[1] + s * dp), j, (c[0] + s * du, c[1] + s * dq))
        if free < CLEARANCE_M:
            return True
        if fastest * (1.0 - s) <= free:
            return False
        s += free / fastest
    return True


@njit
def first_met(
    body: Body, i: int, a: Angles, b: Angles, theta: Floats, phi: Floats, there: Flags
) -> int:
    """A positioner that stands in the way of a move, or -1; only those that are there."""
    mine = max(reach(body, i, a[1]), reach(body, i, b[1])) + CLEARANCE_M
    for k in range(body.start[i], body.start[i + 1]):
        j = body.other[k]
        if not there[j]:
            continue
        dx, dy = body.x[i] - body.x[j], body.y[i] - body.y[j]
        both = mine + reach(body, j, phi[j])
        if dx * dx + dy * dy > both * both:
            continue
        if meets(body, i, a, b, j, (theta[j], phi[j]), (theta[j], phi[j])):
            return int(j)
    return -1


@njit
def relax(
    body: Body,
    theta: Floats,
    phi: Floats,
    todo: Flags,
    goal_theta: Floats,
    goal_phi: Floats,
    there: Flags,
    known: Ints,
    known_move: Floats,
    changed: Flags,
) -> tuple[Ints, Floats, Ints]:
    """Let one positioner after another go to the first of its goals that is free to reach.

    Whoever is in the way of another may go later: it is asked again when a neighbour has moved.
    `theta` and `phi` are changed to what is reached.

    Parameters
    ----------
    goal_theta, goal_phi : float64[n, k]
        Goals of each, in order of preference [rad].
    known, known_move : int32[k], float64[k, 4]
        Moves of an earlier call, made first; only those near somebody in `changed` are tested.
    changed : bool[n]
        Who stands or goes elsewhere than in that call; those found to are added.

    Returns
    -------
    fibre : int32[m]
        Who moves, one after the other.
    move : float64[m, 4]
        theta and phi from, theta and phi to [rad].
    blocker : int32[n]
        Who was last in the way of those that did not go; -2 for those that went, -1 for others.
    """
    n = len(theta)
    queue = np.empty(n + 1, dtype=np.int32)
    waits = np.zeros(n, dtype=np.bool_)
    blocker = np.full(n, -1, dtype=np.int32)
    fibre = np.empty(n + len(known), dtype=np.int32)
    move = np.empty((n + len(known), 4))
    head, size, done = 0, 0, 0
    for m in range(len(known)):
        i = known[m]
        a, b = (known_move[m, 0], known_move[m, 1]), (known_move[m, 2], known_move[m, 3])
        if changed[i]:
            continue
        near = False
        for k in range(body.start[i], body.start[i + 1]):
            near = near or changed[body.other[k]]
        if near and first_met(body, i, a, b, theta, phi, there) >= 0:
            changed[i] = True
            continue
        blocker[i] = -2
        fibre[done], move[done] = i, known_move[m]
        done += 1
        theta[i], phi[i] = b
    for i in range(n):
        if todo[i] and not (blocker[i] == -2 and abs(phi[i] - goal_phi[i, 0]) <= _STILL_RAD):
            blocker[i] = -1
            queue[size] = i
            size += 1
            waits[i] = True
    while size:
        i = queue[head]
        head = (head + 1) % (n + 1)
        size -= 1
        waits[i] = False
        for k in range(goal_theta.shape[1]):
            t, p = goal_theta[i, k], goal_phi[i, k]
            still = abs(t - theta[i]) <= _STILL_RAD and abs(p - phi[i]) <= _STILL_RAD
            met = -1
            if not still:
                met = first_met(body, i, (theta[i], phi[i]), (t, p), theta, phi, there)
            if met >= 0:
                if k == 0:
                    blocker[i] = met
                continue
            blocker[i] = -2
            if still:
                break
            fibre[done], move[done, 0], move[done, 1] = i, theta[i], phi[i]
            move[done, 2], move[done, 3] = t, p
            done += 1
            theta[i], phi[i] = t, p
            for m in range(body.start[i], body.start[i + 1]):
                j = body.other[m]
                if blocker[j] >= 0 and not waits[j]:
                    queue[(head + size) % (n + 1)] = j
                    size += 1
                    waits[j] = True
            break
    return fibre[:done].copy(), move[:done].copy(), blocker


@njit
def route(
    body: Body,
    i: int,
    theta: Floats,
    phi: Floats,
    there: Flags,
    low: Angles,
    high: Angles,
    goal: Angles,
) -> Floats:
    """The shortest way of one positioner past all others, which stand: a search on a grid.

    Parameters
    ----------
    low, high : (float, float)
        Least and greatest theta and phi [rad].
    goal : (float, float)
        Where to; any theta will do if it is NaN.

    Returns
    -------
    float64[k, 4]
        Moves: theta and phi from, theta and phi to [rad]; none if there is no way.
    """
    columns = int(np.ceil((high[0] - low[0]) / _GRID_RAD)) + 1
    rows = int(np.ceil((high[1] - low[1]) / _GRID_RAD)) + 1
    dt = max((high[0] - low[0]) / max(columns - 1, 1), _STILL_RAD)
    dp = max((high[1] - low[1]) / max(rows - 1, 1), _STILL_RAD)
    cells = columns * rows
    state = np.zeros(cells, dtype=np.int8)  # 1: reached, 2: something is there
    before = np.full(cells, -1, dtype=np.int32)
    queue = np.empty(cells, dtype=np.int32)
    here = theta[i], phi[i]
    head, size, last = 0, 0, -1
    column, row = int((here[0] - low[0]) / dt), int((here[1] - low[1]) / dp)
    for c in range(max(column, 0), min(column + 2, columns)):
        for r in range(max(row, 0), min(row + 2, rows)):
            place = low[0] + c * dt, low[1] + r * dp
            if first_met(body, i, here, place, theta, phi, there) < 0:
                state[c * rows + r] = 1
                queue[size] = c * rows + r
                size += 1
    while head < size and last < 0:
        cell = queue[head]
        head += 1
        column, row = cell // rows, cell % rows
        place = low[0] + column * dt, low[1] + row * dp
        if np.isnan(goal[0]):
            if row == rows - 1:
                last = cell
                break
        elif (
            abs(place[0] - goal[0]) <= dt
            and abs(place[1] - goal[1]) <= dp
            and first_met(body, i, place, goal, theta, phi, there) < 0
        ):
            last = cell
            break
        for c in range(max(column - 1, 0), min(column + 2, columns)):
            for r in range(max(row - 1, 0), min(row + 2, rows)):
                other = c * rows + r
                if state[other]:
                    continue
                onward = low[0] + c * dt, low[1] + r * dp
                if first_met(body, i, onward, onward, theta, phi, there) >= 0:
                    state[other] = 2
                elif first_met(body, i, place, onward, theta, phi, there) < 0:
                    state[other] = 1
                    before[other] = cell
                    queue[size] = other
                    size += 1
    if last < 0:
        return np.empty((0, 4))
    count = 1
    cell = last
    while before[cell] >= 0:
        cell = before[cell]
        count += 1
    points = np.empty((count + 2, 2))
    points[0, 0], points[0, 1] = here
    cell = last
    for k in range(count, 0, -1):
        points[k, 0], points[k, 1] = low[0] + (cell // rows) * dt, low[1] + (cell % rows) * dp
        cell = before[cell]
    points[count + 1] = points[count]
    if not np.isnan(goal[0]):
        points[count + 1, 0], points[count + 1, 1] = goal
    # as far straight on as possible, from each point that is left
    move = np.empty((count + 1, 4))
    made, k = 0, 0
    while k < count + 1:
        m = count + 1
        while (
            m > k + 1
            and first_met(
                body,
                i,
                (points[k, 0], points[k, 1]),
                (points[m, 0], points[m, 1]),
                theta,
                phi,
                there,
            )
            >= 0
        ):
            m -= 1
        if np.abs(points[m] - points[k]).max() > _STILL_RAD:
            move[made, 0], move[made, 1] = points[k, 0], points[k, 1]
            move[made, 2], move[made, 3] = points[m, 0], points[m, 1]
            made += 1
        k = m
    return move[:made].copy()


@njit
def park(
    body: Body,
    theta: Floats,
    phi: Floats,
    order: Longs,
    goal_theta: Floats,
    goal_phi: Floats,
    there: Flags,
) -> Ints:
    """Put some positioners, in that order, at the first of their goals where they touch nothing.

    `theta`, `phi` and `there` are changed. Returns who is in the way of those without a place,
    at their first goal; -1 for all others.
    """
    blocker = np.full(len(theta), -1, dtype=np.int32)
    for i in order:
        for k in range(goal_theta.shape[1]):
            t, p = goal_theta[i, k], goal_phi[i, k]
            met = first_met(body, i, (t, p), (t, p), theta, phi, there)
            if k == 0:
                blocker[i] = met
            if met < 0:
                theta[i], phi[i], blocker[i], there[i] = t, p, -1, True
                break
    return blocker


@njit
def _beside(body: Body, i: int, mine: Angles, j: int, phi: float) -> int:
    """Whether a neighbour has room beside a pose in all directions (1), in none (-1), or in some.

    It has in all if the pose stays clear of a disc around it, and in none if the pose covers its
    axis.
    """
    u, v, c, s = body.shape[i], body.shape[j], np.cos(mine[0]), np.sin(mine[0])
    low, high, around = body.capsule[v, 0]
    disc = max(max(abs(low), abs(high)) + around, reach(body, j, phi)) + CLEARANCE_M
    core = body.core[v, 0] if low <= 0.0 <= high else -np.inf
    x, y, clear = body.x[i], body.y[i], 1
    for p in range(2):
        if p == 1:
            x, y = x + body.first[i] * c, y + body.first[i] * s
            c, s = np.cos(mine[0] + mine[1]), np.sin(mine[0] + mine[1])
        dx, dy = body.x[j] - x, body.y[j] - y
        along = min(max(c * dx + s * dy, body.capsule[u, p, 0]), body.capsule[u, p, 1])
        dx, dy = dx - along * c, dy - along * s
        apart = np.sqrt(dx * dx + dy * dy)
        if apart < (body.core[u, p] + core) * (1.0 - 1e-9):
            return -1
        if apart < (body.capsule[u, p, 2] + disc) * (1.0 + 1e-9):
            clear = 0
    return clear


@njit
def leaves_room(body: Body, fibre: Longs, theta: Floats, phi: Floats, goal: Floats) -> Flags:
    """Whether each neighbour of a pose could stand folded, in one of so many directions."""
    room = np.ones(len(fibre), dtype=np.bool_)
    for m in range(len(fibre)):
        i = fibre[m]
        mine = reach(body, i, phi[m]) + CLEARANCE_M
        for k in range(body.start[i], body.start[i + 1]):
            j = body.other[k]
            both = mine + reach(body, j, goal[j, 0])
            dx, dy = body.x[i] - body.x[j], body.y[i] - body.y[j]
            if dx * dx + dy * dy > both * both:
                continue
            known = _beside(body, i, (theta[m], phi[m]), j, goal[j, 0])
            found = known > 0
            for n in range(1, goal.shape[1]):
                if known != 0 or found:
                    break
                if n > 2 and goal[j, n] == goal[j, n - 2]:  # at a hard stop already
                    continue
                apart = gap(body, i, (theta[m], phi[m]), j, (goal[j, n], goal[j, 0]))
                found = apart >= CLEARANCE_M
            if not found:
                room[m] = False
                break
    return room


@njit
def schedule(
    body: Body, theta: Floats, phi: Floats, fibre: Ints, move: Floats, lasts: Floats, step_s: float
) -> Floats:
    """When each move may start, if those before it in the list are not changed any more.

    Parameters
    ----------
    theta, phi : float64[n]
        Where all stand before.
    fibre, move : int32[m], float64[m, 4]
        One move after the other, as :func:`relax` makes them: each is free if all before it are
        over and none after it has begun.
    lasts : float64[m]
        How long each takes [s].
    step_s : float
        By how much a start is put off where it would collide [s].

    Returns
    -------
    float64[m]
        Starts [s].
    """
    n = len(theta)
    first = np.zeros(n + 1, dtype=np.int64)
    for m in range(len(fibre)):
        first[fibre[m] + 1] += 1
    for i in range(n):
        first[i + 1] += first[i]
    known = first[:-1].copy()  # where the next move of each goes
    mine = np.empty(len(fibre), dtype=np.int64)
    begin = np.zeros(len(fibre))
    for m in range(len(fibre)):
        i = fibre[m]
        t = 0.0
        if known[i] > first[i]:
            last = mine[known[i] - 1]
            t = begin[last] + lasts[last]
        latest = t
        for k in range(body.start[i], body.start[i + 1]):
            j = body.other[k]
            if known[j] > first[j]:
                last = mine[known[j] - 1]
                latest = max(latest, begin[last] + lasts[last])
        k = body.start[i]
        passed = 0
        total = body.start[i + 1] - k
        while passed < total and t < latest:
            j = body.other[k]
            theirs = mine[first[j] : known[j]]
            over = len(theirs) == 0 or begin[theirs[-1]] + lasts[theirs[-1]] <= t
            own = t, t + lasts[m], (move[m, 0], move[m, 1]), (move[m, 2], move[m, 3])
            if over or _in_time(body, i, own, j, theta, phi, move, begin, lasts, theirs):
                passed += 1
                k = k + 1 if k + 1 < body.start[i + 1] else body.start[i]
            else:
                passed = 0
                t = min(t + step_s, latest)
        begin[m] = t
        mine[known[i]] = m
        known[i] += 1
    return begin


@njit
def _in_time(
    body: Body,
    i: int,
    own: Timed,
    j: int,
    theta: Floats,
    phi: Floats,
    move: Floats,
    begin: Floats,
    lasts: Floats,
    theirs: Longs,
) -> bool:
    """Whether a move at that time, and standing where it ends, is free of a neighbour's moves."""
    dx, dy = body.x[i] - body.x[j], body.y[i] - body.y[j]
    mine = max(reach(body, i, own[2][1]), reach(body, i, own[3][1])) + CLEARANCE_M
    now, end = own[0], own[1]
    stands = theta[j], phi[j]
    for m in theirs:
        since, until = begin[m], begin[m] + lasts[m]
        goes = since, until, (move[m, 0], move[m, 1]), (move[m, 2], move[m, 3])
        if until <= now:
            stands = goes[3]
            continue
        both = mine + max(reach(body, j, goes[2][1]), reach(body, j, goes[3][1]))
        far = dx * dx + dy * dy > both * both
        if since > now:  # the other stands until then
            if not far and _meet_between(
                body, i, own, j, (now, since, stands, stands), now, min(since, end)
            ):
                return False
            now = since
        # the other moves, first during this move and then after its end
        if not far and _meet_between(body, i, own, j, goes, now, min(until, end)):
            return False
        if not far and _meet_between(body, i, own, j, goes, max(now, end), until):
            return False
        now = until
        stands = goes[3]
    return True  # after its last move the other stands where it did in the order of the list


@njit
def _meet_between(
    body: Body, i: int, mine: Timed, j: int, theirs: Timed, since: float, until: float
) -> bool:
    """Whether they may touch from one time to another, while neither changes its speed."""
    if until <= since:
        return False
    a, b = _when(mine, since), _when(mine, until)
    c, d = _when(theirs, since), _when(theirs, until)
    return meets(body, i, a, b, j, c, d)


@njit
def _when(move: Timed, t: float) -> Angles:
    """Where a move is at a time; before it and after it where it begins and ends."""
    since, until, a, b = move
    f = min(max((t - since) / (until - since), 0.0), 1.0)
    return a[0] + f * (b[0] - a[0]), a[1] + f * (b[1] - a[1])


KERNELS = (relax, route, park, leaves_room, schedule)
"""Compiled functions that are called from Python."""
