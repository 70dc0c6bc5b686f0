"""Several visits of a field, surveys' quotas, and reasons in words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import wstdes
from wstdes.cli.main import main
from wstdes.errors import WstdesError
from wstdes.field import Allocation

CENTRE: dict[str, Any] = {"ra": "23:59:57.6", "dec": "-30d"}


@pytest.fixture(scope="module")
def once(small_plane: Path, targets: dict[str, Any]) -> Allocation:
    return wstdes.allocate(
        targets, **CENTRE, hardware=small_plane, broken=0.1, quotas={"stars": 0.6}
    )


def test_targets_that_have_begun_are_finished(small_plane: Path, targets: dict[str, Any]) -> None:
    done = wstdes.allocate(targets, **CENTRE, hardware=small_plane, visits=3)
    assert done.plan is not None
    finished = done.got >= done.targets.required
    science = done.targets.purpose == 0
    assert done.objective == pytest.approx(done.targets.weight[finished & science].sum())
    assert done.objective <= done.upper_bound
    # who began in the first visit could finish: collisions and quotas alone can stop that
    first = done.visits[0].target
    first = first[first >= 0]
    first = first[science[first]]
    assert finished[first].mean() > 0.95
    again = done.why(str(done.targets.id[np.flatnonzero(finished & science)[0]]))
    assert "has all the visits it needs" in again[0] or "is on fibre" in again[0]


def test_a_survey_has_its_share(once: Allocation) -> None:
    served = once.visits[0].target
    science = once.visits[0].use == 0
    survey = once.targets.survey[served[science]]
    stars = once.targets.surveys.index("stars")
    assert (survey == stars).mean() > 0.55
    assert any("survey stars has" in note for note in once.notes)
    assert once.gap < 0.01


def test_reasons_add_up_and_are_told(once: Allocation) -> None:
    lost = once.wanted & (once.got == 0)
    limits = once.limits()
    assert sum(n for reason, n in limits.items() if reason.startswith("targets")) == lost.sum()
    told = {0: ("No fibre reaches", "only with an arm"), 1: ("broken or stuck", "stands still"),
            2: ("worth",)}  # fmt: skip
    for reach, words in told.items():
        rows = np.flatnonzero(lost & (once.reach == reach))
        if len(rows):
            texts = once.why(str(once.targets.id[rows[0]]))
            assert len(texts) == 1
            assert once.why(once.targets.id[rows[0]]) == texts  # as a number, too
            assert any(some in texts[0] for some in words)
    with pytest.raises(WstdesError, match="no target of the field has the identifier '7'"):
        once.why("7")


@pytest.mark.parametrize(
    ("quotas", "words"),
    [
        ({"star": 0.5}, "no survey 'star' in the field; did you mean 'stars'"),
        ({"stars": 1.5}, "the share 1.5 of survey 'stars'"),
        ({"stars": 0.7, "cosmology": 0.7}, "add up to 1.4"),
    ],
)
def test_bad_quotas_are_named(
    small_plane: Path, targets: dict[str, Any], quotas: dict[str, float], words: str
) -> None:
    with pytest.raises(WstdesError, match=words):
        wstdes.allocate(targets, **CENTRE, hardware=small_plane, quotas=quotas)


def test_from_the_command_line(
    capsys: Any, monkeypatch: Any, small_plane: Path, targets: dict[str, Any], tmp_path: Path
) -> None:
    from astropy.table import Table

    path = tmp_path / "t.csv"
    Table(targets).write(path)
    command = ["wstdes", "allocate", str(path), "--ra", "23:59:57.6", "--dec", "-30d",
               "--hardware", str(small_plane)]  # fmt: skip

    def call(*more: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", [*command, *more])
        with pytest.raises(SystemExit) as end:
            main()
        out, err = capsys.readouterr()
        return int(end.value.code or 0), out, err

    code, out, err = call("--quota", "stars=0.6", "--why", "1000", "--why", "1001", "--visits", "2")
    assert (code, err) == (0, "")
    assert "of completed targets" in out
    assert "visit 2: survey stars has" in out
    assert out.count("Why  ") == 2
    code, _, err = call("--quota", "stars")
    assert code == 2
    assert "--quota: 'stars' is not SURVEY=FRACTION" in err
    code, _, err = call("--why", "nobody")
    assert code == 2
    assert "no target of the field has the identifier 'nobody'" in err


def test_who_gave_way_to_a_share_is_told_so(once: Allocation) -> None:
    assert once.shared
    assert not any("a better assignment exists" in reason for reason in once.limits())
    lost = np.flatnonzero(once.wanted & (once.got == 0) & (once.reach == 2))
    for row in lost[:40]:
        assert "a better assignment exists" not in once.why(str(once.targets.id[row]))[0]
