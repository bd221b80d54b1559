"""What klcli writes, and what is left and said when that fails: by a signal, by the system, for lack of memory."""

import errno
import gzip
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
from contextlib import contextmanager
from select import select

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from klcli.console import destination
from klcli.errors import lacking
from tests.conftest import finished, one_line

AT_ROOT = os.geteuid() == 0
SELECT = ["--p", "p*", "--q", "q*", "-m", "kl_pq", "-q"]
GROUPS = ["--by", "id", "--p", "p0", "--q", "q0", "-m", "kl_pq", "-q"]
HEADER, ROW = b"id,p0,p1,q0,q1\n", b"a,1,2,3,4\n"
ENDS = [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
NOTHING = b"klcli: interrupted; nothing was written\n"


def klcli(*args):
    return [sys.executable, "-m", "klcli", *map(str, args)]


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def until(process, happened):
    """Looks again and again, while the process lives."""
    while not happened():
        assert process.poll() is None


# --------------------------------------------------------------------------------------------------- temporary files


def test_names_of_temporary_files_never_meet(tmp_path):
    out = tmp_path / "o.csv"
    with destination(str(out)) as first, destination(str(out)) as second:
        assert len(names_in(tmp_path)) == 2
        first.write(b"first")
        second.write(b"second")
    assert (names_in(tmp_path), out.read_bytes()) == (["o.csv"], b"first")


def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path):
    out = tmp_path / "o.csv"
    out.write_bytes(b"old")
    with pytest.raises(ZeroDivisionError), destination(str(out)) as file:  # noqa: PT012 - the error is raised within
        file.write(b"new")
        raise ZeroDivisionError
    assert (names_in(tmp_path), out.read_bytes()) == (["o.csv"], b"old")


@contextmanager
def waiting(environment, folder, *args, name="in.csv", by=()):
    """A batch that has opened all it opens, and waits for its input: the process, and the other end of its input."""
    os.mkfifo(folder / name)
    command = [*by, *klcli("batch", name, *SELECT, *args)]
    with subprocess.Popen(
        command, cwd=folder, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        with (folder / name).open("wb", buffering=0) as given:  # which waits for the process
            yield process, given
        process.wait(60)


@pytest.mark.skipif(not AT_ROOT or not shutil.which("unshare"), reason="only root makes a space of process numbers")
def test_two_containers_that_share_a_disk_write_the_same_file(environment, tmp_path):
    """Each is number 1 in its own; a run of that number has been killed before, and has left its file."""
    (tmp_path / ".o.csv.1.tmp").write_bytes(b"stale")
    by = ["unshare", "--pid", "--fork"]
    with (
        waiting(environment, tmp_path, "-o", "o.csv", name="a.csv", by=by) as (one, a),
        waiting(environment, tmp_path, "-o", "o.csv", name="b.csv", by=by) as (other, b),
    ):
        until(one, lambda: len(names_in(tmp_path)) == 5)
        for given in (a, b):
            given.write(HEADER + ROW)
            given.close()
        assert (one.wait(60), other.wait(60)) == (0, 0)
    assert names_in(tmp_path) == [".o.csv.1.tmp", "a.csv", "b.csv", "o.csv"]
    assert (tmp_path / "o.csv").read_bytes().startswith(b"id,kl_pq\na,")


@pytest.mark.parametrize("old", [None, 0o600, 0o664, 0o444])
def test_permissions_are_those_of_the_file_replaced_or_what_the_umask_leaves(environment, tmp_path, old):
    """From the start: what is to be private is so while it is written."""
    out, expected = tmp_path / "o.csv", 0o640 if old is None else old
    if old is not None:
        out.write_bytes(b"old")
        out.chmod(old)
    by = ["/bin/sh", "-c", 'umask 027; exec "$@"', "sh"]
    with waiting(environment, tmp_path, "-o", out, by=by) as (process, given):
        (temporary,) = tmp_path.glob(".*")
        assert stat.S_IMODE(temporary.stat().st_mode) == expected
        given.write(HEADER + ROW)
        given.close()
        assert process.wait(60) == 0
    assert names_in(tmp_path) == ["in.csv", "o.csv"]
    assert stat.S_IMODE(out.stat().st_mode) == expected


# ------------------------------------------------------------------------------------------------------------ signals


@pytest.mark.parametrize(("sent", "code"), ENDS)
def test_signal_removes_the_temporary_file_and_gives_the_exit_code(environment, tmp_path, sent, code):
    (tmp_path / "o.csv").write_bytes(b"old")
    with waiting(environment, tmp_path, "-o", "o.csv") as (process, given):
        given.write(HEADER + ROW)
        assert len(list(tmp_path.glob(".*.tmp"))) == 1
        process.send_signal(sent)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (code, b"", NOTHING if code == 130 else b"")
    assert (names_in(tmp_path), (tmp_path / "o.csv").read_bytes()) == (["in.csv", "o.csv"], b"old")


SIGNALLED = """
import os, sys
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            sys.meta_path.remove(self)
            try:
                os.kill(os.getpid(), {sent:d})
            except BaseException:
                if not {swallowed}:
                    raise
sys.meta_path.insert(0, Finder())
sys.argv = ["klcli", *{args!r}]
from klcli.cli import run
run()
"""


@pytest.mark.parametrize(
    ("sent", "code", "swallowed"),
    [(signal.SIGINT, 130, False), (signal.SIGTERM, 143, True)],
)
@pytest.mark.parametrize(
    ("module", "args"),
    [
        ("klcli.cli.failures", ["--version"]),
        ("typer", ["kl", "1,1", "1,3"]),
        ("numpy", ["kl", "1,1", "1,3", "-o", "o.txt"]),
        ("klcli.readers.tables.delimited", ["batch", "in.csv", *SELECT, "-o", "o.csv"]),
    ],
)
def test_signal_ends_it_wherever_it_was(tmp_path, module, args, sent, code, swallowed):
    """swallowed: something, as a destructor, keeps what the signal raises from coming through."""
    (tmp_path / "in.csv").write_bytes(HEADER + ROW)
    program = SIGNALLED.format(module=module, args=args, sent=sent, swallowed=swallowed)
    done = finished([sys.executable, "-c", program], cwd=tmp_path)
    assert (done.returncode, done.stderr) == (code, NOTHING if code == 130 else b"")
    assert names_in(tmp_path) == ["in.csv"]
    assert done.stdout == b"" or args == ["--version"]  # which Typer prints


@pytest.mark.parametrize(("sent", "code"), ENDS)
def test_second_signal_ends_it_at_once_and_removes_the_temporary_file(tmp_path, sent, code):
    program = f"""
import os
from klcli.console import destination, ending
ending.watch()
with destination("o.csv") as out:
    try:
        os.kill(os.getpid(), {sent:d})
    finally:
        os.kill(os.getpid(), {sent:d})
        print("still there", flush=True)
"""
    done = finished([sys.executable, "-c", program], cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (code, b"", NOTHING if code == 130 else b"")
    assert names_in(tmp_path) == []


@pytest.mark.parametrize(("sent", "_"), ENDS)
def test_signal_ignored_from_the_start_stays_ignored(environment, tmp_path, sent, _):
    """As `nohup` does with SIGHUP, and a shell's script with SIGINT for what it starts in the background."""
    by = ["/bin/sh", "-c", f'trap "" {sent:d}; exec "$@"', "sh"]
    with waiting(environment, tmp_path, "-o", "o.csv", by=by) as (process, given):
        process.send_signal(sent)
        given.write(HEADER + ROW)
        given.close()
        assert process.wait(60) == 0
    assert (tmp_path / "o.csv").read_bytes().startswith(b"id,kl_pq\na,")


def rows_until(happened, process, given):
    """Writes rows, as far as there is room for them, until something has happened."""
    given.write(HEADER)
    os.set_blocking(given.fileno(), False)
    number = 0
    while not happened():
        rows = b"".join(b"%d,1,2,3,4\n" % i for i in range(number, number + 100))
        number += 100 if given.write(rows) else 0  # all of it or, in a full pipe, nothing
        assert process.poll() is None


def test_ctrl_c_says_how_far_it_came_and_that_nothing_was_written(environment, tmp_path):
    with waiting(environment, tmp_path, "-o", "o.csv", "--block-size", "1000") as (process, given):
        (temporary,) = tmp_path.glob(".*.tmp")
        # The first piece is of 256 KiB, whatever is asked for. It is counted when all of it, some 0.6 MB, is written.
        rows_until(lambda: temporary.stat().st_size > 700_000, process, given)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, b"")
    assert re.fullmatch(rb"klcli: interrupted after [1-9][\d,]* rows; nothing was written\n", err)
    assert names_in(tmp_path) == ["in.csv"]


def test_ctrl_c_says_that_rows_have_gone_to_standard_output(environment, tmp_path):
    with waiting(environment, tmp_path, "--block-size", "1000") as (process, given):
        rows_until(lambda: select([process.stdout], [], [], 0)[0], process, given)
        process.send_signal(signal.SIGINT)
        err = process.communicate(timeout=60)[1]
    assert process.returncode == 130
    assert re.fullmatch(rb"klcli: interrupted( after [1-9][\d,]* rows)?; standard output is incomplete\n", err)


def test_ctrl_c_after_the_file_is_there_says_so(tmp_path):
    program = """
import os, pathlib, signal, sys
replace = pathlib.Path.replace
def interrupted(self, target):
    replace(self, target)
    os.kill(os.getpid(), signal.SIGINT)
pathlib.Path.replace = interrupted
sys.argv = ["klcli", "kl", "1,1", "1,3", "-o", "o.txt"]
from klcli.cli import run
run()
"""
    done = finished([sys.executable, "-c", program], cwd=tmp_path)
    assert (done.returncode, done.stderr) == (130, b"klcli: interrupted; o.txt was written\n")
    assert names_in(tmp_path) == ["o.txt"]


# ----------------------------------------------------------------------------------------- the file that is concerned

LONG = "n" * 300 + ".csv"
WRITERS = {
    "kl": ["kl", "1,1", "1,3"],
    "compare": ["compare", "1,1", "1,3", "-f", "csv"],
    "batch": ["batch", "in.csv", *SELECT, "-f", "csv"],
    "groups": ["batch", "in.csv", *GROUPS, "-f", "csv"],
    "matrix": ["matrix", "in.csv", "--label", "id", "-f", "csv"],
    "loss": ["loss", "bce", "0.5", "1", "-f", "csv"],
}


@pytest.fixture
def denied(tmp_path):
    """denied(*args): klcli with folders and files that are closed to it, by somebody whom that stops."""
    prefix = []
    if AT_ROOT:
        if not shutil.which("setpriv"):
            pytest.skip("root may read all, and there is no setpriv to keep it from that")
        prefix = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
    for folder in (tmp_path, tmp_path / "closed"):
        folder.mkdir(exist_ok=True)
        (folder / "in.csv").write_bytes(HEADER + ROW + b"b,1,1,1,1\n")
    for suffix in ("csv", "parquet", "xlsx", "json", "npy"):
        (tmp_path / f"unread.{suffix}").touch(0)
        (tmp_path / f"folder.{suffix}").mkdir()
    (tmp_path / "readonly").mkdir(0o555)
    (tmp_path / "closed").chmod(0)

    def denied(*args):
        done = finished([*prefix, *klcli(*args)], cwd=tmp_path, stdin=subprocess.DEVNULL, text=True)
        assert (done.stdout, list(tmp_path.glob("**/.*.tmp"))) == ("", [])
        return done.returncode, done.stderr

    yield denied
    (tmp_path / "closed").chmod(0o700)


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("readonly/o.csv", "permission denied; nothing was written"),
        ("closed/o.csv", "permission denied; nothing was written"),
        ("closed/no/o.csv", "permission denied; nothing was written"),
        ("none/o.csv", "no folder 'none'; make it first"),
        ("in.csv/o.csv", "not a directory; nothing was written"),
        ("folder.csv", "this is a directory; name a file in it"),
        (LONG, "file name too long; nothing was written"),
    ],
)
def test_output_that_cannot_be_written_is_named(denied, path, why):
    assert denied(*WRITERS["kl"], "-o", path) == (6, f"klcli: {path}: {why}\n")


@pytest.mark.parametrize(
    ("args", "path", "why"),
    [
        *((["kl", name, "1,1"], name, "permission denied") for name in ("unread.json", "unread.xlsx")),
        *((["batch", name, *SELECT], name, "permission denied") for name in ("unread.csv", "unread.parquet")),
        (["loss", "bce", "unread.npy", "1"], "unread.npy", "permission denied"),
        (["batch", "in.csv", "--q", "q*", "--reference", "unread.csv:p"], "unread.csv", "permission denied"),
        (["kl", "closed/in.csv:p0", "1,1"], "closed/in.csv", "permission denied"),
        (["entropy", "closed/none.json#/p"], "closed/none.json", "permission denied"),
        (["loss", "bce", "closed/in.npz:a", "1"], "closed/in.npz", "permission denied"),
        (["kl", "folder.csv", "1,1"], "folder.csv", "this is a directory; name a file in it"),
        (["kl", "folder.xlsx", "1,1"], "folder.xlsx", "this is a directory; name a file in it"),
        (["batch", "folder.parquet", *SELECT], "folder.parquet", "this is a directory; name a file in it"),
        (["loss", "bce", "folder.npy", "1"], "folder.npy", "this is a directory; name a file in it"),
        (["kl", f"@{LONG}", "1,1"], LONG, "file name too long"),
        (["batch", LONG, *SELECT], LONG, "file name too long"),
    ],
)
def test_input_that_cannot_be_read_is_named(denied, args, path, why):
    assert denied(*args, "-o", "o.csv") == (3, f"klcli: {path}: {why}\n")


def test_output_that_cannot_be_written_is_refused_before_anything_is_read(tmp_path):
    """A name that is too long shows when the file is to be renamed; nobody should wait for that."""
    done = finished(
        klcli("batch", "-", "--input-format", "csv", *SELECT, "-o", LONG, "-f", "csv"),
        cwd=tmp_path,
        stdin=subprocess.PIPE,
    )
    assert (done.returncode, done.stderr) == (6, f"klcli: {LONG}: file name too long; nothing was written\n".encode())


def limited(folder, limits, *args, by=(), env=None):
    """klcli under limits of the shell: its exit code, and what it says besides notes."""
    done = finished(
        [*by, "bash", "-c", f'{limits}; exec "$@"', "bash", *klcli(*args)],
        env={"PYTHONDONTWRITEBYTECODE": "1"} | (env or {}),
        cwd=folder,
        stdin=subprocess.DEVNULL,
        text=True,
    )
    assert list(folder.glob(".*.tmp")) == []
    return done.returncode, [line for line in done.stderr.splitlines() if not line.startswith("klcli: note: ")]


@pytest.mark.parametrize("suffix", ["csv", "csv.gz"])
@pytest.mark.parametrize("groups", [40, 7])
def test_more_files_than_may_be_open_are_read_and_read_again(tmp_path, suffix, groups):
    """Of seven groups each has rows in several files, which are read a second time."""
    names = [f"{i:02d}.{suffix}" for i in range(40)]
    for i, name in enumerate(names):
        data = HEADER + f"{i % groups},1,2,3,4\n".encode()
        (tmp_path / name).write_bytes(gzip.compress(data) if suffix == "csv.gz" else data)
    assert limited(tmp_path, "ulimit -n 20", "batch", *names, *GROUPS, "-o", "o.csv") == (0, [])
    assert (tmp_path / "o.csv").read_text().count("\n") == groups + 1


def test_temporary_files_beyond_the_limit_of_open_files_do_not_ask_for_another_folder(tmp_path):
    (tmp_path / "in.csv").write_bytes(HEADER + ROW)
    args = ["batch", "in.csv", *SELECT[:4], "-m", "all", "--summary", "-o", "o.csv"]
    code, (line,) = limited(tmp_path, "ulimit -n 8", *args)
    assert (code, line) == (6, "klcli: temporary files in /tmp: too many open files; allow more (ulimit -n)")


@pytest.mark.parametrize("how", [GROUPS, [*SELECT, "--summary"]])
def test_temporary_files_that_find_no_folder_are_named(tmp_path, how):
    (tmp_path / "in.csv").write_bytes(HEADER + ROW)
    code, (line,) = limited(tmp_path, "ulimit -f 0", "batch", "in.csv", *how)
    assert code == 6
    assert re.fullmatch(
        r"klcli: temporary files: no usable temporary directory .*; set TMPDIR to where there is room", line
    )


@pytest.fixture
def small(tmp_path):
    """A disk of 64 KiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if not AT_ROOT or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk], check=False).returncode:
        pytest.skip("only root mounts a disk")
    yield disk
    subprocess.run(["umount", disk], check=True)


MANY = HEADER + b"".join(b"%d,%d,2,3,4\n" % (i, i % 7 + 1) for i in range(20_000))


@pytest.mark.parametrize("how", [GROUPS, [*GROUPS, "-o", "o.csv"], [*SELECT, "--summary"]])
def test_full_disk_of_temporary_files_is_told_from_that_of_the_output(run, small, how):
    """A pipe, whose groups may have to be read again, is copied."""
    source = ["-", "--input-format", "csv"]
    result = run("batch", *source, *how, input=MANY, env={"TMPDIR": str(small)}, cwd=small.parent)
    assert one_line(result._replace(out=""), 6) == (
        f"temporary files in {small}: no space left on device; set TMPDIR to where there is room"
    )
    assert names_in(small.parent) == ["disk"]


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
@pytest.mark.parametrize("how", [SELECT, GROUPS])
def test_full_disk_of_the_output_names_the_output(run, small, suffix, how):
    source, output = ["-", "--input-format", "csv"], f"disk/o.{suffix}"
    result = run("batch", *source, *how, "-o", output, input=MANY, cwd=small.parent)
    assert one_line(result, 6) == f"{output}: no space left on device; nothing was written"
    assert names_in(small) == []


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_file_is_the_same_whatever_streams_are_closed(tmp_path, closed):
    """A file that is opened where a stream was closed would take what is said on the stream."""
    (tmp_path / "in.csv").write_bytes(HEADER + ROW)
    args = [arg for arg in WRITERS["batch"] if arg != "-q"]  # so that there are notes
    for name, redirection in (("expected", ""), ("found", closed)):
        done = finished(["/bin/sh", "-c", f'exec "$@" {redirection}', "sh", *klcli(*args, "-o", name)], cwd=tmp_path)
        assert (done.returncode, done.stdout) == (0, b"")
    assert (tmp_path / "found").read_bytes() == (tmp_path / "expected").read_bytes()


# ------------------------------------------------------------------------------------------------- what there is not

NO_MEMORY = "klcli: out of memory; give less at once, or allow more (ulimit -v)"
NO_THREAD = "klcli: no thread can be started; allow more (ulimit -u), or more memory"
HUNGRY = [
    ["kl", "1,1", "1,3"],
    ["batch", "many.csv", *SELECT, "--threads", "4", "-o", "o.ndjson"],
    ["batch", "many.csv", *GROUPS, "--threads", "4", "-o", "o.parquet"],
    ["kl", "t.parquet:p", "t.parquet:q"],
]


@pytest.fixture
def hungry(tmp_path):
    """hungry(limit, args, by): klcli under a limit ends well, or in one line that says what there is not."""
    (tmp_path / "many.csv").write_bytes(HEADER + b"".join(b"%d,%d,2,3,4\n" % (i, i % 7 + 1) for i in range(30_000)))
    pa.parquet.write_table(pa.table({"p": [1.0, 2.0], "q": [3.0, 4.0]}), tmp_path / "t.parquet")
    tmp_path.chmod(0o777)

    def hungry(limit, args, by=()):
        code, lines = limited(tmp_path, limit, *args, by=by, env={"OPENBLAS_NUM_THREADS": "8"})
        assert (code, lines) in [(0, []), (6, [NO_MEMORY]), (6, [NO_THREAD])]
        return code

    return hungry


@pytest.mark.parametrize("args", HUNGRY, ids=" ".join)
def test_little_memory_is_said_in_one_line(hungry, args):
    assert [hungry(f"ulimit -v {kilobytes}", args) for kilobytes in (400_000, 2_000_000)][-1] == 0


@pytest.mark.parametrize("args", HUNGRY, ids=" ".join)
def test_few_threads_are_said_in_one_line(hungry, args):
    by = []
    if AT_ROOT:  # whom the limit does not stop
        if not shutil.which("setpriv"):
            pytest.skip("the limit does not stop root, and there is no setpriv to be somebody else")
        may_read_all = ["--inh-caps=+dac_override", "--ambient-caps=+dac_override"]
        by = ["setpriv", "--reuid=54321", "--clear-groups", *may_read_all]
    for threads in (1, 3):
        hungry(f"ulimit -u {threads}", args, by)


@pytest.mark.parametrize(
    ("error", "means"),
    [
        (MemoryError(), NO_MEMORY),
        (np._core._exceptions._ArrayMemoryError((1 << 40,), np.dtype(float)), NO_MEMORY),  # noqa: SLF001
        (pa.ArrowMemoryError("malloc of size 64 failed"), NO_MEMORY),
        (OSError(errno.ENOMEM, os.strerror(errno.ENOMEM)), NO_MEMORY),
        (ImportError("x.so: failed to map segment from shared object"), NO_MEMORY),
        (ImportError("x.so: cannot allocate memory in static TLS block"), NO_MEMORY),
        (RuntimeError("can't start new thread"), NO_THREAD),
        (pa.ArrowException("Unknown error: Failed to launch worker thread: ..."), NO_THREAD),
        (OSError(errno.EAGAIN, os.strerror(errno.EAGAIN)), NO_THREAD),
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), None),
        (ImportError("No module named 'x'"), None),
        (RuntimeError("dictionary changed size during iteration"), None),
    ],
    ids=repr,
)
def test_what_an_error_says_there_is_not(error, means):
    found = lacking(error)
    assert (None if found is None else f"klcli: {found}") == means


def test_cause_of_an_import_that_fails_is_looked_at():
    error = ImportError("a package's own words")
    error.__cause__ = ImportError("x.so: failed to map segment from shared object")
    assert lacking(error) is not None


@pytest.mark.parametrize("module", ["scipy.special", "matplotlib"])
def test_package_for_which_there_is_no_memory_is_not_said_to_be_missing(tmp_path, module):
    program = f"""
import sys
from importlib.util import spec_from_loader
class Finder:
    def find_spec(self, name, path=None, target=None):
        return spec_from_loader(name, self) if name == {module!r} else None
    def create_module(self, spec):
        raise ImportError("x.so: failed to map segment from shared object")
    def exec_module(self, module):
        pass
sys.meta_path.insert(0, Finder())
sys.argv = ["klcli", "fit", "1,2,3,4", "--plot", "x.png"]
from klcli.cli import run
run()
"""
    done = finished([sys.executable, "-c", program], cwd=tmp_path)
    assert (done.returncode, done.stderr.decode()) == (6, f"{NO_MEMORY}\n")
    assert names_in(tmp_path) == []


def test_library_that_finds_no_folder_of_its_own_says_nothing(run, tmp_path):
    env = {"MPLCONFIGDIR": "/proc/none"}
    assert run("fit", "1,2,3,4", "-q", "-o", "o.csv", "--plot", "x.png", env=env, cwd=tmp_path) == (0, "", "")
    assert names_in(tmp_path) == ["o.csv", "x.png"]
