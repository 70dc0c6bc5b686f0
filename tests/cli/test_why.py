"""`wstdes why`: on a real run whose scores are known, and where there is nothing to say."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from wstdes.cli.why import why
from wstdes.errors import RunError

if TYPE_CHECKING:
    from wstdes.study.run import Run

ALERT = "switch"


@pytest.fixture
def scored(small_run: Run, tmp_path: Path) -> tuple[Path, dict[str, Any]]:
    """The small run with a table of scores made by hand for one of its visits."""
    folder = tmp_path / "scored"
    shutil.copytree(small_run.folder, folder)
    visits = small_run["visits"].to_pylist()
    row = next(v for v in visits if v["reason"] == "survey" and v["runner_up"] is not None)
    best = {"gain": 12.0, "per second": row["score"] / 24.0, "begun": 2.0}
    next_best = {"gain": 8.0, "per second": row["runner_up_score"] / 8.0, "begun": 1.0}
    rows = [
        {"visit": row["visit"], "rank": rank, "tile": tile, "term": term, "value": value}
        for rank, (tile, terms) in enumerate([(row["tile"], best), (row["runner_up"], next_best)])
        for term, value in terms.items()
    ]
    rows.append({**rows[0], "visit": row["visit"] + 1, "value": 777.0})
    pq.write_table(pa.Table.from_pylist(rows), folder / "tables" / "scores.parquet")
    return folder, row


def test_a_visit_is_explained_term_by_term_beside_the_next_best(
    scored: tuple[Path, dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    folder, row = scored
    why(folder, row["visit"])
    said = capsys.readouterr().out
    lines = {line.rsplit("  ", 1)[0].split("  ")[0].strip(): line for line in said.splitlines()}
    assert f"Visit {row['visit']}, decided 20" in said
    assert f"in night {row['night']} by merit" in said
    assert f"tile {row['tile']}" in said
    assert lines["gain"].split() == ["gain", "12", "8", "1.5"]
    assert lines["begun"].split() == ["begun", "2", "1", "2"]
    assert lines["score (product)"].split()[2] == format(row["score"], ".4g")
    share = f"{row['runner_up_score'] / row['score']:.1%}"
    assert f"tile {row['runner_up']} would have scored {share}, and have gained 8." in said
    assert "777" not in said  # another visit's


def test_what_cannot_be_explained_is_said(
    scored: tuple[Path, dict[str, Any]], small_run: Run, tmp_path: Path
) -> None:
    folder, _ = scored
    last = len(small_run["visits"]) - 1
    with pytest.raises(RunError, match=f"no visit 99999: it has visits 0 to {last}"):
        why(folder, 99999)
    with pytest.raises(RunError, match="there is no folder"):
        why(tmp_path / "nothing", 0)
    (folder / "tables" / "scores.parquet").unlink()
    survey = next(v["visit"] for v in small_run["visits"].to_pylist() if v["reason"] == "survey")
    with pytest.raises(RunError, match=r"no table .scores.*run the scenario again"):
        why(folder, survey)


def test_alerts_are_not_the_schedulers(scored: tuple[Path, dict[str, Any]]) -> None:
    folder, row = scored
    path = folder / "tables" / "visits.parquet"
    table = pq.read_table(path)
    reasons = [
        ALERT if v == row["visit"] else r
        for v, r in zip(table["visit"].to_pylist(), table["reason"].to_pylist(), strict=True)
    ]
    place = table.schema.get_field_index("reason")
    field = table.schema.field("reason")
    pq.write_table(table.set_column(place, field, pa.array(reasons, field.type)), path)
    with pytest.raises(RunError, match=r"made for an alert \(switch\)"):
        why(folder, row["visit"])


def test_scores_of_a_run_are_the_products_of_their_terms(
    small_run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    for row in small_run["visits"].to_pylist()[:10]:
        if row["reason"] == "survey":
            why(small_run.folder, row["visit"])
            said = capsys.readouterr().out
            assert "score (product)" in said
            assert f"tile {row['tile']}" in said
