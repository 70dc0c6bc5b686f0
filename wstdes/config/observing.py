"""How nights are used: exposures, fibres, calibration frames, and when an exposure fails."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from wstdes.config.base import Fraction, Model
from wstdes.config.footprint import Angle
from wstdes.errors import KeyedError
from wstdes.units import Seconds, Steradians

__all__ = ["Allocation", "Calibration", "Observing", "Quality"]


class Observing(Model):
    """How nights are used."""

    exposures: Annotated[int, Field(ge=1, le=50, description="a visit")]
    exposure_s: Annotated[Seconds, Field(ge=1, le=7200, description="of one exposure")]
    science_sun_altitude_rad: Annotated[
        Angle,
        Field(
            lt=0, description="surveys observe while the Sun is below it, unless they say otherwise"
        ),
    ]
    twilight_sun_altitude_rad: Annotated[
        Angle, Field(lt=0, description="the night's work lasts while the Sun is below it")
    ]
    tile_area_sr: Annotated[
        Steradians, Field(gt=0, description="sky a tile adds, where tiles say nothing else")
    ]

    @model_validator(mode="after")
    def _not_too_long(self) -> Self:
        if self.exposures * self.exposure_s > 4 * 3600.0:
            raise ValueError(
                f"a visit of {self.exposures} exposures of {self.exposure_s:g} s is longer than 4 h"
            )
        return self

    @model_validator(mode="after")
    def _twilight_first(self) -> Self:
        if self.twilight_sun_altitude_rad <= self.science_sun_altitude_rad:
            raise ValueError("twilight_sun_altitude must be above science_sun_altitude")
        return self


class Allocation(Model):
    """How fibres are given to targets."""

    collisions: bool = Field(
        default=False,
        description="whether arms may not touch: exact outlines, sky and standards for each block "
        "of a slit; otherwise each fibre reaches all of its patrol disc",
    )
    motion: bool = Field(
        default=False,
        description="whether each reconfiguration is planned motor by motor, which decides its "
        "time and who gets there; otherwise it takes the focal plane's reconfiguration",
    )

    @model_validator(mode="after")
    def _motion_has_arms(self) -> Self:
        if self.motion and not self.collisions:
            raise KeyedError(
                "a motion is planned between configurations that do not collide: set "
                "collisions to true as well",
                ("motion",),
            )
        return self


class Calibration(Model):
    """Calibration frames."""

    attached_frames: Annotated[
        int, Field(ge=0, description="flats and arcs attached to each visit")
    ]
    attached_frame_s: Annotated[
        Seconds, Field(gt=0, description="exposure time of each attached frame")
    ]
    standard_frames: Annotated[
        int, Field(ge=0, description="short frames on the sky before each visit, for standards")
    ]
    standard_frame_s: Annotated[
        Seconds, Field(gt=0, description="exposure time of each standard frame")
    ]
    twilight_frames: Annotated[
        int, Field(ge=0, description="most taken each evening; the dome must be open")
    ]
    twilight_frame_s: Annotated[
        Seconds, Field(gt=0, description="exposure time of each twilight frame")
    ]
    day_frames: Annotated[int, Field(ge=0, description="taken in daytime after each night")]
    day_frame_s: Annotated[Seconds, Field(gt=0, description="exposure time of each day frame")]
    day_start_after_sunrise_s: Annotated[
        Seconds, Field(ge=0, description="wait, counted from twilight_sun_altitude in the morning")
    ]


class Quality(Model):
    """When an exposure fails."""

    signal_min: Fraction = Field(
        description="light in the fibres, over reference conditions, below which it fails"
    )
    shortest_s: Annotated[
        Seconds, Field(ge=0, description="open-shutter time below which an exposure fails")
    ]
    defect_fraction: Fraction = Field(description="exposures of a mode spoilt by the instrument")
