"""``solve(problem, method=...)``: one door to all the methods, and the checks at that door."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from wstdes.errors import WstdesError, did_you_mean

if TYPE_CHECKING:
    import numpy.typing as npt

    from wstdes.allocation.problem import AssignmentProblem, Solution

__all__ = ["METHODS", "check_problem", "kernels_cached", "solve", "warm_up"]

METHODS = ("exact", "lagrangian", "flow", "cpsat", "greedy")
"""What :func:`solve` takes as its method, beside ``auto``."""


def solve(
    problem: AssignmentProblem, method: str = "auto", *, time_limit_s: float | None = None
) -> Solution:
    """Find the best assignment, or a good one with a bound on the best.

    Parameters
    ----------
    problem : AssignmentProblem
        The problem; it is checked first.
    method : str
        One of :data:`METHODS`, or ``auto``: ``exact`` where only targets have a weight and
        nothing but fibres is short, ``lagrangian`` with conflicts or quotas, ``flow`` where
        pairs have weights, and ``cpsat`` where they have them beside what a flow cannot model.
    time_limit_s : float, optional
        When to stop looking for something better [s]; ``exact``, ``greedy`` and ``flow`` end by
        themselves and do not ask.

    Returns
    -------
    Solution
        The same for the same arguments, unless a time limit ended the search.

    Raises
    ------
    ValueError
        If the problem's arrays do not fit together or hold values that mean nothing.
    WstdesError
        If there is no such method, or it cannot solve this kind of problem.
    """
    if method != "auto" and method not in METHODS:
        hint = did_you_mean(str(method), ("auto", *METHODS))
        raise WstdesError(f"there is no method '{method}' of allocation; {hint}".rstrip("; "))
    if time_limit_s is not None and not time_limit_s > 0.0:
        raise ValueError(f"time_limit_s must be positive, not {time_limit_s}")
    check_problem(problem)
    if method == "auto":
        method = _choose(problem)
    if method == "exact":
        from wstdes.allocation.matching import solve_exact

        return solve_exact(problem)
    if method == "greedy":
        from wstdes.allocation.greedy import solve_greedy

        return solve_greedy(problem)
    if method == "flow":
        from wstdes.allocation.flow import solve_flow

        return solve_flow(problem)
    if method == "cpsat":
        from wstdes.allocation.cpsat import solve_cpsat

        return solve_cpsat(problem, time_limit_s=time_limit_s)
    from wstdes.allocation.lagrangian import solve_lagrangian

    return solve_lagrangian(problem, time_limit_s=time_limit_s)


def warm_up() -> None:
    """Compile the kernels of ``exact`` and ``lagrangian``, or load them from disk."""
    from wstdes.allocation.problem import AssignmentProblem, Geometry, Quotas
    from wstdes.models.focalplane import Arms, ArmShape, capsule

    shape = ArmShape(capsule(1.0, 0.2), capsule(1.0, 0.2))
    one, turn = np.ones(2), np.array([[0.0, np.pi]] * 2)
    arms = Arms(one, one, np.zeros(2, np.int16), (shape,), False, 0.0 * one, 2.0 * turn, turn)
    axis = np.array([[0.0, 0.0], [3.0, 0.0]])
    places = np.array([[1.5, 0.0], [1.4, 0.3], [0.0, 1.0], [3.0, -1.0]])
    tiny = AssignmentProblem(
        2,
        np.array([2.0, 1.0, 0.0, 0.0]),
        np.array([0, 2, 4, 5, 6]),
        np.array([0, 1, 0, 1, 0, 1], dtype=np.int32),
        np.zeros(4, dtype=np.int16),
        purpose=np.array([0, 0, 2, 1], dtype=np.int8),
        quotas=Quotas(np.zeros(2, np.int32), np.array([[0, 1, 1]], dtype=np.int32)),
        geometry=Geometry(axis, places, arms),
    )
    solve(tiny, "lagrangian")
    solve(replace(tiny, quotas=None), "lagrangian")
    solve(replace(tiny, quotas=None, geometry=None), "exact")


def kernels_cached() -> bool:
    """Whether :func:`warm_up` would load the kernels from disk, or has already.

    Returns
    -------
    bool
        False if compiling them will take its time.
    """
    from wstdes.allocation import conflicts, matching, pairs, reduction, repair, states
    from wstdes.jit import is_cached

    parts = (conflicts, matching, pairs, reduction, repair, states)
    return all(is_cached(kernel) for part in parts for kernel in part.KERNELS)


def _choose(problem: AssignmentProblem) -> str:
    """The method that suits a problem."""
    if problem.pair_weight is not None:
        from wstdes.allocation.flow import why_no_flow

        return "cpsat" if why_no_flow(problem) else "flow"
    if problem.has_conflicts or problem.quotas is not None:
        return "lagrangian"
    return "exact"


def check_problem(problem: AssignmentProblem) -> None:
    """Complain about arrays that do not fit together and values that mean nothing.

    Parameters
    ----------
    problem : AssignmentProblem
        What somebody made.

    Raises
    ------
    ValueError
        Names the array, the place, the value and what should stand there.
    """
    t, m, n = len(problem.weight), len(problem.fibre), problem.n_fibres
    if n < 0:
        raise ValueError(f"n_fibres must not be negative: {n}")
    _check_shape("weight", problem.weight, (t,), "f")
    _check_shape("start", problem.start, (t + 1,), "iu")
    _check_shape("fibre", problem.fibre, (m,), "iu")
    _check_shape("target_class", problem.target_class, (t,), "iu")
    _check_worth("weight", "target", problem.weight)
    if problem.start[0] != 0 or problem.start[-1] != m:
        raise ValueError(
            f"start must run from 0 to the {m} edges, not from {problem.start[0]} "
            f"to {problem.start[-1]}"
        )
    bad = np.flatnonzero(problem.start[1:] < problem.start[:-1])
    if len(bad):
        raise ValueError(f"start falls after target {bad[0]}: edges of a target follow each other")
    _check_range("fibre", "edge", problem.fibre, n)
    if problem.pair_weight is not None:
        _check_shape("pair_weight", problem.pair_weight, (m,), "f")
        _check_worth("pair_weight", "edge", problem.pair_weight)
    if problem.purpose is not None:
        _check_shape("purpose", problem.purpose, (t,), "iu")
        _check_range("purpose", "target", problem.purpose, 3)
    if problem.quotas is not None:
        quotas = problem.quotas
        _check_shape("quotas.group", quotas.group, (n,), "i")
        _check_shape("quotas.at_least", quotas.at_least, (len(quotas.at_least), 3), "iu")
        _check_range("quotas.group", "fibre", quotas.group, quotas.n_groups, lowest=-1)
        if (quotas.at_least < 0).any():
            raise ValueError("quotas.at_least has negative numbers of fibres")
    if problem.geometry is not None:
        _check_shape("geometry.fibre_xy_m", problem.geometry.fibre_xy_m, (n, 2), "f")
        _check_shape("geometry.target_xy_m", problem.geometry.target_xy_m, (t, 2), "f")


def _check_shape(
    name: str, values: npt.NDArray[np.generic], shape: tuple[int, ...], of: str
) -> None:
    if values.shape != shape or values.dtype.kind not in of:
        kind = "float" if of == "f" else "int"
        raise ValueError(
            f"{name} must be {kind}{list(shape)}, not {values.dtype}{list(values.shape)}"
        )


def _check_worth(name: str, whose: str, values: npt.NDArray[np.float64]) -> None:
    with np.errstate(invalid="ignore"):
        good = (values >= 0.0) & (values < np.inf)
    if not good.all():
        bad = int(np.argmin(good))
        raise ValueError(f"{name} of {whose} {bad} is {values[bad]}: it must be finite, 0 or more")


def _check_range(
    name: str, whose: str, values: npt.NDArray[np.integer], end: int, lowest: int = 0
) -> None:
    if len(values) and (values.min() < lowest or values.max() >= end):
        bad = int(np.argmax((values < lowest) | (values >= end)))
        raise ValueError(
            f"{name} of {whose} {bad} is {values[bad]}: it must be {lowest} to {end - 1}"
        )
