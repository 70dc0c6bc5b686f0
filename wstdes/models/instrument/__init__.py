"""The instruments: image quality, fibre injection, effective time, saturation."""

from wstdes.models.instrument.exposure import (
    atmospheric_fwhm,
    effective_rate,
    injection,
    saturation_magnitude,
    total_fwhm,
)

__all__ = [
    "atmospheric_fwhm", "effective_rate", "injection", "saturation_magnitude", "total_fwhm",
]  # fmt: skip
