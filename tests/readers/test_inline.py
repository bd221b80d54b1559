"""Distributions written as text."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from klcli.errors import InputError
from klcli.readers.inline import is_inline, means_numbers, parse

values = st.lists(st.floats(0, 1e300), min_size=1, max_size=6)
labels = st.text(st.characters(codec="utf-8", exclude_characters=",;\n\r", exclude_categories=["C", "Z"]), min_size=1)


@given(values, st.sampled_from([",", " ", ";", "\n", ", "]))
def test_numbers_are_one_distribution_without_labels(weights, separator):
    series = parse(separator.join(map(repr, weights)), "P").member("")
    assert list(series.values) == weights
    assert series.outcomes is None
    assert series.where(0) == "P, item 1"


@given(st.dictionaries(labels, st.floats(0, 1e300), min_size=1, max_size=6), st.sampled_from([",", "\n", " , "]))
def test_pairs_are_one_distribution_with_labels(weights, separator):
    text = separator.join(f"{label}={weight!r}" for label, weight in weights.items())
    if text.lstrip()[:1] in {"[", "{"}:
        return  # that is JSON
    series = parse(text, "P").member("")
    assert list(series.values) == list(weights.values())
    assert list(series.outcomes) == list(weights)


@given(values)
def test_a_json_array_is_one_distribution(weights):
    assert list(parse(json.dumps(weights), "P").member("").values) == weights


def test_the_last_equals_sign_separates_the_label():
    series = parse("a=b=0.5, c = 1/4", "P").member("")
    assert (list(series.outcomes), list(series.values)) == (["a=b", "c"], [0.5, 0.25])


@pytest.mark.parametrize("text", ["cat=0.7;dog=0.3", "cat=0.7 dog=0.3"])
def test_pairs_are_separated_by_commas_and_nothing_else(text):
    with pytest.raises(InputError, match="more than one LABEL=NUMBER pair"):
        parse(text, "P")


def test_a_table_is_not_flattened_into_one_distribution():
    with pytest.raises(InputError, match="several numbers on each of several lines"):
        parse("1,2\n3,4\n", "P")


@pytest.mark.parametrize("text", ["0.4 x", "x 0.4", "1/0", "a=x"])
def test_what_was_meant_as_numbers_or_pairs(text):
    assert means_numbers(text)


@pytest.mark.parametrize("text", ["data.csv", "label", "x y z"])
def test_names_are_not_meant_as_numbers(text):
    assert not means_numbers(text)


@pytest.mark.parametrize("text", ["0.4,0.6", "0.4\n0.6\n", "a=1,b=2", "[1,\n2]", "0.4,x"])
def test_text_that_is_written_as_an_argument_is(text):
    assert is_inline(text)


@pytest.mark.parametrize("text", ["p\n0.4\n", "answer,before\na,1\n", "7 day,p\na,1\n", "a,2019\nb,1\n"])
def test_a_header_makes_a_table(text):
    assert not is_inline(text)
