"""A distribution written as text: JSON, LABEL=NUMBER pairs, or numbers."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from klcli.errors import DistributionError, InputError, clipped
from klcli.model import Distribution, frozen
from klcli.readers.distributions import Single
from klcli.readers.formats import is_known_suffix
from klcli.readers.numbers import (
    BEFORE_PERCENT,
    POINT,
    NotANumberError,
    is_blank,
    is_number,
    items,
    mend,
    number,
    numbers,
    refuse_mixed_percent,
)
from klcli.readers.sources import exists, is_hidden, near_file, split_selector

if TYPE_CHECKING:
    from collections.abc import Callable

    from klcli.readers.documents import Document
    from klcli.readers.numbers import Notation

_LIKE_A_NUMBER = re.compile(r"[-+]?[.\d][-+./%eE\d]*")


def looks_like_json(text: str) -> bool:
    """JSON is known by its first character."""
    return text.lstrip()[:1] in {"[", "{"}


UNIFORM = "uniform"
"""The word for the uniform distribution on the other side's outcomes."""


def is_uniform(text: str) -> bool:
    """Whether an argument is that word."""
    return text.strip() == UNIFORM


def is_value(text: str) -> bool:
    """Whether text is JSON or what Python prints for a value, as far as its beginning shows."""
    if looks_like_json(text):
        return True
    if "(" not in text:  # which spares all others the import
        return False
    from klcli.readers.python_literals import is_printed

    return is_printed(text)


def parse(text: str, source: str, notation: Notation = POINT) -> Document | Single:
    """The distributions that the text is. Raises InputError, naming `source` and the item."""
    if is_value(text):
        from klcli.readers.documents import Document, load_printed

        return Document(source, load_printed(text, source), notation.blank)
    if not text.strip():
        message = f"{source} is empty; write numbers like 0.4,0.6, pairs like cat=0.7,dog=0.3, or a file"
        raise InputError(message)
    if "=" in text:
        return _pairs(text, source, notation)
    lines = [line for line in text.strip().split("\n") if line.strip()]
    parts = items(text, notation)
    if 1 < len(lines) < sum(map(bool, parts)):
        raise _of_several_lines(lines, source)
    refuse_two_separators(text, source, notation)
    values = numbers(parts, _item(source), notation=notation)
    refuse_mixed_percent(parts, values, _item(source))
    return Single(source, Distribution("", source, frozen(values), _item(source)))


LONGEST_NAME = 60
"""An argument is its own name, which a result repeats: longer ones are cut."""


def name_of(text: str) -> str:
    """What an argument is called in a result."""
    text = text.strip()
    return text if len(text) <= LONGEST_NAME else f"{text[: LONGEST_NAME - 1]}…"


def argument(
    text: str,
    role: str,
    parse: Callable[[str, str], Any],
    read: Callable[[str, str, str], Any],
    example: str,
    notation: Notation,
) -> Any:  # noqa: ANN401 - what is parsed or read
    """What an argument is: "-" and "@" say file at once, else text, else a file that exists. Raises InputError.

    parse: of the text and the role. read: of a path, the mark of a selector, and what is selected. example: what else
    to write, said where it is neither.
    """
    if text == "-" or text.startswith(("-:", "-#")):
        return read(*split_selector(text))
    text = text.strip()
    if text.startswith("@"):
        path, mark, chosen = split_selector(text[1:])
        if not path:
            message = f"{clipped(text)} names no file"
            raise InputError(message)
        return read(path, mark, chosen)
    try:
        return parse(text, role)
    except (InputError, DistributionError) as error:
        path, mark, chosen = split_selector(text)
        if exists(path) or is_hidden(path):
            return read(path, mark, chosen)
        meant = is_value(text) or means_numbers(text, notation)
        if not text or (meant and not is_known_suffix(path)):
            raise
        hint = near_file(Path(path)) or f"; {example}"
        message = f"{role}: {clipped(path)} is neither numbers nor a file that exists{hint}"
        raise InputError(message) from error


def is_inline(text: str, notation: Notation = POINT) -> bool:
    """Whether the text of a file or of standard input is what an argument may be, rather than a CSV table.

    It is when it is one line, or its first line is numbers or pairs; a header is neither.
    """
    first, _, rest = text.strip().partition("\n")
    return (
        is_value(text) or not rest or all("=" in item or is_number(item, notation) for item in items(first, notation))
    )


def is_header(text: str, notation: Notation) -> bool:
    """Whether the text of a file is one line of names."""
    return not is_value(text) and is_inline(text, notation) and not means_numbers(text, notation)


def means_numbers(text: str, notation: Notation = POINT) -> bool:
    """Whether somebody meant numbers or pairs, even if some of it is neither."""
    parts = items(text, notation)
    return (
        "=" in parts[0]
        or any(is_number(part, notation) for part in parts)
        or _LIKE_A_NUMBER.fullmatch(parts[0]) is not None
    )


_GROUPED = r"[-+]?\d{1,3}(?:,\d{3})*"


def _of_several_lines(lines: list[str], source: str) -> InputError:
    """The error for several numbers on a line of several, which may be a table, or have commas that group digits."""
    how = "csv" if "," in "".join(lines) else "csv --delimiter space"
    mend = f"for a table add --input-format {how} --no-header"
    if all(re.fullmatch(_GROUPED, line.strip()) for line in lines):
        mend = f"where the comma groups digits add --thousands , and {mend}"
    return InputError(f"{source}: several numbers on each of several lines; {mend}")


def refuse_two_separators(text: str, source: str, notation: Notation) -> None:
    """Raises InputError where numbers stand between two kinds of separators: 0,5;0,25 may be two numbers or four."""
    if "," in {notation.decimal, notation.thousands} or not ("," in text or ";" in text):
        return
    text = BEFORE_PERCENT.sub("%", text.strip())
    if not ("," in text and ";" in text) and not re.search(r"[^\s,;]\s+[^\s,;]", text):
        return
    parts = re.split(r"\s*;\s*|\s+", text)
    clear = all(re.fullmatch(r"[-+]?\d+(?:,\d+)?", part) for part in parts)
    mend = "for a decimal comma add --decimal ," if clear else "take one kind, or for a decimal comma add --decimal ,"
    message = f"{source}: {clipped(text)} has two kinds of separators; {mend}"
    raise InputError(message)


def _item(source: str) -> Callable[[int], str]:
    return lambda i: f"{source}, item {i + 1}"


def _pairs(text: str, source: str, notation: Notation) -> Single:
    where = _item(source)
    labels, values, written = [], [], []
    in_numbers = "," in {notation.decimal, notation.thousands}
    for i, item in enumerate(re.split(r"[;\n]" if in_numbers else r"[,\n]", text.strip())):
        label, equals, weight = item.rpartition("=")
        if notation.decimal == "." and re.fullmatch(r"\d+\s*;.*=.*", item.strip()):
            message = (
                f"{source}: {clipped(text.strip())} has two kinds of separators; for a decimal comma add --decimal ,"
            )
            raise InputError(message)
        if not equals:
            message = f"{where(i)}: {clipped(item)} is no LABEL=NUMBER pair, and others here are"
            raise InputError(message)
        if re.search(r"=\s*[-+.\d][^=]*[;\s]", label.strip()):
            message = f"{where(i)}: {clipped(item)} is more than one LABEL=NUMBER pair; put commas between them"
            raise InputError(message)
        labels.append(label.strip())
        written.append(weight)
        try:
            values.append(number(weight, notation))
        except NotANumberError as error:
            message = f"{where(i)}: {error}{mend(weight, notation) if is_blank(weight) else ''}"
            raise InputError(message) from None
    refuse_mixed_percent(written, values, where)
    return Single(source, Distribution("", source, frozen(values), where, labels))
