"""Targets, the sources they come from, and the cells of sky they are kept in.

Surveys have hundreds of millions of targets and a run needs a field of them at a time, so every
source answers by field and by *cell*: a HEALPix pixel (Gorski et al. 2005, ApJ 622, 759) at
``NSIDE`` 64 in NESTED order, 0.84 deg^2 each. A target has a home cell and a number in it, always
the same ones, so that the progress of a survey can be kept elsewhere.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "CELL_AREA_SR",
    "CELL_COUNT",
    "NSIDE",
    "ExposureLaw",
    "ExposureTimes",
    "InField",
    "TargetSource",
    "Targets",
    "cell_centre",
    "cell_of",
    "cells_in_cone",
    "cells_near",
    "required_times",
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

    def field(self, ra_rad: float, dec_rad: float, tangent: float, year: float) -> InField:
        """Return the targets in a field, where they are in a year.

        Parameters
        ----------
        ra_rad, dec_rad : float
            Centre of the field, ICRS [rad].
        tangent : float
            Of the field's radius.
        year : float
            Julian year.
        """

    def density_per_sr(self, ra_rad: FloatArray, dec_rad: FloatArray) -> FloatArray:
        """Return the expected surface density [1/sr] at each position, to plan with."""


@dataclass(frozen=True, eq=False)
class InField:
    """The targets of a source that a field sees, one array a column.

    Parameters
    ----------
    pixel, index : int64[n]
        Home cell, and number in it: what progress is kept by. The home of a mock galaxy is the
        cell of its cluster, which may be the neighbour of the cell it is seen in.
    xi, eta : float64[n]
        On the tangent plane, to the east and to the north; times the plate scale they are metres.
    required_s : float32[n]
        Effective exposure time needed [s].
    rank : float32[n] or None
        Rank within the source, 0 to 1; None: all alike.
    sizes : dict of int to int
        By home cell: one more than the greatest number that a target can have.
    """

    pixel: IntArray
    index: IntArray
    xi: FloatArray
    eta: FloatArray
    required_s: NDArray[np.float32]
    rank: NDArray[np.float32] | None
    sizes: dict[int, int]

    def __len__(self) -> int:
        return len(self.pixel)

    @staticmethod
    def empty() -> InField:
        """Return a field without targets."""
        none = np.zeros(0, dtype=np.int64)
        place = np.zeros(0)
        return InField(none, none, place, place, np.zeros(0, dtype=np.float32), None, {})

    def take(self, mask: NDArray[np.bool_]) -> InField:
        """Return those of a mask."""
        return InField(
            self.pixel[mask],
            self.index[mask],
            self.xi[mask],
            self.eta[mask],
            self.required_s[mask],
            None if self.rank is None else self.rank[mask],
            self.sizes,
        )


class ExposureTimes:
    """An exposure law, worked out once between two magnitudes.

    Parameters
    ----------
    law : float or callable
        Time [s], or a function of magnitudes that gives it, and is tabulated each 1/512 mag: an
        exponential law comes back to 1e-5, a step is smeared over that.
    bright, faint : float
        Limits of the magnitudes.

    Raises
    ------
    ValueError
        If a time is not positive and finite.
    """

    def __init__(self, law: ExposureLaw, bright: float, faint: float) -> None:
        number = math.ceil((faint - bright) * 512) + 2 if callable(law) else 2
        self._magnitude = np.linspace(bright, faint, number)
        self._time_s = required_times(law, self._magnitude).astype(np.float64)
        self._same = None if callable(law) else np.float32(self._time_s[0])
        self.longest_s = float(self._time_s.max())

    @property
    def need_magnitudes(self) -> bool:
        """Whether times differ."""
        return self._same is None

    def of(self, magnitude: NDArray[Any]) -> NDArray[np.float32]:
        """Times [s] of targets, float32 of the shape of `magnitude`."""
        if self._same is not None:
            return np.full(len(magnitude), self._same)
        times: NDArray[np.float64] = np.interp(magnitude, self._magnitude, self._time_s)
        return times.astype(np.float32)


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
