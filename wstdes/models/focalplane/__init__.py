"""Where the fibres stand, and where the sky falls on them.

A :class:`FocalPlane` is a set of positioners; :func:`focal_plane` builds one from its hardware
model and :func:`load_focal_plane` from the model's name. :func:`project` carries the sky to it on
a tangent plane and :func:`deproject` back.
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
from wstdes.models.focalplane.petals import cobras_layout, echidna_layout, petals_layout
from wstdes.models.focalplane.presets import focal_plane, load_focal_plane
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
    "cobras_layout",
    "deproject",
    "echidna_layout",
    "focal_plane",
    "forward",
    "hexagonal_layout",
    "load_focal_plane",
    "petals_layout",
    "place",
    "project",
    "solve_pose",
]
