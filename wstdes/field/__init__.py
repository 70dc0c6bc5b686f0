"""One field, from a catalogue to an allocation in files that people use.

:func:`wstdes.allocate` is the door; :class:`Frame` carries the sky to the focal plane,
:func:`read_targets` reads a catalogue, :func:`read_assignment` and :func:`check_assignment` verify
a file of assignments without the code that made it.
"""

from __future__ import annotations

from wstdes.field.allocation import Allocation, Share, Use, Visit
from wstdes.field.catalogue import TargetList, read_targets
from wstdes.field.check import Verdict, check_assignment
from wstdes.field.files import AssignmentFile, read_assignment, write_assignment
from wstdes.field.frame import Frame
from wstdes.field.npz import read_problem, write_result

__all__ = [
    "Allocation",
    "AssignmentFile",
    "Frame",
    "Share",
    "TargetList",
    "Use",
    "Verdict",
    "Visit",
    "check_assignment",
    "read_assignment",
    "read_problem",
    "read_targets",
    "write_assignment",
    "write_result",
]
