"""Slews: constant acceleration up to a top speed, the slower axis, the shorter way."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wstdes.models.instrument import slew_time, telescope_slew


def integrated(distance: float, rate: float, acceleration: float) -> float:
    """Drive half the way, then mirrored: integrate v = min(a t, top) until half is reached."""
    time, way, step = 0.0, 0.0, 1e-3
    while True:
        speed = min(rate, acceleration * (time + step / 2))
        if way + speed * step >= distance / 2:
            return 2 * (time + (distance / 2 - way) / speed)
        way += speed * step
        time += step


@pytest.mark.parametrize("distance", [0.01, 0.5, 15.9, 16.1, 40.0, 180.0])
def test_slew_time_is_that_of_the_integrated_profile(distance: float) -> None:
    found = float(slew_time(np.array([distance]), 2.0, 0.25)[0])
    assert found == pytest.approx(integrated(distance, 2.0, 0.25), rel=2e-3)


@given(
    a=st.floats(0, 10),
    b=st.floats(0, 10),
    rate=st.floats(0.01, 10),
    acceleration=st.floats(0.01, 10),
)
def test_farther_is_never_faster_and_no_distance_takes_no_time(
    a: float, b: float, rate: float, acceleration: float
) -> None:
    near, far = sorted((a, b))
    times = slew_time(np.array([0.0, near, far]), rate, acceleration)
    assert times[0] == 0.0
    assert times[1] <= times[2] * (1 + 1e-12)
    assert times[2] >= far / rate


def test_the_slower_axis_counts_and_azimuth_goes_the_shorter_way() -> None:
    here = (math.radians(60), math.radians(10))
    there = np.radians([60.0, 60.0, 30.0, 60.0]), np.radians([350.0, 10.0, 10.0, 190.0])
    rates = (math.radians(1), math.radians(2))
    acceleration = math.radians(0.25)
    found = telescope_slew(here, *there, rates, acceleration, 8.0)
    assert found[0] == pytest.approx(20 / 2 + 2 / 0.25 + 8)
    assert found[1] == 8.0
    assert found[2] == pytest.approx(30 / 1 + 1 / 0.25 + 8)
    assert found[3] == pytest.approx(180 / 2 + 2 / 0.25 + 8)
