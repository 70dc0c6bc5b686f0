"""What every policy is: options in, decisions out, nothing kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Generic, TypeVar

from wstdes.config.base import Model

__all__ = ["NoOptions", "Policy"]


class NoOptions(Model):
    """For policies that have none."""


O_co = TypeVar("O_co", bound=Model, covariant=True)


class Policy(Generic[O_co]):
    """A decision, exchangeable.

    Parameters
    ----------
    options : Options
        The policy's own frozen model.
    """

    Options: ClassVar[type[Model]] = NoOptions

    def __init__(self, options: O_co) -> None:
        self.options: O_co = options

    @classmethod
    def check(cls, options: Any, scenario: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
        """Yield (option, message, hint) for options that do not fit the scenario's tree."""
        yield from ()
