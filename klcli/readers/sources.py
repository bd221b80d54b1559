"""The bytes of a file or of standard input, opened once, decompressed, and as text."""

from __future__ import annotations

import codecs
import io
import os
import sys
import zlib
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from stat import S_ISREG
from typing import TYPE_CHECKING, Any, NoReturn, cast

from klcli.console import ending, reason, say
from klcli.errors import InputError, KlcliError, clipped, lacking, nearest
from klcli.readers.numbers import Notation
from klcli.tuples import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator
    from os import stat_result
    from typing import BinaryIO, Protocol

    class ByteStream(Protocol):
        """Whatever bytes are read from."""

        def readinto(self, room: memoryview, /) -> int:
            """Reads to the start of the room. Returns how many bytes, 0 at the end."""
            ...


STDIN = "<stdin>"
"""What standard input is called; on the command line it is -."""

_TOP = 1 << 14
"""Characters in which the first lines of a table end."""


class Dialect(NamedTuple):
    """How numbers and tables are written as text.

    delimiter: None for the format's own, a blank for any run of blanks. thousands: what groups digits. blank: what a
    cell without a number is: 'zero', 'skip' or 'error'. header: whether the first line names the columns, None where it
    shows. comment: what lines that are left out begin with. skip: lines left out at the start. quotes: whether a quote
    encloses a field. sheet: of a spreadsheet, None for the first.
    """

    delimiter: str | None = None
    decimal: str = "."
    thousands: str | None = None
    blank: str = "error"
    header: bool | None = None
    comment: str | None = None
    skip: int = 0
    quotes: bool = True
    sheet: str | None = None
    encoding: str = "utf-8"

    @property
    def notation(self) -> Notation:
        """How numbers are written."""
        return Notation(self.decimal, self.thousands, self.blank)

    @property
    def is_utf8(self) -> bool:
        """Whether the encoding is UTF-8, with a byte order mark or without."""
        return codecs.lookup(self.encoding).name in {"utf-8", "utf-8-sig"}

    @property
    def alters(self) -> bool:
        """Whether a table is to be read otherwise than its bytes stand in the file: see `lines.TextLines`."""
        return bool(self.skip or self.comment or self.delimiter == " " or not self.is_utf8)

    def between(self, of_format: str) -> str:
        """What separates fields: a decimal comma goes with semicolons, as every program that writes it has it."""
        if self.delimiter is not None:
            return self.delimiter
        return ";" if self.decimal == of_format == "," else of_format


PLAIN = Dialect()


class Source:
    """Something to read, named as errors name it. `compression` is '', '.gz' or '.zst'.

    A file is opened once, and `verify` says whether it is still what was opened: whoever reads it in pieces must not
    mix two states of it.
    """

    def __init__(self, name: str, path: Path | None, compression: str = "", dialect: Dialect = PLAIN) -> None:
        self.name, self.path, self.compression, self.dialect = name, path, compression, dialect
        self.done = 0
        self._raw: BinaryIO | None = None
        self._stream: BinaryIO | None = None
        self._spent: BinaryIO | None = None
        self._state: tuple[int, ...] | None = None
        self._left: int | None = None
        self._ended = False

    @property
    def is_file(self) -> bool:
        """Whether it is a plain file, which can be read again, and from any place."""
        return self.path is not None and os.path.isfile(self.path)  # noqa: PTH113 - Path's raises

    def open(self) -> BinaryIO:
        """The file or standard input as it is, opened the first time. Raises InputError."""
        if self._raw is None and self.path is None:
            self._raw = stdin(self.name)
        elif self._raw is None and self.path is not None:
            self.look()
            try:
                self._raw = cast("BinaryIO", self.path.open("rb", buffering=0))
            except OSError as error:
                raise cannot_read(self.name, self.path, error) from None
        return cast("BinaryIO", self._raw)

    @property
    def begun(self) -> bool:
        """Whether anything has been read."""
        return self._stream is not None

    @property
    def size(self) -> int | None:
        """The bytes of an uncompressed plain file, None where nobody knows. Raises InputError where it is not there."""
        found = self.look()
        return None if self.compression else found

    def look(self) -> int | None:
        """The bytes of a plain file as it is on the disk, None where nobody knows. Raises InputError.

        The state in which it is found is the one that `verify` asks for.
        """
        if self.path is None:
            return None
        try:
            found = self.path.stat()
        except (OSError, ValueError) as error:  # ValueError: a name that no file can have
            raise cannot_read(self.name, self.path, error) from None
        if not S_ISREG(found.st_mode):
            return None
        ending.read.add((found.st_dev, found.st_ino))
        self._state = self._state or _state(found)
        return found.st_size

    def readinto(self, room: memoryview, /) -> int:
        """Reads decompressed bytes to the start of the room. Returns how many, 0 at the end. Raises InputError."""
        if self._ended:  # a terminal would go on after it, and want another Ctrl-D
            return 0
        try:
            if self._stream is None:
                self._stream = _decompressed(self.open(), self.compression)
            read = cast("ByteStream", self._stream).readinto(room[: self._left])
        except (OSError, EOFError, zlib.error) as error:
            raise self._cannot_read(error) from None
        self._ended = read == 0
        self.done += read
        if self._left is not None:
            self._left -= read
        return read

    def narrow(self, start: int, end: int) -> None:
        """Goes to a place in an uncompressed plain file, and from then on takes another one for its end."""
        self.open().seek(start)
        self._stream, self._left, self._ended = self._raw, end - start, False

    def rewind(self, copy: BinaryIO | None = None) -> None:
        """Goes back to the start of a plain file. copy: to be read instead, of what can be read but once."""
        # A decompressor closes what it reads from when it goes, so that the last one stays.
        self._spent = self._stream
        self._raw = copy or self._raw
        self.open().seek(0)
        self._stream, self.done, self._ended = None, 0, False

    def read(self) -> Iterator[bytes]:
        """The rest of it, some bytes at a time."""
        room = bytearray(1 << 20)
        while read := self.readinto(memoryview(room)):
            yield bytes(room[:read])

    def close(self) -> None:
        """Closes the file, which `rewind` opens again; standard input stays open."""
        if self._raw is not None and self.path is not None:
            self._raw.close()
            self._raw = None

    def verify(self) -> None:
        """Raises InputError where the file is another one than was opened, or has been written to since."""
        if self.path is None or self._state is None:
            return
        try:
            same = _state(self.path.stat()) == self._state
        except OSError:
            same = False
        if not same:
            message = f"{self.name} changed while it was read; nothing was written: read it again when it is complete"
            raise InputError(message)

    @cached_property
    def data(self) -> bytes:
        """The bytes of the whole source, decompressed. Raises InputError."""
        try:
            data = b"".join(self.read()) if self.compression or not self.is_file else self._whole_file()
            self.verify()
        finally:
            self.close()
        return data

    def _whole_file(self) -> bytes:
        try:
            return self.open().read()
        except OSError as error:
            raise self._cannot_read(error) from None

    @cached_property
    def text(self) -> str:
        """The whole source as text, without a byte order mark. Raises InputError where it is not UTF-8."""
        data = self.data
        if self.dialect.alters:
            from klcli.readers.lines import TextLines

            data = TextLines(cast("ByteStream", io.BytesIO(data)), self.name, self.dialect).read()
        if not data.strip():
            raise empty(self.name, self.dialect)
        if b"\0" in data:
            message = f"{self.name}: this is {utf_16(data) or 'a binary file, not text'}"
            raise InputError(message)
        try:
            return data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            message = f"{self.name}:{line}: {no_utf_8(data[error.start])}"
            raise InputError(message) from None

    def _cannot_read(self, error: Exception) -> InputError:
        if self.compression and not (isinstance(error, OSError) and error.errno):
            kind = {".gz": "gzip", ".zst": "zstd"}[self.compression]
            return InputError(f"{self.name}: damaged {kind} data ({error})")
        return cannot_read(self.name, self.path or Path(self.name), error)


def _state(found: stat_result) -> tuple[int, ...]:
    return found.st_ino, found.st_size, found.st_mtime_ns


def no_utf_8(byte: int) -> str:
    """What is wrong with a byte of a text that is not UTF-8, and how to read it."""
    return f"byte 0x{byte:02x} is not UTF-8; add --encoding latin-1, or the one it has, or save the file as UTF-8"


def utf_16(data: bytes) -> str:
    """What text is that seems to be UTF-16, and how to read it; '' for any other."""
    if data[:2] in {codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE}:
        return "UTF-16 text; add --encoding utf-16, or save it as UTF-8"
    pairs = data[:1000]
    name = "utf-16-le" if not any(pairs[1::2]) else "utf-16-be" if not any(pairs[::2]) else ""
    return f"UTF-16 text; add --encoding {name}, or save it as UTF-8" if name and any(pairs) else ""


def refuse_ruled(text: str, name: str) -> None:
    """Raises InputError where a text begins as a table with rules does, as Markdown and database clients write it."""
    top = text[:_TOP]
    if "--" in top or "==" in top or "-|" in top or "\u2500" in top or "\u2501" in top or "\u2550" in top:
        from klcli.readers.lines import ruled_by

        between = ruled_by(top)
        if between:
            kind, how = ("bars", "markdown") if between == "|" else ("blanks", "csv --delimiter space")
            message = f"{name}: this is a table between {kind}; add --input-format {how}"
            raise InputError(message)


def empty(name: str, dialect: Dialect = PLAIN) -> InputError:
    """The error for a source in which there is nothing."""
    if dialect.skip or dialect.comment:
        left_out = " and ".join(["--skip"] * bool(dialect.skip) + ["--comment"] * bool(dialect.comment))
        return InputError(f"{name}: nothing is left of it but what {left_out} leaves out")
    why = "; did the command before it fail?" if name == STDIN else ""
    return InputError(f"{name} is empty{why}")


def stdin(name: str) -> BinaryIO:
    """Standard input; says so where somebody would have to type it. Raises InputError where it is closed."""
    if sys.stdin is None:
        message = f"{name} is closed; pipe something in or name a file"
        raise InputError(message)
    if sys.stdin.isatty():
        say("reading from the terminal; end with Ctrl-D")
        return cast("BinaryIO", cast("Any", sys.stdin.buffer).raw)  # the other would wait for a second one
    with suppress(OSError, ValueError):  # it may have no file
        found = os.fstat(sys.stdin.fileno())
        ending.read.add((found.st_dev, found.st_ino))
    return sys.stdin.buffer


def cannot_read(name: str, path: Path, error: Exception) -> InputError:
    """The error for a file that the system does not open or read, in the system's words, not in a library's."""
    if isinstance(error, OSError) and error.errno:
        error = OSError(error.errno, os.strerror(error.errno))  # which is of the kind that the number says
    if isinstance(error, FileNotFoundError):
        return InputError(f"{name}: no such file{near_file(path)}")
    if isinstance(error, IsADirectoryError):
        return InputError(f"{name}: this is a directory; name a file in it")
    return InputError(f"{name}: {reason(error) if isinstance(error, OSError) else str(error)}")


def unreadable(name: str, kind: str, error: Exception) -> KlcliError:
    """The error for a file that a library does not take, or cannot open. kind: 'Parquet', '.npy'."""
    if isinstance(error, OSError) and error.errno:
        return cannot_read(name, Path(name), error)
    return lacking(error) or InputError(f"{name}: not a readable {kind} file ({first_line(error)})")


def first_line(error: Exception) -> str:
    """What an error says, as part of a sentence."""
    return (str(error).strip() or type(error).__name__).splitlines()[0][:120]


def near_file(path: Path) -> str:
    """'. Did you mean ...?' for a path that does not exist but nearly does."""
    try:
        names = [entry.name for entry in path.parent.iterdir()]
    except (OSError, ValueError):
        return ""
    hint = nearest(path.name, names)
    return f".{hint}" if hint else ""


def _decompressed(raw: BinaryIO, compression: str) -> BinaryIO:
    if compression == ".gz":
        import gzip

        return cast("BinaryIO", gzip.GzipFile(fileobj=raw))
    if compression == ".zst":
        import pyarrow as pa

        return cast("BinaryIO", pa.CompressedInputStream(raw, "zstd"))
    return raw


COMPRESSIONS = frozenset({".gz", ".zst"})


def split_selector(text: str) -> tuple[str, str, str]:
    """PATH, ':' or '#' or '', and what follows it: the longest existing path wins, else the shortest possible one."""
    if text[:2] in {"-:", "-#"}:
        return "-", text[1], text[2:]
    cuts = [i for i, c in enumerate(text) if c in ":#" and i > 0]
    for cut in [len(text), *reversed(cuts)]:
        if exists(text[:cut]):
            return text[:cut], text[cut : cut + 1], text[cut + 1 :]
    cut = cuts[0] if cuts else len(text)
    return text[:cut], text[cut : cut + 1], text[cut + 1 :]


def column_of(source: str, name: str) -> str:
    """SOURCE:COLUMN as it is typed. source: what errors call it."""
    return f"{'-' if source == STDIN else source}:{name}"


def no_pointer(source: str, pointer: str) -> NoReturn:
    """Raises InputError: only JSON has places that a pointer names."""
    message = f"{source}: {clipped('#' + pointer)} points into JSON, and this is not JSON; name a column as FILE:COLUMN"
    raise InputError(message)


def exists(path: str) -> bool:
    """Whether there is a file or folder of that name; text that cannot be a name is none."""
    if path == "-":
        return True
    try:
        return bool(path) and Path(path).exists()
    except (OSError, ValueError):  # too long, or a NUL
        return False


def is_hidden(path: str) -> bool:
    """Whether the path leads through a folder that may not be looked into, so that nobody knows what is there."""
    try:
        Path(path).stat()
    except (OSError, ValueError) as error:
        return isinstance(error, PermissionError)
    return False


def open_source(path: str, dialect: Dialect = PLAIN, name: str | None = None) -> Source:
    """The source that a path or '-' names; it is opened when it is read. name: what errors call it, if not so."""
    if path == "-":
        return Source(STDIN, None, dialect=dialect)
    suffix = Path(path).suffix.lower()
    name = path if name is None else name
    shown = name if name.isprintable() else clipped(name)
    return Source(shown, Path(path), suffix if suffix in COMPRESSIONS else "", dialect)
