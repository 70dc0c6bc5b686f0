"""A user's catalogue: the same table back from five formats, and every refusal with its reason."""

import math

import numpy as np
import pytest
from astropy import units
from astropy.table import MaskedColumn, Table

from wstdes.errors import CatalogueError
from wstdes.survey import (
    CELL_COUNT,
    CatalogueSource,
    Footprint,
    Targets,
    TargetSource,
    cell_of,
    read_catalogue,
)

SIZE = 60
MAS = math.radians(1 / 3.6e6)
BIG = 4_611_686_018_427_387_905  # an identifier that float64 cannot hold


def sky(size=SIZE, seed=1):
    """A field of 40 x 20 deg, far from where hours could be meant."""
    rng = np.random.default_rng(seed)
    return rng.uniform(140, 180, size), rng.uniform(-30, -10, size)


def plain(size=SIZE, **changes):
    ra, dec = sky(size)
    columns = {
        "id": BIG + np.arange(size),
        "ra": ra,
        "dec": dec,
        "magnitude": np.linspace(17, 22, size),
        "pmra": np.linspace(-50, 50, size),
        "pmdec": np.linspace(5, -5, size),
        "priority": np.linspace(0, 1, size),
        "required": np.linspace(600, 3600, size),
    }
    columns |= changes
    return Table({name: values for name, values in columns.items() if values is not None})


def with_units(hours=True):
    """The same targets in other units: hours of right ascension, radians, arcsec/yr, minutes."""
    table = plain()
    table["ra"] = table["ra"] / 15 * units.hourangle
    if not hours:  # which the FITS standard does not know
        table["ra"] = table["ra"].to(units.arcsec)
    table["dec"] = np.radians(table["dec"]) * units.rad
    table["pmra"] = table["pmra"] / 1000 * units.arcsec / units.yr
    table["pmdec"].unit = "mas / yr"
    table["required"] = table["required"] / 60 * units.min
    return table


def save(table, path):
    if path.suffix == ".parquet":
        import pyarrow as pa
        from pyarrow import parquet

        fields, arrays = [], []
        for column in table.itercols():
            metadata = {"unit": str(column.unit)} if column.unit else None
            values = column.astype(str) if column.dtype.kind == "S" else column
            arrays.append(pa.array(np.ma.filled(values, np.nan).tolist()))
            fields.append(pa.field(column.name, arrays[-1].type, metadata=metadata))
        parquet.write_table(pa.table(arrays, schema=pa.schema(fields)), path)
    else:
        formats = {".fits": "fits", ".ecsv": "ascii.ecsv", ".vot": "votable", ".csv": "ascii.csv"}
        table.write(path, format=formats[path.suffix])
    return path


def check(read):
    table = plain()
    assert len(read) == SIZE
    assert np.array_equal(read.id, table["id"])
    assert read.id.dtype == np.int64
    assert np.degrees(read.ra_rad) == pytest.approx(np.array(table["ra"]), abs=1e-10)
    assert np.degrees(read.dec_rad) == pytest.approx(np.array(table["dec"]), abs=1e-10)
    assert read.magnitude == pytest.approx(np.array(table["magnitude"]), abs=1e-5)
    assert read.pm_ra_rad_per_yr / MAS == pytest.approx(np.array(table["pmra"]), rel=1e-5)
    assert read.pm_dec_rad_per_yr / MAS == pytest.approx(np.array(table["pmdec"]), rel=1e-5)
    assert read.priority == pytest.approx(np.array(table["priority"]), abs=1e-6)
    assert read.required_s == pytest.approx(np.array(table["required"]), rel=1e-6)


@pytest.mark.parametrize("suffix", ["fits", "ecsv", "vot", "parquet", "csv"])
def test_without_units_it_is_degrees_and_seconds(tmp_path, suffix):
    check(read_catalogue(save(plain(), tmp_path / f"mine.{suffix}")))


@pytest.mark.parametrize("suffix", ["fits", "ecsv", "vot", "parquet"])
def test_units_of_the_file_are_honoured(tmp_path, suffix):
    table = with_units(hours=suffix != "fits")
    check(read_catalogue(save(table, tmp_path / f"mine.{suffix}")))


def test_units_of_astropys_own_parquet_are_honoured(tmp_path):
    path = tmp_path / "mine.parquet"
    with_units().write(path, format="parquet")
    check(read_catalogue(path))


def test_known_names_are_found_in_any_case_and_a_mapping_wins(tmp_path):
    table = plain()
    for old, new in {"id": "SOURCE_ID", "ra": "ALPHA_J2000", "dec": "DEJ2000"}.items():
        table.rename_column(old, new)
    table.rename_column("magnitude", "phot_g_mean_mag")
    check(read_catalogue(save(table, tmp_path / "a.fits")))
    table.rename_column("ALPHA_J2000", "x")
    table["ra"] = 5.0
    check(read_catalogue(save(table, tmp_path / "b.csv"), columns={"ra": "x"}))
    table["hours"] = table["x"] / 15
    path = save(table, tmp_path / "c.csv")
    check(read_catalogue(path, columns={"ra": "hours [hourangle]"}))


def test_text_identifiers_become_rows_and_keep_their_text(tmp_path):
    names = [f"WST J{row:04d}" for row in range(SIZE)]
    for suffix in ("fits", "ecsv", "vot", "parquet", "csv"):
        read = read_catalogue(save(plain(id=names), tmp_path / f"mine.{suffix}"))
        assert list(read.labels) == names
        assert np.array_equal(read.id, np.arange(1, SIZE + 1))
    assert read_catalogue(save(plain(), tmp_path / "numbers.csv")).labels is None


def test_missing_motions_are_none_and_optional_columns_optional(tmp_path):
    motion = MaskedColumn(np.full(SIZE, 7.0), mask=np.arange(SIZE) % 2 == 0)
    gone = {"pmdec": None, "priority": None, "required": None}
    read = read_catalogue(save(plain(pmra=motion, **gone), tmp_path / "m.ecsv"))
    assert read.pm_ra_rad_per_yr[:2] / MAS == pytest.approx([0.0, 7.0], rel=1e-6)
    assert not read.pm_dec_rad_per_yr.any()
    assert read.priority is None
    assert read.required_s is None


def test_a_source_serves_every_row_in_its_cell(tmp_path):
    read = read_catalogue(save(plain(), tmp_path / "mine.csv"))
    source = CatalogueSource(read, credit="me", epoch_yr=2000.0)
    assert isinstance(source, TargetSource)
    assert (source.name, source.credit, source.epoch_yr) == ("mine", "me", 2000.0)
    assert not source.is_mock
    cells = np.unique(cell_of(read.ra_rad, read.dec_rad))
    parts = [source.cell(int(pixel)) for pixel in cells]
    rows = np.concatenate([source.rows(int(pixel)) for pixel in cells])
    assert np.array_equal(Targets.concatenate(parts).id, read.id[rows])
    assert sorted(rows) == list(range(SIZE))
    assert sum(source.count(pixel) for pixel in range(CELL_COUNT)) == SIZE
    assert source.cell(int(cells[0])).required_s[0] == read.required_s[rows[0]]


def test_rows_of_a_source_with_a_footprint_are_those_of_the_table(tmp_path):
    read = read_catalogue(save(plain(), tmp_path / "mine.csv"))
    source = CatalogueSource(read, footprint=Footprint(dec_max_rad=math.radians(-20)))
    cells = [int(pixel) for pixel in np.unique(cell_of(read.ra_rad, read.dec_rad))]
    rows = np.concatenate([source.rows(pixel) for pixel in cells])
    assert 0 < len(rows) < SIZE
    assert np.degrees(read.dec_rad[rows]).max() <= -20
    served = Targets.concatenate([source.cell(pixel) for pixel in cells])
    assert np.array_equal(served.id, read.id[rows])


def test_exposure_times_come_from_the_file_or_from_a_law(tmp_path):
    read = read_catalogue(save(plain(required=None), tmp_path / "mine.csv"))
    with pytest.raises(CatalogueError, match=r"mine.csv: no exposure times.*'required'"):
        CatalogueSource(read)
    source = CatalogueSource(read, required_s=lambda m: 100.0 * m)
    pixel = int(cell_of(read.ra_rad, read.dec_rad)[0])
    cell = source.cell(pixel)
    assert cell.required_s == pytest.approx(100 * cell.magnitude, rel=1e-6)


def changed(name, row, value):
    table = plain()
    table[name] = table[name].astype(object if isinstance(value, str) else float)
    table[name][row - 1] = value
    return table


def masked(name, rows):
    table = plain()
    table[name] = MaskedColumn(table[name], mask=np.isin(np.arange(1, SIZE + 1), rows))
    return table


def repeated():
    table = plain()
    table["id"][[16, 40]] = table["id"][4]
    return table


REFUSED = {
    "nan": (changed("ra", 3, math.nan), r"row 3, column 'ra': no value; drop"),
    "masked": (masked("dec", [5, 9, 11]), r"row 5, column 'dec': no value \(3 such rows\)"),
    "no magnitude": (masked("magnitude", [2]), r"row 2, column 'magnitude': no value"),
    "infinite": (changed("magnitude", 2, math.inf), r"row 2, column 'magnitude': value inf"),
    "ra 400": (changed("ra", 7, 400.0), r"row 7, column 'ra': 400.0 is not in \[0, 360\)"),
    "ra 360": (changed("ra", 7, 360.0), r"row 7, column 'ra': 360.0 is not in \[0, 360\)"),
    "ra -20": (changed("ra", 7, -20.0), r"-20.0 is not in \[0, 360\) deg; add 360"),
    "dec 91": (changed("dec", 8, 91.0), r"row 8, column 'dec': 91.0 is not in \[-90, 90\]"),
    "exchanged": (plain(ra=sky()[1] + 40, dec=sky()[0]), "declination exchanged"),
    "twice": (
        repeated(),
        rf"rows 5 and 17, column 'id': the same identifier '{BIG + 4}'.*\(2 such",
    ),
    "empty": (plain()[:0], "no rows"),
    "words": (changed("dec", 4, "south"), "row 4, column 'dec': 'south' is not a number"),
    "no magnitudes": (plain(magnitude=None), r"no column for 'magnitude' \(known names: magnitude"),
    "fractions": (plain(id=np.arange(SIZE) + 0.5), r"row 1, column 'id': identifier 0.5 is not a"),
    "no exposure": (
        changed("required", 6, 0.0),
        r"row 6, column 'required': 0.0 is not a positive",
    ),
    "sexagesimal": (
        plain(ra=["10:32:01"] * SIZE),
        r"row 1, column 'ra': '10:32:01' is sexagesimal text; store degrees",
    ),
    "sexagesimal dec": (plain(dec=["-10 32 01.5"] * SIZE), "'-10 32 01.5' is sexagesimal"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_right_is_refused_with_its_place(tmp_path, what):
    table, message = REFUSED[what]
    with pytest.raises(CatalogueError, match=message) as refusal:
        read_catalogue(save(table, tmp_path / "mine.csv"))
    assert "mine.csv" in str(refusal.value)


@pytest.mark.parametrize("suffix", ["fits", "ecsv", "vot", "parquet"])
@pytest.mark.parametrize("what", ["nan", "ra 400", "twice", "no magnitudes", "sexagesimal"])
def test_refusals_are_the_same_in_every_format(tmp_path, suffix, what):
    table, message = REFUSED[what]
    with pytest.raises(CatalogueError, match=message):
        read_catalogue(save(table, tmp_path / f"mine.{suffix}"))


def test_several_problems_are_told_at_once(tmp_path):
    table = changed("ra", 3, 400.0)
    table["dec"][9] = -95.0
    table["magnitude"][0] = math.nan
    table["id"][1] = table["id"][0]
    with pytest.raises(CatalogueError) as refusal:
        read_catalogue(save(table, tmp_path / "mine.fits"))
    text = str(refusal.value)
    assert "4 problems:" in text
    for part in (
        "rows 1 and 2",
        "row 3, column 'ra'",
        "row 10, column 'dec'",
        "row 1, column 'mag",
    ):
        assert part in text


def test_a_column_without_a_single_value_is_refused(tmp_path):
    table = masked("ra", np.arange(1, SIZE + 1))
    with pytest.raises(CatalogueError, match=rf"row 1, column 'ra': no value \({SIZE} such rows\)"):
        read_catalogue(save(table, tmp_path / "mine.ecsv"))


def test_near_names_are_suggested(tmp_path):
    table = plain()
    table.rename_column("magnitude", "magnitud")
    with pytest.raises(CatalogueError, match="did you mean 'magnitud'"):
        read_catalogue(save(table, tmp_path / "mine.csv"))
    with pytest.raises(CatalogueError, match="no column 'magnitde'; did you mean 'magnitud'"):
        read_catalogue(tmp_path / "mine.csv", columns={"magnitude": "magnitde"})
    with pytest.raises(
        CatalogueError, match=r"'magnitudes' is not a part.*did you mean 'magnitude'"
    ):
        read_catalogue(tmp_path / "mine.csv", columns={"magnitudes": "magnitud"})


def test_a_unit_that_is_no_angle_is_refused(tmp_path):
    table = plain()
    table["ra"].unit = "m"
    with pytest.raises(CatalogueError, match="column 'ra': unit 'm' cannot be turned into deg"):
        read_catalogue(save(table, tmp_path / "mine.ecsv"))
    path = save(plain(), tmp_path / "mine.csv")
    with pytest.raises(CatalogueError, match="unit 'furlong' cannot"):
        read_catalogue(path, columns={"ra": "ra [furlong]"})


def test_files_that_are_not_there_or_not_readable_are_refused(tmp_path):
    save(plain(), tmp_path / "mine.csv")
    with pytest.raises(CatalogueError, match=r"mime.csv: no such file; did you mean 'mine.csv'"):
        read_catalogue(tmp_path / "mime.csv")
    with pytest.raises(CatalogueError, match="no such file"):
        read_catalogue(tmp_path / "nowhere" / "mine.csv")
    with pytest.raises(CatalogueError, match=r"unknown kind of catalogue '.fts'; did you mean"):
        read_catalogue(tmp_path / "mine.fts")
    with pytest.raises(CatalogueError, match="unknown kind of catalogue ''"):
        read_catalogue(tmp_path / "mine")


@pytest.mark.parametrize("suffix", ["fits", "ecsv", "vot", "parquet", "csv"])
@pytest.mark.parametrize("content", [b"", b"\x00\x01 not a table \xff" * 40])
def test_corrupt_files_are_refused(tmp_path, suffix, content):
    path = tmp_path / f"mine.{suffix}"
    path.write_bytes(content)
    with pytest.raises(CatalogueError, match=f"mine.{suffix}: "):
        read_catalogue(path)


@pytest.mark.parametrize("suffix", ["fits", "vot", "parquet"])
def test_files_cut_short_are_refused(tmp_path, suffix):
    path = save(plain(2000), tmp_path / f"mine.{suffix}")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(CatalogueError, match="cannot be read as"):
        read_catalogue(path)


def field(ra, dec, size=200, seed=3):
    rng = np.random.default_rng(seed)
    return plain(size, ra=rng.uniform(*ra, size), dec=rng.uniform(*dec, size))


@pytest.mark.parametrize(
    ("ra", "dec"),
    [
        ((0.0, 24.0), (-90.0, 90.0)),  # all sky
        ((0.0, 24.0), (-70.0, 5.0)),  # a southern survey
        ((10.0, 10.1), (1.5, 3.0)),  # a square field on the equator
        ((3.0, 3.3), (-30.0, -26.0)),
    ],
)
def test_hours_taken_for_degrees_are_refused(tmp_path, ra, dec):
    path = save(field(ra, dec), tmp_path / "mine.csv")
    with pytest.raises(CatalogueError, match=r"column 'ra': no unit.*look like hours") as refusal:
        read_catalogue(path)
    assert "ra [hourangle]" in str(refusal.value)
    assert read_catalogue(path, columns={"ra": "ra [hourangle]"}).ra_rad.max() > 24 * MAS
    assert np.degrees(read_catalogue(path, columns={"ra": "ra [deg]"}).ra_rad.max()) < 24


@pytest.mark.parametrize(
    ("ra", "dec"),
    [
        ((0.0, 23.9), (-1.25, 1.25)),  # a stripe of the equator
        ((5.0, 20.0), (-40.0, -25.0)),
        ((10.0, 11.0), (2.0, 3.0)),
        ((0.0, 24.0), (-30.0, 0.0)),
        ((0.0, 25.0), (-90.0, 90.0)),
    ],
)
def test_degrees_that_are_small_are_accepted(tmp_path, ra, dec):
    assert len(read_catalogue(save(field(ra, dec), tmp_path / "mine.csv"))) == 200


def test_a_few_rows_are_given_the_benefit_of_the_doubt(tmp_path):
    path = save(field((0.0, 24.0), (-90.0, 90.0), size=19), tmp_path / "mine.csv")
    assert len(read_catalogue(path)) == 19


def test_a_unit_in_the_file_settles_hours_or_degrees(tmp_path):
    table = field((0.0, 24.0), (-90.0, 90.0))
    table["ra"].unit = "deg"
    read = read_catalogue(save(table, tmp_path / "mine.ecsv"))
    assert np.degrees(read.ra_rad.max()) < 24
