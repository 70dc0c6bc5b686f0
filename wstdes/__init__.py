"""wstdes: an agent-based simulator of the Wide-field Spectroscopic Telescope facility.

The public interface; everything else may change without notice.

Examples
--------
>>> import wstdes
>>> run = wstdes.run("small", nights=1, out=tmp_path / "first")
>>> run.complete
True
>>> run["visits"].column_names[:3]
['visit', 'night', 'tile']
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wstdes._version import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import numpy.typing as npt
    from astropy.table import Table
    from astropy.units import Quantity

    from wstdes.config import Loaded
    from wstdes.field.allocation import Allocation
    from wstdes.study.run import Run

__all__ = ["__version__", "allocate", "load", "run", "scenario"]


def scenario(
    name: str | Path, *, overlays: Sequence[str] = (), overrides: Sequence[str] = ()
) -> Loaded:
    """Load and validate a scenario.

    Parameters
    ----------
    name : str or pathlib.Path
        A shipped scenario's name, or a YAML file.
    overlays : sequence of str
        Overlays laid over it, in order.
    overrides : sequence of str
        ``key.path=value``, laid over it last.

    Returns
    -------
    Loaded
        With ``scenario`` (frozen, SI), ``provenance``, ``files``.

    Raises
    ------
    wstdes.errors.ConfigError
        Everything that is wrong, at once.
    """
    from wstdes.facility import load as load_scenario

    return load_scenario(name, overlays=overlays, overrides=overrides)


def run(
    name: str | Path,
    *,
    out: str | Path,
    nights: int | None = None,
    overlays: Sequence[str] = (),
    overrides: Sequence[str] = (),
    report: bool = False,
) -> Run:
    """Simulate a scenario into a run directory.

    Parameters
    ----------
    name : str or pathlib.Path
        A shipped scenario's name, or a YAML file.
    out : str or pathlib.Path
        The run directory; must not hold a run.
    nights : int, optional
        Simulate so many nights instead of the scenario's.
    overlays, overrides : sequence of str
        See :func:`scenario`.
    report : bool
        Write ``report.html`` too.

    Returns
    -------
    Run
        Its tables (``run["visits"]``), summary and scenario.

    Raises
    ------
    wstdes.errors.WstdesError
        The scenario or the directory cannot be used.
    """
    from pathlib import Path

    from wstdes.study.runner import execute

    extra = [] if nights is None else [f"nights={nights}"]
    done = execute(scenario(name, overlays=overlays, overrides=[*overrides, *extra]), Path(out))
    if report:
        from wstdes.report import write_report

        write_report(done)
    return done


def load(folder: str | Path) -> Run:
    """Open a run directory.

    Parameters
    ----------
    folder : str or pathlib.Path
        As made by ``wstdes run``; partial runs can be opened too.

    Returns
    -------
    Run
        ``run["visits"]`` is a :class:`pyarrow.Table`; ``run.summary`` maps metrics to value, unit
        and meaning.

    Raises
    ------
    wstdes.errors.RunError
        This is no run directory.
    """
    from wstdes.study.run import load_run

    return load_run(folder)


def allocate(
    targets: str | Path | Table | Mapping[str, npt.ArrayLike],
    *,
    ra: str | Quantity,
    dec: str | Quantity,
    hardware: str | Path = "wst-2026",
    visits: int = 1,
    method: str = "auto",
    **options: Any,
) -> Allocation:
    """Give each fibre of a focal plane a target of one field.

    Parameters
    ----------
    targets : path, astropy Table or mapping of arrays
        A FITS, ECSV, VOTable, Parquet or CSV file, or a table, with right ascension and
        declination; priority, magnitude, survey, mode (LR or HR), purpose (science, standard,
        sky), visits and proper motion are understood if they are there.
    ra, dec : str or Quantity
        Centre of the field (ICRS), with a unit: ``"10h0m"``, ``"-30 deg"``.
    hardware : str or pathlib.Path
        A shipped focal plane (``wst-2026``, ``wst-7mm``, ``desi``, ``4most``, ``pfs``) or a YAML
        file.
    visits : int
        How often the field is visited.
    method : str
        ``auto``, ``exact``, ``greedy``, ``flow``, ``cpsat`` or ``lagrangian``.
    **options
        Rotator, epoch, airmass, broken positioners and more: see
        :func:`wstdes.field.allocate.allocate`.

    Returns
    -------
    Allocation
        Use of every fibre, shares of surveys, bound and gap; ``write`` and ``figure`` make files.

    Raises
    ------
    wstdes.errors.WstdesError
        Something in the catalogue, the field or the hardware that cannot be used.
    """
    from wstdes.field.allocate import allocate as allocate_field

    return allocate_field(
        targets, ra=ra, dec=dec, hardware=hardware, visits=visits, method=method, **options
    )


def __dir__() -> list[str]:
    return sorted([*__all__, *_SUBMODULES])


_SUBMODULES = ("errors",)


def __getattr__(name: str) -> Any:
    if name in _SUBMODULES:
        from importlib import import_module

        return import_module(f"wstdes.{name}")
    raise AttributeError(f"module 'wstdes' has no attribute '{name}'")
