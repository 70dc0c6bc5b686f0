"""One target more in a configured field, at the least damage.

The new target takes a fibre from its owner, who goes to another fibre and displaces the next
owner, until a fibre is free or a target is lost. Without conflicts the cheapest such path is the
optimum (the exchange of a transversal matroid; Lawler 1976, Combinatorial Optimization, chapter
8), and breadth-first search finds it. With conflicts, each move may displace several targets.
A best-first search (Hart, Nilsson & Raphael 1968, IEEE Trans. SSC 4, 100) over the decisions of
displaced targets finds the least loss: whatever nothing displaces stays where it is, so the
search sees only the neighbourhood that matters. The cheapest path without conflicts bounds the
loss from below all the way.
"""

from __future__ import annotations

import heapq
import time
from dataclasses import dataclass, field, replace
from itertools import count
from typing import TYPE_CHECKING

import numpy as np

from wstdes.allocation.outcome import missing_of, objective_of
from wstdes.allocation.prepared import Prepared, prepare_field
from wstdes.allocation.problem import AssignmentProblem, Purpose, Solution
from wstdes.errors import WstdesError
from wstdes.jit import njit, plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int32]
    Longs = npt.NDArray[np.int64]
    Bools = npt.NDArray[np.bool_]
    # rank, targets that change, number; loss so far, decisions, who waits, excluded edges
    _Node = tuple[float, int, int, float, dict[int, int], tuple[int, ...], frozenset[int]]

__all__ = ["KERNELS", "Insertion", "insert_target"]

MOST_NODES = 2_000
"""Of the search with conflicts: some 40 ms."""


@dataclass(frozen=True, eq=False)
class Insertion:
    """What one target more costs.

    Parameters
    ----------
    target : int
        The target.
    fibre : int
        Its fibre; -1 if there is no way.
    solution : Solution
        The field with it; its bound is that of before, the target's weight added.
    moved : tuple of (int, int, int)
        Targets that go from one fibre to another.
    lost : tuple of int
        Targets that have no fibre any more.
    gained : tuple of (int, int)
        Targets that had none, and the fibres that came free for them.
    fibres_changed : tuple of int
        Fibres that do not do what they did, in the order of their numbers.
    lost_weight, gained_weight : float
        Their weights.
    lower_bound : float
        No way of inserting the target loses less; targets gained are not counted.
    seconds : float
        Wall-clock time.
    nodes : int
        Steps of the search.
    """

    target: int
    fibre: int
    solution: Solution
    moved: tuple[tuple[int, int, int], ...] = ()
    lost: tuple[int, ...] = ()
    gained: tuple[tuple[int, int], ...] = ()
    fibres_changed: tuple[int, ...] = ()
    lost_weight: float = 0.0
    gained_weight: float = 0.0
    lower_bound: float = 0.0
    seconds: float = 0.0
    nodes: int = 0

    @property
    def possible(self) -> bool:
        """Whether the target got a fibre."""
        return self.fibre >= 0

    @property
    def proven(self) -> bool:
        """Whether nothing can lose less."""
        return self.lost_weight <= self.lower_bound * (1.0 + 1e-12)


def insert_target(
    problem: AssignmentProblem | Prepared,
    solution: Solution,
    target: int,
    *,
    reserved: Bools | None = None,
    protected: Bools | None = None,
    refill: bool = True,
    most_nodes: int = MOST_NODES,
) -> Insertion:
    """Give a target a fibre; lose the least weight, and touch the fewest other targets.

    Quotas come first: sky and standards that a group cannot spare stay where they are, unless
    there is no other way.

    Parameters
    ----------
    problem : AssignmentProblem or Prepared
        Prepare it once (:func:`~wstdes.allocation.prepared.prepare_field`) for many insertions;
        :meth:`~wstdes.allocation.prepared.Prepared.with_target` adds a target at a place.
    solution : Solution
        The field as it is; with one target less than the problem has, the last one is new.
    target : int
        The target to insert.
    reserved : bool[n], optional
        Fibres kept for such targets: nobody else goes to them.
    protected : bool[t], optional
        Targets that must stay where they are.
    refill : bool
        Give fibres that come free to targets without one.
    most_nodes : int
        Steps of the search with conflicts. If they do not suffice, the best way found stands,
        with a lower bound of the loss.

    Returns
    -------
    Insertion
    """
    begin = time.perf_counter()
    ready = problem if isinstance(problem, Prepared) else prepare_field(problem)
    task = _Task.of(ready, solution, target, reserved, protected)
    if task.has[target] >= 0:
        new = replace(solution, fibre_of_target=task.has)
        return Insertion(target, int(task.has[target]), new)
    keep = task.keep
    way, nodes = None, 0
    # what no group can spare is kept; if two spares went from one group, all are kept; and if
    # there is no way then, what goes is made good elsewhere in the group
    for held in (_not_to_spare(task, spare=True), _not_to_spare(task, spare=False), None):
        task.keep = keep if held is None else keep | held
        way, more = _search(task, most_nodes)
        nodes += more
        if way is not None and missing_of(ready.problem, _after(task, way)).sum() <= task.missing:
            break
    if way is None:
        new = replace(solution, fibre_of_target=task.has)
        return Insertion(target, -1, new, seconds=time.perf_counter() - begin, nodes=nodes)
    return _finish(task, way, refill, begin, nodes)


@dataclass(eq=False)
class _Task:
    """What the search needs to know."""

    ready: Prepared
    solution: Solution
    target: int
    has: Ints
    edge: Ints
    """Edge of each fibre, or -1."""
    owner: Ints
    """Target of each fibre, or -1."""
    reserved: Bools
    keep: Bools
    missing: int
    bounds: dict[int, float] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        ready: Prepared,
        solution: Solution,
        target: int,
        reserved: Bools | None,
        protected: Bools | None,
    ) -> _Task:
        problem = ready.problem
        t, n = problem.n_targets, problem.n_fibres
        if not 0 <= target < t:
            raise WstdesError(f"there is no target {target}: they are 0 to {t - 1}")
        has = plain(solution.fibre_of_target, np.int32)
        if len(has) == t - 1:
            has = np.append(has, np.int32(-1))
        if len(has) != t:
            raise WstdesError(f"the solution has {len(has)} targets, and the problem {t}")
        edge = ready.edge_of_fibre(has)
        owner = np.where(edge >= 0, ready.target[edge], -1).astype(np.int32)
        held = np.zeros(n, np.bool_) if reserved is None else plain(reserved, np.bool_)
        keep = np.zeros(t, np.bool_)
        if protected is not None:
            keep[: len(protected)] = protected
        missing = int(missing_of(problem, has).sum())
        return cls(ready, solution, target, has, edge, owner, held, keep, missing)

    def path(self, origin: int) -> tuple[float, Ints]:
        """The cheapest way to place a target if nothing was in conflict."""
        problem = self.ready.problem
        return _cheapest_path(
            origin,
            plain(problem.start, np.int64),
            plain(problem.fibre, np.int32),
            self.owner,
            plain(problem.weight, np.float64),
            self.keep,
            self.reserved,
            self.target,
            int(self.has[origin]),
        )

    def bound(self, origin: int) -> float:
        """No way of placing a displaced target loses less than this."""
        if origin not in self.bounds:
            loss, _ = self.path(origin)
            if origin != self.target and not self.keep[origin]:
                loss = min(loss, float(self.ready.problem.weight[origin]))
            self.bounds[origin] = loss
        return self.bounds[origin]


@dataclass(frozen=True, eq=False)
class _Way:
    """Decisions: the edge of each displaced target, or -1 for a lost one."""

    edges: dict[int, int]
    lost: float
    bound: float


def _not_to_spare(task: _Task, *, spare: bool) -> Bools:
    """Sky and standards in use, of groups with a quota of them; those with spare ones apart."""
    problem = task.ready.problem
    held = np.zeros(problem.n_targets, dtype=np.bool_)
    quotas, purpose = problem.quotas, problem.purpose
    if quotas is None or purpose is None:
        return held
    used = np.flatnonzero((task.has >= 0) & (purpose != Purpose.SCIENCE))
    group = quotas.group[task.has[used]]
    used, group = used[group >= 0], group[group >= 0]
    needed = quotas.at_least > 0
    if spare:
        needed &= _numbers(problem, task.has) <= quotas.at_least
    held[used] = needed[group, purpose[used]]
    return held


def _numbers(problem: AssignmentProblem, has: Ints) -> Longs:
    """Fibres of each group on each purpose, int64[g, 3]."""
    quotas = problem.quotas
    if quotas is None:
        return np.zeros((0, len(Purpose)), dtype=np.int64)
    used = np.flatnonzero(has >= 0)
    group = quotas.group[has[used]].astype(np.int64)
    purpose = 0 if problem.purpose is None else problem.purpose[used]
    place = (group * len(Purpose) + purpose)[group >= 0]
    number = np.bincount(place, minlength=quotas.n_groups * len(Purpose))
    return number.reshape(-1, len(Purpose))


def _after(task: _Task, way: _Way) -> Ints:
    """Fibre of each target when the way has been gone."""
    has = task.has.copy()
    for target, edge in way.edges.items():
        has[target] = task.ready.problem.fibre[edge] if edge >= 0 else -1
    return has


def _search(task: _Task, most_nodes: int) -> tuple[_Way | None, int]:
    """The best way, and the number of steps."""
    task.bounds.clear()
    problem = task.ready.problem
    loss, path = task.path(task.target)
    if len(path) == 0:
        return None, 1
    if not problem.has_conflicts:
        return _along(task, loss, path), 1
    task.bounds[task.target] = loss
    return _best_first(task, most_nodes)


def _along(task: _Task, loss: float, path: Ints) -> _Way:
    """Decisions of a path: each owner goes to the fibre after its own."""
    ready, target = task.ready, task.target
    edges: dict[int, int] = {}
    for f in path:
        edges[target] = next(e for e in ready.edges_of(target) if ready.problem.fibre[e] == f)
        target = int(task.owner[f])
    if target >= 0:
        edges[target] = -1
    return _Way(edges, loss, loss)


def _best_first(task: _Task, most_nodes: int) -> tuple[_Way | None, int]:
    """Decide for one displaced target after the other, the cheapest decisions first.

    A node is ranked by the loss that it cannot avoid, then by the targets that change.
    """
    weight = task.ready.problem.weight
    number = count()
    least = task.bound(task.target)
    heap: list[_Node] = [(least, 1, next(number), 0.0, {}, (task.target,), frozenset[int]())]
    nodes = 0
    best: tuple[float, int, dict[int, int]] | None = None
    bound = np.inf
    while heap:
        rank, changed, _, lost, edges, waiting, blocked = heapq.heappop(heap)
        if best is not None and (rank, changed) >= best[:2]:
            bound = best[0]
            break
        if not waiting:
            best = lost, changed, edges
            bound = lost
            break
        if nodes >= most_nodes:
            bound = rank
            break
        nodes += 1
        target, rest = waiting[0], waiting[1:]
        for edge, displaced in _options(task, target, edges, rest, blocked):
            new = {**edges, target: edge}
            total, queue, more = lost + float(weight[target]), rest, blocked
            if edge >= 0:
                total, queue = lost, rest + displaced
                more = blocked.union(task.ready.excluded_by(edge).tolist())
            rank = max([least, total, *(total + task.bound(u) for u in queue)])
            changed = len(new) + len(queue)
            if rank == np.inf or (best is not None and (rank, changed) >= best[:2]):
                continue
            heapq.heappush(heap, (rank, changed, next(number), total, new, queue, more))
            # whoever is waiting may simply be lost: a way at once
            if not task.keep[list(queue)].any():
                total += float(weight[list(queue)].sum())
                if best is None or (total, changed) < best[:2]:
                    best = total, changed, {**new, **dict.fromkeys(queue, -1)}
    if best is None:
        return None, nodes
    return _Way(best[2], best[0], min(bound, best[0])), nodes


def _options(
    task: _Task,
    target: int,
    edges: dict[int, int],
    waiting: tuple[int, ...],
    blocked: frozenset[int],
) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Edges that a displaced target can go to, with whom that displaces; -1 to be lost."""
    ready, fibre = task.ready, task.ready.problem.fibre
    taken = {int(fibre[e]) for e in edges.values() if e >= 0}
    first = target == task.target
    for edge in ready.edges_of(target):
        f = int(fibre[edge])
        if f in taken or edge in blocked or (task.reserved[f] and not first):
            continue
        if edge == task.edge[f]:
            continue
        others = [int(task.owner[f])]
        for e in ready.excluded_by(edge).tolist():
            if task.edge[fibre[e]] == e:
                others.append(int(ready.target[e]))
        new = [u for u in dict.fromkeys(others) if u >= 0 and u not in edges and u not in waiting]
        if not any(task.keep[u] for u in new):
            yield edge, tuple(new)
    if not first and not task.keep[target]:
        yield -1, ()


def _finish(task: _Task, way: _Way, refill: bool, begin: float, nodes: int) -> Insertion:
    """Put the answer together; give fibres that came free to those who can use them."""
    problem = task.ready.problem
    has = _after(task, way)
    _make_good(task, has)
    if refill:
        _refill(task, way, has)
    old = task.has
    others = [int(u) for u in np.flatnonzero(old != has) if u != task.target]
    lost = [u for u in others if has[u] < 0]
    gained = [(u, int(has[u])) for u in others if old[u] < 0]
    moved = [(u, int(old[u]), int(has[u])) for u in others if old[u] >= 0 and has[u] >= 0]
    weight = problem.weight
    new = replace(
        task.solution,
        fibre_of_target=has,
        objective=objective_of(problem, has),
        upper_bound=task.solution.upper_bound + float(weight[task.target]),
        missing=missing_of(problem, has),
        details={},
    )
    return Insertion(
        task.target,
        int(has[task.target]),
        new,
        tuple(moved),
        tuple(lost),
        tuple(gained),
        tuple(sorted({int(f) for u in (task.target, *others) for f in (old[u], has[u])} - {-1})),
        float(weight[lost].sum()),
        float(sum(weight[u] for u, _ in gained)),
        way.bound,
        time.perf_counter() - begin,
        nodes,
    )


def _make_good(task: _Task, has: Ints) -> None:
    """Put other fibres of a group on what it lacks now, those whose targets are worth least."""
    ready, problem = task.ready, task.ready.problem
    quotas, purpose = problem.quotas, problem.purpose
    if quotas is None or purpose is None:
        return
    lacks = missing_of(problem, has) - missing_of(problem, task.has)
    for group, what in np.argwhere(lacks > 0):
        edge_of = ready.edge_of_fibre(has)
        owner = np.where(edge_of >= 0, ready.target[edge_of], -1)
        at = (quotas.group[problem.fibre] == group) & (purpose[ready.target] == what)
        edges = np.flatnonzero(at & (has[ready.target] < 0))
        who = owner[problem.fibre[edges]]
        cost = np.where(who >= 0, problem.weight[who], 0.0)
        busy = (who >= 0) & ((purpose[who] != Purpose.SCIENCE) | task.keep[who])
        cost[busy | (who == task.target) | task.reserved[problem.fibre[edges]]] = np.inf
        mine = ready.excluded_by(int(edge_of[has[task.target]]))
        for i in np.argsort(cost, kind="stable"):
            others = ready.excluded_by(int(edges[i]))
            f, t, u = int(problem.fibre[edges[i]]), int(ready.target[edges[i]]), int(who[i])
            if cost[i] == np.inf:
                break
            if edges[i] in mine or (edge_of[problem.fibre[others]] == others).any():
                continue
            if u >= 0:
                has[u] = -1
            has[t] = f
            break


def _refill(task: _Task, way: _Way, has: Ints) -> None:
    """Let fibres that came free take the best target that is in nobody's way."""
    ready, problem = task.ready, task.ready.problem
    edge_of = ready.edge_of_fibre(has)
    # the new target's conflicts may be listed with its own edges alone
    mine = ready.excluded_by(way.edges[task.target])
    for f in [int(task.has[u]) for u in way.edges]:
        if f < 0 or edge_of[f] >= 0 or task.reserved[f]:
            continue
        edges = ready.fibre_edge[ready.fibre_start[f] : ready.fibre_start[f + 1]]
        for e in edges[np.argsort(-problem.weight[ready.target[edges]], kind="stable")]:
            t = int(ready.target[e])
            others = ready.excluded_by(int(e))
            free = has[t] < 0 and not (edge_of[problem.fibre[others]] == others).any()
            if free and problem.weight[t] > 0.0 and e not in mine:
                has[t], edge_of[f] = f, e
                break


@njit
def _cheapest_path(
    target: int,
    start: Longs,
    fibre: Ints,
    owner: Ints,
    weight: Floats,
    keep: Bools,
    reserved: Bools,
    chief: int,
    own: int,
) -> tuple[float, Ints]:
    """Breadth first: the nearest free fibre, or else the owner that is lost most cheaply.

    A reserved fibre is open to the chief target alone. ``own`` is a fibre that would be free.

    Returns
    -------
    loss : float
        Infinite if there is no way.
    path : int32[k]
        Fibres: the target gets the first, the first's owner the second, and so on.
    """
    asker = np.full(len(owner), -2, dtype=np.int32)
    queue = np.empty(len(owner), dtype=np.int32)
    n_queued, place, last, loss = 0, 0, -1, np.inf
    from_fibre, who = -1, target
    while True:
        for e in range(start[who], start[who + 1]):
            f = fibre[e]
            if asker[f] != -2 or (reserved[f] and who != chief):
                continue
            if from_fibre == -1 and f == own:
                continue
            asker[f] = from_fibre
            u = owner[f]
            if u < 0 or f == own:
                last, loss = f, 0.0
                break
            if keep[u]:
                continue
            if weight[u] < loss:
                last, loss = f, weight[u]
            queue[n_queued] = f
            n_queued += 1
        if loss == 0.0 or place == n_queued:
            break
        from_fibre = queue[place]
        who = owner[from_fibre]
        place += 1
    length, f = 0, last
    while f >= 0:
        length += 1
        f = asker[f]
    path = np.empty(length, dtype=np.int32)
    f = last
    for i in range(length - 1, -1, -1):
        path[i] = f
        f = asker[f]
    return loss, path


KERNELS = (_cheapest_path,)
