"""One law or two, and the parts that measures are made of: each by its closed form, quadrature, summation or samples.

All integrals of a pair are taken at once.
"""

from __future__ import annotations

from functools import cached_property
from math import expm1, inf, isfinite, isnan, log, log1p
from typing import TYPE_CHECKING, Any

from klcli.errors import DistributionError, UsageError
from klcli.families.catalogue import CONTINUOUS
from klcli.families.closed import cross_entropy, divergence
from klcli.families.differences import bounded_expm1
from klcli.families.family import LocationScale
from klcli.families.infinite import diverges, sticks_out
from klcli.families.law import standardised
from klcli.families.numeric.expectations import expectations, highest, outside
from klcli.families.numeric.integrands import (
    EPS,
    INTEGRANDS,
    log_ratio,
    renyi_excess,
    renyi_log,
    renyi_power,
    swapped,
)
from klcli.families.numeric.sampling import draw, sampled
from klcli.families.numeric.summation import too_many
from klcli.tuples import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from klcli.families.family import Family
    from klcli.families.law import Law
    from klcli.families.numeric.integrands import Integral, Integrand
    from klcli.families.numeric.sampling import Draws, Sampling

CLOSED, QUADRATURE, SUMMATION, SAMPLING = "closed form", "quadrature", "summation", "sampling"

_ABSOLUTE, _RELATIVE = 1e-6, 1e-3
"""An error above both is worthless: a third digit is shown and may be wrong. Near 0 six decimals must hold."""

_CARRIED = 0.3
"""A relative standard error of a mean of powers above which few draws make it: at 0.3 about ten do."""

_ORDER_OF_CHI2, HALF = 2.0, 0.5
"""Orders at which a Renyi divergence gives chi2, and Hellinger's and Bhattacharyya's distances."""
_OF_A_MAXIMUM = 1e-9
"""The error of `highest`, said safely: near a maximum a function is flat, so that its place need not be known well."""


class Estimate(NamedTuple):
    """A value, the estimate of its error (None: a closed form; of samples the standard error), and where it is from."""

    value: float
    error: float | None
    method: str


class NoClosedFormError(Exception):
    """A part has no closed form, and no samples were asked for. `measure` makes a UsageError of it."""

    def __init__(self, *laws: Law) -> None:
        families = dict.fromkeys(one.family for law in laws for one in law.components)
        self.families = " and ".join(families)
        self.mixed = any(len(law.components) > 1 for law in laws)

    def said(self, name: str) -> str:
        """What to say of a measure."""
        what = f"a mixture of {self.families}" if self.mixed else self.families
        return f"{name} of {what} has no closed form; add --samples N to estimate it"


class LawPair:
    """Two laws, or one, with what has been found of them."""

    def __init__(self, p: Law, q: Law | None, alpha: float, sampling: Sampling | None, *, closed: bool) -> None:
        self.p, self.q, self.alpha, self.sampling, self.closed = p, q, alpha, sampling, closed
        self._integrals: dict[str, Integral] = {}

    @property
    def second(self) -> Law:
        """Q, or P where there is one law only."""
        return self.p if self.q is None else self.q

    @cached_property
    def draws(self) -> Draws:
        """Log densities at draws of both, for all measures. Raises NoClosedFormError where none are asked for."""
        if self.sampling is None:
            raise NoClosedFormError(self.p, self.second)
        return draw(self.p, self.q, self.sampling)

    def prepare(self, parts: Iterable[str]) -> None:
        """Take all the integrals that will be needed at once."""
        if self.sampling is not None or self.p.is_vector:
            return
        needed: dict[str, Integrand | None] = {}
        for part in sorted(parts):
            if self.known(part) is not None:
                continue
            if part.startswith("entropy"):
                needed[part] = None
            elif part in INTEGRANDS:
                needed[part] = INTEGRANDS[part]
        for order in self._orders(parts):
            if order in {0.0, 1.0, inf}:
                continue
            needed[f"renyi {order}"] = swapped(renyi_excess(order)) if order < HALF else renyi_excess(1 - order)
        entropies = {name: function for name, function in needed.items() if function is None}
        for laws, some in ((self._line, needed.keys() - entropies), (self._scaled, entropies.keys())):
            if some:
                self._integrals |= expectations(*laws, {name: needed[name] for name in sorted(some)})

    @cached_property
    def _line(self) -> tuple[Law, Law | None]:
        """The laws where divergences are integrated: of lognormal distributions the normal ones of the logarithms."""
        members = self._all_members
        if all(one.name == "lognormal" for one in members):
            members = [one.log for one in members]
        return self._placed(standardised(members)[0])

    @cached_property
    def _scaled(self) -> tuple[Law, Law | None]:
        """The laws where entropies are integrated."""
        return self._placed(standardised(self._all_members)[0])

    @property
    def _all_members(self) -> list[Any]:
        return self.p.members + ([] if self.q is None else self.q.members)

    def _placed(self, members: list[Any]) -> tuple[Law, Law | None]:
        """The laws of other members. Raises FloatingPointError where doubles are too coarse for one of them."""
        for one in members:
            if isinstance(one, LocationScale) and one.is_blurred:
                message = f"next to its mu {one.name} is narrower than doubles can tell apart"
                raise FloatingPointError(message)
        first = len(self.p.members)
        return self.p.of(members[:first]), None if self.q is None else self.q.of(members[first:])

    def _orders(self, parts: Iterable[str]) -> list[float]:
        wanted = [(part, order) for part, order in (("renyi", self.alpha), ("overlap", HALF)) if part in parts]
        return [order for _, order in wanted if self._closed_renyi(order) is None]

    # ------------------------------------------------------------------------------------------------ closed forms

    def _members(self) -> tuple[Family, Family] | None:
        """The two, where neither is a mixture and closed forms are wanted."""
        if not self.closed or len(self.p.members) > 1 or len(self.second.members) > 1:
            return None
        return self.p.members[0], self.second.members[0]

    def _alike(self) -> tuple[Family, Family] | None:
        """The two, where they are of one family."""
        both = self._members()
        return both if both is not None and both[0].name == both[1].name else None

    def _same(self) -> bool:
        return self.closed and self.p.components == self.second.components

    def known(self, part: str) -> float | None:
        """The part's value where a formula or the supports give it."""
        if part.startswith("entropy"):
            law = self.p if part == "entropy_p" else self.second
            return law.members[0].entropy() if self.closed and len(law.members) == 1 else None
        if self._same():
            return 0.0
        if part in {"kl_pq", "kl_qp"}:
            return self._known_kl(*((self.p, self.second) if part == "kl_pq" else (self.second, self.p)))
        if part in {"hellinger2", "chi2"}:
            found = self._closed_renyi(HALF if part == "hellinger2" else _ORDER_OF_CHI2)
            if found is None:
                return None
            return -expm1(-found / 2) if part == "hellinger2" else bounded_expm1(found)
        alike = self._alike() if part == "tv" else None
        return None if alike is None else alike[0].total_variation(alike[1])

    def _known_kl(self, p: Law, q: Law) -> float | None:
        if not p.is_vector and (sticks_out(p, q) or diverges(p, q)):
            return inf
        return None if self._members() is None else divergence(p.members[0], q.members[0])

    def known_cross(self, part: str) -> float | None:
        """The cross-entropy beside `kl_pq` or `kl_qp` where moments give it: there H + KL may cancel, this does not."""
        both = self._members()
        return None if both is None else cross_entropy(*(both if part == "kl_pq" else both[::-1]))

    def _closed_renyi(self, order: float) -> float | None:
        if self._same():
            return 0.0
        alike = self._alike() if order not in {1.0, inf} else None
        if alike is None:
            return None
        p, q = alike
        # Below 1/2 the divergence is that of Q from P of order 1 - a, times a/(1 - a): a itself keeps its digits.
        other = q.renyi(p, 1 - order, order) if 0 < order < HALF else None
        return p.renyi(q, order, 1 - order) if other is None else other * order / (1 - order)

    # ------------------------------------------------------------------------------------------------------- parts

    def part(self, name: str) -> Estimate:
        """A part by its closed form, else estimated. Raises DistributionError where the estimate is worthless."""
        known = self.known(name)
        if known is not None:
            return Estimate(known, None, CLOSED)
        return self.estimated(name)

    def estimated(self, name: str) -> Estimate:
        """A part from the integrals prepared, or from samples."""
        if self.p.is_vector or self.sampling is not None:
            return self._checked(name, Estimate(*sampled(name, self.draws, self.alpha), SAMPLING))
        found = self._integrals[name]
        if found.value == inf and self._leaves_out(name):
            return Estimate(inf, 0.0, self._method)
        if found.value == inf and name == "chi2":
            renyi = self._by_peak(_ORDER_OF_CHI2)
            value = bounded_expm1(renyi.value)
            return Estimate(value, (renyi.error or 0.0) * (1 + value) if value < inf else 0.0, self._method)
        in_unit = self._log_unit if name.startswith("entropy") else 0.0
        value = found.value + in_unit
        return self._checked(name, Estimate(value, found.error + EPS * (abs(in_unit) + abs(value)), self._method))

    @cached_property
    def _log_unit(self) -> float:
        return standardised(self._all_members)[1]

    def _leaves_out(self, name: str) -> bool:
        """Whether a divergence of whole numbers is infinite by an outcome that the other law does not have."""
        ends = {"kl_pq": (self.p, self.second), "kl_qp": (self.second, self.p)}
        return name in ends and self.p.kind != CONTINUOUS and outside(*ends[name]) > 0

    @property
    def _method(self) -> str:
        return QUADRATURE if self.p.kind == CONTINUOUS else SUMMATION

    def _checked(self, name: str, found: Estimate) -> Estimate:
        """The estimate, unless it is worthless."""
        error = found.error or 0.0
        if found.method == SAMPLING or (
            error <= max(_ABSOLUTE, _RELATIVE * abs(found.value)) and isfinite(found.value)
        ):
            if isnan(found.value):
                message = f"the {found.method} for {name} gave no number; every draw must have a density"
                raise DistributionError(message)
            return found
        if found.method == SUMMATION and too_many(self.p, self.q):
            message = f"{name} is a sum over too many whole numbers; add --samples N to estimate it"
        elif found.value == inf:
            message = (
                f"the {found.method} for {name} does not converge, or is larger than any double; "
                "add --samples N to estimate it"
            )
        else:
            message = (
                f"the {found.method} for {name} does not converge: {found.value:.6g}, error about {error:.1g}; "
                "add --samples N to estimate it"
            )
        raise DistributionError(message)

    def renyi(self, order: float) -> Estimate:  # noqa: PLR0911 - its orders 0, 1 and inf are measures of their own
        """The Renyi divergence of an order."""
        known = self._closed_renyi(order)
        if known is not None:
            return Estimate(known, None, CLOSED)
        if order == 1:
            return self.part("kl_pq")
        if self.p.is_vector and order in {0.0, inf}:
            message = f"renyi_pq of order {order:g} of vectors is not to be had, even by samples; take another --alpha"
            raise UsageError(message)
        if order > 1 and not self.p.is_vector and sticks_out(self.p, self.second):
            return Estimate(inf, None, CLOSED)
        if self.p.is_vector or (self.sampling is not None and order not in {0.0, inf}):
            return self._renyi_sampled(order)
        if order == 0:
            lost = outside(self.second, self.p)
            return Estimate(-log1p(-lost) if lost < 1 else inf, EPS, self._method)
        if order == inf:
            return Estimate(highest(*self._both, log_ratio), _OF_A_MAXIMUM, self._method)
        return self._renyi_integral(order)

    def _renyi_sampled(self, order: float) -> Estimate:
        found = sampled("renyi", self.draws, order)
        if not found.error * abs(order - 1) < _CARRIED:
            message = (
                f"the samples for renyi_pq are carried by a few of them: {found.value:.6g}, error {found.error:.1g}"
            )
            raise DistributionError(message)
        return Estimate(*found, SAMPLING)

    def _renyi_integral(self, order: float) -> Estimate:
        c, found = order - 1, self._integrals[f"renyi {order}"]
        slope = -order if order < HALF else c
        near = slope * found.value
        if abs(near) < HALF:
            error = found.error * abs(slope / c) / (1 + near)
            return self._checked("renyi_pq", Estimate(log1p(near) / c, error, self._method))
        by_peak = self._by_peak(order)
        return by_peak if by_peak.error == 0 else self._checked("renyi_pq", by_peak)

    def _by_peak(self, order: float) -> Estimate:
        """The Renyi divergence from the integral of p^a q^(1-a) over its largest value, which may overflow itself."""
        c = order - 1

        def logs(log_p: Any, log_q: Any) -> Any:  # noqa: ANN401 - arrays
            return renyi_log(order, log_p, log_q)

        peak = highest(*self._both, logs)
        # Below order 1 the integral is at most 1: the divergence is infinite where the two have nothing in common.
        endless = Estimate(inf, 0.0 if order > 1 or self._are_apart() else inf, self._method)
        if not isfinite(peak) or peak > 1e300:  # noqa: PLR2004 - at the clip of what falls below every double
            return endless
        power = expectations(*self._both, {"power": renyi_power(order, peak)})["power"]
        if power.value == inf or power.value <= 0:
            return endless
        return Estimate((peak + log(power.value)) / c, power.error / power.value / abs(c), self._method)

    def _are_apart(self) -> bool:
        """Whether no number has mass, or a density, under both laws, by their supports; of counts the sums tell."""
        pairs = ((a, b) for a in self.p.support for b in self.second.support)
        return self.p.kind != CONTINUOUS or not any(max(a[0], b[0]) < min(a[1], b[1]) for a, b in pairs)

    @property
    def _both(self) -> tuple[Law, Law]:
        p, q = self._line
        return p, p if q is None else q
