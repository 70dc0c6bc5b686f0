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
from wstdes.allocation.explain import Reason, Why, explain, explain_all
from wstdes.allocation.insert import Insertion, insert_target
from wstdes.allocation.matching import match_in_order
from wstdes.allocation.methods import METHODS, solve
from wstdes.allocation.orientation import best_orientation, choose_orientations
from wstdes.allocation.prepared import Prepared, prepare_field
from wstdes.allocation.problem import AssignmentProblem, Geometry, Purpose, Quotas, Solution
from wstdes.allocation.reserve import reserve, spread_reserve
from wstdes.allocation.share import SurveyShare, share_fibres
from wstdes.allocation.visits import VisitPlan, plan_visits

__all__ = [
    "METHODS",
    "Assignment",
    "AssignmentProblem",
    "FibreUse",
    "Geometry",
    "Insertion",
    "Prepared",
    "Purpose",
    "Quotas",
    "Reason",
    "Solution",
    "SurveyShare",
    "VisitPlan",
    "Why",
    "assign",
    "best_orientation",
    "build_candidates",
    "choose_orientations",
    "explain",
    "explain_all",
    "insert_target",
    "kernels_cached",
    "match_in_order",
    "plan_visits",
    "prepare_field",
    "reserve",
    "share_fibres",
    "solve",
    "spread_reserve",
    "warm_up",
]
