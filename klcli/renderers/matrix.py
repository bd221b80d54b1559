"""A measure of every pair: as a labelled square, or as a list of pairs. `FORMATS` is the table: a row a format.

Millions of numbers are written row by row, by orjson: the shortest digits that read back the same, 25 ns each.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from klcli.renderers.doubles import AT_ONCE, Words, encoded, in_chunks
from klcli.renderers.formats import markdown_table, plain, with_notes
from klcli.renderers.shape import Table, json_bytes, text_bytes
from klcli.renderers.text import exact, on_one_line, quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    import numpy.typing as npt

    from klcli.model import Array
    from klcli.renderers.doubles import Out
    from klcli.renderers.view import View

    Indices = npt.NDArray[np.intp]

    Renderer = Callable[["Square", View, Out], None]

P, Q = "p", "q"

_EXACT, _STRICT = Words(b"", b"inf", b"-inf"), Words(b"null", b'"Infinity"', b'"-Infinity"')


class Listed(NamedTuple):
    """The pairs to list, by row and column of the square.

    nearest: so many come first, the rest are the farthest. more: so many were left out.
    """

    rows: Indices
    columns: Indices
    nearest: int = 0
    more: int = 0


class Square(NamedTuple):
    """A measure of every pair of n distributions. values: (n, n), from the row's, P, to the column's, Q.

    heading: what the names are called ('': nothing). unit: of the values ('': none). symmetric: whether a pair is the
    same both ways. pairs: those to list; None: the square is shown. ends: where the nearest and the farthest pair
    stand. settings: what the values follow from besides the input.
    """

    names: Sequence[str]
    heading: str
    measure: str
    unit: str
    values: Array
    symmetric: bool
    pairs: Listed | None = None
    ends: tuple[tuple[int, int], ...] = ()
    settings: Mapping[str, Any] = {}
    notes: tuple[str, ...] = ()

    @property
    def corner(self) -> str:
        """The header of the column of names, which is none of them."""
        taken = set(self.names) | {""}
        return next((name for name in (self.heading, "name", "distribution") if name not in taken), "")

    def pair_values(self) -> Array:
        """The values of the pairs to list."""
        values: Array = self.values[self.pairs.rows, self.pairs.columns] if self.pairs is not None else self.values
        return values


# ------------------------------------------------------------------------------------------------------ many numbers


def _number_rows(values: Array, *, strict_json: bool = False) -> Iterator[bytes | memoryview]:
    """The numbers of each row, commas between them. values: (n, m)."""
    words = _STRICT if strict_json else _EXACT
    step = max(1, AT_ONCE // max(1, values.shape[1]))
    for start in range(0, len(values), step):
        for row in np.ascontiguousarray(values[start : start + step]):
            yield memoryview(encoded(row, words))[1:-1]


# ------------------------------------------------------------------------------------------------------------- formats


def _delimited(square: Square, _: View, out: Out, delimiter: str) -> None:
    """A column of names, then one a distribution; or a row a pair."""

    def field(text: str) -> bytes:
        return text_bytes(quoted(text, delimiter))

    comma = delimiter.encode()
    names = [field(name) for name in square.names]
    if square.pairs is not None:
        out.write(comma.join((P.encode(), Q.encode(), square.measure.encode())) + b"\n")
        starts = [name + comma for name in names]
        in_chunks(out, _pair_lines(square, starts, starts, b"\n", strict_json=False))
        return
    out.write(comma.join((field(square.corner), *names)) + b"\n")
    rows = _number_rows(square.values)
    if delimiter != ",":
        rows = (bytes(row).replace(b",", comma) for row in rows)
    in_chunks(out, ((name, comma, row, b"\n") for name, row in zip(names, rows, strict=True)))


def _pair_lines(
    square: Square, p: Sequence[bytes], q: Sequence[bytes], end: bytes, *, strict_json: bool
) -> Iterator[tuple[bytes, ...]]:
    """A line a pair. p, q: for each distribution what stands before Q, and before the value, where it is that side."""
    pairs, values = square.pairs, square.pair_values()
    if pairs is None:
        return
    for start in range(0, len(values), AT_ONCE):
        some = slice(start, start + AT_ONCE)
        (row,) = _number_rows(values[some].reshape(1, -1), strict_json=strict_json)
        numbers = bytes(row).split(b",")
        sides = pairs.rows[some].tolist(), pairs.columns[some].tolist()
        yield from ((p[i], q[j], value, end) for i, j, value in zip(*sides, numbers, strict=True))


def _records(square: Square, end: bytes) -> Iterator[tuple[bytes, ...]]:
    """A JSON object a pair."""
    names = [json_bytes(name) for name in square.names]
    p = [b'{"p": ' + name + b', "q": ' for name in names]
    q = [name + b", " + json_bytes(square.measure) + b": " for name in names]
    return _pair_lines(square, p, q, b"}" + end, strict_json=True)


def ndjson(square: Square, _: View, out: Out) -> None:
    """One strict JSON object a pair: of the pairs to list, else of all."""
    if square.pairs is None:
        n = len(square.names)
        rows, columns = np.triu_indices(n, 1) if square.symmetric else np.divmod(np.arange(n * n), n)
        different = rows != columns
        square = square._replace(pairs=Listed(rows[different], columns[different]))
    in_chunks(out, _records(square, b"\n"))


def json_object(square: Square, _: View, out: Out) -> None:
    """One strict JSON object, a row of the square or a pair a line."""
    head = {"measure": square.measure, "unit": square.unit or None, "labels": list(square.names)}
    tail = {"settings": dict(square.settings), "notes": list(square.notes)}
    body = "matrix" if square.pairs is None else "pairs"
    out.write(
        b"{\n" + b"".join(b"  " + json_bytes(key) + b": " + json_bytes(value) + b",\n" for key, value in head.items())
    )
    out.write(b"  " + json_bytes(body) + b": [\n")
    if square.pairs is None:
        rows = _number_rows(square.values, strict_json=True)
        in_chunks(out, _separated((b"    [", row, b"]") for row in rows))
    else:
        in_chunks(out, _separated((b"    ", *line) for line in _records(square, b"")))
    out.write(b"\n  ]")
    out.write(
        b"".join(b",\n  " + json_bytes(key) + b": " + json_bytes(value) for key, value in tail.items()) + b"\n}\n"
    )


def _separated(lines: Iterable[tuple[bytes | memoryview, ...]]) -> Iterator[tuple[bytes | memoryview, ...]]:
    """With a comma and a line end between one and the next."""
    between: bytes = b""
    for line in lines:
        yield (between, *line)
        between = b",\n"


def parquet(square: Square, _: View, out: Out) -> None:
    """Parquet: a column of names and one of doubles a distribution; or the names of P and Q, and the value."""
    import pyarrow as pa

    from klcli.arrow import numbers, parquet_writer, strings, taken

    names = strings(square.names)
    if square.pairs is not None:
        header = [P, Q, square.measure]
        sides = [taken(names, side) for side in (square.pairs.rows, square.pairs.columns)]
        columns = [*sides, numbers(np.ascontiguousarray(square.pair_values()))]
    else:
        header = [square.corner, *square.names]
        columns = [names, *map(numbers, np.ascontiguousarray(square.values.T))]
    table = pa.Table.from_arrays(columns, names=header)
    with parquet_writer(out, table.schema) as writer:
        writer.write_table(table)


def markdown(square: Square, view: View, out: Out) -> None:
    """A table as GitHub has it, and the notes."""
    if square.pairs is None:
        header = [plain(name) for name in (square.corner, *square.names)]
        table = Table(header, [square.names, *square.values.T.tolist()])
    else:
        sides = [[square.names[i] for i in side.tolist()] for side in (square.pairs.rows, square.pairs.columns)]
        table = Table([P, Q, square.measure], [*sides, square.pair_values().tolist()])
    out.write(text_bytes(with_notes([markdown_table(table, view)], square.notes, view)))


def table(square: Square, view: View, out: Out) -> None:
    """For people: a heat map, or a list of pairs."""
    from klcli.renderers.heatmap import draw

    out.write(text_bytes(draw(square, view)))


def bare(square: Square, fields: Sequence[str], out: Out) -> None:
    """The fields' values of the pairs to list, a line each, field after field."""
    if square.pairs is None:
        return
    columns = {P: square.pairs.rows, Q: square.pairs.columns}
    for field in fields:
        if field in columns:
            lines = [on_one_line(square.names[i]) for i in columns[field].tolist()]
        else:
            lines = [exact(value) for value in square.pair_values().tolist()]
        out.write(text_bytes("".join(f"{line}\n" for line in lines)))


FORMATS: Mapping[str, Renderer] = {
    "table": table,
    "tsv": partial(_delimited, delimiter="\t"),
    "csv": partial(_delimited, delimiter=","),
    "json": json_object,
    "ndjson": ndjson,
    "parquet": parquet,
    "markdown": markdown,
}
