"""The path that decided when a science product was archived, back to its last shutter close.

Each moment between the last shutter close and the archive is given to what was waited for: from
the archive backwards to the job that made the product; from a job to the one of the same visit
and mode at whose end it became possible (it made the last input, or was the quick look that gave
the last verdict); and so on. The parts add up to the latency exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from wstdes.config.scenario import ARCHIVE
from wstdes.report.view import View

__all__ = ["PARTS", "Path", "paths"]

PARTS = (
    "read-out", "rest of the visit", "rest of the night", "quick look",
    "transfer of inputs", "wait for a node", "calibrate", "reduce", "combine", "analyse",
    "transfer to the archive", "ingest", "other",
)  # fmt: skip
TICK_S = 1e-3
MOST_PATHS = 3000
MOST_STEPS = 50
Row = dict[str, Any]


@dataclass(frozen=True)
class Path:
    """A product's way to the archive.

    Parameters
    ----------
    product : dict
        Its row.
    total_s : float
        From the last shutter close to the archive [s].
    parts : dict of str to float
        What it consists of [s].
    segments : list of tuple
        Part, begin and end [s after the last shutter close], in the order of time.
    """

    product: Row
    total_s: float
    parts: dict[str, float]
    segments: list[tuple[str, float, float]]


class _Facts:
    """What the ways of some products are made of: what their visits wrote and computed."""

    def __init__(self, view: View, wanted: pa.Table) -> None:
        visits = wanted.column("visit").unique()

        def mine(table: pa.Table) -> list[Row]:
            there = pc.is_in(table.column("visit"), value_set=visits.cast(pa.int64()))
            return list(table.filter(there).to_pylist())

        self.jobs = {r["output_product"]: r for r in mine(view.rows("jobs").table)}
        self.together: dict[tuple[int | None, int, str], list[Row]] = {}
        for job in self.jobs.values():
            self.together.setdefault(_work(job), []).append(job)
        sent = view.rows("transfers").where(destination=ARCHIVE).table
        sent = sent.filter(pc.is_in(sent.column("product"), value_set=wanted.column("product")))
        self.sent = {r["product"]: r for r in sent.to_pylist() if r["intact"]}
        written = view.rows("products").where(kind="raw").table
        raw = (r for r in mine(written) if r["visit"] is not None)
        self.read = {(r["visit"], r["mode"], r["shutter_close_s"]): r["created_s"] for r in raw}


def paths(view: View) -> list[Path]:
    """Paths of the archived science products, in the order of their numbers."""
    done = view.rows("products").where(kind="products", outcome="archived").table
    done = done.filter(pc.is_valid(done.column("shutter_close_s")))
    step = max(1, done.num_rows // MOST_PATHS)
    some = done.take(np.arange(0, done.num_rows, step))
    facts = _Facts(view, some)
    return [_path(facts, p) for p in some.to_pylist()]


def _path(facts: _Facts, product: Row) -> Path:
    walk = _Walk(facts, product)
    walk.run()
    total = product["end_s"] - product["shutter_close_s"]
    return Path(product, total, walk.parts, walk.segments[::-1])


class _Walk:
    """Goes back in time from the archive."""

    def __init__(self, facts: _Facts, product: Row) -> None:
        self.facts = facts
        self.product = product
        self.now: float = product["end_s"]
        self.until: float = product["shutter_close_s"]
        self.parts = dict.fromkeys(PARTS, 0.0)
        self.segments: list[tuple[str, float, float]] = []

    def back(self, to_s: float, part: str) -> None:
        """Give the time since a moment to a part."""
        to_s = max(to_s, self.until)
        if to_s < self.now:
            self.parts[part] += self.now - to_s
            self.segments.append((part, to_s - self.until, self.now - self.until))
            self.now = to_s

    def run(self) -> None:
        sent = self.facts.sent.get(self.product["product"])
        if sent:
            self.back(sent["end_s"], "ingest")
            self.back(self.product["created_s"], "transfer to the archive")
        else:
            self.back(self.product["created_s"], "ingest")
        job = self.facts.jobs.get(self.product["product"])
        for _ in range(MOST_STEPS):
            if job is None or self.now <= self.until:
                break
            job = self.through(job)
        self.back(self.until, "other")

    def through(self, job: Row) -> Row | None:
        """Go back through a job; return the one that it waited for last, if any."""
        self.back(job["start_s"], _stage_part(job))
        self.back(job["queued_s"], "wait for a node")
        self.back(job["ready_s"], "transfer of inputs")
        others = self.facts.together.get(_work(job), [])
        last = [j for j in others if j is not job and abs(j["end_s"] - job["ready_s"]) < TICK_S]
        if last:
            return min(last, key=lambda j: (j["role"] == "quicklook", j["job"]))
        self.to_shutter()
        return None

    def to_shutter(self) -> None:
        """What is left is the visit's own end, and its last read-out; or the end of the night."""
        product = self.product
        if product["visit"] is None:
            self.back(self.until, "rest of the night")
        read = self.facts.read.get((product["visit"], product["mode"], self.until))
        if read is not None:
            self.back(read, "rest of the visit")
            self.back(self.until, "read-out")


def _work(job: Row) -> tuple[int | None, int, str]:
    """The visit and mode that a job belongs to; or its night, where a night is reduced as one."""
    visit, night = job["visit"], job["night"]
    return (visit, -1 if visit is not None else night, job["mode"])


def _stage_part(job: Row) -> str:
    """The part that a job's computing belongs to, by its role and place in the pipeline."""
    if job["role"] == "quicklook":
        return "quick look"
    stage = str(job["stage"])
    if job["role"] == "products":
        return "combine" if stage.endswith(("coadd", "combine")) else "analyse"
    return "calibrate" if stage.endswith("calibrate") else "reduce"
