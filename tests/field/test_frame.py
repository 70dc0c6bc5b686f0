"""The frame: there and back, at the pole, across RA = 0, with everything switched on."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wstdes.field.frame import Frame
from wstdes.models.focalplane.distortion import DESI
from wstdes.models.focalplane.projection import project
from wstdes.models.focalplane.refraction import Refraction

CENTRES = [(0.0, 0.0), (0.001, -0.5), (6.2831, 0.3), (2.6, 1.5707), (1.0, -np.pi / 2)]


@pytest.mark.parametrize(("ra", "dec"), CENTRES)
def test_there_and_back_with_everything(ra: float, dec: float) -> None:
    frame = Frame(
        ra, dec, 13.9298, 0.7, distortion=DESI, refraction=Refraction(0.9, 0.4, 75e3, 280.0)
    )
    rng = np.random.default_rng(1)
    x, y = rng.uniform(-0.25, 0.25, (2, 100))
    sky = frame.to_sky(x, y)
    back_x, back_y, visible = frame.to_plane(*sky)
    assert visible.all()
    np.testing.assert_allclose(back_x, x, atol=1e-9)
    np.testing.assert_allclose(back_y, y, atol=1e-9)
    assert len(frame.near(*sky, 0.4)) == 100


def test_plain_it_is_the_gnomonic_projection_turned() -> None:
    """With the rotator at 90 deg, +y of the plane points east: what lies east lies up."""
    x, y, _ = project([0.01, 6.28], [0.2, 0.21], 0.0, 0.2, 30.0)
    got = Frame(0.0, 0.2, 30.0).to_plane([0.01, 6.28], [0.2, 0.21])
    np.testing.assert_allclose(got[0], x)
    turned = Frame(0.0, 0.2, 30.0, np.pi / 2).to_plane([0.01, 6.28], [0.2, 0.21])
    np.testing.assert_allclose(turned[1], x, atol=1e-15)
    np.testing.assert_allclose(turned[0], -y, atol=1e-15)


def test_stars_move_on_to_the_epoch_of_the_visit() -> None:
    frame = Frame(0.0, 0.0, 1.0, epoch_yr=2040.0)
    x, _, _ = frame.to_plane([0.0], [0.0], [1e-5], [0.0])
    assert x[0] == pytest.approx(24e-5)
    assert Frame(0.0, 0.0, 1.0).to_plane([0.0], [0.0], [1e-5], [0.0])[0][0] == 0.0


@given(st.floats(0, 6.283), st.floats(-1.5707, 1.5707), st.floats(0, 0.99), st.floats(0, 6.28))
def test_near_leaves_nothing_out(ra: float, dec: float, share: float, angle: float) -> None:
    frame = Frame(ra, dec, 37.0, refraction=Refraction(1.2, 0.5))
    sky = frame.to_sky([0.7 * share * np.cos(angle)], [0.7 * share * np.sin(angle)])
    assert len(frame.near(*sky, 0.7)) == 1


def test_the_other_side_of_the_sky_is_not_visible() -> None:
    x, _, visible = Frame(0.0, 0.0, 37.0).to_plane([3.0, 0.0], [0.0, 0.0])
    assert visible.tolist() == [False, True]
    assert np.isnan(x[0])
