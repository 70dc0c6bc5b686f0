"""A configuration of the focal plane: who gets which fibre in a field."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from wstdes.agents.parts import Parts
from wstdes.agents.records import Alert
from wstdes.allocation import Assignment, FibreUse, assign
from wstdes.models.focalplane import HR, LR, project
from wstdes.survey.fields import STANDARD, FieldTargets, field_targets
from wstdes.survey.progress import SurveyProgress
from wstdes.survey.statistical import Claim

if TYPE_CHECKING:
    from wstdes.allocation.motion import Configuration as AnglesOfArms

__all__ = ["MODE_KIND", "Configuration", "assign_field", "configure"]

MODE_KIND = {"lr": LR, "hr": HR}


@dataclass
class Configuration:
    """Targets that have a fibre, and how all were counted.

    Parameters
    ----------
    survey, pixel, index, required_s, kind : ndarray, shape (assigned,)
        Columns of :class:`FieldTargets` for the science targets with a fibre.
    sizes : dict
        Targets in the cell, by (survey, cell).
    alerts : list of int
        Numbers of the alerts with a fibre.
    wanted, assigned : dict of int to int
        By survey number: unfinished targets in the field, and those with a fibre.
    uses : dict of str to dict of str to int
        By mode: how its fibres are used.
    candidates : dict of str to int
        By mode: targets that wanted a fibre.
    fibre, alert_fibre : ndarray of int32, shape (assigned,), (alerts,)
        Their fibres.
    use : ndarray of int8, shape (fibres,)
        :class:`FibreUse` of each fibre.
    worth : ndarray of float64, shape (fibres,)
        Priority of each fibre's target; above all others for standards and sky.
    wanted_angles : Configuration of motors, or None
        Where the arms should be; None where arms are not considered.
    gap : float or None
        How far the sum of priorities may be from the greatest; None where it is the greatest.
    claim : Claim or None
        At statistical fidelity, who has a fibre in expected numbers; arrays by target and by fibre
        are empty then, but for the alerts'.
    """

    survey: NDArray[np.int16]
    pixel: NDArray[np.int64]
    index: NDArray[np.int64]
    required_s: NDArray[np.float32]
    kind: NDArray[np.int8]
    sizes: dict[tuple[int, int], int]
    alerts: list[int]
    wanted: dict[int, int]
    assigned: dict[int, int]
    uses: dict[str, dict[str, int]] = field(default_factory=dict)
    candidates: dict[str, int] = field(default_factory=dict)
    fibre: NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, dtype=np.int32))
    alert_fibre: NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, dtype=np.int32))
    use: NDArray[np.int8] = field(default_factory=lambda: np.zeros(0, dtype=np.int8))
    worth: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    wanted_angles: AnglesOfArms | None = None
    gap: float | None = None
    claim: Claim | None = None

    @property
    def modes(self) -> list[str]:
        """Modes whose fibres are on targets."""
        return [mode for mode, uses in self.uses.items() if uses["science"] > 0]

    def drop(self, lost: NDArray[np.bool_], kinds: NDArray[np.int8], alert_survey: int) -> None:
        """Take their targets from fibres that do not get there.

        Parameters
        ----------
        lost : ndarray of bool, shape (fibres,)
            Which ones.
        kinds : ndarray of int8, shape (fibres,)
            LR or HR.
        alert_survey : int
            Number of the survey that alerts feed.
        """
        for mode, kind in MODE_KIND.items():
            for use in (FibreUse.SCIENCE, FibreUse.STANDARD, FibreUse.SKY):
                gone = int((lost & (kinds == kind) & (self.use == use)).sum())
                self.uses[mode][use.name.lower()] -= gone
                self.uses[mode]["unassigned"] += gone
        self.use[lost] = FibreUse.UNASSIGNED
        kept = ~lost[self.fibre]
        for number in self.survey[~kept].tolist():
            self.assigned[number] -= 1
        self.survey, self.pixel, self.index = (
            self.survey[kept],
            self.pixel[kept],
            self.index[kept],
        )
        self.required_s, self.kind = self.required_s[kept], self.kind[kept]
        self.fibre = self.fibre[kept]
        there = ~lost[self.alert_fibre]
        if not there.all():
            self.assigned[alert_survey] -= int((~there).sum())
        self.alerts = [a for a, is_there in zip(self.alerts, there, strict=True) if is_there]
        self.alert_fibre = self.alert_fibre[there]


def configure(
    parts: Parts,
    progress: list[SurveyProgress],
    usable: NDArray[np.bool_],
    ra_rad: float,
    dec_rad: float,
    wanted: frozenset[int],
    year: float,
    alerts: list[Alert],
) -> Configuration:
    """Assign every fibre for a field.

    Parameters
    ----------
    parts : Parts
        The facility.
    progress : list of SurveyProgress
        By survey number.
    usable : ndarray of bool, shape (fibres,)
        Fibres that can be used.
    ra_rad, dec_rad : float
        Centre, ICRS [rad].
    wanted : frozenset of int
        Numbers of the surveys that get fibres.
    year : float
        Julian year.
    alerts : list of Alert
        Those that wait.

    Returns
    -------
    Configuration
    """
    model, plane = parts.scenario.telescope, parts.focal_plane
    surveys = [s for s in parts.fibre_surveys if s.number in wanted]
    targets = field_targets(
        [*parts.standards, *surveys],
        progress,
        ra_rad,
        dec_rad,
        radius_m=plane.reach_m,
        scale_m_per_rad=model.plate_scale_m_per_rad,
        year=year,
    )
    targets = _with_alerts(parts, targets, alerts, ra_rad, dec_rad)
    assignment, angles, gap = assign_field(parts, targets, usable)
    science = targets.survey != STANDARD
    got = science & (assignment.fibre_of_target >= 0)
    fed = got & (targets.survey == (parts.alert_survey if parts.alert_survey is not None else -2))
    counted = sorted({s.number for s in surveys} | {int(s) for s in targets.survey[fed]})
    n = len(parts.survey_names)
    found = np.bincount(targets.survey[science], minlength=n)
    served = np.bincount(targets.survey[got], minlength=n)
    result = Configuration(
        targets.survey[got & ~fed],
        targets.pixel[got & ~fed],
        targets.index[got & ~fed],
        targets.required_s[got & ~fed],
        targets.kind[got & ~fed],
        targets.sizes,
        [int(n) for n in targets.index[fed]],
        {s: int(found[s]) for s in counted},
        {s: int(served[s]) for s in counted},
        fibre=assignment.fibre_of_target[got & ~fed],
        alert_fibre=assignment.fibre_of_target[fed],
        use=assignment.use.copy(),
        worth=_worth(targets, assignment),
        wanted_angles=angles,
        gap=gap,
    )
    for mode, kind in MODE_KIND.items():
        counts = assignment.counts(kind)
        result.uses[mode] = {use.name.lower(): int(n) for use, n in counts.items()}
        result.candidates[mode] = int((science & (targets.kind == kind)).sum())
    return result


def _with_alerts(
    parts: Parts, targets: FieldTargets, alerts: list[Alert], ra_rad: float, dec_rad: float
) -> FieldTargets:
    """Add the alerts that lie in the field, ahead of their priority's targets."""
    number = parts.alert_survey
    if number is None or not alerts:
        return targets
    survey = parts.survey(number)
    ra = np.array([a.ra_rad for a in alerts])
    dec = np.array([a.dec_rad for a in alerts])
    x, y, visible = project(
        ra, dec, ra_rad, dec_rad, parts.scenario.telescope.plate_scale_m_per_rad
    )
    inside = visible & (np.hypot(np.nan_to_num(x), np.nan_to_num(y)) <= parts.focal_plane.reach_m)
    here = np.flatnonzero(inside)
    n = len(here)
    numbers = np.array([a.number for a in alerts], dtype=np.int64)
    return FieldTargets(
        np.concatenate([np.full(n, number, dtype=np.int16), targets.survey]),
        np.concatenate([np.zeros(n, dtype=np.int64), targets.pixel]),
        np.concatenate([numbers[here], targets.index]),
        np.concatenate([np.full(n, survey.required_s, dtype=np.float32), targets.required_s]),
        np.concatenate([x[here], targets.x_m]),
        np.concatenate([y[here], targets.y_m]),
        np.concatenate([np.full(n, MODE_KIND[survey.mode], dtype=np.int8), targets.kind]),
        np.concatenate([np.full(n, survey.priority), targets.priority]),
        targets.sizes,
    )


def assign_field(
    parts: Parts, targets: FieldTargets, usable: NDArray[np.bool_]
) -> tuple[Assignment, AnglesOfArms | None, float | None]:
    """Give the targets of a field their fibres.

    Parameters
    ----------
    parts : Parts
        The facility.
    targets : FieldTargets
        Those that want one, and the standards.
    usable : ndarray of bool, shape (fibres,)
        Fibres that can be used.

    Returns
    -------
    assignment : Assignment
        Use of each fibre.
    angles, gap
        Where arms are kept apart, their angles and the relative distance from the best; else None.
    """
    model, plane = parts.scenario.focal_plane, parts.focal_plane
    standard = targets.survey == STANDARD
    what = (plane, usable, targets.x_m, targets.y_m, targets.kind, targets.priority, standard)
    if parts.scenario.allocation.collisions:
        from wstdes.field.configure import assign_arms

        done = assign_arms(
            *what,
            sky=(model.sky_fraction, model.sky_fraction),
            standards=(model.standard_fraction_lr, model.standard_fraction_hr),
        )
        return done.assignment, done.wanted, done.gap
    count = [int((usable & (plane.kind == kind)).sum()) for kind in (LR, HR)]
    assignment = assign(
        *what,
        sky=(round(model.sky_fraction * count[0]), round(model.sky_fraction * count[1])),
        standards=(
            round(model.standard_fraction_lr * count[0]),
            round(model.standard_fraction_hr * count[1]),
        ),
    )
    return assignment, None, None


def _worth(targets: FieldTargets, assignment: Assignment) -> NDArray[np.float64]:
    """What each fibre is worth where two cannot both move."""
    most = float(targets.priority.max(initial=0.0))
    use = assignment.use
    worth = np.where((use == FibreUse.STANDARD) | (use == FibreUse.SKY), most + 1.0, 0.0)
    science = np.flatnonzero(use == FibreUse.SCIENCE)
    worth[science] = targets.priority[assignment.target_of_fibre[science]]
    return worth
