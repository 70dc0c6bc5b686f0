"""Problems made by others, and their results: NumPy's .npz, lengths in millimetres."""

from __future__ import annotations

import tokenize
import zipfile
import zlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from wstdes.allocation.problem import AssignmentProblem, Geometry
from wstdes.errors import WstdesError
from wstdes.models.focalplane import Arms, ArmShape, solve_pose

if TYPE_CHECKING:
    import numpy.typing as npt

    from wstdes.allocation.problem import Solution

__all__ = ["ProblemFile", "read_problem", "small_part", "write_result"]

_NEEDED = (
    "positioner_xy", "target_xy", "target_class", "target_weight", "edge_fibre", "edge_target",
)  # fmt: skip
_OPTIONAL = ("arm_mm", "theta_polygon", "phi_polygon")
_MOST_WEIGHT = 1e290
"""Sums of greater weights may exceed what a number can hold."""
_DAMAGED = (
    OSError, ValueError, EOFError, KeyError, RuntimeError, SyntaxError, MemoryError,
    zipfile.BadZipFile, zlib.error, tokenize.TokenError,
)  # fmt: skip
"""What NumPy raises on a file that is damaged, by where the damage is."""


@dataclass(frozen=True, eq=False)
class ProblemFile:
    """A problem that was read.

    Parameters
    ----------
    problem : AssignmentProblem
        Its edges are sorted by target, then by distance, then by fibre.
    repeated : int
        Edges that stood there more than once and were merged.
    unreachable : int
        Edges that the arms do not reach and that were dropped.
    """

    problem: AssignmentProblem
    repeated: int
    unreachable: int


def read_problem(path: str | Path) -> ProblemFile:
    """Read a problem.

    Parameters
    ----------
    path : str or Path
        A .npz file with ``positioner_xy`` float[n, 2] and ``target_xy`` float[t, 2] (mm),
        ``target_class`` int[t] (0 is the most important), ``target_weight`` float[t],
        ``edge_fibre`` and ``edge_target`` int[m]; for collisions ``arm_mm`` float[2] or [n, 2]
        (theta and phi length, mm), ``theta_polygon`` and ``phi_polygon`` float[k, 2] or [n, k, 2]
        (mm, arms along +x, origin at their own axis).

    Returns
    -------
    ProblemFile

    Raises
    ------
    WstdesError
        It cannot be read, or an array is missing or wrong: the array, the place, the value.
    """
    path = Path(path)
    arrays = _load(path)
    for name in _NEEDED:
        if name not in arrays:
            known = ", ".join(arrays) or "nothing"
            raise WstdesError(f"{path}: array '{name}' is missing; the file has {known}")
    fibre_xy = 1e-3 * _floats(path, arrays, "positioner_xy", (None, 2))
    target_xy = 1e-3 * _floats(path, arrays, "target_xy", (None, 2))
    n, t = len(fibre_xy), len(target_xy)
    weight = _floats(path, arrays, "target_weight", (t,))
    if (weight < 0.0).any():
        raise _wrong(path, "target_weight", weight, weight < 0.0, "must not be negative")
    if weight.max(initial=0.0) > _MOST_WEIGHT:
        heavy = weight > _MOST_WEIGHT
        raise _wrong(path, "target_weight", weight, heavy, f"must be {_MOST_WEIGHT:g} at most")
    classes = _whole(path, arrays, "target_class", t, np.iinfo(np.int16).max + 1)
    fibre = _whole(path, arrays, "edge_fibre", None, n)
    target = _whole(path, arrays, "edge_target", len(fibre), t)
    arms = _arms(path, arrays, n)
    fibre, target, repeated = _sorted_edges(fibre, target, fibre_xy, target_xy)
    unreachable = 0
    if arms is not None:
        offset = target_xy[target] - fibre_xy[fibre]
        reached = solve_pose(arms, fibre, offset[:, 0], offset[:, 1]).reached
        unreachable = int((~reached).sum())
        fibre, target = fibre[reached], target[reached]
    start = np.zeros(t + 1, dtype=np.int64)
    np.cumsum(np.bincount(target, minlength=t), out=start[1:])
    outlined = arms is not None and "phi_polygon" in arrays
    problem = AssignmentProblem(
        n_fibres=n,
        weight=weight,
        start=start,
        fibre=fibre.astype(np.int32),
        target_class=classes.astype(np.int16),
        geometry=Geometry(fibre_xy, target_xy, arms if outlined else None),
    )
    return ProblemFile(problem, repeated, unreachable)


def small_part(problem: AssignmentProblem, n_targets: int = 40) -> AssignmentProblem:
    """The first targets of a problem alone: to load or compile the code before a timing.

    Parameters
    ----------
    problem : AssignmentProblem
        Without quotas.
    n_targets : int
        How many targets at most.

    Returns
    -------
    AssignmentProblem
        With all the fibres.
    """
    t = min(n_targets, problem.n_targets)
    rules = problem.geometry
    if rules is not None:
        rules = replace(rules, target_xy_m=rules.target_xy_m[:t].copy())
    return replace(
        problem,
        weight=problem.weight[:t].copy(),
        start=problem.start[: t + 1].copy(),
        fibre=problem.fibre[: problem.start[t]].copy(),
        target_class=problem.target_class[:t].copy(),
        geometry=None
        if rules is None
        else replace(rules, target_xy_m=rules.target_xy_m[:t].copy()),
    )


def write_result(path: str | Path, solution: Solution) -> None:
    """Write what a method found: ``fibre`` and ``target`` (the pairs), and scalars.

    Parameters
    ----------
    path : str or Path
        A .npz file; an existing one is overwritten.
    solution : Solution
        ``objective``, ``upper_bound`` and ``seconds`` (of the solving alone) come with the pairs.
    """
    path = Path(path)
    if path.suffix != ".npz":
        raise WstdesError(f"{path}: results of a problem are written as .npz")
    target = np.flatnonzero(solution.fibre_of_target >= 0)
    try:
        with path.open("wb") as file:
            np.savez(
                file,
                fibre=solution.fibre_of_target[target].astype(np.int32),
                target=target.astype(np.int32),
                objective=np.float64(solution.objective),
                upper_bound=np.float64(solution.upper_bound),
                seconds=np.float64(solution.seconds),
                method=np.str_(solution.method),
            )
    except OSError as error:
        raise WstdesError(f"{path}: cannot be written: {error}") from None


def _load(path: Path) -> dict[str, npt.NDArray[Any]]:
    if not path.is_file():
        raise WstdesError(f"{path}: no such file")
    if not zipfile.is_zipfile(path):
        raise WstdesError(f"{path}: is no .npz file, as numpy.savez writes it")
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files if name in _NEEDED + _OPTIONAL}
    except _DAMAGED as error:
        raise WstdesError(f"{path}: cannot be read as .npz: {error}") from None


def _wrong(
    path: Path, name: str, values: npt.NDArray[Any], bad: npt.NDArray[np.bool_], text: str
) -> WstdesError:
    place = np.unravel_index(int(np.argmax(bad)), bad.shape)
    where = ", ".join(str(i) for i in place)
    return WstdesError(f"{path}: {name}[{where}] is {values[place]}: it {text}")


def _floats(
    path: Path, arrays: dict[str, npt.NDArray[Any]], name: str, shape: tuple[int | None, ...]
) -> npt.NDArray[np.float64]:
    values = arrays[name]
    fits = values.ndim == len(shape) and all(
        wanted in (None, given) for wanted, given in zip(shape, values.shape, strict=True)
    )
    if not fits or values.dtype.kind not in "fiu":
        wanted = ", ".join("any" if size is None else str(size) for size in shape)
        raise WstdesError(
            f"{path}: {name} must be numbers of shape [{wanted}], not {values.dtype}"
            f"{list(values.shape)}"
        )
    bad = ~np.isfinite(values)
    if bad.any():
        raise _wrong(path, name, values, bad, "must be finite")
    return np.ascontiguousarray(values, dtype=np.float64)


def _whole(
    path: Path, arrays: dict[str, npt.NDArray[Any]], name: str, size: int | None, end: int
) -> npt.NDArray[np.int64]:
    values = arrays[name]
    if values.ndim != 1 or values.dtype.kind not in "iu" or size not in (None, len(values)):
        wanted = "any length" if size is None else f"length {size}"
        if not (values.ndim == 1 and len(values) == 0 and size in (None, 0)):
            raise WstdesError(
                f"{path}: {name} must be whole numbers of {wanted}, not {values.dtype}"
                f"{list(values.shape)}"
            )
    bad = (values < 0) | (values >= end)
    if bad.any():
        raise _wrong(path, name, values, bad, f"must be 0 to {end - 1}")
    return values.astype(np.int64)


def _sorted_edges(
    fibre: npt.NDArray[np.int64],
    target: npt.NDArray[np.int64],
    fibre_xy: npt.NDArray[np.float64],
    target_xy: npt.NDArray[np.float64],
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], int]:
    """Edges by target, distance and fibre, each once; and how many were there again."""
    offset = target_xy[target] - fibre_xy[fibre]
    square = offset[:, 0] ** 2 + offset[:, 1] ** 2
    order = np.lexsort((fibre, square, target))
    fibre, target = fibre[order], target[order]
    again = np.zeros(len(fibre), dtype=np.bool_)
    # the same pair has the same distance, so its edges stand side by side
    again[1:] = (fibre[1:] == fibre[:-1]) & (target[1:] == target[:-1])
    return fibre[~again], target[~again], int(again.sum())


def _arms(path: Path, arrays: dict[str, npt.NDArray[Any]], n: int) -> Arms | None:
    """Arms as the file has them; without hard stops."""
    if "arm_mm" not in arrays:
        polygons = [name for name in ("theta_polygon", "phi_polygon") if name in arrays]
        if polygons:
            raise WstdesError(f"{path}: {polygons[0]} needs arm_mm (lengths) beside it")
        return None
    per_fibre = arrays["arm_mm"].ndim == 2
    lengths = _floats(path, arrays, "arm_mm", (n, 2) if per_fibre else (2,))
    if (lengths < 0.0).any():
        raise _wrong(path, "arm_mm", lengths, lengths < 0.0, "must not be negative")
    lengths = np.broadcast_to(1e-3 * lengths, (n, 2))
    outlines = {}
    # Without outlines the arms only limit the reach; a phi arm of some shape is there all the same.
    instead = {"theta_polygon": np.zeros((0, 2)), "phi_polygon": np.eye(3, 2)}
    for name, nothing in instead.items():
        given = arrays.get(name, nothing)
        shape = (n, None, 2) if given.ndim == 3 else (None, 2)
        corners = 1e-3 * _floats(path, {name: given}, name, shape)
        if corners.shape[-2] < 3 and (name == "phi_polygon" or corners.shape[-2] > 0):
            raise WstdesError(f"{path}: {name} has {corners.shape[-2]} corners; 3 are the fewest")
        outlines[name] = np.broadcast_to(corners, (n, *corners.shape[-2:]))
    if "theta_polygon" in arrays and "phi_polygon" not in arrays:
        raise WstdesError(f"{path}: theta_polygon needs phi_polygon beside it")
    number, shapes = _shapes(outlines["theta_polygon"], outlines["phi_polygon"])
    spine = not lengths[:, 0].any() and not outlines["theta_polygon"].shape[1]
    return Arms(
        theta_m=lengths[:, 0].copy(),
        phi_m=lengths[:, 1].copy(),
        shape=number,
        shapes=shapes,
        spine=spine,
        theta_zero_rad=np.zeros(n),
        theta_range_rad=np.tile([-np.pi, np.pi], (n, 1)),
        phi_range_rad=np.tile([0.0, np.pi], (n, 1)),
    )


def _shapes(
    theta: npt.NDArray[np.float64], phi: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.int16], tuple[ArmShape, ...]]:
    """The different outlines, and which of them each positioner has."""
    n = len(theta)
    rows = np.concatenate([theta.reshape(n, -1), phi.reshape(n, -1)], axis=1)
    if n == 0:
        return np.zeros(0, dtype=np.int16), (ArmShape(np.zeros((0, 2)), np.eye(3, 2)),)
    _, first, number = np.unique(rows, axis=0, return_index=True, return_inverse=True)
    shapes = tuple(ArmShape(theta[i].copy(), phi[i].copy()) for i in first)
    return number.ravel().astype(np.int16), shapes
