"""What `klcli matrix` compares: many distributions, of one source or several, the rows of tables or their columns."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from klcli.errors import InputError, UsageError, clipped, typed
from klcli.readers import inline
from klcli.readers.distributions import refuse_unlike
from klcli.readers.formats import is_known_suffix
from klcli.readers.sources import column_of, exists, split_selector
from klcli.tuples import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from klcli.model import Distribution
    from klcli.readers.arguments import Arguments
    from klcli.readers.distributions import Members
    from klcli.readers.numbers import Notation
    from klcli.readers.tables.roles import Choices


class MatrixInput(NamedTuple):
    """The distributions, and what the column that names them is called ('': none does)."""

    heading: str
    distributions: list[Distribution]


def read_matrix(texts: Sequence[str], arguments: Arguments) -> MatrixInput:
    """The distributions, two at least, of all sources together: JSON, FILE, FILE#/POINTER or -.

    They are the rows of a table, named by its labels, and its other columns are the outcomes; with --columns the other
    way round; with --by its groups. The members of a JSON object or list are rows. Of raw values each column or text is
    one, counted. Those whose names clash are called SOURCE:NAME. Raises InputError, DistributionError, UsageError.
    """
    choices, notation = arguments.choices, arguments.dialect.notation
    texts = [text.strip() for text in texts]
    twice = next((text for i, text in enumerate(texts) if text in texts[:i]), None)
    if twice is not None:
        message = f"{clipped(twice)} is given twice; give each source once"
        raise UsageError(message)
    read: list[tuple[str, Distribution]] = []
    headings, labels = set(), ""
    for text in texts:
        argument, role = _as_argument(text, choices, notation)
        found, given = arguments.members(argument, role)
        alone = found.names() == [""]
        for one in given:
            name = inline.name_of(text) if alone else one.name
            place = one.place or (name if alone else f"{found.source}, {clipped(name)}")
            read.append((column_of(inline.name_of(text), name), replace(one, name=name, place=place)))
        headings.add(found.heading)
        labels = labels or found.labels_name
    _refuse_few(found, len(read), choices)
    names = Counter(one.name for _, one in read)
    given = [replace(one, name=clear) if names[one.name] > 1 else one for clear, one in read]
    given = arguments.all_of(given)
    refuse_unlike(given, label=labels)
    return MatrixInput(headings.pop() if len(headings) == 1 else "", given)


def _as_argument(text: str, choices: Choices, notation: Notation) -> tuple[str, str]:
    """What `Arguments` takes for it, and what errors call it: what is no value and no numbers is a file, if it exists.

    Raises UsageError for what is no source of several distributions.
    """
    if inline.is_uniform(text):
        message = "uniform is on the outcomes of another side, and here there is none; @uniform is a file"
        raise UsageError(message)
    if inline.is_value(text):
        return text, "FILE"
    path, selector, chosen = split_selector(text.removeprefix("@"))
    if not exists(path) and not is_known_suffix(path) and (choices.tally or inline.means_numbers(text, notation)):
        return text, inline.name_of(text)
    if selector == ":" and not choices.tally:
        message = f"{clipped(text)}: here a file is a whole table; for some of its columns add --select {typed(chosen)}"
        raise UsageError(message)
    return text if text.startswith(("@", "-")) else f"@{text}", inline.name_of(text)


def _refuse_few(found: Members, n: int, choices: Choices) -> None:
    """Raises InputError where the only source holds no two distributions."""
    if n >= 2:  # noqa: PLR2004 - a pair
        return
    what, mend = ("row", "with --columns its columns") if choices.rows else ("column", "without --columns its rows")
    if choices.by is not None:
        what, mend = "group", "without --by its rows"
    has, mend = f"{n or 'no'} {what}{'' if n == 1 else 's'}", f"{mend} are the distributions"
    if choices.tally:
        has, mend = "one column of raw values", "give another, or --by COLUMN"
    elif found.names() == [""]:
        has, mend = "one distribution", "give another beside it, or for a table add --input-format csv"
    message = f"{found.source}: {has}, and a pair needs two; {mend}"
    raise InputError(message)
