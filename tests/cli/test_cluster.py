"""`batch --cluster`: on a real scheduler with two worker processes, the values and messages of the local run."""

import gzip
import json
import os
import pickle
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from klcli.batch import spans, workers
from klcli.batch.partition import score_partition
from klcli.batch.workers import LOCAL, connected
from klcli.errors import OutputError
from tests.conftest import finished

pytestmark = pytest.mark.xdist_group("cluster")
"""One process for all of these: each that has one starts a cluster of its own."""

PAIRS = ["--p", "p*", "--q", "q*"]
GROUPS = ["--by", "doc", "--label", "word", "--p", "p", "--q", "q", "-m", "kl_pq"]
WIDTH = 5
SECONDS = 60
"""After so many something hangs."""


# ------------------------------------------------------------------------------------------------------------- clusters


def until(is_so, process):
    """Waits until it is so, while the process lives."""
    for _ in range(SECONDS * 100):
        if is_so():
            return
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.01)
            assert is_so(), f"{process.args} ended too early"
            return
    pytest.fail("it did not come")


@contextmanager
def started(*args, log, env):
    """A Dask process, ended at the end; so are those it has started, which notice."""
    with log.open("wb") as out, subprocess.Popen([sys.executable, "-m", "dask", *args], stderr=out, env=env) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_for(workers, address):
    code = f"import distributed; distributed.Client({address!r}).wait_for_workers({workers}, {SECONDS})"
    finished([sys.executable, "-c", code], check=True)


@pytest.fixture(scope="module")
def dask(environment, tmp_path_factory):
    """dask(workers, env): a scheduler's process and address, and so many workers."""
    with ExitStack() as stack:

        def dask(workers, **env):
            folder = tmp_path_factory.mktemp("dask")
            fixed = {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "1", "DASK_TEMPORARY_DIRECTORY": str(folder)}
            given = environment({**fixed, **env})
            args, log = ["scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard"], folder / "scheduler.log"
            scheduler = stack.enter_context(started(*args, log=log, env=given))
            until(lambda: b"Scheduler at:" in log.read_bytes(), scheduler)
            address = log.read_text().partition("Scheduler at:")[2].split()[0]
            if workers:
                args = ["worker", address, "--nworkers", str(workers), "--nthreads", "1", "--no-dashboard"]
                args += ["--local-directory", str(folder)]
                stack.enter_context(started(*args, log=folder / "workers.log", env=given))
                wait_for(workers, address)
            return scheduler, address

        yield dask


@pytest.fixture(scope="module")
def address(dask):
    return dask(2)[1]


class Run(NamedTuple):
    """What came of `batch --cluster`: exit code, both streams, and the content of each part in order."""

    code: int
    out: str
    err: str
    parts: dict[str, bytes]


@pytest.fixture
def batch(call, address, tmp_path):
    """batch(*args): klcli batch on the cluster, writing to the folder 'out'; nothing else may be left behind."""

    def batch(*args, cluster=address):
        before = names_in(tmp_path)
        result = call("batch", *args, "--cluster", cluster, "-o", "out", cwd=tmp_path)
        assert [name for name in names_in(tmp_path) if name != "out"] == before
        return Run(*result, parts_in(tmp_path / "out"))

    return batch


@pytest.fixture
def local(call, tmp_path):
    """local(*args, suffix): the same without --cluster, its rows as the only part."""

    def local(*args, suffix="csv"):
        result = call("batch", *args, "-o", f"local.{suffix}", cwd=tmp_path)
        file = tmp_path / f"local.{suffix}"
        parts = {file.name: file.read_bytes()} if file.exists() else {}
        file.unlink(missing_ok=True)
        return Run(*result, parts)

    return local


def names_in(folder):
    """What is in a folder, hidden files too."""
    return sorted(path.name for path in folder.iterdir())


def parts_in(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())} if folder.exists() else {}


def joined(parts):
    """The parts as one text with one header."""
    header, *_ = {part.partition(b"\n")[0] for part in parts.values()}
    bodies = []
    for part in parts.values():
        first, _, body = part.partition(b"\n")
        assert first == header
        bodies.append(body)
    return header + b"\n" + b"".join(bodies)


# ---------------------------------------------------------------------------------------------------------------- files


def rows_of(seed, n):
    draw = random.Random(seed)  # noqa: S311 - no secrets
    names = [f"{side}{i}" for side in "pq" for i in range(WIDTH)]
    return [{"id": f"r{seed}-{i}", **{name: draw.random() for name in names}} for i in range(n)]


def csv_text(rows, delimiter=","):
    lines = [delimiter.join(rows[0]), *(delimiter.join(map(str, row.values())) for row in rows)]
    return "".join(f"{line}\n" for line in lines)


def write_rows(path, rows):
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    else:
        path.write_text(csv_text(rows))


@pytest.fixture
def files(tmp_path):
    """files(suffix, sizes): tables of so many rows each, their names."""

    def files(suffix, sizes=(300, 2, 170)):
        for seed, n in enumerate(sizes):
            write_rows(tmp_path / f"part-{seed}.{suffix}", rows_of(seed, n))
        return [f"part-{seed}.{suffix}" for seed in range(len(sizes))]

    return files


def spoil(path, row):
    """Makes a row one that is no pair."""
    lines = path.read_text().splitlines(keepends=True)
    lines[row] = lines[row].replace(",0.", ",x0.", 1)
    path.write_text("".join(lines))


# -------------------------------------------------------------------------------------------------- as the local run is


def test_text_is_what_the_local_run_writes_byte_for_byte(batch, local, files):
    names = files("csv")
    found, expected = batch(*names, *PAIRS, "-m", "all"), local(*names, *PAIRS, "-m", "all")
    assert (found.code, found.out, found.err) == (0, expected.out, expected.err)
    assert list(found.parts) == [f"000{i}-part-{i}.csv" for i in range(3)]
    assert joined(found.parts) == expected.parts["local.csv"]


def test_parquet_holds_what_the_local_run_writes(batch, local, files, tmp_path):
    names = files("parquet")
    found, expected = batch(*names, *PAIRS, "-m", "all"), local(*names, *PAIRS, "-m", "all", suffix="parquet")
    assert (found.code, found.err, list(found.parts)) == (
        0,
        expected.err,
        [f"000{i}-part-{i}.parquet" for i in range(3)],
    )
    whole = pq.read_table(pa.BufferReader(expected.parts["local.parquet"]))
    assert whole.num_rows == 472
    assert pq.read_table(tmp_path / "out").equals(whole)


def test_parts_of_records_get_one_schema_and_arrays_a_reference(batch, local, write):
    """One part knows nothing of a column that the other has numbers in, or takes it for one of integers, or of text."""
    write("a.ndjson", '{"n": null, "m": 1, "t": 1, "q": [1, 2, 5]}\n{"n": null, "m": 2, "t": 2, "q": [3, 2, 5]}\n')
    write("b.ndjson", '{"n": 3, "m": 0.5, "t": "x", "q": [1, 9, 5]}\n{"n": 4, "m": 2, "t": 3, "q": [3, 2, 7]}\n')
    args = ["a.ndjson", "b.ndjson", "--q", "q", "--reference", '{"a": 2, "b": 3, "c": 4}', "-f", "parquet"]
    found, expected = batch(*args), local(*args, suffix="parquet")
    assert (found.code, found.err) == (0, expected.err)
    first, second = (pq.read_table(pa.BufferReader(part)) for part in found.parts.values())
    assert first.schema.equals(second.schema)
    whole = pq.read_table(pa.BufferReader(expected.parts["local.parquet"]))
    assert pa.concat_tables([first, second]).equals(whole)


@pytest.mark.parametrize("bad", [[0, 1, 2], [1, 2]], ids=str)
def test_first_bad_row_in_the_order_of_the_files_stops_all_and_nothing_is_left(batch, local, files, tmp_path, bad):
    names = files("csv", (50, 3, 20))
    for i in bad:
        spoil(tmp_path / names[i], 2)
    found = batch(*names, *PAIRS)
    assert (found.code, found.parts) == (3, {})
    assert found == local(*names, *PAIRS)
    assert found.err.startswith(f"klcli: part-{bad[0]}.csv:3: 'x0.")


@pytest.mark.parametrize("on_error", ["keep", "skip"])
def test_bad_rows_are_kept_or_left_out_as_in_the_local_run(batch, local, files, tmp_path, on_error):
    names = files("csv", (50, 4, 20))
    for i, row in enumerate((50, 2, 1)):
        spoil(tmp_path / names[i], row)
    args = [*names, *PAIRS, "--on-error", on_error, "--summary", "--fail-above", "kl_pq=0.5"]
    found, expected = batch(*args), local(*args)
    assert (found.code, found.out, found.err) == (5, expected.out, expected.err)
    assert "3 of 74 rows failed" in found.err
    assert joined(found.parts) == expected.parts["local.csv"]


def test_files_of_a_folder_come_by_name_and_parts_of_one_name_stay_apart(batch, local, tmp_path):
    for folder, seeds in (("x", (0, 1)), ("y", (2,))):
        (tmp_path / folder).mkdir()
        for seed in seeds:
            write_rows(tmp_path / folder / f"{1 - seed % 2}.csv", rows_of(seed, 20))
    (tmp_path / "x" / "_SUCCESS").touch()
    (tmp_path / "x" / ".0.csv.crc").touch()
    found = batch("x", "y/", *PAIRS, "-f", "ndjson")
    assert list(found.parts) == ["0000-0.ndjson", "0001-1.ndjson", "0002-1.ndjson"]
    expected = local("x/0.csv", "x/1.csv", "y/1.csv", *PAIRS, suffix="ndjson")
    assert b"".join(found.parts.values()) == expected.parts["local.ndjson"]


# ---------------------------------------------------------------------------------------------------------- large files


@pytest.fixture
def cut(call, address, tmp_path, monkeypatch):
    """cut(smallest, *args): klcli batch on the cluster, where files with so many bytes twice or more are cut."""

    def cut(smallest, *args):
        monkeypatch.setattr(spans, "SMALLEST", smallest)
        result = call("batch", *args, "--cluster", address, "-o", "out", cwd=tmp_path)
        return Run(*result, parts_in(tmp_path / "out"))

    return cut


def test_large_text_becomes_several_parts_in_the_order_of_its_rows(cut, local, files, tmp_path):
    """Whose quoted cells hold line ends."""
    names = files("csv", (300, 2, 170))
    for name in names:
        header, text = (tmp_path / name).read_text().split("\n", 1)
        (tmp_path / name).write_text(
            header + "\n" + re.sub(r"^(r[^,]+)", r'"two\nlines, \1"', text, flags=re.MULTILINE)
        )
    found, expected = cut(15_000, *names, *PAIRS), local(*names, *PAIRS)
    assert (found.code, found.out, found.err) == (0, expected.out, expected.err)
    assert list(found.parts) == [
        *(f"0000-part-0-{i:03d}.csv" for i in range((tmp_path / names[0]).stat().st_size // 15_000)),
        "0001-part-1.csv",
        *(f"0002-part-2-{i:03d}.csv" for i in range(2)),
    ]
    assert joined(found.parts) == expected.parts["local.csv"]


@pytest.mark.parametrize("suffix", ["ndjson", "tsv"])
def test_other_text_is_cut_alike(cut, local, tmp_path, suffix):
    rows = rows_of(1, 200)
    text = "".join(map("{}\n".format, map(json.dumps, rows))) if suffix == "ndjson" else csv_text(rows, "\t")
    (tmp_path / f"a.{suffix}").write_text(text)
    args = [f"a.{suffix}", *PAIRS, "--summary"]
    found, expected = cut(10_000, *args), local(*args, suffix=suffix)
    assert (found.code, found.err) == (0, expected.err)
    assert statistics(found.out) == {name: pytest.approx(n, rel=1e-12) for name, n in statistics(expected.out).items()}
    assert len(found.parts) == len(text) // 10_000 > 2
    rows_found = b"".join(found.parts.values()) if suffix == "ndjson" else joined(found.parts)
    assert rows_found == expected.parts[f"local.{suffix}"]


def statistics(text):
    """The numbers of a summary."""
    header, *lines = (line.split("\t") for line in text.splitlines())
    return {(line[0], name): float(cell) for line in lines for name, cell in zip(header[1:], line[1:], strict=True)}


def test_large_parquet_is_cut_between_row_groups(cut, local, tmp_path):
    pq.write_table(pa.Table.from_pylist(rows_of(1, 1000)), tmp_path / "a.parquet", row_group_size=100)
    smallest = 3 * pq.read_metadata(tmp_path / "a.parquet").row_group(0).total_byte_size
    found, expected = cut(smallest, "a.parquet", *PAIRS), local("a.parquet", *PAIRS, suffix="parquet")
    assert (found.code, found.err) == (0, expected.err)
    rows = {name: pq.read_metadata(pa.BufferReader(part)).num_rows for name, part in found.parts.items()}
    assert rows == {"0000-a-000.parquet": 400, "0000-a-001.parquet": 300, "0000-a-002.parquet": 300}
    assert pq.read_table(tmp_path / "out").equals(pq.read_table(pa.BufferReader(expected.parts["local.parquet"])))


def test_error_in_a_later_part_names_the_place_in_the_file(cut, local, files, tmp_path):
    [name] = files("csv", (300,))
    spoil(tmp_path / name, 280)
    found, expected = cut(10_000, name, *PAIRS), local(name, *PAIRS)
    assert found == expected
    assert found.err.startswith("klcli: part-0.csv:281: 'x0.")
    lines = [json.dumps(row) for row in rows_of(1, 200)]
    (tmp_path / "a.ndjson").write_text("\n".join([*lines[:150], "{}", *lines[150:]]))
    table = pa.Table.from_pylist(
        [{**row, "p0": -1.0 if i == 900 else row["p0"]} for i, row in enumerate(rows_of(1, 1000))]
    )
    pq.write_table(table, tmp_path / "a.parquet", 100)
    for name, place in (("a.ndjson", ":151: "), ("a.parquet", ", row 901")):
        shutil.rmtree(tmp_path / "out", ignore_errors=True)
        found = cut(10_000, name, *PAIRS, "--on-error", "keep")
        assert found.code == 5
        assert len(found.parts) > 2
        assert f"; the first: {name}{place}" in found.err


def test_groups_and_compressed_files_are_not_cut(cut, local, write, tmp_path):
    write("1.csv", groups(*A, *B, *C))
    write("2.csv.gz", gzip.compress(csv_text(rows_of(0, 300)).encode()))
    for args in (["1.csv", *GROUPS], ["2.csv.gz", *PAIRS]):
        found, expected = cut(5, *args), local(*args)
        assert (found.code, found.err) == (0, expected.err)
        assert list(found.parts.values()) == list(expected.parts.values())
        shutil.rmtree(tmp_path / "out")


# --------------------------------------------------------------------------------------------------------------- groups


def groups(*documents):
    return "doc,word,p,q\n" + "".join(f"{doc},{word},{i + 2},{i * i + 1}\n" for i, (doc, word) in enumerate(documents))


A, B, C = ([(doc, "x"), (doc, "y")] for doc in "abc")


@pytest.mark.parametrize(
    ("first", "second", "where"),
    [
        ([*A, B[0]], [B[1], *C], "1.csv and 2.csv hold rows of the same group"),
        (A, [B[0], *C, B[1]], "2.csv: rows of a group do not stand together"),
    ],
    ids=["over-two-files", "in-a-file"],
)
def test_group_whose_rows_do_not_stand_together_is_refused(batch, write, first, second, where):
    write("1.csv", groups(*first))
    write("2.csv", groups(*second))
    found = batch("1.csv", "2.csv", *GROUPS, "--align", "strict")  # under which a half of a group would fail
    assert (found.code, found.out, found.parts) == (4, "", {})
    assert found.err.startswith(f"klcli: {where}; ")
    assert "sort the rows by 'doc'" in found.err


# ------------------------------------------------------------------------------------------------------ what goes amiss


@contextmanager
def running(environment, cwd, *args):
    """klcli batch in the background, in a group of processes as a shell would make; its attempts at files."""
    command = [sys.executable, "-m", "klcli", "batch", *args, "-q", "-o", "out"]
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, cwd=cwd, env=environment(), start_new_session=True, **streams) as process:
        try:
            yield process
        finally:
            process.kill()


def attempts(folder):
    """What is being written: the paths, and the processes that write."""
    return [(path, int(path.suffixes[-2][1:])) for path in sorted(folder.glob(".out.*/attempts/*"))]


def frozen(folder):
    """A process stopped while it writes a part, if one could be caught."""
    for path, pid in attempts(folder):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
            if path.exists() and path.stat().st_size:
                return pid
            os.kill(pid, signal.SIGCONT)
    return None


@pytest.fixture
def long(tmp_path):
    """Files, the second of which takes a while: a stray quote leaves its rows to Python's csv."""
    header, *lines = csv_text(rows_of(0, 1000)).splitlines(keepends=True)
    for i, times in enumerate((2, 60, 2, 2)):
        text = "".join(lines) * times
        (tmp_path / f"{i}.csv").write_text(header + (text.replace("r0-", 'r0"') if i == 1 else text))
    return [f"{i}.csv" for i in range(4)]


def test_worker_killed_halfway_leaves_no_trace(environment, address, local, long, tmp_path):
    with running(environment, tmp_path, *long, *PAIRS, "--cluster", address) as process:
        caught = []
        until(lambda: caught.append(frozen(tmp_path)) or caught[-1], process)
        until(lambda: list(tmp_path.glob(".out.*/parts/*")), process)  # the other goes on
        os.kill(caught[-1], signal.SIGKILL)
        assert process.communicate(timeout=SECONDS) == (b"", b"")
    assert process.returncode == 0
    found = parts_in(tmp_path / "out")
    assert list(found) == [f"000{i}-{i}.csv" for i in range(4)]
    assert joined(found) == local(*long, *PAIRS).parts["local.csv"]
    assert not list(tmp_path.glob(".*"))


def test_file_that_kills_its_workers_is_named(environment, address, long, tmp_path):
    killed = set()

    def kill():
        for path, pid in attempts(tmp_path):
            if path.name.startswith("0001") and pid not in killed:
                killed.add(pid)
                os.kill(pid, signal.SIGKILL)
        return len(killed) == 2

    with running(environment, tmp_path, *long, *PAIRS, "--cluster", address) as process:
        until(kill, process)
        out, err = process.communicate(timeout=SECONDS)
    assert (process.returncode, out) == (6, b"")
    wait_for(2, address)
    assert err.startswith(b"klcli: 1.csv: the workers that score it die, one after another")
    assert err.count(b"\n") == 1
    assert names_in(tmp_path) == long


def test_interrupt_ends_a_cluster_of_its_own_at_once(environment, long, tmp_path):
    args = [*long, *PAIRS, "--cluster", "local", "--threads", "2"]
    with running(environment, tmp_path, *args) as process:
        caught = []
        until(lambda: caught.extend(attempts(tmp_path)) or caught, process)
        pids = [pid for _, pid in caught]
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does
        out, err = process.communicate(timeout=SECONDS)
    assert out == b""
    assert re.fullmatch(rb"klcli: interrupted( after [0-9,]+ rows)?; nothing was written\n", err)
    assert process.returncode == 130
    assert names_in(tmp_path) == long
    assert not [pid for pid in pids if Path(f"/proc/{pid}").exists()]


def test_worker_without_klcli_is_said_and_how_to_mend_it(batch, dask, files, tmp_path_factory):
    """The scheduler lacks it too, and need not have it."""
    folder = tmp_path_factory.mktemp("without")
    (folder / "sitecustomize.py").write_text(BLOCKER.format(["klcli"]))
    found = batch(*files("csv"), *PAIRS, cluster=dask(1, PYTHONPATH=str(folder))[1])
    assert (found.code, found.out, found.parts) == (6, "", {})
    assert "cannot import klcli; install klcli" in found.err
    assert found.err.count("\n") == 1


def test_scheduler_that_goes_away_is_said(environment, dask, files, tmp_path):
    names = files("csv")
    scheduler, address = dask(0)
    with running(environment, tmp_path, *names, *PAIRS, "--cluster", address) as process:
        assert process.stderr.readline() == f"klcli: no worker at {address}; waiting for one\n".encode()
        scheduler.kill()
        out, err = process.communicate(timeout=SECONDS)
    assert (process.returncode, out) == (6, b"")
    assert err.startswith(f"klcli: the scheduler at {address} went away".encode())
    assert names_in(tmp_path) == names


def test_worker_of_another_version_refuses():
    found = pickle.loads(score_partition("0.0.1", b""))  # noqa: S301
    assert isinstance(found, OutputError)
    assert "here is 0.0.1; install the same on both" in str(found)


# --------------------------------------------------------------------------------------------- who may give it tasks

ATTACK = """
import asyncio, json, os, ssl, sys
from distributed import Client, Security
from distributed.core import connect
from distributed.protocol.pickle import dumps

user, path, open_to_all, protected = json.loads(sys.argv[1])
if user is not None:
    os.setgroups([])
    os.setgid(user)
    os.setuid(user)


class Careless(Security):
    # Takes any certificate for a server's. Shows one of its own, or none.
    own = Security.temporary()

    def __init__(self, shown):
        super().__init__(require_encryption=True)
        self.shown = shown

    def get_connection_args(self, role):
        context = self.own.get_connection_args(role)["ssl_context"] if self.shown else ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return {"ssl_context": context, "require_encryption": True}


def intrude(path, dask_worker=None, dask_scheduler=None):
    open(path, "x").close()


async def as_client(address, security, path, timeout):
    async with Client(address, security=security, timeout=timeout, asynchronous=True) as client:
        await client.submit(intrude, path, pure=False)


async def as_peer(address, security, path, timeout):
    for op in ("run", "run_function"):
        comm = await connect(address, timeout, **security.get_connection_args("worker"))
        asked = {"op": op, "function": dumps(intrude), "args": dumps((path,)), "kwargs": dumps({}), "reply": True}
        await comm.write({**asked, "wait": True} if op == "run_function" else asked)
        answer = await comm.read()
        await comm.close()
        if os.path.exists(path) or isinstance(answer, dict) and answer["status"] == "OK":
            return
    raise OSError(str(answer))


async def attempt(way, scheme, port, security, path, timeout):
    # The error that came of it, nothing where the function was run.
    try:
        await asyncio.wait_for(way(f"{scheme}://127.0.0.1:{port}", security, path, timeout), 2 * timeout)
    except Exception as error:
        return repr(error)
    return ""


async def main():
    plain, *keyed = Security(), Security.temporary(), Careless(True), Careless(False)
    control = [(as_peer, "tcp", port, plain) for port in open_to_all]
    control += [(as_client, "tcp", open_to_all[0], plain)]
    attack = [
        (way, scheme, port, security)
        for port in protected
        for scheme, kinds in {"tcp": [plain], "tls": keyed}.items()
        for security in kinds
        for way in (as_client, as_peer)
    ]
    for name, attempts, timeout in (("control", control, 20), ("attack", attack, 2)):
        yield await asyncio.gather(*(attempt(*one, f"{path}.{name}.{i}", timeout) for i, one in enumerate(attempts)))


async def listed(found):
    return [one async for one in found]


print(json.dumps([os.getuid(), *asyncio.run(listed(main()))]))
"""


def listening():
    """The addresses at which this process and those it has started listen."""
    pids = {os.getpid(), *(child.pid for child in psutil.Process().children(recursive=True))}
    found = psutil.net_connections("inet")
    return {tuple(one.laddr) for one in found if one.pid in pids and one.status == psutil.CONN_LISTEN}


def ports_of(address):
    """The ports of a scheduler, and of its workers and their nannies."""
    with connected(address, 0) as client:
        workers = client.scheduler_info()["workers"]
    addresses = [address, *workers, *(worker["nanny"] for worker in workers.values())]
    return [int(one.rpartition(":")[2]) for one in addresses]


def test_nobody_but_its_owner_gives_a_cluster_of_its_own_tasks(address, environment, tmp_path, monkeypatch):
    """Nor do its workers and nannies obey others. The same attempts succeed at a cluster that is open to all."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    how = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "cwd": "/"}
    users = [None, 65534] if os.geteuid() == 0 else [None]  # only root can become another user
    before = listening()
    with connected(LOCAL, 2) as client, ExitStack() as stack:
        hosts, ports = zip(*listening() - before, strict=True)
        attackers = []
        for user in users:
            given = json.dumps([user, str(tmp_path / f"intruded-{user}"), ports_of(address), ports])
            command = [sys.executable, "-c", ATTACK, given]
            attackers.append(stack.enter_context(subprocess.Popen(command, env=environment({"HOME": "/"}), **how)))
        answers = [json.loads(attacker.communicate(timeout=SECONDS)[0]) for attacker in attackers]
        assert client.submit(os.getppid).result() == os.getpid()  # whoever has the key may
        files = [path for path in temporary.rglob("*") if path.is_file()]
        assert not [path for path in files if b"PRIVATE KEY" in path.read_bytes()]
    assert set(hosts) == {"127.0.0.1"}
    assert len(ports) == 5  # of the scheduler, two nannies and two workers; no HTTP server is among them
    for user, (uid, control, attack) in zip(users, answers, strict=True):
        assert uid == (os.getuid() if user is None else user)
        assert control == [""] * 6
        assert len(attack) == 5 * 4 * 2
        assert "" not in attack
        made = sorted(path.name for path in tmp_path.glob(f"intruded-{user}*"))
        assert made == [f"intruded-{user}.control.{i}" for i in range(6)]
    assert names_in(temporary) == []


# ---------------------------------------------------------------------------------------------- what is refused at once


def test_dead_address_is_said_after_some_seconds(call, files, tmp_path, monkeypatch):
    monkeypatch.setattr(workers, "_PATIENCE", 0.2)
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{deaf.getsockname()[1]}"
        found = call("batch", *files("csv"), *PAIRS, "--cluster", address, "-o", "out", cwd=tmp_path)
    assert (found.code, found.out, parts_in(tmp_path / "out")) == (6, "", {})
    assert found.err.startswith(f"klcli: --cluster {address}: it does not answer; is a Dask scheduler running there?")
    assert found.err.count("\n") == 1


@pytest.mark.parametrize(
    ("code", "args", "said"),
    [
        (2, ["-", "-o", "out"], "standard input cannot be read by several workers"),
        (2, ["a.csv"], "add --output FOLDER"),
        (2, ["a.csv", "-o", "out", "--cluster", "locl"], "Did you mean 'local'?"),
        (2, ["a.csv", "-o", "out", "--cluster", "http://127.0.0.1:1"], "unknown address scheme 'http'"),
        (2, ["a.csv", "-o", "out", "--cluster", "tcp://h:1", "--threads", "2"], "--threads does not go with"),
        (2, ["pipe", "-o", "out"], "reads files that can be read again, and pipe is none"),
        (3, ["b.csv", "-o", "out"], "b.csv: no such file. Did you mean 'a.csv'?"),
        (3, ["empty", "-o", "out"], "empty: it holds no files"),
        (3, [".", "-o", "out"], "'empty' in it is no file"),
        (3, ["a.csv", "-o", "out", "--p", "x*"], "a.csv: no column 'x*'"),
        (6, ["a.csv", "-o", "a.csv"], "a.csv: it is a file, and --cluster makes a folder"),
        (6, ["a.csv", "-o", "."], ".: it holds files already; name a new folder"),
    ],
    ids=lambda value: "-".join(map(str, value)) if isinstance(value, list) else None,
)
def test_what_cannot_be_done_is_refused_before_a_cluster_is_asked(refused, tmp_path, code, args, said):
    write_rows(tmp_path / "a.csv", rows_of(0, 2))
    (tmp_path / "empty").mkdir()
    os.mkfifo(tmp_path / "pipe")
    before = names_in(tmp_path)
    assert said in refused(code, "batch", *PAIRS, "--cluster", "local", *args, cwd=tmp_path)
    assert names_in(tmp_path) == before


BLOCKER = """
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Blocker())
"""


@pytest.mark.parametrize("missing", ["distributed", "cryptography"])
def test_missing_extra_is_one_line_that_says_what_to_install(environment, files, tmp_path, missing):
    args = ["klcli", "batch", *files("csv"), *PAIRS, "--cluster", "local", "-o", "out"]
    code = BLOCKER.format([missing]) + f"from klcli.cli import run\nsys.argv = {args}\nrun()\n"
    how = {"capture_output": True, "cwd": tmp_path, "env": environment(), "timeout": SECONDS}
    found = subprocess.run([sys.executable, "-c", code], check=False, **how)
    assert (found.returncode, found.stdout) == (2, b"")
    said = f"klcli: --cluster needs a package more (No module named '{missing}'); pip install 'klcli[cluster]'\n"
    assert found.stderr == said.encode()
    assert not (tmp_path / "out").exists()
