"""Blocks of measures to CSV, TSV, NDJSON or Parquet. `SINKS` is the table: a row a format.

A sink's `encode` makes of one block what can be written, on any thread; `write` and `close` do so in order, on one.
"""

from __future__ import annotations

import json
from pickle import PickleBuffer
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
import pyarrow as pa

from klcli.arrow import binaries, joined, numbers, strings, taken, utf8_data, whole
from klcli.blocks import json_text
from klcli.errors import OutputError, clipped
from klcli.renderers.text import quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import BinaryIO

    Buffer = bytes | bytearray | PickleBuffer

    import numpy.typing as npt

    from klcli.blocks import Column, Scored

ERROR = "error"
"""The column that holds the reason for which a row has no measures."""


class Schema(NamedTuple):
    """What the rows of the output hold: columns kept, then measures, then where wanted the reason of a failure."""

    kept: tuple[str, ...]
    measures: tuple[str, ...]
    errors: bool

    @property
    def names(self) -> list[str]:
        """The header."""
        return [*self.kept, *self.measures, *([ERROR] if self.errors else [])]


class Sink(Protocol):
    """Where blocks go."""

    def encode(self, scored: Scored) -> Any:  # noqa: ANN401 - what `write` takes
        """One block, ready to be written."""
        ...

    def write(self, encoded: Any) -> None:  # noqa: ANN401
        """Writes a block."""
        ...

    def close(self) -> None:
        """Writes what is left."""
        ...

    def abandon(self) -> None:
        """Gives up: nothing more will be written."""
        ...


class Delimited:
    """CSV or TSV: fields are quoted where they must be; what does not apply is empty."""

    def __init__(self, out: BinaryIO, schema: Schema, delimiter: str) -> None:
        self._out, self._schema, self._delimiter = out, schema, delimiter
        header = delimiter.join(quoted(name, delimiter) for name in schema.names)
        self._header = header.encode() + b"\n"

    def encode(self, scored: Scored) -> PickleBuffer:
        """The block's lines."""
        delimiter = self._delimiter.encode()
        parts: list[Any] = []
        for column in scored.kept:
            parts += [_field(column, self._delimiter), delimiter]
        parts.append(_lines(scored, self._delimiter))
        if self._schema.errors:
            reasons = dict.fromkeys(range(scored.size), "") if scored.failures else {}
            reasons |= {failure.row: failure.text for failure in reversed(scored.failures)}
            texts = strings(quoted(text, self._delimiter) for text in reasons.values()) if reasons else None
            parts += [delimiter, *([] if texts is None else [texts.view(pa.binary())])]
        return PickleBuffer(utf8_data(joined([*parts, b"\n"])))

    def write(self, encoded: Buffer) -> None:
        """Writes a block, the header before the first."""
        if self._header:
            self._out.write(self._header)
            self._header = b""
        self._out.write(encoded)

    def close(self) -> None:
        """Writes the header where there was no block at all."""
        self.write(b"")

    def abandon(self) -> None:
        """There is nothing to give up."""


def _lines(scored: Scored, delimiter: str) -> Any:  # noqa: ANN401
    """The measures of each row between delimiters, nothing for a row that failed."""
    from klcli.renderers.digits import lines

    table = np.column_stack([*scored.values.values()]) if scored.values else np.empty((scored.size, 0))
    if not scored.failures:
        return lines(table, delimiter)
    failed = np.unique([failure.row for failure in scored.failures])
    table[failed] = 0.0
    written = lines(table, delimiter).to_pylist()
    for row in failed.tolist():
        written[row] = delimiter.encode() * (table.shape[1] - 1)
    return binaries(written)


def _field(column: Column, delimiter: str) -> Any:  # noqa: ANN401
    """A kept column as binary strings, quoted where needed."""
    text = _as_text(column)
    data = bytes(utf8_data(text))
    if any(c in data for c in (delimiter.encode(), b'"', b"\n", b"\r")):
        text = strings(quoted(cell, delimiter) for cell in text.to_pylist())
    return text.view(pa.binary())


def _as_text(column: Column) -> Any:  # noqa: ANN401
    """The cells as text: of JSON a string without its quotes, of typed ones what Python would print; null is empty."""
    array = column.cells
    if column.form == "text":
        return array
    if column.form == "json":
        return strings("" if cell is None or cell == "null" else _without_quotes(cell) for cell in array.to_pylist())
    if pa.types.is_string(array.type) and not array.null_count:
        return array
    if pa.types.is_integer(array.type) and not array.null_count:
        return array.cast(pa.string())
    return strings(map(_typed_text, array.to_pylist()))


def _without_quotes(cell: str) -> str:
    return str(json.loads(cell)) if cell.startswith('"') else cell


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


class Ndjson:
    """One strict JSON object a row; what does not apply is null, an infinity the string that says so."""

    def __init__(self, out: BinaryIO, schema: Schema) -> None:
        self._out, self._schema = out, schema

    def encode(self, scored: Scored) -> PickleBuffer:
        """The block's lines."""
        parts: list[Any] = []
        separator = b"{"
        for column in scored.kept:
            parts += [separator + _key(column.name), _json(column)]
            separator = b", "
        failed = np.array(sorted({failure.row for failure in scored.failures}), dtype=np.intp)
        for name, values in scored.values.items():
            parts += [separator + _key(name), _json_numbers(values, failed)]
            separator = b", "
        if self._schema.errors:
            reasons = dict.fromkeys(range(scored.size), "null")
            reasons |= {f.row: json.dumps(f.text, ensure_ascii=False) for f in reversed(scored.failures)}
            parts += [separator + _key(ERROR), strings(reasons.values()).view(pa.binary())]
        return PickleBuffer(utf8_data(joined([*parts, b"}\n"])))

    def write(self, encoded: Buffer) -> None:
        """Writes a block."""
        self._out.write(encoded)

    def close(self) -> None:
        """There is nothing left to write."""

    def abandon(self) -> None:
        """There is nothing to give up."""


def _key(name: str) -> bytes:
    return json.dumps(name, ensure_ascii=False).encode() + b": "


def _json_numbers(values: npt.NDArray[np.float64], failed: npt.NDArray[np.intp]) -> Any:  # noqa: ANN401
    written = values
    if len(failed):
        written = values.copy()
        written[failed] = 0.0
    from klcli.renderers.digits import cells

    text = cells(written)
    special = np.flatnonzero(np.isinf(written))
    if not len(special) and not len(failed):
        return text
    rows = text.to_pylist()
    for row in special.tolist():
        rows[row] = b'"Infinity"' if written[row] > 0 else b'"-Infinity"'
    for row in failed.tolist():
        rows[row] = b"null"
    return binaries(rows)


_UNESCAPED = bytes(range(0x20))


def _json(column: Column) -> Any:  # noqa: ANN401
    """A kept column as JSON values: what was JSON as it was written, text as strings, typed cells by their type."""
    array = column.cells
    if column.form == "json":
        return (array.fill_null("null") if array.null_count else array).view(pa.binary())
    if column.form == "text" or (pa.types.is_string(array.type) and not array.null_count):
        data = bytes(utf8_data(array))
        if not any(c in data for c in (b'"', b"\\")) and data.translate(None, _UNESCAPED) == data:
            return joined([b'"', array.view(pa.binary()), b'"'])
    if pa.types.is_integer(array.type) and not array.null_count:
        return array.cast(pa.string()).view(pa.binary())
    return binaries(_json_value(value).encode() for value in array.to_pylist())


def _json_value(value: object) -> str:
    return json_text(value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else value)


_ROW_GROUP = 1 << 17


class _Encoded(NamedTuple):
    """A block as an Arrow table; json: the columns that still hold JSON, whose types all of them decide together."""

    table: pa.Table
    json: tuple[int, ...]


class Parquet:
    """Parquet, compressed by snappy: kept columns with their types, measures as doubles, null where none apply."""

    def __init__(self, out: BinaryIO, schema: Schema) -> None:
        self._out, self._schema = out, schema
        self._writer: Any = None
        self._waiting: list[_Encoded] = []
        self._kinds: dict[int, pa.DataType] = {}

    def encode(self, scored: Scored) -> _Encoded:
        """The block as an Arrow table."""
        columns = [column.cells for column in scored.kept]
        failed = np.zeros(scored.size, dtype=bool)
        failed[[failure.row for failure in scored.failures]] = True
        for values in scored.values.values():
            measured = numbers(values)
            if scored.failures:
                mask = pa.py_buffer(np.packbits(~failed, bitorder="little"))
                measured = pa.Array.from_buffers(pa.float64(), scored.size, [mask, measured.buffers()[1]])
            columns.append(measured)
        if self._schema.errors:
            reasons: list[str | None] = [None] * scored.size
            for failure in reversed(scored.failures):
                reasons[failure.row] = failure.text
            columns.append(
                pa.array(reasons, type=pa.string()) if scored.failures else pa.nulls(scored.size, pa.string())
            )
        in_json = tuple(i for i, column in enumerate(scored.kept) if column.form == "json")
        return _Encoded(pa.Table.from_arrays(columns, names=self._schema.names), in_json)

    def write(self, encoded: _Encoded) -> None:
        """Writes a block once there are enough rows for a row group."""
        self._waiting.append(encoded)
        if sum(waiting.table.num_rows for waiting in self._waiting) >= _ROW_GROUP:
            self._flush()

    def close(self) -> None:
        """Writes what is left, and the footer."""
        self._flush()
        if self._writer is None:
            kinds = [pa.string()] * len(self._schema.kept) + [pa.float64()] * len(self._schema.measures)
            kinds += [pa.string()] * self._schema.errors
            self._open(pa.schema(list(zip(self._schema.names, kinds, strict=True))))
        self._writer.close()

    def abandon(self) -> None:
        """Keeps the writer from writing a footer, when it is forgotten, to a file that is closed."""
        if self._writer is not None:
            self._writer.is_open = False

    def _flush(self) -> None:
        if not self._waiting:
            return
        first = self._waiting[0]
        table = pa.concat_tables([_cast(waiting.table, first.table.schema) for waiting in self._waiting])
        self._waiting = []
        for i in first.json:
            typed = _typed(whole(table.column(i)), self._schema.names[i], self._kinds.get(i))
            self._kinds[i] = typed.type
            table = table.set_column(i, self._schema.names[i], typed)
        if self._writer is None:
            self._open(table.schema)
        self._writer.write_table(_cast(table, self._writer.schema), row_group_size=1 << 20)

    def _open(self, schema: pa.Schema) -> None:
        from pyarrow.parquet import ParquetWriter

        # Numbers of two rows are seldom equal, so that a dictionary of them would only cost time.
        words = [field.name for field in schema if pa.types.is_string(field.type)]
        self._writer = ParquetWriter(self._out, schema, compression="snappy", use_dictionary=words)


def _cast(table: pa.Table, schema: pa.Schema) -> pa.Table:
    if table.schema.equals(schema):
        return table
    try:
        return table.cast(schema)
    except (pa.ArrowException, ValueError):
        differing = next(a for a, b in zip(table.schema, schema, strict=True) if a.type != b.type)
        raise _of_two_types(differing.name, differing.type, schema.field(differing.name).type) from None


def _of_two_types(name: str, kind: pa.DataType, first: pa.DataType) -> OutputError:
    return OutputError(
        f"column {clipped(name)} holds {kind} after {first}, and in Parquet it has one type; write NDJSON, or leave "
        "the column out with --keep"
    )


def _typed(cells: Any, name: str, kind: pa.DataType | None) -> Any:  # noqa: ANN401 - an Arrow array
    """JSON values with a type: the one given, else the one they have; where they have several, their text."""
    values = [None if cell is None else _encodable(json.loads(cell)) for cell in cells.to_pylist()]
    texts = [None if v is None else v if isinstance(v, str) else json_text(v) for v in values]
    try:
        if kind == pa.string() or any(isinstance(value, list | dict) for value in values):
            return pa.array(texts, type=pa.string())
        return pa.array(values, type=kind)
    except (pa.ArrowException, OverflowError):
        if kind is None:
            return pa.array(texts, type=pa.string())
        raise _of_two_types(name, pa.array(texts).type, kind) from None


def _encodable(value: object) -> object:
    """A string without half surrogates, which UTF-8 cannot hold; anything else as it is."""
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value


def without(scored: Scored, rows: npt.NDArray[np.intp]) -> Scored:
    """The block without some of its rows."""
    kept = np.ones(scored.size, dtype=bool)
    kept[rows] = False
    left = np.flatnonzero(kept)
    return type(scored)(
        len(left),
        tuple(column._replace(cells=taken(column.cells, left)) for column in scored.kept),
        {name: values[left] for name, values in scored.values.items()},
        (),
        scored.remarks,
    )


SINKS: Mapping[str, Callable[[BinaryIO, Schema], Sink]] = {
    "csv": lambda out, schema: Delimited(out, schema, ","),
    "tsv": lambda out, schema: Delimited(out, schema, "\t"),
    "ndjson": Ndjson,
    "parquet": Parquet,
}

SUFFIXES = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".parquet": "parquet",
    ".pq": "parquet",
}
