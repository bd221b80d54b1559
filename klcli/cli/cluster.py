"""`klcli batch --cluster`: each file is a task of a Dask cluster, and becomes a part of a folder.

Here is what goes on where the command was given; `workers` is how Dask is asked, `partition` what is done with a file.
Files and folder must be on a disk that all workers share.
"""

import gc
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import numpy as np

from klcli.cli.partition import Facts, Partition, Staging
from klcli.cli.progress import Progress
from klcli.cli.scoring import Plan, Result, Tally, like
from klcli.cli.workers import LOCAL, answers, connected
from klcli.console import reason
from klcli.errors import DistributionError, InputError, OutputError, UsageError, clipped, nearest
from klcli.readers.sources import exists
from klcli.readers.tables.stream import Tables


def run_on_cluster(plan: Plan, cluster: str, *, summarised: bool) -> Result:
    """Scores the files on the cluster. Raises what stops it, and then leaves no output folder."""
    _check(cluster)
    target = _target(plan.output)
    files = _files(plan.files)
    gc.enable()  # which a command that ends at once does without
    with Tables(files, plan.reading) as tables:
        kept, first = _header(tables)
        input_format = tables.format()
    plan = _portable(plan._replace(format=plan.format or like(input_format)))
    workers = min(plan.reading.threads, len(files))
    with connected(cluster, workers) as client, _staged(target, str(plan.output)) as staging:
        partitions = [
            Partition(
                plan=_alone(plan, given),
                given=given,
                kept=kept,
                first=first,
                staging=staging,
                output=output,
                shown=os.path.join(str(plan.output), output),  # noqa: PTH118 - as it was written, with its dots
                summarised=summarised,
            )
            for given, output in zip(files, _names(files, plan.format or ""), strict=True)
        ]
        with closing(_Whole(plan, partitions, summarised=summarised)) as tally:
            with closing(answers(client, partitions, cluster)) as found, Progress(tally, wanted=not plan.quiet) as bar:
                for number, facts in enumerate(found):
                    tally.join(number, facts)
                    bar.show(tally.rows)
            tally.check()
            result = tally.result()
        _check_parts(staging, partitions)
        if plan.format == "parquet":
            from klcli.renderers.parts import give_one_schema

            outputs = [staging.parts / part.output for part in partitions]
            give_one_schema(outputs, together=input_format in {"json", "ndjson"})
    return result


# ------------------------------------------------------------------------------------------------- what the user wrote


def _check(cluster: str) -> None:
    if cluster != LOCAL and ":" not in cluster:
        message = (
            f"--cluster {clipped(cluster)}: it is '{LOCAL}', or the address of a Dask scheduler such as "
            f"tcp://127.0.0.1:8786.{nearest(cluster, [LOCAL])}"
        )
        raise UsageError(message)


def _target(output: str | None) -> Path:
    """The folder of the result. Raises UsageError, or OutputError where it cannot be made."""
    if output is None or output in {"", "-"}:
        message = "--cluster writes a part for each file; add --output FOLDER"
        raise UsageError(message)
    target = Path(os.path.realpath(output))
    try:
        why = _why_not(target)
    except OSError as error:
        why = reason(error)
    if why:
        message = f"{output}: {why}"
        raise OutputError(message)
    return target


def _why_not(target: Path) -> str:
    """Why the folder cannot be made, and how to mend it; nothing where it can. One that is empty is made anew."""
    if not target.parent.is_dir():
        return f"no folder {clipped(str(target.parent))}; make it first"
    if not target.exists():
        return ""
    if not target.is_dir():
        return "it is a file, and --cluster makes a folder; name a new one"
    if target.is_mount():
        return "it is where a disk is mounted; name a new folder in it"
    return "it holds files already; name a new folder" if any(target.iterdir()) else ""


def _files(given: Sequence[str]) -> list[str]:
    """The files, and where a folder is given those in it, by name. Raises UsageError, InputError."""
    files: list[str] = []
    for path in given:
        if path == "-":
            message = "--cluster reads files: standard input cannot be read by several workers; write it to a file"
            raise UsageError(message)
        if not exists(path) or Path(path).is_file():
            files.append(path)
        elif Path(path).is_dir():
            files += _files_in(path)
        else:
            message = f"--cluster reads files that can be read again, and {path} is none; write it to a file"
            raise UsageError(message)
    return files


def _files_in(folder: str) -> list[str]:
    """The files in a folder, but for those whose names say that they are no data (as .crc and _SUCCESS)."""
    try:
        names = sorted(entry.name for entry in Path(folder).iterdir() if entry.name[0] not in "._")
    except OSError as error:
        message = f"{folder}: {reason(error)}"
        raise InputError(message) from None
    inner = next((name for name in names if not Path(folder, name).is_file()), None)
    if not names or inner is not None:
        why = "it holds no files" if inner is None else f"{clipped(inner)} in it is no file"
        message = f"{folder}: {why}; name the files, or folders of nothing but files"
        raise InputError(message)
    return [os.path.join(folder, name) for name in names]  # noqa: PTH118 - as a shell would write it


def _header(tables: Tables) -> tuple[tuple[str, ...], str]:
    """The columns that the first file keeps, and its name: what is wrong with it is said before a cluster is asked."""
    first = next(iter(tables))
    return first.kept, first.source


def _names(files: Sequence[str], format_name: str) -> list[str]:
    """What the parts are called: in order by name, and after the file each comes from."""
    from klcli.readers.formats import is_known_suffix

    digits = max(4, len(str(len(files) - 1)))
    names = []
    for i, path in enumerate(files):
        stem = Path(path).name
        while Path(stem).suffix and is_known_suffix(stem):
            stem = Path(stem).stem
        # A name has at most 255 bytes.
        short = stem.encode("utf-8", "surrogateescape")[:150].decode("utf-8", "ignore")
        names.append(f"{i:0{digits}d}-{short}.{format_name}")
    return names


def _portable(plan: Plan) -> Plan:
    """The same, fit to be sent: the functions that tell where a reference's values stand are written out."""
    if plan.reference is None:
        return plan
    where, outcomes = plan.reference.where, plan.reference.outcomes
    places = [where(i) for i in range(len(plan.reference))]
    labels = None if outcomes is None else tuple(outcomes)
    return plan._replace(reference=replace(plan.reference, where=places.__getitem__, outcomes=labels))


def _alone(plan: Plan, path: str) -> Plan:
    """The same for one file: on one thread of a worker, which says nothing."""
    return plan._replace(
        files=(os.path.abspath(path),),  # noqa: PTH100 - not resolved: a link may be all that workers share
        reading=plan.reading._replace(threads=1),
        output=None,
        quiet=True,
    )


# -------------------------------------------------------------------------------------------------------- the folder


@contextmanager
def _staged(target: Path, shown: str) -> Iterator[Staging]:
    """A folder beside the target, whose parts become the target when all went well."""
    staging = Staging(str(target.with_name(f".{target.name[:40]}.{uuid4().hex[:8]}.tmp")))
    try:
        for folder in (Path(staging.folder), staging.parts, staging.values, staging.attempts):
            folder.mkdir()
        yield staging
        if target.exists():
            staging.parts.chmod(target.stat().st_mode & 0o7777)
            target.rmdir()
        staging.parts.rename(target)
    except OSError as error:
        message = f"{shown}: {reason(error)}; nothing was written"
        raise OutputError(message) from None
    finally:
        for _ in range(3):  # somebody may be writing there who does not yet know
            shutil.rmtree(staging.folder, ignore_errors=True)
            if not Path(staging.folder).exists():
                break


def _check_parts(staging: Staging, partitions: Sequence[Partition]) -> None:
    """Raises OutputError where a part is not seen here."""
    there = set(os.listdir(staging.parts))  # noqa: PTH208 - read anew, unlike the state of single files
    missing = next((part.shown for part in partitions if part.output not in there), None)
    if missing is not None:
        message = f"{missing}: a worker wrote it, and it is not seen here; --output must be on a disk that all share"
        raise OutputError(message)


# -------------------------------------------------------------------------------------------------------- the result


class _Whole(Tally):
    """What is known of the rows of all files so far. done, total: bytes of the files."""

    def __init__(self, plan: Plan, partitions: Sequence[Partition], *, summarised: bool) -> None:
        super().__init__(plan, summarised=summarised)
        self._partitions = partitions
        self._scattered: list[str] = []
        self._sizes = [Path(part.path).stat().st_size for part in partitions]
        self.done, self.total = 0, sum(self._sizes)

    def join(self, number: int, facts: Facts) -> None:
        """What is known of one more file; they come in order."""
        partition = self._partitions[number]
        self.rows += facts.rows
        self.done += self._sizes[number]
        self._failed += facts.failed
        self._first, self._error = self._first or facts.first, self._error or facts.error
        self._remarks.update(facts.remarks)
        self._above = [n + more for n, more in zip(self._above, facts.above, strict=True)]
        self._keys.append(facts.keys)
        if facts.scattered:
            self._scattered.append(partition.given)
        if self._summary is not None and partition.values.exists():
            with partition.values.open("rb") as file:
                while file.peek(1):
                    self._summary.add(dict(zip(self._plan.measures, np.load(file), strict=True)))
            partition.values.unlink()

    def check(self) -> None:
        """Raises DistributionError where rows of a group do not stand together, else what is wrong with the first."""
        where = self._where_scattered()
        if where:
            message = (
                f"{where}; with --cluster those of a group follow one another in one file: sort the rows by "
                f"{clipped(str(self._plan.reading.wanted.by))} and cut files between groups, or leave out --cluster"
            )
            raise DistributionError(message)
        if self._error is not None:
            raise self._error

    def _where_scattered(self) -> str:
        if self._scattered:
            return f"{self._scattered[0]}: rows of a group do not stand together"
        if not self._keys:
            return ""
        keys = np.concatenate(self._keys)
        files = np.repeat(np.arange(len(self._keys)), [len(found) for found in self._keys])
        order = np.argsort(keys, kind="stable")
        again = np.flatnonzero(keys[order][1:] == keys[order][:-1])
        if not len(again):
            return ""
        one, other = (self._partitions[i].given for i in files[order[again[0] : again[0] + 2]].tolist())
        return f"{one} and {other} hold rows of the same group"
