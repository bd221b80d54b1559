"""All pairs of families beside mpmath: how far closed forms are off, and whether the errors that are shown hold.

    python -m tests.benchmarks.formulas_beside_mpmath [ORDINARY [EXTREME [SEED [SECONDS [FAMILY ...]]]]]

ORDINARY pairs of members a pair of families have parameters log-uniform from 1e-3 to 1e3, EXTREME ones from 1e-6 to
1e16; the pairs come in random order, until the seconds are over. The reference has 40 digits: its log densities are
written down here once more, and integrated in the logarithm of the distance from 0 by Gauss and Legendre's rule on
panels that are halved until 12 and 20 points agree. Counts are added up one by one, or by the trapezium rule where they
are as wide as that is exact for.
"""

# ruff: noqa: ARG001, ARG005, T201 - log densities take x, log x and 1 - x alike; the figures are what one runs this for

import sys
from collections import Counter
from itertools import pairwise, product
from time import perf_counter

import mpmath
import numpy as np
from mpmath import mpf

from klcli.errors import KlcliError
from klcli.families.catalogue import FAMILIES
from klcli.families.measure import measure
from tests.families.laws import law

DIGITS, AGREED, MOST_PANELS, MOST_TERMS = 40, mpf("1e-13"), 1200, 3000
NEAR_ENDS, NEGLIGIBLE = (mpf("1e-12"), mpf("0.5"), 1 - mpf("1e-12")), -150
"""Shares of a panel that are looked at first, and the log density below which it is left out."""
BAR = 1e-11
"""Relative error of closed forms."""
NAMES = {
    "entropy_p": "entropy_p",
    "kl_pq": "kl_pq",
    "kl_qp": "kl_qp",
    "js_divergence": "js",
    "total_variation": "tv",
    "hellinger": "hellinger2",
}
NEVER = mpf("-1e100000")
"""A log density so low that its exponential is 0 whatever it is multiplied by."""


# --------------------------------------------------------------------------------------------- log densities


def _student(df, mu, scale):
    c = mpmath.loggamma((df + 1) / 2) - mpmath.loggamma(df / 2) - mpmath.log(df * mpmath.pi) / 2 - mpmath.log(scale)
    return lambda x, t, y: c - (df + 1) / 2 * mpmath.log1p(((x - mu) / scale) ** 2 / df)


def _normal(mu, sd):
    c = -mpmath.log(sd) - mpmath.log(2 * mpmath.pi) / 2
    return lambda x, t, y: c - ((x - mu) / sd) ** 2 / 2


def _gamma(shape, rate):
    c = shape * mpmath.log(rate) - mpmath.loggamma(shape)
    return lambda x, t, y: c + (shape - 1) * t - rate * x if x > 0 else NEVER


def _beta(a, b):
    c = mpmath.loggamma(a + b) - mpmath.loggamma(a) - mpmath.loggamma(b)
    return lambda x, t, y: c + (a - 1) * t + (b - 1) * mpmath.log(y) if x > 0 and y > 0 else NEVER


def _weibull(shape, scale):
    c, less = mpmath.log(shape / scale), mpmath.log(scale)
    return lambda x, t, y: c + (shape - 1) * (t - less) - _exp(shape * (t - less)) if x > 0 else NEVER


def _gumbel(mu, scale):
    c = -mpmath.log(scale)

    def log_density(x, t, y):
        z = (mu - x) / scale
        return c + z - mpmath.exp(z) if z < 100_000 else NEVER

    return log_density


def _exp(x):
    return -NEVER if x > 100_000 else mpmath.exp(x)


def _logistic(mu, scale):
    c = -mpmath.log(scale)
    return lambda x, t, y: c - abs(x - mu) / scale - 2 * mpmath.log1p(_exp(-abs(x - mu) / scale))


def _lognormal(mu, sd):
    of_log = _normal(mu, sd)
    return lambda x, t, y: of_log(t, t, y) - t if x > 0 else NEVER


def _pareto(scale, shape):
    c, less = mpmath.log(shape / scale), mpmath.log(scale)
    return lambda x, t, y: c - (shape + 1) * (t - less) if x >= scale else NEVER


def _half_normal(scale):
    whole = _normal(mpf(0), scale)
    return lambda x, t, y: mpmath.log(2) + whole(x, t, y) if x >= 0 else NEVER


def _skew_normal(mu, scale, shape):
    whole = _normal(mu, scale)
    return lambda x, t, y: mpmath.log(2) + whole(x, t, y) + _log_phi(shape * (x - mu) / scale)


def _log_phi(z):
    if z < -1_000:
        return (
            -z * z / 2 - mpmath.log(-z) - mpmath.log(2 * mpmath.pi) / 2 + mpmath.log1p(-1 / z**2 + 3 / z**4 - 15 / z**6)
        )
    return mpmath.log(mpmath.erfc(-z / mpmath.sqrt(2)) / 2)


def _triangular(low, mode, high):
    c = mpmath.log(2 / (high - low))

    def log_density(x, t, y):
        if not low < x < high:
            return NEVER
        return c + (mpmath.log((x - low) / (mode - low)) if x < mode else mpmath.log((high - x) / (high - mode)))

    return log_density


def _uniform(low, high):
    return lambda x, t, y: -mpmath.log(high - low) if low <= x <= high else NEVER


DENSITIES = {
    "normal": _normal,
    "lognormal": _lognormal,
    "exponential": lambda rate: _gamma(mpf(1), rate),
    "gamma": _gamma,
    "beta": _beta,
    "weibull": _weibull,
    "laplace": lambda mu, scale: lambda x, t, y: -abs(x - mu) / scale - mpmath.log(2 * scale),
    "student_t": _student,
    "uniform": _uniform,
    "logistic": _logistic,
    "gumbel": _gumbel,
    "cauchy": lambda mu, scale: _student(mpf(1), mu, scale),
    "pareto": _pareto,
    "half_normal": _half_normal,
    "chi2": lambda df: _gamma(df / 2, mpf(1) / 2),
    "rayleigh": lambda scale: _weibull(mpf(2), mpmath.sqrt(2) * scale),
    "triangular": _triangular,
    "skew_normal": _skew_normal,
}


def _poisson(rate):
    return lambda k: k * mpmath.log(rate) - rate - mpmath.loggamma(k + 1)


def _negative_binomial(r, p):
    c, log_rest = r * mpmath.log(p) - mpmath.loggamma(r), mpmath.log1p(-p)
    return lambda k: c + mpmath.loggamma(k + r) - mpmath.loggamma(k + 1) + k * log_rest


def _binomial(n, p):
    c, log_p, log_rest = mpmath.loggamma(n + 1), mpmath.log(p), mpmath.log1p(-p)
    return lambda k: (
        c - mpmath.loggamma(k + 1) - mpmath.loggamma(n - k + 1) + k * log_p + (n - k) * log_rest if k <= n else NEVER
    )


MASSES = {
    "poisson": _poisson,
    "binomial": _binomial,
    "geometric": lambda p: _negative_binomial(mpf(1), p),
    "negative_binomial": _negative_binomial,
    "bernoulli": lambda p: _binomial(mpf(1), p),
}


# ------------------------------------------------------------------------------------------------- the reference


def integrands(log_p, log_q):
    """Entropy of p, KL both ways, Jensen-Shannon, total variation, Hellinger's square."""
    p, q = (mpmath.exp(v) if v > -100_000 else mpf(0) for v in (log_p, log_q))
    if not p and not q:
        return [mpf(0)] * 6
    d, m = log_p - log_q, (p + q) / 2
    js = sum(v * (log_v - mpmath.log(m)) for v, log_v in ((p, log_p), (q, log_q)) if v) / 2
    return [-p * log_p, p * d - p + q, -q * d - q + p, js, abs(p - q) / 2, (mpmath.sqrt(p) - mpmath.sqrt(q)) ** 2 / 2]


def _legendre(n):
    """Nodes and weights of Gauss and Legendre's rule, by Newton's method from those of doubles."""
    with mpmath.workdps(DIGITS):
        found = []
        for start in np.polynomial.legendre.leggauss(n)[0].tolist():
            x = mpf(start)
            for _ in range(3):
                x -= mpmath.legendre(n, x) / _slope(n, x)
            found.append((x, 2 / ((1 - x * x) * _slope(n, x) ** 2)))
        return found


def _slope(n, x):
    return n * (x * mpmath.legendre(n, x) - mpmath.legendre(n - 1, x)) / (x * x - 1)


RULES = _legendre(12), _legendre(20)


class Reference:
    """The integrals of two densities. Panels are (variable, low, high): log of x, of -x, or of 1 - x."""

    def __init__(self, p, q):
        self.p, self.q = p, q

    def logs(self, variable, u):
        e = mpmath.exp(u)
        if variable == "rest":
            x, y = 1 - e, e
            t = mpmath.log1p(-e)
        else:
            x, y, t = (e, 1 - e, u) if variable == "above" else (-e, 1 + e, u)
        return self.p(x, t, y) + u, self.q(x, t, y) + u, u

    def panel(self, variable, low, high):
        """The integrals by 20 points, how far 12 points are off, and two points between which p - q changes sign."""
        half, sums, signs = (high - low) / 2, [], []
        ends = [self.logs(variable, low + (high - low) * share)[:2] for share in NEAR_ENDS]
        if all(max(logs) + mpmath.log1p(abs(logs[0] - logs[1])) < NEGLIGIBLE for logs in ends):
            return [mpf(0)] * 6, [mpf(0)] * 6, None
        for rule in RULES:
            total = [mpf(0)] * 6
            for x, weight in rule:
                u = low + half * (1 + x)
                log_p, log_q, step = self.logs(variable, u)
                f = integrands(log_p, log_q)
                f[0] += step * (mpmath.exp(log_p) if log_p > -100_000 else 0)
                total = [a + half * weight * b for a, b in zip(total, f, strict=True)]
                signs.append((u, log_p > log_q))
            sums.append(total)
        signs += [(low + (high - low) * share, p > q) for share, (p, q) in zip(NEAR_ENDS, ends, strict=True)]
        change = next(((u, v) for (u, a), (v, b) in pairwise(sorted(signs)) if a != b), None)
        return sums[1], [abs(a - b) for a, b in zip(*sums, strict=True)], change

    def kink(self, variable, u, v):
        """Where p = q between two points."""
        a = self.logs(variable, u)
        for _ in range(70):
            middle = (u + v) / 2
            log_p, log_q, _ = self.logs(variable, middle)
            u, v = (middle, v) if (log_p > log_q) == (a[0] > a[1]) else (u, middle)
        return u

    def integrate(self, panels):
        """The integrals, and whether they agreed."""
        done, left = [], [(*panel, *self.panel(*panel)) for panel in panels]
        while left and len(done) + len(left) < MOST_PANELS:
            bounds = [AGREED * mpmath.fsum(abs(each[3][i]) for each in (*done, *left)) for i in range(6)]
            again = []
            for each in left:
                variable, low, high, values, errors, change = each
                within = (high - low) * mpf("1e-9")
                kink = change and values[4] > bounds[4] and self.kink(variable, *change)
                inside = bool(kink) and low + within < kink < high - within
                if not inside and all(error <= bound for error, bound in zip(errors, bounds, strict=True)):
                    done.append(each)
                    continue
                middle = kink if inside else (low + high) / 2
                again += [(variable, low, middle), (variable, middle, high)]
            left = [(*panel, *self.panel(*panel)) for panel in again]
        return [mpmath.fsum(each[3][i] for each in (*done, *left)) for i in range(6)], not left


def marks(family, values):  # noqa: PLR0911 - one for each kind
    """Where a density changes: points x, and points log x, as they are and with all steps doubled around them."""
    v = values
    shape = v.get("shape", v.get("df", mpf(1)))
    if family in {"gamma", "chi2"}:
        k, rate = (v["shape"], v["rate"]) if family == "gamma" else (v["df"] / 2, mpf(1) / 2)
        return [(k / rate, mpmath.sqrt(k) / rate)], [(mpmath.log(k / rate), 1 / min(k, 1))]
    if family == "beta":
        n = v["a"] + v["b"]
        sd = mpmath.sqrt(v["a"] * v["b"] / (n + 1)) / n
        return [(v["a"] / n, sd), (mpf(1), 1 / n)], [(mpmath.log(v["a"] / n), 1 / min(v["a"], 1))]
    if family == "lognormal":
        return [], [(v["mu"], v["sd"])]
    if family in {"weibull", "rayleigh", "pareto"}:
        k, scale = (mpf(2), mpmath.sqrt(2) * v["scale"]) if family == "rayleigh" else (v["shape"], v["scale"])
        return [(scale, scale / max(1, k))], [(mpmath.log(scale), 1 / k)]
    if family in {"uniform", "triangular"}:
        ends = [v["low"], v.get("mode", v["low"]), v["high"]]
        return [(x, v["high"] - v["low"]) for x in ends], []
    if family == "exponential":
        return [(1 / v["rate"], 1 / v["rate"])], []
    scale, mu = v.get("sd", v.get("scale")), v.get("mu", mpf(0))
    found = [(mu, scale)] + ([(mu, scale / max(1, abs(shape)))] if family == "skew_normal" else [])
    return found, [(mpmath.log(scale), 1 / min(shape, 1))] if family in {"student_t", "cauchy"} else []


def cuts(members):
    """Panels of the line for some members (family, parameters)."""
    straight, logs = {mpf(1)} if any(family == "beta" for family, _ in members) else set(), set()
    for family, values in members:
        points, of_log = marks(family, values)
        for c, s in points:
            far = 80 if family in {"student_t", "cauchy"} else 9
            straight |= {c} | {c + sign * s * mpf(2) ** j for j in range(-2, far) for sign in (-1, 1)}
        for c, s in of_log:
            steps = {width * mpf(2) ** j for j in range(-2, 8) for width in (s, 1)}
            logs |= {c} | {c + sign * step for step in steps for sign in (-1, 1)}
    positive = all(family in POSITIVE for family, _ in members)
    below_1 = all(family == "beta" for family, _ in members)
    sides = {"above": logs | {mpmath.log(x) for x in straight if x > 0}}
    if not positive:
        sides["below"] = logs | {mpmath.log(-x) for x in straight if x < 0}
    panels = []
    for side, given in sides.items():
        if not given:  # a side that no law comes near
            continue
        low, high = min(given), max(given)
        found = sorted(given | {low - 2**j for j in range(9)} | (set() if below_1 else {high + 2**j for j in range(8)}))
        if side == "above" and any(family == "beta" for family, _ in members):
            half = mpmath.log(mpf(1) / 2)
            b = min(values["b"] for family, values in members if family == "beta")
            rest = {half} | {mpmath.log(1 - x) for x in straight if 0 < x < 1}
            rest |= {half - mpf(2) ** j * width for j in range(-1, 9) for width in (1, 1 / min(b, 1))}
            ordered = sorted(x for x in rest if x <= half)
            panels += [("rest", *edge) for edge in pairwise([ordered[0] - 300 / min(b, 1), *ordered])]
            panels += [(side, *edge) for edge in pairwise([*(x for x in found if x < half), half])]
            found = [mpf(0), *(x for x in found if x > 0)]
        panels += [(side, *edge) for edge in pairwise(found)]
    return panels


POSITIVE = {name for name in DENSITIES if FAMILIES[name].cover[0] == 0}


def by_integrals(members):
    """The reference of two densities, and whether it can be relied on."""
    p, q = (DENSITIES[family](**values) for family, values in members)
    return Reference(p, q).integrate(cuts(members))


def by_sums(members):
    """The reference of two of counts; None where there are too many to add up and their masses are not smooth."""
    spans = [FAMILIES[family](**{name: float(v) for name, v in values.items()}).span() for family, values in members]
    low, high = min(a for a, _ in spans), max(b for _, b in spans)
    p, q = (MASSES[family](**values) for family, values in members)
    step = 1
    if high - low > MOST_TERMS:
        narrow = min(b - a for a, b in spans)
        if any(a == 0 or b - a < 3000 for a, b in spans) or high - low > 60 * narrow:
            return None
        step = int(narrow) // 600
    at = range(int(low), int(high) + 1, step)
    each = [integrands(p(mpf(k)), q(mpf(k))) for k in at]
    found = [step * mpmath.fsum(column) for column in zip(*each, strict=True)]
    return (found, True) if step == 1 else ([*found[:4], None, found[5]], True)


# ------------------------------------------------------------------------------------------------------ the pairs


def drawn(family, random, low, high):
    """Parameters as doubles, uniform in the logarithm; shares from the least to 1."""

    def size():
        return float(np.exp(random.uniform(np.log(low), np.log(high))))

    found = {}
    for one in FAMILIES[family].parameters:
        if one.high == 1:
            found[one.name] = min(size() / high, 0.999)
        elif one.shape == "whole":
            found[one.name] = float(round(1 + size()))
        else:
            found[one.name] = size() * (float(random.choice([-1, 1])) if one.low == -np.inf else 1)
    if family in {"uniform", "triangular"}:
        width = size() + 1e-9 * abs(found["low"])
        found["high"] = found["low"] + width
        if family == "triangular":
            found["mode"] = found["low"] + random.uniform(0.01, 0.99) * (found["high"] - found["low"])
    if family == "lognormal":
        found["mu"], found["sd"] = float(np.clip(found["mu"], -50, 50)), min(found["sd"], 50.0)
    return found


def judged(name, found, exact):
    """closed or estimated, how far off, and what is wrong with it, if anything."""
    if exact is None:
        return "no reference", 0.0, ""
    with mpmath.workdps(DIGITS):
        value = mpmath.sqrt(exact) if name == "hellinger" else exact
        off = abs(mpf(found.value) - value)
        relative = float(off / abs(value)) if value else float(off)
    if found.error is None:
        return "closed", relative, f"{relative:.1e}" if relative > BAR else ""
    return "estimated", relative, f"off {float(off):.2e}, said {found.error:.2e}" if not off <= found.error else ""


def compare(pair, p, q):
    """A row for each measure: (name, way, relative error, what is wrong)."""
    with mpmath.workdps(DIGITS):
        members = [
            (family, {name: mpf(v) for name, v in values.items()}) for family, values in zip(pair, (p, q), strict=True)
        ]
        found = by_integrals(members) if pair[0] in DENSITIES else by_sums(members)
    exact, sure = (
        (dict.fromkeys(NAMES), False) if found is None else (dict(zip(NAMES, found[0], strict=True)), found[1])
    )
    rows = []
    for name in NAMES:
        try:
            with np.errstate(all="ignore"):
                value = measure(law(pair[0], **p), law(pair[1], **q), [name])[name]
        except (KlcliError, ArithmeticError) as error:
            rows.append((name, "refused", 0.0, "", str(error)))
            continue
        if value.value == np.inf:
            rows.append((name, "infinite", 0.0, "", ""))
        elif not sure:
            rows.append((name, "no reference", 0.0, "", ""))
        else:
            rows.append((name, *judged(name, value, exact[name]), repr(value)))
    return rows


def main(ordinary=1, extreme=1, seed=0, seconds=3600, families=()):
    """Print a line for each fault, then one for each pair with its worst, then all together."""
    began, ways, worst = perf_counter(), Counter(), {}
    pairs = [pair for names in (DENSITIES, MASSES) for pair in product(names, names)]
    for place in np.random.default_rng(seed).permutation(len(pairs)):
        pair = pairs[place]
        if (families and not {*families} & {*pair}) or perf_counter() - began > seconds:
            continue
        random = np.random.default_rng([seed, *map(ord, "".join(pair))])
        for size in [(1e-3, 1e3)] * ordinary + [(1e-6, 1e16)] * extreme:
            p, q = (drawn(family, random, *size) for family in pair)
            for name, way, relative, wrong, what in compare(pair, p, q):
                ways[way] += 1
                ways[f"{way}, wrong"] += bool(wrong)
                worst[pair, way] = max(worst.get((pair, way), 0.0), relative)
                if wrong:
                    print(f"{name} of {pair[0]} {p} and {pair[1]} {q}: {wrong}; {what}", flush=True)
    for (pair, way), relative in sorted(worst.items()):
        if way in {"closed", "estimated"}:
            print(f"{pair[0]:>18} {pair[1]:<18} {way:<10} {relative:.1e}")
    print(dict(ways), f"{perf_counter() - began:.0f} s")
    return ways


if __name__ == "__main__":
    main(*map(int, sys.argv[1:5]), families=sys.argv[5:])
