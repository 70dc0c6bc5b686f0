"""Targets, the sources they come from, and the cells of sky they are kept in.

A survey has tens of millions of targets and a run needs a few degrees of them at a time, so every
source answers by *cell*: a HEALPix pixel (Gorski et al. 2005, ApJ 622, 759) at ``NSIDE`` 64 in
NESTED order, 0.84 deg^2 each. A cell always holds the same targets in the same order, so that the
progress of a survey can be kept elsewhere by (source, pixel, index).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "CELL_AREA_SR",
    "CELL_COUNT",
    "NSIDE",
    "ExposureLaw",
    "StoredSource",
    "TargetSource",
    "Targets",
    "cell_centre",
    "cell_of",
    "cells_in_cone",
    "required_times",
    "unit_vectors",
]

NSIDE = 64
CELL_COUNT = 12 * NSIDE**2
CELL_AREA_SR = 4.0 * math.pi / CELL_COUNT

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

ExposureLaw = float | Callable[[FloatArray], FloatArray]
"""An exposure time [s] for all, or a function of the magnitudes that gives one for each."""

_EDGE_STEPS = 8
_COLUMNS = {
    "id": np.int64,
    "ra_rad": np.float64,
    "dec_rad": np.float64,
    "magnitude": np.float32,
    "required_s": np.float32,
    "pm_ra_rad_per_yr": np.float32,
    "pm_dec_rad_per_yr": np.float32,
}


@dataclass(frozen=True, eq=False)
class Targets:
    """A table of targets, one array a column.

    Parameters
    ----------
    id : int64[n]
        Identifier, unique within its source.
    ra_rad, dec_rad : float64[n]
        ICRS position at the source's own epoch (``TargetSource.epoch_yr``) [rad].
    magnitude : float32[n]
        In the source's own band.
    required_s : float32[n]
        Effective exposure time needed [s].
    pm_ra_rad_per_yr, pm_dec_rad_per_yr : float32[n]
        Proper motion [rad/yr]; the first is mu_alpha* = mu_alpha cos(dec).

    Raises
    ------
    ValueError
        If the columns differ in length or in type.
    """

    id: IntArray
    ra_rad: FloatArray
    dec_rad: FloatArray
    magnitude: NDArray[np.float32]
    required_s: NDArray[np.float32]
    pm_ra_rad_per_yr: NDArray[np.float32]
    pm_dec_rad_per_yr: NDArray[np.float32]

    def __post_init__(self) -> None:
        shape = (len(self.id),)
        for name, kind in _COLUMNS.items():
            column = getattr(self, name)
            if column.shape != shape or column.dtype != kind:
                raise ValueError(
                    f"Targets.{name} is {column.dtype}{list(column.shape)}, "
                    f"not {np.dtype(kind)}{list(shape)}"
                )

    def __len__(self) -> int:
        return len(self.id)

    def take(self, index: NDArray[np.int64] | NDArray[np.bool_] | slice) -> Targets:
        """Return the targets at `index` (positions, a mask or a slice), in that order."""
        return Targets(*(getattr(self, name)[index] for name in _COLUMNS))

    @staticmethod
    def concatenate(parts: Sequence[Targets]) -> Targets:
        """Join tables end to end; no parts give an empty table."""
        if not parts:
            return Targets.empty()
        return Targets(*(np.concatenate([getattr(p, name) for p in parts]) for name in _COLUMNS))

    @staticmethod
    def empty() -> Targets:
        """Return a table without targets."""
        return Targets(*(np.zeros(0, dtype=kind) for kind in _COLUMNS.values()))


@runtime_checkable
class TargetSource(Protocol):
    """Where targets come from; whether they are real, and whom to thank."""

    @property
    def name(self) -> str:
        """What the user calls this source."""

    @property
    def is_mock(self) -> bool:
        """Whether these targets were made up."""

    @property
    def credit(self) -> str:
        """Who to credit, and under which licence."""

    @property
    def epoch_yr(self) -> float:
        """Julian year of the positions."""

    def cell(self, pixel: int) -> Targets:
        """Return the targets in a cell, always the same ones in the same order."""

    def count(self, pixel: int) -> int:
        """Return how many targets :meth:`cell` gives."""

    def density_per_sr(self, ra_rad: FloatArray, dec_rad: FloatArray) -> FloatArray:
        """Return the expected surface density [1/sr] at each position, to plan with."""


class StoredSource:
    """A fixed table of targets, sorted by cell once.

    Within a cell the targets keep the order of the table. Arrays handed out are read-only views.

    Parameters
    ----------
    targets : Targets
        All of them, in any order.

    Attributes
    ----------
    order : int64[n]
        Row of the given table of each sorted target.
    """

    def __init__(self, targets: Targets) -> None:
        pixel = cell_of(targets.ra_rad, targets.dec_rad)
        self.order: IntArray = np.argsort(pixel, kind="stable").astype(np.int64)
        self._targets = targets.take(self.order)
        self._start = np.searchsorted(pixel[self.order], np.arange(CELL_COUNT + 1))
        self.order.flags.writeable = False
        for name in _COLUMNS:
            getattr(self._targets, name).flags.writeable = False

    def __len__(self) -> int:
        return len(self._targets)

    def _span(self, pixel: int) -> slice:
        check_pixel(pixel)
        return slice(int(self._start[pixel]), int(self._start[pixel + 1]))

    def cell(self, pixel: int) -> Targets:
        """Return the targets in a cell, in the order of the table."""
        return self._targets.take(self._span(pixel))

    def count(self, pixel: int) -> int:
        """Return how many targets are in a cell."""
        span = self._span(pixel)
        return int(span.stop - span.start)

    def rows(self, pixel: int) -> IntArray:
        """Return, for each target of a cell, its row (from 0) in the table given [n]."""
        return self.order[self._span(pixel)]

    def count_within(
        self, ra_rad: FloatArray, dec_rad: FloatArray, radius_rad: float
    ) -> FloatArray:
        """Return how many targets lie within a radius [rad] of each position, shape of `ra_rad`."""
        from scipy.spatial import cKDTree

        if not len(self):
            return np.zeros(len(ra_rad))
        tree = cKDTree(unit_vectors(self._targets.ra_rad, self._targets.dec_rad))
        chord = 2.0 * math.sin(0.5 * radius_rad)
        found = tree.query_ball_point(unit_vectors(ra_rad, dec_rad), chord, return_length=True)
        return np.asarray(found, dtype=np.float64)

    def density_per_sr(self, ra_rad: FloatArray, dec_rad: FloatArray) -> FloatArray:
        """Return the mean density of the cell at each position [1/sr], shape of `ra_rad`."""
        counts = np.diff(self._start)
        return np.asarray(counts[cell_of(ra_rad, dec_rad)] / CELL_AREA_SR, dtype=np.float64)


def required_times(law: ExposureLaw, magnitude: FloatArray) -> NDArray[np.float32]:
    """Return the exposure time each target needs [s], float32[n].

    Raises
    ------
    ValueError
        If a time is not positive and finite.
    """
    times = np.broadcast_to(np.asarray(law(magnitude) if callable(law) else law), magnitude.shape)
    if not np.all(np.isfinite(times) & (times > 0.0)):
        raise ValueError("required_s must be positive and finite")
    return times.astype(np.float32)


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


def cell_of(ra_rad: ArrayLike, dec_rad: ArrayLike) -> IntArray:
    """Return the cell that holds each position, int64 of the shape of `ra_rad`."""
    from astropy_healpix.core import xyz_to_healpix

    x, y, z = np.moveaxis(unit_vectors(ra_rad, dec_rad), -1, 0)
    return np.asarray(xyz_to_healpix(x, y, z, NSIDE, order="nested"), dtype=np.int64)


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


def distance_to_cell(pixel: int, vectors: FloatArray) -> FloatArray:
    """Return a lower bound [n] [rad] of the distance of points outside a cell to its edge.

    `vectors` are unit vectors [n, 3]; the bound is within an eighth of a cell's circumradius of
    the truth.
    """
    edge = _edges(np.array([pixel]), 2 * _EDGE_STEPS)[0]
    cosine = np.clip((vectors @ edge.T).max(axis=1, initial=-1.0), -1.0, 1.0)
    return np.asarray(np.arccos(cosine) - cell_geometry()[1][pixel] / (2 * _EDGE_STEPS))


def _edges(pixels: IntArray, steps: int = _EDGE_STEPS) -> FloatArray:
    """Return points on the edges of cells, unit vectors [k, 4 x steps, 3]."""
    from astropy_healpix.core import boundaries_lonlat

    lon, lat = boundaries_lonlat(pixels, steps, NSIDE, order="nested")
    return unit_vectors(lon.value, lat.value)


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
