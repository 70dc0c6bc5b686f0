"""A user's own alerts: read from a file, and refused with what is wrong."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pytest

from wstdes.clock import Clock
from wstdes.errors import CatalogueError
from wstdes.survey.alerts import read_alerts

CLOCK = Clock(dt.date(2041, 3, 1), 0.0)  # noon at Greenwich


def written(folder: Path, text: str) -> Path:
    path = folder / "alerts.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_times_become_seconds_of_the_run_and_rows_are_sorted(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "time,ra,dec,class\n2041-03-02T12:00:00,10,-20,kilonova\n"
        "2041-03-01T13:00:00Z,350,5,kilonova\n2041-03-01T14:00:00,1,1,supernova\n",
    )
    found = read_alerts(path, "kilonova", CLOCK)
    assert found.time_s.tolist() == [3600.0, 86400.0]
    assert np.degrees(found.ra_rad) == pytest.approx([350.0, 10.0])
    assert np.degrees(found.dec_rad) == pytest.approx([5.0, -20.0])
    assert found.between(3600.0, 86400.0).time_s.tolist() == [3600.0]


@pytest.mark.parametrize(("name", "shift"), [("mjd", 0.0), ("jd", 2400000.5)])
def test_julian_dates(tmp_path: Path, name: str, shift: float) -> None:
    mjd = CLOCK.start_unix_s / 86400.0 + 40587.0
    path = written(tmp_path, f"{name},ra,dec\n{mjd + shift + 0.5!r},1,2\n")
    assert read_alerts(path, "any", CLOCK).time_s == pytest.approx([43200.0], abs=1e-3)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("ra,dec\n1,2\n", "no column for 'time'"),
        ("time,ra,dec\nyesterday,1,2\n", "row 1, column 'time': 'yesterday' is no time"),
        ("time,ra,dec\n12.5,1,2\n", "numbers of unknown meaning"),
        ("mjd,ra,dec\n66000,400,2\n", r"row 1, column 'ra': 400 is not in \[0, 360\) deg"),
        ("mjd,ra,dec\n66000,40,-91\n", "row 1, column 'dec'"),
        ("mjd,ra,dec\n66000,40,\n", "row 1, column 'dec'"),
        ("mjd,ra,dec,class\n66000,40,1,nova\n", "none is 'any'; it has 'nova'"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, text: str, what: str) -> None:
    with pytest.raises(CatalogueError, match=what):
        read_alerts(written(tmp_path, text), "any", CLOCK)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match="no such file"):
        read_alerts(tmp_path / "none.csv", "any", CLOCK)
