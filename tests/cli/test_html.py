"""Pages: goldens without their style, what holds of every page, hostile text, what is left out, how readable it is.

A golden file is the page between its style and its end, to the byte. After a wished change, delete it, run the test
once (it fails and writes the file anew), and read the difference.
"""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import NamedTuple
from unittest.mock import ANY
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from klcli.renderers.text import visible

ROOT = Path(__file__).parents[2]
GOLDENS = Path(__file__).parent / "goldens"
HOSTILE = {
    "<script>alert(1)</script>": 1,
    "\"'&amp;&lt;": 2,
    "</title></svg><b>x": 3,
    "\x1b[31mred\x07\x00": 4,
    "עברית (abc) 12": 5,
    "\u202eevil": 6,
    "日本語": 7,
    "two  blanks": 8,
    "new\nline": 9,
    "javascript:x onload=y": 10,
}
PAIR = [json.dumps(HOSTILE), json.dumps(dict(zip(HOSTILE, reversed(HOSTILE.values()), strict=True)))]
VIEWS = {
    "compare": ["compare", "car=412,bus=180,bicycle=96", "car=355,bus=172,bicycle=214"],
    "compare-infinite": ["compare", "a=1,b=0,c=5", "a=1,b=1,c=0", "-q"],
    "compare-hostile": ["compare", *PAIR],
    "rank": ["rank", "x=7,y=3", "x=5,y=5", "x=9,y=1", "y=1,x=0"],
    "matrix": ["matrix", '{"<a>": [1, 2, 3], "b&c": [3, 2, 0], "d": [2, 2, 2]}'],
    "pairs": ["matrix", '{"<a>": [1, 2, 3], "b&c": [3, 2, 1], "d": [2, 2, 2]}', "--top", "1"],
    "entropy": ["entropy", "a=1,b=2,c=1", "--unit", "bits"],
}
OTHERS = {
    "fit": ["fit", "samples/waits.csv:minutes", "--family", "gamma,weibull,normal"],
    "counts": ["fit", "samples/waits.csv:passengers"],
    "projection": ["fit", "--to", "0.5*normal(-3,0.7)+0.5*normal(3,0.7)", "--family", "normal"],
    "unpictured": ["fit", "1e-310,2e-310,3e-310,5e-310,4e-310", "--family", "normal"],
    "formulas": ["compare", "gamma(2,1)", "lognormal(0.4,0.7)"],
    "several": ["entropy", "samples/models.csv"],
    "traffic": ["matrix", "samples/traffic.csv", "-m", "js_divergence"],
    "loss": ["loss", "cross-entropy", "samples/predictions.csv:cat:horse", "samples/predictions.csv:class"],
    "summary": ["batch", "samples/pairs.csv", "--p", "p*", "--q", "q*", "--summary", "-q"],
}
PICTURES = {"unpictured": 0, "formulas": 0, "several": 0, "loss": 0, "summary": 0, "pairs": 0}
"""How many pictures there are where it is not one."""


class Element(NamedTuple):
    tag: str
    within: tuple[str, ...]
    attributes: dict[str, str]
    pieces: list[str]


class Page(HTMLParser):
    """A page taken apart into its elements; every one must be closed where it should be."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.text, self.elements, self._open = text, [], []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        assert len(attrs) == len(dict(attrs))
        self.elements.append(Element(tag, tuple(element.tag for element in self._open), dict(attrs), []))
        if tag != "meta":
            self._open.append(self.elements[-1])

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        self._open.pop()

    def handle_endtag(self, tag):
        assert self._open.pop().tag == tag

    def handle_data(self, data):
        for element in self._open:
            element.pieces.append(data)

    def said(self, tag, *within):
        """The text of each element of a tag that stands within others."""
        return ["".join(e.pieces) for e in self.elements if e.tag == tag and set(within) <= set(e.within)]

    def nesting(self):
        """The tags and what they stand in: all of a page but its text and its looks."""
        return [(element.tag, element.within) for element in self.elements]

    def pictures(self):
        """The images as XML."""
        return [ET.fromstring(svg) for svg in re.findall(r'<svg role="img".*?</svg>(?=</div>|</figure>)', self.text)]  # noqa: S314


def shown(call, args, **how):
    result = call(*args, "-f", "html", cwd=how.pop("cwd", ROOT), **how)
    assert (result.code, result.err) == (0, ""), result.err
    return Page(result.out)


@pytest.mark.parametrize("view", VIEWS)
def test_page_is_the_golden_one(call, view):
    text = shown(call, VIEWS[view]).text
    body = text[text.index("</head>") :]
    golden = GOLDENS / f"page-{view}.html"
    if not golden.exists():
        golden.write_bytes(body.encode())
        pytest.fail(f"there was no {golden}; it is written, read it")
    assert body == golden.read_bytes().decode()


@pytest.mark.parametrize("view", VIEWS | OTHERS)
def test_page_is_whole_and_needs_nothing(call, view):
    page = shown(call, (VIEWS | OTHERS)[view])
    known = "html head meta title style body header main h1 h2 p b bdi ul li div span figure figcaption details summary"
    known += " table thead tbody tr th td svg g text rect line path"
    assert {element.tag for element in page.elements} <= set(known.split())
    for loads in ("http", "url(", "@import", "<script"):
        assert loads not in page.text
    assert {name for e in page.elements for name in e.attributes} & {"href", "src", "onload", "onclick"} == set()
    assert page.elements[0].attributes == {"lang": "en"}
    assert page.said("title", "head")[0].startswith(page.said("h1")[0])
    assert len(page.pictures()) == PICTURES.get(view, 1)
    assert all(picture.find("title").text for picture in page.pictures())
    for tag, within, attributes, _ in page.elements:
        assert tag != "th" or attributes["scope"] == ("col" if "thead" in within else "row")
        assert tag != "svg" or "svg" in within or attributes.get("role") == "img" or attributes["aria-hidden"] == "true"
    drawn = [value for e in page.elements if "svg" in e.within for value in e.attributes.values()]
    assert "nan" not in " ".join(drawn)


def test_page_is_small_at_thousands_of_outcomes_and_says_what_it_leaves_out(call):
    p, q = (",".join(f"w{i}={i % prime + 1}" for i in range(5000)) for prime in (97, 89))
    page = shown(call, ["compare", p, q, "-q"])
    assert len(page.text) < 40_000
    assert "without other (4970); the table has them" in page.said("figcaption")[0]
    assert page.said("th", "tbody")[-1] == "other (4970)"
    everything = shown(call, ["compare", p, q, "-q", "--top", "0"])
    assert "the first 30 of 5000 outcomes; the table has them" in everything.said("figcaption")[0]
    assert everything.said("th", "tbody")[-1] == "w4999"
    assert len(everything.pictures()[0].findall("g")) == 30


def test_rank_of_many_draws_the_first_and_lists_all(call):
    page = shown(call, ["rank", "1,1", *(f"1,{i + 2}" for i in range(40)), "-q"])
    assert len(page.pictures()[0].findall("g")) == 30
    assert "the first 30 of 40; the table has them all" in page.said("figcaption")[0]
    assert len(page.said("th", "tbody")) == 40


@pytest.mark.parametrize(("n", "cells", "table"), [(12, 12, True), (30, 30, True), (31, 31, False), (130, 44, False)])
def test_map_of_many_has_fewer_cells_and_says_so(call, n, cells, table):
    rows = {f"n{i}": [i % 7 + 1, i % 5 + 1, i % 3 + 1] for i in range(n)}
    page = shown(call, ["matrix", "-", "-q", "--keep-totals"], input=json.dumps(rows))
    texts = [text.text for text in page.pictures()[0].iter("text")]
    assert len(texts) - 2 * cells == (n * n if n <= 12 else 0)
    assert (page.said("summary") == ["The numbers"]) == table
    (said,) = page.said("figcaption")
    assert ("-f csv has" in said) != table
    assert ("130 distributions in 44 groups" in said) == (n == 130)
    assert len(page.text) < 100_000


def test_numbers_are_those_of_the_table(call):
    table = call(*VIEWS["compare"], "-f", "table").out
    cells = shown(call, VIEWS["compare"]).said("td", "tbody")
    assert len(cells) == 8 * 2 + 3 * 4
    assert [cell for cell in cells if cell not in table] == []
    assert "0.60" in shown(call, [*VIEWS["compare"], "--digits", "2"]).said("td")
    assert shown(call, [*VIEWS["compare"], "--digits", "2"]).said("text")[1] == "0.13"


def test_notes_stand_on_the_page_unless_nobody_wants_them(call):
    assert shown(call, VIEWS["compare"]).said("li")[0] == "P sums to 688; divided by its sum"
    assert shown(call, [*VIEWS["compare"], "-q"]).said("li") == []


def test_what_is_infinite_has_a_bar_of_its_own_kind(call):
    (picture,) = shown(call, VIEWS["compare-infinite"]).pictures()
    bars = [row.findall("rect") for row in picture.findall("g")]
    assert [[bar.get("class") for bar in row] for row in bars] == [["p", "q", "c"], ["p", "q", "c"], ["p", "q", "inf"]]
    assert [float(row[-1].get("width")[:-1]) for row in bars] == [18, 0, 18]


@pytest.mark.parametrize("suffix", ["html", "htm", "HTML"])
def test_suffix_of_the_output_file_makes_a_page(call, tmp_path, suffix):
    assert call("compare", "1,2", "3,4", "-o", f"a.{suffix}", cwd=tmp_path) == (0, "", "")
    assert (tmp_path / f"a.{suffix}").read_text() == call("compare", "1,2", "3,4", "-f", "html").out


def test_formats_are_named_where_there_is_no_page(refused):
    kl = refused(2, "kl", "1,2", "3,4", "-f", "html")
    assert kl.startswith("no option '-f': klcli kl prints one number; klcli compare has -f (table, tsv")
    measures = refused(2, "kl", "1,2", "3,4", "-m", "js")
    assert measures == "no option '-m': klcli kl prints one number; klcli compare has -m"
    pairs = ["batch", ROOT / "samples" / "pairs.csv", "--p", "p*", "--q", "q*"]
    assert refused(2, *pairs, "-f", "html") == "--format 'html': it is one of auto, csv, tsv, ndjson, parquet."
    assert refused(2, *pairs, "-o", "a.html").endswith(
        "no format has the suffix '.html'; add -f (csv, tsv, ndjson, parquet)"
    )


# --------------------------------------------------------------------------------------------------------- hostile text

# A text that ends so is no total, no column of keys and no blank.
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=19).map("{}~".format)
LABELS = st.lists(TEXT, min_size=4, max_size=4, unique=True)
PLAIN = [f"label{i}" for i in range(4)]
WEIGHTS = (1, 2, 3, 5)


@given(labels=LABELS)
def test_no_label_changes_anything_but_its_own_text(call, labels):
    def page(labels):
        sides = {"p": dict(zip(labels, WEIGHTS, strict=True)), "q": dict(zip(labels, reversed(WEIGHTS), strict=True))}
        return shown(call, ["compare", "-", "-q"], input=json.dumps(sides))

    found = page(labels)
    assert found.nesting() == page(PLAIN).nesting()
    assert found.said("th", "tbody")[-4:] == [visible(label) for label in labels]
    drawn = [row.findtext("text") for row in found.pictures()[0].findall("g")]
    assert drawn == [visible(label) if cell_len(visible(label)) <= 30 else ANY for label in labels]


@given(names=LABELS)
def test_no_name_changes_anything_but_its_own_text(call, names):
    def page(names):
        rows = {name: [weight, 2, 3] for name, weight in zip(names, WEIGHTS, strict=True)}
        return shown(call, ["matrix", "-", "-q"], input=json.dumps(rows))

    found = page(names)
    assert found.nesting() == page(PLAIN).nesting()
    assert found.said("th", "tbody") == [visible(name) for name in names]
    assert len(found.pictures()) == 1


# ------------------------------------------------------------------------------------------------------------- readable


def luminance(color):
    parts = [int(color[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    low, high = sorted(map(luminance, (one, other)))
    return (high + 0.05) / (low + 0.05)


def test_text_can_be_read_on_what_is_behind_it_in_both_schemes(call):
    text = shown(call, VIEWS["matrix"]).text
    schemes = [dict(re.findall(r"--(\w+):#(\w+)", part)) for part in re.findall(r":root{(.*?)}", text, re.DOTALL)]
    assert len(schemes) == 2
    for scheme in schemes:
        colors = {name: color if len(color) == 6 else "".join(c * 2 for c in color) for name, color in scheme.items()}
        assert contrast(colors["ink"], colors["paper"]) > 12
        assert contrast(colors["quiet"], colors["paper"]) > 4.5
        assert min(contrast(colors[name], colors["paper"]) for name in "pqr") > 3
    shades = dict(re.findall(r"\.(h\d|h-2){fill:#(\w+)}", text))
    assert len(shades) == 11
    for level, name in enumerate([f"h{i}" for i in range(10)]):
        assert contrast(shades[name], "ffffff" if level < 4 else "000000") >= 4.5
    assert contrast(shades["h-2"], "ffffff") >= 4.5
