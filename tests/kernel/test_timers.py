"""Timers: set anew or cancelled, the former time is forgotten."""

from __future__ import annotations

from collections.abc import Generator

import pytest
import simpy
from hypothesis import given
from hypothesis import strategies as st

from wstdes.kernel import Afterwards, Signal, Timer


def test_a_timer_rings_once_at_its_time() -> None:
    env = simpy.Environment(initial_time=100.0)
    rung: list[float] = []
    Timer(env, lambda: rung.append(env.now)).set(130.0)
    env.run(until=1000.0)
    assert rung == [130.0]


@pytest.mark.parametrize("later", [5.0, 50.0])
def test_a_timer_set_anew_forgets_the_former_time(later: float) -> None:
    env = simpy.Environment()
    rung: list[float] = []
    timer = Timer(env, lambda: rung.append(env.now))
    timer.set(20.0)
    timer.set(later)
    env.run(until=100.0)
    assert rung == [later]


def test_a_cancelled_timer_does_not_ring_and_can_be_set_again() -> None:
    env = simpy.Environment()
    rung: list[float] = []
    timer = Timer(env, lambda: rung.append(env.now))
    timer.set(20.0)
    timer.cancel()
    env.run(until=30.0)
    assert rung == []
    timer.set(40.0)
    env.run(until=100.0)
    assert rung == [40.0]


def test_a_time_in_the_past_is_now() -> None:
    env = simpy.Environment(initial_time=10.0)
    rung: list[float] = []
    Timer(env, lambda: rung.append(env.now)).set(3.0)
    env.run(until=11.0)
    assert rung == [10.0]


def test_a_timer_can_set_itself_again_when_it_rings() -> None:
    env = simpy.Environment()
    rung: list[float] = []

    def ring() -> None:
        rung.append(env.now)
        timer.set(env.now + 10.0)

    timer = Timer(env, ring)
    timer.set(10.0)
    env.run(until=55.0)
    assert rung == [10.0, 20.0, 30.0, 40.0, 50.0]


ACTION = st.tuples(st.integers(0, 50), st.integers(0, 4), st.one_of(st.none(), st.integers(0, 60)))


@given(actions=st.lists(ACTION, max_size=30))
def test_many_timers_ring_as_a_plain_simulation_of_them_says(
    actions: list[tuple[int, int, int | None]],
) -> None:
    """At odd times a timer is set (to an even time) or cancelled; the last order counts."""
    actions = sorted(actions, key=lambda a: a[0])
    env = simpy.Environment()
    rung: list[tuple[float, int]] = []

    def bell(number: int) -> Timer:
        return Timer(env, lambda: rung.append((env.now, number)))

    timers = [bell(number) for number in range(5)]

    def script() -> simpy.events.ProcessGenerator:
        for at, number, until in actions:
            yield env.timeout(max(0.0, 2.0 * at + 1.0 - env.now))
            if until is None:
                timers[number].cancel()
            else:
                timers[number].set(env.now + 2.0 * until + 1.0)

    env.process(script())
    env.run(until=10000.0)

    expected: list[tuple[float, int]] = []
    for number in range(5):
        due: float | None = None
        for at, who, until in actions:
            now = 2.0 * at + 1.0
            if who != number:
                continue
            if due is not None and due < now:
                expected.append((due, number))
            due = None if until is None else now + 2.0 * until + 1.0
        if due is not None:
            expected.append((due, number))
    assert sorted(rung) == sorted(expected)


def test_a_signal_wakes_all_who_wait_and_only_them() -> None:
    env = simpy.Environment()
    signal = Signal(env)
    woken: list[tuple[str, float]] = []

    def wait(name: str, times: int) -> simpy.events.ProcessGenerator:
        for _ in range(times):
            yield signal.wait()
            woken.append((name, env.now))

    env.process(wait("a", 1))
    env.process(wait("b", 2))
    signal.fire()  # before they have started to wait: nobody hears it
    for at in (5.0, 7.0, 9.0):
        event = env.timeout(at)
        assert event.callbacks is not None
        event.callbacks.append(lambda _: signal.fire())
    env.run(until=20.0)
    assert woken == [("a", 5.0), ("b", 5.0), ("b", 7.0)]


def test_afterwards_comes_once_after_all_else_of_its_moment() -> None:
    env = simpy.Environment()
    heard: list[str] = []
    last = Afterwards(env, lambda: heard.append(f"last {env.now:g}"))

    def first() -> Generator[simpy.Event, None, None]:
        for _ in range(2):
            yield env.timeout(5.0)
            heard.append("first")
            last.ask()
            last.ask()
            yield env.timeout(0.0)
            heard.append("more")
            last.ask()

    env.process(first())
    env.run()
    assert heard == ["first", "more", "last 5", "first", "more", "last 10"]


def test_a_timer_set_to_the_time_it_has_is_one_event() -> None:
    env = simpy.Environment()
    heard: list[float] = []
    timer = Timer(env, lambda: heard.append(env.now))
    for _ in range(3):
        timer.set(4.0)
    assert len(env._queue) == 1
    timer.cancel()
    timer.set(4.0)
    env.run()
    timer.set(4.0)  # that time is past: now
    env.run()
    assert heard == [4.0, 4.0]
