"""`wstdes validate`: check a scenario without running it."""

from __future__ import annotations

from wstdes.cli.options import Overlays, ScenarioName, Sets
from wstdes.cli.text import tell

__all__ = ["validate"]


def validate(scenario: ScenarioName, overlay: Overlays = None, set_: Sets = None) -> None:
    """Check a scenario, its hardware models, policies and catalogues; run nothing."""
    from wstdes.config import digest
    from wstdes.facility import build, load

    loaded = load(scenario, overlays=overlay or [], overrides=set_ or [])
    facility = build(loaded)
    assumed = sum(p.confidence == "assumed" for p in loaded.provenance.values())
    print(f"{loaded.scenario.name}: valid")
    print(f"  digest   {digest(loaded.scenario)}")
    print(f"  files    {len(loaded.files)}")
    print(f"  hardware {len(loaded.provenance)} values, {assumed} of them assumed")
    tell(facility.parts.notes)
