"""What klcli says and writes: lines on stderr, results to standard output or to a file that is whole or not there.

The only code that writes. It takes the signals that end a process, too, for it knows what they would leave behind.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from stat import S_IMODE, S_ISDIR, S_ISREG
from typing import TYPE_CHECKING, Any

from klcli.errors import ClosedPipeError, OutputError, UsageError, clipped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Self

STDOUT = "standard output"
INTERRUPTED = 130


# -------------------------------------------------------------------------------------------------------------- stderr


def say(message: str, pointer: tuple[str, int] | None = None) -> None:
    """One line on stderr, whatever is in the message; nothing where stderr is gone.

    pointer: something typed and a place in it, shown in two more lines.
    """
    if sys.stderr is None:
        return
    encoding = sys.stderr.encoding or "utf-8"
    lines = [f"klcli: {''.join(_shown(c, encoding) for c in message)}"]
    if pointer is not None:
        lines += [f"  {line}" for line in _pointed(*pointer, encoding)]
    with suppress(OSError):
        sys.stderr.write("".join(f"{line}\n" for line in lines))
        sys.stderr.flush()


def say_notes(notes: Iterable[str]) -> None:
    """The notes on stderr."""
    for note in notes:
        say(f"note: {note}")


def reason(error: OSError) -> str:
    """What the system says, as part of a sentence, and how to mend it where that is the same for all files."""
    said = error.strerror or str(error)
    return said[:1].lower() + said[1:] + ("; allow more (ulimit -n)" if error.errno == errno.EMFILE else "")


def _shown(c: str, encoding: str) -> str:
    """A character as stderr can show it, else escaped."""
    if not c.isprintable():
        return c.encode("unicode_escape").decode()
    return c.encode(encoding, "backslashreplace").decode(encoding)


_WIDEST = 70
"""Cells of a terminal that are shown of what was typed."""


def _pointed(text: str, at: int, encoding: str) -> tuple[str, str]:
    """The text, cut where it is long, and a line with a caret under the place; which may be just behind the text."""
    first, last = max(0, at - _WIDEST), min(len(text), at + _WIDEST)
    shown = [_shown(c, encoding) for c in text[first:last]]
    left, right = shown[: at - first], shown[at - first :]
    before, after = (sum(map(_cells, side)) for side in (left, right))
    while before + after > _WIDEST:
        if before > after or len(right) == 1:
            before -= _cells(left.pop(0))
        else:
            after -= _cells(right.pop())
    cut = _shown("…", encoding)
    start = cut if at > len(left) else ""
    end = cut if at + len(right) < len(text) else ""
    return f"{start}{''.join(left)}{''.join(right)}{end}", f"{' ' * (_cells(start) + before)}^"


def _cells(shown: str) -> int:
    """How many cells of a terminal a text is wide: a Chinese character takes two, an accent put on another none."""
    from unicodedata import category, east_asian_width

    return sum(0 if category(c) in {"Mn", "Me"} else 2 if east_asian_width(c) in "WF" else 1 for c in shown)


# ------------------------------------------------------------------------------------------------------------- results


def on_terminal() -> bool:
    """Whether standard output is one."""
    return sys.stdout is not None and sys.stdout.isatty()


def write(text: str, path: str | None) -> None:
    """Writes UTF-8 to the file, whole or not at all, or to standard output. Raises OutputError."""
    with destination(path) as out:
        out.write(text.encode("utf-8", "backslashreplace"))


@contextmanager
def destination(path: str | None) -> Iterator[Destination]:
    """Somewhere to write bytes: standard output, or a file that appears under its name when all went well.

    It is written beside its place and renamed: whoever looks sees the old content or the new, never a part. A device
    or a pipe is written to at once. Raises OutputError.
    """
    if path == "":
        message = "--output is empty; name a file, or leave it out for standard output"
        raise UsageError(message)
    if path is None or path == "-":
        stdout = Destination(sys.stdout.buffer, STDOUT, at_once=True)
        yield stdout
        stdout.flush()
        ending.written[STDOUT] = "was written"
        return
    mode = _mode(path)
    if mode is None or S_ISREG(mode):
        with _replaced(path, mode) as file:
            yield file
        return
    if S_ISDIR(mode):
        message = f"{path}: this is a directory; name a file in it"
        raise OutputError(message)
    with Destination.opened(Path(path), "wb", path, at_once=True) as device:
        yield device
    ending.written[path] = "was written"


def appears_whole(path: str | None) -> bool:
    """Whether that output is a file that appears when all went well, not one that is written to at once."""
    return path is not None and (os.path.isfile(path) or not os.path.exists(path))  # noqa: PTH110, PTH113 - Path's raise


def _mode(path: str) -> int | None:
    """The type and the permissions of what is there, None where nothing is. Raises OutputError."""
    try:
        return Path(path).stat().st_mode
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _cannot_write(path, error) from None


@contextmanager
def _replaced(path: str, mode: int | None) -> Iterator[Destination]:
    """A new file that takes the place of the old one, and its permissions. mode: of the old one, if there is one.

    Its name is a random one: numbers of processes are the same in two containers, and come back after a crash.
    """
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f".{target.name[:40]}.{os.urandom(8).hex()}.tmp")
    _refuse_input(path, mode)
    ending.temporary.add(temporary)
    try:
        with Destination.opened(temporary, "xb", path) as file:
            if mode is not None:
                with suppress(OSError):  # a disk may know no permissions
                    temporary.chmod(S_IMODE(mode))
            yield file
        ending.check()
        _refuse_input(path, mode)  # which may have been opened since
        with ending.held():
            try:
                temporary.replace(target)
            except OSError as error:
                raise _cannot_write(path, error) from None
            ending.written[path] = "was written"
    finally:
        with suppress(OSError):
            temporary.unlink()
        ending.temporary.discard(temporary)


def _refuse_input(path: str, mode: int | None) -> None:
    """Raises UsageError where the file is an input, under whatever name: what stands in it would be lost."""
    if mode is None:
        return
    with suppress(OSError):
        found = Path(path).stat()
        if (found.st_dev, found.st_ino) in ending.read:
            message = f"{clipped(path)} is also an input; write to another file"
            raise UsageError(message)


class Destination:
    """An open file whose errors are those of the output.

    name: what the user calls it. at_once: whether what is written can be seen before all of it is there.
    """

    def __init__(self, file: Any, name: str, *, at_once: bool = False) -> None:  # noqa: ANN401 - a binary file
        self._file, self._name, self._at_once = file, name, at_once
        self.closed = False

    @classmethod
    def opened(cls, file: Path, mode: str, name: str, *, at_once: bool = False) -> Self:
        """The file, opened."""
        try:
            return cls(file.open(mode), name, at_once=at_once)
        except OSError as error:
            raise _cannot_write(name, error) from None

    def __enter__(self) -> Self:
        """The file, which is closed at the end of the `with` block."""
        return self

    def __exit__(self, kind: object, error: object, _: object) -> None:
        """Closes it; a failure then is one of the output, unless there is another already."""
        try:
            self._file.close()
        except OSError as failure:
            if error is None:
                raise self._failed(failure) from None

    def write(self, data: Any) -> int:  # noqa: ANN401 - whatever holds bytes
        """Writes all of it."""
        left = memoryview(data)
        ending.check()
        if self._at_once and left.nbytes:
            ending.written[self._name] = "is incomplete"
        while left.nbytes:  # an unbuffered stream may write less than it is given
            left = left[self._do(self._file.write, left) :]
        return memoryview(data).nbytes

    def flush(self) -> None:
        """Hands all of it to the system."""
        self._do(self._file.flush)

    def writable(self) -> bool:
        """Whether bytes can be written to this, as Python asks of any file."""
        return True

    def _do(self, act: Callable[..., Any], *args: Any) -> Any:  # noqa: ANN401
        try:
            return act(*args)
        except OSError as error:
            raise self._failed(error) from None

    def _failed(self, error: OSError) -> OutputError:
        # Typer would make an exit code of its own of the system's error.
        if isinstance(error, BrokenPipeError) and self._name == STDOUT:
            return ClosedPipeError()
        return _cannot_write(self._name, error, at_once=self._at_once)


def _cannot_write(name: str, error: OSError, *, at_once: bool = False) -> OutputError:
    folder = Path(name).parent
    if isinstance(error, FileNotFoundError) and not at_once and not folder.is_dir():
        return OutputError(f"{name}: no folder {clipped(str(folder))}; make it first")
    return OutputError(f"{name}: {reason(error)}" + ("" if at_once else "; nothing was written"))


class Temporary(Destination):
    """A file without a name for what may not fit into memory; it is gone when it is closed. Raises OutputError."""

    def __init__(self) -> None:
        import tempfile

        self._folder = ""
        self._folder = self._do(tempfile.gettempdir)
        super().__init__(self._do(tempfile.TemporaryFile), "temporary files")

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """What a file can do besides: read, readinto, seek, close."""
        return partial(self._do, getattr(self._file, name))

    def _failed(self, error: OSError) -> OutputError:
        where = f"temporary files in {self._folder}" if self._folder else "temporary files"
        mend = "" if error.errno == errno.EMFILE else "; set TMPDIR to where there is room"
        return OutputError(f"{where}: {reason(error)}{mend}")


# ------------------------------------------------------------------------------------------------------------- signals


class Ending:
    """What a signal that ends the process finds, and what becomes of it.

    signals: those that have come. temporary: files to be removed. written: what can be seen of the result, and how
    much of it that is. read: the devices and inodes of the files that are inputs. watching: whether signals come here.
    """

    def __init__(self) -> None:
        self.signals: list[int] = []
        self.temporary: set[Path] = set()
        self.watching = False
        self.begin()

    def watch(self) -> None:
        """From now on SIGINT, SIGTERM and SIGHUP come here, but for those ignored from the start, as by nohup."""
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            number = getattr(signal, name, None)  # Windows has no SIGHUP
            if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._take)
        self.watching = True

    def begin(self) -> None:
        """Nothing has been done yet."""
        self.written: dict[str, str] = {}
        self.read: set[tuple[int, int]] = set()
        self._far, self._held, self._over = "", False, False

    def reach(self, far: str) -> None:
        """The work has come so far: '1,234 rows'. Whoever works long says it now and then."""
        self._far = far
        self.check()

    def check(self) -> None:
        """Raises what a signal raises, if one has come: something may have kept it from coming through."""
        if self.signals:
            raise KeyboardInterrupt if self.signals[0] == signal.SIGINT else SystemExit(128 + self.signals[0])

    @contextmanager
    def held(self) -> Iterator[None]:
        """Signals that come meanwhile are taken afterwards."""
        self._held = True
        try:
            yield
        finally:
            self._held = False
        self.check()

    def end(self, code: int) -> int:
        """The exit code, in the end: that of the signal if one has come. Of Ctrl-C it says what was done by then."""
        self._held = True  # what comes now comes too late
        for path in list(self.temporary):
            with suppress(OSError):
                path.unlink()
        code = 128 + self.signals[0] if self.signals else code
        if code == INTERRUPTED and not self._over:
            self._over = True
            far = f" after {self._far}" if self._far else ""
            what = "; ".join(f"{name} {state}" for name, state in self.written.items())
            say(f"interrupted{far}; {what or 'nothing was written'}")
        return code

    def _take(self, number: int, _: object) -> None:
        """The first signal leaves by way of whoever has something to clean up, another one at once."""
        self.signals.append(number)
        if len(self.signals) > 1:
            with suppress(Exception):  # stderr may be in use
                self.end(0)
            os._exit(128 + self.signals[0])
        if not self._held:
            self.check()


ending = Ending()
