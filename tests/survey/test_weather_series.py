"""Measured weather from a user's file: read in SI, or refused in words."""

from __future__ import annotations

import datetime as dt
import math
from pathlib import Path

import numpy as np
import pytest

from wstdes.errors import CatalogueError
from wstdes.survey.weather_series import read_weather

ARCSEC = math.pi / 648000.0
MARCH = dt.datetime(2019, 3, 1, tzinfo=dt.UTC).timestamp()


def written(folder: Path, text: str, name: str = "weather.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_columns_by_alias_with_units_in_the_header_and_empty_cells(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "utc,fwhm [arcsec],wind [km/h],RH [%],cloud [okta],open\n"
        "2019-03-01T00:00:00,0.8,36,50,4,true\n"
        "2019-03-01T00:05:00Z,,72,,,false\n"
        "2019-03-01T00:10:00,1.2,,20,8,\n",
    )
    series = read_weather(path).values
    times, seeing = series["seeing"]
    assert times.tolist() == [MARCH, MARCH + 600.0]
    assert seeing == pytest.approx([0.8 * ARCSEC, 1.2 * ARCSEC])
    assert series["wind"][1] == pytest.approx([10.0, 20.0])
    assert series["humidity"][1] == pytest.approx([0.5, 0.2])
    assert series["cloud"][1] == pytest.approx([0.5, 1.0])
    assert series["open"][1].tolist() == [1.0, 0.0]


def test_times_may_be_counted_from_a_start_or_be_julian_dates(tmp_path: Path) -> None:
    start = dt.datetime(2019, 3, 1, tzinfo=dt.UTC)
    counted = written(tmp_path, "t,fwhm\n0,0.8\n300,0.9\n")
    mapping = {"time": "t", "seeing": "fwhm [mas]"}
    times, seeing = read_weather(counted, mapping, start).values["seeing"]
    assert times.tolist() == [MARCH, MARCH + 300.0]
    assert seeing == pytest.approx([0.8e-3 * ARCSEC, 0.9e-3 * ARCSEC])
    days = written(tmp_path, "t [d],seeing\n0,0.8\n2,0.9\n")
    assert read_weather(days, {"time": "t"}, start).values["seeing"][0][1] == MARCH + 172800.0
    mjd = written(tmp_path, "MJD,seeing\n58543.0,0.8\n58543.5,0.9\n")
    assert read_weather(mjd).values["seeing"][0] == pytest.approx([MARCH, MARCH + 43200.0])


def test_parquet_with_datetimes_is_read_as_csv_is(tmp_path: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    table = pa.table({"time": ["2019-03-01 00:00:00", "2019-03-02"], "wind": [3.0, None]})
    parquet.write_table(table, tmp_path / "w.parquet")
    times, wind = read_weather(tmp_path / "w.parquet").values["wind"]
    assert (times.tolist(), wind.tolist()) == ([MARCH], [3.0])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("time,seeing\n2019-03-01,0.8\n2019-03-01,0.9\n", ["row 2", "the same time as row 1"]),
        ("time,seeing\n2019-03-02,0.8\n2019-03-01,0.9\n", ["row 2", "before row 1", "sort"]),
        ("time,seeing\n2019-03-01,0.8\n01/03/2019,0.9\n", ["row 2", "01/03/2019", "UTC as"]),
        ("time,seeing\n2019-03-01,0.8\n,0.9\n", ["row 2", "no time"]),
        ("time,seeing\n0,0.8\n300,0.9\n", ["unknown time", "start:"]),
        ("time,seeing\n2019-03-01,-0.8\n", ["row 1", "seeing of -0.8", "[0, 30] arcsec"]),
        ("time,seeing [m/s]\n2019-03-01,0.8\n", ["'seeing'", "unit 'm/s'", "rad"]),
        ("time,seeing\n2019-03-01,0.8\n2019-03-02,bad\n", ["row 2", "'bad' is not a number"]),
        ("time,seeing\n2019-03-01,\n", ["no value in any row"]),
        ("time,humidity\n2019-03-01,45\n", ["humidity of 45", "humidity [%]"]),
        ("time,cloud\n2019-03-01,4\n", ["cloud of 4", "cloud [okta]"]),
        ("time,transparency\n2019-03-01,99\n", ["transparency of 99"]),
        ("time,open\n2019-03-01,perhaps\n", ["'perhaps' is neither true nor false"]),
        ("time,temperature\n2019-03-01,12\n", ["nothing was measured", "seeing, cloud"]),
        ("seeing\n0.8\n", ["no column for 'time'"]),
    ],
)
def test_bad_files_are_refused_with_row_column_and_value(
    text: str, words: list[str], tmp_path: Path
) -> None:
    path = written(tmp_path, text)
    with pytest.raises(CatalogueError) as caught:
        read_weather(path)
    for word in ("weather.csv", *words):
        assert word in str(caught.value)


def test_a_mapping_with_a_typing_error_says_what_was_meant(tmp_path: Path) -> None:
    path = written(tmp_path, "time,fwhm_zenith\n2019-03-01,0.8\n")
    with pytest.raises(CatalogueError, match="fwhm_zenith"):
        read_weather(path, {"seeing": "fwhm_zenit"})
    with pytest.raises(CatalogueError, match="seeing"):
        read_weather(path, {"seing": "fwhm_zenith"})


def test_a_year_at_five_minutes_is_read_in_seconds(tmp_path: Path) -> None:
    n = 105_000
    start = np.datetime64("2019-01-01T00:00:00")
    times = (start + 300 * np.arange(n)).astype(str)
    lines = "\n".join(f"{t},0.8" for t in times)
    path = written(tmp_path, "time,seeing\n" + lines + "\n")
    assert len(read_weather(path).values["seeing"][0]) == n
