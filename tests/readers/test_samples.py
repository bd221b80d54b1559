"""The data of a fit, from the command line's arguments."""

import io
import sys
from unittest import mock

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from klcli.errors import DistributionError, InputError
from klcli.readers.arrays import Arrays
from klcli.readers.samples import read_sample

TABLE = "height,weight,name\n1.5,60,a\n1.75,70,b\n1.25,50,c\n"


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def read(text, weights=None):
    return read_sample(text, "DATA", Arrays(), weights)


@pytest.fixture
def files(write):
    write("t.csv", TABLE)
    write("lines.txt", "1.5\n1.75\n1.25\n")
    write("one.csv", "height\n1.5\n1.75\n1.25\n")
    write("hist.csv", "value,count\n0,10\n1,30\n2,0\n")
    np.save("x.npy", np.array([[1.5], [1.75], [1.25]]))
    parquet.write_table(pa.table({"height": [1.5, 1.75, 1.25], "more": [1, 2, 3]}), "x.parquet")


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("1.5,1.75,1.25", "DATA[1]"),
        ("lines.txt", "lines.txt:2"),
        ("one.csv", "one.csv:3, column 'height'"),
        ("t.csv:height", "t.csv:3, column 'height'"),
        ("x.npy", "x.npy[1, 0]"),
        ("x.parquet:height", "x.parquet, row 2, column 'height'"),
        ("[1.5,1.75,1.25]", "DATA[1]"),
    ],
)
def test_one_column_of_numbers_whatever_it_stands_in(text, place):
    sample = read(text)
    assert sample.values.tolist() == [1.5, 1.75, 1.25]
    assert sample.weights is None
    assert sample.source == text
    assert sample.where(1) == place
    assert not sample.values.flags.writeable


def test_standard_input():
    with mock.patch.object(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"1\n2\n3\n"), encoding="utf-8")):
        assert read("-").values.tolist() == [1, 2, 3]


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize("text", ["hist.csv", "hist.csv:value"])
def test_a_frequency_table(text):
    sample = read(text, "hist.csv:count")
    assert sample.values.tolist() == [0, 1, 2]
    assert sample.weights.tolist() == [10, 30, 0]


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize(
    ("text", "weights", "kind", "message"),
    [
        (
            "t.csv",
            None,
            InputError,
            "t.csv: 2 columns of numbers (height, weight); choose one, as in t.csv:height, and MORE",
        ),
        ("[[1,2],[3,4]]", None, InputError, "DATA: 2 x 2 numbers; DATA is one column, one number a line"),
        ("t.csv:name", None, InputError, "t.csv:2: 'a' in column 'name' is not a number"),
        ("[]", None, InputError, "DATA [] is empty; a fit needs at least two different ones"),
        ("1,nan,2", None, DistributionError, "DATA[1]: nan is not finite; leave it out, or mend it"),
        ("1,2,-inf", None, DistributionError, "DATA[2]: -inf is not finite; leave it out, or mend it"),
        ("3", None, DistributionError, "DATA is one value, 3; a fit needs at least two different ones"),
        ("3,3,3", None, DistributionError, "DATA: all 3 values are 3; a fit needs at least two different ones"),
        ("3,4,3", "1,0,1", DistributionError, "DATA: all 2 values are 3; a fit needs at least two different ones"),
        (
            "1,2,3",
            "1,2",
            DistributionError,
            "--weights 1,2 has 2 numbers, DATA 1,2,3 3; it needs a weight a value",
        ),
        ("1,2", "1,-2", DistributionError, "--weights[1]: -2 is negative, and no weight"),
        ("1,2", "nan,2", DistributionError, "--weights[0]: nan is not finite, and no weight"),
        ("1,2", "0,0", DistributionError, "--weights 0,0: all are 0; a weight says how often a value occurs"),
    ],
)
def test_refused(text, weights, kind, message):
    with pytest.raises(kind) as raised:
        read(text, weights)
    assert str(raised.value) == message.replace("MORE", "of frequencies the other by --weights")


def test_an_empty_column(write):
    write("e.csv", "x\n")
    with pytest.raises(InputError, match=r"e\.csv: a header and no rows"):
        read("e.csv:x")
