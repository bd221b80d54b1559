"""Which columns of a table: exact names first, then p0:p9, 2-11, globs and /regular expressions/, between commas."""

from __future__ import annotations

import re
from fnmatch import translate
from typing import TYPE_CHECKING

from klcli.errors import InputError, clipped, no_such

if TYPE_CHECKING:
    from collections.abc import Sequence

_POSITIONS = re.compile(r"(\d{1,9})(?:-(\d{1,9}))?", re.ASCII)


def select(selector: str, header: Sequence[str], source: str) -> list[int]:
    """The columns that the selector names, each once, counted from 0. Raises InputError where a part names none."""
    if selector in header:
        return [_exact(selector, header, source)]
    if _is_expression(selector):
        return _matching(selector, header, source)
    chosen = [i for part in selector.split(",") for i in _part(part.strip(), header, source)]
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
    raise no_such(source, missing if ":" in part else part, header)


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
