"""The instruments: image quality, injection, signal to noise, effective time, splits, slews."""

from wstdes.models.instrument.atmosphere import dark_sky_mag, extinction_mag
from wstdes.models.instrument.calculator import Calculator, Conditions, SourceShape
from wstdes.models.instrument.exposure import (
    atmospheric_fwhm,
    effective_rate,
    photon_rate,
    relative_signal,
    saturation_magnitude,
    total_fwhm,
)
from wstdes.models.instrument.injection import (
    disc_injection,
    injection,
    offset_injection,
    refraction_drift,
    square_injection,
)
from wstdes.models.instrument.slew import slew_time, telescope_slew
from wstdes.models.instrument.snr import (
    Background,
    exposure_time,
    limiting_rate,
    read_noise_time,
    signal_to_noise,
)
from wstdes.models.instrument.splits import (
    Split,
    cosmic_ray_share,
    remaining_open_s,
    split_exposures,
)

__all__ = [
    "Background",
    "Calculator",
    "Conditions",
    "SourceShape",
    "Split",
    "atmospheric_fwhm",
    "cosmic_ray_share",
    "dark_sky_mag",
    "disc_injection",
    "effective_rate",
    "exposure_time",
    "extinction_mag",
    "injection",
    "limiting_rate",
    "offset_injection",
    "photon_rate",
    "read_noise_time",
    "refraction_drift",
    "relative_signal",
    "remaining_open_s",
    "saturation_magnitude",
    "signal_to_noise",
    "slew_time",
    "split_exposures",
    "square_injection",
    "telescope_slew",
    "total_fwhm",
]
