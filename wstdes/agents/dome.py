"""The agents that the observer works with."""

from __future__ import annotations

from dataclasses import dataclass

from wstdes.agents.broker import AlertBroker
from wstdes.agents.calibration import Calibration
from wstdes.agents.pipeline import Pipeline
from wstdes.agents.positioners import Positioners
from wstdes.agents.quality import QualityControl
from wstdes.agents.spectrographs import Spectrographs
from wstdes.agents.telescope import Telescope
from wstdes.agents.weather import Weather

__all__ = ["Dome"]


@dataclass(frozen=True)
class Dome:
    """All that the observer can ask to do something."""

    weather: Weather
    telescope: Telescope
    positioners: Positioners
    spectrographs: dict[str, Spectrographs]
    calibration: Calibration
    broker: AlertBroker
    quality: QualityControl
    pipeline: Pipeline
