"""Text as it is to be read: in UTF-8, the lines that are left out empty, so that lines keep their numbers."""

from __future__ import annotations

import codecs
import csv
import io
import re
from itertools import chain
from typing import TYPE_CHECKING

from klcli.errors import InputError
from klcli.readers.tables.pieces import LONGEST_ROW, end_of_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from klcli.readers.sources import ByteStream, Dialect

_BLOCK = 1 << 18
_BLANKS = re.compile(rb"[ \t]+")
_QUOTED_OR_BLANKS = re.compile(rb'("(?:[^"\r\n]|"")*")|[ \t]+')

_BARS = dict.fromkeys(map(ord, "\u2502\u2503\u2506\u250a\u2551"), "|")
_RULE = re.compile("[-+|=:\\s\u2500-\u257f]*(?:[-=:]{2}|[|+]-[|+]|[\u2500-\u257f])[-+|=:\\s\u2500-\u257f]*")
"""A line of dashes that stands between the rows of a table; of blank cells that are - each has blanks beside it."""
_FOOTER = re.compile(r"\(\d+ rows?( affected)?\)|\d+ rows? in set.*")
_NO_ROWS = re.compile(rb"^(?:[-= \t]*[-=]{2}[-= \t]*|\(\d+ rows?(?: affected)?\))[ \t]*(?=[\r\n]|\Z)", re.MULTILINE)
"""Rules and the count of the rows between blanks."""
_BAR = re.compile(r"(?<!\\)\|")
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")


def ruled_by(text: str) -> str:
    """What separates the fields of a text that has a rule among its first lines: a bar, a blank, or '' for neither."""
    top = [line.translate(_BARS).strip() for line in text.split("\n") if line.strip()][:3]
    rules = list(map(_RULE.fullmatch, top))
    if not any(rules):
        return ""
    if any("|" in line for line in top):
        return "|"
    return " " if any(rule and " " in line for rule, line in zip(rules, top, strict=True)) else ""


class TextLines:
    """A stream of a text's bytes, altered as the dialect says: transcoded, some lines emptied, blanks made one.

    name: what errors call the text. delimiter: what separates fields, of which quoted ones may hold line ends; None
    where the text is no table, of which blanks stay. ruled: whether it is one between bars, whose rules are left out.
    """

    def __init__(
        self, stream: ByteStream, name: str, dialect: Dialect, delimiter: str | None = None, *, ruled: bool = False
    ) -> None:
        self._stream, self._name, self._dialect, self._delimiter = stream, name, dialect, delimiter
        self._ruled = ruled
        self._blocks, self._ready = self._altered(), b""

    def readinto(self, room: memoryview, /) -> int:
        """Reads to the start of the room. Returns how many bytes, 0 at the end. Raises InputError."""
        while not self._ready:
            block = next(self._blocks, None)
            if block is None:
                return 0
            self._ready = block
        n = min(len(room), len(self._ready))
        room[:n], self._ready = self._ready[:n], self._ready[n:]
        return n

    def read(self) -> bytes:
        """Every line, as one text. Raises InputError."""
        return b"".join(self._blocks)

    def _altered(self) -> Iterator[bytes]:
        blocks = self._skipped(self._whole_lines())
        if self._dialect.comment is not None:
            blocks = self._uncommented(blocks, self._dialect.comment.encode())
        if self._ruled:
            return self._between_bars(blocks)
        return map(self._one_blank, blocks) if self._delimiter == " " else blocks

    def _between_bars(self, blocks: Iterator[bytes]) -> Iterator[bytes]:
        """The rows of a table between bars as CSV has them, without rules and outer bars, and what stands around them.

        That is the count of the rows, and all lines that do not begin with a bar where the first row does.
        """
        bordered: bool | None = None
        for block in blocks:
            rows = io.StringIO()
            writer = csv.writer(rows, delimiter="|", lineterminator="\n")
            lines = block.decode("utf-8", "surrogateescape").translate(_BARS).removesuffix("\n").split("\n")
            if bordered is None:
                rule = next((line.strip() for line in lines if line.strip() and _RULE.fullmatch(line)), "|")
                bordered = rule[0] not in "-=:\u2500\u2501\u2550" and any("|" in line for line in lines)
            for given in lines:
                line = given.strip()
                if not line or _RULE.fullmatch(line) or _FOOTER.fullmatch(line) or (bordered and line[0] != "|"):
                    rows.write("\n")
                    continue
                cells = _BAR.split(given.strip() if bordered else given)
                cells = cells[1 : len(cells) - (not cells[-1])] if bordered else cells
                writer.writerow([_ESCAPED.sub(r"\1", cell.strip()) for cell in cells])
            yield rows.getvalue().encode("utf-8", "surrogateescape")

    def _transcoded(self) -> Iterator[bytes]:
        decoder, room = codecs.getincrementaldecoder(self._dialect.encoding)(), bytearray(_BLOCK)
        ended = False
        while not ended:
            read = self._stream.readinto(memoryview(room))
            ended = not read
            if self._dialect.is_utf8:
                yield bytes(room[:read])
                continue
            try:
                yield decoder.decode(bytes(room[:read]), final=ended).encode()
            except UnicodeError as error:
                reason = error.reason if isinstance(error, UnicodeDecodeError) else error
                message = f"{self._name}: this is not {self._dialect.encoding} ({reason}); name another by --encoding"
                raise InputError(message) from None

    def _whole_lines(self) -> Iterator[bytes]:
        """The text without a byte order mark, in blocks that end where a line does."""
        left, first = b"", True
        for block in self._transcoded():
            data = left + block
            end = end_of_lines(data)
            if end:
                yield data[:end].removeprefix(codecs.BOM_UTF8) if first else data[:end]
                first = False
            left = data[end:]
        yield left.removeprefix(codecs.BOM_UTF8) if first else left

    def _skipped(self, blocks: Iterator[bytes]) -> Iterator[bytes]:
        left = self._dialect.skip
        for block in blocks:
            lines = block.splitlines(keepends=True) if left else []
            yield b"".join([*map(_emptied, lines[:left]), *lines[left:]]) if lines else block
            left -= min(left, len(lines))

    def _uncommented(self, blocks: Iterator[bytes], mark: bytes) -> Iterator[bytes]:
        comment = re.compile(rb"(?:(?<=[\r\n])|\A)" + re.escape(mark) + rb"[^\r\n]*")
        for block in blocks:
            if self._delimiter is not None and self._dialect.quotes and b'"' in block:
                lines = (line for later in chain([block], blocks) for line in later.splitlines(keepends=True))
                yield from self._uncommented_rows(lines, mark)
                return
            yield comment.sub(b"", block)

    def _uncommented_rows(self, lines: Iterable[bytes], mark: bytes) -> Iterator[bytes]:
        """The rows of lines, of which those inside a quoted field are no comments."""
        lines, row, more = iter(lines), [b""], True

        def fed() -> Iterator[str]:
            nonlocal more
            size = 0
            while size < LONGEST_ROW:  # a quote that never closes
                line = next(lines, None)
                if line is None:
                    more = False
                    return
                row.append(_emptied(line) if not size and line.startswith(mark) else line)
                size += len(line)
                yield row[-1].decode("latin-1")

        while more:
            next(csv.reader(fed(), delimiter=self._delimiter or ","), None)
            yield b"".join(row)
            row.clear()

    def _one_blank(self, block: bytes) -> bytes:
        """The lines with one blank for each run of them, none at the ends of a line; without rules."""
        block = _NO_ROWS.sub(b"", block) if b"--" in block or b"==" in block else block
        if self._dialect.quotes and b'"' in block:
            block = _QUOTED_OR_BLANKS.sub(lambda found: found[1] or b" ", block)
        else:
            block = _BLANKS.sub(b" ", block)
        for end in (b"\n", b"\r"):
            block = block.replace(b" " + end, end).replace(end + b" ", end)
        return block.strip(b" ")


def _emptied(line: bytes) -> bytes:
    """The end of a line."""
    return line[len(line.rstrip(b"\r\n")) :]
