"""Blocks of measures to CSV, TSV, NDJSON or Parquet. `SINKS` is the table: a row a format.

A sink's `encode` makes of one block what can be written, on any thread; `write` and `close` do so in order, on one.
"""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from klcli.blocks import json_text
from klcli.errors import OutputError, clipped
from klcli.renderers.doubles import encoded
from klcli.renderers.text import Words, quoted
from klcli.tuples import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import BinaryIO

    import numpy.typing as npt
    import pyarrow as pa

    from klcli.blocks import KeptColumn, Scored

    Cells = Any
    Strings = Any
    """A column of bytes: a list, or an Arrow array of binary strings."""

ERROR = "error"
"""The column that holds the reason for which a row has no measures."""

_FEW = 1 << 12
"""Rows that are put together by Python where nothing of them is in Arrow's memory yet."""

_NOTHING = Words(b"", b"inf", b"-inf")
_JSON = Words(b"null", b'"Infinity"', b'"-Infinity"')


class Schema(NamedTuple):
    """What the rows of the output hold: columns kept, then measures, then where wanted the reason of a failure."""

    kept: tuple[str, ...]
    measures: tuple[str, ...]
    errors: bool

    @property
    def names(self) -> list[str]:
        """The names of the columns that are written."""
        return [*self.kept, *self.measures, *([ERROR] if self.errors else [])]


# ----------------------------------------------------------------------------------------------------------- text, JSON


class TextSink:
    """Rows as text, after a header. encode: the lines of a block."""

    def __init__(self, out: BinaryIO, header: bytes, encode: Callable[[Scored], bytes | memoryview]) -> None:
        self._out, self._header, self.encode = out, header, encode

    def write(self, block: bytes | memoryview) -> None:
        """Writes a block, the header before the first."""
        if self._header:
            self._out.write(self._header)
            self._header = b""
        self._out.write(block)

    def close(self) -> None:
        """Writes the header where there was no block at all."""
        self.write(b"")

    def abandon(self) -> None:
        """There is nothing to give up."""


def delimited(out: BinaryIO, schema: Schema, delimiter: str) -> TextSink:
    """CSV or TSV: fields are quoted where they must be; what does not apply is empty."""
    mark = delimiter.encode()

    def encode(scored: Scored) -> bytes | memoryview:
        parts: list[bytes | Strings] = []
        for column in scored.kept:
            parts += [_fields(column, delimiter), mark]
        parts.append(_numbers(np.column_stack([*scored.values.values()]), _NOTHING, scored, mark))
        if schema.errors:
            parts += [mark, [quoted(text or "", delimiter).encode() for text in _reasons(scored)]]
        return _lines([*parts, b"\n"], scored.size)

    header = delimiter.join(quoted(name, delimiter) for name in schema.names)
    return TextSink(out, header.encode() + b"\n", encode)


def ndjson(out: BinaryIO, schema: Schema) -> TextSink:
    """One strict JSON object a row; what does not apply is null, an infinity the string that says so."""

    def encode(scored: Scored) -> bytes | memoryview:
        members = [(column.name, _as_json(column)) for column in scored.kept]
        members += [(name, _numbers(values.reshape(-1, 1), _JSON, scored)) for name, values in scored.values.items()]
        if schema.errors:
            members.append((ERROR, [json.dumps(text, ensure_ascii=False).encode() for text in _reasons(scored)]))
        parts: list[bytes | Strings] = []
        for i, (name, cells) in enumerate(members):
            parts += [f"{', ' if i else '{'}{json.dumps(name, ensure_ascii=False)}: ".encode(), cells]
        return _lines([*parts, b"}\n"], scored.size)

    return TextSink(out, b"", encode)


def _reasons(scored: Scored) -> list[str | None]:
    """For each row the first reason why it has no measures, None where it has."""
    reasons: list[str | None] = [None] * scored.size
    for failure in reversed(scored.failures):
        reasons[failure.row] = failure.text
    return reasons


def _lines(parts: Sequence[bytes | Strings], n: int) -> bytes | memoryview:
    """Row by row, one part after the other. parts: columns of n, or what is the same in every row."""
    columns = [part for part in parts if not isinstance(part, bytes)]
    if all(isinstance(column, list) for column in columns):
        repeated = [part if isinstance(part, list) else [part] * n for part in parts]
        return b"".join(map(b"".join, zip(*repeated, strict=True)))
    from klcli.arrow import binaries, joined, utf8_data

    return utf8_data(joined([binaries(part) if isinstance(part, list) else part for part in parts]))


def _numbers(values: npt.NDArray[np.float64], words: Words, scored: Scored, delimiter: bytes = b",") -> Strings:
    """The doubles of each row, the delimiter between them. values: (n, m), NaN in a row that failed."""
    n, width = values.shape
    text = encoded(values, words) if width else b"[" + b",".join([b"[]"] * n) + b"]"
    if delimiter != b",":
        text = text.replace(b",", delimiter)
    if n <= _FEW and all(isinstance(column.cells, list) for column in scored.kept):
        return text[2:-2].split(b"]" + delimiter + b"[") if n else []
    from klcli.arrow import bracketed

    return bracketed(text, n)


def _fields(column: KeptColumn, delimiter: str) -> Strings:
    """A kept column as fields, quoted where needed."""
    text = _as_text(column)
    if not isinstance(text, list):
        from klcli.arrow import binary, utf8_data

        data = bytes(utf8_data(text))
        if not any(c in data for c in (delimiter.encode(), b'"', b"\n", b"\r")):
            return binary(text)
    return [quoted(cell, delimiter).encode("utf-8", "backslashreplace") for cell in _listed(text)]


def _as_text(column: KeptColumn) -> Cells:
    """The cells as text: of JSON a string without its quotes, of typed ones what Python would print; null is empty."""
    cells = column.cells
    if column.form == "text":
        return cells
    if not isinstance(cells, list):
        from klcli.arrow import plain_text, without_quotes

        text = without_quotes(cells) if column.form == "json" else plain_text(cells)
        if text is not None:
            return text
    return list(map(_without_quotes if column.form == "json" else _typed_text, _listed(cells)))


def _listed(cells: Cells) -> list[Any]:
    listed: list[Any] = cells if isinstance(cells, list) else cells.to_pylist()
    return listed


def _without_quotes(cell: str) -> str:
    return str(json.loads(cell)) if cell.startswith('"') else "" if cell == "null" else cell


def _typed_text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    if isinstance(value, list | dict):
        return json_text(value)
    return str(value)


_UNESCAPED = bytes(range(0x20))


def _as_json(column: KeptColumn) -> Strings:
    """A kept column as JSON values: what was JSON as it was written, text as strings, typed cells by their type."""
    cells, is_json = column.cells, column.form == "json"
    if not isinstance(cells, list):
        from klcli.arrow import binary, joined, plain_text, utf8_data

        text = cells if is_json else plain_text(cells)
        if is_json or (text is not None and text.type != cells.type):
            return binary(text)
        if text is not None:
            data = bytes(utf8_data(text))
            if not any(c in data for c in (b'"', b"\\")) and data.translate(None, _UNESCAPED) == data:
                return joined([b'"', binary(text), b'"'])
    values = cells if is_json else map(_json_value, _listed(cells))
    return [value.encode("utf-8", "backslashreplace") for value in values]


def _json_value(value: object) -> str:
    return json_text(value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else value)


# -------------------------------------------------------------------------------------------------------------- Parquet

_ROW_GROUP = 1 << 17


class Parquet:
    """Parquet, compressed by snappy: kept columns with their types, measures as doubles, null where none apply."""

    def __init__(self, out: BinaryIO, schema: Schema) -> None:
        self._out, self._schema = out, schema
        self._writer: Any = None
        self._waiting: list[list[Cells]] = []
        self._kinds: dict[int, pa.DataType] = {}

    def encode(self, scored: Scored) -> list[Cells]:
        """The block's columns: each an Arrow array, or a list of JSON texts."""
        from klcli.arrow import numbers_or_null, optional_strings, strings

        failed = np.zeros(scored.size, dtype=bool)
        failed[[failure.row for failure in scored.failures]] = True
        columns = [
            _listed(cells) if form == "json" else strings(cells) if isinstance(cells, list) else cells
            for _, cells, form in scored.kept
        ]
        columns += [numbers_or_null(values, failed) for values in scored.values.values()]
        return [*columns, optional_strings(_reasons(scored))] if self._schema.errors else columns

    def write(self, block: list[Cells]) -> None:
        """Writes a block once there are enough rows for a row group."""
        self._waiting.append(block)
        if sum(len(columns[-1]) for columns in self._waiting) >= _ROW_GROUP:
            self._flush()

    def close(self) -> None:
        """Writes what is left, and the footer."""
        import pyarrow as pa

        from klcli.arrow import parquet_writer

        self._flush()
        if self._writer is None:
            kinds = [pa.string()] * len(self._schema.kept) + [pa.float64()] * len(self._schema.measures)
            kinds += [pa.string()] * self._schema.errors
            self._writer = parquet_writer(self._out, pa.schema(list(zip(self._schema.names, kinds, strict=True))))
        self._writer.close()

    def abandon(self) -> None:
        """Keeps the writer from writing a footer, when it is forgotten, to a file that is closed."""
        if self._writer is not None:
            self._writer.is_open = False

    def _flush(self) -> None:
        import pyarrow as pa

        from klcli.arrow import parquet_writer

        if not self._waiting:
            return
        columns = [self._column(i, chunks) for i, chunks in enumerate(zip(*self._waiting, strict=True))]
        self._waiting = []
        table = pa.Table.from_arrays(columns, names=self._schema.names)
        if self._writer is None:
            self._writer = parquet_writer(self._out, table.schema)
        self._writer.write_table(_cast(table, self._writer.schema), row_group_size=1 << 20)

    def _column(self, i: int, chunks: Sequence[Cells]) -> Any:  # noqa: ANN401
        """A column of the blocks that wait; the type of what was JSON all of them decide together."""
        import pyarrow as pa

        name = self._schema.names[i]
        if any(isinstance(chunk, list) for chunk in chunks):
            texts = [
                cell
                for chunk in chunks
                for cell in (chunk if isinstance(chunk, list) else map(_json_value, chunk.to_pylist()))
            ]
            typed = _typed(texts, name, self._kinds.get(i))
            self._kinds[i] = typed.type
            return typed
        arrays = [array for chunk in chunks for array in getattr(chunk, "chunks", [chunk])]
        kind = arrays[0].type if arrays else pa.string()
        for array in arrays:
            if array.type != kind:
                raise of_two_types(name, array.type, kind)
        return pa.chunked_array(arrays, type=kind)


def _cast(table: pa.Table, schema: pa.Schema) -> pa.Table:
    import pyarrow as pa

    if table.schema.equals(schema):
        return table
    try:
        return table.cast(schema)
    except (pa.ArrowException, ValueError):
        differing = next(a for a, b in zip(table.schema, schema, strict=True) if a.type != b.type)
        raise of_two_types(differing.name, differing.type, schema.field(differing.name).type) from None


def of_two_types(name: str, kind: pa.DataType, first: pa.DataType) -> OutputError:
    """The error for a column of a table in Parquet that would have two types."""
    return OutputError(
        f"column {clipped(name)} holds {kind} after {first}, and in Parquet it has one type; write NDJSON, or leave "
        "the column out with --keep"
    )


def _typed(cells: Sequence[str], name: str, kind: pa.DataType | None) -> pa.Array:
    """JSON values with a type: the one given, else the one they have; where they have several, their text."""
    import pyarrow as pa

    values = [_encodable(json.loads(cell)) for cell in cells]
    texts = [
        None if value is None else value if isinstance(value, str) else cell
        for value, cell in zip(values, cells, strict=True)
    ]
    try:
        if kind == pa.string() or any(isinstance(value, list | dict) for value in values):
            return pa.array(texts, type=pa.string())
        return pa.array(values, type=kind)
    except (pa.ArrowException, OverflowError):
        if kind is None:
            return pa.array(texts, type=pa.string())
        raise of_two_types(name, pa.array(texts).type, kind) from None


def _encodable(value: object) -> object:
    """A string without half surrogates, which UTF-8 cannot hold; anything else as it is."""
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value


RowSink = TextSink | Parquet
SINKS: Mapping[str, Callable[[BinaryIO, Schema], RowSink]] = {
    "csv": partial(delimited, delimiter=","),
    "tsv": partial(delimited, delimiter="\t"),
    "ndjson": ndjson,
    "parquet": Parquet,
}
