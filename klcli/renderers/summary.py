"""The statistics of a batch: a row a measure. `SUMMARIES` is the table: a row a format."""

from __future__ import annotations

from typing import TYPE_CHECKING

from klcli.renderers.formats import delimited, markdown_table, records
from klcli.renderers.shape import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from klcli.renderers.view import View

    Summary = Mapping[str, Mapping[str, float]]

_COUNTS = frozenset({"count", "infinite"})


def _rows(summary: Summary) -> Table:
    statistics = list(next(iter(summary.values())))
    columns = [[int(of[name]) if name in _COUNTS else of[name] for of in summary.values()] for name in statistics]
    return Table(["measure", *statistics], [list(summary), *columns])


def _json(summary: Summary, _: View) -> str:
    from json import dumps

    rows = {str(record.pop("measure")): record for record in records(_rows(summary))}
    return dumps({"summary": rows}, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _ndjson(summary: Summary, _: View) -> str:
    from json import dumps

    return "".join(f"{dumps(record, ensure_ascii=False, allow_nan=False)}\n" for record in records(_rows(summary)))


def _table(summary: Summary, view: View) -> str:
    from klcli.renderers.terminal import draw_table

    return draw_table(_rows(summary), view)


SUMMARIES: Mapping[str, Callable[[Summary, View], str]] = {
    "table": _table,
    "tsv": lambda summary, _: delimited(_rows(summary), "\t"),
    "csv": lambda summary, _: delimited(_rows(summary), ","),
    "json": _json,
    "ndjson": _ndjson,
    "markdown": lambda summary, view: markdown_table(_rows(summary), view),
}
