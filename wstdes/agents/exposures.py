"""Closing the shutter: an exposure is measured, credited, read out and recorded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import simpy

from wstdes.agents.dome import Dome
from wstdes.agents.ledger import SurveyLedger
from wstdes.agents.planning import Planner, Sight
from wstdes.agents.quality import Sample
from wstdes.agents.records import Frames
from wstdes.agents.visit import Visit
from wstdes.agents.weather import Conditions
from wstdes.kernel import Day

__all__ = ["Shutter"]

_ARCSEC = np.pi / 648000.0


class Shutter:
    """What happens to the exposures of a visit.

    Parameters
    ----------
    day : Day
        The day.
    dome : Dome
        The agents it works with.
    planner : Planner
        Where things stand in the sky.
    ledger : SurveyLedger
        The account with the surveys.
    plan : Visit
        What is observed.
    visit : int
        Its number.
    works : dict of str to str
        The pipeline's work for each mode that takes data.
    next_exposure : callable
        Returns a new exposure's number.
    """

    def __init__(
        self,
        day: Day,
        dome: Dome,
        planner: Planner,
        ledger: SurveyLedger,
        plan: Visit,
        visit: int,
        works: dict[str, str],
        next_exposure: Callable[[], int],
    ) -> None:
        self.day, self.dome, self.planner, self.ledger = day, dome, planner, ledger
        self.plan, self.visit, self.works = plan, visit, works
        self.next_exposure = next_exposure
        self._exposed: tuple[tuple[float, float], Sight, Conditions] | None = None

    def effective(
        self, mode: str, begin: float, end: float, open_s: float, frame_s: float | None = None
    ) -> dict[str, float]:
        """Effective time of an exposure, or of a part of one [s], by what limits the spectra."""
        return self._measure(mode, begin, end, open_s, frame_s)[1]

    def close(
        self,
        mode: str,
        begin: float,
        end: float,
        open_s: float,
        truncated: bool,
        exposure: int | None = None,
    ) -> simpy.Event:
        """Close the shutter of a mode.

        Parameters
        ----------
        mode : str
            lr, hr or ifs.
        begin, end, open_s : float
            Shutter opening and closing, and the time it was open between them [s].
        truncated : bool
            Whether it was stopped before its time.
        exposure : int, optional
            Its number, where modes share it.

        Returns
        -------
        simpy.Event
            When it is read and recorded.
        """
        number = self.next_exposure() if exposure is None else exposure
        row, effective = self._measure(mode, begin, end, open_s)
        sample = Sample(self.visit, float(row["signal"]), open_s)
        self.dome.quality.expect(number, mode, sample)
        self.ledger.credit(self.visit, number, mode, (begin, end), effective)
        row |= {"exposure": number, "mode": mode, "truncated": truncated}
        spectrographs = self.dome.spectrographs[mode]
        row["readout_end_s"] = end + spectrographs.model.readout_s
        frames = Frames("exposure", mode, self.visit, number, self.day.index, end, self.works[mode])
        return spectrographs.read(
            frames, lambda product: self.day.trace.add("exposures", **row, product=product)
        )

    def _measure(
        self, mode: str, begin: float, end: float, open_s: float, frame_s: float | None = None
    ) -> tuple[dict[str, Any], dict[str, float]]:
        sensitivity = self.planner.sensitivity
        sight, mean = self._conditions(begin, end)
        mass, sky = sight.airmass, sight.sky
        quality, clear = sensitivity.star(mode, mean.seeing_rad, mass)
        signal = mean.transparency * clear
        floor = sensitivity.noise_floor(mode, frame_s or open_s)
        seen = signal * self.plan.dimming
        effective = {
            "sky": seen**2 * (1.0 + self.planner.floors[mode]) / (sky + floor) * open_s,
            "sky-alone": seen**2 / sky * open_s,
            "source": seen * open_s,
        }
        row = {
            "visit": self.visit,
            "night": self.day.index,
            "shutter_open_s": begin,
            "shutter_close_s": end,
            "open_shutter_s": open_s,
            "effective_s": effective["sky"],
            "signal": signal,
            "airmass": mass,
            "seeing_arcsec": mean.seeing_rad / _ARCSEC,
            "image_quality_arcsec": quality / _ARCSEC,
            "transparency": mean.transparency,
            "sky": sky,
            "saturation_mag": None
            if self.planner.parts.statistical
            else sensitivity.saturation_mag(mode, mean.seeing_rad, mass, open_s),
        }
        return row, effective

    def _conditions(self, begin: float, end: float) -> tuple[Sight, Conditions]:
        """Where the field stood in an exposure, and the weather: found once for all modes."""
        known = self._exposed
        if known is None or known[0] != (begin, end):
            sight = self.planner.sight(self.plan, 0.5 * (begin + end))
            known = self._exposed = (begin, end), sight, self.dome.weather.mean(begin, end)
        return known[1:]
