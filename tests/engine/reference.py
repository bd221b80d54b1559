"""Every measure and element from its definition, in arithmetic with as many digits as the pair needs."""

from functools import cached_property
from itertools import accumulate
from math import copysign, inf, isinf, isnan

import mpmath as mp

LEAST = mp.mpf(2) ** -1074
"""The spacing of subnormal numbers."""

BAR = 1e-13

_SPARE, _MOST = 220, 2600


def _integers(weights):
    """Doubles as integers in one unit, and that unit's inverse."""
    ratios = [float(x).as_integer_ratio() for x in weights]
    unit = max(d for _, d in ratios)
    return [n * (unit // d) for n, d in ratios], unit


class Reference:
    """One pair of weights a, b: (K,). With normalize=False p and q are the weights as they are."""

    def __init__(self, a, b, *, normalize=True):
        self.normalize = normalize
        numerators, unit = _integers([*a, *b])
        self._a, self._b = numerators[: len(a)], numerators[len(a) :]
        self._whole_p, self._whole_q = (sum(self._a), sum(self._b)) if normalize else (unit, unit)
        self._prec = self._digits()
        with mp.workprec(self._prec):
            self.p = [mp.mpf(x) / self._whole_p for x in self._a]
            self.q = [mp.mpf(x) / self._whole_q for x in self._b]
            self.log_p = [mp.log(x) if x else -mp.inf for x in self.p]
            self.log_q = [mp.log(x) if x else -mp.inf for x in self.q]
        self.uncovered_p = any(x and not y for x, y in zip(self._a, self._b, strict=True))
        self.uncovered_q = any(y and not x for x, y in zip(self._a, self._b, strict=True))

    def _digits(self):
        """Bits: what cancels in the sums (of terms of size d, to sums of size d s) and in log(1 - small), and more."""
        whole_p, whole_q = self._whole_p, self._whole_q
        sums, singles = [], [0]
        for x, y in zip(self._a, self._b, strict=True):
            d, w = abs(x * whole_q - y * whole_p).bit_length(), (x * whole_q + y * whole_p).bit_length()
            if d:
                sums.append(w + whole_p.bit_length() + whole_q.bit_length() - 2 * d)
                singles.append(w - d)
        for part, whole in ((max(self._a), whole_p), (max(self._b), whole_q)):
            if part != whole:
                singles.append(whole.bit_length() - abs(whole - part).bit_length())
        lost = max(min(sums, default=0), *singles, 0)
        return min(_MOST, _SPARE + len(self._a).bit_length() + lost)

    @cached_property
    def _same(self):
        """Whether p = q: what is zero then must not be what the last digit leaves."""
        pairs = zip(self._a, self._b, strict=True)
        return self.normalize and all(x * self._whole_q == y * self._whole_p for x, y in pairs)

    @property
    def _both(self):
        return set(zip(self._a, self._b, strict=True))

    def _dot(self, weights, values):
        return mp.fsum(w * v for w, v in zip(weights, values, strict=True) if w)

    def _kl(self, p, log_p, log_q):
        return mp.fsum(w * (x - y) for w, x, y in zip(p, log_p, log_q, strict=True) if w)

    @cached_property
    def _kl_pq(self):
        return mp.inf if self.uncovered_p else self._kl(self.p, self.log_p, self.log_q)

    @cached_property
    def _kl_qp(self):
        return mp.inf if self.uncovered_q else self._kl(self.q, self.log_q, self.log_p)

    @cached_property
    def _jensen_shannon(self):
        log_m = [mp.log((x + y) / 2) if x or y else mp.mpf(0) for x, y in zip(self.p, self.q, strict=True)]
        return (self._kl(self.p, self.log_p, log_m) + self._kl(self.q, self.log_q, log_m)) / 2

    def _renyi_0(self):
        if self.normalize:
            missing = sum(y for x, y in zip(self._a, self._b, strict=True) if not x)
            return mp.inf if missing == self._whole_q else -mp.log1p(-mp.mpf(missing) / self._whole_q)
        covered = mp.fsum(y for x, y in zip(self.p, self.q, strict=True) if x)
        return -mp.log(covered) if covered else mp.inf

    def _renyi(self, alpha):
        if self._same or alpha == 1:
            return mp.mpf(0) if self._same else self._kl_pq
        both = [(x, y) for x, y in zip(self.log_p, self.log_q, strict=True) if mp.isfinite(x) and mp.isfinite(y)]
        if alpha == 0:
            return self._renyi_0()
        if not both or (alpha > 1 and self.uncovered_p):
            return mp.inf
        if alpha == inf:
            return max(x - y for x, y in both)
        order = mp.mpf(alpha)
        return mp.log(mp.fsum(mp.exp(order * x + (1 - order) * y) for x, y in both)) / (order - 1)

    def _measure(self, name, alpha):
        pairs = list(zip(self.p, self.q, strict=True))
        by_name = {
            "entropy_p": lambda: -self._dot(self.p, self.log_p),
            "entropy_q": lambda: -self._dot(self.q, self.log_q),
            "cross_entropy_pq": lambda: mp.inf if self.uncovered_p else -self._dot(self.p, self.log_q),
            "cross_entropy_qp": lambda: mp.inf if self.uncovered_q else -self._dot(self.q, self.log_p),
            "kl_pq": lambda: self._kl_pq,
            "kl_qp": lambda: self._kl_qp,
            "jeffreys": lambda: self._kl_pq + self._kl_qp,
            "js_divergence": lambda: self._jensen_shannon,
            "js_distance": lambda: mp.sqrt(abs(self._jensen_shannon)),
            "total_variation": lambda: mp.fsum(abs(x - y) for x, y in pairs) / 2,
            "hellinger": lambda: mp.sqrt(mp.fsum((mp.sqrt(x) - mp.sqrt(y)) ** 2 for x, y in pairs) / 2),
            "bhattacharyya": lambda: self._renyi(0.5) / 2,
            "chi2_pq": lambda: mp.inf if self.uncovered_p else mp.fsum((x - y) ** 2 / y for x, y in pairs if y),
            "renyi_pq": lambda: self._renyi(alpha),
            "perplexity_p": lambda: mp.exp(-self._dot(self.p, self.log_p)),
            "perplexity_q": lambda: mp.exp(-self._dot(self.q, self.log_q)),
            "wasserstein": lambda: mp.fsum(map(abs, list(accumulate(x - y for x, y in pairs))[:-1])),
            "same_top": lambda: mp.mpf((max(self._a), max(self._b)) in self._both),
        }
        return by_name[name]()

    def measure(self, name, alpha=2.0):
        """The measure's value, an mpf or +inf."""
        with mp.workprec(self._prec):
            return self._measure(name, alpha)

    def scale(self, name, alpha):
        """What the measure's rounding is judged by where its terms may cancel: the sum of their sizes; of logs, 1."""
        summed = {"entropy_p", "entropy_q", "cross_entropy_pq", "cross_entropy_qp", "kl_pq", "kl_qp", "jeffreys"}
        if name == "bhattacharyya" or (name == "renyi_pq" and alpha not in {1, inf}):
            return mp.mpf(1) / (abs(alpha - 1) if name == "renyi_pq" and abs(alpha - 1) < 1 else 1)
        if name == "wasserstein":
            with mp.workprec(self._prec):
                return mp.fsum(abs(x - y) for x, y in zip(self.p, self.q, strict=True)) * len(self.p)
        if name in summed or (name == "renyi_pq" and alpha == 1):
            with mp.workprec(self._prec):
                of = {"renyi_pq": ("kl_pq",), "jeffreys": ("kl_pq", "kl_qp")}.get(name, (name,))
                return mp.fsum(abs(x) for one in of for x in self._terms(one) if mp.isfinite(x))
        return mp.mpf(0)

    def _terms(self, name):
        mirrored = {"entropy_q": "q", "cross_entropy_qp": "q"}
        if name not in mirrored:
            return self.element(name)
        return _products(self.q, self.log_q if name == "entropy_q" else self.log_p)

    def element(self, name):
        """The element's value for each outcome: (K,)."""
        with mp.workprec(self._prec):
            p, q, log_p, log_q = self.p, self.q, self.log_p, self.log_q
            ratio = [
                x - y if mp.isfinite(x) or mp.isfinite(y) else mp.mpf(0) for x, y in zip(log_p, log_q, strict=True)
            ]
            by_name = {
                "p": lambda: p,
                "q": lambda: q,
                "log_ratio": lambda: ratio,
                "kl_pq": lambda: _products(p, ratio),
                "kl_qp": lambda: _products(q, [-r for r in ratio]),
                "self_information_p": lambda: [-x for x in log_p],
                "self_information_q": lambda: [-x for x in log_q],
                "entropy_p": lambda: _products(p, [-x for x in log_p]),
                "cross_entropy_pq": lambda: _products(p, [-x for x in log_q]),
                "jeffreys": lambda: _products([x - y for x, y in zip(p, q, strict=True)], ratio),
            }
            return by_name[name]()


def _products(weights, values):
    return [w * v if w else mp.mpf(0) for w, v in zip(weights, values, strict=True)]


def error(value, exact, scale=None, spacings=1):
    """The relative error (to the scale, if that is larger); 0 where an exact value that no double reaches is infinite.

    Of results below the normal range, those within one spacing of subnormal numbers have none.
    """
    value, nearest = float(value), float(exact)
    if isnan(value) or isinf(value) or isinf(nearest):
        return 0.0 if value == nearest else inf
    with mp.workprec(_MOST):
        distance = abs(mp.mpf(value) - exact)
        size = abs(exact) if scale is None else max(abs(exact), scale)
        if size < mp.mpf(2) ** -1022 or spacings > 1:
            distance = max(0, distance - spacings * LEAST * (1 + mp.mpf(2) ** -40))
        return (float(distance / size) if size else inf) if distance else 0.0


ROOTS = ("js_distance", "hellinger")


def below_the_doubles(value, exact, what):
    """0 for a value as near as the least doubles allow, else infinite.

    A probability below 5e-324 is held there, and its logarithm, the number of outcomes and an order near 1 each
    multiply that; 1e-313 is more than all of it. The distances are roots of such sums.
    """
    nearest = mp.mpf("1e-313")
    if abs(exact) >= mp.mpf(2) ** -1022 and not (set(what) & set(ROOTS) and exact < mp.sqrt(nearest)):
        return inf
    limit = mp.sqrt(nearest) if set(what) & set(ROOTS) else nearest
    return 0.0 if abs(mp.mpf(float(value)) - exact) <= limit else inf


class Misses:
    """Collects the values that miss the accuracy bar, or are below zero (-0.0 included) where that cannot be."""

    def __init__(self):
        self.found = []

    def check(self, value, exact, *what, signed=False, scale=None, spacings=1):
        off = min(error(value, exact, scale, spacings), below_the_doubles(value, exact, what))
        negative = not signed and copysign(1, value) < 0
        if not off <= BAR or negative:
            self.found.append((*what, float(value), mp.nstr(exact, 17), off))
