"""The pipeline: turns raw data into products, stage by stage, where the placement policy says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from wstdes.agents.computing import ComputeSite
from wstdes.agents.network import Links
from wstdes.agents.parts import Parts
from wstdes.agents.quality import QualityControl
from wstdes.agents.records import Job, Product, Work
from wstdes.agents.store import DataStore
from wstdes.config.data_systems import Stage
from wstdes.config.scenario import ARCHIVE
from wstdes.kernel import Agent, Day

__all__ = ["Pipeline", "PipelineState"]


@dataclass
class PipelineState:
    """Unfinished work, and jobs that wait for their inputs to arrive."""

    count: int = 0
    work: dict[str, Work] = field(default_factory=dict)
    staging: list[Job] = field(default_factory=list)
    open_jobs: dict[str, int] = field(default_factory=dict)


class Pipeline(Agent[PipelineState]):
    """Makes a job of each stage when all that it needs exists, and brings its inputs to it."""

    State = PipelineState

    def __init__(
        self,
        day: Day,
        name: str,
        state: PipelineState,
        parts: Parts,
        store: DataStore,
        links: Links,
        quality: QualityControl,
    ) -> None:
        super().__init__(day, name, state)
        self.parts = parts
        self.stages: Mapping[str, Stage] = parts.scenario.pipeline.stages
        self.store = store
        self.links = links
        self.quality = quality
        self.sites: dict[str, ComputeSite] = {}
        self._of_mode = {
            mode: [(n, s) for n, s in self.stages.items() if s.mode == mode] for mode in parts.modes
        }
        self._has_quicklook = {
            mode: any(s.role == "quicklook" and s.per == "exposure" for _, s in stages)
            for mode, stages in self._of_mode.items()
        }

    # What others tell it ---------------------------------------------------------------------

    def expect(self, key: str, mode: str, visit: int | None, night: int) -> Work:
        """Begin the work of a visit or a night in a mode."""
        return self.state.work.setdefault(key, Work(key, mode, visit, night))

    def created(self, product: Product) -> None:
        """A product exists: note raw data, send to the archive what belongs there."""
        work = self.state.work.get(product.work)
        lost = self.store.lost(product.number)
        if work is not None:
            if not lost:
                work.products.append(product.number)
            if product.stage == "exposure" and product.exposure is not None:
                work.exposures.append(product.exposure)
                work.raw[product.exposure] = -1 if lost else product.number
                if lost or not self._has_quicklook[work.mode]:
                    self.quality.judge(product.exposure, work.mode, lost)
            elif product.kind == "raw":
                work.calibration_frames += 1
                if not lost:
                    work.calibrations.append(product.number)
            self._advance(work)
        self._archive(product)

    def _archive(self, product: Product) -> None:
        """Send a product to the archive, if it belongs there."""
        if product.wants_archive and not self.store.lost(product.number):
            if ARCHIVE in product.sites:
                self.archive_here(product.number)
            else:
                self.links.send(product, product.sites[0], ARCHIVE)

    def archive_here(self, number: int) -> None:
        """A product was made at the archive itself: as if it had arrived."""
        for listener in self.links.on_arrival:
            listener(number, ARCHIVE)

    def complete(self, key: str) -> None:
        """No frame will be added to this work."""
        work = self.state.work.get(key)
        if work is not None:
            work.complete = True
            self._advance(work)

    def verdict(self, exposure: int, mode: str, passed: bool) -> None:
        """Quality control has judged."""
        for work in self.state.work.values():
            if work.mode == mode and exposure in work.raw:
                work.verdicts[exposure] = passed
                self._advance(work)
                return

    def arrived(self, number: int, site: str) -> None:
        """A copy has arrived: jobs that waited for it may run."""
        ready = []
        for job in self.state.staging:
            if job.site == site and number in job.missing:
                job.missing.remove(number)
                if not job.missing:
                    ready.append(job)
        for job in ready:
            self.state.staging.remove(job)
            self.sites[site].submit(job)

    def finished(self, job: Job) -> None:
        """A job has ended: its output exists, what waited for it may begin."""
        stage = self.stages[job.stage]
        work = self.state.work[job.work]
        product = self._output(job, stage)
        self.record(
            "jobs",
            job=job.number,
            stage=job.stage,
            role=job.role,
            mode=job.mode,
            visit=job.visit,
            exposure=job.exposure,
            night=job.night,
            site=job.site,
            pool=job.pool,
            nodes=job.nodes,
            times=job.times,
            ready_s=job.ready_s,
            queued_s=job.queued_s,
            start_s=job.start_s,
            end_s=self.now,
            node_s=job.used_node_s,
            output_product=product.number,
        )
        work.done[job.key] = product.number
        self.state.open_jobs[work.key] -= 1
        if stage.role == "quicklook":
            self._seen(work, job)
        if work.key in self.state.work:
            self._advance(work)

    # What it does ----------------------------------------------------------------------------

    def _seen(self, work: Work, job: Job) -> None:
        """A quick look is done: what it looked at is judged."""
        if job.exposure is not None:
            self.quality.judge(job.exposure, work.mode)

    def _output(self, job: Job, stage: Stage) -> Product:
        closes = [
            self.store.state.products[n].shutter_close_s
            for n in job.inputs
            if n in self.store.state.products
        ]
        known = [c for c in closes if c is not None]
        return self.store.create(
            stage.output,
            job.stage,
            job.site,
            stage.output_size_bytes * job.times,
            mode=job.mode,
            visit=job.visit,
            exposure=job.exposure,
            night=job.night,
            shutter_close_s=max(known) if known else None,
            parents=job.inputs,
            work=job.work,
            archive=stage.archive,
        )

    def _advance(self, work: Work) -> None:
        """Make jobs of the stages that have become possible; end the work if none is left."""
        for name, stage in self._of_mode[work.mode]:
            if (stage.per == "night") != (work.visit is None):
                continue
            if stage.per == "exposure":
                for exposure in work.exposures:
                    self._try(work, name, stage, exposure)
            else:
                self._try(work, name, stage, None)
        self._end(work)

    def _end(self, work: Work) -> None:
        """End a work of which nothing is left to do."""
        judged = all(e in work.verdicts for e in work.exposures)
        if work.complete and judged and not self.state.open_jobs.get(work.key):
            self.store.work_done(work.products)
            self.state.open_jobs.pop(work.key, None)
            self.state.work.pop(work.key, None)

    def _try(self, work: Work, name: str, stage: Stage, exposure: int | None) -> None:
        key = name if exposure is None else f"{name}/{exposure}"
        if key in work.begun:
            return
        inputs = self._inputs(work, stage, exposure)
        if inputs is None:
            return
        work.begun.append(key)
        self._launch(work, name, stage, key, exposure, inputs)

    def _inputs(self, work: Work, stage: Stage, exposure: int | None) -> list[int] | None:
        """Products that a stage needs; None while something is missing."""
        if exposure is None and set(stage.needs) != {"calibration"}:
            if not work.complete or any(e not in work.verdicts for e in work.exposures):
                return None
            if work.visit is not None and not any(work.verdicts.values()):
                return None  # nothing of the visit counts
        found: list[int] = []
        for need in stage.needs:
            part = self._need(work, need, exposure)
            if part is None:
                return None
            found += [n for n in part if n not in found]
        return None if any(self.store.lost(n) for n in found) else found

    def _need(self, work: Work, need: str, exposure: int | None) -> list[int] | None:
        good = [e for e in work.exposures if work.verdicts.get(e)]
        if need == "verdict":
            wanted = good if exposure is None else [exposure]
            return [] if wanted and all(work.verdicts.get(e) for e in wanted) else None
        if need in {"calibration", "day-calibration"}:
            frames = self.parts.scenario.calibration.attached_frames
            taken = work.complete or (need == "calibration" and work.calibration_frames >= frames)
            return list(work.calibrations) if taken and (work.calibrations or not frames) else None
        if need == "raw":
            wanted = good if exposure is None else [exposure]
            raw = [work.raw.get(e, -1) for e in wanted]
            return raw if raw and -1 not in raw else None
        if self.stages[need].per != "exposure":
            return [work.done[need]] if need in work.done else None
        keys = [f"{need}/{e}" for e in (good if exposure is None else [exposure])]
        if not keys or any(key not in work.done for key in keys):
            return None
        return [work.done[key] for key in keys]

    def _launch(
        self,
        work: Work,
        name: str,
        stage: Stage,
        key: str,
        exposure: int | None,
        inputs: list[int],
        times: int = 1,
    ) -> None:
        offered = {
            s: site.load(stage.pool)
            for s, site in self.sites.items()
            if site.nodes(stage.pool) >= stage.nodes
        }
        site = self.parts.policies.placement.place(stage.role, stage.nodes, offered)
        job = Job(
            self.state.count,
            name,
            key,
            work.key,
            stage.role,
            work.mode,
            work.visit,
            exposure,
            work.night,
            site,
            stage.pool,
            stage.nodes * max(1, min(times, self.sites[site].nodes(stage.pool) // stage.nodes)),
            stage.work_node_s * times,
            inputs,
            [],
            self.now,
            times=times,
        )
        self.state.count += 1
        self.state.open_jobs[work.key] = self.state.open_jobs.get(work.key, 0) + 1
        job.missing = [n for n in inputs if site not in self.store.state.products[n].sites]
        if not job.missing:
            self.sites[site].submit(job)
            return
        self.state.staging.append(job)
        for number in job.missing:
            product = self.store.state.products[number]
            self.links.send(product, product.sites[0], site)
