"""What a page is made of: sections of charts, tables and sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

__all__ = ["Chart", "Item", "Nothing", "Section", "Words"]


@dataclass(frozen=True)
class Chart:
    """A figure with one message.

    Parameters
    ----------
    key : str
        Name in the page and of the CSV file.
    title : str
        The message, computed from the data.
    caption : str
        What it shows and how to read it.
    svg : str
        The drawing.
    columns : sequence of str
        Names of the data's columns, with units.
    rows : sequence of sequence
        The data that is drawn.
    """

    key: str
    title: str
    caption: str
    svg: str
    columns: Sequence[str]
    rows: Sequence[Sequence[object]]


@dataclass(frozen=True)
class Nothing:
    """A figure that has nothing to show."""

    what: str
    because: str


@dataclass(frozen=True)
class Words:
    """Sentences, and the numbers they are made of.

    Parameters
    ----------
    key : str
        Name in the page and of the CSV file.
    title : str
        What they are about.
    sentences : sequence of str
        One each.
    columns, rows
        As for :class:`Chart`.
    """

    key: str
    title: str
    sentences: Sequence[str]
    columns: Sequence[str]
    rows: Sequence[Sequence[object]]


Item = Chart | Nothing | Words


@dataclass(frozen=True)
class Section:
    """A chapter of the page.

    Parameters
    ----------
    key : str
        Anchor.
    title : str
        Heading.
    intro : str
        A sentence or two.
    items : list of Chart, Nothing or Words
        In the order of reading.
    """

    key: str
    title: str
    intro: str
    items: list[Item] = field(default_factory=list)
