"""The grammar of one number, and that it is rounded once."""

import math
from fractions import Fraction

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from klcli.errors import InputError
from klcli.readers.numbers import POINT, NotANumberError, is_number, items, mend, number, numbers

digits = st.text("0123456789", min_size=1, max_size=25)
sign = st.sampled_from(["", "+", "-"])
exponent = st.one_of(st.just(""), st.builds("{}{}{}".format, st.sampled_from("eE"), sign, st.integers(0, 40)))
decimals = st.one_of(
    st.builds("{}{}{}".format, sign, digits, exponent),
    st.builds("{}{}.{}{}".format, sign, digits, digits, exponent),
    st.builds("{}{}.{}".format, sign, digits, exponent),
    st.builds("{}.{}{}".format, sign, digits, exponent),
)


def once(value):
    """The double nearest to a fraction."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def same(x, y):
    return x == y and math.copysign(1, x) == math.copysign(1, y)


@given(st.floats(allow_nan=False))
def test_every_double_is_read_back(x):
    assert same(number(repr(x)), x)
    assert same(number(f"  {x!r}\t"), x)


@given(st.floats(allow_nan=False), st.integers(0, 30))
def test_formatted_doubles_are_the_nearest(x, places):
    text = f"{x:.{places}e}"
    assume(math.isfinite(x) == math.isfinite(float(text)))
    assert same(number(text), float(text))


@given(decimals)
@example("5.")
@example(".5")
@example("+.5E+03")
@example("2.2250738585072011e-308")
@example("1e999")
def test_decimals_are_the_nearest_double(text):
    if float(text) == 0 and any(digit in text.lower().partition("e")[0] for digit in "123456789"):
        with pytest.raises(NotANumberError, match="below 5e-324, the least double"):
            number(text)
    elif math.isinf(float(text)):
        with pytest.raises(NotANumberError, match=r"beyond 1\.8e308, the largest double"):
            number(text)
    else:
        assert same(number(text), float(text))


@pytest.mark.parametrize("text", ["1e400", "-1E999", "2e310%", "1" + "0" * 400, "1e9999999%", f"1e{'9' * 5000}%"])
def test_what_a_double_would_hold_as_infinite_is_said(text):
    with pytest.raises(NotANumberError, match=r"beyond 1\.8e308, the largest double"):
        number(text)


@pytest.mark.parametrize("text", ["1e-400", "-1e-999", "5e-330%", "1e-323%", "0.001e-330", "1/1" + "0" * 400])
def test_what_a_double_would_round_to_nothing_is_said(text):
    with pytest.raises(NotANumberError, match="below 5e-324, the least double"):
        number(text)


@pytest.mark.parametrize("text", ["0", "0.000", "0e-400", "-0.0", "0%", "5e-324"])
def test_a_zero_is_a_zero(text):
    assert number(text) in {0.0, 5e-324}


@given(decimals)
@example("0.1")
@example("29")
@example("57.9")
@example("3e-1")
@example("1e-320")
@example("1.7976931348623157e310")
@example("10e33")
def test_percentages_are_rounded_once(text):
    # Fraction knows the sign of everything but of -0.
    assert number(f"{text}%") == once(Fraction(text) / 100)


@given(st.integers(-(10**30), 10**30), st.integers(1, 10**30))
@example(1, 3)
@example(10**400, 3 * 10**399)
@example(10**400, 1)
@example(-(10**400), 1)
@example(1, 10**400)
@example(1, 10**330 + 1)
def test_fractions_are_rounded_once(numerator, denominator):
    rounded = once(Fraction(numerator, denominator))
    if math.isinf(rounded) or (rounded == 0) != (numerator == 0):
        with pytest.raises(NotANumberError, match=r"least double|largest double"):
            number(f"{numerator}/{denominator}")
    else:
        assert number(f"{numerator}/{denominator}") == rounded


@pytest.mark.parametrize("text", ["inf", "Infinity", "+inf", "INF"])
def test_infinity_is_a_number(text):
    assert number(text) == math.inf
    assert number("-" + text.lstrip("+")) == -math.inf


@pytest.mark.parametrize("text", ["nan", "NaN", "-nan", "+NAN"])
def test_nan_is_a_number(text):
    assert math.isnan(number(text))


NO_NUMBERS = [
    *("1_000", "0x10", "0b1", "1e", "e5", ".", "-", "+", "%", "--1", "1.2.3", "1e5.5", "1e+-5", "1,5"),
    *("1 000", "1%%", "%1", "1/2/3", "1/-2", "1/2.0", "0.5/2", "/2", "1/", "1 / 2", "1/2%", "1e3/2"),
    *("\u0663", "\uff11", "\u0967\u0968", "1\u0663", "\u00b2", "\u00bd", "\u22125", "1e\u0663", "5\u066a", "1\u20442"),
    *("infinit", "infi", "nanny", "in f", "inf%", "nan%", "1inf", "True", "None", "NA", "one", "1f", "1d", "1j", "$1"),
]


@pytest.mark.parametrize("text", NO_NUMBERS)
def test_anything_else_is_no_number(text):
    with pytest.raises(NotANumberError, match="is not a number"):
        number(text)
    assert not is_number(text)


@pytest.mark.parametrize("text", ["", " ", "\t\n"])
def test_nothing_is_said_to_be_nothing(text):
    with pytest.raises(NotANumberError, match="is not a number"):
        number(text)


@pytest.mark.parametrize("text", ["1/0", "0/0", "-3/000"])
def test_division_by_zero_is_said_so(text):
    with pytest.raises(NotANumberError, match="divides by zero"):
        number(text)


def test_a_fraction_of_endless_digits_is_an_error():
    with pytest.raises(NotANumberError, match="too long for a number"):
        number("1" * 5000 + "/3")


@given(st.text(max_size=12))
def test_no_text_raises_anything_else(text):
    try:
        found = number(text)
    except NotANumberError as error:
        found = str(error)
    assert isinstance(found, float) or len(found.splitlines()) == 1


def read_all(cells):
    """The values, or the error's text."""
    try:
        return numbers(cells, lambda i: f"cell {i}")
    except InputError as error:
        return str(error)


def read_each(cells):
    values = []
    for i, cell in enumerate(cells):
        try:
            values.append(number(cell))
        except NotANumberError as error:
            return f"cell {i}: {error}{mend(cell, POINT)}"
    return values


@given(st.lists(st.one_of(decimals, st.text("0123456789.eE+-", max_size=6), decimals.map("{}%".format)), max_size=6))
@example(["1", ""])
@example(["", "5"])
@example(["1", "2", "e5"])
@example(["1_0"])
def test_many_numbers_are_read_as_each_alone(cells):
    assert read_all(cells) == read_each(cells)


@given(
    st.lists(st.floats(allow_nan=False), min_size=1, max_size=9), st.sampled_from([",", ";", " ", " , ", "\t", "\n"])
)
def test_lists_are_split_at_commas_semicolons_and_white_space(values, separator):
    text = separator.join(map(repr, values))
    assert numbers(items(f" {text}\n"), str) == values
