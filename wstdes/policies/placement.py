"""Where a job is computed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from wstdes.config.base import Model
from wstdes.errors import did_you_mean
from wstdes.policies.base import NoOptions, Policy
from wstdes.policies.views import SiteLoad

__all__ = ["Fixed", "LeastBacklog", "PlacementPolicy"]


class PlacementPolicy(Protocol):
    """Chooses a site for a job."""

    def place(self, role: str, nodes: int, sites: Mapping[str, SiteLoad]) -> str:
        """Return the site; those offered have enough nodes of the job's pool."""


class FixedOptions(Model):
    """Options of :class:`Fixed`: a site for each role."""

    quicklook: str
    reduction: str
    products: str


class Fixed(Policy[FixedOptions]):
    """Each role has its site."""

    Options = FixedOptions

    @classmethod
    def check(cls, options: Any, scenario: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
        """Sites must exist, and have nodes for the stages that are put there."""
        computing = scenario.get("computing")
        sites = computing.get("sites") if isinstance(computing, dict) else None
        if not isinstance(sites, dict):
            return
        for role in FixedOptions.model_fields:
            name = getattr(options, role)
            if name not in sites:
                yield role, f"'{name}' is no compute site", did_you_mean(name, sites)
                continue
            yield from _too_small(role, name, sites[name], scenario)

    def place(self, role: str, nodes: int, sites: Mapping[str, SiteLoad]) -> str:
        """Return the role's site."""
        return str(getattr(self.options, role))


def _too_small(
    role: str, name: str, site: Any, scenario: Mapping[str, Any]
) -> Iterator[tuple[str, str, str]]:
    pipeline = scenario.get("pipeline")
    stages = pipeline.get("stages") if isinstance(pipeline, dict) else None
    if not isinstance(stages, dict) or not isinstance(site, dict):
        return
    for label, stage in stages.items():
        if not isinstance(stage, dict) or stage.get("role") != role:
            continue
        have, want = site.get(f"{stage.get('pool')}_nodes"), stage.get("nodes")
        if isinstance(have, int) and isinstance(want, int) and have < want:
            yield (
                role,
                f"stage {label} needs {want} {stage['pool']} nodes, but '{name}' has {have}",
                f"give computing.sites.{name} more nodes, or place the role elsewhere",
            )
            return


class LeastBacklog(Policy[NoOptions]):
    """The site where the work that waits would be done first."""

    def place(self, role: str, nodes: int, sites: Mapping[str, SiteLoad]) -> str:
        """Return the site with the least waiting time; ties go by name."""
        return min(
            sites, key=lambda s: (sites[s].waiting_node_s / (sites[s].nodes * sites[s].speed), s)
        )
