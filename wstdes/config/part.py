"""Reading one hardware model by itself, without a scenario around it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from wstdes.config.base import HardwareModel
from wstdes.config.loading import _translate
from wstdes.config.provenance import collapse, unsourced
from wstdes.config.tree import REFUSED, Document, parse_override, read_yaml
from wstdes.errors import ConfigError, Problem, Where, did_you_mean
from wstdes.library import HARDWARE, shipped

__all__ = ["find_hardware", "load_hardware"]

M = TypeVar("M", bound=HardwareModel)


def find_hardware(kind: str, name: str | Path) -> Path:
    """Return the file of a hardware model: a path, or the name of a shipped one.

    Parameters
    ----------
    kind : str
        ``'focal_plane'``, ``'telescope'``, ...
    name : str or pathlib.Path
        ``wst-2026``, or a file that ends in ``.yaml``.

    Raises
    ------
    ConfigError
        There is no such file.
    """
    known = shipped(HARDWARE, kind)
    if str(name) in known:
        return known[str(name)]
    path = Path(name).expanduser()
    if path.suffix in {".yaml", ".yml"}:
        if path.is_file():
            return path
        raise ConfigError([Problem(f"there is no file '{name}'", where=Where(str(path)))])
    hint = did_you_mean(str(name), known) or "known here: " + ", ".join(known)
    raise ConfigError([Problem(f"'{name}' is no hardware model of the kind {kind}", hint=hint)])


def load_hardware(model: type[M], name: str | Path, overrides: Sequence[str] = ()) -> M:
    """Read and validate one hardware model.

    Parameters
    ----------
    model : type of HardwareModel
        What it describes.
    name : str or pathlib.Path
        The name of a shipped one, or a file.
    overrides : sequence of str, optional
        ``key=value``, laid over it.

    Returns
    -------
    HardwareModel
        Of the given type, in SI.

    Raises
    ------
    ConfigError
        Everything that is wrong with it, at once.
    """
    problems: list[Problem] = []
    path = find_hardware(model.kind, name)
    document = read_yaml(path, problems)
    if document is None or not isinstance(document.data, dict):
        if document is not None:
            problems.append(Problem("a hardware model is a mapping", where=Where(str(path))))
        raise ConfigError(problems)
    problems += unsourced(document)
    for override in overrides:
        try:
            document.merge(parse_override(override))
        except ConfigError as error:
            problems += error.problems
    collapse(document, problems)
    try:
        found = model.model_validate(document.data)
    except ValidationError as error:
        problems += [
            _problem(model, item, document) for item in error.errors() if item["input"] != REFUSED
        ]
        found = None
    if found is None or problems:
        raise ConfigError(list(dict.fromkeys(problems)))
    return found


def _problem(model: type[HardwareModel], item: Any, document: Document) -> Problem:
    if item["type"] == "extra_forbidden" and len(item["loc"]) == 1:
        key = str(item["loc"][0])
        known = [str(field.alias) for field in model.model_fields.values()]
        hint = did_you_mean(key, known)
        return Problem(f"there is no key '{key}' here", key, document.place((key,)), hint)
    return _translate(item, document)
