"""What alerts waited for, and what they cost the surveys: from the tables of a run alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from wstdes.clock import DAY_S
from wstdes.study.columns import Floats, codes, floats, ints
from wstdes.study.run import Run

__all__ = ["STEPS", "AlertPrice", "Answers", "alert_price", "alert_steps"]

STEPS = (
    "until up at night",
    "weather and faults",
    "exposures under way",
    "other work, and days",
    "slew and reconfiguration",
    "acquisition and calibration",
    "exposures that failed",
    "exposure",
    "read-out and quick look",
)
"""In the order of time; what comes before "exposure" is from alert to shutter."""
_CLOSED = ("weather", "fault", "closed")
_EXPOSING = ("science", "readout")
_MOVING = ("slew", "reconfiguration")


def alert_steps(alerts: pa.Table, time_use: pa.Table) -> dict[str, Floats]:
    """How long each step took that led to a spectrum.

    Parameters
    ----------
    alerts : pyarrow.Table
        Rows of the table ``alerts``, in any selection.
    time_use : pyarrow.Table
        The table of that name: all of it, so that the nights between are known.

    Returns
    -------
    dict of str to ndarray of float64, shape (rows,)
        By :data:`STEPS` [s]. They add up to the time from when the alert asked for the visit to
        the quick look of the exposure that passed; NaN for alerts that were not observed.
    """
    asked, decided = floats(alerts, "asked_s"), floats(alerts, "decided_s")
    opened, closed = floats(alerts, "shutter_open_s"), floats(alerts, "shutter_close_s")
    # The alert may be up two minutes after its field.
    up = np.minimum(np.fmax(asked, floats(alerts, "possible_s")), decided)
    spent = _Spent(time_use)
    steps = {STEPS[0]: up - asked}
    steps[STEPS[1]] = spent.between(up, decided, _CLOSED)
    steps[STEPS[2]] = spent.between(up, decided, _EXPOSING)
    steps[STEPS[3]] = decided - up - steps[STEPS[1]] - steps[STEPS[2]]
    steps[STEPS[4]] = spent.between(decided, opened, _MOVING)
    steps[STEPS[6]] = spent.between(decided, opened, _EXPOSING)
    steps[STEPS[5]] = opened - decided - steps[STEPS[4]] - steps[STEPS[6]]
    steps[STEPS[7]] = closed - opened
    steps[STEPS[8]] = floats(alerts, "quicklook_s") - closed
    return {name: steps[name] for name in STEPS}


class _Spent:
    """The night's time in some states, up to any moment."""

    def __init__(self, time_use: pa.Table) -> None:
        start = floats(time_use, "start_s")
        order = np.argsort(start, kind="stable")
        self._start, self._end = start[order], floats(time_use, "end_s")[order]
        place, self._names = codes(time_use, "state")
        self._place = place[order]

    def between(self, begin_s: Floats, end_s: Floats, states: tuple[str, ...]) -> Floats:
        """Time in these states from moments to moments, shape (n,) [s]."""
        mine = np.isin(self._names, states)[self._place]
        if not mine.any():
            return 0.0 * (end_s - begin_s)
        edges = np.stack([self._start[mine], self._end[mine]], axis=1).ravel()
        so_far = np.repeat(np.cumsum(self._end[mine] - self._start[mine]), 2)
        so_far[::2] = np.concatenate([[0.0], so_far[1:-2:2]])
        spent = np.interp(end_s, edges, so_far) - np.interp(begin_s, edges, so_far)
        return np.where(np.isfinite(end_s - begin_s), spent, np.nan)


@dataclass(frozen=True, eq=False)
class Answers:
    """What became of the alerts whose time was over before the run ended; millions may be.

    Parameters
    ----------
    place : ndarray of int64, shape (n,)
        Place of each one's class in `classes`.
    classes : list of str
        Names.
    later, observed, dropped : ndarray of bool, shape (n,)
        Whether it is a visit after the first; whether it was made, or the alert dropped out.
    possible_s, shutter_open_s : ndarray of float64, shape (n,)
        When it was first up at night, and the shutter that answered; NaN where there is none [s].
    """

    place: NDArray[np.int64]
    classes: list[str]
    later: NDArray[np.bool_]
    observed: NDArray[np.bool_]
    dropped: NDArray[np.bool_]
    possible_s: Floats
    shutter_open_s: Floats

    @classmethod
    def read(cls, run: Run) -> Answers:
        """Read them, and no column that is not needed."""
        table = run.table(
            "alerts",
            ["alert_class", "follow_up", "outcome", "possible_s", "shutter_open_s"],
            pc.field("expiry_s") <= run.nights * DAY_S,
        )
        place, classes = codes(table, "alert_class")
        outcome, names = codes(table, "outcome")
        return cls(
            place,
            classes.tolist(),
            ints(table, "follow_up") > 0,
            (names == "observed")[outcome],
            (names == "dropped")[outcome],
            floats(table, "possible_s"),
            floats(table, "shutter_open_s"),
        )

    def of(self, alert_class: str, *, later: bool) -> NDArray[np.bool_]:
        """Which are of a class, first or later visits; bool[n]."""
        if alert_class not in self.classes:
            return np.zeros(len(self.place), dtype=np.bool_)
        mine = self.place == self.classes.index(alert_class)
        return np.asarray(mine & (self.later if later else ~self.later))


@dataclass(frozen=True)
class AlertPrice:
    """What alerts took from the surveys.

    Parameters
    ----------
    visits : int
        Made for an alert. Fibres that the alert left free are on targets of the surveys there.
    night_s : float
        The night's time that these took, slew to read-out [s].
    open_s : float
        Their open-shutter time [s].
    interrupted : int
        Visits of the surveys that ended for an alert.
    lost_s : float
        Open-shutter time that these were to have and did not get [s].
    fibres : int
        Fibres on alerts in fields of the surveys, one a visit.
    displaced : int
        Those in fields where no fibre of the mode was left over: at most so many targets went
        without.
    """

    visits: int
    night_s: float
    open_s: float
    interrupted: int
    lost_s: float
    fibres: int
    displaced: int


def alert_price(run: Run) -> AlertPrice:
    """Count what the alerts of a run took from the surveys.

    The full answer is the difference to a run without alerts (``policies.alerts: insert-only``,
    or rates of 0): the same seed gives it the same nights.
    """
    visits = run.table("visits")
    own = pc.not_equal(visits.column("reason"), "survey")
    for_alerts, surveys = visits.filter(own), visits.filter(pc.invert(own))
    cut = surveys.filter(pc.equal(surveys.column("interrupted_by"), "alert"))
    time_use = run.table("time_use")
    theirs = time_use.filter(pc.is_in(time_use.column("visit"), for_alerts.column("visit")))
    missing = floats(cut, "planned_open_s") - floats(cut, "open_shutter_s")
    fibres, full = _fibres(run, surveys)
    return AlertPrice(
        for_alerts.num_rows,
        float((floats(theirs, "end_s") - floats(theirs, "start_s")).sum()),
        float(floats(for_alerts, "open_shutter_s").sum()),
        cut.num_rows,
        float(np.maximum(missing, 0.0).sum()),
        int(fibres.sum()),
        int(fibres[full].sum()),
    )


def _fibres(run: Run, visits: pa.Table) -> tuple[Floats, NDArray[np.bool_]]:
    """Alerts with a fibre by visit, and whether all fibres of the mode were in use."""
    fed = [n for n, s in run.scenario.surveys.items() if s.source.kind == "alerts"]
    if not fed:
        return np.zeros(0), np.zeros(0, dtype=np.bool_)
    given = run.table("assignments")
    given = given.filter(pc.equal(given.column("survey"), fed[0]))
    given = given.filter(pc.is_in(given.column("visit"), visits.column("visit")))
    used = run.table("fibres")
    used = used.filter(pc.equal(used.column("mode"), run.scenario.surveys[fed[0]].mode))
    full = used.filter(pc.equal(used.column("unassigned"), 0)).column("visit").to_numpy()
    assigned = floats(given, "assigned")
    return assigned, np.isin(given.column("visit").to_numpy(), full)
