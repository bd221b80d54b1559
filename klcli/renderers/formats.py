"""An `Answer` in every format, each once: full precision, stable names, whatever the terminal is.

Millions of numbers are written some thousands at a time, those of arrays by orjson.
"""

from __future__ import annotations

import re
from itertools import chain, repeat
from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np

from klcli.renderers.answer import AnswerTable, Names
from klcli.renderers.text import Words, on_one_line, quoted, short, visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from klcli.renderers.answer import Answer, Array, Piece
    from klcli.renderers.doubles import Out
    from klcli.renderers.text import View

    Line = tuple[bytes | memoryview, ...]
    Renderer = Callable[[Answer, View, Out], None]

AT_ONCE = 1 << 16
"""Numbers written at once: about a megabyte of text."""


# ------------------------------------------------------------------------------------------------------------ the cells


def text_bytes(text: str) -> bytes:
    """The text in UTF-8; half a surrogate, which has no bytes there, is escaped."""
    return text.encode("utf-8", "backslashreplace")


def json_bytes(value: object) -> bytes:
    """Strict JSON on one line, in UTF-8."""
    from json import dumps

    return text_bytes(dumps(value, ensure_ascii=False, allow_nan=False))


def number(value: float) -> float | str | None:
    """A double as strict JSON has it: an infinity as a string, which unlike null is below no limit."""
    if isfinite(value):
        return value
    return None if value != value else "Infinity" if value > 0 else "-Infinity"  # noqa: PLR0124 - NaN


def _words(nan: str, *, json: bool) -> Words:
    """What stands for a number that has no digits."""
    if json:
        return Words(b'"NaN"' if nan else b"null", b'"Infinity"', b'"-Infinity"')
    return Words(nan.encode(), b"inf", b"-inf")


def _encoded(column: Piece, words: Words, text: Callable[[Any], bytes], between: bytes = b",") -> list[bytes]:
    """The cells as bytes. text: of what is no double. between: what separates the numbers of an array's row."""
    if isinstance(column, Names):
        names = [text(name) for name in column.names]
        return [names[i] for i in column.places.tolist()]
    if isinstance(column, np.ndarray):
        from klcli.renderers.doubles import encoded

        if column.ndim == 1:
            return encoded(column, words)[1:-1].split(b",")
        return encoded(column, words).replace(b",", between)[2:-2].split(b"]" + between + b"[")
    return [_double(cell, words) if isinstance(cell, float) else text(cell) for cell in column]


def _double(value: float, words: Words) -> bytes:
    """The shortest text that reads back as the same double."""
    if isfinite(value):
        return repr(value).encode()
    return words.nan if value != value else words.inf if value > 0 else words.minus_inf  # noqa: PLR0124 - NaN


def _lines(
    table: AnswerTable, words: Words, text: Callable[[Any], bytes], before: Sequence[bytes], end: bytes
) -> Iterator[Line]:
    """A line a row. before: what stands in front of each column."""
    fronts = [repeat(front) for front in before]
    step = max(1, AT_ONCE // max(1, len(table.header) - len(table.columns)))
    for start in range(0, table.size, step):
        cells = [_encoded(column, words, text, before[-1]) for column in table.pieces(slice(start, start + step))]
        yield from zip(*chain.from_iterable(zip(fronts, cells, strict=True)), repeat(end), strict=False)


def in_chunks(out: Out, lines: Iterable[Line]) -> None:
    """Writes lines, each given in parts, some at a time."""
    parts: list[bytes | memoryview] = []
    size = 0
    for line in lines:
        parts += line
        size += sum(map(len, line))
        if size > 1 << 20:
            out.write(b"".join(parts))
            parts, size = [], 0
    out.write(b"".join(parts))


# -------------------------------------------------------------------------------------------------------------- formats


def delimited(answer: Answer, delimiter: str, out: Out) -> None:
    """A header and rows with something between the fields, which are quoted where needed."""

    def field(cell: object) -> bytes:
        return text_bytes(quoted(str(cell), delimiter))

    table, mark = answer.rows(), delimiter.encode()
    out.write(mark.join(map(field, table.header)) + b"\n")
    before = [b"", *[mark] * (len(table.columns) - 1)]
    in_chunks(out, _lines(table, _words(answer.nan, json=False), field, before, b"\n"))


def objects(table: AnswerTable, nan: str, end: bytes = b"") -> Iterator[bytes]:
    """A strict JSON object a row, on one line."""
    before = [(b", " if i else b"{") + json_bytes(name) + b": " for i, name in enumerate(table.header)]
    return map(b"".join, _lines(table, _words(nan, json=True), json_bytes, before, b"}" + end))


def ndjson(answer: Answer, _: View, out: Out) -> None:
    """One strict JSON object for each row of the table."""
    in_chunks(out, ((line,) for line in objects(answer.records(), answer.nan, b"\n")))


def json(answer: Answer, _: View, out: Out) -> None:
    """One strict JSON object.

    In it objects have a member a line, lists and iterators an item a line; tuples stand on one line, arrays have a line
    for each list of numbers, and bytes are JSON already.
    """
    in_chunks(out, chain(_json(answer.document(), 0, _words(answer.nan, json=True)), [(b"\n",)]))


def _json(given: Any, depth: int, words: Words) -> Iterator[Line]:  # noqa: ANN401 - any JSON value
    if isinstance(given, bytes):
        yield (given,)
    elif isinstance(given, np.ndarray):
        yield from _json_numbers(given, depth, words)
    elif isinstance(given, float):
        yield (_double(given, words),)
    elif isinstance(given, dict) and given:
        for i, (key, item) in enumerate(given.items()):
            yield (b"," if i else b"{", _pad(depth + 1), json_bytes(key), b": ")
            yield from _json(item, depth + 1, words)
        yield (_pad(depth), b"}")
    elif given and (isinstance(given, list) or hasattr(given, "__next__")):
        between = b"["
        for item in given:
            yield (between, _pad(depth + 1))
            yield from _json(item, depth + 1, words)
            between = b","
        yield (b"[" if between == b"[" else _pad(depth), b"]")
    else:
        yield (json_bytes(given),)


def _pad(depth: int) -> bytes:
    return b"\n" + b"  " * depth


def _json_numbers(values: Array, depth: int, words: Words) -> Iterator[Line]:
    """Nested lists, the innermost on a line each."""
    from klcli.renderers.doubles import encoded

    if values.ndim == 0:
        yield (encoded(values.reshape(1), words)[1:-1],)
        return
    if values.ndim == 1 or values.size == 0:
        yield (b"[",)
        for start in range(0, len(values), AT_ONCE):
            text = encoded(values[start : start + AT_ONCE], words)[1:-1]
            yield (b", " if start else b"", text.replace(b",", b", "))
        yield (b"]",)
        return
    deepest = depth + values.ndim - 1
    yield (b"[", *(part for i in range(depth + 1, deepest) for part in (_pad(i), b"[")), _pad(deepest))
    # Between two rows as many lists end and begin again as have sizes that divide the second's number.
    ends = [b"".join(_pad(deepest - 1 - i) + b"]" for i in range(n)) for n in range(values.ndim)]
    begins = [
        b"," + b"".join(_pad(deepest - n + i) + b"[" for i in range(n)) + _pad(deepest) for n in range(values.ndim)
    ]
    sizes = np.cumprod(values.shape[-2:0:-1])
    rows = values.reshape(-1, values.shape[-1])
    step = max(1, AT_ONCE // rows.shape[1])
    for start in range(0, len(rows), step):
        texts = _encoded(rows[start : start + step], words, json_bytes, b", ")
        numbers = np.arange(start, start + len(texts))
        levels = (numbers[:, np.newaxis] % sizes == 0).sum(axis=1).tolist()
        for i, (level, text) in enumerate(zip(levels, texts, strict=True), start):
            yield (ends[level] + begins[level] if i else b"", b"[", text, b"]")
    yield (ends[values.ndim - 1],)


def markdown(answer: Answer, view: View, out: Out) -> None:
    """Tables as GitHub has them with an empty line between them, and the notes as a list where they are shown."""
    notes = [f"- {plain(note)}\n" for note in answer.notes] if view.notes else []
    parts = [_markdown_table(table, view, answer.nan) for table in answer.tables()]
    out.write(text_bytes("\n".join([*parts, *(["".join(notes)] if notes else [])])))


def _markdown_table(table: AnswerTable, view: View, nan: str) -> str:
    columns = [cells for column in table.pieces(slice(0, table.size)) for cells in cells_of(column)]
    align = ["---" if isinstance(cells[0], str) else "--:" for cells in columns]
    shown = [[(short(v, view.digits) or nan) if isinstance(v, float) else plain(str(v)) for v in c] for c in columns]
    rows = (map(plain, table.header), align, *zip(*shown, strict=True))
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def cells_of(column: Piece) -> list[Sequence[Any]]:
    """The cells of a piece as Python's own values; of an array of two axes those of each of its columns."""
    if isinstance(column, Names):
        return [[column.names[i] for i in column.places.tolist()]]
    if isinstance(column, np.ndarray):
        return list(column.T.tolist()) if column.ndim > 1 else [column.tolist()]
    return [column]


def plain(text: str) -> str:
    """Text that Markdown leaves as it is."""
    return re.sub(r"([\\`*\[\]<>|~$&]|(?<!\w)_|_(?!\w))", r"\\\1", visible(text))


def parquet(answer: Answer, _: View, out: Out) -> None:
    """Parquet: columns of text and of doubles."""
    import pyarrow as pa

    from klcli.arrow import numbers, parquet_writer, strings, taken

    table, columns = answer.rows(), []
    for column in table.pieces(slice(0, table.size)):
        if isinstance(column, Names):
            columns.append(taken(strings(column.names), column.places))
        elif isinstance(column, np.ndarray):
            columns += map(numbers, np.ascontiguousarray(np.atleast_2d(column.T)))
        else:
            columns.append(strings(column))
    made = pa.Table.from_arrays(columns, names=table.header)
    with parquet_writer(out, made.schema) as writer:
        writer.write_table(made)


def terminal(answer: Answer, view: View, out: Out) -> None:
    """Tables and pictures for people."""
    from klcli.renderers.terminal import draw

    out.write(text_bytes(draw(answer, view)))


def html(answer: Answer, view: View, out: Out) -> None:
    """A page for people."""
    from klcli.renderers.html import page

    out.write(text_bytes(page(answer, view)))


def bare(answer: Answer, fields: Iterable[str], out: Out) -> None:
    """The fields' values, a line each, field after field. Raises UsageError before anything is written."""

    def line(cell: object) -> bytes:
        return text_bytes(on_one_line(str(cell)))

    words = _words(answer.nan, json=False)
    for table in [AnswerTable([field], [answer.values(field)]) for field in fields]:
        in_chunks(out, _lines(table, words, line, [b""], b"\n"))


RENDERERS: Mapping[str, Renderer] = {
    "table": terminal,
    "tsv": lambda answer, _, out: delimited(answer, "\t", out),
    "csv": lambda answer, _, out: delimited(answer, ",", out),
    "json": json,
    "ndjson": ndjson,
    "markdown": markdown,
    "html": html,
    "parquet": parquet,
    "value": lambda answer, _, out: bare(answer, ["value"], out),
}

SUFFIXES = {
    ".tsv": "tsv",
    ".csv": "csv",
    ".json": "json",
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".md": "markdown",
    ".html": "html",
    ".htm": "html",
    ".txt": "table",
    ".parquet": "parquet",
    ".pq": "parquet",
}
"""What the suffix of an output file stands for, where the result can take that form."""
