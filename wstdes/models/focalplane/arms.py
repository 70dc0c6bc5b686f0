"""The arms of the positioners: how far they reach, where they are, and their outlines.

A theta-phi positioner turns its theta arm about its own axis and, at the end of that arm, its phi
arm, which carries the fibre. ``phi`` is measured from the theta arm's direction: 0 is stretched
out, pi is folded; it is never negative, so a point is reached with one pair of angles alone (the
elbow on the right of the line to the fibre), as in DESI (Silber et al. 2023, AJ 165, 9).

A tilting spine (4MOST, Echidna) has no elbow: its ``theta_m`` is zero, its phi polygon is the tip's
outline around the fibre itself, and it reaches every point within ``phi_m``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["ArmShape", "Arms", "Pose"]


@dataclass(frozen=True, eq=False)
class ArmShape:
    """Outlines of a positioner's two arms, each along +x with the origin at its own axis.

    Parameters
    ----------
    theta_m : float64[k, 2]
        Corners of the theta arm with the body around its axis [m]; none for a spine.
    phi_m : float64[l, 2]
        Corners of the phi arm [m].
    """

    theta_m: npt.NDArray[np.float64]
    phi_m: npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Arms:
    """Arms of all the positioners of a focal plane; one element of each array a positioner.

    Parameters
    ----------
    theta_m, phi_m : float64[n]
        Lengths of the theta arm (axis to axis) and of the phi arm (axis to fibre) [m].
    shape : int16[n]
        Which of `shapes` the arms have.
    shapes : tuple of ArmShape
        The different outlines.
    spine : bool
        Whether these are tilting spines instead of arms.
    theta_zero_rad : float64[n]
        Direction of theta = 0, from +x to +y [rad].
    theta_range_rad, phi_range_rad : float64[n, 2]
        Hard stops [rad]; theta counts from `theta_zero_rad`.
    """

    theta_m: npt.NDArray[np.float64]
    phi_m: npt.NDArray[np.float64]
    shape: npt.NDArray[np.int16]
    shapes: tuple[ArmShape, ...]
    spine: bool
    theta_zero_rad: npt.NDArray[np.float64]
    theta_range_rad: npt.NDArray[np.float64]
    phi_range_rad: npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Pose:
    """Where the arms of some positioners are.

    Parameters
    ----------
    theta_rad, phi_rad : float64[m]
        Direction of the theta arm from +x, in (-pi, pi], and the phi arm's angle from it [rad].
    elbow_m : float64[m, 2]
        Axis of the phi arm on the focal plane [m]; for a spine the fibre itself.
    reached : bool[m]
        Whether lengths and hard stops allow it; where not, the other values mean nothing.
    """

    theta_rad: npt.NDArray[np.float64]
    phi_rad: npt.NDArray[np.float64]
    elbow_m: npt.NDArray[np.float64]
    reached: npt.NDArray[np.bool_]
