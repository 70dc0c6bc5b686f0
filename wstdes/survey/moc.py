"""Maps of the sky by HEALPix cells: multi-order coverage maps (MOC) and single-order maps.

A coverage is kept as ranges of cells at HEALPix order 29 (Fernique et al. 2022, MOC: Multi-Order
Coverage map, version 2.0, IVOA Recommendation). Read are FITS files with a column of NUNIQ
numbers or of ranges, FITS maps of HEALPix cells, and text: ``3/1-4 9`` or ``{"3": [1, 2]}``.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from wstdes.errors import CatalogueError
from wstdes.survey.cells import unit_vectors

__all__ = ["Moc", "read_moc"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

DEEPEST = 29
CELLS = float(12 * 4**DEEPEST)
_MOST_ANCHORS = 4096
_TOKEN = re.compile(r"^(?:(?P<order>\d+)/)?(?P<first>\d+)?(?:-(?P<last>\d+))?$")


@dataclass(frozen=True, eq=False)
class Moc:
    """A part of the sky made of HEALPix cells.

    Parameters
    ----------
    start, end : ndarray of int64, shape (n,)
        Cells of order 29 in NESTED order: from `start` to before `end`, ascending, apart.
    """

    start: IntArray
    end: IntArray

    @staticmethod
    def of_cells(order: ArrayLike, pixel: ArrayLike) -> Moc:
        """Make a coverage of cells of any orders, in any order, overlapping or not.

        Parameters
        ----------
        order, pixel : array_like of int, shape (n,)
            HEALPix orders and NESTED cells of those orders.

        Raises
        ------
        ValueError
            There is no such cell, or there are no cells.
        """
        order, pixel = np.broadcast_arrays(
            np.asarray(order, dtype=np.int64), np.asarray(pixel, dtype=np.int64)
        )
        if not order.size:
            raise ValueError("no cells")
        bad = (order < 0) | (order > DEEPEST)
        bad |= (pixel < 0) | (pixel >= 12 * 4 ** np.clip(order, 0, DEEPEST))
        if bad.any():
            i = int(np.argmax(bad))
            raise ValueError(f"there is no HEALPix cell {pixel.flat[i]} of order {order.flat[i]}")
        shift = 2 * (DEEPEST - order.ravel())
        return Moc.of_ranges(pixel.ravel() << shift, (pixel.ravel() + 1) << shift)

    @staticmethod
    def of_ranges(start: IntArray, end: IntArray) -> Moc:
        """Make a coverage of ranges at order 29, in any order; those that touch are joined."""
        if not len(start) or (start >= end).any():
            raise ValueError("no cells" if not len(start) else "a range that ends before it starts")
        if start.min() < 0 or end.max() > 12 * 4**DEEPEST:
            raise ValueError("a range beyond the last HEALPix cell of order 29")
        by_start = np.argsort(start, kind="stable")
        start, reach = start[by_start], np.maximum.accumulate(end[by_start])
        new = np.concatenate([[True], start[1:] > reach[:-1]])
        last = np.concatenate([np.flatnonzero(new)[1:] - 1, [len(start) - 1]])
        return Moc(start[new], reach[last])

    @property
    def area_sr(self) -> float:
        """Solid angle [sr], exactly."""
        return float((self.end - self.start).sum()) / CELLS * 4.0 * np.pi

    def cells(self) -> tuple[IntArray, IntArray]:
        """Return the fewest cells that make it: orders and NESTED numbers."""
        orders: list[IntArray] = []
        pixels: list[IntArray] = []
        start, end = self.start, self.end
        for order in range(DEEPEST + 1):
            shift = 2 * (DEEPEST - order)
            size = 1 << shift
            first, last = (start + size - 1) >> shift, end >> shift
            whole = first < last
            count = np.where(whole, last - first, 0)
            if count.any():
                base = np.repeat(first - np.concatenate([[0], np.cumsum(count)[:-1]]), count)
                pixels.append(base + np.arange(int(count.sum())))
                orders.append(np.full(int(count.sum()), order, dtype=np.int64))
            left = (start, np.where(whole, first << shift, end))
            right = (np.where(whole, last << shift, end), end)
            start = np.concatenate([left[0], right[0]])
            end = np.concatenate([left[1], right[1]])
            start, end = start[start < end], end[start < end]
            if not len(start):
                break
        return np.concatenate(orders), np.concatenate(pixels)

    def contains(self, ra_rad: ArrayLike, dec_rad: ArrayLike) -> BoolArray:
        """Say which positions [rad] are inside, bool of the shape of `ra_rad`."""
        from astropy_healpix.core import xyz_to_healpix

        vectors = unit_vectors(ra_rad, dec_rad)
        x, y, z = vectors.reshape(-1, 3).T
        cell = np.asarray(xyz_to_healpix(x, y, z, 2**DEEPEST, order="nested"), dtype=np.int64)
        place = np.searchsorted(self.start, cell, side="right") - 1
        inside = (place >= 0) & (cell < self.end[np.maximum(place, 0)])
        return np.asarray(inside.reshape(vectors.shape[:-1]), dtype=np.bool_)

    def holds_cone(self, ra_rad: float, dec_rad: float, radius_rad: float) -> bool:
        """Whether a whole cone is inside: always no, which is quick and allowed."""
        return False

    def misses_cone(self, ra_rad: float, dec_rad: float, radius_rad: float) -> bool:
        """Whether a whole cone is outside: quick, by cells 7 deg across."""
        centres, touched = self._coarse
        near = centres @ unit_vectors(ra_rad, dec_rad) >= np.cos(min(radius_rad + 0.14, np.pi))
        return not bool((near & touched).any())

    @cached_property
    def _coarse(self) -> tuple[FloatArray, BoolArray]:
        """Centres of the cells of order 3 (0.131 rad to the farthest corner), and which it has."""
        from astropy_healpix.core import healpix_to_xyz

        cells = np.arange(768, dtype=np.int64)
        shift = 2 * (DEEPEST - 3)
        begins = np.searchsorted(self.end, cells << shift, side="right")
        ends = np.searchsorted(self.start, (cells + 1) << shift, side="left")
        return np.stack(healpix_to_xyz(cells, 8, order="nested"), axis=-1), begins < ends

    def anchors(self) -> FloatArray:
        """Centres of its cells, at most 4096 of them, shape (n, 2) [rad]."""
        from astropy_healpix.core import healpix_to_lonlat

        order, pixel = self.cells()
        step = max(1, len(order) // _MOST_ANCHORS)
        order, pixel = order[::step], pixel[::step]
        found = np.empty((len(order), 2))
        for one in np.unique(order):
            mine = order == one
            lon, lat = healpix_to_lonlat(pixel[mine], 2 ** int(one), order="nested")
            found[mine] = np.stack([lon.value, lat.value], axis=-1)
        return found


def read_moc(path: str | Path) -> Moc:
    """Read a coverage from a file.

    Parameters
    ----------
    path : str or Path
        A FITS file (.fits, .fit, .fits.gz) with a MOC or a HEALPix map, in equatorial coordinates;
        or text (.txt, .moc, .json) as ``order/cell cell-cell ...`` or as JSON.

    Raises
    ------
    CatalogueError
        What is wrong with the file.
    """
    path = Path(path)
    if not path.is_file():
        raise CatalogueError(f"{path}: no such file")
    try:
        if path.name.lower().endswith((".fits", ".fit", ".fits.gz")):
            return _read_fits(path)
        return _parse(path.read_text(encoding="utf-8"))
    except CatalogueError:
        raise
    except (ValueError, OSError, KeyError, TypeError, OverflowError) as error:
        reason = str(error).strip().split("\n", maxsplit=1)[0]
        raise CatalogueError(f"{path}: cannot be read as a coverage map: {reason}") from error


def _parse(text: str) -> Moc:
    if text.lstrip().startswith("{"):
        pairs = [(int(o), int(p)) for o, cells in json.loads(text).items() for p in cells]
        return Moc.of_cells(*np.array(pairs or np.zeros((0, 2)), dtype=np.int64).T)
    order, orders, pixels = None, list[int](), list[int]()
    for token in text.replace(",", " ").split():
        match = _TOKEN.match(token)
        if match is None or (match["order"] is None and order is None):
            raise ValueError(f"'{token}' is no cell; write order/cell, for example 3/17 20-25")
        order = order if match["order"] is None else int(match["order"])
        if match["first"] is None:
            continue  # an order without cells says how deep the map was made
        first = int(match["first"])
        last = first if match["last"] is None else int(match["last"])
        if order is None or not 0 <= order <= DEEPEST or last >= 12 * 4**order:
            raise ValueError(f"'{token}': there is no such cell of order {order}")
        if last - first > 20_000_000:
            raise ValueError(f"'{token}': more than 20 million cells; use a lower order")
        pixels += range(first, last + 1)
        orders += [order] * (last + 1 - first)
    return Moc.of_cells(orders, pixels)


def _read_fits(path: Path) -> Moc:
    from astropy.io import fits

    with fits.open(path, memmap=False) as hdus:
        tables = [h for h in hdus if isinstance(h, fits.BinTableHDU)]
        if not tables:
            raise CatalogueError(f"{path}: no table in this FITS file")
        header, data = tables[0].header, tables[0].data
        ordering = str(header.get("ORDERING", "")).strip().upper()
        frame = str(header.get("COORDSYS", "C")).strip().upper()[:1] or "C"
        if frame not in {"C", "I", "E"} or (frame == "E" and "ECL" in str(header["COORDSYS"])):
            raise CatalogueError(
                f"{path}: COORDSYS is '{header['COORDSYS']}'; only equatorial maps (C) are read: "
                "make the map again in ICRS"
            )
        if ordering == "NUNIQ" or "UNIQ" in (data.names or []):
            unique = np.asarray(data.field(0), dtype=np.int64).ravel()
            if len(unique) and unique.min() < 4:
                raise CatalogueError(f"{path}: {unique.min()} is no NUNIQ number: they begin at 4")
            first = np.int64(4) << (2 * np.arange(DEEPEST + 1))
            order = np.searchsorted(first, unique, side="right") - 1
            return Moc.of_cells(order, unique - (np.int64(4) << (2 * order)))
        if ordering == "RANGE":
            ranges = np.asarray(data.field(0), dtype=np.int64).reshape(-1, 2)
            return Moc.of_ranges(ranges[:, 0].copy(), ranges[:, 1].copy())
        return _of_map(path, header, data, ordering)


def _of_map(path: Path, header: Any, data: Any, ordering: str) -> Moc:
    """A HEALPix map: cells whose value is above zero."""
    from astropy_healpix.core import ring_to_nested

    nside = header.get("NSIDE")
    if nside is None or ordering not in {"RING", "NESTED"}:
        raise CatalogueError(
            f"{path}: neither a MOC (ORDERING = NUNIQ or RANGE) nor a HEALPix map (ORDERING = RING "
            "or NESTED, with NSIDE)"
        )
    if int(nside) < 1 or int(nside) & (int(nside) - 1):
        raise CatalogueError(f"{path}: NSIDE is {nside}, not a power of two")
    if str(header.get("INDXSCHM", "IMPLICIT")).strip().upper() == "EXPLICIT":
        pixel = np.asarray(data.field(0), dtype=np.int64).ravel()
        values = np.asarray(data.field(1)).ravel()
    else:
        values = np.asarray(data.field(0)).ravel()
        pixel = np.arange(len(values), dtype=np.int64)
        if len(values) != 12 * int(nside) ** 2:
            raise CatalogueError(f"{path}: {len(values)} cells; NSIDE {nside} has {12 * nside**2}")
    kept = pixel[values > 0]
    if ordering == "RING" and len(kept):
        kept = np.asarray(ring_to_nested(kept, int(nside)), dtype=np.int64)
    return Moc.of_cells(int(nside).bit_length() - 1, kept)
