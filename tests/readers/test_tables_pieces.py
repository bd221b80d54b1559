"""Pieces of a stream: nothing is lost, no row and no group is cut, whatever the size and however short the reads."""

import csv
import io
import itertools

from hypothesis import example, given, settings
from hypothesis import strategies as st

from klcli.readers.tables.pieces import end_of_groups, end_of_lines, end_of_rows, pieces

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


WORDS = ["a", "1", ",", "\n", "\r\n", '"', '""', '"x,y"', '"two\nlines"', '"a ""b"""', ' "c"', 'd"e', "é\x85", "\u2028"]
texts = st.lists(st.sampled_from(WORDS), max_size=30).map(lambda words: "".join(words).encode())
reads = st.lists(st.integers(1, 7), min_size=1, max_size=4)
sizes = st.integers(1, 60)


@laws
@given(texts, sizes, reads, st.integers(0, 10))
def test_pieces_joined_are_the_text(data, size, reads, taken):
    for end_of in (end_of_lines, by_rows, lambda part: end_of_groups(part, ",", (0,))):
        assert b"".join(cut(data, size, end_of, reads, taken)) == data
        assert b"" not in cut(data, size, end_of, reads, taken)


@laws
@given(texts, sizes, reads)
@example(b'"a"b,1\n"c,\nd",2\n', 1, [1])
@example(b'a"b,1\nc,2\nd"e,3\n', 3, [2])
@example(b'"a\nb"c,1\nd,2\n', 4, [9])
def test_pieces_hold_the_rows_of_the_whole(data, size, reads):
    assert read_in_pieces(cut(data, size, by_rows, reads)) == read(data)


@laws
@given(texts, reads)
def test_every_piece_but_the_last_ends_a_line(data, reads):
    assert all(part.endswith(b"\n") for part in cut(data, 1, by_rows, reads)[:-1])


def test_a_quote_that_encloses_nothing_does_not_make_the_rest_one_piece():
    data = b'5" pipe,1,2\n' + b"row,3,4\n" * 1000
    assert max(map(len, cut(data, 100, by_rows))) < 1000


def test_a_quote_that_encloses_nothing_costs_only_its_piece():
    data = b"row,3,4\n" * 500 + b'5" pipe,1,2\n' + b'"row",3,4\n' * 500
    assert max(map(len, cut(data, 100, by_rows))) < 1000


key = st.sampled_from(["a", "b", "", " a", "Å", "Åb", "Åc", "a,b", 'a"b', "a\nb", "a\r\nb", "\u2028", "\x0c1", "\x0c2"])


@st.composite
def groups(draw):
    """Rows of some groups, which of their columns are the keys, and the text."""
    by = draw(st.sampled_from([(0,), (1,), (1, 0), (0, 2)]))
    runs = draw(st.lists(st.tuples(st.lists(key, min_size=3, max_size=3), st.integers(1, 4)), min_size=1, max_size=12))
    rows = []
    for cells, count in runs:
        for _ in range(count):
            others = draw(st.lists(key, min_size=3, max_size=3))
            rows.append([cells[i] if i in by else others[i] for i in range(3)] + ["1"])
    text = io.StringIO(newline="")
    writer = csv.writer(
        text,
        lineterminator=draw(st.sampled_from(["\n", "\r\n"])),
        quoting=draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])),
    )
    writer.writerows(rows)
    return by, rows, text.getvalue().encode()


@laws
@given(groups(), sizes, reads)
def test_no_group_is_cut(table, size, reads):
    by, rows, data = table
    parts = [[row for _, row in read(part)[0]] for part in cut(data, size, lambda d: end_of_groups(d, ",", by), reads)]
    assert list(itertools.chain(*parts)) == rows
    keys = [[[row[i] for i in by] for row in part] for part in parts]
    assert all(before[-1] != after[0] for before, after in itertools.pairwise(keys))


@laws
@given(groups(), st.integers(1, 20))
def test_a_piece_is_not_much_longer_than_its_groups(table, size):
    by, rows, data = table
    runs = [list(run) for _, run in itertools.groupby(rows, lambda row: [row[i] for i in by])]
    longest = max(len(run) for run in runs) * max(len(str(row).encode()) for row in rows)
    many = data * 20
    assert max(map(len, cut(many, size, lambda d: end_of_groups(d, ",", by)))) <= 8 * (longest + size) or len(runs) == 1


def test_a_key_after_a_letter_that_ends_in_the_byte_of_a_line_end_is_found():
    data = "".join(f"Å,{i},1\n" for i in range(500)).encode()
    assert max(map(len, cut(data, 50, lambda d: end_of_groups(d, ",", (1,))))) < 500
