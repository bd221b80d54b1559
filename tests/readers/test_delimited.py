"""The two ways to read CSV and TSV say the same: Python's csv module, and Arrow for large files."""

# ruff: noqa: SLF001 - the quicker way, as small files would never take it

import csv
import io
import math

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from klcli.errors import KlcliError
from klcli.readers import delimited
from klcli.readers.columnar import Columns
from klcli.readers.sources import Source
from klcli.readers.tables import pieces

NAMES = ["label", "p", "q", "w 1", 'so "called"', "a,b", "two\nlines", "ß"]


@pytest.fixture(scope="module", autouse=True)
def _short_sample():
    """Arrow is shown the header and one row first, and takes small tables too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(delimited, "_SAMPLE", 1)
        yield


plain_numbers = st.one_of(
    st.floats(allow_nan=False).map(repr),
    st.integers(-(10**20), 10**20).map(str),
    st.decimals(0, 1, places=6).map(str),
    st.sampled_from(["0", "-0.0", "+1", "1e400", "5e-324", "1E5", ".5", "5.", "007", "1e+05"]),
)
odd_numbers = st.sampled_from(
    [
        "nan",
        "NaN",
        "-nan",
        "inf",
        "-Infinity",
        "INF",
        "1/3",
        "50%",
        "1/0",
        " 1",
        "1 ",
        "\t2",
        "",
        " ",
        "1_0",
        "0x10",
        "NA",
        "null",
        "NULL",
        "#N/A",
        "true",
        "x",
        "1,5",
        "1;5",
        "٣",
        "1e",
        "--1",
        "1.2.3",
        "1f",
        "'1'",
        '"1"',
        "\xa01",
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


def source(data):
    found = Source("w.csv", None)
    found.data = data
    return found


def told(read, label):
    """All that a reader tells of a table, in terms that compare: (values and labels by column), or the error."""
    try:
        content = read()
        names = content.names()
        columns = {}
        for name in names:
            if name == (label or "label"):
                continue  # see test_both_ways_give_the_numbers_of_the_column_of_labels
            try:
                series = content.series(name)
                for check in getattr(content, "_checks", []):
                    check()
            except KlcliError as error:
                columns[name] = type(error)
            else:
                labels = None if series.labels is None else list(series.labels[:])
                columns[name] = [exactly(x) for x in series.values], labels
        if all(isinstance(found, type) for found in columns.values()):
            return KlcliError  # one way may find a file unreadable as a whole, the other each of its columns
        return names, content.numeric(), columns
    except KlcliError:
        return KlcliError


def exactly(x):
    return "nan" if math.isnan(x) else float(x).hex()


def both(data, delimiter, label=None):
    """What the reference tells, and what the quicker way does, its own fallback included."""

    def quick():
        table = delimited._by_arrow(source(data), label, delimiter)
        return reference() if table is None else table

    def reference():
        given_source = source(data)
        return delimited.Delimited(given_source.text, given_source.name, delimiter, label)

    return told(reference, label), told(quick, label)


@given(tables(plain_numbers))
@settings(max_examples=80)
def test_both_ways_read_the_same_numbers_and_labels(table):
    reference, quick = both(*table)
    assert quick == reference


@given(tables(st.one_of(plain_numbers, odd_numbers)))
@settings(max_examples=120)
def test_both_ways_read_odd_numbers_alike(table):
    reference, quick = both(*table)
    assert quick == reference


@given(st.lists(st.sampled_from(['"', ",", "\n", "\r", "\r\n", "a", "1", "2", " ", "\t", "é"]), max_size=20))
@settings(max_examples=150)
@example(list('1,"2'))
@example(list('1,2"\n'))
@example(list('"1"2,3\n'))
@example(list("1,2\n\n3,4\n"))
@example(list('"",\n'))
@example(list("1\n2,3\n"))
def test_both_ways_take_the_same_text_to_be_a_table(pieces):
    data = ("label,p\na,1\n" + "".join(pieces)).encode()
    reference, quick = both(data, ",")
    assert quick == reference


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
def test_both_ways_refuse_the_same_files(data, label):
    reference, quick = both(data, ",", label)
    assert quick == reference


def test_both_ways_give_the_numbers_of_the_column_of_labels():
    data = b"label,p\n2001,1\n2002,2\n"
    quick = delimited._by_arrow(source(data), None, ",")
    reference = delimited.Delimited(source(data).text, "w.csv", ",")
    assert isinstance(quick, Columns)
    assert list(reference.series("label").values) == list(quick.series("label").values) == [2001, 2002]


@pytest.mark.parametrize("data", CHANGED.values(), ids=CHANGED)
def test_a_change_after_what_arrow_is_shown_first_is_seen(data, monkeypatch):
    monkeypatch.setattr(delimited, "_SAMPLE", 1 << 16)
    # More rows than the sample from which the columns' types are taken; then the change.
    header, _, rest = data.partition(b"\n")
    width = header.count(b",")
    padding = b"".join(b"row%d%s\n" % (i, b",1" * width) for i in range(12_000 if width else 0))
    if not width:
        padding = b"1\n" * 40_000
    padded = header + b"\n" + padding + rest
    assert len(padded) > (1 << 16) or not rest
    reference, quick = both(padded, ",")
    assert quick == reference


@pytest.mark.parametrize("cell", ["50%", "1/3", "x", "", "nan", "1_0", " 7", "0x1", "1e400", "NA", "٣"])
def test_an_odd_number_after_what_arrow_is_shown_first_is_seen(cell):
    rows = "".join(f"row{i},1,2\n" for i in range(12_000))
    reference, quick = both(f"label,p,q\n{rows}last,{cell},3\n".encode(), ",")
    assert quick == reference


def test_errors_are_the_same_line_for_line():
    rows = "".join(f"row{i},1,2\n" for i in range(12_000))
    for last in ("last,x,3\n", "last,1\n", "row7,1,2\n", '"last,1,2\n'):
        data = f"label,p,q\n{rows}{last}".encode()
        said = []
        for read in (
            lambda data=data: delimited.Delimited(source(data).text, "w.csv", ","),
            lambda data=data: delimited.read(source(data), None, ","),
        ):
            with pytest.raises(KlcliError) as raised:
                read().series("p")
            said.append(str(raised.value))
        assert said[0] == said[1]
        assert "w.csv:12002" in said[0]


def test_places_are_the_same_line_for_line():
    data = b"label,p\n_,0\nb,1\n\n\nc,2\n"
    quick = delimited._by_arrow(source(data), None, ",")
    reference = delimited.Delimited(source(data).text, "w.csv", ",")
    assert isinstance(quick, Columns)
    for i, place in enumerate(["w.csv:2, column 'p'", "w.csv:3, column 'p'", "w.csv:6, column 'p'"]):
        assert quick.series("p").where(i) == reference.series("p").where(i) == place


def test_arrow_reads_what_is_large(monkeypatch):
    kinds = []
    for large in (1, 1 << 20):
        monkeypatch.setattr(delimited, "LARGE", large)
        kinds.append(type(delimited.read(source(SMALL), None, ",")))
    assert kinds == [Columns, delimited.Delimited]


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ('a,"b"\n', True),
        ('"a","b,""c"""\r\n', True),
        ('"a\nb",1\n', True),
        ('""\n', True),
        ('"a"b,1\n', False),
        ('a"b",1\n', False),
        ('""a,1\n', False),
        ('"a,1\n', False),
    ],
)
def test_quotes_that_enclose_fields_are_told_from_others(text, plain):
    assert pieces.quotes_enclose_fields(text.encode(), ",") is plain
