"""The motion to a visit's configuration, from home and from the visit before."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import wstdes
from wstdes.allocation.motion_check import verify_plan
from wstdes.errors import WstdesError
from wstdes.field.motion import plan_field_motion


@pytest.fixture(scope="module")
def hardware(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from wstdes.library import library

    text = (library("hardware_models") / "focal_plane" / "wst-2026.yaml").read_text()
    path = tmp_path_factory.mktemp("hardware") / "few.yaml"
    path.write_text(text.replace("value: 30000", "value: 600").replace("value: 2000", "value: 40"))
    return path


def field(hardware: Path, visits: int = 1):
    rng = np.random.default_rng(2)
    n = 2500
    targets = {
        "id": np.arange(n),
        "ra": 150.0 + rng.uniform(-0.17, 0.17, n),
        "dec": -30.0 + rng.uniform(-0.15, 0.15, n),
        "priority": rng.integers(1, 5, n),
        "mode": np.where(rng.random(n) < 0.1, "HR", "LR"),
    }
    return wstdes.allocate(
        targets, ra="150 deg", dec="-30 deg", hardware=hardware, visits=visits, broken=0.03
    )


def test_nearly_all_arrive_and_nothing_touches(hardware: Path) -> None:
    got = field(hardware, visits=2)
    first, second = (plan_field_motion(got, visit) for visit in (0, 1))
    for motion in (first, second):
        assert motion.wanted.sum() > 250
        assert len(motion.lost) <= 0.01 * motion.wanted.sum()
        assert not motion.wanted[got.broken].any()
        assert motion.reconfiguration_s > motion.metrology_s > 0.0
        assert verify_plan(got.hardware.plane, motion.plan) == []
        assert "positioners arrive" in motion.texts()[0]
        assert len(motion.texts()) == 1 + min(len(motion.lost), 10)
    begin = second.plan.at(0.0)
    end = first.plan.final
    np.testing.assert_allclose(np.cos(begin.theta_rad), np.cos(end.theta_rad), atol=1e-9)
    np.testing.assert_allclose(begin.phi_rad, end.phi_rad, atol=1e-9)


@pytest.mark.parametrize(("name", "words"), [("4most", "theta-phi arms"), ("pfs", "motors' speed")])
def test_what_cannot_move_is_said(name: str, words: str) -> None:
    targets = {"id": [1], "ra": [150.0], "dec": [-30.0], "mode": ["LR"]}
    got = wstdes.allocate(targets, ra="150 deg", dec="-30 deg", hardware=name, sky=0.0)
    with pytest.raises(WstdesError, match=words):
        plan_field_motion(got)
