"""Records read by Python's json: it decides what a record is, and what is wrong with one."""

from __future__ import annotations

import json
import re
from functools import partial
from json.decoder import scanstring  # type: ignore[attr-defined]
from math import nan
from typing import TYPE_CHECKING, Any

import numpy as np

from klcli.blocks import json_text
from klcli.errors import InputError, KlcliError, clipped, listed
from klcli.readers.documents import MalformedJsonError, decode, is_blank_value, no_repeated_key, number_of
from klcli.readers.numbers import POINT
from klcli.readers.tables.percents import faults
from klcli.readers.tables.roles import no_group
from klcli.readers.tables.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from klcli.model import Array
    from klcli.readers.numbers import Notation
    from klcli.readers.tables.layout import Layout

    Record = dict[str, Any]
    Cells = Any


def fault_of(value: Any) -> KlcliError | None:  # noqa: ANN401
    """What is wrong with a value that should be a record."""
    if not isinstance(value, dict):
        return InputError("this is no record; each row of a table is one JSON object")
    try:
        no_repeated_key(value, "this record", "key")
    except KlcliError as error:
        return error
    return None if value else InputError("this record has no keys; each row of a table is one JSON object")


def decoded(text: str) -> Any:  # noqa: ANN401
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
_LOOSE = re.compile(r'("(?:[^"\\]|\\.)*")|[\r\n]\s*|(NaN|-?Infinity)')


def members(text: str) -> Iterator[tuple[str, str]]:
    """The members of a JSON object or list: key, '' in a list, and value as it is written there.

    Only line ends in it are left out, and words for what is no number stand in quotes.
    """

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
        yield key, _LOOSE.sub(_strict, value) if any(map(value.__contains__, _NOT_IN_A_LINE)) else value
        at = blank(end)
        if text[at] == ",":
            at = blank(at + 1)


_NOT_IN_A_LINE = ("\n", "\r", "NaN", "Infinity")


def _strict(found: re.Match[str]) -> str:
    """What a line of strict JSON has for a string, a line end, or a word for what is no number."""
    return found[1] or (f'"{found[2]}"' if found[2] else "")


def _as_written(record: Record, names: Iterable[str], text: Callable[[], str]) -> list[str]:
    """The values of a record as JSON, null where there is none; numbers keep their digits, inside of lists too."""
    found: dict[str, str] | None = None
    cells = []
    for name in names:
        value = record.get(name)
        if value is None or isinstance(value, str | bool) or (type(value) is int and value):
            cells.append(json_text(value))
        else:
            found = dict(members(text())) if found is None else found
            cells.append(found[name])
    return cells


class JsonRows:
    """Reads records by Python's json. It holds nothing but what the layout says, so that threads may share it.

    nested: whether the weights of a side are a list or an object in one column. notation: of numbers that are text.
    """

    def __init__(self, layout: Layout, *, small: bool, notation: Notation = POINT) -> None:
        self._notation = notation
        self.layout, self._small, self._known = layout, small, frozenset(layout.header)
        self.nested = layout.in_fields
        self.required = layout.names([*layout.by, *([] if layout.label is None else [layout.label])])

    def lines(self, piece: bytearray) -> Table:
        """The frame of some whole lines, those that are blank left out."""
        lines = piece.decode("utf-8", "surrogateescape").split("\n")
        numbers = [i for i, line in enumerate(lines) if line.strip()]
        values = [decoded(lines[i]) for i in numbers]
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
            columns[i] = cells if self.nested else _doubles(cells, name, wrong, self._notation)
        if not self.nested:
            self._refuse_mixed(records, columns, wrong)
        for name in self.required:
            for row, record in enumerate(records):
                if record.get(name) is None and row not in wrong:
                    is_key = name in layout.names(layout.by)
                    nothing = f"column {clipped(name)}: nothing stands here; fill it in"
                    wrong[row] = InputError(no_group(name) if is_key else nothing)
        kept = layout.cells
        texts = [_as_written(record, layout.names(kept), partial(text, row)) for row, record in enumerate(records)]
        for n, i in enumerate(kept):
            columns[~i if i in columns else i] = self._column([cells[n] for cells in texts])
        if layout.by and layout.label is not None:
            name = layout.header[layout.label]
            columns[layout.label] = self._column([_label(record.get(name)) for record in records])
        starts = np.array(lines, dtype=np.intp)
        return Table(layout.header, columns, len(records), total, "json", wrong, starts, source=layout.source)

    def _refuse_mixed(self, records: Sequence[Record], columns: dict[int, Cells], wrong: dict[int, KlcliError]) -> None:
        """Adds the rows that hold percentages, which JSON has as strings, beside other numbers."""
        texts: dict[int, list[str]] = {}
        for i in columns:
            cells = [record.get(self.layout.header[i]) for record in records]
            if any(isinstance(cell, str) for cell in cells):
                texts[i] = ["" if cell is None else str(cell) for cell in cells]
        for row, text in faults(self.layout, texts, columns).items():
            wrong.setdefault(row, InputError(text))

    def _record(self, row: int, value: Any, wrong: dict[int, KlcliError]) -> Record:  # noqa: ANN401
        """The record that a value is; an empty one where it is none, and what is wrong with it."""
        fault = value if isinstance(value, KlcliError) else fault_of(value)
        if fault is None and not self.layout.exact:
            new = next((key for key in value if key not in self._known), None)
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


def _doubles(cells: Sequence[Any], name: str, wrong: dict[int, KlcliError], notation: Notation) -> Array:
    """The numbers of a column; 1 in the rows that are wrong, to which those are added where there is no number."""
    doubles, blank = np.ones(len(cells)), {"zero": 0.0, "skip": nan}.get(notation.blank)
    place = f"column {clipped(name)}"
    for row, cell in enumerate(cells):
        if blank is not None and is_blank_value(cell):
            doubles[row] = blank
        elif type(cell) is float:
            doubles[row] = cell
        elif row not in wrong:
            try:
                doubles[row] = number_of(cell, lambda _: place, 0, notation)
            except KlcliError as error:
                wrong[row] = error
    return doubles
