"""Coverage maps: round trips through files, cells against another count, files that are none."""

import json
import math

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given, settings
from hypothesis import strategies as st

from wstdes.errors import CatalogueError
from wstdes.survey.area import area_sr
from wstdes.survey.moc import Moc, read_moc

RNG = np.random.default_rng(5)
RA = RNG.uniform(0.0, 2.0 * math.pi, 3000)
DEC = np.arcsin(RNG.uniform(-1.0, 1.0, 3000))
CELLS = ([0, 2, 2, 5, 5, 5], [7, 3, 4, 9000, 9001, 12000])


def write_nuniq(path, moc, column="UNIQ"):
    order, pixel = moc.cells()
    table = fits.BinTableHDU.from_columns(
        [fits.Column(column, "K", array=(np.int64(4) << (2 * order)) + pixel)]
    )
    table.header["PIXTYPE"], table.header["ORDERING"] = "HEALPIX", "NUNIQ"
    table.header["COORDSYS"] = "C"
    table.writeto(path)


def write_ranges(path, moc):
    table = fits.BinTableHDU.from_columns(
        [fits.Column("RANGE", "K", array=np.stack([moc.start, moc.end], axis=1).ravel())]
    )
    table.header["ORDERING"], table.header["COORDSYS"] = "RANGE", "C"
    table.writeto(path)


def same(one, other):
    return np.array_equal(one.start, other.start) and np.array_equal(one.end, other.end)


@settings(max_examples=60)
@given(
    st.lists(
        st.integers(0, 29).flatmap(lambda o: st.tuples(st.just(o), st.integers(0, 12 * 4**o - 1))),
        min_size=1,
        max_size=40,
    )
)
def test_cells_come_back_as_the_same_coverage(cells):
    order, pixel = np.array(cells, dtype=np.int64).T
    moc = Moc.of_cells(order, pixel)
    assert (moc.start[1:] > moc.end[:-1]).all()
    assert same(moc, Moc.of_cells(*moc.cells()))
    assert len(moc.cells()[0]) <= len(set(cells))


@pytest.mark.parametrize("form", ["nuniq", "range", "text", "json"])
def test_files_come_back_as_the_same_coverage(tmp_path, form):
    moc = Moc.of_cells(*CELLS)
    path = tmp_path / {"text": "a.txt", "json": "a.json"}.get(form, "a.fits")
    if form == "nuniq":
        write_nuniq(path, moc)
    elif form == "range":
        write_ranges(path, moc)
    elif form == "text":
        path.write_text("0/7 2/3-4, 5/9000-9001 12000 29/")
    else:
        path.write_text(json.dumps({"0": [7], "2": [3, 4], "5": [9000, 9001, 12000]}))
    assert same(read_moc(path), moc)


def test_the_deepest_cells_keep_every_bit(tmp_path):
    """Numbers above 2^53 do not fit a float."""
    moc = Moc.of_cells([29, 29], [12 * 4**29 - 1, 4**29 - 1])
    write_nuniq(tmp_path / "deep.fits", moc)
    assert same(read_moc(tmp_path / "deep.fits"), moc)


@pytest.mark.parametrize("ordering", ["RING", "NESTED"])
@pytest.mark.parametrize("explicit", [False, True])
def test_a_map_holds_where_its_value_is_above_zero(tmp_path, ordering, explicit):
    from astropy_healpix.core import xyz_to_healpix

    nside = 8
    values = np.where(RNG.random(12 * nside**2) < 0.3, RNG.random(12 * nside**2), -1.6375e30)
    some = np.flatnonzero(values > -1.0)
    columns = [fits.Column("SIGNAL", "E", array=values[some] if explicit else values)]
    if explicit:
        columns.insert(0, fits.Column("PIXEL", "J", array=some))
    table = fits.BinTableHDU.from_columns(columns)
    table.header["ORDERING"], table.header["NSIDE"] = ordering, nside
    table.header["INDXSCHM"] = "EXPLICIT" if explicit else "IMPLICIT"
    table.writeto(tmp_path / "map.fits")
    moc = read_moc(tmp_path / "map.fits")
    x, y, z = np.cos(DEC) * np.cos(RA), np.cos(DEC) * np.sin(RA), np.sin(DEC)
    cell = xyz_to_healpix(x, y, z, nside, order=ordering.lower())
    assert np.array_equal(moc.contains(RA, DEC), values[cell] > 0.0)


def test_the_area_is_that_of_the_cells_and_of_points_in_them():
    moc = Moc.of_cells(*CELLS)
    cell = 4.0 * math.pi / 12.0
    assert moc.area_sr == pytest.approx(cell * (1 + 2 / 16 + 3 / 1024), rel=1e-12)
    area, error = area_sr(moc)
    assert abs(area - moc.area_sr) < 4.0 * error + 1e-9
    found = moc.anchors()
    assert moc.contains(found[:, 0], found[:, 1]).all()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no cells"),
        ("17 18", "no cell"),
        ("3/900", "no such cell"),
        ("3/a", "'3/a' is no cell"),
        ("31/1", "no such cell"),
    ],
)
def test_text_that_is_no_coverage_is_refused(tmp_path, text, message):
    (tmp_path / "a.txt").write_text(text)
    with pytest.raises(CatalogueError, match=message) as caught:
        read_moc(tmp_path / "a.txt")
    assert "a.txt" in str(caught.value)


def test_fits_files_that_are_no_map_are_refused(tmp_path):
    fits.BinTableHDU.from_columns([fits.Column("A", "E", array=[1.0])]).writeto(tmp_path / "t.fits")
    with pytest.raises(CatalogueError, match="neither a MOC"):
        read_moc(tmp_path / "t.fits")
    galactic = fits.BinTableHDU.from_columns([fits.Column("UNIQ", "K", array=[4])])
    galactic.header["ORDERING"], galactic.header["COORDSYS"] = "NUNIQ", "G"
    galactic.writeto(tmp_path / "g.fits")
    with pytest.raises(CatalogueError, match="equatorial"):
        read_moc(tmp_path / "g.fits")
    with pytest.raises(CatalogueError, match="no such file"):
        read_moc(tmp_path / "none.fits")
