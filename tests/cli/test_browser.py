"""Pages as a browser shows them: nothing is cut off or runs, at the width of a phone and of a desk, light and dark.

A page of ours holds others in frames of both widths, and its script writes down what it measures in each.
"""

import json
import re
import shutil
import subprocess
from html import escape, unescape

import pytest

from klcli.renderers.text import visible

from .test_html import HOSTILE, OTHERS, ROOT, VIEWS

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(BROWSER is None, reason="there is no Chromium here to show pages in")

OPTIONS = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
OPTIONS += " --disable-component-update --disable-sync --virtual-time-budget=5000 --window-size=1400,1000"
SCHEMES = {"light": 1, "dark": 0}
MEASURE = """
onload = () => {
  const found = [...document.querySelectorAll("iframe")].map(frame => {
    const page = frame.contentDocument, root = page.documentElement, view = frame.contentWindow
    const cut = [...page.querySelectorAll('svg[role="img"] text')].filter(text => {
      const inner = text.getBoundingClientRect(), outer = text.closest('svg[role="img"]').getBoundingClientRect()
      return inner.left < outer.left - 2 || inner.right > outer.right + 2 || inner.bottom > outer.bottom + 2
    })
    return {
      name: frame.name,
      wide: root.scrollWidth - root.clientWidth,
      cut: cut.map(text => text.textContent),
      ran: view.ran === true || page.querySelectorAll("script").length > 0,
      rows: [...page.querySelectorAll("tbody th")].map(cell => cell.textContent),
      small: Math.min(...[...page.querySelectorAll("td, text")].map(e => parseFloat(view.getComputedStyle(e).fontSize)
        * (e.getCTM ? e.closest('svg[role="img"]').getScreenCTM().a : 1))),
      paper: view.getComputedStyle(page.body).backgroundColor,
      ink: view.getComputedStyle(page.body).color,
    }
  })
  document.body.textContent = JSON.stringify(found)
}
"""


@pytest.fixture(scope="module")
def measured(call, tmp_path_factory):
    """measured(scheme): of every page, at 360 and at 1200 pixels, what the browser made of it."""
    folder = tmp_path_factory.mktemp("browser")
    frames = []
    for view, args in (VIEWS | OTHERS).items():
        page = call(*args, "-f", "html", cwd=ROOT).out
        frames += [
            f'<iframe name="{view}-{width}" width={width} height=900 srcdoc="{escape(page)}"></iframe>'
            for width in (360, 1200)
        ]
    (folder / "all.html").write_text(f"<!DOCTYPE html><meta charset=utf-8><script>{MEASURE}</script>{''.join(frames)}")

    def measured(scheme):
        command = [BROWSER, *OPTIONS.split(), f"--blink-settings=preferredColorScheme={SCHEMES[scheme]}", "--dump-dom"]
        profile = f"--user-data-dir={folder / scheme}"
        done = subprocess.run(
            [*command, profile, f"file://{folder}/all.html"], capture_output=True, text=True, check=True, timeout=120
        )
        return json.loads(unescape(re.search(r"<body>(.*)</body>", done.stdout, re.DOTALL)[1]))

    return {scheme: measured(scheme) for scheme in SCHEMES}


def test_nothing_is_cut_off_or_runs(measured):
    for found in measured["light"] + measured["dark"]:
        assert (found["name"], found["wide"], found["cut"], found["ran"]) == (found["name"], 0, [], False)
        assert found["small"] > 8.5, found


def test_hostile_labels_are_what_is_read(measured):
    for found in measured["light"]:
        if found["name"].startswith("compare-hostile"):
            assert found["rows"][-len(HOSTILE) :] == [visible(label) for label in HOSTILE]


def test_page_is_dark_where_the_screen_is(measured):
    for light, dark in zip(measured["light"], measured["dark"], strict=True):
        assert (light["paper"], light["ink"]) == ("rgb(255, 255, 255)", "rgb(27, 31, 36)")
        assert (dark["paper"], dark["ink"]) == ("rgb(20, 24, 29)", "rgb(230, 233, 237)")
        assert light | {"paper": 0, "ink": 0} == dark | {"paper": 0, "ink": 0}
