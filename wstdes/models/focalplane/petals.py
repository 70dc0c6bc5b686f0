"""The focal planes of other facilities: DESI's petals, PFS's cobras, 4MOST's spines.

Pitch, numbers and arrangement are published; where the last robot of a petal stands and which
fibre follows which on a slit are not, and are assumed here.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from wstdes.models.focalplane.layout import HR, LR, FocalPlane, _kinds, _patches
from wstdes.models.focalplane.modules import slit_positions

if TYPE_CHECKING:
    pass

__all__ = ["cobras_layout", "echidna_layout", "petals_layout"]

_ROW = math.sqrt(0.75)
"""Distance of the rows of a hexagonal lattice, in pitches."""


def petals_layout(*, petals: int, n_petal: int, pitch_m: float, patrol_m: float) -> FocalPlane:
    """Wedges with a spectrograph each, as in DESI (Silber et al. 2023, AJ 165, 9).

    Every petal is the same hexagonal lattice, symmetric about the petal's middle, filled
    outwards. A positioner is half a pitch or more from the petal's edges, so that those of two
    petals are never nearer than a pitch. DESI's lattice is bent over a sphere and leaves room for
    guide cameras and fiducials, so single robots stand elsewhere (assumed).

    Parameters
    ----------
    petals : int
        Number of petals (and of spectrographs): three or more.
    n_petal : int
        Fibres of a petal.
    pitch_m : float
        Distance between neighbours [m].
    patrol_m : float
        Patrol radius [m].

    Returns
    -------
    FocalPlane
        LR fibres alone, numbered petal by petal; ``module`` is the petal. Along a slit they go
        outwards in rings a pitch wide, there and back (assumed).

    Raises
    ------
    ValueError
        If a number is too small or a length not positive.
    """
    if petals < 3 or n_petal < 1:
        raise ValueError(f"three petals or more with a fibre each, not {petals} with {n_petal}")
    _check_lengths(pitch_m=pitch_m, patrol_m=patrol_m)
    half_angle = math.pi / petals
    radius = math.sqrt(n_petal * _ROW / half_angle) + 0.5 / math.sin(half_angle) + 4.0
    axis = np.arange(-math.ceil(radius / _ROW) - 2, math.ceil(radius / _ROW) + 3)
    b, a = (grid.ravel() for grid in np.meshgrid(axis, axis, indexing="ij"))
    x, y = a + 0.5 * b, b * _ROW
    edge = x * math.sin(half_angle) - np.abs(y) * math.cos(half_angle)
    inside = edge >= 0.5 - 1e-9
    x, y, squared = x[inside], y[inside], (a * a + a * b + b * b)[inside]
    chosen = np.lexsort((y, squared))[:n_petal]
    x, y = x[chosen] * pitch_m, y[chosen] * pitch_m

    middle = (2.0 * np.arange(petals) + 1.0) * half_angle
    c, s = np.cos(middle)[:, None], np.sin(middle)[:, None]
    petal = np.repeat(np.arange(petals), n_petal)
    ring = np.floor(np.hypot(x, y) / pitch_m)
    round_ = np.arctan2(y, x) * np.where(ring % 2 == 0, 1.0, -1.0)
    order = np.empty(n_petal, dtype=np.int32)
    order[np.lexsort((round_, ring))] = np.arange(n_petal)
    kind = np.full(len(petal), LR, dtype=np.int8)
    spectrograph = petal.astype(np.int16)
    return FocalPlane(
        (c * x - s * y).ravel(),
        (s * x + c * y).ravel(),
        kind,
        np.full(len(petal), float(patrol_m)),
        spectrograph,
        petal.astype(np.int32),
        slit_positions(kind, spectrograph, np.tile(order, petals)),
    )


def cobras_layout(
    *, pitch_m: float, patrol_m: float, spectrographs: int, rows: int = 14, long_row: int = 29
) -> FocalPlane:
    """Three rhombi of modules of two rows, as in PFS.

    A module has a row of 29 cobras and one of 28 beside it; 14 of them make a sector, three
    sectors around the centre the hexagonal field (ics_cobraOps of the Subaru PFS project; Fisher
    et al. 2012, SPIE 8450, 845017). Together they are a hexagonal lattice without its centre.

    Parameters
    ----------
    pitch_m : float
        Distance between neighbours [m].
    patrol_m : float
        Patrol radius [m].
    spectrographs : int
        Number of spectrographs; each takes a compact patch (assumed).
    rows : int, optional
        Modules of a sector.
    long_row : int, optional
        Cobras of a module's longer row; the other has one less.

    Returns
    -------
    FocalPlane
        LR fibres alone, numbered sector by sector and module by module.

    Raises
    ------
    ValueError
        If a number is too small or a length not positive.
    """
    _check_lengths(pitch_m=pitch_m, patrol_m=patrol_m)
    if rows < 1 or long_row < 2:
        raise ValueError(f"a sector has modules and a module cobras, not {rows} and {long_row}")
    n_module = 2 * long_row - 1
    if not 1 <= spectrographs <= 3 * rows * n_module:
        raise ValueError(f"{3 * rows * n_module} fibres cannot feed {spectrographs} spectrographs")
    # columns to the east; rows go 120 degrees from it, the second of a module one column on
    column = np.concatenate((np.arange(long_row), np.arange(1, long_row)))
    row = np.repeat((1, 2), (long_row, long_row - 1))
    # along the module, from one row to the other
    along = np.argsort(2 * column - row, kind="stable")
    column, row = column[along], row[along]
    u = np.tile(column, rows)
    v = np.tile(row, rows) + 2 * np.repeat(np.arange(rows), n_module)
    x, y = (u - 0.5 * v) * pitch_m, v * _ROW * pitch_m
    turn = 2.0 * np.pi / 3.0 * np.arange(3)[:, None]
    x_m = (np.cos(turn) * x - np.sin(turn) * y).ravel()
    y_m = (np.sin(turn) * x + np.cos(turn) * y).ravel()
    n = len(x_m)
    module = (np.arange(n) // n_module).astype(np.int32)
    spectrograph = _patches(x_m, y_m, spectrographs).astype(np.int16)
    return FocalPlane(
        x_m, y_m, np.full(n, LR, np.int8), np.full(n, float(patrol_m)), spectrograph, module
    )


def echidna_layout(
    *,
    n_lr: int,
    n_hr: int,
    pitch_m: float,
    patrol_lr_m: float,
    patrol_hr_m: float,
    spectrographs_lr: int,
    spectrographs_hr: int,
    module_size: int,
) -> FocalPlane:
    """A hexagon of tilting spines, as in 4MOST.

    Rings of a hexagonal lattice are filled outwards from the first; the centre stays free. With
    28 rings that gives the 2,436 science spines of 4MOST over 2.5 degrees from corner to corner
    (de Jong et al. 2019, The Messenger 175, 3). Every third spine feeds the high-resolution
    spectrograph, and the others alternate between those of low resolution: the published shares
    are thirds, and the lattice has that pattern but for a few spines (that AESOP has it is
    assumed).

    Parameters
    ----------
    n_lr, n_hr : int
        Number of LR and HR fibres; one of them may be zero.
    pitch_m : float
        Distance between neighbours [m].
    patrol_lr_m, patrol_hr_m : float
        Patrol radii [m].
    spectrographs_lr, spectrographs_hr : int
        Number of spectrographs of each kind.
    module_size : int
        Spines of a module; they follow each other along the rows (assumed).

    Returns
    -------
    FocalPlane
        Numbered outwards, ring by ring.

    Raises
    ------
    ValueError
        If there are no fibres, a length is not positive, or a kind that has fibres has no
        spectrograph.
    """
    n = n_lr + n_hr
    if min(n_lr, n_hr) < 0 or n < 1 or module_size < 1:
        raise ValueError(f"fibres and modules are needed, not {n_lr}, {n_hr} and {module_size}")
    _check_lengths(pitch_m=pitch_m)
    half = math.ceil(math.sqrt(n / 3.0)) + 1
    axis = np.arange(-half, half + 1)
    b, a = (grid.ravel() for grid in np.meshgrid(axis, axis, indexing="ij"))
    ring = np.maximum(np.maximum(np.abs(a), np.abs(b)), np.abs(a + b))
    chosen = np.lexsort((a, b, a * a + a * b + b * b, ring))
    chosen = chosen[ring[chosen] > 0][:n]
    a, b = a[chosen], b[chosen]
    kind = _kinds(a, b, n_hr)
    spectrograph = np.zeros(n, dtype=np.int16)
    for which, groups in ((LR, spectrographs_lr), (HR, spectrographs_hr)):
        members = np.flatnonzero(kind == which)
        if len(members) and not 1 <= groups <= len(members):
            raise ValueError(f"{len(members)} fibres cannot feed {groups} spectrographs")
        by_coset = members[np.argsort((a - b)[members] % 3, kind="stable")]
        spectrograph[by_coset] = np.arange(len(members)) * groups // max(len(members), 1)
    rows = np.lexsort((np.where(b % 2 == 0, a, -a), b))
    order = np.empty(n, dtype=np.int32)
    order[rows] = np.arange(n)
    return FocalPlane(
        (a + 0.5 * b) * pitch_m,
        b * (_ROW * pitch_m),
        kind,
        np.where(kind == HR, float(patrol_hr_m), float(patrol_lr_m)),
        spectrograph,
        (order // module_size).astype(np.int32),
        slit_positions(kind, spectrograph, order),
    )


def _check_lengths(**lengths: float) -> None:
    for name, value in lengths.items():
        if not (math.isfinite(value) and value > 0.0):
            raise ValueError(f"{name} must be positive, not {value}")
