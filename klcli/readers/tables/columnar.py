"""TEMPORARY, until the columnar reader of the other branch is merged: Parquet, Feather, and what pandas reads."""

from __future__ import annotations

import re
from io import BytesIO
from typing import TYPE_CHECKING, Any

from klcli.errors import InputError
from klcli.readers.tables.table import Table

if TYPE_CHECKING:
    import pyarrow as pa

    from klcli.readers.sources import Source

_PANDAS: dict[str, tuple[str, dict[str, Any]]] = {
    "xlsx": ("read_excel", {"keep_default_na": False, "na_values": []}),
    "ods": ("read_excel", {"keep_default_na": False, "na_values": []}),
    "orc": ("read_orc", {}),
    "dta": ("read_stata", {"convert_categoricals": True}),
    "sav": ("read_spss", {}),
}


def read_columnar(source: Source, format_name: str) -> Table:
    """All of a file of that format. Raises InputError."""
    table = _by_pandas(source, *_PANDAS[format_name]) if format_name in _PANDAS else _by_arrow(source, format_name)
    kept = [i for i, name in enumerate(table.column_names) if not re.fullmatch(r"__index_level_\d+__", name)]
    return Table(
        names=tuple(table.column_names[i] for i in kept),
        columns={j: table.column(i) for j, i in enumerate(kept)},
        size=table.num_rows,
        lines=table.num_rows,
        form="value",
        source=source.name,
        place=lambda row: f"{source.name}, row {row + 1}",
    )


def _by_arrow(source: Source, format_name: str) -> pa.Table:
    import pyarrow as pa

    try:
        if format_name == "parquet":
            from pyarrow import parquet

            return parquet.ParquetFile(BytesIO(source.data)).read()
        from pyarrow import feather

        return feather.read_table(BytesIO(source.data))
    except (pa.ArrowException, OSError) as error:
        kind = {"parquet": "Parquet", "feather": "Feather"}[format_name]
        message = f"{source.name}: not a readable {kind} file ({first_line(error)})"
        raise InputError(message) from None


def _by_pandas(source: Source, reader: str, options: dict[str, Any]) -> pa.Table:
    import pandas as pd
    import pyarrow as pa

    try:
        whole = source.path if source.path is not None and not source.compression else BytesIO(source.data)
        frame = getattr(pd, reader)(whole, **options)
    except ImportError as error:
        named = re.search(r"openpyxl|odfpy|xlrd|pyreadstat", str(error))
        missing = named[0] if named else error.name
        message = f"{source.name}: reading this needs {missing}; pip install {missing}, or 'klcli[sheets]'"
        raise InputError(message) from None
    except OSError as error:
        message = f"{source.name}: {(error.strerror or first_line(error)).lower()}"
        raise InputError(message) from None
    except Exception as error:  # noqa: BLE001 - each of these libraries has errors of its own, without a common root
        message = f"{source.name}: not readable ({first_line(error)})"
        raise InputError(message) from None
    frame.columns = [str(name) for name in frame.columns]
    for name in frame.columns[[not pd.api.types.is_numeric_dtype(kind) for kind in frame.dtypes]]:
        frame[name] = frame[name].astype(str)
    return pa.Table.from_pandas(frame, preserve_index=False)


def first_line(error: Exception) -> str:
    """What an error says, as part of a sentence."""
    return (str(error).strip() or type(error).__name__).splitlines()[0][:120]
