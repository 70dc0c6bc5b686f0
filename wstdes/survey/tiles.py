"""A user's own list of tiles, or of fields: read, and checked in full, like a catalogue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wstdes.errors import did_you_mean
from wstdes.survey._columns import check_ranges, choose, identifiers, more, numbers, refusal, row
from wstdes.survey._tables import Column, read_columns
from wstdes.survey.tiling import Tiling

__all__ = ["FIELD_ALIASES", "TILE_ALIASES", "Positions", "read_fields", "read_tiles", "serve"]

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

_POSITION = {
    "id": ("id", "tileid", "tile_id", "tile", "field_id", "fieldid", "field", "source_id", "name"),
    "ra": ("ra", "raj2000", "ra_icrs", "ra_deg", "radeg", "tile_ra", "tilera", "ra_mean"),
    "dec": ("dec", "dej2000", "decj2000", "de_icrs", "dec_deg", "tile_dec", "tiledec", "decl"),
}
TILE_ALIASES: dict[str, tuple[str, ...]] = {
    **_POSITION,
    "programme": ("programme", "program", "survey", "surveys"),
    "pass": ("pass", "pass_", "passid", "layer"),
    "design_ha": ("design_ha", "designha", "ha", "hour_angle"),
    "extinction": ("extinction", "extinction_mag", "a_r", "ar"),
    "ebv": ("ebv", "e_bv", "ebv_med", "e(b-v)"),
}
"""Names understood for each column of a list of tiles, in any case."""
FIELD_ALIASES: dict[str, tuple[str, ...]] = {
    **_POSITION,
    "required": ("required", "required_s", "exposure", "exposure_s", "exptime", "texp"),
    "priority": ("priority", "weight"),
}
"""Names understood for each column of a list of fields, in any case."""

R_BAND_EXTINCTION = 2.285
"""A(r) over E(B-V), SDSS r, R_V = 3.1 (Schlafly & Finkbeiner 2011, ApJ 737, 103, table 6)."""


@dataclass(frozen=True, eq=False)
class Positions:
    """Rows of a list of tiles or fields that passed every check, in the order of the file.

    Attributes
    ----------
    path : str
        The file.
    ids : str array [n]
        What people call them; row numbers (from 1) where the file has no such column.
    ra_rad, dec_rad : float64[n]
        ICRS [rad].
    columns : dict of str to array [n]
        The others that the file has: `programme` (str), `pass` (int64), `design_ha` [rad],
        `extinction` [mag], `required` [s], `priority`.
    """

    path: str
    ids: NDArray[np.str_]
    ra_rad: FloatArray
    dec_rad: FloatArray
    columns: dict[str, NDArray[np.generic]]

    def __len__(self) -> int:
        return len(self.ra_rad)

    def number(self, name: str) -> FloatArray:
        """A column of numbers; nan where the file has none."""
        found = self.columns.get(name)
        return np.full(len(self), np.nan) if found is None else found.astype(np.float64)


def read_tiles(path: str | Path, *, columns: Mapping[str, str] | None = None) -> Positions:
    """Read a list of tiles and refuse it, with reasons, if it cannot be right.

    Parameters
    ----------
    path : str or Path
        FITS, ECSV, VOTable, Parquet or CSV.
    columns : mapping, optional
        Which column is what, for names not in :data:`TILE_ALIASES`; a unit in brackets overrides
        the file's: ``{"design_ha": "HA [hourangle]"}``.

    Raises
    ------
    CatalogueError
        Everything that is wrong with it, at once, by data row (from 1), column and value.
    """
    return _read(Path(path), columns or {}, TILE_ALIASES)


def read_fields(path: str | Path, *, columns: Mapping[str, str] | None = None) -> Positions:
    """Read a list of fields, see :data:`FIELD_ALIASES`; otherwise as :func:`read_tiles`."""
    return _read(Path(path), columns or {}, FIELD_ALIASES)


def _read(
    path: Path, columns: Mapping[str, str], aliases: Mapping[str, tuple[str, ...]]
) -> Positions:
    found = read_columns(path)
    problems: list[str] = []
    chosen = choose(found, columns, problems, aliases, ("ra", "dec"))
    if not problems and not len(chosen["ra"].values):
        problems.append("no rows")
    if problems:
        raise refusal(path, problems)
    where = {role: numbers(role, chosen[role], problems) for role in ("ra", "dec")}
    check_ranges(chosen, where, problems)
    ids = np.arange(1, len(where["ra"]) + 1).astype(np.str_)
    if "id" in chosen:
        rows, labels = identifiers(chosen["id"], problems)
        ids = rows.astype(np.str_) if labels is None else labels
    others: dict[str, NDArray[np.generic]] = {}
    for role, column in chosen.items():
        if role not in {"id", "ra", "dec"}:
            name = "extinction" if role == "ebv" else role
            if name not in others or role == "extinction":
                others[name] = _other(role, column, problems)
    if problems:
        raise refusal(path, problems)
    return Positions(str(path), ids, np.radians(where["ra"]), np.radians(where["dec"]), others)


def _other(role: str, column: Column, problems: list[str]) -> NDArray[np.generic]:
    """One of the columns that may be left out, checked."""
    if role == "programme":
        return _words(column, problems)
    if role == "design_ha":
        degrees = numbers("ra", column, problems)  # degrees, or the file's own unit
        _refuse(column, np.abs(degrees) > 180.0, "is no hour angle from -180 to 180 deg", problems)
        return np.radians(degrees)
    values = numbers(role, column, problems)
    if role == "pass":
        bad = np.isfinite(values) & ((values < 0) | (values != np.floor(values)))
        _refuse(column, bad, "is no whole number from 0", problems)
        return np.where(np.isfinite(values), values, 0).astype(np.int64)
    if role in {"extinction", "ebv"}:
        _refuse(column, values < 0.0, "is a negative extinction", problems)
        return values * (R_BAND_EXTINCTION if role == "ebv" else 1.0)
    if role == "required":
        bad = (values <= 0.0) | (values > 65000.0)
        _refuse(column, bad, "is no exposure time from 0 to 65,000 s", problems)
    return values


def _refuse(column: Column, bad: BoolArray, text: str, problems: list[str]) -> None:
    if bad.any():
        value = column.values[int(np.argmax(bad))]
        problems.append(f"{row(bad)}, column '{column.name}': {value} {text}{more(bad)}")


def _words(column: Column, problems: list[str]) -> NDArray[np.str_]:
    if column.values.ndim != 1 or column.values.dtype.kind not in "Uiu":
        problems.append(f"column '{column.name}': holds {column.values.dtype}, not names")
        return np.zeros(len(column.values), dtype=np.str_)
    words = np.char.strip(column.values.astype(np.str_))
    blank = column.missing | (words == "")
    if blank.any():
        problems.append(f"{row(blank)}, column '{column.name}': no programme{more(blank)}")
    return np.asarray(words, dtype=np.str_)


def serve(
    table: Positions, surveys: Sequence[str], programmes: Mapping[str, Sequence[str]]
) -> Tiling:
    """Return the tiles of a list, and which surveys each of them serves.

    Parameters
    ----------
    table : Positions
        From :func:`read_tiles`.
    surveys : sequence of str
        Names, in the order of the columns of ``Tiling.inside``.
    programmes : mapping
        Surveys of each programme. If it is empty, the file's programmes are names of surveys (or
        several, with blanks between them); without such a column all surveys are served by all.

    Raises
    ------
    CatalogueError
        Programmes of which nobody said what they are.
    """
    n = len(table)
    words = table.columns.get("programme")
    inside = np.ones((n, len(surveys)), dtype=np.bool_)
    if words is None:
        if programmes:
            raise refusal(table.path, [_no_column(programmes)])
    else:
        problems: list[str] = []
        kinds, kind = np.unique(words.astype(np.str_), return_inverse=True)
        rows = [_row(str(k), surveys, programmes, problems, kind == i) for i, k in enumerate(kinds)]
        if problems:
            raise refusal(table.path, problems)
        inside = np.array(rows, dtype=np.bool_)[kind]
    passes = table.columns.get("pass")
    return Tiling(
        table.ra_rad,
        table.dec_rad,
        inside,
        np.zeros(n, dtype=np.int64) if passes is None else passes.astype(np.int64),
        table.ids,
        table.number("design_ha"),
        table.number("extinction"),
    )


def _no_column(programmes: Mapping[str, Sequence[str]]) -> str:
    return (
        f"no column for 'programme' (known names: {', '.join(TILE_ALIASES['programme'])}), but "
        f"tiles.programmes tells of {', '.join(programmes)}; name it under tiles.columns"
    )


def _row(
    programme: str,
    surveys: Sequence[str],
    programmes: Mapping[str, Sequence[str]],
    problems: list[str],
    mine: BoolArray,
) -> list[bool]:
    """Which surveys the tiles of a programme serve."""
    names = programmes.get(programme) if programmes else programme.replace(",", " ").split()
    known = programmes if programmes else surveys
    unknown = [programme] if names is None else [name for name in names if name not in surveys]
    if unknown:
        what = "programme" if programmes else "survey"
        hint = did_you_mean(unknown[0], known)
        problems.append(
            f"{row(mine)}, column 'programme': no {what} '{unknown[0]}' in the scenario{more(mine)}"
            f"; {hint}; give tiles.programmes (with [] for tiles to leave out)"
        )
    return [name in (names or ()) for name in surveys]
