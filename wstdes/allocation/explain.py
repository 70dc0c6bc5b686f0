"""Why a target got no fibre: for all targets as codes, for one of them in words.

Each fibre that reaches a target is barred by *obstacles*: the target it serves, and targets whose
fibres would be in the way. The way that costs least is what counts: its heaviest obstacle is the
reason. For one target, the search of :mod:`wstdes.allocation.insert` says in addition what would
be lost if everybody moved as well as can be.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np

from wstdes.allocation.insert import Insertion, insert_target
from wstdes.allocation.prepared import Prepared, prepare_field, reaching
from wstdes.allocation.problem import AssignmentProblem, Purpose, Solution
from wstdes.errors import WstdesError
from wstdes.jit import njit, plain

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int32]
    Longs = npt.NDArray[np.int64]
    Bytes = npt.NDArray[np.int8]
    Bools = npt.NDArray[np.bool_]

__all__ = ["KERNELS", "Obstacle", "Reason", "Way", "Why", "explain", "explain_all"]


class Why(IntEnum):
    """Why a target got no fibre."""

    ASSIGNED = 0
    """It got one."""
    COMPLETE = 1
    """It needs none."""
    OUT_OF_REACH = 2
    """No fibre gets there."""
    BROKEN = 3
    """Those that would are broken or stuck."""
    QUOTA = 4
    """The fibre is on sky or on a standard that its group needs."""
    OUTBID = 5
    """The fibre serves a target that is worth as much or more."""
    COLLISION = 6
    """The arms would touch others."""
    SEPARATION = 7
    """It is too near to a target with a fibre."""
    CONTRAST = 8
    """Its spectrum would lie beside one of very different brightness."""
    MISSED = 9
    """Nothing: it would fit, at a gain. A better assignment exists."""


_WORDS = {
    Why.ASSIGNED: "has a fibre",
    Why.COMPLETE: "needs no fibre",
    Why.OUT_OF_REACH: "out of reach",
    Why.BROKEN: "broken",
    Why.QUOTA: "quota",
    Why.OUTBID: "outbid",
    Why.COLLISION: "collision",
    Why.SEPARATION: "too near to another target",
    Why.CONTRAST: "contrast on the slit",
    Why.MISSED: "missed: a better assignment exists",
}


@dataclass(frozen=True)
class Obstacle:
    """A target that bars a way.

    Parameters
    ----------
    why : Why
        Quota, outbid, collision, separation or contrast.
    target, fibre : int
        The target and the fibre that serves it.
    weight : float
        Its worth.
    """

    why: Why
    target: int
    fibre: int
    weight: float


@dataclass(frozen=True)
class Way:
    """One fibre that reaches the target, and what bars it.

    Parameters
    ----------
    fibre : int
        The fibre.
    obstacles : tuple of Obstacle
        All of them would have to go; none means that the way is free.
    """

    fibre: int
    obstacles: tuple[Obstacle, ...]

    @property
    def cost(self) -> float:
        """Weight that would have to go."""
        return sum(obstacle.weight for obstacle in self.obstacles)


@dataclass(frozen=True, eq=False)
class Reason:
    """Why one target got no fibre.

    Parameters
    ----------
    target : int
        The target.
    why : Why
        In a word.
    text : str
        In words, for people.
    ways : tuple of Way
        Every fibre that reaches it, the way that costs least first.
    insertion : Insertion or None
        The best way of giving it a fibre all the same; None if it has one or nothing reaches it.
    """

    target: int
    why: Why
    text: str
    ways: tuple[Way, ...] = ()
    insertion: Insertion | None = None


def explain_all(
    problem: AssignmentProblem | Prepared,
    solution: Solution,
    *,
    reach: npt.NDArray[np.integer] | None = None,
    needed: Bools | None = None,
) -> Bytes:
    """Say for all targets at once what denied them a fibre.

    Parameters
    ----------
    problem : AssignmentProblem or Prepared
        The problem, or what :func:`~wstdes.allocation.prepared.prepare_field` made of it.
    solution : Solution
        Who got what.
    reach : int8[t], optional
        0 for targets out of every fibre's reach, 1 for those that only broken or stuck ones
        reach. Without it both are out of reach.
    needed : bool[t], optional
        Targets that want a fibre at all.

    Returns
    -------
    int8[t]
        :class:`Why` of each target.
    """
    ready = problem if isinstance(problem, Prepared) else prepare_field(problem)
    whole = ready.problem
    purpose, _ = _held(ready, solution.fibre_of_target)
    weight, penalty = _prices(ready, purpose)
    codes = _codes(
        plain(whole.start, np.int64),
        plain(whole.fibre, np.int32),
        ready.target,
        plain(weight, np.float64),
        purpose,
        penalty,
        ready.edge_of_fibre(solution.fibre_of_target),
        plain(solution.fibre_of_target, np.int32),
        ready.conflicts.start,
        ready.conflicts.other,
        *_rules(whole),
    )
    if reach is not None:
        codes[(codes == Why.OUT_OF_REACH) & (reach == 1)] = Why.BROKEN
    if needed is not None:
        codes[~needed & (codes != Why.ASSIGNED)] = Why.COMPLETE
    return codes


def _held(ready: Prepared, has: Ints) -> tuple[Bytes, Longs]:
    """Purpose of each target that its group cannot spare, else 0; fibres of each group on each."""
    problem = ready.problem
    purpose = np.zeros(problem.n_targets, dtype=np.int8)
    quotas = problem.quotas
    if quotas is None or problem.purpose is None:
        return purpose, np.zeros((0, len(Purpose)), dtype=np.int64)
    used = np.flatnonzero((has >= 0) & (problem.purpose != Purpose.SCIENCE))
    group = quotas.group[has[used]].astype(np.int64)
    used, group = used[group >= 0], group[group >= 0]
    what = problem.purpose[used]
    number = np.bincount(group * len(Purpose) + what, minlength=quotas.at_least.size)
    number = number.reshape(-1, len(Purpose))
    needed = (number <= quotas.at_least)[group, what]
    purpose[used[needed]] = what[needed]
    return purpose, number


def _prices(ready: Prepared, purpose: Bytes) -> tuple[Floats, float]:
    """Weights for which no target that a quota needs is ever the cheaper obstacle."""
    weight = ready.problem.weight
    penalty = 1.0 + 1e3 * float(weight.max(initial=0.0))
    return np.where(purpose > 0, weight + penalty, weight), penalty


def _rules(
    problem: AssignmentProblem,
) -> tuple[Floats, float, Ints, Floats, float]:
    """Places, separation, slit, brightness and contrast; harmless ones where there is no rule."""
    rules = problem.geometry
    t, n = problem.n_targets, problem.n_fibres
    if rules is None:
        return np.zeros((t, 2)), 0.0, np.full(n, -1, np.int32), np.full(t, np.nan), np.inf
    following, magnitude = rules.slit_next, rules.magnitude
    return (
        plain(rules.target_xy_m, np.float64),
        float(rules.separation_m),
        np.full(n, -1, np.int32) if following is None else plain(following, np.int32),
        np.full(t, np.nan) if magnitude is None else plain(magnitude, np.float64),
        float(rules.contrast_mag),
    )


@njit
def _codes(
    start: Longs,
    fibre: Ints,
    target: Ints,
    weight: Floats,
    held: Bytes,
    penalty: float,
    edge_of: Ints,
    has: Ints,
    conflict: Longs,
    other: Ints,
    xy: Floats,
    separation: float,
    following: Ints,
    magnitude: Floats,
    contrast: float,
) -> Bytes:
    """The heaviest obstacle on the cheapest way of each target."""
    codes = np.zeros(len(has), dtype=np.int8)
    for t in range(len(has)):
        if has[t] >= 0:
            continue
        if start[t] == start[t + 1]:
            codes[t] = OUT_OF_REACH
            continue
        least = np.inf
        for e in range(start[t], start[t + 1]):
            cost, heaviest, code = 0.0, -1.0, MISSED
            now = edge_of[fibre[e]]
            if now >= 0:
                u = target[now]
                cost = heaviest = weight[u]
                code = QUOTA if held[u] > 0 else OUTBID
            for j in range(conflict[e], conflict[e + 1]):
                g = fibre[other[j]]
                if edge_of[g] != other[j]:
                    continue
                u = target[other[j]]
                cost += weight[u]
                if weight[u] > heaviest:
                    heaviest = weight[u]
                    code = _cause(t, u, fibre[e], g, xy, separation, following, magnitude, contrast)
            if cost < least:
                least, codes[t] = cost, code
        if least < weight[t]:
            codes[t] = MISSED
    return codes


@njit
def _cause(
    t: int,
    u: int,
    f: int,
    g: int,
    xy: Floats,
    separation: float,
    following: Ints,
    magnitude: Floats,
    contrast: float,
) -> int:
    """Which rule two edges break that exclude each other."""
    dx, dy = xy[t, 0] - xy[u, 0], xy[t, 1] - xy[u, 1]
    if dx * dx + dy * dy < separation * separation:
        return SEPARATION
    beside = following[f] == g or following[g] == f
    if beside and abs(magnitude[t] - magnitude[u]) > contrast:
        return CONTRAST
    return COLLISION


def explain(
    problem: AssignmentProblem | Prepared,
    solution: Solution,
    target: int,
    *,
    name: Callable[[int], str] = "target {}".format,
    broken: Bools | None = None,
    candidates: Bools | None = None,
    patrol_m: Floats | None = None,
    needed: bool = True,
) -> Reason:
    """Say why a target got no fibre.

    Parameters
    ----------
    problem : AssignmentProblem or Prepared
        The problem.
    solution : Solution
        Who got what.
    target : int
        The target.
    name : callable
        What to call a target: given its number, it returns a text.
    broken : bool[n], optional
        Fibres out of use, which the problem has no edges for.
    candidates : bool[n], optional
        Fibres that may serve the target at all (those of its kind).
    patrol_m : float64[n], optional
        Reach of each fibre [m]; by default that of the arms.
    needed : bool
        Whether the target wants a fibre.

    Returns
    -------
    Reason
    """
    ready = problem if isinstance(problem, Prepared) else prepare_field(problem)
    whole = ready.problem
    if not 0 <= target < whole.n_targets:
        raise WstdesError(f"there is no target {target}: they are 0 to {whole.n_targets - 1}")
    has = int(solution.fibre_of_target[target])
    if has >= 0:
        return Reason(target, Why.ASSIGNED, f"{name(target)} is on fibre {has}.")
    if not needed:
        return Reason(target, Why.COMPLETE, f"{name(target)} has all the visits it needs.")
    if len(ready.edges_of(target)) == 0:
        return _unreached(ready, target, name(target), broken, candidates, patrol_m)
    ways = _ways(ready, solution, target)
    insertion = insert_target(ready, solution, target, refill=False)
    lacks = int(insertion.solution.missing.sum()) - int(solution.missing.sum())
    weight = float(whole.weight[target])
    gains = insertion.possible and lacks <= 0 and insertion.lost_weight < weight
    why = ways[0].obstacles[0].why if ways[0].obstacles else Why.MISSED
    if gains:
        why = Why.MISSED
    text = _words(ready, solution, target, why, ways, insertion, name)
    return Reason(target, why, text, ways, insertion)


def _ways(ready: Prepared, solution: Solution, target: int) -> tuple[Way, ...]:
    """All fibres that reach a target with their obstacles, the cheapest first."""
    problem = ready.problem
    has = solution.fibre_of_target
    held, _ = _held(ready, has)
    price, _ = _prices(ready, held)
    edge_of = ready.edge_of_fibre(has)
    rules = _rules(problem)
    found = []
    for e in ready.edges_of(target):
        f, obstacles = int(problem.fibre[e]), []
        if edge_of[f] >= 0:
            u = int(ready.target[edge_of[f]])
            why = Why.QUOTA if held[u] else Why.OUTBID
            obstacles.append(Obstacle(why, u, f, float(problem.weight[u])))
        for b in ready.excluded_by(e).tolist():
            g, u = int(problem.fibre[b]), int(ready.target[b])
            if edge_of[g] == b:
                why = Why(_cause(target, u, f, g, *rules))
                obstacles.append(Obstacle(why, u, g, float(problem.weight[u])))
        obstacles.sort(key=lambda obstacle: -price[obstacle.target])
        cost = sum(float(price[obstacle.target]) for obstacle in obstacles)
        found.append((cost, Way(f, tuple(obstacles))))
    found.sort(key=lambda pair: pair[0])
    return tuple(way for _, way in found)


def _unreached(
    ready: Prepared,
    target: int,
    name: str,
    broken: Bools | None,
    candidates: Bools | None,
    patrol_m: Floats | None,
) -> Reason:
    """Out of reach, or in reach of broken fibres alone."""
    geometry, why = ready.problem.geometry, Why.OUT_OF_REACH
    if geometry is None or (geometry.arms is None and patrol_m is None):
        return Reason(target, why, f"No fibre reaches {name}.")
    x, y = (float(v) for v in geometry.target_xy_m[target])
    fits = np.ones(ready.problem.n_fibres, np.bool_) if candidates is None else candidates
    if not fits.any():
        return Reason(target, why, f"There is no fibre of the kind that {name} needs.")
    near = reaching(geometry, x, y, patrol_m)
    near = near[fits[near]]
    if len(near):
        return _barred(ready, target, name, near, broken)
    away = np.hypot(*(geometry.fibre_xy_m - [x, y]).T)
    inner, outer = np.zeros(len(away)), np.full(len(away), np.inf)
    if geometry.arms is not None:
        inner, outer = geometry.arms.reach_m()
    if patrol_m is not None:
        outer = np.minimum(outer, patrol_m)
    beyond = np.where(fits, np.maximum(np.maximum(away - outer, inner - away), 0.0), np.inf)
    f = int(np.argmin(beyond))
    lacking = f"{1e3 * beyond[f]:.3f} mm too {'far' if away[f] > outer[f] else 'near'}"
    if beyond[f] <= 1e-9:
        lacking = "but its hard stops are in the way"
    text = (
        f"No fibre reaches {name}: the nearest, fibre {f}, reaches {1e3 * inner[f]:.3f} to "
        f"{1e3 * outer[f]:.3f} mm from its axis, and it is {1e3 * away[f]:.3f} mm away, {lacking}."
    )
    return Reason(target, why, text)


def _barred(ready: Prepared, target: int, name: str, near: Ints, broken: Bools | None) -> Reason:
    """Fibres get there, but none may: broken, or their arms would lie where they cannot."""
    out = np.zeros(ready.problem.n_fibres, np.bool_) if broken is None else broken
    works = near[~out[near]]
    plural = "s" if len(near) > 1 else ""
    if not len(works):
        these = f"fibre{plural} {_list(near.tolist())}"
        return Reason(target, Why.BROKEN, f"Only {these} would reach {name}: broken or stuck.")
    geometry = ready.problem.geometry
    assert geometry is not None
    # a positioner that stands still may be what is in the way
    away = np.hypot(*(geometry.fibre_xy_m[out][None] - geometry.fibre_xy_m[works][:, None]).T)
    reach = 0.0 if geometry.arms is None else 2.0 * float(geometry.arms.reach_m()[1].max())
    why = Why.BROKEN if (away <= reach).any() else Why.OUT_OF_REACH
    still = ", or across a positioner that stands still" if why == Why.BROKEN else ""
    text = (
        f"Fibre{'s' if len(works) > 1 else ''} {_list(works.tolist())} would get to {name}, but "
        f"only with an arm across the body of a neighbour{still}."
    )
    return Reason(target, why, text)


def _list(things: list[object] | list[int] | list[str]) -> str:
    """Words with commas and an 'and'; the first five."""
    words = [str(thing) for thing in things[:5]]
    if len(things) > 5:
        return ", ".join(words) + f" and {len(things) - 5} more"
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _words(
    ready: Prepared,
    solution: Solution,
    target: int,
    why: Why,
    ways: tuple[Way, ...],
    insertion: Insertion,
    name: Callable[[int], str],
) -> str:
    """The reason in a few sentences."""
    weight = float(ready.problem.weight[target])
    said = [f"{name(target)} (worth {weight:g}): {_WORDS[why]}."]
    said += [_way(ready, solution, way, name) for way in ways[:4]]
    if len(ways) > 4:
        said.append(f"{len(ways) - 4} more fibres reach it, at a higher price.")
    if not insertion.possible:
        return " ".join([*said, "It has no way into this configuration."])
    lost = _list([f"{name(u)} (worth {ready.problem.weight[u]:g})" for u in insertion.lost])
    moved = len(insertion.moved)
    routed = f" and moving {moved} other{'s' * (moved > 1)}" if moved else ""
    if why == Why.MISSED:
        cost = f"at the loss of {lost}" if lost else "at no loss"
        said.append(f"Putting it on fibre {insertion.fibre}{routed} would do it {cost}.")
    elif lost:
        proof = "at least" if insertion.proven else "about"
        said.append(
            f"However the others are re-routed, that loses {proof} {insertion.lost_weight:g}: "
            f"the best is putting it on fibre {insertion.fibre}{routed}, for {lost}."
        )
    return " ".join(said)


def _way(ready: Prepared, solution: Solution, way: Way, name: Callable[[int], str]) -> str:
    """What bars one fibre."""
    if not way.obstacles:
        return f"Fibre {way.fibre} is free."
    parts = []
    for obstacle in way.obstacles:
        other = f"{name(obstacle.target)} (worth {obstacle.weight:g})"
        if obstacle.why == Why.QUOTA:
            parts.append(_quota(ready, solution, obstacle))
        elif obstacle.why == Why.OUTBID:
            parts.append(f"serves {other}")
        elif obstacle.why == Why.SEPARATION:
            parts.append(f"would be too near to {other} on fibre {obstacle.fibre}")
        elif obstacle.why == Why.CONTRAST:
            parts.append(f"would lie on the slit beside fibre {obstacle.fibre} on {other}")
        else:
            parts.append(f"would touch fibre {obstacle.fibre} on {other}")
    return f"Fibre {way.fibre} {_list(parts)}."


def _quota(ready: Prepared, solution: Solution, obstacle: Obstacle) -> str:
    """What a fibre is held for."""
    problem = ready.problem
    assert problem.quotas is not None
    assert problem.purpose is not None
    what = Purpose(int(problem.purpose[obstacle.target]))
    group = int(problem.quotas.group[obstacle.fibre])
    _, number = _held(ready, solution.fibre_of_target)
    held = "sky" if what == Purpose.SKY else "a standard"
    return (
        f"is held for {held}: its group {group} needs {problem.quotas.at_least[group, what]} "
        f"and has {number[group, what]}"
    )


OUT_OF_REACH, QUOTA, OUTBID = int(Why.OUT_OF_REACH), int(Why.QUOTA), int(Why.OUTBID)
COLLISION, SEPARATION, CONTRAST = int(Why.COLLISION), int(Why.SEPARATION), int(Why.CONTRAST)
MISSED = int(Why.MISSED)

KERNELS = (_codes,)
