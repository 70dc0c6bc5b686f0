"""Schedulers compared by the dates at which 90, 95 and 99 % of a survey are done.

Greedy, design hour angles and look-ahead meet the same nights (weather goes by seed), so that
their differences are theirs; on the bench they are held against the bound of the season's linear
programme, too. Two engines: `bench`, a bare loop over nights (survey_bench.py); `run`, the whole
simulator::

    python analysis/schedulers.py --case wst --seeds 5
    python analysis/schedulers.py --engine run --scenario desi-main --nights 1000 --seeds 20 \
        --set tiles.passes_of.dark=2 --set tiles.passes_of.bright=1 --minimum-rate 0.04
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from survey_bench import Bench, Nights, known, season_of, weather
from survey_cases import Case, desi, wst

import wstdes
from wstdes.config import digest
from wstdes.config.base import PolicyRef
from wstdes.policies import make_policy
from wstdes.policies.season import season_bound

Array = NDArray[np.float64]
SHARES = (0.90, 0.95, 0.99)
POLICIES: dict[str, dict[str, Any]] = {
    "merit": {"use": "merit"},
    "design-hour-angle": {"use": "design-hour-angle"},
    "look-ahead": {"use": "look-ahead"},
}


def interval(values: Array) -> tuple[float, float]:
    """Mean and half the 95 % interval of Student's t; infinite where a value is."""
    from scipy.stats import t

    if not np.isfinite(values).all() or len(values) < 2:
        return float(np.mean(values)), math.inf
    half = t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / math.sqrt(len(values))
    return float(values.mean()), float(half)


def bench(case: Case, seeds: int) -> tuple[dict[str, Array], dict[str, str]]:
    """Dates of each policy, shape (seeds, shares) [nights], and what it took."""
    dates: dict[str, list[list[float]]] = {name: [] for name in ["bound", *POLICIES]}
    notes: dict[str, str] = {}
    season = season_of(case)
    for seed in range(1, seeds + 1):
        nights = Nights(*weather(case, seed), season)
        dates["bound"].append(season_bound(known(nights), SHARES))
        for name, ref in POLICIES.items():
            policy = make_policy("scheduling", PolicyRef.model_validate(ref))
            outcome = Bench(case, nights, policy).run()
            dates[name].append([outcome.night(share) for share in SHARES])
            state = outcome.state
            notes[name] = (
                f"{outcome.seconds:.0f} s, of it {state.seconds['plan']:.1f} s for "
                f"{state.plans} plans and {1e3 * state.seconds['choose'] / state.decisions:.2f} "
                f"ms a decision; open shutter {state.open_s / 3600.0:,.0f} h"
            )
            print(f"seed {seed} {name}: {dates[name][-1]}", file=sys.stderr)
    return {name: np.array(rows) for name, rows in dates.items()}, notes


def simulate(
    scenario: str, nights: int, seeds: int, folder: Path, changes: Sequence[str], **options: Any
) -> dict[str, Array]:
    """The same by full runs, which are kept: dates by the targets completed, all surveys.

    `options` are those of all three policies; what they leave open is as the policies have it. A
    run that is kept must be of the same scenario.
    """
    dates: dict[str, list[list[float]]] = {name: [] for name in POLICIES}
    for seed in range(1, seeds + 1):
        for name, ref in POLICIES.items():
            out = folder / f"{name}-{seed}"
            policy = {**ref, "options": options}
            overrides = [*changes, f"seed={seed}", f"policies.scheduling={policy}"]
            overrides.append("fidelity=statistical")
            if (out / "summary.json").is_file():
                run = wstdes.load(out)
                asked = wstdes.scenario(scenario, overrides=[*overrides, f"nights={nights}"])
                if run.manifest["scenario_digest"] != digest(asked.scenario):
                    raise SystemExit(f"{out} holds a run of another scenario: choose another --out")
            else:
                run = wstdes.run(scenario, nights=nights, overrides=overrides, out=out)
            dates[name].append(run_dates(run))
            print(f"seed {seed} {name}: {dates[name][-1]}", file=sys.stderr)
    return {name: np.array(rows) for name, rows in dates.items()}


def run_dates(run: Any) -> list[float]:
    """First nights after which shares of what all surveys want are done; infinite if never.

    Each survey counts by its share done, so that many small targets do not hide few large ones;
    shares are known at the noons of the table `coverage`, linear between them.
    """
    rows = run.table("coverage", ["night", "survey", "remaining", "total"])
    sums = rows.group_by(["night", "survey"]).aggregate([("remaining", "sum"), ("total", "sum")])
    shares: dict[int, list[float]] = {}
    for row in sums.to_pylist():
        if row["total_sum"] > 0.0:
            left = row["remaining_sum"] / row["total_sum"]
            shares.setdefault(row["night"], []).append(1.0 - left)
    nights = sorted(shares)
    done = np.maximum.accumulate([0.0, *(float(np.mean(shares[night])) for night in nights)])
    ends = np.array([0.0, *(night + 1.0 for night in nights)])
    return [float(np.interp(x, done, ends)) if done[-1] >= x else math.inf for x in SHARES]


def table(dates: dict[str, Array]) -> str:
    """Mean dates with intervals, differences to the first policy, gap to the bound."""
    first = dates["merit"]
    head = "".join(f"{f'{share:.0%} [night]':>20}" for share in SHARES)
    lines = [f"{'':22}{head}"]

    def line(label: str, values: Array, unit: str = "") -> str:
        cells = []
        for column in values.T:
            mean, half = interval(column)
            spread = "" if math.isinf(half) else f" +- {half:.3g}"
            cells.append(f"{f'{mean:.4g}{spread}{unit}':>20}")
        return f"{label:22}" + "".join(cells)

    for name, values in dates.items():
        lines.append(line(name, values))
    for name, values in dates.items():
        if name not in {"merit", "bound"}:
            with np.errstate(invalid="ignore"):  # where neither is done
                lines.append(line(f"{name} - merit", values - first))
    if "bound" in dates:
        for name, values in dates.items():
            if name != "bound":
                with np.errstate(invalid="ignore"):
                    gap = 100.0 * (values / dates["bound"] - 1.0)
                lines.append(line(f"{name}, gap", gap, " %"))
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the comparison."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--engine", choices=["bench", "run"], default="bench")
    parser.add_argument("--case", choices=["wst", "desi"], default="wst", help="of the bench")
    parser.add_argument("--tiles", type=Path, help="tile-info.fits of desisurvey, for --case desi")
    parser.add_argument("--size", type=float, default=0.1, help="share of the tiles (0.1)")
    parser.add_argument("--seeds", type=int, default=5, help="number of seeds (5)")
    parser.add_argument("--scenario", default="baseline", help="of --engine run")
    parser.add_argument("--nights", type=int, help="at most")
    parser.add_argument("--set", action="append", default=[], help="key=value, of --engine run")
    parser.add_argument("--minimum-rate", type=float, help="of all policies, --engine run")
    parser.add_argument("--out", type=Path, default=Path("runs/schedulers"), help="of --engine run")
    chosen = parser.parse_args(arguments)
    if chosen.engine == "run":
        nights = chosen.nights or 1826
        options = {} if chosen.minimum_rate is None else {"minimum_rate": chosen.minimum_rate}
        asked = chosen.scenario, nights, chosen.seeds, chosen.out, chosen.set
        print(table(simulate(*asked, **options)))
        return
    if chosen.case == "desi" and chosen.tiles is None:
        parser.error("--case desi needs --tiles")
    case = wst(chosen.size) if chosen.case == "wst" else desi(chosen.tiles, chosen.size)
    case = replace(case, nights=chosen.nights) if chosen.nights else case
    dates, notes = bench(case, chosen.seeds)
    print(f"{chosen.case}, {len(case.ra_rad)} tiles, {chosen.seeds} seeds; means, 95 % intervals")
    print(table(dates))
    for name, note in notes.items():
        print(f"{name}: {note}")


if __name__ == "__main__":
    main()
