"""Parquet files that were written apart, and are to be read as one table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from klcli.arrow import parquet_writer
from klcli.blocks import json_text
from klcli.errors import OutputError
from klcli.renderers.sinks import of_two_types

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def give_one_schema(parts: Sequence[Path], *, together: bool) -> None:
    """Gives the columns of all parts one type, as if all rows had been written into one file.

    It is that of the first part that has rows; or together: one that fits all, for what was JSON, where a part may hold
    nothing in a column, or integers by chance. Raises OutputError, naming the part, where a column cannot have it.
    """
    from pyarrow.parquet import read_metadata

    footers = [read_metadata(part) for part in parts]
    schemas = [footer.schema.to_arrow_schema() for footer in footers]
    filled = [schema for schema, footer in zip(schemas, footers, strict=True) if footer.num_rows] or schemas
    target = _common(filled) if together else filled[0]
    for part, schema in zip(parts, schemas, strict=True):
        if not schema.equals(target):
            _rewrite(part, target, texts=together)


def _common(schemas: Sequence[pa.Schema]) -> pa.Schema:
    fields = zip(*schemas, strict=True)
    return pa.schema([(alike[0].name, _common_kind([field.type for field in alike])) for alike in fields])


def _common_kind(kinds: Sequence[pa.DataType]) -> pa.DataType:
    known = {kind for kind in kinds if not pa.types.is_null(kind)}
    if len(known) < 2:  # noqa: PLR2004
        return known.pop() if known else pa.null()
    return pa.float64() if known <= {pa.int64(), pa.float64()} else pa.string()


def _rewrite(part: Path, schema: pa.Schema, *, texts: bool) -> None:
    """texts: whether what becomes text is written as in JSON."""
    from pyarrow.parquet import ParquetFile

    new, old = part.with_name(f".{part.name}"), ParquetFile(part)
    cast = _as_json if texts else _cast
    with old, parquet_writer(new, schema) as writer:
        for i in range(old.num_row_groups):
            table = old.read_row_group(i)
            columns = [cast(table.column(field.name), field, part) for field in schema]
            writer.write_table(pa.Table.from_arrays(columns, schema=schema))
    new.replace(part)


def _as_json(cells: pa.ChunkedArray, field: pa.Field, part: Path) -> pa.ChunkedArray | pa.Array:
    if not pa.types.is_string(field.type):
        return _cast(cells, field, part)
    texts = [None if v is None else v if isinstance(v, str) else json_text(v) for v in cells.to_pylist()]
    return pa.array(texts, type=field.type)


def _cast(cells: pa.ChunkedArray, field: pa.Field, part: Path) -> pa.ChunkedArray | pa.Array:
    try:
        return cells.cast(field.type)
    except pa.ArrowException:
        message = f"{part.name}: {of_two_types(field.name, cells.type, field.type)}"
        raise OutputError(message) from None
