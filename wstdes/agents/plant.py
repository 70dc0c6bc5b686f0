"""The power plants: what is drawn at each site is supplied, to the joule."""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import numpy as np
import simpy

from wstdes.agents.network import SITE as NETWORK
from wstdes.agents.parts import Parts
from wstdes.agents.skies import day_sky
from wstdes.agents.weather import STEP_S, Weather
from wstdes.config.data_systems import Grid
from wstdes.config.scenario import MOUNTAIN
from wstdes.kernel import Afterwards, Agent, Day, Timer
from wstdes.models.energy import carbon_shape, clear_sky_share, cloud_share
from wstdes.policies.views import PowerView

__all__ = ["PlantState", "PowerPlant"]


@dataclass
class PlantState:
    """Energy in the battery [J]; negative before the first day."""

    stored_j: float = -1.0


@dataclass(frozen=True, slots=True)
class _Supply:
    """The powers of a site, constant for a while."""

    load_w: float = 0.0
    solar_w: float = 0.0
    solar_used_w: float = 0.0
    battery_w: float = 0.0
    grid_w: float = 0.0
    carbon_kg_per_j: float = 0.0


@dataclass
class _Site:
    """A site's supply since a moment, and the carbon of its grid by local hour [kg/J]."""

    utc_offset_s: float
    carbon_kg_per_j: tuple[float, ...]
    balance: Afterwards
    since_s: float = 0.0
    supply: _Supply = _Supply()


class PowerPlant(Agent[PlantState]):
    """Covers every load: from the Sun and the battery on the mountain, from the grid elsewhere.

    Solar output is a step function with the weather's steps; between steps powers change only
    with the loads and when the battery is full or empty, so every interval is exact. However many
    loads of a site change at a moment, its supply changes once.
    """

    State = PlantState

    def __init__(
        self, day: Day, name: str, state: PlantState, parts: Parts, weather: Weather
    ) -> None:
        super().__init__(day, name, state)
        self.parts = parts
        self.weather = weather
        self.model = parts.scenario.power
        self.dispatch = parts.policies.dispatch
        grids = {s: c.grid for s, c in parts.scenario.computing.sites.items()}
        grids[NETWORK] = parts.scenario.network.grid
        self._sites = {name: self._site(name, grid) for name, grid in grids.items()}
        self._solar_w = 0.0
        self._clear = self._clear_shares()
        self._battery = Timer(day.env, lambda: self._balance(MOUNTAIN))

    def start(self) -> None:
        """Begin with a full battery on the first day; follow loads, Sun and hours."""
        if self.state.stored_j < 0:
            self.state.stored_j = self.model.battery.capacity_j
        self._solar_w = self._solar()
        for name, site in self._sites.items():
            site.since_s = self.now
            self._balance(name)
            self.day.power.listen(name, site.balance.ask)
        self.env.process(self._follow_sun())
        self.env.process(self._follow_hours())

    def close(self) -> None:
        """End the intervals at noon."""
        for name, site in self._sites.items():
            self._write(name, site)

    def _follow_sun(self) -> Generator[simpy.Event, Any, None]:
        while True:
            yield self.weather.changed.wait()
            solar_w = self._solar()
            if solar_w != self._solar_w:
                self._solar_w = solar_w
                self._balance(MOUNTAIN)

    def _follow_hours(self) -> Generator[simpy.Event, Any, None]:
        start = self.parts.clock.start_unix_s + self.day.start_s
        first = 3600.0 - start % 3600.0
        for hour in range(24):
            yield self.env.timeout(self.day.start_s + first + 3600.0 * hour - self.now)
            for name, site in self._sites.items():
                if site.supply.carbon_kg_per_j != self._carbon(site):
                    self._balance(name)

    def _site(self, name: str, grid: Grid) -> _Site:
        carbon = tuple(grid.carbon_kg_per_j * share for share in carbon_shape(grid.hourly_shape))
        return _Site(grid.utc_offset_s, carbon, Afterwards(self.env, lambda: self._balance(name)))

    def _solar(self) -> float:
        """Solar output [W] for the step that begins now: the Sun in the middle of it."""
        if not self.model.photovoltaics.capacity_w:
            return 0.0
        step = int((self.now - self.day.start_s) // STEP_S)
        share = min(1.0, self.parts.solar_scale * self._clear[min(step, len(self._clear) - 1)])
        if not share:
            return 0.0
        cloud = float(cloud_share(np.array(self.weather.current.transparency)))
        return self.model.photovoltaics.capacity_w * share * cloud

    def _clear_shares(self) -> list[float]:
        """Clear-sky share in the middle of each of the weather's steps of the day."""
        middle = np.arange(self.day.start_s + 0.5 * STEP_S, self.day.end_s, STEP_S)
        sky = day_sky(self.parts.clock, self.parts.horizon, self.day.index)
        return [float(x) for x in clear_sky_share(sky.almanac.at(middle).sun_altitude_rad)]

    def _carbon(self, site: _Site) -> float:
        """Carbon intensity of a grid now [kg/J]; a moment on the hour belongs to the new hour."""
        local_s = self.parts.clock.start_unix_s + self.now + site.utc_offset_s
        return site.carbon_kg_per_j[int((local_s + 1e-3) // 3600.0) % 24]

    def _balance(self, name: str) -> None:
        """Supply a site's load anew."""
        site = self._sites[name]
        self._write(name, site)
        load, carbon = self.day.power.total(name), self._carbon(site)
        if name != MOUNTAIN:
            site.supply = _Supply(load, grid_w=load, carbon_kg_per_j=carbon)
            return
        charge, discharge = self._charge_limit(), min(load, self._discharge_limit())
        wish = self.dispatch.battery_w(PowerView(load, self._solar_w, charge, discharge))
        battery = max(-discharge, min(charge, wish))
        used = min(self._solar_w, load + battery)
        grid = load + battery - used
        site.supply = _Supply(load, self._solar_w, used, battery, grid, carbon)
        self._set_battery_timer(battery)

    def _charge_limit(self) -> float:
        full = self.model.battery.capacity_j - self.state.stored_j <= 1.0
        return 0.0 if full else self.model.battery.power_w

    def _discharge_limit(self) -> float:
        return 0.0 if self.state.stored_j <= 1.0 else self.model.battery.power_w

    def _stored_rate(self, battery_w: float) -> float:
        """How fast the stored energy changes [W]; each way loses the root of a cycle's loss."""
        way = math.sqrt(self.model.battery.efficiency)
        return battery_w * way if battery_w > 0 else battery_w / way

    def _set_battery_timer(self, battery_w: float) -> None:
        rate = self._stored_rate(battery_w)
        if rate > 0:
            left = self.model.battery.capacity_j - self.state.stored_j
            self._battery.set(self.now + left / rate)
        elif rate < 0:
            self._battery.set(self.now + self.state.stored_j / -rate)
        else:
            self._battery.cancel()

    def _write(self, name: str, site: _Site) -> None:
        """End a site's interval."""
        supply, seconds = site.supply, self.now - site.since_s
        if seconds <= 0:
            return
        stored = 0.0
        if name == MOUNTAIN:
            stored = self.state.stored_j + self._stored_rate(supply.battery_w) * seconds
            stored = self.state.stored_j = min(self.model.battery.capacity_j, max(0.0, stored))
        self.record(
            "supply",
            start_s=site.since_s,
            end_s=self.now,
            site=name,
            load_w=supply.load_w,
            solar_w=supply.solar_w,
            solar_used_w=supply.solar_used_w,
            battery_w=supply.battery_w,
            grid_w=supply.grid_w,
            carbon_kg_per_j=supply.carbon_kg_per_j,
            stored_j=stored,
        )
        site.since_s = self.now
