"""The worked examples with published values, through the command line."""

import json
from pathlib import Path

import pytest

EXAMPLES = {
    example["id"]: example
    for example in json.loads((Path(__file__).parents[1] / "data/examples.json").read_text())["examples"]
}
PAIRS = ["class-survey-1", "class-survey-2", "textbook-thirds", "one-hot-cat", "one-hot-third", "softmax-pair"]
SCALARS = [(name, field) for name in PAIRS for field in EXAMPLES[name]["want"] if "element" not in field]


def text(weights):
    return weights if isinstance(weights, str) else ",".join(map(repr, weights))


def agrees(got, want, digits):
    return got == pytest.approx(float(want), abs=0.5000001 * 10**-digits, rel=0)


def arguments(example):
    return [text(example["p"]), text(example["q"]), "--as", example.get("as", "weights")]


@pytest.mark.parametrize(("name", "field"), SCALARS)
def test_published_value_of_a_pair(get, name, field):
    example = EXAMPLES[name]
    (value,) = get(field, "compare", *arguments(example))
    assert agrees(value, example["want"][field], example["digits"])


def test_published_elements_of_the_softmax_pair_and_their_mean(get):
    example = EXAMPLES["softmax-pair"]
    terms = get("elements.kl_pq", "compare", *arguments(example))
    assert len(terms) == 4
    assert all(agrees(*pair, example["digits"]) for pair in zip(terms, example["want"]["elements.kl_pq"], strict=True))
    assert agrees(sum(terms) / len(terms), example["want"]["mean of the elements"], example["digits"])


def test_published_entropy_in_bits(get):
    example = EXAMPLES["four-messages"]
    (value,) = get("entropy", "entropy", example["p"], "--unit", example["unit"])
    assert agrees(value, example["want"]["entropy"], example["digits"])


def test_published_self_information_of_throwing_seven(get):
    example = EXAMPLES["two-dice-seven"]
    value, _ = get("elements.self_information", "entropy", "6/36,30/36", "--unit", "bits")
    assert agrees(value, example["want"], example["digits"])


@pytest.mark.parametrize("candidates", [["0.3,0.7", "0.2,0.8"], ["0.2,0.8", "0.3,0.7"]])
def test_rank_puts_the_nearer_survey_first_whatever_the_order_given(call, candidates):
    result = call("rank", "0.4,0.6", *candidates, "-g", "name")
    assert result == (0, "0.3,0.7\n0.2,0.8\n", "")


def test_every_example_is_tested():
    others = {"class-survey-rank", "four-messages", "two-dice-seven"}
    grids = {"gaussian-grids"}  # in test_expressions
    losses = {"ce-indices", "ce-equals-kl-one-hot", "probabilities-are-not-logits"}  # in test_loss_examples
    fits = {"bimodal-projection"}  # in test_fit
    assert set(EXAMPLES) == {*PAIRS, *others, *grids, *losses, *fits}
