"""Who drew power, and where it came from."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from wstdes.config.scenario import MOUNTAIN
from wstdes.report.figure import bars, draw, legend, stacked
from wstdes.report.palette import AGENTS, INK, SOURCES, assign
from wstdes.report.section import Chart, Item, Nothing, Section
from wstdes.report.text import figures, percent, share
from wstdes.report.view import Floats, Rows, View
from wstdes.study.accounts import supply_by_site

__all__ = ["energy"]

MWH = 3.6e9
HOURS = [h + 0.5 for h in range(24)]
WORDS = {
    "telescope/enclosure": "enclosure", "telescope/infrastructure": "infrastructure",
    "telescope/instrument-hvac": "instrument cooling", "telescope/drives": "telescope drives",
}  # fmt: skip
DAY_S, HOUR_S = 86400.0, 3600.0
INTRO = (
    "Power is recorded as changes and integrated exactly. The mountain has its own solar plant and "
    "battery; the other sites draw from their grids."
)


def energy(view: View) -> Section:
    """The section of the energy."""
    items = [_agents(view), _sources(view), _sites(view)]
    return Section("energy", "Energy", INTRO, items)


def by_hour(start: Floats, end: Floats, value: Floats) -> Floats:
    """Integral of a power over each hour of the day, noon first [J]."""
    found = np.zeros(24)
    first = np.floor(start / HOUR_S)
    for i in range(int(np.max(np.ceil(end / HOUR_S) - first, initial=0.0))):
        low = np.maximum(start, (first + i) * HOUR_S)
        high = np.minimum(end, (first + i + 1) * HOUR_S)
        hour = ((first + i) % 24).astype(np.int64)
        found += np.bincount(hour, np.maximum(high - low, 0.0) * value, minlength=24)
    return found


def _group(agent: str, load: str) -> str:
    if agent.startswith("spectrographs"):
        return "spectrographs"
    if agent.startswith("computing") or agent in {"storage", "cooling"}:
        return "computing and storage"
    return f"{agent}/{load}" if load else agent


def _hour_axis(axes: Any) -> None:
    axes.set_xticks(range(0, 25, 3), [f"{(12 + h) % 24:02d} h" for h in range(0, 25, 3)])
    axes.set_xlim(0, 24)
    axes.set_xlabel("local solar time, from noon to noon")
    axes.grid(visible=False, axis="x")


def _agents(view: View) -> Item:
    rows = view.rows("power").where(site=MOUNTAIN)
    if not len(rows):
        return Nothing("Power on the mountain", "no power was drawn there.")
    (agent, agents), (load, loads) = rows.coded("agent"), rows.coded("load")
    named = [_group(str(a), str(b)) for a in agents for b in loads]
    names = [*AGENTS, *sorted(set(named) - set(AGENTS))]
    place = np.array([names.index(n) for n in named])[agent * len(loads) + load]
    every = {n: _sum(rows.keep(place == i)) for i, n in enumerate(names)}
    hours = {n: h for n, h in every.items() if n in AGENTS or h.any()}
    colours = assign(hours, AGENTS)
    total = sum(float(h.sum()) for h in hours.values())
    most = max(hours, key=lambda n: float(hours[n].sum()))
    mean = total / (view.nights * DAY_S) / 1e3
    title = (
        f"The mountain draws {figures(mean)} kW in the mean; its largest load, "
        f"{WORDS.get(most, most)}, is {share(float(hours[most].sum()), total)} of it"
    )
    hours = {WORDS.get(n, n): h for n, h in hours.items()}
    colours = {WORDS.get(n, n): c for n, c in colours.items()}
    watts = {n: h / (view.nights * HOUR_S) / 1e3 for n, h in hours.items()}

    def paint(figure: Any) -> None:
        axes = figure.subplots()
        stacked(axes, HOURS, watts, colours, 0.92)
        _hour_axis(axes)
        axes.set_ylabel("mean power [kW]")
        legend(axes)

    caption = (
        "Mean power on the mountain in each hour of the day, over all days of the run, by what "
        "draws it. Loads that are the same at all hours are at the bottom; the telescope's drives "
        "and the positioners work at night only."
    )
    columns = ["hour of local solar time", *(f"{n} [kW]" for n in watts)]
    data = [[(12 + i) % 24, *(float(w[i]) for w in watts.values())] for i in range(24)]
    return Chart("power", title, caption, draw("power", title, 3.2, paint), columns, data)


def _sum(rows: Rows) -> Floats:
    return by_hour(rows.num("start_s"), rows.num("end_s"), rows.num("value"))


def sources(rows: Rows) -> dict[str, Floats]:
    """Power [W] that sun, battery and grid give to the load, in each interval."""
    load = rows.num("load_w")
    sun = np.minimum(rows.num("solar_used_w"), load)
    battery = np.minimum(np.maximum(-rows.num("battery_w"), 0.0), load - sun)
    return {"sun": sun, "battery": battery, "grid": load - sun - battery}


def _sources(view: View) -> Item:
    rows = view.rows("supply").where(site=MOUNTAIN)
    if not len(rows):
        return Nothing("Supply of the mountain", "its supply was not recorded.")
    start, end = rows.num("start_s"), rows.num("end_s")
    scale = 1.0 / (view.nights * HOUR_S) / 1e3
    watts = {n: by_hour(start, end, w) * scale for n, w in sources(rows).items()}
    solar = by_hour(start, end, rows.num("solar_w")) * scale
    used = by_hour(start, end, rows.num("solar_used_w")) * scale
    total = sum(float(w.sum()) for w in watts.values())
    title = (
        f"Of the mountain's energy {share(float(watts['sun'].sum()), total)} came straight from "
        f"the Sun, {share(float(watts['battery'].sum()), total)} from the battery and "
        f"{share(float(watts['grid'].sum()), total)} from the grid"
    )
    unused = 1.0 - float(used.sum()) / float(solar.sum()) if solar.sum() else float("nan")

    def paint(figure: Any) -> None:
        axes = figure.subplots()
        x = HOURS
        stacked(axes, x, watts, SOURCES, 0.92)
        if solar.any():
            axes.stairs(solar, np.arange(25), baseline=None, color=INK, lw=1.6, ls="--",
                        label="solar output available")  # fmt: skip
            axes.set_ylim(0.0, 1.05 * max(axes.get_ylim()[1] / 1.05, float(solar.max())))
        _hour_axis(axes)
        axes.set_ylabel("mean power [kW]")
        legend(axes)

    caption = (
        "Bars: what covers the mountain's load in each hour of the day, mean of all days. Dashed "
        "line: what the solar plant could give; what is above the bars charges the battery or is "
        f"not used ({percent(unused)} of it was not used)."
    )
    columns = ["hour of local solar time", *(f"{n} to the load [kW]" for n in watts),
               "solar output available [kW]", "solar output used or stored [kW]"]  # fmt: skip
    data = [[(12 + i) % 24, *(float(w[i]) for w in watts.values()), float(solar[i]), float(used[i])]
            for i in range(24)]  # fmt: skip
    return Chart("supply", title, caption, draw("supply", title, 3.2, paint), columns, data)


def _sites(view: View) -> Item:
    if not len(view.rows("supply", ["site"])):
        return Nothing("Energy by site", "no supply was recorded.")
    supply = supply_by_site(view.run)
    names = sorted(supply, key=lambda n: -supply[n]["load"])
    values = [supply[n]["load"] / MWH for n in names]
    total = sum(values)
    title = (
        f"{figures(total)} MWh at all sites, {share(values[0], total)} of it at the site {names[0]}"
    )

    def paint(figure: Any) -> None:
        axes = figure.subplots()
        texts = [f"{figures(v)} MWh, {share(v, total)}" for v in values]
        bars(axes, names, values, _colours(view, names), texts)
        axes.set_xlabel("energy drawn in the run [MWh]")

    caption = (
        "Energy drawn at each site, cooling included; 'network' is the transmission equipment of "
        "the links. Computing nodes count whether they are busy or idle."
    )
    columns = ["site", "drawn [MWh]", "from the grid [MWh]", "solar used or stored [MWh]",
               "battery gave [MWh]", "grid's carbon [tCO2e]"]  # fmt: skip
    data = [
        [n, *(supply[n][k] / MWH for k in ("load", "grid", "solar_used", "discharged")),
         supply[n]["carbon"] / 1e3]
        for n in names
    ]  # fmt: skip
    height = 0.9 + 0.32 * len(names)
    return Chart("sites", title, caption, draw("sites", title, height, paint), columns, data)


def _colours(view: View, names: Iterable[str]) -> list[str]:
    return [view.sites.get(n, INK) for n in names]
