"""`wstdes tiles`: how the tiles of a scenario cover its surveys."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from wstdes.cli.options import Overlays, ScenarioName, Sets

if TYPE_CHECKING:
    from wstdes.agents.parts import Parts
    from wstdes.survey.footprint import Footprint

__all__ = ["tiles"]

FORMATS = {".csv": "ascii.csv", ".ecsv": "ascii.ecsv", ".fits": "fits"}


def tiles(
    scenario: ScenarioName,
    out: Annotated[Path | None, typer.Option(help="Write the tiles: .csv, .ecsv or .fits.")] = None,
    figure: Annotated[
        Path | None, typer.Option(help="Draw them on the sky: .png, .pdf or .svg.")
    ] = None,
    overlay: Overlays = None,
    set_: Sets = None,
) -> None:
    """Say how the tiles of a scenario cover its surveys; write them, and draw them."""
    from wstdes.cli.text import tell
    from wstdes.errors import WstdesError
    from wstdes.facility import build, load
    from wstdes.pointing import make_footprint

    if out is not None and out.suffix.lower() not in FORMATS:
        raise WstdesError(f"--out {out}: write to one of {', '.join(FORMATS)}")
    if figure is not None and figure.suffix.lower() not in {".png", ".pdf", ".svg"}:
        raise WstdesError(f"--figure {figure}: draw to one of .png, .pdf, .svg")
    loaded = load(scenario, overlays=overlay or [], overrides=set_ or [])
    parts = build(loaded).parts
    footprints = {
        name: make_footprint(survey.footprint, loaded.folder)
        for name, survey in parts.scenario.surveys.items()
    }
    _show(parts, footprints)
    if out is not None:
        _write(out, parts)
        print(f"Tiles   {out}")
    if figure is not None:
        from wstdes.report.tiles import save_tiles

        radius = 0.5 * parts.scenario.telescope.field_diameter_rad
        save_tiles(figure, parts.tiling, footprints, radius)
        print(f"Figure  {figure}")
    tell(parts.notes)


def _show(parts: Parts, footprints: dict[str, Footprint]) -> None:
    """A row a survey: its sky, its tiles, how often they cover it, what they hold."""
    import sys

    import numpy as np
    from rich.console import Console
    from rich.table import Table

    from wstdes.survey.area import area_sr, sample
    from wstdes.survey.tiling import counts_within

    radius = 0.5 * parts.scenario.telescope.field_diameter_rad
    tiling, passes = parts.tiling, np.unique(parts.tiling.pass_)
    table = Table(title=f"{parts.scenario.title}: {len(tiling):,} tiles", title_justify="left")
    table.add_column("survey", no_wrap=True)
    heads = ["area [deg2]", "tiles", "by pass", "covered", "times", "targets a tile"]
    for head in heads:
        table.add_column(head, justify="right")
    for number, (name, footprint) in enumerate(footprints.items()):
        mine = tiling.inside[:, number]
        area, error = area_sr(footprint)
        points = sample(footprint, 0.25 * radius)
        times = counts_within(tiling.ra_rad[mine], tiling.dec_rad[mine], points, radius)
        by_pass = [int((tiling.pass_[mine] == one).sum()) for one in passes]
        held = "-"
        if number in parts.tile_surveys:
            there = parts.expected[mine, parts.tile_surveys.index(number)]
            held = f"{there.mean():,.0f}"
        table.add_row(
            name,
            _with_error(area * math.degrees(1.0) ** 2, error * math.degrees(1.0) ** 2),
            f"{int(mine.sum()):,}",
            " ".join(f"{n:,}" for n in by_pass[:9]) + (" ..." if len(by_pass) > 9 else ""),
            f"{100.0 * (times > 0).mean():.1f} %",
            f"{times.mean():.2f}",
            held,
        )
    console = Console(width=None if sys.stdout.isatty() else 110, highlight=False)
    console.print(table)
    console.print(
        "covered: share of the footprint in a field; times: fields that a point of it is in, on "
        "average."
    )


def _with_error(value: float, error: float) -> str:
    if error <= 0.0:
        return f"{value:,.0f}"
    places = max(0, -math.floor(math.log10(error)))
    return f"{value:,.{places}f} ± {error:.{places}f}"


def _write(path: Path, parts: Parts) -> None:
    """Write the tiles as a table that the key `tiles` reads again."""
    import numpy as np
    from astropy import units
    from astropy.table import Table

    tiling, names = parts.tiling, np.array(parts.survey_names)
    served = [" ".join(names[row]) for row in tiling.inside]
    columns: dict[str, Any] = {
        "id": tiling.ids,
        "ra": np.degrees(tiling.ra_rad),
        "dec": np.degrees(tiling.dec_rad),
        "pass": tiling.pass_,
        "programme": served,
    }
    if np.isfinite(tiling.design_ha_rad).all():
        columns["design_ha"] = np.degrees(tiling.design_ha_rad)
    if np.isfinite(tiling.extinction_mag).all():
        columns["extinction"] = tiling.extinction_mag
    if np.isfinite(tiling.ifs_ra_rad).any():
        columns["ifs_ra"] = np.degrees(tiling.ifs_ra_rad)
        columns["ifs_dec"] = np.degrees(tiling.ifs_dec_rad)
    table = Table(columns)
    for name in ("ra", "dec", "design_ha", "ifs_ra", "ifs_dec"):
        if name in table.colnames:
            table[name].unit = units.deg
    table.write(path, format=FORMATS[path.suffix.lower()], overwrite=True)
