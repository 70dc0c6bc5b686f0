"""Kernels of the statistical account: numbers that move between levels of progress.

Arrays are those of :mod:`wstdes.survey.statistical`: `numbers` int32[pieces, rows, levels],
`reached` float64[pairs, rows, 2], in units of 1/1024 target.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from wstdes.jit import njit

__all__ = ["DONE", "LEVELS", "PARTS", "UNIT", "claim", "count_left", "gather", "give", "position"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Int32Array = NDArray[np.int32]

UNIT = 1024
PARTS = 24
"""Levels to the required time: halves, thirds, quarters, sixths and eighths fall on one."""
DONE = PARTS + 2
LEVELS = PARTS + 3
"""Untouched, just begun, 1/24 to 23/24, all but done, done."""
_LITTLE = 1e-6


@njit
def position(level: int) -> float:
    """Share of the required time that a level stands for."""
    if level <= 1:
        return level * _LITTLE
    if level >= PARTS + 1:
        return 1.0 - _LITTLE * (DONE - level)
    return (level - 1.0) / PARTS


@njit
def _raise(level: int, share: float) -> tuple[int, float]:
    """Level below a level's place raised by a share, and the part that goes to the next one."""
    if share <= 0.0 or level == DONE:
        return level, 0.0
    place = position(level) + share
    if place >= 1.0 - 1e-9:
        return DONE, 0.0
    low = int(place * PARTS) + 1
    while position(low) > place and low > 1:
        low -= 1
    while position(low + 1) <= place and low + 1 < DONE:
        low += 1
    if low + 1 == DONE:
        return low, 0.0
    below = position(low)
    return low, (place - below) / (position(low + 1) - below)


@njit
def gather(
    numbers: Int32Array,
    reached: FloatArray,
    total: Int32Array,
    within: FloatArray,
    kind: IntArray,
    open_rows: NDArray[np.bool_],
    pieces: IntArray,
    pairs: IntArray,
    weight: FloatArray,
    mean_reach: FloatArray,
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Targets of a field by row: unfinished; within reach: begun, untouched, all at the start."""
    rows = len(kind)
    wanted, begun, untouched = np.zeros(rows), np.zeros(rows), np.zeros(rows)
    whole = np.zeros(rows)
    for k in range(len(pieces)):
        p, pair = pieces[k], pairs[k]
        for row in range(rows):
            if not open_rows[row]:
                continue
            fresh = numbers[p, row, 0]
            left = total[p, row] - numbers[p, row, DONE]
            wanted[row] += left * weight[k]
            if pair >= 0:
                untouched[row] += min(max(reached[pair, row, 0], 0.0), fresh)
                begun[row] += min(max(reached[pair, row, 1], 0.0), left - fresh)
                whole[row] += total[p, row] * within[pair, kind[row]]
            else:
                share = weight[k] * mean_reach[kind[row]]
                untouched[row] += fresh * share
                begun[row] += (left - fresh) * share
                whole[row] += total[p, row] * share
    return wanted, begun, untouched, whole


@njit
def claim(
    numbers: Int32Array,
    reached: FloatArray,
    kind: IntArray,
    pieces: IntArray,
    pairs: IntArray,
    weight: FloatArray,
    mean_reach: FloatArray,
    chance: FloatArray,
    piece_start: IntArray,
    pair_of: IntArray,
) -> tuple[FloatArray, Int32Array]:
    """Pick those who get a fibre, with a chance for the untouched and the begun of each row.

    What rounding leaves is carried on, so that the sum is right.
    """
    rows = len(kind)
    room, n_ratios = len(pieces) * rows * DONE, 0
    for p in pieces:
        n_ratios += piece_start[p + 1] - piece_start[p]
    members = np.empty((room, 4), dtype=np.int32)
    ratios = np.zeros((n_ratios, rows, 2))
    carry = np.zeros((rows, 2))
    n, r = 0, 0
    for k in range(len(pieces)):
        p = pieces[k]
        for row in range(rows):
            fresh = float(numbers[p, row, 0])
            begun = 0.0
            for one in range(1, DONE):
                begun += numbers[p, row, one]
            for i in range(piece_start[p], piece_start[p + 1]):
                at = r + i - piece_start[p]
                there = reached[pair_of[i], row]
                ratios[at, row, 0] = min(max(there[0] / fresh, 0.0), 1.0) if fresh > 0.0 else 0.0
                ratios[at, row, 1] = min(max(there[1] / begun, 0.0), 1.0) if begun > 0.0 else 0.0
            for one in range(DONE):
                group = 1 if one else 0
                number = numbers[p, row, one]
                if number <= 0 or chance[row, group] <= 0.0:
                    continue
                share = weight[k] * mean_reach[kind[row]]
                if pairs[k] >= 0:
                    of = begun if one else fresh
                    share = min(max(reached[pairs[k], row, group] / of, 0.0), 1.0)
                want = number * share * chance[row, group] + carry[row, group]
                take = min(max(math.floor(want), 0), number)
                carry[row, group] = want - take
                if take:
                    members[n, 0], members[n, 1], members[n, 2], members[n, 3] = k, row, one, take
                    n += 1
        r += piece_start[p + 1] - piece_start[p]
    return ratios, members[:n].copy()


@njit
def _move(
    numbers: Int32Array,
    p: int,
    row: int,
    amounts: Int32Array,
    sign: int,
) -> None:
    """Add amounts to the levels of a piece and row, or take them away.

    Where fewer are left than are to be taken, because others were served in between, the next
    levels above give them, and then those below.
    """
    for level in range(LEVELS):
        rest = amounts[level]
        if sign > 0:
            numbers[p, row, level] += rest
            continue
        for step in range(2 * LEVELS):
            if not rest:
                break
            at = level + step if step < LEVELS else level - (step - LEVELS)
            if 0 <= at < LEVELS:
                take = min(rest, numbers[p, row, at])
                numbers[p, row, at] -= take
                rest -= take


@njit
def give(
    numbers: Int32Array,
    reached: FloatArray,
    sums: IntArray,
    effective_s: FloatArray,
    table: FloatArray,
    pieces: IntArray,
    pairs: IntArray,
    ratios: FloatArray,
    members: Int32Array,
    piece_start: IntArray,
    pair_of: IntArray,
) -> None:
    """Move those who have a fibre by the effective time that a visit has given.

    `table` has a row's required time, what the visit had given before, whether it gives (1), takes
    (-1) or does nothing (0), and what it has given after.
    """
    old, new = np.zeros(LEVELS, dtype=np.int32), np.zeros(LEVELS, dtype=np.int32)
    moved = np.zeros((2, 2), dtype=np.int64)  # out of untouched, begun: by where they began
    r, known, i = 0, 0, 0
    while i < len(members):
        k, row = members[i, 0], members[i, 1]
        p = pieces[k]
        while known < k:
            r += piece_start[pieces[known] + 1] - piece_start[pieces[known]]
            known += 1
        old[:], new[:], moved[:] = 0, 0, 0
        claimed = 0
        while i < len(members) and members[i, 0] == k and members[i, 1] == row:
            level, amount = members[i, 2], members[i, 3]
            origin = 1 if level else 0
            claimed += amount
            for when in range(2):
                low, part = _raise(level, table[row, 3 if when else 1] / table[row, 0])
                up = math.floor(amount * part + 0.5)
                into = new if when else old
                into[low] += amount - up
                if up:
                    into[low + 1] += up
                sense = 1 if when else -1
                for one in range(2):
                    size = up if one else amount - up
                    if size and low + one < DONE:
                        moved[origin, 1 if low + one else 0] += sense * size
            i += 1
        if table[row, 2] == 0.0:
            continue
        sums[row, 2] += int(table[row, 2]) * claimed
        effective_s[row] += (table[row, 3] - table[row, 1]) * claimed / UNIT
        done, fresh = numbers[p, row, DONE], numbers[p, row, 0]
        _move(numbers, p, row, old, -1)
        _move(numbers, p, row, new, 1)
        sums[row, 0] += numbers[p, row, DONE] - done
        sums[row, 1] += fresh - numbers[p, row, 0]
        for j in range(piece_start[p], piece_start[p + 1]):
            pair, at = pair_of[j], r + j - piece_start[p]
            for origin in range(2):
                ratio = 1.0 if pair == pairs[k] else ratios[at, row, origin]
                for group in range(2):
                    reached[pair, row, group] += ratio * moved[origin, group]


@njit
def count_left(
    numbers: Int32Array,
    reached: FloatArray,
    total: Int32Array,
    survey: IntArray,
    columns: IntArray,
    pieces: IntArray,
    tile_start: IntArray,
    piece_of: IntArray,
    tile_of: IntArray,
    piece_start: IntArray,
    pair_of: IntArray,
    remaining: FloatArray,
) -> None:
    """Count the unfinished in all tiles that see some pieces; none where none is in reach."""
    tiles = np.empty(0, dtype=np.int64)
    for p in pieces:
        tiles = np.concatenate((tiles, tile_of[pair_of[piece_start[p] : piece_start[p + 1]]]))
    left, near = np.zeros(len(columns)), np.zeros(len(columns))
    for tile in np.unique(tiles):
        left[:], near[:] = 0.0, 0.0
        for pair in range(tile_start[tile], tile_start[tile + 1]):
            p = piece_of[pair]
            for row in range(len(survey)):
                unfinished = total[p, row] - numbers[p, row, DONE]
                left[survey[row]] += unfinished
                within = max(reached[pair, row, 0], 0.0) + max(reached[pair, row, 1], 0.0)
                near[survey[row]] += min(within, float(unfinished))
        for s in range(len(columns)):
            remaining[tile, columns[s]] = left[s] / UNIT if near[s] >= 0.5 * UNIT else 0.0
