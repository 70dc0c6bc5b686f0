"""When a copy outside the archive is deleted."""

from __future__ import annotations

from typing import Annotated, Protocol

from pydantic import Field

from wstdes.config.base import Model
from wstdes.policies.base import NoOptions, Policy
from wstdes.policies.views import ProductView
from wstdes.units import Seconds

__all__ = ["AfterProcessing", "Forever", "RetentionPolicy"]


class RetentionPolicy(Protocol):
    """Says when a copy may go."""

    def release_s(self, product: ProductView) -> float | None:
        """Return the time from which the copy may be deleted; None: not yet known."""


class AfterProcessingOptions(Model):
    """Options of :class:`AfterProcessing`."""

    keep_s: Annotated[Seconds, Field(ge=0, description="time a copy stays after its use")] = 0.0


class AfterProcessing(Policy[AfterProcessingOptions]):
    """Copies go some time after the archive has the data and no job needs them."""

    Options = AfterProcessingOptions

    def release_s(self, product: ProductView) -> float | None:
        """Return the end of use plus the time to keep."""
        if product.needed or product.work_done_s is None:
            return None
        if product.wants_archive and not product.archived:
            return None
        return product.work_done_s + self.options.keep_s


class Forever(Policy[NoOptions]):
    """Nothing is deleted."""

    def release_s(self, product: ProductView) -> float | None:
        """Return None: never."""
        return None
