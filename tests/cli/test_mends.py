"""What an error or a note offers works as it is typed: each test obeys it."""

from math import log

import pytest

RAW = "user,arm,ms\n1,a,3\n2,a,4\n3,b,4\n4,b,5\n5,b,4\n6,a,4\n"
THIRDS = -(1 / 3 * log(1 / 3) + 2 / 3 * log(2 / 3))


def near(value):
    return pytest.approx(value, rel=1e-12)


# --------------------------------------------------------------------------------------------- which column is offered


def test_groups_of_a_numeric_label_are_offered_the_weights_and_the_label(refused, get, write):
    path = write("t.csv", "model,class,p\nA,1,.5\nA,2,.5\nB,2,.1\nB,1,.9\n")
    message = refused(3, "entropy", path, "--by", "model")
    assert message.endswith("add --select p, or --label class if 'class' holds labels")
    for mend in (("--select", "p"), ("--label", "class")):
        assert get("entropy", "entropy", path, "--by", "model", *mend)[0] == near(log(2))
    ordered = ("compare", path, "--by", "model", "--label", "class")
    assert get("kl_pq", *ordered) == [near(0.5 * log(0.5 / 0.9) + 0.5 * log(0.5 / 0.1))]


def test_groups_of_raw_values_are_offered_what_was_measured(refused, get, write):
    path = write("t.csv", RAW)
    assert refused(3, "entropy", path, "--by", "arm", "--tally").endswith("add --select ms")
    assert get("entropy", "entropy", path, "--by", "arm", "--tally", "--select", "ms") == [near(THIRDS)] * 2


def test_a_key_is_offered_neither_as_raw_values_nor_to_be_fitted(refused, call, write, tmp_path):
    write("t.csv", RAW)
    assert refused(3, "compare", "t.csv", "--tally", cwd=tmp_path).endswith("choose: t.csv:arm t.csv:ms")
    for text, column in (
        ("user,ms\n3,5\n1,8\n1,9\n", "ms"),
        ("x,n\n0.5,3\n1.5,8\n", "x"),
        ("ms,id\n3,1\n3,2\n4,9\n", "ms"),
    ):
        write("f.csv", text)
        assert f"choose one, as in f.csv:{column}, and" in refused(3, "fit", "f.csv", cwd=tmp_path)
        assert call("fit", f"f.csv:{column}", cwd=tmp_path).code == 0
