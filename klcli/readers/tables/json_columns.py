"""NDJSON read by Arrow, on threads, without a Python object a number.

Each line that Arrow would take for something else than json does, or not at all, is first replaced by what json makes
of it. For lines of twenty numbers this takes as much CPU as orjson does, which keeps other threads waiting; json alone
takes four times as much. Of 1 % bad lines a run takes twice as long.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
import pyarrow as pa
from pyarrow import json as arrow_json

from klcli.arrow import binaries, cast, filled, joined, lists, nulls, strings, structures, whole
from klcli.blocks import json_text
from klcli.errors import KlcliError, clipped
from klcli.readers.distributions import ADDED_UP
from klcli.readers.documents import distribution_of
from klcli.readers.numbers import may_underflow
from klcli.readers.tables.json_rows import decoded
from klcli.readers.tables.pieces import is_utf8
from klcli.readers.tables.table import Table, interleaved

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import numpy.typing as npt

    from klcli.readers.tables.json_rows import JsonRows, Record

    Cells = Any
    Kind = str | tuple[str, ...] | None

_NUMERIC = {int, float}
_NAMES: Mapping[type, str] = {int: "int64", float: "double", str: "string", bool: "bool"}
_TYPES: Mapping[str, set[type]] = {"int64": _NUMERIC, "double": _NUMERIC, "string": set(), "bool": {bool}}

_DEEPEST = 500
"""Brackets that may be open in a line that is not json's to judge: orjson refuses 1024, Arrow dies of 20,000."""

_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"')
_OPENS = np.zeros(256, dtype=np.int8)
_OPENS[list(b"[{")], _OPENS[list(b"]}")] = 1, -1

_AFTER_A_NUMBER = np.frombuffer(b" \t\r\n,]}", dtype=np.uint8)
_WORD = re.compile(rb"[\s,:\[](?:NaN|-?Inf)")
_ESCAPED_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


class JsonColumns:
    """Reads lines of NDJSON by Arrow, as far as they are like the first record; the others are json's.

    kinds: what the values under each key that is read are: the name of their type, the labels of an object, or None for
    a list of weights. They are empty where the first record holds what only json can keep as it is written.
    """

    def __init__(self, json_reader: JsonRows, first: Record) -> None:
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
        if not odd and _has_a_record_a_line(piece) and not _has_words(piece) and is_utf8(piece):
            total = piece.count(b"\n") + (not piece.endswith(b"\n"))
            table = self._read(piece, range(total), total)
            if table is not None and all(map(_finite, (table.columns[i] for i in self._layout.numbers))):
                return table
        return self._judged(bytes(piece).split(b"\n"), odd=odd)

    def _judged(self, lines: list[bytes], *, odd: bool) -> Table | None:
        """The frame, of which json reads the lines in doubt; None where they are unlike the others, or all there is."""
        total = len(lines) - (not lines[-1])
        sound: list[int] = []
        doubtful: list[int] = []
        for i, line in enumerate(lines):
            if line.strip():
                (doubtful if (odd and _is_odd(line)) or not self._is_alike(line) else sound).append(i)
        quick = self._read(bytearray(b"\n".join(lines[i] for i in sound)), sound, total) if sound else None
        if quick is None or not doubtful:
            return quick
        texts = [lines[i].decode("utf-8", "surrogateescape") for i in doubtful]
        judged = self._json.table(doubtful, list(map(decoded, texts)), texts.__getitem__, total)
        if self._json.nested:
            wrong, summed = dict(judged.wrong), set[int]()
            weights = {i: self._weights(judged.columns[i], i, wrong, summed) for i in self._layout.numbers}
            if any(cells is None or cells.type != quick.columns[i].type for i, cells in weights.items()):
                return None
            remarks = {ADDED_UP: len(summed)} if summed else {}
            judged = judged._replace(columns={**judged.columns, **weights}, wrong=wrong, remarks=remarks)
        return interleaved(quick, judged)

    def _weights(self, cells: list[Any], column: int, wrong: dict[int, KlcliError], summed: set[int]) -> Cells | None:
        """The weights in a column of some rows in Arrow's memory, None where they are unlike those of the first record.

        Adds what is wrong with rows that have none. summed: takes the rows in which labels that stood twice were added.
        """
        name = self._layout.header[column]
        kind = self._kinds[name]
        found: list[npt.NDArray[np.float64]] = []
        how = self._layout.choices.repeats, self._layout.blank
        for row, cell in enumerate(cells):
            if row not in wrong:
                try:
                    one = distribution_of(name, cell, f"column {clipped(name)}", *how)
                except KlcliError as error:
                    wrong[row] = error
                else:
                    if kind != (None if one.outcomes is None else tuple(one.outcomes)):
                        return None
                    summed.update([row] if one.remarks else [])
                    found.append(one.values)
            if row in wrong:
                found.append(np.ones(len(self._first[name])))  # which nobody reads
        return lists(found) if kind is None else structures(kind, found)

    def _is_alike(self, line: bytes) -> bool:
        """Whether a line is a record like the first one, so that Arrow reads it as json does."""
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
                alike = type(value) is list and _all_numbers(value)
            elif isinstance(kind, tuple):
                alike = type(value) is dict and tuple(value) == kind and _all_numbers(value.values())
                strings += len(kind)
            elif type(value) is str:
                alike = kind == "string"
                strings += 1
            else:
                alike = type(value) in _TYPES[kind] or (value is None and name in self._may_be_null)
            if not alike:
                return False
        # A key that stands twice has more quotes. Strings with quotes inside are json's too.
        return line.count(b'"') == 2 * strings

    def _read(self, data: bytearray, lines: Sequence[int], total: int) -> Table | None:
        """The frame as Arrow reads it; None where that does not do. lines: of each row.

        Where the first record has an integer that is kept, all are taken for integers first, and not again once that
        has failed: the digits of other numbers are then looked for in the data.
        """
        for number in (False, True)[self._any_number :]:
            arrow = self._parsed(data, any_number=number)
            columns = None if arrow is None or arrow.num_rows != len(lines) else self._columns(arrow, data)
            if columns is not None:
                self._any_number = number
                names, source = self._layout.header, self._layout.source
                starts = None if len(lines) == total else np.array(lines)
                return Table(names, columns, len(lines), total, "json", starts=starts, source=source)
        return None

    def _parsed(self, data: bytearray, *, any_number: bool) -> Any:  # noqa: ANN401 - a pyarrow.Table
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
                columns[i] = np.from_dlpack(cells) if kind == "double" else cells
            else:
                found = self._text(name, str(kind), cells, data)
                if found is None:
                    return None
                columns[i] = found
        return columns

    def _text(self, name: str, kind: str, cells: Cells, data: bytearray) -> Cells | None:
        """A column as JSON text, numbers as they are written in the data; labels are plain text."""
        if self._layout.label is not None and name == self._layout.header[self._layout.label]:
            return cast(cells, pa.string()) if kind != "string" else cells
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
            text = cast(cells, pa.string())
        return filled(text, "null")


def _all_numbers(values: Iterable[Any]) -> bool:
    return _NUMERIC.issuperset(map(type, values))


def _is_odd(text: bytes | bytearray) -> bool:
    """Whether there may be a number in the text, or half a character, that Arrow reads otherwise than json."""
    surrogate = b"\\" in text and _ESCAPED_SURROGATE.search(text) is not None
    return surrogate or may_underflow(text) or _has_minus_zero(text)


def _has_a_record_a_line(piece: bytearray) -> bool:
    """Whether every line starts and ends as a record does.

    Of such lines each is a record if there are as many records as lines: none goes on in the next line, for after a
    brace that closes inside of a record no other one opens. A line that may be nested more deeply than json takes is
    none: Arrow, which looks through values that nobody wants too, would not come back from it.
    """
    text = np.frombuffer(piece, dtype=np.uint8)
    ends = np.flatnonzero(text == ord("\n"))
    ends = ends if piece.endswith(b"\n") else np.append(ends, len(text))
    starts = np.append(0, ends[:-1] + 1)
    last = ends - 1 - (text[ends - 1] == ord("\r"))
    long = np.flatnonzero(ends - starts > 2 * _DEEPEST)
    return bool(
        (text[starts] == ord("{")).all()
        and (text[last] == ord("}")).all()
        and not any(_is_deep(piece[starts[i] : ends[i]]) for i in long.tolist())
    )


def _is_deep(line: bytearray) -> bool:
    """Whether more than so many brackets are open somewhere in a line."""
    if line.count(b"[") + line.count(b"{") <= _DEEPEST:
        return False
    text = np.frombuffer(_STRING.sub(b"", line), dtype=np.uint8)
    return bool(np.cumsum(_OPENS[text], dtype=np.int32).max() > _DEEPEST)


def _has_words(piece: bytearray) -> bool:
    """Whether there may be JSON's words for what is no number among the weights. To look for one byte costs nothing."""
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


def _finite(cells: Cells) -> bool:
    """Whether the weights in a column are finite."""
    if hasattr(cells, "flatten"):
        cells = cells.flatten()
    parts = cells if isinstance(cells, list) else [cells]
    return all(np.isfinite(np.from_dlpack(part)).all() for part in parts if len(part))
