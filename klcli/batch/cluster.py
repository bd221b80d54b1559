"""`klcli batch --cluster`: a Dask cluster scores the files, and writes a folder of parts.

A file is one task, whose rows become one part; a large one is several, which different workers take. This module runs
where the command was given; `workers` asks Dask, and `partition` runs on the workers. All of them must share the disk
with the files and the folder.
"""

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from itertools import chain
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import numpy as np

from klcli.batch import spans
from klcli.batch.partition import ATTEMPTS, PARTS, VALUES, Partition
from klcli.batch.progress import Progress
from klcli.batch.run import like
from klcli.batch.spans import Span
from klcli.batch.tally import Plan, Result, Tally
from klcli.batch.workers import LOCAL, answers, connected
from klcli.console import ending, reason
from klcli.errors import DistributionError, InputError, KlcliError, OutputError, UsageError, clipped, listed, nearest
from klcli.readers.formats import format_of, is_known_suffix
from klcli.readers.sources import exists, open_source
from klcli.readers.tables.columnar import ColumnarStream
from klcli.readers.tables.delimited import DelimitedStream
from klcli.readers.tables.stream import Opened, ReadSettings, Share, Tables, open_stream


def run_on_cluster(plan: Plan, cluster: str) -> Result:
    """Scores the files on the cluster. Raises what stops it, and then leaves no output folder."""
    _refuse_what_needs_all(plan)
    if cluster != LOCAL and ":" not in cluster:
        message = (
            f"--cluster {clipped(cluster)}: it is '{LOCAL}', or the address of a Dask scheduler such as "
            f"tcp://127.0.0.1:8786.{nearest(cluster, [LOCAL])}"
        )
        raise UsageError(message)
    target = _target(plan.output)
    plan = plan._replace(files=_files(plan.files))
    with Tables(plan.files, plan.reading) as tables:
        first = next(iter(tables))  # what is wrong with the first file is said before a cluster is asked
    plan = plan._replace(format=plan.format or like(tables.format()))
    read = SimpleNamespace(done=0, total=tables.total)
    workers = min(plan.reading.threads, max(len(plan.files), tables.total // spans.SMALLEST))
    done: list[Partition] = []
    keys: list[Any] = []
    with (
        connected(cluster, workers) as client,
        _staged(target, str(plan.output)) as staging,
        closing(Tally(plan, summarised=plan.summarised)) as tally,
    ):
        partitions = _partitions(plan, first, staging)
        with closing(answers(client, partitions, cluster)) as found, Progress(read, wanted=not plan.quiet) as bar:
            for partition, part in found:
                if part.scattered:
                    raise _not_together(plan, f"{partition.share.name}: rows of a group do not stand together")
                tally.add(part, _values(partition))
                done.append(partition)
                keys.append(part.keys.known)
                read.done += partition.size
                bar.show(tally.rows)
                ending.reach(f"{tally.rows:,} {plan.noun}")
        _check_groups(plan, done, keys)
        tables.verify()
        tally.check()
        _check_parts(staging, done)
        if plan.format == "parquet":
            from klcli.renderers.parts import give_one_schema

            outputs = [staging / PARTS / part.output for part in done]
            give_one_schema(outputs, together=tables.format() in {"json", "ndjson"})
        return tally.result()


# ------------------------------------------------------------------------------------------------- what the user wrote


def _refuse_what_needs_all(plan: Plan) -> None:
    """Raises UsageError for what workers that read a part each cannot do."""
    wanted = plan.reading.wanted
    limited = {
        "--with": plan.other is not None,
        "--previous": wanted.apart,
        "--tally": wanted.counting is not None,
        f"--fail-above on {listed(plan.others)}": bool(plan.limits_of_all and plan.others),
    }
    option = next((option for option, is_given in limited.items() if is_given), None)
    if option is not None:
        mend = "add the field to -m" if "above" in option else "leave out --cluster"
        message = f"{option} does not go with --cluster; {mend}"
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


# --------------------------------------------------------------------------------------------------------- the tasks


def _partitions(plan: Plan, first: Opened, staging: Path) -> Iterator[Partition]:
    """The tasks, in the order of their rows. The names of their parts sort in that order too."""
    digits = max(4, len(str(len(plan.files) - 1)))
    for i, path in enumerate(plan.files):
        stem = Path(path).name
        while Path(stem).suffix and is_known_suffix(stem):
            stem = Path(stem).stem
        # A name has at most 255 bytes.
        name = f"{i:0{digits}d}-{stem.encode('utf-8', 'surrogateescape')[:150].decode('utf-8', 'ignore')}"
        alone = plan._replace(
            files=(os.path.abspath(path),),  # noqa: PTH100 - not resolved: a link may be all that workers share
            reading=plan.reading._replace(threads=1),
            output=None,
            quiet=True,
        )
        found = _spans(path, plan.reading)
        one, second = next(found), next(found, None)
        for j, (span, size) in enumerate([one] if second is None else chain([one, second], found)):
            output = f"{name}.{plan.format}" if second is None else f"{name}-{j:03d}.{plan.format}"
            shown = os.path.join(str(plan.output), output)  # noqa: PTH118 - as it was written, with its dots
            share = Share(path, first.layout, span, first.mixed)
            yield Partition(alone, share, staging, output, shown, size)


def _spans(path: str, reading: ReadSettings) -> Iterator[tuple[Span | None, int]]:
    """The spans that one task each scores, and their bytes. None stands for all of a file.

    A file is not cut where a group of rows might be, nor where it has to be read from its start, as JSON has.
    """
    source, size = open_source(path, reading.dialect), Path(path).stat().st_size
    kind = format_of(source, reading.input_format)
    divisible = kind in {"csv", "text", "tsv", "ndjson", "parquet"} and not source.compression
    if not divisible or reading.dialect.alters or reading.wanted.by is not None or size < 2 * spans.SMALLEST:
        yield None, size
        return
    try:
        with closing(source):
            stream = open_stream(source, reading)
    except KlcliError:  # it is said in its turn: the task of the whole file fails likewise
        yield None, size
        return
    if isinstance(stream, ColumnarStream):
        groups = stream.row_groups
        for span in spans.row_group_spans(groups, smallest=spans.SMALLEST):
            yield span, size * (span.end - span.start) // len(groups)
        return
    delimiter = stream.delimiter if isinstance(stream, DelimitedStream) and reading.dialect.quotes else None
    with Path(path).open("rb") as file:
        for span in spans.text_spans(file, size, stream.begin, delimiter=delimiter, smallest=spans.SMALLEST):
            yield span, span.end - span.start


# -------------------------------------------------------------------------------------------------------- the folder


@contextmanager
def _staged(target: Path, shown: str) -> Iterator[Path]:
    """A folder beside the target to write in. When all went well, the folder of parts in it becomes the target."""
    staging = target.with_name(f".{target.name[:40]}.{uuid4().hex[:8]}.tmp")
    try:
        for folder in (staging, staging / PARTS, staging / VALUES, staging / ATTEMPTS):
            folder.mkdir()
        yield staging
        with ending.held():
            if target.exists():
                (staging / PARTS).chmod(target.stat().st_mode & 0o7777)
                target.rmdir()
            (staging / PARTS).rename(target)
            ending.written[shown] = "was written"
    except OSError as error:
        message = f"{shown}: {reason(error)}; nothing was written"
        raise OutputError(message) from None
    finally:
        for _ in range(3):  # somebody may be writing there who does not yet know
            shutil.rmtree(staging, ignore_errors=True)
            if not staging.exists():
                break


def _check_parts(staging: Path, partitions: Sequence[Partition]) -> None:
    """Raises OutputError where a part that a worker has written is not seen from here."""
    there = set(os.listdir(staging / PARTS))  # noqa: PTH208 - read anew, unlike the state of single files
    missing = next((part.shown for part in partitions if part.output not in there), None)
    if missing is not None:
        message = f"{missing}: a worker wrote it, and it is not seen here; --output must be on a disk that all share"
        raise OutputError(message)


def _values(partition: Partition) -> Iterator[Mapping[str, Any]]:
    """For a summary, the measures of the rows of a part, some rows at a time. Each can be had once."""
    path = partition.staging / VALUES / partition.output
    if partition.plan.summarised:
        with path.open("rb") as file:
            while file.peek(1):
                yield dict(zip(partition.plan.measures, np.load(file), strict=True))
        path.unlink()


# -------------------------------------------------------------------------------------------------------- the groups


def _check_groups(plan: Plan, partitions: Sequence[Partition], keys: Sequence[Any]) -> None:
    """Raises DistributionError where rows of a group stand in two files. keys: of the groups of each."""
    if plan.reading.wanted.by is None:
        return
    every = np.concatenate(keys)
    order = np.argsort(every, kind="stable")
    again = np.flatnonzero(every[order][1:] == every[order][:-1])
    if len(again):
        owner = np.repeat(np.arange(len(keys)), list(map(len, keys)))[order]
        one, other = (partitions[i].share.name for i in owner[again[0] : again[0] + 2].tolist())
        raise _not_together(plan, f"{one} and {other} hold rows of the same group")


def _not_together(plan: Plan, where: str) -> DistributionError:
    return DistributionError(
        f"{where}; with --cluster those of a group follow one another in one file: sort the rows by "
        f"{clipped(str(plan.reading.wanted.by))} and cut files between groups, or leave out --cluster"
    )
