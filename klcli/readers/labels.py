"""Labels left in Arrow's memory: a million Python strings would take longer to make than everything else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, overload

from klcli.readers.numbers import is_number

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

_WORD = 8
_LONGEST_BY_WORDS = 256
_RUN = 1 << 14
"""Labels hashed at once: their words stay in the cache."""
_MIXER = 0x9E37_79B9_7F4A_7C15


class Labels(Sequence[str]):
    """The strings of an Arrow column without nulls."""

    def __init__(self, column: pa.Array | pa.ChunkedArray) -> None:
        import pyarrow as pa

        chunks = [column] if isinstance(column, pa.Array) else column.chunks
        self._column = chunks[0] if len(chunks) == 1 else pa.concat_arrays(chunks)

    def __len__(self) -> int:
        """The number of labels."""
        return len(self._column)

    def __iter__(self) -> Iterator[str]:
        """All the labels, made at once."""
        return iter(self[:])

    @overload
    def __getitem__(self, i: int) -> str: ...
    @overload
    def __getitem__(self, i: slice) -> list[str]: ...
    def __getitem__(self, i: int | slice) -> str | list[str]:
        """One label, or a list of them."""
        if isinstance(i, slice):
            labels: list[str] = self._column[i].to_pylist()
            return labels
        return str(self._column[i].as_py())

    def hold_a_number(self) -> bool:
        """Whether any of them could be read as a number. Those that begin as no number does are passed over at once."""
        import numpy as np

        _, offsets_buffer, data = self._column.buffers()
        if data is None or len(data) == 0:
            return False
        starts = np.frombuffer(offsets_buffer, dtype=np.int32)[self._column.offset :][: len(self)]
        text = np.frombuffer(data, dtype=np.uint8)
        begins = np.isin(np.arange(256), np.frombuffer(b" \t+-.0123456789iInN", dtype=np.uint8))
        candidates = np.flatnonzero(begins[text[np.minimum(starts, len(text) - 1)]])
        return any(is_number(self[int(i)]) for i in candidates)

    def are_unique(self) -> bool:
        """Whether no label stands twice: by hashes, and by the labels themselves where two hashes are equal."""
        if len(self) == 0 or self._hashes_differ():
            return True
        return len(self._column.unique()) == len(self)

    def _hashes_differ(self) -> bool:
        """Whether no two labels have the same hash."""
        hashes = self.hashes()
        hashes.sort()
        return bool((hashes[1:] != hashes[:-1]).all())

    def bytes_and_offsets(self) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int32]]:
        """The labels' UTF-8, one after the other, and where each starts; the last offset is the end."""
        from klcli.arrow import bytes_and_offsets

        return bytes_and_offsets(self._column)

    def hashes(self) -> npt.NDArray[np.uint64]:
        """A hash of each label, which depends on that label alone.

        Arrow hashes strings one by one (100 ns each); here eight bytes of every label of a run are one operation. The
        few that are long are hashed by themselves.
        """
        import numpy as np

        n = len(self)
        text, offsets = self.bytes_and_offsets()
        hashes = np.empty(n, dtype=np.uint64)
        for start in range(0, n, _RUN):
            ends = offsets[start : start + _RUN + 1]
            hashes[start : start + _RUN] = _hashes(text[ends[0] : ends[-1]], ends - ends[0])
        for i in np.flatnonzero(np.diff(offsets) > _LONGEST_BY_WORDS).tolist():
            hashes[i] = _hash(text[offsets[i] : offsets[i + 1]].tobytes())
        return hashes


def _hash(label: bytes) -> int:
    from hashlib import blake2b

    return int.from_bytes(blake2b(label, digest_size=_WORD).digest(), "little")


def _hashes(text: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int32]) -> npt.NDArray[np.uint64]:
    """A hash of each string text[offsets[i]:offsets[i + 1]]."""
    import numpy as np

    starts, lengths = offsets[:-1], np.diff(offsets)
    longest = min(int(lengths.max(initial=0)), _LONGEST_BY_WORDS)
    padded = np.concatenate([text, np.zeros(_LONGEST_BY_WORDS + _WORD, dtype=np.uint8)])
    words = np.ndarray(len(padded) - _WORD, dtype="<u8", buffer=padded, strides=(1,))
    kept = np.array([(1 << (8 * used)) - 1 for used in range(_WORD + 1)], dtype=np.uint64)
    hashes = lengths.astype(np.uint64)
    shortest = int(lengths.min(initial=0))
    for at in range(0, longest, _WORD):
        mixed = hashes ^ (words[starts + at] & kept[np.clip(lengths - at, 0, _WORD)])
        mixed *= np.uint64(_MIXER)
        mixed ^= mixed >> np.uint64(29)
        # A label that has ended is not mixed on: its hash must not depend on the others' lengths.
        hashes = mixed if at < shortest else np.where(lengths > at, mixed, hashes)
    return hashes
