"""What alerts waited for: a night by hand, and steps that add up whatever the night was."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wstdes.agents.tables import TABLES
from wstdes.study.alerts import STEPS, alert_price, alert_steps

SCHEMAS = {table.name: table.schema() for table in TABLES}
NIGHT = (
    (0, 100, "science", 1),
    (100, 120, "readout", 1),
    (120, 200, "weather", None),
    (200, 230, "slew", 2),
    (230, 250, "reconfiguration", 2),
    (250, 300, "acquisition", 2),
    (300, 310, "standard", 2),
    (310, 400, "science", 2),
    (400, 420, "readout", 2),
    (420, 500, "science", 2),
)


def table(name: str, rows: list[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(rows, schema=SCHEMAS[name])


def time_use(rows: tuple[tuple[Any, ...], ...] = NIGHT) -> pa.Table:
    names = ("start_s", "end_s", "state", "visit")
    return table("time_use", [dict(zip(names, row, strict=True)) for row in rows])


def alert(**times: float | None) -> dict[str, Any]:
    return {"alert": 0, "outcome": "observed", **{f"{k}_s": v for k, v in times.items()}}


def test_a_night_by_hand() -> None:
    row = alert(asked=10.0, possible=40.0, decided=200.0, shutter_open=420.0, shutter_close=500.0,
                quicklook=650.0)  # fmt: skip
    found = alert_steps(table("alerts", [row]), time_use())
    expected = [30.0, 80.0, 80.0, 0.0, 50.0, 60.0, 110.0, 80.0, 150.0]
    assert [found[s][0] for s in STEPS] == pytest.approx(expected)
    day = row | {"asked_s": -900.0, "possible_s": -500.0}
    found = alert_steps(table("alerts", [day]), time_use())
    assert found["other work, and days"][0] == pytest.approx(500.0)
    assert found["exposures under way"][0] == pytest.approx(120.0)


def test_one_that_was_not_observed_has_no_steps() -> None:
    row = alert(asked=10.0, possible=40.0) | {"outcome": "expired"}
    found = alert_steps(table("alerts", [row]), time_use())
    assert all(np.isnan(v).all() for v in found.values())


@given(
    st.lists(st.tuples(st.floats(0, 50), st.floats(0.1, 90), st.sampled_from(
        ["science", "readout", "weather", "fault", "slew", "idle", "calibration"])),
        min_size=1, max_size=12),
    st.lists(st.floats(0, 800), min_size=6, max_size=6),
)  # fmt: skip
def test_steps_add_up_and_none_is_negative(
    use: list[tuple[float, float, str]], moments: list[float]
) -> None:
    ends = np.cumsum([gap + length for gap, length, _ in use])
    rows = tuple((end - length, end, state, None)
                 for end, (_, length, state) in zip(ends, use, strict=True))  # fmt: skip
    names = ("asked", "possible", "decided", "shutter_open", "shutter_close", "quicklook")
    times = dict(zip(names, sorted(moments), strict=True))
    found = alert_steps(table("alerts", [alert(**times)]), time_use(rows))
    assert sum(found[s][0] for s in STEPS) == pytest.approx(times["quicklook"] - times["asked"])
    assert min(found[s][0] for s in STEPS) > -1e-6


def test_the_price_of_alerts_is_counted_from_the_tables() -> None:
    visits = [
        {"visit": 1, "reason": "survey", "interrupted_by": "alert", "open_shutter_s": 100.0,
         "planned_open_s": 350.0},
        {"visit": 2, "reason": "abort", "interrupted_by": "", "open_shutter_s": 170.0,
         "planned_open_s": 170.0},
        {"visit": 3, "reason": "survey", "interrupted_by": "weather", "open_shutter_s": 0.0,
         "planned_open_s": 900.0},
    ]  # fmt: skip
    fibres = [
        {"visit": v, "mode": "lr", "unassigned": free} for v, free in ((1, 0), (2, 0), (3, 9))
    ]
    given = [{"visit": v, "survey": "fast", "mode": "lr", "assigned": n}
             for v, n in ((1, 2), (2, 1), (3, 4))]  # fmt: skip
    tables = {
        "visits": table("visits", visits),
        "time_use": time_use(),
        "fibres": table("fibres", fibres),
        "assignments": table("assignments", given),
    }
    survey = SimpleNamespace(source=SimpleNamespace(kind="alerts"), mode="lr")
    scenario = SimpleNamespace(surveys={"fast": survey})
    run: Any = SimpleNamespace(scenario=scenario, table=lambda name: tables[name])
    price = alert_price(run)
    assert (price.visits, price.night_s, price.open_s) == (1, 300.0, 170.0)
    assert (price.interrupted, price.lost_s) == (1, 250.0)
    assert (price.fibres, price.displaced) == (6, 2)
