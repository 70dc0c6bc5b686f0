"""The sky: ephemerides, airmass, brightness."""

from wstdes.models.sky.brightness import sky_brightness
from wstdes.models.sky.ephemeris import (
    Horizon,
    airmass,
    moon,
    separation,
    sun,
    sun_crossings,
    to_cirs,
)
from wstdes.models.sky.night import DaySky, SkyState

__all__ = [
    "DaySky",
    "Horizon",
    "SkyState",
    "airmass",
    "moon",
    "separation",
    "sky_brightness",
    "sun",
    "sun_crossings",
    "to_cirs",
]
