"""Fits in every format: whole tables as they are written, strict JSON, bare values."""

import io
import json
import re
from dataclasses import replace
from math import inf, nan

import numpy as np
import pytest
from rich.cells import cell_len

from klcli.families.formula import Component
from klcli.fits import REVERSE
from klcli.readers.expressions import parse
from klcli.renderers.component import formula as formula_of
from klcli.renderers.fit import FitAnswer
from klcli.renderers.formats import bare

from .fits import (
    bimodal_report,
    fitted,
    formula,
    heavy_report,
    histogram,
    normal_report,
    poisson_report,
    projected,
    report,
    sample,
    shown,
)

ANSI = re.compile(r"\x1b\[[0-9;]*m")
REPORTS = [normal_report, poisson_report, heavy_report, bimodal_report]


def got(found, *fields):
    out = io.BytesIO()
    bare(FitAnswer(found), fields, out)
    return out.getvalue().decode()


def refused(constant):
    pytest.fail(f"{constant} is not strict JSON")


def strict(text):
    return json.loads(text, parse_constant=refused)


def test_tsv_has_a_row_a_fit():
    header, *rows = shown(normal_report(), "tsv").splitlines()
    assert header.split("\t") == [
        *("family", "kl_data_model", "kl_error", "kl_model_data", "log_likelihood", "aic", "bic", "ks"),
        *("parameters", "standard_errors", "formula", "remarks"),
    ]
    assert rows[0] == (
        "normal\t0.00123\t0.0004\t0.00121\t-3498.2\t7000.4\t7010.2\t0.0101\t"
        "mu=170.0;sd=8.0\tmu=0.253;sd=0.179\tnormal(mu=170.0,sd=8.0)\t"
    )
    assert rows[2].endswith("\tdf=;mu=0.253;scale=0.179\tstudent_t(df=1000000.0,mu=170.0,scale=8.0)\tdf at a bound")
    assert rows[3].split("\t")[3] == "inf"


def test_projections_have_both_directions():
    assert shown(bimodal_report(), "tsv") == (
        "direction\tfamily\tkl_pq\tkl_qp\terror\tparameters\tformula\tremarks\n"
        "forward\tnormal\t0.7884\t2.3871\t1.2e-12\tmu=0.0;sd=3.0806\tnormal(mu=0.0,sd=3.0806)\t\n"
        "reverse\tnormal\t8.4946\t0.69313\t3.1e-11\tmu=-3.0;sd=0.7\tnormal(mu=-3.0,sd=0.7)\t\n"
        "reverse\tnormal\t8.4946\t0.69313\t3.1e-11\tmu=3.0;sd=0.7\tnormal(mu=3.0,sd=0.7)\t\n"
    )


def test_json_of_data():
    found = strict(shown(normal_report(), "json"))
    assert list(found) == ["fits", "n", "bins", "source", "left_out", "notes"]
    assert found["fits"][0] == {
        "family": "normal",
        "parameters": {"mu": 170.0, "sd": 8.0},
        "standard_errors": {"mu": 0.253, "sd": 0.179},
        "kl_data_model": 0.00123,
        "kl_error": 0.0004,
        "kl_model_data": 0.00121,
        "log_likelihood": -3498.2,
        "aic": 7000.4,
        "bic": 7010.2,
        "ks": 0.0101,
        "formula": "normal(mu=170.0,sd=8.0)",
        "remarks": [],
    }
    assert found["fits"][2]["standard_errors"]["df"] is None
    assert found["fits"][3]["kl_model_data"] == "Infinity"
    assert (found["n"], found["source"]) == (1000, "heights.csv:height")
    assert found["bins"]["edges"][:2] == ["-Infinity", 146.0]
    assert len(found["bins"]["edges"]) == len(found["bins"]["mass"]) + 1
    assert found["left_out"]["beta"] == "data outside 0 to 1"


def test_bare_values_are_a_line_a_fit():
    assert got(normal_report(), "family") == "normal\nlogistic\nstudent_t\nuniform\n"
    assert got(normal_report(), "kl_model_data")[-4:] == "inf\n"
    assert got(normal_report(), "parameters.mu", "parameters.df") == "170.0\n170.02\n170.0\n1000000.0\n"
    assert got(poisson_report(), "parameters.n", "formula").startswith("40\npoisson(rate=3.2)\n")
    assert got(bimodal_report(), "direction", "kl_qp") == "forward\nreverse\nreverse\n2.3871\n0.69313\n0.69313\n"
    assert got(bimodal_report(), "kl_model_data") == got(bimodal_report(), "kl_qp")


def test_table_ranks_and_gives_parameters():
    assert shown(normal_report(), "table").split("\n\n")[:2] == [
        (
            " P = heights.csv:height  1000 values in 26 bins\n"
            " Q = each family, by maximum likelihood  (KL in nats)\n"
            " family      KL(P||Q)             KL(Q||P)    ΔAIC       KS\n"
            "────────────────────────────────────────────────────────────\n"
            " normal      0.00123 ± 0.00040   0.0012100     0.0   0.0101\n"
            " logistic    0.0091200           0.0087700    19.4   0.0187\n"
            " student_t   0.012400             0.012100     2.0   0.0101\n"
            " uniform     0.43120                   inf   928.8    0.211"
        ),
        (
            " normal     mu 170.00 ± 0.25, sd 8.00 ± 0.18\n"
            " logistic   mu 170.02 ± 0.26, scale 4.61 ± 0.12\n"
            " student_t  df 1.0000e+06, mu 170.00 ± 0.25, scale 8.00 ± 0.18\n"
            " uniform    low 143.70, high 196.30"
        ),
    ]
    assert shown(normal_report(), "table").endswith(
        "note: the sample is small\n"
        "note: student_t: df at a bound\n"
        "note: left out: beta (data outside 0 to 1), poisson, binomial (data are not\n"
        "whole numbers)\n"
    )
    assert "note" not in shown(normal_report(), "table", notes=False)


def test_wide_table_has_the_parameters_beside():
    lines = shown(normal_report(), "table", width=140).splitlines()
    assert lines[4].endswith("0.0101   mu 170.00 ± 0.25, sd 8.00 ± 0.18")


def test_narrow_table_says_what_it_has_no_room_for():
    assert shown(poisson_report(), "table", width=40, unicode=False).split("\n\n")[:2] == [
        (
            " P = calls.csv:n  499 values in 12 bins\n"
            " Q = each family, by maximum likelihood\n"
            "     (KL in nats)\n"
            " family    |  KL(P||Q) |  dAIC\n"
            "-----------+-----------+-------\n"
            " poisson   | 0.0021000 |   0.0\n"
            " binomial  | 0.0035000 |   3.4\n"
            " geometric |   0.30210 | 301.6\n"
            " (no room for KS, KL(Q||P))"
        ),
        " poisson    rate 3.200 +- 0.080\n binomial   n 40, p 0.0800 +- 0.0020\n geometric  p 0.2380 +- 0.0090",
    ]


def test_a_narrow_table_says_that_it_leaves_out_the_errors_of_kl():
    for unicode, sign in ((True, "±"), (False, "+-")):
        lines = shown(normal_report(), "table", width=40, unicode=unicode).splitlines()
        assert f" (no room for {sign} of KL, KS, KL(Q||P))" in lines
        assert not any(sign in line for line in lines if line.startswith(" normal  ") and "mu" not in line)
    assert "no room" not in shown(normal_report(), "table", width=80)


def test_projections_stand_by_direction():
    assert shown(bimodal_report(), "table").split("\n\n")[:3] == [
        " P = 0.5*normal(-3,0.7)+0.5*normal(3,0.7)",
        (
            " forward: least KL(P||Q), covers all of P (mean-seeking)\n"
            " Q        parameters        KL(P||Q)   KL(Q||P)   error\n"
            "────────────────────────────────────────────────────────\n"
            " normal   mu 0, sd 3.0806    0.78840     2.3871   1e-12"
        ),
        (
            " reverse: least KL(Q||P), fits within P (mode-seeking), 2 optima\n"
            " Q        parameters               KL(P||Q)   KL(Q||P)   error\n"
            "───────────────────────────────────────────────────────────────\n"
            " normal   mu -3.0000, sd 0.70000     8.4946    0.69313   3e-11\n"
            " normal   mu 3.0000, sd 0.70000      8.4946    0.69313   3e-11"
        ),
    ]
    assert shown(bimodal_report(), "table", width=40).split("\n\n")[:2] == [
        " P = 0.5*normal(-3,0.7)\n     +0.5*normal(3,0.7)",
        (
            " forward: least KL(P||Q)\n covers all of P (mean-seeking)\n"
            " normal  mu 0, sd 3.0806\n         KL(P||Q) 0.78840\n         KL(Q||P) 2.3871"
        ),
    ]


def test_rounding_of_0_is_shown_as_0():
    one = fitted("normal", {"mu": -3e-16, "sd": 3.0}, (0.5, 0.4), direction=REVERSE)
    found = projected(bimodal_report().target, one)
    assert " normal   mu 0, sd 3.0000 " in shown(found, "table")
    assert "reverse normal(0, 3.00)" in shown(found, "table")
    assert got(found, "parameters.mu") == "-3e-16\n"


HOSTILE = "[bold]日本\x1b[31m語\n/:smile:\u202e$x^2$" * 4


def odd():
    """Much that is hard to show at once: text that means something to a terminal, and what is no number."""
    data = np.linspace(-1e-9, 1e12, 300)
    fits = [
        fitted("negative_binomial", {"r": 1e-300, "p": 1.0}, (inf, inf), (nan, 0.0), (-inf, inf, inf, nan)),
        fitted("gamma", {"shape": 123456.789, "rate": 1e300}, (nan, 1e-300), (1e9, inf), (nan, nan, nan, 1.0)),
    ]
    left = dict.fromkeys(("beta", "weibull"), HOSTILE)
    return report(fits, sample(data, HOSTILE), histogram(data, [0.0, 1e6]), left, [HOSTILE])


def odd_projection():
    target = formula("+".join(["0.1*normal(0.123456789012345,1)"] * 10), (1.0, "gamma", {"shape": 0.1, "rate": 1e-9}))
    one = fitted("lognormal", {"mu": 1e-9, "sd": 30.0}, (inf, nan), direction=REVERSE, remarks=(HOSTILE,))
    return projected(target, one)


@pytest.mark.parametrize("make", [*REPORTS, odd, odd_projection])
@pytest.mark.parametrize("width", [140, 80, 60, 40, 25])
@pytest.mark.parametrize("unicode", [True, False])
def test_table_is_never_wider_than_the_terminal(make, width, unicode):
    found = make()
    plain = shown(found, "table", width=width, unicode=unicode)
    assert max(map(cell_len, plain.splitlines())) <= width
    assert "\x1b" not in plain
    assert unicode or re.sub("[日本語]", "", plain).isascii()
    colored = shown(found, "table", width=width, unicode=unicode, color=True)
    assert "\x1b[" in colored
    assert [line.rstrip() for line in ANSI.sub("", colored).split("\n")] == plain.split("\n")


@pytest.mark.parametrize("make", [odd, odd_projection])
def test_json_of_what_is_no_number_is_strict(make):
    strict(shown(make(), "json"))
    for line in shown(make(), "ndjson").splitlines():
        strict(line)


def test_families_left_out_are_said_in_short_but_with_places_in_json():
    found = normal_report()
    places = {
        "beta": "x.csv:2: 150 is not between 0 and 1",
        "poisson": "x.csv:2: 150.5 is not whole",
        "gamma": "scale it",
    }
    brief = {"beta": "needs 0 < x < 1", "poisson": "needs whole numbers from 0"}
    found = replace(found, left_out=places, in_short=brief)
    line = "left out: beta (needs 0 < x < 1), poisson (needs whole numbers from 0), gamma (scale it)"
    assert FitAnswer(found).notes[-1] == line
    for form in ("table", "markdown"):
        text = shown(found, form, width=140).replace("\\", "")
        assert line in text
        assert "x.csv:2" not in text
    assert strict(shown(found, "json"))["left_out"] == places


def test_vectors_are_shown_without_a_picture():
    target = formula("dirichlet(1,2,3)", (1.0, "dirichlet", {"alpha": (1.0, 2.0, 3.0)}))
    one = fitted("dirichlet", {"alpha": (1.5, 2.5, 3.5)}, (0.1, 0.2), direction=REVERSE)
    text = shown(projected(target, one), "table", digits=2)
    assert "alpha (1.5, 2.5, 3.5)" in text
    assert "density" not in text
    assert formula_of(Component("categorical", {"p": (0.25, 0.75)})) == "categorical(0.25,0.75)"
    shown_vectors = "multivariate_normal(mean=[0.0,1.0],cov=[[1.0,0.5],[0.5,2.0]])"
    assert formula_of(parse(shown_vectors, "P").components[0]) == shown_vectors
