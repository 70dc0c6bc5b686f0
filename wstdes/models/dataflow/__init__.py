"""Data flow: how bandwidth is shared."""

from wstdes.models.dataflow.sharing import max_min_rates

__all__ = ["max_min_rates"]
