"""Files and standard input, one after the other, as parts that are read on their own."""

from __future__ import annotations

import os
import zlib
from contextlib import ExitStack
from functools import partial
from shutil import copyfileobj
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, NamedTuple, Protocol, cast

from klcli.errors import InputError, UsageError, listed
from klcli.readers.formats import READERS, format_of
from klcli.readers.sources import PLAIN, cannot_read, open_source, stdin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path
    from typing import BinaryIO, Self

    from klcli.blocks import Block
    from klcli.readers.columnar import Columns
    from klcli.readers.sources import Dialect, Source
    from klcli.readers.tables.layout import Layout, Wanted
    from klcli.readers.tables.pieces import Readable
    from klcli.readers.tables.rows import Rows

    Part = Callable[[], Iterable[Block]]


class Table(Protocol):
    """A table whose columns are known and whose rows are still to be read."""

    source: str
    kept: tuple[str, ...]
    layout: Layout

    def parts(self) -> Iterator[Part]:
        """The rows, as functions that each read some of them; any thread may call them, in any order."""
        ...

    def rows(self) -> Iterator[Rows]:
        """The rows as they are read, before they are pairs."""
        ...

    def place(self, line: int) -> str:
        """Where a line is, counted from the first one of the first part."""
        ...


class Reading(NamedTuple):
    """How tables are read. input_format: None for what the suffix says. size: bytes at a time, None for what suits."""

    wanted: Wanted
    input_format: str | None = None
    dialect: Dialect = PLAIN
    size: int | None = None
    threads: int = 1


class Tables:
    """The tables of some files, each opened when the one before has been read; they are one stream, with one header.

    done, total: bytes read, of how many (0: nobody knows).
    """

    def __init__(self, paths: Sequence[str], reading: Reading) -> None:
        self._reading, self.done = reading, 0
        if list(paths).count("-") > 1:
            message = "standard input can be read once; give - once"
            raise UsageError(message)
        self._sources = [open_source(path, reading.dialect) for path in paths]
        self._open = ExitStack()
        self._copies: dict[str, BinaryIO] = {}
        sizes = [_size_of(source) for source in self._sources]
        self.total = 0 if None in sizes else sum(size or 0 for size in sizes)

    def format(self) -> str:
        """The format of the first."""
        return format_of(self._sources[0], self._reading.input_format)

    @property
    def divisible(self) -> bool:
        """Whether whoever goes through the parts for a share of them saves the time that the others take to read."""
        formats = {format_of(source, self._reading.input_format) for source in self._sources}
        in_pieces = {"text", "csv", "tsv"} if self._reading.wanted.by else {"text", "csv", "tsv", "ndjson", "parquet"}
        return formats <= in_pieces

    def has(self, path: str) -> bool:
        """Whether a path is that of one of the files."""
        return any(source.path is not None and os.path.realpath(source.path) == path for source in self._sources)

    def __iter__(self) -> Iterator[Table]:
        """The tables. Raises InputError where a later one keeps other columns than the first."""
        first: Table | None = None
        for source in self._sources:
            opened = _TABLES.get(format_of(source, self._reading.input_format), _whole)
            table = opened(source, self._reading, self)
            if first is None:
                first = table
            check_header(table, first.kept, first.source)
            yield table

    def stream(self, source: Source) -> Readable:
        """The bytes of a source; standard input is copied where it may have to be read again."""
        if source.path is None and self._reading.wanted.by is not None:
            if source.name not in self._copies:
                self._copies[source.name] = self._open.enter_context(TemporaryFile())  # noqa: SIM115 - of the stack
                copyfileobj(stdin(source.name), self._copies[source.name])
            self._copies[source.name].seek(0)
            return cast("Readable", self._copies[source.name])
        if source.path is None:
            return cast("Readable", stdin(source.name))
        return cast("Readable", self._open.enter_context(_open(source, source.path)))

    def __enter__(self) -> Self:
        """The tables, whose files are closed at the end of the `with` block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Closes them."""
        self._open.close()


def check_header(table: Table, kept: tuple[str, ...], first: str) -> None:
    """Raises InputError where a table keeps other columns than the first one of its stream."""
    if table.kept != kept:
        message = (
            f"{table.source}: keeps {listed(table.kept) or 'no column'}, and {first} before it "
            f"{listed(kept) or 'none'}; one stream has one header: choose columns of both with --keep"
        )
        raise InputError(message)


def _size_of(source: Source) -> int | None:
    """The bytes of a file, None where nobody knows. Raises InputError for one that is not there."""
    if source.path is None:
        return None
    try:
        known = source.path.is_file() and not source.compression
        return source.path.stat().st_size if known or not source.path.exists() else None
    except OSError as error:
        raise cannot_read(source.name, source.path, error) from None


class _Stream:
    """A file or standard input, decompressed; counts what it has read, and explains what it cannot."""

    def __init__(self, source: Source, whole: Tables) -> None:
        self._source, self._whole = source, whole
        self._raw = whole.stream(source)

    def readinto(self, room: memoryview) -> int:
        """Reads to the start of the room. Returns how many bytes, 0 at the end."""
        source = self._source
        try:
            read = self._raw.readinto(room)
        except (OSError, EOFError, zlib.error) as error:
            if source.path is not None and not source.compression and isinstance(error, OSError):
                raise cannot_read(source.name, source.path, error) from None
            message = f"{source.name}: damaged {source.compression[1:]} data ({error})"
            raise InputError(message) from None
        self._whole.done += read
        return read


def _open(source: Source, path: Path) -> BinaryIO:
    try:
        if source.compression == ".gz":
            import gzip

            return cast("BinaryIO", gzip.open(path))
        if source.compression == ".zst":
            import pyarrow as pa

            return cast("BinaryIO", pa.CompressedInputStream(pa.OSFile(str(path)), "zstd"))
        return path.open("rb")
    except OSError as error:
        raise cannot_read(source.name, path, error) from None


def _delimited(source: Source, reading: Reading, whole: Tables, *, delimiter: str = ",") -> Table:
    from klcli.readers.tables.delimited import DelimitedTable, Written

    written = Written(source.dialect.between(delimiter), source.dialect.decimal)
    stream, size = _Stream(source, whole), _size(source, reading)
    return DelimitedTable(stream, source.name, reading.wanted, written, size, exactly=reading.size is not None)


_SMALLEST, _LARGEST, _PIECES = 1 << 18, 5 << 19, 16


def _size(source: Source, reading: Reading) -> int:
    """How many bytes are read at a time: as many as keep some threads busy and the memory low.

    It does not depend on how many threads there are, for the last digit of a value may depend on it.
    """
    if reading.size is not None:
        return reading.size
    whole = _size_of(source) or _LARGEST * _PIECES
    return min(max(whole // _PIECES, _SMALLEST), _LARGEST)


def _ndjson(source: Source, reading: Reading, whole: Tables) -> Table:
    from klcli.readers.tables.records import RecordsTable

    return RecordsTable(_Stream(source, whole), source.name, reading.wanted, _size(source, reading))


def _json(source: Source, reading: Reading, _: Tables) -> Table:
    from klcli.readers.tables.records import JsonTable

    return JsonTable(source.text, source.name, reading.wanted)


def _parquet(source: Source, reading: Reading, _: Tables) -> Table:
    from klcli.readers.tables.typed import open_parquet

    return open_parquet(source, reading.wanted)


def _whole(source: Source, reading: Reading, _: Tables) -> Table:
    """A file of a format that is read all at once."""
    from klcli.readers.tables.typed import open_whole

    read = READERS[format_of(source, reading.input_format)](source, None)
    return open_whole(source, reading.wanted, cast("Columns", read).table)


_TABLES: dict[str, Callable[[Source, Reading, Tables], Table]] = {
    "text": _delimited,
    "csv": _delimited,
    "tsv": partial(_delimited, delimiter="\t"),
    "ndjson": _ndjson,
    "json": _json,
    "parquet": _parquet,
}
