"""Time that is not science: nights the calendar closes, and focus."""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated, Self

from pydantic import Field, model_validator

from wstdes.config.base import ByName, Model
from wstdes.units import Seconds

__all__ = ["Closure", "Operations"]

_MONTH_DAY = re.compile(r"^(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$")


class Closure(Model):
    """Nights without science that are known beforehand."""

    title: str = Field(description="what is done in them, for readers")
    nights: Annotated[int, Field(ge=1, le=366, description="in a row")]
    yearly: str | None = Field(
        default=None, description="month and day of the first evening, every year: '07-10'"
    )
    first: dt.date | None = Field(default=None, description="evening of the first such night")
    every_s: Annotated[Seconds, Field(gt=0)] | None = Field(
        default=None, description="between first nights; left out: only once"
    )
    full_moon: bool = Field(default=False, description="the nights around every full Moon")

    @model_validator(mode="after")
    def _one_rule(self) -> Self:
        rules = [self.yearly is not None, self.first is not None, self.full_moon]
        if sum(rules) != 1:
            raise ValueError("say when by one of: yearly, first, full_moon")
        if self.yearly is not None and not _MONTH_DAY.match(self.yearly):
            raise ValueError(f"yearly: '{self.yearly}' is no month and day; write it as '07-10'")
        if self.every_s is not None and self.first is None:
            raise ValueError("every counts from first, which is missing")
        if self.every_s is not None and self.every_s < self.nights * 86400.0:
            raise ValueError(f"every {self.every_s / 86400.0:g} d leaves no night between closures")
        return self


class Operations(Model):
    """How the observatory is run."""

    closures: ByName[Closure] = Field(
        default_factory=dict,
        description="nights without science: engineering, maintenance, coating",
    )
    focus_interval_s: Annotated[
        Seconds, Field(ge=0, description="science between focus runs; 0: none")
    ] = 0.0
    focus_s: Annotated[Seconds, Field(ge=0, description="a focus run, on the sky")] = 0.0

    @model_validator(mode="after")
    def _focus_fits(self) -> Self:
        if 0.0 < self.focus_interval_s <= self.focus_s:
            raise ValueError("a focus run is not longer than the time between two")
        return self
