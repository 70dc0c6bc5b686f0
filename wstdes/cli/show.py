"""`wstdes show`: print a scenario."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from wstdes.cli.options import Overlays, ScenarioName, Sets

if TYPE_CHECKING:
    from wstdes.config.provenance import Provenance

__all__ = ["show"]


def show(
    scenario: ScenarioName,
    resolved: Annotated[
        bool, typer.Option("--resolved", help="With all that it extends and uses, and sources.")
    ] = False,
    overlay: Overlays = None,
    set_: Sets = None,
) -> None:
    """Print a scenario, as written or resolved to the last value with its source."""
    from wstdes.config import find_scenario
    from wstdes.errors import WstdesError
    from wstdes.facility import load

    if not resolved:
        if overlay or set_:
            raise WstdesError("--overlay and --set change the resolved scenario: add --resolved")
        print(find_scenario(scenario).read_text(encoding="utf-8"), end="")
        return
    loaded = load(scenario, overlays=overlay or [], overrides=set_ or [])
    print("\n".join(_lines(loaded.readable(), "", "", loaded.provenance)))


def _lines(
    data: dict[str, Any], path: str, indent: str, sources: dict[str, Provenance]
) -> Iterator[str]:
    """YAML that can be run again; hardware values carry their sources."""
    for key, value in data.items():
        here = f"{path}.{key}" if path else key
        if isinstance(value, dict) and value:
            yield f"{indent}{key}:"
            yield from _lines(value, here, indent + "  ", sources)
        else:
            source = sources.get(here)
            known = source is not None and source.confidence != "set"
            text = _sourced(value, source) if source is not None and known else _scalar(value)
            yield f"{indent}{key}: {text}"


def _sourced(value: Any, source: Provenance) -> str:
    """A value with where it comes from, as hardware models write it."""
    parts = {"value": value, "source": source.source, "confidence": source.confidence}
    parts |= {"range": source.range} if source.range else {}
    parts |= {"note": source.note} if source.note else {}
    return "{" + ", ".join(f"{key}: {_scalar(part)}" for key, part in parts.items()) + "}"


def _scalar(value: Any) -> str:
    if isinstance(value, str) and value.replace("-", "").isalpha():
        return value if value not in {"null", "true", "false"} else json.dumps(value)
    return json.dumps(value, ensure_ascii=False)
