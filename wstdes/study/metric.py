"""What a metric is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from wstdes.study.run import Run

__all__ = ["Metric", "MetricFunction"]


@dataclass(frozen=True)
class Metric:
    """A number, its unit, and what it means.

    Parameters
    ----------
    name : str
        Key in the summary.
    value : float or int or None
        None where there is nothing to measure.
    unit : str
        Unit, or nothing.
    meaning : str
        For somebody who sees it for the first time.
    headline : bool
        Whether it opens the report.
    """

    name: str
    value: float | int | None
    unit: str
    meaning: str
    headline: bool = False


MetricFunction = Callable[[Run], Iterator[Metric]]
