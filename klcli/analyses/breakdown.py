"""The outcomes of a pair, one by one: which are shown, in which order, and what the rest adds up to."""

from __future__ import annotations

from math import fsum, inf
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from klcli.engine.formulas import element_sums, elements, largest
from klcli.model import Elements
from klcli.tuples import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from klcli.engine.measures import Element
    from klcli.engine.pair import EnginePair
    from klcli.model import Array, Pair, Settings

BY_OUTCOME = "outcome"

_MANY = 1 << 16
"""From so many outcomes on it takes a while to add up those that are not shown."""

_LOST = 1 / 16


class Shown(NamedTuple):
    """Which outcomes a breakdown shows, and how.

    contribution: the element whose size tells which outcomes matter. top: how many are shown, None for all. sort: the
    element that orders them, largest first; 'outcome': by label; None: as given, or with `top` by their contribution.
    """

    contribution: str
    top: int | None = None
    sort: str | None = None


def breakdown(
    pair: Pair,
    terms: EnginePair,
    catalogue: Mapping[str, Element],
    shown: Shown,
    settings: Settings,
    sums: Mapping[str, float] = MappingProxyType({}),
) -> Elements:
    """The outcomes shown and, where some are not, one row for the rest: additive columns summed, others NaN.

    sums: what is known of an element's sum over all outcomes, in nats.
    """
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
        additive = [name for name, element in catalogue.items() if element.additive]
        known = {name: _rest(sums[name], columns[name]) for name in additive if name in sums and folded > _MANY}
        rest = {name: value for name, value in known.items() if value is not None}
        unknown = [name for name in additive if name not in rest]
        rest |= element_sums(terms, unknown, chosen) if unknown else {}
        columns = {name: np.append(column, rest.get(name, np.nan)) for name, column in columns.items()}
        outcomes.append(f"other ({folded})")
    for name, element in catalogue.items():
        if element.in_unit:
            columns[name] = columns[name] / settings.per_nat()
    return Elements(outcomes, columns, shown.contribution, folded)


def _rest(whole: float, shown: Array) -> float | None:
    """The sum of the outcomes not shown; None where it would be the small difference of large numbers."""
    if whole == inf:
        return None if np.isinf(shown).any() else inf
    left = whole - fsum(shown.tolist())
    return left if _LOST * (abs(whole) + float(np.abs(shown).sum())) <= abs(left) else None


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
