"""Arms in the simulation: none collide, motions take their time, and every fibre is counted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import wstdes
from wstdes.agents.configuration import Configuration
from wstdes.allocation import FibreUse
from wstdes.allocation.conflicts import build_conflicts
from wstdes.errors import ConfigError
from wstdes.field import configure
from wstdes.field.configure import assign_arms
from wstdes.models.focalplane import forward, load_focal_plane
from wstdes.study.run import Run


@pytest.fixture(scope="module")
def planned_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return wstdes.run(
        "small",
        nights=1,
        out=tmp_path_factory.mktemp("arms") / "run",
        overrides=["allocation.collisions=true", "allocation.motion=true"],
    )


def test_planned_motions_take_their_own_time(planned_run: Run) -> None:
    visits = planned_run["visits"].to_pandas()
    model = planned_run.scenario.focal_plane
    planned = visits["reconfiguration_s"]
    assert len(visits) > 3
    assert (planned > model.metrology_s).all()
    longest = 4.0 * np.pi / model.theta_speed_rad_per_s + 2.0 * np.pi / model.phi_speed_rad_per_s
    assert (planned < model.metrology_s + 10.0 * longest).all()
    assert planned.nunique() > 1
    assert (visits["allocation_gap"] >= 0.0).all()
    assert (visits["allocation_gap"] < 0.005).all()


def test_every_fibre_is_counted_once(planned_run: Run) -> None:
    model = planned_run.scenario.focal_plane
    rows = planned_run["fibres"].to_pandas()
    uses = rows[["science", "standard", "sky", "unassigned", "broken"]]
    total = rows["mode"].map({"lr": model.lr_fibres, "hr": model.hr_fibres})
    assert (uses.sum(axis=1) == total).all()
    assert (uses >= 0).all().all()
    assigned = planned_run["assignments"].to_pandas().groupby(["visit", "mode"])["assigned"].sum()
    science = rows.set_index(["visit", "mode"])["science"]
    together = science.to_frame().join(assigned, how="left").fillna(0.0)
    assert (together["science"] == together["assigned"]).all()


def test_the_angles_are_those_of_the_targets_and_nothing_collides(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plane, _ = load_focal_plane("wst-7mm", ("lr_fibres=700", "hr_fibres=50"))
    rng = np.random.default_rng(5)
    n = 4000
    radius = plane.reach_m * np.sqrt(rng.random(n))
    angle = 2.0 * np.pi * rng.random(n)
    x, y = radius * np.cos(angle), radius * np.sin(angle)
    kind = (rng.random(n) < 0.1).astype(np.int8)
    usable = rng.random(plane.n_fibres) > 0.03
    problems = []
    build = configure.build_problem
    monkeypatch.setattr(
        configure, "build_problem", lambda *a, **k: problems.append(build(*a, **k)) or problems[-1]
    )
    done = assign_arms(
        plane, usable, x, y, kind, rng.integers(1, 5, n).astype(float), rng.random(n) < 0.05,
        sky=(0.08, 0.08), standards=(0.02, 0.0),
    )  # fmt: skip
    use, served = done.assignment.use, done.assignment.target_of_fibre
    assert (use[~usable] == FibreUse.BROKEN).all()
    assert (use[usable] != FibreUse.BROKEN).all()
    assert (use == FibreUse.SKY).sum() >= 0.07 * usable.sum()
    assert (use == FibreUse.STANDARD).sum() >= 10
    busy = np.flatnonzero(served >= 0)
    assert (plane.kind[busy] == kind[served[busy]]).all()
    angles = done.wanted
    tip = forward(plane.arms, busy, angles.theta_rad[busy], angles.phi_rad[busy])[1]
    np.testing.assert_allclose(plane.x_m[busy] + tip[:, 0], x[served[busy]], atol=1e-9)
    np.testing.assert_allclose(plane.y_m[busy] + tip[:, 1], y[served[busy]], atol=1e-9)
    problem = problems[0].problem
    conflicts = build_conflicts(problem)
    own = np.flatnonzero(served[problem.fibre] == problem.edge_target())
    taken = np.zeros(problem.n_edges, dtype=bool)
    taken[own] = True
    for edge in own:
        assert not taken[conflicts.other[conflicts.start[edge] : conflicts.start[edge + 1]]].any()


def test_fibres_that_do_not_arrive_lose_what_they_had() -> None:
    kinds = np.array([0, 0, 0, 1, 1], dtype=np.int8)
    use = np.array([FibreUse.SCIENCE, FibreUse.SKY, FibreUse.SCIENCE, FibreUse.SCIENCE,
                    FibreUse.STANDARD], dtype=np.int8)  # fmt: skip
    names = [u.name.lower() for u in FibreUse]
    uses = {
        mode: {name: int((use[kinds == k] == i).sum()) for i, name in enumerate(names)}
        for mode, k in (("lr", 0), ("hr", 1))
    }
    config = Configuration(
        survey=np.array([0, 1], np.int16),
        pixel=np.array([7, 8]),
        index=np.array([70, 80]),
        required_s=np.ones(2, np.float32),
        kind=np.array([0, 1], np.int8),
        sizes={},
        alerts=[11],
        wanted={0: 5, 1: 5, 2: 1},
        assigned={0: 1, 1: 1, 2: 1},
        uses=uses,
        fibre=np.array([0, 3], np.int32),
        alert_fibre=np.array([2], np.int32),
        use=use,
    )
    config.drop(np.array([True, True, True, False, True]), kinds, alert_survey=2)
    assert config.index.tolist() == [80]
    assert config.fibre.tolist() == [3]
    assert config.alerts == []
    assert config.assigned == {0: 0, 1: 1, 2: 0}
    assert config.uses["lr"] == {
        "science": 0, "standard": 0, "sky": 0, "unassigned": 3, "broken": 0
    }  # fmt: skip
    assert config.uses["hr"]["standard"] == 0
    assert config.uses["hr"]["unassigned"] == 1


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (["allocation.motion=true"], "set collisions to true as well"),
        (
            ["focal_plane.theta_speed=0 deg/s", "allocation.collisions=true",
             "allocation.motion=true"],
            "motors have no speed",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_planned_is_said(overrides: list[str], words: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=words):
        wstdes.scenario("small", overrides=overrides)
