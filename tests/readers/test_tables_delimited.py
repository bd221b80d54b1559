"""CSV by Arrow and CSV by Python's csv are the same rows, on the same lines, with the same wrong."""

# ruff: noqa: SLF001 - both ways to read, one of which the other would hide

import csv
import io

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from klcli.errors import KlcliError
from klcli.readers.tables.delimited import DelimitedTable, Written
from klcli.readers.tables.layout import Wanted
from tests.readers.tables import layout_of, reader_of, told

laws = settings(max_examples=120, deadline=None)

plain = st.one_of(
    st.floats(0, 1e308).map(repr),
    st.integers(-10, 10**20).map(str),
    st.sampled_from(["0", "-0.0", "1E5", ".5", "5.", "007", "1e+05", "5e-324", "2e308"]),
)
odd = st.sampled_from(
    [
        *["", " ", " 1", "1 ", "50%", "1/3", "+1", "nan", "-inf", "1e400", "NA", "x", "1_0", "٣", "0x1"],
        *["1,5", "1\n", "\xa01", "w0", '"1"', "1\0", "1e", "true"],
    ]
)
words = st.one_of(
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=6),
    st.sampled_from(["", "NA", "a,b", 'say "no"', "two\nlines", "a\r\nb", " pad ", "\t", "t0", "null", '5" pipe']),
)


@st.composite
def tables(draw, cells=plain):
    """How many columns of text and of weights, the delimiter, and the text."""
    others, weights = draw(st.integers(0, 3)), draw(st.integers(1, 4))
    delimiter = draw(st.sampled_from([",", "\t", ";"]))
    text = io.StringIO(newline="")
    writer = csv.writer(
        text,
        delimiter=delimiter,
        lineterminator=draw(st.sampled_from(["\n", "\n", "\r\n"])),
        quoting=draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC])),
    )
    for _ in range(draw(st.integers(1, 6))):
        writer.writerow([draw(words) for _ in range(others)] + [draw(cells) for _ in range(weights)])
    data = text.getvalue()
    return others, weights, delimiter, (data.rstrip("\r\n") if draw(st.booleans()) else data).encode()


def both(others, weights, delimiter, data, **changed):
    """What Arrow tells, or what stands for it where it takes not all; and what Python's csv does."""
    layout = layout_of(others, weights, **changed)
    quick = told(reader_of(layout, delimiter).rows(bytearray(data)))
    return quick, told([reader_of(layout, delimiter)._by_csv(bytearray(data))])


@laws
@given(tables())
def test_both_ways_read_the_same(table):
    quick, slow = both(*table)
    assert quick == slow


@laws
@given(tables(st.one_of(plain, odd)))
def test_both_ways_read_odd_numbers_alike(table):
    quick, slow = both(*table)
    assert quick == slow


@laws
@given(st.lists(st.sampled_from(['"', '""', ",", "\n", "\r\n", "a", "1", "2,3", " ", "é"]), max_size=16))
@example(list('a,1"\n'))
@example(list('"a"b,1\n'))
@example(["\n", "a", ",", "1", "\n"])
def test_both_ways_take_the_same_text_to_be_rows(pieces):
    data = ("a,1\n" + "".join(pieces) + "\nb,2\n").encode()
    quick, slow = both(1, 1, ",", data)
    assert quick == slow


@pytest.mark.parametrize("cell", ["nan(x)", "-nan(ind)", "1e-400", "0.000001e-320"])
def test_numbers_that_only_one_of_them_knows(cell):
    quick, slow = both(1, 2, ",", f"a,1,{cell}\n".encode())
    assert quick == slow


def test_arrow_is_what_reads_ordinary_tables():
    reader = reader_of(layout_of(1, 2))
    for data in (b"a,1,2e1\nb,3,4\n", b'"a,b",1,2\n"two\nlines",3,4\n'):
        found = reader._by_arrow(bytearray(data))
        assert found is not None
        assert told([found]) == told([reader._by_csv(bytearray(data))])


@settings(max_examples=40, deadline=None)
@given(tables(st.one_of(plain, odd)), st.integers(1, 400))
def test_parts_of_a_long_piece_keep_their_lines(table, smallest):
    others, weights, delimiter, data = table
    if not data.endswith(b"\n"):
        data += b"\n"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("klcli.readers.tables.delimited._SMALL", smallest)
        quick, slow = both(others, weights, delimiter, data * 3)
    assert quick == slow


HEADERS = {
    "a form feed": "i\x0cd",
    "a line separator": "i\u2028d",
    "a next line": "i\x85d",
    "a vertical tab": "i\x0bd",
    "a quoted line end": '"i\nd"',
    "a quoted comma": '"i,d"',
    "nothing": "",
    "a space": " id ",
}


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
@pytest.mark.parametrize("first", HEADERS.values(), ids=HEADERS)
@pytest.mark.parametrize("start", ["", "\ufeff", "\ufeff\n\n", "\n"])
def test_the_header_is_what_csv_reads(first, size, start):
    data = f"{start}{first},p,q\na,1,2\n".encode()
    table = DelimitedTable(io.BytesIO(data), "x", Wanted(), Written(","), size)
    assert table.layout.header == tuple(next(csv.reader(io.StringIO(f"{first},p,q\n", newline=""))))
    told_of = told(list(table.rows()))
    assert told_of["text"] == [["a"]]
    assert table.place(0) == f"x:{f'{start}{first}'.count(chr(10)) + 2}"


def test_a_row_that_is_the_header_of_numbers_is_the_same_both_ways(call):
    for last in ("3", "3%"):
        result = call("batch", "-", "--p", "1", "--q", "2", "-m", "kl_pq", "-q", input=f"1,2\n1,2\n{last},4\n")
        assert result.out == "kl_pq\n0.0\n0.0\n"


@pytest.mark.parametrize("cell", [b"\xff", b"\0", b"z"])
@pytest.mark.parametrize("last", [b"4", b"4.0%"])
def test_columns_that_nobody_wants_are_the_same_both_ways(call, cell, last):
    given_rows = b"id,x,p0,p1,q0,q1\n" + b"r,y,1,2,3,4\n" * 200 + b"a," + cell + b",1,2,3,4\nb,z,1,2,3," + last + b"\n"
    args = ("batch", "-", "--p", "p*", "--q", "q*", "-m", "kl_pq", "--on-error", "skip", "-q", "--keep", "id")
    small = call(*args, "--block-size", "1", input=given_rows)
    large = call(*args, input=given_rows)
    assert (small.code, small.out) == (large.code, large.out)


@pytest.mark.parametrize("size", [1, 30, 1000])
def test_a_failed_row_is_told_with_its_line(size):
    data = b'\xef\xbb\xbf\nid,p,q\n"a\nb",1,2\n\nc,1,x\n"d",1,2\ne,1\n'
    table = DelimitedTable(io.BytesIO(data), "x", Wanted(), Written(","), size)
    line, places = 0, []
    for part in table.parts():
        for block in part():
            places += [(table.place(line + failure.line), failure.text) for failure in block.failures]
            line += block.lines
    assert places == [("x:6", "'x' in column 'q' is not a number"), ("x:8", "2 fields, the header has 3")]


def test_lines_are_in_their_own_file_where_groups_are_gathered(call, tmp_path):
    first, second = tmp_path / "a.csv", tmp_path / "b.csv"
    first.write_text('g,p,q\n"a",1,2\n"b",-1,2')  # no line end
    second.write_text("g,p,q\na,3,4\n")
    result = call("batch", first.name, second.name, "--by", "g", "-m", "kl_pq", "--on-error", "keep", cwd=tmp_path)
    assert "the first: a.csv:3, column 'p'" in result.err


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=60))
def test_no_text_whatever_is_a_bug(data):
    try:
        table = DelimitedTable(io.BytesIO(b"id,p,q\n" + data), "x", Wanted(), Written(","), 5)
        parts = list(table.rows())
    except KlcliError:
        return
    assert all(row.numbers.shape == (2, row.size) for row in parts)
