"""Verify a file of assignments, with nothing of the code that made it.

The rules are written out here once more, plainly: geometry from the file's own angles, lengths and
corners; polygons overlap if two of their sides cross or one has a point inside the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from wstdes.field.files import AssignmentFile

    Floats = npt.NDArray[np.float64]

__all__ = ["Verdict", "arms_overlap", "check_assignment"]

_NEAR_MM = 1e-3
_FASTEST_ARCSEC_PER_YR = 10.5
"""Of Barnard's star; what moves farther between two epochs is another target."""
_MOST = 5
_CHUNK = 20_000


@dataclass(frozen=True)
class Verdict:
    """What a check found.

    Parameters
    ----------
    failures : tuple of str
        Rules that are broken, with the numbers of fibres and targets; none if all is well.
    notes : tuple of str
        What is within the rules but worth knowing: quotas that could not be met.
    checked : dict of str to int
        How many of what was looked at.
    """

    failures: tuple[str, ...]
    notes: tuple[str, ...]
    checked: dict[str, int]


def check_assignment(file: AssignmentFile, broken: npt.NDArray[np.bool_] | None = None) -> Verdict:
    """Check every rule on every fibre and target of a file.

    Parameters
    ----------
    file : AssignmentFile
        What was read.
    broken : bool[n], optional
        Positioners that must not be used, beside those that the file says are broken or stuck.

    Returns
    -------
    Verdict
    """
    failures: list[str] = []
    notes: list[str] = []
    fibres, targets = file.fibres, file.targets
    _check_once(fibres, targets, failures)
    _check_use(fibres, targets, broken, failures)
    _check_sky_places(file, failures)
    _check_reach(file, failures)
    pairs = _check_collisions(file, failures) if file.meta.get("ARMS") else 0
    _check_quotas(file, failures, notes)
    _check_sums(file, failures)
    checked = {
        "positioners": len(fibres["FIBRE"]),
        "targets": len(targets["ID"]),
        "assigned": int((fibres["TARGET"] >= 0).sum()),
        "pairs of arms": pairs,
        "quotas": len(file.quotas["GROUP"]),
    }
    return Verdict(tuple(failures), tuple(notes), checked)


def _list(what: str, numbers: npt.NDArray[Any]) -> str:
    shown = ", ".join(str(number) for number in numbers[:_MOST])
    more = f" and {len(numbers) - _MOST} more" if len(numbers) > _MOST else ""
    return f"{what} {shown}{more}"


def _say(failures: list[str], bad: npt.NDArray[np.bool_], names: Any, text: str) -> None:
    if bad.any():
        failures.append(f"{_list('fibre', np.asarray(names)[bad])}: {text}")


def _check_once(
    fibres: dict[str, npt.NDArray[Any]],
    targets: dict[str, npt.NDArray[Any]],
    failures: list[str],
) -> None:
    """No positioner twice, no target twice, and both tables say the same."""
    names, n_targets = fibres["FIBRE"], len(targets["ID"])
    unique, count = np.unique(names, return_counts=True)
    if (count > 1).any():
        failures.append(f"{_list('fibre', unique[count > 1])}: stands there more than once")
    target = fibres["TARGET"]
    outside = (target < -1) | (target >= n_targets)
    _say(failures, outside, names, f"its target is no row of the {n_targets} of TARGETS")
    used = target[(target >= 0) & ~outside]
    row, count = np.unique(used, return_counts=True)
    for twice in row[count > 1][:_MOST]:
        failures.append(
            f"target {targets['ID'][twice]} (row {twice}) has more than one fibre: "
            + _list("fibres", names[target == twice])
        )
    back = np.full(n_targets, -1, dtype=np.int64)
    good = (target >= 0) & ~outside
    back[target[good]] = names[good]
    differ = np.flatnonzero(
        (back != targets["FIBRE"]) & ~np.isin(np.arange(n_targets), row[count > 1])
    )
    if len(differ):
        i = int(differ[0])
        failures.append(
            f"{_list('target', targets['ID'][differ])}: TARGETS says fibre {targets['FIBRE'][i]}, "
            f"ASSIGNMENTS says {back[i]}"
        )


def _check_use(
    fibres: dict[str, npt.NDArray[Any]],
    targets: dict[str, npt.NDArray[Any]],
    broken: npt.NDArray[np.bool_] | None,
    failures: list[str],
) -> None:
    """Uses fit the targets; broken and stuck positioners have none; LR to LR and HR to HR."""
    names, use, target = fibres["FIBRE"], fibres["USE"], fibres["TARGET"]
    has = (target >= 0) & (target < len(targets["ID"]))
    out = np.isin(use, ("broken", "stuck"))
    _say(failures, has & out, names, "has a target though it is broken or stuck")
    moved = np.isfinite(fibres["AIM_X"])
    _say(failures, moved & out, names, "is moved though it is broken or stuck")
    if broken is not None:
        listed = broken[np.clip(names, 0, len(broken) - 1)] & (moved | has)
        _say(failures, listed, names, "is used though the list says that it is broken")
    idle = np.isin(use, ("unassigned", "broken", "stuck")) & has
    _say(failures, idle & ~out, names, "has a target though it is unassigned")
    row = np.where(has, target, 0)
    if has.any():
        wrong = has & (targets["MODE"][row] != fibres["MODE"])
        _say(failures, wrong, names, "its target needs a fibre of the other mode")
        wrong = has & ~idle & (targets["PURPOSE"][row] != use)
        _say(failures, wrong, names, "its use is not the purpose of its target")
    lost = np.isin(use, ("science", "standard")) & ~has
    _say(failures, lost, names, "is on science or a standard without a target")


def _check_sky_places(file: AssignmentFile, failures: list[str]) -> None:
    """Identifiers and positions on the sky are the same in both tables."""
    fibres, targets = file.fibres, file.targets
    target = fibres["TARGET"]
    has = np.flatnonzero((target >= 0) & (target < len(targets["ID"])))
    names, row = fibres["FIBRE"][has], target[has]
    if "TARGET_ID" in fibres:
        other = fibres["TARGET_ID"][has].astype(str) != targets["ID"][row].astype(str)
        _say(failures, other, names, "its TARGET_ID is not that of its target")
    if not {"RA", "DEC"} <= fibres.keys() & targets.keys():
        return
    one, there = (
        np.radians([table["RA"][rows], table["DEC"][rows]])
        for table, rows in ((fibres, has), (targets, row))
    )
    half = np.sin(0.5 * (one - there)) ** 2
    square = half[1] + np.cos(one[1]) * np.cos(there[1]) * half[0]
    away = np.degrees(2.0 * np.arcsin(np.sqrt(np.minimum(square, 1.0)))) * 3600.0
    years = abs(float(file.meta.get("EPOCH", 0.0)) - float(file.meta.get("CATEPOCH", 0.0)))
    slack = 1.0 + _FASTEST_ARCSEC_PER_YR * years
    _say(failures, ~(away <= slack), names, "its RA and Dec are not those of its target")


def _check_reach(file: AssignmentFile, failures: list[str]) -> None:
    """The fibre is where its target is, within its reach, and its angles bring it there."""
    fibres, targets = file.fibres, file.targets
    names, target = fibres["FIBRE"], fibres["TARGET"]
    has = (target >= 0) & (target < len(targets["ID"]))
    aim = np.column_stack([fibres["AIM_X"], fibres["AIM_Y"]])
    moved = np.isfinite(aim).all(axis=1)
    _say(failures, has & ~moved, names, "has a target but is nowhere")
    row = np.where(has, target, 0)
    if has.any():
        there = np.column_stack([targets["X"], targets["Y"]])[row]
        off = has & moved & (np.hypot(*(aim - there).T) > _NEAR_MM)
        _say(failures, off, names, "is not where its target is")
        aim = np.where(has[:, None], there, aim)
    dx, dy = (aim - np.column_stack([fibres["X"], fibres["Y"]])).T
    r = np.hypot(dx, dy)
    within = (r <= fibres["PATROL"] + _NEAR_MM) & (r >= fibres["INNER"] - _NEAR_MM)
    far = moved & ~within
    _say(failures, far, names, "does not reach its target")
    if not file.meta.get("ARMS") or file.meta.get("SPINES"):
        return
    theta, phi = np.radians(fibres["THETA"]), np.radians(fibres["PHI"])
    x = fibres["THETA_ARM"] * np.cos(theta) + fibres["PHI_ARM"] * np.cos(theta + phi)
    y = fibres["THETA_ARM"] * np.sin(theta) + fibres["PHI_ARM"] * np.sin(theta + phi)
    off = moved & ~far & ~(np.hypot(x - dx, y - dy) <= _NEAR_MM)
    _say(failures, off, names, "its angles do not bring it to its target")
    low, high = fibres["THETA_MIN"] - 1e-6, fibres["THETA_MAX"] + 1e-6
    turned = fibres["THETA"] + 360.0 * np.ceil((low - fibres["THETA"]) / 360.0)
    free = (turned <= high) & (fibres["PHI"] >= fibres["PHI_MIN"] - 1e-6)
    free &= fibres["PHI"] <= fibres["PHI_MAX"] + 1e-6
    _say(failures, moved & ~free, names, "an angle is beyond a hard stop")


def _check_quotas(file: AssignmentFile, failures: list[str], notes: list[str]) -> None:
    """Each group has what it needs, or the file says what it lacks."""
    quotas, fibres = file.quotas, file.fibres
    nobody = ~np.isin(quotas["GROUP"], fibres["GROUP"])
    if nobody.any():
        failures.append(f"{_list('group', quotas['GROUP'][nobody])}: a quota without fibres")
        return
    for name in ("sky", "standard"):
        rows = np.flatnonzero(quotas["PURPOSE"] == name)
        if not len(rows):
            continue
        grouped = (fibres["USE"] == name) & (fibres["GROUP"] >= 0)
        size = int(quotas["GROUP"].max()) + 1
        have = np.bincount(fibres["GROUP"][grouped], minlength=size)
        lack = quotas["WANTED"][rows] - have[quotas["GROUP"][rows]]
        untold = lack > quotas["MISSING"][rows]
        if untold.any():
            groups = quotas["GROUP"][rows][untold]
            failures.append(
                f"{_list('group', groups)}: {int(lack[untold][0])} {name} fibres fewer than the "
                f"quota of {int(quotas['WANTED'][rows][untold][0])}"
            )
        short = int(np.maximum(lack, 0).sum())
        if short:
            notes.append(
                f"{short} of {int(quotas['WANTED'][rows].sum())} {name} fibres of the quotas are "
                "missing"
            )


def _check_sums(file: AssignmentFile, failures: list[str]) -> None:
    """The objective is the sum of the weights, and no more than its bound."""
    total = float(file.targets["WEIGHT"][file.targets["FIBRE"] >= 0].sum())
    objective, bound = (float(file.meta.get(key, np.nan)) for key in ("OBJECTIV", "BOUND"))
    slack = 1e-9 * max(1.0, abs(total))
    if not abs(total - objective) <= slack:
        failures.append(
            f"the objective is said to be {objective:.9g}; the weights add to {total:.9g}"
        )
    if not objective <= bound + slack:
        failures.append(f"the objective {objective:.9g} exceeds its upper bound {bound:.9g}")


# Collisions --------------------------------------------------------------------------------------


def _check_collisions(file: AssignmentFile, failures: list[str]) -> int:
    """No arm of a placed positioner overlaps one of another; returns the pairs looked at."""
    fibres = file.fibres
    spine = bool(file.meta.get("SPINES"))
    moved = np.isfinite(fibres["AIM_X"]) & np.isfinite(fibres["AIM_Y"])
    outlined = file.shapes["SHAPE"][file.shapes["ARM"] == "phi"]
    unknown = moved & ~np.isin(fibres["SHAPE"], outlined)
    _say(failures, unknown, fibres["FIBRE"], "table SHAPES has no outline of its arms")
    if not spine:  # angles that are no numbers have been told of by now
        moved &= np.isfinite(fibres["THETA"]) & np.isfinite(fibres["PHI"])
    placed = np.flatnonzero(moved)
    parts: list[tuple[Floats, npt.NDArray[np.int64]]] = []
    axis = np.column_stack([fibres["X"], fibres["Y"]])
    theta, phi = np.radians(fibres["THETA"]), np.radians(fibres["PHI"])
    elbow = axis + fibres["THETA_ARM"][:, None] * np.column_stack([np.cos(theta), np.sin(theta)])
    if spine:
        elbow = np.column_stack([fibres["AIM_X"], fibres["AIM_Y"]])
    direction = {"theta": theta, "phi": np.zeros_like(phi) if spine else theta + phi}
    origin = {"theta": axis, "phi": elbow}
    for number in np.unique(fibres["SHAPE"][placed]):
        of = placed[fibres["SHAPE"][placed] == number]
        for name in ("theta", "phi"):
            rows = (file.shapes["SHAPE"] == number) & (file.shapes["ARM"] == name)
            corners = np.column_stack([file.shapes["X"][rows], file.shapes["Y"][rows]])
            if len(corners):
                parts.append((_placed(corners, origin[name][of], direction[name][of]), of))
    names, seen, looked = fibres["FIBRE"], set(), 0
    for i, (polygons, owner) in enumerate(parts):
        for others, other_owner in parts[i:]:
            a, b = _near(polygons, others)
            different = (
                owner[a] < other_owner[b] if others is polygons else owner[a] != other_owner[b]
            )
            a, b = a[different], b[different]
            looked += len(a)
            for low in range(0, len(a), _CHUNK):
                part = slice(low, low + _CHUNK)
                hit = arms_overlap(polygons[a[part]], others[b[part]])
                pairs = np.column_stack([owner[a[part]][hit], other_owner[b[part]][hit]])
                seen |= {tuple(sorted(pair)) for pair in pairs.tolist()}
    for one, other in sorted(seen)[:_MOST]:
        failures.append(f"fibres {names[one]} and {names[other]}: their arms collide")
    if len(seen) > _MOST:
        failures.append(f"{len(seen)} pairs of fibres collide in all")
    return looked


def _placed(corners: Floats, origin: Floats, angle: Floats) -> Floats:
    """Outlines turned and moved into their places: float64[m, k, 2]."""
    cos, sin = np.cos(angle)[:, None], np.sin(angle)[:, None]
    x, y = corners[:, 0], corners[:, 1]
    return origin[:, None, :] + np.stack([x * cos - y * sin, x * sin + y * cos], axis=-1)


def _near(one: Floats, other: Floats) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Pairs of polygons of which the circles around them overlap."""
    from scipy.spatial import cKDTree

    centre, radius = _circle(one)
    centre_2, radius_2 = _circle(other)
    reach = float(radius.max() + radius_2.max()) if len(one) and len(other) else 0.0
    pairs = cKDTree(centre).sparse_distance_matrix(
        cKDTree(centre_2), reach, output_type="coo_matrix"
    )
    a, b = pairs.row.astype(np.int64), pairs.col.astype(np.int64)
    close = np.hypot(*(centre[a] - centre_2[b]).T) <= radius[a] + radius_2[b]
    return a[close], b[close]


def _circle(polygons: Floats) -> tuple[Floats, Floats]:
    centre = polygons.mean(axis=1)
    return centre, np.hypot(*np.moveaxis(polygons - centre[:, None, :], -1, 0)).max(axis=1)


def arms_overlap(one: Floats, other: Floats) -> npt.NDArray[np.bool_]:
    """Whether polygons overlap, pair by pair: sides cross, or a point of one is inside the other.

    Parameters
    ----------
    one : float64[m, k, 2]
        Corners, in either sense; convex or not.
    other : float64[m, l, 2]
        Those of the other polygon of each pair.

    Returns
    -------
    bool[m]
        What only touches does not overlap.
    """
    a, b = one[:, :, None, :], np.roll(one, -1, axis=1)[:, :, None, :]
    c, d = other[:, None, :, :], np.roll(other, -1, axis=1)[:, None, :, :]
    crossing = (_side(a, b, c) * _side(a, b, d) < 0) & (_side(c, d, a) * _side(c, d, b) < 0)
    return np.asarray(crossing.any(axis=(1, 2)) | _inside(one, other) | _inside(other, one))


def _side(a: Floats, b: Floats, c: Floats) -> Floats:
    """Positive where c lies to the left of the line from a to b."""
    u, v = b - a, c - a
    return np.asarray(np.sign(u[..., 0] * v[..., 1] - u[..., 1] * v[..., 0]))


def _inside(points: Floats, polygon: Floats) -> npt.NDArray[np.bool_]:
    """Whether a corner of the one, or the mean of all, is inside the other, not on a side of it."""
    points = np.concatenate([points, points.mean(axis=1, keepdims=True)], axis=1)
    x, y = points[:, :, None, 0], points[:, :, None, 1]
    a, b = polygon[:, None, :, :], np.roll(polygon, -1, axis=1)[:, None, :, :]
    spans = (a[..., 1] > y) != (b[..., 1] > y)
    rise = np.where(spans, b[..., 1] - a[..., 1], 1.0)
    right = x < a[..., 0] + (y - a[..., 1]) / rise * (b[..., 0] - a[..., 0])
    odd = (spans & right).sum(axis=2) % 2 == 1
    point = points[:, :, None, :]
    within = ((point - a) * (point - b)).sum(axis=-1) <= 0.0
    on_side = ((_side(a, b, point) == 0.0) & within).any(axis=2)
    return np.asarray((odd & ~on_side).any(axis=1))
