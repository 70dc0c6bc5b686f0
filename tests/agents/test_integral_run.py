"""The integral field's own clock: when it goes on, and when it ends."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import simpy

from wstdes.agents.integral import IntegralRun
from wstdes.facility import build, load
from wstdes.kernel import Signal


class Shutter:
    """Keeps what was exposed."""

    def __init__(self, env: simpy.Environment) -> None:
        self.env, self.rows = env, list[tuple[float, float]]()

    def close(self, mode: str, begin: float, end: float, *_: Any) -> simpy.Event:
        assert mode == "ifs"
        self.rows.append((begin, end))
        return self.env.timeout(30.0)


def exposed(suits: Any, latest_s: float = 1e6) -> list[tuple[float, float]]:
    """Exposures of a field that wants 10,000 s in all, of 1,000 s at most."""
    env = simpy.Environment()
    current = SimpleNamespace(open=True)
    dome: Any = SimpleNamespace(
        weather=SimpleNamespace(closing=Signal(env), current=current),
        telescope=SimpleNamespace(failed=Signal(env), working=True),
    )
    shutter: Any = Shutter(env)

    def wanted_s() -> float:
        return 10_000.0 - float(sum(end - begin for begin, end in shutter.rows))

    IntegralRun(env, dome, shutter, 1000.0, 120.0, wanted_s, suits, latest_s, "work", 0, 0)
    env.run()
    return list(shutter.rows)


def test_it_takes_no_exposure_in_a_sky_that_its_survey_does_not_want() -> None:
    """The Moon rises at 3,500 s: exposures with their middle before that are taken, and the first,
    for which the visit was made."""
    assert len(exposed(lambda t_s: True)) >= 10
    dark = exposed(lambda t_s: t_s < 3500.0)
    assert 0.5 * sum(dark[-1]) < 3500.0 < dark[-1][1] + 1000.0
    assert len(exposed(lambda t_s: False)) == 1


def test_it_ends_when_it_has_to() -> None:
    assert exposed(lambda t_s: True, latest_s=2500.0)[-1][1] == pytest.approx(2500.0)


def test_a_visit_for_the_integral_field_alone_ends_with_it() -> None:
    """Open-shutter time is of exposures, and no night is spent on fields that have enough."""
    others = ("cosmo-wide", "cosmo-deep", "milky-way", "bright-stars-hr", "time-domain")
    facility = build(
        load(
            "small",
            overrides=[
                "nights=1",
                f"site.open_fraction={[1.0] * 12}",
                "telescope.fault_interval=1000000 h",
                "quality.defect_fraction=0",
                "surveys.ifs-fields.required=20 min",
                "surveys.ifs-fields.visit_effective=20 min",
                *(f"surveys.{name}=null" for name in others),
                "alerts=null",
            ],
        )
    )
    tables = facility.simulate_day(facility.new_states(), 0)
    exposures = tables["exposures"].to_pylist()
    visits = tables["visits"].to_pylist()
    exposed_s = sum(row["open_shutter_s"] for row in exposures)
    assert exposed_s <= sum(row["open_shutter_s"] for row in visits) < 1.03 * exposed_s
    [progress] = tables["progress"].to_pylist()
    assert progress["completed"] > 15
