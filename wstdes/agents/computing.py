"""A compute site: nodes, a queue, and the power and cooling of both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from wstdes.agents.parts import Parts
from wstdes.agents.records import Job
from wstdes.kernel import Agent, Day, Timer
from wstdes.policies.views import JobView, SiteLoad

__all__ = ["ComputeSite", "ComputeSiteState"]

POOLS = ("cpu", "gpu")


@dataclass
class ComputeSiteState:
    """Jobs that run and jobs that wait."""

    running: list[Job] = field(default_factory=list)
    waiting: list[Job] = field(default_factory=list)


class ComputeSite(Agent[ComputeSiteState]):
    """Runs jobs. A job holds its nodes from start to end; at noon its work left is written down."""

    State = ComputeSiteState

    def __init__(
        self,
        day: Day,
        name: str,
        state: ComputeSiteState,
        parts: Parts,
        site: str,
        finished: Callable[[Job], None],
    ) -> None:
        super().__init__(day, name, state)
        self.site = site
        self.model = parts.scenario.computing.sites[site]
        self._queue = parts.policies.queue
        self._finished = finished
        self._since: dict[int, float] = {}
        self._shown: tuple[int, ...] = ()
        self._heaters = (*(f"{self.name}/{pool}" for pool in POOLS), f"storage/{site}")
        self._cooling = f"cooling/{site}"

    def start(self) -> None:
        """Go on with what was running."""
        for job in self.state.running:
            self._run(job)
        self._changed()
        self.day.power.listen(self.site, self._cool)
        self._cool()

    def close(self) -> None:
        """Write down how much of each running job is left."""
        for job in self.state.running:
            self._count(job)

    def nodes(self, pool: str) -> int:
        """Nodes of a pool."""
        return self.model.cpu_nodes if pool == "cpu" else self.model.gpu_nodes

    def speed(self, pool: str) -> float:
        """Speed of a pool's nodes, relative to the node that work is given for."""
        return self.model.cpu.speed if pool == "cpu" else self.model.gpu.speed

    def load(self, pool: str) -> SiteLoad:
        """How busy a pool is."""
        waiting = sum(j.left_node_s for j in self.state.waiting if j.pool == pool)
        running = sum(j.left_node_s for j in self.state.running if j.pool == pool)
        return SiteLoad(self.nodes(pool), waiting + running, self.speed(pool))

    def submit(self, job: Job) -> None:
        """Queue a job whose inputs are all here."""
        job.queued_s = self.now
        self.state.waiting.append(job)
        self._dispatch()

    def _busy(self, pool: str) -> int:
        return sum(j.nodes for j in self.state.running if j.pool == pool)

    def _dispatch(self) -> None:
        """Start jobs in the policy's order until the first of a pool that does not fit."""
        for pool in POOLS if self.state.waiting else ():
            queue = sorted(
                (j for j in self.state.waiting if j.pool == pool),
                key=lambda j: self._queue.key(
                    JobView(j.role, j.queued_s or 0.0, j.number, j.nodes)
                ),
            )
            free = self.nodes(pool) - self._busy(pool)
            for job in queue:
                if job.nodes > free:
                    break
                free -= job.nodes
                self.state.waiting.remove(job)
                self.state.running.append(job)
                job.start_s = self.now
                self._run(job)
        self._changed()

    def _run(self, job: Job) -> None:
        self._since[job.number] = self.now
        seconds = job.left_node_s / (job.nodes * self.speed(job.pool))
        Timer(self.env, lambda: self._done(job)).set(self.now + seconds)

    def _count(self, job: Job) -> None:
        elapsed = self.now - self._since[job.number]
        job.used_node_s += elapsed * job.nodes
        job.left_node_s = max(0.0, job.left_node_s - elapsed * job.nodes * self.speed(job.pool))
        self._since[job.number] = self.now

    def _done(self, job: Job) -> None:
        self._count(job)
        self.state.running.remove(job)
        self._dispatch()
        self._finished(job)

    def _changed(self) -> None:
        """Record the queue, the busy nodes and their power."""
        shown = (len(self.state.waiting), *(self._busy(pool) for pool in POOLS))
        if shown == self._shown:
            return
        self._shown = shown
        self.day.levels.set(
            f"queue/{self.site}",
            float(len(self.state.waiting)),
            site=self.site,
            level="queued_jobs",
        )
        for pool, busy in zip(POOLS, shown[1:], strict=True):
            node = self.model.cpu if pool == "cpu" else self.model.gpu
            count = self.nodes(pool)
            watts = busy * node.busy_power_w + (count - busy) * node.idle_power_w
            self.draw_power(self.site, "busy" if busy else "idle", watts, pool)
            self.day.levels.set(
                f"{pool}/{self.site}", float(busy), site=self.site, level=f"busy_{pool}_nodes"
            )

    def _cool(self) -> None:
        """Cooling and conversion follow the site's computing and storage."""
        power = self.day.power
        used = sum(map(power.value, self._heaters))
        watts = (self.model.pue - 1.0) * used
        if power.value(self._cooling) != watts:
            power.set(self._cooling, watts, agent="cooling", load="", site=self.site, state="on")
