"""What can be asked for, by name: the measures of a pair, and what is known of each outcome.

`formulas` says how each is computed, under the same names (a test holds the two together). This module does not import
NumPy, so that the command line lists and completes the names without it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from klcli.tuples import NamedTuple

if TYPE_CHECKING:
    from klcli.engine.arrays import Array


class Measure(NamedTuple):
    """One number for a pair, or for one distribution.

    `in_unit`: a logarithm, to be divided by that of the base asked for.
    """

    title: str
    in_unit: bool
    source: str


class MeasureOptions(TypedDict, total=False):
    """What measures depend on besides the distributions.

    alpha: the order of Renyi's, 0 to inf. normalize: whether weights are divided by their sum. js_weight: of p in the
    Jensen-Shannon mixture, between 0 and 1. places: where the outcomes lie on a line, (K,), for wasserstein; None: one
    after the other, 1 apart.
    """

    alpha: float
    normalize: bool
    js_weight: float
    places: Array | None


class Element(NamedTuple):
    """One number for each outcome. `additive`: outcomes folded into one may add theirs up."""

    title: str
    in_unit: bool
    additive: bool


MEASURES = {
    "entropy_p": Measure("H(P)", in_unit=True, source="Cover & Thomas 2.1"),
    "entropy_q": Measure("H(Q)", in_unit=True, source="Cover & Thomas 2.1"),
    "cross_entropy_pq": Measure("H(P,Q)", in_unit=True, source="Cover & Thomas 2.3"),
    "cross_entropy_qp": Measure("H(Q,P)", in_unit=True, source="Cover & Thomas 2.3"),
    "kl_pq": Measure("KL(P||Q)", in_unit=True, source="Cover & Thomas 2.3"),
    "kl_qp": Measure("KL(Q||P)", in_unit=True, source="Cover & Thomas 2.3"),
    "jeffreys": Measure("KL(P||Q) + KL(Q||P), the PSI", in_unit=True, source="Jeffreys 1946"),
    "js_divergence": Measure("Jensen-Shannon divergence", in_unit=True, source="Lin 1991"),
    "js_distance": Measure("Jensen-Shannon distance", in_unit=True, source="Endres & Schindelin 2003"),
    "total_variation": Measure("half the sum of |p - q|", in_unit=False, source="Levin & Peres 4.1"),
    "hellinger": Measure("Hellinger distance", in_unit=False, source="van der Vaart 14.5"),
    "bhattacharyya": Measure("Bhattacharyya distance", in_unit=True, source="Bhattacharyya 1943"),
    "chi2_pq": Measure("Pearson's sum of (p - q)^2 / q", in_unit=False, source="Pearson 1900"),
    "renyi_pq": Measure("Renyi divergence of order alpha", in_unit=True, source="van Erven & Harremoes 2014"),
    "perplexity_p": Measure("exp H(P)", in_unit=False, source="Jelinek et al. 1977"),
    "perplexity_q": Measure("exp H(Q)", in_unit=False, source="Jelinek et al. 1977"),
    "wasserstein": Measure("area between the running sums", in_unit=False, source="Vallender 1974"),
    "same_top": Measure("1 where the largest outcome agrees", in_unit=False, source="llama.cpp, perplexity"),
}

OF_WEIGHTS = frozenset({"wasserstein", "same_top", "efficiency", "min_entropy", "renyi_entropy", "simpson"})
"""The measures of weights alone, which a formula has not."""

OF_LIKENESS = frozenset({"same_top"})
"""The measures that are larger where two distributions are more alike; what is nearest has the largest."""

ALIASES = {
    "kl": ("kl_pq",),
    "reverse_kl": ("kl_qp",),
    "ce": ("cross_entropy_pq",),
    "js": ("js_divergence",),
    "jsd": ("js_divergence",),
    "psi": ("jeffreys",),
    "tv": ("total_variation",),
    "h": ("entropy_p", "entropy"),
    "bc": ("bhattacharyya",),
}
"""What people say, and the fields that it may mean: the first of them that there is."""

SIX = ("entropy_p", "entropy_q", "cross_entropy_pq", "cross_entropy_qp", "kl_pq", "kl_qp")
"""What a table of pairs is scored by unless something else is asked for."""

ELEMENTS = {
    "p": Element("p", in_unit=False, additive=True),
    "q": Element("q", in_unit=False, additive=True),
    "log_ratio": Element("log(p/q)", in_unit=True, additive=False),
    "kl_pq": Element("p log(p/q)", in_unit=True, additive=True),
    "kl_qp": Element("q log(q/p)", in_unit=True, additive=True),
    "self_information_p": Element("-log p", in_unit=True, additive=False),
    "self_information_q": Element("-log q", in_unit=True, additive=False),
    "entropy_p": Element("-p log p", in_unit=True, additive=True),
    "cross_entropy_pq": Element("-p log q", in_unit=True, additive=True),
    "jeffreys": Element("(p - q) log(p/q)", in_unit=True, additive=True),
}

SINGLE = {
    "entropy": Measure("H(P)", in_unit=True, source="Cover & Thomas 2.1"),
    "perplexity": Measure("exp H(P)", in_unit=False, source="Jelinek et al. 1977"),
    "efficiency": Measure("H(P) / log K", in_unit=False, source="Shannon 1948"),
    "min_entropy": Measure("-log max p", in_unit=True, source="Renyi 1961"),
    "renyi_entropy": Measure("Renyi entropy of order alpha", in_unit=True, source="Renyi 1961"),
    "simpson": Measure("1 - sum p^2", in_unit=False, source="Simpson 1949"),
}
"""The measures of one distribution."""

TOGETHER = "js_divergence"
"""What is measured of several distributions together."""

SHOWN_OF_ONE = ("entropy", "perplexity")
"""What is said of one distribution unless something else is asked for."""

SINGLE_ELEMENTS = {
    "p": Element("p", in_unit=False, additive=True),
    "self_information": Element("-log p", in_unit=True, additive=False),
    "entropy": Element("-p log p", in_unit=True, additive=True),
}
"""What is known of each outcome of one distribution."""

ROOT_OF_UNIT = frozenset({"js_distance"})
"""Square roots of a logarithm: divided by the square root of the base's."""
