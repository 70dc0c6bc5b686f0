"""Alerts: how they come in, how each class is answered, when it is over."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from wstdes.config.base import Model
from wstdes.config.footprint import Radius
from wstdes.units import PerSecond, Seconds

__all__ = ["AlertClass", "Burst", "FollowUp", "Response"]

Response = Literal["insert", "switch", "abort"]
Weight = Annotated[float, Field(ge=0)]


class Burst(Model):
    """Candidates that come in at once, such as those of a gravitational-wave event."""

    count: Annotated[int, Field(ge=2, le=10000, description="candidates of each event")]
    radius_rad: Radius = Field(description="of the circle that they lie in, evenly")


class FollowUp(Model):
    """Visits to an alert after the first."""

    visits: Annotated[
        int, Field(ge=2, le=1000, description="of an alert in all, the first included")
    ]
    interval_s: Annotated[Seconds, Field(gt=0, description="between two of them, at best")]
    tolerance_s: Annotated[
        Seconds, Field(gt=0, description="earlier or later than that, and still in time")
    ]
    response: Response = Field(
        default="insert", description="to each visit after the first, as for the class"
    )

    @model_validator(mode="after")
    def _window_is_open(self) -> Self:
        if self.tolerance_s >= self.interval_s:
            raise ValueError("a tolerance as long as the interval is no cadence")
        return self


class AlertClass(Model):
    """A class of alerts and what it is owed."""

    title: str = Field(description="what it is, for readers")
    response: Response = Field(
        description="insert in a next field, switch after the exposure, or abort it"
    )
    rate_per_s: Annotated[
        PerSecond,
        Field(
            ge=0,
            description="mean arrivals, as a Poisson process; of events, where they come in "
            "bursts; not for alerts of a file",
        ),
    ] = 0.0
    by_hour: Annotated[tuple[Weight, ...], Field(min_length=24, max_length=24)] | None = Field(
        default=None,
        description="relative rate in each hour of local mean solar time, from midnight; left "
        "out: the same",
    )
    by_month: Annotated[tuple[Weight, ...], Field(min_length=12, max_length=12)] | None = Field(
        default=None, description="relative rate in each month, from January; left out: the same"
    )
    burst: Burst | None = Field(
        default=None, description="many candidates at each arrival; left out: one"
    )
    path: str | None = Field(
        default=None,
        description="of a file with alerts to be played again (CSV, Parquet, ECSV, FITS or "
        "VOTable), in place of rate; relative to the scenario's folder",
    )
    columns: dict[str, str] = Field(
        default_factory=dict, description="the file's column for time, ra, dec and class"
    )
    lifetime_s: Annotated[
        Seconds, Field(gt=0, description="how long it can be observed, for the first time")
    ]
    drop_out_per_s: Annotated[
        PerSecond,
        Field(
            ge=0,
            description="rate at which alerts fade or turn out to be something else before that",
        ),
    ] = 0.0
    target_response_s: Annotated[Seconds, Field(gt=0, description="from alert to shutter")]
    exposures: Annotated[
        int, Field(ge=1, le=50, description="number in a visit made for one alert")
    ]
    follow_up: FollowUp | None = Field(
        default=None, description="visits after the first; left out: none"
    )

    @model_validator(mode="after")
    def _arrives_one_way(self) -> Self:
        drawn = [k for k in ("by_hour", "by_month", "burst") if getattr(self, k) is not None]
        if self.path is None:
            if "rate_per_s" not in self.model_fields_set:
                raise ValueError("say how alerts come in: give rate, or the path of a file")
            if self.columns:
                raise ValueError("columns are for the file of a path")
        elif self.rate_per_s > 0 or drawn:
            also = sorted([*drawn, *(["rate"] if self.rate_per_s > 0 else [])])
            raise ValueError(
                f"path says when alerts come in, and so does {' and '.join(also)}: keep one (an "
                "inherited value goes with `rate: 0 / d` or `burst: null`)"
            )
        for name in ("by_hour", "by_month"):
            if getattr(self, name) is not None and not any(getattr(self, name)):
                raise ValueError(f"{name} is 0 throughout: nothing would ever come in")
        return self

    def response_of(self, visit: int) -> Response:
        """What a visit of an alert is owed, 0 for the first."""
        return self.response if not visit or self.follow_up is None else self.follow_up.response

    @property
    def comes(self) -> bool:
        """Whether there are any."""
        return self.rate_per_s > 0 or self.path is not None
