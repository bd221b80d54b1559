"""A distribution written as text: JSON, LABEL=NUMBER pairs, or numbers."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from klcli.errors import DistributionError, InputError, clipped
from klcli.readers.distributions import Series, Single, refuse_repeated
from klcli.readers.numbers import NotANumberError, is_number, items, number, numbers
from klcli.readers.sources import exists, is_hidden, near_file, split_selector

if TYPE_CHECKING:
    from collections.abc import Callable

    from klcli.readers.documents import Document

_LIKE_A_NUMBER = re.compile(r"[-+]?[.\d][-+./%eE\d]*")


def looks_like_json(text: str) -> bool:
    """JSON is known by its first character."""
    return text.lstrip()[:1] in {"[", "{"}


def parse(text: str, source: str, decimal: str = ".") -> Document | Single:
    """The distributions that the text is. Raises InputError, naming `source` and the item."""
    if looks_like_json(text):
        from klcli.readers.documents import Document, load

        return Document(source, load(text, source))
    if not text.strip():
        message = f"{source} is empty; write numbers like 0.4,0.6, pairs like cat=0.7,dog=0.3, or a file"
        raise InputError(message)
    if "=" in text:
        return _pairs(text, source, decimal)
    if any(len(items(line, decimal)) > 1 for line in text.strip().split("\n")[1:]):
        message = f"{source}: several numbers on each of several lines; for a table add --input-format csv, or :COLUMN"
        raise InputError(message)
    values = numbers(items(text, decimal), _item(source), decimal=decimal)
    return Single(source, Series("", values, None, _item(source)))


LONGEST_NAME = 60
"""An argument is its own name, which a result repeats: longer ones are cut."""


def name_of(text: str) -> str:
    """What an argument is called in a result."""
    text = text.strip()
    return text if len(text) <= LONGEST_NAME else f"{text[: LONGEST_NAME - 1]}…"


class Grammar(NamedTuple):
    """How an argument is read. parse: as text, given the role. read: as SOURCE. is_file: whether a suffix is a file's.

    example: what else to write, said where it is neither.
    """

    parse: Callable[[str, str], Any]
    read: Callable[[str], Any]
    is_file: Callable[[str], bool]
    example: str


def argument(text: str, role: str, grammar: Grammar, decimal: str = ".") -> Any:  # noqa: ANN401 - what the grammar reads
    """What an argument is: "-" and "@" say file at once, else text, else a file that exists. Raises InputError."""
    if text == "-" or text.startswith(("-:", "-#")):
        return grammar.read(text)
    text = text.strip()
    if text.startswith("@"):
        return grammar.read(text[1:])
    try:
        return grammar.parse(text, role)
    except (InputError, DistributionError) as error:
        path, _, _ = split_selector(text)
        if exists(path) or is_hidden(path):
            return grammar.read(text)
        meant = looks_like_json(text) or means_numbers(text, decimal)
        if not text or (meant and not grammar.is_file(path)):
            raise
        hint = near_file(Path(path)) or f"; {grammar.example}"
        message = f"{role}: {clipped(path)} is neither numbers nor a file that exists{hint}"
        raise InputError(message) from error


def is_inline(text: str, decimal: str = ".") -> bool:
    """Whether the text of a file or of standard input is what an argument may be, rather than a CSV table.

    It is when it is one line, or its first line is numbers or pairs; a header is neither.
    """
    first, _, rest = text.strip().partition("\n")
    return (
        looks_like_json(text)
        or not rest
        or all(is_number(item, decimal) or "=" in item for item in items(first, decimal))
    )


def means_numbers(text: str, decimal: str = ".") -> bool:
    """Whether somebody meant numbers or pairs, even if some of it is neither."""
    parts = items(text, decimal)
    return (
        "=" in parts[0]
        or any(is_number(part, decimal) for part in parts)
        or _LIKE_A_NUMBER.fullmatch(parts[0]) is not None
    )


def _item(source: str) -> Callable[[int], str]:
    return lambda i: f"{source}, item {i + 1}"


def _pairs(text: str, source: str, decimal: str) -> Single:
    where = _item(source)
    labels, values = [], []
    for i, item in enumerate(re.split(r"[;\n]" if decimal == "," else r"[,\n]", text.strip())):
        label, equals, weight = item.rpartition("=")
        if not equals:
            message = f"{where(i)}: {clipped(item)} is no LABEL=NUMBER pair, and others here are"
            raise InputError(message)
        if re.search(r"=\s*[-+.\d][^=]*[;\s]", label.strip()):
            message = f"{where(i)}: {clipped(item)} is more than one LABEL=NUMBER pair; put commas between them"
            raise InputError(message)
        labels.append(label.strip())
        try:
            values.append(number(weight, decimal))
        except NotANumberError as error:
            message = f"{where(i)}: {error}"
            raise InputError(message) from None
    refuse_repeated(labels, where)
    return Single(source, Series("", values, labels, where))
