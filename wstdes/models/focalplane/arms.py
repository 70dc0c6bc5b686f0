"""The arms of the positioners: how far they reach, where they are, and their outlines.

A theta-phi positioner turns its theta arm about its own axis and, at the end of that arm, its phi
arm, which carries the fibre. ``phi`` is measured from the theta arm's direction: 0 is stretched
out, pi is folded; it is never negative, so a point is reached with one pair of angles alone (the
elbow on the right of the line to the fibre), as in DESI (Silber et al. 2023, AJ 165, 9).

A tilting spine (4MOST, Echidna) has no elbow: its ``theta_m`` is zero, its phi polygon is the tip's
outline around the fibre itself, and it reaches every point within ``phi_m``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["ArmShape", "Arms", "Pose", "capsule", "forward", "place", "solve_pose"]

TOLERANCE_M = 1e-9
"""A target this far beyond a limit still counts as reached: rounding, not distance [m]."""

_TOLERANCE_RAD = 1e-9


@dataclass(frozen=True, eq=False)
class ArmShape:
    """Outlines of a positioner's two arms, each along +x with the origin at its own axis.

    Parameters
    ----------
    theta_m : float64[k, 2]
        Corners of the theta arm with the body around its axis [m]; none for a spine.
    phi_m : float64[l, 2]
        Corners of the phi arm [m].

    Raises
    ------
    ValueError
        If an outline is not a list of three finite corners or more.
    """

    theta_m: npt.NDArray[np.float64]
    phi_m: npt.NDArray[np.float64]

    def __post_init__(self) -> None:
        for name, least in (("theta_m", 0), ("phi_m", 3)):
            corners = getattr(self, name)
            if np.ndim(corners) != 2 or corners.shape[1] != 2:
                raise ValueError(f"{name} must be an array [k, 2], not {np.shape(corners)}")
            if len(corners) < least or 0 < len(corners) < 3:
                raise ValueError(f"{name} needs three corners or more, not {len(corners)}")
            if not np.isfinite(corners).all():
                raise ValueError(f"the corners of {name} must be finite")


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
        Hard stops [rad]; theta counts from `theta_zero_rad`, and its range may exceed a turn.

    Raises
    ------
    ValueError
        If the arrays do not fit together, or hold something that no positioner has.
    """

    theta_m: npt.NDArray[np.float64]
    phi_m: npt.NDArray[np.float64]
    shape: npt.NDArray[np.int16]
    shapes: tuple[ArmShape, ...]
    spine: bool
    theta_zero_rad: npt.NDArray[np.float64]
    theta_range_rad: npt.NDArray[np.float64]
    phi_range_rad: npt.NDArray[np.float64]

    def __post_init__(self) -> None:
        n = np.size(self.theta_m)
        for name in ("theta_m", "phi_m", "shape", "theta_zero_rad"):
            if np.shape(getattr(self, name)) != (n,):
                raise ValueError(f"{name} must have {n} elements, one for each positioner")
        for name in ("theta_range_rad", "phi_range_rad"):
            limits = getattr(self, name)
            if np.shape(limits) != (n, 2):
                raise ValueError(f"{name} must be an array [{n}, 2], not {np.shape(limits)}")
            if not (np.isfinite(limits).all() and (limits[:, 0] <= limits[:, 1]).all()):
                raise ValueError(f"{name} must be finite, the lower limit first")
        if not ((self.phi_range_rad[:, 0] <= np.pi) & (self.phi_range_rad[:, 1] >= 0.0)).all():
            raise ValueError("phi_range_rad must have something between 0 and pi")
        if not np.isfinite(self.theta_zero_rad).all():
            raise ValueError("theta_zero_rad must be finite")
        for name in ("theta_m", "phi_m"):
            lengths = getattr(self, name)
            if not (np.isfinite(lengths).all() and (lengths >= 0.0).all()):
                raise ValueError(f"{name} must be finite and not negative")
        if self.spine and self.theta_m.any():
            raise ValueError("a spine has no theta arm: theta_m must be zero")
        if n and not (self.shape.min() >= 0 and self.shape.max() < len(self.shapes)):
            raise ValueError(f"shape must be from 0 to {len(self.shapes) - 1}")

    @property
    def n_fibres(self) -> int:
        """Number of positioners."""
        return len(self.theta_m)

    def reach_m(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """How near its axis and how far from it each fibre can be.

        Returns
        -------
        inner, outer : float64[n]
            Radii of the annulus [m], narrowed by phi's hard stops (theta's may cut a sector out
            of it). For a spine, 0 and ``phi_m``. Do not write to them.
        """
        return self._annulus

    @cached_property
    def _annulus(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Radii of the annulus that each fibre reaches [m]."""
        if self.spine:
            return np.zeros(self.n_fibres), self.phi_m.copy()
        folded, stretched = np.cos(np.clip(self.phi_range_rad, 0.0, np.pi)).T[::-1]
        square, double = self.theta_m**2 + self.phi_m**2, 2.0 * self.theta_m * self.phi_m
        inner, outer = (np.sqrt(np.maximum(square + double * c, 0.0)) for c in (folded, stretched))
        return inner, outer

    def home(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Angles at rest: theta in the middle of its range, phi folded as far as it goes.

        Where all positioners have the same zero point and range, all arms are parallel, and
        those of the shipped models do not touch.

        Returns
        -------
        theta_rad, phi_rad : float64[n]
            Direction of the theta arm from +x, in (-pi, pi], and the phi arm's angle from it
            [rad]; for a spine both are zero.
        """
        if self.spine:
            return np.zeros(self.n_fibres), np.zeros(self.n_fibres)
        middle = self.theta_zero_rad + 0.5 * self.theta_range_rad.sum(axis=1)
        return _turn(middle), np.clip(self.phi_range_rad[:, 1], 0.0, np.pi)


@dataclass(frozen=True, eq=False)
class Pose:
    """Where the arms of some positioners are.

    Parameters
    ----------
    theta_rad, phi_rad : float64[m]
        Direction of the theta arm from +x, in (-pi, pi], and the phi arm's angle from it [rad];
        for a spine the direction of its tilt, and zero.
    elbow_m : float64[m, 2]
        Axis of the phi arm [m], from wherever the positions were counted from
        (:func:`solve_pose`: the positioner's own axis); for a spine the fibre itself.
    reached : bool[m]
        Whether lengths and hard stops allow it; where not, the other values mean nothing.
    """

    theta_rad: npt.NDArray[np.float64]
    phi_rad: npt.NDArray[np.float64]
    elbow_m: npt.NDArray[np.float64]
    reached: npt.NDArray[np.bool_]


def solve_pose(
    arms: Arms,
    fibre: npt.NDArray[np.integer],
    dx_m: npt.NDArray[np.float64],
    dy_m: npt.NDArray[np.float64],
) -> Pose:
    """The angles that bring fibres to points: the law of cosines, the elbow on the right.

    Parameters
    ----------
    arms : Arms
        Arms of all the positioners.
    fibre : int[m]
        Positioner of each pair.
    dx_m, dy_m : float64[m]
        The point, counted from the axis of its positioner [m].

    Returns
    -------
    Pose
        Its ``elbow_m`` is counted from the positioner's axis too: add the axis to have it on the
        focal plane. A point within 1 nm of a limit is reached. Where the fibre is on its axis,
        theta is the middle of its range, as every theta would do.
    """
    r = np.hypot(dx_m, dy_m)
    inner, outer = arms.reach_m()
    reached = (r >= inner[fibre] - TOLERANCE_M) & (r <= outer[fibre] + TOLERANCE_M)
    if arms.spine:
        elbow = np.column_stack((dx_m, dy_m)).astype(np.float64)
        return Pose(np.arctan2(dy_m, dx_m), np.zeros(len(r)), elbow, reached)

    l1, l2 = arms.theta_m[fibre], arms.phi_m[fibre]
    r = np.clip(r, inner[fibre], outer[fibre])
    phi = np.pi - _corner(l1, l2, r)
    theta = np.arctan2(dy_m, dx_m) - _corner(l1, r, l2)
    low, high = arms.theta_range_rad[fibre].T
    centred = r <= TOLERANCE_M
    zero = arms.theta_zero_rad[fibre]
    theta = np.where(centred, zero + 0.5 * (low + high), theta)
    turns = np.ceil((low - (theta - zero) - _TOLERANCE_RAD) / (2.0 * np.pi))
    reached &= theta - zero + 2.0 * np.pi * turns <= high + _TOLERANCE_RAD
    theta = _turn(theta)
    elbow = np.column_stack((l1 * np.cos(theta), l1 * np.sin(theta)))
    return Pose(theta, phi, elbow, reached)


def _turn(angle_rad: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The same angle in (-pi, pi]."""
    return np.asarray(np.pi - np.mod(np.pi - angle_rad, 2.0 * np.pi))


def _corner(
    a: npt.NDArray[np.float64], b: npt.NDArray[np.float64], c: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Angle of a triangle between its sides a and b, opposite c [rad]; pi/2 if one is zero.

    By the half angle: the cosine alone would lose half the digits where the triangle is flat.
    """
    top = np.maximum((c - a + b) * (c + a - b), 0.0)
    bottom = np.maximum((a + b - c) * (a + b + c), 0.0)
    flat = (a == 0.0) | (b == 0.0)
    angle = 2.0 * np.arctan2(np.sqrt(top), np.sqrt(bottom))
    return np.asarray(np.where(flat, 0.5 * np.pi, angle))


def forward(
    arms: Arms,
    fibre: npt.NDArray[np.integer],
    theta_rad: npt.NDArray[np.float64],
    phi_rad: npt.NDArray[np.float64],
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Where given angles bring the fibres; :func:`solve_pose` goes back.

    Parameters
    ----------
    arms : Arms
        Arms of all the positioners, with elbows: a spine's angles do not say where its tip is.
    fibre : int[m]
        The positioners.
    theta_rad, phi_rad : float64[m]
        Direction of the theta arm from +x, and the phi arm's angle from it [rad].

    Returns
    -------
    elbow_m, tip_m : float64[m, 2]
        The phi arm's axis and the fibre, counted from the positioner's axis [m].

    Raises
    ------
    ValueError
        If these are spines.
    """
    if arms.spine:
        raise ValueError("the angles of a spine do not say where its tip is")
    l1, l2 = arms.theta_m[fibre], arms.phi_m[fibre]
    elbow = np.column_stack((l1 * np.cos(theta_rad), l1 * np.sin(theta_rad)))
    along = np.asarray(theta_rad) + phi_rad
    return elbow, elbow + np.column_stack((l2 * np.cos(along), l2 * np.sin(along)))


def place(
    arms: Arms,
    fibre: npt.NDArray[np.integer],
    theta_rad: npt.NDArray[np.float64],
    phi_rad: npt.NDArray[np.float64],
    elbow_m: npt.NDArray[np.float64] | None = None,
) -> list[tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]]:
    """Outlines of arms at given angles, to draw them and to test other code.

    Parameters
    ----------
    arms : Arms
        Arms of all the positioners.
    fibre : int[m]
        The positioners.
    theta_rad, phi_rad : float64[m]
        Direction of the theta arm from +x, and the phi arm's angle from it [rad].
    elbow_m : float64[m, 2], optional
        The phi arms' axes, wherever they are counted from [m]. Without them outlines are counted
        from each positioner's axis. Spines need them.

    Returns
    -------
    list of (float64[k, 2], float64[l, 2])
        Outlines of the theta arm and of the phi arm of each [m]; the theta arm of a spine has no
        corners.
    """
    if elbow_m is None:
        elbow_m, _ = forward(arms, fibre, theta_rad, phi_rad)
    outlines = []
    for i, theta, phi, elbow in zip(fibre, theta_rad, phi_rad, elbow_m, strict=True):
        shape = arms.shapes[arms.shape[i]]
        axis = elbow - arms.theta_m[i] * np.array([math.cos(theta), math.sin(theta)])
        along = 0.0 if arms.spine else theta + phi
        outlines.append((axis + _turned(shape.theta_m, theta), elbow + _turned(shape.phi_m, along)))
    return outlines


def _turned(corners: npt.NDArray[np.float64], angle_rad: float) -> npt.NDArray[np.float64]:
    """A polygon turned about the origin, from +x to +y."""
    c, s = math.cos(angle_rad), math.sin(angle_rad)
    return np.asarray(corners @ np.array([[c, s], [-s, c]]))


def capsule(length_m: float, radius_m: float, corners: int = 12) -> npt.NDArray[np.float64]:
    """A convex polygon around a rounded arm, from its axis at the origin to its end on +x.

    The round shape lies inside and touches every side, so what does not overlap the polygon does
    not touch the arm.

    Parameters
    ----------
    length_m : float
        From the axis to the end [m]; zero for a disc.
    radius_m : float
        Half the arm's width [m].
    corners : int, optional
        Number of corners: even, 4 or more. They stick out by ``1/cos(pi/corners) - 1`` of the
        radius: 3.5 % with 12.

    Returns
    -------
    float64[corners, 2]
        Anticlockwise [m].

    Raises
    ------
    ValueError
        If the length is negative, the radius not positive, or the number of corners wrong.
    """
    if not (math.isfinite(length_m) and length_m >= 0.0):
        raise ValueError(f"length_m must not be negative, nor {length_m}")
    if not (math.isfinite(radius_m) and radius_m > 0.0):
        raise ValueError(f"radius_m must be positive, not {radius_m}")
    if corners < 4 or corners % 2:
        raise ValueError(f"corners must be even and 4 or more, not {corners}")
    angle = (2.0 * np.arange(corners) + 1.0) * (np.pi / corners) - 0.5 * np.pi
    radius = radius_m / math.cos(np.pi / corners)
    x, y = radius * np.cos(angle), radius * np.sin(angle)
    return np.column_stack((x + np.where(np.arange(corners) < corners // 2, length_m, 0.0), y))
