"""Does a plan of motion keep all arms apart? Answered without the code that made the plan.

Of every two positioners that can meet, each stretch of time in which both turn evenly is halved
until the distance of their outlines in its middle exceeds how far they can move within it. What is
left when the stretch is too short to matter is a collision.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from wstdes.errors import WstdesError
from wstdes.jit import njit, plain

if TYPE_CHECKING:
    import numpy.typing as npt

    from wstdes.allocation.motion import MotionPlan
    from wstdes.models.focalplane import FocalPlane

    Floats = npt.NDArray[np.float64]
    Longs = npt.NDArray[np.int64]

__all__ = ["Collision", "verify_plan"]

_LEAST_M = 1e-8
"""Arms that could only touch by moving less than this are still held to collide [m]."""


@dataclass(frozen=True)
class Collision:
    """Two positioners that touch, or whose touching cannot be ruled out.

    Parameters
    ----------
    first, second : int
        Their numbers, the lower one first.
    time_s : float
        When, for the first time [s].
    """

    first: int
    second: int
    time_s: float


def verify_plan(plane: FocalPlane, plan: MotionPlan) -> list[Collision]:
    """Look for collisions in a plan, with the exact outlines and at all times.

    Parameters
    ----------
    plane : FocalPlane
        With arms that are no spines.
    plan : MotionPlan
        What to verify; only its knots are looked at.

    Returns
    -------
    list of Collision
        One for each pair, in the order of number; empty for a plan without collisions.

    Raises
    ------
    WstdesError
        If the focal plane has no arms, or spines.
    """
    from scipy.spatial import cKDTree

    arms = plane.arms
    if arms is None or arms.spine:
        raise WstdesError("only the motion of theta-phi arms can be verified")
    polygons = [(shape.theta_m, shape.phi_m) for shape in arms.shapes]
    most = max(len(corners) for pair in polygons for corners in pair)
    corners = np.zeros((len(polygons), 2, max(most, 1), 2))
    count = np.zeros((len(polygons), 2), np.int64)
    for u, pair in enumerate(polygons):
        for p, outline in enumerate(pair):
            count[u, p] = len(outline)
            corners[u, p, : len(outline)] = outline
    far = np.hypot(corners[..., 0], corners[..., 1]).max(axis=2)
    extent = np.maximum(far[arms.shape, 0], arms.theta_m + far[arms.shape, 1])
    xy = np.column_stack((plane.x_m, plane.y_m))
    pairs = cKDTree(xy).query_pairs(2.0 * float(extent.max()), output_type="ndarray")
    apart = np.hypot(*(xy[pairs[:, 0]] - xy[pairs[:, 1]]).T)
    pairs = pairs[apart <= extent[pairs].sum(axis=1)]
    pairs = pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]
    knots = np.column_stack((plan.time_s, plan.theta_rad, plan.phi_rad))
    when = _collisions(
        plain(pairs, np.int64),
        plain(plan.start, np.int64),
        plain(knots, np.float64),
        plain(xy, np.float64),
        plain(arms.theta_m, np.float64),
        plain(arms.shape, np.int16),
        corners,
        count,
        far,
    )
    return [
        Collision(int(pairs[k, 0]), int(pairs[k, 1]), float(when[k]))
        for k in np.flatnonzero(np.isfinite(when))
    ]


@njit
def _collisions(
    pairs: Longs,
    start: Longs,
    knots: Floats,
    xy: Floats,
    first: Floats,
    shape: npt.NDArray[np.int16],
    corners: Floats,
    count: Longs,
    far: Floats,
) -> Floats:
    """When each pair touches first; infinite if never [s]."""
    when = np.full(len(pairs), np.inf)
    most = corners.shape[2]
    a, b = np.empty((2, most, 2)), np.empty((2, most, 2))
    stack = np.empty((128, 2))
    for number in range(len(pairs)):
        i, j = pairs[number]
        u, v = shape[i], shape[j]
        k, m = start[i], start[j]  # the knots last passed
        now = 0.0
        while when[number] == np.inf:
            ahead_i = knots[k + 1, 0] if k + 1 < start[i + 1] else np.inf
            ahead_j = knots[m + 1, 0] if m + 1 < start[j + 1] else np.inf
            until = min(ahead_i, ahead_j)
            if until == np.inf:
                until = now
            n = 1
            stack[0, 0], stack[0, 1] = now, until
            while n:
                n -= 1
                low, high = stack[n]
                middle, half = 0.5 * (low + high), 0.5 * (high - low)
                ti, pi, moved_i = _angles(knots, k, start[i + 1], middle, half, first[i], far[u])
                tj, pj, moved_j = _angles(knots, m, start[j + 1], middle, half, first[j], far[v])
                within = (moved_i + moved_j) * (1.0 + 1e-9)
                _outlines(xy[i], first[i], ti, pi, corners[u], count[u], a)
                _outlines(xy[j], first[j], tj, pj, corners[v], count[v], b)
                apart = _distance(a, count[u], b, count[v], within)
                if apart > within:
                    continue
                if within < _LEAST_M or n + 2 > len(stack):
                    when[number] = low
                    break
                if apart <= 0.0:  # look for the first time they touch, and for no other
                    n = 0
                else:
                    stack[n, 0], stack[n, 1] = middle, high
                    n += 1
                stack[n, 0], stack[n, 1] = low, middle
                n += 1
            if ahead_i == np.inf and ahead_j == np.inf:
                break
            now = until
            if ahead_i <= until:
                k += 1
            if ahead_j <= until:
                m += 1
    return when


@njit
def _angles(
    knots: Floats, k: int, end: int, t: float, half: float, length: float, far: Floats
) -> tuple[float, float, float]:
    """Both angles at a time after knot k, and how far any point moves until `half` later."""
    if k + 1 >= end:
        return float(knots[k, 1]), float(knots[k, 2]), 0.0
    span = knots[k + 1, 0] - knots[k, 0]
    if span <= 0.0:
        return float(knots[k, 1]), float(knots[k, 2]), 0.0
    theta, phi = (knots[k + 1, 1] - knots[k, 1]) / span, (knots[k + 1, 2] - knots[k, 2]) / span
    fastest = max(far[0] * abs(theta), length * abs(theta) + far[1] * abs(theta + phi))
    t -= knots[k, 0]
    return float(knots[k, 1] + t * theta), float(knots[k, 2] + t * phi), float(fastest * half)


@njit
def _outlines(
    axis: Floats,
    length: float,
    theta: float,
    phi: float,
    corners: Floats,
    count: Longs,
    out: Floats,
) -> None:
    """Both outlines of a positioner, in place."""
    for p in range(2):
        x, y, angle = axis[0], axis[1], theta
        if p == 1:
            x, y = x + length * np.cos(theta), y + length * np.sin(theta)
            angle = theta + phi
        c, s = np.cos(angle), np.sin(angle)
        for k in range(count[p]):
            out[p, k, 0] = x + c * corners[p, k, 0] - s * corners[p, k, 1]
            out[p, k, 1] = y + s * corners[p, k, 0] + c * corners[p, k, 1]


@njit
def _distance(a: Floats, n_a: Longs, b: Floats, n_b: Longs, enough: float) -> float:
    """Distance of two positioners [m], or something less that is more than `enough`."""
    least = np.inf
    for p in range(2):
        for q in range(2):
            boxes = _boxes_apart(a[p, : n_a[p]], b[q, : n_b[q]])
            if boxes > enough:
                least = min(least, boxes)
            else:
                least = min(least, _polygons_apart(a[p, : n_a[p]], b[q, : n_b[q]]))
    return least


@njit
def _boxes_apart(a: Floats, b: Floats) -> float:
    """Distance of the boxes around two polygons [m]."""
    if len(a) == 0 or len(b) == 0:
        return np.inf
    squared = 0.0
    for k in range(2):
        gap = max(b[:, k].min() - a[:, k].max(), a[:, k].min() - b[:, k].max(), 0.0)
        squared += gap * gap
    return float(np.sqrt(squared))


@njit
def _polygons_apart(a: Floats, b: Floats) -> float:
    """Distance of two polygons, convex or not; zero if they overlap [m]."""
    if _holds(a, b[0]) or _holds(b, a[0]):
        return 0.0
    least = np.inf
    for i in range(len(a)):
        p, q = a[i - 1], a[i]
        for j in range(len(b)):
            r, s = b[j - 1], b[j]
            one, other = _side(p, q, r), _side(p, q, s)
            level = one == 0.0 and other == 0.0  # on one line: the ends below will tell
            if not level and one * other <= 0.0 and _side(r, s, p) * _side(r, s, q) <= 0.0:
                return 0.0
            least = min(least, _squared(p, r, s), _squared(q, r, s))
            least = min(least, _squared(r, p, q), _squared(s, p, q))
    return float(np.sqrt(least))


@njit
def _side(p: Floats, q: Floats, r: Floats) -> float:
    """Twice the signed area of a triangle."""
    return float((q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0]))


@njit
def _squared(p: Floats, q: Floats, r: Floats) -> float:
    """Squared distance of a point p from the segment from q to r."""
    x, y = r[0] - q[0], r[1] - q[1]
    dx, dy = p[0] - q[0], p[1] - q[1]
    square = x * x + y * y
    along = min(max((dx * x + dy * y) / square, 0.0), 1.0) if square > 0.0 else 0.0
    dx, dy = dx - along * x, dy - along * y
    return float(dx * dx + dy * dy)


@njit
def _holds(a: Floats, p: Floats) -> bool:
    """Whether a polygon holds a point."""
    inside = False
    for i in range(len(a)):
        q, r = a[i - 1], a[i]
        if (q[1] > p[1]) != (r[1] > p[1]):
            right = q[0] + (p[1] - q[1]) * (r[0] - q[0]) / (r[1] - q[1])
            inside = inside != (p[0] < right)
    return inside


KERNELS = (_collisions,)
"""Compiled functions that are called from Python."""
