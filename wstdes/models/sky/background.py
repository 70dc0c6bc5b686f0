"""What the dark sky is made of: airglow, zodiacal light, starlight; and its colour.

Parts are in S10: stars of tenth magnitude a square degree, 27.78 mag/arcsec2 in V.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from wstdes.jit import njit
from wstdes.models.sky.brightness import airglow_rise, astronomical_extinction

__all__ = [
    "DARK_SKY_AB",
    "SOLAR_FLUX_SFU",
    "Background",
    "airglow_s10",
    "dark_sky_ab",
    "moonlight_factor",
    "solar_flux_sfu",
    "starlight_s10",
    "zodiacal_s10",
]

Array = NDArray[np.float64]

SOLAR_FLUX_SFU = 130.0
"""Mean of solar cycle 23, as Noll et al. (2012, A&A 543, A92) take it."""
SCATTERED_S10 = 15.0
"""Starlight scattered by dust and air (Benn & Ellison 1998, La Palma Technical Note 115)."""
POLE_S10 = 60.0
"""Zodiacal light at the ecliptic pole (Leinert et al. 1998, A&AS 127, 1, section 8.3)."""

_ZODIACAL_LATITUDE = np.radians([0, 5, 10, 15, 20, 25, 30, 45, 60, 75, 90])
_ZODIACAL_LONGITUDE = np.radians(
    [0, 5, 10, 15, 20, 25, 30, 35, 40, 45, 60, 75, 90, 105, 120, 135, 150, 165, 180]
)
# Leinert et al. (1998), table 16 [S10 of solar colour]; rows: longitude from the Sun, columns:
# latitude. Within 15 deg of the Sun, where they have no figure, the brightest one stands.
_ZODIACAL_S10 = np.array(
    [
        [9000, 9000, 9000, 9000, 2450, 1260, 770, 215, 117, 78, 60],
        [9000, 9000, 9000, 2300, 1200, 740, 490, 212, 117, 78, 60],
        [9000, 9000, 3700, 1930, 1070, 675, 460, 206, 116, 78, 60],
        [9000, 5300, 2690, 1450, 870, 590, 410, 196, 114, 78, 60],
        [5000, 3500, 1880, 1100, 710, 495, 355, 185, 110, 77, 60],
        [3000, 2210, 1350, 860, 585, 425, 320, 174, 106, 76, 60],
        [1940, 1460, 955, 660, 480, 365, 285, 162, 102, 74, 60],
        [1290, 990, 710, 530, 400, 310, 250, 151, 98, 73, 60],
        [925, 735, 545, 415, 325, 264, 220, 140, 94, 72, 60],
        [710, 570, 435, 345, 278, 228, 195, 130, 91, 70, 60],
        [395, 345, 275, 228, 190, 163, 143, 105, 81, 67, 60],
        [264, 248, 210, 177, 153, 134, 118, 91, 73, 64, 60],
        [202, 196, 176, 151, 130, 115, 103, 81, 67, 62, 60],
        [166, 164, 154, 133, 117, 104, 93, 75, 64, 60, 60],
        [147, 145, 138, 120, 108, 98, 88, 70, 60, 58, 60],
        [140, 139, 130, 115, 105, 95, 86, 70, 60, 57, 60],
        [140, 139, 129, 116, 107, 99, 91, 75, 62, 56, 60],
        [153, 150, 140, 129, 118, 110, 102, 81, 64, 56, 60],
        [180, 166, 152, 139, 127, 116, 105, 82, 65, 56, 60],
    ],
    dtype=np.float64,
)


@dataclass(frozen=True)
class Background:
    """What the brightness of a site's sky depends on, besides where and when.

    Parameters
    ----------
    extinction_mag : float
        Per airmass.
    dark_mag : float
        V mag/arcsec2 of the zenith without Moon, at both the ecliptic and the galactic pole and
        at the mean solar flux: the unit of all brightnesses.
    solar_flux_sfu : float
        At 10.7 cm; 70 to 200 in a cycle.
    """

    extinction_mag: float
    dark_mag: float
    solar_flux_sfu: float = SOLAR_FLUX_SFU

    def site(self) -> tuple[float, float, float, float, float]:
        """As :func:`wstdes.models.sky.brightness.sky_brightness` takes it."""
        return self._site

    @cached_property
    def _site(self) -> tuple[float, float, float, float, float]:
        k = self.extinction_mag
        from_beyond = 10.0 ** (-0.4 * k * astronomical_extinction(POLE_S10))
        dark = airglow_s10(SOLAR_FLUX_SFU) * airglow_rise(1.0, k) + SCATTERED_S10
        return (
            k,
            self.dark_mag,
            airglow_s10(self.solar_flux_sfu),
            SCATTERED_S10,
            dark + POLE_S10 * from_beyond,
        )


def airglow_s10(flux_sfu: float) -> float:
    """Airglow at the zenith by solar flux (Benn & Ellison 1998): 145 at 80 sfu, 275 at 200."""
    return 145.0 + 1.08 * (flux_sfu - 80.0)


def solar_flux_sfu(year: float) -> float:
    """Solar flux at 10.7 cm, a cycle as regular as it never is.

    Parameters
    ----------
    year : float
        With its fraction.

    Returns
    -------
    float
        Between 80 (as in December 2019, SILSO's last minimum) and 200 (5.5 years later, after
        Benn & Ellison 1998) [sfu]; that the next cycles are like these is assumed.
    """
    return float(140.0 - 60.0 * np.cos(2.0 * np.pi * (year - 2019.96) / 11.0))


def zodiacal_s10(longitude_rad: Array, latitude_rad: Array) -> Array:
    """Zodiacal light above the atmosphere at 1 au (Leinert et al. 1998, table 16).

    Parameters
    ----------
    longitude_rad : ndarray of float64
        Ecliptic, from the Sun's; any turn [rad].
    latitude_rad : ndarray of float64
        Ecliptic [rad].

    Returns
    -------
    ndarray of float64
        Bilinear in the table [S10]; good to 10 %.
    """
    shape = np.broadcast_shapes(np.shape(longitude_rad), np.shape(latitude_rad))
    lon = np.ravel(np.broadcast_to(longitude_rad, shape))
    out = np.empty(lon.size)
    _zodiacal(lon, np.ravel(np.broadcast_to(latitude_rad, shape)), out)
    return out.reshape(shape)


@njit
def _place(value: float, grid: Array) -> tuple[int, float]:
    """Cell of a grid in which a value lies, and how far along."""
    i = int(np.searchsorted(grid[1:-1], value))
    return i, (value - grid[i]) / (grid[i + 1] - grid[i])


@njit
def _zodiacal(longitude: Array, latitude: Array, out: Array) -> None:
    turn = 2.0 * np.pi
    for n in range(len(out)):
        away = longitude[n] / turn
        i, u = _place(turn * abs(away - np.floor(away + 0.5)), _ZODIACAL_LONGITUDE)
        j, v = _place(abs(latitude[n]), _ZODIACAL_LATITUDE)
        near = (1.0 - v) * _ZODIACAL_S10[i, j] + v * _ZODIACAL_S10[i, j + 1]
        far = (1.0 - v) * _ZODIACAL_S10[i + 1, j] + v * _ZODIACAL_S10[i + 1, j + 1]
        out[n] = (1.0 - u) * near + u * far


def starlight_s10(galactic_latitude_rad: Array) -> Array:
    """Faint stars between the bright ones, 100 exp(-|b| / 10 deg).

    Form and figures are assumed: small where Benn & Ellison (1998) see no dependence on galactic
    latitude, and in the plane about what Leinert et al. (1998, section 10) have for faint stars.
    """
    return np.asarray(100.0 * np.exp(-np.abs(galactic_latitude_rad) / np.radians(10.0)))


# Colour ---------------------------------------------------------------------------------------

DARK_SKY_AB = (
    (365e-9, 23.09),
    (440e-9, 22.51),
    (550e-9, 21.62),
    (650e-9, 21.11),
    (800e-9, 20.15),
    (880e-9, 19.26),
    (1020e-9, 18.21),
)
"""Dark zenith of Paranal by wavelength [m, AB mag/arcsec2], airglow's lines smoothed in.

UBVRI 22.3, 22.6, 21.6, 20.9, 19.7 by Patat (2003, A&A 400, 1183), at solar maximum; z and Y 18.76
and 17.61 by ESO's SkyCalc 1.4 (Noll et al. 2012) at 130 sfu. To AB by +0.79, -0.09, +0.02, +0.21,
+0.45 (Blanton & Roweis 2007, AJ 133, 734), and +0.50, +0.60 for z and Y (VISTA's).
"""
_MOONLIGHT_AB = (18.65, 18.13, 18.06, 18.28, 18.63, 18.76, 18.96)
"""Scattered moonlight at the same wavelengths: SkyCalc 1.4 at the zenith under a full Moon at
altitude 45 deg (17.84, 18.20, 18.01, 18.00, 17.95, 17.73, 17.17), less the same without Moon
(22.09, 22.78, 21.83, 21.06, 19.74, 18.76, 17.61), to AB as above."""


def dark_sky_ab(wavelength_m: Array | float) -> Array:
    """Dark zenith at a wavelength [AB mag/arcsec2]: ``DARK_SKY_AB``, linear, constant outside.

    Parameters
    ----------
    wavelength_m : float or ndarray of float64
        [m].

    Returns
    -------
    ndarray of float64
        With the emission lines; between the lines the red sky is about a magnitude darker.
    """
    wavelengths, dark = np.array(DARK_SKY_AB).T
    return np.asarray(np.interp(wavelength_m, wavelengths, dark))


def moonlight_factor(wavelength_m: Array | float) -> Array:
    """Moonlight over the dark sky at a wavelength, over the same ratio in V.

    Parameters
    ----------
    wavelength_m : float or ndarray of float64
        [m].

    Returns
    -------
    ndarray of float64
        1 at 550 nm, 2.2 at 365 nm, 0.15 at 800 nm: where the sky in V is 1 + x of a dark one, at
        this wavelength it is 1 + x times this.
    """
    wavelengths, dark = np.array(DARK_SKY_AB).T
    relative = dark - np.array(_MOONLIGHT_AB)
    factor = 10.0 ** (0.4 * (relative - relative[2]))
    return np.asarray(np.interp(wavelength_m, wavelengths, factor))
