"""DIST, the way a distribution is written on the command line:

    DIST    = "-" | ["@"] SOURCE | FORMULA | JSON | PAIRS | NUMBERS
    SOURCE  = (PATH | "-") [ ":" COLUMN | "#" JSON-POINTER ]

A formula (see `expressions`) unless there is a file of that name; JSON, then pairs and numbers, then a file that
exists; "@" says file at once.
"""  # noqa: D400, D415

from __future__ import annotations

from typing import TYPE_CHECKING

from klcli.errors import InputError, KlcliError, UsageError, clipped
from klcli.model import Distribution, frozen
from klcli.readers import content, inline
from klcli.readers.formats import is_known_suffix, reader
from klcli.readers.inline import Grammar
from klcli.readers.sources import PLAIN, open_source, split_selector

if TYPE_CHECKING:
    from typing import Self

    from klcli.parametric.catalogue import Formula
    from klcli.readers.content import Content, Series
    from klcli.readers.sources import Dialect, Source


class Arguments:
    """Reads the distributions of one command line; what several of them share is read once."""

    def __init__(self, input_format: str | None = None, label: str | None = None, dialect: Dialect = PLAIN) -> None:
        self._input_format, self._label, self._dialect = input_format, label, dialect
        self._sources: dict[str, Source] = {}
        self._contents: dict[tuple[str, str], Content] = {}

    def __enter__(self) -> Self:
        """Reading goes on beside the arithmetic inside the `with` block."""
        return self

    def __exit__(self, kind: object, error: BaseException | None, _: object) -> None:
        """Waits for the checks that go on beside. What they find comes before any other error, and any result."""
        if error is None or isinstance(error, KlcliError):
            for source in self._sources.values():
                for check in source.checks:
                    check()

    def one(self, text: str, role: str) -> Distribution:
        """The one distribution that the argument is. role: what errors call it."""
        whole = self._read(text, role)
        return _distribution(content.one(whole), whole, text, role)

    def two(self, p: str, q: str | None) -> tuple[Distribution, Distribution]:
        """P and Q, or where there is no Q the two distributions of an argument that is a whole pair."""
        if q is not None:
            return self.one(p, "P"), self.one(q, "Q")
        whole = self._read(p, "P")
        if whole.source == "P" and whole.names() == [""]:
            message = "Q is missing: P is one distribution; give another after it, or a file of two"
            raise UsageError(message)
        first, second = content.both(whole)
        return _distribution(first, whole, p, "P"), _distribution(second, whole, p, "P")

    def every(self, text: str, role: str) -> list[Distribution]:
        """All the distributions of the argument: the columns of a table, the members of an object."""
        whole = self._read(text, role)
        return [_distribution(series, whole, text, role) for series in content.every(whole)]

    def formula(self, text: str, role: str) -> Formula | None:
        """The formula that the argument is, if it has no grid: a density, or masses; None for all that is weights."""
        found = _formula(text, role)
        return found if found is not None and found.grid is None else None

    def _read(self, text: str, role: str) -> Content:
        if (found := _formula(text, role)) is not None:
            from klcli.readers import expressions

            return expressions.content(found, role)
        decimal = self._dialect.decimal
        grammar = Grammar(
            parse=lambda text, role: inline.parse(text, role, decimal),
            read=self._source,
            is_file=is_known_suffix,
            example="write numbers like 0.4,0.6, pairs like cat=0.7,dog=0.3, or a file",
        )
        read: Content = inline.argument(text, role, grammar, decimal)
        return read

    def _source(self, text: str) -> Content:
        path, selector, chosen = split_selector(text)
        if not path:
            message = f"{clipped('@' + text)} names no file"
            raise InputError(message)
        source = self._sources.setdefault(path, open_source(path, self._dialect))
        read = reader(source, self._input_format, selector)
        key = (path, selector if source.path is None and selector else "")
        if key not in self._contents:
            self._contents[key] = read(source, self._label)
        whole = self._contents[key]
        if selector == "#":
            return whole.at(chosen)
        return _Column(whole, chosen) if selector == ":" else whole


class _Column:
    """One of a source's distributions, chosen by name."""

    def __init__(self, whole: Content, name: str) -> None:
        self.source, self.header, self._whole, self._name = whole.source, None, whole, name

    def names(self) -> list[str]:
        """Just the one chosen."""
        return [self._name]

    def numeric(self) -> list[str]:
        """Just the one chosen; whether it is numeric shows when it is read."""
        return [self._name]

    def series(self, name: str) -> Series:
        """The one chosen."""
        return self._whole.series(name)

    def at(self, pointer: str) -> Content:
        """What the pointer leads to in the whole source."""
        return self._whole.at(pointer)

    def address(self, name: str) -> str:
        """As the whole source says."""
        return self._whole.address(name)


def _formula(text: str, role: str) -> Formula | None:
    if "(" not in text:  # which spares all others the import
        return None
    from klcli.readers import expressions

    return expressions.parse(text, role) if expressions.is_formula(text) else None


def _distribution(series: Series, whole: Content, text: str, role: str) -> Distribution:
    text = text.strip()
    if not series.name or isinstance(whole, _Column):
        name = inline.name_of(text)
    else:
        name = series.name if whole.source == role else whole.address(series.name)
    return Distribution(name, text, frozen(series.values), series.where, series.labels, series.remark)
