"""The sky of one day: Sun, Moon and fields at any moment of it."""

from __future__ import annotations

from dataclasses import dataclass

import erfa
import numpy as np
from numpy.typing import NDArray

from wstdes.clock import Clock
from wstdes.models.sky.brightness import sky_brightness
from wstdes.models.sky.ephemeris import Horizon, moon, separation, sun, sun_crossings, to_cirs

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
    """

    ut1: tuple[float, float]
    sun_altitude_rad: float
    moon_altitude_rad: float
    moon_ra_rad: float
    moon_dec_rad: float
    phase_rad: float

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

    def below(self, altitude_rad: float) -> tuple[float, float] | None:
        """When the Sun sinks below an altitude and rises above it, in seconds of the run."""
        ut1, tt = self.clock.ut1_jd(self.noon_s), self.clock.tt_jd(self.noon_s)
        offset = float(tt[1]) - float(ut1[1])
        found = sun_crossings(self.horizon, altitude_rad, (ut1[0], float(ut1[1]), offset))
        return None if found is None else (self.noon_s + found[0], self.noon_s + found[1])

    def to_cirs(self, ra_rad: Array, dec_rad: Array) -> tuple[Array, Array]:
        """ICRS positions in CIRS at the middle of the day [rad]."""
        jd1, jd2 = self.clock.tt_jd(self.noon_s + 43200.0)
        return to_cirs(ra_rad, dec_rad, (jd1, float(jd2)))

    def altaz(self, ra_rad: Array, dec_rad: Array, t_s: float | Array) -> tuple[Array, Array]:
        """Altitude and azimuth of CIRS positions at a moment, or at moments that broadcast."""
        return self.horizon.altaz(ra_rad, dec_rad, self.clock.ut1_jd(t_s))

    def at(self, t_s: float) -> SkyState:
        """Sun and Moon at a moment."""
        times = np.array([t_s])
        ut = self.clock.ut1_jd(times)
        tt = self.clock.tt_jd(times)
        ut1 = (ut[0], np.asarray(ut[1]))
        sun_m, moon_m = sun(tt[0], np.asarray(tt[1])), moon(tt[0], np.asarray(tt[1]))
        sun_altitude, _ = self.horizon.altaz_of(sun_m, ut1)
        seen = self.horizon.topocentric(moon_m, ut1)
        ra, dec = erfa.c2s(seen)
        altitude, _ = self.horizon.altaz(ra, dec, ut1)
        # Phase angle: at the Moon, between Sun and observer.
        to_sun = sun_m[0] - seen[0]
        cosine = float(np.dot(to_sun, -seen[0]) / np.linalg.norm(to_sun) / np.linalg.norm(seen[0]))
        return SkyState(
            (ut[0], float(ut1[1][0])),
            float(sun_altitude[0]),
            float(altitude[0]),
            float(ra[0]),
            float(dec[0]),
            float(np.arccos(np.clip(cosine, -1.0, 1.0))),
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
        altitude, _ = self.horizon.altaz(ra_rad, dec_rad, state.ut1)
        away = separation(
            ra_rad, dec_rad, np.asarray(state.moon_ra_rad), np.asarray(state.moon_dec_rad)
        )
        return sky_brightness(
            altitude,
            away,
            state.moon_altitude_rad,
            state.phase_rad,
            state.sun_altitude_rad,
            extinction_mag,
            dark_mag,
        )
