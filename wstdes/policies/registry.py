"""Finding policies: built in, installed by another package, or ``package.module:attribute``."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from pydantic import ValidationError

from wstdes.config.base import PolicyRef
from wstdes.config.tree import Document
from wstdes.errors import ConfigError, Problem, did_you_mean
from wstdes.policies.ahead import LookAhead
from wstdes.policies.alerts import ByClass, InsertOnly
from wstdes.policies.design import DesignHourAngle
from wstdes.policies.dispatch import BatteryIdle, SelfConsumption
from wstdes.policies.placement import Fixed, LeastBacklog
from wstdes.policies.queueing import ByRole, Fifo
from wstdes.policies.retention import AfterProcessing, Forever
from wstdes.policies.scheduling import Highest, Merit

__all__ = ["BUILT_IN", "check_policies", "known_policies", "make_policy"]

BUILT_IN: dict[str, dict[str, type[Any]]] = {
    "scheduling": {
        "merit": Merit,
        "design-hour-angle": DesignHourAngle,
        "look-ahead": LookAhead,
        "highest": Highest,
    },
    "alerts": {"by-class": ByClass, "insert-only": InsertOnly},
    "placement": {"fixed": Fixed, "least-backlog": LeastBacklog},
    "queue": {"by-role": ByRole, "fifo": Fifo},
    "retention": {"after-processing": AfterProcessing, "forever": Forever},
    "dispatch": {"self-consumption": SelfConsumption, "battery-idle": BatteryIdle},
}
_METHOD = {
    "scheduling": "choose",
    "alerts": "respond",
    "placement": "place",
    "queue": "key",
    "retention": "release_s",
    "dispatch": "battery_w",
}
GROUP = "wstdes.policies"


def known_policies(kind: str) -> list[str]:
    """Names of the policies of a kind: built in and installed (entry points ``kind.name``)."""
    installed = [
        e.name.partition(".")[2]
        for e in entry_points(group=GROUP)
        if e.name.partition(".")[0] == kind
    ]
    return sorted({*BUILT_IN[kind], *installed})


def _find(kind: str, name: str) -> type[Any]:
    """Return a policy's class; raises LookupError with words for people."""
    if name in BUILT_IN[kind]:
        return BUILT_IN[kind][name]
    for entry in entry_points(group=GROUP):
        if entry.name == f"{kind}.{name}":
            return _fitting(kind, entry.load(), name)
    module, colon, attribute = name.partition(":")
    if not colon:
        raise LookupError(f"'{name}' is no {kind} policy")
    try:
        found = getattr(import_module(module), attribute)
    except ImportError as error:
        raise LookupError(f"'{name}' cannot be imported: {error}") from None
    except AttributeError:
        raise LookupError(f"the module '{module}' has no '{attribute}'") from None
    return _fitting(kind, found, name)


def _fitting(kind: str, found: Any, name: str) -> type[Any]:
    if not isinstance(found, type) or not hasattr(found, _METHOD[kind]):
        raise LookupError(f"'{name}' is no {kind} policy: it has no method {_METHOD[kind]}()")
    return found


def make_policy(kind: str, ref: PolicyRef) -> Any:
    """Return the policy that a reference names, with its options.

    Raises
    ------
    ConfigError
        There is no such policy, or it refuses its options.
    """
    try:
        cls = _find(kind, ref.use)
        return cls(cls.Options.model_validate(ref.options))
    except LookupError as error:
        raise ConfigError([Problem(str(error), f"policies.{kind}.use")]) from None


def check_policies(document: Document) -> Iterator[Problem]:
    """Check that all policies of a scenario's tree exist and accept their options."""
    policies = document.data.get("policies")
    if not isinstance(policies, dict):
        return
    for kind in BUILT_IN:
        ref = policies.get(kind)
        ref = {"use": ref} if isinstance(ref, str) else ref
        if not isinstance(ref, dict) or not isinstance(ref.get("use"), str):
            continue  # the schema says so
        where = document.place(("policies", kind, "use"))
        try:
            cls = _find(kind, ref["use"])
        except LookupError as error:
            yield Problem(
                str(error),
                f"policies.{kind}.use",
                where,
                did_you_mean(ref["use"], known_policies(kind)),
            )
            continue
        yield from _check_options(document, kind, cls, ref.get("options") or {})


def _check_options(document: Document, kind: str, cls: Any, options: Any) -> Iterator[Problem]:
    base = ("policies", kind, "options")
    try:
        parsed = cls.Options.model_validate(options)
    except ValidationError as error:
        for item in error.errors():
            path = (*base, *item["loc"])
            message = item["msg"]
            hint = ""
            if item["type"] == "extra_forbidden":
                known = [str(f.alias) for f in cls.Options.model_fields.values()]
                message, hint = (
                    f"there is no option '{item['loc'][-1]}'",
                    did_you_mean(str(item["loc"][-1]), known),
                )
            elif item["type"] == "missing":
                message = "is missing"
            yield Problem(message, ".".join(map(str, path)), document.place(path), hint)
        return
    for option, message, hint in cls.check(parsed, document.data):
        path = (*base, option)
        yield Problem(message, ".".join(map(str, path)), document.place(path), hint)
