"""How far the surveys came, and where they looked."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from wstdes.report.figure import date_axis, draw
from wstdes.report.palette import FAINT, INK, RED
from wstdes.report.section import Chart, Item, Nothing, Section
from wstdes.report.text import count, figures, label, sum_up
from wstdes.report.view import Floats, Rows, View

__all__ = ["survey"]

INTRO = (
    "A target is completed when its exposures add up to the effective time that its survey asks "
    "for; effective time is exposure time scaled to reference conditions."
)
MOST_DOTS = 3000
PROGRESS = ("night", "started", "completed", "observed")


def survey(view: View) -> Section:
    """The section of the surveys."""
    return Section("survey", "Survey", INTRO, [*_progress(view), _map(view)])


def _progress(view: View) -> list[Item]:
    rows = view.rows("progress")
    names = [n for n in view.surveys if (rows.text("survey") == n).any()]
    if not names:
        return [Nothing("Progress of the surveys", "no night has ended yet.")]
    parts = {n: rows.where(survey=n) for n in names}
    last = {n: int(parts[n].num("completed")[-1]) for n in names}
    some = [f"{count(v)} of {n}" for n, v in sorted(last.items(), key=lambda i: -i[1]) if v]
    none = [n for n, v in last.items() if not v]
    title = f"Completed by the end: {sum_up(some) or 'no target'}"
    title += f"; none of {sum_up(none)}" if none and some else ""
    height = 2.1 * math.ceil(len(names) / 3) + 0.5

    def paint(figure: Any) -> None:
        panels = figure.subplots(math.ceil(len(names) / 3), min(3, len(names)), squeeze=False)
        for axes in panels.flat[len(names) :]:
            axes.set_visible(False)
        for axes, name in zip(panels.flat, names, strict=False):
            _panel(axes, view, name, parts[name])

    caption = (
        "Targets with some (thin line) and with all (thick line) of the effective time they need, "
        "against the date. Each panel has its own scale; what counts as a target is in the "
        "panel's title."
    )
    columns = ["survey", "night", "started", "completed", "observed (exposures that count)"]
    data = [
        [n, int(a), int(b), int(c), int(d)]
        for n in names
        for a, b, c, d in zip(*(parts[n].num(k) for k in PROGRESS), strict=True)
    ]
    svg = draw("progress", title, height, paint)
    return [Chart("progress", title, caption, svg, columns, data)]


def _panel(axes: Any, view: View, name: str, rows: Rows) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    colour = view.surveys[name]
    days = np.concatenate([[0.0], rows.num("t_s") / 86400.0])
    for column, width in (("started", 1.0), ("completed", 2.6)):
        axes.plot(days, np.concatenate([[0.0], rows.num(column)]), color=colour, lw=width,
                  label=column)  # fmt: skip
    mode = view.run.scenario.surveys[name].mode
    axes.set_title(label(f"{name} ({'fields, ' if mode == 'ifs' else ''}{mode.upper()})"))
    axes.set_ylim(0.0, max(1.0, 1.05 * float(np.max(rows.num("started"), initial=0.0))))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: _short(v)))
    axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    date_axis(axes, view)
    axes.set_xticks(axes.get_xticks()[::3], [t.get_text() for t in axes.get_xticklabels()][::3])
    axes.set_xlabel("")
    axes.set_ylabel("fields" if mode == "ifs" else "targets")


def _short(value: float) -> str:
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:g} {letter}"
    return f"{value:g}"


def _map(view: View) -> Item:
    visits = view.rows("visits")
    visits = visits.keep(visits.num("exposures") > 0)
    if not len(visits):
        return Nothing("Map of the visits", "no visit took an exposure.")
    hours = effective_hours(view, visits)
    ra, dec = visits.num("ra_deg"), visits.num("dec_deg")
    alert = visits.text("reason") != "survey"
    title = (
        f"{count(len(visits))} visits gave {figures(float(np.nansum(hours)))} h of effective time "
        f"at low resolution, between declinations {_signed(dec.min())} and {_signed(dec.max())}"
    )
    title += f"; {count(float(alert.sum()))} were set on alerts" if alert.any() else ""

    turn = np.angle(np.exp(1j * np.radians(ra)).mean(), deg=True)
    centre = float(60.0 * np.round(turn / 60.0) % 360.0)

    def paint(figure: Any) -> None:
        axes = figure.add_subplot(projection="mollweide")
        x = -np.radians((ra - centre + 180.0) % 360.0 - 180.0)
        order = np.argsort(np.nan_to_num(hours))
        dots = axes.scatter(
            x[order], np.radians(dec[order]), c=hours[order], s=42, lw=0, vmin=0.0,
            vmax=max(0.1, float(np.nanmax(hours))), alpha=0.85,
            cmap="viridis_r", rasterized=len(x) > MOST_DOTS,
        )  # fmt: skip
        axes.scatter(x[alert], np.radians(dec[alert]), s=70, facecolors="none", edgecolors=RED,
                     lw=1.2, label="set on an alert")  # fmt: skip
        _sky_axes(axes, centre)
        figure.colorbar(dots, ax=axes, shrink=0.7, label="effective time of the visit [h]")
        if alert.any():
            axes.legend(loc="lower left", bbox_to_anchor=(-0.16, -0.04))

    caption = (
        "Each dot is a visit, at its place on the sky (Mollweide projection: areas are true), "
        "coloured by its effective time (exposures that failed included). Right ascension "
        "grows to the left, as seen from below; where dots hide each other, the longest is on top."
    )
    columns = ["visit", "night", "reason", "RA [deg]", "Dec [deg]", "effective time [h]"]
    number, night = (visits.num(n).astype(np.int64).tolist() for n in ("visit", "night"))
    floats = (ra.tolist(), dec.tolist(), hours.tolist())
    data = list(zip(number, night, visits.text("reason").tolist(), *floats, strict=True))
    return Chart("map", title, caption, draw("map", title, 5.0, paint), columns, data)


def effective_hours(view: View, visits: Rows) -> Floats:
    """Effective time of each visit at low resolution [h]."""
    exposures = view.rows("exposures", ["visit", "mode", "effective_s"]).where(mode="lr")
    number = visits.num("visit").astype(np.int64)
    mine = exposures.num("visit").astype(np.int64)
    most = int(max(number.max(initial=0), mine.max(initial=0))) + 1
    sums = np.bincount(mine, np.nan_to_num(exposures.num("effective_s")), minlength=most)
    return np.asarray(sums[number] / 3600.0)


def _signed(degrees: float) -> str:
    return f"{degrees:+.0f}°".replace("-", "−")


def _sky_axes(axes: Any, centre: float) -> None:
    axes.grid(visible=True)
    degrees = np.arange(-150, 151, 30)
    axes.set_xticks(np.radians(degrees))
    shown = [-120, -60, 0, 60, 120]
    axes.set_xticklabels([f"{(centre - d) % 360:.0f}°" if d in shown else "" for d in degrees])
    axes.tick_params(axis="x", colors=FAINT)
    axes.set_xlabel(f"right ascension [deg], {centre:.0f}° in the middle")
    axes.set_ylabel("declination [deg]", color=INK)
