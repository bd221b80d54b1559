"""One number as people type it: a plain decimal, a fraction of integers, a percentage."""

from __future__ import annotations

import re
from math import inf
from typing import TYPE_CHECKING

from klcli.errors import InputError, clipped

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_DECIMAL = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?"
_NUMBER = re.compile(rf"(?:({_DECIMAL})(%?)|([+-]?\d+)/(\d+)|([+-]?(?:inf(?:inity)?|nan)))", re.ASCII | re.IGNORECASE)
_PLAIN = re.compile(r"[0-9.eE+-]*", re.ASCII)
_ZERO = re.compile(r"[-+]?[0.]+(?![0-9.])", re.ASCII)
_LONGEST_EXPONENT = 20
"""Digits beyond which a number is 0 or infinite, percent or not."""

_SEPARATOR = re.compile(r"\s*[,;]\s*|\s+")
_WITHOUT_COMMA = re.compile(r"\s*;\s*|\s+")


class NotANumberError(ValueError):
    """What was found, "'x'", and what is wrong with it, "is not a number": a place may go between the two."""

    def __init__(self, text: str, wrong: str) -> None:
        super().__init__(f"{clipped(text)} {wrong}")
        self.found, self.wrong = clipped(text), wrong


def number(text: str, decimal: str = ".") -> float:
    """The double nearest to the text, whose decimal mark is a point or the one given. Raises NotANumberError.

    Plain decimals only: float() would also take underscores and other scripts' digits. "nan" and "inf" are numbers
    here; whether they can be weights is for later.
    """
    if decimal != ".":
        return _with_mark(text, decimal)
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


def _with_mark(text: str, decimal: str) -> float:
    if "." in text:
        raise NotANumberError(text, f"is not a number with {decimal!r} for a decimal mark")
    try:
        return number(text.replace(decimal, "."))
    except NotANumberError as error:
        raise NotANumberError(text, error.wrong) from None


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


def numbers(cells: Sequence[str], where: Callable[[int], str], inside: str = "", decimal: str = ".") -> list[float]:
    """Every cell's number. where(i): the place of cell i. inside: " in column 'p'", said after what stands there."""
    if decimal == "." and _PLAIN.fullmatch(
        "".join(cells)
    ):  # in this alphabet float() takes just what `number` takes, ten times faster
        try:
            values = list(map(float, cells))
        except ValueError:
            values = []
        if values and all(0 < abs(value) < inf or _ZERO.match(cell) for value, cell in zip(values, cells, strict=True)):
            return values
    values = []
    for i, cell in enumerate(cells):
        try:
            values.append(number(cell, decimal))
        except NotANumberError as error:
            message = f"{where(i)}: {error.found}{inside} {error.wrong}"
            raise InputError(message) from None
    return values


PATTERN = _NUMBER.pattern
"""How numbers are written, letters large or small: a regular expression for all of a text without blanks around it."""


def is_number(text: str, decimal: str = ".") -> bool:
    """Whether `number` takes the text."""
    try:
        number(text, decimal)
    except NotANumberError:
        return False
    return True


def items(text: str, decimal: str = ".") -> list[str]:
    """The parts of a list separated by commas, semicolons or white space; a decimal comma separates nothing."""
    return (_SEPARATOR if decimal != "," else _WITHOUT_COMMA).split(text.strip())


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
