"""How long data took from the shutter to the archive."""

from __future__ import annotations

from typing import Any

import numpy as np

from wstdes.report.figure import draw
from wstdes.report.palette import BLUE, GREEN, INK, KINDS, LIGHT, ORANGE, PINK, SKY, YELLOW
from wstdes.report.paths import PARTS, Path, paths
from wstdes.report.section import Chart, Item, Nothing, Section
from wstdes.report.text import count, duration, share
from wstdes.report.view import View
from wstdes.study.metrics import EXPOSED

__all__ = ["latency"]

WORDS = {"raw": "raw exposures", "reduced": "reduced spectra", "products": "science products"}
INTRO = (
    "The clock starts when the last shutter closes on the data that a file is made from, and stops "
    "when the archive has taken the file in."
)
COLOURS = {
    "read-out": SKY, "rest of the visit": LIGHT, "rest of the night": LIGHT,
    "transfer of inputs": PINK, "wait for a node": YELLOW, "quick look": ORANGE, "calibrate": BLUE,
    "reduce": BLUE, "combine": BLUE, "analyse": BLUE, "transfer to the archive": PINK,
    "ingest": GREEN, "other": LIGHT,
}  # fmt: skip
COMPUTING = ("quick look", "calibrate", "reduce", "combine", "analyse")
MOST_POINTS = 400
MARKS = (
    (1 / 60, "1 s"), (1 / 6, "10 s"), (0.5, "30 s"), (1, "1 min"), (3, "3 min"), (10, "10 min"),
    (30, "30 min"), (60, "1 h"), (180, "3 h"), (600, "10 h"), (1440, "1 d"), (4320, "3 d"),
    (14400, "10 d"), (43200, "30 d"),
)  # fmt: skip
"""Marks of the axis of latencies: minutes, and how they are written."""
SHORTEST_H = 1.0 / 3600.0
"""Shorter latencies are drawn as this: the axis is logarithmic."""


def latency(view: View) -> Section:
    """The section of the latencies."""
    return Section("latency", "Latency", INTRO, [_distribution(view), _waterfall(view)])


def _hours(view: View) -> dict[str, Any]:
    rows = view.rows("products", ["kind", "stage", "outcome", "end_s", "shutter_close_s"])
    rows = rows.where(outcome="archived")
    found = {}
    for kind in WORDS:
        mine = rows.where(kind=kind)
        if kind == "raw":
            mine = mine.keep(np.isin(mine.text("stage"), EXPOSED))
        hours = (mine.num("end_s") - mine.num("shutter_close_s")) / 3600.0
        hours = np.maximum(np.sort(hours[np.isfinite(hours)]), SHORTEST_H)
        if len(hours):
            found[kind] = hours
    return found


def _distribution(view: View) -> Item:
    hours = _hours(view)
    if not hours:
        return Nothing("From shutter to archive", "nothing was archived.")
    best = next(k for k in ("products", "reduced", "raw") if k in hours)
    title = (
        f"Half of the {WORDS[best]} are in the archive within "
        f"{duration(3600 * float(np.median(hours[best])))} "
        f"of the last shutter close, 95 % within "
        f"{duration(3600 * float(np.quantile(hours[best], 0.95)))}"
    )
    curves = {k: _curve(h) for k, h in hours.items()}

    def paint(figure: Any) -> None:
        axes = figure.subplots()
        for kind, (x, y) in curves.items():
            axes.plot(x * 60.0, 100.0 * y, color=KINDS[kind], lw=2.2, drawstyle="steps-post",
                      label=f"{WORDS[kind]} ({count(len(hours[kind]))} files)")  # fmt: skip
        _minutes_axis(axes)
        axes.set_ylim(0, 100)
        axes.set_ylabel("archived [% of files]")
        axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))

    caption = (
        "For each kind of file: the share (upwards) that was in the archive at most so long after "
        "the shutter closed (to the right; each step is a factor). The steeper and the further "
        "left, the better. Files that had not arrived when the run ended are not in it."
    )
    columns = ["kind", "latency [h]", "share of files archived by then"]
    data = [
        [k, float(a), float(b)] for k, (x, y) in curves.items() for a, b in zip(x, y, strict=True)
    ]
    return Chart("latencies", title, caption, draw("latencies", title, 3.0, paint), columns, data)


def _curve(sorted_hours: Any) -> tuple[Any, Any]:
    """A cumulative distribution with not too many points."""
    n = len(sorted_hours)
    at = np.unique(np.linspace(0, n - 1, min(n, MOST_POINTS)).round().astype(int))
    return sorted_hours[at], (at + 1.0) / n


def _minutes_axis(axes: Any) -> None:
    axes.set_xscale("log")
    low, high = axes.get_xlim()
    low, high = low / 1.5, high * 1.5
    shown = [(t, name) for t, name in MARKS if low <= t <= high]
    axes.set_xlim(low, high)
    axes.minorticks_off()
    axes.set_xticks([t for t, _ in shown], [name for _, name in shown])
    axes.set_xlabel("time from the last shutter close to the archive (logarithmic)")


def typical(found: list[Path]) -> Path:
    """Of the products whose latency is the median to a hundredth, the one most like the others."""
    median = found[(len(found) - 1) // 2].total_s
    near = [p for p in found if abs(p.total_s - median) <= 0.01 * median]
    middle = {n: float(np.median([p.parts[n] for p in near])) for n in PARTS}
    return min(near, key=lambda p: sum(abs(p.parts[n] - middle[n]) for n in PARTS))


def _waterfall(view: View) -> Item:
    found = sorted(paths(view), key=lambda p: (p.total_s, p.product["product"]))
    if not found:
        return Nothing("Path of a science product", "no science product was archived.")
    path = typical(found)
    names = list(dict.fromkeys(part for part, _, _ in path.segments))
    means = {n: sum(p.parts[n] for p in found) / len(found) for n in PARTS}
    computing = sum(path.parts[n] for n in COMPUTING)
    of_visit = path.product["visit"] is not None
    unit = "visit" if of_visit else "night"
    what = f"{path.product['stage']} of {unit} {path.product[unit]}"
    title = (
        f"A typical science product took {duration(path.total_s)}; computing was "
        f"{share(computing, path.total_s)} of it"
    )

    def paint(figure: Any) -> None:
        _paint_waterfall(figure.subplots(), path, names)

    caption = (
        f"The way of one product of median latency ({what}): each bar is what was waited for at "
        "that time, from the last shutter close (left) to the archive (right); the bars add up "
        "exactly. Work on other files went on meanwhile. The data give the mean over all science "
        "products as well."
    )
    columns = ["part", "typical product [min]", "mean of all science products [min]"]
    data: list[list[object]] = [[n, path.parts[n] / 60.0, means[n] / 60.0] for n in PARTS]
    data.append(["sum", path.total_s / 60.0, sum(means.values()) / 60.0])
    height = 1.0 + 0.33 * len(names)
    return Chart("path", title, caption, draw("path", title, height, paint), columns, data)


def _paint_waterfall(axes: Any, path: Path, names: list[str]) -> None:
    total = path.total_s / 60.0
    last = dict.fromkeys(names, 0.0)
    for name, begin, end in path.segments:
        row = names.index(name)
        axes.barh(row, (end - begin) / 60.0, 0.72, left=begin / 60.0, color=COLOURS[name], lw=0)
        last[name] = end / 60.0
    for i, name in enumerate(names):
        text = duration(path.parts[name])
        axes.text(last[name] + 0.008 * total, i, text, va="center", color=INK)
    words = {n: f"compute: {n}" for n in COMPUTING}
    axes.set_yticks(range(len(names)), [words.get(n, n) for n in names])
    axes.invert_yaxis()
    axes.set_xlim(0, total * 1.12)
    axes.set_xlabel("time since the last shutter close [min]")
    axes.grid(visible=False, axis="y")
