"""The facility: every agent, assembled in one place, and a run as a fold over days.

``states' = simulate_day(states, day)``: from local noon to local noon, in a fresh SimPy
environment built from the states. All that is under way at noon is data in them. An uninterrupted
run and one that was written down at a noon and taken up again are therefore the same program.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pyarrow as pa
import simpy

from wstdes.agents.archive import Archive
from wstdes.agents.broker import AlertBroker
from wstdes.agents.bundles import BundledPipeline
from wstdes.agents.calibration import Calibration
from wstdes.agents.computing import ComputeSite
from wstdes.agents.dome import Dome
from wstdes.agents.network import Links
from wstdes.agents.observer import Observer
from wstdes.agents.parts import Parts
from wstdes.agents.pipeline import Pipeline
from wstdes.agents.plant import PowerPlant
from wstdes.agents.positioners import Positioners
from wstdes.agents.quality import QualityControl
from wstdes.agents.spectrographs import Spectrographs
from wstdes.agents.store import DataStore
from wstdes.agents.tables import TABLES
from wstdes.agents.telemetry import Telemetry
from wstdes.agents.telescope import Telescope
from wstdes.agents.weather import Weather
from wstdes.assembly import make_parts
from wstdes.clock import DAY_S
from wstdes.config import Loaded, load_scenario
from wstdes.config.base import PolicyRef
from wstdes.config.scenario import ARCHIVE
from wstdes.errors import ConfigError, Problem, did_you_mean
from wstdes.kernel import Agent, Day, Streams, Table, Trace, load_state, save_state
from wstdes.policies import check_policies

__all__ = ["Facility", "build", "load"]

States = dict[str, Any]


def load(
    name: str | Path, *, overlays: Sequence[str] = (), overrides: Sequence[str] = ()
) -> Loaded:
    """Load and validate a scenario, its policies included.

    Parameters
    ----------
    name : str or pathlib.Path
        A file, or the name of a shipped scenario.
    overlays : sequence of str
        Files or shipped overlays laid over it, in order.
    overrides : sequence of str
        ``key.path=value``, laid over it last.

    Returns
    -------
    Loaded

    Raises
    ------
    ConfigError
        Everything that is wrong, at once.
    """
    return load_scenario(name, overlays=overlays, overrides=overrides, checks=[check_policies])


def build(loaded: Loaded) -> Facility:
    """Make the facility of a scenario: read catalogues, lay out fibres and tiles.

    Raises
    ------
    ConfigError, CatalogueError, MissingExtraError
        What the scenario names cannot be had.
    """
    guests = {name: _guest_class(name, ref) for name, ref in sorted(loaded.scenario.agents.items())}
    facility = Facility(make_parts(loaded), {})
    taken = [name for name in guests if name in facility.state_types()]
    if taken:
        problems = [Problem("this name is a built-in agent's", f"agents.{n}") for n in taken]
        raise ConfigError(problems)
    return Facility(facility.parts, guests)


def _guest_class(name: str, ref: PolicyRef) -> type[Any]:
    """Return the class of a user's own agent: an entry point's name, or package.module:Class."""
    path = f"agents.{name}.use"
    installed = {entry.name: entry for entry in entry_points(group="wstdes.agents")}
    module, colon, attribute = ref.use.partition(":")
    try:
        if ref.use in installed:
            found = installed[ref.use].load()
        elif colon:
            found = getattr(import_module(module), attribute)
        else:
            hint = did_you_mean(ref.use, installed) or "write package.module:Class"
            raise ConfigError([Problem(f"'{ref.use}' is no agent known here", path, hint=hint)])
    except (ImportError, AttributeError) as error:
        problem = Problem(f"'{ref.use}' cannot be imported: {error}", path)
        raise ConfigError([problem]) from None
    if not (isinstance(found, type) and issubclass(found, Agent) and hasattr(found, "State")):
        raise ConfigError([Problem(f"'{ref.use}' is no Agent with a State", path)])
    return found


@dataclass
class Facility:
    """All agents of a scenario.

    Parameters
    ----------
    parts : Parts
        Fixed parts.
    guests : mapping of str to type
        Classes of the user's own agents.
    """

    parts: Parts
    guests: Mapping[str, type[Any]] = field(default_factory=dict)

    @property
    def tables(self) -> tuple[Table, ...]:
        """All tables that the agents write."""
        own = [t for guest in self.guests.values() for t in getattr(guest, "TABLES", ())]
        return (*TABLES, *own)

    def state_types(self) -> dict[str, type[Any]]:
        """The dataclass of each agent's state, in the order in which agents start."""
        types: dict[str, type[Any]] = {
            "weather": Weather.State,
            "store": DataStore.State,
            "network": Links.State,
            "quality": QualityControl.State,
            "pipeline": Pipeline.State,
        }
        types |= {f"computing@{s}": ComputeSite.State for s in self.parts.scenario.computing.sites}
        types |= {"archive": Archive.State, "telescope": Telescope.State}
        types |= {"positioners": Positioners.State}
        types |= {f"spectrographs-{mode}": Spectrographs.State for mode in self.parts.modes}
        types |= {"calibration": Calibration.State, "broker": AlertBroker.State}
        types |= {"observer": Observer.State, "telemetry": Telemetry.State}
        types |= {name: guest.State for name, guest in self.guests.items()}
        return types | {"plant": PowerPlant.State}

    def new_states(self) -> States:
        """States before the first noon."""
        return {name: kind() for name, kind in self.state_types().items()}

    def save(self, folder: Path, states: States, day: int) -> None:
        """Write the states at the noon that begins a day."""
        save_state(folder, states, day)

    def restore(self, folder: Path) -> tuple[States, int]:
        """Read what :meth:`save` wrote: the states, and the day they begin."""
        return load_state(folder, self.state_types())

    def simulate_day(self, states: States, index: int) -> dict[str, pa.Table]:
        """Simulate from one local noon to the next.

        Parameters
        ----------
        states : dict of str to dataclass
            At the first noon; changed in place to those at the second.
        index : int
            Number of the day, from 0.

        Returns
        -------
        dict of str to pyarrow.Table
            The rows of the day, by table.
        """
        return self.trace_day(states, index).flush()

    def trace_day(self, states: States, index: int) -> Trace:
        """Simulate a day as :meth:`simulate_day` does, and return its rows as they are."""
        start_s = index * DAY_S
        day = Day(
            index,
            start_s,
            start_s + DAY_S,
            simpy.Environment(initial_time=start_s),
            Trace(self.tables),
            Streams(self.parts.scenario.seed),
        )
        agents = self._assemble(day, states)
        for agent in agents:
            agent.start()
        day.env.run(until=day.end_s)
        for agent in agents:
            agent.close()
        day.power.close()
        day.levels.close()
        return day.trace

    def _assemble(self, day: Day, states: States) -> list[Agent[Any]]:
        """Make the day's agents and tell each whom it works with."""
        parts = self.parts
        weather = Weather(day, "weather", states["weather"], parts)
        store = DataStore(day, "store", states["store"], parts)
        links = Links(day, "network", states["network"], parts)
        quality = QualityControl(day, "quality", states["quality"], parts)
        kind = BundledPipeline if parts.scenario.dataflow.bundled else Pipeline
        pipeline = kind(day, "pipeline", states["pipeline"], parts, store, links, quality)
        sites = {
            site: ComputeSite(
                day,
                f"computing@{site}",
                states[f"computing@{site}"],
                parts,
                site,
                pipeline.finished,
            )
            for site in parts.scenario.computing.sites
        }
        archive = Archive(day, "archive", states["archive"], parts, store)
        telescope = Telescope(day, "telescope", states["telescope"], parts)
        positioners = Positioners(day, "positioners", states["positioners"], parts)
        spectrographs = {
            mode: Spectrographs(
                day,
                f"spectrographs-{mode}",
                states[f"spectrographs-{mode}"],
                parts,
                mode,
                store.write,
            )
            for mode in parts.modes
        }
        calibration = Calibration(
            day,
            "calibration",
            states["calibration"],
            parts,
            spectrographs,
            pipeline.complete,
            pipeline.expect,
        )
        broker = AlertBroker(day, "broker", states["broker"], parts)
        dome = Dome(
            weather, telescope, positioners, spectrographs, calibration, broker, quality, pipeline
        )
        observer = Observer(day, "observer", states["observer"], parts, dome)
        telemetry = Telemetry(day, "telemetry", states["telemetry"], parts, store, weather, links)
        plant = PowerPlant(day, "plant", states["plant"], parts, weather)

        pipeline.sites = sites
        store.on_created.append(pipeline.created)
        if isinstance(pipeline, BundledPipeline):
            store.on_frames.append(pipeline.noted)
        store.in_transit = lambda: links.moving_to(ARCHIVE)
        store.ingesting = lambda: set(archive.state.ingesting)
        links.on_arrival += [store.arrived, pipeline.arrived, archive.arrived]
        quality.on_verdict += [pipeline.verdict, observer.verdict]

        agents: list[Agent[Any]] = [weather, store, links, quality, pipeline, *sites.values()]
        agents += [archive, telescope, positioners, *spectrographs.values()]
        agents += [calibration, broker, observer, telemetry]
        known = {agent.name: agent for agent in agents}
        guests = [
            guest(day, name, states[name], parts, parts.scenario.agents[name].options, known)
            for name, guest in self.guests.items()
        ]
        return [*agents, *guests, plant]
