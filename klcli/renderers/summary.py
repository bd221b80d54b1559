"""The statistics of a batch: a row a measure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from klcli.renderers.answer import Answer, AnswerTable
from klcli.renderers.text import Column, visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rich.table import Table as Grid
    from rich.text import Text

    from klcli.renderers.answer import Column as Cells
    from klcli.renderers.terminal import Kit

_COUNTS = frozenset({"count", "infinite"})


class SummaryAnswer(Answer):
    """The statistics of each measure, by name."""

    title = "Statistics of a table of pairs"

    def __init__(self, found: Mapping[str, Mapping[str, float]]) -> None:
        self._found = {
            field: {name: int(value) if name in _COUNTS else value for name, value in of.items()}
            for field, of in found.items()
        }

    def tables(self) -> list[AnswerTable]:
        """A row a measure."""
        names = list(next(iter(self._found.values())))
        columns = [[of[name] for of in self._found.values()] for name in names]
        return [AnswerTable(["measure", *names], [list(self._found), *columns])]

    def document(self) -> dict[str, Any]:
        """The statistics under the measure's name."""
        return {"summary": self._found}

    def values(self, field: str) -> Cells:
        """A statistic of a measure, as STATISTIC:FIELD names it."""
        statistic, _, measure = field.partition(":")
        return [float(self._found[measure][statistic])]

    def drawn(self, kit: Kit) -> Iterator[Text | Grid]:
        """The rows; where there is no room for them, one below the other with their columns as rows."""
        header = ["measure", *next(iter(self._found.values()))]
        columns = zip(*((field, *of.values()) for field, of in self._found.items()), strict=True)
        shown = [[kit.number(v) if isinstance(v, float) else visible(str(v)) for v in column] for column in columns]
        side_by_side = [
            Column(name, cells, left=not i) for i, (name, cells) in enumerate(zip(header, shown, strict=True))
        ]
        if kit.room(side_by_side) > 0:
            yield kit.table(side_by_side)
            return
        names = [name for row in shown[0] for name in (row, *(f"  {name}" for name in header[1:]))]
        values = [cell for row in zip(*shown[1:], strict=True) for cell in ("", *row)]
        yield kit.table([Column(header[0], names, left=True), Column("", values)])
