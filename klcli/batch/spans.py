"""Cuts a large file into spans that end where a row ends, so that several tasks of a cluster share it.

To find the spans a file of text is read once, at 3 GB/s, or at 0.3 GB/s where every cell is quoted. A span is known
as soon as the bytes before its end have been read, so that its task can start while the rest is looked through.
"""

from collections.abc import Iterable, Iterator
from functools import partial
from itertools import accumulate
from typing import TYPE_CHECKING, BinaryIO, cast

from klcli.readers.tables.pieces import count_line_ends, end_of_lines, end_of_rows, pieces
from klcli.tuples import NamedTuple

if TYPE_CHECKING:
    from klcli.readers.sources import ByteStream

SMALLEST = 64 << 20
"""The least bytes of a span: scoring it takes about a second, of which Dask takes a millisecond."""

MOST = 1000
"""The most spans of a file: their numbers have three digits."""

_PIECES = 64
"""The pieces of the smallest span, in which text is looked through: a megabyte stays in a processor's cache."""


class Span(NamedTuple):
    """Consecutive rows of a file.

    start, end: offsets in bytes in a file of text, numbers of row groups in a Parquet file. before: how many lines of
    the file of text, or rows of the Parquet file, stand before the span: its first row is on line before + 1.
    """

    start: int
    end: int
    before: int


def text_spans(
    file: BinaryIO, size: int, header: int, *, delimiter: str | None, smallest: int = SMALLEST
) -> Iterator[Span]:
    """The spans of a file of text, which together are all of it after its header.

    file: open at its start. size: its bytes. header: where its first row starts. delimiter: what separates fields, of
    which quoted ones may hold line ends; None where every line is a row, as in NDJSON. smallest: the least bytes of a
    span; a file with less than twice as many is one span.
    """
    lines, at, made = count_line_ends(file.read(header)), header, 0
    first, goal = Span(header, size, lines), _next_goal(header, size, smallest, made)
    ends = end_of_lines if delimiter is None else partial(end_of_rows, delimiter=delimiter)
    found = pieces(cast("ByteStream", file), max(smallest // _PIECES, 1), ends)
    while goal < size and (piece := next(found, None)):
        at, lines = at + len(piece), lines + count_line_ends(piece)
        if goal <= at < size:
            yield first._replace(end=at)
            first, made = Span(at, size, lines), made + 1
            goal = _next_goal(at, size, smallest, made)
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


def _next_goal(start: int, size: int, smallest: int, made: int) -> int:
    """Where the span that begins at `start` should end so that it and those after it are of one size."""
    left = size - start
    return start + left // max(1, min(left // smallest, MOST - made))
