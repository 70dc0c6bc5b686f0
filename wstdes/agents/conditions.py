"""What the night gives: image quality and effective time, by mode."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from wstdes.jit import njit
from wstdes.models.instrument import (
    Background,
    Calculator,
    Conditions,
    SourceShape,
    injection,
    relative_signal,
)

if TYPE_CHECKING:
    from wstdes.config.scenario import Scenario

__all__ = ["Sensitivity"]

Array = NDArray[np.float64]
_STEPS = 512
_AIRMASSES = 1.0 / np.linspace(1.0, 1.0 / 40.0, _STEPS + 1)  # even steps of 1 / airmass


class Sensitivity:
    """Effective time of the modes, from conditions.

    Reference conditions are the zenith, a dark clear sky and the site's median seeing. An
    integral-field spectrograph catches all of an extended source, whatever the seeing.

    Parameters
    ----------
    scenario : Scenario
        Site, telescope, focal plane and spectrographs.
    """

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self._calculators: dict[str, Calculator] = {
            mode: Calculator(scenario, mode) for mode in scenario.spectrographs.modes
        }
        reference = Conditions(scenario.site.seeing_median_rad)
        self._dark: dict[str, Background] = {
            mode: c.background(SourceShape("surface"), reference)
            for mode, c in self._calculators.items()
        }
        self._reference: dict[str, float] = {
            mode: float(self.injected(mode, reference.seeing_rad, 1.0))
            for mode in self._calculators
        }
        self._tables: dict[str, tuple[float, Array]] = {}

    def image_quality(self, mode: str, seeing_rad: float, airmass: Array | float) -> Array:
        """FWHM on the fibre or spaxel [rad], at the reference channel's middle wavelength."""
        return self._calculators[mode].image_quality(seeing_rad, airmass)

    def injected(self, mode: str, seeing_rad: float, airmass: Array | float) -> Array:
        """Share of a star's light that enters the fibre; 1 for the integral-field mode."""
        if mode == "ifs":
            return np.ones_like(np.asarray(airmass, dtype=np.float64))
        calculator = self._calculators[mode]
        return calculator.centring * injection(
            self.image_quality(mode, seeing_rad, airmass),
            calculator.model.aperture_rad,
            self.scenario.telescope.moffat_beta,
        )

    def signal(
        self, mode: str, seeing_rad: float, transparency: float, airmass: Array | float
    ) -> Array:
        """Light in a fibre (or field) over that in reference conditions.

        For arrays of airmass it is interpolated in a table, which is made anew when the seeing
        changes: 1e-5 at most from the exact value up to an airmass of 3, and a hundredth of its
        cost.
        """
        if np.ndim(airmass) == 0:
            return np.asarray(transparency * self._one(mode, seeing_rad, float(airmass))[1])
        known = self._tables.get(mode)
        if known is None or known[0] != seeing_rad:
            known = (seeing_rad, self._clear(mode, seeing_rad, _AIRMASSES))
            self._tables[mode] = known
        mass = np.ascontiguousarray(airmass, np.float64)
        out = np.empty(mass.size)
        _interpolate(known[1], mass, transparency, out)
        return out

    def star(self, mode: str, seeing_rad: float, airmass: float) -> tuple[float, float]:
        """FWHM [rad], and light in a fibre under a clear sky over that in reference conditions."""
        return self._one(mode, seeing_rad, airmass)

    def _one(self, mode: str, seeing_rad: float, airmass: float) -> tuple[float, float]:
        """Both at once, of one moment: a hundredth of the cost of arrays of one element."""
        c, telescope = self._calculators[mode], self.scenario.telescope
        optics = telescope.image_quality_mos_rad
        share, aperture = c.centring, c.model.aperture_rad
        if mode == "ifs":
            optics, aperture = telescope.image_quality_ifs_rad, math.inf
        return _star(
            (seeing_rad, airmass),
            (telescope.diameter_m, c.site.outer_scale_m, c.wavelength_m),
            math.hypot(optics, c.model.image_quality_rad),
            (aperture, telescope.moffat_beta, share / self._reference[mode]),
            c.extinction_mag,
        )

    def _clear(self, mode: str, seeing_rad: float, airmass: Array | float) -> Array:
        """Light under a clear sky over that in reference conditions."""
        extinction = self._calculators[mode].extinction_mag
        injected = self.injected(mode, seeing_rad, airmass)
        return relative_signal(1.0, extinction, airmass, injected, self._reference[mode])

    def noise_floor(self, mode: str, exposure_s: float) -> float:
        """Variance of the detector over that of the dark sky, in an exposure of a length."""
        dark = self._dark[mode]
        sky_e = exposure_s * dark.sky_e_per_s
        model = self._calculators[mode].model
        reads = max(1.0, float(math.ceil(exposure_s / model.coadd_interval_s)))
        return float((dark.dark_e_per_s * exposure_s + reads * dark.read_e2) / sky_e)

    def saturation_mag(self, mode: str, seeing_rad: float, airmass: float, frame_s: float) -> float:
        """AB magnitude that saturates in a frame of a length [s]."""
        conditions = Conditions(seeing_rad, airmass)
        return self._calculators[mode].saturation_magnitude(frame_s, conditions)


@njit
def _star(
    sky: tuple[float, float],
    scale: tuple[float, float, float],
    optics_rad: float,
    fibre: tuple[float, float, float],
    extinction_mag: float,
) -> tuple[float, float]:
    """As atmospheric_fwhm, total_fwhm, injection and relative_signal, of one moment."""
    seeing, mass = sky
    diameter, outer, wavelength = scale
    red = wavelength / 500e-9
    fried = 0.1 / (seeing * 648000.0 / math.pi) * red**1.2 * mass**-0.6
    kolb = 1.0 / (1.0 + 300.0 * diameter / outer) - 1.0
    cut = max(0.0, 1.0 + kolb * 2.183 * (fried / outer) ** 0.356)
    fwhm = math.hypot(seeing * mass**0.6 * red**-0.2 * math.sqrt(cut), optics_rad)
    aperture, beta, factor = fibre
    injected = 1.0
    if aperture < math.inf:
        alpha = fwhm / (2.0 * math.sqrt(2.0 ** (1.0 / beta) - 1.0))
        injected = 1.0 - (1.0 + (0.5 * aperture / alpha) ** 2) ** (1.0 - beta)
    return fwhm, factor * injected * 10.0 ** (-0.4 * extinction_mag * (mass - 1.0))


@njit
def _interpolate(table: Array, airmass: Array, factor: float, out: Array) -> None:
    """Factor times the table, linear between its even steps of 1 / airmass."""
    steps = table.size - 1
    scale = steps / (1.0 - 1.0 / 40.0)
    for i in range(airmass.size):
        at = min(max((1.0 - 1.0 / airmass[i]) * scale, 0.0), float(steps))
        low = min(int(at), steps - 1)
        out[i] = factor * (table[low] + (at - low) * (table[low + 1] - table[low]))
