"""Which edges exclude each other: overlapping arms, targets too close, spectra too unlike.

A *state* of a fibre is one of its edges. Arms are exact polygons in the place that the state puts
them; two states of different fibres are in conflict if any of their four pairs of arms overlap,
with edges crossing or one inside the other, if they have the same target, or if a rule of
:class:`~wstdes.allocation.problem.Geometry` forbids them together.

The file is long because compiled functions that call each other share one.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from wstdes.allocation.pairs import Pairs
from wstdes.allocation.problem import Geometry
from wstdes.allocation.states import Conflicts, States, all_states, some_states
from wstdes.jit import njit, plain

if TYPE_CHECKING:
    import numpy.typing as npt

    from wstdes.allocation.problem import AssignmentProblem

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int32]
    Longs = npt.NDArray[np.int64]

MOST_WORKERS, FEW_FIBRES = 4, 1000
"""Threads that look for conflicts, at most, and fibres for each of them, at least."""

CENTRED_M = 1e-9
"""A fibre this near its own axis [m] can have any theta."""

BOX_M = 1e-9
"""Boxes around arms and targets are so much larger on each side, for rounding [m]."""

__all__ = ["KERNELS", "blocked_edges", "build_conflicts", "state_conflicts"]


def build_conflicts(problem: AssignmentProblem) -> Conflicts:
    """List, for each edge, the edges that exclude it without sharing its fibre or its target.

    Parameters
    ----------
    problem : AssignmentProblem
        With a geometry, or there are none.

    Returns
    -------
    Conflicts
        By number of the edge.
    """
    if not problem.has_conflicts:
        return Conflicts(np.zeros(problem.n_edges + 1, np.int64), np.empty(0, np.int32))
    states = all_states(problem)
    _, found = state_conflicts(problem, states, Pairs.of(problem), every=True)
    return Conflicts(
        *_by_edge(found.start, found.other, states.edge, states.target, problem.n_edges)
    )


def blocked_edges(
    problem: AssignmentProblem, fixed: npt.NDArray[np.integer], tip_m: npt.NDArray[np.float64]
) -> npt.NDArray[np.bool_]:
    """Find the edges that positioners which cannot move are in the way of.

    Parameters
    ----------
    problem : AssignmentProblem
        With a geometry that has arms.
    fixed : int[k]
        Positioners that stand still; edges of their own are not looked at.
    tip_m : float64[k, 2]
        Where their fibres are on the focal plane [m].

    Returns
    -------
    bool[m]
        By number of the edge.
    """
    blocked = np.zeros(problem.n_edges, dtype=np.bool_)
    rules = problem.geometry
    if rules is None or rules.arms is None or len(fixed) == 0:
        return blocked
    own = np.sort(np.asarray(fixed, dtype=np.int32))
    tip = np.asarray(tip_m)[np.argsort(fixed, kind="stable")]
    pairs = Pairs.of(problem)
    of, near = np.zeros((2, problem.n_fibres), dtype=np.bool_)
    of[own] = True
    near[pairs.other[np.repeat(of, np.diff(pairs.start))]] = True
    edge = np.flatnonzero(near[problem.fibre])
    part = replace(  # a target for each of these edges, then one for each that stands
        problem,
        weight=np.zeros(len(edge) + len(own)),
        start=np.arange(len(edge) + len(own) + 1),
        fibre=np.concatenate([problem.fibre[edge], own]).astype(np.int32),
        purpose=None,
        geometry=Geometry(
            rules.fibre_xy_m,
            np.concatenate([rules.target_xy_m[problem.edge_target()[edge]], tip]),
            rules.arms,
        ),
    )
    states = all_states(part)
    _, begin, other = _conflicts(True, of, _Arrays.of(part, states, Pairs.of(part)).whole)
    hit = states.edge[other[np.repeat(states.edge >= len(edge), np.diff(begin))]]
    blocked[edge[hit[hit < len(edge)]]] = True
    return blocked


@njit
def _by_edge(
    start: Longs, other: Ints, edge: Ints, target: Ints, n_edges: int
) -> tuple[Longs, Ints]:
    """Conflicts by edge instead of by state, without those of the same target."""
    begin = np.zeros(n_edges + 1, dtype=np.int64)
    for s in range(len(edge)):
        for j in range(start[s], start[s + 1]):
            if target[other[j]] != target[s]:
                begin[edge[s] + 1] += 1
    for e in range(n_edges):
        begin[e + 1] += begin[e]
    place = begin[:-1].copy()
    found = np.empty(begin[n_edges], dtype=np.int32)
    for s in range(len(edge)):
        e = edge[s]
        for j in range(start[s], start[s + 1]):
            if target[other[j]] != target[s]:
                found[place[e]] = edge[other[j]]
                place[e] += 1
    return begin, found


def poses(problem: AssignmentProblem, states: States) -> Floats:
    """Where the arms of each state are.

    Returns
    -------
    float64[s, 6]
        Axis of the phi arm [m], cosine and sine of the theta arm's direction, cosine and sine of
        the phi arm's.
    """
    rules = problem.geometry
    assert rules is not None
    if rules.arms is None:
        return np.zeros((len(states.edge), 6))
    arms = rules.arms
    return _poses(
        states.fibre,
        states.target,
        plain(rules.fibre_xy_m, np.float64),
        plain(rules.target_xy_m, np.float64),
        plain(arms.theta_m, np.float64),
        plain(arms.phi_m, np.float64),
        plain(arms.theta_zero_rad + 0.5 * arms.theta_range_rad.sum(axis=1), np.float64),
        arms.spine,
    )


@njit
def _poses(
    fibre: Ints,
    target: Ints,
    fibre_xy: Floats,
    target_xy: Floats,
    theta_m: Floats,
    phi_m: Floats,
    centred_rad: Floats,
    spine: bool,
) -> Floats:
    """Solve the triangle of axis, elbow and target, with the elbow on the right."""
    pose = np.empty((len(fibre), 6))
    for s in range(len(fibre)):
        f, t = fibre[s], target[s]
        if spine:
            pose[s] = target_xy[t, 0], target_xy[t, 1], 1.0, 0.0, 1.0, 0.0
            continue
        dx, dy = target_xy[t, 0] - fibre_xy[f, 0], target_xy[t, 1] - fibre_xy[f, 1]
        a, b = theta_m[f], phi_m[f]
        r = np.sqrt(dx * dx + dy * dy)
        if r <= CENTRED_M:
            ct, st = np.cos(centred_rad[f]), np.sin(centred_rad[f])
            cp, sp = -ct, -st
        else:
            # the theta arm is the line to the target, turned right by the triangle's angle
            x, y = dx / r, dy / r
            r = min(max(r, abs(a - b)), a + b)
            cosine = (
                min(max((a * a + r * r - b * b) / (2.0 * a * r), -1.0), 1.0) if a > 0.0 else 0.0
            )
            area = max((r - a + b) * (r + a - b), 0.0) * max((a + b - r) * (a + b + r), 0.0)
            sine = np.sqrt(area) / (2.0 * a * r) if a > 0.0 else 1.0
            ct, st = cosine * x + sine * y, cosine * y - sine * x
            cp, sp = (r * x - a * ct) / b, (r * y - a * st) / b
        pose[s, 0], pose[s, 1] = fibre_xy[f, 0] + a * ct, fibre_xy[f, 1] + a * st
        pose[s, 2], pose[s, 3], pose[s, 4], pose[s, 5] = ct, st, cp, sp
    return pose


@dataclass(frozen=True, eq=False)
class _Arrays:
    """What the kernels need of a problem, its states and its pairs."""

    whole: tuple[Any, ...]

    @classmethod
    def of(cls, problem: AssignmentProblem, states: States, pairs: Pairs) -> _Arrays:
        """Gather it."""
        rules, outlines = problem.geometry, pairs.outlines
        assert rules is not None
        pose = poses(problem, states)
        fibre_xy = plain(rules.fibre_xy_m, np.float64)
        magnitude = rules.magnitude
        if magnitude is None:
            magnitude = np.full(problem.n_targets, np.nan)
        purpose = problem.purpose
        if purpose is None:
            purpose = np.zeros(problem.n_targets, np.int8)
        target_xy = plain(rules.target_xy_m, np.float64)
        separation = float(rules.separation_m)
        outline = pairs.shape, outlines.count, outlines.spine
        box, whole = _boxes(
            states.start, states.target, pose, fibre_xy, target_xy, *outline, separation
        )
        return cls(
            (
                states.start,
                states.fibre,
                states.target,
                states.weight,
                plain(purpose, np.int8),
                pose,
                box,
                whole,
                fibre_xy,
                target_xy,
                pairs.shape,
                outlines.corners,
                outlines.count,
                outlines.convex,
                outlines.spine,
                outlines.core,
                pairs.start,
                pairs.other,
                pairs.slit_next,
                pairs.slit_before,
                plain(magnitude, np.float64),
                float(rules.contrast_mag),
                separation,
            )
        )


def state_conflicts(
    problem: AssignmentProblem, states: States, pairs: Pairs, *, every: bool = False
) -> tuple[States, Conflicts]:
    """List, for each state that matters, the states of other fibres that exclude it.

    Of the states of a fibre with the same purpose, those after the first that nothing excludes
    do not matter: they are worth less, and an optimum can do without them.

    Parameters
    ----------
    problem : AssignmentProblem
        With a geometry.
    states : States
        Some or all edges of the problem, those of a fibre by weight, the greatest first.
    pairs : Pairs
        Prepared for this problem.
    every : bool
        Keep all states.

    Returns
    -------
    states : States
        Those that matter.
    conflicts : Conflicts
        By number of these states; those of one target exclude each other too.
    """
    everyone = np.ones(problem.n_fibres, dtype=np.bool_)
    kept, begin, other = _conflicts(every, everyone, _Arrays.of(problem, states, pairs).whole)
    return some_states(states, kept), Conflicts(begin, other)


@njit
def _boxes(
    start: Longs,
    target: Ints,
    pose: Floats,
    fibre_xy: Floats,
    target_xy: Floats,
    shape: npt.NDArray[np.int16],
    count: npt.NDArray[np.int64],
    spine: Floats,
    separation: float,
) -> tuple[Floats, Floats]:
    """Least and greatest x, then y, of each state's arms and target: [s, 4]; of each fibre: [n, 4].

    What keeps apart is half of that larger on each side.
    """
    box = np.empty((len(target), 4))
    whole = np.empty((len(start) - 1, 4))
    margin = 0.5 * separation + BOX_M
    for f in range(len(start) - 1):
        u = shape[f]
        whole[f] = np.inf, -np.inf, np.inf, -np.inf
        for s in range(start[f], start[f + 1]):
            x, y = target_xy[target[s], 0], target_xy[target[s], 1]
            left, right, low, high = x - margin, x + margin, y - margin, y + margin
            x, y = fibre_xy[f, 0], fibre_xy[f, 1]
            for arm in range(2):
                if arm == 1:
                    x, y = pose[s, 0], pose[s, 1]
                if count[u, arm] == 0:
                    continue
                c, d = pose[s, 2 + 2 * arm], pose[s, 3 + 2 * arm]
                around = spine[u, arm, 2] + BOX_M
                for k in range(2):
                    i, j = x + c * spine[u, arm, k], y + d * spine[u, arm, k]
                    left, right = min(left, i - around), max(right, i + around)
                    low, high = min(low, j - around), max(high, j + around)
            box[s] = left, right, low, high
            whole[f, 0], whole[f, 1] = min(whole[f, 0], left), max(whole[f, 1], right)
            whole[f, 2], whole[f, 3] = min(whole[f, 2], low), max(whole[f, 3], high)
    return box, whole


def _conflicts(
    every: bool, of: npt.NDArray[np.bool_], arrays: tuple[Any, ...]
) -> tuple[npt.NDArray[np.bool_], Longs, Ints]:
    """Test all fibres, as many at once as there are processors; the answer does not depend on it.

    Returns
    -------
    kept : bool[s]
        States that matter.
    start, other : int64[k + 1], int32[c]
        Conflicts of these, by their numbers among themselves.
    """
    n, n_states = len(of), len(arrays[1])
    kept = np.zeros(n_states, dtype=np.bool_)
    links = np.zeros(n_states, dtype=np.int32)
    workers = max(1, min(MOST_WORKERS, os.cpu_count() or 1, n // FEW_FIBRES))
    bounds = [n * i // workers for i in range(workers + 1)]

    def work(low: int, high: int) -> Ints:
        return _some_conflicts(every, of, low, high, kept, links, *arrays)

    if workers == 1:
        raw = work(0, n)
    else:
        with ThreadPoolExecutor(workers) as pool:
            raw = np.concatenate(list(pool.map(work, bounds[:-1], bounds[1:])))
    begin = np.zeros(n_states + 1, dtype=np.int64)
    np.cumsum(links, out=begin[1:])
    return _only_kept(kept, begin, raw)


@njit
def _some_conflicts(
    every: bool,
    of: npt.NDArray[np.bool_],
    low: int,
    high: int,
    kept: npt.NDArray[np.bool_],
    links: Ints,
    start: Longs,
    fibre: Ints,
    target: Ints,
    weight: Floats,
    purpose: npt.NDArray[np.int8],
    pose: Floats,
    box: Floats,
    whole: Floats,
    fibre_xy: Floats,
    target_xy: Floats,
    shape: npt.NDArray[np.int16],
    corners: Floats,
    count: npt.NDArray[np.int64],
    convex: npt.NDArray[np.bool_],
    spine: Floats,
    core: Floats,
    near_start: Longs,
    near: Ints,
    slit_next: Ints,
    slit_before: Ints,
    magnitude: Floats,
    contrast: float,
    separation: float,
) -> Ints:
    """Test the states of some fibres, in their order, against all of those that they can meet.

    It writes `kept` and `links` (conflicts of each state) for them alone, and returns the
    conflicts, one state's after another's.
    """
    most = corners.shape[2]
    mine, theirs = np.empty((2, most, 2)), np.empty((2, most, 2))
    raw = np.empty(4096, dtype=np.int32)
    found = 0
    done = np.zeros(3, dtype=np.bool_)
    for f in range(low, high):
        done[:] = False
        u, ax, ay = shape[f], fibre_xy[f, 0], fibre_xy[f, 1]
        for a in range(start[f], start[f + 1]):
            before = found
            ta = target[a]
            kept[a] = every
            if done[purpose[ta]] or not of[f]:
                continue
            kept[a] = True
            ready = False
            for j in range(near_start[f], near_start[f + 1]):
                g = near[j]
                on_slit = g == slit_next[f] or g == slit_before[f]
                if not (on_slit or _share(box, a, whole, g)):
                    continue
                v, bx, by = shape[g], fibre_xy[g, 0], fibre_xy[g, 1]
                for b in range(start[g], start[g + 1]):
                    near_by = _share(box, a, box, b)
                    if not (on_slit or near_by):
                        continue
                    tb = target[b]
                    hit = ta == tb
                    if not hit and on_slit:
                        hit = abs(magnitude[ta] - magnitude[tb]) > contrast
                    if not hit and separation > 0.0:
                        dx = target_xy[ta, 0] - target_xy[tb, 0]
                        dy = target_xy[ta, 1] - target_xy[tb, 1]
                        hit = dx * dx + dy * dy < separation * separation
                    if not hit and near_by:
                        for p in range(2):
                            for q in range(2):
                                if hit or count[u, p] == 0 or count[v, q] == 0:
                                    continue
                                apart = _spines_apart(spine, pose, ax, ay, a, u, p, bx, by, b, v, q)
                                around = (spine[u, p, 2] + spine[v, q, 2]) * (1.0 + 1e-9)
                                if apart > around * around:
                                    continue
                                inside = core[u, p] + core[v, q]
                                if inside > 0.0 and apart <= inside * inside:
                                    hit = True
                                    continue
                                if not ready:
                                    _place(corners, count, u, ax, ay, pose, a, mine)
                                    ready = True
                                _place_arm(corners, count, v, bx, by, pose, b, q, theirs)
                                hit = _overlap(
                                    mine,
                                    p,
                                    count[u, p],
                                    theirs,
                                    q,
                                    count[v, q],
                                    convex[u, p] and convex[v, q],
                                )
                    if hit:
                        if found == len(raw):
                            raw = np.concatenate((raw, np.empty_like(raw)))
                        raw[found] = b
                        found += 1
            links[a] = found - before
            if found == before and not every:
                done[purpose[ta]] = True
                for r in range(start[f], a):
                    if weight[r] <= weight[a] and purpose[target[r]] == purpose[ta]:
                        kept[r] = False
    return raw[:found].copy()


@njit
def _only_kept(
    kept: npt.NDArray[np.bool_], begin: Longs, raw: Ints
) -> tuple[npt.NDArray[np.bool_], Longs, Ints]:
    """Number the states that are kept, and leave the others out of the lists."""
    number = np.empty(len(kept), dtype=np.int32)
    n = 0
    for s in range(len(kept)):
        number[s] = n
        n += kept[s]
    start = np.zeros(n + 1, dtype=np.int64)
    other = np.empty(begin[len(kept)], dtype=np.int32)
    found = 0
    for s in range(len(kept)):
        if not kept[s]:
            continue
        for j in range(begin[s], begin[s + 1]):
            if kept[raw[j]]:
                other[found] = number[raw[j]]
                found += 1
        start[number[s] + 1] = found
    return kept, start, other[:found].copy()


@njit
def _share(one: Floats, a: int, other: Floats, b: int) -> bool:
    """Whether box a of the one and box b of the other have a point in common."""
    return bool(
        one[a, 0] <= other[b, 1]
        and other[b, 0] <= one[a, 1]
        and one[a, 2] <= other[b, 3]
        and other[b, 2] <= one[a, 3]
    )


@njit
def _spines_apart(
    spine: Floats,
    pose: Floats,
    ax: float,
    ay: float,
    a: int,
    u: int,
    p: int,
    bx: float,
    by: float,
    b: int,
    v: int,
    q: int,
) -> float:
    """Square of the distance between the middle lines of two arms [m2]."""
    if p == 1:
        ax, ay = pose[a, 0], pose[a, 1]
    if q == 1:
        bx, by = pose[b, 0], pose[b, 1]
    c, s = pose[a, 2 + 2 * p], pose[a, 3 + 2 * p]
    d, e = pose[b, 2 + 2 * q], pose[b, 3 + 2 * q]
    first, other = spine[u, p, 0], spine[v, q, 0]
    x, y = ax + c * first, ay + s * first
    u_x, u_y = bx + d * other, by + e * other
    m, n = spine[u, p, 1] - first, spine[v, q, 1] - other
    # closest points of x + i (c, s), i in [0, m], and u_x + j (d, e), j in [0, n]: Ericson 2005,
    # Real-Time Collision Detection, section 5.1.9, with unit directions
    rx, ry = x - u_x, y - u_y
    dot, along, back = c * d + s * e, c * rx + s * ry, d * rx + e * ry
    flat = 1.0 - dot * dot
    i = min(max((dot * back - along) / flat, 0.0), m) if flat > 1e-12 else 0.0
    j = dot * i + back
    if j < 0.0:
        j, i = 0.0, min(max(-along, 0.0), m)
    elif j > n:
        j, i = n, min(max(dot * n - along, 0.0), m)
    dx, dy = rx + i * c - j * d, ry + i * s - j * e
    return float(dx * dx + dy * dy)


@njit
def _place(
    corners: Floats,
    count: npt.NDArray[np.int64],
    u: int,
    x: float,
    y: float,
    pose: Floats,
    s: int,
    out: Floats,
) -> None:
    """Turn and move the two polygons of a positioner to where a pose puts them."""
    for arm in range(2):
        _place_arm(corners, count, u, x, y, pose, s, arm, out)


@njit
def _place_arm(
    corners: Floats,
    count: npt.NDArray[np.int64],
    u: int,
    x: float,
    y: float,
    pose: Floats,
    state: int,
    arm: int,
    out: Floats,
) -> None:
    """Turn and move one of them."""
    if arm == 1:
        x, y = pose[state, 0], pose[state, 1]
    c, s = pose[state, 2 + 2 * arm], pose[state, 3 + 2 * arm]
    for i in range(count[u, arm]):
        px, py = corners[u, arm, i, 0], corners[u, arm, i, 1]
        out[arm, i, 0] = x + c * px - s * py
        out[arm, i, 1] = y + s * px + c * py


@njit
def _overlap(a: Floats, p: int, n_a: int, b: Floats, q: int, n_b: int, convex: bool) -> bool:
    """Whether polygon p of a and polygon q of b have a point in common."""
    if n_a == 0 or n_b == 0:
        return False
    if convex:
        return not (_separated(a, p, n_a, b, q, n_b) or _separated(b, q, n_b, a, p, n_a))
    for i in range(n_a):
        k = i + 1 if i + 1 < n_a else 0
        for j in range(n_b):
            if _cross(a[p, i], a[p, k], b[q, j], b[q, j + 1 if j + 1 < n_b else 0]):
                return True
    return _inside(a[p, 0], b[q], n_b) or _inside(b[q, 0], a[p], n_a)


@njit
def _separated(a: Floats, p: int, n_a: int, b: Floats, q: int, n_b: int) -> bool:
    """Whether an edge of the convex polygon a has all of b on its outer side."""
    for i in range(n_a):
        j = i + 1 if i + 1 < n_a else 0
        nx, ny = a[p, j, 1] - a[p, i, 1], a[p, i, 0] - a[p, j, 0]
        limit = nx * a[p, i, 0] + ny * a[p, i, 1]
        outside = True
        for k in range(n_b):
            if nx * b[q, k, 0] + ny * b[q, k, 1] <= limit:
                outside = False
                break
        if outside:
            return True
    return False


@njit
def _turn(p: Floats, q: Floats, r: Floats) -> float:
    """Twice the signed area of a triangle."""
    return float((q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0]))


@njit
def _cross(p: Floats, q: Floats, r: Floats, s: Floats) -> bool:
    """Whether two segments have a point in common."""
    d1, d2, d3, d4 = _turn(p, q, r), _turn(p, q, s), _turn(r, s, p), _turn(r, s, q)
    if ((d1 > 0.0) != (d2 > 0.0)) and ((d3 > 0.0) != (d4 > 0.0)):
        return True
    return (
        (d1 == 0.0 and _between(p, q, r))
        or (d2 == 0.0 and _between(p, q, s))
        or (d3 == 0.0 and _between(r, s, p))
        or (d4 == 0.0 and _between(r, s, q))
    )


@njit
def _between(p: Floats, q: Floats, r: Floats) -> bool:
    """Whether r, on the line through p and q, is between them."""
    return bool(
        min(p[0], q[0]) <= r[0] <= max(p[0], q[0]) and min(p[1], q[1]) <= r[1] <= max(p[1], q[1])
    )


@njit
def _inside(p: Floats, a: Floats, n_a: int) -> bool:
    """Whether a point is inside a polygon."""
    inside = False
    for i in range(n_a):
        q, r = a[i], a[i + 1 if i + 1 < n_a else 0]
        if (q[1] > p[1]) != (r[1] > p[1]):
            x = q[0] + (p[1] - q[1]) * (r[0] - q[0]) / (r[1] - q[1])
            if x > p[0]:
                inside = not inside
    return inside


KERNELS = (_by_edge, _poses, _some_conflicts, _only_kept)
