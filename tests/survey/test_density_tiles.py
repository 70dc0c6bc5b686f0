"""Tiles that follow the targets: more where there are more, and a better use of the fibres."""

import math

import numpy as np
import pytest

from wstdes.survey.area import sample
from wstdes.survey.density import Demand, demand_points, follow, served
from wstdes.survey.shapes import Circles
from wstdes.survey.tiling import counts_within, cover_passes, tile_area_without_gaps

RADIUS = math.radians(1.0)
REGION = Circles(np.array([1.0]), np.array([-0.5]), math.radians(10.0))
CLUSTER = Circles(np.array([1.05]), np.array([-0.52]), math.radians(2.0))
AREA = tile_area_without_gaps(RADIUS)
FIBRES = 1000.0


@pytest.fixture(scope="module")
def demand():
    points = demand_points()
    inside = REGION.contains(points[:, 0], points[:, 1])
    dense = CLUSTER.contains(points[:, 0], points[:, 1])
    return Demand(points, (20.0 * inside + 400.0 * dense)[None], np.array([FIBRES]), np.ones(1))


def following(demand, **options):
    rules = {"field_radius_rad": RADIUS, "passes_max": 8, "fill_min": 0.5, **options}
    return follow([REGION], demand, AREA, -1.5, 1.5, **rules)


def test_all_is_covered_and_the_cluster_many_times(demand):
    tiling = following(demand)
    times = counts_within(tiling.ra_rad, tiling.dec_rad, sample(REGION, 0.2 * RADIUS), RADIUS)
    assert times.min() >= 1
    core = counts_within(tiling.ra_rad, tiling.dec_rad, CLUSTER.anchors(), RADIUS)
    assert core[0] >= 5
    assert np.median(times) <= 2


def test_it_serves_more_than_as_many_tiles_spread_evenly(demand):
    tiling = following(demand)
    even = cover_passes([REGION], AREA * 0.5, -1.5, 1.5, field_radius_rad=RADIUS, passes=1)
    assert len(even) > len(tiling)
    assert served(demand, tiling, RADIUS) > served(demand, even, RADIUS) + 0.1


def test_it_stops_when_told(demand):
    base = following(demand, fill_min=1.0 + 1e-9)
    assert (base.pass_ == 0).all()
    assert len(following(demand, tiles_max=len(base) + 5)) == len(base) + 5
    assert len(following(demand, fill_min=0.9)) < len(following(demand, fill_min=0.3))


def test_what_is_served_is_at_most_what_is_wanted_and_what_fibres_give(demand):
    tiling = following(demand)
    share = served(demand, tiling, RADIUS)
    total = float(demand.wanted.sum())
    assert 0.0 < share <= 1.0
    assert share * total <= FIBRES * len(tiling) * (1.0 + 1e-9)
    assert served(demand, tiling, RADIUS, visits=50) == pytest.approx(1.0, abs=1e-6)
