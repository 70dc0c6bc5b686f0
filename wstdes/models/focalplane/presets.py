"""A focal plane from its hardware model: the one way to build it, in a scenario and alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from wstdes.models.focalplane.arms import Arms, ArmShape, capsule
from wstdes.models.focalplane.layout import HR, FocalPlane, hexagonal_layout
from wstdes.models.focalplane.petals import cobras_layout, echidna_layout, petals_layout

if TYPE_CHECKING:
    import numpy.typing as npt

    from wstdes.config.focal_plane import FocalPlaneModel

__all__ = ["focal_plane", "load_focal_plane"]


def focal_plane(
    model: FocalPlaneModel,
    *,
    hole_radius_m: float | None = None,
    spectrographs_lr: int | None = None,
    spectrographs_hr: int | None = None,
) -> FocalPlane:
    """Build the focal plane that a hardware model describes.

    Parameters
    ----------
    model : FocalPlaneModel
        Numbers, pitch, arms and layout.
    hole_radius_m : float, optional
        Radius of the central hole [m]; by default the model's own. Only the layout ``hexagonal``
        has one.
    spectrographs_lr, spectrographs_hr : int, optional
        Number of spectrographs; by default the model's own.

    Returns
    -------
    FocalPlane
        With arms where the model has their outlines.

    Raises
    ------
    ConfigError
        If the numbers cannot be built: the model's key and what is wrong with it.
    """
    from wstdes.errors import ConfigError, Problem

    n_lr = model.spectrographs_lr if spectrographs_lr is None else spectrographs_lr
    n_hr = model.spectrographs_hr if spectrographs_hr is None else spectrographs_hr
    hole_m = model.hole_radius_m if hole_radius_m is None else hole_radius_m
    try:
        plane = _positions(model, hole_m, n_lr, n_hr)
    except ValueError as error:
        raise ConfigError([Problem(str(error), "focal_plane")]) from None
    return replace(plane, arms=_arms(model, plane.kind)) if model.has_arms else plane


def load_focal_plane(
    name: str | Path, overrides: Sequence[str] = ()
) -> tuple[FocalPlane, FocalPlaneModel]:
    """Read a hardware model by its name and build its focal plane.

    Parameters
    ----------
    name : str or pathlib.Path
        A shipped model (``wst-2026``, ``desi``, ``4most``, ``pfs``, ...) or a YAML file.
    overrides : sequence of str, optional
        ``key=value``, laid over it: ``"pitch=6.5 mm"``.

    Returns
    -------
    FocalPlane
    FocalPlaneModel

    Raises
    ------
    ConfigError
        Everything that is wrong with it, at once.
    """
    from wstdes.config.focal_plane import FocalPlaneModel
    from wstdes.config.part import load_hardware

    model = load_hardware(FocalPlaneModel, name, overrides)
    return focal_plane(model), model


def _positions(
    model: FocalPlaneModel, hole_m: float, spectrographs_lr: int, spectrographs_hr: int
) -> FocalPlane:
    n_lr, n_hr = model.lr_fibres, model.hr_fibres
    if model.layout in {"petals", "cobras"}:
        if n_hr:
            raise ValueError(f"the layout '{model.layout}' has LR fibres alone, not {n_hr} for HR")
        if spectrographs_lr < 1 or (model.layout == "petals" and n_lr % spectrographs_lr):
            raise ValueError(f"{n_lr} fibres cannot feed {spectrographs_lr} spectrographs alike")
    if model.layout == "petals":
        return petals_layout(
            petals=spectrographs_lr,
            n_petal=n_lr // spectrographs_lr,
            pitch_m=model.pitch_m,
            patrol_m=model.reach_lr_m,
        )
    if model.layout == "cobras":
        long_row = (model.module_size + 1) // 2
        sectors = n_lr // (3 * model.module_size)
        if 3 * sectors * model.module_size != n_lr or 2 * long_row - 1 != model.module_size:
            raise ValueError(
                f"three sectors of modules of {model.module_size} (an odd number) cannot have "
                f"{n_lr} cobras"
            )
        return cobras_layout(
            pitch_m=model.pitch_m,
            patrol_m=model.reach_lr_m,
            spectrographs=spectrographs_lr,
            rows=sectors,
            long_row=long_row,
        )
    if model.layout == "echidna":
        return echidna_layout(
            n_lr=n_lr,
            n_hr=n_hr,
            pitch_m=model.pitch_m,
            patrol_lr_m=model.reach_lr_m,
            patrol_hr_m=model.reach_hr_m,
            spectrographs_lr=spectrographs_lr,
            spectrographs_hr=spectrographs_hr,
            module_size=model.module_size,
        )
    return hexagonal_layout(
        n_lr=n_lr,
        n_hr=n_hr,
        pitch_m=model.pitch_m,
        patrol_lr_m=model.reach_lr_m,
        patrol_hr_m=model.reach_hr_m,
        hole_radius_m=hole_m,
        spectrographs_lr=spectrographs_lr,
        spectrographs_hr=spectrographs_hr,
        module_size=model.module_size,
    )


def _arms(model: FocalPlaneModel, kind: npt.NDArray[np.int8]) -> Arms:
    """Arms of all positioners; shape 0 is that of LR arms and shape 1 that of HR arms."""
    hr = kind == HR
    spine = model.layout == "echidna"
    lengths = [(model.theta_lr_m, model.phi_lr_m), (model.theta_hr_m, model.phi_hr_m)]
    theta, phi = (np.where(hr, lengths[1][i], lengths[0][i]) for i in (0, 1))
    shapes = tuple(_shape(model, *pair, spine=spine) for pair in lengths[: 1 + int(hr.any())])
    n = len(kind)
    return Arms(
        theta_m=theta,
        phi_m=phi,
        shape=(hr if len(shapes) > 1 else np.zeros(n)).astype(np.int16),
        shapes=shapes,
        spine=spine,
        theta_zero_rad=np.zeros(n),
        theta_range_rad=np.tile(model.theta_range_rad, (n, 1)),
        phi_range_rad=np.tile(model.phi_range_rad, (n, 1)),
    )


def _shape(model: FocalPlaneModel, theta_m: float, phi_m: float, *, spine: bool) -> ArmShape:
    def outline(
        x: tuple[float, ...], y: tuple[float, ...], length_m: float, half_m: float
    ) -> npt.NDArray[np.float64]:
        return np.column_stack((x, y)) if x else capsule(length_m, half_m)

    arm, tip = model.theta_half_width_m, model.phi_half_width_m
    phi = outline(model.phi_outline_x_m, model.phi_outline_y_m, 0.0 if spine else phi_m, tip)
    if spine:
        return ArmShape(np.zeros((0, 2)), phi)
    return ArmShape(outline(model.theta_outline_x_m, model.theta_outline_y_m, theta_m, arm), phi)
