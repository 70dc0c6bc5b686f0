"""Hardware models of the observatory: site, telescope, spectrographs.

Nothing here has a number in it. Values come from the files of ``hardware_models/``, where each has
a source.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from wstdes.config.base import ByName, Fraction, HardwareModel, Model, Monthly
from wstdes.units import (
    Bytes,
    Electrons,
    ElectronsPerSecond,
    Metres,
    MetresPerRadian,
    MetresPerSecond,
    Radians,
    RadiansPerSecond,
    RadiansPerSecond2,
    Seconds,
    SquareMetres,
    Watts,
)

__all__ = [
    "Channel",
    "Count",
    "Load",
    "Mode",
    "NonNegativeS",
    "Positive",
    "PositiveS",
    "Site",
    "Spectrograph",
    "Telescope",
]

Mode = Literal["lr", "hr", "ifs"]

PositiveS = Annotated[Seconds, Field(gt=0)]
PositiveM = Annotated[Metres, Field(gt=0)]
NonNegativeS = Annotated[Seconds, Field(ge=0)]
Load = Annotated[Watts, Field(ge=0)]
Count = Annotated[int, Field(ge=1)]
Positive = Annotated[float, Field(gt=0)]
Season = Annotated[tuple[Positive, ...], Field(min_length=12, max_length=12)]


class Site(HardwareModel):
    """Where the telescope stands, and its climate."""

    kind: ClassVar[str] = "site"

    latitude_rad: Annotated[
        Radians, Field(ge=-1.5708, le=1.5708, description="geodetic, positive north")
    ]
    longitude_rad: Annotated[
        Radians, Field(ge=-3.1416, le=6.2832, description="geodetic, positive east")
    ]
    height_m: Annotated[Metres, Field(ge=-500, le=9000, description="above the WGS84 ellipsoid")]
    seeing_median_rad: Annotated[Radians, Field(gt=0, description="FWHM at zenith, 500 nm")]
    seeing_season: Season = Field(description="a month's median seeing over seeing_median")
    seeing_sigma_ln: Annotated[float, Field(gt=0, description="standard deviation of ln(seeing)")]
    seeing_correlation_s: PositiveS = Field(
        description="e-folding time of what changes within a night, in ln(seeing)"
    )
    seeing_slow_share: Fraction = Field(
        description="share of the variance of ln(seeing) that lasts from night to night"
    )
    seeing_slow_correlation_s: PositiveS = Field(description="e-folding time of that share")
    outer_scale_m: Annotated[
        Metres, Field(gt=0, description="of atmospheric turbulence; smaller values sharpen images")
    ]
    open_fraction: Monthly = Field(
        description="share of time that the weather lets the dome be open, by month, the delay "
        "before reopening included; as far as wind and humidity leave it"
    )
    photometric_fraction: Monthly = Field(
        description="share without any cloud of the time in which cloud lets the dome be open"
    )
    cloud_close: Annotated[
        Fraction, Field(gt=0, description="share of the sky under cloud that closes the dome")
    ]
    cloud_correlation_s: PositiveS = Field(
        description="e-folding time of the autocorrelation of cloud cover"
    )
    wind_median_m_per_s: Annotated[
        MetresPerSecond, Field(gt=0, description="of wind speed, day and night, all year")
    ]
    wind_season: Season = Field(description="a month's median wind speed over wind_median")
    wind_sigma_ln: Annotated[float, Field(gt=0, description="standard deviation of ln(wind speed)")]
    wind_correlation_s: PositiveS = Field(
        description="e-folding time of the autocorrelation of ln(wind speed)"
    )
    wind_close_m_per_s: Annotated[
        MetresPerSecond, Field(gt=0, description="wind speed above which the dome closes")
    ]
    humidity_median: Fraction = Field(description="of relative humidity, day and night, all year")
    humidity_season: Season = Field(description="a month's median humidity over humidity_median")
    humidity_sigma_ln: Positive = Field(description="standard deviation of ln(relative humidity)")
    humidity_correlation_s: PositiveS = Field(
        description="e-folding time of the autocorrelation of ln(humidity)"
    )
    humidity_close: Fraction = Field(description="relative humidity above which the dome closes")
    reopening_delay_s: NonNegativeS = Field(description="wait after conditions allow opening")
    extinction_mag: Annotated[float, Field(ge=0, description="per airmass, in the r band")]
    dark_sky_mag: Annotated[float, Field(description="V mag/arcsec2 at zenith, no Moon")]
    thin_cloud_transparency: Fraction = Field(description="transparency just before closing")


class Telescope(HardwareModel):
    """The telescope: optics, drives, faults, what it draws."""

    kind: ClassVar[str] = "telescope"

    diameter_m: Annotated[
        Metres, Field(gt=0, description="of the primary mirror; enters only the image quality")
    ]
    effective_area_mos_m2: Annotated[
        SquareMetres, Field(gt=0, description="net collecting area for the fibres (LR and HR)")
    ]
    effective_area_ifs_m2: Annotated[
        SquareMetres, Field(gt=0, description="net collecting area for the integral-field mode")
    ]
    field_diameter_rad: Annotated[Radians, Field(gt=0, description="of the fibres' field of view")]
    ifs_field_rad: Annotated[Radians, Field(gt=0, description="side of the square integral field")]
    ifs_patrol_diameter_rad: Annotated[
        Radians, Field(ge=0, description="of the central area for the IFS, without fibres")
    ]
    plate_scale_m_per_rad: Annotated[
        MetresPerRadian, Field(gt=0, description="length on the focal plane over angle on sky")
    ]
    image_quality_mos_rad: Annotated[Radians, Field(ge=0, description="telescope FWHM for fibres")]
    image_quality_ifs_rad: Annotated[Radians, Field(ge=0, description="telescope FWHM for the IFS")]
    moffat_beta: Annotated[float, Field(gt=1, description="exponent of a star's Moffat profile")]
    zenith_distance_max_rad: Annotated[
        Radians, Field(gt=0, lt=1.5708, description="of the field centre, throughout a visit")
    ]
    altitude_max_rad: Annotated[
        Radians, Field(gt=0, le=1.5709, description="of the field centre, to avoid the zenith")
    ]
    azimuth_rate_rad_per_s: Annotated[
        RadiansPerSecond, Field(gt=0, description="top slewing speed of this axis")
    ]
    altitude_rate_rad_per_s: Annotated[
        RadiansPerSecond, Field(gt=0, description="top slewing speed of this axis")
    ]
    acceleration_rad_per_s2: Annotated[
        RadiansPerSecond2, Field(gt=0, description="of both axes, speeding up and braking")
    ]
    settle_s: NonNegativeS = Field(description="from end of motion to stable tracking, every slew")
    acquisition_s: NonNegativeS = Field(
        description="to find the field and start guiding, every visit"
    )
    fault_interval_s: PositiveS = Field(description="mean observing time between faults")
    fault_repair_s: PositiveS = Field(description="mean time lost a fault")
    drives_power_w: Load = Field(description="drives and hydrostatic bearings while tracking")
    slewing_power_w: Load = Field(description="drives and hydrostatic bearings while slewing")
    enclosure_power_w: Load = Field(description="enclosure and thermal control, day and night")
    infrastructure_power_w: Load = Field(description="buildings and services, day and night")
    instrument_hvac_power_w: Load = Field(description="spectrograph rooms, day and night")

    @property
    def working_share(self) -> float:
        """Expected share of the observing time that faults leave."""
        return self.fault_interval_s / (self.fault_interval_s + self.fault_repair_s)


class Channel(Model):
    """One arm of a spectrograph."""

    wavelength_min_m: Annotated[Metres, Field(gt=0, description="blue end of the recorded range")]
    wavelength_max_m: Annotated[Metres, Field(gt=0, description="red end of the recorded range")]
    dispersion_m: Annotated[Metres, Field(gt=0, description="wavelength a pixel")]
    throughput: Annotated[Fraction, Field(gt=0, description="mean, without fibre injection")]

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.wavelength_max_m <= self.wavelength_min_m:
            raise ValueError("wavelength_max must be longer than wavelength_min")
        return self


class Spectrograph(HardwareModel):
    """All spectrographs of a mode, with their detectors."""

    kind: ClassVar[str] = "spectrograph"

    mode: Mode = Field(description="low resolution, high resolution or integral field")
    spectrographs: Count = Field(description="number of identical units in this mode")
    channels: Annotated[
        ByName[Channel], Field(min_length=1, description="arms by name, the same in every unit")
    ]
    reference_channel: str = Field(description="the channel that exposure times are judged by")
    aperture_rad: Annotated[Radians, Field(gt=0, description="fibre or spaxel on the sky")]
    image_quality_rad: Annotated[
        Radians, Field(ge=0, description="FWHM of the spectrograph alone, on sky")
    ]
    pixels_across: Annotated[float, Field(gt=0, description="pixels across a trace, spatial")]
    resolution_pixels: Annotated[
        float | None,
        Field(gt=0, description="pixels along the wavelength in a resolution element"),
    ] = None
    spectra: Count = Field(description="spectra an exposure")
    detectors: Count = Field(description="in all units and channels together")
    pixels: Count = Field(description="all pixels of all detectors")
    bytes_per_pixel_bytes: Annotated[
        Bytes, Field(gt=0, description="in raw frames, before compression")
    ]
    compression: Annotated[
        float, Field(ge=1, description="uncompressed over compressed size of raw frames")
    ]
    read_noise_e: Annotated[Electrons, Field(ge=0, description="RMS, of a pixel in one read")]
    dark_e_per_s: Annotated[ElectronsPerSecond, Field(ge=0, description="dark current of a pixel")]
    saturation_e: Annotated[Electrons, Field(gt=0, description="charge at which a pixel saturates")]
    readout_s: NonNegativeS = Field(description="after every frame; the next one waits")
    coadd_interval_s: PositiveS = Field(description="time between reads added on the detector")
    detector_power_w: Load = Field(description="a detector with its cryostat and electronics")

    @model_validator(mode="after")
    def _reference_exists(self) -> Self:
        if self.reference_channel not in self.channels:
            known = ", ".join(self.channels)
            raise ValueError(f"reference_channel '{self.reference_channel}' is none of {known}")
        return self

    @property
    def frame_bytes(self) -> float:
        """Size of one exposure of all detectors, compressed [byte]."""
        return self.pixels * self.bytes_per_pixel_bytes / self.compression
