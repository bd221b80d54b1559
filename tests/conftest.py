"""The command line as tests call it: `run`, a process of its own, and `call`, the same in this process and quicker."""

import contextlib
import fcntl
import io
import os
import signal
import struct
import subprocess
import sys
import termios
from functools import cache
from pathlib import Path
from typing import NamedTuple
from unittest import mock

import pytest
from hypothesis import settings

# Hypothesis draws the same examples in every run, and does not judge how long one takes.
settings.register_profile("same every time", derandomize=True, deadline=None, database=None)
settings.load_profile("same every time")

# What the shell that runs the tests may set, and what would change what klcli shows.
_UNWANTED = (
    "COLUMNS",
    "LINES",
    "NO_COLOR",
    "FORCE_COLOR",
    "PYTHONUNBUFFERED",
    "PYTHONIOENCODING",
    "PYTHONDONTWRITEBYTECODE",  # hundreds of processes would each compile all modules again
    "_KLCLI_COMPLETE",
)

# What `nohup` or a shell's script has ignored here, all that the tests start would ignore as well.
signal.signal(signal.SIGHUP, signal.SIG_DFL)
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


class Result(NamedTuple):
    """What came of a command line: the exit code, and both streams as text."""

    code: int
    out: str
    err: str


def clean_environment(env=None):
    """The environment of the tests, without what would change the output, and with what a test asks for."""
    plain = {name: value for name, value in os.environ.items() if name not in _UNWANTED}
    return plain | {"TERM": "xterm-256color", "PYTHONUTF8": "1"} | (env or {})


@pytest.fixture(scope="session")
def environment():
    """environment(env): the environment of `run`, for tests that start a process their own way."""
    return clean_environment


def finished(command, env=None, **how):
    """What came of a process in the environment of the tests, both of its streams read."""
    how = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "timeout": 60} | how
    return subprocess.run(command, env=clean_environment(env), check=how.pop("check", False), **how)


def _bytes(text):
    return text if isinstance(text, bytes) else (text or "").encode()


@pytest.fixture(scope="session")
def run():
    """run(*args, input, env, cwd, stdin, stdout): klcli as a process, ended after `timeout` seconds if it hangs."""

    def run(*args, input=None, env=None, cwd=None, timeout=60, **streams):  # noqa: A002 - as subprocess calls it
        if "stdin" not in streams:
            streams["input"] = _bytes(input)
        done = finished([sys.executable, "-m", "klcli", *map(str, args)], env, cwd=cwd, timeout=timeout, **streams)
        return Result(done.returncode, *((text or b"").decode() for text in (done.stdout, done.stderr)))

    return run


@pytest.fixture(scope="session")
def call():
    """call(*args, input, env, cwd): klcli in this process, where each command is made once: half of a call's time."""
    from klcli.cli import app
    from klcli.cli.failures import guarded

    for make in ("command", "_single", "_group"):
        setattr(app, make, cache(getattr(app, make)))

    def call(*args, input=None, env=None, cwd=None):  # noqa: A002 - as `run` calls it
        out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="") for _ in range(2))
        given = io.TextIOWrapper(io.BytesIO(_bytes(input)), encoding="utf-8")
        with (
            mock.patch.dict(os.environ, clean_environment(env), clear=True),
            mock.patch.multiple(sys, stdin=given, stdout=out, stderr=err),
            contextlib.chdir(cwd or Path.cwd()),
        ):
            code = guarded([str(arg) for arg in args])
            out.flush()
            err.flush()
        return Result(code, out.buffer.getvalue().decode(), err.buffer.getvalue().decode())

    return call


def at_a_terminal(command, columns=80, env=None, **streams):
    """A process whose standard output is a terminal of that width: the exit code, what it writes there, its stderr."""
    main, side = os.openpty()
    fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", 60, columns, 0, 0))
    streams = {"stdin": subprocess.DEVNULL, "stderr": subprocess.PIPE} | streams
    streams = {name: side if stream == "terminal" else stream for name, stream in streams.items()}
    with subprocess.Popen(command, stdout=side, env=clean_environment(env), **streams) as process:
        os.close(side)
        written = b""
        while True:
            try:
                some = os.read(main, 1 << 16)
            except OSError:  # Linux says so that the other side is closed
                break
            if not some:
                break
            written += some
        err = process.stderr.read() if process.stderr else b""
    os.close(main)
    return Result(process.returncode, written.decode(), err.decode())


@pytest.fixture(scope="session")
def terminal():
    """terminal(*args, columns, env, cwd): klcli on a terminal of that width; the run must go well and say nothing."""

    def terminal(*args, columns=80, env=None, cwd=None, code=0, says=""):
        found = at_a_terminal([sys.executable, "-m", "klcli", *map(str, args)], columns, env, cwd=cwd)
        assert (found.code, found.err) == (code, says)
        return found.out

    return terminal


@pytest.fixture
def write(tmp_path):
    """write(name, text): a file for the test, its path."""

    def write(name, text):
        path = tmp_path / name
        path.write_bytes(_bytes(text))
        return path

    return write


@pytest.fixture(scope="session")
def kl(call):
    """kl(*args): the number that `klcli kl` prints; the run must succeed."""

    def kl(*args, **how):
        result = call("kl", *args, **how)
        assert result.code == 0, result
        return float(result.out)

    return kl


@pytest.fixture(scope="session")
def get(call):
    """get(field, *args): the numbers that -g prints for the field; the run must succeed."""

    def get(field, *args, **how):
        result = call(*args, "-q", "-g", field, **how)
        assert result.code == 0, result
        assert result.err == ""
        return [float(line) for line in result.out.splitlines()]

    return get


@pytest.fixture(scope="session")
def refused(call):
    """refused(code, *args): the one line on stderr of a run that must fail with the code; notes may stand before."""

    def refused(code, *args, **how):
        result = call(*args, **how)
        return one_line(result, code)

    return refused


def one_line(result, code):
    """The complaint of a failed run: nothing on stdout, one line on stderr besides notes, no traceback."""
    assert result.code == code, result
    assert result.out == ""
    assert result.err.endswith("\n")
    lines = [line for line in result.err.removesuffix("\n").split("\n") if not line.startswith("klcli: note: ")]
    assert len(lines) == 1, result.err
    assert lines[0].startswith("klcli: ")
    assert "Traceback" not in result.err
    return lines[0].removeprefix("klcli: ")
