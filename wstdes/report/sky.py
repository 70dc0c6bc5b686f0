"""The whole sky as a map: Mollweide's projection (areas are true), right ascension to the left."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wstdes.report.palette import FAINT, INK
from wstdes.survey.footprint import galactic_latitude

__all__ = ["EXTENT", "Sky", "edges", "limits", "lines", "project"]

Floats = NDArray[np.float64]

EXTENT = (-2.0, 2.0, -1.0, 1.0)
"""Of a map's coordinates: x within 2, y within 1."""
OBLIQUITY_RAD = math.radians(23.4393)
"""Of the ecliptic, J2000 (IAU 1976)."""
_THETA = np.linspace(-0.5 * np.pi, 0.5 * np.pi, 4001)
_LATITUDE = np.arcsin(np.clip((2.0 * _THETA + np.sin(2.0 * _THETA)) / np.pi, -1.0, 1.0))


def project(ra_rad: Floats, dec_rad: Floats, centre: float) -> tuple[Floats, Floats]:
    """Mollweide coordinates, x within 2 and y within 1, east to the left (Snyder 1987, p. 249).

    Parameters
    ----------
    ra_rad, dec_rad : ndarray of float64
        Positions [rad].
    centre : float
        Right ascension in the middle [deg].
    """
    turn = np.mod(ra_rad - np.radians(centre) + np.pi, 2.0 * np.pi) - np.pi
    theta = np.interp(dec_rad, _LATITUDE, _THETA)
    return np.asarray(-2.0 / np.pi * turn * np.cos(theta)), np.asarray(np.sin(theta))


class Sky:
    """The pixels of a map.

    Parameters
    ----------
    ra_rad : ndarray of float64
        What is to be in the middle, in the mean [rad].
    height : int
        Pixels from south to north; twice as many from east to west.
    """

    def __init__(self, ra_rad: Floats, height: int = 300) -> None:
        turn = np.angle(np.exp(1j * ra_rad).mean(), deg=True) if len(ra_rad) else 0.0
        self.centre = float(60.0 * np.round(turn / 60.0) % 360.0)
        x, y = np.meshgrid(
            np.linspace(-2.0, 2.0, 2 * height + 1), np.linspace(-1.0, 1.0, height + 1)
        )
        width = np.sqrt(np.maximum(1.0 - y**2, 1e-12))
        self.dec_rad = np.interp(np.arcsin(y), _THETA, _LATITUDE)
        self.ra_rad = np.mod(np.radians(self.centre) - 0.5 * np.pi * x / width, 2.0 * np.pi)
        self.inside: NDArray[np.bool_] = np.abs(x) <= 2.0 * width

    def nearest(self, vectors: Floats, radius_rad: float) -> NDArray[np.int64]:
        """Number of the field that each pixel is nearest to; -1 where none is within a radius."""
        from scipy.spatial import KDTree

        from wstdes.models.sky import unit_vectors

        found = np.full(self.ra_rad.shape, -1, dtype=np.int64)
        if len(vectors):
            points = unit_vectors(self.ra_rad[self.inside], self.dec_rad[self.inside])
            chord = 2.0 * np.sin(0.5 * radius_rad)
            away, place = KDTree(vectors).query(points, distance_upper_bound=chord)
            found[self.inside] = np.where(np.isfinite(away), place, -1)
        return found


def lines(axes: Any, sky: Sky) -> list[Any]:
    """The plane of the Milky Way and the ecliptic; returns their handles for a legend."""
    from matplotlib.lines import Line2D
    from matplotlib.patheffects import withStroke

    halo = [withStroke(linewidth=2.6, foreground="white", alpha=0.75)]
    latitude = np.ma.masked_where(~sky.inside, galactic_latitude(sky.ra_rad, sky.dec_rad))
    plane = axes.contour(
        latitude, levels=[0.0], colors=INK, linewidths=1.1, linestyles="--", extent=EXTENT
    )
    plane.set(path_effects=halo)
    turn = np.linspace(0.0, 2.0 * np.pi, 361)
    dec = np.arcsin(np.sin(OBLIQUITY_RAD) * np.sin(turn))
    ra = np.arctan2(np.cos(OBLIQUITY_RAD) * np.sin(turn), np.cos(turn))
    x, y = project(ra, dec, sky.centre)
    cut = np.flatnonzero(np.abs(np.diff(x)) > 1.0)
    x[cut] = np.nan
    axes.plot(x, y, color=INK, lw=1.1, ls=":", path_effects=halo)
    return [
        Line2D([], [], color=INK, lw=1.1, ls="--", label="plane of the Milky Way"),
        Line2D([], [], color=INK, lw=0.9, ls=":", label="ecliptic"),
    ]


def limits(axes: Any, low_rad: float, high_rad: float, colour: str) -> Any:
    """The declinations that the telescope reaches; returns a handle for a legend."""
    from matplotlib.lines import Line2D

    for dec in (low_rad, high_rad):
        if abs(dec) < 0.5 * np.pi:
            height = float(np.interp(dec, _LATITUDE, _THETA))
            width = 2.0 * math.cos(height)
            axes.plot([-width, width], [math.sin(height)] * 2, color=colour, lw=1.0, ls="-.")
    return Line2D([], [], color=colour, lw=1.0, ls="-.", label="limits of the telescope")


def edges(axes: Any, centre: float) -> None:
    """Meridians and parallels every 30 deg, and the edge of the sky."""
    from matplotlib.patheffects import withStroke

    halo = [withStroke(linewidth=2.2, foreground="white", alpha=0.85)]
    line = np.linspace(-0.5 * np.pi, 0.5 * np.pi, 91)
    theta = np.interp(line, _LATITUDE, _THETA)
    for turn in range(-180, 181, 30):
        edge = abs(turn) == 180
        axes.plot(
            2.0 * turn / 180.0 * np.cos(theta), np.sin(theta), color=FAINT,
            lw=0.9 if edge else 0.3, zorder=3,
        )  # fmt: skip
        if turn % 60 == 0 and not edge:
            axes.text(
                2.0 * turn / 180.0, 0.01, f"{(centre - turn) % 360:.0f}°", color=INK, fontsize=7,
                ha="center", va="bottom", zorder=4, path_effects=halo,
            )  # fmt: skip
    for dec in (-60, -30, 0, 30, 60):
        height = float(np.interp(np.radians(dec), _LATITUDE, _THETA))
        width = 2.0 * math.cos(height)
        axes.plot([-width, width], [math.sin(height)] * 2, color=FAINT, lw=0.3, zorder=3)
        axes.text(
            -width - 0.03, math.sin(height), _signed(dec), color=FAINT,
            fontsize=7, ha="right", va="center",
        )  # fmt: skip
    axes.set_xlim(-2.2, 2.02)
    axes.set_ylim(-1.02, 1.02)
    axes.set_aspect("equal")
    axes.axis("off")


def _signed(degrees: int) -> str:
    return f"{degrees:+d}°".replace("-", "−") if degrees else "0°"
