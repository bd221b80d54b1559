"""NDJSON, and JSON that is a list of records: a record a row, a key a column, as a stream of frames or as a whole.

What a record is, and what is wrong with one, Python's json decides, alone where the input is small. Large NDJSON is read
by Arrow, on threads, without a Python object a number; each line that Arrow would take for something else, or not at
all, is first replaced by what json made of it. On two cores, for 1e6 lines of twenty numbers, this takes as much CPU as
orjson and lets other threads run meanwhile; json alone takes four times as much.
"""

from __future__ import annotations

import json
import re
from codecs import BOM_UTF8
from dataclasses import replace
from functools import cached_property, partial
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import TYPE_CHECKING, Any

import numpy as np

from klcli.blocks import Failure, json_text
from klcli.errors import InputError, KlcliError, clipped, listed
from klcli.readers.documents import MalformedJsonError, decode, load, no_repeated_key, number_of, series_of
from klcli.readers.numbers import may_underflow
from klcli.readers.sources import empty
from klcli.readers.tables.pieces import SMALL, end_of_lines, piece_size, pieces, read_some
from klcli.readers.tables.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from klcli.readers.sources import Source
    from klcli.readers.tables.layout import Layout

    Record = dict[str, Any]
    Cells = Any
    Kind = str | tuple[str, ...] | None

_ITEMS = 1 << 16
"""Records of a JSON list in a frame."""


# ------------------------------------------------------------------------------------------------------ the whole table


def read_records(source: Source, *, ndjson: bool) -> Table:
    """The records of a source as Python's values. Raises InputError for the first that is none."""
    if not ndjson:
        return table_of(load(source.text, source.name), source.name, lambda i: f"{source.name}, item {i + 1}")
    lines = [(i, line) for i, line in enumerate(source.text.split("\n"), 1) if line.strip()]
    values = [load(line, source.name, line=i) for i, line in lines]
    return table_of(values, source.name, lambda i: f"{source.name}:{lines[i][0]}")


def table_of(values: Any, source: str, where: Callable[[int], str]) -> Table:  # noqa: ANN401 - what a JSON text is
    """A list of records as a table with a column for each key that occurs, None where a record lacks it.

    where(i): the place of the i-th value. Raises InputError where it is no list, or a value in it no record.
    """
    if not isinstance(values, list) or not values:
        message = f"{source}: a table is a list of records, or NDJSON; for one pair there is klcli compare"
        raise InputError(message)
    for i, value in enumerate(values):
        fault = _fault(value)
        if fault is not None:
            message = f"{where(i)}: {fault}"
            raise InputError(message)
    names = tuple(dict.fromkeys(key for record in values for key in record))
    columns = {i: [record.get(name) for record in values] for i, name in enumerate(names)}
    return Table(names, columns, len(values), len(values), "value", source=source, place=where)


def _fault(value: Any) -> KlcliError | None:  # noqa: ANN401
    """What is wrong with a value that should be a record."""
    if not isinstance(value, dict):
        return InputError("this is no record; each row of a table is one JSON object")
    try:
        no_repeated_key(value, "this record", "key")
    except KlcliError as error:
        return error
    return None if value else InputError("this record has no keys; each row of a table is one JSON object")


# ----------------------------------------------------------------------------------------------------------- the stream


class RecordStream:
    """A stream of records, the first of which has been read. size: bytes of a piece, None for what suits.

    names: the keys of the first record. text: which of them hold text. small: whether no table engine is needed.
    """

    form = "json"

    def __init__(self, source: Source, *, ndjson: bool, size: int | None = None) -> None:
        self.source, self._stream, self._ndjson, self._before = source.name, source, ndjson, 0
        self._size = size or piece_size(source.size)
        self.small = True
        if ndjson:
            self._begun, line, first = self._first_line()
            value = _decoded(first.decode("utf-8", "surrogateescape"))
        else:
            self._text = source.text
            self.small = len(self._text) <= SMALL
            line, value = 0, load(self._text, self.source)
            if not isinstance(value, list) or not value:
                table_of(value, self.source, self.place)
            self._values, value = value, value[0]
        fault = value if isinstance(value, KlcliError) else _fault(value)
        if fault is not None:
            message = f"{self.place(line)}: {fault}"
            raise type(fault)(message)
        self._first: Record = value
        self.names = tuple(value)
        self.text = [isinstance(cell, str) for cell in value.values()]

    def place(self, line: int) -> str:
        """The line of the file, or the item of the list."""
        return f"{self.source}:{1 + self._before + line}" if self._ndjson else f"{self.source}, item {1 + line}"

    def narrow(self, start: int, end: int, before: int) -> None:
        """Leaves only the lines between two places in the file. before: how many are above them."""
        self._stream.narrow(start, end)
        self._begun, self._before = b"", before

    def frames(self, layout: Layout) -> Iterator[Callable[[], Table]]:
        """The rows, as functions that each read some of them; any thread may call them, in any order."""
        if self._ndjson:
            reader = _JsonReader(layout, small=self.small)
            read = reader.lines if self.small else _ArrowReader(reader, self._first).lines
            for piece in pieces(self._stream, self._size, end_of_lines, self._begun):
                yield partial(read, piece)
            return
        reader = _JsonReader(layout, small=self.small)
        for start in range(0, len(self._values), _ITEMS):
            values = self._values[start : start + _ITEMS]
            yield partial(reader.table, range(len(values)), values, partial(self._item, start), len(values))

    def _item(self, start: int, row: int) -> str:
        """How a record of a JSON list is written."""
        return self._items[start + row]

    @cached_property
    def _items(self) -> list[str]:
        return [item for _, item in _written(self._text)]

    def _first_line(self) -> tuple[bytes, int, bytes]:
        """Some bytes of the stream, and which is the first line in them that is not blank, and that line."""
        data = read_some(self._stream, SMALL + 1)
        self.small = len(data) <= SMALL
        data = data.removeprefix(BOM_UTF8)
        ended = self.small
        while True:
            lines = data.split(b"\n")
            found = next((i for i, line in enumerate(lines[: None if ended else -1]) if line.strip()), None)
            if found is not None:
                return data, found, lines[found]
            if ended:
                raise empty(self.source)
            more = read_some(self._stream, len(data))
            data, ended = data + more, not more


def _decoded(text: str) -> Any:  # noqa: ANN401
    """The JSON value of a line, or the error that says why it is none."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        return InputError(f"byte 0x{ord(text[error.start]) - 0xDC00:02x} is not UTF-8; save the file as UTF-8")
    try:
        return decode(text)
    except MalformedJsonError as error:
        return InputError(str(error))


_BLANK = re.compile(r"[ \t\r\n]*")
_VALUE = json.JSONDecoder(parse_float=str, parse_int=str)
_LAYOUT = re.compile(r'("(?:[^"\\]|\\.)*")|[\r\n]\s*')


def _written(text: str) -> Iterator[tuple[str, str]]:
    """The members of a JSON object or list, '' for a key in the latter, each with its value as it is written there."""

    def blank(at: int) -> int:
        return _BLANK.match(text, at).end()  # type: ignore[union-attr]

    at = blank(0)
    keyed = text[at] == "{"
    at = blank(at + 1)
    while text[at] not in "}]":
        key = ""
        if keyed:
            key, at = scanstring(text, at + 1)
            at = blank(blank(at) + 1)
        _, end = _VALUE.raw_decode(text, at)
        value = text[at:end]
        yield key, _LAYOUT.sub(r"\1", value) if "\n" in value or "\r" in value else value
        at = blank(end)
        if text[at] == ",":
            at = blank(at + 1)


def _as_written(record: Record, names: Iterable[str], text: Callable[[], str]) -> list[str]:
    """The values of a record as JSON, null where there is none; numbers keep their digits, inside of lists too."""
    members: dict[str, str] | None = None
    cells = []
    for name in names:
        value = record.get(name)
        if value is None or isinstance(value, str | bool) or (type(value) is int and value):
            cells.append(json_text(value))
        else:
            members = dict(_written(text())) if members is None else members
            cells.append(members[name])
    return cells


class _JsonReader:
    """Reads records by Python's json. It holds nothing but what the layout says, so that threads may share it.

    nested: whether the weights of a side are a list or an object in one column.
    """

    def __init__(self, layout: Layout, *, small: bool) -> None:
        self.layout, self._small = layout, small
        self.nested = not layout.by and len(layout.p) <= 1 and len(layout.q) <= 1
        self.required = layout.names([*layout.by, *([] if layout.label is None else [layout.label])])

    def lines(self, piece: bytearray) -> Table:
        """The frame of some whole lines."""
        return self.chosen(piece.decode("utf-8", "surrogateescape").split("\n"), None)

    def chosen(self, lines: Sequence[str], numbers: Sequence[int] | None) -> Table:
        """The frame of those lines that have these numbers, or else of all that are not blank."""
        if numbers is None:
            numbers = [i for i, line in enumerate(lines) if line.strip()]
        values = [_decoded(lines[i]) for i in numbers]
        return self.table(numbers, values, lambda row: lines[numbers[row]], len(lines) - (not lines[-1]))

    def table(self, lines: Sequence[int], values: Sequence[Any], text: Callable[[int], str], total: int) -> Table:
        """The frame of some values, or errors. lines: of each. text(row): how it is written. total: lines of all."""
        layout = self.layout
        wrong: dict[int, KlcliError] = {}
        records = [self._record(row, value, wrong) for row, value in enumerate(values)]
        names = layout.names(layout.numbers)
        for row, record in enumerate(records):
            lacking = next((name for name in (*names, *self.required) if name not in record), None)
            if lacking is not None and row not in wrong:
                wrong[row] = InputError(f"no key {clipped(lacking)}; it has {listed(record)}")
        columns: dict[int, Cells] = {}
        for i, name in zip(layout.numbers, names, strict=True):
            cells = [record.get(name) for record in records]
            columns[i] = cells if self.nested else _doubles(cells, name, wrong)
        for name in self.required:
            for row, record in enumerate(records):
                if record.get(name) is None and row not in wrong:
                    wrong[row] = InputError(f"column {clipped(name)}: nothing stands here")
        kept = layout.by or layout.kept
        texts = [_as_written(record, layout.names(kept), partial(text, row)) for row, record in enumerate(records)]
        for n, i in enumerate(kept):
            columns[~i if i in columns else i] = self._column([cells[n] for cells in texts])
        if layout.by and layout.label is not None:
            name = layout.header[layout.label]
            columns[layout.label] = self._column([_label(record.get(name)) for record in records])
        failures = [Failure(row, lines[row], str(error), type(error)) for row, error in sorted(wrong.items())]
        return Table(
            layout.header, columns, len(records), total, "json", tuple(failures), lines.__getitem__, source=layout.source
        )

    def _record(self, row: int, value: Any, wrong: dict[int, KlcliError]) -> Record:  # noqa: ANN401
        """The record that a value is; an empty one where it is none, and what is wrong with it."""
        fault = value if isinstance(value, KlcliError) else _fault(value)
        if fault is None and not self.layout.exact:
            new = next((key for key in value if key not in self.layout.header), None)
            if new is not None:
                hint = "is not in the first record; choose those to keep with --keep"
                fault = InputError(f"the key {clipped(new)} {hint}")
        if fault is None:
            return value  # type: ignore[no-any-return]
        wrong[row] = fault
        return {}

    def _column(self, cells: list[str]) -> Cells:
        if self._small:
            return cells
        from klcli.arrow import strings

        return strings(cells)


def _label(value: Any) -> str:  # noqa: ANN401
    """A label as text; what is no text as JSON has it."""
    return "" if value is None else value if isinstance(value, str) else json.dumps(value)


def _doubles(cells: Sequence[Any], name: str, wrong: dict[int, KlcliError]) -> np.typing.NDArray[np.float64]:
    """The numbers of a column; 1 in the rows that are wrong, to which those are added where there is no number."""
    doubles = np.ones(len(cells))
    place = f"column {clipped(name)}"
    for row, cell in enumerate(cells):
        if type(cell) is float:
            doubles[row] = cell
        elif row not in wrong:
            try:
                doubles[row] = number_of(cell, lambda _: place, 0)
            except KlcliError as error:
                wrong[row] = error
    return doubles


# ------------------------------------------------------------------------------------------------------- the quick way

_NUMERIC = {int, float}
_AFTER_A_NUMBER = np.frombuffer(b" \t\r\n,]}", dtype=np.uint8)
_WORD = re.compile(rb"[\s,:\[](?:NaN|-?Inf)")
_ESCAPED_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


class _ArrowReader:
    """Reads lines of NDJSON by Arrow, as far as they are like the first record; the others are json's.

    kinds: what the values under each key that is read are: the name of their type, the labels of an object, or None for
    a list of weights. They are empty where the first record holds what only json can keep as it is written.
    """

    def __init__(self, json_reader: _JsonReader, first: Record) -> None:
        self._json, self._layout, self._first = json_reader, json_reader.layout, first
        self._kinds = self._kinds_of(first)
        self._may_be_null = {name for i, name in enumerate(first) if i not in self._layout.numbers}
        self._may_be_null.difference_update(json_reader.required)
        self._any_number = False

    def _kinds_of(self, first: Record) -> Mapping[str, Kind]:
        layout = self._layout
        kinds: dict[str, Kind] = {}
        for i, (name, value) in enumerate(first.items()):
            kind = type(value)
            inside = value.values() if kind is not list and isinstance(value, dict) else value
            if i in layout.numbers and i not in layout.text:
                if not self._json.nested and kind in _NUMERIC:
                    kinds[name] = "double"
                elif self._json.nested and isinstance(value, list | dict) and value and _all_numbers(inside):
                    kinds[name] = None if isinstance(value, list) else tuple(value)
                else:
                    return {}
            elif i in layout.text and i not in layout.numbers and kind in ({str, int} if i == layout.label else _NAMES):
                kinds[name] = _NAMES[kind]
            elif i in layout.numbers or i in layout.text:
                return {}
        return kinds

    def lines(self, piece: bytearray) -> Table:
        """The frame of some whole lines."""
        return self._quick(piece) or self._json.lines(piece)

    def _quick(self, piece: bytearray) -> Table | None:
        if not self._kinds:
            return None
        odd = _is_odd(piece)
        if not odd and _has_a_record_a_line(piece) and not _has_words(piece) and _is_utf8(piece):
            total = piece.count(b"\n") + (not piece.endswith(b"\n"))
            table = self._read(piece, range(total), total)
            if table is not None and all(map(_finite, (table.columns[i] for i in self._layout.numbers))):
                return table
        return self._mended(bytes(piece).split(b"\n"), odd=odd)

    def _mended(self, lines: list[bytes], *, odd: bool) -> Table | None:
        """The frame, once each line in doubt is replaced by what json makes of it; None where that is not like the others."""
        total = len(lines) - (not lines[-1])
        present = [i for i, line in enumerate(lines) if line.strip()]
        doubtful = [i for i in present if (odd and _is_odd(lines[i])) or not self._is_alike(lines[i])]
        texts = {i: lines[i].decode("utf-8", "surrogateescape") for i in doubtful}
        values = [_decoded(text) for text in texts.values()]
        judged = self._json.table(doubtful, values, lambda row: texts[doubtful[row]], total)
        failures = {failure.line: failure for failure in judged.failures}
        weights = [(self._layout.header[i], self._weights(judged, i, failures)) for i in self._layout.numbers]
        kept = {i: judged.columns[i].to_pylist() for i in self._layout.text}
        for row, line in enumerate(doubtful):
            record = {name: json.dumps(self._first[name] if line in failures else cells[row]) for name, cells in weights}
            for i, cells in kept.items():
                name, cell = self._layout.header[i], cells[row]
                is_text = i == self._layout.label and self._kinds[name] == "string"
                if line not in failures or cell not in {"null", ""}:
                    record[name] = json.dumps(cell) if is_text else cell
            members = (f"{json.dumps(name, ensure_ascii=False)}:{value}" for name, value in record.items())
            lines[line] = f"{{{','.join(members)}}}".encode("utf-8", "surrogatepass")
        rows = {line: row for row, line in enumerate(present)}
        found = tuple(failures[line]._replace(row=rows[line]) for line in sorted(failures))
        table = self._read(bytearray(b"\n".join(lines[i] for i in present)), present, total, any_number=odd)
        return None if table is None else replace(table, failures=found)

    def _weights(self, judged: Table, column: int, failures: dict[int, Failure]) -> list[Any]:
        """The weights in a column of some lines as JSON has them; adds a failure for each that are none."""
        cells = judged.columns[column]
        if not self._json.nested:
            return cells.tolist()  # type: ignore[no-any-return]
        name, weights = self._layout.header[column], []
        for row, cell in enumerate(cells):
            line = judged.line(row)
            weights.append(cell)
            if line in failures:
                continue
            try:
                series = series_of(name, cell, f"column {clipped(name)}")
                values = list(series.values)
                weights[-1] = values if series.labels is None else dict(zip(series.labels, values, strict=True))
            except KlcliError as error:
                failures[line] = Failure(row, line, str(error), type(error))
        return weights

    def _is_alike(self, line: bytes) -> bool:
        """Whether a line is a record like the first one, so that Arrow reads it as json does."""
        import orjson

        try:
            record = orjson.loads(line)
        except orjson.JSONDecodeError:
            return False
        if type(record) is not dict or not self._kinds.keys() <= record.keys():
            return False
        strings = len(record)
        if strings > len(self._kinds):
            if not self._layout.exact:
                return False
            strings += sum(type(value) is str for name, value in record.items() if name not in self._kinds)
        for name, kind in self._kinds.items():
            value = record[name]
            if kind is None:
                if type(value) is not list or not _NUMERIC.issuperset(map(type, value)):
                    return False
            elif type(kind) is tuple:
                if type(value) is not dict or tuple(value) != kind or not _all_numbers(value.values()):
                    return False
                strings += len(kind)
            elif type(value) is str:
                if kind != "string":
                    return False
                strings += 1
            elif not (type(value) in _TYPES[kind] or (value is None and name in self._may_be_null)):
                return False
        # A key that stands twice has more quotes. Strings with quotes inside are json's too.
        return line.count(b'"') == 2 * strings

    def _read(
        self, data: bytearray, lines: Sequence[int], total: int, *, any_number: bool = False
    ) -> Table | None:
        """The frame as Arrow reads it; None where that does not do. lines: of each row.

        any_number: whether other numbers than integers may be kept where the first record has an integer. That all of
        them are is tried first, and not again once it has failed: their digits are then looked for in the data.
        """
        for number in (False, True)[any_number or self._any_number :]:
            arrow = self._parsed(data, any_number=number)
            columns = None if arrow is None or arrow.num_rows != len(lines) else self._columns(arrow, data)
            if columns is not None:
                self._any_number = number
                names, source = self._layout.header, self._layout.source
                return Table(names, columns, len(lines), total, "json", (), lines.__getitem__, source=source)
        return None

    def _parsed(self, data: bytearray, *, any_number: bool) -> Any:  # noqa: ANN401 - a pyarrow.Table
        import pyarrow as pa
        from pyarrow import json as arrow_json

        def kind(of: Kind) -> pa.DataType:
            if isinstance(of, str):
                return pa.type_for_alias("double" if of == "int64" and any_number else of)
            return pa.list_(pa.float64()) if of is None else pa.struct([(label, pa.float64()) for label in of])

        schema = pa.schema([(name, kind(of)) for name, of in self._kinds.items()])
        try:
            return arrow_json.read_json(
                pa.BufferReader(data),
                read_options=arrow_json.ReadOptions(use_threads=False, block_size=len(data) + 1),
                parse_options=arrow_json.ParseOptions(
                    explicit_schema=schema, unexpected_field_behavior="infer" if self._layout.exact else "error"
                ),
            )
        except pa.ArrowInvalid:
            return None

    def _columns(self, arrow: Any, data: bytearray) -> dict[int, Cells] | None:  # noqa: ANN401
        """The columns of the layout; None where one is not as it must be."""
        from klcli.arrow import whole

        columns: dict[int, Cells] = {}
        for name, kind in self._kinds.items():
            i, cells = self._layout.header.index(name), whole(arrow.column(name))
            if (i in self._layout.numbers or name in self._json.required) and cells.null_count:
                return None
            if i in self._layout.numbers:
                if kind is not None and type(kind) is tuple:
                    inside = [cells.field(n) for n in range(cells.type.num_fields)]
                else:
                    inside = [] if kind == "double" else [cells.flatten()]
                if any(part.null_count for part in inside) or (type(kind) is tuple and len(inside) != len(kind)):
                    return None
                columns[i] = cells
            else:
                found = self._text(name, str(kind), cells, data)
                if found is None:
                    return None
                columns[i] = found
        return columns

    def _text(self, name: str, kind: str, cells: Cells, data: bytearray) -> Cells | None:
        """A column as JSON text, numbers as they are written in the data; labels are plain text."""
        import pyarrow as pa

        from klcli.arrow import binaries, joined, nulls, strings

        if self._layout.label is not None and name == self._layout.header[self._layout.label]:
            return cells.cast(pa.string()) if kind != "string" else cells
        if kind == "string" and b"\\" in data:
            return strings(json_text(cell) for cell in cells.to_pylist())
        if kind == "string":
            text = joined([b'"', cells.view(pa.binary()), b'"']).view(pa.string())
        elif pa.types.is_floating(cells.type):
            key = re.escape(json.dumps(name, ensure_ascii=False).encode())
            found = re.findall(key + rb"\s*:\s*(-?[0-9][-+.0-9eE]*|null)", data)
            missing = [cell == b"null" for cell in found]
            return binaries(found).view(pa.string()) if missing == nulls(cells).tolist() else None
        else:
            text = cells.cast(pa.string())
        return text.fill_null("null") if text.null_count else text


_NAMES: Mapping[type, str] = {int: "int64", float: "double", str: "string", bool: "bool"}
_TYPES: Mapping[str, set[type]] = {"int64": _NUMERIC, "double": _NUMERIC, "string": set(), "bool": {bool}}


def _all_numbers(values: Iterable[Any]) -> bool:
    return _NUMERIC.issuperset(map(type, values))


def _is_odd(text: bytes | bytearray) -> bool:
    """Whether there may be a number in the text, or half a character, that Arrow reads otherwise than json."""
    surrogate = b"\\" in text and _ESCAPED_SURROGATE.search(text) is not None
    return surrogate or may_underflow(text) or _has_minus_zero(text)


def _has_a_record_a_line(piece: bytearray) -> bool:
    """Whether every line starts and ends as a record does.

    Of such lines each is a record if there are as many records as lines: none goes on in the next line, for after a
    brace that closes inside of a record no other one opens.
    """
    text = np.frombuffer(piece, dtype=np.uint8)
    ends = np.flatnonzero(text == ord("\n"))
    ends = ends if piece.endswith(b"\n") else np.append(ends, len(text))
    starts = np.append(0, ends[:-1] + 1)
    last = ends - 1 - (text[ends - 1] == ord("\r"))
    return bool((text[starts] == ord("{")).all() and (text[last] == ord("}")).all())


def _has_words(piece: bytearray) -> bool:
    """Whether there may be JSON's words for what is no number among the weights. A search for one byte costs nothing."""
    if (b"N" in piece and b"NaN" in piece) or (b"I" in piece and b"Inf" in piece):
        return _WORD.search(piece) is not None
    return b"n" in piece and b"null" in piece and any(null in piece for null in (b"[null", b",null", b", null"))


def _has_minus_zero(piece: bytearray | bytes) -> bool:
    """Whether there may be a minus zero, which to Python is the integer 0, and to Arrow a double."""
    if b"-" not in piece:
        return False
    text = np.frombuffer(piece, dtype=np.uint8)
    zeros = np.flatnonzero(text[:-2] == ord("-")) + 1
    zeros = zeros[text[zeros] == ord("0")]
    return bool(np.isin(text[zeros + 1], _AFTER_A_NUMBER).any())


def _is_utf8(piece: bytearray) -> bool:
    if piece.isascii():
        return True
    try:
        piece.decode()
    except UnicodeDecodeError:
        return False
    return True


def _finite(cells: Cells) -> bool:
    """Whether the weights in a column are finite."""
    if hasattr(cells, "flatten"):
        cells = cells.flatten()
    parts = cells if isinstance(cells, list) else [cells]
    return all(np.isfinite(np.from_dlpack(part)).all() for part in parts if len(part))
