"""How the fibres were used."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from wstdes.report.done import spread
from wstdes.report.fidelity import fidelity
from wstdes.report.figure import bars, draw
from wstdes.report.palette import FIBRES
from wstdes.report.section import Chart, Item, Nothing, Section
from wstdes.report.text import count, figures, label, percent, share, sum_up
from wstdes.report.view import Rows, View

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["allocation"]

USES = ("science", "standard", "sky", "unassigned", "broken")
INTRO = (
    "In each visit every fibre that works can go to a target in its reach, to a standard star, to "
    "blank sky, or to nothing."
)
MOST_STEPS = 300
PROVEN = 1e-9
"""A relative gap so small is rounding."""

WORDS = {"lr": "low resolution", "hr": "high resolution"}


def allocation(view: View) -> Section:
    """The section of the fibres."""
    return Section(
        "allocation",
        "Allocation",
        f"{INTRO} {_arms(view)}",
        [_uses(view), _surveys(view), *fidelity(view)],
    )


def _arms(view: View) -> str:
    """Whether arms were kept apart, how good the choice is, how long the arms took."""
    rules, visits = view.run.scenario.allocation, view.rows("visits")
    if not rules.collisions:
        return (
            "Arms were ignored: each fibre could go anywhere in its patrol area, whatever its "
            "neighbours did."
        )
    text = "Arms were kept apart." + _gaps(visits.num("allocation_gap"))
    took = visits.num("reconfiguration_s")
    took = took[np.isfinite(took)]
    if not rules.motion or not len(took):
        return text
    return (
        f"{text} Each reconfiguration was planned motor by motor: it took "
        f"{figures(took.mean(), 2)} s in the mean ({figures(took.min(), 2)} to "
        f"{figures(took.max(), 2)} s), metrology included, and fibres that did not get "
        "there lost their targets."
    )


def _gaps(gap: npt.NDArray[np.float64]) -> str:
    """How far the visits may be from the best."""
    gap = gap[np.isfinite(gap)]
    if not len(gap):
        return ""
    proven = int((gap <= PROVEN).sum())
    text = (
        f" In {count(proven)} of {count(len(gap))} visits no choice of targets has a greater sum "
        "of priorities"
    )
    if proven == len(gap):
        return f"{text}."
    return (
        f"{text}; in the mean of all it is at most {_small_percent(gap.mean())} below the "
        f"greatest, in the worst {_small_percent(gap.max())}."
    )


def _small_percent(part: float) -> str:
    return f"{figures(100.0 * part, 2)} %"


def _uses(view: View) -> Item:
    rows = view.rows("fibres")
    modes = [m for m in ("lr", "hr") if (rows.text("mode") == m).any()]
    if not modes:
        return Nothing("Use of the fibres", "no visit was made.")
    parts = {m: rows.where(mode=m) for m in modes}
    shares = [f"{_on_targets(parts[m])} of usable {m.upper()} fibres" for m in modes]
    title = f"On targets: {sum_up(shares)}"

    def paint(figure: Any) -> None:
        panels = figure.subplots(1, len(modes), squeeze=False)[0]
        for axes, mode in zip(panels, modes, strict=True):
            _panel(axes, parts[mode], mode)
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=len(USES))

    caption = (
        "Share of all fibres of a mode by their use, visit after visit (from left to right in the "
        "order of time). The share on targets is limited by how many targets the field has within "
        "each fibre's reach. Of many visits, the data give some, evenly spread."
    )
    columns = ["visit", "mode", *(f"{u} [fibres]" for u in USES), "candidates [targets]"]
    data = [
        [int(v), m, *map(int, rest)]
        for m in modes
        for v, *rest in spread(
            list(zip(*(parts[m].num(c) for c in ("visit", *USES, "candidates")), strict=True))
        )
    ]
    return Chart("fibres", title, caption, draw("fibres", title, 3.2, paint), columns, data)


def _on_targets(rows: Rows) -> str:
    usable = sum(float(rows.num(u).sum()) for u in USES if u != "broken")
    return share(float(rows.num("science").sum()), usable)


def _panel(axes: Any, rows: Rows, mode: str) -> None:
    size = max(1, math.ceil(len(rows) / MOST_STEPS))
    group = np.arange(len(rows)) // size
    sums = {u: np.bincount(group, rows.num(u)) for u in USES}
    total = np.maximum(sum(sums.values()), 1.0)
    edges = np.append(np.arange(len(total)) * size, len(rows)).astype(float)
    below = np.zeros(len(total))
    for use in USES:
        above = below + 100.0 * sums[use] / total
        axes.stairs(above, edges, baseline=below, fill=True, color=FIBRES[use], label=use, lw=0)
        below = above
    axes.set(xlim=(0, len(rows)), ylim=(0, 100), xlabel="visit, in the order of time",
             ylabel="share of fibres [%]")  # fmt: skip
    fibres = int(sum(float(rows.num(u)[0]) for u in USES))
    axes.set_title(f"{mode.upper()}, {WORDS[mode]}: {count(fibres)} fibres")


def _surveys(view: View) -> Item:
    rows = view.rows("assignments")
    names = [n for n in view.surveys if (rows.text("survey") == n).any()]
    if not names:
        return Nothing("Share of the surveys", "no survey had a target in a visited field.")
    wanted = {n: float(rows.where(survey=n).num("wanted").sum()) for n in names}
    given = {n: float(rows.where(survey=n).num("assigned").sum()) for n in names}
    modes = {n: str(rows.where(survey=n).text("mode")[0]) for n in names}
    whole = {m: sum(given[n] for n in names if modes[n] == m) for m in set(modes.values())}
    shares = {n: given[n] / whole[modes[n]] if whole[modes[n]] else 0.0 for n in names}
    lr = [n for n in names if modes[n] == "lr"] or names
    first = max(lr, key=lambda n: shares[n])
    title = f"{first} took {percent(shares[first])} of the {modes[first].upper()} fibres on targets"

    def paint(figure: Any) -> None:
        left, right = figure.subplots(1, 2)
        colours = [view.surveys[n] for n in names]
        bars(left, [f"{n} ({modes[n].upper()})" for n in names], [100 * shares[n] for n in names],
             colours, [percent(shares[n]) for n in names])  # fmt: skip
        left.set_xticks(range(0, 101, 25))
        left.set(xlabel="share of its mode's fibres on targets [%]")
        left.set_title("who got the fibres")
        got = [100 * given[n] / wanted[n] if wanted[n] else 0.0 for n in names]
        bars(
            right, names, got, colours, [f"{count(given[n])} of {count(wanted[n])}" for n in names]
        )
        right.set_yticklabels([])
        right.set_xlim(0, 170)
        right.set_xticks(range(0, 101, 25))
        right.set(xlabel="unfinished targets in the field that got a fibre [%]")
        right.set_title(label("how well each was served"))

    caption = (
        "Left: how the fibres on targets were shared, in fibres summed over visits, each mode by "
        "itself. Right: of the unfinished targets a survey had in the visited fields, how many got "
        "a fibre. The fields of the integral-field unit need no fibre and are not shown."
    )
    columns = ["survey", "mode", "wanted [targets x visits]", "assigned [fibres x visits]"]
    data = [[n, modes[n], int(wanted[n]), int(given[n])] for n in names]
    height = 1.4 + 0.33 * len(names)
    return Chart("shares", title, caption, draw("shares", title, height, paint), columns, data)
