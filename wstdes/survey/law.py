"""How many targets of a field get a fibre: a law with few parameters, fitted to full allocations.

Around a fibre there are X targets that it and its neighbours could serve, in units of what they
can serve in a visit. X varies from place to place, by chance and because targets cluster; it is
taken to follow a gamma distribution, as counts of galaxies nearly do (Coles & Jones 1991, MNRAS
248, 1; a gamma mixture of Poisson numbers is the negative binomial), with

    mean u = targets within reach / fibres,   variance = chance u + (sum of clumping_s u_s)^2,

the sum over surveys s. A visit serves min(X, 1). After v full visits E[(X - v)+] = L(v) are left,
so a field in which U targets per fibre are left has had v = L^-1(U) of them, and the next serves

    U - L(L^-1(U) + 1).

That the crowded places are served last is in it: no table of completeness by visit is needed. A
set of targets that can all have a fibre at once is an independent set of a matroid
(Edmonds & Fulkerson 1965, J. Res. NBS 69B, 147): the targets of the first priorities get what they
would get alone, whatever follows. So the law is applied to all targets down to each priority, and
differences are what each priority gets.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from wstdes.jit import njit

__all__ = ["Law", "serve"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_NO_FIBRE = 1e-6  # expected fibres below which there is none
_SHAPES = np.geomspace(0.02, 500.0, 64)
_STEPS = 256


@dataclass
class Law:
    """Parameters of the law: data.

    Parameters
    ----------
    chance : ndarray of float64, shape (2,)
        Variance of X over its mean, for unclustered targets, by kind.
    usage : ndarray of float64, shape (2,)
        Fibres that count as such, over usable fibres, by kind: below 1 where arms are in each
        other's way.
    clumping : ndarray of float64, shape (surveys,)
        Spread of X over its mean, due to clustering.
    """

    chance: FloatArray = field(default_factory=lambda: np.array([0.3, 0.3]))
    usage: FloatArray = field(default_factory=lambda: np.ones(2))
    clumping: FloatArray = field(default_factory=lambda: np.zeros(0))

    def serve(
        self,
        groups: IntArray,
        begun: FloatArray,
        untouched: FloatArray,
        total: FloatArray,
        fibres: float,
        capacity: float,
        kind: int,
    ) -> FloatArray:
        """Return how many targets get a fibre.

        Parameters
        ----------
        groups : ndarray of int64, shape (n, 3)
            Survey, 1 for the begun and 0 for the untouched, and number of its priority, counted
            from 0 for the highest; sorted by it.
        begun, untouched, total : ndarray of float64, shape (surveys,)
            Targets within reach: those with some of their time, those with none, and all that
            there were at the start.
        fibres, capacity : float
            Usable fibres where these targets are, and the most that can go to targets.
        kind : int
            LR or HR.

        Returns
        -------
        ndarray of float64, shape (n,)
        """
        table, ends = _table()
        return serve(
            groups,
            begun,
            untouched,
            total,
            self.clumping,
            float(self.chance[kind]),
            fibres * float(self.usage[kind]),
            capacity,
            table,
            ends,
        )


@lru_cache(maxsize=1)
def _table() -> tuple[FloatArray, FloatArray]:
    """E[(G - t)+] for gamma variables of mean 1: by shape, at squares of even steps to an end."""
    from scipy.special import gammaincc

    ends = 1.0 + 12.0 / np.sqrt(_SHAPES) + 24.0 / _SHAPES
    t = (np.arange(_STEPS) / (_STEPS - 1.0))[None, :] ** 2 * ends[:, None]
    k = _SHAPES[:, None]
    return np.asarray(gammaincc(k + 1.0, k * t) - t * gammaincc(k, k * t)), ends


@njit
def _left(t: float, log_shape: float, table: FloatArray, ends: FloatArray) -> float:
    """E[(G - t)+], between the rows of the table."""
    place = min(max(log_shape, 0.0), len(ends) - 1.001)
    row = int(place)
    value = 0.0
    for i in range(2):
        weight = place - row if i else 1.0 - (place - row)
        along = math.sqrt(t / ends[row + i]) * (table.shape[1] - 1)
        j = int(along)
        if j < table.shape[1] - 1:
            part = along - j
            value += weight * ((1.0 - part) * table[row + i, j] + part * table[row + i, j + 1])
    return max(value, 0.0)


@njit
def _next(left: float, mean: float, spread: float, table: FloatArray, ends: FloatArray) -> float:
    """Targets per fibre that the next visit serves where `left` of `mean` are left."""
    if left <= 0.0 or mean <= 0.0:
        return 0.0
    shape = mean * mean / max(spread, 1e-12)
    log_shape = math.log(shape / 0.02) / math.log(500.0 / 0.02) * (len(ends) - 1)
    share = min(left / mean, 1.0)
    low, high = 0.0, ends[0] if log_shape < 0.0 else ends[min(int(log_shape), len(ends) - 1)]
    for _ in range(50):
        middle = 0.5 * (low + high)
        if _left(middle, log_shape, table, ends) > share:
            low = middle
        else:
            high = middle
    after = _left(0.5 * (low + high) + 1.0 / mean, log_shape, table, ends)
    return max(min(left, 1.0, mean * (share - after)), 0.0)


@njit
def serve(
    groups: IntArray,
    begun: FloatArray,
    untouched: FloatArray,
    total: FloatArray,
    clumping: FloatArray,
    chance: float,
    fibres: float,
    capacity: float,
    table: FloatArray,
    ends: FloatArray,
) -> FloatArray:
    """See :meth:`Law.serve`; `table` and `ends` are those of the gamma distribution."""
    n = len(groups)
    got = np.zeros(n)
    if fibres <= _NO_FIBRE:
        return got
    inside = np.zeros(len(begun), dtype=np.bool_)
    given, first = 0.0, 0
    while first < n:
        last, added = first, 0.0
        while last < n and groups[last, 2] == groups[first, 2]:
            survey = groups[last, 0]
            inside[survey] = True
            added += begun[survey] if groups[last, 1] else untouched[survey]
            last += 1
        mean, left, clumps = 0.0, 0.0, 0.0
        for s in range(len(begun)):
            if inside[s]:
                mean += total[s] / fibres
                left += (begun[s] + untouched[s]) / fibres
                clumps += clumping[s] * total[s] / fibres
        most = _next(left, mean, chance * mean + clumps * clumps, table, ends) * fibres
        more = max(min(given + added, most, capacity) - given, 0.0)
        for g in range(first, last):
            survey = groups[g, 0]
            here = begun[survey] if groups[g, 1] else untouched[survey]
            if added > 0.0:
                got[g] = more * here / added
        given += more
        first = last
    return got
