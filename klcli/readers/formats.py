"""Which reader a format stands for: the table to add a row to for another kind of file."""

from __future__ import annotations

from functools import partial
from pathlib import PurePath
from typing import TYPE_CHECKING

from klcli.errors import InputError, UsageError, clipped, listed, nearest
from klcli.readers import inline
from klcli.readers.sources import COMPRESSIONS

if TYPE_CHECKING:
    from collections.abc import Callable

    from klcli.readers.content import Content
    from klcli.readers.sources import Source

    Reader = Callable[[Source, str | None], Content]


def _text(source: Source, label: str | None) -> Content:
    """What is written as an argument is, and else a CSV table: the grammar of standard input."""
    text = source.text
    if inline.is_inline(text, source.dialect.decimal):
        return inline.parse(text, source.name, source.dialect.decimal)
    return _delimited(source, label, ",")


def _delimited(source: Source, label: str | None, delimiter: str) -> Content:
    from klcli.readers.delimited import read

    return read(source, label, delimiter)


def _json(source: Source, label: str | None) -> Content:
    from klcli.readers.documents import parse

    return parse(source.text, source.name, label)


def _ndjson(source: Source, label: str | None) -> Content:
    from klcli.readers.documents import parse_lines

    return parse_lines(source.text, source.name, label)


def _parquet(source: Source, label: str | None) -> Content:
    from klcli.readers.columnar import read_parquet

    return read_parquet(source, label)


def _feather(source: Source, label: str | None) -> Content:
    from klcli.readers.columnar import read_feather

    return read_feather(source, label)


def _pandas(source: Source, label: str | None, reader: str, **options: object) -> Content:
    from klcli.readers.columnar import read_by_pandas

    return read_by_pandas(source, label, reader, **options)


_spreadsheet = partial(_pandas, reader="read_excel", keep_default_na=False, na_values=[])

READERS: dict[str, Reader] = {
    "text": _text,
    "csv": partial(_delimited, delimiter=","),
    "tsv": partial(_delimited, delimiter="\t"),
    "json": _json,
    "ndjson": _ndjson,
    "parquet": _parquet,
    "feather": _feather,
    "xlsx": _spreadsheet,
    "ods": _spreadsheet,
    "orc": partial(_pandas, reader="read_orc"),
    "dta": partial(_pandas, reader="read_stata", convert_categoricals=True),
    "sav": partial(_pandas, reader="read_spss"),
}

SUFFIXES = {f".{name}": name for name in READERS} | {
    "": "text",
    ".txt": "text",
    ".tab": "tsv",
    ".jsonl": "ndjson",
    ".pq": "parquet",
    ".arrow": "feather",
    ".ipc": "feather",
    ".xls": "xlsx",
}


def reader(source: Source, format_name: str | None, selector: str) -> Reader:
    """The reader for a source, see `format_of`."""
    return READERS[format_of(source, format_name, selector)]


def format_of(source: Source, format_name: str | None, selector: str = "") -> str:
    """The format of a source: the one asked for, else by the suffix, else by what is selected from it.

    Never by looking inside: a file means the same whatever it holds.
    """
    if format_name is not None:
        return known_format(format_name)
    if source.path is None:
        return {":": "csv", "#": "json"}.get(selector, "text")
    path = PurePath(source.path)
    suffix = PurePath(path.stem).suffix if path.suffix.lower() in COMPRESSIONS else path.suffix
    kind = SUFFIXES.get(suffix.lower())
    if kind is None:
        message = (
            f"{source.name}: {clipped(suffix)} is no suffix known here; add --input-format ({listed(READERS, 20)})"
        )
        raise InputError(message)
    return kind


def is_known_suffix(path: str) -> bool:
    """Whether the path ends as a file of some format does."""
    return PurePath(path).suffix.lower() in SUFFIXES.keys() - {""} | COMPRESSIONS


def known_format(name: str) -> str:
    """The format of that name. Raises UsageError."""
    if name not in READERS:
        message = f"--input-format {clipped(name)}: it is one of {listed(READERS, 20)}.{nearest(name, READERS)}"
        raise UsageError(message)
    return name
