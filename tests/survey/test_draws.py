"""Counter-based draws: known answers, HEALPix's places, Poisson numbers, fields against cells."""

import math

import numpy as np
import pytest
from astropy_healpix.core import healpix_to_xyz
from scipy import stats

from wstdes.models.focalplane import apply_proper_motion, project
from wstdes.survey import (
    CELL_COUNT,
    NSIDE,
    Footprint,
    MockGalaxies,
    MockStars,
    StoredSource,
    Targets,
    cells_in_cone,
)
from wstdes.survey.cells import PART_RADIUS_RAD, tangent_frame
from wstdes.survey.draws import draw_motions, philox, place, poisson

TANGENT = math.tan(math.radians(0.9))
YEAR = 2036.0
SIZE = 800_000
KNOWN = [  # Random123 (Salmon et al. 2011), kat_vectors, philox4x32 10
    ((0,) * 4, (0,) * 2, (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    (
        (0xFFFFFFFF,) * 4,
        (0xFFFFFFFF,) * 2,
        (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD),
    ),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]


@pytest.mark.parametrize(("counter", "key", "answer"), KNOWN)
def test_philox_gives_the_known_answers(counter, key, answer):
    assert tuple(int(word) for word in philox(*key, *counter)) == answer


def test_places_are_those_of_healpix():
    rng = np.random.default_rng(1)
    pixels = np.concatenate(([0, 4095, 16_383, 32_768, 49_151], rng.integers(0, CELL_COUNT, 500)))
    shares = rng.random((2, len(pixels)))
    shares[:, 0] = 1.0  # the pole itself
    theirs = np.stack(healpix_to_xyz(pixels, NSIDE, *shares, order="nested"), axis=-1)
    ours = [place(int(p), NSIDE, *map(float, uv)) for p, uv in zip(pixels, shares.T, strict=True)]
    assert np.allclose(ours, theirs, rtol=0, atol=1e-14)


def test_no_part_of_a_cell_is_wider_than_it_is_taken_for():
    parts = np.arange(12 * (4 * NSIDE) ** 2, step=7)
    parts = np.concatenate((parts, [0, 65_535, 262_144 + 65_535, 786_431]))
    centre = np.stack(healpix_to_xyz(parts, 4 * NSIDE, order="nested"), axis=-1)
    for dx, dy in ((0, 0), (0, 1), (1, 0), (1, 1)):
        one = np.ones(len(parts))
        corner = healpix_to_xyz(parts, 4 * NSIDE, dx * one, dy * one, order="nested")
        chord = np.linalg.norm(centre - np.stack(corner, axis=-1), axis=-1)
        assert 2 * np.arcsin(chord.max() / 2) < PART_RADIUS_RAD


@pytest.mark.parametrize("mean", [0.3, 5.0, 31.9, 32.0, 700.0])
def test_poisson_numbers_are_poisson(mean):
    numbers = np.array([poisson(1, 2, i, 3, 4, mean) for i in range(20_000)])
    assert abs(numbers.mean() - mean) < 4 * math.sqrt(mean / 20_000)
    assert numbers.var() == pytest.approx(mean, rel=4 * math.sqrt(2.5 / 20_000) + 2e-2)
    low, high = stats.poisson.ppf((0.25, 0.75), mean)
    share = ((numbers >= low) & (numbers <= high)).mean()
    assert share == pytest.approx(
        stats.poisson.cdf(high, mean) - stats.poisson.cdf(low - 1, mean), abs=0.015
    )


def test_motions_are_gaussian_and_of_every_direction():
    index = np.arange(20_000)
    east, north = draw_motions(np.array([1, 2]), index, np.zeros_like(index), 1.0)
    for motion in (east, north, (east + north) / math.sqrt(2)):
        assert stats.kstest(motion, "norm").pvalue > 1e-3
    assert abs(np.corrcoef(east, north)[0, 1]) < 0.03


def galaxies(footprint=None, **options):
    options = {"magnitude_limits": (18.0, 22.0), "required_s": 1800.0} | options
    return MockGalaxies("g", footprint or Footprint(), 3, **options)


def stars(footprint=None, **options):
    options = {"magnitude_limits": (14.0, 18.0), "required_s": 900.0} | options
    return MockStars("s", footprint or Footprint(), 3, **options)


def stored(footprint=None, size=SIZE):
    rng = np.random.default_rng(4)
    ra, dec = rng.uniform(0, 2 * math.pi, size), np.arcsin(rng.uniform(-1, 1, size))
    motion = rng.normal(0, 1e-6, (2, size)).astype(np.float32)
    zero = np.zeros(size, dtype=np.float32)
    targets = Targets(np.arange(size), ra, dec, zero + 20, zero + 900, *motion)
    return StoredSource(targets, footprint=footprint)


def brute(source, ra, dec, tangent=TANGENT):
    """What the cells around hold that a field sees: identifiers and places."""
    cells = cells_in_cone(ra, dec, math.atan(tangent) + 1e-4)
    found = Targets.concatenate([source.cell(int(pixel)) for pixel in cells])
    moved = apply_proper_motion(
        found.ra_rad,
        found.dec_rad,
        found.pm_ra_rad_per_yr.astype(float),
        found.pm_dec_rad_per_yr.astype(float),
        YEAR - source.epoch_yr,
    )
    x, y, seen = project(*moved, ra, dec, 1.0)
    seen = seen & (np.hypot(np.nan_to_num(x), np.nan_to_num(y)) <= tangent)
    order = np.argsort(found.id[seen])
    return found.id[seen][order], x[seen][order], y[seen][order], found.required_s[seen][order]


AXES = [(0.6, -0.75), (3.0, -1.2), (0.0, 0.0), (math.pi / 4, math.asin(2 / 3)), (1.0, -math.pi / 2)]
CUT = Footprint(galactic_latitude_min_rad=math.radians(47.0))  # crosses the first of the fields
MAKERS = {"galaxies": galaxies, "stars": stars}
LAW = {"required_s": lambda m: 100.0 * 10 ** (0.4 * (m - 14))}


@pytest.mark.parametrize("axis", AXES)
@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("footprint", [None, CUT])
def test_a_field_of_mocks_is_what_its_cells_hold(name, footprint, axis):
    source = MAKERS[name](footprint, **LAW)
    field = source.field(*axis, TANGENT, YEAR)
    ids, x, y, required = brute(source, *axis)
    own = (field.pixel << 32) + field.index
    order = np.argsort(own)
    assert np.array_equal(own[order], ids)
    assert np.allclose(field.xi[order], x, rtol=0, atol=1e-12)
    assert np.allclose(field.eta[order], y, rtol=0, atol=1e-12)
    assert np.array_equal(field.required_s[order], required)
    assert all(i < field.sizes[p] for p, i in zip(field.pixel, field.index, strict=True))
    assert len(np.unique(own)) == len(own)
    if footprint is None:
        assert len(own) > 500


@pytest.mark.parametrize("corner", [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_no_cluster_is_missed_beyond_the_corner_of_a_cell(corner):
    """Where its circle is no wider than the cell, and clusters reach 20 minutes of arc."""
    few = {"clusters_per_sr": 0.02 * (10_800 / math.pi) ** 2}
    source = galaxies(cluster_sigma_rad=5 * math.pi / 10_800, **few)
    homes = set()
    for pixel in (20_000, 9_000, 40_000):
        vectors = [place(pixel, NSIDE, *uv) for uv in ((0.5, 0.5), corner)]
        beyond = vectors[1] + 0.25 * (np.array(vectors[1]) - vectors[0])
        axis = math.atan2(beyond[1], beyond[0]), math.atan2(beyond[2], math.hypot(*beyond[:2]))
        field = source.field(*axis, math.radians(0.05), YEAR)
        ids, *_ = brute(source, *axis, math.radians(0.05))
        assert np.array_equal(np.sort((field.pixel << 32) + field.index), ids)
        homes |= set(field.pixel.tolist())
    assert homes & {20_000, 9_000, 40_000}


@pytest.fixture(scope="module")
def shelf():
    return {None: stored(), CUT: stored(CUT)}


@pytest.mark.parametrize("axis", AXES)
@pytest.mark.parametrize("footprint", [None, CUT])
def test_a_field_of_stored_targets_is_what_its_cells_hold(shelf, footprint, axis):
    source = shelf[footprint]
    field = source.field(*axis, TANGENT, YEAR)
    ids, x, y, _ = brute(source, *axis)
    whole = shelf[None]
    cells = {int(p): whole.cell(int(p)).id for p in np.unique(field.pixel)}
    own = np.array([cells[int(p)][i] for p, i in zip(field.pixel, field.index, strict=True)])
    assert field.sizes == {p: len(c) for p, c in cells.items()}
    order = np.argsort(own)
    assert np.array_equal(own[order] if len(own) else ids, ids)
    assert np.allclose(field.xi[order], x, rtol=0, atol=1e-12)
    assert np.allclose(field.eta[order], y, rtol=0, atol=1e-12)


def test_many_stored_targets_are_counted_by_parts_of_cells(shelf, monkeypatch):
    rng = np.random.default_rng(5)
    ra, dec = rng.uniform(0, 2 * math.pi, 40), np.arcsin(rng.uniform(-1, 1, 40))
    exact = shelf[None].count_within(ra, dec, math.radians(1.0))
    monkeypatch.setattr("wstdes.survey.stored._IN_TREE", 0)
    counted = shelf[None].count_within(ra, dec, math.radians(1.0))
    assert abs(counted.mean() / exact.mean() - 1) < 0.03
    assert np.abs(counted - exact).max() < 0.35 * exact.mean()
    none = shelf[CUT].count_within(ra, dec, math.radians(1.0))
    assert np.array_equal(none > 0, CUT.contains(ra, dec))


@pytest.mark.parametrize("name", MAKERS)
def test_fields_that_overlap_share_their_targets(name):
    """A target is the same, whichever field asks for it: place and identity."""
    source = MAKERS[name]()
    fields = [(0.6, -0.75), (0.61, -0.745)]
    found = {}
    for axis in fields:
        field = source.field(*axis, TANGENT, YEAR)
        xyz = np.stack((field.xi, field.eta, np.ones(len(field))), axis=-1) @ tangent_frame(*axis)
        xyz /= np.linalg.norm(xyz, axis=1)[:, None]
        found[axis] = dict(zip(zip(field.pixel, field.index, strict=True), xyz, strict=True))
    both = found[fields[0]].keys() & found[fields[1]].keys()
    assert len(both) > 0.5 * len(found[fields[0]])
    for key in both:
        assert np.allclose(found[fields[0]][key], found[fields[1]][key], rtol=0, atol=1e-14)
    inside = [
        key
        for key, v in found[fields[0]].items()
        if v @ tangent_frame(*fields[1])[2] > math.cos(math.atan(TANGENT)) + 1e-9
    ]
    assert set(inside) <= both
