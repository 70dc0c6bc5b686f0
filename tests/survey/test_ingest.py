"""Ingest: every row comes back in its cell, whatever happens nothing half made is left."""

import csv
import json
import math
import os
import signal
import subprocess
import sys
import tempfile
import tracemalloc
from pathlib import Path
from unittest import mock

import numpy as np
import pyarrow
import pytest
from astropy.table import Table
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from wstdes.cli.main import main
from wstdes.errors import CatalogueError
from wstdes.survey import (
    CatalogueSource,
    Footprint,
    TargetSource,
    cell_of,
    open_catalogue,
    open_store,
    read_catalogue,
)
from wstdes.survey.ingest import ingest
from wstdes.survey.store import STEP_RAD

SIZE = 400
MAS = math.radians(1 / 3.6e6)
SUFFIXES = ["parquet", "csv", "fits", "ecsv", "vot"]


def plain(size=SIZE, seed=1, **changes):
    rng = np.random.default_rng(seed)
    columns = {
        "id": 4_611_686_018_427_387_905 + rng.permutation(size),
        "ra": rng.uniform(140, 180, size),
        "dec": rng.uniform(-30, -10, size),
        "magnitude": rng.uniform(17, 22, size),
        "pmra": rng.normal(0, 50, size),
        "pmdec": rng.normal(0, 50, size),
        "priority": rng.uniform(0, 7, size),
        "required": rng.uniform(600, 3600, size),
    }
    columns |= changes
    return Table({name: values for name, values in columns.items() if values is not None})


def save(table, path):
    formats = {"fits": "fits", "ecsv": "ascii.ecsv", "vot": "votable", "csv": "ascii.csv"}
    table.write(path, format=formats.get(path.suffix[1:], "parquet"))
    return path


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Parts and files so small that each of these catalogues has many."""
    monkeypatch.setattr("wstdes.survey._chunks.CHUNK_ROWS", 70)
    monkeypatch.setattr("wstdes.survey._chunks._CSV_BLOCK", 6000)
    monkeypatch.setattr("wstdes.survey.ingest._SORTED_ROWS", 30)


def everything(source, pixels):
    """Rows by identifier, and the cell each was found in."""
    found = {}
    for pixel in np.unique(pixels).tolist():
        cell, rank = source.cell(pixel), source.rank(pixel)
        rank = np.ones(len(cell)) if rank is None else rank
        columns = (
            cell.id,
            cell.ra_rad,
            cell.dec_rad,
            cell.magnitude,
            cell.required_s,
            cell.pm_ra_rad_per_yr,
            cell.pm_dec_rad_per_yr,
            rank,
        )
        for row in zip(*(column.tolist() for column in columns), strict=True):
            assert row[0] not in found
            found[row[0]] = (pixel, *row[1:])
    return found


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_store_serves_what_the_file_holds(tmp_path, suffix):
    path = save(plain(), tmp_path / f"mine.{suffix}")
    manifest = ingest(path, tmp_path / "store", epoch_yr=2000.0)
    assert (manifest.rows, manifest.dropped, manifest.source) == (SIZE, 0, f"mine.{suffix}")
    assert not list(tmp_path.glob("*.part"))
    table = read_catalogue(path)
    file, store = CatalogueSource(table), CatalogueSource(open_store(tmp_path / "store"))
    assert isinstance(store, TargetSource)
    assert (store.name, store.epoch_yr, len(store)) == ("store", 2000.0, SIZE)
    pixels = cell_of(table.ra_rad, table.dec_rad)
    expected, found = everything(file, pixels), everything(store, pixels)
    assert expected.keys() == found.keys()
    for key, row in expected.items():
        assert found[key][0] == row[0]
        assert np.hypot(found[key][1] - row[1], found[key][2] - row[2]) < 0.25 * MAS
        assert np.allclose(found[key][3:], row[3:], rtol=1e-6, atol=0)


def test_units_of_the_file_and_of_the_mapping_are_honoured(tmp_path):
    from astropy import units

    table = plain()
    table["ra"] = table["ra"] / 15 * units.hourangle
    table["required"] = table["required"] / 60 * units.min
    table.write(tmp_path / "a.parquet", format="parquet")
    ingest(tmp_path / "a.parquet", tmp_path / "a")
    table = plain()
    table["hours"] = table["ra"] / 15
    del table["ra"]
    save(table, tmp_path / "b.csv")
    ingest(tmp_path / "b.csv", tmp_path / "b", columns={"ra": "hours [hourangle]"})
    for name in "ab":
        columns = open_store(tmp_path / name).columns
        assert columns.ra.min() * STEP_RAD == pytest.approx(math.radians(140), abs=0.01)
        assert columns.required_s.max() == pytest.approx(plain()["required"].max())


angles = st.one_of(
    st.sampled_from([0.0, 359.99999999, 45.0, 90.0]), st.floats(0, 360, exclude_max=True)
)
heights = st.one_of(
    st.sampled_from([-90.0, 90.0, 0.0, math.degrees(math.asin(2 / 3))]), st.floats(-90, 90)
)
rows = st.lists(
    st.tuples(st.integers(-(2**63), 2**63 - 1), angles, heights, st.floats(-5, 40, width=32)),
    min_size=1,
    max_size=60,
    unique_by=lambda row: row[0],
)


@settings(max_examples=25)
@given(rows)
def test_every_row_comes_back_in_its_cell(rows):
    columns = dict(zip(("id", "ra", "dec", "mag"), map(list, zip(*rows, strict=True)), strict=True))
    with tempfile.TemporaryDirectory() as folder:
        path = save(Table(columns), Path(folder) / "some.parquet")
        with mock.patch("wstdes.survey._columns._looks_like_hours", return_value=False):
            ingest(path, Path(folder) / "store")
        store = open_store(Path(folder) / "store")
        ra, dec = store.columns.ra * STEP_RAD, store.columns.dec * STEP_RAD
        given = {row[0]: row[1:] for row in rows}
        assert sorted(store.columns.id.tolist()) == sorted(given)
        source = CatalogueSource(store, required_s=900.0)
        found = everything(source, cell_of(ra, dec))
        assert found.keys() == given.keys()
        for key, (g_ra, g_dec, magnitude) in given.items():
            pixel, f_ra, f_dec, f_magnitude, *_ = found[key]
            assert f_magnitude == np.float32(magnitude)
            assert abs(f_dec - math.radians(g_dec)) <= 0.16 * MAS
            turn = abs(f_ra - math.radians(g_ra))
            assert min(turn, 2 * math.pi - turn) <= 0.16 * MAS
            assert cell_of(np.array([f_ra]), np.array([f_dec]))[0] == pixel


def spoilt(**cells):
    """A table with wrong values: column -> {row: value}."""
    table = plain()
    for name, changes in cells.items():
        if any(isinstance(value, str) for value in changes.values()):
            table[name] = table[name].astype(object)
        for row, value in changes.items():
            table[name][row - 1] = value
    return table


SPOILT = {
    "ra": {3: 400.0, 150: -1.0},
    "dec": {151: 91.0},
    "magnitude": {2: math.nan, 300: math.inf},
    "required": {220: 0.0, 221: 70_000.0},
}


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_cannot_be_right_is_refused_with_its_rows(tmp_path, suffix):
    path = save(spoilt(**SPOILT), tmp_path / f"bad.{suffix}")
    with pytest.raises(CatalogueError) as refusal:
        ingest(path, tmp_path / "store")
    text = str(refusal.value)
    for part in (
        f"bad.{suffix}",
        "row 3, column 'ra': 400",
        "row 150, column 'ra': -1",
        "row 151, column 'dec': 91",
        "row 2, column 'magnitude': no value",
        "row 300, column 'magnitude': value inf",
        "row 220, column 'required': 0",
        "row 221, column 'required': 70000 s is longer",
    ):
        assert part in text
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_bad_rows_can_be_left_out(tmp_path, suffix):
    table = spoilt(**SPOILT)
    table["id"][[100, 200]] = table["id"][50]
    path = save(table, tmp_path / f"bad.{suffix}")
    manifest = ingest(path, tmp_path / "store", skip_bad=True)
    bad = {row for changes in SPOILT.values() for row in changes} | {101, 201}
    assert (manifest.rows, manifest.dropped) == (SIZE - len(bad), len(bad))
    kept = np.setdiff1d(np.arange(SIZE), np.array(sorted(bad)) - 1)
    columns = open_store(tmp_path / "store").columns
    assert sorted(columns.id.tolist()) == sorted(table["id"][kept].tolist())
    of_first = columns.magnitude[np.flatnonzero(columns.id == table["id"][50])[0]]
    assert of_first == np.float32(table["magnitude"][50])


def test_words_among_the_numbers_of_a_csv_have_a_row(tmp_path):
    path = save(spoilt(dec={333: "south"}, ra={222: "10:32:01"}), tmp_path / "bad.csv")
    with pytest.raises(CatalogueError) as refusal:
        ingest(path, tmp_path / "store")
    assert "row 333, column 'dec': 'south' is not a number" in str(refusal.value)
    assert "row 222, column 'ra': '10:32:01' is sexagesimal" in str(refusal.value)
    assert ingest(path, tmp_path / "store", skip_bad=True).rows == SIZE - 2


def test_the_same_identifier_twice_is_refused_however_far_apart(tmp_path):
    table = plain()
    table["id"][390] = table["id"][4]
    path = save(table, tmp_path / "bad.parquet")
    message = f"rows 5 and 391, column 'id': the same identifier '{table['id'][4]}' twice"
    with pytest.raises(CatalogueError, match=message):
        ingest(path, tmp_path / "store")


def test_problems_are_told_up_to_a_limit(tmp_path):
    path = save(plain(2000, ra=np.full(2000, 400.0)), tmp_path / "bad.parquet")
    with pytest.raises(CatalogueError, match="perhaps more after row 1400"):
        ingest(path, tmp_path / "store")


def test_text_identifiers_become_rows(tmp_path):
    path = save(plain(id=[f"WST {n:04d}" for n in range(SIZE)]), tmp_path / "mine.csv")
    assert ingest(path, tmp_path / "store").text_ids
    columns = open_store(tmp_path / "store").columns
    assert sorted(columns.id.tolist()) == list(range(1, SIZE + 1))
    row = int(columns.id[0])
    assert columns.magnitude[0] == np.float32(plain()["magnitude"][row - 1])


def test_a_word_among_whole_numbers_is_refused_or_left_out(tmp_path):
    ids = [str(n) for n in range(SIZE)]
    ids[390] = "last"
    path = save(plain(id=ids), tmp_path / "mine.csv")
    with pytest.raises(CatalogueError, match="row 391, column 'id': identifier 'last' is no whole"):
        ingest(path, tmp_path / "store")
    manifest = ingest(path, tmp_path / "store", skip_bad=True)
    assert (manifest.rows, manifest.text_ids) == (SIZE - 1, False)
    kept = sorted(open_store(tmp_path / "store").columns.id.tolist())
    assert kept == [n for n in range(SIZE) if n != 390]


def test_hours_taken_for_degrees_are_refused(tmp_path):
    rng = np.random.default_rng(2)
    table = plain(ra=rng.uniform(0, 24, SIZE), dec=rng.uniform(-70, 5, SIZE))
    path = save(table, tmp_path / "mine.parquet")
    with pytest.raises(CatalogueError, match="look like hours"):
        ingest(path, tmp_path / "store")
    assert ingest(path, tmp_path / "store", columns={"ra": "ra [hourangle]"}).rows == SIZE


@pytest.mark.parametrize("suffix", ["parquet", "csv", "fits"])
@pytest.mark.parametrize("content", [b"", b"\x00\x01 not a table \xff" * 40, None])
def test_files_that_cannot_be_read_are_refused_and_leave_nothing(tmp_path, suffix, content):
    path = save(plain(3000), tmp_path / f"mine.{suffix}")
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * 0.6) - 3] if content is None else content)
    with pytest.raises(CatalogueError, match=f"mine.{suffix}: "):
        ingest(path, tmp_path / "store")
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_what_is_there_is_replaced_only_on_request_and_if_it_is_a_store(tmp_path):
    path = save(plain(), tmp_path / "mine.parquet")
    ingest(path, tmp_path / "store")
    with pytest.raises(CatalogueError, match="store: is there already"):
        ingest(path, tmp_path / "store")
    save(plain(50), path.with_name("other.parquet"))
    ingest(path.with_name("other.parquet"), tmp_path / "store", overwrite=True)
    assert open_store(tmp_path / "store").manifest.rows == 50
    (tmp_path / "precious").mkdir()
    with pytest.raises(CatalogueError, match="no catalogue that `wstdes ingest` wrote"):
        ingest(path, tmp_path / "precious", overwrite=True)


KILLED = """
import os, signal, sys
from wstdes.survey.ingest import ingest
def report(what, done, of):
    if what == sys.argv[3]:
        os.kill(os.getpid(), signal.SIGKILL)
ingest(sys.argv[1], sys.argv[2], report=report)
"""


@pytest.mark.parametrize("stage", ["reading", "comparing identifiers", "sorting"])
def test_a_killed_ingest_leaves_nothing_that_looks_whole(tmp_path, stage):
    path, folder = save(plain(), tmp_path / "mine.parquet"), tmp_path / "store"
    command = [sys.executable, "-c", KILLED, str(path), str(folder), stage]
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(command, env=os.environ | {"PYTHONPATH": str(root)}, check=False)
    assert done.returncode == -signal.SIGKILL
    assert not folder.exists()
    for opener in (open_store, open_catalogue):
        with pytest.raises(CatalogueError, match="store: an ingest was broken off here"):
            opener(folder)
    assert ingest(path, folder).rows == SIZE
    assert not Path(f"{folder}.part").exists()
    assert open_store(folder).manifest.rows == SIZE


def test_two_ingests_do_not_write_the_same_folder(tmp_path):
    path, folder = save(plain(), tmp_path / "mine.parquet"), tmp_path / "store"
    met = []

    def report(what, done, of):
        if not met:
            with pytest.raises(CatalogueError, match="another ingest is writing here") as refusal:
                ingest(path, folder)
            met.append(refusal)

    assert ingest(path, folder, report=report).rows == SIZE
    assert met


def test_memory_does_not_grow_with_the_catalogue(tmp_path, monkeypatch):
    monkeypatch.setattr("wstdes.survey._chunks.CHUNK_ROWS", 20_000)
    monkeypatch.setattr("wstdes.survey.ingest._SORTED_ROWS", 20_000)
    peaks, arrow = [], []
    for size in (60_000, 300_000):
        path, held = tmp_path / f"{size}.parquet", []
        columns = {name: np.array(values) for name, values in plain(size).items()}
        parquet.write_table(pyarrow.table(columns), path, row_group_size=20_000)
        tracemalloc.start()
        ingest(
            path,
            tmp_path / f"{size}",
            report=lambda *_, held=held: held.append(pyarrow.total_allocated_bytes()),
        )
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        arrow.append(max(held))
    # five times as many rows: 12 MB more of records or of columns, were they ever all in memory
    assert peaks[1] < peaks[0] + 4e6
    assert arrow[1] < arrow[0] + 4e6


def damaged(folder, what):
    if what == "version":
        data = json.loads((folder / "manifest.json").read_text())
        (folder / "manifest.json").write_text(json.dumps(data | {"version": 99}))
    elif what == "manifest":
        (folder / "manifest.json").write_text("{")
    elif what == "cut":
        data = (folder / "ra.npy").read_bytes()
        (folder / "ra.npy").write_bytes(data[:-100])
    elif what == "gone":
        (folder / "dec.npy").unlink()
    elif what == "type":
        np.save(folder / "magnitude.npy", np.zeros(SIZE))
    elif what == "index":
        start = np.load(folder / "start.npy")
        start[70_000] = 10**6
        np.save(folder / "start.npy", start)


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("version", "of version 99; only"),
        ("manifest", "manifest.json: damaged"),
        ("cut", "ra.npy: cannot be mapped"),
        ("gone", "dec.npy: cannot be mapped"),
        ("type", r"magnitude.npy: holds float64\[400\], not float32\[400\]"),
        ("index", "start.npy: the index of cells is damaged"),
    ],
)
def test_a_damaged_store_is_refused(tmp_path, what, message):
    ingest(save(plain(), tmp_path / "mine.parquet"), tmp_path / "store")
    damaged(tmp_path / "store", what)
    with pytest.raises(CatalogueError, match=message):
        open_store(tmp_path / "store")


def test_a_source_of_a_store_has_a_footprint_and_a_law(tmp_path):
    path = save(plain(required=None, priority=None), tmp_path / "mine.parquet")
    ingest(path, tmp_path / "store")
    store = open_store(tmp_path / "store")
    with pytest.raises(CatalogueError, match="no exposure times"):
        CatalogueSource(store)
    with pytest.raises(CatalogueError, match="longer than 65000 s"):
        CatalogueSource(store, required_s=1e6)
    north = Footprint(dec_min_rad=math.radians(-20))
    source = CatalogueSource(store, required_s=lambda m: 10.0 * m**2, footprint=north)
    table = read_catalogue(path)
    expected = table.dec_rad >= north.dec_min_rad
    found = everything(source, cell_of(table.ra_rad, table.dec_rad))
    assert sorted(found) == sorted(table.id[expected].tolist())
    for row in found.values():
        assert row[4] == pytest.approx(10.0 * row[3] ** 2, rel=1e-5)
    seen = []
    CatalogueSource(store, required_s=lambda m: seen.append(m) or np.full(len(m), 60.0))
    assert sorted(seen[-1]) == sorted(store.columns.magnitude.astype(float))


def test_a_scenario_takes_a_folder(tmp_path):
    from wstdes.facility import build, load

    ingest(save(plain(), tmp_path / "mine.parquet"), tmp_path / "store")
    one = "{title: Mine, mode: lr, priority: 9, weight: 1, required: 20 min, source: {kind: "
    change = f"surveys.mine={one}catalogue, path: {tmp_path / 'store'}}}}}"
    facility = build(load("small", overrides=[change]))
    source = facility.parts.fibre_surveys[-1].source
    assert isinstance(source, CatalogueSource)
    assert len(source) == SIZE


def call(capsys, monkeypatch, *arguments):
    monkeypatch.setattr("sys.argv", ["wstdes", "ingest", *map(str, arguments)])
    code = 0
    try:
        main()
    except SystemExit as end:
        code = int(end.code or 0)
    return code, *capsys.readouterr()


def test_the_command_says_what_it_did_and_what_was_wrong(tmp_path, capsys, monkeypatch):
    table = spoilt(ra={7: 400.0})
    table.rename_column("magnitude", "brightness")
    with (tmp_path / "mine.csv").open("w", newline="") as file:
        csv.writer(file).writerows([table.colnames, *table.iterrows()])
    asked = (tmp_path / "mine.csv", "-o", tmp_path / "store")
    code, out, err = call(capsys, monkeypatch, *asked)
    assert (code, out) == (2, "")
    assert "no column for 'magnitude'" in err
    code, out, err = call(capsys, monkeypatch, *asked, "--column", "magnitude")
    assert (code, "write PART=NAME" in err) == (2, True)
    asked += ("--column", "magnitude=brightness")
    code, out, err = call(capsys, monkeypatch, *asked)
    assert code == 2
    assert "row 7, column 'ra': 400.0 is not in [0, 360)" in err
    code, out, err = call(capsys, monkeypatch, *asked, "--skip-bad", "--epoch", "2000")
    assert (code, err) == (0, "")
    assert "399 targets" in out
    assert "1 rows left out" in out
    assert open_store(tmp_path / "store").manifest.epoch_yr == 2000.0
