"""The command line: options in, exit code out. The only place that knows Typer and exits.

app         the commands, loaded when they are called for
options     every option once, in groups that commands share
output      how the result is shown, the notes, the gates
failures    errors to one line and an exit code
compare, kl, entropy, rank, batch, matrix, loss, fit      a file a command
"""

import gc
import os
import sys
from contextlib import suppress
from typing import NoReturn


def run() -> NoReturn:
    """The `klcli` command: the command line of this process, and its end.

    All output is flushed by then, and taking down the interpreter with NumPy in it would take 17 ms more.
    """
    os._exit(main())


def main() -> int:
    """Runs the command line of this process. Returns its exit code."""
    # A process this short leaves no garbage worth the collector's visits: 5 ms at start-up.
    gc.disable()
    # Threads that nobody here needs, and whose failure to start would be said on stderr: BLAS's, and those of the
    # allocator that Arrow brings along.
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    os.environ.setdefault("JE_ARROW_MALLOC_CONF", "background_thread:false")
    try:
        _occupy_standard_streams()
        from klcli.console import ending
    except KeyboardInterrupt:
        return 130
    try:
        ending.watch()
        from klcli.cli.failures import guarded

        return guarded(sys.argv[1:])
    except (KeyboardInterrupt, SystemExit):
        if not ending.signals:
            raise
        return ending.end(0)


def _occupy_standard_streams() -> None:
    """Keeps a file that is opened from becoming a standard stream where that was closed from the start (>&-)."""
    with suppress(OSError):
        while (free := os.open(os.devnull, os.O_RDWR)) <= 2:  # noqa: PLR2004 - standard error
            pass
        os.close(free)
