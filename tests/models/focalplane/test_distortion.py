"""Distortion: closed forms, round trips to below a nanometre, refusals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wstdes.models.focalplane.distortion import DESI, Distortion


def test_no_coefficients_change_nothing_anywhere() -> None:
    x, y = Distortion().apply([0.0, 3.0, -1e6], [1.0, 0.0, 2.0])
    np.testing.assert_array_equal(x, [0.0, 3.0, -1e6])
    x, y = Distortion().undo(x, y)
    np.testing.assert_array_equal(y, [1.0, 0.0, 2.0])


def test_the_coefficients_are_relative_displacements_at_the_radius() -> None:
    x, y = Distortion(0.5, (0.03, 0.01)).apply([0.3, 0.0, 0.25], [0.4, 0.0, 0.0])
    np.testing.assert_allclose(x, [0.3 * 1.04, 0.0, 0.25 * (1 + 0.03 / 4 + 0.01 / 16)])
    np.testing.assert_allclose(y, [0.4 * 1.04, 0.0, 0.0])


def test_desi_follows_fiberassigns_polynomial_within_25_um() -> None:
    angle = np.radians(np.linspace(0.0, 1.6, 200))
    radius, _ = DESI.apply(13.9298 * np.tan(angle), np.zeros(200))
    published = 1e-3 * ((8.297e5 * angle - 1750.0) * angle + 13940.0) * angle
    assert np.abs(radius - published).max() < 25e-6


@given(
    st.floats(0.05, 2.0),
    st.floats(-0.1, 0.15),
    st.floats(-0.05, 0.05),
    st.floats(0.0, 1.0),
    st.floats(-4.0, 4.0),
)
def test_there_and_back_to_a_nanometre(
    radius: float, k3: float, k5: float, share: float, angle: float
) -> None:
    model = Distortion(radius, (k3, k5))
    x, y = share * radius * np.cos(angle), share * radius * np.sin(angle)
    back = model.undo(*model.apply(x, y))
    assert np.hypot(back[0] - x, back[1] - y) < 1e-10


def test_beyond_its_end_it_says_nothing() -> None:
    assert np.isnan(DESI.apply(0.5, 0.0)[0])
    assert np.isnan(DESI.undo(0.6, 0.0)[0])


@pytest.mark.parametrize(
    ("radius", "coefficients"), [(0.0, ()), (np.nan, ()), (1.0, (np.inf,)), (1.0, (-0.5,))]
)
def test_what_is_no_distortion_is_refused(radius: float, coefficients: tuple[float]) -> None:
    with pytest.raises(ValueError, match="distortion"):
        Distortion(radius, coefficients)
