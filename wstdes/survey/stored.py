"""Targets that are kept: sorted by cell, in memory or mapped from disk."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wstdes.survey.cells import (
    CELL_AREA_SR,
    CELL_COUNT,
    NSIDE,
    PART_RADIUS_RAD,
    cell_of,
    cells_near,
    check_pixel,
    tangent_frame,
    unit_vectors,
)
from wstdes.survey.draws import PARTS
from wstdes.survey.footprint import Footprint
from wstdes.survey.seen import see
from wstdes.survey.targets import ExposureTimes, InField, Targets

__all__ = ["PART_COUNT", "SortedColumns", "StoredSource", "part_of"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_PER_CELL = PARTS * PARTS

PART_COUNT = CELL_COUNT * _PER_CELL
"""Parts of all cells: HEALPix cells of ``NSIDE * PARTS``, nested."""

_IN_TREE = 2_000_000
"""Targets up to which a search tree counts them around tiles; beyond, their cells' parts do."""


def part_of(ra_rad: FloatArray, dec_rad: FloatArray) -> IntArray:
    """Return the part of a cell that holds each position, int64 of the shape of `ra_rad`."""
    return cell_of(ra_rad, dec_rad, NSIDE * PARTS)


def _parts_near(axis: FloatArray, radius_rad: float) -> IntArray:
    """Return every part of a cell, ascending, that touches a cone, and some too many."""
    cells = cells_near(axis, radius_rad)
    parts = (cells[:, None] * _PER_CELL + np.arange(_PER_CELL)).ravel()
    cosine = _centres(parts, 1)[:, 0] @ axis
    return parts[cosine >= math.cos(min(radius_rad + PART_RADIUS_RAD, math.pi))]


def _centres(parts: IntArray, split: int = 4) -> FloatArray:
    """Return centres of the ``split**2`` pieces of each part, unit vectors (n, pieces, 3)."""
    from astropy_healpix.core import healpix_to_xyz

    pieces = parts[:, None] * split**2 + np.arange(split**2)
    return np.stack(healpix_to_xyz(pieces, NSIDE * PARTS * split, order="nested"), axis=-1)


@dataclass(frozen=True, eq=False)
class SortedColumns:
    """Columns of targets sorted by part of a cell; all of one length, any of them mapped.

    Parameters
    ----------
    start : ndarray of int64, shape (PART_COUNT + 1,)
        First row of each part.
    id : ndarray of int64
        Identifiers.
    ra, dec : ndarray of float64, or of uint32 and int32
        Position, in units of `step_rad`.
    magnitude : ndarray of float32
        In the source's own band.
    pm_ra, pm_dec : ndarray of float32, or None
        Proper motion [rad/yr].
    required_s, priority : ndarray of float32, or None
        Effective time [s]; rank among the others.
    step_rad : float
        Unit of positions [rad].
    pm_max_rad_per_yr : float
        The fastest.
    priority_max : float
        The highest.
    """

    start: IntArray
    id: IntArray
    ra: NDArray[np.float64] | NDArray[np.uint32]
    dec: NDArray[np.float64] | NDArray[np.int32]
    magnitude: NDArray[np.float32]
    pm_ra: NDArray[np.float32] | None
    pm_dec: NDArray[np.float32] | None
    required_s: NDArray[np.float32] | None
    priority: NDArray[np.float32] | None
    step_rad: float = 1.0
    pm_max_rad_per_yr: float = 0.0
    priority_max: float = 0.0

    @staticmethod
    def of(
        targets: Targets, priority: NDArray[np.float32] | None = None
    ) -> tuple[SortedColumns, IntArray]:
        """Sort targets in memory; returns also the row that each of the sorted had."""
        part = part_of(targets.ra_rad, targets.dec_rad)
        order: IntArray = np.argsort(part, kind="stable").astype(np.int64)
        done = targets.take(order)
        moves = bool(done.pm_ra_rad_per_yr.any() or done.pm_dec_rad_per_yr.any())
        speed = np.hypot(done.pm_ra_rad_per_yr, done.pm_dec_rad_per_yr)
        columns = SortedColumns(
            np.searchsorted(part[order], np.arange(PART_COUNT + 1)).astype(np.int64),
            done.id,
            done.ra_rad,
            done.dec_rad,
            done.magnitude,
            done.pm_ra_rad_per_yr if moves else None,
            done.pm_dec_rad_per_yr if moves else None,
            done.required_s,
            None if priority is None else priority[order],
            pm_max_rad_per_yr=float(speed.max(initial=0.0)),
            priority_max=0.0 if priority is None else float(priority.max(initial=0.0)),
        )
        return columns, order


class StoredSource:
    """Targets that do not change, served by fields and by cells.

    Within a part of a cell the targets keep the order they were given in.

    Parameters
    ----------
    stored : Targets or SortedColumns
        All of them, in any order; or sorted already.
    times : ExposureTimes, optional
        For columns without times.
    footprint : Footprint, optional
        Only targets inside it are given; all by default.

    Attributes
    ----------
    order : int64[n]
        Row of the given table of each sorted target; for sorted columns, their own rows.
    epoch_yr : float
        Julian year of the positions.
    """

    epoch_yr = 2016.0

    def __init__(
        self,
        stored: Targets | SortedColumns,
        *,
        times: ExposureTimes | None = None,
        footprint: Footprint | None = None,
    ) -> None:
        if isinstance(stored, Targets):
            self._columns, self.order = SortedColumns.of(stored)
            self.order.flags.writeable = False
        else:
            self._columns, self.order = stored, np.arange(0, dtype=np.int64)
        self._times = times
        self._inside = footprint

    def __len__(self) -> int:
        return len(self._columns.id)

    def _span(self, pixel: int) -> slice:
        check_pixel(pixel)
        start = self._columns.start
        return slice(int(start[pixel * _PER_CELL]), int(start[(pixel + 1) * _PER_CELL]))

    def _rows(self, pixel: int) -> IntArray:
        """Rows of a cell's targets that lie in the footprint."""
        span = self._span(pixel)
        rows = np.arange(span.start, span.stop, dtype=np.int64)
        if self._inside is None:
            return rows
        ra, dec = self._positions(rows)
        return rows[self._inside.contains(ra, dec)]

    def _positions(self, rows: IntArray) -> tuple[FloatArray, FloatArray]:
        step, columns = self._columns.step_rad, self._columns
        return (
            np.asarray(columns.ra[rows] * step, dtype=np.float64),
            np.asarray(columns.dec[rows] * step, dtype=np.float64),
        )

    def _required(self, rows: IntArray) -> NDArray[np.float32]:
        if self._columns.required_s is not None:
            return np.asarray(self._columns.required_s[rows])
        assert self._times is not None
        return self._times.of(self._columns.magnitude[rows])

    def cell(self, pixel: int) -> Targets:
        """Return the targets in a cell, in the order they are stored in."""
        rows, columns = self._rows(pixel), self._columns
        still = np.zeros(len(rows), dtype=np.float32)
        return Targets(
            columns.id[rows],
            *self._positions(rows),
            columns.magnitude[rows],
            self._required(rows),
            still if columns.pm_ra is None else columns.pm_ra[rows],
            still if columns.pm_dec is None else columns.pm_dec[rows],
        )

    def count(self, pixel: int) -> int:
        """Return how many targets are in a cell."""
        return len(self._rows(pixel))

    def rows(self, pixel: int) -> IntArray:
        """Return, for each target of a cell, its row (from 0) in the table given [n]."""
        rows = self._rows(pixel)
        return self.order[rows] if len(self.order) else rows

    def rank(self, pixel: int) -> NDArray[np.float32] | None:
        """Rank of each target of a cell within the source, 0 to 1; None: all alike."""
        return self._rank(self._rows(pixel))

    def _rank(self, rows: IntArray) -> NDArray[np.float32] | None:
        columns = self._columns
        if columns.priority is None or columns.priority_max <= 0.0:
            return None
        return np.asarray(columns.priority[rows] / np.float32(columns.priority_max))

    def field(self, ra_rad: float, dec_rad: float, tangent: float, year: float) -> InField:
        """Return the targets in a field, where they are in a year; see :class:`TargetSource`."""
        columns, years = self._columns, year - self.epoch_yr
        frame = tangent_frame(ra_rad, dec_rad)
        radius = math.atan(tangent) + abs(years) * columns.pm_max_rad_per_yr
        parts = _parts_near(frame[2], radius)
        first, size = columns.start[parts], columns.start[parts + 1] - columns.start[parts]
        rows = np.arange(size.sum(), dtype=np.int64)
        rows += np.repeat(first - (np.cumsum(size) - size), size)
        cells = np.repeat(parts // _PER_CELL, size)
        ra, dec = self._positions(rows)
        motion = np.zeros((2, 0), dtype=np.float32)
        if columns.pm_ra is not None and columns.pm_dec is not None:
            motion = np.stack((columns.pm_ra[rows], columns.pm_dec[rows]))
        kept, xi, eta = see(ra, dec, motion, years, frame, tangent)
        if self._inside is not None and not self._inside.holds_cone(ra_rad, dec_rad, radius):
            inside = self._inside.contains(ra[kept], dec[kept])
            kept, xi, eta = kept[inside], xi[inside], eta[inside]
        rows, cells = rows[kept], cells[kept]
        index = rows - columns.start[cells * _PER_CELL]
        sizes = {int(c): self._span(int(c)).stop - self._span(int(c)).start for c in set(cells)}
        return InField(cells, index, xi, eta, self._required(rows), self._rank(rows), sizes)

    def count_within(
        self, ra_rad: FloatArray, dec_rad: FloatArray, radius_rad: float
    ) -> FloatArray:
        """Return how many targets lie within a radius [rad] of each position, shape of `ra_rad`.

        More than two million are counted by parts of cells (0.05 deg^2), those at the edge by the
        share of them that lies within.
        """
        if not len(self):
            return np.zeros(len(ra_rad))
        if len(self) <= _IN_TREE and self._inside is None:
            from scipy.spatial import cKDTree

            tree = cKDTree(unit_vectors(*self._positions(np.arange(len(self), dtype=np.int64))))
            chord = 2.0 * math.sin(0.5 * radius_rad)
            found = tree.query_ball_point(unit_vectors(ra_rad, dec_rad), chord, return_length=True)
            return np.asarray(found, dtype=np.float64)
        counts = np.diff(self._columns.start)
        total = np.zeros(len(ra_rad))
        for i, axis in enumerate(unit_vectors(ra_rad, dec_rad)):
            parts = _parts_near(axis, radius_rad)
            within = (_centres(parts) @ axis >= math.cos(radius_rad)).mean(axis=1)
            total[i] = (counts[parts] * within).sum()
        inside = True if self._inside is None else self._inside.contains(ra_rad, dec_rad)
        return np.where(inside, total, 0.0)

    def density_per_sr(self, ra_rad: FloatArray, dec_rad: FloatArray) -> FloatArray:
        """Return the mean density of the cell at each position [1/sr], shape of `ra_rad`."""
        counts = np.diff(self._columns.start[::_PER_CELL])
        density = np.asarray(counts[cell_of(ra_rad, dec_rad)] / CELL_AREA_SR, dtype=np.float64)
        if self._inside is None:
            return density
        return np.where(self._inside.contains(ra_rad, dec_rad), density, 0.0)
