"""`--get FIELD`: bare values, a line each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from klcli.model import ELEMENTS
from klcli.renderers.shape import measures_table
from klcli.renderers.text import exact, on_one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from klcli.model import Answer


def bare(answer: Answer, fields: Sequence[str]) -> str:
    """The fields' values, field after field: a measure's for every report, an element's for every outcome."""
    return "".join(f"{value}\n" for field in fields for value in _values(answer, field))


def _values(answer: Answer, field: str) -> Iterator[str]:
    if field.startswith(ELEMENTS):
        name = field.removeprefix(ELEMENTS)
        for report in answer.reports:
            if report.elements is not None:
                yield from (
                    map(on_one_line, report.elements.outcomes)
                    if name == "outcome"
                    else map(exact, report.elements.columns[name].tolist())
                )
        return
    if answer.kind == "compare":
        yield exact(answer.reports[0].measures[field])
        return
    table = measures_table(answer)
    for value in table.columns[table.header.index(field)]:
        yield exact(value) if isinstance(value, float) else on_one_line(str(value))
