"""Files and standard input, one after the other, as one stream of frames with one header."""

from __future__ import annotations

from functools import partial
from shutil import copyfileobj
from typing import TYPE_CHECKING, cast

from klcli.console import Temporary
from klcli.errors import InputError
from klcli.readers.formats import format_of
from klcli.readers.sources import PLAIN, open_source
from klcli.readers.tables.layout import lay_out
from klcli.tuples import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import BinaryIO, Protocol, Self

    from klcli.readers.sources import Dialect, Source
    from klcli.readers.tables.layout import Layout, WantedColumns
    from klcli.readers.tables.table import Table

    class TableStream(Protocol):
        """A table whose columns are known and whose rows are still to be read.

        names: of all columns. small: whether it is read without a table engine. note: what to say of its header. begin:
        where in a file of text the rows begin, in bytes.
        """

        source: str
        names: tuple[str, ...]
        small: bool
        note: str
        begin: int

        @property
        def text(self) -> Sequence[bool]:
            """Whether each column holds text, as far as that is known."""
            ...

        def frames(self, layout: Layout) -> Iterator[Callable[[], Table]]:
            """The rows, as functions that each read some of them; any thread may call them, in any order."""
            ...

        def doubts(self, columns: Sequence[int]) -> Sequence[str]:
            """Notes on columns of weights whose numbers may be meant otherwise than they are read."""
            ...

        def place(self, line: int) -> str:
            """Where a line is, counted from the first one of the first frame."""
            ...

        def narrow(self, start: int, end: int, before: int) -> None:
            """Leaves only some of the rows to be read; `klcli.batch.spans.Span` says what the numbers mean."""
            ...


class ReadSettings(NamedTuple):
    """How tables are read. input_format: None for what the suffix says. size: bytes at a time, None for what suits."""

    wanted: WantedColumns
    input_format: str | None = None
    dialect: Dialect = PLAIN
    size: int | None = None
    threads: int = 1


class Share(NamedTuple):
    """One file of a stream, or some of its rows, where other processes read the rest.

    name: what errors call the file. layout: of the first file of the stream. span: None for all of it. mixed: see
    `Opened`.
    """

    name: str
    layout: Layout
    span: tuple[int, int, int] | None = None
    mixed: bool = False


class Opened(NamedTuple):
    """A table of the stream. layout: where the wanted columns are in the first one; own: where they are in this one.

    mixed: whether tables of other formats stand beside it. What is kept is then text, so that keys can be compared.
    """

    stream: TableStream
    layout: Layout
    own: Layout
    mixed: bool = False

    def frames(self) -> Iterator[Callable[[], Table]]:
        """The rows, as functions that each read some of them; any thread may call them, in any order.

        Their columns are where they are in the first table.
        """
        frames = self.stream.frames(self.own)
        alike = self.own == self.layout and not self.mixed
        return frames if alike else (partial(self._read, frame) for frame in frames)

    def _read(self, read: Callable[[], Table]) -> Table:
        table = read()
        cells = {i: table.texts(i) for i in self.own.cells} if self.mixed else {}
        at = dict(zip(self.own.columns, self.layout.columns, strict=True))
        columns = {at[i] if i >= 0 else ~at[~i]: of for i, of in {**table.columns, **cells}.items()}
        form = "text" if self.mixed else table.form
        return table._replace(names=self.layout.header, columns=columns, form=form, source=self.own.source)


_FORMS = {"csv": "text", "text": "text", "tsv": "text", "markdown": "text", "json": "json", "ndjson": "json"}


class Tables:
    """The tables of some files, each opened when the one before has been read.

    Groups whose rows turn out not to stand together are read again; what cannot be, as a pipe, is copied for that.
    share: what there is to be read of the stream, where that is not all.
    """

    def __init__(self, paths: Sequence[str], reading: ReadSettings, share: Share | None = None) -> None:
        self._reading, self._share = reading, share
        self._sources = [open_source(path, reading.dialect, share and share.name) for path in paths]
        self._copies: dict[int, BinaryIO] = {}
        self._begun = 0
        # What is not there is said before anything is read, and a file that another one replaces meanwhile is noticed.
        sizes = [source.look() for source in self._sources]
        self.total = 0 if None in sizes else sum(size or 0 for size in sizes)

    @property
    def done(self) -> int:
        """The bytes that have been read."""
        return sum(source.done for source in self._sources)

    def format(self) -> str:
        """The format of the first."""
        return format_of(self._sources[0], self._reading.input_format)

    @property
    def mixed(self) -> bool:
        """Whether groups may have rows in files of several formats."""
        if self._share is not None:
            return self._share.mixed
        forms = {_FORMS.get(format_of(source, self._reading.input_format)) for source in self._sources}
        return self._reading.wanted.by is not None and len(forms) > 1

    def want(self, wanted: WantedColumns) -> None:
        """Changes what the next reading looks for."""
        self._reading = self._reading._replace(wanted=wanted)

    def __iter__(self) -> Iterator[Opened]:
        """The tables. Raises InputError where a later one has not the columns of the first."""
        first = self._share and self._share.layout
        for i, source in enumerate(self._sources):
            self._begun = i + 1
            stream = open_stream(self._again(i, source), self._reading)
            if first is None:
                found = lay_out(self._reading.wanted, stream.names, source.name, stream.text)
                remarks = (*found.remarks, *stream.doubts(found.numbers))
                first = found._replace(blank=self._reading.dialect.blank, remarks=remarks)
            if self._share is not None and self._share.span is not None:
                stream.narrow(*self._share.span)
            yield Opened(stream, first, first.found_in(stream.names, source.name), self.mixed)
            source.verify()
            if i not in self._copies:
                source.close()

    def verify(self) -> None:
        """Raises InputError where one of the files is no longer what it was when it was first looked at."""
        for source in self._sources:
            source.verify()

    def _again(self, i: int, source: Source) -> Source:
        """A source of groups, from its start; what can be read but once is first copied."""
        if self._reading.wanted.by is None:
            return source
        if i in self._copies or source.begun:
            source.rewind(self._copies.get(i))
        elif not source.is_file:
            copy = cast("BinaryIO", Temporary())
            copyfileobj(source.open(), copy)
            self._copies[i] = copy
            source.rewind(copy)
        return source

    def __enter__(self) -> Self:
        """The tables, whose files are closed at the end of the `with` block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Closes the files of the tables."""
        for source in self._sources:
            source.close()
        for copy in self._copies.values():
            copy.close()


def open_stream(source: Source, reading: ReadSettings) -> TableStream:
    """The stream of a source, by its format. Raises InputError where it has no columns."""
    kind = format_of(source, reading.input_format)
    if _FORMS.get(kind) == "text":
        from klcli.readers.tables.delimited import DelimitedStream

        return DelimitedStream(source, {"tsv": "\t", "markdown": "|"}.get(kind, ","), reading.size)
    if kind in {"json", "ndjson"}:
        from klcli.readers.tables.records import RecordStream

        return RecordStream(source, ndjson=kind == "ndjson", size=reading.size)
    if kind in {"npy", "npz", "uniq"}:
        message = (
            f"{source.name}: {kind} has no columns to choose from; klcli matrix takes it, and kl, compare and rank; "
            "of two arrays klcli loss kl-div Q P -g rows measures every row"
        )
        raise InputError(message)
    from klcli.readers.tables.columnar import ColumnarStream

    return ColumnarStream(source, kind)
