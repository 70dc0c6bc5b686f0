"""Columns of a table as arrays."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

__all__ = ["Floats", "Ints", "codes", "floats", "ints", "texts"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def floats(table: pa.Table, name: str) -> Floats:
    """Numbers; null is nan."""
    column = table.column(name).cast(pa.float64()).fill_null(float("nan"))
    return np.asarray(column.to_numpy(), dtype=np.float64)


def ints(table: pa.Table, name: str, missing: int = -1) -> Ints:
    """Whole numbers; null is `missing`."""
    return np.asarray(table.column(name).fill_null(missing).to_numpy(), dtype=np.int64)


def texts(table: pa.Table, name: str) -> NDArray[np.object_]:
    """Texts."""
    if not table.num_rows:
        return np.zeros(0, dtype=object)
    places, names = codes(table, name)
    return np.asarray(names.astype(object)[places])


def codes(table: pa.Table, name: str) -> tuple[Ints, NDArray[np.str_]]:
    """Texts as places in the texts that there are, and these; null is nothing."""
    column = table.column(name).fill_null("").combine_chunks().dictionary_encode()
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    names = np.array(column.dictionary.to_pylist(), dtype=np.str_)
    return np.asarray(column.indices.to_numpy(zero_copy_only=False), dtype=np.int64), names
