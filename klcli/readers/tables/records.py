"""NDJSON in pieces, and JSON: a record a row, whose fields may be lists or objects."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from klcli.arrow import strings
from klcli.blocks import Block, Column, Failure, json_text
from klcli.errors import InputError, KlcliError, clipped, listed
from klcli.readers.documents import MalformedJsonError, decode, load, no_repeated_key, number_of
from klcli.readers.tables.alike import pattern_of
from klcli.readers.tables.fields import pairs_of_fields
from klcli.readers.tables.layout import lay_out
from klcli.readers.tables.pieces import count_lines, end_of_lines, pieces, read_some
from klcli.readers.tables.rows import Rows, groups_of, pair_a_row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from klcli.readers.tables.layout import Layout, Wanted
    from klcli.readers.tables.pieces import Readable

    Part = Callable[[], Iterable[Block]]
    Record = dict[str, Any]

_SMALL = 1 << 16


class RecordsTable:
    """A stream of NDJSON whose first record has been read."""

    def __init__(self, stream: Readable, source: str, wanted: Wanted, size: int) -> None:
        self.source, self._stream, self._size = source, stream, size
        self._rest, first = _first_line(stream, source, size)
        try:
            record = _record(first.decode("utf-8", "surrogateescape"))
        except KlcliError as error:
            message = f"{self.place(0)}: {error}"
            raise type(error)(message) from None
        self.layout = lay_out(wanted, list(record), source, [isinstance(value, str) for value in record.values()])
        self.kept = self.layout.names(self.layout.by or self.layout.kept)
        self._reader = _Reader(self.layout, record, first, exact=wanted.keep is not None or bool(self.layout.by))

    def place(self, line: int) -> str:
        """The line of the file."""
        return f"{self.source}:{1 + line}"

    def parts(self) -> Iterator[Part]:
        """The rows, as functions that each read some of them; any thread may call them, in any order."""
        if self.layout.by:
            yield from groups_of(self.rows(), self.layout)
            return
        for piece in pieces(self._stream, self._size, end_of_lines, self._rest):
            yield partial(self._reader.blocks, piece)

    def rows(self) -> Iterator[Rows]:
        """The rows as they are read, before they are pairs."""
        for piece in pieces(self._stream, self._size, end_of_lines, self._rest):
            yield replace(self._reader.scalar_rows(_lines(piece)), lines=count_lines(piece))


class JsonTable:
    """A JSON document that is a list of records: all of it has been read."""

    def __init__(self, text: str, source: str, wanted: Wanted) -> None:
        self.source = source
        self._records = load(text, source)
        if not isinstance(self._records, list) or not self._records:
            message = f"{source}: a table is a list of records, or NDJSON; for one pair there is klcli compare"
            raise InputError(message)
        record = self._records[0]
        if not isinstance(record, dict):
            message = (
                f"{source}, item 1: a JSON {type(record).__name__} is no record; each row of a table is one object"
            )
            raise InputError(message)
        self.layout = lay_out(wanted, list(record), source, [isinstance(value, str) for value in record.values()])
        self.kept = self.layout.names(self.layout.by or self.layout.kept)
        self._reader = _Reader(self.layout, None, b"", exact=wanted.keep is not None or bool(self.layout.by))

    def place(self, line: int) -> str:
        """The item of the list."""
        return f"{self.source}, item {1 + line}"

    def parts(self) -> Iterator[Part]:
        """The rows, as one function."""
        if self.layout.by:
            yield from groups_of(self.rows(), self.layout)
        else:
            yield lambda: [self._reader.block(list(enumerate(self._records)))]

    def rows(self) -> Iterator[Rows]:
        """The rows as they are read, before they are pairs."""
        yield self._reader.scalar_rows(list(enumerate(self._records)))


def _first_line(stream: Readable, source: str, size: int) -> tuple[bytes, bytes]:
    """Some bytes of the stream, and the first line in them that is not blank."""
    data = b""
    while True:
        more = read_some(stream, size)
        data += more
        if data[:3] == b"\xef\xbb\xbf":
            data = data[3:]
        first = next((line for line in data.split(b"\n")[: None if not more else -1] if line.strip()), None)
        if first is not None:
            return data, first
        if not more:
            why = "; did the command before it fail?" if source == "<stdin>" else ""
            message = f"{source} is empty{why}"
            raise InputError(message)


def _lines(piece: bytearray) -> list[tuple[int, str]]:
    """The lines that are not blank, with their numbers."""
    lines = piece.decode("utf-8", "surrogateescape").split("\n")
    return [(i, line) for i, line in enumerate(lines) if line.strip()]


def _record(item: Any) -> Record:  # noqa: ANN401 - a line, or a value of a JSON document
    """The record that a line or an item of a list is. Raises InputError, DistributionError."""
    value = item
    if isinstance(item, str):
        try:
            item.encode()
        except UnicodeEncodeError as error:
            message = f"byte 0x{ord(item[error.start]) - 0xDC00:02x} is not UTF-8; save the file as UTF-8"
            raise InputError(message) from None
        try:
            value = decode(item)
        except MalformedJsonError as error:
            raise InputError(str(error)) from None
    if not isinstance(value, dict):
        message = f"{clipped(json.dumps(value))} is no record; each row of a table is one object"
        raise InputError(message)
    no_repeated_key(value, "this record", "key")
    record = _Record(value)
    record.line = item if isinstance(item, str) else ""
    return record


class _Record(dict[str, Any]):
    """A record, and the line it was read from."""

    line = ""


class _Written(float):
    """A number that knows how it was written."""

    text: str

    def __new__(cls, text: str) -> Self:
        """The number."""
        made = super().__new__(cls, text)
        made.text = text
        return made


def _as_written(record: Record, name: str) -> str:
    """A value of a record as JSON; a number as it stands there, 1.50 as 1.50."""
    if name not in record:
        return "null"
    value = record[name]
    if (isinstance(value, float) or value == 0) and isinstance(record, _Record) and record.line:
        value = json.loads(record.line, parse_float=_Written, parse_int=_Written)[name]
        return value.text if isinstance(value, _Written) else json_text(value)
    return json_text(value)


class _Reader:
    """Reads records. It holds nothing but what the first record says, so that threads may share it.

    exact: the columns kept were chosen, so that others may come and go.
    """

    def __init__(self, layout: Layout, first: Record | None, line: bytes, *, exact: bool) -> None:
        self._layout, self._exact = layout, exact
        sides = [columns for columns in (layout.p, layout.q) if columns]
        self._of_fields = not layout.by and all(len(columns) == 1 for columns in sides)
        self._pattern = None if first is None or not self._of_fields else pattern_of(first, line, layout)

    def blocks(self, piece: bytearray) -> list[Block]:
        """The pairs of some whole lines."""
        if self._pattern is not None:
            block = self._pattern.block(piece)
            if block is not None:
                return [block]
            if len(piece) > _SMALL:
                cut = end_of_lines(piece[: len(piece) // 2])
                if 0 < cut < len(piece):
                    return self.blocks(piece[:cut]) + self.blocks(piece[cut:])
        block = self.block(_lines(piece))
        return [replace(block, lines=count_lines(piece))]

    def block(self, items: Sequence[tuple[int, Any]]) -> Block:
        """The pairs of some records, each with its line."""
        if not self._of_fields:
            return pair_a_row(self.scalar_rows(items), self._layout)
        records, failures = self._records(items)
        lines = [line for line, _ in items]
        names = tuple(self._layout.header[side[0]] if side else None for side in (self._layout.p, self._layout.q))
        fields = [None if name is None else [record.get(name) for record in records] for name in names]
        failures = self._without(records, [name for name in names if name is not None], failures, lines)
        pairs, failed = pairs_of_fields((names[0], names[1]), fields, failures, lines.__getitem__)
        kept = [
            Column(name, cells, "json")
            for name, cells in zip(self._names(), self._cells(records, self._names()), strict=True)
        ]
        return Block(len(records), len(records), tuple(kept), tuple(pairs), tuple(failed))

    def _without(
        self, records: Sequence[Record], names: Sequence[str], failures: list[Failure], lines: Sequence[int]
    ) -> list[Failure]:
        """The failures, and one for each record that lacks a key that it needs."""
        wrong = {failure.row for failure in failures}
        for row, record in enumerate(records):
            lacking = next((name for name in names if name not in record), None)
            if lacking is not None and row not in wrong:
                text = f"no key {clipped(lacking)}; it has {listed(record)}"
                failures.append(Failure(row, lines[row], text, InputError))
        return failures

    def scalar_rows(self, items: Sequence[tuple[int, Any]]) -> Rows:
        """The rows of records whose weights are numbers."""
        records, failures = self._records(items)
        layout = self._layout
        lines = [line for line, _ in items]
        names = layout.names(layout.numbers)
        numbers = np.ones((len(names), len(records)))
        places = [f"column {clipped(name)}" for name in names]
        required = layout.names([*layout.by, *([] if layout.label is None else [layout.label])])
        failures = self._without(records, [*names, *required], failures, lines)
        wrong = {failure.row for failure in failures}
        for row, record in enumerate(records):
            if row in wrong:
                continue
            try:
                for i, name in enumerate(names):
                    numbers[i, row] = number_of(record.get(name), places.__getitem__, i)
                missing = next((name for name in required if record.get(name) is None), None)
                if missing is not None:
                    message = f"column {clipped(missing)}: nothing stands here"
                    raise InputError(message)
            except KlcliError as error:
                failures.append(Failure(row, lines[row], str(error), type(error)))
        text = self._cells(records, self._names())
        if layout.by and layout.label is not None:
            labels = (record.get(layout.header[layout.label]) for record in records)
            text.append(
                strings(
                    "" if label is None else label if isinstance(label, str) else json.dumps(label) for label in labels
                )
            )
        failures.sort()
        return Rows(
            len(records), lines[-1] + 1 if lines else 0, numbers, text, "json", tuple(failures), lines.__getitem__
        )

    def _names(self) -> tuple[str, ...]:
        return self._layout.names(self._layout.by or self._layout.kept)

    def _records(self, items: Sequence[tuple[int, Any]]) -> tuple[list[Record], list[Failure]]:
        """The records, empty where a line is none, and what is wrong with those."""
        records: list[Record] = []
        failures: list[Failure] = []
        known = set(self._layout.header)
        for row, (line, item) in enumerate(items):
            try:
                record = _record(item)
                if not self._exact and not record.keys() <= known:
                    new = next(key for key in record if key not in known)
                    message = f"the key {clipped(new)} is not in the first record; choose those to keep with --keep"
                    raise InputError(message)
            except KlcliError as error:
                failures.append(Failure(row, line, str(error), type(error)))
                record = {}
            records.append(record)
        return records, failures

    def _cells(self, records: Sequence[Record], names: Sequence[str]) -> list[Any]:
        """For each name the values of all records as JSON."""
        return [strings(_as_written(record, name) for record in records) for name in names]
