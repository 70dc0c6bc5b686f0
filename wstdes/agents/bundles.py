"""The pipeline where the frames of a visit, or of a night, are one product of a mode."""

from __future__ import annotations

from functools import cached_property

from wstdes.agents.pipeline import Pipeline
from wstdes.agents.records import Frames, Product, Work, work_key
from wstdes.config.data_systems import Stage

__all__ = ["BundledPipeline"]


class BundledPipeline(Pipeline):
    """Makes one job of a stage for all exposures (visits) of a bundle.

    A job has the work, and its product the bytes, of all that it covers, so bytes and
    node-seconds are those of the fine grain; it runs on as many nodes as they would side by side,
    as far as the site has them. Nothing begins before the bundle is closed. Verdicts are given
    for each exposure, from the same draws, when the bundle's quick look is done.
    """

    @cached_property
    def _by_night(self) -> bool:
        return self.parts.scenario.dataflow.grain == "night"

    @cached_property
    def _judged_first(self) -> dict[str, bool]:
        return {name: self._waits_for_verdicts(s) for name, s in self.stages.items()}

    # What others tell it ---------------------------------------------------------------------

    def expect(self, key: str, mode: str, visit: int | None, night: int) -> Work:
        """Begin the work of a bundle, or have a visit join it."""
        if self._by_night:
            key, visit = work_key(mode, None, night), None
        return super().expect(key, mode, visit, night)

    def noted(self, frames: Frames) -> None:
        """Frames join their bundle."""
        if not frames.work:
            return
        visit = None if self._by_night else frames.visit
        work = self.state.work[work_key(frames.mode, visit, frames.night)]
        if frames.exposure is None:
            work.calibration_frames += frames.count
            if frames.visit is not None and frames.visit not in work.calibrated:
                work.calibrated.append(frames.visit)
        else:
            work.exposures.append(frames.exposure)
            work.raw[frames.exposure] = -1
            if frames.visit is not None:
                work.visits[frames.exposure] = frames.visit

    def created(self, product: Product) -> None:
        """A product exists: a bundle, or the output of a job."""
        work = self.state.work.get(product.work)
        if product.kind != "raw" or work is None:
            super().created(product)
            return
        lost = self.store.lost(product.number)
        if not lost:
            work.products.append(product.number)
            work.raw = dict.fromkeys(work.exposures, product.number)
            work.calibrations = [product.number] if work.calibration_frames else []
        work.complete = True
        if lost or not self._has_quicklook[work.mode]:
            self._judge(work, lost)
        self._advance(work)
        self._archive(product)

    def complete(self, key: str) -> None:
        """No frame will be added to this work: its bundle is written."""
        self.store.close_bundle(key)
        super().complete(key)

    def verdict(self, exposure: int, mode: str, passed: bool) -> None:
        """Quality control has judged; the work goes on when all verdicts are in."""
        for work in self.state.work.values():
            if work.mode == mode and exposure in work.raw:
                work.verdicts[exposure] = passed
                return

    # What it does ----------------------------------------------------------------------------

    def _seen(self, work: Work, job: object) -> None:
        self._judge(work, lost=False)

    def _judge(self, work: Work, lost: bool) -> None:
        for exposure in work.exposures:
            if exposure not in work.verdicts:
                self.quality.judge(exposure, work.mode, lost)

    def _waits_for_verdicts(self, stage: Stage) -> bool:
        """Whether a stage is made of exposures that passed, and of no others."""
        if stage.per == "night" or set(stage.needs) == {"calibration"}:
            return False
        others = [self.stages[n] for n in stage.needs if n in self.stages]
        return (
            stage.per == "visit"
            or "verdict" in stage.needs
            or any(s.per == "exposure" and self._waits_for_verdicts(s) for s in others)
        )

    def _times(self, work: Work, name: str, stage: Stage) -> int:
        """How many exposures (visits) a job of a stage covers."""
        if stage.per == "night":
            return 1
        good = work.exposures
        if self._judged_first[name]:
            good = [e for e in good if work.verdicts[e]]
        if stage.per == "exposure":
            return len(good)
        if set(stage.needs) == {"calibration"}:
            return len(work.calibrated)
        return len({work.visits[e] for e in good})

    def _advance(self, work: Work) -> None:
        """Make jobs of the stages that have become possible; end the work if none is left."""
        judged = all(e in work.verdicts for e in work.exposures)
        for name, stage in self._of_mode[work.mode] if work.complete else ():
            of_night = stage.per == "night"
            if name in work.begun or (self._judged_first[name] and not judged):
                continue
            if not self._by_night and of_night != (work.visit is None):
                continue
            times, inputs = self._times(work, name, stage), self._inputs(work, stage, None)
            if times and inputs is not None:
                work.begun.append(name)
                self._launch(work, name, stage, name, None, inputs, times)
        self._end(work)

    def _inputs(self, work: Work, stage: Stage, exposure: int | None) -> list[int] | None:
        """Products that a stage needs; None while something is missing."""
        found: list[int] = []
        for need in stage.needs:
            part = self._need(work, need, None)
            if part is None:
                return None
            found += [n for n in part if n not in found]
        return None if any(self.store.lost(n) for n in found) else found

    def _need(self, work: Work, need: str, exposure: int | None) -> list[int] | None:
        if need == "verdict":
            return []
        if need in {"calibration", "day-calibration"}:
            none_wanted = not self.parts.scenario.calibration.attached_frames
            return list(work.calibrations) if work.calibrations or none_wanted else None
        if need == "raw":
            raw = {n for n in work.raw.values() if n >= 0}
            return sorted(raw) or None
        return [work.done[need]] if need in work.done else None
