"""How the nights were used."""

from __future__ import annotations

from typing import Any

import numpy as np

from wstdes.report.figure import bars, draw, grouped, legend, night_axis, stacked
from wstdes.report.onenight import night_pictures
from wstdes.report.palette import STATES, assign
from wstdes.report.section import Chart, Item, Nothing, Section
from wstdes.report.text import count, figures, percent, share
from wstdes.report.view import Floats, Rows, View
from wstdes.report.year import year_chart

__all__ = ["night"]

WORDS = {
    "science": "shutter open on science", "standard": "standard-star frames",
    "acquisition": "acquiring fields", "slew": "slewing", "reconfiguration": "moving positioners",
    "readout": "reading detectors", "calibration": "attached calibration", "focus": "focusing",
    "fault": "faults", "weather": "closed by weather", "closed": "closed by the calendar",
    "idle": "nothing worth observing",
}  # fmt: skip
INTRO = (
    "A night counts from the evening to the morning on which the Sun passes the limit for science "
    "(twilight is left out). Every second of it is in exactly one state."
)


def night(view: View) -> Section:
    """The section of the nights."""
    rows = view.rows("time_use", ["night", "start_s", "end_s", "state"])
    rows = rows.keep(rows.text("state") != "twilight")
    if not len(rows):
        what = "How the nights were used"
        item: list[Item] = [Nothing(what, "the run has no dark time.")]
        return Section("night", "Night", INTRO, item)
    states = hours_by_state(rows, view.nights)
    items = [_by_night(view, states), year_chart(view, states), _budget(states)]
    return Section("night", "Night", INTRO, [*items, *night_pictures(view)])


def hours_by_state(rows: Rows, nights: int) -> dict[str, Floats]:
    """Hours of each state in each night, known states first."""
    (state, there), index = rows.coded("state"), rows.num("night").astype(np.int64)
    hours = rows.seconds() / 3600.0
    sums = np.zeros((len(there), nights))
    np.add.at(sums, (state, index), hours)
    known = dict(zip(there.tolist(), sums, strict=True))
    names = [*STATES, *sorted(set(known) - set(STATES))]
    return {name: known.get(name, np.zeros(nights)) for name in names}


def _by_night(view: View, states: dict[str, Floats]) -> Chart:
    total = sum(float(h.sum()) for h in states.values())
    lost = {n: float(states[n].sum()) for n in ("weather", "idle", "fault")}
    title = (
        f"Weather cost {share(lost['weather'], total)} of the dark time, "
        f"nothing worth observing {share(lost['idle'], total)}, "
        f"faults {share(lost['fault'], total)}"
    )
    size, group = grouped(view.nights)
    each = np.bincount(group)
    means = {n: np.bincount(group, h) / each for n, h in states.items()}
    x = (np.bincount(group, np.arange(view.nights)) / each) + 0.5

    def paint(figure: Any) -> None:
        axes = figure.subplots()
        named = {WORDS.get(n, n): h for n, h in means.items()}
        colours = {WORDS.get(n, n): c for n, c in assign(means, STATES).items()}
        stacked(axes, x, named, colours, 0.86 * size)
        axes.set_ylabel("dark time [h]" if size == 1 else "dark time [h a night]")
        night_axis(axes, view)
        legend(axes)

    bar = "a night" if size == 1 else f"the mean of {size} nights"
    caption = (
        f"Each bar is {bar}, divided into what the telescope did; the bars' height is the dark "
        "time. A good night is mostly science; its overheads are the thin bands above it."
    )
    columns = ["first evening", "nights", *(f"{n} [h a night]" for n in means)]
    data = [
        [
            view.evening(int(i * size)).isoformat(),
            int(each[i]),
            *(float(h[i]) for h in means.values()),
        ]
        for i in range(len(each))
    ]
    return Chart("nights", title, caption, draw("nights", title, 3.9, paint), columns, data)


def _budget(states: dict[str, Floats]) -> Chart:
    hours = {n: float(h.sum()) for n, h in states.items() if h.sum() > 0}
    total = sum(hours.values())
    names = sorted(hours, key=lambda n: -hours[n])
    usable = total - sum(hours.get(n, 0.0) for n in ("weather", "fault", "closed"))
    science = hours.get("science", 0.0)
    title = (
        f"The shutter was open on science for {count(science)} of {count(total)} h; that is "
        f"{share(science, usable)} of what weather, faults and the calendar left"
    )
    colours = assign(states, STATES)

    def paint(figure: Any) -> None:
        texts = [f"{figures(hours[n])} h, {percent(hours[n] / total)}" for n in names]
        axes = figure.subplots()
        bars(axes, [WORDS.get(n, n) for n in names], [hours[n] for n in names],
             [colours[n] for n in names], texts)  # fmt: skip
        axes.set_xlabel("dark time in the whole run [h]")

    caption = (
        "The same states, summed over all nights, the largest on top. What is neither science, "
        "weather, faults, closed nor idle is overhead: it shrinks with longer visits or faster "
        "hardware."
    )
    data = [[n, WORDS.get(n, ""), hours[n], hours[n] / total] for n in names]
    columns = ["state", "meaning", "time [h]", "share of the dark time"]
    return Chart("budget", title, caption, draw("budget", title, 3.3, paint), columns, data)
