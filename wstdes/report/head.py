"""The head of the page: the answer, what was simulated, what is assumed, what is not modelled."""

from __future__ import annotations

from typing import Any

from wstdes.report.table import details, html_table
from wstdes.report.text import amount, count, escape
from wstdes.report.view import View

__all__ = ["assumptions", "banner", "headline", "limits", "simulated", "summary_table"]

MOST_FIGURES = 8
SOURCES = {
    "gaia": "Gaia DR3", "catalogue": "catalogue file", "alerts": "alerts (drawn at random)",
    "fixed-fields": "a grid of fields",
}  # fmt: skip
LESS_TELLING = ("visits", "fibres_lr_science", "carbon")
NO_ARMS = (
    "Fibres are matched to targets in their reach; collisions between positioner arms are ignored "
    "(the scenario key allocation.collisions brings them in).",
)
LIMITS = (
    "Effective exposure time is a scaling law of seeing, transparency, airmass and sky brightness, "
    "not a spectrum-by-spectrum calculation.",
    "Weather, where it is not played again from a file, is drawn from a model of the site's "
    "statistics with assumed correlations; it is no record of real nights.",
    "There is no field rotator and no dithering: a field is observed as it was configured.",
    "Day calibrations are a fixed set of frames each day, whatever was observed.",
    "Unless the scenario says otherwise, alerts come evenly over the sky, at a constant rate; they "
    "are no model of real transients.",
    "The links carry this facility's data alone: other users' traffic is not modelled.",
    "Latencies and alerts count what was settled before the run ended; what was still open then is "
    "left out of medians.",
)


def headline(view: View) -> str:
    """The figures that answer first."""
    found = {n: m for n, m in view.summary.items() if m["headline"] and m["value"] is not None}
    for name in LESS_TELLING:
        if len(found) > MOST_FIGURES:
            found.pop(name, None)
    cards = [_card(n, m) for n, m in list(found.items())[:MOST_FIGURES]]
    if not cards:
        return (
            "<p class=nothing>No headline figure: nothing to show because nothing was measured.</p>"
        )
    return f'<div class="cards">{"".join(cards)}</div>'


def _card(name: str, metric: dict[str, Any]) -> str:
    number, unit = amount(metric["value"], metric["unit"])
    return (
        f'<div class="card" data-metric="{escape(name)}" title="{escape(metric["value"])} '
        f'{escape(metric["unit"])}"><p class="number">{escape(number)} '
        f'<span class="unit">{escape(unit)}</span></p><p>{escape(metric["meaning"])}</p></div>'
    )


def banner(view: View) -> str:
    """A warning if nights are missing."""
    if view.run.complete:
        return ""
    asked = view.run.manifest.get("nights_asked", "?")
    return (
        f'<p class="banner" role="alert">This run is partial: it holds {view.nights} of '
        f"{escape(asked)} nights. Every number below counts these nights only.</p>"
    )


def simulated(view: View) -> str:
    """What was simulated."""
    manifest, scenario = view.run.manifest, view.run.scenario
    last = view.evening(max(0, view.nights - 1))
    sites = ", ".join(
        f"{n} ({s.cpu_nodes} CPU, {s.gpu_nodes} GPU nodes)"
        for n, s in scenario.computing.sites.items()
    )
    facts = [
        ("Scenario", f"{scenario.title} ({scenario.name})"),
        ("About it", scenario.description),
        ("Site and telescope", f"{scenario.site.title}; {scenario.telescope.title}"),
        ("Evenings", f"{view.start.isoformat()} to {last.isoformat()}"),
        ("Nights", f"{view.nights} of {manifest.get('nights_asked', view.nights)}"),
        ("Seed", manifest.get("seed", "")),
        ("Computing", sites),
    ]
    terms = "".join(f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>" for k, v in facts if str(v).strip())
    return f"<dl>{terms}</dl>{_surveys(view)}"


def _surveys(view: View) -> str:
    mock = set(view.run.manifest.get("mock_surveys", ()))
    rows = [
        [name, s.title, s.mode.upper(), _source(name, s.source.kind, mock), s.priority,
         None if s.goal else s.required_s / 60.0]
        for name, s in view.run.scenario.surveys.items()
    ]  # fmt: skip
    columns = ["survey", "what", "mode", "targets", "priority", "effective time needed [min]"]
    return html_table(columns, rows)


def _source(name: str, kind: str, mock: set[str]) -> str:
    if name in mock:
        return "MOCK, not observed"
    return SOURCES.get(kind, kind)


def assumptions(view: View) -> str:
    """Where the numbers come from: what the user set, and what is assumed."""
    entries = view.run.provenance
    kinds: dict[str, int] = {}
    for entry in entries:
        kinds[entry["confidence"]] = kinds.get(entry["confidence"], 0) + 1
    assumed = [e for e in entries if e["confidence"] == "assumed"]
    chosen = [
        e for e in entries if e["confidence"] == "set" and "hardware_models" not in e["source"]
    ]
    total = sum(n for k, n in kinds.items() if k != "set") or 1
    text = (
        f"<p>Of {total} sourced hardware values, {kinds.get('published', 0)} are published, "
        f"{kinds.get('derived', 0)} derived from published ones, and {len(assumed)} assumed "
        "because nobody published them.</p>"
    )
    if chosen:
        rows = [[e["path"], e["value"], e["source"]] for e in chosen]
        text += "<p>Set by the user over the hardware models:</p>"
        text += html_table(["what", "value", "where"], rows)
    else:
        text += "<p>No hardware value was changed by the user.</p>"
    return text + _assumed(assumed)


def _assumed(entries: list[dict[str, str]]) -> str:
    if not entries:
        return "<p>Nothing is marked as assumed.</p>"
    columns = ["what", "value", "plausible range", "why this value"]
    rows = [[e["path"], e["value"], e["range"], " ".join(filter(None, (e["source"], e["note"])))]
            for e in entries]  # fmt: skip
    table = html_table(columns, rows, "small")
    return f"<details><summary>{count(len(entries))} assumed values</summary>{table}</details>"


def limits(view: View) -> str:
    """What this version, or this run, does not do."""
    texts = LIMITS if view.run.scenario.allocation.collisions else NO_ARMS + LIMITS
    return "<ul>" + "".join(f"<li>{escape(t)}</li>" for t in texts) + "</ul>"


def summary_table(view: View) -> str:
    """All metrics."""
    rows = []
    for name, metric in view.summary.items():
        number, unit = amount(metric["value"], metric["unit"])
        rows.append([name, number, unit, metric["meaning"]])
    exact = [[n, m["value"], m["unit"], m["meaning"]] for n, m in view.summary.items()]
    columns = ["metric", "value", "unit", "meaning"]
    return html_table(columns, rows) + details("summary", columns, exact)
