"""The archive: takes products in, and says from when they are public."""

from __future__ import annotations

from dataclasses import dataclass, field

from wstdes.agents.parts import Parts
from wstdes.agents.store import DataStore
from wstdes.config.scenario import ARCHIVE
from wstdes.kernel import Agent, Day, Timer

__all__ = ["Archive", "ArchiveState"]


@dataclass
class ArchiveState:
    """Products being taken in, with the time at which they are."""

    ingesting: dict[int, float] = field(default_factory=dict)


class Archive(Agent[ArchiveState]):
    """Checks and catalogues what arrives."""

    State = ArchiveState

    def __init__(
        self, day: Day, name: str, state: ArchiveState, parts: Parts, store: DataStore
    ) -> None:
        super().__init__(day, name, state)
        self.ingest_s = parts.scenario.pipeline.ingest_s
        self.store = store

    def start(self) -> None:
        """Go on with what was being taken in."""
        for number, done_s in self.state.ingesting.items():
            self._wait(number, done_s)

    def arrived(self, number: int, site: str) -> None:
        """Begin to take in a product that has arrived here and wants to be archived."""
        product = self.store.state.products[number]
        if site != ARCHIVE or not product.wants_archive or product.archived_s is not None:
            return
        if number not in self.state.ingesting:
            self.state.ingesting[number] = self.now + self.ingest_s
            self._wait(number, self.state.ingesting[number])

    def _wait(self, number: int, done_s: float) -> None:
        Timer(self.env, lambda: self._take_in(number)).set(done_s)

    def _take_in(self, number: int) -> None:
        del self.state.ingesting[number]
        self.store.archived(number)
