"""Tables that come with types: Parquet, Feather, and what pandas reads.

Arrow's own conversions to NumPy import pandas (0.3 s) where it is installed; `np.from_dlpack` does not.
"""

from __future__ import annotations

import re
from functools import cached_property
from io import BytesIO
from typing import TYPE_CHECKING, Any

from klcli.errors import DistributionError, InputError, clipped
from klcli.readers.beside import Beside
from klcli.readers.content import Series, column_of, no_pointer, no_such, unique
from klcli.readers.labels import Labels
from klcli.readers.numbers import numbers

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

    from klcli.readers.content import Content
    from klcli.readers.sources import Source


class Columns:
    """An Arrow table. `where` gives, when an error needs it, the function from a row to its place."""

    def __init__(
        self,
        table: pa.Table,
        source: Source,
        label: str | None,
        where: Callable[[], Callable[[int], str]] | None = None,
    ) -> None:
        self.source, self._checks = source.name, source.checks
        self.table, self._label, self._where = table.select(without_row_numbers(table.column_names)), label, where
        self.header = None if where is None else list(table.column_names)

    def names(self) -> list[str]:
        """The names of the columns."""
        return list(self.table.column_names)

    @cached_property
    def _label_name(self) -> str | None:
        """The column of labels: the one chosen, 'label', or the first that holds text."""
        if self._label is not None:
            self._column(self._label)
            return self._label
        if "label" in self.names():
            return "label"
        return next((name for name in self.names() if self._may_label(name)), None)

    def _may_label(self, name: str) -> bool:
        """Whether a column's values are names of outcomes: text, dates, truth values."""
        import pyarrow.types as of

        kind = self._column(name).type
        return not (self._is_numeric(name) or of.is_nested(kind) or of.is_null(kind))

    def _is_text(self, name: str) -> bool:
        import pyarrow.types as of

        kind = self._column(name).type
        kind = kind.value_type if of.is_dictionary(kind) else kind
        return bool(of.is_string(kind) or of.is_large_string(kind) or of.is_string_view(kind))

    def _is_numeric(self, name: str) -> bool:
        import pyarrow.types as of

        kind = self._column(name).type
        return bool(of.is_floating(kind) or of.is_integer(kind) or of.is_decimal(kind))

    def _column(self, name: str) -> pa.ChunkedArray:
        if name not in self.names():
            raise no_such(self.source, name, self.names())
        if self.names().count(name) > 1:
            message = f"{self.source}: two columns are called {clipped(name)}; rename one"
            raise InputError(message)
        return self.table.column(name)

    def numeric(self) -> list[str]:
        """The columns of numbers, but for that of the labels."""
        return [name for name in self.names() if name != self._label_name and self._is_numeric(name)]

    def series(self, name: str) -> Series:
        """One column's numbers, labelled by the column of labels."""
        column = self._column(name)

        def place(i: int) -> str:
            return f"{self.row(i)}, column {clipped(name)}"

        if column.null_count:
            missing = column.is_null().to_pylist().index(True)
            message = f"{self.row(missing)}: nothing stands where a number should in column {clipped(name)}"
            raise InputError(message)
        if self._is_text(name):
            cells = Labels(_as_text(column))
            return Series(
                name, numbers(list(cells), self.row, f" in column {clipped(name)}"), self._labels(name), place
            )
        if not self._is_numeric(name):
            message = f"{self.source}: column {clipped(name)} holds {column.type}, not numbers"
            raise InputError(message)
        if len(column) == 0:
            message = f"{self.source}: columns and no rows"
            raise InputError(message)
        return Series(name, _doubles(column), self._labels(name), place)

    def row(self, i: int) -> str:
        """The place of a row, for errors."""
        return f"{self.source}, row {i + 1}" if self._where is None else self._where()(i)

    def _labels(self, but: str) -> Sequence[str] | None:
        return None if self._label_name in {None, but} else self._checked_labels

    @cached_property
    def _checked_labels(self) -> Sequence[str]:
        import pyarrow as pa

        column, name = self._column(str(self._label_name)), str(self._label_name)
        if column.null_count:
            message = f"{self.row(column.is_null().to_pylist().index(True))}: the label is missing"
            raise DistributionError(message)
        try:
            # A cast imports pyarrow.compute, 25 ms, even where there is nothing to do.
            labels = Labels(column if column.type == pa.string() else _as_text(column))
        except pa.ArrowException:
            message = f"{self.source}: column {clipped(name)} holds {column.type}, no labels"
            raise InputError(message) from None

        def look_through() -> None:
            if not labels.are_unique():
                unique(list(labels), self.row, name)

        # It takes as long with a million labels as all the arithmetic, which goes on meanwhile.
        self._checks.append(Beside(look_through))
        return labels

    def at(self, pointer: str) -> Content:
        """Pointers are for JSON."""
        no_pointer(self.source, pointer)

    def address(self, name: str) -> str:
        """SOURCE:COLUMN."""
        return column_of(self.source, name)


def without_row_numbers(names: Sequence[str]) -> list[str]:
    """The names of columns but for those that pandas makes of a table's row numbers."""
    return [name for name in names if not re.fullmatch(r"__index_level_\d+__", name)]


def _as_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """The column as strings, 1.0 as '1.0' (Arrow's cast makes it '1')."""
    import pyarrow as pa
    import pyarrow.types as of

    if of.is_floating(column.type):
        return pa.chunked_array([[repr(value) for value in column.to_pylist()]], type=pa.string())
    return column.cast(pa.string())


def _doubles(column: pa.ChunkedArray) -> npt.NDArray[np.float64]:
    import numpy as np
    import pyarrow as pa

    if column.type != pa.float64():
        column = column.cast(pa.float64(), safe=False)
    chunks: list[Any] = [np.from_dlpack(chunk) for chunk in column.chunks if len(chunk)]
    doubles: npt.NDArray[np.float64] = chunks[0] if len(chunks) == 1 else np.concatenate(chunks)
    doubles.setflags(write=False)
    return doubles


def read_parquet(source: Source, label: str | None) -> Content:
    """A Parquet file."""
    from pyarrow import parquet

    # read_table would go through pyarrow.dataset, which imports pandas.
    return _arrow(source, label, lambda data: parquet.ParquetFile(data).read(), "Parquet")


def read_feather(source: Source, label: str | None) -> Content:
    """A Feather or Arrow IPC file."""
    from pyarrow import feather

    return _arrow(source, label, feather.read_table, "Feather")


def _arrow(source: Source, label: str | None, read: Callable[[BytesIO], pa.Table], kind: str) -> Content:
    import pyarrow as pa

    try:
        return Columns(read(BytesIO(source.data)), source, label)
    except (pa.ArrowException, OSError) as error:
        message = f"{source.name}: not a readable {kind} file ({first_line(error)})"
        raise InputError(message) from None


def read_by_pandas(source: Source, label: str | None, reader: str, **options: Any) -> Content:  # noqa: ANN401
    """A file that pandas reads, labels as text. What pandas needs besides itself is named when it is missing."""
    import pandas as pd
    import pyarrow as pa

    try:
        # These readers want a path or a seekable file; some of the libraries behind them only a path.
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
    return Columns(pa.Table.from_pandas(frame, preserve_index=False), source, label)


def first_line(error: Exception) -> str:
    """What an error says, as part of a sentence."""
    return (str(error).strip() or type(error).__name__).splitlines()[0][:120]
