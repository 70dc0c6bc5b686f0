"""Pieces of sky: all points that the same tiles see.

The fields of tiles overlap. Where they cut each other the sky falls into pieces, and within a
piece every point has the same history: it was looked at by the same visits. So expected numbers of
targets by piece need no mixing between what was observed and what was not. Pieces are found by
sampling: points on rings of declination, each with the set of tiles that see it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wstdes.jit import njit
from wstdes.models.focalplane import HR, LR, FocalPlane

__all__ = ["Pieces", "Reach", "find_pieces", "find_reach"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Density = Callable[[FloatArray, FloatArray], FloatArray]

FINENESS = (8.0, 6.0, 4.5)
"""Points to a radius of the field; the coarser ones where tiles cut the sky into too many."""
MOST_PIECES = 200_000
_PIXELS = 1024


@dataclass(frozen=True, eq=False)
class Reach:
    """A picture of the focal plane: where some fibre of a kind can go.

    Parameters
    ----------
    mask : ndarray of bool, shape (2, pixels, pixels)
        By kind, y and x.
    radius_m : float
        From the centre to the edge [m].
    scale_m_per_rad : float
        Plate scale [m/rad].
    """

    mask: NDArray[np.bool_]
    radius_m: float
    scale_m_per_rad: float

    @property
    def tangent(self) -> float:
        """Of the field's angular radius."""
        return self.radius_m / self.scale_m_per_rad

    @property
    def share(self) -> FloatArray:
        """Share of the field within reach, by kind, shape (2,)."""
        pixels = self.mask.shape[1]
        axis = (np.arange(pixels) + 0.5) / pixels * 2.0 - 1.0
        inside = axis[:, None] ** 2 + axis[None, :] ** 2 <= 1.0
        return np.asarray((self.mask & inside).sum(axis=(1, 2)) / inside.sum())

    def of(self, x_m: FloatArray, y_m: FloatArray, kind: NDArray[np.int8]) -> NDArray[np.bool_]:
        """Whether a fibre of a kind can go to a place [m]; bool of the shape of `x_m`."""
        pixels = self.mask.shape[1]
        to = 0.5 * pixels / self.radius_m
        column = np.clip((x_m + self.radius_m) * to, 0, pixels - 1).astype(np.int64)
        row = np.clip((y_m + self.radius_m) * to, 0, pixels - 1).astype(np.int64)
        return np.asarray(self.mask[kind, row, column])


def find_reach(plane: FocalPlane, scale_m_per_rad: float) -> Reach:
    """Draw where the fibres of a focal plane can go.

    Parameters
    ----------
    plane : FocalPlane
        The positioners, all of them working.
    scale_m_per_rad : float
        Plate scale [m/rad].

    Returns
    -------
    Reach
    """
    mask = np.zeros((2, _PIXELS, _PIXELS), dtype=np.bool_)
    for kind in (LR, HR):
        mine = plane.kind == kind
        _draw(
            mask[kind],
            plane.reach_m,
            plane.x_m[mine],
            plane.y_m[mine],
            plane.inner_m[mine],
            plane.patrol_m[mine],
        )
    return Reach(mask, plane.reach_m, scale_m_per_rad)


@dataclass(frozen=True, eq=False)
class Pieces:
    """The sky that tiles see, cut where their fields cut each other.

    Pairs of a tile and a piece that it sees stand in one list, sorted by tile.

    Parameters
    ----------
    tile_start : ndarray of int64, shape (tiles + 1,)
        First pair of each tile.
    piece, tile : ndarray of int64, shape (pairs,)
        Of each pair.
    within_reach : ndarray of float64, shape (pairs, 2)
        Share of the piece that fibres of a kind reach from the tile.
    piece_start, pair : ndarray of int64, shape (pieces + 1,), (pairs,)
        The pairs of each piece.
    area_sr : ndarray of float64, shape (pieces,)
        [sr].
    points : ndarray of int64, shape (pieces,)
        How many sampled it.
    piece_of : ndarray of int32, shape (all points,)
        Piece of each point; -1 where no tile looks.
    rings : ndarray of int64, shape (rings + 1,)
        First point of each ring of declination, from the south.
    tangent : float
        Of the field's radius.
    """

    tile_start: IntArray
    piece: IntArray
    tile: IntArray
    within_reach: FloatArray
    piece_start: IntArray
    pair: IntArray
    area_sr: FloatArray
    points: IntArray
    piece_of: NDArray[np.int32]
    rings: IntArray
    tangent: float

    def __len__(self) -> int:
        return len(self.area_sr)

    def field(self, ra_rad: float, dec_rad: float) -> tuple[IntArray, FloatArray]:
        """Return pieces that a field anywhere sees, and which share of each it sees.

        Parameters
        ----------
        ra_rad, dec_rad : float
            Centre, ICRS [rad].

        Returns
        -------
        int64[n], float64[n]
        """
        points = _within(ra_rad, dec_rad, math.atan(self.tangent), self.rings)
        piece = self.piece_of[points]
        found, count = np.unique(piece[piece >= 0], return_counts=True)
        return found.astype(np.int64), count / self.points[found]

    def integrate(self, densities: Sequence[Density]) -> list[Number]:
        """Return how many targets there are in each piece, and its area that has any.

        Parameters
        ----------
        densities : sequence of callable
            Of right ascension and declination [rad]: [1/sr].

        Returns
        -------
        list of Number
            One a density.
        """
        inside = np.flatnonzero(self.piece_of >= 0)
        ra, dec, area = _places(inside, self.rings)
        piece, n = self.piece_of[inside], len(self)
        found = []
        for density_per_sr in densities:
            density = density_per_sr(ra, dec)
            found.append(
                Number(_sum(piece, density * area, n), _sum(piece, (density > 0.0) * area, n))
            )
        return found


@dataclass(frozen=True, eq=False)
class Number:
    """Targets in each piece, float64[pieces], and the area that has any, float64[pieces] [sr]."""

    count: FloatArray
    area_sr: FloatArray


def find_pieces(ra_rad: FloatArray, dec_rad: FloatArray, reach: Reach) -> Pieces:
    """Cut the sky into pieces.

    Parameters
    ----------
    ra_rad, dec_rad : ndarray of float64, shape (tiles,)
        Centres of the tiles, ICRS [rad].
    reach : Reach
        Of the focal plane.

    Returns
    -------
    Pieces
    """
    radius = math.atan(reach.tangent)
    for fineness in FINENESS:
        rings = _rings(radius / fineness)
        words = _histories(ra_rad, dec_rad, radius, rings)
        seen = np.flatnonzero(words)
        _, piece = np.unique(words[seen], return_inverse=True)
        n = int(piece.max(initial=-1)) + 1
        if n <= MOST_PIECES:
            break
    piece_of = np.full(len(words), -1, dtype=np.int32)
    piece_of[seen] = piece
    points = np.bincount(piece, minlength=n)
    start, of, share = _pairs(
        ra_rad, dec_rad, radius, rings, piece_of, points, reach.mask, reach.tangent
    )
    tile = np.repeat(np.arange(len(ra_rad)), np.diff(start))
    pair = np.argsort(of, kind="stable")
    area = _sum(piece, _places(seen, rings)[2], n)
    return Pieces(
        start,
        of,
        tile,
        share,
        np.searchsorted(of[pair], np.arange(n + 1)).astype(np.int64),
        pair,
        area,
        points,
        piece_of,
        rings,
        reach.tangent,
    )


def _sum(place: NDArray[Any], what: FloatArray, n: int) -> FloatArray:
    """Sums by place, float64[n]."""
    return np.asarray(np.bincount(place, what, minlength=n), dtype=np.float64)


def _rings(step_rad: float) -> IntArray:
    """First point of each ring: rings a step apart, and points a step apart on them."""
    n = max(1, round(math.pi / step_rad))
    dec = (np.arange(n) + 0.5) * (math.pi / n) - 0.5 * math.pi
    count = np.maximum(1, np.round(2.0 * n * np.cos(dec))).astype(np.int64)
    return np.concatenate([[0], np.cumsum(count)]).astype(np.int64)


def _places(points: IntArray, rings: IntArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Right ascension, declination [rad] and area [sr] of points."""
    n = len(rings) - 1
    step, count = math.pi / n, np.diff(rings)
    edge = np.sin(np.arange(n + 1) * step - 0.5 * math.pi)
    area = 2.0 * math.pi / count * np.diff(edge)
    ring = np.repeat(np.arange(n), count)[points]
    ra = (points - rings[ring] + 0.5) * (2.0 * math.pi / count)[ring]
    dec = (ring + 0.5) * step - 0.5 * math.pi
    return ra, np.asarray(dec, dtype=np.float64), np.asarray(area[ring], dtype=np.float64)


@njit
def _draw(
    mask: NDArray[np.bool_],
    radius_m: float,
    x_m: FloatArray,
    y_m: FloatArray,
    inner_m: FloatArray,
    outer_m: FloatArray,
) -> None:
    """Mark the pixels whose middle lies in any ring about a home."""
    pixels = mask.shape[0]
    size = 2.0 * radius_m / pixels
    for i in range(len(x_m)):
        low_x = max(0, int((x_m[i] - outer_m[i] + radius_m) / size))
        high_x = min(pixels, int((x_m[i] + outer_m[i] + radius_m) / size) + 2)
        low_y = max(0, int((y_m[i] - outer_m[i] + radius_m) / size))
        high_y = min(pixels, int((y_m[i] + outer_m[i] + radius_m) / size) + 2)
        for row in range(low_y, high_y):
            for column in range(low_x, high_x):
                dx = (column + 0.5) * size - radius_m - x_m[i]
                dy = (row + 0.5) * size - radius_m - y_m[i]
                square = dx * dx + dy * dy
                if inner_m[i] ** 2 <= square <= outer_m[i] ** 2:
                    mask[row, column] = True


@njit
def _within(ra: float, dec: float, radius: float, rings: IntArray) -> IntArray:
    """Points within a cone, ring by ring."""
    n = len(rings) - 1
    step = math.pi / n
    low = max(0, int((dec - radius + 0.5 * math.pi) / step - 1.0))
    high = min(n, int((dec + radius + 0.5 * math.pi) / step + 2.0))
    room = 0
    for ring in range(low, high):
        room += rings[ring + 1] - rings[ring]
    found = np.empty(room, dtype=np.int64)
    k = 0
    for ring in range(low, high):
        d = (ring + 0.5) * step - 0.5 * math.pi
        across = math.cos(d) * math.cos(dec)
        left = math.cos(radius) - math.sin(d) * math.sin(dec)
        if left > across:
            continue
        half = math.pi if left <= -across or across <= 0.0 else math.acos(left / across)
        count = rings[ring + 1] - rings[ring]
        width = 2.0 * math.pi / count
        first = math.ceil((ra - half) / width - 0.5)
        last = math.floor((ra + half) / width - 0.5)
        for i in range(first, min(last + 1, first + count)):
            found[k] = rings[ring] + i % count
            k += 1
    return found[:k]


@njit
def _histories(
    ra: FloatArray, dec: FloatArray, radius: float, rings: IntArray
) -> NDArray[np.uint64]:
    """A word for the set of tiles that see a point; 0 where none does."""
    words = np.zeros(rings[-1], dtype=np.uint64)
    for tile in range(len(ra)):
        for point in _within(ra[tile], dec[tile], radius, rings):
            # Mixed as in splitmix64 (Steele et al. 2014, OOPSLA, 453).
            word = words[point] + np.uint64(tile + 1) * np.uint64(0x9E3779B97F4A7C15)
            word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            words[point] = word ^ (word >> np.uint64(31))
    return words


@njit
def _pairs(
    ra: FloatArray,
    dec: FloatArray,
    radius: float,
    rings: IntArray,
    piece_of: NDArray[np.int32],
    points: IntArray,
    mask: NDArray[np.bool_],
    tangent: float,
) -> tuple[IntArray, IntArray, FloatArray]:
    """Pieces of each tile, and the share of them within reach by kind."""
    pixels, n = mask.shape[1], len(rings) - 1
    start = np.zeros(len(ra) + 1, dtype=np.int64)
    room = 16 * len(ra) + 16
    piece, share = np.empty(room, dtype=np.int64), np.empty((room, 2))
    reached = np.zeros((len(points), 2))
    k = 0
    for tile in range(len(ra)):
        found = _within(ra[tile], dec[tile], radius, rings)
        sin0, cos0 = math.sin(dec[tile]), math.cos(dec[tile])
        for point in found:
            ring = np.searchsorted(rings, point, side="right") - 1
            d = (ring + 0.5) * (math.pi / n) - 0.5 * math.pi
            a = (point - rings[ring] + 0.5) * (2.0 * math.pi / (rings[ring + 1] - rings[ring]))
            towards = math.sin(d) * sin0 + math.cos(d) * cos0 * math.cos(a - ra[tile])
            xi = math.cos(d) * math.sin(a - ra[tile]) / towards
            eta = (math.sin(d) * cos0 - math.cos(d) * sin0 * math.cos(a - ra[tile])) / towards
            column = min(max(int((xi / tangent + 1.0) * 0.5 * pixels), 0), pixels - 1)
            row = min(max(int((eta / tangent + 1.0) * 0.5 * pixels), 0), pixels - 1)
            for kind in range(2):
                reached[piece_of[point], kind] += mask[kind, row, column]
        mine = np.unique(piece_of[found])
        if k + len(mine) > room:
            room = 2 * room + len(mine)
            more, parts = np.empty(room, dtype=np.int64), np.empty((room, 2))
            more[:k], parts[:k] = piece[:k], share[:k]
            piece, share = more, parts
        for one in mine:
            piece[k] = one
            for kind in range(2):
                share[k, kind] = reached[one, kind] / points[one]
                reached[one, kind] = 0.0
            k += 1
        start[tile + 1] = k
    return start, piece[:k].copy(), share[:k].copy()
