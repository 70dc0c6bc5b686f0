"""What the surveys have got: one interface for both fidelities.

``full`` keeps a state a target; ``statistical`` expected numbers by pieces of sky. Whoever makes
visits asks for a configuration, says what effective time it gave, and takes it back where quality
control says no.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["Account", "Totals"]


@dataclass(frozen=True)
class Totals:
    """Sums of a survey.

    Parameters
    ----------
    observed : float
        Exposures of targets that count.
    completed, started : float
        Targets with all, and with some, of the time they need.
    effective_s : float
        Effective time given to all of them [s].
    """

    observed: float
    completed: float
    started: float
    effective_s: float


class Account(Protocol):
    """The account with the surveys that fibres serve."""

    @property
    def remaining(self) -> NDArray[np.float64]:
        """Unfinished targets in each tile, shape (tiles, surveys of the account)."""

    def credit(self, claim: Any, kind: int, effective_s: NDArray[np.float64]) -> None:
        """Give the targets of a visit effective time.

        Parameters
        ----------
        claim
            Who has a fibre; made when the visit was configured.
        kind : int
            LR or HR: only these fibres were exposed.
        effective_s : ndarray of float64, shape (surveys of the account,)
            What each survey's targets of this kind get [s].
        """

    def undo(self, claim: Any, kind: int, effective_s: NDArray[np.float64]) -> None:
        """Take back what :meth:`credit` gave."""

    def totals(self, survey: int) -> Totals:
        """Where a survey stands."""
