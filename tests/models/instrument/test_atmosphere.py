"""Extinction and dark sky by wavelength."""

from __future__ import annotations

import numpy as np
import pytest

from wstdes.models.instrument import dark_sky_mag, extinction_mag


def test_extinction_is_rayleigh_scattering_and_aerosols_where_ozone_is_little() -> None:
    """Noll et al. 2012 (A&A 543, A92) at 744 hPa; aerosols of Patat et al. 2011."""
    for um, tolerance in ((0.37, 0.03), (0.41, 0.02), (0.45, 0.02), (0.745, 0.015), (0.9, 0.015)):
        power = -3.916 - 0.074 * um - 0.05 / um
        rayleigh = 1.0857 * (0.00864 + 6.5e-6 * 2.64) * um**power * 744 / 1013.25
        expected = rayleigh + 0.013 * um**-1.38
        assert float(extinction_mag(um * 1e-6)) == pytest.approx(expected, abs=tolerance)


def test_extinction_at_550_nm_is_the_published_one() -> None:
    assert float(extinction_mag(550e-9)) == pytest.approx(0.131, abs=0.005)


def test_another_site_moves_the_curve_and_never_below_nothing() -> None:
    waves = np.array([400e-9, 620e-9, 950e-9])
    clear = extinction_mag(waves, 0.10)
    assert extinction_mag(waves, 0.15) == pytest.approx(clear + 0.05)
    assert extinction_mag(waves, 0.0).min() >= 0.0


def test_the_dark_sky_is_patats_in_his_bands() -> None:
    assert float(dark_sky_mag(545e-9)) == pytest.approx(21.62)
    assert float(dark_sky_mag(641e-9)) == pytest.approx(20.9 + 0.21)
    assert float(dark_sky_mag(545e-9, 21.8)) == pytest.approx(21.82)
    assert np.all(np.diff(dark_sky_mag(np.linspace(370e-9, 970e-9, 30))) < 0)
