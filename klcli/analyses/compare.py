"""How two distributions differ, and where."""

from __future__ import annotations

from math import isinf, isnan, nan
from typing import TYPE_CHECKING

from klcli.analyses.breakdown import Shown, breakdown
from klcli.analyses.prepare import named, places_of, prepare_pair, where_outcomes_lie
from klcli.engine.formulas import kl_share, measure
from klcli.engine.measures import ELEMENTS, MEASURES, ROOT_OF_UNIT
from klcli.engine.pair import single_pair
from klcli.engine.weights import share_of
from klcli.model import Report

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from klcli.engine.measures import MeasureOptions
    from klcli.engine.pair import EnginePair
    from klcli.model import Array, Asked, Distribution, Pair, Settings

FINITE = ("js_divergence", "total_variation")
"""What an infinite divergence is explained with: these never are infinite."""


def compare(
    p: Distribution, q: Distribution, settings: Settings, asked: Asked, roles: tuple[str, str] = ("P", "Q")
) -> Report:
    """What is asked of P and Q, which are both weights or both formulas. Raises DistributionError.

    roles: what notes and errors call them. Of formulas it raises as `parametric.compare` does.
    """
    if p.formula is not None and q.formula is not None:
        from klcli.analyses import parametric

        return parametric.compare(p.formula, q.formula, settings, asked, roles)
    pair = prepare_pair(p, q, settings, roles)
    terms = engine_pair(pair, settings)
    places = places_of(pair.outcomes) if "wasserstein" in asked.fields() else None
    values = _values(terms, asked.fields(), settings, places)
    notes = [*pair.notes, *_smoothing(pair, terms), *_infinities(pair, terms, values, settings)]
    sums = {name: values[name] * unit_of(name, settings) for name in ELEMENTS if name in values}
    if {"kl_pq", "kl_qp"} <= sums.keys():
        sums["jeffreys"] = sums["kl_pq"] + sums["kl_qp"]
    if settings.normalize:
        sums |= {"p": 1.0, "q": 1.0}
    rows = None
    if "wasserstein" in values:
        notes.append(where_outcomes_lie(places))
    if asked.breakdown:
        reverse = asked.sort == "kl_qp" or ("kl_qp" in asked.names and "kl_pq" not in asked.names)
        shown = Shown("kl_qp" if reverse else "kl_pq", asked.top, asked.sort)
        rows = breakdown(pair, terms, ELEMENTS, shown, settings, sums)
    return Report(pair.inputs[1].name, pair.inputs, *asked.split(values), rows, tuple(notes))


def _values(
    terms: EnginePair, names: Collection[str], settings: Settings, places: Array | None = None
) -> dict[str, float]:
    """The measures in the unit of the settings."""
    found = measure(terms, names, settings.alpha, js_weight=settings.js_weight, places=places)
    return {name: float(value[0]) / unit_of(name, settings) for name, value in found.items()}


def measures_of(pair: Pair, names: Collection[str], settings: Settings) -> dict[str, float]:
    """The named measures of a prepared pair, in the unit of the settings."""
    places = places_of(pair.outcomes) if "wasserstein" in names else None
    return _values(engine_pair(pair, settings), names, settings, places)


def engine_pair(pair: Pair, settings: Settings) -> EnginePair:
    """A prepared pair as the engine takes it."""
    p, q = (side.reshape(-1, 1) for side in (pair.p, pair.q))
    return single_pair(p, q, normalize=settings.normalize, logs=pair.logs)


def measure_options(settings: Settings, places: Array | None = None) -> MeasureOptions:
    """What measures depend on besides the distributions, as the engine takes it."""
    return {
        "alpha": settings.alpha,
        "normalize": settings.normalize,
        "js_weight": settings.js_weight,
        "places": places,
    }


def unit_of(name: str, settings: Settings) -> float:
    """What a measure's value in nats is divided by."""
    return settings.per_nat(root=name in ROOT_OF_UNIT) if MEASURES[name].in_unit else 1.0


def _smoothing(pair: Pair, terms: EnginePair) -> list[str]:
    """What smoothing did, and how much of the KL divergence stands on outcomes that had no mass before."""
    notes = []
    for smoothed in pair.smoothed:
        note = f"{smoothed.role}: {smoothed.text}"
        count = int(smoothed.lifted.sum())
        if count:
            note += f"; {count} had no mass before"
            share = kl_share(terms, smoothed.lifted) if smoothed.role == pair.roles[1] else nan
            if not isnan(share):
                note += f" ({share:.1%} of KL({'||'.join(pair.roles)}) comes from there)"
        notes.append(note)
    return notes


def _infinities(pair: Pair, terms: EnginePair, values: Mapping[str, float], settings: Settings) -> list[str]:
    """Why a divergence is infinite: which outcomes, how much mass, and what stays finite."""
    infinite = {name for name, value in values.items() if isinf(value)}
    if not infinite:
        return []
    known = values if values.keys() >= set(FINITE) else _values(terms, FINITE, settings)
    js, tv = (known[name] for name in FINITE)
    finite = f"finite: Jensen-Shannon {js:.6g} {settings.unit_name}, total variation {tv:.6g}"
    notes = []
    has_p, has_q = pair.has_mass()
    of_p = {"kl_pq", "cross_entropy_pq", "jeffreys", "chi2_pq", "renyi_pq", "bhattacharyya"}
    for side, weights, lacking, concerned in (
        ("p", pair.p, has_p & ~has_q, of_p),
        ("q", pair.q, has_q & ~has_p, {"kl_qp", "cross_entropy_qp", "jeffreys"}),
    ):
        alone = lacking.nonzero()[0].tolist()
        if alone and infinite & concerned:
            one, other = pair.roles if side == "p" else pair.roles[::-1]
            share = share_of(weights, alone)
            some = f"{share:.4g}" if share else "less than 5e-324"
            outcomes = named([pair.outcome(i) for i in alone[:3]], len(alone))
            option = "--q-smooth" if side == "p" else "--p-smooth"
            notes.append(
                f"KL({one}||{other}) is infinite: {one} holds {some} of its mass where {other} has none "
                f"({outcomes}); {finite}; {option} METHOD gives {other} mass there"
            )
    return notes
