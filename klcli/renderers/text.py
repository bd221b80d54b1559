"""Numbers and labels as text, and what changes how they are shown."""

from __future__ import annotations

import unicodedata
from math import isinf, isnan
from typing import TYPE_CHECKING

from klcli.tuples import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.text import Text

BETWEEN = 3
"""What each column of a table takes besides its text: a space on either side and one for the divider."""
QUIET, STRONG = "dim", "bold"


class View(NamedTuple):
    """How an answer is shown, and nothing else.

    notes: whether they are shown. digits: significant ones, in tables. width: the terminal's. unicode: for bars.
    """

    notes: bool = True
    digits: int = 5
    width: int = 80
    color: bool = False
    unicode: bool = True


class Column(NamedTuple):
    """A column of a table for people: its title and its cells, which stand to the left or to the right."""

    title: str
    cells: Sequence[str | Text]
    left: bool = False
    style: str = ""


class Words(NamedTuple):
    """What stands for the numbers that have no digits."""

    nan: bytes
    inf: bytes
    minus_inf: bytes


_MISLEADING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Marks that turn the direction of the text around them."""


def exact(value: float) -> str:
    """The shortest text that reads back as the same double; inf as 'inf', what does not apply (NaN) as nothing."""
    return "" if isnan(value) else repr(value)


def on_one_line(label: str) -> str:
    """A label that takes a line, as every bare value does: line ends in it are escaped."""
    return label.replace("\r", "\\r").replace("\n", "\\n")


def quoted(text: str, delimiter: str) -> str:
    """A field of CSV or TSV, in quotes where it must be."""
    special = any(c in text for c in (delimiter, '"', "\n", "\r"))
    return '"' + text.replace('"', '""') + '"' if special else text


def short(value: float, digits: int) -> str:
    """A number for people: so many significant digits."""
    if isnan(value):
        return ""
    if isinf(value):
        return "inf" if value > 0 else "-inf"
    text = f"{value:#.{digits}g}" if value else "0"
    return text.rstrip(".") if "e" not in text else f"{value:.{digits - 1}e}"


_LEAST_ERROR = 1e-12


def uncertainty(error: float) -> str:
    """The error of an estimate for people: one digit, at least 1e-12, below which it is the machine's rounding."""
    return f"{max(error, _LEAST_ERROR):.1g}"


def visible(label: str) -> str:
    """A label as it may be shown: what would move the cursor, break the line or turn the text is escaped."""
    if label.isprintable() and not _MISLEADING.intersection(label):
        return label
    return "".join(_escaped(c) for c in label)


def _escaped(c: str) -> str:
    if c in _MISLEADING or unicodedata.category(c) in {"Cc", "Cs", "Cn", "Co", "Zl", "Zp"}:
        return c.encode("unicode_escape").decode("ascii")
    return c
