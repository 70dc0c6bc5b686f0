"""Shipped files are parsed once for all tests of this folder: parsing is most of loading's time."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path

import pytest

import wstdes.config.loading as loading
from wstdes.config.tree import Document, read_yaml
from wstdes.errors import Problem
from wstdes.library import library

_PARSED: dict[Path, Document] = {}


def _read_once(path: Path, problems: list[Problem]) -> Document | None:
    if not any(path.is_relative_to(library(k)) for k in ("scenarios", "hardware_models")):
        return read_yaml(path, problems)
    if path not in _PARSED:
        document = read_yaml(path, problems)
        assert document is not None
        _PARSED[path] = document
    return deepcopy(_PARSED[path])


@pytest.fixture(autouse=True)
def _parse_shipped_files_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "read_yaml", _read_once)
