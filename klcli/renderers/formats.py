"""The machine formats: full precision, stable names, whatever the terminal is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from klcli.renderers.shape import document, elements_table, has_breakdown, measures_table, number
from klcli.renderers.text import exact, quoted, short, visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from klcli.model import Answer
    from klcli.renderers.shape import Table
    from klcli.renderers.view import View

    Renderer = Callable[[Answer, View], str]


def _table(answer: Answer) -> Table:
    """The table that a format of one table shows: the breakdown when asked for, else the measures."""
    return elements_table(answer) if has_breakdown(answer) else measures_table(answer)


def delimited(table: Table, delimiter: str) -> str:
    """A header and rows with something between the fields, which are quoted where needed."""
    columns = [
        [exact(v) if isinstance(v, float) else quoted(str(v), delimiter) for v in column] for column in table.columns
    ]
    rows = [table.header, *zip(*columns, strict=True)]
    return "".join(f"{delimiter.join(row)}\n" for row in rows)


def tsv(answer: Answer, _: View) -> str:
    """Tab-separated values with a header; a field with a tab, a quote or a line end is quoted."""
    return delimited(_table(answer), "\t")


def csv(answer: Answer, _: View) -> str:
    """Comma-separated values with a header, quoted where needed."""
    return delimited(_table(answer), ",")


def json(answer: Answer, _: View) -> str:
    """One strict JSON object, indented unless it is long."""
    from json import dumps

    outcomes = sum(len(report.elements.outcomes) for report in answer.reports if report.elements is not None)
    # With an indent Python's encoder is fifty times slower.
    indent = 2 if outcomes <= READABLE else None
    return dumps(document(answer), indent=indent, ensure_ascii=False, allow_nan=False) + "\n"


def ndjson(answer: Answer, _: View) -> str:
    """One strict JSON object for each row of the table."""
    from json import dumps

    return "".join(f"{dumps(record, ensure_ascii=False, allow_nan=False)}\n" for record in records(_table(answer)))


def records(table: Table) -> Iterator[dict[str, Any]]:
    """The rows as JSON has them."""
    columns = [[number(v) if isinstance(v, float) else v for v in column] for column in table.columns]
    return (dict(zip(table.header, row, strict=True)) for row in zip(*columns, strict=True))


def markdown(answer: Answer, view: View) -> str:
    """Tables as GitHub has them: the measures, the breakdown unless not wanted, the notes."""
    parts = [markdown_table(measures_table(answer), view)]
    if has_breakdown(answer):
        parts.append(markdown_table(elements_table(answer), view))
    if view.notes and answer.notes:
        parts.append("".join(f"- {plain(note)}\n" for note in answer.notes))
    return "\n".join(parts)


def markdown_table(table: Table, view: View) -> str:
    """A table as GitHub has it."""
    columns = [[short(v, view.digits) if isinstance(v, float) else plain(str(v)) for v in c] for c in table.columns]
    align = ["---" if isinstance(column[0], str) else "--:" for column in table.columns]
    return "".join(f"| {' | '.join(line)} |\n" for line in (table.header, align, *zip(*columns, strict=True)))


def plain(text: str) -> str:
    """Text that Markdown leaves as it is."""
    return re.sub(r"([\\`*\[\]<>|~$&]|(?<!\w)_|_(?!\w))", r"\\\1", visible(text))


def table(answer: Answer, view: View) -> str:
    """Tables for people, drawn with rich."""
    from klcli.renderers.terminal import draw

    return draw(answer, view)


RENDERERS: Mapping[str, Renderer] = {
    "table": table,
    "tsv": tsv,
    "csv": csv,
    "json": json,
    "ndjson": ndjson,
    "markdown": markdown,
}

SUFFIXES = {
    ".tsv": "tsv",
    ".csv": "csv",
    ".json": "json",
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".md": "markdown",
    ".txt": "table",
    ".parquet": "parquet",
    ".pq": "parquet",
}
"""What the suffix of an output file stands for, where the result can take that form."""

READABLE = 1000
"""Up to so many outcomes JSON is indented."""
