"""Compiled functions: numba, typed, and kept on disk from one run to the next."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

import numba
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

__all__ = ["is_cached", "njit", "plain"]

P = ParamSpec("P")
R = TypeVar("R")


def njit(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function at its first call, or load what an earlier run compiled.

    Where no folder can be written, the function is compiled anew in each process. Compiled code
    is renewed when its own file changes, so functions that call each other share a file.

    Parameters
    ----------
    function : callable
        What ``numba.njit`` takes.

    Returns
    -------
    callable
        With the same signature.
    """
    dispatcher = numba.njit(nogil=True)(function)  # threads may run side by side
    if hasattr(dispatcher, "enable_caching"):  # a plain function under NUMBA_DISABLE_JIT
        with suppress(RuntimeError):  # no folder for the cache
            dispatcher.enable_caching()
    return cast("Callable[P, R]", dispatcher)


def is_cached(function: Callable[..., Any]) -> bool:
    """Whether calling a function of :func:`njit` needs no compilation.

    It looks into the index of numba's cache, which has no public interface: should that change,
    the answer is False and the only harm is an announcement too many.

    Parameters
    ----------
    function : callable
        What :func:`njit` returned.

    Returns
    -------
    bool
        True if the code is in this process or, for this version of numba, of the source file
        and of the processor, on disk.
    """
    if not hasattr(function, "py_func") or getattr(function, "signatures", None):
        return True
    try:
        index = cast("Any", function)._cache._cache_file._load_index()
        machine = cast("Any", function).targetctx.codegen().magic_tuple()
        return any(key[1] == machine for key in index)
    except (AttributeError, IndexError, TypeError, OSError):
        return False


def plain(values: npt.ArrayLike, dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """The same values as a contiguous, writeable, aligned array: one type for the compiler.

    numba compiles a function again for a strided or a read-only array, which takes seconds.

    Parameters
    ----------
    values : array_like
        Copied only where they have to be.
    dtype : dtype
        Type of the elements.

    Returns
    -------
    ndarray
        Do not write to it: it may be the caller's own.
    """
    if isinstance(values, np.ndarray) and values.dtype == dtype:
        flags = values.flags
        if flags.c_contiguous and flags.writeable and flags.aligned:
            return values
    return np.require(values, dtype, ["C", "W", "A"])
