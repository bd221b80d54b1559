"""A stream of bytes in pieces that end where a row does, or a group of rows."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from mmap import mmap
    from typing import Protocol

    import numpy.typing as npt

    Bytes = bytes | bytearray
    Ends = Callable[[bytearray], int]

    class Readable(Protocol):
        """What bytes come from."""

        def readinto(self, room: memoryview, /) -> int:
            """Reads to the start of the room. Returns how many bytes, 0 at the end."""
            ...


def pieces(stream: Readable, size: int, end_of: Ends, first: bytes = b"") -> Iterator[bytearray]:
    """The rest of the stream, after `first`, in pieces of about `size` bytes.

    end_of: where the last whole row or group of some bytes ends, 0 if there is none; the piece grows until there is.
    """
    left, wanted = first, size
    while True:
        # The bytes are read to where they stay: each copy of all of them would be felt.
        data = bytearray(max(wanted, len(left) + 1))
        data[: len(left)] = left
        read = _fill(stream, memoryview(data)[len(left) :])
        if len(left) + read < len(data):
            data = _cut(data, len(left) + read)
            if data:
                yield data
            return
        end = end_of(data)
        if end == 0:
            left, wanted = bytes(data), 2 * len(data)
            continue
        left, wanted = bytes(memoryview(data)[end:]), size
        yield _cut(data, end)


def _cut(data: bytearray, end: int) -> bytearray:
    """The bytes before `end`; a copy where something, such as a profiler, still looks at the others."""
    try:
        del data[end:]
    except BufferError:
        return data[:end]
    return data


def read_some(stream: Readable, size: int) -> bytes:
    """The next bytes of a stream, as many as that unless it ends."""
    data = bytearray(size)
    return bytes(memoryview(data)[: _fill(stream, memoryview(data))])


def _fill(stream: Readable, room: memoryview) -> int:
    """Reads until there is no room left, or nothing to read. Returns how many bytes."""
    filled = 0
    while filled < len(room):
        read = stream.readinto(room[filled:])
        if not read:
            break
        filled += read
    return filled


def count_lines(data: Bytes) -> int:
    """How many lines the bytes are, the last one whether it ends or not."""
    ends = data.count(b"\n") or data.count(b"\r")
    return ends + (not data.endswith((b"\n", b"\r")))


def end_of_lines(data: Bytes) -> int:
    """Where the last whole line ends."""
    return data.rfind(b"\n") + 1


def end_of_rows(data: Bytes, delimiter: str) -> int:
    """Where the last whole row of a delimited text ends; a quoted field may hold line ends."""
    if b'"' not in data:
        return end_of_lines(data)
    ends = row_ends(data, delimiter)
    return int(ends[-1]) if len(ends) else 0


def end_of_groups(data: Bytes, delimiter: str, by: tuple[int, ...]) -> int:
    """Where the last group starts, of rows that are alike in the columns `by`: it may go on after these bytes."""
    quoted = b'"' in data
    ends = row_ends(data, delimiter).tolist() if quoted else []
    end = (ends.pop() if ends else 0) if quoted else end_of_lines(data)
    last: list[str] | None = None
    while end:
        start = (ends.pop() if ends else 0) if quoted else data.rfind(b"\n", 0, end - 1) + 1
        key = _key(data[start:end], delimiter, by)
        if last is not None and key != last:
            return end
        last, end = key, start
    return 0


def _key(row: Bytes, delimiter: str, by: tuple[int, ...]) -> list[str]:
    try:
        cells = next(csv.reader(io.StringIO(row.decode("latin-1"), newline=""), delimiter=delimiter), [])
    except csv.Error:
        return []
    return [cells[i] if i < len(cells) else "" for i in by]


def row_ends(data: Bytes, delimiter: str) -> npt.NDArray[np.intp]:
    """Where the rows of a delimited text with quotes end; what follows the last may be part of one."""
    text = np.frombuffer(data, dtype=np.uint8)
    quotes = np.flatnonzero(text == ord('"'))
    if not _open_and_close_fields(text, quotes, delimiter):
        return _row_ends_by_csv(data, delimiter)
    ends = np.flatnonzero(text == ord("\n")) + 1
    outside: npt.NDArray[np.intp] = ends[np.searchsorted(quotes, ends) % 2 == 0]
    return outside


def _row_ends_by_csv(data: Bytes, delimiter: str) -> npt.NDArray[np.intp]:
    """The same where a quote stands inside a field that is not quoted: only a CSV reader knows."""
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


def quotes_enclose_fields(data: Bytes | mmap, delimiter: str) -> bool:
    """Whether every quote opens or closes a field, or is doubled inside one: then all readers read the same."""
    text = np.frombuffer(data, dtype=np.uint8)
    quotes = np.flatnonzero(text == ord('"'))
    return len(quotes) % 2 == 0 and _open_and_close_fields(text, quotes, delimiter)


def _open_and_close_fields(text: npt.NDArray[np.uint8], quotes: npt.NDArray[np.intp], delimiter: str) -> bool:
    """The same where the last field may not be finished."""
    opening, closing = quotes[::2], quotes[1::2]
    before = text[np.maximum(opening - 1, 0)]
    after = text[np.minimum(closing + 1, len(text) - 1)]
    at_start = (opening == 0) | np.isin(before, np.frombuffer(f'{delimiter}\n"'.encode(), dtype=np.uint8))
    at_end = (closing == len(text) - 1) | np.isin(after, np.frombuffer(f'{delimiter}\r\n"'.encode(), dtype=np.uint8))
    return bool(at_start.all() and at_end.all())
