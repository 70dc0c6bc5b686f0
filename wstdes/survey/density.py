"""Tiles that follow the targets: more of them where targets outnumber the fibres."""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wstdes.survey.cells import unit_vectors
from wstdes.survey.footprint import Region
from wstdes.survey.tiling import Tiling, cover_passes

__all__ = ["Demand", "demand_points", "follow", "served"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

DEMAND_ORDER = 7
"""HEALPix order of the cells in which demand is counted: 0.46 deg a side, 15 to a WST field."""


@dataclass(frozen=True, eq=False)
class Demand:
    """What the surveys want of the fibres, by cells of sky.

    Parameters
    ----------
    points : ndarray of float64, shape (cells, 2)
        Right ascension and declination [rad].
    wanted : ndarray of float64, shape (kinds, cells)
        Fibre visits wanted: targets times the visits that each needs, by kind of fibre.
    fibres : ndarray of float64, shape (kinds,)
        Of each kind, for targets, in a visit.
    weight : ndarray of float64, shape (kinds,)
        Worth of a fibre visit of each kind; a tile's is at most their sum times the fibres.
    """

    points: FloatArray
    wanted: FloatArray
    fibres: FloatArray
    weight: FloatArray


def demand_points() -> FloatArray:
    """Return the centres of all cells that demand is counted in, shape (cells, 2) [rad]."""
    from astropy_healpix.core import healpix_to_lonlat

    cells = np.arange(12 * 4**DEMAND_ORDER)
    lon, lat = healpix_to_lonlat(cells, 2**DEMAND_ORDER, order="nested")
    return np.stack([lon.value, lat.value], axis=-1)


def follow(
    footprints: Sequence[Region],
    demand: Demand,
    tile_area_sr: float,
    dec_min_rad: float,
    dec_max_rad: float,
    *,
    field_radius_rad: float,
    passes_max: int,
    fill_min: float,
    tiles_max: int | None = None,
) -> Tiling:
    """Cover footprints once, and again where targets are left over.

    One even pass covers all. Then, of the tiles of further passes, shifted against it, the one
    whose fibres find most is taken, what it serves is taken off, and so on: greedy coverage
    (Nemhauser, Wolsey & Fisher 1978, Math. Prog. 14, 265). Gains only fall, so the largest gain
    known is counted again first, and taken if it is still the largest.

    Parameters
    ----------
    footprints, tile_area_sr, dec_min_rad, dec_max_rad, field_radius_rad
        As in :func:`wstdes.survey.tiling.cover_passes`.
    demand : Demand
        What is wanted where.
    passes_max : int
        Passes that tiles are taken from; the most tiles that cover a place evenly.
    fill_min : float
        A tile is taken while the worth of what it serves is at least this share of the most.
    tiles_max : int, optional
        Stop at so many tiles, the first pass included.

    Returns
    -------
    Tiling
    """
    every = cover_passes(
        footprints,
        tile_area_sr,
        dec_min_rad,
        dec_max_rad,
        field_radius_rad=field_radius_rad,
        passes=passes_max,
    )
    left = _Left(demand, every, field_radius_rad)
    base = np.flatnonzero(every.pass_ == 0).tolist()
    for tile in base:
        left.take(tile)
    least = fill_min * float(demand.weight @ demand.fibres)
    heap = [(-left.gain(tile), tile) for tile in np.flatnonzero(every.pass_ > 0).tolist()]
    heapq.heapify(heap)
    chosen = list(base)
    while heap and (tiles_max is None or len(chosen) < tiles_max):
        _, tile = heapq.heappop(heap)
        gain = left.gain(tile)
        if gain < least:
            continue
        if heap and gain < -heap[0][0]:
            heapq.heappush(heap, (-gain, tile))
            continue
        left.take(tile)
        chosen.append(tile)
    return every.take(np.sort(np.array(chosen, dtype=np.int64))).renumbered()


def served(demand: Demand, tiling: Tiling, field_radius_rad: float, visits: int = 1) -> float:
    """Return the share of demand, by weight, that tiles serve if each is visited so often."""
    left = _Left(demand, tiling, field_radius_rad)
    worth = sum(left.take(tile) for _ in range(visits) for tile in range(len(tiling)))
    return float(worth) / float((demand.weight[:, None] * demand.wanted).sum())


class _Left:
    """Demand while tiles take from it; a visit takes evenly from all that is in its field."""

    def __init__(self, demand: Demand, tiling: Tiling, field_radius_rad: float) -> None:
        from scipy.spatial import cKDTree

        some = (demand.wanted > 0.0).any(axis=0)
        self.wanted = demand.wanted[:, some].copy()
        self.fibres, self.weight = demand.fibres, demand.weight
        points = demand.points[some]
        tree: Any = cKDTree(unit_vectors(points[:, 0], points[:, 1]))
        chord = 2.0 * math.sin(0.5 * field_radius_rad)
        near = tree.query_ball_point(
            unit_vectors(tiling.ra_rad, tiling.dec_rad), chord, return_sorted=True
        )
        self.cells = [np.asarray(cells, dtype=np.int64) for cells in near]

    def gain(self, tile: int) -> float:
        """Worth of what a visit of a tile would serve now."""
        there = self.wanted[:, self.cells[tile]].sum(axis=1)
        return float(self.weight @ np.minimum(there, self.fibres))

    def take(self, tile: int) -> float:
        """Take what a visit serves; return its worth."""
        cells = self.cells[tile]
        there = self.wanted[:, cells].sum(axis=1)
        used = np.minimum(there, self.fibres)
        keep = 1.0 - np.divide(used, there, out=np.zeros_like(there), where=there > 0.0)
        self.wanted[:, cells] *= keep[:, None]
        return float(self.weight @ used)
