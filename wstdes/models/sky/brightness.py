"""How bright the sky is: its dark parts through the air, moonlight, the end of twilight.

Compiled, a field at a time; the parts that stand still for a night come ready from
:mod:`wstdes.models.sky.fields`.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from wstdes.jit import njit

__all__ = [
    "airglow_rise",
    "astronomical_extinction",
    "astronomical_extinctions",
    "field_brightness",
    "moonlight_nl",
    "nanolambert",
    "sky_brightness",
    "twilight_excess",
    "twilight_shape",
]

Array = NDArray[np.float64]
Vector = tuple[float, float, float]
Longs = NDArray[np.int64]

PATAT_DARK_MAG = 21.6
"""V of Paranal's sky without twilight, in Patat et al. (2006); Patat (2003, A&A 400, 1183)."""
_LOWEST = 0.02
"""Sine of altitude: lower fields are taken to stand there."""
_TO_DEPTH = 0.4 * math.log(10.0)
"""Optical depth of a magnitude."""
_RAYLEIGH = 0.7
"""Share of molecules in the extinction by scattering; the rest is dust (Noll et al. 2012, V)."""


@njit
def nanolambert(mag: float) -> float:
    """Surface brightness [nL] of V mag/arcsec2 (Krisciunas & Schaefer 1991, eq. 1)."""
    return 34.08 * math.exp(20.7233 - 0.92104 * mag)


@njit
def _slant(sine: float) -> float:
    """Path length of scattered light (Krisciunas & Schaefer 1991, eq. 3)."""
    return 1.0 / math.sqrt(1.0 - 0.96 * (1.0 - sine * sine))


@njit
def _path(sine: float) -> float:
    """Airmass of Rozenberg (1966), as Noll et al. (2012, eq. 2) use it."""
    return 1.0 / (sine + 0.025 * math.exp(-11.0 * sine))


@njit
def moonlight_nl(
    cosine: float, moon_sine: float, phase_rad: float, sine: float, extinction_mag: float
) -> float:
    """Scattered moonlight by Krisciunas & Schaefer (1991, PASP 103, 1033, eqs. 15 to 21).

    Parameters
    ----------
    cosine : float
        Of the angle between field and Moon.
    moon_sine, sine : float
        Of the altitudes of Moon and field; there is no light from below the horizon.
    phase_rad : float
        Phase angle, 0 at full Moon [rad].
    extinction_mag : float
        Per airmass in V.

    Returns
    -------
    float
        Surface brightness [nL]; good to about 20 %.
    """
    light = _moon_light(moon_sine, phase_rad, extinction_mag)
    return light * _moon_scattering(cosine) * _opacity(sine, extinction_mag)


@njit
def _moon_light(moon_sine: float, phase_rad: float, extinction_mag: float) -> float:
    if moon_sine <= 0.0:
        return 0.0
    alpha = abs(phase_rad) * 180.0 / math.pi
    mag = 3.84 + 0.026 * alpha + 4e-9 * alpha**4 + extinction_mag * _slant(moon_sine)
    return math.exp(-_TO_DEPTH * mag)


@njit
def _moon_scattering(cosine: float) -> float:
    away = math.acos(min(1.0, max(-1.0, cosine))) * 180.0 / math.pi
    rayleigh = 229086.76527677735 * (1.06 + cosine * cosine)  # 10^5.36
    if away < 10.0:
        return rayleigh + 6.2e7 / max(away, 0.5) ** 2
    return rayleigh + math.exp(math.log(10.0) * (6.15 - away / 40.0))


@njit
def _opacity(sine: float, extinction_mag: float) -> float:
    return 1.0 - math.exp(-_TO_DEPTH * extinction_mag * _slant(sine))


@njit
def airglow_rise(sine: float, extinction_mag: float) -> float:
    """Airglow at an altitude over what leaves its layer at the zenith.

    A shell at 90 km (van Rhijn 1921), thinned by scattering, most of which comes back from other
    directions (Noll et al. 2012, A&A 543, A92, eqs. 23 to 25).

    Parameters
    ----------
    sine : float
        Of the altitude.
    extinction_mag : float
        Per airmass.
    """
    return _airglow_rise(sine, _TO_DEPTH * extinction_mag * _path(sine))


@njit
def _airglow_rise(sine: float, depth: float) -> float:
    rise = -0.5 * math.log(1.0 - 0.972 * (1.0 - sine * sine))  # natural logarithm
    x = rise / math.log(10.0)
    share = _RAYLEIGH * (1.669 * x - 0.146) + (1.0 - _RAYLEIGH) * (1.732 * x - 0.318)
    return math.exp(rise - share * depth)


@njit
def astronomical_extinction(intensity_s10: float) -> float:
    """Share of the extinction that diffuse light from beyond the air suffers.

    Scattering takes it away and brings it back from all of the sky: where the sky is faint there
    is a gain (Noll et al. 2012, eqs. 19 and 20, in 1e-8 W m-2 sr-1 um-1; 1.28 of these are an
    S10).
    """
    x = math.log10(max(intensity_s10, 1.0) * 1.28)
    molecules = 1.407 * x - 2.692 if x <= 2.244 else 0.527 * x - 0.715
    dust = 1.309 * x - 2.598 if x <= 2.255 else 0.468 * x - 0.702
    return _RAYLEIGH * molecules + (1.0 - _RAYLEIGH) * dust


@njit
def astronomical_extinctions(intensity_s10: Array) -> Array:
    """:func:`astronomical_extinction` of each."""
    out = np.empty_like(intensity_s10)
    for i in range(len(out)):
        out[i] = astronomical_extinction(intensity_s10[i])
    return out


@njit
def twilight_excess(sun_altitude_rad: float) -> float:
    """Twilight at the zenith over a dark sky of V = 21.6.

    Patat, Ugolnikov & Postylyakov (2006, A&A 455, 385, table 4, V) with the Sun from 5 to 15 deg
    down, less the dark sky; below, a magnitude a degree as Yoachim et al. (2016, Proc. SPIE 9910,
    99101A) measured down to 20 deg; above, straight on.
    """
    down = -sun_altitude_rad * 180.0 / math.pi - 5.0
    if down > 19.0:
        return 0.0
    d = min(max(down, 0.0), 10.0)
    mag = 11.84 + 1.518 * d - 0.057 * d * d + 1.518 * min(down, 0.0)
    over = math.exp(_TO_DEPTH * (PATAT_DARK_MAG - mag)) - 1.0
    return over * math.exp(-_TO_DEPTH * max(down - 10.0, 0.0))


@njit
def twilight_shape(sine: float, towards_sun: float) -> float:
    """Twilight at an altitude over that at the zenith (Yoachim et al. 2016, V).

    Parameters
    ----------
    sine : float
        Of the altitude; theirs end at airmass 2.5, as here.
    towards_sun : float
        Cosine of the difference in azimuth from the Sun.
    """
    more = min(_path(sine), 2.5) - 1.0
    return math.exp(math.log(10.0) * more * (0.30 + 0.32 * max(towards_sun, 0.0)))


@njit
def sky_brightness(
    fields: tuple[Array, Array, Longs],
    directions: tuple[Vector, Vector, Vector],
    angles: tuple[float, float],
    site: tuple[float, float, float, float, float],
    out: Array,
) -> None:
    """Sky brightness over that of the dark zenith, field by field.

    Parameters
    ----------
    fields : tuple of ndarray
        Their unit vectors (n, 3); the zodiacal and starlight above the air [S10] and the share
        of the extinction that they suffer (n, 2); the numbers of those wanted (k,).
    directions : tuple of tuple of float
        Unit vectors to zenith, Moon and Sun, in the same system.
    angles : tuple of float
        Altitude of the Sun, phase angle of the Moon [rad].
    site : tuple of float
        Extinction [mag per airmass]; dark zenith [V mag/arcsec2]; airglow at the zenith above
        the air, scattered starlight, all of the dark zenith [S10].
    out : ndarray of float64, shape (k,)
        1 is the dark zenith at the poles of ecliptic and Galaxy, at the mean solar flux.
    """
    vectors, beyond, numbers = fields
    sources = _sources(directions, angles, site)
    for k in range(len(numbers)):
        i = numbers[k]
        vector = vectors[i, 0], vectors[i, 1], vectors[i, 2]
        out[k] = _total(vector, (beyond[i, 0], beyond[i, 1]), directions, sources, site)


@njit
def field_brightness(
    vector: Vector,
    beyond: tuple[float, float],
    directions: tuple[Vector, Vector, Vector],
    angles: tuple[float, float],
    site: tuple[float, float, float, float, float],
) -> float:
    """:func:`sky_brightness` of a single field: a unit vector, and its light from beyond."""
    return _total(vector, beyond, directions, _sources(directions, angles, site), site)


@njit
def _sources(
    directions: tuple[Vector, Vector, Vector],
    angles: tuple[float, float],
    site: tuple[float, float, float, float, float],
) -> tuple[float, float, float]:
    """Moon and twilight over the dark zenith, before they are scattered; sine of the Sun."""
    zenith, moon, _ = directions
    sun_altitude, phase = angles
    moon_sine = moon[0] * zenith[0] + moon[1] * zenith[1] + moon[2] * zenith[2]
    light = _moon_light(moon_sine, phase, site[0]) / nanolambert(site[1])
    glow = twilight_excess(sun_altitude)
    glow *= math.exp(_TO_DEPTH * (site[1] - PATAT_DARK_MAG))
    return light, glow, math.sin(sun_altitude)


@njit
def _total(
    vector: Vector,
    beyond: tuple[float, float],
    directions: tuple[Vector, Vector, Vector],
    sources: tuple[float, float, float],
    site: tuple[float, float, float, float, float],
) -> float:
    extinction_mag, _, airglow, scattered, all_dark = site
    zenith, moon, sun = directions
    light, glow, sun_sine = sources
    a, b, c = vector
    real = a * zenith[0] + b * zenith[1] + c * zenith[2]
    sine = min(max(real, _LOWEST), 1.0)
    path = _TO_DEPTH * extinction_mag * _path(sine)
    total = airglow * _airglow_rise(sine, path) + scattered
    total += beyond[0] * math.exp(-beyond[1] * path)
    total /= all_dark
    if light > 0.0:
        cosine = a * moon[0] + b * moon[1] + c * moon[2]
        total += light * _moon_scattering(cosine) * _opacity(sine, extinction_mag)
    if glow > 0.0:
        towards = a * sun[0] + b * sun[1] + c * sun[2] - real * sun_sine
        flat = math.sqrt(max((1.0 - real * real) * (1.0 - sun_sine * sun_sine), 1e-12))
        total += glow * twilight_shape(sine, towards / flat)
    return total
