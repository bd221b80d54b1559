"""Arrow arrays made, and taken apart, without what is slow about it.

`pyarrow.array`, `pyarrow.scalar` and `Array.to_numpy` import pandas where it is installed, 0.3 s; `pyarrow.compute`
defines a function for each kernel, 25 ms. Buffers and `call` do neither.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from pyarrow import _compute as kernels

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import numpy.typing as npt

    Cells = Any  # pyarrow.Array, which has no types

# jemalloc gives back what Arrow's own choice keeps: of a million pairs CSV takes 125 MiB instead of 160, Parquet 165
# instead of 207, in no more time. Not every build of Arrow has it, and who names another in the environment gets that.
if "ARROW_DEFAULT_MEMORY_POOL" not in os.environ:
    with suppress(NotImplementedError):
        pa.set_memory_pool(pa.jemalloc_memory_pool())


def call(kernel: str, arguments: list[Cells], options: Any = None) -> Cells:  # noqa: ANN401
    """What a kernel of Arrow's makes of its arguments."""
    return kernels.call_function(kernel, arguments, options)


def cast(cells: Cells, kind: pa.DataType) -> Cells:
    """The cells in another type. Arrow's own function for that would import all of its kernels' wrappers."""
    return call("cast", [cells], kernels.CastOptions(target_type=kind))


def strings(texts: Iterable[str]) -> Cells:
    """An array of strings. Half a surrogate, which UTF-8 has no bytes for, is escaped as JSON does."""
    return binaries(text.encode("utf-8", "backslashreplace") for text in texts).view(pa.string())


def binaries(texts: Iterable[bytes]) -> Cells:
    """An array of binary strings."""
    texts = list(texts)
    offsets = np.zeros(len(texts) + 1, dtype=np.int32)
    np.cumsum([*map(len, texts)], out=offsets[1:])
    return pa.Array.from_buffers(pa.binary(), len(texts), [None, pa.py_buffer(offsets), pa.py_buffer(b"".join(texts))])


def filled(cells: Cells, text: str) -> Cells:
    """Strings with a text in place of nulls; Arrow's own function for that would import pandas."""
    return call("coalesce", [cells, strings([text])[0]]) if cells.null_count else cells


def joined(parts: list[Cells | bytes]) -> Cells:
    """Row by row, one part after the other. parts: arrays of n binary strings, or what is the same in every row."""
    columns = [binaries([part])[0] if isinstance(part, bytes) else part for part in [*parts, b""]]
    return call("binary_join_element_wise", columns)


def numbers(values: npt.NDArray[np.float64] | npt.NDArray[np.int64]) -> Cells:
    """An array over the memory of a contiguous one of NumPy's."""
    kind = pa.float64() if values.dtype == np.float64 else pa.int64()
    return pa.Array.from_buffers(kind, len(values), [None, pa.py_buffer(np.ascontiguousarray(values))])


def lists(rows: Sequence[npt.NDArray[np.float64]]) -> Cells:
    """An array of lists of doubles."""
    offsets = np.zeros(len(rows) + 1, dtype=np.int32)
    np.cumsum([*map(len, rows)], out=offsets[1:])
    ends = pa.Array.from_buffers(pa.int32(), len(offsets), [None, pa.py_buffer(offsets)])
    return pa.ListArray.from_arrays(ends, numbers(np.concatenate(rows)))


def structures(labels: Sequence[str], rows: Sequence[npt.NDArray[np.float64]]) -> Cells:
    """An array of structures of doubles. rows: the members of each, in the order of the labels."""
    return pa.StructArray.from_arrays([numbers(column) for column in np.array(rows).T], list(labels))


def truths(cells: Cells) -> npt.NDArray[np.bool_]:
    """The cells of a column of truth values without nulls, which Arrow holds as bits."""
    n = len(cells)
    bits = np.frombuffer(cells.buffers()[1], dtype=np.uint8) if n else np.empty(0, dtype=np.uint8)
    return np.unpackbits(bits, bitorder="little")[cells.offset : cells.offset + n].astype(bool)


def nulls(cells: Cells) -> npt.NDArray[np.bool_]:
    """Which cells are null."""
    return truths(call("is_null", [cells], kernels.NullOptions(nan_is_null=False)))


def whole(column: pa.Array | pa.ChunkedArray) -> Cells:
    """A column as one array."""
    if isinstance(column, pa.Array):
        return column
    chunks = column.chunks
    return chunks[0] if len(chunks) == 1 else pa.concat_arrays(chunks) if chunks else pa.nulls(0, column.type)


def taken(cells: Cells, places: npt.NDArray[np.intp]) -> Cells:
    """The cells at those places."""
    return call("take", [cells, numbers(places.astype(np.int64))])


def bytes_and_offsets(cells: Cells) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int32]]:
    """The UTF-8 of an array of strings, and where in it each starts; the last offset is the end."""
    _, offsets, data = cells.buffers()
    text = np.empty(0, dtype=np.uint8) if data is None else np.frombuffer(data, dtype=np.uint8)
    return text, np.frombuffer(offsets, dtype=np.int32)[cells.offset : cells.offset + len(cells) + 1]


def utf8_data(cells: Cells) -> memoryview:
    """The bytes of an array of strings, one after the other, without a copy."""
    text, offsets = bytes_and_offsets(cells)
    return memoryview(text.data)[int(offsets[0]) : int(offsets[-1])] if len(cells) else memoryview(b"")


def as_text(cells: Cells) -> Cells:
    """The cells as strings: 1.0 as '1.0' (Arrow's cast makes it '1'), nothing as ''."""
    cells = whole(cells)
    if cells.type == pa.string():
        return filled(cells, "")
    text = _PYTHON_TEXT.get(str(cells.type).partition("[")[0].partition("<")[0])
    if text is not None:
        return strings("" if value is None else text(value) for value in cells.to_pylist())
    return filled(cast(cells, pa.string()), "")


def of_nothing_but(cells: Cells, characters: str) -> list[int]:
    """The places of the strings that hold no other characters."""
    lengths = call("binary_length", [call("utf8_trim", [cells], kernels.TrimOptions(characters))])
    return [] if len(cells) == 0 else np.flatnonzero(np.from_dlpack(lengths) == 0).tolist()


def _nested_text(value: Any) -> str:  # noqa: ANN401
    return json.dumps(value, default=str, ensure_ascii=False)


def _bytes_text(value: bytes) -> str:
    return value.decode("utf-8", "backslashreplace")


_PYTHON_TEXT: dict[str, Callable[[Any], str]] = (
    dict.fromkeys(("halffloat", "float", "double"), repr)
    | dict.fromkeys(("list", "large_list", "fixed_size_list", "struct", "map"), _nested_text)
    | dict.fromkeys(("binary", "large_binary", "fixed_size_binary", "binary_view"), _bytes_text)
)
"""What types of Arrow's are as text, where its own cast has other digits, or fails."""


def parquet_writer(out: Any, schema: pa.Schema) -> Any:  # noqa: ANN401 - pyarrow has no types
    """What writes tables of that schema as Parquet, compressed by snappy.

    Numbers of two rows are seldom equal, so that a dictionary of them would only cost time.
    """
    from pyarrow.parquet import ParquetWriter

    words = [field.name for field in schema if pa.types.is_string(field.type)]
    return ParquetWriter(out, schema, compression="snappy", use_dictionary=words)


def codes(cells: Cells) -> tuple[npt.NDArray[np.int64], int]:
    """For each string the number of the first that is equal to it, and how many different ones there are."""
    coded = call("dictionary_encode", [cells])
    indices: Any = np.from_dlpack(coded.indices) if len(cells) else np.empty(0)
    return indices.astype(np.int64), len(coded.dictionary)


def chained(pieces: Sequence[Cells]) -> Cells:
    """Columns of strings or typed values, one after the other; lists among them are of strings."""
    return pa.concat_arrays([strings(cells) if isinstance(cells, list) else whole(cells) for cells in pieces])


def stacked(cells: Cells) -> npt.NDArray[Any] | None:
    """Numbers, or lists of them, or lists of such lists, all of one shape, as (n, ...); None where they are no such."""
    cells = whole(cells)
    shape = [len(cells)]
    while isinstance(cells, pa.ListArray | pa.LargeListArray | pa.FixedSizeListArray):
        if cells.null_count:
            return None
        lengths = np.from_dlpack(call("list_value_length", [cells])) if len(cells) else np.zeros(1, dtype=np.intp)
        if (lengths != lengths[0]).any():
            return None
        shape.append(int(lengths[0]))
        cells = cells.flatten()
    if cells.null_count or not (pa.types.is_floating(cells.type) or pa.types.is_integer(cells.type)):
        return None
    numbers: npt.NDArray[Any] = np.from_dlpack(cells) if len(cells) else np.empty(0)
    return numbers.reshape(shape)


def weights(cells: Cells) -> npt.NDArray[np.float64] | None:
    """Lists of numbers, all of one length, or structures of them, as (K, n); None where that is not what they are."""
    cells = whole(cells)
    if pa.types.is_struct(cells.type):
        fields = [] if cells.null_count else [stacked(cells.field(i)) for i in range(cells.type.num_fields)]
        columns = [column for column in fields if column is not None and column.ndim == 1]
        found = np.stack(columns) if columns and len(columns) == len(fields) else None
    else:
        lists = stacked(cells)
        found = None if lists is None or lists.ndim != 2 else lists.T  # noqa: PLR2004 - rows, outcomes
    return None if found is None or not found.size else found.astype(np.float64, copy=False)


def bracketed(text: bytes, n: int) -> Cells:
    """What stands inside each of the n inner brackets of '[[1.0,2.0],[3.0,4.0]]', as binary strings."""
    if n == 0:
        return binaries([])
    data = np.frombuffer(text, dtype=np.uint8)
    ends = np.flatnonzero(data == ord("]"))[:n]  # without that of the outer list
    # Each of Arrow's strings ends where the next one starts: "[1.0,2.0]," with the outer bracket in front of the first.
    offsets = np.empty(n + 1, dtype=np.int32)
    offsets[0], offsets[1:] = 1, ends + 2
    cells = pa.Array.from_buffers(pa.binary(), n, [None, pa.py_buffer(offsets), pa.py_buffer(text)])
    return call("binary_slice", [cells], kernels.SliceOptions(1, -2))


def binary(cells: Cells) -> Cells:
    """Strings as bytes."""
    return cells.view(pa.binary())


def plain_text(cells: Cells) -> Cells | None:
    """Strings as they are, integers as their digits, without nulls; None where a column holds anything else."""
    if cells.null_count or not (pa.types.is_string(cells.type) or pa.types.is_integer(cells.type)):
        return None
    return cells if pa.types.is_string(cells.type) else cast(cells, pa.string())


def numbers_or_null(values: npt.NDArray[np.float64], null: npt.NDArray[np.bool_]) -> Cells:
    """An array of doubles, null where the mask says so."""
    measured = numbers(values)
    if not null.any():
        return measured
    mask = pa.py_buffer(np.packbits(~null, bitorder="little"))
    return pa.Array.from_buffers(pa.float64(), len(values), [mask, measured.buffers()[1]])


def optional_strings(texts: Sequence[str | None]) -> Cells:
    """An array of strings, null where there is none."""
    if all(text is None for text in texts):
        return pa.nulls(len(texts), pa.string())
    return pa.array(texts, type=pa.string())


def without_quotes(cells: Cells) -> Cells | None:
    """JSON values as text: numbers as they are, strings without quotes; None where some are of another kind."""
    data = bytes(utf8_data(cells))
    quotes = data.count(b'"')
    if cells.null_count or b"\\" in data or quotes not in {0, 2 * len(cells)} or (not quotes and b"n" in data):
        return None
    if not quotes:
        return cells
    starts = truths(call("starts_with", [cells], kernels.MatchSubstringOptions('"')))
    return (
        call("binary_slice", [binary(cells)], kernels.SliceOptions(1, -1)).view(pa.string()) if starts.all() else None
    )
