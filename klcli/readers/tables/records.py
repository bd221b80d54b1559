"""TEMPORARY, until the records reader of the other branch is merged: lists of JSON objects, NDJSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from klcli.errors import InputError
from klcli.readers.documents import lines_of, no_repeated_key
from klcli.readers.tables.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from klcli.readers.sources import Source


def read_records(source: Source, *, ndjson: bool) -> Table:
    """The objects of NDJSON. Raises InputError."""
    assert ndjson  # noqa: S101 - temporary
    values, where = lines_of(source)
    return table_of(values, source.name, where)


def table_of(values: Sequence[Any], source_name: str, where: Callable[[int], str]) -> Table:
    """The table whose rows are JSON objects. Raises InputError where one is none, or has a key twice."""
    for i, record in enumerate(values):
        if not isinstance(record, dict):
            message = f"{where(i)}: this is no record; each row of a table is one JSON object"
            raise InputError(message)
        no_repeated_key(record, where(i), "key")
    names = tuple(dict.fromkeys(key for record in values for key in record))
    columns = {i: [record.get(name) for record in values] for i, name in enumerate(names)}
    return Table(names, columns, len(values), len(values), "value", source=source_name, place=where)
