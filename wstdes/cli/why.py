"""`wstdes why`: why a visit was made, and what came next."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from wstdes.study.run import Run

__all__ = ["why"]

_CLOSE = 1e-6


def why(
    folder: Annotated[Path, typer.Argument(help="A run directory.")],
    visit: Annotated[int, typer.Argument(help="Number of the visit, from 0.", min=0)],
) -> None:
    """Say why a visit was made: the score of its tile, term by term, and of the next best."""
    from wstdes.study.run import load_run

    run = load_run(folder)
    row = _visit(run, visit)
    best, second = _terms(run, visit)
    print("\n".join([*_head(run, row), "", *_table(row, best, second)]))


def _visit(run: Run, visit: int) -> dict[str, Any]:
    """The row of a visit that a scheduling policy chose."""
    import pyarrow.compute as pc

    from wstdes.errors import RunError

    visits = run.table("visits")
    found = visits.filter(pc.equal(visits["visit"], visit)).to_pylist()
    if not found:
        last = pc.max(visits["visit"]).as_py()
        known = "it has none" if last is None else f"it has visits 0 to {last}"
        raise RunError(f"{run.folder} has no visit {visit}: {known}")
    row = dict(found[0])
    if row["reason"] != "survey":
        raise RunError(
            f"visit {visit} was made for an alert ({row['reason']}): "
            "the policy for alerts chose it, not that for scheduling"
        )
    return row


def _terms(run: Run, visit: int) -> tuple[dict[str, float], dict[str, float]]:
    """Terms of the tile that was chosen, and of the next best, in their order."""
    import pyarrow.compute as pc

    from wstdes.errors import RunError

    if "scores" not in run.tables:
        raise RunError(
            f"{run.folder} has no table 'scores': the run was made before scores were kept; "
            "run the scenario again"
        )
    scores = run.table("scores")
    terms: tuple[dict[str, float], dict[str, float]] = ({}, {})
    for row in scores.filter(pc.equal(scores["visit"], visit)).to_pylist():
        terms[int(row["rank"])][row["term"]] = float(row["value"])
    return terms


def _head(run: Run, row: dict[str, Any]) -> list[str]:
    """Which visit, when, where, by which policy."""
    from wstdes.clock import Clock

    scenario = run.scenario
    moment = Clock(scenario.start, scenario.site.longitude_rad).utc(row["decided_s"])
    return [
        f"Visit {row['visit']}, decided {moment:%Y-%m-%d %H:%M:%S} UTC in night {row['night']} "
        f"by {scenario.policies.scheduling.use}",
        f"Tile {row['tile']} at right ascension {row['ra_deg']:.3f} deg, "
        f"declination {row['dec_deg']:.3f} deg",
    ]


def _table(row: dict[str, Any], best: dict[str, float], second: dict[str, float]) -> list[str]:
    """Terms beside each other, and their score."""
    if not best:
        return [f"score {row['score']:.4g}; the policy gave no terms"]
    names = [*best, *(name for name in second if name not in best)]
    score, other = row["score"], row["runner_up_score"]
    kind = _kind(list(best.values()), score)
    last = f"score ({kind})" if kind else "score"
    width = max(map(len, [*names, last]))
    tile, next_tile = f"tile {row['tile']}", f"tile {row['runner_up']}"
    has_next = row["runner_up"] is not None
    lines = [" " * width + f"{tile:>13}" + (f"{next_tile:>13}{'ratio':>9}" if has_next else "")]
    for name in names:
        lines.append(f"{name:{width}}" + _cells(best.get(name), second.get(name), has_next))
    lines.append(f"{last:{width}}" + _cells(score, other, has_next))
    if not has_next:
        return [*lines, "", "No other tile was worth observing."]
    gain = f", and have gained {second['gain']:.4g}" if "gain" in second else ""
    share = f"{other / score:.1%}" if score else "as much"
    return [*lines, "", f"Next best, tile {row['runner_up']} would have scored {share}{gain}."]


def _cells(one: float | None, other: float | None, has_next: bool) -> str:
    def cell(value: float | None) -> str:
        return f"{'-' if value is None else format(value, '.4g'):>13}"

    if not has_next:
        return cell(one)
    ratio = format(one / other, ".3g") if one is not None and other else "-"
    return f"{cell(one)}{cell(other)}{ratio:>9}"


def _kind(terms: list[float], score: float) -> str:
    """Whether a score is the product or the sum of its terms."""
    if math.isclose(math.prod(terms), score, rel_tol=_CLOSE):
        return "product"
    return "sum" if math.isclose(math.fsum(terms), score, rel_tol=_CLOSE) else ""
