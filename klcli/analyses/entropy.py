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
    from klcli.model import Asked, Distribution, Settings

_AS_PAIR = {"entropy": "entropy_p", "perplexity": "perplexity_p", "self_information": "self_information_p"}
"""One distribution is measured as a pair of it with itself; these are its fields' names there."""


def entropy(given: Distribution, settings: Settings, asked: Asked) -> Report:
    """What is asked of entropy, perplexity and the self-information of each outcome. Raises DistributionError.

    Of a formula it raises as `parametric.entropy` does.
    """
    if given.formula is not None:
        from klcli.analyses import parametric

        return parametric.entropy(given.formula, settings, asked)
    pair = prepare_one(given, settings, given.place)
    terms = engine_pair(pair, settings)
    names = asked.fields()
    found = measure(terms, {_in_pair(name) for name in names}, settings.alpha)
    values = {
        name: float(found[_in_pair(name)][0]) / (settings.per_nat() if SINGLE[name].in_unit else 1) for name in names
    }
    rows = None
    if asked.breakdown:
        catalogue = {_in_pair(name): element for name, element in SINGLE_ELEMENTS.items()}
        sort = None if asked.sort is None else _in_pair(asked.sort)
        found_rows = breakdown(pair, terms, catalogue, Shown(_in_pair("entropy"), asked.top, sort), settings)
        columns = {name: found_rows.columns[_in_pair(name)] for name in SINGLE_ELEMENTS}
        rows = Elements(found_rows.outcomes, columns, "entropy", found_rows.folded)
    return Report(given.name, pair.inputs[:1], *asked.split(values), rows, pair.notes)


def _in_pair(name: str) -> str:
    return _AS_PAIR.get(name, name)
