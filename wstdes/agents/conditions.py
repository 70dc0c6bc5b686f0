"""What the night gives: image quality and effective time, by mode."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wstdes.config.hardware import Spectrograph
from wstdes.config.scenario import Scenario
from wstdes.models.instrument import (
    atmospheric_fwhm,
    injection,
    relative_signal,
    saturation_magnitude,
    sky_electrons,
    total_fwhm,
)

__all__ = ["Sensitivity"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Sensitivity:
    """Effective time of the three modes, from conditions.

    Reference conditions are the zenith, a dark clear sky and the site's median seeing. An
    integral-field spectrograph catches all of an extended source, whatever the seeing.
    """

    scenario: Scenario

    def _spectrograph(self, mode: str) -> Spectrograph:
        found = getattr(self.scenario.spectrographs, mode)
        assert isinstance(found, Spectrograph)
        return found

    def image_quality(self, mode: str, seeing_rad: float, airmass: Array | float) -> Array:
        """FWHM on the fibre or spaxel [rad], at the reference channel's middle wavelength."""
        telescope, site = self.scenario.telescope, self.scenario.site
        spectrograph = self._spectrograph(mode)
        atmosphere = atmospheric_fwhm(
            seeing_rad, airmass, telescope.diameter_m, site.outer_scale_m, self.wavelength_m(mode)
        )
        optics = (
            telescope.image_quality_ifs_rad if mode == "ifs" else telescope.image_quality_mos_rad
        )
        return total_fwhm(atmosphere, optics, spectrograph.image_quality_rad)

    def wavelength_m(self, mode: str) -> float:
        """Middle of the reference channel [m]."""
        model = self._spectrograph(mode)
        channel = model.channels[model.reference_channel]
        return 0.5 * (channel.wavelength_min_m + channel.wavelength_max_m)

    def injected(self, mode: str, seeing_rad: float, airmass: Array | float) -> Array:
        """Share of a star's light that enters the fibre; 1 for the integral-field mode."""
        if mode == "ifs":
            return np.ones_like(np.asarray(airmass, dtype=np.float64))
        return self.scenario.focal_plane.centring_efficiency * injection(
            self.image_quality(mode, seeing_rad, airmass),
            self._spectrograph(mode).aperture_rad,
            self.scenario.telescope.moffat_beta,
        )

    def signal(
        self, mode: str, seeing_rad: float, transparency: float, airmass: Array | float
    ) -> Array:
        """Light in a fibre (or field) over that in reference conditions."""
        site = self.scenario.site
        reference = float(self.injected(mode, site.seeing_median_rad, 1.0))
        injected = self.injected(mode, seeing_rad, airmass)
        return relative_signal(transparency, site.extinction_mag, airmass, injected, reference)

    def noise_floor(self, mode: str, exposure_s: float) -> float:
        """Variance of the detector over that of the dark sky, in an exposure of a length."""
        model, telescope = self._spectrograph(mode), self.scenario.telescope
        channel = model.channels[model.reference_channel]
        area = telescope.effective_area_ifs_m2 if mode == "ifs" else telescope.effective_area_mos_m2
        aperture_sr = model.aperture_rad**2 * (1.0 if mode == "ifs" else np.pi / 4.0)
        sky_e = exposure_s * sky_electrons(
            area,
            channel.throughput,
            channel.dispersion_m,
            self.wavelength_m(mode),
            aperture_sr,
            self.scenario.site.dark_sky_mag,
        )
        reads = max(1, math.ceil(exposure_s / model.coadd_interval_s))
        detector = model.pixels_across * (
            model.dark_e_per_s * exposure_s + reads * model.read_noise_e**2
        )
        return float(detector / sky_e)

    def saturation_mag(self, mode: str, seeing_rad: float, airmass: float, frame_s: float) -> float:
        """AB magnitude that saturates in a frame of a length."""
        model, telescope = self._spectrograph(mode), self.scenario.telescope
        channel = model.channels[model.reference_channel]
        area = telescope.effective_area_ifs_m2 if mode == "ifs" else telescope.effective_area_mos_m2
        # A star on spaxels: the share of it in one of them, at the peak of its image.
        injected = float(self.injected(mode, seeing_rad, airmass))
        if mode == "ifs":
            quality = float(self.image_quality(mode, seeing_rad, airmass))
            injected = float(injection(quality, model.aperture_rad, telescope.moffat_beta))
        return saturation_magnitude(
            area,
            channel.throughput,
            injected,
            channel.dispersion_m,
            self.wavelength_m(mode),
            model.pixels_across,
            min(frame_s, model.coadd_interval_s),
            model.saturation_e,
        )
