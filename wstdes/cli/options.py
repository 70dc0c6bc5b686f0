"""Options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

__all__ = ["Overlays", "ScenarioName", "Sets"]

ScenarioName = Annotated[
    str, typer.Argument(help="A scenario's name (see `wstdes list`) or a YAML file.")
]
Overlays = Annotated[
    list[str] | None,
    typer.Option("--overlay", "-o", help="Lay an overlay over the scenario; may be repeated."),
]
Sets = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        "-s",
        metavar="KEY=VALUE",
        help="Set a value, such as telescope.settle='10 s'; may be repeated.",
    ),
]
