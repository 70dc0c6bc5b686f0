"""Asking the schema what belongs at a key path."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel

from wstdes.config.base import HardwareModel
from wstdes.config.tree import KeyPath

__all__ = ["hardware_type", "is_number", "known_keys", "sub_annotations"]


def _bare(annotation: Any) -> Any:
    """Without its metadata, and without the None of what may be left out."""
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) in (Union, types.UnionType):
        members = [a for a in get_args(annotation) if a is not types.NoneType]
        if len(members) == 1:
            return _bare(members[0])
    return annotation


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def hardware_type(annotation: Any) -> type[HardwareModel] | None:
    """The hardware model that a field holds, if it holds one."""
    bare = _bare(annotation)
    return bare if _is_model(bare) and issubclass(bare, HardwareModel) else None


def is_number(annotation: Any) -> bool:
    """Whether a field holds a number, or a list of numbers."""
    bare = _bare(annotation)
    if get_origin(bare) is tuple:
        return is_number(get_args(bare)[0])
    return bare in (int, float)


def _model_for(annotation: Any, data: Any) -> Any:
    """The model, or the member of a union that the data's ``kind`` names."""
    bare = _bare(annotation)
    if get_origin(bare) in (Union, types.UnionType):
        for member in map(_bare, get_args(bare)):
            if _is_model(member) and isinstance(data, dict):
                tags = typing.get_args(member.model_fields["kind"].annotation)
                if data.get("kind") in tags:
                    return member
        return None
    return bare


def sub_annotations(annotation: Any, data: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Each key that stands in the data, with the annotation of what belongs there."""
    model = _model_for(annotation, data)
    if get_origin(model) is dict:
        for key in list(data):
            yield key, get_args(model)[1]
    elif _is_model(model):
        for field in model.model_fields.values():
            if field.alias in data:
                yield field.alias, field.annotation


def known_keys(root: Any, data: Any, path: KeyPath) -> list[str]:
    """Keys that the schema knows at a path; empty where any key may stand."""
    annotation: Any = root
    for part in path:
        if not isinstance(data, dict):
            return []
        inner = dict(sub_annotations(annotation, data)).get(str(part))
        if inner is None:
            return []
        annotation, data = inner, data.get(part)
    model = _model_for(annotation, data)
    if not _is_model(model):
        return []
    return [str(field.alias) for field in model.model_fields.values()]
