"""What the atmosphere takes from starlight and gives of its own, by wavelength."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["EXTINCTION_R_MAG", "SKY_V_MAG", "dark_sky_mag", "extinction_mag"]

Array = NDArray[np.float64]

# Patat et al. 2011 (A&A 527, A91), Cerro Paranal, at a few of its wavelengths, rounded to 0.01.
_EXTINCTION_NM = (350.0, 370.0, 390.0, 410.0, 430.0, 450.0, 480.0, 510.0, 545.0, 575.0, 600.0,
                  620.0, 650.0, 680.0, 745.0, 794.0, 850.0, 885.0, 1000.0)  # fmt: skip
_EXTINCTION_MAG = (0.54, 0.44, 0.37, 0.31, 0.26, 0.22, 0.18, 0.15, 0.13, 0.13, 0.12,
                   0.10, 0.08, 0.06, 0.05, 0.04, 0.03, 0.03, 0.02)  # fmt: skip
EXTINCTION_R_MAG = 0.10
"""Paranal's extinction in the r band (620 nm) [mag per airmass]."""

# U, B, V, R, I: Patat 2003 (A&A 400, 1183), 22.3, 22.6, 21.6, 20.9, 19.7 mag/arcsec2 (Vega), in AB
# with Blanton & Roweis 2007 (AJ 133, 734): +0.79, -0.09, +0.02, +0.21, +0.45. z, y: Ivezic et al.
# 2019 (ApJ 873, 111), 19.60 and 18.61 AB at Cerro Pachon.
_SKY_NM = (366.0, 438.0, 545.0, 641.0, 798.0, 868.0, 971.0)
_SKY_MAG = (23.09, 22.51, 21.62, 21.11, 20.15, 19.60, 18.61)
SKY_V_MAG = 21.6
"""Paranal's dark sky in V (Vega), to which the table belongs [mag/arcsec2]."""


def extinction_mag(wavelength_m: Array | float, r_band_mag: float = EXTINCTION_R_MAG) -> Array:
    """Extinction by the clear atmosphere.

    Parameters
    ----------
    wavelength_m : float or ndarray of float64
        350 to 1000 nm; beyond, the value at the end [m].
    r_band_mag : float
        The site's extinction in the r band; the curve is Paranal's, moved by the difference to
        it, as aerosols are nearly grey (assumed).

    Returns
    -------
    ndarray of float64
        [mag per airmass], at least 0; without the bands of water and oxygen.
    """
    curve = np.interp(np.asarray(wavelength_m) * 1e9, _EXTINCTION_NM, _EXTINCTION_MAG)
    return np.asarray(np.maximum(0.0, curve + (r_band_mag - EXTINCTION_R_MAG)))


def dark_sky_mag(wavelength_m: Array | float, v_band_mag: float = SKY_V_MAG) -> Array:
    """Brightness of the dark sky at the zenith, as seen from the ground.

    Parameters
    ----------
    wavelength_m : float or ndarray of float64
        366 to 971 nm; beyond, the value at the end [m].
    v_band_mag : float
        The site's dark sky in V [mag/arcsec2]; the spectrum is Paranal's, moved by the difference
        (assumed).

    Returns
    -------
    ndarray of float64
        AB mag/arcsec2, mean over a broad band: beyond 700 nm the sky between the lines of OH is
        about a magnitude darker than this mean.
    """
    curve = np.interp(np.asarray(wavelength_m) * 1e9, _SKY_NM, _SKY_MAG)
    return np.asarray(curve + (v_band_mag - SKY_V_MAG))
