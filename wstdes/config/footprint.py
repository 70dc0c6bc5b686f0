"""Parts of the sky, as users describe them."""

from __future__ import annotations

import math
from typing import Annotated, Self

from pydantic import Field, model_validator

from wstdes.config.base import Model
from wstdes.units import Radians

__all__ = ["Angle", "Circle", "FieldList", "Footprint", "Radius", "Shape"]

Angle = Annotated[Radians, Field(ge=-1.5708, le=1.5708)]
Turn = Annotated[Radians, Field(ge=-6.28319, le=6.28319)]
Radius = Annotated[Radians, Field(gt=0, le=1.5708)]

_FORMS = ("circle", "polygon", "map", "fields")
_FULL_TURN = 2.0 * math.pi


class Circle(Model):
    """All within an angle of a position."""

    right_ascension_rad: Turn = Field(description="of its centre, ICRS")
    declination_rad: Angle = Field(description="of its centre, ICRS")
    radius_rad: Radius = Field(description="along the sphere")


class FieldList(Model):
    """Circles around the positions of a file."""

    path: str = Field(
        description="FITS, ECSV, VOTable, Parquet or CSV with columns ra and dec; relative to the "
        "scenario's folder"
    )
    columns: dict[str, str] = Field(
        default_factory=dict, description="the file's columns for ra and dec, if named otherwise"
    )
    radius_rad: Radius = Field(description="of each field")


class Shape(Model):
    """A part of the sky: what keeps all the limits that are given."""

    declination_min_rad: Angle = Field(
        default=-1.5708, description="southern limit of targets, ICRS"
    )
    declination_max_rad: Angle = Field(
        default=1.5708, description="northern limit of targets, ICRS"
    )
    right_ascension_min_rad: Turn = Field(
        default=0.0, description="western limit of targets, ICRS; above the eastern: through 0"
    )
    right_ascension_max_rad: Turn = Field(
        default=_FULL_TURN, description="eastern limit of targets, ICRS"
    )
    galactic_latitude_min_rad: Annotated[
        Angle, Field(ge=0, description="lower limit of its absolute value")
    ] = 0.0
    galactic_latitude_max_rad: Annotated[
        Angle, Field(ge=0, description="upper limit of its absolute value")
    ] = 1.5708
    ecliptic_latitude_min_rad: Angle = Field(
        default=-1.5708, description="southern limit, by the ecliptic of J2000"
    )
    ecliptic_latitude_max_rad: Angle = Field(
        default=1.5708, description="northern limit, by the ecliptic of J2000"
    )
    circle: Circle | None = Field(default=None, description="only what lies in this circle")
    polygon: tuple[tuple[Turn, Angle], ...] | None = Field(
        default=None,
        description="only what lies in this polygon: corners as [right ascension, declination], "
        "joined by great circles",
    )
    map: str | None = Field(
        default=None,
        description="only what lies in this map: a file with a MOC or HEALPix cells, FITS or text; "
        "relative to the scenario's folder",
    )
    fields: FieldList | None = Field(default=None, description="only what lies in these fields")

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        for band in ("declination", "galactic_latitude", "ecliptic_latitude"):
            if getattr(self, f"{band}_min_rad") >= getattr(self, f"{band}_max_rad"):
                raise ValueError(f"the footprint is empty: {band}_min is not below {band}_max")
        if self.right_ascension_min_rad == self.right_ascension_max_rad:
            raise ValueError(
                "the footprint is empty: right_ascension_min equals right_ascension_max"
            )
        given = [form for form in _FORMS if getattr(self, form) is not None]
        if len(given) > 1:
            raise ValueError(
                f"a shape has one form, not {' and '.join(given)}: make them entries of include"
            )
        if self.polygon is not None and len(self.polygon) < 3:
            raise ValueError("a polygon has three corners at least")
        return self


class Footprint(Shape):
    """The part of the sky of a survey: limits, shapes to include, shapes to exclude."""

    include: tuple[Shape, ...] = Field(
        default=(), description="only what lies in one of these shapes; a list alone means this"
    )
    exclude: tuple[Shape, ...] = Field(default=(), description="nothing of these shapes")

    @model_validator(mode="before")
    @classmethod
    def _plain_list(cls, value: object) -> object:
        return {"include": value} if isinstance(value, list | tuple) else value
