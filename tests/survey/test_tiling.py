"""Tiles: every point is covered as often as was promised, and holes do not fall on holes."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wstdes.survey.area import sample
from wstdes.survey.counts import alone_share
from wstdes.survey.footprint import Footprint
from wstdes.survey.shapes import Circles, Polygon
from wstdes.survey.tiling import (
    Tiling,
    counts_within,
    cover,
    cover_passes,
    lattice,
    tile_area_without_gaps,
)

RADIUS = math.radians(1.0)
SOUTH, NORTH = -1.57, 1.0


def deg(*values):
    return np.radians(np.array(values, dtype=np.float64))


def passes_over(footprint, passes, radius=RADIUS):
    tiling = cover_passes(
        [footprint],
        tile_area_without_gaps(radius),
        SOUTH,
        NORTH,
        field_radius_rad=radius,
        passes=passes,
    )
    points = sample(footprint, 0.2 * radius)
    return tiling, points[(points[:, 1] > SOUTH + 0.05) & (points[:, 1] < NORTH - 0.05)]


@settings(max_examples=12)
@given(
    ra=st.floats(0.0, 6.28),
    dec=st.floats(-1.4, 0.8),
    size=st.floats(0.5, 6.0),
    passes=st.integers(1, 4),
    radius=st.floats(0.7, 2.0),
)
def test_every_point_is_in_as_many_fields_as_there_are_passes(ra, dec, size, passes, radius):
    footprint = Circles(np.array([ra]), np.array([dec]), math.radians(size))
    tiling, points = passes_over(footprint, passes, math.radians(radius))
    each = [
        counts_within(tiling.ra_rad[mine], tiling.dec_rad[mine], points, math.radians(radius))
        for mine in (tiling.pass_ == p for p in range(passes))
    ]
    assert np.min(each) >= 1


def test_each_pass_covers_all_of_a_wide_survey():
    tiling, points = passes_over(Footprint(*deg(-75, 15, 25, 90)), 2)
    points = points[::4]
    for number in range(2):
        mine = tiling.pass_ == number
        found = counts_within(tiling.ra_rad[mine], tiling.dec_rad[mine], points, RADIUS)
        assert found.min() >= 1
    assert len(set(tiling.ids)) == len(tiling)


@pytest.mark.parametrize("passes", [2, 3, 5])
def test_the_hole_of_one_pass_is_never_in_the_hole_of_another(passes):
    """The integral field's patrol circle, 13 arcmin across, has no fibres."""
    tiling, _ = passes_over(Circles(deg(40), deg(-30), math.radians(12)), passes)
    hole = math.radians(6.5 / 60.0)
    near = counts_within(
        tiling.ra_rad, tiling.dec_rad, np.stack([tiling.ra_rad, tiling.dec_rad], -1), 2.0 * hole
    )
    assert near.max() == 1  # itself
    fine = sample(Circles(deg(40), deg(-30), math.radians(3)), hole / 3.0)
    in_hole = counts_within(tiling.ra_rad, tiling.dec_rad, fine, hole)
    assert in_hole.max() == 1
    assert in_hole.sum() > 0


@settings(max_examples=10)
@given(passes=st.integers(2, 7), n=st.integers(2000, 20000))
def test_passes_are_a_shortest_vector_over_their_number_apart(passes, n):
    area = 4.0 * math.pi / n
    ra, dec = zip(*(lattice(area, p / passes) for p in range(passes)), strict=True)
    away = [np.abs(d) < 1.5 for d in dec]
    points = np.stack([np.concatenate(ra), np.concatenate(dec)], -1)[np.concatenate(away)]
    # The shortest vector of a Fibonacci lattice is at least 0.9 of the square root of the area.
    apart = 0.85 * math.sqrt(area) / passes
    assert counts_within(points[:, 0], points[:, 1], points, apart).max() == 1


def test_a_lattice_is_even():
    ra, dec = lattice(2.6 * math.radians(1) ** 2, 0.3)
    assert len(ra) == round(4.0 * math.pi / (2.6 * math.radians(1) ** 2))
    counts, _ = np.histogram(np.sin(dec), np.linspace(-1.0, 1.0, 21))
    assert np.ptp(counts) <= 1
    assert (np.abs(dec) <= math.pi / 2).all()


def test_a_footprint_smaller_than_a_tile_gets_its_tiles():
    small = Circles(deg(123.4), deg(-33.3), math.radians(0.05))
    wide = Footprint(*deg(-60, 0))
    area = 2.6 * math.radians(1.0) ** 2
    tiling = cover([wide, small], area, SOUTH, NORTH, field_radius_rad=RADIUS)
    mine = tiling.inside[:, 1]
    assert 1 <= mine.sum() <= 4
    assert counts_within(tiling.ra_rad[mine], tiling.dec_rad[mine], small.anchors(), RADIUS)[0] >= 1


def test_a_tile_serves_the_surveys_that_its_field_touches():
    north = Polygon(deg(30, 50, 50, 30), deg(-10, -10, -2, -2))
    south = Polygon(deg(30, 50, 50, 30), deg(-20, -20, -10, -10))
    tiling = cover_passes(
        [north, south], tile_area_without_gaps(RADIUS), SOUTH, NORTH, field_radius_rad=RADIUS
    )
    assert tiling.inside.any(axis=1).all()
    both = tiling.inside.all(axis=1)
    assert both.any()
    assert (np.abs(np.degrees(tiling.dec_rad[both]) + 10.0) < 1.5).all()


def test_tiles_have_defaults_and_keep_their_order():
    tiling = Tiling(deg(1, 2, 3), deg(0, 0, 0), np.ones((3, 2), dtype=np.bool_))
    assert tiling.pass_.tolist() == [0, 0, 0]
    assert tiling.ids.tolist() == ["0", "1", "2"]
    assert np.isnan(tiling.ifs_ra_rad).all()
    assert tiling.ifs_field.tolist() == [-1, -1, -1]
    assert tiling.take(np.array([2, 0])).ids.tolist() == ["2", "0"]
    assert len(Tiling.concatenate([tiling, tiling])) == 6
    with pytest.raises(ValueError, match="dec_rad has 2 rows"):
        Tiling(deg(1, 2, 3), deg(0, 0), np.ones((3, 2), dtype=np.bool_))


def test_what_a_tile_adds_is_the_sky_that_others_do_not_see():
    """Against the area that two circles share; each survey has tiles of its own."""
    degree = math.radians(1.0)
    ra = np.array([1.0, 1.0, 2.0, 2.0 + degree, 3.0])
    inside = np.array([[1, 0], [1, 1], [1, 1], [1, 0], [1, 1]], dtype=np.bool_)
    tiling = Tiling(ra, np.zeros(5), inside)
    lens = 2.0 / math.pi * (math.acos(0.5) - 0.5 * math.sqrt(0.75))
    half = 1.0 - 0.5 * lens
    found = alone_share(tiling, 0, degree)
    assert found == pytest.approx([0.5, 0.5, half, half, 1.0], abs=0.03)
    assert alone_share(tiling, 1, degree).tolist() == [0.0, 1.0, 1.0, 0.0, 1.0]
