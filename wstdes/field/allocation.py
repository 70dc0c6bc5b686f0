"""What an allocation found: the use of every fibre, and what was wanted and got."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from wstdes.allocation.problem import Purpose
from wstdes.models.focalplane import HR, LR

if TYPE_CHECKING:
    import numpy.typing as npt

    from wstdes.allocation.problem import Solution
    from wstdes.field.catalogue import TargetList
    from wstdes.field.frame import Frame
    from wstdes.field.hardware import Hardware
    from wstdes.field.problem import FieldProblem

__all__ = ["MODES", "Allocation", "Share", "Use", "Visit"]

MODES = {LR: "LR", HR: "HR"}
"""Names of the kinds of fibres."""


class Use(IntEnum):
    """What a fibre does during a visit; each one does exactly one of these."""

    SCIENCE = 0
    STANDARD = 1
    SKY = 2
    UNASSIGNED = 3
    BROKEN = 4
    STUCK = 5


@dataclass(frozen=True, eq=False)
class Visit:
    """One visit of the field.

    Parameters
    ----------
    field : FieldProblem
        The problem that was solved.
    solution : Solution
        What the method found.
    use : int8[n]
        :class:`Use` of each fibre.
    target : int32[n]
        Row in the allocation's list of targets of each fibre, or -1.
    aim_m : float64[n, 2]
        Where each fibre is on the focal plane [m]; NaN for those that stay at home.
    worth : float64[t] or None
        What each target of the problem was worth in this one of several visits.
    """

    field: FieldProblem
    solution: Solution
    use: npt.NDArray[np.int8]
    target: npt.NDArray[np.int32]
    aim_m: npt.NDArray[np.float64]
    worth: npt.NDArray[np.float64] | None = None


@dataclass(frozen=True)
class Share:
    """Targets of a survey, a mode or a class: how many were wanted, and how many were served.

    Parameters
    ----------
    name : str
        The survey, mode or class.
    wanted : int
        Science targets in the field that lacked visits.
    assigned : int
        Those of them that got a fibre in one visit or more.
    finished : int
        Those of them that now have all their visits.
    """

    name: str
    wanted: int
    assigned: int
    finished: int

    @property
    def completeness(self) -> float:
        """Share of the wanted targets that were assigned, 0 to 1; 1 where none was wanted."""
        return self.assigned / self.wanted if self.wanted else 1.0


@dataclass(frozen=True, eq=False)
class Allocation:
    """The targets of a field on its fibres, visit by visit.

    Parameters
    ----------
    hardware : Hardware
        The focal plane.
    frame : Frame
        How the sky lies on it.
    targets : TargetList
        The targets in the field, in the catalogue's order.
    x_m, y_m : float64[t]
        Where they fall on the focal plane [m].
    visits : tuple of Visit
        One or more.
    broken, stuck : bool[n]
        Positioners out of use.
    got : int32[t]
        Visits in which each target had a fibre.
    reach : int8[t]
        0 where no positioner of the target's kind reaches it, 1 where only broken or stuck ones
        do, 2 where one that works does.
    seed : int
        For what was drawn.
    notes : tuple of str
        What the user should know of quotas and rules.
    plan : (float, float) or None
        Of several visits, the worth of the targets completed, and a bound of every plan: it
        counts parts of targets, and leaves collisions out.
    shared : bool
        Whether surveys have shares, so that weights alone do not decide.
    """

    hardware: Hardware
    frame: Frame
    targets: TargetList
    x_m: npt.NDArray[np.float64]
    y_m: npt.NDArray[np.float64]
    visits: tuple[Visit, ...]
    broken: npt.NDArray[np.bool_]
    stuck: npt.NDArray[np.bool_]
    got: npt.NDArray[np.int32]
    reach: npt.NDArray[np.int8]
    seed: int
    notes: tuple[str, ...] = ()
    plan: tuple[float, float] | None = None
    shared: bool = False

    @property
    def objective(self) -> float:
        """Worth of the science targets with a fibre; of several visits, of those completed."""
        if self.plan is not None:
            return self.plan[0]
        return sum(visit.solution.objective for visit in self.visits)

    @property
    def upper_bound(self) -> float:
        """What no assignment exceeds; of several visits, what no plan of them completes."""
        if self.plan is not None:
            return self.plan[1]
        return sum(visit.solution.upper_bound for visit in self.visits)

    @property
    def gap(self) -> float:
        """Relative distance of the objective from the bound; 0 is proven optimal."""
        bound = self.upper_bound
        return max(bound - self.objective, 0.0) / bound if bound > 0.0 else 0.0

    @property
    def seconds(self) -> float:
        """Wall-clock time of the solving alone."""
        return sum(visit.solution.seconds for visit in self.visits)

    @property
    def method(self) -> str:
        """The method that was used."""
        return self.visits[0].solution.method

    def uses(self, kind: int, visit: int = 0) -> dict[Use, int]:
        """Number of fibres of a kind in each use, zeros too; they add up to all of that kind."""
        number = np.bincount(
            self.visits[visit].use[self.hardware.plane.kind == kind], minlength=len(Use)
        )
        return {use: int(number[use]) for use in Use}

    def by_survey(self) -> list[Share]:
        """What each survey wanted and got, in alphabetical order."""
        return self._shares(self.targets.survey, dict(enumerate(self.targets.surveys)))

    def by_mode(self) -> list[Share]:
        """What targets of each resolution mode wanted and got."""
        return self._shares(self.targets.kind, MODES)

    def by_class(self) -> list[Share]:
        """What each class wanted and got, the most important first."""
        present = np.unique(self.targets.target_class)
        return self._shares(self.targets.target_class, {int(c): f"class {c}" for c in present})

    def _shares(self, group: npt.NDArray[np.integer], names: dict[int, str]) -> list[Share]:
        wanted = self.wanted
        done = self.targets.done + self.got >= self.targets.required
        size = max(names) + 1 if names else 0

        def count(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
            return np.bincount(group[mask], minlength=size)

        all_, some, whole = count(wanted), count(wanted & (self.got > 0)), count(wanted & done)
        shares = [Share(n, int(all_[i]), int(some[i]), int(whole[i])) for i, n in names.items()]
        return [share for share in shares if share.wanted]

    @property
    def wanted(self) -> npt.NDArray[np.bool_]:
        """Science targets in the field that lack visits, bool[t]."""
        targets = self.targets
        return np.asarray(
            (targets.purpose == Purpose.SCIENCE) & (targets.done < targets.required), dtype=np.bool_
        )

    def limits(self) -> dict[str, int]:
        """What limited the allocation: numbers of targets and of fibres by reason.

        Returns
        -------
        dict of str to int
            In words; reasons that did not occur are left out.
        """
        wanted, science = self.wanted, self.targets.purpose == Purpose.SCIENCE
        lost = wanted & (self.got == 0)
        last = self.visits[-1]
        idle = last.use == Use.UNASSIGNED
        reached = np.zeros(len(idle), dtype=np.bool_)
        of = last.field.problem.edge_target()
        from wstdes.field.visits import lost_to_others

        purpose = last.field.problem.purpose
        ours = np.ones(len(of), dtype=np.bool_) if purpose is None else purpose[of] == 0
        reached[last.field.problem.fibre[ours]] = True
        missing = last.solution.missing.sum(axis=0) if len(last.solution.missing) else (0, 0, 0)
        reasons = {
            "targets had all their visits before": int((science & ~wanted).sum()),
            "targets are out of reach of every fibre of their mode": int(
                (lost & (self.reach == 0)).sum()
            ),
            "targets are barred by broken or stuck positioners": int(
                (lost & (self.reach == 1)).sum()
            ),
            **lost_to_others(self, lost & (self.reach == 2)),
            "working fibres have no target in reach": int((idle & ~reached).sum()),
            "working fibres were left over beside targets in reach": int((idle & reached).sum()),
            "sky fibres are missing from the quota": int(missing[Purpose.SKY]),
            "standards are missing from the quota": int(missing[Purpose.STANDARD]),
        }
        return {reason: number for reason, number in reasons.items() if number}

    def why(self, identifier: str | int, visit: int = -1) -> list[str]:
        """Say why a target got no fibre.

        Parameters
        ----------
        identifier : str or int
            As in the catalogue.
        visit : int
            Which visit, from 0; the last by default.

        Returns
        -------
        list of str
            One text for each target that has the identifier.
        """
        from wstdes.field.visits import why

        return why(self, identifier, visit)

    def write(self, path: str | Path, visit: int = 0) -> None:
        """Write the assignment of a visit: FITS, or ECSV or Parquet for the fibres alone.

        Parameters
        ----------
        path : str or pathlib.Path
            Ends in .fits, .ecsv or .parquet.
        visit : int
            Which visit, from 0.
        """
        from wstdes.field.files import write_assignment

        write_assignment(self, Path(path), visit)

    def figure(self, path: str | Path, visit: int = 0) -> None:
        """Draw the focal plane of a visit.

        Parameters
        ----------
        path : str or pathlib.Path
            Ends in .png, .svg or .pdf.
        visit : int
            Which visit, from 0.
        """
        from importlib import import_module

        import_module("wstdes.report.focal_plane").draw_focal_plane(self, Path(path), visit)
