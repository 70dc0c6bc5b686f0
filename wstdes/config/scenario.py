"""The scenario: everything a run depends on."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from wstdes.clock import EPHEMERIS_END, EPHEMERIS_START
from wstdes.config.alerts import AlertClass
from wstdes.config.base import ByName, Fraction, Model, PolicyRef
from wstdes.config.data_systems import (
    ComputeSite,
    Dataflow,
    Network,
    PipelineModel,
    PowerPlant,
)
from wstdes.config.focal_plane import FocalPlaneModel
from wstdes.config.hardware import Mode, Site, Spectrograph, Telescope
from wstdes.config.observing import Allocation, Calibration, Observing, Quality
from wstdes.config.operations import Operations
from wstdes.config.surveys import GaiaCatalogue, MockStarCatalogue, Survey
from wstdes.config.tiles import Tiles
from wstdes.config.weather import Weather
from wstdes.errors import KeyedError
from wstdes.units import (
    BytesPerSecond,
    Euros,
    Seconds,
    Watts,
)

__all__ = [
    "ARCHIVE",
    "MODES",
    "MOUNTAIN",
    "Computing",
    "Costs",
    "Policies",
    "Publication",
    "Scenario",
    "Spectrographs",
    "Telemetry",
]

MODES: tuple[Mode, ...] = ("lr", "hr", "ifs")
"""Modes of spectrographs: low and high resolution, and integral field."""
MOUNTAIN = "mountain"
"""The compute site that raw data are written at."""
ARCHIVE = "archive"
"""The compute site that holds the archive."""

Positive = Annotated[float, Field(gt=0)]


class Spectrographs(Model):
    """The three modes."""

    lr: Spectrograph = Field(description="those fed by low-resolution fibres")
    hr: Spectrograph | None = Field(
        default=None, description="those fed by high-resolution fibres; left out: none"
    )
    ifs: Spectrograph | None = Field(
        default=None, description="those of the integral field; left out: none"
    )

    @property
    def modes(self) -> tuple[Mode, ...]:
        """Modes that this facility has."""
        return tuple(m for m in MODES if getattr(self, m) is not None)

    @property
    def readout_s(self) -> float:
        """Time that the slowest of them takes to be read."""
        return max(float(getattr(self, mode).readout_s) for mode in self.modes)

    @model_validator(mode="after")
    def _in_place(self) -> Self:
        for mode in self.modes:
            found = getattr(self, mode).mode
            if found != mode:
                raise ValueError(f"the spectrograph under '{mode}' is of the mode '{found}'")
        return self


class Telemetry(Model):
    """What the facility writes about itself."""

    rate_bytes_per_s: Annotated[
        BytesPerSecond, Field(ge=0, description="of all telemetry written, constant")
    ]
    file_interval_s: Annotated[Seconds, Field(gt=0, description="time that each file covers")]
    power_w: Annotated[Watts, Field(ge=0, description="monitoring equipment, day and night")]


class Policies(Model):
    """What is decided by whom."""

    scheduling: PolicyRef = Field(description="chooses the next field to observe")
    alerts: PolicyRef = Field(description="decides how to respond to an alert")
    placement: PolicyRef = Field(description="chooses the site that runs a job")
    queue: PolicyRef = Field(description="orders jobs that wait at a site")
    retention: PolicyRef = Field(description="decides when copies outside the archive are deleted")
    dispatch: PolicyRef = Field(description="decides when the battery charges and discharges")


class Computing(Model):
    """Where data are kept and computed."""

    sites: ByName[ComputeSite] = Field(description="by name; 'mountain' and 'archive' are required")

    @model_validator(mode="after")
    def _two_are_needed(self) -> Self:
        for name in (MOUNTAIN, ARCHIVE):
            if name not in self.sites:
                raise ValueError(f"a site named '{name}' is needed")
        return self


class Costs(Model):
    """Money that no machine's model carries."""

    construction_eur: Annotated[
        Euros, Field(ge=0, description="of the observatory, without computing and power plant")
    ]
    facility_lifetime_s: Annotated[
        Seconds, Field(gt=0, description="over which construction costs are spread")
    ]
    operations_per_year: Fraction = Field(description="yearly operations over construction")


class Publication(Model):
    """When archived data become public."""

    raw_delay_s: Annotated[
        Seconds, Field(ge=0, description="from archiving to release, raw data and telemetry")
    ]
    reduced_delay_s: Annotated[
        Seconds, Field(ge=0, description="from archiving to release, all other products")
    ]


class Scenario(Model):
    """Everything a run depends on."""

    name: Annotated[
        str,
        Field(
            pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", description="short identifier, without spaces"
        ),
    ]
    title: str = Field(description="what it is, in a few words")
    description: str = Field(default="", description="what a reader should know about it")
    seed: Annotated[
        int, Field(ge=0, lt=2**63, description="of all random numbers; equal seeds give equal runs")
    ]
    start: dt.date = Field(description="evening of the first night, at the site")
    nights: Annotated[
        int, Field(ge=1, le=36525, description="number of consecutive nights simulated")
    ]
    fidelity: Literal["full", "statistical"] = Field(
        default="full",
        description="every fibre of every visit assigned, or expected numbers calibrated on that",
    )
    site: Site = Field(description="location of the observatory, and its climate")
    weather: Weather = Field(
        default_factory=Weather, description="drawn from the site's climate, or measured"
    )
    telescope: Telescope = Field(description="optics, drives, faults and power of the telescope")
    focal_plane: FocalPlaneModel = Field(description="fibre positioners and how fibres are shared")
    spectrographs: Spectrographs = Field(description="instruments of the three modes")
    network: Network = Field(description="data links between places")
    computing: Computing = Field(description="sites that keep and process data")
    power: PowerPlant = Field(description="solar plant and battery on the mountain")
    pipeline: PipelineModel = Field(description="processing of the data, by stages")
    dataflow: Dataflow = Field(
        default_factory=Dataflow, description="how finely the flow of data is simulated"
    )
    surveys: Annotated[
        ByName[Survey], Field(min_length=1, description="by name; all share the telescope")
    ]
    standards: GaiaCatalogue | MockStarCatalogue = Field(
        discriminator="kind", description="source of flux standard stars"
    )
    alerts: ByName[AlertClass] = Field(
        default_factory=dict, description="classes of alerts, by name"
    )
    allocation: Allocation = Field(
        default_factory=Allocation, description="how fibres are given to targets"
    )
    operations: Operations = Field(
        default_factory=Operations, description="nights without science, and focus"
    )
    observing: Observing = Field(description="exposures, twilight limits and tiles")
    tiles: Tiles | None = Field(
        default=None, description="how tiles cover the sky; left out: evenly, by tile_area"
    )
    calibration: Calibration = Field(description="calibration frames by night and day")
    quality: Quality = Field(description="when an exposure fails")
    telemetry: Telemetry = Field(description="what the facility writes about itself")
    publication: Publication = Field(description="when archived data become public")
    policies: Policies = Field(description="which rule makes each kind of decision")
    costs: Costs = Field(description="construction and operation of the observatory")
    agents: ByName[PolicyRef] = Field(
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
            raise KeyedError(
                f"{self.nights} nights from {self.start} end on {end}, outside the ephemerides "
                f"({EPHEMERIS_START} to {EPHEMERIS_END})",
                ("nights",),
            )
        return self

    @model_validator(mode="after")
    def _places_are_linked(self) -> Self:
        ends = {place for link in self.network.links.values() for place in link.ends}
        for name, site in self.computing.sites.items():
            if site.place not in ends:
                known = ", ".join(sorted(ends))
                raise KeyedError(
                    f"no link reaches the place '{site.place}' (places: {known})",
                    ("computing", "sites", name, "place"),
                )
        return self

    @model_validator(mode="after")
    def _surveys_have_spectrographs(self) -> Self:
        for name, survey in self.surveys.items():
            if survey.mode not in self.spectrographs.modes:
                raise KeyedError(
                    f"this facility has no spectrographs of the mode '{survey.mode}'",
                    ("surveys", name, "mode"),
                )
        if self.focal_plane.hr_fibres and self.spectrographs.hr is None:
            raise KeyedError(
                "high-resolution fibres need spectrographs: give spectrographs.hr, or no fibres",
                ("focal_plane", "hr_fibres"),
            )
        return self

    @model_validator(mode="after")
    def _programmes_have_surveys(self) -> Self:
        if self.tiles is not None and self.tiles.kind == "even":
            for name in self.tiles.passes_of:
                if name not in self.surveys:
                    raise KeyedError(
                        f"there is no survey '{name}' (surveys: {', '.join(self.surveys)})",
                        ("tiles", "passes_of", name),
                    )
        if self.tiles is not None and self.tiles.kind == "file":
            for programme, names in self.tiles.programmes.items():
                for name in names:
                    if name not in self.surveys:
                        raise KeyedError(
                            f"there is no survey '{name}' (surveys: {', '.join(self.surveys)})",
                            ("tiles", "programmes", programme),
                        )
        return self

    @model_validator(mode="after")
    def _alerts_have_a_survey(self) -> Self:
        fed = [s for s in self.surveys.values() if s.source.kind == "alerts"]
        if len(fed) > 1:
            raise KeyedError("only one survey can be fed by alerts", ("surveys",))
        if any(a.comes for a in self.alerts.values()) and not fed:
            raise KeyedError(
                "there are alerts, but no survey with a source of kind alerts", ("alerts",)
            )
        return self

    @model_validator(mode="after")
    def _arms_are_known(self) -> Self:
        plane = self.focal_plane
        if self.allocation.collisions and not plane.has_arms:
            raise KeyedError(
                "the focal plane has no outlines of arms: nothing says what collides",
                ("allocation", "collisions"),
            )
        if (
            self.allocation.motion
            and not min(plane.theta_speed_rad_per_s, plane.phi_speed_rad_per_s) > 0.0
        ):
            raise KeyedError(
                "the focal plane's motors have no speed (theta_speed, phi_speed)",
                ("allocation", "motion"),
            )
        return self

    def sun_altitude_of(self, survey: Survey) -> float:
        """Sun's altitude below which a survey observes: its own, or that of science [rad]."""
        own = survey.sun_altitude_max_rad
        return self.observing.science_sun_altitude_rad if own is None else own

    @property
    def end_s(self) -> float:
        """The last noon, in seconds of the run."""
        return self.nights * 86400.0
