"""Where the telescope may point: footprints, tiles and integral fields of a scenario."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wstdes.config.footprint import Footprint as FootprintConfig
from wstdes.config.footprint import Shape
from wstdes.config.scenario import Scenario
from wstdes.config.surveys import CatalogueFile, FixedFields
from wstdes.config.tiles import EvenTiles, TileFile
from wstdes.errors import ConfigError, Problem
from wstdes.survey.area import sample
from wstdes.survey.counts import demand, mean_count, science_fibres
from wstdes.survey.density import follow
from wstdes.survey.fields_lead import lead
from wstdes.survey.footprint import Footprint, Region
from wstdes.survey.ifs import IfsOptics, best_fields
from wstdes.survey.moc import read_moc
from wstdes.survey.shapes import Circles, Polygon
from wstdes.survey.targets import TargetSource
from wstdes.survey.tiles import read_fields, read_tiles, serve
from wstdes.survey.tiling import (
    Tiling,
    Touch,
    cover,
    cover_passes,
    tile_area_without_gaps,
)

__all__ = ["Pointings", "ifs_optics", "make_footprint", "make_pointings", "reach"]

FloatArray = NDArray[np.float64]
Sources = Mapping[int, TargetSource]


@dataclass(frozen=True)
class Pointings:
    """Tiles, and what a reader should know about them before a run.

    Parameters
    ----------
    tiling : Tiling
        The tiles.
    notes : tuple of Problem
        What works, but not as somebody may have hoped.
    """

    tiling: Tiling
    notes: tuple[Problem, ...] = ()


def make_footprint(config: FootprintConfig, folder: Path) -> Footprint:
    """Make a survey's footprint; files start from a folder.

    Raises
    ------
    ConfigError, CatalogueError
        A shape that is none, or a file that cannot be read.
    """
    own = _shape(config, folder)
    include = tuple(_shape(part, folder) for part in config.include)
    exclude: tuple[Region, ...] = tuple(_shape(part, folder) for part in config.exclude)
    if not own.include:
        return replace(own, include=include, exclude=exclude)
    if include:  # in its own form and in one of these: not in what is left without them
        exclude = (Footprint(exclude=include), *exclude)
    return replace(own, exclude=exclude)


def _shape(config: Shape, folder: Path) -> Footprint:
    quarter, turn = np.pi / 2, 2.0 * np.pi
    return Footprint(
        *_clipped(quarter, config.declination_min_rad, config.declination_max_rad),
        *_clipped(quarter, config.galactic_latitude_min_rad, config.galactic_latitude_max_rad),
        *_clipped(turn, config.right_ascension_min_rad, config.right_ascension_max_rad),
        *_clipped(quarter, config.ecliptic_latitude_min_rad, config.ecliptic_latitude_max_rad),
        include=_form(config, folder),
    )


def _clipped(limit: float, low: float, high: float) -> tuple[float, float]:
    """A pair of angles without the rounding of the schema's limits."""
    return float(np.clip(low, -limit, limit)), float(np.clip(high, -limit, limit))


def _form(config: Shape, folder: Path) -> tuple[Region, ...]:
    try:
        if config.circle is not None:
            ra, dec = config.circle.right_ascension_rad, config.circle.declination_rad
            return (Circles(np.array([ra]), np.array([dec]), config.circle.radius_rad),)
        if config.polygon is not None:
            ra_rad, dec_rad = np.array(config.polygon, dtype=np.float64).T
            return (Polygon(ra_rad, dec_rad),)
    except ValueError as error:
        raise ConfigError([Problem(str(error))]) from None
    if config.map is not None:
        return (read_moc(folder / Path(config.map).expanduser()),)
    if config.fields is not None:
        path = folder / Path(config.fields.path).expanduser()
        table = read_fields(path, columns=config.fields.columns)
        return (Circles(table.ra_rad, table.dec_rad, config.fields.radius_rad),)
    return ()


def make_pointings(
    scenario: Scenario, folder: Path, footprints: Sequence[Footprint], sources: Sources
) -> Pointings:
    """Make the tiles of a scenario.

    Parameters
    ----------
    scenario : Scenario
        What the user asked for.
    folder : Path
        The folder that its paths start from.
    footprints : sequence of Footprint
        Of all surveys, in order.
    sources : mapping of int to TargetSource
        Of the surveys that fibres observe, by number.

    Raises
    ------
    ConfigError, CatalogueError
        Surveys without a tile; lists of tiles and fields that cannot be right.
    """
    notes: list[Problem] = []
    tiling = _tiles(scenario, folder, footprints, sources, notes)
    _refuse_unreachable(scenario, footprints, tiling)
    tiling = _fields_of_catalogues(scenario, folder, footprints, sources, tiling, notes)
    surveys = list(scenario.surveys.values())
    planned = [survey.source.kind != "alerts" for survey in surveys]
    if scenario.tiles is not None or not tiling.inside.any(axis=1).all():
        # Alerts bring their own fields, and so do catalogues of integral fields.
        tiling = tiling.take(np.flatnonzero(tiling.inside[:, planned].any(axis=1)))
    return Pointings(_fields_of_tiles(scenario, folder, tiling), tuple(notes))


def reach(scenario: Scenario) -> tuple[float, float]:
    """Declinations between which tiles rise high enough [rad]."""
    latitude = scenario.site.latitude_rad
    zenith = scenario.telescope.zenith_distance_max_rad
    return latitude - zenith, latitude + zenith


def _tiles(
    scenario: Scenario,
    folder: Path,
    footprints: Sequence[Footprint],
    sources: Sources,
    notes: list[Problem],
) -> Tiling:
    """Tiles of the fibres, by the rule that the scenario gives."""
    config, radius = scenario.tiles, 0.5 * scenario.telescope.field_diameter_rad
    if config is None:
        area = scenario.observing.tile_area_sr
        return cover(footprints, area, *reach(scenario), field_radius_rad=radius)
    if isinstance(config, TileFile):
        return _tiles_of_file(scenario, config, folder, footprints, notes)
    area = tile_area_without_gaps(radius)
    if config.overlap is not None:
        area = (1.0 - config.overlap) * 2.0 * np.pi * (1.0 - np.cos(radius))
    area = area if config.area_sr is None else config.area_sr
    if isinstance(config, EvenTiles):
        own = list(config.passes_of.items())
        passes = sum(n for _, n in own) or config.passes
        tiling = cover_passes(
            footprints, area, *reach(scenario), field_radius_rad=radius, passes=passes
        )
        return _serve_by_pass(tiling, list(scenario.surveys), own) if own else tiling
    visit_s = config.visit_s or scenario.observing.exposures * scenario.observing.exposure_s
    return follow(
        footprints,
        demand(scenario, sources, visit_s),
        area,
        *reach(scenario),
        field_radius_rad=radius,
        passes_max=config.passes_max,
        fill_min=config.fill_min,
        tiles_max=config.tiles_max,
    )


def _serve_by_pass(tiling: Tiling, names: list[str], own: list[tuple[str, int]]) -> Tiling:
    """Let each pass serve one survey alone; surveys take turns, so that all are spread alike."""
    turns = sorted(((k + 0.5) / n, names.index(name)) for name, n in own for k in range(n))
    serves = np.array([number for _, number in turns])
    inside = tiling.inside & (serves[tiling.pass_][:, None] == np.arange(len(names)))
    return replace(tiling, inside=inside).take(inside.any(axis=1)).renumbered()


def _tiles_of_file(
    scenario: Scenario,
    config: TileFile,
    folder: Path,
    footprints: Sequence[Footprint],
    notes: list[Problem],
) -> Tiling:
    table = read_tiles(folder / Path(config.path).expanduser(), columns=config.columns)
    tiling = serve(table, tuple(scenario.surveys), config.programmes)
    inside = tiling.inside.copy()
    if config.clip:
        radius = 0.5 * scenario.telescope.field_diameter_rad
        for column, footprint in enumerate(footprints):
            inside[:, column] &= Touch(footprint, radius)(tiling.ra_rad, tiling.dec_rad)
    south, north = reach(scenario)
    up = (tiling.dec_rad >= south) & (tiling.dec_rad <= north)
    keep = up & inside.any(axis=1)
    if not keep.all():
        notes.append(
            Problem(
                f"{len(keep) - int(keep.sum()):,} of {len(keep):,} tiles are left out: "
                f"{int((~up).sum()):,} do not rise high enough at this site, the others serve no "
                "survey or touch no footprint",
                "tiles.path",
            )
        )
    return replace(tiling, inside=inside).take(keep)


def _refuse_unreachable(
    scenario: Scenario, footprints: Sequence[Footprint], tiling: Tiling
) -> None:
    south, north = np.degrees(reach(scenario))
    radius = 0.5 * scenario.telescope.field_diameter_rad
    problems = []
    for number, name in enumerate(scenario.surveys):
        if tiling.inside[:, number].any():
            continue
        points = sample(footprints[number], 0.25 * radius)
        if not len(points):
            message, hint = "the footprint is empty", "its limits and shapes have nothing in common"
        elif isinstance(scenario.tiles, TileFile):
            message = "none of the tiles serves it"
            hint = "see tiles.programmes, and whether the list and the footprint overlap"
        else:
            message = (
                "nothing of its footprint rises high enough: declinations from "
                f"{south:.0f} to {north:.0f} deg can be observed, it has "
                f"{np.degrees(points[:, 1].min()):.1f} to {np.degrees(points[:, 1].max()):.1f}"
            )
            hint = "move the footprint, or choose another site"
        problems.append(Problem(message, f"surveys.{name}.footprint", hint=hint))
    if problems:
        raise ConfigError(problems)


def _fields_of_catalogues(
    scenario: Scenario,
    folder: Path,
    footprints: Sequence[Footprint],
    sources: Sources,
    tiling: Tiling,
    notes: list[Problem],
) -> Tiling:
    """Give the rows of catalogues for the mode ifs their tiles."""
    names, surveys = list(scenario.surveys), list(scenario.surveys.values())
    mine = [i for i, s in enumerate(surveys) if s.mode == "ifs" and s.source.kind == "catalogue"]
    if not mine:
        return tiling
    optics = ifs_optics(scenario)
    radius = 0.5 * scenario.telescope.field_diameter_rad
    parts = [footprints[i] for i in sources]
    fibres = Footprint(include=tuple(parts))
    points = sample(fibres, 0.25 * radius) if parts else np.zeros((0, 2))
    south, north = reach(scenario)
    for number in sorted(mine, key=lambda i: -surveys[i].priority):
        source = surveys[number].source
        assert isinstance(source, CatalogueFile)
        path = folder / Path(source.path).expanduser()
        table = read_fields(path, columns=source.columns)
        up = (table.dec_rad >= south) & (table.dec_rad <= north)
        led = lead(
            tiling,
            number,
            table,
            optics,
            surveys[number].pointing,
            field_radius_rad=radius,
            points=points,
            appeal=lambda ra, dec: _appeal(scenario, sources, ra, dec, radius),
            reachable=up & footprints[number].contains(table.ra_rad, table.dec_rad),
        )
        tiling = led.tiling
        where = f"surveys.{names[number]}.source"
        if led.missed == len(table):
            raise ConfigError(
                [
                    Problem(
                        f"none of its {len(table):,} fields gets a tile",
                        where,
                        hint="see its footprint, what rises high enough, and pointing",
                    )
                ]
            )
        if led.missed:
            notes.append(
                Problem(
                    f"{led.missed:,} of {len(table):,} fields get no tile: they are outside of the "
                    "footprint, do not rise high enough"
                    + (", or are in no patrol field" if led.added == 0 else ""),
                    where,
                )
            )
    return tiling


def ifs_optics(scenario: Scenario) -> IfsOptics:
    """The integral field and its patrol circle."""
    telescope = scenario.telescope
    return IfsOptics(telescope.ifs_field_rad, 0.5 * telescope.ifs_patrol_diameter_rad)


def _appeal(
    scenario: Scenario, sources: Sources, ra: FloatArray, dec: FloatArray, radius: float
) -> FloatArray:
    """Worth of the targets that fibres would find around centres."""
    surveys = list(scenario.surveys.values())
    fibres = science_fibres(scenario)
    worth = np.zeros(len(ra))
    for number, source in sources.items():
        there = mean_count(source, ra, dec, radius)
        share = np.minimum(there, fibres.get(surveys[number].mode, 0.0))
        worth += surveys[number].weight * share
    return worth


def _fields_of_tiles(scenario: Scenario, folder: Path, tiling: Tiling) -> Tiling:
    """Say where the integral field looks in tiles that no catalogue has asked for."""
    for number, survey in enumerate(scenario.surveys.values()):
        if not isinstance(survey.source, FixedFields):
            continue
        free = tiling.inside[:, number] & np.isnan(tiling.ifs_ra_rad)
        ra, dec = tiling.ra_rad[free], tiling.dec_rad[free]
        if survey.source.path is not None:
            path = folder / Path(survey.source.path).expanduser()
            table = read_fields(path, columns=survey.source.columns)
            ra, dec, _ = best_fields(ra, dec, table.ra_rad, table.dec_rad, ifs_optics(scenario))
        looks = tiling.ifs_ra_rad.copy(), tiling.ifs_dec_rad.copy()
        looks[0][free], looks[1][free] = ra, dec
        tiling = replace(tiling, ifs_ra_rad=looks[0], ifs_dec_rad=looks[1])
    return tiling
