"""The bytes of a file or of standard input, decompressed, and as text."""

from __future__ import annotations

import sys
from functools import cached_property
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from klcli.errors import InputError, clipped, nearest
from klcli.readers.content import STDIN

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO


class Dialect(NamedTuple):
    """How numbers and tables are written as text. delimiter: None for the format's own."""

    delimiter: str | None = None
    decimal: str = "."

    def between(self, of_format: str) -> str:
        """What separates fields: a decimal comma goes with semicolons, as every program that writes it has it."""
        if self.delimiter is not None:
            return self.delimiter
        return ";" if self.decimal == of_format == "," else of_format


PLAIN = Dialect()


class Source:
    """Something to read, named as errors name it. `compression` is '', '.gz' or '.zst'."""

    def __init__(self, name: str, path: Path | None, compression: str = "", dialect: Dialect = PLAIN) -> None:
        self.name, self.path, self.compression, self.dialect = name, path, compression, dialect
        self.checks: list[Callable[[], object]] = []
        """What is still being looked through; calling one waits for it, and raises what it finds."""

    @cached_property
    def data(self) -> bytes:
        """All of it, decompressed. Raises InputError."""
        data = stdin(self.name).read() if self.path is None else _file(self.name, self.path)
        return _DECOMPRESS[self.compression](data, self.name)

    @cached_property
    def mapped(self) -> bytes | mmap:
        """The same, as pages of the file itself where it is a plain one: a third less time than a copy."""
        try:
            if self.path is not None and not self.compression and self.path.is_file() and self.path.stat().st_size:
                with self.path.open("rb") as file:
                    return mmap(file.fileno(), 0, access=ACCESS_READ)
        except (OSError, ValueError):  # a name that none can have is said by the reading itself
            pass
        return self.data

    @cached_property
    def text(self) -> str:
        """All of it as text, without a byte order mark. Raises InputError where it is not UTF-8."""
        data = self.data
        if not data.strip():
            why = "; did the command before it fail?" if self.path is None else ""
            message = f"{self.name} is empty{why}"
            raise InputError(message)
        if b"\0" in data:
            hint = (
                "UTF-16 text; save it as UTF-8" if data[:2] in {b"\xff\xfe", b"\xfe\xff"} else "a binary file, not text"
            )
            message = f"{self.name}: this is {hint}"
            raise InputError(message)
        try:
            return data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            message = f"{self.name}:{line}: byte 0x{data[error.start]:02x} is not UTF-8; save the file as UTF-8"
            raise InputError(message) from None


def stdin(name: str) -> BinaryIO:
    """Standard input; says so where somebody would have to type it. Raises InputError where it is closed."""
    if sys.stdin is None:
        message = f"{name} is closed; pipe something in or name a file"
        raise InputError(message)
    if sys.stdin.isatty():
        print("klcli: reading from the terminal; end with Ctrl-D", file=sys.stderr)  # noqa: T201 - a wait must be said
    return sys.stdin.buffer


def _file(name: str, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise cannot_read(name, path, error) from None


def cannot_read(name: str, path: Path, error: OSError) -> InputError:
    """The error for a file that the system does not open or read."""
    if isinstance(error, FileNotFoundError):
        return InputError(f"{name}: no such file{near_file(path)}")
    if isinstance(error, IsADirectoryError):
        return InputError(f"{name}: this is a directory; name a file in it")
    return InputError(f"{name}: {(error.strerror or str(error)).lower()}")


def near_file(path: Path) -> str:
    """'. Did you mean ...?' for a path that does not exist but nearly does."""
    try:
        names = [entry.name for entry in path.parent.iterdir()]
    except OSError:
        return ""
    hint = nearest(path.name, names)
    return f".{hint}" if hint else ""


def _gunzip(data: bytes, name: str) -> bytes:
    import gzip
    import zlib

    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        message = f"{name}: damaged gzip data ({error})"
        raise InputError(message) from None


def _unzstd(data: bytes, name: str) -> bytes:
    import pyarrow as pa

    try:
        with pa.CompressedInputStream(pa.BufferReader(data), "zstd") as stream:
            return bytes(stream.read())
    except OSError as error:
        message = f"{name}: damaged zstd data ({error})"
        raise InputError(message) from None


_DECOMPRESS: dict[str, Callable[[bytes, str], bytes]] = {"": lambda data, _: data, ".gz": _gunzip, ".zst": _unzstd}
COMPRESSIONS = frozenset(_DECOMPRESS) - {""}


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


def exists(path: str) -> bool:
    """Whether there is a file or folder of that name; text that cannot be a name is none."""
    if path == "-":
        return True
    try:
        return bool(path) and Path(path).exists()
    except (OSError, ValueError):  # too long, or a NUL
        return False


def open_source(path: str, dialect: Dialect = PLAIN) -> Source:
    """The source that a path or '-' names."""
    if path == "-":
        return Source(STDIN, None, dialect=dialect)
    suffix = Path(path).suffix.lower()
    shown = path if path.isprintable() else clipped(path)
    return Source(shown, Path(path), suffix if suffix in COMPRESSIONS else "", dialect)
