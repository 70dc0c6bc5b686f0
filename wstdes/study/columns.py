"""Columns of a table as arrays."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

__all__ = ["Floats", "Ints", "floats", "ints", "texts"]

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
    return np.array(table.column(name).to_pylist(), dtype=object)
