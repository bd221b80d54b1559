"""Spans: a file is cut where a row ends, by the reading of Python's csv, and nothing of it is lost."""

import csv
import io
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from klcli.batch import spans
from klcli.batch.spans import Span, row_group_spans, text_spans

HEADER = b'id,"a\nb"\n'
SIZES = st.integers(1, 40)


def cut(data, smallest, *, header=HEADER, delimiter=","):
    file = io.BytesIO(header + data)
    size = len(header + data)
    return list(text_spans(file, size, len(header), delimiter=delimiter, smallest=smallest))


def row_ends(data):
    """Where the rows of a CSV file end, up to the first that has no end."""
    lines = list(io.StringIO(data.decode("latin-1"), newline=""))
    reader = csv.reader(lines, strict=True)
    ends, offsets = {0}, [0]
    for line in lines:
        offsets.append(offsets[-1] + len(line))
    try:
        for _ in reader:
            ends.add(offsets[reader.line_num])
    except csv.Error:
        pass
    return ends


def line_ends(data):
    return len(re.findall(rb"\r\n|\r|\n", data))


def check(data, found, smallest, header=HEADER):
    """What holds of all spans of all files of text."""
    whole = header + data
    assert found[0].start == len(header)
    assert found[-1].end == len(whole)
    assert [span.end for span in found[:-1]] == [span.start for span in found[1:]]
    assert [span.before for span in found] == [line_ends(whole[: span.start]) for span in found]
    assert all(span.end - span.start >= smallest for span in found[:-1])
    assert len(found) == 1 or found[-1].end > found[-1].start
    assert len(found) <= spans.MOST


CELLS = st.text(st.sampled_from('ab1."\n\r, \u00e4'), max_size=6)


@st.composite
def tables(draw):
    """A table whose quotes all enclose fields: those that need them, or all."""
    rows = draw(st.lists(st.lists(CELLS, min_size=2, max_size=2), max_size=30))
    line_end, needs_quotes = draw(st.sampled_from(["\n", "\r\n"])), draw(st.sampled_from([',"\n\r', ""]))

    def written(cell):
        plain = needs_quotes and set(cell).isdisjoint(needs_quotes)
        return cell if plain else '"' + cell.replace('"', '""') + '"'

    data = line_end.join(",".join(map(written, row)) for row in rows).encode()
    return data + line_end.encode() if rows and draw(st.booleans()) else data


@given(tables(), SIZES)
def test_each_cut_of_a_table_is_at_the_end_of_a_row_and_none_is_left_out(data, smallest):
    found = cut(data, smallest)
    check(data, found, smallest)
    assert row_ends(data).issuperset(span.start - len(HEADER) for span in found)


@given(st.binary(max_size=80), SIZES)
@example(b"\r\x00", 1)
def test_without_quoting_every_line_is_a_row(data, smallest):
    found = cut(data, smallest, header=b"", delimiter=None)
    check(data, found, smallest, b"")
    for span in found[1:]:  # a CR ends a line where no LF is near, as in files that have no others
        assert data[: span.start].endswith((b"\n", b"\r"))
        assert data[span.start - 1 : span.start + 1] != b"\r\n"
    longest = max(map(len, data.split(b"\n"))) + 1
    assert all(span.end - span.start < 2 * (smallest + longest) for span in found)


def test_a_stray_quote_does_not_keep_a_file_whole():
    data = b"1,2\n" * 50 + b'5" pipe,3\n' + b"1,2\n" * 50
    found = cut(data, 40)
    check(data, found, 40)
    assert len(found) > 7


@pytest.mark.parametrize("delimiter", [";", "\t", " ", "|"])
def test_delimiter_is_what_quoted_fields_stand_between(delimiter):
    data = f'"a\nb"{delimiter}"c\nd"\n'.encode() * 20
    assert len(cut(data, 12, delimiter=delimiter)) == 20


def test_spans_are_of_one_size_and_no_more_than_three_digits_number():
    data = b"0123456\n" * 3_000
    found = cut(data, 8)
    check(data, found, 8)
    assert len(found) == spans.MOST
    assert {span.end - span.start for span in found} == {24}


def test_file_with_less_than_twice_the_smallest_is_one_span_that_is_not_read():
    data = b"0123456\n" * 15
    assert cut(data, 61) == [Span(len(HEADER), len(HEADER + data), 2)]
    assert len(cut(data, 60)) == 2
    file = io.BytesIO(HEADER + data)
    list(text_spans(file, len(HEADER + data), len(HEADER), delimiter=","))
    assert file.tell() == len(HEADER)


def test_span_is_known_before_the_rest_of_the_file_is_read():
    data = b"0123456\n" * 1000
    file = io.BytesIO(data)
    next(text_spans(file, len(data), 0, delimiter=",", smallest=80))
    assert file.tell() < 200


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 30)), max_size=30), SIZES)
@example([], 1)
def test_row_groups(groups, smallest):
    found = list(row_group_spans(groups, smallest=smallest))
    assert found[0].start == 0
    assert found[-1].end == len(groups)
    assert [span.end for span in found[:-1]] == [span.start for span in found[1:]]
    assert [span.before for span in found] == [sum(rows for rows, _ in groups[: span.start]) for span in found]
    sizes = [sum(size for _, size in groups[span.start : span.end]) for span in found]
    assert len(found) == 1 or all(size >= smallest for size in sizes[:-1])
    assert all(size < 2 * smallest + 30 for size in sizes)
