"""How a target of opportunity breaks in."""

from __future__ import annotations

from typing import Annotated, Literal, Protocol

from pydantic import Field

from wstdes.config.base import Model
from wstdes.policies.base import NoOptions, Policy
from wstdes.policies.views import AlertView

__all__ = ["AlertPolicy", "ByClass", "InsertOnly", "Response"]

Response = Literal["insert", "switch", "abort"]


class AlertPolicy(Protocol):
    """Decides how to respond to an alert that can be observed now."""

    def respond(self, alert: AlertView) -> Response:
        """Insert a fibre at a next field, switch when the exposure ends, or abort it."""


class ByClassOptions(Model):
    """Options of :class:`ByClass`."""

    minimum_rate: Annotated[
        float, Field(ge=0, description="effective over open time below which nothing interrupts")
    ] = 0.25


class ByClass(Policy[ByClassOptions]):
    """Each alert gets what its class is owed, where the sky is good enough for a spectrum."""

    Options = ByClassOptions

    def respond(self, alert: AlertView) -> Response:
        """Return the response of the class."""
        if alert.rate < self.options.minimum_rate:
            return "insert"
        if alert.response == "abort":
            return "abort"
        return "switch" if alert.response == "switch" else "insert"


class InsertOnly(Policy[NoOptions]):
    """No alert interrupts anything: the surveys' yardstick."""

    def respond(self, alert: AlertView) -> Response:
        """Return 'insert', whatever the class."""
        return "insert"
