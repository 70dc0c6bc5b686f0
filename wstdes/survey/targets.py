"""Targets, and the sources they come from.

Surveys have hundreds of millions of targets and a run needs a field of them at a time, so every
source answers by field and by *cell* (:mod:`wstdes.survey.cells`). A target has a home cell and a
number in it, always the same ones, so that the progress of a survey can be kept elsewhere.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "ExposureLaw",
    "ExposureTimes",
    "InField",
    "TargetSource",
    "Targets",
    "required_times",
]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

ExposureLaw = float | Callable[[FloatArray], FloatArray]
"""An exposure time [s] for all, or a function of the magnitudes that gives one for each."""

_COLUMNS = {
    "id": np.int64,
    "ra_rad": np.float64,
    "dec_rad": np.float64,
    "magnitude": np.float32,
    "required_s": np.float32,
    "pm_ra_rad_per_yr": np.float32,
    "pm_dec_rad_per_yr": np.float32,
}


@dataclass(frozen=True, eq=False)
class Targets:
    """A table of targets, one array a column.

    Parameters
    ----------
    id : int64[n]
        Identifier, unique within its source.
    ra_rad, dec_rad : float64[n]
        ICRS position at the source's own epoch (``TargetSource.epoch_yr``) [rad].
    magnitude : float32[n]
        In the source's own band.
    required_s : float32[n]
        Effective exposure time needed [s].
    pm_ra_rad_per_yr, pm_dec_rad_per_yr : float32[n]
        Proper motion [rad/yr]; the first is mu_alpha* = mu_alpha cos(dec).

    Raises
    ------
    ValueError
        If the columns differ in length or in type.
    """

    id: IntArray
    ra_rad: FloatArray
    dec_rad: FloatArray
    magnitude: NDArray[np.float32]
    required_s: NDArray[np.float32]
    pm_ra_rad_per_yr: NDArray[np.float32]
    pm_dec_rad_per_yr: NDArray[np.float32]

    def __post_init__(self) -> None:
        shape = (len(self.id),)
        for name, kind in _COLUMNS.items():
            column = getattr(self, name)
            if column.shape != shape or column.dtype != kind:
                raise ValueError(
                    f"Targets.{name} is {column.dtype}{list(column.shape)}, "
                    f"not {np.dtype(kind)}{list(shape)}"
                )

    def __len__(self) -> int:
        return len(self.id)

    def take(self, index: NDArray[np.int64] | NDArray[np.bool_] | slice) -> Targets:
        """Return the targets at `index` (positions, a mask or a slice), in that order."""
        return Targets(*(getattr(self, name)[index] for name in _COLUMNS))

    @staticmethod
    def concatenate(parts: Sequence[Targets]) -> Targets:
        """Join tables end to end; no parts give an empty table."""
        if not parts:
            return Targets.empty()
        return Targets(*(np.concatenate([getattr(p, name) for p in parts]) for name in _COLUMNS))

    @staticmethod
    def empty() -> Targets:
        """Return a table without targets."""
        return Targets(*(np.zeros(0, dtype=kind) for kind in _COLUMNS.values()))


@runtime_checkable
class TargetSource(Protocol):
    """Where targets come from; whether they are real, and whom to thank."""

    @property
    def name(self) -> str:
        """What the user calls this source."""

    @property
    def is_mock(self) -> bool:
        """Whether these targets were made up."""

    @property
    def credit(self) -> str:
        """Who to credit, and under which licence."""

    @property
    def epoch_yr(self) -> float:
        """Julian year of the positions."""

    def cell(self, pixel: int) -> Targets:
        """Return the targets in a cell, always the same ones in the same order."""

    def count(self, pixel: int) -> int:
        """Return how many targets :meth:`cell` gives."""

    def field(self, ra_rad: float, dec_rad: float, tangent: float, year: float) -> InField:
        """Return the targets in a field, where they are in a year.

        Parameters
        ----------
        ra_rad, dec_rad : float
            Centre of the field, ICRS [rad].
        tangent : float
            Of the field's radius.
        year : float
            Julian year.
        """

    def density_per_sr(self, ra_rad: FloatArray, dec_rad: FloatArray) -> FloatArray:
        """Return the expected surface density [1/sr] at each position, to plan with."""


@dataclass(frozen=True, eq=False)
class InField:
    """The targets of a source that a field sees, one array a column.

    Parameters
    ----------
    pixel, index : int64[n]
        Home cell, and number in it: what progress is kept by. The home of a mock galaxy is the
        cell of its cluster, which may be the neighbour of the cell it is seen in.
    xi, eta : float64[n]
        On the tangent plane, to the east and to the north; times the plate scale they are metres.
    required_s : float32[n]
        Effective exposure time needed [s].
    rank : float32[n] or None
        Rank within the source, 0 to 1; None: all alike.
    sizes : dict of int to int
        By home cell: one more than the greatest number that a target can have.
    """

    pixel: IntArray
    index: IntArray
    xi: FloatArray
    eta: FloatArray
    required_s: NDArray[np.float32]
    rank: NDArray[np.float32] | None
    sizes: dict[int, int]

    def __len__(self) -> int:
        return len(self.pixel)

    @staticmethod
    def empty() -> InField:
        """Return a field without targets."""
        none = np.zeros(0, dtype=np.int64)
        place = np.zeros(0)
        return InField(none, none, place, place, np.zeros(0, dtype=np.float32), None, {})

    def take(self, mask: NDArray[np.bool_]) -> InField:
        """Return those of a mask."""
        return InField(
            self.pixel[mask],
            self.index[mask],
            self.xi[mask],
            self.eta[mask],
            self.required_s[mask],
            None if self.rank is None else self.rank[mask],
            self.sizes,
        )


class ExposureTimes:
    """An exposure law, worked out once between two magnitudes.

    Parameters
    ----------
    law : float or callable
        Time [s], or a function of magnitudes that gives it, and is tabulated each 1/512 mag: an
        exponential law comes back to 1e-5, a step is smeared over that.
    bright, faint : float
        Limits of the magnitudes.

    Raises
    ------
    ValueError
        If a time is not positive and finite.
    """

    def __init__(self, law: ExposureLaw, bright: float, faint: float) -> None:
        number = math.ceil((faint - bright) * 512) + 2 if callable(law) else 2
        self._magnitude = np.linspace(bright, faint, number)
        self._time_s = required_times(law, self._magnitude).astype(np.float64)
        self._same = None if callable(law) else np.float32(self._time_s[0])
        self.longest_s = float(self._time_s.max())

    @property
    def need_magnitudes(self) -> bool:
        """Whether times differ."""
        return self._same is None

    def of(self, magnitude: NDArray[Any]) -> NDArray[np.float32]:
        """Times [s] of targets, float32 of the shape of `magnitude`."""
        if self._same is not None:
            return np.full(len(magnitude), self._same)
        times: NDArray[np.float64] = np.interp(magnitude, self._magnitude, self._time_s)
        return times.astype(np.float32)


def required_times(law: ExposureLaw, magnitude: FloatArray) -> NDArray[np.float32]:
    """Return the exposure time each target needs [s], float32[n].

    Raises
    ------
    ValueError
        If a time is not positive and finite.
    """
    times = np.broadcast_to(np.asarray(law(magnitude) if callable(law) else law), magnitude.shape)
    if not np.all(np.isfinite(times) & (times > 0.0)):
        raise ValueError("required_s must be positive and finite")
    return times.astype(np.float32)
