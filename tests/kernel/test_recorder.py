"""Quantities recorded as intervals: their integral is exact."""

from __future__ import annotations

from functools import partial
from itertools import pairwise

import simpy
from hypothesis import given, settings
from hypothesis import strategies as st

from wstdes.kernel import Column, Recorder, Table, Trace

TABLE = Table(
    "power",
    "an interval",
    (
        Column("start_s", "float", "", "s"),
        Column("end_s", "float", "", "s"),
        Column("value", "float", "", "W"),
        Column("agent", "text", ""),
        Column("site", "text", ""),
    ),
)
CHANGE = st.tuples(
    st.integers(0, 100), st.sampled_from("abc"), st.integers(-5, 5), st.sampled_from(["x", "y"])
)


def recorded(changes: list[tuple[int, str, int, str]], end: float) -> list[dict[str, object]]:
    env = simpy.Environment()
    trace = Trace([TABLE])
    recorder = Recorder(env, trace, "power")
    for at, key, value, site in sorted(changes, key=lambda c: c[0]):
        if at > env.now:
            env.run(until=at)
        recorder.set(key, float(value), agent=key, site=site)
    env.run(until=end)
    recorder.close()
    return trace.flush()["power"].to_pylist()


@given(changes=st.lists(CHANGE, max_size=40))
@settings(max_examples=50)
def test_integrals_equal_a_brute_force_sum_second_by_second(
    changes: list[tuple[int, str, int, str]],
) -> None:
    end = 120
    rows = recorded(changes, end)
    ordered = sorted(changes, key=lambda c: c[0])
    for site in ("x", "y"):
        for key in "abc":
            brute = 0
            for second in range(end):
                last = [c for c in ordered if c[1] == key and c[0] <= second][-1:]
                brute += sum(c[2] for c in last if c[3] == site)
            exact = sum(
                (r["end_s"] - r["start_s"]) * r["value"]  # type: ignore[operator]
                for r in rows
                if r["agent"] == key and r["site"] == site
            )
            assert exact == brute


@given(changes=st.lists(CHANGE, max_size=40))
@settings(max_examples=50)
def test_intervals_of_a_quantity_touch_and_are_never_empty(
    changes: list[tuple[int, str, int, str]],
) -> None:
    rows = recorded(changes, 120)
    for key in "abc":
        mine = sorted((r["start_s"], r["end_s"]) for r in rows if r["agent"] == key)  # type: ignore[type-var]
        assert all(start < end for start, end in mine)  # type: ignore[operator]
        assert all(a[1] == b[0] for a, b in pairwise(mine))
        begun = [c[0] for c in changes if c[1] == key]
        assert (mine[0][0] if mine else None) == min(begun, default=None)
        assert not mine or mine[-1][1] == 120


def test_a_value_set_again_is_one_interval() -> None:
    rows = recorded([(0, "a", 3, "x"), (5, "a", 3, "x"), (9, "a", 3, "x")], 20.0)
    assert [(r["start_s"], r["end_s"]) for r in rows] == [(0.0, 20.0)]


def test_totals_are_of_the_present_values_of_a_site() -> None:
    env = simpy.Environment()
    recorder = Recorder(env, Trace([TABLE]), "power")
    heard: list[str] = []
    for site in "xy":
        recorder.listen(site, partial(heard.append, site))
    recorder.set("a", 3.0, agent="a", site="x")
    recorder.set("b", 4.0, agent="b", site="x")
    recorder.set("c", 5.0, agent="c", site="y")
    assert recorder.total("x") == 7.0
    assert recorder.value("c") == 5.0
    assert recorder.value("nobody") == recorder.total("nowhere") == 0.0
    recorder.set("b", 4.0, agent="b", site="x")  # no change: nobody is told
    recorder.set("b", 4.0, agent="b", site="y")
    assert (recorder.total("x"), recorder.total("y")) == (3.0, 9.0)
    assert heard == ["x", "x", "y", "y"]
    recorder.close()
    assert recorder.total("x") == 0.0
