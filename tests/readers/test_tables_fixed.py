"""Weights of a fixed width: float() of every field exactly, and nothing that Python's csv would read otherwise."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from klcli.readers.tables import fixed
from tests.readers.tables import layout_of, reader_of, told

laws = settings(max_examples=100, deadline=None)

FORMS = [(width, at) for width in range(2, 9) for at in range(1, width)]


def weight(draw, width, at, point="."):
    digits = draw(st.text("0123456789", min_size=width - 1, max_size=width - 1))
    return digits[:at] + point + digits[at:]


@st.composite
def tables(draw):
    """How many weights a row has, the mark, the delimiter, how many columns of text, and the text."""
    width, at = draw(st.sampled_from(FORMS))
    delimiter, point = draw(st.sampled_from([(",", "."), ("\t", "."), (";", ","), ("|", "."), (" ", ".")]))
    weights = draw(st.integers(2, 6))
    others = draw(st.integers(0, 3))
    n = draw(st.integers(1, 9))
    word = st.text(st.characters(codec="utf-8", exclude_characters='"\r\n\0' + delimiter), max_size=9)
    rows = [
        delimiter.join([draw(word) for _ in range(others)] + [weight(draw, width, at, point) for _ in range(weights)])
        for _ in range(n)
    ]
    end = draw(st.sampled_from(["\n", "\r\n"]))
    text = end.join(rows) + draw(st.sampled_from(["", "\n" if end == "\n" else end]))
    return weights, point, delimiter, others, text.encode()


def expected(data, weights, delimiter, point):
    """What stands before the weights of each row, and the weights, by float."""
    rows = [line.removesuffix("\r").split(delimiter) for line in data.decode().removesuffix("\n").split("\n")]
    numbers = [[float(field.replace(point, ".")) for field in row[-weights:]] for row in rows]
    return [delimiter.join(row[:-weights]) for row in rows], numbers


@laws
@given(tables())
def test_every_weight_is_what_float_reads(table):
    weights, point, delimiter, _, data = table
    ended = data if data.endswith(b"\n") else data + b"\n"
    found = fixed.read(bytearray(ended), weights, delimiter, point)
    if found is None:
        return
    before, numbers = expected(data, weights, delimiter, point)
    assert found[0].T.tolist() == numbers
    assert ([""] * len(before) if found[1] is None else found[1].to_pylist()) == before


@pytest.mark.parametrize(("width", "at"), [form for form in FORMS if form[0] > 2])
def test_every_form_is_read_quickly(width, at):
    fields = [f"{i:0{width - 1}d}" for i in (0, 1, 9 * 10 ** (width - 2), 10 ** (width - 1) - 1)]
    fields = [field[:at] + "." + field[at:] for field in fields]
    data = "".join(f"é{i},{','.join(fields)}\n" for i in range(50)).encode()
    numbers, before = fixed.read(bytearray(data), 4, ",", ".")
    assert numbers.T.tolist() == [[float(field) for field in fields]] * 50
    assert before.to_pylist() == [f"é{i}" for i in range(50)]


def test_many_rows_are_read_by_runs():
    rows = [f"{i % 7}.{i:05d}" for i in range(99_999)]
    data = "".join(f"{field},{field}\n" for field in rows).encode()
    numbers, _ = fixed.read(bytearray(data), 2, ",", ".")
    assert numbers.tolist() == [[float(field) for field in rows]] * 2


def reference(reader, data):
    return told([reader._by_csv(bytearray(data))])  # noqa: SLF001 - the reference itself


def both(weights, point, delimiter, others, data):
    """What a reader tells of a text, and what the reference does."""
    layout = layout_of(others, weights)
    reader = reader_of(layout, delimiter, point)
    quick = told(reader.rows(bytearray(data)))
    return quick, reference(reader_of(layout, delimiter, point), data)


@laws
@given(tables())
def test_a_reader_tells_the_same_as_the_reference(table):
    quick, slow = both(*table)
    assert quick == slow


BYTES = b"0123456789.,;\t|-+eE/()*'& \r\nxi\x00\x80\xc3\xa9%\x3a\x2f"


@st.composite
def mutated(draw):
    """A table, with one byte of it changed, left out or put in."""
    weights, point, delimiter, others, data = draw(tables())
    for _ in range(draw(st.integers(1, 2))):
        at = draw(st.integers(0, max(0, len(data) - 1)))
        byte = bytes([draw(st.sampled_from(BYTES))])
        kind = draw(st.sampled_from(["change", "change", "leave out", "put in", "swap"]))
        if kind == "change":
            data = data[:at] + byte + data[at + 1 :]
        elif kind == "leave out":
            data = data[:at] + data[at + 1 :]
        elif kind == "put in":
            data = data[:at] + byte + data[at:]
        else:
            data = data[:at] + data[at + 1 : at + 2] + data[at : at + 1] + data[at + 2 :]
    return weights, point, delimiter, others, data


@settings(max_examples=150, deadline=None)
@given(mutated())
@example((2, ".", ",", 1, b"a,0.123,0.456\nb,0/123,0.456\n"))
@example((2, ".", ",", 1, b"a,0.123,0.456\nb,0,123,0.456\n"))
@example((2, ",", ";", 1, b"a;0,123;0,456\nb;0.123;0,456\n"))
@example((2, ".", ",", 1, b"a,0.123,0.456\nb,0.123,0-456\n"))
@example((2, ".", ",", 0, b"9,0.123,0.456\n8,0.123,0.456\n"))
@example((2, ".", ",", 1, b"0.1234,0.4567\n0.1234,0.4567\n"))
@example((2, ".", ",", 1, b"a,0.1234,0.4567\n\nb,0.1234,0.4567\n"))
@example((2, ".", ",", 1, b"aaa,0.1234,0.4567\nx\nb,0.1234,0.4567\n"))
@example((2, ".", ",", 2, b"aaa,b,0.1234,0.4567\nx,y\nb,c,0.1234,0.4567\n"))
def test_a_changed_byte_is_read_as_the_reference_reads_it(table):
    quick, slow = both(*table)
    assert quick == slow


WRONG = {
    "a space": b"b,0.12 ,0.4567",
    "a sign": b"b,-0.123,0.4567",
    "a sign in place of a digit": b"b,-.1234,0.4567",
    "an exponent": b"b,0.1e-2,0.4567",
    "another width": b"b,0.123,0.4567",
    "the point elsewhere": b"b,01.234,0.4567",
    "two points": b"b,0..234,0.4567",
    "no point": b"b,001234,0.4567",
    "a slash for the point": b"b,0/1234,0.4567",
    "a dash for the point": b"b,0-1234,0.4567",
    "a comma for the point": b"b,0,1234,0.4567",
    "a delimiter missing": b"b,0.12340.4567",
    "a delimiter more": b"b,,0.1234,0.4567",
    "another delimiter": b"b,0.1234;0.4567",
    "letters": b"b,0.12a4,0.4567",
    "a colon, which follows 9": b"b,0.12:4,0.4567",
    "a NUL": b"b,0.12\x004,0.4567",
    "a digit of another script": "b,0.1٣4,0.4567".encode(),
    "a field more": b"b,1,0.1234,0.4567",
    "no text": b"0.1234,0.4567",
    "a short line": b"b",
    "a blank line": b"",
    "two blank lines": b"\n",
    "a line end of old": b"b\r0.1234,0.4567",
    "invalid UTF-8": b"\xff,0.1234,0.4567",
}


@pytest.mark.parametrize("at", [1, 2, 9])
@pytest.mark.parametrize("line", WRONG.values(), ids=WRONG)
def test_anything_else_is_left_to_the_reference(line, at):
    lines = [b"row%d,0.%04d,0.4567" % (i, i) for i in range(10)]
    lines.insert(at, line)
    quick, slow = both(2, ".", ",", 1, b"\n".join(lines) + b"\n")
    assert quick == slow


ALIKE = {
    "a field more",
    "no text",
    "a short line",
    "a blank line",
    "two blank lines",
    "invalid UTF-8",
    "a line end of old",
}


@pytest.mark.parametrize("name", [name for name in WRONG if name not in ALIKE and name != "a delimiter more"])
def test_weights_not_written_alike_are_refused(name):
    good = b"row1,0.1234,0.4567\n"
    assert fixed.read(bytearray(good + WRONG[name] + b"\n" + good), 2, ",", ".") is None


@pytest.mark.parametrize("others", [0, 1, 2])
def test_a_weight_that_is_kept_is_the_weight(others):
    text = [f"t{i}" for i in range(others)]
    layout = layout_of(others, 2)._replace(kept=(others,))
    data = ",".join([*text, "0.1234", "0.4567\n"]).encode()
    rows = reader_of(layout, ",", ".").rows(bytearray(data))
    assert [column.to_pylist() for column in rows[0].text] == [["0.1234"]]
