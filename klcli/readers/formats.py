"""Which reader a format stands for: the table to add a row to for another kind of file."""

from __future__ import annotations

from functools import partial
from pathlib import PurePath
from typing import TYPE_CHECKING

from klcli.errors import InputError, UsageError, clipped, listed, nearest
from klcli.readers.numbers import Notation, is_grouped, is_number
from klcli.readers.sources import COMPRESSIONS, exists, near_file

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from klcli.readers.distributions import Single
    from klcli.readers.documents import Document
    from klcli.readers.sources import Source
    from klcli.readers.tables.table import Table

    Reader = Callable[[Source, str | None], Table | Document | Single]
    """Reads all of a source. Its second argument is what --label says, or a selector of columns that stay text."""


def _text(source: Source, label: str | None) -> Table | Document | Single:
    """What is written as an argument is, lines of numbers or of counts, and else a table with a header."""
    from klcli.readers.text import read_text

    if source.dialect.thousands is None and source.dialect.decimal == ".":
        _refuse_thousands(source.text, source.name)
    return read_text(source, label)


def _uniq(source: Source, _: str | None) -> Single:
    from klcli.readers.text import read_uniq

    return read_uniq(source)


def _refuse_thousands(text: str, source: str) -> None:
    """Raises InputError where every line is one number whose digits commas group in threes, as 1,200."""
    lines = [(i, line) for i, line in enumerate(text.split("\n"), 1) if line.strip()]
    if len(lines) > 1 and all(is_grouped(line, ",") and is_number(line, Notation(thousands=",")) for _, line in lines):
        at, line = lines[0]
        found = f"{source}:{at}: {clipped(line.strip())} is not a number"
        message = f"{found}; --thousands , reads it, and --input-format csv --no-header a table"
        raise InputError(message)


def _delimited(source: Source, label: str | None, delimiter: str) -> Table:
    from klcli.readers.tables.delimited import read_delimited

    return read_delimited(source, delimiter, label)


def _json(source: Source, _: str | None) -> Document:
    from klcli.readers.documents import Document, load_source

    return Document(source.name, load_source(source), source.dialect.blank)


def _ndjson(source: Source, _: str | None) -> Table | Document:
    from klcli.readers.documents import Document, lines_of

    values, where = lines_of(source)
    objects = [isinstance(value, dict) for value in values]
    if any(objects) and not all(objects):
        from klcli.readers.tables.records import table_of

        return table_of(values, source.name, where)
    value = values if len(values) > 1 or any(objects) else values[0]
    return Document(source.name, value, source.dialect.blank, where)


def _npy(source: Source, _: str | None) -> Document:
    from klcli.readers import npy
    from klcli.readers.documents import Document

    return Document(source.name, npy.array(source.data, source.name).tolist(), source.dialect.blank)


def _npz(source: Source, _: str | None) -> Document:
    from klcli.readers import npy
    from klcli.readers.documents import Archive

    opened = npy.archive(source.data, source.name)
    arrays = {name: npy.member(opened, name, f"{source.name}:{name}").tolist() for name in npy.names(opened)}
    return Archive(source.name, arrays, source.dialect.blank)


def _columnar(source: Source, _: str | None, format_name: str) -> Table:
    from klcli.readers.tables.columnar import read_columnar

    return read_columnar(source, format_name)


READERS: dict[str, Reader] = {
    "text": _text,
    "uniq": _uniq,
    "csv": partial(_delimited, delimiter=","),
    "tsv": partial(_delimited, delimiter="\t"),
    "markdown": partial(_delimited, delimiter="|"),
    "json": _json,
    "ndjson": _ndjson,
    **{
        name: partial(_columnar, format_name=name)
        for name in ("parquet", "feather", "xlsx", "ods", "orc", "dta", "sav")
    },
    "npy": _npy,
    "npz": _npz,
}

SUFFIXES = {f".{name}": name for name in READERS if name not in {"text", "uniq"}} | {
    ".text": "text",
    "": "text",
    ".txt": "text",
    ".tab": "tsv",
    ".md": "markdown",
    ".jsonl": "ndjson",
    ".pq": "parquet",
    ".arrow": "feather",
    ".ipc": "feather",
    ".xls": "xlsx",
}


_PICKLES = frozenset({".pt", ".pth", ".pkl", ".pickle"})


def format_of(
    source: Source, format_name: str | None, selector: str = "", formats: Collection[str] = READERS.keys()
) -> str:
    """The format of a source: the one asked for, else by the suffix, else by what is selected from it.

    Never by looking inside: a file means the same whatever it holds. formats: those that errors name.
    """
    if format_name is not None:
        return known_format(format_name, formats)
    if source.path is None and selector == ":":
        from klcli.readers.text import delimiter_of

        return "tsv" if delimiter_of(source.text) == "\t" else "csv"
    if source.path is None:
        return "json" if selector == "#" else "text"
    path = PurePath(source.path)
    suffix = PurePath(path.stem).suffix if path.suffix.lower() in COMPRESSIONS else path.suffix
    kind = SUFFIXES.get(suffix.lower())
    if kind is None and not exists(str(path)):
        message = f"{source.name}: no such file{near_file(source.path)}"
        raise InputError(message)
    if suffix.lower() in _PICKLES:
        message = f"{source.name}: a pickle can run any code and is not read; save it with numpy.save as .npy"
        raise InputError(message)
    if kind is None:
        known = listed(formats, len(formats))
        message = f"{source.name}: {clipped(suffix)} is no suffix known here; add --input-format ({known})"
        raise InputError(message)
    return kind


def is_known_suffix(path: str) -> bool:
    """Whether the path ends as a file of some format does."""
    return PurePath(path).suffix.lower() in SUFFIXES.keys() - {""} | COMPRESSIONS


def known_format(name: str, formats: Collection[str] = READERS.keys()) -> str:
    """The format of that name. Raises UsageError."""
    if name not in formats:
        known = listed(formats, len(formats))
        message = f"--input-format {clipped(name)}: it is one of {known}.{nearest(name, formats)}"
        raise UsageError(message)
    return name
