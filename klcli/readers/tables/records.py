"""NDJSON, and JSON that is a list of records: a record a row, a key a column, as a stream of frames or as a whole."""

from __future__ import annotations

import json
from codecs import BOM_UTF8
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, cast

from klcli.errors import InputError, KlcliError, clipped
from klcli.readers.documents import load
from klcli.readers.lines import TextLines
from klcli.readers.numbers import is_number
from klcli.readers.sources import empty
from klcli.readers.tables.json_rows import JsonRows, decoded, fault_of, members
from klcli.readers.tables.pieces import SMALL, end_of_lines, piece_size, pieces, read_some
from klcli.readers.tables.roles import is_key
from klcli.readers.tables.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from klcli.readers.sources import ByteStream, Source
    from klcli.readers.tables.layout import Layout

_ITEMS = 1 << 16
"""Records of a JSON list in a frame."""


# ------------------------------------------------------------------------------------------------------ the whole table


def table_of(values: Any, source: str, where: Callable[[int], str]) -> Table:  # noqa: ANN401 - what a JSON text is
    """A list of records as a table with a column for each key that occurs, None where a record lacks it.

    where(i): the place of the i-th value. Raises InputError where it is no list, or a value in it no record.
    """
    if not isinstance(values, list) or not values:
        message = f"{source}: a table is a list of records, or NDJSON; for one pair there is klcli compare"
        raise InputError(message)
    for i, value in enumerate(values):
        fault = fault_of(value)
        if fault is not None:
            message = f"{where(i)}: {fault}"
            raise InputError(message)
    names = tuple(dict.fromkeys(key for record in values for key in record))
    columns = {i: [record.get(name) for record in values] for i, name in enumerate(names)}
    absent = {i: {row for row, record in enumerate(values) if name not in record} for i, name in enumerate(names)}
    absent = {i: rows for i, rows in absent.items() if rows}
    return Table(names, columns, len(values), len(values), "value", source=source, place=where, absent=absent)


def records_of(value: Any, source: str) -> list[Any] | None:  # noqa: ANN401 - what a JSON text is
    """The records in an object of columns, or what pandas writes with orient='columns', 'table' or 'split'; else None.

    In the latter an index is a column before the others, called label. Raises InputError for a name that stands twice.
    """
    if not isinstance(value, dict):
        return None
    members = list(value.values())
    if members and all(isinstance(of, dict) and of.keys() == members[0].keys() for of in members):
        columns = {name: list(of.values()) for name, of in value.items()}
        numbered = list(members[0]) == list(map(str, range(len(members[0]))))
        value = columns if numbered and any(_are_words(cells) for cells in columns.values()) else value
    if _are_columns(value):
        return [dict(zip(value, row, strict=True)) for row in zip(*value.values(), strict=True)]
    if not isinstance(data := value.get("data"), list) or not data:
        return None
    if isinstance(value.get("schema"), dict):
        return data
    names, index = value.get("columns"), value.get("index")
    if not isinstance(names, list) or any(not isinstance(row, list) or len(row) != len(names) for row in data):
        return None
    names = list(map(_joined, names))
    if isinstance(index, list) and len(index) == len(data):
        numbered = all(isinstance(of, int | float) for of in index)
        names = ["index" if numbered or "label" in names else "label", *names]
        data = [[of if numbered else _joined(of), *row] for of, row in zip(index, data, strict=True)]
    twice = next((name for i, name in enumerate(names) if name in names[:i]), None)
    if twice is not None:
        message = f"{source}: two columns are called {clipped(twice)}; rename one"
        raise InputError(message)
    return [dict(zip(names, row, strict=True)) for row in data]


def _are_columns(value: dict[str, Any]) -> bool:
    """Whether an object has lists of one length under its keys, of which one holds labels, or keys by its name."""
    lists = list(value.values())
    if len(lists) < 2 or not all(isinstance(cells, list) and cells and len(cells) == len(lists[0]) for cells in lists):  # noqa: PLR2004
        return False
    if any(isinstance(cell, list | dict) for cells in lists for cell in cells):
        return False
    return 0 < sum(map(_are_words, lists)) < len(lists) or "label" in value or is_key(next(iter(value)))


def _are_words(cells: list[Any]) -> bool:
    """Whether all of some cells are text, and not all of them numbers."""
    return all(isinstance(cell, str) for cell in cells) and not all(map(is_number, cells))


def _joined(name: Any) -> str:  # noqa: ANN401
    """A name as text; the parts of one of several levels between commas."""
    return ",".join(map(str, name)) if isinstance(name, list) else str(name)


# ----------------------------------------------------------------------------------------------------------- the stream


class RecordStream:
    """A stream of records, the first of which has been read. size: bytes of a piece, None for what suits.

    names: the keys of the first record. text: which of them hold text. small: whether no table engine is needed. begin:
    where the lines begin, after a byte order mark.
    """

    note = ""

    def __init__(self, source: Source, *, ndjson: bool, size: int | None = None) -> None:
        self.source, self._ndjson, self._before = source.name, ndjson, 0
        self._source, self._stream = source, cast("ByteStream", source)
        if ndjson and source.dialect.alters:
            self._stream = cast("ByteStream", TextLines(source, source.name, source.dialect))
        self._size, self._notation = size or 0, source.dialect.notation
        self.small = True
        if ndjson:
            self._begun, line, first = self._first_line()
            self._size = size or piece_size(source.size, self._begun)
            value = decoded(first.decode("utf-8", "surrogateescape"))
        else:
            self._text = source.text
            self.small = len(self._text) <= SMALL
            line, value = 0, load(self._text, self.source)
            records = records_of(value, self.source)
            if records is not None:
                self._text, value = json.dumps(records), records
            if not isinstance(value, list) or not value:
                table_of(value, self.source, self.place)
            self._values, value = value, value[0]
        fault = value if isinstance(value, KlcliError) else fault_of(value)
        if fault is not None:
            message = f"{self.place(line)}: {fault}"
            raise type(fault)(message)
        self._first: dict[str, Any] = value
        self.names = tuple(value)
        self.text = [isinstance(cell, str) for cell in value.values()]

    def doubts(self, _: Sequence[int]) -> Sequence[str]:
        """None: JSON has numbers of its own."""
        return ()

    def place(self, line: int) -> str:
        """The line of the file, or the item of the list."""
        return f"{self.source}:{1 + self._before + line}" if self._ndjson else f"{self.source}, item {1 + line}"

    def narrow(self, start: int, end: int, before: int) -> None:
        """Leaves only the lines between two places in the file. before: how many are above them."""
        self._source.narrow(start, end)
        self._begun, self._before = b"", before

    def frames(self, layout: Layout) -> Iterator[Callable[[], Table]]:
        """The rows, as functions that each read some of them; any thread may call them, in any order."""
        reader = JsonRows(layout, small=self.small, notation=self._notation)
        if self._ndjson:
            read = reader.lines
            if not self.small:
                from klcli.readers.tables.json_columns import JsonColumns

                read = JsonColumns(reader, self._first).lines
            for piece in pieces(self._stream, self._size, end_of_lines, self._begun):
                yield partial(read, piece)
            return
        for start in range(0, len(self._values), _ITEMS):
            values = self._values[start : start + _ITEMS]
            yield partial(reader.table, range(len(values)), values, partial(self._item, start), len(values))

    def _item(self, start: int, row: int) -> str:
        """How a record of a JSON list is written."""
        return self._items[start + row]

    @cached_property
    def _items(self) -> list[str]:
        return [item for _, item in members(self._text)]

    def _first_line(self) -> tuple[bytes, int, bytes]:
        """Some bytes of the stream, and which is the first line in them that is not blank, and that line."""
        data = read_some(self._stream, SMALL + 1)
        self.small = len(data) <= SMALL
        self.begin = len(BOM_UTF8) if data.startswith(BOM_UTF8) else 0
        data = data[self.begin :]
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
