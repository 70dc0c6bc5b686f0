"""Reading a measured series of the weather: columns, units, times, and what is wrong with them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from wstdes.clock import DAY_S
from wstdes.errors import ConfigError, Problem
from wstdes.models.site import Replay, Series
from wstdes.models.site.replay import MEASURED
from wstdes.survey._columns import choose, more, refusal, row
from wstdes.survey._tables import Column, read_columns

if TYPE_CHECKING:
    from wstdes.clock import Clock
    from wstdes.config.scenario import Scenario

__all__ = ["measured_weather", "read_weather"]

Array = NDArray[np.float64]

_ALIASES = {
    "time": ("time", "date", "datetime", "utc", "timestamp", "mjd"),
    "seeing": ("seeing", "fwhm"),
    "cloud": ("cloud", "clouds", "cloud_cover"),
    "transparency": ("transparency",),
    "wind": ("wind", "wind_speed"),
    "humidity": ("humidity", "rh"),
    "open": ("open",),
}
_UNITS = {  # the unit inside, the one that is meant if there is none, the least and the most
    "seeing": ("rad", "arcsec", 0.0, 30.0),
    "wind": ("m/s", "m/s", 0.0, 150.0),
    "cloud": ("", "", 0.0, 1.0),
    "transparency": ("", "", 0.0, 1.0),
    "humidity": ("", "", 0.0, 1.0),
}
_EIGHTHS = {"okta", "oktas", "eighth", "eighths"}
_TRUTH = {"true": 1.0, "t": 1.0, "yes": 1.0, "1": 1.0, "open": 1.0,
          "false": 0.0, "f": 0.0, "no": 0.0, "0": 0.0, "closed": 0.0}  # fmt: skip
_MJD_1970 = 40587.0


def measured_weather(
    scenario: Scenario, clock: Clock, folder: Path, step_s: float
) -> Replay | None:
    """Read a scenario's measured weather and lay it over the run's nights.

    Parameters
    ----------
    scenario : Scenario
        What the user asked for.
    clock : Clock
        The run's calendar.
    folder : Path
        Where relative paths start.
    step_s : float
        Length of the weather's steps [s].

    Returns
    -------
    Replay or None
        None if weather is drawn.

    Raises
    ------
    CatalogueError
        The file cannot be used.
    ConfigError
        No night of the run was measured, or the series ends before the run.
    """
    weather = scenario.weather
    if weather.use == "generated":
        return None
    series = read_weather(folder / Path(weather.path).expanduser(), weather.columns, weather.start)
    noon_s = clock.start_unix_s - (scenario.start - dt.date(1970, 1, 1)).days * DAY_S
    replay = Replay(
        series, scenario.start, noon_s, step_s, weather.gap_s, weather.match, weather.repeat
    )
    first, last = replay.evenings
    if replay.never_serves(scenario.nights):
        message = f"no night of the run is one of those measured, {first} to {last}"
        hint = "`match: order` takes the measured nights one after the other"
        raise ConfigError([Problem(message, "weather.match", hint=hint)])
    if replay.ends_before(scenario.nights):
        message = f"measured from {first} to {last}: too short for {scenario.nights} nights"
        hint = "simulate fewer, or `repeat: true` with `match: date-of-year` or `order`"
        raise ConfigError([Problem(message, "weather.repeat", hint=hint)])
    return replay


def read_weather(
    path: Path, columns: Mapping[str, str] | None = None, start: dt.datetime | None = None
) -> Series:
    """Read a measured series.

    Parameters
    ----------
    path : Path
        CSV, Parquet, ECSV or FITS. Units stand in the file or in brackets behind a column's name:
        ``seeing [arcsec]``.
    columns : mapping of str to str, optional
        The file's column for time, seeing, cloud, transparency, wind, humidity and open.
    start : datetime, optional
        What times in seconds, hours or days are counted from.

    Returns
    -------
    Series
        In SI; empty cells are left out.

    Raises
    ------
    CatalogueError
        All that is wrong with the file, at once: row, column, value and what was meant.
    """
    problems: list[str] = []
    found = {c.name: c for c in map(_bracketed, read_columns(path).values())}
    chosen = choose(found, columns or {}, problems, _ALIASES, {"time"})
    there = [what for what in MEASURED if what in chosen]
    if not there:
        known = ", ".join(MEASURED)
        problems.append(f"nothing was measured: it needs a column for one of {known}")
    if problems:
        raise refusal(path, problems)
    times = _times(chosen["time"], start, problems)
    values: dict[str, tuple[Array, Array]] = {}
    for what in there:
        read: Callable[[str, Column, list[str]], Array] = _truth if what == "open" else _numbers
        numbers = read(what, chosen[what], problems)
        known_rows = np.isfinite(numbers)
        if not known_rows.any() and not problems:
            problems.append(f"column '{chosen[what].name}': it has no value in any row")
        values[what] = (times[known_rows], numbers[known_rows])
    if problems:
        raise refusal(path, problems)
    return Series(values)


def _bracketed(column: Column) -> Column:
    """Take the unit from a name such as ``seeing [arcsec]``."""
    name, bracket, unit = column.name.partition("[")
    if bracket and unit.rstrip().endswith("]") and not column.unit:
        return Column(name.strip(), column.values, column.missing, unit.rstrip()[:-1].strip())
    return column


def _times(column: Column, start: dt.datetime | None, problems: list[str]) -> Array:
    """Seconds since 1970 UTC, rising."""
    where = f"column '{column.name}'"
    if column.missing.any():
        problems.append(f"{row(column.missing)}, {where}: no time{more(column.missing)}")
        return np.zeros(len(column.values))
    if column.values.dtype.kind == "U":
        times = _iso(column, problems)
    else:
        times = _counted(column, start, problems)
    if problems:
        return times
    bad = ~np.isfinite(times)
    if bad.any():
        problems.append(f"{row(bad)}, {where}: {column.values[bad][0]} is not a time{more(bad)}")
        return times
    back = np.diff(times, prepend=-np.inf) <= 0.0
    if back.any():
        i = int(np.argmax(back))
        what = "the same time as" if times[i] == times[i - 1] else "before"
        problems.append(
            f"row {i + 1}, {where}: {column.values[i]} is {what} row {i}{more(back)}; "
            "sort the rows by time, and keep one of each"
        )
    return times


def _iso(column: Column, problems: list[str]) -> Array:
    text = np.char.strip(column.values)
    text = np.where(np.char.endswith(text, "Z"), np.char.rstrip(text, "Z"), text)
    try:
        return text.astype("datetime64[us]").astype(np.int64) / 1e6
    except ValueError:
        pass
    for i, value in enumerate(text):
        try:
            np.datetime64(value, "us")
        except ValueError:
            problems.append(
                f"row {i + 1}, column '{column.name}': '{column.values[i]}' is no time; write UTC "
                "as 2019-04-01T03:15:00, or a number"
            )
            break
    return np.zeros(len(text))


def _counted(column: Column, start: dt.datetime | None, problems: list[str]) -> Array:
    where, unit = f"column '{column.name}'", column.unit or ""
    if column.values.dtype.kind not in "iuf":
        problems.append(f"{where}: holds {column.values.dtype}, not times")
        return np.zeros(len(column.values))
    numbers = column.values.astype(np.float64)
    if unit.upper() in ("MJD", "JD") or (not unit and column.name.upper() == "MJD"):
        shift = 2400000.5 if unit.upper() == "JD" else 0.0
        return (numbers - shift - _MJD_1970) * 86400.0
    if start is None:
        problems.append(
            f"{where}: {numbers[0]:g} is a number counted from an unknown time; add `start: "
            "1996-01-01T00:00:00` to the scenario's weather, or write the unit [MJD] or [JD]"
        )
        return numbers
    factor = _factor(column, unit or "s", "s", problems)
    return start.timestamp() + numbers * (factor or 1.0)


def _factor(column: Column, unit: str, inner: str, problems: list[str]) -> float | None:
    """From a unit to the one inside."""
    if unit == inner:
        return 1.0
    if not inner and unit.lower() in _EIGHTHS:
        return 0.125
    from astropy import units

    try:
        return float(units.Unit(unit).to(units.Unit(inner)))
    except (ValueError, TypeError, units.UnitsError):
        wanted = inner or "a share; known: % and okta"
        problems.append(f"column '{column.name}': unit '{unit}' cannot be turned into {wanted}")
        return None


def _numbers(what: str, column: Column, problems: list[str]) -> Array:
    """Values in SI; NaN where there is none."""
    where = f"column '{column.name}'"
    inner, meant, least, most = _UNITS[what]
    values = column.values
    if values.dtype.kind == "U":
        bad = np.array([not _is_number(v) for v in values]) & ~column.missing
        if bad.any():
            problems.append(
                f"{row(bad)}, {where}: '{values[bad][0]}' is not a number{more(bad)}; leave cells "
                "empty where nothing was measured"
            )
            return np.full(len(values), np.nan)
        values = np.array([float(v) if v.strip() else np.nan for v in values])
    elif values.dtype.kind not in "iufb":
        problems.append(f"{where}: holds {values.dtype}, not numbers")
        return np.full(len(values), np.nan)
    numbers = np.where(column.missing, np.nan, values.astype(np.float64))
    factor = _factor(column, column.unit or meant, inner, problems)
    if factor is None:
        return numbers
    in_words = numbers * factor if not inner else numbers * factor / _SCALE.get(what, 1.0)
    bad = (in_words < least) | (in_words > most) | np.isinf(in_words)
    if what == "seeing":
        bad |= in_words == 0.0
    if bad.any():
        problems.append(_out_of_range(what, column, bad, least, most))
    return numbers * factor


_SCALE = {"seeing": np.pi / 648000.0}


def _is_number(text: str) -> bool:
    try:
        float(text or "nan")
    except ValueError:
        return not text.strip()
    return True


def _out_of_range(
    what: str, column: Column, bad: NDArray[np.bool_], least: float, most: float
) -> str:
    value = column.values[bad][0]
    unit = f" {column.unit}" if column.unit else ""
    span = f"in [{least:g}, {most:g}]" + {"seeing": " arcsec", "wind": " m/s"}.get(what, "")
    hint = ""
    if most == 1.0 and not column.unit and float(np.nanmax(column.values)) <= 100.0:
        text = (
            f"{what}: '{column.name} [%]'" if what != "cloud" else f"{what}: '{column.name} [okta]'"
        )
        hint = f"; if that is its unit, write columns: {{{text}}}"
    where = f"{row(bad)}, column '{column.name}'"
    return (
        f"{where}: {what} of {value}{unit} is not {span}{more(bad)}{hint}; "
        "leave cells empty where nothing was measured"
    )


def _truth(what: str, column: Column, problems: list[str]) -> Array:
    """1 where the dome was open, 0 where it was closed."""
    del what
    known = [_TRUTH.get(str(v).strip().lower().removesuffix(".0")) for v in column.values]
    bad = np.array([k is None for k in known]) & ~column.missing
    blank = np.array([not str(v).strip() for v in column.values])
    bad &= ~blank
    if bad.any():
        value = str(column.values[bad][0])
        where = f"{row(bad)}, column '{column.name}'"
        problems.append(f"{where}: '{value}' is neither true nor false{more(bad)}")
    numbers = np.array([np.nan if k is None else k for k in known])
    return np.where(column.missing, np.nan, numbers)
