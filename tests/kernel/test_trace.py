"""Tables: typed, with units, whole or not there, and a digest of their values."""

from __future__ import annotations

import os
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import wstdes.kernel.trace as trace_module
from wstdes.kernel import Column, Table, Trace
from wstdes.kernel.trace import digest_table, merge_parts, read_table, table_names, write_part

TABLE = Table(
    "things",
    "a thing",
    (
        Column("number", "int", "which", ""),
        Column("length_m", "float", "how long", "m"),
        Column("name", "text", "its name"),
        Column("good", "bool", "whether"),
    ),
)
ROW = st.fixed_dictionaries(
    {},
    optional={
        "number": st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)),
        "length_m": st.one_of(st.none(), st.floats(allow_nan=False)),
        "name": st.one_of(st.none(), st.text(st.characters(exclude_categories=["Cs"]), max_size=5)),
        "good": st.one_of(st.none(), st.booleans()),
    },
)


def table(rows: list[dict[str, object]]) -> pa.Table:
    trace = Trace([TABLE])
    for row in rows:
        trace.add("things", **row)
    return trace.flush()["things"]


def test_units_and_meanings_stand_in_the_metadata(tmp_path: Path) -> None:
    write_part(tmp_path, 0, {"things": table([{"number": 1}])})
    merge_parts(tmp_path)
    schema = read_table(tmp_path, "things").schema
    assert schema.field("length_m").metadata == {b"unit": b"m", b"description": b"how long"}
    assert schema.metadata[b"row"] == b"a thing"
    assert schema.types == [pa.int64(), pa.float64(), pa.string(), pa.bool_()]


def test_columns_that_are_not_named_are_null_and_unknown_ones_refused() -> None:
    assert table([{"number": 3}]).to_pylist() == [
        {"number": 3, "length_m": None, "name": None, "good": None}
    ]
    with pytest.raises(KeyError, match="has no column"):
        Trace([TABLE]).add("things", lenght_m=3.0)
    with pytest.raises(KeyError):
        Trace([TABLE]).add("thing", number=3)


def test_flushed_rows_are_forgotten() -> None:
    trace = Trace([TABLE])
    trace.add("things", number=1)
    assert trace.flush()["things"].num_rows == 1
    assert trace.flush()["things"].num_rows == 0


def test_a_row_that_is_refused_leaves_nothing_behind() -> None:
    trace = Trace([TABLE])
    with pytest.raises(KeyError, match="has no column lenght_m"):
        trace.add("things", number=1, lenght_m=3.0)
    trace.add("things", name="a")
    assert trace.flush()["things"].to_pylist() == [
        {"number": None, "length_m": None, "name": "a", "good": None}
    ]


@given(before=st.lists(ROW, max_size=3), count=st.integers(0, 4), after=st.lists(ROW, max_size=3))
@settings(max_examples=30)
def test_many_rows_at_once_are_the_rows_one_by_one(
    before: list[dict[str, object]], count: int, after: list[dict[str, object]]
) -> None:
    trace = Trace([TABLE])
    for row in before:
        trace.add("things", **row)
    numbers = np.arange(count)
    trace.extend("things", {"number": numbers, "length_m": list(0.5 * numbers), "name": "a"})
    for row in after:
        trace.add("things", **row)
    middle: list[dict[str, object]] = [
        {"number": i, "length_m": 0.5 * i, "name": "a"} for i in range(count)
    ]
    assert trace.flush()["things"].equals(table([*before, *middle, *after]))


def test_days_that_are_absorbed_are_their_rows_in_order_and_stay_as_they_are() -> None:
    whole, days = Trace([TABLE]), [Trace([TABLE]) for _ in range(3)]
    for number, day in enumerate(days):
        for length in range(number):
            day.add("things", number=number, length_m=float(length))
        whole.absorb(day)
    assert [len(day) for day in days] == [0, 1, 2]
    assert len(whole) == 3
    rows: list[dict[str, object]] = [
        {"number": n, "length_m": float(k)} for n in range(3) for k in range(n)
    ]
    assert whole.flush()["things"].equals(table(rows))


def test_very_many_rows_at_once_are_rows_in_their_place_too() -> None:
    count = trace_module.MANY + 1
    days = [Trace([TABLE]) for _ in range(2)]
    for day in days:
        day.add("things", number=-1)
        day.extend(
            "things",
            {"number": np.arange(count), "name": np.array(["b"] * count), "good": True},
        )
        day.add("things", number=-2, length_m=1.0)
    whole = Trace([TABLE])
    whole.add("things", number=-3)
    for day in days:
        whole.absorb(day)
    many: list[dict[str, object]] = [
        {"number": -1},
        *({"number": i, "name": "b", "good": True} for i in range(count)),
        {"number": -2, "length_m": 1.0},
    ]
    assert len(whole) == 1 + 2 * len(many)
    made = whole.flush()["things"]
    assert digest_table(made) == digest_table(table([{"number": -3}, *many, *many]))
    assert len(whole) == 0


def test_columns_of_other_lengths_or_names_are_refused() -> None:
    trace = Trace([TABLE])
    with pytest.raises(ValueError, match=r"things have lengths \[1, 2\]"):
        trace.extend("things", {"number": [1, 2], "name": ["a"]})
    with pytest.raises(ValueError, match="one is needed"):
        trace.extend("things", {"name": "a"})
    with pytest.raises(KeyError, match="has no column lenght_m"):
        trace.extend("things", {"lenght_m": [1.0]})
    assert trace.flush()["things"].num_rows == 0


@given(nights=st.lists(st.lists(ROW, max_size=4), min_size=1, max_size=5))
@settings(max_examples=30)
def test_merging_keeps_all_rows_and_their_order(
    nights: list[list[dict[str, object]]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("tables")
    for day, rows in enumerate(nights):
        write_part(folder, day, {"things": table(rows)})
    before = read_table(folder, "things")
    merge_parts(folder)
    after = read_table(folder, "things")
    whole = table([row for rows in nights for row in rows])
    assert after.to_pylist() == before.to_pylist() == whole.to_pylist()
    assert digest_table(after) == digest_table(before) == digest_table(whole)
    assert table_names(folder) == ["things"]
    assert sorted(p.name for p in folder.iterdir()) == ["things.parquet"]


def test_parts_are_read_in_the_order_of_the_nights_beyond_ten(tmp_path: Path) -> None:
    for day in (10, 2, 11, 1):
        write_part(tmp_path, day, {"things": table([{"number": day}])})
    assert read_table(tmp_path, "things")["number"].to_pylist() == [1, 2, 10, 11]


def test_a_part_of_several_nights_counts_when_the_last_of_them_is_finished(tmp_path: Path) -> None:
    for first, last in ((0, 2), (3, 3), (4, 9)):
        rows: list[dict[str, object]] = [{"number": n} for n in range(first, last + 1)]
        write_part(tmp_path, first, {"things": table(rows)}, last)
    for nights, known in ((3, 3), (4, 4), (7, 4), (10, 10), (None, 10)):
        found = read_table(tmp_path, "things", nights=nights)["number"].to_pylist()
        assert found == list(range(known))
    merge_parts(tmp_path, 7)
    assert read_table(tmp_path, "things")["number"].to_pylist() == [0, 1, 2, 3]


def test_files_do_not_depend_on_how_nights_were_gathered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trace_module, "GROUP_ROWS", 4)
    rows: list[dict[str, object]] = [{"number": n, "name": str(n)} for n in range(10)]
    for folder, cuts in (("one", (0, 10)), ("many", (0, 1, 3, 9, 10))):
        for first, end in pairwise(cuts):
            write_part(tmp_path / folder, first, {"things": table(rows[first:end])}, end - 1)
        merge_parts(tmp_path / folder)
    one, many = (tmp_path / f / "things.parquet" for f in ("one", "many"))
    assert one.read_bytes() == many.read_bytes()
    assert pq.ParquetFile(one).num_row_groups == 3


def test_only_the_columns_that_are_asked_for_are_read(tmp_path: Path) -> None:
    write_part(tmp_path, 0, {"things": table([{"number": 1, "name": "a"}])})
    assert read_table(tmp_path, "things", ["name"]).column_names == ["name"]
    merge_parts(tmp_path)
    assert read_table(tmp_path, "things", ["name"]).column_names == ["name"]


def test_a_part_that_breaks_off_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_part(tmp_path, 0, {"things": table([{"number": 1}])})

    def breaks(data: pa.Table, where: Path, **_: object) -> None:
        Path(where).write_bytes(b"PAR1 half of it")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(trace_module.pq, "write_table", breaks)
        with pytest.raises(KeyboardInterrupt):
            write_part(tmp_path, 1, {"things": table([{"number": 2}])})
    assert read_table(tmp_path, "things")["number"].to_pylist() == [1]
    merge_parts(tmp_path)
    assert read_table(tmp_path, "things")["number"].to_pylist() == [1]


def test_a_merge_that_broke_off_while_it_cleaned_up_can_be_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The merged files are there, some of the parts are still there: nothing may be lost."""
    for day in range(3):
        write_part(tmp_path, day, {"things": table([{"number": day}])})

    def tear(folder: Path, **_: object) -> None:
        sorted(folder.rglob("*.parquet"))[0].unlink()
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("wstdes.kernel.trace.shutil.rmtree", tear)
        with pytest.raises(KeyboardInterrupt):
            merge_parts(tmp_path)
    assert list((tmp_path / "parts").rglob("*.parquet"))
    assert read_table(tmp_path, "things")["number"].to_pylist() == [0, 1, 2]
    merge_parts(tmp_path)
    assert read_table(tmp_path, "things")["number"].to_pylist() == [0, 1, 2]


def test_a_table_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nothing"):
        read_table(tmp_path, "nothing")


# The digest -----------------------------------------------------------------------------------

ROWS: list[dict[str, object]] = [
    {"number": 1, "length_m": 1.5, "name": "a", "good": True},
    {"number": 2, "length_m": -0.25, "name": "", "good": False},
    {"number": 3, "length_m": 0.0, "name": "bc", "good": None},
]


def test_the_digest_is_the_same_whatever_chunks_and_compression(tmp_path: Path) -> None:
    whole = table(ROWS)
    digest = digest_table(whole)
    assert digest_table(pa.concat_tables([whole[:1], whole[1:1], whole[1:]])) == digest
    assert digest_table(pa.concat_tables([table([{}]), whole])[1:]) == digest  # an offset
    for number, options in enumerate(
        ({"compression": "none"}, {"compression": "snappy", "row_group_size": 1})
    ):
        pq.write_table(whole, tmp_path / f"{number}.parquet", **options)
        assert digest_table(pq.read_table(tmp_path / f"{number}.parquet")) == digest


def changed(row: int, **values: object) -> pa.Table:
    return table([{**r, **values} if i == row else r for i, r in enumerate(ROWS)])


@pytest.mark.parametrize(
    "other",
    [
        changed(0, length_m=1.5000000000000002),
        changed(2, length_m=-0.0),
        changed(2, length_m=None),
        changed(1, name=None),
        changed(0, name="aa"),
        changed(2, good=False),
        changed(0, good=False),
        changed(0, number=None),
        changed(0, number=257),
        table(ROWS[::-1]),
        table(ROWS[:2]),
        table([*ROWS, {}]),
        table(ROWS).rename_columns(["number", "length", "name", "good"]),
        table(ROWS).select(["length_m", "number", "name", "good"]),
        table(ROWS).drop_columns(["good"]),
        table(ROWS).set_column(0, "number", pa.array([1, 2, 3], pa.int32())),
        changed(0, name="ab").set_column(2, "name", pa.array(["ab", "", "c"])),
    ],
    ids=range(17),
)
def test_the_digest_tells_any_difference(other: pa.Table) -> None:
    assert digest_table(other) != digest_table(table(ROWS))


def test_zero_and_null_of_every_type_have_their_own_digest() -> None:
    for name, zero in (("number", 0), ("length_m", 0.0), ("name", ""), ("good", False)):
        assert digest_table(table([{name: zero}])) != digest_table(table([{name: None}]))


def test_text_is_not_run_together() -> None:
    one, two = ([{"name": a}, {"name": b}] for a, b in (("ab", "c"), ("a", "bc")))
    assert digest_table(table(one)) != digest_table(table(two))


def test_temporary_files_are_no_tables(tmp_path: Path) -> None:
    write_part(tmp_path, 0, {"things": table(ROWS)})
    (tmp_path / "parts" / "things" / "nights-00001-00001.tmp").write_bytes(os.urandom(10))
    (tmp_path / "other.tmp").write_bytes(b"")
    assert table_names(tmp_path) == ["things"]
    assert read_table(tmp_path, "things").num_rows == 3
