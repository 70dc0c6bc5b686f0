"""Write docs/reference/ from the code, so that it cannot say anything else than the code.

Run it as ``python docs/make_reference.py``; ``make docs`` does. The pages are the same for the
same code, so a page that changed shows what changed.
"""

from __future__ import annotations

import tempfile
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

import wstdes
from wstdes.agents.tables import TABLES
from wstdes.config.base import HardwareModel, PolicyRef
from wstdes.config.provenance import collapse, is_leaf
from wstdes.config.scenario import Scenario
from wstdes.config.tree import Document, read_yaml
from wstdes.errors import ConfigError, Problem
from wstdes.library import HARDWARE, shipped
from wstdes.policies import BUILT_IN, alerts, dispatch, placement, queueing, retention, scheduling
from wstdes.units import Unit

__all__ = ["FOLDER", "make_pages"]

FOLDER = Path(__file__).resolve().parent / "reference"
NOTICE = "<!-- Made by docs/make_reference.py from the code: change the code, not this page. -->\n"
WIDTH = 92
"""Columns of the command line's help."""


def make_pages(summary: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Return the text of each page.

    Parameters
    ----------
    summary : mapping of str to mapping
        The summary of a run of the scenario ``small``: names, units and meanings of its metrics.

    Returns
    -------
    dict of str to str
        By file name.
    """
    pages = {
        "cli.md": _cli(),
        "scenario.md": _scenario(),
        "hardware.md": _hardware(),
        "policies.md": _policies(),
        "tables.md": _tables(),
        "metrics.md": _metrics(summary),
    }
    return {name: NOTICE + "\n" + "\n".join(lines) + "\n" for name, lines in pages.items()}


def _grid(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Lay out a Markdown table, with a blank line after it."""
    yield "| " + " | ".join(titles) + " |"
    yield "|" + "---|" * len(titles)
    for row in rows:
        yield "| " + " | ".join(" ".join(c.split()).replace("|", "\\|") for c in row) + " |"
    yield ""


def _first_line(thing: object) -> str:
    return (getattr(thing, "__doc__", None) or "").strip().partition("\n")[0]


# The command line --------------------------------------------------------------------------------


def _cli() -> list[str]:
    import typer

    from wstdes.cli.main import app

    group: Any = typer.main.get_command(app)
    lines = ["# The command line", ""]
    for name, command in [("", group), *group.commands.items()]:
        title = f"wstdes {name}".strip()
        context = command.context_class(
            command, info_name=title, terminal_width=WIDTH, max_content_width=WIDTH
        )
        help_ = [line.rstrip() for line in command.get_help(context).strip().splitlines()]
        lines += [f"## {title}", "", "```text", *help_, "```", ""]
    lines += [
        "Exit codes: 0 done; 1 what reads the output has gone, or a file of assignments broke a",
        "rule (`--check`); 2 something the user can mend, said on standard error; 130 stopped with",
        "Ctrl-C (the run directory is partial but readable).",
    ]
    return lines


# The scenario ------------------------------------------------------------------------------------


def _bare(annotation: Any) -> Any:
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    return annotation


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _unit(metadata: Sequence[Any]) -> Unit | None:
    return next((m for m in metadata if isinstance(m, Unit)), None)


def _limits(metadata: Sequence[Any]) -> str:
    """Bounds of a number, in the unit that the program uses inside: the narrowest of each side."""
    low = [(m.gt, ">") for m in metadata if getattr(m, "gt", None) is not None]
    low += [(m.ge, ">=") for m in metadata if getattr(m, "ge", None) is not None]
    high = [(m.lt, "<") for m in metadata if getattr(m, "lt", None) is not None]
    high += [(m.le, "<=") for m in metadata if getattr(m, "le", None) is not None]
    # Of equal bounds the strict one is the narrower.
    ends = [max(low, key=lambda b: (b[0], b[1] == ">"))] if low else []
    ends += [min(high, key=lambda b: (b[0], b[1] == "<="))] if high else []
    return ", ".join(f"{sign} {bound:g}" for bound, sign in ends)


def _type(annotation: Any, metadata: Sequence[Any] = ()) -> str:
    """Say in words what belongs under a key."""
    if get_origin(annotation) is Annotated:
        inner = [part for m in annotation.__metadata__ for part in _parts(m)]
        return _type(annotation.__origin__, [*inner, *metadata])
    unit, limits = _unit(metadata), _limits(metadata)
    after = f" ({limits})" if limits else ""
    if unit is not None:
        return unit.kind.removeprefix("a ").removeprefix("an ") + after
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return " or ".join(f"`{a}`" for a in args)
    if origin in (Union, types.UnionType):
        return " or ".join(_type(a) for a in args)
    if origin is dict:
        return f"{_type(args[1])}, by name"
    if origin is tuple:
        if args[-1] is not Ellipsis:
            return f"{len(args)} x {_type(args[0])}"
        length = next((m.min_length for m in metadata if hasattr(m, "min_length")), None)
        exact = any(hasattr(m, "max_length") for m in metadata)
        return f"{length if exact else 'list of'} {_type(args[0])}"
    if _is_model(annotation):
        return _link(annotation)
    names = {float: "number", int: "integer", str: "text", bool: "true or false"}
    return names.get(annotation, getattr(annotation, "__name__", str(annotation))) + after


def _parts(metadata: Any) -> list[Any]:
    return list(metadata.metadata) if isinstance(metadata, FieldInfo) else [metadata]


def _link(model: type[BaseModel]) -> str:
    if issubclass(model, PolicyRef):
        return "`{use: ..., options: {...}}`"
    if issubclass(model, HardwareModel):
        return f"[hardware model](hardware.md#{model.kind})"
    return f"[{model.__name__}](#{model.__name__.lower()})"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.default
    if value is PydanticUndefined or isinstance(value, BaseModel):
        return "empty" if value is PydanticUndefined else "all sky"
    if value in ("", ()):
        return "empty"
    if isinstance(value, tuple):
        return "`[" + ", ".join(f"{v:g}" for v in value) + "]`"
    unit = _unit(field.metadata)
    return f"{value:g} {unit.si}" if unit else f"`{value}`"


def _field_row(field: FieldInfo) -> tuple[str, str, str, str, str]:
    unit = _unit(field.metadata)
    example = f"{unit.si}, as in `{unit.example}`" if unit else ""
    return (
        f"`{field.alias}`",
        _type(field.annotation, field.metadata),
        example,
        _default(field),
        field.description or "",
    )


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    bare = _bare(annotation)
    if _is_model(bare):
        yield bare
    for arg in get_args(bare):
        if arg is not Ellipsis:
            yield from _models_in(arg)


def _sections(model: type[BaseModel], seen: set[type[BaseModel]], level: str) -> Iterator[str]:
    """A table of a model's keys, then those of the models inside it, each once."""
    if model in seen or issubclass(model, PolicyRef):
        return
    seen.add(model)
    fields = list(model.model_fields.values())
    yield f"{level} {model.__name__}"
    yield ""
    yield _first_line(model)
    yield ""
    titles = ("key", "type", "unit", "default", "what it is")
    yield from _grid(titles, [_field_row(field) for field in fields])
    for field in fields:
        for inner in _models_in(field.annotation):
            if not issubclass(inner, HardwareModel):
                yield from _sections(inner, seen, level)


def _scenario() -> list[str]:
    return [
        "# The scenario",
        "",
        "Every key of a scenario file. A quantity is text with a unit (`20 min`, `55 deg`); any",
        "unit of the same kind will do. Limits are in the unit named in the column *unit*. A key",
        "`readout` is the attribute `readout_s` in Python: the unit is the end of the name.",
        "",
        "`extends: NAME` (a scenario or a list of them) takes the keys of another scenario; it is",
        "resolved first and is not part of the table.",
        "",
        *_sections(Scenario, set(), "##"),
    ]


# The hardware ------------------------------------------------------------------------------------


def _hardware_kinds() -> list[type[HardwareModel]]:
    found: dict[type[HardwareModel], None] = {}

    def walk(model: type[BaseModel]) -> None:
        if issubclass(model, HardwareModel):
            found[model] = None
        for field in model.model_fields.values():
            for inner in _models_in(field.annotation):
                if inner not in found:
                    walk(inner)

    walk(Scenario)
    return sorted(found, key=lambda m: m.kind)


def _hardware() -> list[str]:
    kinds = _hardware_kinds()
    lines = [
        "# The hardware models",
        "",
        "Keys of each kind, and the values of every model that ships, with their sources. What the",
        "confidences mean: [assumptions](../background/assumptions.md).",
        "",
        *_grid(
            ("kind", "what it is", "models", "values", "of them assumed"),
            [_kind_row(kind) for kind in kinds],
        ),
    ]
    for kind in kinds:
        lines += [f"## {kind.kind}", "", *list(_sections(kind, set(), "###"))[2:]]
        for name, path in shipped(HARDWARE, kind.kind).items():
            lines += _hardware_model(name, path)
    return lines


def _read(path: Path) -> tuple[Document, list[tuple[str, ...]]]:
    problems: list[Problem] = []
    document = read_yaml(path, problems)
    if document is None or problems:
        raise ConfigError(problems)
    rows = list(_values(document, ()))
    return document, rows


def _values(document: Document, path: tuple[str | int, ...]) -> Iterator[tuple[str, ...]]:
    """Key, value, range, confidence, source of each value of a model."""
    problems: list[Problem] = []
    plain = Document(document.data, dict(document.where))
    for key, item in collapse(plain, problems).items():
        source = item.source + (f" ({item.note})" if item.note else "")
        yield (f"`{key}`", item.value, item.range, item.confidence, source)
    if problems:
        raise ConfigError(problems)


def _kind_row(kind: type[HardwareModel]) -> tuple[str, ...]:
    models = shipped(HARDWARE, kind.kind)
    rows = [row for path in models.values() for row in _read(path)[1]]
    assumed = sum(row[3] == "assumed" for row in rows)
    names = ", ".join(f"[{n}](#{kind.kind}-{n})" for n in models)
    return (f"[{kind.kind}](#{kind.kind})", _first_line(kind), names, str(len(rows)), str(assumed))


def _choices(data: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """What a model says besides its sourced values: modes, ends, models it uses."""
    if is_leaf(data):
        return
    if isinstance(data, dict):
        for key, value in data.items():
            if not path and key in {"title", "description"}:
                continue
            yield from _choices(value, f"{path}.{key}" if path else str(key))
    else:
        text = ", ".join(map(str, data)) if isinstance(data, list) else str(data)
        yield path, text


def _hardware_model(name: str, path: Path) -> list[str]:
    document, rows = _read(path)
    data = document.data
    lines = [f'<a id="{path.parent.name}-{name}"></a>', f"### {name}", "", f"**{data['title']}**"]
    if data.get("description"):
        lines[-1] += f". {' '.join(data['description'].split())}"
    lines += [""]
    if path.parent.name != "pipeline":
        chosen = [f"`{key}`: {value}" for key, value in _choices(data)]
        lines += [f"Choices: {'; '.join(chosen)}.", ""] if chosen else []
    else:
        lines += _stages(data)
    return [*lines, *_grid(("key", "value", "range", "confidence", "source"), rows)]


def _stages(data: dict[str, Any]) -> list[str]:
    """A pipeline's graph: its stages and what each needs."""
    rows = [
        (
            f"`{name}`",
            stage["mode"],
            stage["per"],
            ", ".join(stage["needs"]),
            stage["role"],
            stage["pool"],
            stage["output"],
            "yes" if stage["archive"] else "no",
        )
        for name, stage in data["stages"].items()
    ]
    titles = ("stage", "mode", "per", "needs", "role", "pool", "output", "archived")
    return list(_grid(titles, rows))


# Policies, tables, metrics -----------------------------------------------------------------------


def _policies() -> list[str]:
    protocols: dict[str, type[Any]] = {
        "scheduling": scheduling.SchedulingPolicy,
        "alerts": alerts.AlertPolicy,
        "placement": placement.PlacementPolicy,
        "queue": queueing.QueuePolicy,
        "retention": retention.RetentionPolicy,
        "dispatch": dispatch.DispatchPolicy,
    }
    lines = [
        "# The policies",
        "",
        "One of each kind decides. In a scenario: `policies.KIND: {use: NAME, options: {...}}`.",
        "How to write one: [policies](../guides/policies.md).",
        "",
    ]
    for kind, known in BUILT_IN.items():
        protocol = protocols[kind]
        lines += [f"## {kind}", "", _first_line(protocol), ""]
        lines += ["```python", *_methods(protocol), "```", ""]
        lines += _grid(
            ("name", "what it does"), [(f"`{n}`", _first_line(c)) for n, c in known.items()]
        )
        for name, cls in known.items():
            fields = list(cls.Options.model_fields.values())
            if fields:
                lines += [f"Options of `{name}`:", ""]
                titles = ("option", "type", "unit", "default", "what it is")
                lines += _grid(titles, [_field_row(field) for field in fields])
    return lines


def _methods(protocol: type[Any]) -> Iterator[str]:
    """Signatures of a protocol's own methods, with their first lines."""
    import inspect

    for name, method in vars(protocol).items():
        if name.startswith("_") or not inspect.isfunction(method):
            continue
        hints = typing.get_type_hints(method)
        arguments = [
            f"{p}: {_hint(hints[p])}" for p in inspect.signature(method).parameters if p != "self"
        ]
        yield f"def {name}(self, {', '.join(arguments)}) -> {_hint(hints['return'])}:"
        yield f'    """{_first_line(method)}"""'


def _hint(hint: Any) -> str:
    import re

    text = hint.__name__ if isinstance(hint, type) and not get_args(hint) else str(hint)
    text = text.replace("'", '"')
    return re.sub(r"\b(?:typing|collections\.abc|wstdes(?:\.\w+)*)\.", "", text)


def _tables() -> list[str]:
    lines = [
        "# The tables of a run",
        "",
        "One Parquet file each, `RUN/tables/NAME.parquet`. Times are TAI seconds of the run, from",
        "local mean solar noon of the first evening (`start_utc` in `manifest.json`). The same",
        "units and descriptions stand in the metadata of the Parquet fields. Any column may be",
        "null where it has nothing to say.",
        "",
        *_grid(("table", "a row is"), [(f"[{t.name}](#{t.name.lower()})", t.row) for t in TABLES]),
    ]
    for table in TABLES:
        lines += [f"## {table.name}", "", f"A row is {table.row}.", ""]
        rows = [(f"`{c.name}`", c.type, c.unit, c.description) for c in table.columns]
        lines += _grid(("column", "type", "unit", "what it is"), rows)
    return lines


def _metrics(summary: Mapping[str, Mapping[str, Any]]) -> list[str]:
    rows = [
        (f"`{name}`", m["unit"], "yes" if m["headline"] else "", m["meaning"])
        for name, m in summary.items()
    ]
    return [
        "# The metrics of a run",
        "",
        "`RUN/summary.json`, and `run.summary` in Python: each with value, unit, meaning and",
        "whether it is a headline. A value is null where there was nothing to measure. Names that",
        "hold a survey, an alert class or a site are those of the shipped scenario `small`; yours",
        "follow your own names. How to add one: [metrics](../guides/metrics.md).",
        "",
        *_grid(("metric", "unit", "headline", "meaning"), rows),
    ]


def main() -> None:
    """Write the pages, after a night of the scenario ``small`` that names the metrics."""
    with tempfile.TemporaryDirectory() as folder:
        run = wstdes.run("small", nights=1, out=Path(folder) / "small")
        pages = make_pages(run.summary)
    FOLDER.mkdir(exist_ok=True)
    for name, text in pages.items():
        (FOLDER / name).write_text(text, encoding="utf-8")
        print(f"docs/reference/{name}")


if __name__ == "__main__":
    main()
