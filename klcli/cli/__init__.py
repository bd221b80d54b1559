"""The command line: options in, exit code out. The only place that knows Typer, prints and exits.

app         the commands, loaded when they are called for
options     every option once, in groups that commands share
output      where the result goes, the notes, the gates
formulas    arguments that are formulas
failures    errors to one line and an exit code
pipeline    threads and processes whose results come in order
scoring     a batch from its files to its output
cluster     the same by a Dask cluster, whose side `workers` and `partition` are
progress    how far it has come
compare, kl, entropy, rank, batch, matrix, loss, fit      a file a command
"""

import gc
import os
import signal
import sys
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
    # One thread less to start, 50 ms of CPU: nothing here calls BLAS.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    signal.signal(signal.SIGTERM, _end)
    try:
        from klcli.cli.failures import guarded
    except KeyboardInterrupt:
        return 130
    return guarded(sys.argv[1:])


def _end(number: int, _: object) -> NoReturn:
    """Leaves by way of whoever has something to clean up."""
    raise SystemExit(128 + number)
