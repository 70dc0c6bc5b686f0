"""Shared links against SimGrid's cases and an exact solver: fluid, max-min fair, with latency."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from wstdes.models.dataflow import max_min_rates

CASES = [
    "net01_shared_bottleneck_staggered",
    "net02_parking_lot",
    "net04_rate_caps",
    "net05_capacity_drop_and_recover",
    "net08_latency_single_and_equal",
    "net11_random200",
    "net13_capacity_raise_trap",
]


def finish_times(case: dict[str, Any]) -> dict[str, float]:
    """From event to event: a flow joins after its route's latency, and leaves when it is sent."""
    links = {x["name"]: float(x["bandwidth_Bps"]) for x in case["topology"]["links"]}
    latency = {x["name"]: x["latency_s"] for x in case["topology"]["links"]}
    routes = {(r["src"], r["dst"]): r["links"] for r in case["topology"]["routes"]}
    flows = case["flows"]
    route = [routes[f["src"], f["dst"]] for f in flows]
    weight = [float(f.get("priority", 1.0)) for f in flows]
    joins = [f["start_s"] + sum(latency[k] for k in r) for f, r in zip(flows, route, strict=True)]
    left = [float(f["size_B"]) for f in flows]
    changes = sorted(case["events"], key=lambda e: e["t_s"])
    waiting = sorted(range(len(flows)), key=lambda i: joins[i])
    active: list[int] = []
    done: dict[str, float] = {}
    now = 0.0
    while waiting or active:
        rates = dict(
            zip(
                active,
                max_min_rates(links, [route[i] for i in active], [weight[i] for i in active]),
                strict=True,
            )
        )
        ends = {i: now + left[i] / rates[i] for i in active if rates[i] > 0}
        upcoming = [min(ends.values(), default=math.inf)]
        upcoming += [joins[waiting[0]]] if waiting else []
        upcoming += [changes[0]["t_s"]] if changes else []
        then = min(upcoming)
        for i in active:
            left[i] -= rates[i] * (then - now)
        for i in [i for i in active if ends.get(i, math.inf) <= then]:
            active.remove(i)
            done[flows[i]["name"]] = then
        now = then
        while waiting and joins[waiting[0]] <= now:
            active.append(waiting.pop(0))
        while changes and changes[0]["t_s"] <= now:
            change = changes.pop(0)
            assert change["action"] == "bw"
            links[change["link"]] = float(change["value"])
    return done


@pytest.mark.parametrize("name", CASES)
def test_files_arrive_when_the_exact_solver_says(name: str, reference: Path) -> None:
    case = json.loads((reference / "simgrid" / f"{name}.json").read_text())
    found = finish_times(case)
    exact = {r["name"]: r["finish_s"] for r in case["exact_results"]}
    assert set(found) == set(exact)
    for flow, finish in exact.items():
        assert found[flow] == pytest.approx(finish, rel=1e-9), flow
