"""From conditions to effective time: closed forms and numerical integrals."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.integrate import quad

from wstdes.models.instrument import (
    atmospheric_fwhm,
    effective_rate,
    injection,
    relative_signal,
    saturation_magnitude,
    total_fwhm,
)

ARCSEC = math.pi / 648000


@pytest.mark.parametrize("beta", [1.5, 2.5, 2.8, 4.765])
@pytest.mark.parametrize("fwhm", [0.4, 0.8, 2.0])
@pytest.mark.parametrize("aperture", [0.25, 1.03])
def test_injection_is_the_integral_of_a_moffat_profile(
    beta: float, fwhm: float, aperture: float
) -> None:
    alpha = fwhm / 2 / math.sqrt(2 ** (1 / beta) - 1)

    def ring(r: float) -> float:
        return 2 * math.pi * r * (beta - 1) / (math.pi * alpha**2) * (1 + (r / alpha) ** 2) ** -beta

    half = (1 + (fwhm / 2 / alpha) ** 2) ** -beta
    assert half == pytest.approx(0.5)  # it is the full width at half maximum
    expected = quad(ring, 0.0, aperture / 2, epsabs=1e-13)[0]
    found = float(injection(fwhm * ARCSEC, aperture * ARCSEC, beta))
    assert found == pytest.approx(expected, rel=1e-9)


def test_injection_goes_from_nothing_to_all() -> None:
    assert float(injection(1e3, 1e-6, 2.8)) == pytest.approx(0.0, abs=1e-12)
    assert float(injection(1e-6, 1e3, 2.8)) == pytest.approx(1.0, abs=1e-12)


def test_without_outer_scale_seeing_follows_kolmogorov() -> None:
    found = atmospheric_fwhm(0.8, np.array([1.0, 1.5, 2.0]), 12.4, 1e12, 800e-9)
    expected = 0.8 * np.array([1.0, 1.5, 2.0]) ** 0.6 * (800 / 500) ** -0.2
    assert found == pytest.approx(expected, rel=1e-3)


def test_the_outer_scale_cuts_the_seeing_by_tokovinins_formula() -> None:
    """0.8 arcsec and L0 = 46 m: r0 = 0.125 m; times sqrt(1 - 2.183 (r0/L0)^0.356)."""
    found = float(atmospheric_fwhm(0.8 * ARCSEC, 1.0, 1e9, 46.0)) / ARCSEC
    expected = 0.8 * math.sqrt(1 - 2.183 * (0.125 / 46.0) ** 0.356)
    assert found == pytest.approx(expected, rel=1e-6)
    wst = float(atmospheric_fwhm(0.8 * ARCSEC, 1.0, 12.4, 46.0)) / ARCSEC
    assert expected < wst < 0.8
    kolb = 1 / (1 + 300 * 12.4 / 46) - 1
    assert wst == pytest.approx(0.8 * math.sqrt(1 + kolb * 2.183 * (0.125 / 46.0) ** 0.356))


def test_image_quality_adds_in_quadrature() -> None:
    assert float(total_fwhm(np.asarray(3.0), 4.0, 12.0)) == pytest.approx(13.0)


def test_the_signal_is_one_in_reference_conditions() -> None:
    assert float(relative_signal(1.0, 0.09, 1.0, 0.6, 0.6)) == 1.0
    assert float(relative_signal(0.5, 0.1, 2.0, 0.3, 0.6)) == pytest.approx(0.25 * 10**-0.04)


def test_the_skys_noise_alone_knows_no_detector() -> None:
    assert float(effective_rate(0.5, 2.0, "sky-alone", 5.0, 1.0)) == 0.125


def test_effective_rate_is_the_time_that_gives_the_same_signal_to_noise() -> None:
    """S/N^2 = (s F t)^2 / (b B t) under sky noise, s F t under the source's: solve for t."""
    for signal in (0.3, 1.0, 1.4):
        for sky in (1.0, 2.5, 10.0):
            exposure, flux, background = 1000.0, 0.02, 3.0
            snr2 = (signal * flux * exposure) ** 2 / (sky * background * exposure)
            same = snr2 * background / flux**2  # time at signal 1, sky 1
            assert float(effective_rate(signal, sky, "sky")) * exposure == pytest.approx(same)
            snr2 = signal * flux * exposure
            assert float(effective_rate(signal, sky, "source")) * exposure == pytest.approx(
                snr2 / flux
            )


def test_the_detectors_noise_counts_like_sky_that_is_always_there() -> None:
    """Variance b (B + floor) instead of b B; in reference conditions the rate is one."""
    assert float(effective_rate(1.0, 1.0, "sky", 0.7)) == pytest.approx(1.0)
    assert float(effective_rate(0.8, 3.0, "sky", 0.5)) == pytest.approx(0.64 * 1.5 / 3.5)
    assert float(effective_rate(0.8, 3.0, "source", 0.5)) == 0.8


def test_saturation_of_one_case_worked_out_by_hand() -> None:
    """An AB magnitude 0 is 3631 Jy: 5.4798e10 photons a second, m2 and unit of ln(wavelength)."""
    electrons = 5.4798e10 * (0.03e-9 / 600e-9) * 90.0 * 0.25 * 0.5 * 1.5 / 7.0 * 100.0
    expected = 2.5 * math.log10(electrons / 50000.0)
    found = saturation_magnitude(90.0, 0.25, 0.5, 0.03e-9, 600e-9, 7.0, 100.0, 50000.0)
    assert found == pytest.approx(expected, abs=1e-4)


def test_ten_times_the_charge_saturates_two_and_a_half_magnitudes_fainter() -> None:
    case = (90.0, 0.25, 0.5, 0.03e-9, 600e-9, 7.0, 100.0, 50000.0)
    base = saturation_magnitude(*case)
    for i, sign in enumerate((1, 1, 1, 1, -1, -1, 1, -1)):
        if i == 1 or i == 2:
            factor, shift = 0.1, -2.5
        else:
            factor, shift = 10.0, 2.5
        changed = tuple(v * factor if j == i else v for j, v in enumerate(case))
        assert saturation_magnitude(*changed) - base == pytest.approx(sign * shift)
