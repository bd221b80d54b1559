"""Lines of NDJSON that are written alike but for their values, which is how programs write them.

With its brackets made commas such a line is one of CSV, which Arrow reads several times as fast as any JSON parser.
What stands between the values is compared with the first line; lines that differ in it are left to the JSON parser.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa
from pyarrow import csv as arrow_csv

from klcli.arrow import bytes_and_offsets, cut, doubles, joined, utf8_data, whole
from klcli.blocks import Block, Column, Pairs
from klcli.readers.tables.fields import Places

if TYPE_CHECKING:
    from collections.abc import Mapping

    from klcli.readers.tables.layout import Layout

    Record = Mapping[str, Any]

_LISTS, _OBJECTS = b"[]", b"[]{}:"
_UNMARKED = bytes(byte for byte in range(256) if byte not in b'{}[]:,"\n')
_NUMBERS = re.compile(rb"(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?\n)*")
"""JSON numbers, each with a line end. Source: RFC 8259."""


class Value(NamedTuple):
    """A field that holds one value, and what stands around it there."""

    field: int
    before: bytes
    after: bytes


class Pattern(NamedTuple):
    """How the lines are written.

    marks: the brackets, colons, commas and quotes of a line, in order. commas: translates a line to fields between
    commas. width: how many. weights: the fields of P and of Q. same: what stands in those that are the same in every
    line. kept: name -> where its value is. labels: of P and of Q.
    """

    layout: Layout
    marks: bytes
    commas: bytes
    width: int
    weights: tuple[tuple[int, ...], tuple[int, ...]]
    same: Mapping[int, bytes]
    kept: Mapping[str, Value]
    labels: tuple[tuple[str, ...] | None, tuple[str, ...] | None]

    def block(self, piece: bytearray) -> Block | None:
        """The pairs of some whole lines, or None where they are not written so."""
        if b"\\" in piece or not self._marked_alike(piece):
            return None
        table = self._table(piece.translate(self.commas))
        if table is None:
            return None
        kept = [_values(whole(table.column(str(value.field))), value) for value in self.kept.values()]
        if any(cells is None for cells in kept):
            return None
        n = table.num_rows
        sides = [None if not side else _columns(table, side) for side in self.weights]
        if not all(side is None or np.isfinite(side).all() for side in sides):
            return None  # JSON has other words for what Arrow takes for these
        names = tuple(self.layout.header[side[0]] if side else None for side in (self.layout.p, self.layout.q))
        rows = np.arange(n)
        pairs = Pairs(rows, sides[0], sides[1], self.labels, Places((names[0], names[1]), self.labels, rows, int))
        columns = [Column(name, cells, "json") for name, cells in zip(self.kept, kept, strict=True)]
        return Block(n, n, tuple(columns), (pairs,))

    def _marked_alike(self, piece: bytearray) -> bool:
        """Whether every line has the same marks in the same order."""
        found = piece.translate(None, _UNMARKED)
        lines, left = divmod(len(found) + (piece[-1:] != b"\n"), len(self.marks))
        return left == 0 and (self.marks * lines).startswith(found)

    def _table(self, lines: bytearray) -> pa.Table | None:
        weights = [str(i) for side in self.weights for i in side]
        text = [str(i) for i in (*self.same, *(value.field for value in self.kept.values()))]
        kinds = dict.fromkeys(text, pa.string()) | dict.fromkeys(weights, pa.float64())
        try:
            table = arrow_csv.read_csv(
                pa.BufferReader(lines),
                read_options=arrow_csv.ReadOptions(
                    column_names=[str(i) for i in range(self.width)], use_threads=False, block_size=1 << 20
                ),
                parse_options=arrow_csv.ParseOptions(quote_char=False, ignore_empty_lines=False),
                convert_options=arrow_csv.ConvertOptions(
                    column_types=kinds, include_columns=list(kinds), null_values=[]
                ),
            )
        except pa.ArrowInvalid:
            return None
        same = all(_all_are(whole(table.column(str(i))), text) for i, text in self.same.items())
        return table if same else None


def pattern_of(record: Record, line: bytes, layout: Layout) -> Pattern | None:
    """How the line of the record is written; None where it is not simple enough."""
    names = [layout.header[side[0]] if side else None for side in (layout.p, layout.q)]
    sides = [None if name is None else record[name] for name in names]
    simple = all(
        name is None or (isinstance(side, list | dict) and side) for name, side in zip(names, sides, strict=True)
    )
    nested = any(isinstance(value, list | dict) for key, value in record.items() if key not in names)
    if not simple or nested or b"\\" in line:
        return None
    objects = any(isinstance(side, dict) for side in sides)
    brackets = _OBJECTS if objects else _LISTS
    commas = bytes(ord(",") if byte in brackets else byte for byte in range(256))
    walk = _Walk(line.rstrip(b"\r\n").translate(commas).split(b","), objects=objects)
    if not walk.over(record):
        return None
    names_kept = layout.names(layout.kept)
    if not walk.values.keys() >= set(names_kept):
        return None
    kept = {name: walk.values[name] for name in names_kept}
    weights = [() if name is None else tuple(walk.weights[name]) for name in names]
    labels = [tuple(side) if isinstance(side, dict) else None for side in sides]
    return Pattern(
        layout,
        _marks(line),
        commas,
        len(walk.fields),
        (weights[0], weights[1]),
        walk.same,
        kept,
        (labels[0], labels[1]),
    )


class _Walk:
    """Goes over a record and the fields of its line together, and tells which is what."""

    def __init__(self, fields: list[bytes], *, objects: bool) -> None:
        self.fields, self._objects, self._at = fields, objects, 0
        self.same: dict[int, bytes] = {}
        self.values: dict[str, Value] = {}
        self.weights: dict[str, list[int]] = {}

    def over(self, record: Record) -> bool:
        """Whether each field has been found to be something, and the line has no more."""
        try:
            if self._objects:
                self._constant(b"")
            for i, (key, value) in enumerate(record.items()):
                self._member(key, value, last=i == len(record) - 1)
            if self._objects:
                self._constant(b"")
        except (IndexError, ValueError):
            return False
        return self._at == len(self.fields)

    def _constant(self, expected: bytes) -> None:
        """A field that is the same in every line."""
        if self.fields[self._at].strip() != expected:
            raise ValueError(expected)
        self.same[self._at] = self.fields[self._at]
        self._at += 1

    def _member(self, key: str, value: object, *, last: bool) -> None:
        name = b'"' + key.encode() + b'"'
        opening = b"{" if self._at == 0 and not self._objects else b""
        if not isinstance(value, list | dict):
            if self._objects:
                self._constant(name)
            self.values[key] = self._value(b"" if self._objects else opening + name + b":", last=last)
            return
        if self._objects:
            self._constant(name)
            self._constant(b"")
        else:
            self._constant(opening + name + b":")
        self.weights[key] = []
        for item in value:
            if isinstance(value, dict):
                self._constant(b'"' + str(item).encode() + b'"')
            self.weights[key].append(self._at)
            self._at += 1
        self._constant(b"}" if last and not self._objects else b"")

    def _value(self, expected: bytes, *, last: bool) -> Value:
        field = self.fields[self._at]
        after = b"}" if last and not self._objects else b""
        start = field.index(b":") + 1 if expected else 0
        start += len(field[start:]) - len(field[start:].lstrip())
        if field[:start].strip() != expected or not field.endswith(after):
            raise ValueError(expected)
        self._at += 1
        return Value(self._at - 1, field[:start], after)


def _all_are(cells: Any, expected: bytes) -> bool:  # noqa: ANN401 - an Arrow array of strings
    """Whether the same stands in every cell."""
    data = utf8_data(cells)
    return data.nbytes == len(cells) * len(expected) and data == expected * len(cells)


def _columns(table: pa.Table, fields: tuple[int, ...]) -> np.typing.NDArray[np.float64]:
    columns = np.empty((len(fields), table.num_rows))
    for row, field in zip(columns, fields, strict=True):
        doubles(table.column(str(field)), row)
    return columns


def _values(cells: Any, value: Value) -> Any:  # noqa: ANN401
    """The JSON values in a field, without what stands around them; None where something else does, or no JSON."""
    before, after = len(value.before), len(value.after)
    text, offsets = bytes_and_offsets(cells)
    starts, ends = offsets[:-1], offsets[1:]
    if (ends - starts <= before + after).any():
        return None
    if (text[starts[:, None] + np.arange(before)] != np.frombuffer(value.before, dtype=np.uint8)).any():
        return None
    if (text[ends[:, None] - after + np.arange(after)] != np.frombuffer(value.after, dtype=np.uint8)).any():
        return None
    found = cut(cells, before, after)
    if _NUMBERS.fullmatch(bytes(utf8_data(joined([found.view(pa.binary()), b"\n"])))):
        return found
    return found if all(map(_is_json, found.to_pylist())) else None


def _is_json(cell: str) -> bool:
    """Whether the text is a JSON value and nothing more."""
    try:
        value = json.loads(cell)
    except ValueError:
        return False
    return cell == cell.strip() and (not isinstance(value, float) or value - value == 0)


def _marks(line: bytes) -> bytes:
    return line.rstrip(b"\r\n").translate(None, _UNMARKED) + b"\n"
