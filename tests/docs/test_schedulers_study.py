"""The comparison of schedulers runs on its bench, in small."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from wstdes.config import digest
from wstdes.study.run import Run

ANALYSIS = Path(__file__).resolve().parents[2] / "analysis"


@pytest.fixture
def study(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(ANALYSIS)
    spec = importlib.util.spec_from_file_location("schedulers", ANALYSIS / "schedulers.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "schedulers", module)
    spec.loader.exec_module(module)
    return module


def test_policies_are_compared_on_the_same_nights(
    study: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    study.main(["--size", "0.05", "--nights", "8", "--seeds", "2"])
    said = capsys.readouterr().out
    assert "2 seeds" in said
    for name in (*study.POLICIES, "bound"):
        assert f"\n{name} " in said


def test_a_survey_done_on_the_bench_is_reproducible_and_within_its_bound(study: Any) -> None:
    case = study.wst(0.1)
    hours = np.degrees(case.ra_rad) / 15.0
    some = np.flatnonzero((hours > 8.0) & (hours < 14.0))[::12]
    case = replace(
        case,
        ra_rad=case.ra_rad[some],
        dec_rad=case.dec_rad[some],
        visits=case.visits[some],
        nights=150,
    )
    nights = study.Nights(*study.weather(case, 1), study.season_of(case))
    policy = study.make_policy(
        "scheduling", study.PolicyRef.model_validate(study.POLICIES["look-ahead"])
    )
    one, two = (study.Bench(case, nights, policy).run() for _ in range(2))
    assert one.done.tobytes() == two.done.tobytes()
    assert (np.diff(one.done) >= 0.0).all()
    [bound] = study.season_bound(study.known(nights), (0.99,))
    assert 0.8 * bound < one.night(0.99) < np.inf


def test_intervals_are_students(study: Any) -> None:
    """Of 1, 2, 3: mean 2, t(0.975, 2) = 4.3027 over the root of three."""
    mean, half = study.interval(np.array([1.0, 2.0, 3.0]))
    assert (mean, half) == pytest.approx((2.0, 4.302653 / np.sqrt(3.0)))
    assert study.interval(np.array([1.0, np.inf])) == (np.inf, np.inf)


def test_runs_that_are_kept_are_those_that_were_asked_for(
    study: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or a table of other options would be that of the first."""

    def run(name: str, *, nights: int, overrides: list[str], out: Path) -> Any:
        asked = study.wstdes.scenario(name, overrides=[*overrides, f"nights={nights}"]).scenario
        out.mkdir(parents=True)
        (out / "summary.json").write_text("{}")
        kept[out] = Run(out, {"scenario_digest": digest(asked)})
        return kept[out]

    kept: dict[Path, Run] = {}
    monkeypatch.setattr(study.wstdes, "run", run)
    monkeypatch.setattr(study.wstdes, "load", kept.__getitem__)
    monkeypatch.setattr(study, "run_dates", lambda _: [1.0, 2.0, 3.0])
    first = study.simulate("small", 2, 1, tmp_path, [], minimum_rate=0.1)
    again = study.simulate("small", 2, 1, tmp_path, [], minimum_rate=0.1)
    assert first["merit"].tolist() == again["merit"].tolist() == [[1.0, 2.0, 3.0]]
    for nights, options in ((3, {"minimum_rate": 0.1}), (2, {"minimum_rate": 0.2}), (2, {})):
        with pytest.raises(SystemExit, match="another scenario"):
            study.simulate("small", nights, 1, tmp_path, [], **options)
