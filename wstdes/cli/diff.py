"""`wstdes diff`: what two scenarios differ in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from wstdes.cli.options import Overlays, Sets

__all__ = ["diff"]

Name = Annotated[str, typer.Argument(help="A scenario's name or a YAML file.")]


def diff(first: Name, second: Name, overlay: Overlays = None, set_: Sets = None) -> None:
    """List every value in which two resolved scenarios differ.

    Overlays and values that are set are laid over the second.
    """
    from rich.console import Console
    from rich.table import Table

    from wstdes.facility import load

    loaded = (load(first), load(second, overlays=overlay or [], overrides=set_ or []))
    a, b = (dict(_flat(each.readable(), "")) for each in loaded)
    exact_a, exact_b = (dict(_flat(each.resolved(), "")) for each in loaded)
    keys = [k for k in {**exact_a, **exact_b} if exact_a.get(k) != exact_b.get(k)]
    if not keys:
        print("no difference")
        return
    table = Table(box=None)
    for title in ("key", first, second):
        table.add_column(title, overflow="fold")
    for key in keys:
        table.add_row(key, str(a.get(key, "-")), str(b.get(key, "-")))
    Console(highlight=False, markup=False).print(table)


def _flat(data: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(data, dict):
        for key, value in data.items():
            yield from _flat(value, f"{path}.{key}" if path else key)
    else:
        yield path, data
