"""How every measure and element is computed, in nats, from the terms of a pair.

A summand is a function of the outcomes that is added up; a formula names its summands and makes the value of the sums.
Arrays of outcomes are (K', n), sums and values (n,).
"""

from __future__ import annotations

from math import factorial, inf, log, log1p, nan, sqrt
from typing import TYPE_CHECKING

import numpy as np

from klcli.engine.arrays import polynomial, total, weighted
from klcli.engine.terms import Beside
from klcli.tuples import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from klcli.engine.arrays import Array, Mask
    from klcli.engine.pair import EnginePair
    from klcli.engine.terms import Terms

HALF = 0.5


class Context(NamedTuple):
    """What a formula may need besides its sums."""

    alpha: float
    """Order of the Renyi divergence, 0 to inf."""
    normalize: bool
    """Whether p and q each add up to 1."""
    peak: Array
    """`Terms.peak` of each pair at an order above 1, (n,)."""
    greatest: Mapping[str, Array]
    """`greatest_mean` of each pair, (n,), by the summand that is divided by it."""
    top: Array
    """The largest log p of each pair, (n,), where it is asked for."""
    outcomes: int
    """How many outcomes there are, zeros too."""
    js_weight: float
    """The weight of p in the mixture of the Jensen-Shannon divergence, between 0 and 1."""
    places: Array | None
    """Where the outcomes lie on a line, (K,); None: one after the other, 1 apart."""

    @property
    def scale(self) -> float:
        """A power of two by which d is multiplied before it is squared, so that distances down to 1e-300 are not 0."""
        return 2.0**400 if self.normalize else 1.0


class MeasureFormula(NamedTuple):
    """The names of the summands, and their sums to the value."""

    summands: tuple[str, ...]
    finish: Callable[[Mapping[str, Array], Context], Array]


# ----------------------------------------------------------------------------------------------------- Renyi divergence


def _side(terms: Terms, alpha: float) -> tuple[Terms, float]:
    """The terms to take the divergence of, and c, the order less 1.

    Below order 1/2 that is order 1 - alpha with p and q exchanged, where less cancels; its c is -alpha to the last bit.
    """
    return (terms.reversed(), -alpha) if 0 < alpha < HALF else (terms, alpha - 1)


_FACTORIALS = [1 / factorial(k) for k in range(2, 16)]


def _renyi_excess(terms: Terms, context: Context) -> Array:
    """(p^alpha q^(1-alpha) - q - alpha (p - q)) / (alpha - 1): >= 0 from order 1/2 on, and KL's term at order 1."""
    alpha = context.alpha
    if alpha == 0:
        return np.where(np.isneginf(terms.log_ratio), terms.q, 0.0)
    if alpha in {1, inf}:
        return terms.kl_terms() if context.normalize else weighted(terms.p, terms.log_ratio)
    terms, c = _side(terms, alpha)
    near = True if terms.near is None else terms.near
    y = np.where(near, c * terms.log_ratio, 0.0)
    curvature = np.where(np.abs(y) < HALF, polynomial(_FACTORIALS, y) * y * y, np.expm1(y) - y) / c
    far = np.maximum(terms.gain(c) / c - terms.d, 0.0)
    return np.where(near, terms.kl_terms() + terms.p * curvature, far)


def _renyi_mass(terms: Terms, context: Context) -> Array:
    """p^alpha q^(1-alpha); above order 1 divided by exp((alpha - 1) peak), so that it cannot overflow."""
    alpha = context.alpha
    if alpha == 0:
        return np.where(np.isneginf(terms.log_ratio), 0.0, terms.q)
    if alpha in {1, inf}:
        return terms.p
    if alpha < 1:
        return terms.geometric_mean(alpha, 1 - alpha)
    return terms.tilted(alpha - 1, np.where(np.isfinite(context.peak), context.peak, 0.0))


def _renyi(sums: Mapping[str, Array], context: Context) -> Array:
    excess, mass, alpha = sums["renyi_excess"], sums["renyi_mass"], context.alpha
    if alpha == 0:
        return _minus_log(excess, np.log(mass), context)
    if alpha == 1:
        return excess
    if alpha == inf:
        return context.peak
    swapped = alpha < HALF
    c = -alpha if swapped else alpha - 1
    peak = context.peak if alpha > 1 else context.greatest["renyi_mass"] / c
    direct = np.where(np.isfinite(peak), peak + np.log(mass) / c, inf)
    near = (np.abs(c * excess) < HALF) & context.normalize
    value = np.where(near, np.log1p(np.where(near, c * excess, 0.0)) / c, direct)
    return value * (alpha / (1 - alpha)) if swapped else value


def needs_peak(alpha: float) -> bool:
    """Whether the order's formula uses the largest log(p/q)."""
    return alpha > 1


# ------------------------------------------------------------------------------------------------------- the other sums


def _minus_log(missing: Array, log_mass: Array, context: Context) -> Array:
    """-log_mass, from what is missing of 1 where that is the smaller part: 1 - missing would round it away."""
    near = (missing < HALF) & context.normalize
    return np.where(near, -np.log1p(-np.where(near, missing, 0.0)), -log_mass) + 0.0


def _squared_hellinger(terms: Terms, context: Context) -> Array:
    """(sqrt p - sqrt q)^2 / 2, times the squared scale."""
    difference = terms.root_difference() * context.scale
    return difference * difference / 2


def _js_distance(sums: Mapping[str, Array], context: Context) -> Array:
    """The root of the divergence, which may be below any double itself. The scale is a square."""
    return np.sqrt(_bounded(sums["jensen_shannon"], _most(context) * context.scale, context)) / sqrt(context.scale)


def _most(context: Context) -> float:
    """The largest Jensen-Shannon divergence: the entropy of the mixture's weights."""
    w = context.js_weight
    return log(2) if w == HALF else -w * log(w) - (1 - w) * log1p(-w)


def _hellinger(sums: Mapping[str, Array], context: Context) -> Array:
    return _bounded(np.sqrt(sums["squared_hellinger"]) / context.scale, 1.0, context)


def _power_excess(terms: Terms, alpha: float) -> Array:
    """p^alpha - p, which may be far above p where that is below any double."""
    y = (alpha - 1) * terms.log_p
    return np.where(np.abs(y) < 1, terms.p * np.expm1(y), np.exp(alpha * terms.log_p) - terms.p)


def _bhattacharyya(sums: Mapping[str, Array], context: Context) -> Array:
    log_affinity = np.log(sums["affinity"]) + context.greatest["affinity"]
    return _minus_log(sums["squared_hellinger"] / context.scale**2, log_affinity, context)


SUMMANDS: Mapping[str, Callable[[Terms, Context], Array]] = {
    "entropy_p": lambda t, _: -weighted(t.p, t.log_p),
    "entropy_q": lambda t, _: -weighted(t.q, t.log_q),
    "cross_entropy_pq": lambda t, _: -weighted(t.p, t.log_q),
    "cross_entropy_qp": lambda t, _: -weighted(t.q, t.log_p),
    "kl_pq": lambda t, _: t.kl_terms(),
    "kl_qp": lambda t, _: t.reversed().kl_terms(),
    "excess": lambda t, _: t.d,
    "whole_pq": lambda t, _: weighted(t.p, t.log_ratio),
    "whole_qp": lambda t, _: -weighted(t.q, t.log_ratio),
    "size_pq": lambda t, _: np.abs(weighted(t.p, t.log_ratio)),
    "size_qp": lambda t, _: np.abs(weighted(t.q, t.log_ratio)),
    "jensen_shannon": lambda t, c: (
        t.jensen_shannon_terms(c.scale) if c.js_weight == HALF else t.mixture_terms(c.js_weight, c.scale)
    ),
    "distance": lambda t, _: np.abs(t.d),
    "squared_hellinger": _squared_hellinger,
    "affinity": lambda t, _: t.geometric_mean(HALF, HALF),
    "chi2": lambda t, _: t.chi2_terms(),
    "renyi_excess": _renyi_excess,
    "renyi_mass": _renyi_mass,
    "power_excess": lambda t, c: _power_excess(t, c.alpha),
    "power": lambda t, c: np.exp(c.alpha * (t.log_p - c.top)),
    "present": lambda t, _: np.where(t.log_p > -inf, 1.0, 0.0),
    "variety": lambda t, _: -weighted(t.p, np.expm1(t.log_p)),
    "squares": lambda t, _: t.p * t.p,
}


def _renyi_entropy(sums: Mapping[str, Array], context: Context) -> Array:
    """log(sum p^alpha) / (1 - alpha), from the sum's distance from 1 where that is small."""
    alpha, c = context.alpha, context.alpha - 1
    if alpha in {0, 1, inf}:
        return {0: np.log(sums["present"]), 1: sums["entropy_p"], inf: -context.top}[alpha]
    near = (np.abs(sums["power_excess"]) < HALF) & context.normalize
    return np.where(near, -np.log1p(sums["power_excess"]) / c, -(np.log(sums["power"]) + alpha * context.top) / c)


def _wasserstein(pair: EnginePair, context: Context) -> Array:
    """The area between the running sums of p and q, step by step along the places."""
    d = pair.terms().d
    places = np.arange(len(d)) * 1.0 if context.places is None else context.places
    order = np.argsort(places, kind="stable")
    return total(np.diff(places[order])[:, np.newaxis] * np.abs(np.cumsum(d[order], axis=0)[:-1]))


def _bounded(value: Array, most: float, context: Context) -> Array:
    """Takes off the last rounding where the definition has an upper bound."""
    return np.minimum(value, most) if context.normalize else value


FORMULAS: Mapping[str, MeasureFormula] = {
    "entropy_p": MeasureFormula(("entropy_p",), lambda s, _: s["entropy_p"]),
    "entropy_q": MeasureFormula(("entropy_q",), lambda s, _: s["entropy_q"]),
    "cross_entropy_pq": MeasureFormula(("cross_entropy_pq",), lambda s, _: s["cross_entropy_pq"]),
    "cross_entropy_qp": MeasureFormula(("cross_entropy_qp",), lambda s, _: s["cross_entropy_qp"]),
    "kl_pq": MeasureFormula(("kl_pq",), lambda s, _: s["kl_pq"]),
    "kl_qp": MeasureFormula(("kl_qp",), lambda s, _: s["kl_qp"]),
    "jeffreys": MeasureFormula(("kl_pq", "kl_qp"), lambda s, _: s["kl_pq"] + s["kl_qp"]),
    "js_divergence": MeasureFormula(
        ("jensen_shannon",), lambda s, c: _bounded(s["jensen_shannon"] / c.scale, _most(c), c)
    ),
    "js_distance": MeasureFormula(("jensen_shannon",), _js_distance),
    "total_variation": MeasureFormula(("distance",), lambda s, c: _bounded(s["distance"] / 2, 1.0, c)),
    "hellinger": MeasureFormula(("squared_hellinger",), _hellinger),
    "bhattacharyya": MeasureFormula(("squared_hellinger", "affinity"), _bhattacharyya),
    "chi2_pq": MeasureFormula(("chi2",), lambda s, _: s["chi2"]),
    "renyi_pq": MeasureFormula(("renyi_excess", "renyi_mass"), _renyi),
    "perplexity_p": MeasureFormula(("entropy_p",), lambda s, _: np.exp(s["entropy_p"])),
    "perplexity_q": MeasureFormula(("entropy_q",), lambda s, _: np.exp(s["entropy_q"])),
}

SINGLE_FORMULAS: Mapping[str, MeasureFormula] = {
    "entropy": FORMULAS["entropy_p"],
    "perplexity": FORMULAS["perplexity_p"],
    "efficiency": MeasureFormula(
        ("entropy_p",), lambda s, c: _bounded(s["entropy_p"] / (log(c.outcomes) or nan), 1.0, c)
    ),
    "renyi_entropy": MeasureFormula(("entropy_p", "power_excess", "power", "present"), _renyi_entropy),
    "simpson": MeasureFormula(("variety",), lambda s, _: s["variety"]),
}
"""The measures of one distribution that are made of sums, of the pair of it with itself."""

WHOLES: Mapping[str, Callable[[EnginePair, Context], Array]] = {
    "wasserstein": _wasserstein,
    "same_top": lambda pair, _: np.where((pair.tops[0] & pair.tops[1]).any(axis=0), 1.0, 0.0),
    "min_entropy": lambda _, c: -c.top,
}
"""The measures that are no function of sums over the outcomes."""


def _kl_as_it_is(direction: str, sign: int) -> MeasureFormula:
    """KL of weights as they are: sum p log(p/q), or the terms of KL plus sum p - sum q, whichever cancels less."""

    def finish(sums: Mapping[str, Array], _: Context) -> Array:
        terms, excess = sums[f"kl_{direction}"], sign * sums["excess"]
        return np.where(terms + np.abs(excess) < sums[f"size_{direction}"], terms + excess, sums[f"whole_{direction}"])

    return MeasureFormula((f"kl_{direction}", "excess", f"whole_{direction}", f"size_{direction}"), finish)


AS_THEY_ARE: Mapping[str, MeasureFormula] = {
    "kl_pq": _kl_as_it_is("pq", 1),
    "kl_qp": _kl_as_it_is("qp", -1),
    "simpson": MeasureFormula(("squares",), lambda s, _: 1 - s["squares"]),
}
"""The formulas that differ for weights that need not add up to 1."""

ELEMENT_FORMULAS: Mapping[str, Callable[[Terms], Array]] = {
    "p": lambda t: t.p + 0.0,
    "q": lambda t: t.q,
    "log_ratio": lambda t: t.log_ratio,
    "kl_pq": lambda t: weighted(t.p, t.log_ratio) + 0.0,
    "kl_qp": lambda t: -weighted(t.q, t.log_ratio) + 0.0,
    "self_information_p": lambda t: -t.log_p + 0.0,
    "self_information_q": lambda t: -t.log_q + 0.0,
    "entropy_p": lambda t: -weighted(t.p, t.log_p) + 0.0,
    "cross_entropy_pq": lambda t: -weighted(t.p, t.log_q) + 0.0,
    "jeffreys": lambda t: np.where(np.isinf(t.log_ratio), inf, t.d * t.log_ratio),
}


def measure(
    pair: EnginePair, names: Iterable[str], alpha: float, *, js_weight: float = HALF, places: Array | None = None
) -> dict[str, Array]:
    """The named measures of n pairs, in nats. Returns name -> (n,), each >= 0 (weights as they are: any sign) or +inf.

    Those of one distribution are p's; the efficiency of a single outcome is nan, 0/0. js_weight: of p in the
    Jensen-Shannon mixture. places: where the outcomes lie on a line, (K,), for wasserstein.

    Source: see `measures.MEASURES` for each one's; `terms` for the method.
    """
    names = list(names)
    formulas = {**FORMULAS, **SINGLE_FORMULAS, **({} if pair.normalize else AS_THEY_ARE)}
    chosen = {name: formulas[name] for name in names if name not in WHOLES}
    wanted = {summand for formula in chosen.values() for summand in formula.summands}
    with np.errstate(all="ignore"):
        peak: Array = np.zeros(pair.columns)
        if "renyi_excess" in wanted and needs_peak(alpha):
            peak = np.maximum.reduce([pair.terms(where).peak(alpha - 1) for where in pair.slices()])
        means = {"affinity": HALF, "renyi_mass": alpha}
        greatest = {
            name: pair.greatest_mean(order, 1 - order) for name, order in means.items() if name in wanted and order < 1
        }
        top = np.zeros(pair.columns)
        if "power" in wanted or "min_entropy" in names:
            top = np.maximum.reduce([pair.terms(where).log_p.max(axis=0) for where in pair.slices()])
        context = Context(alpha, pair.normalize, peak, greatest, top, pair.outcomes, js_weight, places)
        sums: dict[str, Array] = {name: np.zeros(pair.columns) for name in wanted}
        for where in pair.slices():
            terms = pair.summands(where)
            for name in sums:
                sums[name] += total(SUMMANDS[name](terms, context))
        found = {name: formula.finish(sums, context) + 0.0 for name, formula in chosen.items()}
        return {name: WHOLES[name](pair, context) if name in WHOLES else found[name] for name in names}


def jensen_shannon_of_several(pairs: Sequence[EnginePair]) -> float:
    """H(m) - mean H(p) in nats of several p, m their mean; from 0 to log n unless weights are taken as they are.

    pairs: a single one for each p, whose q is the same in all. The value is the mean of the KL divergences from m. The
    p - m are made of the p - q, which keep their digits where the p are so near that m, rounded, is as far from them.

    Source: Lin 1991.
    """
    with np.errstate(all="ignore"):
        found = [pair.terms() for pair in pairs]
        p, d = (np.concatenate(sides, axis=1) for sides in ([t.p for t in found], [t.d for t in found]))
        middle, d = p.mean(axis=1, keepdims=True), d - d.mean(axis=1, keepdims=True)
        value = float(total(Beside(p, np.broadcast_to(middle, p.shape), d).kl_terms()).mean())
    return min(value, log(len(pairs))) if all(pair.normalize for pair in pairs) else value


def elements(pair: EnginePair, names: Iterable[str], where: slice | list[int]) -> dict[str, Array]:
    """The named element terms of one pair's outcomes. Returns name -> (K',), in nats where they are logarithms."""
    with np.errstate(all="ignore"):
        terms = pair.terms(where)
        return {name: ELEMENT_FORMULAS[name](terms)[:, 0] for name in names}


def element_sums(pair: EnginePair, names: Iterable[str], without: list[int]) -> dict[str, float]:
    """Each named, additive element term summed over all outcomes of one pair but those listed."""
    names = list(names)
    sums = dict.fromkeys(names, 0.0)
    left_out = np.zeros(pair.outcomes, dtype=bool)
    left_out[without] = True
    with np.errstate(all="ignore"):
        for where in pair.slices():
            terms, left = pair.summands(where), np.flatnonzero(left_out[where])
            for name in names:
                values = ELEMENT_FORMULAS[name](terms)[:, 0]
                if len(left):
                    values = np.delete(values, left)
                sums[name] += float(values.sum())
    return sums


def kl_share(pair: EnginePair, chosen: Mask) -> float:
    """The part of KL(p, q), the sum of p log(p/q), that stands on some outcomes; NaN where KL is 0 or infinite.

    chosen: (K,). It may be above 1, where terms of other outcomes are negative.
    """
    whole = float(measure(pair, ["kl_pq"], 1.0)["kl_pq"][0])
    part = float(elements(pair, ["kl_pq"], np.flatnonzero(chosen).tolist())["kl_pq"].sum())
    return part / whole if 0 < whole < inf else nan


def largest(pair: EnginePair, name: str, top: int, *, by_size: bool) -> list[int]:
    """The outcomes of one pair with the `top` largest values of an element, or of its absolute value, in that order.

    Equal ones stand as they are given.
    """
    found, keys = [np.empty(0, dtype=np.intp)], [np.empty(0)]
    for start, values in _element_runs(pair, name):
        key = -np.abs(values) if by_size else -values
        # Of each run no more than its own first are needed; what equals the last of them may be first of all.
        chosen = np.arange(len(key)) if top >= len(key) else np.flatnonzero(key <= np.partition(key, top - 1)[top - 1])
        found.append(chosen + start)
        keys.append(key[chosen])
    order = np.argsort(np.concatenate(keys), kind="stable")[:top]
    indices: list[int] = np.concatenate(found)[order].tolist()
    return indices


def _element_runs(pair: EnginePair, name: str) -> Iterator[tuple[int, Array]]:
    """One element term, run by run: where the run starts, and the values."""
    start = 0
    for where in pair.slices():
        with np.errstate(all="ignore"):
            values = ELEMENT_FORMULAS[name](pair.summands(where))[:, 0]
        yield start, values
        start += len(values)
