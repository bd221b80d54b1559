"""Text formats, each once: full precision, stable names, whatever the terminal is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from klcli.renderers.shape import dumped
from klcli.renderers.text import exact, quoted, short, visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from klcli.renderers.shape import Content, Table
    from klcli.renderers.view import View

    Renderer = Callable[[Content, View], str]


def delimited(table: Table, delimiter: str) -> str:
    """A header and rows with something between the fields, which are quoted where needed."""
    columns = [
        [exact(v) if isinstance(v, float) else quoted(str(v), delimiter) for v in column] for column in table.columns
    ]
    rows = [table.header, *zip(*columns, strict=True)]
    return "".join(f"{delimiter.join(row)}\n" for row in rows)


def ndjson(result: Content, _: View) -> str:
    """One strict JSON object for each row of the table."""
    return "".join(f"{dumped(record)}\n" for record in result.records())


def markdown(result: Content, view: View) -> str:
    """Tables as GitHub has them, and the notes."""
    return with_notes([markdown_table(table, view) for table in result.tables()], result.notes, view)


def with_notes(parts: list[str], notes: Iterable[str], view: View) -> str:
    """Parts of Markdown with an empty line between them, the notes as a list at the end, where they are shown."""
    listed = "".join(f"- {plain(note)}\n" for note in notes) if view.notes else ""
    return "\n".join([*parts, *([listed] if listed else [])])


def markdown_table(table: Table, view: View, nan: str = "") -> str:
    """A table as GitHub has it. nan: how NaN is shown."""
    columns = [
        [(short(v, view.digits) or nan) if isinstance(v, float) else plain(str(v)) for v in c] for c in table.columns
    ]
    align = ["---" if isinstance(column[0], str) else "--:" for column in table.columns]
    return "".join(f"| {' | '.join(line)} |\n" for line in (table.header, align, *zip(*columns, strict=True)))


def plain(text: str) -> str:
    """Text that Markdown leaves as it is."""
    return re.sub(r"([\\`*\[\]<>|~$&]|(?<!\w)_|_(?!\w))", r"\\\1", visible(text))


RENDERERS: Mapping[str, Renderer] = {
    "table": lambda result, view: result.drawn(view),
    "tsv": lambda result, _: delimited(result.rows(), "\t"),
    "csv": lambda result, _: delimited(result.rows(), ","),
    "json": lambda result, _: f"{result.json()}\n",
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
