"""How alerts were answered."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from wstdes.report.figure import bars, draw
from wstdes.report.palette import BLUE, ORANGE, OUTCOMES, PARTS, SKY
from wstdes.report.section import Chart, Item, Nothing, Section
from wstdes.report.text import count, duration, figures, label, percent, share, sum_up
from wstdes.report.view import DAY_S, Floats, Rows, View
from wstdes.study.alerts import STEPS, alert_price, alert_steps

__all__ = ["alerts"]

INTRO = (
    "Alerts come in at random over the sky of the survey they feed, or as a file has them. Each "
    "class says how it is answered: insert (a fibre in a field visited anyway), switch (a field "
    "of its own after the running exposure), abort (the exposure is stopped); and how often it is "
    "visited again."
)


JUDGED = [
    "alert_class", "follow_up", "response", "outcome", "asked_s", "possible_s", "shutter_open_s",
    "target_response_s",
]  # fmt: skip
"""Columns that say what became of an alert: of millions, no others are read."""
OBSERVED = [
    "alert_class", "follow_up", "asked_s", "possible_s", "decided_s", "shutter_open_s",
    "shutter_close_s", "quicklook_s", "target_response_s",
]  # fmt: skip
"""Columns that say how long the steps of an answer took."""


def alerts(view: View) -> Section:
    """The section of the alerts."""
    if not view.run.scenario.alerts:
        items: list[Item] = [Nothing("Answers to alerts", "the scenario has no alerts.")]
    else:
        seen = view.rows("alerts", OBSERVED, pc.field("outcome") == "observed")
        items = [_outcomes(view, judged(view)), _waterfall(view, seen), _price(view)]
    return Section("alerts", "Alerts", INTRO, items)


def judged(view: View) -> Rows:
    """Alerts whose time was over before the run ended.

    Of the others only those that were observed are known: to count them would flatter the share.
    """
    return view.rows("alerts", JUDGED, pc.field("expiry_s") <= view.nights * DAY_S)


def outcomes(rows: Rows) -> NDArray[np.int64]:
    """What became of each alert: its place in :data:`OUTCOMES`."""
    (outcome, names), (response, responses) = rows.coded("outcome"), rows.coded("response")
    seen, dropped = ((names == word)[outcome] for word in ("observed", "dropped"))
    possible = rows.num("possible_s")
    since = np.fmax(rows.num("asked_s"), possible)
    in_time = rows.num("shutter_open_s") - since <= rows.num("target_response_s")
    known = rows.has("possible_s") & (responses != "insert")[response]
    place = {word: i for i, word in enumerate(OUTCOMES)}
    return np.select(
        [dropped, seen & in_time, seen, known & np.isfinite(possible), known],
        [place[word] for word in ("dropped out", "observed in time", "observed late",
                                  "expired, though it was up at night",
                                  "expired, never up at night")],
        place["expired"],
    )  # fmt: skip


def groups(view: View, rows: Rows) -> dict[str, NDArray[np.bool_]]:
    """Which rows are of each class, as the scenario has them; later visits for themselves."""
    place, names = rows.coded("alert_class")
    later, there = rows.num("follow_up") > 0, names.tolist()
    known = [n for n in view.run.scenario.alerts if n in there]
    found = {}
    for name in [*known, *sorted(n for n in there if n not in known)]:
        mine = place == there.index(name)
        found[name], found[f"{name}, later visits"] = mine & ~later, mine & later
    return {name: mine for name, mine in found.items() if mine.any()}


def _outcomes(view: View, rows: Rows) -> Item:
    if not len(rows):
        return Nothing("Answers to alerts", "no alert's time was over before the run ended.")
    of = groups(view, rows)
    names, found = list(of), outcomes(rows)
    sums = {n: np.bincount(found[mine], minlength=len(OUTCOMES)) for n, mine in of.items()}
    number = {n: dict(zip(OUTCOMES, sums[n].tolist(), strict=True)) for n in names}
    total = {n: sum(number[n].values()) for n in names}
    seen = {n: number[n]["observed in time"] + number[n]["observed late"] for n in names}
    title = "Observed: " + sum_up([
        f"{count(seen[n])} of {count(total[n])} {n} alerts ({share(seen[n], total[n])})"
        for n in names
    ])  # fmt: skip

    def paint(figure: Any) -> None:
        axes = figure.subplots()
        left = np.zeros(len(names))
        for word in OUTCOMES:
            part = np.array([100.0 * number[n][word] / max(1, total[n]) for n in names])
            if part.any():
                axes.barh(range(len(names)), part, 0.66, left=left, lw=0, color=OUTCOMES[word],
                          label=word)  # fmt: skip
                left = left + part
        axes.set_yticks(range(len(names)), [label(f"{n} ({count(total[n])})") for n in names])
        axes.invert_yaxis()
        axes.set(xlim=(0, 100), xlabel="alerts of the class [%]")
        axes.grid(visible=False, axis="y")
        axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.04))

    columns = ["class", "response", "target response [min]", *OUTCOMES]
    response, responses = rows.coded("response")
    owed_s, first = rows.num("target_response_s"), {n: int(np.argmax(of[n])) for n in names}
    data = [
        [n, str(responses[response[first[n]]]), float(owed_s[first[n]]) / 60.0,
         *number[n].values()]
        for n in names
    ]  # fmt: skip
    height = 1.3 + 0.4 * len(names)
    svg = draw("outcomes", title, height, paint)
    return Chart("outcomes", title, _outcome_caption(rows), svg, columns, data)


def _outcome_caption(rows: Rows) -> str:
    text = (
        "What became of the alerts of each class whose time was over before the run ended (their "
        "number in brackets); alerts that could still have been observed later would flatter the "
        "share. In time means that the shutter opened within the time the class is owed, "
    )
    if rows.has("possible_s"):
        return text + (
            "counted from the first moment it was up at night, whatever the weather. For alerts "
            "that only wait for a fibre and expired it is not known whether they were ever up."
        )
    return text + "counted from its arrival, be it day or night; many targets were never up."


def _waterfall(view: View, rows: Rows) -> Item:
    of = {n: rows.keep(mine) for n, mine in groups(view, rows).items()}
    if not of:
        return Nothing("From alert to spectrum", "no alert was observed.")
    time_use = view.rows("time_use").table
    steps = {n: alert_steps(mine.table, time_use) for n, mine in of.items()}
    means = {n: {s: float(v.mean()) for s, v in found.items()} for n, found in steps.items()}
    shown = [s for s in STEPS if s != UP and any(mean[s] > 0.5 for mean in means.values())]
    title = _waterfall_title(of, steps)
    rows_of = -(-len(of) // ABREAST)

    def paint(figure: Any) -> None:
        panels = figure.subplots(rows_of, min(ABREAST, len(of)), squeeze=False)
        for axes in panels.ravel()[len(of) :]:
            axes.set_axis_off()
        for axes, name in zip(panels.ravel(), of, strict=False):
            _cascade(axes, {s: steps[name][s] for s in shown})
            axes.set_title(label(f"{name}: {count(len(of[name]))} observed"))
        for axes in panels[:, 1:].ravel():
            axes.set_yticklabels([])

    columns = ["class", "observed"]
    for step in (*STEPS, "alert to shutter", "alert to quick look"):
        columns += [f"{step} [min, {how}]" for how in ("mean", "median", "90 %")]
    data = []
    for name, found in steps.items():
        whole = [found[s] for s in STEPS]
        sums = [sum(whole[:TO_SHUTTER], np.zeros(1)), sum(whole, np.zeros(1))]
        row: list[object] = [name, len(of[name])]
        for values in (*whole, *sums):
            row += [float(v) / 60.0 for v in (values.mean(), *np.quantile(values, (0.5, 0.9)))]
        data.append(row)
    height = rows_of * (0.9 + 0.26 * len(shown))
    return Chart("waterfall", title, CAPTION, draw("waterfall", title, height, paint), columns,
                 data)  # fmt: skip


def _cascade(axes: Any, steps: dict[str, Floats]) -> None:
    """Steps below each other, each from where the last ended, in the mean."""
    means = np.array([v.mean() for v in steps.values()])
    ends = np.cumsum(means)
    unit, word = next((u, w) for u, w in UNITS if ends[-1] >= 3.0 * u or u == 1.0)
    y = np.arange(len(steps))
    axes.barh(y, means / unit, 0.72, left=(ends - means) / unit, lw=0,
              color=[PARTS[s] for s in steps])  # fmt: skip
    for i, values in enumerate(steps.values()):
        middle, most = (duration(float(q)) for q in np.quantile(values, (0.5, 0.9)))
        text = middle if middle == most else f"{middle} ({most})"
        axes.text(1.02, i, label(text), transform=axes.get_yaxis_transform(), va="center",
                  fontsize=8.5)  # fmt: skip
    axes.set_yticks(y, [label(s) for s in steps])
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    axes.set(xlim=(0.0, 1.02 * ends[-1] / unit), xlabel=f"since it was up at night [{word}]")


def _waterfall_title(of: dict[str, Rows], steps: dict[str, dict[str, Floats]]) -> str:
    """Of the class that is owed the fastest answer, if a few of it were observed."""
    enough = [n for n in of if len(of[n]) >= FEW] or list(of)
    name = min(enough, key=lambda n: float(of[n].num("target_response_s")[0]))
    found = [steps[name][s] for s in STEPS[1:TO_SHUTTER]]
    total = sum(found, np.zeros(1))
    means = {s: float(steps[name][s].mean()) for s in STEPS[1:TO_SHUTTER]}
    longest = max(means, key=lambda s: means[s])
    middle, most = np.quantile(total, (0.5, 0.9))
    part = percent(means[longest] / float(total.mean())) if total.any() else "—"
    return (
        f"{name} alerts that are up at night: {duration(float(middle))} to the shutter (median; "
        f"90 % within {duration(float(most))}), {part} of it {WORDS[longest]}"
    )


def _price(view: View) -> Item:
    price = alert_price(view.run)
    use = view.rows("time_use")
    night_s = float(use.seconds()[use.text("state") != "twilight"].sum())
    title = (
        f"Alerts took {percent(price.night_s / night_s if night_s else np.nan)} of the night for "
        f"{count(price.visits)} visits of their own, and cut "
        f"{_hours(price.lost_s / 3600.0)} of exposure from {count(price.interrupted)} visits of "
        "the surveys"
    )
    words = ["time of visits for alerts", "their shutter open", "cut from visits of the surveys"]
    hours = [price.night_s / 3600.0, price.open_s / 3600.0, price.lost_s / 3600.0]

    def paint(figure: Any) -> None:
        axes = figure.subplots()
        bars(axes, words, hours, [ORANGE, BLUE, SKY], [_hours(h) for h in hours])
        axes.set_xlabel("time [h]")

    caption = (
        "What answers to alerts took from the surveys. In visits for an alert the other fibres are "
        "on targets of the surveys, so that their time is not all lost; a visit that was cut keeps "
        f"what it has. In fields of the surveys {count(price.fibres)} fibres went to alerts, "
        f"{count(price.displaced)} of them where none was left over: so many targets, at most, "
        "waited for another visit. The full price is the difference to the same nights without "
        "interruptions (policies.alerts: insert-only)."
    )
    columns = ["what", "value"]
    data: list[list[object]] = [[f"{w} [h]", h] for w, h in zip(words, hours, strict=True)]
    data += [["visits for alerts", price.visits], ["visits cut", price.interrupted],
             ["fibres on alerts in fields of the surveys", price.fibres],
             ["of them, where none was left over", price.displaced]]  # fmt: skip
    return Chart("price", title, caption, draw("price", title, 1.7, paint), columns, data)


def _hours(hours: float) -> str:
    """A sum of telescope time: never in days, which are not nights."""
    return f"{figures(hours)} h" if hours >= 2.0 else duration(3600.0 * hours)


FEW = 5
ABREAST = 3
UP = "until up at night"
TO_SHUTTER = STEPS.index("exposure")
UNITS = ((86400.0, "d"), (3600.0, "h"), (60.0, "min"), (1.0, "s"))
CAPTION = (
    "Steps of the observed alerts of each class, in the mean, from the moment the alert was first "
    "up at night to a reduced spectrum that passed quality control: each begins where the one "
    "above it ends. Beside them the median and, in brackets, the time within which 90 % were done. "
    "Mind the scales. The wait until a target is up at night is in the table below."
)
WORDS = {
    "weather and faults": "for weather and faults",
    "exposures under way": "for exposures under way",
    "other work, and days": "for other work, and for another night",
    "slew and reconfiguration": "for slew and reconfiguration",
    "acquisition and calibration": "for acquisition and calibration",
    "exposures that failed": "for exposures that failed",
}
