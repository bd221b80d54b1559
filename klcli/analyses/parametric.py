"""How two distributions that are given by formulas differ, and how uncertain one is."""

from __future__ import annotations

from math import isinf, isnan
from typing import TYPE_CHECKING

import numpy as np

from klcli.engine.measures import MEASURES, OF_WEIGHTS, ROOT_OF_UNIT, SINGLE
from klcli.errors import DistributionError, UsageError, clipped
from klcli.families.catalogue import CONTINUOUS, VECTORS
from klcli.families.infinite import BEYOND_DOUBLES, explain_infinite
from klcli.families.law import Law
from klcli.families.measure import measure
from klcli.families.pair import SAMPLING
from klcli.model import Input, Report, Settings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from klcli.families.formula import Formula
    from klcli.families.pair import Estimate
    from klcli.model import Asked

_CATALOGUE = MEASURES | SINGLE
_SETS_OF_KL = {"cross_entropy_pq", "kl_pq"}, {"cross_entropy_qp", "kl_qp"}
_OF_P, _OF_Q = {"jeffreys", "chi2_pq", "renyi_pq", "bhattacharyya"}, {"jeffreys"}
_POWERS = ("chi2_pq", "renyi_pq")
"""May be infinite though KL is not."""


def compare(p: Formula, q: Formula, settings: Settings, asked: Asked, roles: tuple[str, str]) -> Report:
    """The measures asked for of two formulas, each with the way it was had.

    Raises UsageError for settings that are of weights and for what has no closed form and is not to be sampled,
    DistributionError where the two are of different kinds or no estimate is worth its name.
    """
    _refuse_settings_of_weights(settings)
    laws = Law(p), Law(q)
    found = _measured(laws[0], laws[1], settings, asked)
    with np.errstate(all="ignore"):
        infinite = _infinite(laws, roles, found)
    notes = [*p.remarks, *q.remarks, *_differential(p, found), *infinite, *_drawn(asked, found)]
    return _report((p, q), settings, asked, found, notes)


def entropy(p: Formula, settings: Settings, asked: Asked) -> Report:
    """Entropy and perplexity of a formula. Raises as `compare` does."""
    _refuse_settings_of_weights(settings)
    found = _measured(Law(p), None, settings, asked)
    return _report((p,), settings, asked, found, [*p.remarks, *_differential(p, found), *_drawn(asked, found)])


def _refuse_settings_of_weights(settings: Settings) -> None:
    """Raises UsageError for what can be done to weights, and not to a density."""
    given = {
        "--smooth": settings.p.smoothing or settings.q.smoothing,
        "--as": {settings.p.read_as, settings.q.read_as} != {"weights"},
        "--strict": settings.strict,
        "--no-normalize": not settings.normalize,
        "--js-weight": settings.js_weight != Settings().js_weight,
        "--align": settings.align != "outer",
    }
    for option, is_given in given.items():
        if is_given:
            message = f"{option} is for weights; a formula becomes some on a grid, as normal(0,1)@-4:4:0.1"
            raise UsageError(message)


def _measured(p: Law, q: Law | None, settings: Settings, asked: Asked) -> dict[str, Estimate]:
    """Raises UsageError for a measure of weights alone."""
    of_weights = next((name for name in asked.fields() if name in OF_WEIGHTS), None)
    if of_weights is not None:
        message = f"{of_weights} is of weights; a formula becomes some on a grid, as normal(0,1)@-4:4:0.1"
        raise UsageError(message)
    try:
        with np.errstate(all="ignore"):
            found = measure(p, q, asked.fields(), alpha=settings.alpha, sampling=asked.sampling)
    except (ArithmeticError, ValueError) as error:  # of the logarithm of Gamma, or of what draws samples
        raise _beyond(p, q, str(error)) from error
    lost = [name for name, estimate in found.items() if isnan(estimate.value)]
    if lost:
        raise _beyond(p, q, f"{', '.join(lost)} came out as no number")
    return found


def _beyond(p: Law, q: Law | None, why: str) -> DistributionError:
    texts = " and ".join(clipped(law.formula.text) for law in (p, q) if law is not None)
    return DistributionError(f"{texts}: beyond what doubles can hold ({why}); take less extreme parameters")


def _infinite(laws: tuple[Law, Law], roles: tuple[str, str], found: Mapping[str, Estimate]) -> list[str]:
    """Why what is infinite is so: KL, one way or both, or only what has powers of p/q."""
    infinite = {name for name, estimate in found.items() if isinf(estimate.value)}
    notes, told = [], False
    for i, (of_kl, others) in enumerate(zip(_SETS_OF_KL, (_OF_P, _OF_Q), strict=True)):
        if not infinite & (of_kl | others):
            continue
        one, other = (i, 1 - i)
        why = explain_infinite(laws[one], laws[other], (roles[one], roles[other]))
        if infinite & of_kl or why != BEYOND_DOUBLES:
            notes.append(f"KL({roles[one]}||{roles[other]}) is infinite: {why}")
            told |= i == 0
    powers = [name for name in _POWERS if name in infinite]
    if powers and not told:
        are = "is infinite: the power" if len(powers) == 1 else "are infinite: the powers"
        notes.append(
            f"{' and '.join(powers)} {are} of p/q in the integral grow{'s' * (len(powers) == 1)} too fast, or beyond "
            f"any double; KL({roles[0]}||{roles[1]}) may be finite"
        )
    return notes


def _drawn(asked: Asked, found: Mapping[str, Estimate]) -> list[str]:
    """What was drawn, which the same seed draws again."""
    if asked.sampling is None:
        return []
    if any(estimate.method == SAMPLING for estimate in found.values()):
        return [f"estimated by {asked.sampling.n} samples of each distribution, seed {asked.sampling.seed}"]
    return ["--samples was not needed: all that is shown has a closed form"]


def _differential(formula: Formula, found: Mapping[str, Estimate]) -> list[str]:
    of_density = formula.kind in {CONTINUOUS, VECTORS}
    below = any(name.startswith(("entropy", "cross_entropy")) and found[name].value < 0 for name in found)
    return ["entropies of densities are differential: they depend on the unit and may be negative"] * (
        of_density and below
    )


def _report(
    formulas: Sequence[Formula], settings: Settings, asked: Asked, found: Mapping[str, Estimate], notes: Sequence[str]
) -> Report:
    per = {field: _per_unit(field, settings) for field in found}
    values = {field: estimate.value / per[field] + 0.0 for field, estimate in found.items()}  # -0.0 + 0.0 is 0.0
    measures, others = asked.split(values)
    return Report(
        name=formulas[-1].text,
        inputs=tuple(Input(formula.text, formula.text, None, 1.0, "formula", ()) for formula in formulas),
        measures=measures,
        others=others,
        elements=None,
        notes=tuple(dict.fromkeys(notes)),
        errors={field: error / per[field] for field in asked.names if (error := _error(found[field])) is not None},
        methods={field: found[field].method for field in asked.names},
    )


def _error(found: Estimate) -> float | None:
    """An infinite value has none."""
    return None if isinf(found.value) else found.error


def _per_unit(field: str, settings: Settings) -> float:
    return settings.per_nat(root=field in ROOT_OF_UNIT) if _CATALOGUE[field].in_unit else 1.0
