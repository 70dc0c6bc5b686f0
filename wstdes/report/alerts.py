"""How alerts were answered."""

from __future__ import annotations

from typing import Any

import numpy as np

from wstdes.report.figure import bars, draw
from wstdes.report.palette import OUTCOMES, PARTS
from wstdes.report.section import Chart, Item, Nothing, Section
from wstdes.report.text import count, duration, label, percent, share, sum_up
from wstdes.report.view import DAY_S, Floats, Rows, View

__all__ = ["alerts"]

INTRO = (
    "Alerts come in at random, over the whole sky that the survey they feed looks at and at all "
    "hours. Each class says how it is answered: insert (a fibre in a field visited anyway), "
    "switch (a field of its own after the running exposure), abort (the exposure is stopped)."
)


def alerts(view: View) -> Section:
    """The section of the alerts."""
    rows = view.rows("alerts")
    if not view.run.scenario.alerts:
        items: list[Item] = [Nothing("Answers to alerts", "the scenario has no alerts.")]
    elif not len(rows):
        items = [Nothing("Answers to alerts", "no alert was settled (observed or expired).")]
    else:
        items = [_outcomes(view, judged(view, rows)), _waits(view, rows)]
    return Section("alerts", "Alerts", INTRO, items)


def judged(view: View, rows: Rows) -> Rows:
    """Alerts whose time was over before the run ended.

    Of the others only those that were observed are known: to count them would flatter the share.
    """
    return rows.keep(rows.num("expiry_s") <= view.nights * DAY_S)


def outcomes(rows: Rows) -> list[str]:
    """What became of each alert, in words."""
    seen = rows.text("outcome") == "observed"
    possible = rows.num("possible_s")
    since = np.fmax(rows.num("arrival_s"), possible)
    in_time = rows.num("shutter_open_s") - since <= rows.num("target_response_s")
    judged = rows.has("possible_s") & (rows.text("response") != "insert")
    found = np.where(in_time, "observed in time", "observed late").astype(object)
    found[~seen] = "expired"
    found[~seen & judged & np.isnan(possible)] = "expired, never up at night"
    found[~seen & judged & np.isfinite(possible)] = "expired, though it was up at night"
    return [str(f) for f in found]


def _outcomes(view: View, rows: Rows) -> Item:
    if not len(rows):
        return Nothing("Answers to alerts", "no alert's time was over before the run ended.")
    names = _classes(view, rows)
    alert_class, outcome = rows.text("alert_class"), np.array(outcomes(rows))
    number = {
        n: {o: int(((alert_class == n) & (outcome == o)).sum()) for o in OUTCOMES} for n in names
    }
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
    first = {n: rows.where(alert_class=n) for n in names}
    data = [
        [n, str(first[n].text("response")[0]), float(first[n].num("target_response_s")[0]) / 60.0,
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


def _classes(view: View, rows: Rows) -> list[str]:
    there = rows.values("alert_class")
    return [*(n for n in view.run.scenario.alerts if n in there),
            *(n for n in there if n not in view.run.scenario.alerts)]  # fmt: skip


def parts(rows: Rows) -> dict[str, Floats]:
    """What observed alerts waited for [s], part after part."""
    decided, arrival = rows.num("decided_s"), rows.num("arrival_s")
    up = np.fmin(np.fmax(arrival, rows.num("possible_s")), np.fmax(decided, arrival))
    steps = [arrival, up, decided, rows.num("shutter_open_s"), rows.num("shutter_close_s"),
             rows.num("quicklook_s")]  # fmt: skip
    return {n: b - a for n, a, b in zip(PARTS, steps[:-1], steps[1:], strict=True)}


def _mean(values: Floats) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else 0.0


def _waits(view: View, rows: Rows) -> Item:
    rows = rows.where(outcome="observed")
    names = _classes(view, rows)
    if not names:
        return Nothing("What alerts waited for", "no alert was observed.")
    means = {
        n: {p: _mean(v) / 60.0 for p, v in parts(rows.where(alert_class=n)).items()} for n in names
    }
    title = _wait_title(rows, means)
    known = rows.has("possible_s")

    def paint(figure: Any) -> None:
        panels = figure.subplots(1, len(names), squeeze=False)[0]
        for axes, name in zip(panels, names, strict=True):
            words = [p for p in PARTS if known or p != "until up at night"]
            hours = max(means[name].values()) > 300.0
            values = [means[name][p] / (60.0 if hours else 1.0) for p in words]
            texts = [duration(60.0 * means[name][p]) for p in words]
            bars(axes, words, values, [PARTS[p] for p in words], texts)
            axes.set_title(label(f"{name}: {count(len(rows.where(alert_class=name)))} observed"))
            axes.set_xlabel(f"mean time [{'h' if hours else 'min'}]")
            axes.set_xlim(0.0, 1.35 * max(values) or 1.0)
        for axes in panels[1:]:
            axes.set_yticklabels([])

    caption = (
        "Mean time that the observed alerts of each class spent waiting for each thing, from their "
        "arrival to a reduced spectrum that passed quality control. The parts follow each other; "
        "mind the different scales of the panels."
    )
    columns = ["class", "observed", *(f"{p} [min, mean]" for p in PARTS), "sum [min, mean]"]
    data = [[n, len(rows.where(alert_class=n)), *means[n].values(), sum(means[n].values())]
            for n in names]  # fmt: skip
    return Chart("waits", title, caption, draw("waits", title, 2.4, paint), columns, data)


def _wait_title(rows: Rows, means: dict[str, dict[str, float]]) -> str:
    """Of the class that is owed the fastest answer, if a few of it were observed."""
    of = {n: rows.where(alert_class=n) for n in means}
    enough = [n for n in means if len(of[n]) >= FEW] or list(means)
    name = min(enough, key=lambda n: float(of[n].num("target_response_s")[0]))
    longest = max(means[name], key=lambda p: means[name][p])
    total = sum(means[name].values())
    return (
        f"From {name} alert to reduced spectrum: {duration(60.0 * total)} in the mean, "
        f"{percent(means[name][longest] / total) if total else '—'} of it {WAIT_WORDS[longest]}"
    )


FEW = 5
WAIT_WORDS = {
    "until up at night": "until the target was up at night",
    "until decided": "until it was taken up",
    "slew and set-up": "for slew and set-up",
    "exposure": "for the exposure",
    "read-out and quick look": "for read-out and quick look",
}
