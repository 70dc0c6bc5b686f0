"""From targets on the focal plane to the problem that the methods of allocation solve."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from wstdes.allocation.candidates import build_candidates
from wstdes.allocation.conflicts import blocked_edges
from wstdes.allocation.motion import leaves_room
from wstdes.allocation.problem import AssignmentProblem, Geometry, Purpose, Quotas
from wstdes.field.blank import blank_sky
from wstdes.models.focalplane import HR, LR, FocalPlane, forward, solve_pose
from wstdes.models.focalplane.arms import TOLERANCE_M

if TYPE_CHECKING:
    import numpy.typing as npt

    from wstdes.models.focalplane import Arms

__all__ = ["FieldProblem", "Rules", "build_problem", "edges", "slit_blocks", "slit_next"]

BLOCK = 200
"""Fibres of a block of a slit, about: with 2 % standards there are four in each (assumed)."""


@dataclass(frozen=True)
class Rules:
    """What else two targets with a fibre must respect.

    Parameters
    ----------
    separation_m : float
        They are at least this far apart [m]; zero for no such rule.
    contrast_mag : float
        Spectra side by side on a detector differ by no more [mag]; infinite for no such rule.
    """

    separation_m: float = 0.0
    contrast_mag: float = np.inf


class OfTargets(Protocol):
    """Columns that a problem is made of; one element of each a target."""

    @property
    def purpose(self) -> npt.NDArray[np.int8]:
        """What it is for."""

    @property
    def kind(self) -> npt.NDArray[np.int8]:
        """LR or HR."""

    @property
    def target_class(self) -> npt.NDArray[np.int16]:
        """0 is the most important."""


@dataclass(frozen=True, eq=False)
class FieldProblem:
    """A problem and what its targets are.

    Parameters
    ----------
    problem : AssignmentProblem
        Its targets are those of `row`, then the blank sky.
    row : int64[k]
        Row in the list of targets of each of the first k targets of the problem.
    x_m, y_m : float64[t]
        Place of every target of the problem, blank sky included [m].
    """

    problem: AssignmentProblem
    row: npt.NDArray[np.int64]
    x_m: npt.NDArray[np.float64]
    y_m: npt.NDArray[np.float64]


def build_problem(
    plane: FocalPlane,
    usable: npt.NDArray[np.bool_],
    targets: OfTargets,
    row: npt.NDArray[np.int64],
    x_m: npt.NDArray[np.float64],
    y_m: npt.NDArray[np.float64],
    weight: npt.NDArray[np.float64],
    *,
    sky: tuple[float, float],
    standards: tuple[float, float],
    already: npt.NDArray[np.bool_] | None = None,
    rules: Rules | None = None,
    magnitude: npt.NDArray[np.floating] | None = None,
) -> FieldProblem:
    """Build the problem of one visit.

    Parameters
    ----------
    plane : FocalPlane
        The positioners.
    usable : bool[n]
        Those that can go to a target.
    targets : TargetList
        The targets in the field, or what else has these columns.
    row : int64[k]
        Which of them want a fibre now.
    x_m, y_m : float64[t]
        Place of each target of the list [m].
    weight : float64[t]
        Worth of each; only science has any.
    sky, standards : (float, float)
        Shares of the usable fibres, for LR and HR.
    already : bool[n], optional
        Positioners that look at blank sky as they are, and count for the quota.
    rules : Rules, optional
        Distance and contrast; none by default.
    magnitude : float[t], optional
        Brightness of each target of the list, for the contrast; NaN where it is not known.

    Returns
    -------
    FieldProblem
    """
    purpose = targets.purpose[row]
    # Faint science first would do as well: the order is the catalogue's, for the same result.
    xs, ys, kind = x_m[row], y_m[row], targets.kind[row]
    worth = np.where(purpose == Purpose.SCIENCE, weight[row], 0.0)
    blank_x, blank_y, blank_fibre = np.empty(0), np.empty(0), np.empty(0, dtype=np.int64)
    if max(sky) > 0.0 and not (purpose == Purpose.SKY).any():
        blank_fibre, blank_x, blank_y = blank_sky(plane, usable, x_m, y_m)
    start, fibre = edges(plane, usable, xs, ys, kind, standing=~usable)
    n_blank = len(blank_fibre)
    start = np.concatenate([start, start[-1] + np.arange(1, n_blank + 1)])
    fibre = np.concatenate([fibre, blank_fibre]).astype(np.int32)
    xs, ys = np.concatenate([xs, blank_x]), np.concatenate([ys, blank_y])
    all_purpose = np.concatenate([purpose, np.full(n_blank, Purpose.SKY, dtype=np.int8)])
    worth = np.concatenate([worth, np.zeros(n_blank)])
    classes = np.concatenate([targets.target_class[row], np.zeros(n_blank, dtype=np.int16)])
    quotas = _quotas(plane, usable, already, sky, standards, (purpose == Purpose.STANDARD).any())
    geometry = Geometry(
        fibre_xy_m=np.column_stack([plane.x_m, plane.y_m]),
        target_xy_m=np.column_stack([xs, ys]),
        arms=plane.arms,
        **_more(plane, rules, None if magnitude is None else magnitude[row], n_blank),
    )
    problem = AssignmentProblem(
        n_fibres=plane.n_fibres,
        weight=worth,
        start=start.astype(np.int64),
        fibre=fibre,
        target_class=classes.astype(np.int16),
        purpose=all_purpose.astype(np.int8) if all_purpose.any() else None,
        quotas=quotas,
        geometry=geometry,
    )
    return FieldProblem(problem, row, xs, ys)


def _more(
    plane: FocalPlane,
    rules: Rules | None,
    magnitude: npt.NDArray[np.floating] | None,
    n_blank: int,
) -> dict[str, Any]:
    """What the rules add to the geometry; blank sky has no brightness."""
    if rules is None:
        return {}
    more: dict[str, Any] = {"separation_m": rules.separation_m}
    if np.isfinite(rules.contrast_mag) and magnitude is not None:
        unknown = np.full(n_blank, np.nan)
        more["magnitude"] = np.concatenate([magnitude.astype(np.float64), unknown])
        more["contrast_mag"] = rules.contrast_mag
        more["slit_next"] = slit_next(plane)
    return more


def slit_next(plane: FocalPlane) -> npt.NDArray[np.int32]:
    """The fibre that follows on the same slit, or -1: int32[n]."""
    order = np.lexsort((plane.slit, plane.spectrograph, plane.kind))
    same = (np.diff(plane.kind[order]) == 0) & (np.diff(plane.spectrograph[order]) == 0)
    following = np.full(plane.n_fibres, -1, dtype=np.int32)
    following[order[:-1][same]] = order[1:][same]
    return following


def edges(
    plane: FocalPlane,
    usable: npt.NDArray[np.bool_],
    x_m: npt.NDArray[np.float64],
    y_m: npt.NDArray[np.float64],
    kind: npt.NDArray[np.int8],
    *,
    standing: npt.NDArray[np.bool_] | None = None,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]:
    """Which fibres reach each target, by distance: patrol radius, arms and hard stops.

    A pose in which a long arm lies across a neighbour's body, or across a positioner that
    stands still, does not count as reaching.

    Parameters
    ----------
    plane : FocalPlane
        The positioners.
    usable : bool[n]
        Those that count.
    x_m, y_m : float64[t]
        The targets [m].
    kind : int8[t]
        LR targets go to LR fibres alone, and HR targets to HR fibres.
    standing : bool[n], optional
        Positioners that stand at home and cannot make way.

    Returns
    -------
    start : int64[t + 1]
        The edges of target i are ``start[i]`` to ``start[i + 1]``.
    fibre : int32[m]
    """
    start, fibre = build_candidates(
        plane.x_m, plane.y_m, plane.kind, plane.patrol_m, usable, x_m, y_m, kind
    )
    arms = plane.arms
    if arms is None or arms.spine:
        return start, fibre
    target = np.repeat(np.arange(len(x_m)), np.diff(start))
    dx, dy = x_m[target] - plane.x_m[fibre], y_m[target] - plane.y_m[fibre]
    start, fibre = _some(start, fibre, _reached(plane, arms, fibre, dx, dy))
    if standing is None or not standing.any():
        return start, fibre
    axis = np.column_stack([plane.x_m, plane.y_m])
    still = np.flatnonzero(standing)
    theta, phi = (angle[still] for angle in arms.home())
    problem = AssignmentProblem(
        n_fibres=plane.n_fibres,
        weight=np.zeros(len(x_m)),
        start=start,
        fibre=fibre,
        target_class=np.zeros(len(x_m), dtype=np.int16),
        geometry=Geometry(axis, np.column_stack([x_m, y_m]), arms),
    )
    tip = axis[still] + forward(arms, still, theta, phi)[1]
    return _some(start, fibre, ~blocked_edges(problem, still, tip))


def _reached(
    plane: FocalPlane,
    arms: Arms,
    fibre: npt.NDArray[np.int32],
    dx_m: npt.NDArray[np.float64],
    dy_m: npt.NDArray[np.float64],
) -> npt.NDArray[np.bool_]:
    """Which points arms reach, and leave their neighbours a place to stand in, bool[m].

    Angles are worked out only where hard stops or a neighbour's body may forbid them.
    """
    inner, outer = arms.reach_m()
    r, long = np.hypot(dx_m, dy_m), _reaches_bodies(plane)
    reached = (r >= inner[fibre] - TOLERANCE_M) & (r <= outer[fibre] + TOLERANCE_M)
    stops = np.diff(arms.theta_range_rad)[:, 0] < 2.0 * np.pi
    asked = np.flatnonzero(reached & (stops | long)[fibre])
    pose = solve_pose(arms, fibre[asked], dx_m[asked], dy_m[asked])
    reached[asked] = pose.reached
    far = np.flatnonzero(pose.reached & long[fibre[asked]])
    which = asked[far]
    reached[which] = leaves_room(plane, fibre[which], pose.theta_rad[far], pose.phi_rad[far])
    return reached


@lru_cache(maxsize=4)
def _reaches_bodies(plane: FocalPlane) -> npt.NDArray[np.bool_]:
    """Which positioners are long enough to lie across the body of a neighbour, bool[n]."""
    from scipy.spatial import cKDTree

    arms = plane.arms
    assert arms is not None
    axis = np.column_stack([plane.x_m, plane.y_m])
    if len(axis) == 1:
        return np.zeros(1, dtype=np.bool_)
    back = max(_farthest(shape.theta_m[shape.theta_m[:, 0] <= 0.0]) for shape in arms.shapes)
    beyond = np.array([_farthest(shape.phi_m) for shape in arms.shapes])
    nearest = np.asarray(cKDTree(axis).query(axis, k=2)[0])[:, 1]
    extent = arms.theta_m + beyond[arms.shape]
    return np.asarray(extent + back >= nearest)


def _farthest(points: npt.NDArray[np.float64]) -> float:
    """Distance of the farthest point from the origin; zero without points."""
    return float(np.hypot(points[:, 0], points[:, 1]).max()) if len(points) else 0.0


def _some(
    start: npt.NDArray[np.int64], fibre: npt.NDArray[np.int32], kept: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]:
    """Some of the edges."""
    passed = np.concatenate([[0], np.cumsum(kept)])
    return passed[start], fibre[kept]


@lru_cache(maxsize=4)
def slit_blocks(plane: FocalPlane) -> npt.NDArray[np.int32]:
    """Number of the block of a spectrograph's slit that each fibre is in, int32[n].

    A slit is cut into blocks of about `BLOCK` fibres that follow each other. Do not write to it.
    """
    block = np.zeros(plane.n_fibres, dtype=np.int32)
    first = 0
    for kind in (LR, HR):
        for spectrograph in np.unique(plane.spectrograph[plane.kind == kind]):
            of = np.flatnonzero((plane.kind == kind) & (plane.spectrograph == spectrograph))
            place = np.argsort(np.argsort(plane.slit[of], kind="stable"), kind="stable")
            blocks = max(1, round(len(of) / BLOCK))
            block[of] = first + place * blocks // len(of)
            first += blocks
    return block


def _quotas(
    plane: FocalPlane,
    usable: npt.NDArray[np.bool_],
    already: npt.NDArray[np.bool_] | None,
    sky: tuple[float, float],
    standards: tuple[float, float],
    has_standards: bool,
) -> Quotas | None:
    """Share the wanted fibres among the blocks; whole numbers that add up to those of the kind."""
    block = slit_blocks(plane)
    n_blocks = int(block.max()) + 1
    at_least = np.zeros((n_blocks, 3), dtype=np.int32)
    for kind in (LR, HR):
        of_kind = np.unique(block[plane.kind == kind])
        if not len(of_kind):
            continue
        size = np.bincount(block[usable & (plane.kind == kind)], minlength=n_blocks)[of_kind]
        passed = np.concatenate([[0], np.cumsum(size)])
        for purpose, share in ((Purpose.SKY, sky[kind]), (Purpose.STANDARD, standards[kind])):
            if purpose == Purpose.SKY or has_standards:
                at_least[of_kind, purpose] = np.diff(np.floor(share * passed + 0.5).astype(int))
    if already is not None:
        there = np.bincount(block[already], minlength=n_blocks)
        at_least[:, Purpose.SKY] = np.maximum(at_least[:, Purpose.SKY] - there, 0)
    return Quotas(block, at_least) if at_least.any() else None
