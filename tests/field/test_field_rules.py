"""Distance and contrast: the rules for pairs of targets."""

from __future__ import annotations

import numpy as np
import pytest

import wstdes
from wstdes.errors import WstdesError
from wstdes.field.problem import slit_next
from wstdes.models.focalplane import load_focal_plane


def field(**rules: object):
    rng = np.random.default_rng(4)
    n = 8000
    targets = {
        "id": np.arange(n),
        "ra": 150.0 + rng.uniform(-0.4, 0.4, n),
        "dec": -30.0 + rng.uniform(-0.4, 0.4, n),
        "magnitude": rng.uniform(14.0, 22.0, n),
        "mode": np.full(n, "LR"),
    }
    return wstdes.allocate(targets, ra="150 deg", dec="-30 deg", sky=0.0, standards=0.0, **rules)


def closest_m(got) -> float:
    from scipy.spatial import cKDTree

    aim = got.visits[0].aim_m
    aim = aim[np.isfinite(aim[:, 0])]
    return float(np.asarray(cKDTree(aim).query(aim, k=2)[0])[:, 1].min())


def worst_contrast(got) -> float:
    target = got.visits[0].target
    magnitude = np.where(target >= 0, got.targets.magnitude[target], np.nan)
    following = slit_next(got.hardware.plane)
    has = np.flatnonzero(following >= 0)
    return float(np.nanmax(np.abs(magnitude[has] - magnitude[following[has]])))


def test_rules_hold_and_cost_something() -> None:
    free = field()
    apart = field(separation="20 arcsec")
    even = field(contrast=3.0)
    least = np.radians(20.0 / 3600.0) * free.hardware.scale_m_per_rad
    assert closest_m(free) < least <= closest_m(apart)
    assert worst_contrast(free) > 3.0 >= worst_contrast(even)
    for limited in (apart, even):
        assert limited.gap < 1e-4
        assert limited.objective < free.objective


def test_slits_are_chains() -> None:
    plane, _ = load_focal_plane("wst-2026")
    following = slit_next(plane)
    ends = np.flatnonzero(following < 0)
    assert len(ends) == 54 + 8
    has = np.flatnonzero(following >= 0)
    assert len(np.unique(following[has])) == len(has)
    assert (plane.slit[following[has]] > plane.slit[has]).all()
    assert (plane.spectrograph[following[has]] == plane.spectrograph[has]).all()
    assert (plane.kind[following[has]] == plane.kind[has]).all()


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ({"separation": "10"}, "separation"),
        ({"separation": "2 deg"}, "from 0 to 6 arcmin"),
        ({"contrast": -1.0}, "number of magnitudes"),
        ({"contrast": float("nan")}, "number of magnitudes"),
    ],
)
def test_rules_that_mean_nothing(rules: dict[str, object], words: str) -> None:
    with pytest.raises(WstdesError, match=words):
        field(**rules)
