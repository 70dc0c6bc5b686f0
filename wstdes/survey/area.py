"""Points that fill a part of the sky evenly, and its area."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from wstdes.survey.cells import unit_vectors
from wstdes.survey.footprint import Region

__all__ = ["area_sr", "sample"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_ENOUGH = 4000
_FIRST, _STEP, _LAST, _JITTER = 8, 2, 14, 5
_COARSE = 3


def sample(region: Region, spacing_rad: float) -> FloatArray:
    """Return points that fill a region.

    Parameters
    ----------
    region : Region
        Part of the sky.
    spacing_rad : float
        Largest side of the HEALPix cells whose centres are taken [rad]; parts much smaller than
        this are found by their anchors.

    Returns
    -------
    float64[n, 2]
        Right ascension and declination [rad]; a region without any is empty, as far as can be
        seen.
    """
    order = max(0, min(12, math.ceil(math.log2(math.sqrt(math.pi / 3.0) / spacing_rad))))
    centres = _centres(order, _candidates(region, order))
    anchors = region.anchors().reshape(-1, 2)
    found = [p[region.contains(p[:, 0], p[:, 1])] for p in (centres, anchors)]
    return np.concatenate(found)


def area_sr(region: Region) -> tuple[float, float]:
    """Return the area of a region and its standard error [sr].

    A point in each HEALPix cell is asked, at order 8 (0.05 deg^2) or, where few are inside, deeper
    around those. A border that crosses cells at random leaves the sum of as many errors of
    sqrt(1/6) of a cell as there are cells on the border.
    """
    order = _FIRST
    cells = _candidates(region, order)
    anchors = region.anchors().reshape(-1, 2)
    while True:
        # A cell's own point, not its centre: borders that run along the grid do no harm.
        child = (cells * 2654435761 >> 16) % 4**_JITTER
        points = _centres(order + _JITTER, cells * 4**_JITTER + child)
        inside = region.contains(points[:, 0], points[:, 1])
        if inside.sum() >= _ENOUGH or order >= _LAST:
            break
        near = _with_neighbours(
            order, np.union1d(cells[inside], _cells_of(order, anchors[:_ENOUGH]))
        )
        order += _STEP
        cells = (near[:, None] * 4**_STEP + np.arange(4**_STEP)).ravel()
    cell_sr = 4.0 * math.pi / (12 * 4**order)
    _, parents = np.unique(cells // 4, return_inverse=True)
    of_four = np.bincount(parents, weights=inside)
    border = 2.0 * float(((of_four > 0) & (of_four < 4)).sum())
    return float(inside.sum()) * cell_sr, cell_sr * math.sqrt(border / 6.0)


def _candidates(region: Region, order: int) -> IntArray:
    """Cells of an order, ascending, without those of large cells that miss the region."""
    if order <= _COARSE:
        return np.arange(12 * 4**order, dtype=np.int64)
    coarse = np.arange(12 * 4**_COARSE, dtype=np.int64)
    # The farthest corner of a HEALPix cell of this order is 0.131 rad from its centre.
    kept = [
        not region.misses_cone(float(ra), float(dec), 0.14) for ra, dec in _centres(_COARSE, coarse)
    ]
    split = 4 ** (order - _COARSE)
    return np.asarray((coarse[kept][:, None] * split + np.arange(split)).ravel())


def _centres(order: int, cells: IntArray) -> FloatArray:
    from astropy_healpix.core import healpix_to_lonlat

    lon, lat = healpix_to_lonlat(cells, 2**order, order="nested")
    return np.stack([lon.value, lat.value], axis=-1)


def _cells_of(order: int, points: FloatArray) -> IntArray:
    from astropy_healpix.core import xyz_to_healpix

    if not len(points):
        return np.zeros(0, dtype=np.int64)
    x, y, z = unit_vectors(points[:, 0], points[:, 1]).T
    found = xyz_to_healpix(x, y, z, 2**order, order="nested")
    return np.asarray(found, dtype=np.int64)


def _with_neighbours(order: int, cells: IntArray) -> IntArray:
    from astropy_healpix.core import neighbours

    if not len(cells):
        return cells
    with np.errstate(invalid="ignore"):  # eight corners of the sphere have seven neighbours
        around = np.asarray(neighbours(cells, 2**order, order="nested"), dtype=np.int64).ravel()
    return np.union1d(cells, around[around >= 0])
