"""A large table says what a small one does: the same numbers, labels, roles, places and errors."""

import csv
import io
import math

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from klcli.errors import KlcliError
from klcli.readers.formats import READERS
from klcli.readers.sources import Source
from klcli.readers.tables.columns import TableColumns
from klcli.readers.tables.roles import Choices

NAMES = ["label", "p", "q", "w 1", 'so "called"', "a,b", "two\nlines", "ß"]

plain_numbers = st.one_of(
    st.floats(allow_nan=False).map(repr),
    st.integers(-(10**20), 10**20).map(str),
    st.decimals(0, 1, places=6).map(str),
    st.sampled_from(["0", "-0.0", "+1", "1e400", "5e-324", "1E5", ".5", "5.", "007", "1e+05"]),
)
odd_numbers = st.sampled_from(
    [
        *("nan", "NaN", "-nan", "inf", "-Infinity", "INF", "1/3", "50%", "1/0", " 1", "1 ", "\t2", "", " ", "1_0"),
        *("0x10", "NA", "null", "NULL", "#N/A", "true", "x", "1,5", "1;5", "٣", "1e", "--1", "1.2.3", "1f", "'1'"),
        *('"1"', "\xa01"),
    ]
)
label_text = st.one_of(
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8),
    st.sampled_from(
        ["", "NA", "null", "nan", "1", "007", "true", "a,b", 'say "no"', "line\nbreak", "a\r\nb", " pad ", "\t"]
    ),
)


@st.composite
def tables(draw, cells):
    """The bytes of a table: quoted where needed or everywhere, any line end, with or without BOM and last end."""
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=4, unique=True))
    columns = [draw(st.sampled_from([label_text, cells])) if name == "label" else cells for name in names]
    rows = draw(st.lists(st.tuples(*columns), min_size=1, max_size=6))
    end = draw(st.sampled_from(["\n", "\n", "\r\n", "\r"]))
    delimiter = draw(st.sampled_from([",", "\t"]))
    quoting = draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, lineterminator=end, quoting=quoting)
    writer.writerow(names)
    for row in rows:
        writer.writerow(row)
        if draw(st.integers(0, 9)) == 0:
            text.write(end)
    data = text.getvalue()
    if draw(st.booleans()):
        data = data.removesuffix(end)
    if draw(st.booleans()):
        data = "\ufeff" + data
    return data.encode(), delimiter


def read(data, delimiter=",", label=None, *, large=False):
    """The columns of a table. large: read as a large one is, whatever its size."""
    source = Source("w.csv", None)
    source.data = data
    with pytest.MonkeyPatch.context() as patch:
        if large:
            patch.setattr("klcli.readers.tables.delimited.SMALL", 3)
        return TableColumns(READERS["tsv" if delimiter == "\t" else "csv"](source, label), Choices(label=label))


def told(data, delimiter, label, *, large):
    """All that a table tells, in terms that compare: (values and labels by column), or the error."""
    try:
        table = read(data, delimiter, label, large=large)
        columns = {}
        for name in table.names():
            try:
                series = table.member(name)
            except KlcliError as error:
                columns[name] = type(error)
            else:
                labels = None if series.outcomes is None else list(series.outcomes[:])
                columns[name] = [exactly(x) for x in series.values], labels
        return table.names(), table.numeric(), columns
    except KlcliError as error:
        return type(error)


def exactly(x):
    return "nan" if math.isnan(x) else float(x).hex()


def both(data, delimiter=",", label=None):
    """What a table tells when it is small, and when it is large."""
    return told(data, delimiter, label, large=False), told(data, delimiter, label, large=True)


@given(tables(st.one_of(plain_numbers, odd_numbers)))
@settings(max_examples=60)
def test_odd_numbers_are_the_same(table):
    small, large = both(*table)
    assert large == small


@given(st.lists(st.sampled_from(['"', ",", "\n", "\r", "\r\n", "a", "1", "2", " ", "\t", "é"]), max_size=20))
@settings(max_examples=60)
@example(list('1,"2'))
@example(list('1,2"\n'))
@example(list('"1"2,3\n'))
@example(list("1,2\n\n3,4\n"))
@example(list('"",\n'))
@example(list("1\n2,3\n"))
def test_the_same_text_is_a_table(pieces):
    data = ("label,p\na,1\n" + "".join(pieces)).encode()
    small, large = both(data)
    assert large == small


SMALL = b"label,p,q\na,1,2\nb,3,4\n"
CHANGED = {
    "invalid UTF-8 in a label": SMALL.replace(b"b,", b"\xff,"),
    "invalid UTF-8 in a number": SMALL.replace(b"4", b"\xff"),
    "invalid UTF-8 in the header": SMALL.replace(b"label", b"\xff"),
    "a NUL in a label": SMALL.replace(b"b,", b"\0,"),
    "a NUL in a number": SMALL.replace(b"4", b"4\0"),
    "UTF-16": SMALL.decode().encode("utf-16"),
    "a field too many": SMALL + b"c,5,6,7\n",
    "a field too few": SMALL + b"c,5\n",
    "a label twice": SMALL + b"a,5,6\n",
    "a column twice": SMALL.replace(b"q", b"p"),
    "an unnamed column": SMALL.replace(b"q", b""),
    "no rows": b"label,p,q\n",
    "nothing": b"",
    "white space": b" \n\n",
    "no line end": b"label,p,q",
    "an open quote": SMALL + b'"c,5,6\n',
    "a quote inside": SMALL + b'c"d,5,6\n',
    "text after a quote": SMALL + b'"c"d,5,6\n',
    "a quoted number": SMALL + b'c,"5",6\n',
    "blank lines": SMALL + b"\n\nc,5,6\n\n",
    "a blank line and an empty cell": b"n,x,y\na,1,2\n\nb,1,\n",
    "a line of spaces": SMALL + b"   \nc,5,6\n",
    "only delimiters": SMALL + b",,\n",
    "no label column": b"p,q\n1,2\n3,4\n",
    "two text columns": b"x,y,p\na,b,1\nc,d,2\n",
    "one column": b"p\n1\n2\n",
    "one column with an empty quoted cell": b'p\n1\n""\n2\n',
    "numbers as labels": b"label,p\n007,1\n7,2\n",
    "a byte order mark": b"\xef\xbb\xbf" + SMALL,
    "two byte order marks": b"\xef\xbb\xbf\xef\xbb\xbf" + SMALL,
}


@pytest.mark.parametrize("label", [None, "label", "q", "absent"])
@pytest.mark.parametrize("data", CHANGED.values(), ids=CHANGED)
def test_the_same_files_are_refused(data, label):
    small, large = both(data, ",", label)
    assert large == small


def test_a_column_of_labels_that_are_numbers_keeps_their_text_and_can_be_weights():
    data = b"label,p\n007,1\n2002,2\n"
    for table in (read(data), read(data, large=True)):
        assert list(table.member("p").outcomes) == ["007", "2002"]
        assert list(table.member("label").values) == [7, 2002]


def test_places_are_the_same_line_for_line():
    data = b"label,p\n_,0\nb,1\n\n\nc,2\n"
    small, large = read(data).member("p"), read(data, large=True).member("p")
    for i, place in enumerate(["w.csv:2, column 'p'", "w.csv:3, column 'p'", "w.csv:6, column 'p'"]):
        assert small.where(i) == large.where(i) == place


def test_labels_of_a_large_table_are_made_when_they_are_asked_for():
    labels = read(b"name,p\nb,1\na,2\n", large=True).member("p").outcomes
    assert not isinstance(labels, list)
    assert (len(labels), labels[1], labels[:], list(labels)) == (2, "a", ["b", "a"], ["b", "a"])
