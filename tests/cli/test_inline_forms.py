"""Distributions as arguments: what Python, NumPy and PyTorch print, arrays, tokens, `uniform`, running totals."""

import json
from collections import Counter
from math import log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from klcli.errors import KlcliError
from klcli.readers.inline import parse

KL = 0.022582421084357415
"""KL of 0.4, 0.6 from 0.3, 0.7."""

PRINTED = [
    "[0.4, 0.6]",
    "[.4, .6]",
    "[0.4 0.6]",
    "[0.4\n 0.6]",
    "[4. 6.]",
    "[4.e-01 6.e-01]",
    "(0.4, 0.6)",
    "(0.4, 0.6,)",
    "array([0.4, 0.6])",
    "np.array([0.4, 0.6])",
    "array([0.4, 0.6], dtype=float32)",
    "array('d', [0.4, 0.6])",
    "Array([0.4, 0.6], dtype=float32)",
    "tensor([0.4000, 0.6000])",
    "tensor([0.4000, 0.6000], device='cuda:0', grad_fn=<SoftmaxBackward0>)",
    "tensor([0.4000, 0.6000], dtype=torch.float64, requires_grad=True)",
    "Parameter containing:\ntensor([0.4000, 0.6000], requires_grad=True)",
    "<tf.Tensor: shape=(2,), dtype=float32, numpy=array([0.4, 0.6], dtype=float32)>",
    "[np.float64(0.4), np.float64(0.6)]",
    "[tensor(0.4000), tensor(0.6000)]",
    "[Fraction(2, 5), Fraction(3, 5)]",
    "[Decimal('0.4'), Decimal('0.6')]",
    "{'a': 0.4, 'b': 0.6}",
    '{"a": .4, "b": .6}',
    "{'a': np.float64(0.4), 'b': np.float64(0.6)}",
    "{np.str_('a'): 0.4, np.str_('b'): 0.6}",
    "Counter({'b': 6, 'a': 4})",
    "Counter({200: 4, 404: 6})",
    "defaultdict(<class 'int'>, {'a': 4, 'b': 6})",
    "OrderedDict([('a', 4), ('b', 6)])",
    "dict_items([(200, 4), (404, 6)])",
    "[('a', 4), ('b', 6)]",
    '[["a", 4], ["b", 6]]',
    "{('a', 'x'): 0.4, ('b', 'y'): 0.6}",
]


@pytest.mark.parametrize("text", PRINTED)
def test_what_is_printed_is_read(call, text):
    weights = call("entropy", "-q", text, "-g", "elements.p").out.split()
    assert sorted(map(float, weights)) == [pytest.approx(0.4), pytest.approx(0.6)]


def test_labels_of_what_is_printed(call):
    def labels(text):
        return call("entropy", "-q", text, "-g", "elements.outcome").out.split()

    assert labels("Counter({200: 4, 404: 6})") == ["200", "404"]
    assert labels("[('a', 4), ('b', 6)]") == ["a", "b"]
    assert labels("{('a', 'x'): 0.4, ('b', 'y'): 0.6}") == ["a,x", "b,y"]
    assert labels("{'it\\'s': 1, \"b\": 2}") == ["it's", "b"]


def test_infinities_of_tensors_are_logits(kl):
    assert kl("-q", "--as", "logits", "tensor([[2., -inf]], dtype=torch.float64)", "[[2., -inf]]") == 0


numbers = st.floats(0, 1e300)


@given(st.lists(numbers, min_size=1, max_size=8))
def test_lists_tuples_and_arrays_read_back_as_they_were(weights):
    array = np.array(weights)
    for text in (repr(weights), repr(tuple(weights)), f"[{' '.join(map(repr, weights))}]"):
        assert list(parse(text, "P").member("").values) == weights
    with np.printoptions(floatmode="unique", precision=17):
        for text in (repr(array), str(array), repr(list(array)), f"np.{array!r}"):
            assert list(parse(text, "P").member("").values) == weights


@given(st.dictionaries(st.text(max_size=5), numbers, min_size=1, max_size=5))
def test_dictionaries_read_back_as_they_were(weights):
    for text in (repr(weights), repr({key: np.float64(value) for key, value in weights.items()})):
        series = parse(text, "P").member("")
        assert dict(zip(series.outcomes, series.values, strict=True)) == weights
    series = parse(repr(Counter(weights)), "P").member("")
    assert dict(zip(series.outcomes, series.values, strict=True)) == weights


@given(st.lists(st.lists(numbers, min_size=2, max_size=2), min_size=2, max_size=3))
def test_several_axes_read_back_as_they_were(rows):
    array = np.array(rows)
    with np.printoptions(floatmode="unique", precision=17):
        for text in (json.dumps(rows), repr(array), str(array)):
            series = parse(text, "P").member("")
            assert list(series.values) == list(array.ravel())
            assert list(series.outcomes) == [f"{i},{j}" for i in range(len(rows)) for j in range(2)]


@given(st.text("[](){}'\",:.=- 01ae\nnp", max_size=20))
def test_any_other_text_is_an_error_of_one_line(text):
    try:
        parse(text, "P").member("")
    except KlcliError as error:
        said = str(error)
    else:
        said = ""
    assert "\n" not in said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[0.4 ... 0.6]", "numpy.set_printoptions(threshold=10**9)"),
        ("array([0.1, 0.2, ..., 0.7])", "left out of what was printed"),
        ("{0.4, 0.6}", "a set has no order"),
        ("[(200, 7), (404, 2)]", "write {200: 7, ...} or [[200, 7], ...]"),
        ("tensor([0.4, 0.6", "unexpected '' at character"),
        ("[0.4, 0.6 0.7]", "malformed JSON"),
        ("array([0.4, __import__('os')])", "unexpected"),
        ("[1_000, 2]", "malformed JSON"),
        ("[0x10, 2]", "malformed JSON"),
    ],
)
def test_what_cannot_be_read_says_so(refused, text, said):
    assert said in refused(3, "entropy", text)


def test_the_ways_out_of_pairs_work(call):
    def weights(text):
        return len(call("entropy", "-q", text, "-g", "elements.outcome").out.split())

    assert weights("{200: 7, 404: 2}") == 2
    assert weights("[[200, 7], [404, 2]]") == 4


# -------------------------------------------------------------------------------------------------------- separators


@pytest.mark.parametrize(
    ("p", "q"), [("0,5;0,25", "0,4;0,6"), ("0,5 0,25", "0,4 0,6"), ("cat=0,5;dog=0,25", "cat=0,4;dog=0,6")]
)
def test_two_separators_are_refused_and_the_mend_works(refused, kl, p, q):
    assert refused(3, "kl", p, q).endswith("add --decimal ,")
    assert kl("-q", p, q, "--decimal", ",") == pytest.approx(0.1446215275432874)


# ----------------------------------------------------------------------------------------------------------- uniform


def test_uniform_is_on_the_other_sides_outcomes(kl, call):
    assert kl("-q", "0.5,0.25,0.25", "uniform") == pytest.approx(0.05889151782819173)
    assert kl("-q", "a=1,b=0,c=1", "uniform") == pytest.approx(log(1.5))
    assert kl("-q", "uniform", "a=1,b=1,c=2") == pytest.approx(0.05663301226513246)
    assert kl("-q", "1,2", "uniform", "--as", "logits") == pytest.approx(0.11094407167172735)
    assert kl("-q", "1,2,3", "uniform", "--as", "cumulative") == 0
    assert call("kl", "0.5,0.5", "uniform", "--strict").err == ""


def test_uniform_in_rank_and_batch(call):
    ranked = call("rank", "-q", "0.5,0.25,0.25", "1,2,3", "uniform", "-m", "kl_pq", "-f", "tsv").out
    assert ranked.splitlines()[1].startswith("1\tuniform\t0.0588915178281")
    scored = call("batch", "-q", "--p", "p*", "--reference", "uniform", "-m", "kl_pq", input="id,p1,p2\na,1,3\nb,1,1\n")
    assert scored.out == "id,kl_pq\na,0.13081203594113697\nb,0.0\n"
    rows = '{"p":{"a":1,"b":3}}\n{"p":{"b":1,"c":1,"d":0}}\n'
    how = "--input-format", "ndjson", "--reference", "uniform", "-m", "kl_pq", "-f", "csv"
    assert call("batch", "-q", "--p", "p", *how, input=rows).out.split()[1:] == [
        "0.13081203594113697",
        "0.4054651081081644",
    ]


@pytest.mark.parametrize(
    "args",
    [
        ("entropy", "uniform"),
        ("entropy", "0.4,0.6", "uniform"),
        ("matrix", "uniform"),
        ("matrix", "0.4,0.6", "uniform"),
        ("kl", "uniform"),
        ("kl", "uniform", "uniform"),
        ("rank", "uniform", "uniform"),
        ("rank", "uniform", "0.4,0.6", "uniform"),
        ("kl", "normal(0,1)", "uniform"),
        ("compare", "uniform", "bernoulli(0.3)"),
    ],
)
def test_uniform_needs_another_side(refused, args):
    assert "uniform" in refused(2, *args)


# ---------------------------------------------------------------------------------------------------------- several


def test_distributions_of_an_argument_are_chosen_by_their_names(kl, refused):
    three = '{"a":[1,2],"b":[2,1],"c":[1,1]}'
    assert refused(3, "kl", three).endswith("a pair is two; --drop c leaves out the others")
    assert kl(three, "--drop", "c") == kl(three, "--select", "a,b") == kl("1,2", "2,1")
    assert refused(4, "kl", "[[1,2],[2,1],[1,1]]", "--rows").endswith("; --drop 3 leaves out the others")
    assert kl("[[1,2],[2,1],[1,1]]", "--rows", "--drop", "3") == kl("1,2", "2,1")


def test_pairs_of_one_label(kl, refused, call, write):
    twice = "a=1,b=3,a=2"
    assert refused(4, "kl", twice, "a=1,b=1").endswith("stands twice (first: P, item 1); --repeats sum adds them up")
    assert kl(twice, "a=1,b=1", "--repeats", "sum") == 0
    assert kl(write("t.txt", "a=1\na=2\nb=3\n"), "a=1,b=1", "--repeats", "sum") == 0
    found = call("matrix", twice, "a=1,b=1", "--repeats", "sum", "-m", "total_variation", "-g", "total_variation", "-q")
    assert found.out == "0.0\n"


# ------------------------------------------------------------------------------------------------------------ arrays


def test_arrays_of_numpy_are_read_in_every_command(call, kl, tmp_path):
    np.save(tmp_path / "p.npy", np.array([[1, 2], [3, 4]]))
    np.save(tmp_path / "v.npy", np.array([0.4, 0.6], dtype="f8"))
    np.savez(tmp_path / "pq.npz", p=[0.4, 0.6], q=[0.3, 0.7])
    here = {"cwd": tmp_path}
    assert call("entropy", "-q", "p.npy", "-g", "elements.outcome", **here).out.split() == ["0,0", "0,1", "1,0", "1,1"]
    said = "note: p.npy: 2 rows of 2 numbers are one distribution; --rows makes each row one"
    assert said in call("entropy", "p.npy", **here).err
    assert said not in call("entropy", "p.npy", "--rows", **here).err
    assert kl("-q", "p.npy", "[[1,2],[3,4]]", **here) == 0
    assert kl("-q", "v.npy", "pq.npz:q", **here) == KL
    assert kl("-q", "pq.npz", **here) == KL
    assert kl("-q", "p.npy", "--rows", **here) == pytest.approx(kl("-q", "1,2", "3,4"))
    assert "x.npz" not in call("rank", "-q", "v.npy", "pq.npz", "-f", "tsv", **here).out
    assert call("matrix", "-q", "p.npy", "-f", "tsv", **here).out.startswith("name\t1\t2\n")
    table = "id,a,b\nx,1,1\n"
    assert call("batch", "-q", "--q", "a,b", "--reference", "v.npy", "-m", "kl_pq", input=table, **here).code == 0


def test_an_archive_names_its_arrays(refused, kl, tmp_path):
    np.savez(tmp_path / "abc.npz", a=[0.4, 0.6], b=[0.3, 0.7], c=[0.5, 0.5])
    assert refused(3, "kl", "abc.npz", cwd=tmp_path).endswith("choose: abc.npz:a abc.npz:b")
    assert kl("-q", "abc.npz:a", "abc.npz:b", cwd=tmp_path) == KL
    assert "no key 's'; it has a, b, c" in refused(3, "kl", "abc.npz:s", "1,1", cwd=tmp_path)


def test_lines_of_lists_are_a_list_of_lists(call, kl, write):
    path = write("r.ndjson", "[0.4,0.6]\n[0.3,0.7]\n")
    assert kl("-q", path, "[[0.4,0.6],[0.3,0.7]]") == 0
    assert kl("-q", path, "--rows") == KL
    assert kl("-q", f"{path}:1", f"{path}:2", "--rows") == KL
    assert call("matrix", "-q", path, "-f", "tsv").code == 0


# -------------------------------------------------------------------------------------------------------- JSON's shapes


def test_a_column_below_a_pointer(call, kl, refused, write):
    path = write("a.json", '{"a":[{"label":"x","n":4,"m":3},{"label":"y","n":6,"m":7}],"b:c":[1,1]}')
    assert kl("-q", f"{path}#/a:n", f"{path}#/a:m") == pytest.approx(KL)
    assert call("entropy", "-q", f"{path}#/b:c", "-g", "perplexity").out == "2.0\n"
    assert "no key 'z'; it has a, b:c" in refused(3, "entropy", f"{path}#/z:n")
    assert "no key 'z'; it has label, n, m" in refused(3, "entropy", f"{path}#/a:z")


def test_the_table_of_pandas_split(kl, write):
    path = write("s.json", '{"columns":["p","q"],"index":["a","b"],"data":[[0.4,0.3],[0.6,0.7]]}')
    assert kl("-q", path) == KL
    assert kl("-q", f"{path}:q", "b=0.7,a=0.3") == 0


def test_labels_and_scores_of_a_classifier(call):
    for text in ("[{'label': 'a', 'score': 0.5}, {'label': 'b', 'score': 0.5}]", '[[{"label":"a","score":1}]]'):
        assert call("entropy", "-q", text, "-g", "elements.outcome").out.split() == ["a", "b"][: text.count("label")]


def _token(text, alternatives):
    return {
        "token": text,
        "logprob": log(alternatives[text]),
        "bytes": [1],
        "top_logprobs": [{"token": other, "logprob": log(p), "bytes": [1]} for other, p in alternatives.items()],
    }


TOKENS = [_token("Hi", {"Hi": 0.5, "Yo": 0.5}), _token("you", {"you": 0.8, "me": 0.2})]
ANSWERS = {
    "tokens": TOKENS,
    "chat": {"choices": [{"index": 0, "logprobs": {"content": TOKENS}}]},
    "completions": {
        "choices": [
            {
                "text": "Hi you",
                "logprobs": {
                    "tokens": ["Hi", "you"],
                    "token_logprobs": [-0.69, -0.22],
                    "top_logprobs": [{"Hi": log(0.5), "Yo": log(0.5)}, {"you": log(0.8), "me": log(0.2)}],
                },
            }
        ]
    },
    "llama.cpp": {"content": "Hi you", "completion_probabilities": TOKENS},
    "vLLM": {
        "prompt_logprobs": [
            None,
            {str(i): {"logprob": log(0.5), "rank": i, "decoded_token": t} for i, t in ((1, "Hi"), (2, "Yo"))},
            {
                str(i): {"logprob": log(p), "rank": i, "decoded_token": t}
                for i, t, p in ((1, "you", 0.8), (2, "me", 0.2))
            },
        ]
    },
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS.keys())
def test_every_token_of_an_answer_has_an_entropy(get, refused, write, answer):
    path = write("a.json", json.dumps(answer))
    found = get("entropy", "entropy", "--rows", path)
    assert found == [pytest.approx(0.6931471805599453), pytest.approx(0.5004024235381879)]
    assert "add --rows" in refused(3, "entropy", path)


def test_the_tokens_of_one_position_are_a_distribution(call, kl, write):
    path = write("a.json", json.dumps(ANSWERS["chat"]))
    at = f"{path}#/choices/0/logprobs/content"
    assert call("entropy", "-q", f"{at}/1", "-g", "elements.outcome").out.split() == ["you", "me"]
    assert kl("-q", f"{at}/1/top_logprobs", "you=0.8,me=0.2") == pytest.approx(0, abs=1e-15)
    assert kl("-q", f"{at}/1/top_logprobs", f"{at}/1", "--as", "logprobs") == 0


def test_tokens_one_after_the_other_are_no_distribution(refused):
    tokens = json.dumps([{"token": "a", "logprob": -0.1}, {"token": "b", "logprob": -0.2}])
    assert "top_logprobs" in refused(3, "entropy", tokens)


# ------------------------------------------------------------------------------------------------------ running totals

BUCKETS = "le,mon,tue\n0.1,50,40\n0.5,80,90\n1,100,100\n"
DIFFERENCES = 0.09695352463929674


def test_running_totals_are_weights_by_their_differences(kl, call, write):
    path = write("t.csv", BUCKETS)
    assert kl("-q", f"{path}:mon", f"{path}:tue", "--as", "cumulative") == pytest.approx(DIFFERENCES, rel=1e-14)
    assert kl("-q", "50,80,100", "40,50,10", "--p-as", "cumulative") == pytest.approx(DIFFERENCES, rel=1e-14)
    assert kl("-q", "0.5,0.8,1", "0.4,0.9,1", "--as", "cumulative", "--strict") == pytest.approx(DIFFERENCES, rel=1e-12)
    square = call("matrix", "-q", path, "--columns", "--select", "mon,tue", "--as", "cumulative", "-f", "csv").out
    assert "0.0969535246392967" in square


def test_running_totals_in_batch(call):
    rows = "p1,p2,p3,q1,q2,q3\n50,80,100,40,90,100\n50,80,70,1,2,3\n"
    how = "--p", "p*", "--q", "q*", "-m", "kl_pq", "--as", "cumulative"
    kept = call("batch", "-q", *how, "--on-error", "keep", "-f", "csv", input=rows)
    assert kept.code == 5
    first, second = kept.out.splitlines()[1:]
    assert float(first.split(",")[0]) == pytest.approx(DIFFERENCES)
    assert "70.0 is below 80.0 before it" in second


def test_a_fall_names_its_place(refused, kl, write):
    path = write("t.csv", "le,n\n1,3\n2,2\n3,9\n")
    complaint = refused(4, "entropy", f"{path}:n", "--as", "cumulative")
    assert complaint.startswith(f"{path}:3, column 'n': 2.0 is below 3.0 before it")
    assert "drop --as cumulative" in complaint
    assert kl("-q", f"{path}:n", f"{path}:n") == 0


def test_totals_that_never_fall_get_a_note(call, write):
    path = write("t.csv", BUCKETS)
    note = "column 'mon' never falls; if these are running totals add --as cumulative"
    assert note in call("kl", f"{path}:mon", f"{path}:tue").err
    assert note in call("matrix", path, "--columns", "--select", "mon,tue", "-f", "csv").err
    assert "never falls" not in call("kl", f"{path}:mon", f"{path}:tue", "--as", "cumulative").err
    even = write("e.csv", "bucket,n\na,10\nb,10\nc,10\n")
    assert "never falls" not in call("entropy", even).err
