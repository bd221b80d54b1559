"""Many doubles as text, by orjson: the shortest digits that read back the same, 26 ns each.

orjson writes null for all that is not finite; in the order of the numbers, each is replaced by the word for it.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import orjson

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Protocol

    import numpy.typing as npt

    class Out(Protocol):
        """Somewhere to write bytes."""

        def write(self, data: bytes, /) -> int:
            """Writes all of it."""
            ...


AT_ONCE = 1 << 16
"""Numbers written at once: about a megabyte of text."""


class Words(NamedTuple):
    """What stands for the numbers that have no digits."""

    nan: bytes
    inf: bytes
    minus_inf: bytes


def digits(values: npt.NDArray[Any]) -> bytes:
    """Numbers as a JSON list, nested as the array is; what is not finite is null."""
    return orjson.dumps(np.ascontiguousarray(values), option=orjson.OPT_SERIALIZE_NUMPY)


def encoded(values: npt.NDArray[Any], words: Words) -> bytes:
    """Numbers as a JSON list, nested as the array is. float32 is written as the doubles that it holds."""
    if values.dtype.kind != "f":
        return digits(values)
    values = np.ascontiguousarray(values, dtype=np.float64)
    text = digits(values)
    finite = np.isfinite(values)
    if finite.all():
        return text
    special = values[~finite]
    kinds = np.where(np.isnan(special), 0, np.where(special > 0, 1, 2))
    if (kinds == kinds[0]).all():
        return text.replace(b"null", words[kinds[0]])
    between = text.split(b"null")
    return b"".join(chain.from_iterable(zip(between, [*map(words.__getitem__, kinds.tolist()), b""], strict=True)))


def in_chunks(out: Out, lines: Iterable[tuple[bytes | memoryview, ...]]) -> None:
    """Writes lines, each given in parts, some at a time."""
    parts: list[bytes | memoryview] = []
    size = 0
    for line in lines:
        parts += line
        size += sum(map(len, line))
        if size > 1 << 20:
            out.write(b"".join(parts))
            parts, size = [], 0
    out.write(b"".join(parts))
