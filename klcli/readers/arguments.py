"""DIST, the way a distribution is written on the command line:

    DIST    = "-" | ["@"] SOURCE | FORMULA | JSON | PAIRS | NUMBERS
    SOURCE  = (PATH | "-") [ ":" COLUMN | "#" JSON-POINTER ]

A formula (see `expressions`) unless there is a file of that name; JSON, then pairs and numbers, then a file that
exists; "@" says file at once.
"""  # noqa: D400, D415

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from klcli.errors import InputError, UsageError, clipped
from klcli.model import Distribution, frozen
from klcli.readers import distributions, inline
from klcli.readers.distributions import Narrowed
from klcli.readers.formats import READERS, format_of, is_known_suffix
from klcli.readers.inline import Grammar
from klcli.readers.sources import PLAIN, no_pointer, open_source, split_selector
from klcli.readers.tables.roles import CHOICES, Choices
from klcli.readers.tables.select import select
from klcli.readers.totals import without_totals

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from klcli.parametric.catalogue import Formula
    from klcli.readers.distributions import Distributions, Series, Single
    from klcli.readers.documents import Document
    from klcli.readers.sources import Dialect, Source
    from klcli.readers.tables.table import Table


class Arguments:
    """Reads the distributions of one command line; what several of them share is read once."""

    def __init__(self, input_format: str | None = None, choices: Choices = CHOICES, dialect: Dialect = PLAIN) -> None:
        self._input_format, self._choices, self._dialect = input_format, choices, dialect
        self._sources: dict[str, Source] = {}
        self._read_of: dict[tuple[str, str], Table | Document | Single] = {}
        self._found: dict[tuple[str, str, str], Distributions] = {}
        self._taken: dict[str, set[str]] = {}

    def expect(self, texts: Iterable[str]) -> None:
        """Takes note of the columns that arguments name, which are weights of their tables and never labels."""
        for text in texts:
            path, selector, chosen = split_selector(text.strip().removeprefix("@"))
            if selector == ":":
                self._taken.setdefault(path, set()).add(chosen)

    def one(self, text: str, role: str) -> Distribution:
        """The one distribution that the argument is. role: what errors call it."""
        self.expect([text])
        found = self._read(text, role)
        return self._whole([distributions.one(found)], found, text, role)[0]

    def two(self, p: str, q: str | None) -> tuple[Distribution, Distribution]:
        """P and Q, or where there is no Q the two distributions of an argument that is a whole pair."""
        if q is not None:
            self.expect([p, q])
            return self.one(p, "P"), self.one(q, "Q")
        found = self._read(p, "P")
        if found.source == "P" and found.names() == [""]:
            message = "Q is missing: P is one distribution; give another after it, or a file of two"
            raise UsageError(message)
        first, second = self._whole(distributions.both(found), found, p, "P")
        return first, second

    def every(self, text: str, role: str) -> list[Distribution]:
        """All the distributions of the argument: the columns of a table, the members of an object."""
        found = self._read(text, role)
        return self._whole(distributions.every(found), found, text, role)

    def _whole(self, series: Sequence[Series], found: Distributions, text: str, role: str) -> list[Distribution]:
        """What was read of an argument, without what is dropped. Raises DistributionError where a total is left."""
        given = [_distribution(one, found, text, role) for one in series]
        return without_totals(given, [one.name for one in series], self._choices)

    def formula(self, text: str, role: str) -> Formula | None:
        """The formula that the argument is, if it has no grid: a density, or masses; None for all that is weights."""
        found = _formula(text, role)
        return found if found is not None and found.grid is None else None

    def _read(self, text: str, role: str) -> Distributions:
        if (formula := _formula(text, role)) is not None:
            from klcli.readers import expressions

            return expressions.content(formula, role)
        decimal = self._dialect.decimal
        grammar = Grammar(
            parse=lambda text, role: self._distributions(inline.parse(text, role, decimal)),
            read=self._of_source,
            is_file=is_known_suffix,
            example="write numbers like 0.4,0.6, pairs like cat=0.7,dog=0.3, or a file",
        )
        found: Distributions = inline.argument(text, role, grammar, decimal)
        return found

    def _of_source(self, text: str) -> Distributions:
        path, selector, chosen = split_selector(text)
        if not path:
            message = f"{clipped('@' + text)} names no file"
            raise InputError(message)
        source = self._sources.setdefault(path, open_source(path, self._dialect))
        kind = format_of(source, self._input_format, selector)
        if (path, kind) not in self._read_of:
            self._read_of[path, kind] = READERS[kind](source, self._choices.label)
        read = self._read_of[path, kind]
        key = path, kind, chosen if selector == "#" else ""
        if key not in self._found:
            part = _at(read, chosen, source.name) if selector == "#" else read
            self._found[key] = self._distributions(part, self._taken.get(path, ()))
        if selector == ":":
            return _Chosen(self._found[key], chosen)
        return Narrowed(self._found[key], self._choices.select, self._choices.drop)

    def _distributions(self, read: Table | Document | Single, taken: Iterable[str] = ()) -> Distributions:
        """What was read, as distributions by name: a table's columns, or the members of a JSON value.

        taken: the columns that are named on the command line.
        """
        if isinstance(read, distributions.Single):
            return read
        from klcli.readers.documents import Document

        table = read.table() if isinstance(read, Document) else read
        if table is None:
            return cast("Document", read)
        from klcli.readers.tables.columns import Columns

        selector, names = self._choices.select, table.names
        selected = [] if selector is None else [names[i] for i in select(selector, names, table.source)]
        return Columns(table, self._choices, self._dialect.decimal, taken={*taken, *selected})


def _at(read: Table | Document | Single, pointer: str, source: str) -> Document:
    """What a JSON pointer leads to. Raises InputError where this is not JSON."""
    from klcli.readers.documents import Document

    return read.at(pointer) if isinstance(read, Document) else no_pointer(source, pointer)


class _Chosen:
    """One of a source's distributions, chosen by name."""

    mend, left_out, doubtful = "", (), ()

    def __init__(self, found: Distributions, name: str) -> None:
        self.source, self._found, self._name = found.source, found, name

    def names(self) -> list[str]:
        """The name chosen."""
        return [self._name]

    def numeric(self) -> list[str]:
        """The name chosen; whether it is numeric shows when it is read."""
        return [self._name]

    def series(self, name: str) -> Series:
        """The distribution chosen."""
        return self._found.series(name)

    def address(self, name: str) -> str:
        """As the whole source says."""
        return self._found.address(name)


def _formula(text: str, role: str) -> Formula | None:
    if "(" not in text:  # which spares all others the import
        return None
    from klcli.readers import expressions

    return expressions.parse(text, role) if expressions.is_formula(text) else None


def _distribution(series: Series, found: Distributions, text: str, role: str) -> Distribution:
    text = text.strip()
    if not series.name or isinstance(found, _Chosen):
        name = inline.name_of(text)
    else:
        name = series.name if found.source == role else found.address(series.name)
    return Distribution(name, text, frozen(series.values), series.where, series.labels, series.remarks, series.keys)
