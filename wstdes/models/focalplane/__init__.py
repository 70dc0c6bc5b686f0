"""Where the fibres stand, and where the sky falls on them.

A :class:`FocalPlane` is a set of positioners; :func:`hexagonal_layout` builds the one that WST
plans. :func:`project` carries the sky to it on a tangent plane and :func:`deproject` back.
"""

from __future__ import annotations

from wstdes.models.focalplane.layout import HR, LR, FocalPlane, hexagonal_layout
from wstdes.models.focalplane.projection import apply_proper_motion, deproject, project

__all__ = [
    "HR",
    "LR",
    "FocalPlane",
    "apply_proper_motion",
    "deproject",
    "hexagonal_layout",
    "project",
]
