"""Surveys to try schedulers on: one like WST's, and DESI's own tiles.

Used by schedulers.py. A tile serves one survey and wants a number of visits.
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wstdes.clock import Clock
from wstdes.models.sky import Background, Horizon
from wstdes.policies.views import SurveyView
from wstdes.survey.footprint import Footprint, galactic_latitude
from wstdes.survey.tiling import cover

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Case:
    """A survey to be done: a tile serves one survey, in as many visits as it has targets.

    Parameters
    ----------
    horizon, background : Horizon, Background
        The site.
    start : datetime.date
        First evening.
    nights : int
        At most.
    ra_rad, dec_rad : ndarray of float64, shape (tiles,)
        Centres, ICRS [rad].
    surveys : tuple of SurveyView
        Their effective time is that of one visit.
    visits : ndarray of float64, shape (tiles, surveys)
        Wanted.
    open_fraction : tuple of float
        Of the time the dome is open, by month.
    altitude_rad : tuple of float
        Limits.
    overhead_s, longest_s : float
        Of a visit besides slew, and its longest open-shutter time [s].
    seeing_sigma : float
        Of its logarithm.
    design_ha_rad : ndarray of float64, optional
        Where the tiles' authors give it [rad].
    """

    horizon: Horizon
    background: Background
    start: dt.date
    nights: int
    ra_rad: Array
    dec_rad: Array
    surveys: tuple[SurveyView, ...]
    visits: Array
    open_fraction: tuple[float, ...]
    altitude_rad: tuple[float, float]
    overhead_s: float
    longest_s: float
    seeing_sigma: float
    design_ha_rad: Array | None = None

    @property
    def clock(self) -> Clock:
        """Calendar."""
        return Clock(self.start, self.horizon.longitude_rad)

    @property
    def sun_rad(self) -> float:
        """Sun's altitude below which anyone observes [rad]."""
        return max(s.sun_altitude_max_rad for s in self.surveys)

    def signal(self, x: Array, seeing: float) -> Array:
        """Light in a fibre over that in reference conditions, by airmass and relative seeing."""
        blur = 1.0 / (1.0 + 0.8 * (np.maximum(seeing * x**0.6, 0.1) ** 2 - 1.0) / 2.0)
        return np.asarray(10 ** (-0.4 * self.background.extinction_mag * (x - 1.0)) * blur)


def wst(size: float = 1.0) -> Case:
    """Dark galaxies away from the Galactic plane, bright stars in it, at Paranal.

    Parameters
    ----------
    size : float
        Share of the full number of tiles; visits are longer accordingly.
    """
    sun = math.radians(-15.0)
    footprint = Footprint(math.radians(-78.0), math.radians(15.0))
    tiling = cover([footprint], math.radians(1) ** 2 * 2.6 / size, -1.6, 1.6)
    latitude = np.abs(galactic_latitude(tiling.ra_rad, tiling.dec_rad))
    dark = latitude > math.radians(20.0)
    deep = dark & (np.abs(tiling.dec_rad + 0.5) < 0.35)
    surveys = (
        SurveyView("dark", "lr", 3.0, 1.0, 600.0 / size, "sky", 0.0, 2.5, sun),
        SurveyView("bright", "lr", 1.0, 0.5, 420.0 / size, "source", 0.0, 1e3, sun),
    )
    visits = np.stack([np.where(dark, 2.0 + 2.0 * deep, 0.0), np.where(dark, 0.0, 2.0)], axis=1)
    keep = visits.any(axis=1)
    return Case(
        Horizon(math.radians(-24.589), math.radians(-70.192), 3046.0),
        Background(0.09, 21.6),
        dt.date(2041, 3, 1),
        6 * 365,
        tiling.ra_rad[keep],
        tiling.dec_rad[keep],
        surveys,
        visits[keep],
        (0.93, 0.90, 0.92, 0.91, 0.86, 0.80, 0.82, 0.84, 0.88, 0.92, 0.94, 0.94),
        (math.radians(30.0), math.radians(87.0)),
        240.0 / size,
        3600.0 / size,
        0.33,
    )


def desi(path: Path, size: float = 1.0) -> Case:
    """DESI's own tiles at Kitt Peak: dark, grey and bright (tile-info.fits of desisurvey)."""
    from astropy.io import fits

    with fits.open(path) as file:
        table = file[1].data
        rows = slice(None, None, max(1, round(1.0 / size)))
        kind = np.char.strip(np.asarray(table["PROGRAM"][rows]).astype(str))
        ra, dec, design = (
            np.radians(np.asarray(table[name][rows], dtype=np.float64))
            for name in ("RA", "DEC", "HA")
        )
    stretch = 1.0 / size
    sun = math.radians(-15.0)
    surveys = (
        SurveyView("dark", "lr", 3.0, 1.0, 1000.0 * stretch, "sky", 0.0, 2.0, sun),
        SurveyView("grey", "lr", 2.0, 1.0, 1000.0 * stretch, "sky", 0.0, 3.0, sun),
        SurveyView("bright", "lr", 1.0, 0.3, 180.0 * stretch, "sky", 0.0, 1e3, math.radians(-13)),
    )
    visits = np.stack([kind == name for name in ("DARK", "GRAY", "BRIGHT")], axis=1)
    # Share of time with the dome closed at Kitt Peak, by month: shape assumed, July and August
    # are the monsoon; the mean is DESI's 31.8 %.
    closed = (0.35, 0.33, 0.29, 0.22, 0.19, 0.17, 0.49, 0.49, 0.31, 0.24, 0.30, 0.43)
    return Case(
        Horizon(math.radians(31.9634), math.radians(-111.6), 2120.0),
        Background(0.10, 21.6),
        dt.date(2021, 5, 14),
        7 * 365,
        ra,
        dec,
        surveys,
        visits.astype(np.float64),
        tuple(1.0 - c for c in closed),
        (math.radians(30.0), math.radians(87.0)),
        120.0 * stretch,
        3600.0 * stretch,
        0.30,
        design,
    )
