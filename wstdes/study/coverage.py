"""What is left of each survey in each tile: distinct targets, and how evenly they are done."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow.compute as pc

from wstdes.models.sky import unit_vectors
from wstdes.study.columns import Floats, Ints, floats, ints
from wstdes.study.run import Run

__all__ = ["Coverage", "Tiles", "Uniformity", "coverage", "distinct", "tiles", "uniformity"]

PATCH_NSIDE = 6
"""HEALPix cells of 95 deg2: the patches of large-scale uniformity."""
NEIGHBOURS = 6
_POINTS = 8
_R2 = (0.7548776662466927, 0.5698402909980532)
"""Steps of an even sequence in two dimensions: 1/p and 1/p^2 with p^3 = p + 1."""


@dataclass(frozen=True, eq=False)
class Tiles:
    """Where the tiles are: `ra_rad`, `dec_rad`, shape (tiles,), and how far fibres reach [rad]."""

    ra_rad: Floats
    dec_rad: Floats
    radius_rad: float

    @property
    def vectors(self) -> Floats:
        """Directions, shape (tiles, 3)."""
        return unit_vectors(self.ra_rad, self.dec_rad)


@dataclass(frozen=True, eq=False)
class Coverage:
    """Where a survey stood in its tiles when that was last written.

    Parameters
    ----------
    night : int
        When.
    tile : ndarray of int64, shape (n,)
        Numbers of its tiles.
    remaining, total : ndarray of float64, shape (n,)
        Targets (shares of a field) not finished, and expected at the start.
    """

    night: int
    tile: Ints
    remaining: Floats
    total: Floats

    @property
    def share(self) -> Floats:
        """Completeness of each tile, 0 to 1; nan where nothing was expected."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.clip(1.0 - self.remaining / self.total, 0.0, 1.0)


@dataclass(frozen=True, eq=False)
class Uniformity:
    """How evenly a survey is done.

    Parameters
    ----------
    small : float
        Root mean square of a tile's completeness less that of its six nearest neighbours.
    large : float
        Standard deviation of the completeness of patches of 95 deg2, each by its targets.
    gini : float
        Gini coefficient of the same: 0 if all patches are equally complete.
    worst : float
        Completeness of the least complete patch, of those with a quarter of the median's targets.
    patches : int
        How many there are.
    """

    small: float
    large: float
    gini: float
    worst: float
    patches: int


def tiles(run: Run) -> Tiles:
    """Where the tiles are; none if the run does not say."""
    radius = 0.5 * run.scenario.telescope.field_diameter_rad
    if "tiles" not in run.tables:
        return Tiles(np.zeros(0), np.zeros(0), radius)
    table = run.table("tiles").sort_by("tile")
    if "radius_deg" in table.column_names:
        radius = np.nanmax(np.radians(floats(table, "radius_deg")), initial=0.0) or radius
    ra, dec = (np.radians(floats(table, n)) for n in ("ra_deg", "dec_deg"))
    return Tiles(ra, dec, float(radius))


def coverage(run: Run) -> dict[str, Coverage]:
    """Where each survey stood in its tiles when that was last written, by survey."""
    table = run.last_coverage
    if table is None:
        return {}
    night, found = int(table.column("night")[0].as_py()), {}
    for name in run.scenario.surveys:
        mine = table.filter(pc.equal(table.column("survey"), name))
        if mine.num_rows:
            found[name] = Coverage(
                night, ints(mine, "tile"), floats(mine, "remaining"), floats(mine, "total")
            )
    return found


def distinct(run: Run, where: Tiles, of: dict[str, Coverage]) -> dict[str, float]:
    """Distinct targets of each survey: what lies in m of its fields counts an m-th in each."""
    from scipy.sparse import csr_array
    from scipy.spatial import KDTree

    vectors, radius = where.vectors, where.radius_rad
    count = len(vectors)
    pairs = KDTree(vectors).query_pairs(2.0 * np.sin(radius), output_type="ndarray")
    here, there = np.concatenate([pairs, pairs[:, ::-1]]).T
    inside = (_points(where, radius)[here] @ vectors[there][:, :, None])[..., 0] >= np.cos(radius)
    found = {}
    for name, c in of.items():
        if run.scenario.surveys[name].mode == "ifs":
            found[name] = float(c.total.sum())
            continue
        mine = np.zeros(count)
        mine[c.tile] = 1.0
        pair = csr_array((mine[there], (here, np.arange(len(here)))), shape=(count, len(here)))
        fields = 1.0 + pair @ inside
        found[name] = float((c.total * (1.0 / fields[c.tile]).mean(axis=1)).sum())
    return found


def _points(where: Tiles, radius_rad: float) -> Floats:
    """Points that fill each field evenly, others in each field, shape (tiles, points, 3)."""
    tile = np.arange(len(where.ra_rad))[:, None]
    number = np.arange(_POINTS) + np.mod(_R2[0] * tile, 1.0)
    away = radius_rad * np.sqrt(number / _POINTS)
    turn = np.pi * (3.0 - np.sqrt(5.0)) * np.arange(_POINTS) + 2.0 * np.pi * _R2[1] * tile
    east = np.stack([-np.sin(where.ra_rad), np.cos(where.ra_rad), 0.0 * where.ra_rad], axis=1)
    north = np.cross(where.vectors, east)
    aside = np.stack([np.cos(turn), np.sin(turn)], axis=2) * np.sin(away)[:, :, None]
    offset = aside @ np.stack([east, north], axis=1)
    return np.asarray(where.vectors[:, None] * np.cos(away)[:, :, None] + offset)


def _gini(values: Floats, weights: Floats) -> float:
    """Half the mean difference of two of them, over the mean; each counts by its weight."""
    mean = float(np.average(values, weights=weights))
    if not mean:
        return 0.0
    apart = np.abs(values[:, None] - values[None, :]) * weights[:, None] * weights[None, :]
    return float(apart.sum() / (2.0 * mean * weights.sum() ** 2))


def uniformity(run: Run) -> dict[str, Uniformity]:
    """How evenly each survey was done when that was last written, by survey."""
    from astropy_healpix.core import xyz_to_healpix
    from scipy.spatial import KDTree

    where = tiles(run)
    found = {}
    for name, c in coverage(run).items():
        there = c.total > 0.0
        if not there.any():
            continue
        tile, share, total = c.tile[there], c.share[there], c.total[there]
        small = 0.0
        if len(tile) > NEIGHBOURS:
            vectors = where.vectors[tile]
            near = np.asarray(KDTree(vectors).query(vectors, k=NEIGHBOURS + 1)[1])[:, 1:]
            small = float(np.sqrt(np.mean((share - share[near].mean(axis=1)) ** 2)))
        cell = xyz_to_healpix(*where.vectors[tile].T, PATCH_NSIDE, order="ring")
        patch = np.unique(cell, return_inverse=True)[1]
        whole = np.bincount(patch, total).astype(np.float64)
        part = np.bincount(patch, share * total) / whole
        mean = float(np.average(part, weights=whole))
        large = float(np.sqrt(np.average((part - mean) ** 2, weights=whole)))
        enough = whole >= 0.25 * np.median(whole)
        worst = float(part[enough].min())
        found[name] = Uniformity(small, large, _gini(part, whole), worst, len(part))
    return found
