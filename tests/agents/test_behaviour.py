"""What the agents do when something is pushed to its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.compute as pc
import pytest

import wstdes
from wstdes.errors import ConfigError
from wstdes.facility import build, load

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from wstdes.study.run import Run


@pytest.fixture
def small(tmp_path: Path) -> Callable[..., Run]:
    def run(*overrides: str, nights: int = 1) -> Run:
        return wstdes.run("small", nights=nights, out=tmp_path / "run", overrides=overrides)

    return run


def hours(run: Run, state: str) -> float:
    table = run["time_use"].filter(pc.equal(run["time_use"]["state"], state))
    return float(np.sum(table["end_s"].to_numpy() - table["start_s"].to_numpy())) / 3600


def test_a_closed_dome_makes_no_visit_and_no_science_data(small: Callable[..., Run]) -> None:
    run = small(f"site.open_fraction={[0.0] * 12}")
    assert run["visits"].num_rows == 0
    assert run["exposures"].num_rows == 0
    night = run["nights"].to_pylist()[0]
    assert hours(run, "weather") == pytest.approx(
        (night["science_end_s"] - night["science_start_s"]) / 3600
    )
    assert set(run["calibrations"]["kind"].to_pylist()) == {"day"}
    assert run.summary["products_latency_median"]["value"] is None


def test_urgent_alerts_stop_exposures_and_are_answered_in_minutes(
    small: Callable[..., Run],
) -> None:
    run = small("alerts.urgent.rate=14 / d", f"site.open_fraction={[1.0] * 12}")
    visits = run["visits"].to_pylist()
    assert "abort" in [v["reason"] for v in visits]
    assert "alert" in [v["interrupted_by"] for v in visits]
    truncated = run["exposures"].filter(run["exposures"]["truncated"])
    assert truncated.num_rows
    assert pc.max(truncated["open_shutter_s"]).as_py() < run.scenario.observing.exposure_s
    alerts = [a for a in run["alerts"].to_pylist() if a["outcome"] == "observed"]
    urgent = [a for a in alerts if a["alert_class"] == "urgent"]
    assert min(a["shutter_open_s"] - a["possible_s"] for a in urgent) < 8 * 60


def test_under_insert_only_nothing_is_interrupted_for_an_alert(small: Callable[..., Run]) -> None:
    run = small("policies.alerts={use: insert-only}", "alerts.urgent.rate=60 / d")
    assert set(run["visits"]["reason"].to_pylist()) == {"survey"}
    assert "alert" not in run["visits"]["interrupted_by"].to_pylist()


def test_exposures_that_all_fail_leave_the_surveys_where_they_were(
    small: Callable[..., Run],
) -> None:
    run = small("quality.defect_fraction=1.0", "policies.retention.options.keep=0 s")
    assert run["exposures"].num_rows > 0
    judged = run["verdicts"].num_rows
    assert judged == run["exposures"].num_rows
    assert not any(run["verdicts"]["passed"].to_pylist())
    for row in run["progress"].to_pylist():
        assert (row["observed"], row["completed"], row["started"]) == (0, 0, 0)
        assert row["effective_s"] == 0
    assert set(run["jobs"]["stage"].to_pylist()) & {"lr-reduce", "ifs-reduce"} == set()
    assert set(run["jobs"]["role"].to_pylist()) >= {"quicklook"}


def test_a_full_buffer_loses_data_by_name_and_quality_control_says_so(
    small: Callable[..., Run],
) -> None:
    run = small("computing.sites.mountain.capacity=1 GB")
    assert run["exposures"].num_rows > 0
    assert set(run["verdicts"]["reason"].to_pylist()) == {"lost"}
    raw = run["products"].filter(pc.equal(run["products"]["kind"], "raw"))
    assert set(raw["lost_because"].to_pylist()) == {"no room at mountain"}
    assert run.summary["raw_lost"]["value"] == pytest.approx(run.summary["raw_written"]["value"])


def test_faults_cost_the_time_they_should(small: Callable[..., Run]) -> None:
    run = small("telescope.fault_interval=1 h", "telescope.fault_repair=30 min", nights=3)
    assert hours(run, "fault") > 2
    assert "fault" in run["visits"]["interrupted_by"].to_pylist()


def test_an_idle_battery_gives_and_takes_nothing(small: Callable[..., Run]) -> None:
    run = small("policies.dispatch={use: battery-idle}")
    assert set(run["supply"]["battery_w"].to_pylist()) == {0.0}


def test_nothing_is_deleted_under_forever(small: Callable[..., Run]) -> None:
    run = small("policies.retention={use: forever}")
    assert "deleted" not in run["products"]["outcome"].to_pylist()
    levels = run["levels"].to_pandas()
    for _, rows in levels[levels.level == "stored_bytes"].groupby("site"):
        assert (np.diff(rows.sort_values("start_s").value) >= 0).all()


def test_summer_at_the_pole_has_no_night_and_winter_nothing_else(
    small: Callable[..., Run], tmp_path: Path
) -> None:
    south = ["site.latitude=-85 deg", f"site.open_fraction={[1.0] * 12}"]
    with pytest.raises(ConfigError, match="there is no night to observe in"):
        small(*south, "start=2041-12-21")
    winter = wstdes.run(
        "small", nights=2, out=tmp_path / "winter", overrides=[*south, "start=2041-06-21"]
    )
    assert winter["visits"].num_rows > 30
    assert pc.max(winter["time_use"]["end_s"]).as_py() <= 2 * 86400


def test_two_links_in_a_row_are_as_slow_as_the_slower(small: Callable[..., Run]) -> None:
    run = small("network.links.europe-archive.rate=1 Gbit/s", "network.checksum_failure_fraction=0")
    rows = run["transfers"].to_pandas()
    rows = rows[(rows.destination == "archive") & (rows.source == "mountain")]
    least = rows.bytes / (1e9 / 8 * 0.72)
    assert ((rows.end_s - rows.queued_s) >= least - 1e-6).all()
    assert ((rows.end_s - rows.queued_s - least) < 60).any()


def test_a_slower_node_takes_longer_by_its_speed(small: Callable[..., Run], tmp_path: Path) -> None:
    fast = small("calibration.day_frames=0")
    slow = wstdes.run(
        "small",
        nights=1,
        out=tmp_path / "slow",
        overrides=["calibration.day_frames=0", "computing.sites.centre.cpu.speed=2.0"],
    )

    def mean(run: Run) -> float:
        jobs = run["jobs"].to_pandas()
        jobs = jobs[jobs.stage == "lr-reduce"]
        return float((jobs.end_s - jobs.start_s).mean())

    assert mean(slow) == pytest.approx(2 * mean(fast))


GUEST = """
from dataclasses import dataclass
from wstdes.kernel import Agent, Column, Table

@dataclass
class CountState:
    days: int = 0

class Counter(Agent):
    State = CountState
    TABLES = (Table("counts", "a day", (Column("days", "int", "days so far"),)),)

    def __init__(self, day, name, state, parts, options, known):
        super().__init__(day, name, state)
        self.step = options["step"]
        assert known["weather"].name == "weather"

    def close(self):
        self.state.days += self.step
        self.record("counts", days=self.state.days)

class Lowest:
    from wstdes.policies import NoOptions as Options

    def __init__(self, options):
        self.options = options

    @classmethod
    def check(cls, options, scenario):
        return iter(())

    def choose(self, view):
        import numpy as np
        from wstdes.policies.views import Decision
        good = np.flatnonzero(view.remaining.sum(axis=1) > 0)
        best = good[np.argmin(view.altitude_rad[good])] if len(good) else None
        return Decision(None if best is None else int(view.tiles[best]))
"""


def test_users_bring_their_own_agents_and_policies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "guest_for_test.py").write_text(GUEST)
    monkeypatch.syspath_prepend(tmp_path)
    run = wstdes.run(
        "small",
        nights=2,
        out=tmp_path / "run",
        overrides=[
            "agents={counter: {use: 'guest_for_test:Counter', options: {step: 3}}}",
            "policies.scheduling={use: 'guest_for_test:Lowest'}",
        ],
    )
    assert run["counts"]["days"].to_pylist() == [3, 6]
    assert pc.mean(run["visits"]["airmass"]).as_py() > 1.4


@pytest.mark.parametrize(
    ("use", "words"),
    [
        ("nobody:Nothing", "cannot be imported"),
        ("json:loads", "is no Agent"),
        ("weathr", "is no agent known here"),
    ],
)
def test_an_agent_that_is_none_is_refused(use: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        build(load("small", overrides=[f"agents={{mine: {{use: '{use}'}}}}"]))


def test_the_same_night_again_whatever_is_in_the_caches(tmp_path: Path) -> None:
    """A second run in the same process finds full caches and must not notice."""
    digests: list[Any] = []
    for name in ("cold", "warm"):
        digests.append(wstdes.run("small", nights=1, out=tmp_path / name).digest())
    assert digests[0] == digests[1]
