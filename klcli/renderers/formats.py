"""The machine formats: full precision, stable names, whatever the terminal is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from klcli.renderers.shape import document, elements_table, measures_table, number
from klcli.renderers.text import exact, short, visible

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from klcli.model import Answer
    from klcli.renderers.shape import Cell, Table
    from klcli.renderers.view import View

    Renderer = Callable[[Answer, View], str]


def _table(answer: Answer, view: View) -> Table:
    """The table that a format of one table shows: the measures, or when asked for the breakdown."""
    return elements_table(answer) if view.breakdown else measures_table(answer)


def _cell(value: Cell) -> str:
    return exact(value) if isinstance(value, float) else str(value)


def _delimited(answer: Answer, view: View, delimiter: str) -> str:
    import csv
    import io

    table = _table(answer, view)
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\n")
    writer.writerow(table.header)
    writer.writerows([_cell(value) for value in row] for row in table.rows)
    return out.getvalue()


def tsv(answer: Answer, view: View) -> str:
    """Tab-separated values with a header; a field with a tab, a quote or a line end is quoted."""
    return _delimited(answer, view, "\t")


def csv_(answer: Answer, view: View) -> str:
    """Comma-separated values with a header, quoted where needed."""
    return _delimited(answer, view, ",")


def json_(answer: Answer, view: View) -> str:
    """One strict JSON object."""
    import json

    shape = document(answer, breakdown=view.breakdown is not False)
    return json.dumps(shape, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def ndjson(answer: Answer, view: View) -> str:
    """One strict JSON object for each row of the table."""
    import json

    table = _table(answer, view)
    lines = []
    for row in table.rows:
        values = [number(value) if isinstance(value, float) else value for value in row]
        record = dict(zip(table.header, values, strict=True))
        lines.append(json.dumps(record, ensure_ascii=False, allow_nan=False) + "\n")
    return "".join(lines)


def markdown(answer: Answer, view: View) -> str:
    """Tables as GitHub has them: the measures, the breakdown unless not wanted, the notes."""
    parts = [_markdown_table(measures_table(answer), view)]
    if view.breakdown is not False and any(report.elements is not None for report in answer.reports):
        parts.append(_markdown_table(elements_table(answer), view))
    if view.notes and answer.notes:
        parts.append("".join(f"- {_plain(note)}\n" for note in answer.notes))
    return "\n".join(parts)


def _markdown_table(table: Table, view: View) -> str:
    rows = list(table.rows)
    align = ["--:" if rows and not isinstance(value, str) else "---" for value in (rows[0] if rows else table.header)]
    lines = [table.header, align]
    lines += [[short(v, view.digits) if isinstance(v, float) else _plain(str(v)) for v in row] for row in rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _plain(text: str) -> str:
    """Text that Markdown leaves as it is."""
    return "".join("\\" + c if c in "\\`*[]<>|" else c for c in visible(text))


def table(answer: Answer, view: View) -> str:
    """Tables for people, drawn with rich."""
    from klcli.renderers.terminal import draw

    return draw(answer, view)


RENDERERS: Mapping[str, Renderer] = {
    "table": table,
    "tsv": tsv,
    "csv": csv_,
    "json": json_,
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
} | {".txt": "table"}

HOLDS_NOTES = frozenset({"table", "markdown"})
"""The formats that show the notes themselves; elsewhere they go to stderr."""
