"""The types of a batch that pass from stage to stage: a table in blocks of rows, each row a pair. As in `model`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from klcli.tuples import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np
    import numpy.typing as npt

    from klcli.errors import KlcliError
    from klcli.model import Array


def json_text(value: Any) -> str:  # noqa: ANN401 - any value that JSON has, or nearly
    """Strict JSON: a number that it does not have is a string that says it, what else it does not have its text."""
    from json import dumps

    try:
        return dumps(value, ensure_ascii=False, allow_nan=False, default=str)
    except ValueError:
        return dumps(_with_words(value), ensure_ascii=False, default=str)


def _with_words(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, dict):
        return {key: _with_words(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [_with_words(member) for member in value]
    if isinstance(value, float) and value - value != 0:
        return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[str(value)]
    return value


class KeptColumn(NamedTuple):
    """A column of a table that is passed through.

    cells: an Arrow array, or a list of strings. form: 'text', strings as they stood in a text file; 'json', each a JSON
    value as it was written, 'null' where there was none; 'value', typed.
    """

    name: str
    cells: Any
    form: str


class Failure(NamedTuple):
    """A row that is no pair. row: in its block. line: counted from the block's first. text: what and how to mend it."""

    row: int
    line: int
    text: str
    error: type[KlcliError]


@dataclass(frozen=True, eq=False)
class Pairs:
    """n pairs of distributions, each on K outcomes, as given.

    rows: (n,) of the block. p, q: (K, n), or None where a reference takes that side. labels: of the outcomes of each
    side, None where there are none; by_columns: they are but the names of columns. where(side, column, outcome): the
    line of a value, counted from the block's first, and what its column is called.
    """

    rows: npt.NDArray[np.intp]
    p: Array | None
    q: Array | None
    labels: tuple[tuple[str, ...] | None, tuple[str, ...] | None]
    where: Callable[[int, int, int], tuple[int, str]]
    by_columns: bool = False


@dataclass(frozen=True, eq=False)
class Block:
    """Some rows of a table, each a pair, one after the other.

    lines: how many lines of the file they take, or rows where it has no lines. failures: the rows that could not be
    read. remarks: what should be known of how it was read, and of how many rows it is true. names: of the outcomes
    among which those to drop were looked for, None where none were.
    """

    size: int
    lines: int
    kept: tuple[KeptColumn, ...]
    pairs: tuple[Pairs, ...]
    failures: tuple[Failure, ...] = ()
    remarks: Mapping[str, int] = field(default_factory=dict)
    names: frozenset[str] | None = None


@dataclass(frozen=True, eq=False)
class Scored:
    """A block's measures. values: name -> (size,), NaN where a row failed. failures: in the order of the rows.

    remarks: sentences about some of the rows, with '{}' where their number belongs.
    """

    size: int
    kept: tuple[KeptColumn, ...]
    values: Mapping[str, Array]
    failures: tuple[Failure, ...]
    remarks: Mapping[str, int]
