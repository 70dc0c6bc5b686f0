"""How complete the surveys are against time, what holds each back, what they cost each other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np

from wstdes.clock import DAY_S
from wstdes.report.figure import MONTHS, date_axis, draw
from wstdes.report.palette import FAINT, INK
from wstdes.report.section import Chart, Item, Nothing, Words
from wstdes.report.text import count, duration, figures, label, percent, sum_up
from wstdes.report.view import View
from wstdes.study.limits import Limit, limits
from wstdes.study.merit import SHARES, Curve, completeness, date_done, joint
from wstdes.study.tradeoff import contested, fibre_hours

__all__ = ["completeness_charts", "sentence", "spread", "tradeoff_chart"]

T = TypeVar("T")
MOST_ROWS = 120
MARKS = {0.9: "o", 0.95: "s", 0.99: "D"}
NOT_BEFORE_YR = 300.0
"""A survey that would take longer than this is said never to be finished."""
NAMES = {
    "weather": "weather, faults and closed nights", "sky": "dark time", "visibility": "visibility",
    "others": "time that other surveys led", "fibres": "fibres", "depth": "signal to noise",
}  # fmt: skip


def spread(rows: Sequence[T], most: int = MOST_ROWS) -> list[T]:
    """So many rows at most, evenly spread, the last among them."""
    step = max(1, math.ceil(len(rows) / most))
    return [*rows[:-1][::step], *rows[-1:]]


def completeness_charts(view: View) -> list[Item]:
    """Completeness against time, and what holds back those that are not finished."""
    curves = {n: c for n, c in _curves(view).items() if c.targets > 0}
    if not curves:
        return [Nothing("Completeness of the surveys", "how many targets there are is not known.")]
    return [_curves_chart(view, curves), *_held(view)]


def _curves(view: View) -> dict[str, Curve]:
    return completeness(view.run) if "progress" in view.run.tables else {}


def _day(view: View, t_s: float) -> str:
    day = view.evening(int(t_s // DAY_S))
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def _curves_chart(view: View, curves: dict[str, Curve]) -> Chart:
    whole = joint(view.run, curves)
    ends = {n: float(c.share[-1]) for n, c in curves.items()}
    done = [n for n, c in curves.items() if date_done(c, 0.99) is not None]
    title = "Finished at the end: " + sum_up([f"{percent(s)} of {n}" for n, s in ends.items()])
    if done:
        title += f"; 99 % reached by {sum_up(done)}"

    def paint(figure: Any) -> None:
        left, right = figure.subplots(1, 2, width_ratios=[1.75, 1.0])
        most = 105.0 * max(max(float(c.share.max()) for c in curves.values()), 1e-4)
        for name, curve in curves.items():
            colour = view.surveys[name]
            left.plot(curve.t_s / DAY_S, 100.0 * curve.share, color=colour, lw=2.0,
                      label=label(name))  # fmt: skip
            for share, mark in MARKS.items():
                t_s = date_done(curve, share)
                if t_s is not None:
                    left.plot([t_s / DAY_S], [100.0 * share], mark, color=colour, ms=6, mec="white")
            if whole is not None:
                right.plot(100.0 * whole.share, 100.0 * curve.share, color=colour, lw=2.0)
        for axes in (left, right):
            axes.set_ylim(0.0, min(102.0, most) if most > 1.0 else most)
            axes.set_ylabel("targets finished [%]")
        date_axis(left, view)
        left.legend(loc="upper left")
        left.set_title("against time (marks: 90, 95 and 99 %)")
        right.plot([0.0, 100.0], [0.0, 100.0], color=FAINT, lw=0.8, ls=":")
        joint_most = 105.0 * max(float(whole.share.max()), 1e-4) if whole is not None else 100.0
        right.set(xlim=(0.0, min(102.0, joint_most)),
                  xlabel="all surveys, targets by their weight [%]")  # fmt: skip
        right.set_title("against each other")

    caption = (
        "Share of each survey's targets with all the effective time they need. Right: the same "
        "against the share of all surveys together; a survey above the dotted line is ahead of the "
        "others, one below it pays for them. Targets are those expected in the fields of the tiles."
    )
    columns = ["survey", "targets expected", "finished [share]",
               *(f"{100 * s:.0f} % finished on" for s in SHARES)]  # fmt: skip
    data = []
    for name, curve in curves.items():
        dates = [date_done(curve, s) for s in SHARES]
        data.append([name, round(curve.targets), ends[name],
                     *("not reached" if t is None else _day(view, t) for t in dates)])  # fmt: skip
    svg = draw("done", title, 3.7, paint)
    return Chart("done", title, caption, svg, columns, data)


# What holds a survey back ---------------------------------------------------------------------


def _held(view: View) -> list[Item]:
    found = limits(view.run)
    if not found:
        return []
    rows = [
        [n, f.share, f.left, f.rate_per_yr, f.in_tiles, f.night_h, f.usable_h, f.open_h, f.sky_h,
         f.up_h, f.used_h, f.wanted, f.assigned, f.needed_s / 60.0, f.given_s / 60.0,
         NAMES.get(f.binding, f.binding), *(f.factors[k] for k in NAMES)]
        for n, f in found.items()
    ]  # fmt: skip
    columns = [
        "survey", "finished [share]", "left [targets]", "rate [targets/yr]",
        "still in tiles [share]", "night [h]", "usable [h]", "open shutter [h]",
        "under its sky [h]", "and a tile of it up [h]", "and it took part [h]", "wanted [target h]",
        "assigned [fibre h]", "needed by a target [min]", "given by a visit [min]", "limit",
        *(f"without {v}: times faster" for v in NAMES.values()),
    ]  # fmt: skip
    title = "What holds the unfinished surveys back most"
    return [Words("held", title, [sentence(view, f) for f in found.values()], columns, rows)]


def sentence(view: View, found: Limit) -> str:
    """What holds a survey back, in a sentence, each number out of the tables."""
    over = f"the last {found.nights} nights" if found.nights < view.nights else "the run"
    if found.end_s is None:
        when = f"nothing was finished in {over}, so it has no end"
    elif found.end_s > NOT_BEFORE_YR * 365.25 * DAY_S:
        when = f"at the rate of {over} it would never be finished"
    else:
        year = view.start.year + (found.end_s / DAY_S + view.start.timetuple().tm_yday) / 365.25
        when = f"at the rate of {over} ({count(found.rate_per_yr)} a year) it would last until "
        when += f"{int(year)}"
    return (
        f"{found.survey}: {percent(found.share)} finished, {count(found.left)} left; {when}. "
        f"{_why(found)}"
    )


def _why(found: Limit) -> str:
    """The binding limit and its numbers."""
    hours = {k: f"{figures(v)} h" for k, v in (
        ("night", found.night_h), ("usable", found.usable_h), ("open", found.open_h),
        ("sky", found.sky_h), ("up", found.up_h), ("used", found.used_h),
    )}  # fmt: skip
    texts = {
        "reach": f"No tiles left: its tiles wait for {percent(found.in_tiles)} of its targets, and "
        "no fibre reaches the others.",
        "weather": f"Weather: of {hours['night']} of night, weather, faults and closed nights left "
        f"{hours['usable']}.",
        "sky": f"Dark time: of {hours['open']} of open shutter, {hours['sky']} were under a sky "
        f"that it takes, and it took part in {hours['used']} of them.",
        "visibility": f"Visibility: of the {hours['sky']} under its sky, an unfinished tile was in "
        f"reach in {hours['up']}.",
        "others": f"Time: its tiles were in reach under its sky for {hours['up']}, and the "
        f"telescope was on them for {hours['used']}; the rest went to tiles that scored more.",
        "depth": f"Signal to noise: a target needs {duration(found.needed_s)} of effective time, "
        f"and a visit gave {duration(found.given_s)}.",
    }
    if found.binding == "fibres":
        wanted = figures(found.factors["fibres"], 2)
        return f"Fibres: in its fields, {wanted} targets wanted each fibre that it got."
    return texts[found.binding]


# What the surveys cost each other -------------------------------------------------------------


def tradeoff_chart(view: View) -> Item:
    """Fibre-hours by survey, and those that a survey wanted and others had."""
    what = "What the surveys cost each other"
    if not {"assignments", "visits"} <= set(view.run.tables):
        return Nothing(what, "no fibre was assigned.")
    hours = {n: h for n, h in fibre_hours(view.run).items() if h > 0}
    if not hours:
        return Nothing(what, "no fibre was assigned.")
    lost = contested(view.run)
    names = [n for n in view.surveys if n in hours]
    most = {n: sum(h for (a, _), h in lost.items() if a == n) for n in names}
    loser = max(names, key=lambda n: most[n])
    first = max(names, key=lambda n: hours[n])
    title = (
        f"{first} had {count(hours[first])} of {count(sum(hours.values()))} fibre hours on targets"
    )
    if most[loser]:
        title += f"; {loser} wanted {count(most[loser])} more that others had"

    size, word = next(
        (s, w) for s, w in ((1e6, "million h"), (1e3, "1000 h"), (1.0, "h"))
        if max(hours.values()) >= s or s == 1.0
    )  # fmt: skip

    def paint(figure: Any) -> None:
        left, right = figure.subplots(1, 2, sharey=True)
        y = np.arange(len(names))
        left.barh(y, [hours[n] / size for n in names], 0.72, color=[view.surveys[n] for n in names],
                  lw=0)  # fmt: skip
        left.set_yticks(y, [label(n) for n in names])
        left.invert_yaxis()
        left.set_xlabel(f"fibre time on its targets [{word}]")
        left.set_title("what each had")
        start = np.zeros(len(names))
        for other in names:
            part = np.array([lost.get((n, other), 0.0) / size for n in names])
            right.barh(y, part, 0.72, left=start, color=view.surveys[other], lw=0)
            start = start + part
        right.set_xlabel(f"fibre time it wanted and others had [{word}]")
        right.set_title("what others cost it (in their colours)")
        for axes in (left, right):
            axes.grid(visible=False, axis="y")
            axes.tick_params(colors=INK)

    caption = (
        "Left: fibres on a survey's targets times open-shutter hours. Right: in each visit, its "
        "targets in the field that got no fibre, as far as other surveys of its mode had fibres, "
        "shared among these by what each had. It is the price of sharing: what it would have had "
        "alone in the same fields."
    )
    columns = ["survey", "had [fibre h]", *(f"wanted, {o} had [fibre h]" for o in names)]
    data = [[n, hours[n], *(lost.get((n, o), 0.0) for o in names)] for n in names]
    svg = draw("tradeoff", title, 1.4 + 0.34 * len(names), paint)
    return Chart("tradeoff", title, caption, svg, columns, data)
