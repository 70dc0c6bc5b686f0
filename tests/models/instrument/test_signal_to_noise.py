"""Signal to noise: closed forms, inverses, and limits by what makes the noise."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wstdes.models.instrument import (
    Background,
    exposure_time,
    limiting_rate,
    read_noise_time,
    signal_to_noise,
)

BRIGHT = Background(0.0, 0.0, 0.0, 1e9)
SKY = Background(0.4, 0.0, 0.0, 1e9)
READ = Background(0.0, 0.0, 25.0, 1e9)

rates = st.floats(1e-3, 1e3)
backgrounds = st.builds(
    Background,
    st.floats(0, 10),
    st.floats(0, 0.1),
    st.floats(0, 100),
    st.floats(60, 3600),
)


def test_photon_noise_alone_gives_the_root_of_the_charge() -> None:
    assert float(signal_to_noise(4.0, BRIGHT, 100.0)) == pytest.approx(20.0)


def test_under_the_sky_it_grows_with_the_root_of_time_and_with_the_flux() -> None:
    one = float(signal_to_noise(1e-4, SKY, 1000.0))
    assert float(signal_to_noise(1e-4, SKY, 4000.0)) == pytest.approx(2 * one, rel=1e-9)
    assert float(signal_to_noise(2e-4, SKY, 1000.0)) == pytest.approx(2 * one, rel=1e-3)


def test_under_read_noise_it_grows_with_time() -> None:
    one = float(signal_to_noise(1e-6, READ, 1000.0))
    assert float(signal_to_noise(1e-6, READ, 3000.0)) == pytest.approx(3 * one, rel=1e-3)
    assert one == pytest.approx(1e-6 * 1000 / 5, rel=1e-3)


def test_a_case_worked_out_by_hand() -> None:
    """0.1 e/s for 3600 s in 3 exposures: 360 / sqrt(360 + (0.3 + 0.01) 3600 + 3 x 7)."""
    background = Background(0.3, 0.01, 7.0, 1200.0)
    expected = 360 / math.sqrt(360 + 1116 + 21)
    assert float(signal_to_noise(0.1, background, 3600.0)) == pytest.approx(expected)
    assert float(signal_to_noise(0.1, background, 3600.0, 4.0)) == pytest.approx(2 * expected)


def test_a_read_more_costs_and_a_moment_later_is_worth_less() -> None:
    background = Background(0.0, 0.0, 9.0, 100.0)
    before = float(signal_to_noise(0.01, background, 100.0))
    assert float(signal_to_noise(0.01, background, 100.001)) < before
    assert np.array_equal(background.reads(np.array([1.0, 100.0, 100.1])), [1, 1, 2])


@given(rates, backgrounds, st.floats(0.1, 300), st.floats(1, 40))
def test_the_time_for_a_signal_to_noise_gives_it(
    rate: float, background: Background, snr: float, pixels: float
) -> None:
    time = float(exposure_time(rate, background, snr, pixels))
    found = float(signal_to_noise(rate, background, time, pixels))
    assert found == pytest.approx(snr, rel=1e-6)
    # One read fewer would not have been enough.
    reads = float(background.reads(time))
    if reads > 1:
        earlier = (reads - 1) * background.read_interval_s
        assert float(signal_to_noise(rate, background, earlier, pixels)) < snr * (1 + 1e-9)


@given(rates, backgrounds, st.floats(1, 1e5), st.floats(1, 40))
def test_the_faintest_source_reaches_the_signal_to_noise(
    snr: float, background: Background, time: float, pixels: float
) -> None:
    rate = limiting_rate(background, snr, time, pixels)
    assert float(signal_to_noise(rate, background, time, pixels)) == pytest.approx(snr, rel=1e-9)


def test_no_light_takes_for_ever() -> None:
    assert float(exposure_time(0.0, SKY, 5.0)) == math.inf
    assert float(signal_to_noise(0.0, BRIGHT, 100.0)) == 0.0
    times = exposure_time(np.array([0.0, 0.1, 1.0]), SKY, 5.0)
    assert times[0] == math.inf
    assert times[1] > times[2]


def test_the_time_of_a_read() -> None:
    assert read_noise_time(Background(0.2, 0.05, 5.0, 1e9)) == pytest.approx(20.0)
    assert read_noise_time(READ) == math.inf
