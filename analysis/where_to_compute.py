"""Where to compute: in a remote centre, on the mountain, or beside the archive.

Runs one scenario three times, as it is and under two overlays, and compares latency, energy of
computing, carbon, money and bytes on the links. The three runs meet the same weather and the same
alerts, because random numbers go by name. Uses the public interface alone::

    python analysis/where_to_compute.py --nights 3 --out runs/where
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import wstdes
from wstdes.errors import WstdesError

PLACES = {
    "remote centre": (),
    "on the mountain": ("overlays/compute-on-mountain",),
    "at the archive": ("overlays/compute-at-archive",),
}
"""Label to overlays: the scenarios `baseline` and `small` reduce in a remote centre."""

COLOUR = "#0072B2"
"""Blue of the Okabe-Ito palette."""


@dataclass(frozen=True)
class Quantity:
    """Something to compare: how it is called, its unit, and how a run gives it."""

    label: str
    unit: str
    of: Callable[[Any], float | None]


def metric(name: str) -> Callable[[Any], float | None]:
    """Return a function that takes a metric from a run's summary."""

    def value(run: Any) -> float | None:
        found = run.summary[name]["value"]
        return None if found is None else float(found)

    return value


def long_haul_tb(run: Any) -> float:
    """Bytes carried by the link of the greatest latency, which crosses the ocean [TB]."""
    links = run.scenario.network.links
    ocean = max(links, key=lambda name: (links[name].latency_s, name))
    levels = run.table("levels", ["start_s", "end_s", "value", "site", "level"]).to_pylist()
    moved = sum(
        (row["end_s"] - row["start_s"]) * row["value"]
        for row in levels
        if row["level"] == "link_bytes_per_s" and row["site"] == ocean
    )
    return float(moved) / 1e12


def computing_mwh(run: Any) -> float:
    """Energy of nodes and storage with their cooling, at all sites [MWh]."""
    rows = run.table("power", ["start_s", "end_s", "value", "agent"]).to_pylist()
    joules = sum(
        (row["end_s"] - row["start_s"]) * row["value"]
        for row in rows
        if row["agent"].startswith("computing@") or row["agent"] in {"storage", "cooling"}
    )
    return float(joules) / 3.6e9


QUANTITIES = (
    Quantity("Raw data in the archive, median", "h", metric("raw_latency_median")),
    Quantity("Products in the archive, median", "h", metric("products_latency_median")),
    Quantity("Products in the archive, 95 %", "h", metric("products_latency_95")),
    Quantity("Computing with storage, cooling", "MWh", computing_mwh),
    Quantity("Carbon, whole facility", "tCO2e", metric("carbon")),
    Quantity("Money, data and power", "kEUR", metric("money_data_and_power")),
    Quantity("Carried over the ocean", "TB", long_haul_tb),
)


def simulate(scenario: str, nights: int, folder: Path) -> dict[str, Any]:
    """Run the scenario once for each place; runs that are there already are opened."""
    runs = {}
    for place, overlays in PLACES.items():
        out = folder / place.replace(" ", "-")
        if (out / "summary.json").is_file():
            run = wstdes.load(out)
            if run.nights != nights or run.scenario.name != scenario:
                raise WstdesError(f"{out} holds another run; choose another folder with --out")
        else:
            print(f"simulating {nights} nights, reduction {place} ...", file=sys.stderr)
            run = wstdes.run(scenario, nights=nights, overlays=overlays, out=out)
        runs[place] = run
    return runs


def table(rows: dict[Quantity, list[float | None]]) -> str:
    """Lay the comparison out as text: a row a quantity, a column a place."""
    width = max(len(f"{q.label} [{q.unit}]") for q in rows)
    lines = [" " * width + "".join(f"{place:>18}" for place in PLACES)]
    for quantity, values in rows.items():
        label = f"{quantity.label} [{quantity.unit}]"
        cells = "".join(f"{'-' if v is None else format(v, '.4g'):>18}" for v in values)
        lines.append(f"{label:{width}}{cells}")
    return "\n".join(lines)


def draw(rows: dict[Quantity, list[float | None]], title: str, path: Path) -> None:
    """Draw a small bar chart for each quantity, all with their units."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    columns = 4
    lines = -(-len(rows) // columns)
    figure, grid = plt.subplots(lines, columns, figsize=(13.0, 2.4 * lines), sharey=True)
    places = list(PLACES)
    for axes, (quantity, values) in zip(grid.flat, rows.items(), strict=False):
        known = [0.0 if v is None else v for v in values]
        bars = axes.barh(places, known, color=COLOUR, height=0.6)
        axes.bar_label(bars, ["-" if v is None else f"{v:.3g}" for v in values], padding=3)
        axes.set_title(quantity.label, fontsize=10, loc="left")
        axes.set_xlabel(quantity.unit)
        axes.set_xlim(0.0, 1.25 * max([*known, 1e-9]))
        axes.spines[["top", "right"]].set_visible(False)
    for axes in list(grid.flat)[len(rows) :]:
        axes.set_visible(False)
    grid.flat[0].invert_yaxis()
    figure.suptitle(title, x=0.01, ha="left", fontsize=12)
    figure.tight_layout()
    figure.savefig(path, dpi=120)
    plt.close(figure)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the study."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--scenario", default="small", help="small (default) or baseline")
    parser.add_argument("--nights", type=int, default=3, help="nights to simulate (3)")
    parser.add_argument("--out", type=Path, default=Path("runs/where-to-compute"), help="folder")
    chosen = parser.parse_args(arguments)
    try:
        runs = simulate(chosen.scenario, chosen.nights, chosen.out)
    except WstdesError as error:
        sys.exit(f"where_to_compute: {error}")
    rows = {q: [q.of(run) for run in runs.values()] for q in QUANTITIES}
    print(table(rows))
    figure = chosen.out / "where-to-compute.png"
    title = (
        f"What moves with the place of the reduction: scenario '{chosen.scenario}', "
        f"{chosen.nights} nights, same weather; node counts and prices assumed"
    )
    draw(rows, title, figure)
    print(f"Figure  {figure}")


if __name__ == "__main__":
    main()
