"""Exposure calculator: one channel of one mode, from the hardware of a scenario."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from wstdes.models.instrument.atmosphere import dark_sky_mag, extinction_mag
from wstdes.models.instrument.exposure import (
    atmospheric_fwhm,
    photon_rate,
    saturation_magnitude,
    total_fwhm,
)
from wstdes.models.instrument.injection import (
    disc_injection,
    injection,
    square_injection,
)
from wstdes.models.instrument.snr import (
    Background,
    exposure_time,
    limiting_rate,
    signal_to_noise,
)

if TYPE_CHECKING:
    from wstdes.config.hardware import Channel, Spectrograph
    from wstdes.config.scenario import Scenario

__all__ = ["POINT", "Calculator", "Conditions", "Kind", "Per", "SourceShape"]

Array = NDArray[np.float64]
Kind = Literal["point", "extended", "surface"]
Per = Literal["pixel", "resolution", "angstrom"]
_ARCSEC = math.pi / 648000.0
_BEST_WIDTH = 1.35  # aperture over FWHM that gives most under the sky's noise, of a Gaussian image


@dataclass(frozen=True)
class Conditions:
    """What the sky and the fibre do to a source.

    Parameters
    ----------
    seeing_rad : float
        FWHM at the zenith at 500 nm [rad].
    airmass, sky, transparency : float
        Sky is its brightness over that of the dark zenith.
    offset_rad : float
        Of the image from the fibre's centre, beyond the positioners' usual error
        (``centring_efficiency``), such as differential refraction [rad]; fibres only.
    field_loss : float
        Share of light lost at the fibre's place in the field (vignetting, aberration): nothing is
        published for WST, so 0.
    """

    seeing_rad: float
    airmass: float = 1.0
    sky: float = 1.0
    transparency: float = 1.0
    offset_rad: float = 0.0
    field_loss: float = 0.0


@dataclass(frozen=True)
class SourceShape:
    """What a source looks like.

    Parameters
    ----------
    kind : {'point', 'extended', 'surface'}
        A star, a galaxy, or a surface much larger than the aperture, whose magnitudes are by
        square arcsecond.
    half_light_radius_rad : float
        Of an extended source [rad].
    """

    kind: Kind = "point"
    half_light_radius_rad: float = 0.0


POINT = SourceShape()


class Calculator:
    """Signal to noise, exposure time and limits of a channel.

    A spectrum is summed across the trace of a fibre; of the integral-field spectrograph, over the
    square of spaxels nearest to 1.35 times the image's FWHM, one spaxel for a surface.

    Parameters
    ----------
    scenario : Scenario
        Site, telescope, focal plane and spectrographs.
    mode : {'lr', 'hr', 'ifs'}
        The spectrographs; must be there.
    channel : str, optional
        The reference channel by default.
    read_interval_s : float, optional
        Longest exposure [s]; the detector's own interval between reads if that is shorter.
    """

    def __init__(
        self,
        scenario: Scenario,
        mode: str,
        channel: str | None = None,
        read_interval_s: float | None = None,
    ) -> None:
        self.mode = mode
        self.site, self.telescope = scenario.site, scenario.telescope
        self.model: Spectrograph = getattr(scenario.spectrographs, mode)
        self.name = channel or self.model.reference_channel
        self.channel: Channel = self.model.channels[self.name]
        self.centring = 1.0 if mode == "ifs" else scenario.focal_plane.centring_efficiency
        self.read_interval_s = min(
            read_interval_s or scenario.observing.exposure_s, self.model.coadd_interval_s
        )
        self.wavelength_m = 0.5 * (self.channel.wavelength_min_m + self.channel.wavelength_max_m)
        self.area_m2 = (
            self.telescope.effective_area_ifs_m2
            if mode == "ifs"
            else self.telescope.effective_area_mos_m2
        )
        self.extinction_mag = float(extinction_mag(self.wavelength_m, self.site.extinction_mag))
        self.sky_mag = float(dark_sky_mag(self.wavelength_m, self.site.dark_sky_mag))

    # Light ------------------------------------------------------------------------------------

    def image_quality(self, seeing_rad: float, airmass: Array | float) -> Array:
        """FWHM of a star on the fibre or spaxel [rad]."""
        atmosphere = atmospheric_fwhm(
            seeing_rad,
            airmass,
            self.telescope.diameter_m,
            self.site.outer_scale_m,
            self.wavelength_m,
        )
        telescope = self.telescope
        optics = (
            telescope.image_quality_ifs_rad
            if self.mode == "ifs"
            else telescope.image_quality_mos_rad
        )
        return total_fwhm(atmosphere, optics, self.model.image_quality_rad)

    def spaxels(self, shape: SourceShape, conditions: Conditions) -> int:
        """Side of the square of spaxels that is summed; 1 for fibres."""
        if self.mode != "ifs" or shape.kind == "surface":
            return 1
        star = float(self.image_quality(conditions.seeing_rad, conditions.airmass))
        width = _BEST_WIDTH * math.hypot(star, 2.0 * self._radius(shape))
        return max(1, round(width / self.model.aperture_rad))

    def share(self, shape: SourceShape, conditions: Conditions) -> float:
        """Share of the source's light that is caught, before the atmosphere's extinction.

        For a surface, what is caught of one square arcsecond's light: the aperture [arcsec2].
        """
        kept = self.centring * (1.0 - conditions.field_loss)
        if shape.kind == "surface":
            return self.aperture_arcsec2 * (1.0 - conditions.field_loss)
        fwhm = float(self.image_quality(conditions.seeing_rad, conditions.airmass))
        beta, radius = self.telescope.moffat_beta, self._radius(shape)
        if self.mode != "ifs":
            side, offset = self.model.aperture_rad, conditions.offset_rad
            return kept * disc_injection(fwhm, side, beta, radius, offset)
        side = self.spaxels(shape, conditions) * self.model.aperture_rad
        if radius:  # a circle as large as the square
            return kept * disc_injection(fwhm, side * math.sqrt(4.0 / math.pi), beta, radius)
        return kept * square_injection(fwhm, side, beta)

    @property
    def aperture_arcsec2(self) -> float:
        """Sky that a fibre or a spaxel sees [arcsec2]."""
        square = (self.model.aperture_rad / _ARCSEC) ** 2
        return square if self.mode == "ifs" else square * math.pi / 4.0

    @staticmethod
    def _radius(shape: SourceShape) -> float:
        return shape.half_light_radius_rad if shape.kind == "extended" else 0.0

    # Rates of one pixel along the wavelength ------------------------------------------------

    @property
    def zero_e_per_s(self) -> float:
        """Charge from AB magnitude 0 above the atmosphere, all of its light caught [electron/s]."""
        photons = photon_rate(self.area_m2, self.channel.dispersion_m, self.wavelength_m)
        return photons * self.channel.throughput

    def _bright(self, shape: SourceShape, conditions: Conditions) -> float:
        """Charge from AB magnitude 0 as it is caught."""
        air = 10.0 ** (-0.4 * self.extinction_mag * conditions.airmass) * conditions.transparency
        return float(self.zero_e_per_s * air * self.share(shape, conditions))

    def source_rate(
        self, magnitude: Array | float, shape: SourceShape, conditions: Conditions
    ) -> Array:
        """Charge from a source of an AB magnitude in the channel [electron/s]."""
        return np.asarray(
            self._bright(shape, conditions) * 10.0 ** (-0.4 * np.asarray(magnitude, np.float64))
        )

    def background(self, shape: SourceShape, conditions: Conditions) -> Background:
        """What adds noise, summed over the trace or the spaxels."""
        spectra = self.spaxels(shape, conditions) ** 2
        pixels = self.model.pixels_across * spectra
        sky = self.zero_e_per_s * self.aperture_arcsec2 * 10.0 ** (-0.4 * self.sky_mag)
        sky *= conditions.sky * (1.0 - conditions.field_loss) * spectra
        return Background(
            sky,
            pixels * self.model.dark_e_per_s,
            pixels * self.model.read_noise_e**2,
            self.read_interval_s,
        )

    def pixels(self, per: Per) -> float:
        """Pixels along the wavelength in a bin: one, a resolution element or an angstrom."""
        if per == "pixel":
            return 1.0
        if per == "resolution":
            return self.model.resolution_pixels or self.model.pixels_across
        return 1e-10 / self.channel.dispersion_m

    # Answers ----------------------------------------------------------------------------------

    def signal_to_noise(
        self,
        magnitude: Array | float,
        time_s: Array | float,
        conditions: Conditions,
        shape: SourceShape = POINT,
        per: Per = "pixel",
    ) -> Array:
        """Signal to noise after an open-shutter time [s], by AB magnitude in the channel."""
        source = self.source_rate(magnitude, shape, conditions)
        return signal_to_noise(source, self.background(shape, conditions), time_s, self.pixels(per))

    def exposure_time(
        self,
        magnitude: Array | float,
        snr: float,
        conditions: Conditions,
        shape: SourceShape = POINT,
        per: Per = "pixel",
    ) -> Array:
        """Open-shutter time [s] that gives a signal to noise, by AB magnitude in the channel."""
        source = self.source_rate(magnitude, shape, conditions)
        return exposure_time(source, self.background(shape, conditions), snr, self.pixels(per))

    def limiting_magnitude(
        self,
        snr: float,
        time_s: float,
        conditions: Conditions,
        shape: SourceShape = POINT,
        per: Per = "pixel",
    ) -> float:
        """Faintest AB magnitude that reaches a signal to noise in an open-shutter time [s]."""
        rate = limiting_rate(self.background(shape, conditions), snr, time_s, self.pixels(per))
        return -2.5 * math.log10(float(rate) / self._bright(shape, conditions))

    def saturation_magnitude(self, frame_s: float, conditions: Conditions) -> float:
        """AB magnitude of a star that fills a pixel in a frame [s].

        A star on spaxels: the share of it in one of them, at the peak of its image.
        """
        quality = float(self.image_quality(conditions.seeing_rad, conditions.airmass))
        caught = self.centring * float(
            injection(quality, self.model.aperture_rad, self.telescope.moffat_beta)
        )
        return saturation_magnitude(
            self.area_m2,
            self.channel.throughput,
            caught,
            self.channel.dispersion_m,
            self.wavelength_m,
            self.model.pixels_across,
            min(frame_s, self.model.coadd_interval_s),
            self.model.saturation_e,
        )
