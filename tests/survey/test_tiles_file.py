"""Lists of tiles: read as they are, refused with everything that is wrong with them."""

import numpy as np
import pytest
from astropy import units
from astropy.table import Table

from wstdes.errors import CatalogueError
from wstdes.survey.tiles import R_BAND_EXTINCTION, read_fields, read_tiles, serve

SURVEYS = ("bright", "dark", "ifs")


def table(**columns):
    base = {"TILEID": [11, 12, 13], "RA": [10.0, 20.0, 359.5], "DEC": [-5.0, 0.0, 30.0]}
    return Table({**base, **columns})


@pytest.mark.parametrize(
    ("suffix", "form"), [("fits", "fits"), ("ecsv", "ascii.ecsv"), ("csv", "ascii.csv")]
)
def test_what_was_written_is_read(tmp_path, suffix, form):
    path = tmp_path / f"tiles.{suffix}"
    table(
        PROGRAM=["DARK", "BRIGHT", "DARK"],
        PASS=[0, 1, 2],
        HA=[-10.0, 0.0, 30.0],
        EBV=[0.1, 0.0, 0.2],
    ).write(path, format=form)
    found = read_tiles(path)
    assert found.ids.tolist() == ["11", "12", "13"]
    assert np.degrees(found.ra_rad) == pytest.approx([10.0, 20.0, 359.5])
    tiling = serve(found, SURVEYS, {"DARK": ["dark", "ifs"], "BRIGHT": ["bright"]})
    assert tiling.inside.tolist() == [
        [False, True, True],
        [True, False, False],
        [False, True, True],
    ]
    assert tiling.pass_.tolist() == [0, 1, 2]
    assert np.degrees(tiling.design_ha_rad) == pytest.approx([-10.0, 0.0, 30.0])
    assert tiling.extinction_mag == pytest.approx(R_BAND_EXTINCTION * np.array([0.1, 0.0, 0.2]))


def test_units_of_the_file_are_kept_and_others_can_be_said(tmp_path):
    path = tmp_path / "tiles.ecsv"
    one = table(HA=[-1.0, 0.0, 2.0])
    one["HA"].unit = units.hourangle
    one.write(path)
    assert np.degrees(read_tiles(path).number("design_ha")) == pytest.approx([-15.0, 0.0, 30.0])
    plain = tmp_path / "plain.csv"
    table(WHEN=[-1.0, 0.0, 2.0]).write(plain, format="ascii.csv")
    found = read_tiles(plain, columns={"design_ha": "WHEN [hourangle]"})
    assert np.degrees(found.number("design_ha")) == pytest.approx([-15.0, 0.0, 30.0])


def test_without_programmes_all_tiles_serve_all_surveys_or_those_they_name(tmp_path):
    path = tmp_path / "tiles.csv"
    table().write(path, format="ascii.csv")
    tiling = serve(read_tiles(path), SURVEYS, {})
    assert tiling.inside.all()
    assert np.isnan(tiling.extinction_mag).all()
    table(programme=["dark", "bright ifs", "dark,bright"]).write(
        path, format="ascii.csv", overwrite=True
    )
    assert serve(read_tiles(path), SURVEYS, {}).inside.tolist() == [
        [False, True, False],
        [True, False, True],
        [True, True, False],
    ]


def test_all_that_is_wrong_is_said_at_once_by_row_column_and_value(tmp_path):
    path = tmp_path / "tiles.csv"
    Table(
        {
            "id": [1, 1, 3],
            "ra": [10.0, 400.0, 20.0],
            "dec": [-5.0, 0.0, -95.0],
            "pass": [0.0, 1.5, 1.0],
            "ha": [0.0, 0.0, 200.0],
            "ebv": [-0.5, 0.1, 0.1],
        }
    ).write(path, format="ascii.csv")
    with pytest.raises(CatalogueError) as caught:
        read_tiles(path)
    text = str(caught.value)
    for part in (
        "tiles.csv: 6 problems",
        "row 2, column 'ra': 400.0",
        "row 3, column 'dec': -95.0",
        "rows 1 and 2, column 'id': the same identifier '1' twice",
        "row 2, column 'pass': 1.5",
        "row 3, column 'ha': 200.0",
        "row 1, column 'ebv': -0.5",
    ):
        assert part in text


@pytest.mark.parametrize(
    ("programmes", "message"),
    [
        ({"DARK": ["dark"]}, "no programme 'GREY'"),
        ({}, "no survey 'DARK'"),
    ],
)
def test_programmes_that_nobody_explains_are_refused(tmp_path, programmes, message):
    path = tmp_path / "tiles.csv"
    table(PROGRAM=["DARK", "GREY", "GREY"]).write(path, format="ascii.csv")
    with pytest.raises(CatalogueError, match=message):
        serve(read_tiles(path), SURVEYS, programmes)


def test_programmes_without_their_column_are_refused(tmp_path):
    path = tmp_path / "tiles.csv"
    table().write(path, format="ascii.csv")
    with pytest.raises(CatalogueError, match="no column for 'programme'"):
        serve(read_tiles(path), SURVEYS, {"DARK": ["dark"]})


def test_lists_without_positions_are_refused(tmp_path):
    path = tmp_path / "tiles.csv"
    Table({"ra": [1.0], "name": ["a"]}).write(path, format="ascii.csv")
    with pytest.raises(CatalogueError, match="no column for 'dec'"):
        read_tiles(path)
    with pytest.raises(CatalogueError, match="no such file"):
        read_tiles(tmp_path / "none.csv")


def test_fields_bring_their_times(tmp_path):
    path = tmp_path / "fields.ecsv"
    one = table(required=[1.0, 2.0, 3.0], priority=[1.0, 5.0, 3.0])
    one["required"].unit = units.h
    one.write(path)
    found = read_fields(path)
    assert found.number("required") == pytest.approx([3600.0, 7200.0, 10800.0])
    assert found.number("priority").tolist() == [1.0, 5.0, 3.0]
    assert np.isnan(read_fields(path).number("magnitude")).all()
