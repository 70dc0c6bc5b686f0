"""What agents pass to each other, and keep over noon: plain data."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["Alert", "Bundle", "Flow", "Frames", "Job", "Product", "Work", "work_key"]


@dataclass
class Product:
    """A file: where its copies are, and how far it has come.

    ``work`` names the :class:`Work` it belongs to; empty if nothing is computed from it.
    """

    number: int
    kind: str
    stage: str
    mode: str
    visit: int | None
    exposure: int | None
    night: int
    bytes: float
    created_s: float
    shutter_close_s: float | None
    parents: list[int]
    work: str
    wants_archive: bool
    sites: list[str] = field(default_factory=list)
    archived_s: float | None = None
    work_done_s: float | None = None


@dataclass
class Frames:
    """What a spectrograph has read out: the raw frames of a mode, before they are a product.

    Calibration frames have no ``shutter_close_s``: the clock of science data does not start there.
    ``count`` are taken in a row.
    """

    stage: str
    mode: str
    visit: int | None
    exposure: int | None
    night: int
    shutter_close_s: float | None
    work: str
    count: int = 1


@dataclass
class Bundle:
    """Frames of a mode that will be one product, while they are still being taken.

    Parameters
    ----------
    number : int
        Of the product.
    """

    number: int
    mode: str
    visit: int | None
    night: int
    bytes: float = 0.0
    shutter_close_s: float | None = None


@dataclass
class Job:
    """A stage of a pipeline at work on one exposure, visit or night, or on ``times`` of them."""

    number: int
    stage: str
    key: str
    work: str
    role: str
    mode: str
    visit: int | None
    exposure: int | None
    night: int
    site: str
    pool: str
    nodes: int
    left_node_s: float
    inputs: list[int]
    missing: list[int]
    ready_s: float
    queued_s: float | None = None
    start_s: float | None = None
    used_node_s: float = 0.0
    times: int = 1


@dataclass
class Work:
    """All that is computed for a mode in a visit, or in a night.

    Parameters
    ----------
    exposures : list of int
        Taken so far.
    complete : bool
        No exposure and no calibration frame will follow.
    raw : dict of int to int
        Raw product by exposure; -1 if it was lost.
    calibrations : list of int
        Products of calibration frames.
    calibration_frames : int
        Calibration frames taken, those that were lost included.
    visits : dict of int to int
        Visit by exposure, where frames are bundled.
    calibrated : list of int
        Visits with calibration frames, where frames are bundled.
    verdicts : dict of int to bool
        By exposure.
    done : dict of str to int
        Product by finished job's key.
    begun : list of str
        Keys of jobs that exist or existed.
    products : list of int
        Everything that belongs to it.
    """

    key: str
    mode: str
    visit: int | None
    night: int
    exposures: list[int] = field(default_factory=list)
    complete: bool = False
    raw: dict[int, int] = field(default_factory=dict)
    calibrations: list[int] = field(default_factory=list)
    calibration_frames: int = 0
    visits: dict[int, int] = field(default_factory=dict)
    calibrated: list[int] = field(default_factory=list)
    verdicts: dict[int, bool] = field(default_factory=dict)
    done: dict[str, int] = field(default_factory=dict)
    begun: list[str] = field(default_factory=list)
    products: list[int] = field(default_factory=list)


@dataclass
class Flow:
    """A file on its way, or waiting for its turn."""

    number: int
    product: int
    kind: str
    source: str
    destination: str
    bytes: float
    left_bytes: float
    left_latency_s: float
    links: list[str]
    queued_s: float
    tries: int = 0


@dataclass
class Alert:
    """A target of opportunity that wants a visit.

    Parameters
    ----------
    arrival_s : float
        When the alert came in [s].
    expiry_s : float
        When this visit can no longer be made [s].
    dropped_s : float
        When the target fades, or turns out to be something else; infinite: never [s].
    asked_s : float
        From when on this visit can be made: the arrival for the first [s].
    follow_up : int
        Which visit it is, 0 for the first.
    state : str
        waiting, or taken (a visit has it and the verdict is not in).
    interrupts : bool
        Whether it may have a field of its own.
    """

    number: int
    alert_class: str
    ra_rad: float
    dec_rad: float
    arrival_s: float
    expiry_s: float
    dropped_s: float
    asked_s: float
    follow_up: int = 0
    state: str = "waiting"
    visit: int | None = None
    decided_s: float | None = None
    shutter_open_s: float | None = None
    shutter_close_s: float | None = None
    interrupts: bool = True

    @property
    def over_s(self) -> float:
        """When nothing can be done for it any more [s]."""
        return min(self.expiry_s, self.dropped_s)

    def waits(self, t_s: float) -> bool:
        """Whether it can be observed at a moment."""
        return self.state == "waiting" and self.asked_s <= t_s < self.over_s


def work_key(mode: str, visit: int | None, night: int) -> str:
    """Name of the work of a visit, or of a night, in a mode."""
    return f"{mode}/night-{night}" if visit is None else f"{mode}/visit-{visit}"
