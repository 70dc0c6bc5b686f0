"""The command `wstdes`."""

from __future__ import annotations

import sys

import typer

from wstdes.cli import (
    allocate,
    diff,
    ingest,
    listing,
    report,
    run,
    schema,
    show,
    snr,
    tiles,
    validate,
    why,
)
from wstdes.errors import WstdesError

__all__ = ["app", "main"]

app = typer.Typer(
    name="wstdes",
    help="Simulate the Wide-field Spectroscopic Telescope, from target catalogue to archive.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("run")(run.run)
app.command("allocate")(allocate.allocate)
app.command("ingest")(ingest.ingest)
app.command("validate")(validate.validate)
app.command("show")(show.show)
app.command("diff")(diff.diff)
app.command("snr")(snr.snr)
app.command("schema")(schema.schema)
app.command("list")(listing.list_)
app.command("report")(report.report)
app.command("tiles")(tiles.tiles)
app.command("why")(why.why)


def main() -> None:
    """Run the command line; what a user can mend ends with words and exit code 2."""
    try:
        app()
    except WstdesError as error:
        sys.stderr.write(f"wstdes: {error}\n")
        sys.exit(2)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)


if __name__ == "__main__":
    main()
