"""Tensors of any shape, from the command line's arguments."""

import datetime as dt
import gzip
import io
import itertools
import json
import pickle
import sys
import zipfile
from decimal import Decimal
from unittest import mock

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from pyarrow import feather, parquet

from klcli.errors import InputError, KlcliError, UsageError
from klcli.readers.arrays import FORMATS, Arrays
from klcli.readers.sources import Dialect

PRED = "id,p0,p1,label\na,0.25,0.75,1\nb,0.5,0.5,0\n"
P = [[0.25, 0.75], [0.5, 0.5]]


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def read(text, role="INPUT", **how):
    return Arrays(**how).read(text, role)


def refused(text, kind=InputError, **how):
    with pytest.raises(KlcliError) as raised:
        read(text, **how)
    assert type(raised.value) is kind
    assert str(raised.value).isprintable()
    return str(raised.value)


def stdin(data):
    data = data if isinstance(data, bytes) else data.encode()
    return mock.patch.object(sys, "stdin", io.TextIOWrapper(io.BytesIO(data), encoding="utf-8"))


def npy(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def npz(save=np.savez, **arrays):
    file = io.BytesIO()
    save(file, **arrays)
    return file.getvalue()


def column(write, rows, kind, name="x.parquet"):
    table = pa.table({"p": pa.array(rows, type=kind)})
    (parquet.write_table if name.endswith("parquet") else feather.write_feather)(table, write(name, b""))
    return name


# --------------------------------------------------------------------------------------------------------------- inline


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("[[0.7,0.2,0.1],[0.1,0.2,0.7]]", [[0.7, 0.2, 0.1], [0.1, 0.2, 0.7]]),
        ("[1,2]", [1, 2]),
        (' [1, "2.5", "1/4", "50%"] ', [1, 2.5, 0.25, 0.5]),
        ('["-Infinity", "inf", -Infinity]', [-np.inf, np.inf, -np.inf]),
        ("[NaN, 1]", [np.nan, 1]),
        ("[[[1],[2]],[[3],[4]]]", [[[1], [2]], [[3], [4]]]),
        ("0.7,0.2,0.1", [0.7, 0.2, 0.1]),
        ("1 2;3", [1, 2, 3]),
        ("9/25,40%", [0.36, 0.4]),
        ("-1,2", [-1, 2]),
        ("-inf,nan", [-np.inf, np.nan]),
        ("1,2\n3,4\n", [[1, 2], [3, 4]]),
        ("2", 2),
        ("-0.7", -0.7),
        ("[2]", [2]),
        ("[[2]]", [[2]]),
        ("[]", []),
        ("[[],[]]", [[], []]),
        ("[[[]],[[]]]", [[[]], [[]]]),
        ("[" * 64 + "7" + "]" * 64, np.full((1,) * 64, 7)),
    ],
)
def test_what_is_written_inline(text, values):
    tensor = read(text)
    assert tensor.values.dtype == np.float64
    np.testing.assert_array_equal(tensor.values, np.array(values, dtype=float), strict=True)
    assert (tensor.role, tensor.loads, tensor.remarks) == ("INPUT", "", ())


def test_a_decimal_comma():
    assert read("0,5;1,5", dialect=Dialect(decimal=",")).values.tolist() == [0.5, 1.5]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "INPUT is empty; write numbers like 0.7,0.2,0.1, JSON like [[0.7,0.3],[0.2,0.8]], or a file"),
        ("  ", "INPUT is empty; "),
        ("#=1", "INPUT is empty but for comments; "),
        ("\x1b[31m", "INPUT: '\\x1b[31m' is neither numbers nor a file that exists; "),
        ("0,5;0,25", "INPUT: '0,5;0,25' has two kinds of separators; for a decimal comma add --decimal ,"),
        ("0.4,x", "INPUT, item 2: 'x' is not a number"),
        ("0.4,,1", "INPUT, item 2: '' is not a number"),
        ("1/0", "INPUT: '1/0' divides by zero"),
        ("1,2\n3,4,5", "INPUT:2: 3 numbers, line 1 has 2; every line needs as many"),
        ("cat=0.7,dog=0.3", "INPUT: 'cat=0.7': these are labels, and an array has none; give a list"),
        ("[[1,2],[1,2,3]]", "INPUT[1] has 3 values, INPUT[0] has 2; every row needs as many"),
        ("[[1,2],[1]]", "INPUT[1] has 1 value, INPUT[0] has 2; every row needs as many"),
        ("[[[1],[2]],[[3],[4,5]]]", "INPUT[1, 1] has 2 values, INPUT[0, 0] has 1; every row needs as many"),
        ("[[1],2]", "INPUT[1] is a number, INPUT[0] is a list; give all or none in brackets"),
        ('["1",[2]]', "INPUT[1] is a list, INPUT[0] is a number; give all or none in brackets"),
        ("[[1],null]", "INPUT[1]: null is not a number"),
        ("[[1,true],[1,2]]", "INPUT[0, 1]: true is not a number"),
        ("[1,null]", "INPUT[1]: null is not a number"),
        ('[1,"x"]', "INPUT[1]: 'x' is not a number"),
        ('{"cat":0.7,"dog":0.3}', "INPUT: these are labels, and an array has none; give a list"),
        ('[{"p":1}]', "INPUT[0]: these are labels, and an array has none; give a list"),
        ('[[1],{"p":1}]', "INPUT[1]: these are labels, and an array has none; give a list"),
        ("[1,2", "INPUT:1: malformed JSON at column 5: expecting ',' delimiter"),
        ("[" * 65 + "]" * 65, "INPUT: lists more than 64 deep, which no array is"),
        ("[" * 100_000, "INPUT: the JSON is nested too deeply"),
        ("preds.npy", "INPUT: 'preds.npy' is neither numbers nor a file that exists. Did you mean 'pred.npy'?"),
        ("0.5.npz", "INPUT: '0.5.npz' is neither numbers nor a file that exists; write numbers like 0.7,0.2,0.1"),
        ("@preds.npy", "preds.npy: no such file. Did you mean 'pred.npy'?"),
        ("@", "'@' names no file"),
    ],
)
def test_what_is_refused_inline(write, text, message):
    write("pred.npy", npy(np.eye(2)))
    assert refused(text).startswith(message)


def test_a_place_is_written_as_numpy_indexes_it():
    where = read("[[1,2],[3,4]]", "--weight").where
    assert [where(()), where((1,)), where((1, 0))] == ["--weight", "--weight[1]", "--weight[1, 0]"]


def test_what_was_typed_is_the_source_cut_where_it_is_long():
    assert read(" 1,2 ").source == "1,2"
    assert read("[1" + ",1" * 40 + "]").source == "[" + "1," * 29 + "…"


# ---------------------------------------------------------------------------------------------------------------- files


@pytest.mark.parametrize(
    ("name", "content", "selector", "values", "places"),
    [
        ("x.json", "[[1,2],[3,4]]", "", [[1, 2], [3, 4]], ["x.json", "x.json[1]", "x.json[1, 1]"]),
        ("x.json", "5", "", 5, ["x.json"]),
        ("x.json", '{"a":{"b":[1,2]}}', "#/a/b", [1, 2], ["x.json#/a/b", "x.json#/a/b[1]"]),
        ("x.json", '{"a/b":[1,2]}', ":a/b", [1, 2], ["x.json#/a~1b", "x.json#/a~1b[1]"]),
        (
            "x.json",
            '[{"p":1,"n":"a"},{"p":2,"n":"b"}]',
            ":p",
            [1, 2],
            ["x.json:p", "x.json, item 2, column 'p'"],
        ),
        ("x.json", '{"r":[{"p":1},{"p":2}]}', "#/r", [1, 2], ["x.json#/r", "x.json#/r, item 2, column 'p'"]),
        ("x.ndjson", "[1,2]\n\n[3,4]\n", "", [[1, 2], [3, 4]], ["x.ndjson", "x.ndjson:3", "x.ndjson:3[1]"]),
        ("x.jsonl", "1\n2\n", "", [1, 2], ["x.jsonl", "x.jsonl:2"]),
        (
            "x.ndjson",
            '{"v":[[1],[2]]}\n{"v":[[3],[4]]}\n',
            "",
            [[[1], [2]], [[3], [4]]],
            ["x.ndjson", "x.ndjson:2, column 'v'", "x.ndjson:2, column 'v'[1]", "x.ndjson:2, column 'v'[1, 0]"],
        ),
        ("x.csv", PRED, ":p*", P, ["x.csv:p*", "x.csv:3", "x.csv:3, column 'p1'"]),
        ("x.csv", PRED, ":p1,p0", [[0.75, 0.25], [0.5, 0.5]], ["x.csv:p1,p0", "x.csv:3", "x.csv:3, column 'p0'"]),
        ("x.csv", PRED, ":label", [1, 0], ["x.csv:label", "x.csv:3, column 'label'"]),
        ("x.csv", "label\n1\n0\n", "", [1, 0], ["x.csv", "x.csv:3, column 'label'"]),
        ("x.tsv", "a\tb\n1\t2\n", "", [[1, 2]], ["x.tsv", "x.tsv:2", "x.tsv:2, column 'b'"]),
        ("x.txt", "[[1,2]]", "", [[1, 2]], ["x.txt", "x.txt[0]", "x.txt[0, 1]"]),
        ("x.txt", '{"a":[1,2]}', "#/a", [1, 2], ["x.txt#/a", "x.txt#/a[1]"]),
        ("x.txt", "1,2\n\n3 4\r\n", "", [[1, 2], [3, 4]], ["x.txt", "x.txt:3", "x.txt:3, item 2"]),
        ("x.txt", "1\n2\n", "", [1, 2], ["x.txt", "x.txt:2"]),
        ("x.txt", "1,2\n", "", [1, 2], ["x.txt", "x.txt, item 2"]),
        ("x.txt", "50%\n", "", 0.5, ["x.txt"]),
        ("x.txt", "a,b\n1,2\n", "", [[1, 2]], ["x.txt", "x.txt:2", "x.txt:2, column 'b'"]),
        ("x.txt", "a,b\n1,2\n", ":b", [2], ["x.txt:b", "x.txt:2, column 'b'"]),
        ("2", "5,6", "", [5, 6], ["2", "2, item 2"]),
        ("lr=0.1.csv", "p\n1\n", "", [1], ["lr=0.1.csv", "lr=0.1.csv:2, column 'p'"]),
        ("a:b.csv", PRED, ":p0", [0.25, 0.5], ["a:b.csv:p0", "a:b.csv:3, column 'p0'"]),
    ],
)
def test_text_files(write, name, content, selector, values, places):
    write(name, content)
    tensor = read(f"{'@' if name == '2' else ''}{name}{selector}")
    assert tensor.values.dtype == np.float64
    np.testing.assert_array_equal(tensor.values, np.array(values, dtype=float), strict=True)
    last = tuple(n - 1 for n in tensor.shape)
    assert [tensor.where(last[:i]) for i in range(len(last) + 1)] == places
    assert tensor.loads == ""


@pytest.mark.parametrize(
    ("name", "content", "values", "remarks"),
    [
        (
            "x.csv",
            PRED,
            P,
            ["x.csv: column 'label' is left out; x.csv:label reads it", "x.csv: column 'id' is text and left out"],
        ),
        ("x.csv", "p,label,n,m\n1,a,u,v\n", [1], ["x.csv: columns label, n, m are text and left out"]),
        ("x.csv", "id,p\n7,1\nx,2\n", [1, 2], ["x.csv: column 'id' is text and left out"]),
        (
            "x.csv",
            "2001,2002\n0.2,0.8\n",
            [[0.2, 0.8]],
            ["x.csv: line 1 is taken as names: 2001, 2002; --no-header takes it as a row"],
        ),
        (
            "x.ndjson",
            '{"p":1,"v":[1],"b":true}\n{"p":2,"v":[2],"b":false}\n',
            [1, 2],
            ["x.ndjson: column 'v' is of lists and left out", "x.ndjson: column 'b' is not numeric and left out"],
        ),
    ],
)
def test_columns_that_are_left_out_are_named(write, name, content, values, remarks):
    write(name, content)
    tensor = read(name)
    assert (tensor.values.tolist(), list(tensor.remarks)) == (values, remarks)
    assert read(f"{name}:/p|2001/").remarks == tuple(remarks if "line 1" in remarks[0] else ())


@pytest.mark.parametrize(
    ("name", "content", "selector", "message"),
    [
        (
            "x.json",
            '{"a":[1]}',
            "",
            "x.json: these are labels, and an array has none; give a list, or choose one: x.json#/a",
        ),
        ("x.json", '{"a":1}', "", "x.json: these are labels, and an array has none; give a list"),
        ("x.json", '{"a":[1]}', "#/b", "x.json: no key 'b'; it has a"),
        ("x.json", '{"a":[1,null]}', "#/a", "x.json#/a[1]: null is not a number"),
        ("x.json", "[[1],[2,3]]", "", "x.json[1] has 2 values, x.json[0] has 1; every row needs as many"),
        ("x.json", "[1,2]", ":p", "x.json: no column 'p'; it is one array, and its columns have no names"),
        ("x.json", '[{"p":1},{"p":"x"}]', ":p", "x.json, item 2, 'p': 'x' is not a number"),
        ("x.json", '"x"', "", "x.json: 'x' is not a number"),
        ("x.json", "[1,", "", "x.json:1: malformed JSON at column 4: expecting value"),
        ("x.json", "[1]\n[2]", "", "x.json:2: malformed JSON at column 1: extra data; for a JSON value a line add"),
        ("x.ndjson", "[1,2]\n[3]\n", "", "x.ndjson:2 has 1 value, x.ndjson:1 has 2; every row needs as many"),
        ("x.ndjson", '[1]\n{"a":1}\n', "", "x.ndjson:2: these are labels, and an array has none; give a list"),
        ("x.ndjson", '{"a":1}\n[1]\n', "", "x.ndjson:2: this is no record"),
        (
            "x.ndjson",
            '{"v":{"a":1}}\n',
            "",
            "x.ndjson:1, column 'v': these are labels, and an array has none; give a list",
        ),
        ("x.ndjson", '{"v":[1]}\n{"v":[1,2]}\n', ":v", "x.ndjson:2, column 'v' has 2 values, x.ndjson:1, column 'v'"),
        ("x.ndjson", '{"v":[1],"p":1}\n', ":v,p", "x.ndjson: lists stand in one column, and here are v, p"),
        ("x.ndjson", '{"v":null}\n', "", "x.ndjson:1, 'v': nothing stands where a number should; --blank zero "),
        ("x.csv", PRED, ":p", "x.csv: no column 'p'; it has id, p0, p1, label. Did you mean 'p0'?"),
        ("x.csv", PRED, ":id", "x.csv:2: 'a' in column 'id' is not a number"),
        ("x.csv", PRED, "#/p", "x.csv: '#/p' points into JSON, and this is not JSON"),
        ("x.csv", "a,b\nx,y\n", "", "x.csv:2: 'x' in column 'a' is not a number"),
        ("x.csv", "y\n1\nx\n", "", "x.csv:3: 'x' in column 'y' is not a number"),
        (
            "x.csv",
            "id,p,name\n1,2,a\nz,3,b\n",
            "",
            "x.csv:3: 'z' in column 'id' is not a number; if these are no numbers choose the other columns, as in",
        ),
        ("x.txt", "1,2\n\n3\n", "", "x.txt:3: 1 number, line 1 has 2; every line needs as many"),
        ("x.txt", "1,2\n3,x\n", "", "x.txt:2, item 2: 'x' is not a number"),
        ("x.txt", "1,2\n", ":p", "x.txt: no column 'p'; it is one array"),
        ("x.txt", "1,2\n", "#/p", "x.txt: '#/p' points into JSON, and this is not JSON"),
        ("x.txt", "a=1,b=2\n", "", "x.txt: 'a=1': these are labels, and an array has none; give a list"),
        ("x.txt", " \n", "", "x.txt is empty"),
        ("x.pt", "x", "", "x.pt: a pickle can run any code and is not read; save it with numpy.save as .npy"),
        ("x.foo", "1", "", f"x.foo: '.foo' is no suffix known here; add --input-format ({', '.join(FORMATS)})"),
    ],
)
def test_what_is_refused_in_a_file(write, name, content, selector, message):
    write(name, content)
    assert refused(f"{name}{selector}").startswith(message)


# ----------------------------------------------------------------------------------------------------- columns of lists


@pytest.mark.parametrize("name", ["x.parquet", "x.feather"])
@pytest.mark.parametrize(
    ("kind", "rows", "dtype"),
    [
        (pa.list_(pa.float32()), [[1, 2], [3, 4], [5, 6]], "float32"),
        (pa.large_list(pa.int8()), [[1, 2], [3, 4]], "int8"),
        (pa.list_(pa.float64(), 2), [[1, 2], [3, 4]], "float64"),
        (pa.list_(pa.list_(pa.float64())), [[[1], [2]], [[3], [4]]], "float64"),
        (pa.list_(pa.float64()), [[], []], "float64"),
        (pa.list_(pa.string()), [["1/2", "2"]], "float64"),
        (pa.list_(pa.decimal128(3, 1)), [[Decimal("0.5"), Decimal("1.5")]], "float64"),
    ],
)
def test_a_column_of_lists(write, name, kind, rows, dtype):
    tensor = read(column(write, rows, kind, name))
    assert tensor.values.dtype == dtype
    expected = [[0.5, 2]] if kind == pa.list_(pa.string()) else np.array(rows, dtype=float).tolist()
    assert tensor.values.tolist() == expected
    assert tensor.where((0, 1)) == f"{name}, row 1, column 'p'[1]"


def test_a_column_of_lists_that_begins_within_a_chunk(write):
    whole = pa.table({"p": pa.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])})
    feather.write_feather(pa.concat_tables([whole.slice(1, 1), whole.slice(2)]), write("x.feather", b""), chunksize=1)
    assert read("x.feather").values.tolist() == [[3, 4], [5, 6]]


@pytest.mark.parametrize(
    ("kind", "rows", "message"),
    [
        (pa.list_(pa.float64()), [[1, 2], [3]], "x.parquet, row 2, column 'p' has 1 value, x.parquet, row 1, column"),
        (pa.list_(pa.float64()), [[1], None], "x.parquet, row 2, column 'p': null is not a number"),
        (pa.list_(pa.float64()), [[1], [None]], "x.parquet, row 2, column 'p'[0]: null is not a number"),
        (pa.list_(pa.bool_()), [[True]], "x.parquet, row 1, column 'p'[0]: true is not a number"),
        (pa.list_(pa.date32()), [[dt.date(2020, 1, 1)]], "x.parquet, row 1, column 'p'[0]: '2020-01-01' is not"),
        (
            pa.struct({"a": pa.int8()}),
            [{"a": 1}],
            "x.parquet, row 1, column 'p': these are labels, and an array has none",
        ),
        (pa.float64(), [1, None], "x.parquet, row 2: nothing stands where a number should in column 'p'"),
        (pa.null(), [None], "x.parquet: no column of numbers; it has p"),
        (pa.bool_(), [True], "x.parquet: column 'p' holds bool, not numbers"),
    ],
)
def test_a_column_that_is_refused(write, kind, rows, message):
    assert refused(column(write, rows, kind)).startswith(message)


# ---------------------------------------------------------------------------------------------------------- npy and npz

ARRAYS = [
    np.arange(6.0).reshape(2, 3),
    np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    np.arange(6, dtype=">i4").reshape(2, 3),
    np.arange(3, dtype="u1"),
    np.array([0.5, np.nan, np.inf], dtype=np.float16),
    np.array(2.5),
    np.zeros((0, 3)),
    np.zeros(0, dtype=int),
    np.float32([[[1], [2]]]),
]


@pytest.mark.parametrize("array", ARRAYS)
def test_an_npy_file_keeps_its_type(write, array):
    data = npy(array)
    write("x.npy", data)
    write("x.npy.gz", gzip.compress(data))
    write("x.npy.zst", pa.compress(data, codec="zstd", asbytes=True))
    with stdin(data):
        tensors = [read(text) for text in ("x.npy", "x.npy.gz", "x.npy.zst")] + [read("-", input_format="npy")]
    for tensor in tensors:
        np.testing.assert_array_equal(tensor.values, array, strict=True)
        assert tensor.values.dtype == array.dtype
        assert not tensor.values.flags.writeable
    assert [tensor.loads for tensor in tensors] == ['numpy.load("x.npy")', "", "", ""]
    assert [tensor.where(()) for tensor in tensors] == ["x.npy", "x.npy.gz", "x.npy.zst", "<stdin>"]


def test_truth_values_are_0_and_1(write):
    write("x.npy", npy(np.array([[True, False]])))
    values = read("x.npy").values
    assert (values.tolist(), values.dtype) == ([[1, 0]], np.uint8)


def test_an_npy_file_is_read_once(write):
    write("x.npy", npy(np.zeros(1 << 20)))
    arrays = Arrays()
    values = arrays.read("x.npy", "INPUT").values
    assert np.shares_memory(values, arrays.read("x.npy", "TARGET").values)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_an_npz_file(write, save):
    write("two.npz", npz(save, a=np.eye(2), b=np.arange(3)))
    write("one.npz", npz(save, logits=np.eye(2, dtype=np.float32)))
    arrays = Arrays()
    a, b, one = (arrays.read(text, "INPUT") for text in ("two.npz:a", "two.npz:b", "one.npz"))
    assert [(t.values.tolist(), str(t.values.dtype)) for t in (a, b, one)] == [
        ([[1, 0], [0, 1]], "float64"),
        ([0, 1, 2], "int64"),
        ([[1, 0], [0, 1]], "float32"),
    ]
    assert [t.where((1,)) for t in (a, b, one)] == ["two.npz:a[1]", "two.npz:b[1]", "one.npz:logits[1]"]
    assert [t.loads for t in (a, one)] == ['numpy.load("two.npz")["a"]', 'numpy.load("one.npz")["logits"]']


def test_an_npz_on_standard_input():
    with stdin(npz(a=np.eye(2), b=np.arange(2))):
        arrays = Arrays("npz")
        a, b = arrays.read("-:a", "INPUT"), arrays.read("-:b", "TARGET")
    assert (a.shape, b.shape, a.where((0,)), a.loads) == ((2, 2), (2,), "<stdin>:a[0]", "")


@pytest.mark.parametrize("name", ['a"b.npy', "a'b\\.npy", "ü 🙂.npy", "a\nb.npy"])
def test_python_reads_it_as_it_is_told(write, name):
    write(name, npy(np.eye(2)))
    tensor = read(f"@{name}")
    assert tensor.loads.isprintable()
    assert eval(tensor.loads, {"numpy": np}).tolist() == [[1, 0], [0, 1]]  # noqa: S307 - what is shown must run


def header(text, version=b"\1\0", data=bytes(64)):
    return b"\x93NUMPY" + version + len(text).to_bytes(2 if version == b"\1\0" else 4, "little") + text.encode() + data


SHAPED = "{'descr': '<f8', 'fortran_order': False, 'shape': %s, }"


def test_headers_of_every_version():
    for version in (b"\1\0", b"\2\0", b"\3\0"):
        with stdin(header(SHAPED % "(2L, 4)", version)):  # as Python 2 wrote it, without a warning
            assert read("-", input_format="npy").shape == (2, 4)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (npy(np.array([1j])), "x.npy: holds complex128; integers or floats are needed, as by array.astype(float)"),
        (npy(np.array(["a"])), "x.npy: holds <U1; integers or floats"),
        (npy(np.array([b"a"])), "x.npy: holds |S1; integers or floats"),
        (npy(np.array(["2020-01-01"], dtype="M8[D]")), "x.npy: holds datetime64[D]; integers or floats"),
        (npy(np.zeros(2, dtype=[("a", "f8")])), "x.npy: holds [('a', '<f8')]; integers or floats"),
        (npy(np.array([{}], dtype=object)), "x.npy: holds object, which would have to be unpickled, and a pickle can"),
        (npy(np.eye(2))[:-5], "x.npy: not a readable .npy file (cut off after 27 of 32 bytes)"),
        (npy(np.eye(2))[:50], "x.npy: not a readable .npy file (EOF: reading array header"),
        (b"", "x.npy: not a readable .npy file (EOF: reading magic string"),
        (b"hello, world", "x.npy: not a readable .npy file (the magic string is not correct"),
        (pickle.dumps([1]), "x.npy: not a readable .npy file (the magic string is not correct"),
        (npz(a=np.eye(2)), "x.npy: not a readable .npy file (the magic string is not correct"),
        (header(SHAPED % "(10**18,)"), "x.npy: not a readable .npy file (malformed node"),
        (header(SHAPED % f"({10**18},)"), f"x.npy: not a readable .npy file (cut off after 64 of {8 * 10**18} bytes)"),
        (header(SHAPED % f"(0, {10**30})"), "x.npy: not a readable .npy file ("),
        (header(SHAPED % "(-1, -1)"), "x.npy: not a readable .npy file (negative dimensions"),
        (header(SHAPED % f"({'1,' * 70})"), "x.npy: not a readable .npy file (maximum supported dimension"),
        (header(SHAPED % "((1,"), "x.npy: not a readable .npy file ("),
        (header("(" * 9000), "x.npy: not a readable .npy file ("),
        (header(SHAPED % "(1,)" + " " * 20_000), "x.npy: not a readable .npy file (Header info length"),
    ],
)
def test_an_npy_file_that_is_refused(write, data, message):
    write("x.npy", data)
    assert refused("x.npy").startswith(message)


def test_a_compressed_file_that_is_cut_off(write):
    write("x.npy.gz", gzip.compress(npy(np.eye(3)), mtime=0)[:-9])
    assert refused("x.npy.gz").startswith("x.npy.gz: damaged gzip data")


def damaged(data):
    return data.replace(np.float64(1).tobytes(), np.float64(2).tobytes(), 1)


@pytest.mark.parametrize(
    ("data", "selector", "message"),
    [
        (npz(a=np.eye(2), b=np.eye(2)), "", "x.npz: 2 arrays (a, b); choose one, as in x.npz:a"),
        (npz(logits=np.eye(2)), ":logit", "x.npz: no array 'logit'; it has logits. Did you mean 'logits'?"),
        (npz(a=np.eye(2)), "#/a", "x.npz: '#/a' points into JSON"),
        (npz(), "", "x.npz: no arrays in it"),
        (npz(a=np.array([{}], dtype=object)), "", "x.npz:a: holds object, which would have to be unpickled"),
        (npz(a=np.eye(2))[:-30], "", "x.npz: not a readable .npz file (File is not a zip file)"),
        (npy(np.eye(2)), "", "x.npz: not a readable .npz file (File is not a zip file)"),
        (b"", "", "x.npz: not a readable .npz file (File is not a zip file)"),
        (damaged(npz(a=np.eye(2))), ":a", "x.npz:a: not a readable .npz file (Bad CRC-32"),
    ],
)
def test_an_npz_file_that_is_refused(write, data, selector, message):
    write("x.npz", data)
    assert refused(f"x.npz{selector}").startswith(message)


def test_what_else_a_zip_file_may_hold(write):
    with zipfile.ZipFile(write("x.npz", b""), "w") as archive:
        archive.writestr("note\n.txt", "hello")
    assert refused("x.npz").startswith(r"x.npz:'note\n.txt': not a readable .npy file (EOF: reading magic string")


@pytest.mark.parametrize(("selector", "says"), [(":a", "no column 'a'; it is one array"), ("#/a", "points into JSON")])
def test_an_npy_file_has_no_parts(write, selector, says):
    write("x.npy", npy(np.eye(2)))
    assert says in refused(f"x.npy{selector}")


@pytest.mark.parametrize("name", ["x.npy", "x.npz", "x.pkl", "x.npy.gz"])
def test_a_pickle_is_never_loaded(write, name, tmp_path):
    class Payload:
        def __reduce__(self):
            return open, (str(tmp_path / "run"), "w")

    data = npy(np.array([Payload()], dtype=object))
    assert b"run" in data
    inside = {".npz": npz(a=np.array([Payload()], dtype=object)), ".pkl": pickle.dumps(Payload()), ".npy": data}
    write(name, gzip.compress(data) if name.endswith(".gz") else inside[name[-4:]])
    assert "pickle" in refused(name)
    write("bare.npy", pickle.dumps(Payload()))
    refused("bare.npy")
    assert not (tmp_path / "run").exists()


# ----------------------------------------------------------------------------------------------- shared, stdin, formats


def test_standard_input_is_read_once_for_all():
    with stdin(PRED):
        arrays = Arrays()
        whole, label = arrays.read("-", "INPUT"), arrays.read("-:label", "TARGET")
    assert (whole.values.tolist(), label.values.tolist()) == (P, [1, 0])
    assert (whole.where(()), label.where((0,)), label.source) == ("<stdin>", "<stdin>:2, column 'label'", "-:label")


@pytest.mark.parametrize(
    ("text", "argument", "values"),
    [
        ("[[1,2],[3,4]]", "-", [[1, 2], [3, 4]]),
        ("1,2\n3,4\n", "@-", [[1, 2], [3, 4]]),
        ("p\n1\n2\n", "-", [1, 2]),
        ('{"a":[1]}', "-#/a", [1]),
        ('[{"p":1},{"p":2}]', "-", [1, 2]),
    ],
)
def test_standard_input_is_what_an_argument_is_or_csv(text, argument, values):
    with stdin(text):
        arrays = Arrays()
        both = [arrays.read(argument, role).values.tolist() for role in ("INPUT", "TARGET")]
    assert both == [values, values]


def test_nothing_on_standard_input():
    with stdin(""):
        assert refused("-") == "<stdin> is empty; did the command before it fail?"


def test_the_formats():
    with pytest.raises(UsageError, match=r"--input-format 'nyp': it is one of text, .*, npy, npz. Did you mean 'npy'?"):
        Arrays("nyp")


# ----------------------------------------------------------------------------------------------------------------- laws

shapes = hnp.array_shapes(min_dims=1, max_dims=4, max_side=4)
anything = hnp.arrays(np.float64, shapes, elements=st.floats(allow_subnormal=False))


@given(anything)
def test_an_array_comes_back_however_it_was_written(array):
    nested = array.tolist()
    with open("x.json", "w") as file:  # noqa: PTH123
        json.dump(nested, file)
    with open("x.ndjson", "w") as file:  # noqa: PTH123
        file.writelines(json.dumps({"v": row}) + "\n" for row in nested)
    np.save("x.npy", array)
    np.savez("x.npz", array)
    parquet.write_table(pa.table({"v": nested}), "x.parquet")
    texts = [json.dumps(nested), "x.json", "x.ndjson", "x.npy", "x.npz", "x.parquet:v"]
    if array.ndim <= 2:
        rows = array.reshape(len(array), -1).tolist()
        with open("x.csv", "w") as file:  # noqa: PTH123
            file.writelines(",".join(map(str, row)) + "\n" for row in [[f"c{i}" for i in range(len(rows[0]))], *rows])
        tensor = read("x.csv")
        assert tensor.values.tobytes() == np.array(rows).tobytes() or np.isnan(array).any()
        assert tensor.shape == (array.shape if array.ndim == 1 or array.shape[1] > 1 else array.shape[:1])
    for text in texts:
        tensor = read(text)
        np.testing.assert_array_equal(tensor.values, array, strict=True)
        assert len({tensor.where(index) for index in itertools.islice(np.ndindex(array.shape), 20)}) == min(
            array.size, 20
        )


@given(anything.filter(lambda array: array.shape[0] > 1), st.data())
def test_a_row_of_another_length_is_named(array, data):
    nested = array.tolist()
    row = data.draw(st.integers(1, len(nested) - 1))
    nested[row] = [*nested[row], 1.0] if array.ndim > 1 else [nested[row]]
    assert f"INPUT[{row}" in refused(json.dumps(nested))
