"""Which positioners share a module, and which fibres are neighbours on a slit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["slit_positions", "triangular_modules"]


def slit_positions(
    kind: npt.NDArray[np.int8],
    spectrograph: npt.NDArray[np.int16],
    order: npt.NDArray[np.int32],
) -> npt.NDArray[np.int32]:
    """Position of each fibre on its spectrograph's slit.

    Parameters
    ----------
    kind, spectrograph : int[n]
        Which slit.
    order : int[n]
        Fibres follow each other by this number; equal ones as they stand in the array.

    Returns
    -------
    int32[n]
        From 0 on each slit, without gaps.
    """
    by_slit = np.lexsort((order, spectrograph, kind))
    slit = np.column_stack((kind, spectrograph)).astype(np.int64)[by_slit]
    first = np.r_[True, (slit[1:] != slit[:-1]).any(axis=1)][: len(slit)]
    start = np.flatnonzero(first)
    position = np.empty(len(slit), dtype=np.int32)
    lengths = np.diff(np.r_[start, len(slit)])
    position[by_slit] = np.arange(len(slit)) - np.repeat(start, lengths)
    return position


def triangular_modules(
    a: npt.NDArray[np.integer], b: npt.NDArray[np.integer], size: int
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """Tile a hexagonal lattice with triangular modules.

    The rafts of Spec-S5, whose positioners WST shares, are triangles of 74 mm a side with 63
    positioners 6.2 mm apart (spec-s5.org/instrument/focalplane). Here a module is a triangle
    whose tip is cut off, so that those on their base and those on their tip tile the lattice
    without a gap: rows of 11, 10, ... 3 positioners make 63 (assumed; rafts with gaps between
    them would not be a lattice).

    Parameters
    ----------
    a, b : int[n]
        Coordinates of the points: a + b/2 to the east, b sqrt(3)/2 to the north.
    size : int
        Points of a module. It is a sum of consecutive numbers, the rows of the triangle, the
        shorter the tip the better; for a power of two that is a single row.

    Returns
    -------
    module : int32[n]
        From 0 without gaps, in rows of modules, there and back; those at the edges are smaller.
    order : int32[n]
        Rank of each point when points follow their modules, and within a module its rows, there
        and back: most neighbours in this order are neighbours on the plane.

    Raises
    ------
    ValueError
        If the size is not positive.
    """
    tip, base = _rows(size)
    rows, width = base - tip + 1, base + tip
    block, row = b // rows, b % rows
    cell, column = a // width, a % width
    inverted = column >= base - row
    along = 2 * cell + inverted
    towards = np.where(block % 2 == 0, along, -along)
    cells = np.column_stack((block, towards))
    module = np.unique(cells, axis=0, return_inverse=True)[1]
    numbers = np.asarray(module, dtype=np.int32).reshape(-1)
    ranked = np.lexsort((np.where(row % 2 == 0, column, -column), row, numbers))
    order = np.empty(len(numbers), dtype=np.int32)
    order[ranked] = np.arange(len(numbers))
    return numbers, order


def _rows(size: int) -> tuple[int, int]:
    """First and last of the consecutive numbers with this sum that begin with the smallest."""
    if size < 1:
        raise ValueError(f"a module has at least one positioner, not {size}")
    for tip in range(1, size + 1):
        total, base = tip, tip
        while total < size:
            base += 1
            total += base
        if total == size:
            return tip, base
    raise AssertionError("a number is the sum of itself")
