"""Where the fibres stand, and where the sky falls on them.

A :class:`FocalPlane` is a set of positioners; :func:`hexagonal_layout` builds the one that WST
plans. :func:`project` carries the sky to it on a tangent plane and :func:`deproject` back.
"""

from __future__ import annotations

from wstdes.models.focalplane.arms import (
    Arms,
    ArmShape,
    Pose,
    capsule,
    forward,
    place,
    solve_pose,
)
from wstdes.models.focalplane.layout import HR, LR, FocalPlane, hexagonal_layout
from wstdes.models.focalplane.projection import apply_proper_motion, deproject, project

__all__ = [
    "HR",
    "LR",
    "ArmShape",
    "Arms",
    "FocalPlane",
    "Pose",
    "apply_proper_motion",
    "capsule",
    "deproject",
    "forward",
    "hexagonal_layout",
    "place",
    "project",
    "solve_pose",
]
