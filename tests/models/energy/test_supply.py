"""Sunlight and carbon: closed forms, and the capacity factor that was asked for."""

from __future__ import annotations

import numpy as np
import pytest

from wstdes.models.energy import carbon_shape, clear_sky_share, cloud_share, solar_scale

ALTITUDES = np.arcsin(np.clip(np.sin(np.linspace(0, 40 * np.pi, 8000)), -1, 1)) * 0.8


@pytest.mark.parametrize("factor", [0.05, 0.2, 0.29, 0.35, 0.45])
def test_the_scaled_output_has_the_capacity_factor_that_was_asked_for(factor: float) -> None:
    shares = clear_sky_share(ALTITUDES)
    scale = solar_scale(factor, shares)
    assert np.minimum(1.0, scale * shares).mean() == pytest.approx(factor, rel=1e-9)


def test_more_than_the_sun_gives_is_refused_and_nothing_is_nothing() -> None:
    shares = clear_sky_share(ALTITUDES)
    assert solar_scale(0.0, shares) == 0.0
    with pytest.raises(ValueError, match="more than the sun gives"):
        solar_scale(0.6, shares)


def test_a_clear_sky_follows_meinel() -> None:
    """At 30 deg the airmass is 2: 0.7^(2^0.678) / 0.7 = 0.8062."""
    share = clear_sky_share(np.radians([90.0, 30.0, 0.0, -40.0]))
    assert share == pytest.approx([1.0, 0.7 ** (2**0.678 - 1), 0.0, 0.0])
    up = clear_sky_share(np.radians(np.linspace(2, 90, 100)))
    assert (np.diff(up) > 0).all()


def test_clouds_leave_between_a_third_and_all() -> None:
    assert cloud_share(np.array([0.0, 0.5, 1.0])) == pytest.approx([0.3, 0.65, 1.0])


def test_the_shape_of_a_day_has_a_mean_of_one() -> None:
    shape = carbon_shape([1.0, 3.0] * 12)
    assert shape[:2] == (0.5, 1.5)
    assert sum(shape) / 24 == pytest.approx(1.0)
