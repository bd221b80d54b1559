"""CSV and TSV: a header, then a row an outcome.

Python's csv module is the reference: it says what a file means and where it is wrong. Large files are read by Arrow,
which does the same faster; whatever it will not take goes back to the reference, for its meaning or its error.
"""

from __future__ import annotations

import csv
import io
from functools import cached_property
from mmap import mmap
from typing import TYPE_CHECKING

from klcli.errors import InputError, clipped
from klcli.readers.beside import Beside
from klcli.readers.columnar import Columns
from klcli.readers.content import Series, all_numbers, column_of, label_column, no_pointer, no_such, unique
from klcli.readers.labels import Labels
from klcli.readers.numbers import is_number, numbers
from klcli.readers.sources import PLAIN, open_source

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from klcli.readers.content import Content
    from klcli.readers.sources import Source

    Table = Any  # pyarrow.Table, which has no types

LARGE = 1 << 20
"""From this many bytes on, Arrow's 35 ms of import are worth it."""

_SAMPLE = 1 << 11


class Delimited:
    """A table of text, with the line each row ends on."""

    def __init__(self, text: str, source: str, delimiter: str, label: str | None = None, decimal: str = ".") -> None:
        self.source, self._label, self._decimal = source, label, decimal
        limit = csv.field_size_limit(len(text) + 1)
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        self._rows: list[list[str]] = []
        self._lines: list[int] = []
        try:
            self.header = next((row for row in reader if row), [])
            for row in reader:
                if row:
                    self._check(row, reader.line_num)
                    self._rows.append(row)
                    self._lines.append(reader.line_num)
        except csv.Error as error:
            message = f"{source}:{reader.line_num}: {error}"
            raise InputError(message) from None
        finally:
            csv.field_size_limit(limit)
        self._check_delimiter(delimiter)
        if not self._rows:
            message = f"{source}: a header and no rows; the first line of a table names its columns"
            raise InputError(message)

    def _check(self, row: list[str], line: int) -> None:
        if len(row) != len(self.header):
            fields = "1 field" if len(row) == 1 else f"{len(row)} fields"
            message = f"{self.source}:{line}: {fields}, the header has {len(self.header)}"
            raise InputError(message)

    def _check_delimiter(self, delimiter: str) -> None:
        """Says so where a table of one column looks like one of several with another delimiter."""
        other = next((c for c in ",;\t" if c != delimiter and c in (*self.header, "")[0]), None)
        if len(self.header) == 1 and other is not None and self._rows and other in self._rows[0][0]:
            separated = {",": "commas", "\t": "tabs", ";": "semicolons"}.get(delimiter, repr(delimiter))
            mend = {",": "--input-format csv", "\t": "--input-format tsv"}.get(other, f"--delimiter {other!r}")
            found = f"{self.source}:1: one field, {clipped(self.header[0])}"
            message = f"{found}; fields here are separated by {separated} ({mend})"
            raise InputError(message)

    def where(self, row: int) -> str:
        """The place of a row, for errors."""
        return f"{self.source}:{self._lines[row]}"

    def names(self) -> list[str]:
        """The header."""
        return self.header

    @cached_property
    def _numbers(self) -> list[tuple[int, int]]:
        """For each column how many cells are numbers, and how many cells there are."""
        return [
            (sum(is_number(row[i], self._decimal) for row in self._rows), len(self._rows))
            for i in range(len(self.header))
        ]

    @cached_property
    def _label_column(self) -> int | None:
        """The column of labels: the one chosen, or see `label_column`."""
        name = self._label if self._label is not None else label_column(self.header, self._numbers)
        return None if name is None else self._column(name)

    @property
    def label_name(self) -> str | None:
        """The name of the column of labels, if there is one."""
        return None if self._label_column is None else self.header[self._label_column]

    def numeric(self) -> list[str]:
        """The columns in which every cell is a number, but for that of the labels."""
        others = [(i, name) for i, name in enumerate(self.header) if i != self._label_column]
        mend = "; if these are labels add --label {}"
        return [name for i, name in others if all_numbers(self, name, self._numbers[i], mend.format(name))]

    def _column(self, name: str) -> int:
        if name not in self.header:
            raise no_such(self.source, name, self.header)
        if self.header.count(name) > 1:
            message = f"{self.source}:1: the header has {clipped(name)} twice; rename one of the columns"
            raise InputError(message)
        return self.header.index(name)

    def series(self, name: str) -> Series:
        """One column's numbers, labelled by the column of labels."""
        column = self._column(name)
        inside = f" in column {clipped(name)}"
        values = numbers([row[column] for row in self._rows], self.where, inside, self._decimal)
        labels = self._labels(column)
        if labels is not None:
            unique(labels, self.where, str(self.label_name))
        return Series(name, values, labels, lambda i: f"{self.where(i)}, column {clipped(name)}")

    def _labels(self, but: int) -> Sequence[str] | None:
        column = self._label_column
        return None if column is None or column == but else [row[column] for row in self._rows]

    def at(self, pointer: str) -> Content:
        """Pointers are for JSON."""
        no_pointer(self.source, pointer)

    def address(self, name: str) -> str:
        """SOURCE:COLUMN."""
        return column_of(self.source, name)


def read(source: Source, label: str | None, delimiter: str) -> Content:
    """The table of a source, by the quicker way that takes it. delimiter: the format's own."""
    delimiter, decimal = source.dialect.between(delimiter), source.dialect.decimal
    if len(source.mapped) >= LARGE:
        table = _by_arrow(source, label, delimiter)
        if table is not None:
            return table
    return Delimited(source.text, source.name, delimiter, label, decimal)


def head_start(path: str) -> None:
    """Begins to read a large table, as it will be read if no option says otherwise, while others still import.

    Arrow leaves Python's lock alone, so that a file of 30 MB costs next to nothing by the time it is asked for.
    """
    source, delimiter = open_source(path), _DELIMITERS.get(path[-4:].lower())
    try:
        large = delimiter is not None and isinstance(source.mapped, mmap) and len(source.mapped) >= LARGE
    except InputError:  # which is said when it is asked for
        return
    if delimiter is not None and large:
        import pyarrow.csv  # noqa: F401 - on this thread, which would have to wait for it on the other

        _begun[source.name, delimiter] = Beside(lambda: _parse(source, None, delimiter))


_DELIMITERS = {".csv": ",", ".tsv": "\t"}
_begun: dict[tuple[str, str], Beside[tuple[Table, Delimited] | None]] = {}


def _by_arrow(source: Source, label: str | None, delimiter: str) -> Content | None:
    """The table, or None where Arrow does not read it or might read it otherwise."""
    begun = _begun.pop((source.name, delimiter), None) if label is None and source.dialect == PLAIN else None
    parsed = _parse(source, label, delimiter) if begun is None else begun()
    if parsed is None:
        return None
    table, first = parsed
    decimal = source.dialect.decimal
    return Columns(
        table, source, first.label_name, lambda: Delimited(source.text, source.name, delimiter, label, decimal).where
    )


def _parse(source: Source, label: str | None, delimiter: str) -> tuple[Table, Delimited] | None:
    """Arrow's table, and its first lines as the reference reads them; None as for `_by_arrow`.

    Arrow takes "a"b for ab and lets NUL pass.
    """
    from klcli.readers.tables.pieces import quotes_enclose_fields

    data = source.mapped
    quoted = data.find(b'"') >= 0
    if data.find(b"\0") >= 0 or (quoted and not quotes_enclose_fields(data, delimiter)):
        return None
    end = data.find(b"\n", data.find(b"\n") + _SAMPLE) + 1
    try:
        first = Delimited(data[:end].decode("utf-8-sig"), source.name, delimiter, label, source.dialect.decimal)
        names, numeric = first.names(), set(first.numeric())
    except (InputError, UnicodeDecodeError):
        return None
    if len(set(names)) < len(names):
        return None
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    try:
        table = arrow_csv.read_csv(
            pa.BufferReader(pa.py_buffer(data)),
            read_options=arrow_csv.ReadOptions(block_size=1 << 20),
            parse_options=arrow_csv.ParseOptions(
                delimiter=delimiter, quote_char='"' if quoted else False, newlines_in_values=quoted
            ),
            convert_options=arrow_csv.ConvertOptions(
                column_types={name: pa.float64() if name in numeric else pa.string() for name in names},
                null_values=[],
                decimal_point=source.dialect.decimal,
            ),
        )
    except pa.ArrowInvalid:
        return None
    text = [name for name in names if name not in numeric and name not in {label, "label"}]
    if any(Labels(table.column(name)).hold_a_number() for name in text):
        return None  # what the first lines show as text is not text throughout: an error, or other labels
    return table, first
