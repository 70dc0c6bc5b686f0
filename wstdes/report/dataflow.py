"""What was written, where it was kept, and how full the links were."""

from __future__ import annotations

from typing import Any

import numpy as np

from wstdes.config.scenario import MOUNTAIN
from wstdes.report.figure import bars, date_axis, draw, grouped, legend, night_axis, stacked
from wstdes.report.palette import KINDS, ORANGE, SKY, assign
from wstdes.report.section import Chart, Item, Nothing, Section
from wstdes.report.text import duration, figures, percent, share
from wstdes.report.view import Floats, Rows, View
from wstdes.study.metrics import EXPOSED

__all__ = ["dataflow"]

TB = 1e12
HOUR_S = 3600.0
MOST_POINTS = 600
INTRO = (
    "Raw data are written on the mountain, sent to the archive and to the computing centre, and "
    "turned into products that go to the archive too."
)


def dataflow(view: View) -> Section:
    """The section of the data."""
    return Section("data", "Data flow", INTRO, [_written(view), _stored(view), _links(view)])


def _written(view: View) -> Item:
    rows = view.rows("products", ["kind", "stage", "night", "bytes"])
    if not len(rows):
        return Nothing("Data written", "no product came to its end.")
    kind = rows.text("kind").astype(object)
    kind[(kind == "raw") & ~np.isin(rows.text("stage"), EXPOSED)] = "raw, calibration frames"
    night = np.clip(rows.num("night").astype(np.int64), 0, view.nights - 1)
    size, group = grouped(view.nights)
    each = np.bincount(group)
    names = [n for n in (*KINDS, *sorted(set(kind) - set(KINDS))) if (kind == n).any()]
    sums = {
        n: np.bincount(group[night], rows.num("bytes") * (kind == n), minlength=len(each)) / TB
        for n in names
    }
    raw = sum(float(sums[n].sum()) for n in names if n.startswith("raw"))
    frames = (
        float(sums["raw, calibration frames"].sum()) if "raw, calibration frames" in sums else 0.0
    )
    title = f"{figures(raw / view.nights)} TB of raw data a night, "
    if view.run.scenario.dataflow.grain == "exposure":
        title += f"{share(frames, raw)} of it calibration frames"
    else:
        title += "calibration frames among it"
    x = np.array([np.flatnonzero(group == i).mean() for i in range(len(each))]) + 0.5

    def paint(figure: Any) -> None:
        axes = figure.subplots()
        parts = {n: s / each for n, s in sums.items()}
        stacked(axes, x, parts, assign(names, KINDS), 0.86 * size)
        axes.set_ylabel("written [TB a night]")
        night_axis(axes, view)
        legend(axes)

    caption = (
        "Data of each night by kind, wherever they were computed (1 TB = 10¹² bytes). Raw and "
        "calibration frames, reduced data and products stay; intermediate and quick-look files are "
        f"deleted after use.{_unfinished(view)}"
    )
    columns = ["first evening", *(f"{n} [TB]" for n in names)]
    data = [
        [view.evening(i * size).isoformat(), *(float(sums[n][i]) for n in names)]
        for i in range(len(each))
    ]
    return Chart("written", title, caption, draw("written", title, 3.2, paint), columns, data)


def _unfinished(view: View) -> str:
    """What the figure cannot know: files that had not come to their end."""
    stocks = view.rows("stocks")
    last = stocks.keep(
        (stocks.num("night") == view.nights - 1) & (stocks.text("state") != "archived")
    )
    held = float(last.num("bytes").sum())
    if not held:
        return ""
    return f" {figures(held / TB)} TB that were still in use at the end are not in it."


def _stored(view: View) -> Item:
    rows = view.rows("levels").where(site=MOUNTAIN, level="stored_bytes")
    site = view.run.scenario.computing.sites[MOUNTAIN]
    if not len(rows):
        return Nothing("Storage on the mountain", "nothing was stored there.")
    most, capacity = float(rows.num("value").max()) / TB, site.capacity_bytes / TB
    title = (
        f"The mountain held at most {figures(most)} TB: {share(most, capacity)} of the "
        f"{figures(capacity)} TB it has room for"
    )
    edges = np.linspace(0.0, view.nights * 86400.0, MOST_POINTS + 1)
    highest = _highest(rows, edges) / TB

    def paint(figure: Any) -> None:
        axes = figure.subplots()
        axes.stairs(highest, edges / 86400.0, fill=True, color=view.sites[MOUNTAIN], lw=0)
        if most > 0.3 * capacity:
            axes.axhline(capacity, color="black", lw=1.2, ls="--")
            axes.text(0, capacity, " room on the mountain", va="bottom")
        axes.set_ylabel("stored [TB]")
        axes.set_ylim(bottom=0.0)
        date_axis(axes, view)

    caption = (
        "Everything on the mountain's disks against time (the highest value of each step of "
        f"{duration(edges[1])}). It grows when data are written faster than they are sent and "
        "processed; the retention policy then deletes copies that are no longer needed."
    )
    data = [[float(a / 86400.0), float(b)] for a, b in zip(edges[:-1], highest, strict=True)]
    columns = ["days since the first noon", "highest amount stored [TB]"]
    return Chart("stored", title, caption, draw("stored", title, 2.5, paint), columns, data)


def _highest(rows: Rows, edges: Floats) -> Floats:
    """Highest value of a level in each bin."""
    start, end, value = rows.num("start_s"), rows.num("end_s"), rows.num("value")
    found = np.zeros(len(edges) - 1)
    first = np.clip(np.searchsorted(edges, start, "right") - 1, 0, len(found) - 1)
    last = np.clip(np.searchsorted(edges, end, "left") - 1, 0, len(found) - 1)
    for i in range(int((last - first).max(initial=0)) + 1):
        reaches = first + i <= last
        np.maximum.at(found, first[reaches] + i, value[reaches])
    return found


def hourly(rows: Rows, hours: int) -> Floats:
    """Amount that flowed in each hour of a rate given as intervals."""
    order = np.argsort(rows.num("start_s"))
    start, end, value = (rows.num(n)[order] for n in ("start_s", "end_s", "value"))
    total = np.concatenate([np.zeros(1), np.cumsum(value * (end - start))])
    times = np.ravel(np.column_stack([start, end]))
    amounts = np.ravel(np.column_stack([total[:-1], total[1:]]))
    return np.asarray(np.diff(np.interp(np.arange(hours + 1) * HOUR_S, times, amounts)))


def _links(view: View) -> Item:
    rows = view.rows("levels").where(level="link_bytes_per_s")
    links = view.run.scenario.network.links
    found: list[list[Any]] = []
    for name, link in links.items():
        mine = rows.where(site=name)
        if not len(mine) or not mine.num("value").max():
            continue
        capacity = link.rate_bytes_per_s * link.efficiency
        flow = hourly(mine, view.nights * 24)
        full = float(mine.seconds()[mine.num("value") > 0.999 * capacity].sum())
        seconds = view.nights * 86400.0
        found.append([name, capacity * 8e-9, float(flow.sum()) / TB,
                      float(flow.sum()) / capacity / seconds,
                      float(flow.max()) / capacity / HOUR_S, full / seconds])  # fmt: skip
    if not found:
        return Nothing("Use of the links", "nothing crossed the network.")
    worst = max(found, key=lambda f: f[3])
    title = (
        f"The busiest link, {worst[0]}, is {percent(worst[3])} full in the mean and "
        f"{percent(worst[4])} in its busiest hour"
    )

    def paint(figure: Any) -> None:
        axes = figure.subplots()
        names = [f"{f[0]} ({figures(f[1], 2)} Gbit/s)" for f in found]
        texts = [
            f"mean {percent(f[3])}, busiest hour {percent(f[4])}, full {percent(f[5])} of time"
            for f in found
        ]
        bars(axes, names, [100 * f[4] for f in found], [SKY] * len(found), texts)
        axes.barh(np.arange(len(found)), [100 * f[3] for f in found], 0.3, color=ORANGE, lw=0)
        axes.set_xlim(0, 172)
        axes.set_xticks(range(0, 101, 20))
        axes.set_xlabel("use of what the link can carry [%]")

    caption = (
        "Wide bars: the busiest hour of the run; narrow bars: the mean over all hours, day and "
        "night. What a link can carry is its rate times its efficiency (in brackets). A link is "
        "full while files share all it can carry."
    )
    columns = ["link", "can carry [Gbit/s]", "carried [TB]", "mean use", "busiest hour's use",
               "share of time full"]  # fmt: skip
    height = 1.1 + 0.4 * len(found)
    return Chart("links", title, caption, draw("links", title, height, paint), columns, found)
