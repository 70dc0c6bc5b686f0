"""The site: its climate, generators of weather and seeing."""

from wstdes.models.site.climate import COMPONENTS, QUANTITIES, Climate, climate
from wstdes.models.site.latent import advance, share_within
from wstdes.models.site.replay import Replay, Series
from wstdes.models.site.weather import (
    cloud_cover,
    latent_cloud,
    latent_lognormal,
    lognormal,
    share_above,
    thinnest_cloud,
    transparency,
)

__all__ = [
    "COMPONENTS",
    "QUANTITIES",
    "Climate",
    "Replay",
    "Series",
    "advance",
    "climate",
    "cloud_cover",
    "latent_cloud",
    "latent_lognormal",
    "lognormal",
    "share_above",
    "share_within",
    "thinnest_cloud",
    "transparency",
]
