"""Allocate one field: from a catalogue to the use of every fibre."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from wstdes.allocation.problem import AssignmentProblem, Purpose, Solution
from wstdes.errors import CatalogueError, WstdesError, did_you_mean
from wstdes.field.allocation import Allocation, Use, Visit
from wstdes.field.angles import parse_angle, parse_dec, parse_ra
from wstdes.field.catalogue import TargetList, class_weights, read_targets
from wstdes.field.frame import CATALOGUE_EPOCH_YR, Frame
from wstdes.field.hardware import Hardware, air, choose_fibres, load
from wstdes.field.problem import FieldProblem, Rules, build_problem, edges
from wstdes.field.visits import Agenda, solve_visit, survey_quotas, visit_worth

if TYPE_CHECKING:
    import numpy.typing as npt
    from astropy.table import Table
    from astropy.units import Quantity

__all__ = ["allocate"]


def allocate(
    targets: str | Path | Table | Mapping[str, npt.ArrayLike],
    *,
    ra: str | Quantity,
    dec: str | Quantity,
    hardware: str | Path = "wst-2026",
    rotator: str | Quantity = "0 deg",
    epoch: float | None = None,
    catalogue_epoch: float = CATALOGUE_EPOCH_YR,
    airmass: float | None = None,
    hour_angle: str | Quantity | None = None,
    site: str | Path = "paranal-armazones",
    visits: int = 1,
    method: str = "auto",
    time_limit_s: float | None = None,
    sky: float | None = None,
    standards: float | None = None,
    broken: float | Sequence[int] | str | Path | None = None,
    stuck: float | Sequence[int] | str | Path | None = None,
    separation: str | Quantity | None = None,
    contrast: float | None = None,
    columns: Mapping[str, str] | None = None,
    mode: str = "LR",
    use_class: bool = False,
    quotas: Mapping[str, float] | None = None,
    seed: int = 1,
) -> Allocation:
    """Give each fibre of a focal plane a target of one field.

    Parameters
    ----------
    targets : path, astropy Table or mapping of arrays
        See :func:`wstdes.field.catalogue.read_targets` for files and columns.
    ra, dec : str or Quantity
        Centre of the field (ICRS), with a unit: ``"10h0m"``, ``"10:00:00"``, ``"150 deg"``.
    hardware : str or Path
        A shipped focal plane (``wst-2026``, ``wst-7mm``, ``desi``, ``4most``, ``pfs``) or a YAML
        file.
    rotator : str or Quantity
        Position angle of the focal plane's +y, from north through east.
    epoch, catalogue_epoch : float
        Julian years of the visit and of the positions; without the first nothing moves.
    airmass : float, optional
        For refraction: the field is west of the meridian of the site.
    hour_angle : str or Quantity, optional
        Instead of the airmass: ``"-2h"``. Without both there is no refraction.
    site : str or Path
        A shipped site or a YAML file; only for refraction.
    visits : int
        How often the field is visited. Targets that have begun keep a fibre until they have all
        their visits, which then frees it; those that cannot be finished wait
        (:mod:`wstdes.allocation.visits`).
    method : str
        ``auto``, ``exact``, ``greedy``, ``flow``, ``cpsat`` or ``lagrangian``.
    time_limit_s : float, optional
        For each visit [s].
    sky, standards : float, optional
        Shares of the usable fibres of each mode; by default those of the hardware model.
    broken, stuck : float, sequence of int or path, optional
        A fraction drawn at random, numbers of positioners from 0, or a file with one a line.
        A stuck positioner stays at home, and counts as sky where that is blank.
    separation : str or Quantity, optional
        Two targets with a fibre are at least this far apart: ``"10 arcsec"``.
    contrast : float, optional
        Neighbours on a slit differ by at most this much in magnitude.
    columns : mapping, optional
        Which column is what: ``{"priority": "rank"}``.
    mode : {"LR", "HR"}
        Resolution mode of targets without one.
    use_class : bool
        The column ``class`` comes before the priority.
    quotas : mapping, optional
        Share of the fibres that each survey has at least, as far as it can use them:
        ``{"galaxies": 0.3}``.
    seed : int
        For what is drawn.

    Returns
    -------
    Allocation

    Raises
    ------
    wstdes.errors.WstdesError
        Something in the catalogue, the field or the hardware that cannot be used.
    """
    if not isinstance(visits, int) or not 1 <= visits <= 1000:
        raise WstdesError(f"visits must be a whole number from 1 to 1000, not {visits!r}")
    from wstdes.allocation.methods import METHODS

    if method not in ("auto", *METHODS):
        hint = did_you_mean(method, ("auto", *METHODS))
        raise WstdesError(f"there is no method '{method}' of allocation; {hint}")
    _check_shares(sky=sky, standards=standards)
    _check_years(epoch=epoch, catalogue_epoch=catalogue_epoch)
    model = load(hardware)
    rules = _rules(model, separation, contrast)
    turn = parse_angle(rotator, "rotator", "30deg")
    ra_rad, dec_rad = parse_ra(ra), parse_dec(dec)
    clock = None if hour_angle is None else parse_angle(hour_angle, "hour angle", "-2h", 15.0)
    frame = Frame(
        ra_rad, dec_rad, model.scale_m_per_rad, turn, epoch, catalogue_epoch, model.distortion,
        air(site, dec_rad, airmass=airmass, hour_angle_rad=clock),
    )  # fmt: skip
    from wstdes.kernel.streams import Streams

    streams = Streams(seed)
    dead = choose_fibres("broken", broken, model.plane.n_fibres, streams)
    fixed = choose_fibres("stuck", stuck, model.plane.n_fibres, streams) & ~dead
    if (dead | fixed).all():
        raise WstdesError(f"all {model.plane.n_fibres} positioners are broken or stuck")
    everything = read_targets(targets, columns=columns, mode=mode, use_class=use_class)
    inside, x_m, y_m = _in_field(everything, frame, model)
    del everything  # of two million rows it is a good part of the memory
    shares = (
        model.sky if sky is None else (sky, sky),
        model.standards if standards is None else (standards, standards),
    )
    weight = inside.weight
    if use_class:
        try:
            weight = class_weights(weight, inside.target_class, model.plane.n_fibres)
        except ValueError as error:
            raise CatalogueError(f"{inside.source}: {error}") from None
    wish = survey_quotas(quotas, inside)
    made, got, plan, kept = _visits(
        model, inside, x_m, y_m, weight, dead, fixed, shares, rules, visits, wish, method,
        time_limit_s,
    )  # fmt: skip
    return Allocation(
        hardware=model, frame=frame, targets=inside, x_m=x_m, y_m=y_m, visits=made, broken=dead,
        stuck=fixed, got=got, reach=_reach(model, inside, x_m, y_m, ~(dead | fixed)), seed=seed,
        notes=(*_notes(inside, model, shares), *kept), plan=plan, shared=wish is not None,
    )  # fmt: skip


def _rules(
    model: Hardware, separation: str | Quantity | None, contrast: float | None
) -> Rules | None:
    """The rules for pairs of targets, if there are any."""
    if separation is None and contrast is None:
        return None
    apart = 0.0 if separation is None else parse_angle(separation, "separation", "10arcsec")
    if not 0.0 <= apart < math.radians(0.1):
        raise WstdesError(f"separation: '{separation}' is not an angle from 0 to 6 arcmin")
    if contrast is not None and not contrast >= 0.0:
        raise WstdesError(f"contrast: {contrast} is not a number of magnitudes, zero or more")
    return Rules(apart * model.scale_m_per_rad, np.inf if contrast is None else contrast)


def _check_shares(**shares: float | None) -> None:
    for name, share in shares.items():
        if share is not None and not 0.0 <= share < 1.0:
            raise WstdesError(f"{name}: the share of fibres {share} is not in 0 to 1")


def _check_years(**years: float | None) -> None:
    for name, year in years.items():
        if year is not None and not 1800.0 <= year <= 2200.0:
            text = name.replace("_", " ")
            raise WstdesError(f"{text}: {year} is no Julian year from 1800 to 2200, such as 2030.5")


def _in_field(
    everything: TargetList, frame: Frame, model: Hardware
) -> tuple[TargetList, npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """The targets within the field, and their places."""
    reach_m = model.plane.reach_m
    near = everything.take(frame.near(everything.ra_rad, everything.dec_rad, reach_m))
    x, y, visible = frame.to_plane(
        near.ra_rad, near.dec_rad, near.pm_ra_rad_per_yr, near.pm_dec_rad_per_yr
    )
    inside = np.flatnonzero(visible & (np.hypot(x, y) <= reach_m))
    if not len(inside):
        raise CatalogueError(f"{everything.source}: {_nobody(everything, frame, reach_m)}")
    return near.take(inside), x[inside], y[inside]


def _nobody(everything: TargetList, frame: Frame, reach_m: float) -> str:
    """Say how far away the targets are."""
    half_ra = 0.5 * (everything.ra_rad - frame.ra_rad)
    half_dec = 0.5 * (everything.dec_rad - frame.dec_rad)
    cosines = np.cos(everything.dec_rad) * math.cos(frame.dec_rad)
    square = np.sin(half_dec) ** 2 + cosines * np.sin(half_ra) ** 2
    nearest = int(np.argmin(square))
    away = math.degrees(2.0 * math.asin(min(1.0, math.sqrt(float(square[nearest])))))
    radius = math.degrees(math.atan(reach_m / frame.scale_m_per_rad))
    return (
        f"no target within {radius:.2f} deg of the field's centre (RA "
        f"{math.degrees(frame.ra_rad):.4f} deg, Dec {math.degrees(frame.dec_rad):+.4f} deg); the "
        f"nearest of {len(everything):,} is {away:.2f} deg away, in row "
        f"{int(everything.row[nearest]) + 1} at RA "
        f"{math.degrees(everything.ra_rad[nearest]):.4f} deg, Dec "
        f"{math.degrees(everything.dec_rad[nearest]):+.4f} deg"
    )


def _visits(
    model: Hardware,
    targets: TargetList,
    x_m: npt.NDArray[np.float64],
    y_m: npt.NDArray[np.float64],
    weight: npt.NDArray[np.float64],
    broken: npt.NDArray[np.bool_],
    stuck: npt.NDArray[np.bool_],
    shares: tuple[tuple[float, float], tuple[float, float]],
    rules: Rules | None,
    visits: int,
    quotas: list[float] | None,
    method: str,
    time_limit_s: float | None,
) -> tuple[tuple[Visit, ...], npt.NDArray[np.int32], tuple[float, float] | None, tuple[str, ...]]:
    """Solve visit after visit; what is finished does not come back."""
    plane, usable = model.plane, ~(broken | stuck)
    got = np.zeros(len(targets), dtype=np.int32)
    on_sky = _on_blank_sky(model, stuck, x_m, y_m)
    agenda = None
    if visits > 1:
        start, fibre = edges(plane, usable, x_m, y_m, targets.kind)
        problem = AssignmentProblem(
            plane.n_fibres, weight, start, fibre, targets.target_class, purpose=targets.purpose
        )
        agenda = Agenda(targets, problem, visits)
    made: list[Visit] = []
    notes: list[str] = []
    for number in range(visits):
        worth = None
        open_ = (targets.done + got < targets.required) | (targets.purpose != Purpose.SCIENCE)
        if agenda is not None:
            worth, open_ = agenda.at(number, got)
        field = build_problem(
            plane, usable, targets, np.flatnonzero(open_), x_m, y_m, weight,
            sky=shares[0], standards=shares[1], already=on_sky, rules=rules,
            magnitude=targets.magnitude,
        )  # fmt: skip
        solution, kept = solve_visit(field, targets, worth, quotas, method, time_limit_s)
        visit = _visit(model, targets, field, solution, broken, stuck, on_sky)
        if worth is not None:
            visit = replace(visit, worth=visit_worth(field, worth))
        got[visit.target[visit.target >= 0]] += 1
        made.append(visit)
        turn = f"visit {number + 1}: " if visits > 1 else ""
        notes += [
            f"{turn}survey {targets.surveys[share.survey]} has {share.fibres:,} fibres of "
            f"{share.quota:,} at least; {share.usable:,} are all it can use"
            for share in kept
            if share.quota
        ]
    plan = None if agenda is None else agenda.result(got)
    return tuple(made), got, plan, tuple(notes)


def _on_blank_sky(
    model: Hardware,
    stuck: npt.NDArray[np.bool_],
    x_m: npt.NDArray[np.float64],
    y_m: npt.NDArray[np.float64],
) -> npt.NDArray[np.bool_]:
    """Which stuck positioners look at blank sky from their home."""
    from scipy.spatial import cKDTree

    from wstdes.field.blank import CLEAR_M

    blank = np.zeros(len(stuck), dtype=np.bool_)
    at = np.flatnonzero(stuck)
    if len(at):
        tree = cKDTree(np.column_stack([x_m, y_m]))
        home = np.column_stack([model.plane.x_m[at], model.plane.y_m[at]])
        blank[at] = tree.query(home, distance_upper_bound=CLEAR_M)[0] > CLEAR_M
    return blank


def _visit(
    model: Hardware,
    targets: TargetList,
    field: FieldProblem,
    solution: Solution,
    broken: npt.NDArray[np.bool_],
    stuck: npt.NDArray[np.bool_],
    on_sky: npt.NDArray[np.bool_],
) -> Visit:
    """What each fibre does by a solution."""
    n = model.plane.n_fibres
    chosen = solution.target_of_fibre(n)
    has = np.flatnonzero(chosen >= 0)
    use = np.full(n, Use.UNASSIGNED, dtype=np.int8)
    purpose = field.problem.purpose
    use[has] = Use.SCIENCE if purpose is None else purpose[chosen[has]]
    use[broken], use[stuck], use[on_sky] = Use.BROKEN, Use.STUCK, Use.SKY
    aim = np.full((n, 2), np.nan)
    aim[has] = np.column_stack([field.x_m[chosen[has]], field.y_m[chosen[has]]])
    rows = np.concatenate([field.row, np.full(len(field.x_m) - len(field.row), -1)])
    target = np.full(n, -1, dtype=np.int32)
    target[has] = rows[chosen[has]]
    return Visit(field, solution, use, target, aim)


def _reach(
    model: Hardware,
    targets: TargetList,
    x_m: npt.NDArray[np.float64],
    y_m: npt.NDArray[np.float64],
    usable: npt.NDArray[np.bool_],
) -> npt.NDArray[np.int8]:
    """0 for targets out of reach, 1 for those that broken or stuck positioners bar, 2 for others.

    They bar a target if it is in reach of them alone, or only across their arms.
    """
    every = np.ones_like(usable)
    all_ = np.diff(edges(model.plane, every, x_m, y_m, targets.kind)[0]) > 0
    if usable.all():
        return 2 * all_.astype(np.int8)
    ours = edges(model.plane, usable, x_m, y_m, targets.kind, standing=~usable)
    return all_.astype(np.int8) + (np.diff(ours[0]) > 0).astype(np.int8)


def _notes(
    targets: TargetList,
    model: Hardware,
    shares: tuple[tuple[float, float], tuple[float, float]],
) -> tuple[str, ...]:
    """What the user should know of the quotas."""
    notes = []
    if max(shares[1]) > 0.0 and not (targets.purpose == Purpose.STANDARD).any():
        notes.append("no standards in the catalogue (purpose = standard): their quota is left out")
    if max(shares[0]) > 0.0 and not (targets.purpose == Purpose.SKY).any():
        notes.append("no sky positions in the catalogue: sky is wherever it has no target")
    for kind, name in ((0, "LR"), (1, "HR")):
        if (targets.kind == kind).any() and not (model.plane.kind == kind).any():
            notes.append(f"{model.name} has no {name} fibres for the {name} targets")
    return tuple(notes)
