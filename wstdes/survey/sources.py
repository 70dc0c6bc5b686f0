"""From a scenario's words to a source of targets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from wstdes.survey.catalogue import CatalogueSource, open_catalogue
from wstdes.survey.footprint import Footprint
from wstdes.survey.gaia import GaiaStars
from wstdes.survey.mock import MockGalaxies, MockStars
from wstdes.survey.targets import ExposureLaw, TargetSource

__all__ = ["make_source"]


def make_source(
    name: str, source: Any, required_s: ExposureLaw, footprint: Footprint, seed: int, folder: Path
) -> TargetSource:
    """Open the source of a survey's targets.

    Parameters
    ----------
    name : str
        The survey's.
    source : pydantic model
        What the scenario says of it (:mod:`wstdes.config.surveys`).
    required_s : ExposureLaw
        Effective time by magnitude, or for all [s].
    footprint : Footprint
        Where they lie.
    seed : int
        Of what is drawn.
    folder : pathlib.Path
        That a relative path starts from.

    Returns
    -------
    TargetSource
    """
    if source.kind == "mock-galaxies":
        return MockGalaxies(
            name,
            footprint,
            seed,
            magnitude_limits=(source.magnitude_min, source.magnitude_max),
            required_s=required_s,
            sampling=source.sampling,
        )
    if source.kind == "mock-stars":
        return MockStars(
            name,
            footprint,
            seed,
            magnitude_limits=(source.magnitude_min, source.magnitude_max),
            required_s=required_s,
            pole_per_sr=source.density_at_pole_per_sr,
        )
    if source.kind == "gaia":
        return GaiaStars(
            name,
            magnitude_limits=(source.magnitude_min, source.magnitude_max),
            required_s=required_s,
            footprint=footprint,
        )
    table = open_catalogue(folder / Path(source.path).expanduser(), columns=source.columns or None)
    return CatalogueSource(table, name=name, required_s=required_s, footprint=footprint)
