"""State as data: dataclasses written down at noon and read back bit for bit.

JSON for the structure (Python writes floats so that they are read back exactly), one NPZ file for
the arrays. Nothing is pickled, so reading a state runs no code.
"""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from pathlib import Path
from typing import Any, TypeVar, Union, get_args, get_origin

import numpy as np

__all__ = ["load_state", "save_state"]

T = TypeVar("T")


def save_state(folder: Path, states: dict[str, Any], day: int) -> None:
    """Write the states of all agents as they are at the noon that begins a day.

    Parameters
    ----------
    folder : pathlib.Path
        Made if it is not there.
    states : dict of str to dataclass
        By agent.
    day : int
        The day that the states are the beginning of.
    """
    folder.mkdir(parents=True, exist_ok=True)
    arrays: dict[str, np.ndarray[Any, Any]] = {}
    data = {name: _encode(state, arrays) for name, state in states.items()}
    with (folder / "arrays.npz").open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]
    text = json.dumps({"day": day, "agents": data}, indent=1)
    (folder / "state.json").write_text(text, encoding="utf-8")


def load_state(folder: Path, types_: dict[str, type]) -> tuple[dict[str, Any], int]:
    """Read what :func:`save_state` wrote.

    Parameters
    ----------
    folder : pathlib.Path
        Where it was written.
    types_ : dict of str to type
        The dataclass of each agent's state.

    Returns
    -------
    states : dict of str to dataclass
    day : int
    """
    data = json.loads((folder / "state.json").read_text(encoding="utf-8"))
    with np.load(folder / "arrays.npz", allow_pickle=False) as stored:
        arrays = {name: stored[name] for name in stored.files}
    states = {name: _decode(types_[name], item, arrays) for name, item in data["agents"].items()}
    return states, int(data["day"])


def _encode(value: Any, arrays: dict[str, np.ndarray[Any, Any]]) -> Any:
    if isinstance(value, np.ndarray):
        if value.dtype.hasobject:
            raise TypeError("a state cannot hold an array of objects")
        name = f"a{len(arrays)}"
        arrays[name] = value
        return {"$array": name}
    if dataclasses.is_dataclass(value):
        return {f.name: _encode(getattr(value, f.name), arrays) for f in dataclasses.fields(value)}
    if isinstance(value, dict):
        return [[_encode(k, arrays), _encode(v, arrays)] for k, v in value.items()]
    if isinstance(value, list | tuple):
        return [_encode(v, arrays) for v in value]
    if isinstance(value, set):
        return sorted(value)
    if isinstance(value, np.generic):
        return value.item()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(f"a state cannot hold {type(value).__name__}")


def _decode(kind: Any, value: Any, arrays: dict[str, np.ndarray[Any, Any]]) -> Any:
    origin, args = get_origin(kind), get_args(kind)
    if isinstance(value, dict) and "$array" in value:
        return arrays[value["$array"]]
    if origin in (Union, types.UnionType):
        if value is None:
            return None
        return _decode(next(a for a in args if a is not type(None)), value, arrays)
    if dataclasses.is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        return kind(**{k: _decode(hints[k], v, arrays) for k, v in value.items()})  # type: ignore[operator]
    if origin is dict:
        return {_decode(args[0], k, arrays): _decode(args[1], v, arrays) for k, v in value}
    if origin in (list, set):
        return origin(_decode(args[0], v, arrays) for v in value)
    if origin is tuple:
        inner = args[:1] * len(value) if args[-1] is Ellipsis else args
        return tuple(_decode(a, v, arrays) for a, v in zip(inner, value, strict=True))
    if kind is float and value is not None:
        return float(value)
    return value
