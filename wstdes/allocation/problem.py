"""What every method of allocation takes and gives: the problem and its solution."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from wstdes.models.focalplane import Arms

__all__ = ["AssignmentProblem", "Geometry", "Purpose", "Quotas", "Solution"]


class Purpose(IntEnum):
    """What a target is for."""

    SCIENCE = 0
    STANDARD = 1
    SKY = 2


@dataclass(frozen=True, eq=False)
class Quotas:
    """At least so many fibres of each group on each purpose, as far as that is possible.

    Parameters
    ----------
    group : int32[n]
        Group of each fibre (such as a block of a spectrograph's slit), or -1 for none.
    at_least : int32[g, 3]
        Of each group, how many fibres each :class:`Purpose` needs; none for science.
    """

    group: npt.NDArray[np.int32]
    at_least: npt.NDArray[np.int32]

    @property
    def n_groups(self) -> int:
        """Number of groups."""
        return len(self.at_least)


@dataclass(frozen=True, eq=False)
class Geometry:
    """Where arms and targets are, for the conflicts between edges.

    Parameters
    ----------
    fibre_xy_m : float64[n, 2]
        Axes of the positioners [m].
    target_xy_m : float64[t, 2]
        Targets on the focal plane [m].
    arms : Arms or None
        Shapes of the arms; None for no collisions.
    separation_m : float
        Two targets with a fibre are at least this far apart [m]; zero for no such rule.
    slit_next : int32[n] or None
        The fibre that follows on the same slit, or -1.
    magnitude : float64[t] or None
        Brightness; NaN where the rule below does not apply.
    contrast_mag : float
        Neighbours on a slit differ by at most this much [mag]; infinite for no such rule.
    """

    fibre_xy_m: npt.NDArray[np.float64]
    target_xy_m: npt.NDArray[np.float64]
    arms: Arms | None = None
    separation_m: float = 0.0
    slit_next: npt.NDArray[np.int32] | None = None
    magnitude: npt.NDArray[np.float64] | None = None
    contrast_mag: float = np.inf


@dataclass(frozen=True, eq=False)
class AssignmentProblem:
    """Which fibre reaches which target, what that is worth, and what excludes what.

    Parameters
    ----------
    n_fibres : int
        Number of fibres.
    weight : float64[t]
        Worth of each target: finite, zero or more.
    start : int64[t + 1]
        The edges of target i are ``start[i]`` to ``start[i + 1]``, the last not included.
    fibre : int32[m]
        Fibre of each edge, of each target in order of preference (nearest first).
    target_class : int16[t]
        Importance: 0 goes first; within a class, the greater weight goes first. Only ``greedy``
        and ``exact`` ask for an order, and ``exact`` takes the weights alone.
    pair_weight : float64[m] or None
        Worth of each edge on top of its target's; only ``flow`` and ``cpsat`` can have it.
    purpose : int8[t] or None
        :class:`Purpose` of each target; None for science alone.
    quotas : Quotas or None
        Sky fibres and standards that are needed.
    geometry : Geometry or None
        For collisions and the rules of distance; None for none of them.
    """

    n_fibres: int
    weight: npt.NDArray[np.float64]
    start: npt.NDArray[np.int64]
    fibre: npt.NDArray[np.int32]
    target_class: npt.NDArray[np.int16]
    pair_weight: npt.NDArray[np.float64] | None = None
    purpose: npt.NDArray[np.int8] | None = None
    quotas: Quotas | None = None
    geometry: Geometry | None = None

    @property
    def n_targets(self) -> int:
        """Number of targets."""
        return len(self.weight)

    @property
    def n_edges(self) -> int:
        """Number of edges."""
        return len(self.fibre)

    @property
    def has_conflicts(self) -> bool:
        """Whether anything but fibres and targets themselves excludes edges."""
        rules = self.geometry
        return rules is not None and (
            rules.arms is not None
            or rules.separation_m > 0.0
            or (rules.slit_next is not None and np.isfinite(rules.contrast_mag))
        )

    def edge_target(self) -> npt.NDArray[np.int32]:
        """Target of each edge, int32[m]."""
        return np.repeat(np.arange(self.n_targets, dtype=np.int32), np.diff(self.start))


@dataclass(frozen=True, eq=False)
class Solution:
    """What a method found, and how good it is at least.

    Parameters
    ----------
    method : str
        The method that found it.
    fibre_of_target : int32[t]
        Fibre of each target, or -1.
    objective : float
        Sum of the weights of the targets with a fibre (and of the pairs, where they have any).
    upper_bound : float
        No assignment that misses the quotas by no more than this one is worth more.
    seconds : float
        Wall-clock time of the search.
    missing : int32[g, 3]
        Fibres that each group lacks of its quotas.
    details : dict
        What a method has to say of itself (iterations, nodes, ...).
    """

    method: str
    fibre_of_target: npt.NDArray[np.int32]
    objective: float
    upper_bound: float
    seconds: float
    missing: npt.NDArray[np.int32] = field(default_factory=lambda: np.zeros((0, 3), np.int32))
    details: dict[str, float] = field(default_factory=dict)

    @property
    def gap(self) -> float:
        """Relative distance of the objective from the bound: 0 is proven optimal."""
        if not self.upper_bound > 0.0:
            return 0.0
        return max(self.upper_bound - self.objective, 0.0) / self.upper_bound

    def target_of_fibre(self, n_fibres: int) -> npt.NDArray[np.int32]:
        """Target of each fibre, or -1: int32[n]."""
        target = np.full(n_fibres, -1, dtype=np.int32)
        got = np.flatnonzero(self.fibre_of_target >= 0)
        target[self.fibre_of_target[got]] = got
        return target
