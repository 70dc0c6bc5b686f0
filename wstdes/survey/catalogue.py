"""A user's own catalogue: read, checked in full, and served by cells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wstdes.errors import CatalogueError
from wstdes.survey._columns import check_ranges, choose, identifiers, numbers, refusal
from wstdes.survey._tables import read_columns
from wstdes.survey.footprint import Footprint
from wstdes.survey.store import BROKEN_OFF, Store, open_store
from wstdes.survey.stored import SortedColumns, StoredSource
from wstdes.survey.targets import ExposureLaw, ExposureTimes, Targets, required_times

__all__ = [
    "COLUMN_ALIASES",
    "CatalogueSource",
    "CatalogueTable",
    "open_catalogue",
    "read_catalogue",
]

FloatArray = NDArray[np.float64]

COLUMN_ALIASES: dict[str, tuple[str, ...]] = {
    "id": ("id", "source_id", "target_id", "targetid", "objid", "object_id", "obj_id", "name"),
    "ra": ("ra", "raj2000", "ra_icrs", "ra_deg", "radeg", "alpha_j2000", "target_ra", "ra_mean"),
    "dec": ("dec", "dej2000", "decj2000", "de_icrs", "dec_deg", "dedeg", "delta_j2000", "decl"),
    "magnitude": ("magnitude", "mag", "phot_g_mean_mag", "gmag", "imag", "rmag", "mag_i", "mag_r"),
    "pmra": ("pmra", "pm_ra", "pm_ra_cosdec", "pmra_cosdec"),
    "pmdec": ("pmdec", "pm_dec", "pmde"),
    "priority": ("priority", "weight"),
    "required": ("required", "required_s", "exposure", "exposure_s", "exptime", "texp"),
}
"""Names understood for each column, in any case; the first of them that a file has is taken."""

NEEDED = ("id", "ra", "dec", "magnitude")

_SAMPLE = 2_000_000
"""Targets of a store that an exposure law is shown, so that it can tell which it cannot serve."""

LONGEST_S = 65000.0
"""Longest exposure time of a target [s]: what two bytes of progress hold."""


@dataclass(frozen=True, eq=False)
class CatalogueTable:
    """A catalogue that passed every check, in the order of its file.

    Attributes
    ----------
    path : str
        The file.
    id : int64[n]
        Identifiers; for a catalogue with text for identifiers, the data row (from 1).
    labels : str array [n] or None
        Identifiers that are text.
    ra_rad, dec_rad : float64[n]
        Position [rad].
    magnitude : float32[n]
        As in the file.
    pm_ra_rad_per_yr, pm_dec_rad_per_yr : float32[n]
        Proper motion [rad/yr], zero where the file has none; the first is mu_alpha*.
    priority : float32[n] or None
        As in the file; None if it has none.
    required_s : float32[n] or None
        Exposure time [s]; None if the file has none.
    """

    path: str
    id: NDArray[np.int64]
    labels: NDArray[np.str_] | None
    ra_rad: FloatArray
    dec_rad: FloatArray
    magnitude: NDArray[np.float32]
    pm_ra_rad_per_yr: NDArray[np.float32]
    pm_dec_rad_per_yr: NDArray[np.float32]
    priority: NDArray[np.float32] | None
    required_s: NDArray[np.float32] | None

    def __len__(self) -> int:
        return len(self.id)


class CatalogueSource(StoredSource):
    """A checked catalogue as a source of targets.

    ``rows(pixel)`` gives the rows of the table behind a cell, for its labels.

    Parameters
    ----------
    table : CatalogueTable or Store
        From :func:`read_catalogue`, or from :func:`wstdes.survey.store.open_store`.
    name : str, optional
        What the user calls this source; the file's name by default.
    required_s : float or callable, optional
        Exposure time [s], or a function of magnitude, for a catalogue without such a column.
    footprint : Footprint, optional
        Only targets inside it are given; all sky by default.
    epoch_yr : float, optional
        Julian year of the positions; by default 2016, or what the store says.
    credit : str, optional
        Who made the catalogue.

    Raises
    ------
    CatalogueError
        If exposure times are neither in the catalogue nor given.
    """

    is_mock = False

    def __init__(
        self,
        table: CatalogueTable | Store,
        *,
        name: str | None = None,
        required_s: ExposureLaw | None = None,
        footprint: Footprint | None = None,
        epoch_yr: float | None = None,
        credit: str | None = None,
    ) -> None:
        self.table = table
        self.name = Path(table.path).stem if name is None else name
        self.credit = f"User catalogue {Path(table.path).name}" if credit is None else credit
        self.footprint = Footprint() if footprint is None else footprint
        if isinstance(table, Store):
            self.epoch_yr = table.manifest.epoch_yr if epoch_yr is None else epoch_yr
            times = None
            if table.columns.required_s is None:
                law = _law(table.path, required_s)
                limits = table.manifest.magnitude_min, table.manifest.magnitude_max
                times = ExposureTimes(law, *limits)
                _check_longest(table.path, times.longest_s)
                if callable(law):  # one that keeps count is to see targets last, not its table
                    some = slice(None, None, 1 + len(table.columns.magnitude) // _SAMPLE)
                    law(table.columns.magnitude[some].astype(np.float64))
            super().__init__(table.columns, times=times, footprint=footprint)
            return
        self.epoch_yr = 2016.0 if epoch_yr is None else epoch_yr
        required = table.required_s
        if required is None:
            law = _law(table.path, required_s)
            required = required_times(law, table.magnitude.astype(np.float64))
        _check_longest(table.path, float(required.max(initial=0.0)))
        targets = Targets(
            table.id,
            table.ra_rad,
            table.dec_rad,
            table.magnitude,
            required,
            table.pm_ra_rad_per_yr,
            table.pm_dec_rad_per_yr,
        )
        inside = np.flatnonzero(self.footprint.contains(table.ra_rad, table.dec_rad))
        priority = None if table.priority is None else table.priority[inside]
        columns, order = SortedColumns.of(targets.take(inside), priority)
        if table.priority is not None:
            columns = replace(columns, priority_max=float(table.priority.max(initial=0.0)))
        super().__init__(columns)
        self.order = inside[order].astype(np.int64)
        self.order.flags.writeable = False


def _law(path: str, required_s: ExposureLaw | None) -> ExposureLaw:
    if required_s is None:
        raise CatalogueError(
            f"{path}: no exposure times: give the catalogue a column 'required' "
            "(seconds, or with a unit), or give required_s"
        )
    return required_s


def _check_longest(path: str, time_s: float) -> None:
    if not time_s <= LONGEST_S:
        raise CatalogueError(f"{path}: an exposure time is longer than {LONGEST_S:g} s (18 h)")


def open_catalogue(
    path: str | Path, *, columns: Mapping[str, str] | None = None
) -> CatalogueTable | Store:
    """Read a catalogue, or map the folder that it was ingested into.

    Parameters
    ----------
    path, columns
        As for :func:`read_catalogue`; or a folder of :func:`wstdes.survey.ingest.ingest`, whose
        columns have been told apart.

    Raises
    ------
    CatalogueError
        As :func:`read_catalogue` and :func:`wstdes.survey.store.open_store` do.
    """
    path = Path(path)
    if not (path.is_dir() or Path(f"{path}{BROKEN_OFF}").is_dir()):
        return read_catalogue(path, columns=columns)
    if columns:
        raise CatalogueError(f"{path}: columns are named when a catalogue is ingested, not after")
    return open_store(path)


def read_catalogue(path: str | Path, *, columns: Mapping[str, str] | None = None) -> CatalogueTable:
    """Read a catalogue and refuse it, with reasons, if it cannot be right.

    Parameters
    ----------
    path : str or Path
        A FITS (.fits, .fit), ECSV (.ecsv), VOTable (.vot, .votable, .xml), Parquet (.parquet) or
        CSV (.csv) file.
    columns : mapping, optional
        Which column is what, for names not in :data:`COLUMN_ALIASES`: ``{"ra": "alpha"}``. A unit
        in brackets overrides the file's: ``{"ra": "alpha [hourangle]"}``.

    Returns
    -------
    CatalogueTable
        Units of the file are honoured; without one, angles are degrees, proper motions mas/yr
        and times seconds.

    Raises
    ------
    CatalogueError
        Everything that is wrong with the file, at once, by data row (from 1), column and value.
    """
    path = Path(path)
    found = read_columns(path)
    problems: list[str] = []
    chosen = choose(found, columns or {}, problems, COLUMN_ALIASES, NEEDED)
    if not problems and len(chosen["id"].values) == 0:
        problems.append("no rows")
    if problems:
        raise refusal(path, problems)
    ids, labels = identifiers(chosen["id"], problems)
    still = {"pmra": 0.0, "pmdec": 0.0}
    values = {
        role: numbers(role, column, problems, missing=still.get(role))
        for role, column in chosen.items()
        if role != "id"
    }
    check_ranges(chosen, values, problems)
    if problems:
        raise refusal(path, problems)
    return _table(path, ids, labels, values)


def _table(
    path: Path,
    ids: NDArray[np.int64],
    labels: NDArray[np.str_] | None,
    values: dict[str, FloatArray],
) -> CatalogueTable:
    def single(role: str) -> NDArray[np.float32] | None:
        return values[role].astype(np.float32) if role in values else None

    still = np.zeros(len(ids), dtype=np.float32)
    pm_ra, pm_dec = single("pmra"), single("pmdec")
    return CatalogueTable(
        path=str(path),
        id=ids,
        labels=labels,
        ra_rad=np.radians(values["ra"]),
        dec_rad=np.radians(values["dec"]),
        magnitude=values["magnitude"].astype(np.float32),
        pm_ra_rad_per_yr=still if pm_ra is None else pm_ra,
        pm_dec_rad_per_yr=still if pm_dec is None else pm_dec,
        priority=single("priority"),
        required_s=single("required"),
    )
