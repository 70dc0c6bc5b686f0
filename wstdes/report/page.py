"""The page: skeleton, table of contents, sections in the way of the data."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from wstdes.report import head
from wstdes.report.alerts import alerts
from wstdes.report.allocation import allocation
from wstdes.report.costs import costs
from wstdes.report.dataflow import dataflow
from wstdes.report.energy import energy
from wstdes.report.faults import faults
from wstdes.report.latency import latency
from wstdes.report.made import made
from wstdes.report.night import night
from wstdes.report.section import Chart, Item, Section, Words
from wstdes.report.style import CSS
from wstdes.report.survey import survey
from wstdes.report.table import details
from wstdes.report.text import escape
from wstdes.report.view import View
from wstdes.report.weather import weather
from wstdes.study.run import Run

__all__ = ["SECTIONS", "write_report"]

SECTIONS: tuple[Callable[[View], Section], ...] = (
    night, weather, survey, allocation, dataflow, latency, alerts, energy, costs, faults,
)  # fmt: skip


def write_report(run: Run, path: Path | None = None) -> Path:
    """Write the report of a run: one HTML page that needs nothing else.

    Parameters
    ----------
    run : Run
        Complete or partial.
    path : pathlib.Path, optional
        Where to; by default ``report.html`` in the run directory.

    Returns
    -------
    pathlib.Path
        Where it is. The same run gives the same bytes.

    Raises
    ------
    OSError
        The file cannot be written.
    """
    target = run.folder / "report.html" if path is None else path
    text = _page(View(run))
    temporary = target.with_name(f"{target.name}.tmp")
    temporary.write_text(text, encoding="utf-8", newline="\n")
    os.replace(temporary, target)
    return target


def _page(view: View) -> str:
    title = escape(view.run.manifest.get("title") or view.run.manifest.get("scenario", "a run"))
    parts = list(_blocks(view))
    contents = "".join(f'<li><a href="#{key}">{escape(name)}</a></li>' for key, name, _ in parts)
    body = "\n".join(
        f'<section id="{key}"><h2>{escape(name)}</h2>\n{text}</section>'
        for key, name, text in parts
    )
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{CSS}</style></head>\n<body>\n"
        f"<header><p class=kind>Report of a run of wstdes</p><h1>{title}</h1></header>\n"
        f"{head.banner(view)}\n<nav aria-label=Contents><ol>{contents}</ol></nav>\n"
        f"<main>\n{body}\n</main></body></html>\n"
    )


def _blocks(view: View) -> list[tuple[str, str, str]]:
    """Key, name and text of each part of the page."""
    parts = [
        ("headline", "In short", head.headline(view)),
        ("simulated", "What was simulated", head.simulated(view)),
        ("assumed", "What is assumed", head.assumptions(view)),
        ("limits", "Known limits of this version", head.limits(view)),
    ]
    if view.nights:
        for make in SECTIONS:
            section = make(view)
            text = f"<p>{escape(section.intro)}</p>\n" + "\n".join(map(_item, section.items))
            parts.append((section.key, section.title, text))
    else:
        text = "<p class=nothing>Nothing to show because no night was simulated to its end.</p>"
        parts.append(("night", "Night", text))
    parts.append(("summary", "All numbers", head.summary_table(view)))
    parts.append(("made", "How the run was made", made(view)))
    return parts


def _item(item: Item) -> str:
    if isinstance(item, Words):
        said = "".join(f"<li>{escape(s)}</li>" for s in item.sentences)
        return (
            f'<div id="words-{item.key}"><h3>{escape(item.title)}</h3>\n<ul>{said}</ul>\n'
            f"{details(item.key, item.columns, item.rows)}</div>"
        )
    if not isinstance(item, Chart):
        return (
            f"<p class=nothing><strong>{escape(item.what)}:</strong> nothing to show because "
            f"{escape(item.because)}</p>"
        )
    return (
        f'<figure id="figure-{item.key}"><h3>{escape(item.title)}</h3>\n{item.svg}\n'
        f"<figcaption>{escape(item.caption)}</figcaption>\n"
        f"{details(item.key, item.columns, item.rows)}</figure>"
    )
