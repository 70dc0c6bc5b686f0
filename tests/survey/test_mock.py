"""Mock targets against the laws they claim: counts, slopes, clustering, repeatability."""

import hashlib
import math
import os
import subprocess
import sys

import numpy as np
import pytest
from scipy import stats
from scipy.spatial import cKDTree

from wstdes.survey import (
    CELL_AREA_SR,
    CELL_COUNT,
    NSIDE,
    Footprint,
    MockGalaxies,
    MockStars,
    Targets,
    cell_centre,
    cell_of,
    cells_in_cone,
    galactic_latitude,
    galaxy_counts_per_sr,
)
from wstdes.survey.cells import unit_vectors
from wstdes.survey.draws import draw_clusters
from wstdes.survey.mock import random_key

ARCMIN = math.pi / 10_800
PATCH = [int(p) for p in cells_in_cone(0.6, -0.75, math.radians(1.5))]  # crosses a base pixel


def galaxies(name="mock-gal", footprint=None, seed=1, sampling=0.2, **options):
    options = {"magnitude_limits": (18.0, 23.0), "required_s": 1800.0} | options
    return MockGalaxies(name, footprint or Footprint(), seed, sampling=sampling, **options)


def stars(name="mock-stars", footprint=None, seed=1, **options):
    options = {"magnitude_limits": (14.0, 20.0), "required_s": 900.0} | options
    return MockStars(name, footprint or Footprint(), seed, **options)


def scattered(count, seed=5):
    return [int(p) for p in np.random.default_rng(seed).choice(CELL_COUNT, count, replace=False)]


def _uniform_in_cell(rng, pixel, size):
    """Positions [rad] uniform in a cell, by the library's own way from HEALPix's coordinates."""
    from astropy_healpix.core import healpix_to_lonlat

    dx, dy = rng.random((2, size))
    lon, lat = healpix_to_lonlat(np.full(size, pixel), NSIDE, dx=dx, dy=dy, order="nested")
    return lon.value, lat.value


def digest(targets):
    columns = (targets.id, targets.ra_rad, targets.dec_rad, targets.magnitude, targets.required_s)
    return hashlib.sha256(b"".join(column.tobytes() for column in columns)).hexdigest()


@pytest.fixture(scope="module")
def patch():
    source = galaxies()
    return Targets.concatenate([source.cell(pixel) for pixel in PATCH])


def test_the_law_is_that_of_the_science_book():
    """46 galaxies per square minute of arc to i = 25; 4,000 per deg^2 in 2.5 mag brighter steps."""
    assert galaxy_counts_per_sr(25.0) * ARCMIN**2 == pytest.approx(46.0)
    assert galaxy_counts_per_sr(25.3) * ARCMIN**2 == pytest.approx(57.0, abs=0.1)
    assert galaxy_counts_per_sr(24.0) / galaxy_counts_per_sr(23.0) == pytest.approx(10**0.31)


def test_galaxies_number_as_the_law_says():
    """Sixty scattered cells, in the error that clusters of mu galaxies make: N (1 + mu)."""
    source = galaxies()
    law = 0.2 * (galaxy_counts_per_sr(23.0) - galaxy_counts_per_sr(18.0)) * CELL_AREA_SR
    counts = np.array([source.count(pixel) for pixel in scattered(60)])
    richness = source.mean_per_sr / source.clusters_per_sr
    assert abs(counts.sum() - 60 * law) < 3.5 * math.sqrt(60 * law * (1 + richness))
    assert abs(counts.mean() / law - 1) < 0.01
    # clustered: much above Poisson, and no more than whole clusters would give
    assert 0.5 * (1 + richness) < counts.var(ddof=1) / law < 1.5 * (1 + richness)


@pytest.mark.parametrize("pixel", [0, 1365, 4095, 8191, 16_383, 20_480, 36_863, 49_151])
def test_the_mean_is_unbiased_in_the_oddest_cells(pixel):
    """Poles, corners of three base pixels and thin cells: means over seeds, with few clusters."""
    options = {"magnitude_limits": (17.0, 19.5), "cluster_sigma_rad": 5 * ARCMIN}
    sources = [galaxies(seed=seed, sampling=1.0, **options) for seed in range(30)]
    counts = np.array([source.count(pixel) for source in sources])
    expected = sources[0].mean_per_sr * CELL_AREA_SR
    richness = sources[0].mean_per_sr / sources[0].clusters_per_sr
    error = math.sqrt(30 * expected * (1 + richness))
    assert abs(counts.sum() - 30 * expected) < 3.7 * error


def test_galaxy_magnitudes_follow_the_law(patch):
    low, high = 10 ** (0.31 * 18.0), 10 ** (0.31 * 23.0)
    law = stats.kstest(patch.magnitude, lambda m: (10 ** (0.31 * m) - low) / (high - low))
    assert law.pvalue > 1e-3
    edges = np.arange(20.0, 23.01, 0.25)
    counts, _ = np.histogram(patch.magnitude, edges)
    slope, _ = np.polyfit(0.5 * (edges[1:] + edges[:-1]), np.log10(counts), 1, w=np.sqrt(counts))
    assert slope == pytest.approx(0.31, abs=0.006)
    assert patch.magnitude.min() >= 18.0
    assert patch.magnitude.max() <= 23.0


def correlation(targets, cells, low, high, across=False, copies=2):
    """w between two angles, DD/RR - 1; `across` keeps only pairs in two different cells."""
    rng = np.random.default_rng(99)
    size = copies * len(targets) // len(cells)
    parts = [_uniform_in_cell(rng, pixel, size) for pixel in cells]
    random = unit_vectors(*np.concatenate(parts, axis=1))
    data = unit_vectors(targets.ra_rad, targets.dec_rad)

    def pairs(vectors):
        found = cKDTree(vectors).query_pairs(2 * math.sin(high / 2), output_type="ndarray")
        first, second = vectors[found[:, 0]], vectors[found[:, 1]]
        keep = np.linalg.norm(first - second, axis=1) > 2 * math.sin(low / 2)
        if across:
            ra, dec = np.arctan2(vectors[:, 1], vectors[:, 0]), np.arcsin(vectors[:, 2])
            pixel = cell_of(ra, dec)
            keep &= pixel[found[:, 0]] != pixel[found[:, 1]]
        return int(keep.sum())

    dd, rr = pairs(data), pairs(random)
    ratio = (len(random) * (len(random) - 1)) / (len(data) * (len(data) - 1))
    return dd / rr * ratio - 1, dd


def thomas(source, low, high):
    """Mean of w over an annulus: the closed form in the docstring of MockGalaxies."""
    four = 4 * source.cluster_sigma_rad**2
    mass = (math.exp(-(low**2) / four) - math.exp(-(high**2) / four)) / source.clusters_per_sr
    return mass / (math.pi * (high**2 - low**2))


def test_galaxies_cluster_by_the_closed_form(patch):
    law = thomas(galaxies(), ARCMIN, 3 * ARCMIN)
    assert law == pytest.approx(0.074, abs=0.003)
    rng = np.random.default_rng(7)
    half = patch.take(rng.random(len(patch)) < 0.5)
    measured, pairs = correlation(half, PATCH, ARCMIN, 3 * ARCMIN)
    assert measured > 20 / math.sqrt(pairs)
    assert measured == pytest.approx(law, rel=0.12)
    far, _ = correlation(
        patch.take(rng.random(len(patch)) < 0.125), PATCH, 14 * ARCMIN, 16 * ARCMIN
    )
    assert abs(far) < 0.01


def test_clusters_cross_the_borders_of_cells():
    """Pairs with one galaxy on each side of a border are as clustered as any.

    With a tenth of the clusters, where w is ten times as large and stands out of its own noise.
    """
    measured, few = [], {"sampling": 0.05, "clusters_per_sr": 0.02 / ARCMIN**2}
    for seed in range(9):
        source = galaxies(seed=seed, **few)
        targets = Targets.concatenate([source.cell(pixel) for pixel in PATCH])
        w, _ = correlation(targets, PATCH, ARCMIN, 3 * ARCMIN, across=True, copies=1)
        measured.append(w)
    law = thomas(galaxies(**few), ARCMIN, 3 * ARCMIN)
    error = np.std(measured, ddof=1) / math.sqrt(len(measured))
    assert error < 0.2 * law
    assert abs(np.mean(measured) - law) < 3.5 * error


def test_stars_do_not_cluster():
    source = stars(pole_per_sr=3000 / math.radians(1) ** 2)
    targets = Targets.concatenate([source.cell(pixel) for pixel in PATCH])
    measured, pairs = correlation(targets, PATCH, ARCMIN, 3 * ARCMIN, copies=1)
    # three sigma of pairs, and what the gradient with latitude over the patch adds
    assert abs(measured) < 3 * math.sqrt(3 / pairs) + 0.003


@pytest.mark.parametrize("edges", [(0, 4), (4, 8), (10, 15), (28, 32), (55, 65), (80, 90)])
def test_stars_number_as_the_law_says_at_every_latitude(edges):
    source = stars(pole_per_sr=300 / math.radians(1) ** 2)
    cells = [p for p in scattered(2500) if _between(p, edges)][:40]
    rng = np.random.default_rng(1)
    count, expected = 0, 0.0
    for pixel in cells:
        ra, dec = _uniform_in_cell(rng, pixel, 500)
        expected += source.density_per_sr(ra, dec).mean() * CELL_AREA_SR
        count += source.count(pixel)
    assert count > 500
    assert abs(count - expected) < 3.5 * math.sqrt(expected)
    sine = math.sin(math.radians(max(sum(edges) / 2, 5.0)))
    mean = 300 * CELL_AREA_SR / math.radians(1) ** 2 / sine
    assert count / len(cells) == pytest.approx(mean, rel=0.2)


def _between(pixel, edges):
    return edges[0] <= abs(math.degrees(float(galactic_latitude(*cell_centre(pixel))))) < edges[1]


def test_star_magnitudes_and_motions_follow_their_laws():
    source = stars()
    targets = Targets.concatenate([source.cell(pixel) for pixel in PATCH[:8]])
    low, high = 10 ** (0.2 * 14), 10 ** (0.2 * 20)
    law = stats.kstest(targets.magnitude, lambda m: (10 ** (0.2 * m) - low) / (high - low))
    assert law.pvalue > 1e-3
    mas = math.radians(1 / 3.6e6)
    for motion in (targets.pm_ra_rad_per_yr, targets.pm_dec_rad_per_yr):
        assert motion.std() / mas == pytest.approx(5.0, rel=0.03)
        assert abs(motion.mean() / mas) < 0.2


@pytest.mark.parametrize("pixel", [4095, 20_000, 0])
def test_clusters_are_uniform_on_the_sphere(pixel):
    """Against points drawn uniformly on a piece of sphere and kept if they fall in the cell."""
    vectors = draw_clusters(random_key(1, "", "clusters"), pixel, NSIDE, 20_000.0)
    ra, dec = np.arctan2(vectors[:, 1], vectors[:, 0]), np.arcsin(vectors[:, 2])
    assert abs(len(ra) - 20_000) < 4 * math.sqrt(20_000)
    assert (cell_of(ra, dec) == pixel).mean() > 0.9999
    centre_ra, centre_dec = cell_centre(pixel)
    rng = np.random.default_rng(2)
    half = math.radians(1.0)
    low, high = (math.sin(min(centre_dec + s * half, math.pi / 2)) for s in (-1, 1))
    wide = math.pi if pixel == 4095 else half / math.cos(centre_dec) * 1.2
    other_ra = centre_ra + rng.uniform(-wide, wide, 300_000)
    other_dec = np.arcsin(rng.uniform(low, high, 300_000))
    kept = cell_of(other_ra, other_dec) == pixel
    assert kept.sum() > 5000
    assert stats.ks_2samp(dec, other_dec[kept]).pvalue > 1e-3
    turn = (ra - centre_ra + math.pi) % (2 * math.pi)
    other = (other_ra[kept] - centre_ra + math.pi) % (2 * math.pi)
    assert stats.ks_2samp(turn, other).pvalue > 1e-3


def test_galaxies_fill_a_cell_evenly():
    """Sixteen parts of equal area, summed over cells: no edge is thinner than the middle."""
    from astropy_healpix.core import xyz_to_healpix

    source = galaxies(clusters_per_sr=5 / ARCMIN**2)
    parts = np.zeros(16)
    for pixel in PATCH:
        cell = source.cell(pixel)
        vectors = unit_vectors(cell.ra_rad, cell.dec_rad).T
        fine = xyz_to_healpix(*vectors, 4 * NSIDE, order="nested")
        parts += np.bincount(fine - 16 * pixel, minlength=16)
    mean = parts.sum() / 16
    richness = source.mean_per_sr / source.clusters_per_sr
    chi2 = ((parts - mean) ** 2).sum() / (mean * (1 + richness))
    assert chi2 < stats.chi2.ppf(0.999, 15)


@pytest.mark.parametrize("source", [galaxies(), stars()], ids=["galaxies", "stars"])
def test_a_cell_is_the_same_whenever_asked_for(source):
    first = [digest(source.cell(pixel)) for pixel in PATCH[:4]]
    source.cell(40_000)
    assert [digest(source.cell(pixel)) for pixel in reversed(PATCH[:4])] == first[::-1]


def test_a_cell_is_the_same_in_another_process():
    code = (
        "from wstdes.survey import *\n"
        "g = MockGalaxies('mock-gal', Footprint(), 1, magnitude_limits=(18.0, 23.0),"
        " required_s=1800.0, sampling=0.2)\n"
        "s = MockStars('mock-stars', Footprint(), 1, magnitude_limits=(14.0, 20.0),"
        " required_s=900.0)\n"
        "import hashlib\n"
        "for t in (g.cell(20000), s.cell(20000)):\n"
        "    columns = (t.id, t.ra_rad, t.dec_rad, t.magnitude, t.required_s)\n"
        "    print(hashlib.sha256(b''.join(c.tobytes() for c in columns)).hexdigest())"
    )
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    environment = os.environ | {"PYTHONHASHSEED": "77", "PYTHONPATH": root}
    run = [sys.executable, "-c", code]
    answer = subprocess.run(run, env=environment, cwd=root, capture_output=True, check=True)
    here = [digest(galaxies().cell(20000)), digest(stars().cell(20000))]
    assert answer.stdout.decode().split() == here


def test_seed_name_and_cell_each_change_the_draw():
    known = digest(galaxies().cell(9))
    assert digest(galaxies(seed=2).cell(9)) != known
    assert digest(galaxies(name="other").cell(9)) != known
    assert len(galaxies().cell(9)) != len(galaxies().cell(10))
    # no two ways of splitting the same letters meet
    assert list(random_key(1, "a", "bc")) != list(random_key(1, "ab", "c"))


def test_moving_the_footprint_changes_no_target_that_stays():
    pixel = PATCH[3]
    edge = cell_centre(pixel)[1]
    for make in (galaxies, stars):
        whole, part = make().cell(pixel), make(footprint=Footprint(dec_max_rad=edge)).cell(pixel)
        kept = whole.take(whole.dec_rad <= edge)
        assert 0 < len(part) < len(whole)
        assert digest(part) == digest(kept)


def test_outside_the_footprint_there_is_nothing():
    north = Footprint(dec_min_rad=0.5)
    for source in (galaxies(footprint=north), stars(footprint=north)):
        assert source.count(PATCH[0]) == 0
        density = source.density_per_sr(np.array([0.6, 0.6]), np.array([-0.75, 0.6]))
        assert density[0] == 0.0 < density[1]


def test_an_exposure_law_sees_the_magnitudes():
    source = galaxies(required_s=lambda m: 100.0 * 10 ** (0.4 * (m - 18)))
    cell = source.cell(11)
    expected = 100.0 * 10 ** (0.4 * (cell.magnitude.astype(float) - 18))
    assert cell.required_s == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("make", "options", "message"),
    [
        (galaxies, {"sampling": 0.0}, "sampling"),
        (galaxies, {"sampling": 1.5}, "sampling"),
        (galaxies, {"magnitude_limits": (22, 20)}, "bright < faint"),
        (galaxies, {"cluster_sigma_rad": 0.1}, "5 arcmin"),
        (galaxies, {"clusters_per_sr": 0.0}, "clusters_per_sr"),
        (stars, {"sampling": -1.0}, "sampling"),
        (stars, {"slope_per_mag": 0.0}, "slope_per_mag"),
        (stars, {"plane_limit_rad": 0.0}, "plane_limit_rad"),
        (stars, {"pole_per_sr": -1.0}, "pole_per_sr"),
        (stars, {"magnitude_limits": (14, math.nan)}, "bright < faint"),
    ],
)
def test_impossible_mocks_are_refused(make, options, message):
    with pytest.raises(ValueError, match=message):
        make(**options)
