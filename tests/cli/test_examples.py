"""The worked examples with published values, through the command line."""

import json
from math import exp, pi, sqrt
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


@pytest.fixture
def gaussian_grids(write):
    def density(x, mean, variance):
        return exp(-((x - mean) ** 2) / (2 * variance)) / sqrt(2 * pi * variance)

    p = [density(-4 + i / 10, 1, 0.2) for i in range(90)]
    q = [density(-3 + i / 10, 2, 0.5) for i in range(90)]
    rows = "".join(f"{a!r},{b!r}\n" for a, b in zip(p, q, strict=True))
    return write("grids.csv", f"p,q\n{rows}")


@pytest.mark.parametrize(
    ("field", "options"),
    [
        (
            "no normalisation, 0.001/3 added to every weight: kl_pq",
            ["--no-normalize", "--smooth", f"add={0.001 / 3!r}"],
        ),
        ("the same, normalised: kl_pq", ["--smooth", f"add={0.001 / 3!r}"]),
        ("softmax of both, T=1: kl_pq", ["--softmax"]),
    ],
)
def test_published_value_of_the_gaussian_grids(kl, gaussian_grids, field, options):
    example = EXAMPLES["gaussian-grids"]
    assert agrees(kl(gaussian_grids, *options), example["want"][field], example["digits"])


def test_published_elements_of_the_gaussian_grids(get, gaussian_grids):
    example = EXAMPLES["gaussian-grids"]
    terms = get("elements.kl_pq", "compare", gaussian_grids, "--softmax")
    assert agrees(terms[0], example["want"]["softmax, first element kl_pq"], example["digits"])
    assert agrees(max(terms), example["want"]["softmax, largest element kl_pq"], example["digits"])


def test_every_example_is_tested():
    others = {"class-survey-rank", "four-messages", "two-dice-seven", "gaussian-grids"}
    losses = {"ce-indices", "ce-equals-kl-one-hot", "probabilities-are-not-logits"}  # in test_loss_examples
    fits = {"bimodal-projection"}  # in test_fit
    assert set(EXAMPLES) == {*PAIRS, *others, *losses, *fits}
