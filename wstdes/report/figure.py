"""Drawing: matplotlib to inline SVG, the same bytes for the same data."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wstdes.report.palette import FAINT, INK
from wstdes.report.text import escape, label
from wstdes.report.view import View

__all__ = ["MOST_BARS", "bars", "date_axis", "draw", "grouped", "legend", "night_axis", "stacked"]

WIDTH_IN = 11.0
MOST_BARS = 100
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "font.family": ["DejaVu Sans"],
    "font.size": 9.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": "#E3E7EB",
    "grid.linewidth": 0.7,
    "xtick.color": INK,
    "ytick.color": INK,
    "text.color": INK,
    "legend.frameon": False,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "hatch.linewidth": 0.5,
}
METADATA = {"Date": None, "Creator": None, "Format": None, "Type": None}
Floats = NDArray[np.float64]


def draw(key: str, title: str, height_in: float, paint: Callable[[Any], None]) -> str:
    """Draw a figure.

    Parameters
    ----------
    key : str
        Name of the figure; its identifiers begin with it.
    title : str
        What a screen reader says.
    height_in : float
        Height; the width is that of the page.
    paint : callable
        Is given a ``matplotlib.figure.Figure`` to draw in.

    Returns
    -------
    str
        An ``<svg>`` element.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    with mpl.rc_context({**STYLE, "svg.hashsalt": f"wstdes-{key}"}):
        figure = Figure(figsize=(WIDTH_IN, height_in))
        layout = ConstrainedLayoutEngine()
        figure.set_layout_engine(layout)
        paint(figure)
        layout.execute(figure)
        figure.set_layout_engine(None)  # or saving would draw everything twice
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata=METADATA)
    return _inline(buffer.getvalue(), key, title)


def _inline(svg: str, key: str, title: str) -> str:
    """An SVG document as an element of a page: no prolog, no ids that others have."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<!--.*?-->\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r'\bid="', f'id="{key}-', svg)
    svg = svg.replace('href="#', f'href="#{key}-').replace("url(#", f"url(#{key}-")
    svg = re.sub(r"\n\s*", "\n", svg)
    head, _, body = svg.partition(">")
    head = re.sub(r' (width|height|version)="[^"]*"', "", head)
    return f'{head} role="img" aria-label="{escape(title)}">{body}'


def grouped(nights: int) -> tuple[int, NDArray[np.int64]]:
    """Nights a bar stands for, and each night's bar; the last bar takes a small rest as well."""
    size = max(1, math.ceil(nights / MOST_BARS))
    last = max(1, round(nights / size)) - 1
    return size, np.minimum(np.arange(nights) // size, last)


def night_axis(axes: Any, view: View) -> None:
    """Make x the nights, each from its noon to the next, with the dates of their evenings."""
    _dates(axes, view, 0.5, "evening of the night")


def date_axis(axes: Any, view: View) -> None:
    """Make x the days since the first noon, with dates at noon."""
    _dates(axes, view, 0.0, "date (ticks at local noon)")


def _dates(axes: Any, view: View, offset: float, what: str) -> None:
    nights = max(1, view.nights)
    step = max(1, math.ceil(nights / 11))
    days = np.arange(0, nights + (offset == 0.0), step)
    last = view.evening(nights - 1)
    years = view.start.year != last.year
    dates = [view.evening(int(d)) for d in days]
    axes.set_xticks(days + offset)
    axes.set_xticklabels([
        f"{d.day} {MONTHS[d.month - 1]}" + (f"\n{d.year}" if years else "") for d in dates
    ])  # fmt: skip
    few = max(0.0, (5 - nights) / 2) if offset else 0.0
    axes.set_xlim(-few, nights + few)
    axes.set_xlabel(what if years else f"{what}, {view.start.year}")
    axes.grid(visible=False, axis="x")


def stacked(
    axes: Any, x: Sequence[float] | Floats, parts: Mapping[str, Floats],
    colours: Mapping[str, str], width: float = 0.86,
) -> None:  # fmt: skip
    """Draw bars on top of each other, a colour a part; parts that are 0 everywhere are left out."""
    from matplotlib.collections import PolyCollection

    below, at = np.zeros(len(x)), np.asarray(x, dtype=np.float64)
    for name, height in parts.items():
        there = np.flatnonzero(height > 0)
        if not len(there):
            continue
        left, right, low = at[there] - width / 2, at[there] + width / 2, below[there]
        high = low + height[there]
        corners = [[left, low], [right, low], [right, high], [left, high]]
        boxes = list(np.moveaxis(np.array(corners), 2, 0))
        axes.add_collection(
            PolyCollection(boxes, facecolors=colours[name], edgecolors="none", label=label(name)),
            autolim=False,
        )
        below = below + height
    axes.set_xlim(float(at.min()) - width / 2, float(at.max()) + width / 2)
    axes.set_ylim(0.0, 1.05 * float(below.max()) or 1.0)


def bars(
    axes: Any, names: Sequence[str], values: Sequence[float], colours: Sequence[str],
    texts: Sequence[str],
) -> None:  # fmt: skip
    """Draw bars that lie, the first on top, each with a text at its end."""
    y = np.arange(len(names))
    axes.barh(y, values, 0.72, color=colours, lw=0)
    axes.set_yticks(y)
    axes.set_yticklabels([label(n) for n in names])
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    most = max([v for v in values if math.isfinite(v)], default=0.0) or 1.0
    for i, (value, text) in enumerate(zip(values, texts, strict=True)):
        axes.text(value + 0.008 * most, i, label(text), va="center")
    axes.set_xlim(0.0, most * 1.22)


def legend(axes: Any, columns: int = 1, *, below: bool = False) -> None:
    """Put the legend outside of the data: to the right (as bars are stacked), or below."""
    handles, labels = axes.get_legend_handles_labels()
    if below:
        axes.legend(handles, labels, loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=columns)
    else:
        axes.legend(handles[::-1], labels[::-1], loc="upper left", bbox_to_anchor=(1.0, 1.02))
