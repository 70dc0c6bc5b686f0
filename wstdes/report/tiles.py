"""Tiles on the sky, as a picture: passes and surveys, footprints, the Milky Way."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wstdes.report.palette import FAINT, INK, OTHERS
from wstdes.report.text import label
from wstdes.survey.footprint import Region, galactic_latitude
from wstdes.survey.tiling import Tiling, counts_within

__all__ = ["paint_tiles", "save_tiles"]

FloatArray = NDArray[np.float64]

_PIXELS = 400
_MOST_CIRCLES = 2_000


def save_tiles(
    path: Path, tiling: Tiling, footprints: Mapping[str, Region], field_radius_rad: float
) -> None:
    """Write the picture of a tiling to a file.

    Parameters
    ----------
    path : Path
        PNG, PDF or SVG, by its suffix.
    tiling : Tiling
        Its columns of ``inside`` are the surveys of `footprints`, in order.
    footprints : mapping of str to Region
        By survey.
    field_radius_rad : float
        Of the tiles [rad].
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    from wstdes.report.figure import STYLE

    rows = math.ceil(len(footprints) / 2)
    with mpl.rc_context({**STYLE, "figure.facecolor": "white"}):
        figure = Figure(figsize=(12.0, 3.4 * rows + 0.5), layout="constrained")
        paint_tiles(figure, tiling, footprints, field_radius_rad)
        figure.savefig(path, dpi=150)


def paint_tiles(
    figure: Any, tiling: Tiling, footprints: Mapping[str, Region], field_radius_rad: float
) -> None:
    """Draw a map for each survey, in the Mollweide projection (areas are true).

    Up to 2,000 tiles are drawn as circles, coloured by pass; of more, the number of tiles that
    each place is in.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        To draw in.
    tiling, footprints, field_radius_rad
        As for :func:`save_tiles`.
    """
    columns = min(2, len(footprints))
    rows = math.ceil(len(footprints) / columns)
    passes = np.unique(tiling.pass_)
    centre = _centre(tiling.ra_rad)
    for number, (name, footprint) in enumerate(footprints.items()):
        axes = figure.add_subplot(rows, columns, number + 1)
        _footprint(axes, footprint, centre)
        mine = tiling.take(tiling.inside[:, number])
        if len(mine) > _MOST_CIRCLES:
            image, ticks = _depth(axes, mine, field_radius_rad, centre)
            bar = figure.colorbar(image, ax=axes, shrink=0.6, pad=0.01, ticks=ticks)
            bar.set_label("tiles over a place")
        else:
            for place, one in enumerate(passes):
                here = mine.take(mine.pass_ == one)
                _circles(axes, here, field_radius_rad, centre, OTHERS[place % len(OTHERS)])
        _milky_way(axes, centre)
        _axes(axes, centre)
        looks = np.isfinite(mine.ifs_ra_rad) & (mine.ifs_field >= 0)
        what = f"{len(mine):,} tiles" + (f", {int(looks.sum()):,} fields" if looks.any() else "")
        axes.set_title(label(f"{name}: {what}"), pad=6, loc="left")
    few = (tiling.inside.sum(axis=0) <= _MOST_CIRCLES).any()
    handles, labels = _legend(passes if few else passes[:0])
    figure.legend(handles, labels, loc="outside lower center", ncols=min(8, len(labels)))


def _legend(passes: NDArray[np.int64]) -> tuple[list[Any], list[str]]:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Any] = [Patch(color="#DDE3E8"), Line2D([], [], color=INK, lw=1.2, ls="--")]
    labels = ["footprint", "Milky Way, b = 0"]
    for place, one in enumerate(passes[:12]):
        handles.append(Line2D([], [], color=OTHERS[place % len(OTHERS)], lw=2.0))
        labels.append(f"pass {one}")
    return handles, labels


def _centre(ra_rad: FloatArray) -> float:
    """Right ascension for the middle of the map, a multiple of 60 [deg]."""
    turn = np.angle(np.exp(1j * ra_rad).mean(), deg=True) if len(ra_rad) else 0.0
    return float(60.0 * np.round(turn / 60.0) % 360.0)


def _project(ra_rad: FloatArray, dec_rad: FloatArray, centre: float) -> tuple[Any, Any]:
    """Mollweide coordinates, x within 2 and y within 1, east to the left (Snyder 1987, p. 249)."""
    turn = np.mod(ra_rad - np.radians(centre) + np.pi, 2.0 * np.pi) - np.pi
    theta = np.interp(dec_rad, _LATITUDE, _THETA)
    return -2.0 / np.pi * turn * np.cos(theta), np.sin(theta)


_THETA = np.linspace(-0.5 * np.pi, 0.5 * np.pi, 4001)
_LATITUDE = np.arcsin(np.clip((2.0 * _THETA + np.sin(2.0 * _THETA)) / np.pi, -1.0, 1.0))


def _grid(centre: float) -> tuple[FloatArray, FloatArray, NDArray[np.bool_]]:
    """Positions of the pixels of a map, and which of them are on the sky."""
    x, y = np.meshgrid(np.linspace(-2.0, 2.0, 2 * _PIXELS + 1), np.linspace(-1.0, 1.0, _PIXELS + 1))
    width = np.sqrt(np.maximum(1.0 - y**2, 1e-12))
    dec = np.interp(np.arcsin(y), _THETA, _LATITUDE)
    ra = np.mod(np.radians(centre) - 0.5 * np.pi * x / width, 2.0 * np.pi)
    return ra, dec, np.abs(x) <= 2.0 * width


def _footprint(axes: Any, footprint: Region, centre: float) -> None:
    ra, dec, sky = _grid(centre)
    image = np.ones((*ra.shape, 4))
    image[sky & footprint.contains(ra, dec)] = (0.867, 0.89, 0.91, 1.0)
    axes.imshow(image, extent=(-2.0, 2.0, -1.0, 1.0), origin="lower", zorder=0)


def _depth(axes: Any, tiles: Tiling, radius: float, centre: float) -> tuple[Any, Any]:
    """Colour each place by the number of tiles that it is in."""
    from matplotlib.colors import BoundaryNorm

    ra, dec, sky = _grid(centre)
    points = np.stack([ra[sky], dec[sky]], axis=-1)
    depth = np.zeros(ra.shape)
    depth[sky] = counts_within(tiles.ra_rad, tiles.dec_rad, points, radius)
    most = max(2, int(np.quantile(depth[depth > 0], 0.995)))
    edges = np.unique(np.round(np.linspace(1, most + 1, min(most, 8) + 1))) - 0.5
    image = axes.imshow(
        np.ma.masked_where(depth < 1, depth),
        extent=(-2.0, 2.0, -1.0, 1.0),
        origin="lower",
        cmap="viridis_r",
        norm=BoundaryNorm(edges, 256, extend="max"),
        interpolation="nearest",
    )
    return image, 0.5 * (edges[1:] + edges[:-1])


def _circles(axes: Any, tiles: Tiling, radius: float, centre: float, colour: str) -> None:
    """Fields as circles."""
    from matplotlib.collections import LineCollection

    angle = np.linspace(0.0, 2.0 * np.pi, 25)
    sine, cosine = np.sin(tiles.dec_rad)[:, None], np.cos(tiles.dec_rad)[:, None]
    dec = np.arcsin(
        np.clip(sine * np.cos(radius) + cosine * np.sin(radius) * np.cos(angle), -1.0, 1.0)
    )
    ra = tiles.ra_rad[:, None] + np.arctan2(
        np.sin(angle) * np.sin(radius) * cosine, np.cos(radius) - sine * np.sin(dec)
    )
    x, y = _project(ra, dec, centre)
    whole = np.ptp(x, axis=1) < 1.0  # not cut by the edge of the map
    lines = list(np.stack([x, y], axis=-1)[whole])
    axes.add_collection(LineCollection(lines, colors=colour, linewidths=0.5, rasterized=True))


def _milky_way(axes: Any, centre: float) -> None:
    ra, dec, sky = _grid(centre)
    latitude = np.ma.masked_where(~sky, galactic_latitude(ra, dec))
    axes.contour(
        latitude, levels=[0.0], colors=INK, linewidths=1.2, linestyles="--",
        extent=(-2.0, 2.0, -1.0, 1.0),
    )  # fmt: skip


def _axes(axes: Any, centre: float) -> None:
    """Meridians and parallels every 30 deg, and the edge of the sky."""
    line = np.linspace(-0.5 * np.pi, 0.5 * np.pi, 91)
    for turn in range(-180, 181, 30):
        theta = np.interp(line, _LATITUDE, _THETA)
        edge = abs(turn) == 180
        axes.plot(
            2.0 * turn / 180.0 * np.cos(theta), np.sin(theta), color=FAINT,
            lw=0.9 if edge else 0.3, zorder=3,
        )  # fmt: skip
        if turn % 60 == 0 and not edge:
            axes.text(
                2.0 * turn / 180.0, 0.01, f"{(centre - turn) % 360:.0f}°", color=INK, fontsize=7,
                ha="center", va="bottom", zorder=4,
            )  # fmt: skip
    for dec in (-60, -30, 0, 30, 60):
        height = float(np.interp(np.radians(dec), _LATITUDE, _THETA))
        width = 2.0 * math.cos(height)
        axes.plot([-width, width], [math.sin(height)] * 2, color=FAINT, lw=0.3, zorder=3)
        axes.text(
            -width - 0.03, math.sin(height), f"{dec:+d}°".replace("-", "−"), color=FAINT,
            fontsize=7, ha="right", va="center",
        )  # fmt: skip
    axes.set_xlim(-2.2, 2.02)
    axes.set_ylim(-1.02, 1.02)
    axes.set_aspect("equal")
    axes.axis("off")
