"""One configuration of the whole focal plane: what each fibre does."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np

from wstdes.allocation import candidates, matching
from wstdes.allocation.candidates import Grid
from wstdes.allocation.matching import match_in_order
from wstdes.jit import is_cached
from wstdes.models.focalplane import HR, LR, FocalPlane, hexagonal_layout

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["Assignment", "FibreUse", "assign", "kernels_cached", "warm_up"]


class FibreUse(IntEnum):
    """What a fibre does during an exposure; each one does exactly one of these."""

    SCIENCE = 0
    STANDARD = 1
    SKY = 2
    UNASSIGNED = 3
    BROKEN = 4


@dataclass(frozen=True, eq=False)
class Assignment:
    """What :func:`assign` decided.

    Parameters
    ----------
    fibre_of_target : int32[t]
        Fibre of each target, or -1.
    target_of_fibre : int32[n]
        Target of each fibre, or -1.
    use : int8[n]
        :class:`FibreUse` of each fibre.
    kind : int8[n]
        Kind of each fibre, LR or HR.
    """

    fibre_of_target: npt.NDArray[np.int32]
    target_of_fibre: npt.NDArray[np.int32]
    use: npt.NDArray[np.int8]
    kind: npt.NDArray[np.int8]

    def counts(self, kind: int) -> dict[FibreUse, int]:
        """Number of fibres of one kind in each use; every use is there, zeros too.

        Parameters
        ----------
        kind : int
            LR or HR.

        Returns
        -------
        dict of FibreUse to int
            They add up to the number of fibres of that kind.
        """
        number = np.bincount(self.use[self.kind == kind], minlength=len(FibreUse))
        return {use: int(number[use]) for use in FibreUse}


def assign(
    focal_plane: FocalPlane,
    usable: npt.ArrayLike,
    x_m: npt.ArrayLike,
    y_m: npt.ArrayLike,
    kind: npt.ArrayLike,
    priority: npt.ArrayLike,
    is_standard: npt.ArrayLike,
    *,
    sky: tuple[int, int],
    standards: tuple[int, int],
) -> Assignment:
    """Give every fibre of a focal plane something to do.

    Of each kind, separately:

    1. The sky's quota is kept back first: targets get at most ``usable - sky`` fibres. If the
       quota exceeds the usable fibres, no target is assigned and all of them go to sky.
    2. Standards go ahead of every science target, in the order given, each one that fits beside
       those before it, up to their quota or to the fibres left. The others stay unassigned:
       a standard is never observed as science, and a quota that cannot be met is no error.
    3. Science targets follow by priority, equal ones in the order given, each one that fits
       beside those before it. No other choice has a greater sum of priorities.
    4. Of the fibres without a target, as many as the quota become sky, in equal numbers from
       all spectrographs as far as they have them, spread evenly within each. The quota is met
       exactly, or takes all usable fibres. What is left is unassigned.

    Positioners reach any point of their patrol area whatever their neighbours do: arms are not
    checked for collisions.

    Parameters
    ----------
    focal_plane : FocalPlane
        The positioners.
    usable : bool[n]
        False for positioners that are broken.
    x_m, y_m : float64[t]
        Positions of the targets on the focal plane [m].
    kind : int8[t]
        Kind of fibre that each target needs, LR or HR.
    priority : float64[t]
        Worth of each target, zero or more, larger is more important; not used for standards.
    is_standard : bool[t]
        Targets that are calibration standards.
    sky, standards : (int, int)
        Quotas of sky fibres and of standards, for LR and for HR.

    Returns
    -------
    Assignment
        The same for the same arguments.

    Raises
    ------
    ValueError
        If lengths do not match, a position or a priority is not finite, a priority is negative,
        a kind is unknown, or a quota is negative or not a whole number.
    """
    ready = _checked_usable(focal_plane, usable)
    targets = _Targets(x_m, y_m, kind, priority, is_standard)
    sky_quota, standard_quota = _checked_quota("sky", sky), _checked_quota("standards", standards)
    number = np.bincount(focal_plane.kind[ready], minlength=2)
    capacity = np.maximum(number - sky_quota, 0)

    grid = Grid(focal_plane.x_m, focal_plane.y_m, focal_plane.kind, focal_plane.patrol_m, ready)
    first = np.flatnonzero(targets.is_standard)
    got = _match(grid, targets, first, np.minimum(standard_quota, capacity), len(ready))
    first = first[got >= 0]
    science = np.flatnonzero(~targets.is_standard)
    science = science[np.argsort(-targets.priority[science], kind="stable")]
    # The standards that fitted fit again, and the science targets move them where that helps.
    order = np.concatenate([first, science])
    got = _match(grid, targets, order, capacity, len(ready))
    order, got = order[got >= 0], got[got >= 0]

    fibre_of_target = np.full(len(targets.x_m), -1, dtype=np.int32)
    fibre_of_target[order] = got
    target_of_fibre = np.full(focal_plane.n_fibres, -1, dtype=np.int32)
    target_of_fibre[got] = order
    use = np.where(ready, FibreUse.UNASSIGNED, FibreUse.BROKEN).astype(np.int8)
    use[got] = np.where(targets.is_standard[order], FibreUse.STANDARD, FibreUse.SCIENCE)
    for which in (LR, HR):
        free = np.flatnonzero((use == FibreUse.UNASSIGNED) & (focal_plane.kind == which))
        use[_sky(free, focal_plane.spectrograph[free], int(sky_quota[which]))] = FibreUse.SKY
    return Assignment(fibre_of_target, target_of_fibre, use, focal_plane.kind)


class _Targets:
    """The targets as arrays that can be trusted: one length, finite, of known kinds."""

    def __init__(
        self,
        x_m: npt.ArrayLike,
        y_m: npt.ArrayLike,
        kind: npt.ArrayLike,
        priority: npt.ArrayLike,
        is_standard: npt.ArrayLike,
    ) -> None:
        given = {
            "x_m": np.asarray(x_m, dtype=np.float64),
            "y_m": np.asarray(y_m, dtype=np.float64),
            "kind": np.asarray(kind),
            "priority": np.asarray(priority, dtype=np.float64),
            "is_standard": np.asarray(is_standard),
        }
        shapes = {name: values.shape for name, values in given.items()}
        if len(set(shapes.values())) != 1 or len(shapes["x_m"]) != 1:
            raise ValueError(f"targets need vectors of one length, not {shapes}")
        for name in ("x_m", "y_m", "priority"):
            bad = np.flatnonzero(~np.isfinite(given[name]))
            if len(bad):
                raise ValueError(f"{name} of target {bad[0]} is {given[name][bad[0]]}, not finite")
        bad = np.flatnonzero(given["priority"] < 0.0)
        if len(bad):
            worth = given["priority"][bad[0]]
            raise ValueError(f"priority of target {bad[0]} is negative: {worth}")
        bad = np.flatnonzero(~np.isin(given["kind"], (LR, HR)))
        if len(bad):
            raise ValueError(
                f"kind of target {bad[0]} is {given['kind'][bad[0]]}, not {LR} (LR) or {HR} (HR)"
            )
        standard = given["is_standard"]
        if standard.size and standard.dtype != np.bool_:
            raise ValueError(f"is_standard must be boolean, not {standard.dtype}")
        self.x_m: npt.NDArray[np.float64] = given["x_m"]
        self.y_m: npt.NDArray[np.float64] = given["y_m"]
        self.kind: npt.NDArray[np.int8] = given["kind"].astype(np.int8)
        self.priority: npt.NDArray[np.float64] = given["priority"]
        self.is_standard: npt.NDArray[np.bool_] = standard.astype(np.bool_)


def _checked_usable(focal_plane: FocalPlane, usable: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """The mask of usable fibres, if it is one."""
    mask = np.asarray(usable)
    if mask.dtype != np.bool_ or mask.shape != (focal_plane.n_fibres,):
        raise ValueError(
            f"usable must be bool[{focal_plane.n_fibres}], not {mask.dtype}{list(mask.shape)}"
        )
    return mask


def _checked_quota(name: str, quota: tuple[int, int]) -> npt.NDArray[np.int64]:
    """A quota for LR and HR, if it is one."""
    values = np.asarray(quota)
    if values.shape != (2,) or values.dtype.kind not in "iu" or values.min() < 0:
        raise ValueError(f"{name} must be two whole numbers for LR and HR, not {quota!r}")
    return values.astype(np.int64)


def _match(
    grid: Grid,
    targets: _Targets,
    order: npt.NDArray[np.int64],
    capacity: npt.NDArray[np.int64],
    n_fibres: int,
) -> npt.NDArray[np.int32]:
    """Fibre, or -1, of each of the targets of `order`, the first one first."""
    kind = targets.kind[order]
    start, fibre = grid.candidates(targets.x_m[order], targets.y_m[order], kind)
    return match_in_order(start, fibre, n_fibres, kind, capacity)


def _sky(
    free: npt.NDArray[np.int64], spectrograph: npt.NDArray[np.int16], quota: int
) -> npt.NDArray[np.int64]:
    """Choose up to `quota` of the free fibres, by turns from each spectrograph."""
    if quota == 0 or len(free) == 0:
        return free[:0]
    order = np.argsort(spectrograph, kind="stable")
    _, first, size = np.unique(spectrograph[order], return_index=True, return_counts=True)
    turn = np.arange(len(free)) - np.repeat(first, size)
    of = np.repeat(np.arange(len(size)), size)
    share = np.bincount(of[np.argsort(turn, kind="stable")[:quota]], minlength=len(size))
    # of `size` fibres the ones where i * share / size passes a whole number: evenly spread
    passed = (turn + 1) * share[of] // size[of] > turn * share[of] // size[of]
    return free[order[passed]]


def warm_up() -> None:
    """Compile the kernels, or load them from disk, by assigning a plane of two fibres."""
    plane = hexagonal_layout(
        n_lr=1,
        n_hr=1,
        pitch_m=1.0,
        patrol_lr_m=1.0,
        patrol_hr_m=1.0,
        hole_radius_m=0.0,
        spectrographs_lr=1,
        spectrographs_hr=1,
    )
    one = np.ones(1)
    assign(plane, [True, True], one, one, [LR], one, [False], sky=(0, 0), standards=(0, 0))


def kernels_cached() -> bool:
    """Whether the kernels need no compilation, which takes some seconds.

    Returns
    -------
    bool
        True if :func:`warm_up` would load them from disk, or already did.
    """
    return all(is_cached(kernel) for kernel in (*candidates.KERNELS, *matching.KERNELS))
