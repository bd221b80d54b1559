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
from klcli.readers.formats import READERS, format_of, is_known_suffix
from klcli.readers.inline import Grammar
from klcli.readers.sources import PLAIN, no_pointer, open_source, split_selector
from klcli.readers.tables.roles import CHOICES, Choices

if TYPE_CHECKING:
    from collections.abc import Sequence

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

    def one(self, text: str, role: str) -> Distribution:
        """The one distribution that the argument is. role: what errors call it. Of raw values, see `counted`."""
        found = self._read(text, role)
        return _distribution(distributions.one(found), found, text, role)

    def two(self, p: str, q: str | None) -> tuple[Distribution, Distribution]:
        """P and Q, or where there is no Q the two distributions of an argument that is a whole pair."""
        if q is not None:
            return self._both(self.one(p, "P"), self.one(q, "Q"))
        found = self._read(p, "P")
        if found.source == "P" and found.names() == [""]:
            message = "Q is missing: P is one distribution; give another after it, or a file of two"
            raise UsageError(message)
        pair = getattr(found, "pair", None)  # rows and groups are a pair in their order, whatever they are called
        first, second = distributions.both(found) if pair is None else pair()
        return self._both(_distribution(first, found, p, "P"), _distribution(second, found, p, "P"))

    def every(self, text: str, role: str) -> list[Distribution]:
        """All the distributions of the argument: columns of a table, members of an object. Of raw ones, `counted`."""
        found = self._read(text, role)
        return [_distribution(series, found, text, role) for series in distributions.every(found)]

    def counted(self, read: Sequence[Distribution]) -> list[Distribution]:
        """The distributions as they were read; of raw values how often each occurs, in cells that all of them share."""
        if not self._choices.tally:
            return list(read)
        from klcli.readers.observations import counted

        return counted(read, self._choices.bins, self._dialect.decimal)

    def _both(self, p: Distribution, q: Distribution) -> tuple[Distribution, Distribution]:
        """Both as they are compared: counted where they are raw values, and else with a note where they seem to be."""
        if self._choices.tally:
            p, q = self.counted([p, q])
        elif p.outcomes is None and q.outcomes is None:
            from klcli.readers.observations import hinted

            p = hinted(p, q)
        return p, q

    def formula(self, text: str, role: str) -> Formula | None:
        """The formula that the argument is, if it has no grid: a density, or masses; None for all that is weights."""
        found = self._formula(text, role)
        return found if found is not None and found.grid is None else None

    def _formula(self, text: str, role: str) -> Formula | None:
        found = _formula(text, role)
        if found is not None and self._choices.tally:
            shown = clipped(text.strip())
            message = f"{role}: {shown} is a formula, and --tally counts raw values; klcli fit compares them with one"
            raise UsageError(message)
        return found

    def _read(self, text: str, role: str) -> Distributions:
        if (formula := self._formula(text, role)) is not None:
            from klcli.readers import expressions

            return expressions.content(formula, role)
        decimal = self._dialect.decimal
        grammar = Grammar(
            parse=self._of_raw_text
            if self._choices.tally
            else lambda text, role: self._distributions(inline.parse(text, role, decimal)),
            read=self._of_source,
            is_file=is_known_suffix,
            example="write numbers like 0.4,0.6, pairs like cat=0.7,dog=0.3, or a file",
        )
        found: Distributions = inline.argument(text, role, grammar, decimal)
        return found

    def _of_raw_text(self, text: str, role: str) -> Distributions:
        from klcli.readers.observations import of_text

        return of_text(text, role)

    def _of_source(self, text: str) -> Distributions:
        path, selector, chosen = split_selector(text)
        if not path:
            message = f"{clipped('@' + text)} names no file"
            raise InputError(message)
        source = self._sources.setdefault(path, open_source(path, self._dialect))
        kind = format_of(source, self._input_format, selector)
        if (path, kind) not in self._read_of:
            self._read_of[path, kind] = self._content(source, kind, chosen if selector == ":" else None)
        read = self._read_of[path, kind]
        key = path, kind, chosen if selector == "#" else ""
        if key not in self._found:
            self._found[key] = self._distributions(_at(read, chosen, source.name) if selector == "#" else read)
        return _Chosen(self._found[key], chosen) if selector == ":" else self._found[key]

    def _content(self, source: Source, kind: str, column: str | None) -> Table | Document | Single:
        """All of a source. Of raw values the cells are kept as they stand: 007 is not 7."""
        choices = self._choices
        if choices.tally and kind == "text":
            from klcli.readers.observations import of_lines

            return of_lines(source)
        return READERS[kind](source, (column or choices.select) if choices.tally else choices.label)

    def _distributions(self, read: Table | Document | Single) -> Distributions:
        """What was read, as distributions by name: columns, rows or groups of a table, members of a JSON value."""
        if isinstance(read, distributions.Single):
            return read
        from klcli.readers.documents import Document

        if self._choices.rows or self._choices.by is not None:
            from klcli.readers.rows import members

            return members(read, self._choices, self._dialect)
        if self._choices.tally:
            from klcli.readers.observations import observed

            return observed(read, self._choices, self._dialect)
        table = read.table() if isinstance(read, Document) else read
        if table is None:
            return cast("Document", read)
        from klcli.readers.tables.columns import Columns

        return Columns(table, self._choices.label, self._dialect.decimal)


def _at(read: Table | Document | Single, pointer: str, source: str) -> Document:
    """What a JSON pointer leads to. Raises InputError where this is not JSON."""
    from klcli.readers.documents import Document

    return read.at(pointer) if isinstance(read, Document) else no_pointer(source, pointer)


class _Chosen:
    """One of a source's distributions, chosen by name."""

    header = None

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
    return Distribution(name, text, frozen(series.values), series.where, series.labels, series.remark)
