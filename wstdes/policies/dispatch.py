"""What the battery does."""

from __future__ import annotations

from typing import Protocol

from wstdes.policies.base import NoOptions, Policy
from wstdes.policies.views import PowerView

__all__ = ["BatteryIdle", "DispatchPolicy", "SelfConsumption"]


class DispatchPolicy(Protocol):
    """Decides the battery's power."""

    def battery_w(self, view: PowerView) -> float:
        """Return the power into the battery [W]; negative when it gives."""


class SelfConsumption(Policy[NoOptions]):
    """Solar surplus charges the battery; the battery covers what the Sun does not."""

    def battery_w(self, view: PowerView) -> float:
        """Return the surplus, within the battery's limits."""
        surplus = view.solar_w - view.load_w
        return max(-view.discharge_limit_w, min(view.charge_limit_w, surplus))


class BatteryIdle(Policy[NoOptions]):
    """The battery does nothing: the yardstick."""

    def battery_w(self, view: PowerView) -> float:
        """Return 0."""
        return 0.0
