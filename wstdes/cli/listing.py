"""`wstdes list`: what ships with wstdes."""

from __future__ import annotations

__all__ = ["list_"]


def list_() -> None:
    """List scenarios, overlays, hardware models, policies and tables."""
    from wstdes.agents.tables import TABLES
    from wstdes.config import scenario_names
    from wstdes.library import HARDWARE, library, shipped
    from wstdes.policies import BUILT_IN, known_policies

    def section(title: str, rows: list[tuple[str, str]]) -> None:
        print(title)
        width = max(len(name) for name, _ in rows)
        for name, text in rows:
            print(f"  {name:{width}}  {text}".rstrip())

    section(
        "Scenarios (wstdes run NAME; overlays with --overlay)",
        [(name, _title(path)) for name, path in scenario_names().items()],
    )
    kinds = sorted(p.name for p in library(HARDWARE).iterdir() if p.is_dir() and p.name[0] != "_")
    section("Hardware models", [(kind, ", ".join(shipped(HARDWARE, kind))) for kind in kinds])
    section("Policies", [(kind, ", ".join(known_policies(kind))) for kind in BUILT_IN])
    section("Tables of a run", [(table.name, table.row) for table in TABLES])


def _title(path: object) -> str:
    """The first comment of a scenario file."""
    from pathlib import Path

    first = Path(str(path)).read_text(encoding="utf-8").partition("\n")[0]
    return first.removeprefix("#").strip()
