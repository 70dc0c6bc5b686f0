"""The hardware models: what each YAML file of ``hardware_models/`` may say.

Nothing here has a number in it. Values come from the files, where each has a source.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from wstdes.config.base import ByName, Fraction, HardwareModel, Model, Monthly
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
PositiveM = Annotated[Metres, Field(gt=0)]
NonNegativeS = Annotated[Seconds, Field(ge=0)]
Load = Annotated[Watts, Field(ge=0)]
Count = Annotated[int, Field(ge=1)]
Positive = Annotated[float, Field(gt=0)]


class Site(HardwareModel):
    """Where the telescope stands, and its climate."""

    kind: ClassVar[str] = "site"

    latitude_rad: Annotated[
        Radians, Field(ge=-1.5708, le=1.5708, description="geodetic, positive north")
    ]
    longitude_rad: Annotated[
        Radians, Field(ge=-3.1416, le=6.2832, description="geodetic, positive east")
    ]
    height_m: Annotated[Metres, Field(ge=-500, le=9000, description="above the WGS84 ellipsoid")]
    seeing_median_rad: Annotated[Radians, Field(gt=0, description="FWHM at zenith, 500 nm")]
    seeing_sigma_ln: Annotated[float, Field(gt=0, description="standard deviation of ln(seeing)")]
    seeing_correlation_s: PositiveS = Field(
        description="e-folding time of the autocorrelation of ln(seeing)"
    )
    outer_scale_m: Annotated[
        Metres, Field(gt=0, description="of atmospheric turbulence; smaller values sharpen images")
    ]
    open_fraction: Monthly = Field(
        description="share of time that the weather lets the dome be open, by month; the delay "
        "before reopening comes on top"
    )
    photometric_fraction: Fraction = Field(description="share of open time without cloud")
    cloud_correlation_s: PositiveS = Field(
        description="e-folding time of the autocorrelation of cloud cover"
    )
    wind_median_m_per_s: Annotated[
        MetresPerSecond, Field(gt=0, description="of wind speed, day and night, all year")
    ]
    wind_sigma_ln: Annotated[float, Field(gt=0, description="standard deviation of ln(wind speed)")]
    wind_correlation_s: PositiveS = Field(
        description="e-folding time of the autocorrelation of ln(wind speed)"
    )
    wind_close_m_per_s: Annotated[
        MetresPerSecond, Field(gt=0, description="wind speed above which the dome closes")
    ]
    humidity_median: Fraction = Field(description="of relative humidity, day and night, all year")
    humidity_sigma_ln: Positive = Field(description="standard deviation of ln(relative humidity)")
    humidity_correlation_s: PositiveS = Field(
        description="e-folding time of the autocorrelation of ln(humidity)"
    )
    humidity_close: Fraction = Field(description="relative humidity above which the dome closes")
    reopening_delay_s: NonNegativeS = Field(description="wait after conditions allow opening")
    extinction_mag: Annotated[float, Field(ge=0, description="per airmass, in the r band")]
    dark_sky_mag: Annotated[float, Field(description="V mag/arcsec2 at zenith, no Moon")]
    thin_cloud_transparency: Fraction = Field(description="transparency just before closing")


class Telescope(HardwareModel):
    """The telescope: optics, drives, faults, what it draws."""

    kind: ClassVar[str] = "telescope"

    diameter_m: Annotated[
        Metres, Field(gt=0, description="of the primary mirror; enters only the image quality")
    ]
    effective_area_mos_m2: Annotated[
        SquareMetres, Field(gt=0, description="net collecting area for the fibres (LR and HR)")
    ]
    effective_area_ifs_m2: Annotated[
        SquareMetres, Field(gt=0, description="net collecting area for the integral-field mode")
    ]
    field_diameter_rad: Annotated[Radians, Field(gt=0, description="of the fibres' field of view")]
    ifs_field_rad: Annotated[Radians, Field(gt=0, description="side of the square integral field")]
    ifs_patrol_diameter_rad: Annotated[
        Radians, Field(ge=0, description="of the central area for the IFS, without fibres")
    ]
    plate_scale_m_per_rad: Annotated[
        MetresPerRadian, Field(gt=0, description="length on the focal plane over angle on sky")
    ]
    image_quality_mos_rad: Annotated[Radians, Field(ge=0, description="telescope FWHM for fibres")]
    image_quality_ifs_rad: Annotated[Radians, Field(ge=0, description="telescope FWHM for the IFS")]
    moffat_beta: Annotated[float, Field(gt=1, description="exponent of a star's Moffat profile")]
    zenith_distance_max_rad: Annotated[
        Radians, Field(gt=0, lt=1.5708, description="of the field centre, throughout a visit")
    ]
    altitude_max_rad: Annotated[
        Radians, Field(gt=0, le=1.5709, description="of the field centre, to avoid the zenith")
    ]
    azimuth_rate_rad_per_s: Annotated[
        RadiansPerSecond, Field(gt=0, description="top slewing speed of this axis")
    ]
    altitude_rate_rad_per_s: Annotated[
        RadiansPerSecond, Field(gt=0, description="top slewing speed of this axis")
    ]
    acceleration_rad_per_s2: Annotated[
        RadiansPerSecond2, Field(gt=0, description="of both axes, speeding up and braking")
    ]
    settle_s: NonNegativeS = Field(description="from end of motion to stable tracking, every slew")
    acquisition_s: NonNegativeS = Field(
        description="to find the field and start guiding, every visit"
    )
    fault_interval_s: PositiveS = Field(description="mean observing time between faults")
    fault_repair_s: PositiveS = Field(description="mean time lost a fault")
    drives_power_w: Load = Field(description="drives and hydrostatic bearings while tracking")
    slewing_power_w: Load = Field(description="drives and hydrostatic bearings while slewing")
    enclosure_power_w: Load = Field(description="enclosure and thermal control, day and night")
    infrastructure_power_w: Load = Field(description="buildings and services, day and night")
    instrument_hvac_power_w: Load = Field(description="spectrograph rooms, day and night")


class FocalPlaneModel(HardwareModel):
    """The fibre positioners."""

    kind: ClassVar[str] = "focal_plane"

    lr_fibres: Count = Field(description="positioners that carry a low-resolution fibre")
    hr_fibres: Count = Field(description="positioners that carry a high-resolution fibre")
    pitch_m: PositiveM = Field(description="centre to centre, between neighbouring positioners")
    patrol_lr_m: PositiveM = Field(description="radius within reach of an LR positioner")
    patrol_hr_m: PositiveM = Field(description="radius within reach of an HR positioner")
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


class Channel(Model):
    """One arm of a spectrograph."""

    wavelength_min_m: Annotated[Metres, Field(gt=0, description="blue end of the recorded range")]
    wavelength_max_m: Annotated[Metres, Field(gt=0, description="red end of the recorded range")]
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

    mode: Mode = Field(description="low resolution, high resolution or integral field")
    spectrographs: Count = Field(description="number of identical units in this mode")
    channels: Annotated[
        ByName[Channel], Field(min_length=1, description="arms by name, the same in every unit")
    ]
    reference_channel: str = Field(description="the channel that exposure times are judged by")
    aperture_rad: Annotated[Radians, Field(gt=0, description="fibre or spaxel on the sky")]
    image_quality_rad: Annotated[
        Radians, Field(ge=0, description="FWHM of the spectrograph alone, on sky")
    ]
    pixels_across: Annotated[float, Field(gt=0, description="pixels across a trace, spatial")]
    spectra: Count = Field(description="spectra an exposure")
    detectors: Count = Field(description="in all units and channels together")
    pixels: Count = Field(description="all pixels of all detectors")
    bytes_per_pixel_bytes: Annotated[
        Bytes, Field(gt=0, description="in raw frames, before compression")
    ]
    compression: Annotated[
        float, Field(ge=1, description="uncompressed over compressed size of raw frames")
    ]
    read_noise_e: Annotated[Electrons, Field(ge=0, description="RMS, of a pixel in one read")]
    dark_e_per_s: Annotated[ElectronsPerSecond, Field(ge=0, description="dark current of a pixel")]
    saturation_e: Annotated[Electrons, Field(gt=0, description="charge at which a pixel saturates")]
    readout_s: NonNegativeS = Field(description="after every frame; the next one waits")
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

    ends: tuple[str, str] = Field(description="names of the two places it connects")
    rate_bytes_per_s: Annotated[
        BytesPerSecond, Field(gt=0, description="line rate, shared by both directions")
    ]
    efficiency: Annotated[Fraction, Field(gt=0, description="share of the rate that data get")]
    latency_s: NonNegativeS = Field(description="one way")
    fault_interval_s: PositiveS = Field(description="mean time from a repair to the next outage")
    fault_repair_s: PositiveS = Field(description="mean duration of an outage")
    power_w: Load = Field(description="transmission equipment, while the link is up")
    price_eur_per_yr: Annotated[EurosPerYear, Field(ge=0, description="rent or upkeep of the link")]


class Node(HardwareModel):
    """A computing node."""

    kind: ClassVar[str] = "node"

    speed: Annotated[float, Field(gt=0, description="relative to the 2022 node of the stages")]
    idle_power_w: Load = Field(description="of the whole node, without a job")
    busy_power_w: Load = Field(description="of the whole node, running a job")
    embodied_kg: Annotated[Kilograms, Field(ge=0, description="emissions from making one node")]
    price_eur: Annotated[Euros, Field(ge=0, description="to buy one node")]
    lifetime_s: PositiveS = Field(description="over which price and embodied carbon are spread")


class Storage(HardwareModel):
    """Storage, by amount of data."""

    kind: ClassVar[str] = "storage"

    power_w_per_byte: Annotated[
        WattsPerByte, Field(ge=0, description="of stored data; empty capacity draws none")
    ]
    embodied_kg_per_byte: Annotated[
        KilogramsPerByte, Field(ge=0, description="emissions from making usable capacity")
    ]
    price_eur_per_byte: Annotated[EurosPerByte, Field(ge=0, description="to buy usable capacity")]
    lifetime_s: PositiveS = Field(description="over which price and embodied carbon are spread")


class Grid(HardwareModel):
    """The electricity grid of a country."""

    kind: ClassVar[str] = "grid"

    carbon_kg_per_j: Annotated[
        KilogramsPerJoule, Field(ge=0, description="mean emissions of the electricity drawn")
    ]
    hourly_shape: Annotated[tuple[Positive, ...], Field(min_length=24, max_length=24)] = Field(
        description="carbon by local hour; scaled to a mean of 1"
    )
    price_eur_per_j: Annotated[EurosPerJoule, Field(ge=0, description="paid for electricity drawn")]
    utc_offset_s: Annotated[Seconds, Field(ge=-50400, le=50400, description="of its local hours")]


class Network(HardwareModel):
    """The links from the mountain to where data are kept and computed."""

    kind: ClassVar[str] = "network"

    links: Annotated[
        ByName[Link],
        Field(min_length=1, description="by name; data take the route of least latency"),
    ]
    checksum_failure_fraction: Fraction = Field(description="files that arrive broken")
    parallel_transfers: Count = Field(description="files on their way at once; the rest wait")
    grid: Grid = Field(description="feeds the transmission equipment")


class ComputeSite(HardwareModel):
    """A place with computing and storage."""

    kind: ClassVar[str] = "compute_site"

    place: str = Field(description="its name in the network")
    cpu_nodes: Annotated[int, Field(ge=0, description="number of nodes for CPU stages")]
    gpu_nodes: Annotated[int, Field(ge=0, description="number of nodes for GPU stages")]
    cpu: Node = Field(description="model of each CPU node")
    gpu: Node = Field(description="model of each GPU node")
    storage: Storage = Field(description="model of the storage that holds its data")
    capacity_bytes: Annotated[
        Bytes, Field(gt=0, description="of its storage; new products beyond it are lost")
    ]
    pue: Annotated[float, Field(ge=1, description="power usage effectiveness")]
    grid: Grid = Field(description="supplies this site's electricity")


class Photovoltaics(Model):
    """A solar plant."""

    capacity_w: Load = Field(description="peak output of the whole plant")
    capacity_factor: Fraction = Field(description="mean output over capacity, in a year")
    embodied_kg: Annotated[
        Kilograms, Field(ge=0, description="emissions from making the whole plant")
    ]
    price_eur: Annotated[Euros, Field(ge=0, description="to buy the whole plant")]
    lifetime_s: PositiveS = Field(description="over which price and embodied carbon are spread")


class Battery(Model):
    """A battery."""

    capacity_j: Annotated[Joules, Field(ge=0, description="usable energy when full")]
    power_w: Load = Field(description="limit on charging and on discharging")
    efficiency: Annotated[Fraction, Field(gt=0, description="of a full cycle")]
    embodied_kg: Annotated[
        Kilograms, Field(ge=0, description="emissions from making the whole battery")
    ]
    price_eur: Annotated[Euros, Field(ge=0, description="to buy the whole battery")]
    lifetime_s: PositiveS = Field(description="over which price and embodied carbon are spread")


class PowerPlant(HardwareModel):
    """What feeds the mountain besides the grid."""

    kind: ClassVar[str] = "power"

    photovoltaics: Photovoltaics = Field(description="solar plant that feeds the mountain")
    battery: Battery = Field(description="storage that buffers the mountain's supply")


class Stage(Model):
    """A stage of a pipeline."""

    mode: Mode = Field(description="instrument mode whose data it processes")
    per: Literal["exposure", "visit", "night"] = Field(description="what one job of it covers")
    needs: Annotated[
        tuple[str, ...],
        Field(
            min_length=1,
            description="stages of its mode, raw, calibration, day-calibration or verdict",
        ),
    ]
    role: Literal["quicklook", "reduction", "products"] = Field(
        description="class of work, for placement and queue policies"
    )
    pool: Literal["cpu", "gpu"] = Field(description="kind of nodes that it runs on")
    nodes: Count = Field(description="nodes it runs on at once")
    work_node_s: Annotated[NodeSeconds, Field(gt=0, description="on nodes of speed 1")]
    output_size_bytes: Annotated[
        Bytes, Field(ge=0, description="of the product that each job writes")
    ]
    output: Literal["quicklook", "calibration", "intermediate", "reduced", "products"] = Field(
        description="kind of product that it writes"
    )
    archive: bool = Field(description="whether its output goes to the archive")


class PipelineModel(HardwareModel):
    """What is computed from the data, as a graph of stages for each mode.

    A stage needs other stages of its mode, ``raw`` (the exposure's frames), ``calibration`` (the
    attached calibration frames of the visit), ``day-calibration`` or ``verdict`` (that quality
    control passed the exposure).
    """

    kind: ClassVar[str] = "pipeline"

    stages: Annotated[
        ByName[Stage], Field(min_length=1, description="processing steps of all modes, by name")
    ]
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
