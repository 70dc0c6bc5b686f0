"""Problems made by others: read, checked, solved, written."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from wstdes.allocation.methods import solve
from wstdes.errors import WstdesError
from wstdes.field.npz import read_problem, small_part, write_result

BAR = np.array([[-0.5, -0.5], [2.3, -0.5], [2.3, 0.5], [-0.5, 0.5]])


def arrays(**change: Any) -> dict[str, Any]:
    made = {
        "positioner_xy": np.array([[0.0, 0.0], [6.0, 0.0]]),
        "target_xy": np.array([[2.5, 0.0], [3.5, 0.0], [0.5, 0.5]]),
        "target_class": np.array([0, 1, 1]),
        "target_weight": np.array([5.0, 3.0, 1.0]),
        "edge_fibre": np.array([1, 0, 0, 1, 1, 0, 0]),
        "edge_target": np.array([0, 0, 1, 1, 0, 2, 2]),
    }
    return {**made, **change}


def problem(folder: Path, **change: Any) -> Path:
    path = folder / "p.npz"
    np.savez(path, **{k: v for k, v in arrays(**change).items() if v is not None})
    return path


def test_edges_are_sorted_by_target_distance_and_fibre_and_merged(tmp_path: Path) -> None:
    made = read_problem(problem(tmp_path))
    assert made.repeated == 2
    assert made.problem.start.tolist() == [0, 2, 4, 5]
    assert made.problem.fibre.tolist() == [0, 1, 1, 0, 0]
    assert made.problem.geometry is not None
    assert made.problem.geometry.arms is None
    np.testing.assert_allclose(made.problem.geometry.target_xy_m[0], [2.5e-3, 0.0])


def test_what_the_arms_do_not_reach_is_dropped(tmp_path: Path) -> None:
    """1.8 + 1.8 mm reach 3.6; of a longer theta arm, 1 mm around the axis is out of reach."""
    made = read_problem(problem(tmp_path, arm_mm=np.array([1.8, 1.8])))
    assert made.problem.fibre.tolist() == [0, 1, 1, 0, 0]
    made = read_problem(problem(tmp_path, arm_mm=np.array([[1.8, 1.6], [1.8, 0.8]])))
    assert made.unreachable == 2
    assert made.problem.fibre.tolist() == [0, 1, 0]
    made = read_problem(problem(tmp_path, arm_mm=np.array([3.0, 1.5])))
    assert made.unreachable == 1
    assert made.problem.fibre.tolist() == [0, 1, 1, 0]


def test_collisions_count_only_with_outlines(tmp_path: Path) -> None:
    """Both arms stretched out to targets 1 mm apart overlap: the fibres cannot have both."""
    free = read_problem(problem(tmp_path, arm_mm=np.array([1.8, 1.8]))).problem
    assert solve(free, "exact").objective == 8.0
    shapes = {"theta_polygon": BAR, "phi_polygon": np.stack([BAR, BAR])}
    bound = read_problem(problem(tmp_path, arm_mm=np.array([1.8, 1.8]), **shapes)).problem
    assert bound.geometry is not None
    assert bound.geometry.arms is not None
    assert len(bound.geometry.arms.shapes) == 1
    assert solve(bound, "lagrangian").objective < 8.0
    solve(small_part(bound, 1), "greedy")


@pytest.mark.parametrize(("change", "words"), [
    ({"edge_fibre": None}, "'edge_fibre' is missing"),
    ({"edge_fibre": np.array([1, 0, 0, 1, 1, 0, 2])}, r"edge_fibre\[6\] is 2"),
    ({"edge_target": np.array([0, 0, 1])}, "edge_target"),
    ({"edge_target": np.array([0, 0, 1, 1, 0, 2, -1])}, r"edge_target\[6\] is -1"),
    ({"edge_target": np.zeros(7)}, "whole numbers"),
    ({"target_weight": np.array([1.0, np.nan, 1.0])}, r"target_weight\[1\] is nan"),
    ({"target_weight": np.array([1.0, -2.0, 1.0])}, r"target_weight\[1\] is -2"),
    ({"target_weight": np.array([1.0, 1.0])}, "target_weight"),
    ({"target_xy": np.zeros((3, 3))}, "target_xy"),
    ({"positioner_xy": np.array([[0.0, np.inf], [0.0, 0.0]])}, r"positioner_xy\[0, 1\] is inf"),
    ({"target_class": np.array([0, -1, 1])}, r"target_class\[1\] is -1"),
    ({"theta_polygon": BAR}, "arm_mm"),
    ({"arm_mm": np.array([1.0, 2.0, 3.0])}, "arm_mm"),
    ({"arm_mm": np.array([1.0, -2.0])}, r"arm_mm\[1\] is -2"),
    ({"arm_mm": np.ones(2), "theta_polygon": BAR}, "phi_polygon"),
    ({"arm_mm": np.ones(2), "phi_polygon": BAR[:2]}, "2 corners"),
    ({"arm_mm": np.ones(2), "phi_polygon": BAR[:0]}, "0 corners"),
    ({"target_weight": np.array([1.0, 1e308, 1.0])}, r"target_weight\[1\] is 1e\+308"),
    ({"target_class": np.array([{}, {}, {}], dtype=object)}, "cannot be read"),
])  # fmt: skip
def test_what_is_wrong_is_named(tmp_path: Path, change: dict[str, Any], words: str) -> None:
    with pytest.raises(WstdesError, match=words):
        read_problem(problem(tmp_path, **change))


@pytest.mark.parametrize("header", [
    "{'descr': '<f8', 'shape': (",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (10000000000000,), }",
])  # fmt: skip
def test_a_damaged_array_is_told_of(tmp_path: Path, header: str) -> None:
    path = tmp_path / "d.npz"
    with zipfile.ZipFile(path, "w") as file:
        text = header.encode() + b"\n"
        file.writestr("edge_fibre.npy", b"\x93NUMPY\x01\x00" + bytes([len(text), 0]) + text)
    with pytest.raises(WstdesError, match="cannot be read"):
        read_problem(path)


def test_no_edges_and_no_targets_are_legal(tmp_path: Path) -> None:
    none = np.zeros(0, dtype=np.int64)
    made = read_problem(problem(tmp_path, edge_fibre=none, edge_target=none)).problem
    assert solve(made, "exact").objective == 0.0
    nobody = {"target_xy": np.zeros((0, 2)), "target_class": none, "target_weight": np.zeros(0)}
    made = read_problem(problem(tmp_path, edge_fibre=none, edge_target=none, **nobody)).problem
    assert solve(made, "greedy").objective == 0.0


def test_results_hold_the_pairs_and_the_sums(tmp_path: Path) -> None:
    made = read_problem(problem(tmp_path)).problem
    write_result(tmp_path / "r.npz", solve(made, "exact"))
    with np.load(tmp_path / "r.npz", allow_pickle=False) as result:
        assert dict(zip(result["target"].tolist(), result["fibre"].tolist(), strict=True)) == {
            0: 0,
            1: 1,
        }
        assert float(result["objective"]) == float(result["upper_bound"]) == 8.0
        assert float(result["seconds"]) >= 0.0


def test_files_that_are_no_problems(tmp_path: Path) -> None:
    (tmp_path / "t.npz").write_text("hello")
    np.save(tmp_path / "one.npy", np.zeros(3))
    for name in ("t.npz", "one.npy", "none.npz"):
        with pytest.raises(WstdesError, match=name):
            read_problem(tmp_path / name)
