"""How uncertain one distribution is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from klcli.analyses.breakdown import Shown, breakdown
from klcli.analyses.compare import engine_pair
from klcli.analyses.matrix import AlignedDistributions
from klcli.analyses.prepare import prepare_one
from klcli.engine.formulas import jensen_shannon_of_several, measure
from klcli.engine.measures import SINGLE, SINGLE_ELEMENTS, TOGETHER
from klcli.engine.pair import single_pair
from klcli.errors import UsageError
from klcli.model import Elements, Report

if TYPE_CHECKING:
    from collections.abc import Sequence

    from klcli.engine.pair import EnginePair
    from klcli.model import Asked, Distribution, Settings

_AS_PAIR = {"entropy": "entropy_p", "self_information": "self_information_p"}
"""One distribution is broken down as a pair of it with itself; these are its elements' names there."""


def entropies(given: Sequence[Distribution], settings: Settings, asked: Asked) -> list[Report]:
    """What is asked of each, and the Jensen-Shannon divergence of all of them, which stands in every report.

    Raises UsageError for that of a single one, or of formulas; otherwise as `entropy` does.
    """
    own = [[name for name in names if name != TOGETHER] for names in (asked.names, asked.others)]
    reports = [entropy(one, settings, asked._replace(names=own[0], others=own[1])) for one in given]
    if TOGETHER not in asked.fields():
        return reports
    value, notes = _jensen_shannon(given, settings)
    together = {TOGETHER: value / settings.per_nat()}
    shown, gated = (together, {}) if TOGETHER in asked.names else ({}, together)
    return [
        report._replace(
            measures={**report.measures, **shown}, others={**report.others, **gated}, notes=(*report.notes, *notes)
        )
        for report in reports
    ]


def _jensen_shannon(given: Sequence[Distribution], settings: Settings) -> tuple[float, Sequence[str]]:
    """What `jensen_shannon_of_several` has of them, equal weights whatever the totals, and what was done for it."""
    if len(given) == 1:
        message = f"{TOGETHER} here is of several distributions; give at least two"
        raise UsageError(message)
    if any(one.formula is not None for one in given):
        message = f"{TOGETHER} of several is of weights; klcli compare has that of two formulas"
        raise UsageError(message)
    together = AlignedDistributions(given, settings)
    weights, logs = together.weights, together.logs

    def beside_the_first(i: int) -> EnginePair:
        one = None if logs is None else logs.take(np.array([i]))
        first = None if logs is None else logs.take(np.array([0]))
        return single_pair(weights[:, [i]], weights[:, [0]], normalize=settings.normalize, logs=(one, first))

    return jensen_shannon_of_several([beside_the_first(i) for i in range(len(given))]), together.joined


def entropy(given: Distribution, settings: Settings, asked: Asked) -> Report:
    """What is asked of entropy, perplexity and the self-information of each outcome. Raises DistributionError.

    Of a formula it raises as `parametric.entropy` does.
    """
    if given.formula is not None:
        from klcli.analyses import parametric

        return parametric.entropy(given.formula, settings, asked)
    pair = prepare_one(given, settings, given.place)
    terms = engine_pair(pair, settings)
    found = measure(terms, asked.fields(), settings.alpha)
    values = {
        name: float(value[0]) / (settings.per_nat() if SINGLE[name].in_unit else 1) for name, value in found.items()
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
