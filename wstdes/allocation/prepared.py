"""A problem with everything at hand that questions about one target need."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from wstdes.allocation.conflicts import build_conflicts
from wstdes.allocation.outlines import Outlines
from wstdes.allocation.problem import AssignmentProblem, Purpose
from wstdes.allocation.states import Conflicts
from wstdes.errors import WstdesError
from wstdes.jit import plain
from wstdes.models.focalplane.arms import Arms, solve_pose

if TYPE_CHECKING:
    import numpy.typing as npt

    from wstdes.allocation.problem import Geometry

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int32]
    Longs = npt.NDArray[np.int64]

__all__ = ["Prepared", "prepare_field", "reaching"]


@dataclass(frozen=True, eq=False)
class Prepared:
    """A problem, its edges by fibre, and which edges exclude each other.

    Parameters
    ----------
    problem : AssignmentProblem
        The problem.
    target : int32[m]
        Target of each edge.
    conflicts : Conflicts
        Edges that exclude each edge, those of its fibre and of its target apart.
    fibre_start : int64[n + 1]
        The edges of fibre f are ``fibre_edge[fibre_start[f]:fibre_start[f + 1]]``.
    fibre_edge : int32[m]
        Edges by fibre.
    extent_m : float
        Two fibres farther apart than twice this cannot be in each other's way [m].
    """

    problem: AssignmentProblem
    target: Ints
    conflicts: Conflicts
    fibre_start: Longs
    fibre_edge: Ints
    extent_m: float

    def edges_of(self, target: int) -> range:
        """Edges of a target."""
        return range(int(self.problem.start[target]), int(self.problem.start[target + 1]))

    def excluded_by(self, edge: int) -> Ints:
        """Edges that an edge excludes."""
        start = self.conflicts.start
        return self.conflicts.other[start[edge] : start[edge + 1]]

    def edge_of_fibre(self, fibre_of_target: npt.NDArray[np.integer]) -> Ints:
        """Which edge each fibre serves.

        Parameters
        ----------
        fibre_of_target : int32[t]
            Fibre of each target, or -1.

        Returns
        -------
        int32[n]
            The edge, or -1.

        Raises
        ------
        ValueError
            If a fibre has a target that it does not reach.
        """
        taken = np.flatnonzero(self.problem.fibre == fibre_of_target[self.target])
        edge = np.full(self.problem.n_fibres, -1, dtype=np.int32)
        edge[self.problem.fibre[taken]] = taken
        lost = np.flatnonzero(fibre_of_target >= 0)
        serves = edge[fibre_of_target[lost]]
        wrong = lost[(serves < 0) | (self.target[serves] != lost)]
        if len(wrong):
            t = int(wrong[0])
            raise ValueError(f"fibre {fibre_of_target[t]} does not serve target {t} alone")
        return edge

    def with_target(
        self,
        x_m: float,
        y_m: float,
        weight: float,
        *,
        usable: npt.NDArray[np.bool_] | None = None,
        patrol_m: npt.NDArray[np.float64] | None = None,
        purpose: Purpose = Purpose.SCIENCE,
    ) -> tuple[Prepared, int]:
        """Add a target at a place.

        Parameters
        ----------
        x_m, y_m : float
            On the focal plane [m].
        weight : float
            Its worth.
        usable : bool[n], optional
            The fibres that may serve it; all if not given.
        patrol_m : float64[n], optional
            Reach of each fibre [m]; by default that of the arms.
        purpose : Purpose
            What it is for.

        Returns
        -------
        prepared : Prepared
            Numbers of targets and edges stay; the new target's conflicts are listed with its own
            edges alone.
        target : int
            Number of the new target, the last.
        """
        problem, geometry = self.problem, self.problem.geometry
        if geometry is None:
            raise WstdesError("a target at a place needs a problem with geometry")
        fibres = reaching(geometry, x_m, y_m, patrol_m)
        if usable is not None:
            fibres = fibres[usable[fibres]]
        t, m = problem.n_targets, problem.n_edges
        larger = _append(problem, x_m, y_m, weight, fibres, purpose)
        other = [self.conflicts.other]
        count = np.zeros(len(fibres), dtype=np.int64)
        if larger.has_conflicts and len(fibres):
            found = self._conflicts_of(larger, fibres)
            count[:] = [len(edges) for edges in found]
            other += found
        conflicts = Conflicts(
            np.concatenate([self.conflicts.start, self.conflicts.start[-1] + np.cumsum(count)]),
            np.concatenate(other).astype(np.int32),
        )
        target = np.concatenate([self.target, np.full(len(fibres), t, np.int32)])
        assert len(target) == m + len(fibres)
        return replace(self, problem=larger, target=target, conflicts=conflicts), t

    def _conflicts_of(self, larger: AssignmentProblem, fibres: Ints) -> list[Ints]:
        """What excludes the last target's edges: the conflicts of a small part of the field."""
        geometry = larger.geometry
        assert geometry is not None
        near = np.zeros(larger.n_fibres, dtype=np.bool_)
        for f in fibres:
            away = np.hypot(*(geometry.fibre_xy_m - geometry.fibre_xy_m[f]).T)
            near |= away <= 2.0 * self.extent_m
            if geometry.slit_next is not None:
                near |= geometry.slit_next == f
                if geometry.slit_next[f] >= 0:
                    near[geometry.slit_next[f]] = True
        member = np.flatnonzero(near)
        lists = [self.fibre_edge[self.fibre_start[f] : self.fibre_start[f + 1]] for f in member]
        edges = np.concatenate([*lists, np.arange(self.problem.n_edges, larger.n_edges)])
        part, edges = _part(larger, self.target, member, edges)
        found = build_conflicts(part)
        first = len(edges) - len(fibres)
        return [
            edges[found.other[found.start[i] : found.start[i + 1]]]
            for i in range(first, len(edges))
        ]


def prepare_field(problem: AssignmentProblem) -> Prepared:
    """List a problem's edges by fibre, and its conflicts.

    Parameters
    ----------
    problem : AssignmentProblem
        Without weights of pairs.

    Returns
    -------
    Prepared

    Raises
    ------
    WstdesError
        If pairs have weights.
    """
    if problem.pair_weight is not None:
        raise WstdesError("inserting and explaining know no weights of pairs: leave them out")
    order = np.argsort(problem.fibre, kind="stable").astype(np.int32)
    start = np.searchsorted(problem.fibre[order], np.arange(problem.n_fibres + 1))
    return Prepared(
        problem,
        problem.edge_target(),
        build_conflicts(problem),
        start.astype(np.int64),
        order,
        _extent(problem),
    )


def _extent(problem: AssignmentProblem) -> float:
    """Distance from its axis that no arm and no target of a fibre leaves, half a separation on."""
    rules = problem.geometry
    if rules is None or not problem.has_conflicts:
        return 0.0
    extent = 0.0
    if rules.arms is not None and problem.n_fibres:
        outlines = Outlines.of(rules.arms)
        extent = float(np.max(outlines.extent_m(rules.arms), initial=0.0))
        extent = max(extent, float(rules.arms.reach_m()[1].max()))
    if problem.n_edges:
        apart = rules.fibre_xy_m[problem.fibre] - rules.target_xy_m[problem.edge_target()]
        extent = max(extent, float(np.hypot(*apart.T).max()))
    return (extent + 0.5 * rules.separation_m) * (1.0 + 1e-9)


def reaching(geometry: Geometry, x_m: float, y_m: float, patrol_m: Floats | None) -> Ints:
    """Fibres that reach a place, the nearest first."""
    dx, dy = (np.array([x_m, y_m]) - geometry.fibre_xy_m).T
    away = np.hypot(dx, dy)
    arms = geometry.arms
    if arms is None and patrol_m is None:
        raise WstdesError("a target at a place needs arms, or patrol_m of each fibre")
    reach = arms.reach_m()[1] + 1e-9 if arms is not None else away
    if patrol_m is not None:
        reach = np.minimum(reach, patrol_m)
    fibres = np.flatnonzero(away <= reach)
    if arms is not None:
        fibres = fibres[solve_pose(arms, fibres, dx[fibres], dy[fibres]).reached]
    return fibres[np.argsort(away[fibres], kind="stable")].astype(np.int32)


def _append(
    problem: AssignmentProblem,
    x_m: float,
    y_m: float,
    weight: float,
    fibres: Ints,
    purpose: Purpose,
) -> AssignmentProblem:
    """The problem with one target more."""
    geometry = problem.geometry
    assert geometry is not None
    magnitude = geometry.magnitude
    geometry = replace(
        geometry,
        target_xy_m=np.vstack([geometry.target_xy_m, [[x_m, y_m]]]),
        magnitude=None if magnitude is None else np.append(magnitude, np.nan),
    )
    purposes = problem.purpose
    if purposes is None and purpose != Purpose.SCIENCE:
        purposes = np.zeros(problem.n_targets, dtype=np.int8)
    return replace(
        problem,
        weight=np.append(problem.weight, float(weight)),
        start=np.append(problem.start, problem.start[-1] + len(fibres)),
        fibre=np.concatenate([problem.fibre, fibres]).astype(np.int32),
        target_class=np.append(problem.target_class, np.int16(0)),
        purpose=None if purposes is None else np.append(purposes, np.int8(purpose)),
        geometry=geometry,
    )


def _part(
    problem: AssignmentProblem, edge_target: Ints, member: Longs, edges: npt.NDArray[np.integer]
) -> tuple[AssignmentProblem, Ints]:
    """The problem of some fibres and edges alone, and its edges in the numbers of the whole."""
    geometry = problem.geometry
    assert geometry is not None
    last = problem.n_targets - 1
    of = np.where(edges < len(edge_target), edge_target[np.minimum(edges, len(edge_target) - 1)],
                  last) if len(edge_target) else np.full(len(edges), last)  # fmt: skip
    order = np.argsort(of, kind="stable")
    edges, of = edges[order], of[order]
    targets, row = np.unique(of, return_inverse=True)
    number = np.full(problem.n_fibres + 1, -1, dtype=np.int32)
    number[member] = np.arange(len(member))
    arms, magnitude = geometry.arms, geometry.magnitude
    following = None if geometry.slit_next is None else number[geometry.slit_next[member]]
    part = AssignmentProblem(
        n_fibres=len(member),
        weight=problem.weight[targets],
        start=np.searchsorted(row, np.arange(len(targets) + 1)).astype(np.int64),
        fibre=plain(number[problem.fibre[edges]], np.int32),
        target_class=problem.target_class[targets],
        geometry=replace(
            geometry,
            fibre_xy_m=geometry.fibre_xy_m[member],
            target_xy_m=geometry.target_xy_m[targets],
            arms=None if arms is None else _some(arms, member),
            slit_next=following,
            magnitude=None if magnitude is None else magnitude[targets],
        ),
    )
    return part, edges.astype(np.int32)


def _some(arms: Arms, member: Longs) -> Arms:
    """The arms of some of the positioners."""
    return Arms(
        arms.theta_m[member],
        arms.phi_m[member],
        arms.shape[member],
        arms.shapes,
        arms.spine,
        arms.theta_zero_rad[member],
        arms.theta_range_rad[member],
        arms.phi_range_rad[member],
    )
