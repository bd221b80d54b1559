"""Every measure of one law or two, by the best way there is: closed form, quadrature, summation, or sampling if asked.

A measure is made of parts, which `pair` has: entropies, divergences, affinities. Here they are put together.
"""

from __future__ import annotations

from math import exp, inf, isfinite, log, sqrt
from typing import TYPE_CHECKING

from klcli.engine.measures import MEASURES, OF_WEIGHTS, SINGLE
from klcli.errors import DistributionError, UsageError
from klcli.families.catalogue import CONTINUOUS, VECTORS
from klcli.families.numeric.integrands import EPS
from klcli.families.pair import CLOSED, HALF, SAMPLING, Estimate, LawPair, NoClosedFormError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from klcli.families.law import Law
    from klcli.families.numeric.sampling import Sampling
_CANCELLED = 1e-9
"""Of H and KL: below it their sum has lost more than half of its digits."""

_ROUNDING = 4 * EPS
"""Of H and KL: their own rounding, half an EPS or some more each, and that of the sum."""


def measure(
    p: Law,
    q: Law | None,
    names: Iterable[str],
    *,
    alpha: float = 2.0,
    sampling: Sampling | None = None,
    closed: bool = True,
) -> dict[str, Estimate]:
    """The measures by name, in nats where they have a unit; entropies of densities are differential.

    closed=False leaves closed forms out. Raises UsageError where only samples could tell, DistributionError where the
    laws cannot be compared or an estimate is worthless.
    """
    names = list(names)
    if q is not None:
        _same_kind(p, q)
    pair = LawPair(p, q, alpha, sampling, closed=closed)
    pair.prepare({part for name in names for part in _PARTS[name]})
    found = {}
    for name in names:
        try:
            found[name] = _MADE[name](pair)
        except NoClosedFormError as missing:
            raise UsageError(missing.said(name)) from None
    return found


def _same_kind(p: Law, q: Law) -> None:
    def sort(law: Law) -> str:
        if law.kind == VECTORS:
            return f"vectors of length {law.members[0].dimension} ({law.members[0].name})"
        return "numbers on a line" if law.kind == CONTINUOUS else "whole numbers"

    if sort(p) != sort(q):
        message = f"cannot compare {p.formula.text}, of {sort(p)}, with {q.formula.text}, of {sort(q)}"
        raise DistributionError(message)


# ---------------------------------------------------------------------------------------------------- parts to measures


def _added(*parts: Estimate) -> Estimate:
    """The sum, with the errors of samples added as independent ones are, and others with the rounding of the sum."""
    errors = [part.error for part in parts if part.error is not None]
    method = next((part.method for part in parts if part.method != CLOSED), CLOSED)
    endless = next((part for part in parts if part.value == inf), None)
    if endless is not None:
        return Estimate(inf, None, endless.method)
    if not errors:
        return Estimate(sum(part.value for part in parts), None, method)
    rounding = EPS * sum(abs(part.value) for part in parts)
    error = sqrt(sum(e * e for e in errors)) if method == SAMPLING else sum(errors) + rounding
    return Estimate(sum(part.value for part in parts), error, method)


def _through(found: Estimate, value: float, slope: float) -> Estimate:
    """A function of an estimate, with its slope there."""
    if found.error is None:
        return Estimate(value, None, found.method)
    error = found.error * abs(slope) if isfinite(slope) else sqrt(found.error)
    return Estimate(value, error, found.method)


def _root(found: Estimate) -> Estimate:
    value = sqrt(max(0.0, found.value))  # a mean over samples may lie below 0, by less than its error
    return _through(found, value, 0.5 / value if value > 0 else inf)


def _at_most(found: Estimate, bound: float) -> Estimate:
    """The estimate, or the bound where no more than its own error is above that."""
    return found._replace(value=bound) if 0 < found.value - bound <= (found.error or 0.0) else found


def _power(found: Estimate) -> Estimate:
    """exp of it."""
    value = exp(found.value) if found.value < 709 else inf  # noqa: PLR2004 - log of the largest double
    return _through(found, value, value)


def _cross(pair: LawPair, entropy: str, divergence: str) -> Estimate:
    """Entropy and KL, added up. Where they cancel, from moments; else 0 where nothing but their rounding is left.

    So of a beta distribution against the uniform beta(1, 1), where it is 0.
    """
    if pair.sampling is not None and not (_is_closed(pair, entropy) and _is_closed(pair, divergence)):
        known = pair.known(divergence)
        name = "cross_pq" if divergence == "kl_pq" else "cross_qp"
        return Estimate(inf, None, CLOSED) if known == inf else pair.estimated(name)
    parts = pair.part(entropy), pair.part(divergence)
    found, whole = _added(*parts), sum(abs(part.value) for part in parts)
    exact = pair.known_cross(divergence) if abs(found.value) < _CANCELLED * whole else None
    if exact is not None:
        return found._replace(value=exact)
    return found._replace(value=0.0) if abs(found.value) < _ROUNDING * whole else found


def _is_closed(pair: LawPair, part: str) -> bool:
    return pair.known(part) is not None


def _bhattacharyya(pair: LawPair) -> Estimate:
    found = pair.renyi(HALF)
    return _through(found, found.value / 2, 0.5)


_MADE: Mapping[str, Callable[[LawPair], Estimate]] = {
    "entropy_p": lambda pair: pair.part("entropy_p"),
    "entropy_q": lambda pair: pair.part("entropy_q"),
    "cross_entropy_pq": lambda pair: _cross(pair, "entropy_p", "kl_pq"),
    "cross_entropy_qp": lambda pair: _cross(pair, "entropy_q", "kl_qp"),
    "kl_pq": lambda pair: pair.part("kl_pq"),
    "kl_qp": lambda pair: pair.part("kl_qp"),
    "jeffreys": lambda pair: _added(pair.part("kl_pq"), pair.part("kl_qp")),
    "js_divergence": lambda pair: _at_most(pair.part("js"), log(2)),
    "js_distance": lambda pair: _root(_at_most(pair.part("js"), log(2))),
    "total_variation": lambda pair: _at_most(pair.part("tv"), 1.0),
    "hellinger": lambda pair: _root(_at_most(pair.part("hellinger2"), 1.0)),
    "bhattacharyya": _bhattacharyya,
    "chi2_pq": lambda pair: pair.part("chi2"),
    "renyi_pq": lambda pair: pair.renyi(pair.alpha),
    "perplexity_p": lambda pair: _power(pair.part("entropy_p")),
    "perplexity_q": lambda pair: _power(pair.part("entropy_q")),
    "entropy": lambda pair: pair.part("entropy_p"),
    "perplexity": lambda pair: _power(pair.part("entropy_p")),
}

_PARTS: Mapping[str, tuple[str, ...]] = {
    "cross_entropy_pq": ("entropy_p", "kl_pq"),
    "cross_entropy_qp": ("entropy_q", "kl_qp"),
    "jeffreys": ("kl_pq", "kl_qp"),
    "js_divergence": ("js",),
    "js_distance": ("js",),
    "total_variation": ("tv",),
    "hellinger": ("hellinger2",),
    "bhattacharyya": ("overlap",),
    "chi2_pq": ("chi2",),
    "renyi_pq": ("renyi", "kl_pq"),
    "perplexity_p": ("entropy_p",),
    "perplexity_q": ("entropy_q",),
    "entropy": ("entropy_p",),
    "perplexity": ("entropy_p",),
    **{name: (name,) for name in ("entropy_p", "entropy_q", "kl_pq", "kl_qp")},
}
if not _MADE.keys() == _PARTS.keys() == (MEASURES.keys() | SINGLE.keys()) - OF_WEIGHTS:  # pragma: no cover
    raise AssertionError
