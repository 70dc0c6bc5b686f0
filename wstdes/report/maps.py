"""The surveys on the sky: how complete each is where, and how often each tile was visited."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from wstdes.report.figure import draw
from wstdes.report.palette import FAINT, RED
from wstdes.report.section import Chart, Item, Nothing
from wstdes.report.sky import EXTENT, Sky, edges, limits, lines, project
from wstdes.report.text import count, label, percent, sum_up
from wstdes.report.view import Floats, Rows, View
from wstdes.study.columns import Ints
from wstdes.study.coverage import Tiles, coverage, tiles, uniformity

__all__ = ["completeness_maps", "visits_map"]

FEW = 400
"""So few tiles are drawn as dots as well: on a map of the whole sky their fields are specks."""
NEVER = "#E8ECEF"


def completeness_maps(view: View) -> Item:
    """Completeness by tile, a map for each survey."""
    of, where = coverage(view.run), tiles(view.run)
    of = {n: c for n, c in of.items() if (c.total > 0).any()}
    if not of or not len(where.ra_rad):
        return Nothing("Completeness on the sky", "where the tiles stand was not written yet.")
    shares = {n: float(np.nansum(c.share * c.total) / c.total.sum()) for n, c in of.items()}
    even = uniformity(view.run)
    ifs = {n for n in of if view.run.scenario.surveys[n].mode == "ifs"}
    parts = [f"{percent(s)} of {'the time of ' if n in ifs else ''}{n}" for n, s in shares.items()]
    title = f"Finished in their tiles: {sum_up(parts)}"
    columns = min(3, len(of))
    rows = math.ceil(len(of) / columns)

    def paint(figure: Any) -> None:
        sky = Sky(where.ra_rad)
        handles: list[Any] = []
        image = None
        panels = []
        for number, (name, c) in enumerate(of.items()):
            axes = figure.add_subplot(rows, columns, number + 1)
            panels.append(axes)
            image = _tiles(axes, sky, where, c.tile, 100.0 * c.share, 100.0)
            handles = _frame(axes, view, sky)
            what = " of the time" if name in ifs else ""
            axes.set_title(label(f"{name}: {percent(shares[name])}{what}"), pad=5)
        figure.colorbar(image, ax=panels, shrink=0.6, pad=0.01, label="finished in the tile [%]")
        figure.legend(handles=handles, loc="outside lower center", ncols=len(handles))

    night = view.evening(next(iter(of.values())).night)
    caption = (
        f"Share of the targets finished, by tile, after the night of {night.isoformat()}; grey: "
        "none. Mollweide projection (areas are true), right ascension grows to the "
        "left. An integral field shows the share of its time that it has. A tile is "
        "counted anew when it is visited: what a neighbour finished in an overlap "
        "shows then."
    )
    names = [
        "survey", "tiles", "finished [share]", "difference of a tile from its neighbours [rms]",
        "spread of patches of 95 deg2 [rms]", "Gini coefficient of the patches",
        "least complete patch [share]",
    ]  # fmt: skip
    data = [
        [n, len(c.tile), shares[n], even[n].small, even[n].large, even[n].gini, even[n].worst]
        for n, c in of.items()
    ]
    svg = draw("completeness", title, 2.05 * rows + 0.7, paint)
    return Chart("completeness", title, caption, svg, names, data)


def _tiles(axes: Any, sky: Sky, where: Tiles, tile: Ints, value: Floats, most: float) -> Any:
    """Colour fields by a value from 0 to `most`; those of 0 are grey."""
    import matplotlib as mpl

    colours = mpl.colormaps["viridis_r"].with_extremes(under=NEVER)
    scale = {"cmap": colours, "vmin": 1e-9 * most, "vmax": most}
    near = sky.nearest(where.vectors[tile], 1.1 * where.radius_rad)  # no specks between them
    shown = np.append(value, np.nan)[near]
    image = axes.imshow(
        np.ma.masked_invalid(shown), extent=EXTENT, origin="lower", interpolation="nearest",
        zorder=0, **scale,
    )  # fmt: skip
    some = np.flatnonzero(value > 0)
    if len(some) <= FEW:
        x, y = project(where.ra_rad[tile[some]], where.dec_rad[tile[some]], sky.centre)
        axes.scatter(x, y, c=value[some], s=9, lw=0, zorder=2, **scale)
    return image


def _frame(axes: Any, view: View, sky: Sky) -> list[Any]:
    """Lines of a map; returns handles for its legend."""
    site, telescope = view.run.scenario.site, view.run.scenario.telescope
    handles = lines(axes, sky)
    zenith = telescope.zenith_distance_max_rad
    reach = (site.latitude_rad - zenith, site.latitude_rad + zenith)
    handles.append(limits(axes, *reach, RED))
    edges(axes, sky.centre)
    return handles


def visits_map(view: View) -> Item:
    """How often each tile was visited, and where fields were set on alerts."""
    visits = view.rows("visits")
    visits = visits.keep(visits.num("exposures") > 0)
    if not len(visits):
        return Nothing("Map of the visits", "no visit took an exposure.")
    where = _places(view, visits)
    alert = visits.text("reason") != "survey"
    mine = visits.keep(~alert & np.isfinite(visits.num("tile")))
    tile, times = np.unique(mine.num("tile").astype(np.int64), return_counts=True)
    dec = visits.num("dec_deg")
    title = (
        f"{count(len(visits))} visits went to {count(len(tile))} tiles, between declinations "
        f"{_signed(dec.min())} and {_signed(dec.max())}"
    )
    title += f"; {count(float(alert.sum()))} were set on alerts" if alert.any() else ""
    most = float(max(2, np.quantile(times, 0.98))) if len(times) else 2.0

    def paint(figure: Any) -> None:
        axes = figure.subplots()
        sky = Sky(where.ra_rad[tile] if len(tile) else where.ra_rad, 400)
        every = np.arange(len(where.ra_rad))
        number = np.zeros(len(every))
        number[tile] = times
        image = _tiles(axes, sky, where, every, number, most)
        set_on = visits.keep(alert)
        x, y = project(np.radians(set_on.num("ra_deg")), np.radians(set_on.num("dec_deg")),
                       sky.centre)  # fmt: skip
        handles = _frame(axes, view, sky)
        if alert.any():
            handles.append(axes.scatter(x, y, s=16, facecolors="none", edgecolors=FAINT, lw=0.8,
                                        zorder=4, label="field set on an alert"))  # fmt: skip
        axes.text(-2.0, -0.98, "right ascension and\ndeclination [deg]", color=FAINT, va="bottom")
        figure.colorbar(image, ax=axes, shrink=0.7, pad=0.01, extend="max",
                        ticks=np.unique(np.linspace(0, most, 6).astype(np.int64)),
                        label="visits to the tile")  # fmt: skip
        figure.legend(handles=handles, loc="outside lower center", ncols=len(handles))

    caption = (
        "Each tile by the number of its visits that took an exposure; grey where none did. "
        "Mollweide projection: areas are true, right ascension [deg] grows to the left."
    )
    columns = ["visits to a tile", "tiles"]
    data = [list(map(int, row)) for row in zip(*np.unique(times, return_counts=True), strict=True)]
    data = data or [[0, len(where.ra_rad)]]
    return Chart("map", title, caption, draw("map", title, 5.0, paint), columns, data)


def _places(view: View, visits: Rows) -> Tiles:
    """Where the tiles are; those that were visited, if the run does not say."""
    known = tiles(view.run)
    if len(known.ra_rad):
        return known
    tile = np.nan_to_num(visits.num("tile"), nan=0.0).astype(np.int64)
    ra, dec = np.zeros(tile.max() + 1), np.full(tile.max() + 1, -0.5 * np.pi)
    ra[tile], dec[tile] = np.radians(visits.num("ra_deg")), np.radians(visits.num("dec_deg"))
    return Tiles(ra, dec, known.radius_rad)


def _signed(degrees: float) -> str:
    return f"{degrees:+.0f}°".replace("-", "−")
