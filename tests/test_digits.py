"""Doubles as text: each reads back as itself, in no more digits than Python takes."""

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from klcli.renderers.digits import cells, lines

laws = settings(max_examples=80, deadline=None)

double = st.one_of(
    st.floats(allow_nan=False),
    st.sampled_from([0.0, -0.0, 5e-324, 1e16, 1e15, 123456789012345680.0, 1e22, 1e23, math.inf, 2.0**-1074, 1 / 3]),
    st.integers(-(10**17), 10**17).map(float),
)
doubles = st.tuples(st.integers(0, 40), st.integers(1, 9)).flatmap(
    lambda shape: arrays.arrays(np.float64, shape, elements=double, fill=st.nothing())
)
positive = doubles.map(np.abs)


def check(values, delimiter):
    written = lines(values, delimiter).to_pylist()
    assert len(written) == len(values)
    for text, row in zip(written, values.tolist(), strict=True):
        fields = text.decode("ascii").split(delimiter)
        assert list(map(exact, map(float, fields))) == list(map(exact, row))
        assert all(digits(field) <= digits(repr(value)) for field, value in zip(fields, row, strict=True))
        assert all(field == "inf" for field, value in zip(fields, row, strict=True) if value == math.inf)


def digits(text):
    """How many digits of a number in text mean something."""
    return len(text.lstrip("-").partition("e")[0].replace(".", "").strip("0"))


def exact(value):
    return value, math.copysign(1, value)


@laws
@given(doubles, st.sampled_from([",", "\t", ";"]))
@example(np.full((3, 2), -math.inf), ",")
@example(np.array([[math.inf], [-math.inf], [1.0]]), ",")
def test_every_double_reads_back(values, delimiter):
    check(values, delimiter)


@laws
@given(positive, st.data())
def test_infinities_stand_where_they_are(values, data):
    mask = data.draw(arrays.arrays(np.bool_, values.shape))
    check(np.where(mask, math.inf, values), ",")


@pytest.mark.parametrize("width", range(1, 10))
def test_many_rows(width):
    rng = np.random.default_rng(width)
    values = rng.standard_exponential((300, width)) * 10.0 ** rng.integers(-320, 300, (300, width))
    values[rng.random((300, width)) < 0.2] = math.inf
    values[rng.random((300, width)) < 0.2] = 0.0
    check(values, ",")


@pytest.mark.parametrize("width", [0, 1, 3])
def test_no_rows_are_no_lines(width):
    assert lines(np.empty((0, width))).to_pylist() == []
    assert lines(np.empty((2, 0))).to_pylist() == [b"", b""]


@laws
@given(arrays.arrays(np.float64, st.integers(0, 30), elements=double, fill=st.nothing()))
def test_cells_are_lines_of_one(values):
    assert cells(values).to_pylist() == lines(values.reshape(-1, 1)).to_pylist()


def test_what_is_given_is_not_changed():
    values = np.asfortranarray(np.array([[math.inf, 1.0], [2.0, -0.0]]))
    before = values.copy()
    assert lines(values, "\t").to_pylist() == [b"inf\t1.0", b"2.0\t-0.0"]
    assert (values == before).all()
