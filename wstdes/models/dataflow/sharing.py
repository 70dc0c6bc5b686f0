"""How flows share links: weighted max-min fairness."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

__all__ = ["max_min_rates"]


def max_min_rates(
    capacities: Mapping[str, float], routes: Sequence[Sequence[str]], weights: Sequence[float]
) -> list[float]:
    """Rates of fluid flows by progressive filling.

    Parameters
    ----------
    capacities : mapping of str to float
        Of the links [byte/s].
    routes : sequence of sequences of str
        The links that each flow crosses.
    weights : sequence of float
        Share of each flow where it competes; positive.

    Returns
    -------
    list of float
        Rates [byte/s]. No flow can have more without taking it from one whose rate per weight is
        no larger (Bertsekas & Gallager 1992, section 6.5.2). A flow that crosses no link has no
        limit: infinity.
    """
    rates = [float("inf")] * len(routes)
    left = dict(capacities)
    active = {i for i, route in enumerate(routes) if route}
    while active:
        load: dict[str, float] = {}
        for i in sorted(active):
            for link in routes[i]:
                load[link] = load.get(link, 0.0) + weights[i]
        level, bottleneck = min((left[link] / load[link], link) for link in load)
        for i in sorted(i for i in active if bottleneck in routes[i]):
            rates[i] = weights[i] * level
            active.discard(i)
            for link in routes[i]:
                left[link] = max(0.0, left[link] - rates[i])
    return rates
