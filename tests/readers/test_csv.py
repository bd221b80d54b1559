"""CSV by Arrow and CSV by Python's csv are the same rows, on the same lines, with the same wrong."""

import csv
import io

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from klcli.errors import KlcliError
from klcli.readers.sources import PLAIN, Source
from klcli.readers.tables import csv_columns
from klcli.readers.tables.csv_columns import Pieces
from klcli.readers.tables.delimited import DelimitedStream
from klcli.readers.tables.layout import WantedColumns, lay_out
from klcli.readers.tables.pieces import row_ends
from tests.readers.tables import by_arrow, by_csv, form_of, listed, told

laws = settings(max_examples=120, deadline=None)

plain = st.one_of(
    st.floats(0, 1e308).map(repr),
    st.integers(-10, 10**20).map(str),
    st.sampled_from(["0", "-0.0", "1E5", ".5", "5.", "007", "1e+05", "5e-324", "0.000", "0e7"]),
)
SMALL = ["1e-400", "1E-400", "0." + "0" * 400 + "1", "0." + "0" * 250 + "1e-90", "1e-1000", "1e-323%", "-1e-400"]
LARGE = ["2e308", "1e400", "1E400", "1" + "0" * 400, "-1e999"]
odd = st.sampled_from(
    [
        *["", " ", " 1", "1 ", "50%", "1/3", "+1", "nan", "-inf", "NA", "x", "1_0", "٣", "0x1", "%", "5%5", "1e5%"],
        *["1,5", "1\n", "\xa01", "w0", '"1"', "1\0", "1e", "true", ".", "-", "1.2.3", "12 %", " 7%"],
        *SMALL,
        *LARGE,
    ]
)
words = st.one_of(
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=6),
    st.sampled_from(["", "NA", "a,b", 'say "no"', "two\nlines", "a\r\nb", " pad ", "\t", "t0", "null", '5" pipe']),
)


@st.composite
def tables(draw, cells=plain):
    """A form, and a text in it."""
    others, weights = draw(st.integers(0, 3)), draw(st.integers(1, 4))
    delimiter, decimal = draw(st.sampled_from([(",", "."), (",", "."), ("\t", "."), (";", ".")]))
    text = io.StringIO(newline="")
    writer = csv.writer(
        text,
        delimiter=delimiter,
        lineterminator=draw(st.sampled_from(["\n", "\n", "\r\n", "\r"])),
        quoting=draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC])),
    )
    for _ in range(draw(st.integers(1, 6))):
        writer.writerow([draw(words) for _ in range(others)] + [draw(cells) for _ in range(weights)])
    data = text.getvalue()
    form = form_of(others, weights, delimiter, decimal)
    return form, (data.rstrip("\r\n") if draw(st.booleans()) else data).encode()


def alike(form, data):
    quick, slow = told(form, by_arrow(form, data)), told(form, by_csv(form, data))
    assert quick == slow


@laws
@given(tables())
def test_both_ways_read_the_same(table):
    alike(*table)


@laws
@given(tables(st.one_of(plain, odd)))
def test_both_ways_read_odd_numbers_alike(table):
    alike(*table)


@laws
@given(tables(st.one_of(plain, plain, odd)))
def test_columns_wanted_as_numbers_and_as_they_stood(table):
    form, data = table
    alike(form._replace(text=(*form.text, *form.numbers)), data)


@laws
@given(st.lists(st.one_of(plain, odd), min_size=1, max_size=8))
def test_decimal_commas(cells):
    data = "".join(f"a;{cell.replace('.', ',')}\n" for cell in cells if not set(cell) & set(';"\n'))
    alike(form_of(1, 1, ";", ","), data.encode())


@laws
@given(st.lists(st.sampled_from(['"', '""', ",", "\n", "\r\n", "\r", "a", "1", "2,3", " ", "é"]), max_size=16))
@example(list('a,1"\n'))
@example(list('"a"b,1\n'))
@example(["\n", "a", ",", "1", "\n"])
def test_both_ways_take_the_same_text_to_be_rows(pieces):
    alike(form_of(1, 1), ("a,1\n" + "".join(pieces) + "\nb,2\n").encode())


@laws
@given(
    st.lists(
        st.sampled_from([b"a,1\n", b"\xff,1\n", b"b\0,2\n", b"c,2,3\n", b"\xc3\xa9,4\n", b"t0,w0\n", b"\n", b"d\n"])
    )
)
def test_bytes_that_are_no_text(rows):
    alike(form_of(1, 1), b"e,9\n" + b"".join(rows))


@laws
@given(
    tables(
        st.one_of(plain, odd, st.sampled_from(["1,200", "1,2", "12,345,678", "0,123", "1,200.5%", "1,234e2", "1.200"]))
    ),
    st.sampled_from(["zero", "skip", "error"]),
    st.sampled_from([None, ",", ".", " ", "'"]),
    st.booleans(),
    st.sampled_from([{}, {0: True, 1: True, 2: False}, dict.fromkeys(range(9), False)]),
)
def test_every_notation_is_read_alike(table, blank, thousands, quotes, percent):
    form, data = table
    notation = form.notation._replace(blank=blank, thousands=None if thousands == form.notation.decimal else thousands)
    alike(form._replace(notation=notation, quotes=quotes, percent=percent), data)


@laws
@given(st.lists(st.sampled_from(['"', "\n", "\n", ",", "a", "1", "2,3\n", '"x', 'y"', ",4\n"]), max_size=20))
@example(list('"a,1,2\nb,3,4\nc",5,6\n'))
@example(list('"a,1\nb",5\n'))
def test_what_a_quote_swallows_is_told_alike(pieces):
    for weights in (1, 2):
        alike(form_of(1, weights), ("a,1,2\n" + "".join(pieces) + "\nb,2,3\n").encode())


def test_a_line_on_which_one_field_ends_and_another_begins_is_no_row_that_a_quote_swallows():
    data, form = b'"two\nlines",1,2,"and\ntwo"\n', form_of(1, 2)
    form = form._replace(names=(*form.names, "t1"))
    alike(form, data)
    assert by_csv(form, data).wrong == {}


@pytest.mark.parametrize("blank", [b"\n", b"\r\n", b"\r\n\r\n"])
def test_a_blank_line_of_one_column_of_text_is_no_row(blank):
    form, data = form_of(1, 0), b"a\r\n" + blank + b"b\r\n"
    alike(form, data)
    assert by_arrow(form, data).size == 2


def test_a_mark_at_the_start_of_a_piece_stays():
    alike(form_of(1, 1), b"\xef\xbb\xbfa,1\nb,2\n")


@pytest.mark.parametrize("cell", [*SMALL, *LARGE, "nan(x)", "-nan(ind)", "0.000001e-320"])
@pytest.mark.parametrize("other", ["1", "2.5e-3", "3E-2"])
def test_numbers_that_no_double_holds(cell, other):
    alike(form_of(1, 2), f"a,1,{cell}\nb,{other},2\nc,0,2\n".encode())


def test_a_piece_of_sound_rows_is_read_in_one_go(monkeypatch):
    monkeypatch.setattr(Pieces, "_judged", lambda *_, **__: pytest.fail("judged"))
    for data in (b"a,1,2e1\nb,3,0\n", b'"a,b",1,2\n"two\nlines",3,4\n'):
        alike(form_of(1, 2), data)


def test_the_lines_of_rows_between_quotes_are_looked_for_once(monkeypatch):
    """Once a row they took minutes where many rows of a large file failed."""
    looked = []
    monkeypatch.setattr(csv_columns, "row_ends", lambda *given: looked.append(1) or row_ends(*given))
    table = by_arrow(form_of(1, 1), b'"two\nlines",1\n' * 1000)
    assert [table.line(i) for i in range(1000)] == list(range(0, 2000, 2))
    assert len(looked) == 1


HEADERS = {
    "a form feed": "i\x0cd",
    "a line separator": "i\u2028d",
    "a next line": "i\x85d",
    "a quoted line end": '"i\nd"',
    "a quoted comma": '"i,d"',
    "a quote that is part of the name": 'size 5"',
    "nothing": "",
    "a space": " id ",
    "more than csv takes unless told": "x" * 200_000,
}


class Bytes(Source):
    """A source in memory."""

    def __init__(self, data):
        super().__init__("x", None, dialect=PLAIN)
        self._raw = io.BytesIO(data)


def opened(data, size=None):
    stream = DelimitedStream(Bytes(data), ",", size)
    return stream, lay_out(WantedColumns(), stream.names, "x", stream.text)


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize("first", HEADERS.values(), ids=HEADERS)
@pytest.mark.parametrize("start", ["", "\ufeff", "\ufeff\n\n", "\n"])
def test_the_header_is_what_csv_reads(first, size, start):
    stream, layout = opened(f"{start}{first},p,q\na,1,2\n".encode(), size)
    assert stream.names == tuple(next(csv.reader(io.StringIO(f"{first},p,q\n", newline=""))))
    assert [listed(read().columns[0]) for read in stream.frames(layout)] == [["a"]]
    assert stream.place(0) == f"x:{f'{start}{first}'.count(chr(10)) + 2}"


@pytest.mark.parametrize("size", [1, 30, 1000])
def test_a_failed_row_is_told_with_its_line(size):
    stream, layout = opened(b'\xef\xbb\xbf\nid,p,q\n"a\nb",1,2\n\nc,1,x\n"d",1,2\ne,1\n', size)
    line, places = 0, []
    for read in stream.frames(layout):
        table = read()
        places += [(stream.place(line + table.line(row)), str(error)) for row, error in sorted(table.wrong.items())]
        line += table.lines
    assert places == [
        ("x:6", "'x' in column 'q' is not a number"),
        ("x:8", "2 fields, the header has 3; complete it, or take it out as batch --on-error skip does"),
    ]


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=60))
def test_no_text_whatever_is_a_bug(data):
    try:
        stream, layout = opened(b"id,p,q\n" + data, 5)
        tables = [read() for read in stream.frames(layout)]
    except KlcliError:
        return
    assert all(table.matrix(layout.numbers).shape == (2, table.size) for table in tables)


def test_a_row_that_is_the_header_of_numbers_is_a_row(call):
    for last in ("3", "6/2"):
        result = call("batch", "-", "--p", "1", "--q", "2", "-m", "kl_pq", "-q", input=f"1,2\n1,2\n{last},4\n")
        assert result.out == "kl_pq\n0.0\n0.0\n"


@pytest.mark.parametrize("cell", [b"\xff", b"\0", b"z"])
@pytest.mark.parametrize("last", [b"4", b"4.0%"])
def test_columns_that_nobody_wants_are_not_looked_at(call, cell, last):
    rows = b"id,x,p0,p1,q0,q1\n" + b"r,y,1,2,3,4\n" * 30_000 + b"a," + cell + b",1,2,3,4\nb,z,1,2,3," + last + b"\n"
    args = ("batch", "-", "--p", "p*", "--q", "q*", "-m", "kl_pq", "--on-error", "skip", "-q", "--keep", "id")
    small = call(*args, input=rows[: 17 + 12 * 100] + rows[17 + 12 * 30_000 :])
    large = call(*args, input=rows)
    assert (small.code, small.out.splitlines()[-2:]) == (large.code, large.out.splitlines()[-2:])
