"""Files of assignments: FITS with everything, ECSV or Parquet with the fibres alone.

A FITS file has four tables. ``ASSIGNMENTS`` has a row a positioner, ``TARGETS`` a row a target in
the field, ``QUOTAS`` a row a group of fibres that has one, ``SHAPES`` a row a corner of an arm. It
says all that a check needs; the same allocation gives the same bytes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from wstdes._version import __version__
from wstdes.allocation.problem import Purpose
from wstdes.errors import WstdesError
from wstdes.field.allocation import MODES, Allocation, Use
from wstdes.field.problem import slit_blocks
from wstdes.models.focalplane import solve_pose

if TYPE_CHECKING:
    import numpy.typing as npt
    from astropy.table import Table

__all__ = ["AssignmentFile", "read_assignment", "write_assignment"]

_FORMATS = {".fits": "fits", ".ecsv": "ascii.ecsv", ".parquet": "parquet"}
_USES = np.array([use.name.lower() for use in Use])
_MODES = np.array([MODES[kind] for kind in sorted(MODES)])
_PURPOSES = np.array([purpose.name.lower() for purpose in Purpose])
_NEEDED = {
    "ASSIGNMENTS": ("FIBRE", "MODE", "X", "Y", "PATROL", "INNER", "USE", "TARGET", "AIM_X", "AIM_Y",
                    "THETA", "PHI", "GROUP"),
    "TARGETS": ("ID", "X", "Y", "MODE", "PURPOSE", "WEIGHT", "FIBRE"),
    "QUOTAS": ("GROUP", "PURPOSE", "WANTED", "MISSING"),
    "SHAPES": ("SHAPE", "ARM", "X", "Y"),
}  # fmt: skip


_OF_ARMS = ("THETA_ARM", "PHI_ARM", "THETA_MIN", "THETA_MAX", "PHI_MIN", "PHI_MAX", "SHAPE")


@dataclass(frozen=True, eq=False)
class AssignmentFile:
    """What a FITS file of assignments holds.

    Parameters
    ----------
    path : str
        The file.
    meta : dict
        The header: centre, hardware, method, objective, bound, ...
    fibres, targets, quotas, shapes : dict of str to array
        Columns of the four tables; lengths in mm, angles in degrees.
    """

    path: str
    meta: dict[str, Any]
    fibres: dict[str, npt.NDArray[Any]]
    targets: dict[str, npt.NDArray[Any]]
    quotas: dict[str, npt.NDArray[Any]]
    shapes: dict[str, npt.NDArray[Any]]


def write_assignment(allocation: Allocation, path: Path, visit: int = 0) -> None:
    """Write one visit of an allocation; the suffix says how.

    Parameters
    ----------
    allocation : Allocation
        What was found.
    path : Path
        Ends in .fits, .ecsv or .parquet; an existing file is overwritten.
    visit : int
        Which visit, from 0.

    Raises
    ------
    WstdesError
        Another suffix, or the file cannot be written.
    """
    kind = _FORMATS.get(path.suffix.lower())
    if kind is None:
        raise WstdesError(f"{path}: assignments are written as .fits, .ecsv or .parquet")
    fibres = _fibres(allocation, visit)
    meta = _meta(allocation, visit)
    try:
        if kind != "fits":
            fibres.meta = meta
            fibres.convert_bytestring_to_unicode()
            fibres.write(path, format=kind, overwrite=True)
            return
        from astropy.io import fits

        primary = fits.PrimaryHDU()
        for key, value in meta.items():
            primary.header[key] = value
        tables = {
            "ASSIGNMENTS": fibres,
            "TARGETS": _targets(allocation, visit),
            "QUOTAS": _quotas(allocation, visit),
            "SHAPES": _shapes(allocation),
        }
        units = [fits.table_to_hdu(table, name=name) for name, table in tables.items()]
        fits.HDUList([primary, *units]).writeto(path, overwrite=True)
    except OSError as error:
        raise WstdesError(f"{path}: cannot be written: {error}") from None


def _meta(allocation: Allocation, visit: int) -> dict[str, Any]:
    frame, solution = allocation.frame, allocation.visits[visit].solution
    meta: dict[str, Any] = {
        "ORIGIN": "wstdes",
        "VERSION": __version__,
        "CATALOG": Path(allocation.targets.source).name[:60],
        "HARDWARE": allocation.hardware.name[:60],
        "HWDIGEST": allocation.hardware.digest,
        "RA_CEN": math.degrees(frame.ra_rad),
        "DEC_CEN": math.degrees(frame.dec_rad),
        "ROTATOR": math.degrees(frame.rotator_rad),
        "SCALE": frame.scale_m_per_rad,
        "CATEPOCH": frame.catalogue_epoch_yr,
        "EPOCH": frame.catalogue_epoch_yr if frame.epoch_yr is None else frame.epoch_yr,
        "VISIT": visit + 1,
        "NVISITS": len(allocation.visits),
        "METHOD": solution.method,
        "OBJECTIV": solution.objective,
        "BOUND": solution.upper_bound,
        "GAP": solution.gap,
        "SEED": allocation.seed,
        "ARMS": allocation.hardware.plane.arms is not None,
        "SPINES": allocation.hardware.plane.arms is not None
        and allocation.hardware.plane.arms.spine,
    }
    if frame.refraction is not None:
        meta["ZENDIST"] = math.degrees(frame.refraction.zenith_distance_rad)
        meta["ZENANGLE"] = math.degrees(frame.refraction.zenith_angle_rad)
        meta["PRESSURE"] = frame.refraction.pressure_pa
    return meta


def _fibres(allocation: Allocation, visit: int) -> Table:
    from astropy.table import Table

    plane, done = allocation.hardware.plane, allocation.visits[visit]
    aimed = np.flatnonzero(np.isfinite(done.aim_m[:, 0]))
    ra, dec = np.full((2, plane.n_fibres), np.nan)
    ra[aimed], dec[aimed] = np.degrees(
        allocation.frame.to_sky(done.aim_m[aimed, 0], done.aim_m[aimed, 1])
    )
    has = done.target >= 0
    ids = allocation.targets.id[done.target[has]]
    nobody: Any = "" if ids.dtype.kind == "U" else -1
    name = np.full(plane.n_fibres, nobody, dtype=ids.dtype)
    name[has] = ids
    priority = np.full(plane.n_fibres, np.nan)
    priority[has] = allocation.targets.weight[done.target[has]]
    table = Table(
        {
            "FIBRE": np.arange(plane.n_fibres, dtype=np.int32),
            "MODE": _ascii(_MODES)[plane.kind],
            "SPECTROGRAPH": plane.spectrograph,
            "SLIT": plane.slit,
            "MODULE": plane.module,
            "GROUP": slit_blocks(plane),
            "X": plane.x_m * 1e3,
            "Y": plane.y_m * 1e3,
            "PATROL": plane.patrol_m * 1e3,
            "INNER": plane.inner_m * 1e3,
            "USE": _ascii(_USES)[done.use],
            "TARGET": done.target,
            "TARGET_ID": _ascii(name),
            "PRIORITY": priority,
            "RA": ra,
            "DEC": dec,
            "AIM_X": done.aim_m[:, 0] * 1e3,
            "AIM_Y": done.aim_m[:, 1] * 1e3,
            **_angles(allocation, visit, aimed),
        }
    )
    for column in ("X", "Y", "PATROL", "INNER", "AIM_X", "AIM_Y", "THETA_ARM", "PHI_ARM"):
        if column in table.colnames:
            table[column].unit = "mm"
    for column in ("RA", "DEC", "THETA", "PHI", *(c for c in table.colnames if c[-3:] in _ENDS)):
        table[column].unit = "deg"
    return table


_ENDS = ("MIN", "MAX")


def _angles(
    allocation: Allocation, visit: int, aimed: npt.NDArray[np.int64]
) -> dict[str, npt.NDArray[Any]]:
    """Angles of the arms, with the lengths and stops that they have to keep to."""
    plane, aim = allocation.hardware.plane, allocation.visits[visit].aim_m
    theta, phi = np.full((2, plane.n_fibres), np.nan)
    arms = plane.arms
    if arms is None:
        return {"THETA": theta, "PHI": phi}
    dx, dy = aim[aimed, 0] - plane.x_m[aimed], aim[aimed, 1] - plane.y_m[aimed]
    pose = solve_pose(arms, aimed, dx, dy)
    theta[aimed], phi[aimed] = np.degrees(pose.theta_rad), np.degrees(pose.phi_rad)
    low, high = np.degrees(arms.theta_zero_rad[:, None] + arms.theta_range_rad).T
    phi_low, phi_high = np.degrees(arms.phi_range_rad).T
    return {
        "THETA": theta, "PHI": phi, "THETA_ARM": arms.theta_m * 1e3, "PHI_ARM": arms.phi_m * 1e3,
        "THETA_MIN": low, "THETA_MAX": high, "PHI_MIN": phi_low, "PHI_MAX": phi_high,
        "SHAPE": arms.shape,
    }  # fmt: skip


def _targets(allocation: Allocation, visit: int) -> Table:
    from astropy.table import Table

    targets, done = allocation.targets, allocation.visits[visit]
    fibre = np.full(len(targets), -1, dtype=np.int32)
    has = np.flatnonzero(done.target >= 0)
    fibre[done.target[has]] = has
    weight = np.zeros(len(targets))
    weight[done.field.row] = done.field.problem.weight[: len(done.field.row)]
    table = Table(
        {
            "ID": _ascii(targets.id),
            "ROW": targets.row + 1,
            "RA": np.degrees(targets.ra_rad),
            "DEC": np.degrees(targets.dec_rad),
            "X": allocation.x_m * 1e3,
            "Y": allocation.y_m * 1e3,
            "MODE": _ascii(_MODES)[targets.kind],
            "PURPOSE": _ascii(_PURPOSES)[targets.purpose],
            "SURVEY": _ascii(np.array(targets.surveys))[targets.survey],
            "PRIORITY": targets.weight,
            "WEIGHT": weight,
            "CLASS": targets.target_class,
            "MAGNITUDE": targets.magnitude,
            "REQUIRED": targets.required,
            "DONE": targets.done,
            "FIBRE": fibre,
        }
    )
    for column, unit in {"RA": "deg", "DEC": "deg", "X": "mm", "Y": "mm"}.items():
        table[column].unit = unit
    return table


def _quotas(allocation: Allocation, visit: int) -> Table:
    from astropy.table import Table

    solution = allocation.visits[visit].solution
    quotas = allocation.visits[visit].field.problem.quotas
    at_least = np.zeros((0, 3), dtype=np.int32) if quotas is None else quotas.at_least
    # What stuck positioners on blank sky have taken off the quota is part of it in the file.
    group, purpose = np.nonzero(at_least)
    stuck_sky = allocation.stuck & (allocation.visits[visit].use == Use.SKY)
    blocks = slit_blocks(allocation.hardware.plane)
    there = np.bincount(blocks[stuck_sky], minlength=len(at_least))[: len(at_least)]
    wanted = at_least[group, purpose] + np.where(purpose == Purpose.SKY, there[group], 0)
    missing = solution.missing if len(solution.missing) else np.zeros_like(at_least)
    return Table(
        {
            "GROUP": group.astype(np.int32),
            "PURPOSE": _PURPOSES[purpose],
            "WANTED": wanted.astype(np.int32),
            "MISSING": missing[group, purpose].astype(np.int32),
        }
    )


def _shapes(allocation: Allocation) -> Table:
    from astropy.table import Table

    arms = allocation.hardware.plane.arms
    rows = [
        (number, name, 1e3 * x, 1e3 * y)
        for number, shape in enumerate(() if arms is None else arms.shapes)
        for name, corners in (("theta", shape.theta_m), ("phi", shape.phi_m))
        for x, y in corners
    ]
    return Table(
        rows=rows or None,
        names=("SHAPE", "ARM", "X", "Y"),
        dtype=(np.int16, "U5", np.float64, np.float64),
        units=(None, None, "mm", "mm"),
    )


def _ascii(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Text as FITS holds it, in one step and not cell by cell; numbers as they are."""
    if values.dtype.kind != "U":
        return values
    try:
        return values.astype("S")
    except UnicodeEncodeError:
        return np.char.encode(values, "ascii", "backslashreplace")


def read_assignment(path: str | Path) -> AssignmentFile:
    """Read a FITS file of assignments back.

    Parameters
    ----------
    path : str or Path
        As written by :func:`write_assignment`.

    Returns
    -------
    AssignmentFile

    Raises
    ------
    WstdesError
        It is not there, no FITS file, or not one of these.
    """
    from astropy.io import fits

    path = Path(path)
    if not path.is_file():
        raise WstdesError(f"{path}: no such file")
    try:
        with fits.open(path, memmap=False) as units:
            meta = dict(units[0].header)
            tables = {
                unit.name: {column.name: _native(unit.data[column.name]) for column in unit.columns}
                for unit in units
                if isinstance(unit, fits.BinTableHDU)
            }
    except (OSError, ValueError, TypeError, KeyError, IndexError) as error:
        reason = str(error).partition("\n")[0]
        raise WstdesError(f"{path}: cannot be read as a FITS file: {reason}") from None
    for name, columns in _NEEDED.items():
        more = _OF_ARMS if name == "ASSIGNMENTS" and meta.get("ARMS") else ()
        lacking = [c for c in (*columns, *more) if c not in tables.get(name, {})]
        if lacking:
            raise WstdesError(
                f"{path}: is no file of assignments: table {name} lacks {', '.join(lacking)}"
            )
    return AssignmentFile(
        str(path), meta, tables["ASSIGNMENTS"], tables["TARGETS"], tables["QUOTAS"],
        tables["SHAPES"],
    )  # fmt: skip


def _native(values: Any) -> npt.NDArray[Any]:
    array = np.asarray(values)
    if array.dtype.kind in "SU":
        return np.char.strip(array.astype(str))
    return array.astype(array.dtype.newbyteorder("="))
