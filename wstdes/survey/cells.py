"""Cells: the pieces of sky that targets are kept in.

HEALPix pixels (Gorski et al. 2005, ApJ 622, 759) at ``NSIDE`` 64 in NESTED order, 0.84 deg^2 each.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "CELL_AREA_SR",
    "CELL_COUNT",
    "NSIDE",
    "PART_RADIUS_RAD",
    "cell_centre",
    "cell_geometry",
    "cell_of",
    "cell_of_vectors",
    "cells_in_cone",
    "cells_near",
    "check_pixel",
    "tangent_frame",
    "unit_vectors",
]

NSIDE = 64
CELL_COUNT = 12 * NSIDE**2
CELL_AREA_SR = 4.0 * math.pi / CELL_COUNT

PART_RADIUS_RAD = math.radians(0.24)
"""No point of a HEALPix cell of ``4 * NSIDE`` is farther from its centre than this."""

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_EDGE_STEPS = 8


def check_pixel(pixel: int) -> None:
    """Raise ValueError unless `pixel` is a cell."""
    if not 0 <= pixel < CELL_COUNT:
        raise ValueError(f"there is no cell {pixel}: cells run from 0 to {CELL_COUNT - 1}")


def unit_vectors(ra_rad: ArrayLike, dec_rad: ArrayLike) -> FloatArray:
    """Return Cartesian unit vectors, shape (..., 3), of positions on the sphere."""
    ra_rad, dec_rad = np.asarray(ra_rad), np.asarray(dec_rad)
    cos_dec = np.cos(dec_rad)
    parts = (cos_dec * np.cos(ra_rad), cos_dec * np.sin(ra_rad), np.sin(dec_rad))
    return np.stack(np.broadcast_arrays(*parts), axis=-1)


def cell_of(ra_rad: ArrayLike, dec_rad: ArrayLike, nside: int = NSIDE) -> IntArray:
    """Return the cell that holds each position, int64 of the shape of `ra_rad`."""
    return cell_of_vectors(unit_vectors(ra_rad, dec_rad), nside)


def cell_of_vectors(vectors: FloatArray, nside: int = NSIDE) -> IntArray:
    """Return the cell that holds each unit vector, int64[...] of float64[..., 3]."""
    from astropy_healpix.core import xyz_to_healpix

    x, y, z = np.moveaxis(vectors, -1, 0)
    return np.asarray(xyz_to_healpix(x, y, z, nside, order="nested"), dtype=np.int64)


@lru_cache(maxsize=4096)
def cell_centre(pixel: int) -> tuple[float, float]:
    """Return right ascension and declination of the centre of a cell [rad]."""
    from astropy_healpix.core import healpix_to_lonlat

    check_pixel(pixel)
    lon, lat = healpix_to_lonlat(pixel, NSIDE, order="nested")
    return float(lon.value), float(lat.value)


@lru_cache(maxsize=1)
def cell_geometry() -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return centres [CELL_COUNT, 3], circumradii and inradii [CELL_COUNT] [rad] of all cells.

    The radii are of the edge, sampled 8 times a side, from the centre: the first is padded up and
    the second down by more than an edge can bend between samples. The twelve base pixels are three
    shapes, each turned about the pole four times, so three are measured.
    """
    from astropy_healpix.core import healpix_to_lonlat

    lon, lat = healpix_to_lonlat(np.arange(CELL_COUNT), NSIDE, order="nested")
    centre = unit_vectors(lon.value, lat.value)
    outer, inner = np.empty(CELL_COUNT), np.empty(CELL_COUNT)
    base = NSIDE**2
    for first in (0, 4 * base, 8 * base):
        block = np.arange(first, first + base)
        chord = np.linalg.norm(_edges(block) - centre[block, None, :], axis=-1)
        distance = 2.0 * np.arcsin(0.5 * chord)
        farthest = distance.max(axis=1)
        half_step = farthest / _EDGE_STEPS
        outer[first : first + 4 * base] = np.tile(farthest * 1.001, 4)
        nearest = np.sqrt(distance.min(axis=1) ** 2 - half_step**2)
        inner[first : first + 4 * base] = np.tile(nearest * 0.999, 4)
    for array in (centre, outer, inner):
        array.flags.writeable = False
    return centre, outer, inner


def _edges(pixels: IntArray, steps: int = _EDGE_STEPS) -> FloatArray:
    """Return points on the edges of cells, unit vectors [k, 4 x steps, 3]."""
    from astropy_healpix.core import boundaries_lonlat

    lon, lat = boundaries_lonlat(pixels, steps, NSIDE, order="nested")
    return unit_vectors(lon.value, lat.value)


def tangent_frame(ra_rad: float, dec_rad: float) -> FloatArray:
    """Return east, north and the axis itself of a direction: unit vectors, a row each, (3, 3)."""
    sin_ra, cos_ra = math.sin(ra_rad), math.cos(ra_rad)
    sin_dec, cos_dec = math.sin(dec_rad), math.cos(dec_rad)
    return np.array(
        [
            [-sin_ra, cos_ra, 0.0],
            [-sin_dec * cos_ra, -sin_dec * sin_ra, cos_dec],
            [cos_dec * cos_ra, cos_dec * sin_ra, sin_dec],
        ]
    )


def cells_near(axis: FloatArray, radius_rad: float) -> IntArray:
    """Return every cell, ascending, whose circle touches a cone: quick, and some too many."""
    x, y, z = axis.tolist()
    return _cells_near(x, y, z, radius_rad)


@lru_cache(maxsize=16)
def _cells_near(x: float, y: float, z: float, radius_rad: float) -> IntArray:
    centre, outer, _ = cell_geometry()
    cosine = centre @ np.array([x, y, z])
    near = np.flatnonzero(cosine >= math.cos(min(radius_rad + float(outer.max()), math.pi)))
    distance = np.arccos(np.clip(cosine[near], -1.0, 1.0))
    found: IntArray = near[distance <= radius_rad + outer[near]].astype(np.int64)
    found.flags.writeable = False
    return found


def cells_in_cone(ra_rad: float, dec_rad: float, radius_rad: float) -> IntArray:
    """Return every cell that touches a cone.

    None is ever missed; a cell that passes within 6 minutes of arc of the cone may come too.
    Positions are those of the source's epoch: widen the cone if targets have moved since.

    Parameters
    ----------
    ra_rad, dec_rad : float
        The axis of the cone [rad].
    radius_rad : float
        Half its opening angle [rad].

    Returns
    -------
    int64[k]
        Cells, ascending.
    """
    axis = unit_vectors(ra_rad, dec_rad)
    centre, outer, inner = cell_geometry()
    cosine = centre @ axis
    near = np.flatnonzero(cosine >= math.cos(min(radius_rad + float(outer.max()), math.pi)))
    distance = np.arccos(np.clip(cosine[near], -1.0, 1.0))
    sure = distance <= radius_rad + inner[near]
    maybe = near[~sure & (distance <= radius_rad + outer[near])]
    closest = (_edges(maybe) @ axis).max(axis=1, initial=-1.0)
    # A cell touches the cone if its edge does or if it holds the axis. Neighbouring samples of an
    # edge are at most 2 outer / 8 apart: the edge comes no nearer than they by more than half.
    reach = radius_rad + outer[maybe] / _EDGE_STEPS
    touching = np.arccos(np.clip(closest, -1.0, 1.0)) <= reach
    touching |= maybe == cell_of(ra_rad, dec_rad)
    return np.union1d(near[sure], maybe[touching]).astype(np.int64)
