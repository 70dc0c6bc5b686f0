"""Where the weather comes from: a generator, or what was measured."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from wstdes.config.base import Model
from wstdes.units import Seconds

__all__ = ["Weather"]


class Weather(Model):
    """Drawn from the site's climate, or played again from a user's file."""

    use: Literal["generated", "replay"] = Field(
        default="generated", description="drawn from the site's climate, or measured"
    )
    path: str = Field(
        default="",
        description="of the measured series (CSV, Parquet, ECSV or FITS); relative to the "
        "scenario's folder",
    )
    columns: dict[str, str] = Field(
        default_factory=dict,
        description="the file's column for time, seeing, cloud, transparency, wind, humidity and "
        "open, with its unit if the file has none: {seeing: 'fwhm [arcsec]'}",
    )
    start: dt.datetime | None = Field(
        default=None, description="UTC that times in seconds or days are counted from"
    )
    match: Literal["date-of-year", "date", "order"] = Field(
        default="date-of-year",
        description="which measured night serves a night: that of the same date in the years of "
        "the series, that of the very date, or the next",
    )
    repeat: bool = Field(
        default=True, description="whether a series that is too short begins again"
    )
    gap_s: Annotated[
        Seconds,
        Field(gt=0, description="longest time between measurements that is interpolated"),
    ] = 10800.0

    @field_validator("start", mode="after")
    @classmethod
    def _utc(cls, value: dt.datetime | None) -> dt.datetime | None:
        return value.replace(tzinfo=dt.UTC) if value is not None and value.tzinfo is None else value

    @model_validator(mode="after")
    def _replay_has_a_file(self) -> Self:
        if self.use == "replay" and not self.path:
            raise ValueError("replay needs the path of a measured series")
        if self.use == "generated" and self.path:
            raise ValueError("a path is for measured weather: add `use: replay`")
        return self
