"""The errors that people see.

Everything a user can cause is a :class:`WstdesError`; the command line prints it without a
traceback and exits with 2. Exceptions carry positional arguments only, because SimPy rebuilds
them as ``type(e)(*e.args)``.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "CatalogueError",
    "ConfigError",
    "KeyedError",
    "MissingExtraError",
    "Problem",
    "RunError",
    "Where",
    "WstdesError",
    "did_you_mean",
]


class WstdesError(Exception):
    """Something a user can mend."""


class RunError(WstdesError):
    """A run directory that is missing, partial or unreadable."""


class MissingExtraError(WstdesError):
    """An optional package that this scenario needs is not installed."""


class CatalogueError(WstdesError):
    """A target catalogue that cannot be used: names the file, the row and the column."""


@dataclass(frozen=True)
class Where:
    """A place in what the user wrote: a file and a line, or an option."""

    file: str
    line: int | None = None

    def __str__(self) -> str:
        return self.file if self.line is None else f"{self.file}:{self.line}"


@dataclass(frozen=True)
class Problem:
    """One thing wrong with a scenario: where, which key, what stands there, what was meant."""

    message: str
    path: str = ""
    where: Where | None = None
    hint: str = ""

    def __str__(self) -> str:
        head = ": ".join(part for part in (str(self.where or ""), self.path) if part)
        text = f"{head}: {self.message}" if head else self.message
        return f"{text}\n    {self.hint}" if self.hint else text


class KeyedError(ValueError):
    """A check across several keys, with the key that should be mended.

    Parameters
    ----------
    message : str
        What is wrong.
    path : tuple of str
        The key, from where the check stands.
    """

    def __init__(self, message: str, path: tuple[str, ...]) -> None:
        super().__init__(message, path)
        self.path = path

    def __str__(self) -> str:
        return str(self.args[0])


class ConfigError(WstdesError):
    """All that is wrong with a scenario, at once.

    Parameters
    ----------
    problems : sequence of Problem
        In the order in which a reader meets them in the file.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        super().__init__(self.problems)

    def __str__(self) -> str:
        count = len(self.problems)
        title = "1 problem" if count == 1 else f"{count} problems"
        return "\n".join([f"{title} in the scenario:", *(str(p) for p in self.problems)])


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Say which known word was probably meant, or list the known ones if they are few.

    Parameters
    ----------
    word : str
        What the user wrote.
    known : iterable of str
        What would have been understood.

    Returns
    -------
    str
        A sentence for :attr:`Problem.hint`; empty when there is nothing useful to say.
    """
    names = sorted(set(known))
    close = get_close_matches(word, names, n=3, cutoff=0.6)
    if close:
        return "did you mean " + " or ".join(f"'{name}'" for name in close) + "?"
    if names and len(names) <= 20:
        return "known here: " + ", ".join(names)
    return ""
