"""TEMPORARY, until the lead's reader is merged: CSV and TSV as a whole."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

from klcli.errors import InputError, clipped
from klcli.readers.numbers import is_number
from klcli.readers.tables.table import Table

if TYPE_CHECKING:
    from klcli.readers.sources import Source

LARGE = 1 << 18
_SAMPLE = 1 << 11


def read_delimited(source: Source, delimiter: str, label: str = "label") -> Table:
    """All of a table. label: the column whose cells stay text, whatever they are. Raises InputError."""
    delimiter = source.dialect.between(delimiter)
    if len(source.data) >= LARGE and (found := _by_arrow(source, delimiter, label)) is not None:
        return found
    return _by_csv(source.text, source.name, delimiter)


def _by_csv(text: str, source: str, delimiter: str) -> Table:
    limit = csv.field_size_limit(len(text) + 1)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[list[str]] = []
    lines: list[int] = []
    try:
        header = next((row for row in reader if row), [])
        for row in reader:
            if row:
                if len(row) != len(header):
                    fields = "1 field" if len(row) == 1 else f"{len(row)} fields"
                    message = f"{source}:{reader.line_num}: {fields}, the header has {len(header)}"
                    raise InputError(message)
                rows.append(row)
                lines.append(reader.line_num)
    except csv.Error as error:
        message = f"{source}:{reader.line_num}: {error}"
        raise InputError(message) from None
    finally:
        csv.field_size_limit(limit)
    other = next((c for c in ",;\t" if c != delimiter and c in (*header, "")[0]), None)
    if len(header) == 1 and other is not None and rows and other in rows[0][0]:
        separated = {",": "commas", "\t": "tabs", ";": "semicolons"}.get(delimiter, repr(delimiter))
        mend = {",": "--input-format csv", "\t": "--input-format tsv"}.get(other, f"--delimiter {other!r}")
        found = f"{source}:1: one field, {clipped(header[0])}"
        message = f"{found}; fields here are separated by {separated} ({mend})"
        raise InputError(message)
    if not rows:
        message = f"{source}: a header and no rows; the first line of a table names its columns"
        raise InputError(message)
    columns: dict[int, Any] = {i: list(column) for i, column in enumerate(zip(*rows, strict=True))}
    return Table(
        tuple(header),
        columns,
        len(rows),
        len(rows),
        line=lines.__getitem__,
        source=source,
        place=lambda line: f"{source}:{line}",
    )


def _by_arrow(source: Source, delimiter: str, label: str) -> Table | None:
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    from klcli.arrow import doubles

    data = source.data
    from klcli.readers.tables.pieces import quotes_enclose_fields

    quoted = b'"' in data
    if b"\0" in data or (quoted and not quotes_enclose_fields(data, delimiter)):
        return None
    end = data.find(b"\n", data.find(b"\n") + _SAMPLE) + 1
    try:
        first = _by_csv(data[:end].decode("utf-8-sig"), source.name, delimiter)
    except (InputError, UnicodeDecodeError):
        return None
    decimal = source.dialect.decimal
    rows = csv.reader(io.StringIO(data[:end].decode("utf-8-sig"), newline=""), delimiter=delimiter)
    next(row for row in rows if row)
    before = rows.line_num
    numeric = {i for i in range(len(first.names)) if all(is_number(c, decimal) for c in first.columns[i])}
    numeric -= {i for i, name in enumerate(first.names) if name == label}
    names = [str(i) for i in range(len(first.names))]

    def read(numeric: set[int]) -> pa.Table:
        return arrow_csv.read_csv(
            pa.BufferReader(pa.py_buffer(data)),
            read_options=arrow_csv.ReadOptions(block_size=1 << 20, column_names=names, skip_rows=before),
            parse_options=arrow_csv.ParseOptions(
                delimiter=delimiter, quote_char='"' if quoted else False, newlines_in_values=quoted
            ),
            convert_options=arrow_csv.ConvertOptions(
                column_types={name: pa.float64() if int(name) in numeric else pa.string() for name in names},
                null_values=[],
                decimal_point=decimal,
            ),
        )

    try:
        table = read(numeric)
    except pa.ArrowInvalid:
        try:
            table = read(set())
        except pa.ArrowInvalid:
            return None
        numeric = set()
    columns: dict[int, Any] = {}
    import numpy as np

    for i in range(len(names)):
        columns[i] = table.column(i)
        if i in numeric:
            columns[i] = np.empty(table.num_rows)
            doubles(table.column(i), columns[i])
            columns[i].setflags(write=False)

    def line(row: int) -> int:
        return _by_csv(source.text, source.name, delimiter).line(row)

    return Table(
        first.names,
        columns,
        table.num_rows,
        table.num_rows,
        line=line,
        source=source.name,
        place=lambda line: f"{source.name}:{line}",
    )
