"""Pieces of a stream: nothing is lost and no row is cut, whatever the size and however short the reads."""

import csv
import io
import itertools
import sys

from hypothesis import example, given, settings
from hypothesis import strategies as st

from klcli.readers.tables.pieces import count_lines, end_of_lines, end_of_rows, pieces

laws = settings(max_examples=80, deadline=None)


class Stream:
    """A stream that gives at most so many bytes at a time, in turn."""

    def __init__(self, data, reads):
        self._data, self._at, self._reads = data, 0, itertools.cycle(reads)

    def readinto(self, room):
        n = min(len(room), next(self._reads), len(self._data) - self._at)
        room[:n] = self._data[self._at : self._at + n]
        self._at += n
        return n


def cut(data, size, end_of, reads=(1 << 20,), taken=0):
    """The pieces, of which the first `taken` bytes were read before."""
    return list(map(bytes, pieces(Stream(data[taken:], reads), size, end_of, data[:taken])))


def by_rows(data):
    return end_of_rows(data, ",")


def read(data):
    """All that Python's csv tells of a text: the rows, the line each ends on, what is wrong with some."""
    reader = csv.reader(io.StringIO(data.decode(), newline=""), strict=True)
    told = []
    while True:
        try:
            row = next(reader, None)
        except csv.Error:
            row = "wrong"
        if row is None:
            return told, reader.line_num
        told.append((reader.line_num, row))


def read_in_pieces(parts):
    told, line = [], 0
    for part in parts:
        rows, lines = read(part)
        told += [(line + number, row) for number, row in rows]
        line += lines
    return told, line


WORDS = [
    *["a", "1", ",", "\n", "\r\n", "\r", '"', '""', '"x,y"', '"two\nlines"', '"a ""b"""', ' "c"', 'd"e', "é\x85"],
    "\u2028",
]
texts = st.lists(st.sampled_from(WORDS), max_size=30).map(lambda words: "".join(words).encode())
reads = st.lists(st.integers(1, 7), min_size=1, max_size=4)
sizes = st.integers(1, 60)


@laws
@given(texts, sizes, reads, st.integers(0, 10))
def test_pieces_joined_are_the_text(data, size, reads, taken):
    for end_of in (end_of_lines, by_rows):
        assert b"".join(cut(data, size, end_of, reads, taken)) == data
        assert b"" not in cut(data, size, end_of, reads, taken)


@laws
@given(texts, sizes, reads)
@example(b'"a"b,1\n"c,\nd",2\n', 1, [1])
@example(b'a"b,1\nc,2\nd"e,3\n', 3, [2])
@example(b'"a\nb"c,1\nd,2\n', 4, [9])
@example(b'"a"\r"b\n"\r\n1\n', 4, [9])
def test_pieces_hold_the_rows_of_the_whole(data, size, reads):
    parts = cut(data, size, by_rows, reads)
    assert read_in_pieces(parts) == read(data)
    assert sum(map(count_lines, parts)) == read(data)[1]


def test_a_profiler_that_holds_the_frames_of_the_reader_changes_nothing():
    """As that of Dask's workers does: it keeps views of a piece alive, which then cannot be cut in place."""
    data, frames = b'"row",3,4\n' * 100, []
    sys.setprofile(lambda frame, *_: frames.append(frame))
    try:
        found = cut(data, 60, by_rows, [50])
    finally:
        sys.setprofile(None)
    assert found == cut(data, 60, by_rows, [50])
    assert len(frames) > 100


def test_a_quote_that_encloses_nothing_does_not_make_the_rest_one_piece():
    data = b'5" pipe,1,2\n' + b"row,3,4\n" * 1000
    assert max(map(len, cut(data, 100, by_rows))) < 1000


def test_a_quote_that_encloses_nothing_costs_only_its_piece():
    data = b"row,3,4\n" * 500 + b'5" pipe,1,2\n' + b'"row",3,4\n' * 500
    assert max(map(len, cut(data, 100, by_rows))) < 1000


def test_lines_that_end_in_cr_alone_are_cut_too():
    assert max(map(len, cut(b"row,3,4\r" * 1000, 100, by_rows))) < 200
