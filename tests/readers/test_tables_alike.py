"""NDJSON lines that are written alike: read quickly they are what the JSON parser reads, or they are left to it."""

# ruff: noqa: SLF001 - both ways to read, one of which the other would hide

import io
import json
import re

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from klcli.readers.tables.layout import Wanted
from klcli.readers.tables.records import RecordsTable, _lines
from tests.readers.tables import exactly

WANTED = Wanted("p", "q")


def reader_of(first, wanted=WANTED):
    return RecordsTable(io.BytesIO(first + b"\n"), "x", wanted, 1 << 20)._reader


def told(block):
    """What a block is, in terms that compare: row by row the weights and their labels, and what is kept."""
    pairs = {}
    for of in block.pairs:
        for column, row in enumerate(of.rows.tolist()):
            sides = (of.p, of.q)
            weights = [None if side is None else exactly(side[:, column] + 0.0) for side in sides]  # -0 is 0
            pairs[row] = (weights, of.labels, of.where(0 if of.p is not None else 1, column, 0))
    failures = [(failure.row, failure.line, failure.text) for failure in block.failures]
    return block.size, pairs, failures, {column.name: column.cells.to_pylist() for column in block.kept}


def both(first, piece, wanted=WANTED):
    """What the quick way tells of a piece, None where it takes it not, and what the JSON parser does."""
    reader = reader_of(first, wanted)
    assert reader._pattern is not None
    quick = reader._pattern.block(bytearray(piece))
    return None if quick is None else told(quick), told(reader.block(_lines(bytearray(piece))))


number = st.one_of(
    st.integers(0, 10**6).map(str),
    st.floats(0, 1e300).map(repr),
    st.sampled_from(["0", "1e5", "1E-7", "0.10", "-0.0", "2.50"]),
)
word = st.text(st.characters(codec="utf-8", exclude_characters='"\\', exclude_categories=["Cc"]), max_size=6)
value = st.one_of(
    number,
    word.map(lambda text: json.dumps(text, ensure_ascii=False)),
    st.sampled_from(["true", "false", "null", "-3"]),
)


@st.composite
def records(draw):
    """Lines written alike: lists or objects, kept values before, between and after them, any spaces."""
    k, n = draw(st.integers(1, 4)), draw(st.integers(1, 5))
    comma, colon = draw(st.sampled_from([(",", ":"), (", ", ": ")]))
    objects = draw(st.booleans())
    order = draw(st.permutations(["p", "q", "id", "x"]))[: draw(st.integers(2, 4))]
    assume({"p", "q"} <= set(order))
    lines = []
    for _ in range(n):
        members = []
        for name in order:
            if name not in "pq":
                text = draw(value)
            elif objects:
                text = "{" + comma.join(f'"k{i}"{colon}{draw(number)}' for i in range(k)) + "}"
            else:
                text = "[" + comma.join(draw(number) for _ in range(k)) + "]"
            members.append(f'"{name}"{colon}{text}')
        lines.append("{" + comma.join(members) + "}")
    end = draw(st.sampled_from(["\n", "\r\n"]))
    return [line.encode() for line in lines], end.encode()


laws = settings(max_examples=80, deadline=None)


@laws
@given(records())
def test_lines_written_alike_are_what_json_says(table):
    lines, end = table
    reader = reader_of(lines[0])
    if reader._pattern is None:
        return
    quick, slow = both(lines[0], end.join(lines) + end)
    assert quick is None or quick == slow


def test_the_quick_way_is_taken():
    for first in (b'{"id":1,"p":[1,2],"q":[3,4]}', b'{"p": {"a": 1, "b": 2}, "q": {"a": 3, "b": 4}, "id": "x"}'):
        quick, slow = both(first, first + b"\n" + first.replace(b"1", b"7") + b"\n")
        assert quick == slow


BYTES = b'0123456789.,:[]{}"-+eE \r\nxnI\t\x00\x80\xc3\xa9\\/_'


@st.composite
def mutated(draw):
    """Lines written alike, and a piece of them in which a byte was changed, left out, put in, or two were swapped."""
    lines, end = draw(records())
    piece = end.join(lines) + end
    for _ in range(draw(st.integers(1, 2))):
        at = draw(st.integers(0, len(piece) - 1))
        byte = bytes([draw(st.sampled_from(BYTES))])
        kind = draw(st.sampled_from(["change", "change", "leave out", "put in", "swap", "bracket"]))
        if kind == "change":
            piece = piece[:at] + byte + piece[at + 1 :]
        elif kind == "leave out":
            piece = piece[:at] + piece[at + 1 :]
        elif kind == "put in":
            piece = piece[:at] + byte + piece[at:]
        elif kind == "swap":
            piece = piece[:at] + piece[at + 1 : at + 2] + piece[at : at + 1] + piece[at + 2 :]
        else:
            places = [i for i, c in enumerate(piece) if c in b"[]{},:"]
            at = draw(st.sampled_from(places))
            piece = piece[:at] + bytes([draw(st.sampled_from(b"[]{},:"))]) + piece[at + 1 :]
    return lines[0], piece


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(mutated())
@example((b'{"p": [0], "x": false, "q": [0]}', b'{"p": [0], "x": false, "q": [-0]}\n'))
def test_a_changed_byte_is_read_as_json_reads_it_or_not_at_all(changed):
    first, piece = changed
    assume(reader_of(first)._pattern is not None)
    assume(not CASUAL.search(piece))
    quick, slow = both(first, piece)
    assert quick is None or quick == slow


CASUAL = re.compile(rb"[\[,:][ \t]*[+-]?(\.|[0-9]+\.(?![0-9])|0[0-9])|[\[,:][ \t]*[+]|[0-9.][eE][+-]?(?![0-9])")
"""A weight written as in CSV, .5 or 05: its value is plain, and JSON's stricter grammar is not asked."""

FIRST = b'{"id":1,"p":[1,2],"q":[3,4]}'
OBJECTS = b'{"id":1,"p":{"a":1,"b":2},"q":{"a":3,"b":4}}'
CHANGED = {
    "an identifier with a zero in front": (FIRST, b'{"id":007,"p":[1,2],"q":[3,4]}'),
    "a date without quotes": (FIRST, b'{"id":2024-01-02,"p":[1,2],"q":[3,4]}'),
    "a dash": (FIRST, b'{"id":-,"p":[1,2],"q":[3,4]}'),
    "a plus": (FIRST, b'{"id":+1,"p":[1,2],"q":[3,4]}'),
    "a number beyond doubles": (FIRST, b'{"id":1e400,"p":[1,2],"q":[3,4]}'),
    "a number with a zero more": (FIRST, b'{"id":1.50,"p":[1,2],"q":[3,4]}'),
    "a number with an exponent": (FIRST, b'{"id":1E5,"p":[1,2],"q":[3,4]}'),
    "spaces about a value": (FIRST, b'{"id": 1 ,"p":[1,2],"q":[3,4]}'),
    "a weight called nan": (FIRST, b'{"id":1,"p":[nan,2],"q":[3,4]}'),
    "a weight called inf": (FIRST, b'{"id":1,"p":[inf,2],"q":[3,4]}'),
    "a weight below all doubles": (FIRST, b'{"id":1,"p":[1e-400,2],"q":[3,4]}'),
    "a weight above all doubles": (FIRST, b'{"id":1,"p":[1e400,2],"q":[3,4]}'),
    "a weight in quotes": (FIRST, b'{"id":1,"p":["1",2],"q":[3,4]}'),
    "a comma for an opening bracket": (FIRST, b'{"id":1,"p":,1,2],"q":[3,4]}'),
    "a bracket for a comma": (FIRST, b'{"id":1,"p":[1[2],"q":[3,4]}'),
    "a comma for a closing bracket": (FIRST, b'{"id":1,"p":[1,2,,"q":[3,4]}'),
    "brackets the wrong way": (FIRST, b'{"id":1,"p":]1,2[,"q":[3,4]}'),
    "two records between old line ends": (FIRST, FIRST + b"\r" + FIRST),
    "a byte after the record": (FIRST, FIRST + b"\0"),
    "a list of labels and weights": (OBJECTS, b'{"id":1,"p":["a",1,"b",2],"q":{"a":3,"b":4}}'),
    "braces and brackets mixed": (OBJECTS, b'{"id":1,"p":{"a":1,"b":2],"q":{"a":3,"b":4}}'),
    "colons for commas": (OBJECTS, b'{"id":1:"p":{"a":1:"b":2},"q":{"a":3,"b":4}}'),
    "another label": (OBJECTS, b'{"id":1,"p":{"a":1,"c":2},"q":{"a":3,"b":4}}'),
    "a label twice": (OBJECTS, b'{"id":1,"p":{"a":1,"a":2},"q":{"a":3,"b":4}}'),
}


@pytest.mark.parametrize(("first", "line"), CHANGED.values(), ids=CHANGED)
def test_what_is_written_otherwise_is_left_to_the_parser(first, line):
    quick, slow = both(first, first + b"\n" + line + b"\n" + first + b"\n")
    assert quick is None or quick == slow


def test_a_field_of_weights_can_be_kept(call):
    given = b'{"id":1,"p":[1,2],"q":[3,4]}\n'
    result = call("batch", "-", "--input-format", "ndjson", "--keep", "id,p", "-m", "kl_pq", input=given)
    assert result.code == 0, result.err
    assert json.loads(result.out)["p"] == [1, 2]


@pytest.mark.parametrize("name", ["csv", "ndjson"])
def test_half_a_character_is_no_bug(call, name):
    given = b'{"id":"\\ud800","p":[1,2],"q":[3,4]}\n'
    result = call("batch", "-", "--input-format", "ndjson", "-f", name, "-m", "kl_pq", input=given)
    assert result.code in {0, 3}, result.err


@example(1, 1)
@settings(max_examples=20, deadline=None)
@given(st.integers(0, 20), st.integers(1, 200))
def test_lines_are_counted_through_blank_ones(call, blank, size):
    text = '{"g":1,"p":1,"q":1}\n' + "\n" * blank + '{"g":2,"p":1,"q":1}\n{"g":3,"p":-1,"q":1}\n'
    result = call("batch", "-", "--input-format", "ndjson", "--by", "g", "--block-size", size, input=text)
    assert f"<stdin>:{3 + blank}, column 'p'" in result.err
