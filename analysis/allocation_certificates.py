"""How good an allocation is: certificates of `lagrangian` against proofs by CP-SAT.

Makes random fields for the focal planes of WST (short arms alone, and long arms among them), DESI,
PFS and 4MOST, with exact collisions, without and with quotas of sky and standards, solves each by
`greedy`, `lagrangian` and `cpsat`, and prints a Markdown table. No bound of one method may be
below what another has found: should that happen anywhere, it says so and ends with status 1::

    python analysis/allocation_certificates.py --quick
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from wstdes.allocation import AssignmentProblem, Purpose, Solution, solve
from wstdes.field import TargetList
from wstdes.field.problem import build_problem
from wstdes.models.focalplane import HR, LR, FocalPlane, load_focal_plane

PLANES: dict[str, tuple[str, tuple[str, ...]]] = {
    "WST, short arms": ("wst-2026", ("lr_fibres=32000", "hr_fibres=0")),
    "WST, long among short": ("wst-2026", ()),
    "DESI": ("desi", ()),
    "PFS": ("pfs", ()),
    "4MOST": ("4most", ()),
}
"""Label to hardware model and what is laid over it."""

METHODS = ("greedy", "lagrangian", "cpsat")

CLOSE = 1e-9
"""Two sums of the same weights differ by less than this, relatively."""

STANDARDS = 0.05
"""Standards beside the targets of science, as a share of their number."""


@dataclass(frozen=True)
class Case:
    """A random field."""

    plane: str
    size: int | None
    """Positioners nearest the middle of the plane's right half; None for all of them."""
    per_fibre: float
    clustered: bool
    classes: bool
    quotas: bool
    seed: int = 1

    def problem(self) -> AssignmentProblem:
        """Draw the targets, find who reaches them."""
        name, overrides = PLANES[self.plane]
        plane, model = load_focal_plane(name, overrides)
        if self.size is not None and self.size < plane.n_fibres:
            plane = cut_out(plane, self.size)
        shares = (0.0, 0.0), (0.0, 0.0)
        if self.quotas:
            standards = model.standard_fraction_lr, model.standard_fraction_hr
            shares = (model.sky_fraction, model.sky_fraction), standards
        rng = np.random.default_rng(self.seed)
        return random_field(
            plane, rng, self.per_fibre, *shares, clustered=self.clustered, classes=self.classes
        )


def cut_out(plane: FocalPlane, size: int) -> FocalPlane:
    """Some positioners that stand together, half-way between the middle and the right edge."""
    away = np.hypot(plane.x_m - 0.5 * plane.radius_m, plane.y_m)
    keep = np.sort(np.argsort(away, kind="stable")[:size])
    arms = plane.arms
    if arms is not None:
        of_each = [
            "theta_m",
            "phi_m",
            "shape",
            "theta_zero_rad",
            "theta_range_rad",
            "phi_range_rad",
        ]
        arms = replace(arms, **{name: getattr(arms, name)[keep] for name in of_each})
    of_each = ["x_m", "y_m", "kind", "patrol_m", "spectrograph", "module", "slit"]
    return replace(plane, arms=arms, **{name: getattr(plane, name)[keep] for name in of_each})


def random_field(
    plane: FocalPlane,
    rng: np.random.Generator,
    per_fibre: float,
    sky: tuple[float, float],
    standards: tuple[float, float],
    *,
    clustered: bool,
    classes: bool,
) -> AssignmentProblem:
    """So many targets for each fibre of each kind, all over the plane.

    Parameters
    ----------
    plane : FocalPlane
        The positioners.
    rng : numpy.random.Generator
        For places and weights.
    per_fibre : float
        Targets of science for each fibre of their kind.
    sky, standards : (float, float)
        Quotas: shares of the LR and HR fibres of each block of a slit.
    clustered : bool
        Half of the targets in clumps of 30 that are two pitches wide, not all anywhere.
    classes : bool
        Weights from 1 to 10 in whole numbers, not anything between.

    Returns
    -------
    AssignmentProblem
    """
    places, kinds, purposes = [], [], []
    for kind, with_standards in ((LR, standards[LR]), (HR, standards[HR])):
        of_kind = plane.kind == kind
        science = round(per_fibre * int(of_kind.sum()))
        extra = round(STANDARDS * science) if with_standards > 0.0 else 0
        places += [_places(plane, of_kind, rng, science + extra, clustered=clustered)]
        kinds += [np.full(science + extra, kind, np.int8)]
        purposes += [np.repeat([Purpose.SCIENCE, Purpose.STANDARD], [science, extra])]
    xy = np.concatenate(places)
    targets = _target_list(np.concatenate(kinds), np.concatenate(purposes).astype(np.int8))
    n = len(xy)
    weight = rng.integers(1, 11, n).astype(np.float64) if classes else rng.uniform(1.0, 10.0, n)
    usable = np.ones(plane.n_fibres, dtype=np.bool_)
    x, y = np.ascontiguousarray(xy[:, 0]), np.ascontiguousarray(xy[:, 1])
    made = build_problem(
        plane, usable, targets, np.arange(n), x, y, weight, sky=sky, standards=standards
    )
    return made.problem


def _places(
    plane: FocalPlane,
    of_kind: npt.NDArray[np.bool_],
    rng: np.random.Generator,
    number: int,
    *,
    clustered: bool,
) -> npt.NDArray[np.float64]:
    """Random places as dense as the positioners of a kind [m]."""
    home = np.column_stack([plane.x_m, plane.y_m])[of_kind]
    if not len(home):
        return np.empty((0, 2))
    # each fibre has its share of the plane around it, a disc of about its cell's size
    spread = np.sqrt(_cell_m2(plane) / np.mean(of_kind) / np.pi)
    xy = home[rng.integers(0, len(home), number)]
    if clustered:
        clump = rng.integers(0, max(number // 60, 1), number)
        heart = home[rng.integers(0, len(home), max(number // 60, 1))]
        loose = rng.normal(0.0, 2.0 * np.sqrt(_cell_m2(plane)), (number, 2))
        xy = np.where(rng.random((number, 1)) < 0.5, heart[clump] + loose, xy)
    turn = rng.uniform(0.0, 2.0 * np.pi, number)
    away = spread * np.sqrt(rng.random(number))
    return np.asarray(xy + np.column_stack([away * np.cos(turn), away * np.sin(turn)]))


def _cell_m2(plane: FocalPlane) -> float:
    """Area of the lattice's cell: nearest neighbours are a pitch apart."""
    from scipy.spatial import cKDTree

    xy = np.column_stack([plane.x_m, plane.y_m])
    pitch = float(np.median(np.asarray(cKDTree(xy).query(xy, 2)[0])[:, 1]))
    return float(np.sqrt(0.75)) * pitch**2


def _target_list(kind: npt.NDArray[np.int8], purpose: npt.NDArray[np.int8]) -> TargetList:
    """Targets that are only places: nothing of them is asked but their kind and purpose."""
    n = len(kind)
    zero = np.zeros(n)
    whole = np.zeros(n, dtype=np.int32)
    single = zero.astype(np.float32)
    return TargetList(
        "random field", np.arange(n), zero, zero, single, single, single, zero,
        whole.astype(np.int16), whole.astype(np.int16), ("random",), kind, whole + 1, whole,
        purpose, np.arange(n),
    )  # fmt: skip


def cases(*, quick: bool) -> Iterator[Case]:
    """All fields: whole planes, and cut-outs of those on which CP-SAT does not finish."""
    sizes: dict[str, tuple[int | None, ...]] = {
        "WST, short arms": (None, 3000),
        "WST, long among short": (None, 3000),
        "DESI": (None,),
        "PFS": (None,),
        "4MOST": (None, 500),
    }
    looks = ((5.0, False, True), (5.0, True, False), (2.0, False, False), (2.0, True, True))
    for plane, of_plane in sizes.items():
        for size in (300,) if quick else of_plane:
            for per_fibre, clustered, classes in looks[:2] if quick else looks:
                for quotas in (False, True):
                    yield Case(plane, size, per_fibre, clustered, classes, quotas)


def disagreements(solutions: Sequence[Solution]) -> list[str]:
    """What cannot be: a bound of one method below what another one found.

    Parameters
    ----------
    solutions : sequence of Solution
        Of one problem. Where quotas are missed, a bound is asked of those that miss them by
        no more, group by group.

    Returns
    -------
    list of str
        Nothing where all is well.
    """
    wrong = []
    for one in solutions:
        for other in solutions:
            comparable = bool((other.missing <= one.missing).all())
            if comparable and other.objective > one.upper_bound * (1.0 + CLOSE):
                wrong.append(
                    f"{other.method} found {other.objective!r}, more than the bound "
                    f"{one.upper_bound!r} of {one.method}"
                )
    return wrong


HEAD = (
    "focal plane", "positioners", "targets", "field", "quotas", "`greedy`", "`lagrangian`", "bound",
    "gap", "time [s]", "`cpsat`", "bound", "gap", "time [s]", "`lagrangian` of the optimum",
)  # fmt: skip


def row(case: Case, problem: AssignmentProblem, solutions: Sequence[Solution]) -> tuple[str, ...]:
    """What the methods say of one field: worth, bound, gap and time."""
    purpose = problem.purpose
    science = problem.n_targets if purpose is None else int((purpose == Purpose.SCIENCE).sum())
    spread = "clumps" if case.clustered else "uniform"
    greedy, ours, proof = solutions
    return (
        case.plane,
        f"{problem.n_fibres:,}",
        f"{science:,}",
        f"{case.per_fibre:g}x {spread}, {'classes' if case.classes else 'continuous'}",
        "no" if problem.quotas is None else f"{int(problem.quotas.at_least.sum()):,}",
        f"{greedy.objective:,.1f}" + _missing(greedy),
        *_said(ours),
        *_said(proof),
        _share(ours, proof),
    )


def _said(found: Solution) -> tuple[str, ...]:
    gap = "0" if found.gap < 1e-10 else f"{found.gap:.1e}"
    worth = f"{found.objective:,.1f}" + _missing(found)
    return worth, f"{found.upper_bound:,.1f}", gap, f"{found.seconds:.2f}"


def _missing(found: Solution) -> str:
    """How much of the quotas is not there."""
    number = int(found.missing.sum())
    return f", {number:,} missing" if number else ""


def _share(ours: Solution, proof: Solution) -> str:
    """How much of the optimum it is; at least, where that is not proven to five millionths."""
    if (ours.missing != proof.missing).any():
        return ""
    least, most = min(ours.upper_bound, proof.upper_bound), max(ours.objective, proof.objective)
    sign = "" if most >= least * (1.0 - 5e-6) else "at least "
    return f"{sign}{100.0 * ours.objective / (most if not sign else least):.4f} %"


def main(arguments: Sequence[str] | None = None) -> None:
    """Solve and compare; a row is printed as soon as it is known."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="cut-outs of 300 positioners alone")
    parser.add_argument(
        "--time-limit", type=float, default=120.0, metavar="SECONDS", help="for CP-SAT (120)"
    )
    parser.add_argument("--only", choices=tuple(PLANES), help="this focal plane alone")
    parser.add_argument("--whole", action="store_true", help="no cut-outs")
    chosen = parser.parse_args(arguments)
    wanted = [case for case in cases(quick=chosen.quick) if chosen.only in (None, case.plane)]
    if chosen.whole:
        wanted = [case for case in wanted if case.size is None]
    print("| " + " | ".join(HEAD) + " |")
    print("|" + "---|" * len(HEAD), flush=True)
    wrong: list[str] = []
    for method in METHODS:  # compiled before the clock runs
        solve(replace(wanted[0], size=50).problem(), method)
    for case in wanted:
        problem = case.problem()
        limits: dict[str, Any] = {"cpsat": chosen.time_limit}
        solutions = [solve(problem, m, time_limit_s=limits.get(m)) for m in METHODS]
        print("| " + " | ".join(row(case, problem, solutions)) + " |", flush=True)
        wrong += [f"{case}: {what}" for what in disagreements(solutions)]
    for what in wrong:
        print(what, file=sys.stderr)
    if wrong:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
