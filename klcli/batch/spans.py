"""Cuts a large file into spans that end where a row ends, so that several tasks of a cluster share it.

To find the spans a file of text is read once, at 2 GB/s, or at 0.4 GB/s where every cell is quoted. A span is known
as soon as the bytes before its end have been read, so that its task can start while the rest is looked through.
"""

from collections.abc import Iterable, Iterator
from itertools import accumulate
from typing import BinaryIO, NamedTuple

import numpy as np
import numpy.typing as npt

SMALLEST = 64 << 20
"""The least bytes of a span: scoring it takes about a second, of which Dask takes a millisecond."""

MOST = 1000
"""The most spans of a file: their numbers have three digits."""

_BLOCK = 1 << 20
"""Bytes of text that are looked through at a time, so few that they stay in a processor's cache."""

_QUOTE, _CR, _LF = b'"\r\n'


class Span(NamedTuple):
    """Consecutive rows of a file.

    start, end: offsets in bytes in a file of text, numbers of row groups in a Parquet file. before: how many lines of
    the file of text, or rows of the Parquet file, stand before the span: its first row is on line before + 1.
    """

    start: int
    end: int
    before: int


def text_spans(
    file: BinaryIO, size: int, header: int, *, delimiter: str | None, smallest: int = SMALLEST, block: int = _BLOCK
) -> Iterator[Span]:
    """The spans of a file of text, which together are all of it after its header.

    file: open at its start. size: its bytes. header: where its first row starts. delimiter: what separates fields, of
    which quoted ones may hold line ends; None where every line is a row, as in NDJSON. smallest: the least bytes of a
    span; a file with less than twice as many is one span.
    """
    lines = _line_ends(file.read(header))
    first, at, made = Span(header, size, lines), header, 0
    quotes = _Quotes(delimiter)
    goal = _next_goal(header, size, smallest, made)
    while goal < size and (data := file.read(min(block, size - at))):
        after_cr = quotes.move(data) == _CR
        counted, lines = 0, lines - (after_cr and data[0] == _LF)
        while goal < size and 0 < (end := quotes.row_end(goal - at)) < size - at:
            lines, counted = lines + _line_ends(data[counted:end]), end
            yield first._replace(end=at + end)
            first, made = Span(at + end, size, lines), made + 1
            goal = _next_goal(first.start, size, smallest, made)
        if not quotes.regular:
            break
        lines += _line_ends(data[counted:])
        at += len(data)
    yield first


def row_group_spans(groups: Iterable[tuple[int, int]], *, smallest: int = SMALLEST) -> Iterator[Span]:
    """The spans of a Parquet file. groups: the rows and the bytes of each of its row groups."""
    groups = list(groups)
    ends = list(accumulate((size for _, size in groups), initial=0))
    above = list(accumulate((rows for rows, _ in groups), initial=0))
    start = made = 0
    goal = _next_goal(0, ends[-1], smallest, made)
    for number, end in enumerate(ends):
        if goal <= end < ends[-1]:
            yield Span(start, number, above[start])
            start, made = number, made + 1
            goal = _next_goal(end, ends[-1], smallest, made)
    yield Span(start, len(groups), above[start])


def _line_ends(data: bytes) -> int:
    """How many lines end in some bytes. CR LF ends one, and so does each by itself."""
    ends = data.count(b"\n")
    return ends + data.count(b"\r") - data.count(b"\r\n") if b"\r" in data else ends


def _next_goal(start: int, size: int, smallest: int, made: int) -> int:
    """Where the span that begins at `start` should end so that it and those after it are of one size."""
    left = size - start
    return start + left // max(1, min(left // smallest, MOST - made))


class _Quotes:
    """Tells the line ends that end a row from those in a quoted field, in a text that comes block by block.

    A line end is outside of quotes where the number of quotes before it is even. That holds as long as every quote
    opens or closes a field, or is doubled inside one. From the first quote on that does none of these, as in
    `5" pipe,3`, only a CSV reader that starts at the top can tell: then `regular` is false.
    """

    def __init__(self, delimiter: str | None) -> None:
        self.regular = True
        self._looked_for = delimiter is not None
        self._opens_after, self._closes_before = np.zeros((2, 256), dtype=np.bool_)
        separators = delimiter.encode() if delimiter is not None and delimiter.isascii() else b""
        self._opens_after[list(separators + b'\n"')] = True
        self._closes_before[list(separators + b'\r\n"')] = True
        self._block, self._last = b"", _LF
        self._places: npt.NDArray[np.intp] = np.empty(0, dtype=np.intp)
        self._regular_to, self._inside = 0, False

    def move(self, block: bytes) -> int:
        """Goes on to the next block, which is not empty. Returns the byte before it."""
        last = self._last
        inside = self._inside != bool(len(self._places) % 2)
        text = np.frombuffer(b"".join((bytes((last,)), block, b"\n")), dtype=np.uint8)
        closed = last == _QUOTE and not inside  # by the last byte of the block before
        self._block, self._last, self._inside = block, block[-1], inside
        self._places, self._regular_to = self._places[:0], len(block)
        if not self._looked_for or (b'"' not in block and not closed):
            return last
        self._places = np.flatnonzero(text[1:-1] == _QUOTE)
        opening, closing = self._places[int(inside) :: 2], self._places[1 - int(inside) :: 2]
        wrong = [
            *opening[~self._opens_after[text[opening]]][:1],
            *closing[~self._closes_before[text[2:][closing]]][:1],
            *([0] if closed and not self._closes_before[block[0]] else []),
        ]
        if wrong:
            self._regular_to, self.regular = int(min(wrong)), False
        return last

    def row_end(self, start: int) -> int:
        """Where the first row ends that ends at `start` or beyond, in the last block; 0 where none does."""
        start = max(start - 1, 0)
        while (newline := self._block.find(b"\n", start, self._regular_to)) >= 0:
            quotes = int(np.searchsorted(self._places, newline))
            if (quotes + self._inside) % 2 == 0:
                return newline + 1
            if quotes == len(self._places):
                return 0
            start = int(self._places[quotes])
        return 0
