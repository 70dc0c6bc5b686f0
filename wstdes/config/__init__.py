"""Scenarios: schema, loading, digest. The rest of the program sees nothing else of the YAML."""

from wstdes.config.digest import digest
from wstdes.config.loading import Loaded, find_scenario, load_scenario, scenario_names
from wstdes.config.scenario import Scenario

__all__ = ["Loaded", "Scenario", "digest", "find_scenario", "load_scenario", "scenario_names"]
