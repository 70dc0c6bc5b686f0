"""From YAML to a validated scenario: extends, hardware models, overrides, all errors at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from wstdes.config.base import HardwareModel, dump
from wstdes.config.introspect import hardware_type, is_number, known_keys, sub_annotations
from wstdes.config.provenance import Provenance, collapse, is_leaf, mark_overridden, unsourced
from wstdes.config.scenario import Scenario
from wstdes.config.tree import REFUSED, Document, KeyPath, dotted, parse_override, read_yaml
from wstdes.errors import ConfigError, KeyedError, Problem, Where, did_you_mean
from wstdes.library import HARDWARE, SCENARIOS, shipped

__all__ = ["Check", "Loaded", "find_scenario", "load_scenario", "scenario_names"]

Check = Callable[[Document], Iterable[Problem]]
"""A further test of the resolved tree, from a layer above this one."""


@dataclass(frozen=True)
class Loaded:
    """A scenario and how it came to be.

    Parameters
    ----------
    scenario : Scenario
        Validated, frozen, in SI.
    provenance : dict of str to Provenance
        Source of each hardware value, by key path.
    files : tuple of str
        The files it was read from.
    folder : pathlib.Path
        The folder that relative paths in the scenario start from.
    written : dict
        The resolved tree with its values as they were written.
    document : Document
        The same, with the place of each key.
    """

    scenario: Scenario
    provenance: dict[str, Provenance] = field(repr=False)
    files: tuple[str, ...] = ()
    folder: Path = field(default_factory=Path.cwd)
    written: dict[str, Any] = field(default_factory=dict, repr=False)
    document: Document = field(default_factory=lambda: Document({}), repr=False)

    def resolved(self) -> dict[str, Any]:
        """The whole scenario as plain data in SI, quantities with their units."""
        return dump(self.scenario)

    def readable(self) -> dict[str, Any]:
        """The whole scenario as plain data, values as they were written where they were."""
        return dict(_overlay(self.resolved(), self.written))


def scenario_names() -> dict[str, Path]:
    """Shipped scenarios, overlays (as ``overlays/NAME``) and studies, by name."""
    names = shipped(SCENARIOS)
    for folder in ("overlays", "studies"):
        names |= {f"{folder}/{name}": path for name, path in shipped(SCENARIOS, folder).items()}
    return names


def find_scenario(name: str, folder: Path | None = None) -> Path:
    """Return the file of a scenario: a path, or the name of a shipped one.

    Parameters
    ----------
    name : str
        ``my.yaml``, ``folder/my.yaml``, ``baseline`` or ``overlays/NAME``.
    folder : pathlib.Path, optional
        Where relative paths start; by default the current folder.

    Raises
    ------
    ConfigError
        There is no such file.
    """
    names = scenario_names()
    if name in names:
        return names[name]
    path = (folder or Path.cwd()) / Path(name).expanduser()
    if path.suffix in {".yaml", ".yml"}:
        if path.is_file():
            return path
        raise ConfigError([Problem(f"there is no file '{name}'", where=Where(str(path)))])
    hint = did_you_mean(name, names) or "a file of your own ends in .yaml"
    raise ConfigError([Problem(f"'{name}' is no scenario known here", hint=hint)])


def load_scenario(
    name: str | Path,
    *,
    overlays: Sequence[str] = (),
    overrides: Sequence[str] = (),
    checks: Sequence[Check] = (),
) -> Loaded:
    """Load, resolve and validate a scenario.

    Parameters
    ----------
    name : str or pathlib.Path
        A file, or the name of a shipped scenario.
    overlays : sequence of str
        Files or shipped overlays laid over it, in order.
    overrides : sequence of str
        ``key.path=value``, laid over it last.
    checks : sequence of callable
        Further tests of the resolved tree.

    Returns
    -------
    Loaded

    Raises
    ------
    ConfigError
        Everything that is wrong, at once.
    """
    loader = _Loader()
    path = find_scenario(str(name))
    document = loader.read(path)
    _refuse_overlay(document, str(name), path)
    for overlay in overlays:
        document.merge(loader.read(find_scenario(overlay)))
    if overlays and isinstance(document.data.get("title"), str):
        names = ", ".join(Path(overlay).stem for overlay in overlays)
        document.data["title"] = f"{document.data['title']}, with {names}"
    for override in overrides:
        try:
            document.merge(parse_override(override))
        except ConfigError as error:
            loader.problems.extend(error.problems)
    loader.expand(document, (), Scenario)
    provenance = collapse(document, loader.problems)
    mark_overridden(document, loader.hardware_values(document, (), Scenario), provenance)
    for check in checks:
        loader.problems.extend(check(document))
    scenario = loader.validate(document)
    if scenario is None or loader.problems:
        raise ConfigError(loader.sorted_problems())
    return Loaded(scenario, provenance, tuple(loader.files), path.parent, document.data, document)


def _refuse_overlay(document: Document, name: str, path: Path) -> None:
    """Say what an overlay is, instead of all the keys that it lacks."""
    if not {"name", "seed", "site", "surveys"} & set(document.data):
        raise ConfigError(
            [
                Problem(
                    "this is an overlay, no scenario of its own",
                    where=Where(str(path)),
                    hint=f"lay it over a scenario: wstdes run baseline --overlay {name}",
                )
            ]
        )


def _overlay(full: Any, written: Any) -> Any:
    if isinstance(full, dict) and isinstance(written, dict):
        return {k: _overlay(v, written[k]) if k in written else v for k, v in full.items()}
    return written


class _Loader:
    """Reads the files of one scenario and gathers what is wrong with them."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.files: list[str] = []
        self.failed: list[KeyPath] = []

    def read(self, path: Path, above: tuple[Path, ...] = ()) -> Document:
        """Read a scenario file laid over those it extends."""
        own = read_yaml(path, self.problems)
        self.files.append(str(path))
        if own is None:
            raise ConfigError(self.problems)
        if not isinstance(own.data, dict):
            raise ConfigError(
                [*self.problems, Problem("a scenario is a mapping of keys", where=Where(str(path)))]
            )
        where = own.place(("extends",))
        parents = own.data.pop("extends", None) or []
        document = Document({}, {(): Where(str(path))})
        parents = [parents] if isinstance(parents, str) else parents
        if not isinstance(parents, list) or not all(isinstance(p, str) for p in parents):
            problem = Problem(
                f"{parents!r} is not the name of a scenario, nor a list of names", "extends", where
            )
            raise ConfigError([*self.problems, problem])
        for parent in parents:
            try:
                found = find_scenario(str(parent), path.parent)
            except ConfigError as error:
                self.problems += [
                    Problem(p.message, "extends", where, p.hint) for p in error.problems
                ]
                raise ConfigError(self.problems) from None
            if found.resolve() in [p.resolve() for p in (*above, path)]:
                chain = " -> ".join(p.name for p in (*above, path, found))
                raise ConfigError([Problem(f"extends itself: {chain}", "extends", where)])
            document.merge(self.read(found, (*above, path)))
        document.merge(own)
        return document

    def expand(self, document: Document, path: KeyPath, annotation: Any) -> None:
        """Put hardware models in place of their names, from the top down."""
        data = document.value(path)
        kind = hardware_type(annotation)
        if kind is not None and (
            isinstance(data, str) or (isinstance(data, dict) and "use" in data)
        ):
            if not self._insert(document, path, data, kind):
                return
            data = document.value(path)
        if isinstance(data, dict) and not is_leaf(data):
            for key, inner in sub_annotations(annotation, data):
                self.expand(document, (*path, key), inner)

    def _insert(
        self, document: Document, path: KeyPath, data: Any, kind: type[HardwareModel]
    ) -> bool:
        """Lay the scenario's own values over the hardware model it names."""
        own = document.at(path)
        name = data if isinstance(data, str) else data["use"]
        where = document.place((*path, "use")) or document.place(path)
        file = _hardware_file(str(name), kind.kind, where)
        if file is None:
            known = shipped(HARDWARE, kind.kind)
            self.failed.append(path)
            self.problems.append(
                Problem(
                    f"'{name}' is no hardware model of the kind {kind.kind}",
                    dotted(path),
                    where,
                    did_you_mean(str(name), known),
                )
            )
            return False
        model = read_yaml(file, self.problems)
        if model is None or not isinstance(model.data, dict):
            self.failed.append(path)
            if model is not None:
                self.problems.append(
                    Problem("a hardware model is a mapping", where=Where(str(file)))
                )
            return False
        if str(file) not in self.files:
            self.files.append(str(file))
            self.problems.extend(unsourced(model))
        document.replace(path, model)
        if isinstance(data, dict):
            own.data = {k: v for k, v in data.items() if k != "use"}
            own.where = {k: w for k, w in own.where.items() if k[:1] != ("use",)}
            document.merge(own, path)
        return True

    def hardware_values(
        self, document: Document, path: KeyPath, annotation: Any, inside: bool = False
    ) -> list[KeyPath]:
        """Paths of all numbers that belong to hardware models."""
        data = document.value(path)
        inside = inside or hardware_type(annotation) is not None
        if isinstance(data, dict):
            return [
                found
                for key, inner in sub_annotations(annotation, data)
                if inner is not None
                for found in self.hardware_values(document, (*path, key), inner, inside)
            ]
        return [path] if inside and is_number(annotation) else []

    def validate(self, document: Document) -> Scenario | None:
        """Validate the tree, turning pydantic's errors into ours."""
        try:
            return Scenario.model_validate(document.data)
        except ValidationError as error:
            for item in error.errors():
                if item["input"] == REFUSED:
                    continue
                problem = _translate(item, document)
                path = tuple(problem.path.split("."))
                if not any(path[: len(f)] == tuple(map(str, f)) for f in self.failed):
                    self.problems.append(problem)
            return None

    def sorted_problems(self) -> list[Problem]:
        """Problems in the order of files and lines, none twice."""
        unique = list(dict.fromkeys(self.problems))
        files = {name: i for i, name in enumerate(self.files)}

        def key(problem: Problem) -> tuple[int, int]:
            if problem.where is None:
                return (len(files) + 1, 0)
            return (files.get(problem.where.file, len(files)), problem.where.line or 0)

        return sorted(unique, key=key)


def _hardware_file(name: str, kind: str, where: Where | None) -> Path | None:
    found = shipped(HARDWARE, kind).get(name)
    if found is not None:
        return found
    if Path(name).suffix in {".yaml", ".yml"}:
        folder = Path(where.file).parent if where and where.line is not None else Path.cwd()
        path = folder / Path(name).expanduser()
        if path.is_file():
            return path
    return None


def _translate(item: Any, document: Document) -> Problem:
    """One of pydantic's errors in our words."""
    path: KeyPath = ()
    data: Any = document.data
    loc = list(item["loc"])
    for i, part in enumerate(loc):
        inside = (isinstance(data, dict) and part in data) or (
            isinstance(data, list) and isinstance(part, int) and part < len(data)
        )
        if inside:
            path, data = (*path, part), data[part]
        elif i == len(loc) - 1 and item["type"] == "missing":
            path = (*path, part)
    error = item.get("ctx", {}).get("error")
    if isinstance(error, KeyedError):
        path = (*path, *error.path)
    message, hint = _words(item, path, document)
    return Problem(message, dotted(path), document.place(path), hint)


def _words(item: Any, path: KeyPath, document: Document) -> tuple[str, str]:
    kind, value, context = item["type"], item["input"], item.get("ctx", {})
    shown = f"{value!r}" if isinstance(value, str | int | float | bool | None) else "this value"
    if kind == "quantity":
        return f"{context['message']}", (
            f"expected {context['kind']}, for example '{context['example']}'"
        )
    if kind == "missing":
        return "is missing", ""
    if kind == "extra_forbidden":
        known = known_keys(Scenario, document.data, path[:-1])
        return f"there is no key '{path[-1]}' here", did_you_mean(str(path[-1]), known)
    if kind == "literal_error":
        known = [part.strip(" '") for part in context["expected"].replace(" or ", ",").split(",")]
        return f"{shown} is not known here", did_you_mean(str(value), known)
    if kind in {"union_tag_invalid", "union_tag_not_found"}:
        known = [part.strip(" '") for part in context.get("expected_tags", "").split(",")]
        tag = context.get("tag")
        if tag is None:
            return "does not say its `kind`", did_you_mean("", [k for k in known if k])
        return f"kind '{tag}' is not known here", did_you_mean(str(tag), known)
    if kind == "value_error":
        return str(context["error"]), ""
    if kind in {"model_type", "dict_type", "model_attributes_type", "dataclass_type"}:
        return f"{shown} stands where a group of keys belongs", ""
    message = item["msg"].replace("Input should be", "it should be")
    return f"{shown} cannot be: {message}", ""
