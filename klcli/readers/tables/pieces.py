"""A stream of bytes in pieces that end where a row does."""

from __future__ import annotations

import csv
import sys
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy.typing as npt

    from klcli.readers.sources import ByteStream

    Bytes = bytes | bytearray
    Places = npt.NDArray[np.intp]

SMALL = 1 << 18
"""Bytes of text up to which a table is read by the standard library alone: no table engine loads as quickly."""

LONGEST_ROW = 1 << 24
"""Bytes after which a quote that has not closed ends with its line: none of a table's rows is as long."""

_SMALLEST, _LARGEST, _PIECES = 1 << 18, 1 << 23, 16
_FIELDS = 300_000
"""Fields of a piece: with more the numbers leave the caches, with fewer what a piece costs by itself is felt."""

csv.field_size_limit(sys.maxsize)


def piece_size(total: int | None, sample: bytes | bytearray, separator: bytes = b",") -> int:
    """Bytes of a piece of a file of so many: enough pieces to keep some threads busy, small enough for their caches.

    sample: from its start. It does not depend on the number of threads, for the last digit of a value may depend on it.
    """
    fields = sample.count(separator) + sample.count(b"\n") or 1
    wanted = min(len(sample) * _FIELDS // fields, _LARGEST)
    return max(min(wanted, (total or _LARGEST * _PIECES) // _PIECES), _SMALLEST)


def pieces(
    stream: ByteStream, size: int, end_of: Callable[[bytearray], int], first: Bytes = b""
) -> Iterator[bytearray]:
    """The rest of the stream, after `first`, in pieces of about `size` bytes.

    end_of: where the last whole row of some bytes ends, 0 if there is none; the piece grows until there is.
    """
    left, wanted = first, size
    while True:
        # The bytes are read to where they stay: each copy of all of them would be felt.
        data = bytearray(max(wanted, len(left) + 1))
        data[: len(left)] = left
        read = _fill(stream, memoryview(data)[len(left) :])
        if len(left) + read < len(data):
            if left or read:
                yield _cut(data, len(left) + read)
            return
        end = end_of(data)
        if end == 0:
            left, wanted = bytes(data), 2 * len(data)
            continue
        left, wanted = bytes(memoryview(data)[end:]), size
        yield _cut(data, end)


def _cut(data: bytearray, end: int) -> bytearray:
    """The bytes before `end`. They are copied where something still looks at the others.

    That may be a profiler, as each worker of Dask has one: the frames that it holds keep the views that were in them.
    """
    try:
        del data[end:]
    except BufferError:
        return data[:end]
    return data


def read_some(stream: ByteStream, size: int) -> bytes:
    """The next bytes of a stream, so many unless it ends."""
    data = bytearray(size)
    return bytes(memoryview(data)[: _fill(stream, memoryview(data))])


def _fill(stream: ByteStream, room: memoryview) -> int:
    """Reads until there is no room left, or nothing to read. Returns how many bytes."""
    filled = 0
    while filled < len(room):
        read = stream.readinto(room[filled:])
        if not read:
            break
        filled += read
    return filled


def is_utf8(data: Bytes) -> bool:
    """Whether the bytes are text in UTF-8."""
    if data.isascii():
        return True
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def has_lone_cr(data: Bytes) -> bool:
    """Whether a CR ends a line by itself, as on old Macs."""
    return b"\r" in data and data.count(b"\r") > data.count(b"\r\n")


def count_line_ends(data: Bytes) -> int:
    """How many lines end in the bytes. CR LF ends one, and so does each by itself."""
    ends = data.count(b"\n")
    return ends + data.count(b"\r") - data.count(b"\r\n") if b"\r" in data else ends


def count_lines(data: Bytes) -> int:
    """How many lines the bytes are, the last one whether it ends or not."""
    return count_line_ends(data) + (not data.endswith((b"\n", b"\r")))


def line_ends(data: Bytes) -> Places:
    """Where lines end: after each LF, and after each CR that no LF follows."""
    text = np.frombuffer(data, dtype=np.uint8)
    ends = np.flatnonzero(text == ord("\n")) + 1
    if not has_lone_cr(data):
        return ends
    after = np.flatnonzero(text == ord("\r")) + 1
    both: Places = np.union1d(ends, after[text[np.minimum(after, len(text) - 1)] != ord("\n")])
    return both


def end_of_lines(data: Bytes) -> int:
    """Where the last whole line ends; of text without any LF, at a CR that no LF can follow."""
    return data.rfind(b"\n") + 1 or data.rfind(b"\r", 0, len(data) - 1) + 1


def end_of_rows(data: Bytes, delimiter: str) -> int:
    """Where the last whole row of a delimited text ends; a quoted field may hold line ends."""
    if b'"' not in data:
        return end_of_lines(data)
    ends = row_ends(data, delimiter)
    if len(ends):
        return int(ends[-1])
    return end_of_lines(data) if len(data) > LONGEST_ROW else 0


def rows_like_many(data: Bytes, ends: Places, delimiter: str, width: int) -> Places:
    """The rows that hold line ends, and lines with as many delimiters as a row of so many fields: see `swallowed`.

    ends: where the rows end. Such a line is neither the first of its row nor the last, or both of them are such.
    """
    text = np.frombuffer(data, dtype=np.uint8)
    edges = np.concatenate([[0], np.flatnonzero(text == ord("\n")) + 1, [len(text)]])
    counts = np.diff(np.searchsorted(np.flatnonzero(text == ord(delimiter)), edges))
    at = np.flatnonzero(counts == width - 1)
    row = np.searchsorted(ends, edges[at], side="right")
    first, last = np.isin(edges[at], [0, *ends]), np.isin(edges[at + 1], [*ends, len(text)])
    rows: Places = np.union1d(row[~first & ~last], np.intersect1d(row[first & ~last], row[last & ~first]))
    return rows


def row_ends(data: Bytes, delimiter: str) -> Places:
    """Where the rows of a delimited text with quotes end; what follows the last may be part of one."""
    text = np.frombuffer(data, dtype=np.uint8)
    quotes = np.flatnonzero(text == ord('"'))
    if has_lone_cr(data) or not _open_and_close_fields(text, quotes, delimiter):
        return _row_ends_by_csv(data, delimiter)
    return outside(quotes, np.flatnonzero(text == ord("\n"))) + 1


def outside(quotes: Places, places: Places) -> Places:
    """The places that do not stand between an odd quote and the next even one."""
    found: Places = places[np.searchsorted(quotes, places) % 2 == 0]
    return found


def _row_ends_by_csv(data: Bytes, delimiter: str) -> Places:
    """`row_ends` where a quote stands inside a field that is not quoted: only a CSV reader knows."""
    lines = data.splitlines(keepends=True)
    offsets = np.cumsum([0, *map(len, lines)])
    reader = csv.reader((line.decode("latin-1") for line in lines), delimiter=delimiter, strict=True)
    ends = [0]
    try:
        ends += (int(offsets[reader.line_num]) for _ in reader)
    except csv.Error:
        if reader.line_num < len(lines):  # wrong, not unfinished: whoever reads this row says so
            ends += [int(offsets[reader.line_num])] * 2
    # The last row may be unfinished: in a line of its own, or inside a quoted field.
    return np.array(ends[1:-1], dtype=np.intp)


def quotes_enclose_fields(data: Bytes, delimiter: str) -> bool:
    """Whether every quote opens or closes a field, or is doubled inside one: then all readers read the same."""
    text = np.frombuffer(data, dtype=np.uint8)
    quotes = np.flatnonzero(text == ord('"'))
    return len(quotes) % 2 == 0 and _open_and_close_fields(text, quotes, delimiter)


def _open_and_close_fields(text: npt.NDArray[np.uint8], quotes: Places, delimiter: str) -> bool:
    """Whether every quote opens or closes a field, the last of which may not be finished."""
    opening, closing = quotes[::2], quotes[1::2]
    before = text[np.maximum(opening - 1, 0)]
    after = text[np.minimum(closing + 1, len(text) - 1)]
    at_start = (opening == 0) | np.isin(before, np.frombuffer(f'{delimiter}\r\n"'.encode(), dtype=np.uint8))
    at_end = (closing == len(text) - 1) | np.isin(after, np.frombuffer(f'{delimiter}\r\n"'.encode(), dtype=np.uint8))
    return bool(at_start.all() and at_end.all())
