"""Targets to observe: mock, real and the user's own, kept in cells of sky."""

from wstdes.survey.catalogue import (
    COLUMN_ALIASES,
    CatalogueSource,
    CatalogueTable,
    open_catalogue,
    read_catalogue,
)
from wstdes.survey.cells import (
    CELL_AREA_SR,
    CELL_COUNT,
    NSIDE,
    cell_centre,
    cell_of,
    cells_in_cone,
)
from wstdes.survey.footprint import Footprint, galactic_latitude
from wstdes.survey.gaia import GaiaStars
from wstdes.survey.mock import MockGalaxies, MockStars, galaxy_counts_per_sr
from wstdes.survey.store import Manifest, Store, open_store
from wstdes.survey.stored import StoredSource
from wstdes.survey.targets import ExposureLaw, ExposureTimes, InField, Targets, TargetSource

__all__ = [
    "CELL_AREA_SR",
    "CELL_COUNT",
    "COLUMN_ALIASES",
    "NSIDE",
    "CatalogueSource",
    "CatalogueTable",
    "ExposureLaw",
    "ExposureTimes",
    "Footprint",
    "GaiaStars",
    "InField",
    "Manifest",
    "MockGalaxies",
    "MockStars",
    "Store",
    "StoredSource",
    "TargetSource",
    "Targets",
    "cell_centre",
    "cell_of",
    "cells_in_cone",
    "galactic_latitude",
    "galaxy_counts_per_sr",
    "open_catalogue",
    "open_store",
    "read_catalogue",
]
