"""Exposures that stop when enough is reached, and how time is split."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wstdes.models.instrument import (
    Background,
    cosmic_ray_share,
    effective_rate,
    exposure_time,
    remaining_open_s,
    signal_to_noise,
    split_exposures,
)

LIMITS = {"longest_s": 1200.0, "most": 4, "readout_s": 20.0, "available_s": 1e5}


def test_an_exposure_stops_when_it_has_enough() -> None:
    assert remaining_open_s(1000.0, 400.0, 0.5) == 1200.0
    assert remaining_open_s(1000.0, 1000.0, 0.5) == 0.0
    assert remaining_open_s(1000.0, 1200.0, 0.0) == 0.0
    assert remaining_open_s(1000.0, 400.0, 0.0) == math.inf


def test_steps_of_weather_add_up_to_what_was_wanted() -> None:
    done = open_s = 0.0
    for rate in (0.9, 0.2, 0.0, 1.3, 1.3, 1.3):
        step = min(900.0, remaining_open_s(1500.0, done, rate))
        done += rate * step
        open_s += step
    assert done == pytest.approx(1500.0)
    assert open_s == pytest.approx(900 * 3 + (1500 - 900 * 1.1) / 1.3)


def test_the_fewest_equal_exposures_that_are_enough() -> None:
    split = split_exposures(3000.0, 1.0, **LIMITS)
    assert (split.count, split.length_s, split.enough) == (3, 1000.0, True)
    assert split.effective_s == pytest.approx(3000.0)
    assert split_exposures(1200.0, 1.0, **LIMITS).count == 1
    assert split_exposures(1201.0, 1.0, **LIMITS).count == 2


def test_too_much_wanted_gives_what_there_is() -> None:
    split = split_exposures(9000.0, 1.0, **LIMITS)
    assert (split.count, split.length_s, split.enough) == (4, 1200.0, False)
    dawn = split_exposures(9000.0, 1.0, **{**LIMITS, "available_s": 3000.0})
    assert dawn.count * dawn.length_s + (dawn.count - 1) * 20.0 <= 3000.0
    assert (dawn.count, dawn.enough) == (3, False)
    assert split_exposures(900.0, 1.0, **{**LIMITS, "available_s": 100.0}, shortest_s=120.0) == (
        split_exposures(900.0, 0.0, **LIMITS)
    )


def test_enough_already_needs_no_exposure() -> None:
    assert split_exposures(0.0, 1.0, **LIMITS).enough
    assert split_exposures(0.0, 1.0, **LIMITS).count == 0


@given(
    wanted=st.floats(1, 2e4),
    rate=st.floats(0.01, 2),
    longest=st.floats(60, 1800),
    most=st.integers(1, 12),
    readout=st.floats(0, 100),
    available=st.floats(1, 3e4),
    read=st.floats(0, 1000),
)
def test_splits_fit_and_add_up(
    wanted: float,
    rate: float,
    longest: float,
    most: int,
    readout: float,
    available: float,
    read: float,
) -> None:
    split = split_exposures(
        wanted,
        rate,
        longest_s=longest,
        most=most,
        readout_s=readout,
        available_s=available,
        read_s=read,
    )
    assert 1 <= split.count <= most
    assert split.length_s <= longest * (1 + 1e-9)
    busy = split.count * split.length_s + (split.count - 1) * readout
    assert busy <= available * (1 + 1e-9)
    whole = split.count * split.length_s
    assert split.effective_s == pytest.approx(rate * whole**2 / (whole + split.count * read))
    if split.enough:
        assert split.effective_s == pytest.approx(wanted)
    else:
        assert split.effective_s < wanted


def test_read_noise_makes_splits_longer_as_signal_to_noise_says() -> None:
    """A faint source under the sky: the open time is that of the exposure calculator."""
    background = Background(0.25, 0.0, 100.0, 600.0)
    rate = 1e-4
    snr = float(signal_to_noise(rate, background, 2900.0))
    open_s = float(exposure_time(rate, background, snr))
    without = Background(0.25, 0.0, 0.0, 600.0)
    wanted = float(exposure_time(rate, without, snr))  # effective: without read noise
    split = split_exposures(
        wanted, 1.0, longest_s=600.0, most=9, readout_s=0.0, available_s=1e5, read_s=400.0
    )
    assert split.count * split.length_s == pytest.approx(open_s, rel=1e-3)
    assert split.count == 5


def test_short_exposures_are_worth_less_than_those_of_the_reference() -> None:
    """Half as long: twice the read noise for the time."""
    assert float(effective_rate(1.0, 1.0, "sky", 0.2, 0.1)) == pytest.approx(1.1 / 1.2)


def test_cosmic_rays_hit_in_proportion_while_they_are_few() -> None:
    one = cosmic_ray_share(600.0)
    assert cosmic_ray_share(1200.0) == pytest.approx(2 * one, rel=1e-2)
    # 5 a cm2 and minute on 15 um pixels, each of them touching five: 0.056 % in ten minutes.
    assert one == pytest.approx(5 * 10 * (15e-4) ** 2 * 5, rel=1e-2)
    assert 0.0 < cosmic_ray_share(1200.0, pixels=6.8) < 0.02
    assert cosmic_ray_share(1e12) == pytest.approx(1.0)
