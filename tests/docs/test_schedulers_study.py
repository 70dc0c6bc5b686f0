"""The comparison of schedulers runs on its bench, in small."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

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
