"""The sky of one day: Sun, Moon and fields at any moment of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from wstdes.clock import Clock
from wstdes.models.sky.almanac import Almanac
from wstdes.models.sky.background import Background
from wstdes.models.sky.ephemeris import Horizon, unit_vectors
from wstdes.models.sky.fields import FieldsSky

__all__ = ["DaySky", "SkyState"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class SkyState:
    """Sun and Moon at a moment.

    Parameters
    ----------
    ut1 : tuple of float
        Julian date in two parts [d].
    sun_altitude_rad, moon_altitude_rad : float
        [rad].
    moon_ra_rad, moon_dec_rad : float
        CIRS, as seen from the site [rad].
    phase_rad : float
        Phase angle, 0 at full Moon [rad].
    sun_ra_rad, sun_dec_rad : float
        CIRS, as seen from the site [rad].
    lst_rad : float
        CIRS right ascension on the meridian [rad].
    """

    ut1: tuple[float, float]
    sun_altitude_rad: float
    moon_altitude_rad: float
    moon_ra_rad: float
    moon_dec_rad: float
    phase_rad: float
    sun_ra_rad: float
    sun_dec_rad: float
    lst_rad: float

    @property
    def moon_illumination(self) -> float:
        """Lit share of the Moon's disc."""
        return 0.5 * (1.0 + float(np.cos(self.phase_rad)))


@dataclass(frozen=True)
class DaySky:
    """Sky of a day, from noon to noon.

    Parameters
    ----------
    clock : Clock
        Calendar of the run.
    horizon : Horizon
        The observer.
    noon_s : float
        Beginning of the day [s].
    """

    clock: Clock
    horizon: Horizon
    noon_s: float

    @cached_property
    def almanac(self) -> Almanac:
        """The day's table of Sun and Moon."""
        return Almanac.make(self.clock, self.horizon, self.noon_s)

    @cached_property
    def sun_icrs(self) -> Array:
        """Direction of the Sun at midnight, geocentric unit vector (3,)."""
        position = self.almanac.sun[0, 0] @ self.almanac.matrix[0]
        return np.asarray(position / np.linalg.norm(position))

    def below(self, altitude_rad: float) -> tuple[float, float] | None:
        """When the Sun sinks below an altitude and rises above it, in seconds of the run.

        The whole day where it stays below, None where it stays above.
        """
        if altitude_rad not in self._crossings:
            begin, end = self.almanac.below(altitude_rad)[0].tolist()
            self._crossings[altitude_rad] = None if np.isnan(begin) else (begin, end)
        return self._crossings[altitude_rad]

    @cached_property
    def _crossings(self) -> dict[float, tuple[float, float] | None]:
        """What :meth:`below` has found, by altitude."""
        return {}

    def lst_rad(self, t_s: float | Array) -> float | Array:
        """CIRS right ascension on the meridian at moments [rad]."""
        return self.almanac.lst_rad(t_s)

    def fields(self, ra_rad: Array, dec_rad: Array) -> FieldsSky:
        """Fields at ICRS positions, shape (n,) [rad], for this night."""
        return FieldsSky.make(self, ra_rad, dec_rad)

    def to_cirs(self, ra_rad: Array, dec_rad: Array) -> tuple[Array, Array]:
        """ICRS positions in CIRS at the middle of the day [rad].

        Annual aberration, precession and nutation (IAU 2006/2000A) are in; the deflection of
        light (0.004 arcsec at 90 deg from the Sun) is not.
        """
        vectors = self.almanac.to_cirs(unit_vectors(ra_rad, dec_rad))
        ra = np.mod(np.arctan2(vectors[:, 1], vectors[:, 0]), 2.0 * np.pi)
        return ra, np.arctan2(vectors[:, 2], np.hypot(vectors[:, 0], vectors[:, 1]))

    def altaz(self, ra_rad: Array, dec_rad: Array, t_s: float | Array) -> tuple[Array, Array]:
        """Altitude and azimuth of CIRS positions at a moment, or at moments that broadcast."""
        return self.horizon.altaz(ra_rad, dec_rad, self.clock.ut1_jd(t_s))

    def at(self, t_s: float) -> SkyState:
        """Sun and Moon at a moment."""
        lst, sun_altitude, sun_ra, sun_dec, altitude, ra, dec, phase = self.almanac.moment(t_s)
        jd1, jd2 = self.clock.ut1_jd(t_s)
        return SkyState(
            (jd1, float(jd2)), sun_altitude, altitude, ra, dec, phase, sun_ra, sun_dec, lst
        )

    def brightness(
        self,
        state: SkyState,
        ra_rad: Array,
        dec_rad: Array,
        extinction_mag: float,
        dark_mag: float,
    ) -> Array:
        """Sky brightness over a dark zenith at CIRS positions."""
        vectors = unit_vectors(ra_rad, dec_rad) @ self.almanac.matrix[0] - self.almanac.velocity[0]
        x, y, z = vectors.T
        fields = FieldsSky.make(self, np.arctan2(y, x), np.arctan2(z, np.hypot(x, y)))
        return fields.brightness(state, Background(extinction_mag, dark_mag))
