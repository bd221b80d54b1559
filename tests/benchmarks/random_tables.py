"""Random tables read by `klcli batch` and by an independent reader: prints each disagreement.

python tests/benchmarks/random_tables.py [--tables 2000] [--seed S] [--klcli COMMAND]
"""

# ruff: noqa: T201 - what it finds is what one runs this for

import argparse
import io
import random
import shlex
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

LARGEST = [0] * 60 + [1 << 16] * 4 + [1 << 18] * 4 + [1 << 20, 1 << 22]
"""Bytes that a table may have, of which a seed chooses."""


def in_process(*args):
    """klcli in this process: its exit code and what it says on stderr."""
    from klcli.cli.failures import guarded

    with redirect_stderr(io.StringIO()) as err, redirect_stdout(io.StringIO()):
        code = guarded(list(map(str, args)))
    return code, err.getvalue()


def as_command(command, *args):
    """The same of another klcli, a process of its own."""
    done = subprocess.run([*command, *map(str, args)], check=False, capture_output=True, timeout=600)
    return done.returncode, done.stderr.decode()


def main():
    """Exit status 1 where anything disagrees; the files of such a table are left for whoever looks into it."""
    sys.path.insert(0, str(Path(__file__).parents[2]))
    from tests.random_tables import disagreements, random_table

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tables", type=int, default=2000, help="how many")
    parser.add_argument("--seed", type=int, default=0, help="of the first table; each of the others has the next")
    parser.add_argument("--klcli", type=shlex.split, help="the command to test; else the klcli of this checkout")
    given = parser.parse_args()

    def klcli(*args):
        return as_command(given.klcli, *args) if given.klcli else in_process(*args)

    disagreeing = 0
    for seed in range(given.seed, given.seed + given.tables):
        folder = Path(mkdtemp(prefix=f"random-table-{seed}-"))
        largest = random.Random(seed).choice(LARGEST)  # noqa: S311 - the same for the same seed
        found = list(
            disagreements(random_table(seed, largest), folder, klcli, seed, sizes=2 if largest < 1 << 20 else 1)
        )
        disagreeing += bool(found)
        for line in found:
            print(f"{seed}: {line}", flush=True)
        if not found:
            rmtree(folder)
    print(f"{given.tables} tables, {disagreeing} disagree")
    return int(disagreeing > 0)


if __name__ == "__main__":
    sys.exit(main())
