"""The focal plane of one visit as a picture: what each fibre does, near and far."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from wstdes.allocation.problem import Purpose
from wstdes.errors import WstdesError
from wstdes.field.allocation import MODES, Allocation, Use
from wstdes.models.focalplane import HR, place, solve_pose
from wstdes.report.figure import STYLE
from wstdes.report.palette import FAINT, FIBRES, INK

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["draw_focal_plane"]

WIDTH_IN, HEIGHT_IN, DPI = 12.8, 8.5, 100
"""1,280 pixels wide."""

ZOOM_PITCHES = 12.0
COLOURS = {**FIBRES, "stuck": "#7A5230"}
_ORDER = (Use.UNASSIGNED, Use.SCIENCE, Use.SKY, Use.STANDARD, Use.BROKEN, Use.STUCK)
_EDGES = {Use.UNASSIGNED: "#B4BCC4", Use.STANDARD: "#8A7F00"}


def draw_focal_plane(allocation: Allocation, path: str | Path, visit: int = 0) -> None:
    """Draw a visit: the whole plane, a piece of it with its arms, and the spectrographs.

    Parameters
    ----------
    allocation : Allocation
        What was found.
    path : str or Path
        Ends in .png, .svg or .pdf; an existing file is overwritten.
    visit : int
        Which visit, from 0.

    Raises
    ------
    WstdesError
        Another suffix, or the file cannot be written.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    path = Path(path)
    if path.suffix.lower() not in {".png", ".svg", ".pdf"}:
        raise WstdesError(f"{path}: figures are written as .png, .svg or .pdf")
    with mpl.rc_context({**STYLE, "figure.facecolor": "white", "svg.hashsalt": "wstdes"}):
        figure = Figure(figsize=(WIDTH_IN, HEIGHT_IN), dpi=DPI)
        whole = figure.add_axes((0.052, 0.066, 0.545, 0.775))
        near = figure.add_axes((0.668, 0.355, 0.322, 0.485))
        bars = figure.add_axes((0.680, 0.066, 0.310, 0.165))
        title, subtitle = _titles(allocation, visit)
        figure.text(0.012, 0.965, title, fontsize=15, fontweight="bold", va="center")
        figure.text(0.012, 0.930, subtitle, fontsize=10.5, color=FAINT, va="center")
        centre = _zoom_centre(allocation, visit)
        _whole(whole, allocation, visit, centre)
        _near(near, allocation, visit, centre)
        _bars(bars, allocation, visit)
        metadata = {"Date": None, "Creator": None} if path.suffix.lower() == ".svg" else None
        try:
            figure.savefig(path, dpi=DPI, metadata=metadata)
        except OSError as error:
            raise WstdesError(f"{path}: cannot be written: {error}") from None


def _titles(allocation: Allocation, visit: int) -> tuple[str, str]:
    """What the picture says, and of what."""
    done = allocation.visits[visit]
    out = allocation.broken | allocation.stuck
    science = int((done.use == Use.SCIENCE).sum())
    working = int((~out).sum())
    gap, whose = done.solution.gap, ""
    if allocation.plan is not None:
        gap, whose = allocation.gap, "all visits together "
    proof = "proven optimal" if gap <= 1e-9 else f"within {_percent(gap)} of the optimum"
    proof = whose + proof
    title = f"{science:,} of {working:,} working fibres on science targets, {proof}"
    frame = allocation.frame
    hours = math.degrees(frame.ra_rad) / 15.0
    minutes = round(60.0 * hours, 1)
    place_ = (
        f"RA {int(minutes // 60):02d}h{minutes % 60:04.1f}m  "
        f"Dec {math.degrees(frame.dec_rad):+.2f}°"
    )
    parts = [allocation.hardware.name, place_, f"{len(allocation.targets):,} targets in the field"]
    if len(allocation.visits) > 1:
        parts.append(f"visit {visit + 1} of {len(allocation.visits)}")
    missing = int(done.solution.missing.sum()) if len(done.solution.missing) else 0
    parts.append(f"method {done.solution.method}")
    parts.append("all quotas met" if not missing else f"{missing} fibres short of the quotas")
    return title, "   ·   ".join(parts)


def _percent(share: float) -> str:
    return f"{100.0 * share:.2g} %" if share >= 1e-5 else "0.001 %"


def _pitch_mm(allocation: Allocation) -> float:
    """Distance between neighbours, the middle one of all."""
    from scipy.spatial import cKDTree

    plane = allocation.hardware.plane
    if plane.n_fibres < 2:
        return float(2e3 * plane.patrol_m.max())
    home = np.column_stack([plane.x_m, plane.y_m])
    apart = np.asarray(cKDTree(home).query(home, k=[2])[0])
    return float(1e3 * np.median(apart))


def _zoom_centre(allocation: Allocation, visit: int) -> tuple[float, float]:
    """A place between centre and edge, where most kinds of use are near each other [mm]."""
    plane, use = allocation.hardware.plane, allocation.visits[visit].use
    x, y = 1e3 * plane.x_m, 1e3 * plane.y_m
    half = 0.5 * ZOOM_PITCHES * _pitch_mm(allocation)
    radius = float(np.hypot(x, y).max())
    best, found = (-1, 0.0), (float(x.mean()), float(y.mean()))
    for angle in np.arange(12) * (math.pi / 6.0) + 0.4:
        for share in (0.45, 0.6):
            cx, cy = share * radius * math.cos(angle), share * radius * math.sin(angle)
            inside = (np.abs(x - cx) < half) & (np.abs(y - cy) < half)
            score = (len(np.unique(use[inside])), float(inside.sum()))
            if score > best:
                best, found = score, (cx, cy)
    return found


# The whole plane ---------------------------------------------------------------------------------


def _whole(axes: Any, allocation: Allocation, visit: int, centre: tuple[float, float]) -> None:
    from matplotlib.collections import EllipseCollection
    from matplotlib.patches import Circle, Rectangle

    plane, done = allocation.hardware.plane, allocation.visits[visit]
    pitch = _pitch_mm(allocation)
    x, y = 1e3 * plane.x_m, 1e3 * plane.y_m
    limit = 1.09 * 1e3 * plane.reach_m
    lost = allocation.wanted & (allocation.got == 0)
    axes.scatter(1e3 * allocation.x_m[lost], 1e3 * allocation.y_m[lost], s=0.6, color="#9AA5B1",
                 lw=0, rasterized=True, zorder=1)  # fmt: skip
    for use in _ORDER:
        of = np.flatnonzero(done.use == use)
        if not len(of):
            continue
        width = np.full(len(of), 0.93 * pitch)
        axes.add_collection(
            EllipseCollection(
                width, width, np.zeros(len(of)), units="xy",
                offsets=np.column_stack([x[of], y[of]]), transOffset=axes.transData,
                facecolors=COLOURS[use.name.lower()], edgecolors="none", zorder=2,
                rasterized=len(of) > 2000,
            )
        )  # fmt: skip
    hole = 1e3 * allocation.hardware.hole_radius_m
    if hole > 0.0:
        axes.add_patch(Circle((0, 0), hole, fc="white", ec=INK, lw=0.9, zorder=3))
        axes.text(0, 0, "IFS", ha="center", va="center", fontsize=9.5, zorder=4)
    half = 0.5 * ZOOM_PITCHES * pitch
    corner = (centre[0] - half, centre[1] - half)
    axes.add_patch(Rectangle(corner, 2 * half, 2 * half, fill=False, ec="white", lw=3.4, zorder=5))
    axes.add_patch(Rectangle(corner, 2 * half, 2 * half, fill=False, ec=INK, lw=1.5, zorder=6))
    axes.set(xlim=(-limit, limit), ylim=(-limit, limit), xlabel="x on the focal plane [mm]")
    axes.set_ylabel("y on the focal plane [mm]", labelpad=1)
    axes.set_aspect("equal")
    axes.grid(visible=False)
    _degrees(axes, allocation)
    _compass(axes, allocation, limit)
    _legend(axes, allocation, visit)


def _degrees(axes: Any, allocation: Allocation) -> None:
    scale = 1e3 * allocation.frame.scale_m_per_rad
    functions: tuple[Callable[[Any], Any], Callable[[Any], Any]] = (
        lambda mm: np.degrees(np.arctan(np.asarray(mm) / scale)),
        lambda deg: scale * np.tan(np.radians(deg)),
    )
    top = axes.secondary_xaxis("top", functions=functions)
    top.set_xlabel("angle from the centre [deg]", labelpad=3)
    axes.secondary_yaxis("right", functions=functions)


def _compass(axes: Any, allocation: Allocation, limit: float) -> None:
    turn = allocation.frame.rotator_rad
    base = np.array([0.83 * limit, 0.83 * limit])
    arrow = {"arrowstyle": "-|>", "color": INK, "lw": 1.3, "shrinkA": 0, "shrinkB": 0}
    for name, x, y in (
        ("N", -math.sin(turn), math.cos(turn)),
        ("E", math.cos(turn), math.sin(turn)),
    ):
        tip = base + 0.085 * limit * np.array([x, y])
        axes.annotate("", tip, base, arrowprops=arrow, zorder=7)
        axes.text(*(base + 0.118 * limit * np.array([x, y])), name, ha="center", va="center",
                  fontsize=10, fontweight="bold", zorder=7)  # fmt: skip


def _legend(axes: Any, allocation: Allocation, visit: int) -> None:
    from matplotlib.lines import Line2D

    use = allocation.visits[visit].use
    handles = []
    for kind in (Use.SCIENCE, Use.STANDARD, Use.SKY, Use.UNASSIGNED, Use.BROKEN, Use.STUCK):
        number = int((use == kind).sum())
        if number:
            name = kind.name.lower()
            handles.append(
                Line2D([], [], marker="o", ls="", ms=7, color=COLOURS[name],
                       mec=_EDGES.get(kind, "none"), mew=0.6, label=f"{name}  {number:,}")
            )  # fmt: skip
    lost = int((allocation.wanted & (allocation.got == 0)).sum())
    handles.append(
        Line2D([], [], marker=".", ls="", ms=4, color="#9AA5B1", label=f"target left out  {lost:,}")
    )
    axes.legend(handles=handles, loc="lower left", fontsize=8.5, handletextpad=0.1,
                borderaxespad=0.0, labelspacing=0.2)  # fmt: skip


# A piece of it -----------------------------------------------------------------------------------


def _near(axes: Any, allocation: Allocation, visit: int, centre: tuple[float, float]) -> None:
    from matplotlib.collections import EllipseCollection

    plane, done = allocation.hardware.plane, allocation.visits[visit]
    half = 0.5 * ZOOM_PITCHES * _pitch_mm(allocation)
    margin = half + 2e3 * float(plane.patrol_m.max())
    x, y = 1e3 * plane.x_m - centre[0], 1e3 * plane.y_m - centre[1]
    inside = np.flatnonzero((np.abs(x) < margin) & (np.abs(y) < margin))
    across = 2e3 * plane.patrol_m[inside]
    axes.add_collection(
        EllipseCollection(
            across, across, np.zeros(len(inside)), units="xy",
            offsets=np.column_stack([x[inside], y[inside]]), transOffset=axes.transData,
            facecolors="none", edgecolors=np.where(plane.kind[inside] == HR, "#C9CFD6", "#DDE2E7"),
            linewidths=0.7, linestyles="-", zorder=1,
        )
    )  # fmt: skip
    _arms(axes, allocation, visit, inside, centre)
    for use in _ORDER:
        of = inside[done.use[inside] == use]
        cross = use in (Use.BROKEN, Use.STUCK)
        axes.scatter(x[of], y[of], s=26 if cross else 9, marker="X" if cross else "o",
                     color=COLOURS[use.name.lower()], edgecolors=INK,
                     lw=0.4, zorder=4)  # fmt: skip
    classes = _near_targets(axes, allocation, visit, margin, centre)
    axes.set(xlim=(-half, half), ylim=(-half, half))
    axes.set_aspect("equal")
    axes.grid(visible=False)
    axes.spines[["top", "right"]].set_visible(True)
    axes.set_title(
        f"The square at ({centre[0]:.0f}, {centre[1]:.0f}) mm: patrol areas, arms, targets",
        fontsize=10, pad=5,
    )  # fmt: skip
    axes.set_xlabel(f"distance from its middle [mm]{classes}", labelpad=2, fontsize=8.5)


def _arms(
    axes: Any,
    allocation: Allocation,
    visit: int,
    inside: npt.NDArray[np.int64],
    centre: tuple[float, float],
) -> None:
    from matplotlib.collections import PolyCollection

    plane, done = allocation.hardware.plane, allocation.visits[visit]
    arms = plane.arms
    moved = inside[np.isfinite(done.aim_m[inside, 0])]
    if not len(moved):
        return
    home = np.column_stack([plane.x_m[moved], plane.y_m[moved]])
    if arms is None:
        lines = np.stack([home, done.aim_m[moved]], axis=1)
        from matplotlib.collections import LineCollection

        colours = [COLOURS[Use(u).name.lower()] for u in done.use[moved]]
        axes.add_collection(LineCollection(list(1e3 * lines - centre), colors=colours, zorder=2))
        return
    offset = done.aim_m[moved] - home
    pose = solve_pose(arms, moved, offset[:, 0], offset[:, 1])
    outlines = place(arms, moved, pose.theta_rad, pose.phi_rad, pose.elbow_m + home)
    for part, shade in ((0, 0.45), (1, 0.9)):
        polygons = [1e3 * pair[part] - centre for pair in outlines if len(pair[part])]
        owner = [f for f, pair in zip(moved, outlines, strict=True) if len(pair[part])]
        colours = [COLOURS[Use(done.use[f]).name.lower()] for f in owner]
        if polygons:
            axes.add_collection(
                PolyCollection(polygons, facecolors=colours, edgecolors=INK, linewidths=0.4,
                               alpha=shade, zorder=2 + part)
            )  # fmt: skip


def _near_targets(
    axes: Any, allocation: Allocation, visit: int, margin: float, centre: tuple[float, float]
) -> str:
    """Targets of the piece, the more important the darker; returns what the shades mean."""
    targets, done = allocation.targets, allocation.visits[visit]
    x, y = 1e3 * allocation.x_m - centre[0], 1e3 * allocation.y_m - centre[1]
    inside = (np.abs(x) < margin) & (np.abs(y) < margin)
    now = np.zeros(len(targets), dtype=np.bool_)
    now[done.target[done.target >= 0]] = True
    classes = np.unique(targets.target_class)
    by_class = len(classes) > 1
    value = targets.target_class.astype(np.float64) if by_class else -targets.weight
    science = inside & (targets.purpose == Purpose.SCIENCE)
    left = np.flatnonzero(science & ~now)
    rank = np.searchsorted(np.sort(value[science]), value[left]) / max(int(science.sum()), 1)
    crowd = min(1.0, 900.0 / max(len(left), 1))  # where there are many, let the arms be seen
    steps = crowd * np.array([8.0, 5.0, 2.5])[np.minimum((3 * rank).astype(int), 2)]
    axes.scatter(x[left], y[left], s=steps, color="#7B8794", lw=0, zorder=3.5)
    got = np.flatnonzero(science & now)
    axes.scatter(x[got], y[got], s=7, color="white", edgecolors=INK, lw=0.6, zorder=6)
    standard = np.flatnonzero(inside & (targets.purpose == Purpose.STANDARD))
    axes.scatter(x[standard], y[standard], s=26 * crowd**0.5, marker="*", color=COLOURS["standard"],
                 edgecolors=INK, lw=0.5, zorder=6)  # fmt: skip
    if not science.any():
        return ""
    what = "class" if by_class else "priority"
    return f"\nwhite: taken  ·  grey: left out, larger for higher {what}  ·  star: standard"


# The spectrographs -------------------------------------------------------------------------------


def _bars(axes: Any, allocation: Allocation, visit: int) -> None:
    plane, use = allocation.hardware.plane, allocation.visits[visit].use
    place_, ticks, labels = 0.0, [], []
    for kind in sorted(MODES):
        numbers = np.unique(plane.spectrograph[plane.kind == kind])
        if not len(numbers):
            continue
        first = place_
        for number in numbers:
            of = (plane.kind == kind) & (plane.spectrograph == number)
            share = 100.0 * np.bincount(use[of], minlength=len(Use)) / of.sum()
            below = 0.0
            for which in (
                Use.SCIENCE,
                Use.STANDARD,
                Use.SKY,
                Use.UNASSIGNED,
                Use.BROKEN,
                Use.STUCK,
            ):
                if share[which]:
                    axes.bar(place_, share[which], 0.86, below, color=COLOURS[which.name.lower()])
                below += share[which]
            place_ += 1.0
        ticks.append(0.5 * (first + place_ - 1.0))
        labels.append(f"{MODES[kind]}, {len(numbers)}")
        place_ += 1.0
    axes.set_xticks(ticks, labels)
    axes.tick_params(axis="x", length=0)
    axes.set(xlim=(-0.7, place_ - 1.3), ylim=(0, 100), yticks=(0, 50, 100))
    axes.set_ylabel("fibres [%]", labelpad=2)
    axes.grid(visible=False, axis="x")
    axes.set_title("Use of the fibres of each spectrograph", fontsize=10, pad=4)
