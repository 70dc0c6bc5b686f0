"""One visit of the simulation: every fibre assigned so that no arms touch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from wstdes.allocation.assign import Assignment, FibreUse
from wstdes.allocation.lagrangian import solve_lagrangian
from wstdes.allocation.motion import Configuration
from wstdes.allocation.problem import Purpose
from wstdes.field.problem import build_problem
from wstdes.models.focalplane import FocalPlane, solve_pose

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["ArmsAssignment", "assign_arms"]

ROUNDS, CLOSE = 6, 1e-4
"""Rounds of prices, at most, and the distance from the bound at which there are no more.

Two or three are enough for most fields (docs/validation.md)."""


@dataclass(frozen=True, eq=False)
class ArmsAssignment:
    """What :func:`assign_arms` decided.

    Parameters
    ----------
    assignment : Assignment
        Fibre of each target and use of each fibre.
    wanted : Configuration
        Angles of each positioner; NaN where any will do.
    gap : float
        Relative distance of the sum of priorities from its upper bound.
    """

    assignment: Assignment
    wanted: Configuration
    gap: float


@dataclass(frozen=True, eq=False)
class _Targets:
    """What the problem needs to know of targets."""

    purpose: npt.NDArray[np.int8]
    kind: npt.NDArray[np.int8]
    target_class: npt.NDArray[np.int16]


def assign_arms(
    plane: FocalPlane,
    usable: npt.NDArray[np.bool_],
    x_m: npt.NDArray[np.float64],
    y_m: npt.NDArray[np.float64],
    kind: npt.NDArray[np.int8],
    priority: npt.NDArray[np.float64],
    is_standard: npt.NDArray[np.bool_],
    *,
    sky: tuple[float, float],
    standards: tuple[float, float],
) -> ArmsAssignment:
    """Give every fibre something to do, with exact outlines of the arms.

    Sky and standards come first, in every block of a slit as far as they can be had there.
    Positioners that are not usable stand folded at home, and are in the way.

    Parameters
    ----------
    plane : FocalPlane
        With arms.
    usable, x_m, y_m, kind, priority, is_standard
        As of :func:`wstdes.allocation.assign`.
    sky, standards : (float, float)
        Shares of the usable fibres, for LR and HR.

    Returns
    -------
    ArmsAssignment
        The same for the same arguments.
    """
    arms = plane.arms
    assert arms is not None
    n_targets = len(x_m)
    purpose = np.where(is_standard, Purpose.STANDARD, Purpose.SCIENCE).astype(np.int8)
    targets = _Targets(purpose, kind.astype(np.int8), np.zeros(n_targets, dtype=np.int16))
    everything = np.arange(n_targets)
    field = build_problem(
        plane, usable, targets, everything, x_m, y_m, priority, sky=sky, standards=standards
    )
    solution = solve_lagrangian(field.problem, rounds=ROUNDS, close=CLOSE)
    served = solution.target_of_fibre(plane.n_fibres)
    of = np.full(plane.n_fibres, Purpose.SCIENCE, dtype=np.int8)
    if field.problem.purpose is not None:
        of = field.problem.purpose[served]
    use = np.where(usable, FibreUse.UNASSIGNED, FibreUse.BROKEN).astype(np.int8)
    has = served >= 0
    use[has] = np.array([FibreUse.SCIENCE, FibreUse.STANDARD, FibreUse.SKY], np.int8)[of[has]]
    busy = np.flatnonzero(has)
    place = served[busy]
    pose = solve_pose(
        arms, busy, field.x_m[place] - plane.x_m[busy], field.y_m[place] - plane.y_m[busy]
    )
    theta, phi = np.full(plane.n_fibres, np.nan), np.full(plane.n_fibres, np.nan)
    theta[busy], phi[busy] = pose.theta_rad, pose.phi_rad
    own = np.where(served < n_targets, served, -1).astype(np.int32)
    assignment = Assignment(solution.fibre_of_target[:n_targets].copy(), own, use, plane.kind)
    return ArmsAssignment(assignment, Configuration(theta, phi), solution.gap)
