"""Pictures as PNG, SVG and PDF: what they are, that they are the same every time, and what is not drawn."""

import re
import sys
from importlib.util import find_spec

import numpy as np
import pytest

from klcli.errors import UsageError
from klcli.fits import REVERSE
from klcli.renderers.plot import figure_bytes, format_of

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
)

pytest.importorskip("matplotlib")

MAGIC = {"png": b"\x89PNG\r\n\x1a\n", "svg": b"<?xml", "pdf": b"%PDF-"}


@pytest.mark.parametrize("form", MAGIC)
def test_picture_is_what_it_says_and_the_same_every_time(form):
    found = poisson_report()
    written = figure_bytes(found, format_of(f"a.{form.upper()}"))
    assert written.startswith(MAGIC[form])
    assert len(written) > 8000
    assert figure_bytes(found, form) == written
    assert not re.search(rb"20\d\d-\d\d-\d\d|CreationDate", written)


@pytest.mark.parametrize("make", [normal_report, heavy_report, bimodal_report])
def test_picture_has_a_thousand_columns_and_many_colours(make):
    from io import BytesIO

    from matplotlib.image import imread

    pixels = imread(BytesIO(figure_bytes(make(), "png")))
    assert pixels.shape[:2] == (600, 1000)
    colours = {tuple(colour) for colour in np.unique((255 * pixels).astype(int).reshape(-1, pixels.shape[2]), axis=0)}
    assert {(0, 114, 178), (213, 94, 0), (211, 215, 221)} <= {colour[:3] for colour in colours}


def test_titles_are_no_formulas_and_may_lack_a_glyph():
    data = sample(np.arange(50.0), "$\\frac{x}$ 日本 \x1b[31m" * 9)
    one = fitted("uniform", {"low": 0.0, "high": 49.0}, (0.1, 0.1))
    assert figure_bytes(report([one], data, histogram(data.values, [10, 20, 30])), "png").startswith(MAGIC["png"])


@pytest.mark.parametrize("path", ["fit.jpg", "fit", "png", ""])
def test_suffix_picks_the_format(path):
    with pytest.raises(UsageError, match=r"a picture ends in \.png, \.svg, \.pdf"):
        format_of(path)


def test_vectors_have_no_picture():
    target = formula("dirichlet(1,2)", (1.0, "dirichlet", {"alpha": (1.0, 2.0)}))
    with pytest.raises(UsageError, match="there is no picture"):
        figure_bytes(projected(target, fitted("dirichlet", {"alpha": (1.0, 2.0)}, (0, 0), direction=REVERSE)), "png")


def test_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "matplotlib" else find_spec(name))
    for name in [name for name in sys.modules if name.split(".")[0] == "matplotlib"]:
        monkeypatch.setitem(sys.modules, name, None)
    message = r"--plot needs matplotlib; pip install 'klcli\[fit\]'"
    for call in (lambda: format_of("a.png"), lambda: figure_bytes(normal_report(), "png")):
        with pytest.raises(UsageError, match=message):
            call()
