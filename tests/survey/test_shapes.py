"""Shapes on the sphere: areas in closed form, points by another way, cones that are told right."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wstdes.survey.area import area_sr, sample
from wstdes.survey.cells import unit_vectors
from wstdes.survey.footprint import Footprint, ecliptic_latitude
from wstdes.survey.shapes import Circles, Polygon

RNG = np.random.default_rng(20260404)
RA = RNG.uniform(0.0, 2.0 * math.pi, 20000)
DEC = np.arcsin(RNG.uniform(-1.0, 1.0, 20000))


def deg(*values):
    return np.radians(np.array(values, dtype=np.float64))


OCTANT = Polygon(deg(10.0, 100.0, 0.0), deg(0.0, 0.0, 90.0))
ARROW = Polygon(deg(20, 60, 60, 40), deg(-50, -50, -10, -40))  # one corner points inwards


def test_ecliptic_latitude_is_that_of_erfa_but_for_the_frame_bias():
    import erfa

    matrix = erfa.ecm06(2451545.0, 0.0)
    expected = np.arcsin(unit_vectors(RA, DEC) @ matrix[2])
    found = ecliptic_latitude(RA, DEC)
    assert np.degrees(np.abs(found - expected)).max() * 3600.0 < 0.06


@pytest.mark.parametrize(
    ("region", "expected_sr"),
    [
        (Footprint(), 4.0 * math.pi),
        (Footprint(*deg(-60, 0)), 2.0 * math.pi * math.sin(math.radians(60.0))),
        (
            Footprint(*deg(-30, 0), ra_min_rad=math.radians(350), ra_max_rad=math.radians(20)),
            math.radians(30.0) * 0.5,
        ),
        (Footprint(galactic_latitude_min_rad=math.radians(30)), 2.0 * math.pi),
        (Footprint(ecliptic_latitude_max_rad=0.0), 2.0 * math.pi),
        (Circles(deg(200), deg(-70), math.radians(8)), 2.0 * math.pi * (1 - math.cos(0.13962634))),
        (Circles(deg(200), deg(-70), math.radians(0.05)), math.pi * math.radians(0.05) ** 2),
        (OCTANT, math.pi / 2.0),
        (Footprint(exclude=(OCTANT,)), 3.5 * math.pi),
        (Footprint(include=(OCTANT, Circles(deg(190), deg(0), 0.2))), math.pi / 2 + 0.12524577),
    ],
)
def test_areas_are_those_of_the_closed_forms_within_their_error(region, expected_sr):
    area, error = area_sr(region)
    assert abs(area - expected_sr) < 4.0 * error + 1e-9
    assert error < 0.02 * expected_sr


def test_an_empty_region_has_neither_area_nor_points():
    nothing = Footprint(*deg(-60, -50), include=(Circles(deg(10), deg(40), 0.1),))
    assert area_sr(nothing) == (0.0, 0.0)
    assert len(sample(nothing, 0.01)) == 0


def test_a_triangle_is_what_lies_on_one_side_of_all_its_sides():
    corners = unit_vectors(OCTANT.ra_rad, OCTANT.dec_rad)
    points = unit_vectors(RA, DEC)
    normals = np.cross(corners, np.roll(corners, -1, axis=0))
    expected = (points @ normals.T > 0.0).all(axis=1)
    assert np.array_equal(OCTANT.contains(RA, DEC), expected)
    assert 0.1 < expected.mean() < 0.15


def test_a_polygon_is_the_angle_that_its_corners_turn_about_a_point():
    """Winding: seen from inside, the corners go once round; from outside they come back."""
    inside = ARROW.contains(RA, DEC)
    corners = unit_vectors(ARROW.ra_rad, ARROW.dec_rad)
    for i in [*np.flatnonzero(inside)[:150], *np.flatnonzero(~inside)[:150]]:
        p = unit_vectors(RA[i], DEC[i])
        if p @ corners.mean(axis=0) < 0.0:
            continue  # the far side of the sphere, where windings mean something else
        flat = corners - (corners @ p)[:, None] * p
        after = np.roll(flat, -1, axis=0)
        turns = np.arctan2(np.cross(flat, after) @ p, np.einsum("ij,ij->i", flat, after)).sum()
        assert bool(abs(turns) > math.pi) == inside[i]


def test_a_great_circle_bulges_towards_the_pole():
    box = Polygon(deg(0, 60, 60, 0), deg(-60, -60, -40, -40))
    middle = math.radians(30.0)
    assert box.contains(middle, math.radians(-63.0))
    assert not box.contains(middle, math.radians(-43.0))


@settings(max_examples=60)
@given(
    ra=st.floats(0.0, 6.28),
    dec=st.floats(-1.5, 1.5),
    radius=st.floats(0.001, 0.3),
    which=st.integers(0, 5),
)
def test_a_cone_that_is_held_is_inside_and_one_that_is_missed_is_outside(ra, dec, radius, which):
    region = [
        OCTANT,
        ARROW,
        Circles(deg(10, 30, 200), deg(0, 5, -60), 0.25),
        Footprint(*deg(-70, 10, 20, 80), *deg(300, 80), *deg(-60, 40)),
        Footprint(include=(OCTANT, ARROW), exclude=(Circles(deg(40), deg(30), 0.2),)),
        Footprint(exclude=(Footprint(exclude=(OCTANT,)),)),
    ][which]
    axis = unit_vectors(ra, dec)
    side = np.cross(axis, [0.0, 0.0, 1.0])
    side /= np.linalg.norm(side)
    angle = np.linspace(0.0, 2.0 * math.pi, 73)[:, None, None]
    step = np.linspace(0.0, 1.0, 7)[None, :, None] * radius * 0.9999
    around = np.cos(angle) * side + np.sin(angle) * np.cross(axis, side)
    x, y, z = np.moveaxis(np.cos(step) * axis + np.sin(step) * around, -1, 0)
    inside = region.contains(np.arctan2(y, x) % (2 * math.pi), np.arctan2(z, np.hypot(x, y)))
    if region.holds_cone(ra, dec, radius):
        assert inside.all()
    if region.misses_cone(ra, dec, radius):
        assert not inside.any()


def test_cones_well_inside_are_held():
    """A test that always said no would pass the one above."""
    assert OCTANT.holds_cone(math.radians(55), math.radians(35), math.radians(20))
    assert OCTANT.misses_cone(math.radians(235), math.radians(-35), math.radians(20))
    south = Footprint(*deg(-70, 10), ra_min_rad=5.0, ra_max_rad=1.5)
    assert south.holds_cone(0.0, -0.5, 0.2)
    assert south.misses_cone(3.0, -0.5, 0.2)


@pytest.mark.parametrize(
    ("ra", "dec", "message"),
    [
        ((0, 10), (0, 10), "three"),
        ((0, 10, 10, 0), (0, 0, 0, 10), "same corner"),
        ((0, 10, 0, 10), (0, 10, 10, 0), "cross"),
        ((0, 120, 240), (0, 0, 0), "smaller ones"),
        ((0, 100, 180), (0, 0, 0), "smaller ones"),
    ],
)
def test_polygons_that_are_none_are_refused(ra, dec, message):
    with pytest.raises(ValueError, match=message):
        Polygon(deg(*ra), deg(*dec))
