"""What the observer writes down of nights and visits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from wstdes.agents.visits import VisitRun

if TYPE_CHECKING:
    from wstdes.agents.observer import Observer
    from wstdes.agents.visit import Visit

__all__ = ["record_coverage", "record_fidelity", "record_night", "record_visit"]

COVERAGE_NIGHTS = 30
"""Where the surveys stand in each tile is written every so many noons."""

Span = tuple[float, float] | None


def record_fidelity(observer: Observer) -> None:
    """What the statistical fidelity's calibration found of its own error."""
    statistical = observer.parts.statistical
    if statistical is None:
        return
    found, columns = statistical.calibration, ("assigned", "completed")
    errors = {f"{c}{e}": getattr(found, f"{c}{e}") for c in columns for e in ("", "_error", "_rms")}
    if found.survey:
        observer.day.trace.extend(
            "fidelity", {"survey": found.survey, "visit": found.visit, **errors}
        )


def record_night(observer: Observer, dark: Span, science: Span, closed: str, visits: int) -> None:
    """A night has ended."""
    day, parts = observer.day, observer.parts
    middle = observer.planner.sky.at(day.start_s + 43200.0)
    observer.record(
        "nights",
        night=day.index,
        date=parts.clock.evening(day.index).isoformat(),
        sunset_s=dark[0] if dark else None,
        science_start_s=science[0] if science else None,
        science_end_s=science[1] if science else None,
        sunrise_s=dark[1] if dark else None,
        moon_illumination=middle.moon_illumination,
        visits=visits,
        closed=closed,
    )


def record_coverage(observer: Observer) -> None:
    """Where the tiles are, once; where each survey stands in each, now and then."""
    day, parts = observer.day, observer.parts
    tiling, total = parts.tiling, parts.total
    if day.index == 0:
        columns = {
            "tile": np.arange(len(tiling)),
            "name": tiling.ids.tolist(),
            "ra_deg": np.degrees(tiling.ra_rad),
            "dec_deg": np.degrees(tiling.dec_rad),
            "radius_deg": np.full(len(tiling), np.degrees(parts.reach_rad)),
            "pass": tiling.pass_,
        }
        day.trace.extend("tiles", columns)
    last = day.index == parts.scenario.nights - 1
    if not last and (day.index + 1) % COVERAGE_NIGHTS:
        return
    remaining = observer.ledger.remaining
    for column, number in enumerate(parts.tile_surveys):
        tiles = np.flatnonzero(tiling.inside[:, number])
        columns = {
            "night": day.index,
            "tile": tiles,
            "survey": parts.survey_names[number],
            "remaining": remaining[tiles, column],
            "total": total[tiles, column],
        }
        day.trace.extend("coverage", columns)


def record_visit(observer: Observer, run: VisitRun, decided_s: float, pointing: int) -> None:
    """A visit has ended: the visit, the use of its fibres, and why it was chosen."""
    plan, times, planner = run.plan, run.times, observer.planner
    night_ended = observer.now >= planner.until_s
    start = times[0][0] if times else None
    sight = None if start is None else planner.sight(plan, start)
    observer.record(
        "visits",
        visit=run.number,
        night=observer.day.index,
        tile=plan.tile,
        pointing=pointing,
        reason=plan.reason,
        ra_deg=float(np.degrees(plan.ra_rad)),
        dec_deg=float(np.degrees(plan.dec_rad)),
        **_integral_field(observer, plan, run.shutter.works),
        decided_s=decided_s,
        start_s=start,
        end_s=times[-1][1] if times else None,
        airmass=None if sight is None else sight.airmass,
        sky=None if sight is None else sight.sky,
        signal_expected=plan.signal,
        slew_s=run.slew_s,
        reconfiguration_s=run.reconfiguration_s,
        exposures=len(times),
        open_shutter_s=run.open_s,
        planned_open_s=plan.open_s,
        goal_s=None if plan.goal is None else plan.goal.effective_s,
        allocation_gap=run.config.gap,
        score=plan.decision.score,
        runner_up=plan.decision.runner_up,
        runner_up_score=plan.decision.runner_up_score,
        interrupted_by=run.cause or ("night" if night_ended and not times else ""),
    )
    _record_scores(observer, run)
    _record_fibres(observer, run)


def _integral_field(
    observer: Observer, plan: Visit, works: dict[str, str]
) -> dict[str, float | None]:
    """Where the integral field looks that a visit begins."""
    tiling = observer.parts.tiling
    if plan.tile is None or "ifs" not in works:
        return {}
    ra, dec = float(tiling.ifs_ra_rad[plan.tile]), float(tiling.ifs_dec_rad[plan.tile])
    if np.isnan(ra):  # the centre
        ra, dec = plan.ra_rad, plan.dec_rad
    return {"ifs_ra_deg": float(np.degrees(ra)), "ifs_dec_deg": float(np.degrees(dec))}


def _record_scores(observer: Observer, run: VisitRun) -> None:
    decision = run.plan.decision
    ranked = ((decision.tile, decision.terms), (decision.runner_up, decision.runner_up_terms))
    columns: dict[str, list[object]] = {k: [] for k in ("rank", "tile", "term", "value")}
    for rank, (tile, terms) in enumerate(ranked):
        columns["rank"] += [rank] * len(terms)
        columns["tile"] += [tile] * len(terms)
        columns["term"] += terms
        columns["value"] += [float(value) for value in terms.values()]
    visits = [run.number] * len(columns["rank"])
    observer.day.trace.extend("scores", {"visit": visits, **columns})


def _record_fibres(observer: Observer, run: VisitRun) -> None:
    config, parts = run.config, observer.parts
    for mode, uses in config.uses.items():
        if mode not in parts.modes:
            continue
        observer.record(
            "fibres",
            visit=run.number,
            mode=mode,
            **uses,
            candidates=config.candidates[mode],
            unused_time_s=uses["unassigned"] * run.open_s,
        )
    for number, survey in enumerate(parts.survey_names):
        if config.wanted.get(number):
            observer.record(
                "assignments",
                visit=run.number,
                survey=survey,
                mode=parts.scenario.surveys[survey].mode,
                wanted=config.wanted[number],
                assigned=config.assigned[number],
            )
