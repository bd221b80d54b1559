"""Records: what Arrow reads quickly is what json reads line by line; what is kept is kept as it was written."""

import io
import json
import math
from contextlib import closing

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from klcli.errors import InputError, KlcliError
from klcli.readers.documents import distribution_of
from klcli.readers.sources import Source
from klcli.readers.tables.layout import WantedColumns, lay_out
from klcli.readers.tables.records import RecordStream, table_of
from klcli.readers.tables.roles import Choices
from klcli.readers.tables.table import concatenated

NESTED, SCALARS, GROUPS = (
    WantedColumns("p", "q"),
    WantedColumns("a,b", "c,d"),
    WantedColumns("a", "c", by="g", choices=Choices("l")),
)


class Memory(Source):
    """A source in memory."""

    def __init__(self, data, name="w.ndjson"):
        super().__init__(name, None)
        self._raw = io.BytesIO(data)


def frames(data, wanted, *, small, size=None):
    stream = RecordStream(Memory(data), ndjson=True, size=size)
    stream.small = small
    layout = lay_out(wanted, stream.names, stream.source, stream.text)
    return layout, [read() for read in stream.frames(layout)]


def exactly(value):
    if isinstance(value, dict):
        return {key: exactly(item) for key, item in value.items()}
    if isinstance(value, list):
        return [exactly(item) for item in value]
    return "nan" if math.isnan(value) else float(value).hex()


def listed(cells):
    return cells if isinstance(cells, list) else cells.tolist() if hasattr(cells, "tolist") else cells.to_pylist()


def told(layout, parts):
    """All that a table says, row by row: the weights by all their bits, what is kept, the lines, what is wrong."""
    rows = []
    for start, part in zip(starts(parts), parts, strict=True):
        wrong = {row: (part.line(row), str(error), type(error)) for row, error in part.wrong.items()}
        columns = {i: listed(cells) for i, cells in part.columns.items()}
        for row in range(part.size):
            weights, fault = {}, wrong.get(row)
            for i in layout.numbers if fault is None else ():
                value = columns[i][row]
                if not layout.by and len(layout.p) == 1:
                    try:
                        series = distribution_of("", value, f"column {layout.header[i]!r}")
                    except KlcliError as error:
                        fault = fault or (part.line(row), str(error), type(error))
                        continue
                    values = list(map(float, series.values))
                    value = values if series.outcomes is None else dict(zip(series.outcomes, values, strict=True))
                weights[i] = exactly(value)
            if fault is not None:
                weights, fault = None, (fault[0] + start, *fault[1:])
            kept = {i: cells[row] for i, cells in columns.items() if i not in layout.numbers}
            rows.append((part.line(row) + start, weights, kept, fault))
    return rows


def starts(parts):
    return [sum(part.lines for part in parts[:i]) for i in range(len(parts))]


def assert_alike(data, wanted, size=None):
    """What both ways tell, which is the same, be it an error."""
    ways = []
    for small in (False, True):
        try:
            ways.append(told(*frames(data, wanted, small=small, size=size)))
        except KlcliError as error:
            ways.append((type(error), str(error)))
    assert ways[0] == ways[1]
    return ways[0]


number = st.one_of(
    st.integers(-3, 10**6).map(str),
    st.integers(10**17, 10**25).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.sampled_from(["0", "-0", "-0.0", "1E-7", "1e-400", "1e400", "0.10", "5e-324", f"0.{'0' * 330}1", "9" * 400]),
)
text = st.text(st.characters(codec="utf-8"), max_size=4).flatmap(
    lambda word: st.sampled_from([json.dumps(word), json.dumps(word, ensure_ascii=False)])
)
other = st.sampled_from(["null", "true", "NaN", "-Infinity", '"1/2"', '"x"', "[]", "{}", "[1.10, 2]", '"\\ud800"'])
kept = st.one_of(number, text, other)


@st.composite
def tables(draw, kind):
    """Lines of records that are alike, one of which may be of any sort, at the start, in the middle, at the end."""

    def weight(odd):
        return draw(other if odd else number)

    first_kept = draw(st.sampled_from([number, text, st.sampled_from(["true", "false"])]))
    k, n = draw(st.integers(1, 3)), draw(st.integers(1, 6))
    strange = draw(st.sampled_from([0, n // 2, n - 1, -1]))
    lines = []
    for row in range(n):
        odd = row == strange and row > 0 and draw(st.booleans())
        members = {"x": draw(kept if odd else first_kept)}
        if kind == "lists":
            members |= {side: "[" + ",".join(weight(odd) for _ in range(k)) + "]" for side in "pq"}
        elif kind == "objects":
            members |= {side: "{" + ",".join(f'"k{i}": {weight(odd)}' for i in range(k)) + "}" for side in "pq"}
        else:
            members |= {name: weight(odd) for name in "abcd"} | {"g": draw(text), "l": draw(text)}
        if odd and draw(st.booleans()):
            name = draw(st.sampled_from([*members]))
            members.pop(name) if draw(st.booleans()) else members.update({f"{name}z": "1"})
        line = "{" + ", ".join(f'"{name}": {value}' for name, value in members.items()) + "}"
        if odd:
            line = draw(
                st.sampled_from(
                    [
                        line,
                        line[:-1],
                        line + line,
                        line + "null",
                        "null",
                        "[1]",
                        "",
                        " ",
                        "{}",
                        line + "\r",
                        line[:-1] + ', "x": 1}',
                        line.replace(":", "\xa0:"),
                        line[:5] + "\n" + line[5:],
                    ]
                )
            )
        lines.append(
            line.encode("utf-8", "surrogatepass")
            if not odd or draw(st.booleans())
            else line.encode("latin-1", "replace")
        )
    return draw(st.sampled_from([b"\n", b"\r\n"])).join(lines) + draw(st.sampled_from([b"", b"\n"]))


laws = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        ("lists", NESTED),
        ("objects", NESTED),
        ("scalars", SCALARS),
        ("scalars", SCALARS._replace(keep="x,g")),
        ("scalars", GROUPS),
    ],
)
@laws
@given(data=st.data())
def test_the_quick_way_reads_what_json_reads(kind, wanted, data):
    lines = data.draw(tables(kind))
    assert_alike(lines, wanted)


@laws
@given(
    st.integers(0, 40), st.integers(0, 3), st.sampled_from([b'"1/2"', b"NaN", b"null", b"1e-400", b"x", b"\xff", b"-0"])
)
@example(3, 1, b"x")
def test_a_bad_line_harms_no_other(at, side, bad):
    lines = [b'{"id": %d.0, "p": [0.1, 0.%d], "q": [1, 2]}' % (i, i) for i in range(41)]
    lines[at] = lines[at].replace((b"0.1", b"[1", b"2]", b'"p"')[side], (bad, b"[" + bad, bad + b"]", b'"r"')[side])
    rows = assert_alike(b"\n".join(lines), NESTED, size=700)
    if isinstance(rows, tuple):
        assert at == 0
        return
    assert [line for line, *_ in rows] == list(range(41))
    assert {row[0] for row in rows if row[3]} <= {at} or at == 0


def test_large_input_takes_the_quick_way_and_small_input_no_table_engine():
    data = b'{"p": [1, 2], "q": [3, 4], "id": 1.10}\n'
    assert isinstance(frames(data, NESTED, small=True)[1][0].columns[0], list)
    assert str(frames(data, NESTED, small=False)[1][0].columns[0].type) == "list<item: double>"
    assert not RecordStream(Memory(data * 10_000), ndjson=True).small


@pytest.mark.parametrize("small", [True, False])
@pytest.mark.parametrize(
    "value", ["1.10", "12345678901234567890123", "1E5", "-0", "[1.10, 1e5]", '{"a": [0.50]}', "null", '"é"']
)
def test_what_is_kept_keeps_its_digits(small, value):
    data = f'{{"x": {value}, "p": [1], "q": [2]}}\n'.encode() * 3
    layout, parts = frames(data, NESTED, small=small)
    assert listed(concatenated(parts).columns[layout.kept[0]]) == [value] * 3


def test_words_for_what_is_no_number_are_kept_in_quotes():
    data = b'{"x": NaN, "y": [-Infinity, "NaN\\""], "p": [1.0], "q": [2]}\n'
    for small in (True, False):
        layout, parts = frames(data, NESTED, small=small)
        assert [listed(parts[0].columns[i]) for i in layout.kept] == [['"NaN"'], ['["-Infinity", "NaN\\""]']]


def test_weights_can_be_kept():
    layout, parts = frames(b'{"p": [1.0], "q": [2]}\n', WantedColumns("p", "q", keep="p"), small=True)
    assert (parts[0].columns[0], parts[0].columns[~0]) == ([[1.0]], ["[1.0]"])
    assert layout.kept == (0,)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{}", "this record has no keys"),
        ("null", "this is no record"),
        ("[1, 2]", "this is no record"),
        ('{"p": [1]}', "no key 'q'; it has p"),
        ('{"p": [1], "q": [1], "z": 2}', "the key 'z' is not in the first record"),
        ('{"p": [1], "q": [1], "p": 2}', "the key 'p' stands twice; keep one"),
        ('{"p": [1e-400], "q": [1]}', "column 'p', item 1: '1e-400' is below 5e-324"),
        ('{"p": [1], "q": [-1e400]}', "column 'q', item 1: '-1e400' is beyond 1.8e308"),
        ('{"p": [1], "q": [1]', "malformed JSON at column"),
    ],
)
def test_a_bad_line_is_named(line, says):
    rows = assert_alike(b'{"p": [1], "q": [2]}\n' + line.encode() + b"\n", NESTED)
    assert rows[0][3] is None
    assert rows[1][3][0] == 1
    assert says in rows[1][3][1]


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_the_first_part_of_a_file_begins_after_the_mark(write, mark):
    line = b'{"p": [1, 2], "q": [3, 4]}\n'
    with closing(Source("w.ndjson", write("w.ndjson", mark + line * 3))) as source:
        stream = RecordStream(source, ndjson=True)
        layout = lay_out(NESTED, stream.names, stream.source, stream.text)
        stream.narrow(stream.begin, len(mark + line * 2), 0)
        assert [(part.size, part.wrong) for part in (read() for read in stream.frames(layout))] == [(2, {})]


@pytest.mark.parametrize("nested", ["[" * 30_000 + "]" * 30_000, '{"a":' * 30_000 + "1" + "}" * 30_000])
def test_a_value_that_nobody_wants_may_be_nested_too_deeply(nested):
    """Arrow ends the process where it takes such a value."""
    data = b'{"x": 1, "p": [1], "q": [2]}\n' * 2 + f'{{"x": {nested}, "p": [1], "q": [2]}}\n'.encode()
    rows = assert_alike(data, NESTED._replace(keep=""))
    assert [row[3] is None for row in rows] == [True, True, False]
    assert "nested too deeply" in rows[2][3][1]


@pytest.mark.parametrize("line", ["{}", "null", '{"p": [1]', '{"p": 1, "p": 2}', ""])
def test_a_bad_first_record_is_an_error(line):
    kind, message = assert_alike(line.encode() + b"\n{}", NESTED)
    assert kind is InputError
    assert message.startswith(("w.ndjson:1: ", "w.ndjson:2: "))


def test_a_list_of_records_is_a_table():
    data = b'[{"x": 1.10, "p": [1, 2],\n "q": [\n2, 3]}, {"x": [1.50,\n 2], "p": [1, 2], "q": [1, 1]}]'
    stream = RecordStream(Memory(data, "w.json"), ndjson=False)
    layout = lay_out(NESTED, stream.names, stream.source, stream.text)
    (frame,) = (read() for read in stream.frames(layout))
    assert frame.columns == {0: ["1.10", "[1.50,2]"], 1: [[1, 2], [1, 2]], 2: [[2, 3], [1, 1]]}
    assert stream.place(1) == "w.json, item 2"


def test_a_whole_table_has_a_column_for_each_key():
    table = table_of([{"a": 1}, {"b": "x", "a": 2.5}], "x", lambda i: f"x, item {i + 1}")
    assert (table.names, table.columns) == (("a", "b"), {0: [1, 2.5], 1: [None, "x"]})
    assert table.where(1) == "x, item 2"
    with pytest.raises(InputError, match="x, item 2: this is no record"):
        table_of([{"a": 1}, [1]], "x", lambda i: f"x, item {i + 1}")
