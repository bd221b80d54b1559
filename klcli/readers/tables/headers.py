"""The first row of a delimited text, and what no such text begins with."""

from __future__ import annotations

import csv
import io
from codecs import BOM_UTF8
from typing import TYPE_CHECKING

from klcli.errors import InputError
from klcli.readers.tables.pieces import count_lines, read_some

if TYPE_CHECKING:
    from klcli.readers.tables.pieces import Readable

_BINARY = {
    b"\xff\xfe": "UTF-16 text; save it as UTF-8",
    b"\xfe\xff": "UTF-16 text; save it as UTF-8",
    b"\x1f\x8b": "gzip data; decompress it, as with gzip -dc",
    b"\x28\xb5": "zstd data; decompress it, as with zstd -dc",
    b"PA": "a Parquet file; add --input-format parquet",
}
"""What data that is no text begins with, and how to mend it."""


def read_header(stream: Readable, source: str, delimiter: str, size: int) -> tuple[list[str], bytes, int]:
    """The header, the bytes read beyond it, and the number of the line after it."""
    data, line = b"", 1
    while True:
        more = read_some(stream, size)
        data += more
        if line == 1 and data[:3] == BOM_UTF8:
            data = data[3:]
        _check_text(data, source)
        while True:
            end = end_of_first_row(data, last=not more)
            if end == 0 or data[:end].strip():
                break
            data, line = data[end:], line + 1
        if end or not more:
            break
    if not data.strip():
        why = "; did the command before it fail?" if source == "<stdin>" else ""
        message = f"{source} is empty{why}"
        raise InputError(message)
    end = end or len(data)
    try:
        text = data[:end].decode("utf-8")
        header = next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except UnicodeDecodeError as error:
        message = f"{source}:{line}: byte 0x{data[error.start]:02x} is not UTF-8; save the file as UTF-8"
        raise InputError(message) from None
    except csv.Error as error:
        message = f"{source}:{line}: {error}"
        raise InputError(message) from None
    return header, data[end:], line + max(1, count_lines(data[:end]))


def _check_text(data: bytes, source: str) -> None:
    """Raises InputError for what no table of text begins with."""
    if b"\0" in data[:1000] or (data[:2] in _BINARY and data[:2] != b"PA"):
        message = f"{source}: this is {_BINARY.get(data[:2], 'a binary file, not text')}"
        raise InputError(message)
    if data.lstrip()[:1] == b"{":
        message = f"{source}: this is JSON; add --input-format ndjson, or json for a list of records"
        raise InputError(message)


def end_of_first_row(data: bytes, *, last: bool) -> int:
    """Where the first row ends: at a line end outside quotes. 0: not in these bytes."""
    end = 0
    while True:
        newline = data.find(b"\n", end)
        if newline < 0:
            # A file whose lines end as those of old Macs do has no other line end at all.
            return (data.find(b"\r") + 1 or len(data)) if last else 0
        end = newline + 1
        if data.count(b'"', 0, end) % 2 == 0:
            first = data.find(b"\r", 0, newline - 1)
            return end if first < 0 or data.count(b'"', 0, first) % 2 else first + 1
