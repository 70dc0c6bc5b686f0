"""What a field needs to know of the hardware: the focal plane, its scale, its defects."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from wstdes.errors import WstdesError
from wstdes.models.focalplane import FocalPlane, load_focal_plane
from wstdes.models.focalplane.distortion import DESI, Distortion
from wstdes.models.focalplane.refraction import Refraction, pressure_at, zenith_of

if TYPE_CHECKING:
    import numpy.typing as npt

    from wstdes.kernel.streams import Streams

__all__ = ["Hardware", "air", "choose_fibres", "load"]

_DISTORTIONS = {"desi": DESI}
"""By hardware model; the others have published none, and get none (assumed)."""


@dataclass(frozen=True, eq=False)
class Hardware:
    """A focal plane with the numbers that a field needs.

    Parameters
    ----------
    name, digest : str
        The hardware model, and the SHA-256 of its values.
    plane : FocalPlane
        The positioners.
    scale_m_per_rad : float
        Plate scale [m/rad].
    distortion : Distortion
        Of the optics.
    sky, standards : (float, float)
        Shares of the usable LR and HR fibres for sky and for standards.
    hole_radius_m : float
        Radius at the centre without positioners [m].
    speed_rad_per_s : (float, float)
        Of the theta and the phi motors [rad/s]; zero if not known.
    metrology_s : float
        What measuring takes after a motion [s].
    """

    name: str
    digest: str
    plane: FocalPlane
    scale_m_per_rad: float
    distortion: Distortion
    sky: tuple[float, float]
    standards: tuple[float, float]
    hole_radius_m: float
    speed_rad_per_s: tuple[float, float] = (0.0, 0.0)
    metrology_s: float = 0.0


def load(name: str | Path) -> Hardware:
    """Read a hardware model and build its focal plane.

    Parameters
    ----------
    name : str or pathlib.Path
        A shipped focal plane (``wst-2026``, ``desi``, ...) or a YAML file.

    Returns
    -------
    Hardware

    Raises
    ------
    ConfigError
        There is no such model, or it is wrong.
    WstdesError
        It has no plate scale.
    """
    from wstdes.config.digest import digest

    plane, model = load_focal_plane(name)
    if not model.plate_scale_m_per_rad > 0.0:
        raise WstdesError(
            f"hardware model '{name}' has no plate_scale: write one, such as 180.4 um/arcsec"
        )
    return Hardware(
        name=Path(name).stem,
        digest=digest(model),
        plane=plane,
        scale_m_per_rad=model.plate_scale_m_per_rad,
        distortion=_DISTORTIONS.get(str(name), Distortion()),
        sky=(model.sky_fraction, model.sky_fraction),
        standards=(model.standard_fraction_lr, model.standard_fraction_hr),
        hole_radius_m=model.hole_radius_m,
        speed_rad_per_s=(model.theta_speed_rad_per_s, model.phi_speed_rad_per_s),
        metrology_s=model.metrology_s,
    )


def air(
    site: str | Path, dec_rad: float, *, airmass: float | None, hour_angle_rad: float | None
) -> Refraction | None:
    """The air over a field that culminates, rises or sets at a site.

    Parameters
    ----------
    site : str or pathlib.Path
        A shipped site or a YAML file, for its latitude and its pressure (from its height).
    dec_rad : float
        Of the field's centre [rad].
    airmass : float or None
        1 / cos(zenith distance); the field is then west of the meridian.
    hour_angle_rad : float or None
        Instead of the airmass [rad].

    Returns
    -------
    Refraction or None
        None if neither is given.

    Raises
    ------
    WstdesError
        If the field is never, or not then, where it is said to be.
    """
    if airmass is None and hour_angle_rad is None:
        return None
    from wstdes.config.hardware import Site
    from wstdes.config.part import load_hardware

    if airmass is not None and hour_angle_rad is not None:
        raise WstdesError("give the airmass or the hour angle, not both")
    where = load_hardware(Site, site)
    latitude = where.latitude_rad
    if airmass is not None:
        hour_angle_rad = _hour_angle(airmass, dec_rad, latitude)
    assert hour_angle_rad is not None
    distance, angle = zenith_of(hour_angle_rad, dec_rad, latitude)
    try:
        return Refraction(distance, angle, pressure_at(where.height_m))
    except ValueError as error:
        raise WstdesError(f"refraction: {error} (site {Path(site).stem})") from None


def _hour_angle(airmass: float, dec_rad: float, latitude_rad: float) -> float:
    if not (np.isfinite(airmass) and airmass >= 1.0):
        raise WstdesError(f"airmass {airmass} is not 1 or more")
    across = np.cos(latitude_rad) * np.cos(dec_rad)
    along = np.sin(latitude_rad) * np.sin(dec_rad)
    best = 1.0 / (along + across) if along + across > 0.0 else np.inf
    if not np.isfinite(best):
        raise WstdesError("this field never rises at the site")
    cosine = (1.0 / airmass - along) / across if across > 1e-9 else np.nan
    if airmass < best <= 1.005 * airmass:  # on the meridian but for the rounding of the number
        return 0.0
    if not -1.0 <= cosine <= 1.0:
        worst = 1.0 / (along - across) if along - across > 0.0 else np.inf
        raise WstdesError(
            f"at this site the field is never at airmass {airmass:g}: it is between "
            f"{best:.3f} and " + (f"{worst:.3f}" if np.isfinite(worst) else "the horizon")
        )
    return float(np.arccos(cosine))


def choose_fibres(what: str, given: Any, n_fibres: int, streams: Streams) -> npt.NDArray[np.bool_]:
    """Which positioners are broken, or stuck.

    Parameters
    ----------
    what : str
        ``"broken"`` or ``"stuck"``.
    given : None, float, sequence of int, or path
        None for none; a fraction of all, drawn at random; their numbers from 0; or a text file
        with a number a line.
    n_fibres : int
        Number of positioners.
    streams : Streams
        For the draw.

    Returns
    -------
    bool[n]

    Raises
    ------
    WstdesError
        A fraction not in 0 to 1, or a number of no positioner: the line and what stands there.
    """
    mask = np.zeros(n_fibres, dtype=np.bool_)
    if given is None:
        return mask
    if isinstance(given, int | float):
        if not 0.0 <= given <= 1.0:
            raise WstdesError(f"{what}: the fraction {given} is not in 0 to 1")
        draw = streams("allocate", what).permutation(n_fibres)
        mask[draw[: round(given * n_fibres)]] = True
        return mask
    entries = _lines(what, Path(given)) if isinstance(given, str | Path) else _items(what, given)
    for place, text in entries:
        if not text.isdigit() or int(text) >= n_fibres:
            raise WstdesError(
                f"{place}: '{text}' is no positioner; they are numbered 0 to {n_fibres - 1}"
            )
        mask[int(text)] = True
    return mask


def _items(what: str, given: Any) -> list[tuple[str, str]]:
    return [(f"{what}, item {i + 1}", str(item)) for i, item in enumerate(np.ravel(given))]


def _lines(what: str, path: Path) -> list[tuple[str, str]]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise WstdesError(
            f"{what}: cannot read '{path}': {error}; give a fraction, or a file with the number "
            "of a positioner a line"
        ) from None
    bare = ((f"{path}:{i}", line.partition("#")[0].strip()) for i, line in enumerate(lines, 1))
    return [(place, text) for place, text in bare if text]
