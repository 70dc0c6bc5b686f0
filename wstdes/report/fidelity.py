"""How far the statistical fidelity is from the full one."""

from __future__ import annotations

from typing import Any

import numpy as np

from wstdes.report.figure import draw
from wstdes.report.section import Chart, Item
from wstdes.report.text import figures
from wstdes.report.view import Rows, View

__all__ = ["fidelity"]

KINDS = ("assigned", "completed")
WORDS = {"assigned": "targets with a fibre", "completed": "targets finished"}


def fidelity(view: View) -> list[Item]:
    """The error of expected numbers, measured in fields held out of their calibration.

    Nothing at full fidelity.
    """
    rows = view.rows("fidelity")
    names = [n for n in view.surveys if (rows.text("survey") == n).any()]
    if not names:
        return []
    found: dict[str, dict[str, tuple[float, float, float]]] = {}
    for name in names:
        mine = rows.where(survey=name, visit=0)
        found[name] = {
            k: (_first(mine, k), _first(mine, f"{k}_error"), _first(mine, f"{k}_rms"))
            for k in KINDS
            if len(mine)
        }
    names = [n for n in names if found[n]]
    worst = max(names, key=lambda n: abs(_share(found[n]["completed"], 1)))
    title = (
        "Expected numbers instead of single fibres: targets finished are off by at most "
        f"{figures(abs(_share(found[worst]['completed'], 1)), 2)} % in the mean ({worst})"
    )

    def paint(figure: Any) -> None:
        panels = figure.subplots(1, 2, sharey=True)
        place = np.arange(len(names))[::-1]
        for axes, kind in zip(panels, KINDS, strict=True):
            mean = np.array([_share(found[n][kind], 1) for n in names])
            rms = np.array([_share(found[n][kind], 2) for n in names])
            colours = [view.surveys[n] for n in names]
            axes.barh(place, 2 * rms, left=-rms, color=colours, alpha=0.25, height=0.6)
            axes.scatter(mean, place, color=colours, zorder=3)
            axes.axvline(0.0, color="0.4", lw=0.8)
            axes.set_yticks(place, names)
            axes.set_xlabel("expected less exact [%]")
            axes.set_title(WORDS[kind])

    caption = (
        "Some fields of this run were given their fibres exactly, visit after visit; half of them "
        "fixed the parameters of the expected numbers, the other half was foretold. Points: mean "
        "error in those, over the exact number; bands: root mean square of a field and visit."
    )
    columns = [
        "survey",
        *(f"{k}{e} [targets a field]" for k in KINDS for e in ("", " error", " rms")),
    ]
    data = [[n, *(v for k in KINDS for v in found[n][k])] for n in names]
    height = 1.3 + 0.33 * len(names)
    return [
        Chart("fidelity", title, caption, draw("fidelity", title, height, paint), columns, data)
    ]


def _first(rows: Rows, column: str) -> float:
    return float(rows.num(column)[0])


def _share(numbers: tuple[float, float, float], place: int) -> float:
    """An error over the exact number [%]."""
    return 100.0 * numbers[place] / numbers[0] if numbers[0] else 0.0
