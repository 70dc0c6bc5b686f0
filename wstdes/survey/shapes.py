"""Shapes on the sphere: circles, and polygons with sides that are great circles."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from wstdes.survey.cells import unit_vectors

__all__ = ["Circles", "Polygon"]

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

_SMALLEST_HEIGHT = math.cos(math.radians(85.0))


@dataclass(frozen=True, eq=False)
class Circles:
    """All that lies within a radius of any of some centres: a circle, or a list of fields.

    Parameters
    ----------
    ra_rad, dec_rad : ndarray of float64, shape (n,)
        Centres, ICRS [rad].
    radius_rad : float
        Of every circle, along the sphere [rad].

    Raises
    ------
    ValueError
        If there are none, or the radius is not between 0 and a quarter turn.
    """

    ra_rad: FloatArray
    dec_rad: FloatArray
    radius_rad: float

    def __post_init__(self) -> None:
        if not len(self.ra_rad):
            raise ValueError("no circles")
        if not 0.0 < self.radius_rad <= 0.5 * math.pi:
            raise ValueError(f"a radius of {math.degrees(self.radius_rad):g} deg: need 0 to 90")

    @cached_property
    def _tree(self) -> Any:
        from scipy.spatial import cKDTree

        return cKDTree(unit_vectors(self.ra_rad, self.dec_rad))

    def _distance(self, ra_rad: ArrayLike, dec_rad: ArrayLike) -> FloatArray:
        chord, _ = self._tree.query(unit_vectors(ra_rad, dec_rad))
        return np.asarray(2.0 * np.arcsin(np.minimum(0.5 * chord, 1.0)))

    def contains(self, ra_rad: ArrayLike, dec_rad: ArrayLike) -> BoolArray:
        """Say which positions [rad] lie in any of the circles, bool of the shape of `ra_rad`."""
        return np.asarray(self._distance(ra_rad, dec_rad) <= self.radius_rad)

    def holds_cone(self, ra_rad: float, dec_rad: float, radius_rad: float) -> bool:
        """Whether a whole cone is inside one of them."""
        return float(self._distance(ra_rad, dec_rad)) + radius_rad <= self.radius_rad

    def misses_cone(self, ra_rad: float, dec_rad: float, radius_rad: float) -> bool:
        """Whether a whole cone is outside of all."""
        return float(self._distance(ra_rad, dec_rad)) > self.radius_rad + radius_rad

    def anchors(self) -> FloatArray:
        """Centres, shape (n, 2) [rad]."""
        return np.stack([self.ra_rad, self.dec_rad], axis=-1)


@dataclass(frozen=True, eq=False)
class Polygon:
    """A polygon whose sides are arcs of great circles, smaller than a hemisphere.

    The gnomonic projection makes straight lines of great circles, so that what is inside is
    decided in the plane by the number of sides that a ray crosses (Shimrat 1962, CACM 5, 434).

    Parameters
    ----------
    ra_rad, dec_rad : ndarray of float64, shape (n,)
        Corners in order, either way round, ICRS [rad]; the last is joined to the first.

    Raises
    ------
    ValueError
        Fewer than three corners, two alike, corners more than 85 deg from their middle, or sides
        that cross.
    """

    ra_rad: FloatArray
    dec_rad: FloatArray

    def __post_init__(self) -> None:
        if len(self.ra_rad) < 3:
            raise ValueError(f"a polygon of {len(self.ra_rad)} corners: needs three at least")
        corners = self._corners
        if (np.linalg.norm(corners - np.roll(corners, -1, axis=0), axis=1) < 1e-9).any():
            raise ValueError("a polygon with the same corner twice in a row")
        if float(np.linalg.norm(corners.mean(axis=0))) < 1e-6 or (
            (corners @ self._middle).min() < _SMALLEST_HEIGHT
        ):
            raise ValueError(
                "a polygon with a corner more than 85 deg from the middle of its corners: "
                "make it of several smaller ones"
            )
        if self._crosses_itself():
            raise ValueError("a polygon whose sides cross: give the corners in order")

    @cached_property
    def _corners(self) -> FloatArray:
        return unit_vectors(self.ra_rad, self.dec_rad)

    @cached_property
    def _middle(self) -> FloatArray:
        total = self._corners.sum(axis=0)
        return np.asarray(total / np.linalg.norm(total))

    @cached_property
    def _axes(self) -> tuple[FloatArray, FloatArray]:
        """Two directions that span the plane of projection."""
        helper = np.eye(3)[int(np.argmin(np.abs(self._middle)))]
        first = np.cross(self._middle, helper)
        first /= np.linalg.norm(first)
        return first, np.cross(self._middle, first)

    def _flat(self, vectors: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Gnomonic coordinates of directions, and their height over the plane's horizon."""
        height = vectors @ self._middle
        safe = np.where(height > 1e-9, height, 1.0)
        first, second = self._axes
        return vectors @ first / safe, vectors @ second / safe, height

    @cached_property
    def _sides(self) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        x, y, _ = self._flat(self._corners)
        return x, y, np.roll(x, -1), np.roll(y, -1)

    def contains(self, ra_rad: ArrayLike, dec_rad: ArrayLike) -> BoolArray:
        """Say which positions [rad] are inside, bool of the shape of `ra_rad`."""
        x, y, height = self._flat(unit_vectors(ra_rad, dec_rad))
        inside = np.zeros(np.shape(x), dtype=np.bool_)
        for x0, y0, x1, y1 in zip(*self._sides, strict=True):
            if y0 == y1:
                continue
            spans = (y0 > y) != (y1 > y)
            inside ^= spans & (x < (x1 - x0) * (y - y0) / (y1 - y0) + x0)
        return np.asarray(inside & (height > _SMALLEST_HEIGHT / 2.0), dtype=np.bool_)

    def _edge_distance(self, ra_rad: float, dec_rad: float) -> float:
        """Distance of a position to the nearest side [rad]."""
        point, a = unit_vectors(ra_rad, dec_rad), self._corners
        b = np.roll(a, -1, axis=0)
        pole = np.cross(a, b)
        pole /= np.linalg.norm(pole, axis=1, keepdims=True)
        foot = point - (pole @ point)[:, None] * pole
        within = (np.einsum("ij,ij->i", np.cross(a, foot), pole) >= 0.0) & (
            np.einsum("ij,ij->i", np.cross(foot, b), pole) >= 0.0
        )
        to_line = np.arcsin(np.clip(np.abs(pole @ point), 0.0, 1.0))
        to_corner = np.arccos(np.clip(a @ point, -1.0, 1.0))
        return float(min(np.where(within, to_line, math.pi).min(), to_corner.min()))

    def holds_cone(self, ra_rad: float, dec_rad: float, radius_rad: float) -> bool:
        """Whether a whole cone is inside."""
        return bool(self.contains(ra_rad, dec_rad)) and (
            self._edge_distance(ra_rad, dec_rad) >= radius_rad
        )

    def misses_cone(self, ra_rad: float, dec_rad: float, radius_rad: float) -> bool:
        """Whether a whole cone is outside."""
        return not bool(self.contains(ra_rad, dec_rad)) and (
            self._edge_distance(ra_rad, dec_rad) > radius_rad
        )

    def anchors(self) -> FloatArray:
        """Centre of each triangle of three corners in a row, shape (n, 2) [rad]."""
        a = self._corners
        centres = a + np.roll(a, -1, axis=0) + np.roll(a, -2, axis=0)
        x, y, z = centres.T
        return np.stack([np.arctan2(y, x), np.arctan2(z, np.hypot(x, y))], axis=-1)

    def _crosses_itself(self) -> bool:
        x0, y0, x1, y1 = self._sides

        def turn(ax: Any, ay: Any, bx: Any, by: Any, cx: Any, cy: Any) -> Any:
            return np.sign((bx - ax) * (cy - ay) - (by - ay) * (cx - ax))

        for i in range(len(x0)):
            side = (x0[i], y0[i], x1[i], y1[i])
            ends = turn(*side, x0, y0) * turn(*side, x1, y1) < 0
            mine = turn(x0, y0, x1, y1, x0[i], y0[i]) * turn(x0, y0, x1, y1, x1[i], y1[i]) < 0
            if (ends & mine).any():
                return True
        return False
