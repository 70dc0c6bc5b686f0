"""Indices in the order of falling weights, as fast as it goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from wstdes.jit import njit, plain

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["KERNELS", "falling_order", "is_falling"]

_BITS = 11
_PASSES = 6


def falling_order(weight: npt.ArrayLike) -> npt.NDArray[np.int32]:
    """Indices of the weights from the greatest to the least, equal ones by index.

    Parameters
    ----------
    weight : float64[t]
        Not negative, not NaN.

    Returns
    -------
    int32[t]
    """
    values = plain(weight, np.float64)
    if is_falling(values):
        return np.arange(len(values), dtype=np.int32)
    # The bits of floats that are not negative, read as whole numbers, keep their order; adding
    # zero turns -0.0 into 0.0.
    return _radix(~(values + 0.0).view(np.uint64))


def is_falling(weight: npt.NDArray[np.float64]) -> bool:
    """Whether no weight is greater than the one before it.

    Parameters
    ----------
    weight : float64[t]
        Weights.

    Returns
    -------
    bool
    """
    return not bool((weight[1:] > weight[:-1]).any())


@njit
def _radix(key: npt.NDArray[np.uint64]) -> npt.NDArray[np.int32]:
    """Sort by the lowest 11 bits first, then the next; digits that are all equal cost nothing."""
    n, size = len(key), 1 << _BITS
    mask, width = np.uint64(size - 1), np.uint64(_BITS)
    count = np.zeros((_PASSES, size), dtype=np.int32)
    for i in range(n):
        rest = key[i]
        for p in range(_PASSES):
            count[p, rest & mask] += 1
            rest >>= width
    order, other = np.arange(n).astype(np.int32), np.empty(n, dtype=np.int32)
    sorted_key, other_key = key.copy(), np.empty(n, dtype=np.uint64)
    for p in range(_PASSES):
        shift = np.uint64(p * _BITS)
        if n == 0 or count[p, (key[0] >> shift) & mask] == n:
            continue
        total = 0
        for digit in range(size):
            total, count[p, digit] = total + count[p, digit], total
        for i in range(n):
            digit = (sorted_key[i] >> shift) & mask
            place = count[p, digit]
            count[p, digit] += 1
            other[place], other_key[place] = order[i], sorted_key[i]
        order, other = other, order
        sorted_key, other_key = other_key, sorted_key
    return order


KERNELS = (_radix,)
