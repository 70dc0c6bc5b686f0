"""How the positioners get to a visit's configuration, and who does not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from wstdes.allocation.motion import Configuration, MotionPlan, Reason, plan_motion
from wstdes.errors import WstdesError
from wstdes.models.focalplane import solve_pose

if TYPE_CHECKING:
    import numpy.typing as npt

    from wstdes.field.allocation import Allocation

__all__ = ["FieldMotion", "plan_field_motion"]

_WORDS = {
    Reason.BLOCKED_BY_NEIGHBOUR: "blocked by positioner {0}",
    Reason.STUCK_NEIGHBOUR: "behind positioner {0}, which is broken or stuck",
    Reason.OUT_OF_RANGE: "beyond its hard stops",
    Reason.STUCK: "broken or stuck",
}


@dataclass(frozen=True, eq=False)
class FieldMotion:
    """A plan of motion to a visit's configuration.

    Parameters
    ----------
    plan : MotionPlan
        Knots of both motors of each positioner.
    wanted : bool[n]
        Positioners that have something to do.
    metrology_s : float
        What measuring takes, on top of the plan's duration [s].
    """

    plan: MotionPlan
    wanted: npt.NDArray[np.bool_]
    metrology_s: float

    @property
    def reconfiguration_s(self) -> float:
        """Time of the whole reconfiguration [s]."""
        return self.plan.duration_s + self.metrology_s

    @property
    def lost(self) -> npt.NDArray[np.int64]:
        """Positioners that have something to do and do not get there."""
        return np.flatnonzero(self.wanted & ~self.plan.arrived)

    def texts(self) -> list[str]:
        """What a person wants to know, a line each."""
        wanted, lost = int(self.wanted.sum()), self.lost
        lines = [
            f"{self.plan.duration_s:.1f} s of motors and {self.metrology_s:g} s of metrology from "
            f"home; {wanted - len(lost):,} of {wanted:,} positioners arrive; planned in "
            f"{self.plan.seconds:.1f} s"
        ]
        for fibre in lost[:10].tolist():
            why = _WORDS.get(Reason(int(self.plan.reason[fibre])), "not reached")
            lines.append(
                f"positioner {fibre} stays folded: {why.format(int(self.plan.blocker[fibre]))}"
            )
        if len(lost) > 10:
            lines.append(f"and {len(lost) - 10:,} more")
        return lines


def plan_field_motion(allocation: Allocation, visit: int = 0) -> FieldMotion:
    """Plan the motion from home, or from the visit before, to a visit's configuration.

    Parameters
    ----------
    allocation : Allocation
        An allocated field.
    visit : int
        Which visit, from 0; the visits before it are gone through.

    Returns
    -------
    FieldMotion

    Raises
    ------
    WstdesError
        If the focal plane has no arms, tilting spines, or motors without a speed.
    """
    hardware = allocation.hardware
    arms = hardware.plane.arms
    if arms is None or arms.spine:
        raise WstdesError(f"hardware model '{hardware.name}' has no theta-phi arms to move")
    if not min(hardware.speed_rad_per_s) > 0.0:
        raise WstdesError(
            f"hardware model '{hardware.name}' says nothing of its motors' speed: write "
            "theta_speed and phi_speed, such as 176 deg/s"
        )
    movable = ~(allocation.broken | allocation.stuck)
    present = Configuration(*arms.home())
    plan, wanted = None, movable
    for number in range(visit + 1):
        goal = _wanted(allocation, number)
        wanted = np.isfinite(goal.theta_rad)
        plan = plan_motion(
            hardware.plane,
            present=present,
            wanted=goal,
            speed_rad_per_s=hardware.speed_rad_per_s,
            movable=movable,
            priority=_worth(allocation, number),
        )
        present = plan.final
    assert plan is not None
    return FieldMotion(plan, wanted, hardware.metrology_s)


def _wanted(allocation: Allocation, visit: int) -> Configuration:
    """Angles of the positioners that have a place to go; NaN for the others."""
    plane, aim = allocation.hardware.plane, allocation.visits[visit].aim_m
    assert plane.arms is not None
    busy = np.flatnonzero(np.isfinite(aim[:, 0]))
    pose = solve_pose(
        plane.arms, busy, aim[busy, 0] - plane.x_m[busy], aim[busy, 1] - plane.y_m[busy]
    )
    theta, phi = np.full(plane.n_fibres, np.nan), np.full(plane.n_fibres, np.nan)
    theta[busy], phi[busy] = pose.theta_rad, pose.phi_rad
    return Configuration(theta, phi)


def _worth(allocation: Allocation, visit: int) -> npt.NDArray[np.float64]:
    """What each positioner is worth: its target's weight; more than any for sky and standards."""
    problem = allocation.visits[visit].field.problem
    served = allocation.visits[visit].solution.target_of_fibre(problem.n_fibres)
    worth = np.where(served >= 0, problem.weight[served], 0.0)
    if problem.purpose is not None:
        needed = (served >= 0) & (problem.purpose[served] != 0)
        worth[needed] = problem.weight.max(initial=0.0) + 1.0
    return worth
