"""`wstdes allocate` as people meet it: a field, a check, a problem, and bad input."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from wstdes.cli.main import main

FIELD = ("--ra", "10h0m", "--dec", "-30d", "--hardware", "pfs")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a catalogue and its assignment."""
    path = tmp_path_factory.mktemp("allocate")
    rng = np.random.default_rng(1)
    n = 4000
    ra, dec = 150.0 + rng.uniform(-0.7, 0.7, n), -30.0 + rng.uniform(-0.6, 0.6, n)
    priority = rng.integers(1, 9, n)
    survey = rng.choice(["a", "b"], n)
    Table({"ra": ra, "dec": dec, "priority": priority, "survey": survey}).write(path / "t.csv")
    return path


def call(capsys: Any, monkeypatch: Any, folder: Path, *arguments: str) -> tuple[int, str, str]:
    monkeypatch.chdir(folder)
    monkeypatch.setattr("sys.argv", ["wstdes", "allocate", *arguments])
    with pytest.raises(SystemExit) as end:
        main()
    out, err = capsys.readouterr()
    return int(end.value.code or 0), out, err


def test_a_field_its_files_and_their_check(capsys: Any, monkeypatch: Any, folder: Path) -> None:
    code, out, err = call(
        capsys, monkeypatch, folder, "t.csv", *FIELD, "--out", "a.fits", "--figure", "f.png",
        "--sky", "0.1", "--rotator", "10deg",
    )  # fmt: skip
    assert (code, err) == (0, "")
    for words in ("science", "completeness", "Objective", "Limited by", "a.fits", "--check a.fits"):
        assert words in out
    assert (folder / "f.png").stat().st_size > 20_000
    code, out, _ = call(capsys, monkeypatch, folder, "--check", "a.fits")
    assert code == 0
    assert "a.fits: good (2,394 positioners" in out
    with fits.open(folder / "a.fits") as file:
        table = file["ASSIGNMENTS"].data
        table["USE"][np.flatnonzero(table["USE"] == "science")[0]] = "broken"
        file.writeto(folder / "spoilt.fits", overwrite=True)
    code, out, _ = call(capsys, monkeypatch, folder, "--check", "spoilt.fits")
    assert code == 1
    assert "FAILED" in out
    assert "has a target though it is broken" in out


def test_visits_are_written_one_by_one(capsys: Any, monkeypatch: Any, folder: Path) -> None:
    code, out, _ = call(
        capsys, monkeypatch, folder, "t.csv", *FIELD, "--visits", "2", "--out", "v.fits",
        "--sky", "0", "--standards", "0",
    )  # fmt: skip
    assert code == 0
    assert "2 visits" in out
    one, two = (fits.getdata(folder / f"v-{i}.fits", "TARGETS") for i in (1, 2))
    assert not ((one["FIBRE"] >= 0) & (two["FIBRE"] >= 0)).any(), "one visit is enough"


def test_a_problem_made_by_others(capsys: Any, monkeypatch: Any, folder: Path) -> None:
    np.savez(
        folder / "p.npz", positioner_xy=np.zeros((1, 2)), target_xy=np.ones((2, 2)),
        target_class=[0, 0], target_weight=[1.0, 2.0], edge_fibre=[0, 0, 0], edge_target=[0, 1, 1],
    )  # fmt: skip
    code, out, err = call(
        capsys, monkeypatch, folder, "--problem", "p.npz", "--method", "exact", "--out", "r.npz"
    )
    assert code == 0
    assert "1 edges stood there more than once" in err
    assert "objective 2, upper bound 2" in out
    with np.load(folder / "r.npz") as result:
        assert (result["target"].tolist(), result["fibre"].tolist()) == ([1], [0])


@pytest.mark.parametrize(("arguments", "words"), [
    ((), ["nothing to do", "--check"]),
    (("t.csv",), ["--ra and --dec"]),
    (("t.csv", "--check", "a.fits"), ["together"]),
    (("t.csv", "--ra", "150", "--dec", "-30d"), ["'150' has no unit", "10h0m"]),
    (("t.csv", *FIELD, "--out", "a.txt"), ["--out", ".fits"]),
    (("t.csv", *FIELD, "--out", "nowhere/a.fits"), ["no folder 'nowhere'"]),
    (("t.csv", *FIELD, "--figure", "a.gif"), ["--figure", ".png"]),
    (("t.csv", *FIELD, "--time-limit", "5"), ["--time-limit", "no unit"]),
    (("t.csv", *FIELD, "--column", "priority"), ["PART=NAME"]),
    (("t.csv", *FIELD, "--column", "prio=ra"), ["'prio'", "priority"]),
    (("t.csv", *FIELD, "--broken", "list.txt"), ["broken", "list.txt"]),
    (("u.csv", *FIELD), ["u.csv", "no such file"]),
    (("--check", "t.csv"), ["t.csv", "FITS"]),
    (("--problem", "t.csv"), ["t.csv", ".npz"]),
    (("--problem", "p.npz", "--out", "a.fits"), [".npz"]),
])  # fmt: skip
def test_what_cannot_be_is_refused(
    capsys: Any, monkeypatch: Any, folder: Path, arguments: tuple[str, ...], words: list[str]
) -> None:
    code, out, err = call(capsys, monkeypatch, folder, *arguments)
    assert code == 2
    assert out == ""
    assert err.startswith("wstdes: ")
    for word in words:
        assert word in err


def test_a_list_of_broken_positioners_names_its_wrong_line(
    capsys: Any, monkeypatch: Any, folder: Path
) -> None:
    (folder / "broken.txt").write_text("# since May\n17\n\n99999\n")
    code, _, err = call(capsys, monkeypatch, folder, "t.csv", *FIELD, "--broken", "broken.txt")
    assert code == 2
    assert "broken.txt:4: '99999' is no positioner" in err
