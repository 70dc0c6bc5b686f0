"""The year: hours of night by month, and what was done in them."""

from __future__ import annotations

from typing import Any

import numpy as np

from wstdes.report.figure import MONTHS, draw, legend, stacked
from wstdes.report.palette import BLUE, GREY, LIGHT, ORANGE, RED, STATES
from wstdes.report.section import Chart
from wstdes.report.text import count, figures, share
from wstdes.report.view import Floats, View

__all__ = ["PARTS", "hours_by_month", "year_chart"]

PARTS = {
    "science": BLUE, "overheads": ORANGE, "weather": GREY, "fault": RED, "closed": "#4A4F57",
    "idle": LIGHT,
}  # fmt: skip
WORDS = {
    "science": "shutter open on science", "overheads": "overheads", "weather": "closed by weather",
    "fault": "faults", "closed": "closed by the calendar", "idle": "nothing worth observing",
}  # fmt: skip


def hours_by_month(view: View, states: dict[str, Floats]) -> dict[str, Floats]:
    """Hours a night by month of the year, shape (12,): sums over nights, overheads as one."""
    month = np.array([view.evening(n).month - 1 for n in range(view.nights)], dtype=np.int64)
    found = {p: np.zeros(12) for p in PARTS}
    for state, hours in states.items():
        part = state if state in PARTS else "overheads"
        found[part] += np.bincount(month, hours, 12)
    return found


def year_chart(view: View, states: dict[str, Floats]) -> Chart:
    """Mean night of each month of the year, divided into what was done in it."""
    hours = hours_by_month(view, states)
    month = np.array([view.evening(n).month - 1 for n in range(view.nights)], dtype=np.int64)
    nights = np.bincount(month, minlength=12)
    there = np.flatnonzero(nights)
    mean = {p: np.divide(h, nights, out=np.zeros(12), where=nights > 0) for p, h in hours.items()}
    total = np.sum(list(hours.values()), axis=0)
    science = hours["science"]
    best, worst = (int(f(mean["science"][there])) for f in (np.argmax, np.argmin))
    best, worst = int(there[best]), int(there[worst])
    title = (
        f"{figures(float(science.sum() / nights.sum()))} h of science in the mean night, "
        f"{share(float(science.sum()), float(total.sum()))} of the dark time"
    )
    if len(there) > 1:
        title += (
            f"; most in {MONTHS[best]} ({figures(float(mean['science'][best]))} h), least in "
            f"{MONTHS[worst]} ({figures(float(mean['science'][worst]))} h)"
        )

    def paint(figure: Any) -> None:
        axes = figure.subplots()
        named = {WORDS[p]: mean[p][there] for p in PARTS if mean[p].any()}
        colours = {WORDS[p]: c for p, c in PARTS.items()}
        stacked(axes, there.astype(np.float64), named, colours, 0.8)
        axes.set_xlim(-0.6, 11.6)
        axes.set_xticks(np.arange(12), MONTHS)
        axes.set_ylabel("dark time [h a night]")
        axes.set_xlabel("month of the evening, all years together")
        axes.grid(visible=False, axis="x")
        legend(axes)

    caption = (
        "The mean night of each month: the bars' height is the dark time, which the parts add up "
        f"to. {count(view.nights)} nights; months without one are empty. Overheads are "
        f"{', '.join(s for s in STATES if s not in PARTS)}."
    )
    columns = ["month", "nights", *(f"{p} [h]" for p in PARTS), "dark time [h]"]
    data = [
        [MONTHS[m], int(nights[m]), *(float(hours[p][m]) for p in PARTS), float(total[m])]
        for m in there
    ]
    return Chart("year", title, caption, draw("year", title, 3.2, paint), columns, data)
