"""The site: generators of weather and seeing."""

from wstdes.models.site.weather import (
    closing_threshold,
    latent_path,
    lognormal,
    share_above,
    transparency,
)

__all__ = ["closing_threshold", "latent_path", "lognormal", "share_above", "transparency"]
