"""`wstdes report`: draw the report of a run again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["report"]


def report(folder: Annotated[Path, typer.Argument(help="A run directory.")]) -> None:
    """Draw the report of a run again; nothing is simulated."""
    from wstdes.errors import RunError
    from wstdes.report import write_report
    from wstdes.study.runner import write_summary

    run = write_summary(folder)
    if not run.nights:
        raise RunError(f"{folder} holds no finished night: there is nothing to report")
    print(write_report(run))
