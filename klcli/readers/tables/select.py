"""Which columns of a table: exact names first, then p0:p9, 2-11, globs and /regular expressions/, between commas.

A name in double quotes may hold commas, as in CSV.
"""

from __future__ import annotations

import re
from fnmatch import translate
from typing import TYPE_CHECKING

from klcli.errors import InputError, clipped, no_such, typed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_POSITIONS = re.compile(r"(\d{1,9})(?:-(\d{1,9}))?", re.ASCII)


_NAMES = re.compile(r'\s*(?:"((?:[^"]|"")+)"|([^,]*?))\s*,')
"""A name in quotes or without, and the comma after it."""


def names_in(text: str) -> list[str]:
    """The names between the commas of a list; one in double quotes may hold commas, and two quotes for one."""
    return [quoted.replace('""', '"') if quoted else bare for quoted, bare in _NAMES.findall(f"{text},")]


def list_of(names: Iterable[str]) -> str:
    """A list of names as `names_in` takes it apart."""
    return ",".join('"' + name.replace('"', '""') + '"' if {",", '"'} & {*name} else name for name in names)


def in_quotes(part: str, names: Iterable[str]) -> str:
    """How to write the name that holds a comma of which this is a part, '' where there is none."""
    name = next((name for name in names if "," in name and part in map(str.strip, name.split(","))), None)
    return "" if name is None else f" A name that holds a comma stands in double quotes: {typed(list_of([name]))}"


def select(selector: str, header: Sequence[str], source: str) -> list[int]:
    """The columns that the selector names, each once, counted from 0. Raises InputError where a part names none."""
    if selector in header:
        return [_exact(selector, header, source)]
    if _is_expression(selector):
        return _matching(selector, header, source)
    chosen = [i for part in names_in(selector) for i in _part(part, header, source)]
    return list(dict.fromkeys(chosen))


def _part(part: str, header: Sequence[str], source: str) -> list[int]:
    if part in header:
        return [_exact(part, header, source)]
    if _is_expression(part) or any(c in part for c in "*?["):
        return _matching(part, header, source)
    for cut in (i for i, c in enumerate(part) if c == ":"):
        if part[:cut] in header and part[cut + 1 :] in header:
            ends = _exact(part[:cut], header, source), _exact(part[cut + 1 :], header, source)
            return _run(part, *ends, source)
    positions = _POSITIONS.fullmatch(part)
    if positions is not None:
        first = int(positions[1])
        last = int(positions[2] or first)
        if not 1 <= min(first, last) <= max(first, last) <= len(header):
            message = f"{source}: {clipped(part)} is outside the columns, which are 1 to {len(header)}"
            raise InputError(message)
        return _run(part, first - 1, last - 1, source)
    missing = next((name for name in part.split(":") if name not in header), part)
    missing = missing if ":" in part else part
    message = f"{no_such(source, missing, header)}{in_quotes(missing, header)}"
    raise InputError(message)


def _exact(name: str, header: Sequence[str], source: str) -> int:
    if list(header).count(name) > 1:
        message = f"{source}:1: the header has {clipped(name)} twice; rename one of the columns, or choose by position"
        raise InputError(message)
    return header.index(name)


def _run(part: str, first: int, last: int, source: str) -> list[int]:
    if last < first:
        message = f"{source}: {clipped(part)} runs backwards; write the column that stands first in front"
        raise InputError(message)
    return list(range(first, last + 1))


def _is_expression(text: str) -> bool:
    return len(text) > 2 and text[0] == text[-1] == "/"  # noqa: PLR2004 - a slash on either side


def _matching(pattern: str, header: Sequence[str], source: str) -> list[int]:
    try:
        matches = re.compile(pattern[1:-1]).search if _is_expression(pattern) else re.compile(translate(pattern)).match
    except re.error as error:
        message = f"{source}: {clipped(pattern)} is no regular expression: {error}"
        raise InputError(message) from None
    found = [i for i, name in enumerate(header) if matches(name)]
    if not found:
        raise no_such(source, pattern, header)
    return found
