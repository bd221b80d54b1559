"""JSON: values and their pointers, and the distributions that they are."""

from __future__ import annotations

import json
import re
from functools import cached_property
from math import inf, nan
from typing import TYPE_CHECKING, Any

import numpy as np

from klcli.errors import DistributionError, InputError, clipped, listed, nearest, no_such, typed
from klcli.model import Distribution, frozen
from klcli.readers.distributions import Members, add_up, added_up, once
from klcli.readers.numbers import POINT, NotANumberError, is_blank, is_number, mend, number, refuse_mixed_percent
from klcli.readers.sources import STDIN, column_of, no_pointer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from klcli.model import Array
    from klcli.readers.numbers import Notation
    from klcli.readers.sources import Source
    from klcli.readers.tables.table import Table


class _Object(dict[str, Any]):
    """A JSON object that remembers a key that stood twice: a plain dict would keep the last and say nothing.

    pairs: all keys and values where one did.
    """

    repeated: str | None = None
    pairs: Sequence[tuple[str, Any]] = ()


def object_of(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """The object with these keys and values, which knows of a key that stands twice; see `no_repeated_key`."""
    made = _Object(pairs)
    if len(made) < len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                made.repeated, made.pairs = key, pairs
            seen.add(key)
    return made


class Unheld(float):
    """A number that no double holds: its nearest double is 0, and it is not, or infinite. text: how it was written."""

    text: str

    @classmethod
    def checked(cls, text: str) -> float:
        """The double nearest to the text of a JSON number, if there is one."""
        value = float(text)
        if abs(value) < inf and (value or not text.lower().partition("e")[0].strip("-0.")):
            return value
        made = cls(value)
        made.text = text
        return made


_FOLDED = bytes(ord("0") if chr(byte) in "123456789" else byte for byte in range(256))


def _may_be_unheld(text: str) -> bool:
    """Whether a number may stand in the text that no double holds: it has a long exponent, or very many digits."""
    if len(text) < len("1e400"):
        return False
    data = text.encode("utf-8", "surrogatepass").translate(_FOLDED)
    return any(mark in data for mark in (b"e000", b"e-000", b"e+000", b"E000", b"E-000", b"E+000", b"0" * 200))


def whole(digits: str) -> int | float:
    """An integer, which may be a label; of more digits than Python converts none."""
    return int(digits) if len(digits) < 4000 else Unheld.checked(digits)  # noqa: PLR2004


class MalformedJsonError(ValueError):
    """Text that is no JSON value. line: where, counted from 1; 0 where it is all of it."""

    def __init__(self, wrong: str, line: int = 0) -> None:
        super().__init__(wrong)
        self.line = line


def decode(text: str) -> Any:  # noqa: ANN401 - any JSON value
    """The JSON value of the text. NaN and Infinity are taken; whether they can be weights is for later.

    Raises MalformedJsonError.
    """
    try:
        parse_float = Unheld.checked if _may_be_unheld(text) else None
        return json.loads(text, parse_float=parse_float, parse_int=whole, object_pairs_hook=object_of)
    except json.JSONDecodeError as error:
        what = error.msg[:1].lower() + error.msg[1:].removesuffix(":")
        wrong = f"malformed JSON at column {error.colno}: {what}"
        if what == "extra data" and error.lineno > 1:
            wrong += "; for a JSON value a line add --input-format ndjson"
        raise MalformedJsonError(wrong, error.lineno) from None
    except RecursionError:
        wrong = "the JSON is nested too deeply; point at the distribution with #/KEY"
        raise MalformedJsonError(wrong) from None


def load(text: str, source: str, *, line: int = 0) -> Any:  # noqa: ANN401 - any JSON value
    """The JSON value of a source's text, or of one line of it. Raises InputError."""
    try:
        return decode(text)
    except MalformedJsonError as error:
        at = f":{line or error.line}" if error.line else ""
        message = f"{source}{at}: {error}"
        raise InputError(message) from None


def load_source(source: Source) -> Any:  # noqa: ANN401 - any JSON value
    """The JSON value that a source is. Raises InputError."""
    return load(source.text, source.name)


_OF_R = re.compile(r"^[ \t]*\[\d+\](?=[ \t]+[^\s\[])", re.ASCII | re.MULTILINE)
_IN_R = re.compile(r'"((?:[^"\\]|\\.)*)"|(\S+)')
"""R writes in front of each line of a vector which of its items comes first: [13] 0.4 0.6."""


def load_printed(text: str, source: str) -> Any:  # noqa: ANN401 - any JSON value
    """The value of an argument or of plain text: JSON, else what R, Python, NumPy or PyTorch print.

    Raises InputError.
    """
    try:
        return decode(text)
    except MalformedJsonError as error:
        if all(map(_OF_R.match, text.strip().split("\n"))):
            printed = [quoted or bare for quoted, bare in _IN_R.findall(_OF_R.sub("", text))]
            return [number(word) if is_number(word) else word for word in printed]
        if not error.line:
            message = f"{source}: {error}"
            raise InputError(message) from None
        from klcli.readers.python_literals import NotALiteralError, is_printed, literal

        try:
            return literal(text, source)
        except NotALiteralError as other:
            wrong = str(other) if is_printed(text) else str(error)
            message = f"{source}{'' if is_printed(text) else f':{error.line}'}: {wrong}"
            raise InputError(message) from None


class Document(Members):
    """A JSON value: a distribution, an object of several, or a list of records, which is a table.

    content: the value, but for the answer of a language model the positions of its text. blank: see `Notation`.
    where(i): the place of its i-th item. repeats: what keys that stand twice in a distribution do, as --repeats says;
    None where there is no such option.
    """

    repeats: str | None = None

    def __init__(
        self,
        source: str,
        value: Any,  # noqa: ANN401
        blank: str = "error",
        where: Callable[[int], str] | None = None,
    ) -> None:
        super().__init__(source)
        self.value, self.blank, self.where = value, blank, where or _item_of(source)

    @cached_property
    def content(self) -> Any:  # noqa: ANN401 - any JSON value
        """The value; of a language model's answer the positions of its text, each a distribution.

        The first position is left out where nothing stands before it and it is null.
        """
        if isinstance(self.value, dict) and not self.value.keys().isdisjoint(_ANSWER):
            from klcli.readers.tokens import positions

            return positions(self.value)
        if isinstance(self.value, list) and self.value[:1] == [None]:
            from klcli.readers.tokens import is_positions

            return self.value[1:] if is_positions(self.value) else self.value
        return self.value

    def at(self, pointer: str) -> Document:
        """What an RFC 6901 pointer leads to. Raises InputError."""
        return Document(f"{self.source}#{pointer}", resolve(self.value, pointer, self.source), self.blank)

    def table(self) -> Table | None:
        """The table that a list of objects is, None where it is none. Raises InputError for a key that stands twice.

        So is an object of columns, and what pandas writes with orient='split' or 'table'. A list of tokens with their
        probabilities is none.
        """
        value, source = self.content, self.source
        if isinstance(value, dict) and any(isinstance(member, list | dict) for member in value.values()):
            from klcli.readers.tables.records import records_of

            value = records_of(value, source) or value
        while isinstance(value, list) and len(value) == 1 and _is_of(value[0], dict):
            value = value[0]  # what a pipeline of one text answers
        if not _is_of(value, dict):
            return None
        if any(
            mark in value[0] or (isinstance(cell, dict) and mark in cell) for mark in _TOKEN for cell in _some(value)
        ):
            from klcli.readers.tokens import is_positions

            if is_positions(value):
                return None
        from klcli.readers.tables.records import table_of

        return table_of(value, source, self.where)

    def _members(self) -> dict[str, Any] | None:
        """The named values, where this is an object of lists or objects rather than of numbers."""
        value = self.content
        if isinstance(value, dict) and any(isinstance(member, list | dict) for member in value.values()):
            from klcli.readers.tokens import distribution

            return None if distribution("", value, self.source) is not None else value
        return None

    def names(self) -> list[str]:
        """The keys that hold distributions; [''] where the value itself is one."""
        members = self._members()
        return [""] if members is None else [k for k, v in members.items() if isinstance(v, list | dict)]

    def numeric(self) -> list[str]:
        """The keys whose members are lists or objects of numbers. Raises InputError where one is so in part."""
        members = self._members()
        return [""] if members is None else [name for name in self.names() if self._is_numeric(name, members[name])]

    @property
    def doubtful(self) -> list[str]:
        """The keys whose members are lists of text, which may be labels, and the first where it seems to hold keys."""
        from klcli.readers.tables.roles import holds_keys

        members = self._members() or {}
        words = [name for name, member in members.items() if _is_of(member, str) and not any(map(is_number, member))]
        first, given = next(iter(members.items()), ("", None))
        keys = isinstance(given, list) and all(map(is_json_number, given)) and holds_keys(first, np.array(given, float))
        return [*words, *[first] * keys]

    def _is_numeric(self, name: str, member: Any) -> bool:  # noqa: ANN401
        """Whether all the values in a member are numbers, or text that may be. Raises InputError where some are."""
        inside: Any = list(member.values()) if isinstance(member, dict) else member
        while _is_of(inside, list):
            inside = inside[0]
        if _is_of(inside, dict):
            return True
        given = _filled(inside, self.blank)
        numbers = [is_json_number(value) or isinstance(value, str) for value in given]
        if any(numbers) and not all(numbers):
            self.member(name)  # which says where it is none
        return bool(numbers) and all(numbers)

    def member(self, name: str = "") -> Distribution:
        """The member of that name; for the empty name the value itself. Raises InputError, DistributionError."""
        members = self._members()
        if name not in ([""] if members is None else members):
            raise no_such(self.source, name, self.names() if members else [], "key")
        no_repeated_key(members, self.source)
        value, source = (self.content, self.source) if members is None else (members[name], f"{self.source}#/{name}")
        try:
            return distribution_of(name, value, source, self.repeats, self.blank)
        except InputError as error:
            place = None if self.is_inline else next(_pointers(self.value), None)
            if place is None or "; " in str(error):
                raise
            message = f"{error}; point at what is meant, as {typed(self._pointed(place))}"
            raise InputError(message) from None

    def address(self, name: str) -> str:
        """How a member is written as an argument: SOURCE#/KEY."""
        return self._pointed(_token(name))

    def _pointed(self, pointer: str) -> str:
        source = self.source.replace(STDIN, "-", 1) if self.source.startswith(STDIN) else self.source
        return f"{source}{pointer}" if "#" in source else f"{source}#{pointer}"


def _token(key: str) -> str:
    """A key as part of a pointer."""
    return f"/{key.replace('~', '~0').replace('/', '~1')}"


def _pointers(value: Any, place: str = "") -> Iterator[str]:  # noqa: ANN401
    """Where in a value there are numbers, or records with some, several of them side by side."""
    if not isinstance(value, list | dict):
        return
    inside = _inside(value)
    records = isinstance(value, list) and all(
        isinstance(item, dict) and any(map(is_json_number, item.values())) for item in inside
    )
    if place and len(inside) > 1 and (records or all(map(is_json_number, inside))):
        yield place
        return
    for key, item in zip(value if isinstance(value, dict) else range(len(value)), inside, strict=True):
        yield from _pointers(item, place + _token(str(key)))


class Archive(Document):
    """The arrays of an .npz file, by name."""

    def at(self, pointer: str) -> Document:
        """Raises InputError: an archive has no JSON in it."""
        return no_pointer(self.source, pointer)

    def address(self, name: str) -> str:
        """How a member is written as an argument: SOURCE:NAME."""
        return column_of(self.source, name)


def has_repeated_key(value: Any) -> bool:  # noqa: ANN401
    """Whether this is an object in which a key stood twice."""
    return isinstance(value, _Object) and value.repeated is not None


def no_repeated_key(
    value: Any,  # noqa: ANN401
    source: str,
    what: str = "label",
    mend: str = "add the two up",
) -> None:
    """Raises DistributionError where a label of an object stood twice, InputError where it is a record's key."""
    if isinstance(value, _Object) and value.repeated is not None:
        found = f"{source}: the {what} {clipped(value.repeated)} stands twice"
        if what == "key":
            message = f"{found}; keep one"
            raise InputError(message)
        message = f"{found}; {mend}"
        raise DistributionError(message)


def distribution_of(
    name: str,
    value: Any,  # noqa: ANN401
    source: str,
    repeats: str | None = None,
    blank: str = "error",
) -> Distribution:
    """The distribution that a list of numbers or an object of label: number is. source: what errors call it.

    repeats: what a label that stands twice does, as --repeats says; None where there is no such option. blank: what
    null is, and text that says that there is no number: see `Notation`.

    So are lists in lists, an outcome for each place in them; lists of a label and a number each; tokens of a language
    model. Raises InputError for anything else, DistributionError where a label stands twice.
    """
    nested = isinstance(value, dict | list) and any(isinstance(item, dict | list) for item in _inside(value))
    if nested and (found := _of_parts(name, value, source, repeats, blank)) is not None:
        return found
    if isinstance(value, dict):
        pairs: Sequence[tuple[str, Any]] = list(value.items())
        if repeats == "sum" and isinstance(value, _Object):
            pairs = value.pairs or pairs
        else:
            no_repeated_key(value, source, mend=add_up(repeats))
        labels = [label for label, _ in pairs]
        where = _label_of(source, labels)
        numbers = _numbers([number for _, number in pairs], where, blank)
        return added_up(Distribution(name, source, numbers, where, labels), gaps=blank == "skip")
    if isinstance(value, list):
        where = _item_of(source)
        return Distribution(name, source, _numbers(value, where, blank), where)
    message = f"{source}: {_shown(value)} is no distribution; a list of numbers or an object of label: number is"
    raise InputError(message)


def _item_of(source: str) -> Callable[[int], str]:
    return lambda i: f"{source}, item {i + 1}"


def _label_of(source: str, labels: Sequence[str]) -> Callable[[int], str]:
    return lambda i: f"{source}, {clipped(labels[i])}"


def _inside(value: dict[str, Any] | list[Any]) -> Sequence[Any]:
    return list(value.values()) if isinstance(value, dict) else value


def _some(records: list[dict[str, Any]]) -> Sequence[Any]:
    """A value of the first record, or None in its place."""
    return list(records[0].values())[:1] or [None]


def _is_of(value: Any, kind: type) -> bool:  # noqa: ANN401
    """Whether it is a list of things of that kind only, one at least."""
    return isinstance(value, list) and bool(value) and all(isinstance(item, kind) for item in value)


def _of_parts(
    name: str, value: dict[str, Any] | list[Any], source: str, repeats: str | None, blank: str
) -> Distribution | None:
    """The distribution that tokens are, pairs of a label and a number, or lists in lists; None for anything else."""
    from klcli.readers import tokens

    if (found := tokens.distribution(name, value, source)) is not None:
        return found
    if not isinstance(value, list) or not isinstance(value[0], list | dict):
        return None
    pairs = list(map(_pair, value))
    if all(pairs):
        labels, given = (list(side) for side in zip(*pairs, strict=True))
        where = _item_of(source)
        numbers = _numbers(given, where, blank)
        return once(Distribution(name, source, numbers, where, labels), repeats, gaps=blank == "skip")
    if _is_of(value, list) and all(_is_of(item, dict) for item in value):
        message = f"{source}: {len(value)} lists of records, each a distribution; add --rows to take each by itself"
        raise InputError(message)
    if isinstance(value[0], dict):
        return None
    from klcli.readers.nested import brackets, several_axes, stacked

    return several_axes(name, stacked(_filled(value, blank), brackets(source), mend("", POINT)), source)


def _pair(item: Any) -> tuple[Any, ...]:  # noqa: ANN401
    """A label and its number, from a list of the two or an object in which they stand; () for anything else."""
    inside = list(item.values()) if isinstance(item, dict) else item
    if not isinstance(inside, list) or len(inside) != 2:  # noqa: PLR2004
        return ()
    label, weight = inside[::-1] if isinstance(item, dict) and isinstance(inside[1], str) else inside
    return (label, weight) if isinstance(label, str) and (is_json_number(weight) or is_blank_value(weight)) else ()


def _numbers(values: Sequence[Any], where: Callable[[int], str], blank: str) -> Array:
    values = _filled(values, blank)
    found = []
    for i, value in enumerate(values):
        try:
            found.append(number_of(value, where, i))
        except InputError as error:
            message = f"{error}{mend('', POINT) if is_blank_value(value) else ''}"
            raise InputError(message) from None
    if any(isinstance(value, str) for value in values):
        refuse_mixed_percent(list(map(str, values)), found, where)
    return frozen(found)


def is_blank_value(value: Any) -> bool:  # noqa: ANN401
    """Whether a JSON value says that there is no number: null, NaN, or text that a blank cell of a table may hold."""
    return value is None or (isinstance(value, str) and is_blank(value)) or value != value  # noqa: PLR0124 - NaN


def _filled(value: Any, blank: str) -> Any:  # noqa: ANN401
    """A value, or the values in lists, with the number that a blank one stands for, as `Notation` has it."""
    if blank == "error":
        return value
    if isinstance(value, list):
        return [_filled(item, blank) for item in value]
    return (0.0 if blank == "zero" else nan) if is_blank_value(value) else value


def is_json_number(value: Any) -> bool:  # noqa: ANN401
    """Whether a JSON value is a number; true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def number_of(
    value: Any,  # noqa: ANN401
    where: Callable[[int], str],
    i: int,
    notation: Notation | None = None,
) -> float:
    """The number that a JSON value is, or that its text is. Raises InputError, too where no double holds it.

    notation: of text in a table, None where the options for that do not matter.
    """
    if isinstance(value, Unheld):
        value = value.text
    elif is_json_number(value):
        try:
            return float(value)
        except OverflowError:
            value = str(value)
    if isinstance(value, str):
        try:
            return number(value, notation or POINT)
        except NotANumberError as error:
            message = f"{where(i)}: {error}{mend(value, notation) if notation else ''}"
            raise InputError(message) from None
    message = f"{where(i)}: {_shown(value)} is not a number"
    raise InputError(message)


def _shown(value: Any) -> str:  # noqa: ANN401
    if isinstance(value, list | dict):
        return f"a JSON {'list' if isinstance(value, list) else 'object'}"
    return json.dumps(value, default=str) if not isinstance(value, str) else clipped(value)


def resolve(value: Any, pointer: str, source: str) -> Any:  # noqa: ANN401
    """What the pointer leads to. Source: RFC 6901."""
    if pointer and not pointer.startswith("/"):
        message = f"{source}: the JSON pointer {clipped('#' + pointer)} must start with #/"
        raise InputError(message)
    path = ""
    for part in pointer.split("/")[1:]:
        token = part.replace("~1", "/").replace("~0", "~")
        here = f"{source}#{path}" if path else source
        if isinstance(value, dict):
            if token not in value:
                message = f"{here}: no key {clipped(token)}; it has {listed(value) or 'none'}.{nearest(token, value)}"
                raise InputError(message)
            no_repeated_key(value, here)
            value = value[token]
        elif isinstance(value, list):
            if not re.fullmatch(r"0|[1-9]\d{0,17}", token, re.ASCII) or int(token) >= len(value):
                message = f"{here}: no item {clipped(token)}; it is a list of {len(value)}, counted from 0"
                raise InputError(message)
            value = value[int(token)]
        else:
            message = f"{here}: {_shown(value)} has nothing inside for {clipped(token)}"
            raise InputError(message)
        path += f"/{part}"
    return value


_ANSWER = frozenset({"choices", "logprobs", "content", "completion_probabilities", "prompt_logprobs", "top_logprobs"})
"""Of these keys one at least stands in the answer of a language model that has probabilities."""

_TOKEN = ("token", "logprob", "probs", "top_logprobs")
"""Of these keys one at least stands in a token."""


def lines_of(source: Source) -> tuple[list[Any], Callable[[int], str]]:
    """The JSON values of NDJSON, one a line, and the place of each. Raises InputError."""
    lines = [(i, line) for i, line in enumerate(source.text.split("\n"), 1) if line.strip()]
    return [load(line, source.name, line=i) for i, line in lines], lambda i: f"{source.name}:{lines[i][0]}"
