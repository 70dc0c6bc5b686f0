"""Tables of a page, and their data as a link."""

from __future__ import annotations

import base64
import csv
import io
import math
from collections.abc import Sequence

from wstdes.report.text import clean, escape, figures

__all__ = ["cell", "data_link", "details", "html_table"]

FIRST_ROWS = 12
FEW_ROWS = 31


def cell(value: object) -> str:
    """A value as a table shows it."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return figures(value, 4)
    return clean(value)


def html_table(columns: Sequence[str], rows: Sequence[Sequence[object]], css: str = "") -> str:
    """A table; numbers stand to the right."""
    head = "".join(f"<th scope=col>{escape(c)}</th>" for c in columns)
    body = "\n".join("<tr>" + "".join(_cell(v) for v in row) + "</tr>" for row in rows)
    return (
        f'<div class="scroll"><table class="{css}"><thead><tr>{head}</tr></thead>\n'
        f"<tbody>{body}</tbody></table></div>"
    )


def _cell(value: object) -> str:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return f"<td{' class=n' if number else ''}>{escape(cell(value))}</td>"


def _csv(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([clean(c) for c in columns])
    writer.writerows([[_plain(v) for v in row] for row in rows])
    return buffer.getvalue()


def _plain(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.7g}" if math.isfinite(value) else ""
    if value is None:
        return ""
    text = clean(value)
    # A spreadsheet would take such a text for a formula.
    return f"'{text}" if isinstance(value, str) and text[:1] in ("=", "+", "-", "@") else text


def data_link(name: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A link that downloads the data as CSV, out of the page itself."""
    data = base64.b64encode(_csv(columns, rows).encode()).decode()
    return (
        f'<a download="{escape(name)}.csv" href="data:text/csv;charset=utf-8;base64,{data}">'
        f"{escape(name)}.csv</a>"
    )


def details(name: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """The data of a figure behind a click: the first rows, and a link to all."""
    few = len(rows) <= FEW_ROWS
    more = "" if few else f", the first {FIRST_ROWS} of {len(rows)} rows"
    return (
        f'<details class="data"><summary>Data{more}</summary>'
        f"<p>All of it: {data_link(name, columns, rows)}</p>"
        f"{html_table(columns, rows if few else rows[:FIRST_ROWS])}</details>"
    )
