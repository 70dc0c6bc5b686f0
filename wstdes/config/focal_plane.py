"""Hardware model of a focal plane: positioners, their arms, and how fibres are shared."""

from __future__ import annotations

import math
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from wstdes.config.base import Fraction, HardwareModel
from wstdes.config.hardware import Count, Load, NonNegativeS, PositiveM
from wstdes.errors import KeyedError
from wstdes.units import Metres, MetresPerRadian, Radians, RadiansPerSecond

__all__ = ["FocalPlaneModel", "Layout"]

Layout = Literal["hexagonal", "petals", "cobras", "echidna"]
Length = Annotated[Metres, Field(ge=0)]
Outline = tuple[Metres, ...]
Range = tuple[Radians, Radians]
Speed = Annotated[RadiansPerSecond, Field(ge=0)]


class FocalPlaneModel(HardwareModel):
    """The fibre positioners."""

    kind: ClassVar[str] = "focal_plane"

    layout: Layout = Field(
        default="hexagonal",
        description="how positioners stand: a filled circle, wedges (DESI), rhombi (PFS), or a "
        "hexagon of tilting spines (4MOST)",
    )
    lr_fibres: Count = Field(description="positioners that carry a low-resolution fibre")
    hr_fibres: Annotated[
        int, Field(ge=0, description="positioners that carry a high-resolution fibre")
    ]
    pitch_m: PositiveM = Field(description="centre to centre, between neighbouring positioners")
    module_size: Count = Field(default=63, description="positioners of a module (raft, petal)")
    theta_lr_m: Length = Field(default=0.0, description="an LR theta arm, axis to axis")
    phi_lr_m: Length = Field(default=0.0, description="an LR phi arm, axis to fibre")
    theta_hr_m: Length = Field(default=0.0, description="an HR theta arm, axis to axis")
    phi_hr_m: Length = Field(default=0.0, description="an HR phi arm, axis to fibre")
    patrol_lr_m: Length = Field(
        default=0.0, description="radius within reach of an LR positioner; 0: as its arms reach"
    )
    patrol_hr_m: Length = Field(
        default=0.0, description="radius within reach of an HR positioner; 0: as its arms reach"
    )
    theta_half_width_m: Length = Field(
        default=0.0, description="of the rounded theta arm; 0 where an outline is given"
    )
    phi_half_width_m: Length = Field(
        default=0.0,
        description="of the rounded phi arm, or radius of a spine's tip; 0 where an outline is "
        "given",
    )
    theta_outline_x_m: Outline = Field(
        default=(), description="corners of the theta arm along +x, from the positioner's axis"
    )
    theta_outline_y_m: Outline = Field(default=(), description="the same corners, across")
    phi_outline_x_m: Outline = Field(
        default=(), description="corners of the phi arm along +x, from its own axis"
    )
    phi_outline_y_m: Outline = Field(default=(), description="the same corners, across")
    theta_range_rad: Range = Field(
        default=(-math.pi, math.pi), description="hard stops of theta; may exceed a turn"
    )
    phi_range_rad: Range = Field(
        default=(0.0, math.pi), description="hard stops of phi; 0 is stretched out"
    )
    theta_speed_rad_per_s: Speed = Field(
        default=0.0, description="of the theta axis at full speed; 0: not known"
    )
    phi_speed_rad_per_s: Speed = Field(
        default=0.0, description="of the phi axis at full speed; 0: not known"
    )
    metrology_s: NonNegativeS = Field(
        default=0.0, description="to measure all fibres once, between moves"
    )
    plate_scale_m_per_rad: Annotated[MetresPerRadian, Field(ge=0)] = Field(
        default=0.0, description="for a field of its own; in a scenario the telescope has it"
    )
    hole_radius_m: Length = Field(
        default=0.0, description="without positioners; in a scenario the telescope has it"
    )
    spectrographs_lr: Annotated[int, Field(ge=0)] = Field(
        default=0, description="for a field of its own; in a scenario the spectrographs have it"
    )
    spectrographs_hr: Annotated[int, Field(ge=0)] = Field(
        default=0, description="for a field of its own; in a scenario the spectrographs have it"
    )
    reconfiguration_s: NonNegativeS = Field(
        description="to move all positioners, metrology included; overlaps the slew"
    )
    broken_fraction: Fraction = Field(description="broken on the first evening")
    broken_per_year: Fraction = Field(description="share that breaks in a year")
    centring_efficiency: Fraction = Field(description="light kept despite positioning errors")
    sky_fraction: Fraction = Field(description="share of usable fibres put on blank sky")
    standard_fraction_lr: Fraction = Field(description="share of usable LR fibres for standards")
    standard_fraction_hr: Fraction = Field(description="share of usable HR fibres for standards")
    moving_power_w: Load = Field(description="a positioner while it moves")
    holding_power_w: Load = Field(description="a positioner at rest")

    @property
    def has_arms(self) -> bool:
        """Whether arms (or spines) have outlines, so that they can collide."""
        return self.phi_half_width_m > 0.0 or len(self.phi_outline_x_m) > 0

    @property
    def reach_lr_m(self) -> float:
        """Patrol radius of an LR positioner, given or as its arms reach [m]."""
        return self.patrol_lr_m or self._annulus(self.theta_lr_m, self.phi_lr_m)[1]

    @property
    def reach_hr_m(self) -> float:
        """Patrol radius of an HR positioner, given or as its arms reach [m]."""
        return self.patrol_hr_m or self._annulus(self.theta_hr_m, self.phi_hr_m)[1]

    def _annulus(self, theta_m: float, phi_m: float) -> tuple[float, float]:
        """Least and greatest distance of the fibre from its axis [m]."""
        square, double = theta_m**2 + phi_m**2, 2.0 * theta_m * phi_m
        low, high = (math.cos(min(max(a, 0.0), math.pi)) for a in self.phi_range_rad)
        inner, outer = (math.sqrt(max(square + double * c, 0.0)) for c in (high, low))
        return inner, outer

    @model_validator(mode="after")
    def _outlines_fit(self) -> Self:
        for arm, x, y in (
            ("theta", self.theta_outline_x_m, self.theta_outline_y_m),
            ("phi", self.phi_outline_x_m, self.phi_outline_y_m),
        ):
            if len(x) != len(y) or 0 < len(x) < 3:
                raise KeyedError(
                    f"an outline needs three corners or more, each with x and y; "
                    f"{arm}_outline_x has {len(x)} and {arm}_outline_y has {len(y)}",
                    (f"{arm}_outline_x",),
                )
        for name in ("theta_range", "phi_range"):
            low, high = getattr(self, f"{name}_rad")
            if low > high or (name == "phi_range" and (high < 0.0 or low > math.pi)):
                raise KeyedError(
                    f"hard stops from {math.degrees(low):g} to {math.degrees(high):g} deg leave "
                    "nowhere to be; the lower one comes first, and phi is between 0 and 180 deg",
                    (name,),
                )
        return self

    @model_validator(mode="after")
    def _arms_reach(self) -> Self:
        kinds = [("lr", self.theta_lr_m, self.phi_lr_m, self.patrol_lr_m)]
        if self.hr_fibres:
            kinds.append(("hr", self.theta_hr_m, self.phi_hr_m, self.patrol_hr_m))
        for name, theta_m, phi_m, patrol_m in kinds:
            if self.layout == "echidna" and theta_m > 0.0:
                raise KeyedError("a tilting spine has no theta arm", (f"theta_{name}",))
            if not phi_m > 0.0:
                if theta_m > 0.0 or self.has_arms:
                    raise KeyedError(f"phi_{name} is missing: arms have a length", (f"phi_{name}",))
                if not patrol_m > 0.0:
                    raise KeyedError(
                        f"neither a patrol radius nor arms: write patrol_{name}, or theta_{name} "
                        f"and phi_{name}",
                        (f"patrol_{name}",),
                    )
                continue
            inner, outer = self._annulus(theta_m, phi_m)
            if patrol_m and not inner <= patrol_m <= outer + 1e-9:
                raise KeyedError(
                    f"the patrol radius is {patrol_m * 1e3:g} mm, but arms of "
                    f"{theta_m * 1e3:g} + {phi_m * 1e3:g} mm reach from {inner * 1e3:g} to "
                    f"{outer * 1e3:g} mm: set theta_{name} and phi_{name} to match",
                    (f"patrol_{name}",),
                )
        outlined = self.theta_half_width_m or self.theta_outline_x_m
        if (self.theta_lr_m or self.theta_hr_m) and self.has_arms and not outlined:
            raise KeyedError("the theta arm has no outline", ("theta_half_width",))
        return self
