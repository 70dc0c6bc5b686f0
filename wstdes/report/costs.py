"""What the run cost in carbon and money."""

from __future__ import annotations

from typing import Any

from wstdes.report.figure import bars, draw
from wstdes.report.palette import INK
from wstdes.report.section import Chart, Item, Nothing, Section
from wstdes.report.text import figures, share
from wstdes.report.view import View
from wstdes.study.accounts import Entry, accounts

__all__ = ["costs"]

OBSERVATORY = "observatory"
SMALL = 0.002
"""Items below this share of the whole are drawn as one."""
UNITS = {"carbon": ("tCO2e", 1e3), "money": ("kEUR", 1e3)}
INTRO = (
    "What was bought for the run (electricity, links), and the run's share of what lasts longer: "
    "embodied carbon and price of nodes, storage, solar plant and battery, in proportion to time."
)


def costs(view: View) -> Section:
    """The section of carbon and money."""
    entries = accounts(view.run) if view.nights else []
    text = INTRO + _observatory([e for e in entries if e.site == OBSERVATORY])
    mine = [e for e in entries if e.site != OBSERVATORY]
    return Section("costs", "Carbon and money", text, [
        _chart(view, mine, "carbon"), _chart(view, mine, "money")
    ])  # fmt: skip


def _observatory(entries: list[Entry]) -> str:
    total = sum(e.value for e in entries)
    if not total:
        return ""
    parts = ", ".join(f"{e.item} {figures(e.value / 1e6)}" for e in entries)
    return (
        f" Building and running the observatory itself is kept apart, as it would dwarf the rest: "
        f"the run's share is {figures(total / 1e6)} MEUR ({parts})."
    )


def _sums(entries: list[Entry], account: str) -> dict[tuple[str, str], float]:
    found: dict[tuple[str, str], float] = {}
    for entry in entries:
        if entry.account == account:
            key = (entry.item, entry.site)
            found[key] = found.get(key, 0.0) + entry.value
    return {k: v for k, v in sorted(found.items(), key=lambda i: (-i[1], i[0])) if v > 0}


def _chart(view: View, entries: list[Entry], account: str) -> Item:
    unit, scale = UNITS[account]
    sums = {k: v / scale for k, v in _sums(entries, account).items()}
    if not sums:
        return Nothing(account.capitalize(), "nothing was emitted or paid.")
    total = sum(sums.values())
    (item, site), value = next(iter(sums.items()))
    aside = "building" if account == "carbon" else "building and running"
    title = (
        f"{account.capitalize()}: {figures(total)} {unit}, {aside} the observatory aside; "
        f"{share(value, total)} of it is {item} ({site})"
    )

    large = {f"{i}, {s}": v for (i, s), v in sums.items() if v >= SMALL * total}
    colours = [view.sites.get(s, INK) for (_, s), v in sums.items() if v >= SMALL * total]
    if len(large) < len(sums):
        large[f"{len(sums) - len(large)} smaller items"] = total - sum(large.values())
        colours.append(INK)

    def paint(figure: Any) -> None:
        axes = figure.subplots()
        texts = [f"{figures(v)} {unit}, {share(v, total)}" for v in large.values()]
        bars(axes, list(large), list(large.values()), colours, texts)
        axes.set_xlabel(f"{account} of the run [{unit}]")

    what = "emitted by" if account == "carbon" else "paid for"
    caption = (
        f"What was {what} each item at each site (the colour is the site's), the largest on top. "
        "Hardware counts by its share of time, whether it was busy or idle."
    )
    basis = {(e.item, e.site): e.basis for e in entries if e.account == account}
    data = [[i, s, v, basis[i, s]] for (i, s), v in sums.items()]
    columns = ["item", "site", f"{account} [{unit}]", "paid in the run, or a share"]
    height = 0.9 + 0.3 * len(large)
    return Chart(account, title, caption, draw(account, title, height, paint), columns, data)
