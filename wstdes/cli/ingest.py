"""`wstdes ingest`: a catalogue of any size into a folder that scenarios can name."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ingest"]

_EVERY_S = 0.5


def ingest(
    catalogue: Annotated[
        Path, typer.Argument(help="A Parquet, CSV, FITS, ECSV or VOTable file.", show_default=False)
    ],
    out: Annotated[
        Path, typer.Option("--out", "-o", help="The folder to make.", show_default=False)
    ],
    column: Annotated[
        list[str] | None,
        typer.Option(
            "--column",
            "-c",
            metavar="PART=NAME",
            help="Which column is what, such as magnitude=my_mag or 'ra=alpha [hourangle]'.",
        ),
    ] = None,
    epoch: Annotated[float, typer.Option(help="Julian year of the positions.")] = 2016.0,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Leave out rows that cannot be right.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace what an earlier ingest made.")
    ] = False,
) -> None:
    """Check a catalogue and sort it by cells of sky, once, so that runs need not read it."""
    from wstdes.errors import CatalogueError
    from wstdes.survey.ingest import ingest as take_in

    columns = {}
    for given in column or []:
        part, sign, name = given.partition("=")
        if not (part and sign and name):
            raise CatalogueError(f"--column {given}: write PART=NAME, such as magnitude=my_mag")
        columns[part.strip()] = name.strip()
    begin = time.monotonic()
    manifest = take_in(
        catalogue,
        out,
        columns=columns,
        epoch_yr=epoch,
        skip_bad=skip_bad,
        overwrite=overwrite,
        report=_reporter(),
    )
    size = sum(file.stat().st_size for file in out.iterdir())
    print(f"{manifest.rows:,} targets in {time.monotonic() - begin:.0f} s, {size / 1e6:,.1f} MB")
    if manifest.dropped:
        print(f"{manifest.dropped:,} rows left out")
    if manifest.text_ids:
        print("Identifiers are text: targets are known by their rows; none was looked for twice")
    print(f"In a scenario: source: {{kind: catalogue, path: {out}}}")


def _reporter() -> Callable[[str, int, int | None], None] | None:
    """Say on a terminal how far it is; nothing in a pipe."""
    if not sys.stderr.isatty():
        return None
    stage, last_s = "", 0.0

    def report(what: str, done: int, of: int | None) -> None:
        nonlocal stage, last_s
        now = time.monotonic()
        if what == stage and now - last_s < _EVERY_S and done != of:
            return
        if stage and what != stage:
            sys.stderr.write("\n")
        stage, last_s = what, now
        share = f" of {of:,} ({100 * done / of:.0f} %)" if of else ""
        sys.stderr.write(f"\r{what}: {done:,}{share} rows")
        if done == of and what == "sorting":
            sys.stderr.write("\n")
        sys.stderr.flush()

    return report
