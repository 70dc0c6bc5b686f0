"""The weather that the run met."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from wstdes.report.figure import draw, grouped, legend, night_axis, stacked
from wstdes.report.palette import BLUE, CAUSES, SKY, assign
from wstdes.report.section import Chart, Item, Nothing, Section
from wstdes.report.text import count, share
from wstdes.report.view import Floats, Rows, View

__all__ = ["weather"]

INTRO = (
    "The weather is drawn from a model of the site's statistics, step by step; the same seed gives "
    "the same weather to every plan that is tried. Only dark time counts here."
)


def weather(view: View) -> Section:
    """The section of the weather."""
    steps = view.rows("conditions")
    nights = view.rows("nights", ["night", "science_start_s", "science_end_s"])
    items: list[Item] = []
    intro = INTRO
    if not len(steps) or not len(nights):
        items.append(Nothing("Seeing and closures", "no weather was recorded."))
        return Section("weather", "Weather", INTRO, items)
    night, seconds = overlaps(steps, nights)
    if not seconds.sum():
        items.append(Nothing("Seeing and closures", "the run has no dark time."))
    else:
        intro = _measured(steps, seconds) or INTRO
        items += [_seeing(view, steps, night, seconds), _closed(view, steps, night, seconds)]
    return Section("weather", "Weather", intro, items)


def _measured(steps: Rows, seconds: Floats) -> str:
    """How much of the dark time was measured, in words; nothing if all of it was drawn."""
    texts, which = np.unique(steps.text("measured"), return_inverse=True)
    dark = np.bincount(which, seconds)
    parts: dict[str, float] = {}
    for text, time in zip(texts.tolist(), dark.tolist(), strict=True):
        for what in filter(None, text.split(", ")):
            parts[what] = parts.get(what, 0.0) + time
    if not parts:
        return ""
    total = float(seconds.sum())
    said = ", ".join(f"{what} in {share(time, total)}" for what, time in sorted(parts.items()))
    return (
        f"The weather was measured and is played again: {said} of the dark time. The rest is drawn "
        "from a model of the site's statistics. Only dark time counts here."
    )


def overlaps(steps: Rows, nights: Rows) -> tuple[NDArray[np.int64], Floats]:
    """Night in which each step of the weather lies, and how much of it is dark [s]."""
    start, end = steps.num("start_s"), steps.num("end_s")
    dusk, dawn = nights.num("science_start_s"), nights.num("science_end_s")
    numbers = nights.num("night").astype(np.int64)
    last = int(numbers.max())
    begin, finish = np.zeros(last + 1), np.zeros(last + 1)
    begin[numbers], finish[numbers] = np.nan_to_num(dusk), np.nan_to_num(dawn)
    index = np.clip((start // 86400.0).astype(np.int64), 0, last)
    dark = np.minimum(end, finish[index]) - np.maximum(start, begin[index])
    return index, np.maximum(dark, 0.0)


def _quantiles(values: Floats, weights: Floats, shares: tuple[float, ...]) -> list[float]:
    """Quantiles of values that count by their time."""
    if not weights.sum():
        return [float("nan")] * len(shares)
    order = np.argsort(values)
    below = (np.cumsum(weights[order]) - 0.5 * weights[order]) / weights.sum()
    return [float(np.interp(s, below, values[order])) for s in shares]


def _seeing(view: View, steps: Rows, night: NDArray[np.int64], seconds: Floats) -> Chart:
    values = steps.num("seeing_arcsec")
    size, group = grouped(view.nights)
    bar = group[np.clip(night, 0, view.nights - 1)]
    shares = (0.1, 0.5, 0.9)
    each = [_quantiles(values[bar == i], seconds[bar == i], shares) for i in range(group[-1] + 1)]
    low, middle, high = _quantiles(values, seconds, shares)
    title = (
        f"The median seeing was {middle:.2f} arcsec; a tenth of the dark time was better than "
        f"{low:.2f}, a tenth worse than {high:.2f}"
    )
    span = "the night" if size == 1 else f"{size} nights"
    band = np.array(each)
    x = np.array([np.flatnonzero(group == i).mean() for i in range(len(each))]) + 0.5

    def paint(figure: Any) -> None:
        axes = figure.subplots()
        axes.vlines(x, band[:, 0], band[:, 2], color=SKY, lw=max(1.5, 9 - len(x) / 12),
                    label=f"80 % of {span}")  # fmt: skip
        axes.plot(x, band[:, 1], "o", ms=4, color=BLUE, label=f"median of {span}")
        axes.axhline(middle, color=BLUE, lw=1, ls="--", label="median of the run")
        axes.set_ylim(bottom=0.0)
        axes.set_ylabel("seeing [arcsec]")
        night_axis(axes, view)
        legend(axes)

    caption = (
        "Width of a star's image (FWHM) at the zenith at 500 nm; small is good. The bars leave out "
        f"the best and the worst tenth of {span}. Hours with a closed dome are included."
    )
    columns = ["first evening", "10 % [arcsec]", "median [arcsec]", "90 % [arcsec]"]
    data = [[view.evening(i * size).isoformat(), *each[i]] for i in range(len(each))]
    return Chart("seeing", title, caption, draw("seeing", title, 2.9, paint), columns, data)


def _closed(view: View, steps: Rows, night: NDArray[np.int64], seconds: Floats) -> Item:
    cause = steps.text("closed_by")
    hours = seconds / 3600.0 * ~steps.true("open")
    total = float(seconds.sum()) / 3600.0
    if not hours.sum():
        return Nothing(
            "Closures", f"the weather left the dome open for all of {total:.0f} dark hours."
        )
    size, group = grouped(view.nights)
    bar = group[np.clip(night, 0, view.nights - 1)]
    each = np.bincount(group)
    names = [n for n in (*CAUSES, *sorted(set(cause) - set(CAUSES) - {""})) if (cause == n).any()]
    parts = {n: np.bincount(bar, hours * (cause == n), minlength=len(each)) / each for n in names}
    sums = {n: float((hours * (cause == n)).sum()) for n in names}
    worst = max(sums, key=lambda n: sums[n])
    title = (
        f"Weather closed the dome for {count(float(hours.sum()))} of {count(total)} dark hours "
        f"({share(float(hours.sum()), total)}), most of it by {worst}"
    )
    x = np.array([np.flatnonzero(group == i).mean() for i in range(len(each))]) + 0.5

    def paint(figure: Any) -> None:
        axes = figure.subplots()
        stacked(axes, x, parts, assign(names, CAUSES), 0.86 * size)
        axes.set_ylabel("closed [h a night]")
        night_axis(axes, view)
        legend(axes)

    caption = (
        "Dark hours of each night in which the dome had to be closed, by what closed it; "
        "'reopening' is the wait after the weather was good again. It can differ a little from "
        "the night's state 'closed by weather', which begins and ends with what was under way."
    )
    columns = ["first evening", *(f"{n} [h a night]" for n in names)]
    data = [
        [view.evening(i * size).isoformat(), *(float(parts[n][i]) for n in names)]
        for i in range(len(each))
    ]
    return Chart("closures", title, caption, draw("closures", title, 2.6, paint), columns, data)
