"""Tiles on the sky, as a picture: passes and surveys, footprints, the Milky Way."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wstdes.report.palette import INK, OTHERS
from wstdes.report.sky import EXTENT, Sky, edges, lines, project
from wstdes.report.text import label
from wstdes.survey.footprint import Region
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
    sky = Sky(tiling.ra_rad, _PIXELS)
    for number, (name, footprint) in enumerate(footprints.items()):
        axes = figure.add_subplot(rows, columns, number + 1)
        _footprint(axes, footprint, sky)
        mine = tiling.take(tiling.inside[:, number])
        if len(mine) > _MOST_CIRCLES:
            image, ticks = _depth(axes, mine, field_radius_rad, sky)
            bar = figure.colorbar(image, ax=axes, shrink=0.6, pad=0.01, ticks=ticks)
            bar.set_label("tiles over a place")
        else:
            for place, one in enumerate(passes):
                here = mine.take(mine.pass_ == one)
                _circles(axes, here, field_radius_rad, sky.centre, OTHERS[place % len(OTHERS)])
        lines(axes, sky)
        edges(axes, sky.centre)
        looks = np.isfinite(mine.ifs_ra_rad) & (mine.ifs_field >= 0)
        what = f"{len(mine):,} tiles" + (f", {int(looks.sum()):,} fields" if looks.any() else "")
        axes.set_title(label(f"{name}: {what}"), pad=6, loc="left")
    few = (tiling.inside.sum(axis=0) <= _MOST_CIRCLES).any()
    handles, labels = _legend(passes if few else passes[:0])
    figure.legend(handles, labels, loc="outside lower center", ncols=min(8, len(labels)))


def _legend(passes: NDArray[np.int64]) -> tuple[list[Any], list[str]]:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Any] = [
        Patch(color="#DDE3E8"),
        Line2D([], [], color=INK, lw=1.1, ls="--"),
        Line2D([], [], color=INK, lw=1.1, ls=":"),
    ]
    labels = ["footprint", "plane of the Milky Way", "ecliptic"]
    for place, one in enumerate(passes[:12]):
        handles.append(Line2D([], [], color=OTHERS[place % len(OTHERS)], lw=2.0))
        labels.append(f"pass {one}")
    return handles, labels


def _footprint(axes: Any, footprint: Region, sky: Sky) -> None:
    image = np.ones((*sky.ra_rad.shape, 4))
    image[sky.inside & footprint.contains(sky.ra_rad, sky.dec_rad)] = (0.867, 0.89, 0.91, 1.0)
    axes.imshow(image, extent=EXTENT, origin="lower", zorder=0)


def _depth(axes: Any, tiles: Tiling, radius: float, sky: Sky) -> tuple[Any, Any]:
    """Colour each place by the number of tiles that it is in."""
    from matplotlib.colors import BoundaryNorm

    points = np.stack([sky.ra_rad[sky.inside], sky.dec_rad[sky.inside]], axis=-1)
    depth = np.zeros(sky.ra_rad.shape)
    depth[sky.inside] = counts_within(tiles.ra_rad, tiles.dec_rad, points, radius)
    most = max(2, int(np.quantile(depth[depth > 0], 0.995)))
    edges = np.unique(np.round(np.linspace(1, most + 1, min(most, 8) + 1))) - 0.5
    image = axes.imshow(
        np.ma.masked_where(depth < 1, depth),
        extent=EXTENT,
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
    x, y = project(ra, dec, centre)
    whole = np.ptp(x, axis=1) < 1.0  # not cut by the edge of the map
    lines = list(np.stack([x, y], axis=-1)[whole])
    axes.add_collection(LineCollection(lines, colors=colour, linewidths=0.5, rasterized=True))
