"""The statistical account: expected numbers of targets by pieces of sky and by progress.

Numbers are kept as whole multiples of 1/1024 target, so that nothing is lost or made by rounding,
whatever is given and taken back. In each piece (:mod:`wstdes.survey.pieces`) and row (a survey, or
those of its targets that need about the same time) they stand on levels of progress: untouched,
just begun, so many 24ths of the required time, all but done, done. Effective time moves targets
up, to the two levels about their place in shares that keep their mean; they are done when their
own level and the time given add up to what they need.

Beside them stands, for each tile that sees a piece, how many of the untouched and of the begun its
fibres reach: who was never in reach of one tile may be of its neighbour. Being in reach of one
tile is taken to be independent of being in reach of another.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from wstdes.survey import _levels
from wstdes.survey.account import Totals
from wstdes.survey.law import Law
from wstdes.survey.pieces import Pieces

__all__ = ["UNIT", "Claim", "Row", "StatisticalAccount", "StatisticalModel", "StatisticalState"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

UNIT = _levels.UNIT
"""Units to a target."""
BEGUN_BONUS = 0.5
"""Added to the priority of the begun, as :data:`wstdes.survey.fields.STARTED_BONUS`."""
_GIVEN = 1024.0
"""Effective time is kept in steps of 1/1024 s, which add up exactly."""


@dataclass(frozen=True)
class Row:
    """Targets of a survey that need the same time.

    Parameters
    ----------
    survey : int
        Place among the surveys of the account.
    kind : int
        LR or HR.
    required_s : float
        Effective time they need [s].
    share : float
        Of the survey's targets.
    """

    survey: int
    kind: int
    required_s: float
    share: float = 1.0


@dataclass(frozen=True, eq=False)
class StatisticalModel:
    """What does not change: the pieces, what was in them, the law.

    Parameters
    ----------
    pieces : Pieces
        The sky.
    rows : tuple of Row
        Sorted by survey.
    priority : ndarray of float64, shape (surveys,)
        Larger goes first.
    count, area_sr : ndarray of float64, shape (pieces, surveys)
        Targets in each piece, and the area that has any [sr].
    reach : ndarray of float64, shape (2,)
        Share of a field within reach, by kind.
    law : Law
        Calibrated.
    """

    pieces: Pieces
    rows: tuple[Row, ...]
    priority: FloatArray
    count: FloatArray
    area_sr: FloatArray
    reach: FloatArray
    law: Law

    def __post_init__(self) -> None:
        share = np.array([row.share for row in self.rows])
        survey = np.array([row.survey for row in self.rows], dtype=np.int64)
        total = np.round(self.count[:, survey] * share * UNIT)
        if total.max(initial=0.0) > np.iinfo(np.int32).max:
            raise ValueError("more than two million targets in a piece of sky")
        p = self.pieces
        reached = p.within_reach.max(axis=1)[:, None] * np.ones((1, len(self.priority)))
        where = self.area_sr[p.piece] * reached
        area = p.area_sr[p.piece] * reached[:, 0]
        tiles = len(p.tile_start) - 1
        some = np.stack(
            [np.bincount(p.tile, column, minlength=tiles) for column in where.T], axis=1
        )
        covered = some / np.maximum(np.bincount(p.tile, area, minlength=tiles), 1e-300)[:, None]
        for name, value in {
            "survey": survey,
            "kind": np.array([row.kind for row in self.rows], dtype=np.int64),
            "required_s": np.array([row.required_s for row in self.rows]),
            "total": total.astype(np.int32),
            "covered": np.minimum(covered, 1.0),
        }.items():
            object.__setattr__(self, name, value)

    survey: IntArray = field(init=False)
    kind: IntArray = field(init=False)
    required_s: FloatArray = field(init=False)
    total: NDArray[np.int32] = field(init=False)
    covered: FloatArray = field(init=False)

    def groups(self, kind: int, wants: NDArray[np.bool_]) -> IntArray:
        """Groups of the surveys of a kind, by priority: see :meth:`Law.serve`."""
        mine = sorted({int(s) for s in self.survey[self.kind == kind] if wants[s]})
        worth = [
            (-float(self.priority[s]) - BEGUN_BONUS * begun, s, begun)
            for s in mine
            for begun in (1, 0)
        ]
        values = sorted({w for w, _, _ in worth})
        found = [(s, begun, values.index(w)) for w, s, begun in sorted(worth)]
        return np.array(found, dtype=np.int64).reshape(-1, 3)

    def in_tiles(self) -> FloatArray:
        """Targets in each tile at the start, float64[tiles, surveys]."""
        p, n = self.pieces, len(self.priority)
        tiles = len(p.tile_start) - 1
        found = np.zeros((tiles, n))
        for row, survey in enumerate(self.survey):
            number = self.total[p.piece, row] / UNIT
            found[:, survey] += np.bincount(p.tile, number, minlength=tiles)
        return found


@dataclass
class StatisticalState:
    """All that the account remembers: data.

    Parameters
    ----------
    numbers : ndarray of int32, shape (pieces, rows, levels)
        Targets by how far they have come, in units of 1/1024.
    reached : ndarray of float64, shape (pairs, rows, 2)
        Those that fibres of a tile reach: untouched, and begun; in the same units.
    sums : ndarray of int64, shape (rows, 3)
        Completed, begun or completed, and exposures that count; in the same units.
    effective_s : ndarray of float64, shape (rows,)
        Effective time given to all targets [s].
    changed : list of ndarray of int64
        Pieces whose tiles are to be counted again.
    """

    numbers: NDArray[np.int32] = field(default_factory=lambda: np.zeros((0, 0, 0), dtype=np.int32))
    reached: FloatArray = field(default_factory=lambda: np.zeros((0, 0, 2)))
    sums: IntArray = field(default_factory=lambda: np.zeros((0, 3), dtype=np.int64))
    effective_s: FloatArray = field(default_factory=lambda: np.zeros(0))
    changed: list[IntArray] = field(default_factory=list)


@dataclass
class Claim:
    """Who has a fibre in a visit.

    Parameters
    ----------
    pieces, pairs : ndarray of int64, shape (k,)
        Pieces that the field sees, and their pair with the visit's tile (-1 without a tile).
    ratios : ndarray of float64, shape (all pairs of the pieces, rows, 2)
        Share that each tile reached of the untouched and the begun when the visit began.
    members : ndarray of int32, shape (n, 4)
        Who has a fibre: place in `pieces`, row, level, and how many, in units of 1/1024.
    given_s : ndarray of float64, shape (rows,)
        Effective time that the visit has given so far [s].
    """

    pieces: IntArray
    pairs: IntArray
    ratios: FloatArray
    members: NDArray[np.int32]
    given_s: FloatArray


class StatisticalAccount:
    """What each survey has got, in expected numbers.

    Parameters
    ----------
    model : StatisticalModel
        What does not change.
    state : StatisticalState
        Changed in place; filled at the start if it is empty.
    remaining : ndarray of float64, shape (tiles, columns)
        Unfinished targets; columns of this account's surveys are kept up to date in place.
    columns : sequence of int
        Column of each survey.
    """

    def __init__(
        self,
        model: StatisticalModel,
        state: StatisticalState,
        remaining: FloatArray,
        columns: tuple[int, ...],
    ) -> None:
        self.model, self.state, self._remaining = model, state, remaining
        self._columns = np.array(columns, dtype=np.int64)
        self._groups: dict[tuple[int, bytes], IntArray] = {}
        if not state.numbers.size:
            self._start()

    def _start(self) -> None:
        model, state = self.model, self.state
        p, total = model.pieces, model.total
        rows = len(model.rows)
        state.numbers = np.zeros((len(p), rows, _levels.LEVELS), dtype=np.int32)
        state.numbers[:, :, 0] = total
        state.reached = np.zeros((len(p.piece), rows, 2))
        state.reached[:, :, 0] = total[p.piece] * p.within_reach[:, model.kind]
        state.sums = np.zeros((rows, 3), dtype=np.int64)
        state.effective_s = np.zeros(rows)
        self._remaining[:, self._columns] = model.in_tiles()

    @property
    def remaining(self) -> FloatArray:
        """Unfinished targets in each tile, float64[tiles, columns]; 0 where none is in reach.

        Counted when asked for: read it here, and again after each visit.
        """
        if self.state.changed:
            model, p = self.model, self.model.pieces
            _levels.count_left(
                self.state.numbers,
                self.state.reached,
                model.total,
                model.survey,
                self._columns,
                np.concatenate(self.state.changed),
                p.tile_start,
                p.piece,
                p.tile,
                p.piece_start,
                p.pair,
                self._remaining,
            )
            self.state.changed.clear()
        return self._remaining

    def configure(
        self,
        where: int | tuple[float, float],
        wants: NDArray[np.bool_],
        fibres: tuple[int, int],
        capacity: tuple[int, int],
    ) -> tuple[Claim, FloatArray, FloatArray]:
        """Say who gets a fibre.

        Parameters
        ----------
        where : int or tuple of float
            Tile, or right ascension and declination of a field of its own, ICRS [rad].
        wants : ndarray of bool, shape (surveys,)
            Surveys that want this sky.
        fibres, capacity : tuple of int
            Usable fibres of each kind, and the most that can go to targets.

        Returns
        -------
        Claim
            To be credited.
        wanted, assigned : ndarray of float64, shape (surveys,)
            Unfinished targets in the field, and those with a fibre.
        """
        model, state = self.model, self.state
        pieces, pairs, weight = self._field(where)
        covered = 1.0
        if isinstance(where, int):
            covered = float(model.covered[where, wants].max(initial=0.0))
        open_rows = wants[model.survey]
        wanted, begun, untouched, total = _levels.gather(
            state.numbers,
            state.reached,
            model.total,
            model.pieces.within_reach,
            model.kind,
            open_rows,
            pieces,
            pairs,
            weight,
            model.reach,
        )
        n = len(model.priority)
        near = [np.bincount(model.survey, x, n) / UNIT for x in (begun, untouched, total)]
        chance = np.zeros((len(model.rows), 2))
        assigned = np.zeros(n)
        for kind in (0, 1):
            key = kind, wants.tobytes()
            if key not in self._groups:
                self._groups[key] = model.groups(kind, wants)
            groups = self._groups[key]
            got = model.law.serve(
                groups,
                near[0],
                near[1],
                near[2],
                fibres[kind] * covered,
                float(capacity[kind]),
                kind,
            )
            for (survey, is_begun, _), number in zip(groups.tolist(), got.tolist(), strict=True):
                there = near[0 if is_begun else 1][survey]
                assigned[survey] += number
                if there > 0.0:
                    chance[model.survey == survey, is_begun] = min(1.0, number / there)
        claim = Claim(
            pieces,
            pairs,
            *_levels.claim(
                state.numbers,
                state.reached,
                model.kind,
                pieces,
                pairs,
                weight,
                model.reach,
                chance,
                model.pieces.piece_start,
                model.pieces.pair,
            ),
            np.zeros(len(model.rows)),
        )
        return claim, np.bincount(model.survey, wanted, n) / UNIT, assigned

    def _field(self, where: int | tuple[float, float]) -> tuple[IntArray, IntArray, FloatArray]:
        p = self.model.pieces
        if isinstance(where, int):
            pairs = np.arange(p.tile_start[where], p.tile_start[where + 1])
            return p.piece[pairs], pairs, np.ones(len(pairs))
        pieces, weight = p.field(*where)
        return pieces, np.full(len(pieces), -1, dtype=np.int64), weight

    def credit(self, claim: Claim, kind: int, effective_s: FloatArray) -> None:
        """Give those who have a fibre effective time; see :class:`Account`."""
        self._give(claim, kind, effective_s, 1)

    def undo(self, claim: Claim, kind: int, effective_s: FloatArray) -> None:
        """Take back what :meth:`credit` gave with the same arguments."""
        self._give(claim, kind, effective_s, -1)

    def _give(self, claim: Claim, kind: int, effective_s: FloatArray, sign: int) -> None:
        model, state = self.model, self.state
        mine = model.kind == kind
        given = np.rint(effective_s * _GIVEN)[model.survey] / _GIVEN
        table = np.empty((len(mine), 4))
        table[:, 0], table[:, 1], table[:, 2] = model.required_s, claim.given_s, sign * mine
        table[:, 3] = claim.given_s + table[:, 2] * given
        _levels.give(
            state.numbers,
            state.reached,
            state.sums,
            state.effective_s,
            table,
            claim.pieces,
            claim.pairs,
            claim.ratios,
            claim.members,
            model.pieces.piece_start,
            model.pieces.pair,
        )
        claim.given_s = table[:, 3].copy()
        self.state.changed.append(claim.pieces)

    def unfinished(self, tile: int) -> FloatArray:
        """Unfinished targets of a tile, in reach or not, float64[surveys]."""
        model, p = self.model, self.model.pieces
        mine = p.piece[p.tile_start[tile] : p.tile_start[tile + 1]]
        left = model.total[mine] - self.state.numbers[mine, :, _levels.DONE]
        return np.bincount(model.survey, left.sum(axis=0), len(model.priority)) / UNIT

    def totals(self, survey: int) -> Totals:
        """Where a survey stands."""
        mine = self.model.survey == survey
        completed, started, observed = (self.state.sums[mine].sum(axis=0) / UNIT).tolist()
        effective = float(self.state.effective_s[mine].sum())
        return Totals(observed, completed, started, effective)
