"""One number as people type it: a plain decimal, a fraction of integers, a percentage."""

from __future__ import annotations

import re
from math import inf, nan
from typing import TYPE_CHECKING

from klcli.errors import InputError, clipped
from klcli.tuples import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from klcli.model import Array

_DECIMAL = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?"
_SPACE = "[ \t\xa0\u2009\u202f]"
_WRITTEN = rf"(?:({_DECIMAL})(?:{_SPACE}*(%))?|([+-]?\d+)/(\d+)|([+-]?(?:inf(?:inity)?|nan)))"
_NUMBER = re.compile(_WRITTEN, re.ASCII | re.IGNORECASE)
_PLAIN = re.compile(r"[0-9.eE+-]*", re.ASCII)
_ZERO = re.compile(r"[-+]?[0.]+(?![0-9.])", re.ASCII)
_LONGEST_EXPONENT = 20
"""Digits beyond which a number is 0 or infinite, percent or not."""

_SEPARATOR = re.compile(r"\s*[,;]\s*|\s+")
BEFORE_PERCENT = re.compile(r"(?<=\d)[ \t]+%")
_WITHOUT_COMMA = re.compile(r"\s*;\s*|\s+")

_BLANK = frozenset({"", "na", "n/a", "#n/a", "null", "none", "nan", "-", ".", ".."})

_SAME_MARK = {"'": "'\u2019", " ": " \xa0\u2009\u202f"}
"""Marks of thousands that are written as one: apostrophes, and blanks of several widths."""

_GROUPED = r"[+-]?[1-9]\d{{0,2}}(?:[{marks}]\d{{3}})+"


class Notation(NamedTuple):
    """How numbers are written. thousands: what groups digits, None for nothing.

    blank: what a cell in which no number stands is: 'zero', 'skip' (NaN, to be left out) or 'error'. delimiter: what
    separates the fields of a text, where the mend of an error depends on it.
    """

    decimal: str = "."
    thousands: str | None = None
    blank: str = "error"
    delimiter: str | None = None


POINT = Notation()
"""Numbers with a decimal point, and nothing between digits."""


class NotANumberError(ValueError):
    """What was found, "'x'", and what is wrong with it, "is not a number": a place may go between the two."""

    def __init__(self, text: str, wrong: str) -> None:
        super().__init__(f"{clipped(text)} {wrong}")
        self.text, self.found, self.wrong = text, clipped(text), wrong


def number(text: str, notation: Notation = POINT) -> float:
    """The double nearest to the text; NaN for a cell that is left out. Raises NotANumberError.

    Plain decimals only: float() would also take underscores and other scripts' digits. "nan" and "inf" are numbers
    here; whether they can be weights is for later.
    """
    if notation != POINT:
        return _in_notation(text, notation)
    match = _NUMBER.fullmatch(text.strip())
    if match is None:
        raise NotANumberError(text, "is not a number")
    plain, percent, numerator, denominator, special = match.groups()
    if special:
        return float(special)
    if plain:
        # Moving the decimal point in the text rounds once; dividing the double by 100 would round twice.
        digits, _, exponent = plain.lower().partition("e")
        moved = percent and len(exponent) < _LONGEST_EXPONENT
        value = float(f"{digits}e{int(exponent or 0) - 2}") if moved else float(plain)
        return checked_double(text, value, zero=not any("1" <= c <= "9" for c in digits))
    return _fraction(text, numerator, denominator)


def checked_double(text: str, value: float, *, zero: bool) -> float:
    """The double that a text stands for. Raises NotANumberError where it is 0 or infinite and the number is not.

    zero: whether the number is 0.
    """
    if value == 0 and not zero:
        raise NotANumberError(text, "is below 5e-324, the least double; take logarithms, and add --as logprobs")
    if value in {inf, -inf}:
        raise NotANumberError(text, "is beyond 1.8e308, the largest double; divide all by the same number")
    return value


def is_blank(text: str) -> bool:
    """Whether a cell says that there is no number: empty, NA, null and the like."""
    return text.strip().casefold() in _BLANK


def _in_notation(text: str, notation: Notation) -> float:
    decimal, thousands, blank, _ = notation
    if blank != "error" and is_blank(text):
        return 0.0 if blank == "zero" else nan
    plain = text if thousands is None else _ungrouped(text, thousands)
    if decimal != ".":
        if "." in plain:
            raise NotANumberError(text, f"is not a number with {decimal!r} for a decimal mark")
        plain = plain.replace(decimal, ".")
    try:
        return number(plain)
    except NotANumberError as error:
        raise NotANumberError(text, error.wrong) from None


def thousands_pattern(notation: Notation) -> str:
    """Which numbers with a mark of thousands, written as it was given, are grouped: a regular expression of all."""
    groups = _GROUPED.format(marks=re.escape(notation.thousands or ""))
    return rf"^{groups}(?:{re.escape(notation.decimal)}\d*)?(?:e[-+]?\d+)?%?$"


def _ungrouped(text: str, thousands: str) -> str:
    """The text without marks between groups of three digits. Raises NotANumberError where they stand elsewhere."""
    marks = _SAME_MARK.get(thousands, thousands)
    found = re.match(_GROUPED.format(marks=re.escape(marks)) + r"(?!\d)", text.strip(), re.ASCII)
    left = text.strip()[found.end() if found else 0 :]
    if any(mark in left.removesuffix("%").rstrip() for mark in marks):
        raise NotANumberError(text, f"is not a number with {thousands!r} between groups of three digits")
    return (re.sub(f"[{re.escape(marks)}]", "", found[0]) if found else "") + left


def _fraction(text: str, numerator: str, denominator: str) -> float:
    try:
        return checked_double(text, int(numerator) / int(denominator), zero=int(numerator) == 0)
    except ZeroDivisionError:
        raise NotANumberError(text, "divides by zero") from None
    except OverflowError:
        return checked_double(text, inf, zero=False)
    except ValueError as error:  # more digits than Python converts
        if isinstance(error, NotANumberError):
            raise
        raise NotANumberError(text, "is too long for a number") from None


def numbers(
    cells: Sequence[str], where: Callable[[int], str], inside: str = "", notation: Notation = POINT
) -> list[float]:
    """Every cell's number. where(i): the place of cell i. inside: " in column 'p'", said after what stands there."""
    values = _plain_numbers(cells, notation)
    if values is not None:
        return values
    values = []
    for i, cell in enumerate(cells):
        try:
            values.append(number(cell, notation))
        except NotANumberError as error:
            how = mend(cell, notation)
            message = f"{where(i)}: {error.found}{inside} {error.wrong}{how}"
            raise InputError(message) from None
    return values


def _plain_numbers(cells: Sequence[str], notation: Notation) -> list[float] | None:
    """The numbers where all are plain decimals, of whose letters float() takes what `number` takes, and faster."""
    if notation.decimal != "." or not _PLAIN.fullmatch("".join(cells)):
        return None
    try:
        values = list(map(float, cells))
    except ValueError:
        return None
    exact = all(0 < abs(value) < inf or _ZERO.match(cell) for value, cell in zip(values, cells, strict=True))
    return values if exact else None


def are_numbers(cells: Sequence[str], notation: Notation = POINT) -> bool:
    """Whether a number is written in each: see `is_number`."""
    return _plain_numbers(cells, notation) is not None or all(is_number(cell, notation) for cell in cells)


def is_number(text: str, notation: Notation = POINT) -> bool:
    """Whether a number is written there; a blank cell is none."""
    if notation.blank != "error":
        notation = notation._replace(blank="error")
    try:
        number(text, notation)
    except NotANumberError:
        return False
    return True


def items(text: str, notation: Notation = POINT) -> list[str]:
    """The parts of a list separated by commas, semicolons or white space; a comma inside numbers separates nothing."""
    text = BEFORE_PERCENT.sub("%", text)
    return (_WITHOUT_COMMA if "," in {notation.decimal, notation.thousands} else _SEPARATOR).split(text.strip())


def has_percent(text: str) -> bool:
    """Whether a number is written as a percentage."""
    return text.rstrip().endswith("%")


def in_column(name: str) -> str:
    """' in column NAME', which goes between a cell and what is wrong with it; '' where it has no name."""
    return f" in column {clipped(name)}" if name else ""


def mixed_percent(text: str, name: str) -> str:
    """What is wrong with a cell of a column of which some cells are percentages, and some are not."""
    here, others = ("a percentage", "are none") if has_percent(text) else ("no percentage", "are")
    both = f"is {here}, and cells above it {others}"
    return f"{clipped(text)}{in_column(name)} {both}; {_ALL_OR_NONE}"


def mixed_in_row(name: str) -> str:
    """What is wrong with a row of weights of which some are percentages, and that in the column of that name is none.

    It may be all of the column that is written otherwise than all of another.
    """
    return f"column {clipped(name)} holds no percentage here, and others of the row do; {_ALL_OR_NONE}"


def refuse_mixed_percent(texts: Sequence[str], values: Sequence[float], where: Callable[[int], str]) -> None:
    """Raises InputError where percentages stand beside a number above 1, which is then hardly a share: 50%,60.

    where(i): the place of number i.
    """
    if not any(map(has_percent, texts)):
        return
    for i, (text, value) in enumerate(zip(texts, values, strict=True)):
        if abs(value) > 1 and not has_percent(text):
            message = f"{where(i)}: {clipped(text.strip())} is no percentage, and others here are; {_ALL_OR_NONE}"
            raise InputError(message)


_ALL_OR_NONE = "write % in all of them or in none"

_DIGITS = r"[-+]?\d[\d.,' ]*"
_UNIT = rf"([^\w\s.,+'-]{{1,3}}|[A-Z]{{3}}\s|)\s*{_DIGITS}\s*([^\W\d_]{{1,5}}|[^\w\s.,]{{1,3}}|)"


CURRENCY = "$\xa2-\xa5\u20a0-\u20c0"

_LIKE_NUMBERS = f"[-+]?[{CURRENCY}]?\\s*[-+]?[0-9][0-9.,' \xa0\u2009\u2019\u202f]*[%{CURRENCY}]?"
"""Text of digits and marks between them, with a sign of a currency."""


def is_meant(text: str, notation: Notation) -> bool:
    """Whether a number is written there, or what is one in another notation, or in a currency: 1,200, 0,5, $12."""
    if is_number(text, notation):
        return True
    cell = text.strip()
    # Words, as labels are, are spared a large pattern.
    if not any(map(str.isdigit, cell)) or re.fullmatch(_LIKE_NUMBERS, cell, re.ASCII) is None:
        return False
    return bool(re.search(f"[{CURRENCY}]", cell)) or _marks(cell.removesuffix("%").rstrip(), notation) is not None


def mend(text: str, notation: Notation) -> str:
    """How to read a cell that `number` does not take, or how to write it: '; ...', or ''."""
    cell = text.strip()
    if is_blank(cell):
        return "; --blank zero counts it as 0, --blank skip leaves it out"
    if cell[0] in "[{":
        return "; lists stand in NDJSON and Parquet"
    if not any(map(str.isdigit, cell)):
        return ""
    found = _marks(cell.removesuffix("%").rstrip(), notation)
    if found is not None:
        return f"; {found} reads it" if found else ""
    unit = re.fullmatch(_UNIT, cell)
    units = " and ".join(clipped(part.strip()) for part in unit.groups() if part) if unit is not None else ""
    return units and f"; write plain numbers in full, without {units}"


def _marks(cell: str, notation: Notation) -> str | None:
    """The options by which a cell is a number, None where none make it one."""
    for thousands, decimal in ((",", "."), (".", ","), (" ", "."), ("'", "."), (" ", ","), ("'", ","), (None, ",")):
        other = Notation(decimal, thousands)
        if not is_number(cell, other) or (thousands is not None and not is_grouped(cell, thousands)):
            continue
        options = [] if thousands is None else [f"--thousands {shown(thousands)}"]
        if decimal != notation.decimal:
            # A decimal comma would make semicolons separate the fields.
            options += [f"--decimal {decimal}", *(["--delimiter ,"] if decimal == notation.delimiter == "," else [])]
        return " ".join(options)
    return None


def is_grouped(text: str, thousands: str) -> bool:
    """Whether a number begins with groups of three digits that the mark separates."""
    marks = re.escape(_SAME_MARK.get(thousands, thousands))
    return re.match(_GROUPED.format(marks=marks) + r"(?!\d)", text.strip(), re.ASCII) is not None


def grouping_note(what: str, cells: Sequence[str], notation: Notation) -> str:
    """A note on numbers whose decimal marks may group digits, as 1.200 beside 900, which would else be 900.000.

    '' where they hardly do. what: what the cells are called.
    """
    mark = notation.decimal
    marked = [cell.strip() for cell in cells if mark in cell] if notation.thousands is None else []
    if not any(cell.endswith("0") for cell in marked):
        return ""
    whole = next((cell.strip() for cell in cells if re.fullmatch(r"\s*[-+]?[1-9]\d{0,2}\s*", cell)), None)
    grouped = re.compile(rf"[-+]?[1-9]\d{{0,2}}{re.escape(mark)}\d{{3}}")
    if whole is None or not all(map(grouped.fullmatch, marked)):
        return ""
    how = f"--thousands {mark} --decimal {'.' if mark == ',' else ','}{' --delimiter ,' * (notation.delimiter == ',')}"
    return f"{what}: {clipped(marked[0])} beside {clipped(whole)}; if {mark!r} groups digits add {how}"


def may_be_grouped(values: Array) -> bool:
    """Whether numbers may be such as `grouping_note` looks for, as far as their doubles tell."""
    for some in (values[:1000], values):  # a few tell of most
        marked = some[some % 1 > 0]
        # From 1000 on a mark would be written, and below 1 none.
        if (some >= 1000).any() or (marked < 1).any() or (marked.round(3) != marked).any():  # noqa: PLR2004
            return False
    return bool(0 < len(marked) < len(values) and (marked.round(2) != marked).any())


def shown(mark: str) -> str:
    """A mark as it is typed in a shell."""
    return mark if mark in ",." else f'"{mark}"' if mark == "'" else f"'{mark}'"


def may_underflow(text: bytes | bytearray) -> bool:
    """Whether a number may stand here that is not 0 but that a double would hold as 0: 1e-400, 0.000...1.

    Every such number has an exponent of three digits or two hundred zeros in a row. This costs 0.2 ms a MiB where there
    are exponents, and next to nothing where there are none; a regular expression takes three times as long.
    """
    return any(letter in text and _has_long_exponent(text, letter) for letter in (b"e", b"E")) or b"0" * 200 in text


def _has_long_exponent(text: bytes | bytearray, letter: bytes) -> bool:
    """Whether a minus and three digits follow a letter."""
    import numpy as np

    data = np.frombuffer(text, dtype=np.uint8)
    at = np.flatnonzero(data[:-4] == ord(letter))
    at = at[data[at + 1] == ord("-")]
    return bool((data[at + np.arange(2, 5)[:, None]] - np.uint8(ord("0")) <= 9).all(axis=0).any())  # noqa: PLR2004 - digits
