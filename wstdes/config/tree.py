"""YAML as written: plain data, and for every key the file and line where it stands.

YAML 1.2 is read (``1e9`` is a number, ``no`` is text), duplicate keys are refused, and anchors and
aliases are refused too: overlays say the same thing where it can be read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from wstdes.errors import ConfigError, Problem, Where

__all__ = ["REFUSED", "Document", "KeyPath", "dotted", "parse_override", "read_yaml"]

KeyPath = tuple[str | int, ...]
REFUSED = "\0refused"
"""Stands for a value that was refused already, so that nothing more is said of it."""

_INT = re.compile(r"[-+]?[0-9]+$")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$")
_CONSTANTS = {
    "": None,
    "~": None,
    "null": None,
    "Null": None,
    "NULL": None,
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}


def dotted(path: KeyPath) -> str:
    """Write a key's path as people do: ``surveys.deep.required``."""
    return ".".join(str(part) for part in path)


@dataclass
class Document:
    """A tree of plain data with the place of each of its keys.

    Parameters
    ----------
    data : object
        Mappings, lists and scalars.
    where : dict
        From key path to place.
    """

    data: Any
    where: dict[KeyPath, Where] = field(default_factory=dict)

    def place(self, path: KeyPath) -> Where | None:
        """Place of a key, or of the nearest key above it."""
        for end in range(len(path), -1, -1):
            if path[:end] in self.where:
                return self.where[path[:end]]
        return None

    def value(self, path: KeyPath) -> Any:
        """What stands at a path."""
        data = self.data
        for part in path:
            data = data[part]
        return data

    def at(self, path: KeyPath) -> Document:
        """The subtree at a path."""
        data = self.value(path)
        n = len(path)
        return Document(data, {k[n:]: w for k, w in self.where.items() if k[:n] == path})

    def merge(self, other: Document, at: KeyPath = ()) -> None:
        """Lay another tree over this one: mappings merge, everything else is replaced.

        ``null`` over a mapping's entry removes the entry, and a mapping whose ``use`` or ``kind``
        is another replaces the one below: the values of another model do not fit it.
        """
        self._merge_value(other.data, at)
        for path, where in other.where.items():
            self.where[at + path] = where

    def replace(self, path: KeyPath, other: Document) -> None:
        """Put another tree in place of what stands at a path."""
        self._forget(path)
        self._put(path, other.data)
        for inner, where in other.where.items():
            self.where[path + inner] = where

    def _merge_value(self, value: Any, path: KeyPath) -> None:
        here = self._get(path)
        if isinstance(value, dict) and isinstance(here, str):
            # `telescope: wst-12m4` becomes {use: wst-12m4} when one of its values is set.
            here = {"use": here}
            self._put(path, here)
        if isinstance(value, dict) and isinstance(here, dict) and not _another(value, here):
            for key, item in value.items():
                if item is None and isinstance(here.get(key), dict):
                    self._forget((*path, key))
                    del here[key]
                else:
                    self._merge_value(item, (*path, key))
            return
        self._forget(path)
        self._put(path, value)

    def _get(self, path: KeyPath) -> Any:
        data = self.data
        for part in path:
            if not isinstance(data, dict) or part not in data:
                return None
            data = data[part]
        return data

    def _put(self, path: KeyPath, value: Any) -> None:
        if not path:
            self.data = value
            return
        data = self.data
        for part in path[:-1]:
            if not isinstance(data.get(part), dict):
                data[part] = {}
            data = data[part]
        data[path[-1]] = value

    def _forget(self, path: KeyPath) -> None:
        n = len(path)
        for key in [k for k in self.where if k[:n] == path]:
            del self.where[key]


def _another(value: dict[str, Any], here: dict[str, Any]) -> bool:
    return any(key in value and key in here and value[key] != here[key] for key in ("use", "kind"))


def read_yaml(path: Path, problems: list[Problem]) -> Document | None:
    """Read a YAML file, adding what is wrong with it to ``problems``.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    problems : list of Problem
        Extended in place.

    Returns
    -------
    Document or None
        None when nothing could be read.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        problems.append(Problem(f"cannot be read: {_reason(error)}", where=Where(str(path))))
        return None
    return parse_yaml(text, str(path), problems)


def _reason(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8 text"
    return str(getattr(error, "strerror", None) or error)


def parse_yaml(text: str, name: str, problems: list[Problem]) -> Document | None:
    """Parse YAML text; see :func:`read_yaml`."""
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    try:
        node = _compose(text)
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        problems.append(
            Problem(f"this is not YAML: {error.problem or error.context}", where=Where(name, line))
        )
        return None
    except YAMLError as error:
        message = str(error).strip().splitlines()[0]
        problems.append(Problem(f"this is not YAML: {message}", where=Where(name)))
        return None
    document = Document({})
    if node is not None:
        document.data = _build(node, (), name, document, problems)
    return document


@lru_cache(maxsize=128)
def _compose(text: str) -> Any:
    """Nodes of YAML text, which nobody changes: shipped files are parsed once in a process."""
    from ruamel.yaml import YAML

    return YAML(typ="safe", pure=True).compose(text)


def _build(node: Any, path: KeyPath, name: str, doc: Document, problems: list[Problem]) -> Any:
    """Turn a YAML node into plain data, noting the line of each key."""
    where = Where(name, node.start_mark.line + 1)
    doc.where.setdefault(path, where)
    if node.anchor:
        problems.append(
            Problem(
                "anchors and aliases are not read here",
                dotted(path),
                where,
                "write the value again, or put what is shared in a file and use `extends:`",
            )
        )
        return REFUSED
    if node.id == "mapping":
        return dict(_entries(node, path, name, doc, problems))
    if node.id == "sequence":
        return [_build(n, (*path, i), name, doc, problems) for i, n in enumerate(node.value)]
    return _scalar(node)


def _entries(
    node: Any, path: KeyPath, name: str, doc: Document, problems: list[Problem]
) -> Iterator[tuple[str, Any]]:
    seen: dict[str, int] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        where = Where(name, line)
        if key_node.id != "scalar":
            problems.append(Problem("a key is a plain word here", dotted(path), where))
            continue
        key = str(key_node.value)
        if key in seen:
            problems.append(
                Problem(
                    f"this key stands here a second time (first on line {seen[key]})",
                    dotted((*path, key)),
                    where,
                    "keep one of the two",
                )
            )
            continue
        seen[key] = line
        doc.where[(*path, key)] = where
        yield key, _build(value_node, (*path, key), name, doc, problems)


def _scalar(node: Any) -> Any:
    """Resolve a scalar by YAML 1.2's core schema; quoted text stays text."""
    text = str(node.value)
    if node.style in {"'", '"', "|", ">"}:
        return text
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _INT.match(text):
        return int(text)
    if _FLOAT.match(text):
        return float(text)
    return text


def parse_override(text: str) -> Document:
    """Read ``key.path=value``, as given with ``--set``.

    Parameters
    ----------
    text : str
        The value is read as YAML.

    Returns
    -------
    Document
        A tree holding the one key.

    Raises
    ------
    ConfigError
        There is no ``=``, the path is empty, or the value is not YAML.
    """
    where = Where(f"--set {text}")
    key, sign, value = text.partition("=")
    parts = [part.strip() for part in key.split(".")]
    if not sign or not all(parts):
        raise ConfigError(
            [
                Problem(
                    "this is not key.path=value",
                    where=where,
                    hint="for example --set telescope.settle='10 s'",
                )
            ]
        )
    problems: list[Problem] = []
    inner = parse_yaml(value, where.file, problems)
    if problems or inner is None:
        raise ConfigError(
            [Problem(p.message, dotted(tuple(parts)), where, p.hint) for p in problems]
        )
    document = Document({}, {(): where})
    document.merge(Document(inner.data if value.strip() else None), tuple(parts))
    data = document.data
    for depth, part in enumerate(parts):
        document.where[tuple(parts[: depth + 1])] = where
        data = data[part]
    return document
