"""When a field rises: against its altitude at that moment."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from wstdes.agents.rising import TURN_RAD_PER_S, hour_angle_at, until_set_s, until_up_s

LOW, HIGH, LATITUDE = np.radians(35.0), np.radians(87.0), np.radians(-24.6)


def altitude(hour_angle: float, dec: float) -> float:
    sine = np.sin(LATITUDE) * np.sin(dec) + np.cos(LATITUDE) * np.cos(dec) * np.cos(hour_angle)
    return float(np.arcsin(sine))


def wait(hour_angle: float, dec: float) -> float:
    limits = (hour_angle_at(a, np.array([dec]), LATITUDE) for a in (LOW, HIGH))
    return float(until_up_s(np.array([hour_angle]), *limits)[0])


@given(st.floats(-np.pi, np.pi), st.floats(-1.5, 1.5))
def test_a_field_is_up_just_after_and_was_not_just_before(hour_angle: float, dec: float) -> None:
    found = wait(hour_angle, dec)
    if np.isinf(found):
        turn = [altitude(h, dec) for h in np.linspace(-np.pi, np.pi, 200)]
        assert max(turn) < LOW + 0.01 or min(turn) > LOW - 0.01
        return
    assert 1.0 <= found <= 86165.5
    then = hour_angle + found * TURN_RAD_PER_S
    before = hour_angle + (found - 1.5) * TURN_RAD_PER_S
    assert LOW - 1e-9 <= altitude(then, dec) <= HIGH + 1e-9
    assert not LOW < altitude(before, dec) < HIGH


def test_what_stays_too_low_never_rises() -> None:
    assert np.isinf(wait(0.0, np.radians(40.0)))


@given(st.floats(-4.0, 4.0), st.floats(-1.5, 1.5))
def test_a_field_stays_up_until_it_sets_and_no_longer(hour_angle: float, dec: float) -> None:
    if not LOW <= altitude(hour_angle, dec) <= HIGH:
        return
    low, high = (hour_angle_at(a, np.array([dec]), LATITUDE).item() for a in (LOW, HIGH))
    found = until_set_s(hour_angle, low, high)
    last = min(found, 86164.0) * TURN_RAD_PER_S
    way = [altitude(hour_angle + share * last, dec) for share in np.linspace(0.0, 1.0, 50)]
    assert min(way) >= LOW - 1e-6
    assert max(way) <= HIGH + 1e-6
    if np.isfinite(found):
        after = altitude(hour_angle + (found + 2.0) * TURN_RAD_PER_S, dec)
        assert after < LOW + 1e-7 or after > HIGH - 1e-7
