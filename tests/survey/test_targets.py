"""Cells partition the sky, cones miss nothing, tables keep their shape."""

import math

import numpy as np
import pytest

from wstdes.survey import (
    CELL_AREA_SR,
    CELL_COUNT,
    NSIDE,
    Footprint,
    GaiaStars,
    MockGalaxies,
    MockStars,
    StoredSource,
    Targets,
    TargetSource,
    cell_centre,
    cell_of,
    cells_in_cone,
)
from wstdes.survey.cells import cell_geometry, unit_vectors
from wstdes.survey.targets import required_times


def table(ra, dec):
    size = len(ra)
    zero = np.zeros(size, dtype=np.float32)
    return Targets(np.arange(size), ra, dec, zero + 20, zero + 900, zero, zero)


def sky(size, seed):
    rng = np.random.default_rng(seed)
    return rng.uniform(0, 2 * math.pi, size), np.arcsin(rng.uniform(-1, 1, size))


def test_cells_are_healpix_nested_as_the_library_has_them():
    from astropy_healpix import HEALPix

    ra, dec = sky(2000, 1)
    from astropy import units

    expected = HEALPix(NSIDE, order="nested").lonlat_to_healpix(ra * units.rad, dec * units.rad)
    assert np.array_equal(cell_of(ra, dec), expected)
    assert CELL_COUNT == 49_152
    assert pytest.approx(4 * math.pi) == CELL_AREA_SR * CELL_COUNT
    for pixel in (0, 4095, 20_000, CELL_COUNT - 1):
        assert cell_of(*(np.array([x]) for x in cell_centre(pixel)))[0] == pixel


def test_circles_inside_and_around_cells_are_what_they_say():
    ra, dec = sky(200_000, 2)
    pixel, vectors = cell_of(ra, dec), unit_vectors(ra, dec)
    centre, outer, inner = cell_geometry()
    own = np.arccos(np.clip(np.einsum("ij,ij->i", centre[pixel], vectors), -1, 1))
    assert (own <= outer[pixel]).all()
    assert (own / outer[pixel]).max() > 0.98
    # no point of another cell inside a cell's inner circle
    some = np.random.default_rng(3).integers(0, CELL_COUNT, 100)
    for one in some:
        near = vectors @ centre[one] > math.cos(inner[one])
        assert (pixel[near] == one).all()
    assert math.degrees(inner.min()) * 1.2 > 0.3
    assert math.degrees(outer.max()) < 1.0


@pytest.mark.parametrize("radius_deg", [0.0, 0.05, 1.0, 4.0, 30.0])
def test_cones_miss_no_cell_and_bring_few_too_many(radius_deg):
    ra, dec = sky(300_000, 5)
    pixel, vectors = cell_of(ra, dec), unit_vectors(ra, dec)
    axes = [*zip(*sky(12, 6), strict=True), (0.0, math.pi / 2), (1.0, -math.pi / 2), (0.0, 0.0)]
    axes += [(math.pi / 4, math.asin(2 / 3)), (0.0, math.asin(2 / 3))]
    for axis in axes:
        cells = cells_in_cone(*axis, math.radians(radius_deg))
        assert cells.dtype == np.int64
        assert (np.diff(cells) > 0).all()
        assert cell_of(*(np.array([x]) for x in axis))[0] in cells
        inside = vectors @ unit_vectors(*axis) >= math.cos(math.radians(radius_deg))
        assert np.isin(pixel[inside], cells).all()
        # a cell that touches lies within a cell's diameter of the cone
        limit = (1 - math.cos(math.radians(min(radius_deg + 2.0, 180)))) / 2 * CELL_COUNT
        assert len(cells) <= limit + 4


def test_a_cone_of_the_whole_sky_is_every_cell():
    assert len(cells_in_cone(1.0, 0.3, math.pi)) == CELL_COUNT


@pytest.fixture(scope="module")
def sources():
    # around the plane's crossing of the declination limit: the footprint cuts these cells
    footprint = Footprint(math.radians(-60), math.radians(-10), math.radians(20))
    return [
        MockGalaxies("g", footprint, 7, magnitude_limits=(18, 20.5), required_s=900.0),
        MockStars("s", footprint, 7, magnitude_limits=(14, 18), required_s=900.0),
        GaiaStars(required_s=900.0, footprint=footprint),
        StoredSource(table(*sky(500_000, 8))),
    ]


def test_every_source_is_a_target_source(sources):
    assert all(isinstance(source, TargetSource) for source in sources[:3])
    for source in sources[:2]:
        assert source.is_mock
        assert "mock" in source.credit.lower()
        assert "assumed" in source.credit
    assert not sources[2].is_mock


def test_cells_share_no_target_and_hold_only_their_own(sources):
    cells = cells_in_cone(math.radians(30), math.radians(-11), math.radians(2.5))
    for source in sources:
        parts = [source.cell(int(pixel)) for pixel in cells]
        for pixel, part in zip(cells, parts, strict=True):
            assert (cell_of(part.ra_rad, part.dec_rad) == pixel).all()
            assert source.count(int(pixel)) == len(part)
        everything = Targets.concatenate(parts)
        assert len(everything) > 100
        assert len(np.unique(everything.id)) == len(everything)
        if hasattr(source, "footprint"):
            inside = source.footprint.contains(everything.ra_rad, everything.dec_rad)
            assert inside.all()


def test_a_cone_finds_what_brute_force_finds():
    ra, dec = sky(300_000, 9)
    source, vectors = StoredSource(table(ra, dec)), unit_vectors(ra, dec)
    for axis in zip(*sky(30, 10), strict=True):
        radius = math.radians(1.2)
        found = Targets.concatenate([source.cell(int(p)) for p in cells_in_cone(*axis, radius)])
        near = unit_vectors(found.ra_rad, found.dec_rad) @ unit_vectors(*axis) >= math.cos(radius)
        expected = np.flatnonzero(vectors @ unit_vectors(*axis) >= math.cos(radius))
        assert np.array_equal(np.sort(found.id[near]), expected)


def test_a_stored_source_keeps_its_rows_their_order_and_its_counts():
    ra, dec = sky(200_000, 11)
    source = StoredSource(table(ra, dec))
    assert sum(source.count(pixel) for pixel in range(CELL_COUNT)) == len(source) == 200_000
    pixel = int(cell_of(ra[:1], dec[:1])[0])
    assert np.array_equal(np.sort(source.cell(pixel).id), np.flatnonzero(cell_of(ra, dec) == pixel))
    assert np.array_equal(source.rows(pixel), source.cell(pixel).id)
    assert source.density_per_sr(ra[:1], dec[:1])[0] == source.count(pixel) / CELL_AREA_SR


def test_tables_take_and_join():
    whole = table(*sky(10, 12))
    part = whole.take(np.array([3, 1]))
    assert list(part.id) == [3, 1]
    assert list(whole.take(whole.id > 7).id) == [8, 9]
    assert list(Targets.concatenate([part, whole.take(slice(0, 1))]).id) == [3, 1, 0]
    assert len(Targets.concatenate([])) == len(Targets.empty()) == 0


def test_columns_of_the_wrong_length_or_type_are_refused():
    good = table(*sky(3, 13))
    with pytest.raises(ValueError, match=r"Targets.magnitude is float64\[3\], not float32\[3\]"):
        Targets(good.id, good.ra_rad, good.dec_rad, good.ra_rad, *[good.magnitude] * 3)
    with pytest.raises(ValueError, match=r"Targets.ra_rad is float64\[2\]"):
        Targets(good.id, good.ra_rad[:2], good.dec_rad, *[good.magnitude] * 4)


@pytest.mark.parametrize("pixel", [-1, CELL_COUNT])
def test_there_are_no_cells_outside_the_sky(pixel, sources):
    for source in sources:
        with pytest.raises(ValueError, match="there is no cell"):
            source.cell(pixel)


def test_exposure_times_are_a_constant_or_a_law():
    magnitude = np.array([20.0, 21.0])
    assert list(required_times(600.0, magnitude)) == [600.0, 600.0]
    law = required_times(lambda m: 100.0 * 10 ** (0.8 * (m - 20)), magnitude)
    assert law.dtype == np.float32
    assert law == pytest.approx([100.0, 630.957], rel=1e-5)
    for bad in (0.0, -1.0, math.nan, math.inf):
        with pytest.raises(ValueError, match="positive"):
            required_times(bad, magnitude)
