"""The outcomes of a pair, one by one: which are shown, in which order, and what the rest adds up to."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from klcli.engine.formulas import element_sums, elements, largest
from klcli.model import Elements

if TYPE_CHECKING:
    from collections.abc import Mapping

    from klcli.engine.measures import Element
    from klcli.engine.pair import Pair as EnginePair
    from klcli.model import Pair, Settings

BY_OUTCOME = "outcome"


class Shown(NamedTuple):
    """Which outcomes a breakdown shows, and how.

    contribution: the element whose size tells which outcomes matter. top: how many are shown, None for all. sort: the
    element that orders them, largest first; 'outcome': by label; None: as given, or with `top` by their contribution.
    """

    contribution: str
    top: int | None = None
    sort: str | None = None


def breakdown(
    pair: Pair, terms: EnginePair, catalogue: Mapping[str, Element], shown: Shown, settings: Settings
) -> Elements:
    """The outcomes shown and, where some are not, one row for the rest: additive columns summed, others NaN."""
    n = len(pair.p)
    chosen = _order(pair, terms, shown)
    rows = chosen if chosen is not None else slice(None)
    columns = elements(terms, catalogue, rows)
    if chosen is None and pair.outcomes is not None:
        outcomes = list(pair.outcomes)
    else:
        outcomes = [pair.outcome(i) for i in (range(n) if chosen is None else chosen)]
    folded = n - len(outcomes)
    if chosen is not None and folded:
        rest = element_sums(terms, [name for name, e in catalogue.items() if e.additive], chosen)
        columns = {name: np.append(column, rest.get(name, np.nan)) for name, column in columns.items()}
        outcomes.append(f"other ({folded})")
    for name, element in catalogue.items():
        if element.in_unit:
            columns[name] = columns[name] / settings.per_nat()
    return Elements(outcomes, columns, shown.contribution, folded)


def _order(pair: Pair, terms: EnginePair, shown: Shown) -> list[int] | None:
    """The indices of the outcomes shown, in order; None for all as given."""
    n = len(pair.p)
    top = n if shown.top is None or shown.top >= n - 1 else shown.top  # to fold a single outcome would only rename it
    if shown.sort == BY_OUTCOME:
        labels = None if pair.outcomes is None else list(pair.outcomes)
        return list(range(n) if labels is None else sorted(range(n), key=labels.__getitem__))[:top]
    if shown.sort is None and top == n:
        return None
    if top == 0:
        return []
    return largest(terms, shown.sort or shown.contribution, top, by_size=shown.sort is None)
