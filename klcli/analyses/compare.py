"""How two distributions differ, and where."""

from __future__ import annotations

from math import inf, isinf
from typing import TYPE_CHECKING

from klcli.analyses.breakdown import breakdown
from klcli.analyses.prepare import named, prepare_pair
from klcli.engine.formulas import element_values, elements, measure
from klcli.engine.measures import ELEMENTS, MEASURES, ROOT_OF_UNIT
from klcli.engine.terms import single_pair
from klcli.model import Report

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from klcli.analyses.breakdown import Shown
    from klcli.engine.terms import Pair as EnginePair
    from klcli.model import Distribution, Pair, Settings

FINITE = ("js_divergence", "total_variation")
"""What an infinite divergence is explained with: these never are infinite."""


def compare(p: Distribution, q: Distribution, settings: Settings, names: Sequence[str], shown: Shown | None) -> Report:
    """The named measures of P and Q and, unless `shown` is None, the breakdown by outcome. Raises DistributionError."""
    pair = prepare_pair(p, q, settings)
    return measured(pair, settings, names, shown, q.name)


def measured(pair: Pair, settings: Settings, names: Sequence[str], shown: Shown | None, name: str) -> Report:
    """The report on a prepared pair."""
    terms = single_pair(pair.p.reshape(-1, 1), pair.q.reshape(-1, 1), normalize=settings.normalize)
    found = measure(terms, dict.fromkeys([*names, *FINITE]), settings.alpha)
    values = {name: in_unit(name, float(found[name][0]), settings) for name in found}
    notes = [*pair.notes, *_smoothing(pair, terms), *_infinities(pair, terms, values, names, settings)]
    rows = breakdown(pair, terms, ELEMENTS, "kl_pq", shown, settings) if shown is not None else None
    return Report(name, pair.inputs, {name: values[name] for name in names}, rows, tuple(notes))


def in_unit(name: str, value: float, settings: Settings) -> float:
    """A measure's value in the unit of the settings."""
    if not MEASURES[name].in_unit:
        return value
    return value / settings.per_nat(root=name in ROOT_OF_UNIT)


def _smoothing(pair: Pair, terms: EnginePair) -> list[str]:
    """What smoothing did, and how much of the KL divergence stands on outcomes that had no mass before."""
    notes = []
    for smoothed in pair.smoothed:
        note = f"{smoothed.role}: {smoothed.text}"
        count = int(smoothed.lifted.sum())
        if count:
            contribution = element_values(terms, "kl_pq")
            whole = float(contribution.sum())
            note += f"; {count} had no mass before"
            if 0 < whole < inf:
                note += f" ({float(contribution[smoothed.lifted].sum()) / whole:.1%} of KL(P||Q) comes from there)"
        notes.append(note)
    return notes


def _infinities(
    pair: Pair, terms: EnginePair, values: Mapping[str, float], names: Sequence[str], settings: Settings
) -> list[str]:
    """Why a divergence is infinite: which outcomes, how much mass, and what stays finite."""
    directions = (
        ("KL(P||Q)", "P", "Q", pair.p, pair.q, ("kl_pq", "cross_entropy_pq", "jeffreys")),
        ("KL(Q||P)", "Q", "P", pair.q, pair.p, ("kl_qp", "cross_entropy_qp", "jeffreys")),
    )
    js, tv = (values[name] for name in FINITE)
    notes = []
    for title, one, other, has, lacks, concerned in directions:
        if any(name in names and isinf(values[name]) for name in concerned):
            where = ((has > 0) & (lacks == 0)).nonzero()[0].tolist()
            if not where:
                continue  # infinite in the other direction
            share = float(elements(terms, [one.lower()], where)[one.lower()].sum())
            outcomes = named([pair.outcome(i) for i in where[:3]], len(where))
            notes.append(
                f"{title} is infinite: {one} holds {share:.4g} of its mass where {other} has none ({outcomes}); "
                f"finite: Jensen-Shannon {js:.6g} {settings.unit_name}, total variation {tv:.6g}; "
                f"--{other.lower()}-smooth METHOD gives {other} mass there"
            )
    return notes
