"""Values as Python, NumPy, PyTorch and their like print them: [2., 1.], [0.4 0.6], array([...], dtype=float32).

Nothing is evaluated: the text is taken apart by a grammar of literals, and of calls whose names stand in a list.
"""

from __future__ import annotations

import re
from math import inf, nan
from typing import TYPE_CHECKING, Any

from klcli.errors import InputError, clipped
from klcli.readers.documents import Unheld, is_json_number, object_of, whole

if TYPE_CHECKING:
    from collections.abc import Callable

_PAIRED = frozenset({"Counter", "OrderedDict", "defaultdict", "dict", "dict_items", "odict_items", "mappingproxy"})
"""What prints a list of (label, weight) where it is not a dictionary."""

_SCALARS = r"(?:float|int|uint|bool|str|complex)\d*_?|longdouble|Decimal|Fraction"

_CALLED = re.compile(
    rf"(?:[A-Za-z_]\w*\.)*(?:array|Array|tensor|Tensor|matrix|masked_array|Parameter|deque|list|tuple|dict_values"
    rf"|set|frozenset|{'|'.join(sorted(_PAIRED))}|{_SCALARS})(?!\w)",
    re.ASCII,
)
"""The names that may stand before a bracket; no family of distributions has one of them."""

_TOKEN = re.compile(
    r"""\s*(?:
    (?P<number>[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|inf|nan)(?![\w.])) |
    (?P<string>[bu]?(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")) |
    (?P<cut>\.\.\.) | (?P<name>[A-Za-z_][\w.]*) | (?P<mark>[][(){},:=]) | (?P<thing><[^<>]*>) | (?P<end>$))""",
    re.VERBOSE | re.ASCII | re.DOTALL,
)

_TENSORFLOW = re.compile(r"<tf\.\w+.*?\bnumpy=(.*)>\s*", re.DOTALL)

_DEEPEST = 100

_CONSTANTS = {"True": True, "False": False, "None": None}


class NotALiteralError(ValueError):
    """The text is not what Python or a library prints for values."""


class _Tuple(list[Any]):
    """A tuple; only what contains it needs to know that it is none of the lists."""


class _Name(str):
    """A bare word, which only the value of an option such as dtype=float32 may be."""

    __slots__ = ()


def is_printed(text: str) -> bool:
    """Whether the text begins as something does that Python prints and that is not JSON: with ( or a call's name."""
    text = _bare(text)
    if text.startswith("("):
        return "=" not in text  # else it is a pair: (a)=0.4
    called = _CALLED.match(text)
    return called is not None and text[called.end() :].lstrip()[:1] == "("


def literal(text: str, source: str) -> Any:  # noqa: ANN401 - any JSON value
    """The value that the text shows, as JSON has it: lists, objects of text, numbers.

    Raises NotALiteralError where it shows none, InputError where it does but part of it cannot be had from the text.
    """
    return _listed(_LiteralReader(_bare(text), source).all())


def _bare(text: str) -> str:
    text = text.strip().removeprefix("Parameter containing:").lstrip()
    in_tensorflow = _TENSORFLOW.fullmatch(text)
    return in_tensorflow[1] if in_tensorflow else text


def _listed(value: Any) -> Any:  # noqa: ANN401
    return list(value) if isinstance(value, _Tuple) else value


class _LiteralReader:
    """Reads one value, token by token."""

    def __init__(self, text: str, source: str) -> None:
        self._text, self._source, self._at, self._depth = text, source, 0, 0
        self._kind = self._token = ""
        self._next()

    def all(self) -> Any:  # noqa: ANN401
        """The value that the whole text is."""
        value = self._value()
        if self._kind != "end" or isinstance(value, _Name):
            raise self._unexpected()
        return value

    def _next(self) -> str:
        """Goes to the next token. Returns the one before."""
        before = self._token
        match = _TOKEN.match(self._text, self._at)
        if match is None:
            raise self._unexpected()
        self._kind = str(match.lastgroup)
        self._token, self._at = match[self._kind], match.end()
        if self._kind == "cut":
            message = (
                f"{self._source}: '...' stands where numbers were left out of what was printed; print all of them: "
                "numpy.set_printoptions(threshold=10**9), torch.set_printoptions(profile='full')"
            )
            raise InputError(message)
        return before

    def _unexpected(self) -> NotALiteralError:
        at = self._at - len(self._token)
        return NotALiteralError(f"unexpected {clipped(self._text[at : at + 12])} at character {at + 1}")

    def _take(self, mark: str) -> bool:
        if not self._stands(mark):
            return False
        self._next()
        return True

    def _stands(self, mark: str) -> bool:
        return self._kind == "mark" and self._token == mark

    def _go_on_to(self, end: str) -> None:
        """Takes the comma before another item, unless the closing bracket is next."""
        if not self._take(",") and not self._stands(end):
            raise self._unexpected()

    def _need(self, mark: str) -> None:
        if not self._take(mark):
            raise self._unexpected()

    def _value(self, *, pairs: bool = False) -> Any:  # noqa: ANN401, PLR0911 - a return for each kind of token
        """The value that begins here. pairs: a list of (key, value) is a dictionary, whatever the keys are."""
        if self._kind == "number":
            return _number(self._next())
        if self._kind == "string":
            return _string(self._next())
        if self._kind == "thing":
            return _Name(self._next())
        if self._kind == "name":
            name = self._next()
            if self._take("("):
                return self._nested(lambda: self._called(name))
            return _CONSTANTS[name] if name in _CONSTANTS else _Name(name)
        if self._take("["):
            return self._nested(lambda: self._of_pairs(self._items("]"), always=pairs))
        if self._take("("):
            return self._nested(self._tuple)
        if self._take("{"):
            return self._nested(self._dictionary)
        raise self._unexpected()

    def _nested(self, read: Callable[[], Any]) -> Any:  # noqa: ANN401
        self._depth += 1
        if self._depth > _DEEPEST:
            message = f"{self._source}: lists more than {_DEEPEST} deep; give the innermost one"
            raise InputError(message)
        value = read()
        self._depth -= 1
        return value

    def _items(self, end: str) -> list[Any]:
        """Values up to the closing bracket, all between commas or, as NumPy prints them, all between blanks."""
        items: list[Any] = []
        commas = 0
        while not self._take(end):
            item = self._value()
            if isinstance(item, _Name):
                raise self._unexpected()
            items.append(item)
            comma = self._take(",")
            commas += comma
            if not comma and commas and not self._stands(end):
                raise self._unexpected()
            if comma and commas < len(items):
                raise self._unexpected()
        return items

    def _tuple(self) -> Any:  # noqa: ANN401
        start = self._at
        items = self._items(")")
        if len(items) == 1 and "," not in self._text[start - 1 : self._at]:
            return items[0]
        return _Tuple(map(_listed, items))

    def _of_pairs(self, items: list[Any], *, always: bool) -> Any:  # noqa: ANN401
        """A list as it is, but a dictionary where it holds tuples of a label and a number. Raises InputError."""
        paired = items and all(isinstance(item, _Tuple) and len(item) == 2 for item in items)  # noqa: PLR2004
        if paired and (always or all(isinstance(item[0], str) for item in items)):
            return object_of([(self._key(key), value) for key, value in items])
        if paired and all(type(item[0]) is int and is_json_number(item[1]) for item in items):
            first = items[0]
            message = (
                f"{self._source}: ({first[0]}, {first[1]}) may be a label and its count, or two weights; "
                f"write {{{first[0]}: {first[1]}, ...}} or [[{first[0]}, {first[1]}], ...]"
            )
            raise InputError(message)
        return [_listed(item) for item in items]

    def _dictionary(self) -> dict[str, Any]:
        pairs = []
        while not self._take("}"):
            key = self._key(self._value())
            if self._stands(",") or self._stands("}"):
                message = f"{self._source}: a set has no order and no two equal weights; write a list, as [0.4, 0.6]"
                raise InputError(message)
            self._need(":")
            pairs.append((key, _listed(self._value())))
            self._go_on_to("}")
        return object_of(pairs)

    def _key(self, key: Any) -> str:  # noqa: ANN401
        """A dictionary's key as a label; that of several parts has commas between them."""
        if isinstance(key, list):
            return ",".join(map(self._key, key))
        if isinstance(key, _Name | dict):
            raise self._unexpected()
        return str(key)

    def _called(self, name: str) -> Any:  # noqa: ANN401
        """What a call shows: its last argument without a name, of those that a list of names allows."""
        known = _CALLED.fullmatch(name) is not None
        last = name.rpartition(".")[2]
        given, named = [], {}
        while not self._take(")"):
            value = self._value(pairs=last in _PAIRED)
            if isinstance(value, _Name) and self._take("="):
                named[value] = self._value()
            elif not isinstance(value, _Name):
                given.append(value)
            self._go_on_to(")")
        if not known:
            return _Name(name)  # as in dtype=dtype('int8')
        if last in {"set", "frozenset"} or "mask" in named:
            what = "a set has no order" if "mask" not in named else "some of this array is masked"
            message = f"{self._source}: {what}; write a list, as [0.4, 0.6]"
            raise InputError(message)
        if last == "Fraction" and len(given) == 2 and all(type(n) is int for n in given):  # noqa: PLR2004
            return f"{given[0]}/{given[1]}"
        return given[-1] if given else {} if last in _PAIRED else []


def _number(text: str) -> float:
    sign = -1 if text.startswith("-") else 1
    word = text.lstrip("+-")
    if word in {"inf", "nan"}:
        return sign * (inf if word == "inf" else nan)
    return whole(text) if word.isdigit() else Unheld.checked(text)


def _string(token: str) -> str:
    if "\\" not in token and token[0] in "'\"":
        return token[1:-1]
    from ast import literal_eval

    try:
        value = literal_eval(token)
    except (ValueError, SyntaxError) as error:
        raise NotALiteralError(str(error)) from None
    return value if isinstance(value, str) else str(value, "utf-8", "replace")
