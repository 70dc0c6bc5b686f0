"""Tiles: pointings that cover the sky of the surveys."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wstdes.survey.footprint import Footprint

__all__ = ["Tiling", "cover"]


@dataclass(frozen=True, eq=False)
class Tiling:
    """Pointings.

    Parameters
    ----------
    ra_rad, dec_rad : ndarray of float64, shape (tiles,)
        Centres, ICRS [rad].
    inside : ndarray of bool, shape (tiles, surveys)
        Whether a centre lies in a survey's footprint.
    """

    ra_rad: NDArray[np.float64]
    dec_rad: NDArray[np.float64]
    inside: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.ra_rad)


def cover(
    footprints: list[Footprint], tile_area_sr: float, dec_min_rad: float, dec_max_rad: float
) -> Tiling:
    """Cover footprints with evenly spread tiles.

    Parameters
    ----------
    footprints : list of Footprint
        Of the surveys.
    tile_area_sr : float
        Sky a tile [sr]; smaller than the field, so that tiles overlap.
    dec_min_rad, dec_max_rad : float
        Declinations that the telescope reaches [rad].

    Returns
    -------
    Tiling
        The points of a Fibonacci lattice (Gonzalez 2010, Math. Geosci. 42, 49) that lie in any
        footprint.
    """
    n = max(1, round(4.0 * math.pi / tile_area_sr))
    i = np.arange(n)
    sine = 1.0 - (2.0 * i + 1.0) / n
    dec = np.arcsin(sine)
    golden = (math.sqrt(5.0) - 1.0) / 2.0
    ra = np.mod(2.0 * math.pi * golden * i, 2.0 * math.pi)
    inside = np.stack([f.contains(ra, dec) for f in footprints], axis=1)
    keep = inside.any(axis=1) & (dec >= dec_min_rad) & (dec <= dec_max_rad)
    return Tiling(ra[keep], dec[keep], inside[keep])
