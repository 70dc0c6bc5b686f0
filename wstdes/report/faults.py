"""What failed."""

from __future__ import annotations

from typing import Any

import numpy as np

from wstdes.report.figure import date_axis, draw
from wstdes.report.palette import OTHERS
from wstdes.report.section import Chart, Item, Nothing, Section
from wstdes.report.text import count, figures, label
from wstdes.report.view import View

__all__ = ["faults"]

MOST_LINES = 300
"""More are drawn as an image: a page holds no thousand paths."""

INTRO = (
    "Faults are drawn at random from mean times between faults and to repair; they are listed when "
    "they are known to end. A broken positioner stays broken."
)


def faults(view: View) -> Section:
    """The section of the faults."""
    return Section("faults", "Faults", INTRO, [_timeline(view)])


def _timeline(view: View) -> Item:
    rows = view.rows("faults")
    if not len(rows):
        return Nothing("Faults", "nothing failed.")
    agent, kind = rows.text("agent"), rows.text("kind")
    start, end, number = rows.num("start_s"), rows.num("end_s"), rows.num("count")
    name = np.array([a if a == k else f"{a}: {k}" for a, k in zip(agent, kind, strict=True)])
    names = sorted(set(name))
    mended = np.isfinite(end)
    hours = np.nan_to_num(end - start) / 3600.0
    lost = figures(float(hours.sum()))
    title = f"{count(float(mended.sum()))} faults that were repaired took {lost} h"
    first = float(number[~mended & (start <= 0.0)].sum())
    broken = float(number[~mended].sum()) - first
    title += f"; {count(broken)} parts broke and stayed so" if broken else ""
    title += f", besides {count(first)} broken from the start" if first else ""

    many = len(rows) > MOST_LINES

    def paint(figure: Any) -> None:
        axes = figure.subplots()
        for i, one in enumerate(names):
            mine, colour = name == one, OTHERS[i % len(OTHERS)]
            axes.hlines(np.full((mine & mended).sum(), i), start[mine & mended] / 86400.0,
                        end[mine & mended] / 86400.0, color=colour, lw=9,
                        rasterized=many)  # fmt: skip
            axes.plot(
                start[mine] / 86400.0,
                np.full(mine.sum(), i),
                "|",
                ms=12,
                color=colour,
                rasterized=many,
            )
        axes.set_yticks(range(len(names)), [label(_row(n, name, number, hours)) for n in names])
        axes.set_ylim(len(names) - 0.4, -0.6)
        date_axis(axes, view)
        axes.grid(visible=True, axis="x")

    caption = (
        "A mark where something failed, and a bar until it worked again. Faults by day cost no "
        "dark time. What is broken at first light was so when the run began."
    )
    columns = ["agent", "kind", "start [days since the first noon]", "repaired after [h]", "parts"]
    data = [
        [str(a), str(k), float(s) / 86400.0, float(e - s) / 3600.0, int(c)]
        for a, k, s, e, c in zip(agent, kind, start, end, number, strict=True)
    ]
    height = 0.9 + 0.4 * len(names)
    return Chart("faults", title, caption, draw("faults", title, height, paint), columns, data)


def _row(one: str, name: Any, number: Any, hours: Any) -> str:
    mine = name == one
    text = f"{one} ({count(float(number[mine].sum()))}"
    return f"{text}, {figures(float(hours[mine].sum()))} h)" if hours[mine].any() else f"{text})"
