"""`wstdes diff`: what two scenarios differ in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import typer

__all__ = ["diff"]

Name = Annotated[str, typer.Argument(help="A scenario's name or a YAML file.")]


def diff(first: Name, second: Name) -> None:
    """List every value in which two resolved scenarios differ."""
    from rich.console import Console
    from rich.table import Table

    from wstdes.facility import load

    a, b = (dict(_flat(load(name).readable(), "")) for name in (first, second))
    exact_a, exact_b = (dict(_flat(load(name).resolved(), "")) for name in (first, second))
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
