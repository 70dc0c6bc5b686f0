"""How good a run was for its surveys: completeness, uniformity, cadence, and who paid for whom.

Everything here is computed from the tables of a run. Completeness counts distinct targets: those
expected in the fields of a survey's tiles, where fields overlap once (by area).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow.compute as pc

from wstdes.study.columns import Floats, floats, ints
from wstdes.study.coverage import coverage, distinct, tiles
from wstdes.study.run import Run

__all__ = ["SHARES", "Curve", "cadence_kept", "completeness", "date_done", "joint"]

SHARES = (0.5, 0.9, 0.95, 0.99)
"""Shares of a survey whose dates are looked for."""


@dataclass(frozen=True, eq=False)
class Curve:
    """Completeness of a survey against time.

    Parameters
    ----------
    targets : float
        Distinct targets (fields) expected in the tiles' fields.
    t_s : ndarray of float64, shape (nights + 1,)
        The noons, from the first [s].
    completed, share : ndarray of float64, shape (nights + 1,)
        Targets finished until then, and their share; nan where nobody knows how many there are.
    """

    targets: float
    t_s: Floats
    completed: Floats
    share: Floats


def completeness(run: Run) -> dict[str, Curve]:
    """Share of the targets finished at each noon, by survey.

    Parameters
    ----------
    run : Run
        With any number of nights.

    Returns
    -------
    dict of str to Curve
        Surveys without tiles of their own (alerts) have no share.
    """
    of, where = coverage(run), tiles(run)
    targets = distinct(run, where, of) if of and len(where.ra_rad) else {}
    table = run.table("progress", ["t_s", "survey", "completed"])
    found = {}
    for name in run.scenario.surveys:
        mine = table.filter(pc.equal(table.column("survey"), name))
        if not mine.num_rows:
            continue
        t_s = np.append(0.0, floats(mine, "t_s"))
        completed = np.append(0.0, floats(mine, "completed"))
        whole = targets.get(name, 0.0)
        share = np.clip(completed / whole, 0.0, 1.0) if whole else np.full(len(t_s), np.nan)
        found[name] = Curve(whole, t_s, completed, share)
    return found


def joint(run: Run, curves: dict[str, Curve]) -> Curve | None:
    """Completeness of all surveys together, each target by its survey's weight; None if none."""
    known = {n: c for n, c in curves.items() if c.targets > 0.0}
    weight = {n: run.scenario.surveys[n].weight for n in known}
    whole = sum(weight[n] * c.targets for n, c in known.items())
    if not whole:
        return None
    t_s = next(iter(known.values())).t_s
    zero = np.zeros(len(t_s))
    done = sum((weight[n] * c.targets * c.share for n, c in known.items()), zero)
    completed = sum((np.minimum(c.completed, c.targets) for c in known.values()), zero)
    return Curve(sum(c.targets for c in known.values()), t_s, completed, done / whole)


def date_done(curve: Curve, share: float) -> float | None:
    """When a share of the targets was first finished [s], between noons by a straight line.

    Parameters
    ----------
    curve : Curve
        Of a survey.
    share : float
        Above 0, up to 1.

    Returns
    -------
    float or None
        None if it never was.
    """
    there = np.flatnonzero(curve.share >= share)
    if not len(there):
        return None
    i = int(there[0])
    return float(np.interp(share, curve.share[i - 1 : i + 1], curve.t_s[i - 1 : i + 1]))


def cadence_kept(run: Run) -> dict[str, tuple[int, int]]:
    """Returns to a tile in their window, and all returns, by survey with a cadence.

    The window is the survey's interval, less or more its tolerance, from visit to visit; those
    that ended before their first exposure are none.
    """
    rules = {n: s.cadence for n, s in run.scenario.surveys.items() if s.cadence is not None}
    if not rules:
        return {}
    visits = run.table("visits", ["visit", "tile", "decided_s", "exposures"])
    visits = visits.filter(pc.greater(visits.column("exposures"), 0))
    tile = dict(zip(*(visits.column(c).to_pylist() for c in ("visit", "tile")), strict=True))
    when = dict(zip(*(visits.column(c).to_pylist() for c in ("visit", "decided_s")), strict=True))
    given = run.table("assignments", ["visit", "survey", "assigned"])
    found = {}
    for name, cadence in rules.items():
        mine = given.filter(
            pc.and_(pc.equal(given.column("survey"), name), pc.greater(given.column("assigned"), 0))
        )
        numbers = mine.column("visit").to_pylist()
        if run.scenario.surveys[name].mode == "ifs":
            numbers = _ifs_pointings(run, name)
        last: dict[int, float] = {}
        kept = returns = 0
        for visit in sorted(numbers):
            place = tile.get(visit)
            if place is None:
                continue
            if place in last:
                since = when[visit] - last[place]
                returns += 1
                kept += abs(since - cadence.interval_s) <= cadence.tolerance_s
            last[place] = when[visit]
        found[name] = (kept, returns)
    return found


def _ifs_pointings(run: Run, survey: str) -> list[int]:
    """Visits whose integral-field exposures were on tiles of a survey."""
    of = coverage(run).get(survey)
    visits = run.table("visits", ["visit", "tile"])
    seen = run.table("exposures", ["visit", "mode"])
    seen = seen.filter(pc.equal(seen.column("mode"), "ifs"))
    exposed = np.isin(ints(visits, "visit"), ints(seen, "visit"))
    mine = np.isin(ints(visits, "tile"), of.tile if of else np.zeros(0, dtype=np.int64))
    return [int(v) for v in ints(visits, "visit")[exposed & mine]]
