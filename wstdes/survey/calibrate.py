"""Calibrating the statistical account on full allocations, and measuring its error.

Some fields of this very run are given their fibres exactly, visit after visit, with real progress.
Half of them fix the parameters of the law (:mod:`wstdes.survey.law`); the other half is foretold
by the account, from expected densities alone, and the difference is its error.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from wstdes.survey.law import Law
from wstdes.survey.statistical import (
    StatisticalAccount,
    StatisticalModel,
    StatisticalState,
)

__all__ = ["CLASSES", "Calibration", "Rehearsal", "Trial", "calibrate", "classes", "fit_law"]

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

CLASSES = 6
"""Into how many a survey is divided whose targets need different times."""
_USAGE = (0.4, 1.1)
_TYPICAL_CHANCE = 0.3
_TYPICAL_CLUMPING = 0.3
_SPREAD = 0.3


@dataclass(frozen=True, eq=False)
class Trial:
    """One visit of a field, with every fibre assigned; numbers by survey where not said else.

    Parameters
    ----------
    wants : ndarray of bool, shape (surveys,)
        Surveys that wanted this sky.
    fibres, capacity : tuple of int
        Usable fibres of each kind, and the most that could go to targets.
    wanted : ndarray of float64, shape (surveys,)
        Unfinished targets.
    begun, untouched, total : ndarray of float64, shape (surveys,)
        Of those within reach: with some of their time, with none, and all at the start.
    got_begun, got_untouched : ndarray of float64, shape (surveys,)
        Targets with a fibre.
    effective_s : float
        Effective time that they got [s].
    completed : ndarray of float64, shape (surveys,)
        Targets of the field that are finished after the visit.
    """

    wants: BoolArray
    fibres: tuple[int, int]
    capacity: tuple[int, int]
    wanted: FloatArray
    begun: FloatArray
    untouched: FloatArray
    total: FloatArray
    got_begun: FloatArray
    got_untouched: FloatArray
    effective_s: float
    completed: FloatArray


@dataclass(frozen=True, eq=False)
class Rehearsal:
    """The visits of one tile."""

    tile: int
    trials: tuple[Trial, ...]


@dataclass
class Calibration:
    """What a calibration found: data.

    Parameters
    ----------
    law : Law
        Its parameters.
    fields, visits : int
        Fields rehearsed, and visits of each.
    survey : list of str
        A row of the table of errors: name of the survey,
    visit : list of int
        number of the visit, from 1, or 0 for all of them together,
    assigned, assigned_error, assigned_rms : list of float
        targets with a fibre in a held-out field, as assigned exactly, the mean error of the
        account and its root mean square,
    completed, completed_error, completed_rms : list of float
        the same of targets finished by then.
    """

    law: Law
    fields: int = 0
    visits: int = 0
    survey: list[str] = field(default_factory=list)
    visit: list[int] = field(default_factory=list)
    assigned: list[float] = field(default_factory=list)
    assigned_error: list[float] = field(default_factory=list)
    assigned_rms: list[float] = field(default_factory=list)
    completed: list[float] = field(default_factory=list)
    completed_error: list[float] = field(default_factory=list)
    completed_rms: list[float] = field(default_factory=list)


def classes(required_s: FloatArray, most: int = CLASSES) -> tuple[FloatArray, FloatArray]:
    """Divide targets by the time they need.

    Parameters
    ----------
    required_s : ndarray of float64, shape (n,)
        Of a sample of targets [s]; at least one.
    most : int
        How many classes there may be.

    Returns
    -------
    mean_s, share : ndarray of float64, shape (classes,)
        Mean time of each class [s], and its share of the targets; one class if all are alike.
    """
    ordered = np.sort(np.asarray(required_s, dtype=np.float64))
    if ordered[-1] - ordered[0] <= 1e-6 * ordered[-1]:
        return ordered[:1], np.ones(1)
    parts = [part for part in np.array_split(ordered, most) if len(part)]
    return np.array([p.mean() for p in parts]), np.array([len(p) / len(ordered) for p in parts])


def fit_law(rehearsals: list[Rehearsal], model: StatisticalModel, crowded: bool = False) -> Law:
    """Fit the law's parameters to fields that were given their fibres exactly.

    Parameters
    ----------
    rehearsals : list of Rehearsal
        Fields to fit.
    model : StatisticalModel
        Surveys, their kinds and priorities; its law is not used.
    crowded : bool
        Whether arms are in each other's way, so that fewer fibres count than there are.

    Returns
    -------
    Law
        Least squares of targets with a fibre, by survey and visit, in units of their own noise
        and a hundredth of the fibres.
    """
    from scipy.optimize import least_squares

    surveys = len(model.priority)
    trials = [_Ready(model, r.tile, t) for r in rehearsals for t in r.trials]
    kinds = sorted({int(k) for k in model.kind})
    x0 = [_TYPICAL_CHANCE] * len(kinds) + [_TYPICAL_CLUMPING] * surveys
    low, high = [1e-3] * len(kinds) + [0.0] * surveys, [20.0] * len(kinds) + [3.0] * surveys
    if crowded:
        x0, low = x0 + [0.9] * len(kinds), low + [_USAGE[0]] * len(kinds)
        high = high + [_USAGE[1]] * len(kinds)

    def law(x: FloatArray) -> Law:
        chance, usage = np.full(2, _TYPICAL_CHANCE), np.ones(2)
        chance[kinds] = x[: len(kinds)]
        if crowded:
            usage[kinds] = x[len(kinds) + surveys :]
        return Law(chance, usage, x[len(kinds) : len(kinds) + surveys].copy())

    def residuals(x: FloatArray) -> FloatArray:
        now = law(x)
        typical = (x - np.array(x0)) / _SPREAD  # what no field tells stays as it usually is
        return np.concatenate([typical, *(ready.residual(now) for ready in trials)])

    if not trials:
        return Law(clumping=np.zeros(surveys))
    done = least_squares(
        residuals,
        x0,
        bounds=(low, high),
        diff_step=np.full(len(x0), 1e-3),
        max_nfev=30,
    )
    return law(np.asarray(done.x))


class _Ready:
    """A trial as the law wants it."""

    def __init__(self, model: StatisticalModel, tile: int, trial: Trial) -> None:
        covered = float(model.covered[tile, trial.wants].max(initial=0.0))
        self.trial = trial
        self.kinds = [
            (kind, model.groups(kind, trial.wants), trial.fibres[kind] * covered)
            for kind in sorted({int(k) for k in model.kind})
        ]
        self.noise = np.ones(len(model.priority))
        for survey, kind in zip(model.survey, model.kind, strict=True):
            got = trial.got_begun[survey] + trial.got_untouched[survey]
            self.noise[survey] = np.sqrt(got + 1.0) + 0.01 * trial.fibres[kind]

    def residual(self, law: Law) -> FloatArray:
        """Foretold less actual targets with a fibre, over their noise, float64[surveys]."""
        trial = self.trial
        found = -(trial.got_begun + trial.got_untouched)
        for kind, groups, fibres in self.kinds:
            got = law.serve(
                groups,
                trial.begun,
                trial.untouched,
                trial.total,
                fibres,
                float(trial.capacity[kind]),
                kind,
            )
            np.add.at(found, groups[:, 0], got)
        return found / self.noise


def calibrate(
    rehearsals: list[Rehearsal],
    model: StatisticalModel,
    names: list[str],
    crowded: bool = False,
) -> Calibration:
    """Fit the law to half of the fields, and measure the account's error on the others.

    Parameters
    ----------
    rehearsals : list of Rehearsal
        Fields sorted by density: every second one is held out.
    model : StatisticalModel
        Its law is not used.
    names : list of str
        Of the surveys.
    crowded : bool
        As for :func:`fit_law`.

    Returns
    -------
    Calibration
    """
    law = fit_law(rehearsals[0::2], model, crowded)
    held = rehearsals[1::2]
    visits = max((len(r.trials) for r in rehearsals), default=0)
    found = Calibration(law, len(rehearsals), visits)
    if not held:
        return found
    account = _Replay(replace(model, law=law))
    runs = [account.run(rehearsal) for rehearsal in held]
    # fields, visits, surveys, (assigned, completed), (full, statistical)
    table = np.array(runs)
    for s, name in enumerate(names):
        for visit in range(visits + 1):
            mine = table[:, visit - 1, s] if visit else _all(table[:, :, s])
            error = mine[..., 1] - mine[..., 0]
            found.survey.append(name)
            found.visit.append(visit)
            for k, what in enumerate(("assigned", "completed")):
                getattr(found, what).append(float(mine[:, k, 0].mean()))
                getattr(found, what + "_error").append(float(error[:, k].mean()))
                rms = float(np.sqrt((error[:, k] ** 2).mean()))
                getattr(found, what + "_rms").append(rms)
    return found


def _all(visits: FloatArray) -> FloatArray:
    """All visits together: the sum of the assigned, the last number of the completed."""
    return np.stack([visits[:, :, 0].sum(axis=1), visits[:, -1, 1]], axis=1)


class _Replay:
    """The account, led through visits that were made with full allocation."""

    def __init__(self, model: StatisticalModel) -> None:
        tiles, surveys = len(model.pieces.tile_start) - 1, len(model.priority)
        self.model = model
        self.remaining = np.zeros((tiles, surveys))
        self.account = StatisticalAccount(
            model, StatisticalState(), self.remaining, tuple(range(surveys))
        )

    def run(self, rehearsal: Rehearsal) -> list[list[list[list[float]]]]:
        """Assigned and completed, full and statistical, by visit and survey."""
        start = self.model.in_tiles()[rehearsal.tile]
        found = []
        for trial in rehearsal.trials:
            claim, _, assigned = self.account.configure(
                rehearsal.tile, trial.wants, trial.fibres, trial.capacity
            )
            seconds = np.full(len(start), trial.effective_s)
            for kind in (0, 1):
                self.account.credit(claim, kind, seconds)
            done = start - self.account.unfinished(rehearsal.tile)
            got = trial.got_begun + trial.got_untouched
            found.append(
                [
                    [
                        [float(got[s]), float(assigned[s])],
                        [float(trial.completed[s]), float(done[s])],
                    ]
                    for s in range(len(start))
                ]
            )
        return found
