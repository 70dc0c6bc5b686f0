"""The surveys' merit in the summary: how much, when, how evenly, how well the time was used."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow.compute as pc

from wstdes.clock import DAY_S
from wstdes.study.columns import floats, texts
from wstdes.study.coverage import uniformity
from wstdes.study.merit import SHARES, cadence_kept, completeness, date_done, joint
from wstdes.study.metric import Metric
from wstdes.study.run import Run

__all__ = ["efficiency", "merit"]


def merit(run: Run) -> Iterator[Metric]:
    """How complete the surveys are, since when, and how evenly."""
    curves = {n: c for n, c in completeness(run).items() if c.targets > 0.0}
    whole = joint(run, curves)
    yield Metric(
        "completeness",
        None if whole is None else float(whole.share[-1]),
        "",
        "share of all surveys' targets finished, each by its survey's weight",
        True,
    )
    for share in SHARES:
        dates = [date_done(c, share) for c in curves.values()]
        known = [d for d in dates if d is not None]
        reached = bool(dates) and len(known) == len(dates)
        yield Metric(
            f"done_{100 * share:.0f}",
            max(known) / DAY_S if reached else None,
            "d",
            f"from the first noon until each survey had {100 * share:.0f} % of its targets",
        )
    even, kept = uniformity(run), cadence_kept(run)
    for name, curve in curves.items():
        yield Metric(
            f"completeness_{name}",
            float(curve.share[-1]),
            "",
            f"share of the targets of {name} finished, of those expected in its tiles' fields",
        )
        for share in SHARES:
            t_s = date_done(curve, share)
            yield Metric(
                f"done_{100 * share:.0f}_{name}",
                None if t_s is None else t_s / DAY_S,
                "d",
                f"from the first noon until {100 * share:.0f} % of the targets of {name}",
            )
        if name in even:
            found, of = even[name], f"completeness of {name}"
            rms = "from its neighbours, root mean square"
            yield Metric(f"uneven_small_{name}", found.small, "", f"{of}: of a tile {rms}")
            yield Metric(
                f"uneven_large_{name}", found.large, "", f"{of}: spread of 95 deg2 patches"
            )
            yield Metric(f"worst_patch_{name}", found.worst, "", f"{of}: least of 95 deg2 patches")
        if name in kept:
            good, returns = kept[name]
            yield Metric(
                f"cadence_kept_{name}",
                good / returns if returns else None,
                "",
                f"share of the returns of {name} to a tile that fell in their window",
            )


def efficiency(run: Run) -> Iterator[Metric]:
    """What the open shutter was worth, and what an hour of night gave."""
    table = run.table("exposures", ["mode", "open_shutter_s", "effective_s"])
    for mode in run.scenario.spectrographs.modes:
        mine = table.filter(pc.equal(table.column("mode"), mode))
        open_s = float(floats(mine, "open_shutter_s").sum())
        effective_s = float(floats(mine, "effective_s").sum())
        what = f"{mode.upper()} exposures"
        yield Metric(
            f"effective_{mode}", effective_s / 3600.0, "h", f"effective time of all {what}"
        )
        yield Metric(
            f"effective_over_open_{mode}",
            effective_s / open_s if open_s else None,
            "",
            f"effective over open-shutter time of {what}",
        )
    use = run.table("time_use", ["start_s", "end_s", "state"])
    dark = (floats(use, "end_s") - floats(use, "start_s"))[texts(use, "state") != "twilight"]
    hours = float(dark.sum()) / 3600.0
    progress = run.table("progress", ["night", "survey", "completed"])
    last = progress.filter(pc.equal(progress.column("night"), run.nights - 1)).to_pylist()
    surveys = run.scenario.surveys
    done = sum(r["completed"] for r in last if surveys[r["survey"]].mode != "ifs")
    yield Metric(
        "targets_per_hour",
        done / hours if hours else None,
        "1/h",
        "targets of fibre surveys finished in an hour of night",
    )
