"""Small fields with arms, for the tests of conflicts and quotas."""

from __future__ import annotations

from typing import Any

import numpy as np

from wstdes.allocation.problem import AssignmentProblem, Geometry, Quotas
from wstdes.models.focalplane import Arms, ArmShape, capsule

REGIMES = {
    "short arms": (6.2, (1.8, 1.8), 0.75, 0.6),
    "DESI": (10.4, (3.0, 3.0), 1.5, 1.3),
    "PFS": (8.0, (2.375, 2.375), 1.0, 1.0),
    "medium arms": (6.2, (2.4, 2.4), 0.75, 0.6),
    "long arms": (6.2, (3.6, 3.6), 0.75, 0.6),
    "spines": (9.54, (0.0, 11.8), 0.0, 1.0),
}
"""Pitch, arms, half widths of theta and phi arm [mm]."""


def arm_field(
    seed: int,
    *,
    rings: int = 4,
    regime: str = "short arms",
    density: float = 3.0,
    weights: str = "classes",
    long_every: int = 0,
    quotas: bool = False,
    **rules: Any,
) -> AssignmentProblem:
    """A hexagon of positioners over random targets."""
    rng = np.random.default_rng(seed)
    pitch, lengths, theta_half, phi_half = REGIMES[regime]
    a, b = (v.ravel() for v in np.meshgrid(*[np.arange(-rings, rings + 1)] * 2))
    keep = np.abs(a + b) <= rings
    xy = np.column_stack(((a + 0.5 * b) * pitch, b * np.sqrt(0.75) * pitch))[keep] * 1e-3
    n = len(xy)
    arm = np.tile(np.array(lengths) * 1e-3, (n, 1))
    is_long = np.zeros(n, dtype=np.int16)
    if long_every:
        is_long[::long_every] = 1
        arm[is_long == 1] *= 2.0
    spine = regime == "spines"
    nothing = np.zeros((0, 2))
    shapes = tuple(
        ArmShape(
            nothing if spine else capsule(factor * lengths[0] * 1e-3, theta_half * 1e-3),
            capsule(0.0 if spine else factor * lengths[1] * 1e-3, phi_half * 1e-3),
        )
        for factor in (1.0, 2.0)
    )
    arms = Arms(
        arm[:, 0].copy(),
        arm[:, 1].copy(),
        is_long,
        shapes,
        spine,
        np.zeros(n),
        np.tile([-np.pi, np.pi], (n, 1)),
        np.tile([0.0, np.pi], (n, 1)),
    )
    t = int(density * n)
    size = (rings + 0.5) * pitch * 1e-3
    target = rng.uniform(-size, size, (t, 2))
    weight = rng.integers(1, 5, t).astype(float) if weights == "classes" else rng.random(t) + 0.1
    purpose = np.zeros(t, dtype=np.int8)
    limits = None
    if quotas:
        purpose[rng.random(t) < 0.15] = 1
        weight[purpose == 1] = 0.0
        sky = xy[np.repeat(np.arange(n), 2)] + rng.uniform(-1e-3, 1e-3, (2 * n, 2))
        target = np.vstack([target, sky])
        weight = np.concatenate([weight, np.zeros(2 * n)])
        purpose = np.concatenate([purpose, np.full(2 * n, 2, np.int8)])
        group = (np.arange(n) * 3 // n).astype(np.int32)
        each = np.bincount(group)
        least = np.column_stack([np.zeros(3), np.full(3, 1), np.ceil(0.1 * each)])
        limits = Quotas(group, least.astype(np.int32))
    away = np.hypot(*np.moveaxis(target[:, None] - xy[None], 2, 0))
    outer, inner = arm.sum(axis=1), np.abs(np.diff(arm, axis=1)[:, 0])
    can = (away <= outer) & (away >= (0.0 if spine else 1.0) * inner)
    order = np.argsort(away, axis=1, kind="stable")
    which, place = np.nonzero(np.take_along_axis(can, order, axis=1))
    fibre = order[which, place].astype(np.int32)
    start = np.zeros(len(target) + 1, dtype=np.int64)
    np.cumsum(can.sum(axis=1), out=start[1:])
    classes = np.zeros(len(target), dtype=np.int16)
    geometry = Geometry(xy, target, arms, **rules)
    return AssignmentProblem(n, weight, start, fibre, classes, None, purpose, limits, geometry)
