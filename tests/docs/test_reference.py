"""The reference pages say what the code says."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from wstdes.study.run import Run

DOCS = Path(__file__).resolve().parents[2] / "docs"
NAMES = ["cli.md", "hardware.md", "metrics.md", "policies.md", "scenario.md", "tables.md"]


@pytest.fixture(scope="module")
def pages(small_run: Run) -> dict[str, str]:
    spec = importlib.util.spec_from_file_location("make_reference", DOCS / "make_reference.py")
    assert spec is not None
    assert spec.loader is not None
    module: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: dict[str, str] = module.make_pages(small_run.summary)
    return found


def test_the_pages_are_those_that_are_made(pages: dict[str, str]) -> None:
    assert sorted(pages) == NAMES
    assert sorted(path.name for path in (DOCS / "reference").glob("*.md")) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_page_is_what_the_code_makes(name: str, pages: dict[str, str]) -> None:
    committed = (DOCS / "reference" / name).read_text(encoding="utf-8")
    assert committed == pages[name], f"run `make docs`: docs/reference/{name} is out of date"


def test_every_column_of_a_run_is_described(small_run: Run, pages: dict[str, str]) -> None:
    for table in small_run.tables:
        assert f"\n## {table}\n" in pages["tables.md"]
        for field in small_run[table].schema:
            assert f"| `{field.name}` |" in pages["tables.md"]
            assert field.metadata[b"description"]


def test_metrics_are_described_by_unit_and_meaning(pages: dict[str, str]) -> None:
    rows = [line.split(" | ") for line in pages["metrics.md"].splitlines() if line[:3] == "| `"]
    assert len(rows) > 50
    assert all(row[3].strip(" |") for row in rows)
