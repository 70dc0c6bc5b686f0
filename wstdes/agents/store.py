"""Where the files are: what each site holds, and when copies go."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field

from wstdes._version import __version__
from wstdes.agents.parts import Parts
from wstdes.agents.records import Bundle, Frames, Product, work_key
from wstdes.config.scenario import ARCHIVE, MOUNTAIN
from wstdes.kernel import Agent, Day, Timer
from wstdes.policies.views import ProductView

__all__ = ["DataStore", "DataStoreState"]

UNUSED = "/unused"
"""Ending of the names of bundles that nothing is computed from."""


@dataclass
class DataStoreState:
    """All live products, and what the archive has taken in.

    Parameters
    ----------
    products : dict of int to Product
        Those that have a copy outside the archive, or are not archived yet.
    archived : dict of str to list
        Files and bytes in the archive, by kind.
    lost : dict of str to list
        Files and bytes lost, by kind.
    written : dict of str to list
        Files and bytes written, by kind.
    bundles : dict of str to Bundle
        Frames that wait for those that will be one product with them, by the work they are for.
    """

    count: int = 0
    products: dict[int, Product] = field(default_factory=dict)
    archived: dict[str, list[float]] = field(default_factory=dict)
    lost: dict[str, list[float]] = field(default_factory=dict)
    written: dict[str, list[float]] = field(default_factory=dict)
    bundles: dict[str, Bundle] = field(default_factory=dict)


class DataStore(Agent[DataStoreState]):
    """Knows each product and its copies; asks the retention policy when a copy may go."""

    State = DataStoreState

    def __init__(self, day: Day, name: str, state: DataStoreState, parts: Parts) -> None:
        super().__init__(day, name, state)
        self.parts = parts
        self.on_created: list[Callable[[Product], None]] = []
        """Called with each new product."""
        self.on_frames: list[Callable[[Frames], None]] = []
        """Called with frames that join a bundle."""
        self.grain = parts.scenario.dataflow.grain
        self._used: dict[str, float] = {}
        self._due: list[tuple[float, int]] = []
        self._timer = Timer(day.env, self._release_due)
        self.in_transit: Callable[[], set[int]] = set
        """Returns the products on their way to the archive."""
        self.ingesting: Callable[[], set[int]] = set
        """Returns the products that the archive is taking in."""

    def start(self) -> None:
        """Count what each site holds, and see what may go."""
        self._used = dict.fromkeys(self.parts.scenario.computing.sites, 0.0)
        if ARCHIVE in self._used:
            self._used[ARCHIVE] += sum(item[1] for item in self.state.archived.values())
        for product in self.state.products.values():
            for site in product.sites:
                if site != ARCHIVE or product.archived_s is None:
                    self._used[site] += product.bytes
            self._consider(product)
        for site in self._used:
            self._level(site)
        self._set_timer()

    def close(self) -> None:
        """Write down what is kept where."""
        self._stocks()

    def used_bytes(self, site: str) -> float:
        """What a site holds [byte]."""
        return self._used[site]

    def write(self, frames: Frames, kind: str = "raw") -> int:
        """Write frames on the mountain, or keep them for their bundle; see :meth:`create`.

        Returns
        -------
        int
            Number of their product.
        """
        size = self.parts.spectrograph(frames.mode).frame_bytes * frames.count
        if self.grain != "exposure":
            return self._keep(frames, size)
        return self.create(
            kind,
            frames.stage,
            MOUNTAIN,
            size,
            mode=frames.mode,
            visit=frames.visit,
            exposure=frames.exposure,
            night=frames.night,
            shutter_close_s=frames.shutter_close_s,
            parents=[],
            work=frames.work,
            archive=True,
        ).number

    def _keep(self, frames: Frames, size_bytes: float) -> int:
        visit = frames.visit if self.grain == "visit" else None
        key = work_key(frames.mode, visit, frames.night) + ("" if frames.work else UNUSED)
        bundle = self.state.bundles.get(key)
        if bundle is None:
            bundle = Bundle(self.state.count, frames.mode, visit, frames.night)
            self.state.bundles[key] = bundle
            self.state.count += 1
        bundle.bytes += size_bytes
        if frames.shutter_close_s is not None:
            bundle.shutter_close_s = frames.shutter_close_s
        for listener in self.on_frames:
            listener(frames)
        return bundle.number

    def close_bundle(self, key: str) -> None:
        """No frame of this work will follow: what was kept is written as one product.

        Frames that nothing is computed from are another product, which goes to the archive alone.
        """
        for name, work in ((key, key), (key + UNUSED, "")):
            bundle = self.state.bundles.pop(name, None)
            if bundle is not None:
                self.create(
                    "raw",
                    self.grain,
                    MOUNTAIN,
                    bundle.bytes,
                    mode=bundle.mode,
                    visit=bundle.visit,
                    exposure=None,
                    night=bundle.night,
                    shutter_close_s=bundle.shutter_close_s,
                    parents=[],
                    work=work,
                    archive=True,
                    number=bundle.number,
                )

    def create(
        self,
        kind: str,
        stage: str,
        site: str,
        size_bytes: float,
        *,
        mode: str,
        visit: int | None,
        exposure: int | None,
        night: int,
        shutter_close_s: float | None,
        parents: list[int],
        work: str,
        archive: bool,
        number: int | None = None,
    ) -> Product:
        """Write a new product; it is lost, by name, if the site has no room for it."""
        if number is None:
            number = self.state.count
            self.state.count += 1
        product = Product(
            number,
            kind,
            stage,
            mode,
            visit,
            exposure,
            night,
            size_bytes,
            self.now,
            shutter_close_s,
            parents,
            work,
            archive,
        )
        _count(self.state.written, product)
        if self._used[site] + size_bytes > self.parts.scenario.computing.sites[site].capacity_bytes:
            _count(self.state.lost, product)
            self._record(product, "lost", lost_because=f"no room at {site}")
            product.sites = []
        else:
            self.state.products[product.number] = product
            self._add(product, site)
            if not work:
                product.work_done_s = self.now
        for listener in self.on_created:
            listener(product)
        return product

    def lost(self, number: int) -> bool:
        """Whether a product is neither live nor archived."""
        return number not in self.state.products

    def has_room(self, site: str, size_bytes: float) -> bool:
        """Whether a site can take a file."""
        return self._used[site] + size_bytes <= (
            self.parts.scenario.computing.sites[site].capacity_bytes
        )

    def arrived(self, number: int, site: str) -> None:
        """A copy is complete at a site."""
        product = self.state.products[number]
        if site not in product.sites:
            had_room = self.has_room(site, 0.0)
            self._add(product, site)
            if had_room and not self.has_room(site, 0.0):
                self.record(
                    "faults",
                    agent=f"{self.name}/{site}",
                    kind="more than its capacity",
                    start_s=self.now,
                    end_s=None,
                    count=1,
                )

    def archived(self, number: int) -> None:
        """The archive has taken a product in."""
        product = self.state.products[number]
        product.archived_s = self.now
        _count(self.state.archived, product)
        self._record(product, "archived")
        self._consider(product)
        self._set_timer()

    def work_done(self, numbers: list[int]) -> None:
        """Nothing more will be computed from these products."""
        for number in numbers:
            product = self.state.products.get(number)
            if product is not None and product.work_done_s is None:
                product.work_done_s = self.now
                self._consider(product)
        self._set_timer()

    def _view(self, product: Product) -> ProductView:
        return ProductView(
            product.created_s,
            product.archived_s is not None,
            product.wants_archive,
            product.work_done_s is None,
            product.work_done_s,
        )

    def _consider(self, product: Product) -> None:
        release = self.parts.policies.retention.release_s(self._view(product))
        if release is not None:
            heapq.heappush(self._due, (release, product.number))

    def _set_timer(self) -> None:
        if self._due:
            self._timer.set(self._due[0][0])

    def _release_due(self) -> None:
        while self._due and self._due[0][0] <= self.now:
            _, number = heapq.heappop(self._due)
            product = self.state.products.get(number)
            if product is not None:
                self._release(product)
        self._set_timer()

    def _release(self, product: Product) -> None:
        """Delete all copies but the archive's; an archived product needs no more watching."""
        for site in product.sites:
            if site != ARCHIVE or product.archived_s is None:
                self._used[site] -= product.bytes
                self._level(site)
        if product.archived_s is None:
            self._record(product, "deleted")
        del self.state.products[product.number]

    def _add(self, product: Product, site: str) -> None:
        product.sites.append(site)
        self._used[site] += product.bytes
        self._level(site)

    def _level(self, site: str) -> None:
        self.day.levels.set(f"stored/{site}", self._used[site], site=site, level="stored_bytes")
        model = self.parts.scenario.computing.sites[site].storage
        self.day.power.set(
            f"storage/{site}",
            self._used[site] * model.power_w_per_byte,
            agent="storage",
            load="",
            site=site,
            state="on",
        )

    def _record(self, product: Product, outcome: str, lost_because: str = "") -> None:
        publication = self.parts.scenario.publication
        delay = (
            publication.raw_delay_s
            if product.kind in {"raw", "telemetry"}
            else publication.reduced_delay_s
        )
        self.record(
            "products",
            product=product.number,
            kind=product.kind,
            stage=product.stage,
            mode=product.mode,
            visit=product.visit,
            exposure=product.exposure,
            night=product.night,
            bytes=product.bytes,
            created_s=product.created_s,
            shutter_close_s=product.shutter_close_s,
            outcome=outcome,
            end_s=self.now,
            public_s=self.now + delay if outcome == "archived" else None,
            lost_because=lost_because,
            parents=" ".join(map(str, product.parents)),
            software=f"wstdes {__version__}",
        )

    def _stocks(self) -> None:
        sums: dict[tuple[str, str, str], list[float]] = {}
        moving, ingesting = self.in_transit(), self.ingesting()
        for product in self.state.products.values():
            if product.archived_s is not None:
                continue
            if not product.wants_archive:
                where, state = product.sites[0], "working"
            elif product.number in ingesting:
                where, state = ARCHIVE, "ingesting"
            elif product.number in moving:
                where, state = "network", "in transit"
            else:
                where, state = product.sites[0], "queued"
            _add_to(sums, (where, product.kind, state), 1, product.bytes)
        for bundle in self.state.bundles.values():
            _add_to(sums, (MOUNTAIN, "raw", "queued"), 1, bundle.bytes)
        for kind, (files, size) in self.state.archived.items():
            _add_to(sums, (ARCHIVE, kind, "archived"), files, size)
        for (site, kind, state), (files, size) in sorted(sums.items()):
            self.record(
                "stocks",
                night=self.day.index,
                t_s=self.day.end_s,
                site=site,
                kind=kind,
                state=state,
                files=int(files),
                bytes=size,
            )


def _add_to(
    sums: dict[tuple[str, str, str], list[float]],
    key: tuple[str, str, str],
    files: float,
    size: float,
) -> None:
    item = sums.setdefault(key, [0.0, 0.0])
    item[0] += files
    item[1] += size


def _count(totals: dict[str, list[float]], product: Product) -> None:
    item = totals.setdefault(product.kind, [0.0, 0.0])
    item[0] += 1
    item[1] += product.bytes
