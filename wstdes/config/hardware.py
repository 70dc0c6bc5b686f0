"""The hardware models: what each YAML file of ``hardware_models/`` may say.

Nothing here has a number in it. Values come from the files, where each has a source.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from wstdes.config.base import Fraction, HardwareModel, Model, Monthly
from wstdes.units import (
    Bytes,
    BytesPerSecond,
    Electrons,
    ElectronsPerSecond,
    Euros,
    EurosPerByte,
    EurosPerJoule,
    EurosPerYear,
    Joules,
    Kilograms,
    KilogramsPerByte,
    KilogramsPerJoule,
    Metres,
    MetresPerRadian,
    MetresPerSecond,
    NodeSeconds,
    Radians,
    RadiansPerSecond,
    RadiansPerSecond2,
    Seconds,
    SquareMetres,
    Watts,
    WattsPerByte,
)

__all__ = [
    "Battery",
    "Channel",
    "ComputeSite",
    "FocalPlaneModel",
    "Grid",
    "Link",
    "Mode",
    "Network",
    "Node",
    "Photovoltaics",
    "PipelineModel",
    "PowerPlant",
    "Site",
    "Spectrograph",
    "Stage",
    "Storage",
    "Telescope",
]

Mode = Literal["lr", "hr", "ifs"]

PositiveS = Annotated[Seconds, Field(gt=0)]
NonNegativeS = Annotated[Seconds, Field(ge=0)]
Load = Annotated[Watts, Field(ge=0)]
Count = Annotated[int, Field(ge=1)]
Positive = Annotated[float, Field(gt=0)]


class Site(HardwareModel):
    """Where the telescope stands, and its climate."""

    kind: ClassVar[str] = "site"

    latitude_rad: Annotated[Radians, Field(ge=-1.5708, le=1.5708)]
    longitude_rad: Annotated[Radians, Field(ge=-3.1416, le=6.2832)]
    height_m: Annotated[Metres, Field(ge=-500, le=9000)]
    seeing_median_rad: Annotated[Radians, Field(gt=0, description="FWHM at zenith, 500 nm")]
    seeing_sigma_ln: Annotated[float, Field(gt=0)]
    seeing_correlation_s: PositiveS
    outer_scale_m: Annotated[Metres, Field(gt=0)]
    open_fraction: Monthly = Field(
        description="share of time that the weather lets the dome be open, by month; the delay "
        "before reopening comes on top"
    )
    photometric_fraction: Fraction = Field(description="share of open time without cloud")
    cloud_correlation_s: PositiveS
    wind_median_m_per_s: Annotated[MetresPerSecond, Field(gt=0)]
    wind_sigma_ln: Annotated[float, Field(gt=0)]
    wind_correlation_s: PositiveS
    wind_close_m_per_s: Annotated[MetresPerSecond, Field(gt=0)]
    humidity_median: Fraction
    humidity_sigma_ln: Annotated[float, Field(gt=0)]
    humidity_correlation_s: PositiveS
    humidity_close: Fraction
    reopening_delay_s: NonNegativeS
    extinction_mag: Annotated[float, Field(ge=0, description="per airmass, in the r band")]
    dark_sky_mag: Annotated[float, Field(description="V mag/arcsec2 at zenith, no Moon")]
    thin_cloud_transparency: Fraction = Field(description="transparency just before closing")


class Telescope(HardwareModel):
    """The telescope: optics, drives, faults, what it draws."""

    kind: ClassVar[str] = "telescope"

    diameter_m: Annotated[Metres, Field(gt=0)]
    effective_area_mos_m2: Annotated[SquareMetres, Field(gt=0)]
    effective_area_ifs_m2: Annotated[SquareMetres, Field(gt=0)]
    field_diameter_rad: Annotated[Radians, Field(gt=0)]
    ifs_field_rad: Annotated[Radians, Field(gt=0)]
    ifs_patrol_diameter_rad: Annotated[Radians, Field(ge=0)]
    plate_scale_m_per_rad: Annotated[MetresPerRadian, Field(gt=0)]
    image_quality_mos_rad: Annotated[Radians, Field(ge=0)]
    image_quality_ifs_rad: Annotated[Radians, Field(ge=0)]
    moffat_beta: Annotated[float, Field(gt=1)]
    zenith_distance_max_rad: Annotated[Radians, Field(gt=0, lt=1.5708)]
    altitude_max_rad: Annotated[Radians, Field(gt=0, le=1.5709)]
    azimuth_rate_rad_per_s: Annotated[RadiansPerSecond, Field(gt=0)]
    altitude_rate_rad_per_s: Annotated[RadiansPerSecond, Field(gt=0)]
    acceleration_rad_per_s2: Annotated[RadiansPerSecond2, Field(gt=0)]
    settle_s: NonNegativeS
    acquisition_s: NonNegativeS
    fault_interval_s: PositiveS = Field(description="mean observing time between faults")
    fault_repair_s: PositiveS = Field(description="mean time lost a fault")
    drives_power_w: Load
    slewing_power_w: Load
    enclosure_power_w: Load
    infrastructure_power_w: Load
    instrument_hvac_power_w: Load


class FocalPlaneModel(HardwareModel):
    """The fibre positioners."""

    kind: ClassVar[str] = "focal_plane"

    lr_fibres: Count
    hr_fibres: Count
    pitch_m: Annotated[Metres, Field(gt=0)]
    patrol_lr_m: Annotated[Metres, Field(gt=0)]
    patrol_hr_m: Annotated[Metres, Field(gt=0)]
    reconfiguration_s: NonNegativeS
    broken_fraction: Fraction = Field(description="broken on the first evening")
    broken_per_year: Fraction = Field(description="share that breaks in a year")
    centring_efficiency: Fraction
    sky_fraction: Fraction = Field(description="share of usable fibres put on blank sky")
    standard_fraction_lr: Fraction = Field(description="share of usable LR fibres for standards")
    standard_fraction_hr: Fraction = Field(description="share of usable HR fibres for standards")
    moving_power_w: Load = Field(description="a positioner while it moves")
    holding_power_w: Load = Field(description="a positioner at rest")


class Channel(Model):
    """One arm of a spectrograph."""

    wavelength_min_m: Annotated[Metres, Field(gt=0)]
    wavelength_max_m: Annotated[Metres, Field(gt=0)]
    dispersion_m: Annotated[Metres, Field(gt=0, description="wavelength a pixel")]
    throughput: Annotated[Fraction, Field(gt=0, description="mean, without fibre injection")]

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.wavelength_max_m <= self.wavelength_min_m:
            raise ValueError("wavelength_max must be longer than wavelength_min")
        return self


class Spectrograph(HardwareModel):
    """All spectrographs of a mode, with their detectors."""

    kind: ClassVar[str] = "spectrograph"

    mode: Mode
    spectrographs: Count
    channels: Annotated[dict[str, Channel], Field(min_length=1)]
    reference_channel: str = Field(description="the channel that exposure times are judged by")
    aperture_rad: Annotated[Radians, Field(gt=0, description="fibre or spaxel on the sky")]
    image_quality_rad: Annotated[Radians, Field(ge=0)]
    pixels_across: Annotated[float, Field(gt=0, description="pixels across a trace, spatial")]
    spectra: Count = Field(description="spectra an exposure")
    detectors: Count
    pixels: Count = Field(description="all pixels of all detectors")
    bytes_per_pixel_bytes: Annotated[Bytes, Field(gt=0)]
    compression: Annotated[float, Field(ge=1)]
    read_noise_e: Annotated[Electrons, Field(ge=0)]
    dark_e_per_s: Annotated[ElectronsPerSecond, Field(ge=0)]
    saturation_e: Annotated[Electrons, Field(gt=0)]
    readout_s: NonNegativeS
    coadd_interval_s: PositiveS = Field(description="time between reads added on the detector")
    detector_power_w: Load = Field(description="a detector with its cryostat and electronics")

    @model_validator(mode="after")
    def _reference_exists(self) -> Self:
        if self.reference_channel not in self.channels:
            known = ", ".join(self.channels)
            raise ValueError(f"reference_channel '{self.reference_channel}' is none of {known}")
        return self

    @property
    def frame_bytes(self) -> float:
        """Size of one exposure of all detectors, compressed [byte]."""
        return self.pixels * self.bytes_per_pixel_bytes / self.compression


class Link(Model):
    """A data link between two places."""

    ends: tuple[str, str]
    rate_bytes_per_s: Annotated[BytesPerSecond, Field(gt=0)]
    efficiency: Annotated[Fraction, Field(gt=0, description="share of the rate that data get")]
    latency_s: NonNegativeS = Field(description="one way")
    fault_interval_s: PositiveS
    fault_repair_s: PositiveS
    power_w: Load
    price_eur_per_yr: Annotated[EurosPerYear, Field(ge=0)]


class Node(HardwareModel):
    """A computing node."""

    kind: ClassVar[str] = "node"

    speed: Annotated[float, Field(gt=0, description="relative to the 2022 node of the stages")]
    idle_power_w: Load
    busy_power_w: Load
    embodied_kg: Annotated[Kilograms, Field(ge=0)]
    price_eur: Annotated[Euros, Field(ge=0)]
    lifetime_s: PositiveS


class Storage(HardwareModel):
    """Storage, by amount of data."""

    kind: ClassVar[str] = "storage"

    power_w_per_byte: Annotated[WattsPerByte, Field(ge=0)]
    embodied_kg_per_byte: Annotated[KilogramsPerByte, Field(ge=0)]
    price_eur_per_byte: Annotated[EurosPerByte, Field(ge=0)]
    lifetime_s: PositiveS


class Grid(HardwareModel):
    """The electricity grid of a country."""

    kind: ClassVar[str] = "grid"

    carbon_kg_per_j: Annotated[KilogramsPerJoule, Field(ge=0)]
    hourly_shape: Annotated[tuple[Positive, ...], Field(min_length=24, max_length=24)] = Field(
        description="carbon by local hour; scaled to a mean of 1"
    )
    price_eur_per_j: Annotated[EurosPerJoule, Field(ge=0)]
    utc_offset_s: Annotated[Seconds, Field(ge=-50400, le=50400, description="of its local hours")]


class Network(HardwareModel):
    """The links from the mountain to where data are kept and computed."""

    kind: ClassVar[str] = "network"

    links: Annotated[dict[str, Link], Field(min_length=1)]
    checksum_failure_fraction: Fraction = Field(description="files that arrive broken")
    parallel_transfers: Count = Field(description="files on their way at once; the rest wait")
    grid: Grid = Field(description="feeds the transmission equipment")


class ComputeSite(HardwareModel):
    """A place with computing and storage."""

    kind: ClassVar[str] = "compute_site"

    place: str = Field(description="its name in the network")
    cpu_nodes: Annotated[int, Field(ge=0)]
    gpu_nodes: Annotated[int, Field(ge=0)]
    cpu: Node
    gpu: Node
    storage: Storage
    capacity_bytes: Annotated[Bytes, Field(gt=0)]
    pue: Annotated[float, Field(ge=1, description="power usage effectiveness")]
    grid: Grid


class Photovoltaics(Model):
    """A solar plant."""

    capacity_w: Load
    capacity_factor: Fraction = Field(description="mean output over capacity, in a year")
    embodied_kg: Annotated[Kilograms, Field(ge=0)]
    price_eur: Annotated[Euros, Field(ge=0)]
    lifetime_s: PositiveS


class Battery(Model):
    """A battery."""

    capacity_j: Annotated[Joules, Field(ge=0)]
    power_w: Load
    efficiency: Annotated[Fraction, Field(gt=0, description="of a full cycle")]
    embodied_kg: Annotated[Kilograms, Field(ge=0)]
    price_eur: Annotated[Euros, Field(ge=0)]
    lifetime_s: PositiveS


class PowerPlant(HardwareModel):
    """What feeds the mountain besides the grid."""

    kind: ClassVar[str] = "power"

    photovoltaics: Photovoltaics
    battery: Battery


class Stage(Model):
    """A stage of a pipeline."""

    mode: Mode
    per: Literal["exposure", "visit", "night"]
    needs: Annotated[tuple[str, ...], Field(min_length=1)]
    role: Literal["quicklook", "reduction", "products"]
    pool: Literal["cpu", "gpu"]
    nodes: Count = Field(description="nodes it runs on at once")
    work_node_s: Annotated[NodeSeconds, Field(gt=0, description="on nodes of speed 1")]
    output_size_bytes: Annotated[Bytes, Field(ge=0)]
    output: Literal["quicklook", "calibration", "intermediate", "reduced", "products"]
    archive: bool = Field(description="whether its output goes to the archive")


class PipelineModel(HardwareModel):
    """What is computed from the data, as a graph of stages for each mode.

    A stage needs other stages of its mode, ``raw`` (the exposure's frames), ``calibration`` (the
    attached calibration frames of the visit), ``day-calibration`` or ``verdict`` (that quality
    control passed the exposure).
    """

    kind: ClassVar[str] = "pipeline"

    stages: Annotated[dict[str, Stage], Field(min_length=1)]
    ingest_s: NonNegativeS = Field(description="from arrival at the archive to being there")

    @model_validator(mode="after")
    def _a_graph(self) -> Self:
        from graphlib import CycleError, TopologicalSorter

        inputs = {"raw", "calibration", "day-calibration", "verdict"}
        for name, stage in self.stages.items():
            for need in stage.needs:
                if need in inputs:
                    continue
                if need not in self.stages:
                    raise ValueError(f"stage '{name}' needs '{need}', which is no stage")
                if self.stages[need].mode != stage.mode:
                    raise ValueError(f"stage '{name}' needs '{need}', which is of another mode")
                if stage.per == "exposure" and self.stages[need].per == "night":
                    raise ValueError(f"stage '{name}' of an exposure cannot wait for a night's")
        try:
            order = TopologicalSorter({n: set(s.needs) - inputs for n, s in self.stages.items()})
            order.prepare()
        except CycleError as error:
            raise ValueError(
                f"the stages wait for each other: {' -> '.join(error.args[1])}"
            ) from None
        return self
