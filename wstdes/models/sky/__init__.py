"""The sky: ephemerides, airmass, brightness."""

from wstdes.models.sky.almanac import Almanac, Ephemeris
from wstdes.models.sky.background import (
    Background,
    dark_sky_ab,
    moonlight_factor,
    solar_flux_sfu,
)
from wstdes.models.sky.ephemeris import (
    Horizon,
    airmass,
    parallactic_angle,
    separation,
    sun,
    unit_vectors,
)
from wstdes.models.sky.fields import FieldsAt, FieldsSky
from wstdes.models.sky.night import DaySky, SkyState
from wstdes.models.sky.season import SeasonSky

__all__ = [
    "Almanac",
    "Background",
    "DaySky",
    "Ephemeris",
    "FieldsAt",
    "FieldsSky",
    "Horizon",
    "SeasonSky",
    "SkyState",
    "airmass",
    "dark_sky_ab",
    "moonlight_factor",
    "parallactic_angle",
    "separation",
    "solar_flux_sfu",
    "sun",
    "unit_vectors",
]
