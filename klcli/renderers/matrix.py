"""A measure of every pair of distributions: a labelled square, or a list of pairs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from klcli.engine.measures import MEASURES
from klcli.model import Listed
from klcli.renderers.answer import Answer, AnswerTable, Names
from klcli.renderers.doubles import encoded
from klcli.renderers.formats import AT_ONCE, json_bytes, number, objects
from klcli.renderers.text import BETWEEN, Column, Words, visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.table import Table as Grid
    from rich.text import Text

    from klcli.model import Square
    from klcli.renderers.answer import Column as Cells
    from klcli.renderers.terminal import Kit
P, Q = "p", "q"

_STRICT = Words(b"null", b'"Infinity"', b'"-Infinity"')
_TITLES = {name: measure.title for name, measure in MEASURES.items()} | {
    "js_distance": "square root of the Jensen-Shannon divergence"
}


class MatrixAnswer(Answer):
    """The square, or the pairs that are to be listed."""

    title = "Which distributions are alike"

    def __init__(self, square: Square) -> None:
        self.square, self.notes = square, square.notes

    def tables(self) -> list[AnswerTable]:
        """A column of names, then one a distribution; or a row a pair."""
        square = self.square
        if square.pairs is not None:
            return [self._listed(square.pairs)]
        return [AnswerTable([square.corner, *square.names], [square.names, square.values])]

    def _listed(self, pairs: Listed) -> AnswerTable:
        square = self.square
        columns = [Names(square.names, pairs.rows), Names(square.names, pairs.columns)]
        return AnswerTable([P, Q, square.measure], [*columns, square.values[pairs.rows, pairs.columns]])

    def records(self) -> AnswerTable:
        """A row a pair: of the pairs to list, else of all."""
        square, n = self.square, len(self.square.names)
        if square.pairs is not None:
            return self._listed(square.pairs)
        rows, columns = np.triu_indices(n, 1) if square.symmetric else np.divmod(np.arange(n * n), n)
        different = rows != columns
        return self._listed(Listed(rows[different], columns[different]))

    def document(self) -> dict[str, Any]:
        """A row of the square, or a pair, a line."""
        square = self.square
        body = {"matrix": self._rows()} if square.pairs is None else {"pairs": objects(self.records(), self.nan)}
        head = {"measure": square.measure, "unit": square.unit or None, "labels": tuple(square.names)}
        settings = {name: number(one) if isinstance(one, float) else one for name, one in square.settings.items()}
        return head | body | {"settings": json_bytes(settings), "notes": tuple(square.notes)}

    def _rows(self) -> Iterator[bytes]:
        values = self.square.values
        step = max(1, AT_ONCE // len(values))
        for start in range(0, len(values), step):
            yield from (encoded(row, _STRICT) for row in values[start : start + step])

    def values(self, field: str) -> Cells:
        """The names of P or Q, or the values, of the pairs to list."""
        table = self.records()
        column = table.columns[table.header.index(field)]
        return column.tolist() if isinstance(column, np.ndarray) else column

    def drawn(self, kit: Kit) -> Iterator[Text | Grid]:
        """A heat map, or a list of pairs."""
        square = self.square
        unit = f", {square.unit}" if square.unit else ""
        sides = "" if square.symmetric or square.pairs is not None else "; P is the row, Q the column"
        yield kit.text(f" {square.measure}: {_TITLES[square.measure]}{unit}{sides}")
        if square.pairs is not None:
            yield from _pairs(square, square.pairs, kit)
        elif kit.pictures:
            from klcli.renderers.heatmap import heat_map

            yield from heat_map(square, kit)

    def pictured(self) -> Square | None:
        """The square, unless pairs are listed."""
        return self.square if self.square.pairs is None else None


def _pairs(square: Square, pairs: Listed, kit: Kit) -> Iterator[Text | Grid]:
    values = Column(square.measure, [kit.number(v) for v in square.values[pairs.rows, pairs.columns].tolist()])
    names = [[visible(square.names[i]) for i in side.tolist()] for side in (pairs.rows, pairs.columns)]
    longest = [kit.longest([title, *side]) for title, side in zip((P, Q), names, strict=True)]
    room = kit.room([values]) - 2 * BETWEEN
    if sum(longest) > room:
        longest[0] = min(longest[0], max(room // 2, room - longest[1]))
        longest[1] = max(1, min(longest[1], room - longest[0]))
    sides = zip((P, Q), names, longest, strict=True)
    columns = [Column(title, [kit.fitted(name, width) for name in side], left=True) for title, side, width in sides]
    yield kit.table([*columns, values], section=pairs.nearest)
    if pairs.more:
        yield kit.text(f" ({pairs.more} more, farther apart; --top 0 lists them all)")
