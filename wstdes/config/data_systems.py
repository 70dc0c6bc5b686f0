"""Hardware models of data and power: links, nodes, storage, grids, power plant, pipeline."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from wstdes.config.base import ByName, Fraction, HardwareModel, Model
from wstdes.config.hardware import Count, Load, Mode, NonNegativeS, Positive, PositiveS
from wstdes.units import (
    Bytes,
    BytesPerSecond,
    Euros,
    EurosPerByte,
    EurosPerJoule,
    EurosPerYear,
    Joules,
    Kilograms,
    KilogramsPerByte,
    KilogramsPerJoule,
    NodeSeconds,
    Seconds,
    WattsPerByte,
)

__all__ = [
    "Battery",
    "ComputeSite",
    "Grid",
    "Link",
    "Network",
    "Node",
    "Photovoltaics",
    "PipelineModel",
    "PowerPlant",
    "Stage",
    "Storage",
]


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


class Dataflow(Model):
    """How finely the flow of data is simulated."""

    grain: Literal["exposure", "visit", "night"] = Field(
        default="exposure",
        description="what is one raw product of a mode, and one job: an exposure, a visit or a "
        "night; bytes and node-seconds are the same, latencies are true to the grain alone",
    )

    @property
    def bundled(self) -> bool:
        """Whether frames travel together."""
        return self.grain != "exposure"


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
