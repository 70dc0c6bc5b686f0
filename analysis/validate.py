"""What is published of DESI and of WST, beside what the simulator makes of them.

Runs a scenario for one or several seeds (runs that are there are opened instead) and prints a
table in Markdown: published, simulated with its interval, difference. Uses the public interface
alone::

    python analysis/validate.py desi --nights 1826 --seeds 3 --out runs/validate
    python analysis/validate.py desi --tiles /data/tile-info.fits --out runs/validate-tiles
    python analysis/validate.py 4most --out runs/validate
    python analysis/validate.py wst --out runs/validate
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import wstdes
from wstdes.errors import WstdesError

YEAR_NIGHTS = 365.25
HOUR_S = 3600.0
Array = NDArray[np.float64]


def column(run: Any, table: str, name: str) -> Array:
    """A column of a run's table as numbers; null becomes nan."""
    return np.asarray(run.table(table, [name]).column(name).to_pylist(), dtype=np.float64)


def words(run: Any, table: str, name: str) -> NDArray[np.str_]:
    """A column of a run's table as text."""
    return np.asarray(run.table(table, [name]).column(name).to_pylist(), dtype=np.str_)


# Nights ---------------------------------------------------------------------------------------


def hours(run: Any, within: int | None = None) -> dict[str, float]:
    """Hours of the night by what was done in them, twilight left out; of the first nights."""
    seconds = column(run, "time_use", "end_s") - column(run, "time_use", "start_s")
    state = words(run, "time_use", "state")
    early = column(run, "time_use", "night") < (run.nights if within is None else within)
    kinds = [str(s) for s in np.unique(state) if s != "twilight"]
    return {s: float(seconds[(state == s) & early].sum()) / HOUR_S for s in kinds}


def open_shutter(run: Any) -> float:
    """Share of the time with the shutter open, of that in which something is observed."""
    spent = hours(run)
    away = ("weather", "fault", "idle", "closed")
    return spent["science"] / sum(h for s, h in spent.items() if s not in away)


def dome_closed(run: Any) -> float:
    """Share of the nights of the calendar that the weather took."""
    spent = hours(run)
    return spent.get("weather", 0.0) / sum(h for s, h in spent.items() if s != "closed")


def nights(run: Any, within: int = 365) -> dict[str, int]:
    """Nights with data, closed by the calendar, and lost whole, of the first ones."""
    number = column(run, "visits", "night")[column(run, "visits", "exposures") > 0]
    with_data = set(number[number < within].astype(int).tolist())
    closed = set(
        column(run, "nights", "night")[words(run, "nights", "closed") != ""].astype(int).tolist()
    )
    counted = set(range(min(within, run.nights)))
    return {
        "data": len(with_data),
        "closed": len(closed & counted),
        "lost": len((counted & under_weather(run)) - closed - with_data),
    }


def under_weather(run: Any) -> set[int]:
    """Nights of which the weather took nine tenths and more."""
    night = column(run, "time_use", "night").astype(int)
    seconds = column(run, "time_use", "end_s") - column(run, "time_use", "start_s")
    state = words(run, "time_use", "state")
    whole = np.bincount(night, seconds * (state != "twilight"), run.nights)
    lost = np.bincount(night, seconds * (state == "weather"), run.nights)
    return set(np.flatnonzero(lost >= 0.9 * whole).tolist())


def lost_whole(run: Any) -> float:
    """Share of the nights that weather took whole, of these and of those with data."""
    counted = nights(run, run.nights)
    return counted["lost"] / (counted["lost"] + counted["data"])


def exposures_a_night(run: Any) -> float:
    """Exposures, over nights with any."""
    taken = column(run, "visits", "exposures")
    return float(taken.sum()) / len(np.unique(column(run, "visits", "night")[taken > 0]))


def exposures_in_all(run: Any) -> float:
    """Exposures of the whole run."""
    return float(column(run, "visits", "exposures").sum())


# Surveys --------------------------------------------------------------------------------------


def tiles_done(run: Any, survey: str) -> tuple[Array, Array]:
    """Nights at which it was written down, and share of a survey's tiles done, from the start."""
    mine = words(run, "coverage", "survey") == survey
    night = column(run, "coverage", "night")[mine]
    done = column(run, "coverage", "remaining")[mine] <= 0.0
    when = np.unique(night)
    share = np.array([done[night == n].mean() for n in when])
    return np.concatenate([[0.0], when + 1.0]), np.concatenate([[0.0], share])


def years_to(survey: str, share: float) -> Callable[[Any], float]:
    """Return a function: years until a share of the survey's tiles is done; nan if never."""

    def years(run: Any) -> float:
        night, done = tiles_done(run, survey)
        late = np.flatnonzero(done >= share)
        if not len(late):
            return math.nan
        i = late[0]
        step = (share - done[i - 1]) / (done[i] - done[i - 1])
        return float(night[i - 1] + step * (night[i] - night[i - 1])) / YEAR_NIGHTS

    return years


def tiles_in(survey: str, years: float) -> Callable[[Any], float]:
    """Return a function: share of the survey's tiles done after some years."""
    return lambda run: float(np.interp(years * YEAR_NIGHTS, *tiles_done(run, survey)))


def completed(*surveys: str) -> Callable[[Any], float]:
    """Return a function: millions of targets of these surveys with all their time."""

    def millions(run: Any) -> float:
        last = column(run, "progress", "night") == run.nights - 1
        mine = np.isin(words(run, "progress", "survey"), surveys)
        return float(column(run, "progress", "completed")[last & mine].sum()) / 1e6

    return millions


def metric(name: str, scale: float = 1.0) -> Callable[[Any], float]:
    """Return a function that takes a metric from a run's summary."""

    def value(run: Any) -> float:
        found = run.summary[name]["value"]
        return math.nan if found is None else scale * float(found)

    return value


def science_hours_a_year(run: Any) -> float:
    """Hours with the shutter open on science, a year."""
    return hours(run)["science"] * YEAR_NIGHTS / float(run.nights)


def visits_a_night(run: Any) -> float:
    """Visits of nights with any."""
    mine = column(run, "visits", "exposures") > 0
    return float(mine.sum()) / len(np.unique(column(run, "visits", "night")[mine]))


# Tables ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Line:
    """A quantity: what it is called, what is published or derived, how a run gives it.

    `basis` says what the first number is: published, derived or measured elsewhere.
    """

    label: str
    figure: float
    basis: str
    of: Callable[[Any], float]
    shown: str = ".2f"
    nights_min: int = 1


DESI = (
    Line("open shutter while observing", 0.90, "published", open_shutter),
    Line("dome closed, of the calendar's nights", 0.318, "published", dome_closed, ".3f", 365),
    Line("nights lost whole, of those in the calendar", 0.174, "derived", lost_whole, ".3f", 365),
    Line("nights with data, first year", 242, "published", lambda r: nights(r)["data"], ".0f", 365),
    Line("nights closed by the calendar, first year", 72, "published",
         lambda r: nights(r)["closed"], ".0f", 365),
    Line("exposures a night with data", 33, "published", exposures_a_night, ".1f", 365),
    Line("exposures in five years", 56786, "surveysim", exposures_in_all, ".0f", 1826),
    Line("dark tiles done after 1.1 years", 0.235, "derived", tiles_in("dark", 1.1), ".3f", 402),
    Line("years to 99 % of the dark tiles", 4.67, "derived", years_to("dark", 0.99), ".2f", 1461),
    Line("years to 99 % of the bright tiles", 5.0, "planned",
         years_to("bright", 0.99), ".2f", 1461),
    Line("dark targets observed [million]", 26.0, "published", completed("dark"), ".1f", 1826),
    Line("bright galaxies observed [million]", 13.8, "published",
         completed("bright"), ".1f", 1826),
)  # fmt: skip
FOURMOST = (
    Line("objects in five years [million]", 25, "published",
         completed("galaxies", "stars-lr", "stars-hr"), ".1f", 1826),
    Line("open shutter while observing", 0.85, "derived", open_shutter),
    Line("visits a night with any", 8.0, "derived", visits_a_night, ".1f"),
)  # fmt: skip
WST = (
    Line("open-shutter hours a year", 2422, "derived", science_hours_a_year, ".0f", 365),
    Line("open shutter while observing", 0.85, "assumed", open_shutter),
    Line("visits a night with any", 8.4, "derived", visits_a_night, ".1f"),
    Line("galaxies in five years [million]", 300, "published",
         completed("cosmo-wide"), ".1f", 1826),
    Line("stars at low resolution [million]", 25, "published",
         completed("milky-way"), ".1f", 1826),
    Line("stars at high resolution [million]", 2, "published",
         completed("bright-stars-hr"), ".2f", 1826),
    Line("integral-field spectra, first time [1e9]", 4.0, "published",
         lambda r: 1e-3 * 518400 * completed("ifs-fields")(r), ".2f", 1826),
    Line("raw data [PB/yr]", 0.55, "derived", metric("raw_written_per_year"), ".2f"),
)  # fmt: skip
STUDIES: dict[str, tuple[str, tuple[Line, ...]]] = {
    "desi": ("desi-main", DESI),
    "4most": ("4most", FOURMOST),
    "wst": ("wst-five-years", WST),
}


def half_width(values: Array) -> float:
    """Half of Student's 95 % interval of the mean; nan for a single value."""
    from scipy.stats import t

    if len(values) < 2:
        return math.nan
    quantile = float(t.ppf(0.975, len(values) - 1))
    return quantile * float(values.std(ddof=1)) / math.sqrt(len(values))


def rows(lines: Sequence[Line], runs: Sequence[Any]) -> list[str]:
    """The table in Markdown; lines that want a longer run are left out."""
    text = ["| quantity | figure | | simulated | difference |", "|---|---|---|---|---|"]
    for line in lines:
        if runs[0].nights < line.nights_min:
            continue
        found = np.array([line.of(run) for run in runs], dtype=np.float64)
        mean, half = float(found.mean()), half_width(found)
        shown = "never" if math.isnan(mean) else f"{mean:{line.shown}}"
        shown += "" if math.isnan(half) else f" +- {half:{line.shown}}"
        away = "" if math.isnan(mean) else f"{100.0 * (mean / line.figure - 1.0):+.0f} %"
        figure = f"{line.figure:{line.shown}}"
        text.append(f"| {line.label} | {figure} | {line.basis} | {shown} | {away} |")
    return text


def simulate(
    scenario: str, nights: int | None, seeds: int, folder: Path, overrides: Sequence[str]
) -> list[Any]:
    """A run for each seed; those that are there are opened."""
    runs = []
    first = int(wstdes.scenario(scenario, overrides=overrides).scenario.seed)
    for seed in range(first, first + seeds):
        out = folder / f"{scenario}-{seed}"
        if (out / "summary.json").is_file():
            runs.append(wstdes.load(out))
        else:
            mine = [*overrides, f"seed={seed}"]
            runs.append(wstdes.run(scenario, nights=nights, out=out, overrides=mine))
    return runs


def main(arguments: Sequence[str] | None = None) -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("study", choices=list(STUDIES))
    parser.add_argument("--nights", type=int)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--tiles", type=Path, help="DESI's tile-info.fits")
    parser.add_argument("--set", action="append", default=[], help="key=value, over the scenario")
    parser.add_argument("--out", type=Path, default=Path("runs/validate"))
    given = parser.parse_args(arguments)
    scenario, lines = STUDIES[given.study]
    overrides = list(given.set)
    if given.tiles is not None:
        scenario = "desi-tiles"
        overrides.append(f"tiles.path={given.tiles.resolve()}")
    try:
        runs = simulate(scenario, given.nights, given.seeds, given.out, overrides)
    except WstdesError as error:
        sys.exit(str(error))
    print(f"{scenario}, {runs[0].nights} nights, {len(runs)} seed(s):\n")
    print("\n".join(rows(lines, runs)))


if __name__ == "__main__":
    main()
