"""The instruments: image quality, fibre injection, effective time, saturation."""

from wstdes.models.instrument.exposure import (
    atmospheric_fwhm,
    effective_rate,
    injection,
    relative_signal,
    saturation_magnitude,
    sky_electrons,
    total_fwhm,
)
from wstdes.models.instrument.slew import slew_time, telescope_slew

__all__ = [
    "atmospheric_fwhm",
    "effective_rate",
    "injection",
    "relative_signal",
    "saturation_magnitude",
    "sky_electrons",
    "slew_time",
    "telescope_slew",
    "total_fwhm",
]
