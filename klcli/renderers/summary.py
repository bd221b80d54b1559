"""The statistics of a batch: a row a measure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from klcli.renderers.shape import Content, Table, dumped

if TYPE_CHECKING:
    from collections.abc import Mapping

    from klcli.renderers.view import View

_COUNTS = frozenset({"count", "infinite"})


class SummaryContent(Content):
    """The statistics of each measure, by name."""

    def __init__(self, found: Mapping[str, Mapping[str, float]]) -> None:
        self._found = found

    def rows(self) -> Table:
        """A row a measure."""
        found = self._found
        names = list(next(iter(found.values())))
        columns = [[int(of[name]) if name in _COUNTS else of[name] for of in found.values()] for name in names]
        return Table(["measure", *names], [list(found), *columns])

    def json(self) -> str:
        """One object, the statistics under the measure's name."""
        return dumped({"summary": {str(record.pop("measure")): record for record in self.records()}}, indent=2)

    def drawn(self, view: View) -> str:
        """The rows."""
        from klcli.renderers.terminal import draw_table

        return draw_table(self.rows(), view)
