"""Weights as whole numbers for solvers that know no others, with bounds that stay bounds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["Scaled", "scaled"]

_NEARLY_WHOLE = 1e-9


@dataclass(frozen=True, eq=False)
class Scaled:
    """Whole numbers of which none is less than its weight times the scale, but for the slack.

    Parameters
    ----------
    whole : int64[m]
        The whole numbers.
    scale : float
        Whole numbers per unit of weight.
    slack : float
        By how much a weight times the scale exceeds its whole number at most.
    """

    whole: npt.NDArray[np.int64]
    scale: float
    slack: float

    def bound(self, best: float, number: int) -> float:
        """Upper bound on a sum of at most `number` weights, from that on their whole numbers.

        Parameters
        ----------
        best : float
            No sum of whole numbers is greater.
        number : int
            Most terms of such a sum.

        Returns
        -------
        float
            In units of the weights.
        """
        return float((best + number * self.slack) / self.scale)


def scaled(weight: npt.NDArray[np.float64], limit: int) -> Scaled:
    """Whole numbers up to a limit for weights.

    Whole weights stay as they are, and those of up to six decimals become whole without loss
    (but for the last bit). Others are scaled by a power of two and rounded up: the optimum of the
    whole numbers is then never less than the true one, and their difference, below one part in
    the greatest whole number for each term, shows as a gap.

    Parameters
    ----------
    weight : float64[m]
        Finite, zero or more.
    limit : int
        Greatest whole number wanted.

    Returns
    -------
    Scaled
    """
    most = float(weight.max(initial=0.0))
    if most == 0.0:
        return Scaled(np.zeros(len(weight), dtype=np.int64), 1.0, 0.0)
    for decimals in range(7):
        scale = 10.0**decimals
        if most * scale > limit:
            break
        product = weight * scale
        whole = np.rint(product)
        if np.abs(product - whole).max() <= _NEARLY_WHOLE:
            slack = float(np.maximum(product - whole, 0.0).max())
            last_bit = float(np.spacing(product.max())) if decimals else 0.0
            return Scaled(whole.astype(np.int64), scale, slack + last_bit)
    scale = 2.0 ** np.floor(np.log2(limit / most))
    return Scaled(np.ceil(weight * scale).astype(np.int64), float(scale), 0.0)
