"""Energy, carbon and money of a run, item by item, from its tables and its scenario."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from wstdes.clock import DAY_S, YEAR_S
from wstdes.config.data_systems import ComputeSite, Grid
from wstdes.config.scenario import ARCHIVE, MOUNTAIN, Scenario
from wstdes.study.columns import codes, floats, texts
from wstdes.study.run import Run

__all__ = ["Entry", "accounts", "energy_by_agent", "supply_by_site"]

NETWORK = "network"


@dataclass(frozen=True)
class Entry:
    """One item of the accounts.

    Parameters
    ----------
    account : {'carbon', 'money'}
        Which account.
    site : str
        Where.
    item : str
        What for.
    value : float
        [kg CO2e] or [EUR].
    basis : {'operation', 'share'}
        Paid in the run, or the run's share of something that lasts longer.
    """

    account: str
    site: str
    item: str
    value: float
    basis: str


def _array(run: Run, table: str, column: str) -> NDArray[np.float64]:
    return np.asarray(run.table(table, [column]).column(column).to_numpy(), dtype=np.float64)


def energy_by_agent(run: Run) -> dict[tuple[str, str], float]:
    """Energy drawn [J], by site and agent (with its load, if it has several)."""
    table = run.table("power")
    if not table.num_rows:
        return {}
    joules = (floats(table, "end_s") - floats(table, "start_s")) * floats(table, "value")
    (site, sites), (agent, agents), (load, loads) = (
        codes(table, n) for n in ("site", "agent", "load")
    )
    place = (site * len(agents) + agent) * len(loads) + load
    there, first = np.unique(place, return_index=True)
    sums = np.bincount(place, joules)
    found: dict[tuple[str, str], float] = {}
    for key in there[np.argsort(first)].tolist():
        what, which = str(agents[key // len(loads) % len(agents)]), str(loads[key % len(loads)])
        name = (str(sites[key // len(loads) // len(agents)]), f"{what}/{which}" if which else what)
        found[name] = found.get(name, 0.0) + float(sums[key])
    return found


def supply_by_site(run: Run) -> dict[str, dict[str, float]]:
    """Energy [J] and carbon [kg] of the supply, by site.

    Returns
    -------
    dict
        By site: load, solar (available), solar_used, charged, discharged, grid [J]; carbon [kg].
    """
    table = run.table("supply")
    site = texts(table, "site")
    seconds = table.column("end_s").to_numpy() - table.column("start_s").to_numpy()

    def total(mine: NDArray[np.bool_], watts: NDArray[np.float64]) -> float:
        return float(np.sum(watts[mine] * seconds[mine]))

    column = {n: table.column(n).to_numpy() for n in table.column_names if n.endswith(("_w", "_j"))}
    found = {}
    for name in sorted(set(site)):
        mine = np.asarray(site == name)
        found[name] = {
            "load": total(mine, column["load_w"]),
            "solar": total(mine, column["solar_w"]),
            "solar_used": total(mine, column["solar_used_w"]),
            "charged": total(mine, np.maximum(column["battery_w"], 0.0)),
            "discharged": total(mine, np.maximum(-column["battery_w"], 0.0)),
            "grid": total(mine, column["grid_w"]),
            "carbon": total(mine, column["grid_w"] * column["carbon_kg_per_j"]),
        }
    return found


def accounts(run: Run) -> list[Entry]:
    """Carbon and money of a run.

    Parameters
    ----------
    run : Run
        With at least one night.

    Returns
    -------
    list of Entry
        What was emitted and paid in the run's time, and the run's share of what lasts longer:
        embodied carbon and price over lifetime, in proportion to time. Building and running the
        observatory itself stand under the item ``observatory``.
    """
    scenario = run.scenario
    seconds = run.nights * DAY_S
    return [
        *_electricity(run, scenario),
        *_computing(run, scenario, seconds),
        *_links(scenario, seconds),
        *_plant(scenario, seconds),
        *_observatory(scenario, seconds),
    ]


def grids(scenario: Scenario) -> dict[str, Grid]:
    """The grid of each site, the network included."""
    found = {name: site.grid for name, site in scenario.computing.sites.items()}
    return found | {NETWORK: scenario.network.grid}


def _electricity(run: Run, scenario: Scenario) -> Iterator[Entry]:
    grid = grids(scenario)
    for site, sums in supply_by_site(run).items():
        price = grid[site].price_eur_per_j * sums["grid"]
        yield Entry("carbon", site, "electricity", sums["carbon"], "operation")
        yield Entry("money", site, "electricity", price, "operation")


def _computing(run: Run, scenario: Scenario, seconds: float) -> Iterator[Entry]:
    stored = mean_stored_bytes(run)
    for name, site in scenario.computing.sites.items():
        for pool, node in (("cpu", site.cpu), ("gpu", site.gpu)):
            count = site.cpu_nodes if pool == "cpu" else site.gpu_nodes
            share = count * seconds / node.lifetime_s
            yield Entry("carbon", name, "nodes", share * node.embodied_kg, "share")
            yield Entry("money", name, "nodes", share * node.price_eur, "share")
        yield from _storage(name, site, stored.get(name, 0.0), seconds)


def _storage(name: str, site: ComputeSite, used: float, seconds: float) -> Iterator[Entry]:
    """Storage outside the archive is bought whole; the archive grows with what it holds."""
    size = used if name == ARCHIVE else site.capacity_bytes
    share = size * seconds / site.storage.lifetime_s
    yield Entry("carbon", name, "storage", share * site.storage.embodied_kg_per_byte, "share")
    yield Entry("money", name, "storage", share * site.storage.price_eur_per_byte, "share")


def mean_stored_bytes(run: Run) -> dict[str, float]:
    """Mean amount stored at each site [byte], over the run."""
    table = run.table("levels", ["start_s", "end_s", "value", "site", "level"])
    table = table.filter(pc.equal(table.column("level"), "stored_bytes"))
    if not table.num_rows:
        return {}
    held = (floats(table, "end_s") - floats(table, "start_s")) * floats(table, "value")
    site, sites = codes(table, "site")
    sums = np.bincount(site, held)
    return {str(n): float(v) / (run.nights * DAY_S) for n, v in zip(sites, sums, strict=True)}


def _links(scenario: Scenario, seconds: float) -> Iterator[Entry]:
    for link in scenario.network.links.values():
        yield Entry(
            "money", NETWORK, "links", link.price_eur_per_yr * seconds / YEAR_S, "operation"
        )


def _plant(scenario: Scenario, seconds: float) -> Iterator[Entry]:
    for item, thing in (
        ("solar plant", scenario.power.photovoltaics),
        ("battery", scenario.power.battery),
    ):
        share = seconds / thing.lifetime_s
        yield Entry("carbon", MOUNTAIN, item, share * thing.embodied_kg, "share")
        yield Entry("money", MOUNTAIN, item, share * thing.price_eur, "share")


def _observatory(scenario: Scenario, seconds: float) -> Iterator[Entry]:
    costs = scenario.costs
    built = costs.construction_eur * seconds / costs.facility_lifetime_s
    run = costs.construction_eur * costs.operations_per_year * seconds / YEAR_S
    yield Entry("money", "observatory", "construction", built, "share")
    yield Entry("money", "observatory", "operations", run, "operation")
