"""JSON: a list of numbers, an object of label: number, several of these by name, or a list of records."""

from __future__ import annotations

import json
import re
from math import inf
from typing import TYPE_CHECKING, Any

from klcli.errors import DistributionError, InputError, clipped, listed, nearest
from klcli.readers.content import STDIN, Series, all_numbers, column_of, label_column, no_such, unique
from klcli.readers.numbers import NotANumberError, number

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from klcli.readers.content import Content


class _Object(dict[str, Any]):
    """A JSON object that remembers a key that stood twice: a plain dict would keep the last and say nothing."""

    repeated: str | None = None


def object_of(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """The object with these keys and values, which knows of a key that stands twice; see `no_repeated_key`."""
    made = _Object(pairs)
    if len(made) < len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                made.repeated = key
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


def _whole(digits: str) -> int | float:
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
        return json.loads(text, parse_float=parse_float, parse_int=_whole, object_pairs_hook=object_of)
    except json.JSONDecodeError as error:
        what = error.msg[:1].lower() + error.msg[1:].removesuffix(":")
        wrong = f"malformed JSON at column {error.colno}: {what}"
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


def parse(text: str, source: str, label: str | None = None) -> Content:
    """The distributions of a JSON text. label: the key of the labels, where it is a list of records."""
    return content(load(text, source), source, label)


def content(value: Any, source: str, label: str | None = None) -> Content:  # noqa: ANN401
    """The distributions of a JSON value."""
    if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
        return Records(source, value, lambda i: f"{source}, item {i + 1}", label)
    return Document(source, value, label)


class Document:
    """A JSON value that is a distribution, or an object of several."""

    header = None

    def __init__(self, source: str, value: Any, label: str | None = None) -> None:  # noqa: ANN401
        self.source, self._value, self._label = source, value, label

    def _members(self) -> dict[str, Any] | None:
        """The named values, when this is an object of lists or objects rather than of numbers."""
        value = self._value
        if isinstance(value, dict) and any(isinstance(member, list | dict) for member in value.values()):
            return value
        return None

    def names(self) -> list[str]:
        """The keys that hold distributions."""
        members = self._members()
        return [""] if members is None else [k for k, v in members.items() if isinstance(v, list | dict)]

    def numeric(self) -> list[str]:
        """The keys whose members are lists or objects of numbers. Raises InputError where one is so in part."""
        members = self._members()
        return [""] if members is None else [k for k in self.names() if all_numbers(self, k, _count(members[k]))]

    def series(self, name: str) -> Series:
        """The member of that name, or the value itself."""
        members = self._members()
        if not name and members is None:
            return series_of("", self._value, self.source)
        if members is None or name not in members:
            raise no_such(self.source, name, self.names() if members else [], "key")
        no_repeated_key(members, self.source)
        return series_of(name, members[name], f"{self.source}#/{name}")

    def at(self, pointer: str) -> Content:
        """What an RFC 6901 pointer leads to."""
        return content(resolve(self._value, pointer, self.source), f"{self.source}#{pointer}", self._label)

    def address(self, name: str) -> str:
        """SOURCE#/KEY."""
        source = self.source.replace(STDIN, "-", 1) if self.source.startswith(STDIN) else self.source
        token = name.replace("~", "~0").replace("/", "~1")
        return f"{source}/{token}" if "#" in source else f"{source}#/{token}"


def _count(value: Any) -> tuple[int, int]:  # noqa: ANN401
    """How many of how many members are numbers, or text that may be; an empty value has one member, and no number."""
    inside = value.values() if isinstance(value, dict) else value
    return sum(_is_number(v) or isinstance(v, str) for v in inside), len(value) or 1


def no_repeated_key(value: Any, source: str, what: str = "label") -> None:  # noqa: ANN401
    """Raises DistributionError where a label of an object stood twice, InputError where it is a record's key."""
    if isinstance(value, _Object) and value.repeated is not None:
        found = f"{source}: the {what} {clipped(value.repeated)} stands twice"
        if what == "key":
            message = f"{found}; keep one"
            raise InputError(message)
        message = f"{found}; add the two up"
        raise DistributionError(message)


def series_of(name: str, value: Any, source: str) -> Series:  # noqa: ANN401
    """The distribution that a list of numbers or an object of label: number is. source: what errors call it."""
    if isinstance(value, dict):
        no_repeated_key(value, source)
        labels = list(value)

        def where(i: int) -> str:
            return f"{source}, {clipped(labels[i])}"

        return Series(name, _numbers(list(value.values()), where), labels, where)
    if isinstance(value, list):

        def place(i: int) -> str:
            return f"{source}, item {i + 1}"

        return Series(name, _numbers(value, place), None, place)
    message = f"{source}: {_shown(value)} is no distribution; a list of numbers or an object of label: number is"
    raise InputError(message)


def _numbers(values: Sequence[Any], where: Callable[[int], str]) -> list[float]:
    return [number_of(value, where, i) for i, value in enumerate(values)]


def _is_number(value: Any) -> bool:  # noqa: ANN401
    return isinstance(value, int | float) and not isinstance(value, bool)


def number_of(value: Any, where: Callable[[int], str], i: int) -> float:  # noqa: ANN401
    """The number that a JSON value is, or that its text is. Raises InputError, too where no double holds it."""
    if isinstance(value, Unheld):
        value = value.text
    elif _is_number(value):
        try:
            return float(value)
        except OverflowError:
            value = str(value)
    if isinstance(value, str):
        try:
            return number(value)
        except NotANumberError as error:
            message = f"{where(i)}: {error}"
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


class Records:
    """A list of JSON objects, one an outcome: their keys are columns."""

    header = None

    def __init__(
        self, source: str, rows: Sequence[dict[str, Any]], where: Callable[[int], str], label: str | None
    ) -> None:
        self.source, self._rows, self._where, self._label = source, rows, where, label
        for i, row in enumerate(rows):
            no_repeated_key(row, where(i), "key")

    def names(self) -> list[str]:
        """Every key that occurs, in order."""
        return list(dict.fromkeys(key for row in self._rows for key in row))

    def numeric(self) -> list[str]:
        """The keys under which every record has a number."""
        labels = self._label_column()
        return [name for name in self.names() if name != labels and all_numbers(self, name, self._numbers(name))]

    def _numbers(self, name: str) -> tuple[int, int]:
        """How many records have a number under the name, and how many records there are."""
        return sum(_is_number(row.get(name)) for row in self._rows), len(self._rows)

    def _label_column(self) -> str | None:
        """The key of the labels: the one chosen, 'label', or the first without numbers; failing that a mixed first."""
        names = self.names()
        if self._label is not None:
            if self._label not in names:
                raise no_such(self.source, self._label, names, "key")
            return self._label
        return label_column(names, [self._numbers(name) for name in names])

    def series(self, name: str) -> Series:
        """One key's values over all records, labelled by another's."""
        if name not in self.names():
            raise no_such(self.source, name, self.names(), "key")

        def where(i: int) -> str:
            return f"{self._where(i)}, {clipped(name)}"

        values = [number_of(row.get(name), where, i) for i, row in enumerate(self._rows)]
        labels = self._labels(name)
        if labels is not None:
            unique(labels, self._where)
        return Series(name, values, labels, where)

    def _labels(self, name: str) -> list[str] | None:
        column = self._label_column()
        if column is None or column == name:
            return None
        return [self._label_of(i, row.get(column)) for i, row in enumerate(self._rows)]

    def _label_of(self, i: int, value: Any) -> str:  # noqa: ANN401
        if value is None:
            message = f"{self._where(i)}: the label is missing"
            raise InputError(message)
        return value if isinstance(value, str) else json.dumps(value)

    def at(self, pointer: str) -> Content:
        """What an RFC 6901 pointer leads to."""
        return content(resolve(self._rows, pointer, self.source), f"{self.source}#{pointer}", self._label)

    def address(self, name: str) -> str:
        """SOURCE:KEY."""
        return column_of(self.source, name)


def parse_lines(text: str, source: str, label: str | None = None) -> Content:
    """NDJSON: one record a line."""
    rows, lines = [], []
    for i, line in enumerate(text.split("\n"), 1):
        if line.strip():
            row = load(line, source, line=i)
            if not isinstance(row, dict):
                message = f"{source}:{i}: {_shown(row)} is no record; each line of NDJSON is one object"
                raise InputError(message)
            rows.append(row)
            lines.append(i)
    return Records(source, rows, lambda i: f"{source}:{lines[i]}", label)
