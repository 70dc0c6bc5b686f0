"""A user's targets for one field: read from a file or a table, checked, as arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from wstdes.allocation.problem import Purpose
from wstdes.errors import did_you_mean
from wstdes.models.focalplane import HR, LR
from wstdes.survey import _columns
from wstdes.survey._tables import Column, columns_of, read_columns

if TYPE_CHECKING:
    import numpy.typing as npt
    from astropy.table import Table

__all__ = ["COLUMNS", "TargetList", "class_weights", "read_targets"]

COLUMNS: dict[str, tuple[str, ...]] = {
    "id": ("id", "source_id", "target_id", "targetid", "objid", "object_id", "obj_id", "name"),
    "ra": ("ra", "raj2000", "ra_icrs", "ra_deg", "radeg", "alpha_j2000", "target_ra", "ra_mean"),
    "dec": ("dec", "dej2000", "decj2000", "de_icrs", "dec_deg", "dedeg", "delta_j2000",
            "target_dec", "dec_mean", "decl"),
    "magnitude": ("magnitude", "mag", "phot_g_mean_mag", "gmag", "imag", "rmag", "mag_i", "mag_r"),
    "pmra": ("pmra", "pm_ra", "pm_ra_cosdec", "pmra_cosdec"),
    "pmdec": ("pmdec", "pm_dec", "pmde"),
    "priority": ("priority", "weight"),
    "survey": ("survey", "programme", "program"),
    "mode": ("mode", "resolution", "resolution_mode"),
    "required": ("required_visits", "visits", "nvisits", "n_visits", "numobs"),
    "done": ("visits_done", "done", "n_done", "numobs_done"),
    "purpose": ("purpose", "objtype", "obj_type", "target_type", "type"),
    "class": ("class", "target_class", "priority_class"),
}  # fmt: skip
"""Names understood for each column, in any case; the first of them that a file has is taken."""

_MODES = {"lr": LR, "hr": HR, "low": LR, "high": HR}
_PURPOSES = {
    "science": Purpose.SCIENCE, "sci": Purpose.SCIENCE, "target": Purpose.SCIENCE,
    "tgt": Purpose.SCIENCE, "standard": Purpose.STANDARD, "std": Purpose.STANDARD,
    "star": Purpose.STANDARD, "sky": Purpose.SKY,
}  # fmt: skip
_MOST_CLASSES = 1000


@dataclass(frozen=True, eq=False)
class TargetList:
    """Targets that passed every check; one element of each array a target.

    Parameters
    ----------
    source : str
        The file, or what else they come from, for messages.
    id : int64[t] or str[t]
        Identifiers; the same one may stand there more than once.
    ra_rad, dec_rad : float64[t]
        Position [rad].
    magnitude : float32[t]
        NaN where there is none.
    pm_ra_rad_per_yr, pm_dec_rad_per_yr : float32[t]
        Proper motion [rad/yr]; the first with cos(dec) in it.
    weight : float64[t]
        Worth: the column ``priority`` itself, 1 without such a column.
    target_class : int16[t]
        0 is the most important; all 0 unless classes were asked for.
    survey : int16[t]
        Index into `surveys`.
    surveys : tuple of str
        Names, in alphabetical order.
    kind : int8[t]
        LR or HR.
    required, done : int32[t]
        Visits that the target needs and has had.
    purpose : int8[t]
        :class:`~wstdes.allocation.problem.Purpose`.
    row : int64[t]
        Row in the source, from 0.
    """

    source: str
    id: npt.NDArray[Any]
    ra_rad: npt.NDArray[np.float64]
    dec_rad: npt.NDArray[np.float64]
    magnitude: npt.NDArray[np.float32]
    pm_ra_rad_per_yr: npt.NDArray[np.float32]
    pm_dec_rad_per_yr: npt.NDArray[np.float32]
    weight: npt.NDArray[np.float64]
    target_class: npt.NDArray[np.int16]
    survey: npt.NDArray[np.int16]
    surveys: tuple[str, ...]
    kind: npt.NDArray[np.int8]
    required: npt.NDArray[np.int32]
    done: npt.NDArray[np.int32]
    purpose: npt.NDArray[np.int8]
    row: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.ra_rad)

    def take(self, rows: npt.NDArray[Any]) -> TargetList:
        """Return some of the targets, in the order of `rows` (or those of a mask)."""
        arrays = {
            name: value[rows] for name, value in vars(self).items() if isinstance(value, np.ndarray)
        }
        return replace(self, **arrays)


def read_targets(
    source: str | Path | Table | Mapping[str, npt.ArrayLike],
    *,
    columns: Mapping[str, str] | None = None,
    mode: str = "LR",
    use_class: bool = False,
) -> TargetList:
    """Read targets and refuse them, with reasons, if they cannot be right.

    Parameters
    ----------
    source : path, astropy Table or mapping of arrays
        A FITS, ECSV, VOTable, Parquet or CSV file, told apart by its suffix, or a table in memory.
        Only right ascension and declination must be there.
    columns : mapping, optional
        Which column is what, for names not in :data:`COLUMNS`: ``{"ra": "alpha [hourangle]"}``.
        An empty name says that there is no such column: ``{"purpose": ""}``.
    mode : {"LR", "HR"}
        Resolution mode of targets without one.
    use_class : bool
        Rank by the column ``class`` first (0 is the most important): see :func:`class_weights`.

    Returns
    -------
    TargetList

    Raises
    ------
    CatalogueError
        Everything that is wrong, at once, by data row (from 1), column and value.
    """
    name, found = _open(source)
    wanted = {role: text for role, text in (columns or {}).items() if text or role not in COLUMNS}
    off = {role for role, text in (columns or {}).items() if not text}
    off |= set() if use_class else {"class"}
    aliases = {role: names for role, names in COLUMNS.items() if role not in off}
    needed = {"ra", "dec"} | ({"class"} if use_class else set())
    problems: list[str] = []
    if mode.strip().lower() not in _MODES:
        problems.append(f"mode '{mode}' is neither LR nor HR")
    chosen = _columns.choose(found, wanted, problems, aliases, needed)
    if not problems and len(chosen["ra"].values) == 0:
        problems.append("no rows: there is no target in it")
    if problems:
        raise _columns.refusal(name, problems)
    targets = _targets(name, chosen, _MODES[mode.strip().lower()], problems)
    if problems or targets is None:
        raise _columns.refusal(name, problems)
    return targets


def _open(
    source: str | Path | Table | Mapping[str, npt.ArrayLike],
) -> tuple[str, dict[str, Column]]:
    if isinstance(source, str | Path):
        return str(source), read_columns(Path(source))
    from astropy.table import Table

    if not isinstance(source, Table):
        try:
            source = Table({name: _array(values) for name, values in source.items()})
        except (ValueError, TypeError, AttributeError) as error:
            raise _columns.refusal("targets", [f"cannot be read as a table: {error}"]) from error
    return "targets", columns_of(source)


def _array(values: Any) -> Any:
    """An array as it is with its unit or its mask; lists and the like as arrays."""
    return values if hasattr(values, "unit") else np.asanyarray(values)


def _targets(
    name: str, chosen: dict[str, Column], mode: int, problems: list[str]
) -> TargetList | None:
    size = len(chosen["ra"].values)
    fill = {"magnitude": np.nan, "pmra": 0.0, "pmdec": 0.0, "done": 0.0, "required": 1.0}
    values = {
        role: _columns.numbers(_unit_of(role), column, problems, missing=fill.get(role))
        for role, column in chosen.items()
        if role not in {"id", "priority", "survey", "mode", "purpose"}
    }
    purpose = _words(chosen.get("purpose"), _PURPOSES, Purpose.SCIENCE, size, problems)
    # What is not science needs no priority.
    blank = None if (purpose == Purpose.SCIENCE).all() else 0.0
    if "priority" in chosen:
        values["priority"] = _columns.numbers(
            "priority", chosen["priority"], problems, missing=blank
        )
        _refuse_blank(chosen["priority"], purpose == Purpose.SCIENCE, blank, problems)
    kind = _words(chosen.get("mode"), _MODES, mode, size, problems)
    ids: npt.NDArray[Any] = np.arange(1, size + 1, dtype=np.int64)
    if "id" in chosen:
        numbers, labels = _columns.identifiers(chosen["id"], problems, unique=False)
        ids = numbers if labels is None else labels
    survey, surveys = _surveys(chosen.get("survey"), size)
    _check(chosen, values, problems)
    if problems:
        return None
    zero = np.zeros(size)
    return TargetList(
        name, ids, np.radians(values["ra"]), np.radians(values["dec"]),
        values.get("magnitude", np.full(size, np.nan)).astype(np.float32),
        values.get("pmra", zero).astype(np.float32), values.get("pmdec", zero).astype(np.float32),
        values.get("priority", np.ones(size)), values.get("class", zero).astype(np.int16),
        survey, surveys, kind.astype(np.int8),
        values.get("required", np.ones(size)).astype(np.int32),
        values.get("done", zero).astype(np.int32), purpose.astype(np.int8), np.arange(size),
    )  # fmt: skip


def _unit_of(role: str) -> str:
    """The part by which units are looked up: required visits have none, unlike times."""
    return "count" if role in {"required", "done", "class"} else role


def _refuse_blank(
    column: Column, science: npt.NDArray[np.bool_], blank: float | None, problems: list[str]
) -> None:
    """Say which science target has no priority, where others may have none."""
    bad = column.missing & science if blank is not None else np.zeros(1, dtype=bool)
    if bad.any():
        where = f"{_columns.row(bad)}, column '{column.name}'"
        problems.append(f"{where}: no value{_columns.more(bad)}; drop these rows or fill them")


def _check(
    chosen: dict[str, Column], values: dict[str, npt.NDArray[np.float64]], problems: list[str]
) -> None:
    """Ranges of positions, priorities and counts."""

    def refuse(role: str, bad: npt.NDArray[np.bool_], text: str) -> None:
        if bad.any():
            value, where = chosen[role].values[np.argmax(bad)], chosen[role].name
            problems.append(
                f"{_columns.row(bad)}, column '{where}': {value} {text}{_columns.more(bad)}"
            )

    places = {role: values[role] for role in ("ra", "dec")}
    _columns.check_ranges(chosen, places, problems)
    if "priority" in values:
        refuse("priority", values["priority"] < 0.0, "is negative; a priority is 0 or more")
        refuse("priority", values["priority"] > 1e12, "is more than 1e12")
    for role, most in (("required", 1e6), ("done", 1e6), ("class", _MOST_CLASSES)):
        if role in values:
            v = values[role]
            bad = np.isfinite(v) & ((v < 0.0) | (v != np.floor(v)) | (v > most))
            refuse(role, bad, f"is not a whole number from 0 to {most:g}")


def _words(
    column: Column | None, known: Mapping[str, int], default: int, size: int, problems: list[str]
) -> npt.NDArray[np.int64]:
    """The number that stands for each cell's word, in any case; `default` for an empty cell."""
    if column is None:
        return np.full(size, default, dtype=np.int64)
    codes, words = _encode(column)
    numbers = np.full(len(words), default, dtype=np.int64)
    for i, word in enumerate(words):
        key = word.strip().lower()
        if key in known:
            numbers[i] = known[key]
        elif key:
            bad = codes == i
            hint = did_you_mean(key, known)
            problems.append(
                f"{_columns.row(bad)}, column '{column.name}': '{word}' is not known here"
                f"{_columns.more(bad)}; {hint}"
            )
    return numbers[codes]


def _surveys(column: Column | None, size: int) -> tuple[npt.NDArray[np.int16], tuple[str, ...]]:
    """Number of each target's survey, and the names; without a column it is one survey."""
    if column is None:
        return np.zeros(size, dtype=np.int16), ("targets",)
    codes, words = _encode(column)
    names = [word.strip() or "(none)" for word in words]
    surveys = tuple(sorted(set(names)))
    if len(surveys) > 1000:
        raise _columns.refusal(
            "targets", [f"column '{column.name}': {len(surveys)} surveys are more than 1,000"]
        )
    return np.array([surveys.index(name) for name in names], dtype=np.int16)[codes], surveys


def _encode(column: Column) -> tuple[npt.NDArray[np.int64], list[str]]:
    """Number of each cell's text, and the different texts; an empty cell is an empty text."""
    import pyarrow as pa

    values = column.values if column.values.dtype.kind == "U" else column.values.astype(str)
    if column.missing.any():
        values = np.where(column.missing, "", values)
    encoded = pa.array(values).dictionary_encode()
    return encoded.indices.to_numpy().astype(np.int64), encoded.dictionary.to_pylist()


def class_weights(
    weight: npt.NDArray[np.float64], target_class: npt.NDArray[np.int16], n_fibres: int
) -> npt.NDArray[np.float64]:
    """Weights with which one target of a class outweighs all the fibres on those below it.

    Parameters
    ----------
    weight : float64[t]
        Worth within a class; zero stays zero.
    target_class : int16[t]
        0 is the most important.
    n_fibres : int
        At most so many targets get a fibre.

    Returns
    -------
    float64[t]
        Within a class in proportion to `weight`, with 1 for the smallest positive one of the
        least class.

    Raises
    ------
    ValueError
        If numbers of 15 digits cannot tell so many classes apart.
    """
    result = np.zeros(len(weight))
    below = 0.0
    for which in np.unique(target_class)[::-1]:
        of = np.flatnonzero((target_class == which) & (weight > 0.0))
        if len(of):
            result[of] = weight[of] * ((below + 1.0) / weight[of].min())
            below += min(len(of), n_fibres) * float(result[of].max())
    if below > 2.0**51:
        raise ValueError(
            "classes so many, or with priorities so far apart, that no number tells them apart: "
            "join classes or round priorities"
        )
    return result
