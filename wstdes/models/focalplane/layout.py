"""The positioners of a focal plane: where they stand, what they feed, how far they reach."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from wstdes.models.focalplane.arms import TOLERANCE_M
from wstdes.models.focalplane.modules import slit_positions, triangular_modules

if TYPE_CHECKING:
    import numpy.typing as npt

    from wstdes.models.focalplane.arms import Arms

__all__ = ["HR", "LR", "FocalPlane", "hexagonal_layout"]

LR = 0
"""A fibre of the low-resolution spectrographs."""

HR = 1
"""A fibre of the high-resolution spectrographs."""

_EVEN = 0.7548776662466927, 0.5698402909980532
"""Powers -1 and -2 of the plastic number: the lattice points whose sum of coordinates, weighted
with these, has a fraction below f are an evenly spread share f of the lattice."""


def _none() -> npt.NDArray[np.int32]:
    """Stand for an array that is filled in afterwards."""
    return np.zeros(0, dtype=np.int32)


@dataclass(frozen=True, eq=False)
class FocalPlane:
    """Fibre positioners on a flat focal plane; one element of each array a positioner.

    Parameters
    ----------
    x_m, y_m : float64[n]
        Home position [m]; the origin is the optical axis, x points east and y north.
    kind : int8[n]
        :data:`LR` or :data:`HR`.
    patrol_m : float64[n]
        Patrol radius [m]: the fibre reaches every point this far from home, or nearer.
    spectrograph : int16[n]
        Number of the spectrograph that the fibre feeds, from 0 within its kind.
    module : int32[n], optional
        The module (raft, petal) that carries the positioner, from 0; all in one by default.
    slit : int32[n], optional
        Position along the slit of its spectrograph, from 0. By default in the order of modules,
        and within a module in the order of these arrays.
    arms : Arms, optional
        Lengths and outlines of the arms; without them a positioner is a patrol disc.

    Raises
    ------
    ValueError
        If the arrays differ in length, are empty, or hold something that no positioner has.
    """

    x_m: npt.NDArray[np.float64]
    y_m: npt.NDArray[np.float64]
    kind: npt.NDArray[np.int8]
    patrol_m: npt.NDArray[np.float64]
    spectrograph: npt.NDArray[np.int16]
    module: npt.NDArray[np.int32] = field(default_factory=_none)
    slit: npt.NDArray[np.int32] = field(default_factory=_none)
    arms: Arms | None = None

    def __post_init__(self) -> None:
        if not np.size(self.module):
            object.__setattr__(self, "module", np.zeros(np.shape(self.x_m), np.int32))
        self._check_shapes("x_m", "y_m", "kind", "patrol_m", "spectrograph", "module")
        if not np.size(self.slit):
            slit = slit_positions(self.kind, self.spectrograph, self.module)
            object.__setattr__(self, "slit", slit)
        self._check_shapes("x_m", "slit")
        if not (np.isfinite(self.x_m).all() and np.isfinite(self.y_m).all()):
            raise ValueError("the positions of the fibres must be finite")
        if not np.isin(self.kind, (LR, HR)).all():
            raise ValueError(f"the kind of a fibre is {LR} (LR) or {HR} (HR)")
        if not (np.isfinite(self.patrol_m).all() and np.min(self.patrol_m) >= 0.0):
            raise ValueError("patrol radii must be finite and not negative")
        if np.min(self.module) < 0 or np.min(self.slit) < 0:
            raise ValueError("modules and positions on a slit count from 0")
        if self.arms is not None:
            if self.arms.n_fibres != self.n_fibres:
                raise ValueError(f"{self.n_fibres} fibres cannot have {self.arms.n_fibres} arms")
            if np.any(self.patrol_m > self.arms.reach_m()[1] + TOLERANCE_M):
                raise ValueError("patrol radii must not be longer than the arms reach")

    def _check_shapes(self, *names: str) -> None:
        shapes = {name: np.shape(getattr(self, name)) for name in names}
        if len(set(shapes.values())) != 1 or len(shapes["x_m"]) != 1:
            raise ValueError(f"a focal plane needs vectors of one length, not {shapes}")
        if self.n_fibres == 0:
            raise ValueError("a focal plane needs at least one fibre")

    @property
    def n_fibres(self) -> int:
        """Number of positioners of both kinds."""
        return len(self.x_m)

    @cached_property
    def inner_m(self) -> npt.NDArray[np.float64]:
        """Radius about each home that its own fibre cannot enter, float64[n] [m]; read-only."""
        inner = np.zeros(self.n_fibres) if self.arms is None else self.arms.reach_m()[0]
        inner.flags.writeable = False
        return inner

    @cached_property
    def radius_m(self) -> float:
        """Distance of the outermost positioner's home from the centre [m]."""
        return float(np.hypot(self.x_m, self.y_m).max())

    @cached_property
    def reach_m(self) -> float:
        """Greatest distance from the centre that any fibre reaches [m]."""
        return float((np.hypot(self.x_m, self.y_m) + self.patrol_m).max())

    def reach_rad(self, scale_m_per_rad: float) -> float:
        """The same on the sky, by the plate scale on the tangent plane [m/rad]: [rad]."""
        return float(np.arctan(self.reach_m / scale_m_per_rad))


def hexagonal_layout(
    *,
    n_lr: int,
    n_hr: int,
    pitch_m: float,
    patrol_lr_m: float,
    patrol_hr_m: float,
    hole_radius_m: float,
    spectrographs_lr: int,
    spectrographs_hr: int,
    module_size: int = 63,
) -> FocalPlane:
    """Fill a hexagonal lattice from the centre outwards, around the hole of the IFS.

    The positioners are the ``n_lr + n_hr`` lattice points nearest the centre that are not inside
    the hole; equally distant points enter by row, then by column. The HR positioners are a
    hexagonal sub-lattice of about every ``(n_lr + n_hr) / n_hr``-th point, thinned or
    filled evenly to exactly `n_hr`. Each spectrograph takes a compact patch of the plane; the
    patches of a kind differ by at most one fibre. Positioners are numbered outwards. Modules are
    triangles that tile the plane (:func:`triangular_modules`), incomplete at its edges; a slit
    follows them.

    Parameters
    ----------
    n_lr, n_hr : int
        Number of LR and HR fibres; one of them may be zero.
    pitch_m : float
        Distance between neighbouring positioners [m].
    patrol_lr_m, patrol_hr_m : float
        Patrol radii [m].
    hole_radius_m : float
        Radius of the central hole [m]; zero for none.
    spectrographs_lr, spectrographs_hr : int
        Number of spectrographs of each kind; at most one for each fibre.
    module_size : int, optional
        Positioners of a whole module.

    Returns
    -------
    FocalPlane
        The same one for the same arguments, bit for bit.

    Raises
    ------
    ValueError
        If there are no fibres, a length is negative or not finite, or a kind that has fibres has
        no spectrograph, or more spectrographs than fibres.
    """
    _check_counts("LR", n_lr, spectrographs_lr)
    _check_counts("HR", n_hr, spectrographs_hr)
    if n_lr + n_hr == 0:
        raise ValueError("a focal plane needs at least one fibre")
    if not (math.isfinite(pitch_m) and pitch_m > 0.0):
        raise ValueError(f"pitch_m must be positive, not {pitch_m}")
    lengths = {
        "patrol_lr_m": patrol_lr_m,
        "patrol_hr_m": patrol_hr_m,
        "hole_radius_m": hole_radius_m,
    }
    for name, value in lengths.items():
        if not (math.isfinite(value) and value >= 0.0):
            raise ValueError(f"{name} must not be negative, nor {value}")

    a, b = _nearest_points(n_lr + n_hr, hole_radius_m / pitch_m)
    x_m, y_m = (
        v.astype(np.float64) for v in ((a + 0.5 * b) * pitch_m, b * (math.sqrt(0.75) * pitch_m))
    )
    kind = _kinds(a, b, n_hr)
    spectrograph = np.zeros(len(a), dtype=np.int16)
    for which, groups in ((LR, spectrographs_lr), (HR, spectrographs_hr)):
        of_kind = np.flatnonzero(kind == which)
        if len(of_kind):
            spectrograph[of_kind] = _patches(x_m[of_kind], y_m[of_kind], groups)
    patrol_m = np.where(kind == HR, float(patrol_hr_m), float(patrol_lr_m))
    module, order = triangular_modules(a, b, module_size)
    slit = slit_positions(kind, spectrograph, order)
    return FocalPlane(x_m, y_m, kind, patrol_m, spectrograph, module, slit)


def _check_counts(name: str, fibres: int, spectrographs: int) -> None:
    """Refuse a number of fibres or spectrographs of one kind that cannot be built."""
    if fibres < 0:
        raise ValueError(f"the number of {name} fibres must not be negative, nor {fibres}")
    if fibres > 0 and not 1 <= spectrographs <= min(fibres, np.iinfo(np.int16).max):
        raise ValueError(f"{fibres} {name} fibres cannot feed {spectrographs} spectrographs")


def _nearest_points(n: int, hole: float) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Integer coordinates (a, b) of the `n` lattice points nearest the centre, outside a hole.

    The point (a, b) is a + b/2 to the east and b sqrt(3)/2 to the north, in units of the pitch,
    so that its squared distance is the integer a^2 + ab + b^2: the order is exact.
    """
    radius = math.sqrt(n * math.sqrt(0.75) / math.pi + hole**2) + 2.0
    half = math.ceil(radius / math.sqrt(0.75)) + 1
    axis = np.arange(-half, half + 1, dtype=np.int64)
    b, a = (grid.ravel() for grid in np.meshgrid(axis, axis, indexing="ij"))
    squared = a * a + a * b + b * b
    inside = (squared <= radius**2) & (squared >= hole**2 * (1.0 - 1e-12))
    a, b, squared = a[inside], b[inside], squared[inside]
    order = np.lexsort((a, b, squared))[:n]
    assert len(order) == n
    return a[order], b[order]


def _kinds(a: npt.NDArray[np.int64], b: npt.NDArray[np.int64], n_hr: int) -> npt.NDArray[np.int8]:
    """Kind of each lattice point; the rarer kind is spread evenly over the commoner.

    The points fall into the cosets of a hexagonal sub-lattice. Whole cosets go to the rarer
    kind, each one the farthest from those before it, and of the last an even share.
    """
    n = len(a)
    rare, common, wanted = (HR, LR, n_hr) if 2 * n_hr <= n else (LR, HR, n - n_hr)
    kind = np.full(n, common, dtype=np.int8)
    if wanted == 0:
        return kind
    i, j = _sublattice(n / wanted)
    size = i * i + i * j + j * j
    # (a, b) = (s (i, j) + t (-j, i + j)) / size
    s, t = (i + j) * a + j * b, i * b - j * a
    _, first, coset = np.unique(
        (s % size) * size + t % size, return_index=True, return_inverse=True
    )
    chosen = int(coset[0])
    apart = np.full(len(first), np.inf)
    while wanted > 0:
        members = np.flatnonzero(coset == chosen)
        share = min(wanted, len(members))
        cell = _EVEN[0] * (s[members] // size) + _EVEN[1] * (t[members] // size)
        kind[members[np.argsort(cell % 1.0, kind="stable")[:share]]] = rare
        wanted -= share
        ds, dt = ((v[first] - v[first[chosen]]) / size for v in (s, t))
        apart = np.minimum(apart, _squared_distance(ds, dt))
        chosen = int(np.argmax(apart))
    return kind


def _sublattice(ratio: float) -> tuple[int, int]:
    """Vector (i, j) of the sub-lattice that keeps nearest to one point in `ratio`, of 2 or more."""
    top = math.ceil(2.0 * math.sqrt(ratio)) + 1
    vectors = [(i, j) for i in range(1, top) for j in range(i + 1) if i + j > 1]
    return min(vectors, key=lambda v: (abs(v[0] ** 2 + v[0] * v[1] + v[1] ** 2 - ratio), -v[0]))


def _squared_distance(
    s: npt.NDArray[np.float64], t: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Squared distance of each point (s, t) from the nearest point of the hexagonal lattice."""
    s, t = s - np.round(s), t - np.round(t)
    around = [(s + i, t + j) for i in (-1, 0, 1) for j in (-1, 0, 1)]
    return np.asarray(np.min([u * u + u * v + v * v for u, v in around], axis=0))


def _patches(
    x_m: npt.NDArray[np.float64], y_m: npt.NDArray[np.float64], groups: int
) -> npt.NDArray[np.int64]:
    """Patch number of each point: halves of halves, each cut across its longer side."""
    patch = np.zeros(len(x_m), dtype=np.int64)
    bounds = np.arange(groups + 1) * len(x_m) // groups
    open_ = [(np.arange(len(x_m)), 0, groups)]
    while open_:
        points, low, high = open_.pop()
        if high - low == 1:
            patch[points] = low
            continue
        x, y = x_m[points], y_m[points]
        along, across = (x, y) if np.ptp(x) >= np.ptp(y) else (y, x)
        points = points[np.lexsort((across, along))]
        middle = (low + high) // 2
        cut = int(bounds[middle] - bounds[low])
        open_ += [(points[:cut], low, middle), (points[cut:], middle, high)]
    return patch
