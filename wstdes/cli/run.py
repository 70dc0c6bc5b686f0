"""`wstdes run`: simulate a scenario."""

from __future__ import annotations

import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wstdes.cli.options import Overlays, ScenarioName, Sets
from wstdes.cli.text import tell

if TYPE_CHECKING:
    from wstdes.study.run import Run

__all__ = ["run"]


def run(
    scenario: ScenarioName = "baseline",
    nights: Annotated[int | None, typer.Option(help="Simulate so many nights.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of all random numbers.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Run directory; by default a new one under runs/.")
    ] = None,
    overlay: Overlays = None,
    set_: Sets = None,
    no_report: Annotated[bool, typer.Option("--no-report", help="Write no report.html.")] = False,
) -> None:
    """Simulate a scenario and write a run directory with tables, summary and report."""
    from wstdes.facility import build, load
    from wstdes.study.runner import execute, new_run_folder

    overrides = list(set_ or [])
    overrides += [] if nights is None else [f"nights={nights}"]
    overrides += [] if seed is None else [f"seed={seed}"]
    loaded = load(scenario, overlays=overlay or [], overrides=overrides)
    folder = out or new_run_folder(Path("runs"), loaded.scenario.name)
    _announce(f"Simulating {loaded.scenario.nights} nights of '{loaded.scenario.title}'")
    try:
        _warm_up()
        facility = build(loaded)
    except KeyboardInterrupt:
        sys.stderr.write("Stopped before the first night; nothing was written.\n")
        raise typer.Exit(130) from None
    tell(facility.parts.notes)
    with _Bar(loaded.scenario.nights, loaded.scenario.start.isoformat()) as bar:
        done = execute(loaded, folder, report=bar.update, facility=facility)
    page = None
    if not no_report and done.nights:
        from wstdes.report import write_report

        _announce("Drawing the report ...")
        page = write_report(done)
    _results(done, page)
    if not done.complete:
        raise typer.Exit(130)


def _announce(text: str) -> None:
    """Say what is going on, to people only."""
    if sys.stderr.isatty():
        sys.stderr.write(text + "\n")


def _warm_up() -> None:
    from wstdes.allocation import kernels_cached, warm_up

    if not kernels_cached():
        _announce("Compiling the numerical kernels (once; they are kept for later runs) ...")
    warm_up()


class _Bar:
    """A progress bar on a terminal; nothing in a pipe."""

    def __init__(self, nights: int, date: str) -> None:
        self._nights = nights
        self._date = date
        self._shown = sys.stderr.isatty()

    def __enter__(self) -> _Bar:
        if self._shown:
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

            self._bar = Progress(
                TextColumn("{task.fields[date]:10s}"),
                BarColumn(),
                TextColumn("{task.completed:.0f}/{task.total:.0f} nights"),
                TextColumn("{task.fields[rate]}"),
                TimeRemainingColumn(),
                console=Console(stderr=True),
            )
            self._task = self._bar.add_task("", total=self._nights, date=self._date, rate="")
            self._bar.start()
            self._began = time.perf_counter()
        return self

    def __exit__(self, *_: object) -> None:
        if self._shown:
            self._bar.stop()

    def update(self, progress: object) -> None:
        """Show how far the run has come."""
        from wstdes.study.runner import Progress

        assert isinstance(progress, Progress)
        if self._shown and progress.stage == "simulating":
            rate = f"{progress.done / (time.perf_counter() - self._began):.2g} nights/s"
            self._bar.update(self._task, completed=progress.done, date=progress.date, rate=rate)


def _results(run: Run, page: Path | None) -> None:
    """A short table of results, where they are, and what to try next."""
    from rich.console import Console
    from rich.table import Table

    from wstdes.cli.text import format_metric

    console = Console(width=None if sys.stdout.isatty() else 110, highlight=False)
    if not run.complete:
        asked = run.manifest["nights_asked"]
        console.print(f"Stopped: this run is partial, {run.nights} of {asked} nights.")
    if run.nights:
        table = Table(title=f"{run.manifest['title']}: {run.nights} nights", title_justify="left")
        table.add_column("result", justify="right", no_wrap=True)
        table.add_column("unit")
        table.add_column("what it means")
        for metric in run.summary.values():
            if metric["headline"]:
                table.add_row(*format_metric(metric["value"], metric["unit"]), metric["meaning"])
        console.print(table)
    console.print(f"Run directory  {run.folder}", soft_wrap=True)
    if page is not None:
        console.print(f"Report         {page}", soft_wrap=True)
    command = "wstdes" if shutil.which("wstdes") else sys.argv[0]
    console.print(
        f"Try next       {command} run --overlay overlays/compute-at-archive", soft_wrap=True
    )
    console.print(f"               {command} list", soft_wrap=True)
