"""The data links: files share them fairly; a link can fail."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from wstdes.agents.parts import Parts
from wstdes.agents.records import Flow, Product
from wstdes.kernel import Agent, Day, Timer
from wstdes.models.dataflow import max_min_rates

__all__ = ["LinkState", "Links", "LinksState"]

SITE = "network"
Route = tuple[str, ...]
EMPTY_BYTES = 1e-3
"""A flow with less than this left has arrived: below what a float holds of a file."""


@dataclass
class LinkState:
    """A link's faults: how many, the next, and when the last is repaired."""

    faults: int = 0
    next_fault_s: float = -1.0
    repaired_s: float = -1e30


@dataclass
class LinksState:
    """Flows on their way, those that wait for their turn, and the links' faults."""

    count: int = 0
    active: list[Flow] = field(default_factory=list)
    waiting: list[Flow] = field(default_factory=list)
    links: dict[str, LinkState] = field(default_factory=dict)


class Links(Agent[LinksState]):
    """Carries files from site to site.

    Bandwidth is shared max-min fairly among the files that are on their way; a file first spends
    its route's latency. Rates change only when a flow begins or ends or a link fails or is
    repaired, so the flow of bytes is integrated exactly.
    """

    State = LinksState

    def __init__(self, day: Day, name: str, state: LinksState, parts: Parts) -> None:
        super().__init__(day, name, state)
        self.parts = parts
        self.model = parts.scenario.network
        self.on_arrival: list[Callable[[int, str], None]] = []
        """Called with product and site when a file has arrived intact."""
        self._rates: dict[int, float] = {}
        self._since_s = day.start_s
        self._moving = {(f.product, f.destination) for f in (*state.active, *state.waiting)}
        self._capacities: dict[str, float] = {}
        self._shares: dict[tuple[tuple[Route, int], ...], list[float]] = {}
        self._next = Timer(day.env, self._progress)
        self._faults = {
            link: Timer(day.env, partial(self._fail, link)) for link in self.model.links
        }
        self._repairs = {
            link: Timer(day.env, partial(self._repair, link)) for link in self.model.links
        }

    def start(self) -> None:
        """Take up the flows; set the times of faults and repairs."""
        for link in self.model.links:
            state = self.state.links.setdefault(link, LinkState())
            if state.next_fault_s < 0:
                state.next_fault_s = self._draw(
                    link, "fault", self.model.links[link].fault_interval_s
                )
            self._faults[link].set(state.next_fault_s)
            if not self._up(link):
                self._repairs[link].set(state.repaired_s)
            self._power(link)
        self._measure()
        self._share()

    def close(self) -> None:
        """Write down how far each flow has come."""
        self._advance()

    def send(self, product: Product, source: str, destination: str) -> None:
        """Send a copy of a product; a copy that is on its way already is not sent twice."""
        if self.is_moving(product.number, destination):
            return
        places = self.parts.scenario.computing.sites
        links = self.parts.routes[places[source].place, places[destination].place]
        latency = sum(self.model.links[link].latency_s for link in links)
        flow = Flow(
            self.state.count,
            product.number,
            product.kind,
            source,
            destination,
            product.bytes,
            product.bytes,
            latency,
            list(links),
            self.now,
        )
        self.state.count += 1
        self._moving.add((product.number, destination))
        self._advance()
        self.state.waiting.append(flow)
        self._share()

    def is_moving(self, product: int, destination: str) -> bool:
        """Whether a copy is on its way or waits for its turn."""
        return (product, destination) in self._moving

    def moving_to(self, destination: str) -> set[int]:
        """Products of which a copy is on its way."""
        return {f.product for f in self.state.active if f.destination == destination}

    def _up(self, link: str) -> bool:
        return self.now >= self.state.links[link].repaired_s

    def _draw(self, link: str, purpose: str, mean_s: float) -> float:
        number = self.state.links[link].faults
        rng = self.day.streams(f"{self.name}/{link}", purpose, number)
        return self.now + float(rng.exponential(mean_s))

    def _fail(self, link: str) -> None:
        state, model = self.state.links[link], self.model.links[link]
        state.repaired_s = self._draw(link, "repair", model.fault_repair_s)
        self.record(
            "faults",
            agent=f"{self.name}/{link}",
            kind="link",
            start_s=self.now,
            end_s=state.repaired_s,
            count=1,
        )
        state.faults += 1
        gap = self._draw(link, "fault", model.fault_interval_s) - self.now
        state.next_fault_s = state.repaired_s + gap
        self._faults[link].set(state.next_fault_s)
        self._repairs[link].set(state.repaired_s)
        self._changed(link)

    def _repair(self, link: str) -> None:
        self._changed(link)

    def _changed(self, link: str) -> None:
        """A link has failed or is up again."""
        self._power(link)
        self._advance()
        self._measure()
        self._share()

    def _measure(self) -> None:
        """See what the links carry now."""
        self._capacities = {
            name: link.rate_bytes_per_s * link.efficiency if self._up(name) else 0.0
            for name, link in self.model.links.items()
        }
        self._shares.clear()

    def _power(self, link: str) -> None:
        up = self._up(link)
        watts = self.model.links[link].power_w if up else 0.0
        self.draw_power(SITE, "up" if up else "down", watts, link)

    def _advance(self) -> None:
        """Move the bytes that have flowed since the last change."""
        elapsed = self.now - self._since_s
        self._since_s = self.now
        if elapsed <= 0:
            return
        for flow in self.state.active:
            flowing = max(0.0, elapsed - flow.left_latency_s)
            flow.left_latency_s = max(0.0, flow.left_latency_s - elapsed)
            flow.left_bytes -= flowing * self._rates.get(flow.number, 0.0)

    def _share(self) -> None:
        """Let waiting files begin, share the links, and set the time of the next change."""
        active, waiting = self.state.active, self.state.waiting
        while waiting and len(active) < self.model.parallel_transfers:
            active.append(waiting.pop(0))
        times, flowing = [], []
        count: dict[Route, int] = {}
        for flow in active:
            if flow.left_latency_s > 0.0:
                times.append(flow.left_latency_s)
            else:
                route = tuple(flow.links)
                flowing.append((flow, route))
                count[route] = count.get(route, 0) + 1
        rates = self._rates_of(count)
        self._rates = {flow.number: rates[route] for flow, route in flowing}
        for flow, route in flowing:
            if rates[route] > 0.0:
                times.append(max(0.0, flow.left_bytes) / rates[route])
        self._levels(count, rates)
        if times:
            self._next.set(self.now + min(times))
        else:
            self._next.cancel()

    def _rates_of(self, count: dict[Route, int]) -> dict[Route, float]:
        """What each file gets on a route: files on one route get the same."""
        key = tuple(sorted(count.items()))
        if key not in self._shares:
            routes = [route for route, number in key for _ in range(number)]
            each = max_min_rates(self._capacities, routes, [1.0] * len(routes))
            self._shares[key] = [each[routes.index(route)] for route, _ in key]
        return {route: rate for (route, _), rate in zip(key, self._shares[key], strict=True)}

    def _levels(self, count: dict[Route, int], rates: dict[Route, float]) -> None:
        used = dict.fromkeys(self._capacities, 0.0)
        for route, number in count.items():
            for link in route:
                used[link] += number * rates[route]
        for link, rate in used.items():
            self.day.levels.set(f"link/{link}", rate, site=link, level="link_bytes_per_s")
        flows = float(len(self.state.active) + len(self.state.waiting))
        self.day.levels.set("flows", flows, site=SITE, level="flows")

    def _progress(self) -> None:
        """A flow has ended, or its first bytes begin to arrive."""
        self._advance()
        # A time that is added to the clock is rounded: what is left then is no byte, and a
        # latency that is over by less than the clock's resolution is over.
        tick = 1e-6
        done = []
        for flow in self.state.active:
            if flow.left_latency_s <= tick:
                flow.left_latency_s = 0.0
                rate = self._rates.get(flow.number, 0.0)
                if flow.left_bytes <= max(EMPTY_BYTES, rate * tick):
                    done.append(flow)
        ended = {flow.number for flow in done}
        self.state.active = [f for f in self.state.active if f.number not in ended]
        arrived = [flow for flow in done if self._finish(flow)]
        self._share()
        for flow in arrived:
            for listener in self.on_arrival:
                listener(flow.product, flow.destination)

    def _finish(self, flow: Flow) -> bool:
        """Check a file that has arrived; a broken one is sent again."""
        draw = self.day.streams.uniform(self.name, f"checksum/{flow.tries}", flow.number)
        intact = draw >= self.model.checksum_failure_fraction
        if intact:
            self._moving.discard((flow.product, flow.destination))
        self.record(
            "transfers",
            transfer=flow.number,
            product=flow.product,
            kind=flow.kind,
            source=flow.source,
            destination=flow.destination,
            bytes=flow.bytes,
            queued_s=flow.queued_s,
            end_s=self.now,
            intact=intact,
        )
        if not intact:
            flow.tries += 1
            flow.left_bytes = flow.bytes
            self.state.waiting.append(flow)
        return intact
