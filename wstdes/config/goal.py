"""A survey's need as a signal to noise, from which the exposure model makes a time."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from wstdes.config.base import Model
from wstdes.units import Radians

__all__ = ["Goal"]


class Goal(Model):
    """Signal to noise that each target is to reach; fainter ones need more time."""

    snr: Annotated[float, Field(gt=0, description="of the continuum, at the channel's middle")]
    per: Literal["pixel", "resolution", "angstrom"] = Field(
        default="angstrom", description="what it is reached in: a pixel, a resolution element, 1 A"
    )
    channel: str | None = Field(
        default=None, description="of the survey's spectrographs; left out: the reference channel"
    )
    source: Literal["point", "extended", "surface"] = Field(
        default="point",
        description="stars, galaxies of a half-light radius, or surfaces (mag/arcsec2)",
    )
    half_light_radius_rad: Annotated[
        Radians, Field(ge=0, description="of extended sources, above the atmosphere")
    ] = 0.0
    magnitude_offset: float = Field(
        default=0.0, description="AB magnitude in the channel less the catalogue's magnitude"
    )
    magnitude: float | None = Field(
        default=None,
        description="of the fields of the mode ifs and of alerts, which have none of their own",
    )

    @model_validator(mode="after")
    def _extended_has_a_radius(self) -> Self:
        if (self.source == "extended") != (self.half_light_radius_rad > 0):
            raise ValueError("half_light_radius is for extended sources, and they need it")
        return self
