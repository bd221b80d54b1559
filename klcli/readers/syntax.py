"""The grammar of formulas, as `expressions` gives it: from text to what stands where, by recursive descent."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NoReturn

from klcli.errors import InputError, clipped
from klcli.readers.numbers import NotANumberError, number
from klcli.tuples import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from klcli.errors import KlcliError

_SPACE = re.compile(r"\s*")
_NAME = re.compile(r"[^\W\d]\w*")
_NAMED = re.compile(r"([^\W\d]\w*)\s*=")
_RUN = re.compile(r"[-+]?(?:[^-+\s,;:()\[\]=@*]|(?<=\d[eE])[-+]|(?<=\.[eE])[-+])*")
"""What stands where a number is expected, up to the next thing that can be no part of one."""

_NUMBER_BEGINS = tuple("+-.0123456789")

_DEEPEST = 2
"""Lists of lists are matrices; nothing is deeper."""


class Said(NamedTuple):
    """What was typed, and for what: errors are made of it."""

    text: str
    role: str

    def wrong(self, kind: type[KlcliError], at: int, message: str) -> KlcliError:
        """An error about the character `at`, counted from 0."""
        return kind(f"{self.role}, character {at + 1}: {message}").pointing(self.text, at)


class Number(NamedTuple):
    """A number as it was typed. at: where it begins."""

    at: int
    text: str
    value: float


class List(NamedTuple):
    """Numbers in square brackets, or rows of them. at: where it begins."""

    at: int
    items: tuple[Number | List, ...]


class Argument(NamedTuple):
    """A value and the name that it was given, if any. at: where the name begins, or the value."""

    at: int
    name: str
    value: Number | List


class Term(NamedTuple):
    """A family and its arguments. at: where the name stands. end: where the bracket closes."""

    at: int
    name: str
    weight: Number | None
    arguments: tuple[Argument, ...]
    end: int


class Tree(NamedTuple):
    """All of a formula. grid: START, STOP, STEP. grid_at: where its @ stands."""

    terms: tuple[Term, ...]
    grid: tuple[Number, Number, Number] | None
    grid_at: int


def read(said: Said) -> Tree:
    """What the text says, word by word. Raises InputError, pointing at what does not belong there."""
    return _FormulaReader(said).formula()


class _FormulaReader:
    """Goes through the text from left to right."""

    def __init__(self, said: Said) -> None:
        self._said, self._text, self._at, self._last = said, said.text, 0, ""

    def formula(self) -> Tree:
        """All of the text."""
        terms = [self._term()]
        while self._took("+"):
            terms.append(self._term())
        at, grid = self._at, None
        if self._took("@"):
            start = self._number()
            self._take(":", "':' and STOP")
            stop = self._number()
            self._take(":", "':' and STEP")
            grid = (start, stop, self._number())
        if self._at < len(self._text):
            self._fail("the end" if grid else "'+', '@' or the end")
        return Tree(tuple(terms), grid, at)

    def _term(self) -> Term:
        weight = None
        if self._text.startswith(_NUMBER_BEGINS, self._at):
            weight = self._number()
            self._take("*", "'*' and a family")
        at = self._at
        found = _NAME.match(self._text, at)
        if found is None:
            self._fail("a family")
        name = self._advance(found.end())
        self._take("(", "'('")
        arguments: list[Argument] = []
        while not (self._is_next(")") and not arguments):
            arguments.append(self._argument(arguments))
            if not self._took(","):
                break
        end = self._at
        self._take(")", "',' or ')'")
        return Term(at, name, weight, tuple(arguments), end)

    def _argument(self, before: Sequence[Argument]) -> Argument:
        at, name = self._at, ""
        if found := _NAMED.match(self._text, at):
            name = found[1]
            self._advance(found.end())
        elif before and before[-1].name:
            message = f"what follows {before[-1].name}= needs its name too: values without a name come first"
            raise self._said.wrong(InputError, at, message)
        return Argument(at, name, self._value(0))

    def _value(self, depth: int) -> Number | List:
        at = self._at
        if not self._is_next("["):
            return self._number()
        if depth == _DEEPEST:
            message = "a list in a list of lists; a matrix is a list of rows, as [[1,0],[0,1]]"
            raise self._said.wrong(InputError, at, message)
        self._take("[", "'['")
        items = [self._value(depth + 1)]
        while self._took(","):
            items.append(self._value(depth + 1))
        self._take("]", "',' or ']'")
        return List(at, tuple(items))

    def _number(self) -> Number:
        at = self._at
        found = _RUN.match(self._text, at)
        if found is None or not found[0]:
            self._fail("a number")
        try:
            value = number(found[0])
        except NotANumberError as error:
            raise self._said.wrong(InputError, at, f"{error.found} {error.wrong.partition(';')[0]}") from None
        return Number(at, self._advance(found.end()), value)

    def _is_next(self, mark: str) -> bool:
        return self._text.startswith(mark, self._at)

    def _took(self, mark: str) -> bool:
        """Whether the mark is next; it is then behind us."""
        if not self._is_next(mark):
            return False
        self._advance(self._at + len(mark))
        return True

    def _take(self, mark: str, expected: str) -> None:
        if not self._took(mark):
            self._fail(expected)

    def _advance(self, end: int) -> str:
        """What stands up to there; goes on behind it and the white space after it."""
        self._last = self._text[self._at : end]
        space = _SPACE.match(self._text, end)
        self._at = space.end() if space else end
        return self._last

    def _fail(self, what: str) -> NoReturn:
        """Raises InputError: that should stand here, and something else does, or the end."""
        place = f"must follow {clipped(self._last)}" if self._last else "must come first, as in normal(0,1)"
        raise self._said.wrong(InputError, self._at, f"{what} {place}")
