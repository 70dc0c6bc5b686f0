"""Which fibre goes to which target, exactly and fast; works without any simulation.

Two targets want the same fibre, and the more important one gets it:

>>> from wstdes.allocation import assign
>>> from wstdes.models.focalplane import hexagonal_layout
>>> plane = hexagonal_layout(n_lr=7, n_hr=0, pitch_m=1.0, patrol_lr_m=0.6, patrol_hr_m=0.0,
...                          hole_radius_m=0.0, spectrographs_lr=1, spectrographs_hr=0)
>>> done = assign(plane, [True] * 7, [0.1, -0.2], [0.0, 0.0], kind=[0, 0], priority=[1.0, 5.0],
...               is_standard=[False, False], sky=(2, 0), standards=(0, 0))
>>> done.fibre_of_target.tolist()
[-1, 0]
>>> [f"{use.name}: {number}" for use, number in done.counts(0).items()]
['SCIENCE: 1', 'STANDARD: 0', 'SKY: 2', 'UNASSIGNED: 4', 'BROKEN: 0']
"""

from __future__ import annotations

from wstdes.allocation.assign import Assignment, FibreUse, assign, kernels_cached, warm_up
from wstdes.allocation.candidates import build_candidates
from wstdes.allocation.matching import match_in_order
from wstdes.allocation.methods import METHODS, solve
from wstdes.allocation.problem import AssignmentProblem, Geometry, Purpose, Quotas, Solution

__all__ = [
    "METHODS",
    "Assignment",
    "AssignmentProblem",
    "FibreUse",
    "Geometry",
    "Purpose",
    "Quotas",
    "Solution",
    "assign",
    "build_candidates",
    "kernels_cached",
    "match_in_order",
    "solve",
    "warm_up",
]
