"""States: written down at noon and read back bit for bit, without running any code."""

from __future__ import annotations

import dataclasses
import math
import struct
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Optional

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wstdes.kernel import load_state, save_state

Array = np.ndarray[Any, Any]


@dataclass
class Inner:
    x: float = 0.0
    label: str = ""
    flag: bool = False


@dataclass
class Whole:
    x: float = 0.0
    n: int = 0
    maybe: float | None = None
    old: Optional[Inner] = None  # noqa: UP045
    text: str = ""
    inner: Inner = field(default_factory=Inner)
    inners: list[Inner] = field(default_factory=list)
    pair: tuple[int, str] = (0, "")
    many: tuple[float, ...] = ()
    by_pair: dict[tuple[str, int], Inner] = field(default_factory=dict)
    by_number: dict[int, list[float]] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    array: Array = field(default_factory=lambda: np.zeros(0))
    arrays: dict[int, Array] = field(default_factory=dict)
    perhaps: Array | None = None


FLOAT = st.floats()
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
HUGE = st.integers(-(2**200), 2**200)
INNER = st.builds(Inner, FLOAT, TEXT, st.booleans())
DTYPES = ["f8", "f4", "i8", "i4", "i2", "u2", "u1", "bool", "U4", "u8"]


def array_of(dtype: str, shape: tuple[int, ...], seed: int) -> Array:
    raw = np.random.default_rng(seed).integers(0, 9, shape)
    return np.array(raw).astype(np.dtype(dtype))


ARRAY = st.builds(
    array_of,
    st.sampled_from(DTYPES),
    st.sampled_from([(0,), (3,), (2, 3), (0, 4), ()]),
    st.integers(0, 99),
)
WHOLE = st.builds(
    Whole,
    x=FLOAT,
    n=HUGE,
    maybe=st.one_of(st.none(), FLOAT),
    old=st.one_of(st.none(), INNER),
    text=TEXT,
    inner=INNER,
    inners=st.lists(INNER, max_size=3),
    pair=st.tuples(HUGE, TEXT),
    many=st.lists(FLOAT, max_size=3).map(tuple),
    by_pair=st.dictionaries(st.tuples(TEXT, st.integers()), INNER, max_size=3),
    by_number=st.dictionaries(st.integers(), st.lists(FLOAT, max_size=2), max_size=3),
    names=st.sets(TEXT, max_size=4),
    array=ARRAY,
    arrays=st.dictionaries(st.integers(0, 9), ARRAY, max_size=2),
    perhaps=st.one_of(st.none(), ARRAY),
)


def bits(value: Any) -> Any:
    """A value in a form whose equality is that of all bits, types and orders."""
    if dataclasses.is_dataclass(value):
        return type(value).__name__, [
            bits(getattr(value, f.name)) for f in dataclasses.fields(value)
        ]
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.shape, value.tobytes()
    if isinstance(value, float):
        return "float", "nan" if math.isnan(value) else struct.pack("<d", value)
    if isinstance(value, dict):
        return "dict", [(bits(k), bits(v)) for k, v in value.items()]
    if isinstance(value, list | tuple):
        return type(value).__name__, [bits(v) for v in value]
    if isinstance(value, set):
        return "set", sorted(value)
    return type(value).__name__, value


def round_trip(state: Any, folder: Path) -> Any:
    save_state(folder, {"one": state}, 7)
    states, day = load_state(folder, {"one": type(state)})
    assert day == 7
    return states["one"]


@given(state=WHOLE)
@settings(max_examples=40)
def test_a_state_is_read_back_bit_for_bit(state: Whole) -> None:
    with TemporaryDirectory() as folder:
        assert bits(round_trip(state, Path(folder))) == bits(state)


@pytest.mark.parametrize("x", [-0.0, math.inf, -math.inf, math.nan, 5e-324, 0.1, 1e308, 2.0**53])
def test_odd_floats_are_read_back(x: float, tmp_path: Path) -> None:
    assert bits(round_trip(Inner(x), tmp_path)) == bits(Inner(x))


def test_states_of_several_agents_stay_apart_and_in_order(tmp_path: Path) -> None:
    states = {"b": Whole(array=np.arange(3)), "a": Whole(array=np.arange(4.0)), "c": Inner(3.0)}
    save_state(tmp_path, states, 0)
    back, _ = load_state(tmp_path, {"a": Whole, "b": Whole, "c": Inner})
    assert list(back) == ["b", "a", "c"]
    assert {k: bits(v) for k, v in back.items()} == {k: bits(v) for k, v in states.items()}


def test_numpy_scalars_become_plain_numbers(tmp_path: Path) -> None:
    back = round_trip(Whole(x=np.float64(0.1), n=np.int64(3)), tmp_path)  # type: ignore[arg-type]
    assert (type(back.x), back.x, type(back.n), back.n) == (float, 0.1, int, 3)


def test_an_int_where_a_float_belongs_is_read_as_a_float(tmp_path: Path) -> None:
    back = round_trip(Whole(x=3, maybe=4), tmp_path)
    assert (type(back.x), type(back.maybe)) == (float, float)


@pytest.mark.parametrize(
    "thing",
    [object(), b"bytes", 1j, np.random.default_rng(1), print, range(3), (i for i in "ab")],
    ids=lambda t: type(t).__name__,
)
def test_what_a_state_cannot_hold_is_refused(thing: object, tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="a state cannot hold"):
        save_state(tmp_path, {"one": Whole(x=thing)}, 0)  # type: ignore[arg-type]


def test_arrays_of_objects_are_refused_when_they_are_saved(tmp_path: Path) -> None:
    with pytest.raises((TypeError, ValueError)):
        save_state(tmp_path, {"one": Whole(array=np.array([{}, None], dtype=object))}, 0)


def test_nothing_is_pickled(tmp_path: Path) -> None:
    save_state(tmp_path, {"one": Whole(array=np.arange(5), text="x", inners=[Inner()])}, 0)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["arrays.npz", "state.json"]
    with zipfile.ZipFile(tmp_path / "arrays.npz") as stored:
        for name in stored.namelist():
            assert stored.read(name).startswith(b"\x93NUMPY")
            assert b"'|O'" not in stored.read(name)[:200]
    with np.load(tmp_path / "arrays.npz", allow_pickle=False) as arrays:
        assert all(a.dtype != object for a in arrays.values())


def test_the_states_of_a_new_facility_and_of_one_after_a_day_are_read_back(tmp_path: Path) -> None:
    from wstdes.facility import build, load

    facility = build(load("small"))
    states = facility.new_states()
    for day in range(2):
        if day:
            facility.simulate_day(states, 0)
        facility.save(tmp_path / str(day), states, day)
        back, read_day = facility.restore(tmp_path / str(day))
        assert read_day == day
        assert {k: bits(v) for k, v in back.items()} == {k: bits(v) for k, v in states.items()}
