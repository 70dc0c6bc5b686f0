"""Where each number of the hardware comes from."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from wstdes.config.tree import Document, KeyPath, dotted
from wstdes.errors import Problem, Where, did_you_mean

__all__ = ["CONFIDENCES", "Provenance", "collapse", "unsourced"]

Confidence = Literal["published", "derived", "assumed", "set"]
CONFIDENCES = ("published", "derived", "assumed")
_LEAF_KEYS = {"value", "unit", "source", "confidence", "range", "note"}


@dataclass(frozen=True)
class Provenance:
    """Source of a value.

    Parameters
    ----------
    path : str
        Key path in the scenario.
    value : str
        The value with its unit, as written.
    source : str
        A citation, or how it was derived, or why it was assumed.
    confidence : {'published', 'derived', 'assumed', 'set'}
        ``set`` is what a scenario or ``--set`` wrote over a hardware model's value.
    range : str
        Plausible range, where one is known.
    note : str
        What a reader should know.
    """

    path: str
    value: str
    source: str
    confidence: Confidence
    range: str = ""
    note: str = ""

    def as_dict(self) -> dict[str, str]:
        """Plain data, for the manifest."""
        return asdict(self)


def is_leaf(data: Any) -> bool:
    """Whether a mapping is a value with its source, not a group of keys."""
    return isinstance(data, dict) and "value" in data and bool({"source", "confidence"} & set(data))


def collapse(document: Document, problems: list[Problem]) -> dict[str, Provenance]:
    """Replace each sourced value by the value alone; return the sources by key path."""
    found: dict[str, Provenance] = {}
    document.data = _collapse(document.data, (), document, found, problems)
    return found


def _collapse(
    data: Any, path: KeyPath, doc: Document, found: dict[str, Provenance], problems: list[Problem]
) -> Any:
    if is_leaf(data):
        found[dotted(path)] = _provenance(data, path, doc.place(path), problems)
        return _with_unit(data["value"], data.get("unit"))
    if isinstance(data, dict):
        return {k: _collapse(v, (*path, k), doc, found, problems) for k, v in data.items()}
    return data


def _provenance(
    data: dict[str, Any], path: KeyPath, where: Where | None, problems: list[Problem]
) -> Provenance:
    for key in sorted(set(data) - _LEAF_KEYS):
        problems.append(
            Problem(
                f"'{key}' says nothing about a value",
                dotted((*path, key)),
                where,
                did_you_mean(key, _LEAF_KEYS),
            )
        )
    confidence: Any = data.get("confidence")
    if confidence not in CONFIDENCES:
        problems.append(
            Problem(
                f"confidence is {confidence!r}",
                dotted(path),
                where,
                "known here: " + ", ".join(CONFIDENCES),
            )
        )
        confidence = "assumed"
    if not str(data.get("source") or "").strip():
        problems.append(
            Problem(
                "a value without a source",
                dotted(path),
                where,
                "say where it comes from; if nobody published it: how it was assumed",
            )
        )
    unit = str(data.get("unit") or "")
    bounds = data.get("range")
    return Provenance(
        path=dotted(path),
        value=_text(data["value"], unit),
        source=str(data.get("source") or ""),
        confidence=confidence,
        range="" if bounds is None else _text(bounds, unit),
        note=str(data.get("note") or ""),
    )


def _text(value: Any, unit: str) -> str:
    if isinstance(value, list):
        text = ", ".join(str(v) for v in value)
        return f"[{text}] {unit}".strip()
    return f"{value} {unit}".strip()


def _with_unit(value: Any, unit: Any) -> Any:
    if unit is None:
        return value
    if isinstance(value, list):
        return [_with_unit(v, unit) for v in value]
    return f"{value} {unit}"


def unsourced(document: Document) -> list[Problem]:
    """Numbers of a hardware file that do not say where they come from."""
    return list(_unsourced(document.data, (), document))


def _unsourced(data: Any, path: KeyPath, doc: Document) -> list[Problem]:
    if is_leaf(data):
        return []
    if isinstance(data, dict):
        return [p for k, v in data.items() for p in _unsourced(v, (*path, k), doc)]
    if isinstance(data, list):
        return [p for i, v in enumerate(data) for p in _unsourced(v, (*path, i), doc)]
    if isinstance(data, bool) or not isinstance(data, int | float):
        return []
    return [
        Problem(
            f"{data!r} says nothing of where it comes from",
            dotted(path),
            doc.place(path),
            "write {value: ..., unit: ..., source: ..., confidence: ...}",
        )
    ]


def mark_overridden(document: Document, paths: list[KeyPath], found: dict[str, Provenance]) -> None:
    """Give hardware values that a scenario wrote over their model's the confidence ``set``."""
    for path in paths:
        key = dotted(path)
        if key not in found:
            data: Any = document.data
            for part in path:
                data = data[part]
            found[key] = Provenance(key, _text(data, ""), f"{document.place(path)}", "set")
