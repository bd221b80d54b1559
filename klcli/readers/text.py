"""Text without columns' names, as .txt files and standard input have it: numbers, counts of labels, or a table.

    numbers     one a line, or all on one line
    counts      COUNT LABEL, as `sort | uniq -c` writes them, or LABEL COUNT, between blanks or a tab
    else        what may be an argument too, as JSON or LABEL=NUMBER pairs, or a table with a header

Empty lines count for nothing, nor in numbers and counts those that begin with #. What a number and what a label is must
be certain: where a line is two numbers, it may be either, and is refused.
"""  # noqa: D400, D415

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from klcli.errors import DistributionError, InputError, clipped
from klcli.readers import inline
from klcli.readers.numbers import is_number, items
from klcli.readers.tables.table import Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from klcli.readers.distributions import Single
    from klcli.readers.documents import Document
    from klcli.readers.sources import Source

NAMES = ("label", "")
"""What the columns of counts are called, as if they were those of a table: the counts are all there is to choose."""

_COUNT_LABEL = re.compile(r"([ \t]*)(\d+)(?:[ \t](.*))?", re.ASCII)
_WHOLE = re.compile(r"\d+", re.ASCII)
_PAIR = re.compile(r"[^=]*=\s*[-+.\d][^\s]*\s*")

_UNIQ, _AS_TABLE = "--input-format uniq", "--input-format {} --no-header"


class _Line(NamedTuple):
    """A line that counts. number: its own, from 1."""

    number: int
    text: str


class _Counts(NamedTuple):
    """Labels and the text of their counts."""

    labels: list[str]
    counts: list[str]


def read_text(source: Source) -> Table | Document | Single:
    """What a text is. Raises InputError."""
    text, dialect = source.text, source.dialect
    lines = _lines(text)
    asked = dialect.header or dialect.delimiter is not None
    if not asked and not inline.looks_like_json(text):
        counts = _counts(lines, source)
        if counts is not None:
            return _table(counts, lines, source)
        if _is_of_numbers(lines, dialect.decimal):
            return inline.parse("\n".join(line.text.strip() for line in lines), source.name, dialect.decimal)
    if not asked and inline.is_inline(text, dialect.decimal):
        return inline.parse(text, source.name, dialect.decimal)
    return _delimited(source, lines)


def read_uniq(source: Source) -> Table:
    """COUNT LABEL in every line, as `sort | uniq -c` writes them. Raises InputError for the first line that is not."""
    lines = [_Line(i, line) for i, line in enumerate(source.text.splitlines(), 1) if line.strip()]
    labels, counts = [], []
    for line in lines:
        match = _COUNT_LABEL.fullmatch(line.text)
        if match is None or match[3] is None:
            message = f"{source.name}:{line.number}: {clipped(line.text.strip())} is no COUNT LABEL, as uniq -c has it"
            raise InputError(message)
        labels.append(match[3].strip())
        counts.append(match[2])
    return _table(_Counts(labels, counts), lines, source)


def delimiter_of(text: str) -> str | None:
    """What separates the names in the first line of a table: a tab if there is one, else a comma; None: neither."""
    first = text.lstrip("\r\n").partition("\n")[0]
    return "\t" if "\t" in first and "," not in first.partition("\t")[0] else "," if "," in first else None


def _delimited(source: Source, lines: Sequence[_Line]) -> Table:
    """A table with a header. Raises InputError where between blanks, not commas, there may be columns."""
    from klcli.readers.tables.delimited import read_delimited

    delimiter = delimiter_of(source.text)
    if delimiter is None and source.dialect.delimiter is None and len(lines) > 1:
        widths = {len(line.text.split()) for line in lines}
        if len(widths) == 1 and widths != {1}:
            message = (
                f"{source.name}:{lines[0].number}: {clipped(lines[0].text.strip())} is neither numbers nor a label "
                "and its count; for a table between blanks add --input-format csv --delimiter space"
            )
            raise InputError(message)
    return read_delimited(source, delimiter or ",", "label")


def _lines(text: str) -> list[_Line]:
    return [
        _Line(i, line.rstrip("\r"))
        for i, line in enumerate(text.split("\n"), 1)
        if line.strip() and not line.lstrip().startswith("#")
    ]


def _is_of_numbers(lines: Sequence[_Line], decimal: str) -> bool:
    """Whether every line is one number, or the only one is of several."""
    return bool(lines) and (
        all(is_number(item, decimal) for item in items(lines[0].text, decimal))
        if len(lines) == 1
        else all(is_number(line.text, decimal) for line in lines)
    )


def _table(counts: _Counts, lines: Sequence[_Line], source: Source) -> Table:
    size = len(counts.labels)
    return Table(
        NAMES,
        {0: counts.labels, 1: counts.counts},
        size,
        size,
        source=source.name,
        place=lambda row: f"{source.name}:{lines[row].number}",
    )


# --------------------------------------------------------------------------------------------------------------- counts


def _counts(lines: Sequence[_Line], source: Source) -> _Counts | None:
    """The labels and counts that the lines are, None where they are something else. Raises InputError."""
    found = _aligned(lines)
    if found is not None:
        return found
    decimal = source.dialect.decimal
    fields = [line.text.split() for line in lines]
    if not lines or any(map(_is_header, fields, [decimal] * len(fields))):
        return None
    if len(lines) == 1 and all(is_number(part, decimal) for part in fields[0]):
        return None
    numbers = [[is_number(part, decimal) for part in parts] for parts in fields]
    of_numbers = [all(line) for line in numbers]
    _refuse_two_kinds(lines, numbers, of_numbers, source)
    if all(of_numbers):
        _refuse_numbers(lines, fields, source)
        return None
    if any(len(parts) < 2 for parts in fields) or any(_is_columns(line.text) for line in lines):  # noqa: PLR2004
        return None
    if "=" in source.text and all(_PAIR.fullmatch(part) for line in lines for part in line.text.split(",")):
        return None
    first, last = ([flags[end] for flags in numbers] for end in (0, -1))
    if all(last) and not all(first):
        _refuse_columns(lines, [flags[-2] for flags in numbers], source)
        cut = [line.text.strip().rsplit(None, 1) for line in lines]
        return _Counts([label.rstrip() for label, _ in cut], [count for _, count in cut])
    if all(first) and not all(last):
        _refuse_columns(lines, [flags[1] for flags in numbers], source)
        cut = [line.text.strip().split(None, 1) for line in lines]
        return _Counts([label.strip() for _, label in cut], [count for count, _ in cut])
    if all(first):
        _refuse_columns(lines, [True] * len(lines), source)
    _refuse_unlike(lines, first, last, source)
    return None


def _aligned(lines: Sequence[_Line]) -> _Counts | None:
    """COUNT LABEL lines whose counts end in the same column, after blanks in one line at least."""
    matches = [_COUNT_LABEL.fullmatch(line.text) for line in lines]
    found = [match for match in matches if match is not None and match[3] is not None]
    if not found or len(found) < len(matches) or not any(match[1] for match in found):
        return None
    column = min(match.end(2) for match in found)
    if any(match.end(2) != column and match[1] for match in found):
        return None  # a count too long for its column begins the line
    if len(found) == 1 and all(map(is_number, lines[0].text.split()[1:])) and len(lines[0].text.split()) > 2:  # noqa: PLR2004
        return None
    if all(match[3][:1].isspace() and len(match[3].split()) > 0 for match in found) and _are_numbers(found):
        return None  # columns of numbers, each right-aligned
    return _Counts([match[3].strip() for match in found], [match[2] for match in found])


def _are_numbers(found: Sequence[re.Match[str]]) -> bool:
    return all(is_number(part) for match in found for part in match[3].split())


def _is_header(fields: Sequence[str], decimal: str) -> bool:
    """Whether a line between blanks can be nothing but names or text: it is neither begun nor ended by a number."""
    return not is_number(fields[0], decimal) and not is_number(fields[-1], decimal) and "=" not in "".join(fields)


def _is_columns(line: str) -> bool:
    """Whether a line has more fields between tabs, or between commas, than a label and its count."""
    return line.strip().count("\t") > 1 or (", " not in line and "," in line and "\t" not in line and " " not in line.strip())


def _refuse_two_kinds(
    lines: Sequence[_Line], numbers: Sequence[Sequence[bool]], of_numbers: Sequence[bool], source: Source
) -> None:
    """Raises InputError where some lines are one number and others are of two: which are counts nobody knows."""
    if len(lines) == 1 or not all(of_numbers):
        return
    widths = [len(flags) for flags in numbers]
    other = next((i for i, width in enumerate(widths) if (width == 1) != (widths[0] == 1)), None)
    if other is not None:
        line = lines[other]
        has = "one number" if widths[other] == 1 else f"{widths[other]} numbers"
        had = "one" if widths[0] == 1 else str(widths[0])
        message = (
            f"{source.name}:{line.number}: {clipped(line.text.strip())} is {has}, line {lines[0].number} {had}; "
            "every line must be alike"
        )
        raise InputError(message)


def _refuse_numbers(lines: Sequence[_Line], fields: Sequence[Sequence[str]], source: Source) -> None:
    """Raises InputError where several lines are several numbers each: a key, or a weight, might be among them."""
    if all(len(parts) == 1 for parts in fields):
        return
    tabs = all("\t" in line.text.strip() for line in lines)
    table = _AS_TABLE.format("tsv" if tabs else "csv --delimiter space")
    first = lines[0]
    if all(len(parts) == 2 for parts in fields) and all(_WHOLE.fullmatch(parts[0]) for parts in fields):  # noqa: PLR2004
        message = (
            f"{source.name}:{first.number}: {clipped(first.text.strip())} may be a count and its label, or two weights; "
            f"for COUNT LABEL lines add {_UNIQ}, for a table {table}"
        )
    else:
        message = f"{source.name}: several numbers on each of several lines; for a table add {table}"
    raise InputError(message)


def _refuse_columns(lines: Sequence[_Line], beside: Sequence[bool], source: Source) -> None:
    """Raises InputError where another number stands beside the count in every line: these are columns."""
    if len(lines) > 1 and all(beside):
        message = (
            f"{source.name}:{lines[0].number}: {clipped(lines[0].text.strip())} has more than one number, as all lines "
            f"have; for a table add {_AS_TABLE.format('csv --delimiter space')}, for COUNT LABEL lines {_UNIQ}"
        )
        raise InputError(message)


def _refuse_unlike(lines: Sequence[_Line], first: Sequence[bool], last: Sequence[bool], source: Source) -> None:
    """Raises InputError for the first line that is not as the one before it is."""
    order = last if last[0] else first
    i = next((i for i, is_so in enumerate(order) if not is_so), None)
    if i is not None:
        kind = "LABEL COUNT" if order is last else "COUNT LABEL"
        message = (
            f"{source.name}:{lines[i].number}: {clipped(lines[i].text.strip())} is not {kind}, as line "
            f"{lines[0].number} is; every line must be alike"
        )
        raise InputError(message)
