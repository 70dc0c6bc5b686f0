"""Which job runs next."""

from __future__ import annotations

from typing import Protocol

from wstdes.policies.base import NoOptions, Policy
from wstdes.policies.views import JobView

__all__ = ["ByRole", "Fifo", "QueuePolicy"]

_ORDER = {"quicklook": 0, "reduction": 1, "products": 2}


class QueuePolicy(Protocol):
    """Orders a queue."""

    def key(self, job: JobView) -> tuple[float, ...]:
        """Return a sort key: the smallest runs first."""


class Fifo(Policy[NoOptions]):
    """First come, first served."""

    def key(self, job: JobView) -> tuple[float, ...]:
        """Return the time of submission."""
        return (job.submitted_s, job.number)


class ByRole(Policy[NoOptions]):
    """Quick look before reduction before products; first come, first served within each."""

    def key(self, job: JobView) -> tuple[float, ...]:
        """Return role and time of submission."""
        return (_ORDER[job.role], job.submitted_s, job.number)
