"""A user's targets: every format, every column, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import Angle, SkyCoord
from astropy.table import QTable, Table
from hypothesis import given
from hypothesis import strategies as st

from wstdes.errors import CatalogueError
from wstdes.field.catalogue import class_weights, read_targets

COLUMNS: dict[str, Any] = {
    "ID": [11, 12, 12], "RA": [359.9, 0.1, 0.0], "DEC": [-30.0, -30.1, -29.9],
    "priority": [1.0, 0.0, 5.5], "mag": [15.0, 16.0, 17.0], "survey": ["b", "a", "b"],
    "mode": ["LR", "hr", "Lr"], "required_visits": [1, 2, 3], "visits_done": [0, 0, 3],
    "purpose": ["science", "SKY", "Standard"], "class": [0, 1, 2],
}  # fmt: skip


@pytest.mark.parametrize("suffix", ["fits", "ecsv", "vot", "parquet", "csv"])
def test_every_format_gives_the_same(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"t.{suffix}"
    options = {"format": "votable"} if suffix == "vot" else {}
    Table(COLUMNS).write(path, **options)
    got = read_targets(path)
    assert got.id.tolist() == [11, 12, 12]
    np.testing.assert_allclose(np.degrees(got.ra_rad), COLUMNS["RA"])
    assert got.weight.tolist() == [1.0, 0.0, 5.5]
    assert got.surveys == ("a", "b")
    assert got.survey.tolist() == [1, 0, 1]
    assert got.kind.tolist() == [0, 1, 0]
    assert got.required.tolist() == [1, 2, 3]
    assert got.done.tolist() == [0, 0, 3]
    assert got.purpose.tolist() == [0, 2, 1]
    assert got.target_class.tolist() == [0, 0, 0]
    assert read_targets(path, use_class=True).target_class.tolist() == [0, 1, 2]


def test_positions_are_enough() -> None:
    got = read_targets({"ra": [10.0], "dec": [5.0]}, mode="hr")
    assert (got.id[0], got.weight[0], got.kind[0], got.required[0]) == (1, 1.0, 1, 1)
    assert np.isnan(got.magnitude[0])


def test_units_and_masks_of_arrays_hold() -> None:
    place = {"ra": np.radians([10.0, 20.0]) * u.rad, "dec": Angle([5.0, 6.0] * u.deg)}
    for source in (place, QTable(place), QTable({**place, "c": SkyCoord(**place)})):
        got = read_targets(source)
        np.testing.assert_allclose(np.degrees(got.ra_rad), [10.0, 20.0])
        np.testing.assert_allclose(np.degrees(got.dec_rad), [5.0, 6.0])
    masked = np.ma.array([1.0, 2.0], mask=[False, True])
    for holes in ({**place, "priority": masked}, QTable({**place, "priority": masked})):
        with pytest.raises(CatalogueError, match="row 2, column 'priority': no value"):
            read_targets(holes)


def test_columns_have_other_names_if_the_user_says_so() -> None:
    data = {"ra": [10.0], "dec": [5.0], "rank": [7.0], "type": ["PSF"], "alpha": [1.0]}
    wanted = {"priority": "rank", "purpose": "", "ra": "alpha [hourangle]"}
    got = read_targets(data, columns=wanted)
    assert got.weight[0] == 7.0
    assert np.degrees(got.ra_rad[0]) == pytest.approx(15.0)


@pytest.mark.parametrize(("change", "words"), [
    ({"priority": [1.0, -2.0, 1.0]}, ["row 2", "priority", "-2.0", "negative"]),
    ({"priority": [1.0, 1.0, np.nan], "purpose": ["science"] * 3}, ["row 3", "priority"]),
    ({"priority": [np.nan, 1.0, 1.0]}, ["row 1", "priority", "no value"]),
    ({"mode": ["LR", "XR", "HR"]}, ["row 2", "mode", "'XR'"]),
    ({"purpose": ["sky", "sky", "galaxy"]}, ["row 3", "purpose", "'galaxy'"]),
    ({"RA": [10.0, 400.0, 2.0]}, ["row 2", "RA", "400"]),
    ({"DEC": [10.0, 40.0, 92.0]}, ["row 3", "DEC", "92"]),
    ({"required_visits": [1.5, 1, 1]}, ["row 1", "required_visits", "1.5"]),
    ({"visits_done": [0, -1, 1]}, ["row 2", "visits_done", "-1"]),
    ({"RA": ["10:00:00", "a", "b"]}, ["row 1", "sexagesimal"]),
    ({"priority": ["high", "low", "low"]}, ["row 1", "priority", "'high'"]),
])  # fmt: skip
def test_bad_input_names_row_column_and_value(change: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(CatalogueError) as error:
        read_targets(Table({**COLUMNS, **change}))
    for word in words:
        assert word in str(error.value)


def test_what_is_missing_is_said() -> None:
    with pytest.raises(CatalogueError, match="no rows"):
        read_targets({"ra": np.zeros(0), "dec": np.zeros(0)})
    with pytest.raises(CatalogueError, match="no column for 'dec'"):
        read_targets({"ra": [1.0]})
    with pytest.raises(CatalogueError, match="no column for 'class'"):
        read_targets({"ra": [1.0], "dec": [1.0]}, use_class=True)
    with pytest.raises(CatalogueError, match="neither LR nor HR"):
        read_targets({"ra": [1.0], "dec": [1.0]}, mode="IFS")


def test_sky_needs_no_priority() -> None:
    got = read_targets(
        {"ra": [1.0, 2.0], "dec": [0.0, 0.0], "priority": [3.0, np.nan], "purpose": ["", "sky"]}
    )
    assert got.weight.tolist() == [3.0, 0.0]


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(1, 5)), min_size=1, max_size=30),
    st.integers(1, 10),
)
def test_one_of_a_class_outweighs_all_fibres_on_those_below(
    targets: list[tuple[int, int]], n_fibres: int
) -> None:
    classes = np.array([c for c, _ in targets], dtype=np.int16)
    weight = class_weights(np.array([float(w) for _, w in targets]), classes, n_fibres)
    for which in np.unique(classes):
        below = np.sort(weight[classes > which])[::-1][:n_fibres].sum()
        assert weight[classes == which].min() > below


def test_too_many_classes_are_refused() -> None:
    with pytest.raises(ValueError, match="join classes"):
        class_weights(np.ones(400), np.repeat(np.arange(20), 20).astype(np.int16), 1000)
