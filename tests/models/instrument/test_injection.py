"""Light in a fibre: offsets, squares, extended sources and refraction against integrals."""

from __future__ import annotations

import math
from itertools import pairwise

import erfa
import numpy as np
import pytest
from scipy.integrate import dblquad

from wstdes.models.instrument import (
    disc_injection,
    injection,
    offset_injection,
    refraction_drift,
    square_injection,
)

ARCSEC = math.pi / 648000


def moffat(fwhm: float, beta: float, square: float) -> float:
    alpha = fwhm / 2 / math.sqrt(2 ** (1 / beta) - 1)
    return (beta - 1) / (math.pi * alpha**2) * (1 + square / alpha**2) ** -beta


@pytest.mark.parametrize("offset", [0.1, 0.4, 0.9])
@pytest.mark.parametrize("fwhm", [0.45, 0.9])
def test_a_fibre_beside_the_star_gets_the_integral_over_itself(offset: float, fwhm: float) -> None:
    def across(y: float, x: float) -> float:
        return moffat(fwhm, 2.8, (x - offset) ** 2 + y**2)

    def edge(x: float) -> float:
        return math.sqrt(max(0.0, 0.515**2 - x**2))

    expected = 2 * dblquad(across, -0.515, 0.515, 0.0, edge, epsabs=1e-9)[0]
    assert offset_injection(fwhm, 1.03, 2.8, offset) == pytest.approx(expected, abs=2e-6)


def test_an_offset_costs_nothing_at_first_and_never_helps() -> None:
    centred = float(injection(0.7, 1.03, 2.8))
    shares = [offset_injection(0.7, 1.03, 2.8, d) for d in (0.0, 1e-4, 0.1, 0.2, 0.5, 2.0)]
    assert shares[0] == centred
    assert shares[1] == pytest.approx(centred, rel=1e-6)
    assert all(a > b for a, b in pairwise(shares[1:]))


@pytest.mark.parametrize("side", [0.25, 1.0, 3.0])
def test_a_square_of_spaxels_gets_the_integral_over_itself(side: float) -> None:
    half = side / 2
    expected = 4 * dblquad(lambda y, x: moffat(0.6, 2.8, x * x + y * y), 0, half, 0, half)[0]
    assert square_injection(0.6, side, 2.8) == pytest.approx(expected, rel=1e-7)
    inner = float(injection(0.6, side, 2.8))
    outer = float(injection(0.6, side * math.sqrt(2), 2.8))
    assert inner < square_injection(0.6, side, 2.8) < outer


def blurred_disc(fwhm: float, half_light: float, aperture: float) -> float:
    """An exponential disc convolved with a Moffat profile, on a fine grid."""
    step, n = 0.02, 1024
    axis = (np.arange(n) - n // 2) * step
    square = axis[:, None] ** 2 + axis**2
    disc = np.exp(-1.67835 * np.sqrt(square) / half_light)
    alpha = fwhm / 2 / math.sqrt(2 ** (1 / 2.8) - 1)
    star = (1 + square / alpha**2) ** -2.8
    product = np.fft.rfft2(disc / disc.sum()) * np.fft.rfft2(star / star.sum())
    image = np.fft.fftshift(np.fft.irfft2(product, s=(n, n)))
    return float(image[square <= (aperture / 2) ** 2].sum())


@pytest.mark.parametrize("half_light", [0.1, 0.3, 0.6, 1.0])
def test_a_disc_galaxy_is_convolved(half_light: float) -> None:
    expected = blurred_disc(0.7, half_light, 1.03)
    assert disc_injection(0.7, 1.03, 2.8, half_light) == pytest.approx(expected, rel=5e-3)


def test_a_small_galaxy_is_a_star_and_beside_the_fibre_loses() -> None:
    star = offset_injection(0.7, 1.03, 2.8, 0.2)
    assert disc_injection(0.7, 1.03, 2.8, 0.0, 0.2) == star
    assert disc_injection(0.7, 1.03, 2.8, 1e-3, 0.2) == pytest.approx(star, rel=1e-3)
    assert disc_injection(0.7, 1.03, 2.8, 0.5, 0.3) < disc_injection(0.7, 1.03, 2.8, 0.5)


def test_refraction_squeezes_the_field_as_erfa_refracts() -> None:
    """Two stars a degree apart in altitude, at 45 and later 50 deg from the zenith."""
    a, b = erfa.refco(744.0, 10.0, 0.1, 0.55)
    edge = math.radians(1.0)

    def refraction(z: float) -> float:
        return float(a * math.tan(z) + b * math.tan(z) ** 3)

    def squeeze(z: float) -> float:
        return refraction(z + edge / 2) - refraction(z - edge / 2)

    begin, end = math.radians(45), math.radians(50)
    expected = squeeze(end) - squeeze(begin)
    found = refraction_drift(edge, begin, end - begin)
    assert found == pytest.approx(expected, rel=0.05)
    assert 0.2 * ARCSEC < found < 0.4 * ARCSEC
