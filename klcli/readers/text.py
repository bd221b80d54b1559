"""Text without columns' names, as .txt files and standard input have it: numbers, counts of labels, or a table.

    numbers     one a line, or all on one line
    counts      COUNT LABEL, as `sort | uniq -c` writes them, or LABEL COUNT, between blanks or a tab; or a line of
                labels over one of as many numbers that end in the same columns, as R writes a vector with names
    else        what may be an argument too, as JSON or LABEL=NUMBER pairs, or a table with a header

Empty lines count for nothing, nor in numbers and counts those that begin with #. What a number and what a label is must
be certain: where a line is two numbers, it may be either, and is refused.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from klcli.errors import InputError, clipped
from klcli.model import Distribution, frozen
from klcli.readers import inline
from klcli.readers.distributions import Single
from klcli.readers.numbers import (
    are_numbers,
    grouping_note,
    has_percent,
    is_blank,
    is_number,
    items,
    mend,
    mixed_percent,
    numbers,
)
from klcli.readers.sources import refuse_ruled
from klcli.tuples import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from klcli.readers.documents import Document
    from klcli.readers.numbers import Notation
    from klcli.readers.sources import Source
    from klcli.readers.tables.table import Table

_COUNT_LABEL = re.compile(r"([ \t]*)(\d+)(?:[ \t](.*))?", re.ASCII)
_WHOLE = re.compile(r"\s*\d+\s", re.ASCII)
_PAIR = re.compile(r"[^=]*=\s*[-+.\d]\S*\s*")
_BETWEEN = {"\t": re.compile(r"\t.*\t"), ",": re.compile(r",\s*\S+$|^[^,\s]+,")}
"""What has more than one tab, or a comma at its last field or its first, is a row of a table."""

_TITLE = re.compile(r"\s*\w+ ?=\s*", re.ASCII)
"""What MATLAB and Octave write above numbers."""

_OF_PANDAS = re.compile(r"(Freq: \w+, )?(Name: .*, )?(Length: \d+, )?dtype: \w+")
"""What pandas writes below a Series."""

_NUMBERS = r"[-+.\deE]+"
_COLUMNS_OF_NUMBERS = re.compile(rf"[ \t]+{_NUMBERS}(?:[ \t]|$)|{_NUMBERS}(?:[ \t]{{2,}}{_NUMBERS})+[ \t]*$")
"""After a number in its column: more of them, further away than the one blank that uniq writes."""

_NARROWEST = 4
"""No uniq writes counts in a narrower column."""

_FOR_COUNTS = "for COUNT LABEL lines add --input-format uniq"


class _Line(NamedTuple):
    """A line that counts. number: its own, from 1."""

    number: int
    text: str


class _Counts(NamedTuple):
    """Labels and the text of their counts."""

    labels: list[str]
    counts: list[str]


def read_text(source: Source, label: str | None = None) -> Table | Document | Single:
    """What a text is. label: what --label says, or a selector of columns that stay text. Raises InputError."""
    text, dialect = source.text, source.dialect
    if dialect.delimiter != " ":
        refuse_ruled(text, source.name)
    lines = _lines(text)
    if not lines:
        message = f"{source.name}: nothing stands in it but lines that begin with #, which are comments"
        raise InputError(message)
    asked = dialect.header or dialect.delimiter is not None
    if not asked and not inline.looks_like_json(text):
        lines = lines[len(lines) > 1 and _TITLE.fullmatch(lines[0].text) is not None :]
        if len(lines) > 1 and _OF_PANDAS.fullmatch(lines[-1].text):
            lines = lines[len(lines[0].text.split()) == 1 : -1]
            return _single(_series(lines), lines, source)
        of_numbers = _is_of_numbers(lines, dialect.notation)
        named = _named(lines, source)
        if named is not None:
            return _single(*named, source)
        is_list = of_numbers and (len(lines) > 1 or not lines[0].text[0].isspace())
        counts = None if is_list else _counts(lines, source)
        if counts is not None:
            return _single(counts, lines, source)
        if of_numbers:
            found = inline.parse("\n".join(line.text for line in lines), source.name, dialect.notation)
            return Single(source.name, replace(found.member(""), remarks=_notes(source, [line.text for line in lines])))
    asked = asked or (dialect.header is False and len(lines) > 1 and _is_of_numbers(lines[:1], dialect.notation))
    if not asked and (_are_pairs(lines) or inline.is_inline(text, dialect.notation)):
        return inline.parse(text, source.name, dialect.notation)
    return _delimited(source, lines, label)


def read_uniq(source: Source) -> Single:
    """COUNT LABEL in every line, as `sort | uniq -c` writes them. Raises InputError for the first line that is not."""
    lines = [_Line(i, line) for i, line in enumerate(source.text.split("\n"), 1) if line.strip()]
    labels, counts = [], []
    for line in lines:
        match = _COUNT_LABEL.fullmatch(line.text)
        if match is None or match[3] is None:
            message = f"{source.name}:{line.number}: {clipped(line.text.strip())} is no COUNT LABEL, as uniq -c has it"
            raise InputError(message)
        labels.append(match[3].strip())
        counts.append(match[2])
    return _single(_Counts(labels, counts), lines, source)


def delimiter_of(text: str) -> str | None:
    """What separates the names in the first line that is no comment: a tab if there is one, else a comma, else None."""
    lines = (line for line in text.split("\n") if line.strip())
    first = next((line for line in lines if line[0] != "#" or "\t" in line), "")
    return "\t" if "\t" in first and "," not in first.partition("\t")[0] else "," if "," in first else None


def _delimited(source: Source, lines: Sequence[_Line], label: str | None) -> Table:
    """A table with a header. Raises InputError where between blanks, not commas, there may be columns."""
    from klcli.readers.tables.delimited import read_delimited

    delimiter = delimiter_of(source.text)
    several = len(lines) > 1 and all(len(line.text.split()) > 1 for line in lines)
    if delimiter is None and source.dialect.delimiter is None and several:
        message = (
            f"{source.name}:{lines[0].number}: {clipped(lines[0].text.strip())} is neither numbers nor a label "
            "and its count; for a table between blanks add --input-format csv --delimiter space"
        ) + (" --comment '#'" if _left_out(source.text) else "")
        raise InputError(message)
    if not any(map(str.isdigit, "".join(line.text for line in lines))):
        form = "tsv" if delimiter == "\t" else "csv"
        how = "--tally counts equal lines" if delimiter is None else f"for raw values add --tally --input-format {form}"
        shown = clipped(lines[0].text.strip())
        message = f"{source.name}:{lines[0].number}: {shown} is no number, and no line has one; {how}"
        raise InputError(message)
    return read_delimited(source, delimiter or ",", label)


def _lines(text: str) -> list[_Line]:
    return [
        _Line(i, line.rstrip("\r"))
        for i, line in enumerate(text.split("\n"), 1)
        if line.strip() and not line.lstrip().startswith("#")
    ]


def _left_out(text: str) -> str:
    """A note on the lines that `_lines` takes for comments, '' where there are none."""
    count = sum(line.lstrip().startswith("#") for line in text.split("\n")) if "#" in text else 0
    return f"lines that begin with # are left out: {count}" if count else ""


def _is_of_numbers(lines: Sequence[_Line], notation: Notation) -> bool:
    """Whether every line is one number, or the only one is of several."""
    cells = items(lines[0].text, notation) if len(lines) == 1 else [line.text.strip() for line in lines]
    return bool(cells) and are_numbers(cells, notation)


def _single(counts: _Counts, lines: Sequence[_Line], source: Source) -> Single:
    """Counts as a distribution. Raises InputError where some of them are percentages."""

    def where(i: int) -> str:
        return f"{source.name}:{lines[i].number}"

    values = frozen(numbers(counts.counts, where, notation=source.dialect.notation))
    percent = {i: has_percent(count) for i, count in enumerate(counts.counts) if not is_blank(count)}
    other = next((i for i, is_one in percent.items() if is_one != next(iter(percent.values()))), None)
    if other is not None:
        message = f"{where(other)}: {mixed_percent(counts.counts[other], '')}"
        raise InputError(message)
    remarks = _notes(source, counts.counts)
    return Single(source.name, Distribution("", source.name, values, where, counts.labels, remarks))


def _notes(source: Source, written: Sequence[str]) -> tuple[str, ...]:
    """What to say of lines left out, and of numbers, as they are written, whose marks may group digits."""
    notes = _left_out(source.text), grouping_note(source.name, written, source.dialect.notation)
    return tuple(filter(None, notes))


# --------------------------------------------------------------------------------------------------------------- counts


def _counts(lines: Sequence[_Line], source: Source) -> _Counts | None:
    """The labels and counts that the lines are, None where they are something else. Raises InputError."""
    found = _aligned(lines)
    if found is not None or not lines:
        return found
    words = [line.text.split() for line in lines]
    if are_numbers([word for line in words for word in line], source.dialect.notation):
        _refuse_numbers(lines, list(map(len, words)), source)
        return None
    flags = [[is_number(word, source.dialect.notation) for word in line] for line in words]
    first, last = ([line[end] for line in flags] for end in (0, -1))
    in_numbers = "," in {source.dialect.notation.decimal, source.dialect.notation.thousands}
    if not (first[0] or last[0]) or _is_something_else(lines, "\t" if in_numbers else ",\t"):
        _refuse_commas(lines, source)
        return None
    if source.dialect.blank != "error" and not all(first):
        last = [is_one or is_blank(line[-1]) for is_one, line in zip(last, words, strict=True)]
    if all(last):
        _refuse_columns(lines, [line[-2] for line in flags], source)
    elif all(first):
        _refuse_columns(lines, [line[1] for line in flags], source)
    if all(first) == all(last):
        _refuse_unlike(lines, first, last, source)
        return None
    cut = [line.text.strip().rsplit(None, 1) if all(last) else line.text.strip().split(None, 1)[::-1] for line in lines]
    colons = all(label.endswith(":") for label, _ in cut)
    return _Counts([label.removesuffix(":" * colons).strip() for label, _ in cut], [count for _, count in cut])


def _series(lines: Sequence[_Line]) -> _Counts:
    """The labels and numbers of a Series as pandas writes it."""
    rows = [line.text.strip().rsplit(None, 1) for line in lines]
    return _Counts([row[0].strip() for row in rows], [row[-1] for row in rows])


def _is_something_else(lines: Sequence[_Line], marks: str) -> bool:
    """Whether the lines are no labels and counts: words alone, rows between tabs or commas, or LABEL=NUMBER pairs."""
    between = [_BETWEEN[mark] for mark in marks]
    if any(len(line.text.split()) == 1 or any(of.search(line.text.strip()) for of in between) for line in lines):
        return True
    return _are_pairs(lines)


def _are_pairs(lines: Sequence[_Line]) -> bool:
    """Whether the lines are LABEL=NUMBER pairs, of which several may stand on one."""
    return all(_PAIR.fullmatch(part) for line in lines for part in line.text.split(","))


def _refuse_commas(lines: Sequence[_Line], source: Source) -> None:
    """Raises InputError where each line ends in numbers with a comma between them: it may be one, or two fields."""
    notation = source.dialect.notation
    if "\t" in lines[0].text or not all(re.fullmatch(r".*\s\d+,\d+", line.text.strip(), re.ASCII) for line in lines):
        return
    how = mend(lines[0].text.split()[-1], notation).removeprefix("; ").removesuffix(" reads it")
    message = (
        f"{source.name}:{lines[0].number}: {clipped(lines[0].text.strip())} may be a label and a number, or two fields"
        f"; for a number add {how} and for fields --input-format csv --no-header"
    )
    raise InputError(message)


def _aligned(lines: Sequence[_Line]) -> _Counts | None:
    """COUNT LABEL lines whose counts end in the same column, after blanks in one line at least."""
    matches = [_COUNT_LABEL.fullmatch(line.text) for line in lines]
    found = [match for match in matches if match is not None and match[3] is not None]
    if not found or len(found) < len(matches) or not any(match[1] for match in found):
        return None
    column = min(match.end(2) for match in found)
    if any(match.end(2) != column and match[1] for match in found):
        return None  # a count too long for its column begins the line
    if all(_COLUMNS_OF_NUMBERS.match(match[3]) for match in found):
        return None  # each right-aligned
    if column < _NARROWEST and all(is_number(part) for match in found for part in match[3].split()):
        return None
    return _Counts([match[3].strip() for match in found], [match[2] for match in found])


def _named(lines: Sequence[_Line], source: Source) -> tuple[_Counts, list[_Line]] | None:
    """Labels over their numbers, and the line of each number.

    Above them R writes what they are labels of, or leaves a line empty; only then, and with the blank that R writes at
    the end of each line, they may be numbers too.
    """
    first, notation = len(lines) % 2, source.dialect.notation
    of_r = all(line.text[-1] == " " for line in lines[first:]) and (first or not source.text.partition("\n")[0].strip())
    pairs = list(zip(lines[first::2], lines[first + 1 :: 2], strict=True))
    ends = [[[word.end() for word in re.finditer(r"\S+", line.text)] for line in pair] for pair in pairs]
    labels, counts = ([word for pair in pairs for word in pair[side].text.split()] for side in (0, 1))
    if len(labels) < 2 or any(above != below for above, below in ends) or not are_numbers(counts, notation):  # noqa: PLR2004
        return None
    if any(is_number(label, notation) for label in labels) and not of_r:
        return None
    return _Counts(labels, counts), [pair[1] for pair, (_, below) in zip(pairs, ends, strict=True) for _ in below]


def _refuse_numbers(lines: Sequence[_Line], widths: Sequence[int], source: Source) -> None:
    """Raises InputError where of several lines one is several numbers: a key, or a weight, might be among them."""
    if len(lines) == 1 or max(widths) == 1:
        return
    other = next((i for i, width in enumerate(widths) if (width == 1) != (widths[0] == 1)), None)
    shown = clipped(lines[other or 0].text.strip())
    place = f"{source.name}:{lines[other or 0].number}"
    if other is not None:
        has = ["one number" if width == 1 else f"{width} numbers" for width in (widths[other], widths[0])]
        message = f"{place}: {shown} is {has[0]}, line {lines[0].number} {has[1]}; every line must be alike"
        raise InputError(message)
    tabs = all("\t" in line.text.strip() for line in lines)
    table = f"--input-format {'tsv' if tabs else 'csv --delimiter space'} --no-header"
    if set(widths) == {2} and all(_WHOLE.match(line.text) for line in lines):
        message = f"{place}: {shown} may be a count and its label, or two weights; {_FOR_COUNTS}, "
        message += f"for LABEL COUNT {table} --label 1, for two columns of weights {table} --label none"
    else:
        message = f"{source.name}: several numbers on each of several lines; for a table add {table}"
    raise InputError(message)


def _refuse_columns(lines: Sequence[_Line], beside: Sequence[bool], source: Source) -> None:
    """Raises InputError where another number stands beside the count in every line: these are columns."""
    if len(lines) > 1 and all(beside):
        message = (
            f"{source.name}:{lines[0].number}: {clipped(lines[0].text.strip())} has more than one number, as all lines "
            f"have; for a table add --input-format csv --delimiter space --no-header"
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
        word = lines[i].text.split()[-1]
        message += mend(word, source.dialect.notation) if order is last and is_blank(word) else ""
        raise InputError(message)
