"""What a result is before it is written in some format: tables, a document, bare values, notes, what gates look at."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, TypeAlias

from klcli.tuples import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import numpy.typing as npt
    from rich.table import Table as Grid
    from rich.text import Text

    from klcli.fits import FitReport
    from klcli.model import Elements, Report, Square
    from klcli.renderers.terminal import Kit

    Array = npt.NDArray[Any]
    Piece: TypeAlias = "Sequence[Any] | Array | Names"
    Column: TypeAlias = "Piece | Computed"


class Names:
    """A column of names, `names[i]` for each i of `places`: of millions of pairs each name is encoded once a piece."""

    def __init__(self, names: Sequence[str], places: Array) -> None:
        self.names, self.places = names, places

    @property
    def size(self) -> int:
        """The number of rows."""
        return len(self.places)

    def piece(self, some: slice) -> Names:
        """The names of some rows."""
        return Names(self.names, self.places[some])


class Computed:
    """A column that is computed some rows at a time, so that millions of rows never stand in memory."""

    def __init__(self, size: int, piece: Callable[[slice], Array]) -> None:
        self.size, self.piece = size, piece


class AnswerTable(NamedTuple):
    """Columns under a header, all of one length.

    A column is a sequence of text, whole numbers or doubles (in NDJSON of any JSON value), or an array of numbers; one
    of shape (n, m) stands below m names of the header.
    """

    header: list[str]
    columns: list[Column]

    @property
    def size(self) -> int:
        """The number of rows."""
        first = self.columns[0]
        return first.size if isinstance(first, Names | Computed) else len(first)

    def pieces(self, some: slice) -> list[Piece]:
        """Some rows of every column."""
        return [c.piece(some) if isinstance(c, Names | Computed) else c[some] for c in self.columns]


class Answer(ABC):
    """What a command found, as every format takes it.

    title: what kind of result it is, as the heading of a page. notes: what a reader should know. nan: what NaN is
    called; '' where it means that nothing applies, and nothing is written. measured: the values that gates look at,
    each set of them under the name of what it is of.
    """

    title = ""
    notes: Sequence[str] = ()
    nan = ""
    measured: Sequence[tuple[str, Mapping[str, float]]] = ()

    @abstractmethod
    def tables(self) -> list[AnswerTable]:
        """The tables of a format that may have several; the last is that of a format that has one."""

    @abstractmethod
    def document(self) -> Mapping[str, Any] | bytes:
        """The JSON object: see `formats.json` for what may stand in it."""

    @abstractmethod
    def drawn(self, kit: Kit) -> Iterator[Text | Grid]:
        """What a terminal shows, one below the other."""

    def pictured(self) -> Elements | Square | FitReport | Sequence[Report] | None:
        """What a page draws a picture of: of reports the first measure of each."""
        return None

    def rows(self) -> AnswerTable:
        """The table of a format that has one."""
        return self.tables()[-1]

    def records(self) -> AnswerTable:
        """The table whose rows are JSON objects."""
        return self.rows()

    def values(self, field: str) -> Column:
        """The bare values of a field. Raises UsageError where there are none."""
        table = self.rows()
        return table.columns[table.header.index(field)]

    def shown_notes(self) -> Sequence[str]:
        """The notes below what a terminal shows."""
        return self.notes
