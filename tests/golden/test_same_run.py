"""The same scenario and seed give the same tables, bit for bit, however the run was made."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import wstdes
from wstdes.facility import build, load
from wstdes.kernel.trace import write_part

if TYPE_CHECKING:
    from wstdes.study.run import Run

STORM = (
    "network.links.mountain-santiago.fault_interval=12 h",
    "network.links.mountain-santiago.fault_repair=20 h",
    "network.checksum_failure_fraction=0.05",
    "computing.sites.centre.cpu_nodes=2",
    "telescope.fault_interval=3 h",
    "quality.defect_fraction=0.2",
    "alerts.prompt.rate=20 / d",
    "alerts.prompt.drop_out=0.2 / d",
    "alerts.prompt.follow_up={visits: 3, interval: 1 d, tolerance: 8 h, response: switch}",
    "alerts.urgent.burst={count: 3, radius: 3 deg}",
)
NIGHTS = 3

CONTINUE = """
import sys
from pathlib import Path
from wstdes.facility import build, load
from wstdes.kernel.trace import write_part
folder, nights = Path(sys.argv[1]), int(sys.argv[2])
facility = build(load("small", overrides=sys.argv[3:]))
states, day = facility.restore(folder / "state")
for index in range(day, nights):
    write_part(folder / "tables", index, facility.simulate_day(states, index))
"""


def digests(folder: Path) -> dict[str, str]:
    from wstdes.kernel.trace import digest_table, read_table, table_names

    tables = folder / "tables"
    return {name: digest_table(read_table(tables, name)) for name in table_names(tables)}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    facility = build(load("small", overrides=STORM))
    states = facility.new_states()
    for index in range(NIGHTS):
        write_part(folder / "tables", index, facility.simulate_day(states, index))
        facility.save(folder / f"state-{index + 1}", states, index + 1)
    return folder


@pytest.mark.parametrize("noon", [1, 2])
def test_a_run_taken_up_at_a_noon_in_another_process_is_the_same_run(
    whole: Path, tmp_path: Path, noon: int
) -> None:
    facility = build(load("small", overrides=STORM))
    states = facility.new_states()
    for index in range(noon):
        write_part(tmp_path / "tables", index, facility.simulate_day(states, index))
    facility.save(tmp_path / "state", states, noon)
    subprocess.run([sys.executable, "-c", CONTINUE, str(tmp_path), str(NIGHTS), *STORM], check=True)
    assert digests(tmp_path) == digests(whole)


def test_much_is_under_way_at_those_noons(whole: Path) -> None:
    """Else the test above would prove little."""
    facility = build(load("small", overrides=STORM))
    under_way = []
    for noon in (1, 2):
        states, day = facility.restore(whole / f"state-{noon}")
        assert day == noon
        jobs = states["computing@centre"]
        under_way.append(
            (
                len(states["network"].active),
                len(jobs.running) + len(jobs.waiting) + len(states["pipeline"].staging),
                len(states["broker"].alerts),
                len(states["store"].products),
            )
        )
    assert all(any(column) for column in zip(*under_way, strict=True))


def test_states_are_read_back_as_they_were_written(whole: Path, tmp_path: Path) -> None:
    facility = build(load("small", overrides=STORM))
    states, day = facility.restore(whole / "state-2")
    facility.save(tmp_path / "again", states, day)
    for name in ("state.json",):
        assert (tmp_path / "again" / name).read_bytes() == (whole / "state-2" / name).read_bytes()


def test_the_same_seed_twice_gives_the_same_digest(small_run: Run, tmp_path: Path) -> None:
    again = wstdes.run("small", out=tmp_path / "again")
    assert again.digest() == small_run.digest()


def test_another_seed_gives_another_digest(small_run: Run, tmp_path: Path) -> None:
    other = wstdes.run("small", nights=1, overrides=["seed=7"], out=tmp_path / "other")
    one = wstdes.run("small", nights=1, out=tmp_path / "one")
    assert other.digest() != one.digest()
    assert one.manifest["scenario_digest"] != other.manifest["scenario_digest"]


def test_a_policy_does_not_change_the_nights_it_is_tried_on(small_run: Run, tmp_path: Path) -> None:
    """Random numbers go by name: two policies meet the same weather and the same alerts."""
    other = wstdes.run(
        "small", out=tmp_path / "other", overrides=["policies.scheduling={use: highest}"]
    )
    assert other["conditions"].equals(small_run["conditions"])
    assert not other["visits"].equals(small_run["visits"])
