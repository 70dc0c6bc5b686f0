"""Outlines of arms as arrays that compiled code takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from wstdes.models.focalplane import Arms

    Floats = npt.NDArray[np.float64]

__all__ = ["Outlines"]


@dataclass(frozen=True, eq=False)
class Outlines:
    """Polygons of all shapes of arms as arrays that kernels take; convex or not."""

    corners: Floats
    """[shapes, 2, corners, 2]: theta and phi polygon [m]."""
    count: npt.NDArray[np.int64]
    """[shapes, 2]: number of corners."""
    convex: npt.NDArray[np.bool_]
    """[shapes, 2]"""
    spine: Floats
    """[shapes, 2, 3]: from and to where along x [m], and how far around, a polygon extends."""
    core: Floats
    """[shapes, 2]: how far around that part of the x axis all is inside [m]; or nothing known."""

    @classmethod
    def of(cls, arms: Arms) -> Outlines:
        """Gather the outlines of arms."""
        polygons = [[shape.theta_m, shape.phi_m] for shape in arms.shapes]
        most = max([1, *(len(polygon) for pair in polygons for polygon in pair)])
        corners = np.zeros((len(polygons), 2, most, 2))
        count = np.zeros((len(polygons), 2), dtype=np.int64)
        convex = np.zeros((len(polygons), 2), dtype=np.bool_)
        spine, core = np.zeros((len(polygons), 2, 3)), np.full((len(polygons), 2), -np.inf)
        for i, pair in enumerate(polygons):
            for j, polygon in enumerate(pair):
                if len(polygon) == 0:
                    continue
                points = _counter_clockwise(np.asarray(polygon, dtype=np.float64))
                count[i, j] = len(points)
                corners[i, j, : len(points)] = points
                convex[i, j] = _is_convex(points)
                spine[i, j] = _capsule_around(points)
                if convex[i, j]:
                    core[i, j] = _radius_inside(points, spine[i, j, :2])
        return cls(corners, count, convex, spine, core)

    def extent_m(self, arms: Arms) -> Floats:
        """Distance from its axis that no part of a positioner leaves, float64[n] [m]."""
        phi = np.array([_farthest(shape.phi_m) for shape in arms.shapes])[arms.shape]
        if arms.spine:
            return np.asarray(arms.phi_m + phi)
        theta = np.array([_farthest(shape.theta_m) for shape in arms.shapes])[arms.shape]
        return np.asarray(np.maximum(theta, arms.theta_m + phi))


def _capsule_around(points: Floats) -> tuple[float, float, float]:
    """A segment along x and the distance from it that no corner exceeds."""
    x, y = points.T
    half = float(np.abs(y).max())
    low, high = float(x.min()) + half, float(x.max()) - half
    if low > high:
        low = high = 0.5 * (low + high)
    beyond = np.maximum(np.maximum(low - x, x - high), 0.0)
    return low, high, float(np.hypot(beyond, y).max()) * (1.0 + 1e-12)


def _radius_inside(points: Floats, ends: Floats) -> float:
    """Distance of the sides of a convex polygon from a segment along x; below zero if outside."""
    side = np.roll(points, -1, axis=0) - points
    length = np.hypot(*side.T)
    has = length > 0.0
    inwards = np.column_stack((-side[:, 1], side[:, 0]))[has] / length[has, None]
    apart = [((np.array([x, 0.0]) - points[has]) * inwards).sum(axis=1).min() for x in ends]
    return float(min(apart)) * (1.0 - 1e-9)


def _farthest(points: npt.ArrayLike) -> float:
    """Distance of the farthest corner from the origin; zero without corners."""
    xy = np.asarray(points, dtype=np.float64).reshape(-1, 2)
    return float(np.hypot(xy[:, 0], xy[:, 1]).max()) if len(xy) else 0.0


def _counter_clockwise(points: Floats) -> Floats:
    """The same corners, counter-clockwise."""
    x, y = points.T
    area = float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1)))
    return points if area >= 0.0 else points[::-1].copy()


def _is_convex(points: Floats) -> bool:
    """Whether a counter-clockwise polygon turns left, or not at all, at each corner."""
    side = np.roll(points, -1, axis=0) - points
    after = np.roll(side, -1, axis=0)
    turn = side[:, 0] * after[:, 1] - side[:, 1] * after[:, 0]
    angle = np.arctan2(turn, (side * after).sum(axis=1))
    return bool((turn >= -1e-18).all() and abs(angle.sum() - 2.0 * np.pi) < 1e-6)
