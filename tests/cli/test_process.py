"""What only a process of its own shows: streams, pipes, signals, a bug's exit code, what start-up imports."""

import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import finished

ROOT = Path(__file__).parents[2]
WRITING = [["kl", "1,1", "1,3"], ["compare", "1,1", "1,3"], ["--version"], ["compare", "--help"]]
"""All that writes: a number, what a renderer made, and two ways of Typer's."""
HUGE = ["compare", "big.csv", "--breakdown", "-f", "json", "-q"]


def name(args):
    return " ".join(args) or "klcli"


@pytest.fixture
def big(write):
    return write("big.csv", "p,q\n" + "".join(f"{i % 7 + 1},{i % 5 + 1}\n" for i in range(3000)))


def only_line(err):
    lines = [line for line in err.splitlines() if not line.startswith("klcli: note: ")]
    assert len(lines) == 1, err
    assert lines[0].startswith("klcli: ")
    return lines[0]


@pytest.mark.parametrize("args", WRITING, ids=name)
def test_full_device_on_standard_output_is_exit_code_six(run, args):
    with open("/dev/full", "wb") as full:  # noqa: PTH123
        result = run(*args, stdout=full)
    assert result.code == 6
    assert "no space left on" in only_line(result.err)


@pytest.mark.parametrize("args", WRITING[:2], ids=name)
def test_full_device_as_output_file_is_exit_code_six(run, args):
    result = run(*args, "-o", "/dev/full", *([] if args[0] == "kl" else ["-f", "csv"]))
    assert (result.code, result.out) == (6, "")
    assert "/dev/full: no space left on" in only_line(result.err)


@pytest.mark.parametrize(
    ("args", "env"), [*((args, {}) for args in WRITING), (WRITING[1], {"PYTHONUNBUFFERED": "1"})], ids=str
)
def test_closed_pipe_is_exit_code_141_in_silence(args, env):
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = finished([sys.executable, "-m", "klcli", *args], env=env, stdout=writing)
    finally:
        os.close(writing)
    assert done.returncode == 141
    assert all(line.startswith(b"klcli: note: ") for line in done.stderr.splitlines())


@pytest.mark.parametrize("env", [{}, {"PYTHONUNBUFFERED": "1"}], ids=["buffered", "unbuffered"])
def test_reader_that_leaves_after_a_byte_ends_a_large_output_with_141_in_silence(big, env, environment):
    """`klcli ... | head -c1`: far more than a pipe holds, so the writer meets the closed end."""
    with subprocess.Popen(
        [sys.executable, "-m", "klcli", *HUGE],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(env),
        cwd=big.parent,
    ) as process:
        assert os.read(process.stdout.fileno(), 1) == b"{"
        process.stdout.close()
        err = process.stderr.read()
    assert (process.returncode, err) == (141, b"")


@pytest.mark.parametrize("env", [{}, {"PYTHONUNBUFFERED": "1"}], ids=["buffered", "unbuffered"])
def test_output_cut_short_by_a_file_size_limit_is_exit_code_six(big, env, tmp_path, environment):
    """A disk that fills up while klcli writes: the part that went before must not pass for the whole."""
    with (tmp_path / "out").open("wb") as out:
        done = subprocess.run(
            ["/bin/sh", "-c", 'ulimit -f 16; trap "" XFSZ; exec "$@"', "sh", sys.executable, "-m", "klcli", *HUGE],
            stdout=out,
            stderr=subprocess.PIPE,
            env=environment(env) | {"PYTHONDONTWRITEBYTECODE": "1"},
            cwd=big.parent,
            check=False,
            timeout=60,
        )
    assert done.returncode == 6
    assert "file too large" in only_line(done.stderr.decode())


@pytest.mark.parametrize("args", WRITING, ids=name)
def test_closed_standard_output_is_exit_code_six(args):
    done = finished(["/bin/sh", "-c", 'exec "$@" >&-', "sh", sys.executable, "-m", "klcli", *args])
    assert done.returncode == 6
    assert "standard output" in only_line(done.stderr.decode())


def test_empty_standard_input_asks_about_the_command_before(run):
    result = run("kl", "-", "1,1", stdin=subprocess.DEVNULL)
    assert result == (3, "", "klcli: <stdin> is empty; did the command before it fail?\n")


def test_output_is_utf8_whatever_the_locale(run):
    env = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii"}
    result = run("entropy", "-", "-g", "elements.outcome", "-q", input='{"é日": 1}', env=env)
    assert result == (0, "é日\n", "")


def test_complaint_that_the_locale_cannot_write_is_escaped(run):
    env = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii"}
    result = run("kl", "-", "1,1", input='{"é": "x"}', env=env)
    assert result.code == 3
    assert only_line(result.err).startswith("klcli: <stdin>, '\\xe9': 'x' is not a number")


def test_module_and_script_are_the_same_command(run):
    script = Path(sys.executable).with_name("klcli")
    done = finished([script, "--version"])
    assert (done.returncode, done.stdout.decode()) == (0, run("--version").out)


@pytest.fixture
def typing(environment):
    """typing(*args): klcli whose standard input is a terminal, and the descriptor at which one types."""

    @contextmanager
    def typing(*args):
        main, side = os.openpty()
        command, streams = (
            [sys.executable, "-m", "klcli", *args],
            {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE},
        )
        with subprocess.Popen(command, stdin=side, env=environment(), **streams) as process:
            yield process, main
        os.close(main)
        os.close(side)

    return typing


def test_ctrl_c_while_waiting_for_standard_input_is_exit_code_130_and_one_line(typing):
    """The notice on a terminal says that the process waits: no sleep is needed."""
    with typing("kl", "-", "1,1") as (process, _):
        notice = process.stderr.readline()
        process.send_signal(signal.SIGINT)
        out, err = process.stdout.read(), process.stderr.read()
    assert notice == b"klcli: reading from the terminal; end with Ctrl-D\n"
    assert (process.returncode, out, err) == (130, b"", b"klcli: interrupted; nothing was written\n")


@pytest.mark.parametrize(
    ("command", "typed"),
    [
        (("kl", "-", "1,1"), b"3 1\n"),
        (("batch", "-", "--p", "p", "--q", "q", "--by", "g"), b"g,p,q\na,3,1\na,1,1\n"),
        (("batch", "-", "--p", "p", "--q", "q", "--input-format", "ndjson"), b'{"p":[3,1],"q":[1,1]}\n'),
    ],
)
def test_one_ctrl_d_ends_what_is_typed(command, typed, typing):
    with typing(*command, "-q") as (process, main):
        os.write(main, typed + b"\x04")
        out, _ = process.communicate(timeout=20)
    assert b"0.13081203594113" in out  # KL(3:1 || 1:1)


@pytest.fixture
def broken(monkeypatch):
    """An engine with a bug in it."""

    def fail(*_, **__):
        message = "the engine is\nbroken \x1b[31m"
        raise ZeroDivisionError(message)

    monkeypatch.setattr("klcli.analyses.compare.compare", fail)


def test_bug_is_one_line_with_code_70_that_asks_for_a_report(refused, broken):  # noqa: ARG001
    message = refused(70, "kl", "1,1", "1,1")
    assert "ZeroDivisionError: the engine is" in message
    assert "report" in message
    assert "https://" in message
    assert message.isprintable()


@pytest.mark.parametrize("args", [["--debug", "kl", "1,1", "1,1"], ["kl", "1,1", "1,1", "--debug"]])
def test_debug_shows_the_traceback_of_a_bug(call, broken, args):  # noqa: ARG001
    result = call(*args)
    assert result.code == 70
    assert result.err.startswith("Traceback (most recent call last):\n")
    assert "in fail\n" in result.err


@pytest.mark.parametrize("args", [["--debug", "kl", "x", "1,1"], ["kl", "x", "1,1", "--debug"]])
def test_debug_shows_the_traceback_of_bad_input_and_keeps_its_code(call, args):
    result = call(*args)
    assert result.code == 3
    assert result.err.startswith("Traceback (most recent call last):\n")
    assert result.err.splitlines()[-1].startswith("klcli: P: 'x' is neither")


HEAVY = {"numpy", "pandas", "pyarrow", "scipy", "rich", "matplotlib", "dask", "distributed", "hypothesis"}
HEAVY |= {"tempfile", "random", "concurrent.futures", "resource", "klcli.families.law", "klcli.readers.expressions"}


@pytest.fixture
def imported():
    def imported(*args, env=None, cwd=ROOT):
        """Which of the heavy packages are imported when klcli runs with these arguments."""
        program = (
            "import sys\n"
            "from klcli.cli import main\n"
            "try:\n"
            "    code = main()\n"
            "except SystemExit as end:\n"
            "    code = end.code\n"
            f"print('imported', code or 0, *({HEAVY!r} & sys.modules.keys()), file=sys.stderr)\n"
        )
        done = finished([sys.executable, "-c", program, *map(str, args)], env=env, text=True, cwd=cwd)
        word, code, *heavy = done.stderr.splitlines()[-1].split(" ")
        assert (word, code) == ("imported", "0"), done.stderr
        return set(heavy)

    return imported


FILES = {
    "small.csv": "label,p,q\na,1,2\nb,3,4\n",
    "large.csv": "word,p,q\n" + "".join(f"w{i},{i % 7 + 1},{i % 5 + 1}\n" for i in range(150_000)),
    "pairs.csv": "id,p0,p1,q0,q1\na,1,2,3,4\n",
}
NORMALS = ["normal(0,1)", "normal(1,2)"]
OF_PAIRS = ["--p", "p*", "--q", "q*", "-q"]


@pytest.mark.parametrize(
    ("args", "allowed"),
    [
        (["--help"], {"rich", "random", "tempfile"}),
        (["--version"], set()),
        ([], {"rich", "random", "tempfile"}),
        (["batch", "-h"], {"rich", "random", "tempfile"}),
        (["kl", "0.4,0.6", "0.3,0.7"], {"numpy"}),
        (["kl", "f(x)=0.4,g(x)=0.6", "f(x)=0.3,g(x)=0.7"], {"numpy", "klcli.readers.expressions"}),
        (["compare", "1,2", "2,1", "-f", "json"], {"numpy"}),
        (["compare", "1,2", "2,1", "-f", "table"], {"numpy", "rich", "random", "tempfile"}),
        (["compare", "small.csv"], {"numpy"}),
        (["compare", "large.csv"], {"numpy", "pyarrow", "random", "tempfile", "concurrent.futures", "resource"}),
        (["compare", "a.feather"], {"numpy", "pyarrow", "random", "tempfile", "concurrent.futures", "resource"}),
        (["kl", *NORMALS], {"numpy", "klcli.families.law", "klcli.readers.expressions"}),
        (
            ["kl", *(f"{one}@-4:4:0.1" for one in NORMALS)],
            {"numpy", "klcli.families.law", "klcli.readers.expressions"},
        ),
        (["matrix", "small.csv", "-o", "o.parquet"], None),
        (["loss", "bce", "[0.5]", "[1]"], {"numpy"}),
        (["batch", "pairs.csv", *OF_PAIRS], None),
    ],
    ids=lambda given: " ".join(given) or "klcli" if isinstance(given, list) else "",
)
def test_what_is_not_needed_is_not_imported(imported, write, tmp_path, args, allowed):
    """allowed: all but what no command of a plain install may import, where it is None."""
    import pyarrow as pa
    from pyarrow import feather

    for name, text in FILES.items():
        if name in args:
            write(name, text)
    feather.write_feather(pa.table({"label": ["a", "b"], "p": [1.0, 2.0], "q": [3, 4]}), tmp_path / "a.feather")
    found = imported(*args, cwd=tmp_path)
    assert not found & {"pandas", "scipy", "matplotlib", "dask", "distributed", "hypothesis"}
    assert allowed is None or found <= allowed


@pytest.mark.parametrize(
    ("shell", "words"), [("bash", "klcli compare -m kl_"), ("zsh", "klcli compare --f"), ("fish", "klcli ")]
)
def test_completion_imports_neither_numpy_nor_pandas_nor_rich(imported, words, shell):
    parts = words.split(" ")
    env = {
        "_KLCLI_COMPLETE": f"complete_{shell}",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(parts) - 1),
        "_TYPER_COMPLETE_ARGS": words,
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
        "_TYPER_COMPLETE_WORD_TO_COMPLETE": parts[-1],
    }
    assert not imported(env=env) & {"numpy", "pandas", "pyarrow", "scipy"}
