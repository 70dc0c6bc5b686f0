"""How far the surveys came, and where they looked."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from wstdes.report.done import completeness_charts, spread, tradeoff_chart
from wstdes.report.figure import date_axis, draw
from wstdes.report.maps import completeness_maps, visits_map
from wstdes.report.section import Chart, Item, Nothing, Section
from wstdes.report.text import count, label, sum_up
from wstdes.report.view import Rows, View

__all__ = ["survey"]

INTRO = (
    "A target is completed when its exposures add up to the effective time that its survey asks "
    "for; effective time is exposure time scaled to reference conditions."
)
PROGRESS = ("night", "started", "completed", "observed")


def survey(view: View) -> Section:
    """The section of the surveys."""
    items = [
        *completeness_charts(view), *_progress(view), completeness_maps(view), visits_map(view),
        tradeoff_chart(view),
    ]  # fmt: skip
    return Section("survey", "Survey", INTRO, items)


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
        [n, *map(int, row)]
        for n in names
        for row in spread(list(zip(*(parts[n].num(k) for k in PROGRESS), strict=True)))
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
