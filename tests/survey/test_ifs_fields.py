"""Where the integral field looks: against brute force, and tiles that follow its fields."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wstdes.models.focalplane import project
from wstdes.survey.area import sample
from wstdes.survey.cells import unit_vectors
from wstdes.survey.fields_lead import lead
from wstdes.survey.ifs import IfsOptics, best_fields, offset
from wstdes.survey.shapes import Circles
from wstdes.survey.tiles import Positions
from wstdes.survey.tiling import Tiling, counts_within, cover_passes, tile_area_without_gaps

ARCMIN = math.radians(1.0 / 60.0)
OPTICS = IfsOptics(3.0 * ARCMIN, 6.5 * ARCMIN)
RADIUS = math.radians(1.0)


def separation(ra1, dec1, ra2, dec2):
    return 2.0 * np.arcsin(
        0.5 * np.linalg.norm(unit_vectors(ra1, dec1) - unit_vectors(ra2, dec2), axis=-1)
    )


def test_offsets_are_undone_by_the_focal_planes_projection():
    rng = np.random.default_rng(2)
    ra, dec = offset(2.0, -1.2, *rng.uniform(-0.01, 0.01, (2, 50)))
    x, y, _ = project(ra, dec, 2.0, -1.2, 1.0)
    again = offset(2.0, -1.2, np.abs(x), np.abs(y))
    first = offset(2.0, -1.2, 0.001, 0.002)
    assert project(np.array([first[0]]), np.array([first[1]]), 2.0, -1.2, 1.0)[1] == (
        pytest.approx(0.002)
    )
    assert separation(*again, 2.0, -1.2).max() < 0.02


@settings(max_examples=25)
@given(
    st.lists(
        st.tuples(st.floats(-7.5, 7.5), st.floats(-7.5, 7.5)), min_size=1, max_size=14, unique=True
    ),
    st.floats(-1.3, 1.3),
)
def test_no_field_in_the_patrol_circle_has_more_targets(places, dec):
    x, y = np.array(places).T * ARCMIN
    ra_t, dec_t = offset(1.0, dec, x, y)
    ra, found_dec, count = best_fields(np.array([1.0]), np.array([dec]), ra_t, dec_t, OPTICS)
    assert separation(ra, found_dec, 1.0, dec)[0] <= OPTICS.reach_rad * (1.0 + 1e-6)
    step = np.linspace(-OPTICS.reach_rad, OPTICS.reach_rad, 121)
    cx, cy = (a.ravel() for a in np.meshgrid(step, step))
    within = np.hypot(cx, cy) <= OPTICS.reach_rad
    half = 0.5 * OPTICS.side_rad * (1.0 - 1e-9)
    seen = (np.abs(cx[within, None] - x) <= half) & (np.abs(cy[within, None] - y) <= half)
    assert count[0] >= seen.sum(axis=1).max()
    # And it is no idle claim: they are in the square.
    fx, fy, _ = project(ra, found_dec, 1.0, dec, 1.0)
    edge = 0.5 * OPTICS.side_rad * (1.0 + 1e-6)
    assert ((np.abs(x - fx) <= edge) & (np.abs(y - fy) <= edge)).sum() >= count[0] - 1e-9


def test_without_targets_it_looks_at_the_centre():
    ra, dec, count = best_fields(
        np.array([1.0, 2.0]), np.array([0.0, 0.5]), np.array([4.0]), np.array([0.0]), OPTICS
    )
    assert ra.tolist() == [1.0, 2.0]
    assert dec.tolist() == [0.0, 0.5]
    assert count.tolist() == [0, 0]


REGION = Circles(np.array([1.0]), np.array([-0.5]), math.radians(6.0))


def tiles(area_share):
    one = cover_passes(
        [REGION],
        area_share * tile_area_without_gaps(RADIUS),
        -1.5,
        1.5,
        field_radius_rad=RADIUS,
    )
    both = np.concatenate([one.inside, np.zeros_like(one.inside)], axis=1)
    return Tiling(one.ra_rad, one.dec_rad, both)


def fields(n, seed=1, priority=None):
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(-0.06, 0.06, (2, n))
    ra, dec = offset(1.0, -0.5, x, y)
    columns = {"required": np.full(n, 1800.0)}
    if priority is not None:
        columns["priority"] = priority
    return Positions("fields", np.arange(n).astype(str), ra, dec, columns)


def run(tiling, table, pointing, appeal=lambda ra, dec: np.zeros(len(ra)), reachable=None):
    points = sample(REGION, 0.1 * RADIUS)
    led = lead(
        tiling,
        1,
        table,
        OPTICS,
        pointing,
        field_radius_rad=RADIUS,
        points=points,
        appeal=appeal,
        reachable=np.ones(len(table), bool) if reachable is None else reachable,
    )
    return led, points


@pytest.mark.parametrize("pointing", ["tiles", "fields", "joint"])
@pytest.mark.parametrize("area_share", [0.4, 1.0])
def test_each_field_has_one_tile_with_it_in_its_patrol_circle(pointing, area_share):
    tiling, table = tiles(area_share), fields(40)
    led, points = run(tiling, table, pointing)
    assert led.in_place + led.moved + led.added + led.missed == 40
    found = led.tiling
    mine = found.ifs_field >= 0
    assert mine.sum() == 40 - led.missed
    assert len(set(found.ifs_field[mine])) == mine.sum()
    assert np.array_equal(mine, found.inside[:, 1])
    row = found.ifs_field[mine]
    assert np.array_equal(found.ifs_ra_rad[mine], table.ra_rad[row])
    away = separation(
        found.ra_rad[mine], found.dec_rad[mine], table.ra_rad[row], table.dec_rad[row]
    )
    assert away.max(initial=0.0) <= OPTICS.reach_rad * (1.0 + 1e-6)
    assert (found.ifs_required_s[mine] == 1800.0).all()
    # Fibres cover what they covered.
    before = counts_within(tiling.ra_rad, tiling.dec_rad, points, RADIUS)
    after = counts_within(found.ra_rad, found.dec_rad, points, RADIUS)
    assert (after[before > 0] > 0).all()
    if pointing == "tiles":
        assert led.moved == led.added == 0
        assert np.array_equal(found.ra_rad, tiling.ra_rad)
    else:
        assert led.missed == 0
        assert len(found) == len(tiling) + led.added


def test_dense_tiles_are_moved_rather_than_added_to():
    assert run(tiles(0.4), fields(40), "fields")[0].moved > 8
    assert (
        run(tiles(0.4), fields(40), "fields")[0].added
        < run(tiles(1.0), fields(40), "fields")[0].added
    )


def test_joint_pointing_goes_where_fibres_find_more():
    goal = offset(1.0, -0.5, 0.02, 0.01)

    def appeal(ra, dec):
        return -separation(ra, dec, *goal)

    table = fields(40)
    alone, _ = run(tiles(1.0), table, "fields")
    joint, _ = run(tiles(1.0), table, "joint", appeal)

    def worth(led):
        mine = led.tiling.ifs_field >= 0
        return appeal(led.tiling.ra_rad[mine], led.tiling.dec_rad[mine]).sum()

    assert worth(joint) > worth(alone)


def test_fields_of_more_priority_come_first():
    table = fields(2, priority=np.array([1.0, 2.0]))
    together = Positions(
        "f", table.ids, np.repeat(table.ra_rad[:1], 2), np.repeat(table.dec_rad[:1], 2),
        table.columns,
    )  # fmt: skip
    at = Tiling(together.ra_rad[:1], together.dec_rad[:1], np.array([[True, False]]))
    led, _ = run(at, together, "tiles")
    assert led.tiling.ifs_field.tolist() == [1]
    assert led.missed == 1


def test_fields_out_of_reach_get_nothing():
    led, _ = run(tiles(1.0), fields(5), "joint", reachable=np.zeros(5, bool))
    assert led.missed == 5
    assert not led.tiling.inside[:, 1].any()
