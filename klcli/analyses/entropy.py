"""How uncertain one distribution is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from klcli.analyses.breakdown import Shown, breakdown
from klcli.analyses.compare import engine_pair
from klcli.analyses.prepare import prepare_one
from klcli.engine.formulas import measure
from klcli.engine.measures import SINGLE, SINGLE_ELEMENTS
from klcli.model import Elements, Report

if TYPE_CHECKING:
    from collections.abc import Sequence

    from klcli.model import Distribution, Settings

CONTRIBUTION = "entropy"

_AS_PAIR = {"entropy": "entropy_p", "perplexity": "perplexity_p", "self_information": "self_information_p"}
"""One distribution is measured as a pair of it with itself; these are its fields' names there."""


def entropy(
    given: Distribution, settings: Settings, names: Sequence[str], others: Sequence[str], shown: Shown | None, role: str
) -> Report:
    """Entropy and perplexity and, unless `shown` is None, the self-information of each outcome.

    others: measures to compute besides, for a gate. Raises DistributionError.
    """
    pair = prepare_one(given, settings, role)
    terms = engine_pair(pair, settings)
    found = measure(terms, {_in_pair(name) for name in (*names, *others)}, settings.alpha)
    values = {
        name: float(found[_in_pair(name)][0]) / (settings.per_nat() if SINGLE[name].in_unit else 1)
        for name in (*names, *others)
    }
    rows = None
    if shown is not None:
        catalogue = {_in_pair(name): element for name, element in SINGLE_ELEMENTS.items()}
        sort = None if shown.sort is None else _in_pair(shown.sort)
        found_rows = breakdown(pair, terms, catalogue, Shown(_in_pair(CONTRIBUTION), shown.top, sort), settings)
        columns = {name: found_rows.columns[_in_pair(name)] for name in SINGLE_ELEMENTS}
        rows = Elements(found_rows.outcomes, columns, CONTRIBUTION, found_rows.folded)
    besides = {name: values[name] for name in others if name not in names}
    return Report(given.name, pair.inputs[:1], {name: values[name] for name in names}, besides, rows, pair.notes)


def _in_pair(name: str) -> str:
    return _AS_PAIR.get(name, name)
