"""From conditions to effective exposure time, and the magnitude that saturates."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "atmospheric_fwhm",
    "effective_rate",
    "photon_rate",
    "relative_signal",
    "saturation_magnitude",
    "total_fwhm",
]

Array = NDArray[np.float64]
_ARCSEC = math.pi / 648000.0
_PLANCK_J_S = 6.62607015e-34
_ZERO_W_M2_HZ = 3631e-26


def atmospheric_fwhm(
    seeing_rad: float,
    airmass: Array | float,
    diameter_m: float,
    outer_scale_m: float,
    wavelength_m: float = 500e-9,
) -> Array:
    """Atmospheric image quality of a large telescope, after ESO's exposure-time calculators.

    Parameters
    ----------
    seeing_rad : float
        FWHM at the zenith at 500 nm [rad].
    airmass : float or ndarray of float64
        At least 1.
    diameter_m, outer_scale_m : float
        Of the telescope, and of the turbulence [m].
    wavelength_m : float
        [m].

    Returns
    -------
    ndarray of float64
        FWHM [rad]; smaller than the seeing where the outer scale cuts the turbulence (Tokovinin
        2002, PASP 114, 1156; Kolb's correction for the diameter).
    """
    airmass = np.asarray(airmass, dtype=np.float64)
    scaled = seeing_rad * airmass**0.6 * (wavelength_m / 500e-9) ** -0.2
    fried_m = 0.1 / (seeing_rad / _ARCSEC) * (wavelength_m / 500e-9) ** 1.2 * airmass**-0.6
    kolb = 1.0 / (1.0 + 300.0 * diameter_m / outer_scale_m) - 1.0
    cut = np.maximum(0.0, 1.0 + kolb * 2.183 * (fried_m / outer_scale_m) ** 0.356)
    return np.asarray(scaled * np.sqrt(cut))


def total_fwhm(atmosphere_rad: Array, telescope_rad: float, instrument_rad: float) -> Array:
    """Image quality [rad] of atmosphere, telescope and instrument, added in quadrature."""
    return np.asarray(np.sqrt(atmosphere_rad**2 + telescope_rad**2 + instrument_rad**2))


def relative_signal(
    transparency: float,
    extinction_mag: float,
    airmass: Array | float,
    injected: Array | float,
    injected_reference: float,
) -> Array:
    """Light in a fibre over that in reference conditions (zenith, clear, median seeing).

    Parameters
    ----------
    transparency : float
        Of the clouds.
    extinction_mag, airmass : float, float or ndarray of float64
        Extinction per airmass, and the airmass.
    injected, injected_reference : float or ndarray of float64, float
        Share of the light that enters the fibre now, and in reference conditions.

    Returns
    -------
    ndarray of float64
        1 in reference conditions; larger in better seeing.
    """
    airmass = np.asarray(airmass, dtype=np.float64)
    extinction = 10 ** (-0.4 * extinction_mag * (airmass - 1.0))
    return np.asarray(transparency * extinction * injected / injected_reference)


def photon_rate(area_m2: float, dispersion_m: float, wavelength_m: float) -> float:
    """Photons from AB magnitude 0 in one pixel's wavelength range [1/s].

    Parameters
    ----------
    area_m2 : float
        Collecting area [m2].
    dispersion_m, wavelength_m : float
        Wavelength a pixel, and wavelength [m].

    Returns
    -------
    float
        3631 Jy / h x (dispersion / wavelength) x area.
    """
    return _ZERO_W_M2_HZ / _PLANCK_J_S * (dispersion_m / wavelength_m) * area_m2


def effective_rate(
    signal: Array | float,
    sky: Array | float,
    noise: str,
    floor: float = 0.0,
    reference_floor: float | None = None,
) -> Array:
    """Effective over open-shutter time.

    Parameters
    ----------
    signal : float or ndarray of float64
        See :func:`relative_signal`.
    sky : float or ndarray of float64
        Sky brightness over that of the dark zenith.
    noise : {'sky', 'sky-alone', 'source'}
        What limits the spectra: sky and detector, the sky alone, or the target.
    floor : float
        Variance of the detector (dark current, read noise) over that of the dark sky.
    reference_floor : float, optional
        The same in the exposures that the reference is made of; `floor` by default. Shorter
        exposures have more read noise for their time, and then give less.

    Returns
    -------
    ndarray of float64
        (S/N)^2 is as after this share of the time in reference conditions: signal^2 over the
        background's variance, sky and detector, relative to the dark sky's (DESI's effective time,
        Schlafly et al. 2023, AJ 166, 259, with the detector's noise added); the signal itself
        under the target's own noise.
    """
    if noise == "source":
        return np.asarray(signal, dtype=np.float64)
    if noise == "sky-alone":
        return np.asarray(np.square(signal) / sky)
    whole = 1.0 + (floor if reference_floor is None else reference_floor)
    return np.asarray(np.square(signal) * whole / (sky + floor))


def saturation_magnitude(
    area_m2: float,
    throughput: float,
    injected: float,
    dispersion_m: float,
    wavelength_m: float,
    pixels_across: float,
    interval_s: float,
    full_well_e: float,
) -> float:
    """AB magnitude of a star that fills a pixel between two reads.

    Parameters
    ----------
    area_m2, throughput, injected : float
        Collecting area [m2], throughput of the instrument, share of light in the fibre.
    dispersion_m, wavelength_m : float
        Wavelength a pixel, and wavelength [m].
    pixels_across : float
        Width of a trace across the dispersion; the peak is taken as 1.5 times the mean of it.
    interval_s, full_well_e : float
        Time between reads [s], and charge that saturates [electron].

    Returns
    -------
    float
        AB magnitude; brighter stars saturate.
    """
    photons = photon_rate(area_m2, dispersion_m, wavelength_m)
    electrons = photons * throughput * injected * 1.5 / pixels_across * interval_s
    return 2.5 * math.log10(electrons / full_well_e)
