"""Tiles for a catalogue of integral fields: each field gets a tile that has it in its patrol."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from wstdes.survey.cells import unit_vectors
from wstdes.survey.ifs import IfsOptics, offset
from wstdes.survey.tiles import Positions
from wstdes.survey.tiling import Tiling

__all__ = ["Led", "lead"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_MOVE_SHARE = 0.25
"""A tile moves by no more than this share of its field's radius."""
_TRIED = 3
_RINGS = 2


@dataclass(frozen=True, eq=False)
class Led:
    """What became of a catalogue of fields.

    Parameters
    ----------
    tiling : Tiling
        With ``ifs_field`` and where the field looks, and ``inside`` of this survey only there.
    in_place, moved, added, missed : int
        Fields in the patrol circle of a tile as it was, of a tile that moved, of a tile that was
        added for them, and without any.
    """

    tiling: Tiling
    in_place: int
    moved: int
    added: int
    missed: int


def lead(
    tiling: Tiling,
    survey: int,
    table: Positions,
    optics: IfsOptics,
    pointing: Literal["tiles", "fields", "joint"],
    *,
    field_radius_rad: float,
    points: FloatArray,
    appeal: Callable[[FloatArray, FloatArray], FloatArray],
    reachable: NDArray[np.bool_],
) -> Led:
    """Give each field of a catalogue a tile.

    Fields come by priority, then in the order of the file. A field takes the nearest free tile
    that has it in its patrol circle. If there is none, and tiles need not stay, one of the three
    nearest is moved, if all of `points` that its fibres covered stay covered; else a tile is
    added. With `joint`, tiles that are moved or added go where `appeal` is greatest within the
    patrol circle, otherwise as near as possible to where they were, or on the field.

    Parameters
    ----------
    tiling : Tiling
        Tiles without this survey; those with an ``ifs_field`` are taken.
    survey : int
        Its column of ``inside``.
    table : Positions
        The fields.
    optics : IfsOptics
        The patrol circle.
    pointing : {"tiles", "fields", "joint"}
        Who chooses where the telescope points.
    field_radius_rad : float
        Of the fibres' field [rad].
    points : float64[n, 2]
        Positions that the fibres have to cover.
    appeal : callable
        What fibres would find around centres (ra, dec) [rad].
    reachable : bool[fields]
        Whether the telescope gets there.
    """
    work = _Work(tiling, survey, table, optics, field_radius_rad, points)
    nearby = _candidates(table, optics.reach_rad)
    value = appeal(nearby[..., 0].ravel(), nearby[..., 1].ravel()).reshape(nearby.shape[:2])
    order = np.lexsort((np.arange(len(table)), -np.nan_to_num(table.number("priority"))))
    counts = dict.fromkeys(("in_place", "moved", "added", "missed"), 0)
    for row in order.tolist():
        if not reachable[row]:
            counts["missed"] += 1
        elif work.take(row):
            counts["in_place"] += 1
        elif pointing == "tiles":
            counts["missed"] += 1
        else:
            best = np.argsort(-value[row], kind="stable") if pointing == "joint" else None
            choice = nearby[row] if best is None else nearby[row][best]
            if work.move(row, choice if best is not None else None):
                counts["moved"] += 1
            else:
                work.add(row, (float(choice[0, 0]), float(choice[0, 1])))
                counts["added"] += 1
    return Led(work.result(), **counts)


def _candidates(table: Positions, reach_rad: float) -> FloatArray:
    """Centres from which each field is in the patrol circle, the field itself first [n, k, 2]."""
    shifts = [(0.0, 0.0)]
    for ring in range(1, _RINGS + 1):
        for i in range(6 * ring):
            angle, radius = 2.0 * math.pi * i / (6 * ring), 0.999 * reach_rad * ring / _RINGS
            shifts.append((radius * math.cos(angle), radius * math.sin(angle)))
    x, y = np.array(shifts).T
    places = offset(table.ra_rad[:, None], table.dec_rad[:, None], x, y)
    return np.stack(places, axis=-1)


class _Work:
    """Tiles while fields are given to them."""

    def __init__(
        self,
        tiling: Tiling,
        survey: int,
        table: Positions,
        optics: IfsOptics,
        field_radius_rad: float,
        points: FloatArray,
    ) -> None:
        from scipy.spatial import cKDTree

        self.tiling, self.table, self.survey = tiling, table, survey
        self.reach = optics.reach_rad
        self.radius = field_radius_rad
        self.vectors = unit_vectors(tiling.ra_rad, tiling.dec_rad)
        self.fields = unit_vectors(table.ra_rad, table.dec_rad)
        self.field_of = tiling.ifs_field.copy()
        self.free = tiling.ifs_field < 0
        self.mine: dict[int, int] = {}
        self.added: list[tuple[int, float, float]] = []
        self.tree: Any = cKDTree(self.vectors) if len(tiling) else None
        self.points: Any = (
            cKDTree(unit_vectors(points[:, 0], points[:, 1])) if len(points) else None
        )
        self.covered = np.zeros(len(points), dtype=np.int64)
        if self.points is not None and self.tree is not None:
            for near in self.points.query_ball_point(self.vectors, _chord(field_radius_rad)):
                self.covered[near] += 1

    def _near(self, row: int, radius_rad: float) -> IntArray:
        """Free tiles within a radius of a field, the nearest first."""
        if self.tree is None:
            return np.zeros(0, dtype=np.int64)
        # Tiles that moved are taken: the tree of where they were serves for all that are free.
        found = self.tree.query_ball_point(self.fields[row], _chord(radius_rad), return_sorted=True)
        near = np.asarray(found, dtype=np.int64)
        near = near[self.free[near]]
        distance = np.linalg.norm(self.vectors[near] - self.fields[row], axis=1)
        return near[np.argsort(distance, kind="stable")]

    def _assign(self, tile: int, row: int) -> None:
        self.free[tile] = False
        self.field_of[tile] = row
        self.mine[tile] = row

    def take(self, row: int) -> bool:
        """Serve a field from a tile that has it in its patrol circle."""
        near = self._near(row, self.reach)
        if len(near):
            self._assign(int(near[0]), row)
        return bool(len(near))

    def move(self, row: int, choice: FloatArray | None) -> bool:
        """Serve a field from a tile nearby that can move without leaving a gap."""
        limit = _MOVE_SHARE * self.radius
        for tile in self._near(row, self.reach + limit)[:_TRIED].tolist():
            old = self.vectors[tile]
            if choice is None:
                targets = self._towards(old, self.fields[row])[None]
            else:
                targets = unit_vectors(choice[:, 0], choice[:, 1])
            for new in targets[np.linalg.norm(targets - old, axis=1) <= _chord(limit)]:
                if self._keeps_cover(old, new):
                    self.vectors[tile] = new
                    self._assign(tile, row)
                    return True
        return False

    def _towards(self, old: FloatArray, field: FloatArray) -> FloatArray:
        """The place nearest to the old one that has the field within reach."""
        angle = math.acos(min(1.0, float(old @ field)))
        share = 1.0 - 0.999 * self.reach / angle
        weights = np.sin([(1.0 - share) * angle, share * angle]) / math.sin(angle)
        return np.asarray(weights[0] * old + weights[1] * field)

    def _keeps_cover(self, old: FloatArray, new: FloatArray) -> bool:
        if self.points is None:
            return True
        chord = _chord(self.radius)
        before, after = (set(self.points.query_ball_point(v, chord)) for v in (old, new))
        lost, won = sorted(before - after), sorted(after - before)
        if lost and self.covered[lost].min() <= 1:
            return False
        self.covered[lost] -= 1
        self.covered[won] += 1
        return True

    def add(self, row: int, centre: tuple[float, float]) -> None:
        """Serve a field from a tile of its own."""
        self.added.append((row, *centre))

    def result(self) -> Tiling:
        """The tiles, those that were added last."""
        x, y, z = self.vectors.T
        moved = np.flatnonzero((self.vectors != unit_vectors(*self._old())).any(axis=1))
        ra, dec = (a.copy() for a in self._old())
        ra[moved] = np.mod(np.arctan2(y, x), 2.0 * math.pi)[moved]
        dec[moved] = np.arctan2(z, np.hypot(x, y))[moved]
        old = self.tiling
        inside = old.inside.copy()
        inside[:, self.survey] = False
        looks = [a.copy() for a in (old.ifs_ra_rad, old.ifs_dec_rad, old.ifs_required_s)]
        tiles, rows = np.array(list(self.mine)), np.array(list(self.mine.values()))
        required = self.table.number("required")
        if len(tiles):
            inside[tiles, self.survey] = True
            for column, values in zip(
                looks, (self.table.ra_rad, self.table.dec_rad, required), strict=True
            ):
                column[tiles] = values[rows]
        kept = replace(
            old,
            ra_rad=ra,
            dec_rad=dec,
            inside=inside,
            ifs_field=self.field_of,
            ifs_ra_rad=looks[0],
            ifs_dec_rad=looks[1],
            ifs_required_s=looks[2],
        )
        return Tiling.concatenate([kept, self._new(inside)]) if self.added else kept

    def _old(self) -> tuple[FloatArray, FloatArray]:
        return self.tiling.ra_rad, self.tiling.dec_rad

    def _new(self, inside: NDArray[np.bool_]) -> Tiling:
        """The tiles that were added; they serve what the tile next to them serves."""
        rows = np.array([row for row, _, _ in self.added])
        ra = np.array([ra for _, ra, _ in self.added])
        dec = np.array([dec for _, _, dec in self.added])
        serves = np.zeros((len(rows), inside.shape[1]), dtype=np.bool_)
        if self.tree is not None:
            chord, nearest = self.tree.query(unit_vectors(ra, dec))
            close = chord <= _chord(self.radius)
            serves[close] = inside[nearest[close]]
        serves[:, self.survey] = True
        labels = np.char.add("ifs-", self.table.ids[rows])
        last = int(self.tiling.pass_.max(initial=-1)) + 1
        return Tiling(
            ra,
            dec,
            serves,
            np.full(len(rows), last, dtype=np.int64),
            labels,
            ifs_ra_rad=self.table.ra_rad[rows],
            ifs_dec_rad=self.table.dec_rad[rows],
            ifs_field=rows.astype(np.int64),
            ifs_required_s=self.table.number("required")[rows],
        )


def _chord(angle_rad: float) -> float:
    return 2.0 * math.sin(0.5 * angle_rad)
