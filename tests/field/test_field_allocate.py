"""A field from end to end: conservation, the same for the same, files, and their check."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.table import Table

import wstdes
from wstdes.errors import CatalogueError, WstdesError
from wstdes.field import Allocation, Use, check_assignment, read_assignment
from wstdes.field.check import arms_overlap

CENTRE: dict[str, Any] = {"ra": "23:59:57.6", "dec": "-30d"}


@pytest.fixture(scope="module")
def done(small_plane: Path, targets: dict[str, Any]) -> Allocation:
    return wstdes.allocate(
        targets, **CENTRE, hardware=small_plane, broken=0.03, stuck=0.02, visits=2,
        rotator="20deg", airmass=1.3,
    )  # fmt: skip


@pytest.fixture(scope="module")
def written(done: Allocation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("files") / "a.fits"
    done.write(path)
    return path


def test_every_fibre_has_one_use_and_uses_add_up(done: Allocation) -> None:
    for visit in range(2):
        assert sum(done.uses(0, visit).values()) == 600
        assert sum(done.uses(1, visit).values()) == 60
        assert done.uses(0, visit)[Use.SCIENCE] > 400
    shares = done.by_survey()
    assert sum(s.wanted for s in shares) == done.wanted.sum()
    assert sum(s.assigned for s in shares) == (done.wanted & (done.got > 0)).sum()
    assert 0.0 <= done.gap < 0.1  # parts of targets count in the bound of several visits


def test_no_target_has_more_visits_than_it_needs_and_modes_match(done: Allocation) -> None:
    science = done.targets.purpose == 0
    assert (done.got[science] <= done.targets.required[science]).all()
    for visit in done.visits:
        has = np.flatnonzero(visit.target >= 0)
        kinds = done.hardware.plane.kind[has]
        np.testing.assert_array_equal(kinds, done.targets.kind[visit.target[has]])
        off = visit.aim_m[has] - np.column_stack(
            [done.hardware.plane.x_m[has], done.hardware.plane.y_m[has]]
        )
        assert (np.hypot(*off.T) <= done.hardware.plane.patrol_m[has] + 1e-9).all()


def test_the_same_call_gives_the_same_bytes(
    small_plane: Path, targets: dict[str, Any], tmp_path: Path
) -> None:
    for name in ("a", "b"):
        made = wstdes.allocate(targets, **CENTRE, hardware=small_plane, broken=0.1, seed=3)
        made.write(tmp_path / f"{name}.fits")
    assert (tmp_path / "a.fits").read_bytes() == (tmp_path / "b.fits").read_bytes()


@pytest.mark.parametrize(("ra", "dec"), [(0.0, 89.99), (200.0, -90.0), (0.0, 0.0), (359.999, 40.0)])
def test_any_place_of_the_sky(small_plane: Path, ra: float, dec: float) -> None:
    """Targets laid out around a centre by its own tangent plane all find their place."""
    from wstdes.models.focalplane import deproject

    rng = np.random.default_rng(2)
    x, y = rng.uniform(-0.06, 0.06, (2, 800))
    sky = deproject(x, y, np.radians(ra), np.radians(dec), 37.2)
    got = wstdes.allocate(
        {"ra": np.degrees(sky[0]), "dec": np.degrees(sky[1])},
        ra=f"{ra}deg", dec=f"{dec}deg", hardware=small_plane,
    )  # fmt: skip
    assert len(got.targets) == 800
    assert sum(s.assigned for s in got.by_survey()) > 300


def test_all_on_one_spot_is_legal_and_one_is_taken(small_plane: Path) -> None:
    spot = {"id": np.full(500, 7), "ra": np.full(500, 10.05), "dec": np.full(500, 20.05),
            "priority": np.arange(500.0)}  # fmt: skip
    got = wstdes.allocate(spot, ra="10d", dec="20d", hardware=small_plane)
    (share,) = got.by_survey()
    assert (share.wanted, share.assigned) == (500, 1)
    assert got.objective == 499.0


def test_what_is_finished_before_does_not_come_back(small_plane: Path) -> None:
    data = {"ra": [10.03, 10.05], "dec": [20.03, 20.05], "visits": [2, 1], "done": [2, 0]}
    got = wstdes.allocate(data, ra="10d", dec="20d", hardware=small_plane, visits=2)
    assert got.got.tolist() == [0, 1]
    assert got.limits()["targets had all their visits before"] == 1


def test_broken_ones_alone_in_reach_are_said(small_plane: Path) -> None:
    every = list(range(660))
    plane = wstdes.allocate(
        {"ra": [10.0], "dec": [20.04]}, ra="10d", dec="20d", hardware=small_plane
    )
    fibre = int(np.flatnonzero(plane.visits[0].target == 0)[0])
    got = wstdes.allocate(
        {"ra": [10.0], "dec": [20.04]}, ra="10d", dec="20d", hardware=small_plane,
        broken=[f for f in every if f != (fibre + 300) % 660],
    )  # fmt: skip
    assert got.limits()["targets are barred by broken or stuck positioners"] == 1


def test_stuck_ones_on_blank_sky_count_for_the_quota(small_plane: Path) -> None:
    data = {"ra": [10.0], "dec": [20.04]}
    got = wstdes.allocate(
        data, ra="10d", dec="20d", hardware=small_plane, sky=0.1, standards=0.0, stuck=0.05
    )
    usable = ~got.stuck & (got.hardware.plane.kind == 0)
    assert got.uses(0)[Use.SKY] == round(0.1 * usable.sum())
    assert (got.visits[0].use[got.stuck] == Use.SKY).sum() >= got.stuck.sum() - 1


@pytest.mark.parametrize(("options", "words"), [
    ({"broken": 1.0}, "all 660 positioners"), ({"broken": 1.5}, "0 to 1"),
    ({"broken": 5}, "0 to 1"),
    ({"broken": [700]}, "700"), ({"visits": 0}, "visits"), ({"method": "best"}, "no method"),
    ({"ra": "10"}, "no unit"), ({"dec": "95d"}, "-90, 90"), ({"sky": 2.0}, "sky"),
    ({"airmass": 0.5}, "airmass"), ({"airmass": 1.2, "hour_angle": "1h"}, "not both"),
    ({"hour_angle": "12h"}, "refraction"), ({"dec": "60d"}, "no target within"),
    ({"hardware": "wst-2062"}, "wst-2026"), ({"epoch": float("nan")}, "epoch: nan"),
])  # fmt: skip
def test_bad_options_are_refused(
    small_plane: Path, targets: dict[str, Any], options: dict[str, Any], words: str
) -> None:
    with pytest.raises(WstdesError, match=words):
        wstdes.allocate(targets, **{**CENTRE, "hardware": small_plane, **options})


def test_no_target_in_the_field_says_how_far_the_nearest_is(small_plane: Path) -> None:
    with pytest.raises(CatalogueError, match=r"nearest of 2 is 10\.00 deg away, in row 2"):
        wstdes.allocate(
            {"ra": [90.0, 0.0], "dec": [0.0, 10.0]}, ra="0d", dec="0d", hardware=small_plane
        )


# Files and their check ---------------------------------------------------------------------------


def test_a_file_that_was_written_is_good(done: Allocation, written: Path) -> None:
    file = read_assignment(written)
    verdict = check_assignment(file)
    assert verdict.failures == ()
    assert verdict.checked["assigned"] == (done.visits[0].target >= 0).sum()
    assert file.meta["OBJECTIV"] == done.visits[0].solution.objective
    has = file.fibres["TARGET"] >= 0
    ids = file.targets["ID"][file.fibres["TARGET"][has]]
    assert file.fibres["TARGET_ID"][has].tolist() == ids.tolist()
    # without proper motions a fibre on a target looks at that target's place
    for column in ("RA", "DEC"):
        there = file.targets[column][file.fibres["TARGET"][has]]
        np.testing.assert_allclose(file.fibres[column][has] % 360.0, there % 360.0, atol=1e-8)


@pytest.mark.parametrize("suffix", ["ecsv", "parquet"])
def test_other_formats_hold_the_fibres(done: Allocation, tmp_path: Path, suffix: str) -> None:
    done.write(tmp_path / f"a.{suffix}")
    table = Table.read(tmp_path / f"a.{suffix}")
    assert len(table) == 660
    assert table.meta["HARDWARE"] == "small-plane"
    assert (table["USE"] == "science").sum() == (done.visits[0].use == Use.SCIENCE).sum()


def spoil(file: Any, table: str, **columns: Any) -> Any:
    """The same file with some columns changed: a function of the old ones."""
    old = getattr(file, table)
    return replace(file, **{table: {**old, **{k: v(old[k].copy()) for k, v in columns.items()}}})


def put(where: Any, value: Any) -> Any:
    def change(values: Any) -> Any:
        values[where] = value
        return values

    return change


def test_the_check_finds_what_is_wrong(written: Path) -> None:
    file = read_assignment(written)
    one, other = np.flatnonzero(file.fibres["USE"] == "science")[:2]
    idle = np.flatnonzero(file.fibres["USE"] == "broken")[0]
    cases = {
        "more than one fibre": spoil(file, "fibres", TARGET=put(one, file.fibres["TARGET"][other])),
        "stands there more than once": spoil(file, "fibres", FIBRE=put(one, other)),
        "TARGETS says": spoil(file, "targets", FIBRE=put(file.fibres["TARGET"][one], -1)),
        "broken or stuck": spoil(file, "fibres", USE=put(one, "broken")),
        "not where its target is": spoil(file, "fibres", AIM_X=put(one, 9.0)),
        "does not reach": spoil(file, "fibres", PATROL=put(one, 0.0)),
        "angles do not bring": spoil(file, "fibres", THETA=put(one, 17.0)),
        "hard stop": spoil(file, "fibres", PHI_MAX=put(one, 1.0)),
        "other mode": spoil(file, "fibres", MODE=lambda m: np.where(m == "LR", "HR", "LR")),
        "quota": spoil(file, "fibres", USE=lambda u: np.where(u == "sky", "unassigned", u)),
        "objective": replace(file, meta={**file.meta, "OBJECTIV": 1.0}),
        "upper bound": replace(file, meta={**file.meta, "BOUND": 1.0}),
        "TARGET_ID": spoil(file, "fibres", TARGET_ID=put(one, file.fibres["TARGET_ID"][other])),
        "RA and Dec": spoil(file, "targets", DEC=lambda dec: dec + 1e-3),
        "no outline": spoil(file, "fibres", SHAPE=put(one, 7)),
        "to its target": spoil(file, "fibres", THETA=put(one, np.nan)),
        "reach its target": spoil(file, "fibres", PATROL=put(one, np.nan)),
        "a quota without": spoil(file, "quotas", GROUP=lambda group: group - 3),
        "arms collide": spoil(file, "shapes", X=lambda x: 4.0 * x, Y=lambda y: 4.0 * y),
    }
    for words, spoilt in cases.items():
        failures = check_assignment(spoilt).failures
        assert any(words in failure for failure in failures), (words, failures)
    listed = np.zeros(660, dtype=bool)
    listed[[one, idle]] = True
    (failure,) = check_assignment(file, listed).failures
    assert f"fibre {one}: is used though" in failure


def test_what_is_no_assignment_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.fits").write_bytes(b"SIMPLE  = nonsense")
    for name in ("a.fits", "b.fits"):
        with pytest.raises(WstdesError, match=name):
            read_assignment(tmp_path / name)


def polygons(*corners: list[tuple[float, float]]) -> np.ndarray[Any, Any]:
    return np.array(corners, dtype=float)


def test_polygons_overlap_if_sides_cross_or_one_is_inside() -> None:
    square = [(0.0, 0.0), (2.0, 0.0), (2.0, 2.0), (0.0, 2.0)]
    hook = [(0.0, 0.0), (4.0, 0.0), (4.0, 4.0), (3.0, 1.0)]  # not convex

    def moved(shape: list[tuple[float, float]], x: float, y: float, size: float = 1.0) -> Any:
        return [(size * a + x, size * b + y) for a, b in shape]

    one = polygons(square, square, square, square, square, hook, hook)
    other = polygons(
        moved(square, 1.0, 1.0), moved(square, 0.5, 0.5, 0.2), moved(square, 2.0, 0.0),
        moved(square, 3.0, 3.0), square, moved(square, 1.0, 2.0, 0.5), moved(square, 2.0, 0.2, 0.1),
    )  # fmt: skip
    expected = [True, True, False, False, True, False, True]
    assert arms_overlap(one, other).tolist() == expected
    assert arms_overlap(other, one).tolist() == expected
    assert arms_overlap(one[:, ::-1], other).tolist() == expected
