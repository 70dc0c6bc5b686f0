"""Fill quotas by hand, at the least cost; and say what that means for their prices."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from wstdes.allocation.problem import Purpose
from wstdes.jit import njit

if TYPE_CHECKING:
    import numpy.typing as npt

    from wstdes.allocation.prices import Prices

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int32]
    Longs = npt.NDArray[np.int64]
    Bytes = npt.NDArray[np.int8]

__all__ = ["KERNELS", "fill_quotas"]


def fill_quotas(
    start: Longs,
    fibre: Ints,
    conflict: Longs,
    other: Ints,
    weight: Floats,
    purpose: Bytes,
    stands_for: npt.NDArray[np.bool_],
    chosen: Ints,
    prices: Prices,
) -> tuple[Ints, Ints, Floats]:
    """Exchange targets for sky and standards where they are missing, and back where too many are.

    Parameters
    ----------
    start, fibre, conflict, other
        As in :func:`wstdes.allocation.reduction.eliminate`.
    weight : float64[s]
        Worth of each state without prices.
    purpose : int8[s]
        Purpose of each state.
    stands_for : bool[s]
        States that are none, and only stand for others: the choice is free of them.
    chosen : int32[n]
        State of each fibre, or -1, the best for the prices.
    prices : Prices
        At which it was.

    Returns
    -------
    chosen : int32[n]
        A new choice without conflicts.
    missing : int32[g, 3]
        What is still missing.
    wanted : float64[g, 3]
        Prices at which the choice would have had the right numbers, seen from it; NaN where it
        had them.
    """
    return _fill(
        start,
        fibre,
        conflict,
        other,
        weight,
        np.where(stands_for, np.int8(-1), purpose),
        chosen,
        prices.group,
        prices.fibre_start,
        prices.fibre,
        prices.at_least,
        prices.price,
        prices.most,
    )


@njit
def _fill(
    start: Longs,
    fibre: Ints,
    conflict: Longs,
    other: Ints,
    weight: Floats,
    purpose: Bytes,
    given: Ints,
    group: Ints,
    group_start: Longs,
    group_fibre: Ints,
    at_least: Ints,
    price: Floats,
    most: float,
) -> tuple[Ints, Ints, Floats]:
    chosen = given.copy()
    blocked = np.zeros(len(weight), dtype=np.int32)
    count = np.zeros(at_least.shape, dtype=np.int32)
    for f in range(len(chosen)):
        s = chosen[f]
        if s >= 0 and purpose[s] < 0:
            chosen[f] = -1
        elif s >= 0:
            if group[f] >= 0:
                count[group[f], purpose[s]] += 1
            for j in range(conflict[s], conflict[s + 1]):
                blocked[other[j]] += 1
    for f in range(len(chosen)):
        if given[f] >= 0 and chosen[f] < 0:
            s = _free_state(f, SCIENCE, start, weight, purpose, blocked)
            if s >= 0:
                _switch(f, s, conflict, other, chosen, blocked)
                if group[f] >= 0:
                    count[group[f], SCIENCE] += 1
    wanted = np.full(at_least.shape, np.nan)
    for p in (STANDARD, SKY):
        for g in range(len(at_least)):
            fibres = group_fibre[group_start[g] : group_start[g + 1]]
            need = at_least[g, p] - count[g, p]
            if need > 0:
                wanted[g, p] = _take(
                    fibres,
                    need,
                    p,
                    g,
                    start,
                    fibre,
                    conflict,
                    other,
                    weight,
                    purpose,
                    chosen,
                    blocked,
                    group,
                    count,
                    at_least,
                    price,
                    most,
                )
            elif need < 0 and price[g, p] > 0.0:
                wanted[g, p] = _release(
                    fibres,
                    -need,
                    p,
                    start,
                    conflict,
                    other,
                    weight,
                    purpose,
                    chosen,
                    blocked,
                    count[g],
                )
    for g in range(len(at_least)):
        # a fibre on a standard could have been on sky: it costs at least as much as that
        sky = price[g, SKY] if np.isnan(wanted[g, SKY]) else wanted[g, SKY]
        if at_least[g, STANDARD] > 0 and at_least[g, SKY] > 0:
            now = price[g, STANDARD] if np.isnan(wanted[g, STANDARD]) else wanted[g, STANDARD]
            if now < sky and count[g, STANDARD] <= at_least[g, STANDARD]:
                wanted[g, STANDARD] = sky
    _improve(start, conflict, other, weight, purpose, chosen, blocked)
    return chosen, np.maximum(at_least - count, 0), wanted


@njit
def _free_state(f: int, p: int, start: Longs, weight: Floats, purpose: Bytes, blocked: Ints) -> int:
    """The fibre's best state of a purpose that nothing is in the way of, or -1."""
    found = -1
    for s in range(start[f], start[f + 1]):
        if purpose[s] == p and blocked[s] == 0 and (found < 0 or weight[s] > weight[found]):
            found = s
    return found


@njit
def _switch(f: int, s: int, conflict: Longs, other: Ints, chosen: Ints, blocked: Ints) -> None:
    """Change what a fibre does."""
    old = chosen[f]
    if old >= 0:
        for j in range(conflict[old], conflict[old + 1]):
            blocked[other[j]] -= 1
    if s >= 0:
        for j in range(conflict[s], conflict[s + 1]):
            blocked[other[j]] += 1
    chosen[f] = s


@njit
def _take(
    fibres: Ints,
    need: int,
    p: int,
    g: int,
    start: Longs,
    fibre: Ints,
    conflict: Longs,
    other: Ints,
    weight: Floats,
    purpose: Bytes,
    chosen: Ints,
    blocked: Ints,
    group: Ints,
    count: Ints,
    at_least: Ints,
    price: Floats,
    most: float,
) -> float:
    """Put the fibres that lose least on a purpose; return the loss of the last one needed."""
    loss = np.full(len(fibres), np.inf)
    for i in range(len(fibres)):
        f = fibres[i]
        has = chosen[f]
        if has >= 0 and purpose[has] != SCIENCE:
            q = purpose[has]
            if q == p or count[g, q] <= at_least[g, q]:
                continue
        s = _free_state(f, p, start, weight, purpose, blocked)
        if s >= 0:
            loss[i] = (weight[has] if has >= 0 else 0.0) - weight[s]
    done = 0
    last = 0.0
    for i in np.argsort(loss, kind="mergesort"):
        if done == need or loss[i] == np.inf:
            break
        f = fibres[i]
        s = _free_state(f, p, start, weight, purpose, blocked)
        if s < 0:
            continue
        if chosen[f] >= 0:
            q = purpose[chosen[f]]
            if q != SCIENCE and count[g, q] <= at_least[g, q]:
                continue  # one before it was the last to spare
            count[g, q] -= 1
        _switch(f, s, conflict, other, chosen, blocked)
        count[g, p] += 1
        done += 1
        last = loss[i]
    while done < need:  # what is left needs others to make way
        best, cost = -1, np.inf
        for f in fibres:
            has = chosen[f]
            own = (
                _cost_of(has, p, weight, purpose, group[f], price, count, at_least)
                if has >= 0
                else 0.0
            )
            if own == np.inf:
                continue
            for s in range(start[f], start[f + 1]):
                if purpose[s] == p:
                    now = own - weight[s]
                    for j in range(conflict[s], conflict[s + 1]):
                        c = other[j]
                        if chosen[fibre[c]] == c:
                            now += _cost_of(
                                c, p, weight, purpose, group[fibre[c]], price, count, at_least
                            )
                    if now < cost:
                        best, cost = s, now
        if best < 0:
            return most
        for j in range(conflict[best], conflict[best + 1]):
            c = other[j]
            if chosen[fibre[c]] == c:
                if group[fibre[c]] >= 0:
                    count[group[fibre[c]], purpose[c]] -= 1
                _switch(fibre[c], -1, conflict, other, chosen, blocked)
        if chosen[fibre[best]] >= 0:
            count[g, purpose[chosen[fibre[best]]]] -= 1
        _switch(fibre[best], best, conflict, other, chosen, blocked)
        count[g, p] += 1
        done += 1
        last = max(last, cost)
    return max(last, 0.0)


@njit
def _cost_of(
    s: int,
    p: int,
    weight: Floats,
    purpose: Bytes,
    g: int,
    price: Floats,
    count: Ints,
    at_least: Ints,
) -> float:
    """What it costs that a chosen state makes way for a standard or for sky.

    Sky can be taken elsewhere, as long as its own turn is still to come; and what a group has
    beyond its quota it can spare.
    """
    if purpose[s] == SCIENCE or g < 0 or count[g, purpose[s]] > at_least[g, purpose[s]]:
        return float(weight[s])
    if purpose[s] == SKY and p == STANDARD and g >= 0:
        return float(weight[s] + price[g, SKY])
    return np.inf


@njit
def _release(
    fibres: Ints,
    excess: int,
    p: int,
    start: Longs,
    conflict: Longs,
    other: Ints,
    weight: Floats,
    purpose: Bytes,
    chosen: Ints,
    blocked: Ints,
    count: Ints,
) -> float:
    """Give back the fibres that gain most from it; return the gain of the last one."""
    gain = np.full(len(fibres), -np.inf)
    for i in range(len(fibres)):
        f = fibres[i]
        if chosen[f] >= 0 and purpose[chosen[f]] == p:
            s = _free_state(f, SCIENCE, start, weight, purpose, blocked)
            gain[i] = (weight[s] if s >= 0 else 0.0) - weight[chosen[f]]
    last = 0.0
    done = 0
    for i in np.argsort(-gain, kind="mergesort"):
        if done == excess or gain[i] == -np.inf:
            break
        f = fibres[i]
        last = gain[i]
        done += 1
        s = _free_state(f, SCIENCE, start, weight, purpose, blocked)
        if s < 0 or weight[s] <= weight[chosen[f]]:
            continue
        _switch(f, s, conflict, other, chosen, blocked)
        count[p] -= 1
        count[SCIENCE] += 1
    return max(last, 0.0)


@njit
def _improve(
    start: Longs,
    conflict: Longs,
    other: Ints,
    weight: Floats,
    purpose: Bytes,
    chosen: Ints,
    blocked: Ints,
) -> None:
    """Let fibres that have nothing, or a target of science, take a better one that is free."""
    for f in range(len(chosen)):
        has = chosen[f]
        if has >= 0 and purpose[has] != SCIENCE:
            continue
        s = _free_state(f, SCIENCE, start, weight, purpose, blocked)
        if s >= 0 and (has < 0 or weight[s] > weight[has]):
            _switch(f, s, conflict, other, chosen, blocked)


SCIENCE, STANDARD, SKY = int(Purpose.SCIENCE), int(Purpose.STANDARD), int(Purpose.SKY)

KERNELS = (_fill,)
